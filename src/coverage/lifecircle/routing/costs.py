"""What a search begins with and ends on: the costs of the stretches between places and the nodes beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lifecircle.model import TOLERANCE_S, FloatArray, IntArray, LongArray
from lifecircle.network import Impedance, WalkNetwork, quantised
from lifecircle.snapping import Snaps

WIDE, NARROW = 1.8, 0.4
"""Widths of the buckets of a search, in typical arcs: wide ones spare moving nodes from one to another where searches
from all sides meet, narrow ones spare walking twice where one search spreads. Both are exact."""

MOST_BUCKETS = 1 << 14
"""As many as make a ring: the few arcs longer than all of them are rare enough to cost nothing."""

UNBOUNDED_M = float(np.finfo(np.float64).max)
"""Stands for no cutoff inside the searches, so that inf costs never pass."""


def cutoff_m_of(cutoff_s: float, speed_mps: float) -> float:
    """Return the cutoff in metres on the flat.

    Raises
    ------
    ValueError
        When the speed is not a positive number, or the cutoff is negative or not a number.
    """
    if not speed_mps > 0 or not np.isfinite(speed_mps):
        raise ValueError(f"speed_mps must be a positive number of metres per second, not {speed_mps}")
    if not cutoff_s >= 0:
        raise ValueError(f"cutoff_s must be a number of seconds, 0 or more, not {cutoff_s}")
    return min((cutoff_s + TOLERANCE_S) * speed_mps, UNBOUNDED_M)


def buckets(
    impedance: Impedance, seed_cost: FloatArray, cutoff_m: float = UNBOUNDED_M, *, width: float = WIDE
) -> tuple[float, int]:
    """Return the width of a search's buckets, metres, and how many there are: a power of two.

    They reach over the longest arc where `MOST_BUCKETS` do; one that is longer still waits its turn among nearer ones.
    """
    seeded_m = float(seed_cost.max(initial=0.0, where=np.isfinite(seed_cost)))
    farthest_m = min(max(impedance.longest_m, seeded_m), cutoff_m)
    width_m = max(width * impedance.typical_m, 1.0)
    return width_m, min(1 << (int(farthest_m / width_m) + 2).bit_length(), MOST_BUCKETS)


def partial(network: WalkNetwork, snaps: Snaps, impedance: Impedance, *, towards: int) -> tuple[FloatArray, FloatArray]:
    """Return what walking from (``towards`` 0) or to (1) each row's spot costs at the segment's two ends: (m, 2) each.

    The first array is the cost in metres on the flat, the second the metres.
    """
    f, s = snaps.fraction, snaps.segment
    share = np.stack([f, 1.0 - f], axis=1)
    there, back = impedance.forward_m[s], impedance.backward_m[s]
    rate = np.stack((back, there) if towards == 0 else (there, back), axis=1)
    cost = np.multiply(share, rate, out=np.zeros_like(share), where=share > 0)  # nothing costs nothing, even barred
    return quantised(cost), share * network.length_m[s][:, None]


def stretch(share: FloatArray, segment: IntArray, impedance: Impedance) -> FloatArray:
    """Return what walking along a ``share`` of each segment costs; a negative share is walked backwards."""
    rate = np.where(share < 0, impedance.backward_m[segment], impedance.forward_m[segment])
    return quantised(np.multiply(np.abs(share), rate, out=np.zeros_like(share), where=share != 0))


def seeds(
    network: WalkNetwork, facilities: Snaps, impedance: Impedance
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Return where searches from ``facilities`` begin: node, cost, metres, row."""
    cost, metres = partial(network, facilities, impedance, towards=1)
    cost = cost + facilities.access_m[:, None]
    row = np.repeat(np.arange(len(facilities.place), dtype=np.int32), 2)
    return network.enter[facilities.segment].ravel(), cost.ravel(), metres.ravel(), row


def seeds_by_facility(
    network: WalkNetwork, facilities: Snaps, impedance: Impedance
) -> tuple[LongArray, IntArray, FloatArray]:
    """Return the seeds grouped by facility: indptr, node, cost."""
    node, cost, _, row = seeds(network, facilities, impedance)
    indptr, order = grouped(facilities.place[row], facilities.n_places)
    return indptr, node[order], cost[order]


def leaving(network: WalkNetwork, demand: Snaps, impedance: Impedance) -> tuple[LongArray, IntArray, FloatArray]:
    """Return, for each search node, the demand places that leave by it and what it costs them to get there."""
    cost, _ = partial(network, demand, impedance, towards=0)
    cost = cost + demand.access_m[:, None]
    node = network.leave[demand.segment].ravel()
    indptr, order = grouped(node, len(network.indptr) - 1)
    return indptr, np.repeat(demand.place, 2)[order], cost.ravel()[order]


def directly(facilities: Snaps, demand: Snaps, impedance: Impedance) -> tuple[LongArray, IntArray, FloatArray]:
    """Return, for each facility, the demand places on its own segment or in its own building, and their costs."""
    f, d = pairs(facilities.segment, demand.segment)
    way = stretch(facilities.fraction[f] - demand.fraction[d], demand.segment[d], impedance)
    cost = way + facilities.access_m[f] + demand.access_m[d]
    usable = any_row(facilities) >= 0
    fb, db = pairs(np.where(usable, facilities.building, -1), demand.building)
    facility = np.concatenate([facilities.place[f], fb])
    indptr, order = grouped(facility, facilities.n_places)
    place = np.concatenate([demand.place[d], db]).astype(np.int32)
    return indptr, place[order], np.concatenate([cost, np.zeros(len(fb))])[order]


def pairs(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> tuple[LongArray, LongArray]:
    """Return the rows (i, j) with ``left[i] == right[j] >= 0``, every one, sparse."""
    order = np.argsort(right, kind="stable")
    first, last = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    count = np.where(left >= 0, last - first, 0)
    i = np.repeat(np.arange(len(left)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(first, count) + offset]


def grouped(key: npt.NDArray[Any], n: int) -> tuple[LongArray, LongArray]:
    """Return ``(indptr, order)``: the rows with key ``k`` are ``order[indptr[k]:indptr[k + 1]]``, in their order."""
    order = np.argsort(key, kind="stable")
    return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n))]).astype(np.int64), order


def any_row(snaps: Snaps) -> IntArray:
    """Return (n_places,) the first row of each place, -1 where it has none."""
    row = np.full(snaps.n_places, -1, dtype=np.int32)
    row[snaps.place[::-1]] = np.arange(len(snaps.place), dtype=np.int32)[::-1]
    return row
