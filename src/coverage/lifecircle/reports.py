"""Results onto disk: tables, layers and pages, whole folders or nothing. Nothing is computed here.

A folder is written beside its place and renamed into it when it is complete, so that a reader never meets half of one.
The same results give the same bytes; what differs from run to run stands in run.json alone.
"""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio

from lifecircle.check_table import findings_table
from lifecircle.circles import Coverage
from lifecircle.errors import SEVERITIES, Breach, LifecircleError, OutputError
from lifecircle.gdal import WRITTEN, stopped_clock
from lifecircle.maps import STYLES, check_page, comparison_page, coverage_page, layer_styles
from lifecircle.maps.report import comparison_report
from lifecircle.mark import BOTH, MARK, Table, marked
from lifecircle.model import Settings
from lifecircle.publish import NOT_SHOWN, reasons_told
from lifecircle.rules import done_with
from lifecircle.scenarios import FARTHER, OPENED, Comparison, Outcome, Plan, Stage, money_of, unit_of
from lifecircle.scenarios.comparison import SPEEDS
from lifecircle.sheets import write_csv
from lifecircle.siting import SitingPlan
from lifecircle.study import Checked

MAP = "map.html"
COMPARED = "compare.html"
RUN = "run.json"
"""In every folder of results, and so the mark of one."""

BUILDING_COLUMNS = (
    *("building_id", "area_id", "lon", "lat"),
    "residents*",
    *("station_id", "walk_m", "walk_s", "access_m", "egress_m", "circle", "status", "leg_blocked", "edge"),
)


def write_coverage(
    folder: Path, coverage: Coverage, unserved: pd.DataFrame, *, to_check: pd.DataFrame | None = None
) -> Path:
    """Write today's coverage into ``folder``, and what ``to_check`` in the field, and return the map's path.

    Raises
    ------
    OutputError
        When the folder cannot be written; what stood there before stands there still.
    """
    with whole_folder(
        folder, synthetic=coverage.synthetic, crs=coverage.study.crs.name, basis=_basis(coverage)
    ) as draft:
        if to_check is not None:
            write_csv(draft / "field_check.csv", _based(to_check, coverage))
        page = coverage_page(coverage, unserved=unserved)
        _write_results(draft, coverage, unserved, page)
    return folder / MAP


def write_plan(folder: Path, plan: Outcome, today: Coverage, unserved: pd.DataFrame) -> Path:
    """Write a plan and the coverage with its sites opened into ``folder`` and return the path of its map beside today.

    Raises
    ------
    OutputError
        When the folder cannot be written; what stood there before stands there still.
    """
    with whole_folder(folder, synthetic=today.synthetic, crs=today.study.crs.name, basis=_basis(today)) as draft:
        write_csv(draft / "sites.csv", _based(plan.sites, today))
        _write_json(draft / "plan.json", plan_record(plan))
        page = coverage_page(today, plan=plan, unserved=unserved)
        _write_results(draft, plan.coverage, unserved, page)
    return folder / MAP


def write_comparison(folder: Path, comparison: Comparison, *, stages: Sequence[Stage] = ()) -> Path:
    """Write scenarios side by side into ``folder`` and return the path of their page; raises as `write_plan` does.

    ``stages`` are the years of the plans, as `lifecircle.scenarios.stages_of` returns them, which the page shows too.
    """
    today = comparison.today
    with whole_folder(folder, synthetic=today.synthetic, crs=today.study.crs.name, basis=_basis(today)) as draft:
        write_csv(draft / "compare.csv", _based(comparison.table, today))
        write_csv(draft / "changes.csv", _based(comparison.changes, today))
        write_csv(draft / "stations.csv", _based(comparison.stations, today))
        _write_json(draft / "compare.json", comparison_record(comparison))
        (draft / COMPARED).write_text(comparison_page(comparison, stages=stages), encoding="utf-8")
        (draft / "report.pdf").write_bytes(comparison_report(comparison))
        _write_notes(draft / "NOTES.txt", today)
    return folder / COMPARED


def comparison_record(comparison: Comparison) -> dict[str, object]:
    """Return compare.json: what was compared, at which speeds, with which settings, and the inputs' fingerprint."""
    today = comparison.today
    told: tuple[str, ...] = ("scenario", "question", "value", "bound", "gap", "status", "opened", "sites", "closed")
    told += ("residents_served", "residents_served_today")
    records = [plan_record(plan) for plan in comparison.plans]
    return {
        "baseline": comparison.baseline,
        "speeds": list(SPEEDS),
        "scenarios": [{name: record[name] for name in told if name in record} for record in records],
        "refused": [_refused(name, error, rounded=today.demand.rounded) for name, error in comparison.refused.items()],
        "residents_basis": _basis(today),
        MARK: today.synthetic,
        "settings": settings_record(today.study.settings),
        "fingerprint": today.study.fingerprint,
    }


def _refused(scenario: str, error: LifecircleError, *, rounded: bool) -> dict[str, object]:
    """Return why a scenario has no plan; where residents are rounded without the homes that it hangs on, or figures."""
    reasons = [
        {"rule": b.rule, "message": str(b.message), "ids": list(b.ids), "count": b.count}
        for b in reasons_told(error, rounded=rounded)
    ]
    return {
        "scenario": scenario,
        "message": str(error.message),
        "rules": list(dict.fromkeys(b.rule for b in error.breaches)),
        "reasons": reasons,
    }


def _write_results(draft: Path, coverage: Coverage, unserved: pd.DataFrame, page: str) -> None:
    write_csv(draft / "coverage.csv", _based(coverage.table, coverage))
    buildings = pd.DataFrame(coverage.buildings.drop(columns="geometry"))
    _based(buildings[_ordered(buildings.columns)], coverage).to_parquet(draft / "buildings.parquet", index=False)
    write_csv(draft / "unserved.csv", _based(unserved, coverage))
    _write_layers(draft / "service_areas.gpkg", coverage)
    (draft / MAP).write_text(page, encoding="utf-8")
    _write_notes(draft / "NOTES.txt", coverage)


def _based(table: pd.DataFrame, coverage: Coverage) -> pd.DataFrame:
    """Return a table with what every table of a coverage has to say of its figures."""
    return _told(table, "residents_basis", _basis(coverage))


def _told(table: Table, column: str, said: str) -> Table:
    """Return a table with a column that says the same of every row, before the mark."""
    told = table.copy()
    told.insert(len(table.columns) - (MARK in table), column, said)
    return told


def _basis(coverage: Coverage) -> str:
    """Return whether the residents are stated or an estimate, and whether they are rounded, in words of the tables."""
    known = "estimate" if coverage.demand.estimated else "stated"
    return f"{known}, rounded" if coverage.demand.rounded else known


def write_assigned(folder: Path, assigned: pd.DataFrame, *, page: str, crs: str) -> Path:
    """Write assigned.csv and its ``page`` into ``folder`` and return the page's path; ``crs`` is what was walked in."""
    with whole_folder(folder, synthetic=MARK in assigned, crs=crs) as draft:
        write_csv(draft / "assigned.csv", assigned)
        (draft / MAP).write_text(page, encoding="utf-8")
    return folder / MAP


def write_check(folder: Path, checked: Checked, findings: Sequence[Breach], *, synthetic: bool) -> Path:
    """Write check.json, check.csv and check.html into ``folder`` and return the page's path.

    ``findings`` are those of the check and what laying the study on its streets found.
    """
    crs = checked.study.crs.name if checked.study is not None else None
    with whole_folder(folder, synthetic=synthetic, crs=crs) as draft:
        severities = [f.severity for f in findings]
        counts: dict[str, int] = {severity: severities.count(severity) for severity in SEVERITIES}
        findings = [f if f.file else replace(f, file=checked.files.get(f.layer, "")) for f in findings]
        told = [dict(asdict(f), done=done_with(f)) for f in findings]
        record: dict[str, object] = {"study": checked.name, MARK: synthetic, "crs": crs, **counts, "findings": told}
        _write_json(draft / "check.json", record)
        write_csv(draft / "check.csv", marked(findings_table(findings, language=checked.language), synthetic))
        (draft / "check.html").write_text(check_page(checked, findings, synthetic=synthetic), encoding="utf-8")
    return folder / "check.html"


def plan_record(plan: Outcome) -> dict[str, object]:
    """Return plan.json: what is asked and stated, how good the answer is, its sites, settings and inputs."""
    opened, closed = (plan.sites[plan.sites["state"] == state] for state in (OPENED, "closed"))
    return {
        "scenario": plan.scenario.name,
        "question": plan.scenario.stated,
        **({"opened": opened["site_id"].tolist()} if plan.scenario.opened else {}),
        **(_found(plan) if isinstance(plan, Plan) else {}),
        "closed": closed["site_id"].tolist(),
        **({"closings": [_closing(row) for row in closed.to_dict("records")]} if len(closed) else {}),
        "residents_basis": _basis(plan.coverage),
        MARK: plan.coverage.synthetic,
        "notes": [asdict(note) for note in plan.coverage.notes],
        "attribution": list(plan.coverage.study.attribution),
        "settings": settings_record(plan.coverage.study.settings),
        "fingerprint": plan.coverage.study.fingerprint,
    }


def _found(plan: Plan) -> dict[str, object]:
    """Return what a search found: the value and its bound, the chosen sites and why they are chosen."""
    solution, chosen = plan.solution, plan.sites[plan.sites["state"] == "chosen"]
    money = money_of(plan)
    figures: dict[str, float | None] = {
        "value": solution.value,
        "bound": solution.bound,
        "today": solution.today,
        "residents_reached": plan.reached,
        "residents_reachable": plan.reachable,
        **({} if plan.served is None else {"residents_served": plan.served}),
        **({} if plan.served_today is None else {"residents_served_today": plan.served_today}),
        "gap": solution.gap,
        "gap_gain": solution.gap_gain,
    }
    cases = {f"cases.{name}": value for name, value in plan.by_case.items()}
    hidden = [name for name, figure in (figures | cases).items() if figure is not None and math.isnan(figure)]
    return {
        "unit": str(unit_of(solution.question)),
        **{name: _or_none(figure) for name, figure in figures.items()},
        **({NOT_SHOWN: hidden} if plan.coverage.demand.rounded else {}),
        "status": solution.status,
        "ended": solution.ended,
        "sites": chosen["site_id"].tolist(),
        "reasons": [_reasons(row, plan.scenario.circle) for row in chosen.to_dict("records")],
        **({"cases": {name: _or_none(value) for name, value in plan.by_case.items()}} if plan.by_case else {}),
        **({} if money is None else {"money": asdict(money)}),
        **({"years": _years(solution)} if plan.scenario.years else {}),
        "candidates": {"from": plan.source, "count": int((plan.posed.frame["state"] == "candidate").sum())},
        **({"lacking": list(plan.lacking)} if plan.scenario.at_least else {}),
    }


def _reasons(row: Mapping[Hashable, Any], circle: str) -> dict[str, object]:
    """Return what a chosen site is good for."""
    columns = {
        "gain": "gain",
        "reached": f"reached_{circle}",
        "only_here": f"only_here_{circle}",
        "loss": "loss",
        "next_best_loss": "next_best_loss",
    }
    told = _figures(row, columns)
    return {"site": row["site_id"], "order": int(row["order"]), **told, "next_best": row["next_best"] or None}


def _closing(row: Mapping[Hashable, Any]) -> dict[str, object]:
    """Return whom a station that closes hurts, in the columns of sites.csv."""
    named = [str(column) for column in row if str(column).startswith("lost_") or column in FARTHER]
    return {"site": row["site_id"], **_figures(row, {name: name for name in named})}


def _figures(row: Mapping[Hashable, Any], columns: Mapping[str, str]) -> dict[str, object]:
    """Return figures of a row of sites.csv by their names here, None where there is none, and which are not shown."""
    told: dict[str, object] = {name: _or_none(row[column]) for name, column in columns.items()}
    if NOT_SHOWN in row:
        hidden = f" {row[NOT_SHOWN]} "
        told[NOT_SHOWN] = [name for name, column in columns.items() if f" {column} " in hidden]
    return told


def _or_none(figure: float | None) -> float | None:
    """Return a figure, None where it is not shown or there is none, as the gap to a bound of 0."""
    return None if figure is None or not math.isfinite(figure) else float(figure)


def _years(solution: SitingPlan) -> list[dict[str, float | None]]:
    """Return what each year adds to the value, and what no plan can better in it."""
    pairs = zip(solution.by_year.tolist(), solution.year_bounds.tolist(), strict=True)
    return [{"value": _or_none(value), "bound": _or_none(bound)} for value, bound in pairs]


def settings_record(settings: Settings) -> dict[str, object]:
    """Return the settings that results depend on, in the study file's words."""
    record = asdict(settings)
    return {name: record[name] for name in ("name", "walking", "eligible", "circles")}


def run_record(
    seconds: float, *, synthetic: bool, crs: str | None = None, basis: str | None = None
) -> dict[str, object]:
    """Return what differs from run to run: the clock, the versions and the machine; and what is the same in all.

    That is whether the data is made up, the coordinate system that was worked in, and how the residents are known and
    whether they are rounded, None for none.
    """
    packages = ("lifecircle", "geopandas", "shapely", "numpy", "numba", "highspy", "scikit-learn", "osmium", "folium")
    return {
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seconds_writing": round(seconds, 3),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in packages},
        MARK: synthetic,
        "crs": crs,
        "residents_basis": basis,
    }


@contextmanager
def whole_folder(folder: Path, *, synthetic: bool, crs: str | None = None, basis: str | None = None) -> Iterator[Path]:
    """Give a draft folder; when the block ends well it gets its run.json and takes ``folder``'s place, else it is gone.

    ``synthetic`` says whether what is to be written comes of made-up data, ``crs`` in what system it was worked out,
    ``basis`` how the residents are known.

    Raises
    ------
    OutputError
        When the place cannot be written.
    """
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        foreign = folder.exists() and not (folder / RUN).is_file() and any(folder.iterdir())
        draft = None if foreign else Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}") from error
    if draft is None:
        raise OutputError(f"{folder} holds files that are no results of ours; name another folder with --out")
    started_s = time.perf_counter()
    try:
        yield draft
        seconds = time.perf_counter() - started_s
        _write_json(draft / RUN, run_record(seconds, synthetic=synthetic, crs=crs, basis=basis))
        draft.chmod(0o755)
        _exchange(draft, folder)
    except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.FeatureError) as error:
        raise OutputError(f"cannot write to {folder}: {getattr(error, 'strerror', None) or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _exchange(draft: Path, folder: Path) -> None:
    """Put ``draft`` in the place of ``folder``; what stood there comes back when that fails."""
    before = draft.with_suffix(".before")
    if folder.exists():
        folder.rename(before)
    try:
        draft.rename(folder)
    except OSError:
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _ordered(columns: pd.Index) -> list[str]:
    """Return the columns of buildings.parquet as documented, those of further classes and circles last."""
    residents = [c for c in columns if c.startswith("residents")]
    named = [c for name in BUILDING_COLUMNS for c in (residents if name == "residents*" else [name])]
    return named + [c for c in columns if c not in named]


def _write_layers(path: Path, coverage: Coverage) -> None:
    """Write service areas, reached streets and stations in WGS 84, each row with its attribution, and their styles."""
    attribution = "; ".join(coverage.study.attribution)
    layers = {**coverage.drawings, "stations": coverage.stations}
    with stopped_clock():
        for name, layer in layers.items():
            degrees = _told(layer.to_crs(4326), "attribution", attribution)
            crossed = ~degrees.is_valid.to_numpy()  # the last bit of a degree can lay a thin ring across itself
            degrees.loc[crossed, "geometry"] = degrees.geometry[crossed].make_valid(
                method="structure", keep_collapsed=False
            )
            degrees.to_file(path, layer=name, driver="GPKG")
        styles = marked(layer_styles(coverage.study.settings.circles, written=WRITTEN), coverage.synthetic)
        pyogrio.write_dataframe(styles, path, layer=STYLES, driver="GPKG", append=True, layer_options={"FID": "id"})


def _write_notes(path: Path, coverage: Coverage) -> None:
    study = coverage.study
    lines = [study.settings.name, *([BOTH] if coverage.synthetic else []), *study.attribution]
    lines += [text for note in coverage.notes for text in (note.en, note.zh)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_json(path: Path, record: object) -> None:
    text = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"no JSON form of {type(value).__name__}")
