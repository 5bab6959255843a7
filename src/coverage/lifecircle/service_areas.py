"""Drawings of service areas and streets: polygons with holes, lines, those reached. Walks decide, drawings only show.

The ground is a lattice of places whose walks are those of any home; a contour runs where their time is up. What is
known better than the lattice can tell, every building's own walk, is then put into the drawing by its footprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.ground import Footing, Ground
from lifecircle.lattice import Lattice, contour, lay_lattice, slack_s
from lifecircle.model import TOLERANCE_S, BoolArray, Circle, FloatArray, ReadOnlyArrays, Study
from lifecircle.obstacles import representative_xy
from lifecircle.reached import reached_lines, street_lines
from lifecircle.readers.metric import holder
from lifecircle.service import Eligibility, serves
from lifecircle.snapping import SnapIndex, Snaps

DRAWN_LEG_M = 60.0
"""How far off a street a service area is drawn, metres. A building farther off is drawn by its own footprint."""

DOT_M = 2.0
"""Half the side of the square that stands for a building of which only a point is known, metres."""


def streets_drawn(study: Study, ground: Ground) -> gpd.GeoDataFrame:
    """Return the streets that the reference class walks on, as lines in the study's CRS.

    Columns are ``kind``, and ``way_id`` and ``name`` of the way that each is part of.
    """
    lines, way = street_lines(ground.reference.network), ground.streets.way
    told = {
        "kind": list(ground.streets.kind),
        "way_id": np.array(study.streets.way_id, dtype=object)[way],
        "name": study.streets.tags["name"].to_numpy(dtype=object)[way],
    }
    return gpd.GeoDataFrame(told, geometry=lines, crs=study.crs)


def service_areas(
    study: Study,
    ground: Ground,
    stations: gpd.GeoDataFrame,
    sites: npt.NDArray[np.intp],
    *,
    by_station: bool = False,
) -> gpd.GeoDataFrame:
    """Draw for each circle where a walker of the reference class reaches in time a station that may serve the place.

    Parameters
    ----------
    stations, sites
        The stations that count, and which of the study's places they are, as in ``circles.cover_with``.
    by_station
        Draw every station by itself, for the circles that it counts for, instead of all together.

    Returns
    -------
    GeoDataFrame
        circle, minutes, station_id (empty: of all), geometry (MultiPolygon, empty where nobody arrives in time) in the
        study's CRS; by station, then in the order of the study's circles. Every building lies by its representative
        point on the side that its own walk says; only where footprints of different answers overlap, one of them gives
        way. What lies across a river or a railway is in only where someone walks there.
    """
    circles = study.settings.circles
    canvas = _canvas(study, ground, np.asarray(sites, dtype=np.intp).tobytes())
    if by_station:
        drawn = [row for rows in canvas.each_station(stations, sites) for row in rows]
        frame = pd.DataFrame(drawn, columns=["circle", "minutes", "station_id", "geometry"])
    else:
        shapes = canvas.draw(circles, [canvas.walks(circle, stations, sites) for circle in circles])
        frame = pd.DataFrame(
            {"circle": [c.name for c in circles], "minutes": [c.minutes for c in circles], "station_id": ""}
        ).assign(geometry=shapes)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=study.crs)


def rings(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return of each service area what lies in no circle of fewer minutes, of all stations or of the same one.

    Parameters
    ----------
    areas
        As ``service_areas`` returns it.

    Returns
    -------
    GeoDataFrame
        The same rows; the ring of the smallest circle is the whole of it. Rings of circles that hold one another do not
        overlap, and add up to the largest.
    """
    cut = areas.geometry.to_numpy().copy()
    minutes = areas["minutes"].to_numpy()
    for rows in areas.groupby("station_id", sort=False).indices.values():
        for row in rows:
            inner = rows[minutes[rows] < minutes[row]]
            cut[row] = _polygons(shapely.difference(cut[row], shapely.union_all(areas.geometry.to_numpy()[inner])))
    return areas.set_geometry(gpd.GeoSeries(cut, index=areas.index, crs=areas.crs))


def reached_streets(
    study: Study,
    ground: Ground,
    stations: gpd.GeoDataFrame,
    sites: npt.NDArray[np.intp],
    *,
    by_station: bool = False,
) -> gpd.GeoDataFrame:
    """Return for each circle the streets from which a walker of the reference class reaches a station in time.

    Parameters are those of `service_areas`. Whose station may serve whom plays no part: a street is nobody's home.

    Returns
    -------
    GeoDataFrame
        circle, minutes, station_id (empty: of all), geometry (MultiLineString, cut where the time runs out, empty where
        nothing is reached) in the study's CRS; by station, then in the order of the study's circles.
    """
    able = {circle: np.flatnonzero(serves(stations, circle)) for circle in study.settings.circles}
    ids = stations["station_id"].to_numpy(dtype=object)
    if by_station:
        wanted = [(c, ids[i], np.array([i])) for i in range(len(ids)) for c in able if i in able[c]]
    else:
        wanted = [(c, "", rows) for c, rows in able.items()]
    lines = [
        shapely.multilinestrings(_lines(ground.walk(study.settings.walking.reference, at=c.at), c, sites[rows]))
        for c, _, rows in wanted
    ]
    names = {"circle": [c.name for c, _, _ in wanted], "minutes": [c.minutes for c, _, _ in wanted]}
    return gpd.GeoDataFrame({**names, "station_id": [i for _, i, _ in wanted]}, geometry=lines, crs=study.crs)


def _lines(
    footing: Footing, circle: Circle, sites: npt.NDArray[np.intp], *, more_s: float = 0.0
) -> npt.NDArray[np.object_]:
    return reached_lines(
        footing.network,
        footing.sites.take(sites),
        cutoff_s=circle.cutoff_s + more_s,
        speed_mps=footing.speed_mps,
        direction=footing.direction,
    )


@dataclass(frozen=True, eq=False)
class _Reached(ReadOnlyArrays):
    """The places of a canvas that arrive, and their seconds."""

    place: npt.NDArray[np.integer]
    seconds: FloatArray


@dataclass(frozen=True, eq=False)
class _Canvas:
    """What the drawings of some sites share: the lattice, the buildings, and both as places, the lattice first."""

    study: Study
    ground: Ground
    rule: Eligibility
    lattice: Lattice
    building_xy_m: FloatArray
    footprints: npt.NDArray[np.object_]
    places: Snaps
    area_id: pd.Series

    def walks(self, circle: Circle, stations: gpd.GeoDataFrame, sites: npt.NDArray[np.intp]) -> _Reached:
        """Walk every place to the nearest station that counts for a circle and may serve it."""
        footing = self._footing(circle)
        able = np.flatnonzero(serves(stations, circle))
        found = self.rule.nearest(
            footing, footing.sites.take(sites[able]), stations["area_id"].iloc[able], self.places, self.area_id
        )
        arrived = np.flatnonzero(found.facility[:, 0] >= 0)
        return _Reached(arrived, found.seconds[arrived, 0])

    def each_station(
        self, stations: gpd.GeoDataFrame, sites: npt.NDArray[np.intp]
    ) -> Iterator[list[tuple[str, float, str, shapely.MultiPolygon]]]:
        """Draw one station after the other: its circle, minutes, id and shape."""
        circles = self.study.settings.circles
        counts = np.stack([serves(stations, c) for c in circles], axis=1)
        footings = [self._footing(c) for c in circles]
        largest_s = max(c.cutoff_s for c in circles)
        walks = {
            network: self.rule.allowed(
                f.within(f.sites.take(sites), self.places, cutoff_s=largest_s + slack_s(f.speed_mps)),
                stations["area_id"],
                self.area_id,
            )
            for network, f in {id(f.network): f for f in footings}.items()
        }
        for i, station_id in enumerate(stations["station_id"]):
            own = [
                (c, _Reached(*walks[id(f.network)].row(i)))
                for c, f, k in zip(circles, footings, counts[i], strict=True)
                if k
            ]
            shapes = self.draw([c for c, _ in own], [reached for _, reached in own])
            yield [(c.name, c.minutes, station_id, shape) for (c, _), shape in zip(own, shapes, strict=True)]

    def draw(self, circles: Sequence[Circle], reached: Sequence[_Reached]) -> list[shapely.MultiPolygon]:
        """Draw circles from the seconds of the places that arrive, complete up to the slack beyond each cutoff.

        A building that the contour of any circle has on the wrong side is put right in all of them by its footprint,
        so that a circle that holds another does so in the drawing.
        """
        n = len(self.lattice.column)
        speed_mps = self.study.settings.walking.reference.speed_mps
        shapes, inside = [], []
        wrong = np.zeros(len(self.footprints), dtype=bool)
        for circle, found in zip(circles, reached, strict=True):
            on_lattice = found.place < n
            near, home = found.place[on_lattice], found.place[~on_lattice] - n
            shape = contour(
                self.lattice.column[near],
                self.lattice.row[near],
                found.seconds[on_lattice],
                cutoff_s=circle.cutoff_s,
                speed_mps=speed_mps,
            )
            held = np.zeros(len(self.footprints), dtype=bool)
            held[home] = found.seconds[~on_lattice] <= circle.cutoff_s + TOLERANCE_S
            wrong |= _holds(shape, self.building_xy_m) != held
            shapes.append(shape)
            inside.append(held)
        mended = np.flatnonzero(wrong)
        return [
            _mended(shape, self.footprints[mended[held[mended]]], self.footprints[mended[~held[mended]]])
            for shape, held in zip(shapes, inside, strict=True)
        ]

    def _footing(self, circle: Circle) -> Footing:
        return self.ground.walk(self.study.settings.walking.reference, at=circle.at)


@lru_cache(maxsize=1)
def _canvas(study: Study, ground: Ground, sites: bytes) -> _Canvas:
    """Lay the lattice wherever one of the sites (rows, as bytes) is reached; kept for the next drawing of them."""
    walker = study.settings.walking.reference
    chosen, more_s = np.frombuffer(sites, dtype=np.intp), slack_s(walker.speed_mps)
    circles = study.settings.circles
    lines = [_lines(ground.walk(walker, at=c.at), c, chosen, more_s=more_s) for c in circles]
    barriers = study.barriers.geometry.to_numpy()
    surface = ground.surfaces[walker.steps]
    lattice = lay_lattice(
        np.concatenate(lines),
        legs=surface.index,
        legs_through_buildings=SnapIndex.of(surface.streets.network, barriers=barriers),
        water=barriers[shapely.get_dimensions(barriers) == 2],
        max_access_m=min(DRAWN_LEG_M, study.settings.walking.max_access_m),
    )
    footprints = study.buildings.geometry.to_numpy().copy()
    bare = shapely.get_dimensions(footprints) < 2
    footprints[bare] = shapely.buffer(footprints[bare], DOT_M, cap_style="square")
    rule = Eligibility.of(study)
    areas = [_areas_of(study, lattice, rule), study.buildings["area_id"]]
    return _Canvas(
        study=study,
        ground=ground,
        rule=rule,
        lattice=lattice,
        building_xy_m=representative_xy(study.buildings),
        footprints=footprints,
        places=lattice.snaps.followed_by(surface.homes),
        area_id=pd.concat(areas, ignore_index=True),
    )


def _areas_of(study: Study, lattice: Lattice, rule: Eligibility) -> pd.Series:
    """Return the area of each point of a lattice, as a home there would have it; empty where nothing asks for it."""
    if rule.anyone:
        return pd.Series("", index=range(len(lattice.column)), dtype="str")
    points = gpd.GeoDataFrame(geometry=shapely.points(lattice.xy_m), crs=study.crs)
    return holder(points, study.areas, "area_id")


def _holds(shape: shapely.MultiPolygon, xy_m: FloatArray) -> BoolArray:
    """Return which points lie in a shape."""
    west, south, east, north = shapely.bounds(shape)
    x, y = xy_m.T
    near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
    shapely.prepare(shape)
    held = np.zeros(len(xy_m), dtype=bool)
    held[near] = shapely.contains_xy(shape, xy_m[near])
    return held


def _mended(
    shape: shapely.MultiPolygon, missing: npt.NDArray[np.object_], surplus: npt.NDArray[np.object_]
) -> shapely.MultiPolygon:
    """Return a shape with some footprints in it, and without others."""
    missing = missing[~shapely.contains(shape, missing)]
    surplus = surplus[shapely.intersects(shape, surplus)]
    if len(surplus):
        shape = shapely.difference(shape, shapely.union_all(surplus))
    if len(missing):
        shape = shapely.union(shape, shapely.union_all(missing))
    return _polygons(shape)


def _polygons(shape: shapely.Geometry) -> shapely.MultiPolygon:
    return shapely.multipolygons(shapely.get_parts(shape))
