"""The linear relaxation of a p-median, by first-order steps with restarts: prices for a bound, and a guide to a plan.

Steps, their averages and when to start again from them follow D. Applegate and others (2021), Practical large-scale
linear programming using primal-dual hybrid gradient, https://doi.org/10.48550/arXiv.2106.04756; the step in the prices
is exact, as what the walks of a home cost is a function of its price alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.kernels.median import median_steps, site_savings, step_sizes
from lifecircle.model import BoolArray, FloatArray, ReadOnlyArrays
from lifecircle.siting.median import Median, walked

BLOCK = 40
"""Steps between two looks at where they lead."""

CLOSE = 1e-8
"""A relaxation is solved where its value and its bound differ by no more than this part."""

MARGIN = 1.1
"""By how much prices are thought to rise where the lengths of steps are chosen."""

PACE = (0.05, 2.0)
"""The least and the greatest weight of x to u, in parts of the mean price: one that runs away stops the other side."""


@dataclass(frozen=True, eq=False)
class MedianSaddle(ReadOnlyArrays):
    """Where the steps stand.

    Attributes
    ----------
    x, value
        How far each site is open at best, and what is walked then.
    prices_s, bound, saved
        The best prices of the homes, what they prove, and what each site saves at them.
    work
        The entries touched on the way.
    """

    x: FloatArray
    value: float
    prices_s: FloatArray
    bound: float
    saved: FloatArray
    work: float

    @property
    def solved(self) -> bool:
        """Whether more steps cannot raise the bound by anything that matters."""
        return self.value - self.bound <= CLOSE * abs(self.value)


def relaxed(median: Median, opened: BoolArray) -> Iterator[MedianSaddle]:
    """Yield the best x and the best prices so far after every few steps, from a plan on, until it is solved.

    The first is what the plan itself proves: little.
    """
    x = opened.astype(np.float64)
    most = median.complete_s
    u = np.minimum(median.nearest_s(opened) * 1.2, most)
    bound, saved = _proven(median, u)
    best = MedianSaddle(x.copy(), walked(median, x), u.copy(), bound, saved, float(len(median.sites)))
    yield best
    if not len(u):
        return
    omega, before, saved = 0.5 * float(u.mean()), saved.copy(), saved.copy()
    pace = PACE[0] * float(u.mean()), PACE[1] * float(u.mean())
    x_sum, u_sum = np.zeros_like(x), np.zeros_like(u)
    anchor, n_steps, n_path, last, latest = (x.copy(), u.copy()), 0, 0, math.inf, math.inf
    tau, sizes = _lengths(median, u)
    while not best.solved:
        touched = median_steps(
            BLOCK, omega, median.n_new, *median.lists, median.weights, most, tau, sizes, x, u, saved, before,
            x_sum, u_sum,
        )  # fmt: skip
        n_steps, n_path = n_steps + BLOCK, n_path + BLOCK
        work = best.work + touched * (1.0 + 6.0 / BLOCK) + BLOCK * 20.0 * len(x)
        average, distances = (x_sum / n_path, u_sum / n_path), []
        value, at_x, bound, at_u, at_saved = best.value, best.x, best.bound, best.prices_s, best.saved
        for new_x, new_u in ((x, u), average):
            (new_bound, new_saved), new_value = _proven(median, new_u), walked(median, new_x)
            distances.append(new_value - new_bound)
            if new_bound > bound:
                bound, at_u, at_saved = new_bound, new_u.copy(), new_saved
            if new_value < value:
                value, at_x = new_value, new_x.copy()
        best = MedianSaddle(at_x, value, at_u, bound, at_saved, work)
        yield best
        now = min(distances)
        enough, stuck = now <= 0.2 * last, now <= 0.8 * last and now > latest
        if enough or stuck or n_path >= 0.36 * n_steps:
            if distances[1] < distances[0]:
                x, u = (np.array(part) for part in average)
                saved = _proven(median, u)[1]
                before = saved.copy()
            moved_x = math.sqrt(float(((x - anchor[0]) ** 2 / tau).sum()))
            moved_u = math.sqrt(float(((u - anchor[1]) ** 2 * sizes * median.weights).sum()))
            if moved_x > 0.0 and moved_u > 0.0:
                omega = min(max(math.sqrt(omega * moved_u / moved_x), pace[0]), pace[1])
            anchor, n_path, last, latest = (x.copy(), u.copy()), 0, now, math.inf
            x_sum[:], u_sum[:] = 0.0, 0.0
            tau, sizes = _lengths(median, u)
        else:
            latest = now


def _proven(median: Median, u: FloatArray) -> tuple[float, FloatArray]:
    """Return what no plan can better, and what each site saves."""
    saved = site_savings(*median.lists, median.weights, u, median.n_sites)
    best = np.partition(saved, len(saved) - median.n_new)[len(saved) - median.n_new :] if median.n_new else saved[:0]
    return median.settled_s + float(median.weights @ u) - float(best.sum()), saved


def _lengths(median: Median, u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the length of steps of every site, and what divides it for every home."""
    pulled, degree = step_sizes(*median.lists, median.weights, u * MARGIN, median.n_sites)
    return 1.0 / np.where(pulled > 0.0, pulled, pulled.mean() + 1.0), np.maximum(degree, 1.0)
