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
from lifecircle.hours import problem_of_hours
from lifecircle.model import Gate, StreetWays, WayRule
from lifecircle.schema import breach
from lifecircle.walkability import NODE_RULES, answers, walkability

GATE_REACH_M = 10.0
"""So near to a gate stands who notes it by its place: as far as a position from the sky is out beside buildings."""

NOT_NEAR = (
    f"neither a gate of the street layer nor a private way within {GATE_REACH_M:.0f} m; state its id, or mend the place"
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
    problems = {hours: problem_of_hours(hours) if hours else "" for hours in table["hours"].unique()}
    unread = table["hours"].map(problems).astype("str")
    shut_at_hours = ~table["open"] & (table["hours"] != "")
    row, ids, breaches = ids_of_gates("gates", table["way_id"], table.geometry.to_numpy(), told, streets, rules)
    state = pd.DataFrame(
        {"id": ids, "hours": table["hours"].to_numpy()[row], "open": table["open"].to_numpy()[row]}
    ).drop_duplicates()
    twice = state["id"][state["id"].duplicated()].drop_duplicates()
    once = state.drop_duplicates("id")
    return (
        tuple(Gate(*gate) for gate in once.loc[once["open"], ["id", "hours"]].itertuples(index=False, name=None)),
        tuple(once["id"][~once["open"]]),
        [
            *breaches,
            *breach("gates", "bad-hours", unread[unread != ""].head(1).str.cat(), told[unread != ""]),
            *breach("gates", "shut-with-hours", "shut, but with hours; take the hours out", told[shut_at_hours]),
            *breach("gates", "contradiction", "rows of one gate say different things; keep one of them", twice),
        ],
    )


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
    rows = np.concatenate([np.flatnonzero(named), asked[place]])
    ids = np.concatenate([stated.to_numpy(dtype=object)[named], near])
    order = np.argsort(rows, kind="stable")
    return (
        rows[order],
        ids[order],
        [
            *breach(layer, "unknown-id", "names neither a street nor a gate on one", told[unknown]),
            *breach(layer, "no-geometry", "names no way and has no coordinates; give it one of the two", told[nowhere]),
            *breach(layer, "no-gate", NOT_NEAR, told.iloc[far]),
        ],
    )


def _near(
    points: npt.NDArray[np.object_], streets: StreetWays, rules: Iterable[WayRule]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    """Return points and the ids of the gates, or else of the private ways, that are nearest to each."""
    tags = streets.node_tags
    gate = tags[answers(NODE_RULES, tags, (), {"passes": "", "wheels": ""})["passes"] != ""]
    private = walkability(streets.tags, ids=streets.way_id, rules=rules).private
    of = np.repeat(np.arange(len(private)), np.diff(streets.indptr))
    here = private[of]
    number = np.cumsum(private) - 1
    lines = shapely.linestrings(streets.xy_m[streets.node[here]], indices=number[of[here]])
    found, ids = [], []
    left = np.arange(len(points))
    for shapes, names in (
        (shapely.points(streets.xy_m[gate["node"].to_numpy()]), gate["id"].to_numpy(dtype=object)),
        (lines, np.array(streets.way_id, dtype=object)[private]),
    ):
        point, shape = shapely.STRtree(shapes).query_nearest(points[left], max_distance=GATE_REACH_M)
        found.append(left[point])
        ids.append(names[shape])
        left = np.setdiff1d(left, left[point])
    return np.concatenate(found), np.concatenate(ids)
