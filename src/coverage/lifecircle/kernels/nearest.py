"""Lists of the nearest sites of every home, and of the homes on whose lists each site is.

Home i has the sites ``ls[lp[i]:lp[i + 1]]`` at ``lt`` seconds, ascending.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@compiled
def nearest_lists(rows, indptr, columns, seconds, otherwise, most):
    """Return for each column the ``most`` nearest of some rows that are nearer than ``otherwise``, ascending.

    Also, per column, up to where its list is complete: ``otherwise``, or the last of its seconds where there are more.
    Each list is a heap with the farthest first until all rows are seen.
    """
    n = len(otherwise)
    near = np.zeros(n, np.int64)
    for j in rows:
        for e in range(indptr[j], indptr[j + 1]):
            near[columns[e]] += seconds[e] < otherwise[columns[e]]
    lp = np.zeros(n + 1, np.int64)
    for i in range(n):
        lp[i + 1] = lp[i] + min(near[i], most)
    ls, lt, held = np.empty(lp[n], np.int32), np.empty(lp[n]), np.zeros(n, np.int64)
    for r in range(len(rows)):
        for e in range(indptr[rows[r]], indptr[rows[r] + 1]):
            i, t = columns[e], seconds[e]
            if t >= otherwise[i]:
                continue
            first, size = lp[i], held[i]
            if size < lp[i + 1] - first:
                held[i] += 1
                _raise(lt, ls, first, size, t, r)
            elif t < lt[first]:
                _sink(lt, ls, first, size, t, r)
    complete = otherwise.copy()
    for i in range(n):
        first = lp[i]
        if near[i] > most:
            complete[i] = lt[first]
        for size in range(lp[i + 1] - first - 1, 0, -1):
            t, r = lt[first + size], ls[first + size]
            lt[first + size], ls[first + size] = lt[first], ls[first]
            _sink(lt, ls, first, size, t, r)
    return lp, ls, lt, complete


@inner
def _raise(lt, ls, first, at, t, r):
    """Put (t, r) at the end, ``at``, of the heap that starts at ``first``, and raise it to its place."""
    while at > 0 and _farther(t, r, lt[first + (at - 1) // 2], ls[first + (at - 1) // 2]):
        lt[first + at], ls[first + at] = lt[first + (at - 1) // 2], ls[first + (at - 1) // 2]
        at = (at - 1) // 2
    lt[first + at], ls[first + at] = t, r


@inner
def _sink(lt, ls, first, size, t, r):
    """Put (t, r) in the place of the farthest of the heap of ``size`` that starts at ``first``, and sink it."""
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _farther(
            lt[first + child + 1], ls[first + child + 1], lt[first + child], ls[first + child]
        ):
            child += 1
        if not _farther(lt[first + child], ls[first + child], t, r):
            break
        lt[first + at], ls[first + at] = lt[first + child], ls[first + child]
        at = child
    lt[first + at], ls[first + at] = t, r


@inner
def _farther(t, r, other_t, other_r):
    return t > other_t or (t == other_t and r > other_r)


@compiled
def narrowed_lists(lp, ls, lt, number, otherwise):
    """Return the lists with the sites that have a ``number``, called by it, and are nearer than ``otherwise``."""
    out_lp = np.zeros(len(lp), np.int64)
    for i in range(len(lp) - 1):
        out_lp[i + 1] = out_lp[i]
        for e in range(lp[i], lp[i + 1]):
            out_lp[i + 1] += number[ls[e]] >= 0 and lt[e] < otherwise[i]
    out_ls, out_lt, at = np.empty(out_lp[-1], np.int32), np.empty(out_lp[-1]), 0
    for i in range(len(lp) - 1):
        for e in range(lp[i], lp[i + 1]):
            if number[ls[e]] >= 0 and lt[e] < otherwise[i]:
                out_ls[at], out_lt[at] = number[ls[e]], lt[e]
                at += 1
    return out_lp, out_ls, out_lt


@compiled
def lists_of_sites(lp, ls, n_sites):
    """Return the homes on whose lists each site is, and as which entries."""
    sp = np.zeros(n_sites + 1, np.int64)
    for e in range(len(ls)):
        sp[ls[e] + 1] += 1
    for j in range(n_sites):
        sp[j + 1] += sp[j]
    place = sp[:-1].copy()
    sh, se = np.empty(len(ls), np.int32), np.empty(len(ls), np.int32)
    for i in range(len(lp) - 1):
        for e in range(lp[i], lp[i + 1]):
            sh[place[ls[e]]], se[place[ls[e]]] = i, e
            place[ls[e]] += 1
    return sp, sh, se
