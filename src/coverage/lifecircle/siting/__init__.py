"""Which sites to open, with a proven gap and the reasons, from sparse walks.

This layer knows indices and numbers only: rows of a :class:`~lifecircle.model.Walks` are sites, its columns
demand points; it sees no geometry and no ids. One question goes through these modules, top to bottom:

    questions   what is asked: one objective
    conditions  and what limits a plan
    solver      from the question to a checked plan
    effort      what a search may spend, when it ends, how it tells of itself
    answers     which engine answers which question
    linear      the one linear form that all questions take
    options     what can be opened, and the limits on that
    counts      who counts: classes of homes, by what can reach them
    served      who is served by whom
    formulation the question in linear form
    search      HiGHS
    fairest     the lengths that the longest walk can have
    infeasible  why there is no plan, and what would have to give way
    bounds      what no plan can better, from any multipliers
    greedy      a first plan; `crowded` one under capacities, and a bound; `standing` whom the sites that stand serve
    cover       maximal cover; `core` is it with some options alone, `saddle` its relaxation, `cover_search` its plans
                and bounds at the size of a city, `cover_finish` the end of that by HiGHS
    fewest      set covering, made small; `fewest_relaxation` and `fewest_search` its bounds and plans, `share_search`
                those for a share
    median      the shortest walks in sum, as lists of the nearest sites; `median_saddle` its relaxation,
                `median_search` its plans and bounds at the size of a city, `median_finish` the end of that by HiGHS
    center      the longest walk, one covering question per length, each asked of a median
    combined    any form at the size of a city: its plans and bounds; `parts` is a form with some options alone,
                `relaxation` its relaxation, `prices` what that says of all options, `rework` makes a plan better
    explain     what every open site is good for; `supply` is what it gives each home, `opening` the order in which they
                open, `substitutes` what stands in for one, with the shares that `floors` counts
    alternatives why another site is not among them
    recount     the value of a decision straight from the walks
    check       the plan checked by `audit`, the same recomputed sharing nothing with the search
    plan        what comes out, and its gap
"""

from lifecircle.siting.alternatives import WhyNot, why_not
from lifecircle.siting.check import check_plan
from lifecircle.siting.conditions import (
    AtLeast,
    Budget,
    Capacity,
    Case,
    Floor,
    Itinerary,
    Moves,
    Standard,
    Tiers,
)
from lifecircle.siting.infeasible import Conflict, ConflictError, NoPlanError
from lifecircle.siting.plan import Allocation, Decision, SitingPlan, gap, gap_gain
from lifecircle.siting.questions import FairestWalks, FewestStations, MostResidents, Question, ShortestWalks
from lifecircle.siting.recount import coverage_of, reachable, value_of
from lifecircle.siting.solver import solve

__all__ = [
    "Allocation",
    "AtLeast",
    "Budget",
    "Capacity",
    "Case",
    "Conflict",
    "ConflictError",
    "Decision",
    "FairestWalks",
    "FewestStations",
    "Floor",
    "Itinerary",
    "MostResidents",
    "Moves",
    "NoPlanError",
    "Question",
    "ShortestWalks",
    "SitingPlan",
    "Standard",
    "Tiers",
    "WhyNot",
    "check_plan",
    "coverage_of",
    "gap",
    "gap_gain",
    "reachable",
    "solve",
    "value_of",
    "why_not",
]
