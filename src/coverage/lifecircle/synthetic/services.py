"""Where stations stand: one in each area of a level, the others spread by residents, all in rooms that exist."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.errors import InfeasibleError
from lifecircle.hilbert import hilbert_order
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.itinerary import plan_rounds
from lifecircle.synthetic.names import area_tree
from lifecircle.synthetic.programme import Offer, Programme, Tier
from lifecircle.synthetic.rooms import PLACES, ROOMS, draw_kinds, fits, places_of
from lifecircle.synthetic.shares import apportion
from lifecircle.synthetic.tree import holders

ROOMS_SEEN = 24
"""How many rooms of its stretch a station is chosen from."""

NOBODY_HOME = 3.0
"""How likely a shop or public room, where nobody lives, is seen, to a building of mean residents."""

APART_M = 150.0
"""Straight distance to the nearest other station beyond which more is no better, metres."""


@dataclass(frozen=True, eq=False)
class Premises(ReadOnlyArrays):
    """The buildings as places for stations, in the rows of the buildings."""

    door_m: FloatArray
    """(n, 2)."""
    residents: LongArray
    place: IntArray
    """Row of `lifecircle.synthetic.rooms.PLACES`, -1 for one that no station can stand in."""
    holder: pd.DataFrame
    """For each level of areas the row in ``areas`` of the one that holds the building."""


def open_services(
    buildings: gpd.GeoDataFrame,
    entrances: gpd.GeoDataFrame,
    residents: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    programme: Programme,
    size: float,
    random: np.random.Generator,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Open the stations of a programme, list the rooms that could become one, and send the teams on their rounds.

    Parameters
    ----------
    buildings
        With ``compound``, ``address`` and ``area_id``, the smallest area.
    residents, areas
        As `lifecircle.synthetic.people.settle` and `lifecircle.synthetic.communities.part_land` return them.

    Returns
    -------
    tuple
        The stations, the candidates and the itinerary of `lifecircle.synthetic.city.City`. Each stands at the door of a
        building of its own and in a place that has such rooms, where its area has one; how many there are in each tier
        says `numbers_of_stations`. Whose home is a candidate has agreed to it.

    Raises
    ------
    InfeasibleError
        When there are more stations or rooms to place than buildings for them.
    """
    counted = residents.set_index("building_id")["residents"].reindex(buildings["building_id"], fill_value=0).to_numpy()
    premises = Premises(
        doors_m(buildings, entrances),
        counted,
        places_of(buildings, counted),
        holders(areas, programme.levels).loc[buildings["area_id"]].reset_index(drop=True),
    )
    free = premises.place >= 0
    taken: dict[str, tuple[LongArray, IntArray]] = {}
    one_each = [tier for tier in programme.tiers[::-1] if tier.per]  # the largest, which fit fewest buildings, first
    for tier in one_each:
        rows = _in_the_middle(premises, tier, free)
        taken[tier.name] = rows, draw_kinds(tier.kinds, premises.place[rows], random)
        free[rows] = False
    for tier, n in zip(programme.tiers, numbers_of_stations(programme, areas, size), strict=True):
        if not tier.per:
            taken[tier.name] = _spread(premises, programme, tier, n, free, random)
            free[taken[tier.name][0]] = False
    tables = [_table(buildings, premises, areas, tier, *taken[tier.name], random) for tier in programme.tiers]
    stations = pd.concat(tables, ignore_index=True)
    stations.insert(0, "station_id", [f"S{i:05}" for i in range(1, len(stations) + 1)])
    if programme.agents:
        stations["agents"] = apportion(stations["agents"], round(programme.agents * size), least=1)
    candidates = _candidates(buildings, premises, areas, programme, size, free, random)
    return stations, candidates, plan_rounds(stations, areas, programme)


def numbers_of_stations(programme: Programme, areas: pd.DataFrame, size: float) -> list[int]:
    """Return how many stations each tier has among ``areas``: one in each of its level where it has one.

    The tiers with a number of their own share what is left of the programme's stations times ``size``, rounded once. So
    the whole is that number wherever a programme has such a tier, but for a city so small that nothing is left.
    """
    named, here = (tree["level"].value_counts() for tree in (area_tree(programme.name), areas))
    whole = round(size * sum(int(named[tier.per]) if tier.per else tier.n for tier in programme.tiers))
    left = max(whole - sum(int(here[tier.per]) for tier in programme.tiers if tier.per), 0)
    shares = iter(apportion([tier.n for tier in programme.tiers if not tier.per] or [1], left).tolist())
    return [int(here[tier.per]) if tier.per else next(shares) for tier in programme.tiers]


def doors_m(buildings: gpd.GeoDataFrame, entrances: gpd.GeoDataFrame) -> FloatArray:
    """Return (n, 2) the first entrance of each building, metres; a point inside it where it has none."""
    first = entrances.drop_duplicates("building_id")
    row = pd.Index(buildings["building_id"]).get_indexer(first["building_id"])
    doors = np.full((len(buildings), 2), np.nan)
    doors[row] = shapely.get_coordinates(first.geometry.to_numpy())
    without = np.flatnonzero(np.isnan(doors[:, 0]))
    doors[without] = shapely.get_coordinates(shapely.point_on_surface(buildings.geometry.to_numpy()[without]))
    return doors


def _in_the_middle(premises: Premises, tier: Tier, free: BoolArray) -> LongArray:
    """Return for each area of the tier's level a free building, as near as can be to the middle of its residents.

    It is one that fits the tier, in workers' quarters only where there is no other; or any where none fits.
    """
    group = premises.holder[tier.per].to_numpy()
    weight = np.maximum(premises.residents, 1e-9)
    total = np.bincount(group, weights=weight)
    total = np.where(total > 0, total, 1.0)
    middle = np.column_stack([np.bincount(group, weights=weight * xy) / total for xy in premises.door_m.T])
    away_m = np.hypot(*(premises.door_m - middle[group]).T)
    rows = np.flatnonzero(free)
    resort = np.where(_fitting(premises, tier), premises.place == PLACES.index("dormitory"), 2)
    rows = rows[np.lexsort((away_m[rows], resort[rows], group[rows]))]
    nearest = rows[np.unique(group[rows], return_index=True)[1]]
    if len(nearest) < len(np.unique(group)):
        raise InfeasibleError(f"an area of the level {tier.per} has no building for a station of the tier {tier.name}")
    return nearest


def _spread(
    premises: Premises,
    programme: Programme,
    tier: Tier,
    n: int,
    free: BoolArray,
    random: np.random.Generator,
) -> tuple[LongArray, IntArray]:
    """Spread a tier's stations by residents over the communities and inside them; return buildings and rooms.

    The rooms of a community stand in a row along a curve, cut into stretches of equally many residents. A station
    takes, of some rooms in its stretch, one of its own kind away from other stations.
    """
    community = premises.holder[programme.levels[-1]].to_numpy()
    row = _along_curve(premises, free & _fitting(premises, tier), community)
    starts = np.flatnonzero(np.diff(community[row], prepend=-1))
    counts = apportion(np.bincount(community, weights=premises.residents)[community[row[starts]]], n, least=1)
    sizes = np.diff(np.append(starts, len(row)))
    if (counts > sizes).any():
        raise InfeasibleError(f"{programme.name}: fewer buildings than stations of the tier {tier.name}")

    share = np.where(premises.residents[row] > 0, premises.residents[row], NOBODY_HOME * premises.residents[row].mean())
    upto = np.cumsum(share)
    of = np.repeat(np.arange(len(starts)), counts)
    nth = np.arange(n) - (np.cumsum(counts) - counts)[of]
    spot = (nth + random.random((ROOMS_SEEN, n))) / counts[of] * np.add.reduceat(share, starts)[of]
    seen = np.searchsorted(upto, np.append(0.0, upto)[starts[of]] + spot, side="right")
    last = (starts + sizes - counts)[of] + nth  # as far as leaves a building to each of the others
    seen = np.clip(seen, starts[of] + nth, last)

    wanted = draw_kinds(tier.kinds, np.full(n, -1), random)
    merit = 0.5 * fits(tier.kinds)[wanted, premises.place[row[seen]]]
    others_m = premises.door_m[~free & (premises.place >= 0)]
    best = _apart(premises.door_m[row], seen, merit, others_m)
    best = np.minimum(np.maximum.accumulate(best - np.arange(n)) + np.arange(n), last)  # no two in one building
    place = premises.place[row[best]]
    suits = fits(tier.kinds)[wanted, place]
    return row[best], np.where(suits, wanted, draw_kinds(tier.kinds, place, random)).astype(np.int32)


def _apart(door_m: FloatArray, seen: LongArray, merit: npt.NDArray[np.floating], others_m: FloatArray) -> LongArray:
    """Choose for each station one of the doors that it has seen, (n_seen, n) rows of ``door_m``.

    That is the one of most merit, to which 1 is added where no other station is within `APART_M`, less the nearer one
    is. Every other station moves at a time, twice, so that no two neighbours give way to each other at once.
    """
    chosen = seen[0].copy()
    for moving in (0, 1, 0, 1):
        staying_m = np.concatenate([door_m[np.delete(chosen, np.s_[moving::2])], others_m])
        apart_m, _ = cKDTree(staying_m).query(door_m[seen[:, moving::2]])
        worth = merit[:, moving::2] + np.minimum(apart_m / APART_M, 1.0)
        chosen[moving::2] = np.take_along_axis(seen[:, moving::2], worth.argmax(axis=0)[None], axis=0)[0]
    return chosen


def _fitting(premises: Premises, tier: Tier) -> BoolArray:
    """Return (n,) whether a building has a room of any of the tier's kinds."""
    return np.asarray(fits(tier.kinds).any(axis=0))[premises.place]


def _along_curve(premises: Premises, free: BoolArray, group: npt.NDArray[np.integer]) -> LongArray:
    """Return the free buildings, group by group, in each along a curve through it."""
    row = np.flatnonzero(free)
    row = row[hilbert_order(premises.door_m[row])]
    return row[np.argsort(group[row], kind="stable")]


def _table(
    buildings: gpd.GeoDataFrame,
    premises: Premises,
    areas: gpd.GeoDataFrame,
    tier: Tier,
    rows: LongArray,
    kind: IntArray,
    random: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Return stations of one tier, or candidates for it, in these buildings."""
    kinds = np.array(list(tier.kinds), dtype=object)[kind]
    rooms = [ROOMS[k] for k in kinds]
    offers = [tier.offers.get(k, Offer(tier.items, (tier.hours,))) for k in kinds]
    turn = random.integers(0, 1 << 30, len(rows)).tolist()
    if tier.per:
        where = areas["name"].to_numpy()[premises.holder[tier.per].to_numpy()[rows]]
    else:
        where = buildings["address"].to_numpy()[rows]
    names = [
        f"{w}代办站（{room.zh}）" if room.shared else f"{w}{room.zh}" for w, room in zip(where, rooms, strict=True)
    ]
    cost = np.array([room.cost for room in rooms])
    return gpd.GeoDataFrame(
        {
            "name": names,
            "kind": kinds,
            "tier": tier.name,
            "items": [";".join(offer.items) for offer in offers],
            "hours": [offer.hours[k % len(offer.hours)] for offer, k in zip(offers, turn, strict=True)],
            "capacity": 50 * random.integers(tier.capacity[0] // 50, tier.capacity[1] // 50, len(rows), endpoint=True),
            "cost": np.where(kinds == "home", cost, cost * random.integers(8, 12, len(rows), endpoint=True) // 10),
            "agents": random.integers(*tier.agents, len(rows), endpoint=True),
            "building_id": buildings["building_id"].to_numpy()[rows],
            "area_id": buildings["area_id"].to_numpy()[rows],
        },
        geometry=shapely.points(premises.door_m[rows]),
        crs=buildings.crs,
    )


def _candidates(
    buildings: gpd.GeoDataFrame,
    premises: Premises,
    areas: gpd.GeoDataFrame,
    programme: Programme,
    size: float,
    free: BoolArray,
    random: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Return further rooms for the lowest tier: where residents are, but more of them in shops and at the rim."""
    tier, n = programme.tiers[0], round(programme.candidates * size)
    able = free & _fitting(premises, tier)
    row = _along_curve(premises, able, np.zeros(len(able), dtype=np.int64))
    if len(row) < n:
        raise InfeasibleError(f"{programme.name}: {n:,} candidates need a building each, and {len(row):,} are left")
    # The root makes a house of few residents likelier than its residents alone do; a shop counts as much as most homes.
    upto = np.cumsum(np.sqrt(np.where(premises.residents[row] > 0, premises.residents[row], 100) + 4.0))
    spot = (np.arange(n) + random.random(n)) / n * upto[-1]
    nth = np.arange(n)
    at = np.maximum.accumulate(np.searchsorted(upto, spot, side="right") - nth) + nth
    row = row[np.minimum(at, len(row) - n + nth)]
    table = _table(buildings, premises, areas, tier, row, draw_kinds(tier.kinds, premises.place[row], random), random)
    table["consent"] = np.where(table["kind"] == "home", "yes", "")
    table.insert(0, "site_id", [f"C{i:05}" for i in range(1, n + 1)])
    return table
