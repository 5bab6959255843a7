"""Streets that are closed for a time: ways by their ids, or what lies along a line, at a point, inside an outline."""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.conform import headed, row_names
from lifecircle.errors import Breach
from lifecircle.model import Closures, StreetWays
from lifecircle.readers.days import days_of, not_a_day
from lifecircle.readers.metric import mend
from lifecircle.said import Said, sentence
from lifecircle.schema import breach


def closures_of(
    table: gpd.GeoDataFrame, streets: StreetWays, *, date: str
) -> tuple[tuple[str, ...], Closures, list[Breach]]:
    """Return the ids of closed ways and nodes, the closures by place, and what is wrong.

    Parameters
    ----------
    table
        The layer of closures, in the CRS of the streets. A row with a ``way_id`` closes all of that way, whatever its
        geometry; ``since`` and ``until`` are the first and the last day.
    date
        The day that the study is for, such as ``2026-05-03``: closures that are not in force then are left out. Empty
        for none: then all of them count.
    """
    told = row_names("closures", table)
    table, breaches = mend("closures", "", table)
    since, until = (days_of(table[name]) for name in ("since", "until"))
    unread = ((since == "") & (table["since"] != "")) | ((until == "") & (table["until"] != ""))
    backward = (since != "") & (until != "") & (until < since)
    dated = (since != "") | (until != "")
    over = dated & ~backward & (date != "") & ((since > date) | ((until != "") & (until < date)))
    named = table["way_id"] != ""
    unknown = named & ~over & ~table["way_id"].isin({*streets.way_id, *streets.node_tags["id"]})
    nowhere = ~named & ~over & table.geometry.isna()
    by_place = ~named & ~nowhere & ~over
    counted = ((named & ~over & ~unknown) | by_place) & ~backward
    day = Said("on {}", date) if date else "on all days, for the study is of none"
    ids = [*told[counted], *(Said("{}: not in force", name) for name in told[over])]
    way, *headings = (headed(table, name) for name in ("way_id", "since", "until"))
    ends_first = Said("{1} is before {0}; mend one of the two", *headings)
    no_street = Said("{} names neither a street nor a gate on one", way)
    message = Said("{} in force {}; {} not, and left out", int(counted.sum()), sentence(day), int(over.sum()))
    return (
        tuple(table["way_id"][named & ~over & ~unknown].drop_duplicates()),
        Closures(tuple(told[by_place]), np.array(table.geometry[by_place], dtype=object)),
        [
            *breaches,
            *breach(
                "closures",
                "bad-date",
                not_a_day(Said("{} or {}", *headings), [*table["since"], *table["until"]]),
                told[unread],
            ),
            *breach("closures", "until-before-since", ends_first, told[backward]),
            *breach("closures", "unknown-id", no_street, told[unknown], column=way, values=table["way_id"][unknown]),
            *breach(
                "closures",
                "no-geometry",
                "names no way and has no coordinates; give it one of the two",
                told[nowhere],
            ),
            *breach("closures", "in-force", message, ids, "note"),
            *breach(
                "closures",
                "undated-study",
                "in force for a time only, and counted as if always; say for which day the study is: [study] date",
                told[dated & (date == "")],
                "warning",
            ),
        ],
    )


def whole_ways(closed: Collection[str], streets: StreetWays) -> list[Breach]:
    """Tell how long the ways are that are closed by their ids, each from end to end; streets in metres."""
    rows = np.flatnonzero(pd.Index(streets.way_id).isin(closed))
    if not len(rows):
        return []
    xy = streets.xy_m[streets.node]
    along_m = np.append(0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T)))
    length_m = along_m[streets.indptr[rows + 1] - 1] - along_m[streets.indptr[rows]]
    message = Said(
        "closed by their ids, each of these ways as a whole, {:.0f} m in all; to close part of one give its place "
        "in place of its id",
        length_m.sum(),
    )
    ids = [Said("{}: {:.0f} m", streets.way_id[row], m) for row, m in zip(rows, length_m, strict=True)]
    return breach("closures", "closed-ways", message, ids, "note")
