"""Where stations stand and could stand, and the walks of everybody to all of these places."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.circles import Coverage
from lifecircle.errors import UnknownNameError
from lifecircle.ground import Ground
from lifecircle.model import TOLERANCE_S, BoolArray, Circle, FloatArray, Study, Walks
from lifecircle.said import Said, joined
from lifecircle.service import Eligibility

Rows = npt.NDArray[np.intp]

ALIKE = 3
"""So many ids are told that are spelled most like one that is not there."""

LIKENESS = 0.5
"""The least part of two ids that must agree, see `difflib.SequenceMatcher.ratio`."""


@dataclass(frozen=True, eq=False)
class Sites:
    """Where stations stand and could stand: today's first, then the candidates, each ascending by id.

    ``places`` says which of the study's places they are: stations by row, then candidates. ``walks`` has for each
    circle, at its time, the sites as rows; columns are the buildings once for each speed class, in the study's order,
    at least up to the circle. ``weights`` are the residents of those columns, 0 outside every area.
    """

    frame: gpd.GeoDataFrame
    places: Rows
    walks: Mapping[str, Walks]
    weights: FloatArray

    @property
    def standing(self) -> np.ndarray:
        """Rows of today's stations."""
        rows: np.ndarray = np.flatnonzero(self.frame["state"] == "fixed")
        return rows


def possible_sites(today: Coverage) -> Sites:
    """Return today's stations and the candidates with the walks to all of them.

    Stations and candidates that no class can get to are not among them; ``today.ground.findings`` names them.
    """
    study, ground = today.study, today.ground
    classes = study.settings.walking.classes
    places = np.flatnonzero(np.logical_or.reduce([ground.walk(c).sites.snapped for c in classes]))
    frame = all_places(study).iloc[places].reset_index(drop=True)
    inside = (study.buildings["area_id"] != "").to_numpy()
    weights = [np.where(inside, today.demand.of(c.name), 0.0) for c in classes]
    return Sites(frame, places, _walks_by_circle(study, ground, frame, places), np.concatenate(weights))


def all_places(study: Study) -> gpd.GeoDataFrame:
    """Return today's stations and the candidates in one frame, which ``state`` tells apart."""
    candidates = study.candidates.rename(columns={"site_id": "station_id"})
    everywhere = [study.stations.assign(state="fixed"), candidates.assign(state="candidate")]
    return gpd.GeoDataFrame(pd.concat(everywhere, ignore_index=True), crs=study.crs)


def unknown_place(place: str, known: Iterable[str], *, language: str) -> UnknownNameError:
    """Return what to tell of the id of no station and no candidate: which of those ``known`` are spelled like it."""
    spelled = difflib.SequenceMatcher(b=place)
    unlike = []
    for one in known:
        spelled.set_seq1(one)
        unlike.append((-spelled.ratio(), one))
    message = Said("there is no station or candidate '{}', or nobody can walk to it", place)
    if alike := [one for ratio, one in sorted(unlike)[:ALIKE] if ratio <= -LIKENESS]:
        message = Said("{}; did you mean {}?", message, joined(alike))
    return UnknownNameError(message, language=language)


def walks_within(
    study: Study, ground: Ground, frame: gpd.GeoDataFrame, places: Rows, *, at: str, cutoff_s: float
) -> Walks:
    """Return the walks of all classes to the sites of ``frame`` that may serve them, at a time of the week.

    Parameters
    ----------
    places
        Which of the study's places the rows of ``frame`` are.
    at
        As in `Circle`.
    cutoff_s
        Seconds, inclusive.
    """
    rule, parts = Eligibility.of(study), []
    for walker in study.settings.walking.classes:
        footing = ground.walk(walker, at=at)
        walks = footing.within(footing.sites.take(places), footing.homes, cutoff_s=cutoff_s)
        parts.append(rule.allowed(walks, frame["area_id"], study.buildings["area_id"]))
    return _side_by_side(parts)


def rows_of(walks: Walks, rows: np.ndarray) -> Walks:
    """Return the walks to some of the sites; to all of them, as they stand, the walks themselves."""
    if np.array_equal(rows, np.arange(walks.n_facilities)):
        return walks
    counts = np.diff(walks.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    entries = np.repeat(walks.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
    return Walks(indptr, walks.indices[entries], walks.seconds[entries], walks.n_demand)


def reached_by_any(walks: Walks, rows: np.ndarray, cutoff_s: float) -> BoolArray:
    """Return which columns are within ``cutoff_s`` seconds, inclusive, of one of the sites ``rows``."""
    some = rows_of(walks, rows)
    reached = np.zeros(walks.n_demand, dtype=bool)
    reached[some.indices[some.seconds <= cutoff_s + TOLERANCE_S]] = True
    return reached


def _walks_by_circle(study: Study, ground: Ground, frame: gpd.GeoDataFrame, places: Rows) -> dict[str, Walks]:
    """Return the walks to the sites for each circle; circles of the same network share those of the largest."""
    classes = study.settings.walking.classes
    alike: dict[tuple[int, ...], list[Circle]] = {}
    for circle in study.settings.circles:
        networks = tuple(id(ground.walk(c, at=circle.at).network) for c in classes)
        alike.setdefault(networks, []).append(circle)
    found: dict[str, Walks] = {}
    for circles in alike.values():
        cutoff_s = max(c.cutoff_s for c in circles)
        walks = walks_within(study, ground, frame, places, at=circles[0].at, cutoff_s=cutoff_s)
        found |= dict.fromkeys((c.name for c in circles), walks)
    return found


def _side_by_side(parts: list[Walks]) -> Walks:
    """Return walks to the same sites from several lots of demand, their columns one lot after the other."""
    if len(parts) == 1:
        return parts[0]
    row = np.concatenate([np.repeat(np.arange(w.n_facilities), np.diff(w.indptr)) for w in parts])
    offset = np.cumsum([0, *(w.n_demand for w in parts)])
    indices = np.concatenate([w.indices + np.int32(o) for w, o in zip(parts, offset[:-1], strict=True)])
    seconds = np.concatenate([w.seconds for w in parts])
    order = np.argsort(row, kind="stable")
    indptr = np.sum([w.indptr for w in parts], axis=0)
    return Walks(indptr, indices[order], seconds[order], int(offset[-1]))
