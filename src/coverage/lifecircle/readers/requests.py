"""Requests for a station, as a table of points."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from lifecircle.errors import Breach, SchemaError, SourceError
from lifecircle.readers.files import SOURCE_RULES, locate
from lifecircle.readers.study_file import Input
from lifecircle.readers.tables import read_table
from lifecircle.schema import conform

LAYER = "requests"


def read_requests(path: str | Path) -> gpd.GeoDataFrame:
    """Read requests from a CSV with ``lon`` and ``lat``, a GeoPackage, a GeoJSON file or a Shapefile.

    Returns
    -------
    GeoDataFrame
        One row a request, in the file's order: ``request_id``, ``item`` (empty: any station will do), a point in the
        file's CRS; and ``synthetic`` where the file has it, whether the row says that it is made up.

    Raises
    ------
    SourceError
        When the file is missing or cannot be read.
    SchemaError
        When it breaks a rule; every breach is listed.
    """
    path = Path(path)
    file = locate(Input(LAYER, path.name), path.parent)
    if not isinstance(file, Breach) and file.format.is_osm:
        file = Breach(LAYER, "unknown-format", "requests are not read from OpenStreetMap files", (path.name,), 1)
    if isinstance(file, Breach):
        raise SourceError(f"{path}: no requests", breaches=[file])
    table, _, breaches = read_table(file)
    if table is not None:
        table, found = conform(LAYER, table)
        breaches += found
    errors = [b for b in breaches if b.severity == "error"]
    if errors:
        kind = SourceError if any(b.rule in SOURCE_RULES for b in errors) else SchemaError
        raise kind(f"{path}: the requests cannot be used", breaches=errors)
    return table
