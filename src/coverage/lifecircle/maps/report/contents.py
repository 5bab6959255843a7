"""What stands where in the report; every figure comes from the comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, KeepTogether, Table

from lifecircle.circles import Coverage
from lifecircle.maps.palette import SITE, SOFT
from lifecircle.maps.report.paper import LONGEST, MISSING, WIDTH, Paper, colour_of, cut, printed
from lifecircle.maps.report.picture import area_map, legend
from lifecircle.maps.report.tables import MOST_AREAS, MOST_HANGING, Figures
from lifecircle.mark import BOTH
from lifecircle.numerals import figure, people
from lifecircle.publish import reasons_told
from lifecircle.said import Said, in_language, sentence
from lifecircle.scenarios.asked_in_words import asked_in_words
from lifecircle.scenarios.comparison import TODAY, Comparison
from lifecircle.scenarios.outcome import Outcome
from lifecircle.scenarios.plan import Plan, served_in_words
from lifecircle.scenarios.worth import unit_of

MAP_HEIGHT, LONG_HEIGHT = 120 * mm, 75 * mm
LONG = 1.7
"""So many times as long as it is high, the maps of a city stand one under the other."""

ROOM = 40 * mm
"""What a heading asks for below it: itself, the head of a table and a row or two."""

GAP = 10.0
"""Between the two maps of a scenario, points."""

STAND = (
    "a walk is the straight line from home to street, the way along the streets, and the straight line to the station, "
    "all at walking speed; floors and lifts inside a building do not count"
)
FINDINGS_HANG = "these findings hang on the speed: decide on something else"
NONE_HANGS = (
    "no finding hangs on the speed: where everybody walks 10% slower or faster each area still wins or loses as it "
    "does here"
)
NONE_SHOWN_HANGS = "no finding that is shown hangs on the speed; small figures are not shown"
OF_CIRCLES = (
    "shares are of all residents of the row; won and lost are residents who come into the circle and who leave it, "
    "against {}; a dash is a figure that is not shown, or that there is none of"
)
OF_WALKS = (
    "half and nine in ten are of all residents, with those last who reach no station; the mean and the inequality (0 "
    "all alike, 1 one walks all) are of those who reach one; a radius counts who lives as near in a straight line"
)
MADE_UP = "this report is made from synthetic data; it describes no real place, and nothing is to be decided by it"
BESIDE = "the tables beside this file: compare.csv has every area and group at each speed, changes.csv every building"
BOXES = "{}: a box stands for a character that this file has no type for; the names in full are in the tables beside it"


def comparison_report(comparison: Comparison) -> bytes:
    """Return scenarios side by side as a PDF of A4 pages, in the study's language.

    Parameters
    ----------
    comparison
        What `lifecircle.scenarios.side_by_side` returned, or a published one: then no small figure is in it.

    Returns
    -------
    bytes
        The same for the same comparison: no date and no name of a machine is in them. Texts from data are printed as
        they are; a character without type is a box, which the last page tells.
    """
    figures = Figures(comparison)
    report = _Report(figures, Paper(figures.settings.language))
    study, words = comparison.today.study, figures.words
    before, between = ("第 ", " 页，共 ") if figures.settings.language == "zh" else ("", words["of"])
    after = " 页" if figures.settings.language == "zh" else ""
    print_ = f" · {study.fingerprint[:12]}" if study.fingerprint else ""
    return printed(
        list(report.story()),
        report.paper,
        title=study.settings.name,
        foot=cut(study.settings.name) + print_,
        page_of=lambda page: f"{before}{page}{between}",
        after=after,
        mark=BOTH if comparison.today.synthetic else "",
    )


@dataclass(frozen=True, eq=False)
class _Report:
    """The report's parts, one after the other."""

    figures: Figures
    paper: Paper

    @property
    def comparison(self) -> Comparison:
        return self.figures.comparison

    @property
    def today(self) -> Coverage:
        return self.comparison.today

    def story(self) -> Iterator[Any]:
        yield from self._head()
        yield from self._questions()
        yield from self._circles()
        yield from self._walks()
        yield from self._speeds()
        for plan in self.comparison.plans:
            yield from self._scenario(plan)
        yield from self._remarks()
        yield self._signatures()

    def said(self, said: str, style: str = "small", **how: Any) -> Any:
        """Return what is said as a paragraph that begins with a capital letter where it may."""
        text = in_language(said, self.paper.language)
        is_key = "_" in text.partition(":")[0].partition(" ")[0]  # a word of the study file
        begins = text[:1] if is_key or self.paper.language == "zh" else text[:1].upper()
        return self.paper.text(begins + text[1:], style, **how)

    def headed(self, heading: str, *under: Any, style: str = "heading", **how: Any) -> Iterator[Any]:
        """Yield a heading and what stands under it, on the next page where there is no room for some of it."""
        yield CondPageBreak(ROOM)
        yield self.paper.text(heading, style, **how)
        yield from under

    def _head(self) -> Iterator[Any]:
        words, settings, study = self.figures.words, self.figures.settings, self.today.study
        yield self.paper.text(cut(settings.name, 5 * LONGEST), "title")
        yield self.paper.text(words["title"], "heading", colour=SOFT)
        if self.today.synthetic:
            yield self._boxed(MADE_UP)
        circles = [words["minutes"].format(c.name, c.minutes) for c in settings.circles]
        speeds = [words["speed"].format(self.figures.group(c.name), c.speed_mps) for c in settings.walking.classes]
        facts = {
            "residents": people(self.figures.totals.loc[TODAY, "residents"]),
            "baseline": self.figures.scenario(self.comparison.baseline),
            "circles": " · ".join(circles),
            "speeds": " · ".join(speeds),
            "date": settings.date,
            "fingerprint": study.fingerprint,
        }
        rows = [
            [self.paper.text(words[fact], "small", colour=SOFT), self.paper.text(told)]
            for fact, told in facts.items()
            if told
        ]
        yield Table(rows, colWidths=[WIDTH * 0.2, WIDTH * 0.8], style=_PLAIN, spaceBefore=6)

    def _boxed(self, said: str) -> Any:
        style = [("BOX", (0, 0), (-1, -1), 1, colour_of(SITE)), *_PLAIN[:1]]
        told = in_language(said, self.paper.language)
        return Table([[self.paper.text(f"{BOTH}: {told}", colour=SITE)]], colWidths=[WIDTH], style=style, spaceBefore=6)

    def _questions(self) -> Iterator[Any]:
        words = self.figures.words
        rows: list[list[Any]] = [[words["scenario"], words["asked"], words["proof"]]]
        for plan in self.comparison.plans:
            asked = [self.said(line, "text") for line in asked_in_words(plan.scenario)]
            told = [_proof(plan), *([served] if (served := served_in_words(plan)) else [])]
            rows.append([plan.scenario.name, asked, [self.said(line, "text") for line in told]])
        for name, error in self.comparison.refused.items():
            reasons = reasons_told(error, rounded=self.today.demand.rounded)
            why = [error.message, *(breach.message for breach in reasons)]
            scenario = next(s for s in self.figures.settings.scenarios if s.name == name)
            asked = [self.said(line, "text") for line in asked_in_words(scenario)]
            rows.append([name, asked, [self.said(line, "text") for line in why]])
        yield from self.headed(words["questions"], self.paper.table(rows, (3, 7, 3.4), left=3))

    def _circles(self) -> Iterator[Any]:
        baseline = self.figures.scenario(self.comparison.baseline)
        for n, circle in enumerate(c.name for c in self.figures.settings.circles):
            table = self.paper.table(self.figures.within(circle), (4, 1.7, 2, 1.6, 1.8, 1.8, 2, 2.1, 3.4))
            yield from self.headed(self.figures.words["within"].format(circle), table)
            if n == 0:
                yield self.said(Said(OF_CIRCLES, baseline), colour=SOFT)

    def _walks(self) -> Iterator[Any]:
        rows = list(self.figures.walks())
        table = self.paper.table(rows, (3, *(2 for _ in rows[0][1:])))
        yield from self.headed(self.figures.words["walks"], table, self.said(OF_WALKS, colour=SOFT))

    def _speeds(self) -> Iterator[Any]:
        hangs, hidden = len(self.figures.hanging), self.today.demand.rounded
        yield from self.headed(
            self.figures.words["slower"], self.paper.table(self.figures.by_speed(), (4, 2, 2, 2, 2), left=2)
        )
        if not hangs:
            yield self.said(NONE_SHOWN_HANGS if hidden else NONE_HANGS, "text")
            return
        yield CondPageBreak(ROOM)
        yield self.said(FINDINGS_HANG, "small heading", colour=SITE)
        yield self.paper.table(self.figures.hang(), (3, 1.4, 4.4, 1.6, 1.6, 1.6), left=3)
        yield from self._left_out("findings", hangs - MOST_HANGING)

    def _left_out(self, what: str, n: int) -> Iterator[Any]:
        if n > 0:
            yield self.said(Said("{}: {} of them are in compare.csv alone", sentence(what), n), colour=SOFT)

    def _scenario(self, plan: Outcome) -> Iterator[Any]:
        figures, words, name = self.figures, self.figures.words, plan.scenario.name
        circle = figures.circle_of(plan.scenario)
        yield KeepTogether([self.paper.text(cut(name), "heading"), *self._maps(plan, circle)])
        rows = list(figures.sites(plan))
        if len(rows) > 1:
            sites = self.paper.table(rows, (1, 3.6, 2.4, 2, 1.4, 1.2, 1.7, 1.8, 1.8), left=6)
            yield from self.headed(words["sites"], sites, style="small heading")
        else:
            yield self.said(Said("no station opens or closes"), "text")
        if left := figures.unlisted(plan):
            yield self.said(Said("{} more are in sites.csv of the scenario alone", left), colour=SOFT)
        changed = figures.changed_areas(name, circle)[f"change_within_{circle}"]
        if changed.empty:
            yield self.said(Said("no area has more residents within circle {} or fewer", circle))
            return
        areas = self.paper.table(figures.areas_of(name, circle), (4, 1.6, 1.9, 1.9, 1.5, 1.5, 1.6))
        yield from self.headed(words["areas"], areas, style="small heading")
        told = min(MOST_AREAS, int((changed > 0).sum())) + min(MOST_AREAS, int((changed < 0).sum()))
        yield from self._left_out("areas that change", len(changed) - told)

    def _maps(self, plan: Outcome, circle: str) -> tuple[Any, Any]:
        """Return the maps of the baseline and of a scenario, of a long city one under the other, and their legend."""
        words = self.figures.words
        west, south, east, north = self.figures.areas.total_bounds
        is_long = east - west > LONG * (north - south)
        wide = WIDTH if is_long else (WIDTH - GAP) / 2
        stations = self.today.stations.set_index("station_id").geometry
        closed = plan.sites.loc[plan.sites["state"] == "closed", "site_id"]
        order = plan.sites.set_index("site_id")["order"].dropna()
        drawn: dict[str, tuple[Coverage, dict[str, Any]]] = {
            self.comparison.baseline: (self._baseline, {}),
            plan.scenario.name: (plan.coverage, {"order": order, "closed": stations.reindex(closed).dropna()}),
        }
        cells = []
        for name, (coverage, more) in drawn.items():
            title = words["map"].format(cut(self.figures.scenario(name)), circle)
            shares = self.figures.shares(name, circle)
            size = {"width": wide, "height": LONG_HEIGHT if is_long else MAP_HEIGHT}
            mark = BOTH if self.today.synthetic else ""
            drawing = area_map(self.figures.areas, shares, coverage.stations, mark=mark, **size, **more)
            cells.append([self.paper.text(title, "small"), drawing])
        rows = [[cell] for cell in cells] if is_long else [cells]
        pair = Table(rows, colWidths=[wide + GAP / 2] * len(rows[0]), style=_PLAIN)
        return pair, legend(words, width=WIDTH, with_closed=len(closed) > 0)

    @property
    def _baseline(self) -> Coverage:
        plans = {plan.scenario.name: plan.coverage for plan in self.comparison.plans}
        return plans.get(self.comparison.baseline, self.today)

    def _remarks(self) -> Iterator[Any]:
        coverage, zh = self.today, self.paper.language == "zh"
        yield from self.headed(self.figures.words["remarks"])
        lines = [note.zh if zh else note.en for note in coverage.notes]
        yield from (self.said(line) for line in (*lines, STAND, BESIDE))
        if any(len(name) > LONGEST for name in (*self.figures.names.values(), *self._named())):
            cuts = "names of more than {} characters are cut; in full they are in the tables beside this file"
            yield self.said(Said(cuts, LONGEST))
        sources = list(self._sources())
        if self.paper.missing:  # the sources may be what has such characters
            yield self.said(Said(BOXES, MISSING))
        yield from sources

    def _named(self) -> Iterable[str]:
        for plan in self.comparison.plans:
            yield plan.scenario.name
            yield from plan.sites["name"]

    def _sources(self) -> Iterator[Any]:
        if self.today.study.attribution:
            lines = (self.paper.text(line, "small") for line in self.today.study.attribution)
            yield from self.headed(self.figures.words["sources"], *lines, style="small heading")

    def _signatures(self) -> Any:
        words = self.figures.words
        heads = [self.paper.text(words[who]) for who in ("prepared", "checked", "decided")]
        under = [self.paper.text(words["name and date"], "small", colour=SOFT) for _ in heads]
        third = WIDTH / 3 - GAP
        lines: list[tuple[Any, ...]] = [("LINEABOVE", (n, 2), (n, 2), 0.6, colour_of(SOFT)) for n in (0, 2, 4)]
        spaced = [[cell for each in row for cell in (each, "")][:-1] for row in (heads, [""] * 3, under)]
        widths, heights = [third, 1.5 * GAP] * 2 + [third], [None, 16 * mm, None]
        table = Table(spaced, colWidths=widths, rowHeights=heights, style=[*_PLAIN, *lines])
        return KeepTogether([self.paper.text(words["signed"], "heading"), table])


_PLAIN: list[tuple[Any, ...]] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
]


def _proof(outcome: Outcome) -> str:
    """Return how good a plan is known to be."""
    if not isinstance(outcome, Plan):
        return "stated by hand: nothing is searched for"
    solution = outcome.solution
    if solution.status == "optimal":
        proven = sentence("the best that there is, proven")
        return Said("{} as far as there are places", proven) if outcome.lacking else proven
    missing = figure(abs(solution.bound - solution.value), ",.1f").removesuffix(".0")
    unit = unit_of(solution.question)
    return Said("best so far; no plan is better by more than {}", Said("{} {}", missing, unit))
