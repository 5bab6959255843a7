"""A day of requests in the made-up Fushun, answered one by one while stations open and close.

PYTHONPATH=tests .venv/bin/python -m benchmarks.replay

The requests of a year are taken as those of one Wednesday. One thread makes an index for each change and puts it in the
place of the last; two others answer from whichever is there. A sample of the answers is worked out again from scratch
by networkx, with the stations of the index that answered.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd

from lifecircle import open_study
from lifecircle.dispatch import Roster, StationIndex
from lifecircle.dispatch.index import Found
from lifecircle.ground import lay_ground
from lifecircle.model import BoolArray, Study
from lifecircle.readers.requests import read_requests
from lifecircle.synthetic.examples import write_example
from oracle import split_graph

N_SAMPLE, N_CHANGES = 2_000, 200
DAY = datetime(2025, 5, 14)
SAME_S = 1e-6


@dataclass(frozen=True, eq=False)
class Version:
    """The stations that stand, rows of the study's, and their index."""

    rows: np.ndarray
    index: StationIndex


@dataclass(frozen=True, eq=False)
class Given:
    """What one request got, and of which stations."""

    version: Version
    found: list[Found]


def replay() -> list[str]:
    """Return what is found, a line each."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place) / "fushun"
        write_example(folder, "fushun", size=1.0, side=100, seed=7, step=lambda *_, **__: nullcontext())
        study = open_study(folder)
        ground = lay_ground(study)
        requests = read_requests(folder / "requests.csv", datum="wgs84").reset_index(drop=True)
        whole = StationIndex.of_study(study, ground=ground)
        at = pd.to_datetime(requests["at"])
        since_midnight = at - at.dt.normalize()
        order = np.argsort(since_midnight.to_numpy(), kind="stable")
        times: list[datetime] = [DAY + each for each in since_midnight.dt.to_pytimedelta()]
        started_s = time.perf_counter()
        answers = _answered(study, whole, requests, times, order)
        times_as_fast = timedelta(days=1).total_seconds() / (time.perf_counter() - started_s)
        wrong = _wrong(study, whole, requests, times, answers)
    versions = len({id(each.version) for each in answers.values()})
    return [
        f"{len(order):,} requests of a day, {times_as_fast:,.0f} times as fast as they came",
        f"{N_CHANGES} changes of stations meanwhile; {versions} indexes answered",
        f"{N_SAMPLE:,} answers worked out again by networkx: {wrong} differ",
    ]


def _answered(
    study: Study, whole: StationIndex, requests: pd.DataFrame, times: list[datetime], order: np.ndarray
) -> dict[int, Given]:
    """Answer all in the order of the day, by two threads, while a third opens and closes stations."""
    random = np.random.default_rng(7)
    stands = np.ones(len(study.stations), dtype=bool)
    current = [_version(study, whole, stands)]
    lon, lat = requests.geometry.x.to_numpy(), requests.geometry.y.to_numpy()
    items = requests["item"].tolist()

    def answer(row: int) -> tuple[int, Given]:
        version = current[0]
        found = version.index.find(lon[row], lat[row], item=items[row], at=times[row])
        return row, Given(version, found)

    def change() -> None:
        some = random.choice(len(stands), size=8, replace=False)
        stands[some] = ~stands[some]
        current[0] = _version(study, whole, stands)

    given: dict[int, Given] = {}
    with ThreadPoolExecutor(3) as threads:
        for part in np.array_split(order, N_CHANGES):
            changing = threads.submit(change)
            given |= dict(threads.map(answer, part.tolist()))
            changing.result()
    return given


def _version(study: Study, whole: StationIndex, stands: BoolArray) -> Version:
    rows = np.flatnonzero(stands)
    roster = Roster.of(study, stations=study.stations.iloc[rows].reset_index(drop=True))
    return Version(rows, whole.with_stations(whole.stations.take(rows), roster))


def _wrong(
    study: Study, whole: StationIndex, requests: pd.DataFrame, times: list[datetime], answers: dict[int, Given]
) -> int:
    """Count the answers of a sample that networkx does not find."""
    random = np.random.default_rng(8)
    sample = np.sort(random.choice(list(answers), size=N_SAMPLE, replace=False))
    points = requests.geometry.iloc[sample].to_crs(study.crs)
    places = whole.places.snap(
        np.column_stack([points.x, points.y]), max_access_m=whole.max_access_m, n_places=len(sample)
    )
    speed_mps = whole.labels.speed_mps
    graph = split_graph(whole.network, places, whole.stations, speed_mps)
    roster, wrong = Roster.of(study), 0
    for number, row in enumerate(sample.tolist()):
        given = answers[row]
        can = np.zeros(len(study.stations), dtype=bool)
        can[given.version.rows] = True
        can &= roster.offering(requests["item"].iloc[row]) & roster.open_at(times[row])
        said_s = given.found[0].seconds if given.found else np.inf
        cutoff = (said_s + 1.0) * speed_mps if given.found else None
        reached = nx.single_source_dijkstra_path_length(graph, ("home", number), cutoff=cutoff, weight="cost")
        costs = {s: reached[("station", s)] for s in np.flatnonzero(can).tolist() if ("station", s) in reached}
        least_s = min(costs.values(), default=np.inf) / speed_mps
        station = int(given.version.rows[given.found[0].station]) if given.found else -1
        same = said_s == least_s or (
            abs(said_s - least_s) <= SAME_S and abs(costs[station] / speed_mps - least_s) <= SAME_S
        )
        wrong += not same
    return wrong


if __name__ == "__main__":
    print("\n".join(replay()))
