"""Fields and hills: a track from street to street, or a path that ends at the top, and a few houses by the road."""

from __future__ import annotations

import numpy as np

from lifecircle.model import BoolArray
from lifecircle.synthetic.blocks.parts import Houses, Part, build, strung, way_tags
from lifecircle.synthetic.blocks.plots import FRONT_M, Frames, Plots, each, on_side
from lifecircle.synthetic.programme import CELL_KINDS

_HOUSE_M = (9.0, 14.0)
_TRACKS = 0.45
"""Share of plots with a track or path."""
_ROADSIDE = 0.25
"""Share of streets along fields and hills with houses."""


def leave_open(plots: Plots, random: np.random.Generator) -> Part:
    """Return the houses and tracks of plots that are hardly built on."""
    frames, n = plots.frames, len(plots.cell)
    whole = np.stack([np.zeros(n), np.zeros(n), frames.width_m, frames.depth_m], axis=1)
    hills = plots.kind == CELL_KINDS.index("hills")
    street = plots.edge >= 0
    span = np.stack([frames.width_m, frames.depth_m] * 2, axis=1)

    # A track leads from one street to a second if there is one, a path from one alone; both leave the street in the
    # middle of a side, where no houses stand.
    through = np.flatnonzero(random.random(n) < _TRACKS)
    begins = street & (np.cumsum(street, axis=1) <= np.where(hills, 1, 2)[:, None])
    line, entered = np.nonzero(begins[through])
    plot = through[line]
    at = span[plot, entered] * random.uniform(0.4, 0.6, len(plot))
    joint = plots.joint(plot, entered, at)
    entry = frames.place(plot, *on_side(whole[plot], entered, at))
    inner_x, inner_y = (
        size[through] * random.uniform(0.35, 0.65, len(through)) for size in (frames.width_m, frames.depth_m)
    )
    second = np.diff(line, prepend=-1) == 0
    ways = strung(
        np.concatenate([line, line, np.arange(len(through))]),
        np.concatenate([np.where(second, 4, 0), np.where(second, 3, 1), np.full(len(through), 2)]),
        np.concatenate([joint, entry, frames.place(through, inner_x, inner_y)]),
        way_tags(np.where(hills[through], "path", "track"), "", len(through)),
    )

    return Part(_roadside(plots, hills, random), ways, plots.edge[plot, entered], joint)


def _roadside(plots: Plots, hills: BoolArray, random: np.random.Generator) -> Houses:
    """Return one to four houses along some of the streets, a tenth of the street apart, off its middle and ends."""
    often = np.where(hills, _ROADSIDE / 3, _ROADSIDE)[:, None]
    plot, side = np.nonzero((plots.edge >= 0) & (random.random(plots.edge.shape) < often))
    # The land along a street: x runs along it, y into the cell.
    begin, end = plots.corners_m[plot, side], plots.corners_m[plot, (side + 1) % 4]
    length = np.hypot(*(end - begin).T)
    along = Frames(begin, (end - begin) / length[:, None], length, np.full(len(length), _HOUSE_M[1]))
    of, k = each(random.integers(1, 5, len(plot)))
    n = len(of)
    at = length[of] * (0.2 + 0.1 * np.where(k < 2, k, k + 3))
    long, deep = random.uniform(*_HOUSE_M, (2, n))
    front = np.full(n, FRONT_M)
    box = np.stack([at - long / 2, front, at + long / 2, front + deep], axis=1)
    return build(along, of, box, np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64),
                 kind="house", levels=random.integers(1, 3, n), cell=plots.cell[plot[of]])  # fmt: skip
