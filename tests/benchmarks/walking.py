"""T1, T2, T3: the searches of a whole network, beside every peer that can do them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.graphs import Graph
from benchmarks.measure import Job, Mark, Section, at_least, interleaved
from benchmarks.peers import Cityseer, Metres, Nodes, Pandana, Peer, Prepared
from benchmarks.table import spell
from lifecircle.model import Walks
from lifecircle.routing import nearest, snap, within
from lifecircle.snapping import Snaps

SPEED_MPS = 1.2
CUTOFF_M = 1080.0
EDGE_M = 1e-6
"""Metres around the cutoff within which a pair may count or not: sums of lengths differ in their last bits."""

K = 5


class AnswerError(AssertionError):
    """A peer's answer is not ours, so its time says nothing."""


class Ours:
    """This package on a graph, asked for every node, and the answers that the peers must give too."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.stations = self.at(graph.stations)
        self.candidates = self.at(graph.candidates)

    def at(self, nodes: Nodes) -> Snaps:
        snaps = snap(self.graph.network, self.graph.network.xy_m[nodes])
        if len(snaps.place) != len(nodes) or snaps.access_m.any():
            raise AnswerError("a place on a node is not snapped onto it")
        return snaps

    def nearest(self, k: int = 1) -> tuple[Any, Any]:
        return nearest(self.graph.network, self.stations, k=k, speed_mps=SPEED_MPS)

    def within(self, threads: int = 1) -> Walks:
        cutoff_s = CUTOFF_M / SPEED_MPS
        return within(self.graph.network, self.candidates, cutoff_s=cutoff_s, speed_mps=SPEED_MPS, threads=threads)

    @cached_property
    def nearest_m(self) -> Metres:
        return self.nearest()[1][:, 0] * SPEED_MPS

    @cached_property
    def k_nearest(self) -> tuple[Any, Metres]:
        index, seconds = self.nearest(K)
        return index, seconds * SPEED_MPS

    @cached_property
    def walks(self) -> Walks:
        return self.within()


def nearest_section(ours: Ours, peers: Sequence[Peer]) -> Section:
    """T1: every node's nearest of the stations."""

    def check(peer: Peer, answer: Any) -> None:
        _equal(peer.name, peer.nearest_m(answer), ours.nearest_m, peer.tolerance_m)

    stations = ours.graph.stations
    jobs = [
        Job(peer.name, lambda peer=peer: peer.nearest(stations), lambda answer, peer=peer: check(peer, answer))
        for peer in peers
        if not isinstance(peer, Cityseer)
    ]
    timings = interleaved([Job("lifecircle", ours.nearest), *jobs])
    marks = at_least(f"T1 {ours.graph.name}", timings, "scipy", 3) if ours.graph.is_large else []
    work = f"T1 nearest of {len(stations)} stations for every node, {ours.graph.name}"
    return Section(work, timings, marks)


def k_nearest_section(ours: Ours, peers: Sequence[Peer]) -> Section:
    """T2: every node's five nearest stations."""

    def check_some(peer: Peer, answer: Any) -> None:
        index, metres = ours.k_nearest
        for station, (nodes, found_m) in enumerate(peer.reached(answer, np.inf)):
            to_all = np.full(ours.graph.n_nodes, np.inf)
            to_all[nodes] = found_m
            among = index == station
            _equal(peer.name, to_all[among.any(axis=1)], metres[among], peer.tolerance_m)
            if (to_all < metres[:, -1] - peer.tolerance_m)[~among.any(axis=1)].any():
                raise AnswerError(f"{peer.name} is nearer to a station that ours leaves out")

    def job(peer: Peer) -> Job:
        if isinstance(peer, Pandana):
            return Job(
                peer.name,
                lambda: peer.k_nearest(ours.graph.stations, K),
                lambda answer: _equal(peer.name, peer.k_nearest_m(answer, K), ours.k_nearest[1], peer.tolerance_m),
            )
        some = ours.graph.stations[: peer.few(np.inf)]
        return Job(
            f"{peer.name} per station",
            lambda: peer.from_each(some, np.inf),
            lambda answer: check_some(peer, answer),
            part=(len(some), len(ours.graph.stations)),
        )

    jobs = [job(peer) for peer in peers if not isinstance(peer, Cityseer)]
    timings = interleaved([Job("lifecircle", lambda: ours.nearest(K)), *jobs])
    tool, times = ("scipy per station", 25) if ours.graph.is_large else ("pandana", 50)
    work = f"T2 {K} nearest of {len(ours.graph.stations)} stations for every node, {ours.graph.name}"
    return Section(work, timings, at_least(f"T2 {ours.graph.name}", timings, tool, times))


def within_section(ours: Ours, peers: Sequence[Peer]) -> Section:
    """T3: every node within 1,080 m of each candidate."""

    def check(peer: Peer, answer: Any) -> None:
        for (nodes, metres), (our_nodes, our_metres) in zip(
            peer.reached(answer, CUTOFF_M + 2 * peer.tolerance_m), _rows(ours.walks), strict=False
        ):
            to_all, ours_to_all = np.full((2, ours.graph.n_nodes), np.inf)
            to_all[nodes], ours_to_all[our_nodes] = metres, our_metres
            one_sided = np.isinf(to_all) != np.isinf(ours_to_all)
            if (np.minimum(to_all, ours_to_all)[one_sided] < CUTOFF_M - max(peer.tolerance_m, EDGE_M)).any():
                raise AnswerError(f"{peer.name} does not find the pairs that ours finds")
            both = np.isfinite(to_all) & np.isfinite(ours_to_all)
            _equal(peer.name, to_all[both], ours_to_all[both], peer.tolerance_m)

    def check_hits(peer: Cityseer, answer: Any) -> None:
        walks, hits = ours.walks, np.asarray(answer)[: ours.graph.n_nodes]
        sure = walks.seconds * SPEED_MPS < CUTOFF_M - peer.tolerance_m
        at_least = np.bincount(walks.indices[sure], minlength=ours.graph.n_nodes)
        if (hits < at_least).any() or hits.sum() > 1.001 * len(walks.indices):
            raise AnswerError(f"{peer.name} does not count the pairs that ours finds")

    def job(peer: Peer) -> Job:
        candidates = ours.graph.candidates
        if isinstance(peer, Cityseer):
            return Job(peer.name, lambda: peer.hits(candidates, CUTOFF_M), lambda answer: check_hits(peer, answer))
        some = candidates[: peer.few(CUTOFF_M)]
        name = f"{peer.name} limit" if peer.has_cutoff else f"{peer.name}, no limit"
        return Job(
            name,
            lambda: peer.from_each(some, CUTOFF_M),
            lambda answer: check(peer, answer),
            part=(len(some), len(candidates)),
        )

    jobs = [Job("lifecircle", ours.within), Job("lifecircle, 2 threads", lambda: ours.within(threads=2))]
    work = f"T3 every node within {CUTOFF_M:,.0f} m of {len(ours.graph.candidates):,} candidates, {ours.graph.name}"
    timings = interleaved([*jobs, *map(job, peers)])
    pairs = len(ours.walks.indices)
    tool, times = ("networkx limit", 60) if ours.graph.is_large else ("pandana limit", 40)
    alone, together = timings[:2]
    faster = alone.wall_s / together.wall_s
    marks = [
        *at_least(f"T3 {ours.graph.name}", timings, tool, times),
        Mark(f"T3 {ours.graph.name}", "2 threads >= 1.7x one, wall", f"{faster:.2f}x", faster >= 1.7),
    ]
    note = f"{pairs:,} pairs, {alone.cpu_s / pairs * 1e9:.0f} ns each"
    return Section(work, timings, marks, [note])


def growth_section(small: tuple[Ours, Section], large: tuple[Ours, Section]) -> Section:
    """T3 by the pair, on a network of 72,000 nodes and on one of a million."""
    each_s = [section.timings[0].cpu_s / len(ours.walks.indices) for ours, section in (small, large)]
    ratio = each_s[1] / each_s[0]
    return Section("growth", marks=[Mark("growth", "T3 by the pair <= 1.5x", f"{ratio:.2f}x", ratio <= 1.5)])


SEARCHES: dict[str, Callable[..., Section]] = {
    "T1": nearest_section,
    "T2": k_nearest_section,
    "T3": within_section,
}


def searches(graphs: Sequence[Graph], parts: Sequence[str], peers: Sequence[str]) -> Iterator[Section]:
    """Yield what the searches of some graphs cost, the smallest first."""
    bounded = []
    for graph in graphs:
        ours, others = Ours(graph), Prepared.on(graph, peers)
        made = ", ".join(f"{name} {spell(cpu_s)}" for name, cpu_s in others.cpu_s.items())
        yield Section(str(graph), notes=[f"prepared beforehand, CPU: {made}", *others.absent])
        for part in (part for part in SEARCHES if part in parts):
            section = SEARCHES[part](ours, others.peers)
            yield section
            if part == "T3":
                bounded.append((ours, section))
        del others
    if len(bounded) == 2:
        yield growth_section(*bounded)


def _rows(walks: Walks) -> Iterator[tuple[Nodes, Metres]]:
    for row in range(len(walks.indptr) - 1):
        nodes, seconds = walks.row(row)
        yield nodes, seconds * SPEED_MPS


def _equal(name: str, found: Metres, ours: Metres, tolerance_m: float) -> None:
    off = np.abs(found - ours).max(initial=0.0)
    if not off <= tolerance_m:
        raise AnswerError(f"{name} is up to {off} m off ours")
