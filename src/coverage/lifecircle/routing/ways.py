"""The ways of many places to their facilities, kept together: where two meet they go on as one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lifecircle.model import SPEED_MPS, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.network import Impedance, WalkNetwork
from lifecircle.routing.costs import UNBOUNDED_M, cutoff_m_of, pairs, partial, stretch
from lifecircle.routing.forest import Forest, walked_forward
from lifecircle.routing.labels import NearestWalks
from lifecircle.snapping import Snaps

SAME_M = 1e-3
"""Metres by which a way may differ from the walk that it is said to be."""

BOTH_WAYS = 2.0
"""The way there takes at most so often as long as the walk that counts, which may be the mean of both ways."""


@dataclass(frozen=True, eq=False)
class Ways(ReadOnlyArrays):
    """The ways of places to the facilities that they go to, as trees of stretches.

    Stretch ``i`` is part of ``segment[i]``, numbered along the segments, and walked ``forward[i]`` (from its first end
    to its second) or back; it goes on as ``parent[i]``. A way ends with a stretch that is its own parent, at the row
    ``row[i]`` of the facilities' snaps (-1 for all other stretches), and the stretch before that one, on the same
    segment, is walked up to there. Place ``p`` is left by the row ``own_row[p]`` of its snaps and begins somewhere on
    the stretch ``first[p]``; both are -1 where there is nothing to walk, or where no way as long as the walk is found.
    """

    segment: IntArray
    forward: npt.NDArray[np.bool_]
    parent: IntArray
    row: IntArray
    first: IntArray
    own_row: IntArray

    def followed_by(self, other: Ways) -> Ways:
        """Return these ways, and those of ``other`` of places that have none here."""
        n = np.int32(len(self.segment))
        added = self.first < 0
        return Ways(
            segment=np.concatenate([self.segment, other.segment]),
            forward=np.concatenate([self.forward, other.forward]),
            parent=np.concatenate([self.parent, other.parent + n]),
            row=np.concatenate([self.row, other.row]),
            first=np.where(added & (other.first >= 0), other.first + n, self.first).astype(np.int32),
            own_row=np.where(added, other.own_row, self.own_row).astype(np.int32),
        )

    def along_segments(self) -> Ways:
        """Return the same ways with the stretches numbered along the segments."""
        order = np.argsort(self.segment, kind="stable")
        number = np.empty(len(order) + 1, dtype=np.int32)
        number[order], number[-1] = np.arange(len(order), dtype=np.int32), -1
        return Ways(
            self.segment[order],
            self.forward[order],
            number[self.parent[order]],
            self.row[order],
            number[self.first],
            self.own_row,
        )


def ways(
    network: WalkNetwork, facilities: Snaps, demand: Snaps, walks: NearestWalks, *, speed_mps: float = SPEED_MPS
) -> Ways:
    """Return the way of each place to its nearest facility; of equally short ways one is taken.

    Parameters
    ----------
    walks
        What `nearest_walks` says of these places, or another rule: its first facility is where a place goes, and no way
        of other metres than that walk's is returned.

    Notes
    -----
    One search from all facilities at once finds the ways to the nearest. Places that go to another one, by a rule of
    areas or for the way back, are left to one more search for each facility, no farther than they walk.
    """
    impedance = network.impedance(speed_mps)
    to, walk_m, seconds = walks.facility[:, 0].astype(np.int64), walks.walk_m[:, 0], walks.seconds[:, 0]
    housed = np.append(facilities.building, -1)[to]
    to[(housed >= 0) & (demand.building == housed)] = -1
    found = _to_nearest(network, facilities, demand, to, walk_m, impedance)
    to[found.first >= 0] = -1
    for one in np.unique(to[to >= 0]):
        asking = np.where(to == one, 0, -1)
        farthest_m = BOTH_WAYS * cutoff_m_of(float(seconds[asking == 0].max()), speed_mps)
        alone = _to_nearest(network, facilities.take([one]), demand, asking, walk_m, impedance, cutoff_m=farthest_m)
        rows = np.append(np.flatnonzero(facilities.place == one), -1).astype(np.int32)
        found = found.followed_by(replace(alone, row=rows[alone.row]))
    return found.along_segments()


def _to_nearest(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps,
    to: LongArray,
    walk_m: FloatArray,
    impedance: Impedance,
    *,
    cutoff_m: float = UNBOUNDED_M,
) -> Ways:
    """Return the ways of those places whose way to ``to`` is the one to the nearest of these facilities."""
    from lifecircle.kernels import flows

    forest = Forest.to(network, facilities, impedance, cutoff_m=cutoff_m)
    place, own, along, node, row = _beginnings(network, facilities, demand, to, walk_m, impedance, forest)
    of_node = np.bincount(node[node >= 0], minlength=len(forest.parent)).astype(np.float64)
    flows.carry(flows.outside_in(forest.parent), forest.parent, of_node)
    at = np.flatnonzero((of_node > 0) & ((forest.segment >= 0) | (forest.side >= 0)))

    # A stretch is told by its segment, the direction, and what it leads to: a row of facilities, or a node.
    n_rows, begins = len(facilities.place), forest.side[at] >= 0
    segment = np.where(begins, np.append(facilities.segment, -1)[forest.row[at]], forest.segment[at])
    forward = np.where(begins, forest.side[at] == 0, walked_forward(network, segment, at, impedance))
    onto = np.where(begins, forest.row[at], n_rows + _moved(forest, forest.parent[at]))
    leaving = np.flatnonzero(node >= 0)
    segment = np.concatenate([segment, demand.segment[own[leaving]]]).astype(np.int64)
    forward = np.concatenate([forward, along[leaving] == 1])
    onto = np.concatenate([onto, n_rows + _moved(forest, node[leaving])])
    key = (2 * segment + forward) * (n_rows + len(forest.parent)) + onto
    _, example, number = np.unique(key, return_index=True, return_inverse=True)

    ends = np.unique(np.concatenate([forest.row[at][begins], row[row >= 0]]))
    n, end_of = len(example), np.full(n_rows, -1)
    end_of[ends] = n + np.arange(len(ends))
    stretch_of = np.full(len(forest.parent), -1)
    stretch_of[at] = number[: len(at)]
    parent = np.concatenate([end_of, stretch_of])[onto[example]]
    first, own_row = np.full((2, demand.n_places), -1, dtype=np.int32)
    first[place] = np.where(node >= 0, 0, np.append(end_of, -1)[row])
    first[place[leaving]] = number[len(at) :]
    own_row[place] = own
    return Ways(
        segment=np.concatenate([segment[example], facilities.segment[ends]]).astype(np.int32),
        forward=np.concatenate([forward[example], np.zeros(len(ends), dtype=bool)]),
        parent=np.concatenate([parent, end_of[ends]]).astype(np.int32),
        row=np.concatenate([np.full(n, -1), ends]).astype(np.int32),
        first=first,
        own_row=own_row,
    )


def _beginnings(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps,
    to: LongArray,
    walk_m: FloatArray,
    impedance: Impedance,
    forest: Forest,
) -> tuple[LongArray, ...]:
    """Return how the ways begin: place, its row, the end of the segment walked to, the node there, or a row instead.

    Ways along one segment have a row of ``facilities`` and no node (-1); all others have a node and no row.
    """
    asking = np.flatnonzero(to[demand.place] >= 0)
    goal = to[demand.place[asking]]
    node = network.leave[demand.segment[asking]]
    out, out_m = (each[asking] for each in partial(network, demand, impedance, towards=0))
    reached = forest.row[node]
    cost = out + demand.access_m[asking, None] + forest.cost_m[node]
    metres = out_m + demand.access_m[asking, None] + _metres(network, facilities, forest)[node]
    cost[np.append(facilities.place, -1)[reached] != goal[:, None]] = np.inf

    i, j = pairs(demand.segment[asking], facilities.segment)
    same = facilities.place[j] == goal[i]
    i, j = i[same], j[same]
    share = facilities.fraction[j] - demand.fraction[asking[i]]
    legs_m = demand.access_m[asking[i]] + facilities.access_m[j]
    straight = stretch(share, demand.segment[asking[i]], impedance) + legs_m
    straight_m = np.abs(share) * network.length_m[demand.segment[asking[i]]] + legs_m

    nothing = np.full(len(j), -1)
    own = np.concatenate([np.repeat(asking, 2), asking[i]])
    along = np.concatenate([np.tile([0, 1], len(asking)), nothing])
    at = np.concatenate([node.ravel(), nothing])
    row = np.concatenate([np.full(node.size, -1), j])
    every, off = np.concatenate([cost.ravel(), straight]), np.concatenate([metres.ravel(), straight_m])
    place = demand.place[own].astype(np.int64)
    off = np.abs(off - walk_m[place])
    order = np.lexsort((off, every, place))
    best = order[np.diff(place[order], prepend=-1) > 0]
    best = best[np.isfinite(every[best]) & (off[best] <= SAME_M)]
    return place[best], own[best], along[best], at[best], row[best]


def _moved(forest: Forest, node: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Return the nodes, or the copies of them from which the ways go on over a segment: two steps on at most."""
    for _ in range(2):
        still = (forest.segment[node] < 0) & (forest.side[node] < 0)
        node = np.where(still, forest.parent[node], node)
    return node


def _metres(network: WalkNetwork, facilities: Snaps, forest: Forest) -> FloatArray:
    """Return the metres from each node to its facility, the facility's leg included; inf where there is no way."""
    if network.is_flat:
        return forest.cost_m
    begins = forest.side >= 0
    row, side = forest.row[begins], forest.side[begins]
    share = np.abs(facilities.fraction[row] - side)
    metres = np.where(np.isfinite(forest.cost_m), np.append(network.arc_m, 0.0)[forest.arc], np.inf)
    metres[begins] = share * network.length_m[facilities.segment[row]] + facilities.access_m[row]
    onto = np.where(forest.parent < 0, len(metres), forest.parent)
    metres, onto = np.append(metres, 0.0), np.append(onto, len(metres))
    while (onto < len(metres) - 1).any():
        metres, onto = metres + metres[onto], onto[onto]
    return metres[:-1]
