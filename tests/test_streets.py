"""Who may walk on which way, how long it takes, and what the shape of the network says where tags do not."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import ways
from lifecircle.errors import SourceError
from lifecircle.model import Gate, Walking, WayRule
from lifecircle.pace import ESCALATOR_MPS, LIFT_S, SIGNAL_S
from lifecircle.routing import nearest, snap
from lifecircle.streets import REMNANT_M, at, walking_streets
from lifecircle.walkability import (
    ALLOWED,
    FORBIDDEN,
    GATES,
    NARROW,
    NODE_RULES,
    OWN,
    PATHS,
    STREETS,
    WALKED,
    WAY_RULES,
    walkability,
)


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
        ({"highway": "residential", "access": "private;permit"}, True, True, True, 0),
        ({"highway": "residential", "access": "yes; destination"}, True, True, True, 0),
        ({"highway": "residential", "access": "private", "foot": "unknown;yes"}, True, False, True, 0),
        ({"highway": "residential", "foot": "no;yes"}, False, False, False, 0),
        ({"highway": "residential", "access": "unknown"}, True, False, True, 0),
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


NAMED_VALUES = {
    "a walked highway": WALKED,
    "a street": STREETS,
    "a path": PATHS,
    "allowed": ALLOWED,
    "own": OWN,
    "forbidden": FORBIDDEN,
    "a gate": GATES,
    "narrow": NARROW,
}


def as_markdown(rules):
    """Return the table of rules as the decision record shows it."""

    def values(of):
        named = {v: k for k, v in NAMED_VALUES.items()}
        return f"*{named[of]}*" if of in named else ", ".join(f"`{v}`" if v else "absent" for v in of) or "any"

    def tags(where):
        return "; or ".join(" and ".join(f"`{key}` {values(of)}" for key, of in table.items()) for table in where)

    rows = [f"| {rule.asks} | {rule.says} | {tags(rule.where)} | {rule.source} |" for rule in rules]
    return "\n".join(["| asks | says | where | by |", "| --- | --- | --- | --- |", *rows])


@pytest.mark.parametrize("rules", [WAY_RULES, NODE_RULES], ids=["ways", "nodes"])
def test_the_rules_are_those_that_the_decision_record_shows(repository, rules):
    record = (repository / "src/coverage/decisions/0010-who-may-walk.md").read_text(encoding="utf-8")
    assert as_markdown(rules) in record


def test_the_values_are_those_that_the_decision_record_shows(repository):
    record = (repository / "src/coverage/decisions/0010-who-may-walk.md").read_text(encoding="utf-8")
    for name, values in NAMED_VALUES.items():
        assert f"- *{name}*: {', '.join(values)}" in record


def seconds(network, home, station, *, speed_mps=1.2):
    """Return how long the walk from ``home`` to ``station`` takes, both points on the network."""
    return nearest(network, snap(network, [station]), snap(network, [home]), speed_mps=speed_mps)[1][0, 0]


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
    shut, opened = (walking_streets(ways(MAIN, lane, back), Walking(gates=gates)) for gates in ((), (Gate("lane"),)))
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


# --------------------------------------------------------------------------- how long it takes

UP_S, DOWN_S = 1.34 / 0.610 / 1.2, 1.34 / 0.694 / 1.2
"""Seconds for a metre of steps at 1.2 m/s."""


@pytest.mark.parametrize(
    ("incline", "there_s", "back_s"),
    [
        ("up", UP_S, DOWN_S),
        ("12%", UP_S, DOWN_S),
        ("down", DOWN_S, UP_S),
        ("-4.5°", DOWN_S, UP_S),
        ("", UP_S, UP_S),
        ("0%", UP_S, UP_S),
        ("steep", UP_S, UP_S),
    ],
)
def test_steps_are_slower_up_than_down_and_slow_both_ways_where_nobody_knows(incline, there_s, back_s):
    flight = ("flight", {"highway": "steps", "incline": incline}, [(0, 0), (0, 10)])
    network = walking_streets(ways(MAIN, flight), Walking()).network
    assert seconds(network, (0, 0), (0, 10)) == pytest.approx(10 * there_s)
    assert seconds(network, (0, 10), (0, 0)) == pytest.approx(10 * back_s)


def test_the_aged_are_slower_on_steps_too():
    network = walking_streets(ways(MAIN, ("s", {"highway": "steps"}, [(0, 0), (0, 10)])), Walking()).network
    assert seconds(network, (0, 0), (0, 10), speed_mps=0.92) == pytest.approx(10 * UP_S * 1.2 / 0.92)


@pytest.mark.parametrize(("conveying", "up"), [("forward", True), ("backward", False)])
def test_an_escalator_carries_everyone_at_its_own_speed_and_one_way(conveying, up):
    stair = ("stair", {"highway": "steps", "conveying": conveying, "incline": "up"}, [(0, 0), (0, 13)])
    network = walking_streets(ways(MAIN, stair), Walking()).network
    home, station = ((0, 0), (0, 13)) if up else ((0, 13), (0, 0))
    for speed_mps in (1.2, 0.6):
        assert seconds(network, home, station, speed_mps=speed_mps) == pytest.approx(13 / ESCALATOR_MPS)
    assert seconds(network, station, home) == np.inf


def test_a_lift_takes_its_seconds_and_who_walks_past_it_does_not_ride():
    deck = ("deck", {"highway": "footway"}, [(50, 0), (50, 80)])
    lift = {(50, 0): {"highway": "elevator"}}
    streets = walking_streets(ways(("main", {}, [(0, 0), (50, 0), (3000, 0)]), deck, nodes=lift), Walking())
    assert seconds(streets.network, (0, 0), (100, 0)) == pytest.approx(100 / 1.2)
    assert seconds(streets.network, (0, 0), (50, 80)) == pytest.approx(130 / 1.2 + LIFT_S)
    assert seconds(streets.network, (0, 0), (50, 80), speed_mps=0.6) == pytest.approx(130 / 0.6 + LIFT_S)


def test_a_lift_drawn_as_an_area_costs_one_ride_between_any_two_of_its_doors():
    shaft = ("shaft", {"highway": "elevator"}, [(50, 0), (52, 0), (52, 2), (50, 2), (50, 0)])
    decks = [("low", {"highway": "footway"}, [(52, 2), (90, 2)]), ("high", {"highway": "footway"}, [(50, 2), (50, 80)])]
    main = ("main", {}, [(0, 0), (50, 0), (3000, 0)])
    network = walking_streets(ways(main, shaft, *decks), Walking()).network
    walks = {(90, 2): 50 + 38, (50, 80): 50 + 78}
    for station, metres in walks.items():
        through = seconds(network, (0, 0), station) - LIFT_S - metres / 1.2
        assert 0 < through < 4 / 1.2  # across the shaft
    assert not network.snappable[network.fixed_s > 0].any()


CROSSING = ("zebra", {"highway": "footway", "footway": "crossing"}, [(50, -6), (50, 0), (50, 6)])
STREET = ("street", {}, [(0, 0), (50, 0), (3000, 0)])


@pytest.mark.parametrize(
    ("way", "node"),
    [
        ({"crossing": "traffic_signals"}, {}),
        ({"crossing:signals": "yes"}, {}),
        ({}, {"highway": "crossing", "crossing": "traffic_signals"}),
        ({}, {"crossing": "traffic_signals;marked"}),
        ({}, {"highway": "traffic_signals"}),
    ],
)
def test_signals_cost_their_wait_to_who_crosses_half_to_who_crosses_half_and_nothing_along_the_street(way, node):
    zebra = (CROSSING[0], {**CROSSING[1], **way}, CROSSING[2])
    network = walking_streets(ways(STREET, zebra, nodes={(50, 0): node}), Walking()).network
    assert seconds(network, (50, -6), (50, 6)) == pytest.approx(12 / 1.2 + SIGNAL_S)
    assert seconds(network, (50, -6), (0, 0)) == pytest.approx(56 / 1.2 + SIGNAL_S / 2)
    assert seconds(network, (0, 0), (100, 0)) == pytest.approx(100 / 1.2)


def test_nobody_waits_at_a_crossing_without_signals():
    unlit = {(50, 0): {"highway": "crossing", "crossing": "uncontrolled"}}
    network = walking_streets(ways(STREET, CROSSING, nodes=unlit), Walking()).network
    assert seconds(network, (50, -6), (50, 6)) == pytest.approx(12 / 1.2)


def test_the_mean_wait_at_signals_is_that_of_someone_who_comes_at_any_second_of_the_cycle():
    waits = [max(0, 60 - second) for second in range(90)]  # red for 60 of 90 s
    assert pytest.approx(np.mean(waits), abs=0.5) == SIGNAL_S


# --------------------------------------------------------------------------- gates

LANE = ("lane", {"highway": "footway"}, [(100, 0), (100, 40), (100, 80)])
ROUND = ("round", {}, [(100, 80), (3000, 80), (3000, 0)])
DIRECT_S, ROUND_S = 80 / 1.2, (2900 + 80 + 2900) / 1.2


def lane_with(**node):
    """Return a lane with a gate in its middle, and the long way round."""
    return ways(MAIN, LANE, ROUND, nodes={(100, 40): node})


@pytest.mark.parametrize(
    ("node", "through"),
    [
        ({"barrier": "gate"}, True),
        ({"barrier": "gate", "access": "no"}, False),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, True),
        ({"barrier": "swing_gate", "foot": "no"}, False),
        ({"barrier": "gate", "locked": "yes"}, False),
        ({"barrier": "lift_gate", "access": "permissive"}, True),
        ({"barrier": "turnstile", "access": "customers"}, False),
        ({"barrier": "bollard", "access": "no"}, True),
        ({"barrier": "block"}, True),
        ({"barrier": "stile"}, True),
        ({"barrier": "kissing_gate"}, True),
        ({"barrier": "cycle_barrier"}, True),
        ({"barrier": "chain", "foot": "no"}, False),
        ({"barrier": "gate", "access": "permit;private"}, False),
        ({"highway": "elevator", "access": "private"}, False),
        ({"highway": "elevator", "foot": "no"}, False),
        ({"highway": "elevator", "foot": "private"}, False),
        ({"highway": "elevator", "access": "private", "foot": "yes"}, True),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_tags_decide_who_passes_a_gate_or_a_lift(node, through):
    lane = lane_with(**node)
    if "highway" in node:  # two ways meet at the lift
        lane = ways(MAIN, ("l", LANE[1], LANE[2][:2]), ("u", LANE[1], LANE[2][1:]), ROUND, nodes={(100, 40): node})
    network = walking_streets(lane, Walking()).network
    direct_s = DIRECT_S + (LIFT_S if "highway" in node else 0)
    assert seconds(network, (100, 0), (100, 80)) == pytest.approx(direct_s if through else ROUND_S)


def test_who_lives_behind_a_private_gate_comes_and_goes_and_nobody_walks_through():
    yard = ("yard", {"highway": "footway"}, [(100, 40), (200, 40), (300, 40)])
    gates = {p: {"barrier": "gate", "access": "private"} for p in ((100, 20), (300, 20))}
    legs = [(f"leg{x}", {"highway": "footway"}, [(x, 0), (x, 20), (x, 40)]) for x in (100, 300)]
    main = ("main", {}, [(0, 0), (100, 0), (100, -400), (300, -400), (300, 0), (3000, 0)])
    streets = walking_streets(ways(main, *legs, yard, nodes=gates), Walking())
    assert seconds(streets.network, (200, 40), (100, 0)) == pytest.approx((100 + 40) / 1.2)
    assert seconds(streets.network, (100, 0), (200, 40)) == pytest.approx((100 + 40) / 1.2)
    assert seconds(streets.network, (100, 0), (300, 0)) == pytest.approx((400 + 200 + 400) / 1.2)
    assert set(rules_of(streets)["enclosed-ways"]) == {"leg100", "leg300", "yard"}


def test_a_compound_behind_a_private_gate_is_its_own_however_large():
    paths = [(f"path{y}", {"highway": "footway"}, [(100, y), (900, y)]) for y in range(40, 240, 40)]
    spine = ("spine", {"highway": "footway"}, [(100, 0), (100, 20), *((100, y) for y in range(40, 240, 40))])
    main = ("main", {}, [(0, 0), (100, 0), (9000, 0)])
    gate = {(100, 20): {"barrier": "gate", "access": "private"}}
    streets = walking_streets(ways(main, spine, *paths, nodes=gate), Walking())
    assert 800 * len(paths) > REMNANT_M
    assert seconds(streets.network, (900, 200), (0, 0)) == pytest.approx((800 + 200 + 100) / 1.2)
    assert seconds(streets.network, (900, 200), (900, 40)) == pytest.approx((800 + 160 + 800) / 1.2)


def test_a_gate_that_is_closed_at_night_is_walked_through_by_day():
    streets = walking_streets(lane_with(barrier="gate", opening_hours="06:00-22:00"), Walking())
    [gate] = streets.gates
    assert (gate.id, gate.hours, gate.private) == ("n0", "06:00-22:00", False)
    day, night = at(streets, {"n0": True}), at(streets, {"n0": False})
    assert seconds(day, (100, 0), (100, 80)) == pytest.approx(DIRECT_S)
    assert seconds(night, (100, 0), (100, 80)) == pytest.approx(ROUND_S)
    assert np.array_equal(day.private, streets.network.private)
    assert np.array_equal(day.closed, streets.network.closed)


def test_the_study_opens_a_private_gate_by_its_id():
    lane = lane_with(barrier="gate", access="private")
    opened = walking_streets(lane, Walking(gates=(Gate("n0", "08:00-18:00"),)))
    assert opened.gates[0].hours == "08:00-18:00"
    assert seconds(opened.network, (100, 0), (100, 80)) == pytest.approx(DIRECT_S)
    evening = at(opened, {"n0": False})
    assert seconds(evening, (100, 0), (100, 80)) == pytest.approx(ROUND_S)
    assert evening.private.sum() == 2  # the gate's two spokes


@pytest.mark.parametrize(("access", "private"), [("private", True), ("", False)])
def test_a_way_with_hours_is_outside_them_what_it_is_without_a_gate(access, private):
    lane = ("lane", {"access": access}, LANE[2])
    streets = walking_streets(ways(MAIN, lane, ROUND), Walking(gates=(Gate("lane", "Mo-Fr 08:00-18:00"),)))
    night = at(streets, {"lane": False})
    assert seconds(streets.network, (90, 0), (110, 80)) == pytest.approx(10 / 1.2 + DIRECT_S + 10 / 1.2)
    assert seconds(night, (90, 0), (110, 80)) == pytest.approx((10 + 2900 + 80 + 2890) / 1.2)
    assert night.private.any() == private


def test_a_park_path_keeps_the_hours_of_its_tags():
    park = ("park", {"highway": "footway", "opening_hours": "dawn-dusk"}, LANE[2])
    streets = walking_streets(ways(MAIN, park, ROUND), Walking())
    assert [(g.id, g.hours) for g in streets.gates] == [("park", "dawn-dusk")]
    assert at(streets, {"park": False}).closed.sum() == 1


def test_a_compound_is_public_while_its_gate_stands_open_and_its_own_when_it_is_shut():
    yard = ("yard", {"highway": "footway"}, [(100, 0), (100, 40), (100, 90)])
    gate = {(100, 40): {"barrier": "gate", "access": "private", "opening_hours": "06:00-22:00"}}
    streets = walking_streets(ways(MAIN, yard, nodes=gate), Walking())
    assert not streets.network.private.any()
    night = at(streets, {"n0": False})
    assert night.length_m[night.private].sum() == 50
    assert seconds(night, (100, 90), (0, 0)) == pytest.approx(190 / 1.2)


def test_a_gate_at_the_end_of_a_way_stands_between_nothing():
    streets = walking_streets(ways(MAIN, nodes={(3000, 0): {"barrier": "gate", "access": "no"}}), Walking())
    assert streets.gates == ()
    assert streets.network.n_segments == 1


corners = st.integers(0, 8)


@settings(max_examples=25)
@given(gates=st.sets(corners, min_size=1), home=corners, station=corners)
def test_a_shut_gate_never_shortens_a_walk_and_open_gates_change_none(gates, home, station):
    spots = [(100.0 * x, 100.0 * y) for y in range(3) for x in range(3)]
    rows = [(f"row{y}", {}, spots[3 * y : 3 * y + 3]) for y in range(3)]
    columns = [(f"column{x}", {}, spots[x::3]) for x in range(3)]
    plain = walking_streets(ways(*rows, *columns), Walking()).network
    gated = walking_streets(
        ways(*rows, *columns, nodes={spots[g]: {"barrier": "gate", "locked": "yes"} for g in gates}), Walking()
    )
    # Half a block off the corners, where both networks have the same segments to stand on.
    a, b = ((spots[i][0] + (50 if i % 3 < 2 else -50), spots[i][1]) for i in (home, station))
    assert seconds(gated.network, a, b) >= seconds(plain, a, b)
    assert seconds(at(gated, {g.id: True for g in gated.gates}), a, b) == seconds(plain, a, b)


# --------------------------------------------------------------------------- wheelchairs


def test_a_class_without_steps_goes_round_them_and_lives_on_another_street():
    flight = ("flight", {"highway": "steps"}, [(100, 0), (100, 80)])
    with_steps, without = (
        walking_streets(ways(MAIN, flight, ROUND), Walking(), steps=s).network for s in (True, False)
    )
    assert seconds(with_steps, (100, 0), (100, 80)) == pytest.approx(80 * UP_S)
    assert seconds(without, (100, 0), (100, 80)) == pytest.approx(ROUND_S)
    assert snap(without, [[101, 30]]).access_m.tolist() == [30]


@pytest.mark.parametrize(
    ("node", "passes"),
    [
        ({"barrier": "bollard"}, True),
        ({"barrier": "gate"}, True),
        ({"barrier": "cycle_barrier"}, False),
        ({"barrier": "stile"}, False),
        ({"barrier": "kissing_gate", "wheelchair": "yes"}, True),
        ({"barrier": "gate", "wheelchair": "no"}, False),
        ({"barrier": "kerb", "kerb": "raised"}, False),
        ({"barrier": "kerb", "kerb": "lowered"}, True),
        ({"highway": "crossing", "kerb": "raised"}, True),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_barriers_that_no_wheelchair_passes_stop_no_one_else(node, passes):
    walker, wheels = (walking_streets(lane_with(**node), Walking(), steps=steps).network for steps in (True, False))
    assert seconds(walker, (100, 0), (100, 80)) == pytest.approx(DIRECT_S)
    assert seconds(wheels, (100, 0), (100, 80)) == pytest.approx(DIRECT_S if passes else ROUND_S)


def test_an_open_gate_does_not_let_a_wheelchair_over_its_stile():
    stile = lane_with(barrier="kissing_gate", opening_hours="24/7")
    streets = walking_streets(stile, Walking(), steps=False)
    assert seconds(at(streets, {"n0": True}), (100, 0), (100, 80)) == pytest.approx(ROUND_S)


# --------------------------------------------------------------------------- bridges, and the study's own word


def test_a_bridge_does_not_meet_the_street_that_it_crosses():
    bridge = ("bridge", {"bridge": "yes", "layer": "1"}, [(50, -20), (50, 20)])
    ramp = ("ramp", {}, [(50, 20), (400, 20), (400, 0)])
    network = walking_streets(ways(("main", {}, [(0, 0), (400, 0), (3000, 0)]), bridge, ramp), Walking()).network
    assert seconds(network, (50, -20), (50, 0)) == pytest.approx((40 + 350 + 20 + 350) / 1.2)


def test_the_last_rule_of_the_study_that_holds_wins():
    tags = pd.DataFrame({"highway": ["motorway", "footway", "footway"], "name": ["", "苑路", ""]})
    rules = (
        WayRule("no", where=({"highway": ("footway",)},)),
        WayRule("private", where=({"name": ()},)),
        WayRule("yes", ids=("w1",)),
    )
    found = walkability(tags, ids=("w1", "w2", "w3"), rules=rules)
    assert found.walked.tolist() == [True, True, False]
    assert found.private.tolist() == [False, True, False]
    assert found.kind.tolist() == ["street", "foot", ""]


def test_a_rule_of_the_study_may_name_several_values_as_the_tags_do():
    tags = pd.DataFrame({"highway": ["service", "service"], "access": ["private;permit", "private"]})
    rules = (WayRule("yes", where=({"access": ("private;permit",)},)),)
    assert walkability(tags, rules=rules).private.tolist() == [False, True]


def test_a_rule_that_opens_a_highway_of_its_own_silences_the_remark_about_it():
    lane = ("b", {"highway": "支路"}, [(0, 0), (0, 50)])
    streets = walking_streets(ways(MAIN, lane), Walking(rules=(WayRule("yes", where=({"highway": ("支路",)},)),)))
    assert "unknown-highway" not in rules_of(streets)
    assert streets.network.n_segments == 2


def test_a_rule_that_holds_for_no_way_is_told():
    streets = walking_streets(ways(MAIN), Walking(rules=(WayRule("no", where=({"highway": ("steps",)},)),)))
    assert "steps" in rules_of(streets)["unmet-rule"][0]


def test_a_ferry_is_no_walk():
    assert not walkability(pd.DataFrame([{"highway": "footway", "route": "ferry", "foot": "yes"}])).walked[0]
