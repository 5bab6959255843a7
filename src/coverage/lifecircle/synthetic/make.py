"""A made-up city from its programme, stage after stage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pandas as pd

from lifecircle.readers.metric import local_crs
from lifecircle.synthetic.addresses import addresses
from lifecircle.synthetic.blocks import build_blocks
from lifecircle.synthetic.cells import plan_cells
from lifecircle.synthetic.city import City, random_of
from lifecircle.synthetic.communities import part_land
from lifecircle.synthetic.people import settle
from lifecircle.synthetic.programme import Programme
from lifecircle.synthetic.relief import raise_heights
from lifecircle.synthetic.requests import a_year_of_requests
from lifecircle.synthetic.services import open_services
from lifecircle.synthetic.streets import land_barriers, lay_streets

Step = Callable[[str], AbstractContextManager[None]]


def make_city(programme: Programme, *, size: float = 1.0, seed: int = 7, step: Step = lambda _: nullcontext()) -> City:
    """Make a city up: the same programme, size and seed give the same city.

    Parameters
    ----------
    size
        How many times the programme's own numbers of cells, residents, stations, rooms and requests.
    step
        Told what is under way.
    """
    lon, lat = programme.lonlat
    crs = local_crs((lon, lat, lon, lat))
    with step("Laying out the land"):
        cells = plan_cells(programme, size, random_of(seed, "cells"))
        heights = raise_heights(programme, cells, random_of(seed, "heights"))
    with step("Building blocks and streets"):
        blocks = build_blocks(cells, heights, crs, random_of(seed, "blocks"), village_m=programme.land.village_m)
        streets = lay_streets(cells, blocks, heights)
        barriers = pd.concat([blocks.barriers, land_barriers(cells, crs)], ignore_index=True)
    with step("Settling the residents"):
        residents = settle(blocks.buildings, cells, programme, size, random_of(seed, "people"))
        areas, area_of_cell = part_land(cells, blocks.buildings, residents, programme, size, crs)
        buildings = blocks.buildings.assign(area_id=area_of_cell[blocks.buildings["cell"].to_numpy()])
        buildings = buildings.assign(address=addresses(buildings, areas, cells))
    with step("Opening stations"):
        stations, candidates, itinerary = open_services(
            buildings, blocks.entrances, residents, areas, programme, size, random_of(seed, "services")
        )
        requests = a_year_of_requests(
            buildings, blocks.entrances, residents, programme, size, random_of(seed, "requests")
        )
    return City(
        programme,
        size,
        seed,
        crs,
        heights,
        streets,
        frames={
            "areas": areas,
            "buildings": buildings.drop(columns=["cell", "compound"]),
            "entrances": blocks.entrances,
            "barriers": barriers,
            "residents": residents,
            "stations": stations,
            "candidates": candidates,
            "requests": requests,
            "itinerary": itinerary,
        },
    )
