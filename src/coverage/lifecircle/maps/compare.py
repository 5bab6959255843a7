"""The page of a comparison: any two scenarios on one map, whom a change of them hurts, and tables to sign by."""

from __future__ import annotations

from collections.abc import Sequence

from lifecircle.maps.compare_payload import compare_payload
from lifecircle.maps.frame import framed
from lifecircle.scenarios import Comparison, Stage

SCRIPTS = (
    *("text", "shapes", "tiles", "cards", "streets", "parts", "areas", "search"),
    *("states", "compare_cards", "compare_tables", "compare_panel", "touch", "swipe", "compare"),
)


def comparison_page(comparison: Comparison, *, stages: Sequence[Stage] = ()) -> str:
    """Return a page that lays scenarios side by side, as the text of one HTML file that needs nothing else.

    Parameters
    ----------
    comparison
        What is laid side by side; of one that is published the page shows what is shown.
    stages
        The years in which plans are built, as `lifecircle.scenarios.stages_of` returns them.

    Returns
    -------
    str
        HTML, as `framed` makes it. What is unreachable, or not shown, has no number and says so.
    """
    data = compare_payload(comparison, stages)
    areas = comparison.today.study.areas
    return framed("compare.html", areas, data, scripts=SCRIPTS, styles=["page.css", "compare.css"])
