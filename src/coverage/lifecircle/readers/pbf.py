"""OpenStreetMap's PBF, block by block: nodes, ways and relations with their tags, as arrays.

The file is a run of blobs, each packed on its own; each unpacks to a block of some thousand objects and the texts of
their tags. Decoding by the block is several times as fast as by the object (decision 11), and
a file that breaks off or is damaged is never read in part.

Source: OpenStreetMap wiki, "PBF Format", and osmformat.proto of the project OSM-binary (S. Kilian and others, 2010).
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lifecircle.model import BoolArray, IntArray, LongArray, ReadOnlyArrays
from lifecircle.readers.files import BREAKS_OFF
from lifecircle.readers.limits import MB, USUAL, Limits
from lifecircle.readers.wire import (
    BROKEN,
    CROWDED,
    MOST_PARTS,
    ByteArray,
    Fields,
    fields,
    parts,
    summed,
    unzigzag,
)
from lifecircle.said import Said

NOWHERE = 2**31 - 1
"""Longitude and latitude of a node that has no place."""

UNITS_PER_DEGREE = 10**7

_MOST_HEADER = 64 * 1024
_MOST_BLOB = 32 * 1024 * 1024
"""Limits of the format itself."""

_MOST_LZMA = 4 * _MOST_BLOB
"""Memory to unpack a blob with: LZMA takes what the packed bytes ask for, 65 MiB at its highest preset."""

_NANO = 100
_MOST_NANO = 10**9
"""Billionths of a degree: in a unit of ours, and in the coarsest that a block may count in."""

_PLAIN, _ZLIB, _LZMA = 1, 3, 4
_UNREAD = {5: "bzip2", 6: "lz4", 7: "zstd"}
"""How a blob is packed, by the number of the field that holds it."""

_NODE, _DENSE, _WAY, _RELATION = 1, 2, 3, 4
_GRANULARITY, _LAT_OFFSET, _LON_OFFSET = 17, 19, 20
"""Numbers of fields: what a group of a block holds, and how a block counts degrees."""

_KNOWN_FEATURES = {b"OsmSchema-V0.6", b"DenseNodes"}


@dataclass(frozen=True, eq=False)
class Tags(ReadOnlyArrays):
    """Tags of objects: the row of the object, and the key and the value as rows of the block's texts."""

    row: LongArray
    key: LongArray
    value: LongArray


@dataclass(frozen=True, eq=False)
class Nodes(ReadOnlyArrays):
    """Nodes of a block; ``lon`` and ``lat`` in units of 1e-7 degree, `NOWHERE` where a node has no place."""

    number: LongArray
    lon: IntArray
    lat: IntArray
    tags: Tags


@dataclass(frozen=True, eq=False)
class Ways(ReadOnlyArrays):
    """Ways of a block: way ``i`` runs through the nodes ``ref[indptr[i]:indptr[i + 1]]``."""

    number: LongArray
    indptr: LongArray
    ref: LongArray
    tags: Tags


@dataclass(frozen=True, eq=False)
class Relations(ReadOnlyArrays):
    """Relations of a block: members ``indptr[i]:indptr[i + 1]``, each a number, a type (1: way) and a role's text."""

    number: LongArray
    indptr: LongArray
    member: LongArray
    type: LongArray
    role: LongArray
    tags: Tags


@dataclass(frozen=True, eq=False)
class Block:
    """A block: its texts, each once, and its objects."""

    texts: list[bytes]
    row_of: dict[bytes, int]
    nodes: Nodes
    ways: Ways
    relations: Relations


def blobs(path: Path, *, limits: Limits = USUAL) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the unpacked content of each blob; the first is always the header.

    Raises
    ------
    ValueError
        When the file breaks off, is damaged, is packed in a way that is not read, or unpacks to too much.
    """
    unpacked = 0
    with path.open("rb") as file:
        while prefix := file.read(4):
            size = int.from_bytes(prefix, "big")
            if len(prefix) < 4 or not 0 < size <= _MOST_HEADER:
                raise ValueError(BREAKS_OFF if len(prefix) < 4 else BROKEN)
            header = _exactly(file.read(size), size)
            kind, packed_size = b"", -1
            for number, begin, end in parts(header, 0, size):
                if number == 1 and end >= 0:
                    kind = header[begin:end]
                elif number == 3 and end < 0:
                    packed_size = begin
            # The format lets a reader pass over other kinds. None is in use, and a damaged letter would lose a block.
            if not 0 <= packed_size <= _MOST_BLOB or kind != (b"OSMData" if unpacked else b"OSMHeader"):
                raise ValueError(BROKEN)
            content = _unpacked(_exactly(file.read(packed_size), packed_size))
            unpacked += max(len(content), 1)
            limits.hold("unpacked_mb", unpacked / MB)
            yield kind, content
    if not unpacked:
        raise ValueError(BREAKS_OFF)


def _exactly(content: bytes, size: int) -> bytes:
    if len(content) < size:
        raise ValueError(BREAKS_OFF)
    return content


def _unpacked(blob: bytes) -> bytes:
    """Return a blob's content; never more than the format allows, whatever the packed bytes unpack to."""
    form, packed, size = 0, b"", -1
    for number, begin, end in parts(blob, 0, len(blob)):
        if number == 2 and end < 0:
            size = begin
        elif number != 2 and end >= 0:
            form, packed = number, blob[begin:end]
    if form == _PLAIN:
        return packed
    if form in _UNREAD:
        message = Said(
            "its blocks are packed with {}, which is not read; write them anew with osmium cat", _UNREAD[form]
        )
        raise ValueError(message)
    if form not in (_ZLIB, _LZMA) or not 0 <= size <= _MOST_BLOB:
        raise ValueError(BROKEN)
    unpacker = zlib.decompressobj() if form == _ZLIB else lzma.LZMADecompressor(memlimit=_MOST_LZMA)
    try:
        content = unpacker.decompress(packed, size + 1)
    except (zlib.error, lzma.LZMAError) as error:
        raise ValueError(BROKEN) from error
    if len(content) != size or not unpacker.eof:
        raise ValueError(BROKEN)
    return content


def header_box(content: bytes) -> tuple[float, float, float, float] | None:
    """Return what a file says it covers (west, south, east, north, degrees), None where it does not say.

    Raises
    ------
    ValueError
        When reading the file takes more than is known here: a file of changes or with history.
    """
    box = None
    for number, begin, end in parts(content, 0, len(content)):
        if number == 1 and end >= 0:
            sides = fields(np.frombuffer(content, dtype=np.uint8), np.array([begin]), np.array([end]))
            west, east, north, south = (float(unzigzag(sides.values(side))[0]) / 1e9 for side in (1, 2, 3, 4))
            box = (west, south, east, north) if west <= east and south <= north else None
        elif number == 4 and end >= 0 and content[begin:end] not in _KNOWN_FEATURES:
            feature = content[begin:end].decode(errors="replace")
            message = Said("needs {}, which is not read; use a plain extract of today's data", feature)
            raise ValueError(message)
    return box


def block_of(content: bytes) -> Block:
    """Return the objects of an unpacked block.

    Raises
    ------
    ValueError
        When the block is not one, or holds more texts and objects than any does.
    """
    n_parts = 0
    texts: list[bytes] = []
    messages: dict[int, list[tuple[int, int]]] = {kind: [] for kind in (_NODE, _DENSE, _WAY, _RELATION)}
    unit = {_GRANULARITY: _NANO, _LAT_OFFSET: 0, _LON_OFFSET: 0}
    for number, begin, end in parts(content, 0, len(content)):
        if number in (1, 2) and end >= 0:
            inner = parts(content, begin, end)
            n_parts += len(inner)
            if n_parts > MOST_PARTS:
                raise ValueError(CROWDED)
            if number == 1:
                texts = [content[first:last] for n, first, last in inner if n == 1 and last >= 0]
                continue
            for kind, first, last in inner:
                if kind in messages and last >= 0:
                    messages[kind].append((first, last))
        elif number in unit and end < 0:
            unit[number] = begin
    data = np.frombuffer(content, dtype=np.uint8)
    row_of: dict[bytes, int] = {}
    alias = np.array([row_of.setdefault(text, row) for row, text in enumerate(texts)], dtype=np.int64)
    return Block(
        texts=texts,
        row_of=row_of,
        nodes=_nodes(data, messages[_DENSE], messages[_NODE], alias, unit),
        ways=_ways(data, messages[_WAY], alias),
        relations=_relations(data, messages[_RELATION], alias),
    )


def _messages(data: ByteArray, spans: list[tuple[int, int]]) -> Fields:
    begin, end = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    return fields(data, begin, end)


def _tags(data: ByteArray, messages: Fields, alias: LongArray) -> Tags:
    """Return the tags of objects that keep keys and values in fields 2 and 3."""
    key, indptr = messages.packed(data, 2)
    value, again = messages.packed(data, 3)
    if not np.array_equal(indptr, again):
        raise ValueError(BROKEN)
    row = np.repeat(np.arange(messages.n_messages), np.diff(indptr))
    return Tags(row, _texts(key, alias), _texts(value, alias))


def _texts(row: LongArray, alias: LongArray) -> LongArray:
    """Return rows of texts, of equal texts the first; refuse rows that the block does not have."""
    if len(row) and (row.min() < 0 or row.max() >= len(alias)):
        raise ValueError(BROKEN)
    return alias[row]


def _ways(data: ByteArray, spans: list[tuple[int, int]], alias: LongArray) -> Ways:
    messages = _messages(data, spans)
    step, indptr = messages.packed(data, 8)
    return Ways(messages.values(1), indptr, summed(unzigzag(step), indptr), _tags(data, messages, alias))


def _relations(data: ByteArray, spans: list[tuple[int, int]], alias: LongArray) -> Relations:
    messages = _messages(data, spans)
    step, indptr = messages.packed(data, 9)
    role, of_role = messages.packed(data, 8)
    kind, of_kind = messages.packed(data, 10)
    if not (np.array_equal(indptr, of_role) and np.array_equal(indptr, of_kind)):
        raise ValueError(BROKEN)
    member = summed(unzigzag(step), indptr)
    tags = _tags(data, messages, alias)
    return Relations(messages.values(1), indptr, member, kind, _texts(role, alias), tags)


def _nodes(
    data: ByteArray,
    dense: list[tuple[int, int]],
    single: list[tuple[int, int]],
    alias: LongArray,
    unit: Mapping[int, int],
) -> Nodes:
    """Return the nodes of both forms that the format has: many in one message, and each in its own."""
    packed = _messages(data, dense)
    (id_step, indptr), (lat_step, of_lat), (lon_step, of_lon) = (packed.packed(data, field) for field in (1, 8, 9))
    if not (np.array_equal(indptr, of_lat) and np.array_equal(indptr, of_lon)):
        raise ValueError(BROKEN)
    number, lat, lon = (summed(unzigzag(step), indptr) for step in (id_step, lat_step, lon_step))
    tags = _dense_tags(*packed.packed(data, 10), np.diff(indptr), alias)
    if single:
        messages = _messages(data, single)
        more = _tags(data, messages, alias)
        tags = Tags(
            np.concatenate([tags.row, more.row + len(number)]),
            np.concatenate([tags.key, more.key]),
            np.concatenate([tags.value, more.value]),
        )
        number, lat, lon = (
            np.concatenate([many, unzigzag(messages.values(field))])
            for many, field in ((number, 1), (lat, 8), (lon, 9))
        )
    lon = _units(lon, unit[_GRANULARITY], unit[_LON_OFFSET])
    lat = _units(lat, unit[_GRANULARITY], unit[_LAT_OFFSET])
    nowhere = _beyond(lon, 180) | _beyond(lat, 90)
    lon[nowhere] = lat[nowhere] = NOWHERE
    return Nodes(number, lon.astype(np.int32), lat.astype(np.int32), tags)


def _beyond(value: LongArray, degrees: int) -> BoolArray:
    return (value < -degrees * UNITS_PER_DEGREE) | (value > degrees * UNITS_PER_DEGREE)


def _units(value: LongArray, granularity: int, offset: int) -> LongArray:
    """Return degrees in our units from a block's own: so many billionths each, counted from ``offset`` billionths."""
    if (granularity, offset) == (_NANO, 0):
        return value
    offset -= 2**64 if offset >= 2**63 else 0
    if not 0 < granularity <= _MOST_NANO or abs(offset) > 360 * _MOST_NANO:
        raise ValueError(BROKEN)
    return (offset + granularity * value) // _NANO


def _dense_tags(run: LongArray, indptr: LongArray, n_nodes: LongArray, alias: LongArray) -> Tags:
    """Return the tags of dense nodes: key, value, key, value, ..., 0 for each node; nothing where none of them has any.

    ``n_nodes`` are the nodes of each message, ``run[indptr[i]:indptr[i + 1]]`` the tags of its nodes.
    """
    tagged = np.diff(indptr) > 0
    stop = run == 0
    stops = np.concatenate([[0], np.cumsum(stop)])
    per_message = stops[indptr[1:]] - stops[indptr[:-1]]
    first_node = np.cumsum(n_nodes) - n_nodes
    ends = np.flatnonzero(stop)
    lengths = np.diff(ends, prepend=-1) - 1
    if (per_message[tagged] != n_nodes[tagged]).any() or (lengths % 2).any() or (len(run) and not stop[-1]):
        raise ValueError(BROKEN)
    node = (
        np.repeat(first_node, per_message)
        + np.arange(len(ends))
        - np.repeat(np.cumsum(per_message) - per_message, per_message)
    )
    text = run[~stop]
    return Tags(np.repeat(node, lengths // 2), _texts(text[::2], alias), _texts(text[1::2], alias))
