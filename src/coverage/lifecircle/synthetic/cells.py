"""The lattice of main streets along a river valley, and what each cell between them is.

Columns follow the valley and rows lie beside it; the valley bends, so the streets do, and every cell stays a convex
quadrilateral.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from lifecircle.model import BoolArray, FloatArray, IntArray
from lifecircle.synthetic.city import Cells
from lifecircle.synthetic.edges import LatticeLines, main_streets
from lifecircle.synthetic.programme import CELL_KINDS, Land, Programme

FEWEST = 5
"""Columns and rows of the smallest city: two rows on either side of a river."""

RIVER_M = (120.0, 220.0)
"""Least and greatest width of the river between its quays, metres."""

SPACING = (0.6, 1.6)
"""Narrowest and widest column or row, as a share of the mean one."""

SUBURBS = 0.2, 0.6
"""Centrality at which the town begins and the countryside ends."""

_SPREAD = 0.2
"""Standard deviation of the logarithm of a column's width."""

_JITTER = 0.05
"""Standard deviation of a crossing's place, as a share of the narrower cell beside it; at most twice that."""

_BENDS = ((0.20, 1.0), (0.10, 0.6))
"""The valley's bends: greatest slope, and wavelength as a share of the longest."""

_BEND_CELLS = 18
"""Columns that the longest bend is long."""

_PATCH_CELLS = 1.4
"""Standard deviation of the bell curve that makes patches of one kind out of noise, cells."""

_SMOOTH = {"public": 0.2, "towers": 0.7}
"""Share of that noise's variance that makes patches, where it is not 0.8: schools and parks lie scattered."""

_ROUNDS = 60
"""Rounds in which the kinds' weights are drawn towards their shares; more change nothing."""


def plan_cells(programme: Programme, size: float, random: np.random.Generator) -> Cells:
    """Lay out the main streets of a city and say what stands between them.

    Parameters
    ----------
    size
        How many times the programme's own number of cells; a city has `FEWEST` columns and rows at least.

    Returns
    -------
    Cells
        Coordinates in metres about the middle of the valley, to the millimetre. Every cell is convex. The main streets
        are one connected network, which every cell but river, hills and fields touches.
    """
    land = programme.land
    n_columns = max(FEWEST, round(land.columns * size**0.5))
    n_rows = max(FEWEST, ceil(land.columns * land.rows * size / n_columns))
    lines = _lines(land, n_columns, n_rows)
    s_m = _spaced(n_columns, land.cell_m[0], random)
    t_m = _spaced(n_rows, land.cell_m[1], random)
    if lines.river >= 0:
        t_m = _with_river(t_m, lines.river, random.uniform(*RIVER_M))
    place = _Places.of(s_m, t_m, land)
    centrality = _centrality(place, land.town, random)
    kind = _kinds(place, centrality, land, lines.river, random)
    edges = main_streets(kind, lines, random)
    return Cells(
        n_columns=n_columns,
        n_rows=n_rows,
        crossing_m=_crossings(s_m, t_m, land, lines, random),
        kind=kind.ravel(),
        centrality=centrality.ravel(),
        edge=edges.edge,
        edge_class=edges.edge_class,
        edge_bridge=edges.edge_bridge,
        edge_of_side=edges.edge_of_side,
    )


def floor_m(land: Land, n_rows: int) -> float:
    """Return the width of the valley's level floor, metres, of a city so many rows wide."""
    return land.floor_m * n_rows / land.rows


def _lines(land: Land, n_columns: int, n_rows: int) -> LatticeLines:
    """Say where river and railway run and where one crosses them."""
    river = n_rows // 2 if land.bridges_every else -1
    south_of = river if river >= 0 else n_rows // 2
    railway = max(1, south_of - max(1, round(0.4 * south_of))) if land.crossings_every else -1
    return LatticeLines(
        river=river,
        railway=railway,
        bridges=_evenly(n_columns, land.bridges_every),
        underpasses=_evenly(n_columns, land.crossings_every),
    )


def _evenly(n_columns: int, every: int) -> IntArray:
    """Return the lines of columns at which one crosses: one in so many, at least one at either end of the city."""
    if not every:
        return np.empty(0, dtype=np.int32)
    n = max(2, round(n_columns / every))
    return np.floor((np.arange(n) + 0.5) * n_columns / n).astype(np.int32)


def _spaced(n: int, mean_m: float, random: np.random.Generator) -> FloatArray:
    """Return (n + 1,) places of lattice lines about 0, metres."""
    width = np.clip(np.exp(random.normal(0.0, _SPREAD, n)), *SPACING)
    line = np.concatenate([[0.0], np.cumsum(width)]) * (n * mean_m / width.sum())
    return np.asarray(line - line[-1] / 2, dtype=np.float64)


def _with_river(t_m: FloatArray, river: int, width_m: float) -> FloatArray:
    """Return the lines across the valley with the river's own row as wide as the river, about 0."""
    t_m = t_m - t_m[river]
    t_m[river + 1 :] -= t_m[river + 1] - width_m
    return t_m - width_m / 2


def _crossings(
    s_m: FloatArray, t_m: FloatArray, land: Land, lines: LatticeLines, random: np.random.Generator
) -> FloatArray:
    """Return (n_crossings, 2) where the lattice lines cross once the valley bends.

    The bend ``m(s)`` fades with the distance ``t`` from the river over a length ``D``: across it a line moves by
    ``m / (1 + (t / D)**2)``, along it by ``-m' D atan(t / D)``, whose slopes cancel: right angles stay right to first
    order.
    """
    shape = len(s_m), len(t_m)
    apart_s, apart_t = _narrower(s_m), _narrower(t_m)
    jitter = np.clip(random.normal(0.0, _JITTER, (2, *shape)), -2 * _JITTER, 2 * _JITTER)
    straight = [lines.railway] if lines.railway >= 0 else []
    jitter[1][:, straight] = 0.0
    s = s_m[:, None] + jitter[0] * np.minimum(apart_s[:, None], apart_t)
    t = t_m + jitter[1] * apart_t
    longest_m = _BEND_CELLS * land.cell_m[0]
    fade_m = 0.1 * longest_m
    bend, slope = np.zeros(shape), np.zeros(shape)
    for (steepest, share), phase in zip(_BENDS, random.uniform(0.0, 2 * np.pi, len(_BENDS)), strict=True):
        k = 2 * np.pi / (share * longest_m)
        slope += steepest * np.sin(k * s + phase)
        bend -= steepest / k * np.cos(k * s + phase)
    x = s - slope * fade_m * np.arctan(t / fade_m)
    y = t + bend / (1.0 + (t / fade_m) ** 2)
    return np.round(np.stack([x, y], axis=-1).reshape(-1, 2), 3)


def _narrower(line_m: FloatArray) -> FloatArray:
    """Return for each lattice line the width of the narrower of the two cells beside it, metres."""
    width = np.diff(line_m)
    return np.minimum(np.append(width, np.inf), np.concatenate([[np.inf], width]))


# --------------------------------------------------------------------------- what the cells are


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the cells lie before the valley bends: (n_columns, 1) or (1, n_rows) arrays."""

    along: FloatArray
    """-1 at the western end, 1 at the eastern."""
    across: FloatArray
    """-1 at the southern rim, 1 at the northern."""
    from_river_m: FloatArray
    above_floor_m: FloatArray
    """Metres beyond the level floor of the valley."""

    @classmethod
    def of(cls, s_m: FloatArray, t_m: FloatArray, land: Land) -> _Places:
        """Place the cells between these lattice lines."""
        s, t = (s_m[1:] + s_m[:-1])[:, None] / 2, (t_m[1:] + t_m[:-1])[None] / 2
        return cls(s / s_m[-1], t / t_m[-1], np.abs(t), np.maximum(np.abs(t) - floor_m(land, t.size) / 2, 0.0))

    @property
    def shape(self) -> tuple[int, int]:
        """Columns and rows."""
        return self.along.size, self.across.size


def _patches(shape: tuple[int, int], cells: float, random: np.random.Generator) -> FloatArray:
    """Return noise of mean 0 and variance 1 whose patches are some ``cells`` wide."""
    margin = int(4 * cells) + 1
    noise = random.normal(size=(shape[0] + 2 * margin, shape[1] + 2 * margin))
    smooth = gaussian_filter(noise, cells)[margin:-margin, margin:-margin]
    return np.asarray(smooth * 2 * cells * np.sqrt(np.pi), dtype=np.float64)


def _centrality(place: _Places, town: float, random: np.random.Generator) -> FloatArray:
    """Return (n_columns, n_rows) 1 in the middle of the town, just south of the river, falling to 0 at a ragged rim."""
    ragged = _patches(place.shape, 2.5, random)
    rim = np.hypot(place.along, place.across + 0.06) / town + 0.10 * (ragged - ragged.mean())
    return np.clip(1.0 - rim, 0.0, 1.0)


def _kinds(place: _Places, centrality: FloatArray, land: Land, river: int, random: np.random.Generator) -> IntArray:
    """Draw (n_columns, n_rows) kinds, rows of `CELL_KINDS`, in patches and near their shares.

    Of each cell the kind with the greatest log-weight plus Gumbel noise wins, which draws kinds by their weights
    (E. J. Gumbel, 1954, Statistical theory of extreme values); the noise is smooth in space, so kinds come in patches.
    What leans to a place (old streets to the middle, hills to the heights) would win more than its share: each kind's
    weight is then raised or lowered until every kind has the share that the programme gives it.
    """
    weights = np.array([land.kinds.get(kind, (0.0, 0.0)) for kind in CELL_KINDS])
    weights[CELL_KINDS.index("river")] = 0.0
    town = np.clip((centrality - SUBURBS[0]) / (SUBURBS[1] - SUBURBS[0]), 0.0, 1.0)[..., None]
    share = town * weights[:, 0] + (1.0 - town) * weights[:, 1]
    share /= share.sum(axis=-1, keepdims=True)
    noise = np.stack(
        [
            np.sqrt(smooth) * _patches(place.shape, _PATCH_CELLS, random)
            + np.sqrt(1.0 - smooth) * random.normal(size=place.shape)
            for smooth in (_SMOOTH.get(kind, 0.8) for kind in CELL_KINDS)
        ],
        axis=-1,
    )
    with np.errstate(divide="ignore"):
        score = np.log(share) + _leaning(place, centrality) - np.log(-np.log(np.clip(ndtr(noise), 1e-12, 1 - 1e-12)))
    land_cells = np.ones(place.shape, dtype=bool)
    if river >= 0:
        land_cells[:, river] = False
    kind = np.full(place.shape, CELL_KINDS.index("river"), dtype=np.int32)
    kind[land_cells] = _in_shares(score[land_cells], share[land_cells])
    return kind


def _leaning(place: _Places, centrality: FloatArray) -> FloatArray:
    """Return (n_columns, n_rows, n_kinds) how much more the log-weight of a kind is here than elsewhere."""
    lean = dict.fromkeys(CELL_KINDS, np.zeros(place.shape))
    high = np.minimum(place.above_floor_m / 600.0, 2.0)
    near_river = np.exp(-place.from_river_m / 700.0)
    lean["hills"] = 3.0 * high - 1.5
    lean["fields"] = -1.5 * high
    lean["works"] = -2.0 * high - 1.0 * near_river
    lean["towers"] = 0.8 * near_river - 0.7 * high
    lean["old"] = 2.0 * near_river + 3.5 * centrality
    return np.stack([np.broadcast_to(lean[kind], place.shape) for kind in CELL_KINDS], axis=-1)


def _in_shares(score: FloatArray, share: FloatArray) -> IntArray:
    """Return (n,) the kind of the best score (n, n_kinds) once every kind has nearly as many rows as ``share`` says."""
    wanted = share.sum(axis=0)
    held: BoolArray = wanted > 0
    raised = np.zeros(len(wanted))
    kind = score.argmax(axis=1)
    for round_ in range(_ROUNDS):
        found = np.bincount(kind, minlength=len(wanted))
        step = np.log((wanted[held] + 0.5) / (found[held] + 0.5)) / (1.0 + 0.1 * round_)
        raised[held] += 0.7 * step
        kind = (score + raised).argmax(axis=1)
    return kind.astype(np.int32)
