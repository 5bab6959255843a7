"""The page of the study as the server gives it out: the map, whose clicks it answers."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from lifecircle.api.desk import Desk
from lifecircle.circles import cover_with
from lifecircle.demand import place_residents
from lifecircle.maps import coverage_page


def page_of(desk: Desk) -> str:
    """Return the page of who reaches a station today."""
    study = desk.study
    stations = study.stations.assign(state="fixed")
    today = cover_with(study, desk.ground, place_residents(study), stations, np.arange(len(stations)))
    return coverage_page(today, asking=files("lifecircle.api").joinpath("click.js").read_text(encoding="utf-8"))
