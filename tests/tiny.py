"""A city of two communities, three streets and three homes, written as files that a test can then spoil.

    north community      b3
  +------------------------+      A step of the grid is 0.001 degree, 83 m to the east and 111 m to the north.
2 |  w3 ------------------ |
  |  |         b2          |      Streets: w1 along the south, w2 up the middle, w3 along the north.
1 |  w2 - - - - - - - - -  |      Homes: b1 and b2 inside, b3 beyond the border; s1 stands in b1.
  |  |   b1                |
0 |  w1 ------------------ |
  +------------------------+
     0    1    2    3    4
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

LON, LAT, STEP = 123.95, 41.88, 0.001

STUDY = """
[study]
name = "Tiny"
language = "en"

[inputs]
datum = "wgs84"
streets = "streets.geojson"
areas = "areas.geojson"
buildings = "buildings.geojson"
residents = "residents.csv"
stations = "stations.csv"
candidates = "candidates.csv"
barriers = "barriers.geojson"
"""


def at(x: float, y: float) -> list[float]:
    """Return the longitude and latitude of a point of the grid."""
    return [round(LON + STEP * x, 7), round(LAT + STEP * y, 7)]


def line(*points: tuple[float, float]) -> dict[str, object]:
    return {"type": "LineString", "coordinates": [at(*p) for p in points]}


def point(x: float, y: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": at(x, y)}


def box(west: float, south: float, east: float, north: float) -> dict[str, object]:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [[at(*c) for c in corners]]}


def geojson(path: Path, features: Iterable[tuple[Mapping[str, object], Mapping[str, object] | None]]) -> None:
    """Write features, each a pair of properties and geometry."""
    rows = [{"type": "Feature", "properties": p, "geometry": g} for p, g in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}, ensure_ascii=False), encoding="utf-8")


def table(path: Path, header: str, *rows: Iterable[object], encoding: str = "utf-8") -> None:
    """Write a CSV."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerows([header.split(), *rows])


def streets() -> list[tuple[dict[str, object], dict[str, object]]]:
    return [
        ({"way_id": "w1", "highway": "residential"}, line((0, 0), (2, 0), (4, 0))),
        ({"way_id": "w2", "highway": "footway"}, line((0, 0), (0, 2))),
        ({"way_id": "w3", "highway": "residential"}, line((0, 2), (4, 2))),
    ]


def areas() -> list[tuple[dict[str, object], dict[str, object]]]:
    return [
        ({"area_id": "d", "level": "district", "name": "区", "parent_id": ""}, box(-1, -1, 5, 3)),
        ({"area_id": "s", "level": "community", "name": "南社区", "parent_id": "d"}, box(-1, -1, 5, 1)),
        ({"area_id": "n", "level": "community", "name": "北社区", "parent_id": "d"}, box(-1, 1, 5, 3)),
    ]


def buildings() -> list[tuple[dict[str, object], dict[str, object]]]:
    return [
        ({"building_id": "b1", "kind": "apartments", "levels": 6}, box(1, 0.2, 1.4, 0.4)),
        ({"building_id": "b2", "kind": "house", "levels": None}, box(2, 1.5, 2.4, 1.7)),
        ({"building_id": "b3", "kind": "house", "levels": 2}, box(3, 4, 3.4, 4.2)),
    ]


def write_city(folder: Path, *, study: str = STUDY) -> Path:
    """Write the city and its study file, all as they should be, and return the folder."""
    (folder / "study.toml").write_text(study, encoding="utf-8")
    geojson(folder / "streets.geojson", streets())
    geojson(folder / "areas.geojson", areas())
    geojson(folder / "buildings.geojson", buildings())
    table(folder / "residents.csv", "building_id residents", ["b1", 60], ["b2", 4])
    table(folder / "stations.csv", "station_id lon lat name", ["s1", *at(1.2, 0.3), "代办站"])
    table(folder / "candidates.csv", "site_id lon lat kind", ["c1", *at(2, 1.9), "pharmacy"])
    geojson(folder / "barriers.geojson", [({"kind": "wall"}, line((1, 1), (3, 1)))])
    return folder


def osm_xml(
    path: Path,
    nodes: Mapping[int, tuple[float, float]],
    ways: Mapping[int, tuple[Iterable[int], Mapping[str, str]]],
    relations: Mapping[int, tuple[Iterable[tuple[str, int, str]], Mapping[str, str]]] | None = None,
    *,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
) -> None:
    """Write an OpenStreetMap file: nodes on the grid, ways as nodes and tags, relations as members and tags."""

    def tags(of: Mapping[str, str]) -> str:
        return "".join(f'<tag k="{k}" v="{v}"/>' for k, v in of.items())

    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    for i, (x, y) in nodes.items():
        lon, lat = at(x, y)
        lines.append(f'<node id="{i}" lat="{lat}" lon="{lon}" version="1">{tags((node_tags or {}).get(i, {}))}</node>')
    for i, (refs, of) in ways.items():
        through = "".join(f'<nd ref="{r}"/>' for r in refs)
        lines.append(f'<way id="{i}" version="1">{through}{tags(of)}</way>')
    types = {"n": "node", "w": "way", "r": "relation"}
    for i, (members, of) in (relations or {}).items():
        held = "".join(f'<member type="{types[t]}" ref="{r}" role="{role}"/>' for t, r, role in members)
        lines.append(f'<relation id="{i}" version="1">{held}{tags(of)}</relation>')
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
