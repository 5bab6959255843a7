"""Which stretches of street a closure means that is given by a place rather than by an id.

A stretch is what lies between two crossings: whoever finds part of it closed does not get through.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.errors import Breach
from lifecircle.model import BoolArray, Closures, FloatArray
from lifecircle.said import Said
from lifecircle.schema import breach

NEAR_M = 10.0
"""A point closes the nearest stretch within so many metres."""

ALONG_M = 6.0
"""A line closes what runs along it within so many metres: a lane's width, and the hand that draws it."""

LEAST_M = 10.0
"""So many metres of a stretch, or half of a shorter one, lie along a line or inside an outline that closes it."""

STEEPEST = 0.5
"""What runs along a line gets on by at least this share of its own length: what crosses it does not."""

WHOLE = 0.9
"""A line of which less than this lies along streets is told."""

Shapes = npt.NDArray[np.object_]
Rows = npt.NDArray[np.intp]


def closed_stretches(lines: Shapes, closures: Closures) -> tuple[BoolArray, list[Breach]]:
    """Find the stretches that closures close.

    Parameters
    ----------
    lines
        (n,) the stretches' lines (shapely), metres in the CRS of the closures.

    Returns
    -------
    tuple
        (n,) whether each is closed; and how much of them that is, which closures close nothing, which lines run along
        streets in part only.
    """
    parts, of = shapely.get_parts(closures.shapes, return_index=True)
    dimension = shapely.get_dimensions(parts)
    tree = shapely.STRtree(lines)
    found = []
    for part, (of_part, stretch) in (
        (p := np.flatnonzero(dimension == 0), tree.query_nearest(parts[p], max_distance=NEAR_M)),
        (p := np.flatnonzero(dimension == 1), _along(tree, lines, parts[p])),
        (p := np.flatnonzero(dimension == 2), _inside(tree, lines, parts[p])),
    ):
        found.append((part[of_part], stretch))
    part, stretch = (np.concatenate(rows) for rows in zip(*found, strict=True))
    shut = np.zeros(len(lines), dtype=bool)
    shut[stretch] = True

    ids = np.array(closures.id, dtype=object)
    idle = np.setdiff1d(np.arange(len(ids)), of[part])
    short = _short(lines, parts, part, stretch)
    nothing = Said(
        "closes nothing: a point needs a street within {:.0f} m, a line one that runs along it within "
        "{:.0f} m, an outline one inside it; move it, or state way_id",
        NEAR_M,
        ALONG_M,
    )
    closed_m = float(shapely.length(lines[shut]).sum())
    told = Said(
        "{} stretches of street between two crossings, {:.0f} m in all, are closed by these", int(shut.sum()), closed_m
    )
    return shut, [
        *breach("closures", "closes-nothing", nothing, ids[idle]),
        *breach(
            "closures",
            "partly-along",
            Said(
                "part of the line runs along no street within {:.0f} m; move it onto the streets that it closes",
                ALONG_M,
            ),
            [f"{ids[of[i]]}: {along_m:.0f} of {shapely.length(parts[i]):.0f} m" for i, along_m in short],
            "warning",
        ),
        *breach("closures", "closed-stretches", told, ids[np.unique(of[part])], "note"),
    ]


def _along(tree: shapely.STRtree, lines: Shapes, drawn: Shapes) -> tuple[Rows, Rows]:
    """Return drawn lines and the stretches that run along each."""
    which, stretch, inside = _within(tree, lines, shapely.buffer(drawn, ALONG_M, cap_style="flat"))
    pieces, of = shapely.get_parts(inside, return_index=True)
    xy, piece = shapely.get_coordinates(pieces, return_index=True)
    at_m = shapely.line_locate_point(drawn[which[of[piece]]], shapely.points(xy))
    step = piece[1:] == piece[:-1]
    on_m = np.bincount(of[piece[1:]][step], np.abs(np.diff(at_m))[step], minlength=len(which))
    along = _is_enough(lines[stretch], inside) & (on_m >= STEEPEST * shapely.length(inside))
    return which[along], stretch[along]


def _inside(tree: shapely.STRtree, lines: Shapes, outlines: Shapes) -> tuple[Rows, Rows]:
    """Return outlines and the stretches that lie in each."""
    which, stretch, inside = _within(tree, lines, outlines)
    enough = _is_enough(lines[stretch], inside)
    return which[enough], stretch[enough]


def _within(tree: shapely.STRtree, lines: Shapes, outlines: Shapes) -> tuple[Rows, Rows, Shapes]:
    """Return outlines, the stretches that meet each, and what of these lies inside."""
    which, stretch = tree.query(outlines, predicate="intersects")
    return which, stretch, shapely.intersection(lines[stretch], outlines[which])


def _is_enough(lines: Shapes, inside: Shapes) -> BoolArray:
    inside_m: FloatArray = shapely.length(inside)
    enough: BoolArray = (inside_m > 0) & (inside_m >= np.minimum(LEAST_M, shapely.length(lines) / 2))
    return enough


def _short(lines: Shapes, parts: Shapes, part: Rows, stretch: Rows) -> list[tuple[int, float]]:
    """Return the drawn lines that lie along streets in part only, with how many metres do."""
    short = []
    for i in np.unique(part[shapely.get_dimensions(parts[part]) == 1]).tolist():  # one step a closure, none a street
        streets = shapely.buffer(shapely.union_all(lines[stretch[part == i]]), ALONG_M)
        along_m = float(shapely.length(shapely.intersection(parts[i], streets)))
        if along_m < WHOLE * float(shapely.length(parts[i])):
            short.append((i, along_m))
    return short
