"""Small whole numbers in order, by counting."""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def order_of(keys, n_keys):
    """Return the places of ``keys``, from 0 to below ``n_keys``, in their order, equal ones as they come."""
    place = np.zeros(n_keys + 1, np.int64)
    for i in range(len(keys)):
        place[keys[i] + 1] += 1
    for k in range(n_keys):
        place[k + 1] += place[k]
    order = np.empty(len(keys), np.int64)
    for i in range(len(keys)):
        order[place[keys[i]]] = i
        place[keys[i]] += 1
    return order
