"""Rings out of ways, polygons out of rings, and what is done when a piece of a ring is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from lifecircle.model import BoolArray, FloatArray, LongArray
from lifecircle.readers.limits import USUAL
from lifecircle.readers.osm import Found, OsmExtract
from lifecircle.readers.tangles import are_hopeless, can_be_mended

Geometries = npt.NDArray[np.object_]

_EARTH = Geod(ellps="WGS84")
_MOST_RINGS = 20_000
_MOST_OPEN = 500
"""Open pieces of one ring: of more, the file has lost the ring, and joining them takes the square of them."""


@dataclass(frozen=True)
class Ring:
    """A closed line of at least four points, degrees; ``gap_m`` is how much of it had to be drawn straight."""

    lonlat: FloatArray
    gap_m: float


@dataclass(frozen=True, eq=False)
class Polygons:
    """A polygon for each object, None where there is none.

    Of relations also: ``gap_m``, the metres of their outer rings that had to be drawn straight, ``held``, the share of
    their ways that the file holds, and whether a ring crossed itself and was ``mended``.
    """

    geometry: Geometries
    gap_m: FloatArray
    held: FloatArray
    mended: BoolArray

    def taking(self, keep: BoolArray) -> Polygons:
        """Return the polygons of some of the objects."""
        return Polygons(self.geometry[keep], self.gap_m[keep], self.held[keep], self.mended[keep])


def polygons(extract: OsmExtract, found: Sequence[Found]) -> Polygons:
    """Make the polygons of closed ways and of multipolygon relations.

    Nodes without a place are passed over. A relation's open rings are closed by straight lines between the ends that
    lie nearest to each other; open ways make no polygon.
    """
    geometry: Geometries = np.full(len(found), None, dtype=object)
    gap_m, held, mended = np.zeros(len(found)), np.ones(len(found)), np.zeros(len(found), dtype=bool)
    way = np.array([f.way for f in found], dtype=np.int64)
    geometry[way >= 0] = _of_ways(extract, way[way >= 0])
    geometry[are_hopeless(geometry, USUAL)] = None
    for i, relation in enumerate(found):
        if relation.members:
            outer, inner = (_rings(extract, relation, holes=holes) for holes in (False, True))
            if not _can_be_filled(_surfaces(outer + inner)):
                continue
            geometry[i] = _filled(outer, inner)
            gap_m[i] = sum(ring.gap_m for ring in outer)
            held[i] = np.mean([number in extract.way_row for number, _ in relation.members])
            mended[i] = not shapely.is_valid(_surfaces(outer + inner)).all()
    return Polygons(geometry, gap_m, held, mended)


def lines(extract: OsmExtract, way: LongArray) -> Geometries:
    """Return the line of each way, None where fewer than two nodes have a place."""
    _, lonlat, of = _nodes(extract, way)
    sizes = np.bincount(of, minlength=len(way))
    enough = sizes[of] >= 2
    made: Geometries = np.full(len(way), None, dtype=object)
    if enough.any():
        kept, of = np.unique(of[enough], return_inverse=True)
        made[kept] = shapely.linestrings(lonlat[enough], indices=of)
    return made


def is_closed(extract: OsmExtract, way: LongArray) -> BoolArray:
    """Return which ways end at the node where they begin."""
    begins, ends = extract.indptr[way], extract.indptr[way + 1]
    filled = ends - begins >= 4
    closed: BoolArray = filled.copy()
    closed[filled] = extract.node[begins[filled]] == extract.node[ends[filled] - 1]
    return closed


def _nodes(extract: OsmExtract, way: LongArray) -> tuple[LongArray, FloatArray, LongArray]:
    """Return rows, places and position in ``way`` of the nodes that have a place."""
    sizes = extract.indptr[way + 1] - extract.indptr[way]
    of = np.repeat(np.arange(len(way)), sizes)
    rows = np.repeat(extract.indptr[way] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(of))
    node = extract.node[rows]
    node, of = node[here := ~np.isnan(extract.lonlat[node, 0])], of[here]
    return node, extract.lonlat[node], of


def _of_ways(extract: OsmExtract, way: LongArray) -> Geometries:
    made: Geometries = np.full(len(way), None, dtype=object)
    _, lonlat, of = _nodes(extract, way)
    sizes = np.bincount(of, minlength=len(way))
    first = np.cumsum(sizes) - sizes
    good = is_closed(extract, way) & (sizes >= 4)
    # A way whose first node has no place has lost its closing point on both ends: it is open now.
    whole = np.flatnonzero(good)
    good[whole] = (lonlat[first[whole]] == lonlat[first[whole] + sizes[whole] - 1]).all(axis=1)
    if good.any():
        numbered = np.cumsum(good) - 1
        inside = good[of]
        made[good] = shapely.polygons(shapely.linearrings(lonlat[inside], indices=numbered[of[inside]]))
    return made


def _can_be_filled(surfaces: Geometries) -> bool:
    """Return whether rings are few and plain enough to be made valid and joined."""
    if len(surfaces) > _MOST_RINGS or are_hopeless(surfaces, USUAL).any():
        return False
    return bool(can_be_mended(surfaces[~shapely.is_valid(surfaces)], USUAL).all())


def _filled(outer: list[Ring], inner: list[Ring]) -> shapely.Geometry | None:
    """Return what lies in an outer ring and in no inner one, None for nothing."""
    solid, holes = (
        shapely.union_all(shapely.make_valid(_surfaces(rings), method="structure", keep_collapsed=False))
        for rings in (outer, inner)
    )
    area = shapely.difference(solid, holes)
    return None if area.is_empty else area


def _surfaces(rings: Sequence[Ring]) -> Geometries:
    made: Geometries = np.array([shapely.Polygon(ring.lonlat) for ring in rings], dtype=object)
    return made


def _rings(extract: OsmExtract, relation: Found, *, holes: bool) -> list[Ring]:
    """Join a relation's outer or inner ways, as far as the file holds them, into rings."""
    numbers = [number for number, hole in relation.members if hole == holes]
    way = np.array([extract.way_row[n] for n in numbers if n in extract.way_row], dtype=np.int64)
    node, lonlat, of = _nodes(extract, way)
    cuts = np.flatnonzero(np.diff(of)) + 1
    pieces = zip(np.split(node, cuts), np.split(lonlat, cuts), strict=True)
    closed, chains = _joined([(r, xy) for r, xy in pieces if len(r) >= 2])
    if len(chains) > _MOST_OPEN:
        return []
    rings = [Ring(xy, 0.0) for xy in closed] + _bridged(chains)
    return [ring for ring in rings if len(ring.lonlat) >= 4]


def _joined(pieces: list[tuple[LongArray, FloatArray]]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Join pieces at the nodes where they end; return what closes and what stays open."""
    closed: list[FloatArray] = []
    chains: list[FloatArray] = []
    while pieces:
        ref, lonlat = pieces.pop(0)
        while ref[0] != ref[-1]:
            at = next((i for i, (r, _) in enumerate(pieces) if ref[-1] in (r[0], r[-1])), None)
            if at is None:
                if not any(ref[0] in (r[0], r[-1]) for r, _ in pieces):
                    break
                ref, lonlat = ref[::-1], lonlat[::-1]
                continue
            more_ref, more_lonlat = pieces.pop(at)
            turn = slice(None) if more_ref[0] == ref[-1] else slice(None, None, -1)
            ref = np.concatenate([ref, more_ref[turn][1:]])
            lonlat = np.concatenate([lonlat, more_lonlat[turn][1:]])
        (closed if ref[0] == ref[-1] else chains).append(lonlat)
    return closed, chains


def _bridged(chains: list[FloatArray]) -> list[Ring]:
    """Close open chains: from each end straight to the nearest free end, be it the chain's own or another's."""
    rings = []
    while chains:
        chain, gap_m = chains.pop(0), 0.0
        while True:
            ends = np.array([chain[0], *(end for other in chains for end in (other[0], other[-1]))])
            here = np.broadcast_to(chain[-1], ends.shape)
            away_m = np.asarray(_EARTH.inv(*here.T, *ends.T)[2])
            nearest = int(np.argmin(away_m))
            gap_m += float(away_m[nearest])
            if nearest == 0:
                rings.append(Ring(np.concatenate([chain, chain[:1]]), gap_m))
                break
            other = chains.pop((nearest - 1) // 2)
            chain = np.concatenate([chain, other if nearest % 2 else other[::-1]])
    return rings
