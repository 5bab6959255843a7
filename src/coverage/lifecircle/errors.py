"""What can go wrong, as one tree.

    LifecircleError
    ├── InputError                 what came in is not usable (exit code 1)
    │   ├── SchemaError            a layer breaks a rule           (also ValueError)
    │   ├── StudyError             study.toml says something wrong (also ValueError)
    │   └── SourceError            a file cannot be read           (also OSError)
    ├── InfeasibleError            no plan can meet the question   (also ValueError)
    ├── UnknownNameError           a scenario, area or station that is not there (also KeyError)
    ├── BoundError                 a bound on the wrong side of its value: a defect of ours (also ArithmeticError)
    └── OutputError                a result cannot be written      (also OSError)

Every error carries ``breaches``: each one a rule, the layer it concerns and the ids that break it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SHOWN_IDS = 5


Severity = Literal["error", "repair", "warning"]


@dataclass(frozen=True)
class Breach:
    """One rule that one layer breaks.

    Attributes: ``layer`` the input's name in the study file, ``rule`` a stable kebab-case name, ``message`` what is
    wrong and what to do, ``ids`` the first ids concerned, ``count`` how many there are, ``severity`` whether it
    stops the work (``error``), was mended in the copy that is used (``repair``) or is only told (``warning``).
    """

    layer: str
    rule: str
    message: str
    ids: tuple[str, ...] = ()
    count: int = 0
    severity: Severity = "error"

    def __str__(self) -> str:
        shown = ", ".join(printable(i) for i in self.ids[:SHOWN_IDS])
        more = f" and {self.count - SHOWN_IDS} more" if self.count > SHOWN_IDS else ""
        where = f" [{shown}{more}]" if shown else ""
        return f"{printable(self.layer)}: {printable(self.message)}{where}"


def printable(text: str) -> str:
    """Return ``text`` on one line and without control characters, so that data cannot forge a log line."""
    return "".join(c if c.isprintable() else "�" for c in str(text))


class LifecircleError(Exception):
    """Root of every error that lifecircle raises on purpose."""

    def __init__(self, message: str = "", *, breaches: Iterable[Breach] = ()) -> None:
        self.message = message
        self.breaches = tuple(breaches)
        super().__init__(message)

    def __str__(self) -> str:
        errors_first = sorted(self.breaches, key=lambda breach: breach.severity != "error")
        lines = (f"  - {'' if b.severity == 'error' else f'{b.severity}: '}{b}" for b in errors_first)
        return "\n".join([self.message, *lines]).strip()


class InputError(LifecircleError):
    """What came in is not usable."""


class SchemaError(InputError, ValueError):
    """A layer breaks one or more rules; every breach is listed."""


class StudyError(InputError, ValueError):
    """The study file says something that cannot be meant."""


class SourceError(InputError, OSError):
    """A file is missing, is not what its name says, or cannot be read."""


class InfeasibleError(LifecircleError, ValueError):
    """No plan can meet the question; the breaches say what makes it so."""


class UnknownNameError(LifecircleError, KeyError):
    """A name that the study does not hold."""


class BoundError(LifecircleError, ArithmeticError):
    """A bound lies on the wrong side of its value: a defect of the solver, never of the input."""


class OutputError(LifecircleError, OSError):
    """A result cannot be written."""
