"""Scenarios stated by hand: stations opened, closed and moved, speeds and closed roads, alone or before a question."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lifecircle import compare, cover, open_study, site
from lifecircle.asked import Scenario
from lifecircle.circles import cover_today
from lifecircle.errors import InfeasibleError, StudyError
from lifecircle.maps.compare_payload import compare_payload
from lifecircle.maps.payload import payload
from lifecircle.publish import LEAST, published, published_plan
from lifecircle.readers.study_file import read_study_file
from lifecircle.scenarios import Situation, check_scenarios, evaluate, possible_sites
from test_compare import CLASSES, write_street
from tiny import at, geojson, line, table

HOMES = {0: 60, 3: 50, 6: 40, 7: 30, 12: 20, 15: 10}
ROOMS = {"c1": 12, "c2": 16}

HAND = {
    "opens": 'open = ["c1"]\ncost = { pharmacy = 900 }',
    "closes": 'close = ["s1"]\nopen = ["c2"]',
    "moves": 'move = { s1 = "c1" }',
    "slow": "speeds = { aged = 0.5 }",
    "dug up": 'closed = ["w2"]',
    "all gone": 'close = ["s1"]',
    "opens, then asks": 'open = ["c2"]\nquestion = "most"\ncircle = "8"\nn_new = 1',
    "moves, then asks": 'move = { s1 = "c2" }\nquestion = "most"\ncircle = "8"\nn_new = 1',
}


def write_town(folder, scenarios):
    """The street of ``write_street`` in three ways, of which w2 is a bridge between home 3 and home 6."""
    write_street(folder, HOMES, ROOMS, more=asked(scenarios))
    ways = {"w1": range(-1, 5), "w2": range(4, 6), "w3": range(5, 18)}
    lines = [({"way_id": i, "highway": "residential"}, line(*((x, 0) for x in xs))) for i, xs in ways.items()]
    geojson(folder / "streets.geojson", [*lines, ({"way_id": "w4", "highway": "residential"}, line((0, 3), (4, 3)))])
    return folder


def asked(scenarios):
    return "".join(f'\n[[scenario]]\nname = "{name}"\n{text}\n' for name, text in scenarios.items())


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_town(tmp_path_factory.mktemp("by hand"), HAND)


@pytest.fixture(scope="module")
def today(street):
    return cover_today(open_study(street))


def spoiled(tmp_path, text):
    """Return a study of the street whose one scenario states ``text``."""
    return write_town(tmp_path, {"odd": text})


# ----------------------------------------------------------------------------------------------------------- evaluated


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("opens", {"add": ["c1"]}),
        ("closes", {"drop": ["s1"], "add": ["c2"]}),
        ("moves", {"move": {"s1": "c1"}}),
        ("all gone", {"drop": ["s1"]}),
    ],
)
def test_a_scenario_by_hand_has_the_figures_of_the_same_what_if(today, name, change):
    found = evaluate(today.study, scenario=name, today=today)
    table = Situation.of(today, possible_sites(today)).after(**change).table
    pd.testing.assert_frame_equal(found.coverage.table[list(table)], table, check_dtype=False)


def test_sites_say_what_is_opened_closed_and_moved_by_hand(today):
    moved = evaluate(today.study, scenario="moves", today=today).sites.set_index("site_id")
    assert moved["state"].to_dict() == {"c1": "opened", "s1": "closed"}
    assert moved["order"].isna().all(), "nothing was searched for"
    assert moved.loc["s1", "lost_8"] == 60 + 50, "the adults of home 6 reach c1 too"
    assert moved.loc["c1", "reached_8"] == moved.loc["c1", "only_here_8"] > 0
    opened = evaluate(today.study, scenario="opens", today=today).sites.set_index("site_id")
    assert opened["state"].to_dict() == {"c1": "opened", "s1": "fixed"}
    assert opened.loc["c1", "cost"] == 900


def test_other_speeds_are_those_of_a_study_that_states_them(street, today, tmp_path):
    slow = write_town(tmp_path, {})
    text = (slow / "study.toml").read_text("utf-8").replace(CLASSES, CLASSES.replace("0.92", "0.5"))
    (slow / "study.toml").write_text(text, "utf-8")
    found = evaluate(today.study, scenario="slow", today=today)
    pd.testing.assert_frame_equal(found.coverage.table, cover(open_study(slow)).table)
    assert found.coverage.table["within_8"].iloc[-3] < today.table["within_8"].iloc[-3]


@pytest.mark.parametrize("name", [name for name in HAND if "asks" not in name])
def test_site_shows_whom_every_scenario_by_hand_brings_in_and_takes_out(street, tmp_path, run, name):
    code, shown, _ = run("site", street, "--scenario", name, "--out", tmp_path)
    assert code == 0
    assert "before" in shown
    assert ("closes: " in shown) == (name in ("closes", "moves", "all gone"))


def test_the_map_of_a_scenario_says_at_which_speeds_and_on_which_ways_its_walks_are(today):
    for name, zh, en in (
        ("slow", "slow：本方案的步速：老年人 0.5 m/s", "slow: walking speeds of this scenario: aged 0.5 m/s"),
        ("dug up", "dug up：本方案封闭的道路：w2", "dug up: ways closed in this scenario: w2"),
    ):
        plan = evaluate(today.study, scenario=name, today=today)
        assert {"zh": zh, "en": en} in payload(today, plan=plan)["notes"]


def test_roads_closed_in_a_scenario_are_those_closed_in_a_study(today, tmp_path):
    dug = write_town(tmp_path, {})
    text = (dug / "study.toml").read_text("utf-8").replace("[walking]", '[walking]\nclosed = ["w2"]')
    (dug / "study.toml").write_text(text, "utf-8")
    found = evaluate(today.study, scenario="dug up", today=today)
    pd.testing.assert_frame_equal(found.coverage.table, cover(open_study(dug)).table)
    assert found.coverage.table["within_15"].iloc[-3] < today.table["within_15"].iloc[-3]


def test_what_a_scenario_states_holds_for_it_alone(today):
    before = today.table.copy()
    for name in ("slow", "dug up", "moves"):
        evaluate(today.study, scenario=name, today=today)
    pd.testing.assert_frame_equal(today.table, before)
    assert today.study.settings.walking.classes[1].speed_mps == 0.92


# --------------------------------------------------------------------------------------------------- before a question


def test_a_question_starts_from_what_is_stated(today):
    plan = site(today.study, scenario="opens, then asks", today=today)
    assert plan.sites.set_index("site_id")["state"].to_dict() == {"c2": "opened", "c1": "chosen", "s1": "fixed"}
    start = Situation.of(today, possible_sites(today), chosen=["c2"])
    assert plan.solution.today == start.table["within_8"].iloc[-3]
    assert plan.reached == plan.coverage.table["within_8"].iloc[-3]
    moved = site(today.study, scenario="moves, then asks", today=today)
    found = moved.sites.set_index("site_id")["state"].to_dict()
    assert found == {"c2": "opened", "s1": "closed", "c1": "chosen"}


def test_evaluating_is_no_answer_and_a_scenario_without_a_question_has_none(today):
    with pytest.raises(StudyError, match="'opens' asks no question"):
        site(today.study, scenario="opens", today=today)


# ------------------------------------------------------------------------------------------------------- the commands


def test_all_are_compared_each_at_its_own_speeds(street):
    names = ("opens", "slow", "all gone", "moves, then asks")
    study = open_study(street)
    scenarios = tuple(s for s in study.settings.scenarios if s.name in names)
    found = compare(replace(study, settings=replace(study.settings, scenarios=scenarios)))
    assert {p.scenario.name for p in found.plans} == set(names)
    everyone = found.table[(found.table["area_id"] == "total") & (found.table["group"] == "all")]
    stated = everyone[everyone["speed"] == 1.0].set_index("scenario")
    assert stated.loc["slow", "change_within_8"] < 0, "against today at today's speeds"
    assert stated.loc["opens", "cost"] == 900
    assert stated.loc["all gone", "within_15"] == 0
    told = {each["name"]: each["said"]["en"] for each in compare_payload(found, ())["by_hand"]}
    assert told["slow"] == ["walking speeds of this scenario: aged 0.5 m/s"], "the page draws these walks"
    assert told.keys() == set(names)
    slower = everyone[everyone["speed"] == 0.9].set_index("scenario")
    assert slower.loc["slow", "within_15"] <= stated.loc["slow", "within_15"]


def test_site_writes_a_scenario_by_hand_like_any_other(run, street, tmp_path):
    code, shown, _ = run("site", street, "--scenario", "moves", "--out", tmp_path / "out")
    assert code == 0
    assert "moved by hand: s1 to c1" in shown
    assert "closes: 西站: 110 residents lose circle 8" in shown
    folder = tmp_path / "out" / "scenarios" / "moves"
    record = json.loads((folder / "plan.json").read_text("utf-8"))
    assert (record["opened"], record["closed"]) == (["c1"], ["s1"])
    assert record["question"] == {"move": {"s1": "c1"}}
    assert "value" not in record, "nothing was searched for, so nothing is proven"
    assert pd.read_csv(folder / "sites.csv", encoding="utf-8-sig")["state"].tolist() == ["opened", "closed"]
    assert (folder / "map.html").is_file()


def test_what_others_see_of_a_scenario_by_hand_shows_no_small_figure(today):
    rounded = published(today, "a key of sixteen")
    found = published_plan(evaluate(rounded.study, scenario="moves", today=rounded), rounded)
    figures = found.sites[["load", "reached_8", "lost_8", "farther"]].to_numpy(dtype=float)
    assert (np.isnan(figures) | (figures >= LEAST)).all()
    assert found.coverage.study.fingerprint == ""


# --------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"open": ("c3",)}, "open 'c3' is not a candidate; did you mean c2"),
        ({"open": ("s1",)}, "open 's1' is not a candidate"),
        ({"close": ("s2",)}, "close 's2' is not a station of today; did you mean s1"),
        ({"move": {"s7": "c1"}}, "move 's7' is not a station of today; did you mean s1"),
        ({"move": {"s1": "c9"}}, "move 'c9' is not a candidate"),
        ({"speeds": {"agd": 0.7}}, "speeds 'agd' is not a class that walks; did you mean aged"),
        ({"closed": ("w9",)}, "closed 'w9' is not a way of the streets; did you mean w"),
    ],
)
def test_a_name_of_nothing_is_told_with_the_nearest_there_is(today, stated, told):
    [breach] = check_scenarios(today.study, [Scenario("odd", **stated)])
    assert breach.rule == "unknown-name"
    assert told in str(breach)


@pytest.mark.parametrize(
    ("text", "rule", "told"),
    [
        ('open = ["c1"]\nclose = ["c1"]', "opened-and-closed", "c1 is opened and closed at once"),
        ('close = ["s1"]\nmove = { s1 = "c1" }', "duplicate-name", "s1 is closed twice"),
        ('open = ["c1", "c1"]', "duplicate-name", "c1 is opened twice"),
        ('open = ["c1"]\nmove = { s1 = "c1" }', "duplicate-name", "c1 is opened twice"),
        ('move = { s1 = "" }', "wrong-type", "where does s1 move?"),
        ("speeds = { aged = 0 }", "out-of-range", "aged must walk at more than 0"),
        ('open = ["c1"]\nn_new = 2\ncircle = "8"', "unused-key", "n_new has no meaning without a question"),
        ('circle = "8"', "missing-key", "question is missing"),
    ],
)
def test_what_contradicts_itself_is_told_when_the_study_is_read(tmp_path, text, rule, told):
    found = {breach.rule: str(breach) for breach in read_study_file(spoiled(tmp_path, text)).breaches}
    assert told in found[rule]


def test_every_breach_is_told_at_once(run, tmp_path):
    text = 'open = ["c3"]\nclose = ["s2"]\nspeeds = { agd = 0.7 }\nclosed = ["w9"]'
    code, _, complaint = run("check", spoiled(tmp_path, text), "--out", tmp_path / "out")
    assert code == 1
    assert all(word in complaint for word in ("'c3'", "'s2'", "'agd'", "'w9'"))


def test_why_is_not_to_be_asked_where_nothing_is_chosen(run, street, tmp_path):
    code, _, complaint = run("site", street, "--scenario", "opens", "--why", "c1", "--out", tmp_path / "out")
    assert code == 1
    assert "'opens' asks no question" in complaint


def test_what_nobody_can_walk_to_is_not_opened(tmp_path):
    folder = spoiled(tmp_path, 'open = ["far"]')
    table(folder / "candidates.csv", "site_id lon lat kind", ["far", *at(8, 9), "pharmacy"])
    with pytest.raises(InfeasibleError, match="no class can walk there: far"):
        evaluate(open_study(folder), scenario="odd")


def test_what_is_opened_by_hand_is_not_closed_by_the_search(tmp_path):
    moves = {"promised": 'open = ["c2"]\nquestion = "most"\ncircle = "8"\nmax_moves = 1'}  # c1 would reach more than c2
    plan = site(open_study(write_town(tmp_path, moves)), scenario="promised")
    assert plan.sites.set_index("site_id")["state"].to_dict() == {"c2": "opened", "s1": "fixed"}
    [told] = check_scenarios(open_study(tmp_path), [replace(plan.scenario, may_close=("c2",))])
    assert "may_close 'c2' is not a station of today" in told.message
