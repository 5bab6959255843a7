"""How much a file may hold: ``[limits]`` of the study file, so that no file fills the memory or takes forever."""

from __future__ import annotations

from dataclasses import dataclass, fields

import geopandas as gpd
import shapely

from lifecircle.errors import Breach
from lifecircle.readers.keys import Keys
from lifecircle.readers.personal import scrubbed
from lifecircle.said import Said

MB = 10**6

_WHAT = {
    "file_mb": "the file has more than {} MB",
    "unpacked_mb": "it unpacks to more than {} MB",
    "rows": "it has more than {} rows",
    "columns": "it has more than {} columns",
    "cells": "a sheet of it reaches over more than {} cells: delete the blank rows and columns behind the table",
    "vertices": "its outlines and lines have more than {} vertices",
}


class OverLimitError(ValueError):
    """A file holds more than the study allows; the message names the key that allows more."""


@dataclass(frozen=True)
class Limits:
    """What a file may hold at most; a study that needs more says so in ``[limits]``.

    ``file_mb`` and ``unpacked_mb`` are millions of bytes, of the file and of what is packed in it; ``rows`` and
    ``columns`` those of a table, ``cells`` those of a sheet, the blank ones before the last included; ``vertices`` all
    points of a layer. An outline that crosses itself is mended where it has at most ``mended_vertices`` points and the
    outlines of its layer at most ``mended_crossings`` crossings together: mending takes time by the crossing.

    The defaults hold a city of ten million: nothing below is near to them.
    """

    file_mb: int = 4_000
    unpacked_mb: int = 4_000
    rows: int = 20_000_000
    columns: int = 5_000
    cells: int = 2**25
    vertices: int = 200_000_000
    mended_vertices: int = 20_000
    mended_crossings: int = 20_000

    def hold(self, key: str, found: float) -> None:
        """Refuse what is found of a key when it is more than the key says.

        Raises
        ------
        OverLimitError
            With what is too much and the key that allows more.
        """
        most: int = getattr(self, key)
        if found > most:
            raise OverLimitError(Said("{}; {}", Said(_WHAT[key], f"{most:,}"), raising(key)))

    def hold_vertices(self, layer: gpd.GeoDataFrame) -> None:
        """Refuse a layer of too many points.

        Raises
        ------
        OverLimitError
            As `hold`.
        """
        self.hold("vertices", int(shapely.get_num_coordinates(layer.geometry.to_numpy()).sum()))


USUAL = Limits()
"""Of a study that says nothing of limits."""


def raising(key: str) -> str:
    """Return the advice that ends the message of a refusal."""
    return Said("cut what the study needs out of it, or raise {} in [limits] of study.toml", key)


def read_limits(table: object, breaches: list[Breach]) -> Limits:
    """Read ``[limits]`` of a study file; what it does not say keeps its default."""
    names = tuple(field.name for field in fields(Limits))
    keys = Keys("[limits]", table, names, breaches)
    return Limits(**{name: most for name in names if (most := keys.count(name)) is not None})


def refused(layer: str, path: str, error: Exception) -> Breach:
    """Return the breach of a file whose reading ended in this error."""
    rule = "over-limit" if isinstance(error, OverLimitError) else "unreadable"
    first, *_ = error.args or ("",)
    plain = scrubbed((str(error).splitlines() or [type(error).__name__])[0])
    said = first if isinstance(first, Said) and first == plain else plain
    return Breach(layer, rule, Said("cannot be read: {}", said), (path,), 1)
