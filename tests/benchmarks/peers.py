"""Other tools at the same searches, each prepared outside the clock.

A peer answers in its own form, for turning it into ours is not its work; ``Reach`` and arrays of metres are what the
answers are compared in. ``nearest`` gives every node's metres to the nearest station, ``from_each`` what lies within a
limit of each source, ``k_nearest`` every node's k nearest stations where a tool has a call for that.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.graphs import N_CANDIDATES, Graph, HilbertMatrix

Metres = npt.NDArray[np.float64]
Nodes = npt.NDArray[np.int64]


class Peer:
    """A tool with its own form of the graph.

    ``tolerance_m`` is what its numbers are good for.
    """

    name: ClassVar[str]
    needs: ClassVar[str]
    tolerance_m: ClassVar[float] = 1e-6
    has_cutoff: ClassVar[bool] = True
    most_nodes: ClassVar[float] = np.inf
    why_not_larger: ClassVar[str] = ""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def nearest(self, stations: Nodes) -> Any:
        raise NotImplementedError

    def nearest_m(self, answer: Any) -> Metres:
        """Return (n_nodes,) metres of what `nearest` answered."""
        return np.asarray(answer)

    def from_each(self, sources: Nodes, limit_m: float) -> Any:
        raise NotImplementedError

    def few(self, limit_m: float) -> int:
        """Return from how many sources `from_each` takes seconds and not minutes."""
        return max(2, int(2e6 / self.graph.n_nodes))

    def reached(self, answer: Any, limit_m: float) -> Iterator[tuple[Nodes, Metres]]:
        """Yield the nodes and metres within the limit of each source of what `from_each` answered."""
        for row in answer:
            metres = np.asarray(row)
            nodes = np.flatnonzero(metres <= limit_m)
            yield nodes, metres[nodes]


class Scipy(Peer):
    name = "scipy"
    needs = "scipy"

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.hilbert = HilbertMatrix.of(graph.network)

    def nearest(self, stations: Nodes) -> Any:
        from scipy.sparse.csgraph import dijkstra

        rows = self.hilbert.row[stations]
        return dijkstra(self.hilbert.matrix, indices=rows, min_only=True, return_predecessors=True)

    def nearest_m(self, answer: Any) -> Metres:
        return answer[0][self.hilbert.row]

    def from_each(self, sources: Nodes, limit_m: float) -> Any:
        from scipy.sparse.csgraph import dijkstra

        return dijkstra(self.hilbert.matrix, indices=self.hilbert.row[sources], limit=limit_m)

    def few(self, limit_m: float) -> int:
        return super().few(limit_m) if np.isinf(limit_m) else int(2e7 / self.graph.n_nodes)  # its rows are dense

    def reached(self, answer: Any, limit_m: float) -> Iterator[tuple[Nodes, Metres]]:
        return super().reached((row[self.hilbert.row] for row in answer), limit_m)


class Networkx(Peer):
    name = "networkx"
    needs = "networkx"

    def __init__(self, graph: Graph) -> None:
        import networkx as nx

        super().__init__(graph)
        self.streets = nx.Graph()
        self.streets.add_nodes_from(range(graph.n_nodes))
        u, v = graph.network.ends.T.tolist()
        self.streets.add_weighted_edges_from(zip(u, v, graph.network.length_m.tolist(), strict=True))

    def nearest(self, stations: Nodes) -> Any:
        import networkx as nx

        return nx.multi_source_dijkstra_path_length(self.streets, set(stations.tolist()))

    def nearest_m(self, answer: Any) -> Metres:
        return np.array([answer[node] for node in range(self.graph.n_nodes)])

    def from_each(self, sources: Nodes, limit_m: float) -> Any:
        import networkx as nx

        cutoff = None if np.isinf(limit_m) else limit_m
        return [nx.single_source_dijkstra_path_length(self.streets, s, cutoff=cutoff) for s in sources.tolist()]

    def few(self, limit_m: float) -> int:
        return super().few(limit_m) if np.isinf(limit_m) else 500

    def reached(self, answer: Any, limit_m: float) -> Iterator[tuple[Nodes, Metres]]:
        for metres_of in answer:
            yield np.fromiter(metres_of, np.int64), np.fromiter(metres_of.values(), np.float64)


class Pandana(Peer):
    name = "pandana"
    needs = "pandana"
    tolerance_m = 2.0  # an edge counts in whole millimetres, rounded down: up to a thousand edges a walk
    most_nodes = 200_000
    why_not_larger = "its contraction of this graph does not end in 8 minutes"

    FAR_M = 1e6

    def __init__(self, graph: Graph) -> None:
        import pandana

        super().__init__(graph)
        x, y = (pd.Series(axis) for axis in graph.network.xy_m.T)
        u, v = (pd.Series(end) for end in graph.network.ends.T)
        self.streets = pandana.Network(x, y, u, v, pd.DataFrame({"metres": graph.network.length_m}))

    def k_nearest(self, stations: Nodes, k: int) -> Any:
        return self.streets.nearest_pois(self.FAR_M, self._stations(stations, k), num_pois=k, include_poi_ids=True)

    def k_nearest_m(self, answer: Any, k: int) -> Metres:
        return answer[list(range(1, k + 1))].to_numpy(np.float64)

    def _stations(self, stations: Nodes, k: int) -> str:
        """Place the stations, once: pandana keeps them as a category of points."""
        category = f"stations {k}"
        if category not in self.streets.poi_category_names:
            x, y = (pd.Series(axis) for axis in self.graph.network.xy_m[stations].T)
            self.streets.set_pois(category, self.FAR_M, k, x, y)
        return category

    def nearest(self, stations: Nodes) -> Any:
        return self.k_nearest(stations, 1)

    def nearest_m(self, answer: Any) -> Metres:
        return self.k_nearest_m(answer, 1)[:, 0]

    def from_each(self, sources: Nodes, limit_m: float) -> Any:
        return self.streets.nodes_in_range(sources, limit_m)

    def few(self, limit_m: float) -> int:
        return N_CANDIDATES

    def reached(self, answer: Any, limit_m: float) -> Iterator[tuple[Nodes, Metres]]:
        for _, found in answer.groupby("source", sort=False):
            yield found["destination"].to_numpy(np.int64), found["metres"].to_numpy(np.float64)


class Library(Peer):
    """A graph library whose Dijkstra goes from one node, without a limit.

    The nearest of several stations is then a search from a node of its own, joined to them by edges of no length.
    """

    has_cutoff = False

    def ends_and_metres(self, stations: Nodes) -> tuple[Nodes, Metres]:
        """Return the edges and their metres, with those from the added node to the stations."""
        network = self.graph.network
        added = np.stack([np.full(len(stations), self.graph.n_nodes), stations], axis=1)
        return np.concatenate([network.ends, added]), np.concatenate([network.length_m, np.zeros(len(stations))])

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.alone = self.build(graph.n_nodes, graph.network.ends, graph.network.length_m)
        self.joined = self.build(graph.n_nodes + 1, *self.ends_and_metres(graph.stations))

    def build(self, n_nodes: int, ends: npt.NDArray[Any], metres: Metres) -> Any:
        raise NotImplementedError

    def search(self, streets: Any, source: int) -> Any:
        raise NotImplementedError

    def metres(self, answer: Any) -> Metres:
        return np.asarray(answer)

    def nearest(self, stations: Nodes) -> Any:
        return self.search(self.joined, self.graph.n_nodes)

    def nearest_m(self, answer: Any) -> Metres:
        return self.metres(answer)[: self.graph.n_nodes]

    def from_each(self, sources: Nodes, limit_m: float) -> Any:
        return [self.search(self.alone, source) for source in sources.tolist()]

    def reached(self, answer: Any, limit_m: float) -> Iterator[tuple[Nodes, Metres]]:
        return super().reached((self.metres(one) for one in answer), limit_m)


class Igraph(Library):
    name = "igraph"
    needs = "igraph"

    def build(self, n_nodes: int, ends: npt.NDArray[Any], metres: Metres) -> Any:
        import igraph

        return igraph.Graph(n_nodes, ends.tolist(), edge_attrs={"metres": metres.tolist()})

    def search(self, streets: Any, source: int) -> Any:
        return streets.distances(source, weights="metres")[0]


class Rustworkx(Library):
    name = "rustworkx"
    needs = "rustworkx"

    def build(self, n_nodes: int, ends: npt.NDArray[Any], metres: Metres) -> Any:
        import rustworkx

        streets = rustworkx.PyGraph(multigraph=False)
        streets.add_nodes_from(range(n_nodes))
        u, v = ends.T.tolist()
        streets.add_edges_from(list(zip(u, v, metres.tolist(), strict=True)))
        return streets

    def search(self, streets: Any, source: int) -> Any:
        import rustworkx

        return source, rustworkx.dijkstra_shortest_path_lengths(streets, source, float)

    def metres(self, answer: Any) -> Metres:
        source, found = answer
        metres = np.zeros(len(found) + 1)
        metres[np.fromiter(found.keys(), np.int64)] = np.fromiter(found.values(), np.float64)
        metres[source] = 0.0
        return metres


class Networkit(Library):
    name = "networkit"
    needs = "networkit"

    def build(self, n_nodes: int, ends: npt.NDArray[Any], metres: Metres) -> Any:
        import networkit

        u, v = (np.ascontiguousarray(end, dtype=np.uint64) for end in ends.T)
        return networkit.GraphFromCoo((metres, (u, v)), n=n_nodes, weighted=True, directed=False)

    def search(self, streets: Any, source: int) -> Any:
        import networkit

        search = networkit.distance.Dijkstra(streets, source, storePaths=False)
        search.run()
        return search.getDistances(asarray=True)


class Cityseer(Peer):
    """Counts, for every node, the sources that reach it: the same searches without the pairs written down."""

    name = "cityseer"
    needs = "cityseer"
    tolerance_m = 0.01
    most_nodes = 200_000
    why_not_larger = "its graph is built node by node in Python"

    def __init__(self, graph: Graph) -> None:
        from cityseer import rustalgos

        super().__init__(graph)
        self.streets = rustalgos.graph.NetworkStructure()
        for node, (x, y) in enumerate(graph.network.xy_m.tolist()):
            self.streets.add_street_node(str(node), x, y, True, 1.0)
        for i, ((u, v), metres) in enumerate(zip(graph.network.ends.tolist(), graph.network.length_m, strict=True)):
            for a, b in ((u, v), (v, u)):  # a straight line of the segment's length stands for its bends
                self.streets.add_street_edge(a, b, i, str(a), str(b), f"LINESTRING (0 0, {metres} 0)")
        self.streets.validate()

    def hits(self, sources: Nodes, limit_m: float) -> Any:
        return self.streets.poll_reach_hits(sources.tolist(), [round(limit_m)], 1.0)[0]


NEVER_HERE = ("OSRM and Valhalla: not run, their wheels need Python 3.12 and they search a graph of their own making",)
"""Peers that no lock of this Python can hold."""

ALL: Sequence[type[Peer]] = (Scipy, Networkx, Pandana, Igraph, Rustworkx, Networkit, Cityseer)


@dataclass(frozen=True)
class Prepared:
    """The peers that could take a graph, and why the others could not."""

    peers: Sequence[Peer]
    cpu_s: dict[str, float]
    absent: Sequence[str]

    @classmethod
    def on(cls, graph: Graph, names: Sequence[str] | None = None) -> Prepared:
        peers, cpu_s, absent = [], {}, [*NEVER_HERE]
        for kind in ALL:
            if names is not None and kind.name not in names:
                continue
            if importlib.util.find_spec(kind.needs) is None:
                absent.append(f"{kind.name} on {graph.name}: not installed")
            elif graph.n_nodes > kind.most_nodes:
                absent.append(f"{kind.name} on {graph.name}: not run, {kind.why_not_larger}")
            else:
                started = time.process_time()
                peers.append(kind(graph))
                cpu_s[kind.name] = time.process_time() - started
        return cls(peers, cpu_s, absent)
