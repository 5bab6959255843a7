"""Which sides of the cells are main streets, of which class, and where they cross river and railway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.synthetic.city import Cells
from lifecircle.synthetic.programme import CELL_KINDS

BRIDGE, UNDERPASS = 1, 2
"""Values of ``Cells.edge_bridge``."""

CLASSES = ("primary", "secondary", "tertiary", "unclassified")
_PRIMARY, _SECONDARY, _TERTIARY, _COUNTRY = range(4)

TOWN = ("works", "public", "old", "slabs", "towers")
"""Kinds of cells with streets on all their sides, where nothing hinders."""

REACHED = (*TOWN, "village")
"""Kinds of cells that a main street touches."""

_MERGED = {"works": 0.4, "public": 0.3, "towers": 0.12, "slabs": 0.12}
"""How often two neighbours of a kind are one super-block, with no street between them."""

_LOOPS = (1.0, 0.5, 0.12)
"""How often a country road is there without being the only one, by the class of its lattice line."""

_COST = np.array([1.0, 2.0, 4.0])
"""What a country road costs, by the class of its lattice line: the network is the cheapest that joins all."""

_NORTH = 2


@dataclass(frozen=True, eq=False)
class LatticeLines(ReadOnlyArrays):
    """The rows that river and railway take, and the lines of columns on which streets cross them.

    ``river`` is a row of cells; ``railway`` is a line of rows: it runs just south of the street there. -1: there is
    none.
    """

    river: int
    railway: int
    bridges: IntArray
    underpasses: IntArray


@dataclass(frozen=True, eq=False)
class MainStreets(ReadOnlyArrays):
    """The edges of `lifecircle.synthetic.city.Cells`, which describes the arrays."""

    edge: IntArray
    edge_class: tuple[str, ...]
    edge_bridge: IntArray
    edge_of_side: IntArray


def river_row(cells: Cells) -> int:
    """Return the row of cells that the river takes, -1 where there is none."""
    rows = np.flatnonzero(cells.kind[: cells.n_rows] == CELL_KINDS.index("river"))
    return int(rows[0]) if len(rows) else -1


def railway_line(cells: Cells) -> int:
    """Return the line of rows just south of which the railway runs, -1 where there is none."""
    below = cells.edge[cells.edge_bridge == UNDERPASS]
    return int(below[0].max() % (cells.n_rows + 1)) if len(below) else -1


def behind_railway(cells: Cells) -> BoolArray:
    """Return (n_cells,) whether the railway runs between a cell and the street on its north side."""
    row = np.arange(cells.n_columns * cells.n_rows) % cells.n_rows
    return np.asarray((row == railway_line(cells) - 1) & (railway_line(cells) > 0))


def main_streets(kind: IntArray, lines: LatticeLines, random: np.random.Generator) -> MainStreets:
    """Choose the sides of cells on which a main street or a country road runs.

    Streets go round the cells of a town, but for super-blocks. At the rim country roads join villages: the cheapest
    network that joins all, some loops, and no dead end that leads to nothing.

    Parameters
    ----------
    kind
        (n_columns, n_rows) rows of `CELL_KINDS`.

    Returns
    -------
    MainStreets
        The edges are one connected network, which every cell of `REACHED` touches.
    """
    n_columns, n_rows = kind.shape
    sides = _Sides.of(n_columns, n_rows, lines)
    kinds = kind.ravel()
    in_town = (sides.count(np.isin(kinds, _rows(*TOWN))) > 0) | (sides.bridge > 0)
    hilly = sides.count(np.isin(kinds, _rows("hills"))) / np.maximum(sides.count(np.ones(kinds.shape, dtype=bool)), 1)
    cost = _COST[sides.line_class] * (1.0 + 2.0 * hilly) * random.uniform(0.6, 1.6, sides.n)

    merged = sides.between_alike(kinds, random) & (sides.line_class == _TERTIARY)
    loops = random.random(sides.n) < np.array(_LOOPS)[sides.line_class] * (1.0 - hilly)
    streets = sides.allowed & ~merged & (in_town | loops)
    kept = streets & (in_town | (sides.line_class == _PRIMARY))
    kept |= sides.one_each(np.isin(kinds, _rows(*REACHED)) & ~sides.touches(kept), cost)
    streets |= kept
    streets |= _cheapest_network(sides, np.where(streets, 1e-3 * cost, cost))
    streets = _without_dead_ends(sides.edge, streets, kept)

    row = np.where(streets, np.cumsum(streets) - 1, -1)
    classes = np.minimum(sides.line_class + ~in_town, _COUNTRY)[streets]
    return MainStreets(
        edge=sides.edge[streets],
        edge_class=tuple(CLASSES[c] for c in classes.tolist()),
        edge_bridge=sides.bridge[streets],
        edge_of_side=np.append(row, -1)[sides.of_cell].astype(np.int32),
    )


def _rows(*kinds: str) -> list[int]:
    return [CELL_KINDS.index(kind) for kind in kinds]


@dataclass(frozen=True, eq=False)
class _Sides(ReadOnlyArrays):
    """All sides of the cells: first those along the valley, then those across it."""

    edge: IntArray
    """(n, 2) crossings."""
    line_class: IntArray
    """(n,) row of `CLASSES` that the lattice line has in the town."""
    bridge: IntArray
    """(n,) `BRIDGE`, `UNDERPASS` or 0."""
    allowed: BoolArray
    """(n,) False where river or railway bars the way."""
    of_cell: IntArray
    """(n_cells, 4) rows of ``edge`` on the south, east, north and west, -1 where the railway lies before the street."""

    @classmethod
    def of(cls, n_columns: int, n_rows: int, lines: LatticeLines) -> _Sides:
        """Return the sides of a lattice."""
        crossing = np.arange((n_columns + 1) * (n_rows + 1), dtype=np.int32).reshape(n_columns + 1, n_rows + 1)
        along = np.stack([crossing[:-1], crossing[1:]], axis=-1)
        across = np.stack([crossing[:, :-1], crossing[:, 1:]], axis=-1)
        number_along = np.arange(along.size // 2, dtype=np.int32).reshape(along.shape[:2])
        number_across = number_along.size + np.arange(across.size // 2, dtype=np.int32).reshape(across.shape[:2])

        bridge = np.zeros(across.shape[:2], dtype=np.int32)
        allowed = np.ones(across.shape[:2], dtype=bool)
        for row, columns, how in (
            (lines.river, lines.bridges, BRIDGE),
            (lines.railway - 1, lines.underpasses, UNDERPASS),
        ):
            if row >= 0:
                allowed[:, row] = False
                allowed[columns, row] = True
                bridge[columns, row] = how
        of_cell = np.stack([number_along[:, :-1], number_across[1:], number_along[:, 1:], number_across[:-1]], axis=-1)
        if lines.railway > 0:
            of_cell[:, lines.railway - 1, _NORTH] = -1
        class_along, class_across = _line_classes(n_columns, n_rows, lines)
        classes = (
            np.broadcast_to(class_along, along.shape[:2]),
            np.broadcast_to(class_across[:, None], across.shape[:2]),
        )
        classes = (
            np.broadcast_to(class_along, along.shape[:2]),
            np.broadcast_to(class_across[:, None], across.shape[:2]),
        )
        return cls(
            edge=np.concatenate([along.reshape(-1, 2), across.reshape(-1, 2)]),
            line_class=np.concatenate([c.ravel() for c in classes]),
            bridge=np.append(np.zeros(number_along.size, dtype=np.int32), bridge.ravel()),
            allowed=np.append(np.ones(number_along.size, dtype=bool), allowed.ravel()),
            of_cell=of_cell.reshape(-1, 4),
        )

    @property
    def n(self) -> int:
        """How many sides there are."""
        return len(self.edge)

    def count(self, cells: BoolArray) -> LongArray:
        """Return (n,) how many of these cells lie beside each side."""
        beside = np.where(self.of_cell < 0, self.n, self.of_cell)[cells]
        return np.asarray(np.bincount(beside.ravel(), minlength=self.n + 1)[:-1], dtype=np.int64)

    def touches(self, sides: BoolArray) -> BoolArray:
        """Return (n_cells,) whether one of these sides is a cell's."""
        return np.asarray(np.append(sides, False)[self.of_cell].any(axis=1))

    def between_alike(self, kinds: IntArray, random: np.random.Generator) -> BoolArray:
        """Return (n,) whether the two cells beside a side are of one kind and make a super-block."""
        drawn = random.random(self.n)
        merged = np.zeros(self.n, dtype=bool)
        for kind, often in _MERGED.items():
            merged |= (self.count(kinds == CELL_KINDS.index(kind)) == 2) & (drawn < often)
        return merged

    def one_each(self, cells: BoolArray, cost: FloatArray) -> BoolArray:
        """Return (n,) the cheapest side of each of these cells."""
        price = np.append(np.where(self.allowed, cost, np.inf), np.inf)[self.of_cell[cells]]
        chosen = np.zeros(self.n, dtype=bool)
        chosen[self.of_cell[cells][np.arange(len(price)), price.argmin(axis=1)]] = True
        return chosen


def _line_classes(n_columns: int, n_rows: int, lines: LatticeLines) -> tuple[IntArray, IntArray]:
    """Return (n_rows + 1,) and (n_columns + 1,) classes of the lattice lines along and across the valley.

    Quays, the street by the railway and every other line with a crossing are secondary; every fourth line, and each
    other bridge with its column, is primary.
    """
    row, column = np.arange(n_rows + 1), np.arange(n_columns + 1)
    from_quay = np.where(row > lines.river, row - lines.river - 1, lines.river - row) if lines.river >= 0 else row
    along = np.select([from_quay % 4 == 2, from_quay % 4 == 0], [_PRIMARY, _SECONDARY], _TERTIARY)
    if lines.railway >= 0:
        along[lines.railway] = _SECONDARY
    across = np.where(column % 4 == 2, _SECONDARY, _TERTIARY)
    across[lines.underpasses] = _SECONDARY
    across[lines.bridges] = _SECONDARY
    across[lines.bridges[::2]] = _PRIMARY
    if lines.river < 0:
        across[column % 8 == 4] = _PRIMARY
    return along.astype(np.int32), across.astype(np.int32)


def _cheapest_network(sides: _Sides, cost: FloatArray) -> BoolArray:
    """Return (n,) the allowed sides that join all crossings at the least cost (a minimum spanning tree)."""
    allowed = np.flatnonzero(sides.allowed)
    order = allowed[np.argsort(cost[allowed], kind="stable")]
    n_crossings = int(sides.edge.max()) + 1
    # Only the order of the costs matters; ranks are distinct, so there is one tree, and each says which side it is.
    rank = np.arange(1.0, len(order) + 1)
    graph = coo_array((rank, (sides.edge[order, 0], sides.edge[order, 1])), shape=(n_crossings, n_crossings))
    chosen = np.zeros(sides.n, dtype=bool)
    chosen[order[minimum_spanning_tree(graph.tocsr()).data.astype(np.int64) - 1]] = True
    return chosen


def _without_dead_ends(edge: IntArray, streets: BoolArray, kept: BoolArray) -> BoolArray:
    """Return the streets without those that lead to a crossing of no other street, but for those ``kept``."""
    while True:
        ways = np.bincount(edge[streets].ravel(), minlength=int(edge.max()) + 1)
        dead = streets & ~kept & (ways[edge] == 1).any(axis=1)
        if not dead.any():
            return streets
        streets = streets & ~dead
