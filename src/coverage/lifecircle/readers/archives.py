"""A zip that came from someone else: looked through before any library opens it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lifecircle.readers.limits import MB, Limits
from lifecircle.said import Said

MOST_ENTRIES = 10_000
MOST_RATIO = 100
"""What a file may unpack to for each of its bytes, once it is larger than `_ALWAYS_BYTES`: tables come to 30."""

_ALWAYS_BYTES = 2**24
_CHUNK = 2**20
_LOCAL_HEAD = struct.Struct("<26x2H")
_ENCRYPTED = 1
_WORKBOOK = ("[Content_Types].xml", "xl/workbook.xml")


def problem_of_workbook(path: Path, limits: Limits) -> str:
    """Return why a zip is no workbook that may be opened, empty when it is one.

    Only what the archive states of itself is read here; `parts` holds it to that.

    Raises
    ------
    OverLimitError
        When it unpacks to more than ``limits`` allow.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError):
        return "it is damaged; save it again"
    names = {entry.filename for entry in entries}
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES:
        return Said("it holds more than {} entries", MOST_ENTRIES)
    if len(names) < len(entries) or any(_leaves(name) for name in names):
        return "it holds entries that lie outside of it or twice in it"
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        return "it is locked with a password; save it without"
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        return "it is packed in a way that workbooks are not; save it again"
    limits.hold("unpacked_mb", unpacked / MB)
    if is_blown_up(unpacked, path.stat().st_size):
        return Said(
            "it unpacks to more than {} times its size; save it again, without the blank rows and columns", MOST_RATIO
        )
    if not names.issuperset(_WORKBOOK):
        return "it is no workbook of Excel's; save it as .xlsx"
    return ""


def is_blown_up(unpacked_bytes: int, packed_bytes: int) -> bool:
    """Return whether a file unpacks to more than any that was made to be read."""
    return unpacked_bytes > max(_ALWAYS_BYTES, MOST_RATIO * packed_bytes)


def parts(path: Path, folder: str) -> Iterator[Iterator[bytes]]:
    """Yield the content of every entry below a folder, piece by piece.

    Raises
    ------
    ValueError
        When an entry is not what the archive states of it.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for entry in archive.infolist():
            if entry.filename.startswith(folder) and not entry.is_dir():
                yield _content(file, entry)


def _content(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what an entry really unpacks to; the library's own reader stops at the size that is stated."""
    file.seek(entry.header_offset)
    head = file.read(_LOCAL_HEAD.size)
    if len(head) < _LOCAL_HEAD.size:
        raise ValueError("it breaks off in the middle; save it again")
    file.seek(entry.header_offset + _LOCAL_HEAD.size + sum(_LOCAL_HEAD.unpack(head)))
    packed_bytes, unpacked_bytes = entry.compress_size, 0
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while packed_bytes > 0 and (packed := file.read(min(_CHUNK, packed_bytes))):
        packed_bytes -= len(packed)
        while packed:
            try:
                piece = unpacker.decompress(packed, _CHUNK) if unpacker else packed
            except zlib.error as error:
                raise ValueError("it is damaged; save it again") from error
            packed = unpacker.unconsumed_tail if unpacker else b""
            unpacked_bytes += len(piece)
            if unpacked_bytes > entry.file_size:
                raise ValueError("it unpacks to more than it states")
            yield piece


def _leaves(name: str) -> bool:
    """Return whether a path of an entry leads out of the archive."""
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
