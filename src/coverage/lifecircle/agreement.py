"""Whether layers agree: ids name what is there, areas form a tree, no group is larger than those it is part of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lifecircle.conform import headed
from lifecircle.errors import Breach
from lifecircle.model import BoolArray
from lifecircle.said import Said, sentence
from lifecircle.schema import GROUP_PREFIX, LAYERS, breach

NEAR_BUILDING_M = 50.0
"""So near to its building a station or door stands: the yard is the building's, the next block is not."""

_SIGNS_AT_ENDS = r"^[^\pL\pM\pN]+|[^\pL\pM\pN]+$"

_NO_PARENTS = (
    "parent_id names areas of which there is none here: is the layer of the larger areas missing? Name its file too, "
    'as one more [[inputs.areas]]; or have the column not read: columns = { parent_id = "" }'
)


def check_references(
    layer: str, column: str, table: pd.DataFrame, *, among: Iterable[str], label: str, message: str = ""
) -> list[Breach]:
    """Check that every id in ``column`` that is not empty is one of ``among``; ``label`` names the rows' own ids.

    ``message`` says what is wrong where there is more to say of it than that.
    """
    values = table[column]
    unknown = (values != "") & ~are_among(values, among)
    shown = values[unknown] if label == column else table[label][unknown] + " -> " + values[unknown]
    heading = headed(table, column)
    told = but_for_signs(message or Said("{} names nothing that the study holds", heading), values[unknown], among)
    return breach(layer, "unknown-id", told, shown, column=heading, values=values[unknown])


def but_for_signs(message: str, unknown: pd.Series, known: Iterable[str]) -> str:
    """Return a message of ids, names or addresses that nothing bears, with those that differ by signs at an end alone.

    A clerk doubts with a mark, A101？, and a copied text brings a full stop along: such an id is told, not mended.
    """
    if not len(unknown):
        return message
    theirs, once = pd.Series(list(known), dtype="str"), unknown.drop_duplicates()
    bare_of = dict(zip(_bare(theirs), theirs, strict=True))
    bare = _bare(once)
    meant = bare.map(bare_of).where(bare != "").dropna()
    if not len(meant):
        return message
    told = (len(meant), once[meant.index[0]], meant.iloc[0])
    return Said("{}; {:,} of these stand there but for a sign at the end: {} as {}", sentence(message), *told)


def _bare(ids: pd.Series) -> pd.Series:
    """Return ids without the signs, neither letters nor digits, at their ends."""
    bare = pc.replace_substring_regex(pa.array(ids, type=pa.string()), _SIGNS_AT_ENDS, "")
    return bare.to_pandas().astype("str").set_axis(ids.index)


def check_near_buildings(layer: str, places: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> list[Breach]:
    """Check that places stand near the buildings that they name; both in one metric CRS, ids of buildings unique."""
    row = pd.Index(buildings["building_id"]).get_indexer(pd.Index(places["building_id"]))
    known = np.flatnonzero(row >= 0)
    apart_m = shapely.distance(places.geometry.to_numpy()[known], buildings.geometry.to_numpy()[row[known]])
    far = apart_m > NEAR_BUILDING_M
    named, key = places["building_id"].iloc[known[far]], LAYERS[layer].key
    shown = places[key].iloc[known[far]] + " -> " + named if key else named
    message = Said(
        "more than {:.0f} m from the building that it names, {:,.0f} m at "
        "most, yet a walk from there would count as none; mend the place or building_id",
        NEAR_BUILDING_M,
        apart_m[far].max(initial=0.0),
    )
    return breach(layer, "far-from-building", message, shown, "warning")


def are_among(values: pd.Series, known: Iterable[str]) -> BoolArray:
    """Return (n,) whether each text is one of the known ones, of which there may be as many."""
    found: BoolArray = pd.Index(list(known), dtype="str").unique().get_indexer(pd.Index(values)) >= 0
    return found


def check_tree(areas: pd.DataFrame) -> list[Breach]:
    """Check that the areas form a tree: every parent is an area, and nobody is their own ancestor."""
    ids = pd.Index(areas["area_id"])
    if not ids.is_unique:
        return []
    top = len(ids)
    parent = ids.get_indexer(areas["parent_id"])
    above = np.append(np.where(parent < 0, top, parent), top)
    for _ in range(top.bit_length() + 1):  # each round doubles the steps taken upwards
        above = above[above]
    stated = (areas["parent_id"] != "").to_numpy()
    orphans = "" if (parent[stated] >= 0).any() else _NO_PARENTS
    return [
        *check_references("areas", "parent_id", areas, among=ids, label="area_id", message=orphans),
        *breach("areas", "cycle", "these areas are their own ancestors; mend parent_id", ids[above[:top] != top]),
    ]


def check_counts(residents: pd.DataFrame, classes: Sequence[str]) -> list[Breach]:
    """Check that no group of residents is larger than the residents it is part of, to 1e-6.

    The speed classes partition the residents, so their sum is held against them; attributes may overlap, so each is.
    Residents of no class are of the first, the reference class; where that one is counted too, it is told.
    """
    counted = [c for c in residents.columns if c.startswith(GROUP_PREFIX)]
    absent = [c for name in classes[1:] if (c := f"{GROUP_PREFIX}{name}") not in counted]
    message = "a class of [walking] needs a column that counts it; name theirs under columns, or take the class out"
    found = breach("residents", "missing-class", message, absent)
    of_class = [c for c in counted if c.removeprefix(GROUP_PREFIX) in classes]
    told = residents["target_id"].where(residents["target_id"] != "", "total")
    if "household" in residents:
        told = residents["household"].fillna("").where(lambda household: household != "", told)
    allowed = residents["residents"].clip(lower=0.0) + 1e-6  # a count below 0 is told elsewhere
    for column in counted:
        heading = headed(residents, column)
        message, rows = Said("{} is more than residents", heading), residents[column] > allowed
        found += breach("residents", "group-exceeds", message, told[rows], column=heading)
    message = Said("the classes {} add up to more than residents; they must not overlap", ", ".join(of_class))
    together = residents[of_class].sum(axis=1)
    found += breach("residents", "classes-exceed", message, told[together > allowed])
    if classes[0] in [c.removeprefix(GROUP_PREFIX) for c in of_class]:
        message = Said("the classes add up to less than residents; the remainder counts as {}", classes[0])
        short = together < residents["residents"] - 1e-6
        found += breach("residents", "classes-fall-short", message, told[short], "repair")
    return found
