"""The questions whose homes count as soon as one option reaches them: maximal cover, with any limits on the options.

With options j, classes c of homes that the same options reach, and residents w_c (times their priority):

    maximise    base + sum of w_c y_c
    subject to  y_c <= sum of x_j over the options j that reach c,  0 <= y_c <= 1
                sum of a_rj x_j <= b_r for every limit r,  x_j 0 or 1

For any multipliers 0 <= mu_c <= 1 of the classes and q_r >= 0 of the limits, no plan has a better value than

    base + sum of w_c (1 - mu_c) + sum of q_r b_r + sum over j of max(0, g_j),
    g_j = sum of w_c mu_c over the classes that j reaches - sum of q_r a_rj

the *reduced gain* of an option (Lagrangian relaxation; A. Geoffrion, 1974, https://doi.org/10.1007/BFb0120690).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.kernels.cover import renumbered, rows_within, told_apart, transposed
from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.incidence import Incidence, sums
from lifecircle.siting.linear import Options, Rows, rows_from
from lifecircle.siting.options import limits_of, options_of, standing_tiers
from lifecircle.siting.questions import MostResidents, Question


@dataclass(frozen=True, eq=False)
class Cover(ReadOnlyArrays):
    """A maximal cover; see the head of this module.

    Attributes
    ----------
    reach
        The classes (columns) that each option (row) reaches.
    residents
        How many live in each class, times their priority.
    limits
        Rows over the options.
    base
        The residents who count whatever opens.
    """

    reach: Incidence
    residents: FloatArray
    limits: Rows
    base: float

    @property
    def n_options(self) -> int:
        """How many options there are."""
        return self.reach.n_rows


def is_cover(question: Question) -> bool:
    """Return whether a question is a maximal cover with limits on its options alone."""
    plain = not (question.floors or question.capacity or question.backup or question.cases or question.n_years > 1)
    return isinstance(question.objective, MostResidents) and not question.objective.also and plain


def cover_of(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray) -> tuple[Cover, Options]:
    """Return a question as a maximal cover, and what its options are.

    Parameters
    ----------
    question
        One for which `is_cover` holds.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    fixed
        The sites that stand.
    """
    (standard,) = question.objective.standards
    kept = np.setdiff1d(fixed, question.may_close).astype(np.int64)
    options = options_of(question, walks.n_facilities, fixed)
    reaching = walks.indptr, walks.indices, walks.seconds, standard.cutoff_s + TOLERANCE_S
    worth = weights if question.priority is None else weights * question.priority
    open_anyway = kept[standing_tiers(question, walks.n_facilities)[kept] >= standard.tier]
    secure = np.zeros(walks.n_demand, dtype=bool)
    secure[rows_within(open_anyway, *reaching, ~secure)[1]] = True
    useful = options.tier >= standard.tier
    indptr, columns = rows_within(options.site[useful], *reaching, ~secure & (worth > 0.0))
    lengths = np.zeros(len(options), dtype=np.int64)
    lengths[useful] = np.diff(indptr)
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    merged, class_of = merged_columns(Incidence(indptr, columns, walks.n_demand), np.arange(len(options)))
    there = class_of >= 0
    residents = sums(class_of[there], worth[there], merged.n_columns)
    limits = _limits(question, options, kept, walks.n_facilities)
    return Cover(merged, residents, limits, float(worth[secure].sum())), options


def merged_columns(reach: Incidence, rows: LongArray) -> tuple[Incidence, LongArray]:
    """Return some rows over classes of columns that the same of them touch, and the class of each column, -1: none."""
    numbers, n_classes = told_apart(rows, reach.indptr, reach.columns, reach.n_columns)
    class_of = numbers.astype(np.int64) - 1
    _, first = np.unique(class_of, return_index=True)
    number = np.full(reach.n_columns, -1, dtype=np.int32)
    number[first] = class_of[first]
    indptr, columns = renumbered(rows, reach.indptr, reach.columns, number)
    # Turned over twice, every row is in order.
    return turned(turned(Incidence(indptr, columns, n_classes - 1))), class_of


def turned(reach: Incidence) -> Incidence:
    """Return columns as rows and rows as columns."""
    indptr, columns = transposed(reach.indptr, reach.columns, reach.n_columns)
    return Incidence(indptr, columns, reach.n_rows)


def covered(cover: Cover, opened: BoolArray) -> float:
    """Return the residents who count where some options are open."""
    reached = np.zeros(len(cover.residents), dtype=bool)
    reached[cover.reach.take(np.flatnonzero(opened)).columns] = True
    return cover.base + float(cover.residents[reached].sum())


def cover_bound(cover: Cover, mu: FloatArray, prices: FloatArray) -> float:
    """Return what no plan can better, from any multipliers of the classes and prices of the limits."""
    mu, prices = np.clip(mu, 0.0, 1.0), np.maximum(prices, 0.0)
    pull = sums(cover.reach.rows, (cover.residents * mu)[cover.reach.columns], cover.n_options)
    gain = pull - price_of(cover.limits, prices, cover.n_options)
    spared = float((cover.residents * (1.0 - mu)).sum())
    return cover.base + spared + float(prices @ cover.limits.limit) + float(np.maximum(gain, 0.0).sum())


def taken(limits: Rows, x: FloatArray | BoolArray) -> FloatArray:
    """Return what the options, each opened x times, take of every limit."""
    row = np.repeat(np.arange(len(limits)), np.diff(limits.indptr))
    return sums(row, limits.values * x[limits.columns], len(limits))


def price_of(limits: Rows, prices: FloatArray, n_options: int) -> FloatArray:
    """Return what each option costs where every limit has a price."""
    return sums(limits.columns, limits.values * np.repeat(prices, np.diff(limits.indptr)), n_options)


def best_prices(limits: Rows, pull: FloatArray, prices: FloatArray) -> FloatArray:
    """Return prices of the limits that lower the bound, each in turn as far as it alone can; a single one is best.

    ``pull`` is what the options win at the multipliers of the classes. With all other prices given, the bound is
    convex in one and made of straight pieces, which meet where the reduced gain of an option is 0.
    """
    prices = prices.copy()
    gain = pull - price_of(limits, prices, len(pull))
    for row in range(len(limits)):
        span = slice(limits.indptr[row], limits.indptr[row + 1])
        columns, values = limits.columns[span], limits.values[span]
        turn = prices[row] + gain[columns] / values
        order = np.argsort(turn)
        # The slope before the first turn, then after each; a limit that nothing can keep has none that rises.
        slope = limits.limit[row] - values[values > 0.0].sum() + np.append(0.0, np.cumsum(np.abs(values[order])))
        rising = np.flatnonzero(slope >= 0.0)
        best = prices[row] if not len(rising) else max(0.0, turn[order[rising[0] - 1]]) if rising[0] else 0.0
        gain[columns] -= values * (best - prices[row])
        prices[row] = best
    return prices


def _limits(question: Question, options: Options, kept: LongArray, n_sites: int) -> Rows:
    stated = [(values, limit) for _, values, limit in limits_of(question, options, kept, n_sites)]
    _, group, times = np.unique(options.site, return_inverse=True, return_counts=True)
    several = np.flatnonzero(times[group] > 1)
    once, site_row = np.unique(group[several], return_inverse=True)
    entries = [
        (np.full(int((values != 0.0).sum()), row), np.flatnonzero(values)) for row, (values, _) in enumerate(stated)
    ]
    return rows_from(
        row=np.concatenate([*(row for row, _ in entries), len(stated) + site_row]).astype(np.int64),
        column=np.concatenate([*(column for _, column in entries), several]).astype(np.int64),
        value=np.concatenate([*(values[values != 0.0] for values, _ in stated), np.ones(len(several))]),
        limit=np.concatenate([[limit for _, limit in stated], np.ones(len(once))]),
    )
