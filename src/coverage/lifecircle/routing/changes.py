"""Nearest sites that follow changes: a planner drags a site or closes a street, and only what changes is walked again.

The labels of the nodes (see ``labels``) are kept. Where sites open or move in, their searches run until they improve
nothing. Where they shut or a street closes, the labels that may rest on them are taken away first: those of the site,
or those of the same site that are at least as far as where the closed street was used; the rest of the network then
offers its labels anew. Costs are exact sums, so the result is the one from scratch, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from lifecircle.model import SPEED_MPS, BoolArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.network import WalkNetwork
from lifecircle.routing.costs import buckets, cutoff_m_of, grouped, seeds
from lifecircle.routing.labels import Labels, NearestWalks, no_labels, walks_of_labels
from lifecircle.snapping import Snaps


@dataclass(frozen=True, eq=False)
class LiveWalks(ReadOnlyArrays):
    """Every demand place's nearest open site, ready to be brought up to date by `after`.

    ``walks`` are those of ``nearest_walks`` with k = 1: rows are demand places, facilities rows of ``sites``.
    ``walked`` are the demand places that were walked again by the last change.
    """

    network: WalkNetwork
    sites: Snaps
    is_open: BoolArray
    demand: Snaps
    walks: NearestWalks
    walked: LongArray
    _labels: Labels
    _index: _Index

    @classmethod
    def of(
        cls,
        network: WalkNetwork,
        sites: Snaps,
        demand: Snaps,
        *,
        is_open: npt.ArrayLike | None = None,
        cutoff_s: float = np.inf,
        speed_mps: float = SPEED_MPS,
    ) -> LiveWalks:
        """Walk everything once.

        Parameters
        ----------
        is_open
            (n_sites,) which sites are open; all by default. The others wait to be opened.
        """
        every_way = network.with_ways(closed=np.zeros(network.n_segments, dtype=bool))
        cost, row, metres = no_labels(every_way, 1)
        labels = Labels(cost, row, metres, cutoff_m_of(cutoff_s, speed_mps), speed_mps)
        shut = np.zeros(sites.n_places, dtype=bool)
        walks = NearestWalks.none(demand.n_places, 1)
        index = _Index.of(every_way, demand)
        blank = cls(every_way, sites, shut, demand, walks, np.arange(demand.n_places), labels, index)
        return blank.after(is_open=~shut if is_open is None else is_open, closed=network.closed)

    def after(
        self,
        *,
        sites: Snaps | None = None,
        is_open: npt.ArrayLike | None = None,
        closed: npt.ArrayLike | None = None,
    ) -> LiveWalks:
        """Return the walks after a change, the same as from scratch; what is not named stays as it is.

        Parameters
        ----------
        sites
            The same sites, some of them elsewhere; a site that moves keeps its number.
        is_open
            (n_sites,) which sites are open now.
        closed
            (n_segments,) which segments are closed now.

        Raises
        ------
        ValueError
            When the number of sites or segments changes.
        """
        sites = self.sites if sites is None else sites
        opened = self.is_open if is_open is None else np.asarray(is_open, dtype=bool)
        if not sites.n_places == self.sites.n_places == len(opened):
            raise ValueError(
                f"there are {self.sites.n_places} sites: open and shut them, move them, but keep their number"
            )
        other = (opened != self.is_open) | _moved(self.sites, sites)
        network, barred, freed = self._with_closed(closed)
        lost = self._resting_on(other & self.is_open, barred)
        labels = self._searched(network, sites, opened, lost, freed)

        nodes = ((labels.cost_m != self._labels.cost_m) | (labels.row != self._labels.row))[:, 0]
        nodes[lost] = True  # the site may be reached by another way at the same cost
        again = (
            self._index.places_leaving(nodes)
            | _beside(self.demand, self.sites, other)
            | _beside(self.demand, sites, other)
        )
        walked = np.flatnonzero(again)
        fresh = walks_of_labels(network, labels, _without_shut(sites, opened), self.demand.take(walked))
        return replace(
            self, network=network, sites=sites, is_open=opened, walked=walked, _labels=labels,
            walks=_overwritten(self.walks, walked, fresh),
        )  # fmt: skip

    def _with_closed(self, closed: npt.ArrayLike | None) -> tuple[WalkNetwork, LongArray, LongArray]:
        """Return the network with other closures, and the arcs that are barred and freed by them.

        Closed arcs stay in the graph at infinite cost, so that the nodes keep their numbers.
        """
        if closed is None:
            return self.network, np.arange(0), np.arange(0)
        shut = np.asarray(closed, dtype=bool)
        if shut.shape != self.network.closed.shape:
            raise ValueError(
                f"closed says of {shut.size} segments whether they are, and there are {self.network.n_segments}"
            )
        barred = self._index.arcs_of(np.flatnonzero(shut & ~self.network.closed))
        freed = self._index.arcs_of(np.flatnonzero(~shut & self.network.closed))
        cost_m = self.network.cost_m.copy()
        cost_m[barred], cost_m[freed] = np.inf, self._index.network.cost_m[freed]
        arc_m = cost_m if self.network.is_flat else self.network.arc_m
        return replace(self.network, closed=shut, cost_m=cost_m, arc_m=arc_m), barred, freed

    def _resting_on(self, sites: BoolArray, arcs: LongArray) -> LongArray:
        """Return the nodes whose label may rest on one of these sites or arcs.

        A label that comes over an arc is a site's, and so are all that rest on it; none of them costs less.
        """
        cost, site = self._labels.cost_m[:, 0], np.append(self.sites.place, -1)[self._labels.row[:, 0]]
        from_m = np.full(self.sites.n_places + 1, np.inf)  # the last is for nodes without a label
        from_m[:-1][sites] = -np.inf
        arc_cost = self.network.impedance(self._labels.speed_mps).cost_m[arcs]
        tail, head = self.network.tail[arcs], self._index.head[arcs]
        used = (site[tail] >= 0) & (site[tail] == site[head]) & (cost[tail] == cost[head] + arc_cost)
        np.minimum.at(from_m, site[tail[used]], cost[tail[used]])
        return np.flatnonzero((cost >= from_m[site]) & (site >= 0))

    def _searched(
        self, network: WalkNetwork, sites: Snaps, opened: BoolArray, lost: LongArray, freed: LongArray
    ) -> Labels:
        """Return the labels without the lost ones and with all that sites and freed arcs now offer."""
        from lifecircle.kernels import labels as kernel

        old = self._labels
        cost = old.cost_m.reshape(-1).copy()
        row = _renumbered(old.row.reshape(-1), self.sites, sites)
        metres = None if old.metres is None else old.metres.reshape(-1).copy()
        impedance = network.impedance(old.speed_mps)
        offers = kernel.forget_labels(
            *self._index.out, self._index.head, impedance.cost_m, network.arc_m, sites.place, lost,
            cost, row, metres,
        )  # fmt: skip
        head = self._index.head[freed]
        over = (
            cost[head] + impedance.cost_m[freed],
            np.full(len(freed), np.inf) if metres is None else metres[head] + network.arc_m[freed],
            row[head],
        )
        parts = [
            (np.asarray(lost), *offers),
            (network.tail[freed], *over),
            seeds(network, _without_shut(sites, opened), impedance),
        ]
        node, seed_cost, seed_metres, seed_row = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        found = (seed_row >= 0) & np.isfinite(seed_cost)
        kernel.improve_labels(
            network.indptr, network.tail, impedance.cost_m, network.arc_m, node[found].astype(np.int32),
            seed_cost[found], seed_metres[found], seed_row[found].astype(np.int32), sites.place,
            *buckets(impedance, seed_cost[found]), old.cutoff_m, cost, row, metres, None,
        )  # fmt: skip
        metres = None if metres is None else metres[:, None]
        return Labels(cost[:, None], row[:, None], metres, old.cutoff_m, old.speed_mps)


@dataclass(frozen=True, eq=False)
class _Index(ReadOnlyArrays):
    """What is looked up at every change: made once for a network and its demand."""

    network: WalkNetwork
    """Nothing closed."""
    head: IntArray
    """Where each arc leads."""
    out: tuple[LongArray, LongArray]
    """The arcs that leave each node."""
    of_segment: tuple[LongArray, LongArray]
    """The arcs of each segment."""
    leaving: tuple[LongArray, LongArray]
    """The rows of ``demand`` that leave by each node, twice over."""
    demand: Snaps

    @classmethod
    def of(cls, network: WalkNetwork, demand: Snaps) -> _Index:
        n = len(network.indptr) - 1
        head = np.repeat(np.arange(n, dtype=np.int32), np.diff(network.indptr))
        moving = np.flatnonzero(network.arc_segment >= 0)
        indptr, order = grouped(network.arc_segment[moving], network.n_segments)
        leaving = grouped(network.leave[demand.segment].ravel(), n)
        return cls(network, head, grouped(network.tail, n), (indptr, moving[order]), leaving, demand)

    def arcs_of(self, segments: LongArray) -> LongArray:
        """Return the arcs of some segments, both ways."""
        return _listed(*self.of_segment, segments)

    def places_leaving(self, nodes: BoolArray) -> BoolArray:
        """Return which demand places can leave by one of these nodes."""
        rows = _listed(*self.leaving, np.flatnonzero(nodes)) // 2
        left = np.zeros(self.demand.n_places, dtype=bool)
        left[self.demand.place[rows]] = True
        return left


def _listed(indptr: LongArray, listed: LongArray, keys: npt.NDArray[np.integer]) -> LongArray:
    """Return ``listed[indptr[k]:indptr[k + 1]]`` of all keys, end to end."""
    counts = indptr[keys + 1] - indptr[keys]
    upto = np.cumsum(counts)
    rows: LongArray = np.repeat(indptr[keys] - upto + counts, counts) + np.arange(counts.sum())
    return listed[rows]


def _without_shut(sites: Snaps, is_open: BoolArray) -> Snaps:
    """Return the sites with those that are shut out of everyone's reach; rows keep their numbers."""
    return replace(
        sites,
        access_m=np.where(is_open[sites.place], sites.access_m, np.inf),
        building=np.where(is_open, sites.building, -1).astype(np.int32),
    )


def _moved(old: Snaps, new: Snaps) -> BoolArray:
    """Return (n_sites,) which sites do not lie where they lay."""
    counts = [np.bincount(s.place, minlength=s.n_places) for s in (old, new)]
    moved: BoolArray = (counts[0] != counts[1]) | (old.building != new.building)
    rows = [np.flatnonzero(~moved[s.place]) for s in (old, new)]
    for name in ("segment", "fraction", "access_m", "blocked"):
        differs = getattr(old, name)[rows[0]] != getattr(new, name)[rows[1]]
        moved[old.place[rows[0]][differs]] = True
    return moved


def _renumbered(row: IntArray, old: Snaps, new: Snaps) -> IntArray:
    """Return labels that name the rows of ``new``; those of sites with other rows are lost anyway."""
    if np.array_equal(old.place, new.place):
        return row.copy()
    first = [np.searchsorted(s.place, np.arange(s.n_places)) for s in (old, new)]
    number = np.arange(len(old.place)) - first[0][old.place] + first[1][old.place]
    return np.append(number, -1)[row].astype(np.int32)


def _beside(demand: Snaps, sites: Snaps, which: BoolArray) -> BoolArray:
    """Return the demand places on the segment or in the building of one of these sites."""
    beside = np.zeros(demand.n_places, dtype=bool)
    segments = np.unique(sites.segment[which[sites.place]])
    beside[demand.place[np.isin(demand.segment, segments)]] = True
    buildings = sites.building[which]
    beside |= np.isin(demand.building, buildings[buildings >= 0])
    return beside


def _overwritten(walks: NearestWalks, places: LongArray, fresh: NearestWalks) -> NearestWalks:
    """Return the walks with those of some places replaced."""
    arrays = {}
    for field in fields(walks):
        arrays[field.name] = getattr(walks, field.name).copy()
        arrays[field.name][places] = getattr(fresh, field.name)
    return NearestWalks(**arrays)
