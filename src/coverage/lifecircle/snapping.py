"""Places onto the network: each attaches to the nearest permitted segment whose leg crosses no obstacle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import MAX_ACCESS_M, BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.network import WalkNetwork, quantised

TOLERANCE_M = 1e-6
"""Metres within which two distances are the same when a place is snapped."""

TOUCH_M = 1e-3
"""Metres at both ends of a leg at which it may touch a barrier: a home on a wall, a street along one."""

STUCK_AT_ONCE = 2000
"""Points whose legs are looked at together when the nearest is blocked: bounds the memory."""


@dataclass(frozen=True, eq=False)
class Snaps(ReadOnlyArrays):
    """Places on a network, one row for each point by which a place can be left: a building may have several.

    Row ``i`` belongs to ``place[i]`` (ascending), attaches at ``fraction[i]`` of ``segment[i]`` over a straight leg of
    ``access_m[i]`` that ends at ``xy_m[i]``; ``blocked[i]`` where that leg cannot but cross an obstacle. A place
    without a row is unsnappable. ``building`` (n_places,) numbers the building that each place is in, -1 for none: two
    places in one building are 0 apart.
    """

    place: IntArray
    segment: IntArray
    fraction: FloatArray
    access_m: FloatArray
    xy_m: FloatArray
    blocked: BoolArray
    building: IntArray

    @property
    def n_places(self) -> int:
        """How many places there are."""
        return len(self.building)

    @property
    def snapped(self) -> BoolArray:
        """(n_places,) whether the place has a leg to the network at all."""
        return np.bincount(self.place, minlength=self.n_places) > 0

    def take(self, places: npt.ArrayLike) -> Snaps:
        """Return these places (distinct), numbered from 0 in this order."""
        places = np.asarray(places, dtype=np.int64)
        number = np.full(self.n_places, -1, dtype=np.int32)
        number[places] = np.arange(len(places), dtype=np.int32)
        rows = np.flatnonzero(number[self.place] >= 0)
        rows = rows[np.argsort(number[self.place[rows]], kind="stable")]
        return Snaps(
            place=number[self.place[rows]],
            segment=self.segment[rows],
            fraction=self.fraction[rows],
            access_m=self.access_m[rows],
            xy_m=self.xy_m[rows],
            blocked=self.blocked[rows],
            building=self.building[places],
        )

    def followed_by(self, others: Snaps) -> Snaps:
        """Return these places, then ``others``, numbered on."""
        return Snaps(
            place=np.concatenate([self.place, others.place + np.int32(self.n_places)]),
            segment=np.concatenate([self.segment, others.segment]),
            fraction=np.concatenate([self.fraction, others.fraction]),
            access_m=np.concatenate([self.access_m, others.access_m]),
            xy_m=np.concatenate([self.xy_m, others.xy_m]),
            blocked=np.concatenate([self.blocked, others.blocked]),
            building=np.concatenate([self.building, others.building]),
        )

    def in_buildings(self, building: npt.ArrayLike) -> Snaps:
        """Return the same snaps with each place in the building of this number (-1: none)."""
        return replace(self, building=np.asarray(building, dtype=np.int32))


def snap(
    network: WalkNetwork,
    xy_m: npt.ArrayLike,
    *,
    max_access_m: float = MAX_ACCESS_M,
    barriers: npt.ArrayLike | None = None,
    own: npt.ArrayLike | None = None,
    place: npt.ArrayLike | None = None,
    n_places: int | None = None,
) -> Snaps:
    """Attach points to the nearest permitted segment whose leg crosses no barrier.

    Closures play no part: a place keeps its segment whatever is closed, so closing never shortens a walk.

    Parameters
    ----------
    xy_m
        (n, 2) points, metres in the network's CRS.
    max_access_m
        Longest leg, metres, inclusive.
    barriers
        Lines and polygons (shapely) that a leg must not cross. A polygon that holds the point is no barrier to it, and
        a leg may run along the outside of one. A line must not be met but at the leg's two ends.
    own
        (n,) number of the barrier that is the point's own building, -1 for none.
    place
        (n,) ascending numbers of the places that the points belong to; by default each point is a place.
    n_places
        How many places there are; by default up to the last one that has a point.

    Returns
    -------
    Snaps
        A point that cannot but cross keeps its nearest segment and is ``blocked``, unless its place has a free one;
        a point with no permitted segment within ``max_access_m`` has no row. Remnants of the network serve only places
        that reach no other segment without crossing.
    """
    xy_m = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    n = len(xy_m)
    places = np.arange(n) if place is None else np.asarray(place)
    own = np.full(n, -1) if own is None else np.asarray(own)
    n_places = int(places.max(initial=-1)) + 1 if n_places is None else n_places
    obstacles = _Obstacles(np.asarray([] if barriers is None else barriers, dtype=object))

    def attach(points: npt.NDArray[np.intp], segments: BoolArray) -> tuple[_Legs, BoolArray]:
        return _attach(network, segments, xy_m, points, obstacles, own, max_access_m)

    legs, blocked = attach(np.arange(n), network.snappable & ~network.remnant)
    legless = np.bincount(places[legs.point], minlength=n_places) == 0
    stuck = np.bincount(places[legs.point[~blocked]], minlength=n_places) == 0
    if network.remnant.any() and stuck.any():
        more, more_blocked = attach(np.flatnonzero(stuck[places]), network.snappable & network.remnant)
        useful = legless[places[more.point]] | ~more_blocked
        more, more_blocked = more.take(useful), more_blocked[useful]
        legs, blocked = legs.followed_by(more), np.concatenate([blocked, more_blocked])
    has_free = np.bincount(places[legs.point[~blocked]], minlength=n_places) > 0
    kept = np.flatnonzero(~blocked | ~has_free[places[legs.point]])
    kept = kept[np.argsort(legs.point[kept], kind="stable")]
    legs, blocked = legs.take(kept), blocked[kept]
    return Snaps(
        place=places[legs.point].astype(np.int32),
        segment=legs.segment.astype(np.int32),
        fraction=legs.fraction,
        access_m=quantised(legs.length_m),
        xy_m=legs.end_m,
        blocked=blocked,
        building=np.full(n_places, -1, dtype=np.int32),
    )


def _attach(
    network: WalkNetwork,
    segments: BoolArray,
    xy_m: FloatArray,
    points: npt.NDArray[np.intp],
    obstacles: _Obstacles,
    own: npt.NDArray[Any],
    max_access_m: float,
) -> tuple[_Legs, BoolArray]:
    """Return the leg of each of ``points`` to one of ``segments``, ascending by point, and which cannot but cross."""
    pieces = _Pieces.of(network, segments)
    reach_m = max_access_m + TOLERANCE_M
    at, piece = pieces.tree.query_nearest(shapely.points(xy_m[points]), max_distance=reach_m)
    legs = _first_per_point(pieces.legs(xy_m, points[at], piece), max_access_m)
    blocked = obstacles.crossed(xy_m, legs, own)
    found = legs.take(np.zeros(0, dtype=np.intp))
    for first in range(0, int(blocked.sum()), STUCK_AT_ONCE):
        stuck = legs.point[blocked][first : first + STUCK_AT_ONCE]
        near, piece = pieces.tree.query(shapely.points(xy_m[stuck]), predicate="dwithin", distance=reach_m)
        ways_out = pieces.legs(xy_m, stuck[near], piece).one_per_segment()
        found = found.followed_by(_first_per_point(obstacles.first_free(xy_m, ways_out, own), max_access_m))
    rest = ~np.isin(legs.point, found.point)
    still = np.concatenate([blocked[rest], np.zeros(len(found.point), dtype=bool)])
    legs = legs.take(rest).followed_by(found)
    order = np.argsort(legs.point, kind="stable")
    return legs.take(order), still[order]


@dataclass(frozen=True, eq=False)
class _Legs:
    """Straight legs from points to the nearest spots of pieces of segments."""

    point: LongArray
    segment: LongArray
    fraction: FloatArray
    length_m: FloatArray
    end_m: FloatArray

    def take(self, rows: npt.NDArray[Any]) -> _Legs:
        return _Legs(self.point[rows], self.segment[rows], self.fraction[rows], self.length_m[rows], self.end_m[rows])

    def one_per_segment(self) -> _Legs:
        """Keep each point's nearest spot of each segment."""
        order = np.lexsort((self.fraction, self.length_m, self.segment, self.point))
        first = np.ones(len(order), dtype=bool)
        first[1:] = np.diff(self.point[order]).astype(bool) | np.diff(self.segment[order]).astype(bool)
        return self.take(order[first])

    def followed_by(self, others: _Legs) -> _Legs:
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return _Legs(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class _Pieces:
    """The straight pieces of some segments in a tree.

    Pieces are numbered by their first vertex; vertices that start none hold None, which the tree never finds.
    """

    network: WalkNetwork
    segment: LongArray
    before_m: FloatArray
    tree: shapely.STRtree

    @classmethod
    def of(cls, network: WalkNetwork, segments: BoolArray) -> _Pieces:
        vertices, indptr = network.shape_xy_m, network.shape_indptr
        segment = np.repeat(np.arange(network.n_segments), np.diff(indptr))
        step = np.zeros(len(vertices))
        step[1:] = np.hypot(*np.diff(vertices, axis=0).T)
        total = np.cumsum(step)
        starts = segments[segment]
        starts[indptr[1:] - 1] = False
        lines = np.full(len(vertices), None, dtype=object)
        first = np.flatnonzero(starts)
        lines[first] = shapely.linestrings(np.stack([vertices[first], vertices[first + 1]], axis=1))
        return cls(network, segment, total - np.repeat(total[indptr[:-1]], np.diff(indptr)), shapely.STRtree(lines))

    def legs(self, xy_m: FloatArray, point: npt.NDArray[np.intp], piece: npt.NDArray[np.intp]) -> _Legs:
        """Return the straight legs from points to the nearest spots of pieces, pair by pair."""
        vertices = self.network.shape_xy_m
        start, step = vertices[piece], vertices[piece + 1] - vertices[piece]
        squared = (step**2).sum(axis=1)
        dot = ((xy_m[point] - start) * step).sum(axis=1)
        share = np.clip(np.divide(dot, squared, out=np.zeros(len(dot)), where=squared > 0), 0.0, 1.0)
        end_m = start + share[:, None] * step
        segment = self.segment[piece]
        whole = self.before_m[self.network.shape_indptr[segment + 1] - 1]
        spot = self.before_m[piece] + share * np.sqrt(squared)
        fraction = np.clip(np.divide(spot, whole, out=np.zeros(len(spot)), where=whole > 0), 0.0, 1.0)
        return _Legs(point, segment, fraction, np.hypot(*(xy_m[point] - end_m).T), end_m)


def _first_per_point(legs: _Legs, max_access_m: float) -> _Legs:
    """Keep each point's shortest leg, of equally short ones that to the first segment, if it is within reach."""
    legs = legs.take(legs.length_m <= max_access_m + TOLERANCE_M)
    shortest = np.full(legs.point.max() + 1 if len(legs.point) else 0, np.inf)
    np.minimum.at(shortest, legs.point, legs.length_m)
    legs = legs.take(legs.length_m <= shortest[legs.point] + TOLERANCE_M)
    order = np.lexsort((legs.fraction, legs.segment, legs.point))
    _, first = np.unique(legs.point[order], return_index=True)
    return legs.take(order[first])


class _Obstacles:
    """Barriers in a tree, and which legs cross one.

    Polygons are drawn in by `TOUCH_M`: beside a building one may walk, whatever the last bit of its wall's coordinates.
    """

    def __init__(self, barriers: npt.NDArray[np.object_]) -> None:
        self.area = shapely.get_dimensions(barriers) == 2
        self.barriers = barriers.copy()
        self.barriers[self.area] = shapely.buffer(barriers[self.area], -TOUCH_M, join_style="mitre")
        self.tree = shapely.STRtree(self.barriers)

    def crossed(self, xy_m: FloatArray, legs: _Legs, own: npt.NDArray[Any]) -> BoolArray:
        """Return for each leg whether it passes through a barrier other than the point's own building."""
        start = xy_m[legs.point]
        along = legs.end_m - start
        trim = np.minimum(TOUCH_M / np.maximum(legs.length_m, TOUCH_M), 0.25)[:, None] * along
        lines = shapely.linestrings(np.stack([start + trim, legs.end_m - trim], axis=1))
        leg, barrier = self.tree.query(lines, predicate="intersects")
        others = barrier != own[legs.point[leg]]
        leg, barrier = leg[others], barrier[others]
        holds = self.area[barrier] & shapely.contains_properly(self.barriers[barrier], shapely.points(start[leg]))
        crossed = np.zeros(len(legs.point), dtype=bool)
        crossed[leg[~holds]] = True
        return crossed

    def first_free(self, xy_m: FloatArray, legs: _Legs, own: npt.NDArray[Any]) -> _Legs:
        """Return each point's legs up to its shortest that crosses nothing, without those that cross.

        Most points are free within a few legs, so the longer ones are looked at only for points that are still stuck.
        """
        legs = legs.take(np.lexsort((legs.length_m, legs.point)))
        rank = np.arange(len(legs.point)) - np.searchsorted(legs.point, legs.point)
        stuck = np.ones(len(xy_m), dtype=bool)
        free = []
        for first, last in pairwise((0, 4, 16, 64, len(legs.point) + 64)):
            batch = legs.take((rank >= first) & (rank < last) & stuck[legs.point])
            free.append(batch.take(~self.crossed(xy_m, batch, own)))
            stuck[free[-1].point] = False
        return reduce(_Legs.followed_by, free)
