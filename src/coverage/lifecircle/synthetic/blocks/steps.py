"""Public lanes that climb become steps."""

from __future__ import annotations

import numpy as np

from lifecircle.synthetic.blocks.parts import runs
from lifecircle.synthetic.city import Heights, Lines

STEEP = 0.12
"""Slope from which a lane is built as steps: made up about the 1 in 8 of the steepest ramps that are built for
wheelchairs (GB 50763-2012)."""
_CLIMB = ("footway", "living_street")


def with_steps(ways: Lines, heights: Heights) -> Lines:
    """Return the ways, cut where a lane or footway becomes steep; those pieces are ``highway=steps``."""
    size = np.diff(ways.indptr)
    line = np.repeat(np.arange(len(size)), size - 1)
    begin = np.flatnonzero(np.diff(np.repeat(np.arange(len(size)), size)) == 0)
    apart = np.hypot(*(ways.xy_m[begin + 1] - ways.xy_m[begin]).T)
    height = heights.at(ways.xy_m)
    steep = np.abs(height[begin + 1] - height[begin]) > STEEP * apart
    tags = ways.tags.iloc[line].reset_index(drop=True)
    tags["highway"] = tags["highway"].mask(steep & tags["highway"].isin(_CLIMB), "steps")
    return runs(line, begin, begin, begin + 1, ways.xy_m, tags)
