"""Why no plan can meet a question, as little of it as says so, and what would have to give way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.errors import Breach, InfeasibleError
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Floor
from lifecircle.siting.linear import Label, LinearForm, Rows
from lifecircle.siting.questions import FewestStations, Question
from lifecircle.siting.recount import nearest_s, reachable
from lifecircle.siting.search import search

SHARES = ("share", "floor")
PERSONS_TOLERANCE = 1e-9
"""So few residents too many are rounding."""


@dataclass(frozen=True, eq=False)
class Conflict(ReadOnlyArrays):
    """One of the conditions that cannot all be met; without it the others of the conflict can.

    Attributes
    ----------
    label
        Which condition, and what it asks.
    possible
        The number nearest to the one asked with which, all else unchanged, there is a plan: the larger limit, or the
        smaller share. NaN where no number will do as long as another condition stands.
    homes
        For a share that they alone keep from being met: the demand points of the group that no site brings within the
        standards, though all opened.
    residents
        How many of the group live there.
    nearest_s
        Seconds from each of ``homes`` to the nearest site; inf where the walks know none.
    """

    label: Label
    possible: float
    homes: LongArray
    residents: float
    nearest_s: FloatArray

    def __str__(self) -> str:
        label = self.label
        where = "" if label.index < 0 else f" {label.index}"
        text = f"{label.kind}{where}: {label.asked:.10g} is asked"
        if label.case > 0:
            text += f" in case {label.case}"
        if not math.isnan(self.possible):
            text += f", {self.possible:.10g} is possible"
        if len(self.homes):
            text += f"; {self.residents:.10g} residents at {len(self.homes)} demand points reach no site"
            near = self.nearest_s[np.isfinite(self.nearest_s)]
            text += f", the nearest takes {near.min():.10g} s" if len(near) else ""
        return text


class ConflictError(InfeasibleError):
    """No plan can meet the conditions of a question; ``conflicts`` are the fewest that say so."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        self.conflicts = conflicts
        breaches = [
            Breach("scenario", f"conflict-{conflict.label.kind}", str(conflict), count=len(conflict.homes))
            for conflict in conflicts
        ]
        super().__init__("no plan can meet the question", breaches=breaches)


def refuse_nobody(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray) -> None:
    """Refuse a share of nobody.

    Raises
    ------
    InfeasibleError
        Where `FewestStations` asks for a share and no case has anybody whom a site could reach.
    """
    objective = question.objective
    if not isinstance(objective, FewestStations) or objective.share is None:
        return
    cases = range(len(question.happenings))
    if any(weights[reachable(question, walks, fixed, objective.standards, case)].sum() > 0.0 for case in cases):
        return
    inhabited = int((weights > 0.0).sum())
    message = (
        f"none of {weights.sum():.10g} residents at {inhabited} demand points is within {objective.cutoff_s:g} s of a "
        "site, fixed or candidate: there is nobody to take a share of"
    )
    breach = Breach("walks", "nobody-reachable", message, count=inhabited)
    raise InfeasibleError("no plan can meet the question", breaches=[breach])


def infeasible(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, form: LinearForm
) -> ConflictError:
    """Return why a form that has no plan has none.

    Shares that nothing could reach, whatever opened, are each a conflict by themselves. Where there are none, the
    conflict is found by leaving out one condition after the other as long as there is still no plan (J. Chinneck,
    E. Dravnieks, 1991, Locating minimal infeasible constraint sets in linear programs,
    https://doi.org/10.1287/ijoc.3.2.157).

    Parameters
    ----------
    question, walks, weights, fixed
        As for `formulate`.
    form
        Their form.
    """
    hopeless = _least(form) > form.side.limit
    if not hopeless.any():
        return ConflictError(
            tuple(_conflict(question, walks, weights, fixed, form, int(row)) for row in np.flatnonzero(_minimal(form)))
        )
    found = []
    for row in np.flatnonzero(hopeless).tolist():
        others = ~hopeless
        others[row] = True
        at = int(others[:row].sum())
        found.append(_conflict(question, walks, weights, fixed, _restricted(form, others), at))
    return ConflictError(tuple(found))


def _least(form: LinearForm) -> FloatArray:
    """Return the least that each side row can come to when nothing else is looked at."""
    side, row = form.side, np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    ends = np.minimum(side.values * form.lower[side.columns], side.values * form.upper[side.columns])
    return np.bincount(row, ends, minlength=len(side)).astype(np.float64)


def _minimal(form: LinearForm) -> BoolArray:
    """Return side rows that no plan can meet together, none of which could be left out."""
    needed = np.array([label.kind != "case" for label in form.labels], dtype=bool)
    for row in np.flatnonzero(needed):
        without = needed.copy()
        without[row] = False
        if search(replace(_restricted(form, without), objective=np.zeros(form.n_columns))).infeasible:
            needed = without
    return needed


def _restricted(form: LinearForm, keep: BoolArray) -> LinearForm:
    """Return the form with some of its side rows."""
    labels = tuple(label for label, kept in zip(form.labels, keep, strict=True) if kept)
    return replace(form, side=_rows(form.side, keep), labels=labels)


def _rows(rows: Rows, keep: BoolArray) -> Rows:
    entries = np.repeat(keep, np.diff(rows.indptr))
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.diff(rows.indptr)[keep])])
    return Rows(indptr, rows.columns[entries], rows.values[entries], rows.limit[keep])


def _conflict(
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: LongArray,
    form: LinearForm,
    row: int,
) -> Conflict:
    label = form.labels[row]
    excess = _excess(form, row)
    possible = label.asked + excess
    if label.kind in SHARES:
        possible = label.asked - excess / label.base
    elif label.kind == "at_least":
        possible = label.asked - excess
    homes = np.empty(0, dtype=np.int64)
    persons = weights
    if label.kind in SHARES:
        floor = question.floors[label.floor] if label.floor >= 0 else Floor(label.asked, of="reachable")
        standards = floor.standards or question.objective.standards
        persons = weights if floor.who is None else floor.who
        group = persons > 0.0 if floor.area is None else (persons > 0.0) & (floor.area == label.index)
        if floor.of == "residents":
            out = np.flatnonzero(group & ~reachable(question, walks, fixed, standards, label.case))
            may_stay_out = (1.0 - label.asked) * float(persons[group].sum())
            homes = out if float(persons[out].sum()) > may_stay_out + PERSONS_TOLERANCE else homes
    seen = question.happenings[max(label.case, 0)].walks or walks
    return Conflict(
        label=label,
        possible=possible,
        homes=homes,
        residents=float(persons[homes].sum()),
        nearest_s=nearest_s(seen, range(seen.n_facilities))[homes],
    )


def _excess(form: LinearForm, row: int) -> float:
    """Return by how little the limit of a side row has to be exceeded, all else unchanged; NaN where that is no use."""
    column = form.n_columns
    at = form.side.indptr[row + 1]
    side = Rows(
        indptr=form.side.indptr + (np.arange(len(form.side) + 1) > row),
        columns=np.insert(form.side.columns, at, column),
        values=np.insert(form.side.values, at, -1.0),
        limit=form.side.limit,
    )
    most = max(1.0, float(np.abs(form.side.values[form.side.indptr[row] : at]).sum()) + abs(form.side.limit[row]))
    found = search(
        replace(
            form,
            side=side,
            labels=tuple(replace(label, kind="case") if n == row else label for n, label in enumerate(form.labels)),
            n_levels=form.n_levels + 1,
            objective=np.append(np.zeros(column), -1.0),
            lower=np.append(form.lower, 0.0),
            upper=np.append(form.upper, most),
        )
    )
    return float("nan") if found.columns is None else float(found.columns[column])
