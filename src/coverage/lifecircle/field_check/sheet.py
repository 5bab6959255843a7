"""The sheet of places to look at: most residents first, filled in as findings that a study takes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from pyproj import Transformer

from lifecircle.agreement import are_among
from lifecircle.circles import Coverage
from lifecircle.field_check.passages import passages
from lifecircle.mark import marked
from lifecircle.model import BoolArray, Circle, FloatArray, SpeedClass
from lifecircle.obstacles import representative_xy
from lifecircle.said import in_language
from lifecircle.scenarios.measures import Walked

PLACES = 50
"""So many places are on the sheet, those first on which most residents hang."""

NEAR = 0.05
"""A home is near the edge of a circle where walking this much slower or faster takes it out or in."""

LEAST = 0.5
"""Nobody is sent where fewer residents than this, who would be told as none, are at stake."""

COUNTED = ("building", "address", "point", "finding")
"""How residents are known of whom nobody guessed in which building they live; see `Study`."""

COLUMNS = (
    *("what", "id", "value", "lon", "lat", "who", "when"),
    *("look_at", "residents", "circle", "at_lon", "at_lat"),
)
"""Those of findings, to be filled in but for the first two; then what to look at, what hangs on it, and where it is."""

BLANK = ("value", "lon", "lat", "who", "when")
"""Columns that are filled in."""

DOOR = (
    "entrance",
    "close to the edge of the circle: where is the door? Write its lon and lat, and here as the value",
)
LEG = (
    "entrance",
    "the way out crosses a wall, a building, rails or water: where is the door that people use? Write its lon and lat, "
    "and here as the value",
)
COUNT = (
    "residents",
    "close to the edge of the circle, and the residents are an estimate: how many live here? Write the number",
)
STATION = (
    "station",
    "the way in crosses a wall, a building, rails or water: where is the station's door? Write its lon and lat, and "
    "moved as the value; or closed, where there is no station",
)
GATE = ("gate", "can people pass who do not live here, and when? Write open, shut, or the hours")
WAY = ("way", "does it let people through who do not live here? Write open, private or closed")


def field_check(coverage: Coverage) -> pd.DataFrame:
    """Return the places where most residents hang on something that only the field can tell.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`. A row says ``what`` of which ``id`` to look at, and why in the study's language: the door
        or the residents of a home near the edge of a circle, the door of a home or station whose leg is blocked, a
        gate, or a private way. By what is found there ``residents`` are in ``circle`` or are not. At most `PLACES`
        places, most residents first; one may have two rows. ``at_lon`` and ``at_lat`` are degrees of WGS 84;
        ``synthetic`` last where the study is made up.
    """
    study, language = coverage.study, coverage.study.settings.language
    inside = (study.buildings["area_id"] != "").to_numpy()
    people = np.concatenate([np.where(inside, coverage.demand.of(c), 0.0) for c in coverage.reach])
    near, blocked = _near_the_edge(coverage, people), _behind_an_obstacle(coverage, people)
    known = are_among(study.buildings["building_id"], study.entrances["building_id"])
    counted = study.residents["target_id"][study.residents["by"].isin(COUNTED)]
    guessed = coverage.demand.estimated & ~are_among(study.buildings["building_id"], counted)
    parts = [
        _of_homes(coverage, near[~known], DOOR),
        _of_homes(coverage, near[guessed], COUNT),
        _of_homes(coverage, blocked, LEG),
        _of_stations(coverage, people),
        *_of_passages(coverage, people),
    ]
    found = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    found = found[found["residents"] >= LEAST]
    first = found.assign(most=found.groupby("place")["residents"].transform("max")).sort_values(
        ["most", "place", "residents", "what"], ascending=[False, True, False, True], kind="stable"
    )
    first = first.drop_duplicates(["what", "id"])
    first = first[first["place"].isin(first["place"].drop_duplicates().head(PLACES))].reset_index(drop=True)
    lon, lat = Transformer.from_crs(study.crs, 4326, always_xy=True).transform(first["x_m"], first["y_m"])
    told = [in_language(text, language) for text in first["look_at"]]
    sheet = first.assign(look_at=told, at_lon=np.round(lon, 7), at_lat=np.round(lat, 7), **dict.fromkeys(BLANK, ""))
    return marked(sheet[[*COLUMNS]], coverage.synthetic)


def _near_the_edge(coverage: Coverage, people: FloatArray) -> pd.DataFrame:
    """Return by building who is within a circle when walking a little faster, and not when a little slower."""
    slower, faster = (Walked.of(coverage, speed=speed) for speed in (1.0 - NEAR, 1.0 + NEAR))
    return _most_by_circle(coverage, people, {c.name: faster.within(c) & ~slower.within(c) for c in _circles(coverage)})


def _behind_an_obstacle(coverage: Coverage, people: FloatArray) -> pd.DataFrame:
    """Return by building who is within a circle by a leg that crosses something, the stations' own legs aside."""
    held = []
    for walker, reach in zip(coverage.study.settings.walking.classes, coverage.reach.values(), strict=True):
        of_station = np.append(_is_blocked(coverage, walker), False)[reach.walks.facility[:, 0]]
        held.append(reach.walks.blocked[:, 0] & ~of_station)
    own = np.concatenate(held)
    return _most_by_circle(coverage, people, {c.name: own & coverage.within(c) for c in _circles(coverage)})


def _is_blocked(coverage: Coverage, walker: SpeedClass) -> BoolArray:
    """Return (n_stations,) which stations a class gets to across something."""
    stations = coverage.ground.walk(walker).sites.take(coverage.sites)
    blocked = np.zeros(stations.n_places, dtype=bool)
    blocked[stations.place[stations.blocked]] = True
    return blocked


def _circles(coverage: Coverage) -> tuple[Circle, ...]:
    return coverage.study.settings.circles


def _most_by_circle(coverage: Coverage, people: FloatArray, concerned: Mapping[str, BoolArray]) -> pd.DataFrame:
    """Return (n_buildings,) residents concerned and the circle in which they are most.

    ``concerned`` are by circle the buildings once for each class.
    """
    n = len(coverage.study.buildings)
    by_circle = np.stack([np.where(who, people, 0.0).reshape(-1, n).sum(axis=0) for who in concerned.values()])
    most = by_circle.argmax(axis=0)
    return pd.DataFrame({"residents": by_circle.max(axis=0), "circle": np.array([*concerned], dtype=object)[most]})


def _of_homes(coverage: Coverage, found: pd.DataFrame, ask: tuple[str, str]) -> pd.DataFrame:
    """Return a row for each building concerned; ``found`` has some rows of the buildings."""
    found = found[found["residents"] >= LEAST]
    buildings = coverage.study.buildings.iloc[found.index]
    return _rows(found.assign(id=buildings["building_id"]), representative_xy(buildings), "building", ask)


def _of_stations(coverage: Coverage, people: FloatArray) -> pd.DataFrame:
    """Return a row for each station that is got to across something, with those who are in a circle by it."""
    study, n = coverage.study, len(coverage.stations)
    own = people.reshape(len(coverage.reach), -1)
    by_circle = {}
    for circle in _circles(coverage):
        load = np.zeros(n)
        for walker, reach, who in zip(study.settings.walking.classes, coverage.reach.values(), own, strict=True):
            station = reach.serving[circle.name]
            served = (station >= 0) & np.append(_is_blocked(coverage, walker), False)[station]
            load += np.bincount(station[served], who[served], minlength=n)
        by_circle[circle.name] = load
    table = pd.DataFrame(by_circle)
    found = pd.DataFrame({"residents": table.max(axis=1), "circle": table.idxmax(axis=1)})
    found = found[found["residents"] >= LEAST]
    stations = coverage.stations.iloc[found.index]
    xy_m = np.column_stack([stations.geometry.x, stations.geometry.y])
    return _rows(found.assign(id=stations["station_id"]), xy_m, "station", STATION)


def _of_passages(coverage: Coverage, people: FloatArray) -> Iterator[pd.DataFrame]:
    """Yield the rows of the gates and of the private ways on which somebody's circle hangs."""
    found = passages(coverage, people)
    for ask, some in ((GATE, [p for p in found if p.is_gate]), (WAY, [p for p in found if not p.is_gate])):
        if some:
            told = pd.DataFrame([{"id": p.id, "residents": p.residents, "circle": p.circle} for p in some])
            yield _rows(told, np.array([p.xy_m for p in some]), "way", ask)


def _rows(found: pd.DataFrame, xy_m: FloatArray, kind: str, ask: tuple[str, str]) -> pd.DataFrame:
    """Return rows of the sheet before they are ordered: ``found`` has id, residents and circle."""
    what, look_at = ask
    place = kind + " " + found["id"].astype(str)
    return found.assign(what=what, look_at=look_at, place=place, x_m=xy_m[:, 0], y_m=xy_m[:, 1])
