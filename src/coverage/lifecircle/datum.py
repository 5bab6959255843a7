"""The shifted coordinates of Chinese web maps, GCJ-02 and BD-09 on top of it, and the grids of Chinese surveys.

Neither datum of the web maps has an EPSG code: a layer in them has to say so. Degrees in, degrees out, longitude first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lifecircle.model import BoolArray, FloatArray
from lifecircle.said import Said

EQUATOR_M, ECCENTRICITY_2 = 6_378_245.0, 0.00669342162296594323
"""The ellipsoid of Krassowsky (1940): its longer half axis, metres, and the square of its eccentricity."""

CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north, degrees: beyond this box nothing is shifted."""

ACCURACY_DEGREES = 1e-10
"""How well a way back fits the way there: 0.01 mm."""

NORTHING_M, EASTING_M = (1.8e6, 7.3e6), (1e5, 9e5)
"""Between what northings of China lie, in zones and on web maps, and eastings in a zone whose middle is at 500 km."""

WEB_MERCATOR, WEB_EASTING_M = 3857, (8e6, 15.1e6)
"""The projection of web maps, and its eastings in China, metres."""

ZONE_M = 1e6
"""An easting that bears its zone has the zone's number in front of six digits: 39582345 lies in zone 39."""

_MOST_ROUNDS = 30
_CENTRE = np.array([105.0, 35.0])
_BD_WAVE = np.pi * 3000 / 180
_BD_OFFSET = np.array([0.0065, 0.006])


Shift = Callable[[FloatArray], FloatArray]


def gcj02_of_wgs84(lonlat: FloatArray) -> FloatArray:
    """Return (n, 2) degrees of GCJ-02 for (n, 2) degrees of WGS 84; outside China, and where not finite, unchanged.

    Notes
    -----
    The authority that shifts the maps publishes no formula; this is the polynomial with waves that has been public
    since 2010 and that web maps agree with to a metre.
    """
    inside = in_china(lonlat)
    x, y = (lonlat[inside] - _CENTRE).T
    ripple = _waves(x, (20, 6), (20, 2))
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + ripple
    east_m += _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + ripple
    north_m += _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
    latitude = np.radians(lonlat[inside, 1])
    flatness = 1 - ECCENTRICITY_2 * np.sin(latitude) ** 2
    across_m = EQUATOR_M / np.sqrt(flatness) * np.cos(latitude)
    along_m = EQUATOR_M * (1 - ECCENTRICITY_2) / flatness**1.5
    shifted = lonlat.copy()
    shifted[inside] += np.degrees(np.stack([east_m / across_m, north_m / along_m], axis=1))
    return shifted


def bd09_of_gcj02(lonlat: FloatArray) -> FloatArray:
    """Return (n, 2) degrees of BD-09 for (n, 2) degrees of GCJ-02; outside China, and where not finite, unchanged."""
    inside = in_china(lonlat)
    x, y = lonlat[inside].T
    far = np.hypot(x, y) + 2e-5 * np.sin(y * _BD_WAVE)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD_WAVE)
    shifted = lonlat.copy()
    shifted[inside] = np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1) + _BD_OFFSET
    return shifted


def wgs84_of_gcj02(lonlat: FloatArray) -> FloatArray:
    """Return (n, 2) degrees of WGS 84 for (n, 2) degrees of GCJ-02, to `ACCURACY_DEGREES`; outside China unchanged."""
    return _back(gcj02_of_wgs84, lonlat)


def gcj02_of_bd09(lonlat: FloatArray) -> FloatArray:
    """Return (n, 2) degrees of GCJ-02 for (n, 2) degrees of BD-09, to `ACCURACY_DEGREES`; outside China unchanged."""
    return _back(bd09_of_gcj02, lonlat)


def wgs84_of_bd09(lonlat: FloatArray) -> FloatArray:
    """Return (n, 2) degrees of WGS 84 for (n, 2) degrees of BD-09, to `ACCURACY_DEGREES`; outside China unchanged."""
    return wgs84_of_gcj02(gcj02_of_bd09(lonlat))


def bd09_of_wgs84(lonlat: FloatArray) -> FloatArray:
    """Return (n, 2) degrees of BD-09 for (n, 2) degrees of WGS 84; outside China, and where not finite, unchanged."""
    return bd09_of_gcj02(gcj02_of_wgs84(lonlat))


WEB_MAPS: dict[str, tuple[Shift, Shift]] = {
    "gcj02": (gcj02_of_wgs84, wgs84_of_gcj02),
    "bd09": (bd09_of_wgs84, wgs84_of_bd09),
}
"""The datums of web maps: the way there from WGS 84, and the way back."""

DATUMS = ("wgs84", "cgcs2000", *WEB_MAPS)
"""What a layer may be in. The first two agree to some centimetres, so nothing is shifted between them."""


_SPOKEN = {
    "gcj02": ("gcj", "高德", "腾讯", "火星", "国测局"),
    "bd09": ("bd", "bd09ll", "百度"),
    "cgcs2000": ("天地图", "国家2000", "2000国家大地", "国家大地2000", "大地2000"),
    "wgs84": ("wgs1984", "gps"),
}
"""What people call the datums: by the map that a point was copied from, or by the receiver that measured it."""


def datum_named(words: str) -> str:
    """Return which of `DATUMS` is meant, however it is written; empty for none.

    Examples
    --------
    >>> [datum_named(words) for words in ("GCJ-02", "高德地图", "百度坐标系", "WGS 84", "天地图", "北京54")]
    ['gcj02', 'gcj02', 'bd09', 'wgs84', 'cgcs2000', '']
    """
    plain = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", words)).casefold()
    meant = {word: datum for datum, spoken in _SPOKEN.items() for word in (datum, *spoken)}
    return next((meant[word] for word in (plain, re.sub("(?:地图|坐标系?)$", "", plain)) if word in meant), "")


def regarded(lonlat: FloatArray, *, was: str, instead: str) -> FloatArray:
    """Return where (n, 2) degrees, taken to WGS 84 as if they ``was`` in one datum, lie if they are in another."""
    if was in WEB_MAPS:
        lonlat = WEB_MAPS[was][0](lonlat)
    return WEB_MAPS[instead][1](lonlat) if instead in WEB_MAPS else lonlat


def in_china(lonlat: FloatArray) -> BoolArray:
    """Return (n,) whether (n, 2) degrees lie in the box within which web maps are shifted; never one not finite."""
    west, south, east, north = CHINA
    lon, lat = lonlat.T
    inside: BoolArray = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


@dataclass(frozen=True)
class Grid:
    """What metres look like: ``epsg`` is the code of their system, 0 where they do not bear their zone.

    ``swapped`` is whether the northing comes first, as surveys in China write it.
    """

    epsg: int
    swapped: bool = False

    @property
    def advice(self) -> str:
        """What to state of a layer in such a grid."""
        state = (
            Said('state crs = "EPSG:{}"', self.epsg)
            if self.epsg
            else Said(
                'state the zone by its central meridian, from crs = "EPSG:4534" for 75 E in steps of 3 degrees to '
                '"EPSG:4554" for 135 E (120 E is "EPSG:4549")'
            )
        )
        return Said("{}, and swap x and y: the northing comes first here", state) if self.swapped else state


def grid_of(xy: FloatArray) -> Grid | None:
    """Return the grid that (n, 2) metres are most likely in, None for numbers that are like none.

    Notes
    -----
    Zones of CGCS2000 by number: of 3 degrees EPSG:4513 (25) to 4533 (45), of 6 degrees EPSG:4491 (13) to 4501 (23).
    Older datums have the same zones and differ by some hundred metres. Eastings of a web map, EPSG:3857, are from 8
    to 15 million in China; they hide the zones 13 to 15 of 6 degrees, which only the far west has.
    """
    finite = xy[np.isfinite(xy).all(axis=1)]
    if not len(finite):
        return None
    x, y = (float(v) for v in np.median(finite, axis=0))
    swapped = not _between(y, NORTHING_M) and _between(x, NORTHING_M)
    east, north = (y, x) if swapped else (x, y)
    if not _between(north, NORTHING_M):
        return None
    if _between(east, WEB_EASTING_M):
        return Grid(WEB_MERCATOR, swapped)
    zone, within = divmod(east, ZONE_M)
    first = {0: 0, **dict.fromkeys(range(16, 24), 4491 - 13), **dict.fromkeys(range(25, 46), 4513 - 25)}.get(int(zone))
    if first is None or not _between(within, EASTING_M):
        return None
    return Grid(first + int(zone), swapped)


def _between(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _waves(along: FloatArray, *waves: tuple[float, float]) -> FloatArray:
    """Return the sum of waves, metres: (height, waves in two degrees)."""
    total = np.zeros_like(along)
    for height, rate in waves:
        total += height * np.sin(along * rate * np.pi)
    return total * 2 / 3


def _back(there: Shift, lonlat: FloatArray) -> FloatArray:
    """Return the points that ``there`` brings to ``lonlat``: from place to place a shift changes by little."""
    inside, found = in_china(lonlat), lonlat.copy()
    for _ in range(_MOST_ROUNDS):
        miss = lonlat[inside] - there(found)[inside]
        found[inside] += miss
        if (np.abs(miss) <= ACCURACY_DEGREES).all():
            break
    return found
