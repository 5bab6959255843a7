"""The ways that a map draws when buildings are clicked on, in headless Chromium, beside those that `path` finds."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from lifecircle import cover, open_study
from lifecircle.asked import Scenario
from lifecircle.circles import cover_today
from lifecircle.maps import coverage_page
from lifecircle.maps.words import ZH
from lifecircle.obstacles import exits
from lifecircle.routing import path
from lifecircle.samples import new_folder
from lifecircle.scenarios import evaluate
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.write import write_study
from pages import DESKTOP, PHONE

OFF_M = 0.25
"""Half a unit of the page, 0.13 m here, and half of 1/4096 of a segment, in both directions."""

CLICK_ON_ALL = """
async (places) => {
  const lines = (name) => {
    const found = [];
    map_main.eachLayer((layer) => layer.options.className === name && found.push(layer.getLatLngs()));
    return found[0].map((p) => (p.map ? p.map((q) => [q.lat, q.lng]) : [p.lat, p.lng]));
  };
  const click = ([lat, lon]) => map_main.fire('click', { latlng: L.latLng(lat, lon), originalEvent: {} });
  click(places[0]);
  while (!lines('way').length) await new Promise(requestAnimationFrame);
  return places.map((place) => {
    click(place);
    return { line: lines('way'), legs: lines('way-legs') };
  });
}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A made-up town on slopes, with compounds, and with several doors to many buildings."""
    made = tmp_path_factory.mktemp("made") / "town"
    with new_folder(made) as folder:
        write_study(folder, make_city(PROGRAMMES["nanming"], size=0.02), "lifecircle new")
    return open_study(made)


@pytest.fixture(scope="module")
def today(study):
    return cover(study)


def assert_ways_are_drawn(seen, coverage, *, each=4):
    """Click on buildings that walk to a station, and compare what is drawn with the way that `path` finds."""
    footing, stations = coverage.ground.reference, coverage.ground.reference.sites.take(coverage.sites)
    found = coverage.reach[coverage.study.settings.walking.reference.name].walks
    walking = np.flatnonzero((coverage.buildings["status"] == "ok") & (coverage.buildings["walk_m"] > 0))[::each]
    seen.show_only("buildings")
    drawn = seen.page.evaluate(CLICK_ON_ALL, coverage.buildings[["lat", "lon"]].iloc[walking].to_numpy().tolist())
    metric = Transformer.from_crs(4326, coverage.study.crs, always_xy=True)
    place, door_m = exits(coverage.study)
    goal_m = shapely.get_coordinates(coverage.stations.geometry)

    def xy(latlon):
        return np.column_stack(metric.transform(*np.array(latlon)[:, ::-1].T))

    for home, way in zip(walking, drawn, strict=True):
        station = found.facility[home, 0]
        homes, to = footing.homes.take([home]), stations.take([station])
        expected, expected_m = path(footing.network, homes, to, speed_mps=footing.speed_mps)
        assert expected_m == pytest.approx(found.walk_m[home, 0], abs=1e-6)
        line, (first, last) = xy(way["line"]), [xy(leg) for leg in way["legs"]]
        apart = shapely.hausdorff_distance(*(shapely.linestrings([*a, a[-1]]) for a in (line, expected)))
        assert apart < OFF_M
        assert np.hypot(*(line[[0, -1]] - expected[[0, -1]]).T).max() < OFF_M, "from home to station, not back"
        assert np.hypot(*(door_m[place == home] - first[0]).T).min() < OFF_M
        assert np.hypot(*(goal_m[station] - last[1])) < OFF_M
        metres = sum(shapely.linestrings([*a, a[-1]]).length for a in (line, first, last))
        assert metres == pytest.approx(expected_m, abs=4 * OFF_M, rel=2e-3)
    return len(walking)


def test_the_way_of_every_building_is_drawn_as_it_is_walked(today, open_page):
    with open_page(coverage_page(today)) as seen:
        assert assert_ways_are_drawn(seen, today, each=1) > 600


def test_where_only_the_own_community_serves_the_way_leads_to_its_station(study, open_page):
    own = cover_today(replace(study, settings=replace(study.settings, eligible="community")))
    nearest = cover_today(study)
    assert (own.buildings["station_id"] != nearest.buildings["station_id"]).sum() > 50
    with open_page(coverage_page(own)) as seen:
        assert_ways_are_drawn(seen, own)


def test_with_a_plan_the_ways_are_those_of_the_state_that_is_shown(study, today, open_page):
    crowded = today.buildings["station_id"].mode()[0]
    dug_up = tuple(study.streets.way_id[::9])
    by_hand = Scenario("by hand", close=(crowded,), closed=dug_up, speeds={"adult": 0.7})
    asked = replace(study, settings=replace(study.settings, scenarios=(by_hand,)))
    plan = evaluate(asked, scenario="by hand", today=replace(today, study=asked))
    with open_page(coverage_page(today, plan=plan)) as seen:
        assert_ways_are_drawn(seen, plan.coverage)
        seen.page.locator("#stage-0").click()
        assert_ways_are_drawn(seen, today)


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_whole_way_can_be_shown_below_its_card(device, today, open_page):
    home = today.buildings.iloc[today.buildings["walk_m"].argmax()]
    with open_page(coverage_page(today), device=device) as seen:
        seen.page.evaluate("(at) => map_main.setView(at, 17, { animate: false })", [home["lat"], home["lon"]])
        seen.click(home["lon"], home["lat"])
        seen.page.locator(".card .walk button").click()
        card = seen.page.locator(".leaflet-popup-content-wrapper").bounding_box()
        around = seen.page.locator(".folium-map").bounding_box()
        for way in ("path.way", "path.way-legs"):
            box = seen.page.locator(way).bounding_box()
            assert card["y"] + card["height"] <= box["y"]
            assert box["y"] + box["height"] <= around["y"] + around["height"]
            assert around["x"] <= box["x"]
            assert box["x"] + box["width"] <= around["x"] + around["width"]


def test_of_another_class_the_card_says_whose_ways_are_drawn(today, open_page):
    home = today.buildings.iloc[today.buildings["walk_m"].argmax()]
    with open_page(coverage_page(today)) as seen:
        seen.show_only("buildings")
        seen.click(home["lon"], home["lat"])
        way = seen.page.locator("path.way")
        seen.page.locator(".card .walk button").wait_for()
        seen.page.wait_for_function("document.querySelector('path.way').getAttribute('d').length > 4")
        seen.page.locator("#choice-group").select_option(label="老年人")
        assert ZH["way_of"].format(name="成年人") in seen.card()
        assert way.get_attribute("d") == "M0 0"
        seen.close()
        assert way.get_attribute("d") == "M0 0"
