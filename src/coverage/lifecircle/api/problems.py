"""Errors as problem documents (RFC 9457), which also have the ``code`` and ``message`` that OSRM's clients read.

None shows a stack trace, a path of the machine or, but for a word that is not known, what came in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from lifecircle.api.encode import as_json
from lifecircle.errors import Breach, InputError, LifecircleError
from lifecircle.outcomes import outcome_of
from lifecircle.said import in_language

PROBLEM_JSON = "application/problem+json"
SHOWN_BREACHES = 20
"""How many breaches a problem lists."""

INVALID_URL, INVALID_SERVICE, INVALID_VERSION = "InvalidUrl", "InvalidService", "InvalidVersion"
INVALID_OPTIONS, INVALID_QUERY, INVALID_VALUE = "InvalidOptions", "InvalidQuery", "InvalidValue"
TOO_BIG = "TooBig"
"""OSRM's codes of what is wrong with a request."""

DEFECT = "a defect of the server; its log has it by request_id"


class RequestError(InputError, ValueError):
    """A request that is not answered: its status, OSRM's code for it and, where that helps, when to come again."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = INVALID_VALUE,
        retry_after_s: int | None = None,
        breaches: Iterable[Breach] = (),
    ) -> None:
        self.status, self.code, self.retry_after_s = status, code, retry_after_s
        super().__init__(message, breaches=breaches)


def problem(error: LifecircleError, *, request_id: str, language: str) -> tuple[int, bytes]:
    """Return the status and the document of an error, in a language, "zh" or "en"."""
    status = error.status if isinstance(error, RequestError) else outcome_of(error).status
    code = error.code if isinstance(error, RequestError) else _code(error)
    document = _document(status, code, in_language(error.message, language), request_id)
    if error.breaches:
        told = error.breaches[:SHOWN_BREACHES]
        document["errors"] = [
            {"rule": b.rule, "layer": b.layer, "detail": in_language(b.message, language)} for b in told
        ]
    return status, as_json(document)


def defect(request_id: str) -> bytes:
    """Return the document of what has no error of ours."""
    return as_json(_document(500, "Defect", DEFECT, request_id))


def refused_study(error: LifecircleError, folder: Path) -> RequestError:
    """Return what is told of a study in ``folder`` that cannot be used: its breaches, but not where its files lie."""
    where = f"{folder}{os.sep}"  # libraries say of a file that they cannot read whatever they like
    told = [
        replace(b, message="cannot be read") if b.rule == "unreadable" or where in b.message else b
        for b in error.breaches
    ]
    message = "the study cannot be used, and the one before it serves on; lifecircle check says more"
    return RequestError(message, status=outcome_of(error).status, code=_code(error), breaches=told)


def _code(error: LifecircleError) -> str:
    return type(error).__name__.removesuffix("Error")


def _document(status: int, code: str, detail: str, request_id: str) -> dict[str, object]:
    title = HTTPStatus(status).phrase
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "message": detail,
        "request_id": request_id,
    }
