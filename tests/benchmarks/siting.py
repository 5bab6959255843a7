"""Siting beside spopt, with the same solver under both."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
import pulp
from spopt.locate import MCLP

from benchmarks.cities import valley
from benchmarks.fresh import run
from benchmarks.measure import Job, Mark, Section, at_least, interleaved
from lifecircle.model import FloatArray, Walks
from lifecircle.siting import MostResidents, Question, SitingPlan, solve

CUTOFF_S = 480.0
SIZES = ((1000, 200, 10), (5000, 1000, 20))
"""Homes, rooms and new stations."""

MEMORY = """
from benchmarks.measure import peak_mb
from benchmarks.siting import {tool}, made
{tool}(*made(200, 40), 2)
inputs = made({n_homes}, {n_rooms})
before = peak_mb()
{tool}(*inputs, {n_new})
print(peak_mb() - before)
"""


def made(n_homes: int, n_rooms: int) -> tuple[Walks, FloatArray, FloatArray]:
    """Return walks, the residents, and the same walks as the table that spopt takes, homes by rooms."""
    walks, people = valley(n_homes, n_rooms, quarters=40, size_km=(12.0, 7.0), cutoff_s=CUTOFF_S)
    seconds = np.full((n_homes, n_rooms), np.inf)
    seconds[walks.indices, np.repeat(np.arange(n_rooms), np.diff(walks.indptr))] = walks.seconds
    return walks, people, seconds


def ours(walks: Walks, people: FloatArray, seconds: FloatArray, n_new: int) -> SitingPlan:
    """Return the proven plan with the most residents within reach."""
    return solve(Question(MostResidents(CUTOFF_S), n_new=n_new), walks, people)


def theirs(walks: Walks, people: FloatArray, seconds: FloatArray, n_new: int) -> MCLP:
    """Return the model of spopt, solved by HiGHS."""
    model = MCLP.from_cost_matrix(seconds, people, CUTOFF_S, p_facilities=n_new)
    return model.solve(pulp.HiGHS(msg=False))


def siting_sections() -> Iterator[Section]:
    """Most residents within 8 minutes of some new stations, at the sizes that spopt still answers."""
    for n_homes, n_rooms, n_new in SIZES:
        inputs = made(n_homes, n_rooms)
        best = ours(*inputs, n_new)

        def check(model: MCLP, best: SitingPlan = best) -> None:
            if best.status != "optimal" or abs(pulp.value(model.problem.objective) - best.value) > 1e-6:
                raise AssertionError("spopt does not reach the residents that ours reaches, proven")

        jobs = [
            Job("lifecircle", lambda inputs=inputs, n=n_new: ours(*inputs, n)),
            Job("spopt with HiGHS", lambda inputs=inputs, n=n_new: theirs(*inputs, n), check),
        ]
        work = f"siting {n_homes:,} x {n_rooms:,}"
        timings = interleaved(jobs)
        peaks_mb = [_peak_mb(tool, n_homes, n_rooms, n_new) for tool in ("ours", "theirs")]
        share = peaks_mb[0] / peaks_mb[1]
        told = f"{peaks_mb[0]:.0f} of {peaks_mb[1]:.0f} MB"
        memory = Mark(work, "<= 1/5 of the memory of spopt", told, share <= 0.2)
        title = f"siting: most residents within 8 minutes, {n_homes:,} homes, {n_rooms:,} rooms, {n_new} stations"
        note = "memory: the peak over that of a process with the inputs, after a small answer"
        yield Section(title, timings, [*at_least(work, timings, "spopt with HiGHS", 50), memory], [note])


def _peak_mb(tool: str, n_homes: int, n_rooms: int, n_new: int) -> float:
    code = MEMORY.format(tool=tool, n_homes=n_homes, n_rooms=n_rooms, n_new=n_new)
    with tempfile.TemporaryDirectory() as cache:
        run(code, cache)  # compiling takes memory too, once
        return float(run(code, cache).output)
