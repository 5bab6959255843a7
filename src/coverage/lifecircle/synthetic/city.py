"""What a made-up city is made of: the types that its stages hand to each other, metres in one local projection.

    programme ─ cells, heights ─ blocks ─ streets        what stands where, and how one walks there
                                    │
                                 people ─ communities ─ services ─ requests

A stage takes what stands before it and its own random numbers, and returns new data.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from lifecircle.model import FloatArray, IntArray, LongArray, ReadOnlyArrays, StreetWays
from lifecircle.synthetic.programme import Programme

USUAL_SIZE, USUAL_SEED = 1.0, 7
"""Of a city that is asked for by name alone."""


def random_of(seed: int, stage: str) -> np.random.Generator:
    """Return the random numbers of one stage: a change in one stage moves no other."""
    return np.random.default_rng([seed, zlib.crc32(stage.encode())])


@dataclass(frozen=True, eq=False)
class Heights(ReadOnlyArrays):
    """Heights on an upright grid: ``height_m[r, c]`` metres at ``west_m + c step_m, north_m - r step_m``."""

    west_m: float
    north_m: float
    step_m: float
    height_m: FloatArray

    def at(self, xy_m: FloatArray) -> FloatArray:
        """Return (n,) heights between the grid's points (bilinear), metres; beyond its rim those of the rim."""
        rows, columns = self.height_m.shape
        c = np.clip((xy_m[:, 0] - self.west_m) / self.step_m, 0.0, columns - 1.000001)
        r = np.clip((self.north_m - xy_m[:, 1]) / self.step_m, 0.0, rows - 1.000001)
        left, top = c.astype(np.int64), r.astype(np.int64)
        x, y = c - left, r - top
        upper = self.height_m[top, left] * (1 - x) + self.height_m[top, left + 1] * x
        lower = self.height_m[top + 1, left] * (1 - x) + self.height_m[top + 1, left + 1] * x
        return np.asarray(upper * (1 - y) + lower * y, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Cells(ReadOnlyArrays):
    """The lattice of main streets and the cells between them: a partition of the study's land.

    Crossing ``(i, j)`` is row ``i * (n_rows + 1) + j`` of ``crossing_m``: ``i`` counts along the valley from the west,
    ``j`` across it from the south. Cell ``(i, j)`` is row ``i * n_rows + j`` of the other arrays and lies between the
    crossings ``(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)``: south-west first, counter-clockwise.
    """

    n_columns: int
    n_rows: int
    crossing_m: FloatArray
    """(n_crossings, 2)."""
    kind: IntArray
    """(n_cells,) row of `lifecircle.synthetic.programme.CELL_KINDS`."""
    centrality: FloatArray
    """(n_cells,) 1 in the middle of the town, 0 at the rim."""
    edge: IntArray
    """(n_edges, 2) crossings that a main street, a bridge or a country road joins; the others are not joined."""
    edge_class: tuple[str, ...]
    """(n_edges,) value of ``highway``."""
    edge_bridge: IntArray
    """(n_edges,) 1 where it crosses the river on a bridge, 2 where it passes below the railway, else 0."""
    edge_of_side: IntArray
    """(n_cells, 4) row of ``edge`` on the south, east, north and west side of each cell, -1 where no street runs."""

    @property
    def corners_m(self) -> FloatArray:
        """(n_cells, 4, 2) corners, south-west first, counter-clockwise."""
        i, j = np.divmod(np.arange(self.n_columns * self.n_rows), self.n_rows)
        first = i * (self.n_rows + 1) + j
        rows = np.stack([first, first + self.n_rows + 1, first + self.n_rows + 2, first + 1], axis=1)
        return np.asarray(self.crossing_m[rows], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Lines(ReadOnlyArrays):
    """Lines that are to become ways: they meet where they have a vertex in common, to the millimetre.

    Line ``i`` runs through ``xy_m[indptr[i]:indptr[i + 1]]`` and bears the tags ``tags.iloc[i]`` (text, empty: none).
    """

    indptr: LongArray
    xy_m: FloatArray
    tags: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Blocks(ReadOnlyArrays):
    """What stands in the cells, and the ways inside them.

    ========== =====================================================================================================
    frame      columns (besides geometry)
    ========== =====================================================================================================
    buildings  building_id, name, kind (as in OpenStreetMap), levels, cell (row), compound (-1: none); polygons
    entrances  building_id; points on the outline
    barriers   kind; lines or polygons
    gates      compound, and the tags of the node (barrier, access, opening_hours, locked); points
    ========== =====================================================================================================
    """

    buildings: gpd.GeoDataFrame
    entrances: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    ways: Lines
    joint_edge: IntArray
    """(n_joints,) the main street, a row of ``Cells.edge``, that a way of a cell joins between its crossings."""
    joint_m: FloatArray
    """(n_joints, 2) where it does: on the straight line between the crossings."""


@dataclass(frozen=True, eq=False)
class City:
    """A made-up city, complete. Frames are in ``crs``; ids are text.

    ========== =====================================================================================================
    frame      columns (besides geometry)
    ========== =====================================================================================================
    areas      area_id, level, name, parent_id; polygons that part the land at every level
    buildings  building_id, name, kind, levels, address, area_id; polygons
    entrances  building_id; points
    barriers   kind; lines or polygons
    residents  building_id, residents, residents_<class or attribute>...; whole numbers, every residential building
    stations   station_id, name, kind, tier, items, hours, capacity, cost, agents, building_id, area_id; points
    candidates site_id and the same, with consent (yes, or empty where none is needed)
    requests   request_id, item, urgency, channel, time, priority, building_id, area_id; points
    itinerary  station_id, weekday, from, to, stop_id (a station or village), area_id; points; empty but for itinerant
               service
    ========== =====================================================================================================
    """

    programme: Programme
    size: float
    seed: int
    crs: CRS
    heights: Heights
    streets: StreetWays
    frames: Mapping[str, gpd.GeoDataFrame | pd.DataFrame]
