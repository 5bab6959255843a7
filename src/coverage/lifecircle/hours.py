"""Opening hours: whether something is open at a time of the week, or of a day.

Hours are texts in the form of OpenStreetMap's ``opening_hours``. A time of the week is one of an ordinary week: public
and school holidays are not considered; sunrise is 7:00 and sunset 19:00.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from opening_hours import OpeningHours, State, validate

from lifecircle.said import Said

MONDAY = datetime(2025, 5, 12)
"""The ordinary week begins here: it decides for hours that change with the season."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_PH, _COMMENT = re.compile(r"\bPH\b"), re.compile(r'"[^"]*"')
_APART = np.timedelta64(31, "D")
"""Times farther apart than this are looked at by themselves: nobody asks for the years between."""

_TIME = re.compile(rf"({'|'.join(f'{day}?' for day in DAYS)}) ([01]?\d|2[0-3]):([0-5]\d)")


def is_open(hours: str, at: str) -> bool:
    """Return whether ``hours`` hold at a time of the week.

    Parameters
    ----------
    hours
        As in ``Mo-Fr 06:00-22:00; Sa 08:00-12:00``; what may be open or shut counts as shut.
    at
        A day and a time, as in ``Sun 10:00``.

    Raises
    ------
    ValueError
        When either cannot be read; the message says how to write it.

    Examples
    --------
    >>> is_open("Mo-Fr 06:00-22:00", "Sun 10:00")
    False
    """
    read = _TIME.fullmatch(at)
    if not read or not validate(hours):
        raise ValueError(problem_of_time(at) or problem_of_hours(hours))
    day, hour, minute = read.groups()
    since_monday = timedelta(days=[d[:2] for d in DAYS].index(day[:2]), hours=int(hour), minutes=int(minute))
    return _read(hours).is_open(MONDAY + since_monday)


def open_then(hours: str, when: datetime) -> bool:
    """Return whether ``hours`` that can be read hold at a local time; what may be open or shut counts as shut."""
    return _read(hours).is_open(when)


def on_holiday(hours: str, day: date) -> str:
    """Return hours whose rules for public holidays (``PH off``) are those of the day; empty where they have none."""
    plain, n_rules = _PH.subn(DAYS[day.weekday()][:2], _COMMENT.sub("", hours))
    return plain if n_rules and validate(plain) else ""


def open_at_times(hours: str, times: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    """Return whether ``hours`` that can be read hold at each of many local times."""
    if not len(times):
        return np.zeros(0, dtype=bool)
    days = np.unique(times.astype("datetime64[D]"))
    midnight, spans = time(), list[tuple[datetime, datetime, State, str]]()
    for near in np.split(days, np.flatnonzero(np.diff(days) > _APART) + 1):
        begin, end = (datetime.combine(day.item(), midnight) for day in (near[0], near[-1] + np.timedelta64(1, "D")))
        spans += _read(hours).intervals(begin, end)
    starts = np.array([start for start, *_ in spans], dtype="datetime64[s]")
    is_open = np.array([state == State.OPEN for _, _, state, _ in spans], dtype=bool)
    found: npt.NDArray[np.bool_] = is_open[np.searchsorted(starts, times.astype("datetime64[s]"), side="right") - 1]
    return found


def openings(hours: str, day: date) -> list[timedelta]:
    """Return when ``hours`` that can be read begin to hold on a day: at midnight too where they held before it."""
    begin = datetime.combine(day, time())
    spans = _read(hours).intervals(begin, begin + timedelta(days=1))
    return [max(start, begin) - begin for start, _, state, _ in spans if state == State.OPEN]


@lru_cache(maxsize=4096)
def _read(hours: str) -> OpeningHours:
    return OpeningHours(hours)


def normal_hours(hours: str) -> str:
    """Return hours that can be read in the one form that all texts of the same hours share."""
    return str(OpeningHours(hours).normalize())


def problem_of_hours(hours: str) -> str:
    """Return what is wrong with opening hours and how to write them, empty when nothing is."""
    if validate(hours):
        return ""
    return Said('opening hours are written as in "Mo-Fr 06:00-22:00; Sa 08:00-12:00" or "24/7", not {!r}', hours)


def problem_of_time(at: str) -> str:
    """Return what is wrong with a time of the week and how to write it, empty when nothing is."""
    if _TIME.fullmatch(at):
        return ""
    return Said('a time of the week is written as in "Sun 10:00", with a day of {}, not {!r}', ", ".join(DAYS), at)
