"""The shifted coordinates of Chinese web maps: GCJ-02, and BD-09 on top of it.

Neither has an EPSG code: a layer in them has to say so. Degrees in, degrees out, longitude first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lifecircle.model import BoolArray, FloatArray

EQUATOR_M, ECCENTRICITY_2 = 6_378_245.0, 0.00669342162296594323
"""The ellipsoid of Krassowsky (1940): its longer half axis, metres, and the square of its eccentricity."""

CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north, degrees: beyond this box nothing is shifted."""

ACCURACY_DEGREES = 1e-10
"""How well a way back fits the way there: 0.01 mm."""

_MOST_ROUNDS = 30
_CENTRE = np.array([105.0, 35.0])
_BD_WAVE = np.pi * 3000 / 180
_BD_OFFSET = np.array([0.0065, 0.006])


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


def in_china(lonlat: FloatArray) -> BoolArray:
    """Return (n,) whether (n, 2) degrees lie in the box within which web maps are shifted; never one not finite."""
    west, south, east, north = CHINA
    lon, lat = lonlat.T
    inside: BoolArray = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def _waves(along: FloatArray, *waves: tuple[float, float]) -> FloatArray:
    """Return the sum of waves, metres: (height, waves in two degrees)."""
    total = np.zeros_like(along)
    for height, rate in waves:
        total += height * np.sin(along * rate * np.pi)
    return total * 2 / 3


def _back(there: Callable[[FloatArray], FloatArray], lonlat: FloatArray) -> FloatArray:
    """Return the points that ``there`` brings to ``lonlat``: from place to place a shift changes by little."""
    inside, found = in_china(lonlat), lonlat.copy()
    for _ in range(_MOST_ROUNDS):
        miss = lonlat[inside] - there(found)[inside]
        found[inside] += miss
        if (np.abs(miss) <= ACCURACY_DEGREES).all():
            break
    return found
