"""Days as people write them: 2026-05-03, 2026/5/3, 2026年5月3日, 20260503, with or without a time of the day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

import pandas as pd

from lifecircle.said import Said

_DAY = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?(?:[T\s]+[0-9:.+Z]+)?")
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")

_EXCEL_DAY = re.compile(r"([1-9][0-9]{4})(?:\.[0-9]+)?")
_EXCEL_DAY_0 = date(1899, 12, 30)


def day_of(text: str) -> str:
    """Return a day as ``2026-05-03``, so that days compare as texts; empty where it is none.

    Examples
    --------
    >>> day_of("2026年5月3日"), day_of("2026-05-03 00:00:00"), day_of("2026-02-30")
    ('2026-05-03', '2026-05-03', '')
    """
    read = _DAY.fullmatch(text.strip()) or _DIGITS.fullmatch(text.strip())
    try:
        return date(*map(int, read.groups())).isoformat() if read else ""
    except ValueError:
        return ""


def days_of(texts: pd.Series) -> pd.Series:
    """Return days as `day_of` does, each distinct text read once."""
    return texts.map({text: day_of(text) for text in texts.unique()}).astype("str")


def not_a_day(name: str, texts: Iterable[str]) -> str:
    """Return what to tell of texts that are no days; one that may be a day as Excel counts them is named."""
    counted = next(filter(None, map(_EXCEL_DAY.fullmatch, texts)), None)
    if counted is None:
        return Said("{} must be a date such as 2026-05-03", name)
    day = _EXCEL_DAY_0 + timedelta(days=int(counted[1]))
    return Said(
        "{} must be a date: {} may be {} as Excel counts days; format the cells as dates", name, counted[0], day
    )
