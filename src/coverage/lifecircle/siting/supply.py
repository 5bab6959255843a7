"""What each site gives each home: which of the standards that must all hold, as the bits of a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.incidence import sums


@dataclass(frozen=True, eq=False)
class Supply(ReadOnlyArrays):
    """Entries: ``site`` (a position in the list that was asked about) gives ``home`` the standards in ``bits``.

    Entries go by site; a pair that gives nothing has none. ``n_standards`` is how many bits there are.
    """

    site: LongArray
    home: LongArray
    bits: LongArray
    n_sites: int
    n_standards: int

    def take(self, entries: LongArray) -> Supply:
        """Return these entries."""
        return Supply(self.site[entries], self.home[entries], self.bits[entries], self.n_sites, self.n_standards)

    def times(self, n_demand: int) -> LongArray:
        """Return how many sites meet each standard (row) at each home (column)."""
        return np.stack(
            [np.bincount(self.home[self.has(s)], minlength=n_demand) for s in range(self.n_standards)]
        ).astype(np.int64)

    def has(self, standard: int) -> BoolArray:
        """Return whether each entry gives the standard of that number."""
        return (self.bits >> standard) & 1 == 1


def supply_of(walks: Walks, sites: LongArray, tiers: LongArray, standards: tuple[Standard, ...]) -> Supply:
    """Return what ``sites``, each of a tier, give every home."""
    site, home, seconds = entries_of(walks, sites)
    bits = np.zeros(len(site), dtype=np.int64)
    for number, standard in enumerate(standards):
        met = (seconds <= standard.cutoff_s + TOLERANCE_S) & (tiers[site] >= standard.tier)
        bits |= met.astype(np.int64) << number
    useful = np.flatnonzero(bits)
    return Supply(site[useful], home[useful].astype(np.int64), bits[useful], len(sites), len(standards))


def entries_of(walks: Walks, sites: LongArray) -> tuple[LongArray, IntArray, FloatArray]:
    """Return position in ``sites``, home and seconds of every walk to one of them, site by site."""
    lengths = np.diff(walks.indptr)[sites]
    site = np.repeat(np.arange(len(sites)), lengths)
    entries = np.arange(len(site)) + np.repeat(walks.indptr[sites] - np.cumsum(lengths) + lengths, lengths)
    return site, walks.indices[entries], walks.seconds[entries]


def two_nearest(walks: Walks, sites: LongArray, cutoff_s: float) -> tuple[FloatArray, FloatArray, LongArray]:
    """Return the seconds from each demand point to the nearest and the second of ``sites``, and which is the nearest.

    Both are ``cutoff_s`` where no site is nearer, and the nearest (a position in ``sites``) is then -1. Of equally near
    ones the first in ``sites`` is the nearest.
    """
    first, second = (np.full(walks.n_demand, cutoff_s) for _ in range(2))
    nearest = np.full(walks.n_demand, -1, dtype=np.int64)
    for position, site in enumerate(sites.tolist()):
        home, seconds = walks.row(site)
        closer = seconds < first[home]
        second[home] = np.where(closer, first[home], np.minimum(second[home], seconds))
        nearest[home[closer]] = position
        first[home] = np.where(closer, seconds, first[home])
    return first, second, nearest


def missing_bits(times: LongArray) -> LongArray:
    """Return the standards that no site meets, as bits per home, from `Supply.times`."""
    return ((times == 0).astype(np.int64) << np.arange(len(times))[:, None]).sum(axis=0)


def completes(missing: LongArray, bits: LongArray) -> BoolArray:
    """Return where something is missing and ``bits`` are all of it."""
    return (missing != 0) & (missing & ~bits == 0)


def opening_order(supply: Supply, missing: LongArray, weights: FloatArray, rank: LongArray) -> LongArray:
    """Return the sites of ``supply`` in the order in which they should open.

    Parameters
    ----------
    supply
        What each site gives.
    missing
        The standards each home lacks before, as bits.
    weights
        Residents per home.
    rank
        Per site; lower ones open first, whatever they bring. Of equals the one that brings most residents to where
        nothing is missing, then the smaller position.
    """
    missing, opened = missing.copy(), np.zeros(supply.n_sites, dtype=bool)
    by_home = np.argsort(supply.home, kind="stable")
    at_home = np.bincount(supply.home, minlength=len(missing))
    homes_end = np.cumsum(at_home)
    sites_end = np.cumsum(np.bincount(supply.site, minlength=supply.n_sites))
    # Sums that are kept up to date lose their last digits, which must not decide between equals.
    equal = 1e-9 * float(weights.sum())
    order = np.empty(supply.n_sites, dtype=np.int64)
    now = completes(missing[supply.home], supply.bits)
    gain = sums(supply.site[now], weights[supply.home[now]], supply.n_sites)
    for turn in range(supply.n_sites):
        if supply.n_standards == 1 and gain.max() <= equal:  # nor will anything win later
            rest = np.flatnonzero(~opened)
            order[turn:] = rest[np.argsort(rank[rest], kind="stable")]
            break
        waiting = ~opened & (rank == rank[~opened].min())
        best = int(np.flatnonzero(waiting & (gain >= gain[waiting].max() - equal))[0])
        order[turn], opened[best] = best, True
        span = slice(sites_end[best - 1] if best else 0, sites_end[best])
        homes, bits = supply.home[span], supply.bits[span]
        changed = homes[missing[homes] & bits != 0]
        counts = at_home[changed]
        entries = by_home[np.arange(counts.sum()) + np.repeat(homes_end[changed] - np.cumsum(counts), counts)]
        before = completes(missing[supply.home[entries]], supply.bits[entries])
        missing[homes] &= ~bits
        after = completes(missing[supply.home[entries]], supply.bits[entries])
        change = weights[supply.home[entries]] * (after.astype(np.float64) - before)
        gain += sums(supply.site[entries], change, supply.n_sites)
    return order
