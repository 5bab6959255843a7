"""Areas that do not fit together: ground that two of a level share, ground that none has, homes in no area."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from lifecircle.errors import Breach
from lifecircle.floors import is_residential
from lifecircle.model import FloatArray
from lifecircle.readers.placing import ON_BUILDING, UNPLACED
from lifecircle.readers.whereabouts import lonlat
from lifecircle.said import Said, sentence
from lifecircle.schema import breach

SLIVER_M, SLIVER_M2 = 1.0, 100.0
"""An overlap or hole that is narrower, metres, or smaller, square metres, comes from the drawing and not from a
dispute: it is told apart from the others."""

DRAWN_M, DRAWN_M2 = 0.1, 1.0
"""Nothing is told of an overlap or hole that is narrower or smaller: it is rounding."""

_Shapes = npt.NDArray[np.object_]


def check_areas(areas: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, residents: pd.DataFrame | None) -> list[Breach]:
    """Tell where areas of a level overlap or leave holes, and which homes lie in none.

    A home in no area is not told where each is counted by itself and nobody in this one: it changes nothing.

    Parameters
    ----------
    areas, buildings
        In one metric CRS, mended; buildings with ``area_id``.
    residents
        As `lifecircle.readers.placing.settle` returns them; None where nobody could be read.
    """
    people = np.zeros(len(buildings)) if residents is None else _people(buildings, residents)
    overlaps, holes = [], []
    shapes, ids = areas.geometry.to_numpy(), areas["area_id"].to_numpy(dtype=object)
    for rows in areas.groupby("level", sort=False).indices.values():
        overlaps += list(_overlaps(shapes[rows], ids[rows]))
        above = areas["parent_id"].iloc[rows]
        parents, beside = areas["area_id"].isin(above), areas["parent_id"].isin(above[above != ""])
        holes += list(_holes(shapes[rows], ids[rows], parents=shapes[parents], beside=shapes[beside]))
    where = shapely.point_on_surface(buildings.geometry.to_numpy())
    shared = "ground that two areas of a level share; the smaller area counts"
    found = [
        *_told("areas-overlap", shared, overlaps, where, people, areas.crs),
        *_told("areas-hole", "ground between areas of a level that belongs to none", holes, where, people, areas.crs),
    ]
    exact = residents is None or residents["by"].isin([*ON_BUILDING, UNPLACED]).all()
    nowhere = (buildings["area_id"] == "").to_numpy() & ~buildings.geometry.is_empty.to_numpy()
    lost = nowhere & ((people > 0) | (is_residential(buildings) & (not exact)))
    message = Said(
        "homes in no area, with {:,.0f} residents counted in them; no row of the tables has them: "
        "draw the areas round them, or leave them be where they lie beyond the border",
        people[lost].sum(),
    )
    return [*found, *breach("buildings", "outside-areas", message, buildings["building_id"][lost], "warning")]


def _people(buildings: gpd.GeoDataFrame, residents: pd.DataFrame) -> FloatArray:
    """Return (n_buildings,) residents that a source counts there."""
    counted = residents[residents["by"].isin(ON_BUILDING)]
    row = pd.Index(buildings["building_id"]).get_indexer(pd.Index(counted["target_id"]))
    return np.bincount(row, weights=counted["residents"], minlength=len(buildings)).astype(np.float64)


def _overlaps(shapes: _Shapes, ids: npt.NDArray[np.object_]) -> Iterator[tuple[str, shapely.Geometry]]:
    """Yield what pairs of areas share, named after both."""
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.intersection(shapes[one], shapes[other])
    for i in np.flatnonzero(shapely.area(shared) >= DRAWN_M2):
        for part in _surfaces(shared[i]):
            yield f"{ids[one[i]]} and {ids[other[i]]}", part


def _holes(
    shapes: _Shapes, ids: npt.NDArray[np.object_], *, parents: _Shapes, beside: _Shapes
) -> Iterator[tuple[str, shapely.Geometry]]:
    """Yield what lies between the areas, or in a parent of theirs and in none of its own, named after the nearest.

    ``beside`` are all that have these parents, of whatever level.
    """
    # A corner of one area on the side of another leaves a slit of a hair's breadth, through which a hole would run out.
    filled = shapely.union_all(shapely.buffer([*shapes, *beside], DRAWN_M / 2, join_style="mitre"))
    outer = shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(filled)))
    empty = shapely.difference(shapely.union_all([*outer, *parents]), filled)
    parts = shapely.buffer(_surfaces(empty), DRAWN_M / 2, join_style="mitre")
    if len(parts):
        nearest = shapely.STRtree(shapes).nearest(shapely.point_on_surface(parts))
        yield from ((f"near {ids[i]}", part) for i, part in zip(nearest, parts, strict=True))


def _surfaces(shape: shapely.Geometry) -> _Shapes:
    parts: _Shapes = shapely.get_parts(shape)
    return parts[shapely.area(parts) >= DRAWN_M2]


def _told(
    rule: str, what: str, found: list[tuple[str, shapely.Geometry]], where: _Shapes, people: FloatArray, crs: CRS
) -> list[Breach]:
    """Return a warning for the faults and one for those that are slivers, with their size and what stands in them."""
    shapes: _Shapes = np.array([shape for _, shape in found], dtype=object)
    width_m = 2.0 * shapely.area(shapes) / np.maximum(shapely.length(shapes), np.finfo(float).tiny)
    real = width_m >= DRAWN_M
    slim = (shapely.area(shapes) < SLIVER_M2) | (width_m < SLIVER_M)
    names = pd.Series([name for name, _ in found], dtype="str")
    breaches = []
    for chosen, name, doing in (
        (real & ~slim, rule, what),
        (
            real & slim,
            f"{rule}-sliver",
            Said("slivers, less than {:g} m wide or {:g} m2: {}", SLIVER_M, SLIVER_M2, sentence(what)),
        ),
    ):
        if chosen.any():
            size_m2 = shapely.area(shapes[chosen])
            building = np.unique(shapely.STRtree(where).query(shapes[chosen], predicate="intersects")[1])
            message = Said(
                "{}: {:,.0f} m2 together, {:,.0f} m2 the largest, "
                "{:,} buildings and {:,.0f} counted residents; mend the borders",
                sentence(doing),
                size_m2.sum(),
                size_m2.max(),
                len(building),
                people[building].sum(),
            )
            order = np.argsort(-size_m2, kind="stable")
            places = lonlat(shapely.get_coordinates(shapely.point_on_surface(shapes[chosen][order])), crs)
            breaches += breach("areas", name, message, names[chosen].iloc[order], "warning", places=places)
    return breaches
