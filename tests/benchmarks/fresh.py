"""What a fresh process costs: memory, the start, compiling, and reading a street file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from benchmarks.measure import Job, Mark, Section, Timing, at_least, interleaved
from benchmarks.porto import PORTO, porto_network

TESTS = Path(__file__).resolve().parents[1]

MEMORY = """
import ctypes
import gc

def resident_mb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1024

bare = resident_mb()
from benchmarks.graphs import grid_arrays
from lifecircle.routing import nearest, snap, walk_network
small = walk_network(*grid_arrays(10))
nearest(small, snap(small, small.xy_m[:3]))
loaded = resident_mb()
network = walk_network(*grid_arrays({side}))
gc.collect()
ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system, and does not count
print(loaded - bare, resident_mb() - bare)
"""

SEARCH = """
from lifecircle.routing import nearest, snap, walk_network
network = walk_network([[0, 0], [100, 0], [100, 100]], [[0, 1], [1, 2]])
index, seconds = nearest(network, snap(network, [[0, 5]]), snap(network, [[105, 100]]))
assert abs(seconds[0, 0] - 210 / 1.2) < 1e-6
"""

COVER = """
from lifecircle import cover, open_study
from lifecircle.samples import monaco
cover(open_study(monaco()))
"""


MADE_UP = """
import sys
from benchmarks.measure import peak_mb
from lifecircle.cli import main
sys.argv = ["lifecircle", "new", {folder!r}, "--example", "fushun"]
try:
    main()
finally:
    print(peak_mb())
"""


@dataclass(frozen=True)
class _Run:
    cpu_s: float
    wall_s: float
    output: str


def run(code: str, cache: str) -> _Run:
    """Run code in a fresh interpreter that keeps compiled kernels in ``cache``."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(TESTS)}
    before, started = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    wall_s, after = time.perf_counter() - started, getrusage(RUSAGE_CHILDREN)
    return _Run(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall_s, done.stdout)


def memory_section(side: int) -> Section:
    """Memory of a process that holds the grid ready for search, over that of a bare interpreter."""
    with tempfile.TemporaryDirectory() as cache:
        run(MEMORY.format(side=10), cache)  # compiling takes memory too, once
        loaded_mb, ready_mb = map(float, run(MEMORY.format(side=side), cache).output.split())
    work = f"memory, grid {side} x {side}"
    mark = Mark(work, "<= 400 MB over the bare interpreter", f"{ready_mb:.0f} MB", ready_mb <= 400)
    parts = f"{loaded_mb:.0f} MB of it are libraries and compiled code, {ready_mb - loaded_mb:.0f} MB the network"
    note = f"{parts}; after malloc_trim, for glibc keeps what is free"
    return Section(work, marks=[mark], notes=[note])


def start_section() -> Section:
    """A search in a fresh process, compiled before or not; and all that a cover job compiles."""
    with tempfile.TemporaryDirectory() as cache:
        run(SEARCH, cache)
        warm = min((run(SEARCH, cache) for _ in range(5)), key=lambda done: done.wall_s)
    with tempfile.TemporaryDirectory() as cache:
        cold = run(COVER, cache)
        again = min((run(COVER, cache) for _ in range(2)), key=lambda done: done.cpu_s)
    compile_s = cold.cpu_s - again.cpu_s
    marks = [
        Mark("start", "a search with compiled kernels <= 2.5 s", f"{warm.wall_s:.2f} s wall", warm.wall_s <= 2.5),
        Mark("start", "compiling what cover needs <= 12 s", f"{compile_s:.1f} s CPU", compile_s <= 12),
    ]
    timings = [
        Timing("a search, kernels compiled before", warm.cpu_s, warm.wall_s),
        Timing("cover of Monaco, kernels compiled before", again.cpu_s, again.wall_s),
        Timing("cover of Monaco, nothing compiled", cold.cpu_s, cold.wall_s),
    ]
    return Section("start of a fresh process", timings, marks)


def made_up_section() -> Section:
    """A whole made-up Fushun, from nothing to its files."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as place:
        done = run(MADE_UP.format(folder=str(Path(place) / "fushun")), cache)
    peak_mb = float(done.output.split()[-1])
    marks = [
        Mark("made-up Fushun", "<= 60 s", f"{done.cpu_s:.1f} s CPU", done.cpu_s <= 60),
        Mark("made-up Fushun", "<= 2,000 MB", f"{peak_mb:.0f} MB", peak_mb <= 2000),
    ]
    return Section("a whole made-up Fushun", [Timing("lifecircle new", done.cpu_s, done.wall_s)], marks)


def pbf_section() -> Section:
    """From a street file to a network ready for search, beside pyrosm's graph of the same file."""
    import pyrosm

    def graph() -> Any:
        return pyrosm.OSM(str(PORTO), progress=False).get_graph("walking", graph_type="igraph")

    ours_km = porto_network().length_m.sum() / 1000
    theirs_km = sum(graph().es["length"]) / 2000  # each way is there in both directions
    timings = interleaved([Job("lifecircle", porto_network), Job("pyrosm", graph)], rounds=3)
    note = f"lifecircle {ours_km:,.0f} km of ways, pyrosm {theirs_km:,.0f} km"
    return Section("street file of Porto to network", timings, at_least("PBF", timings, "pyrosm", 3), [note])
