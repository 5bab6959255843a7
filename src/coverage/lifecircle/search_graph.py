"""The search graph of a walking network, in which private ways can be left and entered but not walked through.

    home side             public              station side
    A(u) --private-- A(v) --0--> P(v) ... P(w) --0--> E(w) --private-- E(x)

A node that touches a private segment has three copies: ``A`` (still on the home's private ways), ``P`` (on public ways)
and ``E`` (on the station's private ways). A walk passes A, P and E in this order only, so nobody crosses a compound.
All other nodes have the ``P`` copy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lifecircle.hilbert import hilbert_order
from lifecircle.model import BoolArray, FloatArray, IntArray


def search_graph(
    xy_m: FloatArray,
    ends: IntArray,
    private: BoolArray,
    closed: BoolArray,
    length_m: FloatArray,
    forward_m: FloatArray,
    backward_m: FloatArray,
    fixed_s: FloatArray,
) -> dict[str, Any]:
    """Return how places leave and are entered, and the arcs of the search graph by their head.

    Parameters
    ----------
    xy_m, ends
        Nodes, and the two ends of each segment.
    private, closed
        Per segment.
    length_m, forward_m, backward_m, fixed_s
        Of each segment: its metres, what it costs there and back in metres on the flat, and seconds on top.

    Returns
    -------
    dict
        The fields of `lifecircle.network.WalkNetwork` from ``leave`` to ``arc_segment``.
    """
    touched, n_nodes = np.unique(ends[private]), len(xy_m)
    number = np.empty(n_nodes + 2 * len(touched), dtype=np.int32)
    copies = np.concatenate([xy_m, xy_m[touched], xy_m[touched]]) if len(touched) else xy_m
    number[hilbert_order(copies)] = np.arange(len(number), dtype=np.int32)
    public, home_side, station_side = number[:n_nodes], number[:n_nodes].copy(), number[:n_nodes].copy()
    home_side[touched], station_side[touched] = np.split(number[n_nodes:], 2)
    leave = enter = public[ends]
    if len(touched):
        leave = np.where(private[:, None], home_side[ends], leave)
        enter = np.where(private[:, None], station_side[ends], enter)

    # Public segments once, private ones in both copies, each both ways; then A -> P -> E on the spot.
    open_, inner = np.flatnonzero(~closed), np.flatnonzero(~closed & private)
    segment = np.concatenate([open_, inner])
    pairs = np.concatenate([leave[open_], enter[inner]])
    tail = np.concatenate([pairs[:, 0], pairs[:, 1], home_side[touched], public[touched]])
    head = np.concatenate([pairs[:, 1], pairs[:, 0], public[touched], station_side[touched]])
    still = np.zeros(2 * len(touched))
    of_segment = np.concatenate([segment, segment, np.full(len(still), -1)]).astype(np.int32)

    def by_arc(forward: FloatArray, backward: FloatArray) -> FloatArray:
        return np.concatenate([forward[segment], backward[segment], still])

    cost_m = by_arc(forward_m, backward_m)
    walked = np.isfinite(cost_m)
    order = np.flatnonzero(walked)
    order = order[np.argsort(head[order], kind="stable")]
    cost_m = cost_m[order]
    flat = forward_m is length_m and backward_m is length_m
    waits = fixed_s.any()
    return {
        "leave": leave,
        "enter": enter,
        "stand": home_side,
        "indptr": np.concatenate([[0], np.cumsum(np.bincount(head[order], minlength=len(number)))]).astype(np.int64),
        "tail": tail[order],
        "cost_m": cost_m,
        "cost_s": by_arc(fixed_s, fixed_s)[order] if waits else np.broadcast_to(0.0, len(order)),
        "arc_m": cost_m if flat else by_arc(length_m, length_m)[order],
        "arc_segment": of_segment[order],
    }
