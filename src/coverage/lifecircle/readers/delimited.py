"""CSV as offices write it: in any encoding they use, parted by commas, semicolons or tabs."""

from __future__ import annotations

import codecs
import csv
import io

import pandas as pd

from lifecircle.errors import Breach
from lifecircle.readers.encodings import CHINESE, recognise, taken_encoding, wrongly_stated
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Grid
from lifecircle.readers.limits import Limits
from lifecircle.said import Said
from lifecircle.schema import breach

_SEPARATORS = (",", ";", "\t")
_BOM = "\ufeff"


def read_delimited(located: Located) -> tuple[Grid, list[Breach]]:
    """Read a CSV as text.

    Raises
    ------
    UnicodeDecodeError
        When it is not in the encoding that the study states, or in none that is recognised.
    LookupError
        When the study states an encoding that there is not.
    ValueError
        When its rows have no table's shape.
    """
    content, source = located.path.read_bytes(), located.input
    encoding = source.encoding or _encoding_of(content)
    if source.encoding:
        told = wrongly_stated(source.layer, source.path, stated=encoding, texts=content)
    else:
        told = taken_encoding(source.layer, source.path, encoding) if encoding == CHINESE else []
    plain = content.decode(encoding).removeprefix(_BOM)
    first, separator = _first_line(plain)
    located.limits.hold("columns", first.count(separator) + 1)
    cells = _cells(plain, separator, located.limits)
    names = "row " + pd.Series(range(1, len(cells) + 1)).astype("str")
    stray = names[cells.apply(_holds_rows, separator=separator).any(axis=1)] if '"' in plain else []
    message = (
        "a quotation mark opens here and closes rows below, which would be lost; take the marks out, or the line "
        "breaks if this is one cell"
    )
    return Grid(located.path.name, cells, names, parted=True), [
        *told,
        *breach(source.layer, "stray-quote", message, stray),
    ]


def _holds_rows(cells: pd.Series, *, separator: str) -> pd.Series:
    """Return whether a cell goes over several lines of which one at least is parted into cells itself."""
    return cells.str.contains("\n", regex=False) & cells.str.contains(separator, regex=False)


def _cells(plain: str, separator: str, limits: Limits) -> pd.DataFrame:
    """Return the cells, as many columns as the longest row has, a row each line but for breaks inside of cells."""

    def read(names: range | None) -> pd.DataFrame:
        return pd.read_csv(
            io.StringIO(plain),
            sep=separator,
            header=None,
            names=names,
            index_col=False,
            dtype="str",
            keep_default_na=False,
            skipinitialspace=True,
            skip_blank_lines=False,
        ).fillna("")

    try:
        return read(None)
    except pd.errors.ParserError:  # a row is longer than the first, which may be a title
        n_columns = _most_cells(plain, separator)
        limits.hold("columns", n_columns)
        return read(range(n_columns))


def _most_cells(plain: str, separator: str) -> int:
    rows = csv.reader(io.StringIO(plain), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        return max(map(len, rows))
    except csv.Error as error:
        message = Said("line {}: a quotation mark is out of place, or opens a text that nothing closes", rows.line_num)
        raise ValueError(message) from error


def _encoding_of(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what Excel calls Unicode text
        return "utf-16"
    return recognise(content) or "utf-8"


def _first_line(plain: str) -> tuple[str, str]:
    """Return the first line that has several cells, and by what they are parted.

    What stands in quotation marks parts nothing, and is left out of the line.
    """
    bare = ("".join(line.split('"')[::2]) for line in io.StringIO(plain))
    first = next((line for line in bare if any(separator in line.rstrip() for separator in _SEPARATORS)), "")
    return first, max(_SEPARATORS, key=first.count)
