"""Everything within a cutoff, as sparse pairs, by one bounded search from each facility."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from lifecircle.model import FloatArray, IntArray, LongArray, Walks
from lifecircle.network import WalkNetwork
from lifecircle.routing.costs import NARROW, buckets, cutoff_m_of, directly, leaving, seeds_by_facility
from lifecircle.snapping import Snaps

Found = tuple[LongArray, IntArray, FloatArray]
"""How many each facility reaches, which, and at what cost, end to end."""

CHUNKS_A_THREAD = 8
"""How finely the facilities are shared out: no thread waits long for the last."""


def within_one_way(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps | None,
    *,
    cutoff_s: float,
    speed_mps: float,
    threads: int | None = None,
) -> Walks:
    """Find the pairs within a cutoff for walks from demand places (None: every node) to facilities.

    Facilities are searched from along the Hilbert curve that numbers the nodes, so that a search finds in the cache
    what the one before it has read.
    """
    from lifecircle.kernels import reach as kernel

    cutoff_m = cutoff_m_of(cutoff_s, speed_mps)
    impedance = network.impedance(speed_mps)
    seed_indptr, seed_node, seed_cost = seeds_by_facility(network, facilities, impedance)
    graph = (network.indptr, network.tail, impedance.cost_m, seed_indptr, seed_node, seed_cost)
    frame = (cutoff_m, *buckets(impedance, seed_cost, cutoff_m, width=NARROW))
    if demand is None:
        n_demand = len(network.stand)
        number = np.full(len(network.indptr) - 1, -1, dtype=np.int32)
        number[network.stand] = np.arange(n_demand, dtype=np.int32)
        reach: Callable[..., Found] = kernel.reach_nodes
        ends: tuple[Any, ...] = (number,)
    else:
        n_demand = demand.n_places
        left, direct = leaving(network, demand, impedance), directly(facilities, demand, impedance)
        reach, ends = kernel.reach_places, (*left, *direct, n_demand)
    threads = max(1, min(threads or os.cpu_count() or 1, facilities.n_places))
    first_node = np.full(facilities.n_places, -1)
    seeded = np.diff(seed_indptr) > 0
    first_node[seeded] = seed_node[seed_indptr[:-1][seeded]]
    chunks = np.array_split(np.argsort(first_node, kind="stable"), threads * CHUNKS_A_THREAD)
    waiting = iter(range(len(chunks)))
    found: dict[int, Found] = {}

    def search_on(desk: tuple[np.ndarray, ...]) -> None:
        for chunk in waiting:
            found[chunk] = reach(chunks[chunk], *frame, *graph, *ends, *desk)

    desks = [kernel.desk(len(network.indptr) - 1, frame[-1]) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(search_on, desks))
    counts = np.zeros(facilities.n_places, dtype=np.int64)
    for chunk, (count, _, _) in found.items():
        counts[chunks[chunk]] = count
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places, costs = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
    for chunk, (_, place, cost) in found.items():
        kernel.in_order(chunks[chunk], indptr, place, cost, places, costs)
    return Walks(indptr=indptr, indices=places, seconds=costs / speed_mps, n_demand=n_demand)
