"""The linear relaxation of a core, by first-order steps with restarts: multipliers for a bound, and a guide to a plan.

Steps, their averages and when to start again from them follow D. Applegate and others (2021), Practical large-scale
linear programming using primal-dual hybrid gradient, https://doi.org/10.48550/arXiv.2106.04756.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lifecircle.kernels.cover import saddle_steps
from lifecircle.model import FloatArray, ReadOnlyArrays
from lifecircle.siting.core import Core
from lifecircle.siting.cover import best_prices, price_of, taken
from lifecircle.siting.incidence import sums

BLOCK = 40
"""Steps between two looks at where they lead."""

CLOSE = 1e-5
"""A relaxation is solved where its value and its bound differ by no more than this part."""


@dataclass(frozen=True, eq=False)
class Saddle(ReadOnlyArrays):
    """Where the steps stand: x of the options, mu of the classes, the prices of the limits, and the weight of x to mu.

    ``value`` is what x reaches, ``bound`` what mu and the prices prove for the core, ``work`` the entries touched.
    """

    x: FloatArray
    mu: FloatArray
    prices: FloatArray
    omega: float
    value: float = -math.inf
    bound: float = math.inf
    work: float = 0.0

    @property
    def solved(self) -> bool:
        """Whether more steps cannot lower the bound by anything that matters."""
        return self.bound - self.value <= CLOSE * abs(self.bound)


def stepped(core: Core, start: Saddle, *, work: float) -> Saddle:
    """Return the best x and the best multipliers on the way from ``start`` until ``work`` is used up."""
    weight = core.residents
    full = core.pull(np.ones(len(weight)))
    tau = 1.0 / np.where(full > 0.0, full, full.mean() + 1.0)
    degree = core.by_class.lengths.astype(np.float64)
    x, mu, prices, omega = start.x.copy(), start.mu.copy(), start.prices.copy(), start.omega
    reach = _reach(core, x)
    x_sum, mu_sum, price_sum = np.zeros_like(x), np.zeros_like(mu), np.zeros_like(prices)
    best = Saddle(x.copy(), mu.copy(), prices.copy(), omega, *_ends(core, x, mu, prices)[:2])
    anchor, n_steps, n_path, last, before = (x.copy(), mu.copy()), 0, 0, math.inf, math.inf
    done, step_work = 0.0, 1.5 * len(core.reach.columns) + 4.0 * len(weight) + 20.0 * len(core.limits.columns)
    while done < work and not best.solved:
        saddle_steps(
            BLOCK, omega, core.reach.indptr, core.reach.columns, weight, tau, 1.0 / degree, core.limits.indptr,
            core.limits.columns, core.limits.values, core.limits.limit, 1 + 2 * (len(core.limits) > 1),
            x, mu, reach, prices, x_sum, mu_sum, price_sum,
        )  # fmt: skip
        n_steps, n_path, done = n_steps + BLOCK, n_path + BLOCK, done + (BLOCK + 3.0) * step_work
        average = x_sum / n_path, mu_sum / n_path, price_sum / n_path
        distances = []
        for at in ((x, mu, prices), average):
            value, bound, sharper = _ends(core, *at)
            distances.append(bound - value)
            if bound < best.bound:
                best = Saddle(best.x, at[1].copy(), sharper, omega, best.value, bound)
            if value > best.value:
                best = Saddle(at[0].copy(), best.mu, best.prices, omega, value, best.bound)
        now = min(distances)
        enough, stuck = now <= 0.2 * last, now <= 0.8 * last and now > before
        if enough or stuck or n_path >= 0.36 * n_steps:
            if distances[1] < distances[0]:
                x, mu, prices = (np.array(part) for part in average)
                reach = _reach(core, x)
            moved_x = math.sqrt(float(((x - anchor[0]) ** 2 / tau).sum()))
            moved_mu = math.sqrt(float(((mu - anchor[1]) ** 2 * degree * weight).sum()))
            if moved_x > 0.0 and moved_mu > 0.0:
                omega = math.sqrt(omega * moved_mu / moved_x)
            anchor, n_path, last, before = (x.copy(), mu.copy()), 0, now, math.inf
            x_sum[:], mu_sum[:], price_sum[:] = 0.0, 0.0, 0.0
        else:
            before = now
    return Saddle(best.x, best.mu, best.prices, omega, best.value, best.bound, start.work + done)


def _reach(core: Core, x: FloatArray) -> FloatArray:
    """Return the sum of x over the options that reach each class."""
    there = np.flatnonzero(x > 0.0)
    near = core.reach.take(there)
    return sums(near.columns, np.repeat(x[there], near.lengths), near.n_columns)


def _ends(core: Core, x: FloatArray, mu: FloatArray, prices: FloatArray) -> tuple[float, float, FloatArray]:
    """Return what x reaches, less the price of what it overruns, what mu proves, and prices that prove it."""
    pull = core.pull(mu)
    sharper = best_prices(core.limits, pull, prices)
    over = np.maximum(0.0, taken(core.limits, x) - core.limits.limit)
    value = float((core.residents * np.minimum(1.0, _reach(core, x))).sum() - sharper @ over)
    gain = np.maximum(0.0, pull - price_of(core.limits, sharper, len(pull)))
    bound = float((core.residents * (1.0 - mu)).sum() + sharper @ core.limits.limit + gain.sum())
    return value, bound, sharper
