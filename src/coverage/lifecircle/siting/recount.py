"""What a decision comes to, straight from the walks in float64: the values that the search and the plan go by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray, IntArray, LongArray, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.plan import Allocation, Decision
from lifecircle.siting.questions import FewestStations, MostResidents, Question, ShortestWalks

SOME = 2000
"""Sites whose walks are looked at together."""


def coverage_of(walks: Walks, sites: Iterable[int], weights: FloatArray, cutoff_s: float) -> float:
    """Return the residents within ``cutoff_s`` of at least one of ``sites``.

    Parameters
    ----------
    walks
        Seconds to the sites (rows) from the demand points (columns).
    sites
        Rows of ``walks``.
    weights
        Residents per demand point.
    cutoff_s
        Seconds, inclusive.

    Returns
    -------
    float
        Residents; those whom no walk brings to a site within the cutoff are not in it.

    Examples
    --------
    >>> walks = Walks(np.array([0, 2, 3]), np.array([0, 1, 2], dtype=np.int32), np.array([60.0, 500.0, 90.0]), 3)
    >>> coverage_of(walks, [0, 1], np.array([10.0, 20.0, 30.0]), 480.0)
    40.0
    """
    return float(weights[times_reached(walks, sites, cutoff_s) > 0].sum())


def times_reached(walks: Walks, sites: Iterable[int], cutoff_s: float) -> LongArray:
    """Return how many of ``sites`` each demand point reaches within ``cutoff_s`` seconds, inclusive."""
    times = np.zeros(walks.n_demand, dtype=np.int64)
    for entries in _entries(walks, sites):
        within = walks.seconds[entries] <= cutoff_s + TOLERANCE_S
        times += np.bincount(walks.indices[entries[within]], minlength=walks.n_demand)
    return times


def nearest_s(walks: Walks, sites: Iterable[int]) -> FloatArray:
    """Return the seconds from each demand point to the nearest of ``sites``; inf where there is no way."""
    seconds = np.full(walks.n_demand, np.inf)
    for entries in _entries(walks, sites):
        np.minimum.at(seconds, walks.indices[entries], walks.seconds[entries])
    return seconds


def near(walks: Walks, site: int, cutoff_s: float) -> IntArray:
    """Return the demand points within ``cutoff_s`` seconds of a site, inclusive."""
    demand, seconds = walks.row(site)
    return demand[seconds <= cutoff_s + TOLERANCE_S]


def open_sites(question: Question, decision: Decision, case: int, year: int) -> tuple[LongArray, LongArray]:
    """Return the sites in service in a case at the end of a year, and the tier of each."""
    standing = question.tiers.standing if question.tiers is not None else None
    kept, built = decision.kept, np.ones(len(decision.chosen), dtype=bool)
    if question.itinerary is None:
        built = decision.period <= year
    sites = np.concatenate([kept, decision.chosen[built]])
    kept_tier = np.zeros(len(kept), dtype=np.int64) if standing is None else standing[kept]
    tiers = np.concatenate([kept_tier, decision.tier[built]])
    serving = ~np.isin(sites, question.happenings[case].out_of_service)
    return sites[serving], tiers[serving]


def times_met(
    question: Question, walks: Walks, decision: Decision, standards: tuple[Standard, ...], case: int, year: int
) -> LongArray:
    """Return how often each demand point has all ``standards`` met: the least often met one counts."""
    walks = question.happenings[case].walks or walks
    sites, tiers = open_sites(question, decision, case, year)
    return np.min([times_reached(walks, sites[tiers >= s.tier], s.cutoff_s) for s in standards], axis=0)


def reachable(
    question: Question, walks: Walks, fixed: LongArray, standards: tuple[Standard, ...], case: int
) -> BoolArray:
    """Return which demand points all sites would bring within ``standards``, each as whatever it can open as."""
    sites, tiers = open_at_best(question, walks.n_facilities, fixed, case)
    walks = question.happenings[case].walks or walks
    return np.all([times_reached(walks, sites[tiers >= s.tier], s.cutoff_s) > 0 for s in standards], axis=0)


def open_at_best(question: Question, n_sites: int, fixed: LongArray, case: int) -> tuple[LongArray, LongArray]:
    """Return every site that is or can be open in a case, and the highest tier that it has or can open as."""
    highest = np.array([_highest_tier(question, site) for site in range(n_sites)], dtype=np.int64)
    highest[fixed] = 0 if question.tiers is None or question.tiers.standing is None else question.tiers.standing[fixed]
    highest[list(question.happenings[case].out_of_service)] = -1
    sites = np.flatnonzero(highest >= 0)
    return sites, highest[sites]


def _highest_tier(question: Question, site: int) -> int:
    """Return the highest tier that a site can open as; -1 where it cannot open."""
    if question.itinerary is not None and question.itinerary.available is not None:
        return 0 if question.itinerary.available[:, site].any() else -1
    tiers = range(question.n_tiers)
    return max((tier for tier in tiers if np.isfinite(cost_of(question, site, tier))), default=-1)


def cost_of(question: Question, site: int, tier: int) -> float:
    """Return what it costs to open a site as a tier; 0 where no money is asked for."""
    if question.budget is None:
        return 0.0
    cost = question.budget.cost
    return float(cost[site] if cost.ndim == 1 else cost[tier, site])


def value_of(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> float:
    """Return what the objective says of a decision.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    decision
        Which sites open and close; under a capacity with who is served where.

    Returns
    -------
    float
        In `Question.unit`; inf for `FairestWalks` where a home that could be reached is not.
    """
    return float(values_by_year(question, walks, weights, decision).sum())


def values_by_year(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> FloatArray:
    """Return what each year adds to `value_of` a decision, shape (n_years,)."""
    if isinstance(question.objective, FewestStations):
        return np.array([float(len(decision.chosen))])
    worth = weights if question.priority is None else weights * question.priority
    cases, years = range(len(question.happenings)), range(question.n_years)
    if isinstance(question.objective, MostResidents):
        return np.array([min(_counting(question, walks, worth, decision, e, year) for e in cases) for year in years])
    if isinstance(question.objective, ShortestWalks):
        cutoff_s = question.objective.cutoff_s
        walked = ((_walked(question, walks, worth, decision, cutoff_s, e, year) for e in cases) for year in years)
        return np.array([max(by_case) for by_case in walked])
    return np.array([max(_longest(question, walks, weights, decision, e) for e in cases)])


def _counting(question: Question, walks: Walks, worth: FloatArray, decision: Decision, case: int, year: int) -> float:
    if decision.allocation is not None:
        return float(worth @ served(decision.allocation, walks.n_demand, case, year))
    times = times_met(question, walks, decision, question.objective.standards, case, year)
    return float(worth[times >= 1].sum() + question.backup * worth[times >= 2].sum())


def _walked(
    question: Question, walks: Walks, worth: FloatArray, decision: Decision, cutoff_s: float, case: int, year: int
) -> float:
    walks = question.happenings[case].walks or walks
    if decision.allocation is None:
        seconds = nearest_s(walks, open_sites(question, decision, case, year)[0])
        return float(worth @ np.minimum(seconds, cutoff_s))
    at = decision.allocation
    now = (at.case == case) & (at.year == year)
    walked = worth * cutoff_s * (1.0 - served(at, walks.n_demand, case, year))
    for site in np.unique(at.site[now]):
        seconds = np.minimum(nearest_s(walks, [site]), cutoff_s)
        here = now & (at.site == site)
        np.add.at(walked, at.home[here], at.part[here] * worth[at.home[here]] * seconds[at.home[here]])
    return float(walked.sum())


def _longest(question: Question, walks: Walks, weights: FloatArray, decision: Decision, case: int) -> float:
    walks = question.happenings[case].walks or walks
    asked = asked_of(question, walks, weights, decision.fixed, case)
    seconds = nearest_s(walks, open_sites(question, decision, case, question.n_years - 1)[0])
    return float(seconds[asked].max(initial=0.0))


def asked_of(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, case: int) -> BoolArray:
    """Return the demand points with residents that the ``walks`` of a case bring to some site that can open."""
    could, _ = open_at_best(question, walks.n_facilities, fixed, case)
    return (weights > 0.0) & np.isfinite(nearest_s(walks, could))


def served(allocation: Allocation, n_demand: int, case: int, year: int) -> FloatArray:
    """Return the part of each demand point that is served."""
    now = (allocation.case == case) & (allocation.year == year)
    return np.bincount(allocation.home[now], allocation.part[now], minlength=n_demand).astype(np.float64)


def _entries(walks: Walks, sites: Iterable[int]) -> Iterator[LongArray]:
    """Yield the entries of the rows of ``sites``, of some at a time, lest they need more memory than the walks."""
    rows = np.fromiter(sites, dtype=np.int64)
    for start in range(0, len(rows), SOME):
        some = rows[start : start + SOME]
        lengths = np.diff(walks.indptr)[some]
        first = np.repeat(walks.indptr[some] - (np.cumsum(lengths) - lengths), lengths)
        yield first + np.arange(len(first))
