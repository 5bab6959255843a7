"""An OpenStreetMap file, read once for every layer that is in it.

The file's own order is used: nodes, then ways, then relations. A relation's members have therefore gone by before it is
known to be wanted, so where a layer takes relations the nodes of every way are kept, as flat arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
from osmium import osm

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.readers.study_file import Where

ATTRIBUTION = "© OpenStreetMap contributors (ODbL 1.0)"

_UNITS_PER_DEGREE = 1e7
_NO_COORDINATE = 2**31 - 1

NODES_ONLY = frozenset({"entrances"})
WAYS_ONLY = frozenset({"streets"})
"""Layers that take one type of object; the others take every type."""


@dataclass(frozen=True)
class Found:
    """An object that a layer's filter lets through.

    ``id`` is the type's letter and the number (``n1``, ``w1``, ``r1``); ``key`` and ``kind`` are the first key of the
    filter that it met and its value. ``way`` is its row among the ways (-1: not a way), ``lonlat`` its place (None: not
    a node, or a node without one), ``members`` the ids of its member ways and whether each bounds a hole.
    """

    id: str
    key: str
    kind: str
    tags: Mapping[str, str]
    way: int = -1
    lonlat: tuple[float, float] | None = None
    members: tuple[tuple[int, bool], ...] = ()


@dataclass(frozen=True, eq=False)
class OsmExtract(ReadOnlyArrays):
    """What was kept of a file.

    Way ``i`` runs through the nodes ``ref[indptr[i]:indptr[i + 1]]`` at ``lonlat`` (n, 2), degrees, NaN where the file
    does not hold the node. ``way_row`` finds a way's row by its number. ``box`` is what the file says it covers (west,
    south, east, north, degrees), None where it does not say.
    """

    found: Mapping[str, tuple[Found, ...]]
    indptr: LongArray
    ref: LongArray
    lonlat: FloatArray
    way_row: Mapping[int, int]
    box: tuple[float, float, float, float] | None


def read_osm(path: Path, wanted: Mapping[str, Where]) -> OsmExtract:
    """Read a PBF or XML file in one pass.

    Parameters
    ----------
    wanted
        The filter of each layer, by the layer's name; none of them empty.

    Raises
    ------
    RuntimeError, ValueError, OSError
        As libosmium finds the file unreadable.
    """
    keys = sorted({key for where in wanted.values() for table in where for key in table})
    with_relations = not set(wanted) <= NODES_ONLY | WAYS_ONLY
    by_key = osmium.filter.KeyFilter(*keys)
    if with_relations:
        by_key.enable_for(osm.NODE | osm.RELATION)
    entities = osm.NODE | osm.WAY | (osm.RELATION if with_relations else osm.NOTHING)
    file = osmium.FileProcessor(osmium.io.File(str(path)), entities).with_locations().with_filter(by_key)
    of_type = {
        letter: {layer: where for layer, where in wanted.items() if layer not in elsewhere}
        for letter, elsewhere in (("n", WAYS_ONLY), ("w", NODES_ONLY), ("r", NODES_ONLY | WAYS_ONLY))
    }
    found: dict[str, list[Found]] = {layer: [] for layer in wanted}
    nodes, sizes = array("q"), array("q", [0])
    way_row: dict[int, int] = {}

    for entity in file:
        letter = entity.type_str()
        tags = {tag.k: tag.v for tag in entity.tags}
        matches = [(layer, *m) for layer, where in of_type[letter].items() if tags and (m := _match(tags, where))]
        way = -1
        lonlat: tuple[float, float] | None = None
        members: tuple[tuple[int, bool], ...] = ()
        if isinstance(entity, osm.Way):
            if not matches and not with_relations:
                continue
            way = way_row[entity.id] = len(sizes) - 1
            nodes.extend([number for node in entity.nodes for number in (node.ref, node.x, node.y)])
            sizes.append(len(entity.nodes))
        elif not matches:
            continue
        elif isinstance(entity, osm.Node):
            if entity.location.valid():
                lonlat = (entity.lon, entity.lat)
        elif isinstance(entity, osm.Relation) and tags.get("type") in ("multipolygon", "boundary"):
            members = tuple((m.ref, m.role in ("inner", "enclave")) for m in entity.members if m.type == "w")
        for layer, key, kind in matches:
            found[layer].append(Found(f"{letter}{entity.id}", key, kind, tags, way, lonlat, members))

    flat = np.frombuffer(nodes, dtype=np.int64).reshape(-1, 3)
    box = file.header.box()
    return OsmExtract(
        found={layer: tuple(objects) for layer, objects in found.items()},
        indptr=np.cumsum(np.frombuffer(sizes, dtype=np.int64)),
        ref=flat[:, 0].copy(),
        lonlat=np.where(flat[:, 1:] == _NO_COORDINATE, np.nan, flat[:, 1:] / _UNITS_PER_DEGREE),
        way_row=way_row,
        box=(box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat) if box.valid() else None,
    )


def _match(tags: Mapping[str, str], where: Where) -> tuple[str, str] | None:
    """Return the first key of the first table that the tags meet, and its value; None when they meet none."""
    for table in where:
        if all(key in tags and (not values or tags[key] in values) for key, values in table.items()):
            key = next(iter(table))
            return key, tags[key]
    return None
