"""What a set of open stations comes to at one walking speed, by area and group: coverage.csv's figures and more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from lifecircle.areas import AreaTree
from lifecircle.circles import Coverage, Reach, coverage_table, stations_with_load, weighted_quantile
from lifecircle.demand import Demand
from lifecircle.model import TOLERANCE_S, Circle, FloatArray, IntArray, SpeedClass, Study
from lifecircle.obstacles import representative_xy
from lifecircle.scenarios.what_if import lots_by_group, sums_by_area
from lifecircle.service import Eligibility, serves


@dataclass(frozen=True, eq=False)
class Walked:
    """Open stations and how each class of a study reaches them, at the speeds that ``study`` states."""

    study: Study
    demand: Demand
    stations: gpd.GeoDataFrame
    reach: Mapping[SpeedClass, Reach]

    @classmethod
    def of(cls, coverage: Coverage, *, speed: float = 1.0) -> Walked:
        """Return the stations of a coverage as everybody reaches them at ``speed`` times the own speed.

        Everything is walked anew at another speed: waiting at a crossing takes as long for whoever walks faster, so
        that another station may be the nearest.
        """
        settings = coverage.study.settings
        walkers = tuple(replace(c, speed_mps=c.speed_mps * speed) for c in settings.walking.classes)
        study = replace(coverage.study, settings=replace(settings, walking=replace(settings.walking, classes=walkers)))
        ground, stations, sites = coverage.ground, coverage.stations, coverage.sites
        reach = {
            c: coverage.reach[c.name] if speed == 1.0 else Reach.of(study, ground, stations, sites, c) for c in walkers
        }
        return cls(study, coverage.demand, stations, reach)

    @property
    def seconds(self) -> FloatArray:
        """Seconds to the nearest station of any kind, the buildings once for each class; inf where none is reached."""
        return np.concatenate([found.walks.seconds[:, 0] for found in self.reach.values()])

    def within(self, circle: Circle) -> np.ndarray:
        """Return which of these are in ``circle``."""
        return np.concatenate([found.within(circle) for found in self.reach.values()])


def figures(now: Walked, tree: AreaTree, home: IntArray, straight_m: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Return the figures of stations by area and group, the total of all areas last.

    Parameters
    ----------
    now
        The stations and the walks to them.
    tree, home
        The study's areas, and which of them holds each building; -1 for none.
    straight_m
        What `straight_lines_m` returns for these stations.

    Returns
    -------
    DataFrame
        The rows and columns of coverage.csv, and ``walk_mean_s`` and ``walk_gini`` of those who reach a station,
        ``walk_p50_s`` and ``walk_p90_s`` of all, with those who reach none last, NaN where it is one of them;
        ``radius_<circle>``, residents whom a straight line of the circle's minutes at their speed joins to a station;
        in the rows of all residents ``load_max``, the residents of the station that serves most of them.
    """
    study, demand, lost = now.study, now.demand, tree.rows(now.demand.unplaced["area_id"])
    table = coverage_table(study, demand, now.stations, now.reach)
    seconds, n = now.seconds.reshape(len(now.reach), -1), len(home)
    near = {
        c: np.stack([straight_m[c.name] <= (c.cutoff_s + TOLERANCE_S) * walker.speed_mps for walker in now.reach])
        for c in study.settings.circles
    }
    members = [*tree.inside(home), np.flatnonzero(home >= 0)]
    columns: dict[str, FloatArray] = {}
    shown = lots_by_group(study)
    for place, (group, lots) in enumerate(shown.items()):
        rows = slice(place, None, len(shown))
        people = np.stack([demand.of(name) for name, _ in lots])
        lot = [lot for _, lot in lots]
        unplaced = demand.unplaced["residents" if group == "all" else f"residents_{group}"].to_numpy(dtype=np.float64)
        missing = sums_by_area(tree, lost, unplaced)
        missing[-1] += unplaced[lost < 0].sum()
        own = seconds[lot]
        walks = [
            _walks(own[:, inside].ravel(), people[:, inside].ravel(), float(without))
            for inside, without in zip(members, missing, strict=True)
        ]
        told = {name: np.array([walk[name] for walk in walks]) for name in walks[0]}
        for circle, is_near in near.items():
            claimed = np.where(is_near[lot], people, 0.0).sum(axis=0).reshape(n)
            told[f"radius_{circle.name}"] = sums_by_area(tree, home, claimed)
        for name, values in told.items():
            columns.setdefault(name, np.full(len(table), np.nan))[rows] = values
    load_max = np.full(len(table), np.nan)
    load_max[:: len(shown)] = _most_loaded(now, tree)
    return table.assign(**columns, load_max=load_max)


def straight_lines_m(study: Study, stations: gpd.GeoDataFrame) -> dict[str, FloatArray]:
    """Return for each circle (n_buildings,) metres as the crow flies to the nearest station that counts for it.

    Only stations that may serve a building count; inf where there is none.
    """
    rule, homes_m = Eligibility.of(study), representative_xy(study.buildings)
    stations_m = np.column_stack([stations.geometry.x, stations.geometry.y])
    of_home, of_station = np.zeros(len(homes_m), dtype=np.int32), np.zeros(len(stations), dtype=np.int32)
    if not rule.anyone:
        of_home, of_station = rule.group(study.buildings["area_id"]), rule.group(stations["area_id"])
    found = {}
    for circle in study.settings.circles:
        able, away_m = serves(stations, circle), np.full(len(homes_m), np.inf)
        for area in np.intersect1d(of_home[of_home >= 0], of_station[able]):
            asking = of_home == area
            away_m[asking], _ = cKDTree(stations_m[able & (of_station == area)]).query(homes_m[asking])
        found[circle.name] = away_m
    return found


def gini(values: FloatArray, weights: FloatArray) -> float:
    """Return how unequally ``values`` are spread over ``weights``: 0 where all are alike, towards 1 where one has all.

    Parameters
    ----------
    values, weights
        Not negative; a value counts as often as its weight says.

    Returns
    -------
    float
        1 less twice the area below the Lorenz curve (M. O. Lorenz, 1905, https://doi.org/10.2307/2276207); 0 where
        all values are 0, NaN where there is no weight.

    Examples
    --------
    >>> round(gini(np.array([1.0, 3.0]), np.array([1.0, 1.0])), 6)
    0.25
    """
    order = np.argsort(values, kind="stable")
    weight, held = weights[order], np.cumsum(values[order] * weights[order])
    if not weight.sum() > 0.0:
        return np.nan
    if not held[-1] > 0.0:
        return 0.0
    below = weight * (held + np.append(0.0, held[:-1]))
    return max(0.0, float(1.0 - below.sum() / (weight.sum() * held[-1])))


def _walks(seconds: FloatArray, people: FloatArray, lost: float) -> dict[str, float]:
    """Return how long residents walk, of whom ``lost`` more live nobody knows where."""
    order = np.argsort(seconds)  # what follows sorts anew, which costs little where it is done already
    order = order[people[order] > 0.0]
    seconds, people = seconds[order], people[order]
    reached = np.isfinite(seconds)
    far, who = seconds[reached], people[reached]
    return {
        "walk_mean_s": float(far @ who / who.sum()) if len(who) else np.nan,
        "walk_p50_s": weighted_quantile(seconds, people, 0.5, lost=lost),
        "walk_p90_s": weighted_quantile(seconds, people, 0.9, lost=lost),
        "walk_gini": gini(far, who),
    }


def _most_loaded(now: Walked, tree: AreaTree) -> FloatArray:
    """Return in each area, and last in all of them, the residents of the station that serves most; NaN for none."""
    load = stations_with_load(now.study, now.demand, now.stations, now.reach)["residents"].to_numpy(dtype=np.float64)
    row = tree.rows(now.stations["area_id"])
    inside = [*tree.inside(row), np.flatnonzero(row >= 0)]
    return np.array([load[part].max() if len(part) else np.nan for part in inside])
