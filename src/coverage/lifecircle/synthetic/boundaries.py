"""The areas of a made-up city as Shapefiles of offices, one a level: GBK without a word of it, and broken rings."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.model import FloatArray, LongArray
from lifecircle.readers.aliases import NAME_BYTES
from lifecircle.synthetic.breakage import Breakage, Rows
from lifecircle.synthetic.words import HEADINGS, LEVELS
from lifecircle.synthetic.write import write_layer

ENCODING = "gbk"
CGCS2000 = 4490
"""The datum of Chinese surveys; it agrees with WGS 84 to centimetres."""

ABOVE = {"area_id": "区划代码", "name": "区划名称"}
"""Headings of the larger areas."""

PARENT = "上级区划代码"
"""Heading of the code of the area above; a heading of a dBASE table ends after `NAME_BYTES`."""

PART = 0.004

_LANGUAGE_BYTE = 29


def boundaries_of(level: str) -> str:
    """Return the name of the file that holds the areas of a level."""
    return f"{LEVELS[level]}边界.shp"


def write_boundaries(folder: Path, areas: gpd.GeoDataFrame, random: np.random.Generator) -> list[Breakage]:
    """Write each level of areas and return what is wrong with the smallest; ``areas`` are in degrees, largest first."""
    *larger, level = areas["level"].unique()
    for above in larger:
        _write(folder / boundaries_of(above), areas[areas["level"] == above], ABOVE)
    smallest = areas[areas["level"] == level].reset_index(drop=True)
    rows = Rows(len(smallest), random)
    simple = (smallest.geometry.geom_type == "Polygon").to_numpy()
    crossed, repeated, opened = (rows.take(PART, among=simple) for _ in range(3))
    shapes = smallest.geometry.to_numpy().copy()
    shapes[crossed] = [_crossed(shape) for shape in shapes[crossed]]
    shapes[repeated] = [shapely.Polygon(np.repeat(_ring(shape), 2, axis=0)) for shape in shapes[repeated]]
    path = folder / boundaries_of(level)
    _write(path, smallest.set_geometry(shapes, crs=areas.crs), HEADINGS["areas"])
    for row in opened:
        _open_ring(path, int(row))
    files = tuple(boundaries_of(above) for above in larger)
    return _answers(path.name, files, smallest["area_id"].to_numpy(), crossed, repeated, opened)


def _write(path: Path, areas: gpd.GeoDataFrame, headings: Mapping[str, str]) -> None:
    """Write areas of one level under an office's headings, saying nothing of the encoding."""
    table = areas[[*headings, "parent_id", "geometry"]].rename(columns={**headings, "parent_id": _cut(PARENT)})
    table = table.set_crs(CGCS2000, allow_override=True)
    write_layer(path, table, driver="ESRI Shapefile", encoding=ENCODING, DBF_DATE_LAST_UPDATE="2025-01-01")
    path.with_suffix(".cpg").unlink()
    _blank(path.with_suffix(".dbf"), _LANGUAGE_BYTE)


def _answers(
    file: str, larger: tuple[str, ...], ids: np.ndarray, crossed: LongArray, repeated: LongArray, opened: LongArray
) -> list[Breakage]:
    broken = partial(Breakage, file, "areas")
    return [
        broken("invalid-polygon", tuple(ids[crossed]), "two vertices swapped: the outline crosses itself", "draw anew"),
        broken("open-ring", tuple(ids[opened]), "the ring ends before it reaches its beginning", "close the ring"),
        broken(
            "repeated-point", tuple(ids[repeated]), "every vertex twice", "take one of each away", found_by_check=False
        ),
        *(
            broken(
                "missing-encoding",
                tuple(Path(name).with_suffix(".cpg").name for name in files),
                "nothing says that the texts are in GBK",
                f'encoding = "{ENCODING}" in the study file',
                found_by_check=found,
            )
            for files, found in (((file,), True), (larger, False))
        ),
        broken(
            "cut-heading",
            (f"parent_id = {_cut(PARENT)}",),
            f"a heading of {len(PARENT.encode(ENCODING))} bytes, {PARENT}, cut to {NAME_BYTES}",
            f'columns = {{ parent_id = "{_cut(PARENT)}" }}',
        ),
        broken(
            "levels-apart",
            larger,
            "the larger areas in files of their own: eligible knows no level of theirs",
            "state every file under [[inputs.areas]], each with its level",
            found_by_check=False,
        ),
    ]


def _cut(heading: str) -> str:
    """Return what is left of a heading in a dBASE table."""
    return heading.encode(ENCODING)[:NAME_BYTES].decode(ENCODING, errors="ignore")


def _ring(shape: shapely.Polygon) -> FloatArray:
    ring: FloatArray = shapely.get_coordinates(shapely.get_exterior_ring(shape))
    return ring


def _crossed(shape: shapely.Polygon) -> shapely.Polygon:
    """Return the outline with two vertices swapped that halve and quarter a side, the first by which it crosses itself.

    The ground stays what it is, so that nobody's home falls out of the area.
    """
    ring = _ring(shape)
    for i, (here, there) in enumerate(pairwise(ring)):
        made = shapely.Polygon(np.insert(ring, i + 1, [(here + there) / 2, (3 * here + there) / 4], axis=0))
        if not made.is_valid:
            return made
    return shape


def _open_ring(path: Path, row: int) -> None:
    """Let the ring of a row end half way along its last side.

    Source of the places in the files: ESRI Shapefile Technical Description, 1998.
    """
    with path.with_suffix(".shx").open("rb") as index:
        index.seek(100 + 8 * row)
        offset = 2 * struct.unpack(">i", index.read(4))[0]
    with path.open("r+b") as shapes:
        shapes.seek(offset + 8 + 36)
        n_parts, n_points = struct.unpack("<2i", shapes.read(8))
        end = offset + 8 + 44 + 4 * n_parts + 16 * n_points
        shapes.seek(end - 32)
        before_x, before_y, last_x, last_y = struct.unpack("<4d", shapes.read(32))
        shapes.seek(end - 16)
        shapes.write(struct.pack("<2d", (before_x + last_x) / 2, (before_y + last_y) / 2))


def _blank(path: Path, place: int) -> None:
    """Set a byte of a file to nought."""
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\0")
