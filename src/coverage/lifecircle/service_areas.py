"""Drawings of service areas: the streets that reach a station in time, made wide. Walks decide, polygons only show."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from shapely.ops import substring

from lifecircle.model import TOLERANCE_S, Circle, FloatArray, Study
from lifecircle.network import WalkNetwork
from lifecircle.routing import Snaps, seconds_at_ends
from lifecircle.service import serves
from lifecircle.streets import WalkingStreets

STREET_WIDTH_M = 25.0
"""How far to either side of a reached street its area is drawn, metres."""


def service_areas(study: Study, streets: WalkingStreets, stations: gpd.GeoDataFrame, snaps: Snaps) -> gpd.GeoDataFrame:
    """Draw for each circle where a walker of the reference class reaches a station in time.

    Returns
    -------
    GeoDataFrame
        circle, minutes, geometry (MultiPolygon, empty where no station counts) in the study's CRS. Whose station may
        serve whom is not drawn.
    """
    speed_mps = study.settings.walking.reference.speed_mps
    circles = study.settings.circles
    shapes = []
    for circle in circles:
        able = snaps.take(np.flatnonzero(serves(stations, circle)))
        lines = reached_streets(streets.network, able, circle, speed_mps=speed_mps)
        area = shapely.union_all(shapely.buffer(lines, STREET_WIDTH_M, quad_segs=2))
        shapes.append(shapely.multipolygons(shapely.get_parts(shapely.simplify(area, 1.0))))
    names = {"circle": [c.name for c in circles], "minutes": [c.minutes for c in circles]}
    return gpd.GeoDataFrame(names, geometry=shapes, crs=study.crs)


def reached_streets(network: WalkNetwork, stations: Snaps, circle: Circle, *, speed_mps: float) -> np.ndarray:
    """Return the lines from which a walker reaches one of ``stations`` in time, cut where the time runs out."""
    ends_s = seconds_at_ends(network, stations, cutoff_s=circle.cutoff_s, speed_mps=speed_mps)
    left_m = np.maximum((circle.cutoff_s + TOLERANCE_S - ends_s) * speed_mps, -1.0)
    rates = np.stack([network.backward_m, network.forward_m], axis=1)  # to walk out by the first end, by the second
    share = np.divide(left_m, rates, out=np.where(left_m >= 0, 1.0, -1.0), where=rates > 0)
    everything = np.arange(network.n_segments)
    met = share[:, 0] + share[:, 1] >= 1.0  # those who come in by both ends meet on the way
    from_start = _spans(everything, np.zeros(network.n_segments), np.where(met, 1.0, share[:, 0]))
    from_end = _spans(everything, np.where(met, 1.0, 1.0 - share[:, 1]), np.ones(network.n_segments))

    s, t = stations.segment, stations.fraction  # a station on a segment is reached along it
    left_m = circle.cutoff_s * speed_mps - stations.access_m
    before, after = left_m / network.forward_m[s], left_m / network.backward_m[s]
    around = _spans(s, t - before, t + after)
    segment, start, stop = (np.concatenate([from_start[i], from_end[i], around[i]]) for i in range(3))
    return _cut_lines(network, segment, start, stop)


def _spans(
    segment: npt.NDArray[np.integer], start: FloatArray, stop: FloatArray
) -> tuple[npt.NDArray[np.integer], FloatArray, FloatArray]:
    start, stop = np.maximum(start, 0.0), np.minimum(stop, 1.0)
    some = stop > start
    return segment[some], start[some], stop[some]


def _cut_lines(
    network: WalkNetwork, segment: npt.NDArray[np.integer], start: FloatArray, stop: FloatArray
) -> np.ndarray:
    lines = street_lines(network)[segment]
    whole = (start <= 0.0) & (stop >= 1.0)
    cut = lines.copy()
    for i in np.flatnonzero(~whole):
        cut[i] = substring(lines[i], start[i], stop[i], normalized=True)
    return cut


def street_lines(network: WalkNetwork) -> np.ndarray:
    """Return the line of every segment (shapely)."""
    vertex = np.repeat(np.arange(network.n_segments), np.diff(network.shape_indptr))
    return np.asarray(shapely.linestrings(network.shape_xy_m, indices=vertex))
