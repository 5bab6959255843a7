"""The walking network as a networkx graph in OSMnx's form, and back: whoever works with OSMnx comes and goes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lifecircle.errors import KEPT_IDS, Breach, SchemaError
from lifecircle.mark import MARK, YES, is_marked
from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.network import WalkNetwork, walk_network

WALKING = "walking"
"""Attribute of a graph that says, when true, that its directions are those in which people walk."""

_MM_PER_M = 1000.0
_DEGREES_RATIO = 1000.0
"""Metres of length for each unit between the ends of edges beyond which the units are degrees, of some 100,000 m."""

Geometries = npt.NDArray[np.object_]


def to_networkx(network: WalkNetwork, *, crs: Any = None) -> nx.MultiDiGraph:
    """Return the network as a graph in the form that OSMnx uses.

    Parameters
    ----------
    crs
        The coordinate system of ``network.xy_m``, anything that pyproj understands; functions of OSMnx that draw or
        make frames need it. None by default.

    Returns
    -------
    MultiDiGraph
        Nodes are the rows of ``network.xy_m``, with ``x`` and ``y``. Each direction in which a segment can be walked is
        an edge, with its ``length`` in metres, ``cost`` in metres on the flat that take as long, ``fixed_s`` in
        seconds, ``segment`` (and as ``osmid``, for OSMnx asks for one), whether it is ``reversed`` against the segment,
        its ``geometry`` where it is bent, and ``private``, ``closed``, ``snappable``, ``remnant``. Where nobody can
        walk there is no edge, and so no path. Private and closed edges carry a rule that a plain shortest path does
        not know. The graph of a synthetic network has the attribute ``synthetic``, "yes".
    """
    stated = ({} if crs is None else {"crs": crs}) | ({MARK: YES} if network.synthetic else {})
    graph = nx.MultiDiGraph(**{WALKING: True}, **stated)
    graph.add_nodes_from((i, {"x": x, "y": y}) for i, (x, y) in enumerate(network.xy_m.tolist()))
    lines = _lines_of(network)
    columns = {
        "length": network.length_m,
        "fixed_s": network.fixed_s,
        "private": network.private,
        "closed": network.closed,
        "snappable": network.snappable,
        "remnant": network.remnant,
    }
    shared = pd.DataFrame(columns).to_dict("records")
    oneway = np.isfinite(network.forward_m) != np.isfinite(network.backward_m)
    for back, cost in enumerate((network.forward_m, network.backward_m)):
        ends = network.ends[:, ::-1] if back else network.ends
        shapes = shapely.reverse(lines) if back else lines
        for i in np.flatnonzero(np.isfinite(cost)).tolist():
            said = {"osmid": i, "segment": i, "reversed": bool(back), "oneway": bool(oneway[i]), "cost": float(cost[i])}
            bent = {} if shapes[i] is None else {"geometry": shapes[i]}
            graph.add_edge(int(ends[i, 0]), int(ends[i, 1]), key=2 * i + back, **shared[i], **said, **bent)
    return graph


def from_networkx(graph: nx.Graph) -> WalkNetwork:
    """Make a walking network of a graph in the form that OSMnx uses, projected to metres.

    Parameters
    ----------
    graph
        Any kind of networkx graph: nodes with ``x`` and ``y`` (metres), edges with ``length`` (metres), and where they
        have them ``geometry`` (a LineString) and the other attributes that `to_networkx` writes.

    Returns
    -------
    WalkNetwork
        Node ``i`` is the graph's ``i``-th. The two directions of one street (the same ends, ``osmid``, line and length)
        are one segment. An edge without its other direction is walked both ways, for it is a one-way street of
        traffic; unless the graph's attribute ``walking`` is true: then nobody walks against it. It is synthetic if the
        graph, a node or an edge says so.

    Raises
    ------
    SchemaError
        When the graph is in degrees, a node has no place or an edge no length; all of them are listed.
    """
    row_of = {node: row for row, node in enumerate(graph.nodes)}
    places = [(data.get("x", np.nan), data.get("y", np.nan)) for _, data in graph.nodes(data=True)]
    xy_m = np.array(places, dtype=np.float64).reshape(-1, 2)
    ends = np.array([(row_of[u], row_of[v]) for u, v, *_ in graph.edges], dtype=np.int64).reshape(-1, 2)
    said = [data for *_, data in graph.edges(data=True)]
    length_m = np.array([data.get("length", np.nan) for data in said], dtype=np.float64)
    _refuse_unusable(graph, xy_m, ends, length_m)
    lines = _lines_given(said, xy_m, ends)

    first, twin = _streets(ends, lines, length_m, said)
    paired = twin >= 0
    cost = np.array([data.get("cost", length) for data, length in zip(said, length_m, strict=True)], dtype=np.float64)
    alone = np.inf if graph.is_directed() and graph.graph.get(WALKING) else cost[first]
    indptr = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(lines[first]))]).astype(np.int64)

    def flags(name: str, *, default: bool) -> BoolArray:
        return np.array([bool(said[i].get(name, default)) for i in first], dtype=bool)

    return walk_network(
        xy_m,
        ends[first],
        length_m[first],
        shapes=(indptr, shapely.get_coordinates(lines[first])),
        flat_m=np.stack([cost[first], np.where(paired, cost[twin], alone)], axis=1),
        fixed_s=np.array([float(said[i].get("fixed_s", 0.0)) for i in first], dtype=np.float64),
        private=flags("private", default=False),
        closed=flags("closed", default=False),
        snappable=flags("snappable", default=True),
        remnant=flags("remnant", default=False),
        synthetic=any(map(is_marked, (graph.graph, *(data for _, data in graph.nodes(data=True)), *said))),
    )


def _lines_of(network: WalkNetwork) -> Geometries:
    """Return the line of each segment that is bent, None for the straight ones."""
    size = np.diff(network.shape_indptr)
    bent = size > 2
    lines: Geometries = np.full(len(size), None, dtype=object)
    of = np.repeat(np.cumsum(bent) - 1, size)
    lines[bent] = shapely.linestrings(network.shape_xy_m[np.repeat(bent, size)], indices=of[np.repeat(bent, size)])
    return lines


def _refuse_unusable(graph: nx.Graph, xy_m: FloatArray, ends: LongArray, length_m: FloatArray) -> None:
    """Refuse a graph in degrees, and one in which a node has no place or an edge no length."""
    lost: BoolArray = np.asarray(~np.isfinite(xy_m).all(axis=1))
    unknown = ~np.isfinite(length_m)
    rules = (
        ("no-place", "a node has no x and y", [str(n) for n, bad in zip(graph.nodes, lost, strict=True) if bad]),
        (
            "no-length",
            "an edge has no length; measure them first: osmnx.distance.add_edge_lengths, before projecting",
            [f"{e[0]} - {e[1]}" for e, bad in zip(graph.edges, unknown, strict=True) if bad],
        ),
    )
    breaches = [Breach("streets", rule, text, tuple(ids[:KEPT_IDS]), len(ids)) for rule, text, ids in rules if ids]
    if breaches:
        raise SchemaError("the graph is no walking network", breaches=breaches)
    if _is_in_degrees(graph, xy_m, ends, length_m):
        raise SchemaError("the graph is in degrees; project it to metres first: osmnx.project_graph(graph)")


def _is_in_degrees(graph: nx.Graph, xy_m: FloatArray, ends: LongArray, length_m: FloatArray) -> bool:
    """Return whether a graph says so; of one that says nothing, whether its lengths are far beyond its coordinates."""
    if "crs" in graph.graph:
        try:
            return bool(CRS.from_user_input(graph.graph["crs"]).is_geographic)
        except CRSError as error:
            message = (
                f"the graph's coordinate system {graph.graph['crs']!r} is not known; state another, e.g. EPSG:32651"
            )
            raise SchemaError(message) from error
    apart = np.hypot(*(xy_m[ends[:, 0]] - xy_m[ends[:, 1]]).T).sum()
    return bool(0 < apart * _DEGREES_RATIO < length_m.sum())


def _lines_given(said: list[dict[str, Any]], xy_m: FloatArray, ends: LongArray) -> Geometries:
    """Return the line of each edge from its first end to its second."""
    lines: Geometries = np.array([data.get("geometry") for data in said], dtype=object)
    straight = shapely.is_missing(lines)
    lines[straight] = shapely.linestrings(xy_m[ends[straight]])
    start = shapely.get_coordinates(shapely.get_point(lines, 0)).reshape(-1, 2)
    to_first, to_second = (np.hypot(*(start - xy_m[ends[:, end]]).T) for end in (0, 1))
    turned = to_second < to_first
    lines[turned] = shapely.reverse(lines[turned])
    return lines


def _streets(
    ends: LongArray, lines: Geometries, length_m: FloatArray, said: list[dict[str, Any]]
) -> tuple[LongArray, LongArray]:
    """Return for each street the row of its first edge, and of the edge in the other direction, -1 where none is.

    Edges of a graph that `to_networkx` made keep the order of their segments.
    """
    table = pd.DataFrame(
        {
            "segment": [int(data.get("segment", -1)) for data in said],
            "a": ends.min(axis=1, initial=len(ends) + ends.max(initial=0)),
            "b": ends.max(axis=1, initial=-1),
            "osmid": [_text(data.get("osmid")) for data in said],
            "along": shapely.to_wkb(shapely.normalize(lines)),
            "length_mm": np.rint(length_m * _MM_PER_M),
        }
    )
    identity = list(table.columns)
    # A loop has the same end twice: there the attribute tells the directions apart.
    reversed_ = np.array([bool(data.get("reversed", False)) for data in said], dtype=bool)
    table["back"] = np.where(ends[:, 0] == ends[:, 1], reversed_, ends[:, 0] > ends[:, 1])
    table["nth"] = table.groupby([*identity, "back"]).cumcount()
    ours = table["segment"].to_numpy()
    order = np.lexsort([reversed_ & (ours >= 0), ours])
    ordered = table.iloc[order]
    street = ordered.groupby([*identity, "nth"], sort=False).ngroup().to_numpy()
    is_twin = ordered.duplicated([*identity, "nth"]).to_numpy()
    first = order[~is_twin]
    twin = np.full(len(first), -1)
    twin[street[is_twin]] = order[is_twin]
    return first, twin


def _text(osmid: object) -> str:
    """Return the numbers of a street in one order, whichever way it is walked."""
    return " ".join(sorted(map(str, osmid if isinstance(osmid, Iterable) and not isinstance(osmid, str) else [osmid])))
