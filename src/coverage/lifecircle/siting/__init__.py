"""Which sites to open, with a proven gap and the reasons, from sparse walks.

This layer knows indices and numbers only: rows of a :class:`~lifecircle.model.Walks` are sites, its columns
demand points; it sees no geometry and no ids. One question goes through these modules, top to bottom:

    questions   what is asked, as frozen dataclasses
    incidence   who is within the cutoff of which site, as sparse rows
    reduction   what is left to decide once today's sites stand
    formulation the question as a mixed-integer programme, and a bound that needs no search
    greedy      a first plan, and the order of opening
    search      HiGHS
    explain     what every open site is good for
    check       the plan recomputed from the walks, by code that shares nothing with the above
    plan        what comes out, and its gap

A further question is a further dataclass that registers its own `formulate`, `value_of` and `shortfalls_of`.
"""

from lifecircle.siting.check import check_plan, coverage_of
from lifecircle.siting.plan import SitingPlan, gap, gap_gain
from lifecircle.siting.questions import FewestStations, MostResidents, Question
from lifecircle.siting.solver import solve

__all__ = [
    "FewestStations",
    "MostResidents",
    "Question",
    "SitingPlan",
    "check_plan",
    "coverage_of",
    "gap",
    "gap_gain",
    "solve",
]
