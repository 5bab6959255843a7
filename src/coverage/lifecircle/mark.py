"""The mark of made-up data: one word, taken up from every input and put into every output.

It travels in the data: as a column of a table or layer, a tag of a way or of a raster, a key of a record. So a result
that is read again is still marked, whatever its file is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import pandas as pd

from lifecircle.errors import Breach
from lifecircle.model import Note
from lifecircle.said import Said

MARK = "synthetic"
"""Name of the column, tag or key."""

UNSAID = "unsaid-synthetic"
"""Rule of a finding that tells of an input with the mark in a study without it."""

YES = "yes"
YES_WORDS = ("yes", "true", "1")
"""What is written, and what is read."""

REMARK = Note(en="Synthetic data", zh="合成数据")
BOTH = f"{REMARK.en} {REMARK.zh}"
"""What people read, on a page of one language and where there is room for two."""

Table = TypeVar("Table", bound=pd.DataFrame)


def marked(table: Table, synthetic: bool) -> Table:
    """Return the table as it is given out: that of a synthetic study ends in the column `MARK`, no other has one."""
    return table.assign(**{MARK: YES}) if synthetic else table


def is_mark(name: str) -> bool:
    """Return whether a column, tag or key of this name is the mark: however offices and formats write it."""
    return name.strip().lower() == MARK


def is_marked(tags: Mapping[str, object]) -> bool:
    """Return whether tags say that what bears them is made up."""
    return any(is_mark(name) and str(value).strip().lower() in YES_WORDS for name, value in tags.items())


def unsaid(layers: Iterable[str]) -> list[Breach]:
    """Tell which inputs bear the mark although the study file does not say it: they decide."""
    message = Said("says that it is made up, so every result is marked; say {} = true under [study]", MARK)
    return [Breach(layer, UNSAID, message, severity="warning") for layer in layers]
