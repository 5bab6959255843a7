"""Columns of a file that no column of its layer takes: told, so that a heading nobody knows is no silent loss."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from lifecircle.errors import Breach
from lifecircle.readers.aliases import WORKED_OUT, aliases_of, plain_heading
from lifecircle.readers.inputs import Input
from lifecircle.readers.personal import headings_told
from lifecircle.said import Said, sentence
from lifecircle.schema import breach

RULE = "not-read"

_ALIKE = 0.85
"""Headings of Latin letters that share this part of them, and all their digits, differ by a slip of typing."""

_COUNTED, _DATED = re.compile("[总数人口()]+"), re.compile("期|日|时间")
"""What a Chinese heading may say more, or less, and still mean the same: of people, and of days."""

_DAYS = ("since", "until", "when")

_REPEATED = re.compile(r" \([0-9]+\)$")


def check_unread(source: Input, headings: Sequence[str], *, settled: Collection[str]) -> list[Breach]:
    """Tell which columns of a file are not read, those first that may be meant for a column of ours.

    What several columns of one meaning are is told as that, and areas that a study works out of the places are no loss.
    Of requests, which offices keep for more than a station's sake, those alone are told that may be meant.

    Parameters
    ----------
    headings
        Those of which no use is made and nothing else is told.
    settled
        Our columns that are there under some heading.
    """
    layer = source.layer
    meaning = aliases_of(layer)
    open_ones = {plain: ours for plain, ours in meaning.items() if ours not in {*settled, *source.without}}
    left: dict[str, str] = {}
    for heading in headings:
        plain = plain_heading(_REPEATED.sub("", heading))
        ours = meaning.get(plain, "")
        if plain in WORKED_OUT or plain in open_ones or ours in source.without:
            continue
        alike = () if plain in meaning else (ours for known, ours in open_ones.items() if _alike(plain, known, ours))
        left[heading] = next(iter(alike), "")
    near = {heading: ours for heading, ours in left.items() if ours}
    others = [] if layer == "requests" else [heading for heading in left if heading not in near]
    message: str = "not read, for no column of the layer takes these"
    for heading, ours in list(near.items())[:1]:
        message = Said(
            '{}; did you mean {}? then say so: columns = {{ {} = "{}" }}', sentence(message), ours, ours, heading
        )
    return breach(layer, RULE, message, [*near, *headings_told(layer, others)], "note")


def _alike(heading: str, known: str, ours: str) -> bool:
    """Return whether a heading may be a known one of our column, misspelt or with a word more that changes nothing.

    Any other word may turn the meaning round - 以下, 非, 密度, 户 - so that no likeness of Chinese headings is enough.
    """
    if heading.isascii() and known.isascii():
        same = re.findall("[0-9+]", heading) == re.findall("[0-9+]", known)
        return same and SequenceMatcher(None, heading, known).ratio() >= _ALIKE
    if ours.startswith("residents"):
        return known in heading and _COUNTED.fullmatch(heading.replace(known, "", 1)) is not None
    longer, shorter = sorted((heading, known), key=len, reverse=True)
    return ours in _DAYS and shorter in longer and _DATED.fullmatch(longer.replace(shorter, "", 1)) is not None
