"""Parquet and GeoParquet: the columns that a study has a use for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lifecircle.readers.archives import MOST_RATIO, is_blown_up
from lifecircle.readers.features import Read
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Wanted
from lifecircle.readers.limits import MB, Limits
from lifecircle.readers.outlines import of_binary
from lifecircle.said import Said
from lifecircle.schema import LAYERS

_LON_LAT = "OGC:CRS84"
"""What the format means where a file says nothing."""

_CELL_BYTES = 8
"""What a value takes in memory at least, be it packed into nothing."""


def read_parquet(located: Located, wanted: Wanted) -> Read:
    """Read GeoParquet, or plain Parquet where it has no geometry.

    Raises
    ------
    ValueError
        When it is broken, or holds more than the study allows.
    """
    with pq.ParquetFile(located.path) as file:
        schema, metadata = file.schema_arrow, file.metadata
        located.limits.hold("rows", metadata.num_rows)
        located.limits.hold("columns", len(schema.names))
        unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        located.limits.hold("unpacked_mb", unpacked / MB)
    outlines, primary = _outlines(schema)
    existing = [str(name) for name in schema.names if name not in outlines]
    columns = [name for name in existing if wanted(name)]
    if not outlines or not LAYERS[located.input.layer].shapes:
        return Read(_in_pandas(_read(located, schema, columns)), existing, [])
    table = _read(located, schema, [*columns, primary])
    shapes = shapely.force_2d(of_binary(table[primary].combine_chunks()))
    plain = _in_pandas(table.select(columns))
    layer = gpd.GeoDataFrame(plain, geometry=shapes, crs=_crs(outlines[primary]))
    located.limits.hold_vertices(layer)
    return Read(layer, existing, [])


def _outlines(schema: pa.Schema) -> tuple[Mapping[str, Mapping[str, object]], str]:
    """Return what a file says of its columns of outlines, and which of them is the one; nothing of a plain table."""
    try:
        geo = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        outlines = {str(name): dict(said) for name, said in geo.get("columns", {}).items()}
        primary = geo["primary_column"] if outlines else ""
        encoding = outlines[primary]["encoding"] if outlines else "WKB"
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ValueError("what it says of its outlines is broken; export it again") from error
    if encoding != "WKB" or (outlines and schema.names.count(primary) != 1):
        raise ValueError("its outlines are not in well-known binary; export it as GeoParquet with the encoding WKB")
    return outlines, primary


def _crs(said: Mapping[str, object]) -> CRS | None:
    stated = said.get("crs", _LON_LAT)
    try:
        return None if stated is None else CRS.from_user_input(stated)
    except CRSError as error:
        raise ValueError("its coordinate system is none; export it again") from error


def _read(located: Located, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """Read columns of plain values. One value for millions of rows takes a few bytes: they are counted before."""
    nested = [name for name in columns if pa.types.is_nested(schema.field(name).type)]
    if nested:
        message = Said("{} holds lists or records; a column must hold one value a row", nested[0])
        raise ValueError(message)
    _hold_cells(located, schema, columns)
    texts = [name for name in columns if _is_text(schema.field(name).type)]
    table = pq.read_table(located.path, columns=list(columns), read_dictionary=texts)
    return _plain(table, located.limits)


def _hold_cells(located: Located, schema: pa.Schema, columns: Sequence[str]) -> None:
    """Refuse columns that take more memory than the study allows, the texts in them aside."""
    metadata = pq.read_metadata(located.path)
    n_bytes = 0
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in columns:
                n_bytes += column.num_values * _width_bytes(schema.field(column.path_in_schema).type)
    located.limits.hold("unpacked_mb", n_bytes / MB)
    if is_blown_up(n_bytes, located.path.stat().st_size):
        message = Said("it unpacks to more than {} times its size; look whether it is the right file", MOST_RATIO)
        raise ValueError(message)


def _width_bytes(kind: pa.DataType) -> int:
    return max(_CELL_BYTES, kind.bit_width // 8) if pa.types.is_primitive(kind) or _is_block(kind) else _CELL_BYTES


def _is_block(kind: pa.DataType) -> bool:
    return pa.types.is_fixed_size_binary(kind) or pa.types.is_decimal(kind)


def _in_pandas(table: pa.Table) -> pd.DataFrame:
    """Return the table with whole numbers as such, also where a cell is empty: ids may have more digits than floats."""
    return table.to_pandas(ignore_metadata=True, types_mapper={pa.int64(): pd.Int64Dtype()}.get)


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view())


def _plain(table: pa.Table, limits: Limits) -> pa.Table:
    """Return the table with every text in its row."""
    n_bytes = 0
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            for chunk in table.column(i).chunks:
                sizes = pc.binary_length(chunk.dictionary)
                n_bytes += pc.sum(sizes.take(chunk.indices)).as_py() or 0
                limits.hold("unpacked_mb", n_bytes / MB)
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(i, field.name, table.column(i).cast(field.type.value_type))
    return table
