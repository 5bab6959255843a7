"""Geometry and numbers as small text that a page unpacks: quantised, delta-coded, compressed, base64.

Places become whole pixels of the web-Mercator world at zoom 20 (0.15 m at the equator, 0.11 m at 42° N), so a page
draws them at any zoom by one multiplication. Numbers are written as varints: seven bits a byte, the lowest first, the
top bit set on every byte but a number's last.
"""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np
import numpy.typing as npt
import shapely

from lifecircle.model import FloatArray, LongArray

WORLD_ZOOM = 20
"""Zoom at which a page's unit is one pixel; the page's script knows the same number."""

WORLD_PX = 256.0 * 2.0**WORLD_ZOOM
MERCATOR_LIMIT_DEG = 85.05

ESCAPED = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def world_px(lonlat: FloatArray) -> LongArray:
    """Return WGS 84 degrees of shape (n, 2) as whole pixels of the web-Mercator world at zoom 20, y southwards."""
    lon, lat = lonlat[:, 0], np.clip(lonlat[:, 1], -MERCATOR_LIMIT_DEG, MERCATOR_LIMIT_DEG)
    x = lon / 360.0 + 0.5
    y = 0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2.0 * np.pi)
    return np.rint(np.column_stack([x, y]) * WORLD_PX).astype(np.int64)


def varints(values: npt.ArrayLike) -> bytes:
    """Return whole numbers from 0 to 2^35 - 1 as varints."""
    n = np.asarray(values, dtype=np.int64)
    longest = max(1, -(-int(n.max(initial=0)).bit_length() // 7))
    septets = (n[:, None] >> (7 * np.arange(longest))) & 0x7F
    length = 1 + (n[:, None] >> (7 * np.arange(1, longest)) > 0).sum(axis=1)
    place = np.arange(longest)
    more = place < length[:, None] - 1
    return (septets | (more << 7)).astype(np.uint8)[place < length[:, None]].tobytes()


def signed_varints(values: npt.ArrayLike) -> bytes:
    """Return whole numbers as varints, zigzag coded: 0, -1, 1, -2 become 0, 1, 2, 3."""
    n = np.asarray(values, dtype=np.int64)
    return varints((n << 1) ^ (n >> 63))


def shapes(geometry: npt.NDArray[np.object_]) -> bytes:
    """Return points, lines and polygons (also of several parts) in WGS 84 degrees as varints.

    Returns
    -------
    bytes
        Counts of shapes, runs and vertices; runs of every shape; vertices of every run; then the x of all vertices,
        then the y, each as the difference from the vertex before. A run is a line, a point or a ring without its
        closing vertex; outer rings turn against inner ones, so that filling by winding number leaves holes open.
    """
    part, shape_of_part = shapely.get_parts(shapely.orient_polygons(geometry), return_index=True)
    ring, part_of_ring = shapely.get_rings(part, return_index=True)
    flat = np.flatnonzero(shapely.get_dimensions(part) < 2)
    run = np.concatenate([ring, part[flat]])
    run_shape = np.concatenate([shape_of_part[part_of_ring], shape_of_part[flat]]).astype(np.int64)
    order = np.argsort(run_shape, kind="stable")
    run, run_shape, closed = run[order], run_shape[order], order < len(ring)
    lonlat, run_of = shapely.get_coordinates(run, return_index=True)
    last = np.diff(run_of, append=len(run)) > 0
    kept = ~(last & closed[run_of])
    xy = world_px(lonlat[kept])
    sizes = np.bincount(run_of[kept], minlength=len(run))
    runs = np.bincount(run_shape, minlength=len(geometry))
    delta = np.diff(xy, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return b"".join(
        [
            varints([len(geometry), len(run), len(xy)]),
            varints(runs),
            varints(sizes),
            signed_varints(delta[:, 0]),
            signed_varints(delta[:, 1]),
        ]
    )


def pack(data: bytes) -> str:
    """Return ``data`` compressed (zlib) and in base64."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def pack_json(value: object) -> str:
    """Return a value as packed JSON; raises as `script_json` does."""
    return pack(json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii"))


def script_json(value: object) -> str:
    """Return ``value`` as JSON that can stand inside a script element: nothing in it can end the element.

    Lone surrogates, which UTF-8 cannot hold, are escaped as well.

    Raises
    ------
    ValueError
        When a number in ``value`` is not finite; JSON has no word for it.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
