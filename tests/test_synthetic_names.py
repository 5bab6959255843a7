"""The names of a made-up city: of its areas, and of what stands in them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.synthetic.cells import plan_cells
from lifecircle.synthetic.city import City, random_of
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.names import area_tree
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.streets import street_names
from lifecircle.synthetic.tree import scaled_tree

NAMED = [name for name in PROGRAMMES if name != "grid"]


@pytest.fixture(scope="module", params=NAMED)
def city(request: pytest.FixtureRequest) -> City:
    return make_city(PROGRAMMES[request.param], size=0.1)


def homes(city: City) -> pd.DataFrame:
    """The buildings that hold residents."""
    residents = city.frames["residents"]
    return city.frames["buildings"].set_index("building_id").loc[residents["building_id"][residents["residents"] > 0]]


# --------------------------------------------------------------------------- areas


@pytest.mark.parametrize("name", NAMED)
def test_siblings_differ_in_name_and_so_do_all_subdistricts_townships_and_service_areas(name: str) -> None:
    areas = area_tree(name)
    assert not areas.duplicated(["parent_id", "name"]).any()
    made_up = areas[areas["level"].isin(["subdistrict", "township", "service_area"])]
    assert len(made_up)
    assert not made_up.duplicated(["level", "name"]).any()


@pytest.mark.parametrize("name", NAMED)
def test_no_made_up_area_is_named_after_a_street_a_market_or_a_direction(name: str) -> None:
    areas = area_tree(name)
    made_up = areas["name"][areas["level"].isin(["subdistrict", "township", "service_area"])]
    words = made_up.str.replace("(街道|镇|乡|服务区)$", "", regex=True)
    assert (words != made_up).all()
    assert words[words.str.contains("[街路集东西南北]|果岭")].empty


@settings(max_examples=20)
@given(st.sampled_from(NAMED), st.floats(0.01, 1.0))
def test_an_ordinal_stands_only_where_names_have_run_out(name: str, size: float) -> None:
    programme = PROGRAMMES[name]
    named, tree = area_tree(name), scaled_tree(programme, size)
    n_names = named.groupby("parent_id").size()
    again = tree["name"].str.contains(r"第\d+")
    for level in programme.levels:
        here = tree["level"] == level
        if here.sum() <= n_names.loc[tree["parent_id"][here].unique()].sum():
            assert not again[here].any()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("size", [0.03, 0.1, 0.3, 0.5])
def test_a_small_city_bears_only_the_names_of_the_list(name: str, size: float) -> None:
    tree = scaled_tree(PROGRAMMES[name], size)
    assert set(tree["name"]) <= set(area_tree(name)["name"])


@settings(max_examples=20)
@given(st.sampled_from(NAMED), st.floats(0.01, 3.0))
def test_each_level_has_its_share_of_areas_and_of_the_largest_all_stay_that_can_have_a_child(
    name: str, size: float
) -> None:
    programme = PROGRAMMES[name]
    whole, found = (tree["level"].value_counts() for tree in (area_tree(name), scaled_tree(programme, size)))
    for level in programme.levels[1:]:
        assert found[level] == max(1, round(whole[level] * size))
    top, second = programme.levels[:2]
    assert found[top] == min(whole[top], found[second])


@settings(max_examples=20)
@given(st.sampled_from(NAMED), st.floats(0.02, 3.0))
def test_a_subdistrict_or_township_and_the_smallest_area_in_it_name_one_place(name: str, size: float) -> None:
    programme = PROGRAMMES[name]
    tree = scaled_tree(programme, size).set_index("area_id")
    place = tree[tree["level"] == programme.levels[-1]]
    above = place["parent_id"]
    for _ in programme.levels[2:-1]:
        above = above.map(tree["parent_id"])
    assert not pd.DataFrame({"above": above.map(tree["name"]), "name": place["name"]}).duplicated().any()


# --------------------------------------------------------------------------- addresses


def test_an_address_leads_to_one_home(city: City) -> None:
    address = homes(city)["address"]
    assert not address.duplicated().any()
    assert address.str.fullmatch(r".+(社区|村)(\D{2}[东西南北][路街])?[1-9]\d*(号|号院.+)").all()


def test_an_address_begins_with_the_township_where_another_has_a_community_of_that_name(city: City) -> None:
    buildings, areas = homes(city), city.frames["areas"].set_index("area_id")
    smallest = areas[areas["level"] == city.programme.levels[-1]]
    above = smallest["parent_id"]
    for _ in city.programme.levels[2:-1]:
        above = above.map(areas["parent_id"])
    twice = smallest["name"].duplicated(keep=False)
    begins = smallest["name"].where(~twice, above.map(areas["name"]) + smallest["name"]).loc[buildings["area_id"]]
    assert all(address.startswith(place) for address, place in zip(buildings["address"], begins, strict=True))


@pytest.fixture(scope="module")
def town() -> City:
    return make_city(PROGRAMMES["fushun"], size=0.1)


def test_a_compound_of_the_town_has_its_address_by_a_street_nearby(town: City) -> None:
    buildings, tags = town.frames["buildings"], town.streets.tags
    by_street = buildings["address"].str.extract(r"(\D{2}[东西南北][路街])\d+号", expand=False).dropna()
    assert len(by_street) > 0.3 * len(buildings)
    apartments = buildings.index[buildings["kind"] == "apartments"]
    assert apartments.isin(by_street.index).mean() > 0.9
    of = np.repeat(np.arange(len(tags)), np.diff(town.streets.indptr))
    lines = pd.Series(shapely.linestrings(town.streets.xy_m[town.streets.node], indices=of))
    street = lines.groupby(tags["name"].to_numpy()).agg(shapely.multilinestrings)
    off_m = shapely.distance(street.loc[by_street].to_numpy(), buildings.geometry.loc[by_street.index].to_numpy())
    assert np.median(off_m) < 100.0
    assert off_m.max() < 656.0, "the longest side of a cell"


def test_the_two_sides_of_a_street_have_odd_and_even_numbers(town: City) -> None:
    address = (
        town.frames["buildings"]["address"].str.extract(r"(?P<street>\D{2}[东西南北][路街])(?P<number>\d+)号").dropna()
    )
    for _, numbers in address.drop_duplicates()["number"].astype(int).groupby(address["street"]):
        for parity in (0, 1):
            side = sorted(numbers[numbers % 2 == parity])
            assert side == list(range(2 - parity, 2 * len(side) + 1, 2)), "counted from 1 without a gap"


# --------------------------------------------------------------------------- streets


@pytest.mark.parametrize("name", ["fushun", "puyang"])
@pytest.mark.parametrize("size", [0.1, 0.3, 1.0])
def test_streets_are_southern_and_northern_from_the_river_and_western_and_eastern_from_the_middle(
    name: str, size: float
) -> None:
    cells = plan_cells(PROGRAMMES[name], size, random_of(7, "cells"))
    streets = pd.Series(street_names(cells))
    column, row = cells.edge[:, 0] // (cells.n_rows + 1), cells.edge[:, 0] % (cells.n_rows + 1)
    middle = cells.n_rows // 2  # the river's own row where there is one
    quay = streets.str.startswith("滨河")
    for ending, beyond, split in (("街", row, middle), ("路", column, cells.n_columns // 2)):
        of = streets.str.endswith(ending) & ~quay
        later = (beyond >= split)[of]
        assert (streets[of].str[-2].isin(list("北东")) == later).all()
        assert 0 < later.sum() < of.sum()


def test_no_street_bears_a_direction_in_its_own_name_or_the_name_of_another_street() -> None:
    cells = plan_cells(PROGRAMMES["fushun"], 1.0, random_of(7, "cells"))
    streets = pd.Series(street_names(cells))
    named = streets[~streets.str.startswith("滨河") & (streets != "")]
    assert not named.str[:2].str.contains("[东西南北中]").any()
    column, row = cells.edge[named.index, 0] // (cells.n_rows + 1), cells.edge[named.index, 0] % (cells.n_rows + 1)
    line = pd.Series(column, named.index).where(named.str.endswith("街"), -1 - row)
    assert pd.DataFrame({"name": named.str[:2], "line": line}).drop_duplicates()["name"].is_unique
    assert re.fullmatch("(.{2}[东西南北][路街])+", "".join(named))
