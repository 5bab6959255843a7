"""The nearest facilities of every node of a search graph, and of places beside the nodes.

Costs are metres on the flat; inf is unreachable; -1 is none. A *label* says that a facility can be reached from here:
its cost, the facility's row, the metres walked. Labels are ordered by cost, then by facility, so equal costs always go
to the smaller facility. Costs are multiples of one quantum (see ``network``), so their sums are exact.

All searches take nodes from a queue of *buckets*. A bucket holds the nodes whose cost lies in one stretch of
``width_m``; inside it nodes are taken in any order and taken again when they improve, so the result is exact whatever
the width (R. B. Dial, 1969, doi:10.1145/363269.363610; U. Meyer and P. Sanders, 2003,
doi:10.1016/S0196-6774(03)00076-2). The buckets, as many as a power of two, are used in a ring: what lies farther ahead
than the ring is long waits in it with nearer ones, and is looked at again in its turn. Nodes of a bucket form a list:
``after``, ``before``; ``held`` is the bucket that a node is in.

Metres are followed only where they are not the cost: ``metres`` is None where they are, and code without them compiled.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
# A function without an entry from Python and a cache of its own compiles faster, as a part of those that call it.
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@inner
def _put(first, after, before, held, v, bucket):
    """Put ``v`` into a bucket, out of the one it is in; return 1 when it was in none.

    The loops over arcs spell this out: handing arrays to a function there doubles their time.
    """
    old, came = held[v], 1
    if old >= 0:
        ahead, behind, came = before[v], after[v], 0
        if ahead >= 0:
            after[ahead] = behind
        else:
            first[old] = behind
        if behind >= 0:
            before[behind] = ahead
    follower = first[bucket]
    after[v], before[v], held[v] = follower, -1, bucket
    if follower >= 0:
        before[follower] = v
    first[bucket] = v
    return came


# --------------------------------------------------------------------------- the nearest facility of every node


@compiled
def improve_labels(
    indptr, tail, cost_m, arc_m, seed_node, seed_cost, seed_metres, seed_row, facility_of, width_m, n_buckets,
    cutoff_m, cost, row, metres, via,
):  # fmt: skip
    """Bring every node's nearest facility to what it is with these seeds as well.

    The labels given (inf, -1 where there is none yet) must be walks that exist; they change in place. Only nodes that
    improve, and their arcs, are looked at. ``via``, where it is given, takes the arc by which each node is left.
    """
    n = len(indptr) - 1
    first = np.full(n_buckets, -1, np.int32)
    after, before, held = np.empty(n, np.int32), np.empty(n, np.int32), np.full(n, -1, np.int32)
    ring = n_buckets - 1
    per_m = 1.0 / width_m
    waiting = 0
    bucket = 0
    least = np.inf
    for seed in range(len(seed_node)):
        v, c, r = seed_node[seed], seed_cost[seed], seed_row[seed]
        if c <= cutoff_m and (c < cost[v] or (c == cost[v] and (row[v] < 0 or facility_of[r] < facility_of[row[v]]))):
            cost[v], row[v] = c, r
            if metres is not None:
                metres[v] = seed_metres[seed]
            if via is not None:
                via[v] = -1
            waiting += _put(first, after, before, held, v, np.int32(np.int64(c * per_m) & ring))
            least = min(least, c)
    if waiting > 0:
        bucket = np.int64(least * per_m) & ring
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
        c, r = cost[v], row[v]
        for arc in range(indptr[v], indptr[v + 1]):
            u = tail[arc]
            new = c + cost_m[arc]
            known = cost[u]
            if new > known or new > cutoff_m:
                continue
            if new == known and facility_of[row[u]] <= facility_of[r]:
                continue
            cost[u], row[u] = new, r
            if metres is not None:
                metres[u] = metres[v] + arc_m[arc]
            if via is not None:
                via[u] = arc
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


@compiled
def forget_labels(out_indptr, out_arc, head, cost_m, arc_m, facility_of, lost, cost, row, metres):
    """Take the labels of some nodes away and return what their neighbours still offer them.

    ``out_arc[out_indptr[v]:out_indptr[v + 1]]`` are the arcs that leave node ``v``, and ``head`` says where each leads.
    Returns the best offer to each of ``lost`` as seeds: cost, metres, row (-1: no offer).
    """
    for i in range(len(lost)):
        cost[lost[i]], row[lost[i]] = np.inf, -1
    best, best_metres = np.full(len(lost), np.inf), np.full(len(lost), np.inf)
    best_row = np.full(len(lost), -1, np.int32)
    for i in range(len(lost)):
        for at in range(out_indptr[lost[i]], out_indptr[lost[i] + 1]):
            arc = out_arc[at]
            v = head[arc]
            if row[v] < 0:
                continue
            offer = cost[v] + cost_m[arc]
            if offer < best[i] or (
                offer == best[i] and offer < np.inf and facility_of[row[v]] < facility_of[best_row[i]]
            ):
                best[i], best_row[i] = offer, row[v]
                if metres is not None:
                    best_metres[i] = metres[v] + arc_m[arc]
    return best, best_metres, best_row


# --------------------------------------------------------------------------- the k nearest facilities of every node


@compiled
def label_nodes_k(
    indptr, tail, cost_m, arc_m, seed_node, seed_cost, seed_metres, seed_row, facility_of, width_m, n_buckets,
    cutoff_m, cost, row, metres,
):  # fmt: skip
    """Give every node its k nearest facilities within ``cutoff_m``, in (n_nodes, k) arrays of inf and -1.

    A node waits in the bucket of its least label that has not been handed on yet.
    """
    n, k = cost.shape
    fresh = np.zeros((n, k), np.uint8)
    first = np.full(n_buckets, -1, np.int32)
    after, before, held = np.empty(n, np.int32), np.empty(n, np.int32), np.full(n, -1, np.int32)
    ring = n_buckets - 1
    per_m = 1.0 / width_m
    last = k - 1
    waiting = 0
    for seed in range(len(seed_node)):
        v, c, r = seed_node[seed], seed_cost[seed], seed_row[seed]
        if c <= cutoff_m and _insert(cost, row, metres, fresh, facility_of, v, k, c, r, seed_metres[seed]):
            wanted = min(np.int64(cost[v, 0] * per_m), ring)
            waiting += _put(first, after, before, held, v, np.int32(wanted))
    bucket = np.int64(0)
    while waiting > 0:
        v = first[bucket & ring]
        if v < 0:
            bucket += 1
            continue
        behind = after[v]
        first[bucket & ring] = behind
        if behind >= 0:
            before[behind] = -1
        held[v] = -1
        waiting -= 1
        later = np.inf
        for j in range(k):
            if fresh[v, j] == 0:
                continue
            c = cost[v, j]
            if np.int64(c * per_m) > bucket:
                later = c
                break
            fresh[v, j] = 0
            r = row[v, j]
            facility = facility_of[r]
            for arc in range(indptr[v], indptr[v + 1]):
                u = tail[arc]
                new = c + cost_m[arc]
                if new > cost[u, last] or new > cutoff_m:
                    continue
                if new == cost[u, last] and facility_of[row[u, last]] <= facility:
                    continue
                at = last
                for i in range(k):
                    known = row[u, i]
                    if known < 0 or facility_of[known] == facility:
                        at = i
                        break
                if row[u, at] >= 0 and cost[u, at] <= new and facility_of[row[u, at]] == facility:
                    continue
                while at > 0 and (
                    cost[u, at - 1] > new or (cost[u, at - 1] == new and facility_of[row[u, at - 1]] > facility)
                ):
                    cost[u, at] = cost[u, at - 1]
                    row[u, at] = row[u, at - 1]
                    fresh[u, at] = fresh[u, at - 1]
                    if metres is not None:
                        metres[u, at] = metres[u, at - 1]
                    at -= 1
                cost[u, at] = new
                row[u, at] = r
                fresh[u, at] = 1
                if metres is not None:
                    metres[u, at] = metres[v, j] + arc_m[arc]
                wanted = min(np.int64(new * per_m), bucket + ring)
                old = held[u]
                if old >= 0:
                    if ((old - bucket) & ring) <= wanted - bucket:
                        continue
                    ahead, behind = before[u], after[u]
                    if ahead >= 0:
                        after[ahead] = behind
                    else:
                        first[old] = behind
                    if behind >= 0:
                        before[behind] = ahead
                else:
                    waiting += 1
                target = np.int32(wanted & ring)
                follower = first[target]
                after[u] = follower
                before[u] = -1
                held[u] = target
                if follower >= 0:
                    before[follower] = u
                first[target] = u
        if later < np.inf and held[v] < 0:
            wanted = min(np.int64(later * per_m), bucket + ring)
            waiting += _put(first, after, before, held, v, np.int32(wanted & ring))


@inner
def _insert(cost, row, metres, fresh, facility_of, v, k, c, r, m):
    """Put a seed's label among the k of node ``v``, one a facility; return whether it is among them."""
    facility = facility_of[r]
    at = k - 1
    if row[v, at] >= 0 and (cost[v, at] < c or (cost[v, at] == c and facility_of[row[v, at]] < facility)):
        return False
    for i in range(k):
        if row[v, i] < 0 or facility_of[row[v, i]] == facility:
            at = i
            break
    if row[v, at] >= 0 and facility_of[row[v, at]] == facility and cost[v, at] <= c:
        return False
    while at > 0 and (cost[v, at - 1] > c or (cost[v, at - 1] == c and facility_of[row[v, at - 1]] > facility)):
        cost[v, at], row[v, at], fresh[v, at] = cost[v, at - 1], row[v, at - 1], fresh[v, at - 1]
        if metres is not None:
            metres[v, at] = metres[v, at - 1]
        at -= 1
    cost[v, at], row[v, at], fresh[v, at] = c, r, 1
    if metres is not None:
        metres[v, at] = m
    return True


# --------------------------------------------------------------------------- from nodes to places


@inner
def _along(fraction_from, fraction_to, forward_m, backward_m, quantum):
    """Cost of walking along one segment between two fractions of it; nothing costs nothing even where it is barred."""
    if fraction_to > fraction_from:
        return np.rint((fraction_to - fraction_from) * forward_m / quantum) * quantum
    if fraction_to < fraction_from:
        return np.rint((fraction_from - fraction_to) * backward_m / quantum) * quantum
    return 0.0


@compiled
def label_places(
    place, segment, fraction, leg, n_places, k, cutoff_m,
    node_cost, node_row, node_metres,
    leave, length_m, forward_m, backward_m, quantum,
    facility_of, facility_fraction, facility_leg, by_segment, segments_used,
    building, in_building_indptr, in_building,
):  # fmt: skip
    """Give every place its k nearest facilities from the labels of the nodes it can leave by.

    Returns (n_places, k) arrays: total cost (legs included), the facility's row, the metres along the network, and the
    place's own row that the walk leaves by (-1 for a facility in the place's own building, at cost 0). Node labels are
    (n_nodes, k); ``node_metres`` is None where they are the costs without the facility's leg. ``by_segment`` are the
    rows of facilities in the order of their segments, ``segments_used``.
    """
    cost = np.full((n_places, k), np.inf)
    row = np.full((n_places, k), -1, np.int32)
    metres = np.full((n_places, k), np.inf)
    own = np.full((n_places, k), -1, np.int32)
    n = len(place)
    i = np.int64(0)
    for p in range(n_places):
        if building[p] >= 0:
            for at in range(in_building_indptr[building[p]], in_building_indptr[building[p] + 1]):
                _improve(cost, row, metres, own, facility_of, p, k, 0.0, np.int64(in_building[at]), 0.0, np.int64(-1))
        while i < n and place[i] == p:
            s, f, a = segment[i], fraction[i], leg[i]
            for side in range(2):
                v = leave[s, side]
                if node_row[v, 0] < 0:
                    continue
                part = a + _along(f, float(side), forward_m[s], backward_m[s], quantum)
                part_m = abs(side - f) * length_m[s]
                for j in range(k):
                    r = np.int64(node_row[v, j])
                    if r < 0:
                        break
                    total = part + node_cost[v, j]
                    if total <= cutoff_m:
                        way_m = node_cost[v, j] - facility_leg[r] if node_metres is None else node_metres[v, j]
                        _improve(cost, row, metres, own, facility_of, p, k, total, r, part_m + way_m, i)
            at = np.searchsorted(segments_used, s)
            while at < len(segments_used) and segments_used[at] == s:
                r = np.int64(by_segment[at])
                total = a + _along(f, facility_fraction[r], forward_m[s], backward_m[s], quantum) + facility_leg[r]
                if total <= cutoff_m:
                    way_m = abs(facility_fraction[r] - f) * length_m[s]
                    _improve(cost, row, metres, own, facility_of, p, k, total, r, way_m, i)
                at += 1
            i += 1
    return cost, row, metres, own


@inner
def _improve(cost, row, metres, own, facility_of, p, k, new_cost, new_row, new_metres, new_own):
    """Put a label among the k best of place ``p``, one label a facility."""
    facility = facility_of[new_row]
    at = k - 1
    if row[p, at] >= 0 and (cost[p, at] < new_cost or (cost[p, at] == new_cost and facility_of[row[p, at]] < facility)):
        return
    for j in range(k):
        if row[p, j] < 0:
            at = j
            break
        if facility_of[row[p, j]] == facility:
            if cost[p, j] <= new_cost:
                return
            at = j
            break
    while at > 0 and (
        cost[p, at - 1] > new_cost or (cost[p, at - 1] == new_cost and facility_of[row[p, at - 1]] > facility)
    ):
        cost[p, at], row[p, at] = cost[p, at - 1], row[p, at - 1]
        metres[p, at], own[p, at] = metres[p, at - 1], own[p, at - 1]
        at -= 1
    cost[p, at], row[p, at], metres[p, at], own[p, at] = new_cost, new_row, new_metres, new_own
