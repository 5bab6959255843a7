"""Which stations each request would go to, nearest first: as much of the lists as is needed, and then more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecircle.dispatch.requests import Asked
from lifecircle.dispatch.roster import Roster
from lifecircle.ground import Footing
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.service import NEAR_S, WIDER

WIDTHS = (4, 16, 64)
"""How many nearest stations are looked at for each request, at first and where these do not do; then all."""

ALL = 0

MOST_SEARCHED = 16
"""Stations up to which all walks to each are found by searches that grow, beyond which by one search from each."""

TIER_S = 2.0**20
"""What going up a tier counts in seconds: more than any walk, so that nothing goes up for the sake of one."""

_GRAIN_S = 2.0**-20
"""Costs are multiples of this, so that their sums are exact and nothing depends on the order of the sums."""


@dataclass(frozen=True, eq=False)
class Preferences(ReadOnlyArrays):
    """The lists of all requests: request i has ``station[indptr[i]:indptr[i + 1]]`` at ``cost_s``, ascending.

    ``cost_s`` are seconds and `TIER_S` a tier. What a list leaves out costs at least ``complete_s``, inf where it has
    all. ``walk_m`` is NaN where the metres of a walk are not known.
    """

    indptr: LongArray
    station: IntArray
    cost_s: FloatArray
    seconds: FloatArray
    walk_m: FloatArray
    complete_s: FloatArray


Entries = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
"""Requests, stations on their lists, seconds and metres."""


@dataclass(eq=False)
class PreferenceLists:
    """Lists that grow: each request is at a stage, a tier and a width, up to which its list is known."""

    footing: Footing
    roster: Roster
    asked: Asked
    stage: IntArray = field(init=False)
    _found: list[Entries] = field(default_factory=list)
    _merged: Entries = field(
        default_factory=lambda: (np.empty(0, np.intp), np.empty(0, np.int32), np.empty(0), np.empty(0))
    )
    _n_closed: int = 0

    def __post_init__(self) -> None:
        self.stage = np.zeros(len(self.asked.area), dtype=np.int32)
        self.complete_s = np.zeros(len(self.stage))
        self.last = np.full(len(self.stage), -1, dtype=np.int64)
        self.complete_s[~self.asked.snaps.snapped] = np.inf

    def extend(self, rows: npt.NDArray[np.intp], *, n_first: int = WIDTHS[0], closed: BoolArray | None = None) -> None:
        """Look further for these requests (ascending): at more stations of the tier, else at the next tier.

        Parameters
        ----------
        n_first
            How many stations are enough at first.
        closed
            Which stations take none of these requests in any case, (n_stations,) or (n_asks, n_stations); None: none.
        """
        closed = np.zeros(len(self.roster), dtype=bool) if closed is None else closed
        narrow = int(closed.sum()) > self._n_closed  # what is left is looked at anew, so a few stations may do
        self._n_closed = int(closed.sum())
        n_stages = len(WIDTHS) + 1
        for stage in np.unique(self.stage[rows]):
            here = rows[self.stage[rows] == stage]
            rank, width = divmod(int(stage), n_stages)
            width = min(width, 0) if narrow else width
            self._look(here, rank, (n_first, *WIDTHS[1:], ALL)[width], closed)
            self.stage[here] = np.where(self.last[here] < 0, (rank + 1) * n_stages, rank * n_stages + width + 1)

    def preferences(self) -> Preferences:
        """Return the lists as far as they are known."""
        self._merge()
        row, station, seconds, walk_m = self._merged
        cost_s = _cost(seconds, self.roster.rank[station])
        end_s = self.complete_s[row]
        known = (cost_s < end_s) | ((cost_s == end_s) & (station <= self.last[row]))
        counts = np.bincount(row[known], minlength=len(self.stage))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Preferences(indptr, station[known], cost_s[known], seconds[known], walk_m[known], self.complete_s.copy())

    def _merge(self) -> None:
        """Put what was found since into the lists, those of each request by cost and then by station, each once."""
        if not self._found:
            return
        row, station, seconds, walk_m = (np.concatenate(each) for each in zip(*self._found, strict=True))
        self._found = []
        renewed = np.zeros(len(self.stage), dtype=bool)
        renewed[row] = True
        stays = ~renewed[self._merged[0]]
        row, station, seconds, walk_m = (
            np.concatenate([old[~stays], new])
            for old, new in zip(self._merged, (row, station, seconds, walk_m), strict=True)
        )
        # A wider look at a tier finds again what the narrower one did.
        once = np.unique(row * len(self.roster) + station, return_index=True)[1]
        row, station, seconds, walk_m = row[once], station[once], seconds[once], walk_m[once]
        order = np.lexsort((station, _cost(seconds, self.roster.rank[station]), row))
        row, station, seconds, walk_m = (
            np.concatenate([old[stays], new[order]])
            for old, new in zip(self._merged, (row, station, seconds, walk_m), strict=True)
        )
        order = np.argsort(row, kind="stable")  # two runs that ascend
        self._merged = row[order], station[order], seconds[order], walk_m[order]

    def _look(self, rows: npt.NDArray[np.intp], rank: int, k: int, closed: BoolArray) -> None:
        """Find the ``k`` nearest stations of a tier for requests, of those that do the same, or `ALL`."""
        able = self.asked.able & (self.roster.rank == rank) & ~closed
        shape = len(rows), len(self.roster)
        may = np.broadcast_to(True, shape) if self.roster.for_all else self.roster.may[self.asked.area[rows]]
        last_s, last = np.full(len(rows), np.inf), np.full(len(rows), len(self.roster))
        for asking, stations in _blocks(able, self.asked.ask[rows]):
            own = (
                np.full(len(asking), len(stations))
                if self.roster.for_all
                else may[np.ix_(asking, stations)].sum(axis=1)
            )
            n_left = np.zeros(len(rows), dtype=np.int64)
            n_left[asking] = own
            asking = asking[own > 0]
            for some, found, seconds, walk_m in self._walks(rows[asking], may[asking], stations, k):
                place = np.searchsorted(rows, some)
                entry = found >= 0
                reached = entry.all(axis=1)
                entry &= may[place[:, None], found]
                n_left[place] -= entry.sum(axis=1)
                self._found.append((some[np.nonzero(entry)[0]], found[entry], seconds[entry], walk_m[entry]))
                if k == ALL:
                    continue
                # Stations that are left out come behind the last one found: by seconds, then by number.
                ends_s, ends = seconds[:, -1], found[:, -1]
                before = (ends_s < last_s[place]) | ((ends_s == last_s[place]) & (ends < last[place]))
                sooner = reached & (n_left[place] > 0) & before
                last_s[place[sooner]], last[place[sooner]] = ends_s[sooner], ends[sooner]
        whole = np.isinf(last_s)
        ended = whole & (rank >= int(self.roster.rank.max(initial=0)))
        self.last[rows] = np.where(whole, -1, last)
        self.complete_s[rows] = np.where(ended, np.inf, _cost(np.where(whole, 0.0, last_s), rank + whole))

    def _walks(
        self, rows: npt.NDArray[np.intp], may: BoolArray, able: npt.NDArray[np.intp], k: int
    ) -> Iterator[tuple[npt.NDArray[np.intp], IntArray, FloatArray, FloatArray]]:
        """Yield requests and their nearest stations, seconds and metres, (n, k) each."""
        if not len(rows):
            return
        if k:
            yield rows, *self._nearest(rows, able, min(k, len(able)), np.inf)
            return
        kinds, kind = np.unique(may[:, able], axis=0, return_inverse=True)
        for number, allowed in enumerate(kinds):
            some, stations = rows[kind.reshape(-1) == number], able[allowed]
            if len(stations) > MOST_SEARCHED:
                yield from self._all_walks(some, stations)
                continue
            for factor in WIDER:
                found = self._nearest(some, stations, len(stations), factor * NEAR_S)
                done = (found[0] >= 0).all(axis=1) | (factor == np.inf)
                yield some[done], *(each[done] for each in found)
                some = some[~done]
                if not len(some):
                    break

    def _nearest(
        self, rows: npt.NDArray[np.intp], stations: npt.NDArray[np.intp], k: int, cutoff_s: float
    ) -> tuple[IntArray, FloatArray, FloatArray]:
        walks = self.footing.nearest(
            self.footing.stations.take(stations), self.asked.snaps.take(rows), k=k, cutoff_s=cutoff_s
        )
        return np.append(stations, -1)[walks.facility].astype(np.int32), walks.seconds, walks.walk_m

    def _all_walks(
        self, rows: npt.NDArray[np.intp], stations: npt.NDArray[np.intp]
    ) -> Iterator[tuple[npt.NDArray[np.intp], IntArray, FloatArray, FloatArray]]:
        """Yield all walks of requests, a station at a time; their metres are not known."""
        walks = self.footing.within(self.footing.stations.take(stations), self.asked.snaps.take(rows), cutoff_s=np.inf)
        for number, station in enumerate(stations):
            some, seconds = walks.row(number)
            told = np.full((len(some), 1), station, dtype=np.int32)
            yield rows[some], told, seconds[:, None], np.full((len(some), 1), np.nan)


def _cost(seconds: FloatArray, rank: npt.NDArray[np.integer] | int) -> FloatArray:
    cost_s: FloatArray = np.rint(seconds / _GRAIN_S) * _GRAIN_S + TIER_S * rank
    return cost_s


def _blocks(able: BoolArray, ask: IntArray) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Yield requests and stations, each pair of which is able once: by what is asked, or by what stations do.

    The fewer blocks there are, the fewer searches.
    """
    asks, of_request = np.unique(ask, return_inverse=True)
    kinds, kind = np.unique(able[asks], axis=1, return_inverse=True)
    if kinds.shape[1] < len(asks):
        for number in np.flatnonzero(kinds.any(axis=0)):
            yield np.flatnonzero(kinds[of_request, number]), np.flatnonzero(kind.reshape(-1) == number)
    else:
        for place, asked in enumerate(asks):
            if able[asked].any():
                yield np.flatnonzero(of_request == place), np.flatnonzero(able[asked])
