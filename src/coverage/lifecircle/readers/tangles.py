"""Outlines that cross themselves so often that mending them, or even looking whether they do, would take for ever."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import BoolArray, FloatArray
from lifecircle.readers.limits import Limits

Shapes = npt.NDArray[np.object_]

MOST_ABREAST = 2_000
"""Sides of an outline that lie abreast of a side, on the average, west and east of it or north and south: a tangle has
as many as it has vertices, a river with all its arms some hundred. Looking for crossings compares all of them."""

TANGLED = (
    "the outline crosses itself too often to be mended; draw it anew, or raise mended_vertices and mended_crossings in "
    "[limits] of study.toml"
)

_AT_ONCE = 512
_POLYGON = 2


def are_hopeless(shapes: Shapes, limits: Limits) -> BoolArray:
    """Return which outlines nobody can mend: tangles, and those that cross themselves and are too large."""
    size = shapely.get_num_coordinates(shapes)
    hopeless = np.zeros(len(shapes), dtype=np.bool_)
    outlined = shapely.get_dimensions(shapes) == _POLYGON
    for i in np.flatnonzero(outlined & (size > min(MOST_ABREAST, limits.mended_vertices))):
        low, high = _boxes(_sides(shapes[i]))
        tangled = min(_abreast(low[:, axis], high[:, axis]) for axis in (0, 1)) > MOST_ABREAST
        hopeless[i] = tangled or (size[i] > limits.mended_vertices and not shapely.is_valid(shapes[i]))
    return hopeless


def can_be_mended(shapes: Shapes, limits: Limits) -> BoolArray:
    """Return which outlines, none of them hopeless, can be mended: those with few crossings in all."""
    can = np.zeros(len(shapes), dtype=np.bool_)
    left = limits.mended_crossings
    for i, shape in enumerate(shapes):
        n = _crossings(shape, left)
        can[i] = n <= left
        left -= n if can[i] else 0
    return can


def _crossings(shape: shapely.Geometry, most: int) -> int:
    """Return how often sides cross each other; of more than ``most``, not how many more."""
    sides = shapely.linestrings(_sides(shape))
    tree, found = shapely.STRtree(sides), 0
    for first in range(0, len(sides), _AT_ONCE):
        found += tree.query(sides[first : first + _AT_ONCE], predicate="crosses").shape[1]
        if found > 2 * most:  # each is found from both of its sides
            break
    return found // 2


def _sides(shape: shapely.Geometry) -> FloatArray:
    """Return (n, 2, 2) the sides of an outline and its holes, from point to point."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    xy, of = shapely.get_coordinates(rings, return_index=True)
    sides = np.stack([xy[:-1], xy[1:]], axis=1)
    return sides[of[:-1] == of[1:]]


def _boxes(sides: FloatArray) -> tuple[FloatArray, FloatArray]:
    return sides.min(axis=1), sides.max(axis=1)


def _abreast(low: FloatArray, high: FloatArray) -> float:
    """Return how many intervals overlap an interval, on the average."""
    low, high = np.sort(low), np.sort(high)  # whose they are, the average does not ask
    begun = np.searchsorted(low, high, side="right")
    ended = np.searchsorted(high, low, side="left")
    return float((begun - ended).mean())
