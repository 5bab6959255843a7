"""What goes in and comes out, for checking it and for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MOST_REQUESTS = 10_000
"""How many requests a batch holds."""

Text = Annotated[str, Field(max_length=200)]


class Waypoint(BaseModel):
    """A station; ``distance`` is ``walk_m`` by the name that OSRM's clients read."""

    distance: float
    walk_m: float = Field(description="metres on foot, both legs included")
    walk_s: float = Field(description="seconds on foot, as the reference class walks")
    name: str
    location: tuple[float, float] = Field(description="longitude and latitude of the station")
    station_id: str
    tier: str


class Nearest(BaseModel):
    """The nearest stations, nearest first; none: ``code`` is NoSegment or NoRoute, and ``reason`` says why."""

    code: str
    waypoints: list[Waypoint]
    reason: str = Field(description="empty for the nearest station; else why not the nearest, or why none")
    message: str | None = Field(default=None, description="the reason in words")
    note: str | None = Field(default=None, description="what makes the answer less than it should be")
    synthetic: str | None = Field(default=None, description="yes, where anything that went in is made up")


class Place(BaseModel):
    """A place of a table where it meets the street; null where no street is near."""

    distance: float = Field(description="metres from the place to the street")
    name: str
    location: tuple[float, float]


class TableAnswer(BaseModel):
    """Seconds on foot, a row for each source; null where there is no way."""

    code: str
    durations: list[list[float | None]]
    sources: list[Place | None]
    destinations: list[Place | None]
    synthetic: str | None = None


class Line(BaseModel):
    """A GeoJSON LineString."""

    type: str
    coordinates: list[tuple[float, float]]


class Way(BaseModel):
    """A way; its line begins and ends at the two places, by straight legs to the street."""

    distance: float = Field(description="metres on foot, both legs included")
    duration: float = Field(description="seconds on foot, as the reference class walks")
    geometry: Line


class RouteAnswer(BaseModel):
    """One way, or none: ``code`` is NoSegment (no street near) or NoRoute."""

    code: str
    routes: list[Way]
    waypoints: list[Place | None]
    synthetic: str | None = None


class Request(BaseModel):
    """A request for a station; what is wrong with its place comes back as the reason of its row."""

    model_config = ConfigDict(extra="forbid", strict=True)
    request_id: Text = ""
    lon: float | None = None
    lat: float | None = None
    item: Text = ""
    at: Text = Field(default="", description="when it came, such as 2026-05-03 14:30")
    urgency: Text = ""
    priority: Text = ""


class Batch(BaseModel):
    """Requests to assign, in WGS 84."""

    model_config = ConfigDict(extra="forbid")
    requests: list[Request] = Field(min_length=1, max_length=MOST_REQUESTS)


class AssignedRow(BaseModel):
    """A row of assigned.csv; null where there is no walk, and left out what the study has no such thing of."""

    request_id: str
    station_id: str
    walk_m: float | None
    walk_s: float | None
    tier: str
    reason: str
    agent_id: str | None = Field(default=None, description="who takes it, where the study lists agents")
    assist_id: str | None = Field(default=None, description="who assists, where two handle it")
    how: str | None = Field(
        default=None, description="empty in opening hours; stop, appointment, door, wait, volunteer"
    )
    stop: str | None = Field(default=None, description="the name of the stop where it is served")
    may_claim: int | None = Field(default=None, description="how many may claim it, in the pool")
    synthetic: str | None = None


class Assigned(BaseModel):
    """The rows in the order of the requests."""

    assigned: list[AssignedRow]
    notes: list[str] = Field(description="what was not understood of the requests, or is not known of their days")


class Status(BaseModel):
    """Whether the server answers."""

    status: str
    reload: str = Field(default="", description="refused, where the study could not be used when it was read again")


class Reloaded(BaseModel):
    """What is served now."""

    study: str
    fingerprint: str
    stations: int


class Layer(BaseModel):
    """A GeoJSON FeatureCollection in WGS 84."""

    type: str
    attribution: list[str]
    features: list[dict[str, Any]]


class ProblemDocument(BaseModel):
    """An error as RFC 9457 has it, with the ``code`` and ``message`` of OSRM."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    message: str
    request_id: str
    errors: list[dict[str, Any]] | None = None
