"""Where lots are entered: their walls, their gates, and the short public ways from there to a street or lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.blocks.lots import Lanes, Lots
from lifecircle.synthetic.blocks.parts import GATE_TAGS, strung, way_tags
from lifecircle.synthetic.blocks.plots import Plots, on_side
from lifecircle.synthetic.blocks.uses import figures
from lifecircle.synthetic.city import Lines

GATE_M = 6.0
"""Width of the opening in a wall."""

_SIDE_GATES = (("", ""), ("Mo-Su 06:00-22:00", ""), ("", "yes"))
"""Opening hours, and whether it is locked for good."""
_SIDE_GATE_SHARES = (0.4, 0.35, 0.25)


@dataclass(frozen=True, eq=False)
class Entries(ReadOnlyArrays):
    """Places where ways leave lots, by lot: the first of each is never locked."""

    lot: LongArray
    side: LongArray
    at_m: FloatArray
    """Along the side."""
    first: BoolArray


def choose_entries(lots: Lots, leaves_at_m: FloatArray, random: np.random.Generator) -> Entries:
    """Choose the sides on which ways leave each lot, among those with a street or lane; streets come first.

    Parameters
    ----------
    leaves_at_m
        (n, 4) place along each side where a way can leave.
    """
    most, never_walled = figures("exits")[lots.use], figures("walled")[lots.use] == 0.0
    width, depth = lots.box_m[:, 2] - lots.box_m[:, 0], lots.box_m[:, 3] - lots.box_m[:, 1]
    by_area = np.clip(np.rint(width * depth / 9000.0 + random.uniform(0.0, 1.0, len(most))), 1, most)
    wanted = np.where(never_walled, most, by_area)
    liking = np.where(lots.leads, random.random(lots.leads.shape) + 0.5 * (lots.lane < 0), -1.0)
    order = np.argsort(-liking, axis=1, kind="stable")
    lot, place = np.nonzero((np.arange(4) < wanted[:, None]) & (np.take_along_axis(liking, order, axis=1) >= 0))
    side = order[lot, place]
    return Entries(lot, side, leaves_at_m[lot, side], place == 0)


def gates(
    plots: Plots, lots: Lots, entries: Entries, gated: BoolArray, random: np.random.Generator
) -> tuple[pd.DataFrame, FloatArray]:
    """Return the gates of walled lots and where they stand; one of each lot is open to its people at all hours."""
    rows = np.flatnonzero(gated[entries.lot])
    lot, side = entries.lot[rows], entries.side[rows]
    first = entries.first[rows]
    kind = np.where(first, 0, random.choice(len(_SIDE_GATES), len(rows), p=_SIDE_GATE_SHARES))
    hours, locked = np.array(_SIDE_GATES)[kind].T
    # Half the main gates have a guard, who lets strangers in to those whom they visit.
    guarded = first & (random.random(len(rows)) < 0.5)
    columns = ("gate", np.where(guarded, "private", ""), hours, locked)
    tags = pd.DataFrame({"compound": lot, **dict(zip(GATE_TAGS, columns, strict=True))})
    return tags, plots.frames.place(lots.plot[lot], *on_side(lots.box_m[lot], side, entries.at_m[rows]))


def walls(plots: Plots, lots: Lots, entries: Entries, gated: BoolArray) -> Lines:
    """Return the walls of gated lots, from one gate round the corners to the next."""
    box = lots.box_m
    width, depth = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    round_m = np.stack([np.zeros(len(box)), width, width + depth, 2 * width + depth], axis=1)
    rows = np.flatnonzero(gated[entries.lot])
    lot, side, at = entries.lot[rows], entries.side[rows], entries.at_m[rows]
    # Places on the wall are metres round the lot from its south-west corner, counter-clockwise, as sides are numbered;
    # what lies before the first gate comes once more round, after the last one.
    from_corner = np.select(
        [side == 0, side == 1, side == 2], [at - box[lot, 0], at - box[lot, 1], box[lot, 2] - at], box[lot, 3] - at
    )
    gate_at = round_m[lot, side] + from_corner
    all_round = 2 * (width + depth)
    start = np.full(len(box), np.inf)
    np.minimum.at(start, lot, gate_at)

    corner_lot = np.repeat(np.flatnonzero(gated), 4)
    corner_at = round_m[gated].ravel()
    corner_at = corner_at + np.where(corner_at < start[corner_lot], all_round[corner_lot], 0.0)
    corner_xy = plots.frames.boxes(lots.plot[gated], box[gated]).reshape(-1, 2)
    last = gate_at <= start[lot]
    ends_at = np.concatenate([gate_at + GATE_M / 2, np.where(last, gate_at + all_round[lot], gate_at) - GATE_M / 2])
    xs, ys = zip(*(_past(box[lot], side, at, by) for by in (GATE_M / 2, -GATE_M / 2)), strict=True)
    end_xy = plots.frames.place(np.tile(lots.plot[lot], 2), np.concatenate(xs), np.concatenate(ys))

    of = np.concatenate([corner_lot, lot, lot])
    along = np.concatenate([corner_at, ends_at])
    begins = np.repeat([False, True, False], [len(corner_lot), len(lot), len(lot)])
    order = np.lexsort((along, of))
    piece = np.cumsum(begins[order]) - 1
    xy = np.concatenate([corner_xy, end_xy])[order]
    return strung(
        piece,
        np.arange(len(piece), dtype=np.float64),
        xy,
        pd.DataFrame({"barrier": "wall"}, index=pd.RangeIndex(len(lot))),
    )


def approaches(plots: Plots, lots: Lots, lanes: Lanes, entries: Entries) -> tuple[Lines, IntArray, FloatArray]:
    """Return the ways from where a lot is left to the street or lane, and the streets that they join and where."""
    lot, side, at = entries.lot, entries.side, entries.at_m
    plot, lane = lots.plot[lot], lots.lane[lot, side]
    gate = plots.frames.place(plot, *on_side(lots.box_m[lot], side, at))
    joins = lane < 0
    joint = plots.joint(plot[joins], side[joins], at[joins])
    there = np.empty_like(gate)
    there[joins] = joint
    on = lane[~joins]
    north = lanes.north[on]
    there[~joins] = plots.frames.place(
        plot[~joins], np.where(north, lanes.at_m[on], at[~joins]), np.where(north, at[~joins], lanes.at_m[on])
    )
    n = len(lot)
    ways = strung(
        np.tile(np.arange(n), 2), np.repeat([0, 1], n), np.concatenate([gate, there]), way_tags("service", "", n)
    )
    return ways, plots.edge[plot[joins], side[joins]], joint


def _past(box: FloatArray, side: LongArray, at: FloatArray, by_m: float) -> tuple[FloatArray, FloatArray]:
    """Return the points that lie ``by_m`` further round the boxes than the places ``at`` along their sides."""
    return on_side(box, side, at + np.where(side < 2, by_m, -by_m))
