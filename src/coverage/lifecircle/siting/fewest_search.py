"""The fewest stations at the scale of a city: plans and bounds that come closer, in rounds.

In each round two things go on side by side. *Bound*: first-order steps towards the linear relaxation, whose multipliers
are a bound wherever they stand; once they come near no further, districts, larger ones from one turn to the next, are
solved exactly. *Plan*: among the options that the relaxation favours, exchanges that aim at one option fewer. What a
round does depends on work done, not on the clock, so the same input gives the same plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from lifecircle.kernels.fewest import fewer
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import Cover
from lifecircle.siting.districts import District, bound_of, parted, solved
from lifecircle.siting.effort import UNLIMITED, Effort, furthest
from lifecircle.siting.fewest import FewestPlan, Needs, fewer_classes, fewest_bound, needs_of
from lifecircle.siting.fewest_relaxation import (
    Programme,
    Relaxation,
    begun,
    first_programme,
    programme_work,
    programmed,
    pull_of,
    stepped,
)

LOOKS, LEAST = 100.0, 5e7
"""How often a round looks at every entry, and the entries that it touches at least."""

NEAR = 0.02
"""An option is tried in a plan where the multipliers of its classes come to 1 but for this much."""

PART, TRIES, PART_WORK = (10, 100), 300.0, 100.0
"""Open options that are exchanged together, from and to; how often that looks at every entry of theirs; and what it
takes to find them, in entries for every option."""

NEAR_ENOUGH = 0.07
"""The steps end where what they reach and their bound differ by no more than this part: from there on, programmes."""

DISTRICTS, DISTRICT_WORK = (150, 300, 450), 1e9
"""How many options reach a district at most, from one turn to the next, and the entries that such a round touches."""

PATIENCE = 40
"""Rounds without a better plan or bound after which the search ends."""


@dataclass(frozen=True, eq=False)
class _Turn(ReadOnlyArrays):
    """Districts of one size, of which the first ``n_done`` are solved; ``size`` counts in `DISTRICTS`."""

    districts: tuple[District, ...] = ()
    n_done: int = 0
    size: int = -1

    @property
    def over(self) -> bool:
        """Whether all districts are solved."""
        return self.n_done == len(self.districts)


@dataclass(frozen=True, eq=False)
class _State(ReadOnlyArrays):
    """Where a search stands after a round; ``opened`` are options of the needs, ``bound`` is a whole number."""

    opened: BoolArray
    relaxation: Relaxation
    bound: float
    programme: Programme | None = None
    turn: _Turn = _Turn()
    work: float = 0.0

    @property
    def value(self) -> float:
        """How many options open."""
        return float(self.opened.sum())

    @property
    def proven(self) -> bool:
        """Whether no plan has fewer."""
        return self.value <= self.bound


_Tighten = Callable[[Cover, Needs, _State, float], _State]


def search_fewest(cover: Cover, effort: Effort = UNLIMITED, *, seed: int = 0) -> FewestPlan:
    """Search for the fewest options that reach every class of a cover, and for a bound on all plans.

    Parameters
    ----------
    cover
        The question, without limits.
    effort
        What the search may spend; work is counted in pairs of an option and a class that it reaches.
    seed
        Of all that is random.

    Returns
    -------
    FewestPlan
        The best plan and the best bound so far, also where somebody interrupts the search.
    """
    needs = needs_of(cover)
    with ThreadPoolExecutor(1) as beside:
        state, ended = furthest(_states(cover, needs, beside, seed), effort)
    opened = np.zeros(cover.n_options, dtype=bool)
    opened[needs.options[state.opened]] = True
    return FewestPlan(opened, state.bound, state.work, ended)


def _states(cover: Cover, needs: Needs, beside: ThreadPoolExecutor, seed: int) -> Iterator[_State]:
    look = max(LOOKS * len(needs.reach.columns), LEAST)
    relaxation = begun(needs)
    # From all that can open down to a plan in which every option is needed.
    opened = _exchanged(needs, np.ones(len(needs.options), dtype=bool), 4.0 * look, seed)
    state = _State(opened, relaxation, fewest_bound(cover, _lifted(cover, needs, relaxation.best)))
    yield state
    idle = 0
    while idle < PATIENCE:
        seed += 2
        tighten, work = _next(needs, state, look)
        found = beside.submit(_replanned, needs, state, work, seed)
        if tighten is None:
            after, plans = state, [_replanned(needs, state, work, seed + 1)]
        else:
            after, plans = tighten(cover, needs, state, work), []
        plan = min((found.result(), *plans), key=np.count_nonzero)
        better = plan.sum() < state.value or after.bound > state.bound
        comes_to_an_end = tighten not in (None, _by_steps)
        idle = 0 if better or comes_to_an_end else idle + 1
        opened = plan if plan.sum() <= state.value else state.opened
        state = replace(after, opened=opened, work=state.work + 2.0 * work)
        yield state


def _next(needs: Needs, state: _State, look: float) -> tuple[_Tighten | None, float]:
    """Return what makes the bound tighter in the next round, None for nothing, and the work that this takes."""
    programme, turn = state.programme, state.turn
    if programme is None:
        return _by_steps, look
    if not programme.solved:
        return partial(_by_programme, programme), max(look, programme_work(needs, programme))
    if not (turn.over and turn.size + 1 == len(DISTRICTS)):
        return _by_districts, max(look, DISTRICT_WORK)
    return None, look


def _by_steps(cover: Cover, needs: Needs, state: _State, work: float) -> _State:
    relaxation = stepped(needs, state.relaxation, work)
    near = relaxation.apart <= NEAR_ENOUGH * relaxation.bound
    programme = first_programme(needs, relaxation) if near else None
    return replace(_relaxed(cover, needs, state, relaxation), programme=programme)


def _by_programme(before: Programme, cover: Cover, needs: Needs, state: _State, _: float) -> _State:
    relaxation, programme = programmed(needs, state.relaxation, before)
    return replace(_relaxed(cover, needs, state, relaxation), programme=programme)


def _relaxed(cover: Cover, needs: Needs, state: _State, relaxation: Relaxation) -> _State:
    sharper = relaxation.bound > state.relaxation.bound + 1e-6 * abs(state.relaxation.bound)
    bound = fewest_bound(cover, _lifted(cover, needs, relaxation.best)) if sharper else state.bound
    return replace(state, relaxation=relaxation, bound=max(bound, state.bound))


def _by_districts(_: Cover, needs: Needs, state: _State, work: float) -> _State:
    turn = state.turn
    if turn.over:
        turn = _Turn(parted(needs, state.relaxation.best, DISTRICTS[turn.size + 1]), 0, turn.size + 1)
    districts, n_done, done = list(turn.districts), turn.n_done, 0.0
    while done < work and n_done < len(districts):
        districts[n_done], touched = solved(districts[n_done])
        done, n_done = done + touched, n_done + 1
    turn = _Turn(tuple(districts), n_done, turn.size)
    return replace(state, turn=turn, bound=max(state.bound, bound_of(turn.districts)))


def _replanned(needs: Needs, state: _State, work: float, seed: int) -> BoolArray:
    """Return a plan no larger, found among the options that the relaxation favours and those that are open."""
    relaxation = state.relaxation
    favoured = state.opened | (relaxation.x > 1e-3) | (1.0 - pull_of(needs, relaxation.u) <= NEAR)
    some = fewer_classes(needs.among(favoured))
    plan = np.zeros(len(state.opened), dtype=bool)
    plan[np.flatnonzero(favoured)] = _rebuilt(some, state.opened[favoured], work, seed)
    return plan


def _rebuilt(needs: Needs, opened: BoolArray, work: float, seed: int) -> BoolArray:
    """Return the plan after exchanges in one part of it after the other, until ``work`` is used up."""
    random, opened, reach = np.random.default_rng(seed), opened.copy(), needs.reach
    count = np.bincount(reach.take(np.flatnonzero(opened)).columns, minlength=reach.n_columns)
    done = 0.0
    while done < work:
        part = _part(needs, opened, int(random.integers(*PART)), random)
        here = np.bincount(reach.take(part).columns, minlength=reach.n_columns)
        free = np.flatnonzero((here > 0) & (count == here))
        by_class = needs.by_class.take(free)
        useful = np.zeros(len(opened), dtype=bool)
        useful[by_class.columns] = True
        sub = Needs(np.flatnonzero(useful), free, by_class.restrict(useful))
        before = np.isin(sub.options, part)
        effort = TRIES * len(by_class.columns)
        after = _exchanged(sub, before, effort, int(random.integers(2**31)))
        done += effort + PART_WORK * len(opened)
        if after.sum() <= len(part):  # an equal one may lead on
            opened[part] = False
            opened[sub.options[after]] = True
            there = np.bincount(reach.take(sub.options[after]).columns, minlength=reach.n_columns)
            count = count - here + there
    return opened


def _part(needs: Needs, opened: BoolArray, n: int, random: np.random.Generator) -> LongArray:
    """Return about ``n`` open options around one taken at random, as near as classes that they share bring them."""
    seen = np.zeros(len(opened), dtype=bool)
    ring = random.choice(np.flatnonzero(opened), 1)
    seen[ring] = True
    part = ring
    while len(ring) and len(part) < n:
        touched = np.unique(needs.reach.take(ring).columns).astype(np.int64)
        near = np.unique(needs.by_class.take(touched).columns).astype(np.int64)
        near = near[~seen[near]]
        seen[near] = True
        found = near[opened[near]]
        part = np.concatenate([part, random.permutation(found)])
        ring = found if len(found) else near
    return part[:n]


def _exchanged(needs: Needs, start: BoolArray, work: float, seed: int) -> BoolArray:
    reach, by_class, random = needs.reach, needs.by_class, np.random.default_rng(seed)
    return fewer(work, random, reach.indptr, reach.columns, by_class.indptr, by_class.columns, start)


def _lifted(cover: Cover, needs: Needs, u: FloatArray) -> FloatArray:
    """Return the multipliers of all classes of the cover; 0 for those that go without saying."""
    lifted = np.zeros(len(cover.residents))
    lifted[needs.classes] = u
    return lifted
