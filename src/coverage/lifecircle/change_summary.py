"""What `what-if` and `site` show of a change made by hand: whom it brings into each circle and whom it takes out."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from lifecircle.circles import Coverage
from lifecircle.numerals import figure, people
from lifecircle.plan_summary import by_name, said_of_closings, show_plan
from lifecircle.publish import LEAST
from lifecircle.said import in_language
from lifecircle.scenarios import Outcome, Plan, Situation, by_hand_in_words, effects, won_and_lost
from lifecircle.terminal import heading, out, plain, spoken, titled

CHANGE = ("before", "won", "lost", "after")
"""Figures of a change of stations."""


def show_outcome(outcome: Outcome, today: Coverage, *, time_limit_s: float | None = None) -> None:
    """Show a plan as `show_plan` does; of a scenario that asks nothing whom it brings into each circle and takes out.

    Parameters
    ----------
    today
        Today's coverage.
    time_limit_s
        As of `show_plan`.
    """
    if isinstance(outcome, Plan):
        show_plan(outcome, time_limit_s=time_limit_s)
        return
    settings, closed = today.study.settings, outcome.sites[outcome.sites["state"] == "closed"]
    found = won_and_lost(today, today.within, outcome.coverage.within)
    if today.demand.rounded:
        found = found.assign(**{c: found[c].where(found[c] >= LEAST) for c in CHANGE})
    out.print(_effects(found, titled(outcome.scenario.name, today.synthetic), settings.language))
    for line in (*by_hand_in_words(outcome.scenario), *said_of_closings(by_name(closed), settings.circles)):
        out.print(spoken(line, settings.language), soft_wrap=True)


def show_change(before: Situation, after: Situation, closed: pd.DataFrame) -> None:
    """Show whom of all areas a change brings into each circle and takes out of it, by group, and whom closing hurts.

    Parameters
    ----------
    before, after
        With the stations of today, and with the change.
    closed
        As `lifecircle.scenarios.closed_between` returns it.
    """
    settings, today = before.today.study.settings, before.today
    title = titled(in_language("What if", settings.language), today.synthetic)
    out.print(_effects(effects(before, after), title, settings.language))
    for line in said_of_closings(closed, settings.circles):
        out.print(spoken(line, settings.language), soft_wrap=True)


def _effects(found: pd.DataFrame, title: str, language: str) -> Table:
    """Return a table of who comes into each circle and who leaves it; ``found`` as `won_and_lost` returns it."""
    headings = [heading(name, language) for name in ("circle", "group", *CHANGE, "change")]
    table = Table(*headings, title=title, title_justify="left")
    for row in found.to_dict("records"):
        whose = heading(str(row["group"]).replace("_", " "), language)
        figures = (people(row[column]) for column in CHANGE)
        table.add_row(plain(row["circle"]), whose, *figures, figure(row["won"] - row["lost"], "+,.0f"))
    return table
