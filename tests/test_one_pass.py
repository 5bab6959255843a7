"""One run tells what is wrong with every layer: a fault in one hides none of another."""

import pytest

from lifecircle.study import check_study
from tiny import STUDY, areas, at, box, buildings, geojson, point, table, write_city


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


@pytest.fixture
def faulty(city):
    """A fault in the rows of buildings, residents, stations and candidates, and one of each between layers."""
    district, south, north = areas()
    geojson(city / "areas.geojson", [district, south, (north[0], box(-1, 0.5, 5, 3))])
    (b1, here), (b2, there), b3 = buildings()
    b1, b2 = {**b1, "levels": -6, "address": "1号楼"}, {**b2, "address": "2号楼"}
    nameless = ({"building_id": "", "kind": "house", "address": "3号楼"}, box(3, 1.5, 3.4, 1.7))
    geojson(city / "buildings.geojson", [(b1, here), (b2, there), (b2, there), nameless, b3])
    table(city / "residents.csv", "address residents", ["9号楼", 5], ["2号楼", "x"], ["3号楼", 2])
    table(
        city / "stations.csv", "station_id lon lat building_id", *[["s1", *at(1.2, 0.3), "b2"]] * 2, ["s2", "", "", ""]
    )
    table(city / "candidates.csv", "site_id lon lat building_id", ["c1", *at(2, 1.9), "demolished"])
    return city


def told(folder):
    study, findings = check_study(folder)
    assert study is None
    return {(b.layer, b.rule): b.ids for b in findings}


FAULTS = {
    ("areas", "areas-overlap"): ("s and n",),
    ("buildings", "negative-number"): ("b1",),
    ("buildings", "duplicate-id"): ("b2",),
    ("buildings", "missing-id"): ("row 4",),
    ("residents", "not-a-number"): ("row 3",),
    ("residents", "unknown-address"): ("9号楼",),
    ("stations", "duplicate-id"): ("s1",),
    ("stations", "no-geometry"): ("s2",),
    ("stations", "far-from-building"): ("s1 -> b2",),
    ("candidates", "unknown-id"): ("c1 -> demolished",),
}


def test_faults_in_every_layer_are_all_told_in_one_run_and_none_is_made_up(faulty):
    assert told(faulty) == FAULTS


def test_streets_that_cannot_be_read_hide_nothing_else(faulty):
    (faulty / "streets.geojson").unlink()
    assert told(faulty) == FAULTS | {("streets", "missing-file"): ("streets.geojson",)}


def test_a_station_that_lies_elsewhere_hides_nothing_of_the_residents(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", 113.95, 41.88])
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "areas.csv", "area_id residents", ["s", 50])
    sources = "".join(f'[[inputs.residents]]\npath = "{name}.csv"\n' for name in ("sheet", "areas"))
    study = STUDY.replace('residents = "residents.csv"\n', "") + sources
    (city / "study.toml").write_text(study, encoding="utf-8")
    found = told(city)
    assert ("stations", "wrong-place") in found
    assert found["residents", "negative-remainder"] == ("s",)
    table(city / "sheet.csv", "building_id residents", ["b1", "sixty"])  # of what sums there is then no telling
    assert ("residents", "negative-remainder") not in told(city)


def test_areas_that_are_their_own_ancestors_are_told_and_nothing_hangs(city):
    rows = areas()
    rows[0][0]["parent_id"] = "s"
    geojson(city / "areas.geojson", rows)
    assert told(city) == {("areas", "cycle"): ("d", "s", "n")}


def test_an_area_left_out_is_in_no_other_area(city):
    table(city / "residents.csv", "area_id residents", ["s", 60], ["", 4])
    found = told(city)
    assert ("residents", "missing-id") in found
    assert ("residents", "counted-twice") not in found


def test_points_without_a_place_are_told_beside_those_that_lie_in_no_home(city):
    table(city / "residents.csv", "household lon lat residents", ["h1", *at(4.5, 0.5), 1], ["h2", "", "", 2])
    found = told(city)
    assert found["residents", "point-without-home"] == ("h1",)
    assert found["residents", "no-geometry"] == ("h2",)


@pytest.mark.parametrize("layer", ["stations", "entrances"])
def test_a_place_far_from_the_building_that_it_names_is_told(city, layer):
    if layer == "entrances":
        geojson(
            city / "doors.geojson", [({"building_id": "b1"}, point(1, 0.3)), ({"building_id": "b1"}, point(3, 0.3))]
        )
        study = STUDY.replace("[inputs]", '[inputs]\nentrances = "doors.geojson"')
        (city / "study.toml").write_text(study, encoding="utf-8")
    else:
        table(
            city / "stations.csv",
            "station_id lon lat building_id",
            ["s1", *at(3, 0.3), "b1"],
            ["s2", *at(1, 0.1), "b1"],
        )
    _, findings = check_study(city)
    [breach] = [b for b in findings if b.rule == "far-from-building"]
    assert (breach.layer, breach.severity, breach.count) == (layer, "warning", 1)
    assert "133 m" in breach.message
