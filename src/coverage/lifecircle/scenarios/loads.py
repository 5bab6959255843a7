"""How many residents each station has, scenario by scenario."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lifecircle.circles import Coverage
from lifecircle.mark import marked
from lifecircle.model import FloatArray, IntArray

DESCRIBED = ("station_id", "name", "kind", "tier", "area_id")


def station_loads(states: Mapping[str, Coverage], today: Coverage) -> pd.DataFrame:
    """Return how many residents each station serves in each scenario.

    Parameters
    ----------
    states
        Coverage of each scenario, by its name.
    today
        Today's coverage, whose stations may close.

    Returns
    -------
    DataFrame
        A row a scenario and station: ``scenario``, the columns `DESCRIBED`, ``state``, ``residents`` whose nearest
        station it is, and ``within_<circle>``, whom it serves in that circle as the nearest that counts; people outside
        every area are among them. Of a station that is closed there are no figures, NaN. ``synthetic`` last where the
        study is made up.
    """
    parts = []
    for name, coverage in states.items():
        stations, loads = coverage.stations, _loads(coverage)
        open_now = stations[[*DESCRIBED, "state"]].reset_index(drop=True).assign(**loads)
        closed = today.stations[~today.stations["station_id"].isin(stations["station_id"])]
        gone = closed[[*DESCRIBED]].reset_index(drop=True).assign(state="closed", **dict.fromkeys(loads, np.nan))
        together = pd.concat([open_now, gone], ignore_index=True) if len(gone) else open_now
        together.insert(0, "scenario", name)
        parts.append(pd.DataFrame(together).sort_values("station_id", kind="stable"))
    return marked(pd.concat(parts, ignore_index=True), today.synthetic)


def _loads(coverage: Coverage) -> dict[str, FloatArray]:
    """Return the residents of each station of a coverage, in all and within each circle."""

    def served(stations: Mapping[str, IntArray]) -> FloatArray:
        load = np.zeros(len(coverage.stations))
        for walker, station in stations.items():
            who = station >= 0
            load += np.bincount(station[who], coverage.demand.of(walker)[who], minlength=len(load))
        return load

    reach, circles = coverage.reach, coverage.study.settings.circles
    within = {f"within_{c.name}": served({w: r.serving[c.name] for w, r in reach.items()}) for c in circles}
    return {"residents": served({w: r.walks.facility[:, 0] for w, r in reach.items()}), **within}
