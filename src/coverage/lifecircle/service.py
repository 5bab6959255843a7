"""Who may serve whom: the same rule for circles, siting and assignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach, StudyError
from lifecircle.model import BoolArray, Circle, IntArray, Study, Walks
from lifecircle.network import WalkNetwork
from lifecircle.routing import NearestWalks, Snaps, nearest_walks


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
                f"{study.path}: [service] eligible",
                breaches=[Breach("service", "unknown-level", f"no area has the level '{level}'; there are {levels}")],
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
        self,
        network: WalkNetwork,
        stations: Snaps,
        station_area: pd.Series,
        homes: Snaps,
        home_area: pd.Series,
        *,
        speed_mps: float,
        k: int = 1,
    ) -> NearestWalks:
        """Find the k nearest stations that may serve each home; facilities are numbered as in ``stations``."""
        if self.anyone:
            return nearest_walks(network, stations, homes, k=k, speed_mps=speed_mps)
        of_station, of_home = self.group(station_area), self.group(home_area)
        parts = {name: array.copy() for name, array in vars(NearestWalks.none(homes.n_places, k)).items()}
        for area in np.unique(of_home[of_home >= 0]):
            able, asking = np.flatnonzero(of_station == area), np.flatnonzero(of_home == area)
            if not len(able):
                continue
            found = nearest_walks(network, stations.take(able), homes.take(asking), k=k, speed_mps=speed_mps)
            for name, array in vars(found).items():
                parts[name][asking] = np.where(array >= 0, able[array], -1) if name == "facility" else array
        return NearestWalks(**parts)

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
    """Return which stations or candidates count for ``circle``."""
    return offers(places, tiers=circle.tiers, items=circle.items)
