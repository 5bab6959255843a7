"""The tree of areas: grid cell, community, subdistrict, district, as many levels as a study has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import IntArray, ReadOnlyArrays


@dataclass(frozen=True, eq=False)
class AreaTree(ReadOnlyArrays):
    """Areas by row; ``parent`` (n,) is the row of the area above, -1 at the top."""

    ids: tuple[str, ...]
    level: tuple[str, ...]
    parent: IntArray

    @classmethod
    def of(cls, areas: pd.DataFrame) -> AreaTree:
        """Return the tree of a frame with ``area_id``, ``level`` and ``parent_id`` (checked: no cycle, no orphan)."""
        parent = pd.Index(areas["area_id"]).get_indexer(areas["parent_id"])
        return cls(tuple(areas["area_id"]), tuple(areas["level"]), parent.astype(np.int32))

    @property
    def lowest(self) -> frozenset[str]:
        """Ids of the areas that hold no others."""
        return frozenset(self.ids) - {self.ids[parent] for parent in self.parent if parent >= 0}

    def rows(self, area_id: npt.ArrayLike | pd.Series) -> IntArray:
        """Return the rows of areas by id, -1 for an empty or unknown id."""
        return pd.Index(self.ids).get_indexer(pd.Index(area_id)).astype(np.int32)

    def upwards(self, rows: IntArray) -> Iterator[IntArray]:
        """Yield ``rows``, then their parents, and so on to the top; -1 where the top is passed."""
        while (rows >= 0).any():
            yield rows
            rows = np.append(self.parent, -1)[rows]

    def inside(self, rows: IntArray) -> list[npt.NDArray[np.intp]]:
        """Return for each area the positions in ``rows`` (areas of some places) that lie in it or below it."""
        found: list[list[npt.NDArray[np.intp]]] = [[] for _ in self.ids]
        for step in self.upwards(rows):
            order = np.argsort(step, kind="stable")
            bounds = np.searchsorted(step[order], np.arange(len(self.ids) + 1))
            for area in np.unique(step[step >= 0]):
                found[area].append(order[bounds[area] : bounds[area + 1]])
        return [np.sort(np.concatenate(parts)) if parts else np.empty(0, dtype=np.intp) for parts in found]

    def depths(self) -> IntArray:
        """Return (n,) how many areas each lies in, 0 at the top."""
        depth = np.full(len(self.ids), -1, dtype=np.int32)
        for step in self.upwards(np.arange(len(self.ids), dtype=np.int32)):
            depth += step >= 0
        return depth

    def at_level(self, rows: IntArray, level: str) -> IntArray:
        """Return the area of that level which holds each of ``rows``, -1 for none."""
        is_level = np.append(np.array(self.level, dtype=object) == level, False)
        found = np.full(len(rows), -1, dtype=np.int32)
        for step in self.upwards(rows):
            found = np.where((found < 0) & is_level[step], step, found).astype(np.int32)
        return found
