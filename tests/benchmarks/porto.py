"""Porto's region, as a study reads it and as a graph that every tool can take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.graphs import Graph
from lifecircle.model import Walking
from lifecircle.network import WalkNetwork, walk_network
from lifecircle.readers.osm import read_osm
from lifecircle.readers.streets import ways_of_osm
from lifecircle.streets import walking_streets

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PORTO = DATA / "porto_region" / "porto_portugal.osm.pbf"
PORTO_CRS = "EPSG:32629"


def porto() -> Graph:
    """Return the largest piece of the walkable streets of Porto's region, each segment a straight edge of its length.

    Loops and the longer of parallel segments are left out: no walk between nodes needs them, and a sparse matrix would
    add parallel ones up.
    """
    walked = porto_network()
    u, v = np.sort(walked.ends, axis=1).T
    order = np.lexsort((walked.length_m, v, u))
    u, v, length_m = u[order], v[order], walked.length_m[order]
    kept = u != v
    kept[1:] &= (np.diff(u) != 0) | (np.diff(v) != 0)
    u, v, length_m = u[kept], v[kept], np.maximum(length_m[kept], 0.01)  # a sparse matrix takes 0 for no edge

    n = len(walked.xy_m)
    _, piece = connected_components(coo_array((length_m, (u, v)), shape=(n, n)), directed=False)
    largest = piece == np.bincount(piece).argmax()
    number = np.cumsum(largest) - 1
    inside = largest[u]
    edges = np.stack([number[u[inside]], number[v[inside]]], axis=1)
    return Graph.of("porto", walk_network(walked.xy_m[largest], edges, length_m[inside]))


def porto_network() -> WalkNetwork:
    """Read the network of Porto's region as a study reads it."""
    ways, _ = ways_of_osm(read_osm(PORTO, {"streets": ({"highway": ()},)}))
    to_metres = Transformer.from_crs("EPSG:4326", PORTO_CRS, always_xy=True)
    xy_m = np.stack(to_metres.transform(*ways.xy_m.T), axis=1)
    return walking_streets(replace(ways, xy_m=xy_m), Walking()).network
