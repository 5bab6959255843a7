"""The p-medians of the OR-Library (J. Beasley, 1990, https://doi.org/10.1057/jors.1990.166) with known optima."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import shortest_path

from lifecircle.model import FloatArray, Walks
from lifecircle.siting import Question, ShortestWalks

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "siting" / "pmed"
BEYOND = 1e6
"""A cutoff longer than every way."""


def listed(folder: Path = FOLDER) -> dict[int, float]:
    """Return the optimum of every instance that is there, by its number."""
    lines = (line.split() for line in (folder / "pmedopt.txt").read_text(encoding="utf-8").splitlines())
    optima = {int(line[0][4:]): float(line[1]) for line in lines if line and line[0].startswith("pmed")}
    return {number: optima[number] for number in sorted(optima) if (folder / f"pmed{number}.txt").is_file()}


def question(number: int, folder: Path = FOLDER) -> Question:
    """Return what an instance asks."""
    return Question(ShortestWalks(BEYOND), n_new=int(_numbers(number, folder)[2]))


def instance(number: int, folder: Path = FOLDER) -> tuple[Walks, FloatArray]:
    """Return the ways between all nodes, each home and site, and one resident at each."""
    numbers = _numbers(number, folder)
    n = int(numbers[0])
    # Of an edge named twice the last one holds.
    edges = {(min(i, j) - 1, max(i, j) - 1): cost for i, j, cost in numbers[3:].reshape(-1, 3).tolist()}
    ends = np.array(list(edges)).T
    seconds = shortest_path(csr_matrix((list(edges.values()), (ends[0], ends[1])), shape=(n, n)), directed=False)
    return Walks(np.arange(n + 1) * n, np.tile(np.arange(n, dtype=np.int32), n), seconds.ravel(), n), np.ones(n)


def _numbers(number: int, folder: Path) -> np.ndarray:
    return np.array((folder / f"pmed{number}.txt").read_text(encoding="utf-8").split(), dtype=np.int64)
