"""Frozen data in one file that a process maps rather than reads: several share what stands in memory once."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from pyproj.exceptions import CRSError

from lifecircle import __version__
from lifecircle.errors import OutputError, SourceError
from lifecircle.said import Said

_ALIGNED = 64
_LENGTH = 8
"""Bytes of the number that says how long the head is."""


def save(path: Path, value: object) -> None:
    """Write a frozen dataclass of arrays, texts and numbers, whole or not at all.

    A process that has mapped the file that stood there before goes on with that one.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    arrays: list[npt.NDArray[Any]] = []
    record = _packed(value, arrays)
    head = json.dumps({"arrays": _places(arrays), "value": record}, ensure_ascii=False).encode()
    begins = len(_magic()) + _LENGTH + len(head)
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_magic() + len(head).to_bytes(_LENGTH, "little") + head + b"\0" * (-begins % _ALIGNED))
                for array in arrays:
                    file.write(np.ascontiguousarray(array).data)
                    file.write(b"\0" * (-array.nbytes % _ALIGNED))
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {path}: {error.strerror}") from error


def load(path: Path, classes: Sequence[type]) -> Any:
    """Return what `save` wrote, its arrays mapped and read-only; ``classes`` are those that it may consist of.

    Raises
    ------
    SourceError
        When there is no such file, or it is none that this version wrote, or not whole.
    """
    try:
        whole = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    except (OSError, ValueError) as error:
        raise SourceError(Said("{} cannot be read: {}", path, getattr(error, "strerror", None) or error)) from error
    magic = _magic()
    first = len(magic) + _LENGTH
    try:
        if whole[: len(magic)].tobytes() != magic:
            raise ValueError
        length = int.from_bytes(whole[len(magic) : first].tobytes(), "little")
        head = json.loads(whole[first : first + length].tobytes())
        data = whole[-(-(first + length) // _ALIGNED) * _ALIGNED :]
        arrays = [_mapped(data, **place) for place in head["arrays"]]
        return _unpacked(head["value"], arrays, {each.__name__: each for each in classes})
    except (ValueError, KeyError, TypeError, IndexError, CRSError) as error:
        raise SourceError(Said("{} is no index that this version saved; make it anew", path)) from error


def _magic() -> bytes:
    return f"lifecircle {__version__} index\n".encode()


def _places(arrays: Sequence[npt.NDArray[Any]]) -> list[dict[str, object]]:
    """Return the type and shape of each array, and where it begins behind the head."""
    sizes = [-(-array.nbytes // _ALIGNED) * _ALIGNED for array in arrays]
    begins = np.cumsum([0, *sizes]).tolist()
    return [{"kind": a.dtype.str, "shape": list(a.shape), "at": at} for a, at in zip(arrays, begins, strict=False)]


def _mapped(data: npt.NDArray[Any], *, kind: str, shape: list[int], at: int) -> npt.NDArray[Any]:
    n_bytes = int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
    return data[at : at + n_bytes].view(np.dtype(kind)).reshape(shape)


def _packed(value: object, arrays: list[npt.NDArray[Any]]) -> object:
    """Return a value as JSON has it; one array that stands in several places is kept once, and comes back as one."""
    if isinstance(value, np.ndarray):
        number = next((i for i, array in enumerate(arrays) if array is value), len(arrays))
        if number == len(arrays):
            arrays.append(value)
        return {"array": number}
    if is_dataclass(value) and not isinstance(value, type):
        held = {each.name: _packed(getattr(value, each.name), arrays) for each in fields(value)}
        return {"class": type(value).__name__, "fields": held}
    if isinstance(value, CRS):
        return {"crs": value.to_wkt()}
    if isinstance(value, tuple):
        return {"tuple": [_packed(each, arrays) for each in value]}
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    return value


def _unpacked(record: Any, arrays: Sequence[npt.NDArray[Any]], classes: Mapping[str, type]) -> Any:
    if not isinstance(record, dict):
        return record
    if "array" in record:
        return arrays[record["array"]]
    if "class" in record:
        held = {name: _unpacked(each, arrays, classes) for name, each in record["fields"].items()}
        return classes[record["class"]](**held)
    if "crs" in record:
        return CRS.from_wkt(record["crs"])
    if "tuple" in record:
        return tuple(_unpacked(each, arrays, classes) for each in record["tuple"])
    return frozenset(record["set"])
