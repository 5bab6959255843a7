"""What a page holds, as one value for JSON: figures and texts as they are, shapes and long columns packed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.circles import Coverage
from lifecircle.maps.basis import (
    NEW,
    at,
    basis,
    by_size,
    ground,
    groups_of,
    homes,
    in_both,
    lonlat,
    number,
    station_records,
    text,
)
from lifecircle.maps.encode import pack, pack_json, shapes, signed_varints
from lifecircle.maps.ways import packed_ways
from lifecircle.maps.words import WORDS
from lifecircle.model import LongArray, Study, tenths_of_minutes
from lifecircle.scenarios import Outcome, Plan, as_good, by_hand_in_words


def payload(
    coverage: Coverage, *, plan: Outcome | None = None, unserved: pd.DataFrame | None = None, ways: bool = True
) -> dict[str, Any]:
    """Return all that a page shows.

    Parameters are those of ``lifecircle.maps.coverage_page``; ``ways`` says whether those of buildings are told, empty
    otherwise. Numbers that are not there are None. Places are
    latitude and longitude; circles go by size; ``stages`` holds the figures of ``coverage`` and of the plan, one after
    the other, or once where they are the same.
    """
    study = coverage.study
    stages = [coverage] if plan is None or plan.coverage is coverage else [coverage, plan.coverage]
    stations = _stations_of(stages)
    ids = pd.Index(stations["station_id"])
    data, circles, groups = basis(coverage), by_size(study), list(dict.fromkeys(coverage.table["group"]))
    return {
        **data,
        "notes": data["notes"] + ([] if plan is None else _by_hand(plan)),
        "words": WORDS,
        "start": {
            "stage": len(stages) - 1,
            "level": len(study.areas["level"].unique()) - 1,
            "circle": next((i for i, c in enumerate(circles) if plan and c.name == plan.scenario.circle), 0),
            "group": 0,
        },
        "groups": groups_of(coverage, groups),
        "scenario": None if plan is None else plan.scenario.name,
        "stages": [_stage(study, stage, ids) for stage in stages],
        "stations": station_records(stations),
        "sites": [] if plan is None else _sites(study, plan),
        "unserved": [] if unserved is None else _clusters(study, unserved),
        "packed": {
            **ground(coverage),
            "building_facts": pack(_building_facts(study, stages, ids)),
            "ways": packed_ways(stages if ways else [], ids),
            "figures": pack_json([_figures_by_group(study, stage, groups) for stage in stages]),
        },
    }


# --------------------------------------------------------------------------- figures


def _stage(study: Study, coverage: Coverage, station_ids: pd.Index) -> dict[str, Any]:
    served = pd.Series(coverage.stations["residents"].to_numpy(), index=coverage.stations["station_id"])
    areas = coverage.service_areas.set_index("circle")
    return {
        "served": [number(n) for n in served.reindex(station_ids)],
        "service_areas": pack(shapes(lonlat(areas.loc[[c.name for c in by_size(study)]]))),
    }


def _figures_by_group(study: Study, coverage: Coverage, groups: Sequence[str]) -> list[dict[str, Any]]:
    """Return the figures of each group: of every area by row, and of all of them."""
    of_group = dict(iter(coverage.table.groupby("group", sort=False)))
    rows = [[_figures(study, row) for row in of_group[group].to_dict("records")] for group in groups]
    return [{"rows": each[:-1], "total": each[-1]} for each in rows]


def _figures(study: Study, row: dict[str, Any]) -> dict[str, Any]:
    plain = (
        "buildings residents beyond unreachable unsnappable unplaced stations residents_per_station "
        "walk_mean_m walk_p90_m"
    )
    return {
        **{key: number(row[key]) for key in plain.split()},
        "within": [number(row[f"within_{c.name}"]) for c in by_size(study)],
        "share": [number(row[f"share_{c.name}"], 6) for c in by_size(study)],
    }


def _building_facts(study: Study, stages: list[Coverage], station_ids: pd.Index) -> bytes:
    """Return the columns of the buildings as varints, one after the other.

    First the row of the area and ten times the residents; then for every lot and stage of it the class, the station's
    row, tenths of minutes, metres in all, of the access leg and of the egress leg, and flags (1 leg_blocked, 2 edge;
    known of the first lot alone). Rows count from 1, 0 is none. What follows the first stage of the first lot is
    written as the difference from the one before.
    """
    columns = homes(stages[0])
    before: list[LongArray] = []
    for lot in range(len(study.settings.walking.classes)):
        for stage in stages:
            facts = _walk_facts(study, stage.buildings, station_ids, lot)
            columns += map(signed_varints, [a - b for a, b in zip(facts, before, strict=True)] if before else facts)
            before = facts
    return b"".join(columns)


def _walk_facts(study: Study, buildings: gpd.GeoDataFrame, station_ids: pd.Index, lot: int) -> list[LongArray]:
    suffix = f"_{study.settings.walking.classes[lot].name}" if lot else ""
    tenths = pd.Series(tenths_of_minutes(buildings[f"walk_s{suffix}"]))
    metres = [buildings[f"{c}{suffix}"] for c in ("walk_m", "access_m", "egress_m")]
    flags = buildings["leg_blocked"].to_numpy(dtype=np.int64) + 2 * buildings["edge"].to_numpy(dtype=np.int64)
    return [
        building_class(study, buildings, suffix=suffix),
        station_ids.get_indexer(buildings[f"station_id{suffix}"]) + 1,
        *(np.rint(c.fillna(0.0).to_numpy(dtype=np.float64)).astype(np.int64) for c in (tenths, *metres)),
        np.zeros_like(flags) if lot else flags,
    ]


def building_class(study: Study, buildings: gpd.GeoDataFrame, *, suffix: str = "") -> LongArray:
    """Return how each building is coloured: its circle by size from 0, then beyond, unreachable, unsnappable.

    ``suffix`` is that of the columns of a speed class other than the first.
    """
    names = [c.name for c in by_size(study)]
    beyond = len(names)
    circle = pd.Index(names).get_indexer(buildings[f"circle{suffix}"])
    lost = beyond + pd.Index(["ok", "unreachable", "unsnappable"]).get_indexer(buildings[f"status{suffix}"])
    classes: LongArray = np.where(circle >= 0, circle, lost).astype(np.int64)
    return classes


# --------------------------------------------------------------------------- places


def _stations_of(stages: list[Coverage]) -> gpd.GeoDataFrame:
    """Return the stations of the last stage, and after them those of the first that the plan closes."""
    first, last = stages[0].stations, stages[-1].stations
    gone = first[~first["station_id"].isin(last["station_id"])].assign(state="closed")
    return last if gone.empty else gpd.GeoDataFrame(pd.concat([last, gone], ignore_index=True), crs=last.crs)


def _by_hand(plan: Outcome) -> list[dict[str, str]]:
    """Return what the plan's scenario states by hand, as remarks: at which speeds its walks are, and what is closed."""
    name, told = plan.scenario.name, in_both(by_hand_in_words(plan.scenario))
    return [{"zh": f"{name}：{zh}", "en": f"{name}: {en}"} for zh, en in zip(told["zh"], told["en"], strict=True)]


def _sites(study: Study, plan: Outcome) -> list[dict[str, Any]]:
    circles = [c.name for c in by_size(study)]
    names = _candidate_names(study)
    return [
        {
            "id": row["site_id"],
            "state": NEW.get(row["state"], row["state"]),
            "order": number(row["order"]),
            **_gain(plan, row),
            "stand_in": text(names.get(row["next_best"])) or text(row["next_best"]),
            "as_good": bool(row["next_best"]) and bool(as_good(row["next_best_loss"], cast("Plan", plan))),
            "reached": [number(row[f"reached_{name}"]) for name in circles],
            "only_here": [number(row[f"only_here_{name}"]) for name in circles],
            **(_hurt(row, circles) if row["state"] == "closed" else {}),
        }
        for row in plan.sites.to_dict("records")
    ]


def _gain(plan: Outcome, row: dict[Hashable, Any]) -> dict[str, Any]:
    """Return what a site brings in its turn, residents or person-minutes, and under capacities whom it serves."""
    won = {"gain": number(row["gain"])}
    if plan.scenario.question == "shortest":
        won = {"gain": None, "saves": number(row["gain"] / 60.0)}
    return won | ({"served": number(row["load"])} if plan.scenario.capacity else {})


def _hurt(row: dict[Hashable, Any], circles: list[str]) -> dict[str, Any]:
    """Return whom a station that closes hurts; ``stranded`` says that some of them reach no station any more."""
    tenths = tenths_of_minutes([row["farther_mean_s"], row["farther_max_s"]])
    return {
        "lost": [number(row[f"lost_{name}"]) for name in circles],
        "farther": number(row["farther"]),
        "farther_minutes": [number(minutes) for minutes in tenths / 10.0],
        "stranded": bool(row["farther_n"] < row["farther"]),
    }


def _clusters(study: Study, unserved: pd.DataFrame) -> list[dict[str, Any]]:
    circles = [c.name for c in by_size(study)]
    names = _candidate_names(study)
    return [
        {
            "id": row["cluster_id"],
            "circle": circles.index(row["circle"]),
            "area": row["area_id"],
            "buildings": number(row["buildings"]),
            "residents": number(row["residents"]),
            "station": text(row["nearest_station_id"]),
            "minutes": number(row["nearest_minutes"]),
            "candidate": text(names.get(row["best_candidate_id"])) or text(row["best_candidate_id"]),
            "wins": number(row["best_candidate_residents"]),
            "at": at(row["lon"], row["lat"]),
        }
        for row in unserved.to_dict("records")
    ]


def _candidate_names(study: Study) -> dict[str, str]:
    return dict(zip(study.candidates["site_id"], study.candidates["name"], strict=True))
