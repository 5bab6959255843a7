"""What a plan spends of the money that it may spend: in all, by year and by area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lifecircle.areas import AreaTree
from lifecircle.scenarios.costs import areas_at
from lifecircle.scenarios.plan import Plan


@dataclass(frozen=True)
class Spent:
    """Money that is spent, and how much may be; None where nothing limits it."""

    spent: float
    allowed: float | None


@dataclass(frozen=True)
class Money:
    """Money in all, by year in their order, and by the id of each area that has a budget."""

    total: Spent
    by_year: tuple[Spent, ...]
    by_area: Mapping[str, Spent]


def money_of(plan: Plan) -> Money | None:
    """Return what a plan spends, None where its question knows no budget. Money is in the currency of the costs."""
    scenario, study = plan.scenario, plan.coverage.study
    if not scenario.has_budget:
        return None
    chosen = plan.sites[plan.sites["state"] == "chosen"]
    spent_in = chosen.groupby("opens")["cost"].sum()
    years = [Spent(float(spent_in.get(str(n), 0.0)), allowed) for n, allowed in enumerate(scenario.years, start=1)]
    areas: dict[str, Spent] = {}
    if (budget := scenario.area_budget) is not None:
        area = areas_at(budget.level, chosen, AreaTree.of(study.areas))
        spent_by = chosen["cost"].groupby(area).sum()
        areas = {
            area_id: Spent(float(spent_by.get(row, 0.0)), budget.amounts.get(area_id, budget.amount))
            for row, (area_id, level) in enumerate(zip(study.areas["area_id"], study.areas["level"], strict=True))
            if level == budget.level
        }
    return Money(Spent(float(chosen["cost"].sum()), scenario.budget), tuple(years), areas)
