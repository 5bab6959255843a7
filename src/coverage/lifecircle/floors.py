"""Where people may live: residential buildings and their floor area."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import Breach
from lifecircle.kinds import KNOWN_KINDS, RESIDENTIAL_KINDS
from lifecircle.model import BoolArray, FloatArray
from lifecircle.schema import breach

MIN_FOOTPRINT_M2 = 30.0
"""A ``building=yes`` smaller than this is taken for a shed and holds nobody."""

_POLYGON = 2


def is_residential(buildings: pd.DataFrame) -> BoolArray:
    """Return (n,) whether people may live in each building: by its kind, or where no use is stated by its size.

    Of a building that is a point nobody knows the size: it is no shed.
    """
    shapes = buildings.geometry.to_numpy()
    shed = (shapely.area(shapes) < MIN_FOOTPRINT_M2) & (shapely.get_dimensions(shapes) == _POLYGON)
    unstated_use = (buildings["kind"] == "yes") & ~buildings["other_use"] & ~shed
    homes: BoolArray = (
        (buildings["kind"].isin(RESIDENTIAL_KINDS) | unstated_use) & ~buildings["underground"]
    ).to_numpy()
    return homes


def residential_floor_area_m2(buildings: pd.DataFrame) -> FloatArray:
    """Return (n,) square metres of floor above ground in which people may live; 0 for all other buildings.

    Levels not stated, or 0, are the median of the residential buildings that state them, 1 where none does. The
    footprint of a building that is a point is the median of the residential outlines, 1 m2 where there are none.
    """
    shapes = buildings.geometry.to_numpy()
    residential, outlined = is_residential(buildings), shapely.get_dimensions(shapes) == _POLYGON
    footprint = _or_median(shapely.area(shapes), stated=outlined, among=residential)
    levels = buildings["levels"].to_numpy(dtype=np.float64)
    levels = _or_median(levels, stated=np.isfinite(levels) & (levels > 0), among=residential)
    above_ground = np.maximum(levels - np.maximum(buildings["min_level"].to_numpy(dtype=np.float64), 0.0), 0.0)
    return np.where(residential, footprint * above_ground, 0.0)


def _or_median(values: FloatArray, *, stated: BoolArray, among: BoolArray) -> FloatArray:
    """Return the values that are ``stated``, for the others the median of those ``among`` these buildings, else 1."""
    known = values[stated & among]
    return np.where(stated, values, np.median(known) if len(known) else 1.0)


def check_floors(buildings: gpd.GeoDataFrame) -> list[Breach]:
    """Tell of which homes the floor is assumed, because nothing that is stated can be meant."""
    homes = is_residential(buildings)
    points = homes & (shapely.get_dimensions(buildings.geometry.to_numpy()) == 0)
    bare = homes & (buildings["levels"] == 0).to_numpy()
    point = "a point has no footprint: residents are spread as if it had that of a common home; outlines tell more"
    zero = "0 levels: taken as not stated, so for as many as a common home has"
    ids = buildings["building_id"]
    return [
        *breach("buildings", "point-building", point, ids[points], "repair"),
        *breach("buildings", "zero-levels", zero, ids[bare], "repair"),
    ]


def check_kinds(buildings: pd.DataFrame) -> list[Breach]:
    """Tell which kinds of buildings are not known: nobody is put into them, and people may live there."""
    kind = buildings["kind"]
    several = kind[~kind.isin(KNOWN_KINDS)].value_counts(sort=False).sort_index()
    message = "kinds that are not known; nobody is put there: where people live, write 住宅 or house"
    return breach("buildings", "unknown-kind", message, [f"{k} ({n:,})" for k, n in several.items()], "warning")


def floor_shares(floor_m2: FloatArray, counted: BoolArray) -> FloatArray:
    """Return (n,) the share of some residents that each building takes, by its floor area; 0 where there is no floor.

    Buildings whose residents are ``counted`` already take none while there are others.
    """
    free = np.where(counted, 0.0, floor_m2)
    floor_m2 = free if free.any() else floor_m2
    whole = floor_m2.sum()
    return floor_m2 / whole if whole > 0 else floor_m2
