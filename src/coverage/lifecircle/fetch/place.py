"""Which place is meant, and the box around it that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import Geod

from lifecircle.errors import FetchError, UnknownNameError, printable
from lifecircle.readers.metric import Box
from lifecircle.said import Said, sentence

MOST_KM2 = 2000.0
"""Of a box: what one question can ask of a public server."""

SHOWN_PLACES = 9

_EARTH = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Place:
    """A place: its name, what a server calls it in full, its outline in degrees of WGS 84, and its id, ``r1``.

    The full name and the id are empty where the place is a box that was stated.
    """

    name: str
    outline: shapely.Polygon | shapely.MultiPolygon
    full_name: str = ""
    osm_id: str = ""


def outline_of(bbox: str) -> shapely.Polygon:
    """Return the outline that ``west,south,east,north`` means, degrees of WGS 84.

    Raises
    ------
    ValueError
        When it is not that.
    """
    try:
        west, south, east, north = (float(side) for side in bbox.split(","))
    except ValueError:
        west = south = east = north = np.nan
    if not _are_sides(west, south, east, north):
        message = "must be west,south,east,north in degrees, such as 7.41,43.73,7.43,43.75"
        for a, b, c, d, order in (
            (south, west, north, east, "latitudes come first"),
            (west, north, east, south, "the north comes before the south"),
            (east, south, west, north, "the east comes before the west"),
            (west, east, south, north, "the longitudes come first, and then the latitudes"),
        ):
            if _are_sides(a, b, c, d):
                message += f"; in {bbox} {order}: write {a},{b},{c},{d}"
                break
        raise ValueError(message)
    return shapely.box(west, south, east, north)


def _are_sides(west: float, south: float, east: float, north: float) -> bool:
    return -180 <= west < east <= 180 and -90 <= south < north <= 90


def choose(name: str, found: Sequence[Any], *, which: int | None = None) -> Place:
    """Return the place that is meant, of those which a server knows by its name.

    Only what has an outline counts; where one of them is an administrative unit, only those count.

    Parameters
    ----------
    which
        The number, from 1, of one of several; None where there should be one.

    Raises
    ------
    UnknownNameError
        When there is no such place, there are several and none is chosen, or there are fewer than the one chosen.
    FetchError
        When the answer is none of places.
    """
    try:
        outlined = [r for r in found if r.get("geojson", {}).get("type") in ("Polygon", "MultiPolygon")]
        units = [r for r in outlined if r.get("type") == "administrative"]
        known = {f"{r['osm_type'][0]}{r['osm_id']}": r for r in units or outlined}
        places = [_place(name, osm_id, result) for osm_id, result in known.items()]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise FetchError("the places that the server knows cannot be read; name another with --nominatim") from error
    shown = printable(name)
    if not places:
        why = "nothing by that name" if not found else "no outline of anything by that name"
        message = "write it as 'district, city, country', or give its corners with --bbox west,south,east,north"
        raise UnknownNameError(Said("OpenStreetMap has {}: {}; {}", sentence(why), shown, sentence(message)))
    if which is None and len(places) > 1:
        lines = [f"  --which {i}: {printable(p.full_name)}" for i, p in enumerate(places[:SHOWN_PLACES], start=1)]
        several = "{} places are called {}; say more of it (its city, its country), or choose one:\n{}"
        raise UnknownNameError(Said(several, len(places), shown, "\n".join(lines)))
    if which is not None and which > len(places):
        fewer = "there are {} places called {}, not {}; choose one of them"
        raise UnknownNameError(Said(fewer, len(places), shown, which))
    return places[(which or 1) - 1]


def _place(name: str, osm_id: str, result: Mapping[str, Any]) -> Place:
    outline = shapely.geometry.shape(result["geojson"])
    if not shapely.is_valid(outline):
        outline = shapely.make_valid(outline, method="structure", keep_collapsed=False)
    bounds = np.array(outline.bounds)
    if outline.is_empty or not np.isfinite(bounds).all() or (np.abs(bounds) > [180, 90, 180, 90]).any():
        message = "an outline that is no place on earth"
        raise ValueError(message)
    return Place(name, outline, str(result["display_name"]), osm_id)


def box_around(place: Place, buffer_m: float) -> Box:
    """Return west, south, east and north, degrees, of what is asked for: the place and ``buffer_m`` metres beyond it.

    Raises
    ------
    FetchError
        When that is larger than one question may ask for.
    """
    west, south, east, north = place.outline.bounds
    poleward = max(abs(south), abs(north))
    degrees_east = _EARTH.fwd(0.0, poleward, 90.0, buffer_m)[0]
    box = (
        max(west - degrees_east, -180.0),
        max(_EARTH.fwd(0.0, south, 180.0, buffer_m)[1], -90.0),
        min(east + degrees_east, 180.0),
        min(_EARTH.fwd(0.0, north, 0.0, buffer_m)[1], 90.0),
    )
    area_km2 = abs(_EARTH.geometry_area_perimeter(shapely.box(*box))[0]) / 1e6
    if area_km2 > MOST_KM2:
        message = (
            "{} with {:,.0f} m around it is a box of {:,.0f} km2; no server is asked for more than {:,.0f}: fetch its "
            "districts one by one, or take an OpenStreetMap extract"
        )
        raise FetchError(Said(message, printable(place.name), buffer_m, area_km2, MOST_KM2))
    return box


def nothing_there(place: Place, what: str) -> FetchError:
    """Return the error of a place where OpenStreetMap has nothing of a layer that a study needs."""
    message = "OpenStreetMap has no {} at {}; take another place, or layers of your own (`lifecircle new`)"
    return FetchError(Said(message, sentence(what), printable(place.name)))
