"""The shifted coordinates of Chinese web maps."""

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.datum import DATUMS, bd09_of_gcj02, gcj02_of_bd09, gcj02_of_wgs84, regarded, wgs84_of_gcj02
from lifecircle.readers.files import locate
from lifecircle.readers.inputs import Input, read_inputs
from lifecircle.readers.layers import Layers, read_layers
from lifecircle.readers.shifts import LEAST_PLACES, check_datums
from lifecircle.readers.study_file import read_study_file
from lifecircle.samples import new_folder
from lifecircle.schema import ELEVATION
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.write import write_study

# What two packages, of which neither shares a line with ours, make of places: WGS 84, GCJ-02, BD-09. The first five are
# of coordTransform 0.2.1 (MIT) and of prcoords 1.0.2 (CC0) alike, to a billionth of a degree; the others of prcoords.
PLACES = {
    "Fushun": ((123.92, 41.85), (123.925702416, 41.852097084), (123.932211596, 41.85800777)),
    "Puyang": ((115.03, 35.76), (115.035892702, 35.759997458), (115.042464931, 35.765765098)),
    "Kaili": ((107.98, 26.57), (107.984127509, 26.566457838), (107.990586431, 26.572679318)),
    "Guiyang": ((106.71, 26.57), (106.71376424, 26.566474368), (106.720292471, 26.57241482)),
    "Kashgar": ((75.99, 39.47), (75.992955638, 39.470227497), (75.999465199, 39.476187842)),
    "Sanya": ((109.51, 18.25), (109.514089587, 18.248301418), (109.520638405, 18.254059682)),
    "Mohe": ((122.53, 52.97), (122.537060809, 52.971532898), (122.543469069, 52.977766737)),
    "Ürümqi": ((87.61, 43.79), (87.612842378, 43.791220806), (87.619231665, 43.797422461)),
    "Shanghai": ((121.47, 31.23), (121.4745349, 31.228067482), (121.481076208, 31.233986716)),
}
IN_CHINA = st.tuples(st.floats(73.5, 134.8), st.floats(3.8, 53.6))


@pytest.mark.parametrize("place", PLACES)
def test_a_place_lies_where_web_maps_show_it(place):
    wgs84, gcj02, bd09 = (np.array([lonlat]) for lonlat in PLACES[place])
    np.testing.assert_allclose(gcj02_of_wgs84(wgs84), gcj02, rtol=0, atol=1e-9)
    np.testing.assert_allclose(bd09_of_gcj02(gcj02), bd09, rtol=0, atol=1e-9)


@given(st.lists(IN_CHINA, min_size=1, max_size=50))
def test_the_way_back_ends_where_the_way_there_began(places):
    lonlat = np.array(places)
    np.testing.assert_allclose(wgs84_of_gcj02(gcj02_of_wgs84(lonlat)), lonlat, rtol=0, atol=1e-9)
    np.testing.assert_allclose(gcj02_of_bd09(bd09_of_gcj02(lonlat)), lonlat, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shift", [gcj02_of_wgs84, bd09_of_gcj02, wgs84_of_gcj02, gcj02_of_bd09])
def test_nothing_is_shifted_outside_china_nor_where_there_is_no_place(shift):
    lonlat = np.array([[7.42, 43.73], [0.0, 0.0], [-51.2, -30.0], [np.nan, np.nan], [np.inf, 41.0], [123.9, np.nan]])
    np.testing.assert_array_equal(shift(lonlat), lonlat)


def test_shifting_leaves_what_it_was_given_alone():
    lonlat = np.array([PLACES["Fushun"][0]])
    for shift in (gcj02_of_wgs84, bd09_of_gcj02, wgs84_of_gcj02, gcj02_of_bd09):
        shift(lonlat)
        assert lonlat.tolist() == [list(PLACES["Fushun"][0])]


@given(st.lists(IN_CHINA, min_size=1, max_size=20), st.sampled_from(DATUMS), st.sampled_from(DATUMS))
def test_places_regarded_in_another_datum_and_back_are_where_they_were(places, one, other):
    lonlat = np.array(places)
    there = regarded(lonlat, was=one, instead=other)
    np.testing.assert_allclose(regarded(there, was=other, instead=one), lonlat, rtol=0, atol=1e-8)


# --------------------------------------------------------------------------- layers that look shifted


def layers_of(folder):
    """Return the layers of a study, and that all of its tables might be in any datum."""
    file = read_study_file(folder)
    found = [locate(source, folder) for name, source in file.inputs.items() if name != ELEVATION]
    layers = read_layers({f.input.name: f for f in found}, datum=file.datum)
    return dataclasses.replace(layers, stated={name: Input(name, name) for name in layers.tables})


def with_moved(layers, names, move):
    """Return the layers, some moved by a function of degrees."""

    def drawn(table):
        shapes = table.geometry.to_crs(4326).to_numpy()
        return table.set_geometry(shapely.transform(shapes, move), crs=4326)

    tables = {name: drawn(t) if name in names else t for name, t in layers.tables.items()}
    ways = layers.ways
    if "streets" in names:
        ways = dataclasses.replace(ways, xy_m=move(ways.xy_m))
    return dataclasses.replace(layers, tables=tables, ways=ways)


def shifted(layers, names, datum):
    return with_moved(layers, names, lambda lonlat: regarded(lonlat, was=datum, instead="wgs84"))


def told(layers):
    return {(b.layer, b.rule) for b in check_datums(layers)}


@pytest.fixture(scope="module", params=["fushun", "qiandongnan", "puyang"])
def made_up(request, tmp_path_factory):
    with new_folder(tmp_path_factory.mktemp("made") / "city") as folder:
        write_study(folder, make_city(PROGRAMMES[request.param], size=0.05), "lifecircle new")
        return layers_of(folder)


@pytest.fixture(scope="module")
def real(repository):
    """Monaco set down on the steppe."""
    layers = layers_of(repository / "data" / "monaco")
    placed = [name for name in layers.tables if name != "residents"]
    return with_moved(layers, ["streets", *placed], lambda lonlat: lonlat + np.array([109.18, 0.0]))


POINTS = ("stations", "candidates", "entrances")


def test_a_made_up_city_that_is_where_it_is_looks_shifted_in_no_layer(made_up):
    assert told(made_up) == set()


def test_a_real_town_that_is_where_it_is_looks_shifted_in_no_layer(real):
    assert told(real) == set()


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@pytest.mark.parametrize("layer", [*POINTS, "buildings"])
def test_a_layer_of_a_web_map_looks_like_it(made_up, layer, datum):
    assert told(shifted(made_up, [layer], datum)) == {(layer, f"looks-like-{datum}")}


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@pytest.mark.parametrize("layer", [*POINTS, "buildings"])
def test_a_layer_of_a_web_map_looks_like_it_among_real_houses(real, layer, datum):
    assert told(shifted(real, [layer], datum)) == {(layer, f"looks-like-{datum}")}


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_streets_of_a_web_map_look_like_it_and_nothing_else_does(made_up, datum, stated):
    streets = {"streets": Input("streets", "streets.shp")} if stated else {}
    layers = dataclasses.replace(shifted(made_up, ["streets"], datum), stated=made_up.stated | streets)
    [breach] = check_datums(layers)
    assert (breach.layer, breach.rule, breach.count) == ("streets", f"looks-like-{datum}", 1)
    assert (f'state datum = "{datum}"' in breach.message) == stated


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_streets_of_a_web_map_look_like_it_among_real_houses(real, datum):
    assert told(shifted(real, ["streets"], datum)) == {("streets", f"looks-like-{datum}")}


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_borders_of_a_web_map_look_like_it_or_like_nothing(made_up, datum):
    assert told(shifted(made_up, ["areas"], datum)) <= {("areas", f"looks-like-{datum}")}


@pytest.mark.parametrize(("wide_m", "high_m", "inside_m"), [(1500, 1500, 10), (900, 360, 12), (300, 300, 0)])
def test_a_border_along_the_edge_of_a_town_of_even_blocks_looks_shifted_nowhere(wide_m, high_m, inside_m):
    def degrees(x_m, y_m):
        return np.column_stack([123.95 + np.asarray(x_m) / 82_900, 41.88 + np.asarray(y_m) / 111_000])

    def boxes(west, south, east, north):
        return shapely.box(*degrees(west, south).T, *degrees(east, north).T)

    west, south = (side.ravel() for side in np.meshgrid(np.arange(0, wide_m, 30), np.arange(0, high_m, 30)))
    houses = boxes(west + 8, south + 8, west + 22, south + 22)
    border = boxes([inside_m], [inside_m], [wide_m - inside_m], [high_m - inside_m])
    tables = {
        "buildings": gpd.GeoDataFrame({"building_id": range(len(houses))}, geometry=houses, crs=4326).astype(
            {"building_id": "str"}
        ),
        "areas": gpd.GeoDataFrame({"area_id": ["a"]}, geometry=border, crs=4326),
    }
    assert told(Layers(tables=tables, stated={name: Input(name, name) for name in tables})) == set()


def test_buildings_and_all_that_stands_in_them_look_shifted_together(real):
    found = told(shifted(real, ["buildings", *POINTS], "gcj02"))
    assert found == {(layer, "looks-like-gcj02") for layer in ("buildings", *POINTS)}


def test_a_layer_that_was_shifted_back_without_need_looks_like_wgs84(real):
    stated = real.stated | {"stations": Input("stations", "stations.csv", datum="gcj02")}
    moved = with_moved(real, ["stations"], lambda lonlat: regarded(lonlat, was="wgs84", instead="gcj02"))
    assert told(dataclasses.replace(moved, stated=stated)) == {("stations", "looks-like-wgs84")}


def test_a_few_places_tell_nothing(real):
    few = real.tables | {"stations": real.tables["stations"].iloc[: LEAST_PLACES - 1]}
    assert told(shifted(dataclasses.replace(real, tables=few), ["stations"], "gcj02")) == set()


def test_a_town_outside_china_is_not_looked_at(repository):
    layers = layers_of(repository / "data" / "monaco")
    away = with_moved(layers, ["stations"], lambda lonlat: lonlat + np.array([0.005, 0.002]))
    assert told(away) == set()


@pytest.mark.parametrize("layer", ["stations", "candidates", "buildings"])
def test_a_layer_of_one_web_map_stated_to_be_of_another_looks_like_the_one_it_is_of(made_up, layer):
    stated = made_up.stated | {layer: Input(layer, f"{layer}.csv", datum="bd09")}
    moved = with_moved(made_up, [layer], lambda lonlat: regarded(lonlat, was="gcj02", instead="bd09"))
    [breach] = check_datums(dataclasses.replace(moved, stated=stated))
    assert (breach.layer, breach.rule, breach.severity) == (layer, "looks-like-gcj02", "warning")
    assert 'state datum = "gcj02"' in breach.message


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("高德", "gcj02"),
        ("腾讯地图", "gcj02"),
        ("百度", "bd09"),
        ("天地图", "cgcs2000"),
        ("GPS", "wgs84"),
        ("GCJ－02", "gcj02"),
    ],
)
def test_a_datum_may_be_said_by_the_map_or_the_receiver_that_a_point_is_of(said, meant):
    breaches = []
    inputs, datum = read_inputs({"datum": said, "areas": {"path": "a.shp", "datum": said}}, breaches)
    assert (datum, inputs["areas"].datum) == (meant, meant)
    assert "unknown-value" not in {b.rule for b in breaches}
