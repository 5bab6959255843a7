"""The page of requests: what the table says, nothing of whom it is about, and answers for whoever filters it."""

import base64
import json
import re
import time
import zlib
from collections import Counter
from dataclasses import replace
from importlib.resources import files

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle import assign, open_study
from lifecircle.dispatch.sent import HELPED, Sent
from lifecircle.ground import lay_ground
from lifecircle.maps import requests_page
from lifecircle.maps.requests_payload import MOST_ITEMS, requests_payload
from lifecircle.maps.requests_words import EN, REQUESTS_WORDS, ZH
from lifecircle.maps.words import EN as BASE
from lifecircle.model import tenths_of_minutes
from lifecircle.readers.requests import read_requests
from pages import EVIL, LONG, PHONE
from tiny import STUDY, at, table, write_city

STATIONS = (
    ["s1", *at(1.2, 0.3), "Hall", "medicine;legal", ""],
    ["s2", *at(3.9, 0), "Shop", "repair", "Mo-Fr 08:00-18:00"],
    ["s3", *at(3.5, 2), "", "repair;medicine", ""],
)
ASKED = (
    ["q1", *at(0.5, 0), "medicine", "2025-03-03 10:00"],
    ["q2", *at(0.5, 0), "medicine", "2025-03-04 10:00"],
    ["q3", *at(0.5, 0), "legal", "2025-05-05 10:00"],
    ["q4", *at(3.8, 0), "repair", "2025-05-05 11:00"],
    ["q5", *at(3.8, 0), "repair", "2025-05-04 11:00"],  # a Sunday: s2 is closed
    ["q6", *at(3, 2), "repair", ""],
    ["q7", *at(3, 2), "wedding", "2025-05-06 10:00"],
    ["q8", *at(40, 40), "", "2025-05-06 10:00"],
    ["q9", "", "", "medicine", "2025-05-06 10:00"],
    ["q1", *at(1, 0), "medicine", "2025-05-06 10:00"],
)
SECRET = ("Zhang San", "13900001111", "blue door")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_city(tmp_path_factory.mktemp("city"), study=STUDY)
    table(folder / "stations.csv", "station_id,lon,lat,name,items,hours".replace(",", " "), *STATIONS)
    return open_study(folder)


@pytest.fixture(scope="module")
def ground(study):
    return lay_ground(study)


@pytest.fixture(scope="module")
def requests(study):
    path = study.path.parent / "requests.csv"
    rows = [[*row, *SECRET[1:]] for row in ASKED]
    table(path, "request_id lon lat item at phone remark", *rows)
    return read_requests(path, datum="wgs84")


@pytest.fixture(scope="module")
def assigned(study, ground, requests):
    return assign(study, requests, ground=ground)


@pytest.fixture(scope="module")
def page(study, ground, requests, assigned):
    return requests_page(study, requests, assigned, ground=ground)


def held(study, ground, requests, assigned):
    return requests_payload(study, ground, Sent.of(study, requests, assigned), synthetic=False)


class Columns:
    """Varints, column after column, as the page reads them."""

    def __init__(self, text):
        self.bytes, self.at = zlib.decompress(base64.b64decode(text)), 0

    def take(self, n):
        column = []
        for _ in range(n):
            value = shift = 0
            more = True
            while more:
                byte = self.bytes[self.at]
                value |= (byte & 127) << shift
                shift, self.at, more = shift + 7, self.at + 1, byte > 127
            column.append(value)
        return np.array(column, dtype=np.int64)

    def steps(self, n):
        column = self.take(n)
        return np.cumsum((column >> 1) ^ -(column & 1))


def rows_of(told):
    """Return the requests of a payload: item, month, reason, class, station, tenths of minutes and metres of each."""
    columns = Columns(told["packed"]["requests"])
    n_places, n = columns.take(2)
    for side in (columns.steps, columns.steps, columns.take):
        side(n_places)
    place = np.cumsum(columns.take(n))
    plain = [columns.take(n) for _ in range(4)]
    walked = [columns.steps(n) for _ in range(3)]
    assert columns.at == len(columns.bytes), "nothing else is packed"
    return place, list(zip(*plain, *walked, strict=True))


# -------------------------------------------------------------------------------------------------------- what it holds


def test_every_row_of_the_file_is_held_once_with_what_became_of_it(study, ground, requests, assigned):
    told = held(study, ground, requests, assigned)
    sent = Sent.of(study, requests, assigned)
    place, rows = rows_of(told)
    assert len(rows) == len(ASKED)
    stations = ["", *(station["id"] for station in told["stations"])]
    found = Counter((told["items"][item], sent.reasons[why], stations[s], t, m) for item, _, why, _, s, t, m in rows)
    tenths = np.nan_to_num(tenths_of_minutes(assigned["walk_s"]))
    metres = np.rint(assigned["walk_m"].fillna(0.0))
    columns = (requests["item"], assigned["reason"], assigned["station_id"], tenths, metres)
    assert found == Counter(zip(*columns, strict=True))
    assert Counter(place == 0) == {True: 2, False: 8}, "a row without coordinates and one with a used id have no place"


def test_months_count_from_the_first_and_a_request_without_time_has_none(study, ground, requests, assigned):
    told = held(study, ground, requests, assigned)
    assert told["first_month"] == 12 * 55 + 2, "March 2025, from January 1970"
    assert Counter(row[1] for row in rows_of(told)[1]) == {0: 1, 1: 2, 3: 7}


def test_classes_are_the_circles_of_the_study_then_beyond_then_nobody_then_no_place(study, ground, requests, assigned):
    circles = study.settings.circles
    study = replace(
        study, settings=replace(study.settings, circles=(*circles, replace(circles[0], name="main", tiers=("main",))))
    )
    told = held(study, ground, requests, assigned)
    assert [circle["minutes"] for circle in told["circles"]] == [8, 15], "two circles of 8 minutes are one distance"
    limits = [*(circle["minutes"] * 10 for circle in told["circles"]), np.inf]
    for _, _, why, far, station, tenths, _ in rows_of(told)[1]:
        outcome = told["reasons"][why]["outcome"]
        assert far == (
            next(i for i, limit in enumerate(limits) if tenths <= limit)
            if station
            else {"nobody": 3, "unusable": 4}[outcome]
        )


def test_the_page_holds_no_id_and_no_other_text_of_the_requests(study, ground, requests, assigned, page):
    told = held(study, ground, requests, assigned)
    packed = b"".join(zlib.decompress(base64.b64decode(text)) for text in told["packed"].values())
    for secret in (*SECRET, *(row[0] for row in ASKED)):
        assert f'"{secret}"' not in page
        assert secret.encode() not in packed
    assert all(secret not in page for secret in SECRET)


def test_the_page_says_that_it_shows_homes(study, ground, requests, assigned):
    told = held(study, ground, requests, assigned)
    assert "office" in told["notes"][0]["en"]
    assert "内部" in told["notes"][0]["zh"]


def test_the_page_is_the_same_in_every_run_and_does_not_tell_the_order_of_the_file(
    study, ground, requests, assigned, page
):
    assert requests_page(study, requests, assigned, ground=ground) == page
    turned = requests.iloc[::-1].reset_index(drop=True)
    same = requests_page(study, turned, assigned.iloc[::-1].reset_index(drop=True), ground=ground)
    assert same == page


def test_what_is_asked_for_seldom_counts_together_beyond_a_thousand_kinds(study, ground):
    n = MOST_ITEMS + 20
    items = [*(f"item {i}" for i in range(n)), "item 7", "item 7"]
    points = shapely.points([at(0.5, 0)] * len(items))
    asked = gpd.GeoDataFrame({"request_id": range(len(items)), "item": items}, geometry=points, crs=4326)
    told = held(study, ground, asked, assign(study, asked, ground=ground))
    assert (told["items"][0], told["items"][-1], len(told["items"])) == ("item 7", None, MOST_ITEMS + 1)
    assert Counter(row[0] for row in rows_of(told)[1])[MOST_ITEMS] == 20


def test_whom_volunteers_help_no_station_takes_and_no_way_to_one_is_told(tmp_path, requests):
    folder = write_city(tmp_path, study=STUDY + 'agents = "agents.csv"\n')
    table(folder / "stations.csv", "station_id lon lat items", ["s1", *at(1.2, 0.3), "medicine"])
    table(folder / "agents.csv", "agent_id kind lon lat skills", ["v1", "volunteer", *at(0.5, 0.2), "legal;repair"])
    study = open_study(folder)
    ground = lay_ground(study)
    assigned = assign(study, requests, ground=ground)
    helped = assigned["how"] == "volunteer"
    assert helped.any()
    assert (assigned["walk_m"][helped] > 0).all()
    told = held(study, ground, requests, assigned)
    by_nobody = [row[3:] for row in rows_of(told)[1] if told["reasons"][row[2]]["outcome"] == "nobody"]
    assert {*by_nobody} == {(3, 0, 0, 0)}
    sent = Sent.of(study, requests, assigned)
    why = np.array(sent.reasons)[sent.reason]
    assert (why == HELPED).tolist() == helped.tolist()
    assert (EN["by_nobody"], ZH["by_nobody"]) == ("No station takes it", "无站受理"), "volunteers may all the same"


def test_made_up_requests_are_marked(study, ground, requests):
    marked = requests.assign(synthetic=True)
    page = requests_page(study, marked, assign(study, marked, ground=ground), ground=ground)
    assert '<meta name="synthetic" content="yes">' in page
    assert "badge stamp" in page


def test_a_hundred_thousand_requests_make_a_page_that_can_be_sent(study, ground):
    draw = np.random.default_rng(1)
    n = 100_000
    points = shapely.points(
        np.array([at(x, y) for x, y in draw.uniform([0, 0], [4, 0.2], (2000, 2))])[draw.integers(0, 2000, n)]
    )
    months = draw.integers(1, 13, n)
    asked = gpd.GeoDataFrame(
        {
            "request_id": np.arange(n).astype(str),
            "item": np.array([f"kind {i}" for i in range(220)])[draw.integers(0, 220, n)],
            "at": [f"2025-{month:02}-03 10:00" for month in months],
        },
        geometry=points,
        crs=4326,
    )
    found = assign(study, asked, ground=ground)
    start = time.perf_counter()
    page = requests_page(study, asked, found, ground=ground)
    assert time.perf_counter() - start < 6
    assert len(page) < 3e6


# -------------------------------------------------------------------------------------------------------- in a browser


def panel(seen):
    return re.sub(r"\s+", " ", seen.page.locator("#contents").inner_text())


def test_a_planner_sees_where_requests_come_from_and_filters_them(study, requests, assigned, page, open_page):
    with open_page(page) as seen:
        shown = panel(seen)
        inside = int((assigned["walk_s"] <= 480).sum())
        assert "Requests 10 requests" in shown
        assert f"Within 8 min {inside / 10:.1%} {inside} requests" in shown
        assert "No station takes it 2 · 20.0%" in shown
        assert "No usable place, not on the map 2 · 20.0%" in shown
        assert "Rows that cannot be used 2" in shown
        seen.page.locator(".facet", has_text="medicine").click()
        assert "4 of 10" in panel(seen)
        seen.page.locator("#month-1").click()
        assert "2 of 10" in panel(seen)
        assert seen.page.locator(".chip").all_inner_texts() == ["medicine\n×", "Mar 2025\n×"]
        assert "Half of those taken walk at most" in panel(seen)
        seen.page.locator(".chip").first.click()
        seen.page.locator("#month-after").click()
        assert "0 of 10" in panel(seen), "nothing came in April"
        seen.page.locator("#month-to").select_option(label="May 2025")
        assert "7 of 10" in panel(seen)
        seen.page.get_by_role("button", name="Clear all filters").click()
        seen.page.locator("#month-0").click()
        assert "1 of 10" in panel(seen)
        seen.page.locator("#month-0").click()
        seen.page.locator(".facet", has_text="No station takes it").click()
        assert "2 of 10" in panel(seen)
        assert "100.0%" in panel(seen)


def test_a_click_tells_who_takes_the_requests_of_a_place_and_whom_a_station_takes(study, assigned, page, open_page):
    walk = f"{tenths_of_minutes(assigned['walk_s'])[0] / 10} min"
    with open_page(page) as seen:
        card = seen.click(*at(0.5, 0))
        assert "3 requests" in card
        assert f"{walk}\n{assigned['walk_m'][0]:.0f} m\nHall" in card
        assert "medicine · Mar 2025\n2" in card
        assert "the nearest station takes it" in card
        drawn = seen.page.evaluate("document.querySelectorAll('.leaflet-overlay-pane path[d^=\"M\"]').length")
        assert drawn > 0, "a line leads to the station"
        seen.close()
        card = seen.click(*at(1.2, 0.3))
        assert "Hall" in card
        assert "Takes\n3 requests" in card
        assert f"Half of those taken walk at most\n{walk}" in card
        assert "medicine\n2\nlegal\n1" in card
        seen.page.get_by_role("button", name="Only what this station takes").press("Enter")
        assert "3 of 10" in panel(seen)
        seen.page.get_by_role("button", name="Show the others again").press("Enter")
        assert "10 requests" in panel(seen)


def test_search_finds_areas_stations_and_items_and_enter_goes_to_the_first(study, page, open_page):
    with open_page(page) as seen:
        search = seen.page.locator("#search")
        search.fill("shop")
        search.press("Enter")
        assert "Service station\nShop" in seen.card()
        seen.page.keyboard.press("Escape")
        search.fill("s3")
        assert seen.page.locator(".search button").inner_text().split() == ["s3", "Service", "station"]
        search.fill("wedd")
        search.press("Enter")
        assert "1 of 10" in panel(seen)
        search.fill("nothing of the kind")
        search.press("Enter")
        assert "Nothing of that name" in panel(seen)


def test_the_lists_move_the_map(study, page, open_page):
    with open_page(page) as seen:
        for summary in seen.page.locator("details.list summary").all():
            summary.click()
        before = seen.page.evaluate("map_main.getCenter().toString()")
        seen.page.locator("details.list").first.locator("ol button").first.click()
        assert "Hall" in seen.card()
        assert seen.page.evaluate("map_main.getCenter().toString()") != before
        seen.page.locator("details.list").nth(1).locator("ol button").first.click()
        assert "Only requests from here" in seen.card()


def test_keys_reach_what_a_click_does_and_the_page_speaks_both_languages(study, page, open_page):
    with open_page(page, device=PHONE) as seen:
        canvas = seen.page.locator("#map_main")
        seen.page.evaluate("([lon, lat]) => map_main.setView([lat, lon], 18, { animate: false })", at(0.5, 0))
        canvas.focus()
        canvas.press("Enter")
        assert "3 requests" in seen.card()
        seen.page.locator("#language").click()
        assert "3 件" in seen.card()
        assert "由最近的服务站受理" in seen.card()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_opens_without_areas_times_or_places(study, ground, open_page):
    bare = replace(study, areas=study.areas.iloc[:0])
    asked = gpd.GeoDataFrame({"request_id": ["a"], "item": [""]}, geometry=[shapely.Point(at(0.5, 0))], crs=4326)
    for requests in (asked, asked.assign(problem="no-geometry").set_geometry([None], crs=4326)):
        found = assign(bare, requests, ground=ground)
        with open_page(requests_page(bare, requests, found, ground=ground)) as seen:
            assert "No request says when it came" in panel(seen)
            assert "No item stated 1" in panel(seen)


def test_text_from_data_is_shown_and_never_run(study, ground, requests, open_page):
    """Of items, areas and stations, in lists, cards, chips, search and legend; nothing runs over the screen."""
    text = EVIL + LONG
    named = replace(
        study,
        settings=replace(study.settings, name=text, synthetic=True),
        areas=study.areas.assign(name=text + study.areas["name"], level=text + study.areas["level"]),
        stations=study.stations.assign(name=text + study.stations["station_id"], tier=text, items=""),
    )
    asked = requests.assign(item=text + requests["item"])
    shown = re.sub(r"\s+", " ", text).strip()
    with open_page(requests_page(named, asked, assign(named, asked, ground=ground), ground=ground)) as seen:
        page = seen.page

        def sees(selector, part=""):
            content = re.sub(r"\s+", " ", " ".join(page.locator(selector).all_text_contents()))
            assert shown + part in content, selector

        sees("#name")
        for summary in page.locator("details.list summary").all():
            summary.click()
        sees("details.list", "s1")
        sees(".facets", "medicine")
        seen.click(*at(0.5, 0))
        sees(".card", "medicine")
        sees(".card", "s1")
        seen.close()
        seen.click(*at(1.2, 0.3))
        sees(".card", "s1")
        page.get_by_role("button", name="Only what this station takes").press("Enter")
        sees(".chip", "s1")
        page.locator(".facet", has_text="medicine").first.click()
        sees(".chip", "medicine")
        page.locator("#search").fill("medicine")
        sees(".search .name", "medicine")
        page.mouse.move(*seen.at(*at(0.5, 0)))
        page.keyboard.press("Escape")
        page.locator("#language").click()
        assert page.locator("img, iframe, object, embed, svg script, link:not([rel=icon])").count() == 0
        assert page.locator("script").count() == 4
        for width, height in ((1366, 768), (375, 812)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for node in page.locator("#contents > section, .chip, .facet").all():
                if node.is_visible() and (box := node.bounding_box()):
                    assert box["x"] + box["width"] <= width


# -------------------------------------------------------------------------------------------------------- its words


def test_every_word_is_used():
    scripts = "".join(p.read_text(encoding="utf-8") for p in (files("lifecircle.maps") / "assets/js").iterdir())
    quoted = set(re.findall(r"[\"'](\w+)[\"']", scripts))
    built = {f"outcome_{each}" for each in ("taken", "nobody", "unusable")} | {"only_station", "only_area"}
    assert set(EN) - quoted - built == {"requests_subtitle"}


def test_both_languages_have_the_same_words_and_marks():
    assert list(ZH) == list(EN)
    assert set(EN) & set(BASE) == set(), "a word of all pages is not said again"
    for key in EN:
        assert set(re.findall(r"\{(\w+)\}", EN[key])) == set(re.findall(r"\{(\w+)\}", ZH[key])), key
    assert list(REQUESTS_WORDS["zh"]) == list(REQUESTS_WORDS["en"])


# -------------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize("how", [(), ("--optimal",)])
def test_assign_writes_the_map_beside_the_table(study, requests, run, tmp_path, how):
    path = study.path.parent
    code, out, _ = run("assign", path, path / "requests.csv", "--datum", "wgs84", "--out", tmp_path, *how)
    assert code == 0
    folder = tmp_path / "assigned"
    assert {p.name for p in folder.iterdir()} == {"assigned.csv", "map.html", "run.json"}
    assert "map.html" in re.sub(r"\s", "", out)
    data = re.search(
        r'<script id="data" type="application/json">(.*?)</script>', (folder / "map.html").read_text("utf-8")
    )
    told = json.loads(data[1])
    assert len(rows_of(told)[1]) == len(pd.read_csv(folder / "assigned.csv"))
