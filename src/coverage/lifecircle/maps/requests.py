"""The page of requests: where they come from, how far the walk is, and which station takes them."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from lifecircle.dispatch.sent import Sent
from lifecircle.ground import Ground
from lifecircle.maps.frame import framed
from lifecircle.maps.requests_payload import requests_payload
from lifecircle.mark import MARK
from lifecircle.model import Study

SCRIPTS = (
    *("text", "shapes", "tiles", "cards", "parts", "areas", "search", "requests_data", "requests_points"),
    *("requests_cards", "requests_panel", "touch", "requests"),
)


def requests_page(study: Study, requests: gpd.GeoDataFrame, assigned: pd.DataFrame, *, ground: Ground) -> str:
    """Return a page that shows requests on the map, as the text of one HTML file that needs nothing else.

    Parameters
    ----------
    study, requests, ground
        What `lifecircle.dispatch.assign` was given.
    assigned
        What it returned, in turn or ``optimal``.

    Returns
    -------
    str
        HTML, as `framed` makes it. It holds the places of homes, and so is for the office alone; of the requests' other
        columns there is the item, the month and the reason.
    """
    synthetic = ground.synthetic or MARK in assigned
    data = requests_payload(study, ground, Sent.of(study, requests, assigned), synthetic=synthetic)
    return framed("requests.html", study.areas, data, scripts=SCRIPTS, styles=["page.css", "requests.css"])
