"""Requests in a batch: the rows that `lifecircle assign` writes, for requests that come in over HTTP."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.api.desk import Desk
from lifecircle.api.encode import as_json
from lifecircle.api.shapes import Batch
from lifecircle.dispatch import assign
from lifecircle.dispatch.requests import check_order, check_times
from lifecircle.dispatch.roster import calendar_of
from lifecircle.readers.metric import LON_LAT
from lifecircle.readers.requests import with_problems
from lifecircle.said import in_language
from lifecircle.sheets import DECIMALS

COLUMNS = ("request_id", "item", "at", "urgency", "priority")


def assigned_rows(desk: Desk, batch: Batch) -> bytes:
    """Return the rows of assigned.csv in the order of the requests, as JSON; what there is none of is null."""
    asked = batch.requests
    missing = np.array([request.lon is None or request.lat is None for request in asked])
    lon, lat = (
        np.array([np.nan if v is None else v for v in c], dtype=np.float64)
        for c in ([request.lon for request in asked], [request.lat for request in asked])
    )
    points = shapely.points(lon, lat)
    points[missing] = None
    table = gpd.GeoDataFrame(
        {column: [getattr(request, column) for request in asked] for column in COLUMNS},
        geometry=points,
        crs=LON_LAT,
    )
    rows = assign(desk.study, with_problems(table), ground=desk.ground)
    figures = {c: rows[c].round(DECIMALS).astype(object).where(rows[c].notna(), None) for c in ("walk_m", "walk_s")}
    dispatch = desk.study.settings.dispatch
    findings = [*check_order(table, dispatch.urgency), *check_times(table, calendar_of(desk.study))]
    notes = [in_language(finding.message, desk.language) for finding in findings]
    return as_json({"notes": notes, "assigned": rows.assign(**figures).to_dict("records")})
