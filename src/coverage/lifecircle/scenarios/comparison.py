"""All scenarios of a study side by side: each beside a baseline, and again where everybody walks slower or faster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.circles import Coverage, cover_today, smallest_circle
from lifecircle.errors import LifecircleError, StudyError, UnknownNameError
from lifecircle.mark import marked
from lifecircle.model import TOLERANCE_S, Circle, FloatArray, IntArray, Study
from lifecircle.rules import warn_of
from lifecircle.said import Said
from lifecircle.scenarios.answer import find_scenario, site_or_evaluate
from lifecircle.scenarios.check import refuse_senseless
from lifecircle.scenarios.loads import station_loads
from lifecircle.scenarios.measures import Walked, figures, straight_lines_m
from lifecircle.scenarios.outcome import Outcome
from lifecircle.scenarios.plan import Plan
from lifecircle.scenarios.sites import possible_sites
from lifecircle.scenarios.stated import OPENED
from lifecircle.scenarios.unanswered import each_answered, none_answered
from lifecircle.scenarios.what_if import lots_by_group, sums_by_area
from lifecircle.schema import TOTAL

TODAY = "today"
"""Name under which today's stations stand beside the scenarios."""

AS_STATED = 1.0
SPEEDS = (0.9, AS_STATED, 1.1)
"""Factors on every class's walking speed at which all is worked out."""

NOBODY = 0.5
"""Changes of fewer residents than this, which are told as none, are taken for none."""

SERVED = ("served", "served_today")
"""Whom stations have room for, of a scenario under capacities: with its plan, and today."""

KEYS = ("scenario", "speed", "area_id", "level", "name", "group")
FINDING = ("scenario", "area_id", "group")
ALWAYS_ALIKE = ("buildings", "residents", "unsnappable", "unplaced")
"""Figures that no station and no speed changes."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Today and the scenarios side by side.

    ``table`` has the columns of compare.csv, ``changes`` those of changes.csv and ``stations`` those of stations.csv;
    ``figures`` are the columns of ``table`` that hold without another row: all but differences, ratios of these, and
    worst areas. ``refused`` says of a scenario without a plan, by its name, why it has none: no table has a row of it.
    """

    today: Coverage
    plans: tuple[Outcome, ...]
    baseline: str
    figures: pd.DataFrame
    table: pd.DataFrame
    changes: pd.DataFrame
    stations: pd.DataFrame
    refused: Mapping[str, LifecircleError]


def compare(study: Study, *, baseline: str = TODAY, time_limit_s: float | None = None) -> Comparison:
    """Answer all scenarios of a study and lay the answers side by side.

    Parameters
    ----------
    study
        As ``open_study`` returns it.
    baseline
        Name of the scenario that all others are measured against; today's stations by default.
    time_limit_s
        Seconds for the search of each scenario, as of ``site``.

    Returns
    -------
    Comparison
        Residents, metres, seconds; the sites of each scenario are those chosen at the stated speeds, which may be its
        own, and are walked to at all of `SPEEDS`.

    Warns
    -----
    DegradedWarning
        Of each finding of today's coverage, in the class of its rule.

    Raises
    ------
    UnknownNameError
        When the study has no scenario, or none named like the baseline.
    StudyError
        When a question cannot be meant, or a scenario has today's name.
    InfeasibleError, UnfinishedError
        When no scenario has a plan, or the baseline has none; other refusals are told in `Comparison.refused`.
    """
    refuse_incomparable(study, baseline)
    today = cover_today(study)
    warn_of(today.findings)
    sites = possible_sites(today)

    def answered(scenario: str) -> Outcome:
        return site_or_evaluate(study, scenario=scenario, today=today, sites=sites, time_limit_s=time_limit_s)

    plans, refused = each_answered(study, answered)
    return side_by_side(today, plans, baseline=baseline, refused=refused)


def refuse_incomparable(study: Study, baseline: str) -> None:
    """Refuse a study whose scenarios cannot be laid side by side, before anybody walks; raises as `compare` does."""
    scenarios, language = study.settings.scenarios, study.settings.language
    if not scenarios:
        message = Said("{}: the study has no [[scenario]] to answer; add one", study.path)
        raise UnknownNameError(message, language=language)
    if any(scenario.name == TODAY for scenario in scenarios):
        taken = "a scenario is named 'today', as today's stations are in a comparison; name it otherwise"
        raise StudyError(taken, language=language)
    if baseline != TODAY:
        find_scenario(study, baseline)
    refuse_senseless(study, scenarios)


def side_by_side(
    today: Coverage,
    plans: Iterable[Outcome],
    *,
    baseline: str = TODAY,
    refused: Mapping[str, LifecircleError] | None = None,
) -> Comparison:
    """Lay plans beside today.

    Parameters
    ----------
    today
        Today's coverage.
    plans
        What ``site`` answered and ``evaluate`` laid out, given this ``today``.
    baseline
        Name of the plan's scenario that all is measured against, or `TODAY`.
    refused
        By the name of each scenario that has no plan, why it has none.

    Raises
    ------
    StudyError
        When a plan was worked out from other inputs than ``today``.
    UnknownNameError
        When no plan is named like the baseline.
    InfeasibleError, UnfinishedError
        When the baseline is refused, or all scenarios are.
    """
    plans, study, refused = tuple(plans), today.study, refused or {}
    language = study.settings.language
    if baseline in refused:
        raise refused[baseline]
    if refused and not plans:
        raise none_answered(refused, language=language)
    for plan in plans:
        if plan.coverage.study.fingerprint != study.fingerprint:
            message = Said("'{}' was worked out from other inputs; work it out anew", plan.scenario.name)
            raise StudyError(message, language=language)
    states = {TODAY: today} | {plan.scenario.name: plan.coverage for plan in plans}
    if baseline not in states:
        raise UnknownNameError(Said("there is no scenario '{}' to compare with", baseline), language=language)
    tree = AreaTree.of(study.areas)
    home, n_groups = tree.rows(study.buildings["area_id"]), len(lots_by_group(study))
    money = {TODAY: np.zeros(len(tree.ids) + 1)} | {p.scenario.name: spent(p.sites, tree) for p in plans}
    straight_m = {name: straight_lines_m(study, coverage.stations) for name, coverage in states.items()}
    parts, changed = {}, []
    for speed in SPEEDS:
        before = Walked.of(states[baseline], speed=speed)
        for name, coverage in states.items():
            after = before if name == baseline else Walked.of(coverage, speed=speed)
            paid = np.full((len(tree.ids) + 1) * n_groups, np.nan)
            paid[::n_groups] = money[name]
            found = figures(after, tree, home, straight_m[name])
            found = found.assign(
                cost=paid, **moved(before, after, tree, home), **_served(plans, name, speed, len(found))
            )
            found.insert(0, "scenario", name)
            found.insert(1, "speed", speed)
            parts[name, speed] = found
            if speed == AS_STATED:
                changed.append(_changes(name, before, after, today))
    together = pd.concat([parts[name, speed] for name in states for speed in SPEEDS], ignore_index=True)
    return Comparison(
        today=today,
        plans=plans,
        baseline=baseline,
        figures=together,
        table=marked(beside(together, baseline, tree, study.settings.circles), today.synthetic),
        changes=marked(pd.concat(changed, ignore_index=True), today.synthetic),
        stations=station_loads(states, today),
        refused=refused,
    )


def beside(found: pd.DataFrame, baseline: str, tree: AreaTree, circles: Iterable[Circle]) -> pd.DataFrame:
    """Return figures with what follows from several rows of them.

    Parameters
    ----------
    found
        `Comparison.figures`.
    baseline
        Name of the scenario that all others are measured against.
    tree
        The study's areas.
    circles
        The study's.

    Returns
    -------
    DataFrame
        Also, in the last rows of all residents, ``worst_area_<circle>`` and ``worst_share_<circle>``: which of the
        areas that hold no others has the smallest share of its residents in the circle; ``change_<figure>``: the
        figure less that of the baseline at the same speed; ``cost_per_resident_<circle>``: more money for each resident
        more within the circle, NaN where either is none.
    """
    table = found.copy()
    everyone = table["group"] == "all"
    of_lowest, of_all = table[everyone & table["area_id"].isin(tree.lowest)], everyone & (table["area_id"] == TOTAL)
    for circle in circles:
        ranked = of_lowest.sort_values([f"share_{circle.name}", "area_id"], kind="stable")
        worst = ranked[ranked[f"share_{circle.name}"].notna()].drop_duplicates(["scenario", "speed"])
        at = table.loc[of_all, ["scenario", "speed"]].merge(worst, on=["scenario", "speed"], how="left")
        table[f"worst_area_{circle.name}"] = ""
        table.loc[of_all, f"worst_area_{circle.name}"] = at["area_id"].fillna("").to_numpy(dtype=object)
        table.loc[of_all, f"worst_share_{circle.name}"] = at[f"share_{circle.name}"].to_numpy()
    compared = [c for c in figure_columns(table) if not c.startswith(("won_", "lost_", "nearer", "farther", *SERVED))]
    n_states = table["scenario"].nunique()
    usual = table[table["scenario"] == baseline][compared].to_numpy(dtype=np.float64)
    more = table[compared].to_numpy(dtype=np.float64) - np.tile(usual, (n_states, 1))
    changes = pd.DataFrame(more, columns=[f"change_{c}" for c in compared], index=table.index)
    for circle in circles:
        won, spent = changes[f"change_within_{circle.name}"], changes["change_cost"]
        each = (spent / won).where((won >= NOBODY) & (spent > 0.0))
        table[f"cost_per_resident_{circle.name}"] = each
    return pd.concat([table, changes], axis=1)


def figure_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of figures that stations or speeds may change."""
    return [c for c in table if c not in (*KEYS, *ALWAYS_ALIKE) and pd.api.types.is_numeric_dtype(table[c])]


def hanging(table: pd.DataFrame, circles: Iterable[Circle]) -> pd.DataFrame:
    """Return the findings that hang on the walking speed.

    A finding is that a scenario has more residents within a circle than the baseline, or fewer, or as many; it hangs
    on the speed where that is not so at all of `SPEEDS`.

    Returns
    -------
    DataFrame
        A row for each: ``scenario``, ``circle``, ``area_id``, ``group``, and by each speed the residents more, less
        than 0 where there are fewer. Where one of these is not shown there is no row.
    """
    found = []
    for circle in circles:
        by_speed = table.set_index([*FINDING, "speed"])[f"change_within_{circle.name}"]
        stated = by_speed.xs(AS_STATED, level="speed")
        more = pd.DataFrame({speed: by_speed.xs(speed, level="speed").reindex(stated.index) for speed in SPEEDS})
        sign = np.sign(more.where(more.abs() >= NOBODY, 0.0))
        hangs = more.notna().all(axis=1) & (sign.max(axis=1) > sign.min(axis=1))
        found.append(more[hangs].reset_index().assign(circle=circle.name))
    return pd.concat(found, ignore_index=True)[["scenario", "circle", "area_id", "group", *SPEEDS]]


def spent(sites: pd.DataFrame, tree: AreaTree) -> FloatArray:
    """Return what the new sites cost in each area, and last everywhere; NaN where nobody says."""
    chosen = sites[sites["state"].isin(["chosen", OPENED])]
    cost = chosen["cost"].to_numpy(dtype=np.float64)
    by_area = sums_by_area(tree, tree.rows(chosen["area_id"]), cost)
    by_area[-1] = cost.sum()
    return by_area


def _served(plans: Sequence[Outcome], name: str, speed: float, n_rows: int) -> Mapping[str, FloatArray]:
    """Return whom stations have room for, today and with a plan, where any plan knows: in the row of all residents."""
    known = {p.scenario.name: p for p in plans if isinstance(p, Plan) and p.served is not None}
    columns = {column: np.full(n_rows, np.nan) for column in SERVED} if known else {}
    if name in known and speed == AS_STATED:
        of_all, plan = n_rows - len(lots_by_group(known[name].coverage.study)), known[name]
        for column, figure in zip(SERVED, (plan.served, plan.served_today), strict=True):
            columns[column][of_all] = np.nan if figure is None else figure
    return columns


def moved(before: Walked, after: Walked, tree: AreaTree, home: IntArray) -> Mapping[str, FloatArray]:
    """Return by area and group who comes into each circle and who leaves it, and whose walk is shorter or longer."""
    n, moves = len(home), {}
    for circle in after.study.settings.circles:
        then, now = before.within(circle), after.within(circle)
        moves[f"won_{circle.name}"], moves[f"lost_{circle.name}"] = now & ~then, then & ~now
    then_s, now_s = before.seconds, after.seconds
    moves["nearer"], moves["farther"] = now_s < then_s - TOLERANCE_S, now_s > then_s + TOLERANCE_S
    shown = lots_by_group(after.study)
    columns = {}
    for name, who in moves.items():
        held = who.reshape(-1, n)
        people = (
            np.sum([np.where(held[lot], after.demand.of(g), 0.0) for g, lot in lots], axis=0) for lots in shown.values()
        )
        columns[name] = np.stack([sums_by_area(tree, home, each) for each in people], axis=1).ravel()
    return columns


def _changes(scenario: str, before: Walked, after: Walked, today: Coverage) -> pd.DataFrame:
    """Return whose walk, station or circle a scenario changes: the homes inside the areas, each class by itself."""
    study, buildings = today.study, today.buildings
    inside, parts = (buildings["area_id"] != "").to_numpy(), []
    for then, now, walker in zip(
        before.reach.values(), after.reach.values(), study.settings.walking.classes, strict=True
    ):
        of = {"before": (before, then), "after": (after, now)}
        columns: dict[str, Sequence[object] | np.ndarray | pd.Series] = {
            "building_id": buildings["building_id"],
            "area_id": buildings["area_id"],
            "group": np.full(len(buildings), walker.name, dtype=object),
            "residents": buildings[f"residents_{walker.name}"],
        }
        for when, (walked, reach) in of.items():
            ids = np.append(walked.stations["station_id"].to_numpy(dtype=object), "")
            columns[f"station_id_{when}"] = ids[reach.walks.facility[:, 0]]
        for when, (_, reach) in of.items():
            columns[f"walk_s_{when}"] = np.where(reach.reached, reach.walks.seconds[:, 0], np.nan)
        for when, (_, reach) in of.items():
            columns[f"circle_{when}"] = smallest_circle(study.settings.circles, reach)
        frame = pd.DataFrame(columns)
        then_s, now_s = then.walks.seconds[:, 0], now.walks.seconds[:, 0]
        alike = np.isclose(then_s, now_s, rtol=0.0, atol=TOLERANCE_S)
        alike &= (frame["station_id_before"] == frame["station_id_after"]).to_numpy()
        alike &= (frame["circle_before"] == frame["circle_after"]).to_numpy()
        # A figure that is not shown is NaN, and stays: the homes that are listed must not tell which are empty.
        parts.append(frame[inside & ~alike & (frame["residents"] != 0.0).to_numpy()])
    found = pd.concat(parts, ignore_index=True)
    found.insert(0, "scenario", scenario)
    return found
