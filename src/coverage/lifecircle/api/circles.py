"""From where a station at some place would be reached in time: the circles of the study, drawn about it."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.api.desk import Desk
from lifecircle.api.encode import geojson
from lifecircle.api.query import Place
from lifecircle.ground import with_candidates
from lifecircle.readers.metric import holder
from lifecircle.schema import LAYERS
from lifecircle.service_areas import service_areas


def circles_at(desk: Desk, place: Place) -> bytes:
    """Return as GeoJSON from where the reference class reaches a station at ``place``, a feature for each circle.

    Whose station may serve whom counts as everywhere; tiers and items of circles do not, for it has none
    yet, and it is open at all times.

    Raises
    ------
    RequestError
        When the place is too far away to be meant.
    """
    study = desk.study
    settings = study.settings
    point = gpd.GeoDataFrame(geometry=shapely.points([desk.lookup.metres(place)]), crs=study.crs)
    site = point.assign(
        station_id="", tier="", items="", hours="", area_id=holder(point, study.areas, "area_id"),
        building_id=holder(point, study.buildings, "building_id"),
    )  # fmt: skip
    circles = tuple(replace(circle, tiers=(), items=()) for circle in settings.circles)
    candidates = site.rename(columns={"station_id": LAYERS["candidates"].key})
    here = replace(study, settings=replace(settings, circles=circles), candidates=candidates)
    drawn = service_areas(here, with_candidates(desk.ground, here), site, np.array([len(study.stations)]))
    told = ("circle", "minutes")
    return geojson(drawn, told, attribution=study.attribution, synthetic=desk.ground.synthetic)
