"""What every open site is good for, what could stand in for it, and why another is not among them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.incidence import sums
from lifecircle.siting.opening import order_by_longest, order_by_walks
from lifecircle.siting.plan import Decision
from lifecircle.siting.questions import FairestWalks, Question, ShortestWalks
from lifecircle.siting.recount import asked_of, open_sites, value_of
from lifecircle.siting.substitutes import substitutes
from lifecircle.siting.supply import Supply, completes, missing_bits, opening_order, supply_of, two_nearest


@dataclass(frozen=True, eq=False)
class Reasons(ReadOnlyArrays):
    """The decision in its order of opening, and the figures of its sites; see `SitingPlan`."""

    decision: Decision
    gain: FloatArray
    reached: FloatArray
    only_here: FloatArray
    loss: FloatArray
    next_best: LongArray
    next_best_loss: FloatArray


def explain(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Reasons:
    """Return what each open site is good for.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    decision
        Which sites open and close, in any order.
    """
    standards = question.objective.standards or (Standard(value_of(question, walks, weights, decision)),)
    decision = in_order(question, walks, weights, decision)
    sites, tiers = open_sites(replace(question, cases=()), decision, 0, question.n_years)
    n_kept = len(decision.kept)
    missing = missing_bits(supply_of(walks, sites[:n_kept], tiers[:n_kept], standards).times(walks.n_demand))
    supply = supply_of(walks, sites, tiers, standards)
    reached, only_here = reach_of_sites(supply, weights)
    gain = _gains(supply, missing, weights, n_kept)
    if isinstance(question.objective, ShortestWalks):
        _, gain = _by_walks(question, walks, weights, decision)
    stand_in = substitutes(question, walks, weights, decision)
    return Reasons(
        decision=decision,
        gain=gain,
        reached=reached,
        only_here=only_here,
        loss=losses(question, walks, weights, decision),
        next_best=stand_in.site,
        next_best_loss=stand_in.loss,
    )


def in_order(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Decision:
    """Return the same decision with its sites in the order in which they should open, see `SitingPlan`."""
    if isinstance(question.objective, ShortestWalks):
        return decision.take(_by_walks(question, walks, weights, decision)[0])
    standards = question.objective.standards or (Standard(value_of(question, walks, weights, decision)),)
    sites, tiers = open_sites(replace(question, cases=()), decision, 0, question.n_years)
    n_kept = len(decision.kept)
    kept = supply_of(walks, sites[:n_kept], tiers[:n_kept], standards)
    chosen = supply_of(walks, sites[n_kept:], tiers[n_kept:], standards)
    order = opening_order(chosen, missing_bits(kept.times(walks.n_demand)), weights, _rank(question, decision))
    if isinstance(question.objective, FairestWalks):
        everyday = replace(question, cases=())
        asked = asked_of(everyday, walks, weights, decision.fixed, 0)
        order = order_by_longest(walks, asked, decision.kept, decision.chosen, order)
    return decision.take(order)


def _by_walks(
    question: Question, walks: Walks, weights: FloatArray, decision: Decision
) -> tuple[LongArray, FloatArray]:
    """Return the order of opening for the shortest walks, and the person-seconds that each site saves in it."""
    worth = weights if question.priority is None else weights * question.priority
    cutoff_s = question.objective.standards[0].cutoff_s
    return order_by_walks(walks, worth, decision.kept, decision.chosen, _rank(question, decision), cutoff_s)


def _rank(question: Question, decision: Decision) -> LongArray:
    """Return what opens first whatever it brings: the years, while the days of a tour have no order."""
    return decision.period if question.itinerary is None else np.zeros(len(decision.chosen), dtype=np.int64)


def reach_of_sites(supply: Supply, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the residents within each standard (row) by each site (column), and those of them by no other site."""
    times = supply.times(len(weights))
    reached, only_here = np.zeros((2, supply.n_standards, supply.n_sites))
    for standard in range(supply.n_standards):
        here = supply.has(standard)
        alone = here & (times[standard, supply.home] == 1)
        reached[standard] = sums(supply.site[here], weights[supply.home[here]], supply.n_sites)
        only_here[standard] = sums(supply.site[alone], weights[supply.home[alone]], supply.n_sites)
    return reached, only_here


def _gains(supply: Supply, missing: LongArray, weights: FloatArray, n_kept: int) -> FloatArray:
    """Return the residents whom each site after the first ``n_kept`` brings to where nothing is missing."""
    missing, gains = missing.copy(), np.zeros(supply.n_sites - n_kept)
    ends = np.cumsum(np.bincount(supply.site, minlength=supply.n_sites))
    for turn in range(len(gains)):
        span = slice(ends[n_kept + turn - 1] if n_kept + turn else 0, ends[n_kept + turn])
        homes, bits = supply.home[span], supply.bits[span]
        gains[turn] = weights[homes[completes(missing[homes], bits)]].sum()
        missing[homes] &= ~bits
    return gains


def losses(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> FloatArray:
    """Return what the plan loses without each chosen site."""
    n_chosen = len(decision.chosen)
    if question.capacity is not None:
        return np.full(n_chosen, np.nan)
    if isinstance(question.objective, FairestWalks):
        longest_s = _longest_walks(question, walks, weights, decision)
        return longest_s - value_of(question, walks, weights, decision)
    worth = weights if question.priority is None else weights * question.priority
    loss = np.zeros(n_chosen)
    for year in range(question.n_years):
        with_all, without = np.empty(0), np.empty((0, n_chosen))
        for case, happening in enumerate(question.happenings):
            sites, tiers = open_sites(question, decision, case, year)
            supply_walks = happening.walks or walks
            if isinstance(question.objective, ShortestWalks):
                value, per_site = _walked(supply_walks, worth, sites, question.objective.cutoff_s)
            else:
                supply = supply_of(supply_walks, sites, tiers, question.objective.standards)
                value, per_site = _counting(supply, worth, question.backup)
            of_chosen = np.zeros(walks.n_facilities)
            of_chosen[sites] = per_site
            with_all = np.append(with_all, value)
            without = np.vstack([without, value - of_chosen[decision.chosen]])
        # Seconds walked are negative here, so that more is better in every question.
        loss += with_all.min() - without.min(axis=0)
    return loss


def _counting(supply: Supply, worth: FloatArray, backup: float) -> tuple[float, FloatArray]:
    """Return the residents who count, and how many fewer without each site."""
    times = supply.times(len(worth))
    least = times.min(axis=0)
    bits = (supply.bits >> np.arange(supply.n_standards)[:, None]) & 1
    left = (times[:, supply.home] - bits).min(axis=0)

    def worth_of(times: LongArray) -> FloatArray:
        return (times >= 1) + backup * (times >= 2)

    change = worth[supply.home] * (worth_of(least[supply.home]) - worth_of(left))
    return float(worth @ worth_of(least)), sums(supply.site, change, supply.n_sites)


def _walked(walks: Walks, worth: FloatArray, sites: LongArray, cutoff_s: float) -> tuple[float, FloatArray]:
    """Return the seconds walked, negative, and how many more without each site."""
    first, second, nearest = two_nearest(walks, sites, cutoff_s)
    walking = nearest >= 0
    more = sums(nearest[walking], (worth * (second - first))[walking], len(sites))
    return -float(worth @ first), more


def _longest_walks(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> FloatArray:
    """Return the longest walk without each chosen site, seconds; inf where it leaves somebody with no way."""
    longest_s = np.zeros(len(decision.chosen))
    for case, happening in enumerate(question.happenings):
        seen = happening.walks or walks
        asked = asked_of(question, seen, weights, decision.fixed, case)
        sites, _ = open_sites(question, decision, case, 0)
        first, second, nearest = two_nearest(seen, sites, np.inf)
        most_s = np.full(walks.n_facilities, float(first[asked].max(initial=0.0)))
        mine = np.flatnonzero(asked & (nearest >= 0))
        np.maximum.at(most_s, sites[nearest[mine]], second[mine])
        longest_s = np.maximum(longest_s, most_s[decision.chosen])
    return longest_s
