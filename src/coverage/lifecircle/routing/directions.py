"""Walks that count: the way there, the mean of both ways, or the worse of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecircle.model import DIRECTIONS, SPEED_MPS, TOLERANCE_S, FloatArray, IntArray, LongArray, Walks
from lifecircle.network import WalkNetwork
from lifecircle.routing.costs import cutoff_m_of
from lifecircle.routing.labels import NearestWalks, node_labels, standing, walks_of_labels
from lifecircle.routing.within import within_one_way
from lifecircle.snapping import Snaps

THERE, ROUND_TRIP, WORSE_WAY = DIRECTIONS
"""Home to station; the mean of that and the way back; the longer of the two."""

FIRST_K = 4
"""How many nearest facilities are looked at either way before the lists grow."""


def nearest(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps | None = None,
    *,
    k: int = 1,
    cutoff_s: float = np.inf,
    speed_mps: float = SPEED_MPS,
    direction: str = THERE,
) -> tuple[IntArray, FloatArray]:
    """Find each demand place's k nearest facilities on foot.

    Parameters
    ----------
    demand
        The places; by default every node of the network, where someone stands who may use the private ways there.
    direction
        ``there``, ``round_trip`` (the mean of both ways) or ``worse_way``.

    Returns
    -------
    (index, seconds)
        (n, k) each, nearest first, of equally near ones the smaller index first; -1 and inf where there is none within
        ``cutoff_s`` (inclusive).

    Raises
    ------
    ValueError
        When speed, cutoff, k or direction are none.

    Notes
    -----
    One search (E. W. Dijkstra, 1959, doi:10.1007/BF01386390) from all facilities at once, against the walking
    direction, keeps k labels of distinct facilities a node.
    """
    if demand is not None:
        walks = nearest_walks(
            network, facilities, demand, k=k, cutoff_s=cutoff_s, speed_mps=speed_mps, direction=direction
        )
        return walks.facility, walks.seconds

    def look(way: WalkNetwork, count: int, limit_s: float) -> NearestWalks:
        return standing(way, node_labels(way, facilities, k=count, cutoff_s=limit_s, speed_mps=speed_mps), facilities)

    _refuse_unsound(direction, k, cutoff_s, speed_mps)
    walks = _counted(network, look, facilities.n_places, k, cutoff_s, direction)
    return walks.facility, walks.seconds


def nearest_walks(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps,
    *,
    k: int = 1,
    cutoff_s: float = np.inf,
    speed_mps: float = SPEED_MPS,
    direction: str = THERE,
) -> NearestWalks:
    """As ``nearest``, with metres and legs of every walk; those of the way there, whatever the direction."""
    _refuse_unsound(direction, k, cutoff_s, speed_mps)

    def look(way: WalkNetwork, count: int, limit_s: float) -> NearestWalks:
        labels = node_labels(way, facilities, k=count, cutoff_s=limit_s, speed_mps=speed_mps)
        return walks_of_labels(way, labels, facilities, demand)

    return _counted(network, look, facilities.n_places, k, cutoff_s, direction)


Look = Callable[[WalkNetwork, int, float], NearestWalks]
"""Finds so many nearest facilities of every place one way, within a cutoff in seconds."""


def _counted(
    network: WalkNetwork, look: Look, n_facilities: int, k: int, cutoff_s: float, direction: str
) -> NearestWalks:
    """Return the k nearest facilities by the walk that counts."""
    if direction == THERE or network.is_symmetric:
        return look(network, k, cutoff_s)
    turned = network.turned()
    longer = max(FIRST_K, k)
    while True:
        there, back = look(network, longer, np.inf), look(turned, longer, np.inf)
        found, settled = _merged(there, back, k, direction)
        if longer >= n_facilities or (settled | _beyond(there, back, cutoff_s, direction)).all():
            return found.within(cutoff_s)
        longer *= 2


def within(
    network: WalkNetwork,
    facilities: Snaps,
    demand: Snaps | None = None,
    *,
    cutoff_s: float,
    speed_mps: float = SPEED_MPS,
    direction: str = THERE,
    threads: int | None = None,
) -> Walks:
    """Find every pair of a demand place and a facility that it reaches within ``cutoff_s`` (inclusive).

    Parameters
    ----------
    demand, direction
        As in ``nearest``.
    threads
        By default as many as the machine has cores; the result does not depend on it.

    Returns
    -------
    Walks
        Rows are facilities, columns demand places, values seconds; a pair beyond the cutoff is not stored.

    Raises
    ------
    ValueError
        When speed, cutoff or direction are none.
    """
    _refuse_unsound(direction, 1, cutoff_s, speed_mps)

    def one_way(way: WalkNetwork, limit_s: float) -> Walks:
        return within_one_way(way, facilities, demand, cutoff_s=limit_s, speed_mps=speed_mps, threads=threads)

    if direction == THERE or network.is_symmetric:
        return one_way(network, cutoff_s)
    limit_s = cutoff_s if direction == WORSE_WAY else 2 * cutoff_s
    there, back = one_way(network, limit_s), one_way(network.turned(), limit_s)
    key, i, j = np.intersect1d(_keys(there), _keys(back), assume_unique=True, return_indices=True)
    seconds = _combined(there.seconds[i], back.seconds[j], direction)
    inside = seconds <= cutoff_s + TOLERANCE_S
    facility, place = np.divmod(key[inside], max(there.n_demand, 1))
    counts = np.bincount(facility, minlength=there.n_facilities)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Walks(indptr, place.astype(np.int32), seconds[inside], there.n_demand)


def _refuse_unsound(direction: str, k: int, cutoff_s: float, speed_mps: float) -> None:
    if direction not in DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}")
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    cutoff_m_of(cutoff_s, speed_mps)


def _combined(there_s: npt.NDArray[Any], back_s: npt.NDArray[Any], direction: str) -> FloatArray:
    combined: FloatArray = np.maximum(there_s, back_s) if direction == WORSE_WAY else (there_s + back_s) / 2
    return combined


def _keys(walks: Walks) -> LongArray:
    """Return a number for each pair, the facility's before the place's."""
    facility = np.repeat(np.arange(walks.n_facilities), np.diff(walks.indptr))
    keys: LongArray = facility * max(walks.n_demand, 1) + walks.indices
    return keys


def _merged(there: NearestWalks, back: NearestWalks, k: int, direction: str) -> tuple[NearestWalks, npt.NDArray[Any]]:
    """Return the k nearest among the facilities that both lists name, and whether no other can be nearer.

    Notes
    -----
    The threshold algorithm: R. Fagin, A. Lotem and M. Naor (2003), doi:10.1016/S0022-0000(03)00026-6. A facility that
    a list does not name is at least as far that way as the list's last, and the other way as the other list's first.
    """
    same = (there.facility[:, :, None] == back.facility[:, None, :]) & (there.facility[:, :, None] >= 0)
    named, at = same.any(axis=2), same.argmax(axis=2)
    back_s = np.take_along_axis(back.seconds, at, axis=1)
    seconds = np.where(named, _combined(there.seconds, np.where(named, back_s, np.inf), direction), np.inf)
    order = np.lexsort((there.facility, seconds), axis=1)[:, :k]
    best = np.take_along_axis(seconds, order, axis=1)
    unseen = np.minimum(
        _combined(there.seconds[:, -1], back.seconds[:, 0], direction),
        _combined(there.seconds[:, 0], back.seconds[:, -1], direction),
    )
    merged = there.picked(order, best)
    return merged, (best[:, -1] < unseen) | np.isinf(unseen)


def _beyond(there: NearestWalks, back: NearestWalks, cutoff_s: float, direction: str) -> npt.NDArray[Any]:
    """Return the places for which both lists name every facility that can be within the cutoff."""
    limit_s = (cutoff_s if direction == WORSE_WAY else 2 * cutoff_s) + TOLERANCE_S
    return (there.seconds[:, -1] > limit_s) & (back.seconds[:, -1] > limit_s)
