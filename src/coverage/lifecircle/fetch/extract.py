"""Answers of an Overpass server as one OpenStreetMap file, every object once and with all its tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import osmium
from osmium.osm.mutable import Node, OSMObject, Relation, Way

from lifecircle.errors import FetchError, OutputError
from lifecircle.readers.metric import Box

TYPES = ("node", "way", "relation")


def write_extract(path: Path, answers: Iterable[Mapping[str, Any]], box: Box) -> str:
    """Write the objects of several answers and return of when they are, as the server says it; empty where it doesn't.

    Parameters
    ----------
    box
        West, south, east and north, degrees: what the file says it covers.

    Raises
    ------
    FetchError
        When an answer holds something that is no object of OpenStreetMap's.
    OutputError
        When the file cannot be written.
    """
    objects: dict[tuple[int, int], OSMObject] = {}
    state = ""
    try:
        for answer in answers:
            state = str(answer.get("osm3s", {}).get("timestamp_osm_base", state))
            for element in answer["elements"]:
                kind = TYPES.index(element["type"])
                objects[kind, element["id"]] = _MAKERS[kind](element)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = "the answer holds something that is no object of OpenStreetMap's; name another server with --overpass"
        raise FetchError(message) from error
    header = osmium.io.Header()
    header.set("generator", "lifecircle fetch")
    header.add_box(osmium.osm.Box(*box))
    try:
        target = osmium.io.File(str(path), "pbf,add_metadata=false")
        with osmium.SimpleWriter(target, header=header) as writer:
            for key in sorted(objects):
                writer.add(objects[key])
    except (RuntimeError, ValueError) as error:
        raise OutputError(f"cannot write {path.name}: {error}") from error
    return state


def _node(element: Mapping[str, Any]) -> Node:
    lon, lat = float(element["lon"]), float(element["lat"])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        message = "a node that is nowhere on earth"
        raise ValueError(message)
    return Node(id=_number(element["id"]), location=(lon, lat), tags=_tags(element))


def _way(element: Mapping[str, Any]) -> Way:
    return Way(id=_number(element["id"]), nodes=list(map(_number, element["nodes"])), tags=_tags(element))


def _relation(element: Mapping[str, Any]) -> Relation:
    members = [(m["type"][0], _number(m["ref"]), str(m["role"])) for m in element["members"] if m["type"] in TYPES]
    return Relation(id=_number(element["id"]), members=members, tags=_tags(element))


def _number(value: object) -> int:
    """Return what an object is numbered by."""
    if not isinstance(value, int) or not 0 < value < 2**63:
        message = "a number that no object bears"
        raise ValueError(message)
    return value


def _tags(element: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in element.get("tags", {}).items()}


_MAKERS: tuple[Callable[[Mapping[str, Any]], OSMObject], ...] = (_node, _way, _relation)
