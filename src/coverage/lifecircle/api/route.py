"""The way from one place to another, in the shape of OSRM's route service."""

from __future__ import annotations

import numpy as np

from lifecircle.api.desk import Desk
from lifecircle.api.encode import DEGREE_DECIMALS, as_json
from lifecircle.api.problems import INVALID_OPTIONS, RequestError
from lifecircle.api.query import options_of, parameter, place_of
from lifecircle.api.table import waypoints
from lifecircle.mark import MARK, YES
from lifecircle.routing import path
from lifecircle.sheets import DECIMALS

OPTIONS = ("geometries", "overview", "generate_hints")
ROUTE_PARAMETERS = [
    parameter("geometries", {"type": "string", "enum": ["geojson"]}, "the one form in which ways are drawn"),
    parameter("overview", {"type": "string", "enum": ["full"]}, "ways are drawn in full"),
    parameter("generate_hints", {"type": "string"}, "taken from OSRM's clients; there are no hints"),
]


def route(desk: Desk, coordinates: str, query: bytes) -> bytes:
    """Return the way that the reference class walks as JSON; without one the code is NoSegment or NoRoute.

    Raises
    ------
    RequestError
        When the coordinates or the query cannot be meant.
    """
    options = options_of(query, OPTIONS)
    if options.get("geometries", "geojson") != "geojson" or options.get("overview", "full") != "full":
        raise RequestError("ways are drawn in full and as geojson", code=INVALID_OPTIONS)
    written = coordinates.removesuffix(".json").split(";")
    if len(written) != 2:
        raise RequestError(
            "a way leads from one place to another: two places with ; between them", code=INVALID_OPTIONS
        )
    lookup = desk.lookup
    ends = lookup.snap([place_of(text) for text in written])
    told: dict[str, object] = {MARK: YES} if desk.ground.synthetic else {}
    if not ends.snapped.all():
        return as_json({"code": "NoSegment", "routes": [], "waypoints": waypoints(desk, ends)} | told)
    a, b = ends.take([0]), ends.take([1])
    found = path(lookup.footing.network, a, b, speed_mps=lookup.footing.speed_mps)
    if found is None:
        return as_json({"code": "NoRoute", "routes": [], "waypoints": waypoints(desk, ends)} | told)
    line, metres = found
    degrees = np.round(lookup.degrees(line), DEGREE_DECIMALS).tolist()
    one = {
        "distance": round(metres, DECIMALS),
        "duration": round(float(lookup.seconds(a, b)[0, 0]), DECIMALS),
        "geometry": {
            "type": "LineString",
            "coordinates": [*map(_place, written[:1]), *degrees, *map(_place, written[1:])],
        },
    }
    return as_json({"code": "Ok", "routes": [one], "waypoints": waypoints(desk, ends)} | told)


def _place(text: str) -> list[float]:
    return [*place_of(text)]
