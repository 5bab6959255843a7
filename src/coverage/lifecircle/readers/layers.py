"""Every input of a study read and checked on its own; each file is opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lifecircle.errors import Breach
from lifecircle.mark import MARK
from lifecircle.model import StreetWays
from lifecircle.readers.files import Located
from lifecircle.readers.graphml import read_graphml
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.readers.metric import Box
from lifecircle.readers.osm import read_osm
from lifecircle.readers.osm_layers import osm_layer, where_of
from lifecircle.readers.streets import ways_of_osm
from lifecircle.readers.study_file import Input
from lifecircle.readers.tables import read_table
from lifecircle.schema import LAYERS, conform

DEFAULT_LEVEL = "area"
"""Level of areas of which neither the study file nor their file states one."""


@dataclass(eq=False)
class Layers:
    """What the files hold, layer by layer, each in its own CRS.

    ``ways`` are streets that come as a network (OpenStreetMap, GraphML), in degrees; lines are among ``tables``.
    ``given`` names the columns that a layer's file really had; ``box`` is what the street file says it covers, degrees;
    ``marked`` are the layers that say of themselves, in any of their rows, that they are made up; ``of_osm`` is
    whether anything is of OpenStreetMap: a made-up file in its format is not.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    given: dict[str, frozenset[str]] = field(default_factory=dict)
    ways: StreetWays | None = None
    box: Box | None = None
    marked: set[str] = field(default_factory=set)
    of_osm: bool = False
    breaches: list[Breach] = field(default_factory=list)

    def add(self, layer: str, table: pd.DataFrame | None, breaches: list[Breach]) -> None:
        """Take in a layer as read, with what its reader found."""
        self.breaches += breaches
        if table is None:
            return
        typed, found = conform(layer, table)
        self.breaches += found
        if MARK in typed and typed.pop(MARK).any():
            self.marked.add(layer)
        if len(typed):
            self.given[layer] = frozenset(table.columns)
            self.tables[layer] = typed

    def ids(self, layer: str) -> tuple[str, ...]:
        """Return the ids of a layer's rows, empty when it is not there or names none."""
        key = LAYERS[layer].key
        return tuple(self.tables[layer][key]) if key in self.given.get(layer, ()) else ()

    def sound(self, layer: str) -> bool:
        """Return whether the layer is there and nothing is wrong with it."""
        return layer in self.tables and not any(b.layer == layer and b.severity == "error" for b in self.breaches)


def read_layers(located: Mapping[str, Located]) -> Layers:
    """Read every input; what is wrong is collected, so that one reading tells all of it."""
    layers = Layers()
    of_file: dict[Path, dict[str, Input]] = {}
    for layer, file in located.items():
        if file.format.is_osm:
            of_file.setdefault(file.path, {})[layer] = file.input
        elif file.format.name == "GraphML":
            _read_graph(file, layers)
        else:
            table, synthetic, found = read_table(file)
            if synthetic:
                layers.marked.add(layer)
            layers.add(layer, table, found)
    for path, inputs in of_file.items():
        _read_osm_layers(path, inputs, layers)
    if "areas" in layers.tables:
        areas = layers.tables["areas"]
        level = located["areas"].input.level or DEFAULT_LEVEL
        layers.tables["areas"] = areas.assign(level=areas["level"].where(areas["level"] != "", level))
    return layers


def _read_graph(file: Located, layers: Layers) -> None:
    source = file.input
    if source.layer != "streets" or source.table or source.encoding or source.where or source.columns:
        message = "a GraphML file holds streets, all of them and under their own names; take layer, encoding, where out"
        layers.breaches.append(Breach(source.layer, "unfit-for-graphml", message, (source.path,), 1))
        return
    try:
        layers.ways, synthetic, found = read_graphml(file.path)
        if synthetic:
            layers.marked.add(source.layer)
    except (ValueError, OSError) as error:
        found = [Breach(source.layer, "unreadable", f"cannot be read: {error}", (source.path,), 1)]
    layers.breaches += found
    if layers.ways is not None and not layers.ways.way_id:
        layers.breaches.append(Breach(source.layer, "empty-layer", "no edge is in it; is it the right graph?", count=1))


def _read_osm_layers(path: Path, inputs: Mapping[str, Input], layers: Layers) -> None:
    wanted = {}
    for layer, source in inputs.items():
        if problem := _unfit(source, inputs):
            message = f"[inputs.{layer}] {problem}"
            layers.breaches.append(Breach(STUDY_FILE, "unfit-for-osm", message, count=1))
        else:
            wanted[layer] = where_of(source)
    if not wanted:
        return
    try:
        extract = read_osm(path, wanted)
    except (RuntimeError, ValueError, OSError) as error:
        message = f"cannot be read: {error}"
        layers.breaches += [Breach(layer, "unreadable", message, (inputs[layer].path,), 1) for layer in wanted]
        return
    layers.marked |= {layer for layer in wanted if True in extract.marks[layer]}
    layers.of_osm |= any(False in extract.marks[layer] for layer in wanted)
    for layer in wanted:
        if layer == "streets":
            layers.box = extract.box
            layers.ways, found = ways_of_osm(extract)
            layers.breaches += found
            if not layers.ways.way_id:
                message = "no way of the file is a street; is this the right file, and does it hold its nodes?"
                layers.breaches.append(Breach(layer, "empty-layer", message, count=1))
        else:
            table, found = osm_layer(extract, inputs[layer])
            if layer == "entrances":  # the buildings come before them
                table = table[table["building_id"].isin(layers.ids("buildings"))].reset_index(drop=True)
            layers.add(layer, table, found)


def _unfit(source: Input, inputs: Mapping[str, Input]) -> str:
    """Return why a layer cannot be read from an OpenStreetMap file, empty when it can."""
    if source.table or source.encoding:
        return "layer and encoding have no meaning for an OpenStreetMap file; take them out"
    if not where_of(source):
        return 'needs where, to say which objects it is made of, e.g. where = { amenity = ["library"] }'
    if source.layer == "residents" and not source.by:
        return 'needs by = "building", "area" or "total", to say what the tag counts'
    if source.layer in ("buildings", "entrances") and "building_id" in source.columns:
        return "columns: building_id is the object's own id in an OpenStreetMap file; take it out"
    if source.layer == "entrances" and "buildings" not in inputs:
        return "entrances in an OpenStreetMap file belong to the buildings of the same file; take both from there"
    return ""
