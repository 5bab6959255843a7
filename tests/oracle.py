"""Walks again, by networkx on a graph that is split at every snapped point: shares no search with the product."""

from collections import defaultdict
from itertools import pairwise

import networkx as nx
import numpy as np


def split_graph(network, homes, stations, speed_mps=1.2) -> nx.DiGraph:
    """Return the directed graph of all walks: from ``("home", i)`` to ``("station", j)``, cost and metres on edges.

    Private ways stand in it twice, once to leave by and once to enter by; a closed segment serves its frontage alone.
    """
    graph = nx.DiGraph()

    def edge(u, v, cost, metres):
        if np.isfinite(cost) and cost < graph.get_edge_data(u, v, {"cost": np.inf})["cost"]:
            graph.add_edge(u, v, cost=float(cost), metres=float(metres))

    for v in np.unique(network.ends):
        edge(("A", v), ("P", v), 0, 0)
        edge(("P", v), ("E", v), 0, 0)
    on_segment = defaultdict(list)
    for kind, snaps in (("home", homes), ("station", stations)):
        for row, (place, segment, fraction, leg) in enumerate(
            zip(snaps.place, snaps.segment, snaps.fraction, snaps.access_m, strict=True)
        ):
            on_segment[segment].append((fraction, kind, row))
            outer, inner = (kind, place), (kind, "row", row)
            edge(*((outer, inner) if kind == "home" else (inner, outer)), leg, leg)
        for place in range(snaps.n_places):
            graph.add_node((kind, place))
    for segment, (a, b) in enumerate(network.ends):
        there, back, metres = (x[segment] for x in (network.forward_m, network.backward_m, network.length_m))
        there, back = (x + network.fixed_s[segment] * speed_mps for x in (there, back))

        def stretch(u, f, v, g, there=there, back=back, metres=metres):  # walk from fraction f to fraction g
            rate = there if g > f else back
            edge(u, v, abs(g - f) * rate if g != f else 0.0, abs(g - f) * metres)

        points = sorted(on_segment[segment], key=lambda p: p[0])
        home_points = [(f, ("home", "row", r)) for f, kind, r in points if kind == "home"]
        station_points = [(f, ("station", "row", r)) for f, kind, r in points if kind == "station"]
        if network.closed[segment] or network.private[segment]:
            out, into = ("A", "E") if network.private[segment] else ("P", "P")
            for f, u in home_points:
                stretch(u, f, (out, a), 0.0)
                stretch(u, f, (out, b), 1.0)
            for g, v in station_points:
                stretch((into, a), 0.0, v, g)
                stretch((into, b), 1.0, v, g)
            for f, u in home_points:
                for g, v in station_points:
                    stretch(u, f, v, g)
            if not network.closed[segment]:
                for layer in ("A", "E"):
                    stretch((layer, a), 0.0, (layer, b), 1.0)
                    stretch((layer, b), 1.0, (layer, a), 0.0)
        else:
            chain = [
                (0.0, ("P", a)),
                *sorted(home_points + station_points, key=lambda p: p[0]),
                (1.0, ("P", b)),
            ]
            for (f, u), (g, v) in pairwise(chain):
                stretch(u, f, v, g)
                stretch(v, g, u, f)
    return graph


def costs(network, homes, stations, speed_mps=1.2) -> np.ndarray:
    """Return (n_homes, n_stations) metres on the flat, inf where there is no way."""
    graph = split_graph(network, homes, stations, speed_mps)
    table = np.full((homes.n_places, stations.n_places), np.inf)
    for h in range(homes.n_places):
        found = nx.single_source_dijkstra_path_length(graph, ("home", h), weight="cost")
        for s in range(stations.n_places):
            table[h, s] = found.get(("station", s), np.inf)
    same = (homes.building[:, None] == stations.building[None]) & (homes.building[:, None] >= 0)
    table[same] = 0.0
    return table


def nearest_costs(network, homes, stations) -> np.ndarray:
    """Return (n_homes,) metres on the flat to the nearest station, by one search against the walking direction."""
    graph = split_graph(network, homes, stations).reverse(copy=False)
    sources = [("station", s) for s in range(stations.n_places)]
    found = nx.multi_source_dijkstra_path_length(graph, sources, weight="cost")
    nearest = np.array([found.get(("home", h), np.inf) for h in range(homes.n_places)])
    own = np.isin(homes.building, stations.building[stations.building >= 0])
    return np.where(own, 0.0, nearest)
