"""What can be opened, and what a planner's limits say about it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.siting.linear import Label, Options
from lifecircle.siting.questions import Question

Limit = tuple[Label, FloatArray, float]
"""A side row over the options alone: where it comes from, a coefficient per option, and the upper limit."""


def options_of(question: Question, n_sites: int, fixed: LongArray) -> Options:
    """Return what can be opened beside the sites that stand for good, and those that may close.

    Parameters
    ----------
    question
        What is asked.
    n_sites
        How many sites there are.
    fixed
        The sites that stand.
    """
    standing_tier = standing_tiers(question, n_sites)
    n_periods = question.n_years if question.itinerary is None else question.itinerary.days
    site, tier, period = np.indices((n_sites, question.n_tiers, n_periods)).reshape(3, -1)
    stands = np.isin(site, question.may_close)
    possible = stands & (tier == standing_tier[site]) & (period == 0)
    possible |= ~np.isin(site, fixed) & _can_open(question, site, tier, period)
    chosen = np.flatnonzero(possible)
    return Options(
        site[chosen].astype(np.int64), tier[chosen].astype(np.int64), period[chosen].astype(np.int64), stands[chosen]
    )


def standing_tiers(question: Question, n_sites: int) -> LongArray:
    """Return the tier of each site where it stands."""
    if question.tiers is None or question.tiers.standing is None:
        return np.zeros(n_sites, dtype=np.int64)
    return question.tiers.standing.astype(np.int64)


def limits_of(question: Question, options: Options, kept: LongArray, n_sites: int) -> Iterator[Limit]:
    """Yield every limit that concerns the options alone, one row each."""
    new = (~options.stands).astype(np.float64)
    stays = options.stands.astype(np.float64)
    n_closable = float(options.stands.sum())
    if question.n_new is not None or question.moves is not None:
        # With moves, what opens beyond n_new takes the place of what closes.
        yield Label("n_new", asked=question.n_new or 0), new + stays, (question.n_new or 0) + n_closable
    if question.moves is not None:
        yield Label("moves", asked=question.moves.at_most), -stays, question.moves.at_most - n_closable
    if question.itinerary is not None:
        stops = question.itinerary.stops_per_day
        for day in range(question.itinerary.days):
            yield Label("stops", index=day, asked=stops), new * (options.period == day), stops
    yield from _budgets(question, options)
    if question.at_least is not None:
        area = question.at_least.site_area
        for index in np.unique(area[area >= 0]):
            asked = min(question.at_least.n, int((area == index).sum()))
            more = asked - int((area[kept] == index).sum())
            if more > 0:
                label = Label("at_least", index=int(index), asked=asked)
                yield label, -(area[options.site] == index).astype(np.float64), -more


def _budgets(question: Question, options: Options) -> Iterator[Limit]:
    budget = question.budget
    if budget is None:
        return
    by_tier = np.atleast_2d(budget.cost)
    cost = np.where(options.stands, 0.0, by_tier[np.minimum(options.tier, len(by_tier) - 1), options.site])
    if budget.total is not None:
        yield Label("budget", asked=budget.total), cost, budget.total
    if budget.by_area is not None and budget.site_area is not None:
        for index, amount in enumerate(budget.by_area.tolist()):
            label = Label("area_budget", index=index, asked=amount)
            yield label, cost * (budget.site_area[options.site] == index), amount
    for year, amount in enumerate(budget.by_year):
        yield Label("year_budget", index=year, asked=amount), cost * (options.period == year), amount


def _can_open(question: Question, site: LongArray, tier: LongArray, period: LongArray) -> BoolArray:
    possible = np.ones(len(site), dtype=bool)
    if question.budget is not None:
        cost = np.broadcast_to(question.budget.cost, (question.n_tiers, question.budget.cost.shape[-1]))
        possible &= np.isfinite(cost[tier, site])
    if question.itinerary is not None and question.itinerary.available is not None:
        possible &= question.itinerary.available[period, site]
    return possible
