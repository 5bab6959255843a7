"""Plots parted into lots, and the public lanes between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.blocks.parts import strung, way_tags
from lifecircle.synthetic.blocks.plots import Plots, Rows, each
from lifecircle.synthetic.blocks.uses import NUMBER, figures
from lifecircle.synthetic.city import Lines
from lifecircle.synthetic.programme import CELL_KINDS

BETWEEN_M = 12.0
"""From lot to lot, with a public lane in the middle."""
SHOPS_M = 13.0
"""Depth of the strip for shops between a lot's wall and the street."""
LEAST_M = 44.0
"""Smaller lots stay empty."""
FAR_M = 1e6
"""Beyond both ends of every lane."""

_LARGER = ("towers", "works")
"""Kinds of cells with larger lots than the others."""
_PUBLIC = ("school", "hospital", "mall", "park", "slabs", "slabs")


@dataclass(frozen=True, eq=False)
class Lots(ReadOnlyArrays):
    """Upright boxes in plots, each with one use; a lot's number is that of its compound."""

    plot: LongArray
    """(n,) row of the plots."""
    use: IntArray
    """(n,) row of `lifecircle.synthetic.blocks.uses.USES`."""
    box_m: FloatArray
    """(n, 4) west, south, east, north in the plot: where the wall stands."""
    lane: IntArray
    """(n, 4) public lane along each side, a row of `Lanes`; -1 where the plot ends."""
    leads: BoolArray
    """(n, 4) whether a street or lane runs along the side."""
    shops: BoolArray
    """(n, 4) whether a strip for shops lies before the side."""

    def only(self, rows: Rows | BoolArray) -> Lots:
        """Return these lots alone."""
        return Lots(
            self.plot[rows], self.use[rows], self.box_m[rows], self.lane[rows], self.leads[rows], self.shops[rows]
        )


@dataclass(frozen=True, eq=False)
class Lanes(ReadOnlyArrays):
    """Straight public lanes across plots, from side to side."""

    plot: LongArray
    north: BoolArray
    """Whether it runs north; else east."""
    at_m: FloatArray
    """Its x if it runs north, else its y."""


def part_plots(plots: Plots, random: np.random.Generator) -> tuple[Lots, Lanes]:
    """Part plots into lots: one to three across and one or two deep, public ones two by two.

    Lanes between lots lead to the plot's streets: where they all run one way, it is towards a street.
    """
    frames, (across, deep) = plots.frames, _counts(plots, random)
    wests, easts = _parted(frames.width_m, across, random)
    souths, norths = _parted(frames.depth_m, deep, random)
    plot, k = each(across * deep)
    column, row = k % across[plot], k // across[plot]
    of_column, of_row = (np.cumsum(count) - count for count in (across, deep))
    box = np.stack([wests[of_column[plot] + column], souths[of_row[plot] + row],
                    easts[of_column[plot] + column], norths[of_row[plot] + row]], axis=1)  # fmt: skip

    north_plot, north_k = each(across - 1)
    east_plot, east_k = each(deep - 1)
    lanes = Lanes(
        np.concatenate([north_plot, east_plot]),
        np.arange(len(north_plot) + len(east_plot)) < len(north_plot),
        np.concatenate([easts[of_column[north_plot] + north_k], norths[of_row[east_plot] + east_k]]) + BETWEEN_M / 2,
    )
    north_of, east_of = (np.cumsum(count - 1) - (count - 1) for count in (across, deep))
    west_lane = north_of[plot] + column - 1
    south_lane = len(north_plot) + east_of[plot] + row - 1
    lane = np.stack(
        [
            np.where(row > 0, south_lane, -1),
            np.where(column < across[plot] - 1, west_lane + 1, -1),
            np.where(row < deep[plot] - 1, south_lane + 1, -1),
            np.where(column > 0, west_lane, -1),
        ],
        axis=1,
    )
    street = plots.edge[plot] >= 0
    use = _uses(plots, plot, k, random)
    shops = (lane < 0) & street & (random.random((len(plot), 4)) < figures("shops")[use][:, None])
    box = box + np.where(shops, SHOPS_M, 0.0)[:, [3, 0, 1, 2]] * [1.0, 1.0, -1.0, -1.0]
    large = np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) >= LEAST_M
    return Lots(plot, use, box, lane.astype(np.int32), (lane >= 0) | street, shops).only(large), lanes


def lane_ways(plots: Plots, lanes: Lanes, met: IntArray, met_at_m: FloatArray) -> tuple[Lines, IntArray, FloatArray]:
    """Return the public lanes as ways, and the streets that they join and where.

    Parameters
    ----------
    met, met_at_m
        (n,) lanes that other ways come to, and their places along them, metres.
    """
    n = len(lanes.plot)
    northward, eastward = np.flatnonzero(lanes.north), np.flatnonzero(~lanes.north)
    first, stop = (np.searchsorted(lanes.plot[eastward], lanes.plot[northward], side=s) for s in ("left", "right"))
    of, k = each(stop - first)
    crossing, crossed = northward[of], eastward[first[of] + k]

    line = np.concatenate([crossing, crossed, met])
    along = np.concatenate([lanes.at_m[crossed], lanes.at_m[crossing], met_at_m])
    across, north = lanes.at_m[line], lanes.north[line]
    xy = plots.frames.place(lanes.plot[line], np.where(north, across, along), np.where(north, along, across))

    # A lane that no other way comes to is not built.
    sides = np.stack([np.where(lanes.north, 0, 3), np.where(lanes.north, 2, 1)], axis=1)
    joins = (np.bincount(line, minlength=n) > 0)[:, None] & (plots.edge[lanes.plot[:, None], sides] >= 0)
    end, which = np.nonzero(joins)
    side = sides[end, which]
    joint = plots.joint(lanes.plot[end], side, lanes.at_m[end])
    ways = strung(
        np.concatenate([line, end]),
        np.concatenate([along, np.where(which == 0, -FAR_M, FAR_M)]),
        np.concatenate([xy, joint]),
        way_tags("service", "", n),
    )
    return ways, plots.edge[lanes.plot[end], side], joint


def _counts(plots: Plots, random: np.random.Generator) -> tuple[LongArray, LongArray]:
    """Return how many lots each plot has across and how many deep."""
    n, width, depth = len(plots.cell), plots.frames.width_m, plots.frames.depth_m
    larger = np.where(np.isin(plots.kind, [CELL_KINDS.index(kind) for kind in _LARGER]), 1.7, 1.0)
    across = np.clip(np.rint(width / (larger * random.uniform(130, 300, n))), 1, 3).astype(np.int64)
    deep = np.clip(np.rint(depth / (larger * random.uniform(130, 260, n))), 1, 2).astype(np.int64)
    public, street = plots.kind == CELL_KINDS.index("public"), plots.edge >= 0
    across, deep = np.where(public, 2, across), np.where(public, 2, deep)
    turn = ((deep == 1) & ~street[:, [0, 2]].any(axis=1)) | ((across == 1) & ~street[:, [1, 3]].any(axis=1))
    return np.where(turn, deep, across), np.where(turn, across, deep)


def _parted(length_m: FloatArray, count: LongArray, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return where the pieces of each length begin and end, with `BETWEEN_M` from one to the next."""
    row, k = each(count)
    size = random.uniform(0.85, 1.15, len(row))
    size *= ((length_m - (count - 1) * BETWEEN_M) / np.bincount(row, weights=size, minlength=len(count)))[row]
    before = np.cumsum(size) - size
    start = before - before[np.cumsum(count) - count][row] + k * BETWEEN_M
    return start, start + size


def _uses(plots: Plots, plot: LongArray, k: LongArray, random: np.random.Generator) -> IntArray:
    """Return the use of each lot: that of its cell, or of the public ones another for each lot but housing twice."""
    of_kind = np.array([NUMBER.get(name, -1) for name in CELL_KINDS])
    choice = np.array([NUMBER[name] for name in _PUBLIC])
    shuffled = np.argsort(random.random((len(plots.cell), len(_PUBLIC))), axis=1)
    own = of_kind[plots.kind[plot]]
    return np.where(own >= 0, own, choice[shuffled[plot, np.minimum(k, len(_PUBLIC) - 1)]]).astype(np.int32)
