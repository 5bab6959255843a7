"""A plan in ids: its sites with what each is good for, and the coverage with them open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.asked import Scenario
from lifecircle.circles import Coverage, cover_with
from lifecircle.model import TOLERANCE_S, Circle, FloatArray, LongArray
from lifecircle.numerals import people
from lifecircle.said import Said
from lifecircle.scenarios.costs import costs
from lifecircle.scenarios.lacking import lacking_areas
from lifecircle.scenarios.outcome import Outcome
from lifecircle.scenarios.posed import Posed
from lifecircle.scenarios.question import circles_of
from lifecircle.scenarios.site_rows import NOWHERE, site_rows, stations_gone
from lifecircle.scenarios.sites import Sites
from lifecircle.scenarios.stated import OPENED
from lifecircle.scenarios.worth import by_case
from lifecircle.service import serves
from lifecircle.siting import Allocation, SitingPlan, Standard, reachable
from lifecircle.siting.standing import served_as_it_stands


@dataclass(frozen=True, eq=False)
class Plan(Outcome):
    """A scenario's answer: beside what it comes to the plan in numbers, and how good it is."""

    solution: SitingPlan
    reached: float
    """Residents within the scenario's circles with the plan."""
    reachable: float
    """Residents within them if every candidate were opened: no choice of sites exceeds that."""
    served: float | None
    """Under capacities, residents whom a station has room for; in the worst case where there are several."""
    served_today: float | None
    """The same by today's stations alone; None where there are cases, or stations opened or closed by hand."""
    by_case: Mapping[str, float]
    """The value in each case alone, by its name, where there are cases and the value counts no stations."""
    source: str
    """Where the candidates come from, one of `lifecircle.asked.SOURCES`."""
    lacking: tuple[str, ...]
    """Areas that have fewer places than ``at_least`` asks for: there all of them are open."""
    posed: Posed
    """What siting was asked."""


def plan_of(
    solution: SitingPlan,
    posed: Posed,
    scenario: Scenario,
    start: Coverage,
    sites: Sites,
    *,
    today: Coverage,
    source: str,
) -> Plan:
    """Return a solution in the study's ids.

    Parameters
    ----------
    solution
        What siting answered.
    posed
        What it was asked.
    scenario
        The question in the study's words.
    start, sites
        Coverage of the study that the scenario starts from, with the candidates that it asks for, and all its places.
    today
        Today's coverage.
    source
        Where these candidates come from.
    """
    after = _coverage_after(solution, posed, scenario, start, sites)
    circles = circles_of(scenario, start.study)[: len(scenario.circles)]
    return Plan(
        scenario=scenario,
        solution=solution,
        sites=_sites_frame(solution, posed, scenario, sites, today=today, after=after),
        coverage=after,
        reached=_within(after, circles, sites.weights),
        reachable=_reachable(posed, circles[0], sites.weights),
        served=_served(solution, posed),
        served_today=_served_today(posed, circles[0]) if start is today else None,
        by_case=by_case(solution, posed, scenario),
        source=source,
        lacking=lacking_areas(posed, scenario, start),
        possible=sites,
        posed=posed,
    )


def _coverage_after(solution: SitingPlan, posed: Posed, scenario: Scenario, start: Coverage, sites: Sites) -> Coverage:
    """Return the coverage with the plan's sites open and those closed that it closes."""
    chosen = posed.rows[solution.chosen]
    closed = posed.rows[solution.decision.closed]
    opened = np.concatenate([np.setdiff1d(sites.standing, closed), chosen])
    new = np.isin(opened, chosen)
    stations = _opened(sites.frame, opened, scenario, solution)
    by_hand = stations["station_id"].isin(scenario.opened)
    stations = stations.assign(state=np.select([new, by_hand], ["chosen", OPENED], "fixed"))
    order = np.argsort(stations["station_id"].to_numpy(dtype=object), kind="stable")
    return cover_with(
        start.study,
        start.ground,
        start.demand,
        stations.iloc[order].reset_index(drop=True),
        sites.places[opened[order]],
    )


def _opened(frame: gpd.GeoDataFrame, opened: np.ndarray, scenario: Scenario, solution: SitingPlan) -> gpd.GeoDataFrame:
    """Return the sites ``opened``, the chosen last, with the tier that each of these opens as."""
    stations = frame.iloc[opened].reset_index(drop=True)
    if not scenario.tiers:
        return stations
    tier = stations["tier"].to_numpy(dtype=object).copy()
    tier[len(tier) - len(solution.chosen) :] = [scenario.tiers[rank] for rank in solution.decision.tier]
    return stations.assign(tier=tier)


def _within(coverage: Coverage, circles: list[Circle], weights: FloatArray) -> float:
    """Return the residents who are within all of ``circles``, each class by its own walk."""
    inside = np.logical_and.reduce([coverage.within(c) for c in circles])
    return float(weights[inside].sum())


def _reachable(posed: Posed, circle: Circle, weights: FloatArray) -> float:
    """Return the residents whom all sites together would bring within what counts, each as the best it can be.

    For a question that knows no standard that is ``circle``.
    """
    question = replace(posed.question, cases=())
    standards = question.objective.standards or (Standard(circle.cutoff_s),)
    return float(weights[reachable(question, posed.walks, posed.fixed, standards, 0)].sum())


def served_in_words(outcome: Outcome) -> Said | None:
    """Return whom stations have room for with a plan and, where that is known, today; None without capacities."""
    if not isinstance(outcome, Plan) or outcome.served is None:
        return None
    if outcome.served_today is None:
        return Said("{} residents are served: there is room for them where they can walk to", people(outcome.served))
    both = "{} residents are served, {} by today's stations alone: there is room for them where they can walk to"
    return Said(both, people(outcome.served), people(outcome.served_today))


def _served(solution: SitingPlan, posed: Posed) -> float | None:
    allocation = solution.decision.allocation
    if allocation is None:
        return None
    last = allocation.year == solution.question.n_years - 1
    by_case = [
        float(posed.weights[allocation.home[now]] @ allocation.part[now])
        for now in (last & (allocation.case == case) for case in range(len(solution.question.happenings)))
    ]
    return min(by_case)


def _served_today(posed: Posed, circle: Circle) -> float | None:
    question = posed.question
    if question.capacity is None or question.cases:
        return None
    return served_as_it_stands(question.capacity, posed.walks, posed.weights, posed.fixed, cutoff_s=circle.cutoff_s)


def _sites_frame(
    solution: SitingPlan, posed: Posed, scenario: Scenario, sites: Sites, *, today: Coverage, after: Coverage
) -> pd.DataFrame:
    decision = solution.decision
    chosen, closed = posed.rows[solution.chosen], posed.rows[decision.closed]
    kept, gone = np.setdiff1d(sites.standing, closed), stations_gone(today, scenario)
    frame = _opened(sites.frame, np.concatenate([kept, closed, chosen]), scenario, solution)
    n_kept, n_gone = len(kept), len(gone)
    if n_gone:
        frame = gpd.GeoDataFrame(
            pd.concat([frame[:n_kept], gone, frame[n_kept:]], ignore_index=True), crs=after.study.crs
        )
    by_hand = frame["station_id"].isin(scenario.opened)
    n_old, n_new = n_kept + n_gone + len(closed), len(chosen)
    state = np.repeat(["fixed", "closed", "chosen"], [n_kept, n_old - n_kept, n_new])
    frame = frame.assign(state=np.where((state == "fixed") & by_hand, OPENED, state))
    rows = np.concatenate([kept, np.full(n_gone, NOWHERE), closed, chosen])
    load = after.stations.set_index("station_id")["residents"]
    if decision.allocation is not None:
        load = _allocated(decision.allocation, solution, posed)
    gain = solution.gain
    if scenario.question == "fairest":  # it knows no circle but that of its answer
        own, is_open = circles_of(scenario, after.study)[0], np.flatnonzero(state != "closed")
        gain = _won_in_turn(sites, own, frame.iloc[is_open], rows[is_open])[n_kept:]
    table = site_rows(frame, rows, scenario, sites=sites, today=today, after=after, load=load)
    nothing, nobody = np.full(n_old, np.nan), np.full(n_old, "", dtype=object)
    ids = np.append(posed.frame["station_id"].to_numpy(dtype=object), "")
    return table.assign(
        opens=np.concatenate([nobody, _opens(solution, scenario)]),
        order=pd.array([pd.NA] * n_old + list(range(1, n_new + 1)), dtype="Int64"),
        gain=np.concatenate([nothing, gain]),
        loss=np.concatenate([nothing, np.where(np.isfinite(solution.loss), solution.loss, np.nan)]),
        cost=np.concatenate([table["cost"].iloc[:n_old], _paid(solution, posed, scenario)]),
        next_best=np.concatenate([nobody, ids[solution.next_best]]),
        next_best_loss=np.concatenate([nothing, solution.next_best_loss]),
    )


def _opens(solution: SitingPlan, scenario: Scenario) -> np.ndarray:
    """Return when each chosen site opens: the year, from 1, or the weekday; empty where there is no such thing."""
    period = solution.decision.period
    if scenario.itinerary is not None:
        return np.array(scenario.itinerary.days, dtype=object)[period]
    return np.array([str(year + 1) if scenario.years else "" for year in period.tolist()], dtype=object)


def _paid(solution: SitingPlan, posed: Posed, scenario: Scenario) -> FloatArray:
    """Return what each chosen site costs, NaN where nobody says."""
    cost = np.atleast_2d(costs(scenario, posed.frame))
    paid: FloatArray = cost[np.minimum(solution.decision.tier, len(cost) - 1), solution.chosen]
    return paid


def _allocated(allocation: Allocation, solution: SitingPlan, posed: Posed) -> pd.Series:
    """Return the residents whom each site serves in the first case, at the end, by its id."""
    now = (allocation.year == solution.question.n_years - 1) & (allocation.case == 0)
    taken = posed.weights[allocation.home[now]] * allocation.part[now]
    served = np.bincount(allocation.site[now], taken, minlength=len(posed.frame))
    return pd.Series(served, index=posed.frame["station_id"])


def _won_in_turn(sites: Sites, circle: Circle, frame: gpd.GeoDataFrame, rows: LongArray) -> FloatArray:
    """Return the residents whom each site first brings within ``circle``, one after the other.

    ``frame`` has the sites, ``rows`` says which of all places they are.
    """
    walks, met = sites.walks[circle.name], np.zeros(len(sites.weights), dtype=bool)
    won = np.zeros(len(rows))
    for turn in np.flatnonzero(serves(frame, circle)).tolist():
        home, seconds = walks.row(int(rows[turn]))
        home = home[seconds <= circle.cutoff_s + TOLERANCE_S]
        won[turn] = sites.weights[home[~met[home]]].sum()
        met[home] = True
    return won
