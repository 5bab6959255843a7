"""The route that is asked most often: from the bytes of a request to those of its answer, without a framework.

It stands in the OpenAPI document all the same, by `OPERATION`.
"""

from __future__ import annotations

from typing import Any

from lifecircle.api.desk import Desk
from lifecircle.api.encode import as_json
from lifecircle.api.lookup import Answer
from lifecircle.api.problems import PROBLEM_JSON
from lifecircle.api.query import (
    MOST_STATIONS,
    NEAREST_PATTERN,
    Place,
    Wanted,
    coordinates_of,
    parameter,
    place_of,
    wanted_of,
)
from lifecircle.api.reasons import EVERY
from lifecircle.said import Said, in_language
from lifecircle.sheets import DECIMALS

PATH = "/nearest/v1/foot/{coordinates}"

UNKNOWN_HOLIDAYS = (
    "the public holidays of {} are not known: only days count that [dispatch] days_off and days_worked name"
)

NO_SEGMENT, NO_ROUTE = "NoSegment", "NoRoute"
"""OSRM's codes where no street is near, and where no way leads to a station."""


def asked(path: str, query: bytes) -> tuple[Place, Wanted]:
    """Return what ``/nearest/v1/foot/{lon},{lat}`` asks.

    Raises
    ------
    RequestError
        When the path or the query cannot be meant.
    """
    return place_of(coordinates_of(path)), wanted_of(query)


def answer_json(desk: Desk, answer: Answer) -> bytes:
    """Return an answer as JSON."""
    waypoints = ",".join([_waypoint(desk, *found) for found in answer.found])
    return (
        f'{{"code":"{_code(answer)}","waypoints":[{waypoints}],"reason":"{answer.reason}"{_words(desk, answer)}'
        f"{desk.mark_json}}}"
    ).encode()


def _waypoint(desk: Desk, station: int, walk_s: float, walk_m: float) -> str:
    metres, seconds = round(walk_m, DECIMALS), round(walk_s, DECIMALS)
    return f'{{"distance":{metres},"walk_m":{metres},"walk_s":{seconds},{desk.station_json[station]}}}'


def _words(desk: Desk, answer: Answer) -> str:
    """Return what is said in words, as members of an object: the reason, and that holidays are not known."""
    words = {}
    if answer.reason:
        words["message"] = in_language(EVERY[answer.reason], desk.language)
    if answer.unknown_year:
        words["note"] = in_language(Said(UNKNOWN_HOLIDAYS, answer.unknown_year), desk.language)
    return "," + as_json(words)[1:-1].decode() if words else ""


def _code(answer: Answer) -> str:
    if answer.found:
        return "Ok"
    return NO_SEGMENT if answer.reason == "unsnappable" else NO_ROUTE


_PROBLEM = {
    "description": "Why there is no answer",
    "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}
OPERATION: dict[str, Any] = {
    "summary": "The nearest stations on foot",
    "description": "In the shape of OSRM's nearest service: each waypoint is a station, nearest first.",
    "operationId": "nearest",
    "parameters": [
        parameter(
            "coordinates",
            {"type": "string", "pattern": NEAREST_PATTERN, "example": "7.4210,43.7347"},
            "longitude,latitude in degrees of WGS 84",
            place="path",
        ),
        parameter(
            "number", {"type": "integer", "minimum": 1, "maximum": MOST_STATIONS, "default": 1}, "how many stations"
        ),
        parameter("item", {"type": "string", "maxLength": 200}, "what the station must offer"),
        parameter("tier", {"type": "string", "maxLength": 200}, "the tier that it must be of"),
        parameter(
            "at",
            {"type": "string", "example": "2026-05-03T10:00"},
            "when it must be open, by the clock of the study",
        ),
        parameter("generate_hints", {"type": "string"}, "taken from OSRM's clients; there are no hints"),
    ],
    "responses": {
        "200": {
            "description": "The stations, or why there is none",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nearest"}}},
        },
        "4XX": _PROBLEM,
        "5XX": _PROBLEM,
    },
}
"""The OpenAPI operation of the route."""
