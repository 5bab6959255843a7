"""What may leave the office: residents rounded home by home at random, and small figures not shown.

Every home's count goes up or down to a multiple of `STEP`, by a draw that only the office's key decides, so that the
mean of all draws is the count itself. Whatever is published is then worked out from the rounded homes by the code that
works it out from the exact ones: no sum, share, plan or difference of tables can tell more than they do. Why so stands
in decision 0016.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.circles import Coverage, with_residents
from lifecircle.demand import Demand, groups
from lifecircle.errors import Breach, LifecircleError, OutputError
from lifecircle.mark import MARK, Table, marked
from lifecircle.model import BoolArray, FloatArray, Study
from lifecircle.scenarios import Comparison, Outcome, Plan, Stage
from lifecircle.scenarios.comparison import beside
from lifecircle.scenarios.stages import table_of
from lifecircle.siting import SitingPlan

STEP = 5
"""Counts are rounded to multiples of this; a home of fewer residents, or fewer of a group, is not shown."""

LEAST = 25
"""Smallest sum that is shown: four homes of one resident each may be rounded up to 20 together."""

KEY_FILE = "publish.key"
NOT_SHOWN = "not_shown"
"""Column of published tables that names the figures of the row that are left out because they are small."""

_KEY_LENGTH = 16
_EXACT = 6
"""Decimals of a count beyond which it is the error of a sum."""

_SUMS = (
    *("residents", "beyond", "unreachable", "unsnappable", "unplaced", "walk_n"),
    *("gain", "loss", "next_best_loss", "load", "load_max", "best_candidate_residents"),
    *("farther", "farther_n", "nearer"),
)
_SUMS_BY_CIRCLE = ("within_", "radius_", "reached_", "only_here_", "lost_", "won_")

_MADE_FROM = {
    "residents_per_station": "residents",
    "walk_p90_m": "residents",
    "walk_p50_s": "residents",
    "walk_p90_s": "residents",
    "walk_mean_m": "walk_n",
    "walk_mean_s": "walk_n",
    "walk_gini": "walk_n",
    "nearest_minutes": "residents",
    "farther_mean_s": "farther_n",
}
"""Figures that are shown where the sum is that they are made from; shares where the sum within their circle is."""

_OF_ONE_HOME = {"farther_max_s": "farther"}
"""Figures of a single home, never shown, each with the sum beside it."""

_HOMES = "buildings"
"""Counts of inhabited buildings are never shown: they would tell an empty home from one of few."""


def key_path(folder: Path) -> Path:
    """Return where the key lies in the folder of settings."""
    return folder / KEY_FILE


def office_key(folder: Path) -> str:
    """Return the key in ``folder``, made at the first use.

    Whoever has it and a published table can undo part of the rounding; with another key the same figures are rounded
    otherwise.

    Raises
    ------
    OutputError
        When there is no usable key and none can be written.
    """
    path = key_path(folder)
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(_KEY_LENGTH * 3 // 4) + "\n", encoding="ascii")
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"cannot read or write the key for publishing, {path}: {error}") from error
    if len(key) != _KEY_LENGTH:
        raise OutputError(f"{path} is no key for publishing: move it away, and a new one is made")
    return key


def draws(key: str, names: Iterable[str]) -> FloatArray:
    """Return for each name a number in [0, 1) that nobody can tell without the key (SipHash, 16 characters of key)."""
    names = np.array(list(names), dtype=object)
    hashed = pd.util.hash_array(names, hash_key=key, categorize=False)
    return np.asarray(hashed >> np.uint64(11), dtype=np.float64) * 2.0**-53


def published(exact: Coverage, key: str) -> Coverage:
    """Return a coverage whose every figure may be published.

    Parameters
    ----------
    exact
        Today's coverage, as `lifecircle.circles.cover` returns it.
    key
        16 characters, as `office_key` returns them.

    Returns
    -------
    Coverage
        The same walks with rounded residents, in ``study`` and ``demand`` too: nothing exact is left in it. Figures
        that are too small are NaN, and ``not_shown`` names them. Sites worked out from it are worked out from the
        rounded residents.
    """
    study = exact.study
    homes, shown = _rounded(study, exact.demand.residents, "home " + study.buildings["building_id"], key)
    lost = exact.demand.unplaced.groupby("area_id", as_index=False).sum()
    unplaced, _ = _rounded(study, lost.drop(columns="area_id"), "area " + lost["area_id"], key)
    demand = Demand(homes, unplaced.assign(area_id=lost["area_id"]), exact.demand.estimated, rounded=True)
    told = homes.where(shown)
    residents = homes.assign(by="building", target_id=study.buildings["building_id"])
    anonymous = replace(study, residents=residents[["by", "target_id", *homes]], fingerprint="", findings=())
    return _shown(with_residents(exact, anonymous, demand), told)


def published_plan(plan: Outcome, today: Coverage) -> Outcome:
    """Return a plan made from the published ``today`` without the figures that are too small, NaN."""
    told = today.buildings[today.demand.residents.columns]
    plan = replace(plan, sites=without_small(plan.sites), coverage=_shown(plan.coverage, told))
    return _measured(plan) if isinstance(plan, Plan) else plan


def _measured(plan: Plan) -> Plan:
    """Return a plan whose own figures are not too small, nor what lies between those served today and with it."""
    served, today = plan.served, plan.served_today
    return replace(
        plan,
        reached=_or_nan(plan.reached),
        reachable=_or_nan(plan.reachable),
        served=None if served is None else _or_nan(served),
        served_today=None if served is None or today is None else _beside(served, today),
        by_case={name: _or_nan(value) for name, value in plan.by_case.items()},
        solution=_solution_shown(plan.solution),
    )


def _solution_shown(solution: SitingPlan) -> SitingPlan:
    """Return a solution without small figures; where the gain on today is one, today is not shown beside the value."""
    solution = replace(
        solution,
        gain=_or_nans(solution.gain),
        reached=_or_nans(solution.reached),
        only_here=_or_nans(solution.only_here),
        loss=_or_nans(solution.loss),
        next_best_loss=_or_nans(solution.next_best_loss),
        by_year=_or_nans(solution.by_year),
        year_bounds=_or_nans(solution.year_bounds),
    )
    if solution.today is None:  # value and bound count stations
        return solution
    value, bound = _or_nan(solution.value), _or_nan(solution.bound)
    today = _beside(solution.value, solution.today)
    return replace(
        solution,
        value=value,
        bound=bound,
        today=today,
        gap=math.nan if math.isnan(value + bound) else solution.gap,
        gap_gain=math.nan if math.isnan(value + bound + today) else solution.gap_gain,
    )


def _or_nan(residents: float) -> float:
    """Return a sum of rounded residents, NaN where it is too small."""
    return residents if residents >= LEAST else math.nan


def _beside(value: float, today: float) -> float:
    """Return today's sum, NaN where it or what ``value`` has more is too small."""
    return _or_nan(today) if value - today >= LEAST else math.nan


def _or_nans(residents: FloatArray) -> FloatArray:
    return np.where(residents >= LEAST, residents, np.nan)


def unserved_shown(table: Table) -> Table:
    """Return unserved areas without those that are too small: the middle of one would point at the home."""
    told = without_small(table)
    return told[told["residents"].notna()].reset_index(drop=True)


def without_small(table: Table) -> Table:
    """Return a table of sums of rounded residents; those below `LEAST` are NaN, and a column names them."""
    return _without(table, _small(table))


def reasons_told(error: LifecircleError, *, rounded: bool) -> list[Breach]:
    """Return why a scenario has no plan as far as it may be told: of what is rounded, no homes and no figures."""
    return [] if rounded else [*error.breaches]


def published_comparison(comparison: Comparison) -> Comparison:
    """Return a comparison of published plans without the figures that are too small, changes too, NaN.

    What follows from several figures is worked out from those that are shown.
    """
    study, found = comparison.today.study, comparison.figures
    small = _small(found)
    shown = _without(found, small).drop(columns=NOT_SHOWN)
    table = beside(shown, comparison.baseline, AreaTree.of(study.areas), study.settings.circles)
    small |= _small_changes(table, study)
    return replace(
        comparison,
        figures=shown,
        table=_without(marked(table, comparison.today.synthetic), small),
        stations=without_small(comparison.stations),
        changes=_without(comparison.changes, {"residents": comparison.changes["residents"].isna().to_numpy()}),
    )


def published_stages(stages: Iterable[Stage], comparison: Comparison) -> tuple[Stage, ...]:
    """Return the stages of a comparison of published plans without the figures that are too small, NaN.

    ``comparison`` is what `published_comparison` returned.
    """
    return tuple(_stage_shown(stage, comparison) for stage in stages)


def _stage_shown(stage: Stage, comparison: Comparison) -> Stage:
    small = _small(stage.figures)
    shown = _without(stage.figures, small).drop(columns=NOT_SHOWN)
    table = table_of(shown, comparison)
    small |= _small_changes(table, comparison.today.study)
    stations = without_small(stage.walked.stations.drop(columns=NOT_SHOWN, errors="ignore"))
    walked = replace(stage.walked, stations=stations)
    return replace(stage, walked=walked, figures=shown, table=_without(table, small))


def _small_changes(table: pd.DataFrame, study: Study) -> dict[str, BoolArray]:
    """Return which changes in a table are too small, and which prices of a resident are made from one that is."""
    changes = table.filter(regex="^change_").rename(columns=lambda name: name.removeprefix("change_"))
    small = {f"change_{name}": gone for name, gone in _small(changes.abs()).items() if name not in _MADE_FROM}
    prices = {f"cost_per_resident_{c.name}": small[f"change_within_{c.name}"] for c in study.settings.circles}
    return small | prices


def _small(table: pd.DataFrame) -> dict[str, BoolArray]:
    """Return which figures of a table are too small, or are made from one that is, by its columns in their order."""
    sums = [c for c in table if c in _SUMS or c.startswith(_SUMS_BY_CIRCLE)]
    small = {c: (table[c] < LEAST).to_numpy() for c in sums}
    small |= {c: small[of] for c, of in _MADE_FROM.items() if c in table and of in small}
    small |= {c: table[of].notna().to_numpy() for c, of in _OF_ONE_HOME.items() if c in table}
    small |= {c: small[f"within_{c.removeprefix('share_')}"] for c in table if c.startswith("share_")}
    small |= {_HOMES: np.ones(len(table), dtype=bool)} if _HOMES in table else {}
    return {c: small[c] for c in table if c in small}


def _shown(coverage: Coverage, homes: pd.DataFrame) -> Coverage:
    """Return a coverage of rounded residents with what is shown of them; ``homes`` is that of the buildings."""
    hidden = {c: homes[c].isna().to_numpy() for c in homes}
    return replace(
        coverage,
        buildings=_without(coverage.buildings, hidden),
        table=without_small(coverage.table),
        stations=without_small(coverage.stations),
    )


def _without(table: Table, hidden: Mapping[str, BoolArray]) -> Table:
    """Return a table without some figures, which its last column names, but for the mark."""
    left = table.assign(**{c: table[c].astype("float64").mask(gone) for c, gone in hidden.items()})
    named = np.full(len(table), "", dtype=object)
    for column, gone in hidden.items():
        named = named + np.where(gone, f"{column} ", "").astype(object)
    left.insert(len(left.columns) - (MARK in left), NOT_SHOWN, pd.Series(named, index=left.index).str.strip())
    return left


def _rounded(study: Study, counts: pd.DataFrame, names: pd.Series, key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts rounded, and which of them are shown.

    Each speed class has a draw of its own in each home, and the residents are the sum of the classes. What a home
    counts by attributes shares the draw of the reference class, so that a part is never rounded to more than the whole.
    """
    classes, attributes = groups(study)
    exact = counts.round(_EXACT)
    reference = f"residents_{classes[0].name}"
    own = [f"residents_{c.name}" for c in classes[1:]]
    draw = draws(key, names)
    rounded, shown = {}, {}
    for column in (reference, *own, *(f"residents_{a}" for a in attributes)):
        drawn = draws(key, column + " " + names) if column in own else draw
        rounded[column] = STEP * np.floor(exact[column].to_numpy(dtype=np.float64) / STEP + drawn)
        shown[column] = exact[column].to_numpy() >= STEP
    of_classes = [reference, *own]
    rounded["residents"] = np.sum([rounded[c] for c in of_classes], axis=0)
    shown["residents"] = np.any([shown[c] for c in of_classes], axis=0)
    columns = list(counts.columns)
    return pd.DataFrame(rounded, index=counts.index)[columns], pd.DataFrame(shown, index=counts.index)[columns]
