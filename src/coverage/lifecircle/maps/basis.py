"""What every page with a map holds: the study's own words, its areas, the shapes of buildings and streets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.circles import Coverage
from lifecircle.maps.encode import pack, pack_json, shapes, signed_varints, varints
from lifecircle.maps.words import WORDS, group_names, level_names
from lifecircle.model import Circle, LongArray, Note, Study
from lifecircle.said import in_language
from lifecircle.scenarios import OPENED

WGS84 = 4326
NEW = {OPENED: "chosen"}
"""What a page draws a state as that it has no look for: a place opened by hand is new, like one that is chosen."""

STREET_KINDS = ("street", "foot", "steps", "private")
DECIMALS = 3
"""Digits kept of counts and metres, beyond what any page shows."""


def basis(coverage: Coverage) -> dict[str, Any]:
    """Return what does not hang on which stations are open, as a value for JSON; circles go by size."""
    told = basis_of_study(coverage.study, coverage.buildings, synthetic=coverage.synthetic, notes=coverage.notes)
    return {**told, "rounded": coverage.demand.rounded}


def basis_of_study(
    study: Study, buildings: gpd.GeoDataFrame, *, synthetic: bool, notes: Iterable[Note]
) -> dict[str, Any]:
    """Return what `basis` does of a study of which nobody asks who is in which circle."""
    levels = list(dict.fromkeys(study.areas["level"]))
    return {
        "language": study.settings.language,
        "name": study.settings.name,
        "synthetic": synthetic,
        "rounded": False,
        "notes": [{"zh": n.zh, "en": n.en} for n in notes],
        "attribution": list(study.attribution),
        "fingerprint": study.fingerprint,
        "speeds": [{"name": c.name, "speed": c.speed_mps} for c in study.settings.walking.classes],
        "lots": [group_names(c.name) for c in study.settings.walking.classes],
        "circles": [{"name": c.name, "minutes": c.minutes} for c in by_size(study)],
        "largest": study.settings.largest_circle.minutes,
        "bounds": _bounds(study, buildings),
        "levels": levels,
        "level_names": {level: level_names(level) for level in levels},
        "areas": _areas(study.areas),
    }


def groups_of(coverage: Coverage, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return groups of residents by name, and whose walks the map shows for each: a *lot* is a speed class.

    Attributes walk like the first class, whose walks stand for all residents too.
    """
    lots = {walker.name: lot for lot, walker in enumerate(coverage.study.settings.walking.classes)}
    return [{**group_names(name), "lot": lots.get(name, 0)} for name in names]


def in_both(told: Iterable[str]) -> dict[str, list[str]]:
    """Return what is said in each language."""
    said = [*told]
    return {language: [in_language(each, language) for each in said] for language in WORDS}


def ground(coverage: Coverage) -> dict[str, str]:
    """Return the packed shapes of buildings and streets, and what the buildings are called."""
    return {
        "buildings": pack(shapes(lonlat(coverage.buildings))),
        "building_ids": pack_json(coverage.buildings["building_id"].to_list()),
        "building_names": pack_json(coverage.study.buildings["name"].fillna("").to_list()),
        **packed_streets(coverage.streets),
        **packed_ways(coverage.streets),
    }


def packed_streets(streets: gpd.GeoDataFrame) -> dict[str, str]:
    """Return the packed shapes and kinds of streets."""
    return {
        "streets": pack(shapes(lonlat(streets))),
        "street_kinds": pack(varints(pd.Index(STREET_KINDS).get_indexer(streets["kind"]).clip(0))),
    }


def packed_ways(streets: gpd.GeoDataFrame) -> dict[str, str]:
    """Return the packed ids and names of ways, and of which each street is a part, as the step from the one before."""
    row, ids = pd.factorize(streets["way_id"])
    names = streets["name"].to_numpy(dtype=object)[np.unique(row, return_index=True)[1]]
    return {
        "ways_named": pack_json({"ids": ids.tolist(), "names": names.tolist()}),
        "street_ways": pack(signed_varints(np.diff(row, prepend=0))),
    }


def homes(coverage: Coverage) -> list[bytes]:
    """Return as varints the row of each building's area, from 1, 0 for none; and ten times its residents."""
    buildings, study = coverage.buildings, coverage.study
    residents = np.rint(buildings["residents"].fillna(0.0).to_numpy(dtype=np.float64) * 10.0)
    return [varints(pd.Index(study.areas["area_id"]).get_indexer(buildings["area_id"]) + 1), varints(residents)]


def by_size(study: Study) -> list[Circle]:
    """Return the circles from the smallest to the largest."""
    return sorted(study.settings.circles, key=lambda c: c.minutes)


def lonlat(frame: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Return the shapes of a layer in WGS 84."""
    geometry: npt.NDArray[np.object_] = frame.geometry.to_crs(WGS84).to_numpy()
    return geometry


def _bounds(study: Study, buildings: gpd.GeoDataFrame) -> list[list[float]]:
    """Return the south-west and north-east corner of what a page first shows: the areas, else the buildings."""
    frame = study.areas if len(study.areas) else buildings
    west, south, east, north = frame.to_crs(WGS84).total_bounds
    return [[float(south), float(west)], [float(north), float(east)]]


def _areas(areas: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    inside = areas.geometry.representative_point().to_crs(WGS84)
    columns = (areas[c] for c in ("area_id", "name", "level"))
    return [
        {"id": area_id, "name": name, "level": level, "at": at(point.x, point.y)}
        for area_id, name, level, point in zip(*columns, inside, strict=True)
    ]


def station_records(stations: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return stations as values for JSON."""
    texts = {"station_id": "id", "name": "name", "kind": "kind", "tier": "tier", "area_id": "area", "state": "state"}
    point = stations.geometry.to_crs(WGS84)
    stations = stations.assign(state=stations["state"].replace(NEW))
    return [
        {**record, "outside": bool(outside), "at": at(x, y)}
        for record, outside, x, y in zip(
            stations[list(texts)].rename(columns=texts).fillna("").to_dict("records"),
            stations["outside"],
            point.x,
            point.y,
            strict=True,
        )
    ]


def at(lon: float, lat: float) -> list[float]:
    """Return a place as latitude and longitude."""
    return [round(float(lat), 7), round(float(lon), 7)]


def number(value: Any, decimals: int = DECIMALS) -> float | None:
    """Return a number that JSON can hold, None for none."""
    return None if pd.isna(value) or not np.isfinite(value) else round(float(value), decimals)


def text(value: Any) -> str:
    """Return a text, empty for none."""
    return "" if pd.isna(value) else str(value)


def area_rings(areas: gpd.GeoDataFrame, rows: LongArray) -> dict[str, Any]:
    """Return the areas of some rows as GeoJSON in WGS 84 whose only property is the row."""
    geometry = shapely.set_precision(lonlat(areas.iloc[rows]), 1e-6, mode="pointwise")
    features = [
        {"type": "Feature", "properties": {"row": int(row)}, "geometry": shapely.geometry.mapping(shape)}
        for row, shape in zip(rows, geometry, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}
