"""Why a request goes where it goes."""

from __future__ import annotations

from lifecircle.readers.requests import PROBLEMS

REASONS = {
    "": "the nearest station takes it",
    "nearest-not-eligible": "the nearest station serves another area",
    "nearest-lacks-item": "the nearest station does not offer the item",
    "nearest-closed": "the nearest station is closed then",
    "nearest-nobody-on-duty": "the nearest station has not enough agents on duty then, or none who can do it",
    "nearest-higher-tier": "the nearest station is of a higher tier, and one of a lower tier can do it",
    "nearest-full": "the nearest station has no room left",
    "up-lacks-item": "goes up: no station of a lower tier there offers the item",
    "up-closed": "goes up: no station of a lower tier there that offers the item is open then",
    "up-too-late": "goes up: no station of a lower tier there that offers the item opens within its time limit",
    "up-nobody-on-duty": "goes up: no station of a lower tier there has agents on duty then who can do it",
    "up-unreachable": "goes up: no way on foot to a station of a lower tier there that could take it",
    "up-full": "goes up: no station of a lower tier there that could take it has room left",
    "no-eligible-station": "no station may serve the place",
    "no-station-offers-item": "no station that may serve the place offers the item",
    "no-station-open": "no station that may serve the place and offers the item is open then",
    "no-agent-on-duty": "no station that may serve the place has agents on duty then who can do it",
    "unreachable": "no way on foot to any station that could take it",
    "no-room-left": "no station that could take it has room left",
    "unsnappable": "no street that a walker may use near the place",
    "nobody-to-assist": "two handle it, and nobody can assist who leads",
    "volunteers-first": "goes to volunteers before any station",
    "pool": "in the pool: whoever may take it and claims it first has it",
    "nobody-may-claim": "in the pool, and nobody may take it",
    **PROBLEMS,
}
"""The values of ``reason``, and what they mean; those that begin with ``no-`` or ``un`` have no station, nor
have those of the pool and of volunteers; a volunteer may help all the same, as ``how`` says."""
