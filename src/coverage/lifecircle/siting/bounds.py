"""Bounds on the value of every plan, in float64 from any multipliers: who found them does not matter."""

from __future__ import annotations

import numpy as np

from lifecircle.model import FloatArray
from lifecircle.siting.incidence import sums
from lifecircle.siting.linear import Kind, LinearForm, Rows

LIMITS: tuple[Kind, ...] = ("n_new", "stops", "budget", "area_budget", "year_budget")
"""The side rows of which every option takes its part, 0 or more, till nothing is left."""


def dual_bound(form: LinearForm, links: FloatArray, side: FloatArray, structure: FloatArray) -> float:
    """Return a bound on the value of every plan (box-constrained Lagrangian relaxation).

    With multipliers p of the cover links, q of the side rows and s of the structure, all 0 or more, and the reduced
    gains g = objective - (p, q, s) . rows, no plan has a better value than ``sign`` times

        offset + p . standing + q . limit + s . limit
        + sum over sites of max(0, g of the site's best option) + sum over counts and levels of max(g lower, g upper)

    Parameters
    ----------
    form
        The question.
    links, side, structure
        A multiplier per row, negative ones taken as 0.

    Returns
    -------
    float
        In the unit of the question: no plan is above it, or below it where less is better.

    Notes
    -----
    A. Geoffrion (1974), Lagrangean relaxation for integer programming, https://doi.org/10.1007/BFb0120690.
    """
    cover, side, structure = (np.maximum(row, 0.0) for row in (links, side, structure))
    gain = reduced_gains(form, cover, side, structure)
    options, others = gain[: form.n_options], slice(form.n_options, None)
    _, site = np.unique(form.options.site, return_inverse=True)
    best = np.zeros(int(site.max(initial=-1)) + 1)
    np.maximum.at(best, site, options)
    boxes = np.maximum(gain[others] * form.lower[others], gain[others] * form.upper[others])
    constant = cover @ form.links.standing + side @ form.side.limit + structure @ form.structure.limit
    return float(form.sign * (form.offset + constant + best.sum() + boxes.sum()))


def reduced_gains(form: LinearForm, links: FloatArray, side: FloatArray, structure: FloatArray) -> FloatArray:
    """Return the objective per column less what the multipliers of its rows make it cost."""
    gain = form.objective.copy()
    of_link = form.links
    counted = np.repeat(links, of_link.counts.lengths)
    gain[form.n_options :] -= sums(of_link.counts.columns, counted, form.n_columns - form.n_options)
    gain[: form.n_options] += sums(of_link.options.columns, np.repeat(links, of_link.options.lengths), form.n_options)
    for rows, multiplier in ((form.side, side), (form.structure, structure)):
        gain -= _priced(rows, multiplier, form.n_columns)
    return gain


def first_bound(form: LinearForm) -> float:
    """Return a bound that needs no search: as if no two options reached the same homes.

    The links of a count share its worth; under limits only those sites open that are worth most for what they take.
    """
    per_count = form.links.counts
    n_links = np.bincount(per_count.columns, minlength=form.n_counts)
    worth = np.maximum(form.objective[form.n_options : form.n_options + form.n_counts], 0.0)
    share = worth[per_count.columns] / n_links[per_count.columns]
    links, structure = sums(per_count.rows, share, len(form.links)), np.zeros(len(form.structure))
    nothing = dual_bound(form, np.zeros(len(links)), np.zeros(len(form.side)), structure)
    bound = dual_bound(form, links, limits_priced(form, links, structure), structure)
    return min(nothing, bound) if form.sign > 0 else max(nothing, bound)


def limits_priced(form: LinearForm, links: FloatArray, structure: FloatArray) -> FloatArray:
    """Return multipliers of the side rows that price the limits on what opens, one after the other, and nothing else.

    What a site takes of a limit costs what it is worth to the first site for which nothing is left.
    """
    rows, side = form.side, np.zeros(len(form.side))
    gain = reduced_gains(form, links, side, structure)
    for row in (row for row, label in enumerate(form.labels) if label.kind in LIMITS):
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        options, amount = rows.columns[span], rows.values[span]
        density = gain[options] / amount
        best_first = np.argsort(-density, kind="stable")
        full = int(np.searchsorted(np.cumsum(amount[best_first]), rows.limit[row], side="right"))
        side[row] = max(0.0, density[best_first[full]]) if full < len(options) else 0.0
        gain[options] -= side[row] * amount
    return side


def _priced(rows: Rows, multiplier: FloatArray, n_columns: int) -> FloatArray:
    return sums(rows.columns, rows.values * np.repeat(multiplier, np.diff(rows.indptr)), n_columns)
