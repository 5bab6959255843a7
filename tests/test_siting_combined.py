"""Siting at the scale of a city under any conditions: plans and bounds that meet, found without trying everything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.siting import (
    AtLeast,
    Budget,
    Case,
    ConflictError,
    FewestStations,
    Floor,
    MostResidents,
    Moves,
    Question,
    Standard,
    Tiers,
    check_plan,
    combined,
    solve,
)
from lifecircle.siting.bounds import dual_bound
from lifecircle.siting.combined import search_bound, search_combined
from lifecircle.siting.effort import Effort
from lifecircle.siting.formulation import formulate
from lifecircle.siting.linear import of_year
from lifecircle.siting.parts import divisible, overrun, part_of, whole_of
from lifecircle.siting.prices import priced
from lifecircle.siting.search import search
from test_siting_engine import town

C8, C15 = 480.0, 900.0
EFFORT = Effort(work_limit=1e8)


@st.composite
def small_questions(draw):
    """A few sites and homes, and conditions of every kind, in any number together."""
    seed, n_sites, n_homes = draw(st.integers(0, 10**6)), draw(st.integers(2, 7)), draw(st.integers(1, 12))
    walks, people = town(seed, n_homes, n_sites, reach=draw(st.sampled_from([0.3, 0.8])))
    random = np.random.default_rng(seed)
    fixed = np.flatnonzero(random.random(n_sites) < 0.3)
    area = random.integers(0, 2, n_homes)
    chosen = draw(
        st.sets(
            st.sampled_from(["n_new", "tiers", "at_least", "floors", "moves", "backup", "cases", "years", "priority"])
        )
    )
    conditions = {}
    if "n_new" in chosen:
        conditions["n_new"] = draw(st.integers(0, 3))
    if "tiers" in chosen:
        conditions["tiers"] = Tiers(2, random.integers(0, 2, n_sites))
    if "at_least" in chosen:
        conditions["at_least"] = AtLeast(1, random.integers(0, 2, n_sites))
    if "floors" in chosen:
        share = draw(st.sampled_from([0.3, 0.6]))
        conditions["floors"] = (Floor(share, area=area, of="reachable"), Floor(0.2, who=people * (area == 0)))
    if "moves" in chosen and len(fixed):
        conditions["moves"] = Moves(tuple(fixed[:2].tolist()), 1)
    if "backup" in chosen:
        conditions["backup"] = 0.3
    if "cases" in chosen:
        other, _ = town(seed, n_homes, n_sites, reach=0.25)
        conditions["cases"] = (Case(), Case((int(random.integers(n_sites)),)), Case(walks=other))
    if "priority" in chosen:
        conditions["priority"] = random.uniform(0.0, 2.0, n_homes)
    years = {"by_year": (4.0, 3.0)} if "years" in chosen else {"total": 6.0}
    conditions["budget"] = Budget(random.integers(1, 5, n_sites).astype(float), **years)
    objective = MostResidents(C8, also=(Standard(C15, tier=1),) if "tiers" in chosen else ())
    return Question(objective, **conditions), walks, people, fixed


def value_of_columns(form, columns):
    return form.sign * (form.offset + float(form.objective @ columns))


@given(small_questions())
@settings(max_examples=25, deadline=None)
def test_a_search_by_rounds_finds_and_proves_what_trying_all_finds(small):
    question, walks, people, fixed = small
    form = formulate(question, walks, people, fixed)
    if not form.n_options or not form.n_counts:
        return
    assert divisible(form)
    exact, found = search(form), search_combined(form, EFFORT)
    assert found.infeasible <= exact.infeasible
    if exact.columns is None:
        assert found.columns is None
        return
    best = value_of_columns(form, exact.columns)
    assert found.bound >= best - 1e-6 * (1.0 + abs(best))
    if found.columns is not None:
        value = value_of_columns(form, found.columns)
        assert value <= best + 1e-6 * (1.0 + abs(best))
        assert not overrun(form.side, found.columns).any()
        if found.ended == "proven":
            assert value == pytest.approx(best, rel=1e-6, abs=1e-6)


@given(small_questions(), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_plan_of_a_part_is_worth_what_it_is_worth_in_the_whole(small, seed):
    question, walks, people, fixed = small
    form = formulate(question, walks, people, fixed)
    if not form.n_options or not form.n_counts:
        return
    whole, random = whole_of(form), np.random.default_rng(seed)
    free = random.random(form.n_options) < 0.6
    opened = random.random(form.n_options) < 0.4
    part = part_of(whole, np.flatnonzero(free), np.flatnonzero(opened & ~free))
    columns = whole.columns(opened)
    if not part.form.n_counts:
        return
    in_part = whole_of(part.form).columns(opened[free])
    assert value_of_columns(part.form, in_part) == pytest.approx(value_of_columns(form, columns), abs=1e-6)
    assert overrun(part.form.side, in_part).sum() == pytest.approx(overrun(form.side, columns).sum(), abs=1e-6)


@given(small_questions(), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_multipliers_found_anyhow_prove_the_same_bound_by_code_apart(small, seed):
    question, walks, people, fixed = small
    form = formulate(question, walks, people, fixed)
    if not form.n_options or not form.n_counts:
        return
    random = np.random.default_rng(seed)
    links, side = random.exponential(20.0, len(form.links)), random.exponential(5.0, len(form.side))
    found = priced(whole_of(form), links, side)
    assert form.sign * found.bound == pytest.approx(dual_bound(form, links, found.side, np.empty(0)), rel=1e-9)
    assert found.bound <= form.sign * dual_bound(form, links, side, np.empty(0)) + 1e-6


def city(seed=3):
    """A town large enough for rounds to matter, with conditions of many kinds."""
    walks, people = town(seed, 400, 60, reach=0.12)
    random = np.random.default_rng(seed)
    fixed = np.arange(6)
    cost = np.stack([random.integers(1, 4, 60), random.integers(4, 7, 60)]).astype(float)
    question = Question(
        MostResidents(C8, also=(Standard(C15, tier=1),)),
        n_new=12,
        tiers=Tiers(2, np.zeros(60, dtype=np.int64)),
        budget=Budget(cost, total=36.0),
        moves=Moves((0, 1, 2), 2),
        at_least=AtLeast(1, np.arange(60) % 4),
        floors=(Floor(0.2, area=np.arange(400) % 3, of="reachable"),),
        backup=0.2,
        priority=random.uniform(1.0, 2.0, 400),
    )
    return question, walks, people, fixed


@pytest.fixture
def always_by_rounds(monkeypatch):
    """However small a question is, it is answered as a large one."""
    monkeypatch.setattr(combined, "LARGE", 0)


def test_all_conditions_together_are_met_within_two_per_cent(always_by_rounds):
    question, walks, people, fixed = city()
    plan = solve(question, walks, people, fixed=fixed, work_limit=3e8)
    check_plan(plan, walks, people)
    assert plan.gap <= 0.02


def test_the_same_work_gives_the_same_plan(always_by_rounds):
    question, walks, people, fixed = city()
    plans = [solve(question, walks, people, fixed=fixed, work_limit=5e7) for _ in range(2)]
    assert plans[0].chosen.tolist() == plans[1].chosen.tolist()
    assert plans[0].bound == plans[1].bound


@pytest.mark.parametrize("most_entries", [0, 400, 10**6])
def test_what_the_solver_makes_of_the_options_that_are_left_crosses_no_bound(
    always_by_rounds, monkeypatch, most_entries
):
    walks, people = town(8, 300, 60, reach=0.15)
    form = formulate(Question(MostResidents(C8), n_new=8, backup=0.3), walks, people, np.empty(0, dtype=np.int64))
    best = search(form)
    monkeypatch.setattr(combined, "MOST_ENTRIES", most_entries)
    monkeypatch.setattr(combined, "PATIENCE", 2)
    found = search_combined(form, Effort())
    value = form.offset + float(form.objective @ found.columns)
    assert value <= best.bound + 1e-6 <= found.bound + 2e-6
    assert most_entries < 10**6 or (found.ended == "proven" and value == pytest.approx(best.bound))


def test_rounds_that_end_where_the_first_part_of_the_work_is_done_have_a_plan(always_by_rounds, monkeypatch):
    walks, people = town(9, 300, 60, reach=0.15)
    form = formulate(Question(MostResidents(C8), n_new=8, backup=0.3), walks, people, np.empty(0, dtype=np.int64))
    monkeypatch.setattr(combined, "MOST_ENTRIES", 0)
    monkeypatch.setattr(combined, "PATIENCE", 2)
    every = list(combined.rounds(form))
    found = search_combined(form, Effort(work_limit=every[-1].work / combined.MOSTLY))
    assert found.columns is not None
    assert found.ended == "stuck"


def test_every_year_has_a_bound_of_its_own(always_by_rounds):
    walks, people = town(5, 300, 40, reach=0.12)
    question = Question(MostResidents(C8), budget=Budget(np.ones(40), by_year=(3.0, 2.0, 2.0)))
    plan = solve(question, walks, people, work_limit=3e8)
    form = formulate(question, walks, people, np.empty(0, dtype=np.int64))
    for year, (value, bound) in enumerate(zip(plan.by_year, plan.year_bounds, strict=True)):
        alone = of_year(form, year)
        best = search(alone).bound
        assert value <= best * (1.0 + 1e-9) <= bound * (1.0 + 1e-6)
        assert search_bound(alone, EFFORT).bound >= best * (1.0 - 1e-9)


def test_a_floor_that_no_plan_reaches_is_refused_by_name(always_by_rounds):
    walks, people = town(2, 200, 30, reach=0.05)
    with pytest.raises(ConflictError):
        solve(Question(MostResidents(C8), n_new=2, floors=(Floor(0.99),)), walks, people, work_limit=1e8)


def test_stations_are_counted_in_whole_numbers(always_by_rounds):
    walks, people = town(4, 60, 15, reach=0.3)
    question = Question(FewestStations(C8), floors=(Floor(0.6, area=np.arange(60) % 3, of="reachable"),))
    plan = solve(question, walks, people, work_limit=1e8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combined, "LARGE", 10**9)
        assert plan.value == solve(question, walks, people).value == plan.bound


def test_the_order_of_the_sites_does_not_change_the_value(always_by_rounds):
    walks, people = town(6, 50, 12, reach=0.3)
    question = Question(MostResidents(C8), n_new=3, backup=0.5)
    order = np.random.default_rng(1).permutation(12)
    lengths = np.diff(walks.indptr)[order]
    entries = np.concatenate([np.arange(walks.indptr[row], walks.indptr[row + 1]) for row in order])
    turned = replace(
        walks,
        indptr=np.append(0, np.cumsum(lengths)),
        indices=walks.indices[entries],
        seconds=walks.seconds[entries],
    )
    values = [solve(question, some, people, work_limit=1e8).value for some in (walks, turned)]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
