"""Requests to stations: in turn, each to the nearest that can, or all together with the least walking."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.dispatch.preferences import WIDTHS, PreferenceLists, Preferences
from lifecircle.dispatch.requests import Asked, check_times
from lifecircle.dispatch.roster import Roster
from lifecircle.ground import Footing, Ground, lay_ground
from lifecircle.mark import MARK, marked
from lifecircle.model import BoolArray, IntArray, LongArray, Study
from lifecircle.readers.requests import PROBLEM, in_metres
from lifecircle.rules import warn_of


def assign(
    study: Study, requests: gpd.GeoDataFrame, *, ground: Ground | None = None, optimal: bool = False
) -> pd.DataFrame:
    """Send each request to the nearest station on foot that may serve its place and can do what it asks.

    A station can where it offers the item, is open at the time of the request and has room left. The urgent go first,
    then those with a priority, then those who came first. Where ``[dispatch] tiers`` names tiers, a request goes to a
    station of the lowest one in its own areas, and to the next one up only where none of these can.

    Parameters
    ----------
    study
        As ``open_study`` returns it.
    requests
        One row a request: ``request_id`` (distinct), point geometry in any CRS, and ``item`` (empty: any station will
        do); where known ``at``, when it came, ``urgency`` and ``priority``; ``problem`` where a row cannot be used,
        ``synthetic`` where some are made up. ``read_requests`` makes it from a file.
    ground
        What ``lay_ground(study)`` returned, so that it is not worked out again.
    optimal
        Where stations have a capacity, give places to as many, and among the ways to do so walk the least in sum,
        rather than each request the nearest that is left at its turn.

    Returns
    -------
    DataFrame
        The columns of assigned.csv in the requests' order: request_id, station_id, walk_m, walk_s, tier, reason (see
        `REASONS`), and ``synthetic`` where the study or any request is made up. Walks are those of the reference class;
        no station is an empty id and NaN metres and seconds. A request that cannot be used is given back with its
        problem for a reason.

    Raises
    ------
    StudyError
        When ``[service]`` names a level that no area has, or ``[dispatch]`` tiers that stations do not have.

    Warns
    -----
    DegradedWarning
        Of each of the ground's ``findings``, in the class of its rule, where it is laid here; and of requests of a year
        whose public holidays are not known, or whose time cannot be told for want of a zone.
    """
    if ground is None:
        ground = lay_ground(study)
        warn_of(ground.findings)
    roster = Roster.of(study)
    asked, _ = in_metres(requests, study.crs)
    problem = asked[PROBLEM].to_numpy(dtype=object)
    warn_of(check_times(asked, roster.calendar))
    ready = Asked.of(study, ground, roster, asked[problem == ""].reset_index(drop=True))
    sound = _assigned(ground.reference, roster, ready, optimal=optimal)
    sound.index = np.flatnonzero(problem == "")
    assigned = sound.reindex(range(len(asked)))
    assigned.insert(0, "request_id", requests["request_id"].to_numpy())
    assigned = assigned.fillna({"station_id": "", "tier": ""})
    assigned["reason"] = assigned["reason"].where(problem == "", problem)
    return marked(assigned, ground.synthetic or (MARK in requests and bool(requests[MARK].any())))


def _assigned(footing: Footing, roster: Roster, asked: Asked, *, optimal: bool) -> pd.DataFrame:
    """Return the rows of assigned.csv, but for the ids, of requests that have their points."""
    lists = PreferenceLists(footing, roster, asked)
    room = np.where(np.isfinite(roster.capacity), np.floor(roster.capacity), len(asked.area)).astype(np.int64)
    endless = bool((room >= len(asked.area)).all())
    lists.extend(np.flatnonzero(asked.snaps.snapped), n_first=1 if endless else WIDTHS[0])
    settle = _least_cost if optimal else _in_turn
    while True:
        known = lists.preferences()
        entry, further, closed = settle(known, roster, asked, room)
        if not len(further):
            break
        lists.extend(further, closed=closed)
    taken = entry >= 0
    station = np.append(known.station, -1)[entry]
    walk_m, walk_s = (np.where(taken, np.append(each, np.nan)[entry], np.nan) for each in (known.walk_m, known.seconds))
    for row in np.unique(station[taken & np.isnan(walk_m)]).tolist():
        those = np.flatnonzero((station == row) & np.isnan(walk_m))
        walk_m[those] = footing.nearest(footing.stations.take([row]), asked.snaps.take(those)).walk_m[:, 0]
    ids, tiers = (np.array([*each, ""], dtype=object) for each in (roster.station_id, roster.tier))
    return pd.DataFrame(
        {
            "station_id": ids[station],
            "walk_m": walk_m,
            "walk_s": walk_s,
            "tier": tiers[station],
            "reason": _reasons(footing, roster, asked, known, station),
        }
    )


Settled = tuple[LongArray, npt.NDArray[np.intp], BoolArray]
"""The entry that each request gets; which of them need longer lists; which stations take none of these in any case."""


def _in_turn(known: Preferences, _: Roster, asked: Asked, room: LongArray) -> Settled:
    """Give each request, in its turn, the first station on its list that has room left.

    Longer lists of others only bring a station requests whose turn is earlier: one that is full of such by now takes
    none whose turn is later.
    """
    from lifecircle.kernels import turns  # compiled code loads when it is first needed

    order = asked.order
    entry = turns.in_turn(known.indptr, known.station, order, room)
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = np.arange(len(order))
    further = np.flatnonzero((entry < 0) & np.isfinite(known.complete_s))
    taken = entry >= 0
    station = known.station[entry[taken]]
    last = np.full(len(room), -1, dtype=np.int64)
    np.maximum.at(last, station, turn[taken])
    full = np.bincount(station, minlength=len(room)) >= room
    return entry, further, full & (last < turn[further].min(initial=len(order)))


def _least_cost(known: Preferences, roster: Roster, asked: Asked, room: LongArray) -> Settled:
    """Give the requests the entries that cost the least in sum.

    Prices prove it: each request has what is cheapest for it, its station's price in, of all that its list holds; what
    the list leaves out costs no less than it ends with. And nobody is left out for whom another could move on: to a
    station that is not shut, if one may take it.
    """
    from lifecircle.kernels import turns

    entry, price, shut = turns.least_cost(known.indptr, known.station, known.cost_s, asked.order, room)
    station, cost_s = np.append(known.station, -1)[entry], np.append(known.cost_s, np.inf)[entry]
    paid_s = np.where(entry < 0, 0.0, cost_s + np.append(price, 0.0)[station])
    further = np.isfinite(known.complete_s)
    held = further & ((entry < 0) | np.append(shut, False)[station])
    kinds, kind = np.unique(np.stack([asked.ask[held], asked.area[held]]), axis=1, return_inverse=True)
    way_out = (asked.able[kinds[0]] & roster.may[kinds[1]] & ~shut).any(axis=1)
    further &= paid_s > known.complete_s
    further[held] |= way_out[kind.reshape(-1)]
    return entry, np.flatnonzero(further), np.zeros(len(room), dtype=bool)


def _reasons(
    footing: Footing, roster: Roster, asked: Asked, known: Preferences, station: IntArray
) -> npt.NDArray[np.object_]:
    """Return why each request goes where it goes, or nowhere."""
    nearest = footing.nearest(footing.stations, asked.snaps).facility[:, 0]
    rank = np.append(roster.rank, -1)
    conditions = {
        "": station == nearest,
        "nearest-not-eligible": ~roster.may[asked.area, nearest],
        "nearest-lacks-item": ~asked.offered[asked.ask, nearest],
        "nearest-closed": ~asked.able[asked.ask, nearest],
        "nearest-higher-tier": rank[nearest] > rank[station],
    }
    reasons = np.select([*conditions.values()], [*conditions], "nearest-full").astype(object)
    rows = np.flatnonzero((station < 0) | ((rank[station] > 0) & (station != nearest)))
    limit = np.where(station[rows] < 0, len(roster), rank[station[rows]])
    why = _why_no_lower(roster, asked, _lowest_reached(footing, roster, asked, known, rows, limit), rows, limit)
    nowhere = station[rows] < 0
    named = np.array(
        [NOWHERE[each] if none else UP[each] for each, none in zip(why, nowhere, strict=True)], dtype=object
    )
    reasons[rows] = np.where(named == "", reasons[rows], named)
    return reasons


NOWHERE = {
    "snap": "unsnappable",
    "area": "no-eligible-station",
    "item": "no-station-offers-item",
    "hours": "no-station-open",
    "way": "unreachable",
    "room": "no-room-left",
}
UP = {"snap": "", "area": "", "item": "up-lacks-item", "hours": "up-closed", "way": "up-unreachable", "room": "up-full"}
"""What is said of a request that no station takes, or none of a lower tier, by what these lack."""


def _why_no_lower(
    roster: Roster, asked: Asked, reached: IntArray, rows: npt.NDArray[np.intp], limit: IntArray
) -> npt.NDArray[np.object_]:
    """Return what the stations lack that are of a lower rank than ``limit``, the lowest that can be walked to given."""
    lower, ask = roster.may[asked.area[rows]] & (roster.rank < limit[:, None]), asked.ask[rows]
    conditions = {
        "snap": ~asked.snaps.snapped[rows],
        "area": ~lower.any(axis=1),
        "item": ~(lower & asked.offered[ask]).any(axis=1),
        "hours": ~(lower & asked.able[ask]).any(axis=1),
        "way": reached >= limit,
    }
    return np.select([*conditions.values()], [*conditions], "room").astype(object)


def _lowest_reached(
    footing: Footing, roster: Roster, asked: Asked, known: Preferences, rows: npt.NDArray[np.intp], limit: IntArray
) -> IntArray:
    """Return the lowest rank of a station that could take each request and can be walked to, full or not."""
    reached = _first_rank(roster, known)[rows]
    doubtful = rows[(reached >= limit) & asked.snaps.snapped[rows]]
    if np.isfinite(roster.capacity).any() and len(doubtful):  # stations that were full by then are on no list
        lists = PreferenceLists(footing, roster, asked)
        while len(left := doubtful[np.isfinite(lists.complete_s[doubtful])]):
            lists.extend(left)
        reached = np.minimum(reached, _first_rank(roster, lists.preferences())[rows])
    return reached


def _first_rank(roster: Roster, known: Preferences) -> IntArray:
    """Return the rank of the first station on each list, beyond all ranks for an empty one."""
    first = np.append(known.station, len(roster))[known.indptr[:-1]]
    rank = np.append(roster.rank, len(roster))[first]
    return np.where(np.diff(known.indptr) > 0, rank, len(roster)).astype(np.int32)
