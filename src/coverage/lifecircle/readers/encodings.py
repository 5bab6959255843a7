"""In which encoding texts are that do not say it: in UTF-8, or in GB 18030, which holds GBK and GB 2312."""

from __future__ import annotations

import codecs
import re
import struct
from itertools import takewhile
from pathlib import Path

import numpy as np

from lifecircle.errors import Breach
from lifecircle.said import Said

CHINESE = "gb18030"

_EVIDENCE_BYTES = 2**24
"""So much of a dBASE table is looked at."""

_COMMON = 0.6
"""Share of characters that must be everyday ones: letters of other encodings read as Chinese are rare characters."""

_LANGUAGE, _NO_LANGUAGE = 29, (0x00, 0x57)
"""Place of the byte that states the encoding, and what it is where it states none: nothing, or that of the machine."""

_FIRST_RARE = 0xD8
"""GB 2312 orders its 3,755 common characters by sound, and after them, from this byte on, the others by radical."""

_EAST_ASIAN = ("big5", "big5hkscs", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949")
"""Encodings whose texts may look like Chinese: a file that states one is believed."""

_BEYOND_2_BYTES = re.compile("[\u0600-\U0010ffff]")
"""No two bytes that are an everyday character of GB 18030 are one of these in UTF-8."""

_IN_A_WORD = re.compile("[A-Za-z][\u00c0-\u024f]|[\u00c0-\u024f][A-Za-z]")
"""A letter with an accent beside one without: Düsseldorf, Café."""

_CUT = re.compile("\ufffd(?!\n|$)")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_NAME, _TYPE, _LENGTH, _FIELD, _HEAD, _END = slice(0, 11), 11, 16, 32, 32, 0x0D


def recognise(texts: bytes) -> str:
    """Return the encoding of texts, "utf-8" or `CHINESE`, and empty where it is neither.

    Lines may end in the middle of a character, as those of fields of a fixed length do. A few Chinese characters may be
    UTF-8 by chance, such as 路 and 一, which read · and һ: what is Chinese throughout is taken for that.
    """
    try:
        plain = texts.decode("utf-8")
        if not texts.isascii() and not _BEYOND_2_BYTES.search(plain) and not _IN_A_WORD.search(plain):
            return CHINESE if _is_chinese(texts.decode(CHINESE, errors="replace"), share=1.0) else "utf-8"
    except UnicodeDecodeError:
        if not _CUT.search(texts.decode("utf-8", errors="replace")):
            return "utf-8"
        plain = texts.decode(CHINESE, errors="replace")
        return CHINESE if not _CUT.search(plain) and _is_chinese(plain) else ""
    return "utf-8"


def python_codec(stated: str) -> str:
    """Return the encoding that a .cpg file names, as Python calls it; empty where it names none of its own.

    ``936`` and ``ANSI 936`` are Windows' code pages; ``OEM`` and ``system`` are those of the machine that wrote them.
    """
    words = stated.strip().strip("\0\ufeff").lower().removeprefix("ansi").strip()
    name = f"cp{words}" if words.isdigit() else words
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return CHINESE if codec in ("gbk", "gb2312", "cp936", CHINESE) else codec


def is_believed(codec: str) -> bool:
    """Return whether a file that states this encoding may hold texts that only look like Chinese."""
    return codec in _EAST_ASIAN


def states_encoding(path: Path) -> bool:
    """Return whether a dBASE table says in which encoding it is."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return len(head) == _HEAD and head[_LANGUAGE] not in _NO_LANGUAGE


def texts_of_dbf(path: Path) -> bytes:
    """Return the names and the texts of a dBASE table as they are, a line each.

    Source of the places in the file: dBASE Table File Format, version 7, header and field descriptors.
    """
    with path.open("rb") as file:
        content = file.read(_EVIDENCE_BYTES)
    if len(content) < _HEAD:
        return b""
    head_bytes, row_bytes = struct.unpack("<2H", content[8:12])
    described = (content[i : i + _FIELD] for i in range(_HEAD, min(head_bytes, len(content)) - _FIELD, _FIELD))
    fields = list(takewhile(lambda field: field[0] != _END, described))
    lines = [field[_NAME].split(b"\0")[0] for field in fields]
    ends = 1 + np.cumsum([field[_LENGTH] for field in fields], dtype=np.int64)
    body = np.frombuffer(content[head_bytes:], dtype=np.uint8)
    if not fields or ends[-1] > row_bytes:
        return b"\n".join(lines)
    rows = body[: len(body) // row_bytes * row_bytes].reshape(-1, row_bytes)
    for field, end in zip(fields, ends, strict=True):
        if field[_TYPE] == ord("C") and field[_LENGTH]:
            cells = np.ascontiguousarray(rows[:, end - field[_LENGTH] : end])
            lines += np.unique(cells.view(f"S{field[_LENGTH]}")).tolist()
    return b"\n".join(lines)


def taken_encoding(layer: str, file: str, encoding: str) -> list[Breach]:
    """Tell in which encoding a file was read that does not say its own; ``encoding`` is empty where none fits."""
    if encoding:
        message: str = Said(
            'nothing says in which encoding its texts are; read as {}: state encoding = "{}"', encoding, encoding
        )
        return [Breach(layer, "missing-encoding", message, (file,), 1, "repair")]
    message = "nothing says in which encoding its texts are, and they may be garbled: state encoding"
    return [Breach(layer, "missing-encoding", message, (file,), 1, "warning")]


def other_encoding(layer: str, file: str, *, said: str, found: str) -> list[Breach]:
    """Tell of texts that are in another encoding than the file beside them says."""
    message = Said(
        'says {}, but the texts are in {} and were read so: mend it, or state encoding = "{}"',
        said.strip(),
        found,
        found,
    )
    return [Breach(layer, "other-encoding", message, (file,), 1, "warning")]


def wrongly_stated(layer: str, file: str, *, stated: str, texts: bytes) -> list[Breach]:
    """Tell of texts that are in UTF-8 where the study says GB 18030, or the other way round: both can be recognised."""
    found = "" if texts.isascii() else recognise(texts)
    codec = python_codec(stated).removesuffix("-sig")
    if not found or codec == found or codec not in ("utf-8", CHINESE):
        return []
    message = Said('study.toml says {}, but the file reads as {}: state encoding = "{}"', stated, found, found)
    return [Breach(layer, "other-encoding", message, (file,), 1, "warning")]


def _is_chinese(plain: str, *, share: float = _COMMON) -> bool:
    """Return whether at least this share of the characters beyond ASCII are everyday Chinese ones."""
    beyond = "".join(_BEYOND_ASCII.findall(plain))
    lead = np.frombuffer(beyond.encode("gb2312", errors="ignore"), dtype=np.uint8)[::2]
    return int((lead < _FIRST_RARE).sum()) >= share * len(beyond)
