"""The page of a comparison: opened as people open it, with figures that are those of the tables, and years on it."""

import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from lifecircle import compare, open_study
from lifecircle.errors import InfeasibleError
from lifecircle.maps import comparison_page
from lifecircle.maps.compare_payload import compare_payload
from lifecircle.maps.compare_words import COMPARE_WORDS, EN, ZH
from lifecircle.maps.words import EN as BASE
from lifecircle.publish import LEAST, published, published_comparison, published_plan, published_stages
from lifecircle.scenarios import Situation, possible_sites, side_by_side, site, stages_of
from lifecircle.scenarios.comparison import AS_STATED, SPEEDS
from pages import EVIL, LONG
from test_compare import ADDS, MOVES, write_street

YEARS = """
[[scenario]]
name = "in years"
question = "most"
circle = "8"
years = [900, 900]
cost = { pharmacy = 900 }
"""
HOMES = {0: 60, 3: 50, 6: 40, 9: 30, 16: 45}
ROOMS = {"c1": 9, "c2": 16}


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A street on which one room opens, or both one after the other, or one does and s1 closes."""
    return write_street(tmp_path_factory.mktemp("street"), HOMES, ROOMS, more=ADDS + MOVES + YEARS)


@pytest.fixture(scope="module")
def compared(street):
    return compare(open_study(street))


@pytest.fixture(scope="module")
def stages(compared):
    return stages_of(compared)


def of_all(table, scenario, group="all"):
    """Return the figures of all areas at the stated speeds."""
    rows = table[(table["scenario"] == scenario) & (table["speed"] == AS_STATED) & (table["group"] == group)]
    return rows[rows["area_id"] == "total"].iloc[0]


# --------------------------------------------------------------------------------------------------------------- years


def test_a_year_has_the_figures_of_the_stations_that_stand_by_its_end(compared, stages):
    assert [(stage.scenario, stage.year) for stage in stages] == [("in years", 1)], "the last year is the plan itself"
    (first,) = stages
    assert set(first.walked.stations["station_id"]) == {"s1", "c1"}
    by_hand = Situation.of(compared.today, possible_sites(compared.today), chosen=["c1"]).table
    for column in ("residents", "within_8", "within_15", "share_8"):
        assert first.table[column].tolist() == by_hand[column].tolist()
    last = of_all(compared.table, "in years")
    assert of_all(first.table, "in years")["within_8"] == last["within_8"] - 45, "home 16 waits for the second year"


def test_a_year_is_measured_against_the_baseline_and_costs_what_is_spent_by_then(compared, stages):
    found, today = of_all(stages[0].table, "in years"), of_all(compared.table, "today")
    assert found["cost"] == 900
    assert found["change_within_8"] == found["within_8"] - today["within_8"] == found["won_8"] - found["lost_8"]
    assert found["cost_per_resident_8"] == pytest.approx(900 / found["change_within_8"])
    assert (stages[0].table.groupby("area_id")["cost"].count() == 1).all(), "money is that of all residents"


def test_a_plan_that_opens_all_at_once_has_no_years(compared):
    assert stages_of(side_by_side(compared.today, compared.plans[:2])) == ()


# ------------------------------------------------------------------------------------------------------ what it holds


def test_the_page_is_the_same_in_every_run_and_asks_for_nothing(compared, stages):
    html = comparison_page(compared, stages=stages)
    assert html == comparison_page(compared, stages=stages)
    links = re.findall(r"(?:src|href|url|import)\s*[=(]\s*[\"']?(?:https?:)?//[^\s\"')]+", html)
    assert [link for link in links if "leafletjs.com" not in link] == []
    assert compared.today.study.fingerprint in html


def test_every_figure_of_the_page_is_that_of_the_table(compared, stages):
    held = compare_payload(compared, stages)
    names = [(state["name"], state["year"]) for state in held["states"]]
    assert names == [("today", None), ("adds", None), ("moves", None), ("in years", 1), ("in years", None)]
    for (name, year), by_speed in zip(names, held["figures"], strict=True):
        table = compared.table if year is None else stages[0].table
        for speed, by_group in zip(SPEEDS, by_speed, strict=True):
            rows = table[(table["scenario"] == name) & (table["speed"] == speed) & (table["area_id"] == "total")]
            assert (by_group is None) == rows.empty
            for row, told in zip(rows.to_dict("records"), by_group or [], strict=True):
                assert told["within"] == [row["within_8"], row["within_15"]]
                assert told["change"]["within"] == [row["change_within_8"], row["change_within_15"]]
                assert told["stations"] == row["stations"]
                if "radius_8" in row:
                    assert told["radius"] == [row["radius_8"], row["radius_15"]]


def test_a_published_page_holds_no_small_figure(compared):
    today = published(compared.today, "a key of sixteen")
    sites = possible_sites(today)
    names = [scenario.name for scenario in today.study.settings.scenarios]
    plans = [published_plan(site(today.study, scenario=n, today=today, sites=sites), today) for n in names]
    found = published_comparison(side_by_side(today, plans))
    stages = published_stages(stages_of(found), found)
    held = compare_payload(found, stages)
    sums = [
        figure
        for by_speed in held["figures"]
        for by_group in by_speed
        for told in by_group or []
        for figure in [told["residents"], told["beyond"], told["nearer"], *told["within"], *told["won"], *told["lost"]]
    ]
    assert any(figure is not None for figure in sums)
    assert all(figure is None or figure >= LEAST for figure in sums)
    served = [n for state in held["states"] for n in state["served"]]
    assert all(n is None or n >= LEAST for n in served)
    assert (held["fingerprint"], held["rounded"], held["least"]) == ("", True, LEAST)


# --------------------------------------------------------------------------------------------------------- in a browser


def place(frame, row):
    """Return the longitude and latitude of a shape."""
    point = frame.to_crs(4326).geometry.representative_point().iloc[row]
    return point.x, point.y


def test_an_official_compares_two_scenarios_then_the_years_of_one(compared, stages, open_page):
    buildings, stations = compared.today.study.buildings, compared.today.study.stations
    moves = of_all(compared.table, "moves")
    with open_page(comparison_page(compared, stages=stages)) as seen:
        page = seen.page
        page.locator("#choice-right").select_option(label="moves")
        assert f"Leave the circle\n{moves['lost_8']:.0f}" in page.locator("#contents").inner_text()
        page.locator("#kind-1").click()
        card = seen.click(*place(buildings, list(buildings["building_id"]).index("b0")))
        assert "Leave the circle\nWithin 8 min" in card
        assert "Left: Today\tRight: moves" in card
        assert re.search(r"Walks\t0\.\d min\t\d+\.\d min", card)
        seen.close()
        assert "Open\tClosed" in seen.click(*place(stations, 0))
        seen.close()
        page.locator("#kind-2").click()
        table = page.locator("#scenarios").inner_text()
        assert f"{moves['share_8']:.1%}\n{moves['within_8']:.0f}\n{moves['change_within_8']:+.0f}" in table
        page.locator("#areas button").first.click()
        assert page.locator("main.map").is_visible(), "a click on an area leads to the map"
        assert "community\n" in seen.card()


def named(study, text):
    """Return a study in which ``text`` is part of every name that data can bring."""
    settings, circles = study.settings, {c.name: f"{text}{c.name}" for c in study.settings.circles}
    scenarios = (replace(s, name=text + s.name, circle=circles[s.circle]) for s in settings.scenarios)
    told = {
        "areas": study.areas.assign(name=text + study.areas["name"]),
        "buildings": study.buildings.assign(name=[f"{text}House {i}" for i in range(len(study.buildings))]),
        "stations": study.stations.assign(**{c: text + study.stations[c] for c in ("name", "kind", "tier")}),
        "candidates": study.candidates.assign(name=text + study.candidates["site_id"]),
    }
    settings = replace(
        settings,
        name=text + settings.name,
        circles=tuple(replace(c, name=circles[c.name]) for c in settings.circles),
        scenarios=tuple(scenarios),
        synthetic=True,
    )
    return replace(study, settings=settings, attribution=(f"© {text}nobody",), **told)


def test_text_from_data_is_shown_and_never_run(street, open_page):
    """And where it is long nothing runs over the screen, that of a phone either."""
    text = EVIL + LONG
    study = named(open_study(street), text)
    study = replace(study, settings=replace(study.settings, scenarios=study.settings.scenarios[-1:]))
    compared = replace(compare(study), refused={text: InfeasibleError(text)})
    shown = re.sub(r"\s+", " ", text).strip()
    with open_page(comparison_page(compared, stages=stages_of(compared))) as seen:
        page = seen.page

        def sees(selector, *parts):
            content = re.sub(r"\s+", " ", " ".join(page.locator(selector).all_text_contents()))
            for part in parts:
                assert shown + part in content, (selector, part)

        for view in ("1", "0"):
            page.locator("#kind-2").click()
            sees("#tables", "in years", "8", "east", "")
            sees("#tables .hanging strong", "")
            page.locator(f"#kind-{view}").click()
            sees("#name", "Tiny")
            sees("#label-right", "in years")
            sees("#contents", "in years", "8", "east")
            sees("#attribution", "nobody")
            seen.click(*place(study.stations, 0))
            sees(".card", "西站", "in years")
            seen.close()
            page.locator("#search").fill("House 1")
            page.locator(".search button").first.click()
            sees(".card", "House 1", "in years", "west")
            page.mouse.move(*seen.at(*place(study.buildings, 1)))
            page.keyboard.press("Escape")
            page.locator("#language").click()
        assert page.locator("img, iframe, object, embed, svg script, link:not([rel=icon])").count() == 0
        assert page.locator("script").count() == 4
        for width, height in ((1366, 768), (375, 812)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for selector in (".top", ".foot", ".views", "#label-left", "#label-right", "#divider", "#fold"):
                box = page.locator(selector).bounding_box()
                assert box["x"] >= 0, selector
                assert box["x"] + box["width"] <= width, selector
                assert box["y"] + box["height"] <= height + 1, selector


def test_every_word_is_used():
    assets = files("lifecircle.maps") / "assets"
    scripts = "".join(p.read_text(encoding="utf-8") for p in (assets / "js").iterdir())
    quoted = set(re.findall(r"[\"'](\w+)[\"']", scripts + (assets / "compare.html").read_text(encoding="utf-8")))
    assert set(EN) - quoted == set()


def test_both_languages_have_the_same_words_and_marks():
    assert list(ZH) == list(EN)
    assert set(EN) & set(BASE) == set(), "a word of all pages is not said again"
    for key in EN:
        assert set(re.findall(r"\{(\w+)\}", EN[key])) == set(re.findall(r"\{(\w+)\}", ZH[key])), key
    assert list(COMPARE_WORDS["zh"]) == list(COMPARE_WORDS["en"])


def test_the_page_of_a_study_without_areas_stands(street):
    study = open_study(street)
    study = replace(
        study, areas=study.areas.iloc[:0], settings=replace(study.settings, scenarios=study.settings.scenarios[:1])
    )
    held = compare_payload(compare(study), ())
    assert (held["areas"], held["figures"][1][1][0]["residents"]) == ([], 0)


# ----------------------------------------------------------------------------------------- capacities, rounding, search

CROWDED = """
[[scenario]]
name = "room"
question = "most"
circle = "8"
n_new = 1
capacity = "split"
cost = { pharmacy = 900 }
"""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """s1 has room for 40 of the 150 who can walk to it, and c1 for 30: a plan that wins nobody serves more."""
    folder = write_street(tmp_path_factory.mktemp("crowded"), {0: 60, 3: 50, 4: 40}, {"c1": 3}, more=CROWDED)
    stations, candidates = (folder / f"{name}.csv" for name in ("stations", "candidates"))
    for path, room in ((stations, 40), (candidates, 30)):
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([f"{head},capacity", *(f"{row},{room}" for row in rows)]), encoding="utf-8")
    return compare(open_study(folder))


def test_a_plan_under_capacities_says_whom_it_serves_today_and_with_it(crowded, open_page):
    found = of_all(crowded.table, "room")
    assert found["change_within_8"] == 0, "nobody is won"
    assert (found["served_today"], found["served"]) == (40, 70)
    rest = crowded.table[(crowded.table["scenario"] != "room") | (crowded.table["speed"] != AS_STATED)]
    assert rest[["served", "served_today"]].isna().all().all(), "known of a plan at the stated speeds"
    assert not [column for column in crowded.table if column.startswith("change_served")]
    with open_page(comparison_page(crowded)) as seen:
        seen.page.locator("#kind-2").click()
        table = re.sub(r"\s+", " ", seen.page.locator("#scenarios").inner_text())
        assert "Residents served: stations have room for them – 70 +30" in table
        assert "Served by today's stations alone – 40" in table


@pytest.mark.parametrize(("today", "shown"), [(70 - LEAST, 70 - LEAST), (70 - LEAST + 1, None), (LEAST - 1, None)])
def test_whom_stations_serve_today_is_published_where_no_few_stand_out_by_it(crowded, today, shown):
    plan = replace(next(plan for plan in crowded.plans if plan.scenario.name == "room"), served_today=float(today))
    found = published_plan(plan, crowded.today)
    assert (found.served, None if np.isnan(found.served_today) else found.served_today) == (70, shown)


def test_where_no_scenario_has_capacities_nothing_is_said_of_whom_they_serve(compared, open_page):
    assert "served" not in compared.table
    with open_page(comparison_page(compared)) as seen:
        seen.page.locator("#kind-2").click()
        assert "erved" not in seen.page.locator("#scenarios").inner_text()


def test_differences_of_walks_are_those_of_the_walks_that_are_shown(compared, stages, open_page):
    """5.3 beside 5.1 is 0.2, however they were before they were rounded."""
    with open_page(comparison_page(compared, stages=stages)) as seen:
        page = seen.page
        page.locator("#kind-2").click()
        told = 0
        for label in ("Mean walk", "Half of all", "Nine in ten", "Inequality"):
            cells = page.locator("#scenarios tr", has_text=label).locator("td").all_inner_texts()
            base, *others = (
                [float(n) for n in re.findall(r"[-+]?\d+\.\d+", cell.replace("\u2212", "-"))] for cell in cells
            )
            for now, *more in others:
                assert (more or [0.0])[0] == pytest.approx(now - base[0], abs=1e-9), label
                told += bool(more)
        assert told > 4


def test_enter_moves_the_map_to_the_first_hit_and_a_hit_by_id_shows_its_id(compared, open_page):
    study = compared.today.study
    with open_page(comparison_page(compared)) as seen:
        page = seen.page
        search = page.locator("#search")
        before = page.evaluate("map_main.getCenter().toString()")
        search.fill("s1")
        assert page.locator(".search button").first.inner_text().split("\n")[:2] == ["西站", "s1"]
        search.press("Enter")
        assert "西站" in seen.card()
        assert page.evaluate("map_main.getCenter().toString()") != before
        seen.page.keyboard.press("Escape")
        search.fill("西站")
        assert "s1" not in page.locator(".search button").first.inner_text(), "who asks for a name is told the name"
        page.locator("#kind-2").click()
        search.fill(study.areas["name"].iloc[1])
        search.press("Enter")
        assert page.locator("main.map").is_visible()


def test_a_click_on_a_street_tells_the_id_by_which_a_scenario_closes_it(compared, open_page):
    streets = compared.today.streets.to_crs(4326)
    spot = streets.geometry[len(streets) // 2].interpolate(0.4, normalized=True)
    with open_page(comparison_page(compared)) as seen:
        seen.page.locator("#kind-1").click()  # else the divider stands there
        for box in seen.page.locator("#contents input[type=checkbox]").all():
            box.set_checked(box.get_attribute("id") == "layer-streets")
        seen.page.evaluate("([lat, lon]) => map_main.setView([lat, lon], 19, { animate: false })", [spot.y, spot.x])
        assert f'closed = ["{streets["way_id"][len(streets) // 2]}"]' in seen.click(spot.x, spot.y)
