"""The ground as a lattice of places, and the line on it where the time runs out.

A point of the lattice is a place like a home: it has a leg to a street and walks of its own, so a drawing asks the same
searches as a table does. Legs depend on no station; one lattice serves every drawing near the streets it was laid for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import contourpy
import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import FloatArray, IntArray, ReadOnlyArrays
from lifecircle.snapping import SnapIndex, Snaps

STEP_M = 20.0
"""Metres between neighbouring points of a lattice."""

TILE_POINTS = 5
"""Points a side of the tiles in which a lattice is laid."""

OFF_LINE = 0.01
"""A point whose time is just up counts as inside by this share of a step, so that rings never touch there."""


@dataclass(frozen=True, eq=False)
class Lattice(ReadOnlyArrays):
    """Points that can be walked from, ``STEP_M`` apart: point ``i`` lies at ``(column[i], row[i]) * STEP_M``."""

    column: IntArray
    row: IntArray
    snaps: Snaps

    @property
    def xy_m(self) -> FloatArray:
        """(n, 2) where the points lie, metres."""
        return np.column_stack([self.column, self.row]).astype(np.float64) * STEP_M


def lay_lattice(
    lines: npt.NDArray[np.object_],
    *,
    legs: SnapIndex,
    legs_through_buildings: SnapIndex,
    water: npt.NDArray[np.object_],
    max_access_m: float,
) -> Lattice:
    """Lay a lattice over the ground from which one of ``lines`` can be reached.

    Parameters
    ----------
    lines
        Stretches of street (shapely) that matter to a drawing.
    legs, legs_through_buildings
        The streets with all that no leg crosses, and with the barriers alone.
    water
        Polygons (shapely) in which nobody walks.
    max_access_m
        Longest leg, metres.

    Returns
    -------
    Lattice
        No point in water, nor any whose legs all cross a barrier: nobody walks from there. A court that buildings alone
        close keeps its nearest street, for the passage that nobody mapped.
    """
    points_at = _tiled(lines, max_access_m)
    points = shapely.points(points_at * STEP_M)
    wet = shapely.STRtree(points).query(water, predicate="contains")[1]
    points_at = np.delete(points_at, wet, axis=0)

    first = legs_through_buildings.snap(points_at * STEP_M, max_access_m=max_access_m)
    land = first.place[~first.blocked]
    points_at = points_at[land]
    second = legs.snap(points_at * STEP_M, max_access_m=max_access_m)
    number = np.where(second.blocked, land, first.n_places + np.arange(len(land)))
    column, row = points_at.T.astype(np.int32)
    return Lattice(column, row, first.followed_by(second).take(number))


def _tiled(lines: npt.NDArray[np.object_], reach_m: float) -> npt.NDArray[np.int64]:
    """Return (n, 2) columns and rows of the points in all tiles within ``reach_m`` of a line."""
    tile_m = TILE_POINTS * STEP_M
    spots = shapely.get_coordinates(shapely.segmentize(lines, tile_m))  # half a tile at most from any spot of a line
    tiles = np.unique(np.floor(spots / tile_m).astype(np.int64), axis=0)
    far = int(np.ceil((reach_m + tile_m / 2) / tile_m))
    for axis in np.eye(2, dtype=np.int64):
        spread = tiles[:, None] + np.arange(-far, far + 1)[:, None] * axis
        tiles = np.unique(spread.reshape(-1, 2), axis=0)
    inner = np.stack(np.meshgrid(np.arange(TILE_POINTS), np.arange(TILE_POINTS)), axis=-1).reshape(-1, 2)
    points: npt.NDArray[np.int64] = (tiles[:, None] * TILE_POINTS + inner).reshape(-1, 2)
    return points


def slack_s(speed_mps: float) -> float:
    """Return the most seconds by which two neighbouring points of a lattice differ on open ground."""
    return STEP_M * float(np.sqrt(2.0)) / speed_mps


def contour(
    column: IntArray, row: IntArray, seconds: FloatArray, *, cutoff_s: float, speed_mps: float
) -> shapely.MultiPolygon:
    """Draw the ground from which the walk takes ``cutoff_s`` at most.

    Parameters
    ----------
    column, row, seconds
        (n,) points of a lattice and their walks, complete up to ``cutoff_s + slack_s(speed_mps)``. Who is not among
        them does not arrive in time.

    Returns
    -------
    MultiPolygon
        Metres, with holes; empty where nobody arrives in time. Between two points the line runs where the seconds,
        taken as straight, pass the cutoff, and half-way where they leap: at a wall, a bank, an edge of reach.

    Notes
    -----
    Marching squares, saddles by the mean of the four (W. E. Lorensen and H. E. Cline, 1987, doi:10.1145/37402.37422,
    in the plane), as contourpy does it.
    """
    if not len(column):
        return shapely.MultiPolygon()
    slack = slack_s(speed_mps)
    west, south = int(column.min()) - 1, int(row.min()) - 1
    late = np.full((int(row.max()) - south + 2, int(column.max()) - west + 2), slack)
    by = np.clip(seconds - cutoff_s, -slack, slack)
    late[row - south, column - west] = np.where(np.abs(by) < OFF_LINE * slack, -OFF_LINE * slack, by)
    y, x = np.indices(late.shape, dtype=np.float64)
    lines = contourpy.contour_generator(x, y, late, fill_type=contourpy.FillType.ChunkCombinedOffsetOffset)
    filled: Any = lines.filled(-2 * slack, 0.0)
    (spots,), (ring_at,), (polygon_at,) = filled
    if spots is None:
        return shapely.MultiPolygon()
    rings = shapely.linearrings((spots + np.array([west, south])) * STEP_M, indices=_numbered(ring_at))
    return shapely.multipolygons(shapely.polygons(rings, indices=_numbered(polygon_at)))


def _numbered(offsets: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Return to which part each item belongs, given where the parts begin."""
    sizes = offsets[1:].astype(np.int64) - offsets[:-1].astype(np.int64)
    return np.repeat(np.arange(len(sizes)), sizes)
