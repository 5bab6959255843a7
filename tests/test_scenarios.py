"""Siting questions as a planner asks them: in the words of the study file, answered in the ids of its places.

 n   h02   h12   h22   h32        Homes stand beside two streets, w1 in the south and w3 in the north, which w2
c1 --------c2----------c3 w3      joins in the west. Today's station s1 stands where w1 begins; c1 to c4 could
 | w2                             become one. A square is 83 m wide; w2 is 222 m long.
s1 --------------------c4 w1
 s   h00   h10   h20   h30
"""

import json
import re
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle import open_study, site
from lifecircle.asked import AreaBudget, AreaMinimum, Award, Case, Floor, Itinerary, Scenario
from lifecircle.circles import cover_today
from lifecircle.errors import InfeasibleError, StudyError, UnknownNameError
from lifecircle.ground import with_candidates
from lifecircle.model import Circle
from lifecircle.plan_summary import said_of_closings, show_plan, show_why
from lifecircle.publish import without_small
from lifecircle.readers.study_file import read_study_file
from lifecircle.reports import plan_record
from lifecircle.scenarios import (
    Situation,
    best_added,
    check_scenarios,
    closed_between,
    effects,
    money_of,
    possible_sites,
    refuse_senseless,
    unit_of,
    unserved_areas,
    why,
)
from lifecircle.scenarios.closings import closings
from lifecircle.scenarios.posed import posed
from lifecircle.scenarios.question import closable
from lifecircle.scenarios.sites import all_places
from siting_oracle import best
from tiny import STUDY, at, box, geojson, table, write_city

WALKING = """
[walking]
classes = [{ name = "adult", speed_mps = 1.2 }, { name = "aged", speed_mps = 0.9 }]

[[circle]]
name = "4"
minutes = 4

[[circle]]
name = "8"
minutes = 8

[[circle]]
name = "main"
minutes = 8
tiers = ["main"]
"""

MOST = {
    "one more": "n_new = 1",
    "two more": "n_new = 2",
    "money": "budget = 1300",
    "money by area": 'area_budget = { level = "community", amount = 900, amounts = { n = 500 } }',
    "money by kind": "budget = 700\ncost = { shop = 300, office = 500, pharmacy = 800 }",
    "a move": "max_moves = 1",
    "a move that may not be": 'max_moves = 1\nkeep = ["s1"]',
    "one in every community": 'n_new = 1\nat_least = { level = "community" }',
    "half of everywhere": 'n_new = 2\nfloors = [{ share = 0.5, level = "community" }]',
    "the aged first": 'n_new = 1\nfloors = [{ share = 0.5, group = "aged" }]',
    "the disabled count thrice": "n_new = 1\npriority = { aged = 2.0, disabled = 3.0 }",
    "tiers": 'also = ["main"]\ntiers = ["house", "main"]\nbudget = 2500\ncost = { house = 1000, main = 1500 }',
    "room for all": 'n_new = 1\ncapacity = "split"',
    "room for whole houses": 'n_new = 1\ncapacity = "whole"',
    "twice": "n_new = 2\nbackup = 0.5",
    "years": "years = [800, 1500]",
    "flood": 'n_new = 1\ncases = [{ name = "flood", closed = ["w2"] }, { name = "ill", out_of_service = ["s1"] }]',
    "a team": 'itinerary = { stops_per_day = 1, days = ["Mon", "Tue"] }\naward = { stations = 2, amount = 2000 }',
    "shops alone": 'n_new = 1\nkinds = ["shop"]',
    "rooms": 'n_new = 1\ncandidates_from = "rooms"\nkinds = ["school"]',
    "proposed": 'n_new = 2\ncandidates_from = "proposed"',
}
OTHERS = {
    "fewest": 'question = "fewest"\ncircle = "4"\nshare = 0.9',
    "fewest everywhere": 'question = "fewest"\ncircle = "4"\nfloors = [{ share = 0.6, level = "community" }]',
    "shortest": 'question = "shortest"\ncircle = "8"\nn_new = 1',
    "fairest": 'question = "fairest"\ncircle = "8"\nn_new = 1',
    "fairest in a flood": 'question = "fairest"\ncircle = "8"\nn_new = 1\ncases = [{ name = "a", closed = ["w2"] }]',
}
NOTHING = {
    "no money": 'question = "most"\ncircle = "4"\nbudget = 100',
    "no money anywhere": 'question = "most"\ncircle = "4"\narea_budget = { level = "community", amount = 100 }',
    "no one of the kind": 'question = "most"\ncircle = "main"\nn_new = 1\nkinds = ["shop"]',
    "no need": 'question = "fewest"\ncircle = "8"\nshare = 0.01',
}
REFUSED = {
    "everybody in four": 'question = "most"\ncircle = "4"\nn_new = 1\nfloors = [{ share = 1.0, level = "community" }]',
    "cut off": 'question = "fewest"\ncircle = "4"\nfloors = [{ share = 0.9 }]\n'
    'cases = [{ name = "all out", out_of_service = ["c1", "c2", "c3", "c4"] }]',
    "too little money": 'question = "most"\ncircle = "4"\nbudget = 400\nfloors = [{ share = 0.7, of = "reachable" }]',
}


def asked(scenarios):
    return "".join(f'\n[[scenario]]\nname = "{name}"\n{text}\n' for name, text in scenarios.items())


SCENARIOS = asked({n: f'question = "most"\ncircle = "4"\n{t}' for n, t in MOST.items()} | OTHERS | NOTHING | REFUSED)


def write_town(folder, study=STUDY + WALKING + SCENARIOS):
    """Write the town above and return its folder; its homes are a school, h30, and houses."""
    write_city(folder, study=study)
    homes = [(x, y) for x in range(4) for y in (0, 2)]
    kinds = ["school" if home == (3, 0) else "house" for home in homes]
    outlines = [box(x + 0.4, y + 0.1, x + 0.6, y + 0.3) for x, y in homes]
    ids = [f"h{x}{y}" for x, y in homes]
    rows = [{"building_id": i, "kind": kind} for i, kind in zip(ids, kinds, strict=True)]
    geojson(folder / "buildings.geojson", list(zip(rows, outlines, strict=True)))
    geojson(folder / "barriers.geojson", [])
    people = [[i, 10 + 3 * n, n, 1 + n % 2] for n, i in enumerate(ids)]
    table(folder / "residents.csv", "building_id residents residents_aged residents_disabled", *people)
    table(folder / "stations.csv", "station_id lon lat tier capacity cost", ["s1", *at(0, 0), "house", 30, ""])
    table(
        folder / "candidates.csv",
        "site_id lon lat kind cost capacity hours",
        ["c1", *at(0, 2), "pharmacy", 500, 40, "Mo 09:00-12:00"],
        ["c2", *at(2, 2), "shop", 800, 60, ""],
        ["c3", *at(4, 2), "shop", 800, 20, "We 09:00-12:00"],
        ["c4", *at(4, 0), "office", 900, 100, ""],
    )
    return folder


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return write_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def study(town):
    return open_study(town)


@pytest.fixture(scope="module")
def today(study):
    return cover_today(study)


@pytest.fixture(scope="module")
def sites(today):
    return possible_sites(today)


@pytest.fixture(scope="module")
def plans(study, today, sites):
    """Every answer by the name of its scenario, each worked out when it is first asked for."""
    found = {}

    def plan(name):
        if name not in found:
            found[name] = site(study, scenario=name, today=today, sites=sites)
        return found[name]

    return plan


def chosen(plan):
    return plan.sites.loc[plan.sites["state"] == "chosen", "site_id"].tolist()


def seconds_of(walks):
    """Every home (row) by every site (column), inf where there is no walk."""
    dense = np.full((walks.n_demand, walks.n_facilities), np.inf)
    for row in range(walks.n_facilities):
        homes, seconds = walks.row(row)
        dense[homes, row] = seconds
    return dense


# ------------------------------------------------------------------------------------------------------- every question


@pytest.mark.parametrize("name", [*MOST, *OTHERS])
def test_no_choice_of_sites_is_better_than_the_plan(plans, name):
    plan = plans(name)
    put, solution = plan.posed, plan.solution
    assert solution.status == "optimal"
    expected = best(put.question, seconds_of(put.walks), put.weights, put.fixed.tolist())
    assert solution.value == pytest.approx(expected, rel=1e-9)


def test_the_residents_told_are_those_of_the_table(plans):
    for name in set(MOST) - {"tiers"}:  # there two circles count together
        plan = plans(name)
        rows = plan.coverage.table
        total = rows[(rows["area_id"] == "total") & (rows["group"] == "all")].iloc[0]
        assert plan.reached == pytest.approx(total["within_4"]), name
        assert plan.reached <= plan.reachable + 1e-9


def test_more_stations_never_reach_fewer(plans):
    assert plans("two more").reached >= plans("one more").reached


def test_money_is_not_overspent_in_all_nor_in_any_community(plans):
    assert plans("money").sites.query("state == 'chosen'")["cost"].sum() <= 1300
    by_area = plans("money by area").sites.query("state == 'chosen'").groupby("area_id")["cost"].sum()
    assert by_area.get("n", 0.0) <= 500
    assert by_area.get("s", 0.0) <= 900


def test_a_cost_stated_for_a_kind_counts_before_the_column(plans):
    plan = plans("money by kind")
    opened = plan.sites[plan.sites["state"] == "chosen"]
    assert "c1" not in opened["site_id"].tolist()
    assert set(opened["cost"]) <= {300.0, 500.0}
    assert opened["cost"].sum() <= 700


def test_a_move_closes_one_station_and_opens_one(plans):
    plan = plans("a move")
    assert plan.sites["state"].tolist() == ["closed", "chosen"]
    assert plan.coverage.stations["station_id"].tolist() == chosen(plan)
    kept = plans("a move that may not be")
    assert kept.sites["state"].tolist() == ["fixed"]


def test_every_community_has_its_station(plans):
    assert set(plans("one in every community").sites["area_id"]) == {"s", "n"}


def test_areas_with_fewer_places_than_asked_for_are_refused_or_open_all_of_them(tmp_path, capsys):
    four = 'question = "fewest"\ncircle = "8"\nat_least = { level = "community", n = 4'
    ask = asked({"a": f"{four} }}", "b": f"{four}, or_all = true }}"})
    study = open_study(write_town(tmp_path, STUDY + WALKING + ask))
    today = cover_today(study)
    with pytest.raises(InfeasibleError, match="every area has places for n = 2") as refused:
        site(study, scenario="a", today=today)
    assert [(breach.message.split(", ", 1)[1], breach.ids) for breach in refused.value.breaches] == [
        ("places for 2 are in 南社区", ("s",)),
        ("places for 3 are in 北社区", ("n",)),
    ]
    plan = site(study, scenario="b", today=today)
    assert plan.lacking == ("s", "n")
    assert sorted(chosen(plan)) == ["c1", "c2", "c3", "c4"]
    show_plan(plan)
    told = capsys.readouterr().out
    assert told.index("fewer places than at_least asks for") < told.index("order")
    assert "optimal as far as there are places" in told


def test_no_community_is_below_its_floor(plans):
    rows = plans("half of everywhere").coverage.table
    shares = rows[(rows["level"] == "community") & (rows["group"] == "all")]["share_4"]
    assert (shares >= 0.5 - 1e-9).all()


def test_a_floor_for_the_aged_is_counted_at_their_own_speed(plans):
    rows = plans("the aged first").coverage.table
    aged = rows[(rows["area_id"] == "total") & (rows["group"] == "aged")].iloc[0]
    assert aged["share_4"] >= 0.5 - 1e-9


def test_priorities_weigh_in_the_objective_and_in_no_count_of_residents(plans):
    plan = plans("the disabled count thrice")
    assert plan.solution.value > plan.reached
    assert plan.coverage.table["residents"].max() == plans("one more").coverage.table["residents"].max()


def test_a_main_station_serves_as_a_household_station_too(plans):
    plan = plans("tiers")
    opened = plan.sites[plan.sites["state"] == "chosen"]
    assert "main" in opened["tier"].tolist()
    prices = opened["tier"].map({"house": 1000.0, "main": 1500.0})
    assert opened["cost"].tolist() == prices.tolist()
    assert opened["cost"].sum() <= 2500
    inside = [
        np.concatenate([r.within(c) for r in plan.coverage.reach.values()])
        for c in plan.coverage.study.settings.circles
    ]
    assert plan.reached == pytest.approx(plan.possible.weights[inside[0] & inside[2]].sum())


def test_who_is_reached_is_not_yet_served(plans):
    split, whole = plans("room for all"), plans("room for whole houses")
    assert split.served < split.reached
    assert whole.served <= split.served
    room = {"s1": 30, "c1": 40, "c2": 60, "c3": 20, "c4": 100}
    for plan in (split, whole):
        assert (plan.sites["load"] <= plan.sites["site_id"].map(room) + 1e-6).all()
        assert plan.sites["load"].sum() == pytest.approx(plan.served)


def test_a_second_station_in_reach_is_worth_its_part(plans):
    plan = plans("twice")
    times = Situation.of(cover_today(plan.coverage.study), plan.possible, chosen=chosen(plan)).times["4"]
    weights = plan.possible.weights
    assert plan.solution.value == pytest.approx(weights[times >= 1].sum() + 0.5 * weights[times >= 2].sum())


def test_stages_open_year_by_year_and_no_year_overspends(plans):
    plan = plans("years")
    opened = plan.sites[plan.sites["state"] == "chosen"]
    assert set(opened["opens"]) <= {"1", "2"}
    spent = opened.groupby("opens")["cost"].sum()
    assert spent.get("1", 0.0) <= 800
    assert spent.get("2", 0.0) <= 1500
    assert plan.solution.by_year.sum() == pytest.approx(plan.solution.value)


def test_the_value_under_closed_roads_and_lost_stations_is_that_of_the_worst_case(plans):
    plan = plans("flood")
    assert plan.solution.value <= plan.reached
    flood, ill = plan.solution.question.cases
    assert flood.walks is not None
    assert len(flood.walks.indices) < len(plan.posed.walks.indices)
    assert ill.out_of_service == (0,)


def test_a_team_stops_only_where_and_when_it_is_let_in(plans):
    plan = plans("a team")
    stops = plan.sites[plan.sites["state"] == "chosen"]
    assert set(stops["opens"]) <= {"Mon", "Tue"}
    assert stops["opens"].is_unique
    assert "c3" not in stops["site_id"].tolist()  # open on Wednesdays alone
    assert not ((stops["site_id"] == "c1") & (stops["opens"] != "Mon")).any()


def test_awards_go_to_the_stations_that_most_residents_have_nearest(plans):
    sites = plans("a team").sites
    assert sites["award"].sum() == 4000.0
    assert (
        sites.loc[sites["award"] > 0, "load"].min() >= sites.loc[sites["award"] == 0, "load"].max() or len(sites) == 2
    )


def test_fewest_stations_reach_the_share_of_those_who_can_be_reached(plans):
    plan = plans("fewest")
    assert plan.solution.value == len(chosen(plan))
    assert plan.reached >= 0.9 * plan.reachable - 1e-6


def test_the_shortest_walks_cost_the_circle_where_nobody_is_reached(plans):
    plan = plans("shortest")
    dense = seconds_of(plan.posed.walks)[:, plan.solution.sites]
    assert plan.solution.value == pytest.approx(plan.posed.weights @ np.minimum(dense.min(axis=1), 480.0))


def test_the_fairest_plan_tells_the_longest_walk_of_anybody_who_can_get_anywhere(plans):
    plan = plans("fairest")
    longest = max(
        found.walks.seconds[:, 0][plan.coverage.demand.of(name) > 0].max()
        for name, found in plan.coverage.reach.items()
    )
    assert plan.solution.value == pytest.approx(longest)


EVERY_KEY = """
[[scenario]]
name = "all"
question = "most"
circle = "4"
n_new = 3
also = ["8"]
budget = 5000
area_budget = { level = "community", amount = 3000, amounts = { n = 4000 } }
years = [1000, 0, 2000.5]
cost = { shop = 0, main = 10 }
max_moves = 2
keep = ["s1"]
at_least = { level = "community" }
floors = [{ share = 0.5 }, { share = 1, group = "aged", level = "community", circle = "8", of = "reachable" }]
tiers = ["house", "main"]
capacity = "whole"
backup = 0.25
priority = { aged = 2 }
cases = [{ name = "flood", closed = ["w1"], out_of_service = ["s1"] }]
itinerary = { stops_per_day = 2, days = ["Sat", "Sun"], at = "9:30" }
award = { stations = 100, amount = 2000 }
candidates_from = "rooms"
kinds = ["shop"]
"""


def test_every_key_of_a_scenario_is_read_and_told_again_in_the_same_words(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY + WALKING + EVERY_KEY, "utf-8")
    file = read_study_file(tmp_path)
    assert file.breaches == ()
    [scenario] = file.settings.scenarios
    assert scenario == Scenario(
        name="all",
        question="most",
        circle="4",
        n_new=3,
        also=("8",),
        budget=5000.0,
        area_budget=AreaBudget("community", 3000.0, {"n": 4000.0}),
        years=(1000.0, 0.0, 2000.5),
        cost={"shop": 0.0, "main": 10.0},
        max_moves=2,
        keep=("s1",),
        at_least=AreaMinimum("community", 1),
        floors=(Floor(0.5), Floor(1.0, "aged", "community", "8", "reachable")),
        tiers=("house", "main"),
        capacity="whole",
        backup=0.25,
        priority={"aged": 2.0},
        cases=(Case("flood", ("w1",), ("s1",)),),
        itinerary=Itinerary(2, ("Sat", "Sun"), "9:30"),
        award=Award(100, 2000.0),
        candidates_from="rooms",
        kinds=("shop",),
    )
    written = tomllib.loads(EVERY_KEY)["scenario"][0]
    assert scenario.stated.keys() == written.keys() - {"name"}
    assert scenario.stated["cases"] == written["cases"]


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("n_new = 1\nfloor = [{ share = 0.5 }]", "unknown-key", "did you mean floors?"),
        ("n_new = 1\nfloors = [{ shares = 0.5 }]", "unknown-key", "did you mean share?"),
        ('n_new = 1\nalso = ["9"]', "unknown-name", "there is no circle '9'; there are 4, 8, main"),
        ('n_new = 1\nalso = ["4"]', "duplicate-name", "also names 4 twice"),
        ('n_new = 1\nkeep = ["s1"]', "unused-key", "keep has no meaning without max_moves"),
        ('max_moves = 1\nkeep = ["s1"]\nmay_close = ["s1"]', "unused-key", "take the other out"),
        ("budget = 0", "out-of-range", "[[scenario]] a: budget must be above 0"),
        ('n_new = "ten"', "wrong-type", "[[scenario]] a: n_new must be a whole number, not 'ten'"),
        ("n_new = 1\nfloors = [{ share = 95 }]", "out-of-range", "95 % is written 0.95"),
        ('n_new = 1\nfloors = [{ share = "97.5%" }]', "out-of-range", "97.5 % is written 0.975"),
        ("n_new = 1\nbackup = 2", "out-of-range", "at most 1"),
        ("years = []", "wrong-type", "[[scenario]] a: years must be a list of numbers"),
        ("budget = 1\ncost = { shop = -1 }", "wrong-type", "0 or more"),
        ('n_new = 1\ncapacity = "half"', "unknown-value", "split, whole"),
        ('n_new = 1\ncandidates_from = "rooms"', "missing-key", "needs kinds"),
        ('n_new = 1\ncandidates_from = "air"', "unknown-value", "study, rooms, proposed"),
        ('n_new = 1\ncases = [{ name = "a" }]', "missing-key", "say what happens"),
        ('itinerary = { stops_per_day = 1, days = ["Mondays"] }', "unknown-value", "Mon, Tue"),
        ('itinerary = { stops_per_day = 1, at = "noon" }', "bad-time", "at:"),
        ("n_new = 1\naward = { stations = 1 }", "missing-key", "amount is missing"),
        ('area_budget = { level = "community" }', "missing-key", "amount is missing"),
    ],
)
def test_a_wrong_key_of_a_scenario_is_told(tmp_path, text, rule, says):
    ask = asked({"a": f'question = "most"\ncircle = "4"\n{text}'})
    (tmp_path / "study.toml").write_text(STUDY + WALKING + ask, "utf-8")
    found = [breach for breach in read_study_file(tmp_path).breaches if breach.rule == rule]
    assert any(says in breach.message for breach in found), read_study_file(tmp_path).breaches


def test_days_of_a_tour_may_be_in_chinese(tmp_path):
    tour = 'itinerary = { stops_per_day = 1, days = ["周一", "星期三", "礼拜天", "Sat"] }'
    ask = asked({"a": f'question = "most"\ncircle = "4"\n{tour}'})
    (tmp_path / "study.toml").write_text(STUDY + WALKING + ask, "utf-8")
    file = read_study_file(tmp_path)
    assert file.breaches == ()
    assert file.settings.scenarios[0].itinerary.days == ("Mon", "Wed", "Sun", "Sat")


@pytest.mark.parametrize(
    ("days", "read"),
    [
        ("Mo-Fr", "Mon Tue Wed Thu Fri"),
        ("周一至周五", "Mon Tue Wed Thu Fri"),
        ("工作日", "Mon Tue Wed Thu Fri"),
        ("周末", "Sat Sun"),
        ("周二、四", "Tue Thu"),
        ("Sat-Mon", "Mon Sat Sun"),
        ("Mo,We", "Mon Wed"),
    ],
)
def test_days_of_a_tour_may_be_a_range_as_in_opening_hours(tmp_path, days, read):
    tour = f'itinerary = {{ stops_per_day = 1, days = ["{days}"] }}'
    (tmp_path / "study.toml").write_text(
        STUDY + WALKING + asked({"a": f'question = "most"\ncircle = "4"\n{tour}'}), "utf-8"
    )
    file = read_study_file(tmp_path)
    assert file.breaches == ()
    assert file.settings.scenarios[0].itinerary.days == tuple(read.split())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('名称 = "乙"', "keys are written in English: name in the place of 名称"),
        ("编组 = 1", "keys are written in English (name, question, circle ...), not 编组"),
        ("cost = { shop = 1, 药店 = 3 }", 'put 药店 in quotation marks: "药店" ='),
        ("n_new = = 1", "this is not TOML"),
    ],
)
def test_a_key_in_chinese_is_told_how_to_write(tmp_path, line, says):
    (tmp_path / "study.toml").write_text(f"{STUDY}\n[[scenario]]\n{line}\n", "utf-8")
    with pytest.raises(StudyError) as refused:
        read_study_file(tmp_path)
    [breach] = refused.value.breaches
    assert says in breach.message


def test_who_waits_is_told_value_and_bound(study, today, sites):
    told = []
    plan = site(
        study, scenario="half of everywhere", today=today, sites=sites, report=lambda *figures: told.append(figures)
    )
    assert all(value <= bound + 1e-9 and seconds >= 0 for value, bound, seconds in told)
    assert not told or told[-1][0] <= plan.solution.bound + 1e-9


def test_the_fairest_plan_walks_as_far_as_it_must_where_somebody_has_no_station_today(tmp_path):
    own = '\n[service]\neligible = "community"\n'
    ask = asked(
        {"a": 'question = "fairest"\ncircle = "4"\nn_new = 1', "b": 'question = "fairest"\ncircle = "4"\nmax_moves = 1'}
    )
    study = open_study(write_town(tmp_path, STUDY + WALKING + own + ask))
    today = cover_today(study)
    sites = possible_sites(today)
    plan = site(study, scenario="a", today=today, sites=sites)
    *_, everything = posed(plan.scenario, today, sites)
    expected = best(everything.question, seconds_of(everything.walks), everything.weights, everything.fixed.tolist())
    assert plan.solution.value == pytest.approx(expected)
    assert plan.sites["area_id"].tolist() == ["s", "n"]
    with pytest.raises(InfeasibleError):  # a station for the north alone would leave the south without one
        site(study, scenario="b", today=today, sites=sites)


# ----------------------------------------------------------------------------------------------------------- candidates


def test_the_unserved_are_told_how_long_each_class_walks(today, sites):
    unserved = unserved_areas(today, sites)
    row = unserved[unserved["circle"] == "4"].iloc[0]
    assert row["nearest_station_id_aged"] == row["nearest_station_id"] == "s1"
    assert row["nearest_minutes_aged"] == pytest.approx(row["nearest_minutes"] * 1.2 / 0.9)


def test_candidates_of_other_kinds_do_not_compete(plans):
    assert set(chosen(plans("shops alone"))) <= {"c2", "c3"}


def test_rooms_are_buildings_of_the_kinds_named(plans):
    plan = plans("rooms")
    assert plan.posed.frame["station_id"].tolist() == ["s1", "room-h30"]
    assert chosen(plan) == ["room-h30"]
    assert plan.sites["kind"].tolist()[1] == "school"


def test_proposed_sites_are_real_homes_of_those_who_are_unserved(plans, today):
    plan = plans("proposed")
    proposed = plan.posed.frame[plan.posed.frame["state"] == "candidate"]
    assert set(proposed["kind"]) == {"proposed"}
    homes = set(proposed["building_id"])
    outside = today.study.buildings["building_id"][today.outside(today.study.settings.circles[0]) > 0]
    assert homes <= set(outside)
    assert plan.reached > today.table.iloc[-1]["within_4"] or chosen(plan)


def test_a_study_without_candidates_gets_an_answer(study, today):
    bare = replace(today.study, candidates=study.candidates.iloc[:0])
    without = replace(today, study=bare, ground=with_candidates(today.ground, bare))
    plan = site(bare, scenario="one more", today=without, sites=possible_sites(without))
    assert [place.split("-")[0] for place in chosen(plan)] == ["proposed"]
    assert (plan.source, plan.scenario.candidates_from) == ("proposed", "")


def test_proposals_do_not_hang_on_the_order_of_the_buildings(town, tmp_path, plans):
    folder = write_town(tmp_path)
    data = json.loads((folder / "buildings.geojson").read_text("utf-8"))
    data["features"].reverse()
    (folder / "buildings.geojson").write_text(json.dumps(data), "utf-8")
    plan = site(open_study(folder), scenario="proposed")
    assert sorted(plan.posed.frame["station_id"]) == sorted(plans("proposed").posed.frame["station_id"])
    assert plan.solution.value == pytest.approx(plans("proposed").solution.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no money", "none is to be had for 100; the cheapest that wins anybody is c1 for 500"),
        ("no money anywhere", "none is to be had for what its area has, such as 100; there c1 costs 500"),
        ("no one of the kind", "no site is opened: there is no candidate for circle main"),
        ("no need", "no site is opened: today's stations suffice"),
    ],
)
def test_a_plan_that_opens_nothing_says_why(plans, capsys, name, says):
    assert chosen(plans(name)) == []
    show_plan(plans(name))
    assert says in capsys.readouterr().out


def test_a_plan_says_what_its_sites_and_its_share_are(plans, capsys):
    show_plan(plans("proposed"))
    assert "nobody has asked their owners" in capsys.readouterr().out
    assert "尚未征询业主" in plans("proposed").coverage.notes[-1].zh
    assert plans("one more").coverage.notes == ()
    fewest = plans("fewest")
    few = replace(fewest, reachable=0.5 * fewest.reachable)
    show_plan(few)
    assert "for a share of all residents write floors = [{ share = 0.9 }]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ended", "says"),
    [
        ("time", "stopped after the 9 s of --time-limit: no plan is better by more than 5 residents"),
        ("interrupted", "stopped by Ctrl-C: no plan is better by more than 5 residents"),
        ("stuck", "no further search makes the plan any better: no plan is better by more than 5 residents"),
    ],
)
def test_a_plan_that_is_cut_short_says_who_stopped_it_and_what_is_still_possible(plans, capsys, ended, says):
    plan = plans("one more")
    cut = replace(plan.solution, status="feasible", ended=ended, bound=plan.solution.value + 5.0, gap=0.1)
    show_plan(replace(plan, solution=cut), time_limit_s=9.0)
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(("name", "n_new"), [("no one of the kind", 1), ("no need", None), ("one more", 5)])
def test_a_plan_that_is_cut_short_does_not_say_that_no_more_sites_would_help(plans, capsys, name, n_new):
    plan = plans(name)
    asked = replace(plan, scenario=replace(plan.scenario, n_new=n_new))
    show_plan(asked)
    assert re.search("no site is opened|1 of 5 sites are opened", capsys.readouterr().out)
    cut = replace(plan.solution, status="feasible", ended="time", bound=plan.solution.value + 5.0, gap=0.1)
    show_plan(replace(asked, solution=cut), time_limit_s=9.0)
    shown = capsys.readouterr().out
    assert "stopped after the 9 s of --time-limit: no plan is better by more than" in shown
    assert "opened" not in shown


def spent_in(plan, shown):
    """Return what the plan's new sites cost, by a column of sites.csv."""
    return plan.sites[plan.sites["state"] == "chosen"].groupby(shown)["cost"].sum()


def test_a_plan_tells_the_money_it_spends_of_what_it_may_in_all_by_year_and_by_area(plans, capsys):
    money = money_of(plans("money"))
    assert (money.total.spent, money.total.allowed) == (spent_in(plans("money"), "state").sum(), 1300.0)
    by_area = money_of(plans("money by area")).by_area
    assert {area: spent.allowed for area, spent in by_area.items()} == {"s": 900.0, "n": 500.0}
    assert {a: spent.spent for a, spent in by_area.items() if spent.spent} == dict(
        spent_in(plans("money by area"), "area_id")
    )
    years = plans("years")
    by_year = money_of(years).by_year
    assert [spent.allowed for spent in by_year] == [800.0, 1500.0]
    assert [spent.spent for spent in by_year] == [spent_in(years, "opens").get(year, 0.0) for year in ("1", "2")]
    assert money_of(plans("one more")) is None
    show_plan(years)
    assert "money by year: 800 of 800 spent, " in capsys.readouterr().out
    show_plan(plans("money by area"))
    assert "money by area: " in capsys.readouterr().out


def test_the_worst_case_is_told_by_its_name(plans, capsys):
    plan = plans("flood")
    assert list(plan.by_case) == ["flood", "ill"]
    assert min(plan.by_case.values()) == pytest.approx(plan.solution.value)
    told = replace(plan, by_case={"flood": 90.0, "ill": 30.0})
    show_plan(told)
    assert "the worst case is ill: 30\nthe other cases: flood: 90" in capsys.readouterr().out
    show_plan(replace(plan, by_case={"flood": 90.0, "ill": np.nan}))
    assert "case" not in capsys.readouterr().out, "the one that is too small to be published may be the worst"
    fairest = plans("fairest in a flood")
    assert fairest.by_case == {"a": pytest.approx(fairest.solution.value)}
    assert plans("one more").by_case == plans("fewest").by_case == {}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("one more", "residents"),
        ("the disabled count thrice", "weighted residents"),
        ("twice", "weighted residents"),
        ("years", "residents × years"),
        ("fewest", "new stations"),
        ("shortest", "person-seconds"),
        ("fairest", "seconds"),
    ],
)
def test_what_a_value_counts_is_called_residents_only_where_it_is_residents(plans, name, unit):
    assert unit_of(plans(name).solution.question) == unit


def test_a_gap_to_a_bound_of_nothing_is_no_figure(plans, capsys):
    plan = plans("fewest")
    cut = replace(plan.solution, status="feasible", ended="time", bound=-0.0, gap=np.inf)
    open_end = replace(plan, solution=cut)
    show_plan(open_end)
    assert "bound 0, gap -, feasible" in capsys.readouterr().out
    record = plan_record(open_end)
    assert (record["bound"], record["gap"], record["ended"]) == (0.0, None, "time")


def test_the_value_of_today_stands_beside_that_of_the_plan(plans, capsys):
    for name in ("shortest", "one more"):
        show_plan(plans(name))
        assert f"({plans(name).solution.today:,.1f} today)".replace(".0 ", " ") in capsys.readouterr().out


def test_sites_that_would_do_as_well_are_told(plans, capsys):
    plan = plans("one more")
    [opened], sites = chosen(plan), plan.sites.assign(next_best="c9", next_best_loss=0.0)
    tie = replace(plan, sites=sites)
    show_plan(tie)
    show_why(why(tie, opened), tie)
    told = capsys.readouterr().out
    assert f"would do as well: c9 in place of {opened}" in told
    assert "in its turn; c9 would do as well" in told
    show_plan(replace(plan, sites=sites.assign(next_best_loss=0.1)))
    assert "as well" not in capsys.readouterr().out


# --------------------------------------------------------------------------------------------------- why there is none


def test_homes_that_no_site_reaches_are_named_with_how_far_they_have_to_walk(study, today, sites):
    with pytest.raises(InfeasibleError) as refused:
        site(study, scenario="cut off", today=today, sites=sites)
    [breach] = refused.value.breaches
    assert breach.rule == "not-reachable"
    four = study.settings.circles[0]
    outside = today.outside(four)
    assert list(breach.ids) == study.buildings["building_id"][outside > 0].tolist()
    assert "in case all out; " in breach.message
    assert f"{outside.sum():.0f} residents in {len(breach.ids)} buildings of " in breach.message
    assert "reach no site within 4 minutes" in breach.message
    walks = [found.walks.seconds[~found.within(four) & (today.demand.of(n) > 0), 0] for n, found in today.reach.items()]
    told = float(breach.message.split("the nearest takes ")[1])
    assert told == pytest.approx(np.concatenate(walks).min() / 60.0, abs=0.1)


def test_a_share_of_nobody_is_refused_with_the_nearest_walk(tmp_path, today):
    near = '[[circle]]\nname = "tiny"\nminutes = 0.2\n' + asked(
        {"a": 'question = "fewest"\ncircle = "tiny"\nshare = 1'}
    )
    with pytest.raises(InfeasibleError, match=r"164 residents in 8 buildings .* nobody to take a share of"):
        site(open_study(write_town(tmp_path, STUDY + WALKING + near)), scenario="a")


def test_conditions_that_exclude_each_other_are_told_with_the_nearest_question_that_has_an_answer(study, today, sites):
    with pytest.raises(InfeasibleError) as refused:
        site(study, scenario="everybody in four", today=today, sites=sites)
    told = [breach.message for breach in refused.value.breaches]
    assert "n_new: 1 new station is allowed; 2 would do, all else as it is" in told
    assert "without any one of them the others can" in str(refused.value)


def test_conditions_that_exclude_each_other_are_told_with_what_would_do(study, today, sites):
    with pytest.raises(InfeasibleError) as refused:
        site(study, scenario="too little money", today=today, sites=sites)
    told = [breach.message for breach in refused.value.breaches]
    assert any(m.startswith("budget: 400 may be spent; 800 would do") for m in told)
    assert any(m.startswith("floors: a share of 70 %") for m in told)


SENSELESS = """
[[scenario]]
name = "senseless"
question = "fewest"
circle = "4"
share = 0.5
backup = 0.5
max_moves = 1
may_close = ["s9"]
floors = [{ share = 0.5, level = "comunity" }]
priority = { age = 2 }
years = [1]
cost = { shp = 3 }
capacity = "split"
also = ["main"]
"""


def test_what_cannot_be_meant_is_refused_by_name_all_at_once_before_anybody_walks(tmp_path, monkeypatch):
    study = open_study(write_town(tmp_path, STUDY + WALKING + SENSELESS))
    monkeypatch.setattr("lifecircle.scenarios.answer.cover_today", None)
    with pytest.raises(StudyError) as refused:
        site(study, scenario="senseless")
    told = "\n".join(breach.message for breach in refused.value.breaches)
    for said in (
        "may_close 's9' is not a station of today or a tier of theirs; did you mean s1?",
        "floors 'comunity' is not a level of the areas; did you mean community?",
        "priority 'age' is not a class or attribute; did you mean aged?",
        "cost 'shp' is not a tier or a kind of site; did you mean shop?",
        "fewest and backup make no sense together",
        "fewest and moves make no sense together",
        "fewest and years make no sense together",
        "circles 4 and main are of different tiers",
    ):
        assert said in told
    assert len(check_scenarios(study)) == len(refused.value.breaches)


def test_a_budget_names_the_candidates_whose_cost_nobody_states(tmp_path):
    folder = write_town(tmp_path, STUDY + WALKING + asked({"a": 'question = "most"\ncircle = "4"\nbudget = 9'}))
    table(
        folder / "candidates.csv", "site_id lon lat kind cost", ["c1", *at(0, 2), "shop", ""], ["c2", *at(2, 2), "", 5]
    )
    with pytest.raises(StudyError, match="what each candidate costs") as refused:
        refuse_senseless(open_study(folder), open_study(folder).settings.scenarios)
    assert refused.value.breaches[0].ids == ("c1",)
    bare = replace(open_study(folder), candidates=open_study(folder).candidates.iloc[:0])
    with pytest.raises(StudyError, match=r"write, say, cost = \{ proposed = 3000 \}"):
        refuse_senseless(bare, bare.settings.scenarios)


def test_candidates_of_a_study_that_has_none_are_refused(study):
    bare = replace(study, candidates=study.candidates.iloc[:0])
    own = Scenario("a", "most", "4", n_new=1, candidates_from="study")
    assert [breach.rule for breach in check_scenarios(bare, [own])] == ["candidates-missing"]
    assert check_scenarios(study, [own]) == ()


@pytest.fixture
def tiered(study):
    """The town with three stations today, of three tiers, and one of no tier."""
    stations = study.stations.loc[study.stations.index.repeat(4)]
    tiers = ["house", "main", "centre", ""]
    return replace(study, stations=stations.assign(station_id=["s1", "s2", "s3", "s4"], tier=tiers))


@pytest.mark.parametrize(
    ("asked_for", "may_move"),
    [
        ({"tiers": ("house", "main", "centre")}, ["s1", "s4"]),
        ({"may_close": ("main", "s3")}, ["s2", "s3"]),
        ({"tiers": ("house", "main", "centre"), "may_close": ("centre",)}, ["s3"]),
        ({"tiers": ("house", "main", "centre"), "keep": ("s1",)}, ["s4"]),
        ({"keep": ("main", "centre", "s4")}, ["s1"]),
    ],
)
def test_unless_the_study_says_so_no_main_station_and_no_centre_closes(tiered, asked_for, may_move):
    ask = Scenario("a", "most", "4", max_moves=1, **asked_for)
    places = all_places(tiered)
    assert places["station_id"][closable(ask, places)].tolist() == may_move
    assert not [breach for breach in check_scenarios(tiered, [ask]) if breach.rule == "may-close-missing"]


def test_where_nobody_knows_the_lowest_tier_the_question_must_say_what_may_close(tiered):
    [told] = check_scenarios(tiered, [Scenario("a", "most", "4", max_moves=1, keep=("s4",))])
    assert told.rule == "may-close-missing"
    assert "several tiers, centre, house, main: name in may_close" in told.message


def of_tiers(study, tmp_path, text):
    """Return the study with one scenario about tiers, and c3 a room that can be no more than a household station."""
    head = '[[scenario]]\nname = "of tiers"\ntiers = ["house", "main"]\nn_new = 1\ncircle = "main"\n'
    (tmp_path / "study.toml").write_text(f"{STUDY}{WALKING}{head}{text}", encoding="utf-8")
    scenarios = read_study_file(tmp_path / "study.toml").settings.scenarios
    candidates = study.candidates.assign(tier=np.where(study.candidates["site_id"] == "c3", "house", ""))
    return replace(study, settings=replace(study.settings, scenarios=scenarios), candidates=candidates)


def test_of_a_room_that_cannot_open_as_what_a_circle_counts_nobody_is_within_it(study, tmp_path):
    plan = site(of_tiers(study, tmp_path, 'question = "most"'), scenario="of tiers")
    assert why(plan, "c3").reached == 0.0
    [opened] = chosen(plan)
    other = next(c for c in ("c1", "c2", "c4") if c != opened)
    near, seconds = plan.possible.walks["main"].row(int(np.flatnonzero(plan.possible.frame["station_id"] == other)[0]))
    assert why(plan, other).reached == pytest.approx(plan.possible.weights[near[seconds <= 480.0]].sum())


@pytest.mark.parametrize("question", ["shortest", "fairest"])
def test_walks_to_any_tier_are_not_asked_for_within_a_circle_of_some(study, tmp_path, question):
    with pytest.raises(StudyError, match="measures walks to stations of every tier"):
        site(of_tiers(study, tmp_path, f'question = "{question}"'), scenario="of tiers")


def test_tiers_and_ids_that_are_not_there_are_told_beside_those_that_are(study):
    stations = study.stations.loc[study.stations.index.repeat(12)]
    many = replace(study, stations=stations.assign(station_id=[f"s{n:02}" for n in range(12)]))
    asked_for = Scenario("a", "most", "4", n_new=1, max_moves=1, keep=("q",), tiers=("home", "main"))
    told = [breach.message for breach in check_scenarios(many, [asked_for])]
    assert any(
        "'q' is not a station of today or a tier of theirs; there are 13, house to s11" in message for message in told
    )
    assert any("no station or candidate has tier home, main; they have house, and" in message for message in told)


# ------------------------------------------------------------------------------------------------- why, and what if


def test_every_candidate_is_told_why_or_why_not(plans):
    plan = plans("one more")
    [opened] = chosen(plan)
    won = why(plan, opened)
    assert (won.state, won.gain) == ("chosen", plan.solution.gain[0])
    for candidate in {"c1", "c2", "c3", "c4"} - {opened}:
        told = why(plan, candidate)
        assert told.state == "not chosen"
        assert told.instead_of == opened
        assert told.worse_by >= 0.0
        swapped = Situation.of(cover_today(plan.coverage.study), plan.possible, chosen=[candidate]).times["4"]
        assert plan.solution.value - told.worse_by == pytest.approx(plan.possible.weights[swapped > 0].sum())
    assert why(plan, "s1").state == "fixed"
    assert why(plans("shops alone"), "c4").state == "does not count"
    with pytest.raises(UnknownNameError, match=r"c9.* did you mean c1 or c2 or c3\?"):
        why(plan, "c9")


def test_a_station_of_today_is_told_with_what_is_lost_without_it(plans, today, sites, capsys):
    for name in ("one more", "shortest"):
        plan = plans(name)
        stands = why(plan, "s1")
        circle = plan.scenario.circle
        then = Situation.of(today, sites, chosen=chosen(plan))
        here, without = then.times[circle] > 0, then.after(drop=["s1"]).times[circle] > 0
        assert stands.only_here == pytest.approx(sites.weights[here & ~without].sum())
    assert why(plans("one more"), "s1").worse_by == pytest.approx(why(plans("one more"), "s1").only_here)
    dense = np.minimum(seconds_of(plan.posed.walks), 480.0)
    alone = plan.posed.weights @ dense[:, plan.solution.chosen].min(axis=1)
    assert stands.worse_by == pytest.approx(alone - plan.solution.value)
    show_why(stands, plan)
    assert "s1 stands today: " in capsys.readouterr().out
    assert why(plans("fewest"), "s1").worse_by is None
    moved = plans("a move")
    show_why(why(moved, "s1"), moved)
    assert "s1 closes: " in capsys.readouterr().out


@pytest.mark.parametrize("name", ["room for all", "room for whole houses"])
def test_under_a_capacity_nobody_is_told_that_nothing_stands_in_for_a_site(plans, capsys, name):
    plan = plans(name)
    [chosen_id] = plan.sites.loc[plan.sites["state"] == "chosen", "site_id"]
    show_why(why(plan, chosen_id), plan)
    shown = " ".join(capsys.readouterr().out.split())
    assert "a swap is a question of its own" in shown
    served = plan.sites.set_index("site_id")["load"][chosen_id]
    assert f"it serves {served:,.0f}; " in shown


def test_under_a_capacity_a_plan_tells_whom_its_sites_serve_beside_who_lives_in_the_circle(plans, capsys):
    show_plan(plans("room for all"))
    shown = capsys.readouterr().out
    [row] = [re.findall(r"[\w,]+", line) for line in shown.splitlines() if re.match(r"\W*1 ", line)]
    site = plans("room for all").sites.set_index("order").loc[1]
    assert "serves" in shown
    assert [f"{site[name]:,.0f}" for name in ("load", "gain", "only_here_4")] == row[-3:]
    assert site["load"] < site["gain"], "there is less room than people in the circle"


def test_what_sites_win_and_who_is_reached_anyway_are_those_who_are_reached(plans, capsys):
    plan = plans("a move")
    show_plan(plan)
    shown = " ".join(capsys.readouterr().out.split())
    anyway = re.search(r"of these ([\d,]+) are within it by the stations that stay", shown)
    won = plan.sites.loc[plan.sites["state"] == "chosen", "gain"].sum()
    assert float(anyway[1].replace(",", "")) == pytest.approx(plan.reached - won, abs=0.5)
    show_plan(plans("one more"))
    assert "by the stations that stay" not in capsys.readouterr().out


def test_the_shortest_walks_say_what_a_walk_beyond_the_circle_counts_as(plans, capsys):
    show_plan(plans("shortest"))
    assert "a walk beyond circle 8 counts as one of its minutes" in " ".join(capsys.readouterr().out.split())


def test_an_id_that_is_not_there_is_told_with_those_like_it_before_anybody_walks(run, town, monkeypatch, tmp_path):
    monkeypatch.setattr("lifecircle.steps.walk", None)
    code, _, complaint = run("site", town, "--scenario", "rooms", "--why", "room-h3", "--out", tmp_path)
    assert code == 2
    assert "there is no station or candidate 'room-h3', or nobody can walk to it; did you mean room-h30?" in complaint


def test_the_best_substitute_loses_what_is_told(plans):
    plan = plans("one more")
    row = plan.sites[plan.sites["state"] == "chosen"].iloc[0]
    assert row["next_best_loss"] == pytest.approx(why(plan, row["next_best"]).worse_by)
    assert row["next_best_loss"] <= row["loss"] + 1e-9


def test_the_fairest_plan_counts_residents_within_the_named_circle(plans, today, sites):
    plan = plans("fairest")
    row = plan.sites[plan.sites["state"] == "chosen"].iloc[0]
    now = Situation.of(today, sites)
    then = now.after(add=[row["site_id"]])
    won = sites.weights[(then.times["8"] > 0) & (now.times["8"] == 0)].sum()
    assert row["gain"] == pytest.approx(won)
    for candidate in {"c1", "c2", "c3", "c4"} - {row["site_id"]}:
        told, more = why(plan, candidate), then.after(add=[candidate])
        alone = now.after(add=[candidate], drop=sites.frame["station_id"].iloc[sites.standing])
        assert told.reached == pytest.approx(sites.weights[alone.times["8"] > 0].sum())
        assert told.gain == pytest.approx(sites.weights[(more.times["8"] > 0) & (then.times["8"] == 0)].sum())


def test_of_the_shortest_walks_every_figure_is_in_seconds(plans):
    plan = plans("shortest")
    row = plan.sites[plan.sites["state"] == "chosen"].iloc[0]
    assert row["gain"] == pytest.approx(plan.solution.today - plan.solution.value)
    assert row["next_best_loss"] == pytest.approx(why(plan, row["next_best"]).worse_by)


COLUMNS = ["residents", *(f"{what}_{circle}" for what in ("within", "share") for circle in ("4", "8", "main"))]


def same_figures(situation, table):
    told = situation.table
    assert told[["area_id", "level", "name", "group"]].equals(table[["area_id", "level", "name", "group"]])
    pd.testing.assert_frame_equal(told[COLUMNS], table[COLUMNS], check_dtype=False, rtol=1e-12)


def test_the_figures_of_a_change_are_those_of_a_full_computation(study, today, sites, plans):
    now = Situation.of(today, sites)
    same_figures(now, today.table)
    for name in ("one more", "two more", "a move"):
        plan = plans(name)
        closed = plan.sites.loc[plan.sites["state"] == "closed", "site_id"].tolist()
        same_figures(now.after(add=chosen(plan), drop=closed), plan.coverage.table)
    same_figures(now.after(move={"s1": "c2"}).after(move={"c2": "s1"}), today.table)


def test_a_change_tells_who_wins_and_who_loses_and_not_only_the_difference(study, today, sites):
    now = Situation.of(today, sites)
    then = now.after(drop=["s1"], add=["c3"])
    told = effects(now, then).set_index(["circle", "group"])
    np.testing.assert_allclose(told["before"] + told["won"] - told["lost"], told["after"])
    here, there = now.times["4"] > 0, then.times["4"] > 0
    everybody = told.loc[("4", "all")]
    assert everybody["won"] == pytest.approx(sites.weights[there & ~here].sum())
    assert everybody["lost"] == pytest.approx(sites.weights[here & ~there].sum())
    assert min(everybody["won"], everybody["lost"]) > 0
    closed = closed_between(now, then)
    assert closed.index.tolist() == ["s1"]
    for circle in ("4", "8"):
        assert closed.loc["s1", f"lost_{circle}"] == pytest.approx(told.loc[(circle, "all"), "lost"])


def test_a_change_that_closes_nothing_walks_nobody_anew(today, sites, monkeypatch):
    monkeypatch.delattr(Situation, "reach")
    now = Situation.of(today, sites)
    closed = closed_between(now, now.after(add=["c3"]))
    assert closed.empty
    assert [*said_of_closings(closed, today.study.settings.circles)] == []


def test_a_station_that_closes_tells_who_loses_a_circle_and_how_much_farther_they_walk(plans, today):
    plan = plans("a move")
    row = plan.sites[plan.sites["state"] == "closed"].iloc[0]
    before, after = (coverage.buildings for coverage in (today, plan.coverage))
    people, extra_s, lost = [], [], []
    for suffix, group in (("", "adult"), ("_aged", "aged")):
        people += today.demand.of(group).tolist()
        extra_s += (after[f"walk_s{suffix}"] - before[f"walk_s{suffix}"]).tolist()
        lost += (before[f"within_4{suffix}"] & ~after[f"within_4{suffix}"]).tolist()
    people, extra_s, lost = np.array(people), np.array(extra_s), np.array(lost)
    farther = extra_s > 1e-6
    assert row["lost_4"] == pytest.approx(people[lost].sum())
    assert row["farther"] == row["farther_n"] == pytest.approx(people[farther].sum())
    assert row["farther_mean_s"] == pytest.approx(np.average(extra_s[farther], weights=people[farther]))
    assert row["farther_max_s"] == pytest.approx(extra_s[farther & (people > 0)].max())
    assert plan.sites.loc[plan.sites["state"] != "closed", "farther"].isna().all()


@st.composite
def changes(draw):
    """Return how one class reaches three stations before a change and after it, and how many live where."""
    n = draw(st.integers(1, 12))

    def reach(n_stations):
        station = np.array(draw(st.lists(st.integers(-1, n_stations - 1), min_size=n, max_size=n)), dtype=np.int32)
        walked_s = np.array(draw(st.lists(st.integers(0, 900), min_size=n, max_size=n)), dtype=np.float64)
        seconds = np.where(station >= 0, walked_s, np.inf)
        near = np.where(seconds <= 480.0, station, -1)
        walks = SimpleNamespace(facility=station[:, None], seconds=seconds[:, None])
        return SimpleNamespace(walks=walks, serving={"8": near}, within=lambda _: near >= 0)

    weights = np.array(draw(st.lists(st.integers(0, 50), min_size=n, max_size=n)), dtype=np.float64)
    return reach(3), reach(2), weights


@given(changes())
def test_whoever_loses_a_circle_is_counted_at_one_station(change):
    before, after, weights = change
    told = closings(["a", "b", "c"], {"one": before}, {"one": after}, weights, [Circle("8", 8.0)])
    lost = before.within(None) & ~after.within(None)
    assert told["lost_8"].sum() == weights[lost].sum()
    assert (told["farther"] >= told["farther_n"]).all()
    assert (told["farther_n"] >= 0).all()
    assert (told["farther_mean_s"].isna() == (told["farther_n"] == 0)).all()
    assert (told["farther_max_s"].notna() == ((told["farther_n"] == told["farther"]) & (told["farther"] > 0))).all()
    assert (told["farther_max_s"].dropna() >= told["farther_mean_s"][told["farther_max_s"].notna()] - 1e-9).all()
    same = closings(["a", "b", "c"], {"one": before}, {"one": before}, weights, [Circle("8", 8.0)])
    assert same[["lost_8", "farther"]].to_numpy().sum() == 0.0
    assert same[["farther_mean_s", "farther_max_s"]].isna().all(axis=None)


def test_of_many_that_close_those_are_told_first_that_hurt_most():
    closed = pd.DataFrame({"name": [*"abcdefg"], "lost_8": 0.0, "farther": 5.0, "farther_mean_s": 30.0})
    closed = closed.assign(lost_8=[0, 3, 9, 1, 0, 2, 4], farther_n=[2.0, *[5.0] * 6])
    closed = closed.assign(farther_max_s=[np.nan, *[61.0] * 6])
    told = [*said_of_closings(closed, [Circle("8", 8.0)])]
    assert [line[:9] for line in told[:-1]] == [f"closes: {name}" for name in "cgbfd"]
    assert told[0] == (
        "closes: c: 9 residents lose circle 8; 5 walk farther, by 0.5 minutes on average and 1.1 at most"
    )
    assert told[-1] == (
        "closes: 7 stations in all: 19 residents lose circle 8; 35 walk farther, some of them to no station at all"
    )
    all_reach = closed.assign(farther_max_s=61.0, farther=[0.0, *[5.0] * 6], farther_n=[0.0, *[5.0] * 6])
    *_, in_all = said_of_closings(all_reach, [Circle("8", 8.0)])
    assert in_all.endswith("; 30 walk farther, by 0.5 minutes on average and 1.1 at most")
    [nowhere] = said_of_closings(closed.head(1), [Circle("8", 8.0)])
    assert nowhere == "closes: a: 5 walk farther, some of them to no station at all"
    [nobody] = said_of_closings(closed.head(1).assign(farther=0.0), [Circle("8", 8.0)])
    assert nobody == "closes: a: nobody loses by it"


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({}, "40 residents lose circle 8; 40 walk farther, by 1.0 minutes on average"),
        ({"lost_8": np.nan}, "40 walk farther, by 1.0 minutes on average; the other figures are of too few to be told"),
        ({"farther_n": 30.0}, "40 residents lose circle 8; 40 walk farther, some of them to no station at all"),
        (
            {"farther_n": np.nan, "farther_mean_s": np.nan},
            "40 residents lose circle 8; 40 walk farther; the other figures are of too few to be told",
        ),
        ({"lost_8": np.nan, "farther": np.nan, "farther_n": np.nan}, "too few lose by it to be told"),
    ],
)
def test_what_is_published_of_a_closing_says_that_figures_are_left_out(figures, says):
    row = {"name": "a", "lost_8": 40.0, "farther": 40.0, "farther_n": 40.0, "farther_mean_s": 60.0}
    told = pd.DataFrame([{**row, "farther_max_s": np.nan, **figures}])
    assert [*said_of_closings(told, [Circle("8", 8.0)])] == [f"closes: a: {says}"]


def test_a_change_of_what_is_not_there_is_refused(today, sites):
    now = Situation.of(today, sites)
    for change, said in (
        ({"add": ["c9"]}, "no station or candidate 'c9'"),
        ({"add": ["s1"]}, "'s1' is open already"),
        ({"drop": ["s1", "s1"]}, "'s1' is named twice"),
        ({"drop": ["c1"]}, "'c1' is a candidate: it is not open and cannot close or move"),
    ):
        with pytest.raises(UnknownNameError, match=said):
            now.after(**change)


def test_a_dropped_site_is_replaced_by_the_best_of_the_others(plans, today, sites):
    first, second = chosen(plans("two more"))
    left = Situation.of(today, sites, chosen=[second])
    found = best_added(left, circle="4", n_new=1, barred=[first])
    assert found.gap == 0.0
    rivals = {"c1", "c2", "c3", "c4"} - {first, second}
    values = [sites.weights[left.after(add=[rival]).times["4"] > 0].sum() for rival in rivals]
    assert found.value == pytest.approx(max(values))
    assert found.site_ids == () or found.site_ids[0] in rivals
    again = best_added(left, circle="4", n_new=1)
    assert again.value == pytest.approx(plans("two more").reached)
    with pytest.raises(UnknownNameError, match="no circle '9'"):
        best_added(left, circle="9", n_new=1)


# ------------------------------------------------------------------------------------------------------------- commands


def test_the_command_answers_in_the_same_words_as_the_study_file(run, town, tmp_path):
    code, shown, complaint = run("site", town, "--scenario", "years", "--why", "c3", "--out", tmp_path)
    assert code == 0, complaint
    assert "c3 is" in shown
    folder = tmp_path / "scenarios" / "years"
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    assert plan["question"] == {"question": "most", "circle": "4", "years": [800.0, 1500.0]}
    assert plan["unit"] == "residents × years"
    assert [reason["site"] for reason in plan["reasons"]] == plan["sites"]
    assert len(plan["years"]) == 2
    assert [year["allowed"] for year in plan["money"]["by_year"]] == [800.0, 1500.0]
    rows = pd.read_csv(folder / "sites.csv", encoding="utf-8-sig")
    assert rows.columns.tolist() == [
        *("site_id", "name", "kind", "tier", "area_id", "state", "opens", "order", "gain", "loss"),
        *(f"{what}_{circle}" for what in ("reached", "only_here") for circle in ("4", "8", "main")),
        *("load", "cost", "next_best", "next_best_loss", "lon", "lat", "residents_basis"),
    ]


def test_the_command_tells_a_move_and_its_page_opens_without_the_closed_station(run, town, tmp_path):
    code, shown, _ = run("site", town, "--scenario", "a move", "--out", tmp_path)
    assert code == 0
    assert "closes: s1: " in shown
    plan = json.loads((tmp_path / "scenarios" / "a-move" / "plan.json").read_text("utf-8"))
    assert plan["closed"] == ["s1"]
    assert plan["ended"] == "proven"
    rows = pd.read_csv(tmp_path / "scenarios" / "a-move" / "sites.csv", encoding="utf-8-sig")
    [told] = plan["closings"]
    assert told["site"] == "s1"
    assert told["farther_max_s"] == pytest.approx(rows["farther_max_s"].max())


def test_the_command_tells_what_a_change_does(run, town):
    code, shown, _ = run("what-if", town, "--add", "c2", "--move", "s1=c4")
    assert code == 0
    assert "before" in shown
    assert "closes: s1: " in shown
    assert run("what-if", town)[0] == 2
    assert run("what-if", town, "--move", "s1")[0] == 2
    code, _, complaint = run("what-if", town, "--drop", "c1")
    assert (code, "'c1' is a candidate" in complaint) == (2, True)


def test_the_check_lists_scenarios_that_cannot_be_meant(run, tmp_path):
    folder = write_town(tmp_path, STUDY + WALKING + SENSELESS)
    code, _, complaint = run("check", folder, "--out", tmp_path / "out")
    assert code == 1
    assert "did you mean community?" in complaint


def test_a_published_plan_does_not_tell_that_few_lose_by_a_closing(plans):
    few = {"lost_4": 24.0, "farther": 24.0, "farther_n": 24.0, "farther_mean_s": 60.0, "farther_max_s": 60.0}
    told = without_small(plans("a move").sites.assign(**few))
    assert told[[*few]].isna().all(axis=None)
    assert {*few} <= set(told["not_shown"].iloc[0].split())


def test_the_walk_of_one_home_is_not_published_where_a_station_closes(plans):
    one_still_reaches = {"farther": 45.0, "farther_n": 5.0, "farther_mean_s": 63.0, "farther_max_s": np.nan}
    [told, *_] = without_small(plans("a move").sites.assign(**one_still_reaches)).to_dict("records")
    assert told["farther"] == 45.0
    assert np.isnan([told[name] for name in ("farther_n", "farther_mean_s")]).all()
    all_reach = {"farther": 45.0, "farther_n": 45.0, "farther_mean_s": 63.0, "farther_max_s": 99.0}
    [told, *_] = without_small(plans("a move").sites.assign(**all_reach)).to_dict("records")
    assert (told["farther_n"], told["farther_mean_s"]) == (45.0, 63.0)
    assert np.isnan(told["farther_max_s"]), "the longest is the walk of one home"
    assert "farther_max_s" in told["not_shown"].split()


def test_a_published_plan_names_every_figure_that_it_leaves_out(plans):
    plan = plans("a move")
    few = {"lost_4": 24.0, "gain": 24.0, "reached_4": 24.0}
    told = replace(plan, sites=without_small(plan.sites.assign(**few)), by_case={"flood": np.nan, "ill": 40.0})
    record = plan_record(
        replace(told, coverage=replace(told.coverage, demand=replace(told.coverage.demand, rounded=True)))
    )
    assert record["cases"] == {"flood": None, "ill": 40.0}
    assert "cases.flood" in record["not_shown"]
    assert {"lost_4", "farther_max_s"} <= set(record["closings"][0]["not_shown"])
    assert {"gain", "reached"} <= set(record["reasons"][0]["not_shown"])


def test_a_plan_for_publication_tells_no_small_figure(run, town, tmp_path):
    code, _, complaint = run("site", town, "--scenario", "room for all", "--publish", "--out", tmp_path)
    assert code == 0, complaint
    rows = pd.read_csv(tmp_path / "published" / "scenarios" / "room-for-all" / "sites.csv", encoding="utf-8-sig")
    figures = rows[["gain", "loss", "next_best_loss", "load"]].to_numpy(dtype=float)
    assert (figures[np.isfinite(figures)] >= 25).all()
    assert run("site", town, "--publish", "--why", "c1", "--out", tmp_path)[0] == 2
