"""Which engine answers which question, and what its columns mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.errors import UnfinishedError
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.bounds import first_bound
from lifecircle.siting.center import is_center, search_center
from lifecircle.siting.check import shortfalls_of
from lifecircle.siting.combined import is_large, search_combined
from lifecircle.siting.cover import cover_of, is_cover
from lifecircle.siting.cover_finish import MOST_ENTRIES
from lifecircle.siting.cover_search import search_cover
from lifecircle.siting.crowded import Crowd, crowd_of, crowded_bound, first_columns, reallocated
from lifecircle.siting.effort import Effort, Ended
from lifecircle.siting.fairest import lengths_s
from lifecircle.siting.fewest import WHOLE_TOLERANCE, is_share, needed_residents, nobody_may_stay_out
from lifecircle.siting.fewest_search import search_fewest
from lifecircle.siting.formulation import formulate
from lifecircle.siting.greedy import first_options
from lifecircle.siting.infeasible import NoPlanError, infeasible, refuse_nobody
from lifecircle.siting.linear import LinearForm, Options
from lifecircle.siting.median import is_median
from lifecircle.siting.median_search import search_median
from lifecircle.siting.options import options_of, standing_tiers
from lifecircle.siting.plan import Allocation, Decision, gap
from lifecircle.siting.questions import FairestWalks, FewestStations, Question, Sense
from lifecircle.siting.recount import value_of
from lifecircle.siting.search import search
from lifecircle.siting.share_search import search_share

PART_TOLERANCE = 1e-9
"""A part of a home that a solver leaves this near to nothing or to all is that."""

NO_PLAN = "the search was over before a first plan was found"


@dataclass(frozen=True, eq=False)
class Answer(ReadOnlyArrays):
    """The best decision that was found, what no plan can better, why the search stopped there, and the work done."""

    decision: Decision
    bound: float
    ended: Ended
    work: float


def answered(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, effort: Effort) -> Answer:
    """Return the best answer to a question that the effort allows.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    fixed
        The sites that stand, ascending.
    effort
        What the search may spend.

    Raises
    ------
    NoPlanError
        Where no plan can meet the conditions.
    LifecircleError
        Where the effort is spent before a first plan is found.
    """
    refuse_nobody(question, walks, weights, fixed)
    if is_median(question) or is_center(question):
        opening = (search_median if is_median(question) else search_center)(question, walks, weights, fixed, effort)
        if opening.feasible:
            options = options_of(question, walks.n_facilities, fixed)
            opened = np.isin(options.site, opening.chosen)
            return Answer(decided(options, opened, fixed), opening.bound, opening.ended, opening.work)
        if opening.ended == "interrupted":
            raise UnfinishedError(NO_PLAN)
        effort = effort.less(opening.work)
    if isinstance(question.objective, FairestWalks):
        return _fairest(question, walks, weights, fixed, effort)
    if is_cover(question):
        cover, options = cover_of(question, walks, weights, fixed)
        found = search_cover(cover, effort)
        if found.feasible:
            return Answer(decided(options, found.opened, fixed), found.bound, found.ended, found.work)
        if found.ended == "interrupted":
            raise UnfinishedError(NO_PLAN)
        effort = effort.less(found.work)
    if isinstance(question.objective, FewestStations) and is_share(question):
        cover, options = cover_of(question, walks, weights, fixed)
        if len(cover.reach.columns) > MOST_ENTRIES:
            needed = needed_residents(cover, question.objective.share or 1.0)
            everybody = nobody_may_stay_out(cover, needed)
            least = search_fewest(cover, effort) if everybody else search_share(cover, needed, effort)
            return Answer(decided(options, least.opened, fixed), least.bound, least.ended, least.work)
    return _formulated(question, walks, weights, fixed, effort)


def _formulated(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, effort: Effort) -> Answer:
    """Return what HiGHS finds, or where that would come to no end, the search by rounds."""
    form = formulate(question, walks, weights, fixed)
    large = is_large(form)
    crowd = crowd_of(question, weights, form)
    first = None if large else _first(question, walks, weights, fixed, form, crowd)
    bound = unsearched_bound(form, crowd)
    if first is not None:
        value = value_of(question, walks, weights, first[1])
        proven = gap(value, bound, sense=question.sense) == 0.0
        if crowd is not None and not proven and (crowd.is_large or crowd.is_flow):
            first = _settled(question, walks, weights, fixed, crowd, first, effort)
            value = value_of(question, walks, weights, first[1])
            proven = gap(value, bound, sense=question.sense) == 0.0
        if proven or (crowd is not None and crowd.is_large):
            return Answer(first[1], bound, "proven" if proven else effort.over or "stuck", 0.0)
    start = None if first is None else first[0]
    # Every year's own bound is wanted afterwards.
    mine = effort.part(0.5) if question.n_years > 1 else effort
    found = search_combined(form, mine) if large else search(form, mine, start=start)
    if found.infeasible:
        left = effort.less(found.work)
        raise NoPlanError(lambda: infeasible(question, walks, weights, fixed, form, left, rows=found.rows))
    if question.unit == "stations":
        bound = max(bound, math.ceil(found.bound - WHOLE_TOLERANCE) if math.isfinite(found.bound) else 0.0)
    else:
        bound = tighter(bound, found.bound, question.sense)
    if question.sense == "min":
        bound = max(bound, 0.0)  # the last digits of a sum may say less than nothing
    plans = [] if first is None else [first[1]]
    if found.columns is not None:
        plans.append(decision_of(form, found.columns, question, fixed))
    if not plans:
        raise UnfinishedError(NO_PLAN)
    pick = max if question.sense == "max" else min
    decision = pick(plans[::-1], key=lambda decision: value_of(question, walks, weights, decision))
    return Answer(decision, bound, found.ended, found.work)


def unsearched_bound(form: LinearForm, crowd: Crowd | None) -> float:
    """Return a bound on the value of every plan of a form, or of the crowd that it is, without a search."""
    return first_bound(form) if crowd is None else crowded_bound(crowd)


def tighter(one: float, other: float, sense: Sense) -> float:
    """Return the one of two bounds that says more."""
    return min(one, other) if sense == "max" else max(one, other)


def _first(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, form: LinearForm, crowd: Crowd | None
) -> tuple[LongArray, Decision] | None:
    """Return the options and the decision of a first plan, None where the obvious one does not meet the conditions."""
    if crowd is not None:
        columns = first_columns(crowd)
        opened = np.flatnonzero(columns[: form.n_options] > 0.5)
    elif question.capacity is not None:
        return None
    else:
        kept_tiers = standing_tiers(question, walks.n_facilities)[form.kept]
        opened = first_options(form, walks, weights, question.objective.standards, kept_tiers)
        columns = np.isin(np.arange(form.n_columns), opened).astype(np.float64)
    decision = decision_of(form, columns, question, fixed)
    return None if any(shortfalls_of(question, walks, weights, decision)) else (opened, decision)


def _settled(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: LongArray,
    crowd: Crowd,
    first: tuple[LongArray, Decision],
    effort: Effort,
) -> tuple[LongArray, Decision]:
    """Return the best of a first plan, the same with everybody at the best station, and one that begins from there."""
    form, plans = crowd.form, [first]

    def settle(opened: BoolArray) -> FloatArray | None:
        return reallocated(crowd, opened, effort.part(0.3)) if crowd.split or effort.left_s is not None else None

    def consider(opened: BoolArray, part: FloatArray | None) -> None:
        if part is not None:
            columns = np.concatenate([opened.astype(np.float64), part, np.zeros(form.n_levels)])
            decision = decision_of(form, columns, question, fixed)
            if not any(shortfalls_of(question, walks, weights, decision)):
                plans.append((np.flatnonzero(opened), decision))

    greedy = np.isin(np.arange(form.n_options), first[0])
    consider(greedy, settle(greedy))
    standing = settle(form.options.stands)
    if standing is not None:
        opened = first_columns(crowd, standing)[: form.n_options] > 0.5
        consider(opened, settle(opened))
    pick = max if question.sense == "max" else min
    return pick(plans, key=lambda plan: value_of(question, walks, weights, plan[1]))


def _fairest(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, effort: Effort) -> Answer:
    """Return what halving the lengths that the longest walk can have comes to."""
    lengths = lengths_s(question, walks, weights, fixed)
    form = formulate(question, walks, weights, fixed, longest_s=float(lengths[-1]))
    found = search(form, effort)
    if found.infeasible:
        whole, left = form, effort.less(found.work)
        raise NoPlanError(lambda: infeasible(question, walks, weights, fixed, whole, left))
    if found.columns is None:
        raise UnfinishedError(NO_PLAN)
    decision = decision_of(form, found.columns, question, fixed)
    low, high = 0, int(np.searchsorted(lengths, value_of(question, walks, weights, decision)))
    work, ended = found.work, found.ended
    while low < high and ended == "proven":
        middle = (low + high) // 2
        form = formulate(question, walks, weights, fixed, longest_s=float(lengths[middle]))
        found = search(form, effort.less(work))
        work += found.work
        ended = effort.less(work).over or found.ended
        if found.infeasible:
            low = middle + 1
        elif found.columns is not None:
            decision = decision_of(form, found.columns, question, fixed)
            high = int(np.searchsorted(lengths, value_of(question, walks, weights, decision)))
    return Answer(decision, float(lengths[low]), "proven" if low == high else ended, work)


def decision_of(form: LinearForm, columns: FloatArray, question: Question, fixed: LongArray) -> Decision:
    """Return what the columns of a plan mean."""
    decision = decided(form.options, columns[: form.n_options] > 0.5, fixed)
    if question.capacity is not None:
        part = columns[form.n_options : form.n_options + form.n_counts]
        taken = np.flatnonzero((form.home >= 0) & (part > PART_TOLERANCE))
        near_all = np.where(part[taken] > 1.0 - PART_TOLERANCE, 1.0, part[taken])
        allocation = Allocation(form.home[taken], form.site[taken], form.case[taken], form.year[taken], near_all)
        decision = replace(decision, allocation=allocation)
    return decision


def decided(options: Options, opened: BoolArray, fixed: LongArray) -> Decision:
    """Return the decision to open some options and no others."""
    new = np.flatnonzero(opened & ~options.stands)
    return Decision(
        fixed=fixed,
        closed=options.site[options.stands & ~opened],
        chosen=options.site[new],
        tier=options.tier[new],
        period=options.period[new],
    )
