"""How long each way takes a walker: slopes, steps, escalators, lifts, and the wait at signals.

Two measures come of it. Metres on the flat grow or shrink with a walker's speed, as slopes and steps do. Fixed seconds
are the same for everyone, as waiting is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.errors import Breach
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, StreetWays
from lifecircle.network import line_lengths_m
from lifecircle.schema import ELEVATION, breach
from lifecircle.terrain import HIGHEST_M, LOWEST_M, Terrain, between_known, divided, flat_metres, spanned
from lifecircle.walkability import Walkability, meeting

_FLAT_MPS, _UP_MPS, _DOWN_MPS = 1.34, 0.610, 0.694

STEPS_UP, STEPS_DOWN = _FLAT_MPS / _UP_MPS, _FLAT_MPS / _DOWN_MPS
"""Metres on the flat that take as long as a metre of steps in plan.

U. Weidmann (1993), Transporttechnik der Fussgänger, doi:10.3929/ethz-a-000687810: horizontal speed 0.610 m/s up and
0.694 m/s down, against 1.34 m/s on the flat. Taken as factors, so that a slower class is slower on steps too."""

ESCALATOR_MPS = 0.5 * math.cos(math.radians(30.0))
"""Speed in plan of who stands on an escalator, metres per second: 0.5 m/s along a slope of 30 degrees, the steepest
that EN 115-1 (2017) allows at any rise, and the speed it is most often run at."""

LIFT_S = 90.0 + 20.0
"""Seconds from the door of a lift to the door on another floor: 90 to wait and board and 20 for a floor, the defaults
of OpenTripPlanner 2 (elevatorBoardTime, elevatorHopTime). How many floors a lift passes, the data does not say."""

_CYCLE_S, _GREEN_S = 90.0, 30.0

SIGNAL_S = (_CYCLE_S - _GREEN_S) ** 2 / (2 * _CYCLE_S)
"""Mean seconds of waiting where signals stop walkers: (C - g)^2 / 2C for those who come at any time of a cycle C with g
of effective green (Highway Capacity Manual 2000, ch. 18; N. Rouphail et al., 1998, FHWA-RD-98-107). C is 90 s, the
longest that the Urban Street Design Guide (NACTO 2013) advises, and g a third of it."""

_SIGNALS_OF_WAY = tuple(
    {"footway": ("crossing",), **signals}
    for signals in ({"crossing": ("traffic_signals*",)}, {"crossing:signals": ("yes", "shared", "separate")})
)
_CROSSING = ({"footway": ("crossing",)},)
_SIGNALS_OF_NODE = (
    {"crossing": ("traffic_signals*",)},
    {"crossing:signals": ("yes", "shared", "separate")},
    {"highway": ("traffic_signals",)},
)
_BRIDGE = ({"bridge": ("yes", "viaduct", "boardwalk", "cantilever", "movable", "aqueduct", "covered", "trestle")},)


@dataclass(frozen=True, eq=False)
class Pieces:
    """The pieces that ways are cut into, each in its way's direction.

    Piece ``i`` is of way ``way[i]`` and runs through the nodes ``node[indptr[i]:indptr[i + 1]]`` of the street layer.
    """

    way: LongArray
    indptr: LongArray
    node: IntArray

    @property
    def ends(self) -> IntArray:
        """(n, 2) nodes at both ends of each piece."""
        ends: IntArray = np.stack([self.node[self.indptr[:-1]], self.node[self.indptr[1:] - 1]], axis=1)
        return ends


def paces(
    streets: StreetWays, rights: Walkability, pieces: Pieces, terrain: Terrain | None
) -> tuple[FloatArray, FloatArray, list[Breach]]:
    """Find how long each piece of way takes.

    Parameters
    ----------
    terrain
        Heights; where there is none, those that nodes bear as ``ele``.

    Returns
    -------
    tuple
        (n, 2) metres on the flat that take as long, along the way and against it, inf where nobody walks that way; (n,)
        seconds that come on top at any speed; and findings: ways whose heights are missing or cannot be.
    """
    way = pieces.way
    length_m = line_lengths_m(pieces.indptr, streets.xy_m[pieces.node])
    steps = (rights.kind == "steps").to_numpy()
    moving = steps & meeting(streets.tags, ({"conveying": ("yes", "forward", "backward", "reversible")},))
    flat_m, findings = _on_slopes(streets, rights, pieces, terrain)

    up = _climbs(streets.tags)[way]
    of_steps = np.stack([np.where(up < 0, STEPS_DOWN, STEPS_UP), np.where(up > 0, STEPS_DOWN, STEPS_UP)], axis=1)
    flat_m = np.where(steps[way, None], length_m[:, None] * of_steps, flat_m)
    flat_m[moving[way]] = 0.0
    flat_m[rights.oneway[way] > 0, 1] = np.inf
    flat_m[rights.oneway[way] < 0, 0] = np.inf

    way_m = np.bincount(way, weights=length_m, minlength=len(steps))[way]
    share = np.divide(length_m, way_m, out=np.zeros(len(way)), where=way_m > 0)
    fixed_s = (
        np.where(moving[way], length_m / ESCALATOR_MPS, 0.0) + np.where(_signalled(streets)[way], SIGNAL_S, 0.0) * share
    )
    return flat_m, fixed_s, findings


def _on_slopes(
    streets: StreetWays, rights: Walkability, pieces: Pieces, terrain: Terrain | None
) -> tuple[FloatArray, list[Breach]]:
    """Return the metres on the flat by slopes alone, as if steps were streets, and what is amiss with the heights."""
    indptr, xy_m = pieces.indptr, streets.xy_m[pieces.node]
    if terrain is not None:
        indptr, xy_m = divided(indptr, xy_m)
        height_m = terrain.at(xy_m)
    else:
        height_m = between_known(indptr, xy_m, _ele(streets)[pieces.node])
        if not np.isfinite(height_m).any():
            length_m = line_lengths_m(indptr, xy_m)
            return np.stack([length_m, length_m], axis=1), []
    steps = (rights.kind == "steps").to_numpy()[pieces.way]
    spans = ~steps & (~rights.snappable | meeting(streets.tags, _BRIDGE))[pieces.way]
    height_m = spanned(indptr, xy_m, height_m, pieces.ends, spans, ~steps & ~spans)
    flat_m, unknown, steep = flat_metres(indptr, xy_m, height_m)

    def told(rule: str, part: BoolArray, text: str) -> list[Breach]:
        ways = dict.fromkeys(streets.way_id[i] for i in pieces.way[part & ~steps])
        return breach(ELEVATION, rule, text, ways, "warning")

    steep_text = (
        "part of these ways is steeper than 45 degrees by its heights: walked there as if of 45 degrees; "
        "look for a mistyped height (ele), or for a bridge or tunnel that is not tagged as one"
    )
    return flat_m, [
        *told("no-height", unknown, "no height is known for part of these ways: walked there as flat ground"),
        *told("too-steep", steep, steep_text),
    ]


def _ele(streets: StreetWays) -> FloatArray:
    """Return (n_nodes,) the heights that nodes bear, metres, NaN where they bear none that can be."""
    height_m = np.full(len(streets.xy_m), np.nan)
    if "ele" in streets.node_tags:
        text = streets.node_tags["ele"].str.removesuffix("m").str.strip()
        height_m[streets.node_tags["node"].to_numpy(dtype=np.int64)] = pd.to_numeric(text, errors="coerce")
    return np.where((height_m >= LOWEST_M) & (height_m <= HIGHEST_M), height_m, np.nan)


def _climbs(tags: pd.DataFrame) -> IntArray:
    """Return for each way 1 where it leads up, -1 where it leads down, 0 where ``incline`` does not say."""
    if "incline" not in tags:
        return np.zeros(len(tags), dtype=np.int32)
    row, said = pd.factorize(tags["incline"])
    said = pd.Series(said, dtype="str")
    rise = pd.to_numeric(said.str.extract(r"^\s*([+-]?\d+(?:\.\d+)?)", expand=False), errors="coerce")
    leads = np.select([(said == "up") | (rise > 0), (said == "down") | (rise < 0)], [1, -1], 0)
    return leads[row].astype(np.int32)


def _signalled(streets: StreetWays) -> BoolArray:
    """Return for each way whether it is a crossing at which signals stop walkers."""
    at_node = np.zeros(len(streets.xy_m), dtype=bool)
    lit = meeting(streets.node_tags, _SIGNALS_OF_NODE)
    at_node[streets.node_tags["node"].to_numpy(dtype=np.int64)[lit]] = True
    passes = np.maximum.reduceat(at_node[streets.node], streets.indptr[:-1])
    return meeting(streets.tags, _SIGNALS_OF_WAY) | (passes & meeting(streets.tags, _CROSSING))
