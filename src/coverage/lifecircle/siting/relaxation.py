"""The linear relaxation of a part of a form, by first-order steps with restarts: multipliers for a bound, and a guide.

Steps, their averages and when to start again from them follow D. Applegate and others (2021), Practical large-scale
linear programming using primal-dual hybrid gradient, https://doi.org/10.48550/arXiv.2106.04756.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lifecircle.kernels.cover import sums_by_row
from lifecircle.kernels.relaxation import relaxation_steps
from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import turned
from lifecircle.siting.incidence import Incidence, sums
from lifecircle.siting.linear import LinearForm, Rows, rows_from, stacked_rows
from lifecircle.siting.parts import activity, with_levels

BLOCK = 40
"""Steps between two looks at where they lead."""

CLOSE = 1e-4
"""A relaxation is solved where its value and its bound differ by no more than this part."""


DEAREST = 100.0
"""The highest multiplier of a row in units of what it is worth: where a part can keep no row, it need not."""


@dataclass(frozen=True, eq=False)
class Saddle(ReadOnlyArrays):
    """Where the steps stand: ``v`` of the columns, multipliers of ``links`` and of ``side`` rows, weight of v to them.

    ``value`` is what v reaches less what its overruns cost, ``bound`` what the multipliers prove for the part, in the
    form's own terms, where more is better; ``work`` the entries touched.
    """

    v: FloatArray
    links: FloatArray
    side: FloatArray
    omega: float = 1.0
    value: float = -math.inf
    bound: float = math.inf
    work: float = 0.0

    @property
    def solved(self) -> bool:
        """Whether more steps cannot lower the bound by anything that matters."""
        return self.bound - self.value <= CLOSE * abs(self.bound)


@dataclass(frozen=True, eq=False)
class _Scaled(ReadOnlyArrays):
    """A form ready for steps: rows of like weight, and a step length for every column and row.

    ``rows`` has all entries but those of the options in the links, and ``by_column`` them once more, by column.
    """

    by_option: Incidence
    unit: FloatArray
    rows: Rows
    by_column: Rows
    tau: FloatArray
    sigma: FloatArray
    n_side: int


def stepped(form: LinearForm, start: Saddle, *, steps: int) -> Saddle:
    """Return the best v and the best multipliers on the way from ``start``, after about so many ``steps``."""
    scaled = _scaled(form)
    n_links, links = len(form.links), form.links.options
    v = start.v.copy()
    p = np.zeros(len(scaled.unit))
    p[:n_links], p[n_links : n_links + scaled.n_side] = start.links, start.side
    p /= scaled.unit
    omega, kv = start.omega, _times(form, scaled, v)
    v_sum, p_sum = np.zeros_like(v), np.zeros_like(p)
    best_v, best_p = v.copy(), _sharper(form, scaled, p).copy()
    value, bound = _looked_at(form, scaled, v, best_p)
    anchor, n_steps, n_path, last, before = (v.copy(), p.copy()), 0, 0, math.inf, math.inf
    step_work = 2.0 * len(links.columns) + 2.0 * len(scaled.rows.columns) + 4.0 * (len(v) + len(p))
    done = 0.0
    while n_steps < steps and bound - value > CLOSE * abs(bound):
        relaxation_steps(
            BLOCK, omega, scaled.unit, links.indptr, links.columns, scaled.by_option.indptr, scaled.by_option.columns,
            scaled.rows.indptr, scaled.rows.columns, scaled.rows.values, scaled.by_column.indptr,
            scaled.by_column.columns, scaled.by_column.values, form.objective, form.lower, form.upper,
            scaled.rows.limit, DEAREST, scaled.tau, scaled.sigma, v, p, kv, v_sum, p_sum,
        )  # fmt: skip
        n_steps, n_path, done = n_steps + BLOCK, n_path + BLOCK, done + (BLOCK + 3.0) * step_work
        average = v_sum / n_path, p_sum / n_path
        distances = []
        for at in ((v, p), average):
            sharper = _sharper(form, scaled, at[1])
            reached, proven = _looked_at(form, scaled, at[0], sharper)
            distances.append(proven - reached)
            if proven < bound:
                best_p, bound = sharper.copy(), proven
            if reached > value:
                best_v, value = at[0].copy(), reached
        now = min(distances)
        enough, stuck = now <= 0.2 * last, now <= 0.8 * last and now > before
        if enough or stuck or n_path >= 0.36 * n_steps:
            if distances[1] < distances[0]:
                v, p = (np.array(part) for part in average)
                kv = _times(form, scaled, v)
            moved_v = math.sqrt(float(((v - anchor[0]) ** 2 / scaled.tau).sum()))
            moved_p = math.sqrt(float(((p - anchor[1]) ** 2 / scaled.sigma).sum()))
            if moved_v > 0.0 and moved_p > 0.0:
                omega = math.sqrt(omega * moved_p / moved_v)
            anchor, n_path, last, before = (v.copy(), p.copy()), 0, now, math.inf
            v_sum[:], p_sum[:] = 0.0, 0.0
        else:
            before = now
    p = best_p * scaled.unit
    return Saddle(best_v, p[:n_links], p[n_links : n_links + scaled.n_side], omega, value, bound, start.work + done)


def filled(form: LinearForm, x: FloatArray) -> FloatArray:
    """Return the columns that follow from x of the options, whole or not: each count and level as high as can be."""
    links, counts = form.links, form.links.counts
    reach = links.standing + sums_by_row(links.options.indptr, links.options.columns, x)
    place = np.arange(len(counts.columns)) - np.repeat(counts.indptr[:-1], counts.lengths)
    v = np.concatenate([x, np.ones(form.n_counts), np.zeros(form.n_levels)])
    np.minimum.at(v, form.n_options + counts.columns, np.clip(np.repeat(reach, counts.lengths) - place, 0.0, 1.0))
    return with_levels(form, v)


def _scaled(form: LinearForm) -> _Scaled:
    """Return a form ready for steps; a row counts in units of what it is worth where it is short."""
    links, n_links, n_options = form.links, len(form.links), form.n_options
    start, even = form.n_columns - form.n_levels, levelled(form, np.zeros(len(form.side)))
    objective = np.abs(form.objective - side_costs(form, even))  # where every case counts the same
    counted = np.repeat(np.arange(n_links), links.counts.lengths)
    own = objective[n_options + links.counts.columns]
    unit_links = np.zeros(n_links)
    np.maximum.at(unit_links, counted, own)
    unit_links = np.maximum(unit_links, 1e-3 * float(own.sum()) / max(1, len(own)) or 1.0)
    _, group, times = np.unique(form.options.site, return_inverse=True, return_counts=True)
    several = np.flatnonzero(times[group] > 1)
    _, row = np.unique(group[several], return_inverse=True)
    once = rows_from(row, several, np.ones(len(several)), np.ones(int(row.max(initial=-1)) + 1))
    counts = rows_from(
        counted, n_options + links.counts.columns.astype(np.int64), np.ones(len(counted)), links.standing
    )
    rows = stacked_rows([counts, form.side, once])
    size = np.bincount(_row_of(rows), np.abs(rows.values), minlength=len(rows))
    total = float(objective.sum()) or 1.0
    worth = total / np.maximum(np.sqrt(np.maximum(size, 1e-12) * np.maximum(np.abs(rows.limit), 0.01 * size)), 1e-12)
    unit = np.concatenate([unit_links, worth[n_links:]])
    of_level = np.flatnonzero(form.side.columns >= start)
    level, level_rows = form.side.columns[of_level] - start, _row_of(form.side)[of_level]
    unit[n_links + level_rows] = 1.0 / np.sqrt(np.bincount(level, minlength=form.n_levels))[level]
    unit[n_links + len(form.side) :] = (float(unit_links.sum()) or 1.0) / max(1, n_options)
    rows = Rows(rows.indptr, rows.columns, rows.values * np.repeat(unit, np.diff(rows.indptr)), rows.limit * unit)
    by_option = turned(links.options)
    order = np.argsort(rows.columns, kind="stable")
    lengths = np.bincount(rows.columns, minlength=form.n_columns)
    by_column = Rows(
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)]),
        _row_of(rows)[order].astype(np.int32),
        rows.values[order],
        np.zeros(form.n_columns),
    )
    of_column = np.bincount(rows.columns, np.abs(rows.values), minlength=form.n_columns).astype(np.float64)
    of_column[:n_options] += sums_by_row(by_option.indptr, by_option.columns, unit_links)
    of_row = np.bincount(_row_of(rows), np.abs(rows.values), minlength=len(rows)).astype(np.float64)
    of_row[:n_links] += unit_links * links.options.lengths
    # A level runs over all residents, where other columns run from 0 to 1.
    span = np.maximum(form.upper[start:] - form.lower[start:], 1.0)
    of_row[n_links + level_rows] += (span - 1.0)[level] * unit[n_links + level_rows] * form.side.values[of_level]
    of_column[start:] /= span
    tau, sigma = (1.0 / np.where(size > 0.0, size, 1.0) for size in (of_column, of_row))
    return _Scaled(by_option, unit, rows, by_column, tau, sigma, len(form.side))


def _row_of(rows: Rows) -> LongArray:
    """Return the row of each entry."""
    return np.repeat(np.arange(len(rows)), np.diff(rows.indptr))


def _times(form: LinearForm, scaled: _Scaled, v: FloatArray) -> FloatArray:
    """Return what every row comes to at v."""
    links = form.links.options
    kv = activity(scaled.rows, v)
    kv[: len(form.links)] -= scaled.unit[: len(form.links)] * sums_by_row(links.indptr, links.columns, v)
    return kv


def _sharper(form: LinearForm, scaled: _Scaled, p: FloatArray) -> FloatArray:
    """Return multipliers under which no level is worth more or less than it costs, and the links' to go with them."""
    if not form.n_levels:
        return p
    n_links, links = len(form.links), form.links.counts
    of_side = slice(n_links, n_links + scaled.n_side)
    side = p[of_side] * scaled.unit[of_side]
    level = levelled(form, side)
    first = links.columns[links.indptr[:-1]]
    before, after = (np.maximum(worth_of(form, q)[first], 1e-12) for q in (side, level))
    p = p.copy()
    p[:n_links] = np.minimum(p[:n_links] * after / before, after / scaled.unit[:n_links])
    p[of_side] = level / scaled.unit[of_side]
    return p


def _looked_at(form: LinearForm, scaled: _Scaled, v: FloatArray, p: FloatArray) -> tuple[float, float]:
    """Return what v reaches, less the price of what it overruns, and what p proves."""
    n_links, n_options, rows = len(form.links), form.n_options, scaled.rows
    priced = scaled.unit[:n_links] * p[:n_links]
    gain = form.objective - sums(rows.columns, rows.values * np.repeat(p, np.diff(rows.indptr)), form.n_columns)
    gain[:n_options] += sums_by_row(scaled.by_option.indptr, scaled.by_option.columns, priced)
    bound = float(p @ rows.limit + np.maximum(gain * form.lower, gain * form.upper).sum())
    over = np.maximum(_times(form, scaled, v) - rows.limit, 0.0)
    value = float(form.objective @ v - np.maximum(p, 1.0) @ over)
    return form.offset + value, form.offset + bound


def side_costs(form: LinearForm, side: FloatArray) -> FloatArray:
    """Return what every column takes of the side rows, at their multipliers."""
    rows = form.side
    return sums(rows.columns, rows.values * np.repeat(side, np.diff(rows.indptr)), form.n_columns)


def worth_of(form: LinearForm, side: FloatArray) -> FloatArray:
    """Return what each count wins before its links take their part."""
    counts = slice(form.n_options, form.n_options + form.n_counts)
    return (form.objective - side_costs(form, side))[counts]


def levelled(form: LinearForm, side: FloatArray) -> FloatArray:
    """Return multipliers that make every level worth exactly what it costs: else its upper limit would count."""
    start = form.n_columns - form.n_levels
    row = np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    of_level = form.side.columns >= start
    level, rows = form.side.columns[of_level] - start, row[of_level]
    total = sums(level, form.side.values[of_level] * side[rows], form.n_levels)
    n_rows = np.bincount(level, minlength=form.n_levels)
    side = side.copy()
    worth = form.objective[start:]
    even = worth[level] / n_rows[level] / form.side.values[of_level]
    scaled = side[rows] * (worth / np.where(total > 0.0, total, 1.0))[level]
    side[rows] = np.where(total[level] > 0.0, scaled, even)
    return side
