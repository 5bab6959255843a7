"""Ways as a tree: each node's way leads over its ``parent``, -1 where it ends."""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def outside_in(parent):
    """Return the nodes in an order in which each comes before all that its way leads over."""
    n = len(parent)
    waiting = np.zeros(n, np.int32)
    for v in range(n):
        if parent[v] >= 0:
            waiting[parent[v]] += 1
    order = np.empty(n, np.int32)
    last = 0
    for v in range(n):
        if waiting[v] == 0:
            order[last] = v
            last += 1
    at = 0
    while at < last:
        p = parent[order[at]]
        at += 1
        if p >= 0:
            waiting[p] -= 1
            if waiting[p] == 0:
                order[last] = p
                last += 1
    return order


@compiled
def carry(order, parent, amount):
    """Add to ``amount`` of each node that of all nodes whose way leads over it."""
    for v in order:
        if parent[v] >= 0:
            amount[parent[v]] += amount[v]


@compiled
def spread(order, parent, marked):
    """Mark all nodes whose way leads over one that is marked."""
    for at in range(len(order) - 1, -1, -1):
        v = order[at]
        if parent[v] >= 0 and marked[parent[v]]:
            marked[v] = True
