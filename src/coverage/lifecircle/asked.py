"""What a ``[[scenario]]`` asks, in the words of the study file: one question and the conditions that a plan must meet.

Names and ids are those of the study; `lifecircle.scenarios` turns them into numbers. Money is in the currency of the
``cost`` columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

QUESTIONS = ("most", "fewest", "shortest", "fairest")
"""The most residents within the circle; the fewest new stations; the shortest walks in sum; the shortest longest
walk."""

SOURCES = ("study", "rooms", "proposed")
"""Where candidates come from: the input of that name, buildings of some kinds, or clusters of unserved residents."""

SPLITS = ("split", "whole")
"""Whether the residents of a building may go to several stations, or go to one together, under capacities."""

STATED = ("open", "close", "move", "speeds", "closed")
"""What a scenario may state by hand, so that it need ask nothing."""

BASES = ("residents", "reachable")
"""Of whom a share is taken: of all, or of those whom all sites, open, would reach."""


@dataclass(frozen=True)
class AreaBudget:
    """What the new sites of each area of ``level`` may cost: ``amount``, or what ``amounts`` says of an area's id."""

    level: str
    amount: float = 0.0
    amounts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AreaMinimum:
    """At least ``n`` stations in every area of ``level``; with ``or_all``, all places of an area that has fewer."""

    level: str
    n: int = 1
    or_all: bool = False


@dataclass(frozen=True)
class Floor:
    """A share that must be reached: of all, or in each area of ``level``; of everybody, or of one class or attribute.

    ``circle`` is the one within which they must be; empty: the scenario's.
    """

    share: float
    group: str = ""
    level: str = ""
    circle: str = ""
    of: str = "residents"


@dataclass(frozen=True)
class Case:
    """What may happen: ways that are closed, and stations or candidates out of service."""

    name: str
    closed: tuple[str, ...] = ()
    out_of_service: tuple[str, ...] = ()


@dataclass(frozen=True)
class Itinerary:
    """One team that tours: at most ``stops_per_day`` on each of ``days``, at sites whose hours hold at that time."""

    stops_per_day: int
    days: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri")
    at: str = "10:00"


@dataclass(frozen=True)
class Award:
    """Money for the stations that most residents have as their nearest, ``stations`` of them, ``amount`` each."""

    stations: int
    amount: float


@dataclass(frozen=True)
class Scenario:
    """A siting question as the study file asks it, the ground that it starts from, or that ground alone.

    ========================= ======================================================================================
    question, circle          one of `QUESTIONS`, and the circle that counts; empty where nothing is asked
    open, close, move         candidates that stand before anything is asked, stations that are gone, and by the station
                              that moves the candidate in whose place it then stands
    speeds, closed            metres per second by class, and ids of ways that are closed; in this scenario alone
    also                      further circles within which a resident must be to count
    n_new                     how many stations may be added
    share                     of those who can be reached at all, for ``fewest``
    budget, area_budget       what new stations may cost, in all and area by area
    years                     what they may cost year by year; they open in that order
    cost                      by kind of site, or by tier where there are tiers; else the column ``cost``
    max_moves                 how many of today's stations may close so that others open
    may_close, keep           which of them may, by id or tier, else those of the lowest tier; which may not
    at_least, floors          what every area must have, and which shares must be reached
    tiers                     what a site can open as, the lowest first; each serves as every lower one too
    capacity                  one of `SPLITS`: the column ``capacity`` holds, and who is reached is not yet served
    backup                    worth of a resident whom two stations reach, beside the 1 for the first
    priority                  factor on the residents of a class or attribute, in the objective alone
    cases                     the worst of them counts
    itinerary                 what opens are stops of a team
    award                     money after the plan, not part of it
    candidates_from, kinds    one of `SOURCES`, and the kinds of site; empty: the study's, all, or proposed if none
    ========================= ======================================================================================
    """

    name: str
    question: str = ""
    circle: str = ""
    n_new: int | None = None
    share: float | None = None
    also: tuple[str, ...] = ()
    budget: float | None = None
    area_budget: AreaBudget | None = None
    years: tuple[float, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    max_moves: int | None = None
    may_close: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    at_least: AreaMinimum | None = None
    floors: tuple[Floor, ...] = ()
    tiers: tuple[str, ...] = ()
    capacity: str = ""
    backup: float = 0.0
    priority: Mapping[str, float] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    itinerary: Itinerary | None = None
    award: Award | None = None
    candidates_from: str = ""
    kinds: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    move: Mapping[str, str] = field(default_factory=dict)
    speeds: Mapping[str, float] = field(default_factory=dict)
    closed: tuple[str, ...] = ()

    @property
    def opened(self) -> tuple[str, ...]:
        """Candidates that stand before anything is asked."""
        return (*self.open, *self.move.values())

    @property
    def gone(self) -> tuple[str, ...]:
        """Stations of today that do not."""
        return (*self.close, *self.move)

    @property
    def circles(self) -> tuple[str, ...]:
        """The circles within which a resident must be to count."""
        return (self.circle, *self.also)

    @property
    def has_budget(self) -> bool:
        """Whether costs play a part."""
        return self.budget is not None or self.area_budget is not None or bool(self.years)

    @property
    def stated(self) -> dict[str, object]:
        """What the study file says of it beside its name, in the study file's words."""
        return {key: said for key, said in _stated(asdict(self)).items() if key != "name"}


def _stated(table: Mapping[str, object]) -> dict[str, object]:
    """Return a table without what it does not say, and so the tables in it."""
    found: dict[str, object] = {}
    for key, value in table.items():
        if value is None or value is False or value in ("", (), {}) or (key == "backup" and value == 0.0):
            continue
        if isinstance(value, Mapping):
            found[key] = _stated(value)
        elif isinstance(value, tuple):
            found[key] = [_stated(each) if isinstance(each, Mapping) else each for each in value]
        else:
            found[key] = value
    return found
