"""What opening a site costs, and as what it can open."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.asked import AreaBudget, Scenario
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray
from lifecircle.siting import Budget


def costs(scenario: Scenario, frame: pd.DataFrame) -> FloatArray:
    """Return what it costs to open each site: (n_sites,), or (n_tiers, n_sites) where there are tiers.

    A cost stated for the tier counts before one for the kind of site, and that before the column ``cost``. NaN where
    nobody says; inf where the site cannot open as that tier. Sites that stand cost nothing.
    """
    stands, of_site = (frame["state"] == "fixed").to_numpy(), _by_kind(scenario, frame).to_numpy(dtype=np.float64)
    if not scenario.tiers:
        return np.where(stands, 0.0, of_site)
    by_tier = np.stack(
        [np.full(len(frame), scenario.cost[t]) if t in scenario.cost else of_site for t in scenario.tiers]
    )
    by_tier[~_can_open(scenario, frame)] = np.inf
    return np.where(stands, 0.0, by_tier)


def own_costs(scenario: Scenario, frame: pd.DataFrame) -> FloatArray:
    """Return (n_sites,) what it costs to open each site as what it states to be; NaN where nobody says."""
    by_tier = frame["tier"].where(frame["tier"].isin(scenario.tiers)).map(dict(scenario.cost)).astype("float64")
    return by_tier.fillna(_by_kind(scenario, frame)).to_numpy(dtype=np.float64)


def _by_kind(scenario: Scenario, frame: pd.DataFrame) -> pd.Series:
    """Return the cost that the scenario states for the kind of each site, else the column ``cost``."""
    return frame["kind"].map(dict(scenario.cost)).astype("float64").fillna(frame["cost"])


def budget_of(scenario: Scenario, frame: pd.DataFrame, tree: AreaTree) -> Budget | None:
    """Return the scenario's budget over the sites of ``frame``, None where nothing limits what can open.

    A site for which nobody states a cost costs nothing here; `lifecircle.scenarios.check` refuses it. What a site
    cannot open as is said by infinite costs, also where no money is asked for.
    """
    cost = np.nan_to_num(costs(scenario, frame), nan=0.0, posinf=np.inf)
    if not scenario.has_budget:
        barred = np.where(np.isfinite(cost), 0.0, np.inf)
        return Budget(barred, total=0.0) if barred.any() else None
    by_area = site_area = None
    if scenario.area_budget is not None:
        by_area, site_area = _by_area(scenario.area_budget, frame, tree)
    return Budget(cost, total=scenario.budget, by_area=by_area, site_area=site_area, by_year=scenario.years)


def tier_ranks(scenario: Scenario, frame: pd.DataFrame) -> LongArray:
    """Return the number of the tier that each site states, 0 where it states none."""
    ranks: LongArray = (
        frame["tier"].map({tier: rank for rank, tier in enumerate(scenario.tiers)}).fillna(0).to_numpy(dtype=np.int64)
    )
    return ranks


def areas_at(level: str, frame: pd.DataFrame, tree: AreaTree) -> IntArray:
    """Return the row of the area of ``level`` that each place of ``frame`` lies in, -1 for none."""
    return tree.at_level(tree.rows(frame["area_id"]), level)


def _can_open(scenario: Scenario, frame: pd.DataFrame) -> BoolArray:
    """Return (n_tiers, n_sites) as what each site can open: up to the tier that it states, as any where it does not."""
    highest = np.where(frame["tier"] == "", len(scenario.tiers), tier_ranks(scenario, frame))
    return np.arange(len(scenario.tiers))[:, None] <= highest


def _by_area(asked: AreaBudget, frame: pd.DataFrame, tree: AreaTree) -> tuple[FloatArray, LongArray]:
    """Return the money of each area and the area of each site; the last, without money, is for sites in none."""
    amounts = np.full(len(tree.ids) + 1, asked.amount)
    amounts[-1] = 0.0
    for area_id, amount in asked.amounts.items():
        amounts[tree.rows([area_id])[0] if area_id in tree.ids else -1] = amount if area_id in tree.ids else 0.0
    area = areas_at(asked.level, frame, tree).astype(np.int64)
    return amounts, np.where(area < 0, len(tree.ids), area)
