"""The linear relaxation of set covering at the scale of a city, by steps and then exactly.

First-order steps come near it wherever they start (A. Chambolle, T. Pock, 2011,
https://doi.org/10.1007/s10851-010-0251-1), and their multipliers are a bound wherever they stand. Near it, few of the
options are worth their 1 and few of the classes are short: HiGHS solves the relaxation over these alone, is told of the
options and classes that it lacks, and solves again until it lacks none (column and row generation). Its interior point
method needs no good start, and ends in seconds where the steps would take minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.kernels.cover import sums_by_row
from lifecircle.kernels.fewest import fewest_steps
from lifecircle.model import BoolArray, FloatArray, ReadOnlyArrays
from lifecircle.siting.fewest import Needs
from lifecircle.siting.search import relaxed_cover

BLOCK = 40
"""Steps between two looks at where they lead."""

CLOSE, TIGHT = 0.15, 0.02
"""An option is in the first programme where the multipliers of its classes come to 1 but for the first part, a class
where the options that reach it come to 1 and no more than the second part, or where its multiplier is above `SOME`."""

SOME = 1e-4
"""An option that opens no further than this, and a multiplier up to it, say nothing."""

DONE = 3e-3
"""The relaxation is solved where at least one x is no further than this part from its bound."""

STEPS, STEP_WORK = 30.0, 100.0
"""Steps of the interior point method that a programme takes, about, and how often one of them looks at every entry."""

LEFT = 1e-4
"""What HiGHS leaves: so much less than 1 is still reached, and so much more still worth it."""


@dataclass(frozen=True, eq=False)
class Relaxation(ReadOnlyArrays):
    """How far the relaxation is solved: x of the options, u of the classes, the weight of x to u.

    ``best`` is the best u so far, ``bound`` what it proves and ``apart`` how far at least one x is from it.
    """

    x: FloatArray
    u: FloatArray
    omega: float
    best: FloatArray
    bound: float
    apart: float = math.inf


@dataclass(frozen=True, eq=False)
class Programme(ReadOnlyArrays):
    """The options and classes that a relaxation is solved over; whether no further one is called for."""

    options: BoolArray
    classes: BoolArray
    solved: bool = False


def begun(needs: Needs) -> Relaxation:
    """Return multipliers that are a bound at once: no option reaches classes of more than 1 in sum."""
    by_class = needs.by_class
    size = needs.reach.lengths.astype(np.float64)
    most = np.zeros(by_class.n_rows)
    np.maximum.at(most, by_class.rows, size[by_class.columns])
    u = 1.0 / np.maximum(most, 1.0)
    return Relaxation(np.zeros(len(size)), u, 1.0, u, float(u.sum()))


def stepped(needs: Needs, start: Relaxation, work: float) -> Relaxation:
    """Return where the steps lead until ``work`` is used up; they start again from their average as in `saddle`."""
    by_class, reach = needs.by_class, needs.reach
    tau = 1.0 / np.maximum(1.0, reach.lengths.astype(np.float64))
    sigma = 1.0 / np.maximum(1.0, by_class.lengths.astype(np.float64))
    x, u, omega, best, best_bound = start.x.copy(), start.u.copy(), start.omega, start.best, start.bound
    pull, apart = pull_of(needs, u), start.apart
    x_sum, u_sum, n_path, n_steps = np.zeros_like(x), np.zeros_like(u), 0, 0
    anchor, last, before, done = (x.copy(), u.copy()), math.inf, math.inf, 0.0
    while done < work:
        fewest_steps(BLOCK, omega, by_class.indptr, by_class.columns, tau, sigma, x, u, pull, x_sum, u_sum)
        n_path, n_steps, done = n_path + BLOCK, n_steps + BLOCK, done + 2.0 * (BLOCK + 3.0) * len(reach.columns)
        average = x_sum / n_path, u_sum / n_path
        distances = []
        for at, pulled in (((x, u), pull), (average, pull_of(needs, average[1]))):
            bound = float(at[1].sum() + np.minimum(0.0, 1.0 - pulled).sum())
            short = np.maximum(0.0, 1.0 - _reached(needs, at[0]))
            distances.append(float(at[0].sum() + short.sum()) - bound)
            if bound > best_bound:
                best, best_bound = at[1].copy(), bound
        now = min(distances)
        apart = min(apart, now)
        if now <= 0.2 * last or (now <= 0.8 * last and now > before) or n_path >= 0.36 * n_steps or done >= work:
            if distances[1] < distances[0]:
                x, u = (np.array(part) for part in average)
                pull = pull_of(needs, u)
            moved_x = math.sqrt(float(((x - anchor[0]) ** 2 / tau).sum()))
            moved_u = math.sqrt(float(((u - anchor[1]) ** 2 / sigma).sum()))
            if moved_x > 0.0 and moved_u > 0.0:
                omega = math.sqrt(omega * moved_u / moved_x)
            anchor, n_path, last, before = (x.copy(), u.copy()), 0, now, math.inf
            x_sum[:], u_sum[:] = 0.0, 0.0
        else:
            before = now
    return Relaxation(x, u, omega, best, best_bound, apart)


def first_programme(needs: Needs, found: Relaxation) -> Programme:
    """Return the options that are nearly worth their 1 and the classes that are short, as the steps have it."""
    options = (found.x > SOME) | (1.0 - pull_of(needs, found.u) <= CLOSE)
    return _served(needs, Programme(options, (found.u > SOME) | (_reached(needs, found.x) <= 1.0 + TIGHT)))


def programmed(needs: Needs, start: Relaxation, programme: Programme) -> tuple[Relaxation, Programme]:
    """Return the relaxation as a programme solves it, and the programme with the options and classes that it lacks.

    It is ``solved`` where it lacks none, the relaxation can come to little more than its bound, or HiGHS gives it up.
    """
    some, classes = programme.options, np.flatnonzero(programme.classes)
    point = relaxed_cover(needs.by_class.take(classes).restrict(some))
    if point is None:
        return start, replace(programme, solved=True)
    x, u = np.zeros(len(some)), np.zeros(len(programme.classes))
    x[some], u[classes] = point
    pull = pull_of(needs, u)
    bound = float(u.sum() + np.minimum(0.0, 1.0 - pull).sum())
    short = np.maximum(0.0, 1.0 - _reached(needs, x))
    more, missed = (pull > 1.0 + LEFT) & ~some, (short > LEFT) & ~programme.classes
    best, best_bound = (u, bound) if bound > start.bound else (start.best, start.bound)
    apart = float(x.sum() + short.sum()) - bound
    solved = apart <= DONE * bound or not (more.any() or missed.any())
    found = Relaxation(x, u, start.omega, best, best_bound, min(start.apart, apart))
    return found, _served(needs, Programme(some | more, programme.classes | missed, solved))


def programme_work(needs: Needs, programme: Programme) -> float:
    """Return the entries that the interior point method touches until a programme is solved, about."""
    n_entries = np.count_nonzero(programme.options[needs.by_class.take(np.flatnonzero(programme.classes)).columns])
    return STEPS * STEP_WORK * n_entries


def _served(needs: Needs, programme: Programme) -> Programme:
    """Return the programme with all options of the classes that none of its options reaches."""
    none = programme.classes & (_reached(needs, programme.options.astype(np.float64)) == 0.0)
    options = programme.options.copy()
    options[needs.by_class.take(np.flatnonzero(none)).columns] = True
    return replace(programme, options=options)


def pull_of(needs: Needs, u: FloatArray) -> FloatArray:
    """Return what the multipliers of the classes that each option reaches come to."""
    return sums_by_row(needs.reach.indptr, needs.reach.columns, u)


def _reached(needs: Needs, x: FloatArray) -> FloatArray:
    """Return what the options that reach each class come to."""
    return sums_by_row(needs.by_class.indptr, needs.by_class.columns, x)
