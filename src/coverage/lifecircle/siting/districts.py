"""What the fewest options come to at least, district by district, each solved exactly.

The classes of a cover are parted into districts. What an option counts, 1, is shared out among the districts that it
reaches; then no plan opens fewer options than the districts need by their own, in sum, each as if it were alone
(Lagrangian decomposition; M. Guignard, S. Kim, 1987, https://doi.org/10.1007/BF02592954). Shared out as multipliers of
the classes say, that is no less than their bound, and more by what whole numbers add within districts. An option on a
border may open in part, so large districts with short borders say most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.fewest import WHOLE_TOLERANCE, Needs
from lifecircle.siting.incidence import sums
from lifecircle.siting.search import least_cost

MIDDLE = 0.35
"""A district is cut in two where fewest options reach over the cut, with at least this part of it on either side."""


SOLVER_TOLERANCE = 1e-6
"""By how much what HiGHS says of one district may be off."""


@dataclass(frozen=True, eq=False)
class District(ReadOnlyArrays):
    """Classes that count together, as ``needs`` of a cover's needs; what its options ``cost`` here.

    Attributes: ``least`` what reaching it costs at least, as far as is known; ``part`` the component it belongs to.
    """

    needs: Needs
    cost: FloatArray
    least: float
    part: int


def parted(needs: Needs, u: FloatArray, n_options: int) -> tuple[District, ...]:
    """Part the classes into districts of about ``n_options`` options at most each, the largest last.

    Parameters
    ----------
    needs
        The classes that must be reached.
    u
        Multipliers of the classes, 0 or more; they share out what an option counts, and say what a district needs.
    n_options
        How many options may reach a district.

    Returns
    -------
    tuple
        Districts that hold every class once; what they are known to need is the bound of the multipliers.
    """
    u = np.maximum(u, 0.0)
    reach = needs.reach
    pull = sums(reach.rows, u[reach.columns], reach.n_rows)
    districts: list[District] = []
    for part, classes in enumerate(_components(needs, np.arange(len(needs.classes)))):
        districts += [_district(needs, some, u, pull, part) for some in _halved(needs, classes, n_options)]
    return tuple(sorted(districts, key=lambda district: len(district.needs.by_class.columns)))


def solved(district: District) -> tuple[District, float]:
    """Return a district with the least that it can cost, and the entries touched to find out."""
    if len(district.needs.classes) == 1:
        return _with_least(district, float(district.cost.min())), float(len(district.cost))
    least, work = least_cost(district.cost, district.needs.by_class)
    return _with_least(district, least), work


def bound_of(districts: tuple[District, ...]) -> float:
    """Return how many options every plan has at least, a whole number for each component of the classes."""
    parts = np.array([district.part for district in districts], dtype=np.int64)
    least = np.array([district.least for district in districts])
    n_parts = int(parts.max(initial=-1)) + 1
    slack = WHOLE_TOLERANCE + SOLVER_TOLERANCE * np.bincount(parts, minlength=n_parts)
    whole = np.ceil(sums(parts, least, n_parts) - slack)
    return float(np.maximum(whole, 0.0).sum())


def _with_least(district: District, least: float) -> District:
    return District(district.needs, district.cost, max(district.least, least), district.part)


def _district(needs: Needs, classes: LongArray, u: FloatArray, pull: FloatArray, part: int) -> District:
    by_class = needs.by_class.take(classes)
    there = np.zeros(len(needs.options), dtype=bool)
    there[by_class.columns] = True
    options = np.flatnonzero(there)
    by_class = by_class.restrict(there)
    here = sums(by_class.columns, np.repeat(u[classes], by_class.lengths), len(options))
    # What the multipliers leave of an option's 1 is shared out as they are; where they are 0, by how many it reaches.
    n_here = np.bincount(by_class.columns, minlength=len(options))
    drawn = pull[options] > 0.0
    cost = np.where(drawn, here / np.where(drawn, pull[options], 1.0), n_here / needs.reach.lengths[options])
    least = float(u[classes].sum() + np.minimum(0.0, cost - here).sum())
    return District(Needs(options, classes, by_class), cost, max(0.0, least), part)


def _halved(needs: Needs, classes: LongArray, n_options: int) -> list[LongArray]:
    """Return the classes in parts, halved until no more than ``n_options`` options reach one."""
    waiting, done = [classes], []
    while waiting:
        some = waiting.pop()
        by_class = needs.by_class.take(some)
        if len(some) == 1 or len(np.unique(by_class.columns)) <= n_options:
            done.append(some)
            continue
        order = some[_along(needs, some)]
        cut = _best_cut(needs, order)
        for half in (order[:cut], order[cut:]):
            waiting += _components(needs, np.sort(half))
    return done


def _components(needs: Needs, classes: LongArray) -> list[LongArray]:
    """Return the classes in parts that no option reaches over."""
    _, part = connected_components(_ties(needs, classes), directed=False)
    _, part = np.unique(part[: len(classes)], return_inverse=True)
    order = np.argsort(part, kind="stable")
    return [classes[some] for some in np.split(order, np.cumsum(np.bincount(part))[:-1])]


def _along(needs: Needs, classes: LongArray) -> LongArray:
    """Return the places of the classes in an order in which those lie near each other that share options."""
    order = reverse_cuthill_mckee(_ties(needs, classes), symmetric_mode=True)
    return order[order < len(classes)].astype(np.int64)


def _ties(needs: Needs, classes: LongArray) -> csr_array:
    """Return the graph of some classes and, behind them, the options that reach them."""
    by_class = needs.by_class.take(classes)
    there: BoolArray = np.zeros(by_class.n_columns, dtype=bool)
    there[by_class.columns] = True
    by_class = by_class.restrict(there)
    turned = by_class.transposed()
    columns = np.concatenate([by_class.columns + np.int32(len(classes)), turned.columns]).astype(np.int32)
    indptr = np.concatenate([by_class.indptr, by_class.indptr[-1] + turned.indptr[1:]]).astype(np.int32)
    n_nodes = len(indptr) - 1
    return csr_array((np.ones(len(columns), dtype=np.int8), columns, indptr), shape=(n_nodes, n_nodes))


def _best_cut(needs: Needs, order: LongArray) -> int:
    """Return how many of the classes, in this order, come before the cut over which fewest options reach."""
    by_class = needs.by_class.take(order)
    n = len(order)
    place = by_class.rows
    first, last = np.full(by_class.n_columns, n), np.zeros(by_class.n_columns, dtype=np.int64)
    np.minimum.at(first, by_class.columns, place)
    np.maximum.at(last, by_class.columns, place)
    there = first < n
    # An option reaches over the cut before place i where first < i <= last.
    over = np.bincount(first[there] + 1, minlength=n + 2) - np.bincount(last[there] + 1, minlength=n + 2)
    over = np.cumsum(over)
    low = max(1, int(MIDDLE * n))
    high = max(low + 1, n - low)
    return low + int(np.argmin(over[low:high]))
