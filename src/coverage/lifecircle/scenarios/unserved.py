"""Who is left: inhabited buildings outside a circle, gathered into unserved areas."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN

from lifecircle.circles import Coverage
from lifecircle.mark import marked
from lifecircle.model import TOLERANCE_S, Circle, SpeedClass
from lifecircle.scenarios.sites import Sites, rows_of
from lifecircle.service import serves

NEIGHBOURS_M = 100.0
"""Unserved buildings no farther apart than this belong to one unserved area, metres."""

NEAREST = ("nearest_station_id", "nearest_minutes")
UNSERVED_COLUMNS = (
    *("cluster_id", "circle", "area_id", "buildings", "residents", *NEAREST),
    *("best_candidate_id", "best_candidate_residents", "lon", "lat"),
)


def unserved_areas(today: Coverage, sites: Sites) -> pd.DataFrame:
    """Gather the inhabited buildings outside each circle into unserved areas.

    Buildings belong together where no more than `NEIGHBOURS_M` lies between neighbours (M. Ester et al., 1996, DBSCAN).
    Each speed class is in or out by its own walk.

    Returns
    -------
    DataFrame
        One row an unserved area and circle, most residents first: the area that most of them live in, the station that
        most of them have nearest (empty where none is reached) and their mean minutes to theirs, the candidate that
        would bring most of them into the circle (empty where none would) and how many, the middle of the buildings, and
        for each class but the reference one the station and the minutes again, as if all of them walked like it;
        ``synthetic`` last where the study is made up.
    """
    inside = (today.buildings["area_id"] != "").to_numpy()
    columns = [*UNSERVED_COLUMNS, *(f"{name}_{walker.name}" for walker in _others(today) for name in NEAREST)]
    frames = [
        _clusters(today, sites, circle, rows)
        for circle in today.study.settings.circles
        if len(rows := np.flatnonzero(inside & (today.outside(circle) > 0)))
    ]
    found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return marked(found[columns], today.synthetic)


def _others(today: Coverage) -> tuple[SpeedClass, ...]:
    """Return the speed classes but the reference one."""
    return today.study.settings.walking.classes[1:]


def _clusters(today: Coverage, sites: Sites, circle: Circle, rows: np.ndarray) -> pd.DataFrame:
    homes = today.buildings.iloc[rows]
    spots = homes.geometry.centroid
    label = DBSCAN(eps=NEIGHBOURS_M, min_samples=1).fit_predict(np.stack([spots.x, spots.y], axis=1))
    weight = today.outside(circle)[rows]
    data = pd.DataFrame(
        {
            "cluster": label,
            "area_id": homes["area_id"],
            "residents": weight,
            "weighted_lon": homes["lon"] * weight,
            "weighted_lat": homes["lat"] * weight,
        }
    )
    sums = data.groupby("cluster")[["residents", "weighted_lon", "weighted_lat"]].sum()
    best, wins = _best_candidates(today, sites, circle, rows, label)
    frame = pd.DataFrame(
        {
            "circle": circle.name,
            "area_id": _of_most(data, "area_id"),
            "buildings": data.groupby("cluster").size(),
            "residents": sums["residents"],
            **_nearest(homes, data, ""),
            "best_candidate_id": best,
            "best_candidate_residents": wins,
            "lon": (sums["weighted_lon"] / sums["residents"]).round(7),
            "lat": (sums["weighted_lat"] / sums["residents"]).round(7),
        }
    )
    for walker in _others(today):
        frame = frame.assign(**_nearest(homes, data, f"_{walker.name}"))
    frame = frame.sort_values(["residents", "lon", "lat"], ascending=[False, True, True]).reset_index(drop=True)
    return frame.assign(cluster_id=[f"{circle.name}-{i + 1}" for i in range(len(frame))])


def _nearest(homes: pd.DataFrame, data: pd.DataFrame, suffix: str) -> dict[str, pd.Series]:
    """Return the columns `NEAREST` of each cluster by the walks of the class that columns with ``suffix`` are of."""
    walking = data["residents"].where(homes[f"status{suffix}"] == "ok", 0.0)
    person_minutes = (homes[f"walk_s{suffix}"] * walking / 60.0).groupby(data["cluster"]).sum()
    walkers = walking.groupby(data["cluster"]).sum()
    stations = data.assign(station_id=homes[f"station_id{suffix}"])
    told = _of_most(stations, "station_id"), person_minutes / walkers.where(walkers > 0.0)
    return {f"{name}{suffix}": values for name, values in zip(NEAREST, told, strict=True)}


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
    cluster_of = np.where(today.within(circle), -1, np.tile(cluster_of, len(classes)))
    able = np.flatnonzero(serves(sites.frame, circle) & (sites.frame["state"] == "candidate").to_numpy())
    walks = rows_of(sites.walks[circle.name], able)
    site, cluster = np.repeat(np.arange(len(able)), np.diff(walks.indptr)), cluster_of[walks.indices]
    held = (walks.seconds <= circle.cutoff_s + TOLERANCE_S) & (cluster >= 0) & (sites.weights[walks.indices] > 0)
    pairs, pair_of = np.unique(cluster[held] * np.int64(max(len(able), 1)) + site[held], return_inverse=True)
    wins = np.bincount(pair_of, sites.weights[walks.indices[held]], minlength=len(pairs))
    best, most = np.full(n_clusters, "", dtype=object), np.zeros(n_clusters)
    of_cluster, candidate = pairs // max(len(able), 1), pairs % max(len(able), 1)
    order = np.lexsort((candidate, -wins, of_cluster))
    found, first = np.unique(of_cluster[order], return_index=True)
    best[found] = sites.frame["station_id"].to_numpy(dtype=object)[able[candidate[order][first]]]
    most[found] = wins[order][first]
    return best, most
