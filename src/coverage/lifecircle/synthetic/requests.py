"""A year of requests: who asked for what, when, where and how."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.model import BoolArray, FloatArray
from lifecircle.synthetic.programme import Programme
from lifecircle.synthetic.services import doors_m
from lifecircle.synthetic.shares import apportion

YEAR = 2025

HOLIDAYS = (
    ("2025-01-01", "2025-01-01"),
    ("2025-01-28", "2025-02-04"),
    ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"),
    ("2025-05-31", "2025-06-02"),
    ("2025-10-01", "2025-10-08"),
)
"""First and last days off (General Office of the State Council, notice of 12 November 2024)."""

MAKE_UP_DAYS = ("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11")
"""Days of a weekend that are worked, of the same notice."""

OF_DAY = {"working": 1.0, "Saturday": 0.6, "Sunday": 0.5, "holiday": 0.35}
"""Requests on a day to those on a working day, made up."""

OF_HOUR = {
    True: (0, 0, 0, 0, 0, 0, 1, 3, 8, 12, 11, 6, 3, 4, 9, 10, 8, 5, 4, 5, 4, 2, 1, 0),
    False: (0, 0, 0, 0, 0, 0, 1, 3, 6, 9, 9, 6, 4, 5, 7, 7, 6, 5, 5, 6, 4, 2, 1, 0),
}
"""Requests by hour on a working day and on a day off, relative; made up: offices open at half past eight."""

NIGHT = (23, 0, 1, 2, 3, 4, 5)
AT_NIGHT = 0.6
"""Urgent requests in an hour of the night, in the measure of `OF_HOUR`, made up; nobody asks for anything else then."""

SEASONS = {
    "暖": (4.0, 3.0, 2.0, 0.3, 0.05, 0.05, 0.05, 0.05, 0.3, 1.5, 4.0, 4.0),
    "医保": (1.5, 1.0, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 1.5, 2.0, 2.0, 2.0),
    "认证": (2.0, 1.0, 2.0, 2.0, 1.0, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 1.0),
    "家电": (0.8, 0.8, 0.8, 0.9, 1.1, 1.6, 2.2, 2.0, 1.0, 0.8, 0.7, 0.7),
    "疏通": (0.8, 0.7, 0.8, 0.9, 1.0, 1.3, 2.0, 2.0, 1.2, 0.9, 0.8, 0.8),
    "就业": (0.6, 1.8, 2.0, 1.2, 1.0, 1.5, 1.5, 1.0, 1.0, 0.8, 0.7, 0.6),
    "农": (0.3, 0.6, 1.5, 1.8, 1.6, 1.4, 1.0, 0.9, 1.5, 1.4, 0.6, 0.3),
}
"""By a word of an item: how often it is asked for in January to December, relative; made up."""

URGENCY = ("urgent", "normal", "can wait")
SELDOM_URGENT, CAN_WAIT = 0.015, 0.15
"""Shares of the requests for items that are not pressing, made up."""

CHANNELS = ("phone", "hotline", "form", "wechat", "face to face", "qr code")
CHANNELS_AGED = (0.40, 0.12, 0.02, 0.06, 0.38, 0.02)
CHANNELS_OTHERS = (0.20, 0.14, 0.08, 0.30, 0.13, 0.15)
"""How residents of 60 and more ask and how the others do, shares; made up. At night they call: `CALLS`."""
CALLS = 2
"""The first so many of the channels are calls."""

AGED_ASK = 2.5
"""Requests of a resident of 60 and more to those of another; made up."""

PRIORITIES = ("living_alone", "disabled", "low_income", "65plus")
"""Groups that come first, in the order in which one of them is named of a resident who is of several."""


def a_year_of_requests(
    buildings: gpd.GeoDataFrame,
    entrances: gpd.GeoDataFrame,
    residents: pd.DataFrame,
    programme: Programme,
    size: float,
    random: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Ask a year's requests of a programme, in proportion to residents, of whom the aged ask more often.

    Each item has its share of the requests to the nearest whole number.

    Returns
    -------
    GeoDataFrame
        request_id, item, urgency, channel, time (local, to the minute), priority (the first of `PRIORITIES` that the
        resident is of, or empty), building_id, area_id; points at the building's door, in the order of time.
    """
    n = round(programme.requests * size)
    home, aged = _askers(buildings, residents, n, programme.busiest if size >= 1 else 0, random)
    items = np.array(list(programme.item_weights), dtype=object)
    item = random.permutation(np.repeat(np.arange(len(items)), apportion(list(programme.item_weights.values()), n)))
    urgent = random.random(n) < np.array([programme.pressing.get(i, SELDOM_URGENT) for i in items])[item]
    can_wait = (random.random(n) < CAN_WAIT) & ~np.isin(items, list(programme.pressing))[item]
    urgency = np.select([urgent, can_wait], [0, 2], 1)
    time = _times(items, item, urgent, random)
    channel = np.where(
        aged, random.choice(len(CHANNELS), n, p=CHANNELS_AGED), random.choice(len(CHANNELS), n, p=CHANNELS_OTHERS)
    )
    hour = (time - time.astype("datetime64[D]")).astype("timedelta64[h]").astype(np.int64)
    channel = np.where(np.isin(hour, NIGHT), channel % CALLS, channel)
    priority = _priorities(residents, home, aged, random)

    order = np.argsort(time, kind="stable")
    row = pd.Index(buildings["building_id"]).get_indexer(residents["building_id"].to_numpy()[home[order]])
    asked, place = np.unique(row, return_inverse=True)
    doors = doors_m(
        buildings.iloc[asked], entrances[entrances["building_id"].isin(buildings["building_id"].iloc[asked])]
    )
    return gpd.GeoDataFrame(
        {
            "request_id": [f"Q{i:06}" for i in range(1, n + 1)],
            "item": items[item[order]],
            "urgency": np.array(URGENCY, dtype=object)[urgency[order]],
            "channel": np.array(CHANNELS, dtype=object)[channel[order]],
            "time": np.datetime_as_string(time[order]),
            "priority": np.array((*PRIORITIES, ""), dtype=object)[priority[order]],
            "building_id": buildings["building_id"].to_numpy()[row],
            "area_id": buildings["area_id"].to_numpy()[row],
        },
        geometry=shapely.points(doors[place]),
        crs=buildings.crs,
    )


def calendar() -> pd.DataFrame:
    """Return the days of the year: ``day``, ``working``, and ``weight``, requests to those of a working day."""
    day = np.arange(np.datetime64(f"{YEAR}-01-01"), np.datetime64(f"{YEAR + 1}-01-01"))
    weekday = (day.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    off = np.any([(day >= np.datetime64(a)) & (day <= np.datetime64(b)) for a, b in HOLIDAYS], axis=0)
    make_up = np.isin(day, np.array(MAKE_UP_DAYS, dtype="datetime64[D]"))
    kind = np.select(
        [off, make_up, weekday == 5, weekday == 6], ["holiday", "working", "Saturday", "Sunday"], "working"
    )
    return pd.DataFrame({"day": day, "working": kind == "working", "weight": pd.Series(kind).map(OF_DAY)})


def _askers(
    buildings: gpd.GeoDataFrame, residents: pd.DataFrame, n: int, busiest: int, random: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the rows of ``residents`` that ask, and whether the one who asks is aged.

    If ``busiest`` is not 0, it is how often the area asks that would ask most anyway.
    """
    area = buildings.set_index("building_id")["area_id"].loc[residents["building_id"]].to_numpy()
    ids, of = np.unique(area.astype(str), return_inverse=True)
    lively = random.gamma(4.0, 0.25, len(ids))[of]  # some communities ask several times as often as others
    old = AGED_ASK * residents["residents_aged"].to_numpy()
    asking = old + (residents["residents"] - residents["residents_aged"]).to_numpy()
    weight = asking * lively
    busy = (of == np.bincount(of, weights=weight).argmax()) & (busiest > 0)
    home = np.concatenate([_drawn(weight * busy, busiest, random), _drawn(weight * ~busy, n - busiest, random)])
    return home, random.random(n) * asking[home] < old[home]


def _drawn(weight: FloatArray, n: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw ``n`` rows in proportion to their weights."""
    upto = np.cumsum(weight)
    return np.searchsorted(upto, random.random(n) * upto[-1], side="right")


def _times(
    items: npt.NDArray[np.object_],
    item: npt.NDArray[np.int64],
    urgent: BoolArray,
    random: np.random.Generator,
) -> npt.NDArray[np.datetime64]:
    """Return when each request comes: a day of the item's season, an hour of that day, of night if it is urgent."""
    days = calendar()
    month = days["day"].dt.month.to_numpy() - 1
    when = np.empty(len(item), dtype=np.int64)
    for number, name in enumerate(items):
        mine = np.flatnonzero(item == number)
        season = next((s for word, s in SEASONS.items() if word in name), (1.0,) * 12)
        chance = days["weight"].to_numpy() * np.array(season)[month]
        when[mine] = random.choice(len(days), len(mine), p=chance / chance.sum())
    working = days["working"].to_numpy()[when]
    hour = np.empty(len(item), dtype=np.int64)
    for day_worked, weights in OF_HOUR.items():
        for at_once in (False, True):
            mine = np.flatnonzero((working == day_worked) & (urgent == at_once))
            chance = np.array(weights, dtype=np.float64)
            chance[list(NIGHT)] = AT_NIGHT if at_once else 0.0
            hour[mine] = random.choice(24, len(mine), p=chance / chance.sum())
    minute = 60 * hour + random.integers(0, 60, len(item))
    return days["day"].to_numpy().astype("datetime64[m]")[when] + minute.astype("timedelta64[m]")


def _priorities(
    residents: pd.DataFrame, home: npt.NDArray[np.int64], aged: npt.NDArray[np.bool_], random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return (n,) row of `PRIORITIES` of each asker, their number for none; drawn from those of the own building."""
    count = {c.removeprefix("residents_"): residents[c].to_numpy()[home] for c in residents.columns[1:]}

    def chance(group: str, among: FloatArray) -> FloatArray:
        return np.minimum(count[group] / np.maximum(among, 1), 1.0)

    everyone = chance("disabled", count["residents"]), chance("low_income", count["residents"])
    of = [
        np.where(aged, chance("living_alone", count["aged"]), 0.0),
        *everyone,
        np.where(aged, chance("65plus", count["aged"]), 0.0),
    ]
    return np.select([random.random(len(home)) < p for p in of], range(len(of)), len(of))
