"""Siting questions as a planner asks them: in the words of the study file, answered in the ids of its places.

 n   h02   h12   h22   h32        Homes stand beside two streets, w1 in the south and w3 in the north, which w2
c1 --------c2----------c3 w3      joins in the west. Today's station s1 stands where w1 begins; c1 to c4 could
 | w2                             become one. A square is 83 m wide; w2 is 222 m long.
s1 --------------------c4 w1
 s   h00   h10   h20   h30
"""

import json
import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lifecircle import open_study, site
from lifecircle.asked import AreaBudget, AreaMinimum, Award, Case, Floor, Itinerary, Scenario
from lifecircle.circles import cover_today
from lifecircle.errors import InfeasibleError, StudyError, UnknownNameError
from lifecircle.ground import with_candidates
from lifecircle.plan_summary import show_plan
from lifecircle.readers.study_file import read_study_file
from lifecircle.scenarios import Situation, best_added, check_scenarios, possible_sites, refuse_senseless, why
from lifecircle.scenarios.posed import posed
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
        ('itinerary = { stops_per_day = 1, days = ["Mo"] }', "unknown-value", "Mon, Tue"),
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
        ("time", "stopped after the 9 s of --time-limit: this is the best plan so far, and at most 5.0 residents more"),
        ("interrupted", "stopped by Ctrl-C: this is the best plan so far"),
        ("stuck", "no further search makes the plan any better: this is the best plan so far"),
    ],
)
def test_a_plan_that_is_cut_short_says_who_stopped_it_and_what_is_still_possible(plans, capsys, ended, says):
    plan = plans("one more")
    cut = replace(plan.solution, status="feasible", ended=ended, bound=plan.solution.value + 5.0, gap=0.1)
    show_plan(replace(plan, solution=cut), time_limit_s=9.0)
    assert says in capsys.readouterr().out


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
    assert "n_new: 1 new stations are allowed; 2 would do, all else as it is" in told
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
        "may_close 's9' is not a station of today; did you mean s1?",
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


def test_tiers_and_ids_that_are_not_there_are_told_beside_those_that_are(study):
    stations = study.stations.loc[study.stations.index.repeat(12)]
    many = replace(study, stations=stations.assign(station_id=[f"s{n:02}" for n in range(12)]))
    asked_for = Scenario("a", "most", "4", n_new=1, max_moves=1, keep=("q",), tiers=("home", "main"))
    told = [breach.message for breach in check_scenarios(many, [asked_for])]
    assert any("'q' is not a station of today; there are 12, s00 to s11" in message for message in told)
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
    with pytest.raises(UnknownNameError, match="c9"):
        why(plan, "c9")


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


def test_a_change_of_what_is_not_there_is_refused(today, sites):
    now = Situation.of(today, sites)
    for change, said in (
        ({"add": ["c9"]}, "no station or candidate 'c9'"),
        ({"add": ["s1"]}, "'s1' is open already"),
        ({"drop": ["s1", "s1"]}, "'s1' is named twice"),
        ({"drop": ["c1"]}, "'c1' is not open"),
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
    assert plan["unit"] == "residents"
    assert [reason["site"] for reason in plan["reasons"]] == plan["sites"]
    assert len(plan["years"]) == 2
    rows = pd.read_csv(folder / "sites.csv", encoding="utf-8-sig")
    assert rows.columns.tolist() == [
        *("site_id", "name", "kind", "tier", "area_id", "state", "opens", "order", "gain", "loss"),
        *(f"{what}_{circle}" for what in ("reached", "only_here") for circle in ("4", "8", "main")),
        *("load", "cost", "next_best", "next_best_loss", "lon", "lat", "residents_basis"),
    ]


def test_the_command_tells_a_move_and_its_page_opens_without_the_closed_station(run, town, tmp_path):
    code, shown, _ = run("site", town, "--scenario", "a move", "--out", tmp_path)
    assert code == 0
    assert "closes: s1" in shown
    plan = json.loads((tmp_path / "scenarios" / "a-move" / "plan.json").read_text("utf-8"))
    assert plan["closed"] == ["s1"]


def test_the_command_tells_what_a_change_does(run, town):
    code, shown, _ = run("what-if", town, "--add", "c2", "--move", "s1=c4")
    assert code == 0
    assert "before" in shown
    assert run("what-if", town)[0] == 2
    assert run("what-if", town, "--move", "s1")[0] == 2
    code, _, complaint = run("what-if", town, "--drop", "c1")
    assert (code, "'c1' is not open" in complaint) == (2, True)


def test_the_check_lists_scenarios_that_cannot_be_meant(run, tmp_path):
    folder = write_town(tmp_path, STUDY + WALKING + SENSELESS)
    code, _, complaint = run("check", folder, "--out", tmp_path / "out")
    assert code == 1
    assert "did you mean community?" in complaint


def test_a_plan_for_publication_tells_no_small_figure(run, town, tmp_path):
    code, _, complaint = run("site", town, "--scenario", "room for all", "--publish", "--out", tmp_path)
    assert code == 0, complaint
    rows = pd.read_csv(tmp_path / "published" / "scenarios" / "room-for-all" / "sites.csv", encoding="utf-8-sig")
    figures = rows[["gain", "loss", "next_best_loss", "load"]].to_numpy(dtype=float)
    assert (figures[np.isfinite(figures)] >= 25).all()
    assert run("site", town, "--publish", "--why", "c1", "--out", tmp_path)[0] == 2
