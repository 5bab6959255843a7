"""What stands of a plan that is built in years by the end of each of them, and the figures of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.circles import Coverage, Reach, coverage_table, stations_with_load
from lifecircle.mark import marked
from lifecircle.model import BoolArray
from lifecircle.scenarios.comparison import AS_STATED, KEYS, TODAY, Comparison, beside, moved, spent
from lifecircle.scenarios.measures import Walked
from lifecircle.scenarios.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Stage:
    """The stations that stand by the end of a year, and how everybody reaches them at the stated speeds.

    ``year`` counts from 1; stations that a plan closes are closed from the first. ``stations`` have the columns of
    `Coverage`. ``figures`` and ``table`` are as in `Comparison`, of this scenario and speed alone, with the columns
    of coverage.csv, ``cost``, those who come in and leave against the baseline, and what follows from these.
    """

    scenario: str
    year: int
    walked: Walked
    figures: pd.DataFrame
    table: pd.DataFrame


def stages_of(comparison: Comparison) -> tuple[Stage, ...]:
    """Return the years of all plans that are built in years, but for the last, which is the plan itself.

    All homes walk anew for each of them. Money is what is spent up to then.
    """
    states = {TODAY: comparison.today} | {plan.scenario.name: plan.coverage for plan in comparison.plans}
    before = Walked.of(states[comparison.baseline])
    return tuple(
        _stage(plan, year, before, comparison)
        for plan in comparison.plans
        for year in range(1, len(plan.scenario.years))
    )


def table_of(figures: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Return the figures of a stage with what follows from them beside the baseline's, as `beside` does."""
    study, told = comparison.today.study, comparison.figures
    usual = told[(told["scenario"] == comparison.baseline) & (told["speed"] == AS_STATED)][list(figures)]
    together = pd.concat([usual.assign(scenario=comparison.baseline), figures.assign(scenario="")], ignore_index=True)
    table = beside(together, comparison.baseline, AreaTree.of(study.areas), study.settings.circles)
    own = table[table["scenario"] == ""].reset_index(drop=True)
    return marked(own.assign(scenario=figures["scenario"]), comparison.today.synthetic)


def _stage(plan: Outcome, year: int, before: Walked, comparison: Comparison) -> Stage:
    coverage, sites = plan.coverage, plan.sites
    opened = sites["state"].ne("chosen") | pd.to_numeric(sites["opens"], errors="coerce").le(year)
    standing = coverage.stations["station_id"].isin(sites["site_id"][opened]).to_numpy()
    walked = _walked(coverage, standing)
    study, stations = coverage.study, walked.stations
    tree = AreaTree.of(study.areas)
    home = tree.rows(study.buildings["area_id"])
    table = coverage_table(study, coverage.demand, stations, walked.reach)
    everyone = (table["group"] == "all").to_numpy()
    paid = np.full(len(table), np.nan)
    paid[everyone] = spent(sites[opened], tree)
    figures = table.assign(cost=paid, **moved(before, walked, tree, home))
    figures = figures.assign(scenario=plan.scenario.name, speed=AS_STATED)
    figures = figures[[*KEYS, *(c for c in figures if c not in KEYS)]]
    return Stage(plan.scenario.name, year, walked, figures, table_of(figures, comparison))


def _walked(coverage: Coverage, standing: BoolArray) -> Walked:
    """Return some of the stations of a coverage as everybody reaches them."""
    study, demand = coverage.study, coverage.demand
    stations, sites = coverage.stations[standing].reset_index(drop=True), coverage.sites[standing]
    reach = {c: Reach.of(study, coverage.ground, stations, sites, c) for c in study.settings.walking.classes}
    return Walked(study, demand, stations_with_load(study, demand, stations, reach), reach)
