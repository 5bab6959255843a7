"""The table of data/FORMATS.md: every cell of it is a file that is written here and read where, and as what, it was."""

import itertools
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from pyproj import CRS

from lifecircle.readers.files import FORMATS, Located, locate
from lifecircle.readers.inputs import Input
from lifecircle.readers.layers import read_layers
from lifecircle.readers.metric import local_crs, project
from lifecircle.schema import ELEVATION
from lifecircle.synthetic.xlsx import Sheet, write_workbook
from lifecircle.terrain import read_terrain
from test_datum import PLACES

NEAR_M = 0.01
DEGREE_M = 111_320.0
CORNERS = ("Mohe", "Fushun", "Shanghai")
"""Places about 123 degrees east; what each is in GCJ-02 and BD-09 two packages say that share no line with ours."""

TEXT = "抚顺市东洲区幸福路社区"
RARE = "㐂𠀀"
"""Characters that GBK has not."""

GEOMETRIES = {
    "points": "stations",
    "lines": "streets",
    "polygons": "areas",
    "`lon`, `lat`": "stations",
    "`x`, `y`": "stations",
    "`wkt`": "",
    "none": "residents",
    "raster": ELEVATION,
}
"""What places a row, and the layer by which it is tried."""

DATUMS = {
    "WGS 84": 4326,
    "CGCS2000, degrees": 4490,
    "CGCS2000, zone 41": 4529,
    "CGCS2000, 123° E": 4550,
    "UTM 51": 32651,
    "GCJ-02": 4326,
    "BD-09": 4326,
}
IN_DEGREES = tuple(d for d, epsg in DATUMS.items() if CRS(epsg).is_geographic)
IN_METRES = tuple(d for d in DATUMS if d not in IN_DEGREES)
WEB_MAPS = {"GCJ-02": ("gcj02", 1), "BD-09": ("bd09", 2)}

UTF8 = ("UTF-8",)
DRAWN = ("points", "lines", "polygons")
ENCODINGS = {"UTF-8": "utf-8", "UTF-8 with BOM": "utf-8-sig", "UTF-16": "utf-16", "GBK": "gbk", "GB 18030": "gb18030"}


class Cell(NamedTuple):
    format: str
    geometry: str
    encoding: str
    datum: str


def cells(formats, geometries, encodings, datums):
    return [Cell(*cell) for cell in itertools.product(formats, geometries, encodings, datums)]


DBF = [f"{e}, {cpg} .cpg" for cpg in ("with", "without") for e in ("UTF-8", "GBK", "GB 18030")]
SHEETS = {"Parquet": UTF8, "XLSX": UTF8, "CSV": tuple(ENCODINGS)}
OSM = {"OSM PBF": ".osm.pbf", "OSM XML": ".osm", "OSM XML, gzip": ".osm.gz", "OSM XML, bzip2": ".osm.bz2"}
CELLS = [
    *cells(("GeoPackage", "GeoJSON", "FlatGeobuf", "GeoParquet"), DRAWN, UTF8, DATUMS),
    *cells(("Shapefile",), DRAWN, DBF, DATUMS),
    *cells(OSM, DRAWN, UTF8, ("WGS 84",)),
    *cells(("GraphML",), ("lines",), UTF8, ("WGS 84",)),
    *cells(("GeoTIFF",), ("raster",), ("",), [d for d in DATUMS if d not in WEB_MAPS]),
]
for kind, texts in SHEETS.items():
    CELLS += cells((kind,), ("`lon`, `lat`",), texts, IN_DEGREES)
    CELLS += cells((kind,), ("`x`, `y`",), texts, IN_METRES)
    CELLS += cells((kind,), ("`wkt`",), texts, DATUMS)
    CELLS += cells((kind,), ("none",), texts, ("",))

SUFFIXES = OSM | {
    "GeoPackage": ".gpkg",
    "GeoJSON": ".geojson",
    "FlatGeobuf": ".fgb",
    "GeoParquet": ".parquet",
    "Shapefile": ".shp",
    "GraphML": ".graphml",
    "GeoTIFF": ".tif",
    "Parquet": ".parquet",
    "XLSX": ".xlsx",
    "CSV": ".csv",
}


# ------------------------------------------------------------------------------------------------- where things are


def transverse(lonlat, epsg):
    """Eastings and northings about 123 degrees east, by the series of L. Krüger (1912) to the fourth order."""
    flattening, scale, zone_m = {4529: (1 / 298.257222101, 1.0, 41e6), 4550: (1 / 298.257222101, 1.0, 0.0)}.get(
        epsg, (1 / 298.257223563, 0.9996, 0.0)
    )
    n, lon, lat = flattening / (2 - flattening), *np.radians(lonlat - [123, 0]).T
    around = 2 * np.sqrt(n) / (1 + n)
    t = np.sinh(np.arctanh(np.sin(lat)) - around * np.arctanh(around * np.sin(lat)))
    xi, eta = np.arctan2(t, np.cos(lon)), np.arctanh(np.sin(lon) / np.hypot(1, t))
    terms = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    east, north = eta.copy(), xi.copy()
    for j, term in enumerate(terms, start=1):
        east += term * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
        north += term * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
    radius_m = scale * 6378137 / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    return np.column_stack([zone_m + 500_000 + radius_m * east, radius_m * north])


def stated_and_true(datum):
    """The corners in the numbers of a datum, and in WGS 84."""
    true = np.array([PLACES[name][0] for name in CORNERS])
    if datum in WEB_MAPS:
        return np.array([PLACES[name][WEB_MAPS[datum][1]] for name in CORNERS]), true
    return (transverse(true, DATUMS[datum]) if datum in IN_METRES else true), true


def shapes_of(layer, xy):
    if layer == "stations":
        return list(shapely.points(xy))
    return [shapely.LineString(xy)] if layer == "streets" else [shapely.Polygon(xy)]


def rows_of(layer, n, name):
    ids = [f"{layer[0]}{i}" for i in range(1, n + 1)]
    names = [f"{name}{i}" for i in range(1, n + 1)]
    key, text = {"streets": ("way_id", "name"), "residents": ("building_id", "address")}.get(
        layer, (f"{layer.removesuffix('s')}_id", "name")
    )
    more = {"streets": {"highway": "path"}, "residents": {"residents": "3"}}.get(layer, {})
    return {key: ids, text: names} | {column: [value] * n for column, value in more.items()}


def text_of(encoding):
    return TEXT if "GBK" in encoding else TEXT + RARE


# ------------------------------------------------------------------------------------------------- writing and reading


def write_drawn(path, cell, layer):
    xy, _ = stated_and_true(cell.datum)
    shapes = shapes_of(layer, xy)
    frame = gpd.GeoDataFrame(
        rows_of(layer, len(shapes), text_of(cell.encoding)), geometry=shapes, crs=DATUMS[cell.datum]
    )
    if cell.format == "GeoParquet":
        frame.to_parquet(path)
        return
    encoding, _, cpg = cell.encoding.partition(", ")
    pyogrio.write_dataframe(frame, path, encoding=ENCODINGS[encoding] if cell.format == "Shapefile" else None)
    if cpg.startswith("without"):
        path.with_suffix(".cpg").unlink()


def write_sheet(path, cell, layer):
    columns = {}
    if layer != "residents":
        xy, _ = stated_and_true(cell.datum)
        shapes = shapes_of(layer, xy)
        if cell.geometry == "`wkt`":
            columns = {"wkt": [shape.wkt for shape in shapes]}
        else:
            columns = dict(zip(cell.geometry.replace("`", "").split(", "), xy.T.tolist(), strict=True))
    n = len(next(iter(columns.values()), CORNERS))
    table = pd.DataFrame(rows_of(layer, n, text_of(cell.encoding)) | columns)
    if cell.format == "Parquet":
        table.to_parquet(path)
    elif cell.format == "XLSX":
        write_workbook(path, [Sheet("一", [list(table.columns)], table.astype(object), (), ())])
    else:
        path.write_bytes(table.to_csv(index=False, lineterminator="\r\n").encode(ENCODINGS[cell.encoding]))


def write_osm(path, cell, layer):
    """A point, an open way or a closed one of a file that anyone can edit, with the name and a tag to choose it by."""
    xy, _ = stated_and_true(cell.datum)
    name = {"name": f"{TEXT}{RARE}1"}
    tags = {"points": {"amenity": "library"}, "lines": {"highway": "path"}, "polygons": {"boundary": "grid"}}
    wanted = name | tags[cell.geometry]
    with osmium.SimpleWriter(path) as writer:
        for i, place in enumerate(xy, start=1):
            own = wanted | {"name": f"{TEXT}{RARE}{i}"} if cell.geometry == "points" else {}
            writer.add_node(osmium.osm.mutable.Node(id=i, version=1, location=tuple(place), tags=own))
        if cell.geometry != "points":
            nodes = [1, 2, 3] if cell.geometry == "lines" else [1, 2, 3, 1]
            writer.add_way(osmium.osm.mutable.Way(id=1, version=1, nodes=nodes, tags=wanted))


def write_graphml(path, cell, layer):
    import networkx as nx
    import osmnx as ox

    xy, _ = stated_and_true(cell.datum)
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_nodes_from((i, {"x": float(x), "y": float(y)}) for i, (x, y) in enumerate(xy))
    for way, (here, there) in enumerate(itertools.pairwise(range(len(xy)))):
        graph.add_edge(here, there, osmid=way, highway="path", name=text_of(cell.encoding) + "1", length=1.0)
        graph.add_edge(there, here, osmid=way, highway="path", name=text_of(cell.encoding) + "1", length=1.0)
    ox.save_graphml(graph, path)


def read(path, layer, cell):
    """Read a file as the one input of a layer, of which the study states no more than has to be said."""
    datum = WEB_MAPS.get(cell.datum, ("wgs84" if cell.datum == "WGS 84" else "",))[0]
    in_file = cell.format not in SHEETS
    stated = {} if cell.format in (*OSM, "GraphML") else {"datum": datum}
    if not in_file and cell.datum and DATUMS[cell.datum] != 4326:
        stated["crs"] = f"EPSG:{DATUMS[cell.datum]}"
    if cell.format in OSM:
        stated["where"] = ({"boundary" if layer == "areas" else "amenity": ()},) if layer != "streets" else ()
    located = locate(Input(layer, path.name, **stated), path.parent)
    assert isinstance(located, Located), located
    layers = read_layers({layer: located})
    assert [b for b in layers.breaches if b.severity == "error"] == []
    return layers


def same_places(found, true):
    """Whether points are the corners to a centimetre, whatever their order; a ring passes its first one twice."""
    found = found[np.lexsort(found.T)]
    whole = found[np.append(True, np.abs(np.diff(found, axis=0)).max(axis=1) > 1e-9)]
    away_m = DEGREE_M * np.abs(whole - true[np.lexsort(true.T)]).max()
    return len(whole) == len(true) and away_m < NEAR_M


def check_raster(path, cell):
    """A slope that rises by a metre a metre to the east says by its heights where it lies."""
    xy, true = stated_and_true(cell.datum)
    x, y = xy[1]
    unit = 1.0 if cell.datum in IN_METRES else 1 / DEGREE_M
    cell_size = 10 * unit
    across = (np.arange(200) - 99.5) * 10
    place = rasterio.Affine(cell_size, 0, x - 100 * cell_size, 0, -cell_size, y + 100 * cell_size)
    of = {"width": 200, "height": 200, "count": 1, "dtype": "float32", "crs": DATUMS[cell.datum], "transform": place}
    with rasterio.open(path, "w", driver="GTiff", **of) as file:
        file.write(np.tile(across, (200, 1)).astype(np.float32) + 1000, 1)
    assert isinstance(locate(Input(ELEVATION, path.name), path.parent), Located)
    lon, lat = true[1]
    crs = local_crs((lon, lat, lon, lat))
    here = project(true[1:2], crs)
    assert abs(read_terrain(path, crs, here).at(here)[0] - 1000) < NEAR_M


def names_in(layers, layer):
    if layer == "streets" and layers.ways is not None:
        return sorted(set(layers.ways.tags["name"]))
    return sorted(layers.tables[layer]["address" if layer == "residents" else "name"])


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: " | ".join(filter(None, cell)))
def test_a_file_is_read_where_and_as_what_it_was_written(tmp_path, cell):
    tried = ["stations", "streets", "areas"] if cell.geometry == "`wkt`" else [GEOMETRIES[cell.geometry]]
    for layer in tried:
        path = tmp_path / f"{layer}{SUFFIXES[cell.format]}"
        if cell.format == "GeoTIFF":
            check_raster(path, cell)
            continue
        write = write_osm if cell.format in OSM else write_graphml if cell.format == "GraphML" else write_drawn
        (write_sheet if cell.format in SHEETS else write)(path, cell, layer)
        layers = read(path, layer, cell)
        n = len(CORNERS) if layer in ("stations", "residents") else 1
        assert names_in(layers, layer) == [f"{text_of(cell.encoding)}{i}" for i in range(1, n + 1)]
        if layer == "residents":
            continue
        _, true = stated_and_true(cell.datum)
        if layer == "streets" and layers.ways is not None:
            found = layers.ways.xy_m
        else:
            found = shapely.get_coordinates(layers.tables[layer].to_crs(4326).geometry)
        assert same_places(found, true)


# ------------------------------------------------------------------------------------------------- the table itself


def joined(groups):
    """Keys of a mapping whose values are the same, put together in their order."""
    keys = {}
    for key, value in groups.items():
        keys.setdefault(value, []).append(key)
    return [(tuple(names), value) for value, names in keys.items()]


def rendered():
    """The cells that are tried, as a table: a row for all that is read alike."""
    datums_of, rows = {}, []
    for cell in CELLS:
        datums_of.setdefault(cell[:3], []).append(cell.datum)
    by_format = {}
    for (kind, place, texts), datums in datums_of.items():
        by_format.setdefault(kind, {}).setdefault((place, tuple(datums)), []).append(texts)
    for kinds, held in joined(
        {kind: tuple((k, tuple(v)) for k, v in rows.items()) for kind, rows in by_format.items()}
    ):
        for places, (datums, texts) in joined({place: (datums, texts) for (place, datums), texts in held}):
            marks = ["" if datums == ("",) else "✓" if d in datums else "–" for d in DATUMS]
            rows.append(["; ".join(kinds), "; ".join(places), "; ".join(texts), *marks])
    heading = ["format", "place", "texts", *DATUMS]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows))


def test_the_table_of_formats_claims_what_is_tried_here_and_nothing_else(repository):
    page = (repository / "data" / "FORMATS.md").read_text("utf-8")
    assert [row for row in page.splitlines() if row.startswith("|")] == rendered().splitlines()


def test_every_format_that_is_opened_stands_in_the_table():
    written = set(SUFFIXES.values())
    assert [f.name for f in FORMATS if not any(w.endswith(f.suffixes) for w in written)] == []
