"""The order of points along a Hilbert curve."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from lifecircle.model import FloatArray, IntArray


def hilbert_order(xy_m: FloatArray) -> npt.NDArray[np.intp]:
    """Return the rows of ``xy_m`` along a Hilbert curve: neighbours on the ground become neighbours in memory.

    Notes
    -----
    D. Hilbert (1891), doi:10.1007/BF01199431, on a grid of 2^16 cells a side, four bits at a time.
    """
    if not len(xy_m):
        return np.empty(0, dtype=np.intp)
    low = xy_m.min(axis=0)
    size = max(float((xy_m.max(axis=0) - low).max()), 1.0)
    x, y = ((xy_m - low).T / size * 65535).astype(np.int32)
    step, turn = _hilbert_steps()
    along, facing = np.zeros(len(xy_m), dtype=np.int64), np.zeros(len(xy_m), dtype=np.int32)
    for shift in (12, 8, 4, 0):
        cell = facing | (((x >> shift) & 15) << 4) | ((y >> shift) & 15)
        along = (along << 8) | step[cell]
        facing = turn[cell]
    return np.argsort(along, kind="stable")


@cache
def _hilbert_steps() -> tuple[IntArray, IntArray]:
    """Return for each facing of the curve and cell of 16 x 16 how far along the cell lies, and the facing within it.

    A facing is 256 times 0 to 3: whether x and y are swapped, and whether both are mirrored.
    """
    facing, cell = np.divmod(np.arange(1024), 256)
    swapped, mirrored = (facing & 1).astype(bool), facing >> 1
    along = np.zeros(1024, dtype=np.int64)
    for bit in (3, 2, 1, 0):
        one, other = ((cell >> (bit + 4)) & 1) ^ mirrored, ((cell >> bit) & 1) ^ mirrored
        right, upper = np.where(swapped, other, one), np.where(swapped, one, other)
        along = (along << 2) | ((3 * right) ^ upper)
        swapped ^= upper == 0
        mirrored ^= right & (1 - upper)
    return along.astype(np.int32), (256 * (swapped + 2 * mirrored)).astype(np.int32)
