"""CSV as offices write it: in any encoding they use, parted by commas, semicolons or tabs."""

from __future__ import annotations

import io

import pandas as pd

from lifecircle.errors import Breach
from lifecircle.readers.encodings import CHINESE, recognise, taken_encoding
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Grid

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
    encoding = source.encoding or recognise(content) or "utf-8"
    told = taken_encoding(source.layer, source.path, encoding) if encoding == CHINESE and not source.encoding else []
    plain = content.decode(encoding).removeprefix(_BOM)
    cells = pd.read_csv(
        io.StringIO(plain),
        sep=_separator(plain),
        header=None,
        index_col=False,
        dtype="str",
        keep_default_na=False,
        skipinitialspace=True,
    )
    numbers = pd.Series(range(len(cells))).astype("str")
    return Grid(located.path.name, cells, "row " + numbers), told


def _separator(plain: str) -> str:
    """Return by what the cells of the first line are parted; what stands in quotation marks parts nothing."""
    first = next((line for line in plain.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(_SEPARATORS, key=bare.count)
