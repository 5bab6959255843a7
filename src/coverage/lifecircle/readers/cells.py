"""Cells as people type them: wide digits, commas in numbers, a dash for nothing, formulas in place of values."""

from __future__ import annotations

import pandas as pd

from lifecircle.conform import headed, row_names, text
from lifecircle.errors import Breach
from lifecircle.readers.degrees import degrees_of
from lifecircle.said import Said, sentence
from lifecircle.schema import GROUP_PREFIX, PLANE, POSITION, breach, columns_of

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""The full-width form of each printable ASCII character."""

_WIDE_SIGN = "[０-９Ａ-Ｚａ-ｚ．－＋]"
_PARTED = r"^[+-]?[0-9]{1,3}(?:[,，][0-9]{3})+(?:\.[0-9]+)?$"
_NONE = ("-", "--", "—", "——", "–", "－", "/", "无")
_UNITS = {"levels": "层楼?|楼|[Ff]", "min_level": "层楼?|楼|[Ff]", "cost": "元"}
_OF_PEOPLE = "人次?|[口位名]"
_WORD = "[^0-9.,，+-]"
_WORDED = r"^(?:约|大约)?\s*([+-]?[0-9][0-9,，]*(?:\.[0-9]+)?)\s*(?:{})?(?:左右)?$"
"""What people write behind the number of a column, of people where nothing else is said, and around any number.

What may mean another number, as in 1.2万 or 2-3人, is left for somebody to mend, and so is a column of people in ㎡.
"""

_FORMULA = r"^(?:=.*|#(?:REF|VALUE|NAME|NULL|NUM|N/?A|DIV/?0|SPILL|CALC|ERROR)[!?]?)$"

_PLAIN = {"number": r"^$|^-?[0-9]+(?:\.[0-9]+)?$", "id": r"^[A-Za-z_][0-9A-Za-z_/-]*$|^[0-9]*$"}
"""What is written as it is meant: most columns hold nothing else, and are asked this alone."""

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
        values, shown = text(table[name]), headed(table, name)
        if kinds[name] in _PLAIN and values.str.match(_PLAIN[kinds[name]]).all():
            mended[name] = _group_counts(name, values) if by_household else values
            continue
        cells = values.rename(shown)
        formula = values.str.match(_FORMULA)
        message = Said("{} holds a formula, or the error it came to, in place of a value; put the value in", shown)
        breaches += breach(layer, "formula-cell", message, told[formula], column=shown, values=values[formula])
        if kinds[name] == "id":
            cut = "a number that Excel has cut to its first digits; export it from its source again, as text"
            message, rows = Said("{} is {}", shown, sentence(cut)), values.str.match(_ROUNDED)
            breaches += breach(layer, "rounded-id", message, told[rows], column=shown, values=values[rows])
        if kinds[name] in ("number", "id"):
            wide = values.str.contains(_WIDE_SIGN)
            plain = _put(values, wide, values[wide].str.translate(_WIDE))
            message = Said("{}: digits or letters as wide as Chinese characters, read as plain ones", shown)
            breaches += _repaired(layer, "full-width-digits", message, told, wide & ~plain.isin(_NONE), cells)
            values = _put(plain, formula, "")
        if kinds[name] == "number":
            # 123,951 in a column of degrees has a comma for its point, as some countries write it.
            if name in POSITION:
                values, found = _plain_degrees(layer, name, values, told, cells)
                breaches += found
            bare = values if name in (*POSITION, *PLANE) else without_unit(name, values)
            worded, values = bare != values, bare
            parted = values.str.match(_PARTED) & (name not in POSITION)
            none = values.isin(_NONE)
            values = _put(values, parted, values[parted].str.replace("[,，]", "", regex=True))
            values = _put(values, none, "")
            unit, dash = Said("{}: a unit or 约 taken away", shown), Said("{}: a dash or 无, read as not stated", shown)
            breaches += [
                *_repaired(layer, "unit-in-number", unit, told, worded, cells),
                *_repaired(layer, "thousands-separators", Said("{}: commas taken out", shown), told, parted, cells),
                *_repaired(layer, "dash-for-none", dash, told, none, cells),
            ]
            values = _group_counts(name, values) if by_household else values
        mended[name] = values
    return table.assign(**mended), breaches


def _group_counts(name: str, values: pd.Series) -> pd.Series:
    """Return the values of a column of households, those of a group with 0 for none stated."""
    return values.replace("", "0") if name.startswith(GROUP_PREFIX) else values


def _plain_degrees(
    layer: str, axis: str, values: pd.Series, told: pd.Series, cells: pd.Series
) -> tuple[pd.Series, list[Breach]]:
    """Return coordinates as plain degrees where they are written as angles, and what is told of these."""
    odd = (values != "") & pd.to_numeric(values, errors="coerce").isna()
    if not odd.any():
        return values, []
    plain = values.mask(odd, degrees_of(axis, values[odd]))
    message = Said("{}: degrees with minutes, or with east or north, read as plain degrees", cells.name)
    return plain, _repaired(layer, "written-degrees", message, told, plain != values, cells)


def _repaired(layer: str, rule: str, message: str, told: pd.Series, rows: pd.Series, cells: pd.Series) -> list[Breach]:
    """Return what is told of rows whose ``cells``, a series of the column's heading, were read otherwise."""
    return breach(layer, rule, message, told[rows], "repair", column=str(cells.name), values=cells[rows])


def without_unit(column: str, texts: pd.Series) -> pd.Series:
    """Return what stands in a column of numbers, without the unit of that column or a word around the number."""
    worded, form = texts.str.contains(_WORD), _WORDED.format(_UNITS.get(column, _OF_PEOPLE))
    plain = texts[worded].str.translate(_WIDE)
    plain = plain[plain.str.match(form)].str.replace(form, r"\1", regex=True)
    return texts.mask(texts.index.isin(plain.index), plain) if len(plain) else texts


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
