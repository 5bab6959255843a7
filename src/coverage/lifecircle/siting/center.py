"""The shortest longest walk at the scale of a city (p-center): one covering question per length looked at.

Within a length L every home i that no standing site is near enough to must have one of its sites N_i(L) open. Whether
``n_new`` candidates do for all is asked of a p-median in which a walk is 0 within L and 1 beyond: where some plan walks
0 they do, where every plan walks more than 0 they do not, which any prices with a positive bound prove. Lengths are
halved from both sides; one that cannot be told in either way leaves a gap between value and bound.

(E. Minieka, 1970, The m-center problem, https://doi.org/10.1137/1012016.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from lifecircle.kernels.cover import rows_within
from lifecircle.kernels.dominance import kept_rows
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.cover import merged_columns, turned
from lifecircle.siting.effort import UNLIMITED, Effort, furthest
from lifecircle.siting.fairest import lengths_s
from lifecircle.siting.incidence import Incidence, from_pairs
from lifecircle.siting.linear import LinearForm, Links, Options, Rows, rows_from
from lifecircle.siting.median import Median, only_counted, walked
from lifecircle.siting.median_search import Opening, states_of
from lifecircle.siting.questions import FairestWalks, Question
from lifecircle.siting.recount import nearest_s
from lifecircle.siting.search import search

POSITIVE = 1e-6
"""Some home is left out where a bound on them is above this: sums of many numbers lose their last digits."""

GLANCE = 4
"""Rounds that a length gets at first."""

MOST_ENTRIES = 100_000
"""Pairs of a home and a site beyond which HiGHS is not asked about a length: it would not come to an end."""

MOST_WORK = 2e9
"""What it may spend on one length."""


@dataclass(frozen=True, eq=False)
class _State(ReadOnlyArrays):
    """Where a search stands: the best plan, the lengths that it and the bound come to, and the work done."""

    chosen: LongArray
    value: float
    bound: float
    work: float

    @property
    def proven(self) -> bool:
        """Whether no plan is better."""
        return self.value <= self.bound


def is_center(question: Question) -> bool:
    """Return whether a question is a p-center with no other limit than how many sites open."""
    return isinstance(question.objective, FairestWalks) and only_counted(question)


def search_center(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, effort: Effort = UNLIMITED
) -> Opening:
    """Search for the plan with the shortest longest walk, and for a bound on all.

    It is not feasible where no plan was found that reaches every home that can be reached.

    Parameters
    ----------
    question
        One for which `is_center` holds.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    fixed
        The sites that stand.
    effort
        What the search may spend.
    """
    with ThreadPoolExecutor(1) as beside:
        state, ended = furthest(_states(question, walks, weights, fixed, beside, effort), effort)
    return Opening(state.chosen, state.bound, ended, state.work, feasible=bool(np.isfinite(state.value)))


def _states(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: LongArray,
    beside: ThreadPoolExecutor,
    effort: Effort,
) -> Iterator[_State]:
    lengths = lengths_s(question, walks, weights, fixed)
    candidates = np.setdiff1d(np.arange(walks.n_facilities), fixed)
    asked = (weights > 0.0) & np.isfinite(nearest_s(walks, np.arange(walks.n_facilities)))
    today_s = np.where(asked, nearest_s(walks, fixed), 0.0)
    # No plan does with less than lengths[low], the best so far with lengths[high]; of those from `dark` up to `dusk`
    # nobody can tell: a length at which a few rounds do not tell waits until all others are told.
    low, high, dark, dusk, thorough = 0, len(lengths), len(lengths), 0, False
    chosen, value, work = candidates[:0], math.inf, 0.0
    if np.isfinite(today_s).all():
        value = float(today_s.max(initial=0.0))
        high = int(np.searchsorted(lengths, value))
    yield _State(chosen, value, float(lengths[low]), work)
    while low < high:
        middle = _next(low, high, dark, dusk) if value < math.inf else high - 1
        if middle < 0 or (value == math.inf and dark <= middle):
            if thorough:
                return
            dark, dusk, thorough = len(lengths), 0, True
            continue
        longest_s, opened = float(lengths[middle]), None
        median = _covering(walks, candidates, today_s > longest_s, longest_s, question.n_new or 0)
        states = states_of(median, beside, start=np.isin(median.candidates, chosen))
        for state in islice(states, None if thorough else GLANCE):
            if state.value == 0.0 or state.saddle.bound > POSITIVE:
                opened = state.opened
                break
            yield _State(chosen, value, float(lengths[low]), work + state.work)
        work += state.work
        if opened is None and thorough and len(median.sites) <= MOST_ENTRIES:
            opened, spent = _all_served(median, effort.less(work))
            work += spent
        if opened is None:
            dark, dusk = min(dark, middle), max(dusk, middle + 1)
        elif walked(median, opened) == 0.0:
            chosen = median.candidates[opened]
            value = float(np.minimum(today_s, nearest_s(walks, chosen))[asked].max(initial=0.0))
            high = int(np.searchsorted(lengths, value))
        else:
            low = middle + 1
        if low < len(lengths):
            yield _State(chosen, value, float(lengths[low]), work)


def _next(low: int, high: int, dark: int, dusk: int) -> int:
    """Return the length to look at next, -1 for none: in the middle of the longer part that may still be told."""
    if dark >= dusk or dusk <= low or high <= dark:
        return (low + high) // 2 if low < high else -1
    below, above = max(0, dark - low), max(0, high - dusk)
    if not below and not above:
        return -1
    return low + below // 2 if below >= above else dusk + above // 2


def _covering(walks: Walks, candidates: LongArray, far: BoolArray, longest_s: float, n_new: int) -> Median:
    """Return the p-median in which the homes that are ``far`` walk 0 within a length and 1 beyond.

    Homes that have all sites of another one are left out, as that one is served only with them; and so are sites all
    of whose homes another one has.
    """
    indptr, columns = rows_within(candidates, walks.indptr, walks.indices, walks.seconds, longest_s, far)
    reach, _ = merged_columns(Incidence(indptr, columns, walks.n_demand), np.arange(len(candidates)))
    homes = turned(reach)
    while True:
        homes = homes.take(_kept(homes, larger=False))
        reach = turned(homes)
        kept = _kept(reach, larger=True)
        if len(kept) == len(candidates):
            break
        homes, candidates = turned(reach.take(kept)), candidates[kept]
    ones = np.ones(homes.n_rows)
    return Median(
        candidates=candidates,
        homes=np.arange(homes.n_rows),
        indptr=homes.indptr,
        sites=homes.columns,
        seconds=np.zeros(len(homes.columns)),
        complete_s=ones,
        otherwise_s=ones,
        weights=ones,
        n_new=min(n_new, len(candidates)),
        settled_s=0.0,
    )


def _kept(table: Incidence, *, larger: bool) -> LongArray:
    """Return the rows left where of two rows, one of them in the other, only the larger or the smaller stays."""
    by_column, order = turned(table), np.argsort(table.lengths, kind="stable")
    kept = kept_rows(order, table.indptr, table.columns, by_column.indptr, by_column.columns, larger)
    return np.flatnonzero(kept)


def _all_served(median: Median, effort: Effort) -> tuple[BoolArray | None, float]:
    """Return sites that serve all homes, as HiGHS finds them, and its work; no sites where it proves that no plan does.

    None instead of the sites where it spends its work before it knows.
    """
    n, m = len(median.homes), median.n_sites
    nothing, zeros = np.empty(0, dtype=np.int64), np.zeros(m, dtype=np.int64)
    home = np.repeat(np.arange(n), np.diff(median.indptr))
    form = LinearForm(
        sign=-1,
        offsets=np.zeros(1),
        kept=nothing,
        options=Options(np.arange(m), zeros, zeros, np.zeros(m, dtype=bool)),
        n_counts=0,
        n_levels=0,
        objective=np.zeros(m),
        lower=np.zeros(m),
        upper=np.ones(m),
        whole=np.empty(0, dtype=bool),
        links=Links(from_pairs(nothing, nothing, 0, 0), from_pairs(nothing, nothing, 0, m), np.empty(0)),
        side=Rows(np.array([0, m]), np.arange(m, dtype=np.int32), np.ones(m), np.array([float(median.n_new)])),
        labels=(),
        structure=rows_from(home, median.sites.astype(np.int64), -np.ones(len(home)), -np.ones(n)),
        home=nothing,
        site=nothing,
        case=nothing,
        year=nothing,
    )
    work_limit = MOST_WORK if effort.work_limit is None else min(MOST_WORK, effort.work_limit)
    found = search(form, replace(effort, work_limit=work_limit))
    if found.ended == "interrupted":
        raise KeyboardInterrupt
    if found.columns is not None:
        return found.columns > 0.5, found.work
    return np.zeros(m, dtype=bool) if found.infeasible else None, found.work
