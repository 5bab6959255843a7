"""Figures as people read them: a dash where one is not shown, and no rounding that claims too much."""

from __future__ import annotations

import math

import pandas as pd

ROUNDING = 1e-9
"""A share this much less than all is all: sums of fractions of residents are rounded."""


def people(residents: float) -> str:
    """Return a number of residents, a dash where it is not shown."""
    return figure(residents, ",.0f")


def figure(value: float, form: str) -> str:
    """Return a figure, a dash where it is not shown or there is none, as the gap to a bound of 0."""
    return format(value, form) if math.isfinite(value) else "-"


def share(share: float) -> str:
    """Return a share in per cent; what is not all never reads 100 %, what is not nothing never 0 %."""
    if pd.isna(share):
        return "-"
    part = ROUNDING < share < 1 - ROUNDING
    return f"{min(max(share, 0.001), 0.999) if part else share:.1%}"
