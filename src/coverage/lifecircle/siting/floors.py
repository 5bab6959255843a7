"""Whether every share is still reached where one site takes the place of another, without counting all homes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Floor, Standard
from lifecircle.siting.incidence import sums
from lifecircle.siting.plan import Decision
from lifecircle.siting.questions import SHARE_TOLERANCE, FewestStations, Question
from lifecircle.siting.recount import open_sites, reachable
from lifecircle.siting.supply import supply_of


@dataclass(frozen=True, eq=False)
class _Asked(ReadOnlyArrays):
    """A share in a case: ``reached`` and ``needed`` persons by ``area``, and how often each home has each standard."""

    walks: Walks
    standards: tuple[Standard, ...]
    out: tuple[int, ...]
    persons: FloatArray
    area: LongArray
    times: LongArray
    reached: FloatArray
    needed: FloatArray


def floors_of(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Callable[[int, int], bool]:
    """Return what says whether all shares hold with a site in the place of the chosen one at a position.

    Parameters
    ----------
    question
        What is asked, without a capacity.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    decision
        Which sites open and close.
    """
    asked = list(_asked(question, walks, weights, decision))
    chosen, tiers = decision.chosen.tolist(), decision.tier.tolist()
    return lambda position, site: all(_holds(one, chosen[position], site, tiers[position]) for one in asked)


def _asked(question: Question, walks: Walks, weights: FloatArray, decision: Decision) -> Iterator[_Asked]:
    floors = list(question.floors)
    if isinstance(question.objective, FewestStations) and question.objective.share is not None:
        floors.append(Floor(question.objective.share, of="reachable"))
    for case, happening in enumerate(question.happenings):
        seen = happening.walks or walks
        sites, tiers = open_sites(question, decision, case, question.n_years - 1)
        for floor in floors:
            standards = floor.standards or question.objective.standards
            persons = of = weights if floor.who is None else floor.who
            if floor.of == "reachable":
                of = persons * reachable(question, walks, decision.fixed, standards, case)
            area = np.zeros(walks.n_demand, dtype=np.int64) if floor.area is None else floor.area
            here, n_areas = area >= 0, int(area.max(initial=-1)) + 1
            times = supply_of(seen, sites, tiers, standards).times(walks.n_demand)
            met = (times.min(axis=0) >= 1).astype(np.float64)
            yield _Asked(
                walks=seen,
                standards=standards,
                out=happening.out_of_service,
                persons=persons,
                area=area,
                times=times,
                reached=sums(area[here], (persons * met)[here], n_areas),
                needed=(floor.share - SHARE_TOLERANCE) * sums(area[here], of[here], n_areas),
            )


def _holds(asked: _Asked, leaves: int, comes: int, tier: int) -> bool:
    supply = supply_of(asked.walks, np.array([leaves, comes]), np.full(2, tier), asked.standards)
    sign = np.where(np.isin([leaves, comes], asked.out), 0, [-1, 1])
    homes, at = np.unique(supply.home, return_inverse=True)
    before = asked.times[:, homes]
    after = before.copy()
    for number in range(len(asked.standards)):
        has = supply.has(number)
        np.add.at(after[number], at[has], sign[supply.site[has]])
    change = (after.min(axis=0) >= 1).astype(np.float64) - (before.min(axis=0) >= 1)
    area = asked.area[homes]
    here = area >= 0
    reached = asked.reached + sums(area[here], (asked.persons[homes] * change)[here], len(asked.reached))
    return bool((reached >= asked.needed).all())
