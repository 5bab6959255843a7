"""Why a plan opens nothing, or less than it may."""

from __future__ import annotations

import numpy as np

from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray
from lifecircle.said import Said, sentence
from lifecircle.scenarios.plan import Plan
from lifecircle.scenarios.posed import Posed
from lifecircle.scenarios.sites import rows_of
from lifecircle.siting import Budget, Standard


def why_nothing_opens(plan: Plan) -> Said:
    """Return why a plan proven the best opens none: no candidates, none that wins anybody or for the money, no need."""
    posed, circle = plan.posed, plan.scenario.circle
    candidates = (posed.frame["state"] == "candidate").to_numpy()
    if not candidates.any():
        return Said("no site is opened: there is no candidate for circle {}", circle)
    if plan.scenario.question == "fewest":
        return sentence("no site is opened: today's stations suffice")
    useful = candidates & _winning(posed)
    if not useful.any():
        return Said("no site is opened: no candidate wins anybody within {} who is not within it today", circle)
    if posed.question.budget is not None and plan.scenario.has_budget:
        cost, may_be_spent = _prices(posed.question.budget, len(candidates))
        over = np.where(useful, cost - may_be_spent, np.inf)
        if (over > 0.0).all():
            return _too_dear(plan, int(np.argmin(over)), cost, may_be_spent)
    return sentence("no site is opened: under these conditions none makes the plan better")


def _too_dear(plan: Plan, site: int, cost: FloatArray, may_be_spent: FloatArray) -> Said:
    """Return that no candidate can be paid for, and of the one that lacks least what it costs."""
    named = plan.posed.frame["station_id"].iloc[site]
    told = "no site is opened: none is to be had for {}; the cheapest that wins anybody is {} for {}"
    if plan.scenario.area_budget is not None:
        told = "no site is opened: none is to be had for what its area has, such as {}; there {} costs {}"
    return Said(told, f"{may_be_spent[site]:,.10g}", named, f"{cost[site]:,.10g}")


def _prices(budget: Budget, n_sites: int) -> tuple[FloatArray, FloatArray]:
    """Return what each site costs as the cheapest that it can open as, and the most that may be spent on it."""
    cost = np.atleast_2d(budget.cost).min(axis=0)
    limit = np.full(n_sites, np.inf if budget.total is None else budget.total)
    if budget.by_year:
        limit = np.minimum(limit, max(budget.by_year))
    if budget.by_area is not None and budget.site_area is not None:
        limit = np.minimum(limit, budget.by_area[budget.site_area])
    return cost, limit


def _winning(posed: Posed) -> BoolArray:
    """Return which sites bring anybody within all the standards who is not within them today.

    Where a plan is about walks, a place at a station, a second one or the worst case, every site counts that anybody
    can walk to.
    """
    question, walks = posed.question, posed.walks
    plain = question.unit == "residents" and question.capacity is None and not (question.backup or question.cases)
    site = np.repeat(np.arange(walks.n_facilities), np.diff(walks.indptr))
    lives = posed.weights[walks.indices] > 0.0
    own = question.objective.standards
    if own and plain:
        lives &= walks.seconds <= _open_s(posed, own)[walks.indices] + TOLERANCE_S
    found: BoolArray = np.bincount(site[lives], minlength=walks.n_facilities) > 0
    return found


def _open_s(posed: Posed, standards: tuple[Standard, ...]) -> FloatArray:
    """Return from how near, seconds, a site would bring each home within the standards; -inf where it is already."""
    today = rows_of(posed.walks, posed.fixed)
    nearest = np.full(today.n_demand, np.inf)
    np.minimum.at(nearest, today.indices, today.seconds)
    open_s = np.full(today.n_demand, np.inf)
    for standard in standards:
        # As what a station stands is no matter here: one of a lower tier leaves the higher standard open.
        lacks = (nearest > standard.cutoff_s + TOLERANCE_S) | (standard.tier > 0)
        open_s[lacks] = np.minimum(open_s[lacks], standard.cutoff_s)
    return np.where(np.isinf(open_s), -np.inf, open_s)
