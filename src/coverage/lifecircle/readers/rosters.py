"""Who does what besides the stations themselves: agents, volunteers and teams; stops, appointments, service at home."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.agreement import check_references
from lifecircle.conform import headed, row_names
from lifecircle.errors import Breach
from lifecircle.model import APPOINTMENT, DOOR, STOP, BoolArray, Dispatch
from lifecircle.readers.assembly import FAR, is_local
from lifecircle.readers.hours_in_words import check_hours
from lifecircle.readers.layers import Layers
from lifecircle.said import Said
from lifecircle.schema import breach

AGENTS, SERVICE = "agents", "service"
AGENT, VOLUNTEER, TEAM = "agent", "volunteer", "team"

KINDS = (
    dict.fromkeys((AGENT, "代办员", "网格员", "工作人员", "专职", "代办"), AGENT)
    | dict.fromkeys((VOLUNTEER, "志愿者", "义工"), VOLUNTEER)
    | dict.fromkeys((TEAM, "队伍", "服务队", "志愿服务队", "团队"), TEAM)
)
"""Words for what somebody is."""

HOWS = (
    dict.fromkeys((STOP, "巡回点", "巡回", "巡回服务", "流动服务"), STOP)
    | dict.fromkeys((APPOINTMENT, "by appointment", "预约", "预约服务"), APPOINTMENT)
    | dict.fromkeys((DOOR, "at the door", "上门", "上门服务"), DOOR)
)
"""Words for how a station serves."""

_BETWEEN = r"\s*[;；、]\s*"


@dataclass(frozen=True, eq=False)
class Rosters:
    """The frames ``agents`` and ``service`` of a study, None where they are not given."""

    agents: gpd.GeoDataFrame | None = None
    service: gpd.GeoDataFrame | None = None


def rosters_of(layers: Layers, crs: CRS, stations: pd.DataFrame, dispatch: Dispatch) -> tuple[Rosters, list[Breach]]:
    """Return who does what, in the metric CRS of a study, and what is wrong with it.

    Parameters
    ----------
    stations
        With the items that their tiers say.
    """
    ids = {layer: layers.ids(layer) for layer in ("stations", "areas")}
    found: dict[str, gpd.GeoDataFrame] = {}
    breaches: list[Breach] = []
    for layer, read in ((AGENTS, _agents), (SERVICE, _service)):
        if layers.sound(layer):
            found[layer], about = read(_in(crs, layers.tables[layer]), ids)
            breaches += about
    if AGENTS in found:
        breaches += _check_skills(found[AGENTS], stations, dispatch)
        breaches += _check_numbers(found[AGENTS], stations, dispatch)
    return Rosters(found.get(AGENTS), found.get(SERVICE)), breaches


def listed(text: str) -> tuple[str, ...]:
    """Return the items of a list with ``;`` between them."""
    return tuple(item.strip() for item in text.split(";") if item.strip())


def _agents(table: gpd.GeoDataFrame, ids: Mapping[str, Iterable[str]]) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    told = row_names(AGENTS, table)
    hours, breaches = check_hours(AGENTS, table["hours"], told, unread="warning")
    said = table["kind"].str.lower()
    strange = ~said.isin(KINDS)
    nowhere = (table["station_id"] == "") & (table["area_id"] == "") & table.geometry.isna()
    known = ", ".join((AGENT, VOLUNTEER, TEAM))
    no_kind = Said("{} is none of {}; such rows count as {}", headed(table, "kind"), known, AGENT)
    no_place = (
        "names no station and no area and has no coordinates, so nobody knows whom it serves; give it one of these"
    )
    breaches += [
        *breach(AGENTS, "unknown-role", no_kind, told[strange], "warning", column=headed(table, "kind")),
        *breach(AGENTS, "no-geometry", no_place, told[nowhere]),
        *_check_far(AGENTS, table, told),
        *_check_named(AGENTS, table, ids, ("station_id", "stations"), ("area_id", "areas")),
    ]
    kind = said.map(KINDS).fillna(AGENT).astype("str")
    table = table.assign(kind=kind, hours=hours, skills=_parted(table["skills"]))
    return table.sort_values("agent_id", kind="stable").reset_index(drop=True), breaches


def _service(table: gpd.GeoDataFrame, ids: Mapping[str, Iterable[str]]) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    told = row_names(SERVICE, table)
    hours, breaches = check_hours(SERVICE, table["hours"], told)
    said = table["how"].str.lower()
    strange = ~said.isin(HOWS)
    how = said.map(HOWS).fillna("").astype("str")
    stop = how == STOP
    nowhere, idle = stop & table.geometry.isna(), ~stop & ~table.geometry.isna()
    column = headed(table, "how")
    first = table["how"][strange].head(1).str.cat()
    no_way = Said("{} must be one of {}, not {!r}", column, ", ".join((STOP, APPOINTMENT, DOOR)), first)
    breaches += [
        *breach(SERVICE, "unknown-value", no_way, told[strange], column=column, values=table["how"][strange]),
        *breach(
            SERVICE,
            "no-geometry",
            "a stop without coordinates; give it lon and lat",
            told[nowhere],
        ),
        *breach(SERVICE, "idle-place", "coordinates count for stops alone; this row is none", told[idle], "note"),
        *_check_far(SERVICE, table, told),
        *_check_named(SERVICE, table, ids, ("station_id", "stations")),
    ]
    place = np.where(stop, table.geometry.to_numpy(), None)
    table = table.assign(how=how, hours=hours, items=_parted(table["items"])).set_geometry(
        gpd.GeoSeries(place, index=table.index, crs=table.crs)
    )
    return table.sort_values("station_id", kind="stable").reset_index(drop=True), breaches


def _parted(lists: pd.Series) -> pd.Series:
    """Return lists with ``;`` between their items, whatever sign parted them."""
    return lists.str.replace(_BETWEEN, ";", regex=True).str.strip("; ").astype("str")


def _check_named(
    layer: str, table: pd.DataFrame, ids: Mapping[str, Iterable[str]], *columns: tuple[str, str]
) -> list[Breach]:
    """Check that the stations and areas which rows name are there, where these could be read at all."""
    label = "agent_id" if layer == AGENTS else "station_id"
    return [
        b
        for column, of in columns
        if ids[of]
        for b in check_references(layer, column, table, among=ids[of], label=label)
    ]


def _check_far(layer: str, table: gpd.GeoDataFrame, told: pd.Series) -> list[Breach]:
    shapes = table.geometry.to_numpy()
    far = ~is_local(shapely.bounds(shapes)) & ~shapely.is_missing(shapes)
    return breach(layer, "wrong-place", FAR, told[far])


def _check_skills(agents: pd.DataFrame, stations: pd.DataFrame, dispatch: Dispatch) -> list[Breach]:
    """Tell of skills that nobody can ask for, and of items handled by two for which nobody has the skills."""
    of_text = {text: {*listed(text)} for text in agents["skills"].unique()}
    skills = {skill for held in of_text.values() for skill in held}
    asked_for = {skill for pair in dispatch.joint.values() for skill in pair}
    lists = stations["items"]
    if len(lists) and (lists != "").all():
        items = {item for text in lists.unique() for item in listed(text)}
        items |= {*dispatch.joint, *dispatch.pool, *dispatch.volunteers} | asked_for
        idle = agents["skills"].map(lambda text: not of_text[text] <= items).to_numpy(dtype=bool)
    else:  # a station without a list takes any item
        idle = np.zeros(len(agents), dtype=bool)
    lacking = sorted(asked_for - skills) if (agents["skills"] != "").all() else []
    return [
        *breach(
            AGENTS,
            "unasked-skill",
            "has skills that no station lists among its items",
            agents["agent_id"][idle],
            "note",
        ),
        *breach(AGENTS, "lacking-skill", "[dispatch] joint names skills that nobody has", lacking, "warning"),
    ]


def _check_numbers(agents: pd.DataFrame, stations: pd.DataFrame, dispatch: Dispatch) -> list[Breach]:
    """Tell of stations that list fewer agents than must be on duty, and of capacities that those of agents replace."""
    staff = agents[are_staff(agents)]
    count = staff["station_id"].value_counts().reindex(stations["station_id"], fill_value=0).to_numpy()
    few = (count > 0) & (count < needed_on_duty(dispatch, stations["tier"]).to_numpy())
    counted = {*staff["station_id"][staff["capacity"].notna()]}
    replaced = stations["station_id"].isin(counted) & (
        stations["capacity"].notna() | stations["tier"].isin(dispatch.capacity)
    )
    too_few = (
        "fewer agents are listed than [dispatch] on_duty asks for: no request is taken but by appointment or to wait"
    )
    instead = "the capacities of its agents count, that of the station does not"
    return [
        *breach(AGENTS, "too-few-agents", too_few, stations["station_id"][few], "warning"),
        *breach(AGENTS, "capacity-of-agents", instead, stations["station_id"][replaced], "note"),
    ]


def are_staff(agents: pd.DataFrame) -> BoolArray:
    """Return (n,) who keeps a station open: whoever is of one and no volunteer."""
    staff: BoolArray = ((agents["station_id"] != "") & (agents["kind"] != VOLUNTEER)).to_numpy(dtype=bool)
    return staff


def needed_on_duty(dispatch: Dispatch, tier: pd.Series) -> pd.Series:
    """Return how many agents must be on duty for each of some stations."""
    usual = dispatch.on_duty.get("", 1)
    return tier.map(lambda name: dispatch.on_duty.get(name, usual)).astype("int64")


def _in(crs: CRS, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return a layer in a CRS, without a geometry where it has no places."""
    if isinstance(table, gpd.GeoDataFrame):
        placed = table.to_crs(crs)
        return placed if placed.geometry.name == "geometry" else placed.rename_geometry("geometry")
    return gpd.GeoDataFrame(table, geometry=np.full(len(table), None), crs=crs)
