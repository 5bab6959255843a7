"""The routes that a framework answers, and the OpenAPI document of all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from lifecircle import __version__
from lifecircle.api import shapes
from lifecircle.api.batch import assigned_rows
from lifecircle.api.circles import circles_at
from lifecircle.api.desk import Desk, Desks
from lifecircle.api.nearest import OPERATION, PATH
from lifecircle.api.problems import INVALID_URL, PROBLEM_JSON, RequestError, defect, problem, refused_study
from lifecircle.api.query import PLACE_PATTERN, PLACES_PATTERN, TWO_PLACES_PATTERN, place_of
from lifecircle.api.route import ROUTE_PARAMETERS, route
from lifecircle.api.table import TABLE_PARAMETERS, table
from lifecircle.api.watch import EXPOSITION, Metrics
from lifecircle.api.workers import Workers
from lifecircle.errors import Breach, LifecircleError
from lifecircle.said import Said


class GeoJSONResponse(JSONResponse):
    """GeoJSON that is made already."""

    media_type = "application/geo+json"

    def render(self, content: bytes) -> bytes:
        """Return what is made."""
        return content


HEAVY_AT_ONCE, HEAVY_WAITING = 2, 32
"""How many answers that take long are worked out at the same time, and how many wait: each may hold a body."""

FIELDS = {"body", *shapes.Batch.model_fields, *shapes.Request.model_fields}
"""What a refusal names of a body; its other words are whatever came in."""

PROBLEM = {"model": shapes.ProblemDocument, "content": {PROBLEM_JSON: {}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": PROBLEM, "5XX": PROBLEM}


# The patterns stand in the document alone: what does not fit is refused by our own words.
OnePlace = Annotated[str, Path(json_schema_extra={"pattern": PLACE_PATTERN})]
Places = Annotated[str, Path(json_schema_extra={"pattern": PLACES_PATTERN})]
TwoPlaces = Annotated[str, Path(json_schema_extra={"pattern": TWO_PLACES_PATTERN})]


def make_app(desks: Desks, metrics: Metrics) -> FastAPI:
    """Return the application behind the front."""
    app = FastAPI(
        title="lifecircle",
        version=__version__,
        description="Which community service station is nearest on foot. Places are longitude and latitude in WGS 84.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
    )
    for kind in (LifecircleError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _told(desks))
    app.add_exception_handler(Exception, _defect)
    _add_routes(app, desks, metrics)
    document = app.openapi

    def openapi() -> dict[str, Any]:
        """Return the document with the route that stands before the framework in it."""
        told = document()
        schema = shapes.Nearest.model_json_schema(ref_template="#/components/schemas/{model}")
        told["components"]["schemas"] |= {**schema.pop("$defs"), "Nearest": schema}
        told["paths"][PATH] = {"get": OPERATION}
        return told

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def _add_routes(app: FastAPI, desks: Desks, metrics: Metrics) -> None:
    worked_out, drawing = Workers(at_once=HEAVY_AT_ONCE, waiting=HEAVY_WAITING).work_out, asyncio.Lock()
    pages: dict[Desk, str] = {}

    @app.get("/health", response_model=shapes.Status, summary="Whether the server runs")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready", response_model=shapes.Status, summary="Whether it answers, and how the last reload went")
    async def ready() -> dict[str, str]:
        return {"status": "ready", "reload": "refused" if desks.failed else ""}

    @app.get("/stations", response_model=shapes.Layer, response_class=GeoJSONResponse, summary="The stations")
    async def stations() -> Response:
        return GeoJSONResponse(desks.current.stations)

    @app.get(
        "/areas",
        response_model=shapes.Layer,
        response_class=GeoJSONResponse,
        summary="The areas, without residents",
    )
    async def areas() -> Response:
        return GeoJSONResponse(desks.current.areas)

    @app.get(
        "/table/v1/foot/{coordinates}",
        response_model=shapes.TableAnswer,
        summary="Seconds between places, or from places to the stations",
        openapi_extra={"parameters": TABLE_PARAMETERS},
    )
    async def table_of(coordinates: Places, request: Request) -> Response:
        query = request.scope["query_string"]
        return Response(await worked_out(table, desks.current, coordinates, query), media_type="application/json")

    @app.get(
        "/route/v1/foot/{coordinates}",
        response_model=shapes.RouteAnswer,
        summary="The way from one place to another",
        openapi_extra={"parameters": ROUTE_PARAMETERS},
    )
    async def route_of(coordinates: TwoPlaces, request: Request) -> Response:
        query = request.scope["query_string"]
        return Response(await worked_out(route, desks.current, coordinates, query), media_type="application/json")

    @app.get(
        "/circles/{coordinates}",
        response_model=shapes.Layer,
        response_class=GeoJSONResponse,
        summary="From where a station there is reached",
    )
    async def circles(coordinates: OnePlace) -> Response:
        return GeoJSONResponse(await worked_out(circles_at, desks.current, place_of(coordinates)))

    @app.post("/assign", response_model=shapes.Assigned, summary="Where requests go")
    async def assign(batch: shapes.Batch) -> Response:
        return Response(await worked_out(assigned_rows, desks.current, batch), media_type="application/json")

    @app.get("/metrics", response_class=Response, summary="Figures for Prometheus")
    async def figures() -> Response:
        told = metrics.exposition(stations=len(desks.current.study.stations), reloads=desks.reloads)
        return Response(told, media_type=EXPOSITION)

    @app.post("/reload", response_model=shapes.Reloaded, summary="Read the study again")
    async def reload() -> dict[str, object]:
        try:
            desk = await run_in_threadpool(desks.reload)
        except LifecircleError as error:
            raise refused_study(error, desks.current.study.path.parent) from error
        n = len(desk.study.stations)
        return {"study": desk.study.settings.name, "fingerprint": desk.study.fingerprint, "stations": n}

    @app.get("/", response_class=HTMLResponse, summary="The map, which answers a click")
    async def page() -> HTMLResponse:
        from lifecircle.api.page import page_of  # maps are slow to load, and many servers never draw one

        desk = desks.current
        async with drawing:  # drawn when it is first asked for, and once
            if desk not in pages:
                drawn = await run_in_threadpool(page_of, desk)
                pages.clear()
                pages[desk] = drawn
        return HTMLResponse(pages[desk])


def _told(desks: Desks) -> Callable[[Request, Exception], Response]:
    """Return what makes a problem document of an error."""

    def told(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, LifecircleError) else _refusal(error)
        status, document = problem(known, request_id=request.state.request_id, language=desks.current.language)
        wait_s = known.retry_after_s if isinstance(known, RequestError) else None
        headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
        if isinstance(error, HTTPException):
            headers |= error.headers or {}  # of a method that is not there: which are
        return Response(document, status, media_type=PROBLEM_JSON, headers=headers)

    return told


def _defect(request: Request, _: Exception) -> Response:
    """Return what is told of a defect; the front writes it down."""
    return Response(defect(request.state.request_id), 500, media_type=PROBLEM_JSON)


def _refusal(error: Exception) -> RequestError:
    """Return the framework's errors as ours: a body that does not fit, a path or a method that is not there."""
    if isinstance(error, RequestValidationError):
        unfit = [Said("{}: {}", _place_in(e["loc"]), e["msg"]) for e in error.errors()]
        breaches = [Breach("body", e["type"], said) for e, said in zip(error.errors(), unfit, strict=True)]
        return RequestError("the body is not what this route takes", status=422, breaches=breaches)
    if isinstance(error, HTTPException) and error.status_code == 405:
        return RequestError("this route does not answer that method", status=405, code="MethodNotAllowed")
    if isinstance(error, HTTPException) and error.status_code == 404:
        return RequestError("there is no such route; /openapi.json lists them", status=404, code=INVALID_URL)
    return RequestError("the request cannot be read", status=400)


def _place_in(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc if isinstance(part, int) or part in FIELDS)
