"""Who is in which life circle today, by building, by area and by group of residents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import Transformer

from lifecircle.areas import AreaTree
from lifecircle.demand import Demand, groups, place_residents
from lifecircle.errors import Breach
from lifecircle.ground import Ground, lay_ground
from lifecircle.mark import marked
from lifecircle.model import TOLERANCE_S, BoolArray, Circle, FloatArray, IntArray, Note, SpeedClass, Study
from lifecircle.obstacles import representative_xy
from lifecircle.routing import NearestWalks
from lifecircle.rules import warn_of
from lifecircle.schema import TOTAL
from lifecircle.service import Eligibility, serves
from lifecircle.service_areas import reached_streets, rings, service_areas, streets_drawn
from lifecircle.ways import BuildingWays


@dataclass(frozen=True, eq=False)
class Coverage:
    """Who reaches a station, in the study's CRS.

    ``buildings`` holds the columns of buildings.parquet, ``table`` those of coverage.csv (see the architecture page);
    ``stations`` adds state, outside (of every area) and residents (whom it serves as the nearest within the largest
    circle), and ``sites`` which of the study's places they are; ``service_areas`` and ``streets`` are drawings. A walk
    that does not exist is NaN, never a number. Of a synthetic study each frame ends in a column ``synthetic``.
    """

    study: Study
    ground: Ground
    demand: Demand
    buildings: gpd.GeoDataFrame
    table: pd.DataFrame
    stations: gpd.GeoDataFrame
    sites: npt.NDArray[np.intp]
    service_areas: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    reach: dict[str, Reach]
    """How the residents of each speed class reach the stations, by the class's name."""

    def within(self, circle: Circle) -> BoolArray:
        """Return who is in ``circle``: the buildings once for each speed class, by its own walk."""
        return np.concatenate([found.within(circle) for found in self.reach.values()])

    def outside(self, circle: Circle) -> FloatArray:
        """Return (n_buildings,) residents who are not in ``circle``, each class by its own walk."""
        parts = [np.where(found.within(circle), 0.0, self.demand.of(name)) for name, found in self.reach.items()]
        return np.sum(parts, axis=0)

    @cached_property
    def drawings(self) -> dict[str, gpd.GeoDataFrame]:
        """The layers that show where a station is reached in time, by name; drawn when they are first asked for."""
        of = (self.study, self.ground, self.stations, self.sites)
        drawn = {
            "service_areas": self.service_areas,
            "rings": rings(self.service_areas),
            "station_areas": service_areas(*of, by_station=True),
            "reached_streets": reached_streets(*of),
        }
        return {name: marked(layer, self.synthetic) for name, layer in drawn.items()}

    @cached_property
    def ways(self) -> BuildingWays:
        """The ways of the reference class to the nearest stations; found when they are first asked for."""
        walker = self.study.settings.walking.reference
        return BuildingWays.of(self.study, self.ground.walk(walker), self.sites, self.reach[walker.name].walks)

    @property
    def synthetic(self) -> bool:
        """Whether anything that this is made from is made up; every table, page and picture of it has to say so."""
        return self.ground.synthetic

    @property
    def findings(self) -> tuple[Breach, ...]:
        """What laying the study on its streets and placing its residents found."""
        return self.ground.findings + self.demand.findings

    @property
    def notes(self) -> tuple[Note, ...]:
        """Remarks that every page and table made from this carries."""
        return self.study.settings.notes + self.demand.notes


def cover(study: Study) -> Coverage:
    """Find who is in which circle today.

    Parameters
    ----------
    study
        As ``open_study`` returns it.

    Returns
    -------
    Coverage
        Metres and seconds; an unreachable walk is NaN.

    Warns
    -----
    DegradedWarning
        Of each of the coverage's ``findings``, in the class of its rule.

    Raises
    ------
    SchemaError
        When a station inside the study's areas stands too far from every street that a walker may use.
    StudyError
        When the study names a level of areas that does not exist.
    """
    today = cover_today(study)
    warn_of(today.findings)
    return today


def cover_today(study: Study) -> Coverage:
    """Do what `cover` does, and warn of nothing."""
    stations = study.stations.assign(state="fixed")
    return cover_with(study, lay_ground(study), place_residents(study), stations, np.arange(len(stations)))


def cover_with(
    study: Study, ground: Ground, demand: Demand, stations: gpd.GeoDataFrame, sites: npt.NDArray[np.intp]
) -> Coverage:
    """Find who would be in which circle if ``stations`` (ascending ids, with a ``state``) stood there.

    ``sites`` says which of the study's places they are: today's stations by row, then the candidates.
    """
    reach = {walker: Reach.of(study, ground, stations, sites, walker) for walker in study.settings.walking.classes}
    reference = reach[study.settings.walking.reference]
    made_up = ground.synthetic
    return Coverage(
        study=study,
        ground=ground,
        demand=demand,
        buildings=marked(_buildings_frame(study, ground, demand, stations, reference, reach), made_up),
        table=marked(coverage_table(study, demand, stations, reach), made_up),
        stations=marked(stations_with_load(study, demand, stations, reach), made_up),
        sites=sites,
        service_areas=marked(service_areas(study, ground, stations, sites), made_up),
        streets=marked(streets_drawn(study, ground), made_up),
        reach={walker.name: found for walker, found in reach.items()},
    )


def with_residents(coverage: Coverage, study: Study, demand: Demand) -> Coverage:
    """Return a coverage of the same walks with other residents in the same buildings; ``study`` holds them too."""
    ground, stations = coverage.ground, coverage.stations
    reach = {walker: coverage.reach[walker.name] for walker in study.settings.walking.classes}
    buildings = _buildings_frame(study, ground, demand, stations, reach[study.settings.walking.reference], reach)
    return replace(
        coverage,
        study=study,
        demand=demand,
        buildings=marked(buildings, coverage.synthetic),
        table=marked(coverage_table(study, demand, stations, reach), coverage.synthetic),
        stations=stations_with_load(study, demand, stations, reach),
    )


@dataclass(frozen=True, eq=False)
class Reach:
    """How residents of one speed class reach the stations: arrays over the buildings.

    ``walks`` are those to the nearest station of any kind at the study's ``walking.at``, and ``status`` what they come
    to; ``serving`` names for each circle the nearest station that counts for it at the circle's own time (row, -1 for
    none within it); ``largest_status`` is the status at the time of the largest circle, which tells the residents
    beyond it from the unreachable.
    """

    walks: NearestWalks
    serving: dict[str, IntArray]
    status: np.ndarray
    largest_status: np.ndarray

    @classmethod
    def of(
        cls,
        study: Study,
        ground: Ground,
        stations: gpd.GeoDataFrame,
        sites: npt.NDArray[np.intp],
        walker: SpeedClass,
    ) -> Reach:
        """Walk one class to the nearest stations, and to the nearest that count for each circle."""
        rule = Eligibility.of(study)
        walked: dict[tuple[int, bytes], NearestWalks] = {}

        def nearest(able: BoolArray, at: str) -> NearestWalks:
            footing = ground.walk(walker, at=at)
            same = id(footing.network), able.tobytes()
            if same not in walked:
                chosen = np.flatnonzero(able)
                found = rule.nearest(
                    footing,
                    footing.sites.take(sites[chosen]),
                    stations["area_id"].iloc[chosen],
                    footing.homes,
                    study.buildings["area_id"],
                )
                facility = np.append(chosen, -1)[found.facility].astype(np.int32)
                walked[same] = replace(found, facility=facility)
            return walked[same]

        def status(walks: NearestWalks) -> np.ndarray:
            conditions = [walks.facility[:, 0] >= 0, ground.walk(walker).homes.snapped]
            return np.select(conditions, ["ok", "unreachable"], "unsnappable").astype(object)

        serving = {}
        for circle in study.settings.circles:
            found = nearest(serves(stations, circle), circle.at)
            inside = found.seconds[:, 0] <= circle.cutoff_s + TOLERANCE_S
            serving[circle.name] = np.where(inside, found.facility[:, 0], -1).astype(np.int32)
        every = np.ones(len(stations), dtype=bool)
        walks = nearest(every, "")
        return cls(walks, serving, status(walks), status(nearest(every, study.settings.largest_circle.at)))

    @property
    def reached(self) -> BoolArray:
        """(n_buildings,) whether any station is reached."""
        found: BoolArray = self.walks.facility[:, 0] >= 0
        return found

    def within(self, circle: Circle) -> BoolArray:
        """Return which buildings are in ``circle``."""
        inside: BoolArray = self.serving[circle.name] >= 0
        return inside


def smallest_circle(circles: Iterable[Circle], found: Reach) -> np.ndarray:
    """Return the name of the smallest circle that holds each building, empty for none."""
    by_size = sorted(circles, key=lambda c: c.minutes)
    return np.select([found.within(c) for c in by_size], [c.name for c in by_size], "").astype(object)


def _buildings_frame(
    study: Study,
    ground: Ground,
    demand: Demand,
    stations: gpd.GeoDataFrame,
    reference: Reach,
    reach: dict[SpeedClass, Reach],
) -> gpd.GeoDataFrame:
    xy = representative_xy(study.buildings)
    lon, lat = Transformer.from_crs(study.crs, 4326, always_xy=True).transform(xy[:, 0], xy[:, 1])
    frame = pd.DataFrame(
        {
            "building_id": study.buildings["building_id"],
            "area_id": study.buildings["area_id"],
            "lon": np.round(lon, 7),
            "lat": np.round(lat, 7),
        }
    ).join(demand.residents)
    station_id = np.append(stations["station_id"].to_numpy(dtype=object), "")
    for walker, found in reach.items():
        suffix = "" if found is reference else f"_{walker.name}"
        walks, homes = found.walks, ground.walk(walker).homes
        own_leg_m = np.full(len(frame), np.nan)
        own_leg_m[homes.place[::-1]] = homes.access_m[::-1]
        frame[f"station_id{suffix}"] = station_id[walks.facility[:, 0]]
        frame[f"walk_m{suffix}"] = walks.walk_m[:, 0]
        frame[f"walk_s{suffix}"] = np.where(found.reached, walks.seconds[:, 0], np.nan)
        frame[f"access_m{suffix}"] = np.where(found.reached, walks.access_m[:, 0], own_leg_m)
        frame[f"egress_m{suffix}"] = walks.egress_m[:, 0]
        frame[f"circle{suffix}"] = smallest_circle(study.settings.circles, found)
        frame[f"status{suffix}"] = found.status
        for circle in study.settings.circles:
            frame[f"within_{circle.name}{suffix}"] = found.within(circle)
    homes = ground.reference.homes
    own_leg = np.zeros(len(frame), dtype=bool)
    own_leg[homes.place[homes.blocked]] = True
    frame["leg_blocked"] = np.where(reference.reached, reference.walks.blocked[:, 0], own_leg)
    largest_m = study.settings.largest_circle.cutoff_s * study.settings.walking.reference.speed_mps
    frame["edge"] = _to_edge_m(study, xy) < np.where(reference.reached, reference.walks.walk_m[:, 0], largest_m)
    return gpd.GeoDataFrame(frame, geometry=study.buildings.geometry.to_numpy(), crs=study.crs)


def _to_edge_m(study: Study, xy_m: FloatArray) -> FloatArray:
    """Return how far inside the street data's box each point is, metres; negative outside."""
    west, south, east, north = study.extent_m
    x, y = xy_m.T
    return np.minimum.reduce([x - west, east - x, y - south, north - y])


def stations_with_load(
    study: Study, demand: Demand, stations: gpd.GeoDataFrame, reach: Mapping[SpeedClass, Reach]
) -> gpd.GeoDataFrame:
    """Return the stations with ``outside`` (of every area) and ``residents``, whom they serve in the largest circle."""
    load = np.zeros(len(stations))
    for walker, found in reach.items():
        station = found.serving[study.settings.largest_circle.name]
        served = station >= 0
        load += np.bincount(station[served], weights=demand.of(walker.name)[served], minlength=len(stations))
    return stations.assign(outside=stations["area_id"] == "", residents=load)


# --------------------------------------------------------------------------- the table


@dataclass(frozen=True, eq=False)
class _Part:
    """Residents who share a way of walking: (n_buildings,) people and how they reach."""

    people: FloatArray
    reach: Reach


def coverage_table(
    study: Study, demand: Demand, stations: gpd.GeoDataFrame, reach: Mapping[SpeedClass, Reach]
) -> pd.DataFrame:
    """Return one row per area and group, the total of all areas last; residents outside every area are left out.

    Attributes may overlap the classes, so their residents are taken to walk like the reference class.
    """
    tree = AreaTree.of(study.areas)
    homes = tree.rows(study.buildings["area_id"])
    members = [*tree.inside(homes), np.flatnonzero(homes >= 0)]
    station_rows = tree.rows(stations["area_id"])
    n_stations = [*(len(s) for s in tree.inside(station_rows)), int((station_rows >= 0).sum())]
    unplaced_rows = tree.rows(demand.unplaced["area_id"])
    unplaced = [*tree.inside(unplaced_rows), np.arange(len(unplaced_rows))]

    classes, attributes = groups(study)
    by_class = {c.name: [_Part(demand.of(c.name), reach[c])] for c in classes}
    by_attribute = {a: [_Part(demand.of(a), reach[classes[0]])] for a in attributes}
    everyone = [part for parts in by_class.values() for part in parts]
    shown = {"all": everyone, **(by_class if len(classes) > 1 else {}), **by_attribute}

    names = [*zip(study.areas["area_id"], study.areas["level"], study.areas["name"], strict=True)]
    rows = []
    for i, (area_id, level, name) in enumerate([*names, (TOTAL, "", study.settings.name)]):
        for group, parts in shown.items():
            column = "residents" if group == "all" else f"residents_{group}"
            lost = float(demand.unplaced[column].to_numpy(dtype=float)[unplaced[i]].sum())
            figures = _figures(study, parts, members[i], lost, n_stations[i])
            rows.append({"area_id": area_id, "level": level, "name": name, "group": group, **figures})
    return pd.DataFrame(rows)


def _figures(
    study: Study, parts: list[_Part], members: np.ndarray, unplaced: float, n_stations: int
) -> dict[str, float | int]:
    circles, largest = study.settings.circles, study.settings.largest_circle.name
    people = np.concatenate([p.people[members] for p in parts])
    walk_m = np.concatenate([p.reach.walks.walk_m[members, 0] for p in parts])
    status = np.concatenate([p.reach.largest_status[members] for p in parts])
    walked = np.concatenate([p.reach.reached[members] for p in parts])
    inside = {c.name: np.concatenate([p.reach.serving[c.name][members] >= 0 for p in parts]) for c in circles}
    residents = float(people.sum()) + unplaced
    counts = {f"within_{name}": float(people[held].sum()) for name, held in inside.items()}
    shares = {f"share_{name}": _ratio(counts[f"within_{name}"], residents) for name in inside}
    inhabited = np.logical_or.reduce([p.people[members] > 0 for p in parts])
    reached = float(people[walked].sum())
    return {
        "buildings": int(inhabited.sum()),
        "residents": residents,
        **counts,
        "beyond": float(people[(status == "ok") & ~inside[largest]].sum()),
        "unreachable": float(people[status == "unreachable"].sum()),
        "unsnappable": float(people[status == "unsnappable"].sum()),
        "unplaced": unplaced,
        **shares,
        "stations": n_stations,
        "residents_per_station": _ratio(residents, n_stations),
        "walk_mean_m": _ratio(float((people[walked] * walk_m[walked]).sum()), reached),
        "walk_p90_m": weighted_quantile(np.where(walked, walk_m, np.inf), people, 0.9, lost=unplaced),
        "walk_n": reached,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


def weighted_quantile(values: FloatArray, weights: FloatArray, share: float, *, lost: float = 0.0) -> float:
    """Return the smallest value that ``share`` of all weight does not exceed; NaN where that is the unreachable.

    ``values`` may hold inf (unreachable, last); ``lost`` is weight without a value, last as well.
    """
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order])
    whole = (upto[-1] if len(upto) else 0.0) + lost
    if whole <= 0:
        return np.nan
    at = int(np.searchsorted(upto, share * whole * (1 - 1e-12)))
    value = values[order][at] if at < len(order) else np.inf
    return float(value) if np.isfinite(value) else np.nan
