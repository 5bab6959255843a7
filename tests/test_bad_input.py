"""Every rule that an input can break: it fires, it says where, and all that is wrong is told in one go."""

import ast
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from lifecircle.errors import SchemaError, SourceError, StudyError
from lifecircle.readers.requests import read_requests
from lifecircle.study import check_study, open_study
from tiny import STUDY, areas, at, box, buildings, geojson, line, osm_xml, point, table, write_city


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def told(folder):
    """Return what is wrong with the study in ``folder``: layer and rule, in the order told."""
    _, breaches = check_study(folder)
    return [(b.layer, b.rule) for b in breaches if b.severity != "note"]


def only(folder):
    """Return the one error of the study in ``folder``."""
    study, breaches = check_study(folder)
    assert study is None
    [error] = [b for b in breaches if b.severity == "error"]
    return error


def with_input(folder, layer, value):
    """State another input for a layer."""
    lines = [f"{layer} = {value}" if row.startswith(f"{layer} =") else row for row in STUDY.splitlines()]
    if f"{layer} = {value}" not in lines:
        lines.append(f"{layer} = {value}")
    (folder / "study.toml").write_text("\n".join(lines), encoding="utf-8")


def test_the_city_as_written_has_nothing_wrong(city):
    study, breaches = check_study(city)
    assert breaches == ()
    assert study is not None


def test_every_layer_tells_at_once(city):
    (city / "streets.geojson").unlink()
    geojson(city / "areas.geojson", areas() + areas()[:1])
    geojson(city / "buildings.geojson", [({"kind": "house"}, g) for _, g in buildings()])
    table(city / "residents.csv", "building_id residents", ["b1", -1], ["b2", "many"])
    table(city / "stations.csv", "station_id lon lat", ["s1", "", 41.88], ["", *at(1, 1)])
    with_input(city, "candidates", '{ path = "candidates.csv", colums = {} }')
    with pytest.raises(StudyError) as caught:
        open_study(city)
    assert {(b.layer, b.rule) for b in caught.value.breaches} == {
        ("study.toml", "unknown-key"),
        ("streets", "missing-file"),
        ("areas", "duplicate-id"),
        ("buildings", "missing-column"),
        ("residents", "negative-number"),
        ("residents", "not-a-number"),
        ("stations", "not-finite"),
        ("stations", "missing-id"),
    }
    text = str(caught.value)
    assert len(text.splitlines()) == 9
    assert "areas: area_id must differ from row to row; the rows of one id" in text


def test_the_first_ids_and_how_many_more(city):
    rows = [[f"s{i}", *at(1, 0.1 * i), -1] for i in range(8)]
    table(city / "stations.csv", "station_id lon lat capacity", *rows)
    breach = only(city)
    assert (breach.ids, breach.count) == (tuple(f"s{i}" for i in range(8)), 8)
    assert str(breach).endswith("[s0, s1, s2, s3, s4 and 3 more]")


# --------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("nothing.csv", "missing-file"),
        (".", "not-a-file"),
        ("http://localhost:1/a.csv", "not-a-local-file"),
        ("/vsizip/a.zip", "not-a-local-file"),
        ("/vsicurl/http/a.gpkg", "not-a-local-file"),
        ("study.toml", "unknown-format"),
        ("empty.csv", "wrong-content"),
        ("vrt.geojson", "wrong-content"),
        ("vrt.gpkg", "wrong-content"),
        ("pbf.osm.pbf", "wrong-content"),
        ("broken.geojson", "unreadable"),
        ("broken.gpkg", "unreadable"),
        ("lone.shp", "missing-file"),
        ("latin.csv", "encoding"),
    ],
)
def test_a_file_that_cannot_be_read(city, path, rule):
    source = "<OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
    vrt = f"<OGRVRTDataSource>{source}</OGRVRTDataSource>"
    for name in ("vrt.geojson", "vrt.gpkg", "pbf.osm.pbf"):
        (city / name).write_text(vrt)
    (city / "empty.csv").touch()
    (city / "broken.geojson").write_text('{"type": "FeatureCollection", "features": [')
    (city / "broken.gpkg").write_bytes(b"SQLite format 3\x00" + bytes(52) + b"GPKG" + bytes(40))
    (city / "lone.shp").write_bytes(b"\x00\x00\x27\x0a" + bytes(96))
    table(city / "latin.csv", "station_id lon lat name", ["s1", *at(1, 0), "Königsstraße"], encoding="latin-1")
    with_input(city, "stations", f'"{path}"')
    assert only(city).rule == rule
    with pytest.raises(SourceError):
        open_study(city)


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("stations.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
        ("stations.zip", b"PK\x03\x04", "unpack it, and name the file"),
        ("stations.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "locked it with a password"),
        ("stations.csv", b"PK\x03\x04", "if it is a workbook name it .xlsx"),
    ],
)
def test_a_file_as_offices_send_it_is_refused_with_the_way_out(city, name, content, advice):
    (city / name).write_bytes(content + bytes(600))
    with_input(city, "stations", f'"{name}"')
    assert advice in only(city).message


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("nowhere.tif", "missing-file"),
        ("heights.asc", "unknown-format"),
        ("streets.geojson", "unknown-format"),
        ("text.tif", "wrong-content"),
        ("empty.tiff", "wrong-content"),
    ],
)
def test_heights_that_are_no_raster(city, path, rule):
    (city / "heights.asc").write_text("ncols 2\nnrows 2\n")
    (city / "text.tif").write_text("ncols 2\nnrows 2\n")
    (city / "empty.tiff").touch()
    with_input(city, "elevation", f'"{path}"')
    error = only(city)
    assert (error.layer, error.rule) == ("elevation", rule)
    with pytest.raises(SourceError):
        open_study(city)


def test_a_raster_is_no_layer_of_streets(city):
    (city / "heights.tif").write_bytes(b"II*\x00")
    with_input(city, "streets", '"heights.tif"')
    assert only(city).rule == "unknown-format"


def test_an_encoding_that_there_is_not(city):
    with_input(city, "stations", '{ path = "stations.csv", encoding = "ANSI" }')
    assert only(city).rule == "encoding"
    assert 'encoding = "gb18030"' in only(city).message


def test_an_osm_file_that_breaks_off(city, repository):
    whole = (repository / "data" / "monaco" / "monaco.osm.pbf").read_bytes()
    (city / "half.osm.pbf").write_bytes(whole[: len(whole) // 2])
    with_input(city, "streets", '"half.osm.pbf"')
    assert told(city)[0] == ("streets", "unreadable")


# ------------------------------------------------------------------------------------------------ one layer alone


@pytest.mark.parametrize("layer", ["areas", "buildings", "stations", "residents", "streets"])
def test_a_layer_with_nothing_in_it(city, layer):
    if layer in ("stations", "residents"):
        header = "station_id lon lat" if layer == "stations" else "building_id residents"
        table(city / f"{layer}.csv", header)
    else:
        geojson(city / f"{layer}.geojson", [])
    assert (layer, "empty-layer") in told(city)


def test_a_filter_that_lets_nothing_pass(city):
    with_input(city, "stations", '{ path = "stations.csv", where = { name = "nobody" } }')
    breach = only(city)
    assert (breach.layer, breach.rule) == ("stations", "empty-layer")


@pytest.mark.parametrize("heading", ["坐标", "高德经纬度", "lng_lat"])
def test_a_column_of_both_coordinates_is_to_be_parted(city, heading):
    table(city / "stations.csv", f"station_id {heading}", ["s1", "123.9512,41.8803"])
    assert f"if {heading} holds both coordinates, part it into two columns, lon and lat" in only(city).message


def test_a_table_without_headings_is_told_as_that(city):
    table(city / "stations.csv", "s1 123.9512 41.8803", ["s2", *at(1, 1)])
    assert (only(city).rule, only(city).layer) == ("missing-headings", "stations")


def test_the_lock_of_an_open_workbook_is_no_workbook(city):
    (city / "~$台账.xlsx").write_bytes(b"\x05WPS")
    assert "unnamed-file" not in {b.rule for b in check_study(city)[1]}
    with_input(city, "residents", '"~$台账.xlsx"')
    assert "name the workbook itself" in only(city).message


def test_a_missing_column_names_the_nearest(city):
    table(city / "stations.csv", "stationid lon lat", ["s1", *at(1, 0)])
    assert 'columns = { station_id = "stationid" }' in only(city).message
    table(city / "stations.csv", "station_id x y", ["s1", *at(1, 0)])
    assert told(city) == [("stations", "no-crs")]
    table(city / "stations.csv", "station_id east north", ["s1", *at(1, 0)])
    assert told(city) == [("stations", "missing-column"), ("stations", "missing-column")]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{ path = "residents.csv", columns = { residents = "resident" } }', "did you mean residents?"),
        ('{ path = "residents.csv", where = { year = "2024" } }', "there is no column year"),
    ],
)
def test_a_column_that_the_study_names_and_the_file_lacks(city, value, says):
    with_input(city, "residents", value)
    breach = only(city)
    assert breach.rule == "missing-column"
    assert says in breach.message


@pytest.mark.parametrize(
    ("lon", "lat", "rule"),
    [
        ("", 41.88, "not-finite"),
        ("east", 41.88, "not-finite"),
        ("inf", 41.88, "not-finite"),
        (41.88, 123.95, "swapped-axes"),
        (500000, 4636000, "not-degrees"),
        (123.95, -91, "not-degrees"),
    ],
)
def test_a_place_that_is_none(city, lon, lat, rule):
    table(city / "stations.csv", "station_id lon lat", ["s1", lon, lat], ["s2", *at(1, 0)])
    breach = only(city)
    assert (breach.rule, breach.ids, breach.count) == (rule, ("s1",), 1)


@pytest.mark.parametrize(
    ("layer", "features", "rule"),
    [
        ("areas", [(areas()[0][0], None)], "no-geometry"),
        ("areas", [(areas()[0][0], point(0, 0))], "wrong-geometry"),
        ("buildings", [(buildings()[0][0], line((0, 0), (1, 1)))], "wrong-geometry"),
        ("streets", [({}, box(0, 0, 1, 1))], "wrong-geometry"),
        ("barriers", [({}, point(0, 0))], "wrong-geometry"),
    ],
)
def test_a_geometry_of_the_wrong_kind(city, layer, features, rule):
    geojson(city / f"{layer}.geojson", features)
    assert (layer, rule) in told(city)


def test_a_table_where_a_map_is_needed(city):
    pyogrio.write_dataframe(pd.DataFrame({"station_id": ["s1"]}), city / "stations.gpkg")
    with_input(city, "stations", '"stations.gpkg"')
    breach = only(city)
    assert (breach.layer, breach.rule) == ("stations", "no-geometry")


def test_a_layer_without_a_coordinate_system(city):
    frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(*at(1, 0))], crs=4326)
    frame.to_file(city / "stations.shp")
    (city / "stations.prj").unlink()
    with_input(city, "stations", '{ path = "stations.shp", columns = { station_id = "station_id" } }')
    breach = only(city)
    assert (breach.layer, breach.rule) == ("stations", "no-crs")


def test_a_file_of_several_layers_wants_one_named(city):
    frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(*at(1, 0))], crs=4326)
    for layer in ("today", "tomorrow"):
        frame.to_file(city / "stations.gpkg", layer=layer)
    with_input(city, "stations", '"stations.gpkg"')
    assert "today, tomorrow" in only(city).message
    with_input(city, "stations", '{ path = "stations.gpkg", layer = "yesterday" }')
    breach = only(city)
    assert (breach.layer, breach.rule) == ("stations", "unknown-layer")
    with_input(city, "stations", '{ path = "stations.gpkg", layer = "today" }')
    assert told(city) == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [("-1", "negative-number"), ("many", "not-a-number"), ("nan", "not-a-number"), ("1e999", "not-finite")],
)
def test_a_number_that_is_none(city, value, rule):
    table(city / "residents.csv", "building_id residents residents_old", ["b1", 5, 1], ["b2", value, 0])
    assert ("residents", rule) in told(city)
    table(city / "residents.csv", "building_id residents residents_old", ["b1", 5, 1], ["b2", 9, value])
    assert ("residents", rule) in told(city)


@pytest.mark.parametrize("row", [["b2", "", 0], ["b2", 4, ""]])
def test_a_count_that_is_left_empty(city, row):
    table(city / "residents.csv", "building_id residents residents_old", ["b1", 5, 1], row)
    breach = only(city)
    assert (breach.rule, breach.ids) == ("missing-number", ("b2",))


def test_a_flag_that_is_neither_yes_nor_no(city):
    rows = [({**p, "underground": "perhaps" if p["building_id"] == "b1" else "no"}, g) for p, g in buildings()]
    geojson(city / "buildings.geojson", rows)
    breach = only(city)
    assert (breach.rule, breach.ids) == ("not-a-flag", ("b1",))


@pytest.mark.parametrize("layer", ["areas", "buildings", "stations", "candidates", "residents"])
def test_ids_that_are_missing_or_borne_twice(city, layer):
    key = {"areas": "area_id", "buildings": "building_id", "stations": "station_id", "candidates": "site_id"}.get(layer)
    for ids, rule in ((["x", "x"], "duplicate-id"), ([" ", "x"], "missing-id")):
        if layer == "residents":
            table(city / "residents.csv", "building_id residents", *[["b1" if i == "x" else i, 1] for i in ids])
        elif layer in ("areas", "buildings"):
            geojson(city / f"{layer}.geojson", [({key: i}, box(0, 0, 1, 1)) for i in ids])
        else:
            table(city / f"{layer}.csv", f"{key} lon lat", *[[i, *at(1, 0)] for i in ids])
        assert (layer, rule) in told(city)


# --------------------------------------------------------------------------------------------------- between layers


def test_areas_that_form_no_tree(city):
    d, s, n = areas()
    geojson(city / "areas.geojson", [d, ({**s[0], "parent_id": "n"}, s[1]), ({**n[0], "parent_id": "s"}, n[1])])
    breach = only(city)
    assert (breach.rule, set(breach.ids)) == ("cycle", {"s", "n"})
    geojson(city / "areas.geojson", [d, s, ({**n[0], "parent_id": "q"}, n[1])])
    breach = only(city)
    assert (breach.rule, breach.ids) == ("unknown-id", ("n -> q",))


def test_residents_of_nowhere(city):
    table(city / "residents.csv", "building_id residents", ["b1", 1], ["b7", 2])
    breach = only(city)
    assert (breach.rule, breach.ids) == ("unknown-id", ("b7",))
    table(city / "residents.csv", "area_id residents", ["s", 1], ["west", 2])
    breach = only(city)
    assert (breach.rule, breach.ids) == ("unknown-id", ("west",))


@pytest.mark.parametrize("sign", ["？", "。", " ?", "\u200c"])
def test_an_id_with_a_stray_sign_is_told_beside_the_one_it_is_but_for_that(city, sign):
    table(city / "residents.csv", "building_id residents", ["b1", 1], [f"b2{sign}", 2])
    breach = only(city)
    assert (breach.rule, breach.ids) == ("unknown-id", (f"b2{sign}",))
    assert f"1 of these stand there but for a sign at the end: b2{sign} as b2" in breach.message


@pytest.mark.parametrize("unseen", ["\u00a0", "\u200b", "\u2060", "\u00ad", "\u3000", "\ufeff"])
def test_an_id_with_a_sign_that_nobody_sees_is_the_id(city, unseen):
    table(city / "residents.csv", "building_id residents", ["b1", 1], [f"ｂ２{unseen}", 2])
    assert {b.rule for b in check_study(city)[1]} == {"full-width-digits"}


def test_a_station_in_a_building_that_is_not_there(city):
    table(city / "stations.csv", "station_id lon lat building_id", ["s1", *at(1, 0), "b9"])
    breach = only(city)
    assert (breach.layer, breach.rule, breach.ids) == ("stations", "unknown-id", ("s1 -> b9",))


def test_residents_that_do_not_say_what_they_count_by(city):
    table(city / "residents.csv", "residents", [5])
    assert only(city).rule == "no-target"
    with_input(city, "residents", '{ path = "residents.csv", by = "building" }')
    assert only(city).rule == "missing-column"
    table(city / "residents.csv", "residents", [5], [6])
    with_input(city, "residents", '{ path = "residents.csv", by = "total" }')
    assert only(city).rule == "several-totals"


def test_residents_that_nothing_states_or_two_layers_do(city):
    (city / "study.toml").write_text(STUDY.replace('residents = "residents.csv"\n', ""), encoding="utf-8")
    breach = only(city)
    assert (breach.layer, breach.rule) == ("study.toml", "missing-key")
    geojson(city / "buildings.geojson", [({**p, "residents": 3}, g) for p, g in buildings()])
    assert told(city) == [("buildings", "outside-areas")]
    with_input(city, "residents", '"residents.csv"')
    assert only(city).rule == "stated-twice"


def test_areas_are_needed(city):
    (city / "study.toml").write_text(STUDY.replace('areas = "areas.geojson"\n', ""), encoding="utf-8")
    [breach] = [b for b in check_study(city)[1] if b.severity == "error"]
    assert (breach.rule, "areas is missing" in breach.message) == ("missing-key", True)


def test_an_area_counted_with_one_that_holds_it(city):
    table(city / "residents.csv", "area_id residents", ["d", 100], ["s", 60], ["n", 40])
    breach = only(city)
    assert (breach.rule, breach.ids) == ("counted-twice", ("n", "s"))


def test_names_that_mean_something_in_the_tables(city):
    renamed = [({**p, "area_id": "total"} if p["area_id"] == "n" else p, g) for p, g in areas()]
    geojson(city / "areas.geojson", renamed)
    assert only(city).rule == "reserved-id"


def test_a_class_without_its_column(city):
    classes = '[walking]\nclasses = [{ name = "adult", speed_mps = 1.2 }, { name = "aged", speed_mps = 0.9 }]\n'
    (city / "study.toml").write_text(STUDY + classes, encoding="utf-8")
    breach = only(city)
    assert (breach.rule, breach.ids) == ("missing-class", ("residents_aged",))


def test_homes_that_no_row_counts(city):
    table(city / "residents.csv", "building_id residents", ["b1", 60])
    study, findings = check_study(city)
    assert study is not None
    [found] = [f for f in findings if f.rule == "not-counted"]
    assert (found.severity, found.ids) == ("warning", ("b2",))


def test_groups_larger_than_the_whole(city):
    classes = '[walking]\nclasses = [{ name = "adult", speed_mps = 1.2 }, { name = "aged", speed_mps = 0.9 }]\n'
    (city / "study.toml").write_text(STUDY + classes, encoding="utf-8")
    header = "building_id residents residents_adult residents_aged residents_alone"
    table(city / "residents.csv", header, ["b1", 60, 50, 11, 0], ["b2", 4, 2, 2, 5])
    assert told(city) == [("residents", "group-exceeds"), ("residents", "classes-exceed")]
    table(city / "residents.csv", header, ["b1", 60, 50, 10, 60], ["b2", 4, 2, 2, 4])
    assert told(city) == []
    table(city / "residents.csv", header, ["b1", 60, 50, 9, 60], ["b2", 4, 2, 2, 4])
    study, breaches = check_study(city)
    assert study is not None
    assert [(b.rule, b.severity, b.ids) for b in breaches] == [("classes-fall-short", "repair", ("b1",))]


@pytest.mark.parametrize("layer", ["areas", "buildings", "stations", "candidates"])
def test_a_layer_of_another_city(city, layer):
    if layer in ("areas", "buildings"):
        rows = areas()[:1] if layer == "areas" else [(p, g) for p, g in buildings()]
        geojson(city / f"{layer}.geojson", [(p, {"type": "Polygon", "coordinates": _moved(g)}) for p, g in rows])
    else:
        key = "station_id" if layer == "stations" else "site_id"
        table(city / f"{layer}.csv", f"{key} lon lat", ["x", 7.42, 43.73])
    assert (layer, "wrong-place") in told(city)


def _moved(geometry):
    return [[[x - 100.0, y] for x, y in ring] for ring in geometry["coordinates"]]


def test_the_other_side_of_the_world_is_another_city_too(city):
    table(city / "stations.csv", "station_id lon lat", ["x", -56.05, -41.88])
    assert told(city) == [("stations", "wrong-place")]


def test_one_place_far_away_is_named(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", *at(1, 0)], ["s2", 0, 0])
    breach = only(city)
    assert (breach.layer, breach.rule, breach.ids) == ("stations", "wrong-place", ("s2",))
    geojson(city / "areas.geojson", [({"area_id": "a"}, {"type": "Polygon", "coordinates": [_FAR_SIDE]})])
    assert ("areas", "wrong-place") in told(city)


def test_a_street_that_runs_to_the_end_of_the_world(city):
    geojson(city / "streets.geojson", [({}, {"type": "LineString", "coordinates": [at(0, 0), [0.0, 0.0]]})])
    assert told(city) == [("streets", "wrong-place")]
    way = {1: ([1, 2], {"highway": "path"})}
    osm_xml(city / "a.osm", {1: (0, 0), 2: (-90000, -41880)}, way)
    with_input(city, "streets", '"a.osm"')
    assert told(city) == [("streets", "wrong-place")]


_FAR_SIDE = [[-56.0, -42.0], [-55.9, -42.0], [-55.9, -41.9], [-56.0, -42.0]]


def test_swapped_axes_are_named_even_where_both_could_be_degrees(city):
    for name in ("streets", "areas", "buildings", "barriers"):
        text = (city / f"{name}.geojson").read_text(encoding="utf-8")
        (city / f"{name}.geojson").write_text(re.sub(r"12(3\.9\d+), 4", r"\1, 4", text), encoding="utf-8")
    table(city / "candidates.csv", "site_id lon lat", ["c1", 3.951, 41.881])
    table(city / "stations.csv", "station_id lon lat", ["s1", 41.881, 3.951])
    breach = only(city)
    assert (breach.layer, breach.rule) == ("stations", "swapped-axes")


def test_a_candidate_that_bears_the_id_of_a_station(city):
    table(city / "candidates.csv", "site_id lon lat", ["s1", *at(3, 1)])
    breach = only(city)
    assert (breach.rule, breach.ids) == ("id-of-a-station", ("s1",))


def test_an_outline_that_encloses_nothing(city):
    rows = [({"building_id": "b1"}, box(1, 1, 1, 2)), *buildings()[1:]]
    geojson(city / "buildings.geojson", rows)
    assert ("buildings", "no-area") in told(city)


# ------------------------------------------------------------------------------------------------- OpenStreetMap


@pytest.mark.parametrize(
    ("layer", "value", "says"),
    [
        ("stations", '"a.osm"', "needs where"),
        ("areas", '{ path = "a.osm", layer = "lines", where = { boundary = true } }', "no meaning"),
        ("residents", '{ path = "a.osm", where = { boundary = true } }', "needs by"),
        ("buildings", '{ path = "a.osm", columns = { building_id = "ref" } }', "take it out"),
        ("entrances", '"a.osm"', "belong to the buildings of the same file"),
    ],
)
def test_what_an_osm_file_cannot_give(city, layer, value, says):
    osm_xml(city / "a.osm", {1: (0, 0), 2: (1, 0)}, {1: ([1, 2], {"highway": "path"})})
    with_input(city, layer, value)
    error = only(city)
    assert (error.layer, error.rule) == ("study.toml", "unfit-for-osm")
    assert says in error.message


def test_an_osm_file_without_streets(city):
    osm_xml(
        city / "a.osm", {1: (0, 0), 2: (1, 0)}, {1: ([1, 2], {"waterway": "river"}), 2: ([7, 8], {"highway": "path"})}
    )
    with_input(city, "streets", '"a.osm"')
    assert ("streets", "empty-layer") in told(city)


# ------------------------------------------------------------------------------------------------------- requests


def test_requests(tmp_path):
    table(tmp_path / "r.csv", "request_id lon lat item", ["r1", *at(1, 0), "medicine"], ["r2", *at(2, 0), ""])
    requests = read_requests(tmp_path / "r.csv")
    assert list(requests["item"]) == ["medicine", ""]
    assert np.allclose(shapely.get_coordinates(requests.geometry), [at(1, 0), at(2, 0)])


def test_requests_tell_all_that_is_wrong(tmp_path):
    table(tmp_path / "r.csv", "request_id lon lat", ["", *at(1, 0)], ["r1", 200, 0])
    with pytest.raises(SchemaError) as caught:
        read_requests(tmp_path / "r.csv")
    assert [b.rule for b in caught.value.breaches] == ["missing-id", "not-degrees"]
    osm_xml(tmp_path / "r.osm", {}, {})
    for name in ("none.csv", "r.osm"):
        with pytest.raises(SourceError):
            read_requests(tmp_path / name)


# ------------------------------------------------------------------------------------------------------ the whole


def test_every_rule_of_the_readers_has_a_test_that_names_it(repository):
    package = repository / "src" / "coverage" / "lifecircle"
    sources = [package / "schema.py", package / "study.py", *sorted((package / "readers").glob("*.py"))]
    rules = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                is_method = isinstance(node.func, ast.Attribute)
                position = {"Breach": 1, "breach": 0 if is_method else 1, "refuse": 0}.get(name)
                if position is not None and isinstance(rule := node.args[position], ast.Constant):
                    rules.add(rule.value)
    tested = "".join(path.read_text(encoding="utf-8") for path in sorted((repository / "tests").glob("test_*.py")))
    assert len(rules) > 40
    assert {r for r in rules if f'"{r}"' not in tested} == set()
