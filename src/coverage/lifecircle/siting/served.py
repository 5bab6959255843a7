"""Who is served by whom: the part of each home that each site serves, home by home and site by site.

A question needs these counts where it matters which station serves: under a capacity, and for the length of walks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.model import TOLERANCE_S, FloatArray, LongArray, Walks
from lifecircle.siting.counts import Counts, Given, Term
from lifecircle.siting.incidence import from_pairs
from lifecircle.siting.linear import Links, Rows, rows_from, stacked_rows


@dataclass(frozen=True, eq=False)
class ServedCounts(Counts):
    """Counts of homes that sites serve.

    ``saved_s`` is what each count saves of the walk that its home has otherwise, seconds; ``otherwise_s`` that walk per
    case and demand point, shape (n_cases, n_demand): to the nearest site that stands, or the cutoff.
    """

    saved_s: FloatArray
    otherwise_s: FloatArray

    def tally(self, homes: LongArray, persons: FloatArray, case: int, year: int, *, rank: int = 1) -> Term:
        """Return how many of ``persons`` are served, see `Counts.tally`."""
        columns = self._columns(homes, case, year)
        return Term(0.0, columns, self._spread(homes, persons)[self.home[columns]])

    def reachable(self, homes: LongArray, persons: FloatArray, case: int) -> float:
        """Return how many of ``persons`` could be served, see `Counts.reachable`."""
        return float(persons[np.isin(homes, self.home[self.case == case])].sum())

    def walks(self, persons: FloatArray, case: int, year: int) -> Term:
        """Return the seconds that ``persons`` (per demand point) walk in sum."""
        columns = self._columns(np.arange(len(persons)), case, year)
        return Term(
            float(persons @ self.otherwise_s[case]), columns, -persons[self.home[columns]] * self.saved_s[columns]
        )

    def _columns(self, homes: LongArray, case: int, year: int) -> LongArray:
        return np.flatnonzero((self.case == case) & (self.year == year) & np.isin(self.home, homes))

    def _spread(self, homes: LongArray, persons: FloatArray) -> FloatArray:
        spread = np.zeros(self.otherwise_s.shape[1])
        spread[homes] = persons
        return spread


def count_served(given: Given, cutoff_s: float) -> ServedCounts:
    """Return the counts of homes that sites within ``cutoff_s`` seconds serve.

    Without a capacity a home goes to the nearest open site, so sites no nearer than one that stands for good are left
    out, and those that stand with them.

    Parameters
    ----------
    given
        What there is.
    cutoff_s
        The longest walk, seconds, inclusive.
    """
    cases, years = given.question.happenings, given.question.n_years
    otherwise_s = np.full((len(cases), given.walks.n_demand), cutoff_s)
    found = [
        _pairs(given, case.walks or given.walks, np.array(case.out_of_service, dtype=np.int64), otherwise_s[number])
        for number, case in enumerate(cases)
    ]
    site, home, seconds = (np.concatenate(part) for part in zip(*found, strict=True))
    of_case = np.repeat(np.arange(len(cases)), [len(part[0]) for part in found])
    saved_s = otherwise_s[of_case, home] - seconds
    year = np.repeat(np.arange(years), len(home))
    site, home, of_case, saved_s = (np.tile(part, years) for part in (site, home, of_case, saved_s))
    return ServedCounts(
        n=len(home),
        links=_links(given, site, year),
        structure=stacked_rows([_once(given, home, of_case, year), _limits(given, home, site, of_case, year)]),
        home=home,
        site=site,
        case=of_case,
        year=year,
        saved_s=saved_s,
        otherwise_s=otherwise_s,
    )


def _pairs(
    given: Given, walks: Walks, out: LongArray, otherwise_s: FloatArray
) -> tuple[LongArray, LongArray, FloatArray]:
    """Return site, home and seconds of every pair that may matter; lower ``otherwise_s`` to the sites that stand."""
    site = np.repeat(np.arange(walks.n_facilities), np.diff(walks.indptr))
    home, seconds = walks.indices.astype(np.int64), walks.seconds
    near = (seconds <= otherwise_s[home] + TOLERANCE_S) & given.homes[home] & ~np.isin(site, out)
    site, home, seconds = site[near], home[near], np.minimum(seconds[near], otherwise_s[home[near]])
    stands = np.isin(site, given.kept)
    useful = stands | np.isin(site, given.options.site)
    if given.question.capacity is None:
        np.minimum.at(otherwise_s, home[stands], seconds[stands])
        useful &= seconds < otherwise_s[home]
    return site[useful], home[useful], seconds[useful]


def _links(given: Given, site: LongArray, year: LongArray) -> Links:
    """Return a link for each count at a site that does not stand for good: it must be open by then."""
    options = given.options
    linked = np.flatnonzero(~np.isin(site, given.kept))
    row, option = _options_at(given, site[linked], year[linked])
    return Links(
        counts=from_pairs(np.arange(len(linked)), linked, len(linked), len(site)),
        options=from_pairs(row, option, len(linked), len(options)),
        standing=np.zeros(len(linked)),
    )


def _once(given: Given, home: LongArray, case: LongArray, year: LongArray) -> Rows:
    """Return a row for each home, case and year: its parts are no more than the whole."""
    key = (year * len(given.question.happenings) + case) * given.walks.n_demand + home
    _, row, times = np.unique(key, return_inverse=True, return_counts=True)
    return rows_from(row, len(given.options) + np.arange(len(home)), np.ones(len(home)), np.ones(len(times)))


def _limits(given: Given, home: LongArray, site: LongArray, case: LongArray, year: LongArray) -> Rows:
    """Return a row for each site, case and year: what it takes on is within its capacity, 0 while it is closed."""
    capacity = given.question.capacity
    if capacity is None:
        return stacked_rows([])
    load = given.weights if capacity.load is None else capacity.load
    bounded = np.flatnonzero(np.isfinite(capacity.limit[site]))
    key = (year * len(given.question.happenings) + case) * given.n_sites + site
    keys, row = np.unique(key[bounded], return_inverse=True)
    limit, at = capacity.limit[keys % given.n_sites], keys % given.n_sites
    opens, option = _options_at(given, at, keys // given.n_sites // len(given.question.happenings))
    return rows_from(
        np.concatenate([row, opens]),
        np.concatenate([len(given.options) + bounded, option]),
        np.concatenate([load[home[bounded]], -limit[opens]]),
        np.where(np.isin(at, given.kept), limit, 0.0),
    )


def _options_at(given: Given, site: LongArray, year: LongArray) -> tuple[LongArray, LongArray]:
    """Return, for entries with a site and a year, each entry beside each option that opens its site by then."""
    options, toured = given.options, given.question.itinerary is not None
    start, end = (np.searchsorted(options.site, site, side=side) for side in ("left", "right"))
    entry = np.repeat(np.arange(len(site)), end - start)
    option = np.arange(len(entry)) - np.repeat(np.cumsum(end - start) - end, end - start)
    by_then = toured | (options.period[option] <= year[entry])
    return entry[by_then], option[by_then]
