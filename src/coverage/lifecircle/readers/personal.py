"""Names, telephone and identity numbers of residents: known by heading or by form, and not read into a study.

What is told of them is a heading and a number of rows, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lifecircle.conform import places_of, text
from lifecircle.errors import Breach
from lifecircle.model import BoolArray
from lifecircle.readers.aliases import aliases_of, plain_heading
from lifecircle.said import Said
from lifecircle.schema import LAYERS, OF_PERSONS, PLANE, POSITION, WKT, columns_of, known_column

RULE = "personal-data"

_HEADINGS = re.compile(
    r"姓名|户主$|业主$|房主$|房东$|产权人|承租人|租户$|家属$|签名|签字|联系人|负责人$|申请人$|监护人|身份证|公民身份"
    r"|证件|电话|固话|座机|手机|联系方式|微信|邮箱|银行卡"
    r"|phone|mobile|(?:^|_)tel(?:_|$)|id_?card|id_?no(?:_|$)|id_?number|identity|citizen_?id|national_?id|passport"
    r"|(?:full|first|last|family|given|resident|owner|tenant)_?name|surname|householder|head_of_household|contact|wechat|e-?mail"
)
_NAME = re.compile(r"name|person|resident|applicant|owner|tenant|住户")
"""The whole of a heading that means one where the rows are about persons and the layer has no use for it."""

_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_GAP = r"[-–—‑ ]{0,2}"
_IDENTITY = rf"{_PROVINCE}[0-9]{{4}}{_GAP}(?:19|20)[0-9]{{2}}{_DAY}{_GAP}[0-9]{{3}}[0-9Xx]"
_OLD_IDENTITY = rf"{_PROVINCE}[0-9]{{4}}{_GAP}[1-9][0-9]{_DAY}{_GAP}[0-9]{{3}}"
_MOBILE = rf"(?:\(?(?:\+|00)?86\)?{_GAP})?1[3-9][0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
"""Numbers of mainland identity cards (GB 11643), of those before 1999, and of mobile telephones.

The last digit of an identity number checks the others and is not looked at: a number with a slip in it, or one of which
Excel kept fifteen digits, is still somebody's.
"""

_WIDE_GAP = r"[-–—‑_/ ]{0,3}"
_LOOSE_IDENTITY = _WIDE_GAP.join(
    (
        rf"{_PROVINCE}[0-9]{{4}}",
        r"(?:19|20)[0-9]{2}",
        *(r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12][0-9]|3[01])"),
        *("[0-9]{2}", "[0-9]", "[0-9Xx]"),
    )
)
_LOOSE_MOBILE = (
    rf"(?:0|\(?(?:\+|00)?86\)?{_WIDE_GAP}(?:\(?0\)?)?)?"
    rf"(?:1[3-9][0-9]{_WIDE_GAP}[0-9]{{4}}{_WIDE_GAP}[0-9]{{4}}|1[3-9][0-9][.·][0-9]{{4}}[.·][0-9]{{4}}"
    r"|1[3-9][0-9]{2} {1,3}[0-9]{3} {1,3}[0-9]{4}|1[3-9][0-9]{3}[- ]{1,3}[0-9]{6})"
)
_POWER = r"(?:1\.[3-9][0-9]{4,8}[Ee]\+?10|[1-8]\.[0-9]{5,}[Ee]\+?1[47])"
"""The same as people and Excel also write them; where rows are about persons, little else looks so."""

_BEFORE = r"(?P<before>^|[^0-9.]|[^0-9]\.)"
_BEHIND = r"(?:\.0{1,2})?(?P<behind>$|[^0-9.]|\.$|\.[^0-9])"
"""What stands before and behind a number: no digit, and no point of a decimal fraction but that of a whole number."""

_STRICT = f"{_IDENTITY}|{_OLD_IDENTITY}|{_MOBILE}"
_LOOSE = f"{_LOOSE_IDENTITY}|{_OLD_IDENTITY}|{_LOOSE_MOBILE}|{_POWER}"

_SCRUB = re.compile(rf"(?<![0-9])(?<![0-9]\.)(?:{_LOOSE})(?:\.0{{1,2}})?(?![0-9]|\.[0-9])")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xA0: " "}
"""One character for one, so that what is found in the narrow text stands at the same place in the other."""

_SHORTEST = 11
"""Characters of the shortest of them."""

_FORMS_OF_IDS = (
    (_OLD_IDENTITY, rf"^{_PROVINCE}[0-9]{{4}}[123][0-9]10[0-9]{{5}}$"),
    (_MOBILE, r"^1[345][0-2][0-9][0-38][0-9][0-9]{5}$"),
)
"""Forms of a whole id, and which of them codes of areas and grid cells have by chance: they begin with a province."""


def is_personal(heading: str) -> bool:
    """Return whether a heading, of any layer, says that its column is about a person."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s/.-]+", "_", heading.strip()).casefold()
    return any(_HEADINGS.search(form) for form in (plain_heading(heading), snake))


def check_headings(layer: str, headings: Iterable[str]) -> list[Breach]:
    """Tell of headings that are numbers of persons: the first row of such a table is data, and is not to be shown."""
    if not any(_SCRUB.search(heading.translate(_NARROW)) for heading in headings):
        return []
    message = "telephone or ID numbers stand where the headings should be; put a row of headings above them"
    return [Breach(layer, "missing-headings", message, count=1)]


def personal_headings(layer: str, unused: Mapping[str, pd.Series | None], n_rows: int) -> dict[str, int]:
    """Return which of a file's unused columns are about persons, by their headings or by what was read of them.

    Parameters
    ----------
    unused
        The headings that the layer makes nothing of, and their cells; None where they were not read at all.
    """
    found = {}
    for heading, cells in unused.items():
        if is_personal(heading) or (layer in OF_PERSONS and _NAME.fullmatch(plain_heading(heading))):
            found[heading] = n_rows
        elif cells is not None and _may_hold(cells) and (n := int(_holds(_plain(cells), _forms(layer)).sum())):
            found[heading] = n
    return found


def left_out(layer: str, personal: Mapping[str, int]) -> list[Breach]:
    """Tell of columns about persons, as `personal_headings` returns them, that they are not read."""
    return _told(layer, "names, telephone or ID numbers; not read, and in no result", personal)


def headings_told(layer: str, headings: Iterable[str]) -> list[str]:
    """Return headings as a message may list them: where rows are about persons, the first row may stand for them.

    Of such a layer those are listed that are known, and the others are counted.
    """
    if layer not in OF_PERSONS:
        return list(headings)
    meanings, all_of_them = aliases_of(layer), list(headings)
    known = [h for h in all_of_them if known_column(layer, h) or plain_heading(h) in meanings]
    n = len(all_of_them) - len(known)
    return [
        *known,
        *([Said("{} column of no known name" if n == 1 else "{} columns of no known name", n)] if n else []),
    ]


def check_stated(layer: str, stated: Mapping[str, str], chosen_by: Iterable[str]) -> list[Breach]:
    """Refuse columns about persons that the study file names: to be read as one of ours, or to choose rows by.

    A household may be numbered by anything; what numbers it is not kept.
    """
    named = {ours: theirs for ours, theirs in stated.items() if ours != "household" and is_personal(theirs)}
    message = Said("names a column of names, telephone or ID numbers; name another, or take it out")
    return [
        *(
            Breach(layer, "personal-column", Said("columns: {} {}", ours, message), (theirs,), 1)
            for ours, theirs in named.items()
        ),
        *(
            Breach(layer, "personal-column", Said("where {}", message), (key,), 1)
            for key in chosen_by
            if is_personal(key)
        ),
    ]


def without_numbers(layer: str, table: pd.DataFrame, theirs: Mapping[str, str]) -> tuple[pd.DataFrame, list[Breach]]:
    """Take telephone and identity numbers out of the columns that are used.

    Parameters
    ----------
    table
        A layer as read, in our column names.
    theirs
        The file's heading of each column.

    Returns
    -------
    tuple
        The same rows. A household that is numbered by persons goes by the first row of it instead; an id that is a
        person's number, or holds one where rows are about persons, is empty, and elsewhere the number is taken out of
        the text. And what was taken out.
    """
    places = places_of(table)
    kinds = {c.name: c.kind for c in columns_of(layer, table.columns)}
    cleaned: dict[str, pd.Series] = {}
    taken: dict[str, int] = {}
    for name in (c for c in table.columns if c in kinds and c not in (*POSITION, *PLANE, WKT)):
        heading = theirs.get(name, name)
        named = name == "household" and is_personal(heading)
        if not (named or _may_hold(table[name])):
            continue
        cells = text(table[name])
        plain = _plain(cells)
        forms = _forms(layer, name)
        hit = _holds(plain, forms)
        if named or (name == "household" and hit.any()):
            hit = (cells != "").to_numpy()
            first = hit & ~cells.duplicated().to_numpy()
            cleaned[name] = cells.map(pd.Series(places[first].to_numpy(), index=cells[first].to_numpy())).fillna("")
        elif kinds[name] == "id":
            hit = hit if name == LAYERS[layer].key and layer in OF_PERSONS else _are_numbers(plain, hit, layer)
            cleaned[name] = cells.mask(hit, "")
        elif hit.any():
            cleaned[name] = cells.mask(hit, _taken_out(plain, forms).set_axis(cells.index))
        if hit.any():
            taken[heading] = int(hit.sum())
        else:
            cleaned.pop(name, None)
    return table.assign(**cleaned), _told(layer, "telephone or ID numbers, or names; taken out", taken)


def scrubbed(message: str) -> str:
    """Return what a library says without the numbers of persons that it may quote."""
    for found in reversed(list(_SCRUB.finditer(message.translate(_NARROW)))):
        message = f"{message[: found.start()]}…{message[found.end() :]}"
    return message


def _told(layer: str, message: str, rows_of: Mapping[str, int]) -> list[Breach]:
    told = tuple(Said("{} ({:,} row)" if n == 1 else "{} ({:,} rows)", heading, n) for heading, n in rows_of.items())
    return [Breach(layer, RULE, message, told, len(told), "repair")] if told else []


def _plain(cells: pd.Series) -> pa.Array:
    """Return cells as text, wide digits as plain ones."""
    plain = pc.utf8_normalize(pa.array(text(cells), type=pa.string()), form="NFKC")
    return plain.combine_chunks() if isinstance(plain, pa.ChunkedArray) else plain  # of several sheets


def _may_hold(cells: pd.Series) -> bool:
    """Return whether any cell is long enough for a person's number; most columns have none, and need no search."""
    if pd.api.types.is_numeric_dtype(cells):
        return bool((cells.abs() >= 10 ** (_SHORTEST - 1)).any())
    return bool((cells.astype("str").str.len() >= _SHORTEST).any())


def _forms(layer: str, column: str = "") -> str:
    """Return the pattern of numbers in a column; ids of buildings and areas are not taken for numbers lightly."""
    loose = layer in OF_PERSONS and column not in ("building_id", "area_id")
    return f"{_BEFORE}(?:{_LOOSE if loose else _STRICT}){_BEHIND}"


def _holds(plain: pa.Array, forms: str) -> BoolArray:
    """Return which texts hold a person's number; each that occurs is looked at once."""
    distinct = plain.dictionary_encode()
    found: BoolArray = _match(distinct.dictionary, forms)[distinct.indices.to_numpy()]
    return found


def _taken_out(plain: pa.Array, forms: str) -> pd.Series:
    for _ in range(2):  # what stands between two numbers is behind the one and before the other
        plain = pc.replace_substring_regex(plain, forms, r"\1\2")
    return plain.to_pandas().astype("str").str.strip()


def _are_numbers(plain: pa.Array, holds: BoolArray, layer: str) -> BoolArray:
    """Return which ids are a person's number, or hold one: of a card, or any where rows are about persons.

    Ids of one table that all could be codes of places in one city, or begin with one, are taken for that.
    """
    of_persons = layer in OF_PERSONS
    found = holds.copy() if of_persons else _match(plain, rf"(?:^|[^0-9]){_IDENTITY}(?:$|[^0-9])")
    for form, code in _FORMS_OF_IDS:
        whole = rf"^\s*(?P<number>{form})" + (r"(?:$|[^0-9])" if of_persons else r"\s*$")
        shaped = _match(plain, whole)
        some = pc.struct_field(pc.extract_regex(plain.filter(pa.array(shaped)), whole), "number").unique()
        cities = pc.utf8_slice_codeunits(some, 0, 4).unique()
        if len(some) > 1 and len(cities) == 1 and _match(some, code).all():
            found &= ~shaped
        else:
            found |= shaped
    return found


def _match(texts: pa.Array, pattern: str) -> BoolArray:
    return np.array(pc.match_substring_regex(texts, pattern), dtype=np.bool_)
