"""What best stands in for a chosen site: another candidate in its place, with every condition met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.check import LIMIT_TOLERANCE, shortfalls_of
from lifecircle.siting.floors import floors_of
from lifecircle.siting.incidence import sums
from lifecircle.siting.plan import Decision
from lifecircle.siting.questions import FairestWalks, FewestStations, Question, ShortestWalks
from lifecircle.siting.recount import asked_of, cost_of, open_sites, value_of
from lifecircle.siting.supply import Supply, entries_of, supply_of, two_nearest

SHORTLIST = 20
"""Candidates for each chosen site that are looked at for shares: those with which the objective is best."""

SOME = 500
"""Candidates looked at together: what they give all homes has to fit into memory beside the walks."""

EQUAL = 1e-9
"""Two sums of the same homes may differ by this part of all: float64 adds in any order."""


@dataclass(frozen=True, eq=False)
class Substitutes(ReadOnlyArrays):
    """For each chosen site the candidate that best takes its place, -1 for none, and what the plan loses with it.

    The loss is in the unit of the objective, below 0 where the plan gets better, which no proven plan allows; NaN where
    there is no substitute.
    """

    site: LongArray
    loss: FloatArray


Scores = Callable[[LongArray], FloatArray]
"""Says what the plan scores with each of the sites asked about (column) in the place of each chosen one (row)."""


@dataclass(frozen=True, eq=False)
class _Moment(ReadOnlyArrays):
    """A case at the end of a year: ``left`` is the score without each chosen site, ``scores`` that with another.

    A larger score is better. Sites ``out`` of service add nothing; nor does one in the place of a site not yet
    ``built``.
    """

    left: FloatArray
    scores: Scores
    out: LongArray
    built: BoolArray


def substitutes(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Substitutes:
    """Return what best stands in for each chosen site, all others as they are.

    The substitute opens as the same tier, in the same year or on the same day. Money, numbers and areas are looked at
    for every candidate, shares for the best `SHORTLIST` of each site: a substitute meets all conditions and is the best
    of those, and -1 where none of them does. Nor is one a substitute that makes nothing better than leaving its place
    empty, where the conditions allow that. `FewestStations` counts stations: there the one with most residents within
    the standards is taken. `FairestWalks` makes no difference between those with which the longest walk stays.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    decision
        Which sites open and close.
    """
    n_chosen = len(decision.chosen)
    site, loss = np.full(n_chosen, -1, dtype=np.int64), np.full(n_chosen, np.nan)
    if question.capacity is not None or not n_chosen:
        return Substitutes(site, loss)
    value = value_of(question, walks, weights, decision)
    others = np.setdiff1d(np.arange(walks.n_facilities), np.concatenate([decision.fixed, decision.chosen]))
    holds = floors_of(question, walks, weights, decision)
    equal = EQUAL * _scale(question, walks, weights)
    for tier in np.unique(decision.tier).tolist():
        rows = np.flatnonzero(decision.tier == tier)
        years = [list(_moments(question, walks, weights, decision, rows, year)) for year in range(question.n_years)]
        left = sum((np.min([moment.left for moment in cases], axis=0) for cases in years), np.zeros(len(rows)))
        names, scores = _shortlists(question, decision, rows, others, years)
        for number, row in enumerate(rows.tolist()):
            for name, score in zip(names[number].tolist(), scores[number].tolist(), strict=True):
                if not np.isfinite(score) or not holds(row, name):
                    continue
                if score > left[number] + equal or not _dispensable(question, walks, weights, decision, row):
                    site[row] = name
                    loss[row] = _loss(question, walks, weights, _swapped(decision, row, name), value, score, equal)
                break
    return Substitutes(site, loss)


def _swapped(decision: Decision, position: int, site: int) -> Decision:
    chosen = decision.chosen.copy()
    chosen[position] = site
    return replace(decision, chosen=chosen)


def _dispensable(question: Question, walks: Walks, weights: FloatArray, decision: Decision, position: int) -> bool:
    """Return whether the conditions are met without a chosen site."""
    left = decision.take(np.delete(np.arange(len(decision.chosen)), position))
    return not any(shortfalls_of(question, walks, weights, left))


def _loss(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    swapped: Decision,
    value: float,
    score: float,
    equal: float,
) -> float:
    """Return by how much a plan is worse than ``value``; ``score`` is what it comes to, larger being better."""
    if isinstance(question.objective, FewestStations):
        return 0.0
    if isinstance(question.objective, FairestWalks):
        # A score is no better than the plan's own longest walk; the walks say what it is.
        return -score - value if -score > value else value_of(question, walks, weights, swapped) - value
    lost = (value if question.sense == "max" else -value) - score
    return 0.0 if abs(lost) <= equal else lost


def _scale(question: Question, walks: Walks, weights: FloatArray) -> float:
    """Return about how large a score is, in its unit."""
    if isinstance(question.objective, FairestWalks):
        return 0.0
    worth = float((weights if question.priority is None else weights * question.priority).sum())
    worth *= question.n_years * (1.0 + question.backup)
    return worth * question.objective.cutoff_s if isinstance(question.objective, ShortestWalks) else worth


def _shortlists(
    question: Question, decision: Decision, rows: LongArray, others: LongArray, years: list[list[_Moment]]
) -> tuple[LongArray, FloatArray]:
    """Return the best of the ``others`` in the place of each chosen site of ``rows``, best first, and their scores.

    Those that money, areas or days do not allow score -inf.
    """
    names = np.empty((len(rows), 0), dtype=np.int64)
    scores = np.empty((len(rows), 0))
    for some in np.array_split(others, -(-len(others) // SOME)) if len(others) else ():
        score = np.zeros((len(rows), len(some)))
        for cases in years:
            score += np.min([_scores(moment, some) for moment in cases], axis=0)
        score[~_allowed(question, decision, rows, some)] = -np.inf
        names = np.hstack([names, np.broadcast_to(some, score.shape)])
        scores = np.hstack([scores, score])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :SHORTLIST]
        names, scores = np.take_along_axis(names, best, axis=1), np.take_along_axis(scores, best, axis=1)
    return names, scores


def _scores(moment: _Moment, some: LongArray) -> FloatArray:
    idle = ~moment.built[:, None] | np.isin(some, moment.out)[None, :]
    return np.where(idle, moment.left[:, None], moment.scores(some))


def _allowed(question: Question, decision: Decision, rows: LongArray, some: LongArray) -> BoolArray:
    """Return which of ``some`` sites (columns) money, areas and days allow in the place of each of ``rows``."""
    tier = int(decision.tier[rows[0]])
    allowed = np.ones((len(rows), len(some)), dtype=bool)
    if question.itinerary is not None and question.itinerary.available is not None:
        allowed &= question.itinerary.available[np.ix_(decision.period[rows], some)]
    if question.at_least is not None:
        allowed &= _enough_places(question.at_least.site_area, question.at_least.n, decision, rows, some)
    budget = question.budget
    if budget is None:
        return allowed
    cost = np.array([cost_of(question, site, tier) for site in some.tolist()])
    pairs = zip(decision.chosen.tolist(), decision.tier.tolist(), strict=True)
    spent = np.array([cost_of(question, site, tier) for site, tier in pairs])
    more = cost[None, :] - spent[rows][:, None]
    allowed &= np.isfinite(cost)[None, :]
    if budget.total is not None:
        allowed &= spent.sum() + more <= budget.total * (1.0 + LIMIT_TOLERANCE)
    if budget.by_year:
        by_year = sums(decision.period, spent, len(budget.by_year))[decision.period[rows]]
        allowed &= by_year[:, None] + more <= np.array(budget.by_year)[decision.period[rows]][:, None] * (
            1.0 + LIMIT_TOLERANCE
        )
    if budget.by_area is not None and budget.site_area is not None:
        allowed &= _within_areas(budget.by_area, budget.site_area, decision, rows, some, spent, cost)
    return allowed


def _within_areas(
    amounts: FloatArray,
    site_area: LongArray,
    decision: Decision,
    rows: LongArray,
    some: LongArray,
    spent: FloatArray,
    cost: FloatArray,
) -> BoolArray:
    """Return where the area of the site that comes has the money for it, with what the one that goes sets free."""
    area, of_some = site_area[decision.chosen], site_area[some]
    inside = area >= 0
    by_area = sums(area[inside], spent[inside], len(amounts))
    free = np.where(area[rows][:, None] == of_some[None, :], spent[rows][:, None], 0.0)
    within: BoolArray = by_area[of_some][None, :] - free + cost[None, :] <= amounts[of_some] * (1.0 + LIMIT_TOLERANCE)
    return within | (of_some < 0)[None, :]


def _enough_places(site_area: LongArray, n: int, decision: Decision, rows: LongArray, some: LongArray) -> BoolArray:
    """Return where the area of the site that goes keeps as many as are asked for, with the one that comes."""
    area = site_area[decision.chosen[rows]]
    n_areas = int(site_area.max(initial=-1)) + 1
    asked = np.minimum(np.bincount(site_area[site_area >= 0], minlength=n_areas), n)
    of_open = site_area[decision.sites]
    spare = np.append(np.bincount(of_open[of_open >= 0], minlength=n_areas) - asked, 1)[area] > 0
    enough: BoolArray = spare[:, None] | (area[:, None] == site_area[some][None, :])
    return enough


# -------------------------------------------------------------------------------------------------- the scores


def _moments(
    question: Question, walks: Walks, weights: FloatArray, decision: Decision, rows: LongArray, year: int
) -> Iterator[_Moment]:
    """Yield the scores in a year, case by case: residents who count, or seconds walked, negative."""
    worth = weights if question.priority is None else weights * question.priority
    tier = int(decision.tier[rows[0]])
    built = (decision.period[rows] <= year) | (question.itinerary is not None)
    for number, case in enumerate(question.happenings):
        seen = case.walks or walks
        sites, tiers = open_sites(question, decision, number, year)
        position = np.full(walks.n_facilities, -1, dtype=np.int64)
        position[decision.chosen[rows]] = np.arange(len(rows))
        row = position[sites]
        if isinstance(question.objective, ShortestWalks):
            left, scores = _of_walks(seen, worth, sites, row, len(rows), question.objective.cutoff_s)
        elif isinstance(question.objective, FairestWalks):
            asked = asked_of(question, seen, weights, decision.fixed, number)
            left, scores = _of_longest(seen, asked, sites, row, len(rows))
        else:
            left, scores = _of_counts(question, seen, worth, sites, tiers, row, len(rows), tier)
        yield _Moment(left, scores, np.array(case.out_of_service, dtype=np.int64), built)


def _of_counts(
    question: Question,
    walks: Walks,
    worth: FloatArray,
    sites: LongArray,
    tiers: LongArray,
    row: LongArray,
    n_rows: int,
    tier: int,
) -> tuple[FloatArray, Scores]:
    """Return the residents who count without each row's site, and with another of ``tier``.

    For most homes a site adds the same whichever row is left out: only those at which the missing one lowers a standard
    to what still counts are looked at beside it.
    """
    standards, backup = question.objective.standards, question.backup
    supply = supply_of(walks, sites, tiers, standards)
    times = supply.times(walks.n_demand)
    few = times <= (2 if backup else 1)
    needed = sum((supply.has(s) & few[s, supply.home] for s in range(len(times))), np.zeros(len(supply.home), bool))
    needy = np.flatnonzero(needed & (row[supply.site] >= 0))
    needy = needy[np.argsort(supply.home[needy], kind="stable")]
    need_row, need_home = row[supply.site[needy]], supply.home[needy]
    shift = np.arange(len(times))[:, None]
    fewer = times[:, need_home] - ((supply.bits[needy] >> shift) & 1)
    count = np.bincount(need_home, minlength=walks.n_demand)
    start = np.cumsum(count) - count

    def counted(times: LongArray) -> FloatArray:
        least = times.min(axis=0)
        return (least >= 1) + backup * (least >= 2)

    now = counted(times)
    total = float(worth @ now)
    left = total - sums(need_row, worth[need_home] * (now[need_home] - counted(fewer)), n_rows)

    def scores(some: LongArray) -> FloatArray:
        offers: Supply = supply_of(walks, some, np.full(len(some), tier), standards)
        bits = (offers.bits >> shift) & 1
        alone = counted(times[:, offers.home] + bits) - now[offers.home]
        each = sums(offers.site, worth[offers.home] * alone, len(some))
        counts = count[offers.home]
        offer = np.repeat(np.arange(len(counts)), counts)
        need = np.arange(len(offer)) + np.repeat(start[offers.home] - np.cumsum(counts) + counts, counts)
        beside = counted(fewer[:, need] + bits[:, offer]) - counted(fewer[:, need]) - alone[offer]
        pair = need_row[need] * np.int64(len(some)) + offers.site[offer]
        both = sums(pair, worth[need_home[need]] * beside, n_rows * len(some)).reshape(n_rows, len(some))
        return left[:, None] + each + both

    return left, scores


def _of_walks(
    walks: Walks, worth: FloatArray, sites: LongArray, row: LongArray, n_rows: int, cutoff_s: float
) -> tuple[FloatArray, Scores]:
    """Return the seconds walked, negative, without each row's site, and with another."""
    first, second, nearest = two_nearest(walks, sites, cutoff_s)
    of_home = np.where(nearest >= 0, row[nearest] if len(row) else -1, -1)
    lone = np.flatnonzero(of_home >= 0)
    left = -float(worth @ first) - sums(of_home[lone], (worth * (second - first))[lone], n_rows)

    def scores(some: LongArray) -> FloatArray:
        site, home, seconds = entries_of(walks, some)
        saved = np.maximum(first[home] - seconds, 0.0)
        each = sums(site, worth[home] * saved, len(some))
        own = of_home[home] >= 0
        site, home, saved = site[own], home[own], saved[own]
        more = np.maximum(second[home] - seconds[own], 0.0) - saved
        pair = of_home[home] * np.int64(len(some)) + site
        return left[:, None] + each + sums(pair, worth[home] * more, n_rows * len(some)).reshape(n_rows, len(some))

    return left, scores


def _of_longest(
    walks: Walks, asked: BoolArray, sites: LongArray, row: LongArray, n_rows: int
) -> tuple[FloatArray, Scores]:
    """Return the longest walk, negative, without each row's site, and with another.

    Walks no longer than the plan's longest are not looked at: with them nothing gets worse.
    """
    first, second, nearest = two_nearest(walks, sites, np.inf)
    of_home = np.where(nearest >= 0, row[nearest] if len(row) else -1, -1)
    longest_s = float(first[asked].max(initial=0.0))
    needy = np.flatnonzero(asked & (of_home >= 0) & (second > longest_s))
    needy = needy[np.lexsort((-second[needy], of_home[needy]))]
    of_row = np.bincount(of_home[needy], minlength=n_rows)
    start = np.cumsum(of_row) - of_row
    rank = np.full(walks.n_demand, -1, dtype=np.int64)
    rank[needy] = np.arange(len(needy)) - start[of_home[needy]]
    walk_s = np.append(second[needy], longest_s)
    left_s = np.where(of_row > 0, walk_s[np.minimum(start, len(needy))], longest_s)

    def scores(some: LongArray) -> FloatArray:
        site, home, seconds = entries_of(walks, some)
        own = rank[home] >= 0
        site, home, seconds = site[own], home[own], seconds[own]
        pair = of_home[home] * np.int64(len(some)) + site
        order = np.lexsort((rank[home], pair))
        pair, home, seconds = pair[order], home[order], seconds[order]
        _, begins, which = np.unique(pair, return_index=True, return_inverse=True)
        unbroken = rank[home] == np.arange(len(home)) - begins[which]
        pair, home, seconds = pair[unbroken], home[unbroken], seconds[unbroken]
        reached = np.bincount(pair, minlength=n_rows * len(some)).reshape(n_rows, len(some))
        of_pair = np.full(n_rows * len(some), longest_s)
        np.maximum.at(of_pair, pair, np.minimum(seconds, second[home]))
        next_s = walk_s[np.minimum(start[:, None] + reached, len(needy))]
        with_s = of_pair.reshape(n_rows, len(some))
        return -np.where(reached < of_row[:, None], np.maximum(with_s, next_s), with_s)

    return -left_s, scores
