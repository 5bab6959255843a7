"""GDAL writing the same bytes for the same data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyogrio

WRITTEN = "2000-01-01T00:00:00.000Z"
"""When layers say that they were written: the clock is in none of them."""

_DATE = "OGR_CURRENT_DATE"


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Let layers that are written say `WRITTEN`; afterwards the date is again what the caller had set."""
    before = pyogrio.get_gdal_config_option(_DATE)
    pyogrio.set_gdal_config_options({_DATE: WRITTEN})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_DATE: before})
