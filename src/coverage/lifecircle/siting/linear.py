"""The one linear form that every question about sites takes.

Columns v are, in this order, *options* x, 0 or 1 (a site, opened as a tier in a year or on a day), *counts* y, from
0 to 1 (a class of homes that counts in a case and a year, or the part of a home that a site serves), and *levels* z
(the value of the worst case in a year). With the symbols of `LinearForm`:

    maximise    objective . v
    subject to  sum of y over the counts of link l <= standing_l + sum of x over the options of link l   (cover links)
                a_r . v <= limit_r                                     (side rows, few; structure, many and sparse)
                sum of x over the options of one site <= 1
                lower <= v <= upper, x whole, y whole where `whole` says so

and the value of a plan is ``sign * (offset + objective . v)``, sign -1 for a question that minimises.

For any multipliers p >= 0 of the links and q >= 0 of the rows, with reduced gains g = objective - (p, q) . rows,

    offset + p . standing + q . limit + sum over columns of max(g lower, g upper)

is at least ``offset + objective . v`` for every plan v (of a site's options only the best need count, as only one
opens): the bound holds whatever found the multipliers (A. Geoffrion, 1974, Lagrangean relaxation for integer
programming, https://doi.org/10.1007/BFb0120690).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.siting.incidence import Incidence

Kind = Literal["n_new", "moves", "budget", "area_budget", "year_budget", "stops", "at_least", "share", "floor", "case"]
"""What a side row is for. All but ``case``, which only says what the worst case is, come from a limit that a planner
states and can change."""


@dataclass(frozen=True)
class Label:
    """Where a side row comes from: which floor, case, and area, year or day (``index``); -1: does not apply.

    ``asked`` is the number that the planner stated; ``base``, for shares, what a share of 1 comes to in persons.
    """

    kind: Kind
    index: int = -1
    floor: int = -1
    case: int = -1
    asked: float = 0.0
    base: float = 0.0


@dataclass(frozen=True, eq=False)
class Options(ReadOnlyArrays):
    """What can be opened: ``site`` as ``tier`` in ``period``, a year or a weekday, all from 0 and shape (n_options,).

    Where ``stands`` holds the site is a fixed one that may close, and 1 means that it stays. Options of one site lie
    side by side; sites ascend.
    """

    site: LongArray
    tier: LongArray
    period: LongArray
    stands: BoolArray

    def __len__(self) -> int:
        return len(self.site)


@dataclass(frozen=True, eq=False)
class Links(ReadOnlyArrays):
    """Cover links: the counts (columns numbered from 0) and the options of each, and the sites that stand for good."""

    counts: Incidence
    options: Incidence
    standing: FloatArray

    def __len__(self) -> int:
        return len(self.standing)


@dataclass(frozen=True, eq=False)
class Rows(ReadOnlyArrays):
    """Linear constraints ``a v <= limit`` as sparse rows over all columns."""

    indptr: LongArray
    columns: IntArray
    values: FloatArray
    limit: FloatArray

    def __len__(self) -> int:
        return len(self.limit)


@dataclass(frozen=True, eq=False)
class LinearForm(ReadOnlyArrays):
    """A question as a linear programme over options, counts and levels; see the head of this module.

    Attributes
    ----------
    sign, offsets
        The value of a plan is ``sign * (offset + objective . v)``, where the offset is the sum of those of the years.
    kept
        The fixed sites that cannot close: they are no options.
    options, n_counts, n_levels
        The columns.
    objective, lower, upper
        Per column. A count that every plan must reach has the lower limit 1.
    whole
        Per count: whether it is 0 or 1, as where homes may not split.
    links
        The cover links.
    side, labels
        The rows that come from what a planner stated, and where from.
    structure
        Rows that follow from what the columns mean: nobody is served twice, no site beyond what it can take on.
    home, site
        Per count: the demand point and the site that serves it; -1 where the count is that of a class of homes.
    case, year
        Per count: when it counts; the case is -1 for a class, which may count alike in several.
    """

    sign: Literal[1, -1]
    offsets: FloatArray
    kept: LongArray
    options: Options
    n_counts: int
    n_levels: int
    objective: FloatArray
    lower: FloatArray
    upper: FloatArray
    whole: BoolArray
    links: Links
    side: Rows
    labels: tuple[Label, ...]
    structure: Rows
    home: LongArray
    site: LongArray
    case: LongArray
    year: LongArray

    @property
    def offset(self) -> float:
        """What the value is where no column counts, see above."""
        return float(self.offsets.sum())

    @property
    def n_options(self) -> int:
        """How many options there are."""
        return len(self.options)

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.objective)


def of_year(form: LinearForm, year: int) -> LinearForm:
    """Return the form in which the value of one year alone is the objective."""
    columns = np.concatenate([np.full(form.n_options, -1), form.year, np.arange(form.n_levels)])
    offsets = np.where(np.arange(len(form.offsets)) == year, form.offsets, 0.0)
    return replace(form, objective=np.where(columns == year, form.objective, 0.0), offsets=offsets)


def rows_from(row: LongArray, column: LongArray, value: FloatArray, limit: FloatArray) -> Rows:
    """Return rows from the row, the column and the value of each entry, and the limit of each row."""
    entries = np.flatnonzero(value)
    order = entries[np.lexsort((column[entries], row[entries]))]
    lengths = np.bincount(row[order], minlength=len(limit))
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    return Rows(indptr, column[order].astype(np.int32), value[order], limit)


def stacked_rows(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all ``parts`` below each other."""
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(np.diff(part.indptr) for part in parts)])
    return Rows(
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)]),
        columns=np.concatenate([np.empty(0, dtype=np.int32), *(part.columns for part in parts)]),
        values=np.concatenate([np.empty(0), *(part.values for part in parts)]),
        limit=np.concatenate([np.empty(0), *(part.limit for part in parts)]),
    )
