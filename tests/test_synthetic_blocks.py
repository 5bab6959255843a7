"""What stands in the cells of a made-up city, and how one gets there."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.kinds import RESIDENTIAL_KINDS
from lifecircle.model import FloatArray, LongArray
from lifecircle.readers.metric import local_crs
from lifecircle.synthetic.blocks import build_blocks
from lifecircle.synthetic.blocks.plots import FRONT_M, Frames, divided
from lifecircle.synthetic.blocks.steps import STEEP
from lifecircle.synthetic.cells import plan_cells
from lifecircle.synthetic.city import Blocks, Cells, Heights, random_of
from lifecircle.synthetic.edges import BRIDGE, UNDERPASS
from lifecircle.synthetic.programme import CELL_KINDS
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.relief import raise_heights
from lifecircle.synthetic.streets import TUNNEL_M, land_barriers

MILLIMETRES_M = 0.002
"""What rounding to whole millimetres may move."""

CRS = local_crs((120.0, 40.0, 120.0, 40.0))


@dataclasses.dataclass(frozen=True)
class Town:
    """A small made-up city up to its blocks."""

    cells: Cells
    heights: Heights
    blocks: Blocks

    @property
    def main_streets(self) -> np.ndarray:
        """The straight main streets as lines."""
        return shapely.linestrings(self.cells.crossing_m[self.cells.edge])

    @property
    def ways(self) -> np.ndarray:
        """The ways of the blocks as lines."""
        lines = self.blocks.ways
        return shapely.linestrings(lines.xy_m, indices=np.repeat(np.arange(len(lines.tags)), np.diff(lines.indptr)))


def town_of(name: str, size: float, *, times: float = 1.0) -> Town:
    programme = PROGRAMMES[name]
    cells = plan_cells(programme, size, random_of(7, "cells"))
    cells = dataclasses.replace(cells, crossing_m=np.round(times * cells.crossing_m, 3))
    heights = raise_heights(programme, cells, random_of(7, "heights"))
    return Town(cells, heights, build_blocks(cells, heights, CRS, random_of(7, "blocks")))


@pytest.fixture(scope="module")
def fushun() -> Town:
    """A city with river and railway."""
    return town_of("fushun", 0.1)


@pytest.fixture(scope="module", params=["fushun", "qiandongnan", "puyang", "nanming", "wide"])
def town(request: pytest.FixtureRequest, fushun: Town) -> Town:
    """One of every kind of city, and one whose cells are too wide to be built on all over."""
    if request.param == "fushun":
        return fushun
    return town_of("fushun", 0.02, times=3.0) if request.param == "wide" else town_of(request.param, 0.03)


def pieces(blocks: Blocks) -> tuple[LongArray, LongArray, FloatArray]:
    """The ways cut at all their vertices: the way of each piece, its two ends as numbers of places, and the places."""
    ways = blocks.ways
    size = np.diff(ways.indptr)
    line = np.repeat(np.arange(len(size)), size)
    begin = np.flatnonzero(np.diff(line) == 0)
    place, number = np.unique(ways.xy_m, axis=0, return_inverse=True)
    return line[begin], np.stack([number[begin], number[begin + 1]], axis=1), place


def cut_off(blocks: Blocks) -> FloatArray:
    """The places on ways from which no main street is reached while the locked gates are locked."""
    _, ends, place = pieces(blocks)
    locked = np.isin(_keys(place), _keys(_xy(blocks.gates[blocks.gates["locked"] == "yes"])))
    ends = ends[~locked[ends].any(axis=1)]
    n = len(place)
    _, group = connected_components(coo_array((np.ones(len(ends)), ends.T), shape=(n, n)), directed=False)
    joined = np.isin(_keys(place), _keys(blocks.joint_m))
    assert joined.sum() == len(np.unique(_keys(blocks.joint_m)))
    passed = np.unique(ends)
    return place[passed[~np.isin(group[passed], group[joined])]]


def shortest_piece_m(blocks: Blocks) -> float:
    _, ends, place = pieces(blocks)
    return float(np.hypot(*(place[ends[:, 1]] - place[ends[:, 0]]).T).min())


def test_no_building_touches_another(town: Town) -> None:
    buildings = town.blocks.buildings.geometry.to_numpy()
    one, other = shapely.STRtree(buildings).query(buildings, predicate="intersects")
    assert (one == other).all()
    assert shapely.is_valid(buildings).all()


def test_no_building_leaves_its_cell_or_stands_in_a_street(town: Town) -> None:
    buildings = town.blocks.buildings
    of_cell = shapely.polygons(town.cells.corners_m)[buildings["cell"]]
    assert shapely.covers(of_cell, buildings.geometry.to_numpy()).all()
    tree = shapely.STRtree(buildings.geometry.to_numpy())
    assert not tree.query(town.main_streets, predicate="dwithin", distance=FRONT_M - MILLIMETRES_M).size


def test_in_wide_cells_a_town_is_no_larger_than_one_walks() -> None:
    town = town_of("fushun", 0.02, times=3.0)
    buildings = town.blocks.buildings
    compact = np.isin(town.cells.kind[buildings["cell"]], [CELL_KINDS.index(k) for k in ("old", "slabs", "towers")])
    quarters = buildings[compact].dissolve("cell").geometry
    assert len(quarters) > 5
    assert shapely.minimum_bounding_radius(quarters.to_numpy()).max() < 640.0 / 2**0.5 + MILLIMETRES_M


def test_neither_way_nor_wall_runs_through_a_building(town: Town) -> None:
    tree = shapely.STRtree(town.blocks.buildings.geometry.to_numpy())
    assert not tree.query(town.ways, predicate="intersects").size
    assert not tree.query(town.blocks.barriers.geometry.to_numpy(), predicate="intersects").size


def test_nothing_stands_on_the_railway_and_no_way_of_a_block_crosses_it(fushun: Town) -> None:
    barred = land_barriers(fushun.cells, CRS).geometry.to_numpy()
    assert len(barred) == 2
    assert not shapely.STRtree(fushun.blocks.buildings.geometry).query(barred, predicate="intersects").size
    assert not shapely.STRtree(fushun.ways).query(barred, predicate="intersects").size


def test_every_building_has_a_door_and_every_door_is_on_its_outline(town: Town) -> None:
    buildings, doors = town.blocks.buildings.set_index("building_id"), town.blocks.entrances
    assert set(doors["building_id"]) == set(buildings.index)
    outline = shapely.boundary(buildings.geometry.loc[doors["building_id"]].values)
    assert shapely.distance(outline, doors.geometry.to_numpy()).max() <= MILLIMETRES_M


def test_from_every_door_one_steps_onto_a_way_past_no_building_and_no_wall(town: Town) -> None:
    doors, buildings = town.blocks.entrances, town.blocks.buildings
    lines = np.concatenate([town.ways, town.main_streets])
    door, line = shapely.STRtree(lines).query(doors.geometry, predicate="dwithin", distance=120.0)
    legs = shapely.shortest_line(doors.geometry.to_numpy()[door], lines[line])
    own = pd.Index(buildings["building_id"]).get_indexer(doors["building_id"])[door]
    leg, crossed = shapely.STRtree(buildings.geometry).query(legs, predicate="intersects")
    walled, _ = shapely.STRtree(town.blocks.barriers.geometry).query(legs, predicate="intersects")
    clear = np.ones(len(legs), dtype=bool)
    clear[leg[crossed != own[leg]]] = False
    clear[walled] = False
    assert set(door[clear]) == set(range(len(doors)))


def test_every_way_leads_to_a_main_street_though_some_gates_are_locked(town: Town) -> None:
    assert not len(cut_off(town.blocks))


@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize("kind", ["slabs", "public", "old", "village"])
def test_one_street_on_any_side_is_enough(fushun: Town, side: int, kind: str) -> None:
    only = np.where(np.arange(4) == side, fushun.cells.edge_of_side, -1)
    all_of_a_kind = np.full_like(fushun.cells.kind, CELL_KINDS.index(kind))
    cells = dataclasses.replace(fushun.cells, edge_of_side=only, kind=all_of_a_kind)
    blocks = build_blocks(cells, fushun.heights, CRS, random_of(7, "blocks"))
    assert len(blocks.buildings) > 500
    assert not len(cut_off(blocks))
    assert shortest_piece_m(blocks) > MILLIMETRES_M


def test_ways_join_main_streets_on_them(town: Town) -> None:
    blocks = town.blocks
    street = town.main_streets[blocks.joint_edge]
    assert shapely.distance(street, shapely.points(blocks.joint_m)).max() <= MILLIMETRES_M
    north_end = town.cells.crossing_m[town.cells.edge[blocks.joint_edge, 1]]
    from_end_m = np.hypot(*(blocks.joint_m - north_end).T)
    bridge = town.cells.edge_bridge[blocks.joint_edge]
    assert (bridge != BRIDGE).all()
    assert from_end_m[bridge == UNDERPASS].min(initial=np.inf) > max(TUNNEL_M)


def test_no_way_stands_still(town: Town) -> None:
    assert shortest_piece_m(town.blocks) > MILLIMETRES_M


def test_every_walled_compound_has_a_gate_that_always_opens(fushun: Town) -> None:
    gates, walls = fushun.blocks.gates, fushun.blocks.barriers
    opens = gates[(gates["locked"] == "") & (gates["opening_hours"] == "")]
    assert set(opens["compound"]) == set(gates["compound"])
    assert set(gates["locked"]) == {"", "yes"}
    assert (gates["opening_hours"] != "").any()
    assert set(walls["kind"]) == {"wall"}


def test_two_thirds_of_the_compounds_of_slab_blocks_are_walled(fushun: Town) -> None:
    buildings = fushun.blocks.buildings
    slabs = fushun.cells.kind[buildings["cell"]] == CELL_KINDS.index("slabs")
    compounds = buildings["compound"][slabs & (buildings["compound"] >= 0)].unique()
    assert 0.5 < np.isin(compounds, fushun.blocks.gates["compound"]).mean() < 0.85


def test_walls_are_open_at_gates_and_nowhere_else(fushun: Town) -> None:
    gates, walls = fushun.blocks.gates.geometry.to_numpy(), fushun.blocks.barriers.geometry.to_numpy()
    assert len(walls) == len(gates)
    assert shapely.distance(gates, walls[shapely.STRtree(walls).nearest(gates)]).min() > 2.9
    assert not shapely.STRtree(walls).query(fushun.ways, predicate="intersects").size
    # Where the gaps at gates are closed, every wall is a ring.
    by_end = pd.Series(
        np.tile(np.arange(len(walls)), 2), index=_keys(np.concatenate([_end(walls, 0), _end(walls, -1)]))
    )
    assert by_end.index.is_unique
    closed = shapely.union_all(np.concatenate([walls, _across(walls, gates)]))
    assert len(shapely.get_parts(shapely.polygonize([closed]))) == fushun.blocks.gates["compound"].nunique()


def test_a_private_way_leads_to_a_public_one_only_through_a_gate(fushun: Town) -> None:
    line, ends, place = pieces(fushun.blocks)
    private = (fushun.blocks.ways.tags["access"] == "private").to_numpy()[line]
    both = np.intersect1d(ends[private], ends[~private])
    assert set(_keys(place[both])) == set(_keys(_xy(fushun.blocks.gates)))


def test_lanes_that_climb_are_steps_and_level_ones_are_not(town: Town) -> None:
    line, ends, place = pieces(town.blocks)
    highway = town.blocks.ways.tags["highway"].to_numpy()[line]
    height = town.heights.at(place)
    rise = np.abs(height[ends[:, 1]] - height[ends[:, 0]])
    run = np.hypot(*(place[ends[:, 1]] - place[ends[:, 0]]).T)
    assert (rise <= STEEP * run)[np.isin(highway, ("footway", "living_street"))].all()
    assert (rise > STEEP * run)[highway == "steps"].all()


def test_a_town_on_a_slope_has_steps_up_the_slope_but_not_along_it(fushun: Town) -> None:
    tilted = dataclasses.replace(
        fushun.heights, height_m=np.repeat(np.arange(fushun.heights.height_m.shape[0])[:, None], 2, axis=1) * 10.0,
        step_m=50.0, west_m=-1e6, north_m=float(fushun.cells.crossing_m[:, 1].max()),
    )  # fmt: skip
    ways = build_blocks(fushun.cells, tilted, CRS, random_of(7, "blocks")).ways
    size = np.diff(ways.indptr)
    way = np.repeat(np.arange(len(size)), size - 1)
    begin = np.flatnonzero(np.diff(np.repeat(np.arange(len(size)), size)) == 0)
    along = ways.xy_m[begin + 1] - ways.xy_m[begin]
    northward = np.abs(along[:, 1]) > np.abs(along[:, 0])
    steps = (ways.tags["highway"] == "steps").to_numpy()[way]
    assert steps.sum() > 100
    assert northward[steps].mean() > 0.95


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("slabs", 220, 450), ("towers", 400, 720), ("old", 110, 250), ("village", 10, 60)]
)
def test_quarters_are_as_dense_as_such_quarters_are(fushun: Town, kind: str, low: float, high: float) -> None:
    buildings, cells = fushun.blocks.buildings, fushun.cells
    of = cells.kind == CELL_KINDS.index(kind)
    homes = buildings[buildings["kind"].isin(RESIDENTIAL_KINDS) & of[buildings["cell"]]]
    hectares = shapely.area(shapely.polygons(cells.corners_m[of])).sum() / 1e4
    residents = (homes.area * homes["levels"]).sum() / 32.0  # square metres of floor a head
    assert low < residents / hectares < high


def test_every_kind_of_cell_but_the_river_is_built_on(fushun: Town) -> None:
    built = set(fushun.cells.kind[fushun.blocks.buildings["cell"]].tolist())
    assert {CELL_KINDS[k] for k in built} >= {"village", "works", "public", "old", "slabs", "towers"}
    assert CELL_KINDS.index("river") not in built


def test_every_village_has_one_public_hall_near_its_middle(fushun: Town) -> None:
    buildings = fushun.blocks.buildings
    village = fushun.cells.kind[buildings["cell"]] == CELL_KINDS.index("village")
    halls = buildings[village & (buildings["kind"] == "civic")]
    assert set(halls["name"]) == {"党群服务中心"}
    assert sorted(halls["cell"]) == sorted(buildings["cell"][village].unique())
    middle = shapely.centroid(shapely.polygons(fushun.cells.corners_m[halls["cell"]]))
    assert np.median(shapely.distance(middle, halls.geometry.to_numpy())) < 50.0


def test_blocks_of_a_compound_are_numbered_each_with_its_own_number(fushun: Town) -> None:
    buildings = fushun.blocks.buildings
    numbered = buildings[buildings["name"].str.fullmatch(r"\d+号楼")]
    assert (numbered["compound"] >= 0).all()
    assert not numbered.duplicated(["compound", "name"]).any()
    assert (
        numbered.groupby("compound").size() == numbered["name"].str[:-2].astype(int).groupby(numbered["compound"]).max()
    ).all()


def test_ids_are_those_of_the_rows_and_coordinates_whole_millimetres(fushun: Town) -> None:
    buildings = fushun.blocks.buildings
    assert list(buildings["building_id"][[0, 1]]) == ["b0000001", "b0000002"]
    assert buildings["building_id"].is_monotonic_increasing
    assert buildings["cell"].is_monotonic_increasing
    for xy in (shapely.get_coordinates(buildings.geometry.to_numpy()), fushun.blocks.ways.xy_m, fushun.blocks.joint_m):
        assert np.array_equal(xy, np.round(xy, 3))


def test_the_same_random_numbers_give_the_same_blocks(fushun: Town) -> None:
    again = build_blocks(fushun.cells, fushun.heights, CRS, random_of(7, "blocks"))
    for name in ("buildings", "entrances", "barriers", "gates"):
        one, other = getattr(fushun.blocks, name), getattr(again, name)
        assert one.drop(columns="geometry").equals(other.drop(columns="geometry"))
        assert shapely.to_wkb(one.geometry.to_numpy()).tolist() == shapely.to_wkb(other.geometry.to_numpy()).tolist()
    assert np.array_equal(fushun.blocks.ways.xy_m, again.ways.xy_m)
    assert fushun.blocks.ways.tags.equals(again.ways.tags)
    other = build_blocks(fushun.cells, fushun.heights, CRS, random_of(8, "blocks"))
    assert len(other.buildings) != len(again.buildings)


@given(
    arrays(float, (4, 2), elements=st.floats(-60.0, 60.0)),
    st.floats(0.0, 2 * np.pi),
    st.floats(0.0, 30.0),
)
def test_a_plot_keeps_its_distance_from_all_four_sides(off: FloatArray, turn: float, margin_m: float) -> None:
    square = np.array([[0.0, 0.0], [400.0, 0.0], [400.0, 300.0], [0.0, 300.0]]) + off
    quad = square @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    frames = Frames.inside(quad[None], margin_m)
    box = np.array([[0.0, 0.0, frames.width_m[0], frames.depth_m[0]]])
    inside = shapely.polygons(frames.boxes(np.array([0]), box))[0]
    assert frames.width_m[0] > 0
    assert shapely.Polygon(quad).buffer(1e-6).covers(inside)
    assert shapely.LinearRing(quad).distance(inside) >= margin_m - 1e-6


@given(st.lists(st.tuples(st.floats(10.0, 500.0), st.integers(0, 12)), min_size=1, max_size=8), st.floats(0.0, 0.5))
def test_a_row_is_divided_without_gap_or_overlap(rows: list[tuple[float, int]], spread: float) -> None:
    length, count = (np.array(column) for column in zip(*rows, strict=True))
    row, start, end = divided(length, count, np.random.default_rng(1), spread)
    assert np.array_equal(np.bincount(row, minlength=len(rows)), count)
    for i in np.flatnonzero(count):
        of = row == i
        assert np.allclose(np.append(start[of], length[i]), np.append(0.0, end[of]), atol=1e-6)
        assert (end[of] > start[of]).all()


def _xy(frame: gpd.GeoDataFrame) -> FloatArray:
    return shapely.get_coordinates(frame.geometry.to_numpy())


def _keys(xy_m: FloatArray) -> np.ndarray:
    """Places as single numbers, to the millimetre."""
    x, y = np.rint(xy_m * 1000.0).astype(np.int64).T
    return x * (1 << 32) + y


def _end(lines: np.ndarray, which: int) -> FloatArray:
    return shapely.get_coordinates(shapely.get_point(lines, which))


def _across(walls: np.ndarray, gates: np.ndarray) -> np.ndarray:
    """For each gate the line from the end of one wall to the next across the gate."""
    ends = shapely.points(np.concatenate([_end(walls, 0), _end(walls, -1)]))
    gate, end = shapely.STRtree(ends).query(gates, predicate="dwithin", distance=3.01)
    assert np.array_equal(gate, np.repeat(np.arange(len(gates)), 2))
    return shapely.linestrings(shapely.get_coordinates(ends)[end.reshape(-1, 2)])
