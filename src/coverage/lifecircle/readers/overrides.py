"""Findings from the field put in the place of what the files say: tables, streets and barriers, each as new data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.agreement import are_among
from lifecircle.errors import Breach
from lifecircle.kinds import KNOWN_KINDS
from lifecircle.model import Closures, Gate, StreetWays, Walking, WayRule
from lifecircle.readers.findings import LAYER, WHATS, applied, latest
from lifecircle.readers.gates import ids_of_gates
from lifecircle.readers.metric import near
from lifecircle.readers.osm_layers import DEFAULT_WHERE
from lifecircle.said import Said, sentence
from lifecircle.schema import LAYERS, breach

DOOR_REACH_M = 30.0
"""Farther from its building is no entrance of it."""

WALL_REACH_M = 10.0
"""So near to a wall stands who notes that it is gone."""

LASTING = frozenset(
    value
    for table in DEFAULT_WHERE["barriers"]
    for key, values in table.items()
    if key != "barrier"
    for value in values
)
"""Kinds of barriers that nobody takes away: rails and water."""


@dataclass(frozen=True, eq=False)
class Overridden:
    """The tables of a study's layers after the findings, and how many people were found in which building.

    ``residents`` has the columns ``building_id`` and ``residents``.
    """

    tables: dict[str, pd.DataFrame]
    residents: pd.DataFrame


def over_tables(tables: Mapping[str, pd.DataFrame], findings: gpd.GeoDataFrame) -> tuple[Overridden, list[Breach]]:
    """Take findings on buildings and stations into their tables.

    A finding on something that the study does not hold is an error; of a layer that could not be read nothing is said.
    """
    layer_of = findings["what"].map({what: kind.layer for what, kind in WHATS.items()})
    kept, breaches = [findings[:0]], []
    for layer in ("buildings", "stations"):
        of_layer = findings[layer_of == layer]
        if layer not in tables or not len(of_layer):
            continue
        key = LAYERS[layer].key
        unknown = ~are_among(of_layer["id"], tables[layer][key])
        message: str = Said("names none of the {} that the study holds", sentence(layer))
        breaches += breach(LAYER, "unknown-id", message, of_layer["told"][unknown])
        of_layer = of_layer[~unknown]
        subject = (of_layer["what"] + " " + of_layer["id"]).where(of_layer["what"] != "entrance", "")
        last, found = latest(of_layer, subject)
        breaches += found
        kept.append(last)
    counted = pd.concat(kept, ignore_index=True)
    of = {what: counted[counted["what"] == what] for what in WHATS}
    odd = of["kind"][~of["kind"]["value"].isin(KNOWN_KINDS)]
    message = "kind: not known, so nobody is put there; where people live, write 住宅 or house"
    breaches += breach(LAYER, "unknown-kind", message, odd["told"] + " " + odd["value"], "warning")
    after = dict(tables)
    if len(counted):
        if "buildings" in after:
            after["buildings"] = _with_values(
                after["buildings"], "building_id", of, {"levels": "number", "kind": "value"}
            )
        if "stations" in after:
            stations = _with_values(after["stations"], "station_id", of, {"capacity": "number"})
            after["stations"] = _moved(stations, of["station"])
            if not len(after["stations"]):
                message = "every station was found closed; name one that is open"
                breaches.append(Breach(LAYER, "no-station-left", message, tuple(of["station"]["told"]), len(stations)))
                after["stations"] = stations
    if len(of["entrance"]):
        after["entrances"] = _with_entrances(after.get("entrances"), of["entrance"])
    residents = of["residents"][["id", "number"]].set_axis(["building_id", "residents"], axis=1)
    return Overridden(after, residents.reset_index(drop=True)), [*breaches, *applied(counted, "buildings and stations")]


def check_entrances(findings: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> list[Breach]:
    """Check that entrances found are at their buildings; all in one metric CRS."""
    doors = findings[(findings["what"] == "entrance") & are_among(findings["id"], buildings["building_id"])]
    row = pd.Index(buildings["building_id"]).get_indexer(pd.Index(doors["id"]))
    apart_m = shapely.distance(doors.geometry.to_numpy(), buildings.geometry.to_numpy()[row])
    message = Said(
        "the entrance is more than {:.0f} m from the building; mend the place, or the building's id", DOOR_REACH_M
    )
    return breach(LAYER, "entrance-off-building", message, doors["told"][apart_m > DOOR_REACH_M])


def check_moved(
    findings: gpd.GeoDataFrame, stations: gpd.GeoDataFrame, streets: StreetWays, reach_m: float
) -> list[Breach]:
    """Check that stations found elsewhere are there within ``reach_m`` metres of the streets' extent; in one CRS."""
    if not streets.way_id:
        return []
    moved = stations[stations["station_id"].isin(findings["id"][findings["value"] == "moved"])]
    box = [*streets.xy_m.min(axis=0), *streets.xy_m.max(axis=0)]
    message = "moved to where the study has no streets; mend lon and lat"
    return breach(LAYER, "wrong-place", message, moved["station_id"][~near(moved.geometry, box, reach_m)])


def over_streets(
    walking: Walking, closures: Closures, findings: gpd.GeoDataFrame, streets: StreetWays
) -> tuple[Walking, Closures, list[Breach]]:
    """Take findings on ways and gates into how people walk; findings and streets in one metric CRS."""
    found = findings[findings["what"].isin(["way", "gate"])].reset_index(drop=True)
    if not len(found):
        return walking, closures, []
    of_way = (found["what"] == "way").to_numpy()
    unknown = of_way & ~found["id"].isin(streets.way_id).to_numpy()
    gates = found[~of_way]
    row, ids, breaches = ids_of_gates(
        LAYER, gates["id"], gates.geometry.to_numpy(), gates["told"], streets, walking.rules
    )
    breaches += breach(LAYER, "unknown-id", "names no street that the study holds", found["told"][unknown])
    each = pd.concat([found[of_way & ~unknown], gates.iloc[row].assign(id=ids, told=ids)], ignore_index=True)
    last, about = latest(each, "street " + each["id"])
    breaches += about
    said = {what: last[last["what"] == what] for what in ("way", "gate")}
    way = {value: tuple(rows["id"]) for value, rows in said["way"].groupby("value")}
    opened, private, closed = (way.get(value, ()) for value in ("open", "private", "closed"))
    shut = tuple(said["gate"]["id"][said["gate"]["value"] == "shut"])
    hours = {
        **dict.fromkeys(opened, ""),
        **dict.fromkeys(private, "off"),  # open at no hour, so that those who live there pass and nobody else
        **{
            i: "" if value == "open" else value
            for i, value in said["gate"][["id", "value"]].to_numpy()
            if i not in shut
        },
    }
    passed = {*hours, *shut, *closed}
    rules = [WayRule(walk, ids=ways) for walk, ways in (("yes", opened), ("private", private)) if ways]
    walking = replace(
        walking,
        closed=(*(i for i in walking.closed if i not in passed), *closed, *shut),
        gates=(*(g for g in walking.gates if g.id not in passed), *(Gate(i, text) for i, text in hours.items())),
        rules=(*walking.rules, *rules),
    )
    return walking, replace(closures, sparing=tuple(hours)), [*breaches, *applied(last, "streets")]


def without_gone(barriers: gpd.GeoDataFrame, findings: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Take away the walls that somebody found gone, each the nearest to the place; all in one metric CRS."""
    gone = findings[findings["what"] == "barrier"]
    if not len(gone):
        return barriers, []
    walls = np.flatnonzero(~barriers["kind"].isin(LASTING))
    tree = shapely.STRtree(barriers.geometry.to_numpy()[walls])
    row, wall = tree.query_nearest(gone.geometry.to_numpy(), max_distance=WALL_REACH_M)
    far = np.setdiff1d(np.arange(len(gone)), row)
    message = Said(
        "no wall or fence within {:.0f} m of the place; mend the place, or take the finding out", WALL_REACH_M
    )
    kept = np.setdiff1d(np.arange(len(barriers)), walls[wall])
    whole = Said(
        "the whole of each line that is mapped there is taken away, {:.0f} m in all; where it is but a gap, draw "
        "the line in two instead",
        barriers.drop(index=barriers.index[kept]).length.sum(),
    )
    return barriers.iloc[kept].reset_index(drop=True), [
        *breach(LAYER, "no-barrier", message, gone["told"].iloc[far]),
        *applied(gone.iloc[np.unique(row)], "barriers"),
        *breach(LAYER, "barrier-gone", whole, gone["told"].iloc[np.unique(row)], "note"),
    ]


def _with_values(
    table: pd.DataFrame, key: str, of: Mapping[str, gpd.GeoDataFrame], columns: Mapping[str, str]
) -> pd.DataFrame:
    """Return a table with the values found in the place of its own."""
    news = {}
    for column, theirs in columns.items():
        found = table[key].map(of[column].set_index("id")[theirs])
        news[column] = table[column].where(found.isna(), found).astype(table[column].dtype)
    return table.assign(**news)


def _moved(stations: pd.DataFrame, findings: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the stations without those that are closed, and the others where they stand now, in a new building."""
    moved = findings[findings["value"] == "moved"].to_crs(stations.crs)
    row = pd.Index(moved["id"]).get_indexer(pd.Index(stations["station_id"]))
    places = stations.geometry.to_numpy().copy()
    places[row >= 0] = moved.geometry.to_numpy()[row[row >= 0]]
    after = stations.set_geometry(places, crs=stations.crs)
    after = after.assign(building_id=stations["building_id"].where(row < 0, ""))
    return after[~after["station_id"].isin(findings["id"][findings["value"] == "closed"])].reset_index(drop=True)


def _with_entrances(entrances: pd.DataFrame | None, findings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found = gpd.GeoDataFrame({"building_id": findings["id"]}, geometry=findings.geometry, crs=findings.crs)
    if entrances is None:
        return found.reset_index(drop=True)
    return pd.concat([entrances, found.to_crs(entrances.crs)], ignore_index=True)
