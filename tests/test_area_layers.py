"""Areas of several layers make one tree, and where they do not fit the planner is told what is at stake."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.demand import place_residents
from lifecircle.readers.metric import holder
from lifecircle.study import check_study, open_study
from tiny import STUDY, at, box, buildings, geojson, line, table, write_city


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def with_areas(folder, *layers):
    """Write each layer of areas, its level and rows, and state them all."""
    study = STUDY.replace('areas = "areas.geojson"\n', "")
    for i, (level, rows) in enumerate(layers):
        geojson(folder / f"level{i}.geojson", [({"area_id": a, "name": a}, g) for a, g in rows])
        study += f'\n[[inputs.areas]]\npath = "level{i}.geojson"\nlevel = "{level}"\n'
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder


def told(folder):
    return {b.rule: b for b in check_study(folder)[1] if b.rule != "unnamed-file"}


DISTRICT = ("district", [("d", box(-1, -1, 5, 3))])
COMMUNITIES = ("community", [("s", box(-1, -1, 5, 1)), ("n", box(-1, 1, 5, 3))])
GRIDS = ("grid", [("s1", box(-1, -1, 2, 1)), ("s2", box(2, -1, 5, 1)), ("n1", box(-1, 1, 5, 3))])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_each_area_belongs_to_the_one_of_the_next_level_that_holds_it(city, order):
    layers = [(DISTRICT, COMMUNITIES, GRIDS)[i] for i in order]
    areas = open_study(with_areas(city, *layers)).areas.set_index("area_id")
    assert areas["parent_id"].to_dict() == {"d": "", "s": "d", "n": "d", "s1": "s", "s2": "s", "n1": "n"}
    assert areas.loc["s2", "level"] == "grid"
    assert not told(city)


def test_an_area_that_straddles_belongs_where_most_of_it_lies_and_is_told(city):
    rows = [("s", box(-1, -1, 5, 1.3)), ("n", box(-1, 1.3, 5, 3))]
    folder = with_areas(city, DISTRICT, ("community", rows), GRIDS)
    areas = open_study(folder).areas.set_index("area_id")
    assert areas.loc["n1", "parent_id"] == "n"
    assert told(folder)["parent-in-part"].ids == ("n1 -> n (85.0%)",)


def test_an_area_that_no_coarser_one_touches_stands_alone_and_is_told(city):
    folder = with_areas(city, DISTRICT, ("community", [*COMMUNITIES[1], ("far", box(7, 1, 8, 2))]))
    assert told(folder)["no-parent"].ids == ("far",)
    assert open_study(folder).areas["parent_id"].tolist() == ["", "d", "d", ""]


def test_an_area_of_which_a_sliver_lies_in_a_subdistrict_belongs_to_the_level_above(city):
    town = ("subdistrict", [("t", box(-1, -1, 5, 1.001))])
    folder = with_areas(city, DISTRICT, town, COMMUNITIES)
    areas = open_study(folder).areas.set_index("area_id")
    assert areas["parent_id"].to_dict() == {"d": "", "t": "d", "s": "t", "n": "d"}
    assert not told(folder)


def test_a_town_smaller_than_the_villages_round_it_is_still_above_its_communities(city):
    rows = [("c1", box(0, 0, 1, 1)), ("c2", box(1, 0, 2, 1)), ("v1", box(2, -3, 9, 1)), ("v2", box(0, 1, 9, 5))]
    folder = with_areas(city, ("community", rows), ("subdistrict", [("t", box(0, 0, 2, 1))]))
    areas = open_study(folder).areas.set_index("area_id")
    assert areas["parent_id"].to_dict() == {"c1": "t", "c2": "t", "v1": "", "v2": "", "t": ""}
    assert told(folder)["no-parent"].ids == ("v1", "v2")


def test_of_levels_of_the_same_outlines_the_first_is_above(city):
    folder = with_areas(city, ("subdistrict", [("z", box(-1, -1, 5, 3))]), ("community", [("a", box(-1, -1, 5, 3))]))
    areas = open_study(folder).areas.set_index("area_id")
    assert areas["parent_id"].to_dict() == {"z": "", "a": "z"}


def test_of_levels_of_the_same_outlines_that_is_above_which_the_areas_name_as_theirs(city):
    outline = box(-1, -1, 5, 3)
    folder = with_areas(city, ("subdistrict", [("t", outline)]), ("district", [("d", outline)]), COMMUNITIES)
    geojson(folder / "level0.geojson", [({"area_id": "t", "name": "t", "parent_id": "d"}, outline)])
    parents = open_study(folder).areas.set_index("area_id")["parent_id"].to_dict()
    assert parents == {"d": "", "t": "d", "s": "t", "n": "t"}


def test_several_layers_of_areas_must_say_what_each_is(city):
    folder = with_areas(city, DISTRICT, COMMUNITIES)
    study = (folder / "study.toml").read_text("utf-8").replace('level = "community"', "")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    breach = told(folder)["missing-level"]
    assert (breach.ids, breach.severity) == (("level1.geojson",), "error")


@pytest.mark.parametrize("short", [0.0, 1e-4])
def test_the_only_community_of_a_subdistrict_holds_its_homes_though_it_is_no_smaller(city, short):
    rows = [
        ({"area_id": "1000", "level": "subdistrict", "parent_id": ""}, box(-1, -1, 5, 3 - short)),
        ({"area_id": "1001", "level": "community", "parent_id": "1000"}, box(-1, -1, 5, 3)),
    ]
    geojson(city / "areas.geojson", rows)
    table(city / "residents.csv", "area_id residents", ["1001", 100])
    study = open_study(city)
    assert study.buildings["area_id"].tolist() == ["1001", "1001", ""]
    demand = place_residents(study)
    assert (demand.residents["residents"].sum(), len(demand.unplaced)) == (pytest.approx(100), 0)


@given(st.permutations(["1", "2", "3", "4"]), st.lists(st.floats(0.3, 1.0), min_size=3, max_size=3))
def test_whatever_lies_in_an_area_without_others_beside_it_is_held_by_the_lowest(ids, shares):
    sizes = 100 * np.cumprod([1.0, *(1.0 if share > 0.6 else share for share in shares)])
    areas = gpd.GeoDataFrame(
        {"area_id": ids, "level": ["district", "subdistrict", "community", "grid"], "parent_id": ["", *ids[:-1]]},
        geometry=[shapely.box(0, 0, size, size) for size in sizes],
        crs="EPSG:32651",
    )
    places = gpd.GeoDataFrame(geometry=[shapely.Point(1, 1)], crs=areas.crs)
    for order in (areas, areas.iloc[::-1].reset_index(drop=True)):
        assert holder(places, order, "area_id").tolist() == [ids[-1]]


def test_an_id_in_two_layers_is_an_error(city):
    folder = with_areas(city, ("district", [("s", box(-1, -1, 5, 3))]), COMMUNITIES)
    assert told(folder)["duplicate-id"].ids == ("s",)


def test_an_overlap_is_told_with_its_size_and_who_lives_there(city):
    rows = [("s", box(-1, -1, 5, 1)), ("n", box(-1, 0, 5, 3))]
    breach = told(with_areas(city, ("community", rows)))["areas-overlap"]
    assert (breach.ids, breach.severity) == (("s and n",), "warning")
    assert "1 buildings and 60 counted residents" in breach.message
    size_m2 = float(breach.message.split(" m2 together")[0].split()[-1].replace(",", ""))
    assert size_m2 == pytest.approx(6 * 83.0 * 111.1, rel=0.01)


@pytest.mark.parametrize("parents", [(), (DISTRICT,)])
def test_a_hole_between_areas_is_told_with_its_size_and_who_lives_there(city, parents):
    rows = [*COMMUNITIES[1][1:], ("w", box(-1, -1, 0.5, 1)), ("e", box(1.9, -1, 5, 1)), ("m", box(0.5, -1, 1.9, 0))]
    if parents:  # without a district the hole must be closed on every side to be one
        rows = rows[:-1]
    breach = told(with_areas(city, *parents, ("community", rows)))["areas-hole"]
    assert breach.severity == "warning"
    assert "1 buildings and 60 counted residents" in breach.message
    assert breach.ids[0].startswith("near ")


def test_a_sliver_is_told_apart(city):
    rows = [("s", box(-1, -1, 5, 1.005)), ("n", box(-1, 1, 5, 3))]
    found = told(with_areas(city, ("community", rows)))
    assert list(found) == ["areas-overlap-sliver"]
    assert "less than 1 m wide" in found["areas-overlap-sliver"].message


def test_homes_in_no_area_are_told_where_somebody_may_live_there(city):
    table(city / "residents.csv", "building_id residents", ["b1", 60], ["b2", 4], ["b3", 7])
    breach = told(city)["outside-areas"]
    assert (breach.ids, breach.severity) == (("b3",), "warning")
    assert "7 residents" in breach.message
    table(city / "residents.csv", "area_id residents", ["s", 60])
    assert told(city)["outside-areas"].ids == ("b3",)
    table(city / "residents.csv", "building_id residents", ["b1", 60], ["b2", 4])
    assert "outside-areas" not in told(city)


def test_where_residents_cannot_be_read_no_home_is_said_to_lie_in_no_area(city):
    geojson(city / "buildings.geojson", buildings()[:2])
    (city / "residents.csv").unlink()
    assert list(told(city)) == ["missing-file"]


@pytest.mark.parametrize("name", ["liao2_ning2_fu3_shun4", "gui4_zhou1_gui4_yang2"])
def test_districts_as_web_maps_export_them_come_in_mended_and_none_is_lost(tmp_path, shared_dir, name):
    path = shared_dir / "data" / "china" / f"{name}.geojson"
    if not path.exists():
        pytest.skip(f"needs ../shared/data/china/{path.name}")
    districts = gpd.read_file(path)
    middle = districts.geometry.iloc[[0]].make_valid().representative_point().iloc[0]
    x, y = middle.x - at(0, 0)[0], middle.y - at(0, 0)[1]
    ways = gpd.GeoSeries([shapely.LineString(line((0, 0), (4, 0), (0, 2))["coordinates"])]).translate(x, y)
    gpd.GeoDataFrame({"highway": ["residential"]}, geometry=ways, crs=4326).to_file(tmp_path / "streets.geojson")
    home = gpd.GeoSeries([shapely.geometry.shape(buildings()[0][1])]).translate(x, y)
    gpd.GeoDataFrame({"building_id": ["b1"], "kind": ["house"]}, geometry=home, crs=4326).to_file(
        tmp_path / "buildings.geojson"
    )
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", middle.x, middle.y])
    table(tmp_path / "residents.csv", "building_id residents", ["b1", 3])
    study = STUDY.replace('candidates = "candidates.csv"\nbarriers = "barriers.geojson"\n', "")
    study = study.replace('areas = "areas.geojson"', f'areas = {{ path = "{path}", columns = {{ area_id = "id" }} }}')
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    opened = open_study(tmp_path)
    assert set(opened.areas["area_id"]) == set(districts["id"].astype(str))
    assert opened.areas.geometry.is_valid.all()
    repaired = next(b for b in opened.findings if b.rule == "invalid-polygon")
    assert (repaired.count, repaired.severity) == (int((~districts.is_valid).sum()), "repair")
    before_m2 = pd.Series(shapely.area(shapely.make_valid(districts.to_crs(opened.crs).geometry.to_numpy())))
    assert (opened.areas.geometry.area.to_numpy() / before_m2 > 0.99).all()


# ------------------------------------------------------------------------------------------------ stations and rooms


def rooms(folder, *rows):
    table(folder / "candidates.csv", "site_id lon lat kind hours agents consent", *rows)
    return folder


def test_hours_agents_and_consent_reach_the_study(city):
    rooms(city, ["c1", *at(2, 1.9), "home", "Mo-Fr 08:00-18:00", 2, "是"], ["c2", *at(3, 1.9), "shop", "", "", ""])
    found = open_study(city).candidates
    assert found[["hours", "consent"]].to_numpy().tolist() == [["Mo-Fr 08:00-18:00", "yes"], ["", ""]]
    assert found["agents"].fillna(0).tolist() == [2, 0]
    assert not told(city)


def test_a_home_is_a_site_with_consent_alone(city):
    rooms(
        city,
        ["c1", *at(2, 1.9), "home", "", 1, "yes"],
        ["c2", *at(3, 1.9), "home", "", 1, "否"],
        ["c3", *at(1, 1.9), "home", "", 1, ""],
        ["c4", *at(0, 1.9), "shop", "", 1, ""],
    )
    found = told(city)
    assert (found["no-consent"].ids, found["no-consent"].severity) == (("c2",), "repair")
    assert (found["unstated-consent"].ids, found["unstated-consent"].severity) == (("c3",), "warning")
    assert open_study(city).candidates["site_id"].tolist() == ["c1", "c3", "c4"]


def test_hours_and_consent_that_cannot_be_read_are_errors(city):
    rooms(city, ["c1", *at(2, 1.9), "home", "八点到六点", 1, "perhaps"])
    found = told(city)
    assert "Mo-Fr" in found["bad-hours"].message
    assert (found["bad-hours"].ids, found["not-a-flag"].ids) == (("c1",), ("c1",))


def test_a_study_whose_every_room_is_refused_has_no_candidates(city):
    rooms(city, ["c1", *at(2, 1.9), "home", "", 1, "no"])
    assert open_study(city).candidates.empty
