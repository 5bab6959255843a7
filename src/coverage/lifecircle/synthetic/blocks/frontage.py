"""Rows of shops and mixed houses along main streets, between a lot's wall and the pavement."""

from __future__ import annotations

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.synthetic.blocks.gates import Entries
from lifecircle.synthetic.blocks.lots import SHOPS_M, Lots
from lifecircle.synthetic.blocks.parts import Houses, build
from lifecircle.synthetic.blocks.plots import Plots, divided

_GAP_M = 2.0
_CLEAR_M = 6.0
"""Kept free on each side of a way that passes between shops."""


def shop_rows(plots: Plots, lots: Lots, entries: Entries, random: np.random.Generator) -> Houses:
    """Build the strips before lots: shops of one or two storeys, and near the middle of town flats above shops."""
    lot, side = np.nonzero(lots.shops)
    low, high = _stretch(lots, lot, side)
    strip, start, end = divided(high - low, np.maximum((high - low) // 30.0, 1).astype(np.int64), random, 0.45)
    lot, side = lot[strip], side[strip]
    start, end = low[strip] + start, low[strip] + end - _GAP_M

    leaves = np.full((len(lots.use), 4), np.nan)
    leaves[entries.lot, entries.side] = entries.at_m
    at = leaves[lot, side]
    mixed = (end - start > 24.0) & (random.random(len(lot)) < 0.5 * plots.centrality[lots.plot[lot]])
    stands = ~((at > start - _CLEAR_M) & (at < end + _CLEAR_M)) & (random.random(len(lot)) < 0.85) & (end - start > 6.0)
    lot, side, start, end, mixed = lot[stands], side[stands], start[stands], end[stands], mixed[stands]
    deep = np.where(mixed, SHOPS_M - 2.0, random.uniform(7.0, SHOPS_M - 2.0, len(lot)))
    levels = np.where(mixed, random.integers(5, 8, len(lot)), random.integers(1, 3, len(lot)))
    kind = np.where(mixed, "apartments", np.where(random.random(len(lot)) < 0.8, "retail", "commercial"))
    plot = lots.plot[lot]
    return build(
        plots.frames, plot, _box(lots.box_m[lot], side, start, end, deep), side,
        np.maximum((end - start) // 18.0, 1).astype(np.int64),
        kind=kind, levels=levels, cell=plots.cell[plot],
    )  # fmt: skip


def _stretch(lots: Lots, lot: LongArray, side: LongArray) -> tuple[FloatArray, FloatArray]:
    """Return from where to where a strip runs along its side: round the corner only on the south and north."""
    box, shops = lots.box_m[lot], lots.shops[lot]
    level = side % 2 == 0
    low = np.where(level, box[:, 0] - SHOPS_M * shops[:, 3], box[:, 1])
    high = np.where(level, box[:, 2] + SHOPS_M * shops[:, 1], box[:, 3])
    return low, high


def _box(wall: FloatArray, side: LongArray, start: FloatArray, end: FloatArray, deep: FloatArray) -> FloatArray:
    """Return (n, 4) boxes along the street's edge of the strips."""
    street = np.select(
        [side == 0, side == 1, side == 2],
        [wall[:, 1] - SHOPS_M, wall[:, 2] + SHOPS_M, wall[:, 3] + SHOPS_M],
        wall[:, 0] - SHOPS_M,
    )
    inner = np.where((side == 0) | (side == 3), street + deep, street - deep)
    near, far = np.minimum(street, inner), np.maximum(street, inner)
    level: BoolArray = side % 2 == 0
    return np.stack(
        [
            np.where(level, start, near),
            np.where(level, near, start),
            np.where(level, end, far),
            np.where(level, far, end),
        ],
        axis=1,
    )
