"""A plan made better: a few options near each other close, the best open instead, with every side row in force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.kernels.cover import grown
from lifecircle.kernels.rework import reworked
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.siting.core import by_option
from lifecircle.siting.incidence import sums
from lifecircle.siting.parts import KEPT, Whole, overrun, part_of, whole_of
from lifecircle.siting.prices import Prices, option_rows
from lifecircle.siting.relaxation import side_costs

FEWEST = 2
"""Open options that close together at least."""

HALF_OPEN = 0.05
"""What the relaxation has to open an option by for a rounded plan to open it."""


@dataclass(frozen=True, eq=False)
class Plan(ReadOnlyArrays):
    """The options that are open, and by how much every side row is overrun.

    ``value`` is what the plan reaches in the form's own terms, where more is better.
    """

    opened: BoolArray
    over: FloatArray
    value: float

    @property
    def feasible(self) -> bool:
        """Whether the plan keeps every row."""
        return not self.over.any()

    def score(self, fines: FloatArray) -> tuple[float, float]:
        """Return less what the overruns cost, and the value: the larger, the better."""
        return -float(fines @ self.over), self.value


def plan_of(whole: Whole, opened: BoolArray) -> Plan:
    """Return the plan that opens some options."""
    columns, form = whole.columns(opened), whole.form
    value = form.offset + float(form.objective @ columns)
    return Plan(opened, overrun(form.side, columns), value)


def rounded(whole: Whole, x: FloatArray) -> Plan:
    """Return the plan that opens what x opens for the most part, most first, as far as the limits on options go."""
    n, limits = len(x), option_rows(whole.form)[0]
    best = np.maximum.reduceat(x, whole.site_options.indptr[:-1])
    _, first = np.unique(whole.form.options.site[np.argsort(-x, kind="stable")], return_index=True)
    alone = np.zeros(n, dtype=bool)
    alone[np.argsort(-x, kind="stable")[first]] = True
    never = (x <= HALF_OPEN) | ~alone | (x < np.repeat(best, whole.site_options.lengths))
    each = np.arange(n + 1), np.arange(n, dtype=np.int32)
    return plan_of(whole, grown(*each, x, never, np.ones(n), *by_option(limits, n), limits.limit.copy()))


def better(
    whole: Whole,
    plan: Plan,
    pool: LongArray,
    prices: Prices,
    fines: FloatArray,
    *,
    most: int,
    looks: float,
    heat: float,
    seed: int,
) -> tuple[Plan, float]:
    """Return the best plan found by reworking ``plan`` within ``pool``, see `kernels.rework.reworked`, and the work.

    Parameters
    ----------
    whole
        The form.
    plan
        Where to start.
    pool
        The options to choose from, ascending, those open among them.
    prices
        Say what an option takes of the limits; what wins most for that opens first.
    fines
        What a unit by which each side row is overrun costs.
    most
        Open options that close together at most.
    looks
        How often to touch every entry of the pool.
    heat
        By how much a worse plan may be for the search to go on from it: this part of what an open option is worth.
    seed
        Of all that is random.
    """
    part = part_of(whole, pool, np.empty(0, dtype=np.int64))
    form, of_part, n = part.form, whole_of(part.form), len(pool)
    side, start = form.side, form.n_columns - form.n_levels
    row, of_level = np.repeat(np.arange(len(side)), np.diff(side.indptr)), side.columns >= start
    level, unit = np.full(len(side), -1), np.ones(len(side))
    level[row[of_level]] = side.columns[of_level] - start
    unit[row[of_level]] = side.values[of_level]
    rest = ~of_level
    by_column = _by_column(
        row[rest], side.columns[rest], (side.values / unit[row])[rest], level, form.n_levels, form.n_columns
    )
    cost = np.maximum(side_costs(form, prices.side[part.rows])[:n], 0.0)
    typical = float(np.median(cost[cost > 0.0])) if (cost > 0.0).any() else 1.0
    each = abs(plan.value - form.offset) / max(1, int(plan.opened.sum()))
    work = looks * (1000.0 + len(form.links.options.columns))
    best, _ = reworked(
        work, np.random.default_rng(seed), FEWEST, most, heat * each, form.options.site,
        of_part.by_option.indptr, of_part.by_option.columns, form.links.options.indptr, form.links.options.columns,
        of_part.class_of_link, of_part.links.indptr, of_part.links.columns, of_part.counts.indptr,
        of_part.counts.columns, *by_column, form.objective, form.links.standing.astype(np.int64), side.limit / unit,
        KEPT * (1.0 + np.abs(side.limit)), fines[part.rows], 0.2 * each, level, form.objective[start:],
        form.upper[start:], np.maximum(cost, 0.2 * typical), plan.opened[pool],
    )  # fmt: skip
    opened = np.zeros(len(plan.opened), dtype=bool)
    opened[pool[best]] = True
    new = plan_of(whole, opened)
    return new if new.score(fines) > plan.score(fines) else plan, work


def _by_column(
    row: LongArray, column: IntArray, value: FloatArray, level: LongArray, n_levels: int, n_columns: int
) -> tuple[LongArray, LongArray, FloatArray]:
    """Return entries of side rows by column; what most rows of a level have alike stands once, in a row of its own.

    A home that a case does not touch counts alike in all: so a change touches few rows, however many cases there are.
    """
    n_rows, parts = len(level), [(row, column.astype(np.int64), value)]
    for k in range(n_levels):
        here = np.flatnonzero(level[row] == k)
        rows_here = np.flatnonzero(level == k)
        values, which = np.unique(value[here], return_inverse=True)
        pairs, times = np.unique(column[here] * np.int64(len(values)) + which, return_counts=True)
        usual = pairs[2 * times > len(rows_here)]
        columns, shared = usual // len(values), values[usual % len(values)]
        parts.append((np.full(len(columns), n_rows + k), columns, shared))
        parts.append(
            (np.repeat(rows_here, len(columns)), np.tile(columns, len(rows_here)), np.tile(-shared, len(rows_here)))
        )
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    key, at = np.unique(columns * np.int64(n_rows + n_levels) + rows, return_inverse=True)
    total = sums(at, values, len(key))
    left = np.abs(total) > KEPT
    key = key[left]
    columns = key // (n_rows + n_levels)
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(columns, minlength=n_columns))])
    return indptr, key % (n_rows + n_levels), total[left]
