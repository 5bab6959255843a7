"""Cells as offices arrange them - a title, headings above headings, sums at the foot - made one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.conform import UNPRINTABLE
from lifecircle.errors import Breach
from lifecircle.model import BoolArray
from lifecircle.readers.aliases import is_of_data
from lifecircle.schema import breach

Wanted = Callable[[str], bool]
"""Whether a layer has a use for a column of this heading."""

_FIRST_ROWS = 20
"""The headings stand in one of these rows."""

_SUM = r"[合总小共]\s*计(?:\s*[:：(（].*)?"
_TOTAL = rf"^(?:.{{0,20}}{_SUM}|(?:[Gg]rand |[Ss]ub)?(?:[Tt]otal|TOTAL)\s*[:：]?)$"
"""How the first text of a row begins that sums up others; in a later cell it says nothing else than `_SUM`."""

_NUMBER = r"^[0-9０-９.,，]+$"
_FIRST_CELLS = 6
"""Where in a row such a word is looked for."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of a sheet or a text file, as text, empty where nothing stands; ``row_names`` name its rows.

    ``parted`` is whether they are parted by a character that may stand in a cell too; ``merged`` has the column, the
    first and the last row, all from 0, of cells that are merged over several rows: the first of them holds the text.
    """

    name: str
    cells: pd.DataFrame
    row_names: pd.Series
    parted: bool = False
    merged: Sequence[tuple[int, int, int]] = ()


class Sums(NamedTuple):
    """Rows that sum up others: their cells, and after how many rows of the table each stands, and its sheet begins."""

    cells: pd.DataFrame
    above: list[int]
    begins: list[int]


def stacked(
    layer: str,
    grids: Sequence[Grid],
    wanted: Wanted,
    *,
    said: Wanted,
    alike: Callable[[Mapping[str, pd.DataFrame]], list[Breach]],
) -> tuple[pd.DataFrame | None, Sums, list[Breach]]:
    """Put the tables of several sheets below each other, each without what stands above and below it.

    Parameters
    ----------
    wanted
        Tells the headings: they stand where columns are that the layer has a use for.
    said
        Tells those of ids and words: a merged cell below them is said of each of its rows, while a number is one.
    alike
        Tells which of several tables, by the names of their sheets, list the same.

    Returns
    -------
    tuple
        The table, indexed by the names of its rows, None where the sheets differ in their headings or list the same;
        the rows that sum up others; and what was left out.
    """
    tables, lower, twice, loose, spread = dict[str, pd.DataFrame](), [], list[list[str]](), [], list[str]()
    strange, remarks = list[str](), list[str]()
    sums, above, begins, n_rows = list[pd.DataFrame](), list[int](), list[int](), 0
    for grid in grids:
        cells = _plain(grid.cells)
        first, last, known = _heading_rows(cells, wanted)
        if not known and len(grids) > 1:
            (strange if any(map(is_of_data, cells[cells != ""])) else remarks).append(grid.name)
            continue
        if (cells[:last] != "").any():
            lower.append(grid.name)
        headings, repeated = _headings(cells[first : last + 1])
        twice += [names for heading, *names in repeated if wanted(heading) and not any(map(wanted, names))]
        table, total, over, beside = _below(grid, headings, last)
        table, taken = _said_of_each(grid, headings, last, table, said)
        tables[grid.name] = table
        spread += taken
        sums.append(total)
        above += [n_rows + n for n in over]
        begins += [n_rows] * len(total)
        n_rows += len(table)
        loose += beside if grid.parted else []
    several = "several columns bear one heading, and none of them is read; state the one that is meant under columns"
    shifted = (
        "more cells than headings: a comma in a number or a text parts it in two; put it in quotation marks, or give "
        "the column a heading"
    )
    below = "the headings stand below a title or other headings; what is above them was left out"
    told = Sums(pd.concat(sums) if sums else pd.DataFrame(), above, begins)
    breaches = [
        *breach(layer, "merged-heading", below, lower, "repair"),
        *breach(layer, "repeated-heading", several, dict.fromkeys(" or ".join(names) for names in twice), "warning"),
        *breach(
            layer, "merged-cells", "a merged cell reaches over these rows: taken to hold for each", spread, "repair"
        ),
        *breach(layer, "total-row", "sums up other rows; left out", told.cells.index, "repair"),
        *breach(layer, "loose-cells", shifted, loose),
        *breach(layer, "idle-sheet", "has no heading that the layer knows; left out", strange, "warning"),
        *breach(layer, "idle-sheet", "has no heading of ids, numbers or places; left out as remarks", remarks, "note"),
    ]
    if len({frozenset(filter(wanted, table.columns)) for table in tables.values()}) > 1:
        message = "the sheets differ in their headings; make them alike, or say which one is meant: layer = its name"
        return None, told, [*breaches, *breach(layer, "unlike-sheets", message, [grid.name for grid in grids])]
    if len(tables) > 1:
        if again := alike(tables):
            return None, told, [*breaches, *again]
        together = "the rows of these sheets are put together; name one under layer to read it alone"
        breaches += breach(layer, "several-sheets", together, tables, "note")
    return (pd.concat(tables.values()) if tables else pd.DataFrame()), told, breaches


def _plain(cells: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the cells among which the headings are, without blanks around them."""
    top = cells.iloc[:_FIRST_ROWS].replace(UNPRINTABLE, " ", regex=True)
    return top.apply(lambda column: column.str.strip()).to_numpy(dtype=object)


def _heading_rows(cells: npt.NDArray[np.object_], wanted: Wanted) -> tuple[int, int, bool]:
    """Return the first and the last row of the headings, and whether any of them is known.

    They are the row of the most headings that are known, and its neighbours that name columns which it leaves unnamed;
    where none is known, the first row of several cells. A row below with anything but 合计 or the like under a known
    heading is no heading but the first row of the table, and the word in it is a remark.
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

    def fills(row: int) -> bool:
        under = cells[row][named[first : last + 1].any(axis=0)]
        return any(cell and not re.match(_TOTAL, cell) for cell in under)

    while last + 1 < len(cells) and adds(last + 1) and not fills(last + 1):
        last += 1
    return first, last, True


def _headings(rows: npt.NDArray[np.object_]) -> tuple[list[str], list[list[str]]]:
    """Return the lowest heading of each column, numbered where several bear it; and each such one with its numbers.

    合计 below another heading says that the column is all of that.
    """
    filled = [[cell for cell in reversed(column.tolist()) if cell] for column in rows.T]
    headings = [next((cell for cell in cells if not re.match(_TOTAL, cell)), "".join(cells[:1])) for cells in filled]
    several = {heading for heading, n in Counter(headings).items() if heading and n > 1}
    numbered: dict[str, list[str]] = {heading: [heading] for heading in headings if heading in several}
    for i, heading in enumerate(headings):
        if heading in several:
            headings[i] = f"{heading} ({len(numbered[heading])})"
            numbered[heading].append(headings[i])
    return headings, list(numbered.values())


def _said_of_each(
    grid: Grid, headings: Sequence[str], last: int, table: pd.DataFrame, said: Wanted
) -> tuple[pd.DataFrame, list[str]]:
    """Return the table with the texts of merged cells in each of their rows, and the names of the rows that got one."""
    got = pd.Series(False, index=grid.row_names)
    filled = {}
    for column in dict.fromkeys(column for column, first, _ in grid.merged if first > last):
        if said(headings[column]):
            holder = np.arange(len(grid.cells))
            for _, first, end in (cell for cell in grid.merged if cell[0] == column and cell[1] > last):
                holder[first : end + 1] = first
            cells = grid.cells.iloc[holder, column].set_axis(grid.row_names, axis=0)
            filled[headings[column]] = cells.loc[table.index]
            got |= holder != np.arange(len(holder))
    return table.assign(**filled), table.index[got.loc[table.index]].tolist()


def _below(grid: Grid, headings: Sequence[str], last: int) -> tuple[pd.DataFrame, pd.DataFrame, list[int], list[str]]:
    """Return the rows below row ``last`` that hold anything but a sum; those that hold one, and below how many others.

    And the names of those that hold something under no heading.
    """
    rows = grid.cells.iloc[last + 1 :].set_axis(grid.row_names.iloc[last + 1 :], axis=0).rename_axis(index=None)
    headed = np.array([heading != "" for heading in headings])
    table = rows.loc[:, headed].set_axis([heading for heading in headings if heading], axis=1)
    filled, begun, total = (np.zeros(len(table), dtype=bool) for _ in range(3))
    for i in range(table.shape[1]):
        if i >= _FIRST_CELLS and filled.all():
            break
        cell = table.iloc[:, i].str.strip()
        if i < _FIRST_CELLS:
            words = ((cell != "") & ~cell.str.match(_NUMBER)).to_numpy()
            total |= np.where(begun, cell.str.match(f"^{_SUM}$"), cell.str.match(_TOTAL)).astype(bool)
            begun |= words
        filled |= (cell != "").to_numpy()
    beside = rows.loc[:, ~headed].apply(lambda cells: cells.str.strip() != "").any(axis=1)
    others = filled & ~total
    return table[others], table[total], np.cumsum(others)[total].tolist(), table.index[beside & ~total].tolist()
