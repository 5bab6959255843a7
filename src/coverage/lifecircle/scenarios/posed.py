"""A scenario put to siting: the question, the walks it is about, and which sites these are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from lifecircle.asked import Scenario
from lifecircle.circles import Coverage
from lifecircle.ground import Ground, with_closed
from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.scenarios.question import Homes, circles_of, counting, fixed_of, question_of
from lifecircle.scenarios.sites import Sites, rows_of, walks_within
from lifecircle.service import Eligibility
from lifecircle.siting import Question

FARTHER = (1.0, 2.0, 4.0, np.inf)
"""How many times farther than at least needed walks go, one after the other, to find the shortest longest walk."""


@dataclass(frozen=True, eq=False)
class Posed(ReadOnlyArrays):
    """What siting is asked: its sites are ``rows`` of `Sites`, described by ``frame``; its homes the columns there."""

    question: Question
    walks: Walks
    weights: FloatArray
    rows: LongArray
    frame: gpd.GeoDataFrame
    fixed: LongArray


def posed(scenario: Scenario, today: Coverage, sites: Sites) -> Iterator[Posed]:
    """Yield a scenario as siting takes it; more than once, with ever longer walks, where the first may be too short."""
    study = today.study
    rows = np.flatnonzero(counting(scenario, study, sites.frame)).astype(np.int64)
    frame = sites.frame.iloc[rows].reset_index(drop=True)
    places, at = sites.places[rows], circles_of(scenario, study)[0].at

    def walks(ground: Ground, cutoff_s: float) -> Walks:
        return walks_within(study, ground, frame, places, at=at, cutoff_s=cutoff_s)

    cutoffs = [max(circle.cutoff_s for circle in circles_of(scenario, study))]
    if scenario.question == "fairest":
        least_s = max(c.cutoff_s for c in circles_of(scenario, study)) if scenario.floors else 0.0
        cutoffs = [max(cutoff_s, least_s) for cutoff_s in _cutoffs_s(scenario, today, sites, rows)]
    homes = Homes.of(today)
    for cutoff_s in cutoffs:
        cases = [
            walks(with_closed(today.ground, study, case.closed), cutoff_s) if case.closed else None
            for case in scenario.cases
        ]
        usual = (
            walks(today.ground, cutoff_s)
            if scenario.question == "fairest"
            else rows_of(sites.walks[scenario.circle], rows)
        )
        question = question_of(scenario, study, frame, homes, case_walks=cases)
        yield Posed(question, usual, sites.weights, rows, frame, fixed_of(frame))


def _cutoffs_s(scenario: Scenario, today: Coverage, sites: Sites, rows: LongArray) -> list[float]:
    """Return how far walks go to find the shortest longest one, seconds; more where the first may be too short.

    They go as far as to today's stations where everybody reaches one who could reach any site: a plan that closes none
    needs no more. Else they go as far as to the nearest site, which may be too short, and on from there. What roads
    that close do to the farthest home is seen from walks without an end alone.
    """
    study, rule = today.study, Eligibility.of(today.study)
    at = circles_of(scenario, study)[0].at
    if scenario.cases:
        return [np.inf]

    def nearest_s(of: LongArray) -> FloatArray:
        parts = []
        for walker in study.settings.walking.classes:
            footing = today.ground.walk(walker, at=at)
            places, area = footing.sites.take(sites.places[of]), sites.frame["area_id"].iloc[of]
            found = rule.nearest(footing, places, area, footing.homes, study.buildings["area_id"])
            parts.append(found.seconds[:, 0])
        return np.concatenate(parts)

    any_s = nearest_s(rows)
    asked = np.isfinite(any_s) & (sites.weights > 0.0)
    today_s = nearest_s(rows[fixed_of(sites.frame.iloc[rows])])
    enough = bool(np.isfinite(today_s[asked]).all())
    longest_s = np.nextafter(float((today_s if enough else any_s)[asked].max(initial=1.0)), np.inf)
    return [longest_s * times for times in (FARTHER[:1] if enough and scenario.max_moves is None else FARTHER)]
