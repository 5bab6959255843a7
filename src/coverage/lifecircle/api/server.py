"""A server for one study: it stops when it is told to, and reads the study again, without losing a request."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from lifecircle.api.app import make_app
from lifecircle.api.desk import Desks
from lifecircle.api.front import Front
from lifecircle.api.guard import Guard
from lifecircle.api.watch import Log, Metrics
from lifecircle.errors import LifecircleError, OutputError
from lifecircle.said import Said

LAST_REQUESTS_S = 10
"""How long requests that are under way are waited for when the server stops, seconds."""

WAITING = 2048
"""How many connections wait until they are taken."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; the port 0 stands for any that is free.

    Raises
    ------
    OutputError
        When the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=WAITING)
    except (OSError, OverflowError) as error:
        raise OutputError(Said("{} port {} cannot be listened at; is another server there?", host, port)) from error


def run(desks: Desks, listening: socket.socket, *, guard: Guard, ready: Callable[[], None]) -> None:
    """Answer requests until the process is told to stop (SIGINT, SIGTERM); SIGHUP reads the study again.

    Parameters
    ----------
    ready
        Called when requests are answered.
    """
    log, metrics = Log(sys.stderr.write), Metrics()
    config = uvicorn.Config(
        Front(desks, make_app(desks, metrics), guard, log, metrics),
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=LAST_REQUESTS_S,
    )
    gc.collect()
    gc.freeze()  # what serves every request is looked through for garbage no more
    with suppress(KeyboardInterrupt), listening:
        server = uvicorn.Server(config)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_run(server, desks, listening, log, metrics, ready))


async def _run(
    server: uvicorn.Server,
    desks: Desks,
    listening: socket.socket,
    log: Log,
    metrics: Metrics,
    ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        try:
            desk = await asyncio.to_thread(desks.reload)
        except LifecircleError as error:
            rules = sorted(
                {f"{b.layer}: {b.rule}" for b in error.breaches}
            )  # words and ids of the data stay out of logs
            log.event("reload", outcome="refused", error=type(error).__name__, rules=", ".join(rules))
        except Exception as error:  # noqa: BLE001  (whatever strikes, the study that serves goes on)
            log.defect(error, "reload")
        else:
            log.event("reload", outcome="done", fingerprint=desk.study.fingerprint)

    def hang_up() -> None:
        task = loop.create_task(reload())
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, hang_up)
    loop.call_soon(ready)
    await server.serve(sockets=[listening])
