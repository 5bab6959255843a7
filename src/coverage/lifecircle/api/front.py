"""The door of the server: every request gets an id, is let in or refused, measured and written down.

The route that is asked most often is answered here; all others go on to the framework.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from itertools import count
from typing import Any

from lifecircle.api.desk import Desks
from lifecircle.api.guard import Guard
from lifecircle.api.nearest import answer_json, asked
from lifecircle.api.problems import PROBLEM_JSON, TOO_BIG, RequestError, defect, problem
from lifecircle.api.watch import Log, Metrics
from lifecircle.api.workers import Workers
from lifecircle.errors import LifecircleError
from lifecircle.said import Said

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ROUTES = (
    "nearest",
    "table",
    "route",
    "circles",
    "stations",
    "areas",
    "assign",
    "health",
    "ready",
    "metrics",
    "reload",
    "openapi.json",
    "",
)
"""First parts of paths that logs and figures name; all others are one."""

LONGEST_URL = 16_384
"""Bytes of a path and its query."""

LARGEST_BODY = 8_000_000
"""Bytes of a body: 10,000 requests take a quarter of it."""

SEARCHES_AT_ONCE, SEARCHES_WAITING = 2, 1_000
"""How many lookups that search the streets run at the same time, and how many more wait."""

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Front:
    """The ASGI application that a server runs."""

    def __init__(self, desks: Desks, app: App, guard: Guard, log: Log, metrics: Metrics) -> None:
        self.desks, self.app, self.guard, self.log, self.metrics = desks, app, guard, log, metrics
        self._run, self._numbers = secrets.token_hex(4), count(1)
        self._searches = Workers(at_once=SEARCHES_AT_ONCE, waiting=SEARCHES_WAITING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        started_s = time.perf_counter()
        headers = dict(scope["headers"])
        named = headers.get(b"x-request-id", b"")
        request_id = named.decode() if _ID.fullmatch(named) else f"{self._run}-{next(self._numbers)}"
        path, method = scope["path"], scope["method"]
        route = path[1:].partition("/")[0]
        route = route if route in ROUTES else "other"
        caller, answer = "", _Answer(send, request_id.encode())
        try:
            caller = self.guard.admit(route, method, headers)
            _refuse_large(scope, headers)
            if route == "nearest":
                _refuse_method(method)
                await answer.whole(200, b"application/json", await self._nearest(path, scope["query_string"]))
            else:
                scope.setdefault("state", {})["request_id"] = request_id
                body = await _body(receive) if method not in ("GET", "HEAD") else b""
                await self.app(scope, _once(body, receive), answer.part)
        except LifecircleError as error:
            status, document = problem(error, request_id=request_id, language=self.desks.current.language)
            await answer.whole(status, PROBLEM_JSON.encode(), document, headers=_more(error))
        except Exception as error:  # noqa: BLE001  (whatever strikes, whoever asks gets a problem, never a trace)
            self.log.defect(error, request_id)
            if not answer.status:
                await answer.whole(500, PROBLEM_JSON.encode(), defect(request_id))
        seconds = time.perf_counter() - started_s
        self.metrics.count(route, answer.status, seconds)
        told = method if method in _METHODS else "other"
        self.log.request(request_id, told, route, answer.status, seconds, caller)

    async def _nearest(self, path: str, query: bytes) -> bytes:
        """Read the answer at once where that takes no search of the city, which others are not to wait for."""
        desk, what = self.desks.current, asked(path, query)
        answer = desk.lookup.listed(*what)
        if answer is None:
            answer = await self._searches.work_out(desk.lookup.nearest, *what)
        return answer_json(desk, answer)


class _Answer:
    """An answer on its way out, with the headers that every one has; ``status`` is 0 until it is sent."""

    __slots__ = ("_headers", "_send", "status")

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send, self.status = send, 0
        self._headers = (*_ALWAYS, (b"x-request-id", request_id))

    async def whole(
        self, status: int, kind: bytes, body: bytes, *, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.status = status
        told = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers, *self._headers]
        await self._send({"type": "http.response.start", "status": status, "headers": told})
        await self._send({"type": "http.response.body", "body": body})

    async def part(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        await self._send(message)


def _more(error: LifecircleError) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that a refusal brings with it."""
    if not isinstance(error, RequestError):
        return ()
    told: list[tuple[bytes, bytes]] = []
    if error.retry_after_s is not None:
        told.append((b"retry-after", b"%d" % error.retry_after_s))
    if error.status == 401:
        told.append((b"www-authenticate", b'Basic realm="lifecircle", charset="UTF-8"'))
    if error.status == 405:
        told.append((b"allow", b"GET, HEAD"))
    if error.status == 413:
        told.append((b"connection", b"close"))
    return tuple(told)


def _refuse_method(method: str) -> None:
    if method not in ("GET", "HEAD"):
        raise RequestError("this route answers GET", status=405, code="MethodNotAllowed")


def _refuse_large(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    if len(scope["path"]) + len(scope["query_string"]) > LONGEST_URL:
        raise RequestError(Said("an address has at most {:,} bytes", LONGEST_URL), status=414, code=TOO_BIG)
    length = headers.get(b"content-length")
    if length is None:
        return
    if len(length) > 12 or not length.isdigit() or int(length) > LARGEST_BODY:
        raise _too_large()


def _too_large() -> RequestError:
    return RequestError(Said("a body has at most {:,} bytes", LARGEST_BODY), status=413, code=TOO_BIG)


async def _body(receive: Receive) -> bytes:
    """Read a body whole, up to the limit: it may come in parts that state no length."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise _too_large()
        more = message.get("more_body", False)
    return b"".join(parts)


def _once(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that is read already, and then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return waiting.pop() if waiting else await receive()

    return given
