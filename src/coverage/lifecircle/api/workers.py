"""Answers that take long, worked out beside the loop that takes requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from lifecircle.api.problems import RequestError

Result = TypeVar("Result")

COME_AGAIN_S = 2
"""After how many seconds one who is refused may come again."""


class Workers:
    """Works so many answers out at the same time; so many more wait, and whoever comes then is refused."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._slots, self._most, self._under_way = asyncio.Semaphore(at_once), at_once + waiting, 0

    async def work_out(self, work: Callable[..., Result], *given: object) -> Result:
        """Return what ``work`` makes of what is given, in a thread of its own.

        Raises
        ------
        RequestError
            When too many wait already.
        """
        if self._under_way >= self._most:
            raise RequestError("too many requests wait already", status=503, code="TooBusy", retry_after_s=COME_AGAIN_S)
        self._under_way += 1
        try:
            async with self._slots:
                return await run_in_threadpool(work, *given)
        finally:
            self._under_way -= 1
