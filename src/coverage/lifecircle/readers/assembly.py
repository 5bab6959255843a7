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

from lifecircle.conform import places_of
from lifecircle.errors import Breach
from lifecircle.model import BoolArray, FloatArray, StreetWays
from lifecircle.readers.layers import Layers
from lifecircle.readers.limits import USUAL, Limits
from lifecircle.readers.metric import (
    LON_LAT,
    Box,
    as_points,
    holder,
    local_crs,
    mend,
    near,
    project,
    project_box,
    to_metres,
)
from lifecircle.readers.streets import ways_of_lines
from lifecircle.said import Said, sentence
from lifecircle.schema import LAYERS, breach

SAME_PLACE_M = 1.0
"""Within this a candidate that bears a station's id is that station."""

_MISREAD = frozenset({"swapped-axes", "wrong-zone", "not-degrees", "other-crs", "no-crs"})
"""Rules that say why a layer lies elsewhere."""

PLACED = ("areas", "buildings", "entrances", "stations", "candidates", "barriers")
"""The frames of a study that have a geometry."""

FARTHEST_M = 1_000_000.0
"""Farther from the middle of a study nothing can be meant: a slip such as 0, 0, and no place for a local projection."""

ANCHORS = ("areas", "streets", "buildings")
"""Layers that say which city is meant, the first that is there."""

COMPARED = ("areas", "buildings", "stations", "candidates")
"""Layers of which something must be near the streets."""

FAR = Said("lies more than {:.0f} km from the middle of the study; mend the coordinates", FARTHEST_M / 1000)
_DTYPES = {"id": "str", "text": "str", "number": "float64", "flag": "bool"}


@dataclass(frozen=True, eq=False)
class Metric:
    """The layers of a study in one metric CRS; ``frames`` has every layer with a geometry but the streets."""

    crs: CRS
    streets: StreetWays
    extent_m: Box
    frames: Mapping[str, gpd.GeoDataFrame]


def in_metres(layers: Layers, *, reach_m: float, limits: Limits = USUAL) -> tuple[Metric | None, list[Breach]]:
    """Project every layer as far as it is sound, and find the area and the building that hold each place.

    Parameters
    ----------
    reach_m
        How far anyone walks, metres: a layer none of which is that near to the streets is in the wrong place.

    Returns
    -------
    tuple
        The layers, those empty of which nothing is sound or that lie elsewhere; None where no layer says which city is
        meant, or the streets run out of it. And what is wrong with the places.
    """
    breaches = []
    frames: dict[str, gpd.GeoDataFrame] = {}
    for layer, rules in LAYERS.items():
        table = layers.located(layer) if rules.shapes and not rules.may_lack_place else None
        if table is not None and not table.geometry.is_empty.all():
            frames[layer], found = mend(layer, rules.key, table, limits=limits)
            breaches += found
    box_of = {layer: _degrees(frame) for layer, frame in frames.items()}
    if layers.ways is not None and layers.ways.way_id:
        box_of["streets"] = _bounds(layers.ways.xy_m)
    if not any(layer in box_of for layer in ANCHORS):
        return None, breaches
    crs = local_crs(_middle(box_of))
    frames = {layer: to_metres(frame, crs) for layer, frame in frames.items()}
    lost = {layer: _far_off(frame) for layer, frame in frames.items()}
    far = [b for layer, rows in lost.items() for b in _told_far(layer, frames[layer], rows)]
    if any(b.layer == "streets" for b in far):  # a line that is not near cannot be cut into ways
        return None, breaches + far
    lines = frames["streets"] if "streets" in frames else _empty("streets", crs)
    streets = (
        dataclasses.replace(layers.ways, xy_m=project(layers.ways.xy_m, crs))
        if layers.ways is not None
        else ways_of_lines(lines[~lines.geometry.is_empty])
    )
    far_way = np.repeat(np.arange(len(streets.way_id)), np.diff(streets.indptr))[~is_local(streets.xy_m)[streets.node]]
    if len(far_way):
        ids = [streets.way_id[i] for i in np.unique(far_way)]
        return None, breaches + far + breach("streets", "wrong-place", FAR, ids)
    misplaced = _misplaced(frames, streets, box_of, reach_m) if streets.way_id else []
    elsewhere = {b.layer for b in misplaced}
    placed, found = _placed(
        {
            layer: frames[layer][~lost[layer]] if layer in frames and layer not in elsewhere else _empty(layer, crs)
            for layer in PLACED
        }
    )
    known = {b.layer for b in layers.breaches if b.rule in _MISREAD}
    misplaced = [b for b in misplaced if b.layer not in known]
    extent_m = project_box(layers.box, crs) if layers.box else _bounds(streets.xy_m)
    return Metric(crs, streets, extent_m, placed), [*breaches, *far, *misplaced, *found]


def _middle(box_of: Mapping[str, Box]) -> Box:
    """Return the box in degrees about which to project: the areas', if they are anywhere near the streets."""
    anchors = [layer for layer in ANCHORS if layer in box_of]
    if anchors[:2] == ["areas", "streets"]:
        areas = gpd.GeoSeries([shapely.box(*box_of["areas"])])
        anchors = anchors if near(areas, box_of["streets"], 1.0).all() else anchors[1:]
    return box_of[anchors[0]]


def _far_off(frame: gpd.GeoDataFrame) -> BoolArray:
    """Return which rows lie too far away for the projection."""
    shapes = frame.geometry.to_numpy()
    lost: BoolArray = ~is_local(shapely.bounds(shapes)) & ~shapely.is_empty(shapes)
    return lost


def _told_far(layer: str, frame: gpd.GeoDataFrame, lost: BoolArray) -> list[Breach]:
    """Report the rows that lie too far away; of a layer that is all elsewhere `_misplaced` tells."""
    if lost.all() and layer in COMPARED:
        return []
    label = frame[LAYERS[layer].key] if LAYERS[layer].key else places_of(frame)
    return breach(layer, "wrong-place", FAR, label[lost])


def is_local(xy_m: FloatArray) -> BoolArray:
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
            message = Said("nothing of it comes within {:.0f} m of the streets; {}", reach_m, sentence(cause))
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
    """Return the box about (n, 2) coordinates, of no size where there are none."""
    xy = xy if len(xy) else np.zeros((1, 2))
    west, south = xy.min(axis=0)
    east, north = xy.max(axis=0)
    return float(west), float(south), float(east), float(north)
