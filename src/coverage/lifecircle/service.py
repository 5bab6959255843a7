"""Who may serve whom: the same rule for circles, siting and assignment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach, StudyError
from lifecircle.ground import Footing
from lifecircle.hours import is_open, problem_of_hours
from lifecircle.model import BoolArray, Circle, IntArray, Study, Walks
from lifecircle.routing import NearestWalks, Snaps
from lifecircle.said import Said

WIDER = (2.0, 8.0, np.inf)
"""How much farther than the nearest station of all the searches for an eligible one go, one after the other."""

NEAR_S = 300.0
"""The first of these searches goes at least so far, seconds."""


@dataclass(frozen=True, eq=False)
class Eligibility:
    """A rule of eligibility over a tree of areas.

    ``anyone`` when every station may serve everyone; else a station serves the residents of its own area of ``level``.
    """

    tree: AreaTree
    level: str

    @classmethod
    def of(cls, study: Study) -> Eligibility:
        """Return the study's rule.

        Raises
        ------
        StudyError
            When ``[service] eligible`` names a level that no area has.
        """
        level = study.settings.eligible
        levels = tuple(dict.fromkeys(study.areas["level"]))
        if level != "any" and level not in levels:
            raise StudyError(
                Said("{}: [service] eligible", study.path),
                breaches=[
                    Breach("service", "unknown-level", Said("no area has the level {!r}; there are {}", level, levels))
                ],
            )
        return cls(AreaTree.of(study.areas), level)

    @property
    def anyone(self) -> bool:
        """Whether every station may serve everyone."""
        return self.level == "any"

    def group(self, area_id: pd.Series) -> IntArray:
        """Return the number of the area that decides for each place, -1 for none."""
        return self.tree.at_level(self.tree.rows(area_id), self.level)

    def nearest(
        self, footing: Footing, stations: Snaps, station_area: pd.Series, homes: Snaps, home_area: pd.Series
    ) -> NearestWalks:
        """Find the nearest station that may serve each home; facilities are numbered as in ``stations``.

        Notes
        -----
        One search finds the nearest station of all. Where that one is eligible it is the answer; a home that reaches no
        station at all reaches no eligible one; and any other home looks for one of its own area, ever farther from
        there, so that the searches of many areas touch little more than these areas.
        """
        nearest = footing.nearest(stations, homes)
        if self.anyone:
            return nearest
        of_station, of_home = self.group(station_area), self.group(home_area)
        station = nearest.facility[:, 0]
        reached = (station >= 0) & (of_home >= 0)
        own = reached & (np.append(of_station, -1)[station] == of_home)
        answer = {name: array.copy() for name, array in vars(NearestWalks.none(homes.n_places, 1)).items()}
        _fill(answer, np.flatnonzero(own), nearest, np.flatnonzero(own))

        left = np.flatnonzero(reached & ~own & np.isin(of_home, of_station))
        for area in np.unique(of_home[left]):
            able, asking = np.flatnonzero(of_station == area), left[of_home[left] == area]
            least_s = max(float(nearest.seconds[asking, 0].max()), NEAR_S)
            for factor in WIDER:
                found = footing.nearest(stations.take(able), homes.take(asking), cutoff_s=factor * least_s)
                hit = found.facility[:, 0] >= 0
                found = replace(found, facility=np.append(able, -1)[found.facility].astype(np.int32))
                _fill(answer, asking[hit], found, np.flatnonzero(hit))
                asking = asking[~hit]
                if not len(asking):
                    break
        return NearestWalks(**answer)

    def allowed(self, walks: Walks, site_area: pd.Series, home_area: pd.Series) -> Walks:
        """Return the walks without the pairs in which the site may not serve the home."""
        if self.anyone:
            return walks
        of_site, of_home = self.group(site_area), self.group(home_area)
        row = np.repeat(np.arange(walks.n_facilities), np.diff(walks.indptr))
        keep = (of_site[row] == of_home[walks.indices]) & (of_site[row] >= 0)
        counts = np.bincount(row[keep], minlength=walks.n_facilities)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Walks(indptr, walks.indices[keep], walks.seconds[keep], walks.n_demand)


def _fill(
    answer: dict[str, npt.NDArray[Any]],
    homes: npt.NDArray[np.intp],
    found: NearestWalks,
    rows: npt.NDArray[np.intp],
) -> None:
    """Write the walks of ``rows`` into the rows of ``homes``."""
    for name, array in vars(found).items():
        answer[name][homes] = array[rows]


def offers(places: pd.DataFrame, *, tiers: tuple[str, ...] = (), items: tuple[str, ...] = ()) -> BoolArray:
    """Return which stations or candidates are of one of ``tiers`` (empty: any) and offer all ``items``.

    A place that lists no items offers every one.
    """
    able = places["tier"].isin(tiers) if tiers else pd.Series(True, index=places.index)
    if items:
        wanted = set(items)
        able &= places["items"].map(lambda held: not held or wanted <= {i.strip() for i in held.split(";")})
    return able.to_numpy(dtype=bool)


def serves(places: pd.DataFrame, circle: Circle) -> BoolArray:
    """Return which stations or candidates count for ``circle``: where it states a time, those that are open then."""
    able = offers(places, tiers=circle.tiers, items=circle.items)
    return able & open_in_week(places["hours"], circle.at) if circle.at else able


def open_in_week(hours: pd.Series, at: str) -> BoolArray:
    """Return which of these hours hold at a time of the week, such as ``Sun 10:00``; none hold always."""
    held = {text: not text or (not problem_of_hours(text) and is_open(text, at)) for text in hours.unique()}
    return hours.map(held).to_numpy(dtype=bool)
