"""Straight legs from points to the nearest pieces of segments, and the barriers that they cross; compiled.

A *piece* is the straight line from one vertex to the next, named by its first vertex. Its *owner* is a segment, or a
barrier: a polygon owns the pieces of its rings, a line its own. Each kind lies in a uniform grid of square cells:

    frame   west and south edge of the grid, side of a cell (metres), numbers of columns and rows
    xy_m    (2 n,) vertices, metres: x, y, x, y, ...
    indptr  vertices of owner i: indptr[i] to indptr[i + 1] - 1
    owner   (n,) the owner of the piece that begins at each vertex; ~owner marks a remnant, or a barrier that is a line
    cells   for each cell, row by row, where its pieces begin in this same array; then the pieces themselves

and comes as two arrays, for every array makes a call slower and its code longer: ``numbers`` are ``frame`` and
``xy_m``; ``whole`` are the lengths of ``indptr`` and ``owner``, then these two, then ``cells``.
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

_XY, _INDPTR = 5, 2
"""Where the vertices begin in ``numbers``, and ``indptr`` in ``whole``."""

compiled = njit(cache=True, nogil=True, error_model="numpy")
# A function without an entry from Python and a cache of its own compiles faster, as a part of those that call it.
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

_DIRECTIONS = 256
"""How finely the directions are divided in which barriers are remembered that bar every longer leg."""

_SLACK = 1e-6
"""Cells by which a line is drawn thicker in the grid, so that rounding never takes it out of a cell that it touches."""


# ------------------------------------------------------------------------------------------------------- the grid


@inner
def _parts(whole):
    """Return where ``owner`` and ``cells`` begin in ``whole``."""
    owners = _INDPTR + np.int64(whole[0])
    return owners, owners + np.int64(whole[1])


@inner
def _owner(whole, owners, piece):
    """Return the number of a piece's segment, a remnant or not."""
    owner = np.int64(whole[owners + piece])
    return owner if owner >= 0 else ~owner


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
        for i in range(len(pieces)):
            piece = np.int64(pieces[i])
            ax, ay = (xy_m[2 * piece] - west) / side, (xy_m[2 * piece + 1] - south) / side
            bx, by = (xy_m[2 * piece + 2] - west) / side, (xy_m[2 * piece + 3] - south) / side
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
def _spot_on(numbers, piece, x, y):
    """Return the spot of a piece that is nearest to a point: share of the piece, where it is, its distance squared."""
    v = _XY + 2 * piece
    ax, ay = numbers[v], numbers[v + 1]
    dx, dy = numbers[v + 2] - ax, numbers[v + 3] - ay
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
    numbers, whole = segments[0], segments[1]
    spot, length, ex, ey = -1, np.inf, 0.0, 0.0
    passed, before = 0.0, 0.0
    for piece in range(np.int64(whole[_INDPTR + segment]), np.int64(whole[_INDPTR + segment + 1]) - 1):
        share, qx, qy, squared = _spot_on(numbers, piece, x, y)
        away = math.sqrt(squared)
        v = _XY + 2 * piece
        dx, dy = numbers[v + 2] - numbers[v], numbers[v + 3] - numbers[v + 1]
        step = math.sqrt(dx * dx + dy * dy)
        if away < length - TOLERANCE_M:
            spot, length, ex, ey, before = piece, away, qx, qy, passed + share * step
        passed += step
    fraction = min(before / passed, 1.0) if passed > 0 else 0.0
    return spot, fraction, ex, ey, length


@inner
def _nearest_segment(segments, x, y, limit_m, remnant):
    """Return the nearest segment and how far it is (inf beyond ``limit_m``); of remnants alone, or of the rest.

    Of equally near ones that of the smallest number: if it might not be, -1, and it must be looked for with more care.
    Rings of cells about the point are looked through until nothing nearer can lie outside of them.
    """
    numbers, whole = segments[0], segments[1]
    owners, cells = _parts(whole)
    side, n_columns, n_rows = numbers[2], int(numbers[3]), int(numbers[4])
    gx, gy = (x - numbers[0]) / side, (y - numbers[1]) / side
    reach = limit_m / side + 1
    if not (-reach < gx < n_columns + reach and -reach < gy < n_rows + reach):  # nor where it is not a number
        return np.int64(-1), np.inf
    column, row = math.floor(gx), math.floor(gy)
    ring = max(max(0, -column, column - n_columns + 1), max(-row, row - n_rows + 1))
    last = max(max(column, n_columns - 1 - column), max(row, n_rows - 1 - row))
    margin = min(min(gx - column, column + 1 - gx), min(gy - row, row + 1 - gy))
    shortest, longest = limit_m + TOLERANCE_M, limit_m + TOLERANCE_M  # of all, and of the segment chosen so far
    chosen = np.int64(-1)
    most = (shortest / side) * (shortest / side)  # in cells, squared
    while ring <= last and (ring - 1 + margin <= 0 or (ring - 1 + margin) * (ring - 1 + margin) <= most):
        for r in range(max(row - ring, 0), min(row + ring, n_rows - 1) + 1):
            dy = max(max(r - gy, gy - r - 1), 0.0)
            across = 1 if abs(r - row) == ring else 2 * ring  # the ring's top and bottom whole, else its two sides
            for c in range(column - ring, column + ring + 1, across):
                dx = max(max(c - gx, gx - c - 1), 0.0)
                if c < 0 or c >= n_columns or dx * dx + dy * dy > most:
                    continue
                for at in range(cells + whole[cells + r * n_columns + c], cells + whole[cells + r * n_columns + c + 1]):
                    piece = np.int64(whole[at])
                    if (whole[owners + piece] < 0) != remnant:
                        continue
                    v = _XY + 2 * piece
                    ax, ay = numbers[v], numbers[v + 1]
                    ux, uy = numbers[v + 2] - ax, numbers[v + 3] - ay
                    vx, vy = x - ax, y - ay
                    squared = ux * ux + uy * uy
                    if squared > 0:
                        share = min(max((vx * ux + vy * uy) / squared, 0.0), 1.0)
                        vx, vy = vx - share * ux, vy - share * uy
                    squared = vx * vx + vy * vy
                    if squared > (shortest + TOLERANCE_M) * (shortest + TOLERANCE_M):
                        continue
                    away, segment = math.sqrt(squared), _owner(whole, owners, piece)
                    if chosen < 0 or away < shortest - TOLERANCE_M or segment < chosen:
                        chosen, longest = segment, away
                    elif segment == chosen:
                        longest = min(longest, away)
                    if away < shortest:
                        shortest = away
                        most = ((shortest + TOLERANCE_M) / side) * ((shortest + TOLERANCE_M) / side)
        ring += 1
    if shortest > limit_m:
        return np.int64(-1), np.inf
    return (chosen if longest <= shortest + TOLERANCE_M else np.int64(-1)), shortest


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
    numbers, whole = barriers[0], barriers[1]
    inside = False
    for piece in range(np.int64(whole[_INDPTR + barrier]), np.int64(whole[_INDPTR + barrier + 1]), 2):
        v = _XY + 2 * piece
        ax, ay, bx, by = numbers[v], numbers[v + 1], numbers[v + 2], numbers[v + 3]
        turn = _side_of(ax, ay, bx, by, x, y)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return False
        if (ay > y) != (by > y) and (turn > 0) == (by > ay):
            inside = not inside
    return inside


@inner
def _bars(barriers, piece, x, y, sx, sy, ex, ey, own, held):
    """Return whether a barrier's piece bars a leg, trimmed at both ends to ``sx, sy`` and ``ex, ey``.

    A polygon that holds the point itself does not. ``held`` remembers the last polygon asked and whether it does.
    """
    numbers, whole = barriers[0], barriers[1]
    barrier = np.int64(whole[_parts(whole)[0] + piece])
    v = _XY + 2 * piece
    cx, cy, dx, dy = numbers[v], numbers[v + 1], numbers[v + 2], numbers[v + 3]
    if barrier >= 0:  # drawn in already, so that what touches its wall does not meet it
        sx, sy = x, y
    if (barrier if barrier >= 0 else ~barrier) == own or not _meet(sx, sy, ex, ey, cx, cy, dx, dy):
        return False
    if barrier >= 0 and held[0] != barrier:
        held[0], held[1] = barrier, _holds(barriers, barrier, x, y)
    return barrier < 0 or not held[1]


@inner
def _trimmed(x, y, ex, ey, length):
    """Return a leg without the parts at both ends that may touch a barrier."""
    trim = min(TOUCH_M / max(length, TOUCH_M), 0.25)
    return x + trim * (ex - x), y + trim * (ey - y), ex - trim * (ex - x), ey - trim * (ey - y)


@inner
def _direction(dx, dy):
    """Return a direction as a number from 0 (east, and on by north) up to `_DIRECTIONS`."""
    part = dy / (abs(dx) + abs(dy))
    return _DIRECTIONS / 4 * (2 - part if dx < 0 else part if dy >= 0 else 4 + part)


@inner
def _cast(shadows, x, y, ax, ay, bx, by):
    """Remember in which directions a barrier's piece bars every longer leg of a point.

    For each division of the directions, ``shadows`` holds up to where in it all is barred from its first end, from
    where on up to its other end, and from what length on.
    """
    ax, ay, bx, by = ax - x, ay - y, bx - x, by - y
    across = ax * by - ay * bx
    if abs(across) <= 2 * TOUCH_M * math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay)):
        return  # seen edgewise, or so near that a leg may touch it
    if across < 0:
        ax, ay, bx, by = bx, by, ax, ay
    begin, end = _direction(ax, ay), _direction(bx, by)
    if end < begin:
        end += _DIRECTIONS
    far = math.sqrt(max(ax * ax + ay * ay, bx * bx + by * by)) + 2 * TOUCH_M
    for whole in range(int(begin), int(end) + 1):
        k = whole % _DIRECTIONS
        first, last = max(begin - whole, 0.0), min(end - whole, 1.0)
        if first <= 0 and last >= 1 and (far < shadows[k, 2] or shadows[k, 0] < shadows[k, 1]):
            shadows[k, 0], shadows[k, 1], shadows[k, 2] = 1.0, 0.0, far
        elif shadows[k, 0] < shadows[k, 1]:
            if first <= shadows[k, 0] < last:
                shadows[k, 0], shadows[k, 2] = last, max(shadows[k, 2], far)
            if last >= shadows[k, 1] > first:
                shadows[k, 1], shadows[k, 2] = first, max(shadows[k, 2], far)


@inner
def _all_barred(shadows, length):
    """Return whether every leg longer than ``length`` is known to be barred."""
    known = True
    for k in range(_DIRECTIONS):
        known &= shadows[k, 0] >= shadows[k, 1] and shadows[k, 2] <= length
    return known


@inner
def _crosses(barriers, x, y, ex, ey, length, own, held, shadows):
    """Return whether a leg from ``x, y`` to ``ex, ey`` crosses a barrier that is not ``own``."""
    if length <= 2 * TOUCH_M:  # it touches at most
        return False
    sx, sy, ex, ey = _trimmed(x, y, ex, ey, length)
    numbers, whole = barriers[0], barriers[1]
    cells = _parts(whole)[1]
    west, south, side = numbers[0], numbers[1], numbers[2]
    n_columns, n_rows = int(numbers[3]), int(numbers[4])
    ax, ay, bx, by = (x - west) / side, (y - south) / side, (ex - west) / side, (ey - south) / side
    low, high = _band(ay, by, n_rows)
    for count in range(high - low + 1):
        row = low + count if ay <= by else high - count  # from the point outwards: what bars it is most often near
        left, right = _columns(ax, ay, bx, by, row, n_columns)
        for cell in range(row * n_columns + left, row * n_columns + right + 1):
            for at in range(cells + whole[cells + cell], cells + whole[cells + cell + 1]):
                piece = np.int64(whole[at])
                if _bars(barriers, piece, x, y, sx, sy, ex, ey, own, held):
                    v = _XY + 2 * piece
                    cx, cy, dx, dy = numbers[v], numbers[v + 1], numbers[v + 2], numbers[v + 3]
                    _cast(shadows, x, y, cx, cy, dx, dy)
                    return True
    return False


# ------------------------------------------------------------------------------------------------------------ legs


@inner
def _leg(segments, barriers, x, y, own, limit_m, remnant, held, shadows):
    """Return the leg of a point: segment, fraction of it, where it ends, length, whether it cannot but cross a barrier.

    It leads to the nearest segment, of equally near ones to that of the smallest number; where that leg crosses a
    barrier, to the first, in order of their nearest spots, whose leg crosses nothing; where all do, to the nearest;
    where none is within ``limit_m``, to -1.
    """
    segment, nearest = _nearest_segment(segments, x, y, limit_m, remnant)
    barred = barriers[1][1] > 0
    if segment >= 0:
        _, fraction, ex, ey, length = _spot_along(segments, segment, x, y)
        if not barred or not _crosses(barriers, x, y, ex, ey, length, own, held, shadows):
            return segment, fraction, ex, ey, length, False
    return _way_out(segments, barriers, x, y, own, limit_m, remnant, held, shadows, nearest)


@inner
def _way_out(segments, barriers, x, y, own, limit_m, remnant, held, shadows, nearest):
    """Return the leg of a point whose nearest segment, ``nearest`` metres away, lies behind a barrier or is not alone.

    Rings of cells are looked through as for the nearest segment, until a leg that crosses nothing is shorter than what
    lies outside of them, or all longer ones are known to be barred.
    """
    numbers, whole = segments[0], segments[1]
    owners, cells = _parts(whole)
    side, n_columns, n_rows = numbers[2], int(numbers[3]), int(numbers[4])
    gx, gy = (x - numbers[0]) / side, (y - numbers[1]) / side
    free = crossing = (np.int64(-1), 0.0, x, y, np.inf)
    if nearest == np.inf:
        return free[0], free[1], free[2], free[3], free[4], False
    column, row = math.floor(gx), math.floor(gy)
    last = max(max(column, n_columns - 1 - column), max(row, n_rows - 1 - row))
    margin = min(min(gx - column, column + 1 - gx), min(gy - row, row + 1 - gy))
    barred, known = barriers[1][1] > 0, False
    for k in range(_DIRECTIONS if barred else 0):
        shadows[k, 0], shadows[k, 1], shadows[k, 2] = 0.0, 1.0, 0.0
    ring, shortest, longest = 0, limit_m, limit_m + TOLERANCE_M
    while ring <= last and (ring - 1 + margin) * side <= longest and not known:
        most = (longest / side) * (longest / side)
        for r in range(max(row - ring, 0), min(row + ring, n_rows - 1) + 1):
            dy = max(max(r - gy, gy - r - 1), 0.0)
            across = 1 if abs(r - row) == ring else 2 * ring
            for c in range(column - ring, column + ring + 1, across):
                dx = max(max(c - gx, gx - c - 1), 0.0)
                if c < 0 or c >= n_columns or dx * dx + dy * dy > most:
                    continue
                for at in range(cells + whole[cells + r * n_columns + c], cells + whole[cells + r * n_columns + c + 1]):
                    piece = np.int64(whole[at])
                    if (whole[owners + piece] < 0) != remnant:
                        continue
                    v = _XY + 2 * piece
                    ax, ay = numbers[v], numbers[v + 1]
                    ux, uy = numbers[v + 2] - ax, numbers[v + 3] - ay
                    vx, vy = ax - x, ay - y  # from the point to the spot, in the end
                    squared, share = ux * ux + uy * uy, 0.0
                    if squared > 0:
                        share = min(max(-(vx * ux + vy * uy) / squared, 0.0), 1.0)
                        vx, vy = vx + share * ux, vy + share * uy
                    squared = vx * vx + vy * vy
                    if squared > longest * longest:
                        continue
                    if share == 0.0 and piece > 0 and whole[owners + piece - 1] == whole[owners + piece]:
                        continue  # as near as the piece before
                    away = math.sqrt(squared)
                    if barred and away > nearest + TOLERANCE_M:
                        k = min(int(_direction(vx, vy)), _DIRECTIONS - 1)
                        if shadows[k, 0] >= shadows[k, 1] and away > shadows[k, 2]:
                            continue
                    segment = _owner(whole, owners, piece)
                    spot, fraction, ex, ey, length = _spot_along(segments, segment, x, y)
                    if spot != piece or segment == free[0]:  # another piece of the segment is nearer, or this is known
                        continue
                    if barred and _crosses(barriers, x, y, ex, ey, length, own, held, shadows):
                        if away <= nearest + TOLERANCE_M and (crossing[0] < 0 or segment < crossing[0]):
                            crossing = (segment, fraction, ex, ey, length)
                    elif free[0] < 0 or away < shortest - TOLERANCE_M or segment < free[0]:
                        free, shortest = (segment, fraction, ex, ey, length), min(shortest, away)
                        longest = shortest + TOLERANCE_M
        ring += 1
        known = barred and _all_barred(shadows, (ring - 1 + margin) * side)
    found = free if free[0] >= 0 else crossing
    return found[0], found[1], found[2], found[3], found[4], free[0] < 0 <= crossing[0]


@inner
def _attach(segments, barriers, x, y, own, limit_m, any_remnant, held, shadows):
    """Return the leg of a point as `_leg` does; to a remnant only for want of another segment."""
    held[0] = -1
    leg = (np.int64(-1), 0.0, x, y, np.inf, False)
    for kind in range(2 if any_remnant else 1):  # one call in the code, for each would be compiled anew
        if leg[0] < 0 or leg[5]:
            other = _leg(segments, barriers, x, y, own, limit_m, kind == 1, held, shadows)
            if leg[0] < 0 or (other[0] >= 0 and not other[5]):
                leg = other
    return leg


@compiled
def attach(points, own, limit_m, any_remnant, numbers, whole, barrier_numbers, barrier_whole):
    """Return the legs of points: segment (-1 for none), fraction, end (n, 2), length, whether it crosses a barrier."""
    segments, barriers = (numbers, whole), (barrier_numbers, barrier_whole)
    n, held, shadows = len(points), np.empty(2, np.int64), np.empty((_DIRECTIONS, 3))
    segment, fraction, end_m = np.empty(n, np.int32), np.empty(n), np.empty((n, 2))
    length_m, blocked = np.empty(n), np.empty(n, np.bool_)
    for i in range(n):
        leg = _attach(segments, barriers, points[i, 0], points[i, 1], own[i], limit_m, any_remnant, held, shadows)
        segment[i], fraction[i], end_m[i, 0], end_m[i, 1], length_m[i], blocked[i] = leg
    return segment, fraction, end_m, length_m, blocked


# --------------------------------------------------------------------------------------------- the nearest station


@compiled
def nearest_station(
    ways, on_way, quantum, limit_m, any_remnant, numbers, whole, barrier_numbers, barrier_whole, x, y, own
):  # fmt: skip
    """Return the station nearest to a point on foot: its number or -1, the cost of the walk and its metres, legs in.

    ``ways`` holds for each segment its metres, its costs forward and backward, for each of its two ends the cost and
    the metres from there to the nearest station, the numbers of these two stations, and from where on the stations on
    the segment itself stand in ``on_way`` (fraction, leg, number). The barrier ``own``, -1 for none, bars nothing.
    """
    segments, barriers = (numbers, whole), (barrier_numbers, barrier_whole)
    held, shadows = np.empty(2, np.int64), np.empty((_DIRECTIONS, 3))
    segment, f, _, _, leg, _ = _attach(segments, barriers, x, y, np.int64(own), limit_m, any_remnant, held, shadows)
    station, cost, metres = np.int64(-1), np.inf, np.nan
    if segment < 0:
        return station, cost, metres
    leg = np.rint(leg / quantum) * quantum
    first, last = np.int64(ways[segment, 9]), np.int64(ways[segment + 1, 9])
    for row in range(first - 2, last):  # the two ends, then what stands on the segment
        if row < first:
            side = row - first + 2
            at, to = np.int64(ways[segment, 7 + side]), float(side)
            beyond, beyond_m = ways[segment, 3 + side], ways[segment, 5 + side]
        else:
            at, to, beyond, beyond_m = np.int64(on_way[row, 2]), on_way[row, 0], on_way[row, 1], on_way[row, 1]
        rate = ways[segment, 1] if to > f else ways[segment, 2]
        part = abs(to - f) * rate if to != f else 0.0  # nothing costs nothing even where it is barred
        total = leg + np.rint(part / quantum) * quantum + beyond
        if total < cost or (total == cost < np.inf and at < station):
            station, cost, metres = at, total, leg + abs(to - f) * ways[segment, 0] + beyond_m
    return station, cost, metres
