"""What a lookup reads: the nearest stations of every crossing, and the stations on every segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import BoolArray, FloatArray, IntArray, ReadOnlyArrays
from lifecircle.network import QUANTUM_M, WalkNetwork
from lifecircle.routing import Labels, Snaps, node_labels


@dataclass(frozen=True, eq=False)
class Segments(ReadOnlyArrays):
    """What lies beside a place on its segment, as ``kernels.legs`` and ``kernels.lookups`` take it.

    ``to_first`` is the ``ways`` of the one nearest station; ``ways`` has the metres, the costs there and back, and from
    where on the stations on the segment stand in ``on_way``.
    """

    to_first: FloatArray
    ways: FloatArray
    on_way: FloatArray

    @classmethod
    def of(cls, network: WalkNetwork, stations: Snaps, labels: Labels) -> Segments:
        """Lay side by side what one lookup reads."""
        impedance = network.impedance(labels.speed_mps)
        cost, row = labels.cost_m[network.leave, 0], labels.row[network.leave, 0]
        metres = _metres(labels, stations)[network.leave, 0]
        order = np.argsort(stations.segment, kind="stable")
        first = np.searchsorted(stations.segment[order], np.arange(network.n_segments + 1))
        ways, to_first = np.zeros((network.n_segments + 1, 4)), np.zeros((network.n_segments + 1, 10))
        ways[:-1, :3] = np.column_stack([network.length_m, impedance.forward_m, impedance.backward_m])
        to_first[:, :3], to_first[:, 9], ways[:, 3] = ways[:, :3], first, first
        to_first[:-1, 3:9] = np.column_stack([cost, metres, np.append(stations.place, -1)[row]])
        on_way = np.column_stack([stations.fraction, stations.access_m, stations.place])[order]
        return cls(to_first, ways, on_way)


@dataclass(frozen=True, eq=False)
class Lists(ReadOnlyArrays):
    """Stations near every search node, (n_nodes, columns): costs, numbers and metres, the station's leg in both.

    Without ``kind`` they are the nearest of all, ascending; with it column c has the nearest of those of kind c.
    """

    cost_m: FloatArray
    station: IntArray
    metres: FloatArray
    kind: IntArray | None = None

    @classmethod
    def of(cls, stations: Snaps, labels: Labels) -> Lists:
        """Return the lists that labels of all stations make."""
        return cls(labels.cost_m, np.append(stations.place, -1)[labels.row].astype(np.int32), _metres(labels, stations))

    @classmethod
    def by_kind(cls, network: WalkNetwork, stations: Snaps, kind: IntArray, *, speed_mps: float) -> Lists:
        """Search from the stations of each kind, numbered from 0."""
        columns = []
        for number in range(int(kind.max(initial=-1)) + 1):
            of_kind = np.flatnonzero(kind == number)
            some = stations.take(of_kind)
            labels = node_labels(network, some, speed_mps=speed_mps)
            row = labels.row[:, 0]
            station = np.append(of_kind[some.place], -1)[row]
            columns.append((labels.cost_m[:, 0], station.astype(np.int32), _metres(labels, some)[:, 0]))
        cost_m, station, metres = (np.stack(each, axis=1) for each in zip(*columns, strict=True))
        return cls(cost_m, station, metres, kind)

    def nearest(
        self, segments: Segments, leave: IntArray, leg: tuple[int, float, float], may: BoolArray, number: int
    ) -> tuple[IntArray, FloatArray, FloatArray] | None:
        """Return the nearest stations that may serve: numbers, costs and metres; None where the lists do not tell.

        Parameters
        ----------
        leave
            The search nodes at the two ends of each segment.
        leg
            Segment of the place, the fraction of it where it attaches, and the metres there.
        """
        from lifecircle.kernels import lookups  # compiled code loads when it is first needed

        asked = np.ones(self.cost_m.shape[1], dtype=bool)
        if self.kind is not None:
            asked[:] = False
            asked[self.kind[may]] = True
        station, cost_m, metres, complete_m = lookups.nearest_able(
            *(segments.ways, segments.on_way, leave, self.cost_m, self.station, self.metres),
            *(asked, self.kind is not None, may, number, QUANTUM_M, *leg),
        )
        if complete_m < np.inf and not cost_m[-1] < complete_m:
            return None
        n = int((station >= 0).sum())
        return station[:n], cost_m[:n], metres[:n]


def _metres(labels: Labels, stations: Snaps) -> FloatArray:
    """Return (n_nodes, k) metres from each node to its nearest stations, their legs in."""
    if labels.metres is None:
        return labels.cost_m
    legs: FloatArray = labels.metres + np.append(stations.access_m, np.nan)[labels.row]
    return legs
