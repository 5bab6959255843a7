"""Well-known text and binary from someone else: GEOS reads both by recursion, so none may be nested deeply."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

Shapes = npt.NDArray[np.object_]

_TEXT = r"(?i)^\s*(MULTI)?(POINT|LINESTRING|POLYGON)\s*(Z|M|ZM)?\s*(EMPTY|\([-+.,\de\s()naif]*\))\s*$"
"""Points, lines and polygons, alone or several; nothing that can hold another of its kind."""

_MOST_HEADS = 500
"""More places that look like the head of a collection are in no outline that is one collection of plain ones."""


def of_text(texts: npt.ArrayLike) -> Shapes:
    """Return the geometries of well-known texts, None where a text is none."""
    plain = pa.array(np.asarray(texts, dtype=object), type=pa.large_string())
    kept = pc.if_else(pc.match_substring_regex(plain, _TEXT), plain, pa.scalar(None, pa.large_string()))
    with np.errstate(over="ignore"):  # a number beyond every number is told with the coordinates
        made: Shapes = shapely.from_wkt(kept.to_numpy(zero_copy_only=False), on_invalid="ignore")
    return made


def of_binary(values: pa.Array) -> Shapes:
    """Return the geometries of well-known binary.

    Raises
    ------
    ValueError
        When one is broken, or nested as no outline is.
    """
    values = values.cast(pa.large_binary())
    offsets = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    content = np.frombuffer(values.buffers()[2] or b"", dtype=np.uint8)
    heads = _heads_of_collections(content)
    per_row = np.searchsorted(heads, offsets[1:]) - np.searchsorted(heads, offsets[:-1])
    if (per_row > _MOST_HEADS).any():
        raise ValueError("an outline of it is nested as none is; export it again")
    try:
        made: Shapes = shapely.from_wkb(values.to_numpy(zero_copy_only=False))
    except shapely.errors.ShapelyError as error:
        raise ValueError("an outline of it is broken; export it again") from error
    return made


def _heads_of_collections(content: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return at which bytes a collection may begin: the order of its bytes, then a type from 4 to 7.

    Thousands say what the coordinates have beside x and y (ISO), or the highest bits do (EWKB).
    """
    begin = np.flatnonzero(content[: max(0, len(content) - 4)] <= 1)
    little = content[begin] == 1
    lowest, low, high = (
        np.where(little, content[begin + one], content[begin + other]) for one, other in ((1, 4), (2, 3), (3, 2))
    )
    kind = (lowest.astype(np.uint16) + (low.astype(np.uint16) << 8)) % 1000
    return begin[(high == 0) & (kind >= 4) & (kind <= 7)]
