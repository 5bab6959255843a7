"""Answers as bytes: JSON without blanks, and layers as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.mark import marked
from lifecircle.readers.metric import LON_LAT

DEGREE_DECIMALS = 7
"""A centimetre."""


def as_json(value: object) -> bytes:
    """Return a value as JSON in UTF-8; NaN is refused, for there is none in JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def geojson(frame: gpd.GeoDataFrame, columns: Iterable[str], *, attribution: Iterable[str], synthetic: bool) -> bytes:
    """Return some columns of a layer as GeoJSON in WGS 84, with whom its data is owed to; missing values are null."""
    layer = marked(frame.loc[:, [*columns, frame.geometry.name]], synthetic).to_crs(LON_LAT)
    short = shapely.transform(layer.geometry.to_numpy(), lambda degrees: np.round(degrees, DEGREE_DECIMALS))
    features = json.loads(layer.set_geometry(short, crs=LON_LAT).to_json(drop_id=True, na="null"))["features"]
    return as_json({"type": "FeatureCollection", "attribution": [*attribution], "features": features})
