"""Whole numbers by share: residents among buildings, stations among communities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lifecircle.model import LongArray


def apportion(weights: npt.ArrayLike, total: int, *, least: int = 0) -> LongArray:
    """Part ``total`` into whole numbers in proportion to ``weights``, by largest remainder.

    Parameters
    ----------
    weights
        (n,) not negative, not all 0.
    least
        What each gets at the least, where ``total`` allows it.

    Returns
    -------
    array
        (n,) whole numbers that add up to ``total``; of equal remainders the first one gains.

    Examples
    --------
    >>> apportion([5, 3, 2], 9).tolist()
    [4, 3, 2]
    >>> apportion([5, 0], 3, least=1).tolist()
    [2, 1]
    """
    weight = np.asarray(weights, dtype=np.float64)
    if least * len(weight) > total:
        least = 0
    free = total - least * len(weight)
    beyond = np.maximum(weight / weight.sum() * total - least, 0.0)
    quota = beyond / beyond.sum() * free if free else np.zeros(len(weight))
    counts = np.floor(quota).astype(np.int64)
    counts[np.argsort(counts - quota, kind="stable")[: free - int(counts.sum())]] += 1
    return counts + least
