"""The street layer: OpenStreetMap ways that share nodes, or lines that share vertices."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import Breach
from lifecircle.model import FloatArray, IntArray, LongArray, StreetWays
from lifecircle.readers.osm import OsmExtract, Tagged
from lifecircle.schema import NODE_TAGS, STREET_TAGS, breach

_MM_PER_M = 1000.0


def ways_of_osm(extract: OsmExtract) -> tuple[StreetWays, list[Breach]]:
    """Return the street ways of a file, ``xy_m`` in degrees still.

    Ways meet where they share a node. A way is cut at a node that the file does not hold; the pieces keep its id.
    """
    walked = (extract.streets.tags["route"] != "ferry").to_numpy()
    way, tags = extract.streets.way[walked], extract.streets.tags[walked]
    ids = [f"w{number}" for number in extract.streets.number[walked].tolist()]
    sizes = extract.indptr[way + 1] - extract.indptr[way]
    of = np.repeat(np.arange(len(way)), sizes)
    rows = np.repeat(extract.indptr[way] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(of))
    node = extract.node[rows]
    here = ~np.isnan(extract.lonlat[node, 0])
    message = "runs through nodes that the file does not hold; cut there"
    breaches = breach("streets", "broken-reference", message, [ids[i] for i in np.unique(of[~here])], "warning")
    # A piece ends where the way does, and where a node without a place has been passed.
    piece_of_node = (np.cumsum(~here) + of)[here]
    streets, used = _pieces(ids, tags, piece_of_node, of[here], node[here], extract.lonlat)
    return dataclasses.replace(streets, node_tags=_node_tags(extract.street_nodes, extract.number[used])), breaches


def _node_tags(nodes: Tagged, number: LongArray) -> pd.DataFrame:
    """Return the tagged ones of the nodes that the ways run through, whose numbers are ``number``."""
    row = pd.Index(number).get_indexer(nodes.number)
    on_street = row >= 0
    ids = [f"n{i}" for i in nodes.number[on_street].tolist()]
    table = nodes.tags[on_street].reset_index(drop=True)
    table.insert(0, "id", pd.array(ids, dtype="str"))
    table.insert(0, "node", row[on_street].astype(np.int32))
    return table.sort_values("node", ignore_index=True)


def ways_of_lines(streets: gpd.GeoDataFrame) -> StreetWays:
    """Return lines in a metric CRS as street ways that meet where they share a vertex, to the millimetre.

    The parts of a multi-line are ways of the same id. A line that does not say what it is is a path.
    """
    lines, row = shapely.get_parts(streets.geometry.values, return_index=True)
    xy_m, of_line = shapely.get_coordinates(lines, return_index=True)
    east, north = np.rint(xy_m * _MM_PER_M).astype(np.int64).T
    _, first, node = np.unique((east << 32) + north, return_index=True, return_inverse=True)
    again = np.zeros(len(node), dtype=bool)
    again[1:] = (node[1:] == node[:-1]) & (of_line[1:] == of_line[:-1])
    of_line, node = of_line[~again], node[~again]
    tags = streets[list(STREET_TAGS)]
    tags = tags.assign(highway=tags["highway"].where(tags["highway"] != "", "path"))
    numbered = pd.Series([str(i) for i in range(1, len(streets) + 1)], index=streets.index, dtype="str")
    ids = streets["way_id"].where(streets["way_id"] != "", numbered)
    streets, _ = _pieces(list(ids), tags, of_line, row[of_line], node, xy_m[first])
    return streets


def _pieces(
    ids: list[str], tags: pd.DataFrame, piece: LongArray, of: LongArray, node: LongArray, xy_m: FloatArray
) -> tuple[StreetWays, LongArray]:
    """Return ways of at least two nodes, without tags of nodes, and the rows of ``xy_m`` that they run through.

    ``piece``, which ascends, and ``of`` say of each node its piece and its row in ``tags``.
    """
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    size = np.diff(starts, append=len(piece))
    keep = np.repeat(size >= 2, size)
    passed = np.zeros(len(xy_m), dtype=bool)
    passed[node[keep]] = True
    used = np.flatnonzero(passed)
    row = of[starts[size >= 2]]
    indptr: LongArray = np.concatenate([[0], np.cumsum(size[size >= 2])]).astype(np.int64)
    nodes: IntArray = (np.cumsum(passed) - 1)[node[keep]].astype(np.int32)
    tags = tags.iloc[row].reset_index(drop=True)
    return StreetWays(tuple(ids[i] for i in row), tags, indptr, nodes, xy_m[used], no_node_tags()), used


def no_node_tags() -> pd.DataFrame:
    """Return the table of tagged nodes of a street layer whose nodes bear no tags."""
    return pd.DataFrame({"node": np.empty(0, np.int32)} | {k: pd.Series(dtype="str") for k in ("id", *NODE_TAGS)})
