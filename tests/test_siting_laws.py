"""What holds of every siting question, whatever is asked, in which order, and however soon the search ends."""

import ast
import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.errors import BoundError, InfeasibleError, LifecircleError
from lifecircle.siting import (
    Allocation,
    Decision,
    FairestWalks,
    MostResidents,
    Question,
    ShortestWalks,
    Standard,
    audit,
    check,
    combined,
    median_search,
    reachable,
    recount,
    solve,
)
from siting_oracle import best
from test_siting_median import longest_by, small_centers
from test_siting_median import town as town_of_walks
from test_siting_questions import CONDITIONS, OBJECTIVES, question_at_random, sensible, village, walks_from

WORK = st.sampled_from([0.0, 1.0, 1e3, 1e5, 1e6, 1e7])


def asked(seed):
    """A village and a question with up to three conditions."""
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    while True:
        objective = str(rng.choice(OBJECTIVES))
        names = tuple(rng.choice(CONDITIONS, int(rng.integers(0, 4)), replace=False).tolist())
        if sensible(objective, names):
            return question_at_random(rng, objective, names, seconds.shape, fixed), seconds, residents, fixed


def any_decision(rng, question, n_homes, n_sites, fixed):
    """Sites that open and close at random, whatever the conditions say, and who is served where under a capacity."""
    free = np.setdiff1d(np.arange(n_sites), fixed)
    chosen = free[rng.random(len(free)) < 0.6]
    periods = question.n_years if question.itinerary is None else question.itinerary.days
    allocation = None
    if question.capacity is not None:
        n = int(rng.integers(0, 9))
        draws = (rng.integers(0, most, n) for most in (n_homes, n_sites, len(question.happenings), question.n_years))
        allocation = Allocation(*draws, rng.random(n) / 9.0)
    return Decision(
        fixed=np.array(fixed, dtype=np.int64),
        closed=np.array([site for site in question.may_close if rng.random() < 0.5], dtype=np.int64),
        chosen=chosen,
        tier=rng.integers(0, question.n_tiers, len(chosen)),
        period=rng.integers(0, periods, len(chosen)),
        allocation=allocation,
    )


# ------------------------------------------------------------------------------------------- an independent check


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_two_ways_of_counting_agree_on_every_decision_good_or_bad(seed):
    question, seconds, residents, fixed = asked(seed)
    rng, walks = np.random.default_rng(seed), walks_from(seconds)
    decision = any_decision(rng, question, *seconds.shape, fixed)
    one, other = (way.values_by_year(question, walks, residents, decision) for way in (recount, audit))
    assert one == pytest.approx(other, rel=1e-12, abs=1e-9)
    standards = question.objective.standards or (Standard(480.0),)
    for case in range(len(question.happenings)):
        by_all = audit.best_day_of(question, walks, decision.fixed, case).times(standards) > 0
        assert (by_all == reachable(question, walks, decision.fixed, standards, case)).all()


def test_the_check_uses_nothing_of_the_search():
    words = {"audit", "conditions", "plan", "questions", "model", "errors"}
    for module in (audit, check):
        lines = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)]
        ours = {line.module.rpartition(".")[2] for line in lines if line.module.startswith("lifecircle")}
        assert ours <= words


# ---------------------------------------------------------------------- bounds and values, however soon it ends


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), work_limit=WORK, rounds=st.booleans())
def test_the_best_plan_lies_between_value_and_bound_however_soon_the_search_ends(seed, work_limit, rounds):
    question, seconds, residents, fixed = asked(seed)
    expected = best(question, seconds, residents, fixed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combined, "LARGE", 0 if rounds else combined.LARGE)
        try:
            plan = solve(question, walks_from(seconds), residents, fixed=fixed, work_limit=work_limit)
        except InfeasibleError:
            assert expected is None or question.objective.name == "fewest"
            return
        except LifecircleError as error:
            assert "before a first plan was found" in str(error)  # noqa: PT017
            return
    slack = 1e-9 * max(1.0, abs(expected))
    below, above = (plan.value, plan.bound) if question.sense == "max" else (plan.bound, plan.value)
    assert below - slack <= expected <= above + slack
    assert (plan.status == "optimal") == (plan.gap == 0.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), work_limits=st.tuples(WORK, WORK), rounds=st.booleans())
def test_no_order_of_homes_and_sites_has_a_plan_beyond_the_bound_of_another(seed, work_limits, rounds):
    rng = np.random.default_rng(seed)
    seconds, residents, fixed = village(rng)
    homes, sites = (rng.permutation(n) for n in seconds.shape)
    place = np.argsort(sites)
    backup = float(rng.choice([0.0, 0.5]))
    for objective in (MostResidents(480.0), ShortestWalks(900.0), FairestWalks()):
        question = Question(objective, n_new=2, backup=backup if objective.name == "most" else 0.0)
        other = walks_from(seconds[np.ix_(homes, sites)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(combined, "LARGE", 0 if rounds else combined.LARGE)
            try:
                one = solve(question, walks_from(seconds), residents, fixed=fixed, work_limit=work_limits[0])
                two = solve(
                    question, other, residents[homes], fixed=place[fixed].astype(int), work_limit=work_limits[1]
                )
            except LifecircleError:
                continue
        sign = 1.0 if question.sense == "max" else -1.0
        for plan, bound in ((one, two.bound), (two, one.bound)):
            assert sign * plan.value <= sign * bound + 1e-9 * max(1.0, abs(bound))
        if one.status == two.status == "optimal":
            assert one.value == pytest.approx(two.value, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(small_centers(), WORK)
def test_no_plan_of_so_many_sites_has_a_longest_walk_below_the_bound(small, work_limit):
    question, walks, people, fixed = small
    free = np.setdiff1d(np.arange(walks.n_facilities), fixed)
    plans = itertools.combinations(free, min(question.n_new, len(free)))
    shortest_s = min(longest_by(walks, people, [*fixed, *plan]) for plan in plans)
    try:
        plan = solve(question, walks, people, fixed=fixed, work_limit=work_limit)
    except LifecircleError:
        return
    assert plan.bound <= shortest_s <= plan.value


def test_a_bound_beyond_the_value_is_a_defect_that_is_told(monkeypatch):
    def boastful(median, opened, value, *_):
        return opened, value * (1.0 + 1e-6), "proven", 0.0

    monkeypatch.setattr(median_search, "finished", boastful)
    monkeypatch.setattr(median_search, "PATIENCE", 0)
    walks, people = town_of_walks(1, 2000, 200, reach=0.2)
    with pytest.raises(BoundError, match="better than its bound"):
        solve(Question(ShortestWalks(480.0), n_new=12), walks, people)
