"""Whom it hurts that stations close: residents who lose a circle, and how much farther others walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from lifecircle.circles import Reach
from lifecircle.model import TOLERANCE_S, Circle, FloatArray, IntArray

FARTHER = ("farther", "farther_n", "farther_mean_s", "farther_max_s")
"""Columns of how much farther they walk: how many residents do, how many of them to a station, by how many seconds."""


def closings(
    ids: Iterable[str],
    before: Mapping[str, Reach],
    after: Mapping[str, Reach],
    weights: FloatArray,
    circles: Iterable[Circle],
) -> pd.DataFrame:
    """Return for each station that stood before whom a change of stations hurts among those whose nearest it was.

    Residents lose a circle by the station that was their nearest of those that count for it, so that the sum over all
    stations is all who lose it. Stations that stay hurt nobody.

    Parameters
    ----------
    ids
        The stations that ``before`` numbers.
    before, after
        How each speed class reaches the stations, by its name.
    weights
        Residents of each building, once for each class, as in `Sites`.
    circles
        The study's.

    Returns
    -------
    DataFrame
        By station id: ``lost_<circle>``, residents who lose the circle; ``farther``, residents whose walk to the
        nearest station of any kind becomes longer, and ``farther_n``, those of them who still reach a station;
        ``farther_mean_s`` and ``farther_max_s``, by how many seconds: the mean of the latter, the longest of all, NaN
        where some reach none any more.
    """
    index = pd.Index(ids, name="station_id")
    n = len(index)

    def sums(station: IntArray, people: FloatArray) -> FloatArray:
        return np.bincount(station, people, minlength=n).astype(np.float64)

    columns: dict[str, FloatArray] = {}
    for circle in circles:
        station = np.concatenate([reach.serving[circle.name] for reach in before.values()])
        inside = np.concatenate([reach.within(circle) for reach in after.values()])
        lost = (station >= 0) & ~inside
        columns[f"lost_{circle.name}"] = sums(station[lost], weights[lost])
    station = np.concatenate([reach.walks.facility[:, 0] for reach in before.values()])
    asked = (station >= 0) & (weights > 0.0)
    then_s, now_s = (np.concatenate([r.walks.seconds[:, 0] for r in of.values()])[asked] for of in (before, after))
    station, people, extra_s = station[asked], weights[asked], now_s - then_s
    farther = extra_s > TOLERANCE_S
    told = farther & np.isfinite(extra_s)
    walking, person_s = (sums(station[told], amount) for amount in (people[told], people[told] * extra_s[told]))
    longest_s = np.zeros(n)
    np.maximum.at(longest_s, station[farther], extra_s[farther])
    columns["farther"] = sums(station[farther], people[farther])
    columns["farther_n"] = walking
    columns["farther_mean_s"] = np.divide(person_s, walking, out=np.full(n, np.nan), where=walking > 0.0)
    columns["farther_max_s"] = np.where((longest_s > 0.0) & np.isfinite(longest_s), longest_s, np.nan)
    return pd.DataFrame(columns, index=index)
