"""Gates as surveyors note them: the way or node of the street layer, or the place where somebody stood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lifecircle.conform import row_names
from lifecircle.errors import Breach
from lifecircle.hours import normal_hours
from lifecircle.model import Gate, StreetWays, WayRule
from lifecircle.readers.hours_in_words import check_hours
from lifecircle.said import Said
from lifecircle.schema import breach
from lifecircle.walkability import NODE_RULES, answers, walkability

GATE_REACH_M = 10.0
"""So near to a gate stands who notes it by its place: as far as a position from the sky is out beside buildings."""

NOT_NEAR = Said(
    "neither a gate of the street layer nor a private way within {:.0f} m; state the id of the one that is meant "
    "(the nearest is named), or mend the place",
    GATE_REACH_M,
)
NOT_ANY = (
    "the street layer has neither gates nor private ways; state the id of the way that the gate is on, or take the row "
    "out"
)


def gates_of(
    table: gpd.GeoDataFrame, streets: StreetWays, rules: Sequence[WayRule]
) -> tuple[tuple[Gate, ...], tuple[str, ...], list[Breach]]:
    """Return the gates that let everyone through, the ids of those that nobody passes, and what is wrong.

    Parameters
    ----------
    table
        The layer of gates, in the CRS of the streets; rows without a geometry name their ``way_id``.
    rules
        The study's own, which may make ways private.
    """
    told = row_names("gates", table)
    hours, about_hours = check_hours("gates", table["hours"], told)
    shut_at_hours = ~table["open"] & (table["hours"] != "")
    row, ids, breaches = ids_of_gates("gates", table["way_id"], table.geometry.to_numpy(), told, streets, rules)
    same = hours.map({form: form and normal_hours(form) for form in hours.unique()})
    said = pd.DataFrame({"hours": hours, "same": same, "open": table["open"]})
    state = said.iloc[row].assign(id=ids).drop_duplicates(["id", "same", "open"])
    twice = state["id"][state["id"].duplicated()].drop_duplicates()
    once = state.drop_duplicates("id")
    return (
        tuple(Gate(*gate) for gate in once.loc[once["open"], ["id", "hours"]].itertuples(index=False, name=None)),
        tuple(once["id"][~once["open"]]),
        [
            *breaches,
            *about_hours,
            *breach("gates", "shut-with-hours", "shut, but with hours; take the hours out", told[shut_at_hours]),
            *_told_in_force(once["id"][once["open"]], once["id"][~once["open"]]),
            *breach("gates", "contradiction", "rows of one gate say different things; keep one of them", twice),
        ],
    )


def _told_in_force(opened: pd.Series, shut: pd.Series) -> list[Breach]:
    message = Said("{} let everyone through, at their hours where they have any; {} nobody", len(opened), len(shut))
    return breach("gates", "in-force", message, [*opened, *(shut + ": shut")], "note")


def ids_of_gates(
    layer: str,
    stated: pd.Series,
    places: npt.NDArray[np.object_],
    told: pd.Series,
    streets: StreetWays,
    rules: Iterable[WayRule],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_], list[Breach]]:
    """Return rows and the ids of the ways or nodes that each row means: the one it states, else those at its place.

    At a place that is the nearest gate, else the nearest private way; several where they are equally near.
    """
    known = {*streets.way_id, *streets.node_tags["id"]}
    named = (stated != "").to_numpy()
    unknown = named & ~stated.isin(known).to_numpy()
    nowhere = ~named & shapely.is_missing(places)
    asked = np.flatnonzero(~named & ~nowhere)
    place, near = _near(places[asked], streets, rules)
    far = np.setdiff1d(asked, asked[place])
    nearest = _nearest(places[far], streets, rules)
    lost = [row + named for row, named in zip(told.iloc[far], nearest, strict=True)]
    rows = np.concatenate([np.flatnonzero(named), asked[place]])
    ids = np.concatenate([stated.to_numpy(dtype=object)[named], near])
    order = np.argsort(rows, kind="stable")
    return (
        rows[order],
        ids[order],
        [
            *breach(layer, "unknown-id", "names neither a street nor a gate on one", told[unknown]),
            *breach(layer, "no-geometry", "names no way and has no coordinates; give it one of the two", told[nowhere]),
            *breach(layer, "no-gate", NOT_NEAR if any(nearest) else NOT_ANY, lost),
        ],
    )


def _near(
    points: npt.NDArray[np.object_], streets: StreetWays, rules: Iterable[WayRule]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    """Return points and the ids of the gates, or else of the private ways, that are nearest to each."""
    found, ids = [], []
    left = np.arange(len(points))
    for shapes, names in _ways_in(streets, rules):
        point, shape = shapely.STRtree(shapes).query_nearest(points[left], max_distance=GATE_REACH_M)
        found.append(left[point])
        ids.append(names[shape])
        left = np.setdiff1d(left, left[point])
    return np.concatenate(found), np.concatenate(ids)


def _nearest(points: npt.NDArray[np.object_], streets: StreetWays, rules: Iterable[WayRule]) -> list[str]:
    """Return for each point which gate or private way is nearest and how far it is, empty where there is none."""
    shapes, names = (np.concatenate(part) for part in zip(*_ways_in(streets, rules), strict=True))
    if not len(points) or not len(shapes):
        return [""] * len(points)
    (_, nearest), apart_m = shapely.STRtree(shapes).query_nearest(points, all_matches=False, return_distance=True)
    return [f" -> {name}, {far_m:.0f} m away" for name, far_m in zip(names[nearest], apart_m, strict=True)]


def _ways_in(
    streets: StreetWays, rules: Iterable[WayRule]
) -> tuple[tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]], ...]:
    """Return the gates of the street layer, and the private ways: the shapes and the ids of each."""
    tags = streets.node_tags
    gate = tags[answers(NODE_RULES, tags, (), {"passes": "", "wheels": ""})["passes"] != ""]
    private = walkability(streets.tags, ids=streets.way_id, rules=rules).private
    of = np.repeat(np.arange(len(private)), np.diff(streets.indptr))
    here = private[of]
    number = np.cumsum(private) - 1
    lines = shapely.linestrings(streets.xy_m[streets.node[here]], indices=number[of[here]])
    return (
        (shapely.points(streets.xy_m[gate["node"].to_numpy()]), gate["id"].to_numpy(dtype=object)),
        (lines, np.array(streets.way_id, dtype=object)[private]),
    )
