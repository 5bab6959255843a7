"""Requests made ready: where each stands, whose turn it is, when it comes, what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.dispatch.abilities import Abilities
from lifecircle.dispatch.roster import Roster
from lifecircle.errors import Breach
from lifecircle.ground import Ground, attach_points
from lifecircle.model import BoolArray, IntArray, LongArray, ReadOnlyArrays, Study
from lifecircle.readers.metric import holder
from lifecircle.readers.moments import moments_of
from lifecircle.readers.requests import LAYER
from lifecircle.said import Said
from lifecircle.schema import breach
from lifecircle.snapping import Snaps
from lifecircle.workdays import Calendar

URGENCY: Sequence[Sequence[str]] = (
    ("urgent", "emergency", "high", "紧急", "特急", "特提", "加急", "急", "急件", "1"),
    ("normal", "", "medium", "一般", "普通", "正常", "2"),
    ("can wait", "low", "不急", "可缓", "缓办", "可延后", "3"),
)
"""The usual words for how urgent a request is, the most urgent first."""

NOBODY = ("", "no", "none", "false", "0", "否", "无")
"""What stands under ``priority`` for residents who do not come first."""


@dataclass(frozen=True, eq=False)
class Asked(ReadOnlyArrays):
    """Requests that have a place, a row each.

    ``area`` is the number of the area of each, -1 for none; ``order`` the rows in the order in which they are taken;
    ``able`` (n_asks, n_places) which places of service can take an item at a time, ``ask`` which of these each asks;
    ``abilities`` has what else is known of that. ``when`` is the time of each, by the clock of the place.
    """

    snaps: Snaps
    area: IntArray
    order: LongArray
    ask: IntArray
    able: BoolArray
    abilities: Abilities
    when: npt.NDArray[np.datetime64]
    item: npt.NDArray[np.str_]

    @classmethod
    def of(cls, study: Study, ground: Ground, roster: Roster, requests: gpd.GeoDataFrame) -> Asked:
        """Make requests ready, whose points are in the CRS of the study."""
        points = requests.geometry.to_numpy()
        area_id, building_id = holding(points, (study.areas, "area_id"), (study.buildings, "building_id"))
        places = gpd.GeoDataFrame({"building_id": building_id}, geometry=points, crs=study.crs)
        when = local_times(requests, roster.calendar)
        item = texts_of(requests, "item").to_numpy(dtype=str)
        abilities = Abilities.of(roster, item, when)
        return cls(
            snaps=attach_points(study, ground, places),
            area=np.array([roster.area(each) for each in area_id], dtype=np.int32),
            order=in_order(requests, when, study.settings.dispatch.urgency),
            ask=abilities.ask,
            able=abilities.able,
            abilities=abilities,
            when=when,
            item=item,
        )

    def take(self, rows: npt.NDArray[np.intp]) -> Asked:
        """Return some of the requests (ascending), numbered from 0."""
        number = np.full(len(self.area), -1, dtype=np.int64)
        number[rows] = np.arange(len(rows))
        order = number[self.order]
        return replace(
            self,
            snaps=self.snaps.take(rows),
            area=self.area[rows],
            order=order[order >= 0],
            ask=self.ask[rows],
            abilities=self.abilities.take(rows),
            when=self.when[rows],
            item=self.item[rows],
        )

    def asking(self, roster: Roster, items: npt.NDArray[np.str_]) -> Asked:
        """Return the same requests as if they asked for these items of the places of ``roster``."""
        abilities = Abilities.of(roster, items, self.when)
        return replace(self, ask=abilities.ask, able=abilities.able, abilities=abilities, item=items)


def in_order(requests: pd.DataFrame, when: npt.NDArray[np.datetime64], urgency: Sequence[str] = ()) -> LongArray:
    """Return the rows of requests in the order in which they are taken.

    The urgent before the others, then who has a priority, then who came first, then as they stand; those whose time
    nobody knows after the others.
    """
    urgent = texts_of(requests, "urgency").map(_ranks(urgency)).fillna(_usual(urgency)).to_numpy()
    nobody = texts_of(requests, "priority").isin(NOBODY).to_numpy()
    order: LongArray = np.lexsort((np.arange(len(requests)), when, np.isnat(when), nobody, urgent))
    return order


def check_order(requests: pd.DataFrame, urgency: Sequence[str] = ()) -> list[Breach]:
    """Return what is not understood of how urgent requests are, and of when they came: they are served all the same."""
    told = requests["request_id"]
    word = texts_of(requests, "urgency")
    strange = ~word.isin([*_ranks(urgency), ""])
    unread = moments_of(texts_of(requests, "at")).unread
    known = ", ".join(urgency or [words[0] for words in URGENCY])
    not_known = Said("urgency is none of {}; such requests count as normal; [dispatch] urgency may name others", known)
    no_time = "at is no day and time, such as 2026-05-03 14:30; such requests are sent as if all stations were open"
    return [
        *breach(LAYER, "unknown-urgency", not_known, told[strange.to_numpy()], "warning", column="urgency"),
        *breach(LAYER, "unread-time", no_time, told[unread], "warning", column="at"),
    ]


def check_times(requests: pd.DataFrame, calendar: Calendar) -> list[Breach]:
    """Return what cannot be told of the days on which requests came."""
    moments = moments_of(texts_of(requests, "at"))
    when = calendar.clock(moments.clock, moments.ahead_min)
    years = when.astype("datetime64[Y]").astype(np.int64) + 1970
    unknown = calendar.unknown_years(np.unique(years[~np.isnat(when)]).tolist())
    told = requests["request_id"]
    message = Said(
        "the public holidays of {} are not known: only days count that [dispatch] days_off and days_worked name",
        ", ".join(map(str, unknown)),
    )
    no_zone = np.isnat(when) & ~np.isnat(moments.clock)
    offset = "at states an offset from UTC, and the study no zone: name it in [dispatch] zone"
    return [
        *breach(LAYER, "unknown-holidays", message, told[np.isin(years, unknown) & ~np.isnat(when)], "warning"),
        *breach(LAYER, "unread-time", offset, told[no_zone], "warning", column="at"),
    ]


def local_times(requests: pd.DataFrame, calendar: Calendar) -> npt.NDArray[np.datetime64]:
    """Return when each request came, by the clock of the place; NaT where nobody says."""
    moments = moments_of(texts_of(requests, "at"))
    return calendar.clock(moments.clock, moments.ahead_min)


def holding(points: npt.NDArray[np.object_], *layers: tuple[gpd.GeoDataFrame, str]) -> list[npt.NDArray[np.object_]]:
    """Return for each layer the id, from that column, of its polygon that holds each point, as `holder` does.

    Many requests come from the same place: it is looked up once.
    """
    xy = shapely.get_coordinates(points).view(np.complex128).ravel()
    _, first, of_point = np.unique(xy, return_index=True, return_inverse=True)
    spots = gpd.GeoDataFrame(geometry=points[first], crs=layers[0][0].crs)
    return [holder(spots, polygons, key).to_numpy(dtype=object)[of_point] for polygons, key in layers]


def texts_of(requests: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as plain text; empty where the table has none.

    But for items and times it is in small letters, and whole numbers lose the decimals that programs write near gaps.
    """
    if column not in requests:
        return pd.Series("", index=requests.index, dtype="str")
    text = requests[column].astype("str").where(requests[column].notna(), "").str.strip()
    return text if column in ("item", "at") else text.str.lower().str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def _ranks(urgency: Sequence[str]) -> Mapping[str, int]:
    words = [[word.strip().lower()] for word in urgency] or URGENCY
    return {word: rank for rank, group in enumerate(words) for word in group}


def _usual(urgency: Sequence[str]) -> int:
    """Return how urgent a request is of which that is not known: the middle of what there is."""
    return max(1, len(urgency or URGENCY) // 2)
