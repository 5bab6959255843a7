"""What several commands do, each step shown on the terminal while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lifecircle.said import Said

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from lifecircle.circles import Coverage
    from lifecircle.errors import Breach
    from lifecircle.ground import Ground
    from lifecircle.model import Study
    from lifecircle.scenarios import Outcome, Sites

PUBLISHED = "published"
"""Folder of `OUT` for such results, apart from the exact ones."""


def read(path: Path, *, strict: bool = False) -> Study:
    """Read a study and show what was found."""
    from lifecircle import terminal
    from lifecircle.readers.study_file import language_of
    from lifecircle.study import open_study

    with terminal.step("Reading the study", language=language_of(path)):
        study = open_study(path, strict=strict)
    tell(study, study.findings, strict=strict)
    return study


def results_folder(study: Study, out: Path | None, *, publish: bool) -> Path:
    """Return the folder for results."""
    folder = out or named_after(study.settings.name)
    return folder / PUBLISHED if publish else folder


def walk(study: Study, *, strict: bool = False, publish: bool = False) -> tuple[Coverage, Sites]:
    """Return today's coverage and the places where stations stand and could stand."""
    from lifecircle import terminal
    from lifecircle.circles import cover_today
    from lifecircle.publish import key_path, office_key, published
    from lifecircle.scenarios import possible_sites

    language = study.settings.language
    kept = key_path(Path(typer.get_app_dir("lifecircle")))
    is_new = publish and not kept.exists()
    with terminal.step("Walking the streets", language=language):
        today = cover_today(study)
        if publish:
            key = office_key(kept.parent)
            if is_new:  # before anything can stop the work: a key of which nobody was told is not kept
                terminal.show_key(kept, language=language)
            today = published(today, key)
        sites = possible_sites(today)
    tell(study, today.findings, strict=strict)
    if publish:
        terminal.show_private(PUBLISHED, language=language)
    return today, sites


def tell(study: Study, findings: Iterable[Breach], *, strict: bool) -> None:
    """Show what was found on the way, notes left to `check`; with ``strict`` warnings stop the work."""
    from lifecircle import terminal
    from lifecircle.study import refuse_warnings

    language = study.settings.language
    if strict:
        refuse_warnings(study.path, findings, language=language)
    terminal.show_findings([f for f in findings if f.severity != "note"], language=language)


def cover(study: Study, out: Path, *, strict: bool = False, publish: bool = False) -> tuple[Coverage, Sites]:
    """Write today's coverage into ``out`` and show it."""
    from lifecircle import terminal
    from lifecircle.field_check import field_check
    from lifecircle.reports import write_coverage

    language = study.settings.language
    today, sites = walk(study, strict=strict, publish=publish)
    to_check = None
    if not publish:  # single homes and how many live there are nothing to publish
        with terminal.step("Looking for what to check in the field", language=language):
            to_check = field_check(today)
    with terminal.step("Writing today's tables and map", language=language):
        page = write_coverage(out / "today", today, _unserved(today, sites), to_check=to_check)
    terminal.show_coverage(today)
    terminal.show_written(page.parent, page, language=language)
    return today, sites


def _unserved(coverage: Coverage, sites: Sites) -> pd.DataFrame:
    from lifecircle.publish import unserved_shown
    from lifecircle.scenarios import unserved_areas

    found = unserved_areas(coverage, sites)
    return unserved_shown(found) if coverage.demand.rounded else found


def answer(
    name: str,
    today: Coverage,
    sites: Sites,
    out: Path,
    *,
    time_limit_s: float | None = None,
    why: Iterable[str] = (),
) -> None:
    """Answer a scenario, write the plan into ``out`` and show it, and why some places are in it or not."""
    from lifecircle import change_summary, plan_summary, terminal
    from lifecircle.model import folder_name
    from lifecircle.reports import write_plan
    from lifecircle.scenarios import Plan
    from lifecircle.scenarios import why as why_of

    language = today.study.settings.language
    plan = _plan(name, today=today, sites=sites, time_limit_s=time_limit_s)
    folder = out / "scenarios" / folder_name(name)
    with terminal.step("Writing its tables and map", language=language):
        page = write_plan(folder, plan, today, _unserved(plan.coverage, plan.possible))
    change_summary.show_outcome(plan, today, time_limit_s=time_limit_s)
    if isinstance(plan, Plan):
        for place in why:
            plan_summary.show_why(why_of(plan, place), plan)
    terminal.show_written(page.parent, page, language=language)


def _plan(name: str, *, today: Coverage, sites: Sites, time_limit_s: float | None) -> Outcome:
    """Answer a scenario; given a published ``today``, with what may be published."""
    from lifecircle import terminal
    from lifecircle.publish import published_plan
    from lifecircle.scenarios import site_or_evaluate

    with terminal.search(Said("Siting {}", name), language=today.study.settings.language) as report:
        plan = site_or_evaluate(
            today.study, scenario=name, today=today, sites=sites, time_limit_s=time_limit_s, report=report
        )
        return published_plan(plan, today) if today.demand.rounded else plan


def compare(today: Coverage, sites: Sites, out: Path, *, baseline: str, time_limit_s: float | None = None) -> None:
    """Answer all scenarios, write them side by side into ``out`` and show them."""
    from lifecircle import compare_summary, terminal
    from lifecircle.publish import published_comparison, published_stages
    from lifecircle.reports import write_comparison
    from lifecircle.scenarios import each_answered, side_by_side, stages_of

    settings = today.study.settings
    plans, refused = each_answered(today.study, partial(_plan, today=today, sites=sites, time_limit_s=time_limit_s))
    with terminal.step("Walking slower and faster", language=settings.language):
        comparison = side_by_side(today, plans, baseline=baseline, refused=refused)
        if today.demand.rounded:
            comparison = published_comparison(comparison)
        stages = stages_of(comparison)
        if today.demand.rounded:
            stages = published_stages(stages, comparison)
    with terminal.step("Writing the comparison", language=settings.language):
        page = write_comparison(out / "compare", comparison, stages=stages)
    compare_summary.show_comparison(comparison)
    terminal.show_written(page.parent, page, language=settings.language)


def what_if(today: Coverage, sites: Sites, *, add: Iterable[str], drop: Iterable[str], move: Mapping[str, str]) -> None:
    """Show what a change of stations does to the city."""
    from lifecircle import change_summary, terminal
    from lifecircle.scenarios import Situation, closed_between

    with terminal.step("Changing the stations", language=today.study.settings.language):
        before = Situation.of(today, sites)
        after = before.after(add=add, drop=drop, move=move)
        closed = closed_between(before, after)
    change_summary.show_change(before, after, closed)


def assign(
    study: Study,
    requests: Path,
    ground: Ground,
    out: Path,
    *,
    datum: str = "",
    crs: str = "",
    strict: bool = False,
    optimal: bool = False,
) -> None:
    """Assign the requests of a file, write where they go into ``out`` and show it."""
    from lifecircle import terminal
    from lifecircle.dispatch import assign as assign_requests
    from lifecircle.maps import requests_page
    from lifecircle.readers.requests import unusable
    from lifecircle.reports import write_assigned

    language = study.settings.language
    with terminal.step("Assigning requests", language=language):
        asked, findings = requests_of(requests, study, datum=datum, crs=crs)
        if asked is None:
            raise unusable(requests, findings, language=language)
        tell(study, findings, strict=strict)
        assigned = in_turn = assign_requests(study, asked, ground=ground)
        if optimal:
            assigned = assign_requests(study, asked, ground=ground, optimal=True)
    with terminal.step("Writing where they go, and its map", language=language):
        page = requests_page(study, asked, assigned, ground=ground)
        path = write_assigned(out / "assigned", assigned, page=page, crs=study.crs.name)
    terminal.show_assigned(assigned, language=language)
    if optimal:
        terminal.show_less_walking(assigned, in_turn, language=language)
    terminal.show_written(path.parent, path, language=language)


def requests_of(path: Path, study: Study | None, *, datum: str, crs: str) -> tuple[GeoDataFrame | None, list[Breach]]:
    """Return the requests of a file, None where it cannot be used, and what is wrong with them."""
    from lifecircle.dispatch.requests import check_order, check_times
    from lifecircle.dispatch.roster import calendar_of
    from lifecircle.readers.requests import check_requests, in_metres
    from lifecircle.readers.shifts import check_datum_of

    asked, findings = check_requests(path, datum=datum, crs=crs)
    if asked is None or study is None:
        return asked, findings
    placed, far = in_metres(asked, study.crs)
    shifted = check_datum_of(placed, study.buildings, datum=datum or ("wgs84" if crs else ""))
    usable = None if any(b.severity == "error" for b in shifted) else placed
    about = [*check_order(asked, study.settings.dispatch.urgency), *check_times(asked, calendar_of(study))]
    return usable, [*findings, *far, *shifted, *about]


def named_after(study: str) -> Path:
    """Return the folder in which the results of a study of this name lie by default."""
    from lifecircle.model import folder_name

    return Path(folder_name(study))
