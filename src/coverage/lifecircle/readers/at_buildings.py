"""Stations and candidates of which nobody noted where they are, but in which building: they stand at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.agreement import NEAR_BUILDING_M
from lifecircle.errors import Breach
from lifecircle.readers.layers import Layers
from lifecircle.readers.metric import LON_LAT, local_crs, on_earth
from lifecircle.readers.places import PLACES
from lifecircle.schema import LAYERS, breach


def at_buildings(layers: Layers) -> tuple[Layers, list[Breach]]:
    """Give stations and candidates without coordinates the place of the building that they name.

    That is an entrance where the building has any at its walls, of several the nearest to its middle, else a point
    inside it. One that names no building is an error; that a building is unknown is told of all layers alike.
    """
    tables, breaches = dict(layers.tables), []
    for layer in PLACES:
        places = on_earth(tables.get(layer))
        if places is None:
            continue
        shapes = places.geometry.to_numpy().copy()
        absent = shapely.is_missing(shapes)
        if not absent.any():
            continue
        building = places["building_id"]
        standing = _standing(tables, building[absent]).to_crs(places.crs)
        row = standing.index.get_indexer(pd.Index(building))
        found = absent & (row >= 0)
        shapes[found] = standing.to_numpy()[row[found]]
        shapes[absent & ~found] = shapely.Point()
        tables[layer] = places.set_geometry(gpd.GeoSeries(shapes, index=places.index, crs=places.crs))
        ids = places[LAYERS[layer].key]
        told = ids[found] + " -> " + building[found]
        nowhere = "has no coordinates and names no building; give it lon and lat, or building_id"
        breaches += [
            *breach(layer, "placed-at-building", "no coordinates; stands at its building", told, "repair"),
            *breach(layer, "no-geometry", nowhere, ids[absent & (building == "")]),
        ]
    return replace(layers, tables=tables, breaches=[*layers.breaches, *breaches]), breaches


def _standing(tables: Mapping[str, pd.DataFrame], named: Iterable[str]) -> gpd.GeoSeries:
    """Return where some buildings stand, by their ids, those left out that nobody knows."""
    ids = set(named) - {""}
    buildings = _some(tables.get("buildings"), ids).drop_duplicates("building_id")
    if not len(buildings):
        return gpd.GeoSeries([], index=pd.Index([], dtype="str"), crs=LON_LAT)
    crs = local_crs(tuple(buildings.to_crs(LON_LAT).total_bounds))
    outlines = buildings.to_crs(crs).set_index("building_id").geometry
    middle = outlines.representative_point()
    doors = _some(tables.get("entrances"), {*middle.index}).to_crs(crs)
    off_m = shapely.distance(doors.geometry.to_numpy(), outlines[doors["building_id"]].to_numpy())
    doors = doors[off_m <= NEAR_BUILDING_M]
    apart_m = shapely.distance(doors.geometry.to_numpy(), middle[doors["building_id"]].to_numpy())
    nearest = doors.iloc[np.argsort(apart_m, kind="stable")].drop_duplicates("building_id").set_index("building_id")
    return gpd.GeoSeries(nearest.geometry.reindex(middle.index).fillna(middle), crs=crs)


def _some(table: pd.DataFrame | None, ids: set[str]) -> gpd.GeoDataFrame:
    """Return the rows of these buildings that lie somewhere."""
    placed = on_earth(table)
    if placed is None:
        return gpd.GeoDataFrame({"building_id": pd.Series(dtype="str")}, geometry=[], crs=LON_LAT)
    return placed[placed["building_id"].isin(ids) & np.isfinite(shapely.bounds(placed.geometry.to_numpy())).all(axis=1)]
