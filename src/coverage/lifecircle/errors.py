"""What can go wrong, as one tree.

    LifecircleError
    ├── InputError                 what came in is not usable (exit code 1)
    │   ├── SchemaError            a layer breaks a rule           (also ValueError)
    │   ├── StudyError             study.toml says something wrong (also ValueError)
    │   ├── SourceError            a file cannot be read           (also OSError)
    │   ├── FetchError             a server gives nothing usable   (also OSError)
    │   └── RequestError           a request over HTTP cannot be answered (also ValueError; in `lifecircle.api`)
    ├── InfeasibleError            no plan can meet the question   (also ValueError)
    ├── UnfinishedError            no plan was found in time       (also TimeoutError)
    ├── ClaimError                 a request of a pool that cannot be claimed so (also ValueError)
    ├── UnknownNameError           a scenario, area or station that is not there (also KeyError)
    ├── BoundError                 a bound on the wrong side of its value: a defect of ours (also ArithmeticError)
    └── OutputError                a result cannot be written      (also OSError)

Every error carries ``breaches``: each one a rule, the layer it concerns and the ids that break it; and the study's
``language``, for those who show it.

What does not stop the work but makes an answer less than it should be is a warning, a class for each kind:

    DegradedWarning                     (also UserWarning)
    ├── RepairedTableWarning            words and figures of a table were put right
    ├── RepairedGeometryWarning         outlines were closed or untangled
    ├── LeftOutWarning                  rows, sheets or ways were left out
    ├── MissingInputWarning             barriers, entrances or heights that nobody gave
    ├── DoubtfulTableWarning            figures that may mean something else
    ├── DoubtfulDatumWarning            a layer that may be shifted
    ├── DoubtfulPositionWarning         places that were taken for others near them
    ├── DoubtfulAreasWarning            areas that overlap, leave holes or leave homes out
    ├── DoubtfulStreetsWarning          streets that may be walked otherwise
    ├── OffNetworkWarning               places without a street, or without a clear way to it
    ├── EstimatedResidentsWarning       residents per building that are an estimate
    ├── UnplacedResidentsWarning        residents whom no building could take
    └── UnsaidSyntheticWarning          made-up data in a study that does not say so

Which rule is of which class stands in ``rules.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

SHOWN_IDS = 5
"""How many ids a line of text names."""

KEPT_IDS = 100_000
"""How many ids a breach carries: a spreadsheet holds ten times as many rows."""

KEPT_PLACES = 200
"""How many places a breach carries: more only hide each other on a map."""

Severity = Literal["error", "warning", "repair", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""

LonLat = tuple[float, float]


@dataclass(frozen=True)
class Breach:
    """One rule that one layer breaks.

    Attributes: ``layer`` the input's name in the study file, ``rule`` a stable kebab-case name, ``message`` what is
    wrong and what to do, ``ids`` the first ids concerned, ``count`` how many there are, ``severity`` whether it
    stops the work (``error``), is only told (``warning``), was mended in the copy that is used (``repair``) or is true
    of sound data too and says what an answer is worth (``note``). ``places`` are longitudes and latitudes of WGS 84 of
    what is concerned: for a map, never in a text, and never those of residents.

    For whoever looks them up: ``file`` is the path in the study file of what holds them, ``rows`` says where in it each
    of the ids stands (none, or one for each), ``column`` is the heading concerned, and ``values`` are the cells below
    it (none, or one for each id), never of a table of persons. What is not known is empty.
    """

    layer: str
    rule: str
    message: str
    ids: tuple[str, ...] = ()
    count: int = 0
    severity: Severity = "error"
    places: tuple[LonLat, ...] = ()
    file: str = ""
    rows: tuple[str, ...] = ()
    column: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(printable(i) for i in self.ids[:SHOWN_IDS])
        more = f" and {self.count - SHOWN_IDS} more" if self.count > SHOWN_IDS else ""
        where = f" [{shown}{more}]" if shown else ""
        return f"{printable(self.layer)}: {printable(self.message)}{where}"


def printable(text: str) -> str:
    """Return ``text`` on one line and without control characters, so that data cannot forge a log line."""
    return "".join(c if c.isprintable() else "�" for c in str(text))


def worst_first(findings: Iterable[Breach]) -> list[Breach]:
    """Return findings by severity, those of one severity in their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


class LifecircleError(Exception):
    """Root of every error that lifecircle raises on purpose."""

    def __init__(self, message: str = "", *, breaches: Iterable[Breach] = (), language: str = "en") -> None:
        self.message = message
        self.breaches = tuple(breaches)
        self.language = language
        super().__init__(message)

    def __str__(self) -> str:
        told = worst_first(self.breaches)
        lines = (f"  - {'' if b.severity == 'error' else f'{b.severity}: '}{b}" for b in told)
        return "\n".join([self.message, *lines]).strip()


class InputError(LifecircleError):
    """What came in is not usable."""


class SchemaError(InputError, ValueError):
    """A layer breaks one or more rules; every breach is listed."""


class StudyError(InputError, ValueError):
    """The study file says something that cannot be meant."""


class SourceError(InputError, OSError):
    """A file is missing, is not what its name says, or cannot be read."""


class FetchError(InputError, OSError):
    """A server cannot be asked, or gives nothing that can be used."""


class InfeasibleError(LifecircleError, ValueError):
    """No plan can meet the question; the breaches say what makes it so."""


class UnfinishedError(LifecircleError, TimeoutError):
    """The time was over before a first plan was found, and with it whether there is one."""


class ClaimError(LifecircleError, ValueError):
    """A request of a pool is taken already, or whoever claims it may not have it."""


class UnknownNameError(LifecircleError, KeyError):
    """A name that the study does not hold."""


class BoundError(LifecircleError, ArithmeticError):
    """A bound lies on the wrong side of its value: a defect of the solver, never of the input."""


class OutputError(LifecircleError, OSError):
    """A result cannot be written."""


class DegradedWarning(UserWarning):
    """An answer is less than it should be."""


class RepairedTableWarning(DegradedWarning):
    """Words and figures of a table were put right."""


class RepairedGeometryWarning(DegradedWarning):
    """Outlines were closed or untangled."""


class LeftOutWarning(DegradedWarning):
    """Rows, sheets or ways were left out."""


class MissingInputWarning(DegradedWarning):
    """Barriers, entrances or heights that nobody gave."""


class DoubtfulTableWarning(DegradedWarning):
    """Figures that may mean something else."""


class DoubtfulDatumWarning(DegradedWarning):
    """A layer that may be shifted."""


class DoubtfulPositionWarning(DegradedWarning):
    """Places that were taken for others near them."""


class DoubtfulAreasWarning(DegradedWarning):
    """Areas that overlap, leave holes or leave homes out."""


class DoubtfulStreetsWarning(DegradedWarning):
    """Streets that may be walked otherwise."""


class OffNetworkWarning(DegradedWarning):
    """Places without a street, or without a clear way to it."""


class EstimatedResidentsWarning(DegradedWarning):
    """Residents per building that are an estimate."""


class UnplacedResidentsWarning(DegradedWarning):
    """Residents whom no building could take."""


class UnsaidSyntheticWarning(DegradedWarning):
    """Made-up data in a study that does not say so."""
