"""What comes out of siting, and how far it may be from the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lifecircle.errors import BoundError
from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.questions import Question, Sense

BOUND_TOLERANCE = 1e-9
"""A value and a bound that differ by no more than this part of the larger one are the same."""


@dataclass(frozen=True, eq=False)
class SitingPlan(ReadOnlyArrays):
    """Which sites to open, what they are good for, and how good the plan is. The same input gives the same plan.

    Attributes
    ----------
    question
        What was asked.
    status
        ``optimal``: no plan is better, and that is proven. ``feasible``: the time was over first; ``bound``
        says what the best plan can reach at most.
    value
        Residents within the cutoff (`MostResidents`) or new stations (`FewestStations`), recomputed from the
        walks.
    bound
        No plan is better than this. Equal to ``value`` in a proven plan.
    today
        The value with the fixed sites alone; None for `FewestStations`, whose value counts new stations.
    gap
        See `gap`.
    gap_gain
        See `gap_gain`; None where ``today`` is.
    fixed
        The sites that stand, ascending.
    chosen
        The sites to open, in the order in which they should: each wins the most residents after those before
        it.
    gain
        Residents each chosen site adds in that order; above 0. With those of today they sum to what the plan
        reaches.
    reached
        Residents within the cutoff of each site in `sites`, whoever else they reach.
    only_here
        Residents who reach each site in `sites` and no other open one: who lose the circle without it.
    next_best
        The site not open that best stands in where a chosen one cannot be had: with all others of the plan it
        leaves the most residents within the cutoff. -1 where none wins anybody.
    """

    question: Question
    status: Literal["optimal", "feasible"]
    value: float
    bound: float
    today: float | None
    gap: float
    gap_gain: float | None
    fixed: LongArray
    chosen: LongArray
    gain: FloatArray
    reached: FloatArray
    only_here: FloatArray
    next_best: LongArray

    @property
    def sites(self) -> LongArray:
        """The open sites: the fixed ones, then the chosen in their order."""
        return np.concatenate([self.fixed, self.chosen])


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
        ``|bound - value| / |bound - today|``; 0 where value and bound are the same to `BOUND_TOLERANCE`; None
        where ``today`` is.

    Raises
    ------
    BoundError
        Where the value or that of today is better than the bound, or one of them is no finite number.

    Examples
    --------
    >>> gap_gain(90.0, 100.0, 80.0, sense="max")
    0.5
    """
    distance = _distance(value, bound, sense)
    if today is None:
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
    if abs(better) <= BOUND_TOLERANCE * max(abs(value), abs(bound)):
        return 0.0
    if better < 0.0:
        raise BoundError(f"value {value!r} is better than its bound {bound!r} ({sense})")
    return better
