"""The walking network as arrays, ready for search.

Places attach to *segments* (the stretch between two crossings), so the network keeps each segment's line. Beside it
stands the *search graph*, in which private ways can be left and entered but not walked through:

    home side             public              station side
    A(u) --private-- A(v) --0--> P(v) ... P(w) --0--> E(w) --private-- E(x)

A node that touches a private segment has three copies: ``A`` (still on the home's private ways), ``P`` (on public ways)
and ``E`` (on the station's private ways). A walk passes A, P and E in this order only, so nobody crosses a compound.
All other nodes have the ``P`` copy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach, SchemaError
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays

QUANTUM_M = 2.0**-30
"""Lengths are multiples of this (under 1e-9 m), so that float64 sums of them are exact in any order: equal walks
compare equal, and no result depends on the number of threads."""


@dataclass(frozen=True, eq=False)
class WalkNetwork(ReadOnlyArrays):
    """Segments with their lines, and the search graph made of them.

    Segment arrays have ``n_segments`` rows. ``ends`` (n, 2) are rows of ``xy_m``. ``length_m`` is the metres walked;
    ``forward_m`` (from the first end to the second) and ``backward_m`` are the metres on the flat that take as long,
    inf where nobody walks that way. ``snappable`` says whether a place may attach; to a ``remnant``, a piece that hangs
    on nothing, it attaches only where no other segment is within reach. The line of segment ``i`` is
    ``shape_xy_m[shape_indptr[i]:shape_indptr[i + 1]]``. ``closed`` segments have no arcs in the search graph.

    A place on segment ``i`` leaves for a station through the search nodes ``leave[i]`` and is entered, as a station,
    through ``enter[i]``. The arcs that lead *into* search node ``v`` are ``indptr[v]:indptr[v + 1]``: they come from
    ``tail``, cost ``cost_m`` metres on the flat and are ``arc_m`` metres long.
    """

    xy_m: FloatArray
    ends: IntArray
    length_m: FloatArray
    forward_m: FloatArray
    backward_m: FloatArray
    private: BoolArray
    closed: BoolArray
    snappable: BoolArray
    remnant: BoolArray
    shape_indptr: LongArray
    shape_xy_m: FloatArray
    leave: IntArray
    enter: IntArray
    indptr: LongArray
    tail: IntArray
    cost_m: FloatArray
    arc_m: FloatArray

    @property
    def n_segments(self) -> int:
        """How many segments there are."""
        return len(self.ends)


def tobler_factor(slope: npt.ArrayLike) -> FloatArray:
    """Return walking speed on ``slope`` (rise over run, in walking direction) over that on the flat.

    Notes
    -----
    T(s) / T(0) of T(s) = 6 exp(-3.5 abs(s + 0.05)): W. Tobler (1993), Three presentations on geographical analysis and
    modeling, NCGIA report 93-1.
    """
    return np.exp(-3.5 * (np.abs(np.asarray(slope, dtype=np.float64) + 0.05) - 0.05))


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
    oneway: npt.ArrayLike | None = None,
    private: npt.ArrayLike | None = None,
    closed: npt.ArrayLike | None = None,
    snappable: npt.ArrayLike | None = None,
    remnant: npt.ArrayLike | None = None,
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
    oneway, private, closed
        (n,) booleans: walked from the first end to the second only; serves its own frontage but lets nobody through;
        can be left from its frontage but not walked through. All False by default.
    snappable
        (n,) booleans: whether a home or station may attach (not to tunnels). All True by default.
    remnant
        (n,) booleans: whether a home or station attaches for want of any other segment alone. All False by default.

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
    _refuse_unsound(xy_m, ends, given, shape_xy_m)
    length = quantised(given)

    forward, backward = length, length
    if height_m is not None:
        rise = np.diff(np.asarray(height_m, dtype=np.float64)[ends], axis=1)[:, 0]
        slope = np.divide(rise, given, out=np.zeros(n), where=given > 0)
        forward, backward = quantised(given / tobler_factor(slope)), quantised(given / tobler_factor(-slope))
    one, own, shut = (_flags(flag, n, default=False) for flag in (oneway, private, closed))
    backward = np.where(one, np.inf, backward)

    leave, enter, arcs = _search_graph(xy_m, ends, own, shut, length, forward, backward)
    return WalkNetwork(
        xy_m=xy_m,
        ends=ends,
        length_m=length,
        forward_m=forward,
        backward_m=backward,
        private=own,
        closed=shut,
        snappable=_flags(snappable, n, default=True),
        remnant=_flags(remnant, n, default=False),
        shape_indptr=shape_indptr,
        shape_xy_m=shape_xy_m,
        leave=leave,
        enter=enter,
        **arcs,
    )


def line_lengths_m(indptr: LongArray, xy_m: FloatArray) -> FloatArray:
    """Return the length of each line of ragged ``(indptr, xy_m)``, metres."""
    step = np.zeros(len(xy_m))
    step[1:] = np.hypot(*np.diff(xy_m, axis=0).T)
    along = np.cumsum(step)
    return along[indptr[1:] - 1] - along[indptr[:-1]]


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


def _refuse_unsound(xy_m: FloatArray, ends: IntArray, length_m: FloatArray, shape_xy_m: FloatArray) -> None:
    n_nodes = len(xy_m)
    rules = {
        "no-such-node": ("a segment's end is no node", ((ends < 0) | (ends >= n_nodes)).any(axis=1)),
        "coordinates-not-finite": ("a node's coordinates are not finite", ~np.isfinite(xy_m).all(axis=1)),
        "shape-not-finite": ("a vertex of a line is not finite", ~np.isfinite(shape_xy_m).all(axis=1)),
        "length-not-sound": ("a length is negative or not finite", ~(np.isfinite(length_m) & (length_m >= 0))),
    }
    breaches = [
        Breach("streets", rule, text, tuple(str(i) for i in np.flatnonzero(bad)[:5]), int(bad.sum()))
        for rule, (text, bad) in rules.items()
        if bad.any()
    ]
    if breaches:
        raise SchemaError("the network cannot be walked", breaches=breaches)


def hilbert_order(xy_m: FloatArray) -> npt.NDArray[np.intp]:
    """Return the rows of ``xy_m`` along a Hilbert curve: neighbours on the ground become neighbours in memory.

    Notes
    -----
    D. Hilbert (1891), doi:10.1007/BF01199431, on a grid of 2^16 cells a side.
    """
    if not len(xy_m):
        return np.empty(0, dtype=np.intp)
    low = xy_m.min(axis=0)
    size = max(float((xy_m.max(axis=0) - low).max()), 1.0)
    x, y = ((xy_m - low) / size * 65535).astype(np.int64).T
    along = np.zeros(len(xy_m), dtype=np.int64)
    for bit in range(15, -1, -1):
        side = 1 << bit
        right, upper = (x & side) > 0, (y & side) > 0
        along += side * side * ((3 * right) ^ upper)
        x, y = x & (side - 1), y & (side - 1)
        mirrored = right & ~upper
        x, y = np.where(mirrored, side - 1 - x, x), np.where(mirrored, side - 1 - y, y)
        x, y = np.where(upper, x, y), np.where(upper, y, x)
    return np.argsort(along, kind="stable")


def _search_graph(
    xy_m: FloatArray,
    ends: IntArray,
    private: BoolArray,
    closed: BoolArray,
    length_m: FloatArray,
    forward_m: FloatArray,
    backward_m: FloatArray,
) -> tuple[IntArray, IntArray, dict[str, npt.NDArray[Any]]]:
    """Return how places leave and are entered, and the arcs of the search graph by their head."""
    touched, n_nodes = np.unique(ends[private]), len(xy_m)
    number = np.empty(n_nodes + 2 * len(touched), dtype=np.int32)
    number[hilbert_order(np.concatenate([xy_m, xy_m[touched], xy_m[touched]]))] = np.arange(len(number))
    public, home_side, station_side = number[:n_nodes], number[:n_nodes].copy(), number[:n_nodes].copy()
    home_side[touched], station_side[touched] = np.split(number[n_nodes:], 2)
    leave = np.where(private[:, None], home_side[ends], public[ends])
    enter = np.where(private[:, None], station_side[ends], public[ends])

    open_, inner = ~closed, ~closed & private
    pairs = np.concatenate([leave[open_], enter[inner]])  # public segments once, private ones in both copies
    cost_both = np.stack([forward_m, backward_m], axis=1)
    cost = np.concatenate([cost_both[open_], cost_both[inner]])
    metres = np.concatenate([length_m[open_], length_m[inner]])
    still = np.zeros(2 * len(touched))  # A -> P -> E, on the spot
    tail = np.concatenate([pairs[:, 0], pairs[:, 1], home_side[touched], public[touched]])
    head = np.concatenate([pairs[:, 1], pairs[:, 0], public[touched], station_side[touched]])
    cost_m = np.concatenate([cost[:, 0], cost[:, 1], still])
    arc_m = np.concatenate([metres, metres, still])

    walked = np.isfinite(cost_m)
    tail, head, cost_m, arc_m = tail[walked], head[walked], cost_m[walked], arc_m[walked]
    order = np.argsort(head, kind="stable")
    counts = np.bincount(head, minlength=len(number))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    arcs = {"indptr": indptr, "tail": tail[order].astype(np.int32), "cost_m": cost_m[order], "arc_m": arc_m[order]}
    return leave, enter, arcs
