"""Straight legs from points to the nearest pieces of segments, and the barriers that they cross; compiled.

A *piece* is the straight line from one vertex to the next, named by its first vertex. Its *owner* is a segment, or a
barrier: a polygon owns the pieces of its rings, a line its own. Each kind lies in a uniform grid of square cells and
comes as one tuple of arrays:

    indptr  vertices of owner i: indptr[i] to indptr[i + 1] - 1
    xy_m    (n, 2) vertices, metres
    owner   (n,) the owner of the piece that begins at each vertex; ~owner marks a remnant, or a barrier that is a line
    frame   west and south edge of the grid, side of a cell (metres), numbers of columns and rows
    cells   for each cell, row by row, where its pieces begin in this same array; then the pieces themselves
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

TOLERANCE_M = 1e-6
"""Metres within which two legs are equally long."""

TOUCH_M = 1e-3
"""Metres at both ends of a leg at which it may touch a barrier: a home on a wall, a street along one."""

FARTHEST_M = 1e9
"""Metres that no leg on this planet has: the longest reach that a search is asked for."""

compiled = njit(cache=True, nogil=True, error_model="numpy")
# A function without an entry from Python and a cache of its own compiles faster, as a part of those that call it.
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

_SLACK = 1e-6
"""Cells by which a line is drawn thicker in the grid, so that rounding never takes it out of a cell that it touches."""


# ------------------------------------------------------------------------------------------------------- the grid


@inner
def _band(a, b, n):
    """Return the first and last of ``n`` rows (or columns) that a stretch from ``a`` to ``b``, in cells, lies in."""
    first, last = math.floor(min(a, b) - _SLACK), math.floor(max(a, b) + _SLACK)
    return max(first, 0), min(last, n - 1)


@inner
def _columns(ax, ay, bx, by, row, n):
    """Return the first and last of ``n`` columns in which a straight line, in cells, passes through ``row``."""
    enter, leave = 0.0, 1.0
    if ay != by:
        one, other = (row - _SLACK - ay) / (by - ay), (row + 1 + _SLACK - ay) / (by - ay)
        enter, leave = max(enter, min(one, other)), min(leave, max(one, other))
    return _band(ax + enter * (bx - ax), ax + leave * (bx - ax), n)


@compiled
def lay_in_grid(xy_m, pieces, frame):
    """Return the ``cells`` of a grid of this frame over ``pieces``: each in every cell that it passes."""
    west, south, side = frame[0], frame[1], frame[2]
    n_columns, n_rows = int(frame[3]), int(frame[4])
    n_cells = n_columns * n_rows
    cells = np.zeros(n_cells + 1, np.int32)
    filled = np.zeros(0, np.int32)
    for filling in range(2):
        for piece in pieces:
            ax, ay = (xy_m[piece, 0] - west) / side, (xy_m[piece, 1] - south) / side
            bx, by = (xy_m[piece + 1, 0] - west) / side, (xy_m[piece + 1, 1] - south) / side
            low, high = _band(ay, by, n_rows)
            for row in range(low, high + 1):
                left, right = _columns(ax, ay, bx, by, row, n_columns)
                for cell in range(row * n_columns + left, row * n_columns + right + 1):
                    if filling:
                        filled[cells[cell]] = piece
                    cells[cell] += 1
        if not filling:
            begin = n_cells + 1
            for cell in range(n_cells + 1):
                cells[cell], begin = begin, begin + cells[cell]
            filled = np.empty(begin, np.int32)
    # Filling has moved each cell's beginning to its end, which is the beginning of the next.
    filled[0] = n_cells + 1
    for cell in range(n_cells):
        filled[cell + 1] = cells[cell]
    return filled


# --------------------------------------------------------------------------------------------- spots on the pieces


@inner
def _spot_on(xy_m, piece, x, y):
    """Return the spot of a piece that is nearest to a point: share of the piece, where it is, its distance squared."""
    ax, ay = xy_m[piece, 0], xy_m[piece, 1]
    dx, dy = xy_m[piece + 1, 0] - ax, xy_m[piece + 1, 1] - ay
    squared = dx * dx + dy * dy
    share = 0.0
    if squared > 0:
        share = min(max(((x - ax) * dx + (y - ay) * dy) / squared, 0.0), 1.0)
    ex, ey = ax + share * dx, ay + share * dy
    return share, ex, ey, (x - ex) * (x - ex) + (y - ey) * (y - ey)


@inner
def _spot_along(segments, segment, x, y):
    """Return a segment's spot that is nearest to a point: its piece, its fraction of the segment, where, how far off.

    Of equally near spots it is the one with the smaller fraction.
    """
    indptr, xy_m = segments[0], segments[1]
    spot, length, ex, ey = -1, np.inf, 0.0, 0.0
    passed, before = 0.0, 0.0
    for piece in range(indptr[segment], indptr[segment + 1] - 1):
        share, qx, qy, squared = _spot_on(xy_m, piece, x, y)
        away = math.sqrt(squared)
        dx, dy = xy_m[piece + 1, 0] - xy_m[piece, 0], xy_m[piece + 1, 1] - xy_m[piece, 1]
        step = math.sqrt(dx * dx + dy * dy)
        if away < length - TOLERANCE_M:
            spot, length, ex, ey, before = piece, away, qx, qy, passed + share * step
        passed += step
    fraction = min(before / passed, 1.0) if passed > 0 else 0.0
    return spot, fraction, ex, ey, length


@inner
def _nearest_m(segments, x, y, limit_m, remnant):
    """Return how far the nearest piece is, inf when that is beyond ``limit_m``; of remnants alone, or of the rest.

    Rings of cells about the point are looked through until nothing nearer can lie outside of them.
    """
    xy_m, owner, frame, cells = segments[1], segments[2], segments[3], segments[4]
    side, n_columns, n_rows = frame[2], int(frame[3]), int(frame[4])
    gx, gy = (x - frame[0]) / side, (y - frame[1]) / side
    reach = limit_m / side + 1
    if not (-reach < gx < n_columns + reach and -reach < gy < n_rows + reach):  # nor where it is not a number
        return np.inf
    column, row = math.floor(gx), math.floor(gy)
    ring = max(max(0, -column, column - n_columns + 1), max(-row, row - n_rows + 1))
    last = max(max(column, n_columns - 1 - column), max(row, n_rows - 1 - row))
    margin = min(min(gx - column, column + 1 - gx), min(gy - row, row + 1 - gy))
    best, most = np.inf, limit_m / side * (limit_m / side)  # squared; the latter in cells
    while ring <= last and (ring - 1 + margin <= 0 or (ring - 1 + margin) * (ring - 1 + margin) <= most):
        for r in range(max(row - ring, 0), min(row + ring, n_rows - 1) + 1):
            dy = max(max(r - gy, gy - r - 1), 0.0)
            across = 1 if abs(r - row) == ring else 2 * ring  # the ring's top and bottom whole, else its two sides
            for c in range(column - ring, column + ring + 1, across):
                dx = max(max(c - gx, gx - c - 1), 0.0)
                if c < 0 or c >= n_columns or dx * dx + dy * dy > most:
                    continue
                for at in range(cells[r * n_columns + c], cells[r * n_columns + c + 1]):
                    piece = np.int64(cells[at])
                    squared = _spot_on(xy_m, piece, x, y)[3]
                    if squared < best and (owner[piece] < 0) == remnant:
                        best = squared
                        most = min(most, squared / (side * side))
        ring += 1
    nearest = math.sqrt(best)
    return nearest if nearest <= limit_m else np.inf


# ------------------------------------------------------------------------------------------------------- crossings


@inner
def _side_of(ax, ay, bx, by, px, py):
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@inner
def _meet(ax, ay, bx, by, cx, cy, dx, dy):
    """Return whether two straight lines have a point in common, their ends included."""
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx) or max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    c, d = _side_of(ax, ay, bx, by, cx, cy), _side_of(ax, ay, bx, by, dx, dy)
    if (c > 0 and d > 0) or (c < 0 and d < 0):
        return False
    a, b = _side_of(cx, cy, dx, dy, ax, ay), _side_of(cx, cy, dx, dy, bx, by)
    return not ((a > 0 and b > 0) or (a < 0 and b < 0))


@inner
def _holds(barriers, barrier, x, y):
    """Return whether a point lies inside a polygon and not on its rings, whose pieces stand in pairs of vertices.

    A ray from a point inside crosses the rings an odd number of times.
    """
    indptr, xy_m = barriers[0], barriers[1]
    inside = False
    for piece in range(indptr[barrier], indptr[barrier + 1], 2):
        ax, ay, bx, by = xy_m[piece, 0], xy_m[piece, 1], xy_m[piece + 1, 0], xy_m[piece + 1, 1]
        turn = _side_of(ax, ay, bx, by, x, y)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return False
        if (ay > y) != (by > y) and (turn > 0) == (by > ay):
            inside = not inside
    return inside


@inner
def _crosses(barriers, x, y, ex, ey, length, own, held):
    """Return whether a leg from ``x, y`` to ``ex, ey`` crosses a barrier that is not ``own``.

    A polygon that holds the point itself is none. ``held`` remembers the last polygon asked and whether it does.
    """
    xy_m, owner, frame, cells = barriers[1], barriers[2], barriers[3], barriers[4]
    if length == 0:
        return False
    trim = min(TOUCH_M / max(length, TOUCH_M), 0.25)
    sx, sy = x + trim * (ex - x), y + trim * (ey - y)
    ex, ey = ex - trim * (ex - x), ey - trim * (ey - y)
    west, south, side = frame[0], frame[1], frame[2]
    n_columns, n_rows = int(frame[3]), int(frame[4])
    ax, ay, bx, by = (x - west) / side, (y - south) / side, (ex - west) / side, (ey - south) / side
    low, high = _band(ay, by, n_rows)
    for count in range(high - low + 1):
        row = low + count if ay <= by else high - count  # from the point outwards: what blocks it is most often near
        left, right = _columns(ax, ay, bx, by, row, n_columns)
        for cell in range(row * n_columns + left, row * n_columns + right + 1):
            for at in range(cells[cell], cells[cell + 1]):
                piece = np.int64(cells[at])
                barrier = owner[piece]
                cx, cy, dx, dy = xy_m[piece, 0], xy_m[piece, 1], xy_m[piece + 1, 0], xy_m[piece + 1, 1]
                if barrier < 0:
                    if ~barrier != own and _meet(sx, sy, ex, ey, cx, cy, dx, dy):
                        return True
                elif barrier != own and _meet(x, y, ex, ey, cx, cy, dx, dy):
                    if held[0] != barrier:
                        held[0], held[1] = barrier, _holds(barriers, barrier, x, y)
                    if not held[1] and (_meet(sx, sy, ex, ey, cx, cy, dx, dy) or _holds(barriers, barrier, sx, sy)):
                        return True
    return False


# ------------------------------------------------------------------------------------------------------------ legs


@inner
def _drop_top(lengths, pieces, size):
    """Take the nearest piece off a heap of ``size``."""
    size -= 1
    length, piece = lengths[size], pieces[size]
    i, child = 0, 1
    while child < size:
        if child + 1 < size and lengths[child + 1] < lengths[child]:
            child += 1
        if lengths[child] >= length:
            break
        lengths[i], pieces[i] = lengths[child], pieces[child]
        i, child = child, 2 * child + 1
    lengths[i], pieces[i] = length, piece
    return size


@inner
def _gather(segments, x, y, after_m, upto_m, remnant):
    """Return a heap of the pieces that are more than ``after_m`` and at most ``upto_m`` away, and its size."""
    xy_m, owner, frame, cells = segments[1], segments[2], segments[3], segments[4]
    side, n_columns, n_rows = frame[2], int(frame[3]), int(frame[4])
    gx, gy, reach = (x - frame[0]) / side, (y - frame[1]) / side, upto_m / side
    low, high = _band(gy - reach, gy + reach, n_rows)
    left, right = _band(gx - reach, gx + reach, n_columns)
    room, size, most = 0, 0, upto_m * upto_m * (1 + _SLACK)
    if left <= right:
        for row in range(low, high + 1):
            room += cells[row * n_columns + right + 1] - cells[row * n_columns + left]
    lengths, pieces = np.empty(room), np.empty(room, np.int32)
    if room:
        for row in range(low, high + 1):
            for at in range(cells[row * n_columns + left], cells[row * n_columns + right + 1]):
                piece = np.int64(cells[at])
                _, ex, ey, squared = _spot_on(xy_m, piece, x, y)
                if squared > most:
                    continue
                away = math.sqrt(squared)
                if after_m < away <= upto_m and (owner[piece] < 0) == remnant:
                    column = min(max(math.floor((ex - frame[0]) / side), 0), n_columns - 1)
                    spot_row = min(max(math.floor((ey - frame[1]) / side), 0), n_rows - 1)
                    cell = spot_row * n_columns + column
                    if not cells[cell] <= at < cells[cell + 1]:  # it comes up in the cell of its spot, and only there
                        continue
                    i = size  # into the heap, the nearest on top
                    while i > 0 and lengths[(i - 1) // 2] > away:
                        lengths[i], pieces[i] = lengths[(i - 1) // 2], pieces[(i - 1) // 2]
                        i = (i - 1) // 2
                    lengths[i], pieces[i] = away, piece
                    size += 1
    return lengths, pieces, size


@inner
def _leg(segments, barriers, x, y, own, limit_m, remnant):
    """Return the leg of a point: segment, fraction of it, where it ends, length, whether it cannot but cross a barrier.

    It leads to the first segment, in order of their nearest spots, whose leg crosses nothing; of equally near ones to
    that of the smallest number. Where all cross, it leads to the nearest; where none is within ``limit_m``, to -1. Most
    points look at a few segments only, for the radius of the search grows.
    """
    owner, barred = segments[2], len(barriers[2]) > 0
    held = np.empty(2, np.int64)
    held[0] = -1
    free = crossing = (np.int64(-1), 0.0, x, y, np.inf)
    nearest = _nearest_m(segments, x, y, limit_m, remnant)
    shortest, done, radius = np.inf, -1.0, nearest + TOLERANCE_M
    while done < limit_m and radius < np.inf and shortest + TOLERANCE_M > done:
        radius = min(radius, limit_m)
        lengths, pieces, size = _gather(segments, x, y, done, radius, remnant)
        while size > 0 and lengths[0] <= shortest + TOLERANCE_M:
            away, piece = lengths[0], pieces[0]
            size = _drop_top(lengths, pieces, size)
            segment = np.int64(owner[piece] if owner[piece] >= 0 else ~owner[piece])
            spot, fraction, ex, ey, length = _spot_along(segments, segment, x, y)
            if spot != piece:  # another piece of the segment is nearer
                continue
            if barred and _crosses(barriers, x, y, ex, ey, length, own, held):
                if away <= nearest + TOLERANCE_M and (crossing[0] < 0 or segment < crossing[0]):
                    crossing = (segment, fraction, ex, ey, length)
            else:
                shortest = min(shortest, away)
                if free[0] < 0 or segment < free[0]:
                    free = (segment, fraction, ex, ey, length)
        done, radius = radius, 2 * radius + segments[3][2]
    found = free if free[0] >= 0 else crossing
    return found[0], found[1], found[2], found[3], found[4], free[0] < 0 <= crossing[0]


@inner
def _attach(segments, barriers, x, y, own, limit_m, any_remnant):
    """Return the leg of a point as `_leg` does; to a remnant only for want of another segment."""
    leg = (np.int64(-1), 0.0, x, y, np.inf, False)
    for kind in range(2 if any_remnant else 1):  # one call in the code, for each would be compiled anew
        if leg[0] < 0 or leg[5]:
            other = _leg(segments, barriers, x, y, own, limit_m, kind == 1)
            if leg[0] < 0 or (other[0] >= 0 and not other[5]):
                leg = other
    return leg


@compiled
def attach(
    points, own, limit_m, any_remnant,
    indptr, xy_m, owner, frame, cells,
    barrier_indptr, barrier_xy_m, barrier_owner, barrier_frame, barrier_cells,
):  # fmt: skip
    """Return the legs of points: segment (-1 for none), fraction, end (n, 2), length, whether it crosses a barrier."""
    segments = (indptr, xy_m, owner, frame, cells)
    barriers = (barrier_indptr, barrier_xy_m, barrier_owner, barrier_frame, barrier_cells)
    n = len(points)
    segment, fraction, end_m = np.empty(n, np.int32), np.empty(n), np.empty((n, 2))
    length_m, blocked = np.empty(n), np.empty(n, np.bool_)
    for i in range(n):
        leg = _attach(segments, barriers, points[i, 0], points[i, 1], own[i], limit_m, any_remnant)
        segment[i], fraction[i], end_m[i, 0], end_m[i, 1], length_m[i], blocked[i] = leg
    return segment, fraction, end_m, length_m, blocked


# --------------------------------------------------------------------------------------------- the nearest station


@compiled
def nearest_station(
    ways, ends, on_way, on_way_station, quantum, limit_m, any_remnant,
    indptr, xy_m, owner, frame, cells,
    barrier_indptr, barrier_xy_m, barrier_owner, barrier_frame, barrier_cells,
    x, y,
):  # fmt: skip
    """Return the station nearest to a point on foot: its number or -1, the cost of the walk and its metres, legs in.

    ``ways`` holds for each segment its metres, its costs forward and backward, and for each of its two ends the cost
    and the metres from there to the nearest station. ``ends`` holds the numbers of these two stations, and from where
    on the stations on the segment itself stand in ``on_way`` (fraction, leg) and ``on_way_station``.
    """
    segments = (indptr, xy_m, owner, frame, cells)
    barriers = (barrier_indptr, barrier_xy_m, barrier_owner, barrier_frame, barrier_cells)
    segment, f, _, _, leg, _ = _attach(segments, barriers, x, y, np.int64(-1), limit_m, any_remnant)
    station, cost, metres = -1, np.inf, np.nan
    if segment < 0:
        return station, cost, metres
    leg = np.rint(leg / quantum) * quantum
    first = ends[segment, 2]
    for row in range(first - 2, ends[segment + 1, 2]):  # the two ends, then what stands on the segment
        if row < first:
            side = row - first + 2
            at, to, beyond, beyond_m = ends[segment, side], side, ways[segment, 3 + side], ways[segment, 5 + side]
        else:
            at, to, beyond, beyond_m = on_way_station[row], on_way[row, 0], on_way[row, 1], on_way[row, 1]
        rate = ways[segment, 1] if to > f else ways[segment, 2]
        part = abs(to - f) * rate if to != f else 0.0  # nothing costs nothing even where it is barred
        total = leg + np.rint(part / quantum) * quantum + beyond
        if total < cost or (total == cost < np.inf and at < station):
            station, cost, metres = at, total, leg + abs(to - f) * ways[segment, 0] + beyond_m
    return station, cost, metres
