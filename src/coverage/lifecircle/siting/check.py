"""A plan recomputed from the walks in float64. Nothing here is shared with the search, nor with its reductions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch

import numpy as np

from lifecircle.errors import BoundError, Breach
from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray, IntArray, LongArray, Walks
from lifecircle.siting.plan import SitingPlan, gap, gap_gain
from lifecircle.siting.questions import SHARE_TOLERANCE, FewestStations, MostResidents, Question

VALUE_TOLERANCE = 1e-9
"""Two sums of the same residents may differ by this part of all residents: float64 adds in any order."""


def coverage_of(walks: Walks, sites: Iterable[int], weights: FloatArray, cutoff_s: float) -> float:
    """Return the residents within ``cutoff_s`` of at least one of ``sites``.

    Parameters
    ----------
    walks
        Seconds to the sites (rows) from the demand points (columns).
    sites
        Rows of ``walks``.
    weights
        Residents per demand point.
    cutoff_s
        Seconds, inclusive.

    Returns
    -------
    float
        Residents; those whom no walk brings to a site within the cutoff are not in it.

    Examples
    --------
    >>> walks = Walks(np.array([0, 2, 3]), np.array([0, 1, 2], dtype=np.int32), np.array([60.0, 500.0, 90.0]), 3)
    >>> coverage_of(walks, [0, 1], np.array([10.0, 20.0, 30.0]), 480.0)
    40.0
    """
    return float(weights[_times_reached(walks, sites, cutoff_s) > 0].sum())


def check_plan(plan: SitingPlan, walks: Walks, weights: FloatArray) -> None:
    """Recompute the figures of ``plan`` from ``walks`` and refuse a plan that is not what it says.

    Of ``next_best`` only that each is closed and exists: it is advice, no part of the answer.

    Parameters
    ----------
    plan
        The plan.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.

    Raises
    ------
    BoundError
        With everything that is wrong: sites that are no sites, a limit or share that is not kept, a figure
        that is not so, a bound on the wrong side, a claim of proof without one.
    """
    wrong = [*_wrong_sites(plan, walks)]
    if not wrong:  # figures of sites that are not there cannot be recomputed
        wrong += shortfalls_of(plan.question, walks, weights, fixed=plan.fixed, chosen=plan.chosen)
        wrong += _wrong_figures(plan, walks, weights)
        wrong += _wrong_proof(plan)
    if wrong:
        breaches = [Breach("plan", "recomputed", message) for message in wrong]
        raise BoundError("a plan is not what it says; this is a defect of lifecircle", breaches=breaches)


@singledispatch
def value_of(question: Question, walks: Walks, weights: FloatArray, *, fixed: LongArray, chosen: LongArray) -> float:
    """Return the value of opening ``chosen`` beside ``fixed``."""
    raise TypeError(f"no value of {type(question).__name__}")


@value_of.register
def _(question: MostResidents, walks: Walks, weights: FloatArray, *, fixed: LongArray, chosen: LongArray) -> float:
    return coverage_of(walks, [*fixed, *chosen], weights, question.cutoff_s)


@value_of.register
def _(question: FewestStations, walks: Walks, weights: FloatArray, *, fixed: LongArray, chosen: LongArray) -> float:
    return float(len(chosen))


@singledispatch
def shortfalls_of(
    question: Question, walks: Walks, weights: FloatArray, *, fixed: LongArray, chosen: LongArray
) -> Iterator[str]:
    """Yield what opening ``chosen`` beside ``fixed`` lacks to meet ``question``."""
    raise TypeError(f"no constraints of {type(question).__name__}")


@shortfalls_of.register
def _(
    question: MostResidents, walks: Walks, weights: FloatArray, *, fixed: LongArray, chosen: LongArray
) -> Iterator[str]:
    if len(chosen) > question.n_new:
        yield f"it opens {len(chosen)} sites where {question.n_new} are allowed"


@shortfalls_of.register
def _(
    question: FewestStations, walks: Walks, weights: FloatArray, *, fixed: LongArray, chosen: LongArray
) -> Iterator[str]:
    base = coverage_of(walks, range(walks.n_facilities), weights, question.cutoff_s)
    reached = coverage_of(walks, [*fixed, *chosen], weights, question.cutoff_s)
    if reached < (question.share - SHARE_TOLERANCE) * base:
        yield f"it reaches {reached!r} of {base!r} residents, which is less than a share of {question.share}"


def _wrong_sites(plan: SitingPlan, walks: Walks) -> Iterator[str]:
    sites = [*plan.fixed.tolist(), *plan.chosen.tolist()]
    if any(not 0 <= site < walks.n_facilities for site in sites):
        yield "it names sites that are not there"
    if len(set(sites)) < len(sites):
        yield "it names a site twice"
    if any(site != -1 and (site in sites or not 0 <= site < walks.n_facilities) for site in plan.next_best.tolist()):
        yield "a substitute is open already or not there"


def _wrong_figures(plan: SitingPlan, walks: Walks, weights: FloatArray) -> Iterator[str]:
    question, sites = plan.question, plan.sites
    tolerance = VALUE_TOLERANCE * float(weights.sum())
    value = value_of(question, walks, weights, fixed=plan.fixed, chosen=plan.chosen)
    if abs(value - plan.value) > tolerance:
        yield f"value is {plan.value!r}, recomputed {value!r}"
    if plan.today is not None:
        today = value_of(question, walks, weights, fixed=plan.fixed, chosen=plan.chosen[:0])
        if abs(today - plan.today) > tolerance:
            yield f"today is {plan.today!r}, recomputed {today!r}"
    for name, stated, recomputed in (
        ("gain", plan.gain, _gains(walks, weights, question.cutoff_s, fixed=plan.fixed, chosen=plan.chosen)),
        ("reached", plan.reached, _reached(walks, weights, question.cutoff_s, sites)),
        ("only_here", plan.only_here, _only_here(walks, weights, question.cutoff_s, sites)),
    ):
        if len(stated) != len(recomputed) or np.any(np.abs(stated - recomputed) > tolerance):
            yield f"{name} is not what the walks say"
    if np.any(np.diff(plan.gain) > tolerance):
        yield "the order of opening is not that of the gains"
    if len(plan.next_best) != len(plan.chosen):
        yield "not every chosen site has its substitute, or -1"


def _wrong_proof(plan: SitingPlan) -> Iterator[str]:
    sense = plan.question.sense
    try:
        distance = gap(plan.value, plan.bound, sense=sense)
        distance_gain = gap_gain(plan.value, plan.bound, plan.today, sense=sense)
    except BoundError as error:
        yield str(error)
        return
    if plan.gap != distance:
        yield f"gap is {plan.gap!r}, recomputed {distance!r}"
    if plan.gap_gain != distance_gain:
        yield f"gap_gain is {plan.gap_gain!r}, recomputed {distance_gain!r}"
    if (plan.status == "optimal") != (distance == 0.0):
        yield f"it is called {plan.status} at a gap of {distance!r}"


def _near(walks: Walks, site: int, cutoff_s: float) -> IntArray:
    demand, seconds = walks.row(site)
    return demand[seconds <= cutoff_s + TOLERANCE_S]


def _times_reached(walks: Walks, sites: Iterable[int], cutoff_s: float) -> LongArray:
    times = np.zeros(walks.n_demand, dtype=np.int64)
    for site in sites:
        times[_near(walks, site, cutoff_s)] += 1
    return times


def _gains(walks: Walks, weights: FloatArray, cutoff_s: float, *, fixed: LongArray, chosen: LongArray) -> FloatArray:
    unreached: BoolArray = _times_reached(walks, fixed, cutoff_s) == 0
    gains = np.zeros(len(chosen))
    for order, site in enumerate(chosen):
        near = _near(walks, site, cutoff_s)
        gains[order] = weights[near][unreached[near]].sum()
        unreached[near] = False
    return gains


def _reached(walks: Walks, weights: FloatArray, cutoff_s: float, sites: LongArray) -> FloatArray:
    return np.array([weights[_near(walks, site, cutoff_s)].sum() for site in sites], dtype=np.float64)


def _only_here(walks: Walks, weights: FloatArray, cutoff_s: float, sites: LongArray) -> FloatArray:
    once: BoolArray = _times_reached(walks, sites, cutoff_s) == 1
    near = [_near(walks, site, cutoff_s) for site in sites]
    return np.array([weights[demand][once[demand]].sum() for demand in near], dtype=np.float64)
