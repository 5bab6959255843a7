"""A first plan: the option that wins most, then the next, as far as the limits go."""

from __future__ import annotations

import numpy as np

from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.conditions import Standard
from lifecircle.siting.linear import LinearForm
from lifecircle.siting.supply import missing_bits, opening_order, supply_of


def first_options(
    form: LinearForm, walks: Walks, weights: FloatArray, standards: tuple[Standard, ...], kept_tiers: LongArray
) -> LongArray:
    """Return options to open, ascending; they keep all limits on what opens, and may miss a share or a floor.

    Sites that stand stay open. Then the option that brings most residents within all ``standards`` opens, if no limit
    forbids it, and so on, the options of earlier years first, until none brings anybody.

    Parameters
    ----------
    form
        The question in linear form.
    walks
        Seconds to the sites (rows) from the demand points (columns).
    weights
        Residents per demand point.
    standards
        What a home needs to count.
    kept_tiers
        The tier of each site that stands for good.
    """
    options = form.options
    supply = supply_of(walks, options.site, options.tier, standards)
    missing = missing_bits(supply_of(walks, form.kept, kept_tiers, standards).times(walks.n_demand))
    order = opening_order(supply, missing, weights, np.where(options.stands, -1, options.period))
    limits, room = _limits(form)
    opened = np.zeros(form.n_options, dtype=bool)
    taken = np.zeros(walks.n_facilities, dtype=bool)
    ends = np.cumsum(np.bincount(supply.site, minlength=supply.n_sites))
    missing = missing.copy()
    for option in order.tolist():
        if taken[options.site[option]] or (limits[:, option] > room).any():
            continue
        span = slice(ends[option - 1] if option else 0, ends[option])
        homes, bits = supply.home[span], supply.bits[span]
        if not options.stands[option] and not (weights[homes] * (missing[homes] & bits != 0)).any():
            continue
        missing[homes] &= ~bits
        room -= limits[:, option]
        opened[option] = taken[options.site[option]] = True
    return np.flatnonzero(opened)


def _limits(form: LinearForm) -> tuple[FloatArray, FloatArray]:
    """Return what each option (column) takes of each limit (row) on what opens, and how much there is."""
    side = form.side
    row = np.repeat(np.arange(len(side)), np.diff(side.indptr))
    other = np.bincount(row, (side.columns >= form.n_options) | (side.values < 0.0), minlength=len(side)) > 0.0
    rows = np.flatnonzero(~other)
    table = np.zeros((len(side), form.n_options))
    mine = ~other[row]
    table[row[mine], side.columns[mine]] = side.values[mine]
    return table[rows], side.limit[rows].copy()
