"""The layers of a study: their columns, and what each must hold.

`LAYERS` is the whole of it as data. `lifecircle.conform` brings a layer into this form, and `lifecircle.agreement`
holds the rules between layers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lifecircle.errors import KEPT_IDS, Breach, LonLat, Severity
from lifecircle.mark import MARK
from lifecircle.said import Said

GROUP_PREFIX = "residents_"

RESERVED_GROUPS = ("all", "basis")
"""No class or attribute: ``all`` is everyone in the tables, ``residents_basis`` says how the residents are known."""

OF_PERSONS = ("residents", "requests", "agents")
"""Layers whose rows are about persons: no message shows what stands in a cell that is not understood."""

TOTAL = "total"
"""``area_id`` of the last rows of the coverage table; no area bears it."""

ELEVATION = "elevation"
"""The one input that is no layer: a raster of heights."""

POSITION = ("lon", "lat")
"""Columns that place a row of a plain table: degrees, of WGS 84 where the study does not say otherwise."""

PLANE = ("x", "y")
"""Those of a table whose coordinate system the study states to be in metres: easting and northing."""

WKT = "wkt"
"""Column that places a row of a plain table by its outline in well-known text, in the same units."""

STREET_TAGS = (
    *("highway", "foot", "access", "sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right", "motorroad"),
    *("tunnel", "indoor", "covered", "layer", "level", "location", "conveying", "oneway:foot", "name"),
    *("bridge", "incline", "footway", "crossing", "crossing:signals", "wheelchair", "opening_hours", "route"),
)
"""What is read of a street: the OpenStreetMap keys that decide who may walk there and how fast, and its name."""

NODE_TAGS = (
    *("highway", "barrier", "access", "foot", "locked", "opening_hours", "crossing", "crossing:signals", "ele"),
    *("wheelchair", "kerb"),
)
"""What is read of a node on a street: gates, crossings, lifts and heights."""

_PLACE = re.compile(r"(?:(.+) )?row ([0-9]+)", re.DOTALL)

Kind = Literal["id", "text", "number", "flag"]

_POINTS = frozenset({"Point", "MultiPoint"})
_LINES = frozenset({"LineString", "MultiLineString", "LinearRing"})
_POLYGONS = frozenset({"Polygon", "MultiPolygon"})


@dataclass(frozen=True)
class Column:
    """A column: its type, what stands where it is empty or absent, and whether it may be.

    An ``id`` is text that names something; a ``number`` is finite and not negative.
    """

    name: str
    kind: Kind = "text"
    default: str | float | bool = ""
    required: bool = False


@dataclass(frozen=True)
class Layer:
    """A layer: its columns, the geometry types it may have (none: a plain table), and the column that names a row."""

    columns: tuple[Column, ...]
    shapes: frozenset[str] = frozenset()
    key: str = ""
    groups: bool = False
    """Whether it may carry counts of residents by class or attribute, ``residents_...``."""
    may_be_empty: bool = False
    may_lack_place: bool = False
    """Whether it may also be a plain table, though rows with a geometry are read."""
    rows_may_lack_place: bool = False
    """Whether some of its rows may have no geometry, for an id says where they are."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(c.name for c in self.columns)


def _place(key: str) -> Layer:
    """Return the layer of stations or candidates."""
    return Layer(
        columns=(
            Column(key, "id", required=True),
            *(Column(name) for name in ("name", "kind", "tier", "items", "hours")),
            *(Column(name, "number", np.nan) for name in ("capacity", "cost", "agents")),
            Column("consent"),
            Column("building_id", "id"),
        ),
        shapes=_POINTS | _POLYGONS,
        key=key,
        rows_may_lack_place=True,
    )


LAYERS = {
    "streets": Layer((Column("way_id", "id"), *(Column(tag) for tag in STREET_TAGS)), _LINES),
    "areas": Layer(
        (Column("area_id", "id", required=True), Column("level"), Column("name"), Column("parent_id", "id")),
        _POLYGONS,
        "area_id",
    ),
    "buildings": Layer(
        (
            Column("building_id", "id", required=True),
            Column("name"),
            Column("kind", default="yes"),
            Column("levels", "number", np.nan),
            Column("min_level", "number", 0.0),
            Column("other_use", "flag", False),
            Column("underground", "flag", False),
            Column("address"),
            Column("residents", "number", 0.0),
        ),
        _POINTS | _POLYGONS,
        "building_id",
        groups=True,
    ),
    "entrances": Layer((Column("building_id", "id", required=True),), _POINTS, may_be_empty=True),
    "residents": Layer(
        (
            *(Column(name, "id") for name in ("household", "building_id", "area_id")),
            *(Column(name) for name in ("area", "address")),
            Column("residents", "number", 0.0, required=True),
        ),
        _POINTS | _POLYGONS,
        groups=True,
        may_lack_place=True,
    ),
    "stations": _place("station_id"),
    "candidates": _place("site_id"),
    "barriers": Layer((Column("kind"),), _LINES | _POLYGONS, may_be_empty=True),
    "gates": Layer(
        (*(Column(name, "id") for name in ("gate_id", "way_id")), Column("hours"), Column("open", "flag", True)),
        _POINTS,
        may_be_empty=True,
        may_lack_place=True,
        rows_may_lack_place=True,
    ),
    "closures": Layer(
        (*(Column(name, "id") for name in ("closure_id", "way_id")), *(Column(name) for name in ("since", "until"))),
        _POINTS | _LINES | _POLYGONS,
        may_be_empty=True,
        may_lack_place=True,
        rows_may_lack_place=True,
    ),
    "overrides": Layer(
        (Column("id", "id"), Column("what", required=True), *(Column(name) for name in ("value", "who", "when"))),
        _POINTS,
        may_be_empty=True,
        may_lack_place=True,
        rows_may_lack_place=True,
    ),
    "agents": Layer(
        (
            Column("agent_id", "id", required=True),
            Column("kind", default="agent"),
            *(Column(name, "id") for name in ("station_id", "area_id")),
            *(Column(name) for name in ("skills", "hours")),
            Column("capacity", "number", np.nan),
        ),
        _POINTS,
        "agent_id",
        may_be_empty=True,
        may_lack_place=True,
        rows_may_lack_place=True,
    ),
    "service": Layer(
        (
            Column("station_id", "id", required=True),
            Column("how", required=True),
            *(Column(name) for name in ("name", "hours", "items")),
        ),
        _POINTS,
        may_be_empty=True,
        may_lack_place=True,
        rows_may_lack_place=True,
    ),
    "requests": Layer(
        (Column("request_id", "id", required=True), *(Column(name) for name in ("item", "at", "urgency", "priority"))),
        _POINTS,
        "request_id",
    ),
}
"""Every layer that is read, in the order in which breaches are told."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that ``word`` most likely means, empty when none is like it."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else ""


def known_column(layer: str, name: str) -> bool:
    """Return whether a file may hold a column of this name for the layer."""
    rules = LAYERS[layer]
    is_group = rules.groups and name.removeprefix(GROUP_PREFIX) not in ("", name, *RESERVED_GROUPS)
    return is_group or name in (*rules.names, MARK) or (bool(rules.shapes) and name in (*POSITION, *PLANE, WKT))


def columns_of(layer: str, present: Iterable[str]) -> tuple[Column, ...]:
    """Return the layer's columns, those of the groups and the mark included where they are present."""
    present = list(present)
    groups = [c for c in present if c.startswith(GROUP_PREFIX) and known_column(layer, c)]
    counts = (Column(c, "number", 0.0, required=layer == "residents") for c in groups)
    return (*LAYERS[layer].columns, *counts, *([Column(MARK, "flag", False)] if MARK in present else []))


def breach(
    layer: str,
    rule: str,
    message: str,
    ids: Iterable[object],
    severity: Severity = "error",
    *,
    places: tuple[LonLat, ...] = (),
    column: str = "",
    values: Iterable[str] = (),
) -> list[Breach]:
    """Return a breach for the rows with these ids; none for no ids.

    Parameters
    ----------
    ids
        A series of them whose index says where in a file each stands tells that too.
    column
        The heading of what is wrong, and ``values`` the cell below it in each row: left out of a table of persons.
    """
    named = [i if isinstance(i, str) else str(i) for i in ids]
    if not named:
        return []
    rows = tuple(ids.index[:KEPT_IDS]) if isinstance(ids, pd.Series) and sheet_and_row(str(ids.index[0])) else ()
    told = tuple(map(row_name, named[:KEPT_IDS]))
    cells = () if layer in OF_PERSONS else tuple(values)[:KEPT_IDS]
    return [Breach(layer, rule, message, told, len(named), severity, places, rows=rows, column=column, values=cells)]


def sheet_and_row(text: str) -> tuple[str, str] | None:
    """Return the sheet, empty for none, and the number of the row where ``text`` names one: row 7, Sheet1 row 7."""
    found = _PLACE.fullmatch(text) if "row " in text else None
    return None if found is None else (found[1] or "", found[2])


def row_name(row: str) -> str:
    """Return what a row is called; its place in the file as what is said, in either language."""
    if (place := sheet_and_row(row)) is None:
        return row
    sheet, number = place
    return Said("{} row {}", sheet, number) if sheet else Said("row {}", number)


def missing_columns(layer: str, present: Sequence[str], existing: Sequence[str]) -> list[Breach]:
    """Return a breach for each required column that is not ``present``; ``existing`` are the file's own columns."""
    found = []
    for column in LAYERS[layer].columns:
        if column.required and column.name not in present:
            hint = nearest(column.name, existing)
            advice = (
                f'columns = {{ {column.name} = "{hint}" }}' if hint else Said("the file has {}", ", ".join(existing))
            )
            message = Said("there is no column {}; if it bears another name, say so: {}", column.name, advice)
            found.append(Breach(layer, "missing-column", message, (column.name,), 1))
    return found
