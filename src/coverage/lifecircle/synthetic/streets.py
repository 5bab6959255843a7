"""The street layer of a made-up city: main streets, the ways inside its blocks, and what bars the way between them."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, StreetWays
from lifecircle.readers.streets import no_node_tags, ways_of_lines
from lifecircle.schema import STREET_TAGS
from lifecircle.synthetic.city import Blocks, Cells, Heights, Lines
from lifecircle.synthetic.edges import BRIDGE, UNDERPASS, railway_line, river_row

RAILWAY_OFF_M = 20.0
"""Metres from the street to the track south of it."""

TUNNEL_M = (8.0, 36.0)
"""Where the way below the railway begins and ends, metres south of that street."""

QUAY_M = 15.0
"""Metres from the street on the bank to the water."""

BEYOND_M = 1500.0
"""How far river and railway go on beyond the land, metres."""

BIG = ("primary", "secondary")
"""Classes of streets with sidewalks of their own, and with signals where they cross."""

_NAMES = "新永长建文光顺福德迎朝庆振富瑞友锦同嘉景", "华安宁平兴盛康乐昌明山阳江源和民"
"""First and second characters of the made-up names of streets; no directions, which follow them."""


def lay_streets(cells: Cells, blocks: Blocks, heights: Heights) -> StreetWays:
    """Lay the main streets and the ways inside the blocks as one street layer.

    Returns
    -------
    StreetWays
        The ways ``w1``, ``w2``... are the main streets, then those of ``blocks`` in their order; they meet where they
        have a vertex in common, to the millimetre. The node ``n<i>`` is row ``i - 1`` of ``xy_m``. Gates and traffic
        signals are in ``node_tags``.
    """
    lines = _main_lines(cells, blocks.joint_edge, blocks.joint_m), blocks.ways
    n_vertices = np.concatenate([np.diff(line.indptr) for line in lines])
    xy_m = np.concatenate([line.xy_m for line in lines])
    tags = pd.concat([line.tags for line in lines], ignore_index=True)
    tags = tags.reindex(columns=list(STREET_TAGS)).astype("str").fillna("")
    steps = (tags["highway"] == "steps").to_numpy()
    tags.loc[steps, "incline"] = _inclines(xy_m, np.cumsum(n_vertices)[steps], n_vertices[steps], heights)
    streets = ways_of_lines(
        gpd.GeoDataFrame(
            tags.assign(way_id=[f"w{i}" for i in range(1, len(tags) + 1)]),
            geometry=shapely.linestrings(xy_m, indices=np.repeat(np.arange(len(tags)), n_vertices)),
        )
    )
    return dataclasses.replace(streets, node_tags=_node_tags(cells, blocks.gates, streets.xy_m))


def land_barriers(cells: Cells, crs: CRS) -> gpd.GeoDataFrame:
    """Return river (polygon) and railway (line) as barriers: ``kind``, and a geometry in ``crs``.

    Both go on where a street crosses them: no leg of a walk passes a bank or a track there either, and walks along
    streets know no barriers.
    """
    crossing = cells.crossing_m.reshape(cells.n_columns + 1, cells.n_rows + 1, 2)
    river, line = river_row(cells), railway_line(cells)
    kinds, geometries = [], []
    if river >= 0:
        south = _moved(crossing[:, river], crossing[:, river + 1], QUAY_M)
        north = _moved(crossing[:, river + 1], crossing[:, river], QUAY_M)
        kinds.append("river")
        geometries.append(shapely.Polygon(np.concatenate([_lengthened(south), _lengthened(north)[::-1]])))
    if line >= 0:
        kinds.append("rail")
        track = _moved(crossing[:, line], crossing[:, line - 1], RAILWAY_OFF_M)
        geometries.append(shapely.LineString(_lengthened(track)))
    return gpd.GeoDataFrame({"kind": pd.Series(kinds, dtype="str")}, geometry=geometries, crs=crs)


def _moved(from_m: FloatArray, to_m: FloatArray, by_m: float) -> FloatArray:
    """Return (n, 2) the points so many metres on the way from some to others."""
    way = to_m - from_m
    return np.asarray(from_m + by_m * way / np.linalg.norm(way, axis=1, keepdims=True), dtype=np.float64)


def _lengthened(line_m: FloatArray) -> FloatArray:
    """Return a line that goes on by `BEYOND_M` to the west and to the east, as the valley does."""
    beyond_m = np.array([[BEYOND_M, 0.0]])
    return np.concatenate([line_m[:1] - beyond_m, line_m, line_m[-1:] + beyond_m])


# --------------------------------------------------------------------------- main streets


def _main_lines(cells: Cells, joint_edge: IntArray, joint_m: FloatArray) -> Lines:
    """Return each main edge as a line through its joints; one below the railway as three: before, below and after."""
    begins, ends = cells.crossing_m[cells.edge[:, 0]], cells.crossing_m[cells.edge[:, 1]]
    length_m = np.linalg.norm(ends - begins, axis=1)
    every = np.arange(len(cells.edge))
    below = np.flatnonzero(cells.edge_bridge == UNDERPASS)
    tunnel_m = np.full((len(every), 2), np.inf)
    tunnel_m[below] = length_m[below, None] - TUNNEL_M[::-1]
    mouths = [(below, side, part) for side in (0, 1) for part in (side, side + 1)]

    along = (ends - begins) / length_m[:, None]
    joint_at_m = np.einsum("ij,ij->i", joint_m - begins[joint_edge], along[joint_edge])
    edge = np.concatenate([every, every, joint_edge, *(rows for rows, _, _ in mouths)])
    at_m = np.concatenate([np.zeros(len(every)), length_m, joint_at_m, *(tunnel_m[rows, s] for rows, s, _ in mouths)])
    part = (at_m[:, None] > tunnel_m[edge]).sum(axis=1)
    n_mouths = len(below) * len(mouths)
    part[len(part) - n_mouths :] = np.repeat([p for _, _, p in mouths], len(below))
    xy_m = np.concatenate([begins, ends, joint_m, *(begins[r] + along[r] * tunnel_m[r, s, None] for r, s, _ in mouths)])

    order = np.lexsort([at_m, part, edge])
    edge, part = edge[order], part[order]
    starts = np.flatnonzero((np.diff(edge, prepend=-1) != 0) | (np.diff(part, prepend=0) != 0))
    indptr = np.append(starts, len(edge)).astype(np.int64)
    return Lines(indptr, np.round(xy_m[order], 3), _main_tags(cells, edge[starts], part[starts] == 1))


def _main_tags(cells: Cells, edge: IntArray, tunnel: BoolArray) -> pd.DataFrame:
    """Return the tags of main streets: rows of ``cells.edge``, and whether it is the part below the railway."""
    bridge = cells.edge_bridge[edge] == BRIDGE
    tags = pd.DataFrame({"highway": np.array(cells.edge_class, dtype=object), "name": street_names(cells)}).iloc[edge]
    return tags.assign(
        sidewalk=np.where(tags["highway"].isin(BIG), "both", ""),
        bridge=np.where(bridge, "yes", ""),
        tunnel=np.where(tunnel, "yes", ""),
        layer=np.where(bridge, "1", np.where(tunnel, "-1", "")),
    ).reset_index(drop=True)


def street_names(cells: Cells) -> npt.NDArray[np.object_]:
    """Return (n_edges,) names of the main streets, empty for country roads.

    路 run along the valley, western and eastern from its middle column on; 街 run across it, southern and northern from
    the river on, or from the middle row where there is none; 滨河 lie on the banks.
    """
    column, row = np.divmod(cells.edge[:, 0], cells.n_rows + 1)
    along = cells.edge[:, 1] - cells.edge[:, 0] > 1
    river = river_row(cells)
    east, north = column >= cells.n_columns // 2, row >= (river if river >= 0 else cells.n_rows // 2)
    line = np.where(along, row, cells.n_rows + 1 + column)
    firsts, seconds = (np.array(list(characters), dtype=object) for characters in _NAMES)
    # 97 has no divisor in common with the number of names: neighbours differ, and none returns before all are used.
    first, second = np.divmod(97 * line % (len(firsts) * len(seconds)), len(seconds))
    ends = np.where(along, np.where(east, "东路", "西路"), np.where(north, "北街", "南街")).astype(object)
    names = firsts[first] + seconds[second] + ends
    if river >= 0:
        names[along & (row == river)], names[along & (row == river + 1)] = "滨河南路", "滨河北路"
    names[np.array(cells.edge_class) == "unclassified"] = ""
    return np.asarray(names, dtype=object)


# --------------------------------------------------------------------------- nodes


def _inclines(xy_m: FloatArray, stops: LongArray, n_vertices: LongArray, heights: Heights) -> npt.NDArray[np.str_]:
    """Return for each flight of steps whether it leads ``up`` or ``down``."""
    first, last = heights.at(xy_m[stops - n_vertices]), heights.at(xy_m[stops - 1])
    return np.where(last >= first, "up", "down")


def _node_tags(cells: Cells, gates: gpd.GeoDataFrame, xy_m: FloatArray) -> pd.DataFrame:
    """Return the tagged ones of the nodes at ``xy_m``: gates, and the crossings of big streets."""
    big = np.isin(cells.edge_class, BIG)
    signals = np.flatnonzero(np.bincount(cells.edge[big].ravel(), minlength=len(cells.crossing_m)) > 2)
    places = np.concatenate([cells.crossing_m[signals], shapely.get_coordinates(gates.geometry.values)])
    node = _millimetres(xy_m).get_indexer(_millimetres(places))
    if (node < 0).any():
        raise ValueError("a gate stands beside the ways, not on one")
    tags = pd.concat([pd.DataFrame({"highway": ["traffic_signals"] * len(signals)}), gates], ignore_index=True)
    tags = tags.reindex(columns=no_node_tags().columns).astype("str").fillna("")
    tags = tags.assign(node=node.astype(np.int32), id=[f"n{i + 1}" for i in node.tolist()])
    return tags.sort_values("node", ignore_index=True)


def _millimetres(xy_m: FloatArray) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays(np.rint(xy_m * 1000.0).astype(np.int64).T)
