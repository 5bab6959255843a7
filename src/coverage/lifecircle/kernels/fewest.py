"""Searches for the fewest options that reach every class of homes: reductions, steps to a bound, exchanges.

Arrays as in ``cover``: option j reaches the classes ``ci[cp[j]:cp[j + 1]]``, class c is reached by the options
``rc[rp[c]:rp[c + 1]]``, both ascending.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

TURN = 200.0
"""What a turn takes beside the entries it touches, in entries."""


# -------------------------------------------------------------------------------------------------- made smaller


@compiled
def rows_to_spare(indptr, columns, by_column, rows_of, order, larger):
    """Return which rows to leave out since another one, kept, is part of them (``larger``) or holds all of them.

    Rows are looked at in ``order``, shorter ones first; of equal ones the first stays where larger ones go, else the
    last. ``rows_of[by_column[k]:by_column[k + 1]]`` are the rows of column k.
    """
    spare = np.zeros(len(indptr) - 1, np.bool_)
    for i in order:
        first, end = indptr[i], indptr[i + 1]
        if spare[i] or first == end:
            spare[i] = True
            continue
        # Who holds all of this row shares its rarest column with it.
        rare = columns[first]
        for e in range(first + 1, end):
            if by_column[columns[e] + 1] - by_column[columns[e]] < by_column[rare + 1] - by_column[rare]:
                rare = columns[e]
        for f in range(by_column[rare], by_column[rare + 1]):
            k = rows_of[f]
            if k != i and not spare[k] and _holds(indptr[k], indptr[k + 1], first, end, columns):
                if larger:
                    spare[k] = True
                else:
                    spare[i] = True
                    break
    return spare


@inner
def _holds(start, stop, first, end, columns):
    """Return whether the entries from ``start`` to ``stop`` hold all columns of those from ``first`` to ``end``."""
    e = first
    while e < end and stop - start >= end - e:
        if columns[start] == columns[e]:
            e += 1
        elif columns[start] > columns[e]:
            return False
        start += 1
    return e == end


# ------------------------------------------------------------------------------------------------ towards a bound


@compiled
def fewest_steps(n_steps, omega, rp, rc, tau, sigma, x, u, pull, x_sum, u_sum):
    """Take steps towards the saddle point of min over 0 <= x <= 1, max over u >= 0 of sum x + u (1 - A x).

    One step in x along 1 - A'u, then one in u along what the extrapolated x fails to reach (A. Chambolle, T. Pock,
    2011, https://doi.org/10.1007/s10851-010-0251-1), with a step length per column and row. ``pull`` is A'u. All
    are brought up to date, and the path is added up.
    """
    ahead = np.empty(len(x))
    for _ in range(n_steps):
        for j in range(len(x)):
            new = min(max(x[j] - tau[j] / omega * (1.0 - pull[j]), 0.0), 1.0)
            ahead[j] = 2.0 * new - x[j]
            x[j] = new
            x_sum[j] += new
            pull[j] = 0.0
        for c in range(len(u)):
            reached = 0.0
            for f in range(rp[c], rp[c + 1]):
                reached += ahead[rc[f]]
            u[c] = max(0.0, u[c] + omega * sigma[c] * (1.0 - reached))
            u_sum[c] += u[c]
            if u[c] > 0.0:
                for f in range(rp[c], rp[c + 1]):
                    pull[rc[f]] += u[c]


# --------------------------------------------------------------------------------------------------- better plans


@compiled
def fewer(work, random, cp, ci, rp, rc, start):
    """Take one option after the other out of the plan ``start``, which reaches every class; return the smallest found.

    Whenever all classes are reached, the option that is missed least closes. Else one closes, another one that
    reaches a class reached by none opens, and those classes weigh more from then on (C. Gao, T. Weise, J. Li, 2015, An
    efficient local search heuristic with row weighting for the unicost set covering problem,
    https://doi.org/10.1016/j.ejor.2015.05.038). Ends when ``work`` is used up, if it can with another plan than the one
    it comes from.
    """
    m, n = len(cp) - 1, len(rp) - 1
    opened, best = start.copy(), start.copy()
    weight, count, score = np.ones(n, np.int64), np.zeros(n, np.int32), np.zeros(m, np.int64)
    changed = np.zeros(m, np.int64)
    plan, at, n_open = np.empty(m, np.int32), np.empty(m, np.int32), 0
    missed, place, n_missed = np.empty(n, np.int32), np.empty(n, np.int32), 0
    for j in range(m):
        if opened[j]:
            plan[n_open], at[j] = j, n_open
            n_open += 1
            for e in range(cp[j], cp[j + 1]):
                count[ci[e]] += 1
    for j in range(m):
        for e in range(cp[j], cp[j + 1]):
            if opened[j] and count[ci[e]] == 1:
                score[j] -= 1
    done, turn, newest = 0.0, 0, -1
    while done < work and n_open > 0:
        turn += 1
        whole = n_missed == 0
        if whole:
            for j in range(m):
                best[j] = opened[j]
        # The open option that is missed least closes, of equals the one that has been open for longest.
        out = -1
        for k in range(n_open):
            j = plan[k]
            if j == newest and not whole:
                continue
            if out < 0 or score[j] > score[out] or (score[j] == score[out] and changed[j] < changed[out]):
                out = j
        done += TURN + n_open
        if out < 0:
            break
        opened[out], changed[out] = False, turn
        n_open -= 1
        plan[at[out]] = plan[n_open]
        at[plan[n_open]] = at[out]
        score[out] = -score[out]
        for e in range(cp[out], cp[out + 1]):
            c = ci[e]
            count[c] -= 1
            if count[c] == 0:
                missed[n_missed], place[c] = c, n_missed
                n_missed += 1
                for f in range(rp[c], rp[c + 1]):
                    if rc[f] != out:
                        score[rc[f]] += weight[c]
                done += rp[c + 1] - rp[c]
            elif count[c] == 1:
                for f in range(rp[c], rp[c + 1]):
                    if opened[rc[f]]:
                        score[rc[f]] -= weight[c]
                        break
                done += 0.5 * (rp[c + 1] - rp[c])
        if whole or n_missed == 0:
            continue
        c = missed[random.integers(0, n_missed)]
        new = -1
        for f in range(rp[c], rp[c + 1]):
            j = rc[f]
            if changed[j] == turn:
                continue
            if new < 0 or score[j] > score[new] or (score[j] == score[new] and changed[j] < changed[new]):
                new = j
        if new < 0:
            new = out
        newest = new
        opened[new], changed[new] = True, turn
        plan[n_open], at[new] = new, n_open
        n_open += 1
        score[new] = -score[new]
        for e in range(cp[new], cp[new + 1]):
            c = ci[e]
            count[c] += 1
            if count[c] == 1:
                n_missed -= 1
                missed[place[c]] = missed[n_missed]
                place[missed[n_missed]] = place[c]
                for f in range(rp[c], rp[c + 1]):
                    if rc[f] != new:
                        score[rc[f]] -= weight[c]
                done += rp[c + 1] - rp[c]
            elif count[c] == 2:
                for f in range(rp[c], rp[c + 1]):
                    if opened[rc[f]] and rc[f] != new:
                        score[rc[f]] += weight[c]
                        break
                done += 0.5 * (rp[c + 1] - rp[c])
        done += cp[out + 1] - cp[out] + cp[new + 1] - cp[new]
        for k in range(n_missed):
            c = missed[k]
            weight[c] += 1
            for f in range(rp[c], rp[c + 1]):
                score[rc[f]] += 1
            done += rp[c + 1] - rp[c]
    # One option that reaches all that is missed makes another plan, as small as the best so far.
    total, mend = np.int64(0), -1
    for k in range(n_missed):
        total += weight[missed[k]]
    if n_missed > 0:
        for f in range(rp[missed[0]], rp[missed[0] + 1]):
            if score[rc[f]] == total:
                mend = rc[f]
    if mend >= 0 or n_missed == 0:
        for j in range(m):
            best[j] = opened[j] or j == mend
    return best
