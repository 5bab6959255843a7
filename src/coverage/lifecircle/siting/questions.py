"""The questions an official asks about sites: one objective, and the conditions that a plan must meet.

Symbols: demand points i with residents w_i (``weights``); sites j (rows of ``walks``); t_ij the seconds from i to j; F
the sites that stand (``fixed``) and do not close; S the sites opened beside them.

Competition between providers and stations that attract by their size are outside these questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal

from lifecircle.errors import Breach, StudyError
from lifecircle.model import FloatArray, ReadOnlyArrays
from lifecircle.siting.conditions import (
    MOST,
    AtLeast,
    Budget,
    Capacity,
    Case,
    Floor,
    Itinerary,
    Moves,
    Named,
    Standard,
    Tiers,
    breach,
    is_amount,
    is_number,
    is_whole,
)

Sense = Literal["max", "min"]
"""Whether a larger value is better or a smaller one."""

Unit = Literal["residents", "stations", "person-seconds", "seconds"]
"""What a question's value counts. Stations are whole; residents may be fractions."""

SHARE_TOLERANCE = 1e-9
"""A share is met when it lacks no more than this part of the residents it is taken of."""


@dataclass(frozen=True)
class MostResidents:
    """The most residents within a cutoff of some station (maximal covering, MCLP).

    Maximise the sum of w_i over the demand points for which every standard holds: t_ij <= ``cutoff_s`` for some j in F
    or S, and likewise each of ``also`` with the stations of its tier. Fewer sites are opened than may be where a
    further one would win nobody. Beyond the cutoff nothing counts, however near; a home that no site can be reached
    from adds nothing and costs nothing.

    Notes
    -----
    R. Church, C. ReVelle (1974), The maximal covering location problem, https://doi.org/10.1007/BF01942293.
    """

    cutoff_s: float
    also: tuple[Standard, ...] = ()

    name: ClassVar[str] = "most"
    sense: ClassVar[Sense] = "max"
    unit: ClassVar[Unit] = "residents"

    @property
    def standards(self) -> tuple[Standard, ...]:
        """All that must hold for a resident to count."""
        return (Standard(self.cutoff_s), *self.also)


@dataclass(frozen=True)
class FewestStations:
    """The fewest new stations that bring a share of the residents within a cutoff (set covering, partial, LSCP).

    Minimise the number of sites in S, so that the sum of w_i over the demand points for which every standard holds (see
    `MostResidents`) is at least ``share`` of the *base*: the same sum with every site open. Beyond the cutoff nothing
    counts, however near; a home that no site can be reached from within the cutoff is outside the base and costs
    nothing. The share is held to `SHARE_TOLERANCE` of the base. Without a ``share`` the conditions alone say what must
    be reached.

    Notes
    -----
    C. Toregas, R. Swain, C. ReVelle, L. Bergman (1971), The location of emergency service facilities,
    https://doi.org/10.1287/opre.19.6.1363; M. Daskin, S. Owen (1999), Two new location covering problems: the partial
    p-center problem and the partial set covering problem, Geographical Analysis 31, 217-235.
    """

    cutoff_s: float
    share: float | None = None
    also: tuple[Standard, ...] = ()

    name: ClassVar[str] = "fewest"
    sense: ClassVar[Sense] = "min"
    unit: ClassVar[Unit] = "stations"

    @property
    def standards(self) -> tuple[Standard, ...]:
        """All that must hold for a resident to count."""
        return (Standard(self.cutoff_s), *self.also)


@dataclass(frozen=True)
class ShortestWalks:
    """The shortest walks in sum (p-median with a cutoff).

    Minimise the sum of w_i min(min over j in F and S of t_ij, ``cutoff_s``): a walk beyond the cutoff, and a home that
    reaches no station, cost the cutoff. Of tiers any will do. Under a capacity the walk is to the station that serves,
    and who is not served costs the cutoff.

    Notes
    -----
    S. L. Hakimi (1964), Optimum locations of switching centers and the absolute centers and medians of a graph,
    https://doi.org/10.1287/opre.12.3.450.
    """

    cutoff_s: float

    name: ClassVar[str] = "shortest"
    sense: ClassVar[Sense] = "min"
    unit: ClassVar[Unit] = "person-seconds"

    @property
    def standards(self) -> tuple[Standard, ...]:
        """What counts as reached in the plan's figures and in floors that state nothing else."""
        return (Standard(self.cutoff_s),)


@dataclass(frozen=True)
class FairestWalks:
    """The shortest longest walk (p-center over the homes that can be reached at all).

    Minimise the largest min over j in F and S of t_ij over the demand points with residents that the walks bring to
    some site. All of them must be reached; a home that no site can be reached from is left out. Of tiers any will do.
    There is no cutoff but that of the walks themselves: a pair that is not in them counts as no way.

    Notes
    -----
    O. Kariv, S. L. Hakimi (1979), An algorithmic approach to network location problems I: the p-centers,
    https://doi.org/10.1137/0137040.
    """

    name: ClassVar[str] = "fairest"
    sense: ClassVar[Sense] = "min"
    unit: ClassVar[Unit] = "seconds"

    @property
    def standards(self) -> tuple[Standard, ...]:
        """None: how far all are reached is the answer."""
        return ()


Objective = MostResidents | FewestStations | ShortestWalks | FairestWalks


@dataclass(frozen=True, eq=False)
class Question(ReadOnlyArrays):
    """One objective and the conditions that a plan must meet.

    Attributes
    ----------
    objective
        What is best.
    n_new
        How many sites may be opened beside the fixed ones; None: any number that the other conditions allow.
    budget
        What they may cost; with years, when they open.
    moves
        Which of the fixed sites may close; None: none.
    at_least
        How many sites every area must have.
    floors
        Shares that must be reached.
    tiers
        The kinds of station that a site can open as; None: one.
    capacity
        What a site can take on; `MostResidents` and shares then count who is *served*.
    backup
        Worth of a resident who is reached by two stations, beside the 1 for the first, from 0 to 1.
    cases
        What may happen: the value is that of the worst case, and every share holds in each. The day on which nothing
        happens is a case only where it is listed. With years, the worst case of each year counts. Walks of a case
        replace those of the question; sites out of service still count for ``at_least``.
    priority
        Factor per demand point, shape (n_demand,), on the residents in the objective, and nowhere else.
    itinerary
        What opens are the stops of a team on weekdays.

    Raises
    ------
    StudyError
        With every value that cannot be meant and every combination that makes no sense.

    Examples
    --------
    >>> Question(MostResidents(cutoff_s=480.0), n_new=3).sense
    'max'
    >>> Question(FewestStations(cutoff_s=0.0, share=1.2), n_new=-1)
    Traceback (most recent call last):
    lifecircle.errors.StudyError: the question cannot be meant
      - scenario: cutoff_s is 0.0; it must be a finite number above 0
      - scenario: share is 1.2; it must be above 0 and at most 1
      - scenario: n_new is -1; it must be a whole number of stations, 0 or more
    """

    objective: Objective
    _: KW_ONLY
    n_new: int | None = None
    budget: Budget | None = None
    moves: Moves | None = None
    at_least: AtLeast | None = None
    floors: tuple[Floor, ...] = ()
    tiers: Tiers | None = None
    capacity: Capacity | None = None
    backup: float = 0.0
    cases: tuple[Case, ...] = ()
    priority: FloatArray | None = None
    itinerary: Itinerary | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        breaches = [*self._wrong_values(), *self._wrong_together()]
        if breaches:
            raise StudyError("the question cannot be meant", breaches=breaches)

    @property
    def sense(self) -> Sense:
        """Whether a larger value is better or a smaller one."""
        return self.objective.sense

    @property
    def unit(self) -> Unit:
        """What the value counts."""
        return self.objective.unit

    @property
    def n_tiers(self) -> int:
        """How many kinds of station there are."""
        return 1 if self.tiers is None else self.tiers.n

    @property
    def n_years(self) -> int:
        """How many stages there are."""
        return 1 if self.budget is None else max(1, len(self.budget.by_year))

    @property
    def happenings(self) -> tuple[Case, ...]:
        """The cases, or the one case in which nothing happens."""
        return self.cases or (Case(),)

    @property
    def may_close(self) -> tuple[int, ...]:
        """The fixed sites that may close."""
        return () if self.moves is None else self.moves.may_close

    def arrays(self) -> Iterator[Named]:
        """Yield all arrays with one number per site or demand point."""
        for condition in (self.budget, self.at_least, *self.floors, self.tiers, self.capacity, self.itinerary):
            if condition is not None:
                yield from condition.arrays()
        if self.priority is not None:
            yield "priority", self.priority, "demand point"

    def _wrong_values(self) -> Iterator[Breach]:
        for standard in self.objective.standards:
            yield from standard.breaches()
        if isinstance(self.objective, FewestStations) and self.objective.share is not None:
            share = self.objective.share
            if not is_number(share, above=0.0, most=1.0):
                yield breach("share-range", f"share is {share!r}; it must be above 0 and at most 1")
        if self.n_new is not None and not is_whole(self.n_new, least=0):
            yield breach("n-new-whole", f"n_new is {self.n_new!r}; it must be a whole number of stations, 0 or more")
        parts = (self.budget, self.moves, self.at_least, *self.floors, self.tiers, self.capacity, *self.cases)
        for condition in (*parts, self.itinerary):
            if condition is not None:
                yield from condition.breaches()
        if not is_number(self.backup, least=0.0, most=1.0):
            yield breach("backup-range", f"backup is {self.backup!r}; it must be from 0 to 1")
        if self.priority is not None and not is_amount(self.priority).all():
            yield breach("priority-range", f"priorities must be numbers from 0 to {MOST:g}")

    def _wrong_together(self) -> Iterator[Breach]:
        """Yield the combinations that make no sense, each by the names of its two parts."""
        stated = {self.objective.name, *(name for name, is_there in self._stated() if is_there)}
        for one, other, why in SENSELESS:
            if one in stated and other in stated:
                yield breach(f"{one}-with-{other}", f"{one} and {other} make no sense together: {why}")
        highest = max((s.tier for s in self._standards() if is_whole(s.tier, least=0)), default=0)
        if highest >= self.n_tiers:
            yield breach("tier-unknown", f"a standard asks for tier {highest}, of {self.n_tiers} tiers from 0 on")
        if self.budget is not None and self.budget.cost.ndim == 2 and len(self.budget.cost) != self.n_tiers:
            yield breach("cost-tiers", f"costs have {len(self.budget.cost)} rows for {self.n_tiers} tiers")
        if self.objective.name != "fewest" and not stated & {"n_new", "budget", "moves", "itinerary"}:
            message = f"{self.objective.name} needs n_new, a budget, moves or an itinerary: else every site would open"
            yield breach("no-limit", message)
        if (
            isinstance(self.objective, FewestStations)
            and self.objective.share is None
            and not stated
            & {
                "floors",
                "at_least",
            }
        ):
            yield breach("nothing-asked", "fewest needs a share, floors or at_least: else no site would open")
        if any(floor.standards for floor in self.floors) and self.capacity is not None:
            yield breach("floor-served", "under a capacity floors count who is served; they state no standards")
        if not self.objective.standards and any(not floor.standards for floor in self.floors):
            yield breach("floor-standards", f"{self.objective.name} has no cutoff: its floors must state standards")

    def _stated(self) -> Iterator[tuple[str, bool]]:
        yield "also", len(self.objective.standards) > 1
        yield "n_new", self.n_new is not None
        yield "budget", self.budget is not None
        yield "years", self.budget is not None and bool(self.budget.by_year)
        yield "moves", self.moves is not None
        yield "at_least", self.at_least is not None
        yield "floors", bool(self.floors)
        yield "tiers", self.tiers is not None
        yield "capacity", self.capacity is not None
        yield "backup", self.backup != 0.0
        yield "cases", bool(self.cases)
        yield "priority", self.priority is not None
        yield "itinerary", self.itinerary is not None

    def _standards(self) -> Iterator[Standard]:
        yield from self.objective.standards
        for floor in self.floors:
            yield from floor.standards


SENSELESS = (
    ("fewest", "priority", "stations are counted, and a priority weighs residents"),
    ("fewest", "backup", "stations are counted, and a backup is worth residents"),
    ("fewest", "years", "stations are counted, in whichever year they open"),
    ("fewest", "moves", "closing a station never lets fewer be opened"),
    ("shortest", "backup", "a walk is to the nearest station"),
    ("fairest", "backup", "a walk is to the nearest station"),
    ("fairest", "priority", "the longest walk is no sum that a factor could weigh"),
    ("fairest", "years", "the longest walk is that of the last year alone"),
    ("fairest", "capacity", "the longest walk is that of all, whoever is served"),
    ("tiers", "capacity", "nothing says for which tier a place is taken"),
    ("also", "capacity", "a place is taken within one circle"),
    ("backup", "capacity", "a place at a second station would be taken from another resident"),
    ("itinerary", "years", "a timetable is that of a week"),
    ("itinerary", "tiers", "the stops of one team are of one kind"),
    ("itinerary", "moves", "a stop replaces no station"),
)
"""What makes no sense together, and why; everything else can be combined."""
