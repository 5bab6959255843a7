"""A plan in ids: its sites with what each is good for, and the coverage with them open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Transformer

from lifecircle.asked import Award, Scenario
from lifecircle.circles import Coverage, cover_with
from lifecircle.mark import marked
from lifecircle.model import TOLERANCE_S, Circle, FloatArray, LongArray
from lifecircle.scenarios.closings import closings
from lifecircle.scenarios.costs import costs
from lifecircle.scenarios.lacking import lacking_areas
from lifecircle.scenarios.posed import Posed
from lifecircle.scenarios.question import circles_of
from lifecircle.scenarios.sites import Sites, rows_of
from lifecircle.scenarios.worth import by_case
from lifecircle.service import serves
from lifecircle.siting import Allocation, SitingPlan, Standard, reachable


@dataclass(frozen=True, eq=False)
class Plan:
    """A scenario's answer: the plan in numbers, its sites by id, and the coverage with them opened.

    ``sites`` holds the columns of sites.csv: today's stations, those that close last of them, and the chosen sites in
    their order; ``synthetic`` last where the study is made up.
    """

    scenario: Scenario
    solution: SitingPlan
    sites: pd.DataFrame
    coverage: Coverage
    reached: float
    """Residents within the scenario's circles with the plan."""
    reachable: float
    """Residents within them if every candidate were opened: no choice of sites exceeds that."""
    served: float | None
    """Under capacities, residents whom a station has room for; in the worst case where there are several."""
    by_case: Mapping[str, float]
    """The value in each case alone, by its name, where there are cases and the value counts no stations."""
    source: str
    """Where the candidates come from, one of `lifecircle.asked.SOURCES`."""
    lacking: tuple[str, ...]
    """Areas that have fewer places than ``at_least`` asks for: there all of them are open."""
    possible: Sites
    """All places that stations stand at and could stand at."""
    posed: Posed
    """What siting was asked."""


def plan_of(
    solution: SitingPlan, posed: Posed, scenario: Scenario, today: Coverage, sites: Sites, *, source: str
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
    today, sites
        Today's coverage of the study with the candidates that the scenario asked for, and all its places.
    source
        Where these candidates come from.
    """
    after = _coverage_after(solution, posed, scenario, today, sites)
    circles = circles_of(scenario, today.study)[: len(scenario.circles)]
    return Plan(
        scenario=scenario,
        solution=solution,
        sites=_sites_frame(solution, posed, scenario, today, sites, after),
        coverage=after,
        reached=_within(after, circles, sites.weights),
        reachable=_reachable(posed, circles[0], sites.weights),
        served=_served(solution, posed),
        by_case=by_case(solution, posed, scenario),
        source=source,
        lacking=lacking_areas(posed, scenario, today),
        possible=sites,
        posed=posed,
    )


def _coverage_after(solution: SitingPlan, posed: Posed, scenario: Scenario, today: Coverage, sites: Sites) -> Coverage:
    """Return the coverage with the plan's sites open and those closed that it closes."""
    chosen = posed.rows[solution.chosen]
    closed = posed.rows[solution.decision.closed]
    opened = np.concatenate([np.setdiff1d(sites.standing, closed), chosen])
    new = np.isin(opened, chosen)
    stations = _opened(sites.frame, opened, scenario, solution).assign(state=np.where(new, "chosen", "fixed"))
    order = np.argsort(stations["station_id"].to_numpy(dtype=object), kind="stable")
    return cover_with(
        today.study,
        today.ground,
        today.demand,
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
    reach = coverage.reach.values()
    inside = np.logical_and.reduce([np.concatenate([found.within(c) for found in reach]) for c in circles])
    return float(weights[inside].sum())


def _reachable(posed: Posed, circle: Circle, weights: FloatArray) -> float:
    """Return the residents whom all sites together would bring within what counts, each as the best it can be.

    For a question that knows no standard that is ``circle``.
    """
    question = replace(posed.question, cases=())
    standards = question.objective.standards or (Standard(circle.cutoff_s),)
    return float(weights[reachable(question, posed.walks, posed.fixed, standards, 0)].sum())


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


def _sites_frame(
    solution: SitingPlan, posed: Posed, scenario: Scenario, today: Coverage, sites: Sites, after: Coverage
) -> pd.DataFrame:
    decision, study = solution.decision, today.study
    chosen, closed = posed.rows[solution.chosen], posed.rows[decision.closed]
    kept = np.setdiff1d(sites.standing, closed)
    listed = np.concatenate([kept, closed, chosen])
    n_old, n_new = len(kept) + len(closed), len(chosen)
    frame = _opened(sites.frame, listed, scenario, solution)
    lon, lat = Transformer.from_crs(study.crs, 4326, always_xy=True).transform(frame.geometry.x, frame.geometry.y)
    ids = np.append(posed.frame["station_id"].to_numpy(dtype=object), "")
    load = after.stations.set_index("station_id")["residents"]
    if decision.allocation is not None:
        load = _allocated(decision.allocation, solution, posed)
    is_open = np.setdiff1d(np.arange(len(listed)), len(kept) + np.arange(len(closed)))
    gain = solution.gain
    if scenario.question == "fairest":  # it knows no circle but that of its answer
        own = circles_of(scenario, study)[0]
        gain = _won_in_turn(sites, own, frame.iloc[is_open], listed[is_open])[len(kept) :]
    nothing, nobody = np.full(n_old, np.nan), np.full(n_old, "", dtype=object)
    state = np.repeat(["fixed", "closed", "chosen"], [len(kept), len(closed), n_new])
    columns: dict[str, object] = {
        "site_id": frame["station_id"],
        **{name: frame[name] for name in ("name", "kind", "tier", "area_id")},
        "state": state,
        "opens": np.concatenate([nobody, _opens(solution, scenario)]),
        "order": pd.array([pd.NA] * n_old + list(range(1, n_new + 1)), dtype="Int64"),
        "gain": np.concatenate([nothing, gain]),
        "loss": np.concatenate([nothing, np.where(np.isfinite(solution.loss), solution.loss, np.nan)]),
    }
    reasons = {c.name: _reasons(sites, c, frame, listed, is_open) for c in study.settings.circles}
    columns |= {f"reached_{name}": reached for name, (reached, _) in reasons.items()}
    columns |= {f"only_here_{name}": only_here for name, (_, only_here) in reasons.items()}
    columns |= {
        "load": frame["station_id"].map(load),
        "cost": np.concatenate([frame["cost"].iloc[:n_old], _paid(solution, posed, scenario)]),
        "next_best": np.concatenate([nobody, ids[solution.next_best]]),
        "next_best_loss": np.concatenate([nothing, solution.next_best_loss]),
    }
    if scenario.award is not None:
        columns["award"] = _awards(frame["station_id"].map(load).to_numpy(dtype=np.float64), scenario.award)
    if scenario.max_moves is not None:
        before, circles = today.stations["station_id"], study.settings.circles
        hurt = closings(before, today.reach, after.reach, sites.weights, circles).reindex(frame["station_id"])
        columns |= {name: np.where(state == "closed", hurt[name], np.nan) for name in hurt}
    columns |= {"lon": np.round(lon, 7), "lat": np.round(lat, 7)}
    return marked(pd.DataFrame(columns), after.synthetic)


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


def _awards(load: FloatArray, award: Award) -> FloatArray:
    """Return the award of each site: for those that most residents have as their nearest, and any at all."""
    load = np.nan_to_num(load)
    best = np.argsort(-load, kind="stable")[: award.stations]
    found = np.zeros(len(load))
    found[best[load[best] > 0.0]] = award.amount
    return found


def _reasons(
    sites: Sites, circle: Circle, frame: gpd.GeoDataFrame, listed: LongArray, is_open: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Return whom each open site reaches within ``circle``, and whom it alone reaches; NaN where it does not count."""
    counts = is_open[serves(frame.iloc[is_open], circle)]
    walks = rows_of(sites.walks[circle.name], listed[counts])
    site = np.repeat(np.arange(len(counts)), np.diff(walks.indptr))
    near = walks.seconds <= circle.cutoff_s + TOLERANCE_S
    site, home = site[near], walks.indices[near]
    alone = np.bincount(home, minlength=walks.n_demand)[home] == 1
    weight = sites.weights[home]
    reached, only_here = np.full(len(listed), np.nan), np.full(len(listed), np.nan)
    reached[counts] = np.bincount(site, weight, minlength=len(counts))
    only_here[counts] = np.bincount(site[alone], weight[alone], minlength=len(counts))
    return reached, only_here
