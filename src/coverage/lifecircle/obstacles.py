"""Places attached to streets by legs that cross no building and no barrier, and by which points homes are left."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.model import FloatArray, Study
from lifecircle.snapping import SnapIndex, Snaps


@dataclass(frozen=True, eq=False)
class Obstacles:
    """What no leg may cross: the study's buildings (but a place's own) and its barriers."""

    geometries: npt.NDArray[np.object_]
    of_building: npt.NDArray[np.intp]
    building_index: pd.Index
    max_access_m: float

    @classmethod
    def of(cls, study: Study) -> Obstacles:
        """Return those of a study."""
        footprints = study.buildings.geometry.to_numpy()
        solid = shapely.get_dimensions(footprints) == 2
        of_building = np.where(solid, np.cumsum(solid) - 1, -1)
        geometries = np.concatenate([footprints[solid], study.barriers.geometry.to_numpy()])
        return cls(
            geometries, of_building, pd.Index(study.buildings["building_id"]), study.settings.walking.max_access_m
        )

    def attach(
        self, index: SnapIndex, place: npt.NDArray[np.intp], xy_m: FloatArray, building: npt.NDArray[np.intp]
    ) -> Snaps:
        """Attach the points of places, given the row of each place's building (-1 for none)."""
        snaps = index.snap(
            xy_m,
            max_access_m=self.max_access_m,
            own=np.append(self.of_building, -1)[building[place]],
            place=place,
            n_places=len(building),
        )
        return snaps.in_buildings(building)

    def attach_points(self, index: SnapIndex, places: gpd.GeoDataFrame) -> Snaps:
        """Attach points with a ``building_id`` (empty for none)."""
        building = self.building_index.get_indexer(places["building_id"])
        return self.attach(index, np.arange(len(places)), _xy(places), building)


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
