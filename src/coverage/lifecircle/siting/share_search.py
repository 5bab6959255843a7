"""The fewest stations for a share of the residents at the scale of a city, by way of the most residents with so many.

The plans of `cover_search` aim at one number of stations after the other, each smaller than the best so far, and its
multipliers mu of the classes say how many there must be. With w_c the residents of a class, g_j the sum of w_c mu_c
over the classes that option j reaches, and W the residents to be reached beside the base, p is for no price q > 0 of a
station less than

    (W - sum of w_c (1 - mu_c) - sum over j of max(0, g_j - q)) / q

which is the bound of `cover` on the residents within reach, solved for p.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import BoolArray, FloatArray, ReadOnlyArrays
from lifecircle.siting.cover import Cover, covered
from lifecircle.siting.cover_search import State, advanced, begun, completed, relimited, round_work
from lifecircle.siting.effort import UNLIMITED, Effort, furthest
from lifecircle.siting.fewest import WHOLE_TOLERANCE, FewestPlan
from lifecircle.siting.incidence import sums
from lifecircle.siting.linear import rows_from
from lifecircle.siting.questions import SHARE_TOLERANCE

PATIENCE, LAST = 4, 60
"""Rounds that aim at one number of stations before a larger one is aimed at, and at the last, one station fewer."""


@dataclass(frozen=True, eq=False)
class _State(ReadOnlyArrays):
    """Where a search stands: the smallest plan so far, the best bound, and the search with the number aimed at."""

    opened: BoolArray
    bound: float
    mu: FloatArray
    inner: State

    @property
    def value(self) -> float:
        """How many options open."""
        return float(self.opened.sum())

    @property
    def proven(self) -> bool:
        """Whether no plan has fewer."""
        return self.value <= self.bound

    @property
    def work(self) -> float:
        """The entries touched."""
        return self.inner.work


def search_share(cover: Cover, needed: float, effort: Effort = UNLIMITED, *, seed: int = 0) -> FewestPlan:
    """Search for the fewest options with which a number of residents count, and for a bound on all plans.

    Parameters
    ----------
    cover
        The question, without limits.
    needed
        The residents who have to count; those of the base do already.
    effort
        What the search may spend.
    seed
        Of all that is random.

    Returns
    -------
    FewestPlan
        The best plan and the best bound so far, also where somebody interrupts the search.
    """
    with ThreadPoolExecutor(1) as beside:
        state, ended = furthest(_states(cover, needed, beside, seed), effort)
    return FewestPlan(state.opened, share_bound(cover, needed, state.mu), state.work, ended)


def share_bound(cover: Cover, needed: float, mu: FloatArray) -> float:
    """Return how many options every plan has at least that reaches ``needed``, from any multipliers of the classes.

    The best price is the pull of an option, as between two of them the bound only rises or only falls with it.
    """
    mu = np.clip(mu, 0.0, 1.0)
    pull = sums(cover.reach.rows, (cover.residents * mu)[cover.reach.columns], cover.n_options)
    price = np.sort(pull[pull > 0.0])[::-1]
    left = needed - cover.base - float((cover.residents * (1.0 - mu)).sum())
    number = np.arange(1, len(price) + 1) + (left - np.cumsum(price)) / price
    return float(np.ceil(max(0.0, number.max(initial=0.0)) - WHOLE_TOLERANCE))


def _states(cover: Cover, needed: float, beside: ThreadPoolExecutor, seed: int) -> Iterator[_State]:
    # Plans keep half of the tolerance in hand, as whoever checks them adds in another order.
    enough = needed + 0.5 * SHARE_TOLERANCE * (cover.base + float(cover.residents.sum()))
    opened = _reaching(cover, np.zeros(cover.n_options, dtype=bool), enough)
    aimed = _at_most(cover, int(opened.sum()))
    inner = begun(aimed, opened, seed)
    mu = inner.proof.mu
    state = _State(opened, share_bound(cover, needed, mu), mu, inner)
    yield state
    tries, halvings = 0, 1
    while not state.proven:
        inner = advanced(aimed, inner, beside, round_work(cover), seed)
        bound = share_bound(cover, needed, inner.last.mu)
        found = _reaching(cover, inner.opened, enough)
        better = found.sum() < state.value
        mu = inner.last.mu if bound > state.bound else state.mu
        state = _State(found if better else state.opened, max(bound, state.bound), mu, inner)
        yield state
        seed, tries = seed + 2, tries + 1
        room = int(state.value - state.bound)
        in_vain = not better and tries >= (PATIENCE if room >> halvings else LAST)
        if better or in_vain or inner.value >= enough:
            if in_vain and not room >> halvings:
                return
            halvings += in_vain
            target = int(state.value) - max(1, room >> halvings)
            tries, aimed = 0, _at_most(cover, target)
            inner = relimited(aimed, inner, _largest(cover, state.opened, target))


def _reaching(cover: Cover, opened: BoolArray, needed: float) -> BoolArray:
    """Return a plan with what wins most beside it until ``needed`` is reached, without what it then can do without."""
    free = _at_most(cover, cover.n_options)
    opened = completed(free, opened, enough=needed - covered(cover, opened))
    count = np.bincount(cover.reach.take(np.flatnonzero(opened)).columns, minlength=cover.reach.n_columns)
    to_spare = covered(cover, opened) - needed
    for option in np.flatnonzero(opened).tolist():
        here = cover.reach.row(option)
        lost = float(cover.residents[here[count[here] == 1]].sum())
        if lost <= to_spare:
            opened[option] = False
            count[here] -= 1
            to_spare -= lost
    return opened


def _largest(cover: Cover, opened: BoolArray, n: int) -> BoolArray:
    """Return the ``n`` open options whom most residents would miss."""
    some = np.flatnonzero(opened)
    near = cover.reach.take(some)
    alone = np.bincount(near.columns, minlength=near.n_columns) == 1
    missed = sums(near.rows, (cover.residents * alone)[near.columns], len(some))
    left = np.zeros(cover.n_options, dtype=bool)
    left[some[np.argsort(-missed, kind="stable")[:n]]] = True
    return left


def _at_most(cover: Cover, n: int) -> Cover:
    """Return the cover with at most ``n`` stations."""
    every = np.arange(cover.n_options)
    limits = rows_from(np.zeros_like(every), every, np.ones(len(every)), np.array([float(n)]))
    return replace(cover, limits=limits)
