"""Requests to stations that list agents: who of them takes each, and who assists."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lifecircle.dispatch.abilities import AT_ANY_TIME
from lifecircle.dispatch.crew import Crew
from lifecircle.dispatch.preferences import PreferenceLists, Preferences
from lifecircle.dispatch.requests import Asked
from lifecircle.dispatch.roster import Roster, Ways
from lifecircle.ground import Footing
from lifecircle.model import BoolArray, LongArray


@dataclass(frozen=True, eq=False)
class Lists:
    """Stations by request, the best first, as ``kernels.crews`` takes them.

    Request i has the entries from ``indptr[i]``; ``place`` is the place of service of each, ``station`` whose it is,
    ``any_time`` whether the hours of its agents count for nothing there.
    """

    indptr: LongArray
    place: LongArray
    station: LongArray
    any_time: BoolArray


def lists_of(roster: Roster, asked: Asked, known: Preferences) -> Lists:
    """Return lists of places as those of their stations."""
    request = np.repeat(np.arange(len(asked.ask)), np.diff(known.indptr))
    how = asked.abilities.how[asked.ask[request], known.station]
    place = known.station.astype(np.int64)
    return Lists(known.indptr, place, roster.owner[place], np.isin(how, AT_ANY_TIME))


def in_turn(
    crew: Crew,
    asked: Asked,
    lists: Lists,
    room: LongArray,
    *,
    load: LongArray | None = None,
    but: LongArray | None = None,
) -> tuple[LongArray, LongArray, LongArray]:
    """Return the entry and the agent that each request gets in its turn, -1 for none, and how many each agent has.

    Parameters
    ----------
    room
        (n_stations,) how many requests each takes.
    load
        How many each agent has already; None: none.
    but
        (n_requests,) an agent whom each request cannot have; None: it may have any.
    """
    from lifecircle.kernels import crews  # compiled code loads when it is first needed

    nobody, now = np.full(len(asked.ask), -1, dtype=np.int64), asked.abilities
    duty, skilled = np.ascontiguousarray(now.duty), np.ascontiguousarray(now.skilled)
    given: tuple[LongArray, LongArray, LongArray] = crews.in_turn(
        *(lists.indptr, lists.station, lists.any_time, asked.order, room, crew.first, crew.capacity),
        np.zeros(len(crew), dtype=np.int64) if load is None else load,
        *(duty, skilled, now.time, now.item),
        nobody if but is None else but,
    )
    return given


def who_can(crew: Crew, asked: Asked, lists: Lists) -> tuple[LongArray, LongArray]:
    """Return entries of lists and the agents of their stations who can take the request, by entry and then agent.

    Who takes none at all, by a capacity of 0, is none of them.
    """
    n_each = np.diff(crew.first)[lists.station]
    entry = np.repeat(np.arange(len(n_each)), n_each)
    agent = crew.first[lists.station[entry]] + np.arange(len(entry)) - (np.cumsum(n_each) - n_each)[entry]
    who = np.repeat(np.arange(len(asked.ask)), np.diff(lists.indptr))[entry]
    now = asked.abilities
    can = now.skilled[now.item[who], agent] & (lists.any_time[entry] | now.duty[now.time[who], agent])
    can &= crew.capacity[agent] >= 1
    return entry[can], agent[can]


def by_agent(crew: Crew, asked: Asked, lists: Lists, known: Preferences) -> tuple[Preferences, LongArray, LongArray]:
    """Return lists in which the agents who can stand for stations whose agents have capacities.

    Returns
    -------
    tuple
        The lists, in whose numbers behind each station come its agents, so that of equally near ones the first serves;
        the entry of ``known`` that each entry is of; and the agent, -1 for a station.
    """
    whole = np.flatnonzero(~crew.by_agents()[lists.station])
    entry, agent = who_can(crew, asked, lists)
    part = crew.by_agents()[lists.station[entry]]
    entry = np.concatenate([whole, entry[part]])
    agent = np.concatenate([np.full(len(whole), -1), agent[part]])
    order = np.argsort(entry, kind="stable")
    entry, agent = entry[order], agent[order]
    station = lists.station[entry]
    facility = (station + np.where(agent < 0, crew.first[station], agent + 1)).astype(np.int32)
    indptr = np.searchsorted(entry, lists.indptr).astype(np.int64)
    each = (known.cost_s[entry], known.seconds[entry], known.walk_m[entry])
    return Preferences(indptr, facility, *each, known.complete_s), entry, agent


def assists(
    footing: Footing, roster: Roster, asked: Asked, place: LongArray, lead: LongArray, load: LongArray
) -> LongArray:
    """Return who assists the lead of each request that two handle, -1 for nobody.

    That is somebody of the same station, else of the nearest one that may serve the home; on duty, with the skill, and
    with room left when all leads are given.

    Parameters
    ----------
    place, lead
        (n_requests,) where each goes and who takes it, -1 for none.
    load
        (n_agents,) how many requests each has.
    """
    crew, found = roster.crew, np.full(len(lead), -1, dtype=np.int64)
    if crew is None or not crew.joint:
        return found
    skill_of = {item: skill for item, _, skill in crew.joint}
    rows = np.flatnonzero(np.isin(asked.item, [*skill_of]) & (lead >= 0))
    if not len(rows):
        return found
    people = people_of(roster, crew)
    skills = np.array([skill_of[str(item)] for item in asked.item[rows]], dtype=str)
    some = asked.take(rows).asking(people, skills)
    some = replace(some, able=some.able & crew.has_agents[people.owner] & ~people.is_stop)
    own, how = roster.owner[place[rows]], asked.abilities.how[asked.ask[rows], place[rows]]
    lists, room = PreferenceLists(footing, people, some), np.full(len(crew.first) - 1, len(rows))
    while True:
        known = lists.preferences()
        _, agent, _ = in_turn(crew, some, _own_first(known, own, how), room, load=load, but=lead[rows])
        further = np.flatnonzero((agent < 0) & np.isfinite(known.complete_s))
        if not len(further):
            found[rows] = agent
            return found
        lists.extend(further)


def people_of(roster: Roster, crew: Crew) -> Roster:
    """Return a roster in which what counts of a station is that somebody of it is on duty who has the skill."""
    anything = ("",) * len(roster)
    one = replace(crew, joint=(), needed=np.ones_like(crew.needed))
    return replace(roster, items=anything, hours=anything, ways=Ways(), wait_min=np.empty(0), crew=one)


def _own_first(known: Preferences, own: LongArray, how: npt.NDArray[np.int8]) -> Lists:
    """Return lists of stations, before each the one that a request has, as it has it."""
    at, place = known.indptr[:-1], known.station.astype(np.int64)
    any_time = np.insert(np.zeros(len(place), dtype=bool), at, np.isin(how, AT_ANY_TIME))
    stations = np.insert(place, at, own)
    return Lists(known.indptr + np.arange(len(known.indptr)), stations, stations, any_time)
