"""The main job on Monaco: every figure holds against an independent computation from the same network."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from lifecircle import assign, cover, open_study
from lifecircle.api.lookup import Lookup
from lifecircle.dispatch import Found
from lifecircle.model import TOLERANCE_S
from lifecircle.scenarios import possible_sites, site, unserved_areas
from lifecircle.siting import coverage_of
from oracle import nearest_costs

SPEED_MPS = 1.2
POPULATION = 39_050


@pytest.fixture(scope="module")
def study(repository):
    return open_study(repository / "data" / "monaco")


@pytest.fixture(scope="module")
def today(study):
    return cover(study)


@pytest.fixture(scope="module")
def sites(today):
    return possible_sites(today)


@pytest.fixture(scope="module")
def plans(study, today, sites):
    return {s.name: site(study, scenario=s.name, today=today, sites=sites) for s in study.settings.scenarios}


def test_the_walk_of_every_building_equals_networkx_on_the_split_graph(today):
    footing = today.ground.reference
    expected = nearest_costs(footing.network, footing.homes, footing.stations)
    on_the_flat_m = today.buildings["walk_s"].to_numpy() * SPEED_MPS
    np.testing.assert_allclose(np.where(np.isnan(on_the_flat_m), np.inf, on_the_flat_m), expected, rtol=0, atol=1e-6)
    reached = today.buildings["status"] == "ok"
    slowed = on_the_flat_m[reached] - today.buildings.loc[reached, "walk_m"]
    assert slowed.min() > -1e-6  # steps, lifts and signals take time beyond that for the metres
    assert slowed.max() > 1.0


def test_the_buildings_that_no_leg_leaves_freely_are_counted(today):
    [told] = [f for f in today.findings if f.rule == "leg-blocked" and f.layer == "buildings"]
    assert (told.count, len(today.buildings)) == (16, 1225)


def test_residents_in_are_residents_out(today):
    assert today.buildings["residents"].sum() + today.demand.unplaced["residents"].sum() == pytest.approx(
        POPULATION, abs=1e-6
    )
    total = today.table.iloc[-1]
    assert total["area_id"] == "total"
    assert total["residents"] == pytest.approx(POPULATION, abs=1e-6)


def test_every_row_of_the_table_adds_up(today):
    table = today.table
    parts = table[["within_15", "beyond", "unreachable", "unsnappable", "unplaced"]].sum(axis=1)
    np.testing.assert_allclose(parts, table["residents"], rtol=0, atol=1e-6)
    assert (table["within_8"] <= table["within_15"]).all()
    areas, total = table.iloc[:-1], table.iloc[-1]
    for column in ("residents", "within_8", "within_15", "beyond", "unreachable", "stations", "buildings"):
        assert areas[column].sum() == pytest.approx(total[column], abs=1e-6)


def test_the_table_is_derived_from_the_buildings_and_nothing_else(today):
    homes = pd.DataFrame(today.buildings.drop(columns="geometry"))
    homes = homes[homes["area_id"] != ""]
    for row in today.table.to_dict("records"):
        of = homes if row["area_id"] == "total" else homes[homes["area_id"] == row["area_id"]]
        people, ok = of["residents"], of["status"] == "ok"
        assert row["buildings"] == (people > 0).sum()
        assert row["residents"] == pytest.approx(people.sum(), abs=1e-9)
        assert row["within_8"] == pytest.approx(people[of["circle"] == "8"].sum(), abs=1e-9)
        assert row["within_15"] == pytest.approx(people[of["circle"].isin(["8", "15"])].sum(), abs=1e-9)
        assert row["beyond"] == pytest.approx(people[ok & (of["circle"] == "")].sum(), abs=1e-9)
        assert row["unreachable"] == pytest.approx(people[of["status"] == "unreachable"].sum(), abs=1e-9)
        assert row["share_8"] == pytest.approx(row["within_8"] / row["residents"])
        assert row["walk_mean_m"] == pytest.approx((people * of["walk_m"])[ok].sum() / people[ok].sum())


def test_circles_are_what_the_seconds_say(today):
    seconds, circle = today.buildings["walk_s"], today.buildings["circle"]
    assert ((seconds <= 480 + TOLERANCE_S) == (circle == "8")).all()
    assert ((seconds <= 900 + TOLERANCE_S) == circle.isin(["8", "15"])).all()


def test_unreachable_is_empty_never_a_number(today):
    lost = today.buildings[today.buildings["status"] != "ok"]
    assert lost[["walk_m", "walk_s"]].isna().all(axis=None)
    assert (lost["station_id"] == "").all()
    assert (lost["circle"] == "").all()


def test_a_plan_is_what_covering_the_city_again_with_its_sites_finds(today, sites, plans):
    for plan in plans.values():
        circle = plan.scenario.circle
        after = plan.coverage.table.iloc[-1][f"within_{circle}"]
        opened = np.flatnonzero(sites.frame["station_id"].isin(plan.sites["site_id"]))
        cutoff_s = next(c.cutoff_s for c in plan.coverage.study.settings.circles if c.name == circle)
        assert after == pytest.approx(coverage_of(sites.walks[circle], opened, sites.weights, cutoff_s), abs=1e-6)
        gained = after - today.table.iloc[-1][f"within_{circle}"]
        assert plan.sites["gain"].sum() == pytest.approx(gained, abs=1e-6)
        assert plan.solution.status == "optimal"
        assert plan.solution.gap == 0.0


def test_no_station_is_closed_by_a_plan_that_keeps_them(study, plans):
    for plan in plans.values():
        kept = plan.sites[plan.sites["state"] == "fixed"]["site_id"]
        assert set(kept) == set(study.stations["station_id"])


def test_everyone_outside_a_circle_is_in_one_unserved_area(today, sites):
    unserved = unserved_areas(today, sites)
    for circle in ("8", "15"):
        rows = unserved[unserved["circle"] == circle]
        total = today.table.iloc[-1]
        assert rows["residents"].sum() == pytest.approx(total["residents"] - total[f"within_{circle}"], abs=1e-6)
        assert rows["cluster_id"].is_unique
        assert (rows["best_candidate_residents"] <= rows["residents"] + 1e-6).all()


def test_every_building_gets_over_http_the_walk_that_its_request_gets(study, today):
    lookup = Lookup(study, today.ground)
    points = study.buildings.geometry.representative_point().to_crs("EPSG:4326")
    ids = [f"r{i}" for i in range(len(points))]
    asked = gpd.GeoDataFrame({"request_id": ids, "item": ""}, geometry=points.to_numpy(), crs="EPSG:4326")
    rows = assign(study, asked, ground=today.ground)
    assert len(rows) > 1000
    for x, y, station_id, walk_s in zip(points.x, points.y, rows["station_id"], rows["walk_s"], strict=True):
        [found] = lookup.nearest((x, y)).found or [Found(-1, np.nan, np.nan)]
        assert (study.stations["station_id"].iloc[found.station] if found.station >= 0 else "") == station_id
        assert found.seconds == pytest.approx(walk_s, abs=1e-3, nan_ok=True)
