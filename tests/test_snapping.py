"""Places attach to the nearest street that they can walk to in a straight line without crossing a barrier."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from lifecircle import open_study
from lifecircle.dispatch import StationIndex
from lifecircle.network import walk_network
from lifecircle.obstacles import exits
from lifecircle.readers.metric import local_crs
from lifecircle.routing import nearest_walks, snap
from lifecircle.snapping import SnapIndex
from lifecircle.streets import walking_streets

TIE_M = 1e-6
TOUCH_M = 1e-3


@pytest.fixture(scope="module")
def street():
    """A street of 100 m, and one 60 m north of it:

    2 ──────────── 3
    0 ──────────── 1
    """
    return walk_network([[0, 0], [100, 0], [0, 60], [100, 60]], [[0, 1], [2, 3]])


@pytest.fixture(scope="module")
def crossing():
    """Four streets that meet in the middle, the first one from the east."""
    return walk_network([[0, 0], [50, 0], [0, 50], [-50, 0], [0, -50]], [[0, 1], [0, 2], [3, 0], [4, 0]])


# ------------------------------------------------------------------------------------------------------ named cases


def test_a_point_on_a_node_takes_the_first_of_the_streets_that_meet_there(crossing):
    snaps = snap(crossing, [[0, 0], [-3, -3], [-3, -2]])
    assert snaps.segment.tolist() == [0, 2, 2]
    assert snaps.access_m.tolist() == [0, 3, 2]
    turned = walk_network(crossing.xy_m, crossing.ends[::-1])
    assert snap(turned, [[0, 0]]).segment.tolist() == [0]


def test_many_on_one_spot_get_one_and_the_same_leg(street):
    snaps = snap(street, np.tile([[30.0, 20.0]], (50, 1)))
    assert len(snaps.place) == 50
    assert np.unique(np.column_stack([snaps.segment, snaps.fraction, snaps.access_m]), axis=0).tolist() == [
        [0, 0.3, 20]
    ]


def test_a_segment_without_length_can_be_left_and_entered():
    network = walk_network([[0, 0], [0, 0], [100, 0]], [[0, 1], [1, 2]])
    snaps = snap(network, [[-30, 40]])
    assert (snaps.segment[0], snaps.fraction[0], snaps.access_m[0]) == (0, 0.0, 50.0)


def test_of_two_equally_near_spots_of_a_street_the_first_counts():
    horseshoe = walk_network([[0, 0], [0, 40]], [[0, 1]], shapes=[[[0, 0], [60, 0], [60, 40], [0, 40]]])
    snaps = snap(horseshoe, [[30, 20]])
    assert (snaps.fraction[0], snaps.access_m[0]) == (30 / 160, 20.0)


def test_who_is_walled_in_keeps_the_nearest_street_and_is_marked(street):
    walls = shapely.LineString([[40, 10], [60, 10], [60, 30], [40, 30], [40, 10]])
    snaps = snap(street, [[50, 20]], barriers=[walls])
    assert (snaps.segment[0], snaps.access_m[0], snaps.blocked[0]) == (0, 20.0, True)


def test_a_home_on_a_wall_leaves_it_on_either_side(street):
    wall = shapely.LineString([[0, 20], [100, 20]])
    assert snap(street, [[50, 20], [50, 20.0005]], barriers=[wall]).blocked.tolist() == [False, False]
    assert snap(street, [[50, 20.01]], barriers=[wall]).segment.tolist() == [1]


def test_a_courtyard_is_left_through_its_gap_alone(street):
    court = shapely.box(30, 5, 70, 35).difference(shapely.box(35, 10, 65, 30))
    assert snap(street, [[50, 20]], barriers=[court]).blocked.tolist() == [True]
    open_court = court.difference(shapely.box(45, 25, 55, 40))
    snaps = snap(street, [[50, 20]], barriers=[open_court])
    assert (snaps.segment[0], snaps.blocked[0]) == (1, False)


def test_the_house_that_holds_a_home_is_no_barrier_to_it(street):
    house = shapely.box(40, 10, 60, 30)
    assert snap(street, [[50, 20]], barriers=[house]).blocked.tolist() == [False]
    at_the_door = snap(street, [[50, 10]], barriers=[house], max_access_m=55)
    assert (at_the_door.segment[0], at_the_door.blocked[0]) == (0, False)


def test_the_own_building_is_no_barrier_and_the_neighbours_is(street):
    own, neighbour = shapely.box(40, 10, 60, 30), shapely.box(30, 4, 70, 8)
    assert snap(street, [[50, 30]], barriers=[own], own=[0]).segment.tolist() == [0]
    assert snap(street, [[50, 30]], barriers=[own, neighbour], own=[0]).segment.tolist() == [1]


def test_a_river_between_sends_to_the_street_on_this_bank(street):
    river = shapely.LineString([[-500, 12], [500, 8]]).buffer(2)
    snaps = snap(street, [[50, 20]], barriers=[river])
    assert (snaps.segment[0], snaps.access_m[0], snaps.blocked[0]) == (1, 40.0, False)


def test_far_from_every_street_there_is_no_leg(street):
    for far in ([1e4, 0], [-1e7, 3e7], [1e300, 0], [np.inf, 0], [np.nan, np.nan]):
        snaps = snap(street, [far])
        assert len(snaps.place) == 0
        assert snaps.snapped.tolist() == [False]


def test_the_longest_leg_is_inclusive(street):
    assert snap(street, [[50, -250]]).access_m.tolist() == [250.0]
    assert snap(street, [[50, -250.00001]]).snapped.tolist() == [False]
    assert snap(street, [[50, -3e5]], max_access_m=np.inf).access_m.tolist() == [3e5]


def test_a_remnant_serves_only_for_want_of_another_street():
    network = walk_network([[0, 0], [100, 0], [0, 60], [100, 60]], [[0, 1], [2, 3]], remnant=[True, False])
    wall = shapely.LineString([[0, 30], [100, 30]])
    assert snap(network, [[50, 10]]).segment.tolist() == [1]
    assert snap(network, [[50, 10]], max_access_m=40).segment.tolist() == [0]
    assert snap(network, [[50, 10]], barriers=[wall]).segment.tolist() == [0]
    both_ways = snap(network, [[50, 10], [50, 50]], barriers=[wall], place=[0, 0])
    assert both_ways.segment.tolist() == [1]


def test_no_street_at_all_is_no_error():
    nothing = walk_network(np.empty((0, 2)), np.empty((0, 2)))
    assert snap(nothing, [[0, 0]]).snapped.tolist() == [False]


# ------------------------------------------------------------------------------------------------------------- laws


def drawn_town(seed):
    """Return a network, barriers, points and arguments of a random town; its walls stand off the streets' lattice."""
    random = np.random.default_rng(seed)
    n = 10
    nodes, ends = random.integers(0, 25, (n, 2)) * 10.0, random.integers(0, n, (2 * n, 2))
    bends = [random.integers(0, 25, (k, 2)) * 10.0 for k in random.integers(0, 4, 2 * n)]
    shapes = [np.vstack([nodes[a], bend, nodes[b]]) for (a, b), bend in zip(ends, bends, strict=True)]
    network = walk_network(
        nodes, ends, shapes=shapes, snappable=random.random(2 * n) < 0.9, remnant=random.random(2 * n) < 0.15
    )
    barriers = []
    for corner in random.uniform(0, 250, (random.integers(0, 20), 2)):
        house = shapely.box(*corner, *(corner + random.uniform(3, 50, 2)))
        court = house.difference(house.buffer(-4, join_style="mitre"))
        line = shapely.LineString(corner + random.uniform(-40, 40, (3, 2)))
        barriers.append(
            [house, court, line, shapely.MultiPolygon([house, shapely.box(260, 260, 270, 270)])][random.integers(0, 4)]
        )
    points = random.integers(-10, 35, (30, 2)) * 10.0
    own = random.integers(-1, len(barriers), 30)
    return network, barriers, points, own, float(random.choice([15, 60, 250]))


def leg_by_hand(network, segments, barriers, point, own, max_access_m):
    """Return segment, length and whether it crosses of a point's leg, looking at every segment; None without one."""
    legs = []
    for s in segments:
        line = shapely.LineString(network.shape_xy_m[network.shape_indptr[s] : network.shape_indptr[s + 1]])
        length = shapely.distance(line, shapely.Point(point))
        if length > max_access_m + TIE_M:
            continue
        end = np.asarray(line.interpolate(line.project(shapely.Point(point))).coords[0])
        crosses = False
        if length > 0:
            trim = min(TOUCH_M / max(length, TOUCH_M), 0.25) * (end - point)
            leg = shapely.LineString([point + trim, end - trim])
            for number, barrier in enumerate(barriers):
                drawn = barrier.buffer(-TOUCH_M, join_style="mitre") if barrier.area else barrier
                holds = barrier.area and shapely.contains_properly(drawn, shapely.Point(point))
                crosses |= bool(number != own and not holds and drawn.intersects(leg))
        legs.append((s, length, crosses))
    able = [leg for leg in legs if not leg[2]] or legs
    shortest = min((length for _, length, _ in able), default=np.inf)
    return next((leg for leg in able if leg[1] <= shortest + TIE_M), None)


def attached_by_hand(network, barriers, point, own, max_access_m):
    """As `leg_by_hand`, with remnants for want of another street."""
    numbers = np.arange(network.n_segments)
    usual = leg_by_hand(network, numbers[network.snappable & ~network.remnant], barriers, point, own, max_access_m)
    if usual and not usual[2]:
        return usual
    spare = leg_by_hand(network, numbers[network.snappable & network.remnant], barriers, point, own, max_access_m)
    return spare if spare and (usual is None or not spare[2]) else usual


@given(st.integers(0, 2**32))
def test_every_leg_is_the_one_found_by_looking_at_every_street_and_every_wall(seed):
    network, barriers, points, own, max_access_m = drawn_town(seed)
    snaps = snap(network, points, barriers=barriers, own=own, max_access_m=max_access_m, n_places=len(points))
    rows = dict(zip(snaps.place.tolist(), range(len(snaps.place)), strict=True))
    for i, point in enumerate(points):
        expected = attached_by_hand(network, barriers, point, own[i], max_access_m)
        assert (i in rows) == (expected is not None)
        if expected:
            row = rows[i]
            assert (snaps.segment[row], snaps.blocked[row]) == (expected[0], expected[2])
            assert snaps.access_m[row] == pytest.approx(expected[1], abs=2e-9)
            line = shapely.LineString(network.shape_xy_m[slice(*network.shape_indptr[expected[0] : expected[0] + 2])])
            spot = line.interpolate(snaps.fraction[row], normalized=True)
            assert spot.distance(shapely.Point(snaps.xy_m[row])) < 1e-9
            assert spot.distance(shapely.Point(point)) == pytest.approx(snaps.access_m[row], abs=2e-9)


@given(st.integers(0, 2**32))
def test_a_leg_does_not_depend_on_who_else_is_snapped(seed):
    network, barriers, points, own, max_access_m = drawn_town(seed)
    index = SnapIndex.of(network, barriers=barriers)
    together = index.snap(points, own=own, max_access_m=max_access_m, n_places=len(points))
    for i in range(0, len(points), 7):
        alone, same = index.snap(points[[i]], own=own[[i]], max_access_m=max_access_m, n_places=1), together.take([i])
        for array, other in zip(vars(alone).values(), vars(same).values(), strict=True):
            np.testing.assert_array_equal(array, other)


@given(st.integers(0, 2**32))
def test_one_more_barrier_never_shortens_a_leg(seed):
    network, barriers, points, _, max_access_m = drawn_town(seed)
    open_town = snap(network, points, max_access_m=max_access_m, n_places=len(points))
    walled = snap(network, points, barriers=barriers, max_access_m=max_access_m, n_places=len(points))
    usual = np.isin(walled.place, open_town.place)
    assert usual.all()
    not_spare = ~network.remnant[walled.segment]
    np.testing.assert_array_less(
        open_town.access_m[not_spare & ~network.remnant[open_town.segment]],
        walled.access_m[not_spare & ~network.remnant[open_town.segment]] + TIE_M,
    )


# -------------------------------------------------------------------------------------------- lookups by coordinates


@pytest.fixture(scope="module")
def crs():
    return local_crs((123.8, 41.8, 124.0, 41.9))


@given(seed=st.integers(0, 2**32), walled=st.booleans())
def test_a_lookup_by_coordinates_says_what_nearest_says(crs, seed, walled):
    network, barriers, points, _, max_access_m = drawn_town(seed)
    places = SnapIndex.of(network, barriers=barriers if walled else None)
    stations = snap(network, points[:5] + 0.5, place=[0, 0, 1, 2, 3], n_places=4)
    index = StationIndex.of(network, stations, crs=crs, places=places, max_access_m=max_access_m, speed_mps=1.1)
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    lonlat = np.column_stack(to_metres.transform(*points.T, direction="INVERSE"))
    points = np.column_stack(to_metres.transform(*lonlat.T))
    snaps = places.snap(points, max_access_m=max_access_m, n_places=len(points))
    walks = nearest_walks(network, stations, snaps, speed_mps=1.1)
    station, seconds, walk_m = index.nearest_many(lonlat)
    np.testing.assert_array_equal(station, walks.facility[:, 0])
    np.testing.assert_array_equal(seconds, walks.seconds[:, 0])
    np.testing.assert_array_equal(walk_m, walks.walk_m[:, 0])
    one_by_one = [index.nearest(*point) for point in lonlat]
    assert [found[0] for found in one_by_one] == station.tolist()
    assert [found[1] for found in one_by_one] == pytest.approx(seconds.tolist(), abs=1e-9)
    assert [found[2] for found in one_by_one] == pytest.approx(walk_m.tolist(), abs=1e-6, nan_ok=True)


# -------------------------------------------------------------------------------------------------------- real towns


ANDORRA = """
[study]
name = "Andorra"
[inputs]
streets = "{path}"
buildings = "{path}"
[inputs.areas]
path = "{path}"
where = {{ boundary = "administrative", admin_level = "7" }}
[inputs.residents]
path = "residents.csv"
by = "total"
[inputs.stations]
path = "{path}"
where = {{ amenity = ["townhall", "library", "community_centre"] }}
"""


@pytest.fixture(scope="module")
def monaco(repository):
    return open_study(repository / "data" / "monaco")


@pytest.fixture(scope="module")
def andorra(shared_dir, tmp_path_factory):
    path = shared_dir / "data" / "andorra" / "andorra.osm.pbf"
    if not path.is_file():
        pytest.skip("needs ../shared/data/andorra")
    folder = tmp_path_factory.mktemp("andorra")
    (folder / "study.toml").write_text(ANDORRA.format(path=path), "utf-8")
    (folder / "residents.csv").write_text("residents\n77006\n", "utf-8")
    return open_study(folder)


def legs_that_cut(study, xy_m, snaps):
    """Return the rows of ``snaps`` whose leg passes through another building, two millimetres inside its outline."""
    inner = shapely.buffer(study.buildings.geometry.to_numpy(), -2 * TOUCH_M, join_style="mitre")
    legs = shapely.linestrings(np.stack([xy_m, snaps.xy_m], axis=1))
    row, building = shapely.STRtree(inner).query(legs, predicate="intersects")
    other = (building != snaps.place[row]) & ~shapely.contains_properly(inner[building], shapely.points(xy_m[row]))
    return np.unique(row[other])


@pytest.mark.parametrize(("town", "cut_by_naive_legs"), [("monaco", 53 / 1241), ("andorra", 282 / 4340)])
def test_no_leg_cuts_a_building_unless_it_says_so(request, town, cut_by_naive_legs):
    """Of the straight lines to the nearest street, which a naive leg is, 4 to 7 % run through somebody's house."""
    study = request.getfixturevalue(town)
    network = walking_streets(study.streets, study.settings.walking).network
    outlines = study.buildings.geometry.to_numpy()
    solid = shapely.get_dimensions(outlines) == 2
    building, xy_m = exits(study)
    naive = snap(network, xy_m)
    snaps = snap(network, xy_m, barriers=np.where(solid, outlines, None), own=building)
    cut = legs_that_cut(study, xy_m[naive.place], replace(naive, place=building[naive.place].astype(np.int32)))
    assert len(cut) / len(naive.place) == pytest.approx(cut_by_naive_legs, abs=0.005)
    still_cut = legs_that_cut(study, xy_m[snaps.place], replace(snaps, place=building[snaps.place].astype(np.int32)))
    assert snaps.blocked[still_cut].all()
    assert snaps.blocked.sum() < len(cut) / 2
