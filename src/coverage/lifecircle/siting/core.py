"""A maximal cover with some of its options alone: its classes fall together, and every search in it is quick."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lifecircle.kernels.cover import sums_by_row
from lifecircle.kernels.rebuild import rebuilt
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import Cover, merged_columns, turned
from lifecircle.siting.incidence import Incidence, sums
from lifecircle.siting.linear import Rows

FEWEST, MOST = 4, 14
"""Open options that close together."""


@dataclass(frozen=True, eq=False)
class Core(ReadOnlyArrays):
    """Some ``options`` of a cover, numbered from 0, over classes of its own.

    ``class_of`` is the class of each class of the cover, -1 where none of these options reaches it.
    """

    options: LongArray
    reach: Incidence
    residents: FloatArray
    limits: Rows
    class_of: LongArray

    @cached_property
    def by_class(self) -> Incidence:
        """The options that reach each class."""
        return turned(self.reach)

    @cached_property
    def by_option(self) -> tuple[LongArray, IntArray, FloatArray]:
        """The limits that concern each option, as sparse rows, and the coefficients."""
        return by_option(self.limits, len(self.options))

    def pull(self, mu: FloatArray) -> FloatArray:
        """Return what each option wins where the residents of a class count ``mu`` times."""
        return sums_by_row(self.reach.indptr, self.reach.columns, self.residents * mu)

    def lifted(self, mu: FloatArray) -> FloatArray:
        """Return the multipliers of the cover's classes; 1 for those that none of these options reaches."""
        return np.append(mu, 1.0)[self.class_of]

    def averaged(self, cover: Cover, mu: FloatArray) -> FloatArray:
        """Return multipliers of these classes from those of the cover's."""
        there = self.class_of >= 0
        worth = sums(self.class_of[there], (cover.residents * mu)[there], len(self.residents))
        return worth / self.residents


def core_of(cover: Cover, options: LongArray) -> Core:
    """Return the core of some ``options``, ascending."""
    reach, class_of = merged_columns(cover.reach, options)
    there = class_of >= 0
    residents = sums(class_of[there], cover.residents[there], reach.n_columns)
    return Core(options, reach, residents, _limits_of(cover.limits, options, cover.n_options), class_of)


def by_option(limits: Rows, n_options: int) -> tuple[LongArray, IntArray, FloatArray]:
    """Return the limits that concern each option, as sparse rows, and the coefficients."""
    row = np.repeat(np.arange(len(limits), dtype=np.int32), np.diff(limits.indptr))
    order = np.argsort(limits.columns, kind="stable")
    lengths = np.bincount(limits.columns, minlength=n_options)
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    return indptr, row[order], limits.values[order]


def rebuilt_plan(
    core: Core, opened: BoolArray, prices: FloatArray, *, work: float, seed: int, heat: float
) -> BoolArray:
    """Return a plan of the core at least as good as the one that has ``opened``, see `kernels.rebuild.rebuilt`.

    ``prices`` say what an option takes of the limits; what wins most for that opens first.
    """
    reach, by_class = core.reach, core.by_class
    best, _ = rebuilt(
        work, np.random.default_rng(seed), FEWEST, MOST, heat, reach.indptr, reach.columns, by_class.indptr,
        by_class.columns, core.residents, prices, *core.by_option, core.limits.limit, opened,
    )  # fmt: skip
    return best


def _limits_of(limits: Rows, options: LongArray, n_options: int) -> Rows:
    number = np.full(n_options, -1, dtype=np.int32)
    number[options] = np.arange(len(options))
    kept = number[limits.columns] >= 0
    indptr = np.concatenate([[0], np.cumsum(kept)])[limits.indptr]
    return Rows(indptr, number[limits.columns[kept]], limits.values[kept], limits.limit)
