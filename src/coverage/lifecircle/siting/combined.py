"""Any question in linear form at the scale of a city: plans and bounds that meet, in rounds.

In each round two things go on side by side. *Bound*: a part of the form, some of its options, takes first-order steps
towards its linear relaxation; the multipliers found there price all options; those that are far from worth it leave the
part, those that it lacks enter. *Plan*: what the relaxation opens is rounded; then a few options close and others open,
over and over, with every condition in force. What a round does depends on work done, not on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.bounds import dual_bound
from lifecircle.siting.cover_finish import MOST_ENTRIES, MOST_WORK
from lifecircle.siting.effort import Effort, Ended, furthest
from lifecircle.siting.linear import LinearForm
from lifecircle.siting.parts import Part, Whole, divisible, part_of, whole_of
from lifecircle.siting.prices import Prices, lifted, option_rows, priced, refuting
from lifecircle.siting.relaxation import Saddle, filled, levelled, stepped
from lifecircle.siting.rework import Plan, better, plan_of, rounded
from lifecircle.siting.search import Found, search

LARGE = 30_000
"""Pairs of an option and a link up to which HiGHS alone answers."""

STEPS, MOST_STEPS = 400, 2000
"""Steps of a round at first, and later, when the rework of the plan takes as long."""

FIRST_PART = 1.5e6
"""Pairs of an option and a link in the first part, taken at random site by site."""

NEXT_PART = 8e5
"""Pairs that a part has later on, unless more are worth it."""

NEAR, FAR = 0.03, 0.2
"""An option enters the part where its pull is less than its price by no more than the first part, and leaves it beyond
the second."""

REWORK = 2500.0
"""How often the rework of a plan in a round touches every entry of what it chooses from."""

EARLY = 6
"""The first rounds are short, lest a short search have none."""

FIRST_REWORK = REWORK / 2.0**EARLY
"""How often the rework touches every entry in the first round; twice as often in the next, and so on."""

HEAT = 0.02
"""How much worse a plan may become on the way, in some rounds, in parts of what an open option is worth."""

NARROW, BROAD = 8, 14
"""Open options that close together at most: in a new plan, and in one that is good already."""

FAVOURED = 2
"""Options that a plan may choose from, for each that is open or that the relaxation opens in part."""

DEAR = 10.0
"""What an overrun costs, in units of what the relaxation would pay."""

REFUTED = 1e-7
"""There is no plan where one would have to lack more than this part of what all side rows ask for, at their prices."""

MOSTLY = 0.75
"""The part of what a search may spend that goes into rounds, where HiGHS can have the rest."""

SUPPORT = 0.01
"""An option that the relaxation opens no further than this is not in what HiGHS gets, where it gets only a part."""

PATIENCE = 24
"""Rounds without a better plan or bound after which the search ends."""


@dataclass(frozen=True, eq=False)
class Round(ReadOnlyArrays):
    """Where a search stands after a round.

    ``plan`` is the best plan and ``proof`` the best bound; ``last`` has the multipliers from which the next round
    starts, with ``x`` over all options and the weight ``omega``. ``fines`` is what overruns of the side rows cost, and
    ``refuted`` the side rows of a proof that no plan meets them together, None as long as there is none.
    """

    form: LinearForm
    plan: Plan
    proof: Prices
    last: Prices
    x: FloatArray
    omega: float
    part: Part
    settled: bool
    fines: FloatArray
    refuted: BoolArray | None
    idle: int
    number: int
    work: float

    @property
    def value(self) -> float:
        """What the plan reaches, in the unit of the question; the worst there is while it misses a condition."""
        return self.form.sign * (self.plan.value if self.plan.feasible else -np.inf)

    @property
    def bound(self) -> float:
        """What no plan can better."""
        return self.form.sign * self.proof.bound

    @property
    def proven(self) -> bool:
        """Whether the plan and the bound meet, or there is no plan."""
        distance = self.proof.bound - self.plan.value
        objective, n_options = self.form.objective, self.form.n_options
        whole = not objective[n_options:].any() and bool((objective == np.rint(objective)).all())
        least = 1.0 - 1e-6 if whole else 1e-9 * (1.0 + abs(self.proof.bound))
        return self.refuted is not None or (self.plan.feasible and distance <= least)


def is_large(form: LinearForm) -> bool:
    """Return whether a form is too large for HiGHS alone and can be searched part by part."""
    return len(form.links.options.columns) > LARGE and divisible(form)


def search_combined(form: LinearForm, effort: Effort) -> Found:
    """Search for the best plan of a large form, `lifecircle.siting.parts.divisible`, and for a bound on all."""
    states = rounds(form)
    state, ended = furthest(states, effort.part(MOSTLY))
    if ended in ("time", "work") and _left(whole_of(form), state) is None:
        # The rounds may be at their end, and a search has a state.
        state, ended = furthest(chain((state,), states), effort)
    found = _found(form, state, ended)
    rest = effort.less(state.work)
    over = found.infeasible or ended in ("proven", "interrupted") or rest.over is not None
    return found if over else _finished(form, state, found, rest)


def search_any(form: LinearForm, effort: Effort) -> Found:
    """Search a large form for a plan that meets all conditions, whatever it is worth, or the proof that none does."""
    state, ended = furthest(_until_any(form), effort)
    return _found(form, state, ended)


def search_bound(form: LinearForm, effort: Effort) -> Found:
    """Search for a bound on the value of every plan of a large form, and for no plan."""
    whole = whole_of(form)
    every = part_of(whole, np.arange(form.n_options), np.empty(0, dtype=np.int64)).form
    state, ended = furthest(tightened(every), replace(effort, report=None))
    return Found(None, dual_bound(every, state.proof.links, state.proof.side, np.empty(0)), ended, work=state.work)


def _found(form: LinearForm, state: Round, ended: Ended) -> Found:
    """Return what a search has found that stands there."""
    if state.refuted is not None:
        return Found(None, state.bound, infeasible=True, rows=state.refuted, work=state.work)
    columns = whole_of(form).columns(state.plan.opened) if state.plan.feasible else None
    bound = dual_bound(form, state.proof.links, state.proof.side, np.empty(0))
    return Found(columns, bound, ended, work=state.work)


def _until_any(form: LinearForm) -> Iterator[Round]:
    for state in rounds(form):
        yield state
        if state.plan.feasible:
            return


def _left(whole: Whole, state: Round) -> tuple[LongArray, LinearForm, bool] | None:
    """Return the options that may be in a better plan, as a form, and whether no better plan has others.

    An option with the reduced gain g < 0 is in no plan better than ``bound + g``. Where too many are left for HiGHS,
    those that are open or that the relaxation opens in part; None where these are too many as well.
    """
    value = state.plan.value if state.plan.feasible else -np.inf
    possible = state.proof.bound + np.minimum(state.proof.gain, 0.0) > value
    for others, all_there in ((possible, True), (state.x > SUPPORT, False)):
        options = np.flatnonzero(others | state.plan.opened)
        form = part_of(whole, options, np.empty(0, dtype=np.int64)).form
        if len(form.links.options.columns) <= MOST_ENTRIES:
            return options, form, all_there
    return None


def _finished(form: LinearForm, state: Round, found: Found, effort: Effort) -> Found:
    """Return what HiGHS makes of the options that are left, if these are few."""
    whole = whole_of(form)
    left = _left(whole, state)
    if left is None:
        return found
    options, part, all_there = left
    value = state.plan.value if state.plan.feasible else -np.inf
    effort = replace(effort, work_limit=MOST_WORK if effort.work_limit is None else effort.work_limit)
    start = np.flatnonzero(state.plan.opened[options]) if state.plan.feasible else None
    last = search(part, effort, start=start)
    ended: Ended = last.ended if last.ended == "interrupted" or all_there else found.ended
    found = replace(found, work=found.work + last.work, ended=ended)
    if last.infeasible:
        return replace(found, bound=last.bound, infeasible=True) if all_there and start is None else found
    if all_there:
        sharper = max(value, form.sign * last.bound)
        found = replace(found, bound=form.sign * min(form.sign * found.bound, sharper))
    if last.columns is None:
        return found
    opened = np.zeros(form.n_options, dtype=bool)
    opened[options[last.columns[: len(options)] > 0.5]] = True
    plan = plan_of(whole, opened)
    return replace(found, columns=whole.columns(opened)) if plan.feasible and plan.value > value else found


def rounds(form: LinearForm, *, seed: int = 0) -> Iterator[Round]:
    """Yield where a search for the best plan stands, round by round.

    Parameters
    ----------
    form
        The question, `lifecircle.siting.parts.divisible`.
    seed
        Of all that is random.
    """
    whole = whole_of(form)
    state = _begun(whole, seed)
    with ThreadPoolExecutor(1) as beside:
        while state.idle < PATIENCE:
            plan = beside.submit(_replanned, whole, state, seed + 2 * state.number)
            if state.settled:
                other, bounded = _replanned(whole, state, seed + 2 * state.number + 1), state
            else:
                other, bounded = (state.plan, 0.0), _bounded(whole, state)
            found = (plan.result(), other)
            best = max((new for new, _ in found), key=lambda new: new.score(state.fines))
            state = _next(state, bounded, best, sum(work for _, work in found))
            yield state


def tightened(form: LinearForm, start: Prices | None = None) -> Iterator[Round]:
    """Yield ever better bounds of a form, round by round, with no search for a plan."""
    whole = whole_of(form)
    state = _begun(whole, 0, start)
    while not state.settled and state.idle < PATIENCE:
        state = _next(state, _bounded(whole, state), state.plan, 0.0)
        yield state


def _begun(whole: Whole, seed: int, start: Prices | None = None) -> Round:
    form = whole.form
    nothing = np.zeros(form.n_options, dtype=bool)
    first = priced(whole, np.zeros(len(form.links)), np.zeros(len(form.side))) if start is None else start
    part = part_of(whole, _first_part(whole, seed) if start is None else _near(first), np.empty(0, dtype=np.int64))
    size = np.bincount(
        np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr)), np.abs(form.side.values), len(form.side)
    )
    # Until the relaxation says what a row is worth, all that there is over all that it can take.
    fines = float(np.abs(form.objective).sum()) / np.maximum(size, 1e-12)
    x = nothing.astype(np.float64)
    return Round(form, plan_of(whole, nothing), first, first, x, 1.0, part, False, fines, None, 0, 0, 0.0)


def _next(before: Round, bounded: Round, plan: Plan, work: float) -> Round:
    """Return the state with what a round found, in its bound and in its plan."""
    fines = np.maximum(bounded.fines, DEAR * bounded.proof.side)
    better_plan = plan.score(fines) > before.plan.score(fines)
    better_bound = bounded.proof.bound < before.proof.bound - 1e-6 * abs(before.proof.bound)
    return replace(
        bounded,
        plan=plan if better_plan else before.plan,
        fines=fines,
        idle=0 if better_plan or better_bound else before.idle + 1,
        number=before.number + 1,
        work=bounded.work + work,
    )


def _bounded(whole: Whole, state: Round) -> Round:
    """Return the state with the bound that further steps of the part lead to, and with the part to step on with."""
    part, last = state.part, state.last
    form, n = part.form, len(part.options)
    links = np.zeros(len(form.links))
    there = part.link >= 0
    np.add.at(links, part.link[there], last.links[there])
    v = filled(form, state.x[part.options])
    steps = STEPS if state.number < EARLY else MOST_STEPS
    found = stepped(form, Saddle(v, links, levelled(form, last.side[part.rows]), state.omega), steps=steps)
    last = lifted(whole, part, found, last.side)
    if last.bound > state.proof.bound:
        # What a part does not know it underrates; half of the way there from the best so far is often better.
        half = priced(whole, 0.5 * (last.links + state.proof.links), 0.5 * (last.side + state.proof.side))
        last = half if half.bound < last.bound else last
    x = np.zeros(whole.form.n_options)
    x[part.options] = found.v[:n]
    options = _next_part(whole, part, last, x, state.plan.opened)
    same = not len(np.setdiff1d(options, part.options))
    return replace(
        state,
        proof=last if last.bound < state.proof.bound else state.proof,
        last=last,
        x=x,
        omega=found.omega,
        part=part if same else part_of(whole, options, np.empty(0, dtype=np.int64)),
        settled=same and found.solved,
        refuted=None if state.plan.feasible else _refuted(whole, last),
        work=state.work + found.work,
    )


def _refuted(whole: Whole, prices: Prices) -> BoolArray | None:
    """Return the side rows that multipliers prove no plan to meet together; a row without a price is no part of it."""
    found = refuting(whole, prices)
    rounding = REFUTED * float(found.side @ (1.0 + np.abs(whole.form.side.limit)))
    return found.side > 0.0 if found.bound < -rounding else None


def _first_part(whole: Whole, seed: int) -> LongArray:
    """Return some options at random, and of those that a row asks for a few each."""
    random = np.random.default_rng(seed)
    sites = random.permutation(whole.site_options.n_rows)
    entries = np.cumsum([whole.by_option.lengths.sum() / max(1, len(sites))] * len(sites))
    chosen = whole.site_options.take(np.sort(sites[: int(np.searchsorted(entries, FIRST_PART)) + 1])).columns
    asked = [np.flatnonzero(whole.form.options.stands)]
    limits, _ = option_rows(whole.form)
    for row in range(len(limits)):
        span = slice(limits.indptr[row], limits.indptr[row + 1])
        options = limits.columns[span][limits.values[span] < 0.0]
        asked.append(random.permutation(options)[:4])
    return np.unique(np.concatenate([chosen, *asked])).astype(np.int64)


def _near(prices: Prices) -> LongArray:
    return np.flatnonzero(prices.gain >= -NEAR * prices.pull)


def _next_part(whole: Whole, part: Part, prices: Prices, x: FloatArray, opened: BoolArray) -> LongArray:
    """Return the options that are open or worth it or nearly so, and while there is room those that come next."""
    ratio = prices.gain / np.maximum(np.abs(prices.pull), 1e-12)
    stays = opened | (x > 0.0) | (ratio >= -NEAR)
    stays[part.options] |= ratio[part.options] >= -FAR
    ratio[stays] = np.inf
    order = np.argsort(-ratio, kind="stable")
    # Classes of a part fall together: it has fewer pairs than its options have in the whole form.
    lengths = whole.by_option.lengths
    room = NEXT_PART * float(lengths[part.options].sum()) / max(1, len(part.form.links.options.columns))
    n_fit = int(np.searchsorted(np.cumsum(lengths[order]), room))
    return np.sort(order[: max(int(stays.sum()), n_fit)])


def _replanned(whole: Whole, state: Round, seed: int) -> tuple[Plan, float]:
    """Return the plan, or what the relaxation opens if that is better, reworked; and the entries touched."""
    # By turns from the best plan and from what the relaxation opens, lest all stay around the best.
    plan, fresh = state.plan, rounded(whole, state.x)
    again = seed % 4 < 2 or fresh.score(state.fines) > plan.score(state.fines)
    plan = fresh if again else plan
    if not state.number:
        return plan, 0.0
    pool = plan.opened | (state.x > 1e-3)
    more = FAVOURED * max(1, int(pool.sum()))
    pool[np.argsort(-state.last.gain, kind="stable")[:more]] = True
    heat = HEAT if seed % 8 > 5 else 0.0
    return better(
        whole, plan, np.flatnonzero(pool), state.last, state.fines,
        most=NARROW if again else BROAD, looks=FIRST_REWORK * 2.0 ** min(state.number - 1, EARLY),
        heat=heat, seed=seed,
    )  # fmt: skip
