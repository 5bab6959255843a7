"""Where people may live: residential buildings and their floor area."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from lifecircle.model import BoolArray, FloatArray
from lifecircle.schema import RESIDENTIAL_KINDS

MIN_FOOTPRINT_M2 = 30.0
"""A ``building=yes`` smaller than this is taken for a shed and holds nobody."""


def is_residential(buildings: pd.DataFrame) -> BoolArray:
    """Return (n,) whether people may live in each building: by its kind, or where no use is stated by its size."""
    footprint = shapely.area(buildings.geometry.to_numpy())
    unstated_use = (buildings["kind"] == "yes") & ~buildings["other_use"] & (footprint >= MIN_FOOTPRINT_M2)
    homes: BoolArray = (
        (buildings["kind"].isin(RESIDENTIAL_KINDS) | unstated_use) & ~buildings["underground"]
    ).to_numpy()
    return homes


def residential_floor_area_m2(buildings: pd.DataFrame) -> FloatArray:
    """Return (n,) square metres of floor above ground in which people may live; 0 for all other buildings.

    Levels not stated are the median of the residential buildings that state them, 1 where none does.
    """
    footprint = shapely.area(buildings.geometry.to_numpy())
    residential = is_residential(buildings)
    levels = buildings["levels"].to_numpy(dtype=np.float64)
    stated = levels[residential & np.isfinite(levels)]
    levels = np.where(np.isfinite(levels), levels, np.median(stated) if len(stated) else 1.0)
    above_ground = np.maximum(levels - np.maximum(buildings["min_level"].to_numpy(dtype=np.float64), 0.0), 0.0)
    return np.where(residential, footprint * above_ground, 0.0)


def floor_shares(floor_m2: FloatArray, counted: BoolArray) -> FloatArray:
    """Return (n,) the share of some residents that each building takes, by its floor area; 0 where there is no floor.

    Buildings whose residents are ``counted`` already take none while there are others.
    """
    free = np.where(counted, 0.0, floor_m2)
    floor_m2 = free if free.any() else floor_m2
    whole = floor_m2.sum()
    return floor_m2 / whole if whole > 0 else floor_m2
