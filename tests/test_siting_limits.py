"""What a search may spend is what all of its parts spend together, and Ctrl-C ends them all."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lifecircle import open_study, site
from lifecircle.errors import InfeasibleError
from lifecircle.scenarios import answer
from lifecircle.siting import (
    Budget,
    ConflictError,
    FairestWalks,
    Floor,
    MostResidents,
    Question,
    answers,
    center,
    combined,
    infeasible,
    median_search,
    solve,
    solver,
)
from lifecircle.siting.combined import search_any, search_combined
from lifecircle.siting.effort import UNLIMITED, Effort
from lifecircle.siting.formulation import formulate
from lifecircle.siting.parts import whole_of
from lifecircle.siting.prices import priced, refuting
from lifecircle.siting.search import Found, search
from test_scenarios import WALKING, asked, write_town
from test_siting_combined import small_questions
from test_siting_engine import town
from tiny import STUDY

C8 = 480.0
NOBODY_STANDS = np.empty(0, dtype=np.int64)


@pytest.fixture
def always_by_rounds(monkeypatch):
    """However small a question is, it is answered as a large one."""
    monkeypatch.setattr(combined, "LARGE", 0)


@pytest.fixture
def impossible():
    """A town, and a question with conditions in each other's way."""
    walks, people = town(2, 200, 30, reach=0.15)
    area = np.arange(200) % 3
    return Question(MostResidents(C8), n_new=2, floors=(Floor(0.6, area=area, of="reachable"),)), walks, people


class Watched:
    """A search that notes what it may spend and does, and may be told to end otherwise than it does."""

    def __init__(self, monkeypatch, module, **changes):
        self.limits, self.spent, self.changes = [], [], changes
        monkeypatch.setattr(module, "search", self)

    def __call__(self, form, effort, **others):
        found = replace(search(form, effort, **others), **self.changes)
        self.limits.append(effort.work_limit)
        self.spent.append(found.work)
        return found

    def keeps(self, work_limit):
        """Whether each search was given no more than those before it left."""
        before = np.cumsum([0.0, *self.spent[:-1]])
        given = [
            limit is not None and limit <= max(0.0, work_limit - b)
            for limit, b in zip(self.limits, before, strict=True)
        ]
        return bool(given) and all(given)


def years(n_homes=80, n_sites=20):
    walks, people = town(5, n_homes, n_sites, reach=0.12)
    return Question(MostResidents(C8), budget=Budget(np.ones(n_sites), by_year=(2.0, 2.0, 2.0))), walks, people


def fairest():
    """A town whose longest walk is to be short, under a budget: only the solver answers that."""
    walks, people = town(5, 60, 14, reach=0.5)
    return Question(FairestWalks(), budget=Budget(np.arange(14) % 3 + 1.0, total=5.0)), walks, people


# ------------------------------------------------------------------------------------- why there is no plan


def test_saying_why_there_is_no_plan_ends_though_no_search_for_it_comes_to_an_end(monkeypatch, impossible):
    question, walks, people = impossible
    form = formulate(question, walks, people, NOBODY_STANDS)
    Watched(monkeypatch, infeasible, columns=None, infeasible=False, ended="time")
    error = infeasible.infeasible(question, walks, people, NOBODY_STANDS, form, Effort(work_limit=0.0))
    assert not error.minimal
    assert [conflict.label for conflict in error.conflicts] == list(form.labels)
    assert all(math.isnan(conflict.possible) for conflict in error.conflicts)
    assert "ended before it was known" in str(error)


def test_saying_why_there_is_no_plan_takes_no_more_than_is_left_for_it(monkeypatch, impossible):
    question, walks, people = impossible
    form = formulate(question, walks, people, NOBODY_STANDS)
    monkeypatch.setattr(infeasible, "LEAST_WORK", 1e5)
    watched = Watched(monkeypatch, infeasible)
    error = infeasible.infeasible(question, walks, people, NOBODY_STANDS, form, Effort(work_limit=0.0))
    assert watched.keeps(1e5)
    assert error.conflicts


def test_who_interrupts_saying_why_is_told_what_is_known_by_then(monkeypatch, impossible):
    question, walks, people = impossible
    watched = Watched(monkeypatch, infeasible, ended="interrupted")
    with pytest.raises(ConflictError) as raised:
        solve(question, walks, people)
    assert len(watched.spent) == 1
    assert not raised.value.minimal


def test_who_interrupts_saying_why_before_anything_is_found_is_told_what_is_known(monkeypatch, impossible):
    def pressed(*_):
        raise KeyboardInterrupt

    question, walks, people = impossible
    form = formulate(question, walks, people, NOBODY_STANDS)
    monkeypatch.setattr(infeasible, "search", pressed)
    error = infeasible.infeasible(question, walks, people, NOBODY_STANDS, form, UNLIMITED)
    assert (error.minimal, len(error.conflicts)) == (False, len(form.labels))


def test_a_study_is_told_that_the_search_for_the_reason_was_cut_short(monkeypatch, tmp_path):
    study = open_study(write_town(tmp_path))
    Watched(monkeypatch, infeasible, ended="interrupted")
    with pytest.raises(InfeasibleError, match="the search ended before it was known if fewer can"):
        site(study, scenario="everybody in four")


def test_a_city_is_told_the_same_conflict_as_a_village(monkeypatch, impossible):
    question, walks, people = impossible
    with pytest.raises(ConflictError) as exact:
        solve(question, walks, people)
    monkeypatch.setattr(combined, "LARGE", 0)
    with pytest.raises(ConflictError) as by_rounds:
        solve(question, walks, people, work_limit=3e9)
    assert exact.value.minimal
    assert by_rounds.value.minimal
    village, city = ({c.label: c.possible for c in raised.value.conflicts} for raised in (exact, by_rounds))
    assert village.keys() == city.keys()
    assert {label.kind for label in village} == {"n_new", "floor"}
    for label, possible in village.items():
        if label.kind == "n_new":
            assert possible <= city[label] <= 1.1 * possible
        else:  # as two new stations are too few for the other floors
            assert math.isnan(possible)
            assert math.isnan(city[label])


@given(small_questions(), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_no_multipliers_refute_what_has_a_plan(small, seed):
    question, walks, people, fixed = small
    form = formulate(question, walks, people, fixed)
    plain = replace(form, objective=np.zeros(form.n_columns))
    assume(form.n_options and form.n_counts and not search(plain).infeasible)
    random, whole = np.random.default_rng(seed), whole_of(form)
    for scale in (0.1, 1.0, 100.0):
        links, side = random.exponential(20.0, len(form.links)), scale * random.exponential(5.0, len(form.side))
        found = refuting(whole, priced(whole, links, side))
        assert found.bound >= -1e-6 * float(found.side.sum())
    assert not search_any(form, Effort(work_limit=1e7)).infeasible


@given(small_questions())
@settings(max_examples=12, deadline=None)
def test_what_is_refuted_by_rounds_has_no_plan_and_neither_have_the_conditions_that_say_so(small):
    question, walks, people, fixed = small
    harder = Floor(0.9, who=people + 1.0)
    form = formulate(replace(question, floors=(*question.floors, harder), n_new=1), walks, people, fixed)
    plain = replace(form, objective=np.zeros(form.n_columns))
    assume(form.n_options and form.n_counts and search(plain).infeasible)
    told = search_any(form, Effort(work_limit=1e7))
    assert told.columns is None
    assume(told.infeasible)
    assert search(infeasible._restricted(plain, told.rows)).infeasible


# ------------------------------------------------------------------------------------------ one limit for all


def test_the_bounds_of_the_years_take_what_the_plan_leaves(monkeypatch):
    question, walks, people = years()
    first, then = Watched(monkeypatch, answers), Watched(monkeypatch, solver)
    plan = solve(question, walks, people, work_limit=1e7)
    assert first.keeps(1e7)
    assert then.keeps(1e7 - sum(first.spent))
    assert plan.value <= plan.bound


def test_who_interrupts_the_bounds_of_the_years_gets_the_plan_at_once(monkeypatch):
    question, walks, people = years()
    watched = Watched(monkeypatch, solver, ended="interrupted")
    plan = solve(question, walks, people)
    assert len(watched.spent) == 1
    assert (plan.by_year <= plan.year_bounds + 1e-9).all()


def test_who_interrupts_the_bounds_of_the_years_of_a_city_before_there_is_one_gets_the_plan(
    monkeypatch, always_by_rounds
):
    def pressed(*_):
        raise KeyboardInterrupt

    question, walks, people = years()
    monkeypatch.setattr(solver, "search_bound", pressed)
    plan = solve(question, walks, people, work_limit=1e6)
    assert (plan.by_year <= plan.year_bounds + 1e-9).all()
    assert np.isfinite(plan.year_bounds).all()


def test_no_plan_is_said_to_allow_more_than_its_years_together(monkeypatch):
    question, walks, people = years()
    Watched(monkeypatch, answers, bound=math.inf)
    plan = solve(question, walks, people)
    assert plan.value <= plan.bound <= plan.year_bounds.sum() + 1e-9
    assert plan.gap < 0.2


def test_every_length_of_the_longest_walk_takes_what_those_before_it_leave(monkeypatch):
    question, walks, people = fairest()
    watched = Watched(monkeypatch, answers)
    solve(question, walks, people, work_limit=1e7)
    assert len(watched.spent) > 1
    assert watched.keeps(1e7)


def test_a_length_that_spends_all_work_is_the_last_one_looked_at(monkeypatch):
    question, walks, people = fairest()
    watched = Watched(monkeypatch, answers, work=1e9)
    plan = solve(question, walks, people, work_limit=1.5e9)
    assert (len(watched.spent), plan.ended) == (2, "work")
    assert 0.0 <= plan.bound < plan.value


def test_who_interrupts_the_first_length_gets_its_plan(monkeypatch):
    question, walks, people = fairest()
    watched = Watched(monkeypatch, answers, ended="interrupted")
    plan = solve(question, walks, people)
    assert (len(watched.spent), plan.ended) == (1, "interrupted")


def test_a_length_that_the_solver_is_asked_about_takes_what_is_left(monkeypatch):
    monkeypatch.setattr(center, "POSITIVE", math.inf)  # so that no bound tells which lengths are too short
    monkeypatch.setattr(median_search, "PATIENCE", 1)
    walks, people = town(1, 60, 12, reach=0.3)
    watched = Watched(monkeypatch, center)
    found = center.search_center(
        Question(FairestWalks(), n_new=3), walks, people, NOBODY_STANDS, Effort(work_limit=1e9)
    )
    assert found.feasible
    assert watched.keeps(1e9)
    assert min(watched.limits) - watched.spent[-1] >= 1e9 - found.work
    assert max(watched.limits) < 1e9


def test_a_search_by_rounds_that_somebody_interrupts_has_a_plan_and_a_bound(always_by_rounds):
    walks, people = town(6, 400, 60, reach=0.12)
    form = formulate(Question(MostResidents(C8), n_new=6, backup=0.3), walks, people, NOBODY_STANDS)
    told = []

    def enough(value, bound, seconds):
        told.append((value, bound))
        raise KeyboardInterrupt

    found = search_combined(form, Effort.of(report=enough))
    assert (found.ended, len(told)) == ("interrupted", 1)
    assert form.offset + float(form.objective @ found.columns) == pytest.approx(told[0][0])
    assert told[0][0] <= found.bound == pytest.approx(told[0][1])


def test_a_search_by_rounds_ends_with_the_round_in_which_its_work_is_done(always_by_rounds):
    walks, people = town(6, 400, 60, reach=0.12)
    form = formulate(Question(MostResidents(C8), n_new=6, backup=0.3), walks, people, NOBODY_STANDS)
    found = search_combined(form, Effort(work_limit=1.0))
    assert (found.ended, found.work) == ("work", next(combined.rounds(form)).work)


def test_walks_that_go_farther_and_farther_share_the_time_of_their_scenario(tmp_path, monkeypatch):
    own = '\n[service]\neligible = "community"\n'
    ask = asked({"b": 'question = "fairest"\ncircle = "4"\nmax_moves = 1'})
    study = open_study(write_town(tmp_path, STUDY + WALKING + own + ask))
    clock_s, limits_s, told = [0.0], [], []

    def why(*arguments, **others):
        told.append(arguments)
        return infeasible.infeasible(*arguments, **others)

    def slow(*arguments, time_limit_s, **others):
        limits_s.append(time_limit_s)
        clock_s[0] += 4.0
        return solve(*arguments, **others)

    monkeypatch.setattr(answer, "monotonic", lambda: clock_s[0])
    monkeypatch.setattr(answer, "solve", slow)
    monkeypatch.setattr(answers, "infeasible", why)
    with pytest.raises(InfeasibleError):
        site(study, scenario="b", time_limit_s=10.0)
    assert limits_s == [10.0, 6.0, 2.0, 0.0]
    assert len(told) == 1  # why not is asked of the longest walks alone


def test_no_limit_is_none():
    assert UNLIMITED.over is None
    assert UNLIMITED.less(1e9) == UNLIMITED.at_least(time_s=5.0, work=1.0) == UNLIMITED
    assert Effort(work_limit=3.0).less(4.0).over == "work"
    assert Effort.of(time_limit_s=0.0).over == "time"
    assert Effort.of(time_limit_s=0.0).at_least(time_s=60.0, work=1.0).over is None
    assert Found(None, 0.0).work == 0.0
