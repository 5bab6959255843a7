"""The site that wins most, then the next: a first plan, and the order in which a plan's sites should be opened."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np

from lifecircle.model import FloatArray, LongArray
from lifecircle.siting.incidence import Incidence


def open_in_order(
    reach: Incidence, weights: FloatArray, sites: LongArray, *, limit: int, need: float
) -> tuple[LongArray, FloatArray]:
    """Open the best of ``sites`` one by one until ``limit`` are open, ``need`` is met, or none wins anybody.

    Parameters
    ----------
    reach
        Columns that each site (row) reaches.
    weights
        Residents per column.
    sites
        The rows to open from. Of equally good ones the smaller index goes first.
    limit
        The most sites to open.
    need
        Residents at which to stop; inf for never.

    Returns
    -------
    opened, gain
        The sites in order, and the residents each adds to those before it; gains never rise.

    Notes
    -----
    What a site adds only falls as others open, so a gain computed earlier is an upper limit, and a site whose
    renewed gain still leads is the best one (M. Minoux, 1978, https://doi.org/10.1007/BFb0006528).
    """
    won = np.zeros(reach.n_columns, dtype=bool)
    queue = [(-float(weights[reach.row(site)].sum()), int(site)) for site in sites]
    heapify(queue)
    opened: list[int] = []
    gains: list[float] = []
    total = 0.0
    while queue and len(opened) < limit and total < need:
        _, site = heappop(queue)
        columns = reach.row(site)
        new = columns[~won[columns]]
        gain = float(weights[new].sum())
        if queue and (-gain, site) > queue[0]:
            heappush(queue, (-gain, site))
            continue
        if gain <= 0.0:
            break
        won[new] = True
        opened.append(site)
        gains.append(gain)
        total += gain
    return np.array(opened, dtype=np.int64), np.array(gains, dtype=np.float64)
