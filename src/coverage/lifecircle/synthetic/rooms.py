"""The rooms that stations stand in, and which building has which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.kinds import RESIDENTIAL_KINDS
from lifecircle.model import BoolArray, IntArray, LongArray

PLACES = ("house", "flat", "estate", "dormitory", "office", "shop", "civic")
"""What a building has to offer: a low house on a lane or in a village, homes above each other on a street or in a
compound, workers' quarters, offices, a shop, public rooms."""

HOUSES = frozenset(("house", "terrace"))
OFFICES = frozenset(("office",))
SHOPS = frozenset(("retail", "commercial"))
CIVIC = frozenset(("civic",))
"""By their ``kind``: houses, offices, shops and public rooms; the other residential buildings hold flats."""


@dataclass(frozen=True)
class Room:
    """A kind of room: its words, the places that have it, and what a station in it costs to set up, yuan."""

    zh: str
    en: str
    places: tuple[str, ...]
    cost: int
    shared: bool = False
    """Whether it is somebody else's room, in which the station is a guest."""


ROOMS: Mapping[str, Room] = {
    "home": Room("居民家中", "a member's home", ("house", "flat", "estate"), 1_000, shared=True),
    "property office": Room("物业用房", "property office", ("estate",), 2_000, shared=True),
    "owners committee": Room("业委会", "owners' committee", ("estate",), 2_000, shared=True),
    "shop": Room("便利店", "shop", ("shop", "house"), 3_000, shared=True),
    "pharmacy": Room("药店", "pharmacy", ("shop",), 3_000, shared=True),
    "care home": Room("养老驿站", "care home", ("flat", "estate", "civic"), 5_000, shared=True),
    "grid room": Room("网格站", "grid room", ("flat", "estate", "civic", "shop"), 4_000),
    "health station": Room("卫生服务站", "health station", ("civic", "shop", "flat", "estate"), 80_000),
    "village room": Room("便民服务点", "village room", ("civic", "house"), 10_000),
    "community centre": Room(
        "便民服务站", "community centre", ("civic", "shop", "office", "flat", "estate", "dormitory"), 60_000
    ),
    "service centre": Room("便民服务中心", "service centre", ("civic", "shop", "office"), 80_000),
    "subdistrict centre": Room("便民服务中心", "subdistrict centre", ("civic", "shop", "office"), 300_000),
    "township centre": Room("便民服务中心", "township centre", ("civic", "shop", "office"), 300_000),
    "county centre": Room("政务服务中心", "county centre", ("civic", "shop", "office"), 1_000_000),
}
"""Kinds of rooms by name. The grant of 1,000 yuan to set up a station is Fushun's; all other costs are made up."""


def places_of(buildings: pd.DataFrame, residents: LongArray) -> IntArray:
    """Return (n,) row of `PLACES` of each building (kind, compound), -1 for one that no station can stand in."""
    kind = buildings["kind"]
    lived_in = kind.isin(RESIDENTIAL_KINDS) & (residents > 0)
    cases = [
        lived_in & kind.isin(HOUSES),
        lived_in & (kind != "dormitory") & (buildings["compound"] < 0),
        lived_in & (kind != "dormitory"),
        lived_in,
        kind.isin(OFFICES),
        kind.isin(SHOPS),
        kind.isin(CIVIC),
    ]
    return np.select([case.to_numpy() for case in cases], range(len(PLACES)), -1).astype(np.int32)


def fits(kinds: Iterable[str]) -> BoolArray:
    """Return (n_kinds, n_places + 1) whether rooms of each kind are found in each place; none in the last, no place."""
    return np.array([[place in ROOMS[kind].places for place in PLACES] + [False] for kind in kinds])


def draw_kinds(weights: Mapping[str, float], place: IntArray, random: np.random.Generator) -> IntArray:
    """Draw a kind of room for each place, of those that fit it; of all where none does. Rows of ``weights``."""
    weight = np.array(list(weights.values()))[:, None]
    fitting = fits(weights)
    chance = np.where(fitting | ~fitting.any(axis=0), weight, 0.0)
    upto = np.cumsum(chance / chance.sum(axis=0), axis=0)
    return (random.random(len(place)) > upto[:-1, place]).sum(axis=0).astype(np.int32)
