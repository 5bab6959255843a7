"""Which columns each row touches, as sparse rows: who is within the cutoff of which site, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lifecircle.kernels.sorting import order_of
from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays, Walks


@dataclass(frozen=True, eq=False)
class Incidence(ReadOnlyArrays):
    """Row ``i`` touches the columns ``columns[indptr[i]:indptr[i + 1]]``, ascending, each once."""

    indptr: LongArray
    columns: IntArray
    n_columns: int

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.indptr) - 1

    @property
    def lengths(self) -> LongArray:
        """How many columns each row touches."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> IntArray:
        """The row of each entry, beside ``columns``."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int32), self.lengths)

    def row(self, row: int) -> IntArray:
        """Return the columns that ``row`` touches."""
        return self.columns[self.indptr[row] : self.indptr[row + 1]]

    def take(self, rows: LongArray) -> Incidence:
        """Return these rows, in this order, numbered from 0."""
        indptr = _indptr(self.lengths[rows])
        entries = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], np.diff(indptr))
        return Incidence(indptr, self.columns[entries], self.n_columns)

    def restrict(self, keep: BoolArray) -> Incidence:
        """Return the same rows with the columns where ``keep`` holds alone, numbered from 0."""
        kept = keep[self.columns]
        number = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        lengths = np.bincount(self.rows[kept], minlength=self.n_rows)
        return Incidence(_indptr(lengths), number[self.columns[kept]], int(keep.sum()))

    def transposed(self) -> Incidence:
        """Return columns as rows and rows as columns."""
        lengths = np.bincount(self.columns, minlength=self.n_columns)
        by_column = order_of(self.columns, self.n_columns)
        return Incidence(_indptr(lengths), self.rows[by_column], self.n_rows)

    def through(self, other: Incidence) -> Incidence:
        """Return what each row touches by way of the rows of ``other``, of which no two may touch the same column."""
        lengths = other.lengths[self.columns]
        ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        return Incidence(ends[self.indptr], other.take(self.columns.astype(np.int64)).columns, other.n_columns)

    def differs(self, other: Incidence) -> BoolArray:
        """Return for each row whether it touches other columns than the same row of ``other``."""
        different = self.lengths != other.lengths
        same = np.flatnonzero(~different)
        mine, others = self.take(same), other.take(same)
        different[same[mine.rows[mine.columns != others.columns]]] = True
        return different

    def identical_rows(self) -> tuple[LongArray, LongArray]:
        """Group the rows that touch the very same columns.

        Returns
        -------
        first
            The first row of each group, by group, rows that touch nothing aside.
        group
            The group of each row; -1 for a row that touches nothing.

        Notes
        -----
        Rows of one length lie side by side as fixed-width records, which are compared byte by byte: no hash
        stands in for the rows, and nothing is ever larger than the entries themselves.
        """
        lengths = self.lengths
        group = np.full(self.n_rows, -1, dtype=np.int64)
        firsts: list[LongArray] = [np.empty(0, dtype=np.int64)]
        n_groups = 0
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            lists = self.columns[self.indptr[rows][:, None] + np.arange(length)]
            records = lists.view(f"V{lists.itemsize * length}").ravel()
            _, first, group_of = np.unique(records, return_index=True, return_inverse=True)
            group[rows] = n_groups + group_of
            firsts.append(rows[first])
            n_groups += len(first)
        return np.concatenate(firsts), group


def within(walks: Walks, cutoff_s: float, *, tolerance_s: float = TOLERANCE_S) -> Incidence:
    """Return the demand points (columns) within ``cutoff_s`` seconds, inclusive, of each site (rows)."""
    near = walks.seconds <= cutoff_s + tolerance_s
    ends = np.concatenate([[0], np.cumsum(near)])[walks.indptr]
    found = Incidence(ends, walks.indices[near], walks.n_demand)
    return found.transposed().transposed()  # which puts each row's columns in order


def from_pairs(rows: LongArray, columns: LongArray, n_rows: int, n_columns: int) -> Incidence:
    """Return the rows that touch these columns; a pair is named once."""
    by_column = order_of(columns, n_columns)
    order = by_column[order_of(rows[by_column], n_rows)]
    return Incidence(_indptr(np.bincount(rows, minlength=n_rows)), columns[order].astype(np.int32), n_columns)


def stacked(parts: Sequence[Incidence], n_columns: int) -> Incidence:
    """Return the rows of all ``parts`` below each other."""
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(part.lengths for part in parts)])
    columns = np.concatenate([np.empty(0, dtype=np.int32), *(part.columns for part in parts)])
    return Incidence(_indptr(lengths), columns, n_columns)


def sums(groups: IntArray | LongArray, values: FloatArray, n_groups: int) -> FloatArray:
    """Return the sum of ``values`` in each group; 0 for an empty one."""
    # bincount counts in whole numbers where it is given nothing to add.
    return np.bincount(groups, values, minlength=n_groups).astype(np.float64)


def _indptr(lengths: LongArray) -> LongArray:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
