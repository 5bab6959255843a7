"""The way itself: the line that someone walks."""

from __future__ import annotations

import numpy as np

from lifecircle.model import SPEED_MPS, FloatArray
from lifecircle.network import Impedance, WalkNetwork
from lifecircle.routing.costs import cutoff_m_of, pairs, partial, stretch
from lifecircle.routing.forest import Forest, walked_forward
from lifecircle.snapping import Snaps


def path(network: WalkNetwork, a: Snaps, b: Snaps, *, speed_mps: float = SPEED_MPS) -> tuple[FloatArray, float] | None:
    """Return the way that someone walks from the place ``a`` to the place ``b``, each the only one of its snaps.

    Returns
    -------
    (line, metres)
        (n, 2) metres in the network's CRS, from the spot where ``a`` meets the street to that of ``b``, and the metres
        walked, both legs included; None where there is no way. Within one building the line is empty.

    Raises
    ------
    ValueError
        When either is not one place, or the speed is none.
    """
    if a.n_places != 1 or b.n_places != 1:
        raise ValueError(f"path leads from one place to one, not from {a.n_places} to {b.n_places}; see Snaps.take")
    cutoff_m_of(np.inf, speed_mps)
    if len(b.place) and a.building[0] == b.building[0] >= 0:
        return np.empty((0, 2)), 0.0
    impedance = network.impedance(speed_mps)
    found = [way for way in (_along_one_segment(network, a, b, impedance), _round(network, a, b, impedance)) if way]
    if not found:
        return None
    _, pieces, legs_m = min(found, key=lambda way: way[0])
    line = np.concatenate([_line(network, *piece) for piece in pieces])
    moved = np.ones(len(line), dtype=bool)
    moved[1:] = (np.diff(line, axis=0) != 0).any(axis=1)
    metres = sum(abs(stop - start) * float(network.length_m[segment]) for segment, start, stop in pieces)
    return line[moved], metres + legs_m


Way = tuple[float, list[tuple[int, float, float]], float]
"""What a way costs, the segments along it with the fractions between which they are walked, and the metres of legs."""


def _along_one_segment(network: WalkNetwork, a: Snaps, b: Snaps, impedance: Impedance) -> Way | None:
    i, j = pairs(a.segment, b.segment)
    cost = stretch(b.fraction[j] - a.fraction[i], a.segment[i], impedance) + a.access_m[i] + b.access_m[j]
    if not np.isfinite(cost).any():
        return None
    at = int(cost.argmin())
    i, j = i[at], j[at]
    piece = (int(a.segment[i]), float(a.fraction[i]), float(b.fraction[j]))
    return float(cost[at]), [piece], float(a.access_m[i] + b.access_m[j])


def _round(network: WalkNetwork, a: Snaps, b: Snaps, impedance: Impedance) -> Way | None:
    """Return the cheapest way by the ends of the segments."""
    forest = Forest.to(network, b, impedance)
    out = partial(network, a, impedance, towards=0)[0] + a.access_m[:, None] + forest.cost_m[network.leave[a.segment]]
    if not np.isfinite(out).any():
        return None
    i, side = divmod(int(out.argmin()), 2)
    at = int(network.leave[a.segment[i], side])
    pieces = [(int(a.segment[i]), float(a.fraction[i]), float(side))]
    while (onto := int(forest.parent[at])) >= 0:
        if (segment := int(forest.segment[at])) >= 0:
            forward = bool(walked_forward(network, np.array([segment]), np.array([at]), impedance)[0])
            pieces.append((segment, float(not forward), float(forward)))
        at = onto
    j = int(forest.row[at])
    pieces.append((int(b.segment[j]), float(forest.side[at]), float(b.fraction[j])))
    return float(out.min()), pieces, float(a.access_m[i] + b.access_m[j])


def _line(network: WalkNetwork, segment: int, start: float, stop: float) -> FloatArray:
    """Return the vertices of a segment between two fractions of it, in walking direction."""
    xy = network.shape_xy_m[network.shape_indptr[segment] : network.shape_indptr[segment + 1]]
    upto = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    share = upto / upto[-1] if upto[-1] > 0 else np.linspace(0.0, 1.0, len(upto))
    low, high = min(start, stop), max(start, stop)
    ends = np.array([low, high])
    cut = np.column_stack([np.interp(ends, share, xy[:, axis]) for axis in (0, 1)])
    line = np.concatenate([cut[:1], xy[(share > low) & (share < high)], cut[1:]])
    return line if stop >= start else line[::-1]
