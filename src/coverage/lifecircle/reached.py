"""The stretches of street from which a walker arrives in time, cut where the time runs out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import SPEED_MPS, TOLERANCE_S, FloatArray, LongArray
from lifecircle.network import WalkNetwork
from lifecircle.routing import nearest_walks, seconds_at_ends
from lifecircle.routing.directions import ROUND_TRIP, THERE
from lifecircle.snapping import Snaps

SAMPLE_M = 5.0
"""Metres within which the time both ways is taken as straight along a street."""

Spans = tuple[LongArray, FloatArray, FloatArray]
"""Segments, and the fractions of them at which stretches begin and end."""


def street_lines(network: WalkNetwork) -> npt.NDArray[np.object_]:
    """Return the line of every segment (shapely)."""
    vertex = np.repeat(np.arange(network.n_segments), np.diff(network.shape_indptr))
    return np.asarray(shapely.linestrings(network.shape_xy_m, indices=vertex))


def reached_lines(
    network: WalkNetwork,
    stations: Snaps,
    *,
    cutoff_s: float,
    speed_mps: float = SPEED_MPS,
    direction: str = THERE,
) -> npt.NDArray[np.object_]:
    """Return the lines from every spot of which a walker reaches one of ``stations`` in time.

    Parameters are those of `reached_spans`.

    Returns
    -------
    array of LineString
        Metres, in the network's CRS, along the segments; no two overlap. A street that is reached from both ends but
        not in its middle gives two lines, one that is out of reach none. Empty where nothing is reached.
    """
    spans = reached_spans(network, stations, cutoff_s=cutoff_s, speed_mps=speed_mps, direction=direction)
    lines = cut_lines(network, *spans)
    return lines[shapely.length(lines) > 0]


def reached_spans(
    network: WalkNetwork,
    stations: Snaps,
    *,
    cutoff_s: float,
    speed_mps: float = SPEED_MPS,
    direction: str = THERE,
) -> Spans:
    """Find the stretches of segments from which a walker reaches one of ``stations`` in time.

    Parameters
    ----------
    cutoff_s
        Seconds, inclusive, with the station's own leg.
    direction
        Which walk counts, as in ``routing.nearest``.

    Returns
    -------
    (segment, start, stop)
        (n,) each: the segment, and the fractions of its length between which it is reached; ascending, none touching
        another. Exact for the way there and wherever both ways are alike, else to within `SAMPLE_M`.
    """
    limit_s = cutoff_s + TOLERANCE_S
    if direction == THERE or network.is_symmetric:
        return _spans_there(network, stations, limit_s, speed_mps)
    return _spans_both_ways(network, stations, limit_s, speed_mps, direction)


def _spans_there(network: WalkNetwork, stations: Snaps, cutoff_s: float, speed_mps: float) -> Spans:
    """Return the stretches from which stations are reached by the way there.

    Who stands on a segment walks to one of its ends, or to a station on it. So a segment is reached as far from either
    end, and from every station on it, as there is time left there.
    """
    impedance = network.impedance(speed_mps)
    left_m = (cutoff_s - seconds_at_ends(network, stations, cutoff_s=cutoff_s, speed_mps=speed_mps)) * speed_mps
    everything = np.arange(network.n_segments)
    by_start = everything, np.zeros(network.n_segments), _share(left_m[:, 0], impedance.backward_m)
    by_end = everything, 1.0 - _share(left_m[:, 1], impedance.forward_m), np.ones(network.n_segments)

    s, t = stations.segment.astype(np.int64), stations.fraction
    here_m = cutoff_s * speed_mps - stations.access_m
    along = s, t - _share(here_m, impedance.forward_m[s]), t + _share(here_m, impedance.backward_m[s])
    return _joined(by_start, by_end, along)


def _spans_both_ways(network: WalkNetwork, stations: Snaps, cutoff_s: float, speed_mps: float, direction: str) -> Spans:
    """Return the stretches reached by a walk that counts both ways, from places all along the streets."""
    farthest_s = 2 * cutoff_s if direction == ROUND_TRIP else cutoff_s
    segment = np.unique(_spans_there(network, stations, farthest_s, speed_mps)[0])
    pieces = np.maximum(np.ceil(network.length_m[segment] / SAMPLE_M), 1.0).astype(np.int64)
    place_of = np.repeat(segment, pieces + 1)
    n = len(place_of)
    rank = np.arange(n) - np.repeat(np.cumsum(pieces + 1) - pieces - 1, pieces + 1)
    fraction = rank / np.repeat(pieces, pieces + 1)
    places = Snaps(
        place=np.arange(n, dtype=np.int32),
        segment=place_of.astype(np.int32),
        fraction=fraction,
        access_m=np.zeros(n),
        xy_m=np.full((n, 2), np.nan),  # no search asks where a place lies
        blocked=np.zeros(n, dtype=bool),
        building=np.full(n, -1, dtype=np.int32),
    )
    walks = nearest_walks(network, stations, places, speed_mps=speed_mps, direction=direction)
    seconds = walks.seconds[:, 0]
    a = np.flatnonzero(rank[1:] > 0)  # each place with one after it on its segment
    left_s = np.where(np.isfinite(seconds), cutoff_s - seconds, -np.inf)
    here_s = np.maximum(left_s, 0.0)
    share_a, share_b = (
        _share(here_s[i], here_s[i] - np.minimum(left_s[j], here_s[i])) for i, j in ((a, a + 1), (a + 1, a))
    )
    step = fraction[a + 1] - fraction[a]
    from_a = place_of[a], fraction[a], fraction[a] + share_a * step
    from_b = place_of[a], fraction[a + 1] - share_b * step, fraction[a + 1]
    return _joined(from_a, from_b)


def _share(left_m: FloatArray, whole_m: FloatArray) -> FloatArray:
    """Return how much of a segment ``left_m`` is enough for, from 0 to 1."""
    enough = left_m >= whole_m
    share = np.divide(left_m, whole_m, out=enough.astype(np.float64), where=~enough & (left_m > 0) & (whole_m > 0))
    return np.where(left_m > 0, share, 0.0)


def _joined(*spans: Spans) -> Spans:
    """Return the union of spans, those of a segment that meet as one, cut to the segment; none is empty."""
    segment, start, stop = (np.concatenate(parts) for parts in zip(*spans, strict=True))
    start, stop = np.maximum(start, 0.0), np.minimum(stop, 1.0)
    order = np.lexsort((start, segment))
    order = order[stop[order] > start[order]]
    segment, start, stop = segment[order], start[order], stop[order]
    by_stop = np.lexsort((stop, segment))
    rank = np.empty(len(by_stop), dtype=np.int64)
    rank[by_stop] = np.arange(len(by_stop))
    farthest = stop[by_stop[np.maximum.accumulate(rank)]]  # of this span and those before it on the segment
    apart = (segment[1:] != segment[:-1]) | (start[1:] > farthest[:-1])
    begins, ends = np.ones(len(segment), dtype=bool), np.ones(len(segment), dtype=bool)
    begins[1:], ends[:-1] = apart, apart
    return segment[begins], start[begins], farthest[ends]


def cut_lines(network: WalkNetwork, segment: LongArray, start: FloatArray, stop: FloatArray) -> npt.NDArray[np.object_]:
    """Return the lines (shapely) of stretches of segments, given as fractions of their lengths; none may be empty."""
    indptr, xy_m = network.shape_indptr, network.shape_xy_m
    step = np.zeros(len(xy_m))
    step[1:] = np.hypot(*np.diff(xy_m, axis=0).T)
    along = np.cumsum(step)
    whole = along[indptr[1:] - 1] - along[indptr[:-1]]

    count = np.diff(indptr)[segment]
    piece = np.repeat(np.arange(len(segment)), count)
    vertex = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + indptr[segment][piece]
    at = along[vertex] - along[indptr[segment]][piece]
    first, last = start * whole[segment], stop * whole[segment]
    inner = (at > first[piece]) & (at < last[piece])

    def spot(at_m: FloatArray) -> FloatArray:
        """Return where on its segment each piece is ``at_m`` metres from the segment's start."""
        before = np.bincount(piece[at <= at_m[piece]], minlength=len(segment))
        vertex = indptr[segment] + np.clip(before, 1, count - 1) - 1
        stretch = along[vertex + 1] - along[vertex]
        walked = at_m - (along[vertex] - along[indptr[segment]])
        share = np.clip(np.divide(walked, stretch, out=np.zeros(len(segment)), where=stretch > 0), 0.0, 1.0)[:, None]
        return xy_m[vertex] * (1.0 - share) + xy_m[vertex + 1] * share

    each = np.arange(len(segment))
    owner = np.concatenate([each, piece[inner], each])
    order = np.argsort(owner, kind="stable")  # start, inner vertices, stop
    coordinates = np.concatenate([spot(first), xy_m[vertex[inner]], spot(last)])
    return np.asarray(shapely.linestrings(coordinates[order], indices=owner[order]))
