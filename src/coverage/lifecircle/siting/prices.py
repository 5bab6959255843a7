"""From the multipliers of a part to those of the whole form, and what they say about every option."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.kernels.cover import sums_by_row
from lifecircle.model import FloatArray, LongArray, ReadOnlyArrays
from lifecircle.siting.cover import best_prices
from lifecircle.siting.incidence import sums
from lifecircle.siting.linear import LinearForm, Rows, rows_from
from lifecircle.siting.parts import Part, Whole
from lifecircle.siting.relaxation import Saddle, levelled, side_costs, worth_of


@dataclass(frozen=True, eq=False)
class Prices(ReadOnlyArrays):
    """Multipliers of all links and side rows, the bound that they prove, and the reduced gain of every option.

    ``pull`` is the gain before the side rows. The bound is in the form's own terms: no plan reaches more.
    """

    links: FloatArray
    side: FloatArray
    bound: float
    pull: FloatArray
    gain: FloatArray


def priced(whole: Whole, links: FloatArray, side: FloatArray) -> Prices:
    """Return what multipliers say; those of the rows over options alone made as good as they can be one by one."""
    form = whole.form
    pull = form.objective[: form.n_options] + sums_by_row(whole.by_option.indptr, whole.by_option.columns, links)
    counts = form.objective[form.n_options :] - side_costs(form, side)[form.n_options :]
    counts[: form.n_counts] -= sums(
        form.links.counts.columns, np.repeat(links, form.links.counts.lengths), form.n_counts
    )
    boxes = np.maximum(counts * form.lower[form.n_options :], counts * form.upper[form.n_options :]).sum()
    rest = form.offset + float(links @ form.links.standing) + float(boxes)
    found = []
    limits, which = option_rows(form)
    sharper = side.copy()
    others = side.copy()
    others[which] = 0.0
    sharper[which] = best_prices(limits, pull - side_costs(form, others)[: form.n_options], side[which])
    for prices in (side, sharper):
        gain = pull - side_costs(form, prices)[: form.n_options]
        best = np.maximum.reduceat(gain, whole.site_options.indptr[:-1]) if len(gain) else gain
        bound = rest + float(prices @ form.side.limit) + float(np.maximum(best, 0.0).sum())
        found.append(Prices(links, prices, bound, pull, gain))
    return min(found, key=lambda prices: prices.bound)


def refuting(whole: Whole, prices: Prices) -> Prices:
    """Return what multipliers say of the form without its objective: with a bound below 0, no plan keeps the side rows.

    Every plan is worth 0 there. A link takes of its counts what the side rows pay for them, not what they are worth.
    """
    form, counts = whole.form, whole.form.links.counts
    side, row = prices.side.copy(), np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    side[row[form.side.columns >= form.n_columns - form.n_levels]] = 0.0
    paid, worth = -side_costs(form, side)[form.n_options :], form.objective[form.n_options :]
    worth = worth - side_costs(form, prices.side)[form.n_options :]
    part = np.clip(paid / np.where(worth > 0.0, worth, 1.0), 0.0, 1.0)
    links = prices.links * np.maximum.reduceat(part[counts.columns], counts.indptr[:-1])
    plain = replace(form, objective=np.zeros(form.n_columns), offsets=np.zeros(1))
    return priced(replace(whole, form=plain), links, side)


def lifted(whole: Whole, part: Part, found: Saddle, side: FloatArray) -> Prices:
    """Return multipliers of the whole form from those of a part without open options.

    A class takes the part of its worth that its links took there. A class that no option of the part helps is charged
    in full to the link that holds it; so options outside of the part are never underrated.

    Parameters
    ----------
    whole, part
        The form and its part.
    found
        The multipliers of the part.
    side
        The multipliers of all side rows, for those that the part does not have.
    """
    side = side.copy()
    side[part.rows] = found.side
    side = levelled(whole.form, side)
    in_part = levelled(part.form, side[part.rows])
    worth = worth_of(part.form, in_part)
    of_link = np.maximum(worth[part.form.links.counts.columns[part.form.links.counts.indptr[:-1]]], 1e-12)
    share = np.append(np.minimum(found.links / of_link, 1.0), 0.0)[part.link]
    share[_first_of_class(whole, part.holds)] = 1.0
    total = np.bincount(whole.class_of_link, share, minlength=whole.links.n_rows)
    next_count = np.minimum(part.sure, whole.counts.lengths - 1)
    top = worth_of(whole.form, side)[whole.counts.columns[whole.counts.indptr[:-1] + next_count]]
    top = np.where(part.sure < whole.counts.lengths, top, 0.0)
    return priced(whole, share * (top / np.maximum(total, 1.0))[whole.class_of_link], side)


def option_rows(form: LinearForm) -> tuple[Rows, LongArray]:
    """Return the side rows over options alone, and which these are."""
    side, row = form.side, np.repeat(np.arange(len(form.side)), np.diff(form.side.indptr))
    other = np.bincount(row, side.columns >= form.n_options, minlength=len(side)) > 0.0
    which = np.flatnonzero(~other)
    number = np.cumsum(~other) - 1
    mine = ~other[row]
    return (
        rows_from(number[row[mine]], side.columns[mine].astype(np.int64), side.values[mine], side.limit[which]),
        which,
    )


def _first_of_class(whole: Whole, holds: np.ndarray) -> LongArray:
    """Return the first link that holds each class that is held."""
    links = np.flatnonzero(holds)
    return links[np.unique(whole.class_of_link[links], return_index=True)[1]]
