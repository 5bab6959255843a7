"""The page: opened as people open it, in headless Chromium, with every request seen.

The town is synthetic: blocks on a lattice, walks along it, all worked out here and handed to the page as results.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from scipy.spatial import cKDTree

from lifecircle.circles import Coverage
from lifecircle.demand import Demand
from lifecircle.ground import Footing
from lifecircle.maps import coverage_page
from lifecircle.maps.encode import WORLD_PX, script_json, shapes, signed_varints, varints, world_px
from lifecircle.maps.frame import LEAFLET
from lifecircle.maps.words import EN, LOCALES, WORDS, ZH, level_names
from lifecircle.model import Circle, Note, Scenario, Settings, SpeedClass, StreetWays, Study, Walking
from lifecircle.routing import NearestWalks, snap, walk_network
from pages import DESKTOP, EVIL, LONG, PHONE

CRS_M = CRS.from_epsg(32651)
ORIGIN = np.array([493_000.0, 4_637_000.0])
BLOCK_M, SPEED_MPS = 80.0, 1.2

# --------------------------------------------------------------------------- a synthetic town


def lattice(n):
    """Return the (n, 2) cells of a lattice filled row by row, and its width."""
    width = int(np.ceil(np.sqrt(n * 1.6)))
    return np.stack(np.divmod(np.arange(n), width)[::-1], axis=1), width


@dataclass
class Town:
    """Today's coverage of a synthetic town, a plan with its last two stations new, and its unserved areas."""

    today: Coverage
    plan: SimpleNamespace
    unserved: pd.DataFrame

    def page(self):
        return coverage_page(self.today, plan=self.plan, unserved=self.unserved)


def town(n=300, *, text="", n_stations=5, n_new=2, seed=8):
    """Return a town in which ``text`` is part of every text that data can bring."""
    draw = np.random.default_rng(seed)
    cell, width = lattice(n)
    height = int(cell[:, 1].max()) + 1
    centre = ORIGIN + BLOCK_M * (cell + 0.5) + draw.uniform(-9, 9, (n, 2))
    half = draw.uniform(7, 24, (n, 2))
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    footprints = shapely.polygons(centre[:, None] + corner * half[:, None])
    extent = BLOCK_M * np.array([width, height])

    split = np.linspace(0, 1, 3)
    boxes = [
        shapely.box(*(ORIGIN + extent * [x0, y0]), *(ORIGIN + extent * [x1, y1]))
        for y0, y1 in pairwise(split)
        for x0, x1 in pairwise(split)
    ]
    areas = gpd.GeoDataFrame(
        {
            "area_id": [f"{text}{area}" for area in "dabce"],
            "level": [f"{text}subdistrict", *[f"{text}community"] * 4],
            "name": [f"{text}Quarter {i}" for i in range(5)],
            "parent_id": ["", *[f"{text}d"] * 4],
        },
        geometry=[shapely.box(*ORIGIN, *(ORIGIN + extent)), *boxes],
        crs=CRS_M,
    )
    quadrant = (cell[:, 0] * 2 >= width).astype(int) + 2 * (cell[:, 1] * 2 >= height).astype(int)
    area_id = np.array([f"{text}{area}" for area in "abce"], dtype=object)[quadrant]
    residents = np.where(draw.random(n) < 0.8, draw.integers(4, 180, n), 0).astype(float)

    spots = np.array([[0.14, 0.22], [0.3, 0.7], [0.8, 0.14], [0.84, 0.76], [0.55, 0.42]])
    places = ORIGIN + extent * np.concatenate([draw.random((max(0, n_stations - 5), 2)), spots])[:n_stations]
    n_old = n_stations - n_new
    stations = gpd.GeoDataFrame(
        {
            "station_id": [f"{text}s{i}" for i in range(n_stations)],
            "name": [f"{text}Station {i}" if i else "" for i in range(n_stations)],
            "kind": f"{text}townhall",
            "tier": f"{text}community",
            "items": "",
            "capacity": np.nan,
            "cost": np.nan,
            "area_id": [f"{text}a", "", f"{text}c", f"{text}e", f"{text}b"] * (n_stations // 5),
            "building_id": "",
            "state": ["fixed"] * n_old + ["chosen"] * n_new,
            "outside": np.arange(n_stations) % 5 == 1,
        },
        geometry=shapely.points(places),
        crs=CRS_M,
    )
    lines = lattice_streets(width, height)
    kinds = np.array(["street", "foot", "street", "steps", "private"], dtype=object)
    row = np.arange(len(lines))
    ways = {
        "kind": kinds[row % 5],
        "way_id": [f"{text}w{i // 2}" for i in row],
        "name": ["" if i // 2 % 3 == 2 else f"{text}Street {i // 2}" for i in row],
    }
    streets = gpd.GeoDataFrame(ways, geometry=lines, crs=CRS_M)
    candidates = gpd.GeoDataFrame(
        {"site_id": [f"{text}c0", f"{text}c1"], "name": [f"{text}Room", ""]},
        geometry=shapely.points(ORIGIN + spots[:2]),
        crs=CRS_M,
    )
    buildings = gpd.GeoDataFrame(
        {
            "building_id": [f"{text}way/{i}" for i in range(n)],
            "name": ["" if i % 3 else f"{text}House {i}" for i in range(n)],
        },
        geometry=footprints,
        crs=CRS_M,
    )
    study = Study(
        path=Path("study.toml"),
        settings=Settings(
            name=f"{text}Synthetic town",
            language="en",
            synthetic=True,
            notes=(Note(en=f"{text}Residents are made up", zh=f"{text}居民为虚构"),),
            walking=Walking(classes=(SpeedClass(f"{text}adult", SPEED_MPS),)),
            circles=(Circle(f"{text}8", 8.0), Circle(f"{text}15", 15.0)),
            scenarios=(Scenario(f"{text}two more", "most", f"{text}8", n_new=n_new),),
        ),
        crs=CRS_M,
        streets=StreetWays(
            (), pd.DataFrame(), *(np.zeros(0, t) for t in (np.int64, np.int32)), np.zeros((0, 2)), pd.DataFrame()
        ),
        areas=areas,
        buildings=buildings,
        entrances=buildings.iloc[:0],
        residents=pd.DataFrame(),
        stations=stations[stations["state"] == "fixed"],
        candidates=candidates,
        barriers=streets.iloc[:0],
        elevation=None,
        extent_m=(*ORIGIN, *(ORIGIN + extent)),
        attribution=(f"© {text}nobody",),
        fingerprint="0" * 64,
        findings=(),
    )
    homes = pd.DataFrame({"area_id": area_id, "residents": residents, "x": centre[:, 0], "y": centre[:, 1]})
    today = covered(study, homes, stations[stations["state"] == "fixed"], streets)
    after = covered(study, homes, stations, streets)
    sites = pd.DataFrame(stations.drop(columns="geometry")).rename(columns={"station_id": "site_id"})
    sites = sites.assign(
        order=pd.array([pd.NA] * n_old + list(range(1, n_new + 1)), dtype="Int64"),
        gain=[np.nan] * n_old + [4210.0 / (k + 1) for k in range(n_new)],
        load=after.stations["residents"],
        next_best=[""] * n_old + [f"{text}c{k % 2}" for k in range(n_new)],
        next_best_loss=[np.nan] * n_old + [float(k) for k in range(n_new)],
        **{f"{what}_{c.name}": 100.0 for what in ("reached", "only_here") for c in study.settings.circles},
    )
    solution = SimpleNamespace(value=5000.0)
    plan = SimpleNamespace(scenario=study.settings.scenarios[0], solution=solution, sites=sites, coverage=after)
    return Town(today, plan, unserved_of(after))


def lattice_streets(width, height):
    """Return the sides of all squares of two by two blocks, west and south of each."""
    x, y = np.meshgrid(BLOCK_M * np.arange(0, width + 1, 2), BLOCK_M * np.arange(0, height + 1, 2))
    corner = ORIGIN + np.stack([x.ravel(), y.ravel()], axis=1)
    ways = [np.stack([corner, corner + np.array(step) * 2 * BLOCK_M], axis=1) for step in ((1, 0), (0, 1))]
    return shapely.linestrings(np.concatenate(ways))


def covered(study, homes, stations, streets):
    """Return the coverage of walks along the lattice, with some homes cut off to the north and south."""
    x, y = homes["x"].to_numpy(), homes["y"].to_numpy()
    tree = cKDTree(shapely.get_coordinates(stations.geometry))
    walk_m, nearest = tree.query(np.stack([x, y], axis=1), p=1)
    kind = np.arange(len(homes)) % 41
    lost = [(kind == 7) | np.isinf(walk_m), kind == 19]
    status = np.select(lost, ["unreachable", "unsnappable"], "ok").astype(object)
    ok = status == "ok"
    walk_s = np.where(ok, walk_m / SPEED_MPS, np.nan)
    within = {c.name: walk_s <= c.cutoff_s for c in study.settings.circles}
    lonlat = shapely.get_coordinates(gpd.GeoSeries(gpd.points_from_xy(x, y), crs=study.crs).to_crs(4326).to_numpy())
    buildings = study.buildings.drop(columns="name").assign(
        area_id=homes["area_id"],
        lon=lonlat[:, 0],
        lat=lonlat[:, 1],
        residents=homes["residents"],
        station_id=np.where(ok, np.append(stations["station_id"].to_numpy(dtype=object), "")[nearest], ""),
        walk_m=np.where(ok, walk_m, np.nan),
        walk_s=walk_s,
        access_m=np.where(ok, 6.0, np.nan),
        egress_m=np.where(ok, 4.0, np.nan),
        circle=np.select(list(within.values()), list(within), "").astype(object),
        status=status,
        **{f"within_{name}": held for name, held in within.items()},
        leg_blocked=kind == 3,
        edge=kind == 5,
    )
    largest = within[study.settings.circles[-1].name]
    served = np.bincount(nearest[largest], weights=homes["residents"][largest], minlength=len(stations))
    spread = [stations.buffer(0.8 * c.cutoff_s * SPEED_MPS, quad_segs=1).union_all() for c in study.settings.circles]
    areas = gpd.GeoDataFrame(
        {"circle": list(within), "minutes": [c.minutes for c in study.settings.circles]},
        geometry=[shapely.multipolygons(shapely.get_parts(area)) for area in spread],
        crs=study.crs,
    )
    return Coverage(
        study=study,
        ground=SimpleNamespace(synthetic=True, walk=lambda _: nowhere(len(homes), len(stations))),
        demand=Demand(homes[["residents"]], pd.DataFrame(), estimated=True),
        buildings=buildings,
        table=table_of(study, buildings, stations),
        stations=stations.assign(residents=served).reset_index(drop=True),
        sites=np.arange(len(stations)),
        service_areas=areas,
        streets=streets,
        reach={c.name: SimpleNamespace(walks=NearestWalks.none(len(homes), 1)) for c in study.settings.walking.classes},
    )


def nowhere(n_homes, n_stations):
    """Return a footing without streets."""
    network = walk_network(np.empty((0, 2)), np.empty((0, 2)))
    homes, stations = (snap(network, np.empty((0, 2)), n_places=n) for n in (n_homes, n_stations))
    return Footing(network, homes, stations, stations.take([]), SPEED_MPS, "there")


def table_of(study, buildings, stations):
    """Return the rows of coverage.csv."""
    rows, circles = [], [c.name for c in study.settings.circles]
    for area in [*study.areas.to_dict("records"), {"area_id": "total", "level": "", "name": study.settings.name}]:
        whole_town = area["area_id"] == "total" or area["parent_id"] == ""
        inside = buildings["area_id"].eq(area["area_id"]) | whole_town
        part = buildings[inside]
        people = part["residents"]
        whole = people.sum()
        within = {name: people[part[f"within_{name}"]].sum() for name in circles}
        ok = part["status"] == "ok"
        n_stations = int(stations["area_id"].isin(part["area_id"].unique()).sum())
        rows.append(
            {
                **{key: area[key] for key in ("area_id", "level", "name")},
                "group": "all",
                "buildings": int((people > 0).sum()),
                "residents": whole,
                **{f"within_{name}": held for name, held in within.items()},
                "beyond": people[ok].sum() - within[circles[-1]],
                **{lost: people[part["status"] == lost].sum() for lost in ("unreachable", "unsnappable")},
                "unplaced": 0.0,
                **{f"share_{name}": held / whole if whole else np.nan for name, held in within.items()},
                "stations": n_stations,
                "residents_per_station": whole / n_stations if n_stations else np.nan,
                "walk_mean_m": np.average(part["walk_m"][ok], weights=people[ok]) if people[ok].sum() else np.nan,
                "walk_p90_m": part["walk_m"][ok].quantile(0.9) if ok.any() else np.nan,
                "walk_n": people[ok].sum(),
            }
        )
    return pd.DataFrame(rows)


def unserved_of(coverage):
    """Return one unserved area a community and circle."""
    rows = []
    for circle in coverage.study.settings.circles:
        name = circle.name
        outside = coverage.buildings[~coverage.buildings[f"within_{name}"] & (coverage.buildings["residents"] > 0)]
        for area_id, part in outside.groupby("area_id"):
            rows.append(
                {
                    "cluster_id": f"{name}-{area_id}",
                    "circle": name,
                    "area_id": area_id,
                    "buildings": len(part),
                    "residents": part["residents"].sum(),
                    "nearest_station_id": part["station_id"].max(),
                    "nearest_minutes": part["walk_s"].mean() / 60.0,
                    "best_candidate_id": coverage.study.candidates["site_id"].iloc[0],
                    "best_candidate_residents": 12.0,
                    "lon": part["lon"].mean(),
                    "lat": part["lat"].mean(),
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def made():
    """The town that most tests look at; nobody changes it."""
    return town()


# --------------------------------------------------------------------------- what is shown


def test_the_same_input_gives_the_same_bytes(made):
    assert made.page() == town().page()


def test_a_page_asks_for_nothing_and_is_small(made):
    html = made.page()
    links = re.findall(r"(?:src|href|url|import)\s*[=(]\s*[\"']?(?:https?:)?//[^\s\"')]+", html)
    assert [link for link in links if "leafletjs.com" not in link] == []
    assert "sourceMappingURL" not in html
    assert len(html.encode()) < 300_000


def test_figures_are_those_of_the_table(made, open_page):
    total = made.plan.coverage.table.iloc[-1]
    with open_page(made.page()) as seen:
        text = seen.page.locator("#contents").inner_text()
        assert f"{total['share_8']:.1%}" in text
        assert f"{total['within_15']:,.0f} residents" in text
        assert f"today {made.today.table.iloc[-1]['share_8']:.1%}" in text
        assert "Residents are made up" in seen.page.locator("#notes").inner_text()
        assert "estimate" in seen.page.locator("#notes").inner_text()
        assert seen.page.locator(".top .badge").inner_text() == "Synthetic data"
        assert seen.page.locator("#attribution").inner_text() == "© nobody"


def test_a_click_finds_the_building_under_it(made, open_page):
    buildings = made.plan.coverage.buildings
    shown = buildings.iloc[[0, 3, 5, 7, 19, 161, 299]]
    with open_page(made.page()) as seen:
        seen.show_only("buildings")
        for row in shown.to_dict("records"):
            card = seen.click(row["lon"], row["lat"])
            assert re.search(rf"{row['building_id']}$", card, re.MULTILINE)
            if row["status"] == "ok":
                minutes = np.ceil(row["walk_s"] / 6.0 - 1e-7) / 10.0
                assert f"{minutes:.1f} min\n{row['walk_m']:,.0f} m" in card
            else:
                assert {"unreachable": "Unreachable", "unsnappable": "No walkable street"}[row["status"]] in card
            assert ("crosses a barrier" in card) == row["leg_blocked"]
            assert ("edge of the data" in card) == row["edge"]
            seen.close()


MARKED_AND_BELOW = """() => {
  const lines = [];
  map_main.eachLayer((layer) => {
    if (layer.getLatLngs && ['#fff', '#1d2733'].includes(layer.options.color)) lines.push(...layer.getLatLngs());
  });
  return lines.filter((line) => line.length).map((line) => line.map(({ lat, lng }) => [lng, lat]));
}"""


def test_a_click_on_a_street_tells_its_name_and_the_id_by_which_a_scenario_closes_it(made, open_page):
    streets = made.today.streets.to_crs(4326)
    words = {"street": "Street", "foot": "Footway", "steps": "Steps", "private": "Private way: nobody walks through"}
    with open_page(made.page()) as seen:
        seen.show_only("streets", "stations", "unserved")
        for row in (0, 1, 4, 8):
            way, spot = streets.iloc[row], streets.geometry[row].interpolate(0.37, normalized=True)
            seen.page.evaluate("([lat, lon]) => map_main.setView([lat, lon], 18, { animate: false })", [spot.y, spot.x])
            closing = ["To close it in a scenario", f'closed = ["{way["way_id"]}"]']
            told = [words[way["kind"]], way["name"] or "Street without a name", "Id", way["way_id"], *closing]
            assert seen.click(spot.x, spot.y).split("\n") == told
            whole = shapely.length(streets.geometry[streets["way_id"] == way["way_id"]].to_numpy()).sum()
            marked = shapely.length(shapely.linestrings(np.array(seen.page.evaluate(MARKED_AND_BELOW)))).sum()
            assert marked == pytest.approx(2 * whole, abs=1e-5)
        seen.close()
        seen.page.evaluate("map_main.setZoom(15, { animate: false })")
        seen.page.mouse.click(*seen.at(spot.x, spot.y))
        seen.page.wait_for_timeout(100)
        assert seen.page.locator(".card").count() == 0, "from afar no street can be told from the next"


def test_stations_sites_areas_and_unserved_areas_tell_their_figures(made, open_page):
    with open_page(made.page()) as seen:
        page = seen.page
        spots = made.plan.coverage.stations.to_crs(4326).geometry
        seen.show_only("stations")
        served = made.plan.coverage.stations["residents"]
        assert f"Residents it is nearest to\n{served[2]:,.0f}" in seen.click(spots[2].x, spots[2].y)
        assert "Stands outside every area" in seen.click(spots[1].x, spots[1].y)
        seen.show_only("sites")
        page.locator(".point").first.click()
        card = seen.card()
        assert "Proposed site · No. 1\nStation 3" in card
        assert "Residents gained\n4,210" in card
        assert "Next best site\nRoom · would do as well" in card
        seen.close()
        seen.show_only("unserved")
        cluster = made.unserved.iloc[0]
        card = seen.click(cluster["lon"], cluster["lat"])
        assert "Unserved area · 8 min\nQuarter 1" in card
        assert f"Residents\n{cluster['residents']:,.0f}" in card
        seen.close()
        seen.show_only("borders", "shading")
        inside = made.today.study.areas.to_crs(4326).geometry[4].representative_point()
        row = made.plan.coverage.table.iloc[4]
        card = seen.click(inside.x, inside.y)
        assert "community\nQuarter 4" in card
        assert f"Residents\n{row['residents']:,.0f}" in card
        assert f"{row['share_8']:.1%}" in card


@pytest.fixture(scope="module")
def closing(made):
    """The page of a plan that closes today's three stations, whose loss is made up; s0 leaves some without any.

    Of s1 little is told: its figures are published.
    """
    hurt = {
        "lost_8": [37.0, np.nan, 37.0],
        "lost_15": 5.0,
        "farther": 410.0,
        "farther_n": [400.0, np.nan, 410.0],
        "farther_mean_s": [60.0, np.nan, 81.0],
        "farther_max_s": [np.nan, np.nan, 203.0],
    }
    sites, left = made.plan.sites, made.plan.coverage.stations.iloc[3:].reset_index(drop=True)
    told = pd.concat([sites[:3].assign(state="closed", **hurt), sites[3:]])
    plan = SimpleNamespace(**{**vars(made.plan), "sites": told, "coverage": replace(made.plan.coverage, stations=left)})
    return coverage_page(made.today, plan=plan, unserved=made.unserved)


def test_a_station_that_closes_has_its_mark_and_tells_whom_that_hurts(made, closing, open_page):
    spots = made.today.stations.to_crs(4326).geometry
    with open_page(closing) as seen:
        seen.show_only("stations")
        assert seen.page.locator(".key.closed").count() == 1
        card = seen.click(spots[2].x, spots[2].y)
        assert "Closes with the plan" in card
        assert "Lose the circle\t37\t5" in card
        assert "Walk farther\n410\nFarther by\n1.4 min on average · 3.4 min at most\n" in card
        seen.close()
        card = seen.click(spots[0].x, spots[0].y)
        assert "Walk farther\n410\nFarther by\n1.0 min on average · some reach no station any more\n" in card
        seen.close()
        card = seen.click(spots[1].x, spots[1].y)
        assert "Walk farther\n410\nKind" in card, "nothing is said of what is not known"
        seen.close()
        seen.page.locator("#stage-0").click()
        assert seen.page.locator(".key.closed").count() == 0
        assert "Today's station" in seen.click(spots[2].x, spots[2].y)


def test_today_and_the_plan_can_be_compared(made, open_page):
    moved = made.today.buildings["station_id"] != made.plan.coverage.buildings["station_id"]
    home = made.today.buildings[moved & (made.today.buildings["status"] == "ok")].iloc[0]
    with open_page(made.page()) as seen:
        seen.show_only("buildings", "sites")
        assert seen.page.locator(".point").count() == 2
        assert f"Today\n{np.ceil(home['walk_s'] / 6.0 - 1e-7) / 10.0:.1f} min" in seen.click(home["lon"], home["lat"])
        seen.page.locator("#stage-0").click()
        assert seen.page.locator(".point").count() == 0
        card = seen.card()
        assert f"{home['walk_m']:,.0f} m" in card
        assert f"{made.today.table.iloc[-1]['share_8']:.1%}" in seen.page.locator("#contents").inner_text()


def test_a_card_says_so_where_the_way_cannot_be_drawn(made, open_page):
    home, lost = made.plan.coverage.buildings.iloc[[0, 7]].to_dict("records")
    with open_page(made.page()) as seen:
        seen.show_only("buildings")
        seen.click(home["lon"], home["lat"])
        seen.page.get_by_text(EN["way_unknown"]).wait_for()
        seen.close()
        assert EN["way_unknown"] not in seen.click(lost["lon"], lost["lat"])


def test_a_page_whose_server_draws_ways_holds_none_and_says_nothing_of_them(made, open_page):
    home = made.today.buildings.iloc[0]
    with open_page(coverage_page(made.today, asking="'use strict';")) as seen:
        seen.show_only("buildings")
        card = seen.click(home["lon"], home["lat"])
        assert EN["way_unknown"] not in card
        assert EN["way_whole"] not in card


def slower(coverage):
    """Return a coverage with a second class, whose walks take half as long again and whose figures are half."""
    study, buildings = coverage.study, coverage.buildings
    walkers = (*study.settings.walking.classes, SpeedClass("aged", 0.8, False))
    settings = replace(study.settings, walking=replace(study.settings.walking, classes=walkers))
    same = {f"{c}_aged": buildings[c] for c in ("station_id", "walk_m", "access_m", "egress_m", "status")}
    walk_s = buildings["walk_s"] * 1.5
    circle = np.select([walk_s <= 480.0, walk_s <= 900.0], ["8", "15"], "")
    every = [coverage.table.assign(group=group) for group in ("all", "adult", "aged")]
    halves = [c for c in every[2] if c.startswith(("within_", "share_"))]
    every[2][halves] = every[2][halves] / 2.0
    return replace(
        coverage,
        study=replace(study, settings=settings),
        buildings=buildings.assign(**same, walk_s_aged=walk_s, circle_aged=circle),
        table=pd.concat(every).sort_index(kind="stable").reset_index(drop=True),
    )


def test_a_group_is_shown_with_its_own_figures_and_as_it_walks(made, open_page):
    today, after = slower(made.today), slower(made.plan.coverage)
    plan = SimpleNamespace(**{**vars(made.plan), "coverage": after})
    total = after.table[after.table["area_id"] == "total"].set_index("group")
    home = after.buildings[(after.buildings["walk_s"] > 240.0) & (after.buildings["status"] == "ok")].iloc[0]
    with open_page(coverage_page(today, plan=plan, unserved=made.unserved)) as seen:
        seen.show_only("buildings")
        for group, slowed in (("All residents", 1.0), ("Aged", 1.5)):
            seen.page.locator("#choice-group").select_option(group)
            shown = total.loc["aged" if slowed > 1.0 else "all"]
            assert f"{shown['share_8']:.1%}" in seen.page.locator("#contents").inner_text()
            card = seen.click(home["lon"], home["lat"])
            assert f"{np.ceil(home['walk_s'] * slowed / 6.0 - 1e-7) / 10.0:.1f} min" in card
            seen.close()
        assert "As they walk\nAged" in seen.click(home["lon"], home["lat"])


def test_the_language_button_changes_every_word(made, open_page):
    with open_page(made.page()) as seen:
        page = seen.page
        spot = made.plan.coverage.stations.to_crs(4326).geometry[2]
        seen.click(spot.x, spot.y)
        assert page.evaluate("document.documentElement.lang") == LOCALES["en"]
        page.locator("#language").click()
        assert page.evaluate("document.documentElement.lang") == LOCALES["zh"]
        text = page.locator("body").inner_text()
        assert "居民为虚构" in text
        assert "就近服务居民" in seen.card()
        ours = [w for w in EN.values() if "{" not in w and len(w) > 6 and w not in ZH.values()]
        assert [w for w in ours if w in text] == []
        labels = page.evaluate(
            "[...document.querySelectorAll('[aria-label], [title]')].map(n => n.ariaLabel || n.title)"
        )
        assert [w for w in ours if any(w in label for label in labels)] == []
        page.locator("#language").click()
        assert "Residents it is nearest to" in seen.card()


def test_keys_alone_are_enough(made, open_page):
    with open_page(made.page()) as seen:
        page = seen.page
        page.locator("#layer-shading").focus()
        page.keyboard.press("Space")
        assert page.locator("#layer-shading").is_checked()
        page.locator("#contents .list button").first.focus()
        page.keyboard.press("Enter")
        assert "Proposed site" in seen.card()
        seen.close()
        page.locator(".folium-map").focus()
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(500)
        page.keyboard.press("Enter")
        assert page.locator(".card").count() == 1


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("text", ["", LONG], ids=["short", "long"])
def test_nothing_runs_over_the_screen(device, text, open_page):
    with open_page(town(text=text).page(), device=device) as seen:
        page = seen.page
        if device is PHONE:
            page.locator("#fold").tap()
        page.locator("#contents .list button").first.click()
        page.wait_for_timeout(300)
        width, height = device["viewport"].values()
        for selector in (".top", ".foot", ".map", ".panel", ".leaflet-popup", "#language", "#fold"):
            box = page.locator(selector).bounding_box()
            assert box["x"] >= -1, selector
            assert box["x"] + box["width"] <= width + 1, selector
            assert box["y"] + box["height"] <= height + 1, selector
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#notes").is_visible()
        assert page.locator("#attribution").is_visible()


# --------------------------------------------------------------------------- text is text


@pytest.mark.parametrize("text", [EVIL, LONG], ids=["evil", "long"])
def test_text_from_data_is_shown_and_never_run(text, open_page):
    evil = town(text=text)
    buildings, stations = evil.plan.coverage.buildings, evil.plan.coverage.stations.to_crs(4326)
    shown = re.sub(r"\s+", " ", text).strip()

    with open_page(evil.page()) as seen:
        page = seen.page

        def sees(selector, *parts):
            content = " ".join(page.locator(selector).all_text_contents())
            content = re.sub(r"\s+", " ", content)
            for part in parts:
                assert shown + part in content, (selector, part)

        for language in ("en", "zh"):
            sees("#name", "Synthetic town")
            sees("#attribution", "nobody")
            sees("#notes", {"en": "Residents are made up", "zh": "居民为虚构"}[language])
            for summary in page.locator("#contents summary").all():
                if summary.locator("..").get_attribute("open") is None:
                    summary.click()
            sees("#contents", "two more", "8", "15", "Station 3", "Quarter 2", "community")
            sees(".area-name", "Quarter 1")
            page.locator("#ask").click()
            sees("#about-text", "adult")
            page.locator("#done").click()
            seen.show_only("buildings")
            home, unnamed = buildings.iloc[0], buildings.iloc[1]
            seen.click(home["lon"], home["lat"])
            sees(".card", "House 0", "way/0", "Quarter 1")
            seen.click(unnamed["lon"], unnamed["lat"])
            sees(".card", "way/1")
            page.mouse.move(*seen.at(buildings.iloc[4]["lon"], buildings.iloc[4]["lat"]))
            page.wait_for_selector(".hover .tip")
            seen.close()
            seen.show_only("streets")
            street = evil.today.streets.to_crs(4326).geometry[1].interpolate(0.37, normalized=True)
            zoom = "(spot) => map_main.setView(spot.reverse(), 18, { animate: false })"
            page.evaluate(zoom, [street.x, street.y])
            page.mouse.move(*seen.at(street.x, street.y))
            page.wait_for_selector(".hover .tip")
            sees(".hover .tip", "Street 0")
            seen.click(street.x, street.y)
            sees(".card", "Street 0", "w0")
            seen.close()
            seen.show_only("stations")
            for station, name in ((0, "s0"), (2, "Station 2")):
                seen.click(stations.geometry[station].x, stations.geometry[station].y)
                sees(".card", name, "townhall", "community")
                seen.close()
            seen.show_only("sites")
            page.locator(".point").nth(1).click()
            sees(".card", "Station 4", "townhall", "c1", "8")
            seen.close()
            page.locator("#search").fill("Station 2")
            page.locator(".search button").click()
            sees(".card", "Station 2")
            page.locator("#search").fill("")
            seen.close()
            seen.show_only("unserved")
            cluster = evil.unserved.iloc[0]
            seen.click(cluster["lon"], cluster["lat"])
            sees(".card", "8", "Quarter 1", "Room")
            seen.close()
            seen.show_only("borders", "shading")
            page.locator("#choice-level").select_option(index=0)
            seen.click(home["lon"], home["lat"])
            sees(".card", "subdistrict", "Quarter 0", "d")
            page.locator("#choice-level").select_option(index=1)
            seen.close()
            for key in ("buildings", "sites"):
                page.locator(f"#layer-{key}").check()
            page.locator("#stage-0").click()
            page.locator("#stage-1").click()
            page.locator("#language").click()
        assert page.title().startswith(f"Synthetic data · {text}".split("\u2028")[0][:20])
        assert page.locator("script").count() == 4
        assert page.locator("img, iframe, object, embed, svg script, link:not([rel=icon])").count() == 0


def test_the_policy_stops_what_is_not_ours(made, open_page):
    with open_page(made.page()) as seen:
        seen.page.evaluate(
            """() => {
                const add = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));
                add('script', { textContent: 'window.ran = 1' });
                document.body.insertAdjacentHTML('beforeend', '<b onclick="window.ran = 2" id="bold">b</b>');
                document.getElementById('bold').click();
            }"""
        )
        seen.page.wait_for_timeout(200)
        assert seen.page.evaluate("window.ran") is None
        assert any("Content Security Policy" in line for line in seen.trouble)
        seen.trouble.clear()


def test_json_cannot_end_the_script_element():
    assert script_json({"a": "</script>\u2028&\ud800"}) == '{"a":"\\u003c/script\\u003e\\u2028\\u0026\\ud800"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


# --------------------------------------------------------------------------- towns with little in them


def without_areas(coverage):
    """Return the coverage of a study that names no areas."""
    study = replace(coverage.study, areas=coverage.study.areas.iloc[:0])
    table = coverage.table.iloc[-1:].reset_index(drop=True)
    return replace(coverage, study=study, table=table, buildings=coverage.buildings.assign(area_id=""))


def nobody(coverage):
    """Return the coverage of a town in which nobody lives."""
    counts = [c for c in coverage.table if c.startswith(("within", "beyond", "un")) or c == "residents"]
    ratios = [c for c in coverage.table if c.startswith(("share", "walk", "residents_per"))]
    table = coverage.table.assign(**dict.fromkeys(counts, 0.0), **dict.fromkeys(ratios, np.nan))
    return replace(coverage, table=table, buildings=coverage.buildings.assign(residents=0.0))


def as_points(coverage):
    """Return the coverage with buildings known as points alone."""
    return replace(coverage, buildings=coverage.buildings.set_geometry(coverage.buildings.centroid))


LITTLE = {
    "today alone": lambda made: coverage_page(made.today),
    "the plan alone": lambda made: coverage_page(made.plan.coverage, plan=made.plan, unserved=made.unserved),
    "nobody unserved": lambda made: coverage_page(made.today, plan=made.plan, unserved=made.unserved.iloc[:0]),
    "no areas": lambda made: coverage_page(without_areas(made.today)),
    "no streets": lambda made: coverage_page(replace(made.today, streets=made.today.streets.iloc[:0])),
    "nobody lives there": lambda made: coverage_page(nobody(made.today)),
    "buildings as points": lambda made: coverage_page(as_points(made.today)),
    "one building": lambda _: coverage_page(town(1).today),
    "no station": lambda _: coverage_page(town(40, n_stations=5, n_new=5).today, unserved=None),
}


@pytest.mark.parametrize("page", LITTLE.values(), ids=LITTLE)
def test_the_page_stands_with_little_in_it(page, made, open_page):
    with open_page(page(made)) as seen:
        assert seen.page.locator("#failure").is_hidden()
        assert "NaN" not in seen.page.locator("body").inner_text()
        seen.page.locator("#language").click()
        seen.page.locator("#whole").click()
        box = seen.page.locator(".folium-map").bounding_box()
        seen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_more_circles_than_two(made, open_page):
    names = {"5": 5.0, "8": 8.0, "health": 15.0}
    settings = replace(made.today.study.settings, circles=tuple(Circle(n, m) for n, m in names.items()))
    table = made.today.table.rename(columns={"within_15": "within_health", "share_15": "share_health"})
    areas = made.today.service_areas.iloc[[0, 0, 1]].assign(circle=list(names))
    coverage = replace(
        made.today,
        study=replace(made.today.study, settings=settings),
        table=table.assign(within_5=table["within_8"] / 2, share_5=table["share_8"] / 2),
        buildings=made.today.buildings.replace({"circle": {"15": "health"}}),
        service_areas=areas,
    )
    with open_page(coverage_page(coverage)) as seen:
        text = seen.page.locator("#contents").inner_text()
        assert "Within 5 min" in text
        assert "health (15 min)" in text


@pytest.mark.slow
def test_a_city_of_sixty_thousand_buildings(open_page, record_property):
    city = town(60_000, n_stations=980, n_new=30)
    start = time.perf_counter()
    html = city.page()
    record_property("seconds_to_write", round(time.perf_counter() - start, 2))
    record_property("megabytes", round(len(html.encode()) / 1e6, 2))
    assert len(html.encode()) < 6e6
    start = time.perf_counter()
    with open_page(html) as seen:
        record_property("seconds_to_ready", round(time.perf_counter() - start, 2))
        home = city.plan.coverage.buildings.iloc[31_111]
        seen.show_only("buildings")
        seen.page.evaluate("([lat, lon]) => map_main.setView([lat, lon], 18)", [home["lat"], home["lon"]])
        assert "way/31111" in seen.click(home["lon"], home["lat"])


# --------------------------------------------------------------------------- words and numbers


@pytest.mark.parametrize(
    ("level", "zh", "en"),
    [
        ("community", "社区", "community"),
        ("Service_Area", "片区", "service area"),
        ("街道", "街道", "subdistrict"),
        ("subdistrict", "街道（乡镇）", "subdistrict"),
        ("gehuo", "gehuo", "gehuo"),
    ],
)
def test_the_usual_levels_of_areas_have_names_in_both_languages(level, zh, en):
    assert level_names(level) == {"zh": zh, "en": en}


def test_the_choice_of_a_level_speaks_the_language_of_the_page(made, open_page):
    with open_page(made.page()) as seen:
        level = seen.page.locator("#choice-level option")
        assert level.all_inner_texts() == ["subdistrict", "community"]
        seen.page.locator("#language").click()
        assert level.all_inner_texts() == ["街道（乡镇）", "社区"]


def test_both_languages_have_the_same_words_and_marks():
    assert list(ZH) == list(EN)
    assert set(LOCALES) == set(WORDS)
    for key in EN:
        assert set(re.findall(r"\{(\w+)\}", EN[key])) == set(re.findall(r"\{(\w+)\}", ZH[key])), key


def test_leaflet_is_the_version_that_the_page_names():
    leaflet = files("lifecircle.maps") / "assets" / "leaflet"
    assert f"Leaflet {LEAFLET}," in (leaflet / "leaflet.js").read_text(encoding="utf-8")
    assert "BSD 2-Clause License" in (leaflet / "LICENSE").read_text(encoding="utf-8")


def test_every_word_is_used():
    assets = files("lifecircle.maps") / "assets"
    scripts = "".join(p.read_text(encoding="utf-8") for p in (assets / "js").iterdir())
    quoted = set(re.findall(r"[\"'](\w+)[\"']", scripts + (assets / "frame.html").read_text(encoding="utf-8")))
    assert set(EN) - quoted == set()


def read_varints(data):
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value, shift = 0, 0
    return numbers


@given(st.lists(st.integers(0, 2**35 - 1)))
def test_varints_come_back(numbers):
    assert read_varints(varints(numbers)) == numbers


@given(st.lists(st.integers(-(2**33), 2**33)))
def test_signed_varints_come_back(numbers):
    assert [(n >> 1) ^ -(n & 1) for n in read_varints(signed_varints(numbers))] == numbers


def test_the_world_is_square_and_starts_in_the_north_west():
    corners = world_px(np.array([[-180.0, 85.05], [0.0, 0.0], [180.0, -85.05]]))
    assert corners[1].tolist() == [WORLD_PX / 2, WORLD_PX / 2]
    assert corners[0, 0] == 0
    assert corners[2, 0] == WORLD_PX
    assert corners[0, 1] + corners[2, 1] == WORLD_PX


def test_shapes_keep_holes_parts_and_empty_places():
    ring = shapely.box(0, 0, 0.01, 0.01).difference(shapely.box(0.004, 0.004, 0.006, 0.006))
    two = shapely.multipolygons([shapely.box(1, 1, 1.01, 1.01), ring])
    line, point, empty = shapely.linestrings([(0, 0), (0.1, 0), (0.1, 0.1)]), shapely.points(2, 2), shapely.Polygon()
    numbers = read_varints(shapes(np.array([ring, two, line, point, empty], dtype=object)))
    assert numbers[:3] == [5, 7, 24]
    assert numbers[3:8] == [2, 3, 1, 1, 0]
    assert numbers[8:15] == [4, 4, 4, 4, 4, 3, 1]
    assert len(numbers) == 15 + 2 * 24
