"""Layers of GeoPackage, Shapefile, GeoJSON and FlatGeobuf: the columns that a study has a use for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from lifecircle.conform import EXACT
from lifecircle.errors import Breach
from lifecircle.readers.encodings import (
    is_believed,
    other_encoding,
    python_codec,
    recognise,
    states_encoding,
    taken_encoding,
    texts_of_dbf,
    wrongly_stated,
)
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Sums, Wanted
from lifecircle.said import Said
from lifecircle.schema import LAYERS


class Read(NamedTuple):
    """A table under the file's own names, a GeoDataFrame where it has a geometry; all columns of the file; breaches.

    And the rows that sum up others, which are none of the table's.
    """

    table: pd.DataFrame | None
    existing: list[str]
    breaches: list[Breach]
    sums: Sums | None = None


_MOST_CPG = 100
"""Characters of a .cpg file that are looked at: it holds one word."""


def read_features(located: Located, wanted: Wanted) -> Read:
    """Read a layer through GDAL."""
    source, limits, path = located.input, located.limits, _for_gdal(located)
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    if source.table and source.table not in layers:
        message = Said("there is no layer {!r} in it; there are {}", source.table, ", ".join(layers))
        return Read(None, [], [Breach(source.layer, "unknown-layer", message, (source.path,), 1)])
    if not source.table and len(layers) != 1:
        message = Said("holds several layers; say which: layer = one of {}", ", ".join(layers))
        return Read(None, [], [Breach(source.layer, "unknown-layer", message, (source.path,), 1)])
    encoding, breaches = _encoding_of(located)
    options = {"layer": source.table or layers[0], "encoding": encoding or None}
    try:
        info = pyogrio.read_info(path, **options)
    except UnboundLocalError as error:  # so pyogrio ends where a .prj holds no coordinate system
        raise ValueError("its coordinate system is none that is known; export it again") from error
    existing = [str(name) for name in info["fields"]]
    limits.hold("columns", len(existing))
    limits.hold("rows", info["features"])
    # A ring that does not end where it begins is closed; the library's own remark about it is passed on.
    table = pyogrio.read_dataframe(
        path,
        columns=[name for name in existing if wanted(name)],
        read_geometry=bool(LAYERS[source.layer].shapes),
        on_invalid="fix",
        **options,
    )
    limits.hold("rows", len(table))  # a file may hold more than it says
    table = _with_whole_numbers(table, path, dict(zip(existing, info["dtypes"], strict=True)), options)
    if isinstance(table, gpd.GeoDataFrame):
        limits.hold_vertices(table)
        table = table.set_geometry(shapely.force_2d(table.geometry.to_numpy()), crs=table.crs)
    return Read(table, existing, breaches)


def open_rings(located: Located) -> list[int]:
    """Return the rows of a layer, from 0, of which an outline does not end where it begins, or is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of the rings is known
        drawn = pyogrio.read_dataframe(
            _for_gdal(located), columns=[], layer=located.input.table or None, on_invalid="ignore"
        ).geometry
    rows: list[int] = np.flatnonzero(drawn.isna()).tolist()
    return rows


def _with_whole_numbers(
    table: pd.DataFrame, path: Path | str, kinds: Mapping[str, str], options: Mapping[str, str | None]
) -> pd.DataFrame:
    """Return the table with the last digits of large whole numbers, such as ids of eighteen digits.

    A column of whole numbers that leaves a cell empty is read as one of floating-point numbers, which hold sixteen.
    """
    cut = [
        name
        for name in table
        if kinds.get(name, "").startswith("int")
        and pd.api.types.is_float_dtype(table[name])
        and (table[name].abs() >= EXACT).any()
    ]
    if not cut:
        return table
    whole = pyogrio.read_dataframe(
        path,
        columns=cut,
        read_geometry=False,
        use_arrow=True,
        arrow_to_pandas_kwargs={"types_mapper": {pa.int64(): pd.Int64Dtype()}.get},
        **options,
    )
    return table.assign(**{name: whole[name] for name in cut})


def _for_gdal(located: Located) -> Path | str:
    """Return the path of a file so that GDAL reads it as what it is.

    GDAL looks for the driver by the content, and a text can be meant for several: among them are such as read what
    another file or an address holds. Names before the path leave it one. Binary content is of one driver alone.
    """
    return f"GeoJSON:{located.path}" if located.format.name == "GeoJSON" else located.path


def _encoding_of(located: Located) -> tuple[str, list[Breach]]:
    """Return the encoding of a layer, empty where its file says it or nothing depends on it.

    The .cpg file beside a Shapefile gets lost, and gets written by programs that know nothing of the texts: where
    these are clearly in another encoding, they decide.
    """
    source, table = located.input, located.beside(".dbf")
    if located.format.name != "Shapefile" or not table.is_file():
        return source.encoding, []
    if source.encoding:
        texts = texts_of_dbf(table)
        return source.encoding, wrongly_stated(source.layer, source.path, stated=source.encoding, texts=texts)
    beside = located.beside(".cpg")
    stated = beside.read_text(encoding="utf-8", errors="replace")[:_MOST_CPG] if beside.is_file() else ""
    said = python_codec(stated)
    if is_believed(said) or (not beside.is_file() and states_encoding(table)):
        return "", []
    texts = texts_of_dbf(table)
    encoding = "" if texts.isascii() else recognise(texts)
    if texts.isascii() or said == encoding != "" or (said and not encoding):
        return encoding, []
    if said:
        return encoding, other_encoding(source.layer, beside.name, said=stated, found=encoding)
    return encoding, taken_encoding(source.layer, beside.name, encoding)
