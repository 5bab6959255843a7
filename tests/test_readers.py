"""Files become layers: OpenStreetMap objects, GeoPackage, GeoJSON, Shapefile and CSV, in one metric CRS."""

import gzip

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from lifecircle import cover
from lifecircle.readers.metric import local_crs, project, project_box
from lifecircle.readers.osm import read_osm
from lifecircle.study import check_study, open_study
from tiny import STUDY, at, box, buildings, geojson, line, osm_xml, point, table, write_city

EARTH = Geod(ellps="WGS84")


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def with_inputs(folder, **inputs):
    """State other inputs, the layers' names as keywords; None takes a layer out."""
    lines = [row for row in STUDY.splitlines() if row.split(" =")[0] not in inputs]
    lines += [f"{layer} = {value}" for layer, value in inputs.items() if value is not None]
    (folder / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


# ---------------------------------------------------------------------------------------------------------- Monaco


@pytest.fixture(scope="module")
def monaco(repository):
    return open_study(repository / "data" / "monaco")


def test_monaco_has_nine_quarters_three_of_them_closed(monaco):
    assert len(monaco.areas) == 9
    assert set(monaco.areas["level"]) == {"community"}
    name = monaco.areas.set_index("area_id")["name"]
    repaired = {
        name[b.ids[0]]: int(b.message.split(" by ")[1].split()[0]) for b in monaco.findings if b.rule == "open-ring"
    }
    assert repaired == {
        "Jardin Exotique": pytest.approx(197, abs=2),
        "Les Monegetti": pytest.approx(467, abs=2),
        "Ravin de Sainte-Dévote": pytest.approx(32, abs=2),
    }
    assert shapely.is_valid(monaco.areas.geometry.values).all()


def test_monaco_states_its_population(monaco):
    assert monaco.residents.to_dict("records") == [{"by": "total", "target_id": "", "residents": 39050.0}]


def test_monaco_streets_are_the_ways_of_the_file(monaco, repository):
    extract = read_osm(repository / "data" / "monaco" / "monaco.osm.pbf", {"streets": ({"highway": ()},)})
    found, ways = extract.streets, monaco.streets
    assert ways.way_id == tuple(f"w{number}" for number in found.number)
    assert list(ways.tags["highway"]) == list(found.tags["highway"])
    lonlat = gpd.GeoSeries.from_xy(*ways.xy_m[ways.node].T, crs=monaco.crs).to_crs(4326)
    rows = np.concatenate([np.arange(extract.indptr[way], extract.indptr[way + 1]) for way in found.way])
    nodes = extract.node[rows]
    assert np.abs(shapely.get_coordinates(lonlat.values) - extract.lonlat[nodes]).max() < 1e-9
    assert len(np.unique(nodes)) == len(ways.xy_m)
    assert len(np.unique(np.stack([nodes, ways.node]), axis=1).T) == len(ways.xy_m)


def test_monaco_places_lie_where_they_say(monaco):
    for frame in (monaco.stations, monaco.candidates):
        held = frame.merge(monaco.areas, on="area_id", suffixes=("", "_of_area"))
        assert shapely.intersects(held["geometry"].values, held["geometry_of_area"].values).all()
        assert set(frame.geometry.geom_type) == {"Point"}
    assert not set(monaco.stations["station_id"]) & set(monaco.candidates["site_id"])
    assert {"townhall", "post_office", "library"} == set(monaco.stations["kind"])
    assert set(monaco.entrances["building_id"]) <= set(monaco.buildings["building_id"])
    edges = monaco.buildings.set_index("building_id").geometry.boundary
    gaps_m = shapely.distance(monaco.entrances.geometry.values, edges[monaco.entrances["building_id"]].values)
    assert gaps_m.max() < 1e-6


def test_monaco_buildings_are_those_of_libosmiums_own_assembler(monaco, repository):
    osmium = pytest.importorskip("osmium")
    factory, theirs = osmium.geom.WKBFactory(), {}
    for item in osmium.FileProcessor(str(repository / "data" / "monaco" / "monaco.osm.pbf")).with_areas():
        if item.is_area() and "building" in item.tags:
            name = f"{'w' if item.from_way() else 'r'}{item.orig_id()}"
            theirs[name] = shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(item)))
    ours = monaco.buildings.set_index("building_id").geometry
    both = [i for i in ours.index if i in theirs]
    assert len(both) >= len(ours) - 2
    area = gpd.GeoSeries([theirs[i] for i in both], crs=4326).to_crs(monaco.crs).area
    assert np.abs(area.to_numpy() - ours[both].area.to_numpy()).max() < 1e-6


def test_monaco_reads_the_same_twice(monaco, repository):
    again = open_study(repository / "data" / "monaco")
    assert again.fingerprint == monaco.fingerprint
    assert again.findings == monaco.findings
    for name in ("areas", "buildings", "entrances", "residents", "stations", "candidates", "barriers"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(monaco, name))
    assert np.array_equal(again.streets.xy_m, monaco.streets.xy_m)


def test_monaco_names_its_source_and_its_box(monaco):
    assert monaco.attribution == ("© OpenStreetMap contributors (ODbL 1.0)",)
    west, south, east, north = monaco.extent_m
    assert (east - west, north - south) == (pytest.approx(3176, abs=5), pytest.approx(3148, abs=5))
    assert "Transverse Mercator" in monaco.crs.name


@pytest.mark.slow
def test_porto_and_andorra_read(shared_dir, tmp_path):
    for name, path in (("porto", "porto_region/porto_portugal"), ("andorra", "andorra/andorra")):
        extract = read_osm(shared_dir / "data" / f"{path}.osm.pbf", {"streets": ({"highway": ()},)})
        assert len(extract.streets.number) > 4000, name


# ----------------------------------------------------------------------------------------------------- projection


@pytest.mark.parametrize("lonlat", [(7.42, 43.73), (123.95, 41.88), (-56.0, -33.0), (179.9, 5.0)])
def test_the_local_projection_keeps_distances(lonlat):
    lon, lat = lonlat
    crs = local_crs((lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05))
    near = np.array([[lon, lat], [lon + 0.05, lat + 0.05], [lon - 0.05, lat]])
    xy_m = project(near, crs)
    for i, j in ((0, 1), (1, 2)):
        expected_m = EARTH.inv(*near[i], *near[j])[2]
        assert np.hypot(*(xy_m[i] - xy_m[j])) == pytest.approx(expected_m, rel=1e-6)


def test_a_box_stays_inside_the_box():
    degrees = (7.0, 43.0, 8.0, 44.0)
    crs = local_crs(degrees)
    west, south, east, north = project_box(degrees, crs)
    corners = gpd.GeoSeries.from_xy([west, west, east, east], [south, north, south, north], crs=crs).to_crs(4326)
    lon, lat = shapely.get_coordinates(corners.values).T
    assert (lon >= 7.0 - 1e-9).all()
    assert (lon <= 8.0 + 1e-9).all()
    assert (lat >= 43.0 - 1e-9).all()
    assert (lat <= 44.0 + 1e-9).all()


# ---------------------------------------------------------------------------------------------------------- tables


def test_the_city_in_full(city):
    study = open_study(city)
    assert list(study.areas.columns) == ["area_id", "level", "name", "parent_id", "geometry"]
    assert list(study.buildings.drop(columns="geometry").columns) == [
        *("building_id", "name", "kind", "levels", "min_level", "other_use", "underground", "area_id"),
    ]
    assert list(study.buildings["area_id"]) == ["s", "n", ""]
    assert study.buildings["levels"].tolist()[0] == 6.0
    assert np.isnan(study.buildings["levels"].tolist()[1])
    assert study.residents.to_dict("list") == {
        "by": ["building", "building"],
        "target_id": ["b1", "b2"],
        "residents": [60.0, 4.0],
    }
    station = study.stations.iloc[0]
    assert (station["name"], station["area_id"], station["building_id"]) == ("代办站", "s", "b1")
    assert np.isnan(station["capacity"])
    assert (study.candidates.iloc[0]["kind"], study.candidates.iloc[0]["area_id"]) == ("pharmacy", "n")
    assert (list(study.barriers["kind"]), len(study.entrances)) == (["wall"], 0)
    assert (study.attribution, study.findings) == ((), ())
    assert study.streets.way_id == ("w1", "w2", "w3")
    # w1 and w2 share their first vertex, w2's last is w3's first: 3 + 2 + 2 vertices, 5 nodes.
    assert len(study.streets.xy_m) == 5
    assert study.streets.node[study.streets.indptr[0]] == study.streets.node[study.streets.indptr[1]]


@pytest.mark.parametrize(
    ("kind", "epsg"),
    [("geojson", 4326), *((kind, epsg) for kind in ("gpkg", "shp") for epsg in (4326, 4490, 4527, 3857))],
)
def test_every_format_and_crs_gives_the_same_study(city, kind, epsg):
    expected = open_study(city)
    for layer in ("areas", "buildings", "streets"):
        frame = gpd.read_file(city / f"{layer}.geojson").to_crs(epsg)
        frame = frame.rename(columns={"building_id": "bid"})
        frame.to_file(city / f"copy_{layer}.{kind}", encoding="utf-8")
    with_inputs(
        city,
        areas=f'"copy_areas.{kind}"',
        streets=f'"copy_streets.{kind}"',
        buildings=f'{{ path = "copy_buildings.{kind}", columns = {{ building_id = "bid" }} }}',
    )
    study = open_study(city)
    assert study.crs == expected.crs
    for name in ("areas", "buildings"):
        mine, theirs = getattr(study, name), getattr(expected, name)
        pd.testing.assert_frame_equal(mine.drop(columns="geometry"), theirs.drop(columns="geometry"))
        assert shapely.hausdorff_distance(mine.geometry.to_numpy(), theirs.geometry.to_numpy()).max() < 1e-4
    assert study.streets.way_id == expected.streets.way_id
    assert len(study.streets.xy_m) == len(expected.streets.xy_m)


def test_a_csv_in_another_encoding_with_other_names_and_a_filter(city):
    header = "编号 经度 纬度 名称 年"
    rows = [["7", *at(1, 0), "代办站", 2024], ["8", *at(2, 0), "旧站", 2019]]
    table(city / "gbk.csv", header, *rows, encoding="gb18030")
    columns = '{ station_id = "编号", lon = "经度", lat = "纬度", name = "名称" }'
    where = '{ "年" = [2023, 2024] }'
    stations = f'{{ path = "gbk.csv", encoding = "gb18030", columns = {columns}, where = {where} }}'
    study = open_study(with_inputs(city, stations=stations))
    assert study.stations[["station_id", "name"]].to_numpy().tolist() == [["7", "代办站"]]


def test_ids_stay_text_and_whole_numbers_lose_their_point(city):
    table(city / "stations.csv", "station_id lon lat", ["007", *at(1, 0)])
    geojson(
        city / "buildings.geojson", [({"building_id": i, "kind": "house"}, g) for i, (_, g) in enumerate(buildings())]
    )
    table(city / "residents.csv", "building_id residents", ["0", 1])
    study = open_study(city)
    assert list(study.stations["station_id"]) == ["007"]
    assert list(study.buildings["building_id"]) == ["0", "1", "2"]


def test_text_is_cleaned(city):
    table(city / "stations.csv", "station_id lon lat name", ["s1", *at(1, 0), " a\x1b[31mb\u202ec\n" + "x" * 600])
    name = open_study(city).stations["name"].iloc[0]
    assert name.startswith("a [31mb c xxx")
    assert (len(name), name.isprintable()) == (500, True)


def test_attribution_and_level_are_what_the_study_says(city):
    rows = [({"area_id": "s"}, box(-1, -1, 5, 3))]
    geojson(city / "areas.geojson", rows)
    with_inputs(city, areas='{ path = "areas.geojson", attribution = "Survey bureau", level = "village" }')
    study = open_study(city)
    assert (study.attribution, list(study.areas["level"])) == (("Survey bureau",), ["village"])


def test_no_candidates_and_no_barriers_at_all(city):
    study = open_study(with_inputs(city, candidates=None, barriers=None))
    assert (len(study.candidates), len(study.barriers)) == (0, 0)
    assert list(study.candidates.columns) == list(study.stations.columns.str.replace("station_id", "site_id"))
    assert study.candidates.crs == study.crs


def test_stations_and_candidates_ascend_by_id(city):
    table(city / "stations.csv", "station_id lon lat", ["s9", *at(1.2, 0.3)], ["s1", *at(1.2, 0.3)])
    table(city / "candidates.csv", "site_id lon lat", ["d", *at(2, 1.9)], ["c", *at(3, 1.9)])
    study = open_study(city)
    assert (list(study.stations["station_id"]), list(study.candidates["site_id"])) == (["s1", "s9"], ["c", "d"])


def test_residents_by_area_by_total_and_of_the_buildings_themselves(city):
    table(city / "residents.csv", "area_id residents residents_alone", ["s", 50, 5], ["n", 7, 0])
    study = open_study(city)
    assert (study.groups, list(study.residents["target_id"]), set(study.residents["by"])) == (
        ("alone",),
        ["s", "n"],
        {"area"},
    )
    table(city / "residents.csv", "人口", [57])
    with_inputs(city, residents='{ path = "residents.csv", by = "total", columns = { residents = "人口" } }')
    assert open_study(city).residents.to_dict("records") == [{"by": "total", "target_id": "", "residents": 57.0}]
    counted = [
        ({**p, "residents": n, "residents_old": 1}, g) for n, (p, g) in zip((9, None, 3), buildings(), strict=True)
    ]
    geojson(
        city / "buildings.geojson",
        [({**p, "residents_old": 0 if p["residents"] is None else 1}, g) for p, g in counted],
    )
    study = open_study(with_inputs(city, residents=None))
    assert list(study.residents["residents"]) == [9.0, 0.0, 3.0]
    assert "residents" not in study.buildings


def test_the_smallest_area_holds_a_place_and_the_smaller_id_on_a_border(city):
    geojson(
        city / "areas.geojson",
        [
            ({"area_id": "whole"}, box(-1, -1, 5, 5)),
            ({"area_id": "west"}, box(-1, -1, 2, 3)),
            ({"area_id": "east"}, box(2, -1, 5, 3)),
        ],
    )
    rows = [["a", *at(1, 1)], ["b", *at(2, -1)], ["c", *at(4, 4)], ["d", *at(4, 5.5)]]
    table(city / "stations.csv", "station_id lon lat", *rows)
    study = open_study(city)
    size = study.areas.set_index("area_id").area
    smaller = min(("west", "east"), key=lambda i: (size[i], i))
    assert list(study.stations["area_id"]) == ["west", smaller, "whole", ""]


def test_a_bow_tie_is_mended_and_told(city):
    tie = {"type": "Polygon", "coordinates": [[at(0, -1), at(4, 3), at(4, -1), at(0, 3), at(0, -1)]]}
    geojson(city / "areas.geojson", [({"area_id": "tie"}, tie)])
    study = open_study(city)
    assert [(b.layer, b.rule, b.severity, b.ids) for b in study.findings] == [
        ("areas", "invalid-polygon", "repair", ("tie",)),
        ("buildings", "outside-areas", "warning", ("b2",)),
    ]
    assert shapely.is_valid(study.areas.geometry.values).all()
    whole_m2 = shapely.area(
        gpd.GeoSeries([shapely.Polygon([at(0, -1), at(4, -1), at(4, 3), at(0, 3)])], crs=4326).to_crs(study.crs).values
    )
    assert study.areas.area.sum() == pytest.approx(whole_m2[0] / 2, rel=1e-3)


def test_an_open_ring_is_closed_and_told_with_its_area(city):
    ring = [at(-1, -1), at(5, -1), at(5, 3), at(-1, 3)]
    geojson(city / "areas.geojson", [({"area_id": "open"}, {"type": "Polygon", "coordinates": [ring]})])
    study, breaches = check_study(city)
    [ring] = [b for b in breaches if b.rule == "open-ring"]
    assert (ring.layer, ring.ids, ring.severity) == ("areas", ("open",), "repair")
    assert "closed by a straight line" in ring.message
    assert study is not None


def test_lines_meet_at_shared_vertices_to_the_millimetre_and_nowhere_else(city):
    lon, lat = at(2, 0)
    geojson(
        city / "streets.geojson",
        [
            ({}, line((0, 0), (2, 0))),
            ({}, {"type": "LineString", "coordinates": [[lon + 1e-10, lat], at(2, 2)]}),
            ({}, line((0, 1), (4, 1))),
            ({}, {"type": "MultiLineString", "coordinates": [[at(0, 3), at(1, 3)], [at(2, 3), at(2, 3), at(3, 3)]]}),
        ],
    )
    ways = open_study(city).streets
    assert ways.way_id == ("1", "2", "3", "4", "4")
    assert set(ways.tags["highway"]) == {"path"}
    assert list(np.diff(ways.indptr)) == [2, 2, 2, 2, 2]
    assert ways.node[1] == ways.node[2]
    assert len(ways.xy_m) == 9  # line 3 crosses line 2 without meeting it


# -------------------------------------------------------------------------------------------------- OpenStreetMap

PLACES = [
    *((1, 0, 0), (2, 1, 0), (3, 2, 0), (4, 3, 0)),
    *((11, 1, 1), (12, 2, 1), (13, 2, 2), (14, 1, 2)),
    *((21, 1.3, 1.3), (22, 1.6, 1.3), (23, 1.6, 1.6), (24, 1.3, 1.6)),
]
NODES = {i: (x, y) for i, x, y in PLACES}
RING = [11, 12, 13, 14, 11]
HOLE = [21, 22, 23, 24, 21]


def osm_city(folder, ways, relations=None, node_tags=None, *, nodes=NODES, **inputs):
    """Write an OpenStreetMap file beside the city's tables and open the study with it."""
    osm_xml(folder / "a.osm", nodes, {1: ([1, 2, 3, 4], {"highway": "path"}), **ways}, relations, node_tags=node_tags)
    with_inputs(folder, streets='"a.osm"', **inputs)
    named = (folder / "study.toml").read_text("utf-8")
    for path in [path for path in folder.iterdir() if f'"{path.name}"' not in named and path.name != "study.toml"]:
        path.unlink()
    return open_study(folder)


def test_osm_streets_share_nodes_and_leave_ferries_out(city):
    nodes = {**NODES, 31: (1, 0), 32: (1, -1)}
    study = osm_city(
        city,
        {
            2: ([2, 11], {"highway": "steps", "conveying": "forward", "wheelchair": "no"}),
            3: ([31, 32], {"highway": "footway", "layer": "1"}),
            4: ([1, 11], {"highway": "path", "route": "ferry"}),
            5: ([1, 11], {"railway": "rail"}),
        },
        nodes=nodes,
    )
    ways = study.streets
    assert ways.way_id == ("w1", "w2", "w3")
    assert list(ways.tags["conveying"]) == ["", "forward", ""]
    assert ways.node[1] == ways.node[ways.indptr[1]]
    over = ways.node[ways.indptr[2]]
    assert over != ways.node[1]  # the same place on another level is another node
    assert np.allclose(ways.xy_m[over], ways.xy_m[ways.node[1]])
    west, south, east, north = study.extent_m
    assert (west, north) == (ways.xy_m[:, 0].min(), ways.xy_m[:, 1].max())
    assert (east, south) == (ways.xy_m[:, 0].max(), ways.xy_m[:, 1].min())


def test_a_way_is_cut_where_a_node_is_missing(city):
    study = osm_city(city, {2: ([1, 2, 99, 3, 4], {"highway": "path"}), 3: ([99, 3], {"highway": "path"})})
    assert study.streets.way_id == ("w1", "w2", "w2")
    assert list(np.diff(study.streets.indptr)) == [4, 2, 2]
    assert [(b.rule, b.severity, b.ids) for b in study.findings] == [("broken-reference", "warning", ("w2", "w3"))]


def buildings_of(folder, ways, relations=None, **inputs):
    residents = '{ path = "r.csv", by = "total" }'
    study = osm_city(folder, ways, relations, buildings='"a.osm"', residents=residents, **inputs)
    return study, study.buildings.set_index("building_id")


@pytest.fixture
def osm_folder(city):
    table(city / "r.csv", "residents", [10])
    return city


def test_osm_buildings(osm_folder):
    study, found = buildings_of(
        osm_folder,
        {
            2: (RING, {"building": "apartments", "building:levels": "6", "name": "A", "shop": "bakery"}),
            3: (RING, {"building": "yes", "building:levels": "6;7", "building:min_level": "1", "layer": "-1"}),
            4: (RING, {"building": "yes", "amenity": "no", "level": "-1;0"}),
            5: (RING, {"building": "yes", "building:levels": "4000", "location": "underground"}),
            6: (RING, {"building": "roof"}),
            7: (RING, {"building": "construction"}),
            8: (RING, {"building:part": "yes"}),
            9: (RING[:4], {"building": "house"}),
        },
    )
    assert list(found.index) == ["w2", "w3", "w4", "w5"]
    assert list(found["kind"]) == ["apartments", "yes", "yes", "yes"]
    assert list(found["other_use"]) == [True, False, False, False]
    assert list(found["underground"]) == [False, True, False, True]
    assert list(found["min_level"]) == [0.0, 1.0, 0.0, 0.0]
    assert found["levels"].fillna(-1).tolist() == [6.0, -1, -1, -1]
    told = {(b.rule, b.severity, b.ids) for b in study.findings}
    assert told == {("levels-unread", "warning", ("w3", "w5")), ("no-outline", "warning", ("w9",))}


@pytest.mark.parametrize(
    ("level", "below"), [("-1", True), ("-2--1", True), ("-1;-2", True), ("0-5", False), ("-1-3", False), ("", False)]
)
def test_levels_below_the_ground(osm_folder, level, below):
    _, found = buildings_of(osm_folder, {2: (RING, {"building": "yes", **({"level": level} if level else {})})})
    assert found.loc["w2", "underground"] == below


def test_an_osm_multipolygon_has_its_holes_and_counts_its_outline_once(osm_folder):
    members = [("w", 2, "outer"), ("w", 3, "outer"), ("w", 4, "inner")]
    study, found = buildings_of(
        osm_folder,
        {
            2: ([11, 12, 13], {}),
            3: ([11, 14, 13], {"building": "yes"}),
            4: (HOLE, {"building": "house"}),
        },
        {
            1: (members, {"type": "multipolygon", "building": "yes"}),
            2: ([("w", 4, "outline")], {"type": "building", "building": "yes"}),
        },
    )
    assert sorted(found.index) == ["r1", "w4"]
    shape = found.geometry["r1"]
    assert len(shape.interiors) == 1
    assert shape.area + found.geometry["w4"].area == pytest.approx(shapely.Polygon(shape.exterior).area)
    assert study.findings == ()


def test_an_osm_building_whose_ring_lacks_a_piece_is_closed_and_told(osm_folder):
    study, found = buildings_of(
        osm_folder,
        {2: ([11, 12, 13], {}), 3: ([14, 11], {})},
        {1: ([("w", 2, "outer"), ("w", 9, "outer"), ("w", 3, "outer")], {"type": "multipolygon", "building": "yes"})},
    )
    assert len(shapely.get_coordinates(found.geometry["r1"])) == 5
    assert [(b.layer, b.rule, b.severity) for b in study.findings] == [("buildings", "open-ring", "repair")]


def test_entrances_lie_on_the_outline(osm_folder):
    tags = {11: {"entrance": "main"}, 12: {"entrance": "garage"}, 21: {"entrance": "yes"}, 3: {"entrance": "yes"}}
    study = osm_city(
        osm_folder,
        {
            2: (RING, {"building": "yes"}),
            3: (RING, {"building": "roof"}),
            4: (HOLE, {"building": "no"}),
            5: ([11, 12, 13], {"building": "yes"}),
        },
        node_tags={**tags, 14: {"building": "hut"}},
        buildings='"a.osm"',
        entrances='"a.osm"',
        residents='{ path = "r.csv", by = "total" }',
    )
    assert list(study.buildings["building_id"]) == ["w2"]
    assert list(study.entrances["building_id"]) == ["w2"]
    corner = gpd.GeoSeries([shapely.Point(*at(1, 1))], crs=4326).to_crs(study.crs).iloc[0]
    assert study.entrances.geometry.iloc[0].distance(corner) < 1e-6


def test_osm_areas_with_borders_in_pieces(osm_folder):
    border = {"boundary": "administrative", "admin_level": "10"}
    study = osm_city(
        osm_folder,
        {2: ([11, 12, 13], border), 3: ([14, 11], border), 4: (HOLE, border), 5: ([1, 2, 11], {})},
        {
            1: (
                [("w", 2, "outer"), ("w", 3, "outer"), ("n", 1, "label")],
                {**border, "type": "boundary", "name": "Closed"},
            ),
            2: ([("w", 5, "outer"), ("w", 77, "outer"), ("w", 78, "outer")], {**border, "type": "boundary"}),
            3: ([("w", 79, "outer")], {**border, "type": "boundary"}),
        },
        areas='{ path = "a.osm", level = "community", where = { boundary = "administrative", admin_level = 10 } }',
    )
    assert list(study.areas["area_id"]) == ["w4", "r1"]
    gap_m = EARTH.inv(*at(2, 2), *at(1, 2))[2]
    told = {b.rule: b for b in study.findings}
    assert (told["open-ring"].ids, f"{gap_m:.0f} m" in told["open-ring"].message) == (("r1",), True)
    assert told["border-missing"].ids + told["no-outline"].ids == ("r2", "r3")


def test_a_crossed_ring_of_a_relation_is_mended_and_told(osm_folder):
    border = {"boundary": "administrative", "type": "boundary"}
    study = osm_city(
        osm_folder,
        {2: ([11, 13, 12, 14, 11], {})},
        {1: ([("w", 2, "outer")], border)},
        areas='{ path = "a.osm", where = { boundary = "administrative" } }',
    )
    told = [(b.rule, b.severity, b.ids) for b in study.findings if b.rule != "outside-areas"]
    assert told == [("invalid-polygon", "repair", ("r1",))]


def test_osm_stations_are_nodes_ways_and_relations(osm_folder):
    where = '[{ amenity = ["library"] }, { office = true }]'
    study = osm_city(
        osm_folder,
        {
            2: (RING, {"amenity": "library", "name": "whole\x7f"}),
            3: (HOLE, {"office": "government"}),
            4: ([1, 2], {"amenity": "library"}),
            5: ([11, 12, 13], {}),
            6: ([13, 14, 11], {}),
        },
        {1: ([("w", 5, "outer"), ("w", 6, "outer")], {"type": "multipolygon", "office": "company", "amenity": "bar"})},
        {21: {"amenity": "library", "name": "point", "capacity": "3"}, 1: {"amenity": "cafe"}},
        stations=f'{{ path = "a.osm", where = {where}, columns = {{ capacity = "capacity" }} }}',
        candidates='{ path = "a.osm", where = { amenity = true } }',
    )
    stations = study.stations.set_index("station_id")
    assert list(stations.index) == ["n21", "r1", "w3"]  # w2 is the outline around n21
    assert list(stations["kind"]) == ["library", "company", "government"]
    assert stations.loc["n21", ["name", "capacity"]].tolist() == ["point", 3.0]
    assert list(study.candidates["site_id"]) == ["n1"]
    assert {(b.layer, b.rule, b.ids) for b in study.findings} == {
        ("stations", "no-outline", ("w4",)),
        ("stations", "mapped-twice", ("w2",)),
        ("candidates", "no-outline", ("w4",)),
        ("candidates", "mapped-twice", ("w2",)),
        ("candidates", "already-a-station", ("n21", "r1")),
    }
    assert all(b.severity != "error" for b in study.findings)


def test_residents_are_read_from_tags_whatever_the_geometry(osm_folder):
    country = {"boundary": "administrative", "type": "boundary", "name": "X", "population": "1234"}
    study = osm_city(
        osm_folder,
        {2: ([1, 2], {"boundary": "administrative", "name": "X"})},
        {1: ([("w", 2, "outer"), ("w", 99, "outer")], country)},
        residents='{ path = "a.osm", by = "total", where = { boundary = "administrative", name = "X" } }',
    )
    assert study.residents["residents"].tolist() == [1234.0]


def test_osm_barriers_stand_at_street_level(osm_folder):
    study = osm_city(
        osm_folder,
        {
            2: ([1, 11], {"barrier": "wall"}),
            3: (RING, {"barrier": "fence"}),
            4: ([1, 11], {"railway": "rail"}),
            5: ([1, 11], {"railway": "rail", "tunnel": "yes"}),
            6: ([1, 11], {"railway": "rail", "bridge": "yes"}),
            7: ([1, 11], {"railway": "rail", "layer": "-1"}),
            8: ([1, 11], {"railway": "tram"}),
            9: (HOLE, {"natural": "water"}),
            10: ([1, 11], {"waterway": "stream"}),
            11: ([11, 12, 13], {"natural": "coastline"}),
            12: ([1, 99], {"barrier": "hedge"}),
        },
        {1: ([("w", 11, "outer"), ("w", 98, "outer")], {"type": "multipolygon", "natural": "water", "name": "sea"})},
        {2: {"barrier": "wall"}},
        barriers='"a.osm"',
    )
    found = [
        (kind, shape.geom_type) for kind, shape in zip(study.barriers["kind"], study.barriers.geometry, strict=True)
    ]
    assert found == [
        ("water", "Polygon"),
        ("wall", "LineString"),
        ("fence", "LineString"),
        ("rail", "LineString"),
        ("coastline", "LineString"),
        ("water", "LineString"),
    ]


def test_one_pass_serves_every_layer(osm_folder, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "lifecircle.readers.layers.read_osm", lambda path, wanted, **_: calls.append(path) or read_osm(path, wanted)
    )
    where = "where = { amenity = true }"
    osm_city(
        osm_folder,
        {2: (RING, {"building": "yes"})},
        None,
        {21: {"amenity": "cafe"}},
        buildings='"a.osm"',
        residents='{ path = "r.csv", by = "total" }',
        stations=f'{{ path = "a.osm", {where} }}',
    )
    assert len(calls) == 1


def test_packed_osm_files_are_read(osm_folder):
    osm_xml(osm_folder / "a.osm", NODES, {1: ([1, 2, 3], {"highway": "path"})})
    (osm_folder / "a.osm.gz").write_bytes(gzip.compress((osm_folder / "a.osm").read_bytes()))
    assert open_study(with_inputs(osm_folder, streets='"a.osm.gz"')).streets.way_id == ("w1",)


# ----------------------------------------------------------------------------- stations that only name their building


@pytest.fixture
def with_doors(city):
    """The city, b1 with a door in its east and one nearer to its middle."""
    doors = [({"building_id": "b1"}, point(1.4, 0.3)), ({"building_id": "b1"}, point(1.25, 0.4))]
    geojson(city / "doors.geojson", doors)
    return with_inputs(city, entrances='"doors.geojson"')


def test_a_station_without_coordinates_stands_at_the_door_of_its_building(with_doors):
    table(with_doors / "stations.csv", "station_id lon lat building_id", ["s1", "", "", "b1"], ["s2", *at(3, 2), ""])
    study, findings = check_study(with_doors)
    [finding] = findings
    assert (finding.rule, finding.ids, finding.severity) == ("placed-at-building", ("s1 -> b1",), "repair")
    door = gpd.GeoSeries(gpd.points_from_xy(*zip(at(1.25, 0.4), strict=True)), crs=4326).to_crs(study.crs)[0]
    assert study.stations.geometry[0].distance(door) < 0.01
    assert study.stations["area_id"].tolist() == ["s", "n"]
    today = cover(study).buildings.set_index("building_id")
    assert today.loc["b1", ["station_id", "walk_m"]].tolist() == ["s1", 0.0]


def test_a_door_far_from_its_building_is_not_where_its_station_stands(city):
    geojson(city / "doors.geojson", [({"building_id": "b2"}, point(1000, 1000))])
    table(city / "stations.csv", "station_id building_id", ["s1", "b2"])
    study, _ = check_study(with_inputs(city, entrances='"doors.geojson"'))
    assert study.stations.geometry[0].within(study.buildings.set_index("building_id").geometry["b2"])


@pytest.mark.parametrize(
    ("crs", "columns", "rule"),
    [(', crs = "EPSG:4549"', "lon lat", "not-metres"), ("", "x y", "no-crs"), ("", "lon y", "missing-column")],
)
def test_a_station_with_coordinates_that_cannot_be_used_is_not_moved_to_its_building(city, crs, columns, rule):
    table(city / "stations.csv", f"station_id {columns} building_id", ["s1", 1, 2, "b1"])
    study, findings = check_study(with_inputs(city, stations=f'{{ path = "stations.csv"{crs} }}'))
    assert study is None
    assert [(b.layer, b.rule) for b in findings if b.severity == "error"] == [("stations", rule)]


def test_a_building_without_a_door_has_its_station_inside(city):
    table(city / "candidates.csv", "site_id building_id kind", ["c1", "b2", "shop"])
    study, findings = check_study(city)
    assert [(b.layer, b.rule) for b in findings] == [("candidates", "placed-at-building")]
    home = study.buildings.set_index("building_id").geometry["b2"]
    assert study.candidates.geometry[0].within(home)


def test_a_station_of_which_nobody_knows_where_it_is_is_an_error_with_the_way_out(city):
    rows = [["s1", "", "", "b9"], ["s2", "", "", ""], ["s3", *at(1.2, 0.3), "b1"]]
    table(city / "stations.csv", "station_id lon lat building_id", *rows)
    study, findings = check_study(city)
    assert study is None
    assert {(b.rule, b.ids, b.severity) for b in findings} == {
        ("unknown-id", ("s1 -> b9",), "error"),
        ("no-geometry", ("s2",), "error"),
    }
    assert any("give it lon and lat, or building_id" in b.message for b in findings)


# ------------------------------------------------------------------------------------------ files that nobody names


def test_files_that_look_like_inputs_and_are_none_are_told_in_one_note(city):
    for name in ("街道边界.shp", "街道边界.dbf", "街道边界.shx", "旧户表.xls", "data.zip"):
        (city / name).write_bytes(b"x")
    for name in ("README.md", "LICENSE.txt", "figures.json", "requests.csv", "诉求工单.csv", "~$旧户表.xlsx"):
        (city / name).write_bytes(b"x")
    (city / "today").mkdir()
    (city / "today" / "coverage.csv").write_bytes(b"x")
    study, [finding] = check_study(city)
    assert study is not None
    assert (finding.layer, finding.rule, finding.severity) == ("study.toml", "unnamed-file", "note")
    assert finding.ids == ("data.zip", "旧户表.xls", "街道边界.shp")


def test_a_folder_that_holds_an_input_is_looked_into(city):
    (city / "data").mkdir()
    (city / "stations.csv").rename(city / "data" / "stations.csv")
    (city / "data" / "more.geojson").write_bytes(b"x")
    _, [finding] = check_study(with_inputs(city, stations='"data/stations.csv"'))
    assert finding.ids == ("data/more.geojson",)
