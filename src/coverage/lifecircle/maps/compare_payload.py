"""What the page of a comparison holds, as one value for JSON.

A *state* is a set of open stations: today, a scenario, or one of its years. States go one after the other as they are
built, so that each differs little from the one before. A *lot* is a speed class, whose walks the map shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.circles import Coverage, Reach
from lifecircle.errors import LifecircleError
from lifecircle.maps.basis import basis, by_size, ground, groups_of, homes, in_both, number, station_records, text
from lifecircle.maps.compare_words import COMPARE_WORDS
from lifecircle.maps.encode import pack, signed_varints, varints
from lifecircle.model import TOLERANCE_S, Circle, LongArray
from lifecircle.publish import LEAST, reasons_told
from lifecircle.scenarios import TODAY, Comparison, Outcome, Stage, by_hand_in_words
from lifecircle.scenarios.comparison import AS_STATED, SERVED, SPEEDS, hanging
from lifecircle.scenarios.what_if import lots_by_group
from lifecircle.schema import TOTAL

STANDING = ("fixed", "closed")
"""States of the sites of a plan that are stations today."""

STATUSES = ("ok", "unreachable", "unsnappable")
TENTHS = 10.0
"""Sums of areas are kept to this part of a resident."""

PLAIN = (
    *("residents", "beyond", "unreachable", "unsnappable", "unplaced", "walk_mean_s", "walk_p50_s", "walk_p90_s"),
    *("walk_gini", "stations", "load_max", "cost", "nearer", "farther", *SERVED),
)
BY_CIRCLE = ("within", "share", "radius", "won", "lost", "worst_share", "cost_per_resident")
EXACT = 6
"""Digits kept of shares, beyond what any page shows."""


@dataclass(frozen=True, eq=False)
class State:
    """Open stations and how each speed class, by its name, reaches them; ``year`` is None where all is built."""

    name: str
    year: int | None
    stations: gpd.GeoDataFrame
    reach: Mapping[str, Reach]
    plan: Outcome | None = None


def compare_payload(comparison: Comparison, stages: Sequence[Stage]) -> dict[str, Any]:
    """Return all that the page of a comparison shows.

    Numbers that are not there are None; circles go by size. ``figures`` has by state, speed and group those of all
    areas, None for a state at a speed of which there are none.
    """
    today = comparison.today
    study, circles, lots = today.study, by_size(today.study), lots_by_group(today.study)
    states, table = _states(comparison, stages), _table(comparison, stages)
    built = [i for i, state in enumerate(states) if state.year is None]
    stations = _stations_of(states)
    levels = study.areas["level"].nunique()
    baseline = next(i for i in built if states[i].name == comparison.baseline)
    return {
        **basis(today),
        "words": COMPARE_WORDS,
        "start": {
            "kind": "swipe",
            "left": baseline,
            "right": next((i for i in built if i != baseline), baseline),
            "level": levels - 1,
            "circle": 0,
            "group": 0,
            "speed": SPEEDS.index(AS_STATED),
        },
        "least": LEAST if today.demand.rounded else 0,
        "paces": list(SPEEDS),
        "groups": groups_of(today, [*lots]),
        "baseline": baseline,
        "states": [_state(state, stations) for state in states],
        "stations": station_records(stations),
        "figures": _totals(table, states, circles, pd.Index(study.areas["area_id"])),
        "refused": [_refused(name, error, rounded=today.demand.rounded) for name, error in comparison.refused.items()],
        "by_hand": [
            {"name": plan.scenario.name, "said": in_both(told)}
            for plan in comparison.plans
            if (told := by_hand_in_words(plan.scenario))
        ],
        "hanging": _hanging(comparison, states, circles, [*lots]),
        "packed": {
            **ground(today),
            "building_facts": pack(_facts(today, states, circles, pd.Index(stations["station_id"]))),
            "area_figures": pack(_by_area(table, states, circles)),
        },
    }


def _refused(scenario: str, error: LifecircleError, *, rounded: bool) -> dict[str, Any]:
    """Return why a scenario has no plan in each language, without the figures that hang on single homes if rounded."""
    told = [error.message, *(breach.message for breach in reasons_told(error, rounded=rounded))]
    return {"name": scenario, "said": in_both(told)}


# --------------------------------------------------------------------------- states


def _states(comparison: Comparison, stages: Sequence[Stage]) -> list[State]:
    states = [State(TODAY, None, comparison.today.stations, comparison.today.reach)]
    for plan in comparison.plans:
        name = plan.scenario.name
        for stage in (stage for stage in stages if stage.scenario == name):
            reach = {walker.name: found for walker, found in stage.walked.reach.items()}
            states.append(State(name, stage.year, stage.walked.stations, reach, plan))
        states.append(State(name, None, plan.coverage.stations, plan.coverage.reach, plan))
    return states


def _stations_of(states: Sequence[State]) -> gpd.GeoDataFrame:
    """Return every station of any state once, today's first; one that opens as several tiers has none."""
    every = pd.concat([state.stations for state in states], ignore_index=True)
    tiers = every.groupby("station_id")["tier"].nunique()
    once = every.drop_duplicates("station_id", ignore_index=True)
    told = once["tier"].where(once["station_id"].map(tiers).eq(1), "")
    return gpd.GeoDataFrame(once.assign(tier=told), crs=states[0].stations.crs)


def _state(state: State, stations: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return which stations are open, by row, how many residents each serves, and what its plan says of new ones."""
    served = pd.Series(state.stations["residents"].to_numpy(), index=state.stations["station_id"])
    is_open = np.flatnonzero(stations["station_id"].isin(served.index))
    opened = {}
    if state.plan is not None:
        rows = pd.Series(is_open, index=stations["station_id"].iloc[is_open])
        opened = {
            int(rows[site["site_id"]]): {
                "order": number(site["order"]),
                "cost": number(site["cost"]),
                "opens": text(site["opens"]),
            }
            for site in state.plan.sites[~state.plan.sites["state"].isin(STANDING)].to_dict("records")
            if site["site_id"] in rows.index
        }
    return {
        "name": state.name,
        "today": state.plan is None,
        "year": state.year,
        "open": is_open.tolist(),
        "served": [number(n) for n in served.reindex(stations["station_id"].iloc[is_open])],
        "new": opened,
    }


def _facts(today: Coverage, states: Sequence[State], circles: Sequence[Circle], stations: pd.Index) -> bytes:
    """Return the columns of the buildings as varints: as `homes`, then for every lot and state within it three.

    They are the status from 0 and above it a bit for each circle that holds the building (see `_code`); the station's
    row from 1, 0 for none; and milliseconds, rounded up. All but the first are differences from the one before.
    """
    columns = homes(today)
    before: list[LongArray] = []
    for walker in today.study.settings.walking.classes:
        for state in states:
            found = state.reach[walker.name]
            rows = np.append(stations.get_indexer(state.stations["station_id"]), -1)
            seconds = np.where(found.reached, found.walks.seconds[:, 0], 0.0)
            now: list[LongArray] = [
                _code(found, circles),
                rows[found.walks.facility[:, 0]] + 1,
                np.ceil((seconds - TOLERANCE_S).clip(min=0.0) * 1e3).astype(np.int64),
            ]
            columns += map(signed_varints, [a - b for a, b in zip(now, before, strict=True)] if before else now)
            before = now
    return b"".join(columns)


def _code(found: Reach, circles: Sequence[Circle]) -> LongArray:
    """Return the status of each building and, in the bits above, which circles hold it."""
    status: LongArray = pd.Index(STATUSES).get_indexer(found.status).astype(np.int64)
    for bit, circle in enumerate(circles):
        status = status + (found.within(circle).astype(np.int64) * len(STATUSES) << bit)
    return status


# --------------------------------------------------------------------------- figures


def _table(comparison: Comparison, stages: Sequence[Stage]) -> pd.DataFrame:
    """Return the figures of all states, with the ``year``, 0 for what is all built."""
    tables = [comparison.table.assign(year=0), *(stage.table.assign(year=stage.year) for stage in stages)]
    return pd.concat(tables, ignore_index=True)


def _totals(
    table: pd.DataFrame, states: Sequence[State], circles: Sequence[Circle], areas: pd.Index
) -> list[list[list[dict[str, Any]] | None]]:
    told: dict[tuple[str, int, float], list[dict[str, Any]]] = {}
    for row in table[table["area_id"] == TOTAL].to_dict("records"):
        key = row["scenario"], row["year"], row["speed"]
        told.setdefault(key, []).append(_figures(row, circles, areas))
    return [[told.get((state.name, state.year or 0, speed)) for speed in SPEEDS] for state in states]


def _figures(row: Mapping[Any, Any], circles: Sequence[Circle], areas: pd.Index) -> dict[str, Any]:
    """Return the figures of a row by their names, each beside its change; those of circles as lists."""
    told: dict[str, Any] = {name: number(row.get(name, np.nan)) for name in PLAIN}
    changes: dict[str, Any] = {name: number(row.get(f"change_{name}", np.nan)) for name in PLAIN}
    for name in BY_CIRCLE:
        told[name] = [number(row.get(f"{name}_{c.name}", np.nan), EXACT) for c in circles]
        changes[name] = [number(row.get(f"change_{name}_{c.name}", np.nan), EXACT) for c in circles]
    worst = areas.get_indexer([row[f"worst_area_{c.name}"] for c in circles])
    return {**told, "worst_area": worst.tolist(), "change": changes}


def _by_area(table: pd.DataFrame, states: Sequence[State], circles: Sequence[Circle]) -> bytes:
    """Return sums of residents by area as varints: ten times the sum and one, 0 for one that is not shown.

    First the residents by area and group, the group changing first; then in the same order for every state, speed (of a
    year the stated one alone) and circle those within it, those who come in and those who leave.
    """
    rows = dict(iter(table[table["area_id"] != TOTAL].groupby(["scenario", "year", "speed"], sort=False)))
    if not rows:
        return b""
    columns = [_sums(rows[TODAY, 0, AS_STATED]["residents"])]
    columns += [
        _sums(rows[state.name, state.year or 0, speed][f"{what}_{circle.name}"])
        for state in states
        for speed in (SPEEDS if state.year is None else (AS_STATED,))
        for circle in circles
        for what in ("within", "won", "lost")
    ]
    return b"".join(columns)


def _sums(people: pd.Series) -> bytes:
    return varints(np.rint(people * TENTHS + 1.0).fillna(0.0).to_numpy(dtype=np.int64))


def _hanging(
    comparison: Comparison, states: Sequence[State], circles: Sequence[Circle], groups: Sequence[str]
) -> list[list[float]]:
    """Return the findings that hang on the speed: state, circle, area (-1 for all), group, residents more by speed."""
    study = comparison.today.study
    found = hanging(comparison.table, study.settings.circles)
    of_state = {state.name: i for i, state in enumerate(states) if state.year is None}
    of_circle = {circle.name: i for i, circle in enumerate(circles)}
    columns = [
        found["scenario"].map(of_state),
        found["circle"].map(of_circle),
        pd.Index(study.areas["area_id"]).get_indexer(found["area_id"]),
        pd.Index(groups).get_indexer(found["group"]),
        *(found[speed].round(1) for speed in SPEEDS),
    ]
    return [list(row) for row in zip(*(pd.Series(c).tolist() for c in columns), strict=True)]
