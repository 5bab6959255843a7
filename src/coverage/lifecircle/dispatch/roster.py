"""What each station does: for whom, which items, when, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS, Transformer

from lifecircle.areas import AreaTree
from lifecircle.datum import in_china
from lifecircle.errors import Breach, StudyError
from lifecircle.model import BoolArray, Dispatch, FloatArray, IntArray, ReadOnlyArrays, Study
from lifecircle.said import Said
from lifecircle.service import Eligibility, offers
from lifecircle.workdays import CHINA, NONE, Calendar

ANYWHERE = -1
"""The number of the area of a place outside every area."""


@dataclass(frozen=True, eq=False)
class Roster(ReadOnlyArrays):
    """The stations as those who take requests; arrays and texts have a row each.

    ``items`` (``;`` between them) and ``hours`` are empty where a station takes every item, or is always open;
    ``capacity`` is inf where there is no limit. ``rank`` is that of the tier, 0 the lowest. ``may`` says for each area,
    and in its last row for places outside every area, which stations may serve who lives there.
    """

    station_id: tuple[str, ...]
    tier: tuple[str, ...]
    items: tuple[str, ...]
    hours: tuple[str, ...]
    capacity: FloatArray
    rank: IntArray
    areas: tuple[str, ...]
    may: BoolArray
    calendar: Calendar

    @classmethod
    def of(cls, study: Study, *, stations: pd.DataFrame | None = None) -> Roster:
        """Return who does what in a study, or who would with these ``stations`` in the place of its own.

        Raises
        ------
        StudyError
            When ``[service] eligible`` names a level that no area has, or ``[dispatch]`` a tier that no station has, or
            its ``tiers`` leave one out.
        """
        stations = study.stations if stations is None else stations
        dispatch = study.settings.dispatch
        if found := check_tiers(dispatch, stations):
            raise StudyError(Said("{}: [dispatch]", study.path), breaches=found, language=study.settings.language)
        tier = stations["tier"]
        limit = tier.map(dict(dispatch.capacity)).astype("float64").fillna(stations["capacity"]).fillna(np.inf)
        rank = {name: i for i, name in enumerate(dispatch.tiers)}
        ranks = tier.map(rank).to_numpy(dtype=np.int32) if rank else np.zeros(len(tier), dtype=np.int32)
        return cls(
            station_id=tuple(stations["station_id"]),
            tier=tuple(tier),
            items=tuple(stations["items"]),
            hours=tuple(stations["hours"]),
            capacity=limit.to_numpy(dtype=np.float64),
            rank=ranks,
            areas=tuple(study.areas["area_id"]),
            may=_may_serve(Eligibility.of(study), stations["area_id"], ranks if rank else None),
            calendar=calendar_of(study),
        )

    def __len__(self) -> int:
        return len(self.station_id)

    @cached_property
    def for_all(self) -> bool:
        """Whether every station may serve everyone."""
        return bool(self.may.all())

    def area(self, area_id: str) -> int:
        """Return the number of an area, `ANYWHERE` for an empty or unknown id."""
        return self._areas.get(area_id, ANYWHERE)

    @cached_property
    def _areas(self) -> dict[str, int]:
        return {area_id: i for i, area_id in enumerate(self.areas)}

    def offering(self, item: str) -> BoolArray:
        """Return which stations offer an item; all of them where it is empty."""
        return self._offering(item)

    @cached_property
    def _offering(self) -> Callable[[str], BoolArray]:
        lists = pd.Series(self.items, dtype="str")
        distinct = pd.DataFrame({"items": lists.unique(), "tier": ""})

        @lru_cache(maxsize=1024)  # whoever asks may ask for anything
        def offering(item: str) -> BoolArray:
            able = distinct.loc[offers(distinct, items=(item,) if item else ()), "items"]
            return lists.isin(able).to_numpy(dtype=bool)

        return offering

    def open_at(self, when: datetime | None) -> BoolArray:
        """Return which stations are open at a local time; all of them at no time in particular."""
        return np.ones(len(self), dtype=bool) if when is None else self._open_at(when)

    @cached_property
    def _open_at(self) -> Callable[[datetime], BoolArray]:
        texts, text = self.texts

        @lru_cache(maxsize=1024)  # requests that come in the same minute ask the same
        def open_at(when: datetime) -> BoolArray:
            is_open = self.calendar.opened(when)
            return np.array([is_open(hours) for hours in texts], dtype=bool)[text]

        return open_at

    @cached_property
    def texts(self) -> tuple[list[str], npt.NDArray[np.intp]]:
        """Return the hours that there are, and which of them each station keeps."""
        texts = list(dict.fromkeys(self.hours))
        number = {hours: i for i, hours in enumerate(texts)}
        return texts, np.array([number[hours] for hours in self.hours], dtype=np.intp)

    def kinds(self, most: int) -> IntArray | None:
        """Return a number for each station, the same for those that do the same; None for more than ``most`` kinds.

        Where there are more, hours do not count, for they are what differs most.
        """
        same = [*zip(self.tier, self.items, self.hours, strict=True)], [*zip(self.tier, self.items, strict=True)]
        for keys in same:
            number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
            if 0 < len(number) <= most:
                return np.array([number[key] for key in keys], dtype=np.int32)
        return None


def check_tiers(dispatch: Dispatch, stations: pd.DataFrame) -> list[Breach]:
    """Return what is wrong with the tiers of ``[dispatch]``, held against those that stations have."""
    return [Breach("study.toml", "unknown-name", told, count=1) for told in _apart(dispatch, stations)]


def _apart(dispatch: Dispatch, stations: pd.DataFrame) -> Iterator[Said]:
    held = sorted({*stations["tier"]} - {""})
    named = dict.fromkeys([*dispatch.tiers, *dispatch.items, *dispatch.hours, *dispatch.capacity])
    for tier in named:
        if tier not in held:
            yield Said("[dispatch] no station has the tier {!r}; there are {}", tier, ", ".join(held))
    left = sorted({tier or "''" for tier in stations["tier"]} - {*dispatch.tiers})
    if dispatch.tiers and left:
        yield Said(
            "[dispatch] tiers leaves out {}; name every tier that stations have, the lowest first", ", ".join(left)
        )


def calendar_of(study: Study) -> Calendar:
    """Return the calendar of a study: what its file says, else that of the country that it lies in."""
    dispatch = study.settings.dispatch
    of = dispatch.calendar or (CHINA if _lies_in_china(study) else NONE)
    return Calendar(of, frozenset(dispatch.days_off), frozenset(dispatch.days_worked), dispatch.zone)


def _lies_in_china(study: Study) -> bool:
    west, south, east, north = study.extent_m
    lonlat = Transformer.from_crs(CRS(study.crs), 4326, always_xy=True).transform(
        (west + east) / 2, (south + north) / 2
    )
    return bool(in_china(np.array([lonlat]))[0])


def _may_serve(rule: Eligibility, station_area: pd.Series, rank: IntArray | None) -> BoolArray:
    """Return (n_areas + 1, n_stations) which stations may serve who lives in each area, or in none.

    A station may serve its own area of the rule's level. Where there are tiers, only those of the smallest area above
    the resident which has one of the tier.
    """
    tree = rule.tree
    n_areas = len(tree.ids)
    home = np.append(np.arange(n_areas, dtype=np.int32), np.int32(ANYWHERE))
    may = np.ones((n_areas + 1, len(station_area)), dtype=bool)
    if not rule.anyone:
        of_area, of_station = tree.at_level(home, rule.level), rule.group(station_area)
        may = (of_area[:, None] == of_station[None, :]) & (of_area[:, None] >= 0)
    if rank is not None:
        may &= _of_smallest(tree, tree.rows(station_area), rank)
    return may


def _of_smallest(tree: AreaTree, station_area: IntArray, rank: IntArray) -> BoolArray:
    """Return for each area, and for none, the stations of each rank in the smallest area above that has any of it."""
    n_areas = len(tree.ids)
    inside = np.zeros((n_areas, len(station_area)), dtype=bool)
    for area, stations in enumerate(tree.inside(station_area)):
        inside[area, stations] = True
    own = np.ones((n_areas + 1, len(station_area)), dtype=bool)
    for tier in np.unique(rank):
        of_tier = rank == tier
        has = np.asarray(inside[:, of_tier].any(axis=1))
        smallest = np.full(n_areas, ANYWHERE, dtype=np.int32)
        for step in tree.upwards(np.arange(n_areas, dtype=np.int32)):
            smallest = np.where((smallest < 0) & (step >= 0) & has[step], step, smallest).astype(np.int32)
        own[:n_areas, of_tier] = np.where((smallest >= 0)[:, None], inside[smallest][:, of_tier], False)
    return own
