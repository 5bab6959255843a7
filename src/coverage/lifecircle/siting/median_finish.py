"""The end of a search for the shortest walks: what the bound leaves open goes to HiGHS.

With the levels k of a home i, the seconds t_1 < t_2 < ... of its sites (and then b_i), and y_ik whether a site within
t_k is open, it walks b_i less the sum of (t_k+1 - t_k) y_ik, where y_ik <= y_i,k-1 + the sum of x_j over the sites at
t_k. Levels that the same sites lead up to, in the same order, are one, whichever home they are of.
(G. Cornuejols, G. Nemhauser, L. Wolsey, 1980, A canonical representation of simple plant location problems and its
applications, https://doi.org/10.1137/0601030.)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.siting.effort import Effort, Ended
from lifecircle.siting.incidence import from_pairs
from lifecircle.siting.linear import LinearForm, Links, Options, Rows, rows_from
from lifecircle.siting.median import Median, narrowed
from lifecircle.siting.search import search

MOST_ENTRIES = 200_000
"""Pairs of a home and a site beyond which HiGHS is not asked: it would not come to an end."""

MOST_WORK = 1e11
"""What it may spend where nobody states a limit: some minutes, and the same on every machine."""


def finished(
    median: Median, opened: BoolArray, value: float, bound: float, saved: FloatArray, effort: Effort
) -> tuple[BoolArray, float, Ended, float] | None:
    """Return what HiGHS makes of the candidates that the bound leaves open: a plan, a bound, why it ended, its work.

    With the p-th largest saving s and the next, s', a candidate that saves less than s by g is in no plan better than
    ``bound + g``, and one that saves more than s' by g in every plan better than that: where this is no better than
    ``value``, it stays closed, or opens.

    Parameters
    ----------
    median
        The question.
    opened
        The best plan so far.
    value
        What a plan has to better: the value of that one, or less.
    bound
        What no plan can better, so far.
    saved
        What each candidate saves at the prices that prove it.
    effort
        What HiGHS may spend.

    Returns
    -------
    tuple or None
        The bound is on ``value`` too: where no plan is better it is that. None where too many candidates are left, or
        where the lists of homes are cut too short for a proof.
    """
    order = np.argsort(-saved, kind="stable")
    last, after = np.append(saved[order], 0.0)[[median.n_new - 1, median.n_new]]
    possible = bound + np.maximum(last - saved, 0.0) < value
    sure = bound + np.maximum(saved - after, 0.0) >= value
    if sure.sum() > median.n_new:
        return opened, value, "proven", 0.0
    known = bool(opened[sure].all())  # else the plan at hand is none of those searched
    left = np.flatnonzero((possible | (opened & known)) & ~sure)
    core = narrowed(median, left, opened=sure)
    if len(core.sites) > MOST_ENTRIES or (core.complete_s < core.otherwise_s).any():
        return None
    effort = replace(effort, work_limit=MOST_WORK if effort.work_limit is None else effort.work_limit)
    found = search(_form(core), effort, start=np.flatnonzero(opened[left]) if known else None)
    chosen = opened
    if found.columns is not None:
        chosen = sure.copy()
        chosen[left[found.columns[: len(left)] > 0.5]] = True
    return chosen, min(value, max(bound, found.bound)), found.ended, found.work


def _form(median: Median) -> LinearForm:
    """Return a median in linear form."""
    m = median.n_sites
    saves, above, level, site = _levels(median)
    n = len(saves)
    nothing, zeros, none = np.empty(0, dtype=np.int64), np.zeros(m, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    led = np.flatnonzero(above >= 0)
    chain = rows_from(
        row=np.concatenate([np.arange(n), led, level]),
        column=np.concatenate([m + np.arange(n), m + above[led], site]),
        value=np.concatenate([np.ones(n), -np.ones(len(led) + len(level))]),
        limit=np.zeros(n),
    )
    count = Rows(np.array([0, m]), np.arange(m, dtype=np.int32), np.ones(m), np.array([float(median.n_new)]))
    return LinearForm(
        sign=-1,
        offsets=np.array([-median.settled_s - float(median.weights @ median.otherwise_s)]),
        kept=nothing,
        options=Options(np.arange(m), zeros, zeros, np.zeros(m, dtype=bool)),
        n_counts=n,
        n_levels=0,
        objective=np.concatenate([np.zeros(m), saves]),
        lower=np.zeros(m + n),
        upper=np.ones(m + n),
        whole=np.zeros(n, dtype=bool),
        links=Links(from_pairs(nothing, nothing, 0, n), from_pairs(nothing, nothing, 0, m), np.empty(0)),
        side=count,
        labels=(),
        structure=chain,
        home=none,
        site=none,
        case=np.zeros(n, dtype=np.int64),
        year=np.zeros(n, dtype=np.int64),
    )


def _levels(median: Median) -> tuple[FloatArray, LongArray, LongArray, LongArray]:
    """Return per level what it saves and the one before it, -1: none; and pairs of a level and a site of it."""
    number: dict[tuple[int, tuple[int, ...]], int] = {}
    saves: list[float] = []
    for home in np.flatnonzero(np.diff(median.indptr)).tolist():
        span = slice(median.indptr[home], median.indptr[home + 1])
        seconds, ends = np.unique(median.seconds[span], return_counts=True)
        sites = np.split(median.sites[span], np.cumsum(ends)[:-1])
        gain = np.diff(seconds, append=median.otherwise_s[home]) * median.weights[home]
        above = -1
        for step, here in zip(gain.tolist(), sites, strict=True):
            key = above, tuple(np.sort(here).tolist())
            above = number.setdefault(key, len(number))
            if above == len(saves):
                saves.append(0.0)
            saves[above] += step
    pairs = [(level, site) for (_, sites), level in number.items() for site in sites]
    level, site = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return np.array(saves), np.array([key[0] for key in number], dtype=np.int64), level, site
