"""Dispatch in the made-up Fushun: lookups that heed items and hours, the index itself, and a file of requests."""

from __future__ import annotations

import gc
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.lookup import N_SINGLE, P50_S, P99_S, near_streets, percentiles
from benchmarks.measure import Job, Mark, Section, Timing, interleaved
from lifecircle import open_study
from lifecircle.dispatch import StationIndex, assign
from lifecircle.errors import DegradedWarning
from lifecircle.ground import Ground, lay_ground
from lifecircle.model import Study
from lifecircle.readers.requests import read_requests
from lifecircle.synthetic.examples import write_example

N_REQUESTS = 100_000
FILTERED_S, BUILD_S, LOAD_S, INDEX_MB = 100e-6, 5.0, 0.2, 100.0
IN_TURN_S, OPTIMAL_S = 2.0, 30.0
ROOM = 2 * N_REQUESTS
"""Places of all stations together where requests are sent with the least walking."""

WORK = "dispatch in the made-up Fushun"


def dispatch_section() -> Section:
    """Make the city up, look its stations up, and send a file of requests."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", DegradedWarning)
        folder = Path(place) / "fushun"
        write_example(folder, "fushun", size=1.0, side=100, seed=7, step=lambda *_, **__: nullcontext())
        study = open_study(folder)
        ground = lay_ground(study)
        looked, looked_marks = _lookups(study, ground, Path(place) / "stations.index")
        sent, sent_marks = _files(study, ground, read_requests(folder / "requests.csv", datum="wgs84"))
    return Section(WORK, [*looked, *sent], [*looked_marks, *sent_marks])


def _lookups(study: Study, ground: Ground, path: Path) -> tuple[list[Timing], list[Mark]]:
    index = StationIndex.of_study(study, ground=ground)
    random = np.random.default_rng(7)
    points = near_streets(index.network, study.crs)
    items = sorted({item for held in study.stations["items"] for item in held.split(";") if item})
    year = datetime(2025, 1, 1)
    ask = iter(
        [
            (items[random.integers(len(items))], year + timedelta(minutes=int(random.integers(525_600))))
            for _ in range(4 * N_SINGLE)
        ]
    )

    def filtered(lon: float, lat: float) -> object:
        item, at = next(ask)
        return index.find(lon, lat, item=item, at=at)

    p50_s, p99_s = percentiles(index.nearest, points)
    of_item_s, of_item_p99_s = percentiles(filtered, points)
    build = interleaved([Job("index: build", lambda: StationIndex.of_study(study, ground=ground))], rounds=3)[0]
    index.save(path)
    load = interleaved([Job("index: load", lambda: StationIndex.load(path).nearest(*points[0]))], rounds=3)[0]
    size_mb = path.stat().st_size / 1e6
    timings = [
        *(Timing(f"one alone, p{p}", found_s, found_s, "wall") for p, found_s in ((50, p50_s), (99, p99_s))),
        Timing("one alone with an item and a time, p50", of_item_s, of_item_s, "wall"),
        Timing("one alone with an item and a time, p99", of_item_p99_s, of_item_p99_s, "wall"),
        *(build, load),
    ]
    marks = [
        *(_mark("lookup, p50", P50_S, p50_s), _mark("lookup, p99", P99_S, p99_s)),
        _mark("lookup with item and hours, p99", FILTERED_S, of_item_p99_s),
        *(_mark("index: build", BUILD_S, build.cpu_s), _mark("index: load", LOAD_S, load.cpu_s)),
        Mark(WORK, f"index <= {INDEX_MB:g} MB", f"{size_mb:.0f} MB", size_mb <= INDEX_MB),
    ]
    return timings, marks


def _files(study: Study, ground: Ground, requests: gpd.GeoDataFrame) -> tuple[list[Timing], list[Mark]]:
    times = -(-N_REQUESTS // len(requests))
    many = pd.concat([requests] * times, ignore_index=True).head(N_REQUESTS)
    many = many.assign(request_id=[f"R{i}" for i in range(len(many))])
    capacity = study.stations["capacity"]
    scarce = np.maximum(1.0, np.floor(capacity / capacity.sum() * ROOM))
    crowded = replace(study, stations=study.stations.assign(capacity=scarce))
    at_any_time = many.drop(columns="at")

    def once(tool: str, send: Callable[[], pd.DataFrame]) -> Timing:
        send()
        gc.collect()
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        send()
        return Timing(tool, time.process_time() - cpu_s, time.perf_counter() - wall_s)

    in_turn = once("100,000 requests in turn", lambda: assign(study, many, ground=ground))
    optimal = once(
        "100,000 requests with the least walking, room for twice as many",
        lambda: assign(crowded, at_any_time, ground=ground, optimal=True),
    )
    return [in_turn, optimal], [
        _mark("100,000 requests in turn", IN_TURN_S, in_turn.cpu_s),
        _mark("100,000 requests with the least walking", OPTIMAL_S, optimal.cpu_s),
    ]


def _mark(what: str, limit_s: float, found_s: float) -> Mark:
    unit, factor = ("us", 1e6) if limit_s < 1e-3 else ("s", 1.0)
    return Mark(WORK, f"{what} <= {limit_s * factor:g} {unit}", f"{found_s * factor:.2f} {unit}", found_s <= limit_s)
