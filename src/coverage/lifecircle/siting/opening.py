"""In which order sites should open where walks are measured: each makes the objective best after those before it."""

from __future__ import annotations

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray, Walks
from lifecircle.siting.recount import nearest_s


def order_by_walks(
    walks: Walks, worth: FloatArray, kept: LongArray, chosen: LongArray, rank: LongArray, cutoff_s: float
) -> tuple[LongArray, FloatArray]:
    """Return the positions of ``chosen`` so that each saves the most seconds after those before it, and what it saves.

    Parameters
    ----------
    walks
        Seconds to the sites (rows) from the demand points (columns).
    worth
        Persons per demand point.
    kept, chosen
        The sites that stand, and those to open.
    rank
        Per chosen site; lower ones open first, whatever they save. Of equals the smaller position does.
    cutoff_s
        What a walk beyond it counts, seconds.

    Returns
    -------
    order, saved
        Positions in ``chosen``; person-seconds saved by each in that order.
    """
    walk_s = np.minimum(nearest_s(walks, kept), cutoff_s)
    equal = 1e-9 * cutoff_s * float(worth.sum())
    # What a site saves never grows while others open, so an old figure is one that it cannot exceed.
    most, known_at = np.full(len(chosen), np.inf), np.full(len(chosen), -1)
    waiting = np.ones(len(chosen), dtype=bool)
    order, saved = np.empty(len(chosen), dtype=np.int64), np.empty(len(chosen))
    for turn in range(len(chosen)):
        now = waiting & (rank == rank[waiting].min())
        while True:
            top = np.flatnonzero(now & (most >= most[now].max() - equal))
            old = top[known_at[top] < turn]
            if not len(old):
                break
            for position in old.tolist():
                home, seconds = walks.row(int(chosen[position]))
                most[position] = float(worth[home] @ np.maximum(walk_s[home] - seconds, 0.0))
                known_at[position] = turn
        best = int(top[0])
        home, seconds = walks.row(int(chosen[best]))
        walk_s[home] = np.minimum(walk_s[home], seconds)
        order[turn], saved[turn], waiting[best] = best, most[best], False
    return order, saved


def order_by_longest(
    walks: Walks, asked: BoolArray, kept: LongArray, chosen: LongArray, preferred: LongArray
) -> LongArray:
    """Return the positions of ``chosen`` so that each leaves the shortest longest walk after those before it.

    Parameters
    ----------
    walks
        Seconds to the sites (rows) from the demand points (columns).
    asked
        The demand points that count.
    kept, chosen
        The sites that stand, and those to open.
    preferred
        Positions in ``chosen``; of those that leave the longest walk the same, the first here opens first.
    """
    walk_s = np.where(asked, nearest_s(walks, kept), 0.0)
    waiting, order = preferred.tolist(), []
    while waiting:
        longest_s, worst = float(walk_s.max(initial=0.0)), int(walk_s.argmax()) if len(walk_s) else -1
        best = waiting[0]
        for position in waiting:
            home, seconds = walks.row(int(chosen[position]))
            if longest_s == 0.0 or worst not in home:  # the longest walk stays
                continue
            with_s = walk_s.copy()
            with_s[home] = np.minimum(with_s[home], seconds)
            if with_s.max() < longest_s:
                best, longest_s = position, float(with_s.max())
        home, seconds = walks.row(int(chosen[best]))
        walk_s[home] = np.minimum(walk_s[home], seconds)
        waiting.remove(best)
        order.append(best)
    return np.array(order, dtype=np.int64)
