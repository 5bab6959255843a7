"""Places onto the network: each attaches to the nearest permitted segment whose leg crosses no obstacle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import MAX_ACCESS_M, BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.network import WalkNetwork, quantised


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
class Pieces(ReadOnlyArrays):
    """The straight pieces of segments or of barriers in a uniform grid: the arrays that ``kernels.legs`` describes."""

    numbers: FloatArray
    whole: IntArray

    @classmethod
    def of(cls, indptr: LongArray, xy_m: FloatArray, owner: IntArray, pieces: IntArray) -> Pieces:
        """Lay ``pieces`` into a grid of about as many cells."""
        from lifecircle.kernels import legs  # compiled code loads when it is first needed

        frame = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
        if len(pieces):
            low, high = xy_m.min(axis=0), xy_m.max(axis=0)
            size = np.maximum(high - low, 1.0)
            side = max(float(np.sqrt(size.prod() / len(pieces))), 1.0)
            frame = np.concatenate([low, [side], size // side + 1])
        numbers = np.concatenate([frame, xy_m.ravel()])
        cells = legs.lay_in_grid(numbers[5:], pieces, frame)
        return cls(numbers, np.concatenate([[len(indptr), len(owner)], indptr, owner, cells]).astype(np.int32))

    @classmethod
    def of_segments(cls, network: WalkNetwork) -> Pieces:
        """Return the pieces of the segments that a place may attach to."""
        indptr, n_vertices = network.shape_indptr, np.diff(network.shape_indptr)
        number = np.arange(network.n_segments, dtype=np.int32)
        begins = np.repeat(network.snappable, n_vertices)
        begins[indptr[1:] - 1] = False
        owner = np.repeat(np.where(network.remnant, ~number, number), n_vertices)
        return cls.of(indptr, network.shape_xy_m, owner, np.flatnonzero(begins).astype(np.int32))

    @classmethod
    def of_barriers(cls, barriers: npt.NDArray[np.object_]) -> Pieces:
        """Return the pieces of lines and of polygons' rings.

        Polygons are drawn in by `TOUCH_M`: beside a building one may walk, whatever the last bit of its wall's
        coordinates.
        """
        from lifecircle.kernels import legs

        area = shapely.get_dimensions(barriers) == 2
        drawn = barriers.copy()
        drawn[area] = shapely.buffer(barriers[area], -legs.TOUCH_M, join_style="mitre")
        parts, of_part = shapely.get_parts(drawn, return_index=True)
        solid = shapely.get_dimensions(parts) == 2
        rings, of_ring = shapely.get_rings(parts[solid], return_index=True)
        lines = np.concatenate([rings, parts[~solid]])
        of_line = np.concatenate([of_part[solid][of_ring], of_part[~solid]])
        xy_m, line = shapely.get_coordinates(lines, return_index=True)
        begins = np.flatnonzero(line[1:] == line[:-1])
        barrier = of_line[line[begins]]
        order = np.argsort(barrier, kind="stable")
        begins, barrier = begins[order], barrier[order].astype(np.int32)
        indptr = np.concatenate([[0], np.cumsum(2 * np.bincount(barrier, minlength=len(barriers)))]).astype(np.int64)
        return cls.of(
            indptr,
            np.stack([xy_m[begins], xy_m[begins + 1]], axis=1).reshape(-1, 2),
            np.repeat(np.where(area[barrier], barrier, ~barrier), 2),
            np.arange(0, 2 * len(begins), 2, dtype=np.int32),
        )


@dataclass(frozen=True, eq=False)
class SnapIndex(ReadOnlyArrays):
    """A network and barriers made ready, so that snapping again costs next to nothing."""

    segments: Pieces
    barriers: Pieces
    remnant: BoolArray

    @classmethod
    def of(cls, network: WalkNetwork, *, barriers: npt.ArrayLike | None = None) -> SnapIndex:
        """Prepare a network and the barriers (shapely lines and polygons) that no leg must cross."""
        obstacles = np.asarray([] if barriers is None else barriers, dtype=object)
        return cls(Pieces.of_segments(network), Pieces.of_barriers(obstacles), network.remnant)

    def arguments(self, max_access_m: float) -> tuple[Any, ...]:
        """Return what the functions of ``kernels.legs`` need to know of a network, barriers and the longest leg."""
        from lifecircle.kernels import legs

        if not max_access_m >= 0:
            raise ValueError(f"max_access_m must be a number of metres, 0 or more, not {max_access_m}")
        arrays = [_frozen(array) for pieces in (self.segments, self.barriers) for array in vars(pieces).values()]
        limit_m = min(float(max_access_m), legs.FARTHEST_M) + legs.TOLERANCE_M
        return limit_m, bool(self.remnant.any()), *arrays

    def snap(
        self,
        xy_m: npt.ArrayLike,
        *,
        max_access_m: float = MAX_ACCESS_M,
        own: npt.ArrayLike | None = None,
        place: npt.ArrayLike | None = None,
        n_places: int | None = None,
    ) -> Snaps:
        """Attach points as `snap` does, whose parameters these are."""
        from lifecircle.kernels import legs

        points = np.array(xy_m, dtype=np.float64).reshape(-1, 2)
        n = len(points)
        places = np.arange(n, dtype=np.int32) if place is None else np.asarray(place, dtype=np.int32)
        n_places = int(places.max(initial=-1)) + 1 if n_places is None else n_places
        own = np.full(n, -1) if own is None else np.array(own, dtype=np.int64)
        segment, fraction, end_m, length_m, blocked = legs.attach(
            _frozen(points), _frozen(own), *self.arguments(max_access_m)
        )

        def places_with(rows: BoolArray) -> BoolArray:
            has: BoolArray = (np.bincount(places[rows], minlength=n_places) > 0)[places]
            return has

        found = segment >= 0
        free = found & ~blocked
        # A point goes to a remnant for want of another segment; here its place may have one by another point.
        spare = np.append(self.remnant, False)[segment]
        found &= ~spare | np.where(blocked, ~places_with(found & ~spare), ~places_with(free & ~spare))
        free &= found
        rows = np.flatnonzero(free | (found & ~places_with(free)))
        return Snaps(
            place=places[rows],
            segment=segment[rows],
            fraction=fraction[rows],
            access_m=quantised(length_m[rows]),
            xy_m=end_m[rows],
            blocked=blocked[rows],
            building=np.full(n_places, -1, dtype=np.int32),
        )


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
    index = SnapIndex.of(network, barriers=barriers)
    return index.snap(xy_m, max_access_m=max_access_m, own=own, place=place, n_places=n_places)


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view: compiled code is made once for each kind of array, and read-only is a kind."""
    view = array.view()
    view.setflags(write=False)
    return view
