"""Which rows of a sparse table have all columns of another row: covering questions made smaller."""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@compiled
def kept_rows(order, indptr, columns, by_column_indptr, by_column_rows, keep_larger):
    """Return the rows left where, row by row in this order, of two the larger or the smaller that is in it goes.

    Row r is in row k where k has all columns of r. Those that could be are found by way of the column of r that has
    the fewest rows. Columns ascend; of equal rows the one that comes first stays. A row without columns goes.
    """
    kept = np.ones(len(indptr) - 1, np.bool_)
    for r in order:
        if not kept[r]:
            continue
        rarest, fewest = -1, len(indptr)
        for e in range(indptr[r], indptr[r + 1]):
            c = columns[e]
            if by_column_indptr[c + 1] - by_column_indptr[c] < fewest:
                rarest, fewest = c, by_column_indptr[c + 1] - by_column_indptr[c]
        if rarest < 0:
            kept[r] = False
            continue
        for f in range(by_column_indptr[rarest], by_column_indptr[rarest + 1]):
            k = by_column_rows[f]
            if k == r or not kept[k] or not _is_in(r, k, indptr, columns):
                continue
            if keep_larger and indptr[k + 1] - indptr[k] > indptr[r + 1] - indptr[r]:
                kept[r] = False
                break
            kept[k] = False
    return kept


@inner
def _is_in(r, k, indptr, columns):
    """Return whether row k has all columns of row r."""
    at, end = indptr[k], indptr[k + 1]
    if end - at < indptr[r + 1] - indptr[r]:
        return False
    for e in range(indptr[r], indptr[r + 1]):
        while at < end and columns[at] < columns[e]:
            at += 1
        if at == end or columns[at] != columns[e]:
            return False
        at += 1
    return True
