"""Searches agree with networkx, obey the laws of walking, and step into none of the field's known traps."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.errors import SchemaError
from lifecircle.network import tobler_factor
from lifecircle.routing import nearest, nearest_walks, path, seconds_at_ends, snap, walk_network, within
from oracle import costs
from towns import at_nodes, towns

SPEED_MPS = 1.2


@given(towns())
def test_every_walk_equals_networkx_on_the_split_graph(town):
    network, homes, stations, _ = town
    expected = costs(network, homes, stations) / SPEED_MPS
    unusable = ~stations.snapped
    expected[:, unusable] = np.inf
    k = stations.n_places
    facility, seconds = nearest(network, stations, homes, k=k)
    table = np.full_like(expected, np.inf)
    rows, columns = np.nonzero(facility >= 0)
    table[rows, facility[rows, columns]] = seconds[rows, columns]
    np.testing.assert_allclose(table, expected, atol=1e-6)
    assert (np.diff(np.where(np.isinf(seconds), 1e300, seconds), axis=1) >= 0).all()
    first, first_s = nearest(network, stations, homes)
    np.testing.assert_array_equal(first[:, 0], facility[:, 0])
    np.testing.assert_array_equal(first_s[:, 0], seconds[:, 0])


@given(towns(), st.floats(0, 1500))
def test_everything_within_a_cutoff_is_what_nearest_finds_up_to_it(town, cutoff_s):
    network, homes, stations, _ = town
    k = stations.n_places
    facility, seconds = nearest(network, stations, homes, k=k, cutoff_s=cutoff_s)
    pairs = {(facility[h, j], h): seconds[h, j] for h, j in np.argwhere(facility >= 0)}
    for threads in (1, 3):
        walks = within(network, stations, homes, cutoff_s=cutoff_s, threads=threads)
        found = {(s, int(h)): t for s in range(walks.n_facilities) for h, t in zip(*walks.row(s), strict=True)}
        assert found == pairs


@given(towns(), st.floats(0, 800), st.floats(0, 800))
def test_a_wider_cutoff_never_loses_a_pair(town, one, other):
    network, homes, stations, _ = town
    narrow, wide = (within(network, stations, homes, cutoff_s=c) for c in sorted((one, other)))
    for s in range(stations.n_places):
        assert set(narrow.row(s)[0]) <= set(wide.row(s)[0])


@given(towns(), st.integers(0, 15))
def test_closing_a_segment_never_shortens_a_walk(town, segment):
    network, homes, stations, rules = town
    closed = rules["closed"].copy()
    closed[segment % len(closed)] = True
    shapes = (network.shape_indptr, network.shape_xy_m)
    shut = walk_network(
        network.xy_m, network.ends, shapes=shapes, oneway=rules["oneway"], private=rules["private"], closed=closed
    )
    flat = walk_network(network.xy_m, network.ends, shapes=shapes, **rules)
    _, before = nearest(flat, stations, homes)
    _, after = nearest(shut, stations, homes)
    assert (after >= before).all()


@given(towns())
def test_numbering_the_nodes_another_way_changes_nothing(town):
    network, homes, stations, rules = town
    n = len(network.xy_m)
    turned = walk_network(
        network.xy_m[::-1], n - 1 - network.ends, shapes=(network.shape_indptr, network.shape_xy_m), **rules
    )
    flat = walk_network(network.xy_m, network.ends, shapes=(network.shape_indptr, network.shape_xy_m), **rules)
    for one, other in zip(nearest(flat, stations, homes, k=2), nearest(turned, stations, homes, k=2), strict=True):
        np.testing.assert_array_equal(one, other)


@given(towns())
def test_no_way_round_by_a_third_node_is_shorter(town):
    network, *_ = town
    nobodys = np.zeros(network.n_segments, dtype=bool)
    public = network.with_ways(private=nobodys, closed=nobodys)
    nodes = at_nodes(public)
    nodes = nodes.take(np.flatnonzero(nodes.snapped))
    walks = within(public, nodes, nodes, cutoff_s=1e6)
    seconds = np.full((nodes.n_places, nodes.n_places), np.inf)
    for to in range(nodes.n_places):
        seconds[to, walks.row(to)[0]] = walks.row(to)[1]
    by_a_third = (seconds[:, :, None] + seconds[None, :, :]).min(axis=1)
    assert (seconds <= by_a_third + 1e-6).all()


@given(towns())
def test_where_nothing_has_a_direction_the_way_back_is_as_long(town):
    network, homes, stations, rules = town
    flat = walk_network(
        network.xy_m,
        network.ends,
        shapes=(network.shape_indptr, network.shape_xy_m),
        private=rules["private"],
        closed=rules["closed"],
    )
    there, back = within(flat, stations, homes, cutoff_s=1e5), within(flat, homes, stations, cutoff_s=1e5)
    usable = homes.snapped
    table, mirrored = np.full((2, stations.n_places, homes.n_places), np.inf)
    for s in range(stations.n_places):
        table[s, there.row(s)[0]] = there.row(s)[1]
    for h in range(homes.n_places):
        mirrored[back.row(h)[0], h] = back.row(h)[1]
    both = np.ix_(stations.snapped, usable)
    np.testing.assert_array_equal(table[both], mirrored[both])


# --------------------------------------------------------------------------- traps and awkward places


@pytest.fixture
def street():
    """One street of 100 m from (0, 0) to (100, 0)."""
    return walk_network([[0, 0], [100, 0]], [[0, 1]])


def test_two_stations_at_one_spot_are_both_found(street):
    stations = snap(street, [[50, 0], [50, 0]])
    homes = snap(street, [[0, 0]])
    facility, seconds = nearest(street, stations, homes, k=2)
    assert facility.tolist() == [[0, 1]]
    assert seconds.tolist() == [[50 / 1.2, 50 / 1.2]]
    assert np.diff(within(street, stations, homes, cutoff_s=100).indptr).tolist() == [1, 1]


def test_many_homes_on_one_spot_are_one_walk_each(street):
    homes = snap(street, np.tile([[30.0, 4.0]], (50, 1)))
    _, seconds = nearest(street, snap(street, [[100, 0]]), homes)
    assert np.unique(seconds).tolist() == [(70 + 4) / 1.2]


def test_a_segment_of_no_length_is_walked_in_no_time():
    network = walk_network([[0, 0], [100, 0], [100, 0], [150, 0]], [[0, 1], [1, 2], [2, 3]])
    _, seconds = nearest(network, snap(network, [[150, 0]]), snap(network, [[0, 0], [100, 0]]))
    np.testing.assert_allclose(seconds[:, 0], [150 / 1.2, 50 / 1.2])


def test_a_loop_is_left_at_its_nearer_end():
    loop = [[0, 0], [50, 0], [50, 50], [0, 50], [0, 0]]
    network = walk_network([[0, 0], [-100, 0]], [[0, 0], [0, 1]], shapes=[loop, [[0, 0], [-100, 0]]])
    _, seconds = nearest(network, snap(network, [[-100, 0]]), snap(network, [[50, 10], [0, 30]]))
    np.testing.assert_allclose(seconds[:, 0] * 1.2, [60 + 100, 30 + 100])


def test_a_bridge_does_not_meet_the_street_below():
    network = walk_network([[-50, 0], [50, 0], [0, -50], [0, 50]], [[0, 1], [2, 3]])
    facility, seconds = nearest(network, snap(network, [[0, 40]]), snap(network, [[40, 0]]))
    assert facility.tolist() == [[-1]]
    assert np.isinf(seconds).all()


def test_equally_near_ways_of_different_pieces_are_a_tie():
    xy = [[0, 0], [100, 0], [200, 0], [-200, 0]]
    network = walk_network(xy, [[0, 1], [1, 2], [0, 3]])
    facility, _ = nearest(network, snap(network, [[200, 0], [-200, 0]]), snap(network, [[0, 0]]), k=2)
    assert facility.tolist() == [[0, 1]]
    facility, _ = nearest(network, snap(network, [[-200, 0], [200, 0]]), snap(network, [[0, 0]]), k=2)
    assert facility.tolist() == [[0, 1]]


def test_unreachable_is_never_the_cutoff():
    network = walk_network([[0, 0], [100, 0], [0, 500], [100, 500]], [[0, 1], [2, 3]])
    walks = nearest_walks(network, snap(network, [[0, 0]]), snap(network, [[0, 500]]), cutoff_s=480)
    assert np.isinf(walks.seconds).all()
    assert np.isnan(walks.walk_m).all()


def test_no_stations_at_all_is_unreachable_for_everyone(street):
    nobody = snap(street, np.empty((0, 2)))
    homes = snap(street, [[50, 0]])
    facility, seconds = nearest(street, nobody, homes)
    assert facility.tolist() == [[-1]]
    assert np.isinf(seconds).all()
    assert within(street, nobody, homes, cutoff_s=480).n_facilities == 0


def test_nothing_attaches_to_a_tunnel():
    network = walk_network([[0, 0], [100, 0], [0, 60], [100, 60]], [[0, 1], [2, 3]], snappable=[False, True])
    assert snap(network, [[50, 10]]).segment.tolist() == [1]


def test_a_leg_does_not_cross_a_building_but_leaves_its_own():
    network = walk_network([[0, 0], [100, 0], [0, 100], [100, 100]], [[0, 1], [2, 3]])
    own, other = shapely.box(40, 30, 60, 50), shapely.box(30, 10, 70, 20)
    free = snap(network, [[50, 40]], barriers=[own], own=[0])
    assert (free.segment[0], free.access_m[0], free.blocked[0]) == (0, 40.0, False)
    behind = snap(network, [[50, 40]], barriers=[own, other], own=[0])
    assert (behind.segment[0], behind.access_m[0], behind.blocked[0]) == (1, 60.0, False)
    shut_in = snap(network, [[50, 40]], barriers=[own, other, shapely.box(30, 60, 70, 70)], own=[0])
    assert (shut_in.segment[0], shut_in.access_m[0], shut_in.blocked[0]) == (0, 40.0, True)


@pytest.mark.parametrize(
    "walls",
    [
        [[(0, 10), (50, 10)], [(50, 10), (100, 10)]],  # two walls that join where the leg passes
        [[(50, 5), (50, 15)]],  # a wall along the leg
        [[(50, 10), (80, 10)]],  # the end of a wall
    ],
)
def test_a_leg_does_not_slip_through_where_walls_only_touch_it(walls):
    network = walk_network([[0, 0], [100, 0]], [[0, 1]])
    assert snap(network, [[50, 20]], barriers=[shapely.LineString(w) for w in walls]).blocked.tolist() == [True]


def test_a_home_on_a_wall_does_not_leave_through_the_walls_other_arm():
    network = walk_network([[0, 0], [100, 0]], [[0, 1]])
    wall = shapely.LineString([(40, 3), (60, 3), (60, 1), (40, 1)])
    assert snap(network, [[50, 3]], barriers=[wall]).blocked.tolist() == [True]


@given(st.floats(0, 2 * np.pi), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_a_leg_along_the_wall_it_shares_with_the_neighbour_is_free_at_any_angle(angle, east, north):
    def placed(points):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.asarray(points, dtype=float) @ turn.T + (east, north)

    network = walk_network(placed([[0, 0], [100, 0]]), [[0, 1]])
    neighbour = shapely.Polygon(placed([(50, 5), (60, 5), (60, 15), (50, 15)]))
    assert snap(network, placed([[50, 15]]), barriers=[neighbour]).blocked.tolist() == [False]


def test_a_home_on_a_wall_and_a_street_along_one_are_free():
    network = walk_network([[0, 0], [100, 0]], [[0, 1]])
    walls = [shapely.LineString([(0, 20), (100, 20)]), shapely.LineString([(0, 0), (100, 0)])]
    assert snap(network, [[50, 20]], barriers=walls).blocked.tolist() == [False]


def test_a_leg_may_run_along_the_outside_of_a_building():
    network = walk_network([[0, 0], [100, 0]], [[0, 1]])
    assert snap(network, [[50, 20]], barriers=[shapely.box(50, 5, 60, 15)]).blocked.tolist() == [False]


def test_an_entrance_with_a_free_leg_goes_before_one_without():
    network = walk_network([[0, 0], [100, 0], [0, 100], [100, 100]], [[0, 1], [2, 3]])
    walls = [shapely.LineString([(-400, 8), (500, 8)]), shapely.LineString([(-400, 95), (-400, 8)])]
    snaps = snap(network, [[50, 4], [50, 90]], barriers=walls, place=[0, 0], max_access_m=20)
    assert snaps.blocked.tolist() == [False, False]
    inside = snap(network, [[50, 10], [50, 90]], barriers=walls, place=[0, 0], max_access_m=20)
    assert (inside.segment.tolist(), inside.blocked.tolist()) == ([1], [False])


def test_seconds_at_the_ends_of_a_street(street):
    ends = seconds_at_ends(street, snap(street, [[25, 6]]))
    np.testing.assert_allclose(ends, [[31 / 1.2, 81 / 1.2]])


def test_walking_down_a_gentle_slope_is_as_fast_as_the_flat():
    np.testing.assert_allclose(tobler_factor([0.0, -0.1, 0.1]), [1.0, 1.0, np.exp(-0.35)])


def test_what_cannot_be_a_network_is_refused_with_every_breach():
    with pytest.raises(SchemaError) as caught:
        walk_network([[0, 0], [np.nan, 0]], [[0, 1], [0, 7]], [-1, np.inf])
    assert {b.rule for b in caught.value.breaches} >= {"coordinates-not-finite", "no-such-node", "length-not-sound"}


@pytest.mark.parametrize("speed_mps", [0.0, -1.0, np.nan, np.inf])
def test_a_speed_that_nobody_walks_is_refused(street, speed_mps):
    places = snap(street, [[50, 0]])
    with pytest.raises(ValueError, match="speed_mps"):
        nearest(street, places, places, speed_mps=speed_mps)


# --------------------------------------------------------------------------- both ways, and the way itself


@given(towns(), st.sampled_from(["round_trip", "worse_way"]), st.integers(1, 3), st.floats(0, 1500))
def test_round_trips_and_worse_ways_are_those_of_the_two_tables(town, direction, k, cutoff_s):
    network, homes, stations, _ = town
    there = costs(network, homes, stations) / SPEED_MPS
    back = costs(network, stations, homes).T / SPEED_MPS
    for table in (there, back):
        table[:, ~stations.snapped] = np.inf
        table[~homes.snapped & ~np.isin(homes.building, stations.building)] = np.inf
    usable = homes.snapped
    both = np.maximum(there, back) if direction == "worse_way" else (there + back) / 2
    facility, seconds = nearest(network, stations, homes, k=k, direction=direction)
    expected = np.sort(both, axis=1)[:, :k]
    np.testing.assert_allclose(seconds[usable, : expected.shape[1]], expected[usable], atol=1e-6)
    named = facility[usable][:, : expected.shape[1]]
    assert ((named >= 0) == np.isfinite(expected[usable])).all()
    walks = within(network, stations, homes, cutoff_s=cutoff_s, direction=direction)
    for station in range(stations.n_places):
        places, walked_s = walks.row(station)
        assert (walked_s <= cutoff_s + 1e-6).all()
        np.testing.assert_allclose(walked_s, both[places, station], atol=1e-6)
        missed = np.setdiff1d(np.flatnonzero(usable & (both[:, station] < cutoff_s - 1e-5)), places)
        assert not len(missed)


def test_uphill_and_down_again_is_as_long_from_either_end():
    slope = walk_network([[0, 0], [200, 0]], [[0, 1]], height_m=[0, 20])
    low, high = (snap(slope, [point]) for point in ([0, 0], [200, 0]))
    up, down = 200 / tobler_factor(0.1) / SPEED_MPS, 200 / SPEED_MPS
    for station, home, there, worse in ((high, low, up, up), (low, high, down, up)):
        for direction, expected in (("there", there), ("round_trip", (up + down) / 2), ("worse_way", worse)):
            _, seconds = nearest(slope, station, home, direction=direction)
            assert seconds[0, 0] == pytest.approx(expected, abs=1e-6)


@given(towns())
def test_the_line_of_a_walk_is_as_long_as_the_walk(town):
    network, homes, stations, _ = town
    for h in range(homes.n_places):
        for s in range(stations.n_places):
            home, station = homes.take([h]), stations.take([s])
            walk = nearest_walks(network, station, home)
            way = path(network, home, station)
            assert (way is None) == (walk.facility[0, 0] < 0)
            if way is None:
                continue
            line, metres = way
            assert metres == pytest.approx(walk.walk_m[0, 0], abs=1e-6)
            if len(line):
                legs_m = walk.access_m[0, 0] + walk.egress_m[0, 0]
                assert np.hypot(*np.diff(line, axis=0).T).sum() + legs_m == pytest.approx(metres, abs=1e-6)


def test_the_line_of_a_walk_follows_the_street():
    bent = walk_network([[0, 0], [100, 0], [100, 100]], [[0, 1], [1, 2]])
    home, station = snap(bent, [[20, 5]]), snap(bent, [[110, 60]])
    line, metres = path(bent, home, station)
    assert line.tolist() == [[20, 0], [100, 0], [100, 60]]
    assert metres == 5 + 80 + 60 + 10
    assert path(bent, home, snap(bent, [[9e3, 9e3]])) is None
    with pytest.raises(ValueError, match="one place"):
        path(bent, snap(bent, [[0, 0], [1, 1]]), station)


@given(towns())
def test_standing_at_every_node_is_standing_at_its_spot(town):
    network, _, stations, _ = town
    network = network.with_ways(closed=np.zeros(network.n_segments, dtype=bool))
    spots = at_nodes(network)
    used = spots.snapped
    for direction in ("there", "round_trip", "worse_way"):
        index, seconds = nearest(network, stations, k=2, direction=direction)
        expected = nearest(network, stations, spots, k=2, direction=direction)
        # A spot may also go along its segment to a station on it without passing the node.
        same = (index[used] == expected[0][used]).all(axis=1) | (seconds[used] >= expected[1][used]).all(axis=1)
        assert same.all()
    walks = within(network, stations, cutoff_s=700)
    for station in range(stations.n_places):
        nodes, walked_s = walks.row(station)
        alone, alone_s = nearest(network, stations.take([station]), cutoff_s=700)
        reached = np.flatnonzero(alone[:, 0] >= 0)
        order = np.argsort(nodes)
        np.testing.assert_array_equal(nodes[order], reached)
        np.testing.assert_array_equal(walked_s[order], alone_s[reached, 0])


def on_spokes(there_s, back_s):
    """Return streets of a star, walked there and back in so many seconds, a station at each end and a home amid."""
    n = len(there_s)
    ends = [[1000 * np.cos(i), 1000 * np.sin(i)] for i in range(n)]
    edges = [(0, i + 1) for i in range(n)]
    star = walk_network([[0, 0], *ends], edges, np.full(n, 400.0), flat_m=np.array([there_s, back_s], float).T)
    return star, snap(star, ends), snap(star, [[0, 0]])


@pytest.mark.parametrize(
    ("there_s", "back_s", "station", "seconds"),
    [
        ([100, 200, 300, 481, 482, 483, 484], [600, 600, 350, 100, 110, 120, 130], 2, 350),
        ([470, 300, 100, 481, 482, 483], [100, 350, 600, 101, 102, 103], 1, 350),
    ],
)
def test_the_worse_way_within_a_cutoff_looks_beyond_who_is_near_one_way_only(there_s, back_s, station, seconds):
    star, stations, home = on_spokes(there_s, back_s)
    for cutoff_s in (480, np.inf):
        index, found_s = nearest(star, stations, home, cutoff_s=cutoff_s, speed_mps=1.0, direction="worse_way")
        assert (index[0, 0], found_s[0, 0]) == (station, seconds)


def test_a_closed_street_is_not_walked_through_from_its_node_either_way():
    square = walk_network(
        [[0, 0], [100, 0], [100, 100], [0, 100]], [(0, 1), (1, 2), (2, 3), (3, 0)], closed=[True, False, False, False]
    )
    station = snap(square, [[100, 1]]).take([0])
    for direction in ("there", "worse_way"):
        _, seconds = nearest(square, station, speed_mps=1.0, direction=direction)
        assert seconds[:, 0].round(6).tolist() == [299, 1, 99, 199]


def test_as_many_columns_as_asked_for_and_nonsense_refused_in_every_direction():
    star, stations, home = on_spokes([100, 200], [300, 100])
    for direction in ("there", "round_trip", "worse_way"):
        index, seconds = nearest(star, stations, home, k=5, direction=direction)
        assert index.shape == seconds.shape == (1, 5)
        assert (index[0, 2:] == -1).all()
        for nonsense in ({"k": 0}, {"cutoff_s": -1}, {"cutoff_s": np.nan}, {"speed_mps": 0}):
            with pytest.raises(ValueError, match=next(iter(nonsense))):
                nearest(star, stations, home, direction=direction, **nonsense)
    with pytest.raises(ValueError, match="speed_mps"):
        path(star, home, stations.take([0]), speed_mps=-1)
    with pytest.raises(ValueError, match="max_access_m"):
        snap(star, [[0, 0]], max_access_m=np.nan)


def test_one_absurd_segment_neither_hangs_a_search_nor_is_taken_for_sound():
    n = 60
    number = np.arange(n * n).reshape(n, n)
    edges = np.concatenate(
        [np.c_[number[:, :-1].ravel(), number[:, 1:].ravel()], np.c_[number[:-1].ravel(), number[1:].ravel()]]
    )
    xy = np.c_[np.tile(np.arange(n), n), np.repeat(np.arange(n), n)] * 60.0
    length_m = np.full(len(edges), 60.0)
    length_m[0] = 9e7
    grid = walk_network(xy, edges, length_m)
    stations = snap(grid, xy[[0, n * n - 1]])
    for k in (1, 2):
        _, seconds = nearest(grid, stations, k=k, speed_mps=1.0)
        assert seconds[1, 0] == pytest.approx(min(180, 118 * 60 - 60))
    for bad in ({"length_m": [1e9]}, {"height_m": [0, np.nan]}, {"flat_m": [[np.nan, 1]]}, {"fixed_s": [np.inf]}):
        with pytest.raises(SchemaError):
            walk_network([[0, 0], [1, 0]], [[0, 1]], **bad)
    steep = walk_network([[0, 0], [1, 0]], [[0, 1]], height_m=[0, 3800])
    assert steep.forward_m[0] == pytest.approx(1 / tobler_factor(1.0))


def test_seconds_that_a_segment_takes_at_any_speed_come_on_top():
    lift = walk_network([[0, 0], [100, 0], [104, 0]], [[0, 1], [1, 2]], fixed_s=[0, 60])
    home, station = snap(lift, [[0, 0]]), snap(lift, [[104, 0]])
    for speed_mps in (1.2, 0.5):
        _, seconds = nearest(lift, station, home, speed_mps=speed_mps)
        assert seconds[0, 0] == pytest.approx(104 / speed_mps + 60, abs=1e-6)
    halfway = snap(lift, [[102, 0]])
    assert nearest(lift, halfway, home)[1][0, 0] == pytest.approx(102 / 1.2 + 30, abs=1e-6)


def test_a_direction_that_nobody_knows_is_refused(street):
    spot = snap(street, [[0, 0]])
    with pytest.raises(ValueError, match="there, round_trip, worse_way"):
        nearest(street, spot, spot, direction="both")
