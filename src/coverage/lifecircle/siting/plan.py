"""What comes out of siting, and how far it may be from the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lifecircle.errors import BoundError
from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.effort import Ended
from lifecircle.siting.questions import Question, Sense

BOUND_TOLERANCE = 1e-9
"""A value and a bound that differ by no more than this part of the larger one are the same."""


@dataclass(frozen=True, eq=False)
class Allocation(ReadOnlyArrays):
    """Who is served where, under a capacity: ``part`` of the load of ``home`` at ``site``, in a case and a year."""

    home: LongArray
    site: LongArray
    case: LongArray
    year: LongArray
    part: FloatArray


@dataclass(frozen=True, eq=False)
class Decision(ReadOnlyArrays):
    """What a plan does.

    Attributes
    ----------
    fixed
        The sites that stand today, ascending.
    closed
        Those of them that close, ascending.
    chosen
        The sites to open.
    tier, period
        What each chosen site opens as, and the year or weekday on which; from 0.
    allocation
        Who is served where; None without a capacity.
    """

    fixed: LongArray
    closed: LongArray
    chosen: LongArray
    tier: LongArray
    period: LongArray
    allocation: Allocation | None = None

    @property
    def kept(self) -> LongArray:
        """The fixed sites that stay open."""
        return np.setdiff1d(self.fixed, self.closed)

    @property
    def sites(self) -> LongArray:
        """The open sites: the fixed ones that stay, then the chosen in their order."""
        return np.concatenate([self.kept, self.chosen])

    def take(self, order: LongArray) -> Decision:
        """Return the decision with these of the chosen sites, in this order."""
        return replace(self, chosen=self.chosen[order], tier=self.tier[order], period=self.period[order])

    @classmethod
    def today(cls, fixed: LongArray) -> Decision:
        """Return the decision to leave all as it is."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(fixed, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, eq=False)
class SitingPlan(ReadOnlyArrays):
    """Which sites to open, what they are good for, and how good the plan is. The same input gives the same plan.

    Attributes
    ----------
    question
        What was asked.
    status
        ``optimal``: no plan is better, and that is proven. ``feasible``: the search stopped first; ``bound`` says what
        the best plan can reach at most.
    ended
        Why the search stopped: ``proven``, ``work`` or ``time`` where the limit on it was reached, ``interrupted``
        where somebody pressed Ctrl-C, ``stuck`` where no further round made the plan or the bound any better.
    value
        What the objective says, in `Question.unit`, recomputed from the walks.
    bound
        No plan is better than this. Equal to ``value`` in a proven plan.
    by_year, year_bounds
        With stages, what each year adds to the value, and what no plan can better in that year, whatever it does to the
        others; of one number each where there are no stages.
    today
        The value with all as it stands; None where there is nothing to compare with: for `FewestStations`, whose value
        counts new stations, for `FairestWalks` where somebody reaches no station today, and under a capacity.
    gap
        See `gap`.
    gap_gain
        See `gap_gain`; None where ``today`` is, or where the conditions force a plan worse than today.
    decision
        What the plan does, the chosen sites in the order in which they should open: year by year, each makes the
        objective best after those before it. It brings the most residents within the standards; for `ShortestWalks` it
        saves the most seconds; for `FairestWalks` it leaves the shortest longest walk, and of those that leave the same
        the first is the one that brings most residents within the plan's own.
    gain
        What each chosen site brings in that order, on a day on which nothing happens: residents within the standards
        (all of them); for `ShortestWalks` person-seconds saved, by priority, to the nearest station. `FairestWalks` has
        one standard, its own value.
    reached
        Residents within each standard (row) by each site in `sites` (column), whoever else they reach; 0 where the
        site is of too low a tier. `FairestWalks` has one standard, its own value.
    only_here
        The same, of those who would lose the standard without the site.
    loss
        What the plan loses in residents, or seconds where walks are measured, without each chosen site, all others as
        they are; inf where that leaves a home with no way to a station that the question asks for. NaN where nothing
        can be said cheaply: under a capacity.
    next_best
        The candidate that best takes the place of each chosen one, all conditions met, see
        `lifecircle.siting.substitutes.substitutes`; -1 for none, and under a capacity.
    next_best_loss
        What the plan loses with it, in the unit of the value; 0 or more in a proven plan, NaN where there is none.
    """

    question: Question
    status: Literal["optimal", "feasible"]
    ended: Ended
    value: float
    bound: float
    by_year: FloatArray
    year_bounds: FloatArray
    today: float | None
    gap: float
    gap_gain: float | None
    decision: Decision
    gain: FloatArray
    reached: FloatArray
    only_here: FloatArray
    loss: FloatArray
    next_best: LongArray
    next_best_loss: FloatArray

    @property
    def fixed(self) -> LongArray:
        """The sites that stand today."""
        return self.decision.fixed

    @property
    def chosen(self) -> LongArray:
        """The sites to open, in their order."""
        return self.decision.chosen

    @property
    def sites(self) -> LongArray:
        """The open sites: the fixed ones that stay, then the chosen in their order."""
        return self.decision.sites


def gap(value: float, bound: float, *, sense: Sense) -> float:
    """Return how far ``value`` may be from the best, as a part of the bound.

    Parameters
    ----------
    value
        What a plan reaches.
    bound
        What no plan can better.
    sense
        Whether a larger value is better (``max``) or a smaller one (``min``).

    Returns
    -------
    float
        ``|bound - value| / |bound|``; 0 where the two are the same to `BOUND_TOLERANCE`; inf where the bound
        is 0 and the value is not.

    Raises
    ------
    BoundError
        Where the value is better than its bound, or one of them is no finite number.

    Examples
    --------
    >>> gap(90.0, 100.0, sense="max")
    0.1
    """
    distance = _distance(value, bound, sense)
    if distance == 0.0:
        return 0.0
    return distance / abs(bound) if bound else math.inf


def gap_gain(value: float, bound: float, today: float | None, *, sense: Sense) -> float | None:
    """Return how much of what could be gained over ``today`` may still be missing.

    Parameters
    ----------
    value, bound, sense
        As for `gap`.
    today
        The value with the fixed sites alone; None where there is none to compare with.

    Returns
    -------
    float or None
        ``|bound - value| / |bound - today|``; 0 where value and bound are the same to `BOUND_TOLERANCE`; None where
        ``today`` is, or where it is better than the bound, as conditions that are not met today can make it.

    Raises
    ------
    BoundError
        Where the value is better than the bound, or one of them is no finite number.

    Examples
    --------
    >>> gap_gain(90.0, 100.0, 80.0, sense="max")
    0.5
    """
    distance = _distance(value, bound, sense)
    if today is None or (today - bound if sense == "max" else bound - today) > _tolerance(today, bound):
        return None
    gainable = _distance(today, bound, sense)
    if distance == 0.0:
        return 0.0
    return distance / gainable if gainable else math.inf


def _distance(value: float, bound: float, sense: Sense) -> float:
    """Return by how much ``bound`` is better than ``value``; 0 within the tolerance."""
    if not (math.isfinite(value) and math.isfinite(bound)):
        raise BoundError(f"value {value!r} and bound {bound!r} must be finite")
    better = bound - value if sense == "max" else value - bound
    if abs(better) <= _tolerance(value, bound):
        return 0.0
    if better < 0.0:
        raise BoundError(f"value {value!r} is better than its bound {bound!r} ({sense})")
    return better


def _tolerance(value: float, bound: float) -> float:
    return BOUND_TOLERANCE * max(abs(value), abs(bound))


def value_today(question: Question, value: float) -> float | None:
    """Return the ``value`` of leaving all as it stands, None where there is nothing to compare with."""
    counted = question.unit != "stations" and question.capacity is None
    return value if counted and math.isfinite(value) else None
