"""Requests for a station, as a table of points."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from lifecircle.datum import DATUMS
from lifecircle.errors import Breach, SchemaError, SourceError, UnknownNameError
from lifecircle.readers.files import SOURCE_RULES, locate
from lifecircle.readers.inputs import Input
from lifecircle.readers.layers import read_placed
from lifecircle.readers.metric import CRS_EXAMPLES, known_crs
from lifecircle.schema import conform

LAYER = "requests"


def read_requests(path: str | Path, *, datum: str = "", crs: str = "") -> gpd.GeoDataFrame:
    """Read requests from a CSV with ``lon`` and ``lat``, a GeoPackage, a GeoJSON file or a Shapefile.

    Parameters
    ----------
    datum
        That of the coordinates, a name of `lifecircle.datum.DATUMS`; those of web maps are brought to WGS 84.
    crs
        The system of the file's coordinates, e.g. ``EPSG:4549``, where the file does not say it.

    Returns
    -------
    GeoDataFrame
        One row a request, in the file's order: ``request_id``, ``item`` (empty: any station will do), a point in the
        file's CRS; and ``synthetic`` where the file has it, whether the row says that it is made up.

    Raises
    ------
    UnknownNameError
        When there is no such datum or coordinate system.
    SourceError
        When the file is missing or cannot be read.
    SchemaError
        When it breaks a rule; every breach is listed.
    """
    path = Path(path)
    if datum not in ("", *DATUMS):
        raise UnknownNameError(f"datum must be one of {', '.join(DATUMS)}, not {datum!r}")
    if crs and not known_crs(crs):
        raise UnknownNameError(f"crs must be {CRS_EXAMPLES}, not {crs!r}")
    file = locate(Input(LAYER, path.name, datum=datum, crs=known_crs(crs)), path.parent)
    if not isinstance(file, Breach) and file.format.is_osm:
        file = Breach(LAYER, "unknown-format", "requests are not read from OpenStreetMap files", (path.name,), 1)
    if isinstance(file, Breach):
        raise SourceError(f"{path}: no requests", breaches=[file])
    table, _, breaches = read_placed(file)
    if table is not None:
        table, found = conform(LAYER, table)
        breaches += found
    errors = [b for b in breaches if b.severity == "error"]
    if errors:
        kind = SourceError if any(b.rule in SOURCE_RULES for b in errors) else SchemaError
        raise kind(f"{path}: the requests cannot be used", breaches=errors)
    return table
