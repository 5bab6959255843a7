"""Residents of every source brought together: onto buildings where one is known, the rest by area.

The finest sources go first: counts by building, by address and by point stand where they say. A coarser count, by grid
cell, area or in total, includes the finer ones within it; only what remains of it is spread, by residential floor area,
over the homes for which no finer source counts anyone, over all its homes where there are no others.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach
from lifecircle.floors import floor_shares, residential_floor_area_m2
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray
from lifecircle.readers.finders import FINDERS
from lifecircle.readers.metric import holder
from lifecircle.said import Said
from lifecircle.schema import GROUP_PREFIX, breach

UNPLACED = "unplaced"
"""``by`` of residents whom no building could take; ``target_id`` is their area, as far as it is known."""

FOUND = "finding"
"""``by`` of residents whom somebody found in a building: it holds these and no others."""

CONSERVED = 1e-6
"""Residents by which a coarser count may differ from the finer ones, for they are sums of fractions."""

ROUNDED, ROUNDED_SHARE = 1.0, 1e-3
"""Residents, and share of a coarser count, by which it may fall short because it, or what the finer ones are, was
rounded; the larger of the two. It then holds those whom the finer ones count and no others."""

OF_SUMS = frozenset(
    {"negative-remainder", "uneven-remainder", "rounded-remainder", "counted-by-several", "cell-without-home"}
)
"""Rules that a count, building or area which is not sound may break without a fault of their own."""

DRAWN_SHARE = 0.01
"""Share of a cell that another may cover, for grids are drawn by hand and in other projections."""

_Pairs = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]


def settle(
    sources: Sequence[pd.DataFrame],
    buildings: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    *,
    seen: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[Breach]]:
    """Bring the sources of residents together.

    Parameters
    ----------
    sources
        As `lifecircle.readers.residents.counts_of_table` returns them, sound, in any CRS.
    buildings, areas
        In one metric CRS; buildings with ``address`` and ``area_id``.
    seen
        ``building_id`` and ``residents`` of buildings that somebody has been to, each once: they stand in the place of
        what is counted there by building, address or point, the groups in the same shares; coarser counts include
        them. None by default.

    Returns
    -------
    tuple
        ``by``, ``target_id``, ``residents`` and the groups, one row a source and target: by ``building``, ``address``,
        ``point``, ``finding`` or ``cell`` onto a building; ``unplaced`` and ``area`` in an area, ``total`` in all of
        them, which are what remains after the finer rows. And what could not be placed, or does not fit together.
    """
    groups = dict.fromkeys(c for s in sources for c in s.columns if c.startswith(GROUP_PREFIX))
    columns = ["residents", *groups]
    tree = AreaTree.of(areas)
    area_row = tree.rows(buildings["area_id"])
    cover = _cover(tree, area_row, [s for s in sources if (s["by"] == "area").all()])
    parts, lost, breaches, included = [], [], [], 0.0
    standing, counted = np.zeros((len(buildings), len(columns))), np.zeros(len(buildings), dtype=bool)
    for by, find in FINDERS.items():
        for source in (s for s in sources if (s["by"] == by).all()):
            row, area_id, found = find(source, buildings, areas)
            breaches += found
            counts = _counts(source, columns)
            parts.append(_onto(by, buildings["building_id"], row, counts, columns))
            standing += _sums(row, counts, len(buildings))
            counted[row[row >= 0]] = True
            if (row < 0).any():
                frame = pd.DataFrame(counts[row < 0], columns=columns)
                frame = frame.assign(target_id=area_id[row < 0].to_numpy())
                adrift = ((frame["target_id"] == "") & (by == "address")).to_numpy()
                breaches += _told_adrift(source["target_id"][row < 0][adrift], frame.loc[adrift, "residents"], cover)
                if cover == "all":
                    included, frame = included + frame.loc[adrift, "residents"].sum(), frame[~adrift]
                lost.append(frame)
    fixed = np.zeros(len(buildings), dtype=bool)
    if seen is not None and len(seen):
        row = pd.Index(buildings["building_id"]).get_indexer(seen["building_id"])
        breaches += _told_scaled(seen, standing[row])
        standing, fixed[row] = _with_seen(standing, row, seen["residents"].to_numpy()), True
        parts = [part[~part["target_id"].isin(seen["building_id"])] for part in parts]
        parts.append(_onto(FOUND, buildings["building_id"], row, standing[row], columns))
    in_cells = np.zeros_like(standing)
    for source in (s for s in sources if (s["by"] == "cell").all()):
        placed, unplaced, found = _spread_cells(source, columns, buildings, areas, standing, counted, fixed)
        breaches += found
        in_cells += placed
        lost.append(unplaced)
    breaches += _sharing([s for s in sources if (s["by"] == "cell").all()], buildings.crs)
    inside = np.flatnonzero((in_cells > 0).any(axis=1))
    parts.append(_onto("cell", buildings["building_id"], inside, in_cells[inside], columns))
    standing = standing + in_cells
    none = pd.DataFrame({"target_id": pd.Series(dtype="str")} | {c: pd.Series(dtype="float64") for c in columns})
    nowhere = pd.concat([none, *lost]).groupby("target_id", as_index=False)[columns].sum()
    parts.append(nowhere.assign(by=UNPLACED))

    finer = _sums(area_row, standing, len(tree.ids)) + _sums(
        tree.rows(nowhere["target_id"]), nowhere[columns].to_numpy(dtype=np.float64), len(tree.ids)
    )
    for source in (s for s in sources if (s["by"] == "area").all()):
        stated = [c for c in columns if c in source]
        total = source.groupby(["by", "target_id"], as_index=False, sort=False)[stated].sum()
        area = tree.rows(total["target_id"])
        rest, found = _remainder(total, _upwards(tree, finer)[area], columns)
        breaches += found
        parts.append(rest)
        finer = finer + _sums(area, rest[columns].to_numpy(), len(tree.ids))
    free = sum(part.loc[part["by"] == "area", "residents"].sum() for part in parts)
    if included > free + ROUNDED:
        message = Said(
            "all areas together count {:,.6g} fewer residents than finer sources; mend one of the two", included - free
        )
        breaches += breach("residents", "negative-remainder", message, [Said("all areas")])
    for source in (s for s in sources if (s["by"] == "total").all()):
        outside = nowhere.loc[tree.rows(nowhere["target_id"]) < 0, columns].to_numpy(dtype=np.float64)
        rest, found = _remainder(source, (finer.sum(axis=0) + outside.sum(axis=0))[None, :], columns)
        breaches += found
        parts.append(rest)
    settled = pd.concat([p[["by", "target_id", *columns]] for p in parts if len(p)], ignore_index=True)
    return settled, [*breaches, *_counted_by_several(settled)]


def _cover(tree: AreaTree, area_row: IntArray, totals: Sequence[pd.DataFrame]) -> str:
    """Return whether totals by area count ``all`` areas in which there are buildings, ``some``, or none (empty)."""
    if not totals:
        return ""
    counted = np.append(np.isin(tree.ids, pd.concat([s["target_id"] for s in totals])), False)
    inside = area_row[area_row >= 0]
    met = np.zeros(len(inside), dtype=bool)
    for step in tree.upwards(inside):
        met |= counted[step]
    return "all" if met.all() else "some"


def _told_adrift(label: pd.Series, residents: pd.Series, cover: str) -> list[Breach]:
    """Tell of residents of whom neither building nor area is known what becomes of them beside totals by area."""
    whom = Said("{:,.0f} residents whose building and area nobody knows", residents.sum())
    within = Said("{}; the totals by area count them too, and have them spread with the rest: name their areas", whom)
    twice = Said("{}: unplaced, and counted twice if a total by area counts them too; name their areas", whom)
    return [
        *breach("residents", "within-totals", within, label if cover == "all" else [], "warning"),
        *breach("residents", "perhaps-counted-twice", twice, label if cover == "some" else [], "warning"),
    ]


ON_BUILDING = (*FINDERS, FOUND, "cell")
"""``by`` of residents whose ``target_id`` is the building that they stand in."""


def _counts(source: pd.DataFrame, columns: Sequence[str]) -> FloatArray:
    """Return (n, columns) the counts of a source, 0 in a column that it does not have."""
    return pd.DataFrame(source).reindex(columns=list(columns), fill_value=0.0).to_numpy(dtype=np.float64)


def _with_seen(standing: FloatArray, row: LongArray, residents: FloatArray) -> FloatArray:
    """Return (n_buildings, columns) counts with these residents in some buildings, the groups in the same shares."""
    before = standing[row, 0]
    rate = np.divide(residents, before, out=np.zeros(len(row)), where=before > 0)
    after = standing.copy()
    after[row] *= rate[:, None]
    after[row, 0] = residents
    return after


def _told_scaled(seen: pd.DataFrame, before: FloatArray) -> list[Breach]:
    """Tell in which buildings the groups are scaled with the residents found there; ``before`` are their counts."""
    found = seen["residents"].to_numpy()
    scaled = (before[:, 1:] > 0).any(axis=1) & (found != before[:, 0]) & (found > 0)
    message = (
        "the finding says how many people live there, not of which groups: the groups keep their shares, and may be "
        "fractions of people; count them in the file to have them whole"
    )
    told = [
        f"{i}: {was:g} -> {now:g}"
        for i, was, now in zip(seen["building_id"][scaled], before[scaled, 0], found[scaled], strict=True)
    ]
    return breach("overrides", "scaled-groups", message, told, "note")


def _onto(by: str, ids: pd.Series, row: LongArray, counts: FloatArray, columns: Sequence[str]) -> pd.DataFrame:
    """Return counts added up by building, in the order of the buildings."""
    here = np.unique(row[row >= 0])
    frame = pd.DataFrame(_sums(row, counts, len(ids))[here], columns=list(columns))
    return frame.assign(by=by, target_id=ids.to_numpy()[here])


def _sums(row: npt.NDArray[np.integer], counts: FloatArray, n: int) -> FloatArray:
    """Return (n, columns) the counts of each row added up; a row of -1 is left out."""
    here = row >= 0
    sums = np.column_stack([np.bincount(row[here], weights=c[here], minlength=n) for c in counts.T])
    return sums.astype(np.float64)  # of nothing at all they are whole numbers


def _upwards(tree: AreaTree, counts: FloatArray) -> FloatArray:
    """Return (n_areas, columns) the counts of each area with all below it."""
    summed = np.zeros_like(counts)
    for step in tree.upwards(np.arange(len(tree.ids), dtype=np.int32)):
        summed += _sums(step, counts, len(tree.ids))
    return summed


def _remainder(total: pd.DataFrame, finer: FloatArray, columns: Sequence[str]) -> tuple[pd.DataFrame, list[Breach]]:
    """Return what the finer counts leave of coarser ones, and which of these are less than the finer ones."""
    stated = np.array([c in total for c in columns])
    rest = np.where(stated, _counts(total, columns) - finer, 0.0)
    some = finer[:, 0] > 0
    allowed = np.maximum(ROUNDED, ROUNDED_SHARE * _counts(total, columns)[:, :1])
    short = some & (rest < -allowed).any(axis=1)
    uneven = some & ~short & (rest[:, 1:] > rest[:, :1] + allowed).any(axis=1)
    left = np.where(rest > CONSERVED, rest, 0.0)
    rounded = some & ~short & ~uneven & ((rest < -CONSERVED).any(axis=1) | (left[:, 1:] > left[:, :1]).any(axis=1))
    left[rounded, 1:] = np.minimum(left[rounded, 1:], left[rounded, :1])
    told = total["target_id"].where(total["target_id"] != "", "total")
    by = total["by"].iloc[0]
    counted = Said(by)
    most = -rest[short].min(initial=0.0)
    fewer = Said(
        "fewer residents, or of a group, than finer sources place in this {}, by up to {:,.6g}; mend one of the "
        "two counts, or take this source out",
        counted,
        most,
    )
    nobody = Said(
        "less than what finer sources place in this {}, by no more than rounding; nobody else is there", counted
    )
    lopsided = Said(
        "more of a group remain in this {} than residents; count the group in the finer sources too", counted
    )
    remaining = pd.DataFrame(left, columns=list(columns), index=total.index)
    return remaining.assign(by=by, target_id=total["target_id"]), [
        *breach("residents", "negative-remainder", fewer, told[short]),
        *breach("residents", "uneven-remainder", lopsided, told[uneven]),
        *breach("residents", "rounded-remainder", nobody, told[rounded], "repair"),
    ]


def _spread_cells(
    source: pd.DataFrame,
    columns: Sequence[str],
    buildings: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    standing: FloatArray,
    counted: BoolArray,
    fixed: BoolArray,
) -> tuple[FloatArray, pd.DataFrame, list[Breach]]:
    """Return (n_buildings, columns) residents of the cells, those whom no home takes, and what is wrong.

    Homes that are ``counted`` take none while there are others, those that are ``fixed`` never do.
    """
    grid = gpd.GeoDataFrame(source).to_crs(buildings.crs)
    cell, building, share = _shares(grid.geometry.to_numpy(), buildings.geometry.to_numpy())
    rest, breaches = _remainder(grid, _sums(cell, standing[building] * share[:, None], len(grid)), columns)
    counts = rest[list(columns)].to_numpy(dtype=np.float64)
    floor = np.where(fixed, 0.0, residential_floor_area_m2(buildings))[building] * share
    placed = np.zeros((len(buildings), len(columns)))
    empty = (counts > 0).any(axis=1)
    bounds = np.flatnonzero(np.diff(cell, prepend=-1))
    for pairs in np.split(np.arange(len(cell)), bounds[1:]) if len(cell) else []:  # one step a cell, none a building
        weight = floor_shares(floor[pairs], counted[building[pairs]])
        placed[building[pairs]] += counts[cell[pairs[0]]] * weight[:, None]
        empty[cell[pairs[0]]] &= not weight.any()
    unplaced = rest.loc[empty, list(columns)].assign(target_id=holder(grid[empty], areas, "area_id"))
    message = Said("no home in this cell; {:,.0f} residents are unplaced", unplaced["residents"].sum())
    return (
        placed,
        unplaced,
        [
            *breaches,
            *breach("residents", "cell-without-home", message, grid["target_id"][empty], "warning"),
        ],
    )


def _sharing(sources: Sequence[pd.DataFrame], crs: object) -> list[Breach]:
    """Tell which cells lie on ground of another, for whoever lives there would stand twice."""
    grids = [gpd.GeoDataFrame(source).to_crs(crs) for source in sources]
    if not grids:
        return []
    cells = np.concatenate([grid.geometry.to_numpy() for grid in grids])
    label = pd.concat([grid["target_id"] for grid in grids], ignore_index=True)
    one, other = shapely.STRtree(cells).query(cells)
    one, other = one[one < other], other[one < other]
    box, area_m2 = shapely.bounds(cells), shapely.area(cells)
    allowed_m2 = DRAWN_SHARE * np.minimum(area_m2[one], area_m2[other])
    # Neighbours of a grid share a line: most pairs need no look at their outlines.
    size_m = np.minimum(box[one, 2:], box[other, 2:]) - np.maximum(box[one, :2], box[other, :2])
    near = size_m.prod(axis=1) > allowed_m2
    one, other, allowed_m2 = one[near], other[near], allowed_m2[near]
    shared = shapely.area(shapely.intersection(cells[one], cells[other])) > allowed_m2
    ids = label[one[shared]].to_numpy() + " and " + label[other[shared]].to_numpy()
    message = (
        "cells that lie on the same ground: whoever lives there stands twice; draw each once, or take one source out"
    )
    return breach("residents", "cells-overlap", message, ids)


def _shares(cells: npt.NDArray[np.object_], buildings: npt.NDArray[np.object_]) -> _Pairs:
    """Return cells and the buildings in them, with the share of each building's ground that lies there."""
    cell, building = shapely.STRtree(buildings).query(cells, predicate="intersects")
    order = np.lexsort([building, cell])
    cell, building = cell[order], building[order]
    ground_m2 = shapely.area(buildings)[building]
    inside_m2 = shapely.area(shapely.intersection(cells[cell], buildings[building]))
    share = np.divide(inside_m2, ground_m2, out=np.ones_like(ground_m2), where=ground_m2 > 0)
    return cell, building, share


def _counted_by_several(settled: pd.DataFrame) -> list[Breach]:
    exact = settled[settled["by"].isin(FINDERS) & (settled["residents"] > 0)]
    twice = exact["target_id"][exact["target_id"].duplicated()].drop_duplicates()
    message = "counted by two sources, whose residents are added up; are they the same people?"
    return breach("residents", "counted-by-several", message, twice, "warning")
