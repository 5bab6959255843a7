"""Workbooks of Excel's: the cells of their sheets, each as the text of the value that it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import fastexcel
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lifecircle.errors import Breach
from lifecircle.readers.archives import parts
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Grid
from lifecircle.schema import breach

MOST_CELLS = 2**25
"""Cells of one sheet, the blank ones before the last included: each takes memory."""

_TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
_SHEETS = "xl/worksheets/"
_LETTERS = 26
_MOST_ROW_BYTES = 2**22
_REFERENCE = re.compile(rb"[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")
_BEYOND_Z = (re.compile(rb'"[A-Z]{2,3}[0-9]'), re.compile(rb"'[A-Z]{2,3}[0-9]"))
_UNSOLVED = re.compile(rb'<c\b(?:\s+r="([A-Z0-9]+)")?[^>]*><f\b(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>')
_ERROR = re.compile(r"Error\((\w+)\)")


def read_sheets(located: Located) -> tuple[list[Grid], list[Breach]]:
    """Read the sheets of a workbook that hold anything: the one that the study names, else all that are not hidden.

    The value of a formula is what the workbook holds of it. A cell whose formula came to an error holds that, such as
    ``#REF!``; a formula whose value was never stored is told.

    Raises
    ------
    ValueError
        When the workbook is broken, or a sheet has more than `MOST_CELLS`.
    """
    source = located.input
    unsolved = _look_through(located.path)
    try:
        workbook = fastexcel.read_excel(located.path)
        if source.table and source.table not in workbook.sheet_names:
            message = f"there is no sheet {source.table!r} in it; there are {', '.join(workbook.sheet_names)}"
            return [], [Breach(source.layer, "unknown-layer", message, (source.path,), 1)]
        grids, hidden = [], []
        for name in [source.table] if source.table else workbook.sheet_names:
            sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            if sheet.visible != "visible" and not source.table:
                hidden.append(name)
            elif sheet.height:
                grids.append(_grid(name, sheet))
    except fastexcel.FastExcelError as error:
        raise ValueError(str(error)) from error
    formulas = "formulas whose values the workbook does not hold; open it in Excel and save it"
    return grids, [
        *breach(source.layer, "formula-cell", formulas, unsolved),
        *breach(
            source.layer, "hidden-sheet", "hidden sheets, left out; name one under layer to read it", hidden, "warning"
        ),
    ]


def _grid(name: str, sheet: fastexcel.ExcelSheet) -> Grid:
    batch, errors = sheet.to_arrow_with_errors()
    filled = [pc.fill_null(column.cast(pa.string()), "") for column in batch.columns]
    names = [str(i) for i in range(len(filled))]
    cells = pa.table(filled, names=names).to_pandas(types_mapper={pa.string(): _TEXT}.get)
    for error in errors.errors if errors else ():
        kind = _ERROR.search(error.detail)
        cells.iloc[error.offset_position] = f"#{kind[1].upper()}!" if kind else "#ERROR!"
    numbers = pd.Series(range(1, len(cells) + 1)).astype("str")
    return Grid(name, cells, f"{name} row " + numbers)


def _look_through(path: Path) -> list[str]:
    """Return the cells of formulas without a value; refuse a sheet that would fill the memory.

    A sheet takes the memory of all cells up to its last row and column, however few of them hold anything.
    """
    unsolved, wide = [], []
    for i, pieces in enumerate(parts(path, _SHEETS)):
        for rows in _whole_rows(pieces):
            if b"<f" in rows:
                unsolved += [cell.decode() or "a cell" for cell in _UNSOLVED.findall(rows)]
            if i not in wide and (_most_cells(rows) > _LETTERS or any(place.search(rows) for place in _BEYOND_Z)):
                wide.append(i)
    for i, pieces in enumerate(parts(path, _SHEETS)) if wide else ():  # few sheets have more columns than letters
        if i in wide:
            _check_extent(pieces)
    return unsolved


def _check_extent(pieces: Iterable[bytes]) -> None:
    last_column = last_row = n_rows = 0
    for rows in _whole_rows(pieces):
        references = _REFERENCE.findall(rows)
        columns = [_column_number(letters) for letters in {letters for letters, _ in references}]
        last_column = max([last_column, _most_cells(rows), *columns])
        last_row = max([last_row, *(int(number) for _, number in references)])
        n_rows += rows.count(b"<row")
        if last_column * max(last_row, n_rows) > MOST_CELLS:
            message = (
                f"a sheet reaches over more than {MOST_CELLS} cells; delete the blank rows and columns behind the table"
            )
            raise ValueError(message)


def _whole_rows(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a sheet anew, cut between two rows."""
    rest = b""
    for piece in pieces:
        rest += piece
        cut = rest.rfind(b"<row")
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
        elif len(rest) > _MOST_ROW_BYTES:
            raise ValueError("a row of a sheet is too long; save the workbook again")
    yield rest


def _most_cells(rows: bytes) -> int:
    return max(row.count(b"<c") for row in rows.split(b"<row"))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * _LETTERS + letter - ord("A") + 1
    return number
