"""Circles, demand and eligibility on the tiny city, where every figure can be followed by eye."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from rasterio import Affine

from lifecircle import cover, open_study, site
from lifecircle.areas import AreaTree
from lifecircle.circles import weighted_quantile
from lifecircle.demand import place_residents
from lifecircle.errors import SchemaError, StudyError
from lifecircle.ground import Footing, lay_ground
from lifecircle.routing import nearest_walks, snap, walk_network
from lifecircle.scenarios import possible_sites, unserved_areas
from lifecircle.service import Eligibility
from tiny import LAT, LON, STUDY, at, box, geojson, line, osm_xml, streets, table, write_city


def city(folder, *, more="", **files):
    """Open the tiny city with a longer study file and other tables in it."""
    write_city(folder, study=STUDY + more)
    for name, (header, *rows) in files.items():
        table(folder / f"{name}.csv", header, *rows)
    return open_study(folder)


ROW = json.loads((Path(__file__).parent / "cases" / "walks.json").read_text("utf-8"))["tables"][0]


def test_the_row_worked_out_by_hand_adds_up(tmp_path):
    people = ROW["residents"]
    write_city(tmp_path)
    homes = {  # s1 stands at (0, 0); a step of the grid is 83 m to the east
        "within 8": (6, 0),
        "between 8 and 15": (10, 0),
        "beyond": (18, 0),
        "unreachable": (10, 8),
        "unsnappable": (10, 4),
    }
    geojson(
        tmp_path / "streets.geojson",
        [({"way_id": "w1", "highway": "path"}, line((0, 0), (20, 0))), ({"way_id": "w2"}, line((0, 8), (20, 8)))],
    )
    geojson(
        tmp_path / "areas.geojson",
        [
            ({"area_id": "a", "level": "community", "name": "a", "parent_id": ""}, box(-1, -1, 30, 9)),
            ({"area_id": "b", "level": "community", "name": "b", "parent_id": ""}, box(-1, 9, 30, 10)),
        ],
    )
    geojson(
        tmp_path / "buildings.geojson",
        [({"building_id": name, "kind": "house"}, box(x, y, x + 0.1, y + 0.1)) for name, (x, y) in homes.items()],
    )
    geojson(tmp_path / "barriers.geojson", [({"kind": "wall"}, line((-5, -5), (-4, -5)))])
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", *at(0, 0)])
    table(tmp_path / "candidates.csv", "site_id lon lat", ["c1", *at(1, 0)])
    table(tmp_path / "residents.csv", "building_id residents", *([name, people[name]] for name in homes))
    study = open_study(tmp_path)
    nowhere = pd.DataFrame([{"by": "area", "target_id": "b", "residents": people["unplaced"]}])
    study = replace(study, residents=pd.concat([study.residents, nowhere], ignore_index=True))
    total = rows_of(cover(study)).loc["total"]
    for column, expected in ROW["expect"].items():
        assert total[column] == pytest.approx(expected), column


def rows_of(coverage, group="all"):
    return coverage.table[coverage.table["group"] == group].set_index("area_id")


def test_a_station_in_the_own_building_is_no_walk(tmp_path):
    homes = cover(city(tmp_path)).buildings.set_index("building_id")
    assert homes.loc["b1", ["walk_m", "walk_s", "access_m", "egress_m"]].tolist() == [0, 0, 0, 0]
    assert homes.loc["b1", "station_id"] == "s1"


def test_the_tree_of_areas_adds_up_to_the_top(tmp_path):
    rows = rows_of(cover(city(tmp_path)))
    assert list(rows.index) == ["d", "s", "n", "total"]
    assert rows["residents"].tolist() == [64, 60, 4, 64]
    assert rows["stations"].tolist() == [1, 1, 0, 1]
    assert np.isnan(rows.loc["n", "residents_per_station"])


def test_residents_outside_every_area_load_a_station_but_are_no_coverage(tmp_path):
    study = city(tmp_path, residents=("building_id residents", ["b1", 60], ["b2", 4], ["b3", 7]))
    today = cover(study)
    assert rows_of(today).loc["total", "residents"] == 64
    assert today.buildings.set_index("building_id").loc["b3", "residents"] == 7
    assert today.stations["residents"].sum() == 71


def test_only_stations_of_the_own_community_serve_where_the_study_says_so(tmp_path):
    today = cover(city(tmp_path, more='[service]\neligible = "community"\n'))
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b1", "status"] == "ok"
    assert homes.loc["b2", "status"] == "unreachable"
    assert homes.loc["b3", "status"] == "unreachable"
    assert rows_of(today).loc["n", "unreachable"] == 4


def test_the_level_above_serves_both_communities(tmp_path):
    homes = cover(city(tmp_path, more='[service]\neligible = "district"\n')).buildings.set_index("building_id")
    assert homes.loc[["b1", "b2"], "status"].tolist() == ["ok", "ok"]


def test_a_level_that_no_area_has_is_refused_by_name(tmp_path):
    with pytest.raises(StudyError, match="village"):
        cover(city(tmp_path, more='[service]\neligible = "village"\n'))


AGED = '[walking]\nclasses = [{ name = "adult", speed_mps = 1.2 }, { name = "aged", speed_mps = 0.6 }]\n'


def test_each_class_walks_at_its_own_speed_and_the_total_adds_them(tmp_path):
    study = city(tmp_path, more=AGED, residents=("building_id residents residents_aged", ["b1", 60, 20], ["b2", 10, 4]))
    today = cover(study)
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b2", "walk_s_aged"] == pytest.approx(2 * homes.loc["b2", "walk_s"])
    assert homes.loc["b2", "walk_m_aged"] == homes.loc["b2", "walk_m"]
    everyone, adult, aged = (rows_of(today, g) for g in ("all", "adult", "aged"))
    for column in ("residents", "within_8", "within_15", "beyond", "unreachable"):
        np.testing.assert_allclose(everyone[column], adult[column] + aged[column])
    assert adult.loc["total", "residents"] == 46
    assert aged.loc["total", "residents"] == 24


def test_attributes_are_shown_beside_the_total_never_added_to_it(tmp_path):
    study = city(
        tmp_path,
        residents=("building_id residents residents_alone residents_disabled", ["b1", 60, 50, 40], ["b2", 4, 4, 4]),
    )
    today = cover(study)
    assert rows_of(today).loc["total", "residents"] == 64
    assert rows_of(today, "alone").loc["total", "residents"] == 54
    assert rows_of(today, "disabled").loc["total", "residents"] == 44


CLINIC = '[[circle]]\nname = "clinic"\nminutes = 15\ntiers = ["centre"]\n[[circle]]\nname = "8"\nminutes = 8\n'


def test_a_circle_of_a_tier_counts_stations_of_that_tier_alone(tmp_path):
    stations = "station_id lon lat tier", ["s1", *at(1.2, 0.3), "household"], ["s2", *at(3.9, 0.0), "centre"]
    study = city(tmp_path, more=CLINIC, stations=stations)
    homes = cover(study).buildings.set_index("building_id")
    assert homes.loc["b1", "within_8"]
    assert homes.loc["b1", "station_id"] == "s1"
    assert homes.loc["b1", "within_clinic"]
    no_centre = "station_id lon lat tier", ["s1", *at(1.2, 0.3), "household"]
    again = cover(city(tmp_path, more=CLINIC, stations=no_centre))
    assert not again.buildings["within_clinic"].any()
    assert rows_of(again).loc["total", "within_clinic"] == 0


def test_counts_by_area_are_spread_by_floor_area_and_said_to_be_an_estimate(tmp_path):
    write_city(tmp_path)
    geojson(
        tmp_path / "buildings.geojson",
        [
            ({"building_id": "low", "kind": "house", "levels": 1}, box(1, 0.2, 1.4, 0.4)),
            ({"building_id": "high", "kind": "apartments", "levels": 9}, box(2, 0.2, 2.4, 0.4)),
            ({"building_id": "school", "kind": "school", "levels": 4}, box(3, 0.2, 3.4, 0.4)),
        ],
    )
    table(tmp_path / "residents.csv", "area_id residents", ["s", 100], ["n", 30])
    today = cover(open_study(tmp_path))
    people = today.buildings.set_index("building_id")["residents"]
    assert people["high"] == pytest.approx(90, abs=0.01)
    assert people["low"] == pytest.approx(10, abs=0.01)
    assert people["school"] == 0
    rows = rows_of(today)
    assert rows.loc["n", "unplaced"] == 30
    assert rows["residents"].tolist() == pytest.approx([130, 100, 30, 130])
    assert today.demand.estimated
    assert "estimate" in today.notes[-1].en
    assert "估算" in today.notes[-1].zh


def test_counts_by_building_are_no_estimate(tmp_path):
    assert not place_residents(city(tmp_path)).estimated


def test_sheds_shops_and_underground_levels_hold_nobody(tmp_path):
    write_city(tmp_path)
    geojson(
        tmp_path / "buildings.geojson",
        [
            ({"building_id": "home", "kind": "yes", "levels": 2}, box(1, 0.2, 1.4, 0.4)),
            ({"building_id": "shop", "kind": "yes", "levels": 2, "other_use": True}, box(2, 0.2, 2.4, 0.4)),
            ({"building_id": "shed", "kind": "yes", "levels": 1}, box(3, 0.2, 3.02, 0.22)),
            ({"building_id": "cellar", "kind": "residential", "levels": 2, "underground": True}, box(3, 0.5, 3.4, 0.7)),
            ({"building_id": "deck", "kind": "residential", "levels": 3, "min_level": 3}, box(3.5, 0.5, 3.9, 0.7)),
        ],
    )
    table(tmp_path / "residents.csv", "area_id residents", ["s", 100])
    people = place_residents(open_study(tmp_path)).residents["residents"]
    assert people.tolist() == [100, 0, 0, 0, 0]


def test_a_station_off_the_network_is_an_error_that_names_it(tmp_path):
    study = city(
        tmp_path,
        more="[walking]\nmax_access_m = 50\n",
        stations=("station_id lon lat", ["s1", *at(1.2, 0.3)], ["lost", *at(3, 1.2)]),
    )
    with pytest.raises(SchemaError) as caught:
        cover(study)
    [breach] = [b for b in caught.value.breaches if b.rule == "station-off-network"]
    assert breach.ids == ("lost",)


def test_a_home_nearer_to_the_edge_of_the_data_than_to_its_station_is_marked(tmp_path):
    homes = cover(city(tmp_path)).buildings.set_index("building_id")
    assert not homes.loc["b1", "edge"]
    assert homes.loc["b3", "edge"]


@given(st.lists(st.tuples(st.floats(0, 2000), st.integers(1, 50)), min_size=1, max_size=20), st.integers(0, 200))
def test_the_ninetieth_percentile_is_over_all_residents_the_lost_ones_last(homes, lost):
    values, weights = np.array([v for v, _ in homes]), np.array([float(w) for _, w in homes])
    everyone = np.sort(np.concatenate([np.repeat(values, weights.astype(int)), np.full(lost, np.inf)]))
    expected = everyone[int(np.ceil(0.9 * len(everyone))) - 1]
    found = weighted_quantile(values, weights, 0.9, lost=float(lost))
    assert np.isnan(found) if np.isinf(expected) else found == expected


def test_nobody_has_no_percentile():
    assert np.isnan(weighted_quantile(np.array([]), np.array([]), 0.9))


def test_the_table_has_no_number_for_what_is_not_there(tmp_path):
    write_city(tmp_path)
    table(tmp_path / "residents.csv", "building_id residents", ["b1", 60])
    row = rows_of(cover(open_study(tmp_path))).loc["n"]
    assert row["residents"] == 0
    assert pd.isna(row[["share_8", "walk_mean_m", "walk_p90_m"]]).all()


def test_of_two_stations_at_one_spot_the_smaller_id_serves_whatever_the_order_of_the_file(tmp_path):
    stations = "station_id lon lat", ["s2", *at(3.9, 0.1)], ["s1", *at(3.9, 0.1)]
    homes = cover(city(tmp_path, stations=stations)).buildings
    assert set(homes["station_id"]) == {"s1"}


def test_an_unreachable_home_still_shows_its_leg(tmp_path):
    homes = cover(city(tmp_path, more='[service]\neligible = "community"\n')).buildings.set_index("building_id")
    assert homes.loc["b2", "status"] == "unreachable"
    assert homes.loc["b2", "access_m"] > 0
    assert np.isnan(homes.loc["b2", "walk_m"])


def test_residents_load_the_station_that_counts_for_the_largest_circle(tmp_path):
    stations = "station_id lon lat tier", ["s1", *at(1.2, 0.3), "household"], ["s2", *at(2.0, 0.0), "centre"]
    served = cover(city(tmp_path, more=CLINIC, stations=stations)).stations.set_index("station_id")["residents"]
    assert served["s1"] == 0
    assert served["s2"] == 64


def test_the_unserved_are_counted_by_the_walk_of_their_own_class(tmp_path):
    stations = "station_id lon lat", ["s1", *at(3.9, 0.0)]
    residents = "building_id residents residents_aged", ["b1", 60, 20], ["b2", 10, 4]
    slow = AGED.replace("0.6", "0.4")
    today = cover(city(tmp_path, more=slow, residents=residents, stations=stations))
    unserved = unserved_areas(today, possible_sites(today))
    total = rows_of(today).loc["total"]
    for circle in ("8", "15"):
        outside = total["residents"] - total[f"within_{circle}"]
        assert unserved.loc[unserved["circle"] == circle, "residents"].sum() == pytest.approx(outside)
    assert rows_of(today, "adult").loc["s", "within_8"] == 40
    assert rows_of(today, "aged").loc["s", "within_8"] == 0


def test_residents_whom_no_building_takes_are_told(tmp_path):
    write_city(tmp_path)
    geojson(tmp_path / "buildings.geojson", [({"building_id": "b", "kind": "office"}, box(1, 0.2, 1.4, 0.4))])
    table(tmp_path / "residents.csv", "area_id residents", ["s", 100])
    told = next(f for f in cover(open_study(tmp_path)).demand.findings if f.rule == "unplaced")
    assert "100 residents" in told.message


# --------------------------------------------------------------------------- who walks when, and how


GATED = """
[walking]
gates = [{ id = "w2", hours = "Mo-Su 06:00-22:00" }]
"""
DAY = '[[circle]]\nname = "day"\nminutes = 15\nat = "Sun 10:00"\n'
NIGHT = '[[circle]]\nname = "night"\nminutes = 15\nat = "Sat 23:30"\n'


@pytest.mark.parametrize(
    ("more", "within"),
    [
        ("", 64),
        ('[dispatch]\nhours = { main = "Mo-Fr 08:30-17:30" }\n', 0),
        ('[dispatch]\nitems = { main = ["repair"] }\n', 0),
        ('[dispatch]\nitems = { main = ["wedding", "repair"] }\nhours = { main = "Su 09:00-12:00" }\n', 64),
    ],
)
def test_what_a_tier_does_and_when_counts_in_circles_as_it_does_for_requests(tmp_path, more, within):
    asked = DAY.replace("minutes", 'items = ["wedding"]\nminutes')
    folder = write_city(tmp_path, study=STUDY + asked + more)
    table(folder / "stations.csv", "station_id lon lat tier", ["s1", *at(1.2, 0.3), "main"])
    assert rows_of(cover(open_study(folder))).loc["total", "within_day"] == within


def test_a_gate_closed_at_night_changes_the_night_circle_and_not_the_day_circle(tmp_path):
    today = cover(city(tmp_path, more=GATED + DAY + NIGHT))
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b1", ["within_day", "within_night"]].tolist() == [True, True]
    assert homes.loc["b2", ["within_day", "within_night"]].tolist() == [True, False]
    assert homes.loc["b2", "status"] == "ok"
    assert rows_of(today).loc["total", ["within_day", "within_night", "unreachable"]].tolist() == [64, 60, 0]


def test_a_circle_that_states_a_time_counts_the_stations_that_are_open_then(tmp_path):
    folder = write_city(tmp_path, study=STUDY + NIGHT + DAY + '[[circle]]\nname = "any"\nminutes = 15\n')
    table(folder / "stations.csv", "station_id lon lat hours", ["s1", *at(1.2, 0.3), "Su 09:00-12:00"])
    table(folder / "candidates.csv", "site_id lon lat hours", ["c1", *at(2, 1.9), "Mo-Su 18:00-24:00"])
    study = open_study(folder)
    total = rows_of(cover(study)).loc["total"]
    assert total[["within_day", "within_night", "within_any"]].tolist() == [64, 0, 64]
    assert total[["within_night", "beyond", "unreachable", "unsnappable", "unplaced"]].sum() == 64
    night = '[[scenario]]\nname = "night"\nquestion = "most"\ncircle = "night"\nn_new = 1\n'
    (folder / "study.toml").write_text(STUDY + DAY + NIGHT + night, encoding="utf-8")
    assert site(open_study(folder), scenario="night").reached > 0


@pytest.mark.parametrize("at", ["Wed 10:00", "Wed 3:00"])
@pytest.mark.parametrize("circles", [DAY + NIGHT, NIGHT + DAY])
def test_residents_are_conserved_whatever_the_time_of_the_circles(tmp_path, circles, at):
    today = cover(city(tmp_path, more=GATED + f'at = "{at}"\n' + circles))
    total = rows_of(today).loc["total"]
    assert total["within_day"] == 64
    assert total["within_night"] == 60
    first = today.study.settings.largest_circle.name
    assert total[[f"within_{first}", "beyond", "unreachable", "unsnappable", "unplaced"]].sum() == 64
    assert total["unreachable"] == (4 if first == "night" else 0)
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b2", "status"] == ("ok" if at == "Wed 10:00" else "unreachable")


def test_a_site_is_proposed_for_the_night_where_the_day_needs_none(tmp_path):
    ask = '[[scenario]]\nname = "{0}"\nquestion = "most"\ncircle = "{0}"\nn_new = 1\n'
    study = city(tmp_path, more=GATED + DAY + NIGHT + ask.format("day") + ask.format("night"))
    assert (site(study, scenario="day").sites["state"] == "fixed").all()
    plan = site(study, scenario="night")
    chosen = plan.sites[plan.sites["state"] == "chosen"]
    assert chosen["site_id"].tolist() == ["c1"]
    assert chosen["gain"].tolist() == [4]
    assert (plan.reached, rows_of(plan.coverage).loc["total", "within_night"]) == (64, 64)


def test_a_mapped_gate_keeps_the_hours_that_it_states_and_a_study_may_state_others(tmp_path):
    def opened(more):
        study = STUDY.replace("streets.geojson", "streets.osm").replace('barriers = "barriers.geojson"\n', "")
        write_city(tmp_path, study=study + more + DAY + NIGHT)
        nodes = {1: (0, 0), 2: (4, 0), 3: (0, 1), 4: (0, 2), 5: (4, 2), 6: (1, 0), 7: (1, 2)}
        ways = {
            1: ([1, 6, 2], {"highway": "residential"}),
            2: ([1, 3, 4], {"highway": "footway"}),
            3: ([4, 7, 5], {"highway": "residential"}),
        }
        gate = {3: {"barrier": "gate", "opening_hours": "Mo-Su 06:00-22:00"}}
        osm_xml(tmp_path / "streets.osm", nodes, ways, node_tags=gate)
        return cover(open_study(tmp_path)).buildings.set_index("building_id")

    assert opened("").loc["b2", ["within_day", "within_night"]].tolist() == [True, False]
    always = '[walking]\ngates = [{ id = "n3", hours = "24/7" }]\n'
    assert opened(always).loc["b2", ["within_day", "within_night"]].tolist() == [True, True]


def test_times_at_which_the_same_gates_are_open_share_one_network_and_all_share_the_snaps(tmp_path):
    noon = '[[circle]]\nname = "noon"\nminutes = 8\nat = "Fri 12:00"\n'
    study = city(tmp_path, more=GATED + DAY + NIGHT + noon)
    ground = lay_ground(study)
    day, night, midday = (ground.walk(study.settings.walking.reference, at=c.at) for c in study.settings.circles)
    assert day.network is midday.network is ground.reference.network
    assert night.network is not day.network
    assert night.homes is day.homes
    assert night.stations is day.stations


STEPLESS = """
[walking]
max_access_m = 100
classes = [
    { name = "adult" },
    { name = "aged" },
    { name = "wheelchair", speed_mps = 0.8, steps = false },
]
"""
PEOPLE = (
    "building_id residents residents_aged residents_wheelchair",
    *(["b1", 60, 10, 6], ["b2", 4, 1, 2], ["b3", 0, 0, 0]),
)


def with_steps(folder, *ids):
    """Make flights of steps of some of the city's streets."""
    steps = [({**tags, "highway": "steps"} if tags["way_id"] in ids else tags, shape) for tags, shape in streets()]
    geojson(folder / "streets.geojson", steps)


def of_wheelchairs(folder, *ids):
    """Cover the city with some streets as steps."""
    city(folder, more=STEPLESS, residents=PEOPLE)
    with_steps(folder, *ids)
    return cover(open_study(folder))


def test_steps_cut_off_a_wheelchair_and_nobody_else(tmp_path):
    today = of_wheelchairs(tmp_path, "w2")
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b2", ["status", "status_aged", "status_wheelchair"]].tolist() == ["ok", "ok", "unreachable"]
    assert np.isnan(homes.loc["b2", "walk_s_wheelchair"])
    assert homes.loc["b1", "status_wheelchair"] == "ok"
    assert rows_of(today, "wheelchair").loc["total", ["residents", "within_15", "unreachable"]].tolist() == [8, 6, 2]
    assert rows_of(today, "aged").loc["total", "unreachable"] == 0
    total = rows_of(today).loc["total"]
    assert total["residents"] == total[["within_15", "beyond", "unreachable", "unsnappable", "unplaced"]].sum() == 64


def test_a_wheelchair_attaches_to_no_steps(tmp_path):
    today = of_wheelchairs(tmp_path, "w2", "w3")
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b2", ["status", "status_wheelchair"]].tolist() == ["ok", "unsnappable"]
    assert rows_of(today, "wheelchair").loc["total", ["within_15", "unsnappable"]].tolist() == [6, 2]


def test_a_station_on_steps_alone_is_told_and_serves_the_others(tmp_path):
    city(tmp_path, more=STEPLESS, residents=PEOPLE, stations=("station_id lon lat", ["s1", *at(2, 2)]))
    with_steps(tmp_path, "w3")
    today = cover(open_study(tmp_path))
    [told] = [f for f in today.findings if f.rule == "station-off-network"]
    assert (told.severity, told.ids) == ("warning", ("s1",))
    assert "classes that take no steps" in told.message
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b1", ["status", "status_wheelchair"]].tolist() == ["ok", "unreachable"]


def test_classes_that_take_steps_share_one_network(tmp_path):
    study = city(tmp_path, more='[walking]\nclasses = [{ name = "adult" }, { name = "aged" }]\n', residents=PEOPLE)
    ground = lay_ground(study)
    assert set(ground.surfaces) == {True}
    assert len({id(ground.walk(c).network) for c in study.settings.walking.classes}) == 1


def rising(folder, slope_east, *, west=LON - 0.02, lacking=None):
    """Write heights that rise to the east; columns of the raster in ``lacking`` know none."""
    cell = 0.0002
    columns = west + cell * (np.arange(300) + 0.5)
    east_m = Geod(ellps="WGS84").inv(LON, LAT, LON + 0.01, LAT)[2] / 0.01
    height = np.tile((slope_east * east_m * (columns - LON)).astype("float32"), (300, 1))
    height[:, slice(0) if lacking is None else lacking] = np.nan
    profile = {"driver": "GTiff", "width": 300, "height": 300, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    from_cell = Affine(cell, 0, west, 0, -cell, LAT + 0.03)
    with rasterio.open(folder / "heights.tif", "w", transform=from_cell, nodata=np.nan, **profile) as raster:
        raster.write(height, 1)


@pytest.mark.parametrize(
    ("direction", "station", "metres"),
    [
        ("there", (3.9, 0), np.exp(0.35)),  # 10 % up: T(0.1) / T(0) = exp(-0.35)
        ("there", (0.1, 0), 1.0),  # 10 % down is as fast as the flat
        ("round_trip", (3.9, 0), (np.exp(0.35) + 1.0) / 2),
        ("round_trip", (0.1, 0), (np.exp(0.35) + 1.0) / 2),
        ("worse_way", (3.9, 0), np.exp(0.35)),
        ("worse_way", (0.1, 0), np.exp(0.35)),
    ],
)
def test_a_walk_on_a_slope_counts_in_the_direction_that_the_study_asks_for(tmp_path, direction, station, metres):
    rising(tmp_path, 0.1)
    heights = STUDY + f'elevation = "heights.tif"\n[walking]\ndirection = "{direction}"\n'
    write_city(tmp_path, study=heights)
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", *at(*station)])
    today = cover(open_study(tmp_path))
    home = today.buildings.set_index("building_id").loc["b1"]
    on_streets_m = home["walk_m"] - home["access_m"] - home["egress_m"]
    assert on_streets_m > 80
    legs_m = home["access_m"] + home["egress_m"]
    assert home["walk_s"] * 1.2 == pytest.approx(legs_m + on_streets_m * metres, rel=5e-3)


def test_streets_off_the_raster_are_told_and_taken_for_flat(tmp_path):
    rising(tmp_path, 0.1, lacking=slice(101, 300))  # knows the city's western rim alone
    write_city(tmp_path, study=STUDY + 'elevation = "heights.tif"\n')
    today = cover(open_study(tmp_path))
    assert any(f.severity == "warning" and "height" in f.message for f in today.findings)
    homes = today.buildings.set_index("building_id")
    assert homes.loc["b2", "walk_s"] * 1.2 == pytest.approx(homes.loc["b2", "walk_m"], rel=1e-3)


def test_a_leg_through_a_wall_is_counted_and_told(tmp_path):
    write_city(tmp_path)
    walls = line((1.9, 1.4), (2.5, 1.4), (2.5, 1.8), (1.9, 1.8), (1.9, 1.4))
    geojson(tmp_path / "barriers.geojson", [({"kind": "wall"}, walls)])
    today = cover(open_study(tmp_path))
    [told] = [f for f in today.findings if f.rule == "leg-blocked"]
    assert (told.layer, told.severity, told.ids, told.count) == ("buildings", "warning", ("b2",), 1)
    assert told.message.startswith("1 of 3")
    assert today.buildings.set_index("building_id")["leg_blocked"].to_dict() == {"b1": False, "b2": True, "b3": False}


# --------------------------------------------------------------------------- whose station


@given(data=st.data())
def test_the_nearest_eligible_station_is_that_of_a_search_for_each_area_alone(town_of_areas, data):
    """As if every area had its own city: one search for each, from its own stations to its own homes."""
    footing, tree, spots = town_of_areas
    ids = np.array(tree.ids)
    home_area = pd.Series(data.draw(st.lists(st.sampled_from(ids), min_size=len(spots), max_size=len(spots))))
    rows = np.array(data.draw(st.lists(st.integers(0, len(spots) - 1), min_size=1, max_size=8, unique=True)))
    station_area = pd.Series(data.draw(st.lists(st.sampled_from([*ids, ""]), min_size=len(rows), max_size=len(rows))))
    found = Eligibility(tree, "community").nearest(
        footing, footing.homes.take(rows), station_area, footing.homes, home_area
    )
    for area in ids:
        able, asking = np.flatnonzero(station_area == area), np.flatnonzero(home_area == area)
        alone = nearest_walks(footing.network, footing.homes.take(rows[able]), footing.homes.take(asking))
        np.testing.assert_array_equal(found.facility[asking], np.append(able, -1)[alone.facility])
        for name in ("seconds", "walk_m", "access_m", "egress_m", "blocked"):
            np.testing.assert_array_equal(getattr(found, name)[asking], getattr(alone, name))


@pytest.fixture(scope="module")
def town_of_areas():
    """A grid of streets and a street apart, homes along both, and three communities that lie anyhow."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(6), np.arange(5)))
    row = np.arange(30).reshape(5, 6)
    edges = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in (
        (row[:, :-1], row[:, 1:]), (row[:-1], row[1:]), (np.array([30]), np.array([31])),
    )])  # fmt: skip
    xy_m = np.concatenate([np.stack([x, y], axis=1) * 100.0, [[0.0, 9000.0], [400.0, 9000.0]]])
    network = walk_network(xy_m, edges)
    spots = np.concatenate([np.random.default_rng(4).uniform(0, 500, (16, 2)), [[50.0, 9010.0], [300.0, 8990.0]]])
    homes = snap(network, spots)
    tree = AreaTree(("a", "b", "c"), ("community",) * 3, np.full(3, -1, dtype=np.int32))
    return Footing(network, homes, homes, homes, 1.2, "there"), tree, spots
