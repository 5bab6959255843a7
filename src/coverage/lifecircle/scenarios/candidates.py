"""Where candidates come from: the study, its rooms by kind, or proposed where residents are unserved."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sklearn.cluster import Birch

from lifecircle.asked import Scenario
from lifecircle.circles import Coverage
from lifecircle.ground import with_candidates
from lifecircle.model import FloatArray, LongArray, Note, Study
from lifecircle.obstacles import representative_xy
from lifecircle.said import in_chinese

PROPOSED = "proposed"
"""Kind of the candidates that nobody named."""

NOBODY_ASKED = "these sites are buildings amid those who need one, not rooms: nobody has asked their owners"
"""What is said of a plan whose sites are proposed."""

SPACING = 1 / 3
"""A proposed site stands for homes within this part of what the slowest class walks in the circle, as the crow flies:
streets are rarely three times as long."""


def source_of(scenario: Scenario, study: Study) -> str:
    """Return where the candidates come from, one of `lifecircle.asked.SOURCES`."""
    return scenario.candidates_from or ("study" if len(study.candidates) else PROPOSED)


def with_candidates_of(today: Coverage, scenario: Scenario) -> Coverage:
    """Return today's coverage of the study with the candidates that a scenario asks for; itself for the study's own."""
    source = source_of(scenario, today.study)
    if source == "study":
        return today
    study = rooms_of(today.study, scenario.kinds) if source == "rooms" else _noted(_proposed(today, scenario))
    return replace(today, study=study, ground=with_candidates(today.ground, study))


def rooms_of(study: Study, kinds: Collection[str]) -> Study:
    """Return the study with its buildings of some kinds for candidates, but those that a station stands in."""
    free = ~study.buildings["building_id"].isin(study.stations["building_id"])
    rows = np.flatnonzero(free & study.buildings["kind"].isin(kinds))
    rooms = study.buildings.iloc[rows]
    return _with_places(study, rows, id_of="room", kinds=rooms["kind"])


def _proposed(today: Coverage, scenario: Scenario) -> Study:
    """Return the study with a candidate in the middle of each group of homes that the scenario is about.

    Homes are gathered as T. Zhang, R. Ramakrishnan and M. Livny (1996, BIRCH, https://doi.org/10.1145/235968.233324)
    do, none farther from its group's middle than `SPACING` says; the candidate is the home nearest to the middle of
    the group's residents. Homes go in by place, so that the order of the buildings plays no part.
    """
    study = today.study
    rows, people = _homes_asked_for(today, scenario)
    xy_m = representative_xy(study.buildings.iloc[rows])
    order = np.lexsort((study.buildings["building_id"].to_numpy(dtype=object)[rows], xy_m[:, 1], xy_m[:, 0]))
    rows, people, xy_m = rows[order], people[order], xy_m[order]
    if not len(rows):
        return _with_places(study, rows, id_of=PROPOSED, kinds=None)
    circle = next(c for c in study.settings.circles if c.name == scenario.circle)
    slowest_mps = min(c.speed_mps for c in study.settings.walking.classes)
    group = _groups(xy_m, SPACING * circle.cutoff_s * slowest_mps)
    n = int(group.max()) + 1
    weight = np.bincount(group, people, minlength=n)
    middle = np.stack([np.bincount(group, people * c, minlength=n) / weight for c in xy_m.T], axis=1)
    away_m = np.hypot(*(xy_m - middle[group]).T)
    nearest_first = np.lexsort((np.arange(len(rows)), away_m, group))
    _, first = np.unique(group[nearest_first], return_index=True)
    return _with_places(study, rows[nearest_first[first]], id_of=PROPOSED, kinds=None)


def _noted(study: Study) -> Study:
    """Return a study whose pages and tables say that nobody has been asked for its candidates."""
    note, settings = Note(en=NOBODY_ASKED, zh=in_chinese(NOBODY_ASKED)), study.settings
    return replace(study, settings=replace(settings, notes=(*settings.notes, note)))


def _homes_asked_for(today: Coverage, scenario: Scenario) -> tuple[LongArray, FloatArray]:
    """Return the inhabited buildings inside the areas that are on a street, and how many of each need a site.

    Where a question is whether residents are within the circle these are the residents outside it; where it is how far
    they walk, or who is reached even if something happens, all of them.
    """
    study = today.study
    circle = next(c for c in study.settings.circles if c.name == scenario.circle)
    everyone = scenario.question in ("shortest", "fairest") or scenario.max_moves is not None
    everyone |= bool(scenario.backup or scenario.cases or scenario.capacity or scenario.also)
    people = today.demand.residents["residents"].to_numpy(dtype=np.float64) if everyone else today.outside(circle)
    snapped = today.ground.reference.homes.snapped
    asked = (people > 0.0) & snapped & (study.buildings["area_id"] != "").to_numpy()
    rows: LongArray = np.flatnonzero(asked).astype(np.int64)
    return rows, people[rows]


def _groups(xy_m: FloatArray, radius_m: float) -> LongArray:
    """Return the number of the group that each place belongs to, without gaps."""
    # Whole metres from the south-west corner: the sums of squares inside lose no digits that matter.
    local_m = xy_m - np.floor(xy_m.min(axis=0))
    found = Birch(threshold=radius_m, branching_factor=50, n_clusters=None).fit_predict(local_m)
    group: LongArray = np.unique(found, return_inverse=True)[1].astype(np.int64)
    return group


def _with_places(study: Study, rows: LongArray, *, id_of: str, kinds: pd.Series | None) -> Study:
    """Return the study with these of its buildings for candidates, ascending by id."""
    buildings = study.buildings.iloc[rows]
    frame = study.candidates.iloc[:0].drop(columns="geometry").reindex(range(len(rows)))
    texts = [c for c in frame if not pd.api.types.is_numeric_dtype(study.candidates[c])]
    stated = {
        "site_id": [f"{id_of}-{building}" for building in buildings["building_id"]],
        "name": buildings["name"].fillna("").to_list(),
        "kind": [PROPOSED] * len(rows) if kinds is None else kinds.to_list(),
        "area_id": buildings["area_id"].to_list(),
        "building_id": buildings["building_id"].to_list(),
    }
    frame = frame.assign(**dict.fromkeys(texts, "")).assign(**stated)
    points = shapely.points(representative_xy(buildings))
    places = gpd.GeoDataFrame(frame, geometry=points, crs=study.crs)
    return replace(study, candidates=places.sort_values("site_id", kind="stable").reset_index(drop=True))
