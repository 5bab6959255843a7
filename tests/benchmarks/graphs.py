"""The networks that are measured on, and the places that every tool is asked about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from lifecircle.hilbert import hilbert_order
from lifecircle.network import WalkNetwork, walk_network

N_STATIONS = 200
N_CANDIDATES = 5000


@dataclass(frozen=True, eq=False)
class Graph:
    """A network in which nothing but length counts, so that a tool without rules for walkers answers the same.

    ``stations`` and ``candidates`` are rows of ``network.xy_m``, each the only node of its place, so that snapping
    finds it; no two segments join the same nodes.
    """

    name: str
    network: WalkNetwork
    stations: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]

    @classmethod
    def of(cls, name: str, network: WalkNetwork) -> Graph:
        _, first, count = np.unique(network.xy_m, axis=0, return_index=True, return_counts=True)
        drawn = np.random.default_rng(7).permutation(np.sort(first[count == 1]))
        n_stations, n_candidates = (min(most, len(drawn) // 4) for most in (N_STATIONS, N_CANDIDATES))
        return cls(name, network, drawn[:n_stations], drawn[n_stations : n_stations + n_candidates])

    @property
    def n_nodes(self) -> int:
        return len(self.network.xy_m)

    @property
    def is_large(self) -> bool:
        """Whether it is the network of a million nodes, for which other marks hold than for a region's."""
        return self.n_nodes >= 1_000_000

    def __str__(self) -> str:
        return f"{self.name}: {self.n_nodes:,} nodes, {self.network.n_segments:,} segments"


@dataclass(frozen=True, eq=False)
class HilbertMatrix:
    """A graph as scipy takes it, its nodes numbered along the curve that ours are numbered along."""

    matrix: csr_array
    row: npt.NDArray[np.int64]
    """(n_nodes,) the row of the matrix that a node has."""

    @classmethod
    def of(cls, network: WalkNetwork) -> HilbertMatrix:
        n = len(network.xy_m)
        row = np.empty(n, dtype=np.int64)
        row[hilbert_order(network.xy_m)] = np.arange(n)
        u, v = row[network.ends].T
        values = np.concatenate([network.length_m, network.length_m])
        ends = np.concatenate([u, v]), np.concatenate([v, u])
        matrix = csr_array(coo_array((values, ends), shape=(n, n)))
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
        return cls(matrix, row)


def grid(side: int) -> Graph:
    """Return the network of `grid_arrays`."""
    return Graph.of(f"grid {side} x {side}", walk_network(*grid_arrays(side)))


def grid_arrays(side: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return nodes and edges of a jittered grid of 60 m blocks, the nodes shuffled: the worst case for memory."""
    random = np.random.default_rng(1)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    xy_m = np.stack([column.ravel(), row.ravel()], axis=1) * 60.0 + random.normal(0, 10, (side * side, 2))
    number = np.arange(side * side).reshape(side, side)
    along = np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1)
    across = np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1)
    shuffled = random.permutation(side * side)
    moved = np.empty_like(xy_m)
    moved[shuffled] = xy_m
    return moved, shuffled[np.concatenate([along, across])]
