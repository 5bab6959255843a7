"""The nearest stations from anywhere, looked up in microseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer

from lifecircle.dispatch.crew import Crew
from lifecircle.dispatch.lookups import Lists, Segments
from lifecircle.dispatch.mapped import load, save
from lifecircle.dispatch.roster import Roster, Stops, Ways
from lifecircle.dispatch.stops import stops_of
from lifecircle.errors import StudyError, UnknownNameError
from lifecircle.ground import Ground, lay_ground
from lifecircle.model import DIRECTIONS, MAX_ACCESS_M, SPEED_MPS, BoolArray, FloatArray, IntArray, Study
from lifecircle.network import QUANTUM_M, WalkNetwork
from lifecircle.readers.metric import LON_LAT
from lifecircle.routing import Labels, Snaps, nearest_walks, node_labels, walks_of_labels
from lifecircle.said import Said
from lifecircle.service import NEAR_S, WIDER
from lifecircle.snapping import Pieces, SnapIndex
from lifecircle.workdays import Calendar

LISTED = 8
"""How many of the nearest stations are kept for every crossing."""

MOST_KINDS = 32
"""Of how many kinds of stations the nearest of each is kept for every crossing."""


NOBODYS = -1
"""The barrier in which a place lies that lies in none."""


class Found(NamedTuple):
    """A station and the walk to it."""

    station: int
    """Its row."""
    seconds: float
    walk_m: float


class AtStop(NamedTuple):
    """A station where it tours, and the walk to its stop there."""

    station: int
    seconds: float
    walk_m: float
    stop: str
    """The name of the stop, empty where it has none."""


@dataclass(frozen=True, eq=False)
class StationIndex:
    """The nearest of some stations from anywhere, looked up in microseconds.

    Every lookup is ``routing.nearest`` of a point snapped to the network, and says the same, whatever it leaves out. An
    index never changes: for other stations there is another, and who reads the old one is not disturbed.
    """

    network: WalkNetwork
    stations: Snaps
    places: SnapIndex
    labels: Labels
    segments: Segments
    lists: tuple[Lists, ...]
    """Those of the nearest stations of all, then of the nearest of each kind: what the first do not tell, those may."""
    crs: CRS
    max_access_m: float = MAX_ACCESS_M
    roster: Roster | None = None
    stops: StationIndex | None = None
    """Those of the stops, where stations tour."""

    @classmethod
    def of(
        cls,
        network: WalkNetwork,
        stations: Snaps,
        *,
        crs: CRS,
        places: SnapIndex | None = None,
        max_access_m: float = MAX_ACCESS_M,
        speed_mps: float = SPEED_MPS,
        roster: Roster | None = None,
    ) -> StationIndex:
        """Search from all stations once, so that a lookup adds two numbers.

        Parameters
        ----------
        crs
            The metric CRS of the network.
        places
            The network with the barriers that no leg of a place must cross; by default there are none.
        max_access_m
            Longest leg of a place, metres, inclusive.
        roster
            What each of the stations does; without it only `nearest` and `nearest_many` can be asked, and `find` for
            any station.
        """
        places = SnapIndex.of(network) if places is None else places
        labels = node_labels(network, stations, k=LISTED, speed_mps=speed_mps)
        lists = [Lists.of(stations, labels)]
        if roster is not None and (kind := roster.kinds(MOST_KINDS)) is not None:
            lists.append(Lists.by_kind(network, stations, kind, speed_mps=speed_mps))
        segments = Segments.of(network, stations, labels)
        return cls(network, stations, places, labels, segments, tuple(lists), crs, max_access_m, roster)

    @classmethod
    def of_study(cls, study: Study, *, ground: Ground | None = None) -> StationIndex:
        """Index the stations of a study for the reference class, at ``walking.at``.

        Raises
        ------
        StudyError
            When walks of the study count in another direction than there, or its words on dispatch fit no station.
        """
        walking = study.settings.walking
        if walking.direction != DIRECTIONS[0]:
            message = Said(
                "{}: lookups are of walks to the station; the study counts {}", study.path, walking.direction
            )
            raise StudyError(message, language=study.settings.language)
        ground = lay_ground(study) if ground is None else ground
        footing, roster = ground.reference, Roster.of(study)
        index = cls.of(
            footing.network,
            footing.stations,
            crs=study.crs,
            places=ground.surfaces[walking.reference.steps].index,
            max_access_m=walking.max_access_m,
            speed_mps=footing.speed_mps,
            roster=roster,
        )
        if (found := stops_of(study, ground, roster)) is None:
            return index
        stops, snaps = found
        return replace(index, stops=index.with_stations(snaps, stops))

    def with_stations(self, stations: Snaps, roster: Roster | None = None) -> StationIndex:
        """Return an index of other stations on the same streets: some opened, closed or moved; none of them tours."""
        return self.of(
            self.network,
            stations,
            crs=self.crs,
            places=self.places,
            max_access_m=self.max_access_m,
            speed_mps=self.labels.speed_mps,
            roster=roster,
        )

    def nearest(self, lon: float, lat: float, own: int = NOBODYS) -> tuple[int, float, float]:
        """Return the number of the station nearest on foot to a point in degrees, the seconds and the metres.

        -1, inf and NaN where there is no way, or no permitted segment within reach. ``own`` is the barrier of
        ``places`` in which the point lies, a building, so that its walls bar no leg.
        """
        station, cost_m, walk_m = self._nearest(*self._project(lon, lat), own)
        return station, cost_m / self.labels.speed_mps, walk_m

    def nearest_many(self, lonlat: npt.ArrayLike) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return what `nearest` does for (n, 2) points in degrees: three arrays of (n,)."""
        degrees = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        points = np.stack(self._project(degrees[:, 0], degrees[:, 1]), axis=1)
        snaps = self.places.snap(points, max_access_m=self.max_access_m, n_places=len(points))
        walks = walks_of_labels(self.network, _first(self.labels), self.stations, snaps)
        return walks.facility[:, 0], walks.seconds[:, 0], walks.walk_m[:, 0]

    def find(
        self,
        lon: float,
        lat: float,
        *,
        number: int = 1,
        item: str = "",
        at: datetime | None = None,
        tier: str = "",
        area_id: str | None = None,
        left: BoolArray | None = None,
    ) -> list[Found | AtStop]:
        """Return the ``number`` stations nearest on foot that can take a request, nearest first.

        Where stations tour, each of their stops that is there at the time counts as a place of its own; at no time in
        particular those that state no hours.

        Parameters
        ----------
        lon, lat
            Where the request comes from, degrees.
        number
            How many at most; fewer are found where fewer can be walked to.
        item
            What is asked for; empty: anything.
        at
            When; a time with an offset is taken to the clock of the study's calendar. None: at no time in particular.
        tier
            Of which tier; empty: any.
        area_id
            The area that the resident lives in, so that only stations count that may serve it. None: all may.
        left
            (n_stations,) which stations have room left; None: all.

        Raises
        ------
        UnknownNameError
            When no station has the tier, or the time states an offset and the study no zone.
        ValueError
            When ``number`` is below 1, or the index has no roster and is asked for anything but the nearest.
        """
        if number < 1:
            raise ValueError(f"number must be 1 or more, not {number}")
        may = np.ones(self.stations.n_places, dtype=bool) if left is None else left
        if item or tier or at is not None or (self.roster is not None and self.roster.crew is not None):
            may = may & self._able(item, at, tier)
        if area_id is not None:
            may = may & self._known.may[self._known.area(area_id)]
        found: list[Found | AtStop] = [*self.among(lon, lat, may, number)]
        if self.stops is None:
            return found
        there, left = self.stops, np.ones(self.stations.n_places, dtype=bool) if left is None else left
        roster = there._known
        may = left[roster.owner] & there._able(item, at, "") & (not tier or np.array(roster.tier, dtype=object) == tier)
        if area_id is not None:
            may = may & roster.may[roster.area(area_id)]
        touring = [
            AtStop(int(roster.owner[stop]), seconds, walk_m, roster.stops.name[stop])
            for stop, seconds, walk_m in there.among(lon, lat, may, number)
        ]
        return sorted([*found, *touring], key=lambda each: each.seconds)[:number]

    def among(self, lon: float, lat: float, may: BoolArray, number: int = 1, own: int = NOBODYS) -> list[Found]:
        """Return the nearest of the stations that ``may``, (n_stations,), nearest first; ``own`` as for `nearest`."""
        listed = self.listed(lon, lat, may, number, own)
        return self.searched(lon, lat, may, number, own) if listed is None else listed

    def listed(self, lon: float, lat: float, may: BoolArray, number: int = 1, own: int = NOBODYS) -> list[Found] | None:
        """Return what `among` does where the lists that are kept tell it, else None."""
        number = min(number, int(np.count_nonzero(may)))
        leg = self._leg(*self._project(lon, lat), own) if number else None
        if leg is None:
            return []
        for lists in self.lists:
            read = lists.nearest(self.segments, self.network.leave, leg, may, number)
            if read is not None:
                rows, cost_m, walk_m = read
                return [*map(Found, rows.tolist(), (cost_m / self.labels.speed_mps).tolist(), walk_m.tolist())]
        return None

    def searched(self, lon: float, lat: float, may: BoolArray, number: int = 1, own: int = NOBODYS) -> list[Found]:
        """Return what `among` does, by searches of the streets that grow."""
        rows = np.flatnonzero(may)
        number = min(number, len(rows))
        if not number:
            return []
        point = np.array([self._project(lon, lat)])
        place = self.places.snap(point, max_access_m=self.max_access_m, own=np.array([own]), n_places=1)
        for factor in WIDER:
            walks = nearest_walks(
                self.network,
                self.stations.take(rows),
                place,
                k=number,
                cutoff_s=factor * NEAR_S,
                speed_mps=self.labels.speed_mps,
            )
            hit = walks.facility[0] >= 0
            if hit.all():
                break
        told = rows[walks.facility[0, hit]], walks.seconds[0, hit], walks.walk_m[0, hit]
        return [*map(Found, *(array.tolist() for array in told))]

    def save(self, path: str | Path) -> None:
        """Write the index into one file, whole or not at all; a process that has an older one mapped keeps it.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        save(Path(path), self)

    @classmethod
    def load(cls, path: str | Path) -> StationIndex:
        """Map the file of an index: nothing is copied, and several processes share what stands in memory once.

        Raises
        ------
        SourceError
            When there is no such file, or it is no index that this version saved.
        """
        index: StationIndex = load(Path(path), (cls, *_PARTS))
        return index

    @property
    def _known(self) -> Roster:
        if self.roster is None:
            raise ValueError("the index has no roster of what its stations do")
        return self.roster

    def _able(self, item: str, at: datetime | None, tier: str) -> BoolArray:
        roster, local = self._known, None
        if at is not None and (local := roster.calendar.local(at)) is None:
            raise UnknownNameError("the time states an offset, but the study no zone: [dispatch] zone")
        able = roster.can(item, local)[-1]
        if tier:
            of_tier = np.array(roster.tier, dtype=object) == tier
            if not of_tier.any():
                raise UnknownNameError(Said("no station has the tier {!r}", tier))
            able = able & of_tier
        return able

    def _leg(self, x: float, y: float, own: int) -> tuple[int, float, float] | None:
        """Return segment, fraction and metres of the leg of a point, None where no street is within reach."""
        segment, fraction, _, leg_m, _ = self._attach(np.array([[x, y]]), own)
        return None if segment[0] < 0 else (int(segment[0]), float(fraction[0]), float(leg_m[0]))

    @cached_property
    def _project(self) -> Callable[..., tuple[Any, Any]]:
        return Transformer.from_crs(LON_LAT, self.crs, always_xy=True).transform

    @cached_property
    def _nearest(self) -> Callable[[float, float, int], tuple[int, float, float]]:
        from lifecircle.kernels import legs  # compiled code loads when it is first needed

        beside = self.segments.to_first, self.segments.on_way
        return partial(legs.nearest_station, *beside, QUANTUM_M, *self.places.arguments(self.max_access_m))

    @cached_property
    def _attach(self) -> Callable[..., tuple[Any, ...]]:
        from lifecircle.kernels import legs

        arguments = self.places.arguments(self.max_access_m)

        def attach(point: FloatArray, own: int) -> tuple[Any, ...]:
            inside = np.array([own])
            for array in (point, inside):
                array.setflags(write=False)
            return legs.attach(point, inside, *arguments)

        return attach


_PARTS = (WalkNetwork, Snaps, SnapIndex, Pieces, Labels, Segments, Lists, Roster, Calendar, Stops, Ways, Crew)
"""What an index consists of."""


def _first(labels: Labels) -> Labels:
    """Return the labels of the nearest station alone."""
    metres = None if labels.metres is None else labels.metres[:, :1].copy()
    return Labels(labels.cost_m[:, :1].copy(), labels.row[:, :1].copy(), metres, labels.cutoff_m, labels.speed_mps)
