"""What a decision comes to, site after site from the walks: for `check` alone.

The search asks `recount` for the same figures. That the two agree is the proof that both are right, so neither uses the
other, nor anything of the search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import TOLERANCE_S, FloatArray, IntArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.plan import Decision
from lifecircle.siting.questions import FewestStations, MostResidents, Question, ShortestWalks


@dataclass(frozen=True, eq=False)
class Day(ReadOnlyArrays):
    """What is open in one case at the end of one year.

    Attributes: the ``walks`` then; the ``tier`` of every site, -1 where it is closed; the ``part`` of every demand
    point that is served and the seconds that it walks for that, ``allocated_s``, both 0 without a capacity.
    """

    walks: Walks
    tier: LongArray
    part: FloatArray
    allocated_s: FloatArray

    def times(self, standards: tuple[Standard, ...]) -> LongArray:
        """Return how often each demand point has all ``standards`` met: the least often met one counts."""
        least = np.full(self.walks.n_demand, len(self.tier))
        for standard in standards:
            times = np.zeros(self.walks.n_demand, dtype=np.int64)
            for site in np.flatnonzero(self.tier >= max(0, standard.tier)).tolist():
                times[within(self.walks, site, standard.cutoff_s)] += 1
            least = np.minimum(least, times)
        return least

    def nearest_s(self) -> FloatArray:
        """Return the seconds from each demand point to the nearest open site; inf where there is no way."""
        seconds = np.full(self.walks.n_demand, np.inf)
        for site in np.flatnonzero(self.tier >= 0).tolist():
            homes, walked = self.walks.row(site)
            seconds[homes] = np.minimum(seconds[homes], walked)
        return seconds


def within(walks: Walks, site: int, cutoff_s: float) -> IntArray:
    """Return the demand points within ``cutoff_s`` seconds of a site, inclusive."""
    homes, seconds = walks.row(site)
    return homes[seconds <= cutoff_s + TOLERANCE_S]


def cost_of(question: Question, n_sites: int) -> FloatArray:
    """Return what each tier (row) costs at each site (column); 0 where no money is asked for."""
    cost = np.zeros(n_sites) if question.budget is None else question.budget.cost
    return np.broadcast_to(cost, (question.n_tiers, n_sites))


def tiers_of(question: Question, n_sites: int, decision: Decision, year: int) -> LongArray:
    """Return the tier of every site at the end of a year, -1 where it is not open."""
    tier = np.full(n_sites, -1)
    tier[decision.fixed] = _standing(question, decision.fixed)
    tier[decision.closed] = -1
    there = np.ones(len(decision.chosen), dtype=bool) if question.itinerary else decision.period <= year
    tier[decision.chosen[there]] = decision.tier[there]
    return tier


def day_of(question: Question, walks: Walks, decision: Decision, case: int, year: int) -> Day:
    """Return what is open in a case at the end of a year."""
    day = _in_case(question, walks, tiers_of(question, walks.n_facilities, decision, year), case)
    at = decision.allocation
    if at is None:
        return day
    part, allocated_s = day.part.copy(), day.allocated_s.copy()
    now, cutoff_s = np.flatnonzero((at.case == case) & (at.year == year)), question.objective.standards[0].cutoff_s
    np.add.at(part, at.home[now], at.part[now])
    for site in np.unique(at.site[now]).tolist():
        here = now[at.site[now] == site]
        walk_s = np.full(walks.n_demand, cutoff_s)
        homes, seconds = day.walks.row(site)
        walk_s[homes] = np.minimum(seconds, cutoff_s)
        np.add.at(allocated_s, at.home[here], at.part[here] * walk_s[at.home[here]])
    return replace(day, part=part, allocated_s=allocated_s)


def best_day_of(question: Question, walks: Walks, fixed: LongArray, case: int) -> Day:
    """Return what is open in a case if every site is, as the highest tier that it has or can open as."""
    can = np.isfinite(cost_of(question, walks.n_facilities))
    if question.itinerary is not None and question.itinerary.available is not None:
        can = can & question.itinerary.available.any(axis=0)
    tier = np.where(can, np.arange(question.n_tiers)[:, None], -1).max(axis=0)
    tier[fixed] = _standing(question, fixed)
    return _in_case(question, walks, tier, case)


def values_by_year(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> FloatArray:
    """Return what each year adds to the value of a decision, in the worst case of that year."""
    if isinstance(question.objective, FewestStations):
        return np.array([float(len(decision.chosen))])
    worst = min if question.sense == "max" else max
    cases, years = range(len(question.happenings)), range(question.n_years)
    return np.array([worst(_value(question, walks, weights, decision, case, year) for case in cases) for year in years])


def _value(question: Question, walks: Walks, weights: FloatArray, decision: Decision, case: int, year: int) -> float:
    day, objective = day_of(question, walks, decision, case, year), question.objective
    worth = weights if question.priority is None else weights * question.priority
    if isinstance(objective, MostResidents):
        if question.capacity is not None:
            return float((worth * day.part).sum())
        times = day.times(objective.standards)
        return float((worth * ((times >= 1) + question.backup * (times >= 2))).sum())
    if isinstance(objective, ShortestWalks):
        if question.capacity is not None:
            return float((worth * (day.allocated_s + (1.0 - day.part) * objective.cutoff_s)).sum())
        return float((worth * np.minimum(day.nearest_s(), objective.cutoff_s)).sum())
    could = np.isfinite(best_day_of(question, walks, decision.fixed, case).nearest_s())
    return float(np.where(could & (weights > 0.0), day.nearest_s(), 0.0).max(initial=0.0))


def gains_of(
    question: Question, walks: Walks, weights: FloatArray, decision: Decision, standards: tuple[Standard, ...]
) -> FloatArray:
    """Return what each chosen site brings in its turn: residents within all standards, or person-seconds saved."""
    tier = tiers_of(question, walks.n_facilities, decision, question.n_years)
    if isinstance(question.objective, ShortestWalks):
        worth = weights if question.priority is None else weights * question.priority
        left_s = np.full(walks.n_demand, question.objective.cutoff_s)
        walked = []
        for site in decision.sites.tolist():
            homes, seconds = walks.row(site)
            left_s[homes] = np.minimum(left_s[homes], seconds)
            walked.append(float(worth @ left_s))
        before = float(worth.sum()) * question.objective.cutoff_s
        return -np.diff(np.array(walked), prepend=before)[len(decision.kept) :]
    met, gains = np.zeros((len(standards), walks.n_demand), dtype=bool), []
    for site in decision.sites.tolist():
        homes, _ = walks.row(site)
        before_it = met[:, homes].all(axis=0)
        for number, standard in enumerate(standards):
            if tier[site] >= standard.tier:
                met[number, within(walks, site, standard.cutoff_s)] = True
        gains.append(float(weights[homes[met[:, homes].all(axis=0) & ~before_it]].sum()))
    return np.array(gains[len(decision.kept) :])


def reached_of(
    question: Question, walks: Walks, weights: FloatArray, decision: Decision, standards: tuple[Standard, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return the residents within each standard (row) by each open site (column), and by no other than that."""
    tier = tiers_of(question, walks.n_facilities, decision, question.n_years)
    reached, only_here = (np.zeros((len(standards), len(decision.sites))) for _ in range(2))
    for number, standard in enumerate(standards):
        able = [site if tier[site] >= standard.tier else -1 for site in decision.sites.tolist()]
        times = np.zeros(walks.n_demand, dtype=np.int64)
        near = [within(walks, site, standard.cutoff_s) if site >= 0 else np.empty(0, dtype=np.int32) for site in able]
        for homes in near:
            times[homes] += 1
        for column, homes in enumerate(near):
            reached[number, column] = weights[homes].sum()
            only_here[number, column] = weights[homes[times[homes] == 1]].sum()
    return reached, only_here


def _standing(question: Question, fixed: LongArray) -> LongArray | int:
    return 0 if question.tiers is None or question.tiers.standing is None else question.tiers.standing[fixed]


def _in_case(question: Question, walks: Walks, tier: LongArray, case: int) -> Day:
    happening = question.happenings[case]
    tier = tier.copy()
    tier[list(happening.out_of_service)] = -1
    nobody = np.zeros(walks.n_demand)
    return Day(happening.walks or walks, tier, nobody, nobody)
