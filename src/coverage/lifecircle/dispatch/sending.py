"""Requests to places of service: in turn, each to the nearest that can, or all together with the least walking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecircle.dispatch.crew import Crew
from lifecircle.dispatch.crews import Lists, by_agent, in_turn, lists_of
from lifecircle.dispatch.preferences import WIDTHS, PreferenceLists, Preferences
from lifecircle.dispatch.requests import Asked
from lifecircle.dispatch.roster import Roster
from lifecircle.ground import Footing
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays


@dataclass(frozen=True, eq=False)
class Destinations(ReadOnlyArrays):
    """Where requests go: the place of each and the agent there who takes it, -1 for none, and its walk (NaN).

    ``known`` are the lists of places by which this was found. By ``unproven_s`` each request might walk less
    if places were given otherwise: 0 where it is proven that all together walk the least.
    """

    place: LongArray
    agent: LongArray
    walk_m: FloatArray
    walk_s: FloatArray
    known: Preferences
    unproven_s: FloatArray


Settled = tuple[LongArray, LongArray, npt.NDArray[np.intp], BoolArray, FloatArray]
"""The entry and the agent of each request; which requests need longer lists; which places take none of these (by
what is asked, where that differs); and what proof lacks."""

MOST_ENTRIES = 8_000_000
"""Length of all lists together beyond which none is made longer to prove that nobody could walk less."""


def sent(footing: Footing, roster: Roster, asked: Asked, room: LongArray, *, optimal: bool = False) -> Destinations:
    """Send requests that have their points to places of service.

    Parameters
    ----------
    footing
        Its stations are the rows of the roster.
    room
        (n_stations,) how many requests each station takes, wherever it serves.
    """
    lists, n = PreferenceLists(footing, roster, asked), len(asked.area)
    endless = bool((room >= n).all()) and (roster.crew is None or not np.isfinite(roster.crew.capacity).any())
    lists.extend(np.flatnonzero(asked.snaps.snapped), n_first=1 if endless else WIDTHS[0])
    settle = _least_cost if optimal else _in_turn
    while True:
        known = lists.preferences()
        entry, agent, further, closed, unproven_s = settle(roster, asked, known, room)
        if not len(further):
            break
        lists.extend(further, closed=closed)
    taken = entry >= 0
    place = np.append(known.station, -1)[entry]
    walk_m, walk_s = (np.where(taken, np.append(each, np.nan)[entry], np.nan) for each in (known.walk_m, known.seconds))
    for row in np.unique(place[taken & np.isnan(walk_m)]).tolist():
        those = np.flatnonzero((place == row) & np.isnan(walk_m))
        walk_m[those] = footing.nearest(footing.stations.take([row]), asked.snaps.take(those)).walk_m[:, 0]
    return Destinations(place.astype(np.int64), agent, walk_m, walk_s, known, unproven_s)


def room_of(roster: Roster, n_requests: int) -> LongArray:
    """Return (n_stations,) how many requests each station takes; those of its agents count where these have any."""
    capacity = roster.capacity[: len(roster) - len(roster.stops.owner)]
    room = np.where(np.isfinite(capacity), np.floor(capacity), n_requests).astype(np.int64)
    return room if roster.crew is None else np.where(roster.crew.by_agents(), n_requests, room)


def _in_turn(roster: Roster, asked: Asked, known: Preferences, room: LongArray) -> Settled:
    """Give each request, in its turn, the first place on its list whose station has room left.

    Longer lists of others only bring a station requests whose turn is earlier: one that is full of such by now takes
    none whose turn is later.
    """
    from lifecircle.kernels import turns  # compiled code loads when it is first needed

    owner, order = roster.owner[known.station], asked.order
    if roster.crew is None:
        entry, agent = turns.in_turn(known.indptr, owner, order, room), np.full(len(order), -1, dtype=np.int64)
    else:
        entry, agent, _ = in_turn(roster.crew, asked, lists_of(roster, asked, known), room)
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = np.arange(len(order))
    further = np.flatnonzero((entry < 0) & np.isfinite(known.complete_s))
    taken = entry >= 0
    station = owner[entry[taken]]
    last = np.full(len(room), -1, dtype=np.int64)
    np.maximum.at(last, station, turn[taken])
    full = np.bincount(station, minlength=len(room)) >= room
    begins = turn[further].min(initial=len(order))
    closed = (full & (last < begins))[roster.owner]
    if roster.crew is not None and np.isfinite(roster.crew.capacity).any() and len(further):
        early = agent[(agent >= 0) & (turn < begins)]
        free = np.bincount(early, minlength=len(roster.crew)) < roster.crew.capacity
        closed = closed | ~asked.abilities.staffed(roster, free)
    return entry, agent, further, closed, np.zeros(len(order))


def _least_cost(roster: Roster, asked: Asked, known: Preferences, room: LongArray) -> Settled:
    """Give the requests the entries that cost the least in sum.

    Prices prove it: each request has what is cheapest for it, its station's price in, of all that its list holds; what
    the list leaves out costs no less than it ends with. And nobody is left out for whom another could move on: to a
    station that is shut later, if one may take it: what is shut no later gives its places to others whose turn came
    before. Where agents have capacities, they stand for their stations.
    """
    from lifecircle.kernels import turns

    crew, owner = roster.crew, roster.owner[known.station].astype(np.int32)
    indptr, facility, cost_s, of_entry = known.indptr, owner, known.cost_s, np.arange(len(owner))
    who = np.full(len(owner), -1, dtype=np.int64)
    if crew is not None:
        lists, of_entry, who = by_agent(crew, asked, lists_of(roster, asked, known), known)
        indptr, facility, cost_s = lists.indptr, lists.station, lists.cost_s
        places = np.where(np.isfinite(crew.capacity), crew.capacity, len(asked.area)).astype(np.int64)
        room = np.insert(places, crew.first[:-1], room)
    given, price, shut = turns.least_cost(indptr, facility, cost_s, asked.order, room)
    at, cost = np.append(facility, -1)[given], np.append(cost_s, np.inf)[given]
    paid_s = np.where(given < 0, 0.0, cost + np.append(price, 0.0)[at])
    unproven_s = np.maximum(paid_s - known.complete_s, 0.0)
    turn = np.argsort(asked.order)
    since = np.where(given < 0, turn, np.append(shut, 0)[at])
    held = since < len(given)
    if crew is None:
        held[held] = _latest(roster, asked, np.flatnonzero(held), shut) > since[held]
    to_prove = unproven_s > 0 if len(known.station) <= MOST_ENTRIES else np.zeros(len(held), dtype=bool)
    further = np.flatnonzero((to_prove | held) & np.isfinite(known.complete_s))
    entry, agent = np.append(of_entry, -1)[given], np.append(who, -1)[given]
    if crew is not None:
        agent = np.where(agent < 0, _shared_out(roster, crew, asked, known, entry), agent)
    return entry, agent, further, np.zeros(len(roster), dtype=bool), unproven_s


def _latest(roster: Roster, asked: Asked, rows: npt.NDArray[np.intp], shut: LongArray) -> LongArray:
    """Return when the last of the places that may take each of these requests is shut, -1 where there is none."""
    kinds, kind = np.unique(np.stack([asked.ask[rows], asked.area[rows]]), axis=1, return_inverse=True)
    places = asked.abilities.able[kinds[0]] & roster.may[kinds[1]]
    latest = np.where(places, shut[roster.owner], -1).max(axis=1, initial=-1)
    return np.asarray(latest[kind.reshape(-1)])


def _shared_out(roster: Roster, crew: Crew, asked: Asked, known: Preferences, entry: LongArray) -> LongArray:
    """Return who takes each request of those who have room for all: the least loaded in its turn."""
    whole = lists_of(roster, asked, known)
    some = entry[entry >= 0]
    indptr = np.concatenate([[0], np.cumsum(entry >= 0)]).astype(np.int64)
    lists = Lists(indptr, whole.place[some], whole.station[some], whole.any_time[some])
    endless = np.full(len(crew.first) - 1, len(entry), dtype=np.int64)
    return in_turn(crew, asked, lists, endless)[1]
