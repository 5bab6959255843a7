"""The street layer: OpenStreetMap ways that share nodes, or lines that share vertices."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import Breach
from lifecircle.model import FloatArray, IntArray, LongArray, StreetWays
from lifecircle.readers.osm import OsmExtract
from lifecircle.schema import STREET_TAGS, breach

_MM_PER_M = 1000.0


def ways_of_osm(extract: OsmExtract) -> tuple[StreetWays, list[Breach]]:
    """Return the street ways of a file, ``xy_m`` in degrees still.

    Ways meet where they share a node. A way is cut at a node that the file does not hold; the pieces keep its id.
    """
    found = [f for f in extract.found["streets"] if f.way >= 0 and f.tags.get("route") != "ferry"]
    way = np.array([f.way for f in found], dtype=np.int64)
    sizes = extract.indptr[way + 1] - extract.indptr[way]
    of = np.repeat(np.arange(len(found)), sizes)
    rows = np.repeat(extract.indptr[way] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(of))
    here = ~np.isnan(extract.lonlat[rows, 0])
    # A piece ends where the way does, and where a node without a place has been passed.
    piece_of_node = np.cumsum(~here)[here] + of[here]
    ref, lonlat, of = extract.ref[rows[here]], extract.lonlat[rows[here]], of[here]
    _, first, node = np.unique(ref, return_index=True, return_inverse=True)
    torn = np.unique(np.repeat(np.arange(len(found)), sizes)[~here])
    message = "runs through nodes that the file does not hold; cut there"
    breaches = breach("streets", "broken-reference", message, [found[i].id for i in torn], "warning")
    tags = pd.DataFrame({tag: [f.tags.get(tag, "") for f in found] for tag in STREET_TAGS}, dtype="str")
    return _pieces([f.id for f in found], tags, piece_of_node, of, node, lonlat[first]), breaches


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
    return _pieces(list(ids), tags, of_line, row[of_line], node, xy_m[first])


def _pieces(
    ids: list[str], tags: pd.DataFrame, piece: LongArray, of: LongArray, node: LongArray, xy_m: FloatArray
) -> StreetWays:
    """Return ways of at least two nodes: ``piece`` and ``of`` say of each node its piece and its row in ``tags``."""
    _, piece, size = np.unique(piece, return_inverse=True, return_counts=True)
    keep = size[piece] >= 2
    used, row_node = np.unique(node[keep], return_inverse=True)
    begins = np.flatnonzero(np.diff(piece[keep], prepend=-1))
    row = of[keep][begins]
    indptr: LongArray = np.append(begins, keep.sum()).astype(np.int64)
    nodes: IntArray = row_node.astype(np.int32)
    return StreetWays(tuple(ids[i] for i in row), tags.iloc[row].reset_index(drop=True), indptr, nodes, xy_m[used])
