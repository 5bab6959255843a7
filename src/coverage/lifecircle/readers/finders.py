"""The building that each row of residents names: by its id, by an address, by a point."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.agreement import but_for_signs
from lifecircle.areas import AreaTree
from lifecircle.errors import Breach
from lifecircle.floors import is_residential
from lifecircle.model import BoolArray, IntArray, LongArray
from lifecircle.readers.addresses import AMBIGUOUS, UNKNOWN, join_addresses, named_community, plain_address
from lifecircle.readers.metric import holder, ranks
from lifecircle.said import Said
from lifecircle.schema import breach

POINT_REACH_M = 50.0
"""A point that lies in no home belongs to the nearest one within so many metres: web maps place an address at its gate
or in the street before it."""

Found = tuple[LongArray, pd.Series, list[Breach]]
"""The row of the building that each row of a source names, -1 for none; its area; what was found."""


def _of_buildings(source: pd.DataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> Found:
    row = pd.Index(buildings["building_id"]).get_indexer(pd.Index(source["target_id"]))
    return row, pd.Series("", index=source.index, dtype="str"), []


def _of_addresses(source: pd.DataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> Found:
    """Return the building of each address, looked for in the area that its row names, of whatever level."""
    tree = AreaTree.of(areas)
    stated, of_building = tree.rows(source["area_id"]), tree.rows(buildings["area_id"])
    names, ids = (areas[c].to_numpy(dtype=object) for c in ("name", "area_id"))
    # An area goes by its name, as in addresses; by its id where another bears the same name.
    namesake = np.append(areas["name"].duplicated(keep=False).to_numpy(), False)[stated] & (stated >= 0)
    nowhere = (stated < 0) & _names_none(source, names) if len(areas) else np.zeros(len(source), dtype=bool)
    plain, of_buildings = plain_address(source["address"]), plain_address(buildings["address"])
    elsewhere = _lies_elsewhere(tree, stated, named_community(plain["community"], areas["name"]))
    level = np.append(np.array(tree.level, dtype=object), "")[stated]
    homes = is_residential(buildings)

    def joined(rows: BoolArray, called: npt.NDArray[np.object_], area: LongArray) -> LongArray:
        """Return the buildings of some rows, areas going by what they are ``called``."""
        community = np.where(stated >= 0, np.append(called, "")[stated], source["area"].to_numpy(dtype=object))
        asked = pd.Series(community, index=source.index, dtype="str")[rows]
        theirs = pd.Series(np.append(called, "")[area], dtype="str")
        return join_addresses(plain[rows], asked, of_buildings, theirs, homes=homes)

    row = np.full(len(source), UNKNOWN, dtype=np.int64)
    lowest_first = np.array(tree.level, dtype=object)[np.argsort(-tree.depths(), kind="stable")]
    for name in dict.fromkeys([*lowest_first, ""]):
        above = tree.at_level(of_building, name)
        area = np.where(above >= 0, above, of_building)  # a building lies in the lowest area
        fits = (row == UNKNOWN) & ~nowhere & ~elsewhere & ((stated < 0) | (level == name))
        for rows, called in ((fits & ~namesake, names), (fits & namesake, ids)):
            if rows.any():
                row[rows] = joined(rows, called, area)
    said = source["area_id"].where(source["area_id"] != "", source["area"])
    address, people = source["address"], source["residents"]
    lost, several = (row == UNKNOWN) & ~nowhere & ~elsewhere, row == AMBIGUOUS
    no_area: str = Said(
        "no area bears this name or id; {:,.0f} residents cannot be placed: mend it", people[nowhere].sum()
    )
    torn = Said(
        "the address begins with another area than its row names; {:,.0f} residents cannot be placed: mend one of them",
        people[elsewhere].sum(),
    )
    unknown: str = Said(
        "no building bears this address; {:,.0f} residents cannot be placed: mend the address here or at the building",
        people[lost].sum(),
    )
    shared = Said(
        "several buildings bear this address; {:,.0f} residents cannot be placed: name the area, or building_id",
        people[several].sum(),
    )
    no_area = but_for_signs(no_area, said[nowhere], [*ids, *names])
    unknown = but_for_signs(unknown, address[lost], buildings["address"])
    alike = "joined though one says 号, the other 栋, 幢, 座 or 号楼: look if a house is meant, not a plot in a street"
    placed = np.flatnonzero(row >= 0)
    unlike = placed[plain["rest"].to_numpy()[placed] != of_buildings["rest"].to_numpy()[row[placed]]]
    return (
        np.maximum(row, -1),
        source["area_id"].where(stated >= 0, ""),
        [
            *breach("residents", "unknown-area", no_area, said[nowhere].drop_duplicates(), "warning"),
            *breach("residents", "address-elsewhere", torn, address[elsewhere].drop_duplicates(), "warning"),
            *breach("residents", "loose-address", alike, address.iloc[unlike].drop_duplicates(), "repair"),
            *breach("residents", "unknown-address", unknown, address[lost].drop_duplicates(), "warning"),
            *breach("residents", "ambiguous-address", shared, address[several].drop_duplicates(), "warning"),
        ],
    )


def _lies_elsewhere(tree: AreaTree, stated: IntArray, named: IntArray) -> BoolArray:
    """Return (n,) whether the area that an address begins with neither holds the one of its row nor lies in it."""
    both = (stated >= 0) & (named >= 0)
    related = np.zeros(len(stated), dtype=np.bool_)
    for rows, others in ((stated, named), (named, stated)):
        for step in tree.upwards(rows):
            related |= step == others
    return both & ~related


def _names_none(source: pd.DataFrame, names: npt.NDArray[np.object_]) -> BoolArray:
    """Return (n,) whether the row states an area, by an id or by a name which none of these bears."""
    known = plain_address(pd.Series(names, dtype="str")).sum(axis=1)
    said = pd.Series(source["area"].unique(), dtype="str")
    strange = said[(said != "") & ~plain_address(said).sum(axis=1).isin(known)]
    unknown: BoolArray = ((source["area_id"] != "") | source["area"].isin(strange)).to_numpy()
    return unknown


def _of_points(source: pd.DataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> Found:
    """Return the smallest home that holds each point, else the nearest; of equal ones the smaller id."""
    places = gpd.GeoDataFrame(source).to_crs(buildings.crs)
    points = places.geometry.to_numpy()
    homes = np.flatnonzero(is_residential(buildings))
    shapes = buildings.geometry.to_numpy()[homes]
    rank = ranks(buildings["building_id"])
    order = np.lexsort([rank[homes], shapely.area(shapes)])
    homes, shapes = homes[order], shapes[order]
    by_id = np.argsort(rank[homes], kind="stable")
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
    near = Said("outside every home; counted in the nearest, within {:.0f} m", POINT_REACH_M)
    far = Said(
        "no home within {:.0f} m; {:,.0f} residents are unplaced: mend the place, or the kind of the building there",
        *(POINT_REACH_M, source["residents"][row < 0].sum()),
    )
    return (
        row,
        holder(places, areas, "area_id"),
        [
            *breach("residents", "point-beside-home", near, label[beside], "repair"),
            *breach("residents", "point-without-home", far, label[row < 0], "warning"),
        ],
    )


FINDERS: dict[str, Callable[[pd.DataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame], Found]] = {
    "building": _of_buildings,
    "address": _of_addresses,
    "point": _of_points,
}
"""How the building of each row is found, by what it counts by; the first come first."""
