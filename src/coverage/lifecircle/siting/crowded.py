"""Under capacities: a first plan, and a bound that needs no search.

*Plan*: sites open one after the other, each time the one whose room is best used by homes that have no place yet;
those go first that fewest sites reach. *Bound*: let the place of a home cost a part of what it is worth, whoever gives
it; then each site fills up by itself, with what is worth most for its room (Lagrangian relaxation of the homes, with
homes in parts: G. Dantzig, 1957, Discrete-variable extremum problems, https://doi.org/10.1287/opre.5.2.266).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heapreplace

import numpy as np

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.bounds import dual_bound, first_bound, limits_priced
from lifecircle.siting.linear import LinearForm
from lifecircle.siting.questions import Question

PLACE_COSTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What the place of a home is taken to cost, in parts of its worth."""

BLOCKED = 20
"""Homes too large for what is left of a room that are passed over, where homes may not split."""

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


def first_columns(crowd: Crowd) -> FloatArray:
    """Return the columns of a plan that keeps the limits on options, as good as opening the best site next makes it."""
    form, n = crowd.form, crowd.form.n_options
    part, left = np.zeros(form.n_counts), np.ones(int(crowd.place.max(initial=-1)) + 1)
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

    def open_up(option: int) -> None:
        rows, values = of_option[option]
        spent[rows] += values
        opened[option], busy[form.options.site[option]] = True, True
        fill(int(form.options.site[option]), int(form.options.period[option]))

    for site in form.kept.tolist():
        fill(site, 0)
    for option in np.flatnonzero(form.options.stands).tolist():
        open_up(option)
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
