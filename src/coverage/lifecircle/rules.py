"""What the rules of a check are called, what to do about them, and what Python functions warn of: one table."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from lifecircle import errors
from lifecircle.errors import Breach
from lifecircle.said import Said, sentence

STOPPED, KEPT = "stopped", "kept"
DONE = (STOPPED, "mended", "left out", "assumed", KEPT)
"""What is done with what a finding tells of."""


_SHIFTED = ("looks-like-gcj02", "looks-like-bd09", "looks-like-wgs84")
_OF_PLACE = frozenset(
    {
        *("far-from-building", "outside-areas", "parent-in-part", "no-parent", "areas-hole", "areas-overlap"),
        *("station-off-network", "candidate-off-network", "leg-blocked", "entrance-off-building", "no-barrier"),
        *("point-beside-home", "point-without-home", "cell-without-home", "closes-nothing", "partly-along"),
    }
)
"""Rules that hold one layer against another: where either is shifted, that may be all."""

_UNDER_ALL = frozenset({"streets", "buildings", "areas"})
"""Layers against which others are held."""


@dataclass(frozen=True)
class Words:
    """What a rule is called in one language, and what to do about it."""

    title: str
    advice: str


@dataclass(frozen=True)
class Rule:
    """A rule of a check; ``done`` and ``warning`` hold where a finding of it does not stop the work."""

    zh: Words
    en: Words
    done: str = KEPT
    warning: type[errors.DegradedWarning] = errors.DegradedWarning


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule by its name."""
    table = tomllib.loads(files("lifecircle").joinpath("rules.toml").read_text(encoding="utf-8"))
    return {name: _rule(**row) for name, row in table.items()}


def _rule(*, zh: list[str], en: list[str], done: str = KEPT, warning: str = "DegradedWarning") -> Rule:
    return Rule(Words(*zh), Words(*en), done, getattr(errors, warning))


def rule_of(name: str) -> Rule:
    """Return a rule; one that the table lacks goes by its name, for no finding may get lost for want of words."""
    return rules().get(name) or Rule(Words(name, ""), Words(name, ""))


def done_with(finding: Breach) -> str:
    """Return what was done, one of `DONE`."""
    return STOPPED if finding.severity == "error" else rule_of(finding.rule).done


def after_shifts(findings: Iterable[Breach]) -> list[Breach]:
    """Return findings of which those that may be no more than what follows of a shifted layer say so."""
    findings = list(findings)
    shifted = {f.layer for f in findings if f.rule in _SHIFTED}

    def may_follow(finding: Breach) -> bool:
        return finding.rule in _OF_PLACE and bool(shifted & {finding.layer, *_UNDER_ALL})

    pattern = "{}; probably because a layer is shifted, as is told of it: put that right first"
    return [replace(f, message=Said(pattern, sentence(f.message))) if may_follow(f) else f for f in findings]


def warn_of(findings: Iterable[Breach]) -> None:
    """Warn whoever called our caller of each finding, in the class of its rule."""
    for finding in findings:
        warnings.warn(str(finding), rule_of(finding.rule).warning, stacklevel=3)
