"""Siting: every question and every pair of its conditions means what trying everything says it means."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecircle.errors import BoundError, InfeasibleError, SchemaError, StudyError
from lifecircle.model import Walks
from lifecircle.siting import (
    AtLeast,
    Budget,
    Capacity,
    Case,
    ConflictError,
    FairestWalks,
    FewestStations,
    Floor,
    Itinerary,
    MostResidents,
    Moves,
    Question,
    ShortestWalks,
    Standard,
    Tiers,
    check_plan,
    solve,
    why_not,
)
from lifecircle.siting.bounds import dual_bound
from lifecircle.siting.formulation import formulate
from lifecircle.siting.questions import SENSELESS
from siting_oracle import affordable, allowed, best, value_of

SMALL = json.loads((Path(__file__).parent / "cases" / "siting.json").read_text(encoding="utf-8"))["instances"]
C8, C15 = 480.0, 900.0


def walks_from(seconds):
    """Walks from a table of seconds[home][site]; negative or inf: no way."""
    table = np.array(seconds, dtype=np.float64).T
    there = (table >= 0.0) & np.isfinite(table)
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return Walks(indptr, np.nonzero(there)[1].astype(np.int32), table[there], table.shape[1])


# ------------------------------------------------------------------------------------------------ small cases


def question_from(asked, instance):
    """One of the small cases as a question."""
    cutoff_s, n_new = asked.get("cutoff_s", C8), asked.get("n_new")
    cost = np.array(instance["cost"], dtype=np.float64)
    site_area, home_area = (np.array(instance[name]) for name in ("site_area", "home_area"))
    most = MostResidents(cutoff_s)
    match asked["question"]:
        case "most":
            return Question(most, n_new=n_new)
        case "fewest":
            return Question(FewestStations(cutoff_s, asked["share"]))
        case "shortest":
            return Question(ShortestWalks(cutoff_s), n_new=n_new)
        case "fairest":
            return Question(FairestWalks(), n_new=n_new)
        case "budget":
            return Question(most, budget=Budget(cost, total=asked["budget"]))
        case "relocate":
            return Question(most, moves=Moves(tuple(asked["may_close"]), asked["max_moves"]))
        case "per_area":
            return Question(most, n_new=n_new, at_least=AtLeast(asked["at_least"], site_area))
        case "floor":
            return Question(FewestStations(cutoff_s), floors=(Floor(asked["floor"], area=home_area),))
        case "backup":
            return Question(most, n_new=n_new, backup=asked["weight"])
        case "capacity":
            return Question(most, n_new=n_new, capacity=Capacity(np.array(instance["capacity"], dtype=np.float64)))
        case "robust":
            return Question(most, n_new=n_new, cases=tuple(Case(tuple(out)) for out in asked["out_of_service"]))
        case "tiers":
            cost = np.array([np.full(len(cost), asked["household_cost"]), np.full(len(cost), asked["main_cost"])])
            both = MostResidents(C8, also=(Standard(C15, tier=1),))
            return Question(both, tiers=Tiers(2), budget=Budget(cost.astype(float), total=asked["budget"]))
        case "stages":
            return Question(most, budget=Budget(cost, by_year=tuple(asked["budgets"])))
    raise ValueError(asked["question"])


@pytest.mark.parametrize(
    ("instance", "asked"),
    [
        pytest.param(instance, asked, id=f"{instance['seed']}-{asked['question']}-{number}")
        for instance in SMALL
        for number, asked in enumerate(instance["questions"])
    ],
)
def test_every_small_case_reaches_its_optimum_with_a_proof(instance, asked):
    question, walks = question_from(asked, instance), walks_from(instance["seconds"])
    residents, fixed = np.array(instance["residents"], dtype=np.float64), asked.get("fixed", ())
    if asked["optimum"] is None:
        with pytest.raises(ConflictError):
            solve(question, walks, residents, fixed=fixed)
        return
    plan = solve(question, walks, residents, fixed=fixed)
    assert plan.value == pytest.approx(asked["optimum"], rel=1e-12)
    assert (plan.bound, plan.gap, plan.status) == (plan.value, 0.0, "optimal")


# ------------------------------------------------------------------------- against trying everything, at random

SECONDS = np.array([0.0, 120.0, 300.0, 479.5, 480.0, 480.0 + 5e-7, 480.1, 700.0, 900.0, 1000.0, np.inf, np.inf])
OBJECTIVES = ("most", "fewest", "shortest", "fairest")
CONDITIONS = (
    *("n_new", "budget", "area_budget", "years", "moves", "at_least", "floors", "reachable_floors", "tiers"),
    *("capacity", "whole_capacity", "backup", "cases", "closed_roads", "priority", "itinerary"),
)


def village(rng):
    """Seconds[home][site], residents, fixed sites."""
    n_homes, n_sites = int(rng.integers(1, 8)), int(rng.integers(1, 5))
    residents = rng.choice([0.0, 1.0, 3.0, 7.0, 10.5, 40.0, 1 / 3], n_homes)
    fixed = sorted(rng.choice(n_sites, int(rng.integers(0, min(3, n_sites + 1))), replace=False).tolist())
    return rng.choice(SECONDS, (n_homes, n_sites)), residents, fixed


def conditions_from(rng, name, shape, fixed):
    """The fields of a question that a condition stands for, drawn at random."""
    n_homes, n_sites = shape
    cost = rng.integers(1, 5, n_sites).astype(np.float64)
    some_sites = lambda most: tuple(rng.choice(n_sites, int(rng.integers(0, most + 1)), replace=False).tolist())  # noqa: E731
    match name:
        case "n_new":
            return {"n_new": int(rng.integers(0, 4))}
        case "budget":
            return {"budget": Budget(cost, total=float(rng.integers(0, 9)))}
        case "area_budget":
            amounts, area = rng.integers(0, 6, 2).astype(np.float64), rng.integers(-1, 2, n_sites)
            return {"budget": Budget(cost, by_area=amounts, site_area=area)}
        case "years":
            return {"budget": Budget(cost, by_year=(float(rng.integers(0, 5)), float(rng.integers(0, 5))))}
        case "moves":
            may_close = tuple(site for site in fixed if rng.random() < 0.8)
            return {"moves": Moves(may_close, int(rng.integers(0, 3)))}
        case "at_least":
            return {"at_least": AtLeast(int(rng.integers(1, 3)), rng.integers(-1, 2, n_sites))}
        case "floors":
            area = rng.integers(-1, 2, n_homes) if rng.random() < 0.5 else None
            who = rng.integers(0, 9, n_homes).astype(np.float64) if rng.random() < 0.5 else None
            return {"floors": (Floor(float(rng.choice([0.2, 0.5, 1.0])), who=who, area=area),)}
        case "reachable_floors":
            area = rng.integers(-1, 2, n_homes) if rng.random() < 0.5 else None
            standards = (Standard(float(rng.choice([C8, C15]))),)
            return {"floors": (Floor(float(rng.choice([0.5, 0.9])), of="reachable", area=area, standards=standards),)}
        case "tiers":
            return {"tiers": Tiers(2, standing=rng.integers(0, 2, n_sites))}
        case "capacity" | "whole_capacity":
            load = rng.integers(0, 9, n_homes).astype(np.float64) if rng.random() < 0.3 else None
            limit = rng.choice([0.0, 2.0, 5.0, 20.0, np.inf], n_sites)
            return {"capacity": Capacity(limit, load=load, split=name == "capacity")}
        case "backup":
            return {"backup": 0.5}
        case "cases":
            return {"cases": tuple(Case(some_sites(min(2, n_sites))) for _ in range(int(rng.integers(1, 4))))}
        case "closed_roads":
            closed = walks_from(rng.choice(SECONDS, shape))
            return {"cases": (Case(some_sites(1)), Case(some_sites(1), walks=closed))}
        case "priority":
            return {"priority": rng.choice([0.0, 0.5, 1.0, 2.0], n_homes)}
        case "itinerary":
            available = rng.random((2, n_sites)) < 0.7 if rng.random() < 0.5 else None
            return {"itinerary": Itinerary(int(rng.integers(1, 3)), days=2, available=available)}
    raise ValueError(name)


def objective_from(rng, name, *, tiers):
    also = (Standard(C15, tier=1),) if tiers else ()
    match name:
        case "most":
            return MostResidents(C8, also)
        case "fewest":
            return FewestStations(C8, float(rng.choice([0.3, 0.8, 0.9, 1.0])), also)
        case "shortest":
            return ShortestWalks(C15)
    return FairestWalks()


def question_at_random(rng, objective, names, shape, fixed):
    fields = {}
    for name in names:
        fields |= conditions_from(rng, name, shape, fixed)
    if "tiers" in names and "budget" in fields:
        cost = fields["budget"].cost
        dear = np.where(rng.random(len(cost)) < 0.2, np.inf, cost * 2.0)
        fields["budget"] = replace(fields["budget"], cost=np.stack([cost, dear]))
    if objective == "fairest" and "floors" in fields:
        fields["floors"] = tuple(replace(f, standards=f.standards or (Standard(C8),)) for f in fields["floors"])
    if objective != "fewest" and not {"n_new", "budget", "moves", "itinerary"} & set(fields):
        fields["n_new"] = int(rng.integers(0, 3))
    return Question(objective_from(rng, objective, tiers="tiers" in names), **fields)


SAME_FIELD = (
    {"budget", "area_budget", "years"},
    {"floors", "reachable_floors"},
    {"capacity", "whole_capacity"},
    {"cases", "closed_roads"},
)


def sensible(objective, names):
    """Whether no rule refuses the combination by name."""
    stated = {objective, *(name.removeprefix("whole_") for name in names)}
    if {"capacity", "reachable_floors"} <= stated:  # these floors state standards of their own
        return False
    refused = any({one, other} <= stated for one, other, _ in SENSELESS)
    return not refused and not any(len(group & set(names)) > 1 for group in SAME_FIELD)


COMBINATIONS = [
    pytest.param(objective, names, id=f"{objective}-{'-'.join(names)}")
    for objective in OBJECTIVES
    for names in [*((name,) for name in CONDITIONS), *itertools.combinations(CONDITIONS, 2)]
    if sensible(objective, names)
]


@pytest.mark.parametrize(("objective", "names"), COMBINATIONS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_other_decision_is_better(objective, names, seed):
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    question = question_at_random(rng, objective, names, seconds.shape, fixed)
    expected = best(question, seconds, residents, fixed)
    try:
        plan = solve(question, walks_from(seconds), residents, fixed=fixed)
    except ConflictError:
        assert expected is None
        return
    except InfeasibleError:  # a share of nobody, though opening nothing would meet it
        assert objective == "fewest"
        return
    assert expected is not None
    assert plan.value == pytest.approx(expected, rel=1e-8, abs=1e-9)
    assert plan.status == "optimal"


def test_a_plan_is_proven_though_homes_hold_parts_of_a_resident():
    """What the worst of two cases comes to is a sum that float64 rounds: that is no fault of the plan."""
    seconds = [[100.0, 100.0, 100.0], [-1.0, 100.0, 100.0]]
    cases = Case(out_of_service=(0,)), Case(out_of_service=(1,))
    plan = solve(
        Question(MostResidents(C8), n_new=1, cases=cases), walks_from(seconds), np.array([36.6, 15.3]), fixed=[0]
    )
    assert plan.status == "optimal"
    assert plan.value == pytest.approx(51.9)


def test_no_better_plan_is_left_out_for_how_much_is_walked_in_the_worst_case_of_all_years():
    usual = np.array([[120.0, 700.0, 480.0, 480.1], [480.0, 480.1, 479.5, 480.1], [np.inf, 480.0, 479.5, np.inf]])
    closed = np.array([[120.0, 480.1, np.inf, 480.0], [700.0, 480.1, 120.0, 0.0], [480.1, 120.0, 900.0, np.inf]])
    question = Question(
        ShortestWalks(900.0),
        budget=Budget(cost=np.array([2.0, 3.0, 3.0, 1.0]), by_year=(4.0, 2.0)),
        cases=(Case(), Case(walks=walks_from(closed))),
    )
    plan = solve(question, walks_from(usual), np.array([1.0, 0.0, 10.5]))
    assert plan.by_year.tolist() == pytest.approx([480.1 + 10.5 * 480.0, 120.0 + 10.5 * 480.0])
    assert plan.status == "optimal"


def test_a_plan_that_leaves_nothing_to_walk_is_proven_in_the_worst_case_too():
    question = Question(
        ShortestWalks(900.0),
        n_new=1,
        floors=(Floor(share=0.5, of="reachable", standards=(Standard(900.0),)),),
        cases=(Case(out_of_service=(1,)), Case(out_of_service=(2,)), Case()),
    )
    plan = solve(question, walks_from([[0.0, 480.1, 300.0]]), np.array([1.0]), fixed=[1])
    assert (plan.value, plan.bound, plan.status) == (0.0, 0.0, "optimal")


def test_a_plan_is_proven_though_one_walk_is_longer_than_the_next_by_half_a_millionth_of_a_second():
    usual = np.array([[0.0, 1000.0, 700.0, 480.0000005], [120.0, 1000.0, 480.1, 300.0]])
    closed = np.array([[480.0000005, 700.0, np.inf, 480.0], [1000.0, 120.0, np.inf, 1000.0]])
    question = Question(
        ShortestWalks(900.0),
        n_new=1,
        priority=np.array([0.5, 0.5]),
        cases=(Case(), Case(walks=walks_from(closed))),
    )
    residents = np.array([7.0, 0.0])
    plan = solve(question, walks_from(usual), residents, fixed=[1])
    assert plan.value == best(question, usual, residents, np.array([1])) == pytest.approx(3.5 * 480.0000005, rel=1e-15)
    assert plan.status == "optimal"


# ------------------------------------------------------------------------------------ what a plan says of itself


def drawn(seed, objectives=OBJECTIVES, conditions=CONDITIONS):
    """A village and a question with up to three conditions, and its plan; None where it has none."""
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    while True:
        objective = str(rng.choice(objectives))
        names = tuple(rng.choice(conditions, int(rng.integers(0, 4)), replace=False).tolist())
        if sensible(objective, names):
            break
    question = question_at_random(rng, objective, names, seconds.shape, fixed)
    try:
        return question, seconds, residents, fixed, solve(question, walks_from(seconds), residents, fixed=fixed)
    except InfeasibleError:
        return question, seconds, residents, fixed, None


def opened_by(plan):
    decision = plan.decision
    ways = zip(decision.tier.tolist(), decision.period.tolist(), strict=True)
    return dict(zip(decision.chosen.tolist(), ways, strict=True)), tuple(decision.closed.tolist())


@settings(max_examples=300, deadline=None)
@example(seed=1290)  # scaled to a million, a plan breaks a condition by a rounding
@given(seed=st.integers(0, 2**32 - 1))
def test_three_conditions_together_have_no_better_plan_either(seed):
    question, seconds, residents, fixed, plan = drawn(seed)
    expected = best(question, seconds, residents, fixed)
    if plan is None:
        assert expected is None or question.objective.name == "fewest"
    else:
        assert plan.value == pytest.approx(expected, rel=1e-8, abs=1e-9)
        assert plan.status == "optimal"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_homes_and_sites_does_not_change_the_value_of_any_question(seed):
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    n_homes, n_sites = seconds.shape
    area, cost, limit = (
        rng.integers(-1, 2, n_sites),
        rng.integers(1, 5, n_sites) * 1.0,
        rng.integers(0, 30, n_sites) * 1.0,
    )
    homes, sites = rng.permutation(n_homes), rng.permutation(n_sites)
    place = np.argsort(sites)

    def asked(order, named):
        yield Question(MostResidents(C8), n_new=2, backup=0.5, at_least=AtLeast(1, area[order]))
        yield Question(MostResidents(C8), budget=Budget(cost[order], by_year=(3.0, 4.0)))
        yield Question(MostResidents(C8), n_new=2, capacity=Capacity(limit[order]))
        yield Question(MostResidents(C8), n_new=2, cases=(Case(), Case((int(named[0]),))))
        yield Question(ShortestWalks(C15), n_new=1)
        yield Question(FairestWalks(), n_new=2)

    for one, other in zip(asked(np.arange(n_sites), np.arange(n_sites)), asked(sites, place), strict=True):
        try:
            plan = solve(one, walks_from(seconds), residents, fixed=fixed)
        except InfeasibleError:
            continue
        moved = walks_from(seconds[np.ix_(homes, sites)])
        again = solve(other, moved, residents[homes], fixed=place[fixed].astype(np.int64))
        assert again.value == pytest.approx(plan.value, rel=1e-9, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_the_multipliers_no_plan_is_better_than_the_bound(seed):
    question, seconds, residents, _, plan = drawn(seed, objectives=("most", "fewest", "shortest"))
    if plan is None:
        return
    form = formulate(question, walks_from(seconds), residents, plan.fixed)
    rng = np.random.default_rng(seed)
    for scale in (0.0, 0.1, 1.0, 10.0):
        multipliers = (scale * rng.exponential(size=len(rows)) for rows in (form.links, form.side, form.structure))
        bound = dual_bound(form, *multipliers)
        slack = 1e-9 * max(1.0, abs(bound))
        assert plan.value <= bound + slack if question.sense == "max" else plan.value >= bound - slack


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_a_plan_loses_without_a_site_is_what_it_was_worth(seed):
    without_capacity = tuple(name for name in CONDITIONS if "capacity" not in name and "floors" not in name)
    question, seconds, residents, fixed, plan = drawn(seed, ("most", "shortest", "fairest"), without_capacity)
    if plan is None:
        return
    opened, closed = opened_by(plan)
    for site, loss in zip(plan.chosen.tolist(), plan.loss.tolist(), strict=True):
        rest = {other: way for other, way in opened.items() if other != site}
        left = value_of(question, seconds, residents, fixed, rest, closed)
        worse = plan.value - left if question.sense == "max" and left is not None else None
        worse = left - plan.value if worse is None and left is not None else worse
        assert loss == (np.inf if left is None else pytest.approx(worse, rel=1e-9, abs=1e-6))


def test_a_substitute_costs_no_more_than_there_is_and_stands_where_a_site_must():
    seconds = [[60.0, np.inf, 60.0], [60.0, 60.0, np.inf]]
    cost, residents = np.array([1.0, 3.0, 1.0]), np.array([5.0, 9.0])
    money = Question(MostResidents(C8), budget=Budget(cost, total=2.0))
    plan = solve(money, walks_from(seconds), residents)
    assert (plan.next_best.tolist(), plan.next_best_loss.tolist()) == ([2], [9.0])
    area = Question(MostResidents(C8), n_new=1, at_least=AtLeast(1, np.array([0, -1, -1])))
    plan = solve(area, walks_from(seconds), residents)
    assert plan.next_best.tolist() == [-1]
    assert np.isnan(plan.next_best_loss).all()


def swaps(question, seconds, residents, fixed, opened, closed, leaves):
    """{site: the value with it in the place of another} of every swap that meets the conditions."""
    found = {}
    for site in sorted(set(range(seconds.shape[1])) - set(fixed) - set(opened)):
        tried = {other: way for other, way in opened.items() if other != leaves} | {site: opened[leaves]}
        if affordable(question, tried) and allowed(question, fixed, tried, closed):
            value = value_of(question, seconds, residents, fixed, tried, closed)
            found |= {} if value is None else {site: value}
    return found


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_substitute_is_the_best_swap_that_meets_the_conditions(seed):
    without_capacity = tuple(name for name in CONDITIONS if "capacity" not in name)
    question, seconds, residents, fixed, plan = drawn(seed, OBJECTIVES, without_capacity)
    if plan is None:
        return
    opened, closed = opened_by(plan)
    pick = max if question.sense == "max" else min
    for site, substitute, loss in zip(plan.chosen.tolist(), plan.next_best, plan.next_best_loss, strict=True):
        values = swaps(question, seconds, residents, fixed, opened, closed, site)
        if substitute >= 0:
            assert values[substitute] == pytest.approx(pick(values.values()), rel=1e-9)
            worse = plan.value - values[substitute] if question.sense == "max" else values[substitute] - plan.value
            assert loss == pytest.approx(worse, rel=1e-9, abs=1e-6)
            assert loss >= 0.0
        elif values:  # an empty place is as good
            rest = {other: way for other, way in opened.items() if other != site}
            assert allowed(question, fixed, rest, closed)
            assert value_of(question, seconds, residents, fixed, rest, closed) == pytest.approx(pick(values.values()))
        assert (substitute < 0) == np.isnan(loss)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_site_that_opens_makes_the_walks_shortest_after_those_before_it(seed):
    question, seconds, residents, fixed, plan = drawn(seed, ("shortest",), ("n_new", "priority", "budget"))
    if plan is None:
        return
    opened, closed = opened_by(plan)
    before, left = value_of(question, seconds, residents, fixed, {}, closed), dict(opened)
    for turn, (site, gain) in enumerate(zip(plan.chosen.tolist(), plan.gain.tolist(), strict=True)):
        so_far = {other: opened[other] for other in plan.chosen[:turn].tolist()}
        values = {
            other: value_of(question, seconds, residents, fixed, so_far | {other: way}, closed)
            for other, way in left.items()
        }
        assert values[site] == pytest.approx(min(values.values()), rel=1e-9, abs=1e-6)
        assert gain == pytest.approx(before - values[site], rel=1e-9, abs=1e-6)
        before = values[site]
        del left[site]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_site_that_opens_leaves_the_shortest_longest_walk(seed):
    question, seconds, residents, fixed, plan = drawn(seed, ("fairest",), ("n_new", "budget", "area_budget"))
    if plan is None:
        return
    opened, closed = opened_by(plan)
    left = dict(opened)
    for turn, site in enumerate(plan.chosen.tolist()):
        so_far = {other: opened[other] for other in plan.chosen[:turn].tolist()}
        found = {
            other: value_of(question, seconds, residents, fixed, so_far | {other: way}, closed)
            for other, way in left.items()
        }
        values = {other: np.inf if value is None else value for other, value in found.items()}
        assert values[site] == min(values.values())
        del left[site]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_gains_of_all_sites_are_all_that_the_plan_adds(seed):
    question, seconds, residents, fixed, plan = drawn(seed, ("most",), ("years", "tiers", "n_new", "priority"))
    if plan is None:
        return
    kept = Question(MostResidents(C8, question.objective.also), n_new=0, tiers=question.tiers)
    before = value_of(kept, seconds, residents, fixed, {}, ())
    opened = {site: (tier, 0) for site, (tier, _) in opened_by(plan)[0].items()}
    after = value_of(kept, seconds, residents, fixed, opened, ())
    assert plan.gain.sum() == pytest.approx(after - before, abs=1e-6)
    assert (np.diff(plan.decision.period) >= 0).all()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_why_another_site_is_not_chosen_is_the_best_that_one_swap_can_do(seed):
    without_capacity = tuple(name for name in CONDITIONS if "capacity" not in name and name != "moves")
    question, seconds, residents, fixed, plan = drawn(seed, OBJECTIVES, without_capacity)
    if plan is None:
        return
    opened, closed = opened_by(plan)
    tiers = range(1 if question.tiers is None else question.tiers.n)
    periods = range(question.n_years if question.itinerary is None else question.itinerary.days)
    for site in sorted(set(range(seconds.shape[1])) - set(fixed) - set(opened)):
        found = why_not(plan, walks_from(seconds), residents, site)
        values = []
        for leaves, *way in itertools.product([None, *opened], tiers, periods):
            tried = {other: was for other, was in opened.items() if other != leaves} | {site: tuple(way)}
            if affordable(question, tried) and allowed(question, fixed, tried, closed):
                values.append(value_of(question, seconds, residents, fixed, tried, closed))
        values = [value for value in values if value is not None]
        if np.isnan(found.value):
            assert not values
        else:
            assert found.value == pytest.approx((max if question.sense == "max" else min)(values), rel=1e-9, abs=1e-9)
            assert found.worse_by == pytest.approx(abs(found.value - plan.value), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_plan_does_better_in_any_one_year_than_that_years_own_bound(seed):
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    objective = str(rng.choice(["most", "shortest"]))
    names = ("years", *rng.choice(["cases", "capacity", "priority", "at_least"], 1).tolist())
    question = question_at_random(rng, objective, names, seconds.shape, fixed)
    try:
        plan = solve(question, walks_from(seconds), residents, fixed=fixed)
    except ConflictError:
        return
    assert plan.by_year.sum() == pytest.approx(plan.value)
    for year, bound in enumerate(plan.year_bounds):
        assert bound == pytest.approx(best(question, seconds, residents, fixed, year=year), rel=1e-9, abs=1e-9)


# ------------------------------------------------------------------------------------------ what cannot be met

# Rows are homes: the first two are near A, the third near B, the fourth 9.6 minutes from B, the fifth has no way.
HAMLET = [[60.0, -1.0], [100.0, 900.0], [-1.0, 200.0], [-1.0, 576.0], [-1.0, -1.0]]
FOLK = np.array([10.0, 20.0, 30.0, 37.0, 5.0])


def test_a_floor_out_of_reach_names_the_homes_the_nearest_walk_and_the_share_that_can_be_had():
    area = np.array([0, 0, 1, 1, 2])
    question = Question(FewestStations(C8), floors=(Floor(0.5, area=area),))
    with pytest.raises(ConflictError) as raised:
        solve(question, walks_from(HAMLET), FOLK)
    one, two = raised.value.conflicts
    assert (one.label.kind, one.label.index, one.homes.tolist(), one.residents) == ("floor", 1, [3], 37.0)
    assert one.nearest_s.tolist() == [576.0]
    assert one.possible == pytest.approx(30.0 / 67.0)
    assert (two.label.index, two.homes.tolist(), two.possible) == (2, [4], pytest.approx(0.0, abs=1e-6))
    assert np.isinf(two.nearest_s).all()
    assert "37 residents at 1 demand points reach no site, the nearest takes 576 s" in str(raised.value)


def test_homes_that_no_site_reaches_are_told_only_where_they_alone_keep_a_floor_from_being_met():
    few = np.array([10.0, 20.0, 30.0, 1.0, 1.0])
    for share, homes in ((0.9, []), (0.98, [3, 4])):
        with pytest.raises(ConflictError) as raised:
            solve(Question(MostResidents(C8), n_new=1, floors=(Floor(share),)), walks_from(HAMLET), few)
        floor = next(one for one in raised.value.conflicts if one.label.kind == "floor")
        assert floor.homes.tolist() == homes


def test_conditions_in_each_others_way_say_what_each_would_have_to_be():
    question = Question(
        MostResidents(C8),
        n_new=1,
        budget=Budget(np.array([1000.0, 2000.0]), total=9000.0),
        floors=(
            Floor(0.5, who=np.array([1.0, 1.0, 0.0, 0.0, 0.0])),
            Floor(1.0, who=np.array([0.0, 0.0, 2.0, 0.0, 0.0])),
        ),
    )
    with pytest.raises(ConflictError) as raised:
        solve(question, walks_from(HAMLET), FOLK)
    said = [(c.label.kind, c.label.floor, c.possible) for c in raised.value.conflicts]
    assert said == [
        ("n_new", -1, pytest.approx(2.0)),
        ("floor", 0, pytest.approx(0.0, abs=1e-6)),
        ("floor", 1, pytest.approx(0.0, abs=1e-6)),
    ]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_conflict_is_minimal_and_what_it_calls_possible_is(seed):
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    area = rng.integers(-1, 2, seconds.shape[0])
    who = rng.integers(0, 9, len(area)) * 1.0
    floors = (Floor(0.8, area=area), Floor(float(rng.choice([0.3, 0.9])), who=who))
    question = Question(FewestStations(C8), n_new=int(rng.integers(0, 3)), floors=floors)
    try:
        solve(question, walks_from(seconds), residents, fixed=fixed)
    except ConflictError as error:
        conflicts = error.conflicts
    else:
        return
    for conflict in conflicts:
        if conflict.label.kind == "n_new":
            assert best(replace(question, n_new=round(conflict.possible)), seconds, residents, fixed) is not None
            assert best(replace(question, n_new=round(conflict.possible) - 1), seconds, residents, fixed) is None
        elif len(conflicts) == 1 and conflict.label.floor == 1 and conflict.possible > 1e-6:
            lower, higher = (replace(floors[1], share=conflict.possible + by) for by in (-1e-7, 1e-7))
            assert best(replace(question, floors=(floors[0], lower)), seconds, residents, fixed) is not None
            assert best(replace(question, floors=(floors[0], higher)), seconds, residents, fixed) is None


# --------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(("one", "other"), [(one, other) for one, other, _ in SENSELESS if one != "also"])
def test_what_makes_no_sense_together_is_refused_by_name(one, other):
    rng = np.random.default_rng(1)
    objective = one if one in OBJECTIVES else "most"
    names = tuple(name for name in (one, other) if name in CONDITIONS)
    with pytest.raises(StudyError, match=f"{one} and {other} make no sense together"):
        question_at_random(rng, objective, names, (4, 3), [0])


def test_everything_wrong_with_a_question_is_said_at_once():
    with pytest.raises(StudyError) as raised:
        Question(
            MostResidents(0.0, also=(Standard(-1.0, tier=2),)),
            n_new=-1,
            budget=Budget(np.array([-1.0, 2.0]), by_area=np.array([1.0]), site_area=np.array([0, 1])),
            moves=Moves((1, 1), -1),
            at_least=AtLeast(0, np.array([0, 1])),
            floors=(Floor(1.5, who=np.array([-1.0]), of="nobody"),),
            tiers=Tiers(2, standing=np.array([0, 2])),
            capacity=Capacity(np.array([-1.0]), load=np.array([np.nan])),
            backup=2.0,
            cases=(Case((-1,)),),
            priority=np.array([np.inf]),
            itinerary=Itinerary(0, available=np.ones((2, 2), dtype=bool)),
        )
    rules = {breach.rule for breach in raised.value.breaches}
    assert rules >= {
        *("cutoff-positive", "n-new-whole", "cost-range", "budget-areas", "may-close-twice", "moves-whole"),
        *(
            "at-least-whole",
            "share-range",
            "floor-persons",
            "floor-of",
            "tiers-standing",
            "capacity-range",
            "load-range",
        ),
        *("backup-range", "out-of-service-rows", "priority-range", "itinerary-whole", "tier-unknown"),
        *("tiers-with-capacity", "backup-with-capacity", "itinerary-with-tiers", "itinerary-with-moves"),
    }


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        (lambda: Question(MostResidents(C8)), "no-limit"),
        (lambda: Question(FewestStations(C8)), "nothing-asked"),
        (lambda: Question(FairestWalks(), n_new=1, floors=(Floor(0.5),)), "floor-standards"),
        (lambda: Question(MostResidents(C8, also=(Standard(C15, 1),)), n_new=1), "tier-unknown"),
        (lambda: Question(MostResidents(C8), budget=Budget(np.ones((2, 3)), total=1.0)), "cost-tiers"),
        (lambda: Question(MostResidents(C8), budget=Budget(np.ones(3))), "budget-empty"),
        (lambda: Question(MostResidents(C8), budget=Budget(np.ones(3), by_year=(np.inf,))), "budget-range"),
        (
            lambda: Question(
                MostResidents(C8),
                n_new=1,
                capacity=Capacity(np.ones(3)),
                floors=(Floor(0.5, standards=(Standard(C15),)),),
            ),
            "floor-served",
        ),
    ],
)
def test_a_question_that_asks_too_little_or_at_cross_purposes_is_refused(asked, rule):
    with pytest.raises(StudyError) as raised:
        asked()
    assert [breach.rule for breach in raised.value.breaches] == [rule]


def test_numbers_that_do_not_fit_the_walks_are_listed_together():
    question = Question(
        MostResidents(C8),
        n_new=1,
        moves=Moves((1,), 1),
        priority=np.ones(4),
        capacity=Capacity(np.ones(3)),
        cases=(Case((7,)), Case(walks=walks_from([[1.0]]))),
    )
    with pytest.raises(SchemaError) as raised:
        solve(question, walks_from(HAMLET), FOLK, fixed=[0])
    rules = [breach.rule for breach in raised.value.breaches]
    assert rules == ["may-close-fixed", "one-per-site", "one-per-demand-point", "no-such-site", "case-walks"]


# ------------------------------------------------------------------------------------------- a checker that says no

TOWN = np.random.default_rng(5).choice([60.0, 300.0, 480.0, 700.0, 900.0, np.inf], (20, 6))
CROWD = np.random.default_rng(6).integers(1, 60, 20).astype(np.float64)
COST, AREA, HOMES = np.arange(1.0, 7.0), np.array([0, 0, 1, 1, 2, -1]), np.arange(20) % 3


def doing(plan, **changes):
    return {"decision": replace(plan.decision, **changes)}


def serving(plan, **changes):
    return doing(plan, allocation=replace(plan.decision.allocation, **changes))


@pytest.mark.parametrize(
    ("fields", "corrupt", "said"),
    [
        (
            {"budget": Budget(COST, total=9.0)},
            lambda p: {"question": asking(p, budget=Budget(COST, total=5.0))},
            "it spends",
        ),
        (
            {"budget": Budget(COST, by_area=np.array([2.0, 4.0, 5.0]), site_area=AREA)},
            lambda p: {"question": asking(p, budget=Budget(COST, by_area=np.zeros(3), site_area=AREA))},
            "in area",
        ),
        (
            {"budget": Budget(COST, by_year=(4.0, 5.0))},
            lambda p: doing(p, period=p.decision.period[::-1].copy()),
            "in year",
        ),
        ({"moves": Moves((0, 1), 2)}, lambda p: {"question": asking(p, moves=Moves((0, 1), 0))}, "moves are allowed"),
        (
            {"n_new": 3, "at_least": AtLeast(1, AREA)},
            lambda p: doing(p, chosen=np.array([2, 3, 5])) | {"next_best": np.full(3, -1)},
            "area 2 has 0 sites",
        ),
        (
            {"n_new": 1, "floors": (Floor(0.2, area=HOMES),)},
            lambda p: {"question": asking(p, floors=(Floor(1.0, area=HOMES),))},
            "less than a share of 1.0",
        ),
        ({"n_new": 2, "backup": 0.5}, lambda p: {"question": asking(p, backup=0.6)}, "value is"),
        ({"n_new": 2, "priority": CROWD}, lambda p: {"question": asking(p, priority=None)}, "value is"),
        ({"n_new": 1, "cases": (Case((0,)),)}, lambda p: {"question": asking(p, cases=())}, "today is"),
        (
            {"itinerary": Itinerary(1, days=2)},
            lambda p: doing(p, period=np.zeros(2, dtype=np.int64)),
            "it makes 2 stops a day",
        ),
        (
            {"itinerary": Itinerary(1, days=2)},
            lambda p: {"question": asking(p, itinerary=Itinerary(1, days=2, available=np.zeros((2, 6), dtype=bool)))},
            "no stop can be made",
        ),
        ({"n_new": 2, "capacity": Capacity(np.full(6, 50.0))}, lambda p: doing(p, allocation=None), "who is served"),
        (
            {"n_new": 2, "capacity": Capacity(np.full(6, 50.0))},
            lambda p: serving(p, part=p.decision.allocation.part * 2.0),
            "more than all",
        ),
        (
            {"n_new": 2, "capacity": Capacity(np.full(6, 50.0))},
            lambda p: {"question": asking(p, capacity=Capacity(np.full(6, 9.0)))},
            "takes on",
        ),
        (
            {"n_new": 2, "capacity": Capacity(np.full(6, 50.0))},
            lambda p: {"question": asking(p, capacity=Capacity(np.full(6, 50.0), split=False))},
            "splits a home",
        ),
        (
            {"n_new": 2, "capacity": Capacity(np.full(6, 50.0))},
            lambda p: serving(
                p, site=np.full_like(p.decision.allocation.site, next(iter({1, 2, 3, 4, 5} - {*p.sites})))
            ),
            "not in service",
        ),
        (
            {"n_new": 2, "capacity": Capacity(np.full(6, 50.0))},
            lambda p: serving(p, home=np.roll(p.decision.allocation.home, 1)),
            "beyond the cutoff|serves a home twice|takes on",
        ),
    ],
)
def test_a_plan_that_breaks_a_condition_fails_its_check(fields, corrupt, said):
    fixed = [0, 1] if "moves" in fields else [0]
    plan = solve(Question(MostResidents(C8), **fields), walks_from(TOWN), CROWD, fixed=fixed)
    check_plan(plan, walks_from(TOWN), CROWD)
    with pytest.raises(BoundError, match=said):
        check_plan(replace(plan, **corrupt(plan)), walks_from(TOWN), CROWD)


def asking(plan, **changes):
    return replace(plan.question, **changes)
