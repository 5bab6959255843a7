"""One layer brought into its columns' types, and every breach of the rules that concern it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.datum import grid_of
from lifecircle.errors import Breach
from lifecircle.mark import YES_WORDS, Table
from lifecircle.model import BoolArray
from lifecircle.said import Said, joined, sentence
from lifecircle.schema import LAYERS, OF_PERSONS, PLANE, POSITION, Column, breach, columns_of

TEXT_LENGTH = 500
"""Longest text that is kept of a name or an id."""

UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+"
"""Control characters and marks that hide or turn text: a blank stands in for them. The characters themselves, no
escapes, for Arrow reads those in another way, and pandas would go through the texts one by one."""

_TWO_NUMBERS = r"^[(（\[]?\s*-?[0-9]+\.[0-9]+\s*[,，;；、/\s]\s*-?[0-9]+\.[0-9]+\s*[)）\]]?$"

EXACT = 2.0**53
"""From here on a floating-point number does not hold every whole one."""

_LARGEST = 2.0**63
"""No whole number of 64 bits is so large."""

HEADINGS = "headings"
"""Under this a table as read keeps, among its ``attrs``, what its file calls those of our columns that it calls
otherwise."""

Fault = tuple[str, str, BoolArray]
"""A rule, what is wrong by it, and whether each row breaks it."""


def conform(layer: str, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Breach]]:
    """Bring a layer into its columns' types and check the rules that concern it alone.

    Parameters
    ----------
    layer
        Name of the layer, a key of `LAYERS`.
    table
        The layer as read, in our column names; a GeoDataFrame where the layer has a geometry.

    Returns
    -------
    tuple
        The layer with all its columns, an empty or absent value replaced by the column's default, and the breaches. An
        index that says where in its file each row stands is kept.
        A required column that the table lacks is the reader's to tell: nothing is said of it here.
    """
    rules = LAYERS[layer]
    if not len(table):
        message = "nothing in it: is this the right file, and does `where` fit?"
        return table, [
            Breach(layer, "empty-layer", message, count=1, severity="warning" if rules.may_be_empty else "error")
        ]
    stated = table.index if pd.api.types.is_string_dtype(table.index) else None
    told = row_names(layer, table)
    table = table.reset_index(drop=True)
    typed, breaches = {}, []
    for column in columns_of(layer, table.columns):
        if column.name in table:
            shown = replace(column, name=headed(table, column.name))
            typed[column.name], found = _typed(layer, shown, table[column.name], told)
            breaches += found
        else:
            typed[column.name] = pd.Series(column.default, index=table.index)
    if rules.key in table:
        breaches += _check_ids(layer, headed(table, rules.key), table, text(table[rules.key]), told)
    if not isinstance(table, gpd.GeoDataFrame):
        return _as_in_file(pd.DataFrame(typed), table, stated), breaches
    placed = ~shapely.is_missing(table.geometry.to_numpy()) | (not rules.rows_may_lack_place)
    breaches += _check_geometry(layer, rules.shapes, table[placed], told[placed])
    conformed = gpd.GeoDataFrame(typed, geometry=table.geometry.values, crs=table.crs)
    return _as_in_file(conformed, table, stated), breaches


def _as_in_file(conformed: Table, table: pd.DataFrame, stated: pd.Index | None) -> Table:
    """Return a table that knows where its rows stand and what its file calls its columns, as the one that was read."""
    placed = conformed if stated is None else conformed.set_axis(stated)
    placed.attrs[HEADINGS] = table.attrs.get(HEADINGS, {})
    return placed


def text(values: pd.Series) -> pd.Series:
    """Return values as clean text: no control characters, no blanks around, at most `TEXT_LENGTH`, empty for none.

    A whole number is written without a decimal point, for files often keep ids as floating-point numbers.
    """
    if pd.api.types.is_float_dtype(values):
        stated = values.dropna()
        if (np.isfinite(stated) & (stated % 1 == 0) & (stated.abs() < _LARGEST)).all():
            values = values.astype("Int64")
    plain = values.astype("str")
    if values.hasnans:
        plain = plain.where(values.notna(), "")
    return plain.str.replace(UNPRINTABLE, " ", regex=True).str.strip().str.slice(0, TEXT_LENGTH)


def headed(table: pd.DataFrame, name: str) -> str:
    """Return a column of ours as messages name it: with the heading that it has in its file."""
    theirs: Mapping[str, str] = table.attrs.get(HEADINGS, {})
    return f"{theirs[name]} ({name})" if name in theirs else name


def row_names(layer: str, table: pd.DataFrame) -> pd.Series:
    """Return by what each row is told of: its first id, else its place."""
    place = places_of(table)
    named_by = next((c.name for c in LAYERS[layer].columns if c.kind == "id" and c.name in table), "")
    label = text(table[named_by]) if named_by else place
    return label.where(label != "", place)


def places_of(table: pd.DataFrame) -> pd.Series:
    """Return the place of each row in its file, which a text index states."""
    stated = pd.api.types.is_string_dtype(table.index)
    places = table.index if stated else [f"row {i}" for i in range(1, len(table) + 1)]
    return pd.Series(places, index=table.index, dtype="str")


def _typed(layer: str, column: Column, values: pd.Series, told: pd.Series) -> tuple[pd.Series, list[Breach]]:
    """Return a column in its type, and the breaches of its values."""
    if column.kind == "number":
        return _numbers(layer, column, values, told)
    if column.kind == "flag":
        return _flags(layer, column, values, told)
    plain = text(values)
    return plain.where(plain != "", str(column.default)), _check_digits(layer, column, values, told)


def _check_digits(layer: str, column: Column, values: pd.Series, told: pd.Series) -> list[Breach]:
    """Check that ids which were kept as floating-point numbers are whole."""
    if column.kind != "id" or not pd.api.types.is_float_dtype(values):
        return []
    message = Said(
        "{} is a number of which the last digits are lost; export it from its source again, as text", column.name
    )
    return _broken(layer, "rounded-id", message, told, values.abs() >= EXACT, column=column.name)


def _numbers(layer: str, column: Column, values: pd.Series, told: pd.Series) -> tuple[pd.Series, list[Breach]]:
    plain = text(values)
    empty = plain == ""
    numeric = pd.api.types.is_numeric_dtype(values)
    number = pd.to_numeric(values if numeric else plain, errors="coerce").astype("float64")
    bad = number.isna() & ~empty
    infinite = np.isinf(number)
    negative = ~infinite & (number < 0)
    below = (
        "{} is below 0{}; write the right number"
        if column.required
        else "{} is below 0{}; write the right number, or nothing where it is not known"
    )
    name = column.name
    no_number = Said("{} is not a number{}", name, _example(layer, ", e.g.", plain[bad]))
    below_0 = Said(below, name, _example(layer, ", e.g.", plain[negative]))
    breaches = [
        *_broken(layer, "not-a-number", no_number, told, bad, column=name, values=plain),
        *_broken(layer, "not-finite", Said("{} is infinite", name), told, infinite, column=name, values=plain),
        *_broken(layer, "negative-number", below_0, told, negative, column=name, values=plain),
    ]
    if column.required:
        message = Said("{} is empty; write 0 for none", name)
        breaches += _broken(layer, "missing-number", message, told, empty, column=name)
    return number.where(~empty, float(column.default)), breaches


def _flags(layer: str, column: Column, values: pd.Series, told: pd.Series) -> tuple[pd.Series, list[Breach]]:
    yes, no = dict.fromkeys((*YES_WORDS, "是"), True), dict.fromkeys(("no", "false", "0", "否"), False)
    words: dict[str, object] = {**yes, **no, "": column.default}
    plain = text(values).str.lower()
    known = plain.isin(words)
    message = Said("{} must be yes or no (true, false, 1, 0){}", column.name, _example(layer, ", not", plain[~known]))
    flags = plain.map(words).where(known, column.default).astype(bool)
    return flags, _broken(layer, "not-a-flag", message, told, ~known, column=column.name, values=plain)


def _broken(
    layer: str,
    rule: str,
    message: str,
    told: pd.Series,
    broken: pd.Series,
    *,
    column: str,
    values: pd.Series | None = None,
) -> list[Breach]:
    """Return a breach for the rows whose cell of a column is broken; ``told`` may have an index of its own."""
    rows = broken.to_numpy()
    return breach(layer, rule, message, told[rows], column=column, values=() if values is None else values[rows])


def _example(layer: str, before: str, values: pd.Series) -> str:
    """Return the first value as part of a message; none of a table of persons, where a name may stand in any cell."""
    return "" if layer in OF_PERSONS else Said("{} {!r}", sentence(before), values.head(1).str.cat())


def _check_ids(layer: str, key: str, table: pd.DataFrame, label: pd.Series, told: pd.Series) -> list[Breach]:
    several = label.duplicated(keep=False) & (label != "")
    twice = label.set_axis(told.index)[several.to_numpy()].drop_duplicates()
    rows = pd.DataFrame(table[several]).astype("str").assign(**{LAYERS[layer].key: label[several]}).drop_duplicates()
    n_unlike = int((rows[LAYERS[layer].key].value_counts() > 1).sum())
    alike = "; the rows of one id are the same in all that is read of them: take one out"
    unlike = "; the rows of one id differ: find out which is right, or give each an id of its own"
    mixed = Said("; {} of these stand in rows that differ, the others in two of one row: take one out", n_unlike)
    how: str = alike if not n_unlike else unlike if n_unlike == len(twice) else mixed
    return [
        *_broken(layer, "missing-id", Said("{} is empty; give every row an id", key), told, label == "", column=key),
        *breach(layer, "duplicate-id", Said("{} must differ from row to row{}", key, sentence(how)), twice, column=key),
    ]


def _check_geometry(layer: str, shapes: frozenset[str], table: gpd.GeoDataFrame, told: pd.Series) -> list[Breach]:
    """Check that every row has a geometry of the right type whose coordinates can be meant."""
    faults = place_faults(shapes, table)
    breaches = []
    for rule, message, rows in faults:
        more = _unread(layer, table[rows]) if rule == "not-finite" and rows.any() else ""
        breaches += breach(layer, rule, Said("{}{}", sentence(message), more), told[rows])
    if table.crs is None or not (table.crs.is_geographic or table.crs.is_projected):
        message = (
            "has no coordinate system on the earth; state it in the study file, "
            'e.g. crs = "EPSG:4490" for degrees of CGCS2000'
        )
        breaches.append(Breach(layer, "no-crs", message, count=1))
    return breaches


def _unread(layer: str, table: pd.DataFrame) -> str:
    """Return the first coordinate of a plain table that is no number as part of a message, and what to do about it."""
    for axis in (axis for axis in (*POSITION, *PLANE) if axis in table):
        cells = text(table[axis])
        unread = cells[pd.to_numeric(cells, errors="coerce").isna() & (cells != "")]
        if len(unread):
            shown = _example(layer, Said("; {} is", headed(table, axis)), unread)
            if unread.head(1).str.match(_TWO_NUMBERS).any():
                return Said("{}: two numbers in one cell; part them into two columns, such as lon and lat", shown)
            return Said("{}: write the number alone, as 123.95 is written", shown)
    return ""


def place_faults(shapes: frozenset[str], table: gpd.GeoDataFrame) -> list[Fault]:
    """Return what is wrong with the places of rows that should be of these geometry types, and with which rows."""
    geometry = table.geometry.to_numpy()
    absent = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    kinds = np.where(absent, "", table.geometry.geom_type.fillna("").to_numpy(dtype=object))
    wrong = ~absent & ~np.isin(kinds, list(shapes))
    right, those = (map(sentence, sorted(names)) for names in (shapes, set(kinds[wrong])))
    message = Said("must be {}, not {}", joined(right), joined(those, "{}, {}"))
    xy, row = shapely.get_coordinates(geometry, return_index=True)
    endless = ~np.isfinite(xy).all(axis=1)
    faults = [
        ("no-geometry", "has no coordinates", absent),
        ("wrong-geometry", message, wrong),
        ("not-finite", "a coordinate is NaN or infinite", _rows_of(row[endless], len(table))),
    ]
    if table.crs is not None and table.crs.is_geographic:
        faults += _degree_faults(xy[~endless], row[~endless], len(table))
    return faults


def _degree_faults(xy: npt.NDArray[np.float64], row: npt.NDArray[np.intp], n_rows: int) -> list[Fault]:
    """Return which rows have longitudes and latitudes that are none, and what they look like."""
    beyond = (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90)
    swapped = beyond & (np.abs(xy[:, 0]) <= 90) & (np.abs(xy[:, 1]) <= 180)
    first = "longitude and latitude are swapped: longitude comes first (column lon, or x)"
    message = Said("not a longitude and latitude in degrees; {}", _advice(xy[beyond & ~swapped]))
    return [
        ("swapped-axes", first, _rows_of(row[swapped], n_rows)),
        ("not-degrees", message, _rows_of(row[beyond & ~swapped], n_rows)),
    ]


def _advice(xy: npt.NDArray[np.float64]) -> str:
    """Return what to do about numbers that are no degrees."""
    grid = grid_of(xy)
    return Said("they look like metres: {}", grid.advice) if grid else Said("if they are metres, state their crs")


def _rows_of(rows: npt.NDArray[np.intp], n_rows: int) -> BoolArray:
    """Return (n_rows,) whether each row is among these."""
    among = np.zeros(n_rows, dtype=np.bool_)
    among[rows] = True
    return among
