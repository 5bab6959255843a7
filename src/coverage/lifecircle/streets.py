"""From tagged ways to the walking network: who may walk where, and where ways meet.

The rules follow the OpenStreetMap wiki (Key:highway, Key:access, Key:foot, Key:sidewalk, Key:conveying) and, for
carriageways whose sidewalks are mapped as ways of their own, the choice of OSMnx's "walk" network.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.errors import Breach, SourceError
from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, StreetWays, Walking
from lifecircle.network import WalkNetwork, line_lengths_m, walk_network

STREET_KINDS = {
    "steps": {"steps"},
    "foot": {"footway", "path", "pedestrian", "corridor", "platform", "elevator", "bridleway", "track", "cycleway"},
    "street": {
        *("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link", "trunk", "trunk_link"),
        *("unclassified", "residential", "living_street", "service", "road", "busway"),
    },
}
"""Values of ``highway`` on which people walk. All others (motorway, construction, raceway, ...) are not walked."""

NOT_WALKED = {
    *("motorway", "motorway_link", "bus_guideway", "escape", "raceway", "construction", "proposed", "planned", "razed"),
    *(
        "abandoned",
        "disused",
        "demolished",
        "services",
        "rest_area",
        "via_ferrata",
        "no",
        "emergency_bay",
        "toll_gantry",
    ),
}
"""Values of ``highway`` on which nobody walks, and which need no remark."""

ALLOWED = {"yes", "designated", "permissive", "official"}
OWN_BUSINESS = {"private", "destination", "customers", "residents", "delivery", "permit"}
"""Values of ``foot`` or ``access`` by which a way serves its frontage and lets nobody through."""
REMNANT_M = 2000.0
"""Metres of way below which a piece that hangs on nothing is a remnant."""

FORBIDDEN = {"no", "use_sidepath", "forestry", "agricultural", "military"}


@dataclass(frozen=True, eq=False)
class Walkability:
    """What each way is to someone on foot: rows of the street layer."""

    kind: pd.Series
    """``street``, ``foot`` or ``steps``; empty where nobody walks."""
    walked: BoolArray
    private: BoolArray
    snappable: BoolArray
    oneway: IntArray
    """1 along the way only, -1 against it only, 0 both."""


def walkability(tags: pd.DataFrame) -> Walkability:
    """Decide from its tags what each way is to someone on foot.

    Parameters
    ----------
    tags
        One row a way, one column a key, values as text, empty where absent. Missing columns count as absent.

    Returns
    -------
    Walkability
        Explicit ``foot`` goes before ``access``. Tunnels, indoor and underground ways can be walked but nothing
        attaches to them; a building's passage at street level is no tunnel.
    """

    def tag(key: str) -> pd.Series:
        return tags[key] if key in tags else pd.Series("", index=tags.index)

    highway = tag("highway")
    kind = pd.Series("", index=tags.index)
    for name, values in STREET_KINDS.items():
        kind[highway.isin(values)] = name
    right = tag("foot").where(tag("foot") != "", tag("access"))
    allowed = tag("foot").isin(ALLOWED)
    both_apart = (tag("sidewalk:left") == "separate") & (tag("sidewalk:right") == "separate")
    sidewalk_apart = (tag("sidewalk") == "separate") | (tag("sidewalk:both") == "separate") | both_apart
    carriageway = highway.isin({"trunk", "trunk_link"}) & ~tag("sidewalk").isin({"both", "left", "right", "yes"})
    barred = right.isin(FORBIDDEN) | (sidewalk_apart & (kind == "street")) | carriageway | (tag("motorroad") == "yes")
    walked = (kind != "") & (allowed | ~barred)

    level = pd.to_numeric(tag("level").str.split(";").str[0], errors="coerce")
    layer = pd.to_numeric(tag("layer"), errors="coerce")
    under = (
        ~tag("tunnel").isin({"", "no", "building_passage"})
        | ~tag("indoor").isin({"", "no"})
        | (tag("location") == "underground")
        | highway.isin({"corridor", "elevator"})
        | (level < 0)
        | ((layer < 0) & tag("covered").isin({"yes", "arcade"}))
    )
    moving = tag("conveying")
    feet = tag("oneway:foot")
    along = moving.isin({"forward"}) | feet.isin({"yes", "1"})
    against = moving.isin({"backward"}) | feet.isin({"-1"})
    return Walkability(
        kind=kind.where(walked, ""),
        walked=walked.to_numpy(),
        private=(walked & right.isin(OWN_BUSINESS)).to_numpy(),
        snappable=(walked & ~under).to_numpy(),
        oneway=np.select([along, against], [1, -1], 0).astype(np.int32),
    )


@dataclass(frozen=True, eq=False)
class WalkingStreets:
    """The network of a study, and from which way each segment comes."""

    network: WalkNetwork
    way: IntArray
    """(n_segments,) row of the street layer."""
    kind: tuple[str, ...]
    """(n_segments,) ``street``, ``foot``, ``steps``, or ``private`` for ways that let nobody through."""
    findings: tuple[Breach, ...]
    """What was read into the ways beyond their tags: enclosed ways and remnants."""


def walking_streets(streets: StreetWays, walking: Walking) -> WalkingStreets:
    """Cut the walkable ways where they meet and make a network of the pieces.

    Public ways that private ways alone lead to are taken for the compound's own and become private. A piece that hangs
    on nothing and is shorter than `REMNANT_M` is a remnant, mostly of mapping: places attach to it for want of another.

    Raises
    ------
    SourceError
        When nobody may walk on any way.
    """
    rights = walkability(streets.tags)
    way_id = np.array(streets.way_id, dtype=object)
    private = rights.private & ~np.isin(way_id, walking.gates)
    closed = np.isin(way_id, walking.closed)
    way, indptr, node = _cut(streets, rights.walked)
    if not len(way):
        raise SourceError("the street layer holds no way that anyone may walk on; is it the right layer?")
    backwards = rights.oneway[way] < 0
    node = _turned(indptr, node, backwards)
    meeting, ends = np.unique(np.stack([node[indptr[:-1]], node[indptr[1:] - 1]], axis=1), return_inverse=True)
    ends = ends.reshape(-1, 2).astype(np.int32)
    length_m = line_lengths_m(indptr, streets.xy_m[node])
    enclosed = _enclosed(ends, length_m, private[way])
    remnant = _remnant(ends, length_m)
    network = walk_network(
        streets.xy_m[meeting],
        ends,
        shapes=(indptr, streets.xy_m[node]),
        oneway=rights.oneway[way] != 0,
        private=private[way] | enclosed,
        closed=closed[way],
        snappable=rights.snappable[way],
        remnant=remnant,
    )
    kind = np.where(network.private, "private", rights.kind.to_numpy(dtype=object)[way])
    told = (
        ("enclosed-ways", "only private ways lead to these ways: taken for the compound's own", enclosed),
        (
            "remnants",
            f"pieces of less than {REMNANT_M:g} m that hang on no other way: used for want of another",
            remnant,
        ),
    )
    findings = [
        Breach("streets", rule, text, tuple(ids[:5]), len(ids), "warning")
        for rule, text, rows in told
        if (ids := list(dict.fromkeys(way_id[way[rows]])))
    ]
    findings += _unknown_kinds(streets)
    return WalkingStreets(network, way.astype(np.int32), tuple(kind), tuple(findings))


def _unknown_kinds(streets: StreetWays) -> list[Breach]:
    """Report the ways that are not walked because nothing is known of their ``highway``."""
    highway = streets.tags["highway"]
    known = NOT_WALKED.union(*STREET_KINDS.values())
    unknown = highway[(highway != "") & ~highway.isin(known)].value_counts()
    if not len(unknown):
        return []
    message = (
        f"{unknown.sum()} ways are left out, for nothing is known of these values of highway; use OpenStreetMap's, "
        "such as residential, footway, steps"
    )
    return [Breach("streets", "unknown-highway", message, tuple(unknown.index[:5]), len(unknown), "warning")]


def _pieces(ends: npt.NDArray[np.integer], part: BoolArray) -> IntArray:
    """Return (n_segments,) numbers of the connected pieces that the segments of ``part`` form, -1 for the others."""
    n = int(ends.max(initial=-1)) + 1
    a, b = ends[part].T
    _, piece = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
    return np.where(part, piece[ends[:, 0]], -1)


def _enclosed(ends: npt.NDArray[np.integer], length_m: FloatArray, private: BoolArray) -> BoolArray:
    """Return the public segments of pieces that private ways alone join to the longest public piece.

    A piece of `REMNANT_M` or more is a settlement of its own, whose only road happens to be private: it stays public.
    """
    piece = _pieces(ends, ~private)
    public = piece >= 0
    if not private.any() or not public.any():
        return np.zeros(len(ends), dtype=bool)
    piece_m = np.bincount(piece[public], weights=length_m[public])
    main = public & (piece == piece_m.argmax())
    whole = _pieces(ends, np.ones(len(ends), dtype=bool))
    return public & ~main & (piece_m[piece] < REMNANT_M) & (whole == whole[main][0])


def _remnant(ends: npt.NDArray[np.integer], length_m: FloatArray) -> BoolArray:
    """Return the segments of pieces shorter than `REMNANT_M`, the longest piece aside."""
    piece = _pieces(ends, np.ones(len(ends), dtype=bool))
    piece_m = np.bincount(piece, weights=length_m)
    return ((piece_m < REMNANT_M) & (np.arange(len(piece_m)) != piece_m.argmax()))[piece]


def _cut(streets: StreetWays, walked: BoolArray) -> tuple[LongArray, LongArray, IntArray]:
    """Cut the walked ways at their ends and wherever a node is passed more than once.

    Returns the way of each segment, and the nodes of segment ``i`` as ``node[indptr[i]:indptr[i + 1]]``.
    """
    count = np.diff(streets.indptr)
    way_of = np.repeat(np.arange(len(count)), count)
    keep = walked[way_of] & (count[way_of] > 1)
    node, way_of = streets.node[keep], way_of[keep]
    first, last = np.ones(len(node), dtype=bool), np.ones(len(node), dtype=bool)
    first[1:] = way_of[1:] != way_of[:-1]
    last[:-1] = first[1:]
    passes = np.bincount(node, minlength=len(streets.xy_m))
    cut = first | last | (passes[node] > 1)

    begins = np.flatnonzero(cut & ~last)
    stops = np.flatnonzero(cut & ~first)
    size = stops - begins + 1
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    rows = np.repeat(begins - indptr[:-1], size) + np.arange(indptr[-1])
    return way_of[begins], indptr, node[rows].astype(np.int32)


def _turned(indptr: LongArray, node: IntArray, backwards: BoolArray) -> IntArray:
    """Return the nodes with the segments marked ``backwards`` running the other way."""
    segment = np.repeat(np.arange(len(backwards)), np.diff(indptr))
    rows = np.arange(len(node))
    mirrored = indptr[segment] + indptr[segment + 1] - 1 - rows
    return node[np.where(backwards[segment], mirrored, rows)]


def to_networkx(network: WalkNetwork) -> nx.MultiDiGraph:
    """Return the network as a graph in the form OSMnx uses: nodes with ``x`` and ``y``, edges with ``length``.

    Each direction that can be walked is an edge with its segment as the key, ``length`` and ``cost`` (metres on the
    flat), ``private`` and ``closed``. Private and closed edges carry a rule that a plain shortest path does not know.
    """
    graph = nx.MultiDiGraph()
    graph.add_nodes_from((i, {"x": x, "y": y}) for i, (x, y) in enumerate(network.xy_m.tolist()))
    costs: tuple[FloatArray, FloatArray] = (network.forward_m, network.backward_m)
    for (a, b), cost in zip(((0, 1), (1, 0)), costs, strict=True):
        rows = zip(
            network.ends[:, a].tolist(),
            network.ends[:, b].tolist(),
            network.length_m.tolist(),
            cost.tolist(),
            network.private.tolist(),
            network.closed.tolist(),
            strict=True,
        )
        graph.add_edges_from(
            (u, v, i, {"length": length, "cost": metres, "private": private, "closed": closed})
            for i, (u, v, length, metres, private, closed) in enumerate(rows)
            if np.isfinite(metres)
        )
    return graph
