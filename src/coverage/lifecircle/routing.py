"""Walks between places on a network: nearest, k nearest, everything within a cutoff.

A walk is the access leg, the way along the network and the egress leg; all at one speed. Directions are those of a
resident: from the demand point to the facility. Cutoffs are inclusive. Unreachable is inf seconds and facility -1.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecircle.model import (
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
from lifecircle.snapping import Snaps, snap

__all__ = ["NearestWalks", "Snaps", "nearest", "nearest_walks", "seconds_at_ends", "snap", "walk_network", "within"]

BUCKET_M = 15.0
"""Width of the buckets of a search, metres: fast on street networks, whose segments are 10 to 100 m long."""

UNBOUNDED_M = np.finfo(np.float64).max
"""Stands for no cutoff inside the searches, so that inf costs never pass."""


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
