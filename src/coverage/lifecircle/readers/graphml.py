"""Streets in GraphML, as OSMnx writes it: each edge a way, both directions of one street once.

The file is read with a parser of its own, for it may come from anywhere: a document type, and with it every entity, is
refused; elements lie a few levels deep and no deeper; nothing outside the file is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from xml.parsers import expat

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError

from lifecircle.errors import Breach
from lifecircle.mark import is_marked
from lifecircle.model import BoolArray, FloatArray, LongArray, StreetWays
from lifecircle.readers.metric import LON_LAT
from lifecircle.said import Said
from lifecircle.schema import NODE_TAGS, STREET_TAGS, breach

Geometries = npt.NDArray[np.object_]

_DEEPEST = 16
_CHUNK = 2**20
_EARTH = Geod(ellps="WGS84")

_LINE = re.compile(r"\s*LINESTRING[\sZM]*\([-+.,\deE\s]*\)\s*", re.ASCII)
"""The one form of a geometry. GEOS parses by recursion: no text that nests one thing in another may reach it."""

_LED = ("conveying", "incline", "oneway:foot")
"""Tags that are said in the direction in which a way is drawn."""

SLACK = 1.05
SLACK_M = 1.0
"""Where of an edge and its line one is longer by this factor and these metres, one of them is wrong."""


def read_graphml(path: Path) -> tuple[StreetWays | None, bool, list[Breach]]:
    """Read the streets of a GraphML file, ``xy_m`` in degrees still.

    Edges run through the nodes they name and the inner vertices of their ``geometry``; they meet at nodes alone. An
    edge and its twin in the other direction are one way: in which direction people walk is said by its tags, not by
    the direction of traffic. Tags are said along the way as it is drawn: an edge that says it is ``reversed`` is turned
    round; where ways drawn in both directions have been joined to one edge, that is told. A way's id is ``w`` and its
    ``osmid``, of several all of them with ``;`` between. What is walked is the line; a ``length`` that is much more or
    less than the line's is told.

    Returns
    -------
    tuple
        The ways, None where anything is wrong with them; whether the graph, a node or an edge says that it is made up;
        and what is wrong.

    Raises
    ------
    ValueError, OSError
        When the file is no XML, declares a document type, or is nested deeper than any network of streets.
    """
    graph = _parsed(path)
    ways, breaches = _ways(graph)
    return ways, any(map(is_marked, (graph.attributes, *graph.nodes, *graph.edges))), breaches


def _ways(graph: _Graph) -> tuple[StreetWays | None, list[Breach]]:
    """Return the ways of a graph, None where anything is wrong with them, and what is."""
    crs = _crs(graph.attributes.get("crs", ""))
    if crs is None:
        message = 'says no coordinate system; write the graph with one, e.g. graph.graph["crs"] = "EPSG:4326"'
        return None, [Breach("streets", "no-crs", message, count=1)]
    xy = np.column_stack([_numbers(graph.nodes, axis) for axis in ("x", "y")])
    if breaches := _check_nodes(graph.node_id, xy):
        return None, breaches
    backward, unclear = _directions(graph)
    row, lines, breaches = _lines(graph, xy, backward)
    if breaches:
        return None, breaches
    ids, tags, several = _tags(graph)
    keep = _first_of_twins(row, lines, ids)
    row, lines, ids = row[keep], lines[keep], [i for i, kept in zip(ids, keep, strict=True) if kept]
    vertices, of = shapely.get_coordinates(lines, return_index=True)
    indptr: LongArray = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(lines)))]).astype(np.int64)
    inner = np.ones(len(vertices), dtype=bool)
    inner[indptr[:-1]] = inner[indptr[1:] - 1] = False
    node = np.empty(len(vertices), dtype=np.int32)
    node[inner] = len(xy) + np.arange(inner.sum())
    node[indptr[:-1]], node[indptr[1:] - 1] = row.T
    lonlat = _degrees(np.concatenate([xy, vertices[inner]]), crs)
    outside: BoolArray = ~np.asarray((np.abs(lonlat) <= (180, 90)).all(axis=1))
    if outside.any():
        names = [*graph.node_id, *(ids[i] for i in of[inner])]
        message = "lies nowhere in the coordinate system that the graph states"
        return None, breach("streets", "not-degrees", message, _some(names, outside))
    ways = StreetWays(tuple(ids), tags[keep].reset_index(drop=True), indptr, node, lonlat, _node_tags(graph))
    return ways, _doubts(ways, _numbers(graph.edges, "length")[keep], several[keep], unclear[keep])


class _Graph:
    """What a file says, as text: the graph's attributes, and nodes and edges with theirs.

    Ports, nested graphs and whatever else GraphML knows is passed over. The methods are the parser's callbacks.
    """

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {}
        self.node_id: list[str] = []
        self.nodes: list[dict[str, str]] = []
        self.ends: list[tuple[str, str]] = []
        self.edges: list[dict[str, str]] = []
        self._name_of: dict[str, str] = {}
        self._open: list[str] = []
        self._target = self.attributes
        self._key = ""
        self._text: list[str] = []

    def start(self, name: str, said: dict[str, str]) -> None:
        """Enter an element."""
        name = name.rsplit(" ", 1)[-1]
        self._open.append(name)
        if len(self._open) > _DEEPEST:
            raise ValueError("is nested deeper than any network of streets")
        if name == "key":
            self._name_of[said.get("id", "")] = said.get("attr.name", "")
        elif name == "node":
            self.node_id.append(said.get("id", ""))
            self.nodes.append({})
            self._target = self.nodes[-1]
        elif name == "edge":
            self.ends.append((said.get("source", ""), said.get("target", "")))
            self.edges.append({})
            self._target = self.edges[-1]
        elif name == "data":
            self._key = self._name_of.get(said.get("key", ""), "")
            self._text = []

    def text(self, part: str) -> None:
        """Take in a piece of text."""
        self._text.append(part)

    def end(self, _: str) -> None:
        """Leave an element."""
        name = self._open.pop()
        if name == "data":
            self._target[self._key] = "".join(self._text)
        elif name in ("node", "edge"):
            self._target = self.attributes


def _parsed(path: Path) -> _Graph:
    graph, parser = _Graph(), expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = graph.start, graph.end
    parser.CharacterDataHandler = graph.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk)
            parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as error:  # an encoding that there is not
        message = Said("it breaks off or is no XML ({}); export it again", error)
        raise ValueError(message) from error
    return graph


def _refuse(*_: object) -> None:
    raise ValueError("it declares a document type, which no network of streets needs; export it again")


def _crs(stated: str) -> CRS | None:
    """Return a coordinate system, None for none that places things on the ground."""
    try:
        crs = CRS.from_user_input(stated)
    except CRSError:
        return None
    return crs if crs.is_geographic or crs.is_projected else None


def _check_nodes(node_id: list[str], xy: FloatArray) -> list[Breach]:
    ids = pd.Series(node_id, dtype="str")
    return [
        *breach("streets", "duplicate-id", "two nodes bear this id", ids[ids.duplicated()].unique()),
        *breach("streets", "not-finite", "the node has no x and y", ids[~np.isfinite(xy).all(axis=1)]),
    ]


def _directions(graph: _Graph) -> tuple[BoolArray, BoolArray]:
    """Return which edges run against the way as it is drawn, and which are of ways drawn in both directions."""
    said = [{value.lower() for value in _values(edge.get("reversed", ""))} for edge in graph.edges]
    # An undirected graph keeps no order of an edge's ends; OSMnx writes beside it which direction the attributes mean.
    swapped = [
        a != b and (e.get("from"), e.get("to")) == (b, a) for (a, b), e in zip(graph.ends, graph.edges, strict=True)
    ]
    backward = np.array([values == {"true"} for values in said], dtype=bool) ^ np.array(swapped, dtype=bool)
    return backward, np.array([len(values) > 1 for values in said], dtype=bool)


def _lines(graph: _Graph, xy: FloatArray, backward: BoolArray) -> tuple[LongArray, Geometries, list[Breach]]:
    """Return the rows of the nodes from and to which each way is drawn, its line, and what is wrong."""
    row_of = {name: row for row, name in enumerate(graph.node_id)}
    row = np.array([(row_of.get(a, -1), row_of.get(b, -1)) for a, b in graph.ends], dtype=np.int64).reshape(-1, 2)
    row[backward] = row[backward, ::-1]
    names = [f"{a} - {b}" for a, b in graph.ends]
    unknown: BoolArray = np.asarray((row < 0).any(axis=1))
    texts = [edge.get("geometry") for edge in graph.edges]
    with np.errstate(over="ignore"):  # a vertex beyond every number is told below
        lines = shapely.from_wkt([t if t and _LINE.fullmatch(t) else None for t in texts], on_invalid="ignore")
    stated = np.array([text is not None for text in texts], dtype=bool)
    broken = stated & shapely.is_missing(lines)
    vertices, of = shapely.get_coordinates(lines, return_index=True)
    broken[of[~np.isfinite(vertices).all(axis=1)]] = True
    breaches = [
        *breach("streets", "unknown-id", "the edge ends at a node that is not there", _some(names, unknown)),
        *breach("streets", "wrong-geometry", "the geometry of the edge is no line", _some(names, broken)),
    ]
    if breaches:
        return row, lines, breaches
    lines[~stated] = shapely.linestrings(xy[row[~stated]])
    first = shapely.get_coordinates(shapely.get_point(lines, 0)).reshape(-1, 2)
    to_a, to_b = (np.hypot(*(first - xy[row[:, end]]).T) for end in (0, 1))
    against = (to_b < to_a) | (backward & (row[:, 0] == row[:, 1]))  # of a loop, no end tells
    lines[against] = shapely.reverse(lines[against])
    return row, lines, breaches


def _first_of_twins(row: LongArray, lines: Geometries, ids: list[str]) -> BoolArray:
    """Return which edges are the first of their street: between these nodes, by this way and along this line."""
    a, b = np.sort(row, axis=1).T
    along = shapely.to_wkb(shapely.normalize(lines))
    return ~pd.DataFrame({"a": a, "b": b, "along": along, "id": ids}).duplicated().to_numpy()


def _tags(graph: _Graph) -> tuple[list[str], pd.DataFrame, BoolArray]:
    """Return the ids of the edges, their tags, and which of them bear several values of a tag that counts."""
    ids = [
        ";".join(sorted(f"w{i}" if i.isdecimal() else i for i in _values(edge.get("osmid", "")))) or str(number)
        for number, edge in enumerate(graph.edges, 1)
    ]
    several = np.zeros(len(ids), dtype=bool)
    columns = {}
    for tag in STREET_TAGS:
        values = [_values(edge[tag]) if tag in edge else [""] for edge in graph.edges]
        columns[tag] = pd.Series([v[0] for v in values], dtype="str")
        if tag != "name":
            several |= np.array([len(v) > 1 for v in values], dtype=bool)
    tags = pd.DataFrame(columns)
    # A line that does not say what it is is a path, as in the other formats.
    return ids, tags.assign(highway=tags["highway"].where(tags["highway"] != "", "path")), several


def _doubts(ways: StreetWays, length_m: FloatArray, several: BoolArray, unclear: BoolArray) -> list[Breach]:
    """Return what is walked, but may be wrong."""
    line_m = _lengths_m(ways)
    led = (~ways.tags[list(_LED)].isin(["", "no"])).any(axis=1).to_numpy()
    doubts = (
        (
            "length-differs",
            "is longer than its line: the file has lost its geometry, and the straight line is walked",
            length_m > SLACK * line_m + SLACK_M,
        ),
        (
            "length-differs",
            "is shorter than its line, which is walked: the geometry leads elsewhere, or the length is wrong",
            line_m > SLACK * length_m + SLACK_M,
        ),
        ("several-values", "bears several values of a tag; the first is taken", several),
        (
            "direction-unclear",
            Said(
                "joins ways drawn in both directions and bears one of {}, which may lead the wrong way; "
                "write the graph before it is simplified",
                ", ".join(_LED),
            ),
            unclear & led,
        ),
    )
    return [
        b for rule, text, here in doubts for b in breach("streets", rule, text, _some(ways.way_id, here), "warning")
    ]


def _node_tags(graph: _Graph) -> pd.DataFrame:
    """Return the nodes that bear tags."""
    tagged = [(row, node) for row, node in enumerate(graph.nodes) if not node.keys().isdisjoint(NODE_TAGS)]
    table = pd.DataFrame({tag: pd.Series([node.get(tag, "") for _, node in tagged], dtype="str") for tag in NODE_TAGS})
    ids = (graph.node_id[row] for row, _ in tagged)
    table.insert(0, "id", pd.array([f"n{i}" if i.isdecimal() else i for i in ids], dtype="str"))
    table.insert(0, "node", np.array([row for row, _ in tagged], dtype=np.int32))
    return table


def _values(text: str) -> list[str]:
    """Return the values of a text, which is a list as Python writes it where edges have been joined; at least one."""
    if not (text.startswith("[") and text.endswith("]")):
        return [text]
    return [value.strip().strip("'\"") for value in text[1:-1].split(",")]


def _numbers(objects: list[dict[str, str]], key: str) -> FloatArray:
    """Return an attribute as numbers, NaN where it is none."""
    texts = pd.Series([one.get(key, "") for one in objects], dtype="str")
    return pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)


def _degrees(xy: FloatArray, crs: CRS) -> FloatArray:
    lon, lat = Transformer.from_crs(crs, LON_LAT, always_xy=True).transform(xy[:, 0], xy[:, 1])
    return np.column_stack([lon, lat]).astype(np.float64)


def _lengths_m(ways: StreetWays) -> FloatArray:
    """Return the length of each way, metres, from places in degrees."""
    lon, lat = ways.xy_m[ways.node].T
    step = np.zeros(len(lon) + 1)
    step[1:-1] = _EARTH.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    along = np.cumsum(step)
    return along[ways.indptr[1:] - 1] - along[ways.indptr[:-1]]


def _some(names: Iterable[str], rows: BoolArray) -> list[str]:
    return [name for name, here in zip(names, rows, strict=True) if here]
