"""The tree of areas: districts, subdistricts, communities, as many levels as a programme has, cut out of the land.

All cells are strung along a curve on which neighbours stay neighbours. Communities take runs of it, in the order of the
tree; so every area above is a run as well, connected and compact, and its children part it exactly.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.errors import InfeasibleError
from lifecircle.model import BoolArray, FloatArray, IntArray
from lifecircle.synthetic.city import Cells
from lifecircle.synthetic.edges import river_row
from lifecircle.synthetic.programme import CELL_KINDS, Programme
from lifecircle.synthetic.tree import VILLAGE, TextArray, holders, scaled_tree

COUNTRY = [CELL_KINDS.index(kind) for kind in ("hills", "fields", "village")]

VILLAGE_RESIDENTS = 0.35
"""Residents of a village to those of a community of the town; made up."""

FEW = 0.05
"""A cell with fewer residents than this share of those of a mean area of the smallest level is none by itself."""

LEAST = 30
"""Nor is one with fewer residents than this: a handful of farmhouses."""


def part_land(
    cells: Cells, buildings: gpd.GeoDataFrame, residents: pd.DataFrame, programme: Programme, size: float, crs: CRS
) -> tuple[gpd.GeoDataFrame, TextArray]:
    """Part the land into the areas of a programme, in proportion to residents.

    Parameters
    ----------
    residents
        As `lifecircle.synthetic.people.settle` returns them.

    Returns
    -------
    tuple
        The areas (area_id, level, name, parent_id; polygons, the largest level first), and for each cell the id of the
        smallest area that holds it.

    Raises
    ------
    InfeasibleError
        When fewer cells are inhabited than there are areas of the smallest level.
    """
    tree = scaled_tree(programme, size)
    row = pd.Index(buildings["building_id"]).get_indexer(residents["building_id"])
    cell = buildings["cell"].to_numpy()[row]
    counted = residents["residents"].to_numpy(dtype=np.float64)
    in_cell = np.asarray(np.bincount(cell, weights=counted, minlength=len(cells.kind)), dtype=np.float64)

    path, beside = string_cells(cells)
    lived, in_north = in_cell[path], _in_north(cells)[path]
    leaves = _with_shares(tree, programme.levels, lived, in_north)
    leaves = _villages_outside(leaves, tree, programme.levels, lived, np.isin(cells.kind[path], COUNTRY))
    leaf = np.empty(len(cells.kind), dtype=np.int32)
    leaf[path] = _runs_of_banks(lived, in_north, leaves, programme)
    leaf = leaf[beside]

    leaves = leaves.drop(columns=["share", "north"])
    tree = pd.concat([tree[tree["level"] != programme.levels[-1]], leaves], ignore_index=True)
    outlines = {programme.levels[-1]: _unions(shapely.polygons(cells.corners_m), leaf)}
    for level, below in zip(programme.levels[-2::-1], programme.levels[:0:-1], strict=True):
        ids = pd.Index(tree["area_id"][tree["level"] == level])
        outlines[level] = _unions(outlines[below], ids.get_indexer(tree["parent_id"][tree["level"] == below]))
    geometry = np.concatenate([outlines[level] for level in programme.levels])
    return gpd.GeoDataFrame(tree, geometry=geometry, crs=crs), leaves["area_id"].to_numpy(dtype=object)[leaf]


def string_cells(cells: Cells) -> tuple[IntArray, IntArray]:
    """Put the cells in a row along a curve: out along the south bank of the river and back along the north.

    Returns
    -------
    tuple
        The cells of dry land in their order, and for every cell the one whose area it shares: itself, and for a cell of
        the river its neighbour on the south bank.
    """
    columns, rows = cells.n_columns, cells.n_rows
    beside = np.arange(columns * rows).reshape(columns, rows)
    river, east = river_row(cells), columns - 1
    if river >= 0:
        beside[:, river] = beside[:, river - 1]
        places = _from_corner(complex(east, river - 1), complex(-columns), -1j * river)[::-1]
        north = rows - 1 - river
        places += _from_corner(complex(east, river + 1), complex(-columns), 1j * north) if north else []
    elif columns >= rows:
        places = _from_corner(0j, complex(columns), 1j * rows)
    else:
        places = _from_corner(0j, 1j * rows, complex(columns))
    at = np.array(places)
    return (at.real * rows + at.imag).astype(np.int32), beside.ravel().astype(np.int32)


def _from_corner(start: complex, along: complex, across: complex) -> list[complex]:
    """Return a curve through a rectangle that begins at ``start`` and may end where it likes.

    No way of steps to neighbours leads through an odd number of columns of an even number of places and ends in the
    next corner, as on a chessboard; so the last of these columns stands by itself.
    """
    length, width = round(abs(along)), round(abs(across))
    if length % 2 == 0 or width % 2 or length == 1:
        return _curve(start, along, across)
    ahead, aside = along / length, across / width
    column = start + along - ahead
    return _curve(start, along - ahead, across) + [column + k * aside for k in range(width)]


def _curve(start: complex, along: complex, across: complex) -> list[complex]:
    """Return the places of a rectangle in such an order that the next is a neighbour and runs are compact.

    The curve begins at ``start``, a corner, and ends in the corner that lies ``along`` from there. A long rectangle is
    halved; any other is crossed in three parts, out, along and back. D. Hilbert (1891), doi:10.1007/BF01199431, for
    rectangles of any sides; halves are even where they can be, for a part of odd sides ends in the wrong corner.
    """
    length, width = round(abs(along)), round(abs(across))
    ahead, aside = along / length, across / width
    if width == 1:
        return [start + k * ahead for k in range(length)]
    if length == 1:
        return [start + k * aside for k in range(width)]
    if 2 * length > 3 * width:
        half = _even(length) * ahead
        return _curve(start, half, across) + _curve(start + half, along - half, across)
    out, half = _even(width) * aside, length // 2 * ahead
    return (
        _curve(start, out, half)
        + _curve(start + out, along, across - out)
        + _curve(start + along - ahead + out - aside, -out, half - along)
    )


def _even(length: int) -> int:
    """Return half of a length, the next even number above it where that leaves something."""
    half = length // 2
    return half + 1 if half % 2 and length > 2 else half


def _in_north(cells: Cells) -> BoolArray:
    """Return (n_cells,) whether a cell lies beyond the river; none does where there is no river."""
    river = river_row(cells)
    return np.asarray((np.arange(len(cells.kind)) % cells.n_rows > river) & (river >= 0))


def _with_shares(
    tree: pd.DataFrame, levels: tuple[str, ...], residents: FloatArray, in_north: BoolArray
) -> pd.DataFrame:
    """Return the areas of the smallest level and how many residents each is to have.

    Of several districts the last has the northern bank of the river, however many live there, and the others the rest.

    Returns
    -------
    DataFrame
        The rows of ``tree``, and ``share``, which add up to 1, and ``north``, whether it lies beyond the river; no area
        does where the river parts no districts.
    """
    leaves = tree[tree["level"] == levels[-1]].reset_index(drop=True)
    share = np.where(leaves["name"].str.endswith(VILLAGE), VILLAGE_RESIDENTS, 1.0)
    district = holders(tree, levels)[levels[0]].to_numpy()
    north = (district == district[-1]) & (district[0] != district[-1]) & in_north.any()
    if north.any():
        beyond = residents[in_north].sum() / residents.sum()
        share = np.where(north, beyond * share / share[north].sum(), (1.0 - beyond) * share / share[~north].sum())
    return leaves.assign(share=share / share.sum(), north=north)


def _villages_outside(
    leaves: pd.DataFrame, tree: pd.DataFrame, levels: tuple[str, ...], residents: FloatArray, in_country: BoolArray
) -> pd.DataFrame:
    """Return the areas of the smallest level in the order in which they are to take the cells.

    That is the order of the tree, but that among the subdistricts of one district those of villages stand where the
    cells, here in their order, have most residents in the country.
    """
    above = tree[tree["level"] == levels[-2]]
    ids = pd.Index(above["area_id"])
    of = ids.get_indexer(leaves["parent_id"])
    rural = np.bincount(of, leaves["name"].str.endswith(VILLAGE)) > 0.5 * np.bincount(of)
    width = np.bincount(of, leaves["share"])
    upto = np.cumsum(residents) / residents.sum()
    country = np.cumsum(residents * in_country) / residents.sum()
    order: list[int] = []
    for _, rows in above.groupby("parent_id", sort=False):
        siblings = ids.get_indexer(rows["area_id"])
        start = width[order].sum()
        line = siblings[~rural[siblings]].tolist()
        for village in siblings[rural[siblings]] if line else []:
            begins = start + np.append(0.0, np.cumsum(width[line]))
            inside = np.interp(begins + width[village], upto, country) - np.interp(begins, upto, country)
            line.insert(int(inside.argmax()), int(village))
        order += line or siblings.tolist()
    return leaves.iloc[np.argsort(np.argsort(order)[of], kind="stable")].reset_index(drop=True)


def _runs_of_banks(residents: FloatArray, in_north: BoolArray, leaves: pd.DataFrame, programme: Programme) -> IntArray:
    """Cut (n,) cells in their order into the runs of ``leaves``, each bank alone where the river parts districts."""
    share, north = leaves["share"].to_numpy(), leaves["north"].to_numpy()
    if not north.any():
        return _runs(residents, share, programme)
    southern, northern = (_runs(residents[in_north == n], share[north == n], programme) for n in (False, True))
    return np.concatenate([southern, northern + np.int32((~north).sum())])


def _runs(residents: FloatArray, shares: FloatArray, programme: Programme) -> IntArray:
    """Cut (n,) cells in their order into as many runs as there are ``shares`` of the residents; number the runs.

    Every run holds an inhabited cell; the others go with the run before them.
    """
    inhabited = np.flatnonzero(residents >= max(FEW * residents.sum() / len(shares), LEAST))
    n, k = len(inhabited), np.arange(len(shares))
    if n < len(shares):
        raise InfeasibleError(
            f"{programme.name}: {len(shares):,} areas of the level {programme.levels[-1]} need a cell of residents "
            f"each, and this land has {n:,}; choose another size or give the land more inhabited cells"
        )
    lived = residents[inhabited]
    middle = (np.cumsum(lived) - lived / 2.0) / lived.sum()
    first = np.searchsorted(middle, np.concatenate([[0.0], np.cumsum(shares)[:-1] / shares.sum()]))
    first = np.maximum.accumulate(first - k) + k  # at least one cell each, from the front
    first = np.minimum(first, n - len(k) + k)  # and from the end
    first[0] = 0
    begins = inhabited[first]
    begins[0] = 0
    return (np.searchsorted(begins, np.arange(len(residents)), side="right") - 1).astype(np.int32)


def _unions(polygons: npt.NDArray[np.object_], group: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
    """Return the union of the polygons of each group; they are a coverage: neighbours share their vertices."""
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[order])) + 1
    return np.array([shapely.coverage_union_all(part) for part in np.split(polygons[order], bounds)], dtype=object)
