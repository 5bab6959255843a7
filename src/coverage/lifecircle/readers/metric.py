"""One metric CRS for a study, and what lies in what once the layers are in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import TransverseMercatorConversion
from pyproj.exceptions import CRSError

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach
from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.readers.limits import USUAL, Limits
from lifecircle.readers.tangles import TANGLED, can_be_mended
from lifecircle.said import Said
from lifecircle.schema import breach

LON_LAT = "EPSG:4326"
CRS_EXAMPLES = Said('a code such as "EPSG:4490" (degrees) or "EPSG:4549" (metres)')
_CENTRE_DECIMALS = 2
_POINTS_PER_EDGE = 21

Box = tuple[float, float, float, float]


def known_crs(text: str) -> str:
    """Return the code of a coordinate system on the earth's surface as it is written, empty where it is none."""
    authority, _, number = text.upper().partition(":")
    try:
        found = CRS.from_epsg(int(number)) if authority == "EPSG" and number.isdecimal() else None
    except CRSError:
        found = None
    return f"EPSG:{int(number)}" if found is not None and (found.is_geographic or found.is_projected) else ""


def local_crs(box: Box) -> CRS:
    """Return the Transverse Mercator projection about the centre of a box in degrees, metres, scale 1 at the centre.

    Distances are true to 1 part in 10,000 within 90 km of the central meridian. The centre is rounded to 0.01 degree,
    so that a small change of the data does not move the projection.
    """
    west, south, east, north = box
    lon, lat = round((west + east) / 2, _CENTRE_DECIMALS), round((south + north) / 2, _CENTRE_DECIMALS)
    return ProjectedCRS(
        TransverseMercatorConversion(latitude_natural_origin=lat, longitude_natural_origin=lon),
        name=f"Local Transverse Mercator at {lon:.2f} E {lat:.2f} N (WGS 84)",
        geodetic_crs=CRS(LON_LAT),
    )


def project(lonlat: FloatArray, crs: CRS) -> FloatArray:
    """Return (n, 2) metres for (n, 2) degrees of WGS 84; infinite where the projection does not reach."""
    x, y = _from_degrees(crs).transform(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack([x, y]).astype(np.float64)


@lru_cache(maxsize=8)
def _from_degrees(crs: CRS) -> Transformer:
    """Return the way from degrees to metres; to look it up takes as long as to project 100,000 points."""
    return Transformer.from_crs(LON_LAT, crs, always_xy=True)


def project_box(box: Box, crs: CRS) -> Box:
    """Return the largest upright box, metres, that lies inside a box in degrees."""
    west, south, east, north = box
    along = np.linspace(0.0, 1.0, _POINTS_PER_EDGE)
    lon, lat = west + along * (east - west), south + along * (north - south)
    left, right = (project(np.column_stack([np.full_like(lat, x), lat]), crs)[:, 0] for x in (west, east))
    bottom, top = (project(np.column_stack([lon, np.full_like(lon, y)]), crs)[:, 1] for y in (south, north))
    return float(left.max()), float(bottom.max()), float(right.min()), float(top.min())


def mend(
    layer: str, key: str, frame: gpd.GeoDataFrame, *, limits: Limits = USUAL
) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return the layer with valid polygons; one of which nothing is left, or too tangled to be mended, is an error."""
    mended = frame.geometry.to_numpy().copy()
    invalid = ~shapely.is_valid(mended) & (shapely.get_dimensions(mended) == 2)
    if not invalid.any():
        return frame, []
    tangled = invalid.copy()
    tangled[invalid] = ~can_be_mended(mended[invalid], limits)
    invalid &= ~tangled
    mended[invalid] = shapely.make_valid(mended[invalid], method="structure", keep_collapsed=False)
    lost = invalid & shapely.is_empty(mended)
    ids = frame[key] if key else pd.Series([f"row {i + 1}" for i in range(len(frame))])
    message = "the outline encloses nothing; draw it anew"
    return frame.set_geometry(mended, crs=frame.crs), [
        *breach(layer, "invalid-polygon", "the outline crosses itself; mended", ids[invalid & ~lost], "repair"),
        *breach(layer, "no-area", message, ids[lost]),
        *breach(layer, "tangled-outline", TANGLED, ids[tangled]),
    ]


def to_metres(frame: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    """Return the layer in a metric system; where rounding lays a valid outline across itself, valid again."""
    moved = frame.to_crs(crs)
    before, after = frame.geometry.to_numpy(), moved.geometry.to_numpy().copy()
    crossed = shapely.is_valid(before) & ~shapely.is_valid(after)
    if crossed.any():
        after[crossed] = shapely.make_valid(after[crossed], method="structure", keep_collapsed=False)
        moved = moved.set_geometry(after, crs=crs)
    return moved


def as_points(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the layer with a point inside each geometry in its place."""
    return frame.set_geometry(shapely.point_on_surface(frame.geometry.values), crs=frame.crs)


def holder(places: gpd.GeoDataFrame, holders: gpd.GeoDataFrame, key: str) -> pd.Series:
    """Return for each place the ``key`` of the smallest polygon that holds it, its border included; empty for none.

    Of equally small polygons the smaller id holds it. Of areas that form a tree the lowest does: the only community of
    a subdistrict is no smaller than that.
    """
    points = shapely.point_on_surface(places.geometry.values)
    place, row = holders.sindex.query(points, predicate="intersects")  # whose tree stays with the layer
    solid = shapely.get_dimensions(holders.geometry.array[row]) == 2
    order = holding_order(holders, key, np.unique(row[solid]))
    rank = np.full(len(holders), len(order))
    rank[order] = np.arange(len(order))
    smallest = np.full(len(places), len(order))
    np.minimum.at(smallest, place[solid], rank[row[solid]])
    ids = np.append(holders[key].to_numpy(dtype=object)[order], "")
    return pd.Series(ids[smallest], index=places.index, dtype="str")


def holding_order(
    holders: gpd.GeoDataFrame, key: str, rows: npt.NDArray[np.intp] | None = None
) -> npt.NDArray[np.intp]:
    """Return the rows of polygons in the order in which they hold a place that several of them cover; see `holder`."""
    depth = AreaTree.of(holders).depths() if "parent_id" in holders else np.zeros(len(holders), dtype=np.int32)
    rows = np.arange(len(holders)) if rows is None else rows
    some = holders.iloc[rows]
    return rows[np.lexsort([ranks(some[key]), shapely.area(some.geometry.values), -depth[rows]])]


def on_earth(table: pd.DataFrame | None) -> gpd.GeoDataFrame | None:
    """Return a table that has places in a coordinate system on the earth's surface, None for any other."""
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        return None
    return table if table.crs.is_geographic or table.crs.is_projected else None


def ranks(ids: pd.Series) -> LongArray:
    """Return (n,) the place of each id in their order; equal ids share one."""
    return np.unique(ids.to_numpy(dtype=object), return_inverse=True)[1].astype(np.int64)


def near(layer: gpd.GeoSeries, box: Sequence[float], reach_m: float) -> BoolArray:
    """Return (n,) whether each geometry comes within ``reach_m`` of ``box`` along x and y; never one with no place."""
    west, south, east, north = box
    bounds = shapely.bounds(layer.values)
    inside: BoolArray = (
        (bounds[:, 0] <= east + reach_m)
        & (bounds[:, 2] >= west - reach_m)
        & (bounds[:, 1] <= north + reach_m)
        & (bounds[:, 3] >= south - reach_m)
    )
    return inside
