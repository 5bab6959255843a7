"""What was measured, as one page of Markdown."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Section

TOOLS = (
    *("numba", "numpy", "scipy", "networkx", "pandana", "igraph", "rustworkx", "networkit", "cityseer", "pyrosm"),
    *("shapely", "spopt", "pulp"),
)


HOW = """\
CPU seconds of all threads, the least of several rounds in which the tools take turns, each on the same graph in its own
form, made beforehand. A tool's answer is compared with ours before it is timed."""


def page(sections: Sequence[Section]) -> str:
    """Return the marks, every timing, and the notes."""
    tables = (
        ("| mark | asked | measured | |\n| --- | --- | --- | --- |", marks),
        ("| work | tool | CPU | wall | times ours | |\n| --- | --- | --- | --- | --- | --- |", timings),
        ("", notes),
    )
    parts = ["# Beside the peers", machine(), HOW]
    for header, rows in tables:
        found = [row for section in sections for row in rows(section)]
        parts += ["\n".join([header, *found] if header else found)] if found else []
    return "\n\n".join(parts) + "\n"


def marks(section: Section) -> list[str]:
    """Return a row for each mark of a section."""
    verdict = {True: "met", False: "**missed**"}
    return [f"| {mark.work} | {mark.asked} | {mark.measured} | {verdict[mark.met]} |" for mark in section.marks]


def timings(section: Section) -> list[str]:
    """Return a row for each tool of a section."""
    return [
        f"| {section.work} | {t.tool} | {spell(t.cpu_s)} | {spell(t.wall_s)} "
        f"| {t.cpu_s / section.timings[0].cpu_s:.3g} | {t.note} |"
        for t in section.timings
    ]


def notes(section: Section) -> list[str]:
    """Return a line for each note of a section."""
    return [f"- {section.work}: {note}" for note in section.notes]


def spell(seconds: float) -> str:
    """Return a time with three figures and the unit that suits it."""
    unit, size = next((u for u in (("s", 1.0), ("ms", 1e-3)) if seconds >= u[1]), ("us", 1e-6))
    return f"{seconds / size:.3g} {unit}" if seconds < 1000 else f"{seconds:,.0f} s"


def machine() -> str:
    """Return the day, the machine and the versions of the tools."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "")
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if "MemTotal" in line), 0)
    versions = [f"{tool} {v}" for tool in TOOLS if (v := _version(tool))]
    return (
        f"{datetime.date.today():%Y-%m-%d}, {cpu or platform.machine()}, {os.cpu_count()} cores, "
        f"{memory_kb / 2**20:.0f} GiB, Python {platform.python_version()}, {', '.join(versions)}."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


def _version(tool: str) -> str:
    try:
        return importlib.metadata.version(tool)
    except importlib.metadata.PackageNotFoundError:
        return ""
