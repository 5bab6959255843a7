"""Who may walk on which way, and what the shape of the network says of ways that tags do not explain."""

import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle.errors import SourceError
from lifecircle.model import StreetWays, Walking
from lifecircle.routing import nearest, snap
from lifecircle.streets import REMNANT_M, to_networkx, walkability, walking_streets


@pytest.mark.parametrize(
    ("tags", "walked", "private", "snappable", "oneway"),
    [
        ({"highway": "footway"}, True, False, True, 0),
        ({"highway": "steps"}, True, False, True, 0),
        ({"highway": "motorway"}, False, False, False, 0),
        ({"highway": "construction"}, False, False, False, 0),
        ({"highway": "residential", "foot": "no"}, False, False, False, 0),
        ({"highway": "residential", "access": "no"}, False, False, False, 0),
        ({"highway": "residential", "access": "no", "foot": "yes"}, True, False, True, 0),
        ({"highway": "service", "access": "private"}, True, True, True, 0),
        ({"highway": "service", "access": "private", "foot": "permissive"}, True, False, True, 0),
        ({"highway": "residential", "access": "destination"}, True, True, True, 0),
        ({"highway": "primary", "sidewalk": "separate"}, False, False, False, 0),
        ({"highway": "trunk"}, False, False, False, 0),
        ({"highway": "trunk", "sidewalk": "both"}, True, False, True, 0),
        ({"highway": "primary", "motorroad": "yes"}, False, False, False, 0),
        ({"highway": "footway", "tunnel": "yes"}, True, False, False, 0),
        ({"highway": "footway", "tunnel": "building_passage"}, True, False, True, 0),
        ({"highway": "corridor"}, True, False, False, 0),
        ({"highway": "elevator"}, True, False, False, 0),
        ({"highway": "footway", "indoor": "yes"}, True, False, False, 0),
        ({"highway": "footway", "level": "-1"}, True, False, False, 0),
        ({"highway": "steps", "conveying": "forward"}, True, False, True, 1),
        ({"highway": "steps", "conveying": "backward"}, True, False, True, -1),
        ({"highway": "steps", "conveying": "reversible"}, True, False, True, 0),
        ({"highway": "footway", "oneway:foot": "yes"}, True, False, True, 1),
        ({"highway": "residential", "oneway": "yes"}, True, False, True, 0),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_tags_decide_who_walks(tags, walked, private, snappable, oneway):
    found = walkability(pd.DataFrame([tags]))
    assert (found.walked[0], found.private[0], found.snappable[0], found.oneway[0]) == (
        walked,
        private,
        snappable,
        oneway,
    )


def ways(*lines):
    """Return a street layer: (way id, tags, points); points at one spot are one node."""
    points = [tuple(map(float, p)) for _, _, line in lines for p in line]
    spots = list(dict.fromkeys(points))
    return StreetWays(
        way_id=tuple(name for name, _, _ in lines),
        tags=pd.DataFrame([{"highway": "residential", "access": "", **tags} for _, tags, _ in lines]).fillna(""),
        indptr=np.cumsum([0, *(len(line) for _, _, line in lines)]),
        node=np.array([spots.index(p) for p in points], dtype=np.int32),
        xy_m=np.array(spots),
    )


MAIN = ("main", {}, [(0, 0), (100, 0), (3000, 0)])


def rules_of(streets):
    return {f.rule: f.ids for f in streets.findings}


def test_ways_are_cut_where_they_meet_and_nowhere_else():
    streets = walking_streets(ways(("a", {}, [(0, 0), (50, 0), (100, 0)]), ("b", {}, [(50, 0), (50, 40)])), Walking())
    assert sorted(streets.network.length_m.tolist()) == [40, 50, 50]


def test_paths_inside_a_compound_are_left_by_its_private_gate_road():
    gate = ("gate", {"access": "private"}, [(100, 0), (100, 50)])
    yard = ("yard", {"highway": "footway"}, [(100, 50), (160, 50)])
    streets = walking_streets(ways(MAIN, gate, yard), Walking())
    assert rules_of(streets)["enclosed-ways"] == ("yard",)
    home, station = snap(streets.network, [[160, 50]]), snap(streets.network, [[0, 0]])
    _, seconds = nearest(streets.network, station, home)
    assert seconds[0, 0] * 1.2 == pytest.approx(60 + 50 + 100)


def test_a_town_apart_is_no_compound_because_of_a_private_drive():
    town = ("town", {}, [(0, 9000), (1500, 9000)])
    drive = ("drive", {"access": "private"}, [(100, 9000), (100, 9100)])
    streets = walking_streets(ways(MAIN, ("split", {}, [(0, 9000), (0, 9900)]), town, drive), Walking())
    assert "enclosed-ways" not in rules_of(streets)


def test_a_settlement_behind_a_private_bridge_is_no_compound():
    bridge = ("bridge", {"access": "private"}, [(0, 0), (0, 100)])
    far = ("far", {}, [(0, 100), (REMNANT_M + 1, 100)])
    assert "enclosed-ways" not in rules_of(walking_streets(ways(MAIN, bridge, far), Walking()))


def test_a_gate_that_the_study_opens_lets_everyone_through():
    lane = ("lane", {"access": "private"}, [(0, 0), (0, 100)])
    back = ("back", {}, [(0, 100), (3000, 100), (3000, 0)])
    shut, opened = (walking_streets(ways(MAIN, lane, back), Walking(gates=gates)) for gates in ((), ("lane",)))
    for streets, metres in ((shut, 2990 + 100 + 2990), (opened, 10 + 100 + 10)):
        home, station = snap(streets.network, [[10, 0]]), snap(streets.network, [[10, 100]])
        _, seconds = nearest(streets.network, station, home)
        assert seconds[0, 0] * 1.2 == pytest.approx(metres)


REMNANT = ("drive", {}, [(50, 30), (90, 30)])


def test_a_home_leaves_a_remnant_aside_when_another_street_is_near():
    streets = walking_streets(ways(MAIN, REMNANT), Walking())
    assert rules_of(streets)["remnants"] == ("drive",)
    assert snap(streets.network, [[60, 35]]).access_m.tolist() == [35]


def test_a_home_far_from_all_else_stays_on_its_island():
    streets = walking_streets(ways(MAIN, ("island", {}, [(0, 400), (90, 400)])), Walking())
    assert snap(streets.network, [[60, 395]]).access_m.tolist() == [5]


def test_a_river_between_the_home_and_the_main_network_keeps_it_on_its_island():
    streets = walking_streets(ways(MAIN, ("island", {}, [(0, 205), (1800, 205)])), Walking())
    river = shapely.box(-5000, 50, 5000, 150)
    snaps = snap(streets.network, [[900, 200]], barriers=[river])
    assert (snaps.access_m.tolist(), snaps.blocked.tolist()) == ([5], [False])


def test_a_value_of_highway_that_nobody_knows_is_told():
    streets = walking_streets(ways(MAIN, ("b", {"highway": "支路"}, [(0, 0), (0, 50)])), Walking())
    assert rules_of(streets)["unknown-highway"] == ("支路",)


def test_a_layer_without_a_walkable_way_is_refused():
    with pytest.raises(SourceError, match="no way"):
        walking_streets(ways(("a", {"highway": "motorway"}, [(0, 0), (9, 0)])), Walking())


def test_networkx_gets_every_direction_that_can_be_walked():
    moving = ("up", {"highway": "steps", "conveying": "backward"}, [(0, 0), (0, 40)])
    graph = to_networkx(walking_streets(ways(MAIN, moving), Walking()).network)
    assert graph.number_of_edges() == 3
    assert {d["length"] for _, _, d in graph.edges(data=True)} == {3000, 40}
