"""Where to find a building: addresses by street in the town, by village in the country."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.model import FloatArray, LongArray
from lifecircle.synthetic.city import Cells
from lifecircle.synthetic.programme import CELL_KINDS
from lifecircle.synthetic.streets import street_names
from lifecircle.synthetic.tree import TextArray, holders


def addresses(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, cells: Cells) -> TextArray:
    """Return (n,) addresses: 东八路社区和平南街12号院3号楼 in a compound, 东八路社区和平南街45号 elsewhere.

    Compounds and houses are numbered along the nearest main street beside their cell, odd on one side of it and even on
    the other; where no such street has a name, and in villages, within the smallest area: 千金村45号. The name of that
    area follows the one of its subdistrict or township where another area bears it as well.

    Parameters
    ----------
    buildings
        Also needs ``area_id``.
    """
    compound = buildings["compound"].to_numpy()
    gated = compound >= 0
    plot = np.where(gated, compound, compound.max(initial=-1) + 1 + np.arange(len(compound)))
    _, first, plot = np.unique(plot, return_index=True, return_inverse=True)
    cell = buildings["cell"].to_numpy()[first]
    xy_m = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy()[first]))

    place = buildings["area_id"].iloc[first].map(_places(areas)).to_numpy(dtype=object)
    street, side = _nearest_street(cells, cell, xy_m)
    by_street = street != ""
    west_or_south_m = np.where(side % 2 == 0, xy_m[:, 0], xy_m[:, 1])
    table = pd.DataFrame(
        {
            "within": np.where(by_street, street, place),
            "even": by_street & (side >= 2),
            "at": np.where(by_street, west_or_south_m, first),
        }
    )
    nth = table.groupby(["within", "even"])["at"].rank("first").to_numpy().astype(np.int64)
    number = np.where(by_street, 2 * nth - 1 + table["even"], nth).astype(str).astype(object)

    own = buildings["name"].to_numpy(dtype=object)
    return np.asarray(
        (place + street + number)[plot] + np.where(gated, "号院", "号").astype(object) + own, dtype=object
    )


def _places(areas: gpd.GeoDataFrame) -> pd.Series:
    """Return the names of the areas of the smallest level, by id, with that of the second level where they are not one.

    The second level is that of subdistricts and townships, no two of which are called alike.
    """
    levels = tuple(areas["level"].unique())
    name = areas["name"].to_numpy(dtype=object)
    rows = holders(areas, levels)
    own = pd.Series(name[rows[levels[-1]]], index=rows.index)
    return own.where(~own.duplicated(keep=False), name[rows[levels[1]]] + own)


def _nearest_street(cells: Cells, cell: LongArray, xy_m: FloatArray) -> tuple[TextArray, LongArray]:
    """Return for points in cells the name of the nearest main street beside the cell that has one, and on which side.

    The name is empty where there is none, and in villages, though streets pass them.
    """
    name = np.append(street_names(cells), "")[cells.edge_of_side]
    name[cells.kind == CELL_KINDS.index("village")] = ""
    begin = cells.corners_m[cell]
    along, to = np.roll(begin, -1, axis=1) - begin, xy_m[:, None] - begin
    off_m = np.abs(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]) / np.linalg.norm(along, axis=2)
    side = np.where(name[cell] != "", off_m, np.inf).argmin(axis=1)
    return name[cell, side], side
