"""CPU seconds of several tools at the same work, and what was found."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

ROUNDS = 5
LONG_S = 10.0
"""A job's rounds end early when they have taken this many CPU seconds together."""


def peak_mb() -> float:
    """Return the most memory that this process has had, in MB; what it was started from does not count."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


@dataclass(frozen=True)
class Job:
    """One tool's way of doing a piece of work.

    ``check`` raises when the answer is not ours. ``part`` is how much of the work ``run`` does, out of how much: a tool
    that would take minutes is measured on a few sources and its time scaled up.
    """

    tool: str
    run: Callable[[], Any]
    check: Callable[[Any], None] = lambda answer: None
    part: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Timing:
    """The least of several rounds, for the whole of the work."""

    tool: str
    cpu_s: float
    wall_s: float
    note: str = ""


@dataclass(frozen=True)
class Mark:
    """A figure that was promised, what was found instead, and whether that holds."""

    work: str
    asked: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Section:
    """A piece of work with the tools that did it, ours first; ``notes`` say what the figures do not."""

    work: str
    timings: Sequence[Timing] = ()
    marks: Sequence[Mark] = ()
    notes: Sequence[str] = ()


def interleaved(jobs: Sequence[Job], *, rounds: int = ROUNDS) -> list[Timing]:
    """Run every job once and check its answer, then all in turn; return the least times of each."""
    for job in jobs:
        job.check(job.run())
    cpu_s: dict[str, list[float]] = {job.tool: [] for job in jobs}
    wall_s: dict[str, list[float]] = {job.tool: [] for job in jobs}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for job in jobs:
                if sum(cpu_s[job.tool]) > LONG_S:
                    continue
                cpu, wall = time.process_time(), time.perf_counter()
                answer = job.run()
                cpu_s[job.tool].append(time.process_time() - cpu)
                wall_s[job.tool].append(time.perf_counter() - wall)
                del answer
    finally:
        gc.enable()
    return [
        Timing(
            job.tool, min(cpu_s[job.tool]) * whole / done, min(wall_s[job.tool]) * whole / done, _scaled(done, whole)
        )
        for job in jobs
        for done, whole in [job.part]
    ]


def _scaled(done: int, whole: int) -> str:
    return "" if done == whole else f"scaled up from {done:,} of {whole:,}"


def at_least(work: str, timings: Sequence[Timing], tool: str, times: float) -> list[Mark]:
    """Return the mark that ``tool`` takes at least so many times our CPU seconds; none where it did not run."""
    found = [timing.cpu_s / timings[0].cpu_s for timing in timings if timing.tool == tool]
    return [Mark(work, f">= {times:g}x {tool}", f"{ratio:.1f}x", ratio >= times) for ratio in found]
