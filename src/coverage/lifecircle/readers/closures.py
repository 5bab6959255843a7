"""Streets that are closed for a time: ways by their ids, or what lies along a line, at a point, inside an outline."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from lifecircle.conform import row_names
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
    message = Said("{} in force {}; {} not, and left out", int(counted.sum()), sentence(day), int(over.sum()))
    return (
        tuple(table["way_id"][named & ~over & ~unknown].drop_duplicates()),
        Closures(tuple(told[by_place]), np.array(table.geometry[by_place], dtype=object)),
        [
            *breaches,
            *breach(
                "closures",
                "bad-date",
                not_a_day(Said("since or until"), [*table["since"], *table["until"]]),
                told[unread],
            ),
            *breach("closures", "until-before-since", "until is before since; mend one of the two", told[backward]),
            *breach("closures", "unknown-id", "way_id names neither a street nor a gate on one", told[unknown]),
            *breach(
                "closures",
                "no-geometry",
                "names no way and has no coordinates; give it one of the two",
                told[nowhere],
            ),
            *breach("closures", "in-force", message, [*told[counted], *(told[over] + ": not in force")], "note"),
            *breach(
                "closures",
                "undated-study",
                "in force for a time only, and counted as if always; say for which day the study is: [study] date",
                told[dated & (date == "")],
                "warning",
            ),
        ],
    )
