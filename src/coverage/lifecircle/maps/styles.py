"""How QGIS draws the layers of a coverage: a style for each, kept in the GeoPackage beside them.

QGIS reads the table ``layer_styles`` of a GeoPackage and gives each layer its default style when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

import pandas as pd

from lifecircle.maps.palette import INK, SITE, Colour, circle_colours
from lifecircle.model import Circle
from lifecircle.scenarios import OPENED

STYLES = "layer_styles"
"""Name of the table of styles, as QGIS looks for it."""


@dataclass(frozen=True)
class _Symbol:
    """What stands for the features with a value: the kind of symbol, its class in QGIS, how opaque, its properties."""

    kind: str
    drawn_by: str
    opacity: float
    properties: Mapping[str, str]


def layer_styles(circles: Sequence[Circle], *, geometry: str = "geom", written: str) -> pd.DataFrame:
    """Return the table of styles for the layers of ``service_areas.gpkg``.

    Parameters
    ----------
    circles
        The study's: the layers tell their rows apart by the circle's name.
    geometry
        Name of the layers' columns of shapes.
    written
        When the styles are said to be made, an ISO 8601 time: the same for the same bytes.

    Returns
    -------
    DataFrame
        A row a layer, in QGIS's columns; ``styleQML`` is XML, in which names of circles are text and nothing else.
    """
    colours = circle_colours(circles)
    drawn = {
        "service_areas": _by("circle", {name: _fill(colour, 0.35) for name, colour in colours.items()}),
        "rings": _by("circle", {name: _fill(colour, 0.6) for name, colour in colours.items()}),
        "station_areas": _by("circle", {name: _fill(colour, 0.2) for name, colour in colours.items()}),
        "reached_streets": _by("circle", {name: _line(colour) for name, colour in colours.items()}),
        "stations": _by(
            "state",
            {
                "fixed": _marker("circle", INK, 2.4),
                "chosen": _marker("diamond", SITE, 3.4),
                OPENED: _marker("diamond", SITE, 3.4),
            },
        ),
    }
    said: dict[str, object] = {"f_table_catalog": "", "f_table_schema": "", "f_geometry_column": geometry}
    said |= {"styleSLD": "", "useAsDefault": True, "description": "lifecircle", "owner": "", "ui": ""}
    said["update_time"] = written
    rows = [{"f_table_name": name, "styleName": name, "styleQML": qml, **said} for name, qml in drawn.items()]
    return pd.DataFrame(rows)


def _fill(colour: Colour, opacity: float) -> _Symbol:
    drawn = {"color": _rgba(colour), "style": "solid", "outline_color": _rgba(colour), "outline_width": "0.2"}
    return _Symbol("fill", "SimpleFill", opacity, drawn)


def _line(colour: Colour) -> _Symbol:
    return _Symbol("line", "SimpleLine", 1.0, {"line_color": _rgba(colour), "line_width": "0.5", "capstyle": "round"})


def _marker(shape: str, colour: Colour, size_mm: float) -> _Symbol:
    drawn = {"name": shape, "color": _rgba(colour), "size": str(size_mm), "outline_color": _rgba((255, 255, 255))}
    return _Symbol("marker", "SimpleMarker", 1.0, drawn)


def _rgba(colour: Colour) -> str:
    return ",".join(map(str, (*colour, 255)))


def _by(column: str, symbols: Mapping[str, _Symbol]) -> str:
    """Return the style that tells features apart by a column, of circles the largest first and so underneath."""
    style = Xml.Element("qgis", version="3.28", styleCategories="Symbology")
    how = {"type": "categorizedSymbol", "attr": column, "forceraster": "0", "symbollevels": "0"}
    renderer = Xml.SubElement(style, "renderer-v2", how, enableorderby=str(int(column == "circle")))
    categories, drawn = Xml.SubElement(renderer, "categories"), Xml.SubElement(renderer, "symbols")
    for number, (value, symbol) in enumerate(symbols.items()):
        name = str(number)
        Xml.SubElement(categories, "category", value=value, symbol=name, label=value, type="string", render="true")
        opacity = str(symbol.opacity)
        each = Xml.SubElement(drawn, "symbol", type=symbol.kind, name=name, alpha=opacity, clip_to_extent="1")
        layer = Xml.SubElement(each, "layer", {"class": symbol.drawn_by, "enabled": "1", "locked": "0", "pass": "0"})
        options = Xml.SubElement(layer, "Option", type="Map")
        for key, text in symbol.properties.items():
            Xml.SubElement(options, "Option", name=key, value=text, type="QString")
    if column == "circle":
        clause = Xml.SubElement(Xml.SubElement(renderer, "orderby"), "orderByClause", asc="0", nullsFirst="0")
        clause.text = '"minutes"'
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + Xml.tostring(style, encoding="unicode")
