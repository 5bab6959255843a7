"""The wire format of protocol buffers, decoded an array at a time.

A message is a run of fields: a tag (number and wire type, as a varint), then a varint, or a length and that many bytes.
Thousands of messages of one kind are decoded side by side: the first field of each, then the second of each, and so on,
so that the work is numpy's and grows with the bytes.

Source: the encoding guide of protocol buffers, Google (2008), https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecircle.model import LongArray, ReadOnlyArrays

ByteArray = npt.NDArray[np.uint8]

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
"""Wire types of a field."""

_LONGEST_VARINT = 10
_MOST_FIELDS = 64
"""More fields than any message of an OpenStreetMap file has: what has more is broken, and would be slow to read."""

MOST_PARTS = 2**20
MOST_OF_ALL = 2**22
MOST_NUMBERS = 2**23
"""Parts of one message, fields of all messages of a kind, and numbers of one field that a block may have.

Some 8,000 objects to a block are usual, yet osmconvert fills the 32 MiB that a block may have: a fraction of these. A
few kilobytes can unpack to far more, and each of them costs many times its bytes.
"""

CROWDED = "a block of it holds more than any program writes; write it anew with osmium cat"
BROKEN = "a block of it is broken; download or export the file again"


def parts(data: bytes, begin: int, end: int) -> list[tuple[int, int, int]]:
    """Return the fields of one message: number, begin and end of its bytes; of a varint its value and -1.

    Raises
    ------
    ValueError
        When a field does not end within the message, or it has more than `MOST_PARTS`.
    """
    found: list[tuple[int, int, int]] = []
    at = begin
    while at < end:
        if len(found) == MOST_PARTS:
            raise ValueError(CROWDED)
        # Nearly every tag and most lengths are one byte: a call for each would take half of the time.
        tag = data[at]
        tag, at = (tag, at + 1) if tag < 0x80 else varint(data, at, end)
        kind = tag & 7
        if kind in (VARINT, BYTES):
            value = data[at] if at < end else 0x80
            value, at = (value, at + 1) if value < 0x80 else varint(data, at, end)
            found.append((tag >> 3, at, at + value) if kind == BYTES else (tag >> 3, value, -1))
            at += value if kind == BYTES else 0
        elif kind in (FIXED_64, FIXED_32):
            at += 8 if kind == FIXED_64 else 4
        else:
            raise ValueError(BROKEN)
    if at != end:
        raise ValueError(BROKEN)
    return found


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the varint that begins at ``at``, and where it ends."""
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(BROKEN)


@dataclass(frozen=True, eq=False)
class Fields(ReadOnlyArrays):
    """The fields of many messages, in no order of note: of which message, its number, its value or span of bytes.

    ``end`` is -1 where the field is a varint; ``begin`` is its value then.
    """

    message: LongArray
    number: LongArray
    begin: LongArray
    end: LongArray
    n_messages: int

    def values(self, number: int) -> LongArray:
        """Return (n_messages,) the varint of each message, 0 where it has none; of several the last counts."""
        here = (self.number == number) & (self.end < 0)
        value = np.zeros(self.n_messages, dtype=np.int64)
        value[self.message[here]] = self.begin[here]
        return value

    def packed(self, data: ByteArray, number: int) -> tuple[LongArray, LongArray]:
        """Return the packed varints of each message: those of message ``i`` are ``value[indptr[i]:indptr[i + 1]]``."""
        here = np.flatnonzero((self.number == number) & (self.end >= 0))
        if not len(here):  # most blocks hold one kind of object only
            return np.empty(0, dtype=np.int64), np.zeros(self.n_messages + 1, dtype=np.int64)
        here = here[np.argsort(self.message[here], kind="stable")]
        begin, size = self.begin[here], self.end[here] - self.begin[here]
        stop = np.cumsum(size)
        if len(here) == 1:  # all of a block's nodes are one message
            content = data[begin[0] : begin[0] + size[0]]
        else:
            content = data[np.repeat(begin - stop + size, size) + np.arange(size.sum())]
        value, ends = varints(content)
        last = np.searchsorted(ends, stop)  # how many varints end before each field does
        if (ends[last[size > 0] - 1] != stop[size > 0] - 1).any():
            raise ValueError(BROKEN)
        per_message = np.bincount(self.message[here], weights=np.diff(last, prepend=0), minlength=self.n_messages)
        return value, np.concatenate([[0], np.cumsum(per_message)]).astype(np.int64)


def fields(data: ByteArray, begin: LongArray, end: LongArray) -> Fields:
    """Return the fields of the messages that lie between ``begin`` and ``end``.

    Raises
    ------
    ValueError
        When a field does not end within its message, or a message or all of them have more fields than they can have.
    """
    padded = np.concatenate([data, np.zeros(_LONGEST_VARINT, dtype=np.uint8)])
    rows, at, n_fields = np.arange(len(begin)), begin, 0
    found = [np.empty((4, 0), dtype=np.int64)]
    for _ in range(_MOST_FIELDS):
        open_ = at < end[rows]
        rows, at = rows[open_], at[open_]
        if not len(rows):
            break
        tag, at = _varint_each(padded, at)
        kind = tag & 7
        plain = (kind == VARINT) | (kind == BYTES)
        value, after = _varint_each(padded, at)
        sized = kind == BYTES
        if (sized & ((value < 0) | (value > len(data)))).any() or not (plain | (kind == 1) | (kind == 5)).all():
            raise ValueError(BROKEN)
        fixed = at + np.where(kind == FIXED_64, 8, 4)
        at = np.where(sized, after + value, np.where(plain, after, fixed))
        if (at > end[rows]).any():
            raise ValueError(BROKEN)
        n_fields += len(rows)
        if n_fields > MOST_OF_ALL:
            raise ValueError(CROWDED)
        found.append(np.stack([rows, tag >> 3, np.where(sized, after, value), np.where(sized, at, -1)])[:, plain])
    else:
        raise ValueError(BROKEN)
    message, number, first, last = np.concatenate(found, axis=1)
    return Fields(message, number, first, last, len(begin))


def varints(content: ByteArray) -> tuple[LongArray, LongArray]:
    """Return the varints that fill ``content``, 64 bits each, as signed numbers, and where each has its last byte.

    Raises
    ------
    ValueError
        When the last one does not end, one is longer than a varint can be, or there are more than `MOST_NUMBERS`.
    """
    last = content < 0x80
    if np.count_nonzero(last) > MOST_NUMBERS:
        raise ValueError(CROWDED)
    ends = np.flatnonzero(last)
    size = ends.copy()
    size[1:] -= ends[:-1]
    size[:1] += 1
    longest = int(size.max(initial=0))
    if (len(content) and (not len(ends) or ends[-1] != len(content) - 1)) or longest > _LONGEST_VARINT:
        raise ValueError(BROKEN)
    value = content[ends].astype(np.int64)
    rows, at = np.arange(len(ends)), ends
    for byte in range(1, longest):  # from the last byte, the highest, to the first
        longer = size[rows] > byte
        rows, at = rows[longer], at[longer] - 1
        value[rows] = value[rows] << 7 | (content[at] & 0x7F)
    return value, ends


def _varint_each(padded: ByteArray, at: LongArray) -> tuple[LongArray, LongArray]:
    """Return the varint at each place, and where it ends; ``padded`` has room for one after its end."""
    first = padded[at]
    value, after = (first & 0x7F).astype(np.int64), at + 1
    going = np.flatnonzero(first >= 0x80)
    for byte in range(1, _LONGEST_VARINT):
        if not len(going):
            return value, after
        bits = padded[at[going] + byte]
        value[going] |= (bits & 0x7F).astype(np.int64) << (7 * byte)
        after[going] += 1
        going = going[bits >= 0x80]
    if len(going):
        raise ValueError(BROKEN)
    return value, after


def unzigzag(value: LongArray) -> LongArray:
    """Return signed numbers that were folded into unsigned ones: 0, -1, 1, -2 from 0, 1, 2, 3."""
    half = (value.view(np.uint64) >> np.uint64(1)).view(np.int64)
    return half ^ -(value & 1)


def summed(value: LongArray, indptr: LongArray) -> LongArray:
    """Return running sums that begin anew with each message: the numbers that the differences stand for."""
    if len(indptr) == 2:
        return np.cumsum(value)
    total = np.concatenate([[0], np.cumsum(value)])
    return total[1:] - np.repeat(total[indptr[:-1]], np.diff(indptr))
