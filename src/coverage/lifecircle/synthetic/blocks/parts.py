"""What blocks are put together from: houses with their doors, and lines along which points are strung."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.blocks.plots import Frames, Rows, each
from lifecircle.synthetic.city import Lines

WAY_TAGS = ("highway", "access")
GATE_TAGS = ("barrier", "access", "opening_hours", "locked")


@dataclass(frozen=True, eq=False)
class Houses(ReadOnlyArrays):
    """Upright buildings; ``table`` has the columns kind, levels, name, cell and compound."""

    ring_m: FloatArray
    """(n, 4, 2) corners, south-west first."""
    court: FloatArray
    """(n, 2) share of the length and depth that is open to the south."""
    table: pd.DataFrame
    door_of: LongArray
    """(n_doors,) row of the building."""
    door_m: FloatArray
    """(n_doors, 2) on its outline."""

    def outlines(self, rows: Rows) -> npt.NDArray[np.object_]:
        """Return the buildings of these rows as polygons."""
        ring, court = self.ring_m[rows], self.court[rows]
        polygons = shapely.polygons(on_millimetres(ring))
        open_ = court.all(axis=1)
        a, b, c, d = ring[open_].transpose(1, 0, 2)
        west, deep = (1.0 - court[open_, :1]) / 2.0 * (b - a), court[open_, 1:] * (d - a)
        inner = np.stack([a, a + west, a + west + deep, b - west + deep, b - west, b, c, d], axis=1)
        polygons[open_] = shapely.polygons(on_millimetres(inner))
        return polygons


def _no_walls() -> Lines:
    return Lines(np.zeros(1, dtype=np.int64), np.empty((0, 2)), pd.DataFrame({"barrier": pd.Series(dtype=str)}))


def _no_gates() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=str) for name in GATE_TAGS}).assign(compound=pd.Series(dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Part(ReadOnlyArrays):
    """What one family of blocks adds to the city."""

    houses: Houses
    ways: Lines
    joint_edge: IntArray
    joint_m: FloatArray
    walls: Lines = field(default_factory=_no_walls)
    gates: pd.DataFrame = field(default_factory=_no_gates)
    """Columns compound and `GATE_TAGS`."""
    gate_m: FloatArray = field(default_factory=lambda: np.empty((0, 2)))


def build(
    frames: Frames,
    row: Rows,
    box: FloatArray,
    door_side: Rows,
    n_doors: Rows,
    *,
    kind: object,
    levels: object,
    cell: Rows,
    name: object = "",
    compound: object = -1,
    court: FloatArray | None = None,
) -> Houses:
    """Set upright buildings into frames, with doors at even distances along one of their sides.

    Parameters
    ----------
    row, box
        (n,) frames and (n, 4) west, south, east and north within them, metres.
    door_side, n_doors
        (n,) side, as in `lifecircle.synthetic.blocks.plots`, and how many doors are on it.
    court
        (n, 2) share of length and depth that is open to the south; nothing by default.
    """
    table = pd.DataFrame(
        {"kind": kind, "levels": levels, "name": name, "cell": cell, "compound": compound},
        index=pd.RangeIndex(len(row)),
    )
    ring = frames.boxes(row, box)
    of, k = each(n_doors)
    share = ((k + 0.5) / n_doors[of])[:, None]
    side = np.asarray(door_side)[of]
    a, b = ring[of, side], ring[of, (side + 1) % 4]
    return Houses(ring, np.zeros((len(row), 2)) if court is None else court, table, of, a + share * (b - a))


def strung(line: Rows, along: FloatArray, xy_m: FloatArray, tags: pd.DataFrame) -> Lines:
    """Return lines through points, in the order of their places along each; a place that comes twice counts once.

    Parameters
    ----------
    line
        (n,) row of ``tags`` that each point belongs to. Lines of fewer than two points are left out.
    """
    order = np.lexsort((along, line))
    line, along = line[order], along[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (line[1:] != line[:-1]) | (along[1:] > along[:-1])
    new &= (np.bincount(line[new], minlength=len(tags)) > 1)[line]
    count = np.bincount(line[new], minlength=len(tags))
    indptr = np.append(0, np.cumsum(count[count > 0])).astype(np.int64)
    return Lines(indptr, xy_m[order[new]], tags[count > 0].reset_index(drop=True))


def runs(line: Rows, k: Rows, begin: Rows, end: Rows, xy_m: FloatArray, tags: pd.DataFrame) -> Lines:
    """Make lines of pieces: those of one line that follow each other with the same tags become one.

    Parameters
    ----------
    line, k
        (n,) line that each piece belongs to, and which of its pieces it is.
    begin, end
        (n,) rows of ``xy_m``.
    tags
        Of each piece.
    """
    order = np.lexsort((k, line))
    line, k, begin, end, tags = line[order], k[order], begin[order], end[order], tags.iloc[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (line[1:] != line[:-1]) | (k[1:] != k[:-1] + 1) | different(tags)
    run = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    size = np.bincount(run, minlength=len(starts)) + 1
    indptr = np.append(0, np.cumsum(size)).astype(np.int64)
    node = np.empty(indptr[-1], dtype=np.int64)
    node[np.arange(len(order)) + run] = begin
    node[indptr[1:] - 1] = end[np.append(starts[1:], len(order)) - 1] if len(order) else []
    return Lines(indptr, xy_m[node], tags.iloc[starts].reset_index(drop=True))


def different(tags: pd.DataFrame) -> BoolArray:
    """Return whether each row but the first differs from the one before."""
    result = np.zeros(max(len(tags) - 1, 0), dtype=bool)
    for column in tags:
        codes = pd.factorize(tags[column])[0]
        result |= codes[1:] != codes[:-1]
    return result


def way_tags(highway: object, access: object, n: int) -> pd.DataFrame:
    """Return the tags of ``n`` ways."""
    return pd.DataFrame({"highway": highway, "access": access}, index=pd.RangeIndex(n), columns=list(WAY_TAGS))


def all_lines(lines: Sequence[Lines]) -> Lines:
    """Return these lines as one."""
    sizes = np.concatenate([np.diff(part.indptr) for part in lines])
    return Lines(
        np.append(0, np.cumsum(sizes)).astype(np.int64),
        np.concatenate([part.xy_m for part in lines]),
        pd.concat([part.tags for part in lines], ignore_index=True),
    )


def all_houses(houses: Sequence[Houses]) -> Houses:
    """Return these buildings as one table."""
    before = np.cumsum([0, *(len(part.table) for part in houses)])
    return Houses(
        np.concatenate([part.ring_m for part in houses]),
        np.concatenate([part.court for part in houses]),
        pd.concat([part.table for part in houses], ignore_index=True),
        np.concatenate([part.door_of + n for part, n in zip(houses, before, strict=False)]),
        np.concatenate([part.door_m for part in houses]),
    )


def on_millimetres(xy_m: FloatArray) -> FloatArray:
    """Return coordinates in whole millimetres: two that are meant to be one become one."""
    return np.round(xy_m, 3)
