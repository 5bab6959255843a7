"""Areas that have fewer places than ``at_least`` asks for: refused, or opened as far as there are places."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.asked import Scenario
from lifecircle.circles import Coverage
from lifecircle.errors import KEPT_IDS, Breach, InfeasibleError
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.said import Said
from lifecircle.scenarios.costs import areas_at
from lifecircle.scenarios.posed import Posed


def lacking_areas(posed: Posed, scenario: Scenario, today: Coverage) -> tuple[str, ...]:
    """Return the ids of the areas that have fewer places than a scenario asks stations for, in the study's order."""
    places, asked = _places(posed, scenario, today), scenario.at_least
    return () if asked is None else tuple(places.index[places < asked.n])


def refuse_lacking(posed: Posed, scenario: Scenario, today: Coverage) -> None:
    """Refuse more stations in every area than some area has places for, unless all of these places would do.

    Raises
    ------
    InfeasibleError
        It names each such area with the places that it has, and the largest number that every area has places for.
    """
    asked, lacking = scenario.at_least, lacking_areas(posed, scenario, today)
    if asked is None or asked.or_all or not lacking:
        return
    places, areas = _places(posed, scenario, today), today.study.areas.set_index("area_id")["name"]
    breaches = []
    for possible, found in places[list(lacking)].groupby(places):
        named = ", ".join(str(areas[i] or i) for i in found.index)
        told = Said("at_least: n is {:,}, places for {:,} are in {}", asked.n, possible, named)
        ids = tuple(str(i) for i in found.index)
        breaches.append(Breach(STUDY_FILE, "too-few-places", told, ids[:KEPT_IDS], len(ids)))
    most = int(places.min())
    advice = Said("every area has places for n = {:,}", most)
    if not most:
        advice = Said("not every area has a place; more candidates would help")
    message = Said(
        "scenario '{}': no plan can meet the question; {}; with or_all = true beside n, an area with fewer places "
        "opens all that it has",
        scenario.name,
        advice,
    )
    raise InfeasibleError(message, breaches=breaches, language=today.study.settings.language)


def _places(posed: Posed, scenario: Scenario, today: Coverage) -> pd.Series:
    """Return how many places, today's stations among them, each area of the level has, by its id."""
    areas, asked = today.study.areas, scenario.at_least
    if asked is None:
        return pd.Series(dtype=np.int64)
    of_site = areas_at(asked.level, posed.frame, AreaTree.of(areas))
    places = pd.Series(np.bincount(of_site[of_site >= 0], minlength=len(areas)), index=areas["area_id"])
    return places[(areas["level"] == asked.level).to_numpy()]
