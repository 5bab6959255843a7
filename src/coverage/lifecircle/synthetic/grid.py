"""A plain town for benchmarks: crossings on a grid, a house at every street between two of them."""

from __future__ import annotations

from math import ceil

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.model import Circle, FloatArray, IntArray, LongArray, StreetWays
from lifecircle.readers.metric import local_crs
from lifecircle.readers.streets import no_node_tags
from lifecircle.schema import STREET_TAGS
from lifecircle.synthetic.city import City, Heights, random_of
from lifecircle.synthetic.programme import Land, Programme, Tier

STREET_M = 100.0
"""Mean distance between two crossings."""

MOST_SHIFT_M = 15.0
"""How far a crossing stands from its place on the grid at most, each way: no two streets are of one length."""

AREA_CROSSINGS = 10
"""Crossings along the side of an area, a community."""

LEAST_SIDE = 4
"""Crossings along the side of the smallest town that has a station, a room and a request."""

_HOUSE_M, _SETBACK_M = 10.0, 12.0
_CROSSINGS_PER_STATION, _HOUSES_PER_ROOM, _HOUSES_PER_REQUEST = 25, 12, 10
_MOST_RESIDENTS = 8
_ITEM = "代缴费"


def grid_programme(side: int) -> Programme:
    """Return what a grid town of ``side`` by ``side`` crossings has instead of a programme; everything is made up."""
    houses = 2 * side * (side - 1)
    stations = max(1, side**2 // _CROSSINGS_PER_STATION)
    tier = Tier(
        name="station",
        n=stations,
        kinds={"shop": 1.0},
        items=(_ITEM,),
        hours="24/7",
        capacity=(500, 500),
        agents=(1, 1),
    )
    return Programme(
        name="grid",
        title_zh=f"网格 {side} x {side}",
        title_en=f"Grid {side} x {side}",
        lonlat=(118.0, 36.0),
        land=Land(
            columns=side,
            rows=side,
            cell_m=(STREET_M, STREET_M),
            floor_m=side * STREET_M,
            relief_m=0.0,
            bridges_every=0,
            crossings_every=0,
            kinds={"old": (1.0, 1.0)},
        ),
        levels=("community",),
        residents=int(_household(np.arange(houses)).sum()),
        aged_share=0.2,
        tiers=(tier,),
        candidates=houses // _HOUSES_PER_ROOM,
        requests=houses // _HOUSES_PER_REQUEST,
        item_weights={_ITEM: 1.0},
        circles=(Circle("8", 8.0), Circle("15", 15.0)),
        promised="8",
        source="A grid of streets for benchmarks; every figure is made up.",
    )


def make_grid(side: int, *, seed: int = 7) -> City:
    """Make a grid town of ``side`` by ``side`` crossings; the same side and seed give the same town.

    Raises
    ------
    ValueError
        When a side has fewer crossings than `LEAST_SIDE`.
    """
    if side < LEAST_SIDE:
        raise ValueError(f"a grid has at least {LEAST_SIDE} crossings on a side, not {side}")
    programme, random = grid_programme(side), random_of(seed, "grid")
    lon, lat = programme.lonlat
    crs = local_crs((lon, lat, lon, lat))
    crossing_m, ends = _crossings(side, random)
    areas = _areas(side, crs)
    buildings, door_m = _houses(crossing_m, ends, side, crs)
    doors = gpd.GeoSeries(shapely.points(door_m), crs=crs)
    homes = buildings[["building_id", "area_id"]].set_geometry(doors)
    count = random.permutation(_household(np.arange(len(homes))))
    residents = pd.DataFrame(
        {
            "building_id": homes["building_id"],
            "residents": count,
            "residents_aged": random.binomial(count, programme.aged_share),
        }
    )
    order = random.permutation(len(homes))
    n_stations, n_rooms = programme.tiers[0].n, programme.candidates
    chosen, free = order[:n_stations], order[n_stations : n_stations + n_rooms]
    frames = {
        "areas": areas,
        "buildings": buildings,
        "entrances": homes[["building_id", "geometry"]],
        "barriers": gpd.GeoDataFrame({"kind": pd.Series(dtype="str")}, geometry=[], crs=crs),
        "residents": residents,
        "stations": _rooms(homes.iloc[chosen], "station_id", "S", programme.tiers[0]),
        "candidates": _rooms(homes.iloc[free], "site_id", "C", programme.tiers[0]).assign(consent=""),
        "requests": _requests(homes.iloc[random.integers(0, len(homes), programme.requests)], random),
        "itinerary": gpd.GeoDataFrame(geometry=[], crs=crs),
    }
    return City(programme, 1.0, seed, crs, _flat(side), _streets(crossing_m, ends), frames)


def _household(house: LongArray) -> LongArray:
    """Return 1 to `_MOST_RESIDENTS` residents, in turn."""
    return house % _MOST_RESIDENTS + 1


def _crossings(side: int, random: np.random.Generator) -> tuple[FloatArray, IntArray]:
    """Return the crossings, metres about the middle of the town, and the two at the ends of each street."""
    place = (np.arange(side) - (side - 1) / 2) * STREET_M
    grid = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(side**2, dtype=np.int32).reshape(side, side)
    across = np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1)
    along = np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1)
    shifted = grid + random.uniform(-MOST_SHIFT_M, MOST_SHIFT_M, grid.shape)
    return shifted.round(3), np.concatenate([across, along])


def _streets(crossing_m: FloatArray, ends: IntArray) -> StreetWays:
    tags = pd.DataFrame("", index=range(len(ends)), columns=list(STREET_TAGS), dtype="str")
    indptr: LongArray = np.arange(0, 2 * len(ends) + 1, 2, dtype=np.int64)
    ids = tuple(f"w{i}" for i in range(1, len(ends) + 1))
    return StreetWays(ids, tags.assign(highway="residential"), indptr, ends.ravel(), crossing_m, no_node_tags())


def _areas_along(side: int) -> int:
    return ceil(side / AREA_CROSSINGS)


def _areas(side: int, crs: CRS) -> gpd.GeoDataFrame:
    """Return squares of `AREA_CROSSINGS` crossings that hold the whole town, numbered as houses name them."""
    n = _areas_along(side)
    size = AREA_CROSSINGS * STREET_M
    column, row = np.divmod(np.arange(n**2), n)
    west, south = column * size - side * STREET_M / 2, row * size - side * STREET_M / 2
    ids = [f"A{i:05d}" for i in range(1, n**2 + 1)]
    return gpd.GeoDataFrame(
        {"area_id": ids, "level": "community", "name": ids, "parent_id": ""},
        geometry=shapely.box(west, south, west + size, south + size),
        crs=crs,
    )


def _houses(crossing_m: FloatArray, ends: IntArray, side: int, crs: CRS) -> tuple[gpd.GeoDataFrame, FloatArray]:
    """Return a house beside the middle of each street, square to it, and its door on the street's side."""
    start, stop = crossing_m[ends[:, 0]], crossing_m[ends[:, 1]]
    along = (stop - start) / np.linalg.norm(stop - start, axis=1, keepdims=True)
    across = along[:, ::-1] * (-1.0, 1.0)
    door_m = (start + stop) / 2 + _SETBACK_M * across
    half = along * (_HOUSE_M / 2)
    ring = np.stack([door_m - half, door_m + half], axis=1)
    ring = np.concatenate([ring, ring[:, ::-1] + _HOUSE_M * across[:, None]], axis=1)
    column, row = np.floor((door_m + side * STREET_M / 2) / (AREA_CROSSINGS * STREET_M)).astype(np.int64).T
    ids = [f"b{i:07d}" for i in range(1, len(ends) + 1)]
    houses = gpd.GeoDataFrame(
        {
            "building_id": ids,
            "name": "",
            "kind": "house",
            "levels": 2,
            "address": "",
            "area_id": [f"A{i:05d}" for i in (column * _areas_along(side) + row + 1)],
        },
        geometry=shapely.polygons(ring),
        crs=crs,
    )
    return houses, door_m


def _rooms(homes: gpd.GeoDataFrame, key: str, letter: str, tier: Tier) -> gpd.GeoDataFrame:
    ids = [f"{letter}{i:05d}" for i in range(1, len(homes) + 1)]
    rooms = {key: ids, "name": ids, "kind": next(iter(tier.kinds)), "tier": tier.name, "items": ";".join(tier.items)}
    stated = {"hours": tier.hours, "capacity": tier.capacity[0], "cost": 0, "agents": tier.agents[0]}
    where = homes.reset_index(drop=True)
    return gpd.GeoDataFrame(
        rooms | stated | {"building_id": where["building_id"], "area_id": where["area_id"]}, geometry=where.geometry
    )


def _requests(homes: gpd.GeoDataFrame, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Return requests of one day, one a minute from midnight on, from these homes."""
    minute = np.sort(random.integers(0, 24 * 60, len(homes)))
    time = np.datetime64("2025-05-14T00:00", "m") + minute.astype("timedelta64[m]")
    where = homes.reset_index(drop=True)
    return gpd.GeoDataFrame(
        {
            "request_id": [f"Q{i:06d}" for i in range(1, len(homes) + 1)],
            "item": _ITEM,
            "urgency": "normal",
            "channel": "phone",
            "time": np.datetime_as_string(time, unit="m"),
            "priority": "",
            "building_id": where["building_id"],
            "area_id": where["area_id"],
        },
        geometry=where.geometry,
    )


def _flat(side: int) -> Heights:
    step_m = side * STREET_M + 1000.0
    return Heights(west_m=-step_m / 2, north_m=step_m / 2, step_m=step_m, height_m=np.zeros((2, 2)))
