"""Why a candidate is not among the chosen sites: the best that a plan with it can do, as far as one swap tells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.check import shortfalls_of
from lifecircle.siting.conditions import Standard
from lifecircle.siting.plan import Decision, SitingPlan
from lifecircle.siting.recount import cost_of, nearest_s, value_of
from lifecircle.siting.supply import Supply, completes, missing_bits, supply_of

SWAPS = 40
"""At most so many chosen sites are tried in a swap: half those that share most residents with the candidate, half those
without which the plan loses least."""


@dataclass(frozen=True, eq=False)
class WhyNot(ReadOnlyArrays):
    """What speaks against opening a candidate.

    Attributes
    ----------
    site
        The candidate.
    reached
        Residents within each standard of it, as the highest tier that it can open as.
    gain
        What it would bring beside the plan: residents within all standards, see `SitingPlan` for ``gain``.
    value
        The best value found with it open: added to the plan where the conditions allow that, or in place of one chosen
        site. No bound: two swaps may do better. NaN where neither meets the conditions, and under a capacity, where
        every swap would need its own assignment.
    instead_of
        The chosen site that it takes the place of; -1: it is added, or there is no such plan.
    worse_by
        How much worse that is than the plan; below 0 it is better, which no proven plan allows.
    """

    site: int
    reached: FloatArray
    gain: float
    value: float
    instead_of: int
    worse_by: float


def why_not(plan: SitingPlan, walks: Walks, weights: FloatArray, site: int) -> WhyNot:
    """Return what speaks against a candidate that the plan does not open.

    Parameters
    ----------
    plan
        The plan.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    site
        The candidate, a row of ``walks`` that is neither fixed nor chosen.
    """
    question, decision = plan.question, plan.decision
    standards = question.objective.standards or (Standard(plan.value),)
    ways = list(_ways(plan, site))
    tier = max((tier for tier, _ in ways), default=-1)
    offer = supply_of(walks, np.array([site]), np.array([tier]), standards)
    kept_tiers = np.zeros(len(decision.kept), dtype=np.int64)
    if question.tiers is not None and question.tiers.standing is not None:
        kept_tiers = question.tiers.standing[decision.kept]
    supply = supply_of(walks, plan.sites, np.concatenate([kept_tiers, decision.tier]), standards)
    missing = missing_bits(supply.times(walks.n_demand))
    found = []
    leaving = [] if question.capacity is not None else [-1, *_worth_trying(plan, supply, offer, weights)]
    for position, (tier, period) in itertools.product(leaving, ways):
        tried = _with(decision, position, site, tier, period)
        value = value_of(question, walks, weights, tried)
        if math.isfinite(value) and not any(shortfalls_of(question, walks, weights, tried)):
            found.append((value, position))
    won = float(weights[offer.home[completes(missing[offer.home], offer.bits)]].sum())
    pick = max if question.sense == "max" else min
    best, leaves = pick(found, key=lambda one: one[0], default=(math.nan, -1))
    return WhyNot(
        site=site,
        reached=np.array([weights[offer.home[offer.has(number)]].sum() for number in range(len(standards))]),
        gain=_saved(plan, walks, weights, site) if question.unit == "person-seconds" else won,
        value=best,
        instead_of=-1 if leaves < 0 else int(decision.chosen[leaves]),
        worse_by=plan.value - best if question.sense == "max" else best - plan.value,
    )


def _saved(plan: SitingPlan, walks: Walks, weights: FloatArray, site: int) -> float:
    """Return the person-seconds that a site would save beside the plan."""
    worth = weights if plan.question.priority is None else weights * plan.question.priority
    walk_s = np.minimum(nearest_s(walks, plan.sites), plan.question.objective.standards[0].cutoff_s)
    home, seconds = walks.row(site)
    return float(worth[home] @ np.maximum(walk_s[home] - seconds, 0.0))


def _ways(plan: SitingPlan, site: int) -> Iterator[tuple[int, int]]:
    """Yield as what, and in which year or on which day, a site can open."""
    question = plan.question
    days = None if question.itinerary is None else question.itinerary.available
    periods = question.n_years if question.itinerary is None else question.itinerary.days
    for tier, period in itertools.product(range(question.n_tiers), range(periods)):
        if np.isfinite(cost_of(question, site, tier)) and (days is None or days[period, site]):
            yield tier, period


def _worth_trying(plan: SitingPlan, supply: Supply, offer: Supply, weights: FloatArray) -> list[int]:
    """Return the positions of the chosen sites that the candidate may take the place of."""
    here = np.zeros(len(weights), dtype=bool)
    here[offer.home] = True
    shared = np.bincount(supply.site, weights[supply.home] * here[supply.home], minlength=supply.n_sites)
    shared = shared[supply.n_sites - len(plan.chosen) :]
    by_shared, by_loss = np.argsort(-shared, kind="stable"), np.argsort(plan.loss, kind="stable")
    found: LongArray = np.union1d(by_shared[: SWAPS // 2], by_loss[: SWAPS // 2])
    return [int(position) for position in found]


def _with(decision: Decision, position: int, site: int, tier: int, period: int) -> Decision:
    """Return the decision with a site in place of the chosen one at ``position``; -1: beside all."""
    left = decision if position < 0 else decision.take(np.delete(np.arange(len(decision.chosen)), position))
    return replace(
        left,
        chosen=np.append(left.chosen, site),
        tier=np.append(left.tier, tier),
        period=np.append(left.period, period),
    )
