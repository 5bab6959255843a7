"""From a question to a checked plan."""

from __future__ import annotations

import math
from time import monotonic

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach, LifecircleError, SchemaError
from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.bounds import first_bound
from lifecircle.siting.check import check_plan, shortfalls_of
from lifecircle.siting.explain import explain
from lifecircle.siting.fairest import lengths_s
from lifecircle.siting.formulation import formulate
from lifecircle.siting.greedy import first_options
from lifecircle.siting.infeasible import infeasible, refuse_nobody
from lifecircle.siting.linear import LinearForm, of_year
from lifecircle.siting.options import standing_tiers
from lifecircle.siting.plan import Allocation, Decision, SitingPlan, gap, gap_gain, value_today
from lifecircle.siting.questions import FairestWalks, Question, Sense
from lifecircle.siting.recount import value_of, values_by_year
from lifecircle.siting.search import search

WHOLE_TOLERANCE = 1e-6
"""The solver's own tolerance: a bound on a number of stations is rounded up from this much above a whole number."""

PART_TOLERANCE = 1e-9
"""A part of a home that a solver leaves this near to nothing or to all is that."""


def solve(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    *,
    fixed: npt.ArrayLike = (),
    time_limit_s: float | None = None,
) -> SitingPlan:
    """Answer a siting question with the best plan there is, or the best within a time.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows; those that stand and the candidates alike) from the demand points (columns), at
        least up to the question's largest cutoff. A pair that is not in it counts as beyond.
    weights
        Residents per demand point, shape (``walks.n_demand``,), 0 or more, fractions allowed.
    fixed
        Rows of the sites that stand; kept, but for those that the question's moves may close.
    time_limit_s
        Seconds after which the search stops with the best plan so far and its bound. None: it stops with a proof.

    Returns
    -------
    SitingPlan
        Recomputed from ``walks`` by `check_plan`. A site that changes nothing is not opened: where no candidate wins
        anybody, or the fixed sites suffice, nothing is chosen.

    Raises
    ------
    SchemaError
        With everything that is wrong with ``weights``, ``fixed``, ``time_limit_s`` and the arrays of the question.
    ConflictError
        Where no plan can meet the conditions; it says which of them stand in each other's way.
    LifecircleError
        Where the time is over before a first plan is found.
    BoundError
        Where the plan does not pass `check_plan`: a defect of this package.

    Notes
    -----
    The same input gives the same plan, one that the clock cut short excepted. Of equally good plans the search returns
    any; the order of opening prefers the smaller index.

    Examples
    --------
    >>> from lifecircle.siting import MostResidents, Question
    >>> walks = Walks(np.array([0, 2, 3]), np.array([0, 1, 2], dtype=np.int32), np.array([60.0, 300.0, 90.0]), 3)
    >>> plan = solve(Question(MostResidents(cutoff_s=480.0), n_new=1), walks, np.array([10.0, 20.0, 25.0]))
    >>> plan.chosen.tolist(), plan.value, plan.status
    ([0], 30.0, 'optimal')
    """
    started_s = monotonic()
    weights, standing = np.asarray(weights, dtype=np.float64), np.asarray(fixed)
    _refuse(question, walks, weights, standing, time_limit_s)
    standing = np.sort(standing.astype(np.int64))
    ends_s = None if time_limit_s is None else started_s + time_limit_s
    if isinstance(question.objective, FairestWalks):
        decision, bound = _fairest(question, walks, weights, standing, ends_s)
    else:
        decision, bound = _best(question, walks, weights, standing, ends_s)
    decision = _without_idle(question, walks, weights, decision)
    reasons = explain(question, walks, weights, decision)
    by_year = values_by_year(question, walks, weights, reasons.decision)
    value = float(by_year.sum())
    today = value_today(question, value_of(question, walks, weights, Decision.today(standing)))
    distance = gap(value, bound, sense=question.sense)
    bound = bound if distance else value
    year_bounds = np.array([bound])
    if question.n_years > 1:
        year_bounds = _year_bounds(formulate(question, walks, weights, standing), by_year, ends_s)
    plan = SitingPlan(
        question=question,
        status="feasible" if distance else "optimal",
        value=value,
        bound=bound,
        by_year=by_year,
        year_bounds=year_bounds,
        today=today,
        gap=distance,
        gap_gain=gap_gain(value, bound, today, sense=question.sense),
        decision=reasons.decision,
        gain=reasons.gain,
        reached=reasons.reached,
        only_here=reasons.only_here,
        loss=reasons.loss,
        next_best=reasons.next_best,
    )
    check_plan(plan, walks, weights)
    return plan


def _best(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, ends_s: float | None
) -> tuple[Decision, float]:
    """Return the best decision, or the best in time, and its bound."""
    refuse_nobody(question, walks, weights, fixed)
    form = formulate(question, walks, weights, fixed)
    first, bound = _first(question, walks, weights, fixed, form), first_bound(form)
    if first is not None:
        value = value_of(question, walks, weights, first[1])
        if gap(value, bound, sense=question.sense) == 0.0:
            return first[1], bound
    found = search(form, start=None if first is None else first[0], time_limit_s=_left_s(ends_s))
    if found.infeasible:
        raise infeasible(question, walks, weights, fixed, form)
    if question.unit == "stations":
        bound = max(bound, math.ceil(found.bound - WHOLE_TOLERANCE) if math.isfinite(found.bound) else 0.0)
    else:
        bound = _tighter(bound, found.bound, question.sense)
    plans = [] if first is None else [first[1]]
    if found.columns is not None:
        plans.append(decision_of(form, found.columns, question, fixed))
    if not plans:
        raise LifecircleError("the time was over before a first plan was found")
    pick = max if question.sense == "max" else min
    return pick(plans[::-1], key=lambda decision: value_of(question, walks, weights, decision)), bound


def _year_bounds(form: LinearForm, by_year: FloatArray, ends_s: float | None) -> FloatArray:
    """Return what no plan can better in each year, whatever it does to the others."""
    bounds = np.empty(len(by_year))
    for year, value in enumerate(by_year.tolist()):
        alone = of_year(form, year)
        sense: Sense = "max" if form.sign > 0 else "min"
        bounds[year] = first_bound(alone)
        if gap(value, bounds[year], sense=sense) > 0.0:
            bounds[year] = _tighter(bounds[year], search(alone, time_limit_s=_left_s(ends_s)).bound, sense)
        if gap(value, bounds[year], sense=sense) == 0.0:
            bounds[year] = value
    return bounds


def _tighter(one: float, other: float, sense: Sense) -> float:
    return min(one, other) if sense == "max" else max(one, other)


def _first(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, form: LinearForm
) -> tuple[LongArray, Decision] | None:
    """Return the options and the decision of a first plan, None where the obvious one does not meet the conditions."""
    if question.capacity is not None:
        return None
    kept_tiers = standing_tiers(question, walks.n_facilities)[form.kept]
    opened = first_options(form, walks, weights, question.objective.standards, kept_tiers)
    decision = decision_of(form, np.isin(np.arange(form.n_columns), opened).astype(np.float64), question, fixed)
    return None if any(shortfalls_of(question, walks, weights, decision)) else (opened, decision)


def _fairest(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, ends_s: float | None
) -> tuple[Decision, float]:
    """Return the decision with the shortest longest walk, or the best in time, and its bound: by halving."""
    lengths = lengths_s(question, walks, weights, fixed)
    form = formulate(question, walks, weights, fixed, longest_s=float(lengths[-1]))
    found = search(form, time_limit_s=_left_s(ends_s))
    if found.infeasible:
        raise infeasible(question, walks, weights, fixed, form)
    if found.columns is None:
        raise LifecircleError("the time was over before a first plan was found")
    decision = decision_of(form, found.columns, question, fixed)
    low, high = 0, int(np.searchsorted(lengths, value_of(question, walks, weights, decision)))
    while low < high:
        middle = (low + high) // 2
        form = formulate(question, walks, weights, fixed, longest_s=float(lengths[middle]))
        found = search(form, time_limit_s=_left_s(ends_s))
        if found.infeasible:
            low = middle + 1
        elif found.columns is not None:
            decision = decision_of(form, found.columns, question, fixed)
            high = int(np.searchsorted(lengths, value_of(question, walks, weights, decision)))
        else:
            break
    return decision, float(lengths[low])


def decision_of(form: LinearForm, columns: FloatArray, question: Question, fixed: LongArray) -> Decision:
    """Return what the columns of a plan mean."""
    options = form.options
    opened = columns[: form.n_options] > 0.5
    new = np.flatnonzero(opened & ~options.stands)
    allocation = None
    if question.capacity is not None:
        part = columns[form.n_options : form.n_options + form.n_counts]
        taken = np.flatnonzero((form.home >= 0) & (part > PART_TOLERANCE))
        near_all = np.where(part[taken] > 1.0 - PART_TOLERANCE, 1.0, part[taken])
        allocation = Allocation(form.home[taken], form.site[taken], form.case[taken], form.year[taken], near_all)
    return Decision(
        fixed=fixed,
        closed=options.site[options.stands & ~opened],
        chosen=options.site[new],
        tier=options.tier[new],
        period=options.period[new],
        allocation=allocation,
    )


def _without_idle(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Decision:
    """Return the decision without the sites that change neither the value nor a condition."""
    if question.capacity is not None:
        serving = np.isin(decision.chosen, decision.allocation.site) if decision.allocation else decision.chosen < 0
        idle = np.flatnonzero(~serving)
    else:
        reasons = explain(question, walks, weights, decision)
        decision, idle = reasons.decision, np.flatnonzero(reasons.loss == 0.0)
    value = value_of(question, walks, weights, decision)
    kept = np.ones(len(decision.chosen), dtype=bool)
    for turn in idle[::-1].tolist():
        kept[turn] = False
        left = decision.take(np.flatnonzero(kept))
        worse = value_of(question, walks, weights, left) != value and question.unit != "stations"
        if worse or any(shortfalls_of(question, walks, weights, left)):
            kept[turn] = True
    return decision.take(np.flatnonzero(kept))


def _left_s(ends_s: float | None) -> float | None:
    return None if ends_s is None else max(0.0, ends_s - monotonic())


def _refuse(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: npt.NDArray[np.generic],
    time_limit_s: float | None,
) -> None:
    breaches = []
    if weights.shape != (walks.n_demand,):
        message = f"weights have shape {weights.shape}; one number per demand point is needed, ({walks.n_demand},)"
        breaches.append(Breach("weights", "one-per-demand-point", message))
    if wrong := int(np.count_nonzero(~(np.isfinite(weights) & (weights >= 0.0)))):
        message = f"{wrong} weights are negative or no number"
        breaches.append(Breach("weights", "zero-or-more", message, count=wrong))
    if fixed.ndim != 1 or (fixed.size and fixed.dtype.kind not in "iu"):
        breaches.append(Breach("fixed", "row-numbers", "fixed sites must be a list of row numbers of walks"))
    elif not np.isin(fixed, np.arange(walks.n_facilities)).all():
        message = f"fixed sites must be rows of walks, 0 to {walks.n_facilities - 1}"
        breaches.append(Breach("fixed", "no-such-site", message))
    elif len(np.unique(fixed)) < len(fixed):
        breaches.append(Breach("fixed", "named-twice", "a fixed site is named twice"))
    elif not np.isin(question.may_close, fixed).all():
        breaches.append(Breach("scenario", "may-close-fixed", "only a fixed site may close"))
    if time_limit_s is not None and not time_limit_s >= 0.0:
        message = f"time_limit_s is {time_limit_s!r}; it must be 0 or more seconds, or None"
        breaches.append(Breach("time_limit_s", "zero-or-more", message))
    lengths = {"site": walks.n_facilities, "demand point": walks.n_demand}
    for name, array, axis in question.arrays():
        if array.shape[-1:] != (lengths[axis],):
            message = f"{name} has shape {array.shape}; one number per {axis} is needed, {lengths[axis]}"
            breaches.append(Breach("scenario", f"one-per-{axis.replace(' ', '-')}", message))
    for case in question.cases:
        if not np.isin(case.out_of_service, np.arange(walks.n_facilities)).all():
            breaches.append(Breach("scenario", "no-such-site", "a site out of service is no row of walks"))
        if case.walks is not None and (case.walks.n_facilities, case.walks.n_demand) != tuple(lengths.values()):
            breaches.append(Breach("scenario", "case-walks", "the walks of a case have other sites or demand points"))
    if breaches:
        raise SchemaError("the siting question cannot be put", breaches=breaches)
