"""Residents of every source brought together: onto buildings where one is known, the rest by area.

The finest sources go first: counts by building, by address and by point stand where they say. A coarser count, by grid
cell, area or in total, includes the finer ones within it; only what remains of it is spread, by residential floor area,
over the homes for which no finer source counts anyone, over all its homes where there are no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach
from lifecircle.floors import floor_shares, is_residential, residential_floor_area_m2
from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.readers.addresses import AMBIGUOUS, UNKNOWN, join_addresses
from lifecircle.readers.metric import holder
from lifecircle.schema import GROUP_PREFIX, breach

POINT_REACH_M = 50.0
"""A point that lies in no home belongs to the nearest one within so many metres: web maps place an address at its gate
or in the street before it."""

UNPLACED = "unplaced"
"""``by`` of residents whom no building could take; ``target_id`` is their area, as far as it is known."""

CONSERVED = 1e-6
"""Residents by which a coarser count may fall short of the finer ones, for they are sums of fractions."""

_Found = tuple[LongArray, pd.Series, list[Breach]]
"""The row of the building that each row of a source names, -1 for none; its area; what was found."""

_Pairs = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]


def settle(
    sources: Sequence[pd.DataFrame], buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, list[Breach]]:
    """Bring the sources of residents together.

    Parameters
    ----------
    sources
        As `lifecircle.readers.residents.counts_of_table` returns them, sound, in any CRS.
    buildings, areas
        In one metric CRS; buildings with ``address`` and ``area_id``.

    Returns
    -------
    tuple
        ``by``, ``target_id``, ``residents`` and the groups, one row a source and target: by ``building``, ``address``,
        ``point`` or ``cell`` onto a building; ``unplaced`` and ``area`` in an area, ``total`` in all of them, which are
        what remains after the finer rows. And what could not be placed, or does not fit together.
    """
    groups = dict.fromkeys(c for s in sources for c in s.columns if c.startswith(GROUP_PREFIX))
    columns = ["residents", *groups]
    tree = AreaTree.of(areas)
    parts, lost, breaches = [], [], []
    standing, counted = np.zeros((len(buildings), len(columns))), np.zeros(len(buildings), dtype=bool)
    for by, find in _FINDERS.items():
        for source in (s for s in sources if (s["by"] == by).all()):
            row, area_id, found = find(source, buildings, areas)
            breaches += found
            counts = _counts(source, columns)
            parts.append(_onto(by, buildings["building_id"], row, counts, columns))
            standing += _sums(row, counts, len(buildings))
            counted[row[row >= 0]] = True
            if (row < 0).any():
                frame = pd.DataFrame(counts[row < 0], columns=columns)
                lost.append(frame.assign(target_id=area_id[row < 0].to_numpy()))
    in_cells = np.zeros_like(standing)
    for source in (s for s in sources if (s["by"] == "cell").all()):
        placed, unplaced, found = _spread_cells(source, columns, buildings, areas, standing, counted)
        breaches += found
        in_cells += placed
        lost.append(unplaced)
    inside = np.flatnonzero((in_cells > 0).any(axis=1))
    parts.append(_onto("cell", buildings["building_id"], inside, in_cells[inside], columns))
    standing = standing + in_cells
    none = pd.DataFrame({"target_id": pd.Series(dtype="str")} | {c: pd.Series(dtype="float64") for c in columns})
    nowhere = pd.concat([none, *lost]).groupby("target_id", as_index=False)[columns].sum()
    parts.append(nowhere.assign(by=UNPLACED))

    area_row = tree.rows(buildings["area_id"])
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
    for source in (s for s in sources if (s["by"] == "total").all()):
        outside = nowhere.loc[tree.rows(nowhere["target_id"]) < 0, columns].to_numpy(dtype=np.float64)
        rest, found = _remainder(source, (finer.sum(axis=0) + outside.sum(axis=0))[None, :], columns)
        breaches += found
        parts.append(rest)
    settled = pd.concat([p[["by", "target_id", *columns]] for p in parts if len(p)], ignore_index=True)
    return settled, [*breaches, *_counted_by_several(settled)]


def _of_buildings(source: pd.DataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> _Found:
    row = pd.Index(buildings["building_id"]).get_indexer(pd.Index(source["target_id"]))
    return row, pd.Series("", index=source.index, dtype="str"), []


def _of_addresses(source: pd.DataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> _Found:
    """Return the building of each address."""
    tree = AreaTree.of(areas)
    stated = tree.rows(source["area_id"])
    names, ids = areas["name"].to_numpy(dtype=object), areas["area_id"].to_numpy(dtype=object)
    # A building lies in the smallest area, households are often listed by a larger one.
    levels = pd.Series(np.append(np.array(tree.level, dtype=object), "")[stated[stated >= 0]])
    of_building = tree.rows(buildings["area_id"])
    if len(levels):
        above = tree.at_level(of_building, str(levels.mode().iloc[0]))
        of_building = np.where(above >= 0, above, of_building)
    homes = is_residential(buildings)

    def joined(rows: BoolArray, called: npt.NDArray[np.object_]) -> LongArray:
        """Return the buildings of some rows, areas going by what they are ``called``."""
        community = np.where(stated >= 0, np.append(called, "")[stated], source["area"].to_numpy(dtype=object))
        asked = pd.Series(community, index=source.index, dtype="str")[rows]
        theirs = pd.Series(np.append(called, "")[of_building], dtype="str")
        return join_addresses(source["address"][rows], asked, buildings["address"], theirs, homes=homes)

    # An area goes by its name, as in addresses; by its id where another bears the same name.
    namesake = np.append(areas["name"].duplicated(keep=False).to_numpy(), False)[stated] & (stated >= 0)
    row = np.empty(len(source), dtype=np.int64)
    for rows, called in ((~namesake, names), (namesake, ids)):
        if rows.any():
            row[rows] = joined(rows, called)
    address = source["address"]
    unknown = "no building bears this address; its residents are unplaced: mend the address here or at the building"
    several = "several buildings bear this address; its residents are unplaced: name the area, or building_id"
    return (
        np.maximum(row, -1),
        source["area_id"],
        [
            *breach("residents", "unknown-address", unknown, address[row == UNKNOWN].drop_duplicates(), "warning"),
            *breach("residents", "ambiguous-address", several, address[row == AMBIGUOUS].drop_duplicates(), "warning"),
        ],
    )


def _of_points(source: pd.DataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> _Found:
    """Return the smallest home that holds each point, else the nearest; of equal ones the smaller id."""
    places = gpd.GeoDataFrame(source).to_crs(buildings.crs)
    points = places.geometry.to_numpy()
    homes = np.flatnonzero(is_residential(buildings))
    shapes = buildings.geometry.to_numpy()[homes]
    rank = np.lexsort([buildings["building_id"].to_numpy(dtype=object)[homes].astype("U"), shapely.area(shapes)])
    homes, shapes = homes[rank], shapes[rank]
    by_id = np.argsort(buildings["building_id"].to_numpy(dtype=object)[homes].astype("U"), kind="stable")
    place = np.argsort(by_id)
    tree = shapely.STRtree(shapes)
    first = np.full(len(points), len(homes))
    point, home = tree.query(points, predicate="intersects")
    np.minimum.at(first, point, home)
    outside = np.flatnonzero((first == len(homes)) & np.isfinite(shapely.bounds(points)).all(axis=1))
    if len(homes) and len(outside):
        point, home = tree.query_nearest(points[outside], max_distance=POINT_REACH_M)
        nearest = np.full(len(points), len(homes))
        np.minimum.at(nearest, outside[point], place[home])
        beside = nearest < len(homes)
        first[beside] = by_id[nearest[beside]]
    else:
        beside = np.zeros(len(points), dtype=bool)
    row = np.append(homes, -1)[first]
    label = source["target_id"]
    near = f"outside every home; counted in the nearest, within {POINT_REACH_M:.0f} m"
    far = f"no home within {POINT_REACH_M:.0f} m; unplaced: mend the place, or the kind of the building there"
    return (
        row,
        holder(places, areas, "area_id"),
        [
            *breach("residents", "point-beside-home", near, label[beside], "repair"),
            *breach("residents", "point-without-home", far, label[row < 0], "warning"),
        ],
    )


_FINDERS: dict[str, Callable[[pd.DataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame], _Found]] = {
    "building": _of_buildings,
    "address": _of_addresses,
    "point": _of_points,
}

ON_BUILDING = (*_FINDERS, "cell")
"""``by`` of residents whose ``target_id`` is the building that they stand in."""


def _counts(source: pd.DataFrame, columns: Sequence[str]) -> FloatArray:
    """Return (n, columns) the counts of a source, 0 in a column that it does not have."""
    return pd.DataFrame(source).reindex(columns=list(columns), fill_value=0.0).to_numpy(dtype=np.float64)


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
    short = some & (rest < -CONSERVED).any(axis=1)
    uneven = some & ~short & (rest[:, 1:] > rest[:, :1] + CONSERVED).any(axis=1)
    told = total["target_id"].where(total["target_id"] != "", "total")
    by = total["by"].iloc[0]
    fewer = f"fewer residents, or of a group, than finer sources place in this {by}; mend one of the two counts"
    lopsided = f"more of a group remain in this {by} than residents; count the group in the finer sources too"
    left = pd.DataFrame(np.maximum(rest, 0.0), columns=list(columns), index=total.index)
    return left.assign(by=by, target_id=total["target_id"]), [
        *breach("residents", "negative-remainder", fewer, told[short]),
        *breach("residents", "uneven-remainder", lopsided, told[uneven]),
    ]


def _spread_cells(
    source: pd.DataFrame,
    columns: Sequence[str],
    buildings: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    standing: FloatArray,
    counted: BoolArray,
) -> tuple[FloatArray, pd.DataFrame, list[Breach]]:
    """Return (n_buildings, columns) residents of the cells, those whom no home takes, and what is wrong."""
    grid = gpd.GeoDataFrame(source).to_crs(buildings.crs)
    cell, building, share = _shares(grid.geometry.to_numpy(), buildings.geometry.to_numpy())
    rest, breaches = _remainder(grid, _sums(cell, standing[building] * share[:, None], len(grid)), columns)
    counts = rest[list(columns)].to_numpy(dtype=np.float64)
    floor = residential_floor_area_m2(buildings)[building] * share
    placed = np.zeros((len(buildings), len(columns)))
    empty = (counts > 0).any(axis=1)
    bounds = np.flatnonzero(np.diff(cell, prepend=-1))
    for pairs in np.split(np.arange(len(cell)), bounds[1:]) if len(cell) else []:  # one step a cell, none a building
        weight = floor_shares(floor[pairs], counted[building[pairs]])
        placed[building[pairs]] += counts[cell[pairs[0]]] * weight[:, None]
        empty[cell[pairs[0]]] &= not weight.any()
    unplaced = rest.loc[empty, list(columns)].assign(target_id=holder(grid[empty], areas, "area_id"))
    message = "no home in this cell; its residents are unplaced"
    return (
        placed,
        unplaced,
        [
            *breaches,
            *breach("residents", "cell-without-home", message, grid["target_id"][empty], "warning"),
        ],
    )


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
    exact = settled[settled["by"].isin(_FINDERS) & (settled["residents"] > 0)]
    twice = exact["target_id"][exact["target_id"].duplicated()].drop_duplicates()
    message = "counted by two sources, whose residents are added up; are they the same people?"
    return breach("residents", "counted-by-several", message, twice, "warning")
