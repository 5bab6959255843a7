"""The land of a made-up city: its cells and main streets, its heights, its street layer."""

from __future__ import annotations

from dataclasses import fields

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.model import StreetWays
from lifecircle.readers.metric import local_crs
from lifecircle.synthetic.cells import SUBURBS, plan_cells
from lifecircle.synthetic.city import Blocks, Cells, Heights, Lines, random_of
from lifecircle.synthetic.edges import BRIDGE, REACHED, UNDERPASS, behind_railway, railway_line, river_row
from lifecircle.synthetic.programme import CELL_KINDS, Programme
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.relief import MARGIN_M, raise_heights
from lifecircle.synthetic.streets import land_barriers, lay_streets
from lifecircle.walkability import walkability

FUSHUN = PROGRAMMES["fushun"]
LON, LAT = FUSHUN.lonlat
METRES: CRS = local_crs((LON, LAT, LON, LAT))


def cells_of(programme: Programme, size: float, seed: int) -> Cells:
    return plan_cells(programme, size, random_of(seed, "cells"))


def is_kind(cells: Cells, *kinds: str) -> np.ndarray:
    return np.isin(cells.kind, [CELL_KINDS.index(kind) for kind in kinds])


def n_networks(ends: np.ndarray) -> int:
    _, number = np.unique(ends, return_inverse=True)
    a, b = number.reshape(-1, 2).T
    size = number.max() + 1
    return connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)))[0]


def paths_into(cells: Cells) -> Blocks:
    """A path from the middle of each street into the cell beside it, through a gate, and on to its middle by steps."""
    cell, side = np.nonzero((cells.edge_of_side >= 0) & ~is_kind(cells, "river")[:, None])
    corners_m = cells.corners_m
    joint_m = np.round((corners_m[cell, side] + corners_m[cell, (side + 1) % 4]) / 2, 3)
    middle_m = np.round(corners_m.mean(axis=1)[cell], 3)
    gate_m = np.round((joint_m + middle_m) / 2, 3)
    xy_m = np.stack([joint_m, gate_m, gate_m, middle_m], axis=1).reshape(-1, 2)
    ways = Lines(np.arange(0, len(xy_m) + 1, 2), xy_m, pd.DataFrame({"highway": ["footway", "steps"] * len(cell)}))
    nothing = gpd.GeoDataFrame(geometry=[], crs=METRES)
    gates = gpd.GeoDataFrame({"barrier": "gate", "locked": "yes"}, index=cell, geometry=shapely.points(gate_m))
    return Blocks(nothing, nothing, nothing, gates, ways, cells.edge_of_side[cell, side], joint_m)


@pytest.fixture(scope="module")
def cells() -> Cells:
    return cells_of(FUSHUN, 0.1, 7)


@pytest.fixture(scope="module")
def heights(cells: Cells) -> Heights:
    return raise_heights(FUSHUN, cells, random_of(7, "heights"))


@pytest.fixture(scope="module")
def blocks(cells: Cells) -> Blocks:
    return paths_into(cells)


@pytest.fixture(scope="module")
def streets(cells: Cells, blocks: Blocks, heights: Heights) -> StreetWays:
    return lay_streets(cells, blocks, heights)


@pytest.fixture(scope="module")
def lines(streets: StreetWays) -> np.ndarray:
    way = np.repeat(np.arange(len(streets.way_id)), np.diff(streets.indptr))
    return shapely.linestrings(streets.xy_m[streets.node], indices=way)


any_city = given(
    programme=st.sampled_from(list(PROGRAMMES.values())),
    size=st.sampled_from([0.01, 0.05, 0.1, 0.3]),
    seed=st.integers(0, 2**32),
)
few = settings(max_examples=25)


# --------------------------------------------------------------------------- cells and main streets


@few
@any_city
def test_cells_part_the_land_without_gap_or_overlap(programme: Programme, size: float, seed: int) -> None:
    cells = cells_of(programme, size, seed)
    side = np.roll(cells.corners_m, -1, axis=1) - cells.corners_m
    after = np.roll(side, -1, axis=1)
    assert (side[..., 0] * after[..., 1] - side[..., 1] * after[..., 0] > 0).all(), "convex, counter-clockwise"
    crossing = cells.crossing_m.reshape(cells.n_columns + 1, cells.n_rows + 1, 2)
    rim = [crossing[:, 0], crossing[-1, 1:], crossing[-2::-1, -1], crossing[0, -2::-1]]
    land = shapely.Polygon(np.concatenate(rim))
    assert land.is_valid
    assert shapely.area(shapely.polygons(cells.corners_m)).sum() == pytest.approx(land.area)


@few
@any_city
def test_main_streets_are_one_network_that_reaches_every_cell_of_use(
    programme: Programme, size: float, seed: int
) -> None:
    cells = cells_of(programme, size, seed)
    assert n_networks(cells.edge) == 1
    assert (cells.edge_of_side[is_kind(cells, *REACHED)] >= 0).any(axis=1).all()


@few
@any_city
def test_the_street_on_a_side_of_a_cell_runs_between_its_corners(programme: Programme, size: float, seed: int) -> None:
    cells = cells_of(programme, size, seed)
    cell, side = np.nonzero(cells.edge_of_side >= 0)
    ends_m = cells.crossing_m[cells.edge[cells.edge_of_side[cell, side]]]
    corners_m = np.stack([cells.corners_m[cell, side], cells.corners_m[cell, (side + 1) % 4]], axis=1)
    assert np.array_equal(np.sort(ends_m, axis=1), np.sort(corners_m, axis=1))


@few
@any_city
def test_river_and_railway_are_crossed_at_few_places_but_at_some(programme: Programme, size: float, seed: int) -> None:
    cells = cells_of(programme, size, seed)
    row = cells.edge % (cells.n_rows + 1)
    across = row[:, 0] != row[:, 1]
    river, railway = river_row(cells), railway_line(cells)
    over, below = across & (row[:, 0] == river), across & (row[:, 1] == railway)
    assert np.array_equal(over, cells.edge_bridge == BRIDGE)
    assert np.array_equal(below, cells.edge_bridge == UNDERPASS)
    assert (river >= 0) == (programme.land.bridges_every > 0)
    assert (railway >= 0) == (programme.land.crossings_every > 0)
    assert (cells.edge_of_side[behind_railway(cells), 2] == -1).all(), "the track lies before that street"
    for crossed, barred in ((over, river), (below, railway)):
        assert barred < 0 or 2 <= crossed.sum() <= cells.n_columns


@pytest.mark.parametrize("name", [name for name in PROGRAMMES if name != "grid"])
@pytest.mark.parametrize("seed", [7, 8])
def test_every_kind_of_cell_has_its_share_whatever_the_seed(name: str, seed: int) -> None:
    programme = PROGRAMMES[name]
    cells = cells_of(programme, 1.0, seed)
    dry = ~is_kind(cells, "river")
    middle, rim = np.array([programme.land.kinds.get(kind, (0.0, 0.0)) for kind in CELL_KINDS]).T
    town = np.interp(cells.centrality[dry], SUBURBS, (0.0, 1.0))[:, None]
    share = town * middle + (1.0 - town) * rim
    expected = (share / share.sum(axis=1, keepdims=True)).sum(axis=0)
    found = np.bincount(cells.kind[dry], minlength=len(CELL_KINDS))
    assert np.abs(found - expected).max() <= max(5.0, 0.02 * dry.sum())
    assert not found[expected == 0].any()


def test_the_old_town_lies_nearer_to_the_middle_than_villages_and_hills_rise_at_the_rim() -> None:
    cells = cells_of(FUSHUN, 1.0, 7)
    middle_m = cells.corners_m.mean(axis=1)
    central = {kind: cells.centrality[is_kind(cells, kind)].mean() for kind in ("old", "slabs", "village")}
    off_river = {kind: np.abs(middle_m[is_kind(cells, kind), 1]).mean() for kind in ("hills", "old")}
    assert central["old"] > central["slabs"] > central["village"]
    assert off_river["hills"] > 2 * off_river["old"]


def test_size_counts_cells() -> None:
    small, whole = (len(cells_of(FUSHUN, size, 7).kind) for size in (0.1, 1.0))
    assert whole == FUSHUN.land.columns * FUSHUN.land.rows
    assert whole / 10 <= small <= 1.2 * whole / 10


def test_the_same_seed_gives_the_same_land_and_another_seed_another(cells: Cells, heights: Heights) -> None:
    again, other = cells_of(FUSHUN, 0.1, 7), cells_of(FUSHUN, 0.1, 8)
    assert all(np.array_equal(getattr(cells, f.name), getattr(again, f.name)) for f in fields(Cells))
    assert not np.array_equal(cells.crossing_m, other.crossing_m)
    assert np.array_equal(heights.height_m, raise_heights(FUSHUN, again, random_of(7, "heights")).height_m)


# --------------------------------------------------------------------------- heights


def slopes(cells: Cells, heights: Heights, *kinds: str) -> np.ndarray:
    """Slopes in the middle of the cells of these kinds."""
    down, right = np.gradient(heights.height_m, heights.step_m)
    slope = Heights(heights.west_m, heights.north_m, heights.step_m, np.hypot(down, right))
    return slope.at(cells.corners_m[is_kind(cells, *kinds)].mean(axis=1))


@pytest.mark.parametrize("name", ["fushun", "nanming", "qiandongnan"])
def test_hills_are_as_high_as_stated_and_what_is_lived_in_can_be_walked(name: str) -> None:
    programme = PROGRAMMES[name]
    cells = cells_of(programme, 1.0, 7)
    heights = raise_heights(programme, cells, random_of(7, "heights"))
    floor_m = np.median(heights.at(cells.corners_m[is_kind(cells, "river")].mean(axis=1)))
    highest_m = np.quantile(heights.height_m, 0.99) - floor_m
    assert 0.6 * programme.land.relief_m < highest_m < 1.6 * programme.land.relief_m
    lived_in = slopes(cells, heights, "old", "slabs", "towers", "village", "works", "public")
    assert np.quantile(lived_in, 0.85) < 1.5 * programme.land.slope
    assert lived_in.max() < 0.35
    assert np.median(slopes(cells, heights, "hills")) > 2 * np.median(lived_in)


def test_a_mountain_town_climbs_and_a_town_on_a_plain_does_not() -> None:
    steep = {}
    for name in ("qiandongnan", "puyang"):
        cells = cells_of(PROGRAMMES[name], 0.1 if name == "puyang" else 0.5, 7)
        heights = raise_heights(PROGRAMMES[name], cells, random_of(7, "heights"))
        steep[name] = np.quantile(slopes(cells, heights, "old", "slabs", "village"), 0.9)
    assert steep["puyang"] < 0.02
    assert steep["qiandongnan"] > 0.10


def test_the_river_lies_below_its_banks_and_the_valley_falls_downstream(cells: Cells, heights: Heights) -> None:
    crossing_m = cells.crossing_m.reshape(cells.n_columns + 1, cells.n_rows + 1, 2)
    river = river_row(cells)
    south_m, north_m = crossing_m[:, river], crossing_m[:, river + 1]
    water = heights.at((south_m + north_m) / 2)
    assert (water < np.minimum(heights.at(south_m), heights.at(north_m))).all()
    thirds = np.array_split(water, 3)
    assert thirds[0].mean() > thirds[-1].mean()


def test_the_grid_of_heights_reaches_beyond_the_land(cells: Cells, heights: Heights) -> None:
    rows, columns = heights.height_m.shape
    east_m, south_m = heights.west_m + (columns - 1) * heights.step_m, heights.north_m - (rows - 1) * heights.step_m
    low, high = cells.crossing_m.min(axis=0) - MARGIN_M, cells.crossing_m.max(axis=0) + MARGIN_M
    assert heights.west_m <= low[0]
    assert south_m <= low[1]
    assert east_m >= high[0]
    assert heights.north_m >= high[1]


# --------------------------------------------------------------------------- the street layer


def test_all_ways_are_one_network_and_meet_where_they_touch(streets: StreetWays) -> None:
    inner = np.ones(len(streets.node), dtype=bool)
    inner[streets.indptr[1:] - 1] = False
    at = np.flatnonzero(inner)
    assert n_networks(np.column_stack([streets.node[at], streets.node[at + 1]])) == 1
    assert len(np.unique(np.rint(streets.xy_m * 1000), axis=0)) == len(streets.xy_m), "no two nodes in one place"


def test_joints_lie_on_the_straight_way_of_their_street(
    cells: Cells, blocks: Blocks, streets: StreetWays, lines: np.ndarray
) -> None:
    main = lines[: len(lines) - len(blocks.ways.tags)]
    vertices = shapely.multipoints(shapely.get_coordinates(main))
    assert shapely.distance(vertices, shapely.points(blocks.joint_m)).max() < 0.001
    straight = shapely.linestrings(cells.crossing_m[cells.edge])
    tree = shapely.STRtree(shapely.buffer(straight, 0.01))
    inside = tree.query(main, predicate="within")[0]
    assert np.array_equal(np.unique(inside), np.arange(len(main)))
    assert shapely.length(main).sum() == pytest.approx(shapely.length(straight).sum())


def test_ways_and_nodes_are_numbered_in_order(blocks: Blocks, streets: StreetWays) -> None:
    assert list(streets.way_id) == [f"w{i + 1}" for i in range(len(streets.way_id))]
    assert list(streets.node_tags["id"]) == [f"n{row + 1}" for row in streets.node_tags["node"]]
    inner = streets.tags.tail(len(blocks.ways.tags))
    assert list(inner["highway"]) == list(blocks.ways.tags["highway"])


def test_only_bridges_cross_the_water_and_only_ways_below_cross_the_track(
    cells: Cells, streets: StreetWays, lines: np.ndarray
) -> None:
    barriers = land_barriers(cells, METRES).set_index("kind").geometry
    tags = streets.tags
    assert np.array_equal(shapely.intersects(lines, barriers["river"]), (tags["bridge"] == "yes").to_numpy())
    below = (tags["tunnel"] == "yes").to_numpy()
    assert np.array_equal(shapely.intersects(lines, barriers["rail"]), below)
    assert below.sum() == (cells.edge_bridge == UNDERPASS).sum()
    rights = walkability(tags[below])
    assert rights.walked.all()
    assert not rights.private.any()
    assert not rights.snappable.any(), "no home opens into a tunnel"


def test_river_and_track_keep_off_the_cells_and_the_streets_beside_them(cells: Cells) -> None:
    barriers = land_barriers(cells, METRES).set_index("kind").geometry
    squares = shapely.polygons(cells.corners_m)
    assert not shapely.intersects(squares[~is_kind(cells, "river")], barriers["river"]).any()
    assert np.array_equal(shapely.intersects(squares, barriers["rail"]), behind_railway(cells))
    along = shapely.linestrings(cells.crossing_m[cells.edge[cells.edge_bridge == 0]])
    assert shapely.distance(along, barriers["river"]).min() > 10.0
    assert shapely.distance(along, barriers["rail"]).min() > 10.0
    assert barriers.is_valid.all()


def test_gates_and_signals_are_nodes_of_ways(cells: Cells, blocks: Blocks, streets: StreetWays) -> None:
    tags = streets.node_tags
    gates, signals = tags[tags["barrier"] == "gate"], tags[tags["highway"] == "traffic_signals"]
    assert len(gates) == len(blocks.gates)
    assert (gates["locked"] == "yes").all()
    places = shapely.multipoints(shapely.get_coordinates(blocks.gates.geometry.values))
    assert shapely.distance(places, shapely.points(streets.xy_m[gates["node"]])).max() < 0.001
    crossings = shapely.multipoints(cells.crossing_m)
    assert len(signals) > 0
    assert shapely.distance(crossings, shapely.points(streets.xy_m[signals["node"]])).max() < 0.001


def test_a_gate_beside_the_ways_is_refused(cells: Cells, blocks: Blocks, heights: Heights) -> None:
    moved = blocks.gates.set_geometry(shapely.transform(blocks.gates.geometry.values, lambda xy: xy + 0.5))
    elsewhere = Blocks(*(moved if f.name == "gates" else getattr(blocks, f.name) for f in fields(Blocks)))
    with pytest.raises(ValueError, match="gate"):
        lay_streets(cells, elsewhere, heights)


def test_steps_say_whether_they_lead_up(streets: StreetWays, heights: Heights) -> None:
    steps = (streets.tags["highway"] == "steps").to_numpy()
    first, last = streets.node[streets.indptr[:-1]][steps], streets.node[streets.indptr[1:] - 1][steps]
    rises = heights.at(streets.xy_m[last]) >= heights.at(streets.xy_m[first])
    assert np.array_equal(streets.tags["incline"][steps] == "up", rises)
    assert (streets.tags["incline"][~steps] == "").all()


def test_a_street_keeps_its_name_along_its_line(cells: Cells, streets: StreetWays) -> None:
    named = streets.tags[streets.tags["highway"].isin(["primary", "secondary", "tertiary"])]
    assert named["name"].str.fullmatch("[一-龥]{2}[东西南北中][路街]").all()
    assert named["name"].nunique() < len(named) / 2, "streets are longer than a cell"
    assert {"滨河南路", "滨河北路"} <= set(named["name"])
