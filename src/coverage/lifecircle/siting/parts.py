"""A linear form with some of its options alone, the others open or closed for good.

What the open options settle is no column of the part; classes of homes that the options left reach alike are one. So a
part is small, whatever the form, and a plan of it is one of the form, with the same value. This holds for forms whose
counts count by themselves: they have no structure, a link's counts are those of one class, and more of them never
harms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lifecircle.kernels.cover import renumbered, told_apart
from lifecircle.kernels.relaxation import collapsed_rows
from lifecircle.model import BoolArray, FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import turned
from lifecircle.siting.incidence import Incidence, sums
from lifecircle.siting.linear import LinearForm, Links, Options, Rows, rows_from

KEPT = 1e-9
"""A row is kept where what it takes exceeds its limit by no more than this part of its coefficients."""


def divisible(form: LinearForm) -> bool:
    """Return whether a form can be divided into parts: its counts are those of classes, and more never harms."""
    counts = slice(form.n_options, form.n_options + form.n_counts)
    row_values = form.side.values[(form.side.columns >= counts.start) & (form.side.columns < counts.stop)]
    by_class = bool((form.home == -1).all()) and not len(form.structure)
    return by_class and bool((row_values <= 0.0).all() and (form.objective[counts] >= 0.0).all()) and not (
        form.lower[counts].any()
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Whole(ReadOnlyArrays):
    """A form that is divided into parts, and what its columns and links have to do with each other.

    Attributes
    ----------
    form
        The question.
    by_option
        The links that each option is in.
    links, counts
        Of each class: its links, and its counts in the order in which they fill up: the first station counts first.
    class_of_link
        The class of each link.
    """

    form: LinearForm
    by_option: Incidence
    links: Incidence
    counts: Incidence
    class_of_link: LongArray

    def standing(self, opened: LongArray) -> FloatArray:
        """Return how many options are open in each link, of those ``opened`` and the sites that stand."""
        more = np.bincount(self.by_option.take(opened).columns, minlength=len(self.form.links))
        return self.form.links.standing + more

    def least(self, by_link: FloatArray) -> FloatArray:
        """Return the least of a number per link for each class."""
        return np.minimum.reduceat(by_link[self.links.columns], self.links.indptr[:-1])

    def columns(self, opened: BoolArray) -> FloatArray:
        """Return the columns of the plan that opens some options."""
        form = self.form
        times = self.least(self.standing(np.flatnonzero(opened)))
        counts = np.clip(np.repeat(times, self.counts.lengths) - self.rank, 0.0, 1.0)
        v = np.zeros(form.n_columns)
        v[: form.n_options] = opened
        v[form.n_options + self.counts.columns] = counts
        return with_levels(form, v)

    @cached_property
    def rank(self) -> LongArray:
        """The place of each count in its class, from 0, in the order of ``counts``."""
        return np.arange(len(self.counts.columns)) - np.repeat(self.counts.indptr[:-1], self.counts.lengths)

    @cached_property
    def matters(self) -> BoolArray:
        """Whether anything depends on each class: it is in the objective or in a side row."""
        form = self.form
        used = form.objective != 0.0
        used[form.side.columns[form.side.values != 0.0]] = True
        return np.logical_or.reduceat(used[form.n_options + self.counts.columns], self.counts.indptr[:-1])

    @cached_property
    def site_options(self) -> Incidence:
        """The options at each site that has any, sites ascending."""
        _, first = np.unique(self.form.options.site, return_index=True)
        indptr = np.append(first, self.form.n_options).astype(np.int64)
        return Incidence(indptr, np.arange(self.form.n_options, dtype=np.int32), self.form.n_options)


def whole_of(form: LinearForm) -> Whole:
    """Return a form, `divisible`, ready to be divided."""
    by_count = turned(form.links.counts)
    first, class_of = by_count.identical_rows()
    order = np.argsort(class_of, kind="stable")
    lengths = np.bincount(class_of, minlength=len(first))
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    links = by_count.take(first)
    class_of_link = np.full(len(form.links), -1, dtype=np.int64)
    class_of_link[links.columns] = links.rows
    return Whole(
        form=form,
        by_option=turned(form.links.options),
        links=links,
        counts=Incidence(indptr, order.astype(np.int32), form.n_counts),
        class_of_link=class_of_link,
    )


def with_levels(form: LinearForm, v: FloatArray) -> FloatArray:
    """Return the columns with every level as high as its rows let it be."""
    if not form.n_levels:
        return v
    v, start = v.copy(), form.n_columns - form.n_levels
    v[start:] = 0.0
    room = form.side.limit - activity(form.side, v)
    row = np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    of_level = form.side.columns >= start
    highest = form.upper[start:].copy()
    np.minimum.at(highest, form.side.columns[of_level] - start, room[row[of_level]] / form.side.values[of_level])
    v[start:] = np.maximum(highest, form.lower[start:])
    return v


def activity(rows: Rows, v: FloatArray) -> FloatArray:
    """Return what every row comes to."""
    row = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    return sums(row, rows.values * v[rows.columns], len(rows))


def overrun(rows: Rows, v: FloatArray) -> FloatArray:
    """Return by how much every row is exceeded; 0 within what rounding does."""
    over = activity(rows, v) - rows.limit
    return np.where(over > KEPT * (1.0 + np.abs(rows.limit)), over, 0.0)


@dataclass(frozen=True, eq=False)
class Part(ReadOnlyArrays):
    """Some ``options`` of a form, numbered from 0, as a form of their own.

    ``link`` is the link that every link of the form has become, -1 where it is settled. ``sure`` says how often each
    class of the form counts whatever is done here; ``holds`` whether a link keeps its class from counting more often.
    ``rows`` are the side rows that are left.
    """

    form: LinearForm
    options: LongArray
    link: LongArray
    sure: LongArray
    holds: BoolArray
    rows: LongArray


def part_of(whole: Whole, free: LongArray, opened: LongArray) -> Part:
    """Return the part of the options ``free``, ascending, with others ``opened`` and all the rest closed."""
    form, n_free = whole.form, len(free)
    standing = whole.standing(opened)
    possible = standing + np.bincount(whole.by_option.take(free).columns, minlength=len(standing))
    sure, most = (np.minimum(whole.least(n), whole.counts.lengths).astype(np.int64) for n in (standing, possible))
    left = (standing - sure[whole.class_of_link]).astype(np.int64)
    live = (most > sure) & whole.matters
    needed = (possible > standing) & (standing < most[whole.class_of_link]) & live[whole.class_of_link]
    like, new_class = _alike(whole, free, np.flatnonzero(live), needed, left, most - sure)
    class_link, lengths = _places(whole, needed, like)
    # New links: those of the first class of each kind, in the order of their kinds.
    first = np.unique(new_class, return_index=True)[1]
    first = first[new_class[first] >= 0]
    n_links = np.append(0, np.cumsum(lengths[first]))
    place = class_link + n_links[np.maximum(new_class, 0)][whole.class_of_link]
    link = np.where(needed & (new_class[whole.class_of_link] >= 0), place, -1)
    n_counts = np.append(0, np.cumsum((most - sure)[first]))
    count, constant = _counts(whole, sure, most, new_class, n_counts)

    number = np.full(form.n_columns, -1, dtype=np.int64)
    number[free] = np.arange(n_free)
    number[form.n_options : form.n_options + form.n_counts] = np.where(count >= 0, n_free + count, -1)
    levels = n_free + n_counts[-1] + np.arange(form.n_levels)
    number[form.n_columns - form.n_levels :] = levels
    fixed = np.zeros(form.n_columns)
    fixed[opened] = 1.0
    fixed[form.n_options : form.n_options + form.n_counts] = constant
    side, rows = _side(form.side, number, fixed, int(n_free + n_counts[-1] + form.n_levels))
    kept = number >= 0
    n_columns = int(n_free + n_counts[-1] + form.n_levels)
    representative = np.zeros(len(link), dtype=bool)
    representative[link >= 0] = np.isin(whole.class_of_link[link >= 0], first)
    of_new = np.where(representative, link, -1)
    some = np.flatnonzero(representative)
    from_form = np.empty(int(n_links[-1]), dtype=np.int64)
    from_form[link[some]] = some
    indptr, columns = renumbered(free, whole.by_option.indptr, whole.by_option.columns, of_new.astype(np.int32))
    by_link = turned(Incidence(indptr, columns, int(n_links[-1])))
    owner = new_class[whole.class_of_link[from_form]]
    n_each = (n_counts[1:] - n_counts[:-1])[owner]
    own = (
        np.arange(n_each.sum())
        - np.repeat(np.cumsum(n_each) - n_each, n_each)
        + np.repeat(n_counts[:-1][owner], n_each)
    )
    nobody = np.full(int(n_counts[-1]), -1, dtype=np.int64)
    bounds = np.zeros(n_columns), np.ones(n_columns)
    for bound, of_form in zip(bounds, (form.lower, form.upper), strict=True):
        bound[:n_free] = of_form[free]
        bound[n_columns - form.n_levels :] = of_form[form.n_columns - form.n_levels :]
    options = form.options
    part = LinearForm(
        sign=form.sign,
        offsets=np.array([form.offset + float(form.objective @ fixed)]),
        kept=form.kept,
        options=Options(options.site[free], options.tier[free], options.period[free], options.stands[free]),
        n_counts=len(nobody),
        n_levels=form.n_levels,
        objective=sums(number[kept], form.objective[kept], n_columns),
        lower=bounds[0],
        upper=bounds[1],
        whole=np.zeros(len(nobody), dtype=bool),
        links=Links(
            Incidence(np.append(0, np.cumsum(n_each)).astype(np.int64), own.astype(np.int32), len(nobody)),
            by_link,
            left[from_form].astype(np.float64),
        ),
        side=side,
        labels=tuple(form.labels[row] for row in rows) if form.labels else (),
        structure=rows_from(nobody[:0], nobody[:0], np.empty(0), np.empty(0)),
        home=nobody,
        site=nobody,
        case=nobody,
        year=np.zeros(len(nobody), dtype=np.int64),
    )
    holds = (possible == most[whole.class_of_link]) & ~live[whole.class_of_link]
    return Part(part, free, link, sure, holds, rows)


def _alike(
    whole: Whole, free: LongArray, live: LongArray, needed: BoolArray, left: LongArray, n_left: LongArray
) -> tuple[LongArray, LongArray]:
    """Return a number per link, the same for links that mean the same, and the new class of every class, -1: none."""
    told, _ = told_apart(free, whole.by_option.indptr, whole.by_option.columns, len(needed))
    like = np.where(needed, told.astype(np.int64) * (1 + left.max(initial=0)) + left, -1)
    widest = int(whole.links.lengths.max(initial=1))
    table = np.full((len(live), widest + 1), -1, dtype=np.int64)
    links = whole.links.take(live)
    table[links.rows, np.arange(len(links.columns)) - np.repeat(links.indptr[:-1], links.lengths)] = like[links.columns]
    table.sort(axis=1)
    table[:, 0] = n_left[live]
    # Rows of one width compare as one number each where their parts are small, which they are.
    new_class = np.full(whole.links.n_rows, -1, dtype=np.int64)
    key = np.zeros(len(live), dtype=np.int64)
    for column in table.T:
        values, index = np.unique(column, return_inverse=True)
        key = np.unique(key * len(values) + index, return_inverse=True)[1].astype(np.int64)
    new_class[live] = key
    return like, new_class


def _places(whole: Whole, needed: BoolArray, like: LongArray) -> tuple[LongArray, LongArray]:
    """Return the place of each link among those of its class that are needed, by kind, and how many those are."""
    order = np.lexsort((like, ~needed, whole.class_of_link))
    lengths = np.bincount(whole.class_of_link[needed], minlength=whole.links.n_rows)
    starts = np.concatenate([[0], np.cumsum(np.bincount(whole.class_of_link, minlength=whole.links.n_rows))])
    place = np.empty(len(like), dtype=np.int64)
    place[order] = np.arange(len(like)) - starts[whole.class_of_link[order]]
    return place, lengths


def _counts(
    whole: Whole, sure: LongArray, most: LongArray, new_class: LongArray, starts: LongArray
) -> tuple[LongArray, FloatArray]:
    """Return what every count becomes, -1 where it is settled, and what it is then."""
    n, rank = whole.counts.lengths, whole.rank
    sure, most, kind = (np.repeat(numbers, n) for numbers in (sure, most, new_class))
    count, constant = np.full(len(rank), -1, dtype=np.int64), np.zeros(len(rank))
    free = (rank >= sure) & (rank < most) & (kind >= 0)
    count[whole.counts.columns[free]] = (starts[kind] + rank - sure)[free]
    constant[whole.counts.columns] = rank < sure
    return count, constant


def _side(side: Rows, number: LongArray, fixed: FloatArray, n_columns: int) -> tuple[Rows, LongArray]:
    """Return the side rows over new columns, without those that are settled and kept; and which are left."""
    indptr, columns, values, taken = collapsed_rows(side.indptr, side.columns, side.values, number, fixed, n_columns)
    limit = side.limit - taken
    lengths = np.diff(indptr)
    kept = (lengths > 0) | (limit < -KEPT * (1.0 + np.abs(side.limit)))
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths[kept])])
    return Rows(indptr, columns, values, limit[kept]), np.flatnonzero(kept)
