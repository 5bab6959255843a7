"""Gates and lifts, which stand between the ways that meet at a node.

The ways that meet at a door end in copies of its node, which spokes join to one middle:

    way --- copy --spoke-- middle --spoke-- copy --- way

A gate's spokes have no length, and its state is a flag of theirs: *private* at a gate for those who live behind it,
*closed* at one that is shut to all, neither at an open one. A lift's spokes take half its seconds each. A lift that is
drawn as a line or an area has a middle of its own, which spokes join to every node that it shares with a way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays, StreetWays, Walking
from lifecircle.pace import LIFT_S, Pieces
from lifecircle.walkability import LIFTS, NODE_RULES, Walkability, answers, meeting

_TIMED = ({"opening_hours": ()},)


@dataclass(frozen=True, eq=False)
class GateWays(ReadOnlyArrays):
    """A gate, and the segments that are private or closed while it is not open."""

    id: str
    """Of a node (``n1``) or a way (``w1``)."""
    hours: str
    """As in OpenStreetMap's ``opening_hours``; empty where its state is the same at all hours."""
    opens: bool
    """Whether it is open when nobody asks for the time, as gates with hours are."""
    private: bool
    """Whether those who live behind it pass while it is not open, or nobody does."""
    segments: IntArray


@dataclass(frozen=True, eq=False)
class Doors(ReadOnlyArrays):
    """The nodes, each once, that are gates or lifts, closed, or that a class without steps does not pass."""

    node: IntArray
    """(n,) rows of the street layer's nodes."""
    id: tuple[str, ...]
    lift: BoolArray
    gate: BoolArray
    """Whether it can be open or not."""
    barred: BoolArray
    """Whether the class never passes: nobody does where the study says closed."""
    hours: tuple[str, ...]
    opens: BoolArray
    private: BoolArray


@dataclass(frozen=True, eq=False)
class Spokes(ReadOnlyArrays):
    """What joins the ways at doors. Ends are rows of ``xy_m``: the street layer's nodes, and those added to them."""

    xy_m: FloatArray
    piece_ends: LongArray
    """(n_pieces, 2) the ends of the pieces of ways, copies where they are at doors."""
    ends: LongArray
    """(n, 2) from a way to the middle."""
    way: LongArray
    """(n,) row of the way that ends there, or of the lift that is a way."""
    door: LongArray
    """(n,) row of `Doors`, -1 for a lift that is a way."""
    fixed_s: FloatArray
    """(n,) seconds at any speed."""


def doors(streets: StreetWays, walking: Walking, *, steps: bool) -> Doors:
    """Find the doors among the nodes that bear tags.

    A gate that the study lists is open at the hours that it states, or at all hours; one with ``opening_hours`` at
    these. Any other is open unless its tags say that it is private or shut.
    """
    tags = streets.node_tags
    said = answers(NODE_RULES, tags, (), {"passes": "", "wheels": "yes"})
    listed = {gate.id: gate.hours for gate in walking.gates}
    named = tags["id"].isin(list(listed)).to_numpy()
    timed = (said["passes"] != "") & meeting(tags, _TIMED)
    gate = named | timed | (said["passes"] == "private") | (said["passes"] == "no")
    lift = meeting(tags, LIFTS)
    barred = ((said["wheels"] == "no") & (not steps)) | tags["id"].isin(walking.closed).to_numpy()
    rows = np.flatnonzero(gate | lift | barred)
    ids = tuple(tags["id"].iloc[rows])
    hours = tags["opening_hours"].where(timed, "").iloc[rows]
    return Doors(
        node=tags["node"].to_numpy(dtype=np.int32)[rows],
        id=ids,
        lift=lift[rows],
        gate=gate[rows],
        barred=barred[rows],
        hours=tuple(listed.get(i, tagged) for i, tagged in zip(ids, hours, strict=True)),
        opens=(named | timed)[rows],
        private=(said["passes"] == "private")[rows],
    )


def joined(streets: StreetWays, pieces: Pieces, at: Doors, lifts: BoolArray) -> Spokes:
    """Give each piece of way that ends at a door a copy of the node, and join the copies.

    Parameters
    ----------
    pieces
        Cut at every door, and wherever a lift touches them.
    lifts
        (n_ways,) whether a way is a lift.
    """
    n_nodes, n_ways = len(streets.xy_m), len(streets.way_id)
    door_of = np.full(n_nodes, -1, dtype=np.int64)
    door_of[at.node] = np.arange(len(at.node))
    ends = pieces.ends.astype(np.int64)
    piece, side = np.nonzero(door_of[ends] >= 0)
    door = door_of[ends[piece, side]]
    # Who walks past a lift does not ride: both sides of a way that goes on have one copy. At a gate each has its own.
    which = np.where(at.lift[door], pieces.way[piece], n_ways + 2 * piece + side)
    copies, first, copy = np.unique(np.stack([door, which]), axis=1, return_index=True, return_inverse=True)
    several = (np.bincount(copies[0], minlength=len(at.node)) > 1)[copies[0]]
    number = n_nodes - 1 + np.cumsum(several)
    moved = several[copy]
    ends[piece[moved], side[moved]] = number[copy[moved]]
    of_door = copies[0][several]
    copied = at.node[of_door]

    lift, touched = _touched(streets, pieces, lifts)
    _, middle, touches = np.unique(lift, return_inverse=True, return_counts=True)
    middle_m = np.stack([np.bincount(middle, weights=w) for w in streets.xy_m[touched].T], axis=1) / touches[:, None]
    to_copy = np.stack([number[several], copied], axis=1)
    to_lift = np.stack([touched, n_nodes + len(copied) + middle], axis=1)
    return Spokes(
        xy_m=np.concatenate([streets.xy_m, streets.xy_m[copied], middle_m]),
        piece_ends=ends,
        ends=np.concatenate([to_copy, to_lift]),
        way=np.concatenate([pieces.way[piece[first[several]]], lift]),
        door=np.concatenate([of_door, np.full(len(lift), -1)]),
        fixed_s=np.where(np.append(at.lift[of_door], np.ones(len(lift), dtype=bool)), LIFT_S / 2, 0.0),
    )


def _touched(streets: StreetWays, pieces: Pieces, lifts: BoolArray) -> tuple[LongArray, LongArray]:
    """Return lifts that are ways (rows, ascending) and the nodes at which pieces of other ways end on them."""
    way = np.repeat(np.arange(len(lifts)), np.diff(streets.indptr))
    used = np.zeros(len(streets.xy_m), dtype=bool)
    used[pieces.ends] = True
    rows = lifts[way] & used[streets.node]
    lift, node = np.unique(np.stack([way[rows], streets.node[rows]]), axis=1)
    return lift, node


def gates(
    streets: StreetWays, walking: Walking, rights: Walkability, at: Doors, way: LongArray, door: npt.NDArray[np.integer]
) -> tuple[GateWays, ...]:
    """Return the gates at nodes that lie between ways, then the ways that the study lists or that have hours.

    Parameters
    ----------
    way, door
        (n_segments,) row of the street layer, and row of ``at`` (-1: no spoke of a door).
    """
    order = np.argsort(door, kind="stable").astype(np.int32)
    begins = np.searchsorted(door[order], np.arange(len(at.node) + 1))
    found = [
        GateWays(at.id[i], at.hours[i], bool(at.opens[i]), bool(at.private[i]), order[begins[i] : begins[i + 1]])
        for i in np.flatnonzero(at.gate)
        if begins[i] < begins[i + 1]
    ]
    listed = {gate.id: gate.hours for gate in walking.gates}
    ids = np.array(streets.way_id, dtype=object)
    ruled = np.isin(ids, list(listed)) | meeting(streets.tags, _TIMED)
    segments = pd.Series(np.flatnonzero(ruled[way] & (door < 0)), dtype=np.int32)
    for i, of_way in segments.groupby(ids[way[segments]], sort=False):
        row = way[of_way.iloc[0]]
        hours = listed[i] if i in listed else streets.tags["opening_hours"].iloc[row]
        found.append(GateWays(i, hours, True, bool(rights.private[row]), of_way.to_numpy()))
    return tuple(found)
