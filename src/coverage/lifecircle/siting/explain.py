"""What every open site is good for, what could stand in for it, and why another is not among them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.incidence import sums
from lifecircle.siting.plan import Decision
from lifecircle.siting.questions import FairestWalks, Question, ShortestWalks
from lifecircle.siting.recount import cost_of, open_sites, value_of
from lifecircle.siting.supply import Supply, completes, missing_bits, opening_order, supply_of


@dataclass(frozen=True, eq=False)
class Reasons(ReadOnlyArrays):
    """The decision in its order of opening, and the figures of its sites; see `SitingPlan`."""

    decision: Decision
    gain: FloatArray
    reached: FloatArray
    only_here: FloatArray
    loss: FloatArray
    next_best: LongArray


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
    daily = replace(question, cases=())
    sites, tiers = open_sites(daily, decision, 0, question.n_years)
    n_kept = len(decision.kept)
    kept = supply_of(walks, sites[:n_kept], tiers[:n_kept], standards)
    chosen = supply_of(walks, sites[n_kept:], tiers[n_kept:], standards)
    missing = missing_bits(kept.times(walks.n_demand))
    rank = decision.period if question.itinerary is None else np.zeros(len(decision.chosen), dtype=np.int64)
    order = opening_order(chosen, missing, weights, rank)
    decision = decision.take(order)
    sites = np.concatenate([sites[:n_kept], decision.chosen])
    tiers = np.concatenate([tiers[:n_kept], decision.tier])
    supply = supply_of(walks, sites, tiers, standards)
    reached, only_here = reach_of_sites(supply, weights)
    return Reasons(
        decision=decision,
        gain=_gains(supply, missing, weights, n_kept),
        reached=reached,
        only_here=only_here,
        loss=_losses(question, walks, weights, decision),
        next_best=_substitutes(question, walks, weights, decision, standards, supply),
    )


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


def _losses(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> FloatArray:
    """Return what the plan loses without each chosen site."""
    n_chosen = len(decision.chosen)
    if question.capacity is not None:
        return np.full(n_chosen, np.nan)
    if isinstance(question.objective, FairestWalks):
        value = value_of(question, walks, weights, decision)
        others = (np.delete(np.arange(n_chosen), turn) for turn in range(n_chosen))
        return np.array([value_of(question, walks, weights, decision.take(left)) - value for left in others])
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
    first, second = (np.full(walks.n_demand, cutoff_s) for _ in range(2))
    nearest = np.full(walks.n_demand, -1, dtype=np.int64)
    for position, site in enumerate(sites):
        home, seconds = walks.row(int(site))
        closer = seconds < first[home]
        second[home] = np.where(closer, first[home], np.minimum(second[home], seconds))
        nearest[home[closer]] = position
        first[home] = np.where(closer, seconds, first[home])
    walking = nearest >= 0
    more = sums(nearest[walking], (worth * (second - first))[walking], len(sites))
    return -float(worth @ first), more


def _substitutes(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    decision: Decision,
    standards: tuple[Standard, ...],
    supply: Supply,
) -> LongArray:
    """Return for each chosen site the closed one that wins most where the chosen one is dropped, -1 for none.

    A closed site wins whom it brings to where nothing is missing. For most homes that is the same whichever site is
    dropped; only those that need the dropped one for some standard have to be looked at beside it.
    """
    closed = np.setdiff1d(np.arange(walks.n_facilities), decision.sites)
    best = np.full(len(decision.chosen), -1, dtype=np.int64)
    times = supply.times(walks.n_demand)
    missing = missing_bits(times)
    once = ((times == 1).astype(np.int64) << np.arange(len(times))[:, None]).sum(axis=0)
    sole = supply.bits & once[supply.home]
    n_kept = supply.n_sites - len(decision.chosen)
    needs = supply.take(np.flatnonzero((sole != 0) & (supply.site >= n_kept)))
    lost = sole[(sole != 0) & (supply.site >= n_kept)]
    for tier in np.unique(decision.tier).tolist():
        can = np.array([np.isfinite(cost_of(question, int(site), tier)) for site in closed], dtype=bool)
        offers = supply_of(walks, closed[can], np.full(int(can.sum()), tier), standards)
        of_tier = np.flatnonzero(decision.tier == tier)
        if offers.n_sites:
            here = np.flatnonzero(np.isin(needs.site - n_kept, of_tier))
            best[of_tier] = _best(offers, needs.take(here), lost[here], missing, weights, of_tier + n_kept, closed[can])
    return best


def _best(
    offers: Supply,
    needs: Supply,
    lost: LongArray,
    missing: LongArray,
    weights: FloatArray,
    dropped: LongArray,
    closed: LongArray,
) -> LongArray:
    """Return for each of the ``dropped`` sites the best of the ``closed``, -1 where none wins anybody."""
    wins = completes(missing[offers.home], offers.bits)
    first = sums(offers.site[wins], weights[offers.home[wins]], offers.n_sites)

    by_home = np.argsort(offers.home, kind="stable")
    count = np.bincount(offers.home, minlength=len(missing))
    counts, start = count[needs.home], (np.cumsum(count) - count)[needs.home]
    need = np.repeat(np.arange(len(needs.home)), counts)
    offer = by_home[np.arange(len(need)) + np.repeat(start - np.cumsum(counts) + counts, counts)]
    home, bits = needs.home[need], offers.bits[offer]
    change = completes(missing[home] | lost[need], bits).astype(np.float64) - completes(missing[home], bits)
    pair = needs.site[need] * np.int64(offers.n_sites) + offers.site[offer]
    pairs, pair_of = np.unique(pair, return_inverse=True)
    second = sums(pair_of, weights[home] * change, len(pairs))

    # Of the sites that share no home with the dropped one, the one that wins most is enough.
    alone = np.argsort(-first, kind="stable")
    apart = np.array([_apart(pairs, site, alone) for site in dropped.tolist()], dtype=np.int64)
    site = np.concatenate([pairs // offers.n_sites, dropped[apart >= 0]])
    stand_in = np.concatenate([pairs % offers.n_sites, apart[apart >= 0]])
    won = first[stand_in] + np.concatenate([second, np.zeros(int((apart >= 0).sum()))])
    best_first = np.lexsort((stand_in, -won, site))
    best = best_first[np.searchsorted(site[best_first], dropped)]
    return np.where(won[best] > 0.0, closed[stand_in[best]], -1)


def _apart(pairs: LongArray, site: int, candidates: LongArray) -> int:
    """Return the first of ``candidates`` that is in no pair with ``site``, -1 for none."""
    for candidate in candidates.tolist():
        pair = site * len(candidates) + candidate
        at = np.searchsorted(pairs, pair)
        if at == len(pairs) or pairs[at] != pair:
            return int(candidate)
    return -1
