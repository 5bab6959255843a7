"""The length of a map's scale."""

from __future__ import annotations

LENGTHS_M = tuple(n * 10**power for power in range(6) for n in (1, 2, 5))


def round_length(most_m: float) -> tuple[int, str]:
    """Return the longest round length of at most ``most_m`` metres, and how it is written.

    Examples
    --------
    >>> round_length(730.0), round_length(2100.0)
    ((500, '500 m'), (2000, '2 km'))
    """
    length_m = max((n for n in LENGTHS_M if n <= most_m), default=LENGTHS_M[0])
    return length_m, f"{length_m} m" if length_m < 1000 else f"{length_m // 1000} km"
