"""The ground that blocks are drawn on: an upright rectangle inside each quad, and the streets on its four sides.

Everything inside a plot is drawn in metres from its south-west corner, x to the east and y to the north of its own
axes. Sides are numbered as in `lifecircle.synthetic.city.Cells`: 0 south, 1 east, 2 north, 3 west. A place along a side
is an x on the south and north side and a y on the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.city import Cells
from lifecircle.synthetic.edges import BRIDGE, UNDERPASS, behind_railway
from lifecircle.synthetic.streets import RAILWAY_OFF_M

FRONT_M = 15.0
"""From the middle of a main street to the houses along it, metres."""

Rows = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Frames(ReadOnlyArrays):
    """Upright rectangles: row ``i`` spans ``width_m[i]`` by ``depth_m[i]`` from its south-west corner."""

    origin_m: FloatArray
    """(n, 2)."""
    east: FloatArray
    """(n, 2) unit vector along x."""
    width_m: FloatArray
    depth_m: FloatArray

    @classmethod
    def inside(cls, quads_m: FloatArray, margin_m: float) -> Frames:
        """Return in each of (n, 4, 2) convex quads, south-west first, the rectangle along the quad's mean axes.

        It keeps ``margin_m`` off all four sides; width and depth are negative where there is no room for it.
        """
        along = quads_m[:, 1] - quads_m[:, 0] + quads_m[:, 2] - quads_m[:, 3]
        east = along / np.hypot(along[:, 0], along[:, 1])[:, None]
        x = np.einsum("nkc,nc->nk", quads_m, east)
        y = quads_m[:, :, 1] * east[:, None, 0] - quads_m[:, :, 0] * east[:, None, 1]
        west, right = np.maximum(x[:, 0], x[:, 3]) + margin_m, np.minimum(x[:, 1], x[:, 2]) - margin_m
        south, top = np.maximum(y[:, 0], y[:, 1]) + margin_m, np.minimum(y[:, 2], y[:, 3]) - margin_m
        origin = np.stack([west * east[:, 0] - south * east[:, 1], west * east[:, 1] + south * east[:, 0]], axis=1)
        return cls(origin, east, right - west, top - south)

    @property
    def north(self) -> FloatArray:
        """(n, 2) unit vector along y."""
        return np.stack([-self.east[:, 1], self.east[:, 0]], axis=1)

    def only(self, rows: Rows | BoolArray) -> Frames:
        """Return these rectangles alone."""
        return Frames(self.origin_m[rows], self.east[rows], self.width_m[rows], self.depth_m[rows])

    def place(self, row: Rows, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return (n, 2) where the points ``x, y`` of these rows lie on the land."""
        along, across = x[:, None] * self.east[row], y[:, None] * self.north[row]
        return np.asarray(self.origin_m[row] + along + across, dtype=np.float64)

    def boxes(self, row: Rows, box: FloatArray) -> FloatArray:
        """Return (n, 4, 2) corners, south-west first, of (n, 4) boxes: west, south, east, north."""
        xs, ys = box[:, [0, 2, 2, 0]], box[:, [1, 1, 3, 3]]
        return self.place(np.repeat(row, 4), xs.ravel(), ys.ravel()).reshape(-1, 4, 2)


@dataclass(frozen=True, eq=False)
class Plots(ReadOnlyArrays):
    """The cells that something is built on."""

    frames: Frames
    cell: IntArray
    """(n,) row of the cells."""
    kind: IntArray
    """(n,) row of `lifecircle.synthetic.programme.CELL_KINDS`."""
    centrality: FloatArray
    corners_m: FloatArray
    """(n, 4, 2)."""
    edge: IntArray
    """(n, 4) main street on each side that a way can join, -1 for none."""

    @classmethod
    def of(cls, cells: Cells, least_m: float) -> Plots:
        """Return the plots that measure ``least_m`` both ways and have a street on some side, in the order of cells.

        A way joins a street where it lies open; only where there is no other, below the railway; never on a bridge.
        """
        over = np.append(cells.edge_bridge, BRIDGE)[cells.edge_of_side]
        lies_open = over == 0
        joins = np.where(lies_open.any(axis=1, keepdims=True), lies_open, over == UNDERPASS)
        behind = behind_railway(cells)
        quads = cells.corners_m.copy()
        quads[behind, 2:] += _towards(quads[behind, 2:], quads[behind, 1::-1], RAILWAY_OFF_M)
        frames = Frames.inside(quads, FRONT_M)
        every = cls(
            frames=frames,
            cell=np.arange(len(quads), dtype=np.int32),
            kind=cells.kind,
            centrality=cells.centrality,
            corners_m=cells.corners_m,
            edge=np.where(joins, cells.edge_of_side, -1).astype(np.int32),
        )
        return every.only(joins.any(axis=1) & (np.minimum(frames.width_m, frames.depth_m) >= least_m))

    def only(self, rows: Rows | BoolArray) -> Plots:
        """Return these plots alone."""
        return Plots(
            frames=self.frames.only(rows),
            cell=self.cell[rows],
            kind=self.kind[rows],
            centrality=self.centrality[rows],
            corners_m=self.corners_m[rows],
            edge=self.edge[rows],
        )

    def at_most(self, most_m: float, random: np.random.Generator) -> Plots:
        """Return the plots cut down to ``most_m`` each way, at a street where there is one that way.

        Streets from which the cut moves a plot away are its own no longer.
        """
        f = self.frames
        origin, edge = f.origin_m, self.edge.copy()
        for size, low, high, axis in ((f.width_m, 3, 1, f.east), (f.depth_m, 0, 2, f.north)):
            cut = np.maximum(size - most_m, 0.0)
            has_low, has_high = edge[:, low] >= 0, edge[:, high] >= 0
            to_low = has_low & (~has_high | (random.random(len(cut)) < 0.5))
            origin = origin + (cut * np.where(to_low, 0.0, np.where(has_high, 1.0, 0.5)))[:, None] * axis
            edge[(cut > 0) & ~to_low, low] = -1
            edge[(cut > 0) & to_low, high] = -1
        frames = Frames(origin, f.east, np.minimum(f.width_m, most_m), np.minimum(f.depth_m, most_m))
        return replace(self, frames=frames, edge=edge)

    def joint(self, row: Rows, side: Rows, at: FloatArray) -> FloatArray:
        """Return (n, 2) points of the streets straight across from the place ``at`` along these sides."""
        a, b = self.corners_m[row, side], self.corners_m[row, (side + 1) % 4]
        origin = self.frames.origin_m[row]
        axis = np.where((side % 2 == 0)[:, None], self.frames.east[row], self.frames.north[row])
        start, length = ((a - origin) * axis).sum(axis=1), ((b - a) * axis).sum(axis=1)
        return np.asarray(a + ((at - start) / length)[:, None] * (b - a), dtype=np.float64)


def _towards(from_m: FloatArray, to_m: FloatArray, by_m: float) -> FloatArray:
    """Return the vectors of length ``by_m`` from some points to others."""
    way = to_m - from_m
    return np.asarray(by_m * way / np.linalg.norm(way, axis=-1, keepdims=True), dtype=np.float64)


def on_side(
    box: FloatArray, side: Rows, at: FloatArray, inward_m: FloatArray | float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Return x and y of the place ``at`` along a side of (n, 4) boxes, ``inward_m`` from the side."""
    x = np.select([side == 1, side == 3], [box[:, 2] - inward_m, box[:, 0] + inward_m], at)
    y = np.select([side == 0, side == 2], [box[:, 1] + inward_m, box[:, 3] - inward_m], at)
    return x, y


def each(count: Rows) -> tuple[LongArray, LongArray]:
    """Return ``0 .. count[i] - 1`` for every row ``i``, end to end: the rows, and the numbers within them."""
    row = np.repeat(np.arange(len(count)), count)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)


def divided(
    length_m: FloatArray, count: Rows, random: np.random.Generator, spread: float
) -> tuple[LongArray, FloatArray, FloatArray]:
    """Part each length into ``count`` pieces, none more than ``spread`` from the mean before they are fitted.

    Returns
    -------
    row, start, end
        Of each piece, end to end; metres from the beginning of the length.
    """
    row, k = each(count)
    size = random.uniform(1.0 - spread, 1.0 + spread, len(row))
    total = np.bincount(row, weights=size, minlength=len(count))
    until = np.cumsum(size) - np.append(0.0, np.cumsum(total))[row]
    scale = (length_m / np.where(total > 0, total, 1.0))[row]
    return row, np.where(k == 0, 0.0, until - size) * scale, until * scale
