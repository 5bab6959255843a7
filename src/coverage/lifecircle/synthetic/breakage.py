"""What is broken in the tables of offices, and the sheet of answers that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.model import LongArray


@dataclass(frozen=True)
class Breakage:
    """One thing that is wrong with one file.

    ``rule`` is the name by which `lifecircle check` tells it, and ``ids`` are as check tells them, in the order of the
    file; where check finds nothing yet, ``found_by_check`` is false and the name is a likely one.
    """

    file: str
    layer: str
    rule: str
    ids: tuple[str, ...]
    what: str
    mend: str
    found_by_check: bool = True


class Rows:
    """The rows of a table that are still whole: each is broken once at most."""

    def __init__(self, n: int, random: np.random.Generator) -> None:
        self._n = n
        self._whole = random.permutation(n)

    def take(self, share: float, among: Sequence[bool] | None = None) -> LongArray:
        """Return a share of the table's rows, one at least, in their order; with ``among`` of those marked in it."""
        fit = np.ones(len(self._whole), dtype=bool) if among is None else np.asarray(among)[self._whole]
        taken = self._whole[fit][: max(1, round(self._n * share))]
        self._whole = self._whole[~np.isin(self._whole, taken)]
        return np.sort(taken)


def twice(table: pd.DataFrame, rows: LongArray) -> pd.DataFrame:
    """Return the table with these rows entered twice, one below the other."""
    times = np.ones(len(table), dtype=np.int64)
    times[rows] = 2
    return table.iloc[np.repeat(np.arange(len(table)), times)].reset_index(drop=True)
