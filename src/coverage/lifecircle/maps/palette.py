"""The colours of pages, layers and pictures: they hold for the colour-blind, and in grey print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lifecircle.model import Circle

Colour = tuple[int, int, int]

DARKEST, LIGHTEST, LIGHTEST_OF_TWO = (25, 82, 143), (146, 197, 230), (98, 163, 211)
"""Of the smallest and the largest circle."""

BEYOND, UNREACHABLE, UNSNAPPABLE = (248, 177, 62), (52, 40, 48), (255, 255, 255)
"""Of homes in no circle, which leave the scale."""

INK, SOFT, EDGE, GROUND, NOBODY = (29, 39, 51), (86, 97, 109), (76, 74, 87), (246, 244, 239), (217, 213, 204)
"""Of words, of words beside them, of borders, of what is under a map, and of areas without residents."""

SITE, CLOSED = (179, 22, 79), (163, 18, 26)
"""Of a new site, and of the cross on a station that closes."""

SHADES = (236, 242, 222), (112, 176, 150), (0, 82, 80)
"""Of areas by the share of their residents in a circle, from none to all."""


def circle_colours(circles: Sequence[Circle]) -> Mapping[str, Colour]:
    """Return the colour of each circle by its name, from dark to light as the circles grow."""
    by_size = sorted(circles, key=lambda c: (c.minutes, c.name))
    n, last = len(by_size), LIGHTEST_OF_TWO if len(by_size) == 2 else LIGHTEST
    return {c.name: between(DARKEST, last, i / (n - 1) if n > 1 else 0.0) for i, c in enumerate(by_size)}


def shade(share: float) -> Colour:
    """Return the colour of an area, by the share of its residents in a circle, from 0 to 1."""
    at = min(max(share, 0.0), 1.0) * (len(SHADES) - 1)
    low = min(int(at), len(SHADES) - 2)
    return between(SHADES[low], SHADES[low + 1], at - low)


def between(first: Colour, last: Colour, part: float) -> Colour:
    """Return the colour that lies between two, at a part of the way from 0 to 1."""
    red, green, blue = np.rint(np.add(first, np.subtract(last, first) * part)).astype(int).tolist()
    return red, green, blue


def hexed(colour: Colour) -> str:
    """Return a colour as pages and pictures write it: ``#19528f``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
