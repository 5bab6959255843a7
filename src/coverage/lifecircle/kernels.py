"""Searches over arrays, compiled. Nothing here knows what a home or a station is.

Costs are metres on the flat; inf is unreachable; -1 is none. A *label* says that a facility can be reached from here:
its cost, the facility's row, the metres walked. Labels are ordered by cost, then by facility, so equal costs always go
to the smaller facility. Costs are multiples of one quantum (see ``network``), so their sums are exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lifecircle.model import FloatArray, IntArray, LongArray

compiled = njit(cache=True, nogil=True)


@compiled
def _push(keys, nodes, rows, size, key, node, row):  # 4-ary heap
    i = size
    while i > 0:
        parent = (i - 1) // 4
        if keys[parent] <= key:
            break
        keys[i], nodes[i], rows[i] = keys[parent], nodes[parent], rows[parent]
        i = parent
    keys[i], nodes[i], rows[i] = key, node, row
    return size + 1


@compiled
def _drop_first(keys, nodes, rows, size):
    size -= 1
    key, node, row = keys[size], nodes[size], rows[size]
    i = 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least = child
        for j in range(child + 1, min(child + 4, size)):
            if keys[j] < keys[least]:
                least = j
        if keys[least] >= key:
            break
        keys[i], nodes[i], rows[i] = keys[least], nodes[least], rows[least]
        i = least
    keys[i], nodes[i], rows[i] = key, node, row
    return size


@compiled
def _improve(cost, row, metres, facility_of, new_cost, new_row, new_metres):
    """Put a label among the k best of one place, one label a facility.

    Returns where it went in and which label gave way (those between moved up by one), or -1 and -1.
    """
    k = len(cost)
    facility = facility_of[new_row]
    at = k - 1
    if row[at] >= 0 and (cost[at], facility_of[row[at]]) < (new_cost, facility):
        return -1, -1
    for j in range(k):
        if row[j] >= 0 and facility_of[row[j]] == facility:
            if cost[j] <= new_cost:
                return -1, -1
            at = j
            break
    gave_way = at
    while at > 0 and (row[at - 1] < 0 or (cost[at - 1], facility_of[row[at - 1]]) > (new_cost, facility)):
        cost[at], row[at], metres[at] = cost[at - 1], row[at - 1], metres[at - 1]
        at -= 1
    cost[at], row[at], metres[at] = new_cost, new_row, new_metres
    return at, gave_way


@compiled
def label_nodes(
    indptr: LongArray,
    tail: IntArray,
    cost_m: FloatArray,
    arc_m: FloatArray,
    seed_node: IntArray,
    seed_cost: FloatArray,
    seed_metres: FloatArray,
    seed_row: IntArray,
    facility_of: IntArray,
    k: int,
    cutoff_m: float,
):
    """Give every node its k nearest facilities within ``cutoff_m``: costs, rows and metres, each (n_nodes, k)."""
    n = len(indptr) - 1
    cost = np.full((n, k), np.inf)
    row = np.full((n, k), -1, np.int32)
    metres = np.full((n, k), np.inf)
    keys = np.empty(1024)
    nodes = np.empty(1024, np.int32)
    rows = np.empty(1024, np.int32)
    size = 0
    seed = 0
    while size > 0 or seed < len(seed_node):
        if seed < len(seed_node):  # all seeds go in first
            v, c, m, r = seed_node[seed], seed_cost[seed], seed_metres[seed], seed_row[seed]
            seed += 1
            if c > cutoff_m or _improve(cost[v], row[v], metres[v], facility_of, c, r, m)[0] < 0:
                continue
            if size == len(keys):
                keys, nodes, rows = _doubled(keys), _doubled(nodes), _doubled(rows)
            size = _push(keys, nodes, rows, size, c, v, r)
            continue
        c, v, r = keys[0], nodes[0], rows[0]
        size = _drop_first(keys, nodes, rows, size)
        at = -1
        for j in range(k):
            if row[v, j] == r and cost[v, j] == c:
                at = j
        if at < 0:  # a better label took its place
            continue
        m = metres[v, at]
        for arc in range(indptr[v], indptr[v + 1]):
            u = tail[arc]
            new = c + cost_m[arc]
            if new > cutoff_m:
                continue
            if _improve(cost[u], row[u], metres[u], facility_of, new, r, m + arc_m[arc])[0] >= 0:
                if size == len(keys):
                    keys, nodes, rows = _doubled(keys), _doubled(nodes), _doubled(rows)
                size = _push(keys, nodes, rows, size, new, u, r)
    return cost, row, metres


@compiled
def label_nodes_once(
    indptr: LongArray,
    tail: IntArray,
    cost_m: FloatArray,
    arc_m: FloatArray,
    seed_node: IntArray,
    seed_cost: FloatArray,
    seed_metres: FloatArray,
    seed_row: IntArray,
    facility_of: IntArray,
    width_m: float,
    n_buckets: int,
    cutoff_m: float,
):
    """Give every node its nearest facility, as `label_nodes` does for k = 1, by a queue of buckets.

    A bucket holds the nodes whose cost lies in one stretch of ``width_m``; inside it nodes are taken in any order and
    taken again when they improve, so the result is exact whatever the width. ``n_buckets``, a power of two, times the
    width must exceed every arc's and every seed's cost, for the buckets are used in a ring.
    """
    n = len(indptr) - 1
    cost = np.full((n, 1), np.inf)
    row = np.full((n, 1), -1, np.int32)
    metres = np.full((n, 1), np.inf)
    first = np.full(n_buckets, -1, np.int32)
    after, before, held = np.empty(n, np.int32), np.empty(n, np.int32), np.full(n, -1, np.int32)
    ring = n_buckets - 1
    waiting = 0
    for seed in range(len(seed_node)):
        v, c, r = seed_node[seed], seed_cost[seed], seed_row[seed]
        if c <= cutoff_m and _is_better(c, facility_of[r], cost[v, 0], row[v, 0], facility_of):
            cost[v, 0], row[v, 0], metres[v, 0] = c, r, seed_metres[seed]
            waiting += _move(first, after, before, held, v, np.int64(c / width_m) & ring)
    bucket = 0
    while waiting > 0:
        v = first[bucket & ring]
        if v < 0:
            bucket += 1
            continue
        _unlink(first, after, before, held, v)
        waiting -= 1
        c, r, m = cost[v, 0], row[v, 0], metres[v, 0]
        for arc in range(indptr[v], indptr[v + 1]):
            u = tail[arc]
            new = c + cost_m[arc]
            if new <= cutoff_m and _is_better(new, facility_of[r], cost[u, 0], row[u, 0], facility_of):
                cost[u, 0], row[u, 0], metres[u, 0] = new, r, m + arc_m[arc]
                waiting += _move(first, after, before, held, u, np.int64(new / width_m) & ring)
    return cost, row, metres


@compiled
def _is_better(cost, facility, known_cost, known_row, facility_of):
    if cost != known_cost:
        return cost < known_cost
    return known_row < 0 or facility < facility_of[known_row]


@compiled
def _move(first, after, before, held, v, bucket):
    """Put ``v`` into a bucket, out of the one it is in; return 1 when it was in none."""
    if held[v] == bucket:
        return 0
    came = 1
    if held[v] >= 0:
        _unlink(first, after, before, held, v)
        came = 0
    after[v], before[v], held[v] = first[bucket], -1, bucket
    if first[bucket] >= 0:
        before[first[bucket]] = v
    first[bucket] = v
    return came


@compiled
def _unlink(first, after, before, held, v):
    if before[v] >= 0:
        after[before[v]] = after[v]
    else:
        first[held[v]] = after[v]
    if after[v] >= 0:
        before[after[v]] = before[v]
    held[v] = -1


@compiled
def _doubled(array):
    larger = np.empty(2 * len(array), array.dtype)
    larger[: len(array)] = array
    return larger


@compiled
def along(fraction_from, fraction_to, forward_m, backward_m):
    """Cost of walking along one segment between two fractions of it; nothing costs nothing even where it is barred."""
    if fraction_to > fraction_from:
        return (fraction_to - fraction_from) * forward_m
    if fraction_to < fraction_from:
        return (fraction_from - fraction_to) * backward_m
    return 0.0


@compiled
def snapped(cost, quantum):
    """Round a cost to the quantum, so that sums stay exact."""
    return np.rint(cost / quantum) * quantum


@compiled
def label_places(
    place, segment, fraction, leg, n_places, k, cutoff_m,
    node_cost, node_row, node_metres,
    leave, length_m, forward_m, backward_m, quantum,
    facility_of, facility_fraction, facility_leg, on_segment_indptr, on_segment,
    building, in_building_indptr, in_building,
):  # fmt: skip
    """Give every place its k nearest facilities from the labels of the nodes it can leave by.

    Returns (n_places, k) arrays: total cost (legs included), the facility's row, the metres along the network, and the
    place's own row that the walk leaves by (-1 for a facility in the place's own building, at cost 0).
    """
    cost = np.full((n_places, k), np.inf)
    row = np.full((n_places, k), -1, np.int32)
    metres = np.full((n_places, k), np.inf)
    own = np.full((n_places, k), -1, np.int32)
    best_cost, best_row, best_metres = np.empty(k), np.empty(k, np.int32), np.empty(k)
    n = len(place)
    i = 0
    for p in range(n_places):
        if building[p] >= 0:
            for at in range(in_building_indptr[building[p]], in_building_indptr[building[p] + 1]):
                _improve(cost[p], row[p], metres[p], facility_of, 0.0, in_building[at], 0.0)
        while i < n and place[i] == p:
            s, f, a = segment[i], fraction[i], leg[i]
            best_cost[:], best_row[:], best_metres[:] = np.inf, -1, np.inf
            for side in range(2):
                v = leave[s, side]
                part = a + snapped(along(f, side, forward_m[s], backward_m[s]), quantum)
                part_m = abs(side - f) * length_m[s]
                for j in range(k):
                    if node_row[v, j] < 0:
                        break
                    total = part + node_cost[v, j]
                    if total <= cutoff_m:
                        _improve(best_cost, best_row, best_metres, facility_of, total, node_row[v, j],
                                 part_m + node_metres[v, j])  # fmt: skip
            for at in range(on_segment_indptr[s], on_segment_indptr[s + 1]):
                r = on_segment[at]
                total = a + snapped(along(f, facility_fraction[r], forward_m[s], backward_m[s]), quantum)
                total += facility_leg[r]
                if total <= cutoff_m:
                    _improve(best_cost, best_row, best_metres, facility_of, total, r,
                             abs(facility_fraction[r] - f) * length_m[s])  # fmt: skip
            for j in range(k):
                if best_row[j] < 0:
                    break
                at, gave_way = _improve(cost[p], row[p], metres[p], facility_of,
                                        best_cost[j], best_row[j], best_metres[j])  # fmt: skip
                if at >= 0:
                    own[p, at + 1 : gave_way + 1] = own[p, at:gave_way].copy()
                    own[p, at] = i
            i += 1
    return cost, row, metres, own


@compiled
def reach_from(
    first, last, cutoff_m,
    indptr, tail, cost_m,
    seed_indptr, seed_node, seed_cost,
    leave_indptr, leave_place, leave_cost,
    direct_indptr, direct_place, direct_cost,
    n_places,
):  # fmt: skip
    """Find which places reach each of the facilities ``first`` to ``last - 1`` within ``cutoff_m``.

    ``seed_*`` give each facility's entry nodes with their costs, ``leave_*`` list for each node the places that leave
    by it, ``direct_*`` for each facility the places that reach it along its own segment or are in its own building.
    Returns the count of places per facility, then their numbers (ascending per facility) and costs, end to end. Only
    what a search touches is reset after it, so a small catchment costs little on a large network.
    """
    n = len(indptr) - 1
    best = np.full(n, np.inf)
    reached = np.full(n_places, np.inf)
    touched = np.empty(n, np.int32)
    found = np.empty(n_places, np.int32)
    keys, nodes, rows = np.empty(1024), np.empty(1024, np.int32), np.empty(1024, np.int32)
    counts = np.zeros(last - first, np.int64)
    out_place, out_cost, out = np.empty(4096, np.int32), np.empty(4096), 0
    for facility in range(first, last):
        size, n_touched, n_found = 0, 0, 0
        for at in range(seed_indptr[facility], seed_indptr[facility + 1]):
            v, c = seed_node[at], seed_cost[at]
            if c <= cutoff_m and c < best[v]:
                if best[v] == np.inf:
                    touched[n_touched] = v
                    n_touched += 1
                best[v] = c
                if size == len(keys):
                    keys, nodes, rows = _doubled(keys), _doubled(nodes), _doubled(rows)
                size = _push(keys, nodes, rows, size, c, v, 0)
        while size > 0:
            c, v = keys[0], nodes[0]
            size = _drop_first(keys, nodes, rows, size)
            if c > best[v]:
                continue
            for arc in range(indptr[v], indptr[v + 1]):
                u = tail[arc]
                new = c + cost_m[arc]
                if new <= cutoff_m and new < best[u]:
                    if best[u] == np.inf:
                        touched[n_touched] = u
                        n_touched += 1
                    best[u] = new
                    if size == len(keys):
                        keys, nodes, rows = _doubled(keys), _doubled(nodes), _doubled(rows)
                    size = _push(keys, nodes, rows, size, new, u, 0)
        for i in range(n_touched):
            v = touched[i]
            for at in range(leave_indptr[v], leave_indptr[v + 1]):
                n_found = _reach(reached, found, n_found, leave_place[at], best[v] + leave_cost[at], cutoff_m)
            best[v] = np.inf
        for at in range(direct_indptr[facility], direct_indptr[facility + 1]):
            n_found = _reach(reached, found, n_found, direct_place[at], direct_cost[at], cutoff_m)
        while out + n_found > len(out_place):
            out_place, out_cost = _doubled(out_place), _doubled(out_cost)
        places = np.sort(found[:n_found])
        for p in places:
            out_place[out], out_cost[out] = p, reached[p]
            reached[p] = np.inf
            out += 1
        counts[facility - first] = n_found
    return counts, out_place[:out].copy(), out_cost[:out].copy()


@compiled
def _reach(reached, found, n_found, place, cost, cutoff_m):
    if cost <= cutoff_m and cost < reached[place]:
        if reached[place] == np.inf:
            found[n_found] = place
            n_found += 1
        reached[place] = cost
    return n_found
