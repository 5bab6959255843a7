"""The frozen types that the layers hand to each other. Arrays are read-only; metres and seconds throughout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lifecircle.asked import Scenario
from lifecircle.errors import Breach

if TYPE_CHECKING:  # searches need none of these, and they are slow to load
    import geopandas as gpd
    import pandas as pd
    from pyproj import CRS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SPEED_MPS = 1.2
"""Default walking speed, metres per second: 4.0 ft/s, the common design value for adults (Federal Highway
Administration, 2003, Manual on Uniform Traffic Control Devices)."""

AGED_SPEED_MPS = 0.92
"""Walking speed that 85 of 100 pedestrians over 60 reach, metres per second: 3.03 ft/s (K. Fitzpatrick, M. A. Brewer
and S. Turner, 2006, Another look at pedestrian walking speed, Transportation Research Record 1982, 21-29)."""

FASTEST_MPS = 3.0
"""Nobody walks a quarter of an hour faster than this, metres per second: a speed above it is a slip, such as km/h."""

MAX_ACCESS_M = 250.0
"""Default longest straight leg from a place to the nearest permitted segment, metres, inclusive."""

TOLERANCE_S = 1e-6
"""Seconds within which two times are the same: a cutoff holds up to here."""


def tenths_of_minutes(seconds: npt.ArrayLike) -> FloatArray:
    """Return tenths of a minute, rounded up: a walk shown as 8.0 minutes is within the circle of 8 minutes."""
    tenths: FloatArray = np.ceil((np.asarray(seconds, dtype=np.float64) - TOLERANCE_S) / 6.0).clip(min=0.0)
    return tenths


def folder_name(name: str) -> str:
    """Return ``name`` as a folder name: letters, digits and dashes of any script, never a path."""
    return re.sub(r"[^\w-]+", "-", name).strip("-_")[:80] or "unnamed"


class ReadOnlyArrays:
    """Mixin of a frozen dataclass that forbids writing to every array it holds."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


# --------------------------------------------------------------------------- what a study file says


@dataclass(frozen=True)
class Circle:
    """A life circle: who reaches a station of these tiers that offers these items within so many minutes.

    Empty ``tiers`` and ``items`` mean any; a station offers a circle's items when it offers all of them.
    """

    name: str
    minutes: float
    tiers: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    at: str = ""
    """Time of the week, such as ``Sun 10:00``; empty: that of the study's ``walking.at``."""

    @property
    def cutoff_s(self) -> float:
        """The service standard, seconds, inclusive."""
        return self.minutes * 60.0


@dataclass(frozen=True)
class SpeedClass:
    """A class of residents who walk at one speed; the classes partition the residents."""

    name: str
    speed_mps: float
    steps: bool = True
    """Whether it takes steps, escalators and ways marked as no good for a wheelchair."""


KNOWN_CLASSES = {c.name: c for c in (SpeedClass("adult", SPEED_MPS), SpeedClass("aged", AGED_SPEED_MPS))}
"""Classes whose speed a study need not state."""

DIRECTIONS = ("there", "round_trip", "worse_way")
"""Which walk counts: from home to station, the mean of both ways, or the longer of both."""


@dataclass(frozen=True)
class Gate:
    """A way or a node of the street layer that lets everyone through at some hours; without ``hours`` at all hours."""

    id: str
    hours: str = ""
    """As in OpenStreetMap's ``opening_hours``: ``Mo-Su 06:00-22:00``."""


@dataclass(frozen=True)
class WayRule:
    """A study's own word on who walks some ways: those of these ids, and those whose tags meet ``where``."""

    walk: str
    """``yes``, ``no`` or ``private``: serves its frontage and lets nobody through."""
    ids: tuple[str, ...] = ()
    where: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    """One of these tables must hold; a table holds when every key has one of the values (none: any value)."""


@dataclass(frozen=True)
class Walking:
    """How people walk. The first class is the reference class, whose walks the plain columns show."""

    classes: tuple[SpeedClass, ...] = (KNOWN_CLASSES["adult"],)
    max_access_m: float = MAX_ACCESS_M
    closed: tuple[str, ...] = ()
    """Ids of ways that can be left from their frontage but not walked through, and of nodes that nobody passes."""
    gates: tuple[Gate, ...] = ()
    """Gates that let everyone through."""
    rules: tuple[WayRule, ...] = ()
    """What the study says of ways against their tags; the last rule that holds for a way counts."""
    at: str = "Wed 10:00"
    """The time of the week at which gates with hours are open or shut, for circles that state none."""
    direction: str = "there"
    """One of `DIRECTIONS`."""

    @property
    def reference(self) -> SpeedClass:
        """The class whose walks the plain columns show."""
        return self.classes[0]


STOP, APPOINTMENT, DOOR = "stop", "appointment", "door"
WAYS = (STOP, APPOINTMENT, DOOR)
"""How a station serves besides at its own place in its hours: where it tours, by appointment, at the home."""


@dataclass(frozen=True)
class Dispatch:
    """How requests are sent to stations.

    ``items`` and ``hours`` are by tier: its stations and candidates whose own column is empty have them, in circles and
    siting too. ``capacity``, the requests that a station of a tier takes of one file, holds in the place of the column.
    """

    tiers: tuple[str, ...] = ()
    """The lowest first: what no station of a tier can do goes up. Empty: all stations are of one."""
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hours: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, float] = field(default_factory=dict)
    urgency: tuple[str, ...] = ()
    """What the column ``urgency`` of requests may hold, the most urgent first; empty: the usual words."""
    calendar: str = ""
    """Whose public holidays count, empty: those of the country."""
    days_off: tuple[str, ...] = ()
    days_worked: tuple[str, ...] = ()
    zone: str = ""
    """Whose clock the times of requests without an offset are by; empty: the country's."""
    on_duty: Mapping[str, int] = field(default_factory=dict)
    """How many of its agents must be on duty for a station to take a request, by tier, under "" for any other; else 1.
    Stations of which no agent is listed need none."""
    joint: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Items that two handle together: what the one who leads must know, and what the one who assists."""
    pool: tuple[str, ...] = ()
    """Items that nobody is given: whoever may take such a request can claim it."""
    volunteers: tuple[str, ...] = ()
    """Items that go to volunteers before any station; others go to them where no station can."""
    time_limit: Mapping[str, float] = field(default_factory=dict)
    """Minutes that a request may wait for a station of a tier to open; else none does."""


@dataclass(frozen=True)
class Note:
    """A remark that every page and table of a study carries, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Settings:
    """A study file, read and checked, without the data it points to.

    Those of a `Study` have in ``walking`` the gates, closures and findings of its inputs too.
    """

    name: str
    language: str = "zh"
    synthetic: bool = False
    """What the file says; whether the study is synthetic is `Study.synthetic`."""
    date: str = ""
    """The day that the study is for, such as ``2026-05-03``: closures count that are in force then; empty: all do."""
    notes: tuple[Note, ...] = ()
    walking: Walking = Walking()
    eligible: str = "any"
    """Whose station may serve a resident: ``any``, or the level of the area tree that both must share."""
    circles: tuple[Circle, ...] = (Circle("8", 8.0), Circle("15", 15.0))
    scenarios: tuple[Scenario, ...] = ()
    dispatch: Dispatch = Dispatch()

    @property
    def largest_circle(self) -> Circle:
        """The circle of most minutes; of several the one that filters least, then the first."""
        return max(self.circles, key=lambda c: (c.minutes, -len(c.tiers) - len(c.items)))


# --------------------------------------------------------------------------- what its files hold


@dataclass(frozen=True, eq=False)
class StreetWays(ReadOnlyArrays):
    """The street layer as read, before anyone decides who may walk where.

    Way ``i`` has the id ``way_id[i]``, the tags ``tags.iloc[i]`` (text, empty where absent) and runs through the nodes
    ``node[indptr[i]:indptr[i + 1]]``, rows of ``xy_m``. Ways meet where they share a node, nowhere else: a bridge does
    not meet the street below.
    """

    way_id: tuple[str, ...]
    tags: pd.DataFrame
    indptr: LongArray
    node: IntArray
    xy_m: FloatArray
    node_tags: pd.DataFrame
    """Nodes with tags of their own, such as gates: columns ``node`` (row of ``xy_m``), ``id`` and the tags (text)."""


@dataclass(frozen=True, eq=False)
class Closures(ReadOnlyArrays):
    """Places at which streets are closed: each closes the stretches between two crossings that it concerns."""

    id: tuple[str, ...] = ()
    shapes: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    """(n,) points, lines and polygons (shapely), metres in the study's CRS."""
    sparing: tuple[str, ...] = ()
    """Ids of ways that somebody found open: these they do not close."""


@dataclass(frozen=True, eq=False)
class Study:
    """Everything a study's files hold, read once, checked once, in one metric CRS, never changed afterwards.

    All frames are in ``crs`` and have a plain RangeIndex; ids are text. Stations and candidates ascend by id, so that
    of equally near ones the first row is the smaller id. ``area_id`` is the smallest area that holds the
    place, empty outside every area.

    ========== =====================================================================================================
    frame      columns (besides geometry)
    ========== =====================================================================================================
    areas      area_id, level, name, parent_id (empty at the top)
    buildings  building_id, name, kind, levels (NaN where not stated), min_level, other_use, underground, area_id;
               polygons or points
    entrances  building_id; points
    residents  by, target_id, residents, residents_<class or attribute>...: by ``building``, ``address``, ``point`` or
               ``cell`` in a building, by ``finding`` in one that holds these and no others; by ``area`` and ``total``
               what all these leave; ``unplaced`` in an area, if known
    stations   station_id, name, kind, tier, items (``;`` between them), hours, capacity, cost, agents (NaN where not
               stated), consent (``yes``, ``no`` or empty), area_id, building_id; points
    candidates the same columns as stations, with site_id in place of station_id
    barriers   kind; lines or polygons that nobody walks through
    agents     agent_id, kind (agent, volunteer or team), station_id and area_id (each may be empty), skills (``;``
               between them; empty: all), hours (empty: whenever the station serves), capacity (NaN where not stated);
               points, None for those who stand at a station or have an area alone
    service    station_id, how (one of `WAYS`), name, hours (empty: always), items (empty: the station's); points, None
               but for stops
    ========== =====================================================================================================
    """

    path: Path
    settings: Settings
    crs: CRS
    streets: StreetWays
    areas: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    entrances: gpd.GeoDataFrame
    residents: pd.DataFrame
    stations: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    elevation: Path | None
    """A raster of heights (GeoTIFF), None where the study gives none."""
    extent_m: tuple[float, float, float, float]
    """Box that the street data fills (x and y of its south-west, then of its north-east corner), metres in ``crs``."""
    attribution: tuple[str, ...]
    fingerprint: str
    """SHA-256 over the study file and every input, in hexadecimal."""
    findings: tuple[Breach, ...]
    """Repairs and warnings; a study with errors is never made."""
    closures: Closures = Closures()
    """Closures by place; those by id are in ``settings.walking.closed``."""
    marked: tuple[str, ...] = ()
    """Inputs that say of themselves that they are made up."""
    agents: gpd.GeoDataFrame | None = None
    service: gpd.GeoDataFrame | None = None
    """Both are None where the study gives none."""

    @property
    def synthetic(self) -> bool:
        """Whether the study file or any of its inputs says that it is made up; heights say so to the ground."""
        return self.settings.synthetic or bool(self.marked)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the classes and attributes for which residents are counted."""
        return tuple(c.removeprefix("residents_") for c in self.residents.columns if c.startswith("residents_"))


# --------------------------------------------------------------------------- what walks are made of


@dataclass(frozen=True, eq=False)
class Walks(ReadOnlyArrays):
    """Walks within a cutoff as sparse rows: rows are facilities, columns demand points, values seconds.

    A pair that is not stored is beyond the cutoff or unreachable. Row ``i`` holds
    ``indices[indptr[i]:indptr[i + 1]]``, each once and in no order that means anything, with ``seconds`` from the
    demand point to the facility.
    """

    indptr: LongArray
    indices: IntArray
    seconds: FloatArray
    n_demand: int

    @property
    def n_facilities(self) -> int:
        """How many rows there are."""
        return len(self.indptr) - 1

    def row(self, facility: int) -> tuple[IntArray, FloatArray]:
        """Return the demand points that reach ``facility`` and their seconds."""
        span = slice(self.indptr[facility], self.indptr[facility + 1])
        return self.indices[span], self.seconds[span]
