"""What each station does: for whom, which items, when, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS, Transformer

from lifecircle.areas import AreaTree
from lifecircle.datum import in_china
from lifecircle.dispatch.abilities import Abilities
from lifecircle.dispatch.crew import Crew
from lifecircle.errors import Breach, StudyError
from lifecircle.model import STOP, BoolArray, Dispatch, FloatArray, IntArray, LongArray, ReadOnlyArrays, Study
from lifecircle.said import Said
from lifecircle.service import Eligibility, offers
from lifecircle.workdays import CHINA, NONE, Calendar

ANYWHERE = -1
"""The number of the area of a place outside every area."""


@dataclass(frozen=True, eq=False)
class Ways(ReadOnlyArrays):
    """How stations serve besides in their hours, a row each: by appointment, or at the door.

    ``station`` is the row of the station, ``items`` are empty for its own, ``hours`` for any time.
    """

    station: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    how: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()

    @classmethod
    def of(cls, service: pd.DataFrame | None, station_id: Sequence[str]) -> Ways:
        """Return the ways of these stations, but for the stops."""
        if service is None:
            return cls()
        table = service[service["how"] != STOP].sort_values("how", kind="stable")  # an appointment before the door
        station = pd.Index(station_id).get_indexer(table["station_id"]).astype(np.int32)
        table, station = table[station >= 0], station[station >= 0]
        return cls(station, *(tuple(table[name]) for name in ("how", "items", "hours")))


@dataclass(frozen=True, eq=False)
class Stops(ReadOnlyArrays):
    """Stops, by the row of their station and their name."""

    owner: LongArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    name: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Roster(ReadOnlyArrays):
    """The stations as those who take requests; arrays and texts have a row for each place where one serves.

    These are the stations themselves, and behind them may come their stops.

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
    stops: Stops = Stops()
    wait_min: FloatArray = field(default_factory=lambda: np.empty(0))
    """How long a request may wait for each place to open, minutes; empty where none may."""
    ways: Ways = Ways()
    crew: Crew | None = None

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
            wait_min=_wait_min(dispatch, tier),
            ways=Ways.of(study.service, tuple(stations["station_id"])),
            crew=Crew.of(study, stations),
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

    @cached_property
    def owner(self) -> LongArray:
        """(n,) the row of the station that each place is of."""
        return np.concatenate([np.arange(len(self) - len(self.stops.owner)), self.stops.owner])

    @cached_property
    def is_stop(self) -> BoolArray:
        """(n,) whether each place is a stop."""
        return np.arange(len(self)) >= len(self) - len(self.stops.owner)

    @property
    def may_wait(self) -> BoolArray:
        """(n,) whether a request may wait for each place to open."""
        return self.wait_min > 0 if len(self.wait_min) else np.zeros(len(self), dtype=bool)

    @property
    def limited(self) -> bool:
        """Whether any station, or agent of one, takes but so many requests."""
        agents = np.empty(0) if self.crew is None else self.crew.capacity
        return bool(np.isfinite(self.capacity).any() or np.isfinite(agents).any())

    @cached_property
    def plain(self) -> bool:
        """Whether items and hours say all of what a station can take."""
        return self.crew is None and not (len(self.ways.station) or len(self.stops.owner) or self.wait_min.any())

    def followed_by(self, stops: Roster) -> Roster:
        """Return these stations, then their ``stops``."""
        return replace(
            self,
            station_id=self.station_id + stops.station_id,
            tier=self.tier + stops.tier,
            items=self.items + stops.items,
            hours=self.hours + stops.hours,
            capacity=np.concatenate([self.capacity, stops.capacity]),
            rank=np.concatenate([self.rank, stops.rank]),
            may=np.concatenate([self.may, stops.may], axis=1),
            stops=stops.stops,
            wait_min=np.concatenate([self.wait_min, np.zeros(len(self.wait_min) and len(stops))]),
        )

    def can(self, item: str, when: datetime | None) -> tuple[BoolArray, BoolArray, BoolArray]:
        """Return which places do an item (empty: any), do it at a local time, and have somebody there who can.

        None is no time in particular.
        """
        if self.plain:
            offered = self.offering(item)
            opened = offered if when is None else offered & self.open_at(when)
            return offered, opened, opened
        return self._can(item, when)

    @cached_property
    def _can(self) -> Callable[[str, datetime | None], tuple[BoolArray, BoolArray, BoolArray]]:
        @lru_cache(maxsize=1024)  # whoever asks may ask for anything
        def can(item: str, when: datetime | None) -> tuple[BoolArray, BoolArray, BoolArray]:
            moment = np.array(["NaT" if when is None else when], dtype="datetime64[s]")
            found = Abilities.of(self, np.array([item], dtype=str), moment)
            return found.offered[0], found.opened[0], found.able[0]

        return can

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


def _wait_min(dispatch: Dispatch, tier: pd.Series) -> FloatArray:
    if not dispatch.time_limit:
        return np.empty(0)
    return tier.map(dict(dispatch.time_limit)).fillna(0.0).to_numpy(dtype=np.float64)


def check_tiers(dispatch: Dispatch, stations: pd.DataFrame) -> list[Breach]:
    """Return what is wrong with the tiers of ``[dispatch]``, held against those that stations have."""
    return [Breach("study.toml", "unknown-name", told, count=1) for told in _apart(dispatch, stations)]


def _apart(dispatch: Dispatch, stations: pd.DataFrame) -> Iterator[Said]:
    held = sorted({*stations["tier"]} - {""})
    named = dict.fromkeys([*dispatch.tiers, *dispatch.items, *dispatch.hours, *dispatch.capacity, *dispatch.time_limit])
    for tier in [*named, *(tier for tier in dispatch.on_duty if tier not in ("", *named))]:
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
