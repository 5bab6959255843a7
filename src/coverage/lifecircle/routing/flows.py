"""Who walks over which streets on the way to the nearest facility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecircle.model import SPEED_MPS, BoolArray, FloatArray, IntArray, ReadOnlyArrays
from lifecircle.network import WalkNetwork
from lifecircle.routing.costs import partial
from lifecircle.routing.forest import Forest
from lifecircle.snapping import Snaps


@dataclass(frozen=True, eq=False)
class WayTree(ReadOnlyArrays):
    """The ways there of all places to their nearest facility, which together form trees over the search nodes.

    From a node the way leads over ``segment`` (-1 for none) to ``parent`` (-1 where it ends); ``order`` has the nodes
    from the outside in. A place leaves by ``leaves`` (-1: it reaches none). The segment on which a walk begins or
    ends is left or entered, not walked over: a closed one does not bar that.
    """

    parent: IntArray
    segment: IntArray
    order: IntArray
    leaves: IntArray

    @classmethod
    def of(cls, network: WalkNetwork, facilities: Snaps, demand: Snaps, *, speed_mps: float = SPEED_MPS) -> WayTree:
        """Search once; of equally short ways one is taken."""
        from lifecircle.kernels import flows

        impedance = network.impedance(speed_mps)
        forest = Forest.to(network, facilities, impedance)
        by = network.leave[demand.segment]
        out_m = partial(network, demand, impedance, towards=0)[0] + demand.access_m[:, None] + forest.cost_m[by]
        return cls(forest.parent, forest.segment, flows.outside_in(forest.parent), _best(demand, by, out_m))

    def carried(self, people: FloatArray, group: npt.NDArray[np.integer]) -> FloatArray:
        """Return how many people walk over each group of segments.

        Parameters
        ----------
        people
            (n_places,) of the places.
        group
            (n_segments,) the group that each segment belongs to, from 0; -1 for none.

        Returns
        -------
        FloatArray
            (n_groups,) people; whoever leaves a group and comes back to it counts twice.
        """
        from lifecircle.kernels import flows

        leaving = self.leaves >= 0
        amount = np.bincount(self.leaves[leaving], people[leaving], minlength=len(self.parent)).astype(np.float64)
        flows.carry(self.order, self.parent, amount)
        over = np.append(group, -1)[self.segment]
        entered = np.zeros(int(np.max(group, initial=-1)) + 1)
        np.add.at(entered, over[over >= 0], amount[over >= 0])
        inside = (over >= 0) & (self.parent >= 0) & (over[self.parent] == over)  # goes on over the group it is in
        np.subtract.at(entered, over[inside], amount[inside])
        return entered

    def passing(self, segments: BoolArray) -> BoolArray:
        """Return (n_places,) who walks over one of some segments; ``segments`` is (n_segments,) of which."""
        from lifecircle.kernels import flows

        marked = np.append(segments, False)[self.segment]
        flows.spread(self.order, self.parent, marked)
        return np.append(marked, False)[self.leaves]


def _best(demand: Snaps, by: IntArray, out_m: FloatArray) -> IntArray:
    """Return the node by which each place leaves at the least cost, -1 for none; rows of ``demand`` have two each."""
    place, out_m = np.repeat(demand.place, 2), out_m.ravel()
    order = np.lexsort((out_m, place))
    first = np.ones(len(order), dtype=bool)
    first[1:] = place[order][1:] != place[order][:-1]
    best = order[first & np.isfinite(out_m[order])]
    leaves = np.full(demand.n_places, -1, dtype=np.int32)
    leaves[place[best]] = by.ravel()[best]
    return leaves
