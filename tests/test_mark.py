"""The mark of made-up data: whatever comes of it says so, and nothing on the way strips that."""

import json

import geopandas as gpd
import networkx as nx
import osmnx as ox
import pandas as pd
import pyogrio
import pypdfium2
import pytest
import rasterio
from playwright.sync_api import sync_playwright
from rasterio import Affine

from lifecircle import cover, open_study
from lifecircle.dispatch import assign
from lifecircle.graphs import from_networkx, to_networkx
from lifecircle.ground import lay_ground
from lifecircle.maps import coverage_page
from lifecircle.mark import BOTH, MARK, REMARK
from lifecircle.readers.graphml import read_graphml
from lifecircle.readers.osm import ATTRIBUTION
from lifecircle.readers.requests import read_requests
from lifecircle.scenarios import possible_sites, site, unserved_areas
from lifecircle.schema import LAYERS
from lifecircle.study import check_study
from tiny import LAT, LON, STUDY, at, buildings, geojson, line, osm_xml, streets, table, write_city

SCENARIO = """
[[scenario]]
name = "one more"
question = "most"
circle = "8"
n_new = 1
"""
MADE_UP = STUDY.replace('name = "Tiny"', 'name = "Tiny"\nsynthetic = true') + SCENARIO


@pytest.fixture
def city(tmp_path):
    """A city that says nothing of where it comes from."""
    folder = tmp_path / "city"
    folder.mkdir()
    return write_city(folder)


def name_input(city, layer, value):
    """Let the study file take a layer from elsewhere."""
    lines = [row for row in (city / "study.toml").read_text("utf-8").splitlines() if not row.startswith(f"{layer} =")]
    lines.insert(lines.index("[inputs]") + 1, f"{layer} = {value}")
    (city / "study.toml").write_text("\n".join(lines), "utf-8")


def heights(path, *, west=LON - 0.01, **tags):
    """Write heights that lie under the whole city, or to the ``west`` of elsewhere."""
    north, step = LAT + 0.01, 0.0005
    shape = {"width": 60, "height": 60, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", driver="GTiff", transform=Affine(step, 0, west, 0, -step, north), **shape) as raster:
        raster.write(pd.DataFrame(50.0, range(60), range(60)).to_numpy("float32"), 1)
        raster.update_tags(**tags)


# --------------------------------------------------------------------------- what comes out


def says_so(path):
    """Return whether a file says in its own content that it is synthetic, in every one of its layers."""
    if path.suffix == ".parquet":
        return set(pd.read_parquet(path)[MARK]) == {"yes"}
    if path.suffix == ".gpkg":
        layers = [gpd.read_file(path, layer=name) for name in pyogrio.list_layers(path)[:, 0]]
        return all(set(layer[MARK]) <= {"yes"} for layer in layers)
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as document:
            return all(BOTH in page.get_textpage().get_text_range() for page in document)
    content = path.read_text("utf-8-sig")
    if path.suffix == ".csv":
        rows = pd.read_csv(path, encoding="utf-8-sig")
        return rows.columns[-1] == MARK and set(rows[MARK]) <= {"yes"}
    if path.suffix == ".json":
        return json.loads(content)[MARK] is True
    if path.suffix == ".html":
        marks = f'<meta name="{MARK}" content="yes">', f"<title>{REMARK.en}", f">{REMARK.en}"
        return all(mark in content for mark in marks)
    return REMARK.en in content and REMARK.zh in content


def every_result(run, city, out):
    """Run every command that writes results, and return the files and what was printed."""
    table(city / "requests.csv", "request_id lon lat item", ["r1", *at(3, 0), ""])
    shown = [run(command, city, "--out", out)[1] for command in ("check", "cover", "site", "compare")]
    shown.append(run("assign", city, city / "requests.csv", "--out", out)[1])
    return sorted(p for p in out.rglob("*") if p.is_file()), shown


def test_every_file_made_from_a_synthetic_study_says_so_itself(run, city, tmp_path):
    (city / "study.toml").write_text(MADE_UP, "utf-8")
    written, shown = every_result(run, city, tmp_path / "out")
    assert {p.suffix for p in written} == {".csv", ".gpkg", ".html", ".json", ".parquet", ".pdf", ".txt"}
    assert {p.parent.name for p in written} == {"check", "today", "one-more", "compare", "assigned"}
    assert [p.relative_to(tmp_path) for p in written if not says_so(p)] == []
    assert all(BOTH in text for text in shown)
    assert shown[0].splitlines()[0] == BOTH


def test_nothing_made_from_a_real_study_says_so(run, city, tmp_path):
    (city / "study.toml").write_text(STUDY + SCENARIO, "utf-8")
    written, shown = every_result(run, city, tmp_path / "out")
    claims = [p for p in written if p.suffix in (".csv", ".txt") and MARK in p.read_text("utf-8-sig").lower()]
    claims += [p for p in written if p.suffix == ".html" and f'name="{MARK}"' in p.read_text("utf-8")]
    claims += [p for p in written if p.suffix == ".json" and json.loads(p.read_text("utf-8")).get(MARK)]
    claims += [p for p in written if p.suffix == ".parquet" and MARK in pd.read_parquet(p)]
    assert claims == []
    assert not any(REMARK.en in text for text in shown)


def test_a_synthetic_study_that_cannot_be_used_is_still_told_to_be_one(run, city, tmp_path):
    (city / "study.toml").write_text(MADE_UP, "utf-8")
    table(city / "stations.csv", "station_id lon lat", ["s1", "nowhere", 0])
    _, shown, _ = run("check", city, "--out", tmp_path / "out")
    assert shown.splitlines()[0] == BOTH
    assert all(says_so(p) for p in (tmp_path / "out" / "check").iterdir())


def no_longitudes(city):
    table(city / "stations.csv", f"station_id lat {MARK}", ["s1", 41.9, "yes"])


def another_id(city):
    rows = [{"nr": said["building_id"], MARK: "yes"} for said, _ in buildings()]
    geojson(city / "buildings.geojson", [(said, shape) for said, (_, shape) in zip(rows, buildings(), strict=True)])


def no_geometry(city):
    geojson(city / "buildings.geojson", [({"building_id": "b1", MARK: "yes"}, None)])


def no_filter(city):
    marked_csv("stations")(city)
    name_input(city, "stations", '{ path = "stations.csv", where = { kind = "post" } }')


def heights_under_a_broken_study(city):
    table(city / "stations.csv", "station_id lat", ["s1", 41.9])
    name_input(city, "elevation", '"heights.tif"')
    heights(city / "heights.tif", synthetic="yes")


def heights_elsewhere(city):
    name_input(city, "elevation", '"heights.tif"')
    heights(city / "heights.tif", west=LON + 5, synthetic="yes")


@pytest.mark.parametrize(
    "spoil",
    [no_longitudes, another_id, no_geometry, no_filter, heights_under_a_broken_study, heights_elsewhere],
    ids=lambda spoil: spoil.__name__,
)
def test_a_marked_input_that_cannot_be_used_still_marks_what_is_told_of_it(run, city, tmp_path, spoil):
    spoil(city)
    code, shown, _ = run("check", city, "--out", tmp_path / "out")
    assert code == 1
    assert shown.splitlines()[0] == BOTH
    assert all(says_so(p) for p in (tmp_path / "out" / "check").iterdir())


def test_every_frame_that_is_given_out_of_a_synthetic_study_says_so(city):
    for text, expected in ((MADE_UP, True), (STUDY + SCENARIO, False)):
        (city / "study.toml").write_text(text, "utf-8")
        today = cover(open_study(city))
        sites = possible_sites(today)
        plan = site(today.study, scenario="one more", today=today, sites=sites)
        frames = [
            frame
            for c in (today, plan.coverage)
            for frame in (c.table, c.buildings, c.stations, c.service_areas, c.streets, *c.drawings.values())
        ]
        for frame in (*frames, plan.sites, unserved_areas(today, sites)):
            assert (frame.columns[-1] == MARK) == (MARK in frame) == expected
            assert not expected or set(frame[MARK]) <= {"yes"}


# --------------------------------------------------------------------------- what goes in


def marked_geojson(layer):
    return lambda city: geojson(
        city / f"{layer}.geojson",
        [(dict(said) | {MARK: "yes" if not i else ""}, shape) for i, (said, shape) in enumerate(LAYER_ROWS[layer]())],
    )


def marked_csv(layer):
    def write(city):
        rows = pd.read_csv(city / f"{layer}.csv")
        rows.assign(**{MARK: 1}).to_csv(city / f"{layer}.csv", index=False)

    return write


LAYER_ROWS = {
    "streets": streets,
    "buildings": buildings,
    "barriers": lambda: [({"kind": "wall"}, line((1, 1), (3, 1)))],
}


@pytest.mark.parametrize(
    ("layer", "write"),
    [
        *((layer, marked_geojson(layer)) for layer in LAYER_ROWS),
        *((layer, marked_csv(layer)) for layer in ("residents", "stations", "candidates")),
    ],
)
def test_one_row_of_one_input_makes_the_study_synthetic_and_the_file_that_denies_it_is_told(city, layer, write):
    assert not open_study(city).synthetic
    write(city)
    study = open_study(city)
    assert study.marked == (layer,)
    assert study.synthetic
    [finding] = [f for f in study.findings if f.rule == "unsaid-synthetic"]
    assert (finding.layer, finding.severity) == (layer, "warning")
    (city / "study.toml").write_text(MADE_UP, "utf-8")
    assert "unsaid-synthetic" not in [f.rule for f in open_study(city).findings]


@pytest.mark.parametrize("word", ["yes", "TRUE", "1", "1.0", True, 1.0])
def test_the_mark_is_read_however_a_table_writes_yes(city, word):
    rows = [(dict(said) | {MARK: word}, shape) for said, shape in buildings()]
    geojson(city / "buildings.geojson", rows)
    if word == "1.0":
        assert "not-a-flag" in [f.rule for f in check_study(city)[1]]
    else:
        assert open_study(city).synthetic


@pytest.mark.parametrize("heading", ["SYNTHETIC", "Synthetic", " synthetic "])
def test_the_mark_is_read_however_an_office_or_a_format_writes_its_name(city, tmp_path, heading):
    quiet = {layer: (city / layer).read_bytes() for layer in ("stations.csv", "buildings.geojson")}
    pd.read_csv(city / "stations.csv").assign(**{heading: "yes"}).to_csv(city / "stations.csv", index=False)
    geojson(city / "buildings.geojson", [(dict(said) | {heading: "Yes"}, shape) for said, shape in buildings()])
    assert open_study(city).marked == ("buildings", "stations")
    for layer, content in quiet.items():
        (city / layer).write_bytes(content)

    osm_xml(city / "town.osm", {1: (0, 0), 2: (4, 0)}, {1: ((1, 2), {"highway": "path", heading.strip(): "yes"})})
    name_input(city, "streets", '"town.osm"')
    assert open_study(city).marked == ("streets",)

    graph = nx.MultiDiGraph(crs="EPSG:4326", **{heading: "yes"})
    graph.add_nodes_from((i, dict(zip("xy", at(4 * i, 0), strict=True))) for i in range(2))
    graph.add_edge(0, 1, osmid=1, highway="residential", length=332.0)
    ox.save_graphml(graph, city / "streets.graphml")
    name_input(city, "streets", '"streets.graphml"')
    assert open_study(city).marked == ("streets",)

    table(city / "requests.csv", f"request_id lon lat {heading}", ["r1", *at(1, 0), "yes"])
    assert read_requests(city / "requests.csv")[MARK].all()


@pytest.mark.parametrize("word", ["no", "False", "0", "", None])
def test_a_row_that_says_no_is_no_mark(city, word):
    geojson(city / "buildings.geojson", [(dict(said) | {MARK: word}, shape) for said, shape in buildings()])
    assert not open_study(city).synthetic


def test_a_mark_that_cannot_be_read_is_an_error_and_never_passed_over(city):
    geojson(city / "buildings.geojson", [(dict(said) | {MARK: "perhaps"}, shape) for said, shape in buildings()])
    study, findings = check_study(city)
    assert study is None
    assert ("buildings", "not-a-flag", "error") in [(f.layer, f.rule, f.severity) for f in findings]


def test_every_layer_takes_the_mark_under_a_heading_of_its_own(city):
    table(city / "stations.csv", "station_id lon lat 合成", ["s1", *at(1.2, 0.3), "yes"])
    name_input(city, "stations", f'{{ path = "stations.csv", columns = {{ {MARK} = "合成" }} }}')
    assert open_study(city).marked == ("stations",)
    assert not any(MARK in rules.names for rules in LAYERS.values())  # no frame of a study bears it


def test_a_tag_of_an_openstreetmap_object_marks_the_layers_that_it_is_in(city):
    corners = {1: (0, 0), 2: (4, 0), 3: (4, 2), 4: (1, 0.2), 5: (1.4, 0.2), 6: (1.4, 0.4)}
    ways = {
        1: ((1, 2), {"highway": "residential"}),
        2: ((2, 3), {"highway": "footway", MARK: "yes"}),
        3: ((4, 5, 6, 4), {"building": "yes"}),
        4: ((1, 3), {"power": "line", MARK: "yes"}),
    }
    osm_xml(city / "town.osm", corners, ways)
    for layer in ("streets", "buildings"):
        name_input(city, layer, '"town.osm"')
    table(city / "residents.csv", "building_id residents", ["w3", 60])
    study = open_study(city)
    assert study.marked == ("streets",)
    assert study.attribution == (ATTRIBUTION,)
    made_up = {i: (nodes, said | {MARK: "yes"}) for i, (nodes, said) in ways.items()}
    osm_xml(city / "town.osm", corners, made_up)
    assert open_study(city).attribution == ()  # nothing in it is of OpenStreetMap
    osm_xml(city / "town.osm", corners, {i: (nodes, said | {MARK: "no"}) for i, (nodes, said) in ways.items()})
    assert open_study(city).marked == ()


@pytest.mark.parametrize("where", ["graph", "edge", "nowhere"])
def test_a_graph_says_it_as_a_whole_or_of_an_edge(city, where):
    graph = nx.MultiDiGraph(crs="EPSG:4326", **({MARK: "yes"} if where == "graph" else {}))
    for number, spot in enumerate([(0, 0), (4, 0), (4, 2)]):
        graph.add_node(number, x=at(*spot)[0], y=at(*spot)[1])
    for a, b, length_m in ((0, 1, 332.0), (1, 2, 222.0)):
        said = {MARK: "yes"} if where == "edge" and a else {}
        graph.add_edge(a, b, osmid=a, highway="residential", length=length_m, **said)
    ox.save_graphml(graph, city / "streets.graphml")
    name_input(city, "streets", '"streets.graphml"')
    assert open_study(city).synthetic == (where != "nowhere")


@pytest.mark.parametrize("of", ["study file", "heights", "nothing"])
def test_a_graph_of_a_synthetic_study_says_so_there_and_back(city, tmp_path, of):
    (city / "study.toml").write_text(MADE_UP if of == "study file" else STUDY, "utf-8")
    if of == "heights":
        name_input(city, "elevation", '"heights.tif"')
        heights(city / "heights.tif", synthetic="yes")
    study = open_study(city)
    for network in (
        lay_ground(study).reference.network,
        from_networkx(to_networkx(lay_ground(study).reference.network)),
    ):
        ox.save_graphml(to_networkx(network, crs=study.crs), tmp_path / "walks.graphml")
        assert read_graphml(tmp_path / "walks.graphml")[1] == (of != "nothing")
        assert network.turned().synthetic == network.with_ways(closed=network.private).synthetic == (of != "nothing")


@pytest.mark.parametrize("mark", ["yes", True, 1])
@pytest.mark.parametrize("where", ["graph", "node", "edge"])
def test_a_graph_of_others_that_says_so_makes_a_network_that_does(where, mark):
    said = {place: {MARK: mark} if place == where else {} for place in ("graph", "node", "edge")}
    graph = nx.MultiDiGraph(**said["graph"])
    graph.add_node(0, x=0.0, y=0.0)
    graph.add_node(1, x=90.0, y=0.0, **said["node"])
    graph.add_edge(0, 1, length=90.0, **said["edge"])
    assert from_networkx(graph).synthetic


def test_a_tag_of_the_heights_marks_what_is_made_from_them(run, city, tmp_path):
    name_input(city, "elevation", '"heights.tif"')
    heights(city / "heights.tif")
    assert not lay_ground(open_study(city)).synthetic
    heights(city / "heights.tif", synthetic="yes")
    today = cover(open_study(city))
    assert today.synthetic
    assert [f.layer for f in today.findings if f.rule == "unsaid-synthetic"] == ["elevation"]
    assert run("check", city, "--out", tmp_path / "out")[1].splitlines()[0] == BOTH
    stated = (city / "study.toml").read_text("utf-8").replace("[study]", f"[study]\n{MARK} = true")
    (city / "study.toml").write_text(stated, "utf-8")
    assert "unsaid-synthetic" not in [f.rule for f in lay_ground(open_study(city)).findings]


def test_a_result_that_is_read_again_keeps_its_mark(run, city, tmp_path):
    (city / "study.toml").write_text(MADE_UP, "utf-8")
    every_result(run, city, tmp_path / "out")
    plan = tmp_path / "out" / "scenarios" / "one-more"
    (city / "study.toml").write_text(STUDY, "utf-8")
    for name, layer in (("sites.csv", ""), ("service_areas.gpkg", "stations")):
        key = f', layer = "{layer}"' if layer else ', columns = { station_id = "site_id" }'
        path = (plan / name).as_posix()
        name_input(city, "stations", f'{{ path = "{path}"{key} }}')
        study = open_study(city)
        assert set(study.stations["station_id"]) == {"s1", "c1"}
        assert study.marked == ("stations",)
        assert cover(study).synthetic


def test_requests_that_are_made_up_mark_where_they_are_sent(city):
    study = open_study(city)
    table(city / "requests.csv", f"request_id lon lat {MARK}", ["r1", *at(3, 0), "no"], ["r2", *at(1, 0), "yes"])
    assert assign(study, read_requests(city / "requests.csv"))[MARK].tolist() == ["yes", "yes"]
    table(city / "requests.csv", "request_id lon lat", ["r1", *at(3, 0)])
    assert MARK not in assign(study, read_requests(city / "requests.csv"))


# --------------------------------------------------------------------------- what is seen


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)], ids=["screen", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_shows_the_mark_above_and_on_the_map_on_screen_and_in_print(chromium, city, tmp_path, size, language):
    said = MADE_UP.replace('language = "en"', f'language = "{language}"')
    said = said.replace('name = "Tiny"', 'name = "A very long name of a city that nobody has ever seen 抚顺市示例"')
    (city / "study.toml").write_text(said, "utf-8")
    page_file = tmp_path / "map.html"
    page_file.write_text(coverage_page(cover(open_study(city))), "utf-8")
    word = {"zh": REMARK.zh, "en": REMARK.en}[language]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        assert page.title().startswith(word)
        for media in ("screen", "print"):
            page.emulate_media(media=media)
            for place in (".top .badge", ".map .badge"):
                badge = page.locator(place)
                assert badge.inner_text() == word
                on_top = badge.evaluate(
                    """b => {
                        b.style.pointerEvents = 'auto';
                        const r = b.getBoundingClientRect();
                        return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2) === b
                            && r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight;
                    }"""
                )
                assert on_top, (media, place)
        page.emulate_media(media="screen")
        page.locator("#language").click()
        assert page.locator(".top .badge").inner_text() == ({REMARK.zh, REMARK.en} - {word}).pop()
        browser.close()


def test_a_page_whose_script_does_not_run_shows_the_mark(city):
    (city / "study.toml").write_text(MADE_UP, "utf-8")
    page = coverage_page(cover(open_study(city)))
    assert page.count(f'data-word="{MARK}">{REMARK.en}<') == 2
    real = MADE_UP.replace("synthetic = true\n", "")
    (city / "study.toml").write_text(real, "utf-8")
    assert f'data-word="{MARK}"' not in coverage_page(cover(open_study(city)))
