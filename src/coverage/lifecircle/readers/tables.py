"""GeoPackage, GeoJSON, Shapefile and CSV as tables in our column names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from lifecircle.errors import Breach
from lifecircle.mark import MARK, YES_WORDS, is_mark
from lifecircle.readers.files import Located
from lifecircle.readers.study_file import Input, Where
from lifecircle.schema import LAYERS, POSITION, known_column, missing_columns, nearest, text

LON_LAT = "EPSG:4326"

Made = tuple[pd.DataFrame | None, bool, list[Breach]]

_LIBRARY_ERRORS = (
    *(pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError),
    *(pyogrio.errors.GeometryError, pd.errors.ParserError, shapely.errors.ShapelyError),
)


def read_table(located: Located) -> Made:
    """Read a layer from a file that is not OpenStreetMap's; only the columns that the layer has are read.

    Returns
    -------
    tuple
        The table in our column names (a GeoDataFrame where the layer has a geometry), None when it cannot be used;
        whether any of its rows says that it is made up; and what is wrong with it.
    """
    layer = located.input.layer
    caught: list[warnings.WarningMessage]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            table, synthetic, breaches = (_read_csv if located.format.name == "CSV" else _read_features)(located)
    except UnicodeDecodeError:
        tried = located.input.encoding or "UTF-8"
        message = f'is not {tried}; state the encoding, e.g. encoding = "gb18030"'
        return None, False, [Breach(layer, "encoding", message, (located.input.path,), 1)]
    except LookupError:
        message = f"there is no encoding {located.input.encoding!r}"
        return None, False, [Breach(layer, "encoding", message, (located.input.path,), 1)]
    except (*_LIBRARY_ERRORS, ValueError) as error:
        message = f"cannot be read: {error}".splitlines()[0]
        return None, False, [Breach(layer, "unreadable", message, (located.input.path,), 1)]
    for warning in caught:
        breaches.append(Breach(layer, "reading", str(warning.message), (located.input.path,), 1, "warning"))
    return table, synthetic, breaches


def _read_csv(located: Located) -> Made:
    table = pd.read_csv(
        located.path,
        dtype="str",
        keep_default_na=False,
        encoding=located.input.encoding or "utf-8-sig",
        skipinitialspace=True,
    )
    table.columns = table.columns.str.strip()
    layer, existing = located.input.layer, list(table.columns)
    ours, synthetic, breaches = _ours(located.input, table, existing)
    if ours is None or not LAYERS[layer].shapes:
        return ours, synthetic, breaches
    absent = [axis for axis in POSITION if axis not in ours]
    for axis in absent:
        message = f"there is no column {axis}, in degrees of WGS 84; the file has {', '.join(existing)}"
        breaches.append(Breach(layer, "missing-column", message, (axis,), 1))
    if absent:
        return None, synthetic, breaches
    lon, lat = (pd.to_numeric(ours[axis], errors="coerce").astype("float64") for axis in POSITION)
    return gpd.GeoDataFrame(ours, geometry=shapely.points(lon, lat), crs=LON_LAT), synthetic, breaches


def _read_features(located: Located) -> Made:
    source = located.input
    spatial = bool(LAYERS[source.layer].shapes)
    layers = [str(name) for name, _ in pyogrio.list_layers(located.path)]
    if source.table and source.table not in layers:
        message = f"there is no layer {source.table!r} in it; there are {', '.join(layers)}"
        return None, False, [Breach(source.layer, "unknown-layer", message, (source.path,), 1)]
    if not source.table and len(layers) != 1:
        message = f"holds several layers; say which: layer = one of {', '.join(layers)}"
        return None, False, [Breach(source.layer, "unknown-layer", message, (source.path,), 1)]
    options = {"layer": source.table or layers[0], "encoding": source.encoding or None}
    existing = [str(name) for name in pyogrio.read_info(located.path, **options)["fields"]]
    wanted = {*source.columns.values(), *(key for table in source.where for key in table)}
    reading = [name for name in existing if name in wanted or _our_name(source.layer, name)]
    # A ring that does not end where it begins is closed; the library's own remark about it is passed on.
    table = pyogrio.read_dataframe(located.path, columns=reading, read_geometry=spatial, on_invalid="fix", **options)
    if isinstance(table, gpd.GeoDataFrame):
        table = table.set_geometry(shapely.force_2d(table.geometry.to_numpy()), crs=table.crs)
    ours, synthetic, breaches = _ours(source, table, existing)
    if spatial and not isinstance(table, gpd.GeoDataFrame):
        breaches = [Breach(source.layer, "no-geometry", "is a table without geometry", (source.path,), 1)]
        return None, synthetic, breaches
    return ours, synthetic, breaches


def _ours(source: Input, table: pd.DataFrame, existing: list[str]) -> Made:
    """Filter the rows, rename the columns to ours, drop the others, and tell which are missing.

    A table that cannot be used bears the mark if any row of the file does.
    """
    marks = [name for name in existing if is_mark(name) or name == source.columns.get(MARK)]
    breaches = []
    for ours, theirs in source.columns.items():
        if theirs not in existing:
            hint = nearest(theirs, existing)
            advice = f"did you mean {hint}?" if hint else f"the file has {', '.join(existing)}"
            message = f"there is no column {theirs}, which is to be {ours}; {advice}"
            breaches.append(Breach(source.layer, "missing-column", message, (theirs,), 1))
    for key in dict.fromkeys(key for wanted in source.where for key in wanted if key not in existing):
        message = f"there is no column {key}, by which rows are to be chosen"
        breaches.append(Breach(source.layer, "missing-column", message, (key,), 1))
    if breaches:
        return None, _says_yes(table[marks]), breaches
    theirs_of = {ours: name for name in existing if (ours := _our_name(source.layer, name))} | dict(source.columns)
    breaches += missing_columns(source.layer, list(theirs_of), existing)
    kept = table[_passes(table, source.where)]
    columns = {ours: kept[theirs] for ours, theirs in theirs_of.items()}
    named = pd.DataFrame(columns, index=kept.index).reset_index(drop=True)
    if isinstance(kept, gpd.GeoDataFrame):
        named = gpd.GeoDataFrame(named, geometry=kept.geometry.values, crs=kept.crs)
    return named, _says_yes(kept[marks]), breaches


def _our_name(layer: str, name: str) -> str:
    """Return which of the layer's columns a file's column is, empty for none."""
    if is_mark(name):
        return MARK
    return name if known_column(layer, name) else ""


def _says_yes(flags: pd.DataFrame) -> bool:
    """Return whether any cell says yes."""
    return any(text(flags[name]).str.lower().isin(YES_WORDS).any() for name in flags.columns)


def _passes(table: pd.DataFrame, where: Where) -> pd.Series:
    """Return which rows the filter lets through; values are compared as text."""
    if not where:
        return pd.Series(True, index=table.index)

    def holds(key: str, values: tuple[str, ...]) -> pd.Series:
        plain = text(table[key])
        return plain.isin(values) if values else plain != ""

    def meets(wanted: Mapping[str, tuple[str, ...]]) -> pd.Series:
        return pd.concat([holds(key, values) for key, values in wanted.items()], axis=1).all(axis=1)

    return pd.concat([meets(wanted) for wanted in where], axis=1).any(axis=1)
