"""A study out of OpenStreetMap: a place is looked up, its streets, buildings and rooms are asked for, a folder is left.

`place` says where, `servers` puts the questions, `extract` keeps the objects as a file, `areas` parts the place and
`write` makes the folder; `make` does it all. What is asked for where nobody says stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

BUFFER_M = 1080.0
"""Metres beyond the place: the longest walk within the usual largest circle, 15 minutes at 1.2 m/s."""

LEVELS = (8, 9, 10, 11)
"""Values of ``admin_level`` that may part a place: the units of smaller numbers reach far beyond a city."""


@dataclass(frozen=True)
class Servers:
    """Whom to ask: where places are looked up, where objects come from, and how long to wait for an answer."""

    nominatim: str = "https://nominatim.openstreetmap.org"
    overpass: str = "https://overpass-api.de/api"
    timeout_s: int = 180
    """Whole seconds, for Overpass reads no others."""


PUBLIC = Servers()
