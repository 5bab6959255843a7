"""What limits a plan beside its objective: each condition as a frozen dataclass.

Sites are rows of the walks, demand points their columns; arrays by site or by demand point follow that order. Areas
are whole numbers from 0; -1 stands for no area. A condition is checked together with the question that holds it
(`lifecircle.siting.questions.Question`), so that everything wrong with a question is said at once; `arrays` names what
must have one number per site or per demand point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks

Axis = Literal["site", "demand point"]
"""What an array has one number for."""

LEAST, MOST = 1e-15, 1e15
"""Amounts above 0 that make sense: with others, a sum of many would not be a number."""

Named = tuple[str, npt.NDArray[np.generic], Axis]
"""The name of an array, the array, and what its last axis counts."""


@dataclass(frozen=True)
class Standard:
    """A station of ``tier`` or a higher one, within ``cutoff_s`` seconds, inclusive."""

    cutoff_s: float
    tier: int = 0

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not is_number(self.cutoff_s, above=0.0):
            yield breach("cutoff-positive", f"cutoff_s is {self.cutoff_s!r}; it must be a finite number above 0")
        if not is_whole(self.tier, least=0):
            yield breach("tier-whole", f"the tier of a standard is {self.tier!r}; it must be a whole number from 0 on")


@dataclass(frozen=True, eq=False)
class Budget(ReadOnlyArrays):
    """What new sites may cost: in all, by the area that they stand in, or year by year.

    Attributes
    ----------
    cost
        Money per site, shape (n_sites,), or per tier and site, (n_tiers, n_sites); inf where a site cannot be opened
        so. Sites that stand cost nothing.
    total
        The sum of the costs of all new sites may not exceed it.
    by_area
        The same for the new sites of each area, shape (n_areas,); needs ``site_area``.
    site_area
        The area of each site.
    by_year
        Money per year. Years make *stages*: a site opens in one of them and stays open, what one year does not spend is
        lost, and the value of a plan is the sum over the years of what counts at each year's end. Every other condition
        holds when all is built.
    """

    cost: FloatArray
    total: float | None = None
    by_area: FloatArray | None = None
    site_area: LongArray | None = None
    by_year: tuple[float, ...] = ()

    def arrays(self) -> Iterator[Named]:
        """Yield the arrays with one number per site."""
        yield "budget.cost", self.cost, "site"
        if self.site_area is not None:
            yield "budget.site_area", self.site_area, "site"

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not (is_amount(self.cost) | np.isposinf(self.cost)).all() or ((self.cost > 0.0) & (self.cost < LEAST)).any():
            text = f"costs must be 0 or from {LEAST:g} to {MOST:g}; inf where a site cannot be opened so"
            yield breach("cost-range", text)
        amounts = [] if self.total is None else [self.total]
        amounts += [*self.by_year, *([] if self.by_area is None else self.by_area.tolist())]
        if not all(is_number(amount, least=0.0, most=MOST) for amount in amounts):
            yield breach("budget-range", f"budgets must be amounts from 0 to {MOST:g}")
        if not amounts:
            yield breach("budget-empty", "a budget needs a total, amounts by_area or amounts by_year")
        if (self.by_area is None) != (self.site_area is None):
            yield breach("budget-areas", "by_area and site_area go together")
        elif (
            self.by_area is not None
            and self.site_area is not None
            and self.site_area.max(initial=-1) >= len(self.by_area)
        ):
            yield breach("budget-areas", "site_area names an area for which by_area has no amount")


@dataclass(frozen=True)
class Moves:
    """Some of the sites that stand may close, so that others open instead.

    ``may_close`` are sites, each among the fixed ones; at most ``at_most`` of them close. New sites are then no more
    than those closed and ``n_new`` (0 where the question states none).
    """

    may_close: tuple[int, ...]
    at_most: int

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not all(is_whole(site, least=0) for site in self.may_close):
            yield breach("may-close-rows", "may_close must name sites, whole numbers from 0 on")
        elif len(set(self.may_close)) < len(self.may_close):
            yield breach("may-close-twice", "may_close names a site twice")
        if not is_whole(self.at_most, least=0):
            yield breach("moves-whole", f"at_most is {self.at_most!r}; it must be a whole number of moves, 0 or more")


@dataclass(frozen=True, eq=False)
class AtLeast(ReadOnlyArrays):
    """At least ``n`` open sites in every area, fixed ones among them; all of them where an area has fewer."""

    n: int
    site_area: LongArray

    def arrays(self) -> Iterator[Named]:
        """Yield the arrays with one number per site."""
        yield "at_least.site_area", self.site_area, "site"

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not is_whole(self.n, least=1):
            yield breach("at-least-whole", f"at_least is {self.n!r}; it must be a whole number of sites, 1 or more")


@dataclass(frozen=True, eq=False)
class Floor(ReadOnlyArrays):
    """A part of some residents who must be reached: of all, of every area, of a class, of an attribute.

    Attributes
    ----------
    share
        The part, above 0 and up to 1, held to `SHARE_TOLERANCE` of those it is taken of.
    who
        Whom it is about: persons per demand point, shape (n_demand,); None: all residents.
    area
        The area of each demand point, shape (n_demand,): the floor then holds in each area for itself; None: overall.
    of
        ``residents``: of all of them. ``reachable``: of those whom all sites, open, would reach.
    standards
        What counts as reached; empty: as in the objective, which under a capacity is who is served.
    """

    share: float
    who: FloatArray | None = None
    area: LongArray | None = None
    of: Literal["residents", "reachable"] = "residents"
    standards: tuple[Standard, ...] = ()

    def arrays(self) -> Iterator[Named]:
        """Yield the arrays with one number per demand point."""
        if self.who is not None:
            yield "floor.who", self.who, "demand point"
        if self.area is not None:
            yield "floor.area", self.area, "demand point"

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not is_number(self.share, above=0.0, most=1.0):
            yield breach("share-range", f"the share of a floor is {self.share!r}; it must be above 0 and at most 1")
        if self.who is not None and not is_amount(self.who).all():
            yield breach("floor-persons", f"the persons of a floor must be numbers from 0 to {MOST:g}")
        if self.of not in ("residents", "reachable"):
            yield breach("floor-of", f"a floor is of {self.of!r}; it must be of 'residents' or 'reachable'")
        for standard in self.standards:
            yield from standard.breaches()


@dataclass(frozen=True, eq=False)
class Tiers(ReadOnlyArrays):
    """Kinds of station, from the lowest, 0, up; each serves as every lower one too.

    Every new site opens as one of ``n`` tiers. ``standing`` is the tier of each site that stands, shape (n_sites,), and
    is not looked at for the others; None: the lowest.
    """

    n: int
    standing: LongArray | None = None

    def arrays(self) -> Iterator[Named]:
        """Yield the arrays with one number per site."""
        if self.standing is not None:
            yield "tiers.standing", self.standing, "site"

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not is_whole(self.n, least=1):
            yield breach("tiers-whole", f"there are {self.n!r} tiers; it must be a whole number, 1 or more")
        elif self.standing is not None and not ((self.standing >= 0) & (self.standing < self.n)).all():
            yield breach("tiers-standing", f"standing tiers must be whole numbers from 0 to {self.n - 1}")


@dataclass(frozen=True, eq=False)
class Capacity(ReadOnlyArrays):
    """How much each site can take on; who is reached is not yet *served*.

    Attributes
    ----------
    limit
        Residents or requests per site, shape (n_sites,); inf: no limit.
    load
        What each demand point brings, in the same unit, shape (n_demand,); None: its residents.
    split
        Whether the residents of one demand point may go to several sites, or be served in part.
    """

    limit: FloatArray
    load: FloatArray | None = None
    split: bool = True

    def arrays(self) -> Iterator[Named]:
        """Yield the arrays with one number per site or demand point."""
        yield "capacity.limit", self.limit, "site"
        if self.load is not None:
            yield "capacity.load", self.load, "demand point"

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not (is_amount(self.limit) | np.isposinf(self.limit)).all():
            yield breach("capacity-range", f"capacities must be from 0 to {MOST:g}; inf where there is no limit")
        if self.load is not None and not is_amount(self.load).all():
            yield breach("load-range", f"loads must be numbers from 0 to {MOST:g}")


@dataclass(frozen=True, eq=False)
class Case(ReadOnlyArrays):
    """What may happen: sites ``out_of_service``, or other ``walks`` than every day's while roads are closed."""

    out_of_service: tuple[int, ...] = ()
    walks: Walks | None = None

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not all(is_whole(site, least=0) for site in self.out_of_service):
            yield breach("out-of-service-rows", "out_of_service must name sites, whole numbers from 0 on")


@dataclass(frozen=True, eq=False)
class Itinerary(ReadOnlyArrays):
    """One team that tours: what opens are its stops, each on one of ``days``, at most ``stops_per_day`` on each.

    A resident is reached who reaches a stop of the week, or a site that stands. ``available`` says on which days a stop
    can be made at each site, shape (days, n_sites); None: on all. The way from stop to stop is not looked at.
    """

    stops_per_day: int
    days: int = 5
    available: BoolArray | None = None

    def arrays(self) -> Iterator[Named]:
        """Yield the arrays with one number per site."""
        if self.available is not None:
            yield "itinerary.available", self.available, "site"

    def breaches(self) -> Iterator[Breach]:
        """Yield what cannot be meant."""
        if not is_whole(self.stops_per_day, least=1) or not is_whole(self.days, least=1):
            yield breach("itinerary-whole", "stops_per_day and days must be whole numbers, 1 or more")
        elif self.available is not None and len(self.available) != self.days:
            yield breach("itinerary-days", f"available has {len(self.available)} rows for {self.days} days")


def breach(rule: str, message: str) -> Breach:
    """Return a breach of a scenario."""
    return Breach("scenario", rule, message)


def is_number(value: object, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf) -> bool:
    """Return whether ``value`` is a finite number in the range."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    number = float(value)
    return math.isfinite(number) and least <= number <= most and number > above


def is_whole(value: object, *, least: int) -> bool:
    """Return whether ``value`` is a whole number of ``least`` or more."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        return False
    return int(value) >= least


def is_amount(values: FloatArray) -> BoolArray:
    """Return which ``values`` are numbers from 0 to `MOST`."""
    return (values >= 0.0) & (values <= MOST)
