"""The commands as a user types them: what they write, how they fail, and that README tells the truth."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path
from threading import Timer

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio import Affine

from lifecircle import cli, reports, terminal
from lifecircle.errors import LifecircleError, OutputError, UnknownNameError
from lifecircle.model import folder_name
from lifecircle.outcomes import OUTCOMES
from lifecircle.readers.study_file import read_study_file
from lifecircle.sheets import write_csv
from tiny import LAT, LON, STUDY, at, box, geojson, line, table, write_city

SCENARIOS = """
[[scenario]]
name = "one more"
question = "most"
circle = "8"
n_new = 1

[[scenario]]
name = "everyone"
question = "fewest"
circle = "8"
share = 1.0
"""
TODAY = {
    *("coverage.csv", "buildings.parquet", "unserved.csv", "service_areas.gpkg", "map.html", "NOTES.txt", "run.json"),
}


@pytest.fixture
def city(tmp_path):
    folder = tmp_path / "city"
    folder.mkdir()
    write_city(folder, study=STUDY + SCENARIOS)
    table(folder / "residents.csv", "building_id residents", ["b1", 60], ["b2", 4])
    table(folder / "stations.csv", "station_id lon lat name", ["s1", *at(3.9, 0.1), "代办站"])
    return folder


def files(folder):
    return {p.name for p in folder.iterdir()}


def test_cover_writes_todays_tables_layers_and_map(run, city, tmp_path):
    code, shown, _ = run("cover", city, "--out", tmp_path / "out")
    assert code == 0
    assert "64" in shown
    today = tmp_path / "out" / "today"
    assert files(today) == TODAY | {"field_check.csv"}
    assert files(tmp_path / "out") == {"today"}
    rows = pd.read_csv(today / "coverage.csv", encoding="utf-8-sig")
    assert rows.columns.tolist() == [
        *("area_id", "level", "name", "group", "buildings", "residents", "within_8", "within_15", "beyond"),
        *("unreachable", "unsnappable", "unplaced", "share_8", "share_15", "stations", "residents_per_station"),
        *("walk_mean_m", "walk_p90_m", "walk_n", "residents_basis"),
    ]
    assert rows.iloc[-1]["area_id"] == "total"
    homes = pd.read_parquet(today / "buildings.parquet")
    assert homes.columns.tolist()[:15] == [
        *("building_id", "area_id", "lon", "lat", "residents", "residents_adult", "station_id", "walk_m", "walk_s"),
        *("access_m", "egress_m", "circle", "status", "leg_blocked", "edge"),
    ]
    areas = gpd.read_file(today / "service_areas.gpkg", layer="service_areas")
    assert areas["circle"].tolist() == ["8", "15"]
    assert areas.crs == "EPSG:4326"


def test_site_answers_every_scenario_in_a_folder_of_its_own(run, city, tmp_path):
    code, shown, _ = run("site", city, "--out", tmp_path / "out")
    assert code == 0
    assert "pharmacy" in shown
    for name in ("one-more", "everyone"):
        folder = tmp_path / "out" / "scenarios" / name
        assert files(folder) == TODAY | {"sites.csv", "plan.json"}
        plan = json.loads((folder / "plan.json").read_text("utf-8"))
        assert plan["gap"] == 0
        assert plan["sites"] == ["c1"]
        assert len(plan["fingerprint"]) == 64
        sites = pd.read_csv(folder / "sites.csv", encoding="utf-8-sig")
        assert sites["state"].tolist() == ["fixed", "chosen"]
    assert not (tmp_path / "out" / "today").exists()


def test_the_share_that_is_printed_is_of_all_residents_whatever_the_classes(run, city, tmp_path):
    classes = '[walking]\nclasses = [{ name = "adult", speed_mps = 1.2 }, { name = "aged", speed_mps = 0.9 }]\n'
    (city / "study.toml").write_text(STUDY + classes + SCENARIOS, "utf-8")
    table(city / "residents.csv", "building_id residents residents_aged", ["b1", 60, 20], ["b2", 4, 1])
    code, shown, _ = run("site", city, "--scenario", "everyone", "--out", tmp_path / "out")
    assert code == 0
    assert "64 residents within 8: 100.0% of all, 100.0% of those" in shown


def test_one_scenario_can_be_asked_by_name(run, city, tmp_path):
    assert run("site", city, "--scenario", "everyone", "--out", tmp_path / "out")[0] == 0
    assert files(tmp_path / "out" / "scenarios") == {"everyone"}
    code, _, complaint = run("site", city, "--scenario", "nobody", "--out", tmp_path / "out")
    assert code == 2
    assert "one more, everyone" in complaint


def test_assign_writes_a_row_for_every_request(run, city, tmp_path):
    table(tmp_path / "requests.csv", "request_id lon lat item", ["r1", *at(3, 0), ""], ["r2", *at(50, 50), ""])
    code, _, _ = run("assign", city, tmp_path / "requests.csv", "--out", tmp_path / "out")
    assert code == 0
    rows = pd.read_csv(tmp_path / "out" / "assigned" / "assigned.csv", encoding="utf-8-sig", keep_default_na=False)
    assert rows.columns.tolist() == ["request_id", "station_id", "walk_m", "walk_s", "tier", "reason"]
    assert rows["reason"].tolist() == ["", "unsnappable"]
    assert rows["walk_m"].tolist()[1] == ""


def test_the_same_input_gives_the_same_bytes(run, city, tmp_path):
    def digests(out):
        run("cover", city, "--out", out)
        run("site", city, "--out", out)
        written = [p for p in out.rglob("*") if p.is_file() and p.name != "run.json"]
        return {p.relative_to(out): sha256(p.read_bytes()).hexdigest() for p in written}

    one = digests(tmp_path / "one")
    assert len(one) == 7 + 8 + 8
    assert digests(tmp_path / "two") == one


def test_check_lists_every_breach_on_a_page_and_ends_with_1(run, city, tmp_path):
    table(city / "stations.csv", "station_id lon lat name", ["s1", *at(1, 0), "<b>"], ["s1", "nan", 41.8, "x"])
    table(city / "residents.csv", "building_id residents", ["b1", -3])
    code, _, complaint = run("check", city, "--out", tmp_path / "out")
    assert code == 1
    found = json.loads((tmp_path / "out" / "check" / "check.json").read_text("utf-8"))
    assert found["error"] >= 3
    assert {f["layer"] for f in found["findings"]} >= {"stations", "residents"}
    page = (tmp_path / "out" / "check" / "check.html").read_text("utf-8")
    assert all(f["rule"] in page for f in found["findings"])
    assert "error" in complaint


def test_check_of_a_sound_study_ends_with_0(run, city, tmp_path):
    code, _, _ = run("check", city, "--out", tmp_path / "out")
    assert code == 0
    assert json.loads((tmp_path / "out" / "check" / "check.json").read_text("utf-8"))["error"] == 0


def test_check_names_a_station_off_the_network(run, city, tmp_path):
    (city / "study.toml").write_text(STUDY + "[walking]\nmax_access_m = 5\n", "utf-8")
    code, _, complaint = run("check", city, "--out", tmp_path / "out")
    assert code == 1
    assert "s1" in complaint


def heights(path, *, west=LON - 0.02, dtype="float32", crs="EPSG:4326"):
    """Write a level raster, 0.06 degree wide and high."""
    from_cell = Affine(0.0002, 0, west, 0, -0.0002, LAT + 0.03)
    profile = {"driver": "GTiff", "width": 300, "height": 300, "count": 1, "dtype": dtype, "crs": crs}
    with rasterio.open(path, "w", transform=from_cell, **profile) as raster:
        raster.write(np.full((300, 300), 40, dtype=dtype), 1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.write_text("ncols 300\nnrows 300\n"), "its content is not GeoTIFF"),
        (lambda path: path.write_bytes(b"II*\x00" + bytes(64)), "cannot be read as a GeoTIFF"),
        (lambda path: heights(path, west=7.4), "is it of another city?"),
        (lambda path: heights(path, crs=None), "does not say where it lies"),
        (lambda path: heights(path, dtype="complex64"), "holds no heights"),
    ],
    ids=["missing", "no raster", "broken", "another city", "nowhere", "no heights"],
)
def test_heights_that_cannot_be_used_are_one_clear_error(run, city, tmp_path, make, says):
    make(city / "heights.tif")
    (city / "study.toml").write_text(STUDY + 'elevation = "heights.tif"\n', "utf-8")
    code, shown, complaint = run("check", city, "--out", tmp_path)
    assert code == 1
    assert "Traceback" not in shown + complaint
    [told] = [line for line in complaint.splitlines() if "elevation:" in line]
    assert says in told
    assert "heights.tif" in told
    found = json.loads((tmp_path / "check" / "check.json").read_text("utf-8"))["findings"]
    assert [f["layer"] for f in found if f["severity"] == "error"] == ["elevation"]


@pytest.mark.parametrize("speed", ["0", "-1.2", "nan", "inf", '"fast"'])
def test_a_speed_at_which_nobody_gets_anywhere_is_one_clear_error(run, city, tmp_path, speed):
    walking = f'[walking]\nclasses = [{{ name = "adult", speed_mps = {speed} }}]\n'
    (city / "study.toml").write_text(STUDY + walking, "utf-8")
    code, shown, complaint = run("cover", city, "--out", tmp_path / "out")
    assert code == 1
    assert "Traceback" not in shown + complaint
    assert len([line for line in complaint.splitlines() if "speed_mps must be" in line]) == 1
    assert not (tmp_path / "out").exists()


def test_heights_of_half_the_city_are_used_and_the_other_half_is_told(run, city, tmp_path):
    heights(city / "heights.tif", west=LON + 0.002)
    (city / "study.toml").write_text(STUDY + 'elevation = "heights.tif"\n', "utf-8")
    code, _, complaint = run("cover", city, "--out", tmp_path / "out")
    assert code == 0
    assert "warning" in complaint
    assert "height" in complaint


def test_legs_through_walls_are_counted_where_the_study_is_checked_and_where_it_is_covered(run, city, tmp_path):
    walls = [(1.9, 1.4), (2.5, 1.4), (2.5, 1.8), (1.9, 1.8), (1.9, 1.4)]
    geojson(city / "barriers.geojson", [({"kind": "wall"}, line(*walls))])
    code, _, complaint = run("check", city, "--out", tmp_path / "out")
    assert code == 0
    assert "1 of 3" in complaint
    found = json.loads((tmp_path / "out" / "check" / "check.json").read_text("utf-8"))["findings"]
    [told] = [f for f in found if f["rule"] == "leg-blocked"]
    assert (told["layer"], told["ids"], told["count"]) == ("buildings", ["b2"], 1)
    assert "1 of 3" in run("cover", city, "--out", tmp_path / "out")[2]
    homes = pd.read_parquet(tmp_path / "out" / "today" / "buildings.parquet").set_index("building_id")
    assert homes["leg_blocked"].tolist() == [False, True, False]


def test_a_plan_records_how_people_walk(run, city, tmp_path):
    walking = """
[walking]
direction = "worse_way"
classes = [{ name = "aged" }]
gates = [{ id = "w2", hours = "06:00-22:00" }]
rules = [{ walk = "yes", where = { highway = "footway" } }]
"""
    (city / "study.toml").write_text(STUDY + walking + SCENARIOS, "utf-8")
    assert run("site", city, "--scenario", "one more", "--out", tmp_path / "out")[0] == 0
    plan = json.loads((tmp_path / "out" / "scenarios" / "one-more" / "plan.json").read_text("utf-8"))
    stated = plan["settings"]["walking"]
    assert stated["classes"] == [{"name": "aged", "speed_mps": 0.92, "steps": True}]
    assert (stated["direction"], stated["at"]) == ("worse_way", "Wed 10:00")
    assert stated["gates"] == [{"id": "w2", "hours": "06:00-22:00"}]
    assert stated["rules"] == [{"walk": "yes", "ids": [], "where": [{"highway": ["footway"]}]}]


def test_a_study_that_cannot_be_used_leaves_nothing_behind(run, city, tmp_path):
    (city / "streets.geojson").unlink()
    (city / "study.toml").write_text((city / "study.toml").read_text("utf-8") + "\n[walkin]\n", "utf-8")
    code, shown, complaint = run("cover", city, "--out", tmp_path / "out")
    assert code == 1
    assert "Traceback" not in shown + complaint
    assert "streets" in complaint
    assert "did you mean walking" in complaint
    assert not (tmp_path / "out").exists()


def test_a_failure_while_writing_keeps_what_stood_there(run, city, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert run("cover", city, "--out", out)[0] == 0
    before = {p.name: p.read_bytes() for p in (out / "today").iterdir()}

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reports, "_write_layers", fail)
    code, _, complaint = run("cover", city, "--out", out)
    assert code == 1
    assert "No space left" in complaint
    assert {p.name: p.read_bytes() for p in (out / "today").iterdir()} == before
    assert files(out) == {"today"}


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot write"),
        reports.whole_folder(tmp_path / "file" / "today", synthetic=False),
    ):
        pass


def test_no_cell_of_a_table_is_a_formula(tmp_path):
    names = ["=1+1", "+1", "-1", "@x", "\tx", "plain", "a=b"]
    write_csv(tmp_path / "t.csv", pd.DataFrame({"name": names, "n": -1.5}))
    read = pd.read_csv(tmp_path / "t.csv", encoding="utf-8-sig")
    assert read["name"].tolist() == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain", "a=b"]
    assert (read["n"] == -1.5).all()


@pytest.mark.parametrize("name", ["../../etc", "a/b", "C:\\x", ".", "..", "", "\x00", "con\ntrol", "八分钟 方案"])
def test_a_name_from_data_never_becomes_a_path(name, tmp_path):
    folder = folder_name(name)
    assert (tmp_path / folder).resolve().parent == tmp_path.resolve()
    assert folder.isprintable()


def test_every_error_is_bad_data_but_a_name_that_is_not_there():
    def kinds(root):
        return {root}.union(*(kinds(k) for k in root.__subclasses__()))

    for kind in kinds(LifecircleError):
        outcome = next(found for known, found in OUTCOMES.items() if issubclass(kind, known))
        assert outcome.exit_code == (2 if issubclass(kind, UnknownNameError) else 1)


def test_what_stood_there_comes_back_when_the_exchange_fails(tmp_path, monkeypatch):
    folder = tmp_path / "today"
    with reports.whole_folder(folder, synthetic=False) as draft:
        (draft / "table.csv").write_text("old")
    rename = Path.rename

    def fail_for_the_new(self, target):
        if (self / "table.csv").read_text() == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(OutputError, match="Input/output"), reports.whole_folder(folder, synthetic=False) as draft:
        (draft / "table.csv").write_text("new")
    assert (folder / "table.csv").read_text() == "old"
    assert files(tmp_path) == {"today"}


def test_a_folder_that_holds_files_of_another_is_never_replaced(run, city, tmp_path):
    mine = tmp_path / "out" / "today" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("dear")
    code, _, complaint = run("cover", city, "--out", tmp_path / "out")
    assert code == 1
    assert "no results of ours" in complaint
    assert mine.read_text() == "dear"


def test_an_infeasible_scenario_does_not_stop_the_others(run, city, tmp_path):
    text = (city / "study.toml").read_text("utf-8")
    impossible = '[[circle]]\nname = "clinic"\nminutes = 5\ntiers = ["clinic"]\n[[circle]]\nname = "8"\nminutes = 8\n'
    first = '[[scenario]]\nname = "none"\nquestion = "fewest"\ncircle = "clinic"\nshare = 1.0\n'
    (city / "study.toml").write_text(text.replace(SCENARIOS, impossible + first + SCENARIOS), "utf-8")
    code, _, complaint = run("site", city, "--out", tmp_path / "out")
    assert code == 1
    assert "nobody" in complaint
    assert files(tmp_path / "out" / "scenarios") == {"one-more", "everyone"}


def test_a_long_search_says_where_it_stands_and_how_to_end_it(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "EVERY_S", 0.01)

    def told_next(awaited):
        """Return what is told until that is told, or for 5 s."""
        told, ends_s = "", time.monotonic() + 5.0
        while not re.search(awaited, told) and time.monotonic() < ends_s:
            time.sleep(0.01)
            told += capsys.readouterr().err
        return told

    with terminal.search("Siting [b]") as report:
        assert re.search(r"Siting \[b\]: \d+ s\n", told_next(r" s\n"))
        report(-math.inf, 330.0, 0.1)
        told = told_next("bound")
        assert re.search(r"Siting \[b\]: \d+ s; no plan so far, bound 330\.0\n", told)
        assert "inf" not in told
        report(310.0, 330.0, 0.1)
        best = r"Siting \[b\]: \d+ s; best 310\.0, bound 330\.0, gap 6\.06% \(Ctrl-C keeps the best\)\n"
        assert re.search(best, told_next("gap"))
    assert re.search(r"Siting \[b\]: \d+\.\d s\n$", capsys.readouterr().err), "the last line says how long it took"
    time.sleep(0.05)
    assert capsys.readouterr().err == "", "nothing is told of a search that is over"


def test_ctrl_c_is_answered_at_once_however_long_compiled_code_keeps_the_interpreter():
    told, done_s = [], math.inf

    def search():
        nonlocal done_s
        with terminal.search("Siting"):
            Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            for _ in range(20):  # on a busy machine the signal may be late
                try:
                    pbkdf2_hmac("sha256", b"", b"", 2_000_000)  # compiled, and deaf to signals until it is done
                finally:
                    done_s = time.monotonic()

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have taken it
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(terminal._err, "print", lambda line, **_: told.append((str(line), time.monotonic())))
            with pytest.raises(KeyboardInterrupt):
                search()
    finally:
        signal.signal(signal.SIGINT, usual)
    [said_s] = [at_s for line, at_s in told if line.startswith("Ctrl-C: the search ends")]
    assert said_s < done_s
    assert signal.set_wakeup_fd(-1) == -1, "whoever listened before listens again"


def test_no_line_of_a_search_comes_after_the_one_that_says_it_is_over(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "EVERY_S", 0.0)
    spoken = terminal.spoken

    def slowly(text, language):
        time.sleep(0.0 if re.search(r"\d\.\d s$", text) else 0.05)
        return spoken(text, language)

    monkeypatch.setattr(terminal, "spoken", slowly)
    with terminal.search("Siting"):
        time.sleep(0.02)
    time.sleep(0.1)
    assert re.search(r"Siting: \d+ s\nSiting: \d+\.\d s\n$", capsys.readouterr().err)


def test_bad_usage_ends_with_2(run):
    assert run("cover")[0] == 2
    assert run("walk")[0] == 2
    assert run("cover", "x", "--unknown")[0] == 2


def test_the_command_runs_as_a_module():
    asked = subprocess.run(
        [sys.executable, "-m", "lifecircle", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", asked.stdout)


def test_help_loads_nothing_heavy():
    heavy = ("numpy", "pandas", "geopandas", "numba", "rich.console")
    code = f"import sys; import lifecircle.cli; print([m for m in {heavy} if m in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout == "[]\n"


# --------------------------------------------------------------------------- a new study, and README


def fill(folder):
    """Put the files that a new study names into it, made from the tiny city."""
    (folder / "source").mkdir()
    write_city(folder / "source")
    for name in ("streets", "buildings", "areas"):
        (folder / f"{name}.geojson").write_bytes((folder / "source" / f"{name}.geojson").read_bytes())
    (folder / "areas.geojson").rename(folder / "communities.geojson")
    table(folder / "residents.csv", "area_id residents", ["s", 60], ["n", 4])
    table(folder / "stations.csv", "station_id lon lat name", ["s1", *at(1.2, 0.3), "代办站"])
    table(folder / "rooms.csv", "site_id lon lat", ["c1", *at(2, 1.9)])
    geojson(folder / "communities.geojson", [
        ({"area_id": "s", "name": "南社区"}, box(-1, -1, 5, 1)),
        ({"area_id": "n", "name": "北社区"}, box(-1, 1, 5, 3)),
    ])  # fmt: skip
    text = (folder / "study.toml").read_text("utf-8")
    text = text.replace('streets = "city.osm.pbf"', 'streets = "streets.geojson"')
    text = text.replace('buildings = "city.osm.pbf"', 'buildings = "buildings.geojson"')
    (folder / "study.toml").write_text(text, "utf-8")


def test_a_new_study_needs_its_files_and_then_works(run, tmp_path):
    folder = tmp_path / "my-city"
    assert run("new", folder)[0] == 0
    assert files(folder) == {"study.toml", "README.md"}
    code, _, complaint = run("cover", folder, "--out", tmp_path / "out")
    assert code == 1
    for name in ("city.osm.pbf", "communities.geojson", "residents.csv", "stations.csv", "rooms.csv"):
        assert name in complaint
    fill(folder)
    assert run("cover", folder, "--out", tmp_path / "out")[0] == 0


def test_every_line_of_a_new_study_that_is_commented_out_works_without_its_mark(run, tmp_path):
    folder = tmp_path / "my-city"
    assert run("new", folder)[0] == 0
    text = (folder / "study.toml").read_text("utf-8").replace('buildings = "city.osm.pbf"\n', "")
    (folder / "study.toml").write_text(re.sub(r"(?m)^( *)# (?=\[|\{|\w+ = )", r"\1", text), "utf-8")
    file = read_study_file(folder)
    assert file.breaches == ()
    walking = file.settings.walking
    assert [c.name for c in walking.classes] == ["adult", "aged", "wheelchair"]
    assert [c.steps for c in walking.classes] == [True, True, False]
    assert (walking.direction, walking.gates[1].hours) == ("round_trip", "Mo-Su 06:00-22:00")
    assert walking.rules[0].walk == "private"
    assert {c.at for c in file.settings.circles} == {"", "Sun 10:00"}
    assert file.inputs["elevation"].path == "heights.tif"


def test_new_never_overwrites(run, city):
    before = (city / "study.toml").read_bytes()
    code, _, complaint = run("new", city)
    assert code == 1
    assert "not empty" in complaint
    assert (city / "study.toml").read_bytes() == before


def test_every_command_of_the_readme_runs(run, repository, tmp_path, monkeypatch):
    text = (repository / "README.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.split("#")[0].split() for block in blocks for line in block.splitlines()]
    typed = [words[1:] for words in lines if words and words[0] == "lifecircle"]
    made = [words[1] for words in lines if words and words[0] == "make"]
    assert [words[0] for words in typed] == ["new", "check", "cover", "site", "new", "cover", "assign"]
    makefile = (repository / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in made)
    monkeypatch.chdir(tmp_path)
    for words in typed:
        code, _, complaint = run(*words)
        assert code == 0, complaint
        if words == ["new", "my-city"]:
            fill(tmp_path / "my-city")


def test_the_readme_names_every_command(repository):
    text = (repository / "README.md").read_text("utf-8")
    named = {c.name or c.callback.__name__ for c in cli.app.registered_commands}
    assert set(re.findall(r"^\| `lifecircle ([\w-]+)", text, re.MULTILINE)) == named


def test_the_python_of_the_readme_runs(repository, monkeypatch, capsys):
    text = (repository / "README.md").read_text("utf-8")
    monkeypatch.chdir(repository)
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
    assert "Larvotto" in capsys.readouterr().out


@pytest.mark.slow
def test_the_demo_does_the_whole_job(run, tmp_path):
    code, shown, _ = run("demo", "--out", tmp_path / "demo")
    assert code == 0
    assert "map.html" in shown
    assert (tmp_path / "demo" / "assigned" / "assigned.csv").is_file()
    for page in (tmp_path / "demo").rglob("map.html"):
        assert "© OpenStreetMap contributors" in page.read_text("utf-8")
        assert page.stat().st_size < 3_000_000
