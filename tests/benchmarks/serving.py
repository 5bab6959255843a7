"""T6: the nearest station over HTTP, one worker: requests a second of the server's CPU, and how long they wait.

PYTHONPATH=tests .venv/bin/python -m benchmarks.serving
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.lookup import near_streets
from benchmarks.measure import Mark, Section, Timing
from benchmarks.table import marks, notes, timings
from lifecircle import open_study
from lifecircle.ground import lay_ground
from lifecircle.samples import monaco

CONNECTIONS = 16
N_FLAT_OUT = 40_000
RATE, PACED_S = 2_000, 10
PER_CPU_S, P99_S = 10_000, 5e-3
ENDS_HEADERS, LENGTH = b"\r\n\r\n", re.compile(rb"content-length: (\d+)")


def serving_section(study: Path | None = None) -> Section:
    """Ask a server of its own process, flat out and then at a steady rate; by default of Monaco."""
    folder = study or monaco()
    opened = open_study(folder)
    points = near_streets(lay_ground(opened).reference.network, opened.crs)
    asked = [f"GET /nearest/v1/foot/{lon:.7f},{lat:.7f} HTTP/1.1\r\nHost: localhost\r\n\r\n" for lon, lat in points]
    requests = [request.encode() for request in asked]
    with server(folder) as (port, pid):
        asyncio.run(flat_out(port, requests[:2000], 2000))
        cpu_s, own_s = _cpu_s(pid), time.process_time()
        wall_s = asyncio.run(flat_out(port, requests, N_FLAT_OUT))
        cpu_s, own_s = _cpu_s(pid) - cpu_s, time.process_time() - own_s
        waits_s = asyncio.run(paced(port, requests, RATE, PACED_S))
    p50_s, p99_s = np.percentile(waits_s, [50, 99]).tolist()
    work = f"T6 nearest over HTTP, {folder.name}"
    return Section(
        work,
        [
            Timing("server, each request", cpu_s / N_FLAT_OUT, wall_s / N_FLAT_OUT),
            Timing("client, each request", own_s / N_FLAT_OUT, wall_s / N_FLAT_OUT),
            Timing(f"at {RATE:,}/s, p50", p50_s, p50_s, "wall"),
            Timing(f"at {RATE:,}/s, p99", p99_s, p99_s, "wall"),
        ],
        [
            Mark(
                work,
                f">= {PER_CPU_S:,} requests a CPU second",
                f"{N_FLAT_OUT / cpu_s:,.0f}",
                N_FLAT_OUT / cpu_s >= PER_CPU_S,
            ),
            Mark(work, f"p99 <= {P99_S * 1e3:g} ms at {RATE:,}/s", f"{p99_s * 1e3:.2f} ms", p99_s <= P99_S),
        ],
        [f"{CONNECTIONS} connections of one client on the same machine, no pipelining; a wait is counted from when its "
         "request was due, not from when it could be sent"],
    )  # fmt: skip


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, int]]:
    """Run ``lifecircle serve`` on a free port; yield the port and the process id."""
    command = [sys.executable, "-u", "-m", "lifecircle", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        told = process.stdout.readline().decode()
        try:
            yield int(re.findall(r":(\d+)", told)[0]), process.pid
        finally:
            process.terminate()


async def flat_out(port: int, requests: Sequence[bytes], n: int) -> float:
    """Send each request when the answer before it is there; return the seconds of all."""
    left, started_s = itertools.cycle(requests), time.perf_counter()
    asking = [await _Connection.to(port) for _ in range(CONNECTIONS)]

    async def ask(connection: _Connection) -> None:
        for _ in range(n // CONNECTIONS):
            await connection.ask(next(left))

    await asyncio.gather(*(ask(connection) for connection in asking))
    for connection in asking:
        connection.close()
    return time.perf_counter() - started_s


async def paced(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Sequence[float]:
    """Send requests at a steady rate, whether answers come or not; return the seconds each waited since it was due."""
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    connections = [await _Connection.to(port) for _ in range(CONNECTIONS)]
    for connection in connections:
        free.put_nowait(connection)
    started_s, waits_s, under_way = time.perf_counter(), list[float](), set[asyncio.Task[None]]()

    async def ask(request: bytes, due_s: float) -> None:
        connection = await free.get()
        await connection.ask(request)
        waits_s.append(time.perf_counter() - due_s)
        free.put_nowait(connection)

    for i in range(int(rate * seconds)):
        due_s = started_s + i / rate
        while (ahead_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(ahead_s if ahead_s > 1e-3 else 0)
        task = asyncio.create_task(ask(requests[i % len(requests)], due_s))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for connection in connections:
        connection.close()
    return waits_s


class _Connection(asyncio.Protocol):
    """One connection, one request at a time; an answer that is not 200 ends the measurement."""

    def __init__(self) -> None:
        self.read, self.answered = b"", asyncio.get_running_loop().create_future()

    @classmethod
    async def to(cls, port: int) -> _Connection:
        transport, made = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        made.transport = transport
        return made

    async def ask(self, request: bytes) -> None:
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self.answered

    def data_received(self, data: bytes) -> None:
        self.read += data
        at = self.read.find(ENDS_HEADERS)
        length = LENGTH.search(self.read)
        if at < 0 or length is None or len(self.read) < at + len(ENDS_HEADERS) + int(length[1]):
            return
        if self.read.startswith(b"HTTP/1.1 200"):
            self.answered.set_result(None)
        else:
            self.answered.set_exception(RuntimeError(self.read.decode()))
        self.read = b""

    def close(self) -> None:
        self.transport.close()


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    found = serving_section()
    print("\n".join([*timings(found), *marks(found), *notes(found)]))
