"""What becomes of each error: the exit code of a command, the status of an answer over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from lifecircle.errors import (
    BoundError,
    ClaimError,
    InfeasibleError,
    InputError,
    LifecircleError,
    OutputError,
    UnknownNameError,
)


@dataclass(frozen=True)
class Outcome:
    """The exit code (1 is bad data, 2 bad usage) and the status that stand for an error."""

    exit_code: int
    status: int


OUTCOMES: dict[type[LifecircleError], Outcome] = {
    UnknownNameError: Outcome(2, 404),
    InputError: Outcome(1, 422),
    InfeasibleError: Outcome(1, 422),
    ClaimError: Outcome(1, 409),
    OutputError: Outcome(1, 500),
    BoundError: Outcome(1, 500),
    LifecircleError: Outcome(1, 500),
}
"""Of each error; the first class in this table that an error is one of counts."""


def outcome_of(error: LifecircleError) -> Outcome:
    """Return what becomes of an error."""
    return next(outcome for kind, outcome in OUTCOMES.items() if isinstance(error, kind))
