"""What the page of requests holds, as one value for JSON: places and walks, no id and no other text of their table.

Requests stand in the order of their places along a Hilbert curve, so that the page does not tell their order in the
file either. A *class* says how far a request walks: its circle by size from 0, then beyond, taken by no station,
without a place.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from lifecircle.areas import AreaTree
from lifecircle.dispatch.sent import TOLD, Sent
from lifecircle.ground import Ground
from lifecircle.hilbert import hilbert_order
from lifecircle.maps.basis import basis_of_study, in_both, lonlat, packed_streets, station_records
from lifecircle.maps.encode import pack, signed_varints, varints, world_px
from lifecircle.maps.requests_words import REQUESTS_WORDS
from lifecircle.model import TOLERANCE_S, LongArray, Note, Study, tenths_of_minutes
from lifecircle.service_areas import streets_drawn

MOST_ITEMS = 1000
"""As many kinds of items are named; what is asked for more seldom counts together."""

FOR_THE_OFFICE = Note(
    en="The places of requests are people's homes: this page is for the office, not for publication.",
    zh="诉求的位置就是居民的住处：本页仅供内部使用，不得公开。",
)


def requests_payload(study: Study, ground: Ground, sent: Sent, *, synthetic: bool) -> dict[str, Any]:
    """Return all that the page of requests shows; parameters are those of ``lifecircle.maps.requests_page``."""
    limits = sorted({circle.minutes for circle in study.settings.circles})
    items, item = _items(sent)
    told = basis_of_study(study, study.buildings, synthetic=synthetic, notes=[FOR_THE_OFFICE, *study.settings.notes])
    parent = AreaTree.of(study.areas).parent
    outside = sent.places["area_id"] == ""
    taken = np.bincount(sent.reason, sent.station >= 0, len(sent.reasons)) > 0
    placed = np.bincount(sent.reason, sent.placed, len(sent.reasons)) > 0
    return {
        **told,
        "words": REQUESTS_WORDS,
        "start": {"level": len(told["levels"]) - 1},
        "circles": [{"name": f"{minutes:g}", "minutes": minutes} for minutes in limits],
        "lots": [],
        "groups": [],
        "areas": [{**area, "parent": int(above)} for area, above in zip(told["areas"], parent, strict=True)],
        "stations": station_records(sent.places.assign(state="fixed", outside=outside)),
        "items": items,
        "first_month": _first_month(sent),
        "reasons": [
            {"said": said, "outcome": "taken" if is_taken else "nobody" if is_placed else "unusable"}
            for said, is_taken, is_placed in zip(_reasons(sent), taken.tolist(), placed.tolist(), strict=True)
        ],
        "packed": {
            **packed_streets(streets_drawn(study, ground)),
            "requests": pack(_columns(sent, item, limits, study.crs)),
        },
    }


def _items(sent: Sent) -> tuple[list[str | None], LongArray]:
    """Return the kinds of items, the most frequent first, and the kind of each request.

    An empty text is that of requests that name none; None, the last, stands for all kinds beyond `MOST_ITEMS`.
    """
    counts = np.bincount(sent.item, minlength=len(sent.items))
    order = sorted(range(len(sent.items)), key=lambda i: (-counts[i], sent.items[i]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    named: list[str | None] = [sent.items[i] for i in order[:MOST_ITEMS]]
    return [*named, None] if len(order) > MOST_ITEMS else named, rank.clip(max=MOST_ITEMS)[sent.item]


def _reasons(sent: Sent) -> list[dict[str, str]]:
    said = in_both(TOLD[reason] for reason in sent.reasons)
    return [dict(zip(said, each, strict=True)) for each in zip(*said.values(), strict=True)]


def _first_month(sent: Sent) -> int:
    """Return the first month in which a request came, counted from January 1970."""
    return int(sent.month[sent.month >= 0].min(initial=np.iinfo(np.int32).max)) if (sent.month >= 0).any() else 0


def _columns(sent: Sent, item: LongArray, limits: list[float], crs: CRS) -> bytes:
    """Return the columns of places and requests as varints.

    The numbers of places and of requests; of the places the steps from one to the next, x and y, and the row of the
    area from 1; of the requests the place from 1, 0 for none, as the step from the one before; the kind of the item,
    the month from 1 for the first, 0 for none, the reason and the class; then as steps from the one before the row of
    the station from 1, tenths of minutes and metres.
    """
    xy, place, area = _places(sent, crs)
    far = _class(sent, limits)
    month = np.where(sent.month >= 0, sent.month - _first_month(sent) + 1, 0)
    tenths, metres = (  # who helps where no station does walks to the home, or nobody knows from where
        np.rint(np.where(sent.station >= 0, each, 0.0)).astype(np.int64)
        for each in (tenths_of_minutes(sent.walk_s), sent.walk_m)
    )
    columns = np.array([place, sent.station + 1, item, month, sent.reason, far, tenths, metres])
    place, station, item, month, reason, far, tenths, metres = columns[:, np.lexsort(columns[::-1])]
    return b"".join(
        [
            varints([len(xy), len(place)]),
            *(signed_varints(_steps(side)) for side in (xy[:, 0], xy[:, 1])),
            varints(area),
            varints(_steps(place)),
            *(varints(each) for each in (item, month, reason, far)),
            *(signed_varints(_steps(each)) for each in (station, tenths, metres)),
        ]
    )


def _places(sent: Sent, crs: CRS) -> tuple[LongArray, LongArray, LongArray]:
    """Return places in units of the page, the place of each request from 1, 0 for none, and the area of each place."""
    rows = np.flatnonzero(sent.placed)
    px = world_px(shapely.get_coordinates(lonlat(gpd.GeoSeries(sent.points[rows], crs=crs))))
    distinct, first, of_place = np.unique(px, axis=0, return_index=True, return_inverse=True)
    order = hilbert_order(distinct.astype(np.float64))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    place = np.zeros(len(sent.reason), dtype=np.int64)
    place[rows] = rank[of_place.reshape(-1)] + 1
    return distinct[order], place, sent.area[rows[first[order]]].astype(np.int64) + 1


def _class(sent: Sent, limits: list[float]) -> LongArray:
    circle = np.searchsorted(np.array(limits) * 60.0, sent.walk_s - TOLERANCE_S)
    nobody, nowhere = len(limits) + 1, len(limits) + 2
    found: LongArray = np.where(sent.station >= 0, circle, np.where(sent.placed, nobody, nowhere)).astype(np.int64)
    return found


def _steps(column: LongArray) -> LongArray:
    return np.diff(column, prepend=0)
