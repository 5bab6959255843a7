"""The fewest stations at the scale of a city: plans and bounds that come closer, in rounds.

In each round two things go on side by side. *Bound*: first-order steps towards the linear relaxation, whose multipliers
are a bound wherever they stand; once they come near no further, districts, larger ones from one turn to the next, are
solved exactly. *Plan*: among the options that the relaxation favours, exchanges that aim at one option fewer. What a
round does depends on work done, not on the clock, so the same input gives the same plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.kernels.cover import sums_by_row
from lifecircle.kernels.fewest import fewer, fewest_steps
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import Cover
from lifecircle.siting.districts import District, bound_of, parted, solved
from lifecircle.siting.effort import UNLIMITED, Effort, furthest
from lifecircle.siting.fewest import FewestPlan, Needs, fewer_classes, fewest_bound, needs_of

BLOCK = 40
"""Steps between two looks at where they lead."""

LOOKS, LEAST = 100.0, 5e7
"""How often a round looks at every entry, and the entries that it touches at least."""

NEAR = 0.02
"""An option is tried in a plan where the multipliers of its classes come to 1 but for this much."""

PART, TRIES, PART_WORK = (10, 100), 300.0, 100.0
"""Open options that are exchanged together, from and to; how often that looks at every entry of theirs; and what it
takes to find them, in entries for every option."""

NEAR_ENOUGH = 1e-3
"""The steps are near the relaxation where what they reach and their bound differ by no more than this part."""

DISTRICTS, DISTRICT_WORK = (150, 300, 450), 1e9
"""How many options reach a district at most, from one turn to the next, and the entries that such a round touches."""

PATIENCE = 40
"""Rounds without a better plan or bound after which the search ends."""


@dataclass(frozen=True, eq=False)
class _Steps(ReadOnlyArrays):
    """Where the steps stand: x of the options, u of the classes, the weight of x to u; ``best`` the best u so far.

    ``bound`` is that of the best u, ``apart`` how far at least one x is from it.
    """

    x: FloatArray
    u: FloatArray
    omega: float
    best: FloatArray
    bound: float
    apart: float = math.inf


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
    steps: _Steps
    bound: float
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
    steps_work = max(LOOKS * len(needs.reach.columns), LEAST)
    steps = _begun(needs)
    # From all that can open down to a plan in which every option is needed.
    opened = _exchanged(needs, np.ones(len(needs.options), dtype=bool), 4.0 * steps_work, seed)
    state = _State(opened, steps, fewest_bound(cover, _lifted(cover, needs, steps.best)))
    yield state
    rounds, idle = 0, 0
    while idle < PATIENCE:
        rounds += 1
        by_district = _by_district(state)
        work = max(steps_work, DISTRICT_WORK) if by_district else steps_work
        found = beside.submit(_replanned, needs, state, work, seed + rounds)
        after = (_by_districts if by_district else _by_steps)(cover, needs, state, work)
        plan = found.result()
        better = plan.sum() < state.value or after.bound > state.bound
        idle = 0 if better or by_district else idle + 1
        opened = plan if plan.sum() <= state.value else state.opened
        state = replace(after, opened=opened, work=state.work + 2.0 * work)
        yield state


def _by_district(state: _State) -> bool:
    """Return whether the steps are near enough and districts are left to solve."""
    turn = state.turn
    return state.steps.apart <= NEAR_ENOUGH * state.steps.bound and not (turn.over and turn.size + 1 == len(DISTRICTS))


def _by_steps(cover: Cover, needs: Needs, state: _State, work: float) -> _State:
    steps = _stepped(needs, state.steps, work)
    sharper = steps.bound > state.steps.bound + 1e-6 * abs(state.steps.bound)
    bound = fewest_bound(cover, _lifted(cover, needs, steps.best)) if sharper else state.bound
    return replace(state, steps=steps, bound=max(bound, state.bound))


def _by_districts(_: Cover, needs: Needs, state: _State, work: float) -> _State:
    turn = state.turn
    if turn.over:
        turn = _Turn(parted(needs, state.steps.best, DISTRICTS[turn.size + 1]), 0, turn.size + 1)
    districts, n_done, done = list(turn.districts), turn.n_done, 0.0
    while done < work and n_done < len(districts):
        districts[n_done], touched = solved(districts[n_done])
        done, n_done = done + touched, n_done + 1
    turn = _Turn(tuple(districts), n_done, turn.size)
    return replace(state, turn=turn, bound=max(state.bound, bound_of(turn.districts)))


def _begun(needs: Needs) -> _Steps:
    """Return multipliers that are a bound at once: no option reaches classes of more than 1 in sum."""
    by_class = needs.by_class
    size = needs.reach.lengths.astype(np.float64)
    most = np.zeros(by_class.n_rows)
    np.maximum.at(most, by_class.rows, size[by_class.columns])
    u = 1.0 / np.maximum(most, 1.0)
    return _Steps(np.zeros(len(size)), u, 1.0, u, float(u.sum()))


def _stepped(needs: Needs, start: _Steps, work: float) -> _Steps:
    """Return where the steps lead until ``work`` is used up; they start again from their average as in `saddle`."""
    by_class, reach = needs.by_class, needs.reach
    tau = 1.0 / np.maximum(1.0, reach.lengths.astype(np.float64))
    sigma = 1.0 / np.maximum(1.0, by_class.lengths.astype(np.float64))
    x, u, omega, best, best_bound = start.x.copy(), start.u.copy(), start.omega, start.best, start.bound
    pull, apart = _pull(needs, u), start.apart
    x_sum, u_sum, n_path, n_steps = np.zeros_like(x), np.zeros_like(u), 0, 0
    anchor, last, before, done = (x.copy(), u.copy()), math.inf, math.inf, 0.0
    while done < work:
        fewest_steps(BLOCK, omega, by_class.indptr, by_class.columns, tau, sigma, x, u, pull, x_sum, u_sum)
        n_path, n_steps, done = n_path + BLOCK, n_steps + BLOCK, done + 2.0 * (BLOCK + 3.0) * len(reach.columns)
        average = x_sum / n_path, u_sum / n_path
        distances = []
        for at, pulled in (((x, u), pull), (average, _pull(needs, average[1]))):
            bound = float(at[1].sum() + np.minimum(0.0, 1.0 - pulled).sum())
            short = np.maximum(0.0, 1.0 - sums_by_row(by_class.indptr, by_class.columns, at[0]))
            distances.append(float(at[0].sum() + short.sum()) - bound)
            if bound > best_bound:
                best, best_bound = at[1].copy(), bound
        now = min(distances)
        apart = min(apart, now)
        if now <= 0.2 * last or (now <= 0.8 * last and now > before) or n_path >= 0.36 * n_steps or done >= work:
            if distances[1] < distances[0]:
                x, u = (np.array(part) for part in average)
                pull = _pull(needs, u)
            moved_x = math.sqrt(float(((x - anchor[0]) ** 2 / tau).sum()))
            moved_u = math.sqrt(float(((u - anchor[1]) ** 2 / sigma).sum()))
            if moved_x > 0.0 and moved_u > 0.0:
                omega = math.sqrt(omega * moved_u / moved_x)
            anchor, n_path, last, before = (x.copy(), u.copy()), 0, now, math.inf
            x_sum[:], u_sum[:] = 0.0, 0.0
        else:
            before = now
    return _Steps(x, u, omega, best, best_bound, apart)


def _replanned(needs: Needs, state: _State, work: float, seed: int) -> BoolArray:
    """Return a plan no larger, found among the options that the relaxation favours and those that are open."""
    steps = state.steps
    favoured = state.opened | (steps.x > 1e-3) | (1.0 - _pull(needs, steps.u) <= NEAR)
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


def _pull(needs: Needs, u: FloatArray) -> FloatArray:
    return sums_by_row(needs.reach.indptr, needs.reach.columns, u)


def _lifted(cover: Cover, needs: Needs, u: FloatArray) -> FloatArray:
    """Return the multipliers of all classes of the cover; 0 for those that go without saying."""
    lifted = np.zeros(len(cover.residents))
    lifted[needs.classes] = u
    return lifted
