"""The end of a search for a maximal cover: what the bound leaves open goes to HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import BoolArray, FloatArray, ReadOnlyArrays
from lifecircle.siting.core import Core, core_of
from lifecircle.siting.cover import Cover, covered
from lifecircle.siting.effort import Effort, Ended
from lifecircle.siting.incidence import Incidence
from lifecircle.siting.linear import LinearForm, Links, Options, rows_from
from lifecircle.siting.search import search

MOST_ENTRIES = 100_000
"""Pairs of an option and a class beyond which HiGHS is not asked: it would not come to an end."""

MOST_WORK = 1e11
"""What it may spend where nobody states a limit: some minutes, and the same on every machine."""


@dataclass(frozen=True, eq=False)
class CoverPlan(ReadOnlyArrays):
    """What a search finds.

    Attributes
    ----------
    opened
        Which options open.
    value
        The residents who count then.
    bound
        What no plan can better, proven by ``mu``, multipliers of the classes, and ``prices`` of the limits.
    feasible
        Whether the plan keeps all limits; where it does not and the search is ``proven``, none does.
    work
        The entries touched.
    ended
        Why the search stopped.
    """

    opened: BoolArray
    value: float
    bound: float
    feasible: bool
    mu: FloatArray
    prices: FloatArray
    work: float
    ended: Ended


def finished(cover: Cover, plan: CoverPlan, gain: FloatArray, effort: Effort) -> CoverPlan:
    """Return the plan with what HiGHS makes of the options that the bound leaves open, if these are few.

    An option with the reduced gain g < 0 is in no plan better than ``bound + g``, and one with g > 0 in every plan
    better than ``bound - g``: where that is no better than the plan at hand, the option stays closed, or opens.

    Parameters
    ----------
    cover
        The question.
    plan
        What was found so far.
    gain
        The reduced gain of every option at the multipliers of the plan.
    effort
        What it may spend.
    """
    value = plan.value if plan.feasible else -np.inf
    possible = plan.bound + np.minimum(gain, 0.0) > value
    sure = plan.bound - np.maximum(gain, 0.0) <= value
    core = core_of(cover, np.flatnonzero(possible | plan.opened))
    if len(core.reach.columns) > MOST_ENTRIES:
        return plan
    known = plan.feasible and bool(plan.opened[sure].all())  # else the plan at hand is none of those searched
    start = np.flatnonzero(plan.opened[core.options]) if known else None
    effort = replace(effort, work_limit=MOST_WORK if effort.work_limit is None else effort.work_limit)
    found = search(_form(cover, core, sure[core.options]), effort, start=start)
    bound = min(plan.bound, max(value, found.bound))
    if found.columns is not None and not found.infeasible:
        opened = np.zeros(cover.n_options, dtype=bool)
        opened[core.options[found.columns[: len(core.options)] > 0.5]] = True
        if (better := covered(cover, opened)) > value:
            plan = replace(plan, opened=opened, value=better, feasible=True)
    proven = bound - plan.value <= 1e-9 * abs(bound) if plan.feasible else found.infeasible
    return replace(plan, bound=bound, ended="proven" if proven else found.ended, work=plan.work + found.work)


def _form(cover: Cover, core: Core, sure: BoolArray) -> LinearForm:
    """Return a core in linear form, with options that are ``sure`` to be open."""
    n, m = len(core.residents), len(core.options)
    nothing = np.empty(0, dtype=np.int64)
    zeros, none = np.zeros(m, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    alone = Incidence(np.arange(n + 1), np.arange(n, dtype=np.int32), n)
    return LinearForm(
        sign=1,
        offsets=np.array([cover.base]),
        kept=nothing,
        options=Options(np.arange(m), zeros, zeros, np.zeros(m, dtype=bool)),
        n_counts=n,
        n_levels=0,
        objective=np.concatenate([np.zeros(m), core.residents]),
        lower=np.concatenate([sure.astype(np.float64), np.zeros(n)]),
        upper=np.ones(m + n),
        whole=np.zeros(n, dtype=bool),
        links=Links(alone, core.by_class, np.zeros(n)),
        side=core.limits,
        labels=(),
        structure=rows_from(nothing, nothing, np.empty(0), np.empty(0)),
        home=none,
        site=none,
        case=np.zeros(n, dtype=np.int64),
        year=np.zeros(n, dtype=np.int64),
    )
