"""Made-up cities for siting at scale, fixed by a seed: homes in quarters along a valley, rooms to open among them."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from lifecircle.model import FloatArray, Walks

SPEED_MPS = 1.2
CHUNK = 500


def valley(
    n_homes: int, n_rooms: int, *, quarters: int, size_km: tuple[float, float], cutoff_s: float = 480.0, seed: int = 1
) -> tuple[Walks, FloatArray]:
    """Return the walks to all rooms within the cutoff, and the residents of every home.

    Quarters of 150 to 420 m lie densest around the middle of a winding valley; one home in 25 stands alone. A walk is
    half the straight line and half the way along a grid of streets, at 1.2 m/s.
    """
    random = np.random.default_rng(seed)
    width_m, height_m = 1000.0 * size_km[0], 1000.0 * size_km[1]
    middle_x = np.clip(random.normal(0.5, 0.22, quarters), 0.02, 0.98) * width_m
    bend = 0.5 + 0.12 * np.sin(6.0 * middle_x / width_m)
    middle_y = np.clip(bend + random.normal(0.0, 0.16, quarters), 0.02, 0.98) * height_m
    radius_m = random.uniform(150.0, 420.0, quarters)
    share = random.lognormal(0.0, 0.5, quarters)
    quarter = random.choice(quarters, n_homes, p=share / share.sum())
    spread = 0.7 * radius_m[quarter, None] * random.normal(size=(n_homes, 2))
    homes = np.stack([middle_x[quarter], middle_y[quarter]], axis=1) + spread
    alone = random.random(n_homes) < 0.04
    homes[alone] = random.uniform((0.0, 0.0), (width_m, height_m), (int(alone.sum()), 2))
    residents = np.maximum(1.0, np.round(4.0 * random.lognormal(0.0, 0.9, n_homes) / np.exp(0.405)))
    rooms = homes[random.choice(n_homes, n_rooms, replace=False)] + random.normal(0.0, 40.0, (n_rooms, 2))
    return _walks(homes, rooms, cutoff_s), residents


def _walks(homes: FloatArray, rooms: FloatArray, cutoff_s: float) -> Walks:
    turn = np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])  # streets do not run north
    homes, rooms = homes @ turn, rooms @ turn
    tree, reach_m = KDTree(homes), cutoff_s * SPEED_MPS
    lengths, indices, seconds = [], [], []
    for start in range(0, len(rooms), CHUNK):
        some = rooms[start : start + CHUNK]
        near = KDTree(some).sparse_distance_matrix(tree, reach_m, output_type="ndarray")
        along = np.abs(some[near["i"]] - homes[near["j"]]).sum(axis=1)
        walk_s = 0.5 * (along + near["v"]) / SPEED_MPS
        kept = np.flatnonzero(walk_s <= cutoff_s)
        kept = kept[np.lexsort((near["j"][kept], near["i"][kept]))]
        lengths.append(np.bincount(near["i"][kept], minlength=len(some)))
        indices.append(near["j"][kept].astype(np.int32))
        seconds.append(walk_s[kept])
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return Walks(indptr, np.concatenate(indices), np.concatenate(seconds), len(homes))
