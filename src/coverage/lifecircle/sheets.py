"""Tables as spreadsheet programs read them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DECIMALS = 6
"""Figures in tables are rounded to this many decimals: a resident, a metre, a second to a millionth."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet read a text cell as a formula; such a cell gets an apostrophe in front."""


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as a spreadsheet program reads it: UTF-8 with its mark, no cell a formula, unreachable empty.

    Whole numbers are written as such, without a decimal point.
    """
    safe = table.copy()
    for column in safe.columns:
        if pd.api.types.is_float_dtype(safe[column]):
            rounded = safe[column].round(DECIMALS)
            whole = (rounded.isna() | (rounded % 1 == 0)).all()
            safe[column] = rounded.astype("Int64") if whole else rounded
        elif not pd.api.types.is_numeric_dtype(safe[column]):
            text = safe[column].astype(object)
            risky = text.map(lambda cell: isinstance(cell, str) and cell.startswith(FORMULA_STARTS))
            safe[column] = text.where(~risky, "'" + text.astype(str))
    safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
