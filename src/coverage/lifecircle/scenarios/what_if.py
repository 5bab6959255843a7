"""What if: a station added, dropped or moved, and the whole city's figures at once; or the best in its place.

For every home and circle the number of open stations that reach it is kept. A change touches the homes of the stations
it names and no others, so that the figures follow at once and are those of a full computation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.circles import Coverage, Reach
from lifecircle.demand import groups
from lifecircle.errors import UnknownNameError
from lifecircle.model import TOLERANCE_S, BoolArray, Circle, FloatArray, IntArray, Study, Walks
from lifecircle.said import Said
from lifecircle.scenarios.closings import FARTHER, closings
from lifecircle.scenarios.sites import Sites, rows_of, unknown_place
from lifecircle.schema import TOTAL
from lifecircle.service import serves
from lifecircle.siting import MostResidents, Question, gap, solve

Within = Callable[[Circle], BoolArray]


@dataclass(frozen=True, eq=False)
class Situation:
    """A city with some of its possible sites open, ready for the next change.

    ``is_open`` is by row of `Sites`; ``times`` has for each circle how many open sites that count for it reach each
    column of the walks in its time. ``home`` is the area that holds each building, as a row of ``tree``; -1 for none.
    """

    today: Coverage
    sites: Sites
    is_open: BoolArray
    times: Mapping[str, IntArray]
    tree: AreaTree
    home: IntArray

    @classmethod
    def of(cls, today: Coverage, sites: Sites, *, chosen: Iterable[str] = ()) -> Situation:
        """Return today's situation, or that with some candidates open.

        Parameters
        ----------
        today, sites
            Today's coverage, and what ``possible_sites(today)`` returned.
        chosen
            Ids of candidates that are open too.
        """
        nobody = np.zeros(next(iter(sites.walks.values())).n_demand, dtype=np.int32)
        shut = np.zeros(len(sites.frame), dtype=bool)
        tree, times = AreaTree.of(today.study.areas), {c.name: nobody for c in today.study.settings.circles}
        nothing = cls(today, sites, shut, times, tree, tree.rows(today.study.buildings["area_id"]))
        return nothing._changed(sites.standing, opened=True).after(add=chosen)

    def after(
        self, *, add: Iterable[str] = (), drop: Iterable[str] = (), move: Mapping[str, str] | None = None
    ) -> Situation:
        """Return the situation after a change.

        Parameters
        ----------
        add
            Ids of sites that open.
        drop
            Ids of open sites that close.
        move
            By the id of an open site, that of the one it moves to.

        Raises
        ------
        UnknownNameError
            When a site is not there, is open already or is not open, or is named twice.
        """
        move = {} if move is None else move
        closing = self._rows([*drop, *move], is_open=True)
        opening = self._rows([*add, *move.values()], is_open=False)
        return self._changed(closing, opened=False)._changed(opening, opened=True)

    @property
    def table(self) -> pd.DataFrame:
        """Residents within each circle by area and group: those columns and rows of coverage.csv, the total last."""
        study, demand = self.today.study, self.today.demand
        tree, home, lost = self.tree, self.home, self.tree.rows(demand.unplaced["area_id"])
        figures: dict[str, list[FloatArray]] = {"residents": []}
        shown = lots_by_group(study)
        for group, lots in shown.items():
            column = "residents" if group == "all" else f"residents_{group}"
            unplaced = demand.unplaced[column].to_numpy(dtype=np.float64)
            people = [(self._lot(lot), demand.of(name)) for name, lot in lots]
            residents = sums_by_area(tree, home, np.sum([p for _, p in people], axis=0))
            residents += sums_by_area(tree, lost, unplaced)
            residents[-1] += unplaced[lost < 0].sum()  # those whose area nobody knows
            figures["residents"].append(residents)
            for circle in study.settings.circles:
                times = self.times[circle.name]
                inside = np.sum([np.where(times[lot] > 0, p, 0.0) for lot, p in people], axis=0)
                figures.setdefault(f"within_{circle.name}", []).append(sums_by_area(tree, home, inside))
        columns = {name: np.stack(rows, axis=1).ravel() for name, rows in figures.items()}
        for circle in study.settings.circles:
            everyone, within = columns["residents"], columns[f"within_{circle.name}"]
            share = np.divide(within, everyone, out=np.full(len(within), np.nan), where=everyone > 0.0)
            columns[f"share_{circle.name}"] = share
        named = {
            "area_id": [*study.areas["area_id"], TOTAL],
            "level": [*study.areas["level"], ""],
            "name": [*study.areas["name"], study.settings.name],
        }
        head = {name: np.repeat(np.array(texts, dtype=object), len(shown)) for name, texts in named.items()}
        return pd.DataFrame({**head, "group": [*shown] * (len(study.areas) + 1), **columns})

    def within(self, circle: Circle) -> BoolArray:
        """Return who is in ``circle``, the buildings once for each class."""
        held: BoolArray = self.times[circle.name] > 0
        return held

    def reach(self) -> dict[str, Reach]:
        """Return how each speed class reaches the open sites, by its name, walked anew: however far they are."""
        study, rows = self.today.study, np.flatnonzero(self.is_open)
        stations, places = self.sites.frame.iloc[rows], self.sites.places[rows]
        return {c.name: Reach.of(study, self.today.ground, stations, places, c) for c in study.settings.walking.classes}

    def _lot(self, lot: int) -> slice:
        """Return the columns of a speed class."""
        n = len(self.today.study.buildings)
        return slice(lot * n, (lot + 1) * n)

    def _rows(self, ids: list[str], *, is_open: bool) -> np.ndarray:
        known, language = self.sites.frame["station_id"], self.today.study.settings.language
        rows = pd.Index(known).get_indexer(ids)
        for site_id, row in zip(ids, rows, strict=True):
            if ids.count(site_id) > 1:
                raise UnknownNameError(Said("'{}' is named twice", site_id), language=language)
            if row < 0:
                raise unknown_place(site_id, known, language=language)
            if self.is_open[row] != is_open:
                raise UnknownNameError(Said(self._refusal(row, is_open=is_open), site_id), language=language)
        return rows

    def _refusal(self, row: int, *, is_open: bool) -> str:
        """Return what to tell of a site that is not as it must be: open, or not."""
        if not is_open:
            return "'{}' is open already"
        if self.sites.frame["state"].iloc[row] == "candidate":
            return "'{}' is a candidate: it is not open and cannot close or move"
        return "'{}' is not open"

    def _changed(self, rows: np.ndarray, *, opened: bool) -> Situation:
        if not len(rows):
            return self
        is_open, times = self.is_open.copy(), {}
        is_open[rows] = opened
        for circle in self.today.study.settings.circles:
            here = self._near(rows, circle)
            change = np.bincount(here, minlength=len(self.times[circle.name])).astype(np.int32)
            times[circle.name] = self.times[circle.name] + (change if opened else -change)
        return replace(self, is_open=is_open, times=times)

    def _near(self, rows: np.ndarray, circle: Circle) -> IntArray:
        """Return the columns within the circle of those of ``rows`` that count for it, once for each of them."""
        able = rows[serves(self.sites.frame.iloc[rows], circle)]
        walks = rows_of(self.sites.walks[circle.name], able)
        return walks.indices[walks.seconds <= circle.cutoff_s + TOLERANCE_S]


def effects(before: Situation, after: Situation) -> pd.DataFrame:
    """Return whom a change brings into each circle and whom it takes out of it, as `won_and_lost` does."""
    return won_and_lost(before.today, before.within, after.within)


def won_and_lost(today: Coverage, before: Within, after: Within) -> pd.DataFrame:
    """Return who comes into each circle and who leaves it, of all areas.

    Parameters
    ----------
    today
        The study and its residents.
    before, after
        Return for a circle who is in it: the buildings once for each speed class.

    Returns
    -------
    DataFrame
        A row a circle and group: ``before`` and ``after``, residents within the circle; ``won``, those who come into
        it, and ``lost``, those who leave it.
    """
    study, demand = today.study, today.demand
    n, inside = len(study.buildings), (study.buildings["area_id"] != "").to_numpy()
    rows = []
    for circle in study.settings.circles:
        then, now = (within(circle).reshape(-1, n) for within in (before, after))
        who = {"before": then, "won": now & ~then, "lost": then & ~now, "after": now}
        for group, lots in lots_by_group(study).items():
            people = [(lot, np.where(inside, demand.of(name), 0.0)) for name, lot in lots]
            figures = {key: sum(float(p[held[lot]].sum()) for lot, p in people) for key, held in who.items()}
            rows.append({"circle": circle.name, "group": group, **figures})
    return pd.DataFrame(rows)


def closed_between(before: Situation, after: Situation) -> pd.DataFrame:
    """Return for each station that a change closes its name, or its id, and whom that hurts, as `closings` does.

    A change that closes none needs no walk.
    """
    frame, gone = before.sites.frame, before.is_open & ~after.is_open
    ids, circles = frame["station_id"][before.is_open], before.today.study.settings.circles
    if not gone.any():
        return pd.DataFrame(columns=["name", *(f"lost_{c.name}" for c in circles), *FARTHER], dtype=np.float64)
    found = closings(ids, before.reach(), after.reach(), before.sites.weights, circles)
    shut = frame[gone].set_index("station_id")
    return found.loc[shut.index].assign(name=shut["name"].where(shut["name"] != "", shut.index))


@dataclass(frozen=True, eq=False)
class BestAdded:
    """The best sites to add to a situation: their ids, the situation with them, and how good they are.

    ``value`` are the residents within the circle then, ``bound`` what no other choice can better.
    """

    site_ids: tuple[str, ...]
    situation: Situation
    value: float
    bound: float
    gap: float


def best_added(
    now: Situation, *, circle: str, n_new: int, barred: Iterable[str] = (), time_limit_s: float | None = 3.0
) -> BestAdded:
    """Find the sites that bring most residents into a circle, all open ones kept: what to do after a planner's change.

    Only homes that no open site reaches and the sites that reach them play a part, so that it is soon done.

    Parameters
    ----------
    circle
        The circle's name.
    n_new
        How many sites may be added.
    barred
        Ids of sites that may not be, such as one that was just dropped.
    time_limit_s
        Seconds for the search; the gap says what is open. None: until it is proven.

    Raises
    ------
    UnknownNameError
        When the study has no such circle.
    """
    asked = next((c for c in now.today.study.settings.circles if c.name == circle), None)
    if asked is None:
        message = Said("the study has no circle '{}'", circle)
        raise UnknownNameError(message, language=now.today.study.settings.language)
    frame, weights = now.sites.frame, now.sites.weights
    left = (now.times[circle] == 0) & (weights > 0.0)
    able = np.flatnonzero(serves(frame, asked) & ~now.is_open & ~frame["station_id"].isin(list(barred)).to_numpy())
    walks = _among(rows_of(now.sites.walks[circle], able), left, asked.cutoff_s)
    reached = float(weights[now.times[circle] > 0].sum())
    plan = solve(Question(MostResidents(asked.cutoff_s), n_new=n_new), walks, weights[left], time_limit_s=time_limit_s)
    ids = tuple(frame["station_id"].iloc[able[plan.chosen]])
    value, bound = reached + plan.value, reached + plan.bound
    return BestAdded(ids, now.after(add=ids), value, bound, gap(value, bound, sense="max"))


def _among(walks: Walks, columns: BoolArray, cutoff_s: float) -> Walks:
    """Return the walks from some of the columns alone, within the cutoff."""
    keep = columns[walks.indices] & (walks.seconds <= cutoff_s + TOLERANCE_S)
    row = np.repeat(np.arange(walks.n_facilities), np.diff(walks.indptr))[keep]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=walks.n_facilities))]).astype(np.int64)
    number = (np.cumsum(columns) - 1).astype(np.int32)
    return Walks(indptr, number[walks.indices[keep]], walks.seconds[keep], int(columns.sum()))


def lots_by_group(study: Study) -> dict[str, list[tuple[str, int]]]:
    """Return whom each group of the table adds up: classes and attributes, each with the lot it walks like."""
    classes, attributes = groups(study)
    by_class = {c.name: [(c.name, lot)] for lot, c in enumerate(classes)}
    everyone = [part for parts in by_class.values() for part in parts]
    return {"all": everyone, **(by_class if len(classes) > 1 else {}), **{a: [(a, 0)] for a in attributes}}


def sums_by_area(tree: AreaTree, rows: IntArray, people: FloatArray) -> FloatArray:
    """Return the sum of ``people`` in each area and all below it, and last that of all areas."""
    inside = rows >= 0
    own = np.bincount(rows[inside], people[inside], minlength=len(tree.ids)).astype(np.float64)
    found = np.append(np.zeros(len(own)), own.sum())
    for step in tree.upwards(np.arange(len(own), dtype=np.int32)):
        below = step >= 0
        found[:-1] += np.bincount(step[below], own[below], minlength=len(own))
    return found
