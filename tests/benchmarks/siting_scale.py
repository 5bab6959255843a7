"""Siting at scale: how near to the best in how much time and memory, on made-up cities and on instances of libraries.

    make bench-siting
    PYTHONPATH=tests python -m benchmarks.siting_scale --only kept --progress

Every row is a whole `solve`, reasons and all, in a process of its own, whose peak of memory is that of the answer
alone: walks come from a file. Where the CPU seconds are far below the others, somebody else was at work too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import mixed, pmed, sjc
from benchmarks.cities import valley
from benchmarks.measure import peak_mb
from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting import FairestWalks, FewestStations, MostResidents, Question, ShortestWalks, solve

CUTOFF_S = 480.0
HEAD = f"{'work':42}{'objective':>11}{'bound':>11}{'gap %':>8}{'gain %':>8}{'s':>7}{'CPU s':>7}{'MB':>6}  mark"

Made = Callable[[], tuple[Walks, FloatArray]]
"""Makes walks and residents."""

Asked = Callable[[Walks, FloatArray, LongArray], Question]
"""Puts a question about walks, residents and the stations that stand."""


@dataclass(frozen=True)
class Row:
    """A question, its city with ``n_kept`` stations at random, and the mark to reach in ``limit_s``."""

    name: str
    question: Question | Asked
    made: Made
    limit_s: float
    n_kept: int = 0
    gap: float | None = None
    gap_gain: float | None = None
    year_gap: float | None = None
    optimum: float | None = None
    peak_mb: float = 1024.0


def most(n_new: int) -> Question:
    """Ask for the most residents within 8 minutes."""
    return Question(MostResidents(CUTOFF_S), n_new=n_new)


def fewest(share: float) -> Question:
    """Ask for the fewest stations for a share of those who can be within 8 minutes of one at all."""
    return Question(FewestStations(CUTOFF_S, share=share))


def shortest(n_new: int) -> Question:
    """Ask for the shortest walks in sum; whoever walks more than 15 minutes counts as walking those."""
    return Question(ShortestWalks(900.0), n_new=n_new)


TOWN = partial(valley, 10_000, 2_000, quarters=300, size_km=(28.0, 16.0), cutoff_s=CUTOFF_S)
CITY = partial(valley, 200_000, 20_000, quarters=600, size_km=(40.0, 24.0), cutoff_s=CUTOFF_S)
WIDE = partial(valley, 200_000, 20_000, quarters=2400, size_km=(80.0, 48.0), cutoff_s=CUTOFF_S)

FAR_TOWN = partial(valley, 10_000, 2_000, quarters=300, size_km=(28.0, 16.0), cutoff_s=2700.0)
FAR_CITY = partial(valley, 200_000, 20_000, quarters=600, size_km=(40.0, 24.0), cutoff_s=900.0)

VALLEY = partial(valley, 50_000, 10_000, quarters=300, size_km=(30.0, 18.0))
VALLEY_8, VALLEY_15 = partial(VALLEY, cutoff_s=CUTOFF_S), partial(VALLEY, cutoff_s=900.0)

CITIES = (
    Row("town", most(50), TOWN, 15.0, gap=0.002),
    Row("town-100", most(100), TOWN, 15.0, gap=0.002),
    Row("city", most(200), CITY, 60.0, gap=0.005),
    Row("kept", most(50), WIDE, 60.0, n_kept=978, gap_gain=0.02),
    Row("fewest", fewest(1.0), CITY, 300.0, gap=0.01, peak_mb=2048.0),
    Row("fewest-wide", fewest(1.0), WIDE, 300.0, gap=0.01, peak_mb=2048.0),
    Row("share", fewest(0.95), CITY, 300.0, gap=0.01, peak_mb=2048.0),
    Row("shortest", shortest(1000), FAR_CITY, 120.0, gap=0.005, peak_mb=2048.0),
    Row("combined", mixed.combined, VALLEY_15, 300.0, n_kept=150, gap=0.02),
    Row("stages", mixed.stages, VALLEY_8, 300.0, n_kept=50, year_gap=0.02, peak_mb=2048.0),
    Row("robust", mixed.robust, VALLEY_8, 600.0, n_kept=100, gap=0.03, peak_mb=3072.0),
    Row("fairest", Question(FairestWalks(), n_new=40), FAR_TOWN, 120.0, gap=0.0),
)


def rows() -> tuple[Row, ...]:
    """Return all rows; those of libraries where the data lie beside the checkout."""
    library = [
        Row(
            str(listed).replace(" ", "-"),
            listed.question,
            partial(sjc.instance, listed.instance, listed.question.objective.standards[0].cutoff_s),
            60.0,
            gap=0.0,
            optimum=listed.optimum,
        )
        for listed in (sjc.listed() if sjc.FOLDER.is_dir() else ())
    ]
    library += [
        Row(f"pmed{number}", pmed.question(number), partial(pmed.instance, number), 60.0, gap=0.0, optimum=optimum)
        for number, optimum in (pmed.listed() if pmed.FOLDER.is_dir() else {}).items()
    ]
    return (*CITIES, *library)


def written(row: Row, file: Path) -> None:
    """Write the city of a row to a file."""
    walks, residents = row.made()
    kept = np.sort(np.random.default_rng(5).choice(walks.n_facilities, row.n_kept, replace=False))
    np.savez(file, indptr=walks.indptr, indices=walks.indices, seconds=walks.seconds, residents=residents, kept=kept)


def answered(row: Row, file: Path, *, progress: bool) -> str:
    """Return a line of the table, of this process."""
    compile_kernels()
    with np.load(file) as data:
        residents, kept = data["residents"], data["kept"].astype(np.int64)
        walks = Walks(data["indptr"], data["indices"], data["seconds"], len(residents))

    def report(value: float, bound: float, seconds: float) -> None:
        if progress:
            print(f"  {seconds:6.1f} s {value:12,.0f} {bound:12,.0f}  {abs(bound - value) / bound:.4%}", flush=True)

    question = row.question if isinstance(row.question, Question) else row.question(walks, residents, kept)
    wall, cpu = time.perf_counter(), time.process_time()
    plan = solve(question, walks, residents, fixed=kept, time_limit_s=row.limit_s - 5.0, report=report)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    most_mb = peak_mb()
    if row.optimum is not None and plan.status == "optimal" and plan.value != row.optimum:
        raise AssertionError(f"{row.name}: {plan.value} is called optimal, and the library says {row.optimum}")
    by_year = float((np.abs(plan.year_bounds - plan.by_year) / plan.year_bounds).max())
    met = (
        (row.year_gap is None or by_year <= row.year_gap)
        and (row.gap is None or plan.gap <= row.gap)
        and (row.gap_gain is None or (plan.gap_gain or 0.0) <= row.gap_gain)
        and wall <= row.limit_s + 2.0
        and most_mb <= row.peak_mb
    )
    asked = f"gap <= {row.gap:.1%}" if row.gap is not None else f"gain <= {row.gap_gain or 0.0:.1%}"
    if row.year_gap is not None:
        asked = f"every year's gap <= {row.year_gap:.1%}, is {by_year:.1%}"
    size = f"{row.name} ({walks.n_demand:,} x {walks.n_facilities:,})"
    gain = "" if plan.gap_gain is None else f"{100 * plan.gap_gain:.3f}"
    numbers = f"{plan.value:11,.0f}{plan.bound:11,.0f}{100 * plan.gap:8.3f}{gain:>8}{wall:7.1f}{cpu:7.1f}{most_mb:6.0f}"
    return f"{size:42}{numbers}  {asked}, {row.limit_s:.0f} s: {'met' if met else 'MISSED'} ({plan.ended})"


def compile_kernels() -> None:
    """Compile what the searches need, or read it from the cache, before the clock starts."""
    walks, residents = valley(3000, 600, quarters=20, size_km=(6.0, 4.0))
    for question in (most(3), fewest(1.0), fewest(0.9), shortest(9), Question(FairestWalks(), n_new=60)):
        solve(question, walks, residents, work_limit=1.0)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.siting_scale", description="Measure siting at scale.")
    parser.add_argument("--only", help="rows whose name starts with this")
    parser.add_argument("--progress", action="store_true", help="print value and bound after every round")
    parser.add_argument("--file", type=Path, help="answer the one row of this file, made before, in this process")
    chosen = parser.parse_args(argv)
    some = [row for row in rows() if row.name.startswith(chosen.only or "")]
    if chosen.file is not None:
        row = next(row for row in some if row.name == chosen.only)
        print(answered(row, chosen.file, progress=chosen.progress))
        return
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in some:
            file = Path(folder) / "walks.npz"
            written(row, file)
            arguments = ["--only", row.name, "--file", str(file), *(["--progress"] if chosen.progress else [])]
            subprocess.run([sys.executable, "-m", "benchmarks.siting_scale", *arguments], check=True)


if __name__ == "__main__":
    main()
