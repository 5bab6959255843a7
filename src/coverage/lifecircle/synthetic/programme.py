"""What a programme of service stations says of itself, as the figures that a made-up city is built to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecircle.model import Circle

CELL_KINDS = ("river", "hills", "fields", "village", "works", "public", "old", "slabs", "towers")
"""What the cells of a city are: water, wooded slopes, fields, a village, industry, schools with parks and hospitals,
the old town of narrow lanes, gated compounds of slab blocks, gated compounds of towers."""

VILLAGE_M = (75.0, 160.0)
"""From the middle of a village to its rim, the least and the most, metres: 40 to 150 farmhouses."""


@dataclass(frozen=True)
class Land:
    """The shape of the land and of the town on it. Cells are counted at size 1."""

    columns: int
    """Cells along the valley."""
    rows: int
    """Cells across it."""
    cell_m: tuple[float, float]
    """Mean size of a cell along the valley and across it, metres."""
    floor_m: float
    """Width of the level floor of the valley, metres; beyond it the ground rises."""
    relief_m: float
    """Height of the hills above the floor, metres."""
    bridges_every: int
    """Columns from one bridge to the next; 0: there is no river."""
    crossings_every: int
    """Columns from one way below the railway to the next; 0: there is no railway."""
    kinds: Mapping[str, tuple[float, float]]
    """Share of each kind of cell, of `CELL_KINDS`, in the middle of the town and at its rim; relative weights."""
    slope: float = 0.10
    """Mean slope of the ground between the floor and the hilltops."""
    village_m: tuple[float, float] = VILLAGE_M
    town: float = 1.0
    """How far from the middle the town reaches, as a share of the way to the rim."""


@dataclass(frozen=True)
class Offer:
    """What the rooms of one kind in a tier offer, and when."""

    items: tuple[str, ...]
    """Some of the tier's."""
    hours: tuple[str, ...]
    """As in OpenStreetMap's ``opening_hours``, each as likely as the next."""


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A level of stations: either one in each area of the level ``per``, or ``n`` of them spread by residents."""

    name: str
    n: int = 0
    """At size 1."""
    per: str = ""
    kinds: Mapping[str, float]
    """Kinds of rooms and their relative weights, of `lifecircle.synthetic.rooms.ROOMS`."""
    items: tuple[str, ...]
    hours: str
    """As in OpenStreetMap's ``opening_hours``."""
    capacity: tuple[int, int]
    """Least and most residents that one can serve."""
    agents: tuple[int, int]
    """Least and most at one; where the programme counts them all, how many it has to another."""
    offers: Mapping[str, Offer] = field(default_factory=dict)
    """By kind of room, where it is not all the tier's items at the tier's hours."""

    def __post_init__(self) -> None:
        """Refuse two sources of one number."""
        if bool(self.n) == bool(self.per):
            raise ValueError(f"tier {self.name}: stations are either one per area of a level or a number of their own")


@dataclass(frozen=True)
class Programme:
    """A programme in figures; what `size` scales is counted at size 1."""

    name: str
    title_zh: str
    title_en: str
    lonlat: tuple[float, float]
    """Where the made-up city lies, degrees: at the real one, on whose streets nothing in it is modelled."""
    land: Land
    levels: tuple[str, ...]
    """Levels of the areas, the largest first."""
    residents: int
    aged_share: float
    """Share of residents of 60 and more."""
    tiers: tuple[Tier, ...]
    """The lowest first."""
    candidates: int
    """Rooms that could become a station."""
    requests: int
    """Requests in a year."""
    item_weights: Mapping[str, float]
    """How often each item is asked for, relative; every item of a tier is one of these."""
    circles: tuple[Circle, ...]
    promised: str
    """Name of the circle that the programme promises."""
    pressing: Mapping[str, float] = field(default_factory=dict)
    """Share of the requests for an item that are urgent, of items that cannot wait."""
    busiest: int = 0
    """Requests of the area of the smallest level that asks most, in a city of size 1 and more; 0: as it falls."""
    agents: int = 0
    """At all stations, 0 for as many as the tiers' come to."""
    itinerant: str = ""
    """Tier whose teams tour the areas below them on all working days but Wednesday, empty for none."""
    source: str = ""
    """Where the figures come from, for the README of the study."""
