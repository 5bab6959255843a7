"""Areas that come as several layers, one a level: which area holds which."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.errors import Breach
from lifecircle.model import FloatArray, LongArray
from lifecircle.readers.metric import LON_LAT, Box, local_crs, ranks
from lifecircle.said import Said
from lifecircle.schema import breach

WHOLE = 0.99
"""An area of which less than this share lies in the area found to hold it is told."""

MOST = 0.5
"""An area of which less than this share lies in any one of the next level belongs to the level above that."""

Shapes = npt.NDArray[np.object_]


def join_levels(parts: Sequence[gpd.GeoDataFrame]) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return the areas of several layers as one, in degrees, each with its parent.

    The parent of an area that states none is the one of the next coarser level in which half of it lies, or more; where
    none of any level holds so much, that with which it shares most ground. Of two levels the coarser is that whose
    areas hold more of the other's, or are stated to; where neither does, that of which the study speaks first.
    """
    if any(part.crs is None for part in parts):  # told already; without it nothing can be compared
        return pd.concat([part.set_crs(LON_LAT, allow_override=True) for part in parts], ignore_index=True), []
    areas = pd.concat([part.to_crs(LON_LAT) for part in parts], ignore_index=True)
    found = [s for i, part in enumerate(parts) for s in part["area_id"][_elsewhere(part, parts[:i])]]
    breaches = breach("areas", "duplicate-id", "area_id is in two layers of areas; give each area its own", found)
    bounds = shapely.bounds(areas.geometry.to_numpy())
    if not np.isfinite(bounds).all() or (np.abs(bounds) > [180, 90, 180, 90]).any():
        return areas, breaches
    shapes = areas.to_crs(local_crs(_box(bounds))).geometry.to_numpy()
    invalid = ~shapely.is_valid(shapes)
    shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    inner, outer, share_of = _held(areas["level"], shapes)
    ids = areas["area_id"]
    stated = areas["parent_id"] != ""
    child, above = _stated(areas)
    rank = _rank(
        areas["level"], np.append(inner, child), np.append(outer, above), np.append(share_of, np.ones(len(child)))
    )
    parent, share = _parents(areas, rank, inner, outer, share_of)
    by_overlap = ~stated & (parent >= 0)
    areas = areas.assign(parent_id=areas["parent_id"].where(~by_overlap, ids.reindex(parent).to_numpy()))
    part_of = [f"{i} -> {p} ({s:.1%})" for i, p, s in zip(ids, areas["parent_id"], share, strict=True)]
    message = Said(
        "less than {:.0%} of it lies in the area found to hold it; state parent_id, or mend the borders", WHOLE
    )
    orphan = ~stated & (parent < 0) & (rank > 0)
    message_alone = "lies in no area of a coarser level; it stands alone at the top of the tree"
    return areas, [
        *breaches,
        *breach("areas", "parent-in-part", message, pd.Series(part_of)[by_overlap & (share < WHOLE)], "warning"),
        *breach("areas", "no-parent", message_alone, ids[orphan], "warning"),
    ]


def _elsewhere(part: gpd.GeoDataFrame, before: Sequence[gpd.GeoDataFrame]) -> pd.Series:
    known = pd.concat([p["area_id"] for p in before]) if before else pd.Series(dtype="str")
    return part["area_id"].isin(known) & (part["area_id"] != "")


def _box(bounds: FloatArray) -> Box:
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _held(level: pd.Series, shapes: Shapes) -> tuple[LongArray, LongArray, FloatArray]:
    """Return pairs of areas of two levels that share ground, and the share of the first that lies in the second."""
    inner, outer = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    apart = level.to_numpy()[inner] != level.to_numpy()[outer]
    inner, outer = inner[apart].astype(np.int64), outer[apart].astype(np.int64)
    shared_m2 = shapely.area(shapely.intersection(shapes[inner], shapes[outer]))
    real = shared_m2 > 0
    inner, outer = inner[real], outer[real]
    return inner, outer, shared_m2[real] / shapely.area(shapes[inner])


def _stated(areas: pd.DataFrame) -> tuple[LongArray, LongArray]:
    """Return rows of areas that state their parent, and the row of each one's."""
    once = areas["area_id"].drop_duplicates()
    above = pd.Index(once).get_indexer(pd.Index(areas["parent_id"]))
    known = np.flatnonzero((above >= 0) & (areas["parent_id"] != "").to_numpy())
    return known, once.index.to_numpy()[above[known]]


def _rank(level: pd.Series, inner: LongArray, outer: LongArray, share: FloatArray) -> LongArray:
    """Return (n,) the place of each area's level, 0 for the coarsest."""
    number, names = pd.factorize(level)
    holds = np.zeros((len(names), len(names)), dtype=np.int64)
    most = share >= MOST
    np.add.at(holds, (number[outer[most]], number[inner[most]]), 1)
    coarser = holds > holds.T
    place, left = np.zeros(len(names), dtype=np.int64), list(range(len(names)))
    for i in range(len(names)):
        top = next((a for a in left if not coarser[left, a].any()), left[0])
        place[top] = i
        left.remove(top)
    return place[number]


def _parents(
    areas: pd.DataFrame, rank: LongArray, inner: LongArray, outer: LongArray, share: FloatArray
) -> tuple[LongArray, FloatArray]:
    """Return (n,) the row of the area that holds each, -1 for none, and how much of it lies there."""
    above = (rank[outer] < rank[inner]) & (share > 1 - WHOLE)  # of neighbours a hair's breadth is shared
    inner, outer, share = inner[above], outer[above], share[above]
    # Those that hold most of it first, of them the next level; then the largest share, then the smaller id.
    little = share < MOST
    order = np.lexsort([ranks(areas["area_id"])[outer], -share, np.where(little, 0, -rank[outer]), little, inner])
    inner, outer, share = inner[order], outer[order], share[order]
    first = np.flatnonzero(np.diff(inner, prepend=-1))
    parent, part = np.full(len(areas), -1, dtype=np.int64), np.zeros(len(areas))
    parent[inner[first]] = outer[first]
    part[inner[first]] = share[first]
    return parent, part
