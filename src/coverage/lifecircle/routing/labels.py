"""The k nearest facilities of every node, by one search from all facilities at once, and of places from those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecircle.model import SPEED_MPS, TOLERANCE_S, BoolArray, FloatArray, IntArray, ReadOnlyArrays
from lifecircle.network import QUANTUM_M, WalkNetwork
from lifecircle.routing.costs import any_row, buckets, cutoff_m_of, grouped, seeds
from lifecircle.snapping import Snaps


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

    def picked(self, order: npt.NDArray[np.integer], seconds: FloatArray) -> NearestWalks:
        """Return the walks at these columns, (n_places, k), which count as so many seconds; inf: no walk."""
        found = np.isfinite(seconds)

        def at(values: np.ndarray, nothing: float) -> np.ndarray:
            return np.where(found, np.take_along_axis(values, order, axis=1), nothing).astype(values.dtype)

        return NearestWalks(
            facility=at(self.facility, -1),
            seconds=seconds,
            walk_m=at(self.walk_m, np.nan),
            access_m=at(self.access_m, np.nan),
            egress_m=at(self.egress_m, np.nan),
            blocked=at(self.blocked, False),
        )

    def within(self, cutoff_s: float) -> NearestWalks:
        """Return the walks of at most ``cutoff_s``, inclusive; the others are none."""
        inside = self.seconds <= cutoff_s + TOLERANCE_S
        columns = np.broadcast_to(np.arange(self.seconds.shape[1]), self.seconds.shape)
        return self.picked(columns, np.where(inside, self.seconds, np.inf))


@dataclass(frozen=True, eq=False)
class Labels(ReadOnlyArrays):
    """The k nearest facilities of each search node: (n_nodes, k) costs (metres on the flat) and rows of the facilities.

    ``metres`` is None where the metres walked are the cost less the facility's leg.
    """

    cost_m: FloatArray
    row: IntArray
    metres: FloatArray | None
    cutoff_m: float
    speed_mps: float

    @property
    def k(self) -> int:
        """How many facilities a node has at most."""
        return self.cost_m.shape[1]


def no_labels(network: WalkNetwork, k: int) -> tuple[FloatArray, IntArray, FloatArray | None]:
    """Return costs, rows and metres of (n_nodes, k) labels before any search."""
    shape = (len(network.indptr) - 1, k)
    metres = None if network.is_flat else np.full(shape, np.inf)
    return np.full(shape, np.inf), np.full(shape, -1, dtype=np.int32), metres


def node_labels(
    network: WalkNetwork,
    facilities: Snaps,
    *,
    k: int = 1,
    cutoff_s: float = np.inf,
    speed_mps: float = SPEED_MPS,
) -> Labels:
    """Search from all facilities at once; what every place's nearest facilities are read from."""
    from lifecircle.kernels import labels as kernel  # compiled code loads when it is first needed

    cutoff_m = cutoff_m_of(cutoff_s, speed_mps)
    impedance = network.impedance(speed_mps)
    seed = seeds(network, facilities, impedance)
    cost, row, metres = no_labels(network, k)
    arguments = (
        network.indptr, network.tail, impedance.cost_m, network.arc_m, *seed, facilities.place,
        *buckets(impedance, seed[1]), cutoff_m,
    )  # fmt: skip
    if k == 1:
        flat_m = None if metres is None else metres.reshape(-1)
        kernel.improve_labels(*arguments, cost.reshape(-1), row.reshape(-1), flat_m, None)
    else:
        kernel.label_nodes_k(*arguments, cost, row, metres)
    return Labels(cost, row, metres, cutoff_m, speed_mps)


def walks_of_labels(network: WalkNetwork, labels: Labels, facilities: Snaps, demand: Snaps) -> NearestWalks:
    """Return the walks of places from the labels of the nodes."""
    from lifecircle.kernels import labels as kernel

    impedance = network.impedance(labels.speed_mps)
    n_buildings = max(facilities.building.max(initial=-1), demand.building.max(initial=-1)) + 1
    home_row = any_row(facilities)
    housed = np.flatnonzero((facilities.building >= 0) & (home_row >= 0))
    in_indptr, in_order = grouped(facilities.building[housed], n_buildings)
    by_segment = np.argsort(facilities.segment, kind="stable")
    cost, row, metres, own = kernel.label_places(
        demand.place, demand.segment, demand.fraction, demand.access_m, demand.n_places, labels.k, labels.cutoff_m,
        labels.cost_m, labels.row, labels.metres,
        network.leave, network.length_m, impedance.forward_m, impedance.backward_m, QUANTUM_M,
        facilities.place, facilities.fraction, facilities.access_m, by_segment, facilities.segment[by_segment],
        demand.building, in_indptr, home_row[housed][in_order],
    )  # fmt: skip
    found, on_foot = row >= 0, own >= 0
    access_m = _where(on_foot, demand.access_m, own, found)
    egress_m = _where(on_foot, facilities.access_m, row, found)
    return NearestWalks(
        facility=np.where(found, np.append(facilities.place, -1)[row], -1).astype(np.int32),
        seconds=cost / labels.speed_mps,
        walk_m=np.where(found, metres, np.nan) + access_m + egress_m,
        access_m=access_m,
        egress_m=egress_m,
        blocked=_flag(on_foot, demand.blocked, own) | _flag(on_foot, facilities.blocked, row),
    )


def standing(network: WalkNetwork, labels: Labels, facilities: Snaps) -> NearestWalks:
    """Return the walks of someone at every node, who may use the private ways there; their metres are not told."""
    row, cost_m = labels.row, labels.cost_m
    if not network.stands_in_order:
        row, cost_m = row[network.stand], cost_m[network.stand]
    if not np.array_equal(facilities.place, np.arange(facilities.n_places)):
        row = np.append(facilities.place, np.int32(-1))[row]
    untold = np.broadcast_to(np.nan, row.shape)
    return NearestWalks(row, cost_m / labels.speed_mps, untold, untold, untold, np.broadcast_to(False, row.shape))


def seconds_at_ends(
    network: WalkNetwork, facilities: Snaps, *, cutoff_s: float = np.inf, speed_mps: float = SPEED_MPS
) -> FloatArray:
    """Return (n_segments, 2) seconds to the nearest facility from each segment's two ends, leaving it there."""
    labels = node_labels(network, facilities, cutoff_s=cutoff_s, speed_mps=speed_mps)
    ends: FloatArray = labels.cost_m[network.leave, 0] / speed_mps
    return ends


def _where(on_foot: BoolArray, values: FloatArray, rows: IntArray, found: BoolArray) -> FloatArray:
    """Return ``values[rows]`` for walks on foot, 0 inside one building, NaN where nothing was found."""
    picked = np.append(values, 0.0)[np.where(on_foot, rows, -1)]
    return np.where(found, picked, np.nan)


def _flag(on_foot: BoolArray, flags: BoolArray, rows: IntArray) -> BoolArray:
    return np.append(flags, False)[np.where(on_foot, rows, -1)]
