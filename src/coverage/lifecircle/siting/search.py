"""HiGHS (Q. Huangfu, J. Hall, 2018, https://doi.org/10.1007/s12532-017-0130-5), asked for a proof."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import highspy
import numpy as np

from lifecircle.errors import LifecircleError
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.effort import UNLIMITED, Effort, Ended
from lifecircle.siting.incidence import Incidence
from lifecircle.siting.linear import LinearForm, Rows, rows_from, stacked_rows

OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    # A proof is asked for: the search ends when no better plan is left, or when its time is over.
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    # An option that is open to a billionth would lend the bound more than plan and bound may differ by.
    "mip_feasibility_tolerance": 1e-10,
    # One thread and one seed, so that the same input gives the same plan.
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
}

BITS = 13
"""To so many bits the terms of a row, and of the objective, are brought in sum: the solver's tolerances are absolute
numbers, and so mean the same part of the residents in a hamlet and a city. Sums of 20 bits and more, though, float64
knows no better than to that tolerance: then the solver takes its own rounding for an error and gives up, or leaves out
plans that are better."""

ROUNDED = 1e-14
"""Part of all walks by which what is left of them may be rounded: the bound on a least sum gives way by so much, lest
it cross the value where next to nothing is left."""

NODE_WORK = 100.0
"""How often a node of the search is taken to look at every entry: what HiGHS counts are nodes, not entries."""

LEAST_COST_GAP = 0.005
"""A least cost is near enough, in stations, where the bound on it is so near."""

SIMPLEX_WORK, CALL_WORK = 8.0, 5e6
"""How often a step of the simplex method is taken to look at every entry, and what a call takes beside, in entries."""

INTERIOR_GAP = 1e-4
"""An interior point is near enough where what it reaches and its bound differ by no more than this part."""

ENDED: dict[highspy.HighsModelStatus, Ended] = {
    highspy.HighsModelStatus.kOptimal: "proven",
    highspy.HighsModelStatus.kTimeLimit: "time",
    highspy.HighsModelStatus.kSolutionLimit: "work",
    highspy.HighsModelStatus.kInterrupt: "interrupted",
}
HOPELESS = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


@dataclass(frozen=True, eq=False)
class Found(ReadOnlyArrays):
    """What a search finds.

    Attributes: ``columns`` the best plan, one number per column of the form, None where none is found; ``bound`` the
    solver's on the value of every plan; ``ended`` why it stopped; ``infeasible`` whether it is proven that there is no
    plan, and then ``rows`` which side rows the proof takes, None for all; ``work`` the entries touched.
    """

    columns: FloatArray | None
    bound: float
    ended: Ended = "proven"
    infeasible: bool = False
    rows: BoolArray | None = None
    work: float = 0.0


def search(form: LinearForm, effort: Effort = UNLIMITED, *, start: LongArray | None = None) -> Found:
    """Search for the best plan.

    Parameters
    ----------
    form
        The question.
    effort
        What it may spend; then, and where somebody presses Ctrl-C, it returns the best plan so far.
    start
        Options that a first plan opens; None: the search finds one.

    Raises
    ------
    LifecircleError
        Where HiGHS gives up without saying that it is done or out of time.
    """
    if not form.n_columns:
        return Found(np.empty(0), form.sign * form.offset, infeasible=bool((form.side.limit < 0.0).any()))
    form = required(form)
    solver = _solver()
    most = float((np.abs(form.objective) * np.maximum(np.abs(form.lower), np.abs(form.upper))).sum())
    rows, unit = constraints(form), float(_scale(most))
    node_work = NODE_WORK * (1.0 + len(rows.columns))
    whole = np.concatenate([np.ones(form.n_options, dtype=bool), form.whole, np.zeros(form.n_levels, dtype=bool)])
    if effort.left_s is not None:
        _accept(solver.setOptionValue("time_limit", effort.left_s), "time_limit")
    if effort.work_limit is not None:
        nodes = min(effort.work_limit / node_work, 1e9)
        _accept(solver.setOptionValue("mip_max_nodes", int(nodes)), "mip_max_nodes")
    status = solver.passModel(
        form.n_columns,
        len(rows),
        len(rows.columns),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize),
        0.0,
        form.objective * unit,
        form.lower,
        form.upper,
        np.full(len(rows), -math.inf),
        rows.limit,
        rows.indptr.astype(np.int32),
        rows.columns,
        rows.values,
        whole.astype(np.int32),
    )
    _accept(status, "passModel")
    if start is not None:
        options = np.arange(form.n_options, dtype=np.int32)
        _accept(solver.setSolution(len(options), options, np.isin(options, start).astype(np.float64)), "setSolution")
    _accept(_run(solver), "run")
    ended, info = ENDED.get(solver.getModelStatus()), solver.getInfo()
    work = node_work * max(1, info.mip_node_count)
    if solver.getModelStatus() in HOPELESS:
        return Found(None, -form.sign * math.inf, infeasible=True, work=work)
    if ended is None:
        raise LifecircleError(f"HiGHS ended with {solver.modelStatusToString(solver.getModelStatus())}")
    has_plan = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    columns = np.array(solver.getSolution().col_value, dtype=np.float64) if has_plan else None
    best = info.mip_dual_bound if whole.any() else info.objective_function_value
    rounded = ROUNDED * (abs(form.offset) + most) if form.sign < 0.0 else 0.0
    return Found(columns, form.sign * (form.offset + best / unit + rounded), ended, work=work)


def interruptible(search: Callable[[LinearForm, Effort], Found], form: LinearForm, effort: Effort) -> Found:
    """Return what a search finds: nothing where somebody presses Ctrl-C before it has found anything."""
    try:
        return search(form, effort)
    except KeyboardInterrupt:
        return Found(None, form.sign * math.inf, "interrupted")


def least_cost(cost: FloatArray, by_class: Incidence) -> tuple[float, float]:
    """Return what reaching every class costs at least, and the entries touched to find out.

    Parameters
    ----------
    cost
        Of each option, 0 or more.
    by_class
        The options (columns) that reach each class (row).

    Raises
    ------
    KeyboardInterrupt
        Where somebody presses Ctrl-C.
    """
    solver = _solver()
    _accept(solver.setOptionValue("mip_abs_gap", LEAST_COST_GAP), "mip_abs_gap")
    _pass_cover(solver, cost, by_class, highest=1.0, whole=True)
    _finish(solver)
    info = solver.getInfo()
    work = CALL_WORK + SIMPLEX_WORK * max(0, info.simplex_iteration_count) * len(by_class.columns)
    return max(0.0, info.mip_dual_bound), work


def relaxed_cover(by_class: Incidence) -> tuple[FloatArray, FloatArray] | None:
    """Return about the fewest options, opened in part, that reach every class once in sum (interior point method).

    Parameters
    ----------
    by_class
        The options (columns) that reach each class (row), at least one each.

    Returns
    -------
    tuple or None
        How far each option opens, and the multiplier of each class, 0 or more; None where HiGHS gives up.

    Raises
    ------
    KeyboardInterrupt
        Where somebody presses Ctrl-C.
    """
    solver = _solver()
    _accept(solver.setOptionValue("solver", "ipm"), "solver")
    _accept(solver.setOptionValue("run_crossover", "off"), "run_crossover")
    _accept(solver.setOptionValue("ipm_optimality_tolerance", INTERIOR_GAP), "ipm_optimality_tolerance")
    # More than once opens none that is best, and without limits the multipliers come out sharper.
    _pass_cover(solver, np.ones(by_class.n_columns), by_class, highest=math.inf, whole=False)
    _finish(solver)
    found = solver.getSolution()
    if not (found.value_valid and found.dual_valid):
        return None
    return np.clip(found.col_value, 0.0, 1.0), np.maximum(found.row_dual, 0.0)


def _pass_cover(solver: highspy.Highs, cost: FloatArray, by_class: Incidence, *, highest: float, whole: bool) -> None:
    n_options, n_classes, n_entries = len(cost), by_class.n_rows, len(by_class.columns)
    status = solver.passModel(
        n_options,
        n_classes,
        n_entries,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost,
        np.zeros(n_options),
        np.full(n_options, highest),
        np.ones(n_classes),
        np.full(n_classes, math.inf),
        by_class.indptr.astype(np.int32),
        by_class.columns,
        np.ones(n_entries),
        np.full(n_options, whole, dtype=np.int32),
    )
    _accept(status, "passModel")


def _finish(solver: highspy.Highs) -> None:
    _accept(_run(solver), "run")
    if solver.getModelStatus() == highspy.HighsModelStatus.kInterrupt:
        raise KeyboardInterrupt


def _solver() -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in OPTIONS.items():
        _accept(solver.setOptionValue(name, value), name)
    return solver


def _run(solver: highspy.Highs) -> highspy.HighsStatus:
    """Run the solver beside this thread, which alone hears of Ctrl-C and then asks it to end."""
    solver.HandleUserInterrupt = True
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(solver.run)
        try:
            return running.result()
        except KeyboardInterrupt:
            solver.cancelSolve()  # type: ignore[no-untyped-call]
            return running.result()


def constraints(form: LinearForm) -> Rows:
    """Return all constraints of a form as rows: cover links, one option per site, side rows, structure.

    Rows with other coefficients than 1 and -1 are scaled, see `_scaled`.
    """
    links, options = form.links, form.options
    covers = rows_from(
        row=np.concatenate([links.counts.rows, links.options.rows]).astype(np.int64),
        column=np.concatenate([links.counts.columns.astype(np.int64) + form.n_options, links.options.columns]),
        value=np.concatenate([np.ones(len(links.counts.columns)), -np.ones(len(links.options.columns))]),
        limit=links.standing,
    )
    _, group, times = np.unique(options.site, return_inverse=True, return_counts=True)
    several = np.flatnonzero(times[group] > 1)
    _, row = np.unique(group[several], return_inverse=True)
    once = rows_from(row, several, np.ones(len(several)), np.ones(int(row.max(initial=-1)) + 1))
    return stacked_rows([covers, once, _scaled(form.side), _scaled(form.structure)])


def required(form: LinearForm) -> LinearForm:
    """Return the same form with those counts at 1 that some share cannot do without.

    A class larger than what may stay out has to be reached whole. As the options are whole, no plan is lost, and the
    programme without whole numbers comes nearer to the one with them.
    """
    lower, side = form.lower.copy(), form.side
    of_class = np.flatnonzero(form.home == -1) + form.n_options
    for row, label in enumerate(form.labels):
        if label.kind in ("share", "floor"):
            span = slice(side.indptr[row], side.indptr[row + 1])
            columns, persons = side.columns[span], -side.values[span]
            may_stay_out = side.limit[row] + persons.sum()
            needed = np.isin(columns, of_class) & (persons > may_stay_out)
            if may_stay_out >= 0.0:
                lower[columns[needed]] = 1.0
    return replace(form, lower=lower)


def _scaled(rows: Rows) -> Rows:
    """Return the rows, those with other coefficients than 1 and -1 times a power of two."""
    row = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    size = np.abs(rows.values)
    odd = np.bincount(row, size != 1.0, minlength=len(rows)) > 0.0
    factor = np.where(odd, _scale(np.bincount(row, size, minlength=len(rows)).astype(np.float64)), 1.0)
    return Rows(rows.indptr, rows.columns, rows.values * factor[row], rows.limit * factor)


def _scale(total: FloatArray | float) -> FloatArray:
    """Return the power of two, hence exact, that brings each ``total`` to `BITS`."""
    return np.ldexp(1.0, np.where(np.asarray(total) > 0.0, BITS - np.frexp(total)[1], 0))


def _accept(status: highspy.HighsStatus, what: str) -> None:
    # Stopping at the time limit is a warning of `run`, and a plan then is what the search is for.
    if status == highspy.HighsStatus.kError:
        raise LifecircleError(f"HiGHS refuses {what}")
