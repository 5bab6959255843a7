"""The map of a set of stations: areas by the share of their residents in a circle, and where stations stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Path, Polygon, PolyLine, Rect, String

from lifecircle.maps.palette import CLOSED, EDGE, GROUND, INK, NOBODY, SITE, SOFT, Colour, shade
from lifecircle.maps.report.paper import BOLD, CHINESE, LATIN, colour_of, is_chinese
from lifecircle.maps.scale import round_length

COARSE = 0.25
"""Borders are drawn to so many points of the paper."""

ROOM = 16.0
"""What the scale and the words under a map take, points."""

MANY = 120
"""More stations than these are drawn as dots, so that the areas are still seen."""

NUMBERED = 60
"""Of more new sites the numbers are left out: the table has them."""

SHOWN = 0.28
"""Part of a map's width that its scale takes at most."""


def area_map(
    areas: gpd.GeoDataFrame,
    shares: Mapping[str, float],
    stations: gpd.GeoDataFrame,
    *,
    order: pd.Series | None = None,
    closed: gpd.GeoSeries | None = None,
    width: float,
    height: float,
    mark: str = "",
) -> Any:
    """Return a map.

    Parameters
    ----------
    areas
        Those that are shaded, in the study's CRS.
    shares
        By the id of an area the share of its residents who are in the circle; NaN where there is none to show.
    stations
        Those that are open, with a ``state``.
    order
        By the id of a new site its place in the order in which they open.
    closed
        Where stations close.
    width, height
        Most that it may take, points.
    mark
        What stands in the picture itself; empty for none.
    """
    west, south, east, north = (areas if len(areas) else stations).total_bounds
    across_m, up_m = max(east - west, 1.0), max(north - south, 1.0)
    per_m = min(width / across_m, (height - ROOM) / up_m)
    wide, high = across_m * per_m, up_m * per_m
    left = (width - wide) / 2

    def at(xy: np.ndarray) -> np.ndarray:
        placed: np.ndarray = (xy - (west, south)) * per_m + (left, ROOM)
        return placed

    drawing = Drawing(width, high + ROOM)
    drawing.add(Rect(left, ROOM, wide, high, fillColor=colour_of(GROUND), strokeColor=None))
    for area_id, outline in zip(areas["area_id"], areas.geometry, strict=True):
        part = shares.get(area_id, np.nan)
        colour = NOBODY if np.isnan(part) else shade(part)
        for ring in _rings(shapely.simplify(shapely.transform(outline, at), COARSE)):
            drawing.add(ring_of(ring, colour))
    _add_stations(drawing, stations, at, order)
    for x, y in at(shapely.get_coordinates([] if closed is None else closed.to_numpy())):
        for way in (-1, 1):
            arms = x - 2.6, y - 2.6 * way, x + 2.6, y + 2.6 * way
            drawing.add(Line(*arms, strokeColor=colour_of((255, 255, 255)), strokeWidth=2.2))
            drawing.add(Line(*arms, strokeColor=colour_of(CLOSED), strokeWidth=1.2))
    _add_scale(drawing, left, per_m, wide)
    if mark:
        drawing.add(words(left + wide, ROOM - 9, mark, 7.5, SITE, anchor="end"))
    return drawing


def _rings(outline: shapely.Geometry) -> list[list[np.ndarray]]:
    """Return the rings of each part of an outline, the outer one first."""
    parts = [part for part in shapely.get_parts(outline) if part.geom_type == "Polygon" and not part.is_empty]
    return [[shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)] for part in parts]


def ring_of(rings: list[np.ndarray], colour: Colour) -> Any:
    """Return an area with its holes."""
    path = Path(fillColor=colour_of(colour), strokeColor=colour_of(EDGE), strokeWidth=0.35)
    for ring in rings:
        (x, y), *others = np.round(ring, 2).tolist()
        path.moveTo(x, y)
        for x, y in others[:-1]:
            path.lineTo(x, y)
        path.closePath()
    return path


def _add_stations(drawing: Any, stations: gpd.GeoDataFrame, at: Any, order: pd.Series | None) -> None:
    """Draw the stations that stand as dots, and new sites over them as diamonds with their numbers."""
    is_new = (stations["state"] != "fixed").to_numpy()
    xy = at(np.column_stack([stations.geometry.x, stations.geometry.y]))
    radius = 1.9 if len(stations) <= MANY else 0.8
    for x, y in xy[~is_new]:
        drawing.add(station_dot(x, y, radius))
    ids = stations["station_id"].to_numpy(dtype=object)
    for row in np.flatnonzero(is_new):
        x, y = xy[row]
        drawing.add(diamond(x, y))
        if order is not None and ids[row] in order.index and len(order) <= NUMBERED:
            number = str(order[ids[row]])
            room = 2 + 3.7 * len(number)
            drawing.add(Rect(x - room / 2, y + 3.4, room, 6.6, fillColor=colour_of(GROUND), strokeColor=None))
            drawing.add(words(x, y + 4.4, number, 6.5, INK, anchor="middle", bold=True))


def station_dot(x: float, y: float, radius: float = 1.9) -> Any:
    """Return a station that stands."""
    return Circle(x, y, radius, fillColor=colour_of(INK), strokeColor=colour_of((255, 255, 255)), strokeWidth=0.4)


def diamond(x: float, y: float, half: float = 3.2) -> Any:
    """Return a new site."""
    corners = [x, y + half, x + half, y, x, y - half, x - half, y]
    return Polygon(corners, fillColor=colour_of(SITE), strokeColor=colour_of((255, 255, 255)), strokeWidth=0.5)


def cross(x: float, y: float) -> Any:
    """Return a station that closes, as it stands in the legend."""
    group = Group()
    for way in (-1, 1):
        group.add(Line(x - 2.4, y - 2.4 * way, x + 2.4, y + 2.4 * way, strokeColor=colour_of(CLOSED), strokeWidth=1.2))
    return group


def _add_scale(drawing: Any, left: float, per_m: float, wide: float) -> None:
    """Draw a bar of a round length under a map."""
    length_m, told = round_length(wide * SHOWN / per_m)
    end = left + length_m * per_m
    bar = PolyLine([left, ROOM - 4, left, ROOM - 8, end, ROOM - 8, end, ROOM - 4], strokeWidth=0.7)
    bar.strokeColor = colour_of(SOFT)
    drawing.add(bar)
    drawing.add(words(end + 3, ROOM - 9, told, 6.5, SOFT))


def words(
    x: float, y: float, text: str, size: float, colour: Colour, *, anchor: str = "start", bold: bool = False
) -> Any:
    """Return words of our own in a picture, in one face."""
    face = CHINESE if any(not c.isascii() and is_chinese(c) for c in text) else BOLD if bold else LATIN
    return String(x, y, text, fontName=face, fontSize=size, fillColor=colour_of(colour), textAnchor=anchor)


def legend(told: Mapping[str, str], *, width: float, with_closed: bool) -> Any:
    """Return what the colours and signs of a map mean, in the words of ``told``."""
    drawing, x, y = Drawing(width, 12), 0.0, 3.0
    drawing.add(words(x, y, "0%", 7, SOFT))
    x += 14
    for step in range(10):
        drawing.add(Rect(x, y - 1.5, 6, 8, fillColor=colour_of(shade(step / 9)), strokeColor=None))
        x += 6
    drawing.add(words(x + 3, y, "100%", 7, SOFT))
    x += 32
    drawing.add(Rect(x, y - 1.5, 8, 8, fillColor=colour_of(NOBODY), strokeColor=None))
    signs: dict[str, Callable[[float, float], Any] | None] = {"no share": None, "stations today": station_dot}
    signs |= {"new sites": diamond} | ({"closes": cross} if with_closed else {})
    for word, sign in signs.items():
        if sign is not None:
            drawing.add(sign(x + 3, y + 2.4))
        label = words(x + 11, y, told[word], 7, SOFT)
        drawing.add(label)
        x = label.getBounds()[2] + 14
    return drawing
