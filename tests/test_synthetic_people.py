"""The people of a made-up city: who lives in it, and the areas that part its land."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.agreement import check_counts, check_tree
from lifecircle.errors import InfeasibleError
from lifecircle.synthetic.city import Cells, City, random_of
from lifecircle.synthetic.communities import LEAST, part_land, string_cells
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.names import area_tree
from lifecircle.synthetic.people import settle
from lifecircle.synthetic.programme import CELL_KINDS
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.shares import apportion
from lifecircle.synthetic.tree import scaled_tree

FUSHUN = PROGRAMMES["fushun"]
SIZE = 0.1


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(FUSHUN, size=SIZE)


def lattice(columns: int, rows: int, river: int | None) -> Cells:
    """Square cells of 400 m: a river in one row, villages in all others."""
    x, y = np.meshgrid(np.arange(columns + 1), np.arange(rows + 1), indexing="ij")
    kind = np.full((columns, rows), CELL_KINDS.index("village"), dtype=np.int32)
    if river is not None:
        kind[:, river] = CELL_KINDS.index("river")
    none = np.zeros(0, dtype=np.int32)
    crossings = 400.0 * np.column_stack([x.ravel(), y.ravel()])
    sides = np.full((kind.size, 4), -1, dtype=np.int32)
    return Cells(columns, rows, crossings, kind.ravel(), np.ones(kind.size), none.reshape(0, 2), (), none, sides)


# --------------------------------------------------------------------------- whole numbers


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60), st.integers(0, 5000), st.integers(0, 2))
def test_shares_in_whole_numbers_add_up_to_the_total(weights: list[float], total: int, least: int) -> None:
    counts = apportion(weights, total, least=least)
    assert counts.sum() == total
    assert counts.min() >= (least if least * len(weights) <= total else 0)


@given(st.lists(st.floats(0.01, 1e3), min_size=1, max_size=60), st.integers(0, 5000))
def test_nobody_gets_one_more_or_less_than_the_exact_share(weights: list[float], total: int) -> None:
    exact = np.array(weights) / np.sum(weights) * total
    assert (np.abs(apportion(weights, total) - exact) < 1.0 + 1e-9).all()


# --------------------------------------------------------------------------- residents


def test_residents_add_up_to_the_programme(city: City) -> None:
    assert city.frames["residents"]["residents"].sum() == round(FUSHUN.residents * SIZE)


def test_every_residential_building_is_counted_once_and_no_other(city: City) -> None:
    buildings, residents = city.frames["buildings"], city.frames["residents"]
    kinds = buildings.set_index("building_id")["kind"].loc[residents["building_id"]]
    assert residents["building_id"].is_unique
    assert set(kinds) <= {"apartments", "terrace", "house", "dormitory"}
    assert len(residents) == buildings["kind"].isin(set(kinds)).sum()


def test_no_group_is_larger_than_the_residents_it_is_part_of(city: City) -> None:
    residents = city.frames["residents"].rename(columns={"building_id": "target_id"})
    assert not check_counts(residents, ("adult", "aged"))
    assert (residents["residents_65plus"] <= residents["residents_aged"]).all()


def test_the_aged_are_as_many_as_the_census_says(city: City) -> None:
    total = city.frames["residents"].sum(numeric_only=True)
    assert total["residents_aged"] / total["residents"] == pytest.approx(FUSHUN.aged_share, abs=0.01)
    assert total["residents_disabled"] / total["residents"] == pytest.approx(0.06, abs=0.01)
    assert total["residents_low_income"] / total["residents"] == pytest.approx(0.035, abs=0.005)


def test_the_old_town_is_older_than_the_towers() -> None:
    """In one place, so that nothing else differs: the same blocks, once old and once new."""
    cells = lattice(20, 10, None)
    old = (np.arange(200) % 2 == 0).astype(bool)
    kind = np.where(old, CELL_KINDS.index("old"), CELL_KINDS.index("towers")).astype(np.int32)
    box = shapely.box(*np.repeat(400.0 * np.stack(np.divmod(np.arange(200), 10)), 20, axis=1), *np.full((2, 4000), 9e3))
    buildings = pd.DataFrame(
        {
            "building_id": [f"b{i}" for i in range(4000)],
            "kind": "apartments",
            "levels": 6.0,
            "cell": np.repeat(np.arange(200), 20),
            "compound": -1,
            "geometry": box,
        }
    )
    people = settle(buildings, dataclasses.replace(cells, kind=kind), FUSHUN, 0.1, random_of(7, "people"))
    aged = (
        people["residents_aged"].groupby(np.repeat(old, 20)).sum()
        / people["residents"].groupby(np.repeat(old, 20)).sum()
    )
    assert aged[True] > aged[False] + 0.05


def test_neighbours_in_a_compound_are_more_alike_than_strangers(city: City) -> None:
    """Shares of the aged vary between communities by more than chance alone would make them."""
    residents, buildings = city.frames["residents"], city.frames["buildings"].set_index("building_id")
    by_area = residents.groupby(buildings["area_id"].loc[residents["building_id"]].to_numpy()).sum(numeric_only=True)
    share = by_area["residents_aged"] / by_area["residents"]
    by_chance = np.sqrt(FUSHUN.aged_share * (1 - FUSHUN.aged_share) / by_area["residents"])
    assert share.std() > 3 * by_chance.mean()


# --------------------------------------------------------------------------- areas


def test_areas_part_the_land_at_every_level(city: City) -> None:
    areas = city.frames["areas"]
    land = shapely.union_all(areas.geometry[areas["level"] == "district"].to_numpy())
    for _, level in areas.groupby("level"):
        outlines = level.geometry.to_numpy()
        assert shapely.coverage_is_valid(outlines)
        assert shapely.area(outlines).sum() == pytest.approx(land.area, rel=1e-12)
        assert (shapely.get_type_id(outlines) == shapely.GeometryType.POLYGON).all()


def test_children_part_their_parent_exactly(city: City) -> None:
    areas = city.frames["areas"].set_index("area_id")
    for parent, children in areas[areas["parent_id"] != ""].groupby("parent_id"):
        together = shapely.coverage_union_all(children.geometry.to_numpy())
        assert shapely.equals(together, areas.geometry[parent])


def test_the_areas_are_a_tree_and_its_residents_add_up(city: City) -> None:
    areas, buildings = city.frames["areas"], city.frames["buildings"].set_index("building_id")
    assert not check_tree(areas)
    residents = city.frames["residents"]
    held = residents["residents"].groupby(buildings["area_id"].loc[residents["building_id"]].to_numpy()).sum()
    for level in FUSHUN.levels[::-1]:
        assert set(held.index) == set(areas["area_id"][areas["level"] == level])
        assert held.sum() == round(FUSHUN.residents * SIZE)
        held = held.groupby(areas.set_index("area_id")["parent_id"].loc[held.index].to_numpy()).sum()


def test_buildings_lie_in_the_area_that_they_name(city: City) -> None:
    buildings = city.frames["buildings"].iloc[::7]
    outline = city.frames["areas"].set_index("area_id").geometry.loc[buildings["area_id"]]
    assert shapely.covers(outline.to_numpy(), buildings.geometry.to_numpy()).all()


@pytest.mark.parametrize("seed", range(6))
def test_no_village_is_a_handful_of_farmhouses(seed: int) -> None:
    frames = make_city(PROGRAMMES["puyang"], size=0.02, seed=seed).frames
    residents, buildings = frames["residents"], frames["buildings"].set_index("building_id")
    held = residents["residents"].groupby(buildings["area_id"].loc[residents["building_id"]].to_numpy()).sum()
    assert held.min() >= LEAST


def test_at_its_own_size_a_programme_has_its_own_areas() -> None:
    for programme in PROGRAMMES.values():
        named = area_tree(programme.name)
        pd.testing.assert_frame_equal(
            scaled_tree(programme, 1.0).sort_values("area_id", ignore_index=True),
            named.sort_values("area_id", ignore_index=True),
        )


@settings(max_examples=20)
@given(st.sampled_from(sorted(PROGRAMMES)), st.floats(0.02, 3.0))
def test_at_any_size_every_area_has_a_name_and_a_place_in_the_tree(name: str, size: float) -> None:
    programme = PROGRAMMES[name]
    tree = scaled_tree(programme, size)
    named = (area_tree(name)["level"] == programme.levels[-1]).sum()
    assert tree["area_id"].is_unique
    assert not check_tree(tree)
    counts = tree["level"].value_counts()
    assert counts[programme.levels[-1]] == max(round(named * size), counts[programme.levels[-2]])
    assert set(tree["area_id"]) - set(tree["area_id"][tree["level"] == programme.levels[-1]]) == set(
        tree["parent_id"]
    ) - {""}


@given(st.integers(1, 24), st.integers(3, 24), st.booleans(), st.data())
def test_cells_follow_each_other_as_neighbours(columns: int, rows: int, wet: bool, data: st.DataObject) -> None:
    """So every run of them is one piece; at the river's eastern end the curve steps over it."""
    river = data.draw(st.integers(1, rows - 1)) if wet else None
    cells = lattice(columns, rows, river)
    path, beside = string_cells(cells)
    dry = cells.kind != CELL_KINDS.index("river")
    assert sorted(path) == np.flatnonzero(dry).tolist()
    i, j = np.divmod(path, rows)
    steps = np.abs(np.diff(i)) + np.abs(np.diff(j))
    over = (np.diff(j) == 2) & (i[:-1] == columns - 1)
    assert ((steps == 1) | (wet & over)).all()
    assert dry[beside].all()
    assert (np.abs(np.divmod(beside, rows)[1] - np.arange(len(beside)) % rows) <= 1).all()


def test_fushun_lies_about_its_river_as_it_should() -> None:
    """望花 in the south-west, 新抚 south of the centre, 东洲 in the east and 顺城 north of the river."""
    cells = lattice(60, 21, 10)
    homes = np.flatnonzero(cells.kind != CELL_KINDS.index("river"))
    buildings = pd.DataFrame({"building_id": homes.astype(str), "cell": homes})
    residents = pd.DataFrame({"building_id": homes.astype(str), "residents": 1000})
    areas, area_of_cell = part_land(cells, buildings, residents, FUSHUN, 1.0, "EPSG:32651")
    middle = areas[areas["level"] == "district"].set_index("area_id").geometry.centroid
    wanghua, xinfu, dongzhou, shuncheng = (middle[i] for i in ("210404", "210402", "210403", "210411"))
    assert wanghua.x < xinfu.x < dongzhou.x
    assert max(wanghua.y, xinfu.y, dongzhou.y) < 10 * 400.0
    assert shuncheng.y > 11 * 400.0
    assert len(set(area_of_cell)) == 303


def test_land_with_too_few_villages_is_refused_with_the_reason() -> None:
    cells = lattice(4, 4, None)
    buildings = pd.DataFrame({"building_id": ["b1", "b2"], "cell": [1, 2]})
    residents = pd.DataFrame({"building_id": ["b1", "b2"], "residents": [40, 40]})
    with pytest.raises(InfeasibleError, match=r"157 areas of the level community .* has 2"):
        part_land(cells, buildings, residents, PROGRAMMES["qiandongnan"], 1.0, "EPSG:32651")
