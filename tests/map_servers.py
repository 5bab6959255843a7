"""A Nominatim and an Overpass on this machine, which say what they are told to say."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import shapely

FREE = "Connected as: 1\nCurrent time: 2026-01-01T00:00:00Z\nAnnounced endpoint: none\nRate limit: 2\n2 slots available"
UNLIMITED = FREE.replace("Rate limit: 2\n2 slots available", "Rate limit: 0\nCurrently running queries (pid, ...):")

HANG = object()
"""What a server is told that is to say nothing."""

Filters = frozenset[tuple[str, str]]

_STATEMENT = re.compile(r"(node|way|relation)((?:\[[^\]]*\])+)\(poly:'([-\d. ]+)'\)")


def statements(query: str) -> tuple[Filters, shapely.Polygon]:
    """Return what a query asks for, each a type and a filter, and the polygon that it asks for it in."""
    found = _STATEMENT.findall(query)
    [polygon] = {poly for *_, poly in found}
    numbers = [float(n) for n in polygon.split()]
    corners = list(zip(numbers[1::2], numbers[::2], strict=True))
    return frozenset((kind, said) for kind, said, _ in found), shapely.Polygon(corners)


class MapServers:
    """Both servers at one address; ``url`` is Nominatim's, ``url/api`` Overpass's.

    ``places`` is what Nominatim says, ``objects`` returns what Overpass says to a query, None where it has no answer.
    In ``says`` stands by the last part of an address what is said there instead: `HANG`, or a status, a text and any
    headers.
    ``asked`` has each request: the last part of its address, its headers and its parameters.
    """

    def __init__(self, places: object, objects: Callable[[str], object]) -> None:
        self.places, self.objects = places, objects
        self.says: dict[str, object] = {"status": (200, FREE)}
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self._over = threading.Event()
        servers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _answer(self, parameters: str) -> None:
                what = urlsplit(self.path).path.rsplit("/", 1)[-1]
                said = {key: values[0] for key, values in parse_qs(parameters).items()}
                servers.asked.append((what, dict(self.headers), said))
                if what not in servers.says:
                    record = servers.places if what == "search" else servers.objects(said["data"])
                    self._send(400 if record is None else 200, json.dumps(record).encode())
                elif (told := servers.says[what]) is HANG:
                    servers._over.wait()
                else:
                    status, text, *headers = told
                    self._send(status, text if isinstance(text, bytes) else text.encode(), *headers)

            def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
                self.send_response(status)
                for header in headers:
                    self.send_header(*header)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> MapServers:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
