"""From a question to a checked plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach, SchemaError
from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.answers import answered, tighter, unsearched_bound
from lifecircle.siting.check import check_plan, shortfalls_of
from lifecircle.siting.combined import is_large, search_bound
from lifecircle.siting.conditions import MOST, is_amount
from lifecircle.siting.crowded import crowd_of
from lifecircle.siting.effort import Effort, Report
from lifecircle.siting.explain import explain, in_order, losses
from lifecircle.siting.formulation import formulate
from lifecircle.siting.infeasible import NoPlanError
from lifecircle.siting.linear import of_year
from lifecircle.siting.plan import Decision, SitingPlan, gap, gap_gain, value_today
from lifecircle.siting.questions import Question
from lifecircle.siting.recount import value_of, values_by_year
from lifecircle.siting.search import interruptible, search

REASONS_S = 2e-7
"""Seconds of a time limit that are kept, for each walk, to say why and to check."""


def solve(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    *,
    fixed: npt.ArrayLike = (),
    work_limit: float | None = None,
    time_limit_s: float | None = None,
    why: bool = True,
    report: Report | None = None,
) -> SitingPlan:
    """Answer a siting question with the best plan there is, or the best that the effort allows.

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
    work_limit
        Entries (pairs of a site and a home) to touch, after which the search stops with the best plan so far and its
        bound. The same input and limit give the same plan. None: no limit.
    time_limit_s
        Seconds after which the plan is there, found, explained and checked, give or take a few. None: it stops with a
        proof, or where nothing makes the plan or the bound any better.
    why
        Whether a refusal says which conditions stand in each other's way, for which there are `infeasible.LEAST_S`
        seconds at least; else `NoPlanError.why` does once it is asked.
    report
        Is told value, bound and seconds so far, again and again.

    Returns
    -------
    SitingPlan
        Recomputed from ``walks`` by `check_plan`; also where somebody presses Ctrl-C. A site that changes nothing is
        not opened: where no candidate wins anybody, or the fixed sites suffice, nothing is chosen.

    Raises
    ------
    SchemaError
        With everything that is wrong with ``walks``, ``weights``, ``fixed``, the limits and the arrays of the question.
    ConflictError
        Where no plan can meet the conditions; it says which of them stand in each other's way, more of them than need
        be where the limits cut that short.
    NoPlanError
        The same without ``why``.
    LifecircleError
        Where the time is over before a first plan is found.
    BoundError
        Where the plan does not pass `check_plan`: a defect of this package.

    Notes
    -----
    The same input gives the same plan, one that the clock or somebody cut short excepted. Of equally good plans the
    search returns any; the order of opening prefers the smaller index.

    Examples
    --------
    >>> from lifecircle.siting import MostResidents, Question
    >>> walks = Walks(np.array([0, 2, 3]), np.array([0, 1, 2], dtype=np.int32), np.array([60.0, 300.0, 90.0]), 3)
    >>> plan = solve(Question(MostResidents(cutoff_s=480.0), n_new=1), walks, np.array([10.0, 20.0, 25.0]))
    >>> plan.chosen.tolist(), plan.value, plan.status
    ([0], 30.0, 'optimal')
    """
    limit_s = None if time_limit_s is None else max(0.0, time_limit_s - REASONS_S * len(walks.seconds))
    effort = Effort.of(work_limit=work_limit, time_limit_s=limit_s, report=report)
    weights, standing = np.asarray(weights, dtype=np.float64), np.asarray(fixed)
    _refuse(question, walks, weights, standing, {"work_limit": work_limit, "time_limit_s": time_limit_s})
    standing = np.sort(standing.astype(np.int64))
    try:
        answer = answered(question, walks, weights, standing, effort)
    except NoPlanError as error:
        raise (error.why() if why else error) from None
    decision = _without_idle(question, walks, weights, answer.decision)
    reasons = explain(question, walks, weights, decision)
    by_year = values_by_year(question, walks, weights, reasons.decision)
    value = float(by_year.sum())
    today = value_today(question, value_of(question, walks, weights, Decision.today(standing)))
    year_bounds = np.array([answer.bound])
    if question.n_years > 1:
        left = effort.after(answer.work, answer.ended)
        year_bounds = _year_bounds(question, walks, weights, standing, by_year, left)
    bound = tighter(answer.bound, float(year_bounds.sum()), question.sense)
    distance = gap(value, bound, sense=question.sense)
    bound = bound if distance else value
    plan = SitingPlan(
        question=question,
        status="feasible" if distance else "optimal",
        ended=answer.ended if distance else "proven",
        value=value,
        bound=bound,
        by_year=by_year,
        year_bounds=year_bounds if question.n_years > 1 else np.array([bound]),
        today=today,
        gap=distance,
        gap_gain=gap_gain(value, bound, today, sense=question.sense),
        decision=reasons.decision,
        gain=reasons.gain,
        reached=reasons.reached,
        only_here=reasons.only_here,
        loss=reasons.loss,
        next_best=reasons.next_best,
        next_best_loss=reasons.next_best_loss,
    )
    check_plan(plan, walks, weights)
    return plan


def _year_bounds(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, by_year: FloatArray, effort: Effort
) -> FloatArray:
    """Return what no plan can better in each year, whatever it does to the others; each year takes its share."""
    form = formulate(question, walks, weights, fixed)
    bounds, bounded = np.empty(len(by_year)), search_bound if is_large(form) else search
    for year, value in enumerate(by_year.tolist()):
        alone = of_year(form, year)
        crowd = crowd_of(question, weights, alone)
        bounds[year] = unsearched_bound(alone, crowd)
        endless = crowd is not None and crowd.is_large
        if gap(value, bounds[year], sense=question.sense) > 0.0 and effort.over is None and not endless:
            found = interruptible(bounded, alone, effort.part(1.0 / (len(by_year) - year)))
            bounds[year] = tighter(bounds[year], found.bound, question.sense)
            if question.sense == "min":
                bounds[year] = max(bounds[year], 0.0)  # as in `answered`
            effort = effort.after(found.work, found.ended)
        if gap(value, bounds[year], sense=question.sense) == 0.0:
            bounds[year] = value
    return bounds


def _without_idle(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Decision:
    """Return the decision without the sites that change neither the value nor a condition."""
    if question.capacity is not None:
        serving = np.isin(decision.chosen, decision.allocation.site) if decision.allocation else decision.chosen < 0
        idle = np.flatnonzero(~serving)
    else:
        decision = in_order(question, walks, weights, decision)
        idle = np.flatnonzero(losses(question, walks, weights, decision) == 0.0)
    value = value_of(question, walks, weights, decision)
    kept = np.ones(len(decision.chosen), dtype=bool)
    for turn in idle[::-1].tolist():
        kept[turn] = False
        left = decision.take(np.flatnonzero(kept))
        worse = value_of(question, walks, weights, left) != value and question.unit != "stations"
        if worse or any(shortfalls_of(question, walks, weights, left)):
            kept[turn] = True
    return decision.take(np.flatnonzero(kept))


def _refuse(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: npt.NDArray[np.generic],
    limits: dict[str, float | None],
) -> None:
    breaches = []
    if weights.shape != (walks.n_demand,):
        message = f"weights have shape {weights.shape}; one number per demand point is needed, ({walks.n_demand},)"
        breaches.append(Breach("weights", "one-per-demand-point", message))
    if wrong := int(np.count_nonzero(~is_amount(weights))):
        message = f"{wrong} weights are negative, above {MOST:g} or no number"
        breaches.append(Breach("weights", "zero-or-more", message, count=wrong))
    breaches += _wrong_walks(walks)
    if fixed.ndim != 1 or (fixed.size and fixed.dtype.kind not in "iu"):
        breaches.append(Breach("fixed", "row-numbers", "fixed sites must be a list of row numbers of walks"))
    elif not np.isin(fixed, np.arange(walks.n_facilities)).all():
        message = f"fixed sites must be rows of walks, 0 to {walks.n_facilities - 1}"
        breaches.append(Breach("fixed", "no-such-site", message))
    elif len(np.unique(fixed)) < len(fixed):
        breaches.append(Breach("fixed", "named-twice", "a fixed site is named twice"))
    elif not np.isin(question.may_close, fixed).all():
        breaches.append(Breach("scenario", "may-close-fixed", "only a fixed site may close"))
    for name, limit in limits.items():
        if limit is not None and not limit >= 0.0:
            breaches.append(Breach(name, "zero-or-more", f"{name} is {limit!r}; it must be 0 or more, or None"))
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
        elif case.walks is not None:
            breaches += _wrong_walks(case.walks)
    if breaches:
        raise SchemaError("the siting question cannot be put", breaches=breaches)


def _wrong_walks(walks: Walks) -> Iterator[Breach]:
    if wrong := int(np.count_nonzero(~(walks.seconds >= 0.0))):
        message = f"{wrong} walks are negative or no number"
        yield Breach("walks", "zero-or-more", message, count=wrong)
    if wrong := int(np.count_nonzero((walks.indices < 0) | (walks.indices >= walks.n_demand))):
        message = f"{wrong} walks are from demand points that are not there, 0 to {walks.n_demand - 1}"
        yield Breach("walks", "no-such-demand-point", message, count=wrong)
    elif wrong := _repeated(walks):
        message = f"{wrong} walks stand in their row a second time; a demand point has one walk to a site"
        yield Breach("walks", "one-per-pair", message, count=wrong)


def _repeated(walks: Walks) -> int:
    """Return how many walks are from a demand point that has one in the same row already."""
    starts = walks.indptr[1:-1]
    rising = walks.indices[1:] > walks.indices[:-1]
    rising[starts[(starts > 0) & (starts < len(walks.indices))] - 1] = True
    if rising.all():
        return 0
    last, repeated = np.empty(walks.n_demand, dtype=np.int64), 0
    for site in range(walks.n_facilities):
        demand, _ = walks.row(site)
        turn = np.arange(len(demand))
        last[demand] = turn
        repeated += int(np.count_nonzero(last[demand] != turn))
    return repeated
