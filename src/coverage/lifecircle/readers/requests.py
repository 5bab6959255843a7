"""Requests for a station, as a table of points: none is lost, those that cannot be used say why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.conform import Fault, conform, place_faults, row_names
from lifecircle.datum import DATUMS, datum_named
from lifecircle.errors import Breach, InputError, SchemaError, SourceError, UnknownNameError
from lifecircle.readers.assembly import FAR, is_local
from lifecircle.readers.coordinates import is_vague, understood
from lifecircle.readers.files import SOURCE_RULES, locate
from lifecircle.readers.inputs import Input
from lifecircle.readers.metric import CRS_EXAMPLES, known_crs
from lifecircle.readers.shifts import unstated_datum
from lifecircle.readers.tables import read_table
from lifecircle.said import Said
from lifecircle.schema import LAYERS, breach

LAYER = "requests"

PROBLEM = "problem"
"""The rule that a row breaks so that no station can be found for it; empty for a sound one."""

FAR_AWAY, NOUGHT = "wrong-place", "zero-coordinates"
PROBLEMS = {
    "missing-id": "the row has no request_id",
    "no-geometry": "the row has no coordinates",
    "wrong-geometry": "its place is no point",
    "not-finite": "a coordinate is no number",
    "swapped-axes": "longitude and latitude are swapped",
    "not-degrees": "the coordinates are no degrees",
    "duplicate-id": "a sound row above it has the same request_id",
    NOUGHT: "both coordinates are 0, as programs write what they do not know; look the place up",
    FAR_AWAY: FAR,
}
"""What a row may be given back for, in the order in which one of several is named."""

_IN_CELLS = ("formula-cell", "bad-wkt")
"""Rules that a single cell breaks: its row has no id or no place by then."""


def read_requests(path: str | Path, *, datum: str = "", crs: str = "") -> gpd.GeoDataFrame:
    """Read requests from any table of points, such as a CSV with ``lon`` and ``lat``.

    Parameters
    ----------
    datum
        That of the coordinates, as `lifecircle.datum.datum_named` knows it; those of web maps are brought to WGS 84.
    crs
        The system of the file's coordinates, e.g. ``EPSG:4549``, where the file does not say it.

    Returns
    -------
    GeoDataFrame
        One row a request, in the file's order: ``request_id``, ``item`` (empty: any station will do), a point in the
        file's CRS; ``problem``, empty or a key of `PROBLEMS`, for which the row has no point; and ``synthetic`` where
        the file has it, whether the row says that it is made up.

    Raises
    ------
    UnknownNameError
        When there is no such datum or coordinate system.
    SourceError
        When the file is missing or cannot be read.
    SchemaError
        When it breaks a rule as a whole, or no row of it can be used; every breach is listed.
    """
    table, breaches = check_requests(path, datum=datum, crs=crs)
    if table is None:
        raise unusable(path, breaches)
    return table


def unusable(path: str | Path, breaches: Iterable[Breach], *, language: str = "en") -> InputError:
    """Return the error of a file of requests of which nothing can be used."""
    errors = [b for b in breaches if b.severity == "error"]
    kind = SourceError if any(b.rule in SOURCE_RULES for b in errors) else SchemaError
    return kind(Said("{}: the requests cannot be used", path), breaches=errors, language=language)


def check_requests(path: str | Path, *, datum: str = "", crs: str = "") -> tuple[gpd.GeoDataFrame | None, list[Breach]]:
    """Read requests without raising for what the file holds; the parameters are those of `read_requests`.

    Returns
    -------
    tuple
        The requests, None where nothing of the file can be used; and every error, repair and warning.

    Raises
    ------
    UnknownNameError
        When there is no such datum or coordinate system.
    """
    path = Path(path)
    if datum and not datum_named(datum):
        raise UnknownNameError(Said("datum must be one of {}, not {!r}", ", ".join(DATUMS), datum))
    if crs and not known_crs(crs):
        raise UnknownNameError(Said("crs must be {}, not {!r}", CRS_EXAMPLES, crs))
    source = Input(LAYER, path.name, datum=datum_named(datum), crs=known_crs(crs))
    file = locate(source, path.parent)
    if not isinstance(file, Breach) and file.format.is_osm:
        file = Breach(LAYER, "unknown-format", "requests are not read from OpenStreetMap files", (path.name,), 1)
    if isinstance(file, Breach):
        return None, [file]
    table, _, in_cells = read_table(file)
    if not isinstance(table, gpd.GeoDataFrame):
        return None, in_cells
    table, of_all = understood(source, table)
    vague = [unstated_datum(LAYER, path.name)] if is_vague(source, table) else []
    table, of_rows = conform(LAYER, table)
    table = table.reset_index(drop=True)
    breaches = [*in_cells, *of_all, *vague, *of_rows]
    in_one_row = [b for b in (*in_cells, *of_rows) if b.rule in (*PROBLEMS, *_IN_CELLS)]
    if any(b.severity == "error" for b in breaches if b not in in_one_row):
        return None, breaches
    nought = (shapely.bounds(table.geometry.to_numpy()) == 0).all(axis=1)
    breaches += breach(LAYER, NOUGHT, PROBLEMS[NOUGHT], row_names(LAYER, table)[nought])
    table = with_problems(table)
    if (table[PROBLEM] != "").all():
        return None, breaches
    return table, [replace(b, severity="warning") if b.severity == "error" else b for b in breaches]


def with_problems(requests: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return requests with ``problem``, the first of `PROBLEMS` for which a row cannot be used; it loses its place."""
    nameless: Fault = ("missing-id", "", (requests["request_id"] == "").to_numpy())
    table = requests
    for rule, _, rows in (nameless, *place_faults(LAYERS[LAYER].shapes, requests)):
        table = _given_back(table, rule, rows)
    table = _given_back(table, NOUGHT, (shapely.bounds(table.geometry.to_numpy()) == 0).all(axis=1))
    sound = table["request_id"].where(table[PROBLEM] == "")
    return _given_back(table, "duplicate-id", (sound.duplicated() & sound.notna()).to_numpy())


def in_metres(requests: gpd.GeoDataFrame, crs: CRS) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return requests in the metric CRS of a study, and tell which of them lie too far away to be meant."""
    placed = requests if PROBLEM in requests else requests.assign(**{PROBLEM: ""})
    placed = placed.to_crs(crs)
    points = placed.geometry.to_numpy()
    far = ~is_local(shapely.bounds(points)) & (placed[PROBLEM] == "").to_numpy()
    return _given_back(placed, FAR_AWAY, far), breach(LAYER, FAR_AWAY, FAR, placed["request_id"][far], "warning")


def _given_back(table: gpd.GeoDataFrame, rule: str, rows: np.ndarray) -> gpd.GeoDataFrame:
    """Return the requests, these rows without a place and, where nothing is said of them yet, with their problem."""
    said = table[PROBLEM] if PROBLEM in table else pd.Series("", index=table.index, dtype="str")
    shapes = np.where(rows, None, table.geometry.to_numpy())
    told = table.assign(**{PROBLEM: said.mask(rows & (said == ""), rule)})
    return told.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=table.crs))
