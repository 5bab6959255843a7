"""What each station can take, when and how: by its items and hours, by appointment, at the door, by who is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import APPOINTMENT, DOOR, STOP, BoolArray, IntArray, ReadOnlyArrays
from lifecircle.service import offers

if TYPE_CHECKING:
    from lifecircle.dispatch.roster import Roster
    from lifecircle.workdays import Calendar

WAIT = "wait"
HOWS = ("", STOP, APPOINTMENT, DOOR, WAIT)
"""How a request is served: at the station in its hours; at a stop; where neither can, by the first of the others."""

AT_ANY_TIME = tuple(HOWS.index(how) for how in (APPOINTMENT, WAIT))
"""Ways by which a request meets an agent at another time than its own: the hours of agents do not count."""

Moments = npt.NDArray[np.datetime64]


@dataclass(frozen=True, eq=False)
class Abilities(ReadOnlyArrays):
    """Which places of service can take which requests; places are the rows of a roster.

    Request i asks ``ask[i]``: an item, ``item[i]``, at a time, ``time[i]`` (``ask_item`` and ``ask_time`` of each ask),
    which are the rows of the others:
    ``offered``, ``opened`` and ``able`` (n_asks, n_places) say whether a place does the item at all, at that time, and
    with somebody there who can; ``how`` (the same) numbers `HOWS`. ``duty`` (n_times, n_agents) and ``skilled``
    (n_items, n_agents) are of the agents of its crew.
    """

    ask: IntArray
    item: npt.NDArray[np.intp]
    time: npt.NDArray[np.intp]
    offered: BoolArray
    opened: BoolArray
    able: BoolArray
    how: npt.NDArray[np.int8]
    duty: BoolArray
    skilled: BoolArray
    ask_item: npt.NDArray[np.intp]
    ask_time: npt.NDArray[np.intp]

    def take(self, rows: npt.NDArray[np.intp]) -> Abilities:
        """Return what is known of some of the requests."""
        return replace(self, ask=self.ask[rows], item=self.item[rows], time=self.time[rows])

    def staffed(self, roster: Roster, free: BoolArray) -> BoolArray:
        """Return (n_asks, n_places) where one of the ``free`` agents (n_agents,) can take it, or none is listed."""
        some, there = _staffed(roster, self.skilled & free, self.duty, self.ask_item, self.ask_time)
        return np.where(np.isin(self.how, AT_ANY_TIME), some, there)

    @classmethod
    def of(cls, roster: Roster, items: npt.NDArray[np.str_], when: Moments) -> Abilities:
        """Return what can take requests for these items (empty: any) at these local times (NaT: unknown)."""
        item, of_item = np.unique(items, return_inverse=True)
        is_open, of_time = _Hours(roster).at(when)
        asks, ask = np.unique(of_item * len(is_open.station) + of_time, return_inverse=True)
        ask_item, ask_time = np.divmod(asks, len(is_open.station))
        offered = _offering(roster.items, item)[ask_item]
        opened = offered & is_open.station[ask_time]
        skilled = _skilled(roster, item)
        has_skill, staffed = _staffed(roster, skilled, is_open.agent, ask_item, ask_time)
        able = opened & staffed
        how = np.where(able, np.array([HOWS.index(STOP) if stop else 0 for stop in roster.is_stop], dtype=np.int8), 0)
        for way, place, its_items, is_now in is_open.ways:
            does, now = _offering([its_items or roster.items[place]], item)[ask_item, 0], is_now[ask_time]
            now &= (way != WAIT) | ~is_open.station[ask_time, place]
            there = has_skill[:, place] if way in (APPOINTMENT, WAIT) else staffed[:, place]
            how[~able[:, place] & does & now & there, place] = HOWS.index(way)
            offered[:, place] |= does
            opened[:, place] |= does & now
            able[:, place] |= does & now & there
        return cls(
            ask.astype(np.int32),
            of_item,
            of_time,
            offered,
            opened,
            able,
            how.astype(np.int8),
            is_open.agent,
            skilled,
            ask_item,
            ask_time,
        )


@dataclass(frozen=True, eq=False)
class _Open:
    """What is open at each of some times: (n_times, n_places) and (n_times, n_agents), and each further way."""

    station: BoolArray
    agent: BoolArray
    ways: list[tuple[str, int, str, BoolArray]]


class _Hours:
    """The hours of all that a roster has, each text of which is read once."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._number: dict[tuple[str, bool, float], int] = {}
        self._places = [
            self._text(hours, known=bool(stop and hours))
            for hours, stop in zip(roster.hours, roster.is_stop.tolist(), strict=True)
        ]
        self._agents = [self._text(hours) for hours in (roster.crew.hours if roster.crew else ())]
        ways = [*zip(roster.ways.how, roster.ways.station, roster.ways.items, roster.ways.hours, strict=True)]
        self._ways = [(how, int(place), items, self._text(hours)) for how, place, items, hours in ways]
        # Who comes to a door that is shut, but opens in time, waits: the last of the ways.
        self._ways += [
            (WAIT, place, "", self._text(roster.hours[place], wait_min=minutes))
            for place, minutes in enumerate(roster.wait_min.tolist())
            if minutes > 0 and roster.hours[place]
        ]

    def _text(self, hours: str, *, known: bool = False, wait_min: float = 0.0) -> int:
        """Return the number of hours; ``known`` are those that hold at no time that nobody knows."""
        return self._number.setdefault((hours, known, wait_min), len(self._number))

    def at(self, when: Moments) -> tuple[_Open, npt.NDArray[np.intp]]:
        """Return what is open at all times that differ by it, and which of these each request has."""
        times, of_request = np.unique(when, return_inverse=True)  # NaT, which counts as one time, comes last
        is_open = _together(self._roster.calendar, [*self._number], times)
        packed, of_time = np.unique(np.packbits(is_open, axis=1), axis=0, return_inverse=True)
        each = np.unpackbits(packed, axis=1, count=len(self._number)).astype(bool)
        ways = [(how, place, items, each[:, number]) for how, place, items, number in self._ways]
        return _Open(each[:, self._places], each[:, self._agents], ways), of_time.reshape(-1)[of_request]


def _together(calendar: Calendar, texts: Sequence[tuple[str, bool, float]], times: Moments) -> BoolArray:
    """Return (n_times, n_texts) which hours hold; the times ascend, one that nobody knows last."""
    stated = times[~np.isnat(times)]
    is_open = np.ones((len(times), len(texts)), dtype=bool)
    opened = calendar.opened_at(stated)
    for number, (hours, known, wait_min) in enumerate(texts):
        holds = calendar.opens_within(hours, stated, wait_min) if wait_min else opened(hours)
        is_open[: len(stated), number] = holds
        is_open[len(stated) :, number] = not known
    return is_open


def _offering(lists: Sequence[str], item: npt.NDArray[np.str_]) -> BoolArray:
    """Return (n_items, n_lists) which lists of items have an item; an empty list has all."""
    series = pd.Series(list(lists), dtype="str")
    distinct, of_list = np.unique(series.to_numpy(dtype=str), return_inverse=True)
    table = pd.DataFrame({"items": distinct.astype(object), "tier": ""})
    rows = [offers(table, items=(str(each),) if each else ()) for each in item]
    return np.array(rows, dtype=bool).reshape(len(item), len(distinct))[:, of_list]


def _skilled(roster: Roster, item: npt.NDArray[np.str_]) -> BoolArray:
    """Return (n_items, n_agents) who has the skill for an item."""
    if roster.crew is None:
        return np.zeros((len(item), 0), dtype=bool)
    return _offering(roster.crew.skills, np.array([roster.crew.lead_skill(str(each)) for each in item], dtype=str))


def _staffed(
    roster: Roster, skilled: BoolArray, duty: BoolArray, item: npt.NDArray[np.intp], time: npt.NDArray[np.intp]
) -> tuple[BoolArray, BoolArray]:
    """Return (n_asks, n_places) where somebody has the skill, and where enough are on duty, one of them with the skill.

    Both are so where a station lists no agents.
    """
    crew = roster.crew
    if crew is None:
        everywhere = np.broadcast_to(True, (len(item), len(roster)))
        return everywhere, everywhere
    with_agents = np.flatnonzero(crew.has_agents)
    begins = crew.first[with_agents]
    enough = np.add.reduceat(duty, begins, axis=1, dtype=np.int32) >= crew.needed[with_agents]
    some, there = (np.ones((len(item), len(crew.first) - 1), dtype=bool) for _ in range(2))
    some[:, with_agents] = np.logical_or.reduceat(skilled, begins, axis=1)[item]
    for number in np.unique(item):
        asks = np.flatnonzero(item == number)
        now = np.logical_or.reduceat(duty[time[asks]] & skilled[number], begins, axis=1)
        there[np.ix_(asks, with_agents)] = now & enough[time[asks]]
    return some[:, roster.owner], there[:, roster.owner]
