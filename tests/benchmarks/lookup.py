"""T4: which station is nearest on foot to one point of the map, projection and snapping included."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

from benchmarks.graphs import Graph
from benchmarks.measure import Job, Mark, Section, Timing, interleaved
from benchmarks.walking import SPEED_MPS, AnswerError
from lifecircle import open_study
from lifecircle.dispatch import StationIndex
from lifecircle.ground import lay_ground
from lifecircle.network import WalkNetwork
from lifecircle.routing import nearest, snap
from lifecircle.samples import monaco
from lifecircle.snapping import SnapIndex

N_SINGLE = 20_000
N_BATCH = 100_000
ROUNDS = 3
P50_S, P99_S, BATCH_S = 5e-6, 20e-6, 1e-6
SLOWER_WITH_BARRIERS = 3.0

Lonlat = npt.NDArray[np.float64]


def lookup_section(graph: Graph, crs: CRS) -> Section:
    """Look points up beside the streets of a whole region, no barriers in the way."""
    index = StationIndex.of(graph.network, snap(graph.network, graph.network.xy_m[graph.stations]), crs=crs)
    points = near_streets(graph.network, crs)
    tree = _Tree(graph, crs)
    tree.check(index, points[:2000])
    return _section(f"T4 nearest station of a lon/lat, {graph.name}", index, points, others={"shapely STRtree": tree})


def barriers_section() -> list[Section]:
    """The same in Monaco, where every building is in the way, and where none is."""
    study = open_study(monaco())
    ground = lay_ground(study)
    network, stations = ground.reference.network, ground.reference.stations
    points = near_streets(network, study.crs)
    barriers = np.concatenate([study.buildings.geometry.to_numpy(), study.barriers.geometry.to_numpy()])
    barriers = barriers[shapely.get_dimensions(barriers) > 0]
    made = ((False, SnapIndex.of(network)), (True, SnapIndex.of(network, barriers=barriers)))
    return [
        _section(
            f"T4 in Monaco, barriers {'on' if on else 'off'}",
            StationIndex.of(network, stations, crs=study.crs, places=places),
            points,
            times=SLOWER_WITH_BARRIERS if on else 1.0,
        )
        for on, places in made
    ]


def near_streets(network: WalkNetwork, crs: CRS) -> Lonlat:
    """Return points some 25 m off the streets, degrees."""
    random = np.random.default_rng(3)
    first = np.setdiff1d(np.arange(len(network.shape_xy_m)), network.shape_indptr[1:] - 1)
    piece = random.choice(first, N_BATCH)
    start, end = network.shape_xy_m[piece], network.shape_xy_m[piece + 1]
    xy_m = start + random.random((N_BATCH, 1)) * (end - start) + random.normal(0, 25, (N_BATCH, 2))
    return np.stack(Transformer.from_crs(crs, 4326, always_xy=True).transform(*xy_m.T), axis=1)


class _Tree:
    """What one would write by hand: the nearest line of a tree, and the seconds from its two ends."""

    def __init__(self, graph: Graph, crs: CRS) -> None:
        self.network = graph.network
        self.project = Transformer.from_crs(4326, crs, always_xy=True).transform
        self.tree = shapely.STRtree(shapely.linestrings(graph.network.xy_m[graph.network.ends]))
        stations = snap(graph.network, graph.network.xy_m[graph.stations])
        self.metres = nearest(graph.network, stations, speed_mps=SPEED_MPS)[1][:, 0] * SPEED_MPS

    def __call__(self, lon: float, lat: float) -> float:
        point = shapely.Point(*self.project(lon, lat))
        segment = self.tree.nearest(point)
        line = self.tree.geometries[segment]
        share = shapely.line_locate_point(line, point, normalized=True)
        u, v = self.network.ends[segment]
        length_m = self.network.length_m[segment]
        way_m = min(self.metres[u] + share * length_m, self.metres[v] + (1 - share) * length_m)
        return (shapely.distance(line, point) + way_m) / SPEED_MPS

    def check(self, index: StationIndex, points: Lonlat) -> None:
        """Compare with ours; two lines may be equally near, so a few may differ."""
        ours = index.nearest_many(points)[1]
        theirs = np.array([self(*point) for point in points.tolist()])
        if np.mean(np.abs(theirs - ours) > 1e-6) > 0.01:
            raise AnswerError("the tree's walks are not ours")


def _section(
    work: str, index: StationIndex, points: Lonlat, *, times: float = 1.0, others: dict[str, Any] | None = None
) -> Section:
    station, seconds, _ = index.nearest_many(points[:2000])
    one_by_one = [index.nearest(*point) for point in points[:2000].tolist()]
    np.testing.assert_array_equal(station, [found[0] for found in one_by_one])
    np.testing.assert_allclose(seconds, [found[1] for found in one_by_one], atol=1e-9)

    batch = interleaved([Job("lifecircle", partial(index.nearest_many, points))], rounds=ROUNDS)[0]
    each_s = batch.cpu_s / N_BATCH
    p50_s, p99_s = percentiles(index.nearest, points)
    timings = [
        Timing(f"lifecircle, each of {N_BATCH:,}", each_s, batch.wall_s / N_BATCH),
        Timing("lifecircle, one alone, p50", p50_s, p50_s, "wall"),
        Timing("lifecircle, one alone, p99", p99_s, p99_s, "wall"),
    ]
    for name, look_up in (others or {}).items():
        timings += [
            Timing(f"{name}, one alone, p{p}", found_s, found_s, "wall")
            for p, found_s in zip((50, 99), percentiles(look_up, points[:3000]), strict=True)
        ]
    marks = [
        Mark(work, f"{what} <= {limit_s * times * 1e6:g} us", f"{found_s * 1e6:.2f} us", found_s <= limit_s * times)
        for what, limit_s, found_s in (
            ("p50", P50_S, p50_s),
            ("p99", P99_S, p99_s),
            (f"each of {N_BATCH:,}", BATCH_S, each_s),
        )
    ]
    return Section(work, timings, marks)


def percentiles(look_up: Callable[[float, float], object], points: Lonlat) -> tuple[float, float]:
    """Return the 50th and 99th percentile of a call, seconds of wall time, the least of several rounds."""
    asked = points[:N_SINGLE].tolist()
    spent = np.empty((ROUNDS, len(asked)))
    gc.disable()
    try:
        for one_round in spent:
            for i, (lon, lat) in enumerate(asked):
                started = time.perf_counter()
                look_up(lon, lat)
                one_round[i] = time.perf_counter() - started
    finally:
        gc.enable()
    p50_s, p99_s = np.percentile(spent, [50, 99], axis=1).min(axis=1)
    return float(p50_s), float(p99_s)
