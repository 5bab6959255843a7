"""One table of a TOML file, read key by key; what is wrong with it is collected, never raised."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from lifecircle.errors import Breach, Severity
from lifecircle.readers.days import day_of, not_a_day
from lifecircle.schema import nearest

STUDY_FILE = "study.toml"

_NAME = re.compile(r'[^\s./\\:*?"<>|][^/\\:*?"<>|]*(?<![\s.])')
_NAME_LENGTH = 100


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
        *,
        later: Iterable[str] = (),
    ) -> None:
        self.heading = heading
        self._breaches = breaches
        self._table: Mapping[str, object] = {}
        if isinstance(table, Mapping):
            self._table = table
        else:
            self.breach("wrong-type", "must be a table")
        for key in self._table:
            if key in later:
                self.breach("not-supported-yet", f"{key} is not supported yet; take it out")
            elif key not in known:
                hint = nearest(key, known)
                advice = f"did you mean {hint}?" if hint else f"known are {', '.join(known)}"
                self.breach("unknown-key", f"{key} is not a known key; {advice}")

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def get(self, key: str) -> object:
        """Return the value as TOML has it, None when absent."""
        return self._table.get(key)

    def breach(self, rule: str, message: str, *, severity: Severity = "error") -> None:
        """Note that this table breaks ``rule``."""
        self._breaches.append(Breach(STUDY_FILE, rule, f"{self.heading} {message}", (), 1, severity))

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text without blanks around it."""
        if key not in self._table:
            if required:
                self.breach("missing-key", f"{key} is missing")
            return default
        value = self._table[key]
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.breach("wrong-type", f"{key} must be a text that is not empty, not {value!r}")
        return default

    def name(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text that can also name a file, a folder or a column."""
        value = self.text(key, default, required=required)
        if value and (not _NAME.fullmatch(value) or not value.isprintable() or len(value) > _NAME_LENGTH):
            self.breach(
                "bad-name",
                f'{key} must be at most {_NAME_LENGTH} characters, without / \\ : * ? " < > | and without a dot at '
                f"either end, for files are named after it; it is {value[:_NAME_LENGTH]!r}",
            )
        return value

    def choice(self, key: str, default: str, options: Sequence[str]) -> str:
        """Return one of ``options``; an empty default makes the key required."""
        value = self.text(key, default, required=not default)
        if value and value not in options:
            self.breach("unknown-value", f"{key} must be one of {', '.join(options)}, not {value!r}")
            return default
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            self.breach("wrong-type", f"{key} must be true or false, not {value!r}")
            return default
        return value

    def date(self, key: str) -> str:
        """Return a day as ``2026-05-03``, empty when absent; TOML has dates of its own."""
        value = self._table.get(key, "")
        day = day_of(str(value))
        if key in self._table and not day:
            self.breach("bad-date", f"{not_a_day(key, [str(value)])}, not {value!r}")
        return day

    def number(
        self, key: str, default: float | None = None, *, above: float = 0.0, at_most: float = math.inf
    ) -> float | None:
        """Return a finite number in ``(above, at_most]``."""
        if key not in self._table:
            return default
        value = self._table[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.breach("wrong-type", f"{key} must be a number, not {value!r}")
        elif not (above < value <= min(at_most, sys.float_info.max)):
            top = f" and at most {at_most:g}" if math.isfinite(at_most) else ""
            self.breach("out-of-range", f"{key} must be above {above:g}{top}, not {value!r}")
        else:
            return float(value)
        return default

    def count(self, key: str) -> int | None:
        """Return a whole number of at least 1, None when absent or wrong."""
        value = self._table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.breach("wrong-type", f"{key} must be a whole number, not {value!r}")
        elif value < 1:
            self.breach("out-of-range", f"{key} must be at least 1, not {value!r}")
        else:
            return value
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent."""
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(v.strip() for v in value)
        self.breach("wrong-type", f"{key} must be a list of texts, not {value!r}")
        return ()

    def pairs(self, key: str) -> dict[str, str]:
        """Return a table of texts, empty when absent."""
        value = self._table.get(key, {})
        if isinstance(value, dict) and all(isinstance(v, str) and v.strip() for v in value.values()):
            return {k: v.strip() for k, v in value.items()}
        self.breach("wrong-type", f"{key} must be a table of texts, not {value!r}")
        return {}

    def rows(self, key: str, *, of: str = "tables") -> list[object]:
        """Return a list as TOML has it, empty when absent; ``of`` says of what it should be."""
        value = self._table.get(key, [])
        if isinstance(value, list):
            return value
        self.breach("wrong-type", f"{key} must be a list of {of}")
        return []
