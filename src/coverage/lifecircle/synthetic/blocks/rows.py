"""Lots filled with rows of buildings, a lane north of each row, and one or two ways that cross the lanes.

─┬────────────┬─ lane      The ways that cross the lanes ("spines") run in gaps between buildings. A lot is left
 │ ▆▆▆▆  ▆▆▆▆ │            at the south and north end of its first spine, and at either end of one lane.
─┼────────────┼─ lane
 │ ▆▆▆▆  ▆▆▆▆ │
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.blocks.lots import Lots
from lifecircle.synthetic.blocks.parts import Houses, all_houses, build, strung, way_tags
from lifecircle.synthetic.blocks.plots import Plots, each
from lifecircle.synthetic.blocks.uses import NUMBER, USES, figures
from lifecircle.synthetic.city import Lines

_SIDE_M, _SOUTH_M, _NORTH_M = 6.0, 9.0, 4.0
"""From the wall to the buildings on its west and east, to the first row, and from the last lane."""
_SHED_OFF_M, _SHED_DEPTH_M = 2.5, 3.0
_NORTH = 2
_EXTRA_M = 42.0
"""Greatest length of an extra building."""
_LARGE = 6
"""Places in a lot with an extra building."""
_CENTIMETRES = 2
"""Decimals of the places of ways: the ways of two lots come to the lane between them at one place, or well apart."""


_Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Layout(ReadOnlyArrays):
    """How the buildings of each lot stand. All arrays have a row for each lot; metres in the lot's plot."""

    columns: LongArray
    rows: LongArray
    length_m: FloatArray
    depth_m: FloatArray
    step_x_m: FloatArray
    step_y_m: FloatArray
    lane_m: FloatArray
    """From a building's north side to the lane."""
    spine: LongArray
    """(n, 2) how many buildings of a row stand west of each spine; the second is the first where there is one alone."""
    leaves_at_m: FloatArray
    """(n, 4) place along each side where a way leaves."""

    @property
    def out_row(self) -> LongArray:
        """(n,) the row whose lane leaves on the east and west."""
        return self.rows // 2


def lay_rows(lots: Lots, random: np.random.Generator) -> tuple[Lots, Layout]:
    """Fit rows into lots; lots in which not one building fits are left out."""
    length, depth, gap, clear = (
        random.uniform(*figures(name)[lots.use].T) for name in ("length_m", "depth_m", "gap_m", "clear_m")
    )
    lane = figures("lane_m")[lots.use]
    most = figures("most_rows")[lots.use]

    width = lots.box_m[:, 2] - lots.box_m[:, 0] - 2 * _SIDE_M
    columns = np.maximum(np.rint((width + gap) / (length + gap)), 1).astype(np.int64)
    # A building alone in its row leaves the spine room at its east.
    step_x = np.where(columns == 1, width, (width + gap) / columns)
    length = np.minimum(step_x - gap, 1.15 * length)

    height = lots.box_m[:, 3] - lots.box_m[:, 1] - _SOUTH_M - depth - lane - _NORTH_M
    rows = np.clip(np.floor(height / (depth + clear)) + 1, 0, most).astype(np.int64)
    step_y = np.minimum(height / np.maximum(rows - 1, 1), 1.15 * (depth + clear))

    fit = np.flatnonzero((rows > 0) & (length >= 0.5 * figures("length_m")[lots.use, 0]))
    columns, rows = columns[fit], rows[fit]
    # One spine in the middle, or one beside each of the outermost buildings.
    one = columns < 4
    spine = np.stack([np.where(one, (columns + 1) // 2, 1), np.where(one, (columns + 1) // 2, columns - 1)], axis=1)
    layout = Layout(
        columns, rows, length[fit], depth[fit], step_x[fit], step_y[fit], lane[fit], spine, np.zeros((len(fit), 4))
    )
    kept = lots.only(fit)
    x = _spine_x(kept, layout)[:, 0]
    y = _lane_y(kept, layout, np.arange(len(fit)), layout.out_row)
    return kept, replace(layout, leaves_at_m=np.stack([x, y, x, y], axis=1))


def row_houses(plots: Plots, lots: Lots, layout: Layout, random: np.random.Generator) -> Houses:
    """Set the buildings, numbered within their lot from the south-west."""
    lot, k = each(layout.columns * layout.rows)
    row, column = np.divmod(k, layout.columns[lot])
    extra = _extra(lots, layout, lot, row, column, random)
    inner = (row > 0) & (row < layout.rows[lot] - 1) & (column > 0) & (column < layout.columns[lot] - 1)
    green = inner & figures("green")[lots.use[lot]]
    stands = (extra >= 0) | (~green & (random.random(len(lot)) >= figures("empty")[lots.use[lot]]))
    lot, row, column, extra = lot[stands], row[stands], column[stands], extra[stands]

    use, plot = lots.use[lot], lots.plot[lot]
    length = np.where(extra >= 0, np.minimum(layout.length_m[lot], _EXTRA_M), layout.length_m[lot])
    west = lots.box_m[lot, 0] + _SIDE_M + column * layout.step_x_m[lot]
    south = lots.box_m[lot, 1] + _SOUTH_M + row * layout.step_y_m[lot]
    box = np.stack([west, south, west + length, south + layout.depth_m[lot]], axis=1)
    kind, name, levels = _kinds(use, extra, random.integers(0, 1 << 30, len(lots.use))[lot])
    number = pd.Series(extra < 0).groupby(lot).cumsum().astype(str)
    blocks = build(
        plots.frames, plot, box, np.full(len(lot), _NORTH),
        np.clip(np.rint(length / figures("unit_m")[use]), 1, 4).astype(np.int64),
        kind=kind, levels=levels, name=np.where((extra < 0) & (name != ""), number + name, name),
        cell=plots.cell[plot], compound=lot, court=np.where((extra < 0)[:, None], figures("court")[use], 0.0),
    )  # fmt: skip
    shed = (extra < 0) & (random.random(len(lot)) < figures("sheds")[use])
    return all_houses([blocks, _sheds(plots, lots, layout, lot[shed], box[shed])])


def row_ways(
    plots: Plots, lots: Lots, layout: Layout, leaves: BoolArray, gated: BoolArray, random: np.random.Generator
) -> Lines:
    """Return the ways inside lots: lanes and spines, which meet where they cross, up to where they leave the lot.

    Parameters
    ----------
    leaves
        (n, 4) whether a way leaves on each side.
    gated
        (n,) whether the lot's ways are for its own people.
    """
    n, box = len(lots.use), lots.box_m
    lot, row = each(layout.rows)
    first_lane = np.cumsum(layout.rows) - layout.rows
    lane_y = _lane_y(lots, layout, lot, row)
    spine_x = _spine_x(lots, layout)
    west = box[lot, 0] + _SIDE_M + np.minimum(layout.length_m[lot] / 2, 12.0)
    east = box[lot, 0] + _SIDE_M + (layout.columns - 1)[lot] * layout.step_x_m[lot] + layout.length_m[lot] / 2
    out = first_lane + layout.out_row
    to_west, to_east = out[leaves[:, 3]], out[leaves[:, 1]]
    lanes = np.arange(len(lot))
    line = np.concatenate([lanes, lanes, lanes, lanes, to_west, to_east])
    x = np.concatenate([west, east, spine_x[lot, 0], spine_x[lot, 1], box[lot[to_west], 0], box[lot[to_east], 2]])
    y = lane_y[line]
    where = lot[line]

    two = (layout.spine[:, 1] != layout.spine[:, 0])[lot]
    to_south, to_north = np.flatnonzero(leaves[:, 0]), np.flatnonzero(leaves[:, 2])
    spine = np.concatenate([lot, n + lot[two], to_south, to_north])
    of = spine % n if n else spine
    up = np.concatenate([lane_y, lane_y[two], box[to_south, 1], box[to_north, 3]])

    # The lanes of a park are for walking, those across a green too, and in some lots all but the outermost.
    park = lots.use == NUMBER["park"]
    green = figures("green")[lots.use]
    foot = park[lot] | ((green | (random.random(n) < 0.4))[lot] & (row > 0) & (row < layout.rows[lot] - 1))
    access = np.where(gated, "private", "")
    highway = np.where(np.concatenate([foot, park, park]), "footway", "service")
    tags = way_tags(highway, np.concatenate([access[lot], access, access]), len(highway))
    return strung(
        np.concatenate([line, len(lot) + spine]),
        np.concatenate([x, up]),
        plots.frames.place(
            lots.plot[np.concatenate([where, of])],
            np.concatenate([x, spine_x[of, spine // max(n, 1)]]),
            np.concatenate([y, up]),
        ),
        tags,
    )


def _extra(
    lots: Lots, layout: Layout, lot: LongArray, row: LongArray, column: LongArray, random: np.random.Generator
) -> LongArray:
    """Return which of its use's extra buildings stands at each place, -1 for none: one in the middle of large lots."""
    n = np.array([len(use.extra) for use in USES])[lots.use]
    which = np.where(
        (n > 0) & (layout.columns * layout.rows >= _LARGE), (random.random(len(n)) * n).astype(np.int64), -1
    )
    middle = (row == (layout.rows // 2)[lot]) & (column == (layout.columns // 2)[lot])
    return np.where(middle, which[lot], -1)


def _kinds(use: IntArray, extra: LongArray, draw: LongArray) -> tuple[_Texts, _Texts, LongArray]:
    """Return kind, name (without number) and levels of buildings, by use, extra building and their lot's draw."""
    kind, name = np.empty(len(use), dtype=object), np.empty(len(use), dtype=object)
    levels = np.empty(len(use), dtype=np.int64)
    for i, of_use in enumerate(USES):
        of = use == i
        kind[of], name[of] = of_use.kind, of_use.noun
        levels[of] = np.array(of_use.levels)[draw[of] % len(of_use.levels)]
        for e, figures_of in enumerate(of_use.extra):
            kind[of & (extra == e)], name[of & (extra == e)], levels[of & (extra == e)] = figures_of
    return kind, name, levels


def _sheds(plots: Plots, lots: Lots, layout: Layout, lot: LongArray, box: FloatArray) -> Houses:
    """Return a row of sheds on the far side of the lane before each of these buildings, where the garden has room."""
    near = box[:, 3] + layout.lane_m[lot] + _SHED_OFF_M
    room = box[:, 1] + layout.step_y_m[lot] - near >= _SHED_DEPTH_M + 4.0
    room &= near + _SHED_DEPTH_M + 2.0 <= lots.box_m[lot, 3]
    lot, box, near = lot[room], box[room], near[room]
    sheds = np.stack([box[:, 0] + 2.0, near, box[:, 2] - 2.0, near + _SHED_DEPTH_M], axis=1)
    plot = lots.plot[lot]
    return build(plots.frames, plot, sheds, np.zeros(len(lot), dtype=np.int64), np.ones(len(lot), dtype=np.int64),
                 kind="shed", levels=1, cell=plots.cell[plot], compound=lot)  # fmt: skip


def _spine_x(lots: Lots, layout: Layout) -> FloatArray:
    """Return (n, 2) x of the spines: in the middle of a gap between buildings."""
    gap = layout.step_x_m - layout.length_m
    west = lots.box_m[:, 0] + _SIDE_M
    return np.round(west[:, None] + layout.spine * layout.step_x_m[:, None] - gap[:, None] / 2, _CENTIMETRES)


def _lane_y(lots: Lots, layout: Layout, lot: LongArray, row: LongArray) -> FloatArray:
    """Return the y of the lanes north of these rows of these lots."""
    north = lots.box_m[lot, 1] + _SOUTH_M + row * layout.step_y_m[lot] + layout.depth_m[lot]
    return np.round(north + layout.lane_m[lot], _CENTIMETRES)
