"""The page of a coverage, with a plan or without."""

from __future__ import annotations

import pandas as pd

from lifecircle.circles import Coverage
from lifecircle.maps.frame import framed
from lifecircle.maps.payload import payload
from lifecircle.scenarios import Outcome

SCRIPTS = (
    "text",
    "shapes",
    "tiles",
    "cards",
    "streets",
    "ways",
    "details",
    "parts",
    "search",
    "panel",
    "areas",
    "touch",
    "map",
)


def coverage_page(
    coverage: Coverage, *, plan: Outcome | None = None, unserved: pd.DataFrame | None = None, asking: str = ""
) -> str:
    """Return a page that shows who reaches a station, as the text of one HTML file that needs nothing else.

    Parameters
    ----------
    coverage
        Coverage of today, or the plan's own.
    plan
        Sites proposed. With today's coverage the page opens with the plan and can go back to today; with
        ``plan.coverage`` it shows the plan alone.
    unserved
        Rows of unserved.csv, worked out on the plan's coverage where there is a plan.
    asking
        The script of a server that gives the page out: it runs after the page's own and may ask that server, no other.
        It draws the ways, which are not in the page then.

    Returns
    -------
    str
        HTML, as `framed` makes it. What is unreachable has no number and says so.
    """
    data = payload(coverage, plan=plan, unserved=unserved, ways=not asking)
    return framed("page.html", coverage.study.areas, data, scripts=SCRIPTS, styles=["page.css"], asking=asking)
