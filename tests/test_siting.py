"""Siting: the best sites, proven, with reasons, and a checker that can say no."""

import doctest
import importlib
import itertools
import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.errors import BoundError, InfeasibleError, SchemaError, StudyError
from lifecircle.model import Walks
from lifecircle.siting import (
    Budget,
    Capacity,
    Case,
    Decision,
    FairestWalks,
    FewestStations,
    Floor,
    MostResidents,
    Question,
    SitingPlan,
    Standard,
    check_plan,
    coverage_of,
    gap,
    gap_gain,
    solve,
)
from lifecircle.siting.counts import Given, count_classes
from lifecircle.siting.incidence import Incidence
from lifecircle.siting.options import options_of

HERE = Path(__file__).parent
GAPS = json.loads((HERE / "cases" / "walks.json").read_text(encoding="utf-8"))["gaps"]
C8 = 480.0


def walks_from(seconds):
    """Walks from a table of seconds[home][site]; negative or inf: no way."""
    table = np.array(seconds, dtype=np.float64).T
    there = (table >= 0.0) & np.isfinite(table)
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return Walks(indptr, np.nonzero(there)[1].astype(np.int32), table[there], table.shape[1])


def city(seed, n_homes, n_sites, side_m=3000.0):
    """A made-up city without streets: walks are those of a grid of streets, residents whole numbers."""
    rng = np.random.default_rng(seed)
    home, site = rng.uniform(0.0, side_m, (n_homes, 2)), rng.uniform(0.0, side_m, (n_sites, 2))
    seconds = np.abs(home[:, None] - site[None]).sum(axis=2) / 1.2
    return walks_from(seconds), rng.integers(1, 60, n_homes).astype(np.float64)


def assert_same_plan(one, other):
    for kind, left, right in ((SitingPlan, one, other), (Decision, one.decision, other.decision)):
        for field in fields(kind):
            a, b = getattr(left, field.name), getattr(right, field.name)
            same = a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) else a == b
            assert same or field.name == "decision", field.name


# ------------------------------------------------------------------------------------------------ small cases


# Rows are homes. A is near the first two; B near the three in the middle, the third just so; C near the fourth alone;
# D near nobody. The last home is a second too far from C.
VILLAGE = walks_from(
    [
        [60.0, -1, -1, -1],
        [60.0, 300.0, -1, -1],
        [-1, 480.0, -1, -1],
        [-1, 100.0, 200.0, -1],
        [-1, -1, 481.0, -1],
    ]
)
PEOPLE = np.array([10.0, 4.0, 3.0, 2.5, 7.0])
A, B, C, D = range(4)


def test_a_plan_says_what_each_station_is_good_for():
    plan = solve(Question(MostResidents(C8), n_new=1), VILLAGE, PEOPLE, fixed=[A])
    assert plan.today == 14.0
    assert plan.value == 19.5
    assert plan.gap_gain == 0.0
    assert plan.sites.tolist() == [A, B]
    assert plan.gain.tolist() == [5.5]
    assert plan.reached.tolist() == [[14.0, 9.5]]
    assert plan.only_here.tolist() == [[10.0, 5.5]]
    assert plan.loss.tolist() == [5.5]
    assert plan.next_best.tolist() == [C]


def test_stations_are_opened_in_the_order_of_what_they_win():
    plan = solve(Question(MostResidents(C8), n_new=2), VILLAGE, PEOPLE)
    assert plan.chosen.tolist() == [A, B]
    assert plan.gain.tolist() == [14.0, 5.5]


def test_of_equally_good_stations_the_smaller_index_opens_first():
    plan = solve(Question(MostResidents(C8), n_new=2), walks_from([[1.0, -1], [-1, 1.0]]), np.array([5.0, 5.0]))
    assert plan.chosen.tolist() == [0, 1]


def test_a_station_that_wins_nobody_is_not_proposed():
    plan = solve(Question(MostResidents(C8), n_new=99), VILLAGE, PEOPLE)
    assert plan.chosen.tolist() == [A, B]
    assert plan.status == "optimal"


def test_a_station_with_no_stand_in_says_so():
    assert solve(Question(MostResidents(C8), n_new=1), VILLAGE, PEOPLE, fixed=[B, C, D]).next_best.tolist() == [-1]


def test_fewest_stations_for_a_share_of_those_who_can_be_reached_at_all():
    for share, needed in ((0.5, 1), (0.9, 2), (1.0, 2)):
        plan = solve(Question(FewestStations(C8, share)), VILLAGE, PEOPLE)
        assert (plan.value, plan.bound, plan.today, plan.gap_gain) == (needed, needed, None, None)


def test_where_the_fixed_stations_suffice_none_is_opened():
    plan = solve(Question(FewestStations(C8, 1.0)), VILLAGE, PEOPLE, fixed=[A, B])
    assert (plan.value, plan.bound, plan.gap, plan.status) == (0.0, 0.0, 0.0, "optimal")
    assert len(plan.chosen) == 0


def test_the_cutoff_is_inclusive_to_a_millionth_of_a_second():
    walks = walks_from([[480.0], [480.0 + 1e-6], [480.0 + 3e-6], [481.0]])
    assert solve(Question(MostResidents(C8), n_new=1), walks, np.array([1.0, 2.0, 4.0, 8.0])).value == 3.0


# ----------------------------------------------------------------------------------------------- nothing to do


def test_with_no_candidates_today_is_the_plan():
    plan = solve(Question(MostResidents(C8), n_new=3), VILLAGE, PEOPLE, fixed=[A, B, C, D])
    assert (plan.value, plan.today, plan.gap, plan.gap_gain) == (19.5, 19.5, 0.0, 0.0)
    assert len(plan.chosen) == len(plan.gain) == len(plan.next_best) == 0


@pytest.mark.parametrize("n_new", [0, 2])
def test_where_nobody_can_be_reached_the_most_is_nobody(n_new):
    plan = solve(Question(MostResidents(10.0), n_new=n_new), VILLAGE, PEOPLE)
    assert (plan.value, plan.bound, plan.gap, len(plan.chosen)) == (0.0, 0.0, 0.0, 0)


def test_without_sites_or_homes_there_is_nothing_to_choose():
    empty = Walks(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0), 0)
    assert solve(Question(MostResidents(C8), n_new=1), empty, np.zeros(0)).value == 0.0


def test_a_share_of_nobody_is_refused_with_the_count_of_the_unreachable():
    with pytest.raises(InfeasibleError, match=r"none of 26\.5 residents at 5 demand points is within 10 s") as raised:
        solve(Question(FewestStations(10.0, 0.9)), VILLAGE, PEOPLE)
    assert raised.value.breaches[0].count == 5


# -------------------------------------------------------------------------------------------------- bad input


def test_a_question_that_cannot_be_meant_lists_every_fault():
    with pytest.raises(StudyError) as raised:
        Question(MostResidents(cutoff_s=math.inf), n_new=-1)
    assert [breach.rule for breach in raised.value.breaches] == ["cutoff-positive", "n-new-whole"]
    with pytest.raises(StudyError) as raised:
        Question(FewestStations(cutoff_s=math.nan, share=0.0))
    assert [breach.rule for breach in raised.value.breaches] == ["cutoff-positive", "share-range"]


@pytest.mark.parametrize("n_new", [1.5, True, "2"])
def test_a_number_of_stations_is_a_whole_number(n_new):
    with pytest.raises(StudyError, match="whole number of stations"):
        Question(MostResidents(C8), n_new=n_new)


def test_faulty_arguments_are_listed_together():
    with pytest.raises(SchemaError) as raised:
        solve(
            Question(MostResidents(C8), n_new=1),
            VILLAGE,
            np.array([1.0, -1.0, math.nan]),
            fixed=[1, 9],
            time_limit_s=-1.0,
        )
    rules = [(breach.layer, breach.rule) for breach in raised.value.breaches]
    assert rules == [
        ("weights", "one-per-demand-point"),
        ("weights", "zero-or-more"),
        ("fixed", "no-such-site"),
        ("time_limit_s", "zero-or-more"),
    ]


@pytest.mark.parametrize(("fixed", "rule"), [([1, 1], "named-twice"), ([0.5], "row-numbers"), ([[0]], "row-numbers")])
def test_fixed_sites_are_rows_named_once(fixed, rule):
    with pytest.raises(SchemaError) as raised:
        solve(Question(MostResidents(C8), n_new=1), VILLAGE, PEOPLE, fixed=fixed)
    assert [breach.rule for breach in raised.value.breaches] == [rule]


# ------------------------------------------------------------------------- against every subset, on random cases

SECONDS = st.sampled_from([0.0, 120.0, 300.0, 479.5, 480.0, 480.0 + 5e-7, 480.1, 900.0, -1.0, -1.0])
RESIDENTS = st.one_of(
    st.integers(0, 40).map(float),
    st.integers(1, 4000).map(lambda n: n / 16.0),
    st.integers(1, 3000).map(lambda n: n / 3.0),
)


@st.composite
def villages(draw):
    """Seconds[home][site], residents, fixed sites."""
    n_homes, n_sites = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    row = st.lists(SECONDS, min_size=n_sites, max_size=n_sites)
    seconds = np.array(draw(st.lists(row, min_size=n_homes, max_size=n_homes)))
    residents = np.array(draw(st.lists(RESIDENTS, min_size=n_homes, max_size=n_homes)))
    return seconds, residents, sorted(draw(st.sets(st.integers(0, n_sites - 1), max_size=n_sites)))


def reached_by(seconds, residents, sites):
    near = (seconds[:, list(sites)] >= 0.0) & (seconds[:, list(sites)] <= C8 + 1e-6)
    return residents[near.any(axis=1)].sum()


def openings(seconds, fixed):
    candidates = [site for site in range(seconds.shape[1]) if site not in fixed]
    for size in range(len(candidates) + 1):
        yield from itertools.combinations(candidates, size)


@settings(max_examples=200)
@given(villages(), st.integers(0, 4))
def test_no_other_choice_of_sites_reaches_more_residents(village, n_new):
    seconds, residents, fixed = village
    plan = solve(Question(MostResidents(C8), n_new=n_new), walks_from(seconds), residents, fixed=fixed)
    best = max(reached_by(seconds, residents, [*fixed, *new]) for new in openings(seconds, fixed) if len(new) <= n_new)
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert (plan.status, plan.gap, plan.gap_gain) == ("optimal", 0.0, 0.0)
    assert len(plan.chosen) <= n_new
    assert plan.gain.sum() == pytest.approx(plan.value - plan.today, rel=1e-9, abs=1e-9)
    assert (plan.gain > 0.0).all()


@settings(max_examples=200)
@given(villages(), st.sampled_from([0.3, 0.5, 0.8, 0.9, 0.95, 1.0]))
def test_no_smaller_choice_of_sites_reaches_the_share(village, share):
    seconds, residents, fixed = village
    base = reached_by(seconds, residents, range(seconds.shape[1]))
    if base == 0.0:
        with pytest.raises(InfeasibleError):
            solve(Question(FewestStations(C8, share)), walks_from(seconds), residents, fixed=fixed)
        return
    walks = walks_from(seconds)
    plan = solve(Question(FewestStations(C8, share)), walks, residents, fixed=fixed)
    fewest = min(
        len(new)
        for new in openings(seconds, fixed)
        if reached_by(seconds, residents, [*fixed, *new]) >= share * base * (1.0 - 1e-9)
    )
    assert (plan.value, plan.bound, plan.status) == (fewest, fewest, "optimal")
    won = coverage_of(walks, plan.sites, residents, C8) - coverage_of(walks, plan.fixed, residents, C8)
    assert plan.gain.sum() == pytest.approx(won, rel=1e-9, abs=1e-9)


@settings(max_examples=100)
@given(villages(), st.integers(1, 4))
def test_the_next_best_site_is_the_best_stand_in(village, n_new):
    seconds, residents, fixed = village
    plan = solve(Question(MostResidents(C8), n_new=n_new), walks_from(seconds), residents, fixed=fixed)
    unused = [site for site in range(seconds.shape[1]) if site not in plan.sites]
    for dropped, substitute in zip(plan.chosen, plan.next_best, strict=True):
        rest = [site for site in plan.sites if site != dropped]
        without = reached_by(seconds, residents, rest)
        best = max((reached_by(seconds, residents, [*rest, site]) for site in unused), default=without)
        if substitute == -1:
            assert best == pytest.approx(without)
        else:
            assert reached_by(seconds, residents, [*rest, substitute]) == pytest.approx(best)


@settings(max_examples=60)
@given(villages(), st.randoms(use_true_random=False))
def test_the_order_of_homes_and_sites_does_not_change_the_value(village, shuffler):
    seconds, residents, fixed = village
    homes, sites = list(range(seconds.shape[0])), list(range(seconds.shape[1]))
    shuffler.shuffle(homes)
    shuffler.shuffle(sites)
    shuffled = walks_from(seconds[np.ix_(homes, sites)])
    moved = [sites.index(site) for site in fixed]
    for question in (Question(MostResidents(C8), n_new=2), Question(FewestStations(C8, 0.9))):
        try:
            plan = solve(question, walks_from(seconds), residents, fixed=fixed)
        except InfeasibleError:
            continue
        other = solve(question, shuffled, residents[homes], fixed=moved)
        assert other.value == pytest.approx(plan.value, rel=1e-9)


@settings(max_examples=100)
@given(villages())
def test_standing_together_loses_nobody(village):
    seconds, residents, fixed = village
    fixed, walks = np.array(fixed, dtype=np.int64), walks_from(seconds)
    question = Question(MostResidents(C8), n_new=1)
    options = options_of(question, walks.n_facilities, fixed)
    asked = Given(question, walks, residents, fixed, options, residents > 0.0)
    counts = count_classes(asked, (Standard(C8),))
    everyone = np.arange(len(residents))
    assert counts.reachable(everyone, residents, 0) == pytest.approx(
        reached_by(seconds, residents, range(len(seconds.T)))
    )
    assert counts.tally(everyone, residents, 0, 0).constant == pytest.approx(reached_by(seconds, residents, fixed))
    sets = [tuple(counts.links.options.row(row)) for row in range(counts.n)]
    assert len(set(sets)) == len(sets)
    assert all(sets)


@given(st.lists(st.sets(st.integers(0, 4)), max_size=12))
def test_rows_are_grouped_where_they_are_the_same_to_the_last_entry(sets):
    lists = [sorted(columns) for columns in sets]
    indptr = np.concatenate([[0], np.cumsum([len(columns) for columns in lists], dtype=np.int64)])
    columns = np.array(list(itertools.chain(*lists)), dtype=np.int32)
    first, group = Incidence(indptr.astype(np.int64), columns, 5).identical_rows()
    for one, other in itertools.product(range(len(lists)), repeat=2):
        if lists[one] and lists[other]:
            assert (group[one] == group[other]) == (lists[one] == lists[other])
    assert [group[row] for row in first] == list(range(len(first)))
    assert [row for row in range(len(lists)) if group[row] == -1] == [r for r, c in enumerate(lists) if not c]


# ------------------------------------------------------------------------------------ the same again, and cut short


@pytest.mark.parametrize("question", [Question(MostResidents(C8), n_new=6), Question(FewestStations(C8, 0.9))])
def test_the_same_input_gives_the_same_plan_to_the_last_byte(question):
    walks, residents = city(1, 200, 40)
    assert_same_plan(solve(question, walks, residents, fixed=[3, 5]), solve(question, walks, residents, fixed=[3, 5]))


@pytest.mark.parametrize("question", [Question(MostResidents(C8), n_new=6), Question(FewestStations(C8, 0.9))])
def test_with_no_time_at_all_there_is_a_plan_and_a_bound(question):
    walks, residents = city(1, 200, 40)
    quick, best = solve(question, walks, residents, time_limit_s=0.0), solve(question, walks, residents)
    assert quick.status == "feasible"
    assert quick.gap > 0.0
    assert_same_plan(quick, solve(question, walks, residents, time_limit_s=0.0))
    if question.sense == "max":
        assert quick.value <= best.value <= quick.bound
    else:
        assert quick.bound <= best.value <= quick.value


@pytest.mark.parametrize("question", [Question(MostResidents(C8), n_new=12), Question(FewestStations(C8, 0.9))])
def test_a_plan_cut_short_by_the_clock_says_how_far_it_may_be_from_the_best(question):
    walks, residents = city(2, 1500, 250, side_m=4000.0)
    quick = solve(question, walks, residents, time_limit_s=0.0)
    plan = solve(question, walks, residents, time_limit_s=1.0)
    # A machine may be fast enough to prove it; then there is no gap.
    assert (plan.status == "feasible") == (plan.gap > 0.0)
    assert plan.gap <= quick.gap
    assert plan.value >= quick.value if question.sense == "max" else plan.value <= quick.value


# ------------------------------------------------------------------------------------------------- the checker


@pytest.fixture
def sound():
    walks, residents = city(3, 60, 12)
    return solve(Question(MostResidents(C8), n_new=3), walks, residents, fixed=[0]), walks, residents


def opening(plan, sites):
    """A plan that opens these sites instead, all of the lowest tier and at once."""
    nothing = np.zeros(len(sites), dtype=np.int64)
    return {"decision": replace(plan.decision, chosen=np.array(sites), tier=nothing, period=nothing.copy())}


def test_a_sound_plan_passes_its_check(sound):
    check_plan(*sound)


@pytest.mark.parametrize(
    ("corrupt", "said"),
    [
        (lambda p: {"value": p.value + 1.0, "bound": p.bound + 1.0}, "value is"),
        (lambda p: {"today": p.today + 1.0}, "today is"),
        (lambda p: {"today": None, "gap_gain": None}, "today is"),
        (lambda p: opening(p, p.chosen[::-1]), "gain is not"),
        (lambda p: opening(p, p.chosen[:-1]), "value is"),
        (lambda p: opening(p, [*p.chosen[:-1], p.chosen[0]]), "twice"),
        (lambda p: opening(p, [*p.chosen[:-1], p.fixed[0]]), "twice"),
        (lambda p: opening(p, [*p.chosen[:-1], 12]), "not there"),
        (lambda p: {"decision": replace(p.decision, tier=p.decision.tier[1:])}, "its tier and its period"),
        (lambda p: {"decision": replace(p.decision, tier=p.decision.tier + 1)}, "a tier that is not there"),
        (lambda p: {"decision": replace(p.decision, period=p.decision.period + 1)}, "a year or on a day"),
        (lambda p: {"decision": replace(p.decision, closed=p.fixed)}, "a site that may not close"),
        (lambda p: {"decision": replace(p.decision, closed=p.chosen)}, "a site that does not stand"),
        (lambda p: {"question": Question(MostResidents(C8), n_new=2)}, "3 sites where 2 are allowed"),
        (
            lambda p: {"question": Question(FewestStations(C8, 1.0)), "today": None, "gap_gain": None},
            "less than a share of 1",
        ),
        (lambda p: {"gain": np.roll(p.gain, 1)}, "gain is not"),
        (lambda p: {"reached": p.reached[:, 1:]}, "reached is not"),
        (lambda p: {"only_here": p.only_here + 1.0}, "only_here is not"),
        (lambda p: {"next_best": p.chosen}, "substitute"),
        (lambda p: {"next_best": p.next_best[1:]}, "substitute"),
        (lambda p: {"next_best_loss": p.next_best_loss - 1.0}, "a substitute is said to lose"),
        (lambda p: {"bound": p.bound - 1.0}, "better than its bound"),
        (lambda p: {"bound": p.bound + 1.0}, "gap is 0.0, recomputed"),
        (lambda p: {"gap_gain": 0.5}, "gap_gain is 0.5, recomputed"),
        (lambda p: {"status": "feasible"}, "called feasible"),
    ],
)
def test_a_plan_that_is_not_what_it_says_fails_its_check(sound, corrupt, said):
    plan, walks, residents = sound
    with pytest.raises(BoundError, match=said):
        check_plan(replace(plan, **corrupt(plan)), walks, residents)


def test_a_plan_with_an_invented_proof_fails_its_check(sound):
    plan, walks, residents = sound
    bound = plan.value * 2.0
    far = gap(plan.value, bound, sense="max")
    claimed = replace(plan, bound=bound, gap=far, gap_gain=gap_gain(plan.value, bound, plan.today, sense="max"))
    with pytest.raises(BoundError, match="called optimal at a gap"):
        check_plan(claimed, walks, residents)


# ----------------------------------------------------------------------------------------------------- the gap


@pytest.mark.parametrize("case", GAPS)
def test_the_gap_is_what_the_definitions_say(case):
    value, bound, today, sense = case["value"], case["bound"], case["today"], case["sense"]
    if case.get("raises"):
        with pytest.raises(BoundError):
            gap(value, bound, sense=sense)
        with pytest.raises(BoundError):
            gap_gain(value, bound, today, sense=sense)
    else:
        assert gap(value, bound, sense=sense) == pytest.approx(case["gap"])
        assert gap_gain(value, bound, today, sense=sense) == (
            None if case["gap_gain"] is None else pytest.approx(case["gap_gain"])
        )


def test_rounding_is_no_gap_and_no_knowledge_no_bound():
    assert gap(0.1 + 0.2, 0.3, sense="max") == 0.0
    assert gap(3.0, 0.0, sense="min") == math.inf
    with pytest.raises(BoundError, match="finite"):
        gap(3.0, math.inf, sense="max")


@pytest.mark.parametrize("module", ["plan", "questions", "recount", "solver"])
def test_the_examples_in_the_docstrings_hold(module):
    found = doctest.testmod(importlib.import_module(f"lifecircle.siting.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_the_fairest_plan_walks_to_nobody_whom_a_floor_alone_is_about():
    walks = walks_from([[100.0, 400.0], [-1.0, 100.0]])
    old = Floor(0.1, who=np.array([9.0, 1.0]), standards=(Standard(600.0),))
    plan = solve(Question(FairestWalks(), n_new=1, floors=(old,)), walks, np.array([10.0, 0.0]))
    assert (plan.value, plan.status, plan.chosen.tolist()) == (100.0, "optimal", [0])


def test_walks_that_are_no_number_or_negative_are_refused():
    for wrong in (np.nan, -1.0):
        walks = Walks(np.array([0, 1]), np.array([0], dtype=np.int32), np.array([wrong]), 1)
        with pytest.raises(SchemaError, match="1 walks are negative or no number"):
            solve(Question(MostResidents(C8), n_new=1), walks, np.ones(1))


@pytest.fixture
def twice_in_a_row():
    """Walks in which the second site has a walk from the first home twice, and the first home's rows meet at a seam."""
    return Walks(
        np.array([0, 2, 5]), np.array([1, 0, 0, 1, 0], dtype=np.int32), np.array([9.0, 60.0, 50.0, 9.0, 70.0]), 2
    )


def test_a_walk_that_stands_twice_is_refused_wherever_it_stands(twice_in_a_row):
    people = np.ones(2)
    with pytest.raises(SchemaError, match="1 walks stand in their row a second time"):
        solve(Question(MostResidents(C8), n_new=1), twice_in_a_row, people)
    usual = walks_from([[1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(SchemaError) as raised:
        solve(Question(MostResidents(C8), n_new=1, cases=(Case(walks=twice_in_a_row),)), usual, people)
    assert [breach.rule for breach in raised.value.breaches] == ["one-per-pair"]


@given(st.lists(st.lists(st.integers(0, 5), max_size=7), max_size=5))
def test_walks_may_stand_in_any_order_but_each_once(rows):
    lengths = [len(row) for row in rows]
    indptr = np.append(0, np.cumsum(lengths, dtype=np.int64))
    indices = np.array(list(itertools.chain(*rows)), dtype=np.int32)
    walks = Walks(indptr, indices, np.ones(len(indices)), 6)
    repeated = sum(len(row) - len(set(row)) for row in rows)
    question = Question(MostResidents(C8), n_new=1)
    if repeated:
        with pytest.raises(SchemaError, match=f"{repeated} walks stand in their row a second time"):
            solve(question, walks, np.ones(6))
    else:
        assert solve(question, walks, np.ones(6)).value == max(lengths, default=0)


@pytest.mark.parametrize("home", [-1, 2])
def test_a_walk_from_a_home_that_is_not_there_is_refused(home):
    walks = Walks(np.array([0, 1]), np.array([home], dtype=np.int32), np.array([60.0]), 2)
    with pytest.raises(SchemaError, match="demand points that are not there, 0 to 1"):
        solve(Question(MostResidents(C8), n_new=1), walks, np.ones(2))


@pytest.mark.parametrize("absurd", [1e300, 1e-300])
def test_a_cost_of_no_money_in_the_world_is_refused_and_any_other_is_counted_with(absurd):
    with pytest.raises(StudyError, match="costs must be 0 or from 1e-15 to"):
        Question(MostResidents(C8), budget=Budget(np.array([absurd, 1.0]), total=1.0))
    costs = np.array([1e15, 1e-15, 0.0, np.inf])
    plan = solve(Question(MostResidents(C8), budget=Budget(costs, total=1e15)), VILLAGE, 1e10 * PEOPLE)
    assert plan.value == 1e10 * 19.5


@pytest.mark.parametrize(
    "asked",
    [
        lambda: Question(MostResidents(C8), n_new=1, priority=np.array([1e300])),
        lambda: Question(MostResidents(C8), n_new=1, capacity=Capacity(np.array([1e300]))),
        lambda: Question(MostResidents(C8), n_new=1, capacity=Capacity(np.ones(1), load=np.array([1e300]))),
        lambda: Question(MostResidents(C8), n_new=1, floors=(Floor(0.5, who=np.array([1e300])),)),
        lambda: Question(MostResidents(C8), budget=Budget(np.ones(1), total=1e300)),
    ],
)
def test_numbers_that_no_sum_could_hold_are_refused(asked):
    with pytest.raises(StudyError, match=r"1e\+15"):
        asked()


def test_more_residents_than_a_sum_could_hold_are_refused():
    with pytest.raises(SchemaError, match="1 weights are negative, above"):
        solve(Question(MostResidents(C8), n_new=1), VILLAGE, np.array([1e300, 1.0, 1.0, 1.0, 1.0]))


def test_several_circles_under_a_capacity_make_no_sense_together():
    with pytest.raises(StudyError, match="also and capacity make no sense together"):
        Question(
            MostResidents(900.0, also=(Standard(C8),)),
            n_new=1,
            capacity=Capacity(np.ones(1)),
        )
