"""A made-up city's heights as a GeoTIFF, as radar heights come: a cell an arc second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS, Transformer
from rasterio.errors import RasterioError
from rasterio.transform import Affine

from lifecircle.errors import OutputError
from lifecircle.mark import MARK, YES
from lifecircle.synthetic.city import Heights

CELL_DEGREES = 1 / 3600
UNITS_PER_M = 10
"""Heights are kept as whole decimetres."""

Box = tuple[float, float, float, float]


def box_of(heights: Heights, crs: CRS) -> Box:
    """Return the box in degrees about the grid: west, south, east, north."""
    rows, columns = heights.height_m.shape
    east_m = heights.west_m + (columns - 1) * heights.step_m
    south_m = heights.north_m - (rows - 1) * heights.step_m
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    return to_degrees.transform_bounds(heights.west_m, south_m, east_m, heights.north_m)


def write_heights(path: Path, heights: Heights, crs: CRS) -> None:
    """Write the heights within `box_of` the grid; they are read in metres.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    west, south, east, north = box_of(heights, crs)
    columns, rows = int((east - west) / CELL_DEGREES), int((north - south) / CELL_DEGREES)
    lon = west + (np.arange(columns) + 0.5) * CELL_DEGREES
    lat = north - (np.arange(rows) + 0.5) * CELL_DEGREES
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(*np.meshgrid(lon, lat))
    height_m = heights.at(np.column_stack([x.ravel(), y.ravel()])).reshape(rows, columns)
    profile = {
        "driver": "GTiff",
        "width": columns,
        "height": rows,
        "count": 1,
        "dtype": "int16",
        "crs": "EPSG:4326",
        "transform": Affine(CELL_DEGREES, 0.0, west, 0.0, -CELL_DEGREES, north),
        "compress": "deflate",
        "predictor": 2,
    }
    try:
        with rasterio.open(path, "w", **profile) as raster:
            raster.write(np.rint(height_m * UNITS_PER_M).astype(np.int16), 1)
            raster.scales = (1 / UNITS_PER_M,)
            raster.update_tags(**{MARK: YES})
    except RasterioError as error:
        raise OutputError(f"cannot write {path}: {error}") from error
