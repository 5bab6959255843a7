"""Why no plan can meet a question, as little of it as says so, and what would have to give way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lifecircle.errors import Breach, InfeasibleError
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.combined import is_large, search_any, search_combined
from lifecircle.siting.conditions import Floor, Standard
from lifecircle.siting.effort import Effort
from lifecircle.siting.linear import Label, LinearForm, Rows
from lifecircle.siting.questions import FewestStations, Question
from lifecircle.siting.recount import nearest_s, reachable
from lifecircle.siting.search import Found, interruptible, search

SHARES = ("share", "floor")
PERSONS_TOLERANCE = 1e-9
"""So few residents too many are rounding."""

LEAST_S, LEAST_WORK = 5.0, 1e9
"""What saying why may take, seconds and entries, however little is left."""


@dataclass(frozen=True, eq=False)
class Conflict(ReadOnlyArrays):
    """One of the conditions that cannot all be met.

    Attributes
    ----------
    label
        Which condition, and what it asks.
    possible
        The number nearest to the one asked with which, all else unchanged, there is a plan: the larger limit, or the
        smaller share; where the search for it is cut short, the nearest that it comes to. NaN where no number will do
        as long as another condition stands, or none is found.
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
    """No plan can meet the conditions of a question; ``conflicts`` say so.

    Where they are ``minimal``, the others of them could be met without any one of them. Else the search for fewer of
    them was cut short: no plan meets them all, but some may be met all the same.
    """

    def __init__(self, conflicts: tuple[Conflict, ...], *, minimal: bool = True) -> None:
        self.conflicts, self.minimal = conflicts, minimal
        breaches = [
            Breach("scenario", f"conflict-{conflict.label.kind}", str(conflict), count=len(conflict.homes))
            for conflict in conflicts
        ]
        message = "no plan can meet the question"
        if not minimal:
            message += "; the search ended before it was known whether fewer of these conditions say so"
        super().__init__(message, breaches=breaches)


class NoPlanError(InfeasibleError):
    """No plan can meet the conditions of a question; ``why`` takes its time to find out which of them say so."""

    def __init__(self, why: Callable[[], ConflictError]) -> None:
        self.why = why
        super().__init__("no plan can meet the question")


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
    question: Question,
    walks: Walks,
    weights: FloatArray,
    fixed: LongArray,
    form: LinearForm,
    effort: Effort,
    *,
    rows: BoolArray | None = None,
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
    effort
        What is left for saying why, taken as `LEAST_S` and `LEAST_WORK` at least. Once it is spent, conditions that are
        not known to be superfluous stay.
    rows
        Side rows that are known to leave no plan; None: all of them.
    """
    effort = replace(effort.at_least(time_s=LEAST_S, work=LEAST_WORK), report=None)
    told = _Telling(question, walks, weights, fixed)
    hopeless = _least(form) > form.side.limit
    some, others, minimal = hopeless, ~hopeless, True
    if not hopeless.any():
        begin = np.array([label.kind != "case" for label in form.labels], dtype=bool)
        some, minimal, effort = _minimal(form, begin if rows is None else begin & rows, effort)
    conflicts = []
    for number, row in enumerate(np.flatnonzero(some).tolist()):
        excess = math.nan
        if effort.over is None:
            share = effort.part(1.0 / (np.count_nonzero(some) - number))
            excess, found = _excess(form, row, others & (np.arange(len(some)) != row), share)
            effort = effort.after(found.work, found.ended)
        conflicts.append(told.conflict(form.labels[row], excess))
    return ConflictError(tuple(conflicts), minimal=minimal)


def _least(form: LinearForm) -> FloatArray:
    """Return the least that each side row can come to when nothing else is looked at."""
    side, row = form.side, np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    ends = np.minimum(side.values * form.lower[side.columns], side.values * form.upper[side.columns])
    return np.bincount(row, ends, minlength=len(side)).astype(np.float64)


def _minimal(form: LinearForm, rows: BoolArray, effort: Effort) -> tuple[BoolArray, bool, Effort]:
    """Return those of the side rows ``rows`` that no plan can meet together, and what is left of the effort.

    And whether none of them could be left out. Half of the effort is for that.
    """
    needed, known, mine = rows, True, effort.part(0.5)
    for row in np.flatnonzero(rows).tolist():
        if not needed[row]:
            continue
        if mine.over is not None:
            return needed, False, effort
        without = needed & (np.arange(len(rows)) != row)
        found = _any_plan(form, without, mine.part(1.0 / np.count_nonzero(needed[row:])))
        if found.infeasible:
            needed = without if found.rows is None else without & found.rows
        known = known and (found.infeasible or found.columns is not None)
        mine, effort = mine.after(found.work, found.ended), effort.after(found.work, found.ended)
    return needed, known, effort


def _any_plan(form: LinearForm, keep: BoolArray, effort: Effort) -> Found:
    """Search for any plan that meets some side rows; rows of a proof are numbered as in the form."""
    if not is_large(form):
        return interruptible(search, replace(_restricted(form, keep), objective=np.zeros(form.n_columns)), effort)
    # A search by rounds is led by the objective, and so needs the rows that say what the worst case is.
    keep = keep | np.array([label.kind == "case" for label in form.labels], dtype=bool)
    found = interruptible(search_any, _restricted(form, keep), effort)
    if found.rows is None:
        return found
    rows = np.zeros(len(keep), dtype=bool)
    rows[np.flatnonzero(keep)[found.rows]] = True
    return replace(found, rows=rows)


def _excess(form: LinearForm, row: int, others: BoolArray, effort: Effort) -> tuple[float, Found]:
    """Return by how little the limit of a side row has to be exceeded, with some ``others`` in force; NaN: no use."""
    span = slice(form.side.indptr[row], form.side.indptr[row + 1])
    least = np.zeros(form.n_columns)
    least[form.side.columns[span]] = -form.side.values[span]
    asked = replace(_restricted(form, others), objective=least, offsets=np.zeros(1))
    found = interruptible(search_combined if is_large(asked) else search, asked, effort)
    if found.infeasible or found.columns is None:
        return math.nan, found
    return max(0.0, -float(least @ found.columns) - float(form.side.limit[row])), found


def _restricted(form: LinearForm, keep: BoolArray) -> LinearForm:
    """Return the form with some of its side rows."""
    labels = tuple(label for label, kept in zip(form.labels, keep, strict=True) if kept)
    return replace(form, side=_rows(form.side, keep), labels=labels)


def _rows(rows: Rows, keep: BoolArray) -> Rows:
    entries = np.repeat(keep, np.diff(rows.indptr))
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.diff(rows.indptr)[keep])])
    return Rows(indptr, rows.columns[entries], rows.values[entries], rows.limit[keep])


class _Telling:
    """What a condition that cannot be met asks, what is possible, and whom no site reaches."""

    def __init__(self, question: Question, walks: Walks, weights: FloatArray, fixed: LongArray) -> None:
        self.question, self.weights = question, weights

        @cache
        def within(standards: tuple[Standard, ...], case: int) -> BoolArray:
            return reachable(question, walks, fixed, standards, case)

        @cache
        def nearest(case: int) -> FloatArray:
            seen = question.happenings[case].walks or walks
            return nearest_s(seen, range(seen.n_facilities))

        self.within, self.nearest_s = within, nearest

    def conflict(self, label: Label, excess: float) -> Conflict:
        """Return a condition of whose limit ``excess`` more is asked than there can be."""
        possible = label.asked + excess
        if label.kind in SHARES:
            possible = label.asked - excess / label.base
        elif label.kind == "at_least":
            possible = label.asked - excess
        homes, residents = self._out_of_reach(label) if label.kind in SHARES else (np.empty(0, dtype=np.int64), 0.0)
        near = self.nearest_s(max(label.case, 0))[homes] if len(homes) else np.empty(0)
        return Conflict(label, possible, homes, residents, near)

    def _out_of_reach(self, label: Label) -> tuple[LongArray, float]:
        """Return the homes that no site reaches if they alone keep a share from being met, and who live there."""
        question, nobody = self.question, (np.empty(0, dtype=np.int64), 0.0)
        floor = question.floors[label.floor] if label.floor >= 0 else Floor(label.asked, of="reachable")
        if floor.of != "residents":
            return nobody
        persons = self.weights if floor.who is None else floor.who
        group = persons > 0.0 if floor.area is None else (persons > 0.0) & (floor.area == label.index)
        homes = np.flatnonzero(group & ~self.within(floor.standards or question.objective.standards, label.case))
        residents, may_stay_out = float(persons[homes].sum()), (1.0 - label.asked) * float(persons[group].sum())
        return (homes, residents) if residents > may_stay_out + PERSONS_TOLERANCE else nobody
