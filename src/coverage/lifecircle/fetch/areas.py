"""The areas of a place: the levels of administrative units that part it, else the place itself."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.fetch.place import Place, nothing_there
from lifecircle.model import BoolArray
from lifecircle.readers.area_levels import join_levels
from lifecircle.readers.metric import LON_LAT, local_crs
from lifecircle.said import Said, joined

LEVEL_NAMES = {"8": "subdistrict", "10": "community"}
"""What the levels are in Chinese cities; any other is called by its number."""

PLACE_LEVEL, PLACE_ID = "place", "place"
"""Level of the one area that a place without others is, and its id where the place is a box."""

MOST_OUTSIDE = 0.05
"""A level is taken where no more than this share of the place's buildings stand in none of its areas."""


_BEFORE_NAME = r"^[^\w(（]+"
"""What no name begins with: to a spreadsheet it would be a formula."""


def areas_of(place: Place, units: gpd.GeoDataFrame | None, buildings: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, str]:
    """Return the areas of a place, the coarser levels first, and what is to be said of them.

    Parameters
    ----------
    units
        Administrative units in and around the place, degrees; their ``level`` is OpenStreetMap's. None for none.
    buildings
        In and around the place, degrees.

    Raises
    ------
    FetchError
        When no building stands in the place.
    """
    crs = local_crs(place.outline.bounds)
    [outline] = gpd.GeoSeries([place.outline], crs=LON_LAT).to_crs(crs)
    shapely.prepare(outline)
    homes = shapely.point_on_surface(buildings.to_crs(crs).geometry.to_numpy())
    homes = homes[shapely.intersects(outline, homes)]
    if not len(homes):
        raise nothing_there(place, "buildings")
    taken, left_out = [], []
    of_level = [] if units is None else units[_are_inside(units, outline, crs)].groupby("level")
    for level, part in sorted(of_level, key=lambda of: int(of[0])):
        point, _ = shapely.STRtree(part.to_crs(crs).geometry.to_numpy()).query(homes, predicate="intersects")
        outside = 1 - len(np.unique(point)) / len(homes)
        if outside <= MOST_OUTSIDE:
            taken.append(part.assign(level=LEVEL_NAMES.get(level, f"level {level}")).reset_index(drop=True))
        else:
            hold = "{} of admin_level {}, which hold {:.0%} of the buildings"
            left_out.append(Said(hold, len(part), level, 1 - outside))
    missed = Said("; left out: {}", joined(left_out, "{}, {}")) if left_out else ""
    if not taken:
        whole = "the place itself, for OpenStreetMap has no smaller ones that fill it{}"
        return _whole(place), Said(whole, missed)
    areas, _ = join_levels(taken) if len(taken) > 1 else (taken[0], [])
    counts = areas["level"].value_counts(sort=False)
    areas = areas.assign(name=areas["name"].str.replace(_BEFORE_NAME, "", regex=True))
    of_each = joined((Said("{:,} of the level {}", n, level) for level, n in counts.items()), "{}, {}")
    return areas, Said("{}{}", of_each, missed)


def _are_inside(units: gpd.GeoDataFrame, outline: shapely.Geometry, crs: CRS) -> BoolArray:
    """Return which units lie in the place, for the most part: borders drawn twice seldom agree."""
    shapes = shapely.make_valid(units.to_crs(crs).geometry.to_numpy(), method="structure", keep_collapsed=False)
    shared: BoolArray = shapely.area(shapely.intersection(shapes, outline)) > shapely.area(shapes) / 2
    return shared


def _whole(place: Place) -> gpd.GeoDataFrame:
    row = {
        "area_id": place.osm_id or PLACE_ID,
        "level": PLACE_LEVEL,
        "name": re.sub(_BEFORE_NAME, "", place.name),
        "parent_id": "",
    }
    return gpd.GeoDataFrame(pd.DataFrame([row]), geometry=[place.outline], crs=LON_LAT)
