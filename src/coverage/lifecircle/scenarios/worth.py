"""What the value of a plan counts, and what it is in each case."""

from __future__ import annotations

from dataclasses import replace

from lifecircle.asked import Scenario
from lifecircle.said import Said, sentence
from lifecircle.scenarios.posed import Posed
from lifecircle.siting import Decision, Question, SitingPlan, value_of


def unit_of(question: Question) -> Said:
    """Return what a value counts: no plain residents where some weigh more, or where every year counts anew."""
    unit = sentence("new stations" if question.unit == "stations" else question.unit)
    counted = question.unit in ("residents", "person-seconds")
    if counted and (question.priority is not None or question.backup > 0.0):
        unit = Said("weighted {}", unit)
    return Said("{} × years", unit) if counted and question.n_years > 1 else unit


def by_case(solution: SitingPlan, posed: Posed, scenario: Scenario) -> dict[str, float]:
    """Return the value of a plan in each case alone, by its name; none of a plan that counts stations.

    With years it is the sum over all of them, while the value of the plan takes the worst case of each year.
    """
    question, decision = solution.question, solution.decision
    if question.unit == "stations":
        return {}
    return {
        case.name: value_of(
            replace(question, cases=(put,)), posed.walks, posed.weights, _as_only_case(decision, number)
        )
        for number, (case, put) in enumerate(zip(scenario.cases, question.cases, strict=True))
    }


def _as_only_case(decision: Decision, case: int) -> Decision:
    """Return a decision with who is served in one case, as if there were no other."""
    served = decision.allocation
    if served is None:
        return decision
    here = served.case == case
    only = replace(
        served,
        home=served.home[here],
        site=served.site[here],
        case=served.case[here] * 0,
        year=served.year[here],
        part=served.part[here],
    )
    return replace(decision, allocation=only)
