"""What is left to decide once today's sites stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.incidence import Incidence, sums


@dataclass(frozen=True, eq=False)
class Remaining(ReadOnlyArrays):
    """The part of a covering question that is still open; its optimum plus ``today`` is that of the whole.

    Demand points whom a fixed site reaches, or no candidate, or on whom nobody lives, are left out. Those
    that the same candidates reach stand together as one *class*: no plan can tell them apart. Candidates that
    reach no class are left out.

    Attributes: ``candidates`` the site index of each candidate, ascending; ``reach`` the classes (columns)
    that each candidate (row) reaches; ``weights`` the residents of each class, above 0; ``today`` the
    residents within the cutoff of a fixed site; ``unreachable`` the residents, at ``n_unreachable`` demand
    points, whom no site reaches.
    """

    candidates: LongArray
    reach: Incidence
    weights: FloatArray
    today: float
    n_unreachable: int
    unreachable: float

    @property
    def reachable(self) -> float:
        """Residents whom the fixed sites and the candidates reach, all open."""
        return self.today + float(self.weights.sum())


def reduce(reach: Incidence, weights: FloatArray, fixed: LongArray) -> Remaining:
    """Return what is left of a covering question.

    Parameters
    ----------
    reach
        Demand points (columns) within the cutoff of each site (rows).
    weights
        Residents per demand point.
    fixed
        The sites that stand.
    """
    served = np.zeros(reach.n_columns, dtype=bool)
    served[reach.take(fixed).columns] = True
    candidates = np.setdiff1d(np.arange(reach.n_rows), fixed)
    waiting = ~served & (weights > 0.0)
    choices = reach.take(candidates).restrict(waiting).transposed()
    residents = weights[waiting]
    first, group = choices.identical_rows()
    grouped = group >= 0
    by_class = choices.take(first)
    used = np.bincount(by_class.columns, minlength=by_class.n_columns) > 0
    return Remaining(
        candidates=candidates[used],
        reach=by_class.restrict(used).transposed(),
        weights=sums(group[grouped], residents[grouped], len(first)),
        today=float(weights[served].sum()),
        n_unreachable=int((~grouped).sum()),
        unreachable=float(residents[~grouped].sum()),
    )
