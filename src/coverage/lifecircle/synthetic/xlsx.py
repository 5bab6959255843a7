"""Large tables as a workbook of Excel's, sheet after sheet, column by column.

A workbook is a zip of XML. What a plain one needs is little, and a library that takes cell after cell needs a minute
for the households of a city. Source: ECMA-376, Office Open XML, part 1, SpreadsheetML.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

MOST_ROWS = 1_048_576
"""Rows that a sheet holds."""

NAME_LENGTH = 31
"""Longest name of a sheet."""

_CHUNK = 100_000
_FAST = 1
_NUMBER, _TEXT, _BLANK = "<c><v>{}</v></c>", '<c t="inlineStr"><is><t>{}</t></is></c>', "<c/>"
_BEGIN = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet: rows above a table, the table, rows below it, and the ranges whose cells are merged (``A1:F1``).

    An empty text, a zero and None are empty cells.
    """

    name: str
    head: Sequence[Sequence[str]]
    table: pd.DataFrame
    foot: Sequence[Sequence[str]] = ()
    merged: Sequence[str] = ()


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write sheets of at most `MOST_ROWS` rows; the same sheets give the same bytes."""
    names = [f"xl/worksheets/sheet{i}.xml" for i in range(1, len(sheets) + 1)]
    parts: list[tuple[str, Iterable[str]]] = [
        ("[Content_Types].xml", [_content_types(names)]),
        ("_rels/.rels", [_relations([("officeDocument", "xl/workbook.xml")])]),
        ("xl/workbook.xml", [_workbook([s.name for s in sheets])]),
        ("xl/_rels/workbook.xml.rels", [_relations([("worksheet", name.removeprefix("xl/")) for name in names])]),
        *((name, _worksheet(sheet)) for name, sheet in zip(names, sheets, strict=True)),
    ]
    with zipfile.ZipFile(path, "w", compresslevel=_FAST) as packed:
        for name, texts in parts:
            info = zipfile.ZipInfo(name)  # bears no clock
            info.compress_type = zipfile.ZIP_DEFLATED
            with packed.open(info, "w", force_zip64=True) as part:
                part.write(_BEGIN.encode())
                for text in texts:
                    part.write(text.encode())


def _worksheet(sheet: Sheet) -> Iterator[str]:
    yield f'<worksheet xmlns="{_MAIN}"><sheetData>'
    yield _rows(pd.DataFrame(sheet.head), 1)
    first = 1 + len(sheet.head)
    for begin in range(0, len(sheet.table), _CHUNK):
        yield _rows(sheet.table.iloc[begin : begin + _CHUNK], first + begin)
    yield _rows(pd.DataFrame(sheet.foot), first + len(sheet.table))
    yield "</sheetData>"
    if sheet.merged:
        cells = "".join(f'<mergeCell ref="{reference}"/>' for reference in sheet.merged)
        yield f'<mergeCells count="{len(sheet.merged)}">{cells}</mergeCells>'
    yield "</worksheet>"


def _rows(table: pd.DataFrame, first: int) -> str:
    """Return rows of cells from row ``first`` of the sheet on; a cell stands where it comes, so it needs no address."""
    pieces = np.empty((len(table), len(table.columns) + 2), dtype=object)
    pieces[:, 0] = [f'<row r="{first + i}">' for i in range(len(table))]
    for i, column in enumerate(table.columns, start=1):
        pieces[:, i] = _cells(table[column])
    pieces[:, -1] = "</row>"
    return "".join(pieces.ravel())


def _cells(values: pd.Series) -> npt.NDArray[np.object_]:
    row, distinct = pd.factorize(values)
    cells = [_cell(value) if value else _BLANK for value in distinct.tolist()]
    return np.array([*cells, _BLANK], dtype=object)[row]


def _cell(value: object) -> str:
    return _TEXT.format(escape(value)) if isinstance(value, str) else _NUMBER.format(value)


def _content_types(sheets: Sequence[str]) -> str:
    stated = "".join(f'<Override PartName="/{name}" ContentType="{_TYPE}.worksheet+xml"/>' for name in sheets)
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{stated}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    stated = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{stated}</Relationships>'


def _workbook(names: Sequence[str]) -> str:
    stated = "".join(f'<sheet name="{escape(n)}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(names, start=1))
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{stated}</sheets></workbook>'
