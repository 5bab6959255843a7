"""A plan checked: its figures and every condition, recomputed from the walks by `audit`.

The search asks here whether its plans meet the conditions; nothing is asked of the search, nor of `recount`, by whose
values it goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lifecircle.errors import BoundError, Breach
from lifecircle.model import BoolArray, FloatArray, LongArray, Walks
from lifecircle.siting.audit import (
    Day,
    best_day_of,
    cost_of,
    day_of,
    gains_of,
    reached_of,
    values_by_year,
    within,
)
from lifecircle.siting.conditions import Floor, Standard
from lifecircle.siting.plan import Decision, SitingPlan, gap, gap_gain, value_today
from lifecircle.siting.questions import SHARE_TOLERANCE, FewestStations, Question, ShortestWalks

VALUE_TOLERANCE = 1e-9
"""Two sums of the same residents may differ by this part of all residents: float64 adds in any order."""

LIMIT_TOLERANCE = 1e-9
"""Money and capacity may be exceeded by this part, for the same reason."""

PART_TOLERANCE = 1e-6
"""The parts in which homes are served come from a solver that keeps its constraints to this."""


MOST_SWAPPED = 3_000_000
"""Walks looked at to tell whether every substitute is what it says: all those of the open sites, for each of them."""


def check_plan(plan: SitingPlan, walks: Walks, weights: FloatArray) -> None:
    """Recompute the figures of ``plan`` from ``walks`` and refuse a plan that is not what it says.

    ``loss`` is not looked at, and ``next_best`` in full only in a plan of up to `MOST_SWAPPED` walks: they are advice,
    no part of the answer.

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
        With everything that is wrong: sites that are no sites, a condition that is not met, a figure that is not so, a
        bound on the wrong side, a claim of proof without one.
    """
    wrong = [*_wrong_sites(plan, walks)]
    if not wrong:  # figures of sites that are not there cannot be recomputed
        wrong += shortfalls_of(plan.question, walks, weights, plan.decision)
        wrong += _wrong_figures(plan, walks, weights)
        wrong += _wrong_substitutes(plan, walks, weights)
        wrong += _wrong_proof(plan)
    if wrong:
        breaches = [Breach("plan", "recomputed", message) for message in wrong]
        raise BoundError("a plan is not what it says; this is a defect of lifecircle", breaches=breaches)


def shortfalls_of(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Iterator[str]:
    """Yield what a decision lacks to meet the conditions of ``question``.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    decision
        Which sites open and close; they exist and none is named twice.
    """
    yield from _wrong_openings(question, walks, decision)
    yield from _wrong_numbers(question, decision)
    yield from _wrong_money(question, walks, decision)
    yield from _wrong_places(question, decision)
    yield from _wrong_shares(question, walks, weights, decision)
    if question.capacity is not None:
        yield from _wrong_allocation(question, walks, weights, decision)


def _wrong_openings(question: Question, walks: Walks, decision: Decision) -> Iterator[str]:
    if ((decision.tier < 0) | (decision.tier >= question.n_tiers)).any():
        yield "it opens a site as a tier that is not there"
        return
    periods = question.n_years if question.itinerary is None else question.itinerary.days
    if ((decision.period < 0) | (decision.period >= periods)).any():
        yield "it opens a site in a year or on a day that is not there"
        return
    cost = cost_of(question, walks.n_facilities)
    for site, tier in zip(decision.chosen.tolist(), decision.tier.tolist(), strict=True):
        if not np.isfinite(cost[tier, site]):
            yield f"it opens site {site} as tier {tier}, as which it cannot be opened"
    if question.itinerary is not None and question.itinerary.available is not None:
        there = question.itinerary.available[decision.period, decision.chosen]
        yield from (f"no stop can be made at site {site} on that day" for site in decision.chosen[~there].tolist())


def _wrong_numbers(question: Question, decision: Decision) -> Iterator[str]:
    allowed = question.n_new
    if question.moves is not None:
        allowed = (allowed or 0) + len(decision.closed)
        if len(decision.closed) > question.moves.at_most:
            yield f"it closes {len(decision.closed)} sites where {question.moves.at_most} moves are allowed"
    if not np.isin(decision.closed, question.may_close).all():
        yield "it closes a site that may not close"
    if allowed is not None and len(decision.chosen) > allowed:
        yield f"it opens {len(decision.chosen)} sites where {allowed} are allowed"
    if question.itinerary is not None:
        stops = np.bincount(decision.period, minlength=1).max()
        if stops > question.itinerary.stops_per_day:
            yield f"it makes {stops} stops a day where {question.itinerary.stops_per_day} are allowed"


def _wrong_money(question: Question, walks: Walks, decision: Decision) -> Iterator[str]:
    budget = question.budget
    if budget is None:
        return
    spent = cost_of(question, walks.n_facilities)[decision.tier, decision.chosen]
    limits = [] if budget.total is None else [("in all", np.ones(len(spent), dtype=bool), budget.total)]
    limits += [(f"in year {year}", decision.period == year, amount) for year, amount in enumerate(budget.by_year)]
    if budget.by_area is not None and budget.site_area is not None:
        area = budget.site_area[decision.chosen]
        limits += [(f"in area {index}", area == index, amount) for index, amount in enumerate(budget.by_area.tolist())]
    for where, which, amount in limits:
        if spent[which].sum() > amount * (1.0 + LIMIT_TOLERANCE):
            yield f"it spends {spent[which].sum()!r} {where} where there is {amount!r}"


def _wrong_places(question: Question, decision: Decision) -> Iterator[str]:
    if question.at_least is None:
        return
    area = question.at_least.site_area
    for index in np.unique(area[area >= 0]).tolist():
        asked = min(question.at_least.n, int((area == index).sum()))
        has = int((area[decision.sites] == index).sum())
        if has < asked:
            yield f"area {index} has {has} sites where {asked} are asked for"


def _wrong_shares(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Iterator[str]:
    floors = [("the residents", floor) for floor in question.floors]
    if isinstance(question.objective, FewestStations) and question.objective.share is not None:
        floors.append(("all", Floor(question.objective.share, of="reachable")))
    last = question.n_years - 1
    for case in range(len(question.happenings) if floors else 0):
        day = day_of(question, walks, decision, case, last)
        for name, floor in floors:
            standards = floor.standards or question.objective.standards
            counted = day.part if decision.allocation is not None else (day.times(standards) >= 1).astype(np.float64)
            persons = weights if floor.who is None else floor.who
            of = persons
            if floor.of == "reachable":
                of = persons * (best_day_of(question, walks, decision.fixed, case).times(standards) >= 1)
            area = np.zeros(len(persons), dtype=np.int64) if floor.area is None else floor.area
            here = area >= 0
            bases = np.bincount(area[here], of[here])
            for index, reached in enumerate(np.bincount(area[here], (persons * counted)[here]).tolist()):
                base = float(bases[index])
                if reached < (floor.share - SHARE_TOLERANCE) * base:
                    where = name if floor.area is None else f"area {index}"
                    yield f"it reaches {reached!r} of {base!r} of {where}, which is less than a share of {floor.share}"


def _wrong_allocation(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Iterator[str]:
    capacity, allocation = question.capacity, decision.allocation
    if capacity is None or allocation is None:
        yield "it does not say who is served where"
        return
    load = weights if capacity.load is None else capacity.load
    part = allocation.part
    if (part < -PART_TOLERANCE).any() or (part > 1.0 + PART_TOLERANCE).any():
        yield "it serves a home in less than nothing or more than all"
    if not capacity.split and (np.minimum(part, 1.0 - part) > PART_TOLERANCE).any():
        yield "it splits a home that may not be split"
    for case in range(len(question.happenings)):
        for year in range(question.n_years):
            day = day_of(question, walks, decision, case, year)
            if (day.part > 1.0 + PART_TOLERANCE).any():
                yield "it serves a home twice"
            now = (allocation.case == case) & (allocation.year == year)
            for site in np.unique(allocation.site[now]).tolist():
                here = now & (allocation.site == site)
                if day.tier[site] < 0:
                    yield f"site {site} serves somebody while it is not in service"
                    continue
                if not all(
                    _serves(day, site, allocation.home[here], standard) for standard in question.objective.standards
                ):
                    yield f"site {site} serves somebody beyond the cutoff"
                taken = float(load[allocation.home[here]] @ part[here])
                if taken > capacity.limit[site] * (1.0 + PART_TOLERANCE) + PART_TOLERANCE:
                    yield f"site {site} takes on {taken!r} where it can {capacity.limit[site]!r}"


def _serves(day: Day, site: int, homes: LongArray, standard: Standard) -> bool:
    """Return whether a site serves homes as a standard asks for."""
    return bool(day.tier[site] >= standard.tier and np.isin(homes, within(day.walks, site, standard.cutoff_s)).all())


def _wrong_sites(plan: SitingPlan, walks: Walks) -> Iterator[str]:
    decision = plan.decision
    sites = [*decision.fixed.tolist(), *decision.chosen.tolist()]
    if any(not 0 <= site < walks.n_facilities for site in sites):
        yield "it names sites that are not there"
    if len(set(sites)) < len(sites):
        yield "it names a site twice"
    if not np.isin(decision.closed, decision.fixed).all():
        yield "it closes a site that does not stand"
    if not len(decision.chosen) == len(decision.tier) == len(decision.period):
        yield "not every chosen site has its tier and its period"
    opened = plan.sites.tolist()
    if any(site != -1 and (site in opened or not 0 <= site < walks.n_facilities) for site in plan.next_best.tolist()):
        yield "a substitute is open already or not there"


def _wrong_figures(plan: SitingPlan, walks: Walks, weights: FloatArray) -> Iterator[str]:
    question, decision = plan.question, plan.decision
    by_year = values_by_year(question, walks, weights, decision)
    value = float(by_year.sum())
    tolerance = VALUE_TOLERANCE * max(abs(value), float(weights.sum()))
    if not abs(value - plan.value) <= tolerance:
        yield f"value is {plan.value!r}, recomputed {value!r}"
    before = float(values_by_year(question, walks, weights, Decision.today(decision.fixed)).sum())
    today = value_today(question, before)
    if plan.by_year.shape != by_year.shape or np.any(np.abs(plan.by_year - by_year) > tolerance):
        yield f"by_year is {plan.by_year.tolist()!r}, recomputed {by_year.tolist()!r}"
    told = math.nan if plan.today is None else plan.today
    if (plan.today is None) != (today is None) or (today is not None and abs(today - told) > tolerance):
        yield f"today is {plan.today!r}, recomputed {today!r}"
    standards = question.objective.standards or (Standard(plan.value),)
    tolerance = VALUE_TOLERANCE * float(weights.sum())
    reached, only_here = reached_of(question, walks, weights, decision, standards)
    for name, stated, recomputed in (("reached", plan.reached, reached), ("only_here", plan.only_here, only_here)):
        if stated.shape != recomputed.shape or np.any(np.abs(stated - recomputed) > tolerance):
            yield f"{name} is not what the walks say"
    gains = gains_of(question, walks, weights, decision, standards)
    if isinstance(question.objective, ShortestWalks):
        tolerance *= question.objective.cutoff_s
        tolerance *= 1.0 if question.priority is None else float(question.priority.max(initial=1.0))
    if plan.gain.shape != gains.shape or np.any(np.abs(plan.gain - gains) > tolerance):
        yield "gain is not what the walks say"
    if question.itinerary is None and np.any(np.diff(decision.period) < 0):
        yield "the order of opening is not that of the years"
    in_order = len(question.objective.standards) == 1 and len(plan.gain) == len(decision.chosen)
    if in_order and np.any(np.diff(plan.gain)[_same_year(question, decision)] > tolerance):
        yield "the order of opening is not that of the gains"
    if not len(plan.next_best) == len(plan.next_best_loss) == len(plan.loss) == len(plan.chosen):
        yield "not every chosen site has its loss and its substitute, or -1"


def _wrong_substitutes(plan: SitingPlan, walks: Walks, weights: FloatArray) -> Iterator[str]:
    """Yield which substitutes break a condition or lose something else than they say."""
    question, decision = plan.question, plan.decision
    touched = int(np.diff(walks.indptr)[plan.sites].sum()) * len(question.happenings) * question.n_years
    needs_all = question.floors or question.objective.name in ("fewest", "fairest")
    touched += len(walks.seconds) if needs_all else 0
    if not len(plan.next_best) == len(plan.next_best_loss) == len(decision.chosen):
        return
    there = np.flatnonzero(plan.next_best >= 0)
    if question.capacity is not None or touched * len(there) > MOST_SWAPPED:
        return
    for position in there.tolist():
        chosen = decision.chosen.copy()
        chosen[position] = plan.next_best[position]
        swapped = replace(decision, chosen=chosen)
        yield from (f"with a substitute {said}" for said in shortfalls_of(question, walks, weights, swapped))
        value = float(values_by_year(question, walks, weights, swapped).sum())
        lost = plan.value - value if question.sense == "max" else value - plan.value
        told = float(plan.next_best_loss[position])
        if not abs(lost - told) <= 2.0 * VALUE_TOLERANCE * max(abs(value), abs(plan.value), float(weights.sum())):
            yield f"a substitute is said to lose {told!r}, recomputed {lost!r}"


def _wrong_proof(plan: SitingPlan) -> Iterator[str]:
    sense = plan.question.sense
    try:
        distance = gap(plan.value, plan.bound, sense=sense)
        distance_gain = gap_gain(plan.value, plan.bound, plan.today, sense=sense)
        for value, bound in zip(plan.by_year.tolist(), plan.year_bounds.tolist(), strict=True):
            gap(value, bound, sense=sense)
    except BoundError as error:
        yield str(error)
        return
    if plan.gap != distance:
        yield f"gap is {plan.gap!r}, recomputed {distance!r}"
    if plan.gap_gain != distance_gain:
        yield f"gap_gain is {plan.gap_gain!r}, recomputed {distance_gain!r}"
    if (plan.status == "optimal") != (distance == 0.0):
        yield f"it is called {plan.status} at a gap of {distance!r}"


def _same_year(question: Question, decision: Decision) -> BoolArray:
    """Return for each chosen site but the first whether it opens in the year of the one before it."""
    if question.itinerary is not None:
        return np.ones(max(0, len(decision.chosen) - 1), dtype=bool)
    return np.diff(decision.period) == 0
