"""The programmes that made-up cities follow, their areas' names, and the grid town."""

import dataclasses

import numpy as np
import pytest
import shapely

from lifecircle.hours import problem_of_hours
from lifecircle.network import line_lengths_m
from lifecircle.synthetic.grid import LEAST_SIDE, STREET_M, make_grid
from lifecircle.synthetic.names import area_tree
from lifecircle.synthetic.programme import CELL_KINDS
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.programmes.puyang import TOWNSHIP_ITEMS
from lifecircle.synthetic.rooms import ROOMS
from lifecircle.synthetic.services import numbers_of_stations


@pytest.fixture(params=PROGRAMMES)
def programme(request):
    return PROGRAMMES[request.param]


@pytest.mark.parametrize(
    ("name", "stations", "areas"),
    [
        ("fushun", {"household": 646, "community": 303, "subdistrict": 29}, {"community": 303}),
        ("puyang", {"service_area": 580, "township": 89}, {"service_area": 580, "township": 89}),
        ("qiandongnan", {"grid": 138, "community": 157}, {"community": 157}),
        ("nanming", {"community": 114, "health": 50, "subdistrict": 23}, {"community": 211}),
    ],
)
def test_a_programme_has_the_stations_that_its_report_counts(name, stations, areas):
    programme, tree = PROGRAMMES[name], area_tree(name)
    numbers = numbers_of_stations(programme, tree, 1.0)
    tiers = {tier.name: n for tier, n in zip(programme.tiers, numbers, strict=True)}
    assert stations.items() <= tiers.items()
    assert areas.items() <= tree["level"].value_counts().to_dict().items()


def test_fushun_and_nanming_have_978_and_187_stations_in_all():
    totals = [sum(numbers_of_stations(PROGRAMMES[n], area_tree(n), 1.0)) for n in ("fushun", "nanming")]
    assert totals == [978, 187]


def test_a_tier_has_one_station_per_area_or_a_number_of_its_own_and_not_both():
    tier = PROGRAMMES["fushun"].tiers[0]
    for n, per in ((646, "community"), (0, "")):
        with pytest.raises(ValueError, match="tier household: stations are either"):
            dataclasses.replace(tier, n=n, per=per)


def test_a_township_of_puyang_takes_105_items_in_10_classes_and_a_service_area_19_of_them():
    puyang = PROGRAMMES["puyang"]
    at = {tier.name: set(tier.items) for tier in puyang.tiers}
    assert len(TOWNSHIP_ITEMS) == 10
    assert len(at["township"]) == len(puyang.item_weights) == 105
    assert len(at["service_area"]) == 19
    assert at["village"] < at["township"]
    assert at["service_area"] < at["township"]


def test_nanming_covers_209_square_kilometres():
    land = PROGRAMMES["nanming"].land
    river_m = 170.0
    across_m = (land.rows - 1) * land.cell_m[1] + river_m
    assert land.columns * land.cell_m[0] * across_m / 1e6 == pytest.approx(209.34, rel=0.01)


def test_every_word_of_a_programme_is_one_that_is_known(programme):
    assert set(programme.land.kinds) <= set(CELL_KINDS)
    assert programme.itinerant in {"", *(tier.name for tier in programme.tiers)}
    asked = set(programme.item_weights)
    for tier in programme.tiers:
        assert tier.per in ("", *programme.levels)
        assert set(tier.items) <= asked
        assert set(tier.offers) <= set(tier.kinds) <= set(ROOMS)
        assert {item for offer in tier.offers.values() for item in offer.items} <= set(tier.items)
        assert not [h for o in tier.offers.values() for h in (*o.hours, tier.hours) if problem_of_hours(h)]
        assert problem_of_hours(tier.hours) == ""
    assert set(programme.pressing) <= asked
    assert asked <= {item for tier in programme.tiers for item in tier.items}
    for circle in programme.circles:
        assert set(circle.items) <= asked


def test_the_areas_of_a_programme_are_one_tree_with_its_communities_as_leaves(programme):
    areas = area_tree(programme.name).set_index("area_id")
    assert areas.index.is_unique
    assert tuple(areas["level"].unique()) == programme.levels
    level_above = dict(zip(programme.levels, ("", *programme.levels), strict=False))
    parents = areas["parent_id"].map(areas["level"]).fillna("")
    assert (parents == areas["level"].map(level_above)).all()
    has_child = areas.index.isin(areas["parent_id"])
    assert (has_child == (areas["level"] != programme.levels[-1])).all()


def test_real_communities_bear_codes_of_12_digits_that_begin_with_their_subdistricts(programme):
    areas = area_tree(programme.name)
    smallest = areas[areas["level"] == programme.levels[-1]]
    assert smallest["area_id"].str.fullmatch(r"\d{12}").all()
    assert (smallest["area_id"].str[:9] == smallest["parent_id"].str[:9]).all()
    assert smallest["name"].str.fullmatch(r".+(社区|村)").all()


def test_a_programme_that_names_no_areas_has_none():
    assert area_tree("grid").empty


@pytest.fixture(scope="module")
def town():
    return make_grid(23)


def test_a_grid_town_has_a_street_between_all_neighbouring_crossings_and_a_house_at_each(town):
    lengths = line_lengths_m(town.streets.indptr, town.streets.xy_m[town.streets.node])
    assert len(lengths) == len(town.frames["buildings"]) == 2 * 23 * 22
    assert lengths.mean() == pytest.approx(STREET_M, rel=0.01)
    assert lengths.min() > 60
    assert len(np.unique(lengths.round(6))) > 0.99 * len(lengths)


def test_a_grid_town_keeps_what_it_says_of_itself(town):
    frames, programme = town.frames, town.programme
    assert frames["residents"]["residents"].sum() == programme.residents
    assert (frames["residents"]["residents"] >= frames["residents"]["residents_aged"]).all()
    assert len(frames["areas"]) == 3**2
    assert len(frames["stations"]) == programme.tiers[0].n
    assert len(frames["candidates"]) == programme.candidates
    assert len(frames["requests"]) == programme.requests
    assert not set(frames["stations"]["building_id"]) & set(frames["candidates"]["building_id"])


def test_houses_of_a_grid_town_stand_apart_and_each_in_its_area(town):
    houses, areas = town.frames["buildings"], town.frames["areas"].set_index("area_id")
    first, second = shapely.STRtree(houses.geometry.values).query(houses.geometry.values, predicate="intersects")
    assert (first == second).all()
    own = areas.geometry.loc[houses["area_id"]].to_numpy()
    assert shapely.contains(own, town.frames["entrances"].geometry.to_numpy()).all()


def test_the_same_side_and_seed_make_the_same_grid_town(town):
    again, other = make_grid(23), make_grid(23, seed=8)
    assert np.array_equal(town.streets.xy_m, again.streets.xy_m)
    assert not np.array_equal(town.streets.xy_m, other.streets.xy_m)
    for name, frame in town.frames.items():
        assert frame.equals(again.frames[name])


def test_a_grid_town_has_everything_down_to_its_smallest_side():
    smallest = make_grid(LEAST_SIDE)
    assert all(len(smallest.frames[name]) for name in ("areas", "stations", "candidates", "requests"))
    with pytest.raises(ValueError, match="at least 4 crossings on a side, not 3"):
        make_grid(LEAST_SIDE - 1)
