"""The ways of buildings to their stations, packed for a page that holds the streets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from lifecircle.circles import Coverage
from lifecircle.maps.basis import WGS84, lonlat
from lifecircle.maps.encode import pack, signed_varints, varints, world_px
from lifecircle.model import FloatArray, LongArray
from lifecircle.ways import BuildingWays

FRACTIONS = 4096
"""Into how many parts a segment is divided to say where on it a way begins or ends; the page's script knows it too."""


def packed_ways(stages: list[Coverage], station_ids: pd.Index) -> list[str]:
    """Return the ways of each stage's buildings as packed varints; segments are the rows of the page's streets.

    First the numbers of stretches and of ways' ends. Of every stretch twice the segment's difference from the one
    before, 1 more where it is walked forward; then how far from its own number its parent's is, 0 where a way ends. Of
    the ends, in the order of their stretches, the station's row in ``station_ids`` and the fraction. Of every building
    the number of its first stretch, from 1, as the difference from the building before, 0 for none; then the fraction
    and the door, x and y from the middle of the building's box, each as the difference from the stage before.
    """
    if not stages:
        return []
    middle = _middle_px(stages[0])
    before: list[LongArray] = [np.zeros(len(middle), dtype=np.int64)] * 3
    packed = []
    for stage in stages:
        found = stage.ways
        row_of = station_ids.get_indexer(stage.stations["station_id"])
        begins = [_fractions(found.fraction), *_doors_px(stage, found, middle).T]
        columns = [signed_varints(now - then) for now, then in zip(begins, before, strict=True)]
        packed.append(pack(_forest(found, row_of) + b"".join(columns)))
        before = begins
    return packed


def _forest(found: BuildingWays, row_of: npt.NDArray[np.intp]) -> bytes:
    kept = found.ways
    n, ends = np.arange(len(kept.segment)), np.flatnonzero(kept.row >= 0)
    return b"".join(
        [
            varints([len(n), len(ends)]),
            varints(2 * np.diff(kept.segment.astype(np.int64), prepend=0) + kept.forward),
            signed_varints(kept.parent - n),
            varints(row_of[found.station[ends]]),
            varints(_fractions(found.end_fraction[ends])),
            signed_varints(np.diff(kept.first.astype(np.int64) + 1, prepend=0)),
        ]
    )


def _fractions(fraction: FloatArray) -> LongArray:
    return np.rint(fraction * FRACTIONS).astype(np.int64)


def _middle_px(coverage: Coverage) -> LongArray:
    """Return (n, 2) the middle of each building's box as the page finds it."""
    west, south, east, north = shapely.bounds(lonlat(coverage.buildings)).T
    corners = world_px(np.column_stack([west, north])), world_px(np.column_stack([east, south]))
    middle: LongArray = (corners[0] + corners[1]) >> 1
    return middle


def _doors_px(coverage: Coverage, found: BuildingWays, middle: LongArray) -> LongArray:
    """Return (n, 2) how far each way's door lies from the middle of its building, 0 where there is none."""
    known = ~np.isnan(found.door_m[:, 0])
    x, y = Transformer.from_crs(coverage.study.crs, WGS84, always_xy=True).transform(*found.door_m[known].T)
    offset = np.zeros_like(middle)
    offset[known] = world_px(np.column_stack([x, y])) - middle[known]
    return offset
