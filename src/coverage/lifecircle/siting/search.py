"""HiGHS (Q. Huangfu, J. Hall, 2018, https://doi.org/10.1007/s12532-017-0130-5), asked for a proof."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from lifecircle.errors import LifecircleError
from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.formulation import Formulation
from lifecircle.siting.questions import Sense

OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    # A proof is asked for: the search ends when no better plan is left, or when its time is over.
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    # One thread and one seed, so that the same input gives the same plan.
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
}

ENDED = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit)


@dataclass(frozen=True, eq=False)
class Found(ReadOnlyArrays):
    """The candidates that the search opens, ascending, and its bound on the value of every plan (infinite: none)."""

    opened: LongArray
    bound: float


def search(form: Formulation, start: LongArray, *, sense: Sense, time_limit_s: float | None) -> Found:
    """Search for the best plan, from ``start`` on.

    Parameters
    ----------
    form
        The programme.
    start
        The candidates that a first plan opens; it meets every constraint.
    sense
        Whether a larger objective is better.
    time_limit_s
        Seconds after which the best plan so far is returned; None: until it is proven.

    Raises
    ------
    LifecircleError
        Where HiGHS gives up without saying that it is done or out of time.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in OPTIONS.items():
        _accept(solver.setOptionValue(name, value), name)
    if time_limit_s is not None:
        _accept(solver.setOptionValue("time_limit", time_limit_s), "time_limit")
    n_columns, rows = len(form.cost), form.rows
    is_site = np.arange(n_columns) < form.n_sites
    status = solver.passModel(
        n_columns,
        len(rows.lower),
        len(rows.columns),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize if sense == "max" else highspy.ObjSense.kMinimize),
        0.0,
        form.cost,
        np.zeros(n_columns),
        np.ones(n_columns),
        rows.lower,
        rows.upper,
        rows.indptr.astype(np.int32),
        rows.columns,
        rows.values,
        is_site.astype(np.int32),
    )
    _accept(status, "passModel")
    sites = np.arange(form.n_sites, dtype=np.int32)
    _accept(solver.setSolution(form.n_sites, sites, np.isin(sites, start).astype(np.float64)), "setSolution")
    _accept(solver.run(), "run")
    if solver.getModelStatus() not in ENDED:
        raise LifecircleError(f"HiGHS ended with {solver.modelStatusToString(solver.getModelStatus())}")
    info = solver.getInfo()
    has_plan = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    opened = np.flatnonzero(_sites(solver, form) > 0.5) if has_plan else start
    return Found(opened, form.offset + form.unit * info.mip_dual_bound)


def _sites(solver: highspy.Highs, form: Formulation) -> FloatArray:
    return np.asarray(solver.getSolution().col_value, dtype=np.float64)[: form.n_sites]


def _accept(status: highspy.HighsStatus, what: str) -> None:
    # Stopping at the time limit is a warning of `run`, and a plan then is what the search is for.
    if status == highspy.HighsStatus.kError:
        raise LifecircleError(f"HiGHS refuses {what}")
