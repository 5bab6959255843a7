"""Walks between places on a network: snap, nearest, k nearest, everything within a cutoff.

A walk is the access leg, the way along the network and the egress leg; all at one speed. Directions are those of a
resident: from the demand point to the facility. Cutoffs are inclusive. Unreachable is inf seconds and facility -1.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import (
    MAX_ACCESS_M,
    SPEED_MPS,
    TOLERANCE_S,
    BoolArray,
    FloatArray,
    IntArray,
    LongArray,
    ReadOnlyArrays,
    Walks,
)
from lifecircle.network import QUANTUM_M, WalkNetwork, quantised, walk_network

__all__ = ["NearestWalks", "Snaps", "nearest", "nearest_walks", "snap", "walk_network", "within"]

TOLERANCE_M = 1e-6
"""Metres within which two distances are the same when a place is snapped."""

BUCKET_M = 15.0
"""Width of the buckets of a search, metres: fast on street networks, whose segments are 10 to 100 m long."""

TOUCH_M = 1e-3
"""Metres at both ends of a leg at which it may touch a barrier: a home on a wall, a street along one."""

STUCK_AT_ONCE = 2000
"""Points whose legs are looked at together when the nearest is blocked: bounds the memory."""

UNBOUNDED_M = np.finfo(np.float64).max
"""Stands for no cutoff inside the searches, so that inf costs never pass."""


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


@dataclass(frozen=True, eq=False)
class NearestWalks(ReadOnlyArrays):
    """The k nearest facilities of each place, nearest first, and what each walk is made of: (n_places, k) arrays.

    ``facility`` is -1 where there is none; ``seconds`` is then inf and the metres NaN. ``walk_m`` is the way along the
    network with both legs; ``blocked`` where a leg of the walk crosses an obstacle for want of another.
    """

    facility: IntArray
    seconds: FloatArray
    walk_m: FloatArray
    access_m: FloatArray
    egress_m: FloatArray
    blocked: BoolArray

    @classmethod
    def none(cls, n_places: int, k: int) -> NearestWalks:
        """Return the walks of places that reach nothing."""
        shape = (n_places, k)
        unknown = np.full(shape, np.nan)
        nobody = np.full(shape, -1, dtype=np.int32)
        return cls(nobody, np.full(shape, np.inf), unknown, unknown, unknown, np.zeros(shape, dtype=bool))


# --------------------------------------------------------------------------- snapping


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
        Lines and polygons (shapely) that a leg must not cross; touching is no crossing. A polygon that holds the point
        is no barrier to it.
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
    """Barriers in a tree, and which legs cross one."""

    def __init__(self, barriers: npt.NDArray[np.object_]) -> None:
        self.barriers = barriers
        self.tree = shapely.STRtree(barriers)

    def crossed(self, xy_m: FloatArray, legs: _Legs, own: npt.NDArray[Any]) -> BoolArray:
        """Return for each leg whether it passes through a barrier other than the point's own building."""
        start = xy_m[legs.point]
        along = legs.end_m - start
        trim = np.minimum(TOUCH_M / np.maximum(legs.length_m, TOUCH_M), 0.25)[:, None] * along
        lines = shapely.linestrings(np.stack([start + trim, legs.end_m - trim], axis=1))
        leg, barrier = self.tree.query(lines, predicate="intersects")
        others = barrier != own[legs.point[leg]]
        leg, barrier = leg[others], barrier[others]
        geometries = self.barriers[barrier]
        area = shapely.get_dimensions(geometries) == 2  # beside a building one may walk, over a wall's corner not
        through = ~area
        through[area] = ~shapely.touches(geometries[area], np.asarray(lines)[leg[area]])
        holds = shapely.contains_properly(geometries, shapely.points(start[leg]))
        crossed = np.zeros(len(legs.point), dtype=bool)
        crossed[leg[through & ~holds]] = True
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


# --------------------------------------------------------------------------- searching


def nearest(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps,
    *,
    k: int = 1,
    cutoff_s: float = np.inf,
    speed_mps: float = SPEED_MPS,
) -> tuple[IntArray, FloatArray]:
    """Find each demand place's k nearest facilities on foot.

    Returns
    -------
    (index, seconds)
        (n, k) each, nearest first, of equally near ones the smaller index first; -1 and inf where there is none within
        ``cutoff_s`` (inclusive).

    Notes
    -----
    One label-setting search (E. W. Dijkstra, 1959, doi:10.1007/BF01386390) from all facilities at once, against the
    walking direction, keeps k labels of distinct facilities a node.
    """
    walks = nearest_walks(network, facilities, demand, k=k, cutoff_s=cutoff_s, speed_mps=speed_mps)
    return walks.facility, walks.seconds


def nearest_walks(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps,
    *,
    k: int = 1,
    cutoff_s: float = np.inf,
    speed_mps: float = SPEED_MPS,
) -> NearestWalks:
    """As ``nearest``, with the metres and legs of every walk."""
    from lifecircle import kernels  # compiled code loads when it is first needed

    cutoff_m = _cutoff_m(cutoff_s, speed_mps)
    node_cost, node_row, node_metres = _label_nodes(network, facilities, k, cutoff_m)
    n_buildings = max(facilities.building.max(initial=-1), demand.building.max(initial=-1)) + 1
    home_row = _any_row(facilities)
    housed = np.flatnonzero((facilities.building >= 0) & (home_row >= 0))
    in_indptr, in_order = _grouped(facilities.building[housed], n_buildings)
    on_indptr, on_order = _grouped(facilities.segment, network.n_segments)
    cost, row, metres, own = kernels.label_places(
        demand.place, demand.segment, demand.fraction, demand.access_m, demand.n_places, k, cutoff_m,
        node_cost, node_row, node_metres,
        network.leave, network.length_m, network.forward_m, network.backward_m, QUANTUM_M,
        facilities.place, facilities.fraction, facilities.access_m, on_indptr, on_order,
        demand.building, in_indptr, home_row[housed][in_order],
    )  # fmt: skip
    found, on_foot = row >= 0, own >= 0
    access_m = _where(on_foot, demand.access_m, own, found)
    egress_m = _where(on_foot, facilities.access_m, row, found)
    return NearestWalks(
        facility=np.where(found, np.append(facilities.place, -1)[row], -1).astype(np.int32),
        seconds=cost / speed_mps,
        walk_m=np.where(found, metres, np.nan) + access_m + egress_m,
        access_m=access_m,
        egress_m=egress_m,
        blocked=_flag(on_foot, demand.blocked, own) | _flag(on_foot, facilities.blocked, row),
    )


def within(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps,
    *,
    cutoff_s: float,
    speed_mps: float = SPEED_MPS,
    threads: int | None = None,
) -> Walks:
    """Find every pair of a demand place and a facility that it reaches within ``cutoff_s`` (inclusive).

    ``threads`` defaults to the machine's cores; the result does not depend on it.

    Returns
    -------
    Walks
        Rows are facilities, columns demand places, values seconds; a pair beyond the cutoff is not stored.
    """
    from lifecircle import kernels

    cutoff_m = _cutoff_m(cutoff_s, speed_mps)
    leave_indptr, leave_place, leave_cost = _leaving(network, demand)
    seed_indptr, seed_node, seed_cost = _seeding(network, facilities)
    direct_indptr, direct_place, direct_cost = _directly(network, facilities, demand)
    n = facilities.n_places
    threads = max(1, min(threads or os.cpu_count() or 1, n))
    bounds = np.linspace(0, n, threads + 1).astype(int)

    def search(part: int) -> tuple[LongArray, IntArray, FloatArray]:
        result: tuple[LongArray, IntArray, FloatArray] = kernels.reach_from(
            bounds[part], bounds[part + 1], cutoff_m,
            network.indptr, network.tail, network.cost_m,
            seed_indptr, seed_node, seed_cost,
            leave_indptr, leave_place, leave_cost,
            direct_indptr, direct_place, direct_cost,
            demand.n_places,
        )  # fmt: skip
        return result

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(search, range(threads)))
    counts, places, costs = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Walks(indptr=indptr, indices=places, seconds=costs / speed_mps, n_demand=demand.n_places)


def seconds_at_ends(
    network: WalkNetwork, facilities: Snaps, *, cutoff_s: float = np.inf, speed_mps: float = SPEED_MPS
) -> FloatArray:
    """Return (n_segments, 2) seconds to the nearest facility from each segment's two ends, leaving it there."""
    cost, _, _ = _label_nodes(network, facilities, 1, _cutoff_m(cutoff_s, speed_mps))
    ends: FloatArray = cost[network.leave, 0] / speed_mps
    return ends


def _label_nodes(
    network: WalkNetwork, facilities: Snaps, k: int, cutoff_m: float
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return each search node's k nearest facilities: costs, rows of ``facilities`` and metres, (n_nodes, k) each."""
    from lifecircle import kernels

    seeds = _seeds(network, facilities)
    graph = (network.indptr, network.tail, network.cost_m, network.arc_m)
    if k > 1:
        labels: tuple[FloatArray, IntArray, FloatArray] = kernels.label_nodes(
            *graph, *seeds, facilities.place, k, cutoff_m
        )
        return labels
    farthest_m = max(network.cost_m.max(initial=0.0), seeds[1].max(initial=0.0, where=np.isfinite(seeds[1])))
    width_m = max(farthest_m / 1024, BUCKET_M)
    n_buckets = 1 << (int(farthest_m / width_m) + 2).bit_length()
    nearest_label: tuple[FloatArray, IntArray, FloatArray] = kernels.label_nodes_once(
        *graph, *seeds, facilities.place, width_m, n_buckets, cutoff_m
    )
    return nearest_label


def _cutoff_m(cutoff_s: float, speed_mps: float) -> float:
    if not speed_mps > 0 or not np.isfinite(speed_mps):
        raise ValueError(f"speed_mps must be a positive number of metres per second, not {speed_mps}")
    if not cutoff_s >= 0:
        raise ValueError(f"cutoff_s must be a number of seconds, 0 or more, not {cutoff_s}")
    return min((cutoff_s + TOLERANCE_S) * speed_mps, UNBOUNDED_M)


def _partial(network: WalkNetwork, snaps: Snaps, *, towards: int) -> tuple[FloatArray, FloatArray]:
    """Return what walking from (``towards`` 0) or to (1) each row's spot costs at the segment's two ends: (m, 2) each.

    The first array is the cost in metres on the flat, the second the metres.
    """
    f, s = snaps.fraction, snaps.segment
    share = np.stack([f, 1.0 - f], axis=1)
    forward_m, backward_m = network.forward_m[s], network.backward_m[s]
    rate = np.stack((backward_m, forward_m) if towards == 0 else (forward_m, backward_m), axis=1)
    cost = np.multiply(share, rate, out=np.zeros_like(share), where=share > 0)  # nothing costs nothing, even barred
    return quantised(cost), share * network.length_m[s][:, None]


def _seeds(network: WalkNetwork, facilities: Snaps) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Return where searches from ``facilities`` begin: node, cost, metres, row."""
    cost, metres = _partial(network, facilities, towards=1)
    cost = cost + facilities.access_m[:, None]
    row = np.repeat(np.arange(len(facilities.place), dtype=np.int32), 2)
    return network.enter[facilities.segment].ravel(), cost.ravel(), metres.ravel(), row


def _seeding(network: WalkNetwork, facilities: Snaps) -> tuple[LongArray, IntArray, FloatArray]:
    """Return the seeds grouped by facility."""
    node, cost, _, row = _seeds(network, facilities)
    indptr, order = _grouped(facilities.place[row], facilities.n_places)
    return indptr, node[order], cost[order]


def _leaving(network: WalkNetwork, demand: Snaps) -> tuple[LongArray, IntArray, FloatArray]:
    """Return, for each search node, the demand places that leave by it and what it costs them to get there."""
    cost, _ = _partial(network, demand, towards=0)
    cost = cost + demand.access_m[:, None]
    node = network.leave[demand.segment].ravel()
    indptr, order = _grouped(node, len(network.indptr) - 1)
    return indptr, np.repeat(demand.place, 2)[order], cost.ravel()[order]


def _directly(network: WalkNetwork, facilities: Snaps, demand: Snaps) -> tuple[LongArray, IntArray, FloatArray]:
    """Return, for each facility, the demand places on its own segment or in its own building, and their costs."""
    f, d = _pairs(facilities.segment, demand.segment)
    walked = demand.fraction[d] - facilities.fraction[f]
    rate = np.where(walked > 0, network.backward_m[demand.segment[d]], network.forward_m[demand.segment[d]])
    way = np.multiply(np.abs(walked), rate, out=np.zeros_like(walked), where=walked != 0)
    cost = quantised(way) + facilities.access_m[f] + demand.access_m[d]
    usable = _any_row(facilities) >= 0
    fb, db = _pairs(np.where(usable, facilities.building, -1), demand.building)
    facility = np.concatenate([facilities.place[f], fb])
    indptr, order = _grouped(facility, facilities.n_places)
    place = np.concatenate([demand.place[d], db]).astype(np.int32)
    return indptr, place[order], np.concatenate([cost, np.zeros(len(fb))])[order]


def _pairs(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> tuple[LongArray, LongArray]:
    """Return the rows (i, j) with ``left[i] == right[j] >= 0``, every one, sparse."""
    order = np.argsort(right, kind="stable")
    first, last = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    count = np.where(left >= 0, last - first, 0)
    i = np.repeat(np.arange(len(left)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(first, count) + offset]


def _grouped(key: npt.NDArray[Any], n: int) -> tuple[LongArray, LongArray]:
    """Return ``(indptr, order)``: the rows with key ``k`` are ``order[indptr[k]:indptr[k + 1]]``, in their order."""
    order = np.argsort(key, kind="stable")
    return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n))]).astype(np.int64), order


def _any_row(snaps: Snaps) -> IntArray:
    """Return (n_places,) the first row of each place, -1 where it has none."""
    row = np.full(snaps.n_places, -1, dtype=np.int32)
    row[snaps.place[::-1]] = np.arange(len(snaps.place), dtype=np.int32)[::-1]
    return row


def _where(on_foot: BoolArray, values: FloatArray, rows: IntArray, found: BoolArray) -> FloatArray:
    """Return ``values[rows]`` for walks on foot, 0 inside one building, NaN where nothing was found."""
    picked = np.append(values, 0.0)[np.where(on_foot, rows, -1)]
    return np.where(found, picked, np.nan)


def _flag(on_foot: BoolArray, flags: BoolArray, rows: IntArray) -> BoolArray:
    return np.append(flags, False)[np.where(on_foot, rows, -1)]
