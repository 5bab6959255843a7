"""Heights: from a raster or from the nodes' own, and what the slopes between them do to walking.

Lines are ragged, as everywhere: line ``i`` is ``xy_m[indptr[i]:indptr[i + 1]]``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio.enums import Resampling
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from lifecircle.errors import SourceError
from lifecircle.mark import is_marked
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.network import MOST_SLOPE, line_lengths_m, tobler_factor
from lifecircle.said import Said

SMOOTHING_M = 10.0
"""Standard deviation of the bell curve that heights are smoothed with, metres on the ground; one cell where cells are
larger."""

PIECE_M = 10.0
"""Metres of line between two heights, at most."""

LOWEST_M, HIGHEST_M = -500.0, 9000.0
"""No ground lies beyond: what a raster says there is a mark for "unknown" that its header does not declare."""

FINEST_M = SMOOTHING_M / 4
"""Metres of the smallest cell that is kept: of a finer raster, the means of blocks of cells."""

MAX_CELLS = 2**23
"""Cells that are kept at most; of more, again the means of blocks."""


@dataclass(frozen=True, eq=False)
class Terrain(ReadOnlyArrays):
    """Smoothed heights above any datum, metres, NaN where the raster knows none."""

    height_m: npt.NDArray[np.float32]
    """(rows, columns) at the middle of each cell."""
    to_cell: FloatArray
    """(3, 3) matrix from (x, y, 1) in the raster's CRS to the column and row of its upper left corner."""
    to_raster: Transformer
    """From the CRS of the points to the raster's."""

    def at(self, xy_m: FloatArray) -> FloatArray:
        """Return (n,) heights of points (n, 2), bilinear between the cells' middles; NaN off the raster."""
        n_down, n_across = self.height_m.shape
        across, down = _applied(self.to_cell, *self.to_raster.transform(*xy_m.T))
        inside = _inside(across, down, n_across, n_down)
        column, right = _between(across[inside], n_across)
        row, below = _between(down[inside], n_down)
        height = np.zeros(len(row))
        for step_down, share_down in ((0, 1 - below), (1, below)):
            for step_across, share_across in ((0, 1 - right), (1, right)):
                share = share_down * share_across
                corner = np.minimum(row + step_down, n_down - 1), np.minimum(column + step_across, n_across - 1)
                height += np.where(share > 0, share * self.height_m[corner], 0.0)
        heights = np.full(len(xy_m), np.nan)
        heights[inside] = height
        return heights


def _applied(matrix: FloatArray, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
    """Return (2, n) the points on the other side of a matrix such as `Terrain.to_cell`."""
    return matrix[:2, :2] @ np.stack([x, y]) + matrix[:2, 2:]


def _inside(across: FloatArray, down: FloatArray, n_across: int, n_down: int) -> BoolArray:
    return (across >= 0) & (across <= n_across) & (down >= 0) & (down <= n_down)


def _between(position: FloatArray, n: int) -> tuple[LongArray, FloatArray]:
    """Return the last cell whose middle is not beyond each position, and how far on to the next one it is."""
    middle = np.clip(position - 0.5, 0.0, n - 1.0)
    cell = np.floor(middle).astype(np.int64)
    return cell, middle - cell


def read_terrain(path: Path, crs: CRS, xy_m: FloatArray) -> Terrain:
    """Read the part of a GeoTIFF that lies under some points.

    Parameters
    ----------
    path
        A GeoTIFF in any geographic or projected CRS whose first band holds metres.
    crs
        That of ``xy_m`` (n, 2), metres.

    Returns
    -------
    Terrain
        NaN where the raster ends, says that it knows nothing, or says what no ground can be.

    Raises
    ------
    SourceError
        When the file is no GeoTIFF, says not where on the Earth it lies, cannot be read in parts, or knows no height
        under any of the points.

    Notes
    -----
    Radar heights scatter by metres from cell to cell, and 3 m between neighbours 30 m apart is a hill of 10 %. A bell
    curve of one cell, and of `SMOOTHING_M` at least, leaves 2 % of slope of such a scatter, which is a quarter of a per
    cent of walking time, and keeps every hill that is wider than a few cells. Cells without a height take no part.
    """
    try:
        with _opened(path) as raster:
            terrain = _read(raster, path, crs, xy_m)
    except (CRSError, ProjError, RasterioError, ValueError, OverflowError, np.linalg.LinAlgError) as error:
        raise SourceError(Said("{}: cannot be read as a GeoTIFF of heights: {}", path, error)) from error
    if not np.isfinite(terrain.at(xy_m)).any():
        raise SourceError(
            Said("{}: the raster knows a height under none of the streets; is it empty, or of another city?", path)
        )
    return terrain


def are_made_up(path: Path) -> bool:
    """Return whether a GeoTIFF bears a tag which says that its heights are made up; one that cannot be read says no."""
    try:
        with _opened(path) as raster:
            return is_marked(raster.tags()) or is_marked(raster.tags(1))
    except RasterioError:
        return False


@contextmanager
def _opened(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a GeoTIFF, and nothing beside it: files of the same name can lead GDAL to any other file or address."""
    alone = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": False}
    with warnings.catch_warnings(), rasterio.Env(**alone):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # refused where it matters
        with rasterio.open(path, driver="GTiff") as raster:
            if raster.tags(ns="OVERVIEWS"):
                raise RasterioError("it names another file for its overviews")
            yield raster


def _read(raster: rasterio.DatasetReader, path: Path, crs: CRS, xy_m: FloatArray) -> Terrain:
    if raster.crs is None or raster.transform.is_identity or raster.transform.is_degenerate:
        raise SourceError(Said("{}: the raster does not say where it lies", path))
    if np.dtype(raster.dtypes[0]).kind not in "iuf":
        raise SourceError(Said("{}: the raster's first band holds no heights", path))
    if max(rows * columns for rows, columns in raster.block_shapes) > MAX_CELLS:
        raise SourceError(
            Said("{}: the raster cannot be read in parts; save it in tiles, as a Cloud Optimized GeoTIFF", path)
        )
    its_crs = CRS.from_wkt(raster.crs.to_wkt())
    if not (its_crs.is_geographic or its_crs.is_projected):
        raise SourceError(
            Said(
                "{}: the raster's CRS, {} ({}), is neither geographic nor projected; "
                "give it the one that its coordinates are in",
                path,
                its_crs.name,
                its_crs.type_name,
            )
        )
    from_cell = np.array(raster.transform).reshape(3, 3)
    to_cell = np.linalg.inv(from_cell)
    to_raster = Transformer.from_crs(crs, its_crs, always_xy=True)
    cells = _applied(to_cell, *to_raster.transform(*xy_m.T))
    inside = np.flatnonzero(_inside(cells[0], cells[1], raster.width, raster.height))
    cells = cells[:, inside]
    if not cells.size:
        raise SourceError(Said("{}: the raster lies under none of the streets; is it of another city?", path))

    low, high = cells.min(axis=1), cells.max(axis=1)
    cell_m = _cell_m(from_cell, to_raster, (low + high) / 2)
    if not (np.isfinite(cell_m).all() and (cell_m > 0).all()):
        raise SourceError(Said("{}: the raster does not say where it lies", path))
    margin = 1 + 4 * np.maximum(1.0, SMOOTHING_M / cell_m)
    first = np.maximum(np.floor(low - margin), 0).astype(np.int64)
    size = np.minimum(np.ceil(high + margin), [raster.width, raster.height]).astype(np.int64) - first
    finest = np.minimum(1.0, cell_m / FINEST_M)
    most = np.sqrt(min(1.0, MAX_CELLS / float(np.prod(size * finest))))
    kept = np.maximum(1, size * finest * most).astype(np.int64)
    found = raster.read(
        1,
        window=Window(*first.tolist(), *size.tolist()),
        out_shape=tuple(kept[::-1].tolist()),
        out_dtype="float32",
        masked=True,
        resampling=Resampling.average,
    )
    with np.errstate(over="ignore", invalid="ignore"):  # a scale may be anything: what it makes no height of is none
        height = found.filled(np.nan) * raster.scales[0] + raster.offsets[0]
        height[(height < LOWEST_M) | (height > HIGHEST_M)] = np.nan
    shrink = kept / size
    spread = np.clip(SMOOTHING_M * shrink / cell_m, 1.0, 2 * SMOOTHING_M / FINEST_M)
    to_kept = np.diag([*shrink, 1.0]) @ np.array([[1, 0, -first[0]], [0, 1, -first[1]], [0, 0, 1]])
    return Terrain(_smoothed(height, spread[::-1]), to_kept @ to_cell, to_raster)


def _cell_m(from_cell: FloatArray, to_raster: Transformer, cell: FloatArray) -> FloatArray:
    """Return how wide and how high a cell is on the ground, metres."""
    corners = cell[:, None] + np.array([[0, 1, 0], [0, 0, 1]])
    across, down = _applied(from_cell, *corners)
    x, y = to_raster.transform(across, down, direction="INVERSE")
    return np.hypot(x[1:] - x[0], y[1:] - y[0])


def _smoothed(height_m: npt.NDArray[np.float32], spread: FloatArray) -> npt.NDArray[np.float32]:
    """Return heights smoothed by a bell curve of these standard deviations in cells, NaN cells taking no part."""
    known = np.isfinite(height_m)
    weight = gaussian_filter(known.astype(np.float32), spread, mode="constant")
    total = gaussian_filter(np.where(known, height_m, np.float32(0)), spread, mode="constant")
    return np.where(known, total / np.where(known, weight, np.float32(1)), np.float32(np.nan))


def divided(indptr: LongArray, xy_m: FloatArray) -> tuple[LongArray, FloatArray]:
    """Return the same lines with points added, so that no two neighbours are more than `PIECE_M` apart."""
    last = np.zeros(len(xy_m), dtype=bool)
    last[indptr[1:] - 1] = True
    onward = np.roll(xy_m, -1, axis=0) - xy_m
    pieces = np.where(last, 1, np.maximum(1, np.ceil(np.hypot(*onward.T) / PIECE_M))).astype(np.int64)
    begins = np.concatenate([[0], np.cumsum(pieces)])
    point = np.repeat(np.arange(len(xy_m)), pieces)
    share = (np.arange(begins[-1]) - begins[point]) / pieces[point]
    return begins[indptr], xy_m[point] + share[:, None] * onward[point]


def between_known(indptr: LongArray, xy_m: FloatArray, height_m: FloatArray) -> FloatArray:
    """Return the heights of the lines' points, those not known (NaN) in a straight slope between two known ones.

    A point that has no known one on either side on its own line stays NaN.
    """
    known = np.flatnonzero(np.isfinite(height_m))
    if not len(known):
        return height_m
    line = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    along = _along_m(xy_m)
    after = np.searchsorted(known, np.arange(len(height_m)))
    before = np.searchsorted(known, np.arange(len(height_m)), side="right") - 1
    left, right = known[before.clip(0)], known[after.clip(0, len(known) - 1)]
    enclosed = (before >= 0) & (after < len(known)) & (line[left] == line) & (line[right] == line)
    return np.where(enclosed, np.interp(along, along[known], height_m[known]), np.nan)


def spanned(
    indptr: LongArray,
    xy_m: FloatArray,
    height_m: FloatArray,
    ends: npt.NDArray[np.integer],
    spans: BoolArray,
    ground: BoolArray,
) -> FloatArray:
    """Return the heights of the lines' points, ``spans`` in a straight slope between where they meet ``ground``.

    Parameters
    ----------
    height_m
        (n_points,) metres, NaN where unknown: those of the ground below a bridge and above a tunnel.
    ends
        (n, 2) numbers of the nodes at the lines' ends.
    spans, ground
        (n,) whether a line is part of a bridge or tunnel, and whether it lies on the ground. Steps are neither.

    Returns
    -------
    FloatArray
        A bridge of several ways is one slope from bank to bank; one that forks has the heights of a stretched net: each
        fork's is the mean of its neighbours', weighted by one over the distance. A bridge that meets the ground
        nowhere, but for steps, is level.
    """
    if not spans.any():
        return height_m
    first, last = indptr[:-1], indptr[1:] - 1
    known = np.full(ends.max() + 1, np.nan)
    known[ends[ground, 0]] = height_m[first[ground]]
    known[ends[ground, 1]] = height_m[last[ground]]
    length_m = line_lengths_m(indptr, xy_m)
    at_node = _stretched(ends[spans], length_m[spans], known)

    line = np.repeat(np.arange(len(ends)), np.diff(indptr))
    along = _along_m(xy_m)
    share = np.divide(along - along[first[line]], length_m[line], out=np.zeros(len(line)), where=length_m[line] > 0)
    straight = at_node[ends[line, 0]] * (1 - share) + at_node[ends[line, 1]] * share
    return np.where(spans[line], straight, height_m)


def _stretched(ends: npt.NDArray[np.integer], length_m: FloatArray, known: FloatArray) -> FloatArray:
    """Return the heights of all nodes: the known ones, and those of a net stretched between them."""
    n = len(known)
    pull = 1 / np.maximum(length_m, 1e-3)
    a, b = ends.T
    pulls = coo_array(
        (np.concatenate([pull, pull]), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n)
    ).tocsr()
    fixed = np.isfinite(known)
    _, part = connected_components(pulls, directed=False)
    held = np.zeros(part.max() + 1, dtype=bool)
    held[part[fixed]] = True
    free = np.zeros(n, dtype=bool)
    free[ends] = True
    free &= ~fixed & held[part]
    height = np.where(fixed, known, 0.0)
    if free.any():
        rows = pulls[free]
        total = coo_array((rows.sum(axis=1), (np.arange(free.sum()),) * 2)).tocsc()
        height[free] = spsolve((total - rows[:, free]).tocsc(), rows[:, fixed] @ known[fixed])
    return height


def flat_metres(indptr: LongArray, xy_m: FloatArray, height_m: FloatArray) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return how long each line is to a walker, by its slopes.

    Returns
    -------
    tuple
        (n, 2) metres on the flat that take as long, from the first end to the second and back; (n,) whether part of the
        line is taken for flat because a height is NaN; and (n,) whether part of it is steeper than `MOST_SLOPE`, and
        taken for that steep.

    Notes
    -----
    Each piece between two points at its own slope, by `tobler_factor`: a line over a hill is not as fast as its ends
    are level.
    """
    step_m = np.hypot(*np.diff(xy_m, axis=0).T)
    inner = np.ones(len(step_m), dtype=bool)
    inner[indptr[1:-1] - 1] = False
    step_m, rise = step_m[inner], np.diff(height_m)[inner]
    unknown = ~np.isfinite(rise)
    slope = np.divide(rise, step_m, out=np.zeros(len(rise)), where=(step_m > 0) & ~unknown)
    line = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr) - 1)

    def by_line(of_piece: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.bincount(line, weights=of_piece, minlength=len(indptr) - 1)

    both = [by_line(step_m / tobler_factor(way)) for way in (slope, -slope)]
    return np.stack(both, axis=1), by_line(unknown) > 0, by_line(np.abs(slope) > MOST_SLOPE) > 0


def _along_m(xy_m: FloatArray) -> FloatArray:
    """Return how far each point is from the very first, over all lines and the leaps between them, metres."""
    along: FloatArray = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy_m, axis=0).T))])
    return along
