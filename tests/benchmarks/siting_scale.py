"""Siting at the scale of a city: how near to the best in how much time and memory, on made-up cities fixed by a seed.

    make bench-siting
    PYTHONPATH=tests python -m benchmarks.siting_scale --only kept --progress

Every row runs in a process of its own, whose peak of memory is that of the answer alone: walks come from a file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import numpy as np

from benchmarks.cities import valley
from lifecircle.model import Walks
from lifecircle.siting import MostResidents, Question, gap, gap_gain
from lifecircle.siting.cover import cover_of
from lifecircle.siting.cover_search import search_cover

CUTOFF_S = 480.0
HEAD = f"{'work':34}{'objective':>11}{'bound':>11}{'gap %':>8}{'gain %':>8}{'s':>7}{'CPU s':>7}{'MB':>6}  mark"


@dataclass(frozen=True)
class Row:
    """Most residents within 8 minutes of ``n_new`` stations beside ``n_kept``, and the mark to reach in ``limit_s``."""

    name: str
    n_homes: int
    n_rooms: int
    quarters: int
    size_km: tuple[float, float]
    n_new: int
    n_kept: int
    limit_s: float
    gap: float | None = None
    gap_gain: float | None = None
    peak_mb: float = 1024.0


ROWS = (
    Row("town", 10_000, 2_000, 300, (28.0, 16.0), 50, 0, 15.0, gap=0.002),
    Row("town-100", 10_000, 2_000, 300, (28.0, 16.0), 100, 0, 15.0, gap=0.002),
    Row("city", 200_000, 20_000, 600, (40.0, 24.0), 200, 0, 60.0, gap=0.005),
    Row("kept", 200_000, 20_000, 2400, (80.0, 48.0), 50, 978, 60.0, gap_gain=0.02),
)


def made(row: Row, file: Path) -> None:
    """Write the city of a row to a file."""
    walks, residents = valley(row.n_homes, row.n_rooms, quarters=row.quarters, size_km=row.size_km, cutoff_s=CUTOFF_S)
    kept = np.sort(np.random.default_rng(5).choice(row.n_rooms, row.n_kept, replace=False))
    np.savez(file, indptr=walks.indptr, indices=walks.indices, seconds=walks.seconds, residents=residents, kept=kept)


def answered(row: Row, file: Path, *, progress: bool) -> str:
    """Return a line of the table, of this process."""
    compile_kernels()
    with np.load(file) as data:
        walks = Walks(data["indptr"], data["indices"], data["seconds"], row.n_homes)
        residents, kept = data["residents"], data["kept"].astype(np.int64)
    wall, cpu = time.perf_counter(), time.process_time()

    def report(value: float, bound: float, seconds: float) -> None:
        if progress:
            print(f"  {seconds:6.1f} s {value:12,.0f} {bound:12,.0f}  {(bound - value) / bound:.4%}", flush=True)

    cover, options = cover_of(Question(MostResidents(CUTOFF_S), n_new=row.n_new), walks, residents, kept)
    found = search_cover(cover, time_limit_s=row.limit_s - (time.perf_counter() - wall), report=report)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak_mb = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    check(walks, residents, np.concatenate([kept, options.site[found.opened]]), found.value)
    distance = gap(found.value, found.bound, sense="max")
    gain = gap_gain(found.value, found.bound, cover.base, sense="max")
    met = (row.gap is None or distance <= row.gap) and (row.gap_gain is None or gain <= row.gap_gain)
    mark = f"{'gap' if row.gap is not None else 'gain'} <= {row.gap or row.gap_gain:.1%}, {row.limit_s:.0f} s"
    work = f"{row.name}: {row.n_homes // 1000}k x {row.n_rooms // 1000}k, {row.n_kept} + {row.n_new}"
    share = f"{found.value / residents.sum():.0%} reached, {found.ended}"
    percent = f"{100 * distance:8.3f}{100 * gain:8.3f}"
    numbers = f"{found.value:11,.0f}{found.bound:11,.0f}{percent}{wall:7.1f}{cpu:7.1f}{peak_mb:6.0f}"
    kept_mark = met and peak_mb <= row.peak_mb
    return f"{work:34}{numbers}  {mark}: {'met' if kept_mark else 'MISSED'} ({share})"


def check(walks: Walks, residents: np.ndarray, sites: np.ndarray, value: float) -> None:
    """Count the residents once more, from the walks."""
    reached = np.zeros(walks.n_demand, dtype=bool)
    for site in sites:
        near, seconds = walks.row(int(site))
        reached[near[seconds <= CUTOFF_S + 1e-6]] = True
    if abs(residents[reached].sum() - value) > 1e-6:
        raise AssertionError(f"the plan reaches {residents[reached].sum()}, not {value}")


def compile_kernels() -> None:
    """Compile what the search needs, or read it from the cache, before the clock starts."""
    walks, residents = valley(300, 60, quarters=5, size_km=(3.0, 2.0))
    cover, _ = cover_of(Question(MostResidents(CUTOFF_S), n_new=3), walks, residents, np.empty(0, dtype=np.int64))
    search_cover(cover, work_limit=1e6)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.siting_scale", description="Measure siting at scale.")
    parser.add_argument("--only", choices=[row.name for row in ROWS])
    parser.add_argument("--progress", action="store_true", help="print value and bound after every round")
    parser.add_argument("--file", type=Path, help="answer the one row of this file, made before, in this process")
    chosen = parser.parse_args(argv)
    rows = [row for row in ROWS if chosen.only in (None, row.name)]
    if chosen.file is not None:
        print(answered(rows[0], chosen.file, progress=chosen.progress))
        return
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in rows:
            file = Path(folder) / f"{row.name}.npz"
            made(row, file)
            arguments = ["--only", row.name, "--file", str(file), *(["--progress"] if chosen.progress else [])]
            subprocess.run([sys.executable, "-m", "benchmarks.siting_scale", *arguments], check=True)


if __name__ == "__main__":
    main()
