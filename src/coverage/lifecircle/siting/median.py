"""The shortest walks in sum, as lists of the nearest sites (p-median with a cutoff).

With homes i of residents w_i (times their priority), candidates j, t_ij the seconds from i to j, and b_i what i walks
where nothing opens (to the nearest site that stands, or the cutoff):

    minimise    sum of w_i min(b_i, min of t_ij over the open j)
    subject to  at most ``n_new`` candidates open

For any prices 0 <= u_i <= b_i no plan walks less than

    sum of w_i u_i - the sum of the ``n_new`` largest savings s_j,    s_j = sum over i of w_i max(0, u_i - t_ij)

(Lagrangian relaxation of "every home is served once"; G. Cornuejols, M. Fisher, G. Nemhauser, 1977, Location of bank
accounts to optimize float, https://doi.org/10.1287/mnsc.23.8.789). Only pairs with t_ij < u_i matter to it, so that
lists of the nearest sites are enough, up to where they are complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.kernels.median import filled
from lifecircle.kernels.nearest import narrowed_lists, nearest_lists
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.incidence import sums
from lifecircle.siting.questions import Question, ShortestWalks
from lifecircle.siting.recount import nearest_s

CHUNK = 1 << 22
"""Pairs that are looked at together where a bound is recomputed."""


@dataclass(frozen=True, eq=False)
class Median(ReadOnlyArrays):
    """A p-median; see the head of this module.

    Attributes
    ----------
    candidates
        The sites that may open, rows of the walks; all else calls them by their place here.
    homes
        The demand points that some candidate is nearer to than what stands; the others walk ``settled_s`` in all.
    indptr, sites, seconds
        The nearest candidates of each home, the nearest first, all with less than ``otherwise_s``.
    complete_s
        Per home: its list has all candidates nearer than this.
    otherwise_s, weights
        b_i and w_i of each home.
    n_new
        How many candidates may open.
    settled_s
        Person-seconds of the demand points for which nothing can change.
    """

    candidates: LongArray
    homes: LongArray
    indptr: LongArray
    sites: IntArray
    seconds: FloatArray
    complete_s: FloatArray
    otherwise_s: FloatArray
    weights: FloatArray
    n_new: int
    settled_s: float

    @property
    def n_sites(self) -> int:
        """How many candidates there are."""
        return len(self.candidates)

    @property
    def lists(self) -> tuple[LongArray, IntArray, FloatArray]:
        """The lists as the compiled searches take them."""
        return self.indptr, self.sites, self.seconds

    def nearest_s(self, opened: BoolArray) -> FloatArray:
        """Return the walk of every home where some candidates are open, as far as its list knows them, seconds."""
        return filled(*self.lists, self.weights, self.otherwise_s, opened.astype(np.float64))[1]


def is_median(question: Question) -> bool:
    """Return whether a question is a p-median with no other limit than how many sites open."""
    return isinstance(question.objective, ShortestWalks) and only_counted(question)


def only_counted(question: Question) -> bool:
    """Return whether nothing but a number of new sites limits a plan."""
    limits = question.budget, question.moves, question.at_least, question.tiers, question.capacity, question.itinerary
    none = all(limit is None for limit in limits) and not (question.floors or question.cases)
    return none and question.n_new is not None


def worth_of(question: Question, weights: FloatArray) -> FloatArray:
    """Return the residents of each demand point, times their priority."""
    return weights if question.priority is None else weights * question.priority


def otherwise_of(walks: Walks, fixed: LongArray, cutoff_s: float) -> FloatArray:
    """Return what each demand point walks where nothing opens, seconds."""
    return np.minimum(nearest_s(walks, fixed), cutoff_s)


def median_of(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, *, longest_list: int) -> Median:
    """Return a question as a p-median.

    Parameters
    ----------
    question
        One for which `is_median` holds.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    fixed
        The sites that stand.
    longest_list
        How many of the nearest sites a home's list has at most.
    """
    if not isinstance(question.objective, ShortestWalks) or question.n_new is None:
        raise TypeError("only a question of shortest walks with n_new is a median")
    otherwise_s = otherwise_of(walks, fixed, question.objective.cutoff_s)
    worth = worth_of(question, weights)
    candidates = np.setdiff1d(np.arange(walks.n_facilities), fixed)
    indptr, sites, seconds, complete_s = nearest_lists(
        candidates, walks.indptr, walks.indices, walks.seconds, np.where(worth > 0.0, otherwise_s, 0.0), longest_list
    )
    there = np.diff(indptr) > 0
    return Median(
        candidates=candidates,
        homes=np.flatnonzero(there),
        indptr=np.append(indptr[:-1][there], indptr[-1]),
        sites=sites,
        seconds=seconds,
        complete_s=complete_s[there],
        otherwise_s=otherwise_s[there],
        weights=worth[there],
        n_new=min(question.n_new, len(candidates)),
        settled_s=float(worth[~there] @ otherwise_s[~there]),
    )


def narrowed(median: Median, chosen: LongArray, *, opened: BoolArray | None = None) -> Median:
    """Return the median with some of its candidates alone, ascending; all its homes stay.

    Where others are ``opened`` for good, shape (n_sites,), they are what the homes walk to otherwise.
    """
    number = np.full(median.n_sites, -1, dtype=np.int32)
    number[chosen] = np.arange(len(chosen))
    otherwise_s = median.otherwise_s if opened is None else median.nearest_s(opened)
    indptr, sites, seconds = narrowed_lists(*median.lists, number, otherwise_s)
    return replace(
        median,
        candidates=median.candidates[chosen],
        indptr=indptr,
        sites=sites,
        seconds=seconds,
        complete_s=np.minimum(median.complete_s, otherwise_s),
        otherwise_s=otherwise_s,
        n_new=min(median.n_new - (0 if opened is None else int(opened.sum())), len(chosen)),
    )


def walked(median: Median, x: FloatArray | BoolArray) -> float:
    """Return the person-seconds walked where each candidate serves x of a home, as far as the lists know them."""
    walked_s, _ = filled(*median.lists, median.weights, median.otherwise_s, x.astype(np.float64))
    return median.settled_s + float(walked_s)


def is_whole(median: Median) -> bool:
    """Return whether all plans walk a whole number of person-seconds, few enough that sums of them are exact."""
    numbers = (median.seconds, median.otherwise_s, median.weights, np.array([median.settled_s]))
    most = median.settled_s + float(median.weights @ median.otherwise_s)
    return most < 1e9 and all(bool((array == np.rint(array)).all()) for array in numbers)


def median_bound(
    walks: Walks, worth: FloatArray, otherwise_s: FloatArray, candidates: LongArray, n_new: int, prices_s: FloatArray
) -> tuple[float, FloatArray]:
    """Return what no plan can better, from any prices, straight from the walks, and what each candidate saves.

    Parameters
    ----------
    walks
        Seconds to the sites (rows) from the demand points (columns).
    worth, otherwise_s
        w_i and b_i of every demand point.
    candidates
        The sites that may open.
    n_new
        How many of them.
    prices_s
        u_i of every demand point, seconds.
    """
    u = np.clip(prices_s, 0.0, otherwise_s)
    saved = np.zeros(walks.n_facilities)
    first = 0
    while first < walks.n_facilities:
        last = max(first + 1, int(np.searchsorted(walks.indptr, walks.indptr[first] + CHUNK, side="right")) - 1)
        span = slice(walks.indptr[first], walks.indptr[last])
        site = np.repeat(np.arange(last - first), np.diff(walks.indptr[first : last + 1]))
        home = walks.indices[span]
        saved[first:last] = sums(site, worth[home] * np.maximum(0.0, u[home] - walks.seconds[span]), last - first)
        first = last
    best = np.sort(saved[candidates])[::-1][:n_new]
    return float(worth @ u) - float(best.sum()), saved[candidates]
