"""OpenStreetMap objects as layers: which tags make a building, an entrance, a barrier, an area."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import Breach
from lifecircle.model import BoolArray
from lifecircle.readers.inputs import Input, Where
from lifecircle.readers.osm import Found, OsmExtract
from lifecircle.readers.rings import Geometries, Polygons, is_closed, lines, polygons
from lifecircle.said import Said
from lifecircle.schema import LAYERS, breach

LON_LAT = "EPSG:4326"

DEFAULT_WHERE: Mapping[str, Where] = {
    "streets": ({"highway": ()},),
    "buildings": ({"building": ()},),
    "entrances": ({"entrance": ()},),
    "barriers": (
        {"barrier": ("wall", "city_wall", "retaining_wall", "fence", "hedge")},
        {"railway": ("rail", "light_rail", "narrow_gauge", "subway", "monorail")},
        {"natural": ("water", "coastline")},
        {"waterway": ("river", "canal", "riverbank", "dock")},
    ),
}
"""What is read where the study file gives no filter. A tram runs in the street and a stream is stepped over: neither
bars the way."""

NOT_BUILDINGS = frozenset(
    (*("no", "roof", "carport", "construction", "proposed", "planned", "ruins", "ruin", "abandoned"),
     *("collapsed", "destroyed", "demolished", "razed", "bridge"))
)  # fmt: skip
"""Values of ``building`` that nobody lives or works in, or that people walk beneath."""

OTHER_USES = (
    *("amenity", "shop", "office", "craft", "tourism", "leisure", "sport", "club", "healthcare", "religion"),
    *("emergency", "public_transport", "railway", "aeroway", "aerialway", "man_made", "industrial", "power"),
    *("telecom", "military", "government", "museum"),
)
"""Keys that say what a building of no stated kind is used for, other than living."""

NOT_ENTRANCES = frozenset({"no", "emergency", "emergency_exit", "fire_exit", "exit", "garage", "parking", "service"})
"""Values of ``entrance`` by which residents do not leave on foot."""

LEAST_BORDER = 0.5
"""The least share of an area's border ways that a file must hold for the rest to be drawn straight."""

MOST_LEVELS = 200
"""More levels than any building has: a number above is a slip."""

Made = tuple[pd.DataFrame, list[Breach]]


@dataclass(frozen=True)
class OsmLayer:
    """What a layer's maker gets: the file, the layer's input, its objects."""

    extract: OsmExtract
    input: Input
    found: tuple[Found, ...]

    def tag(self, key: str) -> pd.Series:
        """Return a tag of every object, empty where absent."""
        return pd.Series([f.tags.get(key, "") for f in self.found], dtype="str")

    def column(self, name: str, key: str) -> pd.Series:
        """Return the column ``name``: the tag that the study file names for it, else the tag ``key``."""
        return self.tag(self.input.columns.get(name, key))

    def stated(self) -> dict[str, pd.Series]:
        """Return the columns for which the study file names a tag."""
        return {name: self.tag(key) for name, key in self.input.columns.items()}

    @property
    def ids(self) -> pd.Series:
        """The objects' ids."""
        return pd.Series([f.id for f in self.found], dtype="str")

    def taking(self, keep: BoolArray | pd.Series) -> OsmLayer:
        """Return the layer of some of the objects."""
        return OsmLayer(self.extract, self.input, tuple(f for f, kept in zip(self.found, keep, strict=True) if kept))


def osm_layer(extract: OsmExtract, layer: Input) -> Made:
    """Return a layer's objects as a table in the columns of `lifecircle.schema.LAYERS`, longitude and latitude."""
    table, breaches = _MAKERS[layer.layer](OsmLayer(extract, layer, extract.found[layer.name]))
    return table.drop(columns=[*layer.without], errors="ignore"), breaches


def where_of(layer: Input) -> Where:
    """Return the layer's filter: the study file's, else the layer's own; empty when there is neither."""
    return layer.where or DEFAULT_WHERE.get(layer.layer, ())


def _areas(layer: OsmLayer) -> Made:
    """Return closed ways and relations, with open rings closed where the file holds most of the border."""
    layer, shapes, breaches = _surfaces(layer)
    lost = shapes.held < LEAST_BORDER
    message = (
        "left out: the file holds fewer than half of its border's ways; use a larger extract or a narrower `where`"
    )
    breaches += breach("areas", "border-missing", message, layer.ids[lost], "warning")
    for area_id, gap_m in zip(layer.ids[~lost], shapes.gap_m[~lost], strict=True):
        if gap_m > 0:
            message = Said("a piece of the border is missing; closed by {:.0f} m of straight line", gap_m)
            breaches += breach("areas", "open-ring", message, [area_id], "repair")
    columns = {
        "area_id": layer.ids,
        "name": layer.column("name", "name"),
        **layer.stated(),
    }
    return _frame(columns, shapes.geometry)[~lost].reset_index(drop=True), breaches


def _buildings(layer: OsmLayer) -> Made:
    """Return closed ways and multipolygons: a building mapped as a point has no floor area and bars no way."""
    # A relation of the type "building" groups the parts of a building whose outline is an object of its own.
    grouping = layer.tag("type") == "building"
    layer = layer.taking(~layer.tag("building").isin(NOT_BUILDINGS) & ~grouping & ~layer.ids.str.startswith("n"))
    layer, shapes, breaches = _surfaces(layer)
    breaches += _closed_rings(layer, shapes)
    levels, unread = _levels(layer.column("levels", "building:levels"))
    lowest, unread_lowest = _levels(layer.column("min_level", "building:min_level"))
    message = "the number of levels is not one; counted as not stated"
    breaches += breach("buildings", "levels-unread", message, layer.ids[unread | unread_lowest], "warning")
    used = np.array([any(f.tags.get(key, "no") != "no" for key in OTHER_USES) for f in layer.found], dtype=bool)
    columns = {
        "name": layer.tag("name"),
        "kind": [f.tags.get("building", f.kind) for f in layer.found],
        "other_use": used,
        "underground": _below_ground(layer),
        **layer.stated(),
        "building_id": layer.ids,
        "levels": levels,
        "min_level": lowest,
    }
    return _frame(columns, shapes.geometry), breaches


def _entrances(layer: OsmLayer) -> Made:
    """Return the entrances that lie on an outline, once for each; which of them are buildings is not looked at."""
    here = np.array([f.lonlat is not None for f in layer.found], dtype=bool)
    layer = layer.taking(here & ~layer.tag("entrance").isin(NOT_ENTRANCES))
    outlines = _outlines(layer.extract)
    node = pd.DataFrame(
        {
            "node": np.array([int(f.id[1:]) for f in layer.found], dtype=np.int64),
            "x": [f.lonlat[0] for f in layer.found if f.lonlat],
            "y": [f.lonlat[1] for f in layer.found if f.lonlat],
        }
    )
    on = node.merge(outlines, on="node").drop_duplicates(["node", "building_id"], ignore_index=True)
    return _frame({"building_id": on["building_id"]}, shapely.points(on["x"], on["y"])), []


def _outlines(extract: OsmExtract) -> pd.DataFrame:
    """Return the nodes on the outline of everything that bears the tag of a building."""
    ways = [
        (f.id, row)
        for f in extract.found["buildings"]
        for row in ([f.way] if f.way >= 0 else [extract.way_row[n] for n, _ in f.members if n in extract.way_row])
    ]
    spans = [extract.number[extract.node[extract.indptr[row] : extract.indptr[row + 1]]] for _, row in ways]
    return pd.DataFrame(
        {
            "node": np.concatenate([np.empty(0, dtype=np.int64), *spans]),
            "building_id": np.repeat(np.array([i for i, _ in ways], dtype=object), [len(s) for s in spans]),
        }
    )


def _residents(layer: OsmLayer) -> Made:
    """Return counts from tags: the geometry is not needed and may be incomplete; a piece of a border counts no one."""
    whole = {f.id for f in _without_members(layer.found)}
    way = np.array([f.way for f in layer.found], dtype=np.int64)
    layer = layer.taking(layer.ids.isin(whole) & ((way < 0) | is_closed(layer.extract, way)))
    key = {"building": "building_id", "area": "area_id"}.get(layer.input.by, "id")
    return pd.DataFrame({key: layer.ids, "residents": layer.column("residents", "population"), **layer.stated()}), []


def _places(layer: OsmLayer) -> Made:
    """Return stations or candidates; one that is mapped as a point inside its own outline counts once, as the point."""
    layer, shapes, breaches = _surfaces(layer)
    breaches += _closed_rings(layer, shapes)
    kind = np.array([f.kind for f in layer.found], dtype=object)
    solid = shapely.get_dimensions(shapes.geometry) == 2
    outlines = np.flatnonzero(solid)
    point, outline = shapely.STRtree(shapes.geometry[solid]).query(shapes.geometry, predicate="within")
    same = ~solid[point] & (kind[point] == kind[outlines[outline]])
    twice = np.isin(np.arange(len(kind)), outlines[outline[same]])
    message = "left out: a point of the same kind inside the outline is the same place"
    breaches += breach(layer.input.layer, "mapped-twice", message, layer.ids[twice], "repair")
    columns = {
        LAYERS[layer.input.layer].key: layer.ids,
        "name": layer.tag("name"),
        "kind": kind,
        **layer.stated(),
    }
    return _frame(columns, shapes.geometry)[~twice].reset_index(drop=True), breaches


def _barriers(layer: OsmLayer) -> Made:
    """Return what bars the way at street level: water as polygons where they close, all else as lines."""
    at_level = layer.tag("bridge").isin(["", "no"]) & layer.tag("tunnel").isin(["", "no"]) & ~_below_ground(layer)
    layer = layer.taking(at_level & ~layer.ids.str.startswith("n"))
    shapes = polygons(layer.extract, layer.found)
    linear = np.array([f.key in ("barrier", "railway") or f.kind == "coastline" for f in layer.found], dtype=bool)
    whole = ~linear & ~pd.isna(shapes.geometry) & (shapes.gap_m == 0)
    kinds, geometry = [f.kind for f, kept in zip(layer.found, whole, strict=True) if kept], [shapes.geometry[whole]]
    rows = [
        (f.kind, row)
        for f, kept in zip(layer.found, whole, strict=True)
        if not kept
        for row in ([f.way] if f.way >= 0 else [layer.extract.way_row.get(n, -1) for n, _ in f.members])
        if row >= 0
    ]
    geometry.append(lines(layer.extract, np.array([row for _, row in rows], dtype=np.int64)))
    frame = _frame({"kind": kinds + [kind for kind, _ in rows]}, np.concatenate(geometry))
    return frame[frame.geometry.notna()].reset_index(drop=True), []


_MAKERS: Mapping[str, Callable[[OsmLayer], Made]] = {
    "areas": _areas,
    "buildings": _buildings,
    "entrances": _entrances,
    "residents": _residents,
    "stations": _places,
    "candidates": _places,
    "barriers": _barriers,
}


def _surfaces(layer: OsmLayer) -> tuple[OsmLayer, Polygons, list[Breach]]:
    """Return the objects that have a place, with it: a polygon, or the point of a node.

    Open ways are passed over in silence where they are the pieces of a border, else they are told.
    """
    kept = {f.id for f in _without_members(layer.found)}
    layer = layer.taking(layer.ids.isin(kept))
    name = layer.input.layer
    shapes = polygons(layer.extract, layer.found)
    point = np.array([f.lonlat is not None for f in layer.found], dtype=bool)
    if name != "areas" and point.any():
        shapes.geometry[point] = shapely.points([f.lonlat for f in layer.found if f.lonlat])
    placed = ~pd.isna(shapes.geometry)
    border_pieces = np.array([name == "areas" and f.way >= 0 for f in layer.found], dtype=bool)
    told = ~placed & ~border_pieces & ~layer.ids.str.startswith("n").to_numpy(dtype=bool)
    message = "left out: its outline does not close, or the file does not hold it"
    breaches = breach(name, "no-outline", message, layer.ids[told], "warning")
    breaches += breach(
        name, "invalid-polygon", "the outline crosses itself; mended", layer.ids[shapes.mended], "repair"
    )
    return layer.taking(placed), shapes.taking(placed), breaches


def _without_members(found: Sequence[Found]) -> list[Found]:
    """Return the objects without the ways that are the outer ring of another of them: those are there already."""
    outer = {f"w{number}" for f in found for number, hole in f.members if not hole}
    return [f for f in found if f.id not in outer]


def _closed_rings(layer: OsmLayer, shapes: Polygons) -> list[Breach]:
    message = "a piece of the outline is missing; closed by a straight line"
    return breach(layer.input.layer, "open-ring", message, layer.ids[shapes.gap_m > 0], "repair")


def _levels(values: pd.Series) -> tuple[pd.Series, BoolArray]:
    """Return numbers of levels, NaN where there is none, and which texts could not be read."""
    number = pd.to_numeric(values, errors="coerce").astype("float64")
    number = number.where(number.between(0, MOST_LEVELS))
    return number, (number.isna() & (values != "")).to_numpy()


def _below_ground(layer: OsmLayer) -> pd.Series:
    """Return which objects lie under the ground altogether: said so, or on negative levels alone."""
    below = layer.tag("location").isin(["underground", "subway"])
    for key in ("layer", "level"):
        numbers = layer.tag(key).str.findall(r"(?<!\d)-?\d+(?:\.\d+)?")
        below |= numbers.map(lambda found: bool(found) and all(float(n) < 0 for n in found)).astype(bool)
    return below


def _frame(columns: Mapping[str, object], geometry: Geometries) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(dict(columns)), geometry=geometry, crs=LON_LAT)
