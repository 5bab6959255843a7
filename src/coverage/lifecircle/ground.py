"""A study laid on its network: every home, station and candidate attached to the street it is left by."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.errors import Breach, LifecircleError, SchemaError
from lifecircle.model import FloatArray, Study
from lifecircle.network import WalkNetwork
from lifecircle.snapping import Snaps, snap
from lifecircle.streets import WalkingStreets, walking_streets


@dataclass(frozen=True, eq=False)
class Ground:
    """The network with the study's places on it; the places have the rows of the study's frames."""

    streets: WalkingStreets
    homes: Snaps
    stations: Snaps
    candidates: Snaps
    findings: tuple[Breach, ...]


def lay_ground(study: Study) -> Ground:
    """Make the study's network and attach its buildings, stations and candidates.

    Raises
    ------
    SchemaError
        When a station inside the study's areas has no permitted street within ``max_access_m``; its id is named.
        Stations outside the areas and candidates that have none are left out and reported in ``findings``.
    """
    streets = walking_streets(study.streets, study.settings.walking)
    obstacles = _Obstacles.of(study)
    homes = obstacles.attach(streets.network, *exits(study), np.arange(len(study.buildings)))
    stations = obstacles.attach_points(streets.network, study.stations)
    candidates = obstacles.attach_points(streets.network, study.candidates)
    findings = (
        *streets.findings,
        *_off_network("stations", study.stations, "station_id", ~stations.snapped, obstacles.max_access_m),
        *_off_network("candidates", study.candidates, "site_id", ~candidates.snapped, obstacles.max_access_m),
    )
    errors = [f for f in findings if f.severity == "error"]
    if errors:
        raise SchemaError(f"{study.path}: the study cannot be used", breaches=findings)
    return Ground(streets, homes, stations, candidates, findings)


def check_ground(study: Study) -> tuple[Breach, ...]:
    """Return what laying the study on its network finds, errors and all."""
    try:
        return lay_ground(study).findings
    except LifecircleError as error:
        return error.breaches or (Breach("streets", "not-walkable", error.message),)


def attach_points(study: Study, network: WalkNetwork, places: gpd.GeoDataFrame) -> Snaps:
    """Attach points with a ``building_id`` (empty for none) by the rules that hold for stations."""
    return _Obstacles.of(study).attach_points(network, places)


@dataclass(frozen=True, eq=False)
class _Obstacles:
    """What no leg may cross: the study's buildings (but a place's own) and its barriers."""

    geometries: npt.NDArray[np.object_]
    of_building: npt.NDArray[np.intp]
    building_index: pd.Index
    max_access_m: float

    @classmethod
    def of(cls, study: Study) -> _Obstacles:
        footprints = study.buildings.geometry.to_numpy()
        solid = shapely.get_dimensions(footprints) == 2
        of_building = np.where(solid, np.cumsum(solid) - 1, -1)
        geometries = np.concatenate([footprints[solid], study.barriers.geometry.to_numpy()])
        return cls(
            geometries, of_building, pd.Index(study.buildings["building_id"]), study.settings.walking.max_access_m
        )

    def attach(
        self, network: WalkNetwork, place: npt.NDArray[np.intp], xy_m: FloatArray, building: npt.NDArray[np.intp]
    ) -> Snaps:
        """Attach the points of places, given the row of each place's building (-1 for none)."""
        snaps = snap(
            network,
            xy_m,
            max_access_m=self.max_access_m,
            barriers=self.geometries,
            own=np.append(self.of_building, -1)[building[place]],
            place=place,
            n_places=len(building),
        )
        return snaps.in_buildings(building)

    def attach_points(self, network: WalkNetwork, places: gpd.GeoDataFrame) -> Snaps:
        building = self.building_index.get_indexer(places["building_id"])
        return self.attach(network, np.arange(len(places)), _xy(places), building)


def exits(study: Study) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return the points by which buildings are left, by row of ``study.buildings``, ascending.

    They are a building's entrances where the data has them, else its representative point.
    """
    entrance_of = pd.Index(study.buildings["building_id"]).get_indexer(study.entrances["building_id"])
    known = entrance_of >= 0
    bare = np.setdiff1d(np.arange(len(study.buildings)), entrance_of)
    building = np.concatenate([entrance_of[known], bare])
    points = [_xy(study.entrances)[known], representative_xy(study.buildings.iloc[bare])]
    order = np.argsort(building, kind="stable")
    return building[order], np.concatenate(points)[order]


def representative_xy(places: gpd.GeoDataFrame) -> FloatArray:
    """Return (n, 2) a point inside each geometry, metres in the frame's CRS."""
    xy: FloatArray = shapely.get_coordinates(shapely.point_on_surface(places.geometry.to_numpy())).reshape(-1, 2)
    return xy


def _xy(points: gpd.GeoDataFrame) -> FloatArray:
    xy: FloatArray = shapely.get_coordinates(points.geometry.to_numpy()).reshape(-1, 2)
    return xy


def _off_network(
    layer: str, places: gpd.GeoDataFrame, id_column: str, off: npt.NDArray[np.bool_], max_access_m: float
) -> list[Breach]:
    """Report places without a street: an error for a station inside the areas, a warning for any other place."""
    inside = (places["area_id"] != "").to_numpy() & (layer == "stations")
    texts = {
        True: f"no street that a walker may use within {max_access_m:g} m; mend the coordinates or raise max_access_m",
        False: f"left out: no street that a walker may use within {max_access_m:g} m",
    }
    return [
        Breach(
            layer,
            f"{layer[:-1]}-off-network",
            texts[serious],
            tuple(places.loc[rows, id_column][:5]),
            int(rows.sum()),
            "error" if serious else "warning",
        )
        for serious, rows in ((True, off & inside), (False, off & ~inside))
        if rows.any()
    ]
