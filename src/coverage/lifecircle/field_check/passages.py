"""Gates and private ways on which circles hang: who would lose one if it were shut, who would win one if it were open.

One search tells who walks over which of the thousands of them, as it is now and with all of them open. Those that most
people walk over are then shut and opened in turn, and only whoever may be concerned walks anew: what is told of each is
exact, as if it stood in the study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.circles import Coverage
from lifecircle.ground import Footing, Ground, with_streets
from lifecircle.model import TOLERANCE_S, BoolArray, Circle, FloatArray, LongArray
from lifecircle.routing import WayTree
from lifecircle.service import Eligibility, serves
from lifecircle.streets import WalkingStreets

SHUT, OPENED = 60, 12
"""So many passages are shut in turn, and so many opened, which takes longer; as few are shut where everybody has to
walk anew each time."""

Names = Mapping[bool, npt.NDArray[np.object_]]
"""The passage that each segment is part of, empty for none, by surface."""

Who = dict[str, BoolArray]
"""By a circle's name (n_classes, n_buildings) which residents."""


@dataclass(frozen=True)
class Passage:
    """A gate or a private way, where it lies (metres, in the study's CRS), and how many residents hang on it."""

    id: str
    is_gate: bool
    xy_m: tuple[float, float]
    residents: float
    circle: str


def passages(coverage: Coverage, people: FloatArray) -> list[Passage]:
    """Return the gates and private ways on which most residents hang.

    Parameters
    ----------
    people
        Residents of the buildings, once for each speed class.

    Returns
    -------
    list
        Each once, with the circle that most residents would lose if it were shut, or win if it were open.
    """
    ground = coverage.ground
    names = {steps: _names(coverage, surface.streets, steps=steps) for steps, surface in ground.surfaces.items()}
    ids = pd.Index(sorted({*np.concatenate([*names.values()])} - {""}))
    if not len(ids):
        return []
    rule = Eligibility.of(coverage.study)
    city = _City(coverage, people.reshape(len(coverage.reach), -1), rule, names, ids)
    gates = {gate.id for surface in ground.surfaces.values() for gate in surface.streets.gates}
    most: dict[str, tuple[float, str]] = {}
    for passage, by_circle in (*_shut(city), *_opened(city, gates)):
        circle = max(by_circle, key=lambda name: by_circle[name])
        most[passage] = max(most.get(passage, (0.0, "")), (by_circle[circle], circle))
    return [
        Passage(passage, passage in gates, _middle(ground, names, passage), residents, circle)
        for passage, (residents, circle) in most.items()
        if residents > 0.0
    ]


@dataclass(frozen=True, eq=False)
class _Asked:
    """Circles that count the same stations at the same time, and how one class (the lot-th) walks to these."""

    lot: int
    steps: bool
    footing: Footing
    stations: np.ndarray
    circles: list[Circle]


@dataclass(frozen=True, eq=False)
class _City:
    """A coverage, its residents by class and building, and its passages."""

    coverage: Coverage
    people: FloatArray
    rule: Eligibility
    names: Names
    ids: pd.Index

    @property
    def inside(self) -> Who:
        """Who is in each circle."""
        circles = self.coverage.study.settings.circles
        return {c.name: self.coverage.within(c).reshape(self.people.shape) for c in circles}

    def asked(self, ground: Ground) -> list[_Asked]:
        """Return what has to be walked for all classes and circles, each walk once."""
        coverage, found = self.coverage, dict[tuple[int, int, bytes], _Asked]()
        for lot, walker in enumerate(coverage.study.settings.walking.classes):
            for circle in coverage.study.settings.circles:
                footing, able = ground.walk(walker, at=circle.at), serves(coverage.stations, circle)
                key = lot, id(footing.network), able.tobytes()
                found.setdefault(key, _Asked(lot, walker.steps, footing, np.flatnonzero(able), []))
                found[key].circles.append(circle)
        return [*found.values()]

    def tree(self, ask: _Asked) -> WayTree:
        """Return the ways of everybody."""
        footing, stations = ask.footing, ask.footing.sites.take(self.coverage.sites[ask.stations])
        return WayTree.of(footing.network, stations, footing.homes, speed_mps=footing.speed_mps)

    def within(self, ask: _Asked, homes: LongArray) -> Who:
        """Return by circle which of some homes are in it."""
        study, footing = self.coverage.study, ask.footing
        found = self.rule.nearest(
            footing,
            footing.sites.take(self.coverage.sites[ask.stations]),
            self.coverage.stations["area_id"].iloc[ask.stations],
            footing.homes.take(homes),
            study.buildings["area_id"].iloc[homes],
        )
        return {c.name: found.seconds[:, 0] <= c.cutoff_s + TOLERANCE_S for c in ask.circles}

    def most_walked_over(self, asked: list[_Asked], trees: list[WayTree], who: Who, most: int) -> Iterator[int]:
        """Yield the passages that most of those concerned walk over, by their rows of ``ids``; at most so many."""
        number = {steps: self.ids.get_indexer(pd.Index(names)) for steps, names in self.names.items()}
        over = {name: np.zeros(len(self.ids)) for name in who}
        for ask, tree in zip(asked, trees, strict=True):
            for circle in ask.circles:
                people = np.where(who[circle.name][ask.lot], self.people[ask.lot], 0.0)
                found = tree.carried(people, number[ask.steps])
                over[circle.name][: len(found)] += found
        highest = np.max([*over.values()], axis=0)
        for row in np.argsort(-highest, kind="stable")[:most].tolist():
            if highest[row] > 0.0:
                yield row


def _shut(city: _City) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield passages with the residents who would lose each circle if they were shut to everyone."""
    asked, inside, walking = city.asked(city.coverage.ground), city.inside, city.coverage.study.settings.walking
    trees = [city.tree(ask) for ask in asked]
    # A tree knows neither areas nor ways back: where these count it does not tell all who walk over a passage.
    is_known = city.rule.anyone and walking.direction == "there"
    for row in city.most_walked_over(asked, trees, inside, SHUT if is_known else OPENED):
        lost = dict.fromkeys(inside, 0.0)
        for ask, tree in zip(asked, trees, strict=True):
            here, people = city.names[ask.steps] == city.ids[row], city.people[ask.lot]
            homes = np.flatnonzero((people > 0.0) & (tree.passing(here) | (not is_known)))
            barred = replace(ask, footing=replace(ask.footing, network=ask.footing.network.barred(here)))
            for name, still in city.within(barred, homes).items():
                lost[name] += float(people[homes][inside[name][ask.lot, homes] & ~still].sum())
        yield str(city.ids[row]), lost


def _opened(city: _City, gates: set[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield passages with the residents who would win each circle if they were open to everyone at all hours.

    Whom all of them together, open, would bring into no circle nobody looks at again.
    """
    ground, inside = city.coverage.ground, city.inside
    asked, may = city.asked(with_streets(ground, _all_open)), _can_open(city.coverage, gates)
    winning = {name: np.zeros_like(held) for name, held in inside.items()}
    for ask in asked:
        for name, could_be in city.within(ask, np.arange(city.people.shape[1])).items():
            winning[name][ask.lot] = could_be & ~inside[name][ask.lot] & (city.people[ask.lot] > 0.0)
    rows = city.most_walked_over(asked, [city.tree(ask) for ask in asked], winning, len(city.ids))
    for row in islice((row for row in rows if city.ids[row] in may), OPENED):
        passage, won = str(city.ids[row]), dict.fromkeys(winning, 0.0)
        for ask in city.asked(with_streets(ground, _opening(ground, city.names, passage))):
            homes = np.flatnonzero(np.logical_or.reduce([winning[c.name][ask.lot] for c in ask.circles]))
            for name, now in city.within(ask, homes).items():
                won[name] += float(city.people[ask.lot, homes][winning[name][ask.lot, homes] & now].sum())
        yield passage, won


def _names(coverage: Coverage, streets: WalkingStreets, *, steps: bool) -> npt.NDArray[np.object_]:
    """Return (n_segments,) the id of the gate or private way that each segment is part of, empty for none."""
    ground = coverage.ground
    private = ground.surfaces[steps].network_at[ground.walking.at].private
    ways = np.array(coverage.study.streets.way_id, dtype=object)[streets.way]
    names = np.where(private, ways, "").astype(object)
    for gate in streets.gates:
        names[gate.segments] = gate.id
    return names


def _can_open(coverage: Coverage, gates: set[str]) -> set[str]:
    """Return what may be opened: gates, and ways that are private by themselves; not what private ways enclose."""
    ways = np.array(coverage.study.streets.way_id, dtype=object)
    surfaces = coverage.ground.surfaces.values()
    return gates.union(*(ways[s.streets.way[s.streets.private]].tolist() for s in surfaces))


def _all_open(streets: WalkingStreets) -> WalkingStreets:
    gates = tuple(replace(gate, opens=True, hours="") for gate in streets.gates)
    return replace(streets, private=np.zeros_like(streets.private), gates=gates)


def _opening(ground: Ground, names: Names, passage: str) -> Callable[[WalkingStreets], WalkingStreets]:
    """Return what opens one passage on every surface."""
    here = {id(surface.streets): names[steps] == passage for steps, surface in ground.surfaces.items()}

    def change(streets: WalkingStreets) -> WalkingStreets:
        gates = tuple(replace(g, opens=True, hours="") if g.id == passage else g for g in streets.gates)
        return replace(streets, private=streets.private & ~here[id(streets)], gates=gates)

    return change


def _middle(ground: Ground, names: Names, passage: str) -> tuple[float, float]:
    """Return the middle of the longest segment of a passage, on the first surface that has it."""
    steps, own = next((steps, own) for steps, all_names in names.items() if (own := all_names == passage).any())
    network = ground.surfaces[steps].streets.network
    longest = np.flatnonzero(own)[np.argmax(network.length_m[own])]
    line = network.shape_xy_m[network.shape_indptr[longest] : network.shape_indptr[longest + 1]]
    upto = np.append(0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T)))
    x_m, y_m = (float(np.interp(upto[-1] / 2, upto, line[:, axis])) for axis in (0, 1))
    return x_m, y_m
