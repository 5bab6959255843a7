"""Rows of sites.csv, as far as they need no search: what a place is, whom it reaches, whom it hurts that it closes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Transformer

from lifecircle.asked import Award, Scenario
from lifecircle.circles import Coverage
from lifecircle.mark import marked
from lifecircle.model import TOLERANCE_S, Circle, FloatArray
from lifecircle.scenarios.closings import closings
from lifecircle.scenarios.costs import own_costs
from lifecircle.scenarios.sites import Rows, Sites, rows_of
from lifecircle.scenarios.stated import OPENED
from lifecircle.service import serves

NOWHERE = -1
"""Row of `Sites` of a station that is gone by hand: nobody can ask for it any more."""


def stations_gone(today: Coverage, scenario: Scenario) -> gpd.GeoDataFrame:
    """Return the stations of today that a scenario closes or moves away by hand."""
    stations = today.study.stations
    return stations[stations["station_id"].isin(scenario.gone)].assign(state="closed")


def site_rows(
    frame: gpd.GeoDataFrame,
    rows: Rows,
    scenario: Scenario,
    *,
    sites: Sites,
    today: Coverage,
    after: Coverage,
    load: pd.Series,
) -> pd.DataFrame:
    """Return the columns of sites.csv in their order; those that only a search fills are empty.

    Parameters
    ----------
    frame
        The places, whose ``state`` says what becomes of them.
    rows
        Which rows of ``sites`` they are; `NOWHERE` for stations that are gone.
    scenario
        What is asked and stated.
    sites
        All places with the walks to them.
    today, after
        Coverage of today, whose stations may close, and with the scenario.
    load
        Residents whom each open place serves, by its id.
    """
    study = after.study
    lon, lat = Transformer.from_crs(study.crs, 4326, always_xy=True).transform(frame.geometry.x, frame.geometry.y)
    state = frame["state"].to_numpy(dtype=object)
    is_open = np.flatnonzero(state != "closed")
    paid = np.where(state == OPENED, own_costs(scenario, frame), frame["cost"])
    served = frame["station_id"].map(load)
    reasons = {c.name: _reached(sites, c, frame, rows, is_open) for c in study.settings.circles}
    columns: dict[str, object] = {
        "site_id": frame["station_id"],
        **{name: frame[name] for name in ("name", "kind", "tier", "area_id")},
        "state": state,
        "opens": "",
        "order": pd.array([pd.NA] * len(frame), dtype="Int64"),
        "gain": np.nan,
        "loss": np.nan,
        **{f"reached_{name}": reached for name, (reached, _) in reasons.items()},
        **{f"only_here_{name}": only_here for name, (_, only_here) in reasons.items()},
        "load": served,
        "cost": paid,
        "next_best": "",
        "next_best_loss": np.nan,
    }
    if scenario.award is not None:
        columns["award"] = _awards(served.to_numpy(dtype=np.float64), scenario.award)
    if scenario.max_moves is not None or scenario.gone:
        before, circles = today.stations["station_id"], study.settings.circles
        hurt = closings(before, today.reach, after.reach, sites.weights, circles).reindex(frame["station_id"])
        columns |= {name: np.where(state == "closed", hurt[name], np.nan) for name in hurt}
    columns |= {"lon": np.round(lon, 7), "lat": np.round(lat, 7)}
    return marked(pd.DataFrame(columns), after.synthetic)


def _awards(load: FloatArray, award: Award) -> FloatArray:
    """Return the award of each site: for those that most residents have as their nearest, and any at all."""
    load = np.nan_to_num(load)
    best = np.argsort(-load, kind="stable")[: award.stations]
    found = np.zeros(len(load))
    found[best[load[best] > 0.0]] = award.amount
    return found


def _reached(
    sites: Sites, circle: Circle, frame: gpd.GeoDataFrame, rows: Rows, is_open: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Return whom each open site reaches within ``circle``, and whom it alone reaches; NaN where it does not count."""
    counts = is_open[serves(frame.iloc[is_open], circle)]
    walks = rows_of(sites.walks[circle.name], rows[counts])
    site = np.repeat(np.arange(len(counts)), np.diff(walks.indptr))
    near = walks.seconds <= circle.cutoff_s + TOLERANCE_S
    site, home = site[near], walks.indices[near]
    alone = np.bincount(home, minlength=walks.n_demand)[home] == 1
    weight = sites.weights[home]
    reached, only_here = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    reached[counts] = np.bincount(site, weight, minlength=len(counts))
    only_here[counts] = np.bincount(site[alone], weight[alone], minlength=len(counts))
    return reached, only_here
