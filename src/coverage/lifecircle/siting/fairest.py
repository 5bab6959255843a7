"""The longest walk, made as short as it can be: one feasibility question per length looked at, by halving."""

from __future__ import annotations

import numpy as np

from lifecircle.model import FloatArray, LongArray, Walks
from lifecircle.siting.questions import Question
from lifecircle.siting.recount import nearest_s, open_at_best


def lengths_s(question: Question, walks: Walks, weights: FloatArray, fixed: LongArray) -> FloatArray:
    """Return, ascending, every length that the longest walk of a plan can have, seconds.

    None is shorter than the walk of some home to the site nearest to it, whatever opened.
    """
    found, least_s = [np.zeros(1)], 0.0
    for number, case in enumerate(question.happenings):
        seen = case.walks or walks
        could, _ = open_at_best(question, walks.n_facilities, fixed, number)
        for site in could.tolist():
            home, seconds = seen.row(site)
            found.append(seconds[weights[home] > 0.0])
        nearest = nearest_s(seen, could)[weights > 0.0]
        least_s = max(least_s, float(nearest[np.isfinite(nearest)].max(initial=0.0)))
    lengths = np.unique(np.concatenate(found))
    return lengths[lengths >= least_s]
