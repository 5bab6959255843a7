"""What is known of single streets, gates and houses comes in, and walks and residents follow it exactly."""

from __future__ import annotations

import json
import re
from datetime import date

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

import oracle
from layers import ways
from lifecircle.closures import ALONG_M, NEAR_M, closed_stretches
from lifecircle.demand import place_residents
from lifecircle.ground import check_ground, lay_ground
from lifecircle.model import Closures, Gate, Walking
from lifecircle.readers.days import day_of
from lifecircle.readers.findings import WHATS
from lifecircle.readers.gates import GATE_REACH_M
from lifecircle.readers.placing import ROUNDED
from lifecircle.routing import nearest, snap
from lifecircle.said import in_chinese
from lifecircle.schema import LAYERS
from lifecircle.streets import walking_streets
from lifecircle.study import check_study, open_study
from tiny import STUDY, at, box, buildings, geojson, line, osm_xml, point, table, write_city

STEP_EAST_M, STEP_NORTH_M = 83.0, 111.1
SPEED_MPS = 1.2

# --------------------------------------------------------------------------------------------- a compound and a river


@pytest.fixture
def compound(tmp_path):
    """A lane through a compound, with a gate, between two streets that else meet in the west alone.

    2   n6 ─────────w3───────── n5 ───────── n7
        │                  w2 ┆        s1 stands here
    1   w4                    n4  the gate
        │                     ┆        b1 stands here
    0   n1 ─────────w1───────── n2 ───────── n3
        0                    2             4
    """
    write_city(tmp_path)
    spots = {1: (0, 0), 2: (2, 0), 3: (4, 0), 4: (2, 1), 5: (2, 2), 6: (0, 2), 7: (4, 2)}
    streets = {
        1: ((1, 2, 3), {"highway": "residential"}),
        2: ((2, 4, 5), {"highway": "service", "access": "private"}),
        3: ((6, 5, 7), {"highway": "residential"}),
        4: ((1, 6), {"highway": "residential"}),
    }
    osm_xml(tmp_path / "streets.osm", spots, streets, node_tags={4: {"barrier": "gate"}})
    geojson(tmp_path / "buildings.geojson", [({"building_id": "b1", "kind": "house"}, box(3, 0.1, 3.2, 0.2))])
    table(tmp_path / "residents.csv", "building_id residents", ["b1", 10])
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", *at(3.1, 1.9)])
    table(tmp_path / "candidates.csv", "site_id lon lat", ["c1", *at(1, 1.9)])
    geojson(tmp_path / "barriers.geojson", [({"kind": "wall"}, line((0.5, 1), (1.5, 1)))])
    (tmp_path / "streets.geojson").unlink()
    study(tmp_path)
    return tmp_path


def study(folder, inputs="", rest=""):
    osm = (folder / "streets.osm").exists()
    base = STUDY.replace("streets.geojson", "streets.osm") if osm else STUDY
    head, rows = base.split("[inputs]")
    (folder / "study.toml").write_text(f"{head}{rest}\n[inputs]{rows}{inputs}\n", encoding="utf-8")
    return folder


def walk_s(folder, station="s1"):
    """Return how long the walk from the first home to the station takes, by the engine and by networkx alike."""
    opened = open_study(folder)
    footing = lay_ground(opened).reference
    number = opened.stations["station_id"].tolist().index(station)
    found = footing.nearest(footing.stations.take([number]), footing.homes.take([0])).seconds[0, 0]
    metres = oracle.costs(footing.network, footing.homes.take([0]), footing.stations.take([number]), SPEED_MPS)[0, 0]
    assert found == pytest.approx(metres / SPEED_MPS, abs=1e-6)
    return found


def told(folder):
    """Return what a check of the study finds, by rule."""
    opened, breaches = check_study(folder)
    return {b.rule: b for b in (*breaches, *(check_ground(opened) if opened else ()))}


def sheet(folder, *rows):
    """Write a sheet of findings: what, id, value, place; by Li on 3 May 2026 unless a row says otherwise."""
    full = [[*row, *["", "", "", "", "", "Li", "2026-05-03"][len(row) :]] for row in rows]
    table(folder / "findings.csv", "what id value lon lat who when", *full)
    return study(folder, 'overrides = "findings.csv"')


ROUND_S = (2 * 3.1 * STEP_EAST_M + 2.25 * STEP_NORTH_M) / SPEED_MPS
THROUGH_S = (2 * 1.1 * STEP_EAST_M + 2.25 * STEP_NORTH_M) / SPEED_MPS


def is_round(seconds):
    return seconds == pytest.approx(ROUND_S, rel=0.01)


def is_through(seconds):
    return seconds == pytest.approx(THROUGH_S, rel=0.01)


# --------------------------------------------------------------------------------------------------------------- gates


def test_without_a_gate_the_compound_is_walked_round(compound):
    assert is_round(walk_s(compound))


def test_gates_in_a_table_are_the_same_as_gates_in_the_study_file(compound):
    study(compound, rest='[walking]\ngates = [{ id = "w2", hours = "06:00-22:00" }]')
    stated = open_study(compound)
    table(compound / "gates.csv", "gate_id way_id hours open", ["south", "w2", "06:00-22:00", "yes"])
    study(compound, 'gates = "gates.csv"')
    listed = open_study(compound)
    assert listed.settings == stated.settings
    assert is_through(walk_s(compound))


def test_a_gate_noted_by_its_place_opens_the_private_way_there(compound):
    table(compound / "gates.csv", "gate_id lon lat", ["south", *at(2.03, 0.5)])
    study(compound, 'gates = "gates.csv"')
    assert open_study(compound).settings.walking.gates == (Gate("w2"),)
    assert is_through(walk_s(compound))


def test_a_gate_noted_beside_a_mapped_gate_is_that_one_though_a_private_way_is_nearer(compound):
    table(compound / "gates.csv", "gate_id lon lat hours", ["south", *at(2, 1.05), "06:00-22:00"])
    study(compound, 'gates = "gates.csv"')
    assert open_study(compound).settings.walking.gates == (Gate("n4", "06:00-22:00"),)


def test_a_gate_with_no_gate_near_is_named_with_what_to_do(compound):
    table(compound / "gates.csv", "gate_id lon lat", ["near", *at(2, 1)], ["far", *at(1, 0.5)])
    study(compound, 'gates = "gates.csv"')
    assert told(compound)["no-gate"].ids == ("far -> w2, 83 m away",)
    assert f"within {GATE_REACH_M:.0f} m" in told(compound)["no-gate"].message


def test_where_the_streets_have_no_gate_at_all_none_is_said_to_be_named(compound):
    lanes = {1: ((1, 2), {"highway": "residential"})}
    osm_xml(compound / "streets.osm", {1: (0, 0), 2: (4, 0)}, lanes)
    table(compound / "gates.csv", "gate_id lon lat", ["far", *at(1, 0.5)])
    study(compound, 'gates = "gates.csv"')
    assert told(compound)["no-gate"].ids == ("far",)
    assert "nearest" not in told(compound)["no-gate"].message
    assert in_chinese(told(compound)["no-gate"].message) != str(told(compound)["no-gate"].message)


def test_a_gate_whose_hours_two_rows_write_each_in_its_way_contradicts_nobody(compound):
    rows = ["a", "w2", "周一至周五 8:00-18:00"], ["b", "w2", "Mo-Fr 8:00-18:00"], ["c", "w2", "Mo-Fr 08:00-18:00"]
    table(compound / "gates.csv", "gate_id way_id hours", *rows)
    study(compound, 'gates = "gates.csv"')
    assert "contradiction" not in told(compound)
    assert open_study(compound).settings.walking.gates == (Gate("w2", "Mo-Fr 08:00-18:00"),)
    table(compound / "gates.csv", "gate_id way_id hours", *rows, ["d", "w2", "Mo-Fr 8:00-18:30"])
    assert told(compound)["contradiction"].ids == ("w2",)


def test_the_hours_of_a_gate_in_the_study_file_may_be_in_the_words_of_its_door(compound):
    study(compound, rest='[walking]\ngates = [{ id = "w2", hours = "周一至周五 8:00-18:00" }]')
    assert open_study(compound).settings.walking.gates == (Gate("w2", "Mo-Fr 08:00-18:00"),)
    assert told(compound)["hours-in-words"].severity == "repair"
    study(compound, rest='[walking]\ngates = [{ id = "w2", hours = "待定" }]')
    assert told(compound)["bad-hours"].severity == "error"


def test_a_gate_that_is_shut_lets_nobody_pass_not_even_those_behind_it(compound):
    study(compound, rest='[walking]\ngates = ["w2"]')
    assert is_through(walk_s(compound))
    table(compound / "gates.csv", "gate_id lon lat open", ["south", *at(2, 1), "no"])
    study(compound, 'gates = "gates.csv"', rest='[walking]\ngates = ["w2"]')
    assert open_study(compound).settings.walking.closed == ("n4",)
    assert is_round(walk_s(compound))


def test_gates_that_contradict_themselves_are_refused(compound):
    rows = [["a", "w2", "", "yes"], ["b", "w2", "", "no"], ["c", "n4", "06:00-22:00", "no"], ["d", "w1", "6-22", "yes"]]
    table(compound / "gates.csv", "gate_id way_id hours open", *rows, ["e", "", "", "yes"], ["f", "w99", "", "yes"])
    study(compound, 'gates = "gates.csv"', rest='[walking]\nclosed = ["n4"]')
    _, breaches = check_study(compound)
    assert {(b.rule, b.ids) for b in breaches if b.layer == "gates" and b.severity == "error"} == {
        ("shut-with-hours", ("c",)),
        ("contradiction", ("w2",)),
        ("bad-hours", ("d",)),
        ("no-geometry", ("e",)),
        ("unknown-id", ("f",)),
        ("gate-stated-twice", ("n4",)),
    }


def test_an_openstreetmap_file_needs_no_layer_of_gates(compound):
    study(compound, 'gates = "streets.osm"')
    assert "read with the streets" in told(compound)["unfit-for-osm"].message


# ------------------------------------------------------------------------------------------------------------ closures

CROSS = (
    ("row", {}, [(0, 0), (100, 0), (200, 0), (300, 0)]),
    ("side", {}, [(100, 0), (100, 200)]),
    ("stub", {}, [(200, 0), (200, 8)]),
    ("lane", {}, [(0, 12), (300, 12)]),
)
"""A street of three stretches, with a side street, a stub, and a lane 12 m beside it that meets nothing."""


def closed_by(*shapes):
    """Return the middles of the stretches of `CROSS` that are closed, and what is told."""
    closures = Closures(tuple(f"c{i}" for i in range(len(shapes))), np.array(shapes, dtype=object))
    made = walking_streets(ways(*CROSS), Walking(), closures=closures)
    network = made.network
    middles = network.xy_m[network.ends].mean(axis=1)
    return {tuple(m) for m in middles[network.closed].round().tolist()}, {f.rule: f for f in made.findings}


def test_a_line_closes_the_stretches_that_it_runs_along_and_no_street_that_it_crosses():
    shut, found = closed_by(shapely.LineString([(2, 3), (195, 3)]))
    assert shut == {(50, 0), (150, 0)}
    assert found["closed-stretches"].message.startswith("2 stretches of street between two crossings, 200 m")
    assert "partly-along" not in found


def test_a_line_along_part_of_a_stretch_closes_all_of_it_up_to_the_crossings():
    assert closed_by(shapely.LineString([(120, -2), (140, -2)]))[0] == {(150, 0)}


def test_a_line_that_ends_just_beyond_a_crossing_leaves_the_next_stretch_open():
    assert closed_by(shapely.LineString([(100, 0), (205, 0)]))[0] == {(150, 0)}


def test_the_lane_beside_a_closed_street_stays_open_and_a_line_of_its_own_closes_it():
    assert closed_by(shapely.LineString([(100, 12 - ALONG_M + 0.5), (200, 12 - ALONG_M + 0.5)]))[0] == {(150, 12)}


def test_a_point_closes_the_nearest_stretch_and_at_a_crossing_all_that_meet_there():
    assert closed_by(shapely.Point(150, NEAR_M - 3))[0] == {(150, 12)}
    assert closed_by(shapely.Point(100, 150))[0] == {(100, 100)}
    assert closed_by(shapely.Point(100, 0))[0] == {(50, 0), (150, 0), (100, 100)}


def test_an_outline_closes_what_lies_in_it_and_not_what_it_touches():
    site = shapely.box(0, 150, 195, 250)
    assert closed_by(site)[0] == {(100, 100)}
    assert closed_by(shapely.box(102, 20, 250, 90))[0] == set()


def test_what_closes_nothing_is_an_error_and_a_line_half_off_the_streets_is_told():
    shut, found = closed_by(
        shapely.Point(50, -50), shapely.LineString([(250, 0), (250, -80)]), shapely.box(1, 50, 2, 60)
    )
    assert shut == set()
    assert (found["closes-nothing"].ids, found["closes-nothing"].severity) == (("c0", "c1", "c2"), "error")
    _, found = closed_by(shapely.LineString([(100, 0), (200, 0), (200, -100)]))
    assert (found["partly-along"].ids, found["partly-along"].severity) == (("c0: 106 of 200 m",), "warning")


def test_several_parts_of_one_closure_all_count():
    parts = shapely.MultiLineString([[(10, 0), (90, 0)], [(210, 0), (290, 0)]])
    assert closed_by(parts)[0] == {(50, 0), (250, 0)}
    assert closed_by(shapely.MultiPoint([(50, 1), (250, 1)]))[0] == {(50, 0), (250, 0)}


def test_a_street_that_somebody_found_open_is_spared():
    closures = Closures(("c",), np.array([shapely.box(-1, -1, 301, 20)]), sparing=("row", "stub"))
    made = walking_streets(ways(*CROSS), Walking(), closures=closures)
    ids = np.array([name for name, _, _ in CROSS])[made.way]
    assert set(ids[made.network.closed]) == {"side", "lane"}


@settings(max_examples=40)
@given(st.data())
def test_closing_never_shortens_a_walk_and_walks_are_those_of_networkx(data):
    spots = [(100.0 * x, 100.0 * y) for y in range(3) for x in range(3)]
    rows = [(f"row{y}", {}, spots[3 * y : 3 * y + 3]) for y in range(3)]
    columns = [(f"column{x}", {}, spots[x::3]) for x in range(3)]
    inside = st.tuples(st.integers(-20, 220), st.integers(-20, 220)).map(lambda p: tuple(map(float, p)))
    shape = data.draw(
        st.one_of(
            inside.map(shapely.Point),
            st.lists(inside, min_size=2, max_size=4, unique=True).map(shapely.LineString),
            st.tuples(inside, st.integers(5, 150)).map(lambda p: shapely.box(*p[0], p[0][0] + p[1], p[0][1] + p[1])),
        )
    )
    closed = tuple(data.draw(st.sets(st.sampled_from(["row0", "column2", "n0"]))))
    streets = ways(*rows, *columns, nodes={spots[4]: {"barrier": "gate"}})
    open_, shut = (
        walking_streets(streets, Walking(closed=ids), closures=c).network
        for ids, c in (((), None), (closed, Closures(("c",), np.array([shape], dtype=object))))
    )
    places = [data.draw(inside) for _ in range(4)]
    before, after = (
        nearest(network, snap(network, places[2:]), snap(network, places[:2]))[1][:, 0] for network in (open_, shut)
    )
    assert (after >= before - 1e-6).all()
    metres = oracle.nearest_costs(shut, snap(shut, places[:2]), snap(shut, places[2:]))
    assert np.allclose(after, metres / SPEED_MPS, atol=1e-6)


def test_a_city_without_closures_and_one_with_a_closure_snap_alike():
    plain = walking_streets(ways(*CROSS), Walking()).network
    closures = Closures(("c",), np.array([shapely.Point(150, 1)]))
    shut = walking_streets(ways(*CROSS), Walking(), closures=closures).network
    assert np.array_equal(plain.xy_m, shut.xy_m)
    assert np.array_equal(plain.ends, shut.ends)


def test_a_layer_of_closures_makes_the_walk_a_detour(compound):
    study(compound, rest='[walking]\ngates = ["w2"]')
    geojson(compound / "closures.geojson", [({"closure_id": "works"}, line((2, 1.2), (2, 1.8)))])
    study(compound, 'closures = "closures.geojson"', rest='[walking]\ngates = ["w2"]')
    assert is_round(walk_s(compound))
    assert told(compound)["closed-stretches"].ids == ("works",)


def test_a_table_of_closures_names_ways_and_places(compound):
    study(compound, rest='[walking]\ngates = ["w2"]')
    table(compound / "closures.csv", "closure_id way_id lon lat", ["a", "w4", "", ""], ["b", "", *at(1, 2)])
    study(compound, 'closures = "closures.csv"', rest='[walking]\ngates = ["w2"]')
    opened = open_study(compound)
    assert (opened.settings.walking.closed, opened.closures.id) == (("w4",), ("b",))
    assert is_through(walk_s(compound))


def test_closures_count_on_their_days(compound):
    rows = [
        ["before", "w1", "2026/4/1", "2026年4月30日"],
        ["during", "w4", "2026-05-01", ""],
        ["after", "w3", "2026-06-01", ""],
        ["always", "w2", "", ""],
    ]
    table(compound / "closures.csv", "closure_id way_id since until", *rows)
    folder = study(compound, 'closures = "closures.csv"', rest="date = 2026-05-03")
    assert open_study(folder).settings.walking.closed == ("w4", "w2")
    in_force = told(folder)["in-force"]
    assert in_force.ids == ("during", "always", "before: not in force", "after: not in force")
    assert in_force.message == "2 in force on 2026-05-03; 2 not, and left out"
    folder = study(compound, 'closures = "closures.csv"')
    assert open_study(folder).settings.walking.closed == ("w1", "w4", "w3", "w2")
    assert told(folder)["undated-study"].ids == ("before", "during", "after")


def test_closures_that_cannot_be_meant_are_all_named(compound):
    rows = [["a", "w77", "", ""], ["b", "", "", ""], ["c", "w1", "May", ""], ["d", "w1", "2026-05-03", "2026-05-01"]]
    table(compound / "closures.csv", "closure_id way_id since until", *rows)
    study(compound, 'closures = "closures.csv"')
    _, breaches = check_study(compound)
    assert {(b.rule, b.ids) for b in breaches if b.severity == "error"} == {
        ("unknown-id", ("a",)),
        ("no-geometry", ("b",)),
        ("bad-date", ("c",)),
        ("until-before-since", ("d",)),
    }


def test_a_way_closed_by_its_id_is_closed_from_end_to_end_and_says_how_many_metres_that_is(compound):
    table(compound / "closures.csv", "closure_id way_id since until", ["works", "w1", "", ""])
    closed = told(study(compound, 'closures = "closures.csv"'))["closed-ways"]
    length_m = float(re.search(r"w1: (\d+) m", closed.ids[0])[1])
    assert length_m == pytest.approx(Geod(ellps="WGS84").line_length(*zip(at(0, 0), at(4, 0), strict=True)), abs=1)
    assert f"{length_m:.0f} m in all" in closed.message
    assert closed.severity == "note"


def test_a_closure_that_is_over_stops_nothing_and_one_that_ends_before_it_begins_is_not_called_over(compound):
    rows = [
        ["gone", "w77", "", "2026-04-01"],
        ["nowhere", "", "", "2026-04-01"],
        ["d", "w1", "2026-05-03", "2026-05-01"],
    ]
    table(compound / "closures.csv", "closure_id way_id since until", *rows)
    found = told(study(compound, 'closures = "closures.csv"', rest="date = 2026-05-09"))
    assert found["in-force"].ids == ("gone: not in force", "nowhere: not in force")
    assert {rule for rule, b in found.items() if b.severity == "error"} == {"until-before-since"}


def test_an_unreadable_date_of_the_study_is_refused(compound):
    assert "such as 2026-05-03" in told(study(compound, rest='date = "May"'))["bad-date"].message
    assert open_study(study(compound, rest='date = "2026年5月3日"')).settings.date == "2026-05-03"


@pytest.mark.parametrize(
    "text", ["2026-05-03", "2026/5/3", "2026.5.3", "2026年5月3日", "2026-05-03 00:00:00", "20260503"]
)
def test_days_are_read_as_people_write_them(text):
    assert day_of(text) == "2026-05-03"


@given(st.dates())
def test_every_day_is_read_back(day):
    assert day_of(day.isoformat()) == day.isoformat()
    assert date.fromisoformat(day_of(f"{day.year:04}年{day.month}月{day.day}日")) == day


@pytest.mark.parametrize("text", ["", "May 3", "2026-13-01", "2026-02-30", "20261301", "3/5/2026", "46145"])
def test_what_is_no_day_is_none(text):
    assert day_of(text) == ""


def test_a_day_as_excel_counts_it_is_named(compound):
    found = told(sheet(compound, ["levels", "b1", "3", "", "", "Li", "46145"]))
    assert "46145 may be 2026-05-03 as Excel counts days" in found["bad-date"].message


# ------------------------------------------------------------------------------------------------------------ findings


def test_a_gate_found_open_is_walked_through_and_one_found_shut_is_not(compound):
    assert is_through(walk_s(sheet(compound, ["way", "w2", "open"])))
    assert is_round(walk_s(sheet(compound, ["way", "w2", "open", "", "", "Wu", "2026-05-01"], ["gate", "n4", "shut"])))
    assert is_round(walk_s(sheet(compound, ["way", "w2", "open"], ["gate", "", "shut", *at(2, 1.01)])))


def test_a_gate_found_with_hours_keeps_them(compound):
    sheet(compound, ["gate", "", "Mo-Fr 06:00-22:00", *at(2, 0.5)])
    assert open_study(compound).settings.walking.gates == (Gate("w2", "Mo-Fr 06:00-22:00"),)


def test_findings_on_streets_beat_the_study_file_and_the_layers(compound):
    table(compound / "closures.csv", "closure_id way_id lon lat", ["a", "w2", "", ""], ["b", "", *at(2, 1.5)])
    sheet(compound, ["way", "w2", "open"])
    study(compound, 'overrides = "findings.csv"\nclosures = "closures.csv"', rest='[walking]\nclosed = ["w2", "n4"]')
    assert is_round(walk_s(compound))  # the gate on the way is closed still
    sheet(compound, ["way", "w2", "open"], ["gate", "n4", "open"])
    study(compound, 'overrides = "findings.csv"\nclosures = "closures.csv"', rest='[walking]\nclosed = ["w2", "n4"]')
    assert is_through(walk_s(compound))


def test_a_way_found_closed_or_private_lets_nobody_through(compound):
    stated = '[walking]\ngates = ["w2"]'
    for value in ("closed", "private"):
        sheet(compound, ["way", "w2", value])
        study(compound, 'overrides = "findings.csv"', rest=stated)
        assert is_round(walk_s(compound))


def test_of_two_findings_the_later_counts_whatever_their_order(compound):
    for rows in (("open", "2026-05-01"), ("closed", "2026-05-09")), (("closed", "2026-05-09"), ("open", "2026-05-01")):
        sheet(compound, *(["way", "w2", value, "", "", "Li", when] for value, when in rows))
        assert is_round(walk_s(compound))
        assert told(compound)["superseded"].ids == ("way w2 open (Li, 2026-05-01)",)


def test_two_findings_of_one_day_that_differ_are_refused_and_two_that_agree_are_one(compound):
    sheet(compound, ["way", "w2", "open"], ["way", "w2", "closed"], ["residents", "b1", "4"], ["residents", "b1", "4"])
    found = told(compound)
    assert (found["contradiction"].ids, found["contradiction"].severity) == (
        ("way w2 open (Li, 2026-05-03)", "way w2 closed (Li, 2026-05-03)"),
        "error",
    )
    sheet(compound, ["residents", "b1", "4"], ["residents", "b1", "4"])
    assert place_residents(open_study(compound)).residents["residents"].tolist() == [4.0]


def test_a_way_closed_and_the_gate_on_it_shut_on_one_day_say_the_same(compound):
    sheet(compound, ["way", "w2", "closed"], ["gate", "w2", "shut"])
    assert open_study(compound).settings.walking.closed == ("w2",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("１２", 12), ("1,200", 1200), ("１，２００", 1200), ("12.0", 12), ("-0", 0), ("约１２人", 12)],
)
def test_people_found_are_counted_however_the_number_is_written(compound, written, meant):
    sheet(compound, ["residents", "b1", written], ["residents", "b1", str(meant)])
    assert place_residents(open_study(compound)).residents["residents"].tolist() == [meant]


def test_every_finding_is_told_with_who_and_when_and_changes_the_fingerprint(compound):
    plain = open_study(compound).fingerprint
    sheet(compound, ["residents", "b1", "4"], ["way", "w2", "open"])
    prints = {open_study(compound).fingerprint}
    ids = [i for b in check_study(compound)[1] if b.rule == "overridden" for i in b.ids]
    assert ids == ["residents b1 4 (Li, 2026-05-03)", "way w2 open (Li, 2026-05-03)"]
    sheet(compound, ["residents", "b1", "5"], ["way", "w2", "open"])
    assert len({*prints, open_study(compound).fingerprint, plain}) == 3


def test_findings_in_the_study_file_are_the_same_as_in_a_sheet(compound):
    sheet(compound, ["way", "w2", "open"], ["residents", "b1", "4"], ["gate", "", "shut", *at(2, 1)])
    listed = open_study(compound)
    lon, lat = at(2, 1)
    (compound / "findings.csv").unlink()
    study(compound)
    with (compound / "study.toml").open("a", encoding="utf-8") as file:
        file.write(f"""[overrides]
findings = [
    {{ what = "way", id = "w2", value = "open", who = "Li", when = 2026-05-03, note = "seen open" }},
    {{ what = "residents", id = "b1", value = 4, who = "Li", when = 2026-05-03 }},
    {{ what = "gate", value = "shut", lon = {lon}, lat = {lat}, who = "Li", when = "2026/5/3" }},
]
""")
    stated = open_study(compound)
    assert stated.settings == listed.settings
    assert stated.residents.equals(listed.residents)
    assert [b.ids for b in stated.findings] == [b.ids for b in listed.findings]


def test_places_in_the_study_file_are_in_its_datum(compound):
    (compound / "streets.osm").unlink()
    write_city(compound, study=STUDY.replace("wgs84", "gcj02"))
    lon, lat = at(1.2, 0.2)
    found = f'{{ what = "entrance", id = "b1", lon = {lon}, lat = {lat}, who = "Li", when = 2026-05-03 }}'
    with (compound / "study.toml").open("a", encoding="utf-8") as file:
        file.write(f"[overrides]\nfindings = [{found}]\n")
    opened = open_study(compound)
    assert opened.entrances.geometry.distance(opened.buildings.geometry[0]).max() < 0.1


def test_chinese_headings_and_words_say_the_same(compound):
    sheet(compound, ["way", "w2", "open"], ["residents", "b1", "0"], ["station", "s1", "moved", *at(3, 1.9)])
    english = open_study(compound)
    lon, lat = at(3, 1.9)
    (compound / "findings.csv").write_text(
        "核实内容,编号,核实结果,经度,纬度,核实人,核实日期\n道路,w2,开放,,,李,2026年5月3日\n"
        f"人数,b1,无人居住,,,李,2026年5月3日\n站点,s1,搬迁,{lon},{lat},李,2026年5月3日\n",
        "gb18030",
    )
    chinese = open_study(compound)
    assert chinese.settings == english.settings
    assert chinese.residents.equals(english.residents)
    assert chinese.stations.equals(english.stations)


WRONG = {
    "a kind nobody knows": (["resident", "b1", "4"], "unknown-value"),
    "nobody saw it": (["residents", "b1", "4", "", "", "", "2026-05-03"], "missing-who"),
    "on no day": (["residents", "b1", "4", "", "", "Li", ""], "missing-when"),
    "on a day that is none": (["residents", "b1", "4", "", "", "Li", "yesterday"], "bad-date"),
    "after the study": (["residents", "b1", "4", "", "", "Li", "2027-01-01"], "future-date"),
    "residents that are no number": (["residents", "b1", "many"], "bad-finding"),
    "residents below nothing": (["residents", "b1", "-1"], "bad-finding"),
    "residents without end": (["residents", "b1", "inf"], "bad-finding"),
    "residents in figures of another script": (["residents", "b1", "٣"], "bad-finding"),
    "residents as a programmer writes them": (["residents", "b1", "1_200"], "bad-finding"),
    "more residents than a city has": (["residents", "b1", "1e308"], "bad-finding"),
    "floors without end": (["levels", "b1", "1e300"], "bad-finding"),
    "a house nobody knows": (["levels", "b9", "4"], "unknown-id"),
    "a house without its id": (["kind", "", "house"], "missing-id"),
    "a kind of nothing": (["kind", "b1", ""], "bad-finding"),
    "a way nobody knows": (["way", "w99", "open"], "unknown-id"),
    "a way that is flooded": (["way", "w2", "flooded"], "bad-finding"),
    "a gate far from any": (["gate", "", "open", *at(1, 0.5)], "no-gate"),
    "a gate of no place": (["gate", "", "open"], "missing-id"),
    "a gate of odd hours": (["gate", "n4", "6-22"], "bad-finding"),
    "a door without a place": (["entrance", "b1", ""], "no-geometry"),
    "a door far from the house": (["entrance", "b1", "", *at(1, 1)], "entrance-off-building"),
    "a station nobody knows": (["capacity", "s9", "40"], "unknown-id"),
    "a station moved nowhere": (["station", "s1", "moved"], "no-geometry"),
    "a wall where there is none": (["barrier", "", "gone", *at(3, 1)], "no-barrier"),
    "a place that is half one": (["gate", "", "open", at(2, 1)[0], ""], "not-finite"),
    "a place in metres": (["gate", "", "open", 500000, 4600000], "not-degrees"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_finding_that_cannot_mean_anything_is_refused_with_its_row(compound, name):
    row, rule = WRONG[name]
    sheet(compound, ["levels", "b1", "3"], row)
    study(compound, 'overrides = "findings.csv"', rest="date = 2026-06-01")
    opened, breaches = check_study(compound)
    assert opened is None
    [finding] = [b for b in breaches if b.severity == "error"]
    assert (finding.rule, *(named.split(" -> ")[0] for named in finding.ids)) == (rule, row[1] or "row 3")
    assert "overridden" not in {b.rule for b in breaches}, "what is refused replaces nothing"


def test_what_the_documents_say_of_findings_is_all_that_can_be_found(repository):
    readme = (repository / "README.md").read_text("utf-8")
    for name, what in WHATS.items():
        assert f"| `{name}` |" in readme, name
        assert what.layer in LAYERS


# ----------------------------------------------------------------------------------- buildings, entrances and stations


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def homes(folder):
    """Return residents by building, and all that came in."""
    demand = place_residents(open_study(folder))
    return demand.residents["residents"].round(9).tolist(), demand.unplaced["residents"].sum()


def test_people_found_in_a_building_replace_those_that_a_table_counts_there(city):
    assert homes(sheet(city, ["residents", "b1", "12"])) == ([12.0, 4.0, 0.0], 0.0)
    assert homes(sheet(city, ["residents", "b2", "无人"])) == ([60.0, 0.0, 0.0], 0.0)


def test_groups_keep_their_share_of_the_people_found(city):
    table(city / "residents.csv", "building_id residents residents_65plus", ["b1", 60, 30], ["b2", 4, 1])
    sheet(city, ["residents", "b1", "12"], ["residents", "b3", "5"])
    demand = place_residents(open_study(city))
    assert demand.residents["residents_65plus"].tolist() == [6.0, 1.0, 0.0]
    assert demand.residents["residents"].tolist() == [12.0, 4.0, 5.0]
    scaled = told(city)["scaled-groups"]
    assert (scaled.ids, scaled.severity) == (("b1: 60 -> 12",), "note")


def test_hours_of_a_gate_are_read_in_words_too(compound):
    table(compound / "gates.csv", "gate_id lon lat hours", ["south", *at(2, 1), "每天 6:00—22:00"])
    study(compound, 'gates = "gates.csv"')
    assert open_study(compound).settings.walking.gates == (Gate("n4", "Mo-Su 06:00-22:00"),)
    assert told(compound)["hours-in-words"].ids == ("south",)
    found = sheet(compound, ["gate", "n4", "工作日 8点-18点"])
    assert open_study(found).settings.walking.gates == (Gate("n4", "Mo-Fr 08:00-18:00"),)


def test_gates_that_count_are_listed_open_and_shut(compound):
    table(compound / "gates.csv", "gate_id way_id open", ["a", "n4", "yes"], ["b", "w4", "no"])
    in_force = told(study(compound, 'gates = "gates.csv"'))["in-force"]
    assert (in_force.ids, in_force.severity) == (("n4", "w4: shut"), "note")
    assert in_force.message.startswith("1 let everyone through")


def test_people_found_are_part_of_the_total_of_their_area(city):
    rows = [*buildings(), ({"building_id": "b4", "kind": "apartments", "levels": 6}, box(2, 0.2, 2.4, 0.4))]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "area_id residents", ["s", 100], ["n", 10])
    assert homes(sheet(city, ["residents", "b1", "30"])) == ([30.0, 10.0, 0.0, 70.0], 0.0)
    assert homes(sheet(city, ["residents", "b1", "0"])) == ([0.0, 10.0, 0.0, 100.0], 0.0)


def test_nobody_is_put_into_a_house_that_was_found_empty_though_it_is_the_only_one(city):
    table(city / "residents.csv", "area_id residents", ["s", 100], ["n", 10])
    assert homes(sheet(city, ["residents", "b2", "0"])) == ([100.0, 0.0, 0.0], 10.0)


def test_more_people_found_than_the_area_has_is_for_the_planner_to_settle(city):
    table(city / "residents.csv", "area_id residents", ["s", 100], ["n", 10])
    assert told(sheet(city, ["residents", "b2", "15"]))["negative-remainder"].ids == ("n",)


def test_people_found_beat_addresses_points_and_cells(city):
    rows = [({**p, "address": a}, g) for a, (p, g) in zip(("1号", "2号", "3号"), buildings(), strict=True)]
    geojson(city / "buildings.geojson", rows)
    table(city / "residents.csv", "household address residents", ["h1", "1号", 3], ["h2", "1号", 2], ["h3", "2号", 4])
    assert homes(sheet(city, ["residents", "b1", "9"])) == ([9.0, 4.0, 0.0], 0.0)
    table(city / "residents.csv", "lon lat residents", [*at(1.2, 0.3), 5], [*at(2.2, 1.6), 4])
    assert homes(sheet(city, ["residents", "b1", "9"])) == ([9.0, 4.0, 0.0], 0.0)
    geojson(city / "grid.geojson", [({"residents": 90}, box(0, 0, 3, 2))])
    sheet(city, ["residents", "b1", "9"])
    text = (city / "study.toml").read_text("utf-8").replace("residents.csv", "grid.geojson")
    (city / "study.toml").write_text(text, "utf-8")
    assert homes(city) == ([9.0, 81.0, 0.0], 0.0)


@settings(max_examples=12)
@given(found=st.dictionaries(st.sampled_from(["b1", "b2"]), st.integers(0, 40)), total=st.integers(0, 200))
def test_what_comes_in_with_findings_stands_on_buildings_or_is_unplaced(tmp_path_factory, found, total):
    folder = write_city(tmp_path_factory.mktemp("city"))
    table(folder / "residents.csv", "area_id residents", ["d", total])
    sheet(folder, ["levels", "b1", "5"], *(["residents", i, n] for i, n in found.items()))
    opened, breaches = check_study(folder)
    if sum(found.values()) > total + ROUNDED:
        assert "negative-remainder" in {b.rule for b in breaches}
        return
    demand = place_residents(opened)
    stands = demand.residents["residents"]
    assert stands.sum() + demand.unplaced["residents"].sum() == pytest.approx(max(total, sum(found.values())), abs=1e-6)
    assert {i: stands[["b1", "b2"].index(i)] for i in found} == found


def test_floors_and_use_found_change_where_people_are_put(city):
    table(city / "residents.csv", "area_id residents", ["d", 60])
    rows = [({**p, "levels": 2, "kind": "house"}, g) for p, g in buildings()]
    geojson(city / "buildings.geojson", rows)
    assert homes(study(city))[0] == pytest.approx([30, 30, 0], rel=1e-3)
    assert homes(sheet(city, ["levels", "b1", "4层"]))[0] == pytest.approx([40, 20, 0], rel=1e-3)
    assert homes(sheet(city, ["kind", "b1", "school"]))[0] == [0, 60, 0]


def test_a_door_found_is_a_door_by_which_the_house_is_left(city):
    sheet(city, ["entrance", "b1", "", *at(1.4, 0.3)], ["entrance", "b1", "", *at(1.2, 0.2)])
    opened = open_study(city)
    assert opened.entrances["building_id"].tolist() == ["b1", "b1"]
    geojson(city / "doors.geojson", [({"building_id": "b2"}, point(2.2, 1.5))])
    study(city, 'overrides = "findings.csv"\nentrances = "doors.geojson"')
    assert open_study(city).entrances["building_id"].tolist() == ["b2", "b1", "b1"]


def test_a_station_found_elsewhere_stands_there_in_the_building_and_the_area_of_that_place(city):
    table(city / "stations.csv", "station_id lon lat capacity", ["s1", *at(1.2, 0.3), 9], ["s2", *at(3, 0.1), ""])
    before = open_study(study(city)).stations
    assert (before["building_id"][0], before["area_id"][0]) == ("b1", "s")
    sheet(city, ["station", "s1", "moved", *at(2.2, 1.6)], ["capacity", "s2", "40"])
    after = open_study(city).stations
    assert (after["building_id"][0], after["area_id"][0]) == ("b2", "n")
    assert after["capacity"].tolist() == [9.0, 40.0]


def test_a_station_is_not_moved_out_of_the_study(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", *at(1.2, 0.3)], ["s2", *at(3, 0.1)])
    sheet(city, ["station", "s1", "moved", *at(2000, 0)])
    refused = [b for b in check_study(city)[1] if b.severity == "error"]
    assert [(b.layer, b.rule, b.ids) for b in refused] == [("overrides", "wrong-place", ("s1",))]
    later = ["station", "s1", "moved", *at(2.2, 1.6), "Li", "2026-05-04"]
    assert open_study(sheet(city, ["station", "s1", "moved", *at(2000, 0)], later)).stations["building_id"][0] == "b2"


def test_a_use_that_nobody_knows_is_told_since_nobody_is_put_there(city):
    found = told(sheet(city, ["kind", "b1", "schol"], ["kind", "b2", "school"]))["unknown-kind"]
    assert (found.layer, found.ids, found.severity) == ("overrides", ("b1 schol",), "warning")


def test_a_station_found_closed_serves_nobody(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", *at(1.2, 0.3)], ["s2", *at(3, 0.1)])
    sheet(city, ["station", "s1", "closed"])
    assert open_study(city).stations["station_id"].tolist() == ["s2"]


def test_a_study_whose_every_station_was_found_closed_is_refused(city):
    found = told(sheet(city, ["station", "s1", "closed"]))
    assert [rule for rule, b in found.items() if b.severity == "error"] == ["no-station-left"]


def test_nobody_takes_a_river_away(city):
    geojson(city / "barriers.geojson", [({"kind": "river"}, line((1, 1), (3, 1)))])
    assert told(sheet(city, ["barrier", "", "gone", *at(2, 1)]))["no-barrier"].ids == ("row 2",)


def test_a_closed_flight_of_steps_is_no_news_to_those_who_take_none(compound):
    classes = '[walking]\nclasses = [{ name = "adult" }, { name = "wheelchair", speed_mps = 0.8, steps = false }]'
    table(compound / "residents.csv", "building_id residents residents_wheelchair", ["b1", 10, 1])
    spots, steps = {1: (0, 0), 2: (2, 0), 3: (4, 0), 4: (2, 2)}, {"highway": "steps"}
    osm_xml(compound / "streets.osm", spots, {1: ((1, 2, 3), {"highway": "residential"}), 2: ((2, 4), steps)})
    geojson(compound / "closures.geojson", [({"closure_id": "stairs"}, line((2, 0.5), (2, 1.5)))])
    study(compound, 'closures = "closures.geojson"', rest=classes)
    found = [b for b in check_ground(open_study(compound)) if b.layer == "closures"]
    assert [(b.rule, b.severity) for b in found] == [("closed-stretches", "note")]


def test_a_wall_found_gone_bars_no_leg(city):
    assert len(open_study(city).barriers) == 1
    taken = told(sheet(city, ["barrier", "", "gone", *at(2, 1.02)]))["barrier-gone"]
    assert (taken.ids, taken.severity) == (("row 2",), "note")
    assert re.search(r"the whole of each line .* taken away, [1-9]\d* m in all", taken.message)
    assert len(open_study(city).barriers) == 0


def test_no_results_bear_the_names_of_those_who_saw(run, compound, tmp_path):
    sheet(compound, ["way", "w2", "open", "", "", "Wang Xiaoming", "2026-05-03"])
    assert run("check", compound, "--out", tmp_path / "out")[0] == 0
    assert "Wang Xiaoming" in (tmp_path / "out" / "check" / "check.json").read_text("utf-8")
    code, shown, said = run("cover", compound, "--out", tmp_path / "out")
    assert code == 0
    assert "Wang Xiaoming" not in shown + said
    for path in (tmp_path / "out" / "today").iterdir():
        assert b"Wang Xiaoming" not in path.read_bytes(), path.name


def test_check_tells_findings_and_closures_in_its_record(run, compound, tmp_path):
    geojson(compound / "closures.geojson", [({"closure_id": "works"}, line((2, 1.2), (2, 1.8)))])
    sheet(compound, ["levels", "b1", "3"])
    study(compound, 'closures = "closures.geojson"\noverrides = "findings.csv"')
    assert run("check", compound, "--out", tmp_path / "out")[0] == 0
    record = json.loads((tmp_path / "out" / "check" / "check.json").read_text("utf-8"))
    rules = {f["rule"]: f for f in record["findings"]}
    assert rules["overridden"]["ids"] == ["levels b1 3 (Li, 2026-05-03)"]
    assert rules["closed-stretches"]["ids"] == ["works"]


def test_a_hundred_closures_of_a_large_town_are_found_at_once():
    n = 300
    xy = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2) * 100.0
    east = np.arange(n * n).reshape(n, n)[:, :-1].ravel()
    lines = shapely.linestrings(np.stack([xy[east], xy[east + 1]], axis=1))
    shapes = np.array([shapely.LineString([(x, 3), (x + 1000, 3)]) for x in range(0, 20000, 200)], dtype=object)
    shut, found = closed_stretches(lines, Closures(tuple(map(str, range(len(shapes)))), shapes))
    assert shut.sum() == 208
    assert [f.rule for f in found] == ["closed-stretches"]
