"""Whom the sites that stand serve under a capacity, with none beside them: what a plan's services are held against."""

from __future__ import annotations

import numpy as np

from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.conditions import Capacity
from lifecircle.siting.crowded import crowd_of, first_columns, reallocated
from lifecircle.siting.effort import Effort
from lifecircle.siting.formulation import formulate
from lifecircle.siting.questions import MostResidents, Question


def served_as_it_stands(
    capacity: Capacity, walks: Walks, weights: FloatArray, fixed: LongArray, *, cutoff_s: float
) -> float:
    """Return how many residents find a place at the sites that stand.

    Parameters
    ----------
    capacity
        What each site can take on.
    walks, weights, fixed
        As `lifecircle.siting.solve` takes them.
    cutoff_s
        The longest walk that counts, seconds, inclusive.

    Returns
    -------
    float
        The most that there can be where homes may be served in parts and loads are residents; else as many as sites
        find that fill up one after the other, which may be a little less.
    """
    question = Question(MostResidents(cutoff_s), n_new=0, capacity=capacity)
    form = formulate(question, walks, weights, np.sort(fixed))
    crowd = crowd_of(question, weights, form)
    if crowd is None or not form.n_counts:
        return 0.0
    nothing = np.zeros(form.n_options, dtype=bool)
    part = reallocated(crowd, nothing, Effort.of()) if crowd.is_flow else None
    if part is None:
        part = first_columns(crowd)[form.n_options : form.n_options + form.n_counts]
    return float(weights[form.home] @ part)
