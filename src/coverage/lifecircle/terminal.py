"""What the commands show: steps with their seconds, findings, short tables. Text from data is never markup here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lifecircle.circles import Coverage
from lifecircle.errors import SEVERITIES, Breach, printable
from lifecircle.mark import BOTH, MARK
from lifecircle.scenarios import Plan
from lifecircle.schema import TOTAL

ROUNDING = 1e-9
"""A share this much less than all is all: sums of fractions of residents are rounded."""

STATUSES = ("beyond", "unreachable", "unsnappable", "unplaced")
"""Columns of residents outside every circle; one that holds nobody is not shown."""

MARKED = "bold yellow"
STYLES = {"error": "red", "warning": "cyan", "repair": "yellow", "note": "dim"}

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show that something is under way and, when it is done, how long it took."""
    started_s = time.perf_counter()
    with _err.status(_plain(what)):
        yield
    _err.print(f"{_plain(what)}: {time.perf_counter() - started_s:.1f} s", style="dim")


def show_error(error: Exception) -> None:
    """Show a known error as one message."""
    _err.print("\n".join(_plain(line) for line in str(error).splitlines()), style="red", soft_wrap=True)


def show_mark(synthetic: bool) -> None:
    """Show, of a synthetic study, that it is one."""
    if synthetic:
        _out.print(BOTH, style=MARKED)


def show_findings(findings: Sequence[Breach]) -> None:
    """Show findings, a line each."""
    for finding in findings:
        style = STYLES[finding.severity]
        _err.print(f"[{style}]{finding.severity}[/{style}] {escape(str(finding))}", soft_wrap=True)


def show_verdict(findings: Sequence[Breach], *, strict: bool) -> None:
    """Show how many findings there are of each severity, and whether the study can be used."""
    said = [finding.severity for finding in findings]
    counts = ", ".join(f"{n:,} {name}{'s' if n > 1 else ''}" for name in SEVERITIES if (n := said.count(name)))
    _out.print(counts or "nothing to report", soft_wrap=True)
    if strict and "warning" in said:
        _out.print("warnings count as errors here (--strict)", style=STYLES["error"], soft_wrap=True)


def show_crs(crs: str) -> None:
    """Show the coordinate system in which everything is measured."""
    _out.print(f"measured in metres of {_plain(crs)}", soft_wrap=True)


def show_written(path: Path, page: Path | None = None) -> None:
    """Show where results lie, and which page to open."""
    _out.print(f"wrote {_plain(path)}" + (f" · open {_plain(page)}" if page else ""), soft_wrap=True)


def show_private(folder: str) -> None:
    """Show that what is shown here is for the office, and which folder others may see."""
    said = "what was found above is exact and for the office; only the folder {} is for others"
    _err.print(said.format(_plain(folder)), soft_wrap=True)


def show_maps(pages: Sequence[Path]) -> None:
    """Show which pages to open in a browser."""
    _out.print("\nOpen the maps in a browser:")
    for page in pages:
        _out.print(f"  [bold]{_plain(page.resolve())}[/bold]", soft_wrap=True)


def show_coverage(coverage: Coverage) -> None:
    """Show the totals of all areas by group, and what has to be said of them."""
    settings = coverage.study.settings
    totals = coverage.table[coverage.table["area_id"] == TOTAL].set_index("group")
    title = _titled(f"{settings.name}: all areas", coverage.synthetic)
    table = Table("", "residents", title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for circle in settings.circles:
        table.add_column(_plain(f"within {circle.name}"))
    statuses = [name for name in STATUSES if totals[name].any() or totals[name].isna().any()]
    for name in statuses:
        table.add_column(name)
    for column in table.columns[1:]:
        column.justify = "right"
    for column in table.columns:
        column.no_wrap = True
    for group, row in totals.iterrows():
        within = (f"{_people(row[f'within_{c.name}'])}\n({_share(row[f'share_{c.name}'])})" for c in settings.circles)
        others = (_people(row[name]) for name in statuses)
        table.add_row(_plain(str(group).replace("_", " ")), _people(row["residents"]), *within, *others)
    _out.print(table)
    if none := [name for name in STATUSES if name not in statuses]:
        _out.print(f"nobody is {' or '.join(none)}", soft_wrap=True)
    for note in coverage.notes:
        _out.print(_plain(note.zh if settings.language == "zh" else note.en), style="dim", soft_wrap=True)
    for line in coverage.study.attribution:
        _out.print(_plain(line), style="dim", soft_wrap=True)


def show_plan(plan: Plan) -> None:
    """Show the chosen sites in their order, and how good the plan is."""
    solution = plan.solution
    title = _titled(plan.scenario.name, plan.coverage.synthetic)
    table = Table("order", "site", "kind", "wins", "only here", title=title, title_justify="left")
    for row in plan.sites[plan.sites["state"] == "chosen"].to_dict("records"):
        figures = _people(row["gain"]), _people(row[f"only_here_{plan.scenario.circle}"])
        table.add_row(str(row["order"]), _plain(row["name"] or row["site_id"]), _plain(row["kind"]), *figures)
    _out.print(table)
    if not len(solution.chosen):
        _out.print("no site is opened: there is no candidate that wins anyone, or today's stations suffice")
    elif plan.scenario.n_new is not None and len(solution.chosen) < plan.scenario.n_new:
        _out.print(
            f"{len(solution.chosen)} of {plan.scenario.n_new} sites are opened: no further candidate wins anyone"
        )
    table_rows = plan.coverage.table
    is_total = (table_rows["area_id"] == TOTAL) & (table_rows["group"] == "all")
    everyone = table_rows.loc[is_total, "residents"].iloc[0]
    all_share, reachable_share = (_share(plan.reached / n) if n > 0 else "-" for n in (everyone, plan.reachable))
    _out.print(
        f"{_people(plan.reached)} residents within {_plain(plan.scenario.circle)}: {all_share} of all, "
        f"{reachable_share} of those whom all candidates together could reach",
        soft_wrap=True,
    )
    gain = "" if solution.gap_gain is None else f" ({_figure(solution.gap_gain, '.2%')} of what could be gained)"
    value, bound = _figure(solution.value, ",.1f"), _figure(solution.bound, ",.1f")
    gap = _figure(solution.gap, ".2%")
    _out.print(f"value {value}, bound {bound}, gap {gap}{gain}, {solution.status}", soft_wrap=True)


def show_assigned(assigned: pd.DataFrame) -> None:
    """Show how many requests go where they go, and why."""
    table = Table("requests", "why", title=_titled("Requests", MARK in assigned), title_justify="left")
    reasons = assigned["reason"].where(assigned["reason"] != "", "nearest station")
    for reason, count in reasons.value_counts().items():
        table.add_row(f"{count:,}", _plain(reason))
    _out.print(table)


def _titled(name: str, synthetic: bool) -> str:
    """Return the title of a table, which says what it is made from."""
    return f"{_plain(name)}\n{BOTH}" if synthetic else _plain(name)


def _plain(text: object) -> str:
    return escape(printable(str(text)))


def _people(residents: float) -> str:
    """Return a number of residents, a dash where it is not shown."""
    return _figure(residents, ",.0f")


def _figure(value: float, form: str) -> str:
    """Return a figure, a dash where it is not shown."""
    return "-" if pd.isna(value) else format(value, form)


def _share(share: float) -> str:
    """Return a share in per cent; what is not all never reads 100 %, what is not nothing never 0 %."""
    if pd.isna(share):
        return "-"
    part = ROUNDING < share < 1 - ROUNDING
    return f"{min(max(share, 0.001), 0.999) if part else share:.1%}"
