"""A made-up city's streets as an OpenStreetMap file.

The objects are spelt out as lines of OPL, column by column, and libosmium packs them: several times as fast as handing
it one object after another.

Source of the form: "OPL File Format Manual", osmcode.org.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium
import pandas as pd

from lifecircle.errors import OutputError
from lifecircle.mark import MARK, YES
from lifecircle.model import FloatArray, StreetWays

GENERATOR = f"lifecircle, {MARK}"

Texts = npt.NDArray[np.object_]
Box = tuple[float, float, float, float]

_CHUNK = 200_000
_ESCAPES = str.maketrans({c: f"%{ord(c):x}%" for c in " \t\n\r,=@%"})


def write_streets(path: Path, streets: StreetWays, lonlat: FloatArray, box: Box) -> None:
    """Write ways and their nodes, each under the number in its id.

    Parameters
    ----------
    streets
        Ways ``w<number>``, ascending; the node in row ``i`` is ``n<i + 1>``.
    lonlat
        (n_nodes, 2) degrees of the nodes.
    box
        West, south, east and north, degrees, of what the file covers: beyond its streets there are none.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    header = osmium.io.Header()
    header.set("generator", GENERATOR)
    header.add_box(osmium.osm.Box(*box))
    target = osmium.io.File(str(path), "pbf,add_metadata=false")
    try:
        with osmium.SimpleWriter(target, header=header, overwrite=True) as writer:
            for lines in chain(_nodes(streets, lonlat), _ways(streets)):
                with osmium.io.Reader(osmium.io.FileBuffer(lines.encode(), "opl")) as reader:
                    osmium.apply(reader, writer)
    except RuntimeError as error:
        raise OutputError(f"cannot write {path}: {error}") from error


def _nodes(streets: StreetWays, lonlat: FloatArray) -> Iterator[str]:
    tags = np.full(len(lonlat), "", dtype=object)
    tagged = streets.node_tags
    tags[tagged["node"].to_numpy()] = " T" + _tags(tagged.drop(columns=["node", "id"]))
    line = "n%d%s x%.7f y%.7f\n"
    for first in range(0, len(lonlat), _CHUNK):
        rows = slice(first, first + _CHUNK)
        numbers = range(first + 1, first + 1 + len(lonlat[rows]))
        yield "".join(map(line.__mod__, zip(numbers, tags[rows], *lonlat[rows].T.tolist(), strict=True)))


def _ways(streets: StreetWays) -> Iterator[str]:
    tags = streets.tags.assign(**{MARK: YES})
    for first in range(0, len(streets.way_id), _CHUNK):
        rows = slice(first, first + _CHUNK)
        head = np.array(streets.way_id[rows], dtype=object) + " T" + _tags(tags.iloc[rows]) + " N"
        begins = streets.indptr[first : first + len(head) + 1]
        refs = np.char.add("n", (streets.node[begins[0] : begins[-1]] + 1).astype("U")).astype(object)
        begins = begins - begins[0]
        after = np.full(len(refs), ",", dtype=object)
        after[begins[1:] - 1] = "\n"
        refs[begins[:-1]] = head + refs[begins[:-1]]
        yield "".join(refs + after)


def _tags(table: pd.DataFrame) -> Texts:
    """Return ``key=value,key=value`` of each row, without the empty ones."""
    joined = np.full(len(table), "", dtype=object)
    for key in table.columns:
        row, values = pd.factorize(table[key])
        spelt = np.array([f",{key}={str(v).translate(_ESCAPES)}" if v else "" for v in values], dtype=object)
        joined = joined + spelt[row]
    stripped: Texts = np.array([text[1:] for text in joined], dtype=object)
    return stripped
