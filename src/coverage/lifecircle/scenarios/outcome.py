"""What a scenario comes to, whether it asks a question or only states what is done."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.asked import Scenario
from lifecircle.circles import Coverage
from lifecircle.scenarios.site_rows import NOWHERE, site_rows, stations_gone
from lifecircle.scenarios.sites import Sites
from lifecircle.scenarios.stated import OPENED


@dataclass(frozen=True, eq=False)
class Outcome:
    """A scenario's sites by id, and the coverage with them open; that of a question is a `Plan`.

    ``sites`` holds the columns of sites.csv: today's stations, those that close last of them, and the chosen sites in
    their order; ``synthetic`` last where the study is made up.
    """

    scenario: Scenario
    sites: pd.DataFrame
    coverage: Coverage
    possible: Sites
    """All places that stations stand at and could stand at, as the scenario finds them."""


def outcome_of(scenario: Scenario, today: Coverage, after: Coverage, sites: Sites) -> Outcome:
    """Return what a scenario that asks nothing comes to.

    Parameters
    ----------
    today, after
        Coverage of today, and as the scenario states it.
    sites
        What ``possible_sites(after)`` returned.
    """
    standing, gone = sites.frame.iloc[sites.standing], stations_gone(today, scenario)
    state = np.where(standing["station_id"].isin(scenario.opened), OPENED, "fixed")
    frame = gpd.GeoDataFrame(pd.concat([standing.assign(state=state), gone], ignore_index=True), crs=after.study.crs)
    rows = np.concatenate([sites.standing, np.full(len(gone), NOWHERE)])
    load = after.stations.set_index("station_id")["residents"]
    table = site_rows(frame, rows, scenario, sites=sites, today=today, after=after, load=load)
    return Outcome(scenario, table, after, sites)
