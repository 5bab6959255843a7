"""The files of a fetched study: what OpenStreetMap holds of it, and what is left for the user to fill in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import geopandas as gpd
import pandas as pd

from lifecircle.errors import printable
from lifecircle.fetch import Servers
from lifecircle.fetch.place import Place, nothing_there
from lifecircle.gdal import stopped_clock
from lifecircle.readers.files import Located, locate
from lifecircle.readers.inputs import Input, Where
from lifecircle.readers.layers import Layers, read_layers
from lifecircle.readers.metric import Box
from lifecircle.readers.osm import ATTRIBUTION
from lifecircle.said import Said, joined, sentence
from lifecircle.sheets import write_csv

EXTRACT, AREAS, RESIDENTS, STATIONS = "openstreetmap.osm.pbf", "areas.geojson", "residents.csv", "stations.csv"

_DECIMALS = "7"
"""Of a degree, as in OpenStreetMap."""

_NAME_LENGTH = 80

_CHINA = re.compile(r"[\u4e00-\u9fff]|\bChina$")

WHERE: Mapping[str, Where] = {
    "streets": (),
    "buildings": (),
    "entrances": (),
    "barriers": (),
    "stations": (
        {"amenity": ("townhall", "post_office", "library", "community_centre", "social_facility", "social_centre")},
    ),
    "candidates": (
        {"amenity": ("pharmacy", "school", "kindergarten", "college", "bank", "arts_centre", "doctors", "clinic")},
        {"shop": ("convenience", "supermarket", "kiosk", "bakery", "newsagent", "general")},
        {"office": ("government", "company", "estate_agent", "insurance", "ngo", "employment_agency")},
    ),
}
"""What is read of the fetched file, layer by layer: public points where an errand can be handed in, and rooms that
could take a station in. A layer without a filter has its usual one."""


@dataclass(frozen=True)
class Origin:
    """Where a study comes from: the place, the box asked for (degrees), how far it goes beyond the place, and whom of.

    ``state`` is of when the data is, as the server says it.
    """

    place: Place
    box: Box
    buffer_m: float
    servers: Servers
    state: str


def read_extract(draft: Path, place: Place, levels: Sequence[int]) -> Layers:
    """Return the layers that the fetched file holds, areas with OpenStreetMap's own levels.

    Raises
    ------
    FetchError
        When there are no streets or no buildings.
    """
    units: Where = ({"boundary": ("administrative",), "admin_level": tuple(map(str, levels))},)
    wanted = [Input(layer, EXTRACT, where=where) for layer, where in WHERE.items()]
    wanted.append(Input("areas", EXTRACT, where=units, columns={"level": "admin_level"}))
    found = {source.layer: locate(source, draft) for source in wanted}
    layers = read_layers({name: file for name, file in found.items() if isinstance(file, Located)})
    absent = [] if layers.ways is not None and layers.ways.way_id else ["streets"]
    absent += [] if "buildings" in layers.tables else ["buildings"]
    if absent:
        raise nothing_there(place, joined(absent, "{} and no {}"))
    return layers


def write_study(
    draft: Path, origin: Origin, layers: Layers, areas: gpd.GeoDataFrame, told: str
) -> tuple[str, tuple[str, ...]]:
    """Write everything but the fetched file, and return how much there is and which files the user has to fill in.

    Parameters
    ----------
    told
        What is to be said of the areas.

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    n_ways = len(layers.ways.way_id) if layers.ways is not None else 0
    counts = {"streets": n_ways, **{name: len(layers.tables[name]) for name in WHERE if name in layers.tables}}
    with stopped_clock():
        areas.to_file(draft / AREAS, driver="GeoJSON", COORDINATE_PRECISION=_DECIMALS)
    finest = areas[areas["level"] == areas["level"].iloc[-1]]
    write_csv(draft / RESIDENTS, finest[["area_id", "name"]].assign(residents=""))
    missing = [RESIDENTS]
    if "stations" not in counts:
        write_csv(draft / STATIONS, pd.DataFrame(columns=["station_id", "name", "lon", "lat"]))
        missing.append(STATIONS)
    place, servers = origin.place, origin.servers
    words = {
        "place": _quoted(place.full_name or place.name),
        "name": _toml(study_name(place.name)),
        "language": language_of(place.name, place.full_name),
        "fetched": time.strftime("%Y-%m-%d", time.gmtime()),
        "state": _quoted(origin.state or "unknown"),
        "attribution": ATTRIBUTION,
        "box": ", ".join(f"{side:.5f}" for side in origin.box),
        "buffer": f"{origin.buffer_m:,.0f}",
        "servers": _quoted(", ".join([servers.nominatim] * bool(place.full_name) + [servers.overpass])),
        "inputs": _inputs(counts),
        "scenario": "" if "candidates" in counts else "# ",
        "counts": "\n".join(f"| {layer} | {n:,} |" for layer, n in {**counts, "areas": len(areas)}.items()),
        "told": told,
        "missing": ", ".join(f"`{name}`" for name in missing),
    }
    for name in ("study.toml", "README.md"):
        template = Template((files("lifecircle") / "templates" / "fetched" / name).read_text("utf-8"))
        (draft / name).write_text(template.substitute(words), encoding="utf-8")
    return joined((Said("{:,} {}", n, sentence(layer)) for layer, n in counts.items()), "{}, {}"), tuple(missing)


def study_name(place: str) -> str:
    """Return what a study of a place is called: its name without what no folder's name may hold."""
    plain = re.sub(r'[\s/\\:*?"<>|]+', " ", printable(place))[:_NAME_LENGTH].strip(" .")
    return plain or "place"


def language_of(*names: str) -> str:
    """Return the language of a place by its names: Chinese where one of them is, or where it lies in China."""
    return "zh" if any(map(_CHINA.search, names)) else "en"


def _inputs(counts: Mapping[str, int]) -> str:
    """Return the lines of ``[inputs]`` that name what was found, and where what was not would stand."""
    plain = [layer for layer, where in WHERE.items() if not where]
    lines = [f"{'' if layer in counts else '# '}{layer} = {_toml(EXTRACT)}" for layer in plain]
    for layer, where in WHERE.items():
        if where and layer in counts:
            tables = [", ".join(f"{key} = {json.dumps(values)}" for key, values in t.items()) for t in where]
            lines += [f"\n[inputs.{layer}]", f"path = {_toml(EXTRACT)}"]
            lines += ["where = [", *(f"  {{ {table} }}," for table in tables), "]"]
    if "stations" not in counts:
        lines += ["\n[inputs.stations]", f"path = {_toml(STATIONS)}"]
    return "\n".join(lines)


def _toml(text: str) -> str:
    return json.dumps(printable(text), ensure_ascii=False)


def _quoted(text: str) -> str:
    """Return a text that can stand between backticks, or in a comment."""
    return printable(text).replace("`", "'")
