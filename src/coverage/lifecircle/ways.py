"""The way of every building to its station, from the door to where the station is entered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecircle.ground import Footing
from lifecircle.model import FloatArray, IntArray, ReadOnlyArrays, Study
from lifecircle.obstacles import exits
from lifecircle.routing import NearestWalks, Snaps, Ways, ways
from lifecircle.routing.costs import pairs


@dataclass(frozen=True, eq=False)
class BuildingWays(ReadOnlyArrays):
    """The ways of buildings, as the stretches of `Ways`, and where they begin and end.

    The way of building ``b`` begins at ``door_m[b]`` (metres in the study's CRS), goes straight to ``fraction[b]`` of
    the segment of ``ways.first[b]``, and from the last segment's ``end_fraction`` straight to the station of row
    ``station``; these two are by stretch, -1 and 0 where no way ends. Without a way the door is NaN, the fraction 0.
    """

    ways: Ways
    fraction: FloatArray
    door_m: FloatArray
    station: IntArray
    end_fraction: FloatArray

    @classmethod
    def of(cls, study: Study, footing: Footing, sites: npt.NDArray[np.intp], walks: NearestWalks) -> BuildingWays:
        """Find the ways of these walks of the study's buildings to the stations, which are these of the sites."""
        homes, stations = footing.homes, footing.sites.take(sites)
        found = ways(footing.network, stations, homes, walks, speed_mps=footing.speed_mps)
        place, door_m = exits(study)
        nowhere = np.full((1, 2), np.nan)
        return cls(
            ways=found,
            fraction=np.append(homes.fraction, 0.0)[found.own_row],
            door_m=np.concatenate([_leg_beginnings(homes, place, door_m), nowhere])[found.own_row],
            station=np.append(stations.place, np.int32(-1))[found.row],
            end_fraction=np.append(stations.fraction, 0.0)[found.row],
        )


def _leg_beginnings(homes: Snaps, place: npt.NDArray[np.intp], door_m: FloatArray) -> FloatArray:
    """Return for each row of ``homes`` which of its place's doors it is the leg of: the one so far from its end."""
    i, j = pairs(homes.place, place)
    off_m = np.abs(np.hypot(*(door_m[j] - homes.xy_m[i]).T) - homes.access_m[i])
    order = np.lexsort((off_m, i))
    beginnings: FloatArray = door_m[j[order[np.diff(i[order], prepend=-1) > 0]]]
    return beginnings
