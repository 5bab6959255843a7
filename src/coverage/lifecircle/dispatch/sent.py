"""Requests as they were sent: from which area, in which month, for what, and who takes each, or why nobody does."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.dispatch.reasons import REASONS
from lifecircle.dispatch.requests import holding, local_times, texts_of
from lifecircle.dispatch.roster import calendar_of
from lifecircle.model import STOP, BoolArray, FloatArray, IntArray, ReadOnlyArrays, Study
from lifecircle.readers.requests import PROBLEM, PROBLEMS, in_metres
from lifecircle.readers.rosters import VOLUNTEER

NEVER = -1
"""The month of a request that does not say when it came."""


HELPED = "helped"
TOLD = {**REASONS, HELPED: "a volunteer or a team takes it"}
"""The reasons of assigned.csv in words, and in the place of these that somebody without a station helps."""


@dataclass(frozen=True, eq=False)
class Sent(ReadOnlyArrays):
    """Requests and what became of them: arrays have a row each, in the order of the file.

    ``points`` are in the study's CRS, None of a row that cannot be used; ``area`` is a row of the study's areas and
    ``station`` one of ``places``, the stations and behind them the stops that take requests, -1 for none; ``item`` is a
    number of ``items``, ``reason`` one of ``reasons``, which `TOLD` has; ``month`` counts the months from January 1970,
    `NEVER` where nobody says. ``walk_s`` and ``walk_m`` are NaN where there is no walk.
    """

    places: gpd.GeoDataFrame
    points: npt.NDArray[np.object_]
    area: IntArray
    station: IntArray
    item: IntArray
    items: tuple[str, ...]
    month: IntArray
    reason: IntArray
    reasons: tuple[str, ...]
    walk_s: FloatArray
    walk_m: FloatArray

    @classmethod
    def of(cls, study: Study, requests: gpd.GeoDataFrame, assigned: pd.DataFrame) -> Sent:
        """Put requests beside what `lifecircle.dispatch.assign` made of them; the rows are the same."""
        asked, _ = in_metres(requests, study.crs)
        placed = (asked[PROBLEM] == "").to_numpy(dtype=bool)
        points = asked.geometry.to_numpy()
        area = np.full(len(asked), -1, dtype=np.int32)
        [area_id] = holding(points[placed], (study.areas, "area_id"))
        area[placed] = pd.Index(study.areas["area_id"]).get_indexer(area_id)
        item, items = pd.factorize(texts_of(asked, "item"))
        when = local_times(asked, calendar_of(study)).astype("datetime64[M]")
        why = assigned["reason"].mask(assigned["how"] == VOLUNTEER, HELPED) if "how" in assigned else assigned["reason"]
        known = [reason for reason in TOLD if (why == reason).any()]
        places, station = _takers(study, assigned)
        return cls(
            places=places,
            points=points,
            area=area,
            station=station,
            item=item.astype(np.int32),
            items=tuple(map(str, items)),
            month=np.where(np.isnat(when), NEVER, when.astype(np.int64)).astype(np.int32),
            reason=pd.Index(known).get_indexer(why).astype(np.int32),
            reasons=tuple(known),
            walk_s=assigned["walk_s"].to_numpy(dtype=np.float64),
            walk_m=assigned["walk_m"].to_numpy(dtype=np.float64),
        )

    @property
    def placed(self) -> BoolArray:
        """Which requests have a place that can be meant."""
        return np.array([reason not in PROBLEMS for reason in self.reasons], dtype=bool)[self.reason]


def _takers(study: Study, assigned: pd.DataFrame) -> tuple[gpd.GeoDataFrame, IntArray]:
    """Return the stations and the stops of these that take requests, and the row of who takes each, -1 for nobody.

    A stop goes by its station and its name, as it does in assigned.csv.
    """
    stations = study.stations
    station = pd.Index(stations["station_id"]).get_indexer(assigned["station_id"]).astype(np.int32)
    if study.service is None or "stop" not in assigned:
        return stations, station
    by = ["station_id", "name"]
    stops = study.service[study.service["how"] == STOP].drop_duplicates(by)
    at_stop = (assigned["how"] == STOP).to_numpy(dtype=bool)
    asked = pd.MultiIndex.from_arrays([assigned["station_id"][at_stop], assigned["stop"][at_stop]])
    used, of_request = np.unique(pd.MultiIndex.from_frame(stops[by]).get_indexer(asked), return_inverse=True)
    station[at_stop] = len(stations) + of_request
    owners = stations.set_index("station_id", drop=False).loc[stops["station_id"].iloc[used]]
    names = [
        " · ".join(filter(None, pair))
        for pair in zip(owners["name"].fillna(""), stops["name"].iloc[used].fillna(""), strict=True)
    ]
    touring = owners.assign(name=names).set_geometry(stops.geometry.iloc[used].to_numpy(), crs=stations.crs)
    return pd.concat([stations, touring], ignore_index=True), station
