"""The shortest walks at the scale of a city: plans and bounds that meet, in rounds.

In each round two things go on side by side. *Bound*: first-order steps towards the linear relaxation find prices that
prove it. *Plan*: among the sites that the prices favour, parts of the plan are closed and opened anew. What a round
does depends on work done, not on the clock, so the same input gives the same plan. What the bound leaves open in the
end goes to HiGHS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.kernels.median import rebuilt_median
from lifecircle.kernels.nearest import lists_of_sites
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.effort import UNLIMITED, Effort, Ended, furthest
from lifecircle.siting.median import Median, is_whole, median_bound, median_of, narrowed, otherwise_of, walked, worth_of
from lifecircle.siting.median_finish import finished
from lifecircle.siting.median_saddle import MedianSaddle, relaxed
from lifecircle.siting.questions import Question

LOOKS = (5.0, 200.0)
"""How often a round looks at every entry: at least so often, and in a small city so often, up to `FEW` in all."""

FEW = 5e7
"""Entries that a round of a small city touches: with less, most of its time would go into starting it."""

LONGEST_LIST = (120, 10)
"""How many sites a home's list has: at least the first number, and the second times as many as there are for each that
is open in the end; homes seldom walk past so many."""

FEW_PAIRS = 1_000_000
"""Pairs of a home and a site up to which no list is cut short: what is left in the end needs them whole for a proof."""

FAVOURED = 4
"""Sites among which a plan is rebuilt, for each that is open."""

FEWEST, MOST = 2, 8
"""Open sites that close together."""

PATIENCE = 8
"""Rounds without a better plan or bound after which the search is stuck."""


@dataclass(frozen=True, eq=False)
class Opening(ReadOnlyArrays):
    """What a search finds: rows of the walks to open, what no plan can better, why it stopped, and the work done.

    It is not ``feasible`` where some home is not reached that must be.
    """

    chosen: LongArray
    bound: float
    ended: Ended
    work: float
    feasible: bool = True


@dataclass(frozen=True, eq=False)
class MedianState(ReadOnlyArrays):
    """Where a search stands after a round: the best plan, and how far the relaxation is."""

    opened: BoolArray
    value: float
    saddle: MedianSaddle
    whole: bool
    work: float

    @property
    def bound(self) -> float:
        """What no plan can better."""
        return raised(self.saddle.bound, whole=self.whole)

    @property
    def proven(self) -> bool:
        """Whether no plan is better."""
        return self.value - self.bound <= 1e-9 * abs(self.value)


def search_median(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: LongArray,
    effort: Effort = UNLIMITED,
    *,
    seed: int = 0,
) -> Opening:
    """Search for the plan with the shortest walks, and for a bound on all.

    Parameters
    ----------
    question
        One for which `median.is_median` holds.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    fixed
        The sites that stand.
    effort
        What the search may spend; work is counted in entries of the lists.
    seed
        Of all that is random.

    Notes
    -----
    The same input and work give the same plan on every machine, unless the clock ends the search or somebody
    interrupts it.
    """
    median = median_of(question, walks, weights, fixed, longest_list=_longest_list(question, walks, fixed))
    with ThreadPoolExecutor(1) as beside:
        state, ended = furthest(states_of(median, beside, seed=seed), effort)
    cutoff_s = question.objective.standards[0].cutoff_s
    worth, otherwise_s = worth_of(question, weights), otherwise_of(walks, fixed, cutoff_s)
    prices_s = otherwise_s.copy()
    prices_s[median.homes] = state.saddle.prices_s
    bound, saved = median_bound(walks, worth, otherwise_s, median.candidates, median.n_new, prices_s)
    bound = raised(bound, whole=state.whole)
    opening = Opening(median.candidates[state.opened], bound, ended, state.work)
    if ended != "stuck":
        return opening
    found = finished(median, state.opened, state.value, bound, saved, effort.less(state.work))
    if found is None:
        return opening
    opened, last_bound, ended, work = found
    opened = opened if walked(median, opened) < state.value else state.opened
    bound = max(bound, raised(last_bound, whole=state.whole))
    return Opening(median.candidates[opened], bound, ended, state.work + work)


def _longest_list(question: Question, walks: Walks, fixed: LongArray) -> int:
    """Return how many of the nearest sites a home's list has at most."""
    if len(walks.indices) <= FEW_PAIRS:
        return walks.n_facilities
    per_open = walks.n_facilities // (1 + len(fixed) + (question.n_new or 0))
    return max(LONGEST_LIST[0], LONGEST_LIST[1] * per_open)


def raised(bound: float, *, whole: bool) -> float:
    """Return the bound, raised to a whole number where every value is one."""
    return math.ceil(bound - 1e-6) if whole else bound


def states_of(
    median: Median, beside: ThreadPoolExecutor, *, start: BoolArray | None = None, seed: int = 0
) -> Iterator[MedianState]:
    """Yield where the search for the best plan of a median stands after every round, until it is stuck."""
    entries = 1000.0 + len(median.sites)
    work = max(LOOKS[0] * entries, min(LOOKS[1] * entries, FEW))
    begin = np.zeros(median.n_sites, dtype=bool) if start is None else start
    opened = _rebuilt(median, begin, work=0.0, seed=seed, heat=0.0)
    path = relaxed(median, opened)
    state = MedianState(opened, walked(median, opened), next(path), is_whole(median), entries)
    idle = 0
    while True:
        yield state
        if not median.n_new or not len(median.sites) or idle >= PATIENCE:
            return
        before = state
        replanned = beside.submit(_replanned, median, state, work, seed)
        saddle = _advanced(path, state.saddle, work)
        opened = replanned.result()
        value = walked(median, opened)
        if value >= state.value:
            opened, value = state.opened, state.value
        state = replace(state, opened=opened, value=value, saddle=saddle, work=state.work + 2.0 * work)
        better = value < before.value or saddle.bound > before.saddle.bound + 1e-6 * abs(value)
        idle, seed = 0 if better else idle + 1, seed + 1


def _advanced(path: Iterator[MedianSaddle], saddle: MedianSaddle, work: float) -> MedianSaddle:
    """Return how far the relaxation comes with more work."""
    ends = saddle.work + work
    while saddle.work < ends:
        further = next(path, None)
        if further is None:
            break
        saddle = further
    return saddle


def _replanned(median: Median, state: MedianState, work: float, seed: int) -> BoolArray:
    """Return the plan, rebuilt among the sites that the prices favour."""
    saddle = state.saddle
    favoured = state.opened | (saddle.x > 1e-3)
    favoured[np.argsort(-saddle.saved, kind="stable")[: max(400, FAVOURED * median.n_new)]] = True
    some = np.flatnonzero(favoured)
    # By turns from the best plan and from what the relaxation opens for the most part, lest all stay around the best.
    begin = state.opened if seed % 2 else _rounded(saddle.x, median.n_new)
    heat = 0.02 * (state.value - median.settled_s) / median.n_new if seed % 4 > 1 else 0.0
    plan = np.zeros(median.n_sites, dtype=bool)
    plan[some] = _rebuilt(narrowed(median, some), begin[some], work=work, seed=seed, heat=heat)
    return plan


def _rounded(x: FloatArray, n_new: int) -> BoolArray:
    """Return the sites that are open for the most part, no more than allowed."""
    opened = np.zeros(len(x), dtype=bool)
    most = np.argsort(-x, kind="stable")[:n_new]
    opened[most] = x[most] > 0.5
    return opened


def _rebuilt(median: Median, opened: BoolArray, *, work: float, seed: int, heat: float) -> BoolArray:
    first, homes, entries = lists_of_sites(median.indptr, median.sites, median.n_sites)
    best, _ = rebuilt_median(
        work, np.random.default_rng(seed), FEWEST, MOST, heat, median.n_new, *median.lists, median.otherwise_s,
        median.weights, first, homes, entries, opened,
    )  # fmt: skip
    return best
