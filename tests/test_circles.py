"""Circles, demand and eligibility on the tiny city, where every figure can be followed by eye."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle import cover, open_study
from lifecircle.circles import weighted_quantile
from lifecircle.demand import place_residents
from lifecircle.errors import SchemaError, StudyError
from lifecircle.scenarios import possible_sites, unserved_areas
from tiny import STUDY, at, box, geojson, line, table, write_city


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
    [told] = cover(open_study(tmp_path)).demand.findings
    assert told.rule == "unplaced"
    assert "100 residents" in told.message
