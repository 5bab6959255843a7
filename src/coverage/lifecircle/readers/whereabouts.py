"""Where the rows are that findings name, and a sketch of the city to show them on: longitudes and latitudes.

Rows of the residents stay without a place: theirs are homes, and a page goes from hand to hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from lifecircle.errors import KEPT_PLACES, Breach, LonLat
from lifecircle.model import FloatArray, LongArray, StreetWays, Study
from lifecircle.readers.inputs import Input
from lifecircle.readers.layers import Layers
from lifecircle.readers.metric import LON_LAT, on_earth
from lifecircle.readers.shifts import Shapes, drawn, street_lines
from lifecircle.schema import ELEVATION, LAYERS

SHOWN = ("areas", "buildings", "entrances", "stations", "candidates", "streets")
"""Layers of whose rows the places are told."""

OF_A_LAYER = frozenset({"looks-like-gcj02", "looks-like-bd09", "looks-like-wgs84", "wrong-place", "swapped-axes"})
"""Rules that may be broken by a layer as a whole: their finding then names no row, and concerns all."""

_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Sketch:
    """Lines to know a city by, degrees of WGS 84; each may be empty."""

    streets: Shapes
    borders: Shapes


def sketch(layers: Layers) -> Sketch:
    """Return the streets and the borders of areas as far as they could be read."""
    none = np.empty(0, dtype=object)
    streets, areas = street_lines(layers), on_earth(layers.tables.get("areas"))
    return Sketch(
        streets=none if streets is None else streets, borders=none if areas is None else shapely.boundary(drawn(areas))
    )


def only_files(inputs: Iterable[Input]) -> dict[str, str]:
    """Return the path in the study file of each layer that comes of one file."""
    paths: dict[str, set[str]] = {}
    for source in inputs:
        paths.setdefault(source.layer, set()).add(source.path)
    return {layer: path for layer, (path, *others) in paths.items() if not others}


def with_places_of_layers(findings: Iterable[Breach], layers: Layers) -> list[Breach]:
    """Return findings with the places of the rows that they name, in layers as read."""
    return _with_places(findings, layers.tables, layers.ways, CRS(LON_LAT))


def with_places_of_study(findings: Iterable[Breach], study: Study) -> list[Breach]:
    """Return findings with the places of the rows that they name, in a study."""
    frames = {layer: getattr(study, layer) for layer in SHOWN if layer != "streets"}
    return _with_places(findings, frames, study.streets, study.crs)


def _with_places(
    findings: Iterable[Breach], tables: Mapping[str, pd.DataFrame], ways: StreetWays | None, crs: CRS
) -> list[Breach]:
    return [
        finding if finding.places else replace(finding, places=_places(finding, tables, ways, crs))
        for finding in findings
    ]


def _places(
    finding: Breach, tables: Mapping[str, pd.DataFrame], ways: StreetWays | None, crs: CRS
) -> tuple[LonLat, ...]:
    layer = "streets" if finding.layer == ELEVATION else finding.layer
    if layer not in SHOWN or not (finding.ids or finding.rule in OF_A_LAYER):
        return ()
    table = on_earth(tables.get(layer))
    if layer == "streets" and ways is not None:
        rows = _rows(finding, pd.Index(ways.way_id))
        middle = (ways.indptr[rows] + ways.indptr[rows + 1]) // 2
        return lonlat(ways.xy_m[ways.node[middle]], crs)
    if table is None:
        return ()
    key = next(column.name for column in LAYERS[layer].columns if column.kind == "id")
    rows = _rows(finding, pd.Index(table[key]))
    shapes = table.geometry.to_numpy()[rows]
    placed = shapes[np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    # Of an outline that crosses itself there is no telling what lies inside, but a middle.
    return lonlat(shapely.get_coordinates(shapely.centroid(placed)), table.crs)


def _rows(finding: Breach, ids: pd.Index) -> LongArray:
    """Return the rows that a finding names, at most `KEPT_PLACES`: of a whole layer some at even steps."""
    named = {*finding.ids, *(name.split(" -> ")[0] for name in finding.ids)}
    rows = np.flatnonzero(ids.isin(named))
    if not len(rows) and finding.rule in OF_A_LAYER:
        rows = np.arange(len(ids))
        return rows[:: 1 + len(rows) // KEPT_PLACES]
    return rows[:KEPT_PLACES]


def lonlat(xy: FloatArray, crs: CRS) -> tuple[LonLat, ...]:
    """Return the first `KEPT_PLACES` of (n, 2) coordinates as a breach has them; what is not on the earth left out."""
    xy = xy[:KEPT_PLACES]
    lon, lat = Transformer.from_crs(crs, LON_LAT, always_xy=True).transform(xy[:, 0], xy[:, 1])
    places = np.column_stack([lon, lat])
    real = np.isfinite(places).all(axis=1) & (np.abs(places) <= (180.0, 90.0)).all(axis=1)
    return tuple((float(x), float(y)) for x, y in places[real].round(_DECIMALS))
