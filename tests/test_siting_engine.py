"""Siting at the scale of a city: plans and bounds of a maximal cover, found without trying everything."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from benchmarks import sjc
from lifecircle.model import Walks
from lifecircle.siting import (
    AtLeast,
    Budget,
    FewestStations,
    Floor,
    Itinerary,
    MostResidents,
    Moves,
    Question,
    ShortestWalks,
    Standard,
    Tiers,
    cover_search,
    coverage_of,
    gap,
    solve,
)
from lifecircle.siting.core import core_of
from lifecircle.siting.cover import Cover, best_prices, cover_bound, cover_of, covered, is_cover, taken
from lifecircle.siting.cover_search import search_cover
from lifecircle.siting.effort import Effort, furthest
from lifecircle.siting.fewest import fewest_bound, needed_residents, needs_of
from lifecircle.siting.fewest_relaxation import begun, first_programme, programmed
from lifecircle.siting.fewest_search import search_fewest
from lifecircle.siting.share_search import search_share, share_bound

C8 = 480.0
MOST = MostResidents(C8)
NOBODY_STANDS = np.empty(0, dtype=np.int64)


def town(seed, n_homes, n_sites, *, reach=0.15):
    """Homes and sites in a square, walks of up to twice the cutoff, and residents."""
    random = np.random.default_rng(seed)
    homes, sites = random.uniform(size=(n_homes, 2)), random.uniform(size=(n_sites, 2))
    seconds = np.abs(sites[:, None] - homes).sum(axis=2) / reach * C8
    there = seconds <= 2.0 * C8
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    walks = Walks(indptr, np.nonzero(there)[1].astype(np.int32), seconds[there], n_homes)
    return walks, random.integers(1, 60, n_homes).astype(np.float64)


@st.composite
def small_covers(draw):
    """A few sites and homes, some sites standing, and limits of every kind that a cover takes."""
    seed, n_sites = draw(st.integers(0, 10**6)), draw(st.integers(2, 7))
    walks, people = town(seed, draw(st.integers(1, 12)), n_sites, reach=draw(st.sampled_from([0.3, 0.8])))
    random = np.random.default_rng(seed)
    fixed = np.flatnonzero(random.random(n_sites) < 0.3)
    area = random.integers(0, 2, n_sites)
    conditions = {"n_new": draw(st.integers(0, 3))}
    if draw(st.booleans()):
        conditions["budget"] = Budget(
            random.integers(1, 5, n_sites).astype(float), total=float(draw(st.integers(0, 9)))
        )
    if draw(st.booleans()):
        conditions["at_least"] = AtLeast(1, area)
    if draw(st.booleans()):
        conditions["priority"] = random.uniform(0.0, 2.0, walks.n_demand)
    if draw(st.booleans()) and len(fixed):
        conditions["moves"] = Moves(tuple(fixed[:2].tolist()), draw(st.integers(0, 2)))
    elif draw(st.booleans()):
        conditions["itinerary"] = Itinerary(stops_per_day=1, days=2)
    return Question(MOST, **conditions), walks, people, fixed


def plans(cover):
    """Every plan that keeps the limits."""
    for choice in itertools.product([False, True], repeat=cover.n_options):
        if (taken(cover.limits, np.array(choice)) <= cover.limits.limit + 1e-9).all():
            yield np.array(choice)


@given(small_covers(), st.integers(0, 10**6))
@settings(max_examples=60)
def test_no_plan_is_better_than_the_bound_whatever_the_multipliers(small, seed):
    cover, _ = cover_of(*small)
    random = np.random.default_rng(seed)
    mu = random.uniform(-0.2, 1.2, len(cover.residents))
    prices = random.uniform(-5.0, 60.0, len(cover.limits))
    best = max((covered(cover, plan) for plan in plans(cover)), default=-np.inf)
    assert cover_bound(cover, mu, prices) >= best - 1e-9
    pull = np.array([(cover.residents * mu.clip(0, 1))[cover.reach.row(j)].sum() for j in range(cover.n_options)])
    sharper = best_prices(cover.limits, pull, prices.clip(0.0))
    assert best - 1e-9 <= cover_bound(cover, mu, sharper) <= cover_bound(cover, mu, prices) + 1e-9


@given(small_covers())
@settings(max_examples=40)
def test_the_search_finds_what_trying_every_plan_finds(small):
    cover, _ = cover_of(*small)
    values = [covered(cover, plan) for plan in plans(cover)]
    found = search_cover(cover)
    assert (found.feasible, found.ended) == (bool(values), "proven")
    if values:
        assert found.value == pytest.approx(max(values), rel=1e-9)
        assert found.bound >= found.value * (1.0 - 1e-9)
        assert (taken(cover.limits, found.opened) <= cover.limits.limit + 1e-9).all()


@given(small_covers(), st.randoms(use_true_random=False))
def test_a_plan_reaches_the_residents_that_the_walks_say(small, random):
    question, walks, people, fixed = small
    cover, options = cover_of(*small)
    opened = np.array([random.random() < 0.4 for _ in range(cover.n_options)], dtype=bool)
    kept = np.setdiff1d(fixed, question.may_close)
    worth = people if question.priority is None else people * question.priority
    sites = np.union1d(kept, options.site[opened])
    assert covered(cover, opened) == pytest.approx(coverage_of(walks, sites, worth, C8), rel=1e-12)


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_some_options_alone_reach_in_their_core_whom_they_reach_in_the_city(seed):
    walks, people = town(seed, 40, 12)
    cover, _ = cover_of(Question(MOST, n_new=3), walks, people, NOBODY_STANDS)
    some = np.flatnonzero(np.random.default_rng(seed).random(12) < 0.5)
    core = core_of(cover, some)
    opened = np.zeros(12, dtype=bool)
    opened[some[::2]] = True
    reached = np.zeros(len(core.residents), dtype=bool)
    reached[core.reach.take(np.arange(0, len(some), 2)).columns] = True
    assert core.residents[reached].sum() == pytest.approx(covered(cover, opened) - cover.base)


@pytest.mark.parametrize("fixed", [NOBODY_STANDS, np.array([3, 40, 77])])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_town_gets_the_same_optimum_from_the_search_and_from_the_solver(seed, fixed):
    walks, people = town(seed, 600, 120)
    question = Question(MOST, n_new=6, at_least=AtLeast(1, np.arange(120) % 4))
    found = search_cover(cover_of(question, walks, people, fixed)[0])
    assert found.ended == "proven"
    assert found.value == pytest.approx(solve(question, walks, people, fixed=fixed).value)


def test_the_bound_of_a_town_comes_near_its_plan_without_the_solver():
    walks, people = town(3, 3000, 500, reach=0.1)
    cover, _ = cover_of(Question(MOST, n_new=15), walks, people, NOBODY_STANDS)
    found = search_cover(cover, Effort.of(work_limit=2e8))
    assert gap(found.value, found.bound, sense="max") <= 0.01
    assert found.bound == cover_bound(cover, found.mu, found.prices)


@pytest.mark.parametrize("first_core", [40, 4000])
def test_the_same_work_gives_the_same_plan(monkeypatch, first_core):
    monkeypatch.setattr(cover_search, "FIRST_CORE", first_core)
    walks, people = town(4, 4000, 500, reach=0.1)
    cover, _ = cover_of(Question(MOST, n_new=20), walks, people, NOBODY_STANDS)
    one, other = (search_cover(cover, Effort.of(work_limit=1.0), seed=7) for _ in range(2))
    assert one.ended == other.ended == "work"
    assert (one.opened == other.opened).all()
    assert (one.value, one.bound, one.work) == (other.value, other.bound, other.work)


def test_a_search_that_starts_from_a_few_options_takes_in_those_it_lacks(monkeypatch):
    walks, people = town(9, 1500, 300, reach=0.1)
    cover, _ = cover_of(Question(MOST, n_new=12), walks, people, NOBODY_STANDS)
    whole = search_cover(cover)
    monkeypatch.setattr(cover_search, "FIRST_CORE", 30)
    grown = search_cover(cover)
    assert whole.ended == grown.ended == "proven"
    assert grown.value == pytest.approx(whole.value)


@pytest.mark.parametrize("at_most", [0, 20])
def test_a_search_that_starts_from_a_few_options_knows_the_stations_that_stand(monkeypatch, at_most):
    monkeypatch.setattr(cover_search, "FIRST_CORE", 30)
    walks, people = town(3, 3000, 400)
    question = Question(MOST, moves=Moves(tuple(range(250)), at_most))
    plan = solve(question, walks, people, fixed=np.arange(300), work_limit=1e9)
    assert plan.status == "optimal"
    assert len(plan.decision.closed) <= at_most


def test_the_order_of_homes_and_sites_does_not_change_a_proven_value():
    walks, people = town(5, 400, 60)
    question = Question(MOST, n_new=5)
    homes, sites = np.random.default_rng(0).permutation(400), np.random.default_rng(1).permutation(60)
    place = np.argsort(homes).astype(np.int32)
    rows = [walks.row(site) for site in sites]
    turned = Walks(
        np.concatenate([[0], np.cumsum([len(row[0]) for row in rows])]),
        np.concatenate([place[row[0]] for row in rows]),
        np.concatenate([row[1] for row in rows]),
        400,
    )
    one = search_cover(cover_of(question, walks, people, NOBODY_STANDS)[0])
    other = search_cover(cover_of(question, turned, people[homes], NOBODY_STANDS)[0])
    assert one.ended == other.ended == "proven"
    assert one.value == pytest.approx(other.value)


def test_who_interrupts_the_search_gets_the_best_plan_so_far_with_its_bound():
    walks, people = town(6, 2000, 300, reach=0.1)
    cover, _ = cover_of(Question(MOST, n_new=12), walks, people, NOBODY_STANDS)
    told = []

    def enough(value, bound, seconds):
        told.append((value, bound, seconds))
        raise KeyboardInterrupt

    found = search_cover(cover, Effort.of(report=enough))
    assert (found.ended, len(told)) == ("interrupted", 1)
    assert found.opened.sum() == 12
    assert told[0][:2] == pytest.approx((found.value, found.bound))
    assert found.value == covered(cover, found.opened) <= found.bound


@pytest.mark.parametrize("known", [True, False])
def test_ctrl_c_within_compiled_code_keeps_the_plan_too(known):
    first = SimpleNamespace(value=1.0, bound=2.0, proven=False, work=0.0)

    def pressed_later():
        if known:
            yield first
        raise SystemError("a result with an exception set") from KeyboardInterrupt()

    if known:
        assert furthest(pressed_later(), Effort()) == (first, "interrupted")
    else:
        with pytest.raises(KeyboardInterrupt):
            furthest(pressed_later(), Effort())


def test_without_time_there_is_still_a_plan_and_a_bound():
    walks, people = town(7, 500, 80)
    cover, _ = cover_of(Question(MOST, n_new=4), walks, people, NOBODY_STANDS)
    found = search_cover(cover, Effort.of(time_limit_s=0.0))
    assert (found.ended, found.work, found.feasible) == ("time", 0.0, True)
    assert 0.0 < found.value <= found.bound <= people.sum() + 1e-9


def test_a_plan_that_somebody_has_is_never_made_worse():
    walks, people = town(8, 800, 100)
    cover, _ = cover_of(Question(MOST, n_new=5), walks, people, NOBODY_STANDS)
    best = search_cover(cover)
    again = search_cover(cover, Effort.of(work_limit=0.0), start=best.opened)
    assert again.value >= best.value


def test_only_questions_whose_homes_count_by_one_station_are_covers():
    everywhere = Question(MOST, n_new=1)
    assert is_cover(everywhere)
    assert is_cover(replace(everywhere, tiers=Tiers(2)))
    assert not is_cover(replace(everywhere, objective=ShortestWalks(C8)))
    assert not is_cover(Question(MostResidents(C8, (Standard(900.0),)), n_new=1))
    assert not is_cover(replace(everywhere, backup=0.5))
    assert not is_cover(replace(everywhere, floors=(Floor(0.5),)))


@st.composite
def small_needs(draw):
    """A few sites and homes, some sites standing, and a share of the residents to reach."""
    seed, n_sites = draw(st.integers(0, 10**6)), draw(st.integers(2, 8))
    walks, people = town(seed, draw(st.integers(1, 14)), n_sites, reach=draw(st.sampled_from([0.3, 0.6])))
    fixed = np.flatnonzero(np.random.default_rng(seed).random(n_sites) < 0.2)
    question = Question(FewestStations(C8, share=draw(st.sampled_from([0.5, 0.9, 0.95, 1.0]))))
    cover, _ = cover_of(question, walks, people, fixed)
    return cover, needed_residents(cover, question.objective.share)


def fewest(cover, needed):
    """The fewest options with which so many count, by trying all."""
    choices = itertools.product([False, True], repeat=cover.n_options)
    return min(sum(choice) for choice in choices if covered(cover, np.array(choice, dtype=bool)) >= needed)


@given(small_needs(), st.integers(0, 10**6))
@settings(max_examples=60)
def test_no_plan_opens_fewer_stations_than_the_bound_whatever_the_multipliers(small, seed):
    cover, needed = small
    random, best = np.random.default_rng(seed), fewest(cover, needed)
    assert share_bound(cover, needed, random.uniform(-0.2, 1.2, len(cover.residents))) <= best
    everybody = fewest(cover, cover.base + cover.residents.sum() - 1e-9)
    assert fewest_bound(cover, random.uniform(-0.2, 1.0, len(cover.residents))) <= everybody


@given(small_needs())
@settings(max_examples=40)
def test_what_a_smallest_plan_can_do_without_is_left_out(small):
    cover, _ = small
    needs, everybody = needs_of(cover), cover.base + cover.residents.sum() - 1e-9
    part = Cover(
        needs.reach, np.ones(len(needs.classes)), replace(cover.limits, indptr=np.zeros(1, dtype=np.int64)), base=0.0
    )
    assert fewest(part, len(needs.classes)) == fewest(cover, everybody)
    for option in itertools.permutations(range(needs.reach.n_rows), 2):
        assert not set(needs.reach.row(option[0])) <= set(needs.reach.row(option[1]))


@given(small_needs(), st.integers(0, 10**6))
@settings(deadline=None)
def test_programmes_over_some_options_and_classes_come_to_the_relaxation_over_all(small, seed):
    cover, _ = small
    needs, random = needs_of(cover), np.random.default_rng(seed)
    assume(len(needs.classes))
    somewhere = random.random(len(needs.options)), random.random(len(needs.classes))
    relaxation = replace(begun(needs), x=somewhere[0] * (somewhere[0] < 0.2), u=somewhere[1] * (somewhere[1] < 0.3))
    programme = first_programme(needs, relaxation)
    while not programme.solved:
        relaxation, programme = programmed(needs, relaxation, programme)
    by_class = needs.by_class
    table = csr_array((np.ones(len(by_class.columns)), by_class.columns, by_class.indptr))
    least = linprog(np.ones(table.shape[1]), A_ub=-table, b_ub=-np.ones(table.shape[0])).fun
    assert relaxation.bound == pytest.approx(least, rel=4e-3)
    assert relaxation.bound <= least + 1e-9


@given(small_needs())
@settings(max_examples=15, deadline=None)
def test_the_searches_for_the_fewest_stations_find_what_trying_every_plan_finds(small):
    cover, needed = small
    share = search_share(cover, needed, Effort.of(work_limit=1e8))
    assert covered(cover, share.opened) >= needed
    assert share.bound <= fewest(cover, needed) <= share.value
    least = search_fewest(cover, Effort.of(work_limit=1e8))
    assert covered(cover, least.opened) == pytest.approx(cover.base + cover.residents.sum())
    assert least.bound <= fewest(cover, cover.base + cover.residents.sum() - 1e-9) == least.value


@pytest.mark.parametrize("share", [0.95, 1.0])
def test_a_city_gets_the_fewest_stations_for_a_share_with_a_bound_and_the_same_plan_again(share):
    walks, people = town(11, 6000, 900, reach=0.12)
    question = Question(FewestStations(C8, share=share))
    one, other = (solve(question, walks, people, fixed=[5, 60], work_limit=3e8) for _ in range(2))
    assert one.gap <= 0.1
    assert (one.chosen == other.chosen).all()
    assert (one.value, one.bound, one.ended) == (other.value, other.bound, other.ended)


@pytest.mark.slow
def test_the_listed_optima_of_the_san_jose_library_are_reached_and_proven(shared_dir):
    for listed in sjc.listed(shared_dir / "data" / "siting" / "mclp"):
        walks, demand = sjc.instance(listed.instance, listed.question.objective.standards[0].cutoff_s)
        plan = solve(listed.question, walks, demand, time_limit_s=60.0)
        assert (str(listed), plan.status, plan.value) == (str(listed), "optimal", listed.optimum)
