"""Questions as mixed-integer programmes. A further question registers its own `formulate`.

Symbols: x_j = 1 where candidate j opens; y_c, from 0 to 1, the part of class c that counts as reached; N(c) the
candidates that reach class c; w_c its residents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from lifecircle.errors import Breach, InfeasibleError
from lifecircle.model import FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.siting.incidence import Incidence, sums
from lifecircle.siting.questions import SHARE_TOLERANCE, FewestStations, MostResidents, Question
from lifecircle.siting.reduction import Remaining


@dataclass(frozen=True, eq=False)
class Rows(ReadOnlyArrays):
    """Linear constraints ``lower <= a x <= upper`` as sparse rows."""

    indptr: LongArray
    columns: IntArray
    values: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Formulation(ReadOnlyArrays):
    """A question in the form that a solver takes, and what is known before one starts.

    Attributes: ``cost`` per column, the first ``n_sites`` of which are the candidates (0 or 1), the others
    lie from 0 to 1; ``rows`` the constraints; a solver's objective means the value ``offset + unit *
    objective``; ``bound`` holds for every plan. A first plan opens up to ``limit`` candidates until it has
    won ``need`` residents.
    """

    cost: FloatArray
    n_sites: int
    rows: Rows
    offset: float
    unit: float
    bound: float
    limit: int
    need: float


@singledispatch
def formulate(question: Question, remaining: Remaining) -> Formulation:
    """Return ``question`` as a programme over what remains to be decided."""
    raise TypeError(f"no formulation of {type(question).__name__}")


@formulate.register
def _(question: MostResidents, remaining: Remaining) -> Formulation:
    """Maximise the sum of w_c y_c, where y_c <= sum of x_j over N(c) and the sum of x_j <= n_new."""
    n_sites = len(remaining.candidates)
    scale = _scale(remaining.weights)
    best = np.sort(_winnable(remaining))[::-1][: question.n_new]
    return Formulation(
        cost=np.concatenate([np.zeros(n_sites), remaining.weights * scale]),
        n_sites=n_sites,
        rows=_stack(
            _one_row(np.arange(n_sites), np.ones(n_sites), upper=float(question.n_new)),
            _reached_if_counted(remaining.reach.transposed(), first_column=n_sites),
        ),
        offset=remaining.today,
        unit=1.0 / scale,
        bound=remaining.today + min(float(best.sum()), float(remaining.weights.sum())),
        limit=question.n_new,
        need=math.inf,
    )


@formulate.register
def _(question: FewestStations, remaining: Remaining) -> Formulation:
    """Minimise the sum of x_j, where the sum of w_c y_c reaches the share and y_c <= sum of x_j over N(c).

    A class larger than what may stay out has to be reached: it needs no y_c, its x_j over N(c) sum to 1 or
    more. With a share of 1 that is every class, and the programme is plain set covering.
    """
    if remaining.reachable == 0.0:
        message = (
            f"none of {remaining.unreachable:.10g} residents at {remaining.n_unreachable} demand points "
            f"is within {question.cutoff_s:g} s of a site, fixed or candidate: there is nobody to take a share of"
        )
        breach = Breach("walks", "nobody-reachable", message, count=remaining.n_unreachable)
        raise InfeasibleError("no plan can meet the question", breaches=[breach])
    n_sites = len(remaining.candidates)
    total = float(remaining.weights.sum())
    # Half of the tolerance, so that neither rounding here nor the solver's own tolerance leaves the other half.
    need = max(0.0, (question.share - SHARE_TOLERANCE / 2) * remaining.reachable - remaining.today)
    required = remaining.weights > total - need
    optional = remaining.weights[~required]
    scale = _scale(remaining.weights)
    choices = remaining.reach.transposed()
    enough = need - float(remaining.weights[required].sum())
    fewest = int(np.searchsorted(np.cumsum(np.sort(_winnable(remaining))[::-1]), need)) + 1
    return Formulation(
        cost=np.concatenate([np.ones(n_sites), np.zeros(len(optional))]),
        n_sites=n_sites,
        rows=_stack(
            _reached(choices.take(np.flatnonzero(required))),
            _reached_if_counted(choices.take(np.flatnonzero(~required)), first_column=n_sites),
            _one_row(n_sites + np.arange(len(optional)), optional * scale, lower=enough * scale),
        ),
        offset=0.0,
        unit=1.0,
        bound=float(min(fewest, n_sites)) if need > 0.0 else 0.0,
        limit=n_sites,
        need=need,
    )


def _winnable(remaining: Remaining) -> FloatArray:
    """Return the residents whom each candidate wins where it opens alone."""
    reach = remaining.reach
    return sums(reach.rows, remaining.weights[reach.columns], reach.n_rows)


def _scale(weights: FloatArray) -> float:
    """Return the power of two, hence exact, that brings the sum of ``weights`` to about a million.

    The solver's tolerances are absolute numbers; so they mean the same part of the residents in a hamlet and
    a city.
    """
    total = float(weights.sum())
    return math.ldexp(1.0, 20 - math.frexp(total)[1]) if total > 0.0 else 1.0


def _reached(choices: Incidence) -> Rows:
    """Return a row per class (row of ``choices``): the sum of x_j over N(c) is 1 or more."""
    ones = np.ones(choices.n_rows)
    return Rows(choices.indptr, choices.columns, np.ones(len(choices.columns)), ones, ones * math.inf)


def _reached_if_counted(choices: Incidence, *, first_column: int) -> Rows:
    """Return a row per class (row of ``choices``): y_c <= sum of x_j over N(c), y_c in ``first_column`` onwards."""
    classes, ends = np.arange(choices.n_rows), choices.indptr[1:]
    return Rows(
        indptr=choices.indptr + np.arange(choices.n_rows + 1),
        columns=np.insert(choices.columns, ends, (first_column + classes).astype(np.int32)),
        values=np.insert(np.ones(len(choices.columns)), ends, -1.0),
        lower=np.zeros(choices.n_rows),
        upper=np.full(choices.n_rows, math.inf),
    )


def _one_row(columns: LongArray, values: FloatArray, *, lower: float = -math.inf, upper: float = math.inf) -> Rows:
    return Rows(
        indptr=np.array([0, len(columns)], dtype=np.int64),
        columns=columns.astype(np.int32),
        values=values,
        lower=np.array([lower]),
        upper=np.array([upper]),
    )


def _stack(*blocks: Rows) -> Rows:
    lengths = np.concatenate([np.diff(block.indptr) for block in blocks])
    return Rows(
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)]),
        columns=np.concatenate([block.columns for block in blocks]),
        values=np.concatenate([block.values for block in blocks]),
        lower=np.concatenate([block.lower for block in blocks]),
        upper=np.concatenate([block.upper for block in blocks]),
    )
