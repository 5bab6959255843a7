"""The layers of a study brought together: into one metric CRS, and each place into its area and building."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.errors import Breach
from lifecircle.model import BoolArray, FloatArray, StreetWays
from lifecircle.readers.layers import Layers
from lifecircle.readers.metric import LON_LAT, Box, as_points, holder, local_crs, mend, near, project, project_box
from lifecircle.readers.streets import ways_of_lines
from lifecircle.schema import LAYERS, breach

SAME_PLACE_M = 1.0
"""Within this a candidate that bears a station's id is that station."""

PLACED = ("areas", "buildings", "entrances", "stations", "candidates", "barriers")
"""The frames of a study that have a geometry."""

FARTHEST_M = 1_000_000.0
"""Farther from the middle of a study nothing can be meant: a slip such as 0, 0, and no place for a local projection."""

COMPARED = ("areas", "buildings", "stations", "candidates")
"""Layers of which something must be near the streets."""

_FAR = f"lies more than {FARTHEST_M / 1000:.0f} km away; mend the coordinates"
_DTYPES = {"id": "str", "text": "str", "number": "float64", "flag": "bool"}


@dataclass(frozen=True, eq=False)
class Metric:
    """The layers of a study in one metric CRS; ``frames`` has every layer with a geometry but the streets."""

    crs: CRS
    streets: StreetWays
    extent_m: Box
    frames: Mapping[str, gpd.GeoDataFrame]


def in_metres(layers: Layers, *, reach_m: float) -> tuple[Metric | None, list[Breach]]:
    """Project every sound layer, and find the area and the building that hold each place.

    Parameters
    ----------
    reach_m
        How far anyone walks, metres: a layer none of which is that near to the streets is in the wrong place.

    Returns
    -------
    tuple
        The layers, None where the streets are not sound or a layer lies elsewhere; and what is wrong with its place.
    """
    if not (layers.sound("streets") or (layers.ways is not None and layers.ways.way_id)):
        return None, []
    breaches = []
    frames: dict[str, gpd.GeoDataFrame] = {}
    for layer, rules in LAYERS.items():
        if rules.shapes and not rules.may_lack_place and layers.sound(layer):
            frames[layer], found = mend(layer, rules.key, layers.tables[layer])
            breaches += found
    box_of = {layer: _degrees(frame) for layer, frame in frames.items()}
    if layers.ways is not None:
        box_of["streets"] = _bounds(layers.ways.xy_m)
    crs = local_crs(_middle(box_of))
    frames = {layer: frame.to_crs(crs) for layer, frame in frames.items()}
    far = [b for layer, frame in frames.items() for b in _far_off(layer, frame)]
    if any(b.layer == "streets" for b in far):  # a line that is not near cannot be cut into ways
        return None, breaches + far
    streets = (
        dataclasses.replace(layers.ways, xy_m=project(layers.ways.xy_m, crs))
        if layers.ways is not None
        else ways_of_lines(frames["streets"])
    )
    far_way = np.repeat(np.arange(len(streets.way_id)), np.diff(streets.indptr))[~_is_local(streets.xy_m)[streets.node]]
    if len(far_way):
        ids = [streets.way_id[i] for i in np.unique(far_way)]
        return None, breaches + far + breach("streets", "wrong-place", _FAR, ids)
    extent_m = project_box(layers.box, crs) if layers.box else _bounds(streets.xy_m)
    if wrong := [*far, *_misplaced(frames, streets, box_of, reach_m)]:
        return None, breaches + wrong
    placed, found = _placed({layer: frames[layer] if layer in frames else _empty(layer, crs) for layer in PLACED})
    return Metric(crs, streets, extent_m, placed), breaches + found


def _middle(box_of: Mapping[str, Box]) -> Box:
    """Return the box in degrees about which to project: the areas', if they are anywhere near the streets."""
    streets = box_of["streets"]
    if "areas" in box_of and near(gpd.GeoSeries([shapely.box(*box_of["areas"])]), streets, 1.0).all():
        return box_of["areas"]
    return streets


def _far_off(layer: str, frame: gpd.GeoDataFrame) -> list[Breach]:
    """Report the rows that lie too far away for the projection; of a layer that is all elsewhere `_misplaced` tells."""
    shapes = frame.geometry.to_numpy()
    lost = ~_is_local(shapely.bounds(shapes)) & ~shapely.is_empty(shapes)
    if lost.all() and layer in COMPARED:
        return []
    label = frame[LAYERS[layer].key] if LAYERS[layer].key else frame.index.to_series() + 1
    return breach(layer, "wrong-place", _FAR, label[lost])


def _is_local(xy_m: FloatArray) -> BoolArray:
    """Return which rows of coordinates are all near enough to the centre; infinite ones are not."""
    return np.asarray((np.abs(xy_m) <= FARTHEST_M).all(axis=1), dtype=np.bool_)


def _misplaced(
    frames: Mapping[str, gpd.GeoDataFrame], streets: StreetWays, box_of: Mapping[str, Box], reach_m: float
) -> list[Breach]:
    """Report the layers of which nothing comes near the streets."""
    box = _bounds(streets.xy_m)
    found = []
    for layer in COMPARED:
        if layer in frames and not near(frames[layer].geometry, box, reach_m).any():
            west, south, east, north = box_of[layer]
            swapped = gpd.GeoSeries([shapely.box(south, west, north, east)])
            looks_swapped = near(swapped, box_of["streets"], 0.0).any()
            cause = "longitude and latitude look swapped" if looks_swapped else "are both of the same city?"
            message = f"nothing of it comes within {reach_m:.0f} m of the streets; {cause}"
            rule = "swapped-axes" if looks_swapped else "wrong-place"
            found.append(Breach(layer, rule, message, count=len(frames[layer])))
    return found


def _placed(frames: Mapping[str, gpd.GeoDataFrame]) -> tuple[dict[str, gpd.GeoDataFrame], list[Breach]]:
    """Return the frames of a study: stations and candidates as points, with the area and building that hold each."""
    areas, buildings = frames["areas"], frames["buildings"]
    placed = {"areas": areas, "entrances": as_points(frames["entrances"]), "barriers": frames["barriers"]}
    counts = [c for c in buildings.columns if c == "residents" or c.startswith("residents_")]
    placed["buildings"] = buildings.drop(columns=counts).assign(area_id=holder(buildings, areas, "area_id"))
    for layer, key in (("stations", "station_id"), ("candidates", "site_id")):
        places = (
            frames[layer].sort_values(key, kind="stable").reset_index(drop=True)
        )  # of equals the smaller id goes first
        stated = places["building_id"]
        placed[layer] = as_points(
            places.assign(
                area_id=holder(places, areas, "area_id"),
                building_id=stated.where(stated != "", holder(places, buildings, "building_id")),
            )
        )
    placed["candidates"], breaches = _without_stations(placed["candidates"], placed["stations"])
    frames_in_order = {name: _geometry_last(frame) for name, frame in placed.items()}
    return frames_in_order, breaches


def _without_stations(
    candidates: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return the candidates without those that are stations already; an id borne by two places is an error."""
    row = pd.Index(stations["station_id"]).get_indexer(candidates["site_id"])
    shared = row >= 0
    apart_m = np.zeros(len(candidates))
    here, there = candidates.geometry.to_numpy(), stations.geometry.to_numpy()
    apart_m[shared] = shapely.distance(here[shared], there[row[shared]])
    same = shared & (apart_m <= SAME_PLACE_M)
    ids = candidates["site_id"]
    return candidates[~same].reset_index(drop=True), [
        *breach("candidates", "already-a-station", "left out: a station stands there already", ids[same], "repair"),
        *breach("candidates", "id-of-a-station", "bears the id of a station elsewhere; rename it", ids[shared & ~same]),
    ]


def _empty(layer: str, crs: CRS) -> gpd.GeoDataFrame:
    columns = {c.name: pd.Series(dtype=_DTYPES[c.kind]) for c in LAYERS[layer].columns}
    return gpd.GeoDataFrame(columns, geometry=[], crs=crs)


def _geometry_last(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame[[*(c for c in frame.columns if c != "geometry"), "geometry"]].reset_index(drop=True)


def _degrees(frame: gpd.GeoDataFrame) -> Box:
    west, south, east, north = frame.to_crs(LON_LAT).total_bounds
    return float(west), float(south), float(east), float(north)


def _bounds(xy: FloatArray) -> Box:
    west, south = xy.min(axis=0)
    east, north = xy.max(axis=0)
    return float(west), float(south), float(east), float(north)
