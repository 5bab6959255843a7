"""Which days are worked: public holidays and the days worked in their place, as offices and stations keep them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from lifecircle.hours import on_holiday, open_at_times, open_then, openings

CHINA, NONE = "china", "none"
CALENDARS = (CHINA, NONE)

CHINA_TIME = timezone(timedelta(hours=8))

_THURSDAY, _SATURDAY, _SUNDAY = 3, 5, 6
"""From Thursday on the next Sunday is nearer than the last."""


@dataclass(frozen=True)
class Calendar:
    """Which days are off and which are worked, apart from the days of an ordinary week, and what the clock shows.

    ``of`` is one of `CALENDARS`; days in ``off`` and ``worked`` (``2026-05-03``) beat it, for a city may decide
    otherwise, and for years that it does not know. ``zone`` is a name of the tz database, empty: that of China for its
    calendar, else none, and then times that state an offset cannot be told.
    """

    of: str = NONE
    off: frozenset[str] = frozenset()
    worked: frozenset[str] = frozenset()
    zone: str = ""

    def is_off(self, day: date) -> bool:
        """Return whether a day is a public holiday, be it on a weekend or not."""
        told = day.isoformat()
        return told not in self.worked and (told in self.off or (self.of == CHINA and day in _days_of_china().off))

    def is_made_up(self, day: date) -> bool:
        """Return whether a day of a weekend is worked in the place of a holiday."""
        told = day.isoformat()
        named = told in self.worked or (self.of == CHINA and day in _days_of_china().worked)
        return day.weekday() >= _SATURDAY and named and told not in self.off

    def unknown_years(self, years: Iterable[int]) -> list[int]:
        """Return the years whose holidays are not known: in them only the days that the study names are off."""
        return sorted({year for year in years if year not in _days_of_china().years}) if self.of == CHINA else []

    def opened(self, when: datetime) -> Callable[[str], bool]:
        """Return what tells whether hours hold at a local time; none hold always, and what may be shut is.

        On a public holiday hours that name it (``PH off``) say themselves what holds; others hold as on the nearest
        Sunday. On a day worked in its place they hold as on the working day beside it.

        Examples
        --------
        >>> china = Calendar(CHINA)
        >>> [china.opened(datetime(2025, *day, 10))("Mo-Fr 09:00-17:00") for day in ((10, 6), (9, 28), (10, 13))]
        [False, True, True]
        """
        day = when.date()
        like, off = when + self._to_like(day), self.is_off(day)

        def is_open(hours: str) -> bool:
            named = on_holiday(hours, day) if off else ""
            return open_then(named, when) if named else not hours or open_then(hours, like)

        return is_open

    def opened_at(self, times: npt.NDArray[np.datetime64]) -> Callable[[str], npt.NDArray[np.bool_]]:
        """Return what tells at which of many local times hours hold, as `opened` tells of one."""
        days, of_day = np.unique(times.astype("datetime64[D]"), return_inverse=True)
        dates: list[date] = days.tolist()
        shift = np.array([self._to_like(day) for day in dates], dtype="timedelta64[s]").reshape(-1)
        like = times.astype("datetime64[s]") + shift[of_day]
        off = [(day, np.flatnonzero(of_day == number)) for number, day in enumerate(dates) if self.is_off(day)]

        def is_open(hours: str) -> npt.NDArray[np.bool_]:
            if not hours:
                return np.ones(len(times), dtype=bool)
            found = open_at_times(hours, like)
            for day, then in off:
                if named := on_holiday(hours, day):
                    found[then] = open_at_times(named, times[then])
            return found

        return is_open

    def opens_within(self, hours: str, times: npt.NDArray[np.datetime64], minutes: float) -> npt.NDArray[np.bool_]:
        """Return whether hours hold at each of many local times, or begin to within so many minutes (inclusive)."""
        found = self.opened_at(times)(hours)
        left = np.flatnonzero(~found)
        later = np.arange(int(minutes // (24 * 60)) + 2).astype("timedelta64[D]")
        days = np.unique(times[left].astype("datetime64[D]")[:, None] + later)
        begins = np.array(
            [
                np.datetime64(day, "s") + np.timedelta64(start)
                for day in days.tolist()
                for start in self._openings(hours, day)
            ],
            dtype="datetime64[s]",
        )
        begins = np.append(begins, np.datetime64("9999-12-31", "s"))
        wait = begins[np.searchsorted(begins, times[left])] - times[left]
        found[left] = wait <= np.timedelta64(int(minutes * 60), "s")
        return found

    def _openings(self, hours: str, day: date) -> list[timedelta]:
        named = on_holiday(hours, day) if self.is_off(day) else ""
        return openings(named, day) if named else openings(hours, day + self._to_like(day))

    def _to_like(self, day: date) -> timedelta:
        """Return how far from a day the one is whose hours hold on it."""
        weekday = day.weekday()
        if self.is_off(day):
            return timedelta(days=_SUNDAY - weekday if weekday >= _THURSDAY else -1 - weekday)
        return timedelta(days=(1 if weekday == _SUNDAY else -1) if self.is_made_up(day) else 0)

    def local(self, when: datetime) -> datetime | None:
        """Return a time by the clock of the zone, without its offset; None where it states one and no zone is known."""
        if when.tzinfo is None:
            return when
        zone = _zone(self.zone) if self.zone else CHINA_TIME if self.of == CHINA else None
        return None if zone is None else when.astimezone(zone).replace(tzinfo=None)

    def clock(
        self, clock: npt.NDArray[np.datetime64], ahead_min: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.datetime64]:
        """Return what the clock of the zone showed at many times, of which some (not NaN) are so far ahead of UTC."""
        shown = clock.copy()
        for row in np.flatnonzero(~np.isnan(ahead_min)).tolist():
            stated = timezone(timedelta(minutes=float(ahead_min[row])))
            local = self.local(clock[row].item().replace(tzinfo=stated))
            shown[row] = np.datetime64("NaT") if local is None else np.datetime64(local, "s")
        return shown


@dataclass(frozen=True)
class _Days:
    """The days off, the days worked in their place, and the years of which both are known."""

    off: Container[date]
    worked: Container[date]
    years: range


@cache
def _days_of_china() -> _Days:
    """Return those that the State Council announces year by year."""
    from chinese_calendar import constants  # asked for by those alone who have times

    off = constants.holidays
    return _Days(off, constants.workdays, range(min(off).year, max(off).year + 1))


@cache
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Return whether there is a zone of this name."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
