"""The questions an official asks about sites.

Symbols: demand points i with residents w_i (``weights``); sites j (rows of ``walks``); t_ij the seconds from i to
j; F the sites that stand and are kept (``fixed``); S the sites opened beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar, Literal

from lifecircle.errors import Breach, StudyError

Sense = Literal["max", "min"]
"""Whether a larger value is better or a smaller one."""

Unit = Literal["residents", "stations"]
"""What a question's value counts. Stations are whole; residents may be fractions."""

SHARE_TOLERANCE = 1e-9
"""A share is met when it lacks no more than this part of the residents it is taken of."""


@dataclass(frozen=True)
class MostResidents:
    """The most residents within a cutoff of some station, with so many new stations (maximal covering, MCLP).

    Maximise the sum of w_i over the demand points with t_ij <= ``cutoff_s`` for some j in F or S, where S
    holds at most ``n_new`` sites. Fewer are opened where a further one would win nobody. Beyond the cutoff
    nothing counts, however near; a home that no site can be reached from adds nothing and costs nothing.

    Parameters
    ----------
    cutoff_s
        The service standard, seconds, inclusive.
    n_new
        How many sites may be opened beside the fixed ones.

    Raises
    ------
    StudyError
        With every value that cannot be meant.

    Notes
    -----
    R. Church, C. ReVelle (1974), The maximal covering location problem, https://doi.org/10.1007/BF01942293.

    Examples
    --------
    >>> MostResidents(cutoff_s=480.0, n_new=3).sense
    'max'
    """

    cutoff_s: float
    n_new: int

    sense: ClassVar[Sense] = "max"
    unit: ClassVar[Unit] = "residents"

    def __post_init__(self) -> None:
        breaches = _cutoff_breaches(self.cutoff_s)
        if not isinstance(self.n_new, Integral) or isinstance(self.n_new, bool) or self.n_new < 0:
            message = f"n_new is {self.n_new!r}; it must be a whole number of stations, 0 or more"
            breaches.append(Breach("scenario", "n-new-whole", message))
        _refuse(breaches)


@dataclass(frozen=True)
class FewestStations:
    """The fewest new stations that bring a share of the residents within a cutoff (set covering, partial, LSCP).

    Minimise the number of sites in S, so that the sum of w_i over the demand points with t_ij <= ``cutoff_s``
    for some j in F or S is at least ``share`` of the *base*: the same sum with every site open. Beyond the
    cutoff nothing counts, however near; a home that no site can be reached from within the cutoff is outside
    the base and costs nothing. The share is held to `SHARE_TOLERANCE` of the base.

    Parameters
    ----------
    cutoff_s
        The service standard, seconds, inclusive.
    share
        Part of the residents who can be reached at all, above 0 and up to 1.

    Raises
    ------
    StudyError
        With every value that cannot be meant.

    Notes
    -----
    C. Toregas, R. Swain, C. ReVelle, L. Bergman (1971), The location of emergency service facilities,
    https://doi.org/10.1287/opre.19.6.1363; M. Daskin, S. Owen (1999), Two new location covering problems: the
    partial p-center problem and the partial set covering problem, Geographical Analysis 31, 217-235.

    Examples
    --------
    >>> FewestStations(cutoff_s=0.0, share=1.2)
    Traceback (most recent call last):
    lifecircle.errors.StudyError: the question cannot be meant
      - scenario: cutoff_s is 0.0; it must be a finite number of seconds above 0
      - scenario: share is 1.2; it must be above 0 and at most 1
    """

    cutoff_s: float
    share: float

    sense: ClassVar[Sense] = "min"
    unit: ClassVar[Unit] = "stations"

    def __post_init__(self) -> None:
        breaches = _cutoff_breaches(self.cutoff_s)
        if not isinstance(self.share, Real) or isinstance(self.share, bool) or not 0.0 < self.share <= 1.0:
            message = f"share is {self.share!r}; it must be above 0 and at most 1"
            breaches.append(Breach("scenario", "share-range", message))
        _refuse(breaches)


Question = MostResidents | FewestStations


def _cutoff_breaches(cutoff_s: float) -> list[Breach]:
    if isinstance(cutoff_s, Real) and not isinstance(cutoff_s, bool) and 0.0 < cutoff_s < math.inf:
        return []
    message = f"cutoff_s is {cutoff_s!r}; it must be a finite number of seconds above 0"
    return [Breach("scenario", "cutoff-positive", message)]


def _refuse(breaches: list[Breach]) -> None:
    if breaches:
        raise StudyError("the question cannot be meant", breaches=breaches)
