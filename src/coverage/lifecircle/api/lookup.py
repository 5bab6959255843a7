"""Which stations a place gets, and why: what `lifecircle.dispatch.assign` says of one request, within microseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from lifecircle.api.problems import INVALID_OPTIONS, RequestError
from lifecircle.api.query import PLAIN, Place, Wanted
from lifecircle.dispatch import Found, Roster, StationIndex
from lifecircle.dispatch.index import NOBODYS
from lifecircle.ground import Footing, Ground
from lifecircle.model import BoolArray, FloatArray, Study
from lifecircle.network import WalkNetwork
from lifecircle.obstacles import Obstacles
from lifecircle.readers.assembly import FARTHEST_M, is_local
from lifecircle.readers.metric import LON_LAT, holding_order
from lifecircle.readers.requests import FAR_AWAY, PROBLEMS
from lifecircle.routing import Snaps, within
from lifecircle.said import Said
from lifecircle.schema import nearest as nearest_word
from lifecircle.snapping import SnapIndex


class Answer(NamedTuple):
    """The stations of a place, nearest first, and why the first is not the nearest of all, or why there is none.

    ``reason`` is one of `lifecircle.api.reasons.EVERY`; ``unknown_year`` is one whose public holidays are not known, 0
    for none.
    """

    found: tuple[Found, ...]
    reason: str = ""
    unknown_year: int = 0


class _UnlistedError(Exception):
    """The lists that are kept do not tell."""


class Lookup:
    """The stations of one study, asked for by place.

    Raises
    ------
    StudyError
        When walks of the study count in another direction than there, or its words on dispatch fit no station.
    """

    def __init__(self, study: Study, ground: Ground) -> None:
        self._index = StationIndex.of_study(study, ground=ground)
        self._roster: Roster = Roster.of(study) if self._index.roster is None else self._index.roster
        self.footing: Footing = ground.reference
        self._turned: WalkNetwork = self.footing.network.turned()
        self._snap_index: SnapIndex = ground.surfaces[study.settings.walking.reference.steps].index
        self._obstacles = Obstacles.of(study)
        self._areas = _Polygons.of(study.areas, "area_id")
        self._buildings = _Polygons.of(study.buildings, "building_id")
        self._project = Transformer.from_crs(LON_LAT, study.crs, always_xy=True).transform
        self._unproject = Transformer.from_crs(study.crs, LON_LAT, always_xy=True).transform
        self._housed: defaultdict[int, list[int]] = defaultdict(list)
        for station, building in enumerate(self.footing.stations.building.tolist()):
            if building >= 0:
                self._housed[building].append(station)
        self._own = np.append(self._obstacles.of_building, NOBODYS)

    def listed(self, place: Place, wanted: Wanted = PLAIN) -> Answer | None:
        """Return what `nearest` does, None where that takes a search of the streets.

        Raises
        ------
        RequestError
            When the place is too far away to be meant, no station is of such a tier, or the time cannot be told.
        """
        try:
            return self._answer(place, wanted, self._listed)
        except _UnlistedError:
            return None

    def nearest(self, place: Place, wanted: Wanted = PLAIN) -> Answer:
        """Return the stations that ``wanted`` asks for.

        Raises
        ------
        RequestError
            When the place is too far away to be meant, no station is of such a tier, or the time cannot be told.
        """
        return self._answer(place, wanted, self._index.among)

    def _listed(self, lon: float, lat: float, may: BoolArray, number: int, own: int) -> list[Found]:
        found = self._index.listed(lon, lat, may, number, own)
        if found is None:
            raise _UnlistedError
        return found

    def _answer(self, place: Place, wanted: Wanted, find: Callable[..., list[Found]]) -> Answer:
        x, y = self.metres(place)
        building = self._buildings.at(x, y)
        here, own = self._housed.get(building, []), int(self._own[building])
        first = self._nearest_of_all(place, here, own)
        if wanted is PLAIN and self._roster.for_all and self._roster.crew is None and first.station >= 0:
            return Answer((first,))
        may, reason = np.ones(len(self._roster), dtype=bool), ""
        for can, none_can, nearest_cannot in self._conditions(x, y, wanted):
            if not reason and first.station >= 0 and not can[first.station]:
                reason = nearest_cannot
            may = may & can
            if not may.any():
                reason = none_can
                break
        found = [Found(station, 0.0, 0.0) for station in here if may[station]][: wanted.number]
        if len(found) < wanted.number:
            others = may.copy()
            others[here] = False
            found += find(*place, others, wanted.number - len(found), own)
        if not found and not self._snapped(x, y):
            reason = "unsnappable"
        elif not found and may.any():
            reason = "unreachable"
        return Answer(tuple(found), reason, self._unknown_year(wanted))

    def snap(self, places: list[Place]) -> Snaps:
        """Attach places to the streets, as requests from there are.

        Raises
        ------
        RequestError
            When one is too far away to be meant.
        """
        return self._attach(np.array([self.metres(place) for place in places]).reshape(-1, 2))

    def metres(self, place: Place) -> tuple[float, float]:
        """Return a place in the CRS of the study.

        Raises
        ------
        RequestError
            When it is too far away to be meant.
        """
        x, y = self._project(*place)
        if not (abs(x) <= FARTHEST_M and abs(y) <= FARTHEST_M):
            raise self._too_far(place)
        return x, y

    def degrees(self, xy_m: npt.ArrayLike) -> FloatArray:
        """Return (n, 2) places of the study's CRS as longitudes and latitudes."""
        return np.stack(self._unproject(*np.asarray(xy_m, dtype=np.float64).reshape(-1, 2).T), axis=1)

    def seconds(self, from_: Snaps, to: Snaps) -> FloatArray:
        """Return (n, m) seconds from each place of ``from_`` to each of ``to``; inf where there is no way."""
        found = np.full((from_.n_places, to.n_places), np.inf)
        forwards = to.n_places <= from_.n_places  # one search from each of the fewer
        network, ends, others = (self.footing.network, to, from_) if forwards else (self._turned, from_, to)
        walks = within(network, ends, others, cutoff_s=np.inf, speed_mps=self.footing.speed_mps)
        table = found.T if forwards else found
        table[np.repeat(np.arange(ends.n_places), np.diff(walks.indptr)), walks.indices] = walks.seconds
        return found

    def warm_up(self) -> None:
        """Ask each way once, so that what compiles when it is first needed has done so before anybody waits for it."""
        x, y = self.footing.network.xy_m[0]
        place = self._unproject(x, y)
        self.nearest(place)
        self.nearest(place, Wanted(number=2))
        self.seconds(*[self.snap([place])] * 2)

    def _nearest_of_all(self, place: Place, here: list[int], own: int) -> Found:
        """Return the nearest station, whatever it can do; -1 where there is none."""
        if here:
            return Found(here[0], 0.0, 0.0)
        return Found(*self._index.nearest(*place, own)) if len(self._roster) else Found(-1, np.inf, np.nan)

    def _conditions(self, x: float, y: float, wanted: Wanted) -> Iterator[tuple[BoolArray, str, str]]:
        """Yield which stations meet each condition, the reason where none does, and that where the nearest does not."""
        roster = self._roster
        if not roster.for_all or not len(roster):
            area = self._areas.at(x, y)
            yield roster.may[area if area >= 0 else -1], "no-eligible-station", "nearest-not-eligible"
        when = None if wanted.at is None else roster.calendar.local(wanted.at)
        if wanted.at is not None and when is None:
            raise RequestError("at states an offset, but the study no zone: [dispatch] zone", code=INVALID_OPTIONS)
        if wanted.item or when is not None or roster.crew is not None:
            offered, opened, able = roster.can(wanted.item, when)
            if wanted.item:
                yield offered, "no-station-offers-item", "nearest-lacks-item"
            if when is not None:
                yield opened, "no-station-open", "nearest-closed"
            if roster.crew is not None:
                yield able, "no-agent-on-duty", "nearest-nobody-on-duty"
        if wanted.tier:
            yield self._of_tier(wanted.tier), "no-station-of-tier", "nearest-of-another-tier"

    def _of_tier(self, tier: str) -> BoolArray:
        tiers = sorted({*self._roster.tier} - {""})
        if tier not in tiers:
            near = nearest_word(tier, tiers)
            hint = Said("did you mean {}?", near) if near else Said("known are {}", ", ".join(tiers))
            raise RequestError(Said("no station is of the tier {!r}; {}", tier, hint))
        return np.array([each == tier for each in self._roster.tier], dtype=bool)

    def _unknown_year(self, wanted: Wanted) -> int:
        years = [] if wanted.at is None else self._roster.calendar.unknown_years([wanted.at.year])
        return years[0] if years else 0

    def _snapped(self, x: float, y: float) -> bool:
        return bool(self._attach(np.array([[x, y]])).snapped[0])

    def _attach(self, xy_m: FloatArray) -> Snaps:
        building = np.array([self._buildings.at(x, y) for x, y in xy_m])
        return self._obstacles.attach(self._snap_index, np.arange(len(xy_m)), xy_m, building)

    def _too_far(self, place: Place) -> RequestError:
        """Return the refusal of a place that cannot be meant."""
        lon, lat = place
        swapped = abs(lon) <= 90 and is_local(np.array([self._project(lat, lon)]))[0]
        return RequestError(PROBLEMS["swapped-axes" if swapped else FAR_AWAY])


@dataclass(frozen=True, eq=False)
class _Polygons:
    """Polygons to find the one that holds a point, of several as `holder` does."""

    tree: shapely.STRtree
    row: npt.NDArray[np.intp]

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, key: str) -> _Polygons:
        shapes = frame.geometry.to_numpy()
        order = holding_order(frame, key)
        order = order[shapely.get_dimensions(shapes[order]) == 2]
        return cls(shapely.STRtree(shapes[order]), order)

    def at(self, x: float, y: float) -> int:
        """Return the row of the polygon that holds a point, -1 for none."""
        held = self.tree.query(shapely.Point(x, y), predicate="intersects")
        return int(self.row[held.min()]) if len(held) else -1
