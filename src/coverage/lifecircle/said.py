"""What is said of data, in English where the program says it, and in Chinese by one table: said.toml.

A sentence with figures or names in it is a `Said`: a text like another, which still knows what was filled in. One
without is a plain text, and goes by itself; as a value of another it is made a `Said` too, by `sentence`, for a plain
text among the values is taken for data, which is nobody's to translate.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, reduce
from importlib.resources import files

TABLE = "said.toml"


class Said(str):
    """A sentence in English, put together of a pattern and values as `str.format` does; a value may be one too.

    Without values the pattern is the text as it stands.

    Examples
    --------
    >>> told = Said("{} is infinite", "levels")
    >>> told
    'levels is infinite'
    >>> in_chinese(told)
    'levels 为无穷大'
    """

    __slots__ = ("pattern", "values")
    pattern: str
    values: tuple[object, ...]

    def __new__(cls, pattern: str, *values: object) -> Said:
        """Return the text that the pattern gives with these values."""
        said = super().__new__(cls, pattern.format(*values) if values else pattern)
        said.pattern, said.values = pattern, values
        return said

    def __getnewargs__(self) -> tuple[object, ...]:  # type: ignore[override]
        """Return of what a copy is made: not of the text, in which data may have put braces."""
        return self.pattern, *self.values


def in_chinese(text: str) -> str:
    """Return what was said in Chinese: a sentence of the program, whose values stay as they are unless `Said` too."""
    if not isinstance(text, Said) or not text.values:
        return _chinese().get(text, text)
    values = (in_chinese(value) if isinstance(value, Said) else value for value in text.values)
    return _chinese().get(text.pattern, text.pattern).format(*values)


def joined(words: Iterable[str], pattern: str = "{} or {}") -> str:
    """Return words as one text: two and two by a pattern, which has its Chinese as any other; empty for none."""
    told = [*words]
    return reduce(lambda before, word: Said(pattern, before, word), told[1:], told[0]) if told else ""


def first_of(words: Sequence[str], most: int) -> str:
    """Return the first words as one text, and how many more there are."""
    told = joined(words[:most], "{}, {}")
    return Said("{} and {} more", told, len(words) - most) if len(words) > most else told


def sentence(text: str) -> Said:
    """Return a text of the program, never one from data, as what is said."""
    return text if isinstance(text, Said) else Said(text)


def in_language(text: str, language: str) -> str:
    """Return what was said in a language, "zh" or "en"."""
    return in_chinese(text) if language == "zh" else text


@cache
def _chinese() -> Mapping[str, str]:
    """Return the sentences in Chinese by their patterns in English."""
    table: Mapping[str, str] = tomllib.loads(files("lifecircle").joinpath(TABLE).read_text(encoding="utf-8"))
    return table
