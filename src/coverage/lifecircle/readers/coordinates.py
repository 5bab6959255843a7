"""What a file's coordinates mean: the system that they are in, stated by the file or by the study, and their datum."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.transformer import AreaOfInterest, TransformerGroup

from lifecircle.datum import WEB_MAPS, ZONE_M, grid_of, in_china, regarded
from lifecircle.errors import Breach
from lifecircle.readers.aliases import plain_heading
from lifecircle.readers.inputs import Input
from lifecircle.readers.metric import LON_LAT
from lifecircle.said import Said
from lifecircle.schema import PLANE, POSITION

_WEB_MERCATOR = "EPSG:3857"
_BOTH = re.compile(r"(?:.*[^xy东北横纵])?坐标|.*经纬度?|l(?:on|ng)_?lat|lat_?l(?:on|ng)|location")
_TRANSVERSE = "Transverse Mercator"
_OF_SATELLITES = (6_378_137.0, 298.257223)
"""Longer half axis, metres, and inverse flattening of the ellipsoids of WGS 84, GRS 80 and CGCS2000."""

_ROUGH_M = 5.0
"""A datum that is known to so many metres from WGS 84 is as good as the rest of the data."""


def axes_of(source: Input) -> tuple[tuple[str, str], str]:
    """Return the two columns that place the rows of a plain table, easting first, and the system that they are in."""
    if source.crs and CRS(source.crs).is_projected:
        return PLANE, source.crs
    return POSITION, source.crs or LON_LAT


def column_of_both(headings: Iterable[str]) -> str:
    """Return the heading of a column that may hold both coordinates of a place, empty for none."""
    return next((heading for heading in headings if _BOTH.fullmatch(plain_heading(heading))), "")


def understood(source: Input, table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return a layer in the system that it is said to be in; one in the datum of a web map is brought to WGS 84.

    ``crs`` of the input stands where the file states none, one that its own numbers belie, or one that lies nowhere on
    the earth, as a town's own grid does of which the file does not say where it begins.
    """
    if table.crs is not None and not (table.crs.is_geographic or table.crs.is_projected):
        table = table.set_crs(None, allow_override=True)
    placed, breaches = _in_stated_crs(source, table)
    if not breaches and (loose := _loosely_tied(source, placed)):
        breaches = [loose]
    if breaches or source.datum not in WEB_MAPS or placed.crs is None:
        return placed, breaches
    degrees = placed if placed.crs.is_geographic else placed.to_crs(LON_LAT)
    shapes = degrees.geometry.to_numpy().copy()
    lonlat = regarded(shapely.get_coordinates(shapes), was="wgs84", instead=source.datum)
    return degrees.set_geometry(shapely.set_coordinates(shapes, lonlat), crs=LON_LAT), []


def is_vague(source: Input, table: gpd.GeoDataFrame) -> bool:
    """Return whether a layer may be in WGS 84 or shifted: it lies in China, and neither study nor file tells.

    That a file is in EPSG:4326 or 3857 tells nothing: for want of a code of their own, points of web maps are saved so.
    """
    crs = table.crs
    if source.datum or crs is None or not (crs.equals(LON_LAT, ignore_axis_order=True) or crs.equals(_WEB_MERCATOR)):
        return False
    lonlat = shapely.get_coordinates(table.geometry.to_crs(LON_LAT).to_numpy())
    placed = lonlat[(np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)]  # what is no degrees is told, and says nothing here
    return len(placed) > 0 and bool(2 * in_china(placed).sum() >= len(placed))


def _in_stated_crs(source: Input, table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Give the layer the coordinate system that the study states of it, and hold the numbers against it."""
    own, xy = table.crs, shapely.get_coordinates(table.geometry.to_numpy())
    stated = CRS(source.crs) if source.crs else own
    if stated is None:
        return table, []
    belied = own is not None and own.is_geographic and grid_of(xy) is not None
    if own is not None and not belied and not own.equals(stated, ignore_axis_order=True):
        message = Said(
            "the file says that it is in {}, the study {}; take crs out, or mend the file", own.name, source.crs
        )
        return table, [Breach(source.layer, "other-crs", message, (source.path,), 1)]
    placed = table.set_crs(stated, allow_override=True)
    if stated.is_projected and (problem := _unlike(stated, xy)):
        return placed, [Breach(source.layer, *problem, (source.path,), 1)]
    return placed, []


def _loosely_tied(source: Input, table: gpd.GeoDataFrame) -> Breach | None:
    """Return how well the layer's datum is tied to WGS 84, None where that is nothing to speak of.

    A datum on an ellipsoid such as WGS 84's is one of satellites and lies within a metre or two, whether or not anybody
    says so; older ones lie up to hundreds of metres off, and for some no way to WGS 84 is published.
    """
    crs = table.crs
    if crs is None or crs.geodetic_crs is None or not np.isfinite(table.total_bounds).all():
        return None
    earth = crs.geodetic_crs.ellipsoid
    if earth is not None and np.allclose(
        [earth.semi_major_metre, earth.inverse_flattening], _OF_SATELLITES, rtol=0, atol=1e-4
    ):
        return None
    box = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform_bounds(*table.total_bounds)
    area = AreaOfInterest(*box) if np.isfinite(box).all() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a finer way may need a grid that is not installed
        ways = TransformerGroup(crs, LON_LAT, always_xy=True, area_of_interest=area, allow_ballpark=False).transformers
    if not ways:
        message = Said(
            "nobody publishes how {} lies to WGS 84, and it may be some hundred metres off; have "
            "the office that gave it out convert it to CGCS2000",
            crs.geodetic_crs.name,
        )
        return Breach(source.layer, "untied-datum", message, (source.path,), 1)
    if ways[0].accuracy <= _ROUGH_M:
        return None
    message = Said("{} is brought to WGS 84 to {:.0f} m at best", crs.geodetic_crs.name, ways[0].accuracy)
    return Breach(source.layer, "rough-datum", message, (source.path,), 1, "warning")


def _unlike(crs: CRS, xy: np.ndarray) -> tuple[str, str] | None:
    """Return the rule and the message of numbers that are degrees or in another zone, None where they fit."""
    if len(xy) and (np.abs(xy) <= (180.0, 90.0)).all():
        x, y = xy[0]
        message = Said(
            "{:g}, {:g} look like degrees, and {} is in metres; take crs out, or state another", x, y, crs.name
        )
        return "not-metres", message
    operation, grid = crs.coordinate_operation, grid_of(xy)
    if grid is None or operation is None or operation.method_name != _TRANSVERSE:
        return None
    if grid.swapped:
        return "swapped-axes", "the northing comes first; x is the easting, y the northing: swap them"
    false_m = next(p.value for p in operation.params if p.name == "False easting")
    zone_m = float(np.floor_divide(np.nanmedian(xy[:, 0]), ZONE_M)) * ZONE_M
    if grid.epsg and np.floor_divide(false_m, ZONE_M) * ZONE_M != zone_m:
        return "wrong-zone", Said("its eastings begin with the number of their zone; {}", grid.advice)
    return None
