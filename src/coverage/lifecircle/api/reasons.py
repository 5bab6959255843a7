"""Why a station is not the nearest, or why there is none, where a tier is asked for too."""

from __future__ import annotations

from lifecircle.dispatch import REASONS

MORE = {
    "nearest-of-another-tier": "the nearest station is of another tier",
    "no-station-of-tier": "no station that may serve the place is of that tier",
}
EVERY: dict[str, str] = {**REASONS, **MORE}
