"""An OpenStreetMap file, read once for every layer that is in it.

Only the objects that a layer's filter lets through are kept, and the places of nodes. A relation's members have mostly
gone by before it is known to be wanted, so where a layer takes relations the nodes of every way are kept, as flat
arrays. Objects may come in any order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
import pandas as pd

from lifecircle.mark import MARK, is_marked
from lifecircle.model import FloatArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.readers.files import unpack
from lifecircle.readers.inputs import Where
from lifecircle.readers.limits import USUAL, Limits
from lifecircle.readers.pbf import (
    NOWHERE,
    UNITS_PER_DEGREE,
    Block,
    Nodes,
    Relations,
    Tags,
    Ways,
    blobs,
    block_of,
    header_box,
)
from lifecircle.readers.wire import BROKEN
from lifecircle.said import Said
from lifecircle.schema import NODE_TAGS, STREET_TAGS

ATTRIBUTION = "© OpenStreetMap contributors (ODbL 1.0)"

Box = tuple[float, float, float, float]

NODES_ONLY = frozenset({"entrances"})
WAYS_ONLY = frozenset({"streets"})
"""Layers that take one type of object; the others take every type."""

_WAY_MEMBER = 1


@dataclass(frozen=True)
class Found:
    """An object that a layer's filter lets through.

    ``id`` is the type's letter and the number (``n1``, ``w1``, ``r1``); ``key`` and ``kind`` are the first key of the
    filter that it met and its value. ``way`` is its row among the ways (-1: not a way), ``lonlat`` its place (None: not
    a node, or a node without one), ``members`` the ids of its member ways and whether each bounds a hole.
    """

    id: str
    key: str
    kind: str
    tags: Mapping[str, str]
    way: int = -1
    lonlat: tuple[float, float] | None = None
    members: tuple[tuple[int, bool], ...] = ()


@dataclass(frozen=True, eq=False)
class Tagged(ReadOnlyArrays):
    """Objects of the street layer, which are too many to be kept one by one: ``tags`` has a text column for each key.

    ``number`` (n,) is what the file numbers them by, ``way`` their rows among the ways (-1 for nodes).
    """

    number: LongArray
    way: LongArray
    tags: pd.DataFrame


@dataclass(frozen=True, eq=False)
class OsmExtract(ReadOnlyArrays):
    """What was kept of a file.

    ``streets`` are the ways that the filter of that layer lets through, with `lifecircle.schema.STREET_TAGS`;
    ``street_nodes`` are all nodes that bear one of `lifecircle.schema.NODE_TAGS`, on a street or not; ``found`` has the
    objects of every other layer.

    Way ``i`` runs through the nodes ``node[indptr[i]:indptr[i + 1]]``: rows of ``number``, what the file numbers each
    by, and of ``lonlat`` (n_nodes, 2), degrees, NaN where the file does not hold the node. ``way_row`` finds
    a way's row by its number. ``box`` is what the file says it covers (west, south, east, north, degrees), None where
    it does not say. ``marks`` has for each layer whether its objects say that they are made up: none, all or some.
    """

    streets: Tagged
    street_nodes: Tagged
    found: Mapping[str, tuple[Found, ...]]
    indptr: LongArray
    node: LongArray
    number: LongArray
    lonlat: FloatArray
    way_row: Mapping[int, int]
    box: Box | None
    marks: Mapping[str, Set[bool]]


def read_osm(path: Path, wanted: Mapping[str, Where], *, limits: Limits = USUAL) -> OsmExtract:
    """Read a PBF or XML file in one pass.

    Blobs of a kind that the format does not know are passed over, as it asks; a file of nothing else is refused.

    Parameters
    ----------
    wanted
        The filter of each layer, by the layer's name; none of them empty.

    Raises
    ------
    ValueError, OSError, RuntimeError
        When the file breaks off, is damaged, or unpacks to more than ``limits`` allow.
    """
    keeper = _Keeper(wanted)
    box = None
    kinds = set()
    for kind, content in _blobs_of(path, limits):
        kinds.add(kind)
        if kind == b"OSMHeader":
            box = header_box(content)
        elif kind == b"OSMData":
            keeper.keep(block_of(content))
    if b"OSMData" not in kinds and len(kinds) > 1:
        raise ValueError(BROKEN)
    return keeper.extract(box)


def _blobs_of(path: Path, limits: Limits) -> Iterator[tuple[bytes, bytes]]:
    """Yield the blobs of a PBF, or of what libosmium makes of an XML file."""
    if path.name.lower().endswith(".pbf"):
        yield from blobs(path, limits=limits)
        return
    with tempfile.TemporaryDirectory() as folder:
        plain, made = Path(folder) / "plain.osm", Path(folder) / "made.osm.pbf"
        unpack(path, plain, limits=limits)
        target = osmium.io.File(made, "pbf,pbf_compression=none,add_metadata=false")
        try:
            with (
                osmium.io.Reader(osmium.io.File(plain)) as reader,
                osmium.SimpleWriter(target, header=reader.header()) as writer,
            ):
                osmium.apply(reader, writer)
        except osmium.InvalidLocationError as error:
            message = Said("{}; mend the place, or export the file again", error)
            raise ValueError(message) from error
        yield from blobs(made, limits=limits)


class _Keeper:
    """Takes in block after block what the layers want of it."""

    def __init__(self, wanted: Mapping[str, Where]) -> None:
        self.streets = wanted.get("streets", ())
        others = {layer: where for layer, where in wanted.items() if layer not in WAYS_ONLY}
        solid = {layer: where for layer, where in others.items() if layer not in NODES_ONLY}
        self.of_type = {"n": others, "w": solid, "r": solid}
        self.found: dict[str, list[Found]] = {layer: [] for layer in others}
        self.nodes: list[tuple[LongArray, IntArray, IntArray]] = []
        self.way_number: list[LongArray] = []
        self.sizes: list[LongArray] = []
        self.refs: list[LongArray] = []
        self.n_ways = 0
        self.marks: dict[str, set[bool]] = {layer: set() for layer in wanted}
        self.street_ways = _Columns(STREET_TAGS)
        self.street_nodes = _Columns(NODE_TAGS)

    def keep(self, block: Block) -> None:
        """Take in a block."""
        self._keep_nodes(block, block.nodes)
        self._keep_ways(block, block.ways)
        self._keep_relations(block, block.relations)

    def _keep_nodes(self, block: Block, nodes: Nodes) -> None:
        self.nodes.append((nodes.number, nodes.lon, nodes.lat))
        for layer, row, key, kind, tags in self._matches("n", block, nodes.tags, len(nodes.number)):
            lon, lat = int(nodes.lon[row]), int(nodes.lat[row])
            lonlat = None if lon == NOWHERE else (lon / UNITS_PER_DEGREE, lat / UNITS_PER_DEGREE)
            self.found[layer].append(Found(f"n{nodes.number[row]}", key, kind, tags, lonlat=lonlat))
        if self.streets:
            known = [row for tag in NODE_TAGS if (row := block.row_of.get(tag.encode(), -1)) >= 0]
            rows = np.unique(nodes.tags.row[np.isin(nodes.tags.key, known)])
            self.street_nodes.add(block, nodes.tags, rows, nodes.number[rows], np.full(len(rows), -1))

    def _keep_ways(self, block: Block, ways: Ways) -> None:
        n = len(ways.number)
        street, _ = _met(block, ways.tags, n, self.streets)
        kept = np.ones(n, dtype=bool) if self.of_type["w"] else street >= 0
        row_of = self.n_ways + np.cumsum(kept) - 1
        rows = np.flatnonzero(street >= 0)
        self.street_ways.add(block, ways.tags, rows, ways.number[rows], row_of[rows])
        if self.streets:
            self.marks["streets"].update(_marks(block, ways.tags, rows))
        for layer, row, key, kind, tags in self._matches("w", block, ways.tags, n):
            self.found[layer].append(Found(f"w{ways.number[row]}", key, kind, tags, way=int(row_of[row])))
        sizes = np.diff(ways.indptr)
        self.refs.append(ways.ref[np.repeat(kept, sizes)])
        self.sizes.append(sizes[kept])
        self.way_number.append(ways.number[kept])
        self.n_ways += int(kept.sum())

    def _keep_relations(self, block: Block, relations: Relations) -> None:
        inner = np.isin(relations.role, [block.row_of.get(role, -1) for role in (b"inner", b"enclave")])
        for layer, row, key, kind, tags in self._matches("r", block, relations.tags, len(relations.number)):
            members: tuple[tuple[int, bool], ...] = ()
            if tags.get("type") in ("multipolygon", "boundary"):
                span = np.arange(relations.indptr[row], relations.indptr[row + 1])
                span = span[relations.type[span] == _WAY_MEMBER]
                members = tuple(zip(relations.member[span].tolist(), inner[span].tolist(), strict=True))
            self.found[layer].append(Found(f"r{relations.number[row]}", key, kind, tags, members=members))

    def _matches(
        self, letter: str, block: Block, tags: Tags, n: int
    ) -> Iterator[tuple[str, int, str, str, dict[str, str]]]:
        """Yield layer, row, key, kind and all tags of each object that a layer of single objects wants."""

        def text(row: int) -> str:
            return block.texts[row].decode(errors="replace")

        for layer, where in self.of_type[letter].items():
            key, value = _met(block, tags, n, where)
            rows = np.flatnonzero(key >= 0)
            begins, ends = np.searchsorted(tags.row, rows), np.searchsorted(tags.row, rows, side="right")
            for row, begin, end in zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True):
                pairs = zip(tags.key[begin:end].tolist(), tags.value[begin:end].tolist(), strict=True)
                said = {text(k): text(v) for k, v in pairs}
                self.marks[layer].add(is_marked(said))
                yield layer, row, text(key[row]), text(value[row]), said

    def extract(self, box: Box | None) -> OsmExtract:
        """Return what was kept, every node of a way with its place."""
        number, lon, lat = (np.concatenate(parts) for parts in zip(_NO_NODES, *self.nodes, strict=True))
        node, number, lonlat = _through(np.concatenate([_NONE, *self.refs]), number, lon, lat)
        way_number = np.concatenate([_NONE, *self.way_number]).tolist()
        return OsmExtract(
            streets=self.street_ways.tagged(),
            street_nodes=self.street_nodes.tagged(),
            found={layer: tuple(objects) for layer, objects in self.found.items()},
            indptr=np.cumsum(np.concatenate([[0], *self.sizes]), dtype=np.int64),
            node=node,
            number=number,
            lonlat=lonlat,
            way_row=dict(zip(way_number, range(self.n_ways), strict=True)),
            box=box,
            marks=self.marks,
        )


_NONE = np.empty(0, dtype=np.int64)
_NO_NODES = (_NONE, np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))


class _Columns:
    """Chosen tags of many objects as columns, each text kept once."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        self.row_of: dict[bytes, int] = {b"": 0}
        self.parts: list[tuple[LongArray, LongArray, IntArray]] = []

    def add(self, block: Block, tags: Tags, rows: LongArray, number: LongArray, way: LongArray) -> None:
        """Take in the objects in ``rows`` of a block."""
        absent = len(block.texts)
        column_of, place_of = np.full(absent + 1, -1), np.full(int(tags.row.max(initial=-1)) + 1, -1)
        for i, key in enumerate(self.keys):
            column_of[block.row_of.get(key.encode(), absent)] = i
        column_of[absent] = -1
        place_of[rows] = np.arange(len(rows))
        column, place = column_of[tags.key], place_of[tags.row]
        here = (column >= 0) & (place >= 0)
        theirs = np.full((len(self.keys), len(rows)), absent)
        theirs[column[here], place[here]] = tags.value[here]
        used = np.zeros(absent + 1, dtype=bool)
        used[theirs] = True
        ours = np.zeros(absent + 1, dtype=np.int32)
        for row in np.flatnonzero(used[:absent]).tolist():
            ours[row] = self.row_of.setdefault(block.texts[row], len(self.row_of))
        self.parts.append((number, way, ours[theirs]))

    def tagged(self) -> Tagged:
        """Return the objects in the order in which they came."""
        texts = pd.array([known.decode(errors="replace") for known in self.row_of], dtype="str")
        nothing = (_NONE, _NONE, np.empty((len(self.keys), 0), dtype=np.int32))
        number, way, text = (np.concatenate(arrays, axis=-1) for arrays in zip(nothing, *self.parts, strict=True))
        return Tagged(number, way, pd.DataFrame({key: texts.take(text[i]) for i, key in enumerate(self.keys)}))


def _met(block: Block, tags: Tags, n: int, where: Where) -> tuple[LongArray, LongArray]:
    """Return (n,) the first key of the first table that each object meets, and its value: texts of the block, or -1."""
    key, value = np.full(n, -1), np.full(n, -1)
    for table in reversed(where):
        met = np.ones(n, dtype=bool)
        for name, values in table.items():
            here = tags.key == block.row_of.get(name.encode(), -1)
            if values:
                here &= np.isin(tags.value, [block.row_of.get(v.encode(), -1) for v in values])
            met &= np.bincount(tags.row[here], minlength=n) > 0
        first = block.row_of.get(next(iter(table)).encode(), -1)
        here = tags.key == first
        here[here] = met[tags.row[here]]
        key[met], value[tags.row[here]] = first, tags.value[here]
    return key, value


def _marks(block: Block, tags: Tags, rows: LongArray) -> set[bool]:
    """Return whether the objects in ``rows`` bear the mark: none, all or some."""
    keys = [row for text, row in block.row_of.items() if text.lower() == MARK.encode()]
    here = np.isin(tags.key, keys)
    here[here] = np.isin(tags.row[here], rows)
    texts = (block.texts[v].decode(errors="replace") for v in np.unique(tags.value[here]).tolist())
    unmarked = {False} if len(np.unique(tags.row[here])) < len(rows) else set()
    return {is_marked({MARK: text}) for text in texts} | unmarked


def _through(
    ref: LongArray, number: LongArray, lon: IntArray, lat: IntArray
) -> tuple[LongArray, LongArray, FloatArray]:
    """Return the nodes that ways run through: their rows, and of each its number and place, degrees.

    A node that is not there has no place (NaN); of a node told twice the last counts.
    """
    if (np.diff(number) <= 0).any():
        order = np.argsort(number, kind="stable")
        order = order[np.append(np.diff(number[order]) > 0, True)]
        number, lon, lat = number[order], lon[order], lat[order]
    row = pd.Index(number).get_indexer(ref)
    here = row >= 0
    lost, of_lost = np.unique(ref[~here], return_inverse=True)
    used = np.zeros(len(number), dtype=bool)
    used[row[here]] = True
    node = np.empty(len(ref), dtype=np.int64)
    node[here] = (np.cumsum(used) - 1)[row[here]]
    node[~here] = used.sum() + of_lost
    lonlat = np.full((int(used.sum()) + len(lost), 2), np.nan)
    placed = np.flatnonzero(lon[used] != NOWHERE)
    lonlat[placed] = np.stack([lon[used], lat[used]], axis=1)[placed] / UNITS_PER_DEGREE
    return node, np.concatenate([number[used], lost]), lonlat
