"""Which station takes a request: the nearest on foot that may serve the place and offers the item."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.ground import Ground, attach_points, lay_ground
from lifecircle.model import Study
from lifecircle.routing import NearestWalks
from lifecircle.service import Eligibility, offers

REASONS = {
    "": "the nearest station takes it",
    "nearest-lacks-item": "the nearest station does not offer the item",
    "nearest-not-eligible": "the nearest station serves another area",
    "no-station-offers-item": "no station that may serve the place offers the item",
    "no-eligible-station": "no station may serve the place",
    "unreachable": "no way on foot to any station that could take it",
    "unsnappable": "no street that a walker may use near the place",
}
"""Why a request goes where it goes; the values of ``reason``."""


def assign(study: Study, requests: gpd.GeoDataFrame, *, ground: Ground | None = None) -> pd.DataFrame:
    """Send each request to the nearest station on foot that may serve its place and offers its item.

    Parameters
    ----------
    study
        As ``open_study`` returns it.
    requests
        One row a request: ``request_id`` (distinct), point geometry in any CRS, and ``item`` (empty: any station will
        do). ``read_requests`` makes it from a file.
    ground
        What ``lay_ground(study)`` returned, so that it is not worked out again.

    Returns
    -------
    DataFrame
        The columns of assigned.csv in the requests' order: request_id, station_id, walk_m, walk_s, tier, reason (see
        `REASONS`). Walks are those of the reference class; no station is an empty id and NaN metres and seconds.
    """
    ground = lay_ground(study) if ground is None else ground
    asked = requests.to_crs(study.crs)
    points = asked.geometry.to_numpy()
    places = gpd.GeoDataFrame(
        {
            "area_id": _holding(points, study.areas, "area_id"),
            "building_id": _holding(points, study.buildings, "building_id"),
        },
        geometry=points,
        crs=study.crs,
    )
    snaps = attach_points(study, ground.streets.network, places)
    rule = Eligibility.of(study)
    network, stations = ground.streets.network, study.stations
    speed_mps = study.settings.walking.reference.speed_mps
    item = asked["item"].fillna("").astype(str).to_numpy(dtype=object)

    def nearest(able: np.ndarray, rows: np.ndarray, by: Eligibility) -> NearestWalks:
        return by.nearest(
            network,
            ground.stations.take(able),
            stations["area_id"].iloc[able],
            snaps.take(rows),
            places["area_id"].iloc[rows],
            speed_mps=speed_mps,
        )

    n = len(places)
    everyone, every_station = np.arange(n), np.arange(len(stations))
    anywhere = nearest(every_station, everyone, Eligibility(rule.tree, "any")).facility[:, 0]
    eligible = nearest(every_station, everyone, rule).facility[:, 0]
    station, walk_m, walk_s = np.full(n, -1), np.full(n, np.nan), np.full(n, np.nan)
    offered = np.zeros(n, dtype=bool)
    for wanted in np.unique(item.astype(str)):
        able = np.flatnonzero(offers(stations, items=(wanted,) if wanted else ()))
        rows = np.flatnonzero(item == wanted)
        found = nearest(able, rows, rule)
        hit = found.facility[:, 0] >= 0
        station[rows[hit]] = able[found.facility[hit, 0]]
        walk_m[rows[hit]], walk_s[rows[hit]] = found.walk_m[hit, 0], found.seconds[hit, 0]
        offered[rows] = _may_serve(rule, stations.iloc[able], places.iloc[rows])
    may_serve = _may_serve(rule, stations, places)

    none = station < 0
    reason = np.select(
        [
            none & ~snaps.snapped,
            none & ~may_serve,
            none & ~offered,
            none,
            station == anywhere,
            station == eligible,
        ],
        [
            *(
                "unsnappable",
                "no-eligible-station",
                "no-station-offers-item",
                "unreachable",
                "",
                "nearest-not-eligible",
            ),
        ],
        "nearest-lacks-item",
    )
    return pd.DataFrame(
        {
            "request_id": requests["request_id"].to_numpy(),
            "station_id": np.append(stations["station_id"].to_numpy(dtype=object), "")[station],
            "walk_m": walk_m,
            "walk_s": walk_s,
            "tier": np.append(stations["tier"].to_numpy(dtype=object), "")[station],
            "reason": reason,
        }
    )


def _may_serve(rule: Eligibility, stations: gpd.GeoDataFrame, places: gpd.GeoDataFrame) -> np.ndarray:
    """Return for which places there is any station that may serve them, near or far."""
    if rule.anyone:
        return np.full(len(places), len(stations) > 0)
    group = rule.group(places["area_id"])
    return (group >= 0) & np.isin(group, rule.group(stations["area_id"]))


def _holding(points: np.ndarray, polygons: gpd.GeoDataFrame, id_column: str) -> np.ndarray:
    """Return the id of the polygon that holds each point, the smallest polygon of several, empty for none."""
    tree = shapely.STRtree(polygons.geometry.to_numpy())
    point, polygon = tree.query(points, predicate="intersects")
    size = shapely.area(polygons.geometry.to_numpy()[polygon])
    ids = polygons[id_column].to_numpy(dtype=object)
    order = np.lexsort((ids[polygon].astype(str), size, point))
    held, first = np.unique(point[order], return_index=True)
    found = np.full(len(points), "", dtype=object)
    found[held] = ids[polygon[order][first]]
    return found
