"""The old town and villages: a mesh of public lanes, slightly bent, and two rows of houses in each of its meshes.

   i = 0    1     2     3         The lanes i (north) and j (east) of a plot cross at its point (i, j). Along a main
j=2  ┌─────┬─────┬─────┐          street there is no lane: the outermost houses face the street, and the lanes that
     │▪▪▪▪▪│▪▪▪▪▪│▪▪▪▪▪│          cross it lead into it, at the points that lie one beyond the mesh. A village fills
j=1  ├─────┼─────┼─────┤          the middle of its plot, with its hall, and has a road or two to the streets.
     │▪▪▪▪▪│▪▪▪▪▪│▪▪▪▪▪│
j=0  └─────┴─────┴─────┘
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.blocks.parts import Houses, Part, all_lines, build, runs, way_tags
from lifecircle.synthetic.blocks.plots import Frames, Plots, divided, each
from lifecircle.synthetic.city import Lines
from lifecircle.synthetic.programme import CELL_KINDS, VILLAGE_M

_LANE_M = 3.0
"""From the middle of a lane to the houses."""
_BETWEEN_M = 0.8
_YARD_M = 2.0
"""Least distance between the backs of two rows of houses."""
_HALL = "党群服务中心"
"""The public hall of a village."""


@dataclass(frozen=True, eq=False)
class Mesh(ReadOnlyArrays):
    """The lattices of several plots, each with one ring of points beyond it, on the streets around."""

    village: BoolArray
    """(n_plots,)."""
    across: LongArray
    """(n_plots,) meshes from west to east."""
    deep: LongArray
    first: LongArray
    """(n_plots,) row of the point (-1, -1); j counts faster."""
    point_m: FloatArray
    built: BoolArray
    """(n_points,) whether houses stand in the mesh that a point is the south-western one of."""

    def point(self, plot: LongArray, i: LongArray, j: LongArray) -> LongArray:
        """Return the rows of points."""
        return self.first[plot] + (i + 1) * (self.deep[plot] + 3) + j + 1


def weave(plots: Plots, random: np.random.Generator, *, village_m: tuple[float, float] = VILLAGE_M) -> Part:
    """Return the houses and lanes of old towns and villages; these reach so far from their middle, east and north."""
    mesh = _mesh(plots, village_m, random)
    # A village is left towards one street, or two.
    liking = np.where(plots.edge >= 0, random.random(plots.edge.shape), -1.0)
    out = (liking >= 0) & ((liking == liking.max(axis=1, keepdims=True)) | (liking > 0.7))
    lines, edges, joints = zip(*(_lanes(plots, mesh, out, north) for north in (False, True)), strict=True)
    return Part(_houses(plots, mesh, random), all_lines(lines), np.concatenate(edges), np.concatenate(joints))


def _mesh(plots: Plots, village_m: tuple[float, float], random: np.random.Generator) -> Mesh:
    frames, n = plots.frames, len(plots.cell)
    village = plots.kind == CELL_KINDS.index("village")
    wide = np.where(village, random.uniform(60, 85, n), random.uniform(62, 105, n))
    high = np.where(village, random.uniform(42, 52, n), random.uniform(29, 35, n))
    across = np.maximum(np.rint(frames.width_m / wide), 2).astype(np.int64)
    deep = np.maximum(np.rint(frames.depth_m / high), 2).astype(np.int64)
    points = (across + 3) * (deep + 3)
    plot, k = each(points)
    i, j = np.divmod(k, deep[plot] + 3)
    i, j = i - 1, j - 1
    share_x, share_y = np.clip(i / across[plot], 0, 1), np.clip(j / deep[plot], 0, 1)
    # Lanes swing once from side to side, and each crossing lies a little off.
    phase, swing = random.random((2, n)), random.uniform(3.0, 9.0, (2, n))
    bend_x = swing[0, plot] * np.sin(2 * np.pi * (share_y + phase[0, plot])) + random.uniform(-3.0, 3.0, len(plot))
    bend_y = swing[1, plot] * np.sin(2 * np.pi * (share_x + phase[1, plot])) + random.uniform(-2.0, 2.0, len(plot))
    x = frames.width_m[plot] * share_x + np.where((share_x > 0) & (share_x < 1), bend_x, 0.0)
    y = frames.depth_m[plot] * share_y + np.where((share_y > 0) & (share_y < 1), bend_y, 0.0)
    # The points beyond the mesh are where its outermost ones meet the streets.
    first = np.cumsum(points) - points
    inner = first[plot] + (np.clip(i, 0, across[plot]) + 1) * (deep[plot] + 3) + np.clip(j, 0, deep[plot]) + 1
    x, y = x[inner], y[inner]
    side = np.select([j < 0, i > across[plot], j > deep[plot], i < 0], [0, 1, 2, 3], -1)[:, None]
    joint = plots.joint(plot, np.maximum(side[:, 0], 0), np.where(side[:, 0] % 2 == 0, x, y))
    point = np.where(side < 0, frames.place(plot, x, y), joint)
    # Houses stand in all meshes of the old town; a village is round, or the one mesh in its middle.
    off = np.stack([(i + 0.5) / across[plot], (j + 0.5) / deep[plot]]) - 0.5
    reach = random.uniform(*village_m, (2, n)) / np.stack([frames.width_m, frames.depth_m])
    middle = (i == across[plot] // 2) & (j == deep[plot] // 2)
    round_ = ((off / reach[:, plot]) ** 2).sum(axis=0) < 1.0
    built = (np.abs(off) < 0.5).all(axis=0) & (~village[plot] | round_ | middle)
    return Mesh(village, across, deep, first, point, built)


def _lanes(plots: Plots, mesh: Mesh, out: BoolArray, north: bool) -> tuple[Lines, IntArray, FloatArray]:
    """Return the lanes that run north, or those that run east, and the streets that they join and where.

    Piece ``r`` of a lane runs from its point ``r`` to the next; the pieces before the first and after the last point of
    the mesh lead to the street. A lane ends where no house stands beside it.

    Parameters
    ----------
    out
        (n_plots, 4) sides to whose streets a village has a road.
    """
    count, other = (mesh.deep, mesh.across) if north else (mesh.across, mesh.deep)
    low, high, before, after = (0, 2, 3, 1) if north else (3, 1, 0, 2)
    plot, k = each((count + 2) * (other + 1))
    lane, r = np.divmod(k, count[plot] + 2)
    r = r - 1
    count, other, village, street = count[plot], other[plot], mesh.village[plot], plots.edge[plot] >= 0
    one = np.ones_like(r)
    begin = mesh.point(plot, *((lane, r) if north else (r, lane)))
    end = mesh.point(plot, *((lane, r + one) if north else (r + one, lane)))
    left = mesh.point(plot, *((lane - one, r) if north else (r, lane - one)))

    outer, side = (r < 0) | (r == count), np.where(r < 0, low, high)
    middle = lane == other // 2
    road = village & middle & np.where(r < count // 2, out[plot, low], out[plot, high])
    wide = north | ((lane - other // 2) % 3 == 0)
    leads_out = np.where(village, road, wide) & (lane > 0) & (lane < other) & street[np.arange(len(r)), side]
    along_street = ((lane == 0) & street[:, before]) | ((lane == other) & street[:, after])
    stands = np.where(outer, leads_out, ((mesh.built[begin] | mesh.built[left]) & ~along_street) | road)

    rows = np.flatnonzero(stands)
    of_village = np.where(road | middle, "residential", np.where(lane % 2 == 0, "track", "footway"))
    highway = np.where(village, of_village, np.where(wide, "living_street", "footway"))
    number = np.cumsum(r < 0, dtype=np.int64)
    ways = runs(number[rows], r[rows], begin[rows], end[rows], mesh.point_m, way_tags(highway[rows], "", len(rows)))
    joins = np.flatnonzero(stands & outer)
    return ways, plots.edge[plot[joins], side[joins]], mesh.point_m[np.where(r < 0, begin, end)[joins]]


def _houses(plots: Plots, mesh: Mesh, random: np.random.Generator) -> Houses:
    """Return two rows of houses in each mesh, back to back: one faces the lane south of it, one that to the north."""
    points = np.flatnonzero(mesh.built)
    plot = np.searchsorted(mesh.first, points, side="right") - 1
    column = mesh.deep[plot] + 3
    frames = Frames.inside(
        mesh.point_m[np.stack([points, points + column, points + column + 1, points + 1], axis=1)], _LANE_M
    )
    village = mesh.village[plot]
    deep = np.where(village, random.uniform(9.0, 11.5, len(points)), random.uniform(8.0, 12.0, len(points)))
    n_rows = np.select([frames.depth_m >= 2 * deep + _YARD_M, frames.depth_m >= deep], [2, 1], 0)
    n_rows = np.where(frames.width_m > 12.0, n_rows, 0)
    of, north = each(n_rows)
    lot_m = np.where(village, random.uniform(15.0, 21.0, len(points)), random.uniform(10.0, 18.0, len(points)))[of]
    width = frames.width_m[of]
    row, start, end = divided(width, np.maximum(width // lot_m, 1).astype(np.int64), random, 0.35)
    stands = random.random(len(row)) < np.where(village, 0.9, 0.84)[of[row]]
    row, start, end = row[stands], start[stands], end[stands]
    of, north = of[row], north[row] == 1
    village, plot = village[of], plot[of]
    n = len(of)

    # A farmhouse leaves a part of its lot for a yard at its side; town houses stand wall to wall.
    end = np.where(village, start + (end - start) * random.uniform(0.6, 0.8, n), end - _BETWEEN_M)
    back = deep[of] * random.uniform(0.72, 1.0, n)
    south_y = np.where(north, frames.depth_m[of] - back, 0.0)
    box = np.stack([start, south_y, end, south_y + back], axis=1)
    kind, levels = _kinds(village, plots.centrality[plot], random)
    hall = _nearest_to_middle(frames.place(of, (start + end) / 2, south_y), plots.frames, plot, village)
    kind[hall], levels[hall] = "civic", 2
    name = np.where(np.isin(np.arange(n), hall), _HALL, "")
    doors = np.where((kind == "apartments") & (end - start > 14.0), 2, 1)
    return build(
        frames, of, box, np.where(north, 2, 0), doors, kind=kind, levels=levels, cell=plots.cell[plot], name=name
    )


def _nearest_to_middle(at_m: FloatArray, plots: Frames, plot: LongArray, among: BoolArray) -> LongArray:
    """Return the rows of the points nearest to the middle of their plots, one to each plot that has some ``among``."""
    middle_m = plots.place(plot, plots.width_m[plot] / 2, plots.depth_m[plot] / 2)
    rows = np.flatnonzero(among)
    rows = rows[np.lexsort((np.hypot(*(at_m - middle_m)[rows].T), plot[rows]))]
    return rows[np.unique(plot[rows], return_index=True)[1]]


def _kinds(village: BoolArray, centrality: FloatArray, random: np.random.Generator) -> tuple[np.ndarray, IntArray]:
    """Return kind and levels of houses: farmhouses, or what an old town is a mixture of."""
    draw, n = random.random(len(village)), len(village)
    shop = draw < np.where(village, 0.02, 0.06 + 0.08 * centrality)
    flats = ~village & (draw > 0.88)
    kind = np.select([shop, flats, village], ["retail", "apartments", "house"], "terrace")
    levels = np.select(
        [flats, village],
        [random.integers(3, 5, n), random.integers(1, 3, n)],
        random.choice(3, n, p=(0.45, 0.4, 0.15)) + 1,
    )
    return kind, levels.astype(np.int32)
