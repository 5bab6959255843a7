"""From tagged ways to the walking network: where ways meet, who may walk on them, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.closures import closed_stretches
from lifecircle.doors import GateWays, doors, gates, joined
from lifecircle.errors import Breach, SourceError
from lifecircle.model import BoolArray, Closures, FloatArray, IntArray, ReadOnlyArrays, StreetWays, Walking
from lifecircle.network import WalkNetwork, line_lengths_m, walk_network
from lifecircle.pace import Pieces, paces
from lifecircle.said import Said
from lifecircle.schema import breach
from lifecircle.terrain import Terrain
from lifecircle.walkability import LIFTS, NOT_WALKED, WALKED, Walkability, meeting, unmet, walkability

REMNANT_M = 2000.0
"""Metres of way below which a piece that hangs on nothing is a remnant."""


@dataclass(frozen=True, eq=False)
class WalkingStreets(ReadOnlyArrays):
    """The network of a study, and from which way each segment comes.

    In ``network`` the gates with hours are open; `at` gives it with other gates open.
    """

    network: WalkNetwork
    way: IntArray
    """(n_segments,) row of the street layer; of a spoke (see `lifecircle.doors`) that of the way which ends there."""
    kind: tuple[str, ...]
    """(n_segments,) ``street``, ``foot``, ``steps``, or ``private`` for ways that let nobody through."""
    private: BoolArray
    """(n_segments,) by tags and rules alone: without gates, and without what private ways enclose."""
    closed: BoolArray
    """(n_segments,) by the study alone: without gates."""
    gates: tuple[GateWays, ...]
    findings: tuple[Breach, ...]
    """What was read into the ways beyond their tags, such as enclosed ways and remnants."""


def walking_streets(
    streets: StreetWays,
    walking: Walking,
    *,
    elevation: Terrain | None = None,
    closures: Closures | None = None,
    steps: bool = True,
    synthetic: bool = False,
) -> WalkingStreets:
    """Cut the walkable ways where they meet and make a network of the pieces.

    Public ways that private ways alone lead to are taken for the compound's own and become private. A piece that hangs
    on nothing and is shorter than `REMNANT_M` is a remnant, mostly of mapping: places attach to it for want of another.

    Parameters
    ----------
    elevation
        Heights; by default those that nodes bear as ``ele``, and flat ground where none does.
    closures
        Places at which streets are closed, beside the ways that ``walking`` closes. None by default.
    steps
        Whether the class takes steps, escalators, and ways and barriers that no wheelchair passes. Where it does not,
        such ways are not in the network at all.
    synthetic
        Whether the study is made up; its network says so.

    Raises
    ------
    SourceError
        When nobody may walk on any way.
    """
    rights = walkability(streets.tags, ids=streets.way_id, rules=walking.rules)
    walked = rights.walked if steps else rights.wheels
    lifts = walked & meeting(streets.tags, LIFTS)
    at_nodes = doors(streets, walking, steps=steps)
    pieces = _cut(streets, walked & ~lifts, at_nodes.node, lifts)
    if not len(pieces.way):
        raise SourceError("the street layer holds no way that anyone may walk on; is it the right layer?")
    flat_m, fixed_s, findings = paces(streets, rights, pieces, elevation)
    spokes = joined(streets, pieces, at_nodes, lifts)

    way = np.concatenate([pieces.way, spokes.way])
    node, number = np.unique(np.concatenate([spokes.piece_ends, spokes.ends]), return_inverse=True)
    ends: IntArray = number.reshape(-1, 2).astype(np.int32)
    vertices = np.concatenate([streets.xy_m[pieces.node], spokes.xy_m[spokes.ends].reshape(-1, 2)])
    indptr = np.append(pieces.indptr, pieces.indptr[-1] + 2 * np.arange(1, len(spokes.way) + 1))
    length_m = line_lengths_m(indptr, vertices)
    of_door = np.append(np.full(len(pieces.way), -1), spokes.door)

    ids = np.array(streets.way_id, dtype=object)[way]
    private = rights.private[way] & (of_door < 0)
    closed = np.isin(ids, walking.closed) & (of_door < 0)
    if closures is not None and closures.id:
        lines = shapely.linestrings(vertices, indices=np.repeat(np.arange(len(way)), np.diff(indptr)))
        stretches, about_closures = closed_stretches(lines[: len(pieces.way)], closures)
        closed[: len(pieces.way)] |= stretches & ~np.isin(ids[: len(pieces.way)], closures.sparing)
        findings += about_closures
    closed |= np.append(at_nodes.barred, False)[of_door]
    ruled = gates(streets, walking, rights, at_nodes, way, of_door)
    state = _State.of(private, closed, ruled, {}, ends, length_m)
    remnant = _remnant(ends, length_m)
    network = walk_network(
        spokes.xy_m[node],
        ends,
        length_m,
        shapes=(indptr, vertices),
        flat_m=np.concatenate([flat_m, np.repeat(length_m[len(flat_m) :, None], 2, axis=1)]),
        fixed_s=np.concatenate([fixed_s, spokes.fixed_s]),
        private=state.private,
        closed=state.closed,
        snappable=np.append(rights.snappable[pieces.way], np.zeros(len(spokes.way), dtype=bool)),
        remnant=remnant,
        synthetic=synthetic,
    )
    enclosed_text = "only private ways lead to these ways: taken for the compound's own"
    remnant_text = Said("pieces of less than {:g} m that hang on no other way: used for want of another", REMNANT_M)
    findings += [
        *breach("streets", "enclosed-ways", enclosed_text, dict.fromkeys(ids[state.enclosed]), "warning"),
        *breach("streets", "remnants", remnant_text, dict.fromkeys(ids[remnant]), "warning"),
        *_unknown_kinds(streets, rights),
        *_unmet_rules(streets, walking),
    ]
    return WalkingStreets(
        network=network,
        way=way.astype(np.int32),
        kind=tuple(np.where(network.private, "private", rights.kind.to_numpy(dtype=object)[way])),
        private=private,
        closed=closed,
        gates=ruled,
        findings=tuple(findings),
    )


def at(streets: WalkingStreets, is_open: Mapping[str, bool]) -> WalkNetwork:
    """Return the network with these gates open or not; snaps of ``streets.network`` are snaps of it.

    Parameters
    ----------
    is_open
        By a gate's id. Gates that it does not name are as in ``streets.network``; ids of no gate play no part.

    Returns
    -------
    WalkNetwork
        Ways that private gates enclose are the compound's own, unless one of its gates is open: then they are public.
    """
    network = streets.network
    state = _State.of(streets.private, streets.closed, streets.gates, is_open, network.ends, network.length_m)
    return network.with_ways(private=state.private, closed=state.closed)


@dataclass(frozen=True, eq=False)
class _State:
    """Which segments are private and which closed while some gates are open."""

    private: BoolArray
    closed: BoolArray
    enclosed: BoolArray

    @classmethod
    def of(
        cls,
        private: BoolArray,
        closed: BoolArray,
        gates: tuple[GateWays, ...],
        is_open: Mapping[str, bool],
        ends: IntArray,
        length_m: FloatArray,
    ) -> _State:
        private, gated, shut = private.copy(), np.zeros(len(ends), dtype=bool), np.zeros(len(ends), dtype=bool)
        for gate in gates:
            bars = not is_open.get(gate.id, gate.opens)
            private[gate.segments] = gated[gate.segments] = bars and gate.private
            shut[gate.segments] = bars and not gate.private
        enclosed = _enclosed(ends, length_m, private, gated, shut)
        return cls(private | enclosed, closed | shut, enclosed)


def _unknown_kinds(streets: StreetWays, rights: Walkability) -> list[Breach]:
    """Report the ways that are not walked because nothing is known of their ``highway``."""
    highway = streets.tags["highway"]
    unknown = highway[(highway != "") & ~rights.walked & ~highway.isin({*NOT_WALKED, *WALKED})].value_counts()
    message = Said(
        "{} ways are left out, for nothing is known of these values of highway; use OpenStreetMap's, "
        "such as residential, footway, steps",
        unknown.sum(),
    )
    return breach("streets", "unknown-highway", message, unknown.index, "warning")


def _unmet_rules(streets: StreetWays, walking: Walking) -> list[Breach]:
    """Report the study's rules that hold for no way."""
    rules = [
        f"walk = {rule.walk}: {'; '.join([*rule.ids, *(_in_words(table) for table in rule.where)])}"
        for rule in unmet(walking.rules, streets.tags, streets.way_id)
    ]
    return breach("streets", "unmet-rule", "these rules of the study hold for no way", rules, "warning")


def _in_words(table: Mapping[str, tuple[str, ...]]) -> str:
    """Return a filter as people say it: ``highway = steps or path and lit = any``."""
    return " and ".join(f"{key} = {' or '.join(values) or 'any'}" for key, values in table.items())


def _pieces(ends: npt.NDArray[np.integer], part: BoolArray) -> IntArray:
    """Return (n_segments,) numbers of the connected pieces that the segments of ``part`` form, -1 for the others."""
    n = int(ends.max(initial=-1)) + 1
    a, b = ends[part].T
    _, piece = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
    return np.where(part, piece[ends[:, 0]], -1)


def _enclosed(
    ends: npt.NDArray[np.integer], length_m: FloatArray, private: BoolArray, gated: BoolArray, shut: BoolArray
) -> BoolArray:
    """Return the public segments of pieces that private ways alone join to the longest public piece.

    A piece of `REMNANT_M` or more is a settlement of its own, whose only road happens to be private: it stays public,
    unless it lies behind a private gate (``gated``). Nothing is joined through a gate that is ``shut`` to all.
    """
    piece = _pieces(ends, ~private & ~shut)
    public = piece >= 0
    if not private.any() or not public.any():
        return np.zeros(len(ends), dtype=bool)
    piece_m = np.bincount(piece[public], weights=length_m[public])
    main = public & (piece == piece_m.argmax())
    at_gate, behind = np.zeros(ends.max() + 1, dtype=bool), np.zeros(len(piece_m), dtype=bool)
    at_gate[ends[gated]] = True
    behind[piece[public & at_gate[ends].any(axis=1)]] = True
    whole = _pieces(ends, ~shut)
    return public & ~main & ((piece_m < REMNANT_M) | behind)[piece] & (whole == whole[main][0])


def _remnant(ends: npt.NDArray[np.integer], length_m: FloatArray) -> BoolArray:
    """Return the segments of pieces shorter than `REMNANT_M`, the longest piece aside."""
    piece = _pieces(ends, np.ones(len(ends), dtype=bool))
    piece_m = np.bincount(piece, weights=length_m)
    return ((piece_m < REMNANT_M) & (np.arange(len(piece_m)) != piece_m.argmax()))[piece]


def _cut(streets: StreetWays, walked: BoolArray, at_nodes: IntArray, lifts: BoolArray) -> Pieces:
    """Cut the walked ways at their ends, wherever a node is passed more than once, and at doors and lifts."""
    count = np.diff(streets.indptr)
    way_of = np.repeat(np.arange(len(count)), count)
    keep = walked[way_of] & (count[way_of] > 1)
    passes = np.bincount(streets.node[keep], minlength=len(streets.xy_m))
    passes[at_nodes] = 2
    passes[streets.node[lifts[way_of]]] = 2
    node, way_of = streets.node[keep], way_of[keep]
    first, last = np.ones(len(node), dtype=bool), np.ones(len(node), dtype=bool)
    first[1:] = way_of[1:] != way_of[:-1]
    last[:-1] = first[1:]
    cut = first | last | (passes[node] > 1)

    begins = np.flatnonzero(cut & ~last)
    stops = np.flatnonzero(cut & ~first)
    size = stops - begins + 1
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    rows = np.repeat(begins - indptr[:-1], size) + np.arange(indptr[-1])
    return Pieces(way_of[begins], indptr, node[rows].astype(np.int32))
