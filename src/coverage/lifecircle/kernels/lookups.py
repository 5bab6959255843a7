"""The nearest of some stations from one place, read off the lists of nearest stations at its segment's ends."""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@compiled
def nearest_able(
    ways, on_way, leave, cost, station, metres, asked, heads, able, number, quantum, segment, f, leg
):  # fmt: skip
    """Return the ``number`` nearest able stations, their costs and metres, and below which cost none is missing.

    ``ways`` holds for each segment its metres, its costs forward and backward, and from where on the stations on the
    segment itself stand in ``on_way`` (fraction, leg, number). ``cost``, ``station`` and ``metres`` (n_nodes, columns)
    are lists of stations of each search node, of which ``leave`` names those at a segment's ends: where ``heads``, each
    column has the nearest of one kind of stations, and ``asked`` says which kinds matter; else the columns are the
    nearest of all, ascending. The place is at the fraction ``f`` of ``segment``, over a ``leg``. Less than ``number``
    stations: -1, inf and NaN for the rest.
    """
    columns = cost.shape[1]
    found, costs, walks = np.full(number, -1, np.int64), np.full(number, np.inf), np.full(number, np.nan)
    leg, complete = np.rint(leg / quantum) * quantum, np.inf
    for side in range(2):
        node = leave[segment, side]
        share, part = _stretch(ways, segment, f, float(side), quantum)
        for column in range(columns):
            at = station[node, column]
            if at < 0 or not asked[column]:
                continue
            total = leg + part + cost[node, column]
            if able[at] and total < np.inf:
                _put(found, costs, walks, at, total, leg + share + metres[node, column])
            # Of a kind whose nearest station may serve, no other is nearer; of equally near ones it has the smallest
            # number. What else a list leaves out is no nearer than what it ends with.
            if (number > 1 or not able[at]) if heads else column == columns - 1:
                complete = min(complete, total)
    for row in range(np.int64(ways[segment, 3]), np.int64(ways[segment + 1, 3])):
        at = np.int64(on_way[row, 2])
        share, part = _stretch(ways, segment, f, on_way[row, 0], quantum)
        total = leg + part + on_way[row, 1]
        if able[at] and total < np.inf:
            _put(found, costs, walks, at, total, leg + share + on_way[row, 1])
    return found, costs, walks, complete


@inner
def _stretch(ways, segment, f, to, quantum):
    """Return the metres and the cost of the way along a segment from fraction ``f`` of it to ``to``."""
    if to == f:  # nothing costs nothing even where it is barred
        return 0.0, 0.0
    rate = ways[segment, 1] if to > f else ways[segment, 2]
    return abs(to - f) * ways[segment, 0], np.rint(abs(to - f) * rate / quantum) * quantum


@inner
def _put(found, costs, walks, at, total, metres):
    """Put a station among those found, by its cost and then its number; one that is there keeps the nearer way."""
    last = len(found) - 1
    for i in range(last + 1):
        if found[i] == at:
            if total >= costs[i]:
                return
            last = i
            break
    if total > costs[last] or (total == costs[last] and found[last] >= 0 and at > found[last]):
        return
    while last > 0 and (total < costs[last - 1] or (total == costs[last - 1] and at < found[last - 1])):
        found[last], costs[last], walks[last] = found[last - 1], costs[last - 1], walks[last - 1]
        last -= 1
    found[last], costs[last], walks[last] = at, total, metres
