"""A place fetched out of OpenStreetMap becomes a study that lacks only what OpenStreetMap does not know."""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import socket
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from lifecircle.circles import cover
from lifecircle.errors import FetchError, OutputError, UnknownNameError
from lifecircle.fetch import BUFFER_M as USUAL_BUFFER_M
from lifecircle.fetch import LEVELS, Servers, servers
from lifecircle.fetch.areas import areas_of
from lifecircle.fetch.make import fetch_study
from lifecircle.fetch.place import Place, box_around, choose, outline_of
from lifecircle.fetch.write import language_of, study_name
from lifecircle.model import Settings
from lifecircle.readers.inputs import Input
from lifecircle.readers.keys import Keys
from lifecircle.readers.osm import read_osm
from lifecircle.readers.osm_layers import where_of
from lifecircle.study import check_study, open_study
from map_servers import FREE, HANG, UNLIMITED, MapServers, statements
from record_answers import ANSWERS, BUFFER_M, MONACO, NAME, QUARTER, Extract, place_of, read

RECORDED = {name: read(name) for name in ("ways", "features")}
[PLACE] = read("place")
WAYS = next(name for name, record in RECORDED.items() if len(record["asked"]) == 1)


def recorded(query: str) -> object:
    """Return the recorded answer to a question, None where another was asked."""
    asked, polygon = statements(query)
    for record in RECORDED.values():
        same = asked == frozenset(map(tuple, record["asked"]))
        if same and np.allclose(polygon.bounds, record["bounds"], atol=2e-6):
            return copy.deepcopy(record["answer"])
    return None


@pytest.fixture
def waits(monkeypatch):
    """The seconds that OSMnx would have waited."""
    seconds = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


@pytest.fixture
def maps(waits, monkeypatch):
    """Both servers, with the recorded answers; the machine may have a proxy, which leads to neither."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with MapServers([PLACE], recorded) as both:
        yield both


@pytest.fixture
def fetch(maps, run):
    """Fetch the quarter from these servers and return the exit code, what was printed and what was complained of."""

    def command(*arguments, place=NAME):
        whom = "--nominatim", maps.url, "--overpass", f"{maps.url}/api"
        return run("fetch", place, "--buffer-m", BUFFER_M, *whom, *arguments)

    return command


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """The quarter, fetched once, and what the servers were asked."""
    folder = tmp_path_factory.mktemp("fetched") / "quarter"
    with pytest.MonkeyPatch.context() as patch, MapServers([PLACE], recorded) as both:
        patch.setenv("NO_PROXY", "127.0.0.1")
        fetch_study(folder, NAME, buffer_m=BUFFER_M, servers=Servers(both.url, f"{both.url}/api"))
    return folder, both.asked


@pytest.fixture
def quarter(fetched, tmp_path):
    """The quarter as fetched, to write in."""
    return shutil.copytree(fetched[0], tmp_path / "quarter")


def fill_in(folder: Path) -> None:
    """Write 100 residents into every row of the sheet."""
    sheet = pd.read_csv(folder / "residents.csv", encoding="utf-8-sig", dtype={"residents": "str"})
    sheet.assign(residents="100").to_csv(folder / "residents.csv", index=False, encoding="utf-8-sig")


def errors_of(folder: Path) -> list[tuple[str, str]]:
    return [(b.layer, b.rule) for b in check_study(folder)[1] if b.severity == "error"]


# --------------------------------------------------------------------------- what is fetched


def test_a_fetched_study_lacks_only_its_residents(quarter):
    assert errors_of(quarter) == [("residents", "missing-number")]
    fill_in(quarter)
    assert errors_of(quarter) == []


def test_the_command_says_what_there_is_and_what_to_do_next(fetch, tmp_path):
    code, shown, _ = fetch(tmp_path / "quarter")
    assert code == 0
    assert "2,146 streets, 392 buildings" in shown
    assert "areas: 1 of the level community" in shown
    assert f"next: fill in {tmp_path / 'quarter' / 'residents.csv'}" in shown.replace("\n", "")


def test_the_folder_is_named_after_the_place_where_nobody_names_it(fetch, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fetch()[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["Monaco-Ville-Monaco"]  # and no cache of OSMnx beside it


def test_a_walk_on_what_was_fetched_is_the_walk_on_the_whole_map(quarter, tmp_path):
    fill_in(quarter)
    whole = tmp_path / "whole"
    whole.mkdir()
    for name in ("study.toml", "residents.csv", "areas.geojson"):
        (whole / name).write_bytes((quarter / name).read_bytes())
    (whole / "openstreetmap.osm.pbf").write_bytes(MONACO.read_bytes())
    here, there = (cover(open_study(folder)).buildings.set_index("building_id") for folder in (quarter, whole))
    inner = here[here["area_id"] != ""]
    # Beyond the box may stand a nearer station or lead a shorter way: of such homes `edge` is true.
    sure = inner[~inner["edge"]]
    assert len(sure) > 60
    assert (there["residents"].reindex(inner.index) - inner["residents"]).abs().max() < 1e-6
    same = there.reindex(sure.index)
    assert (same["walk_m"] - sure["walk_m"]).abs().max() < 1.0
    assert (same["station_id"] == sure["station_id"]).all()
    assert (same["status"] == sure["status"]).all()
    assert (same["leg_blocked"] == sure["leg_blocked"]).all()


def test_every_tag_that_decides_who_may_walk_is_fetched(quarter):
    wanted = {layer: where_of(Input(layer, "")) for layer in ("streets", "buildings", "entrances")}
    here, there = (read_osm(path, wanted) for path in (quarter / "openstreetmap.osm.pbf", MONACO))
    for part in ("streets", "street_nodes"):
        ours, theirs = (
            getattr(extract, part).tags.set_index(getattr(extract, part).number) for extract in (here, there)
        )
        ours = ours[ours.ne("").any(axis=1)]
        assert len(ours) > 300
        pd.testing.assert_frame_equal(ours, theirs.loc[ours.index])


def test_the_file_says_which_box_it_covers(quarter):
    box = read_osm(quarter / "openstreetmap.osm.pbf", {"streets": ({"highway": ()},)}).box
    expected = box_around(Place("", shapely.geometry.shape(PLACE["geojson"])), BUFFER_M)
    assert box == pytest.approx(expected, abs=1e-7)


def test_a_fetched_study_names_its_source(quarter):
    text = (quarter / "README.md").read_text("utf-8")
    study = (quarter / "study.toml").read_text("utf-8")
    for said in ("OpenStreetMap contributors", "2023-12-26T21:21:22Z", "http://127.0.0.1"):
        assert said in text
    assert "Open Database License" in text
    fill_in(quarter)
    assert open_study(quarter).attribution == ("© OpenStreetMap contributors (ODbL 1.0)",)
    assert "residents.csv" in study.split("[study]")[0]


def test_a_place_without_a_station_leaves_a_list_to_fill_in(maps, fetch, tmp_path):
    def without_stations(query):
        answer = recorded(query)
        kinds = {"townhall", "post_office", "library", "community_centre", "social_facility", "social_centre"}
        for element in answer["elements"]:
            if element.get("tags", {}).get("amenity") in kinds:
                del element["tags"]["amenity"]
        return answer

    maps.objects = without_stations
    _, shown, _ = fetch(tmp_path / "quarter")
    assert "stations.csv" in shown
    assert errors_of(tmp_path / "quarter") == [("residents", "missing-number"), ("stations", "empty-layer")]


def test_a_box_is_one_area_where_none_fill_it(fetch, maps, tmp_path):
    west, south, east, north = shapely.geometry.shape(PLACE["geojson"]).bounds
    code, shown, complaint = fetch(tmp_path / "box", "--bbox", f"{west},{south},{east},{north}", place="The rock")
    assert code == 0, complaint
    assert "search" not in {what for what, *_ in maps.asked}
    assert "the place itself" in shown
    areas = gpd.read_file(tmp_path / "box" / "areas.geojson")
    assert areas[["area_id", "level", "name"]].to_numpy().tolist() == [["place", "place", "The rock"]]
    assert errors_of(tmp_path / "box") == [("residents", "missing-number")]


@pytest.fixture
def town():
    """A place of 2 x 1 squares, with a home in each corner of each, and units that part it.

    +-------+-------+
    | 8: A  | 8: B  |     A and B are halved by 10: a1, a2, b1, b2; of the level 9 there is one piece, in A
    +-------+-------+
    """

    def square(west, south, side):
        return shapely.box(120 + west / 100, 40 + south / 100, 120 + (west + side) / 100, 40 + (south + side) / 100)

    halves = {f"{name}{i}": shapely.box(120 + x, 40, 120 + x + 0.005, 40.01) for name, x0 in (("a", 0.0), ("b", 0.01))
              for i, x in ((1, x0), (2, x0 + 0.005))}  # fmt: skip
    shapes = {"A": square(0, 0, 1), "B": square(1, 0, 1), "piece": square(0.1, 0.1, 0.2), "beyond": square(3, 0, 1)}
    level = {"A": "8", "B": "8", "piece": "9", "beyond": "8"} | dict.fromkeys(halves, "10")
    shapes |= halves
    columns = {"area_id": list(shapes), "name": list(shapes), "level": [level[i] for i in shapes], "parent_id": ""}
    units = gpd.GeoDataFrame(columns, geometry=list(shapes.values()), crs=4326)
    corners = [(x, y) for x in (120.001, 120.009, 120.011, 120.019) for y in (40.001, 40.009)]
    homes = gpd.GeoDataFrame(geometry=[shapely.Point(c).buffer(1e-5) for c in corners], crs=4326)
    return Place("town", shapely.box(120, 40, 120.02, 40.01)), units, homes


def test_levels_that_fill_the_place_become_a_tree(town):
    areas, told = areas_of(*town)
    tree = dict(zip(areas["area_id"], zip(areas["level"], areas["parent_id"], strict=True), strict=True))
    assert tree == {
        **dict.fromkeys("AB", ("subdistrict", "")),
        **dict.fromkeys(("a1", "a2"), ("community", "A")),
        **dict.fromkeys(("b1", "b2"), ("community", "B")),
    }
    assert told.startswith("2 of the level subdistrict, 4 of the level community")
    assert "left out: 1 of admin_level 9" in told


def test_a_place_without_units_is_one_area(town):
    place, _, homes = town
    areas, told = areas_of(place, None, homes)
    assert areas["name"].tolist() == ["town"]
    assert "the place itself" in told


def test_a_place_without_buildings_of_its_own_is_refused(town):
    _, units, homes = town
    with pytest.raises(FetchError, match="no buildings at elsewhere"):
        areas_of(Place("elsewhere", shapely.box(121, 41, 121.1, 41.1)), units, homes)


# --------------------------------------------------------------------------- how it is asked for


def test_the_servers_are_asked_in_our_name_and_three_times_in_all(fetched):
    asked = [(what, headers, said) for what, headers, said in fetched[1] if what != "status"]
    assert [what for what, *_ in asked] == ["search", "interpreter", "interpreter"]
    assert all("lifecircle" in headers["User-Agent"] for _, headers, _ in fetched[1])
    assert asked[0][2]["q"] == NAME
    assert all(said["data"].startswith("[out:json][timeout:180];") for *_, said in asked[1:])


@pytest.mark.parametrize(
    ("status", "longest"), [((200, FREE), 1), ((200, UNLIMITED), 1), ((404, ""), 1), ((200, "<html>"), 1)]
)
def test_a_server_without_turns_is_not_waited_for(maps, fetch, waits, tmp_path, status, longest):
    maps.says["status"] = status
    assert fetch(tmp_path / "quarter")[0] == 0
    assert max(waits) <= longest


def test_a_server_with_turns_is_waited_for(maps, fetch, waits, tmp_path):
    maps.says["status"] = (
        200,
        FREE.replace("2 slots available", "Slot available after: 2000-01-01T00:00:00Z, in 9 s."),
    )
    assert fetch(tmp_path / "quarter")[0] == 0
    assert waits.count(1) == 3  # a second each: the turn has come long ago


def test_afterwards_osmnx_and_the_process_are_as_they_were(maps, fetch, tmp_path):
    def state():
        known = {k: v for k, v in vars(osmnx.settings).items() if not k.startswith("_")}
        return copy.deepcopy({k: v for k, v in known.items() if isinstance(v, str | int | float | list | dict | None)})

    before, resolve = state(), socket.getaddrinfo
    assert fetch(tmp_path / "quarter")[0] == 0
    maps.says["interpreter"] = (429, "")
    assert fetch(tmp_path / "again")[0] == 1
    assert state() == before
    assert socket.getaddrinfo is resolve


def test_so_far_beyond_the_place_as_anyone_walks_in_the_largest_circle():
    usual = Settings("")
    assert usual.largest_circle.cutoff_s * usual.walking.classes[0].speed_mps == pytest.approx(USUAL_BUFFER_M)


@given(
    lon=st.floats(-170, 170),
    lat=st.floats(-75, 75),
    side=st.floats(0.001, 0.2),
    buffer_m=st.floats(0, 3000),
    bearing=st.floats(0, 360),
)
def test_nothing_within_the_buffer_lies_outside_the_box(lon, lat, side, buffer_m, bearing):
    outline = shapely.box(lon, lat, lon + side, lat + side)
    west, south, east, north = box_around(Place("", outline), buffer_m)
    for corner in shapely.get_coordinates(outline)[:4]:
        x, y, _ = Geod(ellps="WGS84").fwd(*corner, bearing, buffer_m)
        assert west - 1e-6 <= x <= east + 1e-6
        assert south - 1e-6 <= y <= north + 1e-6


# --------------------------------------------------------------------------- what can go wrong


HTML = "<html><body>Please log in to the hotel's network</body></html>"
REMARK = json.dumps(
    {"elements": [], "remark": 'runtime error: Query timed out in "query" at line 1 after 181 seconds.'}
)
DEEP = "[" * 200_000


@pytest.mark.parametrize(
    ("what", "said", "expected"),
    [
        ("search", (429, "slow down"), "answers 429: it has had too many questions from here"),
        ("search", (403, "no"), "answers 403: it refuses"),
        ("search", (200, HTML), "something else than was asked for"),
        ("search", (200, '{"error": "?"}'), "something else than was asked for"),
        ("search", (200, '[{"geojson": {"type": "Polygon"}, "osm_type": "relation"}]'), "cannot be read"),
        ("search", (200, "[1, 2]"), "cannot be read"),
        ("interpreter", (429, "slow down"), "wait a quarter of an hour, or name another with --overpass"),
        ("interpreter", (504, HTML), "answers 504: it is overloaded"),
        ("interpreter", (500, HTML), "answers 500: try again later"),
        ("interpreter", (400, HTML), "is it the right server?"),
        ("interpreter", (200, HTML), "something else than was asked for"),
        ("interpreter", (200, "[]"), "something else than was asked for"),
        ("interpreter", (200, '{"elements": 7}'), "something else than was asked for"),
        ("interpreter", (200, DEEP), "something else than was asked for"),
        ("interpreter", (200, b"\xff\xfe\x00"), "something else than was asked for"),
        ("interpreter", (200, REMARK), "gave up (runtime error: Query timed out"),
        ("interpreter", (200, '{"elements": []}'), "has no streets and no buildings at Monaco-Ville"),
        ("interpreter", (200, '{"elements": [{"type": "node"}]}'), "no object of OpenStreetMap's"),
        ("interpreter", (200, '{"elements": [{"type": "car", "id": 1}]}'), "no object of OpenStreetMap's"),
        ("interpreter", (200, '{"elements": [{"type": "way", "id": 1, "nodes": 5}]}'), "no object of OpenStreetMap's"),
        ("interpreter", (200, '{"elements": [{"type":"node","id":1,"lat":1e9,"lon":0}]}'), "no object of OpenStreetM"),
        ("interpreter", (200, '{"elements": [{"type":"node","id":1,"lat":NaN,"lon":0}]}'), "no object of OpenStreetM"),
        ("interpreter", (200, '{"elements": [{"type":"node","id":1e99,"lat":0,"lon":0}]}'), "no object of OpenStree"),
    ],
)
def test_trouble_with_a_server_is_one_clear_error_and_leaves_nothing(maps, fetch, tmp_path, what, said, expected):
    maps.says[what] = said
    code, shown, complaint = fetch(tmp_path / "quarter")
    assert (code, shown) == (1, "")
    assert expected in complaint.replace("\n", " ")
    assert "Traceback" not in complaint
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again_after_the_pause_that_it_names(maps, fetch, waits, tmp_path):
    maps.says["search"] = (429, "slow down")
    assert fetch(tmp_path / "quarter")[0] == 1
    assert [what for what, *_ in maps.asked].count("search") == 1 + len(servers.PAUSES_S)
    assert set(servers.PAUSES_S) <= set(waits)
    waits.clear()
    maps.says["search"] = (429, "slow down", ("Retry-After", "7"))
    assert fetch(tmp_path / "quarter")[0] == 1
    assert waits.count(7) == len(servers.PAUSES_S)
    waits.clear()
    maps.says["search"] = (429, "not today", ("Retry-After", "86400"))
    assert fetch(tmp_path / "quarter")[0] == 1
    assert max(waits, default=0) <= 1


def test_trouble_is_told_in_the_language_of_the_place(maps, fetch, tmp_path):
    maps.says["search"] = (403, "no")
    _, _, complaint = fetch(tmp_path / "quarter", place="摩纳哥城")
    assert "返回 403：服务器拒绝回答" in complaint
    assert "（--nominatim）" in complaint


@pytest.mark.parametrize("what", ["search", "status", "interpreter"])
def test_a_server_that_says_nothing_is_given_up(maps, fetch, tmp_path, what):
    maps.says[what] = HANG
    code, _, complaint = fetch(tmp_path / "quarter", "--timeout", 1)
    assert code == 1
    assert "does not answer in time" in complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [("MOST_BYTES", 1000), ("LONGEST_S", -1.0)])
def test_an_answer_without_end_is_given_up(fetch, tmp_path, monkeypatch, limit):
    monkeypatch.setattr(servers, *limit)
    code, _, complaint = fetch(tmp_path / "quarter")
    assert code == 1
    assert "ask for a smaller place" in complaint


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("option", ["--nominatim", "--overpass"])
def test_without_a_network_the_command_says_what_to_do_instead(fetch, nobody, waits, tmp_path, option):
    code, _, complaint = fetch(tmp_path / "quarter", option, nobody)
    assert code == 1
    assert "cannot be reached" in complaint
    assert "lifecircle new" in complaint
    assert max(waits, default=0) <= 1
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_that_lets_nobody_through_is_told_as_no_network(fetch, nobody, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", nobody)
    monkeypatch.setenv("http_proxy", nobody)
    code, _, complaint = fetch(tmp_path / "quarter", "--nominatim", "http://nominatim.invalid")
    assert code == 1
    assert "nominatim.invalid cannot be reached" in complaint


@pytest.mark.parametrize("address", ["map", "ftp://map.invalid", "http://", "http://[", "file:///etc/passwd"])
def test_what_is_no_address_of_a_server_is_told(fetch, tmp_path, address):
    for option in ("--nominatim", "--overpass"):
        code, _, complaint = fetch(tmp_path / "quarter", option, address)
        assert code == 1
        assert f"in {option}" in complaint
        assert "https://" in complaint


def place(name: str, number: int, **said: object) -> dict[str, object]:
    return {**copy.deepcopy(PLACE), "display_name": name, "osm_id": number, **said}


POINT = {"type": "Point", "coordinates": [7.42, 43.73]}


@pytest.mark.parametrize(
    ("found", "options", "expected"),
    [
        ([], (), "nothing by that name"),
        ([place("A bar", 1, geojson=POINT)], (), "no outline of anything by that name"),
        ([place("Here", 1), place("There", 2)], (), "--which 2: There"),
        ([place("Here", 1), place("There", 2)], ("--which", 3), "there are 2 places"),
    ],
)
def test_a_place_that_is_none_or_several_is_asked_back(maps, fetch, tmp_path, found, options, expected):
    maps.places = found
    code, _, complaint = fetch(tmp_path / "quarter", *options)
    assert code == 2
    assert expected in complaint
    assert list(tmp_path.iterdir()) == []


def test_of_several_places_one_can_be_chosen(maps, fetch, tmp_path):
    elsewhere = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    maps.places = [place("There", 2, geojson=elsewhere), place("Here", 1)]
    assert fetch(tmp_path / "quarter", "--which", 2)[0] == 0


def test_a_park_of_the_same_name_is_not_the_district():
    park = place("Park", 1, type="park")
    assert choose("", [park, place("District", 2)]).full_name == "District"
    assert choose("", [park]).full_name == "Park"


def test_a_place_told_twice_is_one():
    assert choose("", [place("Here", 1), place("Here", 1)]).osm_id == "r1"


def test_a_place_too_large_is_refused_before_it_is_asked_for(maps, run, tmp_path):
    code, _, complaint = run("fetch", "Land", tmp_path / "x", "--bbox", "7,43,9,45", "--overpass", f"{maps.url}/api")
    assert code == 1
    assert "fetch its districts one by one" in complaint
    assert maps.asked == []


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "3,2,1,4", "1,2,3,nan", "0,0,inf,1", "1,4,2,3", "200,1,201,2"])
def test_a_box_that_is_none_is_bad_usage(run, tmp_path, bbox):
    code, _, complaint = run("fetch", "Box", tmp_path / "x", "--bbox", bbox)
    assert code == 2
    assert "west,south,east,north" in complaint


def test_a_box_is_read_as_it_is_written():
    assert outline_of("7.41, 43.73,7.43,43.75").bounds == (7.41, 43.73, 7.43, 43.75)


def test_a_folder_that_holds_something_is_left_alone_and_nobody_is_asked(maps, fetch, tmp_path):
    (tmp_path / "mine.txt").write_text("dear")
    code, _, complaint = fetch(tmp_path)
    assert code == 1
    assert "not empty" in complaint
    assert maps.asked == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_error_of_fetching_is_what_a_caller_expects(maps, tmp_path):
    whom = Servers(maps.url, f"{maps.url}/api")
    maps.says["interpreter"] = (504, "")
    with pytest.raises(OSError, match="overloaded"):
        fetch_study(tmp_path / "a", NAME, buffer_m=BUFFER_M, servers=whom)
    maps.places = []
    with pytest.raises(UnknownNameError):
        fetch_study(tmp_path / "b", NAME, servers=whom)
    (tmp_path / "c").write_text("a file")
    with pytest.raises(OutputError):
        fetch_study(tmp_path / "c", NAME, servers=whom)


HOSTILE = ['=1+1"]\nx = 1 #`\n# c', "\x1b[31m[bold]$name ${inputs}", "../../etc\x7f\u2028"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_from_the_map_never_becomes_more_than_text(maps, fetch, tmp_path, name):
    def renamed(query):
        answer = recorded(query)
        for element in answer["elements"]:
            if "name" in element.get("tags", {}):
                element["tags"]["name"] = name
        return answer

    maps.objects, maps.places = renamed, [place(f"{name}, Monaco", QUARTER)]
    folder = tmp_path / "quarter"
    code, shown, complaint = fetch(folder, place=name)
    assert code == 0, complaint
    assert "\x1b" not in shown + complaint
    document = tomllib.loads((folder / "study.toml").read_text("utf-8"))
    assert set(document) == {"study", "inputs", "walking", "service", "circle", "scenario"}
    assert document["study"]["name"].isprintable()
    cells = pd.read_csv(folder / "residents.csv", encoding="utf-8-sig", dtype="str", keep_default_na=False)["name"]
    assert not cells.str.startswith(("=", "\t", "@", "+", "-")).any()
    assert "\n# c" not in (folder / "README.md").read_text("utf-8")
    assert errors_of(folder) == [("residents", "missing-number")]


@given(st.text(max_size=200))
def test_whatever_a_place_is_called_its_study_has_a_name(name):
    breaches = []
    assert Keys("[study]", {"name": study_name(name)}, ("name",), breaches).name("name")
    assert breaches == []


@pytest.mark.parametrize(
    ("name", "full_name", "language"),
    [("Nanming", "Nanming, Guiyang, Guizhou, China", "zh"), ("南明区", "", "zh"), ("Nice", "Nice, France", "en")],
)
def test_the_map_of_a_chinese_place_opens_in_chinese(name, full_name, language):
    assert language_of(name, full_name) == language


def test_the_example_of_the_readme_runs(fetch, repository, tmp_path, monkeypatch):
    text = (repository / "README.md").read_text("utf-8")
    [line] = re.findall(r"^ *lifecircle fetch (.*)$", text, re.MULTILINE)
    place, folder = shlex.split(line, comments=True)
    monkeypatch.chdir(tmp_path)
    assert fetch(folder, place=place)[0] == 0
    assert f"{folder}/residents.csv" in text
    assert (tmp_path / folder / "residents.csv").is_file()


# --------------------------------------------------------------------------- the recorded answers themselves


def test_the_recorded_answers_are_small_and_say_how_they_were_made():
    assert sum(path.stat().st_size for path in ANSWERS.iterdir()) < 300_000
    for record in RECORDED.values():
        assert "record_answers.py" in record["answer"]["generator"]


@pytest.mark.slow
def test_the_recorded_answers_are_what_the_extract_holds():
    extract = Extract(MONACO)
    assert place_of(extract, QUARTER) == PLACE
    asked = frozenset(map(tuple, RECORDED[WAYS]["asked"]))
    assert {kind for kind, _ in asked} == {"way"}
    for record in RECORDED.values():
        polygon = shapely.box(*record["bounds"])
        found = extract.answer(frozenset(map(tuple, record["asked"])), polygon)
        known = {(e["type"], e["id"]): e for e in found}
        told = {(e["type"], e["id"]): e for e in record["answer"]["elements"]}
        assert len(told) > 1000
        assert all(known[key] == element for key, element in told.items())
    assert LEVELS[-1] == 11
