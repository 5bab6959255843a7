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


@dataclass(frozen=True, eq=False)
class _Sole(ReadOnlyArrays):
    """Who needs which site: without ``site`` (a number below ``n_sites``) ``home`` loses the standards in ``lost``.

    Entries go by home.
    """

    site: LongArray
    home: LongArray
    lost: LongArray
    n_sites: int


SOME = 500
"""Sites looked at together as substitutes: what they give all homes has to fit into memory beside the walks."""


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
    return Reasons(
        decision=decision,
        gain=_gains(supply, missing, weights, n_kept),
        reached=reached,
        only_here=only_here,
        loss=losses(question, walks, weights, decision),
        next_best=_substitutes(question, walks, weights, decision, standards, supply),
    )


def in_order(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Decision:
    """Return the same decision with its sites in the order in which they should open."""
    standards = question.objective.standards or (Standard(value_of(question, walks, weights, decision)),)
    sites, tiers = open_sites(replace(question, cases=()), decision, 0, question.n_years)
    n_kept = len(decision.kept)
    kept = supply_of(walks, sites[:n_kept], tiers[:n_kept], standards)
    chosen = supply_of(walks, sites[n_kept:], tiers[n_kept:], standards)
    rank = decision.period if question.itinerary is None else np.zeros(len(decision.chosen), dtype=np.int64)
    return decision.take(opening_order(chosen, missing_bits(kept.times(walks.n_demand)), weights, rank))


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
    times = supply.times(walks.n_demand)
    missing = missing_bits(times)
    once = ((times == 1).astype(np.int64) << np.arange(len(times))[:, None]).sum(axis=0)
    sole = supply.bits & once[supply.home]
    closed = np.setdiff1d(np.arange(walks.n_facilities), decision.sites)
    first_chosen = supply.n_sites - len(decision.chosen)
    best = np.full(len(decision.chosen), -1, dtype=np.int64)
    for tier in np.unique(decision.tier).tolist():
        of_tier = np.flatnonzero(decision.tier == tier)
        number = np.full(supply.n_sites, -1, dtype=np.int64)
        number[of_tier + first_chosen] = np.arange(len(of_tier))
        needy = np.flatnonzero((sole != 0) & (number[supply.site] >= 0))
        needy = needy[np.argsort(supply.home[needy], kind="stable")]
        needs = _Sole(number[supply.site[needy]], supply.home[needy], sole[needy], len(of_tier))
        can = closed[[np.isfinite(cost_of(question, int(site), tier)) for site in closed]]
        most = np.zeros(len(of_tier))
        for some in np.array_split(can, -(-len(can) // SOME)) if len(can) else ():
            offers = supply_of(walks, some, np.full(len(some), tier), standards)
            won = _won(offers, needs, missing, weights)
            stand_in = won.argmax(axis=1)
            won_most = won[np.arange(len(of_tier)), stand_in]
            better = won_most > most
            best[of_tier[better]], most[better] = some[stand_in[better]], won_most[better]
    return best


def _won(offers: Supply, needs: _Sole, missing: LongArray, weights: FloatArray) -> FloatArray:
    """Return the residents whom each offer (column) wins where each of the sites with needs (row) is dropped."""
    wins = completes(missing[offers.home], offers.bits)
    first = sums(offers.site[wins], weights[offers.home[wins]], offers.n_sites)
    count = np.bincount(needs.home, minlength=len(missing))
    counts, start = count[offers.home], (np.cumsum(count) - count)[offers.home]
    offer = np.repeat(np.arange(len(counts)), counts)
    need = np.arange(len(offer)) + np.repeat(start - np.cumsum(counts) + counts, counts)
    home, bits = offers.home[offer], offers.bits[offer]
    change = completes(missing[home] | needs.lost[need], bits).astype(np.float64) - completes(missing[home], bits)
    pair = needs.site[need] * np.int64(offers.n_sites) + offers.site[offer]
    return first + sums(pair, weights[home] * change, needs.n_sites * offers.n_sites).reshape(-1, offers.n_sites)
