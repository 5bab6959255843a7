"""From a question to a checked plan."""

from __future__ import annotations

import math
from time import monotonic

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach, SchemaError
from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.check import check_plan, value_of
from lifecircle.siting.explain import explain
from lifecircle.siting.formulation import Formulation, formulate
from lifecircle.siting.greedy import open_in_order
from lifecircle.siting.incidence import within
from lifecircle.siting.plan import SitingPlan, gap, gap_gain
from lifecircle.siting.questions import Question
from lifecircle.siting.reduction import Remaining, reduce
from lifecircle.siting.search import search

WHOLE_TOLERANCE = 1e-6
"""The solver's own tolerance: a bound on a number of stations is rounded up from this much above a whole number."""


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
        Seconds to the sites (rows; those that stand and the candidates alike) from the demand points
        (columns), at least up to the question's cutoff. A pair that is not in it counts as beyond.
    weights
        Residents per demand point, shape (``walks.n_demand``,), 0 or more, fractions allowed.
    fixed
        Rows of the sites that stand and are kept.
    time_limit_s
        Seconds after which the search stops with the best plan so far and its bound. None: it stops with a
        proof. With 0 the plan is the greedy one.

    Returns
    -------
    SitingPlan
        Recomputed from ``walks`` by `check_plan`. Where `MostResidents` finds no candidate that wins anybody,
        nothing is chosen and the value is that of today; likewise `FewestStations` where the fixed sites
        suffice.

    Raises
    ------
    SchemaError
        With everything that is wrong with ``weights``, ``fixed`` and ``time_limit_s``.
    InfeasibleError
        Where `FewestStations` finds nobody whom any site could reach.
    BoundError
        Where the plan does not pass `check_plan`: a defect of this package.

    Notes
    -----
    The same input gives the same plan, one that the clock cut short excepted. Of equally good plans the
    search returns any; the order of opening prefers the smaller index.

    Examples
    --------
    >>> from lifecircle.siting import MostResidents
    >>> walks = Walks(np.array([0, 2, 3]), np.array([0, 1, 2], dtype=np.int32), np.array([60.0, 300.0, 90.0]), 3)
    >>> plan = solve(MostResidents(cutoff_s=480.0, n_new=1), walks, np.array([10.0, 20.0, 25.0]))
    >>> plan.chosen.tolist(), plan.value, plan.status
    ([0], 30.0, 'optimal')
    """
    started_s = monotonic()
    weights, standing = np.asarray(weights, dtype=np.float64), np.asarray(fixed)
    _refuse(walks, weights, standing, time_limit_s)
    standing = np.sort(standing.astype(np.int64))
    reach = within(walks, question.cutoff_s)
    remaining = reduce(reach, weights, standing)
    form = formulate(question, remaining)

    def value(opened: LongArray) -> float:
        return value_of(question, walks, weights, fixed=standing, chosen=remaining.candidates[opened])

    opened, gain = _in_order(remaining, np.arange(form.n_sites), form)
    bound = form.bound
    left_s = None if time_limit_s is None else time_limit_s - (monotonic() - started_s)
    if gap(value(opened), bound, sense=question.sense) > 0.0 and (left_s is None or left_s > 0.0):
        found = search(form, opened, sense=question.sense, time_limit_s=left_s)
        opened, gain = _in_order(remaining, found.opened, form)
        bound = _tighter(question, bound, found.bound)

    chosen = remaining.candidates[opened]
    reasons = explain(reach, weights, fixed=standing, chosen=chosen)
    reached, today = value(opened), value(opened[:0]) if question.unit == "residents" else None
    distance = gap(reached, bound, sense=question.sense)
    bound = bound if distance else reached
    plan = SitingPlan(
        question=question,
        status="feasible" if distance else "optimal",
        value=reached,
        bound=bound,
        today=today,
        gap=distance,
        gap_gain=gap_gain(reached, bound, today, sense=question.sense),
        fixed=standing,
        chosen=chosen,
        gain=gain,
        reached=reasons.reached,
        only_here=reasons.only_here,
        next_best=reasons.next_best,
    )
    check_plan(plan, walks, weights)
    return plan


def _in_order(remaining: Remaining, candidates: LongArray, form: Formulation) -> tuple[LongArray, FloatArray]:
    """Return those of ``candidates`` that are worth opening, in their order, with what each wins."""
    return open_in_order(remaining.reach, remaining.weights, candidates, limit=form.limit, need=form.need)


def _tighter(question: Question, known: float, found: float) -> float:
    """Return the better of two bounds; the one that is found is rounded up where stations are counted."""
    if question.unit == "stations" and math.isfinite(found):
        found = float(math.ceil(found - WHOLE_TOLERANCE))
    return min(known, found) if question.sense == "max" else max(known, found)


def _refuse(walks: Walks, weights: FloatArray, fixed: npt.NDArray[np.generic], time_limit_s: float | None) -> None:
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
    if time_limit_s is not None and not time_limit_s >= 0.0:
        message = f"time_limit_s is {time_limit_s!r}; it must be 0 or more seconds, or None"
        breaches.append(Breach("time_limit_s", "zero-or-more", message))
    if breaches:
        raise SchemaError("the siting question cannot be put", breaches=breaches)
