"""What the commands show: steps with their seconds, findings, short tables. Text from data is never markup here.

``language`` is that of the study: "zh" or "en".
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, set_wakeup_fd
from socket import socketpair
from threading import Event, Thread, current_thread, main_thread

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lifecircle import check_words
from lifecircle.circles import Coverage
from lifecircle.errors import SEVERITIES, SHOWN_IDS, Breach, LifecircleError, printable, worst_first
from lifecircle.mark import BOTH, MARK
from lifecircle.numerals import figure, people, share
from lifecircle.said import Said, in_chinese, in_language, sentence
from lifecircle.scenarios import Report
from lifecircle.schema import TOTAL

EVERY_S = 10.0
"""Seconds from one line about a search to the next, where no line can be written anew."""

SO_FAR = "best {}, bound {}, gap {} (Ctrl-C keeps the best)"
NONE_SO_FAR = "no plan so far, bound {}"
STOPPING = "Ctrl-C: the search ends after this round, with the best plan so far if there is one"

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
    "serves": "服务人数",
    "circle": "生活圈",
    "group": "人群",
    "before": "调整前",
    "won": "进圈",
    "lost": "出圈",
    "after": "调整后",
    "change": "变化",
    "scenario": "方案",
    "stations": "服务站",
    "within": "圈内",
    "worst area": "最差区域",
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

_OWN_CRS = re.compile(r"Local Transverse Mercator at (\S+) E (\S+) N \(WGS 84\)")
"""The system of metres that is made for a study."""

MARKED = "bold yellow"
STYLES = {"error": "red", "warning": "cyan", "repair": "yellow", "note": "dim"}

out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str, *, language: str = "en") -> Iterator[None]:
    """Show that something is under way and, when it is done, how long it took."""
    started_s = time.perf_counter()
    with _err.status(spoken(what, language)):
        yield
    took = Said("{}: {:.1f} s", sentence(what), time.perf_counter() - started_s)
    _err.print(spoken(took, language), style="dim", soft_wrap=True)


@contextmanager
def search(what: str, *, language: str = "en") -> Iterator[Report]:
    """Show a step that searches: its value, bound and gap so far, and that Ctrl-C ends it with the best so far.

    Before there is a plan, that is the bound alone. On a terminal it is one line, written anew as the seconds go;
    elsewhere a line now and then, see `EVERY_S`.
    """
    started_s = time.perf_counter()
    so_far, over = "", Event()

    def line() -> str:
        told = Said("{}: {:.0f} s", sentence(what), time.perf_counter() - started_s)
        return spoken(Said("{}; {}", told, so_far) if so_far else told, language)

    def report(value: float, bound: float, _: float) -> None:
        nonlocal so_far
        best, limit = (figure(amount, ",.1f") for amount in (value, bound))
        gap = abs(bound - value) / abs(bound) if bound and math.isfinite(bound) else math.nan
        there_is_one = math.isfinite(value)
        so_far = Said(SO_FAR, best, limit, figure(gap, ".2%")) if there_is_one else Said(NONE_SO_FAR, limit)

    def tell() -> None:
        while not over.wait(EVERY_S):
            _err.print(line(), style="dim", soft_wrap=True)

    telling = Thread(target=tell, daemon=True)
    if not _err.is_terminal:
        telling.start()
    try:
        with _err.status(_Live(line)), _hearing(lambda: _err.print(spoken(STOPPING, language), soft_wrap=True)):
            yield report
    finally:
        over.set()
        if telling.is_alive():
            telling.join()
    took = Said("{}: {:.1f} s", sentence(what), time.perf_counter() - started_s)
    _err.print(spoken(took, language), style="dim", soft_wrap=True)


@contextmanager
def _hearing(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` where somebody presses Ctrl-C, at once: Python itself hears of it when compiled code returns."""
    if current_thread() is not main_thread():
        yield
        return
    ours, theirs = socketpair()
    theirs.setblocking(False)  # as the interpreter asks: a handler of signals must not wait

    def hear() -> None:
        while heard := ours.recv(1):
            if heard[0] == SIGINT:
                tell()
                return

    hearing = Thread(target=hear, daemon=True)
    hearing.start()
    before = set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        set_wakeup_fd(before)
        theirs.close()
        hearing.join()
        ours.close()


@dataclass(frozen=True)
class _Live:
    """What is said anew whenever it is drawn."""

    line: Callable[[], str]

    def __rich__(self) -> Text:
        said = Text.from_markup(self.line(), overflow="ellipsis")
        said.no_wrap = True
        return said


def show_error(error: LifecircleError) -> None:
    """Show a known error as one message."""
    if error.language == "zh":
        told = worst_first(error.breaches)
        text = "\n".join([in_chinese(error.message), *(f"  - {_finding(b, error.language)}" for b in told)])
    else:
        text = str(error)
    _err.print("\n".join(plain(line) for line in text.splitlines()), style="red", soft_wrap=True)


def show_mark(synthetic: bool) -> None:
    """Show, of a synthetic study, that it is one."""
    if synthetic:
        out.print(BOTH, style=MARKED)


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
    out.print(counts or spoken("nothing to report", language), soft_wrap=True)
    if strict and "warning" in said:
        message = "warnings count as errors here (--strict)"
        out.print(spoken(message, language), style=STYLES["error"], soft_wrap=True)


def show_next(command: str, *, language: str = "en") -> None:
    """Show which command comes next."""
    out.print(spoken(Said("next: {}", command), language), soft_wrap=True)


def show_crs(crs: str, *, language: str = "en") -> None:
    """Show the coordinate system in which everything is measured."""
    made = _OWN_CRS.fullmatch(crs)
    name = Said("Local Transverse Mercator at {} E {} N (WGS 84)", *made.groups()) if made else crs
    out.print(spoken(Said("measured in metres of {}", name), language), soft_wrap=True)


def show_written(path: Path, page: Path | None = None, *, language: str = "en") -> None:
    """Show where results lie, and which page to open."""
    told = Said("wrote {} · open {}", path, page) if page else Said("wrote {}", path)
    out.print(spoken(told, language), soft_wrap=True)


def show_key(path: Path, *, language: str = "en") -> None:
    """Show that a key for publishing was made, and that it must be kept."""
    told = Said(
        "made the key for publishing, {}: keep it, back it up, and give it to nobody outside the office; with another "
        "key the same figures are rounded otherwise",
        path,
    )
    _err.print(spoken(told, language), soft_wrap=True)


def show_private(folder: str, *, language: str = "en") -> None:
    """Show that what is shown here is for the office, and which folder others may see."""
    told = Said("what was found above is exact and for the office; only the folder {} is for others", folder)
    _err.print(spoken(told, language), soft_wrap=True)


def show_address(host: str, port: int, *, language: str = "en") -> None:
    """Show where a server answers."""
    at = f"[{host}]" if ":" in host else host
    out.print(spoken(Said("serving http://{}:{} (Ctrl-C stops it)", at, port), language), markup=False, soft_wrap=True)


def show_maps(pages: Sequence[Path], *, language: str = "en") -> None:
    """Show which pages to open in a browser."""
    out.print(f"\n{spoken('Open the maps in a browser:', language)}")
    for page in pages:
        out.print(f"  [bold]{plain(page.resolve())}[/bold]", soft_wrap=True)


def show_coverage(coverage: Coverage) -> None:
    """Show the totals of all areas by group, and what has to be said of them."""
    settings = coverage.study.settings
    language = settings.language
    totals = coverage.table[coverage.table["area_id"] == TOTAL].set_index("group")
    title = titled(in_language(Said("{}: all areas", settings.name), language), coverage.synthetic)
    residents = heading("residents", language)
    table = Table("", residents, title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for circle in settings.circles:
        table.add_column(spoken(Said("within {}", circle.name), language))
    statuses = [name for name in STATUSES if totals[name].any() or totals[name].isna().any()]
    for name in statuses:
        table.add_column(heading(name, language))
    for column in table.columns[1:]:
        column.justify = "right"
    for column in table.columns:
        column.no_wrap = True
    for group, row in totals.iterrows():
        within = (f"{people(row[f'within_{c.name}'])}\n({share(row[f'share_{c.name}'])})" for c in settings.circles)
        others = (people(row[name]) for name in statuses)
        table.add_row(heading(str(group).replace("_", " "), language), people(row["residents"]), *within, *others)
    out.print(table)
    if none := [name for name in STATUSES if name not in statuses]:
        nobody = ("、" if language == "zh" else " or ").join(heading(name, language) for name in none)
        out.print(spoken(Said("nobody is {}", nobody), language), soft_wrap=True)
    for note in coverage.notes:
        out.print(plain(note.zh if language == "zh" else note.en), style="dim", soft_wrap=True)
    for line in coverage.study.attribution:
        out.print(plain(line), style="dim", soft_wrap=True)


def show_assigned(assigned: pd.DataFrame, *, language: str = "en") -> None:
    """Show how many requests go where they go, and why."""
    from lifecircle.dispatch import REASONS
    from lifecircle.readers.rosters import VOLUNTEER

    title = titled(in_language("Requests", language), MARK in assigned)
    table = Table(heading("requests", language), heading("why", language), title=title, title_justify="left")
    for reason, count in assigned["reason"].value_counts().items():
        table.add_row(f"{count:,}", spoken(REASONS.get(str(reason), str(reason)), language))
    out.print(table)
    if "how" in assigned and (n := int((assigned["how"] == VOLUNTEER).sum())):
        out.print(spoken(Said("{:,} of these go to volunteers or teams", n), language), soft_wrap=True)


def show_less_walking(assigned: pd.DataFrame, in_turn: pd.DataFrame, *, language: str = "en") -> None:
    """Show what all together walk less than if each went in turn to the nearest that is left."""
    (sent, walk_s), (sent_in_turn, in_turn_s) = (
        (len(rows), rows["walk_s"].sum()) for rows in (each[each["station_id"] != ""] for each in (assigned, in_turn))
    )
    told = Said(
        "{:,} requests are sent and walk {:,.1f} hours in sum; in turn it would be {:,} and {:,.1f} hours",
        *(sent, walk_s / 3600, sent_in_turn, in_turn_s / 3600),
    )
    out.print(spoken(told, language), soft_wrap=True)
    if assigned.attrs["unproven_s"] > 0:
        message = "there is too little room to prove that no other way to give places is shorter in sum"
        out.print(spoken(Said(message), language), soft_wrap=True)


def titled(name: str, synthetic: bool) -> str:
    """Return the title of a table, which says what it is made from."""
    return f"{plain(name)}\n{BOTH}" if synthetic else plain(name)


def spoken(text: str, language: str) -> str:
    """Return what is said in a language, as no markup."""
    return plain(in_language(text, language))


def _word(words: Mapping[str, tuple[str, str]], key: str, language: str) -> str:
    """Return one of the words that stand in Chinese and English, by its key."""
    zh, en = words.get(key, (key, key))
    return zh if language == "zh" else en


def heading(name: str, language: str) -> str:
    """Return the heading of a column or the name of a row."""
    return plain(HEADINGS.get(name, name) if language == "zh" else name)


def plain(text: object) -> str:
    """Return a text from data as no markup."""
    return escape(printable(str(text)))
