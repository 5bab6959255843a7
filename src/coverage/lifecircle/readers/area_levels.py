"""Areas that come as several layers, one a level: which area holds which."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import Breach
from lifecircle.model import FloatArray, LongArray
from lifecircle.readers.metric import LON_LAT, Box, local_crs
from lifecircle.schema import breach

WHOLE = 0.99
"""An area of which less than this share lies in the area found to hold it is told."""


def join_levels(parts: Sequence[gpd.GeoDataFrame]) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return the areas of several layers as one, in degrees, each with its parent.

    The parent of an area that states none is the one with which it shares most ground, of the next coarser level where
    it shares any. Levels are ordered by the mean size of their areas.
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
    parent, share = _parents(areas, shapes)
    ids = areas["area_id"]
    stated = areas["parent_id"] != ""
    by_overlap = ~stated & (parent >= 0)
    areas = areas.assign(parent_id=areas["parent_id"].where(~by_overlap, ids.reindex(parent).to_numpy()))
    part_of = [f"{i} -> {p} ({s:.1%})" for i, p, s in zip(ids, areas["parent_id"], share, strict=True)]
    message = f"less than {WHOLE:.0%} of it lies in the area found to hold it; state parent_id, or mend the borders"
    orphan = ~stated & (parent < 0) & (_rank(areas, shapes) > 0)
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


def _rank(areas: pd.DataFrame, shapes: np.ndarray) -> LongArray:
    """Return (n,) the place of each area's level, 0 for that of the largest areas."""
    size = pd.Series(shapely.area(shapes)).groupby(areas["level"].to_numpy()).mean()
    order = size.sort_values(ascending=False, kind="stable").index
    rank: LongArray = order.get_indexer(areas["level"]).astype(np.int64)
    return rank


def _parents(areas: pd.DataFrame, shapes: np.ndarray) -> tuple[LongArray, FloatArray]:
    """Return (n,) the row of the area that holds each, -1 for none, and how much of it lies there."""
    rank = _rank(areas, shapes)
    inner, outer = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    coarser = rank[outer] < rank[inner]
    inner, outer = inner[coarser], outer[coarser]
    shared_m2 = shapely.area(shapely.intersection(shapes[inner], shapes[outer]))
    whole_m2 = np.maximum(shapely.area(shapes), np.finfo(float).tiny)
    inner, outer, shared_m2 = (a[shared_m2 > 0] for a in (inner, outer, shared_m2))
    # The next coarser level first, then the largest share, then the smaller id.
    id_order = np.argsort(np.argsort(areas["area_id"].to_numpy(dtype=object), kind="stable"))
    order = np.lexsort([id_order[outer], -shared_m2, -rank[outer], inner])
    inner, outer, shared_m2 = inner[order], outer[order], shared_m2[order]
    first = np.flatnonzero(np.diff(inner, prepend=-1))
    parent, share = np.full(len(shapes), -1, dtype=np.int64), np.zeros(len(shapes))
    parent[inner[first]] = outer[first]
    share[inner[first]] = shared_m2[first] / whole_m2[inner[first]]
    return parent, share
