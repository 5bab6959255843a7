"""Which station takes a request: the nearest on foot that may serve the place and offers the item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from lifecircle.ground import Ground, attach_points, lay_ground
from lifecircle.mark import MARK, marked
from lifecircle.model import MAX_ACCESS_M, SPEED_MPS, FloatArray, IntArray, Study
from lifecircle.network import QUANTUM_M, WalkNetwork
from lifecircle.readers.metric import LON_LAT
from lifecircle.readers.requests import PROBLEM, PROBLEMS, in_metres
from lifecircle.routing import Labels, NearestWalks, Snaps, node_labels, walks_of_labels
from lifecircle.rules import warn_of
from lifecircle.service import Eligibility, offers
from lifecircle.snapping import SnapIndex

REASONS = {
    "": "the nearest station takes it",
    "nearest-lacks-item": "the nearest station does not offer the item",
    "nearest-not-eligible": "the nearest station serves another area",
    "no-station-offers-item": "no station that may serve the place offers the item",
    "no-eligible-station": "no station may serve the place",
    "unreachable": "no way on foot to any station that could take it",
    "unsnappable": "no street that a walker may use near the place",
    **PROBLEMS,
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
        do); ``problem`` where a row cannot be used, ``synthetic`` where some are made up. ``read_requests`` makes it
        from a file.
    ground
        What ``lay_ground(study)`` returned, so that it is not worked out again.

    Returns
    -------
    DataFrame
        The columns of assigned.csv in the requests' order: request_id, station_id, walk_m, walk_s, tier, reason (see
        `REASONS`), and ``synthetic`` where the study or any request is made up. Walks are those of the reference class;
        no station is an empty id and NaN metres and seconds. A request that cannot be used is given back with its
        problem for a reason.

    Warns
    -----
    DegradedWarning
        Of each of the ground's ``findings``, in the class of its rule, where it is laid here.
    """
    if ground is None:
        ground = lay_ground(study)
        warn_of(ground.findings)
    asked, _ = in_metres(requests, study.crs)
    problem = asked[PROBLEM].to_numpy(dtype=object)
    sound = _assign(study, ground, asked[problem == ""].reset_index(drop=True))
    sound.index = np.flatnonzero(problem == "")
    assigned = sound.reindex(range(len(asked)))
    assigned["request_id"] = requests["request_id"].to_numpy()
    assigned = assigned.fillna({"station_id": "", "tier": ""})
    assigned["reason"] = assigned["reason"].where(problem == "", problem)
    return marked(assigned, ground.synthetic or (MARK in requests and bool(requests[MARK].any())))


def _assign(study: Study, ground: Ground, asked: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the rows of assigned.csv for requests that have their points, in the CRS of the study."""
    points = asked.geometry.to_numpy()
    places = gpd.GeoDataFrame(
        {
            "area_id": _holding(points, study.areas, "area_id"),
            "building_id": _holding(points, study.buildings, "building_id"),
        },
        geometry=points,
        crs=study.crs,
    )
    footing = ground.reference
    snaps = attach_points(study, ground, places)
    rule, stations = Eligibility.of(study), study.stations
    item = asked["item"].fillna("").astype(str).to_numpy(dtype=object)

    def nearest(able: np.ndarray, rows: np.ndarray, by: Eligibility) -> NearestWalks:
        return by.nearest(
            footing,
            footing.stations.take(able),
            stations["area_id"].iloc[able],
            snaps.take(rows),
            places["area_id"].iloc[rows],
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
            "request_id": asked["request_id"].to_numpy(),
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


@dataclass(frozen=True, eq=False)
class StationIndex:
    """The nearest of some stations from anywhere, looked up in microseconds.

    Every lookup is ``routing.nearest`` of a point snapped to the network, and says the same.
    """

    network: WalkNetwork
    stations: Snaps
    places: SnapIndex
    labels: Labels
    max_access_m: float
    _project: Callable[..., tuple[float, float]]
    _look_up: Callable[[float, float], tuple[int, float, float]]

    @classmethod
    def of(
        cls,
        network: WalkNetwork,
        stations: Snaps,
        *,
        crs: CRS,
        places: SnapIndex | None = None,
        max_access_m: float = MAX_ACCESS_M,
        speed_mps: float = SPEED_MPS,
    ) -> StationIndex:
        """Search from all stations once, so that a lookup adds two numbers.

        Parameters
        ----------
        crs
            The metric CRS of the network.
        places
            The network with the barriers that no leg of a place must cross; by default there are none.
        max_access_m
            Longest leg of a place, metres, inclusive.
        """
        from lifecircle.kernels import legs  # compiled code loads when it is first needed

        places = SnapIndex.of(network) if places is None else places
        labels = node_labels(network, stations, speed_mps=speed_mps)
        look_up = partial(
            legs.nearest_station,
            *_labels_by_segment(network, stations, labels),
            QUANTUM_M,
            *places.arguments(max_access_m),
        )
        project = Transformer.from_crs(LON_LAT, crs, always_xy=True).transform
        return cls(network, stations, places, labels, max_access_m, project, look_up)

    def nearest(self, lon: float, lat: float) -> tuple[int, float, float]:
        """Return the number of the station nearest on foot to a point in degrees, the seconds and the metres.

        -1, inf and NaN where there is no way, or no permitted segment within reach.
        """
        station, cost_m, walk_m = self._look_up(*self._project(lon, lat))
        return station, cost_m / self.labels.speed_mps, walk_m

    def nearest_many(self, lonlat: npt.ArrayLike) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return what `nearest` does for (n, 2) points in degrees: three arrays of (n,)."""
        degrees = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        points = np.stack(self._project(degrees[:, 0], degrees[:, 1]), axis=1)
        snaps = self.places.snap(points, max_access_m=self.max_access_m, n_places=len(points))
        walks = walks_of_labels(self.network, self.labels, self.stations, snaps)
        return walks.facility[:, 0], walks.seconds[:, 0], walks.walk_m[:, 0]


def _labels_by_segment(network: WalkNetwork, stations: Snaps, labels: Labels) -> tuple[FloatArray, FloatArray]:
    """Return the labels as ``kernels.legs.nearest_station`` takes them: what a lookup reads lies side by side."""
    impedance = network.impedance(labels.speed_mps)
    cost, row = labels.cost_m[network.leave, 0], labels.row[network.leave, 0]
    metres = cost
    if labels.metres is not None:
        metres = labels.metres[network.leave, 0] + np.append(stations.access_m, np.nan)[row]
    order = np.argsort(stations.segment, kind="stable")
    ways = np.zeros((network.n_segments + 1, 10))
    ways[:, 9] = np.searchsorted(stations.segment[order], np.arange(network.n_segments + 1))
    lengths = network.length_m, impedance.forward_m, impedance.backward_m
    ways[:-1, :9] = np.column_stack([*lengths, cost, metres, np.append(stations.place, -1)[row]])
    on_way = np.column_stack([stations.fraction, stations.access_m, stations.place])[order]
    for array in (ways, on_way):
        array.setflags(write=False)
    return ways, on_way
