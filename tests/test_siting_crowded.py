"""Where there are more residents than places: a first plan and a bound, without a search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from lifecircle.model import Walks
from lifecircle.siting import (
    Budget,
    Capacity,
    MostResidents,
    Question,
    ShortestWalks,
    answers,
    check_plan,
    crowded,
    solve,
    solver,
)
from lifecircle.siting.answers import decision_of
from lifecircle.siting.check import shortfalls_of
from lifecircle.siting.crowded import Crowd, crowd_of, crowded_bound, first_columns, reallocated
from lifecircle.siting.effort import UNLIMITED
from lifecircle.siting.formulation import formulate
from lifecircle.siting.recount import value_of
from lifecircle.siting.standing import served_as_it_stands
from siting_oracle import best
from test_siting_engine import town
from test_siting_questions import conditions_from, village, walks_from

C8 = 480.0


@st.composite
def small_crowds(draw):
    """A village with too few places, some sites standing, a number of new ones or money for them, and years or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seconds, residents, fixed = village(rng)
    fields = conditions_from(rng, draw(st.sampled_from(["capacity", "whole_capacity"])), seconds.shape, fixed)
    for name in draw(st.sampled_from([("n_new",), ("budget",), ("years",), ("n_new", "moves"), ("n_new", "priority")])):
        fields |= conditions_from(rng, name, seconds.shape, fixed)
    objective = draw(st.sampled_from([MostResidents(C8), ShortestWalks(900.0)]))
    return Question(objective, **fields), seconds, residents, fixed


@given(small_crowds())
@settings(max_examples=12, deadline=None)
def test_the_first_plan_keeps_all_limits_and_the_bound_is_beyond_every_plan(small):
    question, seconds, residents, fixed = small
    walks, capacity = walks_from(seconds), question.capacity
    form = formulate(question, walks, residents, np.array(fixed, dtype=np.int64))
    crowd = Crowd(form, capacity.limit, residents if capacity.load is None else capacity.load, capacity.split)
    decision = decision_of(form, first_columns(crowd), question, np.array(fixed, dtype=np.int64))
    assert not list(shortfalls_of(question, walks, residents, decision))
    value, bound = value_of(question, walks, residents, decision), crowded_bound(crowd)
    expected = best(question, seconds, residents, fixed)
    slack = 1e-9 * max(1.0, abs(expected))
    low, high = (value, bound) if question.sense == "max" else (bound, value)
    assert low - slack <= expected <= high + slack


@pytest.fixture
def crowded_town():
    """A town whose ten new stations have room for half of it."""
    walks, people = town(3, 1500, 120, reach=0.2)
    return walks, people, np.full(120, 0.05 * people.sum())


def test_a_town_with_too_few_places_fills_them_all_with_proof(crowded_town):
    walks, people, room = crowded_town
    plan = solve(Question(MostResidents(C8), n_new=10, capacity=Capacity(room)), walks, people)
    assert (plan.status, len(plan.chosen)) == ("optimal", 10)
    assert plan.value == pytest.approx(0.5 * people.sum())


def test_a_city_with_too_few_places_has_a_plan_and_a_bound_though_no_solver_could_tell(monkeypatch, crowded_town):
    walks, people, room = crowded_town
    monkeypatch.setattr(crowded, "MOST_SERVED", 0)
    monkeypatch.setattr(answers, "search", None)
    question = Question(MostResidents(C8), n_new=10, capacity=Capacity(room, split=False))
    plan = solve(question, walks, people)
    check_plan(plan, walks, people)
    assert plan.ended == "stuck"
    assert 0.0 < plan.gap <= 0.01


def test_the_years_of_a_city_with_too_few_places_have_bounds_though_no_solver_could_tell(monkeypatch, crowded_town):
    walks, people, room = crowded_town
    monkeypatch.setattr(crowded, "MOST_SERVED", 0)
    monkeypatch.setattr(answers, "search", None)
    monkeypatch.setattr(solver, "search", None)
    by_year = Budget(np.ones(120), by_year=(4.0, 4.0))
    plan = solve(Question(MostResidents(C8), budget=by_year, capacity=Capacity(room, split=False)), walks, people)
    assert 0.0 <= plan.gap <= 0.01
    assert (plan.year_bounds <= 1.01 * plan.by_year).all()


def test_money_for_less_opens_no_site_beyond_it(crowded_town):
    walks, people, room = crowded_town
    cost = 1.0 + np.arange(120) % 3
    asked = Question(MostResidents(C8), budget=Budget(cost, total=12.0), capacity=Capacity(room))
    form = formulate(asked, walks, people, np.empty(0, dtype=np.int64))
    columns = first_columns(Crowd(form, room, people, split=True))
    assert cost[columns[:120] > 0.5].sum() <= 12.0


def test_where_sites_stand_in_each_others_way_the_most_find_a_place():
    """The greedy plan gives the first site homes that only it can take, and others that the second alone could not."""
    seconds = np.array([60.0, 60.0, 60.0])
    walks = Walks(np.array([0, 2, 3]), np.array([0, 1, 0], dtype=np.int32), seconds, 2)
    people = np.array([10.0, 10.0])
    question = Question(MostResidents(480.0), n_new=0, capacity=Capacity(np.array([10.0, 10.0]), split=True))
    plan = solve(question, walks, people, fixed=[0, 1])
    assert (plan.value, plan.status) == (20.0, "optimal")


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_a_flow_gives_places_to_as_many_as_a_linear_programme_does(seed):
    random = np.random.default_rng(seed)
    n_sites, n_homes = 6, 30
    near = random.random((n_sites, n_homes)) < 0.3
    site, home = np.nonzero(near)
    indptr = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    walks = Walks(indptr, home.astype(np.int32), np.full(len(home), 60.0), n_homes)
    people = random.integers(0, 50, n_homes).astype(np.float64)
    room = random.integers(20, 200, n_sites).astype(np.float64)
    fixed = np.arange(4)
    question = Question(MostResidents(480.0), n_new=1, capacity=Capacity(room, split=True))
    form = formulate(question, walks, people, fixed)
    crowd = crowd_of(question, people, form)
    assert crowd.is_flow
    opened = np.zeros(form.n_options, dtype=bool)
    opened[:1] = True
    part = reallocated(crowd, opened, UNLIMITED)
    sites = [*fixed, *form.options.site[opened]]
    able = np.isin(site, sites)
    served = np.bincount(home[able], minlength=n_homes)
    rows = [np.where(home[able] == h, 1.0, 0.0) for h in np.flatnonzero(served)]
    rows += [np.where(site[able] == s, people[home[able]], 0.0) for s in sites]
    limits = [1.0] * int((served > 0).sum()) + [room[s] for s in sites]
    best = -linprog(-people[home[able]], A_ub=np.array(rows), b_ub=limits, bounds=(0.0, 1.0)).fun if able.any() else 0.0
    assert crowd.worth @ part == pytest.approx(best, abs=1e-6)


@given(small_crowds())
@settings(max_examples=12, deadline=None)
def test_whom_the_sites_that_stand_serve_is_what_a_plan_without_new_ones_could(small):
    question, seconds, residents, fixed = small
    capacity, standing = question.capacity, np.array(fixed, dtype=np.int64)
    found = served_as_it_stands(capacity, walks_from(seconds), residents, standing, cutoff_s=C8)
    most = best(Question(MostResidents(C8), n_new=0, capacity=capacity), seconds, residents, fixed)
    assert found <= most + 1e-6
    if capacity.split and capacity.load is None:
        assert found == pytest.approx(most, abs=1e-6)
    if not fixed:
        assert found == 0.0
