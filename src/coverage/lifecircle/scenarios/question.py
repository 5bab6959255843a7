"""A scenario in the numbers of siting: sites as rows, homes as columns, areas by their row in the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lifecircle import asked
from lifecircle.areas import AreaTree
from lifecircle.asked import Scenario
from lifecircle.circles import Coverage
from lifecircle.demand import groups
from lifecircle.model import BoolArray, Circle, FloatArray, IntArray, LongArray, ReadOnlyArrays, Study, Walks
from lifecircle.scenarios.candidates import source_of
from lifecircle.scenarios.costs import areas_at, budget_of, tier_ranks
from lifecircle.service import open_in_week, serves
from lifecircle.siting import (
    AtLeast,
    Capacity,
    Case,
    FairestWalks,
    FewestStations,
    Floor,
    Itinerary,
    MostResidents,
    Moves,
    Question,
    ShortestWalks,
    Standard,
    Tiers,
)


@dataclass(frozen=True, eq=False)
class Homes(ReadOnlyArrays):
    """Whom a question is about: the buildings once for each speed class, the reference class first.

    ``area`` is the row of the area that holds each, -1 for none; ``persons`` are the residents of each class and
    attribute, 0 outside every area; an attribute's are in the lot of the reference class, like which they walk.
    ``share`` is the part of the building's residents who are of the class or have the attribute.
    """

    area: IntArray
    persons: Mapping[str, FloatArray]
    share: Mapping[str, FloatArray]

    @classmethod
    def of(cls, today: Coverage) -> Homes:
        """Return those of a study."""
        study = today.study
        classes, attributes = groups(study)
        area = AreaTree.of(study.areas).rows(study.buildings["area_id"])
        nobody = np.zeros(len(area))
        persons, share = {}, {}
        everyone = today.demand.residents["residents"].to_numpy(dtype=np.float64)
        for lot, walker in enumerate(classes):
            lots = [nobody] * len(classes)
            lots[lot] = np.where(area >= 0, today.demand.of(walker.name), 0.0)
            persons[walker.name] = np.concatenate(lots)
            share[walker.name] = np.repeat(np.arange(len(classes)) == lot, len(area)).astype(np.float64)
        for name in attributes:
            people = np.where(area >= 0, today.demand.of(name), 0.0)
            persons[name] = np.concatenate([people, *[nobody] * (len(classes) - 1)])
            part = np.divide(people, everyone, out=np.zeros(len(area)), where=everyone > 0.0)
            share[name] = np.tile(np.minimum(part, 1.0), len(classes))
        return cls(np.tile(area, len(classes)), persons, share)

    @classmethod
    def none(cls) -> Homes:
        """Return no homes, of which a question can still be put together."""
        return cls(np.empty(0, dtype=np.int32), {}, {})


def question_of(
    scenario: Scenario, study: Study, frame: pd.DataFrame, homes: Homes, *, case_walks: Sequence[Walks | None] = ()
) -> Question:
    """Return a scenario in numbers.

    Names that the study does not hold play no part here; `lifecircle.scenarios.check` refuses them.

    Parameters
    ----------
    frame
        The sites, as `Sites.frame`: those that count for the scenario.
    homes
        Whom it is about.
    case_walks
        The walks of each case, None where they are every day's.

    Raises
    ------
    StudyError
        With every combination that makes no sense.
    """
    tree = AreaTree.of(study.areas)
    case_walks = case_walks or [None] * len(scenario.cases)
    return Question(
        _objective(scenario, study),
        n_new=scenario.n_new,
        budget=budget_of(scenario, frame, tree),
        moves=_moves(scenario, frame),
        at_least=_at_least(scenario, frame, tree),
        floors=tuple(_floor(floor, scenario, study, homes, tree) for floor in scenario.floors),
        tiers=Tiers(len(scenario.tiers), tier_ranks(scenario, frame)) if scenario.tiers else None,
        capacity=_capacity(scenario, frame),
        backup=scenario.backup,
        cases=tuple(_case(case, frame, walks) for case, walks in zip(scenario.cases, case_walks, strict=True)),
        priority=_priority(scenario, homes),
        itinerary=_itinerary(scenario, frame),
    )


def circles_of(scenario: Scenario, study: Study) -> list[Circle]:
    """Return every circle that a scenario names, its own first."""
    names = dict.fromkeys([*scenario.circles, *(floor.circle for floor in scenario.floors if floor.circle)])
    by_name = {circle.name: circle for circle in study.settings.circles}
    return [by_name[name] for name in names]


def counting(scenario: Scenario, study: Study, frame: pd.DataFrame) -> BoolArray:
    """Return which sites count for a scenario: those of its circle and, of candidates, of its kinds."""
    circle = circles_of(scenario, study)[0]
    able = serves(frame, replace(circle, tiers=()) if scenario.tiers else circle)
    if scenario.kinds and source_of(scenario, study) == "study":
        able = able & ((frame["state"] == "fixed") | frame["kind"].isin(scenario.kinds)).to_numpy()
    return able


def _objective(scenario: Scenario, study: Study) -> MostResidents | FewestStations | ShortestWalks | FairestWalks:
    own, *others = [_standard(scenario, circle) for circle in circles_of(scenario, study)[: len(scenario.circles)]]
    # The first standard of an objective is of any tier: one of a higher tier comes beside it.
    also = (*((own,) if own.tier else ()), *others)
    if scenario.question == "most":
        return MostResidents(own.cutoff_s, also=also)
    if scenario.question == "fewest":
        return FewestStations(own.cutoff_s, scenario.share, also=also)
    return ShortestWalks(own.cutoff_s) if scenario.question == "shortest" else FairestWalks()


def _standard(scenario: Scenario, circle: Circle) -> Standard:
    """Return what a circle asks for: its time, and the lowest of its tiers; any where the scenario has none."""
    ranks = [scenario.tiers.index(tier) for tier in circle.tiers if tier in scenario.tiers]
    return Standard(circle.cutoff_s, min(ranks, default=0))


def closable(scenario: Scenario, frame: pd.DataFrame) -> BoolArray:
    """Return which stations may close: those that ``may_close`` names, else all of the lowest tier but those to keep.

    What the scenario opens by hand stays: it is no station of today. Where the scenario names no tiers nobody knows
    which is the lowest, and all may; `lifecircle.scenarios.check` refuses that where they are of several.
    """
    may = (frame["state"] == "fixed") & (frame["area_id"] != "") & ~frame["station_id"].isin(scenario.opened)
    if scenario.may_close:
        return (may & _named(scenario.may_close, frame)).to_numpy()
    if scenario.tiers:
        may &= tier_ranks(scenario, frame) == 0
    return (may & ~_named(scenario.keep, frame)).to_numpy()


def _named(names: Sequence[str], frame: pd.DataFrame) -> pd.Series:
    """Return which sites are named, by their id or their tier."""
    return frame["station_id"].isin(names) | frame["tier"].isin(names)


def _moves(scenario: Scenario, frame: pd.DataFrame) -> Moves | None:
    if scenario.max_moves is None:
        return None
    return Moves(tuple(np.flatnonzero(closable(scenario, frame)).tolist()), scenario.max_moves)


def _at_least(scenario: Scenario, frame: pd.DataFrame, tree: AreaTree) -> AtLeast | None:
    rule = scenario.at_least
    return None if rule is None else AtLeast(rule.n, areas_at(rule.level, frame, tree).astype(np.int64))


def _floor(floor: asked.Floor, scenario: Scenario, study: Study, homes: Homes, tree: AreaTree) -> Floor:
    standards: tuple[Standard, ...] = ()
    if floor.circle or scenario.question == "fairest":
        name = floor.circle or scenario.circle
        standards = (_standard(scenario, next(c for c in study.settings.circles if c.name == name)),)
    return Floor(
        floor.share,
        who=homes.persons.get(floor.group) if floor.group else None,
        area=tree.at_level(homes.area, floor.level).astype(np.int64) if floor.level else None,
        of="reachable" if floor.of == "reachable" else "residents",
        standards=standards,
    )


def _capacity(scenario: Scenario, frame: pd.DataFrame) -> Capacity | None:
    if not scenario.capacity:
        return None
    return Capacity(frame["capacity"].fillna(np.inf).to_numpy(dtype=np.float64), split=scenario.capacity == "split")


def _case(case: asked.Case, frame: pd.DataFrame, walks: Walks | None) -> Case:
    out = np.flatnonzero(frame["station_id"].isin(case.out_of_service))
    return Case(tuple(out.tolist()), walks)


def _priority(scenario: Scenario, homes: Homes) -> FloatArray | None:
    """Return the factor on each home's residents: 1, and for each group its factor less 1 times its part."""
    if not scenario.priority:
        return None
    factor = np.ones(len(homes.area))
    for group, weight in scenario.priority.items():
        if group in homes.share:
            factor += (weight - 1.0) * homes.share[group]
    return np.maximum(factor, 0.0)


def _itinerary(scenario: Scenario, frame: pd.DataFrame) -> Itinerary | None:
    tour = scenario.itinerary
    if tour is None:
        return None
    available = np.stack([open_in_week(frame["hours"], f"{day} {tour.at}") for day in tour.days])
    return Itinerary(tour.stops_per_day, len(tour.days), available)


def fixed_of(frame: pd.DataFrame) -> LongArray:
    """Return the rows of the sites that stand."""
    rows: LongArray = np.flatnonzero(frame["state"] == "fixed").astype(np.int64)
    return rows
