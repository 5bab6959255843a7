"""What heights do to walking: hills, bridges, rasters that do not fit, and heights that nobody knows."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from rasterio import Affine

from layers import ways
from lifecircle.errors import SourceError
from lifecircle.model import Walking
from lifecircle.network import tobler_factor
from lifecircle.readers.metric import local_crs, project
from lifecircle.readers.osm import read_osm
from lifecircle.readers.streets import ways_of_osm
from lifecircle.routing import nearest, snap, within
from lifecircle.streets import walking_streets
from lifecircle.terrain import MAX_CELLS, divided, flat_metres, read_terrain
from oracle import nearest_costs

UTM = CRS.from_epsg(32651)
EAST, NORTH = 400_000.0, 4_600_000.0
"""Where the tests' city lies: its (0, 0), metres in UTM zone 51 N."""


def spot(*points):
    return np.add(points, [EAST, NORTH])


def from_origin(west, north, cell):
    """Return the place of a raster: its north-western corner and the size of a cell, in its CRS."""
    return Affine(cell, 0, west, 0, -cell, north)


def raster(path, height, *, cell_m=10.0, west=-500.0, north=500.0, crs=UTM, **profile):
    """Write heights, rows from north to south, whose north-western corner lies at (west, north)."""
    height = np.asarray(height)
    rows, columns = height.shape
    profile = {
        "nodata": None,
        "dtype": height.dtype,
        "transform": from_origin(EAST + west, NORTH + north, cell_m),
    } | profile
    with rasterio.open(path, "w", driver="GTiff", width=columns, height=rows, count=1, crs=crs, **profile) as file:
        file.write(height, 1)
    return path


def ground(height_at, *, cell_m=10.0, size_m=1000.0):
    """Return the heights of a square around (0, 0): ``height_at(x, y)`` at the middle of each cell."""
    middle = np.arange(cell_m / 2, size_m, cell_m) - size_m / 2
    return height_at(*np.meshgrid(middle, -middle)).astype(np.float32)


def streets_of(*lines, ele=None):
    """Return a street layer around the tests' city; ``ele`` are heights that nodes bear, by spot."""
    return ways(*lines, nodes={p: {"ele": height} for p, height in (ele or {}).items()}, origin=(EAST, NORTH))


def walked(path, streets):
    return walking_streets(streets, Walking(), elevation=path and read_terrain(path, UTM, streets.xy_m))


def rules_of(streets):
    return {f.rule: (f.ids, f.count) for f in streets.findings}


LINE = ("line", {}, [(-200, 0), (200, 0)])


def test_a_street_up_a_plane_is_slow_up_and_quick_down_by_hand(tmp_path):
    slope = raster(tmp_path / "slope.tif", ground(lambda x, y: 100 + 0.1 * x))
    network = walked(slope, streets_of(LINE)).network
    assert network.forward_m[0] == pytest.approx(400 / 0.7046881, rel=1e-4)  # exp(-3.5 x 0.1)
    assert network.backward_m[0] == pytest.approx(400, rel=1e-4)  # as fast as the flat: 0.05 below and above the best


def test_a_hill_between_two_crossings_counts_although_both_are_level(tmp_path):
    hill = raster(tmp_path / "hill.tif", ground(lambda x, y: np.maximum(0, 40 - 0.2 * np.abs(x))))
    network = walked(hill, streets_of(LINE)).network
    by_hand = 200 / tobler_factor(0.2) + 200 / tobler_factor(-0.2)
    assert network.forward_m[0] == pytest.approx(by_hand, rel=0.05)  # smoothing rounds the ridge
    assert network.backward_m[0] == pytest.approx(by_hand, rel=0.05)  # smoothing rounds the ridge


def test_a_raster_that_scatters_makes_no_hills(tmp_path):
    scatter = np.random.default_rng(7).normal(50, 3, (100, 100)).astype(np.float32)
    flat = raster(tmp_path / "scatter.tif", scatter, cell_m=30, west=-1500, north=1500)
    network = walked(flat, streets_of(("line", {}, [(-1200, 3), (1200, 700)]))).network
    assert network.forward_m[0] == pytest.approx(network.length_m[0], rel=0.01)


@pytest.mark.parametrize("cut", [1, 4])
def test_a_bridge_runs_level_over_its_valley(tmp_path, cut):
    valley = raster(tmp_path / "valley.tif", ground(lambda x, y: np.where(np.abs(x) < 60, 0.0, 50.0)))
    banks = [("west", {}, [(-200, 0), (-100, 0)]), ("east", {}, [(100, 0), (200, 0)])]
    ends = np.linspace(-100, 100, cut + 1)
    deck = [(f"deck{i}", {"bridge": "yes"}, [(a, 0), (b, 0)]) for i, (a, b) in enumerate(pairwise(ends))]
    street = [("deck", {}, [(-100, 0), (100, 0)])]
    bridged, not_bridged = (walked(valley, streets_of(*banks, *way)).network for way in (deck, street))
    assert bridged.forward_m.sum() == pytest.approx(400, rel=1e-6)
    assert not_bridged.forward_m.sum() > 800


def test_a_bridge_between_banks_of_two_heights_is_one_slope(tmp_path):
    bank = raster(tmp_path / "banks.tif", ground(lambda x, y: np.where(x < -60, 30.0, np.where(x > 60, 50.0, 0.0))))
    banks = [("west", {}, [(-200, 0), (-100, 0)]), ("east", {}, [(100, 0), (200, 0)])]
    deck = [("d1", {"bridge": "yes"}, [(-100, 0), (-30, 0)]), ("d2", {"bridge": "viaduct"}, [(-30, 0), (100, 0)])]
    stairs = ("stairs", {"highway": "steps"}, [(-30, 0), (-30, -20)])
    network = walked(bank, streets_of(*banks, *deck, stairs)).network
    of_deck = np.isclose(network.length_m, 70) | np.isclose(network.length_m, 130)
    assert network.forward_m[of_deck].sum() == pytest.approx(200 / tobler_factor(0.1), rel=1e-4)


def test_a_tunnel_runs_level_through_its_hill(tmp_path):
    hill = raster(tmp_path / "hill.tif", ground(lambda x, y: np.where(np.abs(x) < 60, 90.0, 10.0)))
    lines = [
        ("w", {}, [(-200, 0), (-100, 0)]),
        ("t", {"tunnel": "yes"}, [(-100, 0), (100, 0)]),
        ("e", {}, [(100, 0), (200, 0)]),
    ]
    assert walked(hill, streets_of(*lines)).network.forward_m.sum() == pytest.approx(400, rel=1e-6)


def test_a_footbridge_with_steps_at_both_ends_is_level(tmp_path):
    slope = raster(tmp_path / "slope.tif", ground(lambda x, y: 100 + 0.1 * x))
    stairs = [(f"s{x}", {"highway": "steps"}, [(x, 0), (x, 30)]) for x in (-50, 50)]
    network = walked(slope, streets_of(LINE, *stairs, ("deck", {"bridge": "yes"}, [(-50, 30), (50, 30)]))).network
    assert network.forward_m[-1] == 100


def test_steps_do_not_pay_for_their_slope_twice(tmp_path):
    slope = raster(tmp_path / "slope.tif", ground(lambda x, y: 100 + 0.4 * x))
    flight = ("flight", {"highway": "steps", "incline": "up"}, [(0, 0), (20, 0)])
    network = walked(slope, streets_of(flight)).network
    assert network.forward_m[0] == pytest.approx(20 * 1.34 / 0.610)


def test_a_way_without_heights_is_walked_as_flat_and_told(tmp_path):
    height = ground(lambda x, y: 100 + 0.1 * x)
    height[:, 50:] = np.nan  # east of 0
    streets = walked(raster(tmp_path / "half.tif", height), streets_of(LINE, ("west", {}, [(-200, 0), (-200, 90)])))
    assert streets.network.forward_m[0] == pytest.approx(200 / 0.7046881 + 200, rel=0.03)
    assert rules_of(streets)["no-height"] == (("line",), 1)


@pytest.mark.parametrize(
    ("mark", "nodata"),
    [(-32768, None), (-9999, -9999), (255, 255), (32767, None)],
    ids=["void", "stated", "byte", "high"],
)
def test_marks_for_unknown_are_no_ground(tmp_path, mark, nodata):
    height = np.full((100, 100), 50, dtype=np.int16)
    height[:, 50:] = mark
    streets = walked(raster(tmp_path / "void.tif", height, nodata=nodata), streets_of(LINE))
    assert streets.network.forward_m[0] == pytest.approx(400)
    assert rules_of(streets)["no-height"] == (("line",), 1)


def test_a_raster_that_misses_part_of_the_city_leaves_the_rest_flat_and_counts_it(tmp_path):
    west = raster(tmp_path / "west.tif", ground(lambda x, y: 100 + 0.1 * x, size_m=1000)[:, :50])
    lines = [(f"row{y}", {}, [(x0, y), (x0 + 100, y)]) for x0 in (-300, 200) for y in range(0, 100, 10)]
    streets = walked(west, streets_of(*lines))
    assert rules_of(streets)["no-height"][1] == 10
    assert sorted(set(streets.network.forward_m.round(3))) == [100, pytest.approx(141.907, abs=0.01)]


def test_a_raster_in_degrees_gives_the_same_walks(tmp_path):
    def height(x, y):
        return 100 + 0.05 * x + 0.03 * y

    lon, lat = Transformer.from_crs(UTM, 4326, always_xy=True).transform(EAST, NORTH)
    step = 1e-4
    degrees = np.meshgrid(lon + (np.arange(120) - 59.5) * step, lat - (np.arange(120) - 59.5) * step)
    x, y = Transformer.from_crs(4326, UTM, always_xy=True).transform(*degrees)
    turned = height(x - EAST, y - NORTH).astype(np.float32)
    place = from_origin(lon - 60 * step, lat + 60 * step, step)
    in_degrees = raster(tmp_path / "degrees.tif", turned, crs=CRS.from_epsg(4326), transform=place)
    in_metres = raster(tmp_path / "metres.tif", ground(height))
    line = streets_of(("line", {}, [(-200, -100), (200, 150)]))
    a, b = (walked(path, line).network for path in (in_degrees, in_metres))
    assert a.forward_m[0] == pytest.approx(b.forward_m[0], rel=1e-4)


def test_heights_between_the_middles_of_cells_lie_on_the_plane(tmp_path):
    plane = raster(tmp_path / "plane.tif", ground(lambda x, y: 100 + 0.1 * x - 0.2 * y))
    points = np.random.default_rng(3).uniform(-400, 400, (500, 2))
    heights = read_terrain(plane, UTM, spot((-450, -450), (450, 450))).at(spot(*points))
    assert heights == pytest.approx(100 + points @ [0.1, -0.2], abs=0.01)


def test_scaled_heights_are_read_in_metres(tmp_path):
    path = raster(tmp_path / "scaled.tif", np.full((100, 100), 1000, dtype=np.int16))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.1,), (20.0,)
    assert read_terrain(path, UTM, spot((0, 0))).at(spot((0, 0))) == pytest.approx(120)


# --------------------------------------------------------------------------- rasters that are not usable


def test_a_raster_of_another_city_is_refused(tmp_path):
    path = raster(tmp_path / "far.tif", np.ones((10, 10), np.float32), west=90_000)
    with pytest.raises(SourceError, match="under none of the streets"):
        read_terrain(path, UTM, spot((0, 0)))


@pytest.mark.parametrize("epsg", [32719, 2154, 3031, 3857])
def test_a_raster_from_the_other_side_of_the_world_is_refused(tmp_path, epsg):
    path = raster(tmp_path / "far.tif", np.ones((10, 10), np.float32), crs=CRS.from_epsg(epsg))
    with pytest.raises(SourceError, match="under none of the streets"):
        read_terrain(path, UTM, spot((0, 0)))


def test_a_raster_smaller_than_a_shoe_does_no_harm(tmp_path):
    place = Affine(1e-3, 0, EAST - 5e-3, 0, -1e-3, NORTH + 5e-3)
    path = raster(tmp_path / "dot.tif", np.full((10, 10), 7, np.float32), transform=place)
    assert read_terrain(path, UTM, spot((0, 0))).at(spot((0, 0), (1, 0))) == pytest.approx([7, np.nan], nan_ok=True)


def test_a_fine_raster_is_read_no_finer_than_its_smoothing_leaves(tmp_path):
    path = raster(
        tmp_path / "fine.tif",
        ground(lambda x, y: 100 + 0.1 * x, cell_m=0.5, size_m=600),
        cell_m=0.5,
        west=-300,
        north=300,
    )
    terrain = read_terrain(path, UTM, spot((-200, -200), (200, 200)))
    assert max(terrain.height_m.shape) < 250
    assert terrain.at(spot((-150, 3), (120, 7))) == pytest.approx([85, 112], abs=0.1)


def test_a_raster_that_knows_no_height_under_any_street_is_refused(tmp_path):
    empty = ground(lambda x, y: np.where(y > 300, 50.0, np.nan))
    path = raster(tmp_path / "empty.tif", empty)
    with pytest.raises(SourceError, match="under none of the streets"):
        read_terrain(path, UTM, spot((-200, 0), (200, 0)))


@pytest.mark.parametrize(
    "crs",
    ['LOCAL_CS["a building site",UNIT["metre",1]]', "EPSG:5773", "EPSG:4978"],
    ids=["a site's own", "heights alone", "from the centre of the Earth"],
)
def test_a_raster_whose_coordinates_are_on_no_map_is_refused(tmp_path, crs):
    path = raster(tmp_path / "site.tif", np.ones((100, 100), np.float32), crs=crs)
    with pytest.raises(SourceError, match="neither geographic nor projected"):
        read_terrain(path, UTM, spot((0, 0)))


def test_a_file_that_is_no_raster_is_refused(tmp_path):
    path = tmp_path / "heights.tif"
    path.write_text("heights", encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be read"):
        read_terrain(path, UTM, spot((0, 0)))


def test_a_list_of_other_files_is_no_raster(tmp_path):
    raster(tmp_path / "real.tif", np.ones((10, 10), np.float32))
    path = tmp_path / "list.vrt"
    path.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>', encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be read"):
        read_terrain(path, UTM, spot((0, 0)))


def test_a_truncated_raster_is_refused(tmp_path):
    path = raster(tmp_path / "torn.tif", np.random.default_rng(1).normal(0, 1, (100, 100)).astype(np.float32))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SourceError, match="cannot be read"):
        read_terrain(path, UTM, spot((0, 0), (400, -400)))


@pytest.mark.parametrize("lack", [{"crs": None}, {"transform": Affine.identity()}], ids=["no CRS", "no place"])
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # the test writes one
def test_a_raster_that_says_not_where_it_lies_is_refused(tmp_path, lack):
    path = raster(tmp_path / "lost.tif", np.ones((10, 10), np.float32), **lack)
    with pytest.raises(SourceError, match="where it lies"):
        read_terrain(path, UTM, spot((0, 0)))


def test_a_picture_of_complex_numbers_holds_no_heights(tmp_path):
    path = raster(tmp_path / "complex.tif", np.ones((100, 100), np.complex64))
    with pytest.raises(SourceError, match="no heights"):
        read_terrain(path, UTM, spot((0, 0)))


def sparse(path, side, **profile):
    """Write a raster of zeros that fills the disk no more than its header."""
    place = from_origin(EAST - side / 2, NORTH + side / 2, 1)
    with rasterio.open(
        path, "w", "GTiff", side, side, 1, UTM, place, "uint8", SPARSE_OK=True, compress="deflate", **profile
    ):
        return path


def test_of_a_huge_raster_only_the_part_under_the_streets_is_read(tmp_path):
    path = sparse(tmp_path / "huge.tif", 100_000, tiled=True)
    terrain = read_terrain(path, UTM, spot((-300, 0), (300, 200)))
    assert terrain.height_m.shape < (300, 800)
    assert terrain.at(spot((10, 20), (9000, 0))).tolist() == [0, pytest.approx(np.nan, nan_ok=True)]


def test_a_city_on_a_raster_that_is_too_fine_is_read_coarser(tmp_path):
    path = sparse(tmp_path / "fine.tif", 6000, tiled=True)
    terrain = read_terrain(path, UTM, spot((-2900, -2900), (2900, 2900)))
    assert terrain.height_m.size <= MAX_CELLS
    assert terrain.at(spot((-2900, 2900))).tolist() == [0]


def test_a_raster_that_cannot_be_read_in_parts_is_refused(tmp_path):
    path = sparse(tmp_path / "strip.tif", 100_000, blockysize=1000)
    with pytest.raises(SourceError, match="tiles"):
        read_terrain(path, UTM, spot((0, 0)))


# --------------------------------------------------------------------------- heights that nodes bear


def test_heights_of_nodes_make_slopes_where_there_is_no_raster():
    line = ("line", {}, [(0, 0), (50, 0), (100, 0)])
    network = walked(None, streets_of(line, ele={(0, 0): "20", (100, 0): "30 m"})).network
    assert network.forward_m[0] == pytest.approx(100 / tobler_factor(0.1))
    assert network.backward_m[0] == pytest.approx(100)


def test_ways_between_nodes_without_heights_are_flat_and_told():
    lines = [("known", {}, [(0, 0), (100, 0)]), ("unknown", {}, [(100, 0), (200, 0), (300, 0)])]
    streets = walked(
        None, streets_of(*lines, ele={(0, 0): "20", (100, 0): "30", (200, 0): "a hill", (300, 0): "99999"})
    )
    assert streets.network.forward_m.tolist() == [pytest.approx(100 / tobler_factor(0.1)), 200]
    assert rules_of(streets)["no-height"] == (("unknown",), 1)


def test_a_mistyped_height_makes_no_street_unwalkable_and_is_told():
    lines = [("short", {}, [(0, 0), (2, 0)]), ("long", {}, [(2, 0), (9000, 0)])]
    flight = ("flight", {"highway": "steps"}, [(0, 0), (0, 1)])
    ele = {(0, 0): "38", (2, 0): "3800", (9000, 0): "38", (0, 1): "45"}
    streets = walked(None, streets_of(*lines, flight, ele=ele))
    assert streets.network.forward_m[0] == pytest.approx(2 * np.exp(3.5), rel=1e-3)
    assert streets.network.backward_m[0] == pytest.approx(2 * np.exp(3.5 * 0.9), rel=1e-3)
    assert rules_of(streets)["too-steep"] == (("short",), 1)  # not the long way, nor steps, which may be steep


@given(rise_m=st.floats(-9500, 9500), run_m=st.floats(1e-9, 1e4))
def test_no_height_makes_a_metre_longer_than_a_climb_of_45_degrees_does(rise_m, run_m):
    flat_m, unknown, steep = flat_metres(np.array([0, 2]), np.array([[0, 0], [run_m, 0]]), np.array([0, rise_m]))
    assert (flat_m <= run_m * np.exp(3.5) * (1 + 1e-12)).all()
    assert not unknown.any()
    assert steep.tolist() == [abs(rise_m / run_m) > 1]


def test_a_city_in_which_no_node_bears_a_height_is_flat_without_remark():
    streets = walked(None, streets_of(LINE))
    assert streets.network.forward_m[0] == 400
    assert rules_of(streets) == {}


@pytest.fixture(scope="module")
def porto_alegre(shared_dir):
    """The streets of Porto Alegre and the heights below them, as a radar saw them from space."""
    folder = shared_dir / "data" / "porto_alegre"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/porto_alegre")
    streets, _ = ways_of_osm(read_osm(folder / "poa_osm.pbf", {"streets": ({"highway": ()},)}))
    crs = local_crs((*streets.xy_m.min(axis=0), *streets.xy_m.max(axis=0)))
    streets = replace(streets, xy_m=project(streets.xy_m, crs))
    return streets, read_terrain(folder / "poa_elevation.tif", crs, streets.xy_m)


def test_a_hilly_city_is_slower_than_its_map_by_what_its_slopes_say(porto_alegre):
    streets, heights = porto_alegre
    flat, hilly = (walking_streets(streets, Walking(), elevation=e).network for e in (None, heights))
    both = np.isfinite(hilly.forward_m) & np.isfinite(hilly.backward_m)
    slower = (hilly.forward_m + hilly.backward_m)[both].sum() / (flat.forward_m + flat.backward_m)[both].sum()
    assert slower == pytest.approx(1.051, abs=0.005)
    assert np.array_equal(hilly.length_m, flat.length_m)
    # Nowhere is a walk quicker than on the flat by more than the best slope gives, exp(3.5 x 0.05).
    assert (hilly.forward_m >= flat.forward_m * np.exp(-0.1751))[both].all()


def test_the_hills_of_a_city_are_no_steeper_than_streets_are(porto_alegre):
    streets, heights = porto_alegre
    network = walking_streets(streets, Walking()).network
    indptr, points = divided(network.shape_indptr, network.shape_xy_m)
    inner = np.ones(len(points) - 1, dtype=bool)
    inner[indptr[1:-1] - 1] = False
    run, rise = (np.hypot(*np.diff(points, axis=0).T)[inner], np.diff(heights.at(points))[inner])
    slope = np.abs(rise[run > 1] / run[run > 1])
    assert np.nanmax(slope) < 0.5
    assert np.nanmedian(slope) < 0.04


def test_what_lies_beyond_the_heights_of_a_city_is_counted(porto_alegre):
    streets, heights = porto_alegre
    found = rules_of(walking_streets(streets, Walking(), elevation=heights))
    beyond = np.isnan(heights.at(streets.xy_m[streets.node])).sum()
    assert 0 < found["no-height"][1] < beyond
    assert "too-steep" not in found


def test_every_walk_of_a_hilly_city_equals_networkx(porto_alegre):
    streets, heights = porto_alegre
    network = walking_streets(streets, Walking(), elevation=heights).network
    assert not network.is_symmetric
    random = np.random.default_rng(7)
    spots = network.xy_m[random.choice(len(network.xy_m), 420, replace=False)] + random.normal(0, 15, (420, 2))
    homes, stations = snap(network, spots[:400]), snap(network, spots[400:])
    _, seconds = nearest(network, stations, homes)
    np.testing.assert_allclose(seconds[:, 0] * 1.2, nearest_costs(network, homes, stations), rtol=0, atol=1e-6)
    walks = within(network, stations, homes, cutoff_s=1800)
    table = np.full((20, 400), np.inf)
    for station in range(20):
        near, walked_s = walks.row(station)
        table[station, near] = walked_s
    nearest_s = np.where(seconds[:, 0] <= 1800, seconds[:, 0], np.inf)
    np.testing.assert_array_equal(table.min(axis=0), nearest_s)
