"""The fewest options that reach every class of homes (set covering), made small, and the bound on it.

With options j and classes c of homes that the same options reach:

    minimise    sum of x_j
    subject to  sum of x_j over the options j that reach c >= 1 for every class c,  x_j 0 or 1

For any multipliers u_c >= 0 no plan has fewer options than

    sum of u_c + sum over j of min(0, 1 - sum of u_c over the classes that j reaches)

(Lagrangian relaxation; A. Geoffrion, 1974, https://doi.org/10.1007/BFb0120690). Options and classes that hang together
by no way count apart: what each such component needs at least is a whole number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.kernels.fewest import rows_to_spare
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import Cover, turned
from lifecircle.siting.effort import Ended
from lifecircle.siting.incidence import Incidence, sums
from lifecircle.siting.questions import SHARE_TOLERANCE, FewestStations, Question

WHOLE_TOLERANCE = 1e-6
"""A bound is rounded up from this much above a whole number: solvers and sums are no more exact."""


@dataclass(frozen=True, eq=False)
class Needs(ReadOnlyArrays):
    """Some ``options`` of a cover and some ``classes``, all of which must be reached; both numbered from 0."""

    options: LongArray
    classes: LongArray
    by_class: Incidence

    @cached_property
    def reach(self) -> Incidence:
        """The classes (columns) that each option (row) reaches."""
        return turned(self.by_class)

    def among(self, options: BoolArray) -> Needs:
        """Return the same with some options alone, which still reach every class."""
        return Needs(self.options[options], self.classes, self.by_class.restrict(options))


@dataclass(frozen=True, eq=False)
class FewestPlan(ReadOnlyArrays):
    """What a search finds.

    Attributes: ``opened`` which options open, ``bound`` how many every plan has at least; ``work`` the entries touched,
    ``ended`` why the search stopped.
    """

    opened: BoolArray
    bound: float
    work: float
    ended: Ended

    @property
    def value(self) -> float:
        """How many options open."""
        return float(self.opened.sum())


def is_share(question: Question) -> bool:
    """Return whether a question asks for the fewest stations for a share of the residents and for nothing else."""
    objective = question.objective
    if not isinstance(objective, FewestStations) or objective.share is None or objective.also:
        return False
    others = question.floors or question.capacity or question.cases or question.tiers or question.itinerary
    return not (others or question.budget or question.at_least or question.n_new is not None)


def needed_residents(cover: Cover, share: float) -> float:
    """Return the residents who have to count for a share of all who can, a little less as `SHARE_TOLERANCE` says."""
    return (share - SHARE_TOLERANCE) * (cover.base + float(cover.residents.sum()))


def nobody_may_stay_out(cover: Cover, needed: float) -> bool:
    """Return whether a plan in which ``needed`` residents count reaches every class."""
    return cover.base + float(cover.residents.sum()) - needed < cover.residents.min(initial=np.inf)


def needs_of(cover: Cover) -> Needs:
    """Return a cover of which every class must be reached, without what any smallest plan can do without.

    A class is reached where one is whose options are among its own, and an option that reaches no more than another
    need not open. Each may leave more of the other to spare, so it goes on until nothing does.
    """
    by_class = turned(cover.reach)
    needs = Needs(np.arange(cover.n_options), np.arange(by_class.n_rows), by_class)
    while True:
        n_before = len(needs.options)
        needs = fewer_classes(needs)
        reach, by_class = needs.reach, needs.by_class
        spare = rows_to_spare(
            reach.indptr, reach.columns, by_class.indptr, by_class.columns, _shortest_first(reach), False
        )
        needs = needs.among(~spare)
        if len(needs.options) == n_before:
            return needs


def fewer_classes(needs: Needs) -> Needs:
    """Return the same without the classes that are reached wherever another is."""
    by_class, reach = needs.by_class, needs.reach
    spare = rows_to_spare(
        by_class.indptr, by_class.columns, reach.indptr, reach.columns, _shortest_first(by_class), True
    )
    kept = np.flatnonzero(~spare)
    return Needs(needs.options, needs.classes[kept], by_class.take(kept))


def fewest_bound(cover: Cover, u: FloatArray) -> float:
    """Return how many options every plan has at least, a whole number, from any multipliers of the classes."""
    u = np.maximum(u, 0.0)
    reach = cover.reach
    over = np.minimum(0.0, 1.0 - sums(reach.rows, u[reach.columns], reach.n_rows))
    n_nodes = reach.n_rows + reach.n_columns
    ends = reach.rows, reach.columns.astype(np.int64) + reach.n_rows
    ties = coo_array((np.ones(len(reach.columns), dtype=np.int8), ends), shape=(n_nodes, n_nodes))
    n_components, component = connected_components(ties, directed=False)
    per_component = sums(component, np.concatenate([over, u]), n_components)
    return float(np.ceil(np.maximum(per_component, 0.0) - WHOLE_TOLERANCE).sum())


def _shortest_first(rows: Incidence) -> LongArray:
    return np.argsort(rows.lengths, kind="stable")
