"""Maximal cover at the scale of a city: plans and bounds that meet, in rounds.

In each round two things go on side by side. *Bound*: a core, some of the options, takes first-order steps towards
its linear relaxation; the multipliers found there price all options; those that are far from worth it leave the
core, those that it lacks enter. *Plan*: around the options that the prices favour, parts of the plan are
closed and opened anew. What a round does depends on work done, not on the clock, so the same input gives the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.kernels.cover import grown, sums_by_row
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.core import Core, by_option, core_of, rebuilt_plan
from lifecircle.siting.cover import Cover, best_prices, cover_bound, covered, price_of, taken
from lifecircle.siting.cover_finish import MOST_ENTRIES, CoverPlan, finished
from lifecircle.siting.effort import UNLIMITED, Effort, furthest
from lifecircle.siting.saddle import Saddle, stepped

LOOKS = (20.0, 200.0)
"""How often a round looks at every entry: at least so often, and in a small cover so often, up to `FEW` in all."""

FEW = 5e7
"""Entries that a round of a small cover touches: with less, most of its time would go into starting it."""

FIRST_CORE = 4000
"""Options in the first core, taken at random; a cover with fewer has them all in it."""

NEAR, FAR = 0.03, 0.2
"""An option enters the core where its pull is less than its price by no more than the first part, and leaves it beyond
the second."""

FAVOURED = 12
"""Options among which a plan is rebuilt, for each that is open."""

PATIENCE, SOON = 12, 2
"""Rounds without a better plan or bound after which the search ends, and without a better plan where little is left."""


@dataclass(frozen=True, eq=False)
class _Proof(ReadOnlyArrays):
    """Multipliers that prove a bound, and the pull and the reduced gain of every option at them."""

    mu: FloatArray
    prices: FloatArray
    bound: float
    pull: FloatArray
    gain: FloatArray


@dataclass(frozen=True, eq=False)
class State(ReadOnlyArrays):
    """Where a search stands after a round.

    ``score`` is by how much the best plan overruns its limits, and less its value; ``proof`` has the best bound,
    ``last`` the multipliers from which the next round starts, with ``x`` over all options and ``omega``. ``settled``:
    no step can lower the bound any further.
    """

    opened: BoolArray
    score: tuple[float, float]
    proof: _Proof
    last: _Proof
    x: FloatArray
    omega: float
    core: Core
    base: float
    work: float = 0.0
    settled: bool = False

    @property
    def value(self) -> float:
        """The residents who count."""
        return -self.score[1]

    @property
    def bound(self) -> float:
        """The residents who count in the best plan, at most."""
        return self.proof.bound

    @property
    def proven(self) -> bool:
        """Whether no plan is better, or, where this one does not keep the limits, none does: all are worth the base."""
        if self.score[0] > 0.0:
            return self.bound < self.base - 1e-9 * (1.0 + abs(self.base))
        return self.bound - self.value <= 1e-9 * abs(self.bound)


def search_cover(
    cover: Cover, effort: Effort = UNLIMITED, *, start: BoolArray | None = None, seed: int = 0
) -> CoverPlan:
    """Search for the best plan of a maximal cover, and for a bound on all.

    Parameters
    ----------
    cover
        The question.
    effort
        What the search may spend; work is counted in pairs of an option and a class that it reaches.
    start
        Options that are open in a first plan, shape (n_options,).
    seed
        Of all that is random.

    Returns
    -------
    CoverPlan
        The best plan and the best bound so far, also where somebody interrupts the search.

    Notes
    -----
    The same cover, seed and work give the same plan on every machine, unless the clock ends the search or somebody
    interrupts it.
    """
    start = np.zeros(cover.n_options, dtype=bool) if start is None else start
    with ThreadPoolExecutor(1) as beside:
        state, ended = furthest(_states(cover, start, beside, seed), effort)
    plan = CoverPlan(
        opened=state.opened,
        value=state.value,
        bound=cover_bound(cover, state.proof.mu, state.proof.prices),
        feasible=state.score[0] == 0.0,
        mu=state.proof.mu,
        prices=state.proof.prices,
        work=state.work,
        ended=ended,
    )
    return finished(cover, plan, state.proof.gain, effort.less(state.work)) if ended == "stuck" else plan


def _states(cover: Cover, start: BoolArray, beside: ThreadPoolExecutor, seed: int) -> Iterator[State]:
    work = round_work(cover)
    state, idle, same_plan = begun(cover, start, seed), 0, 0
    yield state
    while cover.n_options and idle < PATIENCE and not (same_plan >= SOON and _few_left(cover, state)):
        before, state = state, advanced(cover, state, beside, work, seed)
        better_plan = state.score < before.score
        same_plan = 0 if better_plan else same_plan + 1
        idle = 0 if better_plan or state.bound < before.bound * (1.0 - 1e-6) else idle + 1
        seed += 2
        yield state


def _few_left(cover: Cover, state: State) -> bool:
    """Return whether what the bound leaves open, see `finished`, is little enough to be settled by HiGHS soon."""
    possible = state.bound + np.minimum(state.proof.gain, 0.0) > state.value
    return int(cover.reach.lengths[possible | state.opened].sum()) <= MOST_ENTRIES


def round_work(cover: Cover) -> float:
    """Return the entries that plan and bound each touch in a round."""
    entries = 1000.0 + len(cover.reach.columns)
    return max(LOOKS[0] * entries, min(LOOKS[1] * entries, FEW))


def begun(cover: Cover, start: BoolArray, seed: int) -> State:
    """Return a first state, whose plan holds ``start``."""
    opened = completed(cover, start)
    proof = _priced(cover, _shared(cover, opened), np.zeros(len(cover.limits)))
    core = core_of(cover, _first_core(cover, opened, seed))
    return State(opened, _score(cover, opened), proof, proof, opened.astype(np.float64), 1.0, core, cover.base)


def relimited(cover: Cover, state: State, opened: BoolArray) -> State:
    """Return the state of the search for the same cover with other limits, whose plan holds ``opened``."""
    opened = completed(cover, opened)
    proof = _priced(cover, state.proof.mu, state.proof.prices)
    last = _priced(cover, state.last.mu, state.last.prices)
    core = core_of(cover, state.core.options)
    score = _score(cover, opened)
    return replace(state, opened=opened, score=score, proof=proof, last=last, core=core, settled=False)


def advanced(cover: Cover, state: State, beside: ThreadPoolExecutor, work: float, seed: int) -> State:
    """Return the state after another round, in which plan and bound each do that much work."""
    plan = beside.submit(_replanned, cover, state, work, seed)
    if state.settled:
        found = min((plan.result(), _replanned(cover, state, work, seed + 1)), key=lambda new: _score(cover, new))
    else:
        state, found = _bounded(cover, state, work), plan.result()
    score, state = _score(cover, found), replace(state, work=state.work + 2.0 * work)
    return replace(state, opened=found, score=score) if score < state.score else state


def _bounded(cover: Cover, state: State, work: float) -> State:
    """Return the state with the bound that further steps of the core lead to, and with the core to step on with."""
    core, last = state.core, state.last
    at = Saddle(state.x[core.options], core.averaged(cover, last.mu), last.prices, state.omega)
    found = stepped(core, at, work=work)
    last = _priced(cover, core.lifted(found.mu), found.prices)
    if last.bound > state.proof.bound:
        # What a core does not know it underrates; half of the way there from the best so far is often better.
        half = _priced(cover, 0.5 * (last.mu + state.proof.mu), last.prices)
        last = half if half.bound < last.bound else last
    x = np.zeros(cover.n_options)
    x[core.options] = found.x
    proof = last if last.bound < state.proof.bound else state.proof
    options = _next_core(cover, core.options, last, x, state.opened)
    same = np.array_equal(options, core.options)
    core = core if same else core_of(cover, options)
    return replace(state, proof=proof, last=last, x=x, omega=found.omega, core=core, settled=same and found.solved)


def completed(cover: Cover, start: BoolArray, *, enough: float = np.inf) -> BoolArray:
    """Return ``start`` with what wins most for its part of the limits, as far as they go, until ``enough`` is won."""
    room = cover.limits.limit - taken(cover.limits, start)
    part = np.where(cover.limits.limit > 0.0, 1.0 / np.where(cover.limits.limit > 0.0, cover.limits.limit, 1.0), 0.0)
    price = np.maximum(price_of(cover.limits, part, cover.n_options), 1e-9)
    reached = np.zeros(len(cover.residents), dtype=bool)
    reached[cover.reach.take(np.flatnonzero(start)).columns] = True
    reach, limits = cover.reach, by_option(cover.limits, cover.n_options)
    more = grown(reach.indptr, reach.columns, cover.residents, reached, price, *limits, room, enough)
    return start | more


def _shared(cover: Cover, opened: BoolArray) -> FloatArray:
    """Return the multipliers of a plan: low where several open options reach a class, 1 where none does."""
    near = cover.reach.take(np.flatnonzero(opened))
    return 1.0 / np.maximum(1, np.bincount(near.columns, minlength=near.n_columns)) ** 2


def _priced(cover: Cover, mu: FloatArray, prices: FloatArray) -> _Proof:
    pull = sums_by_row(cover.reach.indptr, cover.reach.columns, cover.residents * mu)
    prices = best_prices(cover.limits, pull, prices)
    gain = pull - price_of(cover.limits, prices, cover.n_options)
    spared = float((cover.residents * (1.0 - mu)).sum())
    bound = cover.base + spared + float(prices @ cover.limits.limit) + float(np.maximum(gain, 0.0).sum())
    return _Proof(mu, prices, bound, pull, gain)


def _first_core(cover: Cover, opened: BoolArray, seed: int) -> LongArray:
    if cover.n_options <= FIRST_CORE:
        return np.arange(cover.n_options)
    some = _asked(cover)
    some[np.random.default_rng(seed).choice(cover.n_options, FIRST_CORE, replace=False)] = True
    return np.flatnonzero(some | opened)


def _asked(cover: Cover) -> BoolArray:
    """Return options with which every limit that asks for some is kept: a core that cannot keep it proves nothing."""
    limits, asked = cover.limits, np.zeros(cover.n_options, dtype=bool)
    for row in np.flatnonzero(limits.limit < 0.0).tolist():
        span = slice(limits.indptr[row], limits.indptr[row + 1])
        gives = np.flatnonzero(limits.values[span] < 0.0)
        enough = np.searchsorted(np.cumsum(limits.values[span][gives]) * -1.0, -limits.limit[row]) + 1
        asked[limits.columns[span][gives[:enough]]] = True
    return asked


def _next_core(cover: Cover, chosen: LongArray, proof: _Proof, x: FloatArray, opened: BoolArray) -> LongArray:
    if len(chosen) == len(x):
        return chosen
    stays = _asked(cover)
    stays[chosen] |= proof.gain[chosen] >= -FAR * proof.pull[chosen]
    return np.flatnonzero(stays | opened | (x > 0.0) | (proof.gain >= -NEAR * proof.pull))


def _replanned(cover: Cover, state: State, work: float, seed: int) -> BoolArray:
    """Return the plan, rebuilt among the options that the prices favour."""
    opened, proof = state.opened, state.last
    favoured = opened | (state.x > 0.0)
    n_open = max(1, int(opened.sum()))
    favoured[np.argsort(-proof.gain, kind="stable")[: max(400, FAVOURED * n_open)]] = True
    core = core_of(cover, np.flatnonzero(favoured))
    prices = np.maximum(price_of(core.limits, proof.prices, len(core.options)), 1e-9)
    heat = 0.02 * (state.value - cover.base) / n_open if seed % 8 > 3 else 0.0
    # By turns from the best plan and from what the relaxation opens for the most part, lest all stay around the best.
    begin = (opened if seed % 4 < 2 else state.x > 0.5)[core.options]
    plan = np.zeros(cover.n_options, dtype=bool)
    plan[core.options[rebuilt_plan(core, begin, prices, work=work, seed=seed, heat=heat)]] = True
    return plan


def _score(cover: Cover, opened: BoolArray) -> tuple[float, float]:
    """Return by how much a plan overruns its limits, and less its value: the smaller, the better."""
    over = taken(cover.limits, opened) - cover.limits.limit
    return float(over[over > 1e-9].sum()), -covered(cover, opened)
