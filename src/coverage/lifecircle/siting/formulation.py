"""A question as the linear form of `lifecircle.siting.linear`.

With y(P, e, k) for those of the persons P who count in case e at the end of year k, which is linear in the counts:

    most       maximise the sum over years k of min over cases e of y(w, e, k) + backup y2(w, e, k), y2 counting twice
    fewest     minimise the number of new options, where y(w, e, K) >= share of what all options reach, for every e
    shortest   minimise the sum over k of max over e of the seconds that the residents w walk
    fairest    find a plan with y_i = 1 for every home that can be reached, at a given longest walk

w are the residents times their priorities, in objectives alone. A minimum over several cases is a level z_k with a row
``z_k <= y(w, e, k)`` for each. Floors are rows y(P, e, K) >= share of P in the last year K.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.conditions import Floor, Standard
from lifecircle.siting.counts import Counts, Given, Term, count_classes
from lifecircle.siting.incidence import from_pairs, stacked
from lifecircle.siting.linear import Label, LinearForm, Links, Rows, rows_from, stacked_rows
from lifecircle.siting.options import limits_of, options_of
from lifecircle.siting.questions import SHARE_TOLERANCE, FairestWalks, FewestStations, Question, ShortestWalks
from lifecircle.siting.served import ServedCounts, count_served

Row = tuple[Label, Term, float]
"""A side row over all columns: where it comes from, an expression, and its upper limit."""

Worth = list[list[Term]]
"""What is to be maximised, over all columns, per year and case; a year is worth its worst case."""


@dataclass(frozen=True, eq=False)
class _Block:
    """Counts and the column in which they start."""

    counts: Counts
    start: int

    def tally(self, homes: LongArray, persons: FloatArray, case: int, year: int, *, rank: int = 1) -> Term:
        return self.counts.tally(homes, persons, case, year, rank=rank).moved(self.start)


def formulate(
    question: Question, walks: Walks, weights: FloatArray, fixed: LongArray, *, longest_s: float = math.inf
) -> LinearForm:
    """Return a question in linear form.

    Parameters
    ----------
    question
        What is asked.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    fixed
        The sites that stand.
    longest_s
        For `FairestWalks`, the longest walk that a plan may have, seconds, inclusive to the last digit. The form then
        has a plan exactly where the question has one with no longer walk; any is as good as another.
    """
    kept = np.setdiff1d(fixed, question.may_close).astype(np.int64)
    options = options_of(question, walks.n_facilities, fixed)
    asked = weights > 0.0
    for floor in question.floors:
        asked = asked | (_whom(floor, weights) > 0.0)
    given = Given(question, walks, weights, kept, options, asked)
    blocks = _blocks(given, longest_s)
    main = blocks[()]
    n_counts = sum(block.counts.n for block in blocks.values())
    worth = _worth(given, main)
    side = [
        (label, Term(0.0, np.arange(len(options)), values), limit)
        for label, values, limit in limits_of(question, options, kept, walks.n_facilities)
    ]
    side += _shares(given, blocks)
    if len(question.happenings) > 1:
        for year, by_case in enumerate(worth):
            level = Term(0.0, np.array([len(options) + n_counts + year]), np.ones(1))
            side += [
                (Label("case", index=year, case=case), level.plus(term.times(-1.0)), 0.0)
                for case, term in enumerate(by_case)
            ]
    return _assembled(given, list(blocks.values()), side, worth)


def _blocks(given: Given, longest_s: float) -> dict[tuple[Standard, ...], _Block]:
    """Return the counts that the question needs by the standards they are about; those of the objective under ()."""
    question, start = given.question, len(given.options)
    objective = question.objective
    if isinstance(objective, FairestWalks):
        # Whom a floor alone is about need not be reached.
        lived = replace(given, homes=given.homes & (given.weights > 0.0))
        counts: Counts = count_classes(lived, (Standard(longest_s),), tolerance_s=0.0)
    elif question.capacity is not None or isinstance(objective, ShortestWalks):
        counts = count_served(given, objective.cutoff_s)
    else:
        counts = count_classes(given, objective.standards, n_ranks=2 if question.backup else 1)
    found: dict[tuple[Standard, ...], _Block] = {(): _Block(counts, start)}
    for floor in question.floors:
        standards = _standards(question, floor)
        if standards not in found:
            start += counts.n
            counts = count_classes(given, standards)
            found[standards] = _Block(counts, start)
    return found


def _standards(question: Question, floor: Floor) -> tuple[Standard, ...]:
    """Return the standards of a floor; () where the counts of the objective say whom it is about."""
    standards = floor.standards or question.objective.standards
    walks_alone = isinstance(question.objective, ShortestWalks) and question.capacity is None
    return () if standards == question.objective.standards and not walks_alone else standards


def _whom(floor: Floor, weights: FloatArray) -> FloatArray:
    return weights if floor.who is None else floor.who


def _worth(given: Given, main: _Block) -> Worth:
    question = given.question
    everyone, years = np.arange(given.walks.n_demand), range(question.n_years)
    if isinstance(question.objective, FewestStations | FairestWalks):
        return []
    weights = given.weights if question.priority is None else given.weights * question.priority
    cases = range(len(question.happenings))
    if isinstance(question.objective, ShortestWalks) and isinstance(main.counts, ServedCounts):
        served = main.counts
        return [[served.walks(weights, e, year).moved(main.start).times(-1.0) for e in cases] for year in years]
    worth = [[main.tally(everyone, weights, e, year) for e in cases] for year in years]
    if question.backup:
        for year, e in ((year, e) for year in years for e in cases):
            twice = main.tally(everyone, weights, e, year, rank=2)
            worth[year][e] = worth[year][e].plus(twice.times(question.backup))
    return worth


def _shares(given: Given, blocks: dict[tuple[Standard, ...], _Block]) -> list[Row]:
    """Return a row for each share that must be reached, once where it is the same in several cases."""
    question = given.question
    rows: list[Row] = []
    seen: set[tuple[bytes, bytes, float]] = set()
    for label, floor in _floors(question):
        block = blocks[_standards(question, floor)]
        persons = _whom(floor, given.weights)
        area = np.zeros(len(persons), dtype=np.int64) if floor.area is None else floor.area
        by_area = np.argsort(area, kind="stable")
        for homes in np.split(by_area, np.flatnonzero(np.diff(area[by_area])) + 1):
            index = int(area[homes[0]]) if len(homes) else -1
            if index < 0:
                continue
            for case in range(len(question.happenings)):
                term = block.tally(homes, persons[homes], case, question.n_years - 1)
                all_of_them = floor.of == "residents"
                base = (
                    float(persons[homes].sum()) if all_of_them else block.counts.reachable(homes, persons[homes], case)
                )
                # Half of the tolerance, so that neither rounding here nor the solver's own tolerance leaves the other.
                need = (floor.share - SHARE_TOLERANCE / 2) * base
                mark = (term.columns.tobytes(), term.values.tobytes(), need - term.constant)
                if mark in seen or need <= term.constant:
                    continue
                seen.add(mark)
                of = replace(label, index=-1 if floor.area is None else index, case=case, base=base)
                rows.append((of, term.times(-1.0), -need))
    return rows


def _floors(question: Question) -> Iterator[tuple[Label, Floor]]:
    objective = question.objective
    if isinstance(objective, FewestStations) and objective.share is not None:
        yield Label("share", asked=objective.share), Floor(objective.share, of="reachable")
    for number, floor in enumerate(question.floors):
        yield Label("floor", floor=number, asked=floor.share), floor


def _assembled(given: Given, blocks: list[_Block], side: list[Row], worth: Worth) -> LinearForm:
    question, options = given.question, given.options
    n_options, n_counts = len(options), sum(block.counts.n for block in blocks)
    n_levels = len(worth) if len(question.happenings) > 1 else 0
    n_columns = n_options + n_counts + n_levels
    objective, lower, upper = np.zeros(n_columns), np.zeros(n_columns), np.ones(n_columns)
    offsets = np.zeros(question.n_years)
    if n_levels:
        objective[-n_levels:] = 1.0
        lower[-n_levels:] = [min(t.constant + t.values[t.values < 0.0].sum() for t in terms) for terms in worth]
        upper[-n_levels:] = [min(t.constant + t.values[t.values > 0.0].sum() for t in terms) for terms in worth]
    else:
        for year, (term,) in enumerate(worth):
            offsets[year] = term.constant
            np.add.at(objective, term.columns, term.values)
    if isinstance(question.objective, FewestStations):
        objective[:n_options] = -1.0
    elif isinstance(question.objective, FairestWalks):
        lower[n_options : n_options + blocks[0].counts.n] = 1.0
    whole = question.capacity is not None and not question.capacity.split
    return LinearForm(
        sign=1 if question.sense == "max" else -1,
        offsets=offsets,
        kept=given.kept,
        options=options,
        n_counts=n_counts,
        n_levels=n_levels,
        objective=objective,
        lower=lower,
        upper=upper,
        whole=np.concatenate(
            [np.empty(0, dtype=bool), *(np.full(b.counts.n, whole & (b.start == n_options)) for b in blocks)]
        ),
        links=_all_links(blocks, n_options, n_counts),
        side=_side(side),
        labels=tuple(label for label, _, _ in side),
        structure=stacked_rows([block.counts.structure for block in blocks]),
        home=np.concatenate([block.counts.home for block in blocks]),
        site=np.concatenate([block.counts.site for block in blocks]),
        case=np.concatenate([block.counts.case for block in blocks]),
        year=np.concatenate([block.counts.year for block in blocks]),
    )


def _all_links(blocks: list[_Block], n_options: int, n_counts: int) -> Links:
    counts = []
    for block in blocks:
        own = block.counts.links.counts
        moved = own.columns.astype(np.int64) + block.start - n_options
        counts.append(from_pairs(own.rows.astype(np.int64), moved, own.n_rows, n_counts))
    return Links(
        counts=stacked(counts, n_counts),
        options=stacked([block.counts.links.options for block in blocks], n_options),
        standing=np.concatenate([block.counts.links.standing for block in blocks]),
    )


def _side(side: list[Row]) -> Rows:
    return rows_from(
        row=np.repeat(np.arange(len(side)), [len(term.columns) for _, term, _ in side]),
        column=np.concatenate([np.empty(0, dtype=np.int64), *(term.columns for _, term, _ in side)]),
        value=np.concatenate([np.empty(0), *(term.values for _, term, _ in side)]),
        limit=np.array([limit - term.constant for _, term, limit in side], dtype=np.float64),
    )
