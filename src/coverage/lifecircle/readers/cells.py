"""Cells as people type them: wide digits, commas in numbers, a dash for nothing, formulas in place of values."""

from __future__ import annotations

import pandas as pd

from lifecircle.conform import row_names, text
from lifecircle.errors import Breach
from lifecircle.schema import GROUP_PREFIX, PLANE, POSITION, breach, columns_of

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""The full-width form of each printable ASCII character."""

_WIDE_SIGN = "[０-９Ａ-Ｚａ-ｚ．－＋]"
_PARTED = r"^[+-]?[0-9]{1,3}(?:[,，][0-9]{3})+(?:\.[0-9]+)?$"
_NONE = ("-", "--", "—", "——", "–", "－", "/", "无")
_FORMULA = r"^(?:=.*|#(?:REF|VALUE|NAME|NULL|NUM|N/?A|DIV/?0|SPILL|CALC|ERROR)[!?]?)$"

_ROUNDED = r"^[0-9](?:\.[0-9]+)?E\+[0-9]{2}$"
"""What Excel writes into a CSV for a whole number of twelve digits or more."""


def mend_cells(layer: str, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Breach]]:
    """Write numbers and ids as they are meant, where there is no doubt, and name the formulas.

    Parameters
    ----------
    table
        A layer as read, in our column names.

    Returns
    -------
    tuple
        The same rows; and what was mended, or cannot be. Where rows are households, an empty count of a group is 0:
        such sheets are filled in for those alone whom the group counts.
    """
    told = row_names(layer, table)
    kinds = {c.name: c.kind for c in columns_of(layer, table.columns)} | dict.fromkeys((*POSITION, *PLANE), "number")
    by_household = layer == "residents" and "household" in table.columns
    mended: dict[str, pd.Series] = {}
    breaches: list[Breach] = []
    for name in [c for c in table.columns if c in kinds and not _is_typed(table[c])]:
        values = text(table[name])
        formula = values.str.match(_FORMULA)
        message = f"{name} holds a formula, or the error it came to, in place of a value; put the value in"
        breaches += breach(layer, "formula-cell", message, told[formula])
        if kinds[name] == "id":
            cut = "a number that Excel has cut to its first digits; export it from its source again, as text"
            breaches += breach(layer, "rounded-id", f"{name} is {cut}", told[values.str.match(_ROUNDED)])
        if kinds[name] in ("number", "id"):
            wide = values.str.contains(_WIDE_SIGN)
            plain = _put(values, wide, values[wide].str.translate(_WIDE))
            message = f"{name}: digits or letters as wide as Chinese characters, read as plain ones"
            breaches += breach(layer, "full-width-digits", message, told[wide & ~plain.isin(_NONE)], "repair")
            values = _put(plain, formula, "")
        if kinds[name] == "number":
            # 123,951 in a column of degrees has a comma for its point, as some countries write it.
            parted = values.str.match(_PARTED) & (name not in POSITION)
            none = values.isin(_NONE)
            values = _put(values, parted, values[parted].str.replace("[,，]", "", regex=True))
            values = _put(values, none, "")
            breaches += [
                *breach(layer, "thousands-separators", f"{name}: commas taken out", told[parted], "repair"),
                *breach(layer, "dash-for-none", f"{name}: a dash or 无, read as not stated", told[none], "repair"),
            ]
            if by_household and name.startswith(GROUP_PREFIX):
                values = values.replace("", "0")
        mended[name] = values
    return table.assign(**mended), breaches


def numbers_of(texts: pd.Series) -> pd.Series:
    """Return the numbers that texts mean, wide digits and commas between thousands as plain ones; NaN for no number."""
    plain = texts.str.translate(_WIDE)
    plain = plain.mask(plain.str.match(_PARTED), plain.str.replace(",", ""))
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def _put(values: pd.Series, where: pd.Series, instead: pd.Series | str) -> pd.Series:
    """Return values with others in some places; most columns have none, and a mask goes through text by text."""
    return values.mask(where, instead) if where.any() else values


def _is_typed(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
