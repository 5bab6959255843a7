"""What stands in the cells of a made-up city, and the ways inside them.

    plots ─ compounds: lots ─ rows, gates, frontage      slabs, towers, works, public
          ─ mesh                                         old, village
          ─ open_land                                    fields, hills

Every family draws all its cells at once, in the upright frames of `lifecircle.synthetic.blocks.plots`.
"""

from __future__ import annotations

from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.synthetic.blocks.compounds import fill_lots
from lifecircle.synthetic.blocks.mesh import weave
from lifecircle.synthetic.blocks.open_land import leave_open
from lifecircle.synthetic.blocks.parts import all_houses, all_lines, on_millimetres
from lifecircle.synthetic.blocks.plots import Plots
from lifecircle.synthetic.blocks.steps import with_steps
from lifecircle.synthetic.city import Blocks, Cells, Heights, Lines
from lifecircle.synthetic.programme import CELL_KINDS, VILLAGE_M

_FAMILIES = (
    (("slabs", "towers", "works", "public"), 640.0, fill_lots),
    (("old",), 640.0, weave),
    (("fields", "hills"), np.inf, leave_open),
)
"""Kinds of cells but villages, how much of a cell they fill at most, metres each way, and what draws them."""
_LEAST_PLOT_M = 70.0
"""Plots that measure less in one direction stay empty."""


def build_blocks(
    cells: Cells,
    heights: Heights,
    crs: CRS,
    random: np.random.Generator,
    *,
    village_m: tuple[float, float] = VILLAGE_M,
) -> Blocks:
    """Build on every cell that has a street on some side.

    Parameters
    ----------
    village_m
        From the middle of a village to its rim, the least and the most, metres.

    Returns
    -------
    Blocks
        Buildings in the order of cells. Coordinates are whole millimetres, so that ways meet where they have the same.
    """
    plots = Plots.of(cells, _LEAST_PLOT_M)
    parts = [
        build(
            plots.only(np.isin(plots.kind, [CELL_KINDS.index(kind) for kind in kinds])).at_most(most_m, random), random
        )
        for kinds, most_m, build in (*_FAMILIES, (("village",), np.inf, partial(weave, village_m=village_m)))
    ]
    houses = all_houses([part.houses for part in parts])
    order = np.argsort(houses.table["cell"].to_numpy(), kind="stable")
    ids = "b" + pd.Series(np.arange(1, len(order) + 1)).astype(str).str.zfill(7)
    table = houses.table.iloc[order].reset_index(drop=True).astype({"kind": "str", "name": "str"})
    table.insert(0, "building_id", ids)
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    doors = np.argsort(place_of[houses.door_of], kind="stable")

    walls = all_lines([part.walls for part in parts])
    ways = all_lines([part.ways for part in parts])
    gates = pd.concat([part.gates for part in parts], ignore_index=True)
    return Blocks(
        buildings=gpd.GeoDataFrame(table, geometry=houses.outlines(order), crs=crs),
        entrances=gpd.GeoDataFrame(
            {"building_id": ids.iloc[place_of[houses.door_of[doors]]].reset_index(drop=True)},
            geometry=shapely.points(on_millimetres(houses.door_m[doors])),
            crs=crs,
        ),
        barriers=gpd.GeoDataFrame({"kind": walls.tags["barrier"]}, geometry=_linestrings(walls), crs=crs),
        gates=gpd.GeoDataFrame(
            gates, geometry=shapely.points(on_millimetres(np.concatenate([p.gate_m for p in parts]))), crs=crs
        ),
        ways=with_steps(Lines(ways.indptr, on_millimetres(ways.xy_m), ways.tags), heights),
        joint_edge=np.concatenate([part.joint_edge for part in parts]),
        joint_m=on_millimetres(np.concatenate([part.joint_m for part in parts])),
    )


def _linestrings(lines: Lines) -> np.ndarray:
    return shapely.linestrings(
        on_millimetres(lines.xy_m), indices=np.repeat(np.arange(len(lines.tags)), np.diff(lines.indptr))
    )
