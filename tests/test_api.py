"""Over HTTP a place gets the station that the commands give it; what cannot be answered is refused in words."""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import playwright.sync_api
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecircle import assign, open_study
from lifecircle.api.app import HEAVY_AT_ONCE, HEAVY_WAITING, make_app
from lifecircle.api.desk import Desk, Desks
from lifecircle.api.front import LARGEST_BODY, LONGEST_URL, Front
from lifecircle.api.guard import ROLES, Guard, make_key, read_keys
from lifecircle.api.nearest import PATH
from lifecircle.api.problems import RequestError
from lifecircle.api.query import Wanted
from lifecircle.api.reasons import EVERY
from lifecircle.api.watch import Log, Metrics
from lifecircle.dispatch import StationIndex
from lifecircle.errors import LifecircleError, SourceError, StudyError, UnknownNameError
from lifecircle.ground import lay_ground
from lifecircle.mark import MARK, YES
from lifecircle.samples import monaco
from test_dispatch import STATIONS, ask
from tiny import STUDY, at, table, write_city

BY_COMMUNITY = '[service]\neligible = "community"\n'
HOURS = (
    ["s1", *at(1.2, 0.3), "main", "medicine;legal", "Mo-Fr 08:00-17:00"],
    ["s2", *at(3.9, 0), "household", "repair", ""],
    ["s3", *at(3.5, 2), "household", "repair; medicine", "Sa-Su 08:00-12:00"],
)


def write(folder, *, more="", stations=STATIONS, header="station_id lon lat tier items"):
    folder.mkdir(exist_ok=True)
    write_city(folder, study=STUDY + more)
    table(folder / "stations.csv", header, *stations)
    return folder


@dataclass
class Client:
    """Asks the application as a server would, and keeps what was logged."""

    desks: Desks
    guard: Guard = field(default_factory=Guard)

    def __post_init__(self):
        self.lines = []
        self.metrics = Metrics()
        self.app = make_app(self.desks, self.metrics)
        self.front = Front(self.desks, self.app, self.guard, Log(self.lines.append), self.metrics)

    def __call__(self, url, **asked):
        return asyncio.run(self.ask(url, **asked))

    async def ask(self, url, *, method="GET", body=b"", **headers):
        path, _, query = url.partition("?")
        told = {"host": "localhost", "content-type": "application/json"} | headers
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method,
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in told.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        }  # fmt: skip
        coming = [{"type": "http.request", "body": body, "more_body": False}]
        sent = []

        async def receive():
            return coming.pop()

        async def send(message):
            sent.append(message)

        await self.front(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent)
        answer = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        is_json = "json" in answer["content-type"]
        told = json.loads(content, parse_constant=pytest.fail) if is_json else content.decode()
        return SimpleNamespace(status=sent[0]["status"], headers=answer, content=content, json=told)

    def nearest(self, x, y, query=""):
        lon, lat = at(x, y)
        return self(f"/nearest/v1/foot/{lon},{lat}?{query}".rstrip("?"))


def client_of(folder, **of):
    study = open_study(folder)
    return Client(Desks(folder, Desk.of(study, lay_ground(study))), **of)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return client_of(write(tmp_path_factory.mktemp("city") / "city"))


@pytest.fixture(scope="module")
def by_community(tmp_path_factory):
    return client_of(write(tmp_path_factory.mktemp("community") / "city", more=BY_COMMUNITY))


@pytest.fixture(scope="module")
def with_hours(tmp_path_factory):
    header = "station_id lon lat tier items hours"
    return client_of(write(tmp_path_factory.mktemp("hours") / "city", stations=HOURS, header=header))


def ids(answer):
    assert answer.status == 200, answer.content
    return [waypoint["station_id"] for waypoint in answer.json["waypoints"]]


# ---------------------------------------------------------------------------------------------------- what is answered


def test_a_place_gets_its_nearest_station_in_the_shape_of_osrm(city):
    found = city.nearest(0.5, 0).json
    assert found["code"] == "Ok"
    [waypoint] = found["waypoints"]
    assert waypoint["station_id"] == "s1"
    assert waypoint["location"] == STATIONS[0][1:3]
    assert waypoint["distance"] == waypoint["walk_m"] == pytest.approx(waypoint["walk_s"] * 1.2)
    assert found["reason"] == ""


PLACES = st.tuples(st.floats(-2, 6), st.floats(-2, 4))


@pytest.mark.parametrize("of", ["city", "by_community"])
@settings(max_examples=12)
@given(place=PLACES, item=st.sampled_from(["", "repair", "legal", "wedding"]))
@example(place=(0.5, 0.0), item=" repair ")
def test_a_place_gets_over_http_what_a_request_from_there_gets(of, place, item, request):
    client = request.getfixturevalue(of)
    asked = ask(("r", *place, item))
    [row] = assign(client.desks.current.study, asked, ground=client.desks.current.ground).to_dict("records")
    found = client.nearest(*place, f"item={urllib.parse.quote(item)}" if item else "").json
    told = found["waypoints"][0] if found["waypoints"] else {"station_id": "", "walk_m": None, "walk_s": None}
    assert (told["station_id"], found["reason"]) == (row["station_id"], row["reason"])
    assert told["walk_m"] == (None if pd.isna(row["walk_m"]) else pytest.approx(row["walk_m"], abs=1e-6))
    assert told["walk_s"] == (None if pd.isna(row["walk_s"]) else pytest.approx(row["walk_s"], abs=1e-6))


@settings(max_examples=20)
@given(place=PLACES)
def test_the_plain_answer_is_that_of_a_search_from_the_place(place, city):
    lookup = city.desks.current.lookup
    quick = lookup.nearest(tuple(at(*place)))
    slow = lookup.nearest(tuple(at(*place)), Wanted(number=1))
    assert (quick.reason, [f[0] for f in quick.found]) == (slow.reason, [f[0] for f in slow.found])
    assert [f[1:] for f in quick.found] == [pytest.approx(f[1:], abs=1e-6) for f in slow.found]


@settings(max_examples=20)
@given(place=PLACES, item=st.sampled_from(["", "repair", "wedding"]), number=st.integers(1, 4))
def test_what_is_read_off_the_lists_is_what_a_search_finds(place, item, number, city):
    lookup, wanted = city.desks.current.lookup, Wanted(number=number, item=item)
    listed = lookup.listed(tuple(at(*place)), wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StationIndex, "listed", lambda *_: None)
        assert lookup.listed(tuple(at(*place)), wanted) in (None, listed), "None: it takes a search"
        searched = lookup.nearest(tuple(at(*place)), wanted)
    assert listed is None or (listed.reason, listed.unknown_year) == (searched.reason, searched.unknown_year)
    assert listed is None or [f[0] for f in listed.found] == [f[0] for f in searched.found]


def test_a_time_is_told_by_the_clock_of_the_place_and_a_year_without_holidays_is_said(with_hours):
    assert ids(with_hours.nearest(0.5, 0, "at=2026-05-13T02:00Z")) == ["s1"], "10 in the morning in China"
    assert ids(with_hours.nearest(0.5, 0, "at=2026-05-13T10:00+08:00")) == ["s1"], "a + becomes a blank on its way"
    assert "note" not in with_hours.nearest(0.5, 0, "at=2026-05-13T10:00").json
    assert "2150" in with_hours.nearest(0.5, 0, "at=2150-05-13T10:00").json["note"]


def test_several_stations_come_nearest_first(city):
    found = city.nearest(0.5, 0, "number=20")
    assert ids(found)[0] == "s1"
    assert sorted(ids(found)) == ["s1", "s2", "s3"]
    walks = [waypoint["walk_s"] for waypoint in found.json["waypoints"]]
    assert walks == sorted(walks)


def test_inside_the_building_of_a_station_there_is_no_walk(city):
    [waypoint] = city.nearest(1.1, 0.25).json["waypoints"]
    assert (waypoint["station_id"], waypoint["walk_m"], waypoint["walk_s"]) == ("s1", 0.0, 0.0)


def test_only_stations_of_the_tier_and_open_at_the_time_count(with_hours):
    assert ids(with_hours.nearest(0.5, 0, "tier=household")) == ["s2"]
    assert with_hours.nearest(0.5, 0, "tier=household").json["reason"] == "nearest-of-another-tier"
    assert ids(with_hours.nearest(0.5, 0, "at=2026-05-13T10:00")) == ["s1"]
    sunday = with_hours.nearest(0.5, 0, "at=2026-05-10T10:00")
    assert (ids(sunday), sunday.json["reason"]) == (["s2"], "nearest-closed")
    none = with_hours.nearest(0.5, 0, "at=2026-05-10T20:00&item=legal")
    assert (ids(none), none.json["code"], none.json["reason"]) == ([], "NoRoute", "no-station-open")


def test_where_there_is_no_station_the_answer_says_why_and_holds_no_number(city):
    far = city.nearest(40, 40).json
    assert (far["code"], far["waypoints"], far["reason"]) == ("NoSegment", [], "unsnappable")
    assert far["message"] == EVERY["unsnappable"]
    assert city.nearest(0.5, 0, "item=wedding").json["reason"] == "no-station-offers-item"


def test_made_up_data_says_so_in_every_answer(city, tmp_path):
    assert MARK not in city.nearest(0.5, 0).json
    said = STUDY.replace('name = "Tiny"', 'name = "Tiny"\nsynthetic = true')
    (write(tmp_path / "city") / "study.toml").write_text(said, "utf-8")
    made_up = client_of(tmp_path / "city")
    lon, lat = at(0.5, 0)
    batch = json.dumps({"requests": [{"request_id": "r", "lon": lon, "lat": lat}]}).encode()
    told = [
        made_up.nearest(0.5, 0).json,
        made_up.nearest(40, 40).json,
        made_up(f"/table/v1/foot/{lon},{lat}").json,
        made_up("/assign", method="POST", body=batch).json["assigned"][0],
        *(made_up(path).json["features"][0]["properties"] for path in ("/stations", "/areas", f"/circles/{lon},{lat}")),
    ]
    assert [answer.get(MARK) for answer in told] == [YES] * len(told)


def test_a_batch_comes_back_as_the_rows_of_assigned_csv_and_none_is_lost(city):
    lon, lat = at(0.5, 0)
    rows = [
        {"request_id": "r1", "lon": lon, "lat": lat, "item": "repair"},
        {"request_id": "r2"},
        {"request_id": "r3", "lon": 0, "lat": 0},
        {"request_id": "r4", "lon": lat, "lat": lon},
        {"request_id": "r1", "lon": lon, "lat": lat},
        {"request_id": "", "lon": lon, "lat": lat},
        {"request_id": "r7", "lon": 13.95, "lat": 41.88},
    ]
    found = city("/assign", method="POST", body=json.dumps({"requests": rows}).encode()).json["assigned"]
    assert [row["request_id"] for row in found] == [row["request_id"] for row in rows]
    assert [row["reason"] for row in found] == [
        *("nearest-lacks-item", "no-geometry", "zero-coordinates", "swapped-axes", "duplicate-id", "missing-id"),
        "wrong-place",
    ]
    [expected] = assign(city.desks.current.study, ask(("r1", 0.5, 0, "repair"))).to_dict("records")
    assert found[0] == {k: pytest.approx(v, abs=1e-6) if k.startswith("walk") else v for k, v in expected.items()}
    assert (found[1]["walk_m"], found[1]["walk_s"], found[1]["station_id"]) == (None, None, "")


def test_a_table_has_the_walks_between_places_each_way_by_itself(city):
    places = [at(0.5, 0), at(3, 2), at(40, 40)]
    path = "/table/v1/foot/" + ";".join(f"{lon},{lat}" for lon, lat in places)
    found = city(path).json
    seconds = found["durations"]
    assert (seconds[0][0], found["code"]) == (0.0, "Ok")
    assert seconds[0][1] == pytest.approx(seconds[1][0]), "nothing is steep here"
    assert seconds[2] == [None] * 3, "no street is near the third"
    assert found["sources"][2] is None
    to_stations = city(f"{path}?sources=0&destinations=stations").json["durations"]
    [walk] = city.nearest(0.5, 0).json["waypoints"]
    assert min(to_stations[0]) == pytest.approx(walk["walk_s"])


def test_the_way_to_the_nearest_station_is_the_walk_that_was_told(city):
    place = at(0.5, 0)
    [waypoint] = city.nearest(0.5, 0).json["waypoints"]
    ends = [place, waypoint["location"]]
    url = "/route/v1/foot/" + ";".join(f"{lon},{lat}" for lon, lat in ends)
    found = city(f"{url}?geometries=geojson").json
    [way] = found["routes"]
    assert (way["distance"], way["duration"]) == pytest.approx((waypoint["walk_m"], waypoint["walk_s"]), abs=1e-5)
    assert [way["geometry"]["coordinates"][i] for i in (0, -1)] == ends
    far = city("/route/v1/foot/{},{};{},{}".format(*place, *at(40, 40))).json
    assert (far["code"], far["routes"]) == ("NoSegment", [])
    assert city(f"{url}?geometries=polyline").status == city(f"/route/v1/foot/{LON},{LAT}").status == 400


def test_circles_about_a_place_hold_one_another(city):
    lon, lat = at(1, 0)
    [eight, fifteen] = city(f"/circles/{lon},{lat}").json["features"]
    assert [f["properties"]["circle"] for f in (eight, fifteen)] == ["8", "15"]
    assert eight["geometry"]["coordinates"]


def test_circles_that_count_at_a_time_of_the_week_are_drawn_too(tmp_path):
    day = '[[circle]]\nname = "day"\nminutes = 15\nat = "Sun 10:00"\n'
    lon, lat = at(1, 0)
    [drawn] = client_of(write(tmp_path / "city", more=day))(f"/circles/{lon},{lat}").json["features"]
    assert drawn["properties"]["circle"] == "day"
    assert drawn["geometry"]["coordinates"]


def test_a_table_takes_as_many_numbers_as_it_has_places(city):
    all_of_them = ";".join(map(str, range(100)))
    url = "/table/v1/foot/" + ";".join([f"{LON},{LAT}"] * 100)
    assert len(city(f"{url}?sources={all_of_them}&destinations=0").json["durations"]) == 100


@pytest.mark.parametrize("query", ["number=20", "item=repair"])
def test_who_asks_for_more_than_the_nearest_keeps_nobody_waiting(query, city, monkeypatch):
    client, answered = Client(city.desks), threading.Event()

    def find(*_, **__):
        assert answered.wait(5), "the others were never answered"
        return []

    monkeypatch.setattr(StationIndex, "find", find)
    url = f"/nearest/v1/foot/{LON},{LAT}"

    async def both():
        slow = asyncio.create_task(client.ask(f"{url}?{query}"))
        await asyncio.sleep(0.01)
        quick = await client.ask(url)
        answered.set()
        return quick.status, (await slow).status

    assert asyncio.run(both()) == (200, 200)


def test_layers_are_geojson_and_no_layer_has_residents(city):
    stations, areas = city("/stations"), city("/areas")
    assert stations.headers["content-type"] == "application/geo+json"
    assert [f["properties"]["station_id"] for f in stations.json["features"]] == ["s1", "s2", "s3"]
    assert {f["properties"]["level"] for f in areas.json["features"]} == {"district", "community"}
    assert "resident" not in (stations.content + areas.content).decode()


# ----------------------------------------------------------------------------------------------------- what is refused

LON, LAT = at(0.5, 0)
REFUSED = {
    "/nearest/v1/foot/nan,41.88": (400, "InvalidQuery"),
    "/nearest/v1/foot/inf,41.88": (400, "InvalidQuery"),
    "/nearest/v1/foot/": (400, "InvalidQuery"),
    "/nearest/v1/foot/123.95": (400, "InvalidQuery"),
    "/nearest/v1/foot/１２３,41.88": (400, "InvalidQuery"),
    "/nearest/v1/foot/200,41.88": (400, "InvalidValue"),
    f"/nearest/v1/foot/{LAT},{LON}": (400, "InvalidValue"),
    "/nearest/v1/foot/13.95,41.88": (400, "InvalidValue"),
    f"/nearest/v2/foot/{LON},{LAT}": (400, "InvalidVersion"),
    f"/nearest/v1/car/{LON},{LAT}": (400, "InvalidService"),
    f"/nearest/v1/foot/{LON},{LAT}/more": (400, "InvalidUrl"),
    f"/nearest/v1/foot/{LON},{LAT}?number=0": (400, "InvalidOptions"),
    f"/nearest/v1/foot/{LON},{LAT}?number=2&number=3": (400, "InvalidOptions"),
    f"/nearest/v1/foot/{LON},{LAT}?nmber=2": (400, "InvalidOptions"),
    f"/nearest/v1/foot/{LON},{LAT}?at=Sun+10:00": (400, "InvalidOptions"),
    f"/nearest/v1/foot/{LON},{LAT}?tier=mian": (400, "InvalidValue"),
    f"/nearest/v1/foot/{LON},{LAT}?item=%ff": (400, "InvalidOptions"),
    f"/nearest/v1/foot/{LON},{LAT}?item=" + "x" * 300: (400, "InvalidOptions"),
    "/nearest/v1/foot/" + "1" * LONGEST_URL: (414, "TooBig"),
    "/table/v1/foot/" + ";".join([f"{LON},{LAT}"] * 101): (400, "TooBig"),
    f"/table/v1/foot/{LON},{LAT}?sources=1": (400, "InvalidOptions"),
    f"/table/v1/foot/{LON},{LAT}?annotations=speed": (400, "InvalidOptions"),
    "/circles/0,0": (400, "InvalidValue"),
    "/nowhere": (404, "InvalidUrl"),
    "/assign": (405, "MethodNotAllowed"),
}


@pytest.mark.parametrize("url", REFUSED, ids=lambda url: url[:60])
def test_what_cannot_be_meant_is_refused_by_a_problem_document(url, city):
    answer = city(url)
    assert (answer.status, answer.json["code"]) == REFUSED[url]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert answer.json["message"] == answer.json["detail"] != ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b'{"requests": []}', 422),
        (b'{"requests": [{"lon": "x"}]}', 422),
        (b'{"requests": [{"name": "a"}]}', 422),
        (b"\xff\xfe", 422),
        (b"x" * (LARGEST_BODY + 1), 413),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_body_that_does_not_fit_is_refused(body, status, city):
    answer = city("/assign", method="POST", body=body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.content


def test_a_batch_of_more_than_ten_thousand_is_refused(city):
    body = json.dumps({"requests": [{"request_id": "r"}] * 10_001}).encode()
    assert city("/assign", method="POST", body=body).status == 422


def test_a_body_that_is_refused_does_not_come_back(city):
    key = "secret" * 100_000
    answer = city("/assign", method="POST", body=json.dumps({"requests": [{key: 1, "lon": "x"}], key: 1}).encode())
    assert answer.status == 422
    assert "secret" not in answer.content.decode()
    assert any(error["detail"].startswith("body.requests.0.lon: ") for error in answer.json["errors"])


def test_when_too_many_wait_more_are_refused_until_later_and_those_who_wait_are_answered(city, monkeypatch):
    client, refused = Client(city.desks), threading.Event()

    def long(*_):
        assert refused.wait(5), "nobody was refused"
        return b"{}"

    monkeypatch.setattr("lifecircle.api.app.table", long)

    async def crowd():
        asked = [client.ask(f"/table/v1/foot/{LON},{LAT}") for _ in range(HEAVY_AT_ONCE + HEAVY_WAITING + 1)]
        first, *others = [asyncio.create_task(each) for each in asked]
        done, _ = await asyncio.wait([first, *others], return_when=asyncio.FIRST_COMPLETED)
        refused.set()
        return [task.result() for task in done], await asyncio.gather(first, *others)

    [turned_away], everybody = asyncio.run(crowd())
    assert (turned_away.status, turned_away.json["code"]) == (503, "TooBusy")
    assert int(turned_away.headers["retry-after"]) >= 1
    assert sorted(answer.status for answer in everybody) == [200] * (len(everybody) - 1) + [503]


HOSTILE = st.one_of(
    st.text(max_size=30).filter(lambda text: "?" not in text and "/" not in text),
    st.sampled_from(["nan,nan", "1e400,0", "-0,0", "180,90", "999,999", f"{LAT},{LON}", f"{LON},{LAT}", ";", ","]),
    st.tuples(st.floats(), st.floats()).map(lambda pair: f"{pair[0]},{pair[1]}"),
)
QUERIES = st.dictionaries(
    st.sampled_from(["number", "item", "at", "tier", "sources", "destinations", "annotations", "x"]),
    st.one_of(
        st.sampled_from(["", "-1", "1e9", "Sun 10:00", "2026-05-03T10:00", "all", "stations"]), st.text(max_size=9)
    ),
    max_size=3,
).map(lambda options: urllib.parse.urlencode(options, errors="replace"))


@settings(max_examples=40)
@given(
    route=st.sampled_from(
        ["/nearest/v1/foot/{}", "/table/v1/foot/{}", "/route/v1/foot/{}", "/circles/{}", "/x{}", "/areas/{}"]
    ),
    place=HOSTILE,
    query=QUERIES,
)
def test_whatever_is_asked_is_answered_or_refused_and_never_a_defect(route, place, query, city):
    answer = city(f"{route.format(place)}?{query}")
    assert answer.status in (200, 400, 404)
    assert answer.status == 200 or {"type", "title", "status", "detail", "code"} <= answer.json.keys()


@pytest.mark.parametrize(("route", "at_fault"), [("nearest", "front.answer_json"), ("route", "app.route")])
def test_a_defect_is_told_without_a_trace_and_logged_without_what_came_in(route, at_fault, city, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError(f"home at {LON}")

    city.lines.clear()
    monkeypatch.setattr(f"lifecircle.api.{at_fault}", broken)
    answer = city(f"/{route}/v1/foot/{LON},{LAT}")
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert (answer.json["code"], answer.json["request_id"]) == ("Defect", answer.headers["x-request-id"])
    assert "Zero" not in answer.content.decode()
    assert any("ZeroDivisionError" in line and "broken" in line for line in city.lines)
    assert not any(str(LON) in line for line in city.lines)


def test_problems_speak_the_language_of_the_study(tmp_path):
    write(tmp_path / "city")
    (tmp_path / "city" / "study.toml").write_text(STUDY.replace('language = "en"', 'language = "zh"'), "utf-8")
    client = client_of(tmp_path / "city")
    assert client("/nearest/v2/foot/1,2").json["detail"] == "只有版本 v1"
    assert client.nearest(40, 40).json["message"] == "附近没有可步行的道路"


# --------------------------------------------------------------------------------------------------------- who may ask


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    above = tmp_path_factory.mktemp("keyed")
    folder = write(above / "city")
    made = {role: make_key(role, role) for role in ROLES}
    (above / "keys.toml").write_text("\n\n".join(lines for _, lines in made.values()), "utf-8")
    client = client_of(folder, guard=Guard(read_keys(above / "keys.toml")))
    return SimpleNamespace(ask=client, keys={role: key for role, (key, _) in made.items()}, folder=folder)


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_without_a_key_nothing_is_told_but_that_the_server_runs(keyed):
    assert keyed.ask("/health").status == keyed.ask("/ready").status == 200
    for path in (f"/nearest/v1/foot/{LON},{LAT}", "/stations", "/openapi.json", "/metrics", "/", "/nowhere"):
        answer = keyed.ask(path)
        assert (answer.status, answer.json["code"]) == (401, "Unauthorized")
    assert keyed.ask("/stations", **bearer("wrong")).status == 401
    assert keyed.ask("/stations", **bearer("")).status == 401


def test_a_role_may_do_its_own_and_no_more(keyed):
    batch = json.dumps({"requests": [{"request_id": "r", "lon": LON, "lat": LAT}]}).encode()
    asked = {
        "ask": ("/stations", "GET"),
        "assign": ("/assign", "POST"),
        "plan": ("/", "GET"),
        "admin": ("/reload", "POST"),
    }
    for i, role in enumerate(ROLES):
        got = [
            keyed.ask(url, method=method, body=batch, **bearer(keyed.keys[role])).status
            for url, method in asked.values()
        ]
        assert got == [200] * (i + 1) + [403] * (len(ROLES) - i - 1), role


def test_a_browser_may_give_the_key_as_its_password(keyed):
    told = base64.b64encode(f"me:{keyed.keys['ask']}".encode()).decode()
    assert keyed.ask("/stations", authorization=f"Basic {told}").status == 200
    assert keyed.ask("/stations", x_api_key=keyed.keys["ask"]).status == 200
    assert keyed.ask("/stations").headers["www-authenticate"].startswith("Basic")


def test_who_asks_too_often_is_told_when_to_come_again(city, tmp_path):
    key, lines = make_key("hotline", "ask")
    (tmp_path / "keys.toml").write_text(f"{lines}\nper_second = 2\n", "utf-8")
    client = Client(city.desks, guard=Guard(read_keys(tmp_path / "keys.toml")))
    answers = [client("/stations", **bearer(key)) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1


def test_without_keys_no_other_name_and_no_other_site_is_served(city):
    assert city("/stations", host="evil.example").status == 403
    assert [city("/ready", host=host).status for host in ("localhost:8000", "127.0.0.1", "[::1]:8000")] == [200] * 3
    assert city("/assign", method="POST", body=b"{}", sec_fetch_site="cross-site").status == 403
    assert city("/reload", method="POST").status == 403
    assert "access-control-allow-origin" not in city("/stations", origin="https://evil.example").headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("route", ["", "nearest", "stations", "health"])
def test_a_page_of_another_site_can_ask_nothing(route, method):
    for site in (b"cross-site", b"same-site"):
        for asked in ((b"no-cors", b"script"), (b"navigate", b"iframe")):
            told = {b"host": b"localhost", b"sec-fetch-site": site}
            told |= dict(zip((b"sec-fetch-mode", b"sec-fetch-dest"), asked, strict=True))
            with pytest.raises(RequestError, match="another site"):
                Guard().admit(route, method, told)


def test_a_page_of_another_site_can_link_to_the_map_alone():
    told = {b"host": b"localhost", b"sec-fetch-site": b"cross-site"}
    told |= {b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"document"}
    assert Guard().admit("", "GET", told) == ""
    for route, method in (("", "POST"), ("stations", "GET")):
        with pytest.raises(RequestError, match="another site"):
            Guard().admit(route, method, told)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, SourceError),
        ("[[key", StudyError),
        ("", StudyError),
        ('[[key]]\nname = "a"\nrole = "king"\nsha256 = "00"\n', StudyError),
        ('[[key]]\nname = "a"\nrole = "ask"\nkey = "plain"\n', StudyError),
        (f'[[key]]\nname = "a"\nrole = "ask"\nsha256 = "{"0" * 64}"\n' * 2, StudyError),
    ],
)
def test_a_file_of_keys_that_cannot_be_used_is_refused_without_showing_it(text, kind, tmp_path):
    if text is not None:
        (tmp_path / "keys.toml").write_text(text, "utf-8")
    with pytest.raises(kind) as refused:
        read_keys(tmp_path / "keys.toml")
    assert "plain" not in str(refused.value)
    assert "000" not in str(refused.value)


def test_a_key_needs_a_role_that_there_is():
    with pytest.raises(UnknownNameError):
        make_key("me", "king")


# -------------------------------------------------------------------------------------------------- what is told of it


def test_logs_name_routes_and_callers_but_no_place_and_no_query(keyed):
    keyed.ask.lines.clear()
    keyed.ask(f"/nearest/v1/foot/{LON},{LAT}?item=medicine", x_request_id="abc-1", **bearer(keyed.keys["ask"]))
    keyed.ask("/nearest/v1/foot/1,2\n{}", x_request_id='forged"\n', **bearer(keyed.keys["ask"]))
    first, second = (json.loads(line) for line in keyed.ask.lines)
    assert (first["route"], first["caller"], first["request_id"], first["status"]) == ("nearest", "ask", "abc-1", 200)
    assert "forged" not in second["request_id"]
    told = "".join(keyed.ask.lines)
    assert str(LON) not in told
    assert "medicine" not in told
    assert keyed.keys["ask"] not in told


def test_figures_for_prometheus_count_every_request(city):
    client = Client(city.desks)
    for _ in range(3):
        client.nearest(0.5, 0)
    client("/nowhere")
    told = client("/metrics").json
    assert 'lifecircle_requests_total{route="nearest",status="200"} 3' in told
    assert 'lifecircle_requests_total{route="other",status="404"} 1' in told
    assert 'lifecircle_request_seconds_bucket{route="nearest",le="+Inf"} 3' in told
    assert "lifecircle_stations 3" in told


def test_the_openapi_document_has_every_route_and_what_each_refers_to(city):
    document = city("/openapi.json").json
    assert set(document["paths"]) == {
        *(
            PATH,
            "/table/v1/foot/{coordinates}",
            "/route/v1/foot/{coordinates}",
            "/circles/{coordinates}",
            "/stations",
            "/areas",
            "/assign",
        ),
        *("/health", "/ready", "/metrics", "/reload", "/"),
    }
    schemas = document["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in schemas
    answered = city.nearest(0.5, 0).json
    assert answered.keys() <= schemas["Nearest"]["properties"].keys()
    assert answered["waypoints"][0].keys() == schemas["Waypoint"]["properties"].keys()
    problem = city("/nearest/v2/foot/1,2").json
    assert problem.keys() <= schemas["ProblemDocument"]["properties"].keys()


def test_the_readme_names_every_route(city, repository):
    text = (repository / "README.md").read_text("utf-8")
    for path in city("/openapi.json").json["paths"]:
        assert f"{path}`" in text or f"{path}?" in text, path


# --------------------------------------------------------------------------------------------------------- a new study


def test_a_study_that_did_not_change_is_not_made_anew(keyed):
    desk = keyed.ask.desks.current
    assert keyed.ask.desks.reload() is desk


@pytest.mark.parametrize(
    ("file", "content"), [("study.toml", b"[study"), ("study.toml", None), ("streets.geojson", b"{")]
)
def test_a_study_that_cannot_be_read_again_is_told_without_where_it_lies(file, content, keyed):
    path = keyed.folder / file
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    answer = keyed.ask("/reload", method="POST", **bearer(keyed.keys["admin"]))
    path.write_bytes(before)
    assert answer.status == 422
    assert answer.json["code"] in ("Schema", "Source", "Study")
    assert keyed.folder.parent.name not in answer.content.decode()


def test_a_reload_that_a_defect_ends_is_told_as_refused_and_counted(keyed, monkeypatch):
    def broken(*_, **__):
        raise MemoryError

    client = Client(Desks(keyed.folder, keyed.ask.desks.current), guard=keyed.ask.guard)
    monkeypatch.setattr("lifecircle.api.desk.open_study", broken)
    admin = bearer(keyed.keys["admin"])
    assert client("/reload", method="POST", **admin).json["code"] == "Defect"
    assert client("/ready").json == {"status": "ready", "reload": "refused"}
    assert 'lifecircle_reloads_total{outcome="refused"} 1' in client("/metrics", **admin).json


def test_a_new_station_serves_after_a_reload_and_a_broken_study_changes_nothing(keyed):
    admin = bearer(keyed.keys["admin"])
    before, refused = keyed.ask("/stations", **admin).content, keyed.ask.desks.reloads["refused"]
    (keyed.folder / "stations.csv").unlink()
    with pytest.raises(LifecircleError):
        keyed.ask.desks.reload()
    table(keyed.folder / "stations.csv", "station_id lon lat tier", ["s1", "x", "y", "main"])
    answer = keyed.ask("/reload", method="POST", **admin)
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json["errors"]
    assert keyed.ask("/ready").json == {"status": "ready", "reload": "refused"}
    assert keyed.ask("/stations", **admin).content == before
    table(keyed.folder / "stations.csv", "station_id lon lat tier", ["s9", *at(1, 0), "main"])
    answer = keyed.ask("/reload", method="POST", **admin)
    assert (answer.status, answer.json["stations"]) == (200, 1)
    assert f'lifecircle_reloads_total{{outcome="refused"}} {refused + 2}' in keyed.ask("/metrics", **admin).json
    assert keyed.ask("/ready").json["reload"] == ""
    assert ids(keyed.ask(f"/nearest/v1/foot/{LON},{LAT}", **admin)) == ["s9"]


# ------------------------------------------------------------------------------------------------------- a real server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("served") / "city")
    log = (folder.parent / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "lifecircle", "serve", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=log,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    shown = process.stdout.readline().decode()
    found = re.search(r"http://\S+", shown)
    assert found, (folder.parent / "log").read_text("utf-8")
    yield SimpleNamespace(url=found[0], process=process, folder=folder, log=folder.parent / "log")
    if process.poll() is None:
        process.kill()
        process.wait(timeout=10)
    process.stdout.close()
    log.close()


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_a_real_server_answers_over_a_real_socket(server):
    assert fetch(f"{server.url}/nearest/v1/foot/{LON},{LAT}")["waypoints"][0]["station_id"] == "s1"
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(f"{server.url}/nearest/v1/foot/{LAT},{LON}")
    with refused.value as answer:
        assert json.load(answer)["code"] == "InvalidValue"


def test_the_page_answers_a_click_with_the_station_and_its_way_and_may_ask_nobody_else(server, chromium):
    with playwright.sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        page = browser.new_page()
        told, asked = [], []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url)
        page.wait_for_selector("html[data-ready=yes]")
        with page.expect_response("**/route/**") as way:
            page.mouse.click(800, 400)
        line = way.value.json()["routes"][0]["geometry"]["coordinates"]
        shown = page.locator("#nearest").inner_text()
        browser.close()
    assert len(line) > 2
    assert re.fullmatch(r"Nearest station: s[123]\n\d+ m on foot, [\d.]+ min", shown)
    assert told == []
    assert {urllib.parse.urlsplit(url).netloc for url in asked} == {urllib.parse.urlsplit(server.url).netloc}


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_a_signal_reads_the_study_again_while_requests_go_on_and_another_stops_the_server(server):
    table(server.folder / "stations.csv", "station_id lon lat tier", ["s7", *at(1, 0), "main"])
    server.process.send_signal(signal.SIGHUP)
    seen = []
    for _ in range(2000):
        seen.append(fetch(f"{server.url}/nearest/v1/foot/{LON},{LAT}")["waypoints"][0]["station_id"])
        if seen[-1] == "s7":
            break
    assert set(seen) <= {"s1", "s7"}
    assert seen[-1] == "s7"
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=10) in (0, -signal.SIGTERM)
    assert str(LON) not in server.log.read_text("utf-8")


def test_other_machines_are_not_served_without_keys(run, tmp_path):
    code, _, told = run("serve", write(tmp_path / "city"), "--host", "0.0.0.0")
    assert code == 2
    assert "--keys" in told


def test_new_key_shows_a_key_once_and_the_lines_for_the_file(run, tmp_path):
    code, shown, _ = run("new-key", "hotline", "--role", "assign")
    key, lines = shown.split("\n\n", 1)
    (tmp_path / "keys.toml").write_text(lines, "utf-8")
    [read] = read_keys(tmp_path / "keys.toml")
    assert (code, read.name, read.role) == (0, "hotline", "assign")
    assert key not in lines


# ------------------------------------------------------------------------------------------------- the OpenAPI document

SECONDS = os.environ.get("SCHEMATHESIS_S", "15")
"""How long requests are generated from the OpenAPI document; `.ci/run` takes three minutes."""


@pytest.fixture
def of_monaco(tmp_path):
    """A server of Monaco, and a key with which every route may be asked."""
    key, row = make_key("all", "admin")
    (tmp_path / "keys.toml").write_text(row, "utf-8")
    command = [sys.executable, "-u", "-m", "lifecircle", "serve", str(monaco()), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--keys", str(tmp_path / "keys.toml")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    shown = process.stdout.readline().decode()
    yield re.search(r"http://\S+", shown)[0], key
    process.terminate()
    process.wait(timeout=20)
    process.stdout.close()


def test_no_route_breaks_its_document_whatever_is_asked(of_monaco, tmp_path):
    url, key = of_monaco
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={Path(__file__).with_name('schemathesis.toml')}",
            *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--max-time", SECONDS, "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) generated, \1 passed", done.stdout)[1]) > 100
