"""Opening hours: whether something is open at a time of the week.

Hours are texts in the form of OpenStreetMap's ``opening_hours``. A time is one of an ordinary week: public and school
holidays are not considered, sunrise is 7:00 and sunset 19:00.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from opening_hours import OpeningHours, validate

from lifecircle.said import Said

MONDAY = datetime(2025, 5, 12)
"""The ordinary week begins here: it decides for hours that change with the season."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

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
    return OpeningHours(hours).is_open(MONDAY + since_monday)


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
