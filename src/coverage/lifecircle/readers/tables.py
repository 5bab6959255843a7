"""Every table format as a table in our column names: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, Parquet, CSV, XLSX."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from lifecircle.conform import HEADINGS, headed, places_of, row_names, text
from lifecircle.errors import Breach
from lifecircle.mark import MARK, YES_WORDS, is_mark
from lifecircle.readers.aliases import aliases_of, by_alias, check_cut, cut_headings, plain_heading
from lifecircle.readers.cells import mend_cells, numbers_of
from lifecircle.readers.coordinates import axes_of, column_of_both
from lifecircle.readers.delimited import read_delimited
from lifecircle.readers.encodings import texts_of_dbf, wrongly_stated
from lifecircle.readers.features import Read, open_rings, read_features
from lifecircle.readers.files import Located
from lifecircle.readers.grids import Grid, Wanted, stacked
from lifecircle.readers.inputs import Input, Where
from lifecircle.readers.limits import refused
from lifecircle.readers.outlines import of_text
from lifecircle.readers.parquet import read_parquet
from lifecircle.readers.personal import (
    check_headings,
    check_stated,
    headings_told,
    left_out,
    personal_headings,
    scrubbed,
    without_numbers,
)
from lifecircle.readers.repeated_sheets import check_repeated
from lifecircle.readers.sums import check_sums
from lifecircle.readers.unread import check_unread
from lifecircle.readers.workbook import read_sheets
from lifecircle.said import Said
from lifecircle.schema import LAYERS, PLANE, POSITION, WKT, breach, known_column, missing_columns, nearest

Made = tuple[pd.DataFrame | None, bool, list[Breach]]

_LIBRARY_ERRORS = (
    *(pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError),
    *(pyogrio.errors.GeometryError, pd.errors.ParserError, shapely.errors.ShapelyError, pa.ArrowException),
)

_OPEN_RING = "Non closed ring"

_OURS = {
    _OPEN_RING: "",
    "Several features with id": "",
    "Could not parse column": "",
}
"""What libraries say of a file, and the same for those who have to mend it; nothing of what does no harm here."""


def read_table(located: Located) -> Made:
    """Read a layer from a file that is not OpenStreetMap's; only the columns that the layer has are read.

    Returns
    -------
    tuple
        The table in our column names (a GeoDataFrame where the layer has a geometry), None when it cannot be used;
        whether any of its rows says that it is made up; and what is wrong with it.
    """
    layer = located.input.layer
    caught: list[warnings.WarningMessage]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            table, synthetic, breaches = _read(located)
    except UnicodeDecodeError:
        tried, path = located.input.encoding or "UTF-8", located.input.path
        message: str = Said('is not {}; state the encoding, e.g. encoding = "gb18030"', tried)
        belied = wrongly_stated(layer, path, stated=tried, texts=_texts_of(located))
        return None, False, [Breach(layer, "encoding", belied[0].message if belied else message, (path,), 1)]
    except LookupError as error:
        if not located.input.encoding:
            return None, False, [refused(layer, located.input.path, error)]
        message = Said(
            'there is no encoding {!r}; texts in Chinese are in "gb18030", which Windows calls ANSI, or in "utf-8": '
            'encoding = "gb18030"',
            located.input.encoding,
        )
        return None, False, [Breach(layer, "encoding", message, (located.input.path,), 1)]
    except (*_LIBRARY_ERRORS, ValueError, OSError, MemoryError, OverflowError) as error:
        return None, False, [refused(layer, located.input.path, error)]
    for warning in caught:
        theirs = scrubbed(str(warning.message))
        said = Said("the library that reads it says: {}", theirs)
        message = next((ours for part, ours in _OURS.items() if part in theirs), said)
        if message:
            breaches.append(Breach(layer, "reading", message, (located.input.path,), 1, "warning"))
    if any(_OPEN_RING in str(warning.message) for warning in caught):
        breaches += _told_open(located, table)
    return table, synthetic, breaches


def _told_open(located: Located, table: pd.DataFrame | None) -> list[Breach]:
    """Tell which rows have an outline that is not closed."""
    layer = located.input.layer
    message = "a ring ends before it reaches its beginning; closed by a straight line: look if it is right"
    if not isinstance(table, gpd.GeoDataFrame):
        return breach(layer, "open-ring", message, [located.input.path], "repair")
    among = places_of(table).isin([f"row {row + 1}" for row in open_rings(located)])
    return breach(layer, "open-ring", message, row_names(layer, table)[among & table.geometry.notna()], "repair")


def _texts_of(located: Located) -> bytes:
    """Return the texts of a file as they are, of those formats that can be in several encodings."""
    if located.format.name == "CSV":
        return located.path.read_bytes()
    return texts_of_dbf(located.beside(".dbf")) if located.format.name == "Shapefile" else b""


def _read(located: Located) -> Made:
    source, wanted = located.input, _wanted(located.input)
    table, existing, breaches, sums = _READERS.get(located.format.name, read_features)(located, wanted)
    if table is None:
        return None, False, breaches
    nameless = check_headings(source.layer, existing) or _check_nameless(located, existing, wanted)
    if nameless:
        return None, False, [*breaches, *nameless]
    unused = {heading: table.get(heading) for heading in existing if not wanted(heading)}
    personal = personal_headings(source.layer, unused, len(table))
    settled = {**source.columns, **dict.fromkeys(source.without, "")}
    cut = cut_headings(source.layer, existing, settled) if located.format.name == "Shapefile" else {}
    breaches += [*check_cut(source.layer, cut, settled, alone=not source.number), *left_out(source.layer, personal)]
    kept = table.drop(columns=list(unused), errors="ignore")
    ours, synthetic, found = _ours(source, kept, existing, told={*personal, *cut})
    breaches = breaches + found
    if ours is None:
        return None, synthetic, breaches
    if source.layer == "residents" and "household" in ours and not isinstance(table, gpd.GeoDataFrame):
        ours, found = _without_repeated(ours, table)
        breaches += found
    ours, found = mend_cells(source.layer, ours)
    breaches += found
    if not source.where:
        place = pd.Series(range(len(table)), index=table.index)
        breaches += check_sums(source.layer, sums, ours, place)
    if LAYERS[source.layer].shapes and not isinstance(ours, gpd.GeoDataFrame):
        ours, found = _placed(located, ours, existing)
        breaches += found
    return ours, synthetic, breaches


def _check_nameless(located: Located, existing: Sequence[str], wanted: Wanted) -> list[Breach]:
    """Tell of a table of cells of which no heading is known and some are numbers: its first row is data."""
    of_cells = located.format.name in ("CSV", "XLSX")
    if not of_cells or any(map(wanted, existing)) or not numbers_of(pd.Series(existing, dtype="str")).notna().any():
        return []
    message = "numbers stand where the headings should be, and no heading is known; put a row of headings above them"
    return [Breach(located.input.layer, "missing-headings", message, (located.input.path,), 1)]


def _without_repeated(ours: pd.DataFrame, whole: pd.DataFrame) -> tuple[pd.DataFrame, list[Breach]]:
    """Leave out the households that are entered twice: all that the file has of them stands in a row above.

    Parameters
    ----------
    whole
        The same rows and others, with every column of the file.
    """
    household = text(ours["household"])
    several = whole.loc[ours.index][(household.duplicated(keep=False) & (household != "")).to_numpy()]
    again = ours.index.isin(several.index[several.duplicated()])
    message = "the household is entered twice, in two rows that are all the same; take one of them out"
    return ours[~again], breach("residents", "duplicate-id", message, household[again])


def _read_delimited(located: Located, wanted: Wanted) -> Read:
    grid, breaches = read_delimited(located)
    located.limits.hold("rows", len(grid.cells))
    return _stacked(located.input, [grid], wanted, breaches)


def _read_workbook(located: Located, wanted: Wanted) -> Read:
    grids, cut, breaches = read_sheets(located)
    if not grids and any(b.severity == "error" for b in breaches):
        return Read(None, [], breaches)
    read = _stacked(located.input, grids, wanted, breaches)
    if read.table is not None and cut:
        return read._replace(breaches=[*read.breaches, *_told_cut(located.input, read.table, cut)])
    return read


def _told_cut(source: Input, table: pd.DataFrame, cut: Collection[str]) -> list[Breach]:
    """Tell which ids a workbook holds as numbers of more digits than it keeps."""
    rows = [table.index[table[c].str.strip().isin(cut)] for c in table if _kind(source, c) == "id"]
    message = "an id of more than 15 digits in a cell of numbers, of which Excel keeps 15; export it again, as text"
    return [b for found in rows for b in breach(source.layer, "rounded-id", message, found)]


def _stacked(source: Input, grids: Sequence[Grid], wanted: Wanted, breaches: list[Breach]) -> Read:
    def alike(sheets: Mapping[str, pd.DataFrame]) -> list[Breach]:
        keys = {key for wanted in source.where for key in wanted}
        chosen = {name: t[_passes(t, source.where)] for name, t in sheets.items() if keys <= {*t.columns}}
        return check_repeated(source.layer, chosen, lambda heading: _meaning(source, heading))

    table, sums, found = stacked(
        source.layer, grids, wanted, said=lambda heading: _kind(source, heading) in ("id", "text"), alike=alike
    )
    return Read(table, [] if table is None else list(table.columns), [*breaches, *found], sums)


_READERS = {"CSV": _read_delimited, "XLSX": _read_workbook, "Parquet": read_parquet}
"""How a format is read; the others go through GDAL."""


def _wanted(source: Input) -> Wanted:
    """Return the test of a file's column for any use that the study may have for it."""
    stated = {*source.columns.values(), *(key for table in source.where for key in table)}
    meanings = {heading for heading, ours in aliases_of(source.layer).items() if ours not in source.without}
    return lambda heading: bool(heading in stated or _our_name(source, heading) or plain_heading(heading) in meanings)


def _meaning(source: Input, heading: str) -> str:
    """Return the column of ours that a heading means, empty for none."""
    theirs = {their: ours for ours, their in source.columns.items()}
    return theirs.get(heading, aliases_of(source.layer).get(plain_heading(heading), _our_name(source, heading)))


def _kind(source: Input, heading: str) -> str:
    """Return of which kind the column of ours is that a heading means, empty for none."""
    ours = _meaning(source, heading)
    return next((c.kind for c in LAYERS[source.layer].columns if c.name == ours), "")


def _ours(source: Input, table: pd.DataFrame, existing: Sequence[str], *, told: Collection[str]) -> Made:
    """Filter the rows, rename the columns to ours, drop the others, and tell which are missing and which are left.

    Of headings that are ``told`` of already nothing more is said.
    A table that cannot be used bears the mark if any row of the file does.
    """
    marks = [name for name in existing if is_mark(name) or name == source.columns.get(MARK)]
    headings = headings_told(source.layer, existing)
    breaches = []
    for ours, theirs in source.columns.items():
        if theirs not in existing:
            hint = nearest(theirs, headings)
            advice = Said("did you mean {}?", hint) if hint else Said("the file has {}", ", ".join(headings))
            message = Said("there is no column {}, which is to be {}; {}", theirs, ours, advice)
            breaches.append(Breach(source.layer, "missing-column", message, (theirs,), 1))
    for key in dict.fromkeys(key for wanted in source.where for key in wanted if key not in existing):
        message = Said("there is no column {}, by which rows are to be chosen", key)
        breaches.append(Breach(source.layer, "missing-column", message, (key,), 1))
    breaches += check_stated(source.layer, source.columns, [key for wanted in source.where for key in wanted])
    if breaches:
        return None, _says_yes(table[marks]), breaches
    theirs_of = {ours: name for name in existing if (ours := _our_name(source, name))} | dict(source.columns)
    aliased, breaches = by_alias(source.layer, existing, {*theirs_of, *theirs_of.values(), *source.without})
    theirs_of |= aliased
    breaches += missing_columns(source.layer, list(theirs_of), headings)
    used = {*theirs_of.values(), *marks, *(key for wanted in source.where for key in wanted), *told}
    breaches += check_unread(source, [h for h in existing if h not in used], settled=theirs_of)
    table = table if not source.where or pd.api.types.is_string_dtype(table.index) else table.set_axis(places_of(table))
    kept = table[_passes(table, source.where)]
    named = pd.DataFrame({ours: kept[theirs] for ours, theirs in theirs_of.items()}, index=kept.index)
    if not pd.api.types.is_string_dtype(named.index):
        named = named.reset_index(drop=True)
    if isinstance(kept, gpd.GeoDataFrame):
        named = gpd.GeoDataFrame(named, geometry=kept.geometry.values, crs=kept.crs)
    named.attrs[HEADINGS] = {ours: theirs for ours, theirs in theirs_of.items() if plain_heading(theirs) != ours}
    named, found = without_numbers(source.layer, named, theirs_of)
    return named, _says_yes(kept[marks]), [*breaches, *found]


def _our_name(source: Input, name: str) -> str:
    """Return which of the layer's columns a file's column is, empty for none."""
    if is_mark(name):
        return MARK
    return name if known_column(source.layer, name) and name not in source.without else ""


def _says_yes(flags: pd.DataFrame) -> bool:
    """Return whether any cell says yes."""
    return any(text(flags[name]).str.lower().isin(YES_WORDS).any() for name in flags.columns)


def _placed(located: Located, table: pd.DataFrame, existing: Sequence[str]) -> tuple[pd.DataFrame | None, list[Breach]]:
    """Return a plain table with a geometry, of its two coordinates or its outlines."""
    source = located.input
    axes, crs = axes_of(source)
    absent = [axis for axis in axes if axis not in table]
    if not absent:
        cells = [text(table[axis]) for axis in axes]
        x, y = (pd.to_numeric(cell, errors="coerce").astype("float64") for cell in cells)
        nowhere = np.logical_and.reduce([(cell == "").to_numpy() for cell in cells])
        points = np.where(nowhere, None, shapely.points(x, y))
        return gpd.GeoDataFrame(table, geometry=points, crs=crs), []
    if WKT in table:
        outlines = table[WKT].astype("str").where(table[WKT].notna(), "").str.strip()
        shapes = shapely.force_2d(of_text(outlines))
        bad = shapely.is_missing(shapes) & (outlines != "").to_numpy()
        message: str = Said("{} is no geometry in well-known text, such as POINT (123.95 41.88)", WKT)
        return gpd.GeoDataFrame(table, geometry=shapes, crs=crs), breach(
            source.layer, "bad-wkt", message, row_names(source.layer, table)[bad]
        )
    if LAYERS[source.layer].may_lack_place:
        return table, []
    placeless = not {*POSITION, *PLANE} & {*table.columns}
    if LAYERS[source.layer].rows_may_lack_place and "building_id" in table and placeless:
        return gpd.GeoDataFrame(table, geometry=np.full(len(table), None), crs=crs), []
    if located.format.name not in _READERS:
        return None, [Breach(source.layer, "no-geometry", "is a table without geometry", (source.path,), 1)]
    if set(PLANE) <= {*table.columns} and not source.crs:
        message = 'has x and y, and nothing says in which system they are; state it, e.g. crs = "EPSG:4549"'
        return None, [Breach(source.layer, "no-crs", message, (source.path,), 1)]
    if axes == PLANE and set(POSITION) <= {*table.columns}:
        lon, lat = (headed(table, axis) for axis in POSITION)
        message = Said("has {} and {}, and {} is in metres; take crs out, or state that of degrees", lon, lat, crs)
        return None, [Breach(source.layer, "not-metres", message, (source.path,), 1)]
    unit = Said("degrees") if axes == POSITION else Said("metres of {}", crs)
    if both := column_of_both(existing):
        message = Said("if {} holds both coordinates, part it into two columns, {} and {}", both, *axes)
        return None, [Breach(source.layer, "missing-column", message, axes, 2)]
    has = Said("the file has {}", ", ".join(headings_told(source.layer, existing)))
    return None, [
        Breach(
            source.layer,
            "missing-column",
            Said("there is no column {}, in {}, and no {}; {}", axis, unit, WKT, has),
            (axis,),
            1,
        )
        for axis in absent
    ]


def _passes(table: pd.DataFrame, where: Where) -> pd.Series:
    """Return which rows the filter lets through; values are compared as text."""
    if not where:
        return pd.Series(True, index=table.index)

    def holds(key: str, values: tuple[str, ...]) -> pd.Series:
        plain = text(table[key])
        return plain.isin(values) if values else plain != ""

    def meets(wanted: Mapping[str, tuple[str, ...]]) -> pd.Series:
        return pd.concat([holds(key, values) for key, values in wanted.items()], axis=1).all(axis=1)

    return pd.concat([meets(wanted) for wanted in where], axis=1).any(axis=1)
