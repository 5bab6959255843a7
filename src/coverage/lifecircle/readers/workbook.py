"""Workbooks of Excel's: the cells of their sheets, each as the text of the value that it holds."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import fastexcel
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lifecircle.errors import Breach
from lifecircle.readers.archives import parts
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Grid
from lifecircle.readers.limits import Limits
from lifecircle.said import Said
from lifecircle.schema import breach

Merged = tuple[int, int, int]
"""The column, the first and the last row, from 0, of cells merged over several rows."""

_TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
_SHEETS = "xl/worksheets/"
_LETTERS = 26
_MOST_ROW_BYTES = 2**22
_REFERENCE = re.compile(rb"[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")
_BEYOND_Z = (re.compile(rb'"[A-Z]{2,3}[0-9]'), re.compile(rb"'[A-Z]{2,3}[0-9]"))
_UNSOLVED = re.compile(rb'<c\b(?:\s+r="([A-Z0-9]+)")?[^>]*><f\b(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>')
_ERROR = re.compile(r"Error\((\w+)\)")


_LONG = re.compile(rb"<v>(?:[0-9]{16}|[0-9.]+[Ee]\+?[0-9])")
_FIGURES = rb"([0-9]+(?:\.[0-9]+)?(?:[Ee]\+?[0-9]{1,2})?)"
_CUT = re.compile(rb"<c\b([^>]*)>(?:<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)?<v>" + _FIGURES + rb"</v>")
_MERGED = re.compile(rb'<mergeCell\b[^>]*\bref="([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"')
_FILLED = re.compile(rb'<c\b[^>]*\br="([A-Z]{1,3})[0-9]{1,7}"[^>]*>(?:<v|<is|<f)')
_TAG = re.compile(rb"<(?:sheet|Relationship)\b[^>]*>")
_SAID = re.compile(rb"""\b(name|r:id|Id|Target)=["']([^"']*)["']""")
_KEPT = 1e15
"""Numbers from here on have more digits than Excel keeps."""


def read_sheets(located: Located) -> tuple[list[Grid], frozenset[str], list[Breach]]:
    """Read the sheets of a workbook that hold anything: the one that the study names, else all that are not hidden.

    The value of a formula is what the workbook holds of it. A cell whose formula came to an error holds that, such as
    ``#REF!``; a formula whose value was never stored is told.

    Returns
    -------
    tuple
        The sheets; the numbers in cells of which the last digits are lost, as they stand there; and what was found.

    Raises
    ------
    ValueError
        When the workbook is broken, or a sheet has too many cells.
    """
    source = located.input
    unsolved, cut, merged = _look_through(located.path, located.limits)
    try:
        workbook = fastexcel.read_excel(located.path)
        if source.table and source.table not in workbook.sheet_names:
            message = Said("there is no sheet {!r} in it; there are {}", source.table, ", ".join(workbook.sheet_names))
            return [], cut, [Breach(source.layer, "unknown-layer", message, (source.path,), 1)]
        grids, hidden = [], []
        for name in [source.table] if source.table else workbook.sheet_names:
            sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            if sheet.visible != "visible" and not source.table:
                hidden.append(name)
            elif sheet.height:
                grids.append(_grid(name, sheet, merged.get(name, [])))
    except fastexcel.FastExcelError as error:
        raise ValueError(str(error)) from error
    formulas = "formulas whose values the workbook does not hold; open it in Excel and save it"
    return (
        grids,
        cut,
        [
            *breach(source.layer, "formula-cell", formulas, unsolved),
            *breach(
                source.layer,
                "hidden-sheet",
                "hidden sheets, left out; name one under layer to read it",
                hidden,
                "warning",
            ),
        ],
    )


def _grid(name: str, sheet: fastexcel.ExcelSheet, merged: list[Merged]) -> Grid:
    batch, errors = sheet.to_arrow_with_errors()
    filled = [pc.fill_null(column.cast(pa.string()), "") for column in batch.columns]
    names = [str(i) for i in range(len(filled))]
    cells = pa.table(filled, names=names).to_pandas(types_mapper={pa.string(): _TEXT}.get)
    for error in errors.errors if errors else ():
        kind = _ERROR.search(error.detail)
        cells.iloc[error.offset_position] = f"#{kind[1].upper()}!" if kind else "#ERROR!"
    numbers = pd.Series(range(1, len(cells) + 1)).astype("str")
    inside = [cell for cell in merged if 0 <= cell[0] < cells.shape[1] and cell[2] < len(cells)]
    return Grid(name, cells, f"{name} row " + numbers, merged=inside)


def _look_through(path: Path, limits: Limits) -> tuple[list[str], frozenset[str], dict[str, list[Merged]]]:
    """Return the cells of formulas without a value, the cut numbers, and the cells merged over rows, by sheet.

    Refuse a sheet that would fill the memory.

    A sheet takes the memory of all cells up to its last row and column, however few of them hold anything.
    """
    unsolved, wide, cut, merged = [], [], set[str](), dict[int, list[Merged]]()
    for i, pieces in enumerate(parts(path, _SHEETS)):
        for rows in _whole_rows(pieces):
            if b"<f" in rows:
                unsolved += [cell.decode() or "a cell" for cell in _UNSOLVED.findall(rows)]
            if _LONG.search(rows):
                numbers = {float(number) for said, number in _CUT.findall(rows) if b't="str"' not in said}
                cut |= {str(int(number)) for number in numbers if _KEPT <= number < np.inf}
            if b"<mergeCell " in rows:
                found = [(_column_number(c) - 1, int(top) - 1, int(end) - 1) for c, top, end in _MERGED.findall(rows)]
                merged.setdefault(i, []).extend(cell for cell in found if cell[1] < cell[2])
            if i not in wide and (_most_cells(rows) > _LETTERS or any(place.search(rows) for place in _BEYOND_Z)):
                wide.append(i)
    for i, pieces in enumerate(parts(path, _SHEETS)) if wide else ():  # few sheets have more columns than letters
        if i in wide:
            _check_extent(pieces, limits)
    names = _names_of_parts(path) if any(merged.values()) else []
    placed = {}
    for i, pieces in enumerate(parts(path, _SHEETS)) if names else ():
        if merged.get(i) and names[i]:
            # What is read of a sheet begins at its first column that holds anything.
            begin = min(
                (_column_number(c) for rows in _whole_rows(pieces) for c in set(_FILLED.findall(rows))), default=1
            )
            placed[names[i]] = [(column - begin + 1, first, end) for column, first, end in merged[i]]
    return unsolved, frozenset(cut), placed


def _names_of_parts(path: Path) -> list[str]:
    """Return which sheet each part below the folder of sheets holds, empty for none."""

    def tags(part: str) -> list[dict[bytes, bytes]]:
        content = b"".join(b"".join(pieces) for pieces in parts(path, part))
        return [dict(_SAID.findall(tag)) for tag in _TAG.findall(content)]

    targets = {tag[b"Id"]: tag[b"Target"] for tag in tags("xl/_rels/workbook.xml.rels") if {b"Id", b"Target"} <= {*tag}}
    sheets = {
        PurePosixPath(targets[tag[b"r:id"]].decode()).name: html.unescape(tag[b"name"].decode())
        for tag in tags("xl/workbook.xml")
        if tag.get(b"r:id") in targets and b"name" in tag
    }
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if entry.filename.startswith(_SHEETS) and not entry.is_dir()]
    return [sheets.get(PurePosixPath(entry.filename).name, "") for entry in entries]


def _check_extent(pieces: Iterable[bytes], limits: Limits) -> None:
    last_column = last_row = n_rows = 0
    for rows in _whole_rows(pieces):
        references = _REFERENCE.findall(rows)
        columns = [_column_number(letters) for letters in {letters for letters, _ in references}]
        last_column = max([last_column, _most_cells(rows), *columns])
        last_row = max([last_row, *(int(number) for _, number in references)])
        n_rows += rows.count(b"<row")
        limits.hold("cells", last_column * max(last_row, n_rows))


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
