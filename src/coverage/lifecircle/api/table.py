"""Seconds between many places, in the shape of OSRM's table service."""

from __future__ import annotations

import numpy as np

from lifecircle.api.desk import Desk
from lifecircle.api.encode import DEGREE_DECIMALS, as_json
from lifecircle.api.problems import INVALID_OPTIONS, TOO_BIG, RequestError
from lifecircle.api.query import options_of, parameter, place_of
from lifecircle.mark import MARK, YES
from lifecircle.routing import Snaps
from lifecircle.said import Said
from lifecircle.sheets import DECIMALS

MOST_PLACES = 100
"""How many places a table has."""

STATIONS = "stations"
"""What ``destinations`` is for all of the study's stations."""

OPTIONS = ("sources", "destinations", "annotations", "generate_hints")

TABLE_PARAMETERS = [
    parameter("sources", {"type": "string", "default": "all"}, "numbers of places, from 0, with ; between them"),
    parameter(
        "destinations",
        {"type": "string", "default": "all"},
        "numbers of places, from 0, with ; between them; or stations: those of the study, by station_id",
    ),
    parameter("annotations", {"type": "string", "enum": ["duration"]}, "durations alone are known"),
    parameter("generate_hints", {"type": "string"}, "taken from OSRM's clients; there are no hints"),
]


def table(desk: Desk, coordinates: str, query: bytes) -> bytes:
    """Return the seconds from each source to each destination as JSON, null where there is no way.

    Raises
    ------
    RequestError
        When the coordinates or the query cannot be meant.
    """
    options = options_of(query, OPTIONS)
    written = coordinates.removesuffix(".json").split(";")
    if len(written) > MOST_PLACES:
        raise RequestError(Said("a table has at most {} places", MOST_PLACES), code=TOO_BIG)
    if options.get("annotations", "duration") != "duration":
        raise RequestError(Said("{} alone is known of annotations", "duration"), code=INVALID_OPTIONS)
    places = desk.lookup.snap([place_of(text) for text in written])
    from_ = _numbers(options.get("sources", "all"), len(written))
    sources = places.take(from_)
    if options.get("destinations") == STATIONS:
        destinations = desk.lookup.footing.stations
        seconds = desk.lookup.seconds(sources, destinations)
    else:
        to = _numbers(options.get("destinations", "all"), len(written))
        destinations = places.take(to)
        seconds = desk.lookup.seconds(sources, destinations)
        here = np.equal.outer(from_, to) & sources.snapped[:, None]
        seconds[here] = 0.0  # nobody leaves a place to get to it
    seconds = np.round(seconds, DECIMALS)
    told = {
        "code": "Ok",
        "durations": [[s if np.isfinite(s) else None for s in row] for row in seconds.tolist()],
        "sources": waypoints(desk, sources),
        "destinations": waypoints(desk, destinations),
    }
    return as_json(told | ({MARK: YES} if desk.ground.synthetic else {}))


def _numbers(text: str, n_places: int) -> list[int]:
    """Return the distinct places that an option names.

    Raises
    ------
    RequestError
        When it names others, or one twice.
    """
    if text == "all":
        return list(range(n_places))
    numbers = text.split(";")
    known = {str(i): i for i in range(n_places)}
    if not set(numbers) <= known.keys() or len(set(numbers)) < len(numbers):
        raise RequestError(
            Said(
                "sources and destinations are all, or different numbers from 0 to {} with ; between them", n_places - 1
            ),
            code=INVALID_OPTIONS,
        )
    return [known[number] for number in numbers]


def waypoints(desk: Desk, places: Snaps) -> list[dict[str, object] | None]:
    """Return where each place meets its street, None for one without a street."""
    told: list[dict[str, object] | None] = [None] * places.n_places
    degrees = np.round(desk.lookup.degrees(places.xy_m), DEGREE_DECIMALS).tolist()
    names = desk.study.streets.tags.get("name")
    ways = desk.ground.streets.way[places.segment]
    for row in reversed(range(len(places.place))):  # of several doors the first
        name = "" if names is None else str(names.iloc[ways[row]])
        told[places.place[row]] = {
            "distance": round(float(places.access_m[row]), DECIMALS),
            "name": name,
            "location": degrees[row],
        }
    return told
