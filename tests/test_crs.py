"""What a file's coordinates mean: systems of coordinates and datums, stated, left out or wrong."""

import json

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import CRS, Transformer
from typer.testing import CliRunner

from lifecircle.cli import app
from lifecircle.datum import DATUMS, Grid, grid_of, regarded
from lifecircle.errors import UnknownNameError
from lifecircle.readers.coordinates import understood
from lifecircle.readers.inputs import Input
from lifecircle.readers.requests import check_requests, read_requests
from lifecircle.study import check_study
from tiny import STUDY, at, buildings, geojson, osm_xml, point, table, write_city

PLACE = at(1.2, 0.3)
"""Where station s1 stands."""

FORMATS = {"stations.gpkg": "GPKG", "stations.geojson": "GeoJSON", "stations.shp": "ESRI Shapefile"}


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def state(folder, layer, value, *, datum="wgs84"):
    """State another input for a layer, and another datum for all of them, empty for none."""
    study = STUDY.replace('datum = "wgs84"', f'datum = "{datum}"' if datum else "")
    rows = [f"{layer} = {value}" if row.startswith(f"{layer} =") else row for row in study.splitlines()]
    (folder / "study.toml").write_text("\n".join(rows), encoding="utf-8")


def moved(crs, lonlat=PLACE):
    """Return a place in another system."""
    return Transformer.from_crs(4326, crs, always_xy=True).transform(*lonlat)


def shifted(datum, lonlat=PLACE):
    """Return a place in another datum."""
    return regarded(np.array([lonlat]), was=datum, instead="wgs84")[0].tolist()


def off_m(folder):
    """Return how far from its place the station is read, metres."""
    study, findings = check_study(folder)
    assert study is not None, findings
    here = gpd.GeoSeries(shapely.points([PLACE]), crs=4326).to_crs(study.crs)
    return float(here.distance(study.stations.geometry.iloc[:1], align=False).iloc[0])


def told(folder):
    """Return what is found; files that a test leaves unnamed beside the study are no matter here."""
    return [f for f in check_study(folder)[1] if f.rule != "unnamed-file"]


def only(folder):
    """Return the one thing that is found."""
    found = told(folder)
    assert len(found) == 1, [str(f) for f in found]
    return found[0]


@pytest.mark.parametrize("datum", DATUMS)
@pytest.mark.parametrize("file", [*FORMATS, "stations.csv"])
def test_a_layer_stands_where_it_stood_whatever_datum_it_came_in(city, file, datum):
    there = shifted(datum)
    if file in FORMATS:
        frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(there)], crs=4326)
        pyogrio.write_dataframe(frame, city / file, driver=FORMATS[file])
    else:
        table(city / file, "station_id lon lat", ["s1", *there])
    state(city, "stations", f'{{ path = "{file}", datum = "{datum}" }}')
    assert off_m(city) < 0.01
    assert told(city) == []


def test_the_datum_of_all_inputs_is_that_of_every_table_that_states_none(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", *shifted("gcj02")])
    state(city, "stations", '"stations.csv"', datum="gcj02")
    for file in ("streets", "areas", "buildings", "barriers"):
        frame = gpd.read_file(city / f"{file}.geojson")
        shapes = [shapely.transform(g, lambda xy: regarded(xy, was="gcj02", instead="wgs84")) for g in frame.geometry]
        frame.set_geometry(shapes, crs=4326).to_file(city / f"{file}.geojson")
    table(city / "candidates.csv", "site_id lon lat", ["c1", *shifted("gcj02", at(2, 1.9))])
    assert off_m(city) < 0.01


@pytest.mark.parametrize("epsg", [4529, 4550, 4499, 4510, 4490, 3857, 32651])
def test_a_table_in_any_system_is_read_where_it_lies(city, epsg):
    axes = "lon lat" if CRS(epsg).is_geographic else "x y"
    table(city / "stations.csv", f"station_id {axes}", ["s1", *moved(epsg)])
    state(city, "stations", f'{{ path = "stations.csv", crs = "EPSG:{epsg}" }}')
    assert off_m(city) < 0.01


def test_a_layer_in_the_projection_of_web_maps_is_read_where_it_lies(city):
    frame = gpd.read_file(city / "buildings.geojson")
    frame.to_crs(3857).to_file(city / "buildings.gpkg")
    state(city, "buildings", '"buildings.gpkg"')
    study, _ = check_study(city)
    assert told(city) == []
    assert study.crs.coordinate_operation.method_name == "Transverse Mercator"
    true = frame.to_crs(study.crs)
    assert study.buildings.geometry.distance(true.geometry, align=False).max() < 0.01
    assert study.buildings.area.to_numpy() == pytest.approx(true.area.to_numpy(), rel=1e-6)


@pytest.mark.parametrize("epsg", range(4513, 4534))
def test_an_easting_with_its_zone_names_its_system(epsg):
    middle = 75 + 3 * (epsg - 4513)
    xy = np.array([moved(epsg, (middle + side, lat)) for side in (-1.4, 0, 1.4) for lat in (19, 35, 53)])
    assert grid_of(xy) == Grid(epsg)
    assert grid_of(xy[:, ::-1]) == Grid(epsg, swapped=True)


@pytest.mark.parametrize("epsg", range(4534, 4555))
def test_an_easting_without_its_zone_is_told_as_one(epsg):
    middle = 75 + 3 * (epsg - 4534)
    assert grid_of(np.array([moved(epsg, (middle + side, 35)) for side in (-1, 0, 1)])) == Grid(0)


@pytest.mark.parametrize("lonlat", [PLACE, (115.03, 35.76), (106.71, 26.57), (109.5, 18.3), (87.6, 43.8)])
def test_metres_of_a_web_map_are_told_as_such(lonlat):
    assert grid_of(np.array([moved(3857, lonlat)])) == Grid(3857)


@pytest.mark.parametrize("xy", [[], [[123.9, 41.8]], [[0, 0]], [[np.nan, 1]], [[1e9, 1e9]], [[24_500_000, 4e6]]])
def test_other_numbers_are_like_no_grid(xy):
    assert grid_of(np.array(xy, dtype=float).reshape(-1, 2)) is None


@pytest.mark.parametrize(
    ("epsg", "says"), [(4529, 'crs = "EPSG:4529"'), (4550, "central meridian"), (3857, 'crs = "EPSG:3857"')]
)
def test_metres_in_a_table_of_degrees_are_named_with_their_zone(city, epsg, says):
    table(city / "stations.csv", "station_id lon lat", ["s1", *moved(epsg)], ["s2", *PLACE])
    finding = only(city)
    assert (finding.rule, finding.ids, finding.severity) == ("not-degrees", ("s1",), "error")
    assert says in finding.message


def test_metres_in_a_file_that_calls_them_degrees_are_read_once_their_system_is_stated(city):
    x, y = moved(4529)
    geojson(city / "stations.geojson", [({"station_id": "s1"}, {"type": "Point", "coordinates": [x, y]})])
    state(city, "stations", '"stations.geojson"')
    assert 'crs = "EPSG:4529"' in only(city).message
    state(city, "stations", '{ path = "stations.geojson", crs = "EPSG:4529" }')
    assert off_m(city) < 0.01


def test_a_survey_that_puts_the_northing_first_is_told_so(city):
    table(city / "stations.csv", "station_id x y", ["s1", *moved(4529)[::-1]])
    state(city, "stations", '{ path = "stations.csv", crs = "EPSG:4529" }')
    assert (only(city).layer, only(city).rule) == ("stations", "swapped-axes")


def test_eastings_that_bear_another_zone_than_is_stated(city):
    table(city / "stations.csv", "station_id x y", ["s1", *moved(4529)])
    state(city, "stations", '{ path = "stations.csv", crs = "EPSG:4550" }')
    assert only(city).rule == "wrong-zone"
    assert 'crs = "EPSG:4529"' in only(city).message


def test_a_stated_system_that_the_file_contradicts(city):
    frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(PLACE)], crs=4326)
    frame.to_file(city / "stations.gpkg")
    state(city, "stations", '{ path = "stations.gpkg", crs = "EPSG:4550" }')
    assert only(city).rule == "other-crs"
    state(city, "stations", '{ path = "stations.gpkg", crs = "EPSG:4326" }')
    assert off_m(city) < 0.01


def test_a_system_stated_of_a_file_that_says_none(city):
    frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(moved(4550))], crs=4550)
    frame.to_file(city / "stations.shp")
    (city / "stations.prj").unlink()
    state(city, "stations", '"stations.shp"')
    assert "crs = " in only(city).message
    state(city, "stations", '{ path = "stations.shp", crs = "EPSG:4550" }')
    assert off_m(city) < 0.01


def test_degrees_under_a_system_in_metres_are_told_as_that(city):
    state(city, "stations", '{ path = "stations.csv", crs = "EPSG:4550" }')
    assert (only(city).layer, only(city).rule) == ("stations", "not-metres")


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        *(
            ('crs = "EPSG:999999"', "unknown-crs"),
            ('crs = "4549"', "unknown-crs"),
            ('crs = "EPSG:5773"', "unknown-crs"),
        ),
        *(('crs = "+proj=longlat"', "unknown-crs"), ('datum = "mars"', "unknown-value"), ("datum = 3", "wrong-type")),
    ],
)
def test_a_system_or_datum_that_is_none(city, stated, rule):
    state(city, "stations", f'{{ path = "stations.csv", {stated} }}')
    assert (only(city).layer, only(city).rule) == ("study.toml", rule)


def test_openstreetmap_is_in_wgs84_whatever_is_said(city):
    osm_xml(city / "a.osm", {1: (0, 0), 2: (4, 0)}, {1: ([1, 2], {"highway": "path"})})
    state(city, "streets", '{ path = "a.osm", datum = "gcj02" }')
    assert only(city).rule == "unfit-for-osm"
    state(city, "streets", '"a.osm"', datum="cgcs2000")
    assert told(city) == []


@pytest.mark.parametrize("epsg", [4214, 4610, 4555, 2365, 2386, 2438, 2417, 21421])
def test_a_survey_of_which_nobody_knows_how_it_lies_to_wgs84_is_refused(city, epsg):
    axes = "lon lat" if CRS(epsg).is_geographic else "x y"
    there = Transformer.from_crs(CRS(epsg).geodetic_crs, epsg, always_xy=True).transform(*PLACE)
    table(city / "stations.csv", f"station_id {axes}", ["s1", *there])
    state(city, "stations", f'{{ path = "stations.csv", crs = "EPSG:{epsg}" }}')
    assert (only(city).rule, only(city).severity) == ("untied-datum", "error")
    assert "CGCS2000" in only(city).message


def placed_by(epsg, lonlat, layer="stations"):
    """Return what is told of a layer with one place in a system."""
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(moved(epsg, lonlat))], crs=epsg)
    return [(b.rule, b.severity) for b in understood(Input(layer, "a.gpkg"), frame)[1]]


def test_a_datum_that_is_known_roughly_is_told_and_one_that_is_known_well_is_not():
    assert placed_by(4267, (-99.5, 40.5)) == [("rough-datum", "warning")]
    for epsg, lonlat in ((27700, (-0.95, 51.05)), (2154, (7.42, 43.73)), (2326, (114.2, 22.3)), (4550, PLACE)):
        assert placed_by(epsg, lonlat) == []


def test_the_system_of_a_survey_is_known_however_its_file_spells_it(city):
    spelled = CRS(CRS(4550).to_wkt("WKT1_ESRI"))
    frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(moved(4550))], crs=spelled)
    frame.to_file(city / "stations.shp")
    assert "4550" not in (city / "stations.prj").read_text("utf-8")
    state(city, "stations", '"stations.shp"')
    assert off_m(city) < 0.01


# --------------------------------------------------------------------------- nobody says


def vague(folder):
    _, found = check_study(folder)
    assert [f for f in found if f.severity in ("error", "repair")] == []
    return [f.layer for f in found if f.rule == "unstated-datum"]


def test_a_layer_in_china_of_which_nobody_states_the_datum_is_told_once(city):
    state(city, "stations", '{ path = "stations.csv", datum = "wgs84" }', datum="")
    assert vague(city) == ["streets", "areas", "buildings", "candidates", "barriers"]


def test_a_survey_states_its_datum_by_its_system(city):
    gpd.read_file(city / "areas.geojson").to_crs(4490).to_file(city / "areas.shp")
    gpd.read_file(city / "buildings.geojson").to_crs(4550).to_file(city / "buildings.gpkg")
    table(city / "stations.csv", "station_id lon lat", ["s1", *PLACE])
    for layer, value in (
        ("areas", '"areas.shp"'),
        ("buildings", '"buildings.gpkg"'),
        ("stations", '{ path = "stations.csv", crs = "EPSG:4490" }'),
    ):
        state(city, layer, value, datum="")
        assert layer not in vague(city)


def test_the_projection_of_web_maps_states_no_datum(city):
    gpd.read_file(city / "buildings.geojson").to_crs(3857).to_file(city / "buildings.gpkg")
    state(city, "buildings", '"buildings.gpkg"', datum="")
    assert "buildings" in vague(city)


def test_outside_china_nobody_is_asked_for_a_datum(city):
    for file in city.glob("*.geojson"):
        file.write_text(file.read_text("utf-8").replace("123.9", "13.9"), encoding="utf-8")
    for name, key, lonlat in (("stations", "station_id", PLACE), ("candidates", "site_id", at(2, 1.9))):
        table(city / f"{name}.csv", f"{key} lon lat", [f"{name} 1", round(lonlat[0] - 110, 7), lonlat[1]])
    state(city, "stations", '"stations.csv"', datum="")
    assert told(city) == []


# --------------------------------------------------------------------------- requests


def test_requests_come_in_a_datum_or_a_system_too(tmp_path):
    table(tmp_path / "r.csv", "request_id lon lat", ["r1", *shifted("bd09")])
    table(tmp_path / "m.csv", "request_id x y", ["r1", *moved(4550)])
    for read in (
        read_requests(tmp_path / "r.csv", datum="bd09"),
        read_requests(tmp_path / "m.csv", crs="epsg:4550").to_crs(4326),
    ):
        np.testing.assert_allclose(shapely.get_coordinates(read.geometry), [PLACE], atol=1e-7)


def test_requests_of_which_a_few_are_swapped_or_in_metres(tmp_path):
    rows = [["r1", *PLACE], ["r2", *PLACE[::-1]], ["r3", *moved(4529)]]
    table(tmp_path / "r.csv", "request_id lon lat", *rows)
    requests, found = check_requests(tmp_path / "r.csv")
    assert len(found) == 3, [str(f) for f in found]
    _, swapped, metres = found
    assert requests["problem"].tolist() == ["", "swapped-axes", "not-degrees"]
    assert (swapped.rule, swapped.ids) == ("swapped-axes", ("r2",))
    assert (metres.rule, metres.ids) == ("not-degrees", ("r3",))
    assert 'crs = "EPSG:4529"' in metres.message


@pytest.mark.parametrize("stated", [{"datum": "mars"}, {"crs": "EPSG:1"}, {"crs": "/vsicurl/http://a"}])
def test_requests_in_a_datum_or_system_that_is_none(tmp_path, stated):
    table(tmp_path / "r.csv", "request_id lon lat", ["r1", *PLACE])
    with pytest.raises(UnknownNameError, match="must be"):
        read_requests(tmp_path / "r.csv", **stated)


# --------------------------------------------------------------------------- the working system


def test_check_states_the_system_that_is_worked_in(city):
    ran = CliRunner().invoke(app, ["check", str(city), "--out", str(city / "out")])
    assert ran.exit_code == 0, ran.output
    name = "Local Transverse Mercator at 123.95 E 41.88 N (WGS 84)"
    assert name in ran.output
    for file in ("check.json", "run.json"):
        assert json.loads((city / "out" / "check" / file).read_text("utf-8"))["crs"] == name


def test_a_study_too_broken_to_have_a_system_states_none(city):
    geojson(city / "buildings.geojson", [*buildings(), ({"building_id": "b9"}, point(1, 1)), ({}, point(1, 1))])
    (city / "streets.geojson").unlink()
    assert CliRunner().invoke(app, ["check", str(city), "--out", str(city / "out")]).exit_code == 1
    assert json.loads((city / "out" / "check" / "check.json").read_text("utf-8"))["crs"] is None
