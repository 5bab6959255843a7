"""What the server tells of itself: a line of JSON a request, and figures for Prometheus; neither knows any place."""

from __future__ import annotations

import json
import time
import traceback
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of seconds, inclusive."""

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class Log:
    """Lines of JSON. Paths, queries and bodies are in none: they hold the coordinates of homes."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def request(self, request_id: str, method: str, route: str, status: int, seconds: float, caller: str) -> None:
        """Write down that a request was answered."""
        self._write(
            f'{{"t":{time.time():.3f},"event":"request","request_id":"{request_id}","method":"{method}",'
            f'"route":"{route}","status":{status},"ms":{seconds * 1e3:.2f},"caller":{_quoted(caller)}}}\n'
        )

    def event(self, name: str, **told: object) -> None:
        """Write down that something happened."""
        self._write(json.dumps({"t": round(time.time(), 3), "event": name, **told}, ensure_ascii=False) + "\n")

    def defect(self, error: BaseException, request_id: str) -> None:
        """Write down where a defect struck: the places in the code, not the message, which may hold what came in."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{f.filename.rpartition('lifecircle/')[2]}:{f.lineno} {f.name}" for f in frames]
        self.event("defect", request_id=request_id, kind=type(error).__name__, where=where[-8:])


@lru_cache(1024)
def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


class Metrics:
    """Counts of requests by route and status, and how long they took."""

    def __init__(self) -> None:
        self._answered: Counter[tuple[str, int]] = Counter()
        self._took: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_S) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, route: str, status: int, seconds: float) -> None:
        """Take up one request."""
        self._answered[route, status] += 1
        self._took[route][bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds[route] += seconds

    def exposition(self, *, stations: int, reloads: Mapping[str, int]) -> bytes:
        """Return the figures in Prometheus' text format."""
        return "\n".join([*self._lines(stations, reloads), ""]).encode()

    def _lines(self, stations: int, reloads: Mapping[str, int]) -> Iterator[str]:
        yield "# TYPE lifecircle_requests_total counter"
        for (route, status), n in sorted(self._answered.items()):
            yield f'lifecircle_requests_total{{route="{route}",status="{status}"}} {n}'
        yield "# TYPE lifecircle_request_seconds histogram"
        for route, counts in sorted(self._took.items()):
            total = 0
            for bound, n in zip((*BOUNDS_S, "+Inf"), counts, strict=True):
                total += n
                yield f'lifecircle_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'lifecircle_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'lifecircle_request_seconds_count{{route="{route}"}} {total}'
        yield "# TYPE lifecircle_reloads_total counter"
        for outcome in ("done", "refused"):
            yield f'lifecircle_reloads_total{{outcome="{outcome}"}} {reloads.get(outcome, 0)}'
        yield "# TYPE lifecircle_stations gauge"
        yield f"lifecircle_stations {stations}"
