"""Where stations tour: a stop is a further place of its station, in its own hours."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.dispatch.requests import holding
from lifecircle.dispatch.roster import Roster, Stops, Ways
from lifecircle.ground import Footing, Ground, attach_points
from lifecircle.model import STOP, Study
from lifecircle.routing import Snaps
from lifecircle.service import Eligibility


def stops_of(study: Study, ground: Ground, roster: Roster) -> tuple[Roster, Snaps] | None:
    """Return the stops as a roster of their own, and where they stand; None where no station tours.

    A stop does the items of its station unless it names others. It serves whom its station may serve and, where
    ``[service] eligible`` names a level, also those of the area in which it stands.
    """
    if study.service is None:
        return None
    table = study.service[study.service["how"] == STOP]
    owner = pd.Index(roster.station_id).get_indexer(table["station_id"]).astype(np.int64)
    table, owner = table[owner >= 0], owner[owner >= 0]
    if not len(table):
        return None
    places = placed(study, table)
    may, rule = roster.may[:, owner], Eligibility.of(study)
    if not rule.anyone:
        home = rule.tree.at_level(np.append(np.arange(len(rule.tree.ids)), -1).astype(np.int32), rule.level)
        may = may | ((home[:, None] == rule.group(places["area_id"])[None, :]) & (home[:, None] >= 0))
    items = [own or roster.items[row] for own, row in zip(table["items"], owner.tolist(), strict=True)]
    stops = replace(
        roster,
        station_id=tuple(table["station_id"]),
        tier=tuple(roster.tier[row] for row in owner.tolist()),
        items=tuple(items),
        hours=tuple(table["hours"]),
        capacity=roster.capacity[owner],
        rank=roster.rank[owner],
        may=may,
        stops=Stops(owner, tuple(table["name"])),
        wait_min=np.empty(0),
        ways=Ways(),
    )
    return stops, attach_points(study, ground, places)


def with_stops(study: Study, ground: Ground, roster: Roster) -> tuple[Roster, Footing]:
    """Return the stations and behind them their stops, as they are walked to by the reference class."""
    footing, found = ground.reference, stops_of(study, ground, roster)
    if found is None:
        return roster, footing
    stops, snaps = found
    return roster.followed_by(stops), replace(footing, stations=footing.stations.followed_by(snaps))


def placed(study: Study, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return points of a study with the ids of the area and of the building that hold each, empty for none."""
    points = table.geometry.to_numpy()
    area_id, building_id = holding(points, (study.areas, "area_id"), (study.buildings, "building_id"))
    held = {"area_id": area_id, "building_id": building_id}
    return gpd.GeoDataFrame(held, geometry=points, crs=study.crs)
