"""What a path and a query ask, read by hand: the route that is asked most often is to cost no more than its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from lifecircle.api.problems import (
    INVALID_OPTIONS,
    INVALID_QUERY,
    INVALID_SERVICE,
    INVALID_URL,
    INVALID_VERSION,
    RequestError,
)
from lifecircle.readers.requests import PROBLEMS
from lifecircle.said import Said
from lifecircle.schema import nearest as nearest_word

PROFILE, VERSION = "foot", "v1"
MOST_STATIONS = 20
"""How many stations one request may ask for."""

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Years outside which no request comes."""

LONGEST_WORD = 200
"""Characters of an item, a tier or a time: longer ones name nothing."""

LISTS = ("sources", "destinations")
"""Options that hold many numbers, and are as long as an address lets them."""

NEAREST_OPTIONS = ("number", "item", "tier", "at", "generate_hints")

_LON = r"-?(180(\.0{1,18})?|(1[0-7]\d|0?\d{1,2})(\.\d{1,18})?)"
_LAT = r"-?(0?90(\.0{1,18})?|0?[0-8]?\d(\.\d{1,18})?)"
PLACE_PATTERN = f"^{_LON},{_LAT}$"
PLACES_PATTERN = f"^{_LON},{_LAT}(;{_LON},{_LAT}){{0,99}}(\\.json)?$"
TWO_PLACES_PATTERN = f"^{_LON},{_LAT};{_LON},{_LAT}(\\.json)?$"
NEAREST_PATTERN = f"^{_LON},{_LAT}(\\.json)?$"
"""How one place, up to a hundred and two are written, for the OpenAPI document."""

_PLACE = re.compile(r"(-?\d{1,3}(?:\.\d{1,18})?),(-?\d{1,3}(?:\.\d{1,18})?)", re.ASCII)

Place = tuple[float, float]
"""Longitude and latitude, degrees."""


@dataclass(frozen=True)
class Wanted:
    """Which stations count: so many of them, that offer an item, are of a tier, and are open at a time."""

    number: int = 1
    item: str = ""
    tier: str = ""
    at: datetime | None = None


PLAIN = Wanted()
"""The nearest station of all that may serve the place."""


def place_of(text: str) -> Place:
    """Return the place that a ``lon,lat`` names.

    Raises
    ------
    RequestError
        When it names none on earth.
    """
    read = _PLACE.fullmatch(text)
    if read is None:
        raise RequestError(
            Said("a place is written as longitude,latitude in degrees, such as 123.95,41.88"), code=INVALID_QUERY
        )
    lon, lat = float(read[1]), float(read[2])
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        swapped = -90.0 <= lon <= 90.0 and -180.0 <= lat <= 180.0
        raise RequestError(
            PROBLEMS["swapped-axes"]
            if swapped
            else "a longitude is between -180 and 180, a latitude between -90 and 90"
        )
    return lon, lat


def coordinates_of(path: str) -> str:
    """Return the coordinates of a path ``/<service>/v1/foot/<coordinates>[.json]``.

    Raises
    ------
    RequestError
        When it is not of that form; the code is OSRM's for the part that is wrong.
    """
    parts = path.split("/")
    if len(parts) != 5:
        raise RequestError("the path is /<service>/v1/foot/<coordinates>", code=INVALID_URL)
    if parts[2] != VERSION:
        raise RequestError(Said("there is the version {} alone", VERSION), code=INVALID_VERSION)
    if parts[3] != PROFILE:
        raise RequestError(Said("there is the profile {} alone: people walk", PROFILE), code=INVALID_SERVICE)
    return parts[4].removesuffix(".json")


def options_of(query: bytes, known: tuple[str, ...]) -> Mapping[str, str]:
    """Return the options of a query, each of which stands in it once.

    Raises
    ------
    RequestError
        When one is unknown, twice there or too long, or it is no text.
    """
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=50
        )
    except ValueError as error:
        raise RequestError("the query is written as name=value&name=value", code=INVALID_OPTIONS) from error
    options = dict(pairs)
    for name, value in pairs:
        if name not in known:
            near = nearest_word(name, known)
            hint = Said("did you mean {}?", near) if near else Said("known are {}", ", ".join(known))
            raise RequestError(Said("{} is not a known option; {}", name[:LONGEST_WORD], hint), code=INVALID_OPTIONS)
        if name not in LISTS and len(value) > LONGEST_WORD:
            raise RequestError(Said("{} is longer than any name", name), code=INVALID_OPTIONS)
    if len(options) < len(pairs):
        raise RequestError("an option stands twice in the query", code=INVALID_OPTIONS)
    return options


def wanted_of(query: bytes) -> Wanted:
    """Return which stations the query of ``/nearest`` asks for.

    Raises
    ------
    RequestError
        When an option is unknown or has no meaning.
    """
    if not query:
        return PLAIN
    options = options_of(query, NEAREST_OPTIONS)
    number = options.get("number", "1")
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_STATIONS):
        raise RequestError(Said("number is a whole number from 1 to {}", MOST_STATIONS), code=INVALID_OPTIONS)
    at = options.get("at", "")
    return Wanted(int(number), options.get("item", "").strip(), options.get("tier", ""), _moment(at) if at else None)


def _moment(text: str) -> datetime:
    """Return a day and a time; the + of an offset, which a query makes a blank, is put back."""
    try:
        when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        when = None
    if when is None or len(text) < len("2026-05-03T10:00") or not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise RequestError(
            "at is a day and a time, such as 2026-05-03T10:00 (by the clock of the study) or 2026-05-03T10:00+08:00",
            code=INVALID_OPTIONS,
        )
    return when


def parameter(name: str, schema: Mapping[str, object], description: str, *, place: str = "query") -> dict[str, object]:
    """Return a parameter as the OpenAPI document has it."""
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": description}
