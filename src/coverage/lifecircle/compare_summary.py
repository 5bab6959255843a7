"""What `compare` shows: the scenarios side by side, and which findings hang on the walking speed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from lifecircle.errors import SHOWN_IDS
from lifecircle.numerals import figure, people, share
from lifecircle.said import Said, first_of, in_chinese, in_language
from lifecircle.scenarios import served_in_words
from lifecircle.scenarios.comparison import AS_STATED, SPEEDS, TODAY, Comparison, hanging
from lifecircle.schema import TOTAL
from lifecircle.terminal import heading, out, plain, show_error, spoken, titled

SIGNED = "+,.0f"

HANGS = (
    "hangs on the walking speed: {}, circle {}, {}: {} residents where all walk 10 % slower, {} as stated, "
    "{} where 10 % faster"
)
NOTHING_HANGS = "no finding hangs on the walking speed: 10 % slower or faster, each area wins or loses as it does here"
NOTHING_SHOWN_HANGS = "no finding that is shown hangs on the walking speed; small ones are not shown"


def show_comparison(comparison: Comparison) -> None:
    """Show who is in each circle with each scenario, what hangs on the speed, and why scenarios have no plan."""
    settings, table = comparison.today.study.settings, comparison.table
    language, columns = settings.language, ("stations", "within", "won", "lost", "cost", "worst area")
    title = in_language(Said("Beside {}", _named(comparison.baseline, language)), language)
    headings = [heading(name, language) for name in ("scenario", "circle", *columns)]
    shown = Table(*headings, title=titled(title, comparison.today.synthetic), title_justify="left")
    names = comparison.today.study.areas.set_index("area_id")["name"]
    of_all = table[(table["area_id"] == TOTAL) & (table["group"] == "all") & (table["speed"] == AS_STATED)]
    for row in of_all.to_dict("records"):
        for circle in (c.name for c in settings.circles):
            worst = row[f"worst_area_{circle}"]
            within = f"{people(row[f'within_{circle}'])}\n({share(row[f'share_{circle}'])})"
            moved = (people(row[f"{what}_{circle}"]) for what in ("won", "lost"))
            told = f"{names[worst] or worst} ({share(row[f'worst_share_{circle}'])})" if worst else "-"
            about = plain(_named(row["scenario"], language)), plain(circle), people(row["stations"]), within
            shown.add_row(*about, *moved, figure(row["cost"], ",.10g"), plain(told))
    for name, column in zip(("scenario", "circle", *columns), shown.columns, strict=True):
        of_figures = name in ("stations", "within", "won", "lost", "cost")
        column.overflow, column.no_wrap, column.justify = "fold", of_figures, "right" if of_figures else "left"
    out.print(shown)
    for line in (*_served(comparison), *_hanging(comparison)):
        out.print(spoken(line, language), soft_wrap=True)
    for refused in comparison.refused.values():
        show_error(refused)


def _served(comparison: Comparison) -> Iterator[Said]:
    """Yield whom stations have room for, of each scenario under capacities."""
    for plan in comparison.plans:
        if told := served_in_words(plan):
            yield Said("{}: {}", plan.scenario.name, told)


def _named(scenario: str, language: str) -> str:
    """Return the name of a scenario, a word of ours for today."""
    return in_chinese(scenario) if scenario == TODAY and language == "zh" else scenario


def _hanging(comparison: Comparison) -> Iterator[Said | str]:
    """Yield the findings that hang on the speed: of all areas a line each, of single areas one for all of them."""
    study, language = comparison.today.study, comparison.today.study.settings.language
    found = hanging(comparison.table, study.settings.circles)
    names = study.areas.set_index("area_id")["name"]
    if found.empty:
        yield NOTHING_SHOWN_HANGS if comparison.today.demand.rounded else NOTHING_HANGS
        return
    of_all = found["area_id"] == TOTAL
    for row in found[of_all].to_dict("records"):
        yield Said(
            HANGS,
            _named(row["scenario"], language),
            row["circle"],
            heading(str(row["group"]).replace("_", " "), language),
            *(figure(round(row[speed]) + 0, SIGNED) for speed in SPEEDS),
        )
    areas = found[~of_all].drop_duplicates(["scenario", "circle", "area_id"])
    for (scenario, circle), rows in areas.groupby(["scenario", "circle"], sort=False):
        told = first_of([names[i] or i for i in rows["area_id"]], SHOWN_IDS)
        pattern = "hangs on the walking speed: {}, circle {}, all residents or a group of them in {} of the areas: {}"
        yield Said(pattern, _named(scenario, language), circle, len(rows), told)
