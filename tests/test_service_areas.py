"""Drawings show what walks say: streets cut where the time runs out, areas that leap over nothing, homes in place."""

import sqlite3
from xml.etree import ElementTree as Xml

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle import cover, open_study
from lifecircle.lattice import STEP_M, contour, lay_lattice, slack_s
from lifecircle.maps.styles import layer_styles
from lifecircle.model import TOLERANCE_S, Circle
from lifecircle.reached import SAMPLE_M, reached_lines, reached_spans
from lifecircle.reports import write_coverage
from lifecircle.routing import Snaps, nearest, snap, walk_network
from lifecircle.service_areas import reached_streets, rings, service_areas
from lifecircle.snapping import SnapIndex
from tiny import STUDY, at, box, geojson, table, write_city
from towns import towns

SPEED_MPS = 1.2
EIGHT_S, FIFTEEN_S = 480.0, 900.0
NOTHING = np.array([], dtype=object)


def lines_of(network, *stations, cutoff_s=EIGHT_S, **options):
    return reached_lines(network, snap(network, stations), cutoff_s=cutoff_s, speed_mps=SPEED_MPS, **options)


def area_of(network, station, *, cutoff_s=EIGHT_S, footprints=NOTHING, barriers=NOTHING):
    """Draw the area of one station without any homes."""
    stations = snap(network, [station])
    farthest_s = cutoff_s + slack_s(SPEED_MPS)
    lines = reached_lines(network, stations, cutoff_s=farthest_s, speed_mps=SPEED_MPS)
    lattice = lay_lattice(
        lines,
        legs=SnapIndex.of(network, barriers=np.concatenate([footprints, barriers])),
        legs_through_buildings=SnapIndex.of(network, barriers=barriers),
        water=barriers[shapely.get_dimensions(barriers) == 2],
        max_access_m=250.0,
    )
    _, seconds = nearest(network, stations, lattice.snaps, cutoff_s=farthest_s, speed_mps=SPEED_MPS)
    arrived = np.isfinite(seconds[:, 0])
    area = contour(
        lattice.column[arrived],
        lattice.row[arrived],
        seconds[arrived, 0],
        cutoff_s=cutoff_s,
        speed_mps=SPEED_MPS,
    )
    assert area.is_valid
    assert area.geom_type == "MultiPolygon"
    return area


# --------------------------------------------------------------------------- streets


def test_a_dead_end_is_cut_where_the_time_runs_out():
    network = walk_network([[0, 0], [1000, 0]], [[0, 1]])
    (reached,) = lines_of(network, (0, 0))
    assert shapely.get_coordinates(reached) == pytest.approx(np.array([[0, 0], [576, 0]]), abs=1e-5)


def test_the_cut_follows_the_bends_of_a_street():
    network = walk_network([[0, 0], [500, 500]], [[0, 1]], shapes=[[(0, 0), (300, 0), (300, 400), (500, 500)]])
    (reached,) = lines_of(network, (0, 0))
    assert shapely.get_coordinates(reached) == pytest.approx(np.array([[0, 0], [300, 0], [300, 276]]), abs=1e-5)


def test_a_street_reached_from_both_ends_but_not_in_its_middle_gives_two_lines():
    network = walk_network([[0, 0], [1500, 0]], [[0, 1]])
    first, second = lines_of(network, (0, 0), (1500, 0))
    assert first.length == pytest.approx(576, abs=1e-5)
    assert second.bounds == pytest.approx((1500 - 576, 0, 1500, 0), abs=1e-5)
    (whole,) = lines_of(network, (0, 0), (1500, 0), cutoff_s=FIFTEEN_S)
    assert whole.length == pytest.approx(1500)


def test_a_station_on_a_street_is_reached_along_it_after_its_own_leg():
    network = walk_network([[0, 0], [2000, 0]], [[0, 1]])
    (reached,) = lines_of(network, (1000, 76))
    assert reached.bounds == pytest.approx((500, 0, 1500, 0), abs=1e-5)


def test_a_one_way_escalator_is_reached_only_by_who_may_ride_it():
    network = walk_network([[0, 0], [100, 0], [200, 0]], [[0, 1], [1, 2]], oneway=[True, False])
    assert shapely.line_merge(shapely.union_all(lines_of(network, (200, 0)))).bounds == pytest.approx((0, 0, 200, 0))
    assert [reached.length for reached in lines_of(network, (0, 0), cutoff_s=60)] == []


def test_the_wait_for_a_lift_shortens_what_is_reached():
    network = walk_network([[0, 0], [1000, 0]], [[0, 1]], fixed_s=[480])
    (reached,) = lines_of(network, (0, 0))
    assert reached.length == pytest.approx(EIGHT_S / (1000 / SPEED_MPS + 480) * 1000, abs=1e-5)


def test_a_segment_without_length_gives_no_line():
    network = walk_network([[0, 0], [0, 0], [100, 0]], [[0, 1], [1, 2]])
    (reached,) = lines_of(network, (100, 0))
    assert reached.length == 100


@given(towns(), st.floats(0, 900), st.integers(0, 2**32 - 1))
def test_a_spot_is_on_the_reached_streets_exactly_when_its_walk_is_in_time(town, cutoff_s, seed):
    network, _, stations, _ = town
    segment, fraction = spots(network, seed)
    seconds = walks_from(network, stations, segment, fraction, "there")
    inside = lies_on(network, stations, segment, fraction, cutoff_s, "there")
    clear = np.abs(seconds - cutoff_s) > 1e-4
    np.testing.assert_array_equal(inside[clear], (seconds <= cutoff_s)[clear])


@settings(max_examples=50)
@given(towns(), st.floats(0, 900), st.integers(0, 2**32 - 1), st.sampled_from(["round_trip", "worse_way"]))
def test_walks_that_count_both_ways_are_cut_to_within_a_few_metres(town, cutoff_s, seed, direction):
    network, _, stations, _ = town
    segment, fraction = spots(network, seed)
    near = fraction + np.linspace(-1, 1, 9)[:, None] * SAMPLE_M / np.maximum(network.length_m[segment], SAMPLE_M)
    around = [walks_from(network, stations, segment, f, direction) <= cutoff_s for f in np.clip(near, 0.0, 1.0)]
    clear = np.all(around, axis=0) | ~np.any(around, axis=0)
    inside = lies_on(network, stations, segment, fraction, cutoff_s, direction)
    np.testing.assert_array_equal(inside[clear], around[4][clear])


def spots(network, seed):
    """Return forty random spots on segments."""
    random = np.random.default_rng(seed)
    return random.integers(0, network.n_segments, 40).astype(np.int32), random.random(40)


def walks_from(network, stations, segment, fraction, direction):
    """Return the seconds from spots on segments to the nearest station."""
    n = len(segment)
    places = Snaps(
        place=np.arange(n, dtype=np.int32),
        segment=segment,
        fraction=fraction,
        access_m=np.zeros(n),
        xy_m=np.zeros((n, 2)),
        blocked=np.zeros(n, dtype=bool),
        building=np.full(n, -1, dtype=np.int32),
    )
    _, seconds = nearest(network, stations, places, speed_mps=SPEED_MPS, direction=direction)
    return seconds[:, 0]


def lies_on(network, stations, segment, fraction, cutoff_s, direction):
    found, start, stop = reached_spans(network, stations, cutoff_s=cutoff_s, speed_mps=SPEED_MPS, direction=direction)
    assert (start < stop).all()
    assert (stop[:-1] < start[1:])[found[1:] == found[:-1]].all()
    on = (segment[:, None] == found) & (start <= fraction[:, None]) & (fraction[:, None] <= stop)
    return on.any(axis=1)


# --------------------------------------------------------------------------- areas


@pytest.fixture
def two_banks():
    """Two streets along a river, 300 m to the one bridge."""
    nodes = [[0, 0], [300, 0], [1500, 0], [0, 60], [300, 60], [1500, 60]]
    return walk_network(nodes, [[0, 1], [1, 2], [3, 4], [4, 5], [1, 4]], snappable=[True] * 4 + [False])


RIVER = shapely.box(-400, 21, 1900, 39)
FAR_BANK = shapely.box(-400, 40, 1900, 400)
BARRIERS = {"river": RIVER, "railway": shapely.LineString([(-400, 30), (1900, 30)])}


@pytest.mark.parametrize("barrier", BARRIERS.values(), ids=BARRIERS)
def test_nothing_across_a_river_or_a_railway_is_in_unless_someone_walks_there(two_banks, barrier):
    near = area_of(two_banks, (1200, 0), barriers=np.array([barrier]))  # 900 m to the bridge
    assert near.area > 200_000
    assert not near.intersects(FAR_BANK)
    over = area_of(two_banks, (1200, 0), cutoff_s=FIFTEEN_S, barriers=np.array([barrier]))
    assert over.contains(shapely.Point(300, 65))
    assert over.contains(shapely.Point(380, 70))
    assert not over.intersects(shapely.box(500, 45, 1900, 400))


def test_water_itself_is_never_in(two_banks):
    lake = shapely.box(1000, -200, 1200, -60)
    area = area_of(two_banks, (1100, 0), barriers=np.array([lake]))
    assert not area.intersects(lake.buffer(-STEP_M))
    assert area.contains(shapely.Point(1100, -30))


@pytest.fixture
def wide_loop():
    """A square of streets, 800 m a side: its middle is more than 250 m from any of them."""
    corners = [[0, 0], [800, 0], [800, 800], [0, 800]]
    return walk_network(corners, [[0, 1], [1, 2], [2, 3], [3, 0]])


def test_a_hole_inside_a_loop_of_streets_stays_a_hole(wide_loop):
    area = area_of(wide_loop, (400, 0), cutoff_s=3600)
    (polygon,) = area.geoms
    (hole,) = polygon.interiors
    assert shapely.Polygon(hole).symmetric_difference(shapely.box(250, 250, 550, 550)).area < 300 * 4 * STEP_M / 2


def test_a_court_that_buildings_close_is_in_but_a_walled_garden_is_not(wide_loop):
    court, garden = shapely.box(200, 60, 400, 200), shapely.box(500, 60, 700, 200)
    house = court.difference(court.buffer(-30))
    area = area_of(wide_loop, (400, 0), footprints=np.array([house]), barriers=np.array([garden.exterior]))
    assert area.contains(court.centroid)
    assert not area.intersects(garden.buffer(-STEP_M))


def test_the_edge_of_an_area_lies_where_the_walk_takes_just_so_long():
    network = walk_network([[-1000, 0], [1000, 0]], [[0, 1]])
    area = area_of(network, (0, 0))
    assert area.bounds == pytest.approx((-576, -250, 576, 250), abs=STEP_M / 2)
    exact = shapely.Polygon([(-576, 0), (-326, 250), (326, 250), (576, 0), (326, -250), (-326, -250)])
    assert area.symmetric_difference(exact).area < 0.02 * exact.area


def test_where_nobody_arrives_the_area_is_empty():
    none = np.array([], dtype=np.int32)
    assert contour(none, none, np.array([]), cutoff_s=EIGHT_S, speed_mps=SPEED_MPS).is_empty
    late = contour(np.int32([3]), np.int32([4]), np.array([481.0]), cutoff_s=EIGHT_S, speed_mps=SPEED_MPS)
    assert late.is_empty


# --------------------------------------------------------------------------- drawing and table


def circle(name, minutes, more=""):
    return f'[[circle]]\nname = "{name}"\nminutes = {minutes}\n{more}\n'


CIRCLES = circle("2", 2) + circle("4", 4)
TOWNS = {
    "as it is": CIRCLES,
    "served by the own community alone": CIRCLES + '[service]\neligible = "community"\n',
    "no station counts for one of the circles": circle("clinic", 2, 'tiers = ["clinic"]') + circle("3", 3),
    "walks count both ways": CIRCLES + '[walking]\ndirection = "round_trip"\n',
}


def town(folder, *, more=CIRCLES, buildings=None):
    """Open the tiny city, with forty houses in rows along its streets."""
    write_city(folder, study=STUDY + more)
    houses = [
        ({"building_id": f"h{x}-{y}", "kind": "house"}, box(x / 2, y / 2 + 0.1, x / 2 + 0.15, y / 2 + 0.25))
        for x in range(10)
        for y in range(4)
    ]
    geojson(folder / "buildings.geojson", buildings or houses)
    table(folder / "residents.csv", "building_id residents", [(buildings or houses)[0][0]["building_id"], 3])
    table(folder / "stations.csv", "station_id lon lat", ["s1", *at(1.2, 0.05)], ["s2", *at(4, 1.95)])
    return open_study(folder)


def wrong_sides(coverage, areas, inside):
    """Return (n_areas, n_buildings) whether a building lies on the wrong side of an area."""
    spots = shapely.point_on_surface(coverage.buildings.geometry.to_numpy())
    return shapely.contains(areas.geometry.to_numpy()[:, None], spots) != inside


def by_table(coverage):
    return np.stack([coverage.buildings[f"within_{c.name}"] for c in coverage.study.settings.circles])


@pytest.mark.parametrize("more", TOWNS.values(), ids=TOWNS)
def test_every_building_of_a_small_town_lies_where_the_table_has_it(tmp_path, more):
    coverage = cover(town(tmp_path, more=more))
    inside = by_table(coverage)
    assert inside.any()
    assert not inside.all()
    areas = coverage.service_areas
    assert areas.columns.tolist() == ["circle", "minutes", "station_id", "geometry"]
    assert (areas.geom_type == "MultiPolygon").all()
    assert areas.is_valid.all()
    assert not wrong_sides(coverage, areas, inside).any()


def test_homes_that_are_points_lie_where_the_table_has_them_too(tmp_path):
    spots = [
        ({"building_id": f"p{i}", "kind": "house"}, {"type": "Point", "coordinates": at(0.05 + i / 40, 0.4 + i / 90)})
        for i in range(150)
    ]
    coverage = cover(town(tmp_path, buildings=spots))
    inside = by_table(coverage)
    assert inside.any()
    assert not inside.all()
    assert not wrong_sides(coverage, coverage.service_areas, inside).any()


def test_the_areas_of_all_stations_add_up_to_nearly_the_area_of_all(tmp_path):
    coverage = cover(town(tmp_path))
    each = coverage.drawings["station_areas"]
    assert each[["circle", "station_id"]].to_numpy().tolist() == [[c, s] for s in ("s1", "s2") for c in ("2", "4")]
    for circle, together in coverage.service_areas.set_index("circle").geometry.items():
        parts = each[each["circle"] == circle].union_all()
        assert parts.symmetric_difference(together).area < 0.01 * together.area


def test_rings_do_not_overlap_and_add_up_to_the_larger_circle(tmp_path):
    coverage = cover(town(tmp_path))
    for areas in (coverage.service_areas, coverage.drawings["station_areas"]):
        cut = rings(areas)
        for _, rows in areas.groupby("station_id"):
            inner, outer = cut.geometry.loc[rows.index]
            assert inner.intersection(outer).area == pytest.approx(0, abs=1e-6)
            assert inner.equals(rows.geometry.iloc[0])
            assert inner.union(outer).symmetric_difference(rows.geometry.iloc[1]).area == pytest.approx(0, abs=1e-6)


def test_reached_streets_are_those_that_the_areas_are_around(tmp_path):
    coverage = cover(town(tmp_path))
    streets = coverage.drawings["reached_streets"]
    assert (streets.geom_type == "MultiLineString").all()
    for lines, area in zip(streets.geometry, coverage.service_areas.geometry, strict=True):
        assert lines.difference(area.buffer(STEP_M / 2)).length < 0.01 * lines.length
    each = reached_streets(coverage.study, coverage.ground, coverage.stations, coverage.sites, by_station=True)
    both = each[each["circle"] == "4"].union_all()
    assert both.length == pytest.approx(streets.geometry.iloc[1].length, abs=1e-3)


def test_the_layers_on_disk_are_all_there_and_the_same_bytes_every_time(tmp_path):
    study = town(tmp_path)
    files = []
    for name in ("one", "two"):
        coverage = cover(study)
        write_coverage(tmp_path / name, coverage, coverage.stations.iloc[:0].drop(columns="geometry"))
        files.append(tmp_path / name / "service_areas.gpkg")
    assert files[0].read_bytes() == files[1].read_bytes()
    layers = gpd.list_layers(files[0])["name"].tolist()
    drawn = ["service_areas", "rings", "station_areas", "reached_streets", "stations"]
    assert layers == [*drawn, "layer_styles"]
    styles = pyogrio.read_dataframe(files[0], layer="layer_styles")
    assert styles["f_table_name"].tolist() == drawn
    assert styles["useAsDefault"].all()
    with sqlite3.connect(files[0]) as package:
        shapes = dict(package.execute("select table_name, column_name from gpkg_geometry_columns"))
    assert dict(zip(styles["f_table_name"], styles["f_geometry_column"], strict=True)) == shapes


def test_qgis_draws_each_circle_in_the_colour_of_the_page_and_a_name_of_one_is_only_text():
    circles = [Circle('<&"15', 15.0), Circle("8", 8.0)]
    styles = layer_styles(circles, written="2000-01-01T00:00:00Z").set_index("f_table_name")["styleQML"]
    renderer = Xml.fromstring(styles["rings"]).find("renderer-v2")
    assert renderer.get("attr") == "circle"
    assert [c.get("value") for c in renderer.iter("category")] == ["8", '<&"15']
    fills = [o.get("value") for o in renderer.iter("Option") if o.get("name") == "color"]
    assert fills == ["25,82,143,255", "98,163,211,255"]
    states = Xml.fromstring(styles["stations"]).iter("category")
    assert [c.get("value") for c in states] == ["fixed", "chosen", "opened"]


def test_a_town_without_stations_has_empty_areas(tmp_path):
    study = town(tmp_path)
    nowhere = study.stations.iloc[:0]
    coverage = cover(study)
    empty = np.array([], dtype=np.intp)
    assert service_areas(study, coverage.ground, nowhere, empty).is_empty.all()
    assert len(service_areas(study, coverage.ground, nowhere, empty, by_station=True)) == 0
    assert reached_streets(study, coverage.ground, nowhere, empty).is_empty.all()


# --------------------------------------------------------------------------- real towns


ANDORRA = """
[study]
name = "Andorra"
[inputs]
streets = "{file}"
buildings = "{file}"
entrances = "{file}"
barriers = "{file}"
residents = {{ path = "residents.csv", by = "total" }}
[inputs.areas]
path = "{file}"
level = "parish"
where = {{ boundary = "administrative", admin_level = "7" }}
[inputs.stations]
path = "{file}"
where = {{ amenity = ["townhall", "post_office", "library"] }}
"""


@pytest.fixture(scope="module")
def monaco(repository):
    return cover(open_study(repository / "data" / "monaco"))


@pytest.fixture(scope="module")
def andorra(shared_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("andorra")
    file = shared_dir / "data" / "andorra" / "andorra.osm.pbf"
    (folder / "study.toml").write_text(ANDORRA.format(file=file), "utf-8")
    table(folder / "residents.csv", "residents", [80_000])
    return cover(open_study(folder))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["monaco", "andorra"])
def test_a_real_town_is_drawn_as_its_table_says(place, request):
    coverage = request.getfixturevalue(place)
    walk_s = coverage.buildings["walk_s"].fillna(np.inf).to_numpy()
    cutoffs = np.array([c.cutoff_s for c in coverage.study.settings.circles])[:, None]
    inside = walk_s <= cutoffs + TOLERANCE_S
    assert_agree(wrong_sides(coverage, coverage.service_areas, inside), walk_s, cutoffs)
    eight, fifteen = coverage.service_areas.geometry
    assert eight.difference(fifteen).area < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("place", ["monaco", "andorra"])
def test_each_station_of_a_real_town_is_drawn_as_the_walks_to_it_say(place, request):
    coverage = request.getfixturevalue(place)
    areas, on = coverage.drawings["station_areas"], coverage.ground.reference
    station = pd.Index(coverage.stations["station_id"]).get_indexer(areas["station_id"])
    cutoffs = areas["minutes"].to_numpy()[:, None] * 60.0
    stations = on.sites.take(coverage.sites)
    walks = on.within(stations, on.homes, cutoff_s=2 * FIFTEEN_S)
    walk_s = np.full((stations.n_places, on.homes.n_places), np.inf)
    walk_s[np.repeat(np.arange(stations.n_places), np.diff(walks.indptr)), walks.indices] = walks.seconds
    inside = walk_s[station] <= cutoffs + TOLERANCE_S
    assert_agree(wrong_sides(coverage, areas, inside), walk_s[station], cutoffs)


def assert_agree(wrong, walk_s, cutoffs):
    """Hardly a building lies on the wrong side, be its walk as long as the cutoff to half a minute."""
    near = np.abs(walk_s - cutoffs) <= 30
    assert near.sum() > 10
    assert wrong.mean() <= 0.001
    assert wrong[near].mean() <= 0.05
