"""One table of a TOML file, read key by key; what is wrong with it is collected, never raised."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence

from lifecircle.errors import Breach, Severity
from lifecircle.readers.days import day_of, not_a_day
from lifecircle.said import Said, sentence
from lifecircle.schema import nearest

STUDY_FILE = "study.toml"

_MEANT = {"sheet": "layer", "工作表": "layer"}
"""Keys that are meant by words too far from them to be found by their letters."""

_NAME = re.compile(r'[^\s./\\:*?"<>|][^/\\:*?"<>|]*(?<![\s.])')
_NAME_LENGTH = 100
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Keys:
    """A table of the study file under its heading, e.g. ``[walking]``.

    Every reading method returns the default when the key is absent or wrong; a wrong one is also a breach.
    """

    def __init__(
        self,
        heading: str,
        table: object,
        known: Sequence[str],
        breaches: list[Breach],
    ) -> None:
        self.heading = heading
        self._breaches = breaches
        self._table: Mapping[str, object] = {}
        if isinstance(table, Mapping):
            self._table = table
        else:
            self.breach("wrong-type", "must be a table")
        for key in self._table:
            if key not in known:
                hint = _MEANT[key] if _MEANT.get(key) in known else nearest(key, known)
                advice = Said("did you mean {}?", hint) if hint else Said("known are {}", ", ".join(known))
                self.breach("unknown-key", Said("{} is not a known key; {}", key, advice))

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def get(self, key: str) -> object:
        """Return the value as TOML has it, None when absent."""
        return self._table.get(key)

    def breach(self, rule: str, message: str, *, severity: Severity = "error") -> None:
        """Note that this table breaks ``rule``."""
        self._breaches.append(Breach(STUDY_FILE, rule, Said("{} {}", self.heading, sentence(message)), (), 1, severity))

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text without blanks around it."""
        if key not in self._table:
            if required:
                self.breach("missing-key", Said("{} is missing", key))
            return default
        value = self._table[key]
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.breach("wrong-type", _not_a_text(key, value))
        return default

    def name(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text that can also name a file, a folder or a column."""
        value = self.text(key, default, required=required)
        if value and (not _NAME.fullmatch(value) or not value.isprintable() or len(value) > _NAME_LENGTH):
            self.breach(
                "bad-name",
                Said(
                    '{} must be at most {} characters, without / \\ : * ? " < > | and without a dot at '
                    "either end, for files are named after it; it is {!r}",
                    key,
                    _NAME_LENGTH,
                    value[:_NAME_LENGTH],
                ),
            )
        return value

    def choice(self, key: str, default: str, options: Sequence[str]) -> str:
        """Return one of ``options``; an empty default makes the key required."""
        value = self.text(key, default, required=not default)
        if value and value not in options:
            self.breach("unknown-value", Said("{} must be one of {}, not {!r}", key, ", ".join(options), value))
            return default
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            self.breach("wrong-type", Said("{} must be true or false, not {!r}", key, value))
            return default
        return value

    def date(self, key: str) -> str:
        """Return a day as ``2026-05-03``, empty when absent; TOML has dates of its own."""
        value = self._table.get(key, "")
        day = day_of(str(value))
        if key in self._table and not day:
            self.breach("bad-date", Said("{}, not {!r}", not_a_day(key, [str(value)]), value))
        return day

    def number(
        self, key: str, default: float | None = None, *, above: float = 0.0, at_most: float = math.inf
    ) -> float | None:
        """Return a finite number in ``(above, at_most]``."""
        if key not in self._table:
            return default
        value = self._table[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.breach("wrong-type", _not_a_number(key, value, Said("{} must be a number, not {!r}", key, value)))
        elif not (above < value <= min(at_most, sys.float_info.max)):
            top = Said(" and at most {:g}", at_most) if math.isfinite(at_most) else ""
            self.breach("out-of-range", Said("{} must be above {:g}{}, not {!r}", key, above, top, value))
        else:
            return float(value)
        return default

    def count(self, key: str) -> int | None:
        """Return a whole number of at least 1, None when absent or wrong."""
        value = self._table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            told = Said("{} must be a whole number, not {!r}", key, value)
            self.breach("wrong-type", _not_a_number(key, value, told))
        elif value < 1:
            self.breach("out-of-range", Said("{} must be at least 1, not {!r}", key, value))
        else:
            return value
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent."""
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(v.strip() for v in value)
        self.breach("wrong-type", Said("{} must be a list of texts, not {!r}", key, value))
        return ()

    def amounts(self, key: str) -> tuple[float, ...]:
        """Return a list of finite numbers of 0 or more, empty when absent."""
        value = self._table.get(key, [])
        if isinstance(value, list) and all(_is_amount(v) for v in value) and (value or key not in self._table):
            return tuple(float(v) for v in value)
        self.breach("wrong-type", Said("{} must be a list of numbers, 0 or more, not {!r}", key, value))
        return ()

    def numbers(self, key: str) -> dict[str, float]:
        """Return a table of finite numbers of 0 or more, empty when absent."""
        value = self._table.get(key, {})
        if isinstance(value, dict) and all(_is_amount(v) for v in value.values()):
            return {k: float(v) for k, v in value.items()}
        self.breach("wrong-type", Said("{} must be a table of numbers, 0 or more, not {!r}", key, value))
        return {}

    def pairs(self, key: str) -> dict[str, str]:
        """Return a table of texts, any of which may be empty; an empty table when absent."""
        value = self._table.get(key, {})
        if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
            return {k: v.strip() for k, v in value.items()}
        self.breach("wrong-type", Said("{} must be a table of texts, not {!r}", key, value))
        return {}

    def rows(self, key: str, *, of: str = "tables") -> list[object]:
        """Return a list as TOML has it, empty when absent; ``of`` says of what it should be."""
        value = self._table.get(key, [])
        if isinstance(value, list):
            return value
        self.breach("wrong-type", Said("{} must be a list of {}", key, sentence(of)))
        return []


def _not_a_text(key: str, value: object) -> Said:
    """Return what to do about a value where a text is meant."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Said('{} must be a text: put it in quotation marks, {} = "{}"', key, key, value)
    return Said("{} must be a text that is not empty, not {!r}", key, value)


def _not_a_number(key: str, value: object, otherwise: Said) -> Said:
    """Return what to do about a value where a number is meant."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Said("{} must be a number: take the quotation marks away, {} = {}", key, key, value.strip())
    return otherwise


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= sys.float_info.max
