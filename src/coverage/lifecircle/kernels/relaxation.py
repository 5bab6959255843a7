"""Linear relaxations of questions in linear form: first-order steps, and rows over columns that fall together.

*Links* have *options*: link l those in ``lo[lp[l]:lp[l + 1]]``, and option j is in the links ``ol[op[j]:op[j + 1]]``.
All other entries of the constraints are sparse rows (``gp``, ``gc``, ``gv``) over all columns, and the same by column
(``hp``, ``hr``, ``hv``). Options are the first columns, links the first rows.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def relaxation_steps(
    n_steps, omega, scale, lp, lo, op, ol, gp, gc, gv, hp, hr, hv, objective, lower, upper, limit, highest, tau, sigma,
    v, p, kv, v_sum, p_sum,
):  # fmt: skip
    """Take steps towards the saddle point of max over v, min over p >= 0 of objective v + p (limit - K v); add them up.

    K has the entries -scale of a link at each of its options, and those of the rows. One step in v along its reduced
    gains, within its limits; one in p along what the extrapolated v overruns (A. Chambolle, T. Pock, 2011,
    https://doi.org/10.1007/s10851-010-0251-1), with a step length per column and row. ``kv`` is K v. All are brought
    up to date.
    """
    n_links, n_options = len(lp) - 1, len(op) - 1
    priced = np.empty(n_links)
    for _ in range(n_steps):
        for r in range(n_links):
            priced[r] = scale[r] * p[r]
        for c in range(len(v)):
            gain = objective[c]
            if c < n_options:
                for e in range(op[c], op[c + 1]):
                    gain += priced[ol[e]]
            for e in range(hp[c], hp[c + 1]):
                gain -= hv[e] * p[hr[e]]
            v[c] = min(max(v[c] + tau[c] / omega * gain, lower[c]), upper[c])
            v_sum[c] += v[c]
        for r in range(len(p)):
            new = 0.0
            if r < n_links:
                for e in range(lp[r], lp[r + 1]):
                    new -= v[lo[e]]
                new *= scale[r]
            for e in range(gp[r], gp[r + 1]):
                new += gv[e] * v[gc[e]]
            p[r] = min(max(p[r] + omega * sigma[r] * (2.0 * new - kv[r] - limit[r]), 0.0), highest)
            p_sum[r] += p[r]
            kv[r] = new


@compiled
def collapsed_rows(indptr, columns, values, number, constant, n_columns):
    """Return sparse rows over new columns, and what the columns that have become a constant come to in each row.

    ``number`` is the new column of each, entries of one new column added up; -1 where it is the ``constant``.
    """
    n_rows = len(indptr) - 1
    out_indptr, fixed = np.zeros(n_rows + 1, np.int64), np.zeros(n_rows)
    out_columns, out_values = np.empty(len(columns), np.int32), np.empty(len(columns))
    place, at = np.full(n_columns, -1, np.int64), 0
    for r in range(n_rows):
        start = at
        for e in range(indptr[r], indptr[r + 1]):
            c = number[columns[e]]
            if c < 0:
                fixed[r] += values[e] * constant[columns[e]]
            elif place[c] >= start:
                out_values[place[c]] += values[e]
            else:
                place[c] = at
                out_columns[at], out_values[at] = c, values[e]
                at += 1
        out_indptr[r + 1] = at
    return out_indptr, out_columns[:at], out_values[:at], fixed
