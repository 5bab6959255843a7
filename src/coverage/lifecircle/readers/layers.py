"""Every input of a study read and checked on its own; each file is opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.agreement import check_tree
from lifecircle.conform import conform, place_faults, places_of, row_names
from lifecircle.errors import Breach
from lifecircle.mark import MARK
from lifecircle.model import StreetWays
from lifecircle.readers.area_levels import join_levels
from lifecircle.readers.coordinates import is_vague, understood
from lifecircle.readers.files import Located
from lifecircle.readers.graphml import read_graphml
from lifecircle.readers.inputs import Input
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.readers.limits import Limits, refused
from lifecircle.readers.metric import Box, on_earth
from lifecircle.readers.osm import read_osm
from lifecircle.readers.osm_layers import osm_layer, where_of
from lifecircle.readers.places import PLACES, check_places
from lifecircle.readers.residents import without_idle_place
from lifecircle.readers.streets import ways_of_osm
from lifecircle.readers.tables import Made, read_table
from lifecircle.readers.tangles import TANGLED, are_hopeless
from lifecircle.said import Said, sentence
from lifecircle.schema import LAYERS, breach

DEFAULT_LEVEL = "area"
"""Level of areas of which neither the study file nor their file states one."""


@dataclass(eq=False)
class Layers:
    """What the files hold, input by input under `Input.name`, each in its own CRS; several layers of areas are one.

    ``ways`` are streets that come as a network (OpenStreetMap, GraphML), in degrees; lines are among ``tables``.
    ``given`` names the columns that a layer's file really had; ``box`` is what the street file says it covers, degrees;
    ``marked`` are the layers that say of themselves, in any of their rows, that they are made up; ``of_osm`` is
    whether anything is of OpenStreetMap: a made-up file in its format is not; ``stated`` is each table's input with
    the datum that the study states of it, those in OpenStreetMap's formats left out, for they are in WGS 84; ``vague``
    are the inputs of which nobody states it though they may be in one of several.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    given: dict[str, frozenset[str]] = field(default_factory=dict)
    ways: StreetWays | None = None
    box: Box | None = None
    marked: set[str] = field(default_factory=set)
    of_osm: bool = False
    stated: dict[str, Input] = field(default_factory=dict)
    vague: list[Input] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    def add(self, source: Input, table: pd.DataFrame | None, breaches: list[Breach]) -> None:
        """Take in a layer as read, with what its reader found."""
        layer, found = source.layer, list(breaches)
        if table is not None:
            if layer == "residents":
                table = without_idle_place(source, table)
            given = frozenset(table.columns)
            table, about = conform(layer, table)
            found += about
            if MARK in table and table.pop(MARK).any():
                self.marked.add(layer)
            if layer in PLACES and len(table):
                table, about = check_places(layer, table)
                found += about
            if len(table):
                self.given[source.name] = given
                self.tables[source.name] = table
        # Of several inputs of a layer it must be told which one is meant.
        self.breaches += (
            [replace(b, message=Said("{}: {}", source.path, sentence(b.message)), file=source.path) for b in found]
            if source.number
            else found
        )

    def ids(self, layer: str) -> tuple[str, ...]:
        """Return the ids of a layer's rows, empty when it is not there or names none."""
        key = LAYERS[layer].key
        return tuple(self.tables[layer][key]) if key in self.given.get(layer, ()) else ()

    def sound(self, layer: str) -> bool:
        """Return whether the layer is there and nothing is wrong with it."""
        return layer in self.tables and not any(b.layer == layer and b.severity == "error" for b in self.breaches)

    def located(self, layer: str) -> gpd.GeoDataFrame | None:
        """Return a layer that is sound, else as much of it as other layers can be held against; None for nothing.

        What one row lacks must not hide what is wrong with the others: a place that cannot be meant is taken out, a row
        without an id of its own goes by its number, one entered twice counts once. Of areas none may be missing.
        """
        table = on_earth(self.tables.get(layer))
        if table is None or self.sound(layer):
            return table
        if layer == "areas":
            return None
        key, shapes = LAYERS[layer].key, table.geometry.to_numpy().copy()
        shapes[np.any([rows for _, _, rows in place_faults(LAYERS[layer].shapes, table)], axis=0)] = shapely.Point()
        table = table.set_geometry(shapes, crs=table.crs)
        if not key:
            return table
        numbered, label = places_of(table), [c for c in (key, "address") if c in table]
        table, numbered = (t[~table[label].duplicated() | (table[key] == "")] for t in (table, numbered))
        nameless = table[key].duplicated() | (table[key] == "")
        return table.assign(**{key: table[key].where(~nameless, numbered)}).drop_duplicates(key)


def read_layers(located: Mapping[str, Located], *, datum: str = "") -> Layers:
    """Read every input; what is wrong is collected, so that one reading tells all of it.

    Parameters
    ----------
    datum
        That of tables whose input states none of its own.
    """
    layers = Layers()
    of_file: dict[Path, dict[str, Input]] = {}
    for name, file in located.items():
        if file.format.is_osm:
            of_file.setdefault(file.path, {})[name] = file.input
        elif file.format.name == "GraphML":
            _read_graph(file, layers)
        else:
            source = layers.stated[name] = replace(file.input, datum=file.input.datum or datum)
            table, synthetic, found = read_placed(replace(file, input=source))
            if synthetic:
                layers.marked.add(source.layer)
            if isinstance(table, gpd.GeoDataFrame) and is_vague(source, table):
                layers.vague.append(source)
            layers.add(source, table, found)
    for path, inputs in of_file.items():
        _read_osm_layers(path, inputs, layers, located[next(iter(inputs))].limits)
    _join_areas(located, layers)
    return layers


def _join_areas(located: Mapping[str, Located], layers: Layers) -> None:
    """Give the areas their levels, and make one layer of several."""
    parts, nameless = [], []
    for name, file in located.items():
        if file.input.layer == "areas" and name in layers.tables:
            areas = layers.tables.pop(name)
            unstated = areas["level"] == ""
            nameless += [file.input.path] if unstated.any() and not file.input.level else []
            parts.append(areas.assign(level=areas["level"].where(~unstated, file.input.level or DEFAULT_LEVEL)))
    if len(parts) > 1:
        message = 'of several layers of areas each must say what its areas are, e.g. level = "community"'
        layers.breaches += breach("areas", "missing-level", message, nameless)
        layers.tables["areas"], found = join_levels(parts)
        layers.breaches += found
    elif parts:
        [layers.tables["areas"]] = parts
    if layers.ids("areas"):
        layers.breaches += check_tree(layers.tables["areas"])


def read_placed(file: Located) -> Made:
    """Read a table; where it has a geometry, from the coordinate system and the datum that its input states.

    Of one with an outline that nobody can mend nothing more is looked at: whatever is done with it takes for ever.
    """
    table, synthetic, breaches = read_table(file)
    if isinstance(table, gpd.GeoDataFrame):
        if (hopeless := are_hopeless(table.geometry.to_numpy(), file.limits)).any():
            layer = file.input.layer
            told = breach(layer, "tangled-outline", TANGLED, row_names(layer, table)[hopeless])
            return None, synthetic, [*breaches, *told]
        table, found = understood(file.input, table)
        breaches += found
    return table, synthetic, breaches


def _read_graph(file: Located, layers: Layers) -> None:
    source = file.input
    own = (source.table, source.encoding, source.where, source.columns, source.without, source.crs, source.datum)
    if source.layer != "streets" or any(own):
        message = (
            "a GraphML file holds streets, all of them, under their own names and in its own coordinate system; take "
            "every key but path and attribution out"
        )
        layers.breaches.append(Breach(source.layer, "unfit-for-graphml", message, (source.path,), 1))
        return
    try:
        layers.ways, synthetic, found = read_graphml(file.path)
        if synthetic:
            layers.marked.add(source.layer)
    except (ValueError, OSError) as error:
        found = [refused(source.layer, source.path, error)]
    layers.breaches += found
    if layers.ways is not None and not layers.ways.way_id:
        layers.breaches.append(Breach(source.layer, "empty-layer", "no edge is in it; is it the right graph?", count=1))


def _read_osm_layers(path: Path, inputs: Mapping[str, Input], layers: Layers, limits: Limits) -> None:
    wanted = {}
    for name, source in inputs.items():
        if problem := _unfit(source, inputs):
            message: str = Said("[inputs.{}] {}", source.layer, sentence(problem))
            layers.breaches.append(Breach(STUDY_FILE, "unfit-for-osm", message, count=1))
        else:
            wanted[name] = where_of(source)
    if not wanted:
        return
    try:
        extract = read_osm(path, wanted, limits=limits)
    except (RuntimeError, ValueError, OSError) as error:
        first = inputs[next(iter(wanted))]
        told = refused(first.layer, first.path, error)
        if len(wanted) > 1:
            told = replace(told, message=Said("{}; it is to hold {}", sentence(told.message), ", ".join(wanted)))
        layers.breaches.append(told)
        return
    layers.marked |= {inputs[name].layer for name in wanted if True in extract.marks[name]}
    layers.of_osm |= any(False in extract.marks[name] for name in wanted)
    for name in wanted:
        layer = inputs[name].layer
        if layer == "streets":
            layers.box = extract.box
            layers.ways, found = ways_of_osm(extract)
            layers.breaches += found
            if not layers.ways.way_id:
                message = "no way of the file is a street; is this the right file, and does it hold its nodes?"
                layers.breaches.append(Breach(layer, "empty-layer", message, count=1))
        else:
            table, found = osm_layer(extract, inputs[name])
            if layer == "entrances":  # the buildings come before them
                table = table[table["building_id"].isin(layers.ids("buildings"))].reset_index(drop=True)
            layers.add(inputs[name], table, found)


def _unfit(source: Input, inputs: Mapping[str, Input]) -> str:
    """Return why a layer cannot be read from an OpenStreetMap file, empty when it can."""
    if source.layer in ("agents", "service"):
        return "an OpenStreetMap file knows no duty table; name a table of your own, or take it out"
    if source.layer in ("gates", "closures", "overrides"):
        return "its gates and closures are read with the streets; name a table or a layer of your own, or take it out"
    if source.table or source.encoding:
        return "layer and encoding have no meaning for an OpenStreetMap file; take them out"
    if source.crs or source.datum:
        return "an OpenStreetMap file is in WGS 84; take crs and datum out"
    if not where_of(source):
        return 'needs where, to say which objects it is made of, e.g. where = { amenity = ["library"] }'
    if source.layer == "residents" and not source.by:
        return 'needs by = "building", "area" or "total", to say what the tag counts'
    if source.layer in ("buildings", "entrances") and "building_id" in source.columns:
        return "columns: building_id is the object's own id in an OpenStreetMap file; take it out"
    if source.layer == "entrances" and "buildings" not in inputs:
        return "entrances in an OpenStreetMap file belong to the buildings of the same file; take both from there"
    return ""
