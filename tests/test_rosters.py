"""Who takes a request: agents on duty with the skill, at stops, by appointment, at the door; volunteers, the pool."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from threading import Barrier, Thread

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from lifecircle import assign, open_study
from lifecircle.dispatch import REASONS, Pool, StationIndex
from lifecircle.dispatch.requests import holding
from lifecircle.dispatch.sent import Sent
from lifecircle.errors import ClaimError, SchemaError, StudyError, UnknownNameError
from lifecircle.ground import attach_points, lay_ground
from lifecircle.study import check_study
from lifecircle.workdays import CHINA, Calendar
from test_dispatch import WIDTHS, first_come, look_at
from tiny import STUDY, at, table, write_city

AGENTS, SERVICE = 'agents = "agents.csv"\n', 'service = "service.csv"\n'
STATIONS = (
    ["s1", *at(1.2, 0.3), "main", "medicine;legal;repair", "Mo-Fr 08:00-18:00", ""],
    ["s2", *at(3.9, 0), "household", "medicine;repair", "Mo-Fr 08:00-18:00", ""],
    ["s3", *at(3.5, 2), "household", "repair;medicine", "Mo-Fr 08:00-18:00", ""],
)
MONDAY, NIGHT, WEDNESDAY = "2025-05-12 10:00", "2025-05-12 21:00", "2025-05-14 10:00"
HOME = 0.5, 0.0  # s1 is the nearest, then s2


@pytest.fixture
def open_city(tmp_path):
    def opened(agents=(), service=(), more="", stations=STATIONS):
        inputs = AGENTS * bool(agents) + SERVICE * bool(service)
        write_city(tmp_path, study=STUDY + inputs + more)
        table(tmp_path / "stations.csv", "station_id lon lat tier items hours capacity", *stations)
        table(tmp_path / "agents.csv", "代办员编号 kind station_id area_id lon lat 擅长事项 值班时间 capacity", *agents)
        table(tmp_path / "service.csv", "station_id how name lon lat hours items", *service)
        return open_study(tmp_path)

    return opened


def agent(agent_id, station="", skills="", hours="", capacity="", *, kind="agent", area="", spot=("", "")):
    return [agent_id, kind, station, area, *spot, skills, hours, capacity]


def ask(*rows):
    """Return requests (id, x, y of the grid, item, at)."""
    ids, xs, ys, items, when = zip(*rows, strict=True)
    points = [shapely.Point(at(x, y)) for x, y in zip(xs, ys, strict=True)]
    held = {"request_id": ids, "item": items, "at": when}
    return gpd.GeoDataFrame(held, geometry=points, crs="EPSG:4326")


def told(found, *columns):
    return [*found[[*columns]].itertuples(index=False, name=None)]


# -------------------------------------------------------------------------------------------------- agents and duty


def test_a_station_takes_a_request_where_somebody_on_duty_has_the_skill(open_city):
    study = open_city(
        [
            agent("a1", "s1", "medicine", "Mo 08:00-12:00"),
            agent("a2", "s1", "legal；repair"),
            agent("a3", "s2", "medicine"),
        ]
    )
    found = assign(
        study,
        ask(
            ("r1", *HOME, "medicine", MONDAY),
            ("r2", *HOME, "medicine", WEDNESDAY),
            ("r3", *HOME, "repair", WEDNESDAY),
            ("r4", 3.4, 2, "repair", WEDNESDAY),
        ),
    )
    assert told(found, "station_id", "agent_id", "reason") == [
        ("s1", "a1", ""),
        ("s2", "a3", "nearest-nobody-on-duty"),
        ("s1", "a2", ""),
        ("s3", "", ""),  # of s3 no agent is listed, so its hours say all
    ]
    assert set(found["how"]) == {""}


def test_three_on_duty_is_three_at_once_of_whom_one_has_the_skill(open_city):
    crew = [agent(f"a{i}", "s1", "legal" if i else "", "" if i < 2 else "Mo 08:00-18:00") for i in range(3)]
    study = open_city(crew, more="[dispatch]\non_duty = 3\n")
    found = assign(study, ask(("r1", *HOME, "medicine", MONDAY), ("r2", *HOME, "medicine", WEDNESDAY)))
    assert told(found, "station_id", "agent_id") == [("s1", "a0"), ("s2", "")]
    by_tier = open_city(crew, more="[dispatch]\non_duty = { household = 3 }\n")
    found = assign(by_tier, ask(("r2", *HOME, "medicine", WEDNESDAY)))
    assert told(found, "station_id", "agent_id") == [("s1", "a0")]


def test_the_least_loaded_takes_the_next_one_and_capacities_are_counted_down(open_city):
    study = open_city(
        [agent("a1", "s1", "medicine", capacity=1), agent("a2", "s1", "medicine;legal", capacity=2)],
        stations=[[*STATIONS[0][:6], 1], *STATIONS[1:]],
    )
    asked = ask(*((f"r{i}", *HOME, "medicine", MONDAY) for i in range(4)))
    assert told(assign(study, asked), "station_id", "agent_id", "reason") == [
        ("s1", "a1", ""),
        ("s1", "a2", ""),
        ("s1", "a2", ""),
        ("s2", "", "nearest-full"),
    ]


def test_where_agents_have_no_room_left_the_way_to_them_is_not_said_to_lack(open_city):
    stations = [["s1", *at(1.2, 0.3), "main", "legal", "", ""], ["s2", *at(3.9, 0), "household", "repair", "", ""]]
    tiers = '[dispatch]\ntiers = ["household", "main"]\n'
    study = open_city([agent("a1", "s1", "legal", capacity=0)], more=tiers, stations=stations)
    assert told(assign(study, ask(("r1", *HOME, "legal", MONDAY))), "reason") == [("no-room-left",)]


def test_without_a_time_everybody_is_taken_to_be_there(open_city):
    study = open_city([agent("a1", "s1", "medicine", "Su 08:00-09:00")])
    assert told(assign(study, ask(("r1", *HOME, "medicine", ""))), "station_id", "agent_id") == [("s1", "a1")]


def test_what_nobody_there_can_do_goes_up_and_says_so(open_city):
    study = open_city([agent("a2", "s2", "legal")], more='[dispatch]\ntiers = ["household", "main"]\n')
    found = assign(study, ask(("r1", 3.7, 0.05, "medicine", MONDAY)))
    assert told(found, "station_id", "reason") == [("s1", "up-nobody-on-duty")]


def test_where_nobody_is_on_duty_anywhere_the_reason_says_so(open_city):
    study = open_city([agent(f"a{i}", f"s{i}", "legal", "Tu 08:00-09:00") for i in (1, 2, 3)])
    assert told(assign(study, ask(("r1", *HOME, "legal", MONDAY))), "station_id", "reason") == [
        ("", "no-agent-on-duty")
    ]


# ------------------------------------------------------------------------------------- stops, appointments, at the door


def test_a_station_tours_and_its_stop_is_a_place_of_its_own(open_city):
    stations = [[*row[:5], "We 08:00-18:00", 3] for row in STATIONS[:1]]
    study = open_city(service=[["s1", "巡回点", "东村", *at(3.8, 0), "周一 9:00-11:00", "medicine"]], stations=stations)
    found = assign(
        study,
        ask(
            ("r1", 3.9, 0, "medicine", MONDAY),
            ("r2", 3.9, 0, "medicine", WEDNESDAY),
            ("r3", 3.9, 0, "legal", MONDAY),
            ("r4", 3.9, 0, "medicine", MONDAY),
            ("r5", 3.9, 0, "medicine", ""),
        ),
    )
    assert told(found, "station_id", "how", "stop", "reason") == [
        ("s1", "stop", "东村", ""),
        ("s1", "", "", ""),
        ("", "", "", "no-station-open"),
        ("s1", "stop", "东村", ""),
        ("", "", "", "no-room-left"),  # three for the station, wherever it serves
    ]
    assert found["walk_m"].iloc[0] < 20


def test_the_map_of_requests_shows_a_stop_that_takes_some_where_it_stands(open_city):
    study = open_city(service=[["s3", "stop", "东村", *at(0.6, 0.05), "Mo 08:00-18:00", ""]])
    asked = ask(("r1", *HOME, "repair", MONDAY), ("r2", *HOME, "repair", WEDNESDAY), ("r3", *HOME, "repair", MONDAY))
    found = assign(study, asked)
    assert found["stop"].tolist() == ["东村", "", "东村"]
    sent = Sent.of(study, asked, found)
    own = study.stations["station_id"].tolist()
    assert sent.places["station_id"].tolist() == [*own, "s3"], "a place of s3 more"
    assert sent.places["name"].iloc[-1].endswith("东村")
    assert sent.station.tolist() == [3, own.index(found["station_id"][1]), 3]
    stands = sent.places.to_crs("EPSG:4326").geometry.iloc[-1]
    assert (stands.x, stands.y) == pytest.approx(at(0.6, 0.05), abs=1e-6)


def test_a_stop_also_serves_the_community_that_it_stands_in(open_city):
    service = [["s3", "stop", "", *at(3.8, 0.05), "Mo 08:00-18:00", ""]]
    study = open_city(service=service, more='[service]\neligible = "community"\n', stations=STATIONS[2:])
    found = assign(study, ask(("r1", 3.9, 0, "repair", MONDAY), ("r2", 3.9, 0, "repair", WEDNESDAY)))
    assert told(found, "station_id", "reason") == [("s3", ""), ("", "no-station-open")]


def test_out_of_hours_a_station_serves_by_appointment_or_at_the_door(open_city):
    study = open_city(
        [agent("a1", "s1", "", "Mo-Fr 08:00-18:00")],
        [["s1", "预约", "", "", "", "", "legal"], ["s2", "door", "", "", "", "Mo-Su 08:00-22:00", "medicine;bathing"]],
    )
    found = assign(
        study,
        ask(
            ("r1", *HOME, "legal", NIGHT),
            ("r2", *HOME, "medicine", NIGHT),
            ("r3", *HOME, "legal", MONDAY),
            ("r4", *HOME, "bathing", MONDAY),
            ("r5", *HOME, "repair", NIGHT),
        ),
    )
    assert told(found, "station_id", "how", "agent_id", "reason") == [
        ("s1", "appointment", "a1", ""),
        ("s2", "door", "", "nearest-closed"),
        ("s1", "", "a1", ""),
        ("s2", "door", "", "nearest-lacks-item"),
        ("", "", "", "no-station-open"),
    ]


def test_a_request_waits_for_a_tier_to_open_within_its_time_limit_and_no_longer(open_city):
    stations = [[*STATIONS[0][:5], "", ""], *STATIONS[1:]]
    tiers = '[dispatch]\ntiers = ["household", "main"]\ntime_limit = { household = 120 }\n'
    study = open_city(more=tiers, stations=stations)
    home = 3.7, 0.05
    when = ("2025-05-12 06:00", "2025-05-12 05:59", "2025-05-12 09:00", "2025-05-16 18:30")
    found = assign(study, ask(*((f"r{i}", *home, "medicine", time) for i, time in enumerate(when))))
    assert told(found, "station_id", "how", "reason") == [
        ("s2", "wait", ""),
        ("s1", "", "up-too-late"),
        ("s2", "", ""),
        ("s1", "", "up-too-late"),
    ]


def test_nobody_waits_at_a_station_that_is_open_for_who_is_not_on_duty(open_city):
    tiers = '[dispatch]\ntiers = ["household", "main"]\ntime_limit = { household = 120 }\n'
    study = open_city([agent("a1", "s2", "medicine", "Tu 08:00-18:00")], more=tiers)
    found = assign(study, ask(("r1", 3.7, 0.05, "medicine", "2025-05-12 07:00"), ("r2", 3.7, 0.05, "medicine", MONDAY)))
    assert told(found, "station_id", "how", "reason") == [("s2", "wait", ""), ("s1", "", "up-nobody-on-duty")]


def test_no_request_is_too_late_for_a_tier_that_waits_but_does_not_offer_the_item(open_city):
    spots = [row[1:3] for row in STATIONS]
    stations = [
        ["s1", *spots[0], "centre", "", "", ""],
        ["s2", *spots[1], "household", "repair", "Mo-Fr 08:00-18:00", ""],
        ["s3", *spots[2], "main", "medicine", "Mo-Fr 08:00-18:00", ""],
    ]
    tiers = '[dispatch]\ntiers = ["household", "main", "centre"]\ntime_limit = { household = 60 }\n'
    asked = ask(("r1", 3.9, 0, "medicine", NIGHT), ("r2", 3.9, 0, "repair", NIGHT))
    found = assign(open_city(more=tiers, stations=stations), asked)
    assert told(found, "station_id", "reason") == [("s1", "up-closed"), ("s1", "up-too-late")]


@settings(max_examples=20)
@given(
    hours=st.sampled_from(
        ["Mo-Fr 09:00-17:00", "Sa 22:00-02:00", "Mo-Su 08:00-20:00; PH off", "Mo 00:00-24:00; PH 10:00-11:00"]
    ),
    start=st.datetimes(datetime(2025, 9, 25), datetime(2025, 10, 12)),
    minutes=st.integers(1, 4000),
)
def test_opening_within_some_minutes_is_being_open_at_one_of_them(hours, start, minutes):
    calendar, start = Calendar(CHINA), np.datetime64(start.replace(second=0, microsecond=0), "s")
    each = start + np.arange(minutes + 1) * np.timedelta64(60, "s")
    found = calendar.opens_within(hours, np.array([start]), minutes)
    assert found.tolist() == [bool(calendar.opened_at(each)(hours).any())]


# ------------------------------------------------------------------------------------------------------- two together


JOINT = '[dispatch]\njoint = { dispute = ["law", "police"] }\n'


def test_two_handle_together_of_one_station_or_of_the_next_one(open_city):
    stations = [[*row[:4], "", *row[5:]] for row in STATIONS]
    crew = [
        agent("lead", "s1", "law"),
        agent("both", "s1", "law;police", capacity=1),
        agent("far", "s3", "police", capacity=1),
        agent("near", "s2", "police", "We 08:00-18:00"),
    ]
    asked = ask(*((f"r{i}", *HOME, "dispute", MONDAY) for i in range(4)))
    study = open_city(crew, more=JOINT, stations=stations)
    assert told(assign(study, asked), "station_id", "agent_id", "assist_id", "reason") == [
        ("s1", "both", "far", ""),  # the least loaded, by id; who leads does not assist as well
        ("s1", "lead", "", "nobody-to-assist"),
        ("s1", "lead", "", "nobody-to-assist"),
        ("s1", "lead", "", "nobody-to-assist"),
    ]
    study = open_city([agent("lead", "s1", "law"), *crew[2:], agent("same", "s1", "police", capacity=1)], more=JOINT)
    study = replace(study, stations=study.stations.assign(items=""))
    found = assign(study, asked.assign(at=[MONDAY, MONDAY, WEDNESDAY, MONDAY]))
    assert found["assist_id"].tolist() == ["same", "far", "near", ""]


def test_who_assists_is_one_whose_station_may_serve_the_home(open_city):
    study = open_city(
        [agent("lead", "s1", "law"), agent("north", "s3", "police")],
        more='[service]\neligible = "community"\n' + JOINT,
        stations=[[*row[:4], "", *row[5:]] for row in STATIONS],
    )
    found = assign(study, ask(("r1", 0.5, 0.1, "dispute", MONDAY)))
    assert told(found, "agent_id", "assist_id", "reason") == [("lead", "", "nobody-to-assist")]


# ------------------------------------------------------------------------------------------------ volunteers and teams


def test_volunteers_take_what_no_station_can_and_what_is_theirs_first(open_city):
    study = open_city(
        [
            agent("v1", kind="志愿者", skills="english;shopping", spot=at(2, 0)),
            agent("v2", kind="volunteer", skills="english", spot=at(0.4, 0), hours="We 08:00-18:00"),
            agent("t1", kind="队伍", skills="english", area="n"),
            agent("t2", kind="team", skills="shopping", area="d", capacity=1),
        ],
        more='[dispatch]\nvolunteers = ["shopping", "medicine"]\n',
        stations=STATIONS[:1],
    )
    found = assign(
        study,
        ask(
            ("r1", *HOME, "english", MONDAY),
            ("r2", *HOME, "english", WEDNESDAY),
            ("r3", 0.5, 1.5, "shopping", MONDAY),
            ("r4", *HOME, "medicine", MONDAY),
            ("r5", *HOME, "repair", NIGHT),
        ),
    )
    assert told(found, "station_id", "agent_id", "how", "reason") == [
        ("", "v1", "volunteer", "no-station-offers-item"),
        ("", "v2", "volunteer", "no-station-offers-item"),
        ("", "v1", "volunteer", "volunteers-first"),
        ("s1", "", "", ""),  # no volunteer can, so the station does
        ("", "", "", "no-station-open"),
    ]
    assert found["walk_m"].iloc[1] < 10 < found["walk_m"].iloc[0]


def test_who_has_an_area_alone_helps_there_when_nobody_stands_near(open_city):
    study = open_city(
        [
            agent("t1", kind="team", area="n"),
            agent("t2", kind="team", area="d", capacity=2),
            agent("t3", kind="team", area="d"),
        ],
        stations=[[*STATIONS[0][:4], "legal", *STATIONS[0][5:]]],
    )
    found = assign(study, ask(*((f"r{i}", 0.5, y, "walk", MONDAY) for i, y in enumerate((1.9, 0, 0, 0, 0, 0)))))
    assert found["agent_id"].tolist() == ["t1", "t2", "t3", "t2", "t3", "t3"]
    assert found["walk_m"].isna().all()


def test_a_volunteer_of_a_station_stands_there_and_keeps_no_station_open(open_city):
    study = open_city(
        [agent("a1", "s1", "", "Tu 08:00-09:00"), agent("v1", "s1", kind="volunteer")], stations=STATIONS[:1]
    )
    [row] = assign(study, ask(("r1", *HOME, "medicine", MONDAY))).to_dict("records")
    assert (row["station_id"], row["agent_id"], row["reason"]) == ("", "v1", "no-agent-on-duty")
    assert row["walk_m"] > 0


# --------------------------------------------------------------------------------------------------------- the pool

POOL = '[dispatch]\npool = ["repair"]\n'


@pytest.fixture
def pooled(open_city):
    crew = [
        agent("a2", "s2", "repair"),
        agent("a1", "s1", "repair", capacity=1),
        agent("idle", "s1", "legal"),
        agent("off", "s1", "", "Tu 08:00-09:00"),
        agent("v1", kind="volunteer", spot=at(0.4, 0)),
        agent("t1", kind="team", area="s"),
    ]
    return open_city(crew, more=POOL)


def test_what_is_in_the_pool_is_given_to_nobody_and_says_how_many_may_claim_it(pooled):
    found = assign(pooled, ask(("r1", 0.5, 0.1, "repair", MONDAY), ("r2", 0.5, 0.1, "legal", MONDAY)))
    assert told(found, "station_id", "agent_id", "reason", "may_claim") == [
        ("", "", "pool", 4),
        ("s1", "idle", "", 0),
    ]


def test_the_first_who_may_claim_has_it_and_nobody_else(pooled):
    pool = Pool.of(pooled, ask(*((f"r{i}", 0.5, 0.1, "repair", MONDAY) for i in range(2))))
    assert pool.may_claim["r0"] == ("v1", "a1", "a2", "t1")
    pool.claim("r0", "a1")
    assert (pool.open, pool.taken) == (("r1",), {"r0": "a1"})
    for request, who, why in (("r0", "a2", "taken"), ("r1", "idle", "may not"), ("r1", "a1", "room")):
        with pytest.raises(ClaimError, match=why):
            pool.claim(request, who)
    with pytest.raises(UnknownNameError):
        pool.claim("r9", "a1")


def test_who_takes_none_at_all_is_nobody_who_may_claim(open_city):
    nothing = [
        agent("a1", "s1", capacity=0),
        agent("v1", kind="volunteer", spot=at(0.4, 0), capacity=0),
        agent("t1", kind="team", area="s", capacity=0),
    ]
    study, asked = open_city(nothing, more=POOL), ask(("r1", 0.5, 0.1, "repair", MONDAY))
    assert told(assign(study, asked), "reason", "may_claim") == [("nobody-may-claim", 0)]
    assert Pool.of(study, asked).may_claim == {"r1": ()}


def test_a_pool_of_no_requests_is_empty(pooled):
    assert Pool.of(pooled, ask(("r1", 0.5, 0.1, "legal", MONDAY))).may_claim == {}


def test_of_many_who_claim_at_once_one_has_it():
    everybody, had, gate = tuple(f"a{i}" for i in range(16)), [], Barrier(16)
    pool = Pool({f"r{i}": everybody for i in range(50)})

    def claim_all(who):
        gate.wait()
        for request in pool.may_claim:
            try:
                pool.claim(request, who)
            except ClaimError:
                continue
            had.append((request, who))

    threads = [Thread(target=claim_all, args=(who,)) for who in everybody]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(request for request, _ in had) == sorted(pool.may_claim)
    assert pool.taken == dict(had)


# ------------------------------------------------------------------------------------------------- lookups know it too


def test_a_lookup_knows_who_is_on_duty_and_where_a_station_tours(open_city, tmp_path):
    study = open_city(
        [agent("a1", "s1", "legal", "Mo 08:00-18:00")], [["s2", "stop", "桥头", *at(0.4, 0), "Mo 08:00-12:00", ""]]
    )
    index = StationIndex.of_study(study)
    index.save(tmp_path / "stations.index")
    for each in (index, StationIndex.load(tmp_path / "stations.index")):
        found = each.find(*at(*HOME), number=9, item="medicine", at=datetime(2025, 5, 12, 10))
        assert [(f.station, getattr(f, "stop", "")) for f in found] == [(1, "桥头"), (1, ""), (2, "")]
        assert [f.station for f in each.find(*at(*HOME), item="legal", at=datetime(2025, 5, 12, 10))] == [0]
        assert each.find(*at(*HOME), item="legal", at=datetime(2025, 5, 13, 10)) == []
        assert [f.station for f in each.find(*at(*HOME), number=9, item="medicine")] == [1, 2]
        assert each.nearest(*at(*HOME))[0] == 0
        left = np.array([True, False, True])
        found = each.find(*at(*HOME), item="medicine", at=datetime(2025, 5, 12, 10), left=left)
        assert [f.station for f in found] == [2]


def test_a_lookup_without_a_time_counts_on_whom_a_request_without_one_gets(open_city):
    study = open_city(
        [agent("a1", "s1")],
        [["s2", "stop", "桥头", *at(0.4, 0), "", ""], ["s3", "stop", "东村", *at(0.5, 0), "Mo 08:00-12:00", ""]],
        "[dispatch]\non_duty = 2\n",
    )
    [row] = assign(study, ask(("r1", *HOME, "", ""))).to_dict("records")
    assert (row["station_id"], row["stop"]) == ("s2", "桥头")  # at s1 there are never two, and who knows where s3 is
    found = StationIndex.of_study(study).find(*at(*HOME), number=9)
    assert [(f.station, getattr(f, "stop", "")) for f in found] == [(1, "桥头"), (1, ""), (2, "")]


# ------------------------------------------------------------------------------------------------ against plain loops


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A study of seven stations of two tiers anywhere on the grid, with nobody yet, and the ground under it."""
    folder, random = write_city(tmp_path_factory.mktemp("crowded")), np.random.default_rng(3)
    spots = [[f"s{i}", *at(*random.uniform(0, [4, 2])), ("low", "high")[i % 2]] for i in range(7)]
    table(folder / "stations.csv", "station_id lon lat tier", *spots)
    study = open_study(folder)
    return study, lay_ground(study)


ITEMS, HOURS = ("a", "b", "c"), ("", "Mo 08:00-12:00", "We 08:00-18:00", "Mo,We 09:00-17:00")


def some(random, few=ITEMS):
    """Return a list of items: none, one or two."""
    return ";".join(sorted(random.choice(few, random.integers(0, 3), replace=False)))


def peopled(study, random):
    """Return a study with random agents, stops, appointments, service at the door, volunteers and rules."""
    spot = lambda: shapely.Point(at(*random.uniform(0, [4, 2])))  # noqa: E731
    n, stations = 18, study.stations["station_id"].to_numpy()
    kind = random.choice(["agent", "agent", "volunteer", "team"], n)
    station = np.where(random.random(n) < 0.7, random.choice(stations[:5], n), "")
    area = np.where((station == "") & (random.random(n) < 0.5), random.choice(["s", "n", "d"], n), "")
    own = [spot() if not s and not a else None for s, a in zip(station, area, strict=True)]
    agents = {
        "agent_id": [f"a{i:02}" for i in range(n)],
        "kind": kind,
        "station_id": station,
        "area_id": area,
        "skills": [some(random) for _ in range(n)],
        "hours": random.choice(HOURS, n),
        "capacity": random.choice([np.nan, 1.0, 2.0], n, p=[0.6, 0.2, 0.2]),
    }
    how = random.choice(["stop", "appointment", "door"], 5)
    service = {
        "station_id": random.choice(stations, 5),
        "how": how,
        "name": [f"p{i}" for i in range(5)],
        "hours": random.choice(HOURS[1:], 5),
        "items": [some(random) for _ in range(5)],
    }
    frames = (
        gpd.GeoDataFrame(data, geometry=places, crs="EPSG:4326").to_crs(study.crs)
        for data, places in ((agents, own), (service, [spot() if each == "stop" else None for each in how]))
    )
    agents, service = frames
    room = random.choice([np.nan, 1.0, 3.0], len(stations))
    held = {"items": [some(random) for _ in stations], "hours": random.choice(HOURS, len(stations)), "capacity": room}
    dispatch = replace(
        study.settings.dispatch,
        tiers=("low", "high") if random.random() < 0.5 else (),
        on_duty={"": int(random.integers(1, 3))},
        joint={"b": ("b", "c")} if random.random() < 0.5 else {},
        volunteers=("c",) if random.random() < 0.5 else (),
        pool=("p",),
        time_limit={"low": 90.0} if random.random() < 0.5 else {},
    )
    eligible = random.choice(["any", "community"])
    return replace(
        study,
        agents=agents,
        service=service.sort_values("station_id", kind="stable").reset_index(drop=True),
        stations=study.stations.assign(**held),
        settings=replace(study.settings, dispatch=dispatch, eligible=eligible),
    )


def walks(study, ground, points, asked):
    """Return (n_requests, n_points) seconds and metres of the walks to some points of the study's CRS."""
    seconds, building = np.full((len(asked), len(points)), np.inf), study.buildings
    snaps = []
    for each in (np.array(points, dtype=object), asked.to_crs(study.crs).geometry.to_numpy()):
        held = gpd.GeoDataFrame(
            {"building_id": holding(each, (building, "building_id"))[0]}, geometry=each, crs=study.crs
        )
        snaps.append(attach_points(study, ground, held))
    found = ground.reference.within(*snaps, cutoff_s=np.inf)
    for row in range(found.n_facilities):
        who, each = found.row(row)
        seconds[who, row] = each
    return seconds


NOWHERE = {
    "item": "no-station-offers-item",
    "hours": "no-station-open",
    "duty": "no-agent-on-duty",
    "way": "unreachable",
    "room": "no-room-left",
}
NEAREST = dict(zip(NOWHERE, ("lacks-item", "closed", "nobody-on-duty", "", "full"), strict=True))
NEAREST = {lack: f"nearest-{told}" for lack, told in NEAREST.items()}
UP = dict(zip(NOWHERE, ("lacks-item", "closed", "nobody-on-duty", "unreachable", "full"), strict=True))
UP = {lack: f"up-{told}" for lack, told in {**UP, "late": "too-late"}.items()}


@cache
def holds(hours, when):
    return Calendar(CHINA).opened(when)(hours)


class Loops:
    """Who takes what, by nothing but loops over requests, places and people."""

    def __init__(self, study, ground, asked):
        self.study, self.asked, self.dispatch = study, asked, study.settings.dispatch
        points = asked.to_crs(study.crs).geometry.to_numpy()
        self.home = holding(points, (study.areas, "area_id"))[0]
        self.parent = dict(zip(study.areas["area_id"], study.areas["parent_id"], strict=True))
        self.ids = study.stations["station_id"].tolist()
        self.station = {c: dict(zip(self.ids, study.stations[c], strict=True)) for c in study.stations}
        self.service, self.load, self.areas = [*study.service.itertuples()], {}, {}
        self.when = [datetime.fromisoformat(text) for text in asked["at"]]
        self.agents = study.agents.sort_values("agent_id").to_dict("records")
        self.staff = [a for a in self.agents if a["station_id"] and a["kind"] != "volunteer"]
        self.others = [a for a in self.agents if a not in self.staff]
        stops = [row for row in self.service if row.how == "stop"]
        self.places = [(s, "", None) for s in self.ids] + [(row.station_id, "stop", row) for row in stops]
        self.spots = [*study.stations.geometry, *(row.geometry for row in stops)]
        self.seconds = walks(study, ground, self.spots, asked)
        stand = [
            a["geometry"] or (self.station["geometry"][a["station_id"]] if a["station_id"] else None)
            for a in self.others
        ]
        self.stands = [spot is not None for spot in stand]
        self.to_helper = walks(study, ground, [spot or self.spots[0] for spot in stand], asked)
        self.left = {**self.station["capacity"]}
        for agent in self.staff:
            if not np.isnan(agent["capacity"]):
                self.left[agent["station_id"]] = np.nan

    def area_of(self, point):
        if point not in self.areas:
            self.areas[point] = holding(np.array([point]), (self.study.areas, "area_id"))[0][0]
        return self.areas[point]

    def up(self, area):
        while area:
            yield area
            area = self.parent[area]

    def open(self, hours, i, later_min=0):
        return not hours or holds(hours, self.when[i] + timedelta(minutes=later_min))

    def has(self, items, item):
        return not items or not item or item in items.split(";")

    def free(self, agent):
        return not self.load.get(agent["agent_id"], 0) >= agent["capacity"]

    def who(self, i, station, skill, *, any_time=False, but=None):
        """Return those of a station who can, and whether enough are on duty."""
        crew = [a for a in self.staff if a["station_id"] == station]
        there = [a for a in crew if any_time or self.open(a["hours"], i)]
        enough = any_time or len(there) >= self.dispatch.on_duty[""]
        return crew, [a for a in there if self.has(a["skills"], skill) and a["agent_id"] != but], enough

    def eligible(self, i, area):
        if self.study.settings.eligible == "any":
            return True
        group = next((a for a in self.up(self.home[i]) if a in ("s", "n")), None)
        return group is not None and group in self.up(area)

    def may(self, i, place):
        station, how, row = place
        if how and self.study.settings.eligible != "any" and self.eligible(i, self.area_of(row.geometry)):
            return True
        own = self.station["area_id"][station]
        if self.dispatch.tiers and self.home[i]:
            tier = self.station["tier"][station]
            for area in self.up(self.home[i]):
                held = [s for s in self.ids if area in self.up(self.station["area_id"][s])]
                if any(self.station["tier"][s] == tier for s in held):
                    return station in held and self.eligible(i, own)
            return False
        return self.eligible(i, own)

    def ways(self, i, place):
        """Yield how a place serves: by which way, with which items, and whether at the time of the request."""
        station, how, row = place
        items, hours = self.station["items"][station], self.station["hours"][station]
        if how:
            yield how, row.items or items, self.open(row.hours, i)
            return
        yield "", items, self.open(hours, i)
        for way in ("appointment", "door"):
            for each in self.service:
                if (each.how, each.station_id) == (way, station):
                    yield way, each.items or items, self.open(each.hours, i)
        minutes = range(int(self.waits(place)) + 1)
        yield "wait", items, not self.open(hours, i) and any(self.open(hours, i, later) for later in minutes)

    def waits(self, place):
        return 0 if place[1] else self.dispatch.time_limit.get(self.station["tier"][place[0]], 0)

    def can(self, i, place, item):
        """Return how a place can take a request, and whom of it, None where it cannot."""
        lead = self.dispatch.joint.get(item, (item,))[0]
        for how, items, now in self.ways(i, place):
            crew, able, enough = self.who(i, place[0], lead, any_time=how in ("appointment", "wait"))
            if self.has(items, item) and now and (not crew or (able and enough)):
                return how, crew, able
        return None

    def lacks(self, i, places):
        """Return what some places all lack to take a request."""
        item, ways = self.asked["item"][i], {p: [*self.ways(i, self.places[p])] for p in places}
        offering = [p for p in places if any(self.has(items, item) for _, items, _ in ways[p])]
        opened = [p for p in offering if any(self.has(items, item) and now for _, items, now in ways[p])]
        able = [p for p in opened if self.can(i, self.places[p], item)]
        late = any(self.waits(self.places[p]) for p in offering)
        lack = {"item": offering, "late" if late else "hours": opened, "duty": able}
        lack["way"] = [p for p in able if np.isfinite(self.seconds[i, p])]
        return next((what for what, there in lack.items() if not there), "room")

    def why(self, i, place):
        """Return why a request goes to a place (None: to none), and not to the nearest."""
        may, n = [p for p in range(len(self.places)) if self.may(i, self.places[p])], len(self.ids)
        if place is None:
            return NOWHERE[self.lacks(i, may).replace("late", "hours")] if may else "no-eligible-station"
        nearest, rank = int(np.argmin(self.seconds[i, :n])), [self.rank(station) for station, _, _ in self.places]
        lower = [p for p in may if rank[p] < rank[place]]
        if place == nearest or (not lower and place >= n and self.seconds[i, place] <= self.seconds[i, nearest]):
            return ""
        if lower:
            return UP[self.lacks(i, lower)]
        if nearest not in may:
            return "nearest-not-eligible"
        lack = self.lacks(i, [nearest]).replace("late", "hours")
        return "nearest-higher-tier" if lack == "room" and rank[nearest] > rank[place] else NEAREST[lack]

    def rank(self, station):
        return self.dispatch.tiers.index(self.station["tier"][station]) if self.dispatch.tiers else 0

    def in_turn(self):
        found = {
            i: {"station_id": "", "agent_id": "", "assist_id": "", "how": "", "stop": ""}
            for i in range(len(self.asked))
        }
        item, n = self.asked["item"], len(self.asked)
        turns = sorted((i for i in range(n) if item[i] != "p"), key=lambda i: self.asked["at"][i])
        for i in turns:
            if item[i] in self.dispatch.volunteers:
                self.help(i, found, placed=True)
        for i in turns:
            if item[i] in self.dispatch.volunteers and not found[i]["agent_id"]:
                self.help(i, found, placed=False)
        to_stations = [i for i in turns if not found[i]["agent_id"]]
        for i in turns:
            found[i]["reason"] = "volunteers-first" if found[i]["agent_id"] else self.why(i, None)
        for i in to_stations:
            order = sorted(range(len(self.places)), key=lambda p: (self.rank(self.places[p][0]), self.seconds[i, p], p))
            for p in order:
                place = self.places[p]
                able = self.can(i, place, item[i]) if self.may(i, place) and np.isfinite(self.seconds[i, p]) else None
                if able is None or self.left[place[0]] < 1:
                    continue
                how, crew, agents = able
                agents = [a for a in agents if self.free(a)]
                if crew and not agents:
                    continue
                agent = min(agents, key=lambda a: self.load.get(a["agent_id"], 0))["agent_id"] if crew else ""
                self.load[agent] = self.load.get(agent, 0) + 1
                self.left[place[0]] -= 1
                stop = place[2].name if how == "stop" else ""
                found[i] |= {"station_id": place[0], "agent_id": agent, "how": how, "stop": stop}
                found[i]["reason"] = self.why(i, p)
                break
        for i in to_stations:
            if found[i]["agent_id"] and item[i] in self.dispatch.joint:
                self.assist(i, found[i])
        last = [i for i in to_stations if not found[i]["station_id"] and item[i] not in self.dispatch.volunteers]
        for placed in (True, False):
            for i in last:
                if not found[i]["agent_id"]:
                    self.help(i, found, placed=placed)
        return found

    def assist(self, i, row):
        skill, any_time = self.dispatch.joint[self.asked["item"][i]][1], row["how"] in ("appointment", "wait")
        n = len(self.ids)
        near = sorted(range(n), key=lambda p: (self.rank(self.places[p][0]), self.seconds[i, p], p))
        near = [self.places[p][0] for p in near if np.isfinite(self.seconds[i, p]) and self.may(i, self.places[p])]
        for station, late in ((row["station_id"], any_time), *((s, False) for s in near)):
            _, able, _ = self.who(i, station, skill, any_time=late, but=row["agent_id"])
            able = [a for a in able if self.free(a)]
            if able:
                who = min(able, key=lambda a: self.load.get(a["agent_id"], 0))["agent_id"]
                self.load[who] = self.load.get(who, 0) + 1
                row["assist_id"] = who
                return
        row["reason"] = "nobody-to-assist"

    def help(self, i, found, *, placed):
        best = None
        for number, agent in enumerate(self.others):
            item = self.asked["item"][i]
            able = self.has(agent["skills"], item) and self.open(agent["hours"], i) and self.free(agent)
            if not able or self.stands[number] != placed:
                continue
            above = [*self.up(self.home[i])]
            if agent["area_id"]:
                if agent["area_id"] not in above:
                    continue
                key = (above.index(agent["area_id"]), self.load.get(agent["agent_id"], 0), number)
            if placed:
                if agent["station_id"]:
                    near = self.may(i, (agent["station_id"], "", None))
                else:
                    near = self.eligible(i, self.area_of(agent["geometry"]))
                if not near or not np.isfinite(self.to_helper[i, number]):
                    continue
                key = (self.to_helper[i, number], number)
            best = min(best or (key, number), (key, number))
        if best:
            who = self.others[best[1]]["agent_id"]
            self.load[who] = self.load.get(who, 0) + 1
            found[i] |= {"agent_id": who, "how": "volunteer"}


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), widths=st.sampled_from(WIDTHS))
def test_everybody_gets_whom_plain_loops_would_give_them_and_is_told_why(crowded, seed, widths):
    with pytest.MonkeyPatch.context() as patch:
        look_at(patch, widths)
        check_against_loops(crowded, seed)


def check_against_loops(crowded, seed):
    random, (study, ground) = np.random.default_rng(seed), crowded
    study, n = peopled(study, random), 40
    spots = random.uniform([0, -0.2], [4, 2.2], (n, 2))
    asked = ask(
        *(
            (
                f"r{i:02}",
                *spot,
                random.choice(["", "a", "b", "b", "c", "d"]),
                f"2025-05-{random.choice([12, 14, 15])} {random.choice(['08', '09'])}:{i:02}",
            )
            for i, spot in enumerate(spots)
        )
    )
    expected = pd.DataFrame.from_dict(Loops(study, ground, asked).in_turn(), orient="index")
    found = assign(study, asked, ground=ground)
    columns = [c for c in expected if c in found]
    pd.testing.assert_frame_equal(
        found[columns].astype(object), expected[columns].sort_index().astype(object), check_index_type=False
    )
    assert set(found["reason"]) <= set(REASONS)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), touring=st.booleans())
def test_lookups_find_whom_a_request_alone_is_sent_to(crowded, seed, touring):
    from lifecircle.api.lookup import Lookup
    from lifecircle.api.query import Wanted

    random, (study, ground) = np.random.default_rng(seed), crowded
    study = peopled(study, random)
    staff = study.agents[(study.agents["station_id"] != "") & (study.agents["kind"] != "volunteer")]
    service = study.service[touring | (study.service["how"] != "stop")]
    service = service.assign(hours=service["hours"].where(random.random(len(service)) < 0.5, ""))
    rules = replace(study.settings.dispatch, tiers=(), volunteers=(), time_limit={"low": 90.0})
    study = replace(
        study,
        agents=staff.assign(capacity=np.nan).reset_index(drop=True),
        service=service.reset_index(drop=True),
        stations=study.stations.assign(capacity=np.nan),
        settings=replace(study.settings, dispatch=rules),
    )
    when = random.choice(["", MONDAY, WEDNESDAY, NIGHT, "2025-05-12 07:10"], 12)
    spots = random.uniform([0, -0.2], [4, 2.2], (12, 2))
    asked = ask(*((f"r{i}", *spot, random.choice(["", *ITEMS, "d"]), when[i]) for i, spot in enumerate(spots)))
    index, lookup = StationIndex.of_study(study, ground=ground), Lookup(study, ground)
    home = holding(asked.to_crs(study.crs).geometry.to_numpy(), (study.areas, "area_id"))[0]
    ids = study.stations["station_id"]
    for i, row in enumerate(assign(study, asked, ground=ground).to_dict("records")):
        place, item = (asked.geometry[i].x, asked.geometry[i].y), str(asked["item"][i])
        moment = datetime.fromisoformat(when[i]) if when[i] else None
        found = index.find(*place, item=item, at=moment, area_id=home[i])
        sent = [(row["station_id"], row.get("stop", ""))] if row["station_id"] else []
        assert [(ids[f.station], getattr(f, "stop", "")) for f in found] == sent
        if not touring:
            answer = lookup.nearest(place, Wanted(item=item, at=moment))
            assert [ids[f.station] for f in answer.found] == [s for s, _ in sent]
            assert row["reason"] in (answer.reason, "nobody-to-assist")  # who assists counts in a batch alone


# ------------------------------------------------------------------------------------------ exports of a city's hotline

BAD_ROWS = {
    "no-geometry": ["SR-0010", "SR-0050", "SR-0130"],
    "zero-coordinates": ["SR-0020", "SR-0030", "SR-0060"],
    "wrong-place": ["SR-0040", "SR-0070"],
    "unsnappable": ["SR-0080"],
    "swapped-axes": ["SR-0090"],
    "not-finite": ["SR-0100", "SR-0110", "SR-0210"],
    "duplicate-id": ["SR-0001"],
    "missing-id": [""],
    "not-degrees": ["SR-0150"],
}
"""Of tests/cases/requests_311.csv, made up: 250 kinds of requests, seven ways to write a time, every slip there is."""


def test_of_an_export_every_bad_row_is_named_and_none_is_lost(open_city, tmp_path, run, repository):
    open_city([agent("a1", "s1")])
    export, out = repository / "tests" / "cases" / "requests_311.csv", tmp_path / "out"
    code, _, warned = run("assign", tmp_path, export, "--datum", "wgs84", "--out", out)
    assert code == 0
    given = pd.read_csv(export, dtype=str, keep_default_na=False)
    found = pd.read_csv(out / "assigned" / "assigned.csv", dtype=str, keep_default_na=False)
    assert given["Complaint Type"].nunique() == 250
    assert found["request_id"].tolist() == given["Unique Key"].tolist()
    assert set(found["synthetic"]) == {"yes"}
    for reason, ids in BAD_ROWS.items():
        assert found["request_id"][found["reason"] == reason].tolist() == ids, reason
    medicine = found[(given["Complaint Type"] == "medicine") & ~found["reason"].isin(BAD_ROWS)]
    assert len(medicine)
    unread = next(line for line in warned.splitlines() if "at is no day and time" in line)
    assert "[SR-0160, SR-0170, SR-0190, SR-0200]" in unread


# ----------------------------------------------------------------------------------------------------- what check tells


def findings(study, layer):
    return {b.rule: list(b.ids) for b in study.findings if b.layer == layer}


def test_check_tells_of_each_row_of_a_roster_that_cannot_be_meant(open_city, tmp_path):
    with pytest.raises(SchemaError):
        open_city(
            [
                agent("a1", "s9"),
                agent("a2"),
                agent("a3", area="x"),
                agent("a4", spot=at(-20_000, 0)),
                agent("a5", "s1"),
                agent("a5", "s2"),
                agent("", "s1"),
            ],
            [
                ["s9", "stop", "", *at(1, 0), "", ""],
                ["s1", "stop", "", "", "", "", ""],
                ["s1", "by horse", "", "", "", "", ""],
                ["s2", "door", "", "", "", "whenever", ""],
            ],
        )
    told = {(b.layer, b.rule): list(b.ids) for b in check_study(tmp_path)[1] if b.severity == "error"}
    assert told == {("agents", "duplicate-id"): ["a5"], ("agents", "missing-id"): ["row 8"]} | {
        ("service", "unknown-id"): ["s9"],
        ("service", "no-geometry"): ["s1"],
        ("service", "unknown-value"): ["s1"],
        ("service", "bad-hours"): ["s2"],
    }


def test_check_tells_of_agents_whom_nobody_knows_where_to_find(open_city, tmp_path):
    with pytest.raises(SchemaError):
        open_city([agent("a1", "s9"), agent("a2"), agent("a3", area="x"), agent("a4", spot=at(-20_000, 0))])
    told = [(b.rule, *b.ids) for b in check_study(tmp_path)[1] if b.layer == "agents" and b.severity == "error"]
    assert told == [
        ("no-geometry", "a2"),
        ("wrong-place", "a4"),
        ("unknown-id", "a1 -> s9"),
        ("unknown-id", "a3 -> x"),
    ]


def test_agents_of_a_city_without_stations_are_told_of_as_such(open_city):
    with pytest.raises(SchemaError, match="stations: nothing in it"):
        open_city([agent("v1", kind="volunteer", spot=at(1, 1))], stations=())


def test_an_item_that_two_handle_may_have_blanks_about_its_name(open_city):
    crew = [agent("a1", "s1", "legal"), agent("a2", "s1", "repair")]
    study = open_city(crew, more='[dispatch]\njoint = { " medicine " = ["legal", "repair"] }\n')
    found = assign(study, ask(("r1", *HOME, "medicine", MONDAY)))
    assert told(found, "agent_id", "assist_id") == [("a1", "a2")]


def test_check_tells_what_of_a_roster_is_read_otherwise_or_doubtful(open_city):
    study = open_city(
        [
            agent("a1", "s1", "flying", "周一至周五 8:30-17:30", kind="工作人员"),
            agent("a2", "s2", "medicine", "whenever", capacity=3, kind="chief"),
        ],
        more='[dispatch]\non_duty = 2\njoint = { repair = ["repair", "legal"] }\n',
        stations=[[*row[:6], 9] for row in STATIONS],
    )
    assert {rule: ids for rule, ids in findings(study, "agents").items() if rule != "alias"} == {
        "hours-in-words": ["a1"],
        "bad-hours": ["a2"],
        "unknown-role": ["a2"],
        "unasked-skill": ["a1"],
        "lacking-skill": ["legal", "repair"],
        "too-few-agents": ["s1", "s2"],
        "capacity-of-agents": ["s2"],
    }


def test_coordinates_of_a_row_that_is_no_stop_are_told_to_count_for_nothing(open_city):
    study = open_city(service=[["s1", "door", "", *at(1, 0), "", ""], ["s2", "door", "", "", "", "", ""]])
    assert findings(study, "service")["idle-place"] == ["s1"]


def test_names_and_telephones_of_agents_are_not_read(open_city, tmp_path, run):
    open_city([agent("a1", "s1")])
    rows = [["a1", "s1", "王小明", "13812345678"], ["13912345678", "s1", "李四", ""]]
    table(tmp_path / "agents.csv", "agent_id station_id 姓名 联系电话", *rows)
    told = check_study(tmp_path)[1]
    assert {"personal-data", "missing-id"} <= {b.rule for b in told if b.layer == "agents"}
    run("check", tmp_path, "--out", tmp_path / "out")
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out" / "check").iterdir())
    assert not any(word in written for word in ("王小明", "李四", "13812345678", "13912345678"))


def test_no_cell_of_an_agent_that_cannot_be_meant_is_shown(open_city, tmp_path, run):
    open_city([agent("a1", "s1", "问张三", "李四值班", kind="王小明")])
    assert {"bad-hours", "unknown-role", "unasked-skill"} <= {b.rule for b in check_study(tmp_path)[1]}
    run("check", tmp_path, "--out", tmp_path / "out")
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out" / "check").iterdir())
    assert "a1" in written
    assert not any(word in written for word in ("张三", "李四", "王小明"))


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("on_duty = 0\n", "out-of-range"),
        ('on_duty = { household = "three" }\n', "wrong-type"),
        ("joint = 3\n", "wrong-type"),
        ('joint = { a = ["b"] }\n', "wrong-type"),
        ("pool = 3\n", "wrong-type"),
        ("time_limit = { household = -1 }\n", "wrong-type"),
        ("time_limit = { household = 1e13 }\n", "out-of-range"),
    ],
)
def test_what_a_roster_cannot_mean_is_told(open_city, more, rule):
    with pytest.raises(StudyError) as refused:
        open_city(more=f"[dispatch]\n{more}")
    assert [b.rule for b in refused.value.breaches] == [rule]


def test_a_tier_that_no_station_has_is_told_of_who_is_on_duty_too(open_city):
    study = open_city(more="[dispatch]\non_duty = { centre = 3 }\n")
    with pytest.raises(StudyError, match="centre"):
        assign(study, ask(("r1", *HOME, "medicine", MONDAY)))


# --------------------------------------------------------------------------------------------- the least walking of all


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), widths=st.sampled_from(WIDTHS))
def test_all_together_walk_the_least_that_the_capacities_of_agents_allow(crowded, seed, widths):
    with pytest.MonkeyPatch.context() as patch:
        look_at(patch, widths)
        check_the_least(crowded, seed)


def check_the_least(crowded, seed):
    random, (study, ground), n = np.random.default_rng(seed), crowded, 30
    ids = study.stations["station_id"].to_numpy()
    held = {
        "agent_id": [f"a{i:02}" for i in range(12)],
        "kind": "agent",
        "station_id": random.choice(ids[:5], 12),
        "area_id": "",
        "skills": [some(random) for _ in range(12)],
        "hours": "",
        "capacity": random.choice([1.0, 2.0, 3.0], 12),
    }
    agents = gpd.GeoDataFrame(held, geometry=np.full(12, None), crs=study.crs)
    tours = gpd.GeoDataFrame(
        {"station_id": random.choice(ids, 4), "how": "stop", "name": "", "hours": "", "items": ""},
        geometry=[shapely.Point(at(*random.uniform(0, [4, 2]))) for _ in range(4)],
        crs="EPSG:4326",
    ).to_crs(study.crs)
    study = replace(study, agents=agents, service=tours, stations=study.stations.assign(capacity=2.0))
    asked = ask(
        *((f"r{i:02}", *spot, random.choice(ITEMS), MONDAY) for i, spot in enumerate(random.uniform(0, [4, 2], (n, 2))))
    )
    seconds = walks(study, ground, [*study.stations.geometry, *tours.geometry], asked)
    for stop, station in enumerate(tours["station_id"]):
        own = int(np.flatnonzero(ids == station)[0])
        seconds[:, own] = np.minimum(seconds[:, own], seconds[:, len(ids) + stop])
    slots = []  # a column of costs for each request that an agent, or a station without agents, can take
    for number, station in enumerate(ids):
        crew = agents[agents["station_id"] == station]
        for row in crew.itertuples():
            can = [not row.skills or item in row.skills.split(";") for item in asked["item"]]
            slots += [np.where(can, seconds[:, number], np.inf)] * int(row.capacity)
        slots += [seconds[:, number]] * (0 if len(crew) else 2)
    cost = np.minimum(np.column_stack(slots), 1e7)
    row, column = linear_sum_assignment(cost)
    found = assign(study, asked, ground=ground, optimal=True)
    sent = (found["station_id"] != "").to_numpy()
    assert sent.sum() == (cost[row, column] < 1e7).sum()
    assert np.flatnonzero(sent).tolist() == sorted(first_come(cost < 1e7, range(n)))
    row, column = linear_sum_assignment(cost[sent])
    assert found["walk_s"].sum() == pytest.approx(cost[sent][row, column].sum(), abs=1e-3)
    who = agents.set_index("agent_id")
    given_to = found[found["agent_id"] != ""]
    assert (given_to["agent_id"].map(who["station_id"]) == given_to["station_id"]).all()
    assert all(asked["item"][i] in (who["skills"][a] or "abc") for i, a in given_to["agent_id"].items())
    load = given_to["agent_id"].value_counts()
    assert (load <= who["capacity"][load.index]).all()


def test_all_together_too_the_first_of_equally_near_stations_serves(open_city):
    stations = [["s1", *at(1, 0), "main", "", "", ""], ["s2", *at(1, 0), "main", "", "", 1]]
    study = open_city([agent("a1", "s1", capacity=1)], stations=stations)
    asked = ask(*((f"r{i}", *HOME, "", MONDAY) for i in range(3)))
    told_in_turn = [("s1", "a1", ""), ("s2", "", "nearest-full"), ("", "", "no-room-left")]
    for optimal in (False, True):
        assert told(assign(study, asked, optimal=optimal), "station_id", "agent_id", "reason") == told_in_turn


def test_of_a_stop_beside_a_station_that_has_room_nobody_is_told_that_it_is_full(open_city):
    stop = ["s1", "stop", "", *at(1, 0), "", ""]
    study = open_city(service=[stop], stations=[["s1", *at(3.9, 0), "", "", "", 1], ["s2", *at(1, 0), "", "", "", 9]])
    asked = ask(("r1", *HOME, "", MONDAY), ("r2", *HOME, "", MONDAY))
    for optimal in (False, True):
        assert assign(study, asked, optimal=optimal)["reason"].tolist() == ["", ""]


def test_the_openapi_document_knows_every_column_that_rosters_bring(open_city):
    from lifecircle.api.shapes import AssignedRow

    study = open_city(
        [agent("a1", "s1", "legal"), agent("v1", kind="volunteer", area="s")],
        [["s2", "stop", "桥头", *at(0.4, 0), "", ""]],
        POOL + 'joint = { legal = ["legal", "legal"] }\n',
    )
    rows = assign(study, ask(("r1", *HOME, "legal", MONDAY)))
    assert {"agent_id", "assist_id", "how", "stop", "may_claim"} <= {*rows} <= {*AssignedRow.model_fields}


def test_a_place_gets_over_http_whom_a_request_from_there_gets(open_city):
    from lifecircle.api.lookup import Lookup
    from lifecircle.api.query import Wanted

    crew = [agent("a1", "s1", "medicine", "Mo 08:00-18:00"), agent("a2", "s2", "repair"), agent("a3", "s2", "medicine")]
    study = open_city(
        crew,
        [["s3", "door", "", "", "", "", "legal"], ["s1", "预约", "", "", "", "", "legal"]],
        "[dispatch]\non_duty = 1\n",
    )
    ground = lay_ground(study)
    lookup, ids = Lookup(study, ground), [*study.stations["station_id"], ""]
    for item in ("", "medicine", "repair", "legal", "wedding"):
        for when in ("", MONDAY, WEDNESDAY, NIGHT):
            [row] = assign(study, ask(("r1", *HOME, item, when)), ground=ground).to_dict("records")
            wanted = Wanted(item=item, at=datetime.fromisoformat(when) if when else None)
            answer = lookup.nearest(tuple(at(*HOME)), wanted)
            nearest = answer.found[0].station if answer.found else -1
            assert (ids[nearest], answer.reason) == (row["station_id"], row["reason"]), (item, when)
