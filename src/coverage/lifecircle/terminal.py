"""What the commands show: steps with their seconds, findings, short tables. Text from data is never markup here.

``language`` is that of the study: "zh" or "en".
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lifecircle import check_words
from lifecircle.circles import Coverage
from lifecircle.errors import SEVERITIES, SHOWN_IDS, Breach, LifecircleError, printable, worst_first
from lifecircle.mark import BOTH, MARK
from lifecircle.said import Said, in_chinese, in_language, sentence
from lifecircle.scenarios import Plan, Report, Situation, Standing, why_nothing_opens
from lifecircle.scenarios.candidates import NOBODY_ASKED
from lifecircle.schema import TOTAL

ROUNDING = 1e-9
"""A share this much less than all is all: sums of fractions of residents are rounded."""

STATUSES = ("beyond", "unreachable", "unsnappable", "unplaced")
"""Columns of residents outside every circle; one that holds nobody is not shown."""

HEADINGS = {
    "residents": "居民",
    "beyond": "圈外",
    "unreachable": "不可达",
    "unsnappable": "附近无道路",
    "unplaced": "未落到建筑",
    "all": "全部",
    "order": "次序",
    "site": "站点",
    "kind": "类型",
    "opens": "开放",
    "tier": "层级",
    "cost": "费用",
    "wins": "新增覆盖",
    "person-seconds saved": "节省人·秒",
    "only here": "仅靠本站",
    "circle": "生活圈",
    "group": "人群",
    "before": "调整前",
    "after": "调整后",
    "change": "变化",
    "adult": "成年人",
    "aged": "老年人",
    "65plus": "65 岁及以上",
    "living alone": "独居",
    "disabled": "残疾",
    "low income": "低收入",
    "requests": "诉求数",
    "why": "去向与原因",
}
"""Headings of tables and names of their rows, in Chinese."""

STANDINGS = {"fixed": "{} stands today", "closed": "{} closes"}
"""What is told of a place that is no candidate of a plan, by how it stands to it."""

ENDINGS = {
    "time": "stopped at the time limit",
    "work": "stopped at the limit of the work",
    "interrupted": "stopped by Ctrl-C",
}
"""Why a search ended before its plan was proven the best."""

_LESS = "at most {} {} less are possible"

_OWN_CRS = re.compile(r"Local Transverse Mercator at (\S+) E (\S+) N \(WGS 84\)")
"""The system of metres that is made for a study."""

MARKED = "bold yellow"
STYLES = {"error": "red", "warning": "cyan", "repair": "yellow", "note": "dim"}

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str, *, language: str = "en") -> Iterator[None]:
    """Show that something is under way and, when it is done, how long it took."""
    started_s = time.perf_counter()
    with _err.status(_said(what, language)):
        yield
    took = Said("{}: {:.1f} s", sentence(what), time.perf_counter() - started_s)
    _err.print(_said(took, language), style="dim", soft_wrap=True)


@contextmanager
def search(what: str, *, language: str = "en") -> Iterator[Report]:
    """Show a step that searches: value, bound and gap so far, and that Ctrl-C ends it with the best so far."""
    with _err.status(_said(what, language)) as status:

        def report(value: float, bound: float, seconds: float) -> None:
            gap = abs(bound - value) / abs(bound) if bound else 0.0
            pattern = "{}: value {:,.6g}, bound {:,.6g}, gap {:.2%}, {:.0f} s (Ctrl-C: take the best so far)"
            status.update(_said(Said(pattern, sentence(what), value, bound, gap, seconds), language))

        started_s = time.perf_counter()
        yield report
    took = Said("{}: {:.1f} s", sentence(what), time.perf_counter() - started_s)
    _err.print(_said(took, language), style="dim", soft_wrap=True)


def show_error(error: LifecircleError) -> None:
    """Show a known error as one message."""
    if error.language == "zh":
        told = worst_first(error.breaches)
        text = "\n".join([in_chinese(error.message), *(f"  - {_finding(b, error.language)}" for b in told)])
    else:
        text = str(error)
    _err.print("\n".join(_plain(line) for line in text.splitlines()), style="red", soft_wrap=True)


def show_mark(synthetic: bool) -> None:
    """Show, of a synthetic study, that it is one."""
    if synthetic:
        _out.print(BOTH, style=MARKED)


def show_findings(findings: Sequence[Breach], *, language: str = "en") -> None:
    """Show findings, a line each."""
    for finding in findings:
        style, severity = STYLES[finding.severity], _word(check_words.SEVERITIES, finding.severity, language)
        _err.print(f"[{style}]{severity}[/{style}] {escape(_finding(finding, language))}", soft_wrap=True)


def _finding(finding: Breach, language: str) -> str:
    """Return a finding on one line."""
    if language != "zh":
        return str(finding)
    layer = _word(check_words.LAYERS, finding.layer, language)
    return f"{printable(layer)}：{printable(in_chinese(finding.message))}{_ids(finding)}"


def _ids(finding: Breach) -> str:
    shown = "，".join(printable(in_chinese(i) if isinstance(i, Said) else i) for i in finding.ids[:SHOWN_IDS])
    more = f" 等 {finding.count:,} 项" if finding.count > SHOWN_IDS else ""
    return f" [{shown}{more}]" if shown else ""


def show_verdict(findings: Sequence[Breach], *, strict: bool, language: str = "en") -> None:
    """Show how many findings there are of each severity, and whether the study can be used."""
    said = [finding.severity for finding in findings]
    n_of = {name: n for name in SEVERITIES if (n := said.count(name))}
    counts = (
        "，".join(_word(check_words.COUNTS, name, language).format(n=f"{n:,}") for name, n in n_of.items())
        if language == "zh"
        else ", ".join(f"{n:,} {name}{'s' if n > 1 else ''}" for name, n in n_of.items())
    )
    _out.print(counts or _said("nothing to report", language), soft_wrap=True)
    if strict and "warning" in said:
        message = "warnings count as errors here (--strict)"
        _out.print(_said(message, language), style=STYLES["error"], soft_wrap=True)


def show_next(command: str, *, language: str = "en") -> None:
    """Show which command comes next."""
    _out.print(_said(Said("next: {}", command), language), soft_wrap=True)


def show_crs(crs: str, *, language: str = "en") -> None:
    """Show the coordinate system in which everything is measured."""
    made = _OWN_CRS.fullmatch(crs)
    name = Said("Local Transverse Mercator at {} E {} N (WGS 84)", *made.groups()) if made else crs
    _out.print(_said(Said("measured in metres of {}", name), language), soft_wrap=True)


def show_written(path: Path, page: Path | None = None, *, language: str = "en") -> None:
    """Show where results lie, and which page to open."""
    told = Said("wrote {} · open {}", path, page) if page else Said("wrote {}", path)
    _out.print(_said(told, language), soft_wrap=True)


def show_key(path: Path, *, language: str = "en") -> None:
    """Show that a key for publishing was made, and that it must be kept."""
    told = Said(
        "made the key for publishing, {}: keep it, back it up, and give it to nobody outside the office; with another "
        "key the same figures are rounded otherwise",
        path,
    )
    _err.print(_said(told, language), soft_wrap=True)


def show_private(folder: str, *, language: str = "en") -> None:
    """Show that what is shown here is for the office, and which folder others may see."""
    told = Said("what was found above is exact and for the office; only the folder {} is for others", folder)
    _err.print(_said(told, language), soft_wrap=True)


def show_maps(pages: Sequence[Path], *, language: str = "en") -> None:
    """Show which pages to open in a browser."""
    _out.print(f"\n{_said('Open the maps in a browser:', language)}")
    for page in pages:
        _out.print(f"  [bold]{_plain(page.resolve())}[/bold]", soft_wrap=True)


def show_coverage(coverage: Coverage) -> None:
    """Show the totals of all areas by group, and what has to be said of them."""
    settings = coverage.study.settings
    language = settings.language
    totals = coverage.table[coverage.table["area_id"] == TOTAL].set_index("group")
    title = _titled(in_language(Said("{}: all areas", settings.name), language), coverage.synthetic)
    residents = _heading("residents", language)
    table = Table("", residents, title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for circle in settings.circles:
        table.add_column(_said(Said("within {}", circle.name), language))
    statuses = [name for name in STATUSES if totals[name].any() or totals[name].isna().any()]
    for name in statuses:
        table.add_column(_heading(name, language))
    for column in table.columns[1:]:
        column.justify = "right"
    for column in table.columns:
        column.no_wrap = True
    for group, row in totals.iterrows():
        within = (f"{_people(row[f'within_{c.name}'])}\n({_share(row[f'share_{c.name}'])})" for c in settings.circles)
        others = (_people(row[name]) for name in statuses)
        table.add_row(_heading(str(group).replace("_", " "), language), _people(row["residents"]), *within, *others)
    _out.print(table)
    if none := [name for name in STATUSES if name not in statuses]:
        nobody = ("、" if language == "zh" else " or ").join(_heading(name, language) for name in none)
        _out.print(_said(Said("nobody is {}", nobody), language), soft_wrap=True)
    for note in coverage.notes:
        _out.print(_plain(note.zh if language == "zh" else note.en), style="dim", soft_wrap=True)
    for line in coverage.study.attribution:
        _out.print(_plain(line), style="dim", soft_wrap=True)


def show_plan(plan: Plan, *, time_limit_s: float | None = None) -> None:
    """Show the chosen sites in their order, and how good the plan is.

    Parameters
    ----------
    time_limit_s
        Seconds that the search had, None where there was no limit.
    """
    solution, language = plan.solution, plan.coverage.study.settings.language
    title = _titled(plan.scenario.name, plan.coverage.synthetic)
    scenario, sites = plan.scenario, plan.sites
    for line in _said_before(plan):
        _out.print(_said(line, language), soft_wrap=True)
    more = {
        "opens": bool(scenario.years or scenario.itinerary),
        "tier": bool(scenario.tiers),
        "cost": scenario.has_budget,
    }
    shown = [column for column, is_shown in more.items() if is_shown]
    won = "wins" if solution.question.unit != "person-seconds" else "person-seconds saved"
    headings = [_heading(name, language) for name in ("order", "site", "kind", *shown, won, "only here")]
    table = Table(*headings, title=title, title_justify="left")
    for row in sites[sites["state"] == "chosen"].to_dict("records"):
        figures = _people(row["gain"]), _people(row[f"only_here_{scenario.circle}"])
        told = [_people(row[c]) if c == "cost" else _plain(row[c]) for c in shown]
        table.add_row(str(row["order"]), _plain(row["name"] or row["site_id"]), _plain(row["kind"]), *told, *figures)
    _out.print(table)
    for row in sites[sites["state"] == "closed"].to_dict("records"):
        _out.print(_said(Said("closes: {}", row["name"] or row["site_id"]), language), soft_wrap=True)
    opened, asked = len(solution.chosen), scenario.n_new
    if not opened:
        _out.print(_said(why_nothing_opens(plan), language), soft_wrap=True)
    elif asked is not None and opened < asked and solution.question.unit == "residents":
        pattern = "{} of {} sites are opened: no further candidate wins anyone"
        if scenario.has_budget:
            pattern = "{} of {} sites are opened: no further candidate that the money is enough for wins anyone"
        _out.print(_said(Said(pattern, opened, asked), language), soft_wrap=True)
    table_rows = plan.coverage.table
    is_total = (table_rows["area_id"] == TOTAL) & (table_rows["group"] == "all")
    everyone = table_rows.loc[is_total, "residents"].iloc[0]
    all_share, reachable_share = (_share(plan.reached / n) if n > 0 else "-" for n in (everyone, plan.reachable))
    reached = Said(
        "{} residents within {}: {} of all, {} of those whom all candidates together could reach",
        _people(plan.reached),
        " & ".join(scenario.circles),
        all_share,
        reachable_share,
    )
    _out.print(_said(reached, language), soft_wrap=True)
    if scenario.share is not None and plan.reachable < everyone * (1.0 - ROUNDING):
        of_whom = "the share {:g} is of those {}; for a share of all residents write floors = [{{ share = {:g} }}]"
        those = Said(of_whom, scenario.share, _people(plan.reachable), scenario.share)
        _out.print(_said(those, language), soft_wrap=True)
    if plan.served is not None:
        served = Said("{} residents are served: there is room for them where they can walk to", _people(plan.served))
        _out.print(_said(served, language), soft_wrap=True)
    of_gain = solution.gap_gain
    gain = "" if of_gain is None else Said(" ({} of what could be gained)", _figure(of_gain, ".2%"))
    value, bound = _figure(solution.value, ",.1f"), _figure(solution.bound, ",.1f")
    gap, unit = _figure(solution.gap, ".2%"), sentence(solution.question.unit)
    if scenario.years:
        unit = Said("{} summed over {} years", unit, len(scenario.years))
    status = sentence(solution.status)
    if plan.lacking:
        status = Said("{} as far as there are places", status)
    proof = Said("value {} {}, bound {}, gap {}{}, {}", value, unit, bound, gap, gain, status)
    _out.print(_said(proof, language), soft_wrap=True)
    if solution.status == "feasible":
        _out.print(_said(_cut_short(plan, time_limit_s), language), soft_wrap=True)


def _said_before(plan: Plan) -> Iterator[Said]:
    """Yield what has to be known before the sites of a plan are read."""
    if plan.source == "proposed":
        told = NOBODY_ASKED
        if not plan.scenario.candidates_from:
            told = (
                "the study lists no candidates: these sites are buildings amid those who need one, not rooms, and "
                "nobody has asked their owners"
            )
        yield sentence(told)
    if plan.lacking:
        named, rest = ", ".join(plan.lacking[:SHOWN_IDS]), len(plan.lacking) - SHOWN_IDS
        names = Said("{} and {} more", named, rest) if rest > 0 else named
        yield Said("fewer places than at_least asks for, all of them open: {}", names)


def _cut_short(plan: Plan, time_limit_s: float | None) -> Said:
    """Return why a plan is not proven the best, and how much better another can be."""
    solution = plan.solution
    why = sentence(ENDINGS.get(solution.ended, "no further search makes the plan any better"))
    if solution.ended == "time" and time_limit_s is not None:
        why = Said("stopped after the {:g} s of --time-limit", time_limit_s)
    missing, unit = _figure(abs(solution.bound - solution.value), ",.1f"), sentence(solution.question.unit)
    more = Said("at most {} {} more are possible" if solution.question.sense == "max" else _LESS, missing, unit)
    return Said("{}: this is the best plan so far, and {}", why, more)


def show_why(standing: Standing, plan: Plan) -> None:
    """Show why a place is among the sites of a plan, or why not."""
    place, unit, language = standing.site_id, plan.solution.question.unit, plan.coverage.study.settings.language
    told = Said(STANDINGS.get(standing.state, "{} does not count for this question"), place)
    reached: str = ""
    if standing.reached is not None:
        reached = Said("{} residents within {} of it; ", _people(standing.reached), plan.scenario.circle)
    worse = None if standing.worse_by is None else Said("{:,.1f} {}", standing.worse_by, sentence(unit))
    if standing.state == "chosen":
        best = sentence("nothing stands in for it")
        if standing.instead_of and worse is not None:
            best = Said("the best substitute, {}, would lose {}", standing.instead_of, worse)
        won = "{} is chosen: {}it wins {} in its turn; {}"
        if unit == "person-seconds":
            won = "{} is chosen: {}it saves {} person-seconds in its turn; {}"
        told = Said(won, place, reached, _people(standing.gain or 0.0), best)
    elif standing.state == "not chosen":
        gain = standing.gain
        more = "it wins {} more beside the plan; "
        if unit == "person-seconds":
            more = "it saves {} person-seconds more beside the plan; "
        wins = "" if gain is None else Said(more, _people(gain))
        told = Said("{} is not chosen: {}{}{}", place, reached, wins, _swapped(standing.instead_of, worse, plan))
    _out.print(_said(told, language), soft_wrap=True)


def _swapped(instead_of: str, worse: Said | None, plan: Plan) -> Said:
    """Return what a site that is not chosen would cost the plan."""
    if worse is not None:
        swapped = Said("in place of {} the plan is worse by {}", instead_of, worse)
        return swapped if instead_of else Said("added, the plan is worse by {}", worse)
    if plan.scenario.capacity:
        return sentence("under capacities a swap is a question of its own: drop the other from the candidates")
    return sentence("no swap with it meets the conditions")


def show_change(before: Situation, after: Situation) -> None:
    """Show the residents of all areas within each circle before and after a change, by group."""
    language = before.today.study.settings.language
    title = _titled(in_language("What if", language), before.today.synthetic)
    headings = [_heading(name, language) for name in ("circle", "group", "before", "after", "change")]
    table = Table(*headings, title=title, title_justify="left")
    totals = [t.table[t.table["area_id"] == TOTAL].set_index("group") for t in (before, after)]
    for circle in before.today.study.settings.circles:
        column = f"within_{circle.name}"
        for group in totals[0].index:
            old, new = (float(total.loc[group, column]) for total in totals)
            whose = _heading(str(group).replace("_", " "), language)
            table.add_row(_plain(circle.name), whose, _people(old), _people(new), f"{new - old:+,.0f}")
    _out.print(table)


def show_assigned(assigned: pd.DataFrame, *, language: str = "en") -> None:
    """Show how many requests go where they go, and why."""
    from lifecircle.dispatch import REASONS

    title = _titled(in_language("Requests", language), MARK in assigned)
    table = Table(_heading("requests", language), _heading("why", language), title=title, title_justify="left")
    for reason, count in assigned["reason"].value_counts().items():
        table.add_row(f"{count:,}", _said(REASONS.get(str(reason), str(reason)), language))
    _out.print(table)


def _titled(name: str, synthetic: bool) -> str:
    """Return the title of a table, which says what it is made from."""
    return f"{_plain(name)}\n{BOTH}" if synthetic else _plain(name)


def _said(text: str, language: str) -> str:
    """Return what is said in a language, as no markup."""
    return _plain(in_language(text, language))


def _word(words: Mapping[str, tuple[str, str]], key: str, language: str) -> str:
    """Return one of the words that stand in Chinese and English, by its key."""
    zh, en = words.get(key, (key, key))
    return zh if language == "zh" else en


def _heading(name: str, language: str) -> str:
    """Return the heading of a column or the name of a row."""
    return _plain(HEADINGS.get(name, name) if language == "zh" else name)


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
