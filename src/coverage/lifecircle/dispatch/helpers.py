"""Volunteers and teams: they take what no station can, or what a study gives to them first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.dispatch.crew import Crew
from lifecircle.dispatch.crews import Lists, in_turn
from lifecircle.dispatch.requests import Asked
from lifecircle.dispatch.roster import Roster, Stops, Ways
from lifecircle.dispatch.sending import sent
from lifecircle.dispatch.stops import placed
from lifecircle.ground import Footing, Ground, attach_points
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays, Study
from lifecircle.readers.rosters import are_staff
from lifecircle.service import Eligibility


@dataclass(frozen=True, eq=False)
class Helpers:
    """Who helps besides the agents of stations.

    Those ``standing`` somewhere are a roster like that of stations, ``footing`` says where. Those who have an area
    alone are its crew in ``areal``: they come wherever they are needed there.
    """

    tree: AreaTree
    standing: Roster
    footing: Footing
    areal: Roster

    @classmethod
    def of(cls, study: Study, ground: Ground, roster: Roster) -> Helpers | None:
        """Return the helpers of a study, None where it has none; ``roster`` is of its stations."""
        if study.agents is None or are_staff(study.agents).all():
            return None
        table = study.agents[~are_staff(study.agents)].reset_index(drop=True)
        station = pd.Index(roster.station_id).get_indexer(table["station_id"])
        own = table.geometry.notna().to_numpy()
        stands = own | (station >= 0)
        tree, area = AreaTree.of(study.areas), table["area_id"]
        points = table.geometry.where(own, study.stations.geometry.reindex(station).set_axis(table.index))
        somewhere = table.set_geometry(gpd.GeoSeries(points, crs=study.crs))[stands]
        places = placed(study, somewhere)
        homes = study.stations["building_id"].reindex(station).to_numpy(dtype=object)[stands]
        places["building_id"] = np.where(own[stands], places["building_id"], homes)
        may = _may_help(study, roster, area[stands], station[stands], places["area_id"])
        standing = _roster(roster, table[stands], may)
        footing = replace(ground.reference, stations=attach_points(study, ground, places))
        return cls(tree, standing, footing, _areal(roster, tree, table[~stands]))


@dataclass(frozen=True, eq=False)
class Load(ReadOnlyArrays):
    """How many requests the helpers standing somewhere can still take, and how many each of the others has."""

    room: LongArray
    areal: LongArray

    @classmethod
    def none(cls, helpers: Helpers, n_requests: int) -> Load:
        """Return what there is at first."""
        capacity, crew = helpers.standing.capacity, helpers.areal.crew
        room = np.where(np.isfinite(capacity), np.floor(capacity), n_requests).astype(np.int64)
        return cls(room, np.zeros(0 if crew is None else len(crew), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Helped(ReadOnlyArrays):
    """Who helps with each request, empty for nobody, and the walk between them; NaN where nobody knows it."""

    agent_id: np.ndarray
    walk_m: FloatArray
    walk_s: FloatArray


def helped(helpers: Helpers, asked: Asked, load: Load) -> tuple[Helped, Load]:
    """Give each request, in its turn, the nearest helper who can; else one of the smallest area who has the least."""
    there = sent(helpers.footing, helpers.standing, asked.asking(helpers.standing, asked.item), load.room)
    ids = np.array([*helpers.standing.station_id, ""], dtype=object)
    found = Helped(ids[there.place], there.walk_m, there.walk_s)
    room = load.room - np.bincount(there.place[there.place >= 0], minlength=len(load.room))
    crew, left = helpers.areal.crew, np.flatnonzero(there.place < 0)
    if crew is None or not len(left):
        return found, Load(room, load.areal)
    some = asked.take(left).asking(helpers.areal, asked.item[left])
    everybody = np.full(len(crew.first) - 1, len(left), dtype=np.int64)
    _, agent, areal = in_turn(crew, some, own_areas(helpers.tree, crew, some), everybody, load=load.areal)
    agent_id = found.agent_id.copy()
    agent_id[left] = np.array([*crew.agent_id, ""], dtype=object)[agent]
    return replace(found, agent_id=agent_id), Load(room, areal)


def own_areas(tree: AreaTree, crew: Crew, asked: Asked) -> Lists:
    """Return for each request the areas above it of which the crew has anybody, the smallest first."""
    nowhere = np.full(len(asked.area), -1, dtype=np.int64)
    steps = np.column_stack([nowhere, *tree.upwards(asked.area)])
    held = (steps >= 0) & np.append(crew.has_agents, False)[steps]
    indptr = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int64)
    areas = steps[held]
    return Lists(indptr, areas, areas, np.zeros(len(areas), dtype=bool))


def _roster(roster: Roster, table: pd.DataFrame, may: BoolArray) -> Roster:
    """Return helpers as a roster."""
    return replace(
        roster,
        station_id=tuple(table["agent_id"]),
        tier=("",) * len(table),
        items=tuple(table["skills"]),
        hours=tuple(table["hours"]),
        capacity=table["capacity"].fillna(np.inf).to_numpy(dtype=np.float64),
        rank=np.zeros(len(table), dtype=np.int32),
        may=may,
        stops=Stops(),
        wait_min=np.empty(0),
        ways=Ways(),
        crew=None,
    )


def _may_help(study: Study, roster: Roster, area_id: pd.Series, station: np.ndarray, stands_in: pd.Series) -> BoolArray:
    """Return (n_areas + 1, n_helpers) whom each may help: those of its area, of its station, or near its own place."""
    rule = Eligibility.of(study)
    n_areas = len(rule.tree.ids)
    home = np.append(np.arange(n_areas), -1).astype(np.int32)
    own = rule.tree.rows(area_id)
    within = np.zeros((n_areas + 1, len(own)), dtype=bool)
    for step in rule.tree.upwards(home):
        within |= (step[:, None] == own[None, :]) & (step[:, None] >= 0)
    near = np.ones_like(within)
    if not rule.anyone:
        group = rule.tree.at_level(home, rule.level)
        near = (group[:, None] == rule.group(stands_in)[None, :]) & (group[:, None] >= 0)
    near = np.where(station >= 0, np.column_stack([roster.may, np.zeros(n_areas + 1, dtype=bool)])[:, station], near)
    may: BoolArray = np.where((area_id != "").to_numpy(), within, near)
    return may


def _areal(roster: Roster, tree: AreaTree, table: pd.DataFrame) -> Roster:
    """Return a roster of no stations whose crew are the helpers of each area."""
    nobody = _roster(roster, table.iloc[:0], np.zeros((len(tree.ids) + 1, 0), dtype=bool))
    area = tree.rows(table["area_id"])
    order = np.argsort(area, kind="stable")
    order = order[area[order] >= 0]
    if not len(order):
        return nobody
    table, area = table.iloc[order], area[order]
    first = np.searchsorted(area, np.arange(len(tree.ids) + 1)).astype(np.int64)
    capacity = np.floor(table["capacity"].fillna(np.inf).to_numpy(dtype=np.float64))
    crew = Crew(
        agent_id=tuple(table["agent_id"]),
        skills=tuple(table["skills"]),
        hours=tuple(table["hours"]),
        capacity=capacity,
        first=first,
        needed=np.ones(len(tree.ids), dtype=np.int32),
    )
    return replace(nobody, crew=crew)
