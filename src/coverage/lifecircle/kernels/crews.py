"""Who goes to which station while there is room there, and who of it takes them.

Request i would go to the stations ``ls[lp[i]:lp[i + 1]]``, the best first; station s has the agents ``first[s]`` to
``first[s + 1]``, or none that is known.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@compiled
def in_turn(lp, ls, any_time, order, room, first, places, load, duty, skilled, time, item, but):
    """Give each request, in its turn, the first station on its list that has room and somebody for it.

    Of its agents who are on duty (``duty[time[i]]``; where ``any_time`` of the entry, whoever), have the skill
    (``skilled[item[i]]``), have less than ``places`` and are not ``but[i]``, the one takes it with the least ``load``
    so far, of these the first. Returned are the entry and the agent of each request, -1 for none, and the loads.
    """
    left, load = room.copy(), load.copy()
    given, agent = np.full(len(lp) - 1, -1, np.int64), np.full(len(lp) - 1, -1, np.int64)
    for i in order:
        for e in range(lp[i], lp[i + 1]):
            s, best = ls[e], -1
            if left[s] <= 0:
                continue
            for a in range(first[s], first[s + 1]):
                free = load[a] < places[a] and a != but[i] and (best < 0 or load[a] < load[best])
                if free and skilled[item[i], a] and (any_time[e] or duty[time[i], a]):
                    best = a
            if best < 0 and first[s] < first[s + 1]:
                continue
            left[s] -= 1
            given[i] = e
            if best >= 0:
                agent[i] = best
                load[best] += 1
            break
    return given, agent, load
