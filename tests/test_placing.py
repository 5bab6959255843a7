"""Residents of every kind of source come onto the buildings they live in, and none is lost or made up."""

import dataclasses
import time
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import IN_CI
from lifecircle.circles import cover
from lifecircle.demand import place_residents
from lifecircle.readers.metric import holder
from lifecircle.readers.placing import settle
from lifecircle.study import check_study, open_study
from tiny import STUDY, areas, at, box, buildings, geojson, point, table, write_city


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def with_residents(folder, *sources):
    """State the sources of residents, each a table of the study file."""
    rows = "\n".join(f"[[inputs.residents]]\n{source}\n" for source in sources)
    study = STUDY.replace('residents = "residents.csv"\n', "")
    (folder / "study.toml").write_text(f"{study}\n{rows}", encoding="utf-8")
    return folder


def homes(folder):
    """Return residents by building, and the unplaced by area."""
    demand = place_residents(open_study(folder))
    lost = demand.unplaced.groupby("area_id")["residents"].sum()
    return demand.residents["residents"].round(9).tolist(), lost[lost > 0].to_dict()


def told(folder):
    return {b.rule: b for b in check_study(folder)[1]}


def with_addresses(folder, *addresses):
    rows = [({**p, "address": a}, g) for a, (p, g) in zip(addresses, buildings(), strict=True)]
    geojson(folder / "buildings.geojson", rows)


# --------------------------------------------------------------------------------------------------- households


def test_a_household_with_more_of_a_group_than_people_is_named(city):
    rows = [["h1", "b1", 3, 1], ["h2", "b1", 1, 2]]
    table(city / "residents.csv", "household building_id residents residents_65plus", *rows)
    assert told(city)["group-exceeds"].ids == ("h2",)


def test_households_of_a_building_are_added_up(city):
    table(city / "residents.csv", "building_id household residents", ["b1", "h1", 3], ["b1", "h2", 2], ["b2", "h3", 4])
    assert homes(city) == ([5.0, 4.0, 0.0], {})
    assert open_study(city).residents["target_id"].tolist() == ["b1", "b2"]


def test_a_household_entered_twice_is_an_error(city):
    table(city / "residents.csv", "building_id household residents", ["b1", "h1", 3], ["b1", "h1", 3])
    assert told(city)["duplicate-id"].ids == ("h1",)


def test_rows_of_a_building_that_name_no_household_must_be_added_up_first(city):
    table(city / "residents.csv", "building_id residents", ["b1", 3], ["b1", 2])
    assert told(city)["duplicate-id"].ids == ("b1",)
    assert "household" in told(city)["duplicate-id"].message


@pytest.mark.parametrize(
    "address",
    ["南社区幸福路3号楼", "南社区幸福路３号", "幸福路 3栋", "幸福路3幢2单元501", "南社区 幸福路第3号楼", "幸福路3＃楼"],
)
def test_an_address_written_in_another_way_is_the_same_address(city, address):
    with_addresses(city, "幸福路3号楼", "幸福路5号", "幸福路3号院7号")
    table(city / "residents.csv", "address residents", [address, 7])
    assert homes(city) == ([7.0, 0.0, 0.0], {})


def test_an_address_in_two_communities_is_told_apart_by_the_community(city):
    with_addresses(city, "1号", "1号", "")
    table(city / "residents.csv", "area address residents", ["南社区", "1号", 7], ["北社区", "1号楼", 2])
    assert homes(city) == ([7.0, 2.0, 0.0], {})


def test_of_two_communities_of_one_name_the_id_tells_which_and_the_name_all_that_it_can(city):
    geojson(city / "areas.geojson", [({**said, "name": "东山社区"}, shape) for said, shape in areas()])
    with_addresses(city, "1号", "1号", "2号")
    rows = ["s", "", "1号", 7], ["n", "", "1号", 2], ["", "", "东山社区2号", 3], ["", "东山社区", "2号", 4]
    table(city / "residents.csv", "area_id area address residents", *rows)
    assert homes(city) == ([7.0, 2.0, 7.0], {})
    table(city / "residents.csv", "area address residents", ["东山社区", "1号", 5])
    assert homes(city) == ([0.0, 0.0, 0.0], {"": 5.0})
    assert told(city)["ambiguous-address"].ids == ("1号",)


def test_addresses_nobody_or_several_bear_are_unplaced_and_listed(city):
    with_addresses(city, "1号", "1号", "")
    table(city / "residents.csv", "area address residents", ["", "1号", 7], ["北社区", "9号", 2], ["", "8号", 1])
    assert homes(city) == ([0.0, 0.0, 0.0], {"n": 2.0, "": 8.0})
    found = told(city)
    assert found["ambiguous-address"].ids == ("1号",)
    assert found["unknown-address"].ids == ("9号", "8号")
    assert {found[rule].severity for rule in ("ambiguous-address", "unknown-address")} == {"warning"}
    assert "7 residents" in found["ambiguous-address"].message
    assert "3 residents" in found["unknown-address"].message


def test_residents_listed_in_an_area_that_is_nowhere_are_unplaced_and_told_as_that(city):
    with_addresses(city, "1号", "2号", "")
    table(city / "residents.csv", "area_id address residents", ["zzz", "1号", 7], ["n", "2号", 2])
    assert homes(city) == ([0.0, 2.0, 0.0], {"": 7.0})
    assert (told(city)["unknown-area"].ids, told(city)["unknown-area"].severity) == (("zzz",), "warning")
    table(city / "residents.csv", "area address residents", ["南社取", "1号", 7], ["北 社区", "2号", 2])
    assert homes(city) == ([0.0, 2.0, 0.0], {"": 7.0})
    assert told(city)["unknown-area"].ids == ("南社取",)
    assert "unknown-address" not in told(city)


@pytest.mark.parametrize("sign", ["？", "。", "（？）"])
def test_a_sign_behind_an_address_or_an_area_is_told_as_that_and_nobody_is_placed_by_it(city, sign):
    with_addresses(city, "1号", "2号", "")
    rows = ["n", f"2号{sign}", 2], [f"s{sign}", "1号", 7], ["s", "1号楼", 1]
    table(city / "residents.csv", "area_id address residents", *rows)
    found = told(city)
    assert f"2号{sign} as 2号" in found["unknown-address"].message
    assert f"s{sign} as s" in found["unknown-area"].message


def test_an_address_that_differs_by_its_last_word_is_not_taken_for_one_with_a_sign(city):
    with_addresses(city, "1号院", "2号", "")
    table(city / "residents.csv", "area_id address residents", ["s", "1号楼", 7])
    assert "but for a sign" not in told(city)["unknown-address"].message


def test_the_unplaced_are_told_by_what_keeps_them_from_a_home(city):
    kinds = ["apartments", "garage", "house"]
    rows = [({**p, "address": kind, "kind": kind}, g) for kind, (p, g) in zip(kinds, buildings(), strict=True)]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "address residents", ["apartments", 60], ["9号", 5])
    table(city / "more.csv", "area_id residents", ["n", 10])
    study = open_study(with_residents(city, 'path = "residents.csv"', 'path = "more.csv"'))
    [finding] = [f for f in place_residents(study).findings if f.rule == "unplaced"]
    assert finding.message.startswith("15 residents are unplaced: 5 are counted at a place that is not known")
    assert "and 10 in areas without a home" in finding.message
    assert "; 5 residents cannot be placed" in told(city)["unknown-address"].message


def test_each_household_is_looked_for_in_its_own_area_of_whatever_level(city):
    with_addresses(city, "1号", "2号", "")
    rows = ["南社区", "1号", 7], ["南社区", "1号2单元", 1], ["区", "2号", 2], ["", "北社区2号", 4]
    table(city / "residents.csv", "household area address residents", *[[f"h{i}", *row] for i, row in enumerate(rows)])
    assert homes(city) == ([8.0, 6.0, 0.0], {})


def test_a_household_belongs_to_the_home_and_not_to_the_garage_of_the_same_address(city):
    rows = [({**p, "address": "1号"} | ({"kind": "garage"} if i else {}), g) for i, (p, g) in enumerate(buildings())]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "address residents", ["1号", 7])
    assert homes(city) == ([7.0, 0.0, 0.0], {})


# ------------------------------------------------------------------------------------------------ points and cells


def test_a_point_belongs_to_the_home_that_holds_it_or_to_the_nearest(city):
    rows = [["h1", *at(1.2, 0.3), 3], ["h2", *at(2.2, 1.8), 2], ["h3", *at(4.5, 0.5), 1]]
    table(city / "residents.csv", "household lon lat residents", *rows)
    assert homes(city) == ([3.0, 2.0, 0.0], {"s": 1.0})
    found = told(city)
    assert (found["point-beside-home"].ids, found["point-beside-home"].severity) == (("h2",), "repair")
    assert (found["point-without-home"].ids, found["point-without-home"].severity) == (("h3",), "warning")


def test_of_homes_that_hold_a_point_the_smallest_has_it_and_of_equal_ones_the_smaller_id(city):
    rows = [("b9", box(1, 0, 1.4, 0.4)), ("b8", box(1, 0, 1.4, 0.4)), ("b1", box(0.5, 0, 2, 0.8))]
    geojson(city / "buildings.geojson", [({"building_id": i, "kind": "house"}, g) for i, g in rows])
    table(city / "residents.csv", "lon lat residents", [*at(1.2, 0.2), 5], [*at(1.8, 0.6), 1])
    assert homes(city) == ([0.0, 5.0, 1.0], {})


def test_residents_of_a_cell_are_spread_by_the_floor_inside_it(city):
    # The cell holds all of b1 (6 levels, 0.08 of a step squared) and the western half of b2 (6 levels: the median).
    rows = [({"residents": 90}, box(0, 0, 2.2, 2)), ({"residents": 5}, box(3, -1, 4, 0))]
    geojson(city / "grid.geojson", rows)
    with_residents(city, 'path = "grid.geojson"')
    placed, lost = homes(city)
    levels = 4.0  # what b2 does not state: the median of 6 and 2
    parts = np.array([6.0, levels / 2])
    assert placed == pytest.approx([*(90 * parts / parts.sum()), 0.0], rel=1e-4)
    assert lost == {"s": 5.0}
    assert told(city)["cell-without-home"].ids == ("row 2",)
    assert place_residents(open_study(city)).estimated


@pytest.mark.parametrize("apart", [False, True])
def test_ground_that_two_cells_share_would_count_its_residents_twice(city, apart):
    one, other = [({"residents": 60}, box(0, 0, 2, 1))], [({"residents": 60}, box(1, 0, 3, 1))]
    geojson(city / "one.geojson", one if apart else one + other)
    geojson(city / "two.geojson", other)
    with_residents(city, *(f'path = "{name}.geojson"\nby = "cell"' for name in ["one", "two"][: 1 + apart]))
    found = told(city)["cells-overlap"]
    assert (found.severity, found.count) == ("error", 1)


def test_cells_drawn_by_hand_may_overlap_by_a_hair(city):
    rows = [({"residents": 60}, box(0, 0, 2, 1.004)), ({"residents": 8}, box(0, 1, 3, 2))]
    geojson(city / "grid.geojson", rows)
    with_residents(city, 'path = "grid.geojson"')
    assert homes(city)[0] == pytest.approx([60, 8, 0], abs=1e-3)


def test_no_levels_means_that_nobody_stated_them(city):
    rows = [({**said, "levels": 0}, shape) for said, shape in buildings()]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "area_id residents", ["s", 60], ["n", 4])
    assert homes(city) == ([60.0, 4.0, 0.0], {})
    assert (told(city)["zero-levels"].ids, told(city)["zero-levels"].severity) == (("b1", "b2", "b3"), "repair")


def test_homes_that_are_points_share_residents_by_their_levels(city):
    homes_of = (("b1", 6, 1), ("b2", 2, 2))
    rows = [({"building_id": i, "kind": "住宅", "levels": n}, point(x, 0.3)) for i, n, x in homes_of]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "area_id residents", ["s", 80])
    assert homes(city) == ([60.0, 20.0], {})
    assert told(city)["point-building"].count == 2


def test_a_home_that_is_a_point_has_the_footprint_of_a_common_home(city):
    rows = [*buildings()[:1], ({"building_id": "p", "kind": "apartments", "levels": 6}, point(2, 0.3))]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "area_id residents", ["s", 80])
    assert homes(city) == ([40.0, 40.0], {})


@pytest.mark.parametrize("by", ["point", "cell"])
def test_counts_by_a_place_need_one(city, by):
    table(city / "residents.csv", "residents", [5])
    with_residents(city, f'path = "residents.csv"\nby = "{by}"')
    assert told(city)["no-geometry"].severity == "error"


def test_points_are_no_cells(city):
    geojson(city / "points.geojson", [({"residents": 3}, point(1.2, 0.3))])
    with_residents(city, 'path = "points.geojson"\nby = "cell"')
    assert told(city)["wrong-geometry"].ids == ("row 1",)


def test_a_place_does_no_harm_where_residents_are_counted_by_building(city):
    table(city / "residents.csv", "building_id lon lat residents", ["b1", "", "", 3], ["b2", 0, 999, 4])
    assert homes(city) == ([3.0, 4.0, 0.0], {})


# --------------------------------------------------------------------------------------------------- several sources


def test_what_remains_of_an_area_goes_to_the_homes_that_nobody_counted(city):
    more = [({"building_id": f"c{i}", "kind": "house", "levels": 1}, box(3, i / 4, 3.2, i / 4 + 0.1)) for i in range(2)]
    geojson(city / "buildings.geojson", buildings() + more)
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "areas.csv", "area_id residents", ["s", 100], ["n", 10])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    placed, lost = homes(city)
    assert placed == pytest.approx([60, 10, 0, 20, 20], rel=1e-4)
    assert lost == {}


def test_what_remains_where_every_home_is_counted_is_spread_over_all(city):
    table(city / "sheet.csv", "building_id residents", ["b1", 60], ["b2", 4])
    table(city / "areas.csv", "area residents", ["南社区", 70])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert homes(city) == ([70.0, 4.0, 0.0], {})


def homes_in_a_row(n):
    return [
        ({"building_id": f"c{x}", "kind": "house", "levels": 1}, box(x / 2, 0.1, x / 2 + 0.1 + x / 100, 0.2))
        for x in range(n)
    ]


def test_where_the_finer_counts_are_everybody_no_other_home_is_inhabited(city):
    geojson(city / "buildings.geojson", homes_in_a_row(8))
    geojson(city / "cells.geojson", [({"cell_id": "g1", "residents": 7}, box(-0.5, -0.5, 2.8, 0.9))])
    table(city / "areas.csv", "area_id residents", ["s", 7])  # while the homes in the cell add up to 6.999999999999999
    with_residents(city, 'path = "cells.geojson"\nby = "cell"', 'path = "areas.csv"')
    total = cover(open_study(city)).table.iloc[-1]
    assert total["residents"] == pytest.approx(7)
    assert total["buildings"] == 6, "those in the cell"


def test_where_the_other_classes_are_everybody_nobody_is_of_the_first(city):
    classes = '[walking]\nclasses = [{ name = "adult" }, { name = "aged" }, { name = "ill", speed_mps = 0.8 }]\n'
    geojson(city / "buildings.geojson", homes_in_a_row(6))
    table(city / "residents.csv", "area_id residents residents_aged residents_ill", ["s", 100, 37, 63])
    (city / "study.toml").write_text(STUDY + classes, encoding="utf-8")
    adults = cover(open_study(city)).table.query("group == 'adult'")
    assert adults["buildings"].tolist() == [0, 0, 0, 0]
    assert adults["share_8"].isna().all(), "a share of nobody"


def test_unplaced_residents_count_in_the_total_of_their_area(city):
    with_addresses(city, "1号", "2号", "")
    table(city / "sheet.csv", "area address residents", ["南社区", "1号", 60], ["南社区", "7号", 5])
    table(city / "areas.csv", "area_id residents", ["s", 70])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert homes(city) == ([65.0, 0.0, 0.0], {"s": 5.0})


def test_households_of_no_known_place_are_among_those_whom_the_totals_by_area_count(city):
    with_addresses(city, "1号", "2号", "")
    table(city / "sheet.csv", "address residents", ["1号", 5], ["9号", 7])
    table(city / "areas.csv", "area_id residents", ["s", 60], ["n", 4])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert homes(city) == ([60.0, 4.0, 0.0], {})
    assert "7 residents" in told(city)["within-totals"].message
    table(city / "areas.csv", "area_id residents", ["s", 6], ["n", 0])
    assert told(city)["negative-remainder"].severity == "error"


def test_households_of_no_known_place_stay_unplaced_where_not_every_area_is_counted(city):
    with_addresses(city, "1号", "2号", "")
    table(city / "sheet.csv", "address residents", ["1号", 5], ["9号", 7])
    table(city / "areas.csv", "area_id residents", ["s", 60])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert homes(city) == ([60.0, 0.0, 0.0], {"": 7.0})
    assert told(city)["perhaps-counted-twice"].severity == "warning"


def test_a_total_includes_all_finer_counts(city):
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "total.csv", "residents", [100])
    with_residents(city, 'path = "sheet.csv"', 'path = "total.csv"\nby = "total"')
    assert homes(city) == ([60.0, 40.0, 0.0], {})


def test_a_total_below_the_finer_counts_is_an_error(city):
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "areas.csv", "area_id residents", ["s", 50])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    breach = told(city)["negative-remainder"]
    assert (breach.ids, breach.severity) == (("s",), "error")


@pytest.mark.parametrize(("total", "rule"), [(59.4, "rounded-remainder"), (60, None), (58.9, "negative-remainder")])
def test_a_total_may_fall_short_of_the_finer_counts_by_rounding(city, total, rule):
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "areas.csv", "area_id residents", ["s", total])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert rule is None or (told(city)[rule].ids, told(city)[rule].count) == (("s",), 1)
    if rule == "negative-remainder":
        assert "by up to 1.1" in told(city)[rule].message
    else:
        assert homes(city) == ([60.0, 0.0, 0.0], {})


def test_a_large_total_may_be_rounded_to_a_tenth_of_a_percent_and_takes_its_groups_along(city):
    table(city / "sheet.csv", "building_id residents residents_old", ["b1", 10_000, 500])
    table(city / "areas.csv", "area_id residents residents_old", ["s", 9_995, 503])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert told(city)["rounded-remainder"].severity == "repair"
    demand = place_residents(open_study(city))
    assert (demand.residents["residents"].sum(), demand.of("old").sum()) == (10_000, 500)


def test_groups_are_carried_along_and_a_source_without_them_is_told(city):
    table(city / "sheet.csv", "building_id residents residents_old", ["b1", 60, 10])
    table(city / "areas.csv", "area_id residents", ["s", 80], ["n", 10])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    demand = place_residents(open_study(city))
    assert told(city)["missing-group"].ids == ("residents_old",)
    assert demand.of("old").tolist() == [10.0, 0.0, 0.0]


def test_more_of_a_group_than_residents_cannot_remain(city):
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "areas.csv", "area_id residents residents_old", ["s", 80, 30])
    with_residents(city, 'path = "sheet.csv"', 'path = "areas.csv"')
    assert told(city)["uneven-remainder"].ids == ("s",)


def test_a_building_that_two_sources_count_is_told(city):
    table(city / "sheet.csv", "building_id residents", ["b1", 60])
    table(city / "points.csv", "lon lat residents", [*at(1.2, 0.3), 3])
    with_residents(city, 'path = "sheet.csv"', 'path = "points.csv"')
    assert homes(city) == ([63.0, 0.0, 0.0], {})
    assert told(city)["counted-by-several"].ids == ("b1",)


def test_an_area_that_two_sources_count_is_an_error(city):
    for name in ("one", "two"):
        table(city / f"{name}.csv", "area_id residents", ["s", 60])
    with_residents(city, 'path = "one.csv"', 'path = "two.csv"')
    assert told(city)["duplicate-id"].ids == ("s",)


def test_a_finding_of_one_of_several_sources_names_its_file(city):
    table(city / "one.csv", "building_id residents", ["b1", -3])
    table(city / "two.csv", "area_id residents", ["s", 60])
    with_residents(city, 'path = "one.csv"', 'path = "two.csv"')
    assert told(city)["negative-number"].message.startswith("one.csv: ")


def test_a_community_may_be_known_by_its_name(city):
    table(city / "residents.csv", "area residents", ["南社区", 60], ["东社区", 3])
    assert told(city)["unknown-id"].ids == ("东社区",)
    table(city / "residents.csv", "area residents", ["南社区", 60], ["北社区", 3])
    assert homes(city) == ([60.0, 3.0, 0.0], {})


def test_a_name_that_two_areas_bear_says_nothing(city):
    areas = [
        ({"area_id": i, "level": "community", "name": "南社区"}, box(-1, y, 5, y + 2)) for i, y in (("s", -1), ("n", 1))
    ]
    geojson(city / "areas.geojson", areas)
    table(city / "residents.csv", "area residents", ["南社区", 60])
    assert told(city)["ambiguous-name"].ids == ("南社区",)


# ------------------------------------------------------------------------------------------------------------- laws


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_city(tmp_path_factory.mktemp("law")))


def rectangles(random, n, *, crs):
    corner, size = random.uniform([-400, -300], [300, 250], (n, 2)), random.uniform(5, 90, (n, 2))
    return gpd.GeoSeries(shapely.box(*corner.T, *(corner + size).T), crs=crs)


@st.composite
def towns(draw):
    """Homes that overlap as they like, in two communities or none; points, cells and totals with room for all of it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    crs, n = "EPSG:32651", draw(st.integers(1, 12))
    areas = gpd.GeoDataFrame(
        {"area_id": ["s", "n"], "name": ["", ""], "level": "community", "parent_id": ""},
        geometry=[shapely.box(-350, -300, 350, 0), shapely.box(-350, 0, 350, 300)],
        crs=crs,
    )
    homes = rectangles(random, n, crs=crs)
    buildings = gpd.GeoDataFrame(
        {"building_id": [f"b{i}" for i in range(n)], "name": "", "address": "", "kind": "house"}
        | {"levels": random.choice([1.0, 6.0, np.nan], n), "min_level": 0.0, "other_use": False, "underground": False},
        geometry=homes,
        crs=crs,
    )
    buildings["area_id"] = holder(buildings, areas, "area_id")
    n_points, edges = draw(st.integers(1, 9)), np.sort(random.uniform(-400, 400, draw(st.integers(2, 6))))
    points = gpd.GeoDataFrame(
        {"by": "point", "target_id": [f"row {i}" for i in range(n_points)]}
        | {"residents": random.integers(0, 9, n_points), "residents_old": 0},
        geometry=shapely.points(random.uniform(-350, 350, (n_points, 2))),
        crs=crs,
    )
    cells = gpd.GeoDataFrame(
        {"by": "cell", "target_id": [f"row {i}" for i in range(len(edges) - 1)]}
        | {"residents": random.integers(81, 500, len(edges) - 1), "residents_old": 7.5},
        geometry=[shapely.box(a, -400, b, 400) for a, b in pairwise(edges)],
        crs=crs,
    )
    totals = pd.DataFrame({"by": "area", "target_id": ["s", "n"], "residents": [5000.0, 7000.0], "residents_old": 90.0})
    return areas, buildings, points, cells, totals


def placed(study, areas, buildings, sources):
    residents, found = settle(sources, buildings, areas)
    demand = place_residents(dataclasses.replace(study, areas=areas, buildings=buildings, residents=residents))
    assert not [b for b in found if b.severity == "error"]
    assert (demand.residents >= 0).all(axis=None)
    return demand


@settings(max_examples=15)
@given(towns())
def test_every_area_keeps_its_residents_whatever_the_finer_sources_say(study, town):
    areas, buildings, points, cells, totals = town
    for finer in ([], [points], [points, cells]):
        demand = placed(study, areas, buildings, [*finer, totals])
        for column in ("residents", "residents_old"):
            standing = demand.residents[column].groupby(buildings["area_id"]).sum()
            lost = demand.unplaced.groupby("area_id")[column].sum()
            for area, total in zip(totals["target_id"], totals[column], strict=True):
                assert standing.get(area, 0.0) + lost.get(area, 0.0) == pytest.approx(total, abs=1e-6)


@settings(max_examples=15)
@given(towns(), st.integers(1, 6), st.booleans())
def test_households_of_no_known_place_change_nothing_where_every_area_is_counted_and_else_are_unplaced(
    study, town, n, everywhere
):
    areas, buildings, points, cells, totals = town
    totals = totals if everywhere else totals.iloc[:1]
    sheet = pd.DataFrame({"by": "address", "target_id": [f"row {i}" for i in range(n)], "address": "9号"})
    sheet = sheet.assign(area="", area_id="", residents=3.0, residents_old=1.0)
    others = [points, cells, totals]
    demand, without = (placed(study, areas, buildings, sources) for sources in ([sheet, *others], others))
    pd.testing.assert_frame_equal(demand.residents, without.residents)
    counted = set(buildings["area_id"]) - {""} <= set(totals["target_id"])
    more = demand.unplaced["residents"].sum() - without.unplaced["residents"].sum()
    assert more == pytest.approx(0 if counted else 3 * n, abs=1e-6)


@settings(max_examples=15)
@given(towns())
def test_cells_with_the_points_in_them_keep_their_residents(study, town):
    areas, buildings, points, cells, _ = town
    apart = placed(study, areas, buildings, [cells])
    assert apart.residents["residents"].sum() + apart.unplaced["residents"].sum() == pytest.approx(
        cells["residents"].sum(), abs=1e-6
    )
    alone = placed(study, areas, buildings, [points])
    assert alone.residents["residents"].sum() + alone.unplaced["residents"].sum() == points["residents"].sum()


def test_half_a_million_households_are_placed_in_three_seconds(study):
    n, n_buildings = 500_000, 60_000
    side = np.arange(n_buildings)
    corner = np.column_stack([side % 250, side // 250]) * 30.0 - 3000.0
    buildings = study.buildings.iloc[np.zeros(n_buildings, dtype=int)].reset_index(drop=True)
    buildings = buildings.assign(building_id=[f"b{i}" for i in side], address=[f"幸福路{i}号楼" for i in side])
    buildings = buildings.set_geometry(shapely.box(*corner.T, *(corner + 12).T), crs=study.crs)
    address = pd.Series([f"幸福路{i % n_buildings}栋" for i in range(n)])
    sheet = pd.DataFrame({"by": "address", "target_id": address, "area": "", "area_id": "", "address": address})
    start = time.perf_counter()
    residents, found = settle([sheet.assign(residents=3.0, residents_old=1.0)], buildings, study.areas)
    demand = place_residents(dataclasses.replace(study, buildings=buildings, residents=residents))
    assert time.perf_counter() - start < (30.0 if IN_CI else 6.0)
    assert (found, demand.residents["residents"].sum()) == ([], 3.0 * n)
