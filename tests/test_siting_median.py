"""The shortest walks, in sum and at most: plans and bounds that meet, as large as a city."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks import pmed
from lifecircle.model import Walks
from lifecircle.siting import ConflictError, FairestWalks, Question, ShortestWalks, solve
from lifecircle.siting.effort import UNLIMITED
from lifecircle.siting.median import is_whole, median_bound, median_of, narrowed, otherwise_of, walked
from lifecircle.siting.median_finish import finished
from lifecircle.siting.median_saddle import relaxed

C8 = 480.0
NOBODY_STANDS = np.empty(0, dtype=np.int64)


def town(seed, n_homes, n_sites, *, reach=0.3, whole=False):
    """Homes and sites in a square, walks of up to twice the cutoff, some residents nowhere, and none in some homes."""
    random = np.random.default_rng(seed)
    homes, sites = random.uniform(size=(n_homes, 2)), random.uniform(size=(n_sites, 2))
    seconds = np.abs(sites[:, None] - homes).sum(axis=2) / reach * C8
    seconds = np.rint(seconds / 60.0) * 60.0 if whole else seconds
    there = seconds <= 2.0 * C8
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    walks = Walks(indptr, np.nonzero(there)[1].astype(np.int32), seconds[there], n_homes)
    return walks, random.integers(0, 60, n_homes).astype(np.float64)


@st.composite
def small_medians(draw):
    """A few sites and homes, some sites standing, with and without priorities and equal walks."""
    seed, n_sites = draw(st.integers(0, 10**6)), draw(st.integers(1, 8))
    reach = draw(st.sampled_from([0.2, 0.8, 3.0]))
    walks, people = town(seed, draw(st.integers(1, 14)), n_sites, reach=reach, whole=draw(st.booleans()))
    random = np.random.default_rng(seed)
    fixed = np.flatnonzero(random.random(n_sites) < draw(st.sampled_from([0.0, 0.3])))
    priority = random.uniform(0.0, 2.0, walks.n_demand) if draw(st.booleans()) else None
    n_new = draw(st.integers(0, 4))
    return Question(ShortestWalks(C8), n_new=n_new, priority=priority), walks, people, fixed


def walked_by(question, walks, people, sites):
    """Seconds walked by all, from a table of all walks."""
    table = np.full((walks.n_facilities + 1, walks.n_demand), question.objective.cutoff_s)
    for site in range(walks.n_facilities):
        homes, seconds = walks.row(site)
        table[site, homes] = np.minimum(seconds, question.objective.cutoff_s)
    worth = people if question.priority is None else people * question.priority
    return float(worth @ table[[*sites, -1]].min(axis=0))


def tried(question, walks, people, fixed):
    """The best of all plans, each tried."""
    free = np.setdiff1d(np.arange(walks.n_facilities), fixed)
    plans = itertools.combinations(free, min(question.n_new, len(free)))
    return min(walked_by(question, walks, people, [*fixed, *plan]) for plan in plans)


@given(small_medians())
@settings(max_examples=80)
def test_the_walks_are_as_short_as_trying_every_plan_makes_them(small):
    question, walks, people, fixed = small
    plan = solve(question, walks, people, fixed=fixed)
    assert plan.status == "optimal"
    assert plan.value == pytest.approx(tried(*small), rel=1e-9)
    assert set(fixed) <= set(plan.sites)
    assert len(plan.chosen) <= question.n_new


@given(small_medians(), st.integers(0, 10**6))
@settings(max_examples=60)
def test_no_plan_walks_less_than_the_bound_whatever_the_prices(small, seed):
    question, walks, people, fixed = small
    worth = people if question.priority is None else people * question.priority
    free = np.setdiff1d(np.arange(walks.n_facilities), fixed)
    prices_s = np.random.default_rng(seed).uniform(-100.0, 2.0 * C8, walks.n_demand)
    bound, _ = median_bound(walks, worth, otherwise_of(walks, fixed, C8), free, question.n_new, prices_s)
    assert bound <= tried(*small) * (1.0 + 1e-12) + 1e-9


@given(small_medians(), st.integers(1, 4))
@settings(max_examples=60)
def test_lists_cut_short_never_flatter_a_plan_nor_prove_too_much(small, longest):
    question, walks, people, fixed = small
    median = median_of(*small, longest_list=longest)
    opened = np.arange(median.n_sites) < median.n_new
    exact = walked_by(question, walks, people, [*fixed, *median.candidates[opened]])
    assert walked(median, opened) >= exact - 1e-6
    for saddle in itertools.islice(relaxed(median, opened), 5):
        assert saddle.bound <= tried(*small) * (1.0 + 1e-12) + 1e-6


@given(small_medians())
@settings(max_examples=40)
def test_what_the_bound_leaves_open_is_settled_by_the_solver(small):
    median = median_of(*small, longest_list=100)
    assume(median.n_new and len(median.homes))
    opened = np.arange(median.n_sites) < median.n_new
    value, saddle = walked(median, opened), next(relaxed(median, opened))
    found, bound, ended, _ = finished(median, opened, value, saddle.bound, saddle.saved, UNLIMITED)
    assert ended == "proven"
    assert min(value, walked(median, found)) == pytest.approx(tried(*small), rel=1e-9)
    assert bound == pytest.approx(tried(*small), rel=1e-6, abs=1e-3)


def test_some_sites_alone_serve_as_they_do_in_the_town():
    walks, people = town(3, 60, 20)
    median = median_of(Question(ShortestWalks(C8), n_new=4), walks, people, NOBODY_STANDS, longest_list=100)
    some = np.array([1, 4, 5, 11, 17])
    opened = np.isin(np.arange(20), some[::2])
    assert walked(narrowed(median, some), opened[some]) == pytest.approx(walked(median, opened), rel=1e-12)


def test_a_bound_is_rounded_up_only_where_every_plan_walks_whole_seconds():
    question = Question(ShortestWalks(C8), n_new=4)
    whole, parts = (
        median_of(question, *town(3, 60, 20, whole=w), NOBODY_STANDS, longest_list=9) for w in (True, False)
    )
    assert is_whole(whole)
    assert not is_whole(parts)


@pytest.mark.parametrize("fixed", [NOBODY_STANDS, np.array([3, 40, 77])])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_town_is_answered_with_proof(seed, fixed):
    walks, people = town(seed, 2000, 200, reach=0.2)
    plan = solve(Question(ShortestWalks(C8), n_new=12), walks, people, fixed=fixed)
    assert (plan.status, len(plan.chosen)) == ("optimal", 12)
    assert plan.value < plan.today


def test_the_order_of_homes_and_sites_does_not_change_how_far_is_walked():
    walks, people = town(5, 400, 60)
    homes, sites = np.random.default_rng(0).permutation(400), np.random.default_rng(1).permutation(60)
    place = np.argsort(homes).astype(np.int32)
    rows = [walks.row(site) for site in sites]
    turned = Walks(
        np.concatenate([[0], np.cumsum([len(row[0]) for row in rows])]),
        np.concatenate([place[row[0]] for row in rows]),
        np.concatenate([row[1] for row in rows]),
        400,
    )
    question = Question(ShortestWalks(C8), n_new=5)
    one, other = solve(question, walks, people), solve(question, turned, people[homes])
    assert one.status == other.status == "optimal"
    assert one.value == pytest.approx(other.value, rel=1e-12)


def test_the_same_work_gives_the_same_plan():
    walks, people = town(4, 4000, 500, reach=0.2)
    question = Question(ShortestWalks(C8), n_new=30)
    one, other = (solve(question, walks, people, work_limit=1e6) for _ in range(2))
    assert (one.chosen == other.chosen).all()
    assert (one.value, one.bound, one.ended) == (other.value, other.bound, other.ended)


def test_who_interrupts_the_search_gets_the_best_plan_so_far_with_its_bound():
    walks, people = town(6, 2000, 300, reach=0.2)

    def enough(value, bound, seconds):
        raise KeyboardInterrupt

    plan = solve(Question(ShortestWalks(C8), n_new=12), walks, people, report=enough)
    assert (plan.status, plan.ended, len(plan.chosen)) == ("feasible", "interrupted", 12)
    assert 0.0 < plan.bound < plan.value < plan.today


def test_a_station_that_nobody_walks_less_for_is_not_opened():
    walks = Walks(np.array([0, 1, 2, 3]), np.array([0, 0, 1], dtype=np.int32), np.array([60.0, 60.0, 900.0]), 2)
    plan = solve(Question(ShortestWalks(C8), n_new=3), walks, np.array([10.0, 5.0]))
    assert (plan.value, plan.status, len(plan.chosen)) == (10.0 * 60.0 + 5.0 * C8, "optimal", 1)


@pytest.mark.skipif(not pmed.FOLDER.is_dir(), reason="the OR-Library's p-medians are not at hand")
@pytest.mark.parametrize("number", [1, 3, 4, 5, 8, 10, 12, 13, 15, 17, 20])
def test_a_median_of_the_or_library_is_solved_to_its_listed_optimum(number):
    walks, people = pmed.instance(number)
    plan = solve(pmed.question(number), walks, people)
    optimum = pmed.listed()[number]
    assert (plan.status, plan.value, plan.bound) == ("optimal", optimum, optimum)


@st.composite
def small_centers(draw):
    """A few sites and homes, some sites standing, homes that nobody lives in or that no site can be reached from."""
    _, walks, people, fixed = draw(small_medians())
    return Question(FairestWalks(), n_new=draw(st.integers(0, 4))), walks, people, fixed


def longest_by(walks, people, sites):
    """The longest walk of those who can reach any site at all, from a table of all walks."""
    table = np.full((walks.n_facilities + 1, walks.n_demand), np.inf)
    for site in range(walks.n_facilities):
        homes, seconds = walks.row(site)
        table[site, homes] = seconds
    asked = (people > 0.0) & np.isfinite(table.min(axis=0))
    return float(table[[*sites, -1]].min(axis=0)[asked].max(initial=0.0))


@given(small_centers())
@settings(max_examples=80)
def test_the_longest_walk_is_as_short_as_trying_every_plan_makes_it(small):
    question, walks, people, fixed = small
    free = np.setdiff1d(np.arange(walks.n_facilities), fixed)
    plans = itertools.combinations(free, min(question.n_new, len(free)))
    best = min(longest_by(walks, people, [*fixed, *plan]) for plan in plans)
    if best == np.inf:
        with pytest.raises(ConflictError):
            solve(question, walks, people, fixed=fixed)
        return
    plan = solve(question, walks, people, fixed=fixed)
    assert (plan.status, plan.value) == ("optimal", best)
    assert set(fixed) <= set(plan.sites)
    assert len(plan.chosen) <= question.n_new


@pytest.mark.parametrize("fixed", [NOBODY_STANDS, np.array([3, 40, 66])])
def test_the_longest_walk_of_a_town_is_proven(fixed):
    walks, people = town(1, 600, 70, reach=0.3)
    plan = solve(Question(FairestWalks(), n_new=10), walks, people, fixed=fixed)
    assert plan.status == "optimal"
    assert plan.value == longest_by(walks, people, plan.sites)


def test_a_search_for_the_longest_walk_cut_short_says_how_far_it_came():
    walks, people = town(2, 1500, 150, reach=0.3)
    plan = solve(Question(FairestWalks(), n_new=14), walks, people, work_limit=2e6)
    assert plan.ended == "work"
    assert 0.0 < plan.bound < plan.value == longest_by(walks, people, plan.sites)
