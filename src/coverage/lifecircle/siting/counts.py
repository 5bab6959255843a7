"""Who counts: classes of homes whom the same options bring within the same standards.

Homes are one class where every standard can be met by the very same options beside the same sites that stand: no plan
can tell them apart. A home that a case does not touch counts in it as on every other day, with the same column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.model import TOLERANCE_S, BoolArray, FloatArray, LongArray, ReadOnlyArrays, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.incidence import Incidence, from_pairs, stacked, sums, within
from lifecircle.siting.linear import Links, Options, Rows, stacked_rows
from lifecircle.siting.options import standing_tiers
from lifecircle.siting.questions import Question

NEVER, ALWAYS = -1, -2
"""In place of a column: whom nothing can make count, and who counts whatever is opened."""


@dataclass(frozen=True, eq=False)
class Given:
    """What every part of a formulation starts from.

    ``homes`` says which demand points somebody lives on that the question asks about; the others are left out.
    """

    question: Question
    walks: Walks
    weights: FloatArray
    kept: LongArray
    options: Options
    homes: BoolArray

    @property
    def n_sites(self) -> int:
        """How many sites there are."""
        return self.walks.n_facilities


@dataclass(frozen=True, eq=False)
class Term(ReadOnlyArrays):
    """A linear expression over counts: ``constant`` and the sum of ``values`` times ``columns``."""

    constant: float
    columns: LongArray
    values: FloatArray

    def moved(self, by: int) -> Term:
        """Return the same over columns that start ``by`` later."""
        return Term(self.constant, self.columns + by, self.values)

    def times(self, factor: float) -> Term:
        """Return the expression ``factor`` times."""
        return Term(self.constant * factor, self.columns, self.values * factor)

    def plus(self, other: Term) -> Term:
        """Return the sum; columns of both come twice."""
        columns, values = np.concatenate([self.columns, other.columns]), np.concatenate([self.values, other.values])
        return Term(self.constant + other.constant, columns, values)


@dataclass(frozen=True, eq=False)
class Counts(ReadOnlyArrays):
    """A block of counts, numbered from 0, that means something by itself.

    Attributes
    ----------
    n
        How many counts there are.
    links, structure
        As in `LinearForm`, with the counts of this block numbered from 0 and, in ``structure``, after the options.
    home, site, case, year
        As in `LinearForm`.
    """

    n: int
    links: Links
    structure: Rows
    home: LongArray
    site: LongArray
    case: LongArray
    year: LongArray

    def tally(self, homes: LongArray, persons: FloatArray, case: int, year: int, *, rank: int = 1) -> Term:
        """Return how many count at the end of a year of ``persons``, given for each of ``homes``.

        ``rank`` 2 asks who counts twice, by two stations.
        """
        raise NotImplementedError

    def reachable(self, homes: LongArray, persons: FloatArray, case: int) -> float:
        """Return how many of ``persons`` could count for themselves, if everything opened and nothing were full."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class ClassCounts(Counts):
    """Counts of classes of homes.

    ``class_of`` is the class of each home per case, shape (n_cases, n_demand), -1 for a home left out; ``column`` the
    count of each class per rank and year, shape (n_ranks, n_years, n_classes), or `NEVER` or `ALWAYS`.
    """

    class_of: LongArray
    column: LongArray

    def tally(self, homes: LongArray, persons: FloatArray, case: int, year: int, *, rank: int = 1) -> Term:
        """Return how many of ``persons`` count, see `Counts.tally`."""
        class_of = self.class_of[case][homes]
        there = class_of >= 0
        classes, index = np.unique(class_of[there], return_inverse=True)
        residents = sums(index, persons[there], len(classes))
        column = self.column[rank - 1, year, classes]
        counted = column >= 0
        return Term(float(residents[column == ALWAYS].sum()), column[counted], residents[counted])

    def reachable(self, homes: LongArray, persons: FloatArray, case: int) -> float:
        """Return how many of ``persons`` could count, see `Counts.reachable`."""
        term = self.tally(homes, persons, case, self.column.shape[1] - 1)
        return term.constant + float(term.values.sum())


def count_classes(
    given: Given, standards: tuple[Standard, ...], *, n_ranks: int = 1, tolerance_s: float = TOLERANCE_S
) -> ClassCounts:
    """Return the counts of homes that meet all ``standards``.

    Parameters
    ----------
    given
        What there is.
    standards
        All that must hold at once.
    n_ranks
        2 where it matters who is reached twice.
    tolerance_s
        Seconds within which a cutoff still holds.
    """
    lots = list(_lots(given, standards, tolerance_s))
    sets = stacked(
        [
            _marked(given, near, s, lot.out, n_ranks)
            for lot in lots
            for near, s in zip(lot.reach, standards, strict=True)
        ],
        given.n_sites + n_ranks + 1 + given.question.n_tiers,
    )
    first, set_of = sets.identical_rows()
    ends = np.cumsum([len(lot.homes) * len(standards) for lot in lots])
    by_home = [rows.reshape(len(standards), -1).T for rows in np.split(set_of, ends[:-1])]
    members, class_of_row = np.unique(np.concatenate(by_home), axis=0, return_inverse=True)
    class_of = np.full((len(given.question.happenings), given.walks.n_demand), -1, dtype=np.int64)
    for lot, classes in zip(lots, np.split(class_of_row.ravel(), ends[:-1] // len(standards)), strict=True):
        class_of[np.ix_(lot.cases, lot.homes)] = classes
    # What a home is on a day on which no case finds it needs no count.
    used = np.unique(class_of[class_of >= 0])
    class_of = np.where(class_of >= 0, np.searchsorted(used, class_of), -1)
    return _linked(given, standards, sets.take(first), members[used], class_of, n_ranks)


@dataclass(frozen=True, eq=False)
class _Lot(ReadOnlyArrays):
    """Homes that are looked at together for some cases: the sites (columns) in reach of each home, by standard."""

    cases: LongArray
    homes: LongArray
    out: LongArray
    reach: list[Incidence]


def _lots(given: Given, standards: tuple[Standard, ...], tolerance_s: float) -> Iterator[_Lot]:
    """Yield all homes as on every day, then those for whom a case is another day, case by case."""
    cases = given.question.happenings
    everyone, nothing = np.flatnonzero(given.homes), np.empty(0, dtype=np.int64)
    daily = [within(given.walks, s.cutoff_s, tolerance_s=tolerance_s).transposed() for s in standards]
    yield _Lot(np.arange(len(cases)), everyone, nothing, [near.take(everyone) for near in daily])
    for number, case in enumerate(cases):
        out, reach, touched = np.array(case.out_of_service, dtype=np.int64), daily, np.zeros_like(given.homes)
        if case.walks is not None:
            reach = [within(case.walks, s.cutoff_s, tolerance_s=tolerance_s).transposed() for s in standards]
            for near, usual in zip(reach, daily, strict=True):
                touched |= near.differs(usual)
        walks = case.walks or given.walks
        for site in out.tolist():
            touched[walks.row(site)[0]] = True
        homes = np.flatnonzero(touched & given.homes)
        if len(homes):
            yield _Lot(np.array([number]), homes, out, [near.take(homes) for near in reach])


def _marked(given: Given, reach: Incidence, standard: Standard, out: LongArray, n_ranks: int) -> Incidence:
    """Return for each home what can meet the standard, in a form in which equal rows mean the same.

    That are the sites with an option of the tier, unless the sites that stand suffice; then a mark of how many of these
    there are, up to ``n_ranks``, and one of the tier.
    """
    in_service = np.ones(given.n_sites, dtype=bool)
    in_service[out] = False
    tier = standing_tiers(given.question, given.n_sites)[given.kept]
    meets, offers = (np.zeros(given.n_sites, dtype=bool) for _ in range(2))
    meets[given.kept[tier >= standard.tier]] = True
    offers[given.options.site[given.options.tier >= standard.tier]] = True
    home, site = reach.rows.astype(np.int64), reach.columns.astype(np.int64)
    kept = np.minimum(np.bincount(home[(meets & in_service)[site]], minlength=reach.n_rows), n_ranks)
    useful = (offers & in_service)[site] & (kept[home] < n_ranks)
    every = np.arange(reach.n_rows)
    mark_of_tier = np.full(reach.n_rows, given.n_sites + n_ranks + 1 + standard.tier)
    return from_pairs(
        np.concatenate([home[useful], every, every]),
        np.concatenate([site[useful], given.n_sites + kept, mark_of_tier]),
        reach.n_rows,
        given.n_sites + n_ranks + 1 + given.question.n_tiers,
    )


def _linked(
    given: Given,
    standards: tuple[Standard, ...],
    sets: Incidence,
    members: LongArray,
    class_of: LongArray,
    n_ranks: int,
) -> ClassCounts:
    """Return the counts of classes, each of which is a set of sites (row of ``sets``) for each standard."""
    n_years, n_options = given.question.n_years, len(given.options)
    is_site = np.arange(sets.n_columns) < given.n_sites
    sites = sets.restrict(is_site)
    # The marks are the last two entries of every row.
    kept = sets.columns[sets.indptr[1:] - 2].astype(np.int64) - given.n_sites
    always = kept[members].min(axis=1)
    possible = np.minimum((kept + sites.lengths)[members].min(axis=1), n_ranks)
    rank = np.arange(1, n_ranks + 1)[:, None]
    open_to_plan = (rank > always) & (rank <= possible)
    fixed = np.where(rank <= always, ALWAYS, NEVER)
    n_a_year = int(open_to_plan.sum())
    number = np.cumsum(open_to_plan).reshape(open_to_plan.shape) - 1
    column = np.stack([np.where(open_to_plan, number + year * n_a_year, fixed) for year in range(n_years)], axis=1)

    counts, options, standing = [], [], [np.empty(0)]
    for year in range(n_years):
        for standard, which in zip(standards, members.T, strict=True):
            linked = np.flatnonzero(kept[which] < np.where(possible > always, possible, 0))
            ranks, row = np.nonzero(open_to_plan[:, linked])
            counts.append(from_pairs(row, column[ranks, year, linked[row]], len(linked), n_years * n_a_year))
            options.append(sites.take(which[linked]).through(_offers(given, standard, year)))
            standing.append((kept[which] - always)[linked].astype(np.float64))
    nobody = np.full(n_years * n_a_year, -1, dtype=np.int64)
    return ClassCounts(
        n=n_years * n_a_year,
        links=Links(stacked(counts, n_years * n_a_year), stacked(options, n_options), np.concatenate(standing)),
        structure=stacked_rows([]),
        home=nobody,
        site=nobody,
        case=nobody,
        year=np.repeat(np.arange(n_years), n_a_year),
        class_of=class_of,
        column=column,
    )


def _offers(given: Given, standard: Standard, year: int) -> Incidence:
    """Return the options (columns) at each site (row) that meet the tier and are open at the end of ``year``."""
    options, toured = given.options, given.question.itinerary is not None
    meets = np.flatnonzero((options.tier >= standard.tier) & (toured | (options.period <= year)))
    return from_pairs(options.site[meets], meets, given.n_sites, len(options))
