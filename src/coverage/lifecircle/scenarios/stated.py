"""Today as a scenario states it: stations opened, closed and moved by hand, other speeds, closed roads.

What `Situation.after` does to a situation is done here to a study, with the same words, so that whatever is asked of a
study can be asked of the changed one: opened candidates are stations of it, closed stations are none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifecircle.asked import Scenario
from lifecircle.circles import Coverage, cover_with
from lifecircle.errors import Breach, InfeasibleError
from lifecircle.ground import Ground, with_closed
from lifecircle.model import BoolArray, Study
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.said import Said
from lifecircle.scenarios.sites import Rows, all_places

OPENED = "opened"
"""State of a candidate that a scenario opens by hand; one that a search opens is ``chosen``."""


def is_changed(scenario: Scenario) -> bool:
    """Return whether a scenario states anything by hand."""
    return bool(scenario.opened or scenario.gone or scenario.speeds or scenario.closed)


def study_as_stated(study: Study, scenario: Scenario) -> Study:
    """Return the study that a scenario starts from, itself where it states nothing; unknown names play no part."""
    if not is_changed(scenario):
        return study
    stand, wait = _stand_and_wait(study, scenario)
    places = all_places(study).drop(columns="state")
    walking = study.settings.walking
    walkers = tuple(replace(c, speed_mps=scenario.speeds.get(c.name, c.speed_mps)) for c in walking.classes)
    walking = replace(walking, classes=walkers, closed=(*walking.closed, *scenario.closed))
    return replace(
        study,
        settings=replace(study.settings, walking=walking),
        stations=places.iloc[stand].reset_index(drop=True),
        candidates=places.iloc[wait].rename(columns={"station_id": "site_id"}).reset_index(drop=True),
    )


def as_stated(today: Coverage, scenario: Scenario) -> Coverage:
    """Return the coverage that a scenario starts from; today's itself where it states nothing by hand.

    Raises
    ------
    InfeasibleError
        When it opens a candidate that no class can get to.
    """
    if not is_changed(scenario):
        return today
    study = study_as_stated(today.study, scenario)
    stand, wait = _stand_and_wait(today.study, scenario)
    surfaces = {}
    for steps, surface in today.ground.surfaces.items():
        places = surface.stations.followed_by(surface.candidates)
        surfaces[steps] = replace(surface, stations=places.take(stand), candidates=places.take(wait))
    ground = replace(today.ground, walking=study.settings.walking, surfaces=surfaces)
    if scenario.closed:
        ground = with_closed(ground, study, scenario.closed)
    _refuse_unreachable(study, ground, scenario)
    state = np.where(study.stations["station_id"].isin(scenario.opened), OPENED, "fixed")
    return cover_with(study, ground, today.demand, study.stations.assign(state=state), np.arange(len(stand)))


def _stand_and_wait(study: Study, scenario: Scenario) -> tuple[Rows, Rows]:
    """Return which of all places are stations of the scenario and which are its candidates, each ascending by id."""
    places = all_places(study)
    ids, stood = places["station_id"], (places["state"] == "fixed").to_numpy()
    opened: BoolArray = ~stood & ids.isin(scenario.opened).to_numpy()
    stands: BoolArray = (stood & ~ids.isin(scenario.gone).to_numpy()) | opened
    by_id = np.argsort(ids.to_numpy(dtype=object), kind="stable")
    return by_id[stands[by_id]], by_id[(~stood & ~opened)[by_id]]


def _refuse_unreachable(study: Study, ground: Ground, scenario: Scenario) -> None:
    """Refuse to open what nobody can get to."""
    walked = np.logical_or.reduce([ground.walk(c).stations.snapped for c in study.settings.walking.classes])
    ids = study.stations["station_id"]
    if off := ids[~walked & ids.isin(scenario.opened).to_numpy()].tolist():
        language = study.settings.language
        told = Said("no class can walk there: {}", ", ".join(off))
        message = Said("{}: scenario '{}' cannot be laid out", study.path, scenario.name)
        raise InfeasibleError(
            message, breaches=[Breach(STUDY_FILE, "no-way-to-site", told, tuple(off), len(off))], language=language
        )
