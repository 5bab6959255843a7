"""Why a request goes where it goes."""

from __future__ import annotations

from lifecircle.readers.requests import PROBLEMS

REASONS = {
    "": "the nearest station takes it",
    "nearest-not-eligible": "the nearest station serves another area",
    "nearest-lacks-item": "the nearest station does not offer the item",
    "nearest-closed": "the nearest station is closed then",
    "nearest-higher-tier": "the nearest station is of a higher tier, and one of a lower tier can do it",
    "nearest-full": "the nearest station has no room left",
    "up-lacks-item": "goes up: no station of a lower tier there offers the item",
    "up-closed": "goes up: no station of a lower tier there that offers the item is open then",
    "up-unreachable": "goes up: no way on foot to a station of a lower tier there that could take it",
    "up-full": "goes up: no station of a lower tier there that could take it has room left",
    "no-eligible-station": "no station may serve the place",
    "no-station-offers-item": "no station that may serve the place offers the item",
    "no-station-open": "no station that may serve the place and offers the item is open then",
    "unreachable": "no way on foot to any station that could take it",
    "no-room-left": "no station that could take it has room left",
    "unsnappable": "no street that a walker may use near the place",
    **PROBLEMS,
}
"""The values of ``reason``, and what they mean; those that begin with ``no-`` or ``un`` have no station."""
