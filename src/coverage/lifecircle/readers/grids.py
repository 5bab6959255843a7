"""Cells as offices arrange them - a title, headings above headings, sums at the foot - made one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.errors import Breach
from lifecircle.model import BoolArray
from lifecircle.schema import UNPRINTABLE, breach

Wanted = Callable[[str], bool]
"""Whether a layer has a use for a column of this heading."""

_FIRST_ROWS = 20
"""The headings stand in one of these rows."""

_TOTAL = r"^(?:.{0,20}[合总小共]\s*计|(?:[Gg]rand |[Ss]ub)?(?:[Tt]otal|TOTAL))\s*[:：]?$"


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of a sheet or a text file, as text, empty where nothing stands; ``row_names`` name its rows."""

    name: str
    cells: pd.DataFrame
    row_names: pd.Series


def stacked(layer: str, grids: Sequence[Grid], wanted: Wanted) -> tuple[pd.DataFrame | None, list[Breach]]:
    """Put the tables of several sheets below each other, each without what stands above and below it.

    Parameters
    ----------
    wanted
        Tells the headings: they stand where columns are that the layer has a use for.

    Returns
    -------
    tuple
        The table, indexed by the names of its rows, None where the sheets differ in their headings; and what was left
        out.
    """
    tables, lower, idle, totals = [], [], [], list[str]()
    for grid in grids:
        cells = _plain(grid.cells)
        first, last, known = _heading_rows(cells, wanted)
        if not known and len(grids) > 1:
            idle.append(grid.name)
            continue
        if last > 0:
            lower.append(grid.name)
        table, sums = _below(grid, _headings(cells[first : last + 1]), last)
        tables.append(table)
        totals += sums
    below = "the headings stand below a title or other headings; what is above them was left out"
    breaches = [
        *breach(layer, "merged-heading", below, lower, "repair"),
        *breach(layer, "total-row", "sums up other rows; left out", totals, "repair"),
        *breach(layer, "idle-sheet", "has no heading that the layer knows; left out", idle, "warning"),
    ]
    if len({frozenset(table.columns) for table in tables}) > 1:
        message = "the sheets differ in their headings; make them alike, or say which one is meant: layer = its name"
        return None, [*breaches, *breach(layer, "unlike-sheets", message, [grid.name for grid in grids])]
    return (pd.concat(tables) if tables else pd.DataFrame()), breaches


def _plain(cells: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the cells among which the headings are, without blanks around them."""
    top = cells.iloc[:_FIRST_ROWS].replace(UNPRINTABLE, " ", regex=True)
    return top.apply(lambda column: column.str.strip()).to_numpy(dtype=object)


def _heading_rows(cells: npt.NDArray[np.object_], wanted: Wanted) -> tuple[int, int, bool]:
    """Return the first and the last row of the headings, and whether any of them is known.

    They are the row of the most headings that are known, and its neighbours that name columns which it leaves unnamed;
    where none is known, the first row of several cells.
    """
    named: BoolArray = np.array([[bool(cell) and wanted(cell) for cell in row] for row in cells], dtype=bool)
    if not named.any():
        several = np.flatnonzero((cells != "").sum(axis=1) > 1)
        row = int(several[0]) if len(several) else 0
        return row, row, False
    first = last = int(named.sum(axis=1).argmax())

    def adds(row: int) -> bool:
        return bool(named[row].any()) and not bool((named[row] & named[first : last + 1].any(axis=0)).any())

    while first > 0 and adds(first - 1):
        first -= 1
    while last + 1 < len(cells) and adds(last + 1):
        last += 1
    return first, last, True


def _headings(rows: npt.NDArray[np.object_]) -> list[str]:
    """Return the lowest heading of each column; one that several columns bear is numbered from the second on."""
    headings, seen = [], dict[str, int]()
    for column in rows.T:
        heading = next((cell for cell in reversed(column.tolist()) if cell), "")
        n = seen[heading] = seen.get(heading, 0) + 1
        headings.append(f"{heading} ({n})" if heading and n > 1 else heading)
    return headings


def _below(grid: Grid, headings: Sequence[str], last: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows below row ``last`` that hold anything but a sum, and the names of those that hold one."""
    rows = grid.cells.iloc[last + 1 :].set_axis(headings, axis=1).set_axis(grid.row_names.iloc[last + 1 :], axis=0)
    table = rows.loc[:, [heading != "" for heading in headings]].rename_axis(index=None)
    leading = pd.Series("", index=table.index, dtype="str")
    for i in range(table.shape[1]):
        if (leading != "").all():
            break
        leading = leading.where(leading != "", table.iloc[:, i].str.strip())
    total = leading.str.match(_TOTAL)
    return table[(leading != "") & ~total], leading.index[total].tolist()
