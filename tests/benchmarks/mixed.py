"""Questions with many conditions for the made-up cities, fixed by a seed."""

from __future__ import annotations

import numpy as np

from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting import AtLeast, Budget, Case, Floor, MostResidents, Moves, Question, Standard, Tiers

N_COMMUNITIES = 120


def combined(walks: Walks, residents: FloatArray, kept: LongArray) -> Question:
    """Ask for homes with a household station within 8 minutes and a main one within 15, under every condition.

    A budget by kind of room and tier, stations that may close and move, one at least in every community, floors for
    communities and for the aged, priority for the aged, and some worth in a second station.
    """
    random = np.random.default_rng(4)
    home, site = communities(walks)
    tier = np.zeros(walks.n_facilities, dtype=np.int64)
    tier[random.choice(kept, len(kept) // 5, replace=False)] = 1
    kind = random.random(walks.n_facilities)
    cost = _costs(kind) + np.array([[0.0], [6000.0]])
    cost[1, kind < 0.2] = np.inf
    aged = random.binomial(residents.astype(np.int64), 0.2).astype(np.float64)
    return Question(
        MostResidents(480.0, also=(Standard(900.0, tier=1),)),
        n_new=200,
        budget=Budget(cost, total=450_000.0),
        moves=Moves(tuple(kept[:60].tolist()), 15),
        at_least=AtLeast(1, site),
        floors=(Floor(0.25, area=home, of="reachable"), Floor(0.5, who=aged)),
        tiers=Tiers(2, tier),
        backup=0.2,
        priority=1.0 + aged / residents,
    )


def stages(walks: Walks, residents: FloatArray, kept: LongArray) -> Question:
    """Ask for the most residents within 8 minutes, in five years with a budget each."""
    cost = _costs(np.random.default_rng(6).random(walks.n_facilities))
    return Question(
        MostResidents(480.0), budget=Budget(cost, by_year=(20_000.0, 15_000.0, 15_000.0, 10_000.0, 10_000.0))
    )


def robust(walks: Walks, residents: FloatArray, kept: LongArray) -> Question:
    """Ask for the most residents within 8 minutes in the worst of 100 cases: some stations or roads are closed."""
    random = np.random.default_rng(7)
    cases = [Case(), *(Case(tuple(random.choice(kept, 15, replace=False).tolist())) for _ in range(79))]
    for _ in range(20):
        near, _ = walks.row(int(random.integers(walks.n_facilities)))
        detour_s = np.zeros(walks.n_demand)
        touched = near[random.random(len(near)) < 0.7]
        detour_s[touched] = random.uniform(60.0, 400.0, len(touched))
        seconds = walks.seconds + detour_s[walks.indices]
        within = seconds <= 480.0
        indptr = np.concatenate([[0], np.cumsum(within)])[walks.indptr]
        cases.append(Case(walks=Walks(indptr, walks.indices[within], seconds[within], walks.n_demand)))
    return Question(MostResidents(480.0), n_new=60, cases=tuple(cases))


def communities(walks: Walks) -> tuple[LongArray, LongArray]:
    """Return the community of each home and site: that of the nearest of some sites, -1 where none is near."""
    home, least_s = np.full(walks.n_demand, -1), np.full(walks.n_demand, np.inf)
    heads = np.random.default_rng(3).choice(walks.n_facilities, N_COMMUNITIES, replace=False)
    for number, head in enumerate(heads.tolist()):
        near, seconds = walks.row(head)
        closer = seconds < least_s[near]
        home[near[closer]], least_s[near[closer]] = number, seconds[closer]
    site = np.full(walks.n_facilities, -1)
    for row in range(walks.n_facilities):
        near, seconds = walks.row(row)
        if len(near):
            site[row] = home[near[np.argmin(seconds)]]
    return home, site


def _costs(kind: FloatArray) -> FloatArray:
    """Return what it costs to set up a room of each kind: a home, a hall, a shop."""
    return np.where(kind < 0.3, 1000.0, np.where(kind < 0.8, 3000.0, 6000.0))
