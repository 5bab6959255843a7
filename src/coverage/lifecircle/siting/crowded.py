"""Under capacities: a first plan, and a bound that needs no search.

*Plan*: sites open one after the other, each time the one whose room is best used by homes that have no place yet;
those go first that fewest sites reach. Who goes where is then put right by HiGHS. *Bound*: let the place of a home
cost a part of what it is worth, whoever gives it; then each site fills up by itself, with what is worth most for its
room (Lagrangian relaxation of the homes, with homes in parts: G. Dantzig, 1957, Discrete-variable extremum problems,
https://doi.org/10.1287/opre.5.2.266).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heapify, heappop, heapreplace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.bounds import dual_bound, first_bound, limits_priced
from lifecircle.siting.effort import Effort
from lifecircle.siting.incidence import from_pairs
from lifecircle.siting.linear import LinearForm, Links, Options, Rows, rows_from
from lifecircle.siting.questions import Question
from lifecircle.siting.search import search

PLACE_COSTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What the place of a home is taken to cost, in parts of its worth."""

BLOCKED = 20
"""Homes too large for what is left of a room that are passed over, where homes may not split."""

UNITS = 1e9
"""What homes bring in all, in the whole units of a flow."""

MOST_PLACED = 300_000
"""Pairs of an open site and a home beyond which HiGHS is not asked who best goes where."""

MOST_SERVED = 100_000
"""Pairs of a site and a home that it could serve beyond which HiGHS comes to no end with who serves whom."""


@dataclass(frozen=True, eq=False)
class Crowd(ReadOnlyArrays):
    """A form whose counts are the parts of homes that sites serve, without cases.

    Attributes: ``room`` of every site, ``load`` that every home brings, ``split`` whether homes may be served in parts.
    """

    form: LinearForm
    room: FloatArray
    load: FloatArray
    split: bool

    @property
    def is_large(self) -> bool:
        """Whether HiGHS would come to no end with it."""
        return self.form.n_counts > MOST_SERVED

    @property
    def is_flow(self) -> bool:
        """Whether all that counts is how many are served: nobody weighs more, and nothing is asked of whom."""
        form, each = self.form, self.load[self.form.home]
        alike = np.isclose(self.worth * each.max(initial=0.0), each * self.worth.max(initial=0.0)).all()
        return self.split and self.n_years == 1 and bool(alike) and not (form.side.columns >= form.n_options).any()

    @property
    def n_years(self) -> int:
        """How many years there are, each with the same room."""
        return len(self.form.offsets)

    @property
    def worth(self) -> FloatArray:
        """What each count is worth in the objective."""
        return self.form.objective[self.form.n_options : self.form.n_options + self.form.n_counts]

    @cached_property
    def place(self) -> LongArray:
        """The place of each count: its home in its year."""
        return np.unique(np.stack([self.form.year, self.form.home]), axis=1, return_inverse=True)[1].reshape(-1)

    @cached_property
    def rooms(self) -> tuple[LongArray, LongArray]:
        """The counts by site and year, those that are worth most for their load first, and where each room begins."""
        form = self.form
        rare = np.bincount(self.place)[self.place]
        density = self.worth / np.maximum(self.load[form.home], 1e-12)
        order = np.lexsort((rare, -density, form.year, form.site))
        cell = form.site[order] * self.n_years + form.year[order]
        return order, np.searchsorted(cell, np.arange(len(self.room) * self.n_years + 1))


def crowd_of(question: Question, weights: FloatArray, form: LinearForm) -> Crowd | None:
    """Return a form under a capacity as one of who finds a place; None where it is not, or has to do with cases."""
    capacity = question.capacity
    if capacity is None or question.cases or question.unit == "stations":
        return None
    return Crowd(form, capacity.limit, weights if capacity.load is None else capacity.load, capacity.split)


def first_columns(crowd: Crowd, served: FloatArray | None = None) -> FloatArray:
    """Return the columns of a plan that keeps the limits on options, as good as opening the best site next makes it.

    ``served`` are the parts of the counts at the sites that stand; None: these fill up one after the other.
    """
    form, n = crowd.form, crowd.form.n_options
    part = np.zeros(form.n_counts) if served is None else served.copy()
    left = np.maximum(1.0 - np.bincount(crowd.place, part, minlength=int(crowd.place.max(initial=-1)) + 1), 0.0)
    opened, busy = np.zeros(n, dtype=bool), np.zeros(len(crowd.room), dtype=bool)
    spent = np.zeros(len(form.side))
    row = np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    of_option = [(row[here], form.side.values[here]) for here in _by_option(form)]

    def gain(option: int) -> float:
        counts, parts = _filled(crowd, left, int(form.options.site[option]), int(form.options.period[option]))
        return float(crowd.worth[counts] @ parts)

    def fill(site: int, period: int) -> None:
        counts, parts = _filled(crowd, left, site, period)
        part[counts] = parts
        np.subtract.at(left, crowd.place[counts], parts)

    def open_up(option: int, *, filled: bool = False) -> None:
        rows, values = of_option[option]
        spent[rows] += values
        opened[option], busy[form.options.site[option]] = True, True
        if not filled:
            fill(int(form.options.site[option]), int(form.options.period[option]))

    if served is None:
        for site in form.kept.tolist():
            fill(site, 0)
    for option in np.flatnonzero(form.options.stands).tolist():
        open_up(option, filled=served is not None)
    queue = [(-gain(option), option) for option in np.flatnonzero(~form.options.stands).tolist()]
    heapify(queue)
    while queue and queue[0][0] < 0.0:
        _, option = queue[0]
        rows, values = of_option[option]
        if busy[form.options.site[option]] or (spent[rows] + values > form.side.limit[rows])[values > 0.0].any():
            heappop(queue)
            continue
        # What a site gains only falls as others open, so one that still is the first is the best.
        now = (-gain(option), option)
        heapreplace(queue, now)
        if queue[0] == now:
            heappop(queue)
            open_up(option)
    return np.concatenate([opened.astype(np.float64), part, np.zeros(form.n_levels)])


def reallocated(crowd: Crowd, opened: BoolArray, effort: Effort) -> FloatArray | None:
    """Return the parts of the counts that serve the most where these options open, and no others.

    None where HiGHS finds none in time, or the sites that are open could serve more pairs than it comes to an end with.
    """
    form, n = crowd.form, crowd.form.n_options
    since = np.full(len(crowd.room), np.inf)
    since[form.kept] = 0.0
    toured = crowd.n_years == 1
    since[form.options.site[opened]] = 0.0 if toured else form.options.period[opened]
    able = np.flatnonzero(form.year >= since[form.site])
    if crowd.is_flow:
        return _flow(crowd, able)
    if len(able) > MOST_PLACED:
        return None
    fixed = np.concatenate([opened.astype(np.float64), np.zeros(form.n_counts + form.n_levels)])
    nothing = np.empty(0, dtype=np.int64)
    alone = replace(
        form,
        kept=nothing,
        options=Options(nothing, nothing, nothing, nothing.astype(bool)),
        n_counts=len(able),
        n_levels=0,
        objective=crowd.worth[able],
        lower=form.lower[n + able],
        upper=form.upper[n + able],
        whole=form.whole[able],
        links=Links(from_pairs(nothing, nothing, 0, len(able)), from_pairs(nothing, nothing, 0, 0), np.empty(0)),
        side=_on(form.side, n + able, fixed),
        structure=_on(form.structure, n + able, fixed),
        home=form.home[able],
        site=form.site[able],
        case=form.case[able],
        year=form.year[able],
    )
    found = search(alone, effort)
    if found.columns is None:
        return None
    part = np.zeros(form.n_counts)
    part[able] = np.clip(found.columns, 0.0, 1.0)
    return part


def _flow(crowd: Crowd, able: LongArray) -> FloatArray:
    """Return the parts with which most are served by some of the counts: a largest flow from homes to sites.

    Loads and rooms are rounded down to whole units, a billion in all: nobody finds a place that is not there.
    """
    form = crowd.form
    load, (homes, home) = crowd.load[form.home[able]], np.unique(form.home[able], return_inverse=True)
    sites, site = np.unique(form.site[able], return_inverse=True)
    total = float(crowd.load[homes].sum())
    whole = bool((crowd.load[homes] == np.rint(crowd.load[homes])).all()) and total < UNITS
    scale = 1.0 if whole else UNITS / max(total, 1e-12)
    units = np.floor(crowd.load[homes] * scale).astype(np.int32)
    room = np.floor(np.minimum(crowd.room[sites], total) * scale).astype(np.int32)
    n, m = len(homes), len(sites)
    start = np.concatenate([np.zeros(n, dtype=np.int64), 1 + home, 1 + n + np.arange(m)])
    end = np.concatenate([1 + np.arange(n), 1 + n + site, np.full(m, 1 + n + m)])
    capacity = np.concatenate([units, units[home], room])
    graph = csr_array((capacity, (start, end)), shape=(n + m + 2, n + m + 2))
    flow = maximum_flow(graph, 0, n + m + 1).flow
    served = np.asarray(flow[1 + home, 1 + n + site]).reshape(-1)
    part = np.zeros(form.n_counts)
    part[able] = np.clip(served / np.maximum(load * scale, 1e-12), 0.0, 1.0)
    return part


def _on(rows: Rows, columns: LongArray, fixed: FloatArray) -> Rows:
    """Return rows over some of the columns alone, the others at what is ``fixed``."""
    number = np.full(len(fixed), -1, dtype=np.int64)
    number[columns] = np.arange(len(columns))
    row, at = np.repeat(np.arange(len(rows)), np.diff(rows.indptr)), number[rows.columns]
    others = np.bincount(row[at < 0], (rows.values * fixed[rows.columns])[at < 0], minlength=len(rows))
    return rows_from(row[at >= 0], at[at >= 0], rows.values[at >= 0], rows.limit - others)


def crowded_bound(crowd: Crowd) -> float:
    """Return a bound on the value of every plan, in the unit of the question."""
    bounds = [first_bound(crowd.form), *(_bound_at(crowd, cost) for cost in PLACE_COSTS)]
    return min(bounds) if crowd.form.sign > 0 else max(bounds)


def _bound_at(crowd: Crowd, cost: float) -> float:
    form, n_places = crowd.form, int(crowd.place.max(initial=-1)) + 1
    dearest = np.zeros(n_places)
    np.maximum.at(dearest, crowd.place, crowd.worth)
    profit = np.maximum(crowd.worth - cost * dearest[crowd.place], 0.0)
    load, price = crowd.load[form.home], np.zeros(len(crowd.room) * crowd.n_years)
    order, start = crowd.rooms
    for cell in np.flatnonzero(np.diff(start)).tolist():
        counts = order[start[cell] : start[cell + 1]]
        density = profit[counts] / np.maximum(load[counts], 1e-12)
        best = np.argsort(-density, kind="stable")
        full = np.searchsorted(np.cumsum(load[counts][best]), crowd.room[cell // crowd.n_years], side="right")
        price[cell] = density[best][full] if full < len(best) else 0.0
    of_count = price[form.site * crowd.n_years + form.year]
    linked = form.links.counts.columns
    links = np.maximum(profit - of_count * load, 0.0)[linked]
    bounded = np.isfinite(crowd.room[form.site])
    cells = np.unique(form.year[bounded] * len(crowd.room) + form.site[bounded])
    by_cell = price.reshape(len(crowd.room), -1).T.reshape(-1)[cells]
    # Places come by year and then home, rooms by year and then site: as `served` makes these rows.
    structure = np.concatenate([cost * dearest, by_cell])
    return dual_bound(form, links, limits_priced(form, links, structure), structure)


def _filled(crowd: Crowd, left: FloatArray, site: int, period: int) -> tuple[LongArray, FloatArray]:
    """Return the counts that a site opened in a year takes on, of what is ``left`` of every place, and their parts."""
    order, start = crowd.rooms
    counts, parts = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for year in range(period if crowd.n_years > 1 else 0, crowd.n_years):
        cell = site * crowd.n_years + year
        here = order[start[cell] : start[cell + 1]]
        there = left[crowd.place[here]]
        load = crowd.load[crowd.form.home[here]] * there
        taken = np.zeros(len(here))
        if crowd.split:
            before = np.cumsum(load) - load
            taken = there * np.clip((crowd.room[site] - before) / np.where(load > 0.0, load, 1.0), 0.0, 1.0)
        else:
            rest, room = np.flatnonzero(there == 1.0), float(crowd.room[site])
            for _ in range(BLOCKED):
                fits = int(np.searchsorted(np.cumsum(load[rest]), room, side="right"))
                taken[rest[:fits]], room, rest = 1.0, room - float(load[rest[:fits]].sum()), rest[fits + 1 :]
        counts.append(here[taken > 0.0])
        parts.append(taken[taken > 0.0])
    return np.concatenate(counts), np.concatenate(parts)


def _by_option(form: LinearForm) -> list[LongArray]:
    """Return the entries of the side rows at each option."""
    here = np.flatnonzero(form.side.columns < form.n_options)
    order = here[np.argsort(form.side.columns[here], kind="stable")]
    return np.split(order, np.searchsorted(form.side.columns[order], np.arange(1, form.n_options)))
