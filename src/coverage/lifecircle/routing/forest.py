"""The shortest ways of all search nodes to their nearest facility, which together form trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.network import Impedance, WalkNetwork
from lifecircle.routing.costs import UNBOUNDED_M, buckets, seeds
from lifecircle.snapping import Snaps


@dataclass(frozen=True, eq=False)
class Forest(ReadOnlyArrays):
    """How every search node is left on the way to its nearest facility: (n_nodes,) arrays.

    The way costs ``cost_m`` (metres on the flat, the facility's leg included; inf: none) to the facility's row ``row``
    (-1: none). It leads by ``arc`` over ``segment`` (-1: none, from one copy of a node to another) to ``parent``; where
    these are -1 it enters the segment of the facility's row from that segment's end ``side`` (0 or 1, elsewhere -1).
    """

    cost_m: FloatArray
    row: IntArray
    arc: LongArray
    parent: IntArray
    segment: IntArray
    side: IntArray

    @classmethod
    def to(
        cls, network: WalkNetwork, facilities: Snaps, impedance: Impedance, *, cutoff_m: float = UNBOUNDED_M
    ) -> Forest:
        """Search once from all facilities; of equally short ways one is taken, and none longer than the cutoff."""
        from lifecircle.kernels import labels as kernel  # compiled code loads when it is first needed

        node, seed_cost, seed_m, of_row = seeds(network, facilities, impedance)
        n = len(network.indptr) - 1
        cost, row, via = np.full(n, np.inf), np.full(n, -1, dtype=np.int32), np.full(n, -1)
        kernel.improve_labels(
            network.indptr, network.tail, impedance.cost_m, network.arc_m, node, seed_cost, seed_m, of_row,
            facilities.place, *buckets(impedance, seed_cost, cutoff_m), cutoff_m, cost, row, None, via,
        )  # fmt: skip
        moving = via >= 0
        parent = np.full(n, -1, dtype=np.int32)
        parent[moving] = np.searchsorted(network.indptr, via[moving], side="right") - 1
        segment = np.append(network.arc_segment, np.int32(-1))[via]
        side = np.full(n, -1, dtype=np.int32)
        begins = np.flatnonzero(~moving & (row >= 0))
        entered = network.enter[facilities.segment[row[begins]]]
        cost_by_side = np.where(entered == begins[:, None], seed_cost.reshape(-1, 2)[row[begins]], np.inf)
        side[begins] = cost_by_side.argmin(axis=1)
        return cls(cost, row, via, parent, segment, side)


def walked_forward(
    network: WalkNetwork, segment: npt.NDArray[Any], tail: npt.NDArray[Any], impedance: Impedance
) -> BoolArray:
    """Return whether each segment is walked from its first end to its second, coming from the search node ``tail``."""
    ends = np.stack([network.leave[segment], network.enter[segment]])
    from_first, from_second = np.moveaxis((ends == tail[..., None]).any(axis=0), -1, 0)
    there = impedance.forward_m[segment] <= impedance.backward_m[segment]
    forward: BoolArray = from_first & (there | ~from_second)
    return forward
