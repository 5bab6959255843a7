"""Siting beside spopt, with the same solver under both."""

from __future__ import annotations

import numpy as np
import pulp
from spopt.locate import MCLP

from benchmarks.graphs import grid
from benchmarks.measure import Job, Section, interleaved
from lifecircle.routing import snap, within
from lifecircle.siting import MostResidents, Question, solve

N_HOMES, N_ROOMS, N_NEW = 1000, 200, 10
CUTOFF_S = 480.0


def siting_section() -> Section:
    """Most residents within 8 minutes of ten new stations."""
    graph = grid(300)
    xy_m = graph.network.xy_m
    homes, rooms = snap(graph.network, xy_m[: 9 * N_HOMES : 9]), snap(graph.network, xy_m[4 : 45 * N_ROOMS : 45])
    walks = within(graph.network, rooms, homes, cutoff_s=1e6)
    seconds = np.full((N_HOMES, N_ROOMS), np.inf)
    for room in range(N_ROOMS):
        near, walked_s = walks.row(room)
        seconds[near, room] = walked_s
    people = np.random.default_rng(2).integers(1, 200, N_HOMES).astype(float)
    question = Question(MostResidents(CUTOFF_S), n_new=N_NEW)
    ours = solve(question, walks, people)

    def spopt_mclp() -> MCLP:
        model = MCLP.from_cost_matrix(seconds, people, CUTOFF_S, p_facilities=N_NEW)
        return model.solve(pulp.HiGHS(msg=False))

    def check(model: MCLP) -> None:
        if abs(pulp.value(model.problem.objective) - ours.value) > 1e-6:
            raise AssertionError("spopt does not reach the residents that ours reaches")

    jobs = [
        Job("lifecircle", lambda: solve(question, walks, people)),
        Job("spopt with HiGHS", spopt_mclp, check),
    ]
    work = f"siting: most residents within 8 minutes, {N_HOMES:,} homes, {N_ROOMS} rooms, {N_NEW} stations"
    return Section(work, interleaved(jobs))
