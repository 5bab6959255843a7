"""Layers of GeoPackage, Shapefile, GeoJSON and FlatGeobuf, and Parquet: the columns that a study has a use for."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely

from lifecircle.errors import Breach
from lifecircle.readers.encodings import recognise, taken_encoding, texts_of_dbf
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Wanted
from lifecircle.schema import LAYERS

Read = tuple[pd.DataFrame | None, list[str], list[Breach]]
"""A table under the file's own names, a GeoDataFrame where it has a geometry; all columns of the file; breaches."""


def read_features(located: Located, wanted: Wanted) -> Read:
    """Read a layer through GDAL."""
    source = located.input
    layers = [str(name) for name, _ in pyogrio.list_layers(located.path)]
    if source.table and source.table not in layers:
        message = f"there is no layer {source.table!r} in it; there are {', '.join(layers)}"
        return None, [], [Breach(source.layer, "unknown-layer", message, (source.path,), 1)]
    if not source.table and len(layers) != 1:
        message = f"holds several layers; say which: layer = one of {', '.join(layers)}"
        return None, [], [Breach(source.layer, "unknown-layer", message, (source.path,), 1)]
    encoding, breaches = _encoding_of(located)
    options = {"layer": source.table or layers[0], "encoding": encoding or None}
    existing = [str(name) for name in pyogrio.read_info(located.path, **options)["fields"]]
    # A ring that does not end where it begins is closed; the library's own remark about it is passed on.
    table = pyogrio.read_dataframe(
        located.path,
        columns=[name for name in existing if wanted(name)],
        read_geometry=bool(LAYERS[source.layer].shapes),
        on_invalid="fix",
        **options,
    )
    if isinstance(table, gpd.GeoDataFrame):
        table = table.set_geometry(shapely.force_2d(table.geometry.to_numpy()), crs=table.crs)
    return table, existing, breaches


def read_parquet(located: Located, wanted: Wanted) -> Read:
    """Read GeoParquet, or plain Parquet where it has no geometry."""
    schema = pq.read_schema(located.path)
    geo = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    outlines = list(geo.get("columns", ()))
    existing = [str(name) for name in schema.names if name not in outlines]
    columns = [name for name in existing if wanted(name)]
    if not outlines or not LAYERS[located.input.layer].shapes:
        return pd.read_parquet(located.path, columns=columns), existing, []
    table = gpd.read_parquet(located.path, columns=[*columns, geo["primary_column"]])
    plain = table.set_geometry(shapely.force_2d(table.geometry.to_numpy()), crs=table.crs)
    return plain, existing, []


def _encoding_of(located: Located) -> tuple[str, list[Breach]]:
    """Return the encoding of a layer, empty where its file says it or nothing depends on it."""
    source = located.input
    if source.encoding or located.format.name != "Shapefile" or located.path.with_suffix(".cpg").is_file():
        return source.encoding, []
    table = located.path.with_suffix(".dbf")
    texts = texts_of_dbf(table) if table.is_file() else b""
    if texts.isascii():
        return "", []
    encoding = recognise(texts)
    return encoding, taken_encoding(source.layer, located.path.with_suffix(".cpg").name, encoding)
