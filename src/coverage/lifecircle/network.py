"""The walking network as arrays, ready for search.

Places attach to *segments* (the stretch between two crossings), so the network keeps each segment's line. Beside it
stands the search graph of `lifecircle.search_graph`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach, SchemaError
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.search_graph import search_graph

QUANTUM_M = 2.0**-30
"""Lengths are multiples of this (under 1e-9 m), so that float64 sums of them are exact in any order: equal walks
compare equal, and no result depends on the number of threads."""


@dataclass(frozen=True, eq=False)
class WalkNetwork(ReadOnlyArrays):
    """Segments with their lines, and the search graph made of them.

    Segment arrays have ``n_segments`` rows. ``ends`` (n, 2) are rows of ``xy_m``. ``length_m`` is the metres walked;
    ``forward_m`` (from the first end to the second) and ``backward_m`` are the metres on the flat that take as long,
    inf where nobody walks that way; ``fixed_s`` are seconds that come on top at any speed, spread evenly over the
    segment (a lift, the wait at a crossing). ``snappable`` says whether a place may attach; to a ``remnant``, a piece
    that hangs on nothing, it attaches only where no other segment is within reach. The line of segment ``i`` is
    ``shape_xy_m[shape_indptr[i]:shape_indptr[i + 1]]``. ``closed`` segments have no arcs in the search graph.

    ``synthetic`` says whether anything that it is made from is made up.

    A place on segment ``i`` leaves for a station through the search nodes ``leave[i]`` and is entered, as a station,
    through ``enter[i]``. The arcs that lead *into* search node ``v`` are ``indptr[v]:indptr[v + 1]``: they come from
    ``tail``, cost ``cost_m`` metres on the flat and ``cost_s`` seconds, are ``arc_m`` metres long and part of the
    segment ``arc_segment`` (-1 from one copy of a node to another). Who stands at node ``i`` leaves by the search node
    ``stand[i]``.
    """

    xy_m: FloatArray
    ends: IntArray
    length_m: FloatArray
    forward_m: FloatArray
    backward_m: FloatArray
    fixed_s: FloatArray
    private: BoolArray
    closed: BoolArray
    snappable: BoolArray
    remnant: BoolArray
    shape_indptr: LongArray
    shape_xy_m: FloatArray
    leave: IntArray
    enter: IntArray
    stand: IntArray
    indptr: LongArray
    tail: IntArray
    cost_m: FloatArray
    cost_s: FloatArray
    arc_m: FloatArray
    arc_segment: IntArray
    synthetic: bool = False

    @property
    def n_segments(self) -> int:
        """How many segments there are."""
        return len(self.ends)

    @property
    def is_flat(self) -> bool:
        """Whether every walk costs its metres: no slopes, no steps, no waiting."""
        return self.arc_m is self.cost_m and not self.has_waits

    @cached_property
    def has_waits(self) -> bool:
        """Whether any segment takes seconds at any speed."""
        return bool(self.fixed_s.any())

    @property
    def is_symmetric(self) -> bool:
        """Whether every way takes as long as the way back."""
        return self.forward_m is self.backward_m or np.array_equal(self.forward_m, self.backward_m)

    @cached_property
    def stands_in_order(self) -> bool:
        """Whether node ``i`` of the network is node ``i`` of the search graph."""
        return len(self.indptr) - 1 == len(self.stand) and bool((np.diff(self.stand) > 0).all())

    def impedance(self, speed_mps: float) -> Impedance:
        """Return what the segments and arcs cost someone of this speed, in metres on the flat."""
        if not self.has_waits:
            return self._at_any_speed
        fixed_m = self.fixed_s * speed_mps
        return Impedance(
            quantised(self.forward_m + fixed_m),
            quantised(self.backward_m + fixed_m),
            quantised(self.cost_m + self.cost_s * speed_mps),
        )

    @cached_property
    def _at_any_speed(self) -> Impedance:
        return Impedance(self.forward_m, self.backward_m, self.cost_m)

    def with_ways(self, *, closed: npt.ArrayLike | None = None, private: npt.ArrayLike | None = None) -> WalkNetwork:
        """Return the same segments under other rules; snaps of one network are snaps of the other.

        Parameters
        ----------
        closed, private
            (n_segments,) booleans as in `walk_network`; by default as they are.
        """
        own = self.private if private is None else _flags(private, self.n_segments, default=False)
        shut = self.closed if closed is None else _flags(closed, self.n_segments, default=False)
        search = search_graph(
            self.xy_m, self.ends, own, shut, self.length_m, self.forward_m, self.backward_m, self.fixed_s
        )
        return replace(self, private=own, closed=shut, **search)

    def barred(self, segments: BoolArray) -> WalkNetwork:
        """Return the network with some segments closed too, the search nodes as they are: quicker than `with_ways`.

        Parameters
        ----------
        segments
            (n_segments,) which ones.
        """
        over = (self.arc_segment >= 0) & segments[self.arc_segment]
        cost_m = np.where(over, np.inf, self.cost_m)
        arc_m = cost_m if self.is_flat else self.arc_m
        return replace(self, closed=self.closed | segments, cost_m=cost_m, arc_m=arc_m)

    def turned(self) -> WalkNetwork:
        """Return the network on which each walk takes as long as the walk back does on this one."""
        there, back = self.backward_m, self.forward_m
        search = search_graph(self.xy_m, self.ends, self.private, self.closed, self.length_m, there, back, self.fixed_s)
        return replace(self, forward_m=there, backward_m=back, **search)


@dataclass(frozen=True, eq=False)
class Impedance(ReadOnlyArrays):
    """What walking costs someone of one speed, in metres on the flat: by segment (there, back) and by arc."""

    forward_m: FloatArray
    backward_m: FloatArray
    cost_m: FloatArray

    @cached_property
    def longest_m(self) -> float:
        """The highest finite cost of an arc."""
        longest_m = float(self.cost_m.max(initial=0.0))
        if np.isfinite(longest_m):
            return longest_m
        return float(self.cost_m.max(initial=0.0, where=np.isfinite(self.cost_m)))

    @cached_property
    def typical_m(self) -> float:
        """The median cost of some thousand arcs, taken evenly."""
        some = self.cost_m[:: len(self.cost_m) // 4096 + 1]
        return float(np.median(some)) if len(some) else 0.0


MOST_SLOPE = 1.0
"""Steepest slope that is reckoned with (45 degrees): beyond, heights are wrong rather than streets steep."""

FARTHEST_M = 1e8
"""Longest a segment or its time may be, metres: more than twice round the Earth."""


def tobler_factor(slope: npt.ArrayLike) -> FloatArray:
    """Return walking speed on ``slope`` (rise over run, in walking direction) over that on the flat.

    Slopes steeper than `MOST_SLOPE` count as that.

    Notes
    -----
    T(s) / T(0) of T(s) = 6 exp(-3.5 abs(s + 0.05)): W. Tobler (1993), Three presentations on geographical analysis and
    modeling, NCGIA report 93-1.
    """
    counted = np.clip(np.asarray(slope, dtype=np.float64), -MOST_SLOPE, MOST_SLOPE)
    return np.exp(-3.5 * (np.abs(counted + 0.05) - 0.05))


def quantised(metres: npt.ArrayLike) -> FloatArray:
    """Return ``metres`` as the nearest multiples of ``QUANTUM_M``; inf stays inf."""
    return np.rint(np.asarray(metres, dtype=np.float64) / QUANTUM_M) * QUANTUM_M


def walk_network(
    xy_m: npt.ArrayLike,
    edges: npt.ArrayLike,
    length_m: npt.ArrayLike | None = None,
    *,
    shapes: Sequence[npt.ArrayLike] | tuple[LongArray, FloatArray] | None = None,
    height_m: npt.ArrayLike | None = None,
    flat_m: npt.ArrayLike | None = None,
    fixed_s: npt.ArrayLike | None = None,
    oneway: npt.ArrayLike | None = None,
    private: npt.ArrayLike | None = None,
    closed: npt.ArrayLike | None = None,
    snappable: npt.ArrayLike | None = None,
    remnant: npt.ArrayLike | None = None,
    synthetic: bool = False,
) -> WalkNetwork:
    """Make a network of nodes and the segments between them.

    Parameters
    ----------
    xy_m
        (n_nodes, 2) positions in a metric CRS, metres.
    edges
        (n, 2) rows of ``xy_m``: the two ends of each segment. Parallel segments and loops are welcome.
    length_m
        (n,) metres; by default the length of each line.
    shapes
        The line of each segment, ends included, metres: a sequence of (k, 2) arrays, or ``(indptr, vertices)``.
        Straight by default.
    height_m
        (n_nodes,) metres above any datum: walking time then follows Tobler's function. Flat by default.
    flat_m
        (n, 2) metres on the flat that take as long, from the first end to the second and back, inf where nobody walks
        that way; in place of ``height_m``.
    fixed_s
        (n,) seconds that a segment takes at any speed on top, spread evenly over it. None by default.
    oneway, private, closed
        (n,) booleans: walked from the first end to the second only; serves its own frontage but lets nobody through;
        can be left from its frontage but not walked through. All False by default.
    snappable
        (n,) booleans: whether a home or station may attach (not to tunnels). All True by default.
    remnant
        (n,) booleans: whether a home or station attaches for want of any other segment alone. All False by default.
    synthetic
        Whether any of this is made up.

    Returns
    -------
    WalkNetwork
        Read-only arrays; segments keep their order.

    Raises
    ------
    SchemaError
        Listing every breach: ends that are no node, coordinates or lengths that are not finite, negative lengths.
    """
    xy_m = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    ends = np.asarray(edges, dtype=np.int32).reshape(-1, 2)
    n = len(ends)
    shape_indptr, shape_xy_m = _lines(xy_m, np.clip(ends, 0, max(len(xy_m) - 1, 0)), shapes)  # refused below
    given = line_lengths_m(shape_indptr, shape_xy_m) if length_m is None else np.asarray(length_m, dtype=np.float64)
    _refuse_unsound(xy_m, ends, given, shape_xy_m, height_m, flat_m, fixed_s)
    length = quantised(given)

    forward, backward = length, length
    if flat_m is not None:
        forward, backward = quantised(np.asarray(flat_m, dtype=np.float64).reshape(n, 2)).T.copy()
        forward = length if np.array_equal(forward, length) else forward
        backward = forward if np.array_equal(backward, forward) else backward
    elif height_m is not None:
        rise = np.diff(np.asarray(height_m, dtype=np.float64)[ends], axis=1)[:, 0]
        slope = np.divide(rise, given, out=np.zeros(n), where=given > 0)
        forward, backward = quantised(given / tobler_factor(slope)), quantised(given / tobler_factor(-slope))
    own, shut = (_flags(flag, n, default=False) for flag in (private, closed))
    if oneway is not None:
        backward = np.where(_flags(oneway, n, default=False), np.inf, backward)
    waits = np.zeros(n) if fixed_s is None else np.asarray(fixed_s, dtype=np.float64).reshape(n).copy()
    return WalkNetwork(
        xy_m=xy_m,
        ends=ends,
        length_m=length,
        forward_m=forward,
        backward_m=backward,
        fixed_s=waits if waits.any() else np.broadcast_to(0.0, n),
        private=own,
        closed=shut,
        snappable=_flags(snappable, n, default=True),
        remnant=_flags(remnant, n, default=False),
        shape_indptr=shape_indptr,
        shape_xy_m=shape_xy_m,
        synthetic=synthetic,
        **search_graph(xy_m, ends, own, shut, length, forward, backward, waits),
    )


def line_lengths_m(indptr: LongArray, xy_m: FloatArray) -> FloatArray:
    """Return the length of each line of ragged ``(indptr, xy_m)``, metres; every line has a vertex."""
    x, y = xy_m[:, 0], xy_m[:, 1]
    step = np.zeros(len(xy_m) + 1)
    step[1:-1] = np.sqrt((x[1:] - x[:-1]) ** 2 + (y[1:] - y[:-1]) ** 2)
    step[indptr[:-1]] = 0.0  # from the last vertex of the line before
    return np.add.reduceat(step, indptr[:-1]) if len(indptr) > 1 else np.empty(0)


def _lines(
    xy_m: FloatArray, ends: IntArray, shapes: Sequence[npt.ArrayLike] | tuple[LongArray, FloatArray] | None
) -> tuple[LongArray, FloatArray]:
    if shapes is None:
        return np.arange(0, 2 * len(ends) + 1, 2, dtype=np.int64), xy_m[ends].reshape(-1, 2)
    if isinstance(shapes, tuple):
        return np.asarray(shapes[0], dtype=np.int64), np.asarray(shapes[1], dtype=np.float64)
    lines = [np.asarray(shape, dtype=np.float64).reshape(-1, 2) for shape in shapes]
    indptr = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    return indptr, np.concatenate(lines) if lines else np.empty((0, 2))


def _flags(flag: npt.ArrayLike | None, n: int, *, default: bool) -> BoolArray:
    return np.full(n, default) if flag is None else np.asarray(flag, dtype=bool).reshape(n).copy()


def _refuse_unsound(
    xy_m: FloatArray,
    ends: IntArray,
    length_m: FloatArray,
    shape_xy_m: FloatArray,
    height_m: npt.ArrayLike | None,
    flat_m: npt.ArrayLike | None,
    fixed_s: npt.ArrayLike | None,
) -> None:
    n_nodes = len(xy_m)
    height, flat, fixed = (
        np.zeros(0) if given is None else np.asarray(given, dtype=np.float64) for given in (height_m, flat_m, fixed_s)
    )
    rules = {
        "no-such-node": ("a segment's end is no node", ((ends < 0) | (ends >= n_nodes)).any(axis=1)),
        "coordinates-not-finite": ("a node's coordinates are not finite", ~np.isfinite(xy_m).all(axis=1)),
        "shape-not-finite": ("a vertex of a line is not finite", ~np.isfinite(shape_xy_m).all(axis=1)),
        "length-not-sound": ("a length is negative, not finite or beyond the Earth", ~_is_sound(length_m)),
        "height-not-finite": ("a height is not finite", ~np.isfinite(height)),
        "flat-not-sound": ("flat_m is negative, no number or beyond the Earth", ~(_is_sound(flat) | np.isposinf(flat))),
        "fixed-not-sound": ("fixed_s is negative or not finite", ~_is_sound(fixed)),
    }
    breaches = [
        Breach("streets", rule, text, tuple(str(i) for i in np.argwhere(bad)[:5, 0]), int(bad.sum()))
        for rule, (text, bad) in rules.items()
        if bad.any()
    ]
    if breaches:
        raise SchemaError("the network cannot be walked", breaches=breaches)


def _is_sound(values: FloatArray) -> BoolArray:
    sound: BoolArray = (values >= 0) & (values <= FARTHEST_M)
    return sound
