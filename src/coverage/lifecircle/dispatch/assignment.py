"""Requests to stations: in turn, each to the nearest that can, or all together with the least walking."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.dispatch.abilities import HOWS
from lifecircle.dispatch.crews import assists
from lifecircle.dispatch.helpers import Helpers, Load, helped
from lifecircle.dispatch.pool import claimants
from lifecircle.dispatch.preferences import PreferenceLists, Preferences
from lifecircle.dispatch.requests import Asked, check_times
from lifecircle.dispatch.roster import Roster
from lifecircle.dispatch.sending import Destinations, room_of, sent
from lifecircle.dispatch.stops import with_stops
from lifecircle.ground import Footing, Ground, lay_ground
from lifecircle.mark import MARK, marked
from lifecircle.model import Dispatch, FloatArray, IntArray, LongArray, Study
from lifecircle.readers.requests import PROBLEM, in_metres
from lifecircle.readers.rosters import VOLUNTEER
from lifecircle.rules import warn_of

WALKS = ("walk_m", "walk_s")


UNPROVEN = "unproven_s"


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
        problem for a reason. ``attrs["unproven_s"]`` is by how many seconds all together may walk more than the least
        where ``optimal`` is asked for: 0 where they do not, as nearly always.

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
    dispatch, stations = study.settings.dispatch, Roster.of(study)
    roster, footing = with_stops(study, ground, stations)
    helpers = Helpers.of(study, ground, stations)
    asked, _ = in_metres(requests, study.crs)
    problem = asked[PROBLEM].to_numpy(dtype=object)
    warn_of(check_times(asked, roster.calendar))
    ready = Asked.of(study, ground, roster, asked[problem == ""].reset_index(drop=True))
    taken = _taken(footing, roster, helpers, dispatch, ready, optimal=optimal)
    sound = _table(study, roster, helpers, taken)
    sound.index = np.flatnonzero(problem == "")
    assigned = sound.reindex(range(len(asked)))
    assigned.insert(0, "request_id", requests["request_id"].to_numpy())
    assigned = assigned.fillna({name: 0 if name == "may_claim" else "" for name in sound if name not in WALKS})
    assigned = assigned.astype({"may_claim": "int64"} if "may_claim" in assigned else {})
    assigned["reason"] = assigned["reason"].where(problem == "", problem)
    assigned.attrs[UNPROVEN] = float(taken.unproven_s.sum())
    return marked(assigned, ground.synthetic or (MARK in requests and bool(requests[MARK].any())))


def _table(study: Study, roster: Roster, helpers: Helpers | None, taken: _Taken) -> pd.DataFrame:
    """Return the columns of assigned.csv but for the ids; those alone of agents, ways and pools that the study has."""
    dispatch, crew = study.settings.dispatch, roster.crew
    ids, tiers = (np.array([*each, ""], dtype=object) for each in (roster.station_id, roster.tier))
    own = ("",) * (len(roster) - len(roster.stops.owner))
    stops = np.array([*own, *roster.stops.name, ""], dtype=object)
    table = {
        "station_id": ids[taken.place],
        "walk_m": taken.walk_m,
        "walk_s": taken.walk_s,
        "tier": tiers[taken.place],
        "reason": taken.reason,
    }
    more = {
        "agent_id": (taken.agent_id, study.agents is not None),
        "assist_id": (taken.assist_id, crew is not None and bool(dispatch.joint)),
        "how": (taken.how, not roster.plain or helpers is not None),
        "stop": (stops[taken.place], len(roster.stops.owner) > 0),
        "may_claim": (taken.may_claim, bool(dispatch.pool)),
    }
    return pd.DataFrame({**table, **{name: column for name, (column, is_there) in more.items() if is_there}})


@dataclass(frozen=True, eq=False)
class _Taken:
    """What becomes of requests that have their points: places (-1 for none), who takes and assists, walks, reasons."""

    place: LongArray
    agent_id: npt.NDArray[np.object_]
    assist_id: npt.NDArray[np.object_]
    walk_m: FloatArray
    walk_s: FloatArray
    how: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]
    may_claim: LongArray
    unproven_s: FloatArray


def _taken(
    footing: Footing, roster: Roster, helpers: Helpers | None, dispatch: Dispatch, asked: Asked, *, optimal: bool
) -> _Taken:
    """Send requests where they are meant to go: the pool, volunteers first, or stations and then volunteers."""
    n = len(asked.ask)
    nobody, nowhere = np.full(n, "", dtype=object), np.full(n, np.nan)
    found = _Taken(
        np.full(n, -1, dtype=np.int64),
        *(nobody.copy(), nobody.copy(), nowhere.copy(), nowhere.copy(), nobody.copy(), nobody.copy()),
        np.zeros(n, dtype=np.int64),
        np.zeros(n),
    )
    pooled = np.isin(asked.item, dispatch.pool)
    if pooled.any():
        rows = np.flatnonzero(pooled)
        told = claimants(footing, roster, helpers, asked.take(rows))
        found.may_claim[rows] = np.bincount(told["request"].to_numpy(dtype=np.int64), minlength=len(rows))
        found.reason[rows] = np.where(found.may_claim[rows] > 0, "pool", "nobody-may-claim")
    load = None if helpers is None else Load.none(helpers, n)
    first = ~pooled & np.isin(asked.item, dispatch.volunteers)
    if helpers is not None and load is not None and first.any():
        load = _help(helpers, asked, np.flatnonzero(first), load, found)
        found.reason[found.how == VOLUNTEER] = "volunteers-first"
    rows = np.flatnonzero(~pooled & (found.how == ""))
    _send(footing, roster, asked.take(rows), rows, found, optimal=optimal)
    left = np.flatnonzero(~pooled & ~first & (found.place < 0))
    if helpers is not None and load is not None and len(left):
        _help(helpers, asked, left, load, found)
    return found


def _help(helpers: Helpers, asked: Asked, rows: npt.NDArray[np.intp], load: Load, found: _Taken) -> Load:
    """Give these requests to helpers who can, and write down who helps."""
    who, load = helped(helpers, asked.take(rows), load)
    some = who.agent_id != ""
    at = rows[some]
    found.agent_id[at], found.how[at] = who.agent_id[some], VOLUNTEER
    found.walk_m[at], found.walk_s[at] = who.walk_m[some], who.walk_s[some]
    return load


def _send(
    footing: Footing, roster: Roster, asked: Asked, rows: npt.NDArray[np.intp], found: _Taken, *, optimal: bool
) -> None:
    """Send these requests to stations, and write down where they go."""
    there = sent(footing, roster, asked, room_of(roster, len(rows)), optimal=optimal)
    reason = _reasons(footing, roster, asked, there)
    how = np.array(HOWS, dtype=object)[asked.abilities.how[asked.ask, there.place]]
    found.place[rows], found.walk_m[rows], found.walk_s[rows] = there.place, there.walk_m, there.walk_s
    found.how[rows], found.unproven_s[rows] = np.where(there.place >= 0, how, ""), there.unproven_s
    if roster.crew is not None:
        ids = np.array([*roster.crew.agent_id, ""], dtype=object)
        load = np.bincount(there.agent[there.agent >= 0], minlength=len(roster.crew)).astype(np.int64)
        assist = assists(footing, roster, asked, there.place, there.agent, load)
        found.agent_id[rows], found.assist_id[rows] = ids[there.agent], ids[assist]
        by_two = np.isin(asked.item, [item for item, _, _ in roster.crew.joint]) & (there.agent >= 0)
        reason[by_two & (assist < 0)] = "nobody-to-assist"
    found.reason[rows] = reason


def _reasons(footing: Footing, roster: Roster, asked: Asked, there: Destinations) -> npt.NDArray[np.object_]:
    """Return why each request goes where it goes, or nowhere; the nearest is so of the stations' own places."""
    station, now = there.place, asked.abilities
    own = np.arange(len(roster) - len(roster.stops.owner))
    stations = footing.stations.take(own) if len(own) < len(roster) else footing.stations
    walks = footing.nearest(stations, asked.snaps)
    nearest = walks.facility[:, 0]
    rank = np.append(roster.rank, -1)
    conditions = {
        "": (station == nearest) | ((station >= len(own)) & (there.walk_s <= walks.seconds[:, 0])),
        "nearest-not-eligible": ~roster.may[asked.area, nearest],
        "nearest-lacks-item": ~now.offered[asked.ask, nearest],
        "nearest-closed": ~now.opened[asked.ask, nearest],
        "nearest-nobody-on-duty": ~now.able[asked.ask, nearest],
        "nearest-higher-tier": rank[nearest] > rank[station],
    }
    reasons = np.select([*conditions.values()], [*conditions], "nearest-full").astype(object)
    rows = np.flatnonzero((station < 0) | ((rank[station] > 0) & (station != nearest)))
    limit = np.where(station[rows] < 0, len(roster), rank[station[rows]])
    why = _why_no_lower(roster, asked, _lowest_reached(footing, roster, asked, there.known, rows, limit), rows, limit)
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
    "duty": "no-agent-on-duty",
    "way": "unreachable",
    "room": "no-room-left",
}
UP = {
    **dict.fromkeys(("snap", "area"), ""),
    "item": "up-lacks-item",
    "late": "up-too-late",
    "hours": "up-closed",
    "duty": "up-nobody-on-duty",
    "way": "up-unreachable",
    "room": "up-full",
}
"""What is said of a request that no station takes, or none of a lower tier, by what these lack."""


def _why_no_lower(
    roster: Roster, asked: Asked, reached: IntArray, rows: npt.NDArray[np.intp], limit: IntArray
) -> npt.NDArray[np.object_]:
    """Return what the stations lack that are of a lower rank than ``limit``, the lowest that can be walked to given."""
    lower, ask = roster.may[asked.area[rows]] & (roster.rank < limit[:, None]), asked.ask[rows]
    offered, opened = lower & asked.abilities.offered[ask], (lower & asked.abilities.opened[ask]).any(axis=1)
    late = (limit < len(roster)) & (offered & roster.may_wait).any(axis=1)
    conditions = {
        "snap": ~asked.snaps.snapped[rows],
        "area": ~lower.any(axis=1),
        "item": ~offered.any(axis=1),
        "late": ~opened & late,
        "hours": ~opened,
        "duty": ~(lower & asked.able[ask]).any(axis=1),
        "way": reached >= limit,
    }
    return np.select([*conditions.values()], [*conditions], "room").astype(object)


def _lowest_reached(
    footing: Footing, roster: Roster, asked: Asked, known: Preferences, rows: npt.NDArray[np.intp], limit: IntArray
) -> IntArray:
    """Return the lowest rank of a station that could take each request and can be walked to, full or not."""
    reached = _first_rank(roster, known)[rows]
    doubtful = rows[(reached >= limit) & asked.snaps.snapped[rows]]
    if roster.limited and len(doubtful):  # stations that were full by then are on no list
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
