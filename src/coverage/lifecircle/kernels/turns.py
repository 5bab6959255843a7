"""Who goes to which station while there is room: one after the other, or with the least walking in sum.

Request i would go to the stations ``ls[lp[i]:lp[i + 1]]``, which cost it ``lv``, ascending. ``order`` says whose turn
it is, ``room`` how many each station takes; an answer is the entry of the lists that each request gets, -1 for none.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@compiled
def in_turn(lp, ls, order, room):
    """Give each request, in its turn, the first station on its list that has room left."""
    left, given = room.copy(), np.full(len(lp) - 1, -1, np.int64)
    for i in order:
        for e in range(lp[i], lp[i + 1]):
            if left[ls[e]] > 0:
                left[ls[e]] -= 1
                given[i] = e
                break
    return given


@compiled
def least_cost(lp, ls, lv, order, room):
    """Give a place to every request that can have one, those first whose turn comes first, at the least cost in sum.

    Also returned are the price of a place at each station, by which every request has the station that is cheapest for
    it, and the turn from which each station is shut, ``len(order)`` for never: full of requests that none of the
    stations on their lists, but those that are shut as early, can give a place to.
    A request takes the cheapest way to a place that is free, along which others move on (successive shortest paths).
    Of those at a station one moves to another at the least cost: ``move`` and ``mover`` keep it for each pair.
    """
    n_stations = len(room)
    left, price, shut = room.copy(), np.zeros(n_stations), np.full(n_stations, len(order), np.int64)
    given, owner = np.full(len(lp) - 1, -1, np.int64), np.empty(len(ls), np.int64)
    first, after = np.full(n_stations, -1, np.int64), np.full(len(lp) - 1, -1, np.int64)
    before = np.full(len(lp) - 1, -1, np.int64)
    move, mover = np.empty((n_stations, n_stations)), np.empty((n_stations, n_stations), np.int64)
    away, come, by = np.empty(n_stations), np.empty(n_stations, np.int64), np.empty(n_stations, np.int64)
    done, stale = np.empty(n_stations, np.bool_), np.ones(n_stations, np.bool_)
    for i in range(len(lp) - 1):
        for e in range(lp[i], lp[i + 1]):
            owner[e] = i
    for turn, i in enumerate(order):
        away[:], done[:] = np.inf, shut < turn
        for e in range(lp[i], lp[i + 1]):
            to = ls[e]
            if not done[to] and lv[e] + price[to] < away[to]:
                away[to], come[to], by[to] = lv[e] + price[to], e, -1
        to = _nearest(away, done)
        while to >= 0 and left[to] == 0:
            done[to] = True
            if stale[to]:
                move[to], stale[to] = np.inf, False
                member = first[to]
                while member >= 0:
                    _offer(lp, ls, lv, given, to, member, move, mover)
                    member = after[member]
            so_far = away[to] - price[to]
            for station in range(n_stations):
                if so_far + move[to, station] + price[station] < away[station] and not done[station]:
                    away[station] = so_far + move[to, station] + price[station]
                    come[station], by[station] = mover[to, station], to
            to = _nearest(away, done)
        if to < 0:  # whoever is there can go nowhere else, now or later
            shut[done & (away < np.inf)] = turn
            continue
        for station in range(n_stations):
            if done[station] and shut[station] > turn:
                price[station] += away[to] - away[station]
        left[to] -= 1
        while to >= 0:
            member, where = owner[come[to]], by[to]
            if where >= 0:
                _leave(first, before, after, where, member)
                stale[where] = True
            given[member] = come[to]
            _enter(first, before, after, to, member)
            if not stale[to]:
                _offer(lp, ls, lv, given, to, member, move, mover)
            to = where
    return given, price, shut


@inner
def _offer(lp, ls, lv, given, station, member, move, mover):
    """Lower the cost at which one of those at a station moves to each other one to what it costs this member."""
    for e in range(lp[member], lp[member + 1]):
        if lv[e] - lv[given[member]] < move[station, ls[e]]:
            move[station, ls[e]], mover[station, ls[e]] = lv[e] - lv[given[member]], e


@inner
def _nearest(away, done):
    """Return the station that is come to at the least cost and not done, -1 for none."""
    best, least = -1, np.inf
    for station in range(len(away)):
        if not done[station] and away[station] < least:
            best, least = station, away[station]
    return best


@inner
def _enter(first, before, after, station, member):
    before[member], after[member] = -1, first[station]
    if first[station] >= 0:
        before[first[station]] = member
    first[station] = member


@inner
def _leave(first, before, after, station, member):
    if before[member] >= 0:
        after[before[member]] = after[member]
    else:
        first[station] = after[member]
    if after[member] >= 0:
        before[after[member]] = before[member]
