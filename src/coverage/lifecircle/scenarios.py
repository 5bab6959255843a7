"""Siting questions of a study: run, explained in the study's own ids; and who is left unserved.

Today's stations are kept; beside them the candidates compete. Residents outside every area load stations but are no
coverage, so they weigh nothing in an objective.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import Transformer
from sklearn.cluster import DBSCAN

from lifecircle.circles import Coverage, cover_today, cover_with
from lifecircle.errors import Breach, StudyError, UnknownNameError
from lifecircle.ground import Ground
from lifecircle.mark import marked
from lifecircle.model import Circle, FloatArray, Scenario, Study, Walks
from lifecircle.rules import warn_of
from lifecircle.service import Eligibility, serves
from lifecircle.siting import FewestStations, MostResidents, Question, SitingPlan, Standard, coverage_of, solve
from lifecircle.siting import incidence as sparse
from lifecircle.siting.explain import reach_of_sites
from lifecircle.siting.supply import supply_of

NEIGHBOURS_M = 100.0
"""Unserved buildings no farther apart than this belong to one unserved area, metres."""


@dataclass(frozen=True, eq=False)
class Sites:
    """Where stations stand and could stand: today's first, then the candidates, each ascending by id.

    ``places`` says which of the study's places they are: stations by row, then candidates. ``walks`` has for each
    circle, at its time, the sites as rows; columns are the buildings once for each speed class, in the study's order,
    at least up to the circle. ``weights`` are the residents of those columns, 0 outside every area.
    """

    frame: gpd.GeoDataFrame
    places: npt.NDArray[np.intp]
    walks: Mapping[str, Walks]
    weights: FloatArray

    @property
    def standing(self) -> np.ndarray:
        """Rows of today's stations."""
        rows: np.ndarray = np.flatnonzero(self.frame["state"] == "fixed")
        return rows


@dataclass(frozen=True, eq=False)
class Plan:
    """A scenario's answer: the plan in numbers, its sites by id, and the coverage with them opened.

    ``sites`` holds the columns of sites.csv: today's stations and the chosen sites in their order; ``synthetic`` last
    where the study is made up.
    """

    scenario: Scenario
    solution: SitingPlan
    sites: pd.DataFrame
    coverage: Coverage
    reached: float
    """Residents within the scenario's circle with the plan."""
    reachable: float
    """Residents within it if every candidate were opened: no choice of sites exceeds that."""


def site(
    study: Study,
    *,
    scenario: str,
    today: Coverage | None = None,
    sites: Sites | None = None,
    time_limit_s: float | None = None,
) -> Plan:
    """Answer one of the study's siting questions.

    Parameters
    ----------
    study
        As ``open_study`` returns it.
    scenario
        Name of a ``[[scenario]]`` of the study.
    today, sites
        What ``cover(study)`` and ``possible_sites(today)`` returned, so that they are not worked out again.
    time_limit_s
        Seconds for the search; a plan cut short has the status ``feasible`` and its proven gap.

    Returns
    -------
    Plan
        Value, bound and gap are recomputed from the walks.

    Warns
    -----
    DegradedWarning
        Of each finding of today's coverage, in the class of its rule, where it is worked out here.

    Raises
    ------
    UnknownNameError
        When the study has no scenario of that name.
    InfeasibleError
        When no plan can meet the question.
    StudyError
        When the question cannot be meant.
    """
    asked = find_scenario(study, scenario)
    if today is None:
        today = cover_today(study)
        warn_of(today.findings)
    sites = possible_sites(today) if sites is None else sites
    circle = next(c for c in study.settings.circles if c.name == asked.circle)
    able = np.flatnonzero(serves(sites.frame, circle))
    fixed = np.flatnonzero(np.isin(able, sites.standing))
    walks = _rows(sites.walks[circle.name], able)
    solution = solve(question_of(asked, circle), walks, sites.weights, fixed=fixed, time_limit_s=time_limit_s)
    chosen = able[solution.chosen]

    opened = np.concatenate([sites.standing, chosen])
    stations = sites.frame.iloc[opened].assign(state=["fixed"] * len(sites.standing) + ["chosen"] * len(chosen))
    order = np.argsort(stations["station_id"].to_numpy(dtype=object), kind="stable")
    after = cover_with(
        study,
        today.ground,
        today.demand,
        stations.iloc[order].reset_index(drop=True),
        sites.places[opened[order]],
    )
    return Plan(
        scenario=asked,
        solution=solution,
        sites=_sites_frame(study, sites, solution, able, chosen, after),
        coverage=after,
        reached=coverage_of(walks, solution.sites, sites.weights, circle.cutoff_s),
        reachable=coverage_of(walks, range(len(able)), sites.weights, circle.cutoff_s),
    )


def find_scenario(study: Study, name: str) -> Scenario:
    """Return the study's scenario of that name.

    Raises
    ------
    UnknownNameError
        When there is none; the message lists those there are.
    """
    for scenario in study.settings.scenarios:
        if scenario.name == name:
            return scenario
    known = ", ".join(s.name for s in study.settings.scenarios) or "none"
    raise UnknownNameError(f"the study has no scenario '{name}'; it has: {known}")


def question_of(scenario: Scenario, circle: Circle) -> Question:
    """Return the question in numbers.

    Raises
    ------
    StudyError
        For a question that siting does not know, or one without its limit.
    """
    if scenario.question == "most" and scenario.n_new is not None:
        return Question(MostResidents(circle.cutoff_s), n_new=scenario.n_new)
    if scenario.question == "fewest" and scenario.share is not None:
        return Question(FewestStations(circle.cutoff_s, scenario.share))
    message = f"'{scenario.question}' is not a question with its limit: most needs n_new, fewest needs share"
    raise StudyError(
        f"scenario '{scenario.name}' cannot be meant", breaches=[Breach("scenario", "question-with-limit", message)]
    )


def possible_sites(today: Coverage) -> Sites:
    """Return today's stations and the candidates with the walks to all of them.

    Stations and candidates that no class can get to are not among them; ``today.ground.findings`` names them.
    """
    study, ground = today.study, today.ground
    classes = study.settings.walking.classes
    candidates = study.candidates.rename(columns={"site_id": "station_id"})
    everywhere = [study.stations.assign(state="fixed"), candidates.assign(state="candidate")]
    places = np.flatnonzero(np.logical_or.reduce([ground.walk(c).sites.snapped for c in classes]))
    frame = gpd.GeoDataFrame(pd.concat(everywhere, ignore_index=True), crs=study.crs)
    frame = frame.iloc[places].reset_index(drop=True)

    inside = (study.buildings["area_id"] != "").to_numpy()
    weights = [np.where(inside, today.demand.of(c.name), 0.0) for c in classes]
    return Sites(frame, places, _walks_by_circle(study, ground, frame, places), np.concatenate(weights))


def _walks_by_circle(
    study: Study, ground: Ground, frame: gpd.GeoDataFrame, places: npt.NDArray[np.intp]
) -> dict[str, Walks]:
    """Return the walks to the sites for each circle; circles of the same network share those of the largest."""
    rule, classes = Eligibility.of(study), study.settings.walking.classes
    alike: dict[tuple[int, ...], list[Circle]] = {}
    for circle in study.settings.circles:
        networks = tuple(id(ground.walk(c, at=circle.at).network) for c in classes)
        alike.setdefault(networks, []).append(circle)
    found: dict[str, Walks] = {}
    for circles in alike.values():
        cutoff_s = max(c.cutoff_s for c in circles)
        parts = []
        for walker in classes:
            footing = ground.walk(walker, at=circles[0].at)
            walks = footing.within(footing.sites.take(places), footing.homes, cutoff_s=cutoff_s)
            parts.append(rule.allowed(walks, frame["area_id"], study.buildings["area_id"]))
        found |= dict.fromkeys((c.name for c in circles), _side_by_side(parts))
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


def _rows(walks: Walks, rows: np.ndarray) -> Walks:
    """Return the walks to some of the sites."""
    counts = np.diff(walks.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    entries = np.repeat(walks.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
    return Walks(indptr, walks.indices[entries], walks.seconds[entries], walks.n_demand)


def _sites_frame(
    study: Study, sites: Sites, solution: SitingPlan, able: np.ndarray, chosen: np.ndarray, after: Coverage
) -> pd.DataFrame:
    opened = np.concatenate([sites.standing, chosen])
    new = np.arange(len(opened)) >= len(sites.standing)
    frame = sites.frame.iloc[opened].reset_index(drop=True)
    lon, lat = Transformer.from_crs(study.crs, 4326, always_xy=True).transform(frame.geometry.x, frame.geometry.y)
    ids = sites.frame["station_id"].to_numpy(dtype=object)
    load = after.stations.set_index("station_id")["residents"]
    columns: dict[str, object] = {
        "site_id": frame["station_id"],
        **{name: frame[name] for name in ("name", "kind", "tier", "area_id")},
        "state": np.where(new, "chosen", "fixed"),
        "order": pd.array([pd.NA] * len(sites.standing) + list(range(1, len(chosen) + 1)), dtype="Int64"),
        "gain": np.concatenate([np.full(len(sites.standing), np.nan), solution.gain]),
    }
    reasons = {c.name: _reasons(sites, c, opened) for c in study.settings.circles}
    columns |= {f"reached_{name}": reached for name, (reached, _) in reasons.items()}
    columns |= {f"only_here_{name}": only_here for name, (_, only_here) in reasons.items()}
    stand_in = np.append(ids[able], "")[solution.next_best]
    columns |= {
        "load": frame["station_id"].map(load),
        "cost": frame["cost"],
        "next_best": np.concatenate([np.full(len(sites.standing), "", dtype=object), stand_in]),
        "lon": np.round(lon, 7),
        "lat": np.round(lat, 7),
    }
    return marked(pd.DataFrame(columns), after.synthetic)


def _reasons(sites: Sites, circle: Circle, opened: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Return whom each open site reaches within ``circle``, and whom it alone reaches; NaN where it does not count."""
    counts = serves(sites.frame, circle)[opened]
    able = opened[counts]
    supply = supply_of(sites.walks[circle.name], able, np.zeros_like(able), (Standard(circle.cutoff_s),))
    reached, only_here = np.full(len(opened), np.nan), np.full(len(opened), np.nan)
    (reached[counts],), (only_here[counts],) = reach_of_sites(supply, sites.weights)
    return reached, only_here


# --------------------------------------------------------------------------- who is left


UNSERVED_COLUMNS = (
    *("cluster_id", "circle", "area_id", "buildings", "residents", "nearest_station_id", "nearest_minutes"),
    *("best_candidate_id", "best_candidate_residents", "lon", "lat"),
)


def unserved_areas(today: Coverage, sites: Sites) -> pd.DataFrame:
    """Gather the inhabited buildings outside each circle into unserved areas.

    Buildings belong together where no more than `NEIGHBOURS_M` lies between neighbours (M. Ester et al., 1996, DBSCAN).
    Each speed class is in or out by its own walk; stations and minutes are those of the reference class.

    Returns
    -------
    DataFrame
        One row an unserved area and circle, most residents first: the area that most of them live in, the station that
        most of them have nearest (empty where none is reached) and their mean minutes to theirs, the candidate that
        would bring most of them into the circle (empty where none would) and how many, and the middle of the buildings;
        ``synthetic`` last where the study is made up.
    """
    inside = (today.buildings["area_id"] != "").to_numpy()
    frames = [
        _clusters(today, sites, circle, rows)
        for circle in today.study.settings.circles
        if len(rows := np.flatnonzero(inside & (today.outside(circle) > 0)))
    ]
    found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(UNSERVED_COLUMNS))
    return marked(found, today.synthetic)


def _clusters(today: Coverage, sites: Sites, circle: Circle, rows: np.ndarray) -> pd.DataFrame:
    homes = today.buildings.iloc[rows]
    spots = homes.geometry.centroid
    label = DBSCAN(eps=NEIGHBOURS_M, min_samples=1).fit_predict(np.stack([spots.x, spots.y], axis=1))
    weight = today.outside(circle)[rows]
    data = homes[["area_id", "station_id"]].assign(
        cluster=label,
        residents=weight,
        person_minutes=(homes["walk_s"] * weight / 60.0).where(homes["status"] == "ok", 0.0),
        walking=np.where(homes["status"] == "ok", weight, 0.0),
        weighted_lon=homes["lon"] * weight,
        weighted_lat=homes["lat"] * weight,
    )
    sums = data.groupby("cluster")[["residents", "person_minutes", "walking", "weighted_lon", "weighted_lat"]].sum()
    best, wins = _best_candidates(today, sites, circle, rows, label)
    frame = pd.DataFrame(
        {
            "circle": circle.name,
            "area_id": _of_most(data, "area_id"),
            "buildings": data.groupby("cluster").size(),
            "residents": sums["residents"],
            "nearest_station_id": _of_most(data, "station_id"),
            "nearest_minutes": sums["person_minutes"] / sums["walking"].where(sums["walking"] > 0),
            "best_candidate_id": best,
            "best_candidate_residents": wins,
            "lon": (sums["weighted_lon"] / sums["residents"]).round(7),
            "lat": (sums["weighted_lat"] / sums["residents"]).round(7),
        }
    )
    frame = frame.sort_values(["residents", "lon", "lat"], ascending=[False, True, True]).reset_index(drop=True)
    return frame.assign(cluster_id=[f"{circle.name}-{i + 1}" for i in range(len(frame))])[list(UNSERVED_COLUMNS)]


def _of_most(data: pd.DataFrame, column: str) -> pd.Series:
    """Return for each cluster the value that most of its residents have; the smaller one of equal."""
    people = data.groupby(["cluster", column])["residents"].sum().reset_index()
    first = people.sort_values(["cluster", "residents", column], ascending=[True, False, True])
    return first.drop_duplicates("cluster").set_index("cluster")[column]


def _best_candidates(
    today: Coverage, sites: Sites, circle: Circle, rows: np.ndarray, label: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each cluster the candidate that brings most of its residents into ``circle``, and how many."""
    n_clusters = int(label.max()) + 1
    cluster_of = np.full(len(today.buildings), -1)
    cluster_of[rows] = label
    classes = today.study.settings.walking.classes
    out = np.concatenate([~today.reach[c.name].within(circle) for c in classes])
    cluster_of = np.where(out, np.tile(cluster_of, len(classes)), -1)
    able = np.flatnonzero(serves(sites.frame, circle) & (sites.frame["state"] == "candidate").to_numpy())
    reach = sparse.within(_rows(sites.walks[circle.name], able), circle.cutoff_s)
    cluster = cluster_of[reach.columns]
    held = (cluster >= 0) & (sites.weights[reach.columns] > 0)
    pairs, pair_of = np.unique(cluster[held] * np.int64(max(len(able), 1)) + reach.rows[held], return_inverse=True)
    wins = sparse.sums(pair_of, sites.weights[reach.columns[held]], len(pairs))
    best, most = np.full(n_clusters, "", dtype=object), np.zeros(n_clusters)
    of_cluster, candidate = pairs // max(len(able), 1), pairs % max(len(able), 1)
    order = np.lexsort((candidate, -wins, of_cluster))
    found, first = np.unique(of_cluster[order], return_index=True)
    best[found] = sites.frame["station_id"].to_numpy(dtype=object)[able[candidate[order][first]]]
    most[found] = wins[order][first]
    return best, most
