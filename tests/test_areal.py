"""Residents of cells and areas of any shape come onto buildings of any shape, and their totals stay what they are."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.demand import place_residents
from lifecircle.readers.metric import holder
from lifecircle.readers.placing import settle
from lifecircle.study import open_study
from tiny import write_city

CRS = "EPSG:32651"
COLUMNS = ("residents", "residents_old")
SIDE_M = 400.0
SHAPES = ("star", "ring", "several", "sliver", "box", "same")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_city(tmp_path_factory.mktemp("areal")))


def star(random, centre, most_m):
    """An outline with a corner in every direction, each as far away as chance has it."""
    turn = np.sort(random.uniform(0, 2 * np.pi, random.integers(5, 12)))
    far_m = random.uniform(0.2, 1.0, len(turn)) * most_m
    shape = shapely.Polygon(centre + np.column_stack([np.cos(turn), np.sin(turn)]) * far_m[:, None])
    valid = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return valid if shapely.area(valid) > 0 else shapely.box(*(centre - 1), *(centre + 1))


def outline(random, kind, most_m):
    """A polygon as maps have them: with a hole, of several parts, thinner than a wall, on a border all share."""
    centre = random.uniform(0, SIDE_M, 2)
    if kind == "ring":
        return shapely.difference(star(random, centre, most_m), shapely.Point(centre).buffer(most_m / 10))
    if kind == "several":
        return shapely.union(star(random, centre, most_m / 2), star(random, random.uniform(0, SIDE_M, 2), most_m / 2))
    if kind == "sliver":
        return shapely.box(*centre, centre[0] + most_m, centre[1] + 1e-4)
    if kind == "box":  # borders on a lattice, so that many touch
        west, south = np.floor(centre / 50) * 50
        return shapely.box(west, south, west + 50, south + 50)
    return shapely.box(100, 100, 300, 300) if kind == "same" else star(random, centre, most_m)


def frame_of(columns, shapes):
    solid = [s for s in shapes if shapely.area(s) > 0]
    return gpd.GeoDataFrame({name: value(len(solid)) for name, value in columns.items()}, geometry=solid, crs=CRS)


@st.composite
def towns(draw):
    """Buildings, cells and areas that overlap, touch and miss each other as they like; some buildings are points."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def outlines(most_m, at_most):
        kinds = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=at_most))
        return [outline(random, kind, most_m) for kind in kinds]

    def named(letter):
        return lambda n: [f"{letter}{i}" for i in range(n)]

    def always(value):
        return lambda n: [value] * n

    areas = frame_of(
        {"area_id": named("a"), "name": always(""), "level": always("community"), "parent_id": always("")},
        outlines(300.0, 6),
    )
    kinds = np.array(["house", "yes", "office"])
    buildings = frame_of(
        {"building_id": named("b"), "name": always(""), "address": always("")}
        | {"kind": lambda n: random.choice(kinds, n), "levels": lambda n: random.choice([1.0, 6.0, np.nan], n)}
        | {"min_level": always(0.0), "other_use": always(False), "underground": always(False)},
        outlines(40.0, 12),
    )
    of_points = random.random(len(buildings)) < 0.1
    places = np.where(of_points, shapely.point_on_surface(buildings.geometry), buildings.geometry)
    buildings = buildings.set_geometry(gpd.GeoSeries(places, crs=CRS))
    buildings["area_id"] = holder(buildings, areas, "area_id")
    cells = frame_of(
        {"by": always("cell"), "target_id": named("row ")}
        | {"residents": lambda n: random.uniform(100, 5000, n), "residents_old": lambda n: random.uniform(0, 100, n)},
        outlines(300.0, 8),
    )
    points = frame_of(
        {"by": always("point"), "target_id": named("row "), "residents": lambda n: random.uniform(0, 9, n)}
        | {"residents_old": always(0.0)},
        outlines(1.0, 5),
    )
    points = points.set_geometry(shapely.centroid(points.geometry.values), crs=CRS)
    totals = pd.DataFrame({"by": "area", "target_id": areas["area_id"], "residents": 1e6 / 7, "residents_old": 12.5})
    return areas, buildings, cells, points, totals


def placed(study, town, *sources):
    areas, buildings = town[:2]
    residents, found = settle(sources, buildings, areas)
    assert {b.rule for b in found if b.severity == "error"} <= {"cells-overlap"}  # it is told, and no one is lost by it
    demand = place_residents(dataclasses.replace(study, areas=areas, buildings=buildings, residents=residents))
    assert (demand.residents >= 0).all(axis=None)
    return demand


def everyone(demand, column):
    return demand.residents[column].sum() + demand.unplaced[column].sum()


@settings(max_examples=40)
@given(towns())
def test_cells_of_any_shape_keep_their_residents_however_they_overlap(study, town):
    _, _, cells, _, _ = town
    demand = placed(study, town, cells)
    for column in COLUMNS:
        assert everyone(demand, column) == pytest.approx(cells[column].sum(), abs=1e-6)


@settings(max_examples=40)
@given(towns())
def test_areas_of_any_shape_keep_their_residents_though_a_building_lies_in_two(study, town):
    _, buildings, _, _, totals = town
    demand = placed(study, town, totals)
    for column in COLUMNS:
        here = demand.residents[column].groupby(buildings["area_id"]).sum()
        lost = demand.unplaced.groupby("area_id")[column].sum()
        for area, total in zip(totals["target_id"], totals[column], strict=True):
            assert here.get(area, 0.0) + lost.get(area, 0.0) == pytest.approx(total, abs=1e-6)


@settings(max_examples=40)
@given(towns())
def test_what_points_count_in_a_cell_is_taken_from_it_once_and_no_one_else_is_lost(study, town):
    _, _, cells, points, _ = town
    residents, _ = settle([points, cells], town[1], town[0])
    of_points = residents[residents["by"] == "point"]["residents"].sum()
    alone = cells.iloc[:1].reset_index(drop=True)
    demand = placed(study, town, points, alone)
    inside = everyone(demand, "residents") - points["residents"].sum()
    assert alone["residents"].sum() - of_points - 1e-6 <= inside <= alone["residents"].sum() + 1e-6


@settings(max_examples=40)
@given(towns())
def test_areas_keep_their_residents_whatever_cells_and_points_say_within_them(study, town):
    areas, buildings, cells, points, totals = town
    few = cells.assign(residents_old=cells["residents_old"] / 1000)
    demand = placed(study, town, points, few, totals)
    here = demand.residents["residents"].groupby(buildings["area_id"]).sum()
    lost = demand.unplaced.groupby("area_id")["residents"].sum()
    for area in areas["area_id"]:
        assert here.get(area, 0.0) + lost.get(area, 0.0) == pytest.approx(1e6 / 7, abs=1e-6)
