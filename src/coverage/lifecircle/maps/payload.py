"""What a page holds, as one value for JSON: figures and texts as they are, shapes and long columns packed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.circles import Coverage
from lifecircle.maps.encode import pack, pack_texts, shapes, signed_varints, varints
from lifecircle.maps.words import WORDS
from lifecircle.model import Circle, LongArray, Study, tenths_of_minutes
from lifecircle.scenarios import Plan, as_good

WGS84 = 4326
STREET_KINDS = ("street", "foot", "steps", "private")
DECIMALS = 3
"""Digits kept of counts and metres, beyond what any page shows."""


def payload(coverage: Coverage, *, plan: Plan | None = None, unserved: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return all that a page shows.

    Parameters are those of ``lifecircle.maps.coverage_page``. Numbers that are not there are None. Places are
    latitude and longitude; circles go by size; ``stages`` holds the figures of ``coverage`` and of the plan, one after
    the other, or once where they are the same.
    """
    study = coverage.study
    stages = [coverage] if plan is None or plan.coverage is coverage else [coverage, plan.coverage]
    stations = _stations_of(stages)
    ids = pd.Index(stations["station_id"])
    circles = _by_size(study)
    return {
        "language": study.settings.language,
        "words": WORDS,
        "name": study.settings.name,
        "synthetic": coverage.synthetic,
        "rounded": coverage.demand.rounded,
        "notes": [{"zh": n.zh, "en": n.en} for n in coverage.notes],
        "attribution": list(study.attribution),
        "fingerprint": study.fingerprint,
        "speeds": [{"name": c.name, "speed": c.speed_mps} for c in study.settings.walking.classes],
        "circles": [{"name": c.name, "minutes": c.minutes} for c in circles],
        "circle": next((i for i, c in enumerate(circles) if plan and c.name == plan.scenario.circle), 0),
        "largest": study.settings.largest_circle.minutes,
        "bounds": _bounds(study, coverage),
        "scenario": None if plan is None else plan.scenario.name,
        "stages": [_stage(study, stage, ids) for stage in stages],
        "areas": _areas(study.areas),
        "stations": _stations(stations),
        "sites": [] if plan is None else _sites(study, plan),
        "unserved": [] if unserved is None else _clusters(study, unserved),
        "packed": {
            "buildings": pack(shapes(_lonlat(stages[0].buildings))),
            "building_ids": pack_texts(coverage.buildings["building_id"].to_list()),
            "building_names": pack_texts(study.buildings["name"].fillna("").to_list()),
            "building_facts": pack(_building_facts(study, stages, ids)),
            "streets": pack(shapes(_lonlat(coverage.streets))),
            "street_kinds": pack(varints(pd.Index(STREET_KINDS).get_indexer(coverage.streets["kind"]).clip(0))),
        },
    }


def _by_size(study: Study) -> list[Circle]:
    return sorted(study.settings.circles, key=lambda c: c.minutes)


def _lonlat(frame: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    geometry: npt.NDArray[np.object_] = frame.geometry.to_crs(WGS84).to_numpy()
    return geometry


def _bounds(study: Study, coverage: Coverage) -> list[list[float]]:
    """Return the south-west and north-east corner of what a page first shows: the areas, else the buildings."""
    frame = study.areas if len(study.areas) else coverage.buildings
    west, south, east, north = frame.to_crs(WGS84).total_bounds
    return [[float(south), float(west)], [float(north), float(east)]]


# --------------------------------------------------------------------------- figures


def _stage(study: Study, coverage: Coverage, station_ids: pd.Index) -> dict[str, Any]:
    rows = coverage.table[coverage.table["group"] == "all"].to_dict("records")
    served = pd.Series(coverage.stations["residents"].to_numpy(), index=coverage.stations["station_id"])
    areas = coverage.service_areas.set_index("circle")
    return {
        "rows": [_figures(study, row) for row in rows[:-1]],
        "total": _figures(study, rows[-1]),
        "served": [_number(n) for n in served.reindex(station_ids)],
        "service_areas": pack(shapes(_lonlat(areas.loc[[c.name for c in _by_size(study)]]))),
    }


def _figures(study: Study, row: dict[str, Any]) -> dict[str, Any]:
    plain = (
        "buildings residents beyond unreachable unsnappable unplaced stations residents_per_station "
        "walk_mean_m walk_p90_m"
    )
    return {
        **{key: _number(row[key]) for key in plain.split()},
        "within": [_number(row[f"within_{c.name}"]) for c in _by_size(study)],
        "share": [_number(row[f"share_{c.name}"], 6) for c in _by_size(study)],
    }


def _building_facts(study: Study, stages: list[Coverage], station_ids: pd.Index) -> bytes:
    """Return the columns of the buildings as varints, one after the other.

    First the row of the area and ten times the residents; then for every stage the class, the station's row, tenths
    of minutes, metres in all, of the access leg and of the egress leg, and flags (1 leg_blocked, 2 edge). Rows count
    from 1, 0 is none. Stages after the first are written as the difference from the one before.
    """
    buildings = stages[0].buildings
    residents = np.rint(buildings["residents"].fillna(0.0).to_numpy(dtype=np.float64) * 10.0)
    columns = [varints(pd.Index(study.areas["area_id"]).get_indexer(buildings["area_id"]) + 1), varints(residents)]
    before: list[LongArray] = []
    for stage in stages:
        facts = _walk_facts(study, stage.buildings, station_ids)
        columns += map(signed_varints, [a - b for a, b in zip(facts, before, strict=True)] if before else facts)
        before = facts
    return b"".join(columns)


def _walk_facts(study: Study, buildings: gpd.GeoDataFrame, station_ids: pd.Index) -> list[LongArray]:
    tenths = pd.Series(tenths_of_minutes(buildings["walk_s"]))
    metres = [buildings[c] for c in ("walk_m", "access_m", "egress_m")]
    flags = buildings["leg_blocked"].to_numpy(dtype=np.int64) + 2 * buildings["edge"].to_numpy(dtype=np.int64)
    return [
        building_class(study, buildings),
        station_ids.get_indexer(buildings["station_id"]) + 1,
        *(np.rint(c.fillna(0.0).to_numpy(dtype=np.float64)).astype(np.int64) for c in (tenths, *metres)),
        flags,
    ]


def building_class(study: Study, buildings: gpd.GeoDataFrame) -> LongArray:
    """Return how each building is coloured: its circle by size from 0, then beyond, unreachable, unsnappable."""
    names = [c.name for c in _by_size(study)]
    beyond = len(names)
    circle = pd.Index(names).get_indexer(buildings["circle"])
    lost = beyond + pd.Index(["ok", "unreachable", "unsnappable"]).get_indexer(buildings["status"])
    classes: LongArray = np.where(circle >= 0, circle, lost).astype(np.int64)
    return classes


# --------------------------------------------------------------------------- places


def _areas(areas: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    inside = areas.geometry.representative_point().to_crs(WGS84)
    columns = (areas[c] for c in ("area_id", "name", "level"))
    return [
        {"id": area_id, "name": name, "level": level, "at": _at(point.x, point.y)}
        for area_id, name, level, point in zip(*columns, inside, strict=True)
    ]


def _stations_of(stages: list[Coverage]) -> gpd.GeoDataFrame:
    """Return the stations of the last stage, and after them those of the first that the plan closes."""
    first, last = stages[0].stations, stages[-1].stations
    gone = first[~first["station_id"].isin(last["station_id"])].assign(state="closed")
    return last if gone.empty else gpd.GeoDataFrame(pd.concat([last, gone], ignore_index=True), crs=last.crs)


def _stations(stations: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    texts = {"station_id": "id", "name": "name", "kind": "kind", "tier": "tier", "area_id": "area", "state": "state"}
    point = stations.geometry.to_crs(WGS84)
    return [
        {**record, "outside": bool(outside), "at": _at(x, y)}
        for record, outside, x, y in zip(
            stations[list(texts)].rename(columns=texts).fillna("").to_dict("records"),
            stations["outside"],
            point.x,
            point.y,
            strict=True,
        )
    ]


def _sites(study: Study, plan: Plan) -> list[dict[str, Any]]:
    circles = [c.name for c in _by_size(study)]
    names = _candidate_names(study)
    return [
        {
            "id": row["site_id"],
            "state": row["state"],
            "order": _number(row["order"]),
            "gain": None if plan.scenario.question == "shortest" else _number(row["gain"]),
            "stand_in": _text(names.get(row["next_best"])) or _text(row["next_best"]),
            "as_good": bool(as_good(row["next_best_loss"], plan)),
            "reached": [_number(row[f"reached_{name}"]) for name in circles],
            "only_here": [_number(row[f"only_here_{name}"]) for name in circles],
            **(_hurt(row, circles) if row["state"] == "closed" else {}),
        }
        for row in plan.sites.to_dict("records")
    ]


def _hurt(row: dict[Hashable, Any], circles: list[str]) -> dict[str, Any]:
    """Return whom a station that closes hurts; ``stranded`` says that some of them reach no station any more."""
    tenths = tenths_of_minutes([row["farther_mean_s"], row["farther_max_s"]])
    return {
        "lost": [_number(row[f"lost_{name}"]) for name in circles],
        "farther": _number(row["farther"]),
        "farther_minutes": [_number(minutes) for minutes in tenths / 10.0],
        "stranded": bool(row["farther_n"] < row["farther"]),
    }


def _clusters(study: Study, unserved: pd.DataFrame) -> list[dict[str, Any]]:
    circles = [c.name for c in _by_size(study)]
    names = _candidate_names(study)
    return [
        {
            "id": row["cluster_id"],
            "circle": circles.index(row["circle"]),
            "area": row["area_id"],
            "buildings": _number(row["buildings"]),
            "residents": _number(row["residents"]),
            "station": _text(row["nearest_station_id"]),
            "minutes": _number(row["nearest_minutes"]),
            "candidate": _text(names.get(row["best_candidate_id"])) or _text(row["best_candidate_id"]),
            "wins": _number(row["best_candidate_residents"]),
            "at": _at(row["lon"], row["lat"]),
        }
        for row in unserved.to_dict("records")
    ]


def _candidate_names(study: Study) -> dict[str, str]:
    return dict(zip(study.candidates["site_id"], study.candidates["name"], strict=True))


def _at(lon: float, lat: float) -> list[float]:
    return [round(float(lat), 7), round(float(lon), 7)]


def _number(value: Any, decimals: int = DECIMALS) -> float | None:
    return None if pd.isna(value) or not np.isfinite(value) else round(float(value), decimals)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def area_rings(areas: gpd.GeoDataFrame, rows: LongArray) -> dict[str, Any]:
    """Return the areas of some rows as GeoJSON in WGS 84 whose only property is the row."""
    geometry = shapely.set_precision(_lonlat(areas.iloc[rows]), 1e-6, mode="pointwise")
    features = [
        {"type": "Feature", "properties": {"row": int(row)}, "geometry": shapely.geometry.mapping(shape)}
        for row, shape in zip(rows, geometry, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}
