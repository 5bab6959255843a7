"""Scenarios without a plan beside those that have one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from lifecircle.errors import Breach, InfeasibleError, LifecircleError, UnfinishedError
from lifecircle.model import Study
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.said import Said, sentence
from lifecircle.scenarios.outcome import Outcome


def each_answered(study: Study, answered: Callable[[str], Outcome]) -> tuple[list[Outcome], dict[str, LifecircleError]]:
    """Return what ``answered`` makes of each scenario of a study, and by its name why one has no plan, or none yet."""
    plans: list[Outcome] = []
    refused: dict[str, LifecircleError] = {}
    for scenario in study.settings.scenarios:
        try:
            plans.append(answered(scenario.name))
        except (InfeasibleError, UnfinishedError) as error:
            refused[scenario.name] = error
    return plans, refused


def none_answered(refused: Mapping[str, LifecircleError], *, language: str) -> LifecircleError:
    """Return one refusal of all scenarios; that of a single one is itself."""
    if len(refused) == 1:
        return next(iter(refused.values()))
    breaches = [
        replace(breach, message=Said("[[scenario]] {}: {}", name, breach.message))
        for name, error in refused.items()
        for breach in error.breaches or (Breach(STUDY_FILE, "out-of-time", error.message),)
    ]
    unfinished = any(isinstance(error, UnfinishedError) for error in refused.values())
    kind = UnfinishedError if unfinished else InfeasibleError
    return kind(sentence("no scenario has a plan"), breaches=breaches, language=language)
