"""Searches over who is reached by what: sums of prices, plans that grow and are rebuilt in part, steps to a bound.

*Options* reach *classes* of homes: option j the classes ``ci[cp[j]:cp[j + 1]]``, class c by the options
``rc[rp[c]:rp[c + 1]]``. *Limits* are rows ``sum of value * x <= limit`` over the options, as sparse rows (``lp``,
``lo``, ``lv``) and by option (``op``, ``ol``, ``ov``).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

DEAREST = 1e12
"""A price from which on a limit is taken for one that nothing keeps."""

SLACK = 1e-9
"""What a limit may be overrun by: sums that are kept up to date lose their last digits."""


@compiled
def sums_by_row(indptr, columns, worth):
    """Return the sum of ``worth`` over the columns of each row."""
    out = np.empty(len(indptr) - 1)
    for j in range(len(out)):
        total = 0.0
        for e in range(indptr[j], indptr[j + 1]):
            total += worth[columns[e]]
        out[j] = total
    return out


@compiled
def transposed(indptr, columns, n_columns):
    """Return columns as rows and rows as columns, both ascending."""
    out_indptr = np.zeros(n_columns + 1, np.int64)
    for e in range(len(columns)):
        out_indptr[columns[e] + 1] += 1
    for c in range(n_columns):
        out_indptr[c + 1] += out_indptr[c]
    place = out_indptr[:-1].copy()
    out = np.empty(len(columns), np.int32)
    for j in range(len(indptr) - 1):
        for e in range(indptr[j], indptr[j + 1]):
            c = columns[e]
            out[place[c]] = j
            place[c] += 1
    return out_indptr, out


@compiled
def told_apart(rows, indptr, columns, n_columns):
    """Return a number for each column, the same where the same ``rows`` touch two, 0 where none does, and how many.

    Row by row, each class falls into those columns that the row touches and those that it does not.
    """
    class_of = np.zeros(n_columns, np.int32)
    size, hits = np.zeros(n_columns + 1, np.int32), np.zeros(n_columns + 1, np.int32)
    part = np.zeros(n_columns + 1, np.int32)
    size[0] = n_columns + 1  # which is never used up, so that 0 keeps its meaning
    n_classes = 1
    for r in rows:
        for e in range(indptr[r], indptr[r + 1]):
            hits[class_of[columns[e]]] += 1
        for e in range(indptr[r], indptr[r + 1]):
            c = class_of[columns[e]]
            if hits[c] > 0:
                part[c] = c
                if hits[c] < size[c]:
                    part[c] = n_classes
                    size[c] -= hits[c]
                    size[n_classes] = hits[c]
                    n_classes += 1
                hits[c] = 0
            class_of[columns[e]] = part[c]
    return class_of, n_classes


@compiled
def rows_within(rows, indptr, columns, seconds, cutoff_s, wanted):
    """Return some rows with those of their columns that are ``wanted`` and within ``cutoff_s``."""
    out_indptr = np.zeros(len(rows) + 1, np.int64)
    for i in range(len(rows)):
        out_indptr[i + 1] = out_indptr[i]
        for e in range(indptr[rows[i]], indptr[rows[i] + 1]):
            out_indptr[i + 1] += seconds[e] <= cutoff_s and wanted[columns[e]]
    out, at = np.empty(out_indptr[-1], np.int32), 0
    for r in rows:
        for e in range(indptr[r], indptr[r + 1]):
            if seconds[e] <= cutoff_s and wanted[columns[e]]:
                out[at] = columns[e]
                at += 1
    return out_indptr, out


@compiled
def renumbered(rows, indptr, columns, number):
    """Return some rows with their columns called by ``number``; those that have none, -1, are left out."""
    out_indptr = np.zeros(len(rows) + 1, np.int64)
    for i in range(len(rows)):
        out_indptr[i + 1] = out_indptr[i]
        for e in range(indptr[rows[i]], indptr[rows[i] + 1]):
            out_indptr[i + 1] += number[columns[e]] >= 0
    out, at = np.empty(out_indptr[-1], np.int32), 0
    for r in rows:
        for e in range(indptr[r], indptr[r + 1]):
            if number[columns[e]] >= 0:
                out[at] = number[columns[e]]
                at += 1
    return out_indptr, out


@compiled
def grown(cp, ci, weight, reached, price, op, ol, ov, room, enough=np.inf):
    """Open the option that wins most for its price, then the next, as long as any wins something and fits.

    It ends where they win ``enough``. ``reached`` and ``room`` are brought up to date. Gains only fall, so an option is
    looked at again only when it comes first (M. Minoux, 1978, Accelerated greedy algorithms for maximizing submodular
    set functions).
    """
    queue = [(-_gain(j, cp, ci, weight, reached) / price[j], j) for j in range(len(cp) - 1)]
    heapify(queue)
    opened = np.zeros(len(cp) - 1, np.bool_)
    won = 0.0
    while len(queue) > 0 and won < enough:
        _, j = heappop(queue)
        score = _gain(j, cp, ci, weight, reached) / price[j]
        if score <= 0.0 or not _fits(j, op, ol, ov, room):
            continue
        if len(queue) > 0 and -score > queue[0][0]:
            heappush(queue, (-score, j))
            continue
        opened[j] = True
        won += score * price[j]
        for e in range(cp[j], cp[j + 1]):
            reached[ci[e]] = True
        for e in range(op[j], op[j + 1]):
            room[ol[e]] -= ov[e]
    return opened


@inner
def _gain(j, cp, ci, weight, reached):
    total = 0.0
    for e in range(cp[j], cp[j + 1]):
        if not reached[ci[e]]:
            total += weight[ci[e]]
    return total


@inner
def _fits(j, op, ol, ov, room):
    fits = True
    for e in range(op[j], op[j + 1]):
        fits = fits and (ov[e] <= 0.0 or ov[e] <= room[ol[e]] + SLACK)
    return fits


# ------------------------------------------------------------------------------------------------ towards a bound


@compiled
def saddle_steps(
    n_steps, omega, cp, ci, weight, tau, sigma, lp, lo, lv, limit, n_sweeps, x, mu, reach, q, x_sum, mu_sum, q_sum
):  # fmt: skip
    """Take steps towards the saddle point of max over x, min over mu of the Lagrangian of a cover; add up the path.

    With 0 <= mu <= 1 per class, 0 <= x <= 1 within the limits: sum of weight (1 - mu) + sum of weight mu (A x). One
    step in x along the prices, projected; one in mu along what the extrapolated x fails to reach, by turns
    (A. Chambolle, T. Pock, 2011, https://doi.org/10.1007/s10851-010-0251-1), with a step length per column and row.
    ``reach`` is A x; ``q`` are the multipliers of the limits. All are brought up to date.
    """
    m, n = len(cp) - 1, len(weight)
    worth, new_reach, step, target = np.empty(n), np.empty(n), np.empty(m), np.empty(m)
    for j in range(m):
        step[j] = tau[j] / omega
    for _ in range(n_steps):
        for c in range(n):
            worth[c] = weight[c] * mu[c]
            new_reach[c] = 0.0
        for j in range(m):
            total = 0.0
            for e in range(cp[j], cp[j + 1]):
                total += worth[ci[e]]
            target[j] = x[j] + step[j] * total
        _priced(target, step, lp, lo, lv, limit, n_sweeps, q)
        for j in range(m):
            x[j] = min(max(target[j], 0.0), 1.0)
            x_sum[j] += x[j]
            if x[j] > 0.0:
                for e in range(cp[j], cp[j + 1]):
                    new_reach[ci[e]] += x[j]
        for c in range(n):
            mu[c] = min(max(mu[c] - omega * sigma[c] * (2.0 * new_reach[c] - reach[c] - 1.0), 0.0), 1.0)
            mu_sum[c] += mu[c]
            reach[c] = new_reach[c]
        for r in range(len(q)):
            q_sum[r] += q[r]


@inner
def _priced(target, step, lp, lo, lv, limit, n_sweeps, q):
    """Take from ``target`` what the limits cost, so that its clipping to [0, 1] keeps them; ``q`` are the prices.

    Limit by limit, as often as ``n_sweeps`` says; what several limits then overlap by is left to later steps.
    """
    for r in range(len(q)):
        for e in range(lp[r], lp[r + 1]):
            target[lo[e]] -= step[lo[e]] * lv[e] * q[r]
    for _ in range(n_sweeps):
        for r in range(len(q)):
            low, high, at = -q[r], np.inf, 0.0
            for _ in range(60):
                over, slope = -limit[r], 0.0
                for e in range(lp[r], lp[r + 1]):
                    j = lo[e]
                    v = target[j] - step[j] * lv[e] * at
                    if v >= 1.0:
                        over += lv[e]
                    elif v > 0.0:
                        over += lv[e] * v
                        slope += step[j] * lv[e] * lv[e]
                if over > 0.0:
                    low = at
                else:
                    high = at
                if abs(over) <= 1e-9 * (1.0 + abs(limit[r])) or (over <= 0.0 and at <= -q[r]):
                    break
                # Newton's step, kept inside of what is known; where nothing moves, outwards.
                new = at + over / slope if slope > 0.0 else np.inf
                if not low < new < high:
                    if high < np.inf:
                        new = max(0.5 * (low + high), low)
                    elif over > 0.0 and at + q[r] < DEAREST:
                        new = at + max(1e-3, 2.0 * abs(at + q[r]))
                    elif over > 0.0:
                        break
                    else:
                        new = -q[r]
                new = max(new, -q[r])
                if new == at:
                    break
                at = new
            for e in range(lp[r], lp[r + 1]):
                target[lo[e]] -= step[lo[e]] * lv[e] * at
            q[r] += at
