"""Where each layer of a study comes from, as ``[inputs]`` of its file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecircle.datum import DATUMS, datum_named
from lifecircle.errors import Breach
from lifecircle.mark import MARK
from lifecircle.readers.keys import Keys
from lifecircle.readers.metric import CRS_EXAMPLES, known_crs
from lifecircle.said import Said
from lifecircle.schema import ELEVATION, LAYERS, known_column, nearest

Where = tuple[Mapping[str, tuple[str, ...]], ...]
"""A filter: an object passes when it meets one of the tables, a table when every key has one of the values.

An empty tuple of values means any value; an empty filter lets everything pass.
"""

INPUTS = (
    *("streets", "areas", "buildings", "entrances", "residents", "stations", "candidates", "barriers"),
    *("gates", "closures", "overrides", "agents", "service"),
)
REQUIRED_INPUTS = ("streets", "areas", "buildings", "stations")
SEVERAL = ("areas", "residents")
"""Inputs that may be a list: a layer a level, a source a kind of count."""

BY = ("building", "address", "point", "cell", "area", "total")
_INPUT_KEYS = ("path", "layer", "encoding", "crs", "datum", "columns", "where", "attribution")
_RASTER_KEYS = ("path", "attribution")


@dataclass(frozen=True)
class Input:
    """Where one layer comes from, as the study file says it.

    ``columns`` maps our column names to theirs; ``table`` is the layer inside a file that holds several. ``level``
    names the areas' level, ``by`` says what residents are counted by; both are empty where not stated. ``crs`` is the
    coordinate system that the file's numbers are in, e.g. ``EPSG:4549``, ``datum`` one of `DATUMS`; empty likewise.
    """

    layer: str
    path: str
    table: str = ""
    encoding: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    where: Where = ()
    attribution: str = ""
    level: str = ""
    by: str = ""
    crs: str = ""
    datum: str = ""
    without: frozenset[str] = frozenset()
    """Our columns that the file has not, whatever its headings are."""
    number: int = 0
    """Its place, from 1, in a list of inputs of its layer; 0 where it is no list."""

    @property
    def name(self) -> str:
        """Name that no other input has: its layer, and its number where it is not the first."""
        return self.layer if self.number < 2 else f"{self.layer} {self.number}"


def read_inputs(table: object, breaches: list[Breach]) -> tuple[dict[str, Input], str]:
    """Read the inputs, and the datum of those that state none."""
    files = (*INPUTS, ELEVATION)
    inputs = Keys("[inputs]", table, (*files, "datum"), breaches)
    for layer in REQUIRED_INPUTS:
        if layer not in inputs:
            inputs.breach("missing-key", Said("{} is missing; name the file that holds the {}", layer, layer))
    found = []
    for layer in files:
        if layer in inputs:
            value = inputs.get(layer)
            if layer in SEVERAL and isinstance(value, list) and value:
                found += [_input(layer, row, breaches, number=number) for number, row in enumerate(value, start=1)]
            else:
                found.append(_input(layer, value, breaches))
    return {source.name: source for source in found}, _datum(inputs)


def _input(layer: str, value: object, breaches: list[Breach], *, number: int = 0) -> Input:
    table = {"path": value} if isinstance(value, str) else value
    own = {"areas": ("level",), "residents": ("by",)}.get(layer, ())
    heading = f"[inputs.{layer}]"
    usual = _RASTER_KEYS if layer == ELEVATION else _INPUT_KEYS
    keys = Keys(heading, table, (*usual, *own), breaches)
    columns = keys.pairs("columns")
    needed = {MARK, *(c.name for c in LAYERS[layer].columns if c.required)} if columns else set()
    for ours, theirs in columns.items():
        if not known_column(layer, ours):
            hint = nearest(ours, LAYERS[layer].names)
            keys.breach("unknown-key", Said("columns: {} is no column of {}; did you mean {}?", ours, layer, hint))
        elif not theirs and ours in needed:
            keys.breach("missing-key", Said("columns: {} cannot be left out; name the column that holds it", ours))
    return Input(
        layer=layer,
        path=keys.text("path", required=isinstance(table, Mapping)),
        table=keys.text("layer"),
        encoding=keys.text("encoding"),
        columns={ours: theirs for ours, theirs in columns.items() if theirs and known_column(layer, ours)},
        where=read_where(keys),
        attribution=keys.text("attribution"),
        level=keys.text("level") if "level" in own else "",
        by=keys.choice("by", "", BY) if "by" in own and "by" in keys else "",
        crs=_crs(keys),
        datum=_datum(keys),
        without=frozenset(ours for ours, theirs in columns.items() if not theirs) - needed,
        number=number,
    )


def _datum(keys: Keys) -> str:
    if "datum" not in keys:
        return ""
    return datum_named(str(keys.get("datum"))) or keys.choice("datum", "", DATUMS)


def _crs(keys: Keys) -> str:
    """Read ``crs``, the code of a coordinate system on the earth's surface."""
    stated = keys.text("crs")
    code = known_crs(stated)
    if stated and not code:
        keys.breach("unknown-crs", Said("crs must be {}, not {!r}", CRS_EXAMPLES, stated))
    return code


def read_where(keys: Keys) -> Where:
    """Read ``where``: a table, or a list of tables of which one must hold."""
    value = keys.get("where")
    if value is None:
        return ()
    tables = value if isinstance(value, list) else [value]
    filled = [t for t in tables if isinstance(t, dict) and t]
    if not filled or len(filled) < len(tables):
        keys.breach("wrong-type", 'where must be a table such as { amenity = ["library"] }, or a list of them')
    return tuple({key: _values(keys, key, wanted) for key, wanted in t.items()} for t in filled)


def _values(keys: Keys, key: str, wanted: object) -> tuple[str, ...]:
    values = wanted if isinstance(wanted, list) else [wanted]
    if wanted is True:
        return ()
    if not values or any(isinstance(v, bool) or not isinstance(v, str | int) for v in values):
        keys.breach(
            "wrong-type", Said("where: {} must be a value, a list of values, or true for any, not {!r}", key, wanted)
        )
        return ()
    return tuple(str(v) for v in values)
