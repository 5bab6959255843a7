"""The services of a made-up city: its stations, the rooms that could become one, and a year of requests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import cKDTree

from lifecircle.hours import is_open
from lifecircle.synthetic.city import City
from lifecircle.synthetic.itinerary import as_service
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.names import area_tree
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.requests import NIGHT, PRIORITIES, calendar
from lifecircle.synthetic.rooms import PLACES, ROOMS, places_of
from lifecircle.synthetic.services import numbers_of_stations
from lifecircle.synthetic.tree import scaled_tree

FUSHUN = PROGRAMMES["fushun"]
SIZE = 0.1


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(FUSHUN, size=SIZE)


@pytest.fixture(scope="module")
def rural() -> City:
    return make_city(PROGRAMMES["puyang"], size=0.03)


@pytest.fixture(scope="module", params=PROGRAMMES)
def any_city(request: pytest.FixtureRequest, city: City, rural: City) -> City:
    """One of every programme."""
    made = {"fushun": city, "puyang": rural}
    return made.get(request.param) or make_city(PROGRAMMES[request.param], size=SIZE)


# --------------------------------------------------------------------------- stations and rooms


def test_a_tenth_of_fushun_has_a_tenth_of_its_stations_in_three_tiers(city: City) -> None:
    stations, levels = city.frames["stations"], city.frames["areas"]["level"].value_counts()
    tiers = stations["tier"].value_counts()
    assert tiers.to_dict() == {
        "household": round(646 * SIZE),
        "community": levels["community"],
        "subdistrict": levels["subdistrict"],
    }
    assert len(stations) == round(978 * SIZE)


@pytest.mark.slow
def test_fushun_has_978_stations_in_three_tiers_over_303_communities() -> None:
    fushun = make_city(FUSHUN)
    stations = fushun.frames["stations"]
    assert len(stations) == 978
    assert stations["tier"].value_counts().to_dict() == {"household": 646, "community": 303, "subdistrict": 29}
    assert stations["area_id"].nunique() == 303
    assert len(fushun.frames["candidates"]) == 5_200
    requests = fushun.frames["requests"]
    assert len(requests) == 40_000
    assert (requests["item"] == "矛盾调解").sum() == 1_786
    assert requests["area_id"].value_counts().iloc[0] == 1_344


@pytest.mark.parametrize("name", [name for name in PROGRAMMES if name != "puyang"])
@pytest.mark.parametrize("size", [0.05, 0.1, 0.13, 0.5, 1.0, 2.0])
def test_at_any_size_the_stations_are_the_programmes_times_the_size(name: str, size: float) -> None:
    programme = PROGRAMMES[name]
    whole = {"fushun": 978, "qiandongnan": 138 + 157, "nanming": 187}[name]
    assert sum(numbers_of_stations(programme, scaled_tree(programme, size), size)) == round(whole * size)


def test_where_every_tier_has_one_station_per_area_there_are_as_many_as_areas() -> None:
    puyang = PROGRAMMES["puyang"]
    assert numbers_of_stations(puyang, area_tree("puyang"), 1.0) == [2_080, 580, 89, 8]
    levels = scaled_tree(puyang, 0.02)["level"].value_counts()
    assert numbers_of_stations(puyang, scaled_tree(puyang, 0.02), 0.02) == [levels[tier.per] for tier in puyang.tiers]


def test_qiandongnan_has_3300_agents_or_its_part_of_them() -> None:
    stations = make_city(PROGRAMMES["qiandongnan"], size=0.05).frames["stations"]
    assert stations["agents"].sum() == round(3_300 * 0.05)
    assert stations["agents"].min() >= 1


def test_every_community_has_its_main_station(city: City) -> None:
    stations, areas = city.frames["stations"], city.frames["areas"]
    main = stations["area_id"][stations["tier"] == "community"]
    assert sorted(main) == sorted(areas["area_id"][areas["level"] == "community"])


@pytest.mark.parametrize("layer", ["stations", "candidates"])
def test_every_room_is_at_the_door_of_a_building_in_its_own_area(city: City, layer: str) -> None:
    rooms, buildings = city.frames[layer], city.frames["buildings"].set_index("building_id")
    building = buildings.loc[rooms["building_id"]]
    assert (shapely.distance(building.geometry.to_numpy(), rooms.geometry.to_numpy()) < 0.01).all()
    assert (building["area_id"].to_numpy() == rooms["area_id"].to_numpy()).all()
    outline = city.frames["areas"].set_index("area_id").geometry.loc[rooms["area_id"]]
    assert shapely.covers(outline.to_numpy(), rooms.geometry.to_numpy()).all()


def test_no_two_rooms_share_a_building(city: City) -> None:
    taken = pd.concat([city.frames["stations"]["building_id"], city.frames["candidates"]["building_id"]])
    assert taken.is_unique


@pytest.mark.parametrize("layer", ["stations", "candidates"])
def test_every_room_is_where_such_rooms_are(any_city: City, layer: str) -> None:
    rooms, buildings = any_city.frames[layer], any_city.frames["buildings"]
    buildings = buildings.assign(compound=np.where(buildings["address"].str.contains("号院"), 0, -1))
    residents = any_city.frames["residents"].set_index("building_id")["residents"]
    row = places_of(buildings, residents.reindex(buildings["building_id"], fill_value=0).to_numpy())
    place = pd.Series([*PLACES, "none"]).iloc[row].set_axis(buildings["building_id"]).loc[rooms["building_id"]]
    assert not {(kind, p) for kind, p in zip(rooms["kind"], place, strict=True) if p not in ROOMS[kind].places}


def test_a_property_office_or_owners_committee_is_in_a_compound(city: City) -> None:
    for layer in ("stations", "candidates"):
        rooms = city.frames[layer]
        of_compounds = rooms[rooms["kind"].isin(["property office", "owners committee"])]
        assert len(of_compounds)
        assert of_compounds["name"].str.contains("号院").all()


def test_stations_of_one_tier_are_not_side_by_side(city: City) -> None:
    for _, tier in city.frames["stations"].groupby("tier"):
        xy = shapely.get_coordinates(tier.geometry.to_numpy())
        apart_m = cKDTree(xy).query(xy, k=2)[0][:, 1]
        assert apart_m.min() > 15.0
        assert np.quantile(apart_m, 0.05) > 60.0


def test_communities_of_more_residents_have_more_stations(city: City) -> None:
    residents, buildings = city.frames["residents"], city.frames["buildings"].set_index("building_id")
    held = residents["residents"].groupby(buildings["area_id"].loc[residents["building_id"]].to_numpy()).sum()
    stations = city.frames["stations"].groupby("area_id").size()
    assert np.corrcoef(held, stations.reindex(held.index))[0, 1] > 0.8


def test_a_home_is_a_candidate_when_its_member_agrees_and_nobody_else_was_asked(city: City) -> None:
    rooms = city.frames["candidates"]
    assert len(rooms) == round(FUSHUN.candidates * SIZE)
    assert set(rooms["consent"][rooms["kind"] == "home"]) == {"yes"}
    assert set(rooms["consent"][rooms["kind"] != "home"]) == {""}


def test_a_station_offers_items_of_its_tier_and_several_stations_offer_each(any_city: City) -> None:
    stations = any_city.frames["stations"]
    for tier in any_city.programme.tiers:
        offered = stations["items"][stations["tier"] == tier.name].str.split(";").explode().value_counts()
        assert set(offered.index) == set(tier.items)
        assert offered.min() >= min(2, (stations["tier"] == tier.name).sum())


def test_a_pharmacy_has_medicine_and_repairs_no_pipes(city: City) -> None:
    items = city.frames["stations"].groupby("kind")["items"].agg(";".join)
    assert "代购药品" in items["pharmacy"]
    assert "管道疏通" not in items["pharmacy"]
    assert "管道疏通" in items["property office"]


def test_some_household_stations_are_shut_on_sundays_and_some_open_in_the_evening(city: City) -> None:
    stations = city.frames["stations"]
    hours = stations["hours"][stations["tier"] == "household"]
    for at, least, most in (("Sun 10:00", 0.4, 0.9), ("Tue 10:00", 0.5, 0.9), ("Tue 19:30", 0.3, 0.9)):
        assert least < np.mean([is_open(text, at) for text in hours]) < most


def test_a_team_sits_on_wednesdays_and_tours_every_village_below_it_on_the_other_days(rural: City) -> None:
    plan, stations = rural.frames["itinerary"], rural.frames["stations"].set_index("station_id")
    teams = stations[stations["tier"] == "service_area"]
    at_home, on_tour = plan[plan["weekday"] == "We"], plan[plan["weekday"] != "We"]
    assert sorted(at_home["station_id"]) == sorted(teams.index)
    assert (at_home["station_id"] == at_home["stop_id"]).all()
    assert set(on_tour["weekday"]) == {"Mo", "Tu", "Th", "Fr"}
    assert set(on_tour["stop_id"]) == set(stations.index[stations["tier"] == "village"])
    parent = rural.frames["areas"].set_index("area_id")["parent_id"]
    team_area = parent.loc[stations["area_id"].loc[on_tour["station_id"]]].to_numpy()
    assert (parent.loc[on_tour["area_id"]].to_numpy() == team_area).all()


def test_no_team_is_in_two_villages_at_once(rural: City) -> None:
    plan = rural.frames["itinerary"]
    assert (plan["from"] < plan["to"]).all()
    for _, day in plan.groupby(["station_id", "weekday"]):
        assert (day["to"].iloc[:-1].to_numpy() <= day["from"].iloc[1:].to_numpy()).all()


# --------------------------------------------------------------------------- a year of requests


def test_a_year_of_requests_is_as_many_as_the_programme_says_in_the_order_of_time(city: City) -> None:
    requests = city.frames["requests"]
    assert len(requests) == round(FUSHUN.requests * SIZE)
    assert requests["request_id"].is_monotonic_increasing
    assert requests["time"].is_monotonic_increasing
    assert requests["time"].str.fullmatch(r"2025-\d\d-\d\dT\d\d:\d\d").all()
    assert set(requests["item"]) == set(FUSHUN.item_weights)


def test_the_calendar_knows_the_days_off_and_the_days_worked_for_them() -> None:
    days = calendar().set_index("day")
    assert len(days) == 365
    assert days["working"].sum() == 248  # working days of 2025: 365 less 104 days of weekends and 13 of holidays
    assert days["working"][pd.Timestamp("2025-01-26")]  # a Sunday, worked for Spring Festival
    assert not days["working"][pd.Timestamp("2025-10-08")]
    assert not days["working"][pd.Timestamp("2025-03-01")]


def test_fewer_ask_on_days_off(city: City) -> None:
    time = pd.to_datetime(city.frames["requests"]["time"])
    days = calendar().set_index("day")
    asked = time.dt.normalize().value_counts().reindex(days.index, fill_value=0)
    assert asked[days["working"]].mean() > 1.4 * asked[~days["working"]].mean()


def test_at_night_few_ask_and_they_call_for_what_is_urgent(city: City) -> None:
    requests = city.frames["requests"]
    night = requests[pd.to_datetime(requests["time"]).dt.hour.isin(NIGHT)]
    assert 0.0005 < len(night) / len(requests) < 0.01
    assert set(night["urgency"]) == {"urgent"}
    assert set(night["channel"]) == {"phone", "hotline"}


def test_heating_is_repaired_in_winter(city: City) -> None:
    requests = city.frames["requests"]
    month = pd.to_datetime(requests["time"]).dt.month[requests["item"].str.contains("暖")]
    assert month.isin([1, 2, 3, 11, 12]).mean() > 0.8


def test_requests_come_from_the_doors_of_homes_and_the_aged_ask_more(city: City) -> None:
    requests, buildings = city.frames["requests"], city.frames["buildings"].set_index("building_id")
    residents = city.frames["residents"].set_index("building_id").loc[requests["building_id"]]
    building = buildings.loc[requests["building_id"]]
    assert (residents["residents"] > 0).all()
    assert (shapely.distance(building.geometry.to_numpy(), requests.geometry.to_numpy()) < 0.01).all()
    assert (building["area_id"].to_numpy() == requests["area_id"].to_numpy()).all()
    assert (residents["residents_aged"] / residents["residents"]).mean() > FUSHUN.aged_share + 0.005


def test_a_priority_is_one_that_somebody_in_the_building_has(city: City) -> None:
    requests = city.frames["requests"]
    residents = city.frames["residents"].set_index("building_id")
    assert set(requests["priority"]) == {*PRIORITIES, ""}
    for group in PRIORITIES:
        buildings = requests["building_id"][requests["priority"] == group]
        assert (residents[f"residents_{group}"].loc[buildings] > 0).all()


def test_few_requests_are_urgent(city: City) -> None:
    shares = city.frames["requests"]["urgency"].value_counts(normalize=True)
    assert 0.01 < shares["urgent"] < 0.06
    assert shares["normal"] > 0.7


def test_what_presses_never_can_wait(any_city: City) -> None:
    requests, pressing = any_city.frames["requests"], any_city.programme.pressing
    of_item = requests["item"].isin(pressing)
    assert of_item.any()
    assert "can wait" not in set(requests["urgency"][of_item])
    assert "can wait" in set(requests["urgency"][~of_item])


def test_who_is_locked_out_or_without_heating_needs_help_at_once(city: City) -> None:
    requests = city.frames["requests"]
    urgent = (requests["urgency"] == "urgent").groupby(requests["item"]).mean()
    assert set(urgent.nlargest(2).index) == {"开锁换锁", "供暖报修"}


# --------------------------------------------------------------------------- the same again


def test_the_same_seed_makes_the_same_city_and_another_seed_another() -> None:
    first, again, other = (make_city(FUSHUN, size=0.05, seed=seed) for seed in (7, 7, 8))
    for name, frame in first.frames.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(again.frames[name]))
    assert not first.frames["residents"].equals(other.frames["residents"])
    assert not first.frames["requests"]["time"].equals(other.frames["requests"]["time"])


def test_where_the_teams_tour_is_where_the_study_says_they_serve(rural):
    plan = rural.frames["itinerary"]
    stops = as_service(plan)
    away = plan[plan["station_id"] != plan["stop_id"]]
    assert len(stops) == len(away[["station_id", "stop_id"]].drop_duplicates()) > 10
    for row in away.to_dict("records"):
        [stop] = stops[(stops["station_id"] == row["station_id"]) & (stops["name"] == row["stop_id"])].itertuples()
        assert is_open(stop.hours, f"{row['weekday']} {row['from']}")
        assert not is_open(stop.hours, f"{row['weekday']} {row['to']}")
        assert stop.geometry == row["geometry"]
