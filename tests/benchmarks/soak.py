"""A server under mixed requests for a long time, reading its study again and again; and under many open connections.

PYTHONPATH=tests .venv/bin/python -m benchmarks.soak [--minutes 20] [--rate 300] [--reloads 50] [--connections 10000]

Every answer must be of the status that its request deserves; the server's memory is looked at after each reload.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from benchmarks.lookup import near_streets
from benchmarks.serving import server
from lifecircle import open_study
from lifecircle.ground import lay_ground
from lifecircle.synthetic.examples import write_example

CONNECTIONS = 32
CLOSING = 5
"""How many stations close at every other reload, and open again at the next."""


@dataclass(frozen=True)
class Ask:
    """A request, and the statuses that it may get."""

    name: str
    request: bytes
    statuses: tuple[int, ...] = (200,)


def mixed(points: np.ndarray, items: Sequence[str], n: int) -> list[Ask]:
    """Return requests as clients of several kinds send them, some of them wrong."""
    random = np.random.default_rng(7)
    asks = []
    for kind in random.choice(len(_KINDS), size=n, p=[share for share, *_ in _KINDS]):
        _, name, path, statuses = _KINDS[kind]
        some = [f"{lon:.6f},{lat:.6f}" for lon, lat in points[random.integers(len(points), size=3)]]
        item = quote(items[random.integers(len(items))])
        minute = f"{random.integers(8, 18):02d}:{random.integers(60):02d}"
        target = path.format(*some, item=item, at=f"2025-05-{random.integers(1, 29):02d}T{minute}")
        asks.append(Ask(name, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), statuses))
        if name == "assign":
            rows = [
                {"request_id": f"r{i}", "lon": lon, "lat": lat} for i, (lon, lat) in enumerate(points[:20].tolist())
            ]
            body = json.dumps({"requests": rows}).encode()
            head = "POST /assign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(body)}"
            asks[-1] = Ask(name, head.encode() + b"\r\n\r\n" + body, statuses)
    return asks


_KINDS = (
    (0.61, "nearest", "/nearest/v1/foot/{0}", (200,)),
    (0.10, "five nearest", "/nearest/v1/foot/{0}?number=5", (200,)),
    (0.15, "nearest with item and time", "/nearest/v1/foot/{0}?item={item}&at={at}", (200,)),
    (0.04, "table", "/table/v1/foot/{0};{1};{2}", (200,)),
    (0.03, "route", "/route/v1/foot/{0};{1}?geometries=geojson", (200,)),
    (0.005, "circles", "/circles/{0}", (200,)),
    (0.01, "stations", "/stations", (200,)),
    (0.005, "assign", "", (200,)),
    (0.02, "ready", "/ready", (200,)),
    (0.01, "metrics", "/metrics", (200,)),
    (0.02, "wrong", "/nearest/v1/foot/{0}?tier=none-such", (400,)),
)


async def send(port: int, asks: Sequence[Ask], rate: float, seconds: float, found: Counter[str]) -> Sequence[float]:
    """Send requests at a steady rate, count what is not as it should be, and return how long each took."""
    waiting: asyncio.Queue[Ask | None] = asyncio.Queue(maxsize=20 * CONNECTIONS)
    taken_s: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
        while (ask := await waiting.get()) is not None:
            started_s = time.perf_counter()
            try:
                writer.write(ask.request)
                status = await _status(reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                found[f"{ask.name}: {type(error).__name__}"] += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
                continue
            taken_s.append(time.perf_counter() - started_s)
            found["as it should be" if status in ask.statuses else f"{ask.name}: status {status}"] += 1
        writer.close()

    clients = [asyncio.create_task(client()) for _ in range(CONNECTIONS)]
    started_s = time.perf_counter()
    for i in range(int(rate * seconds)):
        while (ahead_s := started_s + i / rate - time.perf_counter()) > 0:
            await asyncio.sleep(ahead_s)
        await waiting.put(asks[i % len(asks)])
    for _ in clients:
        await waiting.put(None)
    await asyncio.gather(*clients)
    return taken_s


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head[9:12])


async def reload_again_and_again(pid: int, stations: Path, times: int, every_s: float) -> list[float]:
    """Close and open some stations, have the study read again each time, and return the server's memory, MB."""
    whole = stations.read_text("utf-8-sig").splitlines(keepends=True)
    memory_mb = []
    for number in range(times):
        await asyncio.sleep(every_s)
        memory_mb.append(_memory_mb(pid))
        kept = whole if number % 2 else whole[:-CLOSING]
        beside = stations.with_suffix(".new")
        beside.write_text("".join(kept), "utf-8-sig")
        beside.replace(stations)
        os.kill(pid, signal.SIGHUP)
    await asyncio.sleep(every_s)
    return [*memory_mb, _memory_mb(pid)]


async def crowd(port: int, n: int, request: bytes) -> Counter[str]:
    """Open so many connections at once, ask over each while all are open, and count the answers."""
    told: Counter[str] = Counter()
    held = []
    for begin in range(0, n, 500):
        some = [asyncio.open_connection("127.0.0.1", port) for _ in range(begin, min(begin + 500, n))]
        held += await asyncio.gather(*some, return_exceptions=True)
    for one in held:
        if isinstance(one, BaseException):
            told[f"not connected: {type(one).__name__}"] += 1
            continue
        reader, writer = one
        writer.write(request)
        told[f"status {await _status(reader)}"] += 1
    for one in held:
        if not isinstance(one, BaseException):
            one[1].close()
    return told


def _memory_mb(pid: int) -> float:
    """Return what a process holds in memory (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def _all(port: int, pid: int, asks: Sequence[Ask], folder: Path, options: argparse.Namespace) -> list[str]:
    found: Counter[str] = Counter()
    seconds = options.minutes * 60
    reloading = reload_again_and_again(pid, folder / "stations.csv", options.reloads, seconds / (options.reloads + 2))
    taken_s, memory_mb = await asyncio.gather(send(port, asks, options.rate, seconds, found), reloading)
    _, metrics = await _get(port, "/metrics")
    reloads = [line for line in metrics.splitlines() if line.startswith("lifecircle_reloads")]
    nearest = next(ask.request for ask in asks if ask.name == "nearest")
    open_at_once = await crowd(port, options.connections, nearest)
    p50_s, p99_s = np.percentile(taken_s, [50, 99])
    return [
        f"{sum(found.values()):,} requests in {options.minutes:g} min, {options.reloads} reloads: {dict(found)}",
        f"p50 {p50_s * 1e3:.1f} ms, p99 {p99_s * 1e3:.1f} ms, longest {max(taken_s) * 1e3:.0f} ms; {reloads}",
        f"memory after each reload, MB: {[round(each) for each in memory_mb]}",
        f"{options.connections:,} connections open at once: {dict(open_at_once)}",
    ]


async def _get(port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head[9:12]), body.decode()


def main() -> None:
    """Make the city up, serve it, and ask."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--reloads", type=int, default=50)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--size", type=float, default=1.0)
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place) / "fushun"
        write_example(folder, "fushun", size=options.size, side=100, seed=7, step=lambda *_, **__: nullcontext())
        study = open_study(folder)
        points = near_streets(lay_ground(study).reference.network, study.crs)
        items = sorted({item for held in study.stations["items"] for item in held.split(";") if item})
        asks = mixed(points, items, 6_000)
        with server(folder) as (port, pid):
            print("\n".join(asyncio.run(_all(port, pid, asks, folder, options))))


if __name__ == "__main__":
    main()
