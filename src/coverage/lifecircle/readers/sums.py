"""Rows of 合计, which are left out, held against what they sum up."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lifecircle.conform import HEADINGS
from lifecircle.errors import Breach
from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.readers.aliases import plain_heading
from lifecircle.readers.cells import mend_cells
from lifecircle.readers.grids import Sums
from lifecircle.said import Said
from lifecircle.schema import GROUP_PREFIX, breach, row_name

COUNTED = ("residents", "capacity", "cost", "agents")
"""Columns that people sum up, beside the groups of residents; nobody sums up storeys."""

_ROUNDED = 0.5


def check_sums(layer: str, sums: Sums | None, ours: pd.DataFrame, position: pd.Series) -> list[Breach]:
    """Tell which rows of sums say another number than the rows above them add up to.

    A sum may be of all rows, of its sheet, of those down from any sum before it, for sums of houses stand among those
    of communities, or of those below it down to another: it must be none of these to be told. Of one with no row above
    it in its sheet nothing is told: it may be of other sheets.

    Parameters
    ----------
    ours
        The table in our column names, its cells mended; rows that are there twice may be left out.
    position
        The place of each row of the whole table, by its name.
    """
    if sums is None or not sums.above:
        return []
    named = {plain_heading(heading): heading for heading in sums.cells} | ours.attrs.get(HEADINGS, {})
    counted = [c for c in ours if c in named and (c in COUNTED or c.startswith(GROUP_PREFIX))]
    stated, _ = mend_cells(layer, sums.cells[[named[c] for c in counted]].set_axis(counted, axis=1))
    above, begins = np.array(sums.above), np.array(sums.begins)
    borders = np.unique([0, *above, *begins, len(position)])
    message, told = "", []
    for column in counted:
        number = pd.to_numeric(ours[column], errors="coerce")
        if (number.isna() & (ours[column].fillna("").astype("str").str.strip() != "")).any():
            continue
        each = pd.Series(0.0, index=position.index)
        each[ours.index] = number.fillna(0.0)
        if (each < 0).any():
            continue
        up_to = np.append(0.0, np.cumsum(each.to_numpy()))
        said = pd.to_numeric(stated[column], errors="coerce").to_numpy(dtype=np.float64)
        right = (above == begins) | np.isnan(said) | _adds_up(up_to, borders, above, said)
        for i in np.flatnonzero(~right):
            message = message or Said(
                "a row of sums says {:,.6g} under {}, and the rows above it add up to {:,.6g}: look whether rows are "
                "missing, or there twice",
                said[i],
                named[column],
                up_to[above[i]] - up_to[begins[i]],
            )
            told.append(Said("{}: {}", row_name(sums.cells.index[i]), named[column]))
    return breach(layer, "sum-differs", message, told, "warning")


def _adds_up(up_to: FloatArray, borders: LongArray, at: LongArray, said: FloatArray) -> BoolArray:
    """Return which sums are those of the rows between where they stand and a border above or below.

    ``up_to`` is what the first 0, 1, 2 ... rows add up to; it never falls, so that a search finds the border.
    """
    sum_at, last = up_to[borders], len(borders) - 1
    from_, to = up_to[at] - said, up_to[at] + said
    first = np.minimum(np.searchsorted(sum_at, from_ - _ROUNDED), last)
    end = np.maximum(np.searchsorted(sum_at, to + _ROUNDED, side="right") - 1, 0)
    above = (borders[first] < at) & (np.abs(sum_at[first] - from_) <= _ROUNDED)
    below = (borders[end] > at) & (np.abs(sum_at[end] - to) <= _ROUNDED)
    return np.asarray(above | below, dtype=np.bool_)
