"""What every open site is good for, and what could stand in for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.incidence import Incidence, sums


@dataclass(frozen=True, eq=False)
class Reasons(ReadOnlyArrays):
    """``reached`` and ``only_here`` per fixed site, then per chosen one; ``next_best`` per chosen one.

    See :class:`~lifecircle.siting.plan.SitingPlan`.
    """

    reached: FloatArray
    only_here: FloatArray
    next_best: LongArray


def explain(reach: Incidence, weights: FloatArray, *, fixed: LongArray, chosen: LongArray) -> Reasons:
    """Return what each open site is good for.

    Parameters
    ----------
    reach
        Demand points (columns) within the cutoff of each site (rows).
    weights
        Residents per demand point.
    fixed, chosen
        The open sites.
    """
    opened = reach.take(np.concatenate([fixed, chosen]))
    times = np.bincount(opened.columns, minlength=reach.n_columns)
    here_alone = times[opened.columns] == 1
    return Reasons(
        reached=sums(opened.rows, weights[opened.columns], opened.n_rows),
        only_here=sums(opened.rows[here_alone], weights[opened.columns[here_alone]], opened.n_rows),
        next_best=_substitutes(reach, weights, fixed=fixed, chosen=chosen, times=times),
    )


def _substitutes(
    reach: Incidence, weights: FloatArray, *, fixed: LongArray, chosen: LongArray, times: LongArray
) -> LongArray:
    """Return for each chosen site the closed one that wins most where the chosen one is dropped, -1 for none.

    A closed site wins whom nobody reaches, and whom it shares with the dropped one alone. The first part is
    the same whichever site is dropped, so a pair needs a look only where there is a second part; for all
    others the site with the largest first part stands.
    """
    closed = np.setdiff1d(np.arange(reach.n_rows), np.concatenate([fixed, chosen]))
    if not len(closed) or not len(chosen):
        return np.full(len(chosen), -1, dtype=np.int64)
    offers = reach.take(closed)
    new = times[offers.columns] == 0
    first = sums(offers.rows[new], weights[offers.columns[new]], len(closed))

    holder = _only_holder(reach.take(chosen), times == 1)
    shared = holder[offers.columns] >= 0
    pair = holder[offers.columns[shared]] * np.int64(len(closed)) + offers.rows[shared]
    pairs, pair_of = np.unique(pair, return_inverse=True)
    second = sums(pair_of, weights[offers.columns[shared]], len(pairs))

    everyone = np.arange(len(chosen))
    dropped = np.concatenate([pairs // len(closed), everyone])
    stand_in = np.concatenate([pairs % len(closed), np.full(len(chosen), np.argmax(first))])
    won = first[stand_in] + np.concatenate([second, np.zeros(len(chosen))])
    best_first = np.lexsort((stand_in, -won, dropped))
    best = best_first[np.searchsorted(dropped[best_first], everyone)]
    return np.where(won[best] > 0.0, closed[stand_in[best]], -1)


def _only_holder(reach: Incidence, once: BoolArray) -> LongArray:
    """Return the row that reaches each column where ``once`` holds, -1 where no row does or ``once`` does not hold."""
    holder = np.full(reach.n_columns, -1, dtype=np.int64)
    holder[reach.columns] = reach.rows
    return np.where(once, holder, -1)
