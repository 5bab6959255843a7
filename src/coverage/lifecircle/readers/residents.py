"""Counts of residents as their sources give them, and what each counts by."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.agreement import check_references
from lifecircle.conform import headed, places_of, text
from lifecircle.errors import Breach
from lifecircle.readers.inputs import Input
from lifecircle.readers.metric import on_earth
from lifecircle.said import Said, sentence
from lifecircle.schema import GROUP_PREFIX, breach

TARGETS = {"building": ("building_id",), "address": ("address",), "area": ("area_id", "area")}
"""By what residents are counted, the finest first, and the columns that say where."""

SHAPES = {"point": 0, "cell": 2}
"""What is counted by a place of its own, and the dimension of its geometry."""

_AGAIN = "several rows of one household at one place, all counted: look if it is entered twice, or two bear one number"

_SAY = (
    'say what the residents are counted by: by = "building" (with a column building_id), "address" (with a column '
    'address), "point" or "cell" (with a geometry), "area" (with a column area_id, or area for its name) or "total"'
)


def without_idle_place(source: Input, table: pd.DataFrame) -> pd.DataFrame:
    """Return the residents without their geometry where they are counted by something else than that."""
    if not isinstance(table, gpd.GeoDataFrame) or _by(source, table) in ("", *SHAPES):
        return table
    return pd.DataFrame(table.drop(columns=table.geometry.name))


def counts_of_table(
    source: Input, table: pd.DataFrame, areas: pd.DataFrame
) -> tuple[pd.DataFrame | None, list[Breach]]:
    """Return a checked source of residents, None when it does not say what it counts by.

    Where rows name their household, several may count one building, address or area, and are added up.

    Parameters
    ----------
    areas
        ``area_id`` and ``name`` of the areas, empty where there are none: a source may know them by name.

    Returns
    -------
    tuple
        ``by``, ``target_id`` (the building or area; else what names the row), ``area_id`` and ``area`` (as far as
        stated), ``address``, ``residents`` and the groups, with a geometry where it counts by that; and the breaches.
    """
    by = _by(source, table)
    household = table["household"]
    label = household.where(household != "", places_of(table))
    if not by:
        return None, [Breach("residents", "no-target", _SAY, count=1)]
    if by == "total":
        if len(table) != 1:
            message = "a total is one number, but there are several rows; narrow `where`, or count by area"
            return None, [Breach("residents", "several-totals", message, count=len(table))]
        return _counts(table, by, pd.Series("", index=table.index, dtype="str")), []
    if by in SHAPES:
        return _of_shapes(table, by, label)
    column = TARGETS[by][0]
    area_id, found = _areas_named(table, areas, label, needed=by == "area")
    table = table.assign(area_id=area_id)
    target = table[column]
    if (target == "").all() and not found:
        message = Said("counts by {} need a column {}; if it bears another name, say so under columns", by, column)
        return None, [Breach("residents", "missing-column", message, (column,), 1)]
    place = table[["area", "area_id", "address"]] if by == "address" else target.to_frame()
    again = household[place.assign(household=household).duplicated() & (household != "")]
    twice = target[place.duplicated() & (target != "") & (household == "").all()].drop_duplicates()
    message = Said(
        "several rows count the same {}; add them up, or, where rows are households, say which column numbers these: "
        'columns = {{ household = "..." }} (where none does, number the rows in one: 1, 2, 3)',
        sentence(by),
    )
    unnamed = (target == "") & ~((table["area"] != "") & (by == "area"))
    counts = _counts(table, by, target if by != "address" else label)
    return counts, [
        *found,
        *breach("residents", "missing-id", Said("{} is empty", headed(table, column)), label[unnamed]),
        *breach("residents", "duplicate-id", message, twice),
        *breach("residents", "repeated-household", _AGAIN, again, "warning"),
    ]


def counts_of_buildings(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return the residents that the buildings layer states of its own rows."""
    return _counts(buildings, "building", buildings["building_id"])


def with_sound_rows(sources: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return sources with nobody where a count is none, and without rows that need a place and have none."""
    kept = []
    for source in sources:
        counts = source[[c for c in source if c == "residents" or c.startswith(GROUP_PREFIX)]]
        counted = source.assign(**counts.where(np.isfinite(counts) & (counts >= 0), 0.0))
        if isinstance(counted, gpd.GeoDataFrame):
            bounds = shapely.bounds(counted.geometry.to_numpy())
            counted = counted[np.isfinite(bounds).all(axis=1) & (on_earth(counted) is not None)]
        kept += [counted.reset_index(drop=True)] if len(counted) else []
    return kept


def check_targets(counts: pd.DataFrame, by: str, *, among: Sequence[str]) -> list[Breach]:
    """Check that the residents counted ``by`` building or area stand on one that the study holds."""
    column = TARGETS[by][0]
    named = counts.loc[counts["by"] == by, ["target_id"]].rename(columns={"target_id": column})
    return check_references("residents", column, named.drop_duplicates(), among=among, label=column)


def check_levels(counts: pd.DataFrame, areas: pd.DataFrame) -> list[Breach]:
    """Check that no area is counted together with one that holds it, for its residents would stand twice."""
    counted = set(counts.loc[counts["by"] == "area", "target_id"]) - {""}
    parent_of = dict(zip(areas["area_id"], areas["parent_id"], strict=True))
    twice = []
    for area in sorted(counted):
        above, seen = parent_of.get(area, ""), {area}
        while above and above not in seen and above not in counted:
            seen.add(above)
            above = parent_of.get(above, "")
        if above in counted and above != area:
            twice.append(area)
    message = "counted in this area and again in one that holds it; take one of the two rows out"
    return breach("residents", "counted-twice", message, twice)


def check_together(sources: Sequence[pd.DataFrame]) -> list[Breach]:
    """Check what only several sources can get wrong: the same counted by two of them, groups that one lacks."""
    if len(sources) < 2:
        return []
    targets = pd.concat(
        [s.loc[s["by"].isin(["area", "total"]), ["by", "target_id"]].drop_duplicates() for s in sources]
    )
    twice = targets["target_id"].where(targets["target_id"] != "", "total")[targets.duplicated()]
    groups = dict.fromkeys(c for s in sources for c in s.columns if c.startswith(GROUP_PREFIX))
    absent = [c for c in groups if any(c not in s for s in sources)]
    message = "a source of residents lacks this column that another has: nobody whom it counts is of the group"
    return [
        *breach("residents", "duplicate-id", "counted by two sources; take it out of one", twice.drop_duplicates()),
        *breach("residents", "missing-group", message, absent, "warning"),
    ]


def _by(source: Input, table: pd.DataFrame) -> str:
    """Return what a table counts by: what the study says, else the finest of what it names, else its geometry."""
    if source.by:
        return source.by
    for by, columns in TARGETS.items():
        if any(c in table and (text(table[c]) != "").any() for c in columns):
            return by
    if not isinstance(table, gpd.GeoDataFrame):
        return ""
    dimension = set(shapely.get_dimensions(table.geometry.to_numpy()).tolist()) - {-1}
    return next((by for by, own in SHAPES.items() if dimension == {own}), "")


def _of_shapes(table: pd.DataFrame, by: str, label: pd.Series) -> tuple[pd.DataFrame | None, list[Breach]]:
    kind = "points (columns lon and lat, or a layer of points)" if by == "point" else "a layer of polygons"
    if not isinstance(table, gpd.GeoDataFrame):
        return None, [Breach("residents", "no-geometry", Said("counts by {} need {}", by, sentence(kind)), count=1)]
    wrong = (shapely.get_dimensions(table.geometry.to_numpy()) != SHAPES[by]) & ~table.geometry.isna().to_numpy()
    place = pd.DataFrame({"household": table["household"], "place": table.geometry.to_wkb()})
    again = table["household"][(table["household"] != "") & place.duplicated()] if by == "point" else label[:0]
    counts = gpd.GeoDataFrame(_counts(table, by, label), geometry=table.geometry.to_numpy(), crs=table.crs)
    return counts, [
        *breach("residents", "wrong-geometry", Said("counts by {} need {}", by, sentence(kind)), label[wrong]),
        *breach("residents", "repeated-household", _AGAIN, again, "warning"),
    ]


def _areas_named(
    table: pd.DataFrame, areas: pd.DataFrame, label: pd.Series, *, needed: bool
) -> tuple[pd.Series, list[Breach]]:
    """Return the area of each row, found by its name where no id is stated; ``needed`` where it must be known."""
    once = areas[~areas["name"].duplicated(keep=False) & (areas["name"] != "")]
    row = pd.Index(once["name"], dtype="str").get_indexer(pd.Index(table["area"], dtype="str"))
    by_name = pd.Series(np.append(once["area_id"].to_numpy(dtype=object), "")[row], index=table.index, dtype="str")
    area_id = table["area_id"].where(table["area_id"] != "", by_name)
    lost = table["area"][(area_id == "") & (table["area"] != "")].drop_duplicates()
    if not needed or not len(areas):
        return area_id, []
    several = lost.isin(areas["name"])
    return area_id, [
        *breach("residents", "ambiguous-name", "several areas bear this name; state their area_id", lost[several]),
        *breach("residents", "unknown-id", "area is the name of none that the study holds", lost[~several]),
    ]


def _counts(table: pd.DataFrame, by: str, target: pd.Series) -> pd.DataFrame:
    stated = [c for c in ("area_id", "area", "address") if by == "address"]
    groups = [c for c in table.columns if c.startswith(GROUP_PREFIX)]
    counts = pd.DataFrame(table[[*stated, "residents", *groups]]).reset_index(drop=True)
    counts.insert(0, "by", by)
    counts.insert(1, "target_id", target.reset_index(drop=True))
    counts.attrs = table.attrs
    return counts.assign(household=table["household"].reset_index(drop=True)) if "household" in table else counts
