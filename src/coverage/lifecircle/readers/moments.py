"""Days with a time as people and programs write them: 2026-05-03 14:30, 2026年5月3日 14时30分, 20260503 1430."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import BoolArray, FloatArray, ReadOnlyArrays

_CLOCK = (
    r"(?:[T\s]*(?P<half>上午|下午|晚上)?\s*(?P<hour>[0-9]{1,2})[:时点](?P<minute>[0-9]{1,2})分?"
    r"(?::?(?P<second>[0-9]{2})秒?(?:[.,][0-9]+)?)?\s*(?P<noon>[AaPp]\.?[Mm]\.?)?\s*(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?)"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>[0-9]{{4}})\s*[-/.年]?\s*(?P<one>[0-9]{{1,2}})\s*[-/.月]?\s*(?P<two>[0-9]{{1,2}})\s*日?{_CLOCK}"
)
_YEAR_LAST = re.compile(rf"(?P<one>[0-9]{{1,2}})[-/.](?P<two>[0-9]{{1,2}})[-/.](?P<year>[0-9]{{4}}),?{_CLOCK}")
_CLOSE = re.compile(r"(?P<day>[0-9]{8})[T\s]*(?P<clock>[0-9]{4}|[0-9]{6})")
"""Digits without signs between them: 20260503 1430, 20260503143000."""

_SERIAL = re.compile(r"[0-9]{5}\.(?=[0-9]*[1-9])[0-9]+")
"""Days since the end of 1899 and a part of one, as spreadsheets keep times; without a part it is a day and no time."""

_SERIAL_BEGINS = datetime(1899, 12, 30)
_NOON = 12
_YEARS = range(1970, 2200)
"""Years in which somebody can have asked: what lies beyond is a slip, or stands for nothing known."""
_EVENING = 5

_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")


@dataclass(frozen=True, eq=False)
class Moments(ReadOnlyArrays):
    """Days and times: what the clock showed, NaT where that is not certain, and how far it was ahead of UTC.

    ``ahead_min`` is NaN where nobody says, as in most tables; ``unread`` marks texts that cannot be read.
    """

    clock: npt.NDArray[np.datetime64]
    ahead_min: FloatArray
    unread: BoolArray


def moments_of(texts: pd.Series) -> Moments:
    """Return when each text says.

    Where the year stands last, 05/03/2026, the day or the month may come first: whichever is possible in all of them;
    where both are, none of these is read. A day without a time says too little.
    """
    plain = texts.fillna("").astype("str").str.strip()
    clock = np.full(len(plain), "NaT", dtype="datetime64[s]")
    ahead_min = np.full(len(plain), np.nan)
    usual = plain.str.fullmatch(_PLAIN.pattern).to_numpy(dtype=bool)
    others = np.flatnonzero(~usual & (plain != "").to_numpy())
    # The usual form is read all at once, unless some text in it is no time.
    try:
        clock[usual] = plain[usual].to_numpy(dtype=str).astype("datetime64[s]")
    except ValueError:
        others = np.flatnonzero((plain != "").to_numpy())
    said = plain.iloc[others]
    day_first = _day_first(said.unique())
    read = {text: _moment(text, day_first) for text in said.unique()}
    for row, text in zip(others.tolist(), said, strict=True):
        if (when := read[text]) is not None:
            clock[row] = when.replace(tzinfo=None)
            if (ahead := when.utcoffset()) is not None:
                ahead_min[row] = ahead.total_seconds() / 60
    year = clock.astype("datetime64[Y]").astype(np.int64) + 1970
    clock[(year < _YEARS.start) | (year >= _YEARS.stop)] = np.datetime64("NaT")
    return Moments(clock, ahead_min, np.isnat(clock) & (plain != "").to_numpy())


def _day_first(texts: Iterable[str]) -> bool | None:
    """Return whether the day stands before the month where the year stands last, None where that is not certain."""
    pairs = [(int(read["one"]), int(read["two"])) for read in map(_YEAR_LAST.fullmatch, texts) if read]
    day, month = any(one > _NOON for one, _ in pairs), any(two > _NOON for _, two in pairs)
    return None if day == month else day


def _of_digits(text: str) -> datetime | None:
    """Return when a text of digits says, None for any other."""
    if _SERIAL.fullmatch(text):
        return _SERIAL_BEGINS + timedelta(seconds=round(float(text) * 86_400))
    if read := _CLOSE.fullmatch(text):
        try:
            return datetime.strptime(read["day"] + read["clock"].ljust(6, "0"), "%Y%m%d%H%M%S")
        except ValueError:
            return None
    return None


def _moment(text: str, day_first: bool | None) -> datetime | None:
    if when := _of_digits(text):
        return when
    read = _YEAR_FIRST.fullmatch(text)
    first = False
    if read is None:
        read = _YEAR_LAST.fullmatch(text)
        if read is None or day_first is None:
            return None
        first = day_first
    month, day = (int(read[name]) for name in (("two", "one") if first else ("one", "two")))
    hour, noon = int(read["hour"]), (read["noon"] or "").replace(".", "").lower()
    if noon and not 1 <= hour <= _NOON:
        return None
    if read["half"] == "晚上" and (hour < _EVENING or hour == _NOON):
        return None  # one o'clock at night is another day's, by some
    late = noon == "pm" or (read["half"] in ("下午", "晚上") and hour < _NOON)
    hour = hour % _NOON + _NOON * late if noon or late else hour
    try:
        when = datetime(int(read["year"]), month, day, hour, int(read["minute"]), int(read["second"] or 0))
        return when.replace(tzinfo=_offset(read["offset"])) if read["offset"] else when
    except ValueError:
        return None


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    away = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-away if text[0] == "-" else away)
