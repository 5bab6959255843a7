"""Everything within a cutoff, by one bounded search from each facility.

Costs are metres on the flat; inf is unreachable; -1 is none. Nodes wait in a queue of buckets, as ``labels`` has it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
# A function without an entry from Python and a cache of its own compiles faster, as a part of those that call it.
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@compiled
def desk(n_nodes, n_buckets):
    """Return what a bounded search works on, clean; each search leaves it clean for the next."""
    best = np.full(n_nodes, np.inf)
    after, before, held = np.empty(n_nodes, np.int32), np.empty(n_nodes, np.int32), np.full(n_nodes, -1, np.int32)
    first, touched = np.full(n_buckets, -1, np.int32), np.empty(n_nodes, np.int32)
    return best, after, before, held, first, touched


@inner
def _spread(
    indptr, tail, cost_m, seed_node, seed_cost, first_seed, last_seed, cutoff_m, per_m,
    best, after, before, held, first, touched, ring,
):  # fmt: skip
    """Search from some seeds; return how many nodes are ``touched``. ``best`` is to be inf, the queue empty before."""
    waiting = 0
    n_touched = 0
    bucket = 0
    for seed in range(first_seed, last_seed):
        v, c = seed_node[seed], seed_cost[seed]
        if c <= cutoff_m and c < best[v]:
            if best[v] == np.inf:
                touched[n_touched] = v
                n_touched += 1
            best[v] = c
            if held[v] < 0:  # else it waits already, if longer than it need
                bucket_of = np.int32(np.int64(c * per_m) & ring)
                follower = first[bucket_of]
                after[v], before[v], held[v] = follower, -1, bucket_of
                if follower >= 0:
                    before[follower] = v
                first[bucket_of] = v
                waiting += 1
    while waiting > 0:
        v = first[bucket]
        if v < 0:
            bucket = (bucket + 1) & ring
            continue
        behind = after[v]
        first[bucket] = behind
        if behind >= 0:
            before[behind] = -1
        held[v] = -1
        waiting -= 1
        c = best[v]
        for arc in range(indptr[v], indptr[v + 1]):
            u = tail[arc]
            new = c + cost_m[arc]
            known = best[u]
            if new < known and new <= cutoff_m:
                if known == np.inf:
                    touched[n_touched] = u
                    n_touched += 1
                best[u] = new
                target = np.int32(np.int64(new * per_m) & ring)
                old = held[u]
                if old != target:
                    if old >= 0:
                        ahead, behind = before[u], after[u]
                        if ahead >= 0:
                            after[ahead] = behind
                        else:
                            first[old] = behind
                        if behind >= 0:
                            before[behind] = ahead
                    else:
                        waiting += 1
                    follower = first[target]
                    after[u] = follower
                    before[u] = -1
                    held[u] = target
                    if follower >= 0:
                        before[follower] = u
                    first[target] = u
    return n_touched


@inner
def _larger(array, need):
    larger = np.empty(max(2 * len(array), need), array.dtype)
    for i in range(len(array)):
        larger[i] = array[i]
    return larger


@compiled
def reach_nodes(
    facilities, cutoff_m, width_m, n_buckets,
    indptr, tail, cost_m, seed_indptr, seed_node, seed_cost, number, best, after, before, held, first, touched,
):  # fmt: skip
    """For each of some facilities, find the nodes that reach it within ``cutoff_m``, and their costs.

    ``number`` says what each search node is called outside, -1 for one that is not asked for; the arrays from ``best``
    on are those of `desk`. Returns counts by facility, and both lists end to end.
    """
    counts = np.zeros(len(facilities), np.int64)
    out_node, out_cost, out = np.empty(1 << 16, np.int32), np.empty(1 << 16), 0
    for f in range(len(facilities)):
        facility = facilities[f]
        n_touched = _spread(
            indptr, tail, cost_m, seed_node, seed_cost, seed_indptr[facility], seed_indptr[facility + 1], cutoff_m,
            1.0 / width_m, best, after, before, held, first, touched, n_buckets - 1,
        )  # fmt: skip
        if out + n_touched > len(out_node):
            out_node, out_cost = _larger(out_node, out + n_touched), _larger(out_cost, out + n_touched)
        start = out
        for i in range(n_touched):
            v = touched[i]
            if number[v] >= 0:
                out_node[out], out_cost[out] = number[v], best[v]
                out += 1
            best[v] = np.inf
        counts[f] = out - start
    return counts, out_node[:out], out_cost[:out]


@compiled
def reach_places(
    facilities, cutoff_m, width_m, n_buckets,
    indptr, tail, cost_m, seed_indptr, seed_node, seed_cost,
    leave_indptr, leave_place, leave_cost,
    direct_indptr, direct_place, direct_cost, n_places, best, after, before, held, first, touched,
):  # fmt: skip
    """For each of some facilities, find the places that reach it within ``cutoff_m``, and their costs.

    A place leaves by nodes (``leave_*``, by node), or goes directly to a facility on its own segment or in its own
    building (``direct_*``, by facility); the arrays from ``best`` on are those of `desk`. Returns counts by facility,
    and both lists end to end.
    """
    reached, found = np.full(n_places, np.inf), np.empty(n_places, np.int32)
    counts = np.zeros(len(facilities), np.int64)
    out_place, out_cost, out = np.empty(1 << 16, np.int32), np.empty(1 << 16), 0
    for f in range(len(facilities)):
        facility = facilities[f]
        n_touched = _spread(
            indptr, tail, cost_m, seed_node, seed_cost, seed_indptr[facility], seed_indptr[facility + 1], cutoff_m,
            1.0 / width_m, best, after, before, held, first, touched, n_buckets - 1,
        )  # fmt: skip
        n_found = 0
        for i in range(n_touched):
            v = touched[i]
            for at in range(leave_indptr[v], leave_indptr[v + 1]):
                n_found = _reach(reached, found, n_found, leave_place[at], best[v] + leave_cost[at], cutoff_m)
            best[v] = np.inf
        for at in range(direct_indptr[facility], direct_indptr[facility + 1]):
            n_found = _reach(reached, found, n_found, direct_place[at], direct_cost[at], cutoff_m)
        if out + n_found > len(out_place):
            out_place, out_cost = _larger(out_place, out + n_found), _larger(out_cost, out + n_found)
        for i in range(n_found):
            p = found[i]
            out_place[out], out_cost[out] = p, reached[p]
            reached[p] = np.inf
            out += 1
        counts[f] = n_found
    return counts, out_place[:out], out_cost[:out]


@inner
def _reach(reached, found, n_found, place, cost, cutoff_m):
    if cost <= cutoff_m and cost < reached[place]:
        if reached[place] == np.inf:
            found[n_found] = place
            n_found += 1
        reached[place] = cost
    return n_found


@compiled
def in_order(facilities, indptr, found, found_cost, columns, costs):
    """Copy the lists of some facilities, end to end in ``found``, to the rows where they belong."""
    at = 0
    for i in range(len(facilities)):
        for j in range(indptr[facilities[i]], indptr[facilities[i] + 1]):
            columns[j], costs[j] = found[at], found_cost[at]
            at += 1
