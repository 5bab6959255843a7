"""The heights of a made-up land: a level valley floor, a river bed, slopes beyond, and hills on them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter
from scipy.spatial import cKDTree

from lifecircle.model import FloatArray
from lifecircle.synthetic.cells import floor_m
from lifecircle.synthetic.city import Cells, Heights
from lifecircle.synthetic.edges import river_row
from lifecircle.synthetic.programme import CELL_KINDS, Programme

STEP_M = 30.0
"""Metres between the grid's points; twice as much, three times... where there would be more than `MAX_POINTS`."""

MARGIN_M = 1500.0
"""Metres of the grid beyond the land."""

MAX_POINTS = 2**22

VALLEY_M = 60.0
"""Lowest height of the valley floor above the sea, metres."""

FALL = 0.001
"""How far the floor falls along the valley, metres per metre; less where that were more than the hills are high."""

BED_M = 4.0
"""Depth of the river bed below the floor, metres."""

_WAVERING_M = 200.0
"""How far the foot of the slopes strays, metres."""

_BANK_M = 20.0
"""Width of the quay, and of the bank below it, metres."""

_WAVES_M = (1600.0, 800.0, 400.0, 200.0)
"""Wavelengths of the ground's unevenness, metres."""

_FLOOR, _FOOT, _HILL = 0.003, 0.018, 0.07
"""Slope that each wave brings (standard deviation) on the floor, on the slopes, and on wooded hills."""

_COARSE = 4
"""Steps of the grid between the points at which the kind of ground is looked up."""


def raise_heights(programme: Programme, cells: Cells, random: np.random.Generator) -> Heights:
    """Raise the ground that a city stands on.

    Returns
    -------
    Heights
        On a grid over the land and `MARGIN_M` beyond it. Beyond the floor the ground rises by the programme's relief;
        where people live it is even enough to walk on, wooded hills are steep.
    """
    land = programme.land
    west, south = cells.crossing_m.min(axis=0) - MARGIN_M
    east, north = cells.crossing_m.max(axis=0) + MARGIN_M
    step_m = STEP_M * np.ceil(np.sqrt((east - west) * (north - south) / MAX_POINTS) / STEP_M)
    x_m, y_m = np.arange(west, east + step_m, step_m), np.arange(north, south - step_m, -step_m)
    shape = len(y_m), len(x_m)

    axis_m, half_river_m = _valley(cells, x_m)
    off_axis_m = np.abs(y_m[:, None] - axis_m)
    level_m = floor_m(land, cells.n_rows)
    wavering_m = min(_WAVERING_M, 0.15 * level_m) * _noise(shape, step_m, 3000.0, random)
    beyond_m = np.maximum(off_axis_m - level_m / 2 + wavering_m, 0.0)
    rise = np.clip(beyond_m * land.slope / max(land.relief_m, 1.0), 0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise)

    hills = _hilly(cells, x_m, y_m)
    on_slopes = np.clip(beyond_m / 300.0, 0.0, 1.0)
    roughness = _FLOOR + on_slopes * (_FOOT - _FLOOR + (_HILL - _FOOT) * hills)
    uneven_m = sum(
        wave_m / (2 * np.pi) * _noise(shape, step_m, wave_m, random) for wave_m in _WAVES_M if wave_m > 2 * step_m
    )
    base_m = VALLEY_M + min(FALL * (east - west), land.relief_m / 2) * (east - x_m) / (east - west)
    bed_m = BED_M * np.clip((half_river_m - off_axis_m) / _BANK_M - 1.0, 0.0, 1.0)
    # Where a wave would dig below the floor there is a side valley as level as the floor.
    above_m = np.maximum(land.relief_m * rise + roughness * uneven_m, _FLOOR * uneven_m)
    height_m = base_m + above_m - bed_m
    return Heights(float(west), float(north), float(step_m), np.round(height_m, 2))


def _valley(cells: Cells, x_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (n,) the y of the valley's axis at ``x_m``, and half the river's width there, 0 without one; metres."""
    crossing = cells.crossing_m.reshape(cells.n_columns + 1, cells.n_rows + 1, 2)
    river = river_row(cells)
    south, north = (river, river + 1) if river >= 0 else (cells.n_rows // 2, cells.n_rows // 2)
    bank_m = [np.interp(x_m, crossing[:, row, 0], crossing[:, row, 1]) for row in (south, north)]
    return (bank_m[0] + bank_m[1]) / 2, (bank_m[1] - bank_m[0]) / 2


def _hilly(cells: Cells, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Return (rows, columns) 1 in hills, 0 where the nearest cell is of another kind, with a soft rim between."""
    x, y = np.meshgrid(x_m[::_COARSE], y_m[::_COARSE])
    _, nearest = cKDTree(cells.corners_m.mean(axis=1)).query(np.column_stack([x.ravel(), y.ravel()]))
    hills = (cells.kind[nearest] == CELL_KINDS.index("hills")).astype(np.float64).reshape(x.shape)
    return _stretched(gaussian_filter(hills, 1.0, mode="nearest"), _COARSE, (len(y_m), len(x_m)), order=1)


def _noise(shape: tuple[int, int], step_m: float, wave_m: float, random: np.random.Generator) -> FloatArray:
    """Return smooth noise of mean 0 and variance about 1 whose waves are about ``wave_m`` long."""
    times = wave_m / 2 / step_m
    # The spline through random heights half a wave apart bears some half of their variance.
    heights = random.normal(0.0, 2**0.5, (int(shape[0] / times) + 2, int(shape[1] / times) + 2))
    return _stretched(heights, times, shape, order=3)


def _stretched(coarse: FloatArray, times: float, shape: tuple[int, int], *, order: int) -> FloatArray:
    """Return a coarse grid drawn so many times as large, interpolated by splines of this order."""
    drawn = affine_transform(coarse, [1 / times, 1 / times], output_shape=shape, order=order, mode="nearest")
    return np.asarray(drawn, dtype=np.float64)
