"""A made-up city on disk: whole, the same every time, and read as it was made."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pyogrio
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from lifecircle.demand import place_residents
from lifecircle.errors import OutputError
from lifecircle.ground import lay_ground
from lifecircle.mark import MARK, YES, is_marked
from lifecircle.model import StreetWays
from lifecircle.readers.streets import no_node_tags
from lifecircle.samples import new_folder
from lifecircle.study import check_study, open_study
from lifecircle.synthetic.grid import make_grid
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.pbf import write_streets
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.write import write_study

SIZE = 0.05


def written(folder, city):
    with new_folder(folder) as draft:
        write_study(draft, city, "lifecircle new")
    return folder


def fill(folder, texts):
    with new_folder(folder) as draft:
        for name, text in texts.items():
            (draft / name).write_text(text, "utf-8")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def table(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


@pytest.fixture(scope="module")
def city():
    return make_city(PROGRAMMES["fushun"], size=SIZE)


@pytest.fixture(scope="module")
def folder(city, tmp_path_factory):
    return written(tmp_path_factory.mktemp("made") / "fushun", city)


@pytest.fixture(scope="module")
def study(folder):
    return open_study(folder)


def assert_flawless(folder):
    """Assert that a check finds nothing, everybody can walk to a station, and to every station somebody can."""
    study, findings = check_study(folder)
    assert findings == ()
    assert place_residents(study).findings == ()
    ground = lay_ground(study)
    assert [f for f in ground.findings if f.severity != "note"] == []
    walks = ground.reference
    assert np.isfinite(walks.nearest(walks.stations, walks.homes).seconds).all()
    assert np.isfinite(walks.nearest(walks.homes, walks.stations).seconds).all()


# The same city every time.


def test_the_same_seed_writes_the_same_bytes(folder, tmp_path):
    again = written(tmp_path / "again", make_city(PROGRAMMES["fushun"], size=SIZE))
    assert contents(again) == contents(folder)


def test_another_seed_writes_another_city(folder, tmp_path):
    other = contents(written(tmp_path / "other", make_city(PROGRAMMES["fushun"], size=SIZE, seed=8)))
    assert [name for name, content in contents(folder).items() if other[name] == content] == []


# It reads as it was made.


@pytest.mark.parametrize("name", [*PROGRAMMES, "grid"])
def test_a_made_up_city_has_nothing_to_mend_and_everybody_can_walk_to_a_station(name, tmp_path):
    city = make_grid(20) if name == "grid" else make_city(PROGRAMMES[name], size=SIZE)
    assert_flawless(written(tmp_path / name, city))


@pytest.mark.slow
def test_a_larger_fushun_has_nothing_to_mend_either(tmp_path):
    assert_flawless(written(tmp_path / "fushun", make_city(PROGRAMMES["fushun"], size=0.2)))


def test_the_streets_are_read_as_they_were_laid(city, study):
    made, read = city.streets, study.streets
    assert read.way_id == made.way_id
    keys = [key for key in made.tags if (made.tags[key] != "").any()]
    pd.testing.assert_frame_equal(read.tags[keys], made.tags[keys].astype("str"))
    np.testing.assert_array_equal(np.diff(read.indptr), np.diff(made.indptr))
    to_metres = Transformer.from_crs(city.crs, study.crs, always_xy=True)
    there = np.column_stack(to_metres.transform(*made.xy_m[made.node].T))
    np.testing.assert_allclose(read.xy_m[read.node], there, rtol=0, atol=0.02)


def test_every_gate_stands_on_a_street(city, study):
    made, read = city.streets.node_tags, study.streets.node_tags
    assert set(read["id"]) == set(made["id"])
    assert set(read["node"]) <= set(study.streets.node)


def test_heights_are_those_of_the_land(city, folder):
    with rasterio.open(folder / "heights.tif") as raster:
        height_m = raster.read(1) * raster.scales[0]
        rows, columns = np.divmod(np.arange(0, height_m.size, 97), raster.width)
        lon, lat = raster.xy(rows, columns)
    x, y = Transformer.from_crs(4326, city.crs, always_xy=True).transform(lon, lat)
    np.testing.assert_allclose(height_m[rows, columns], city.heights.at(np.column_stack([x, y])), rtol=0, atol=0.051)


def test_the_figures_are_those_of_the_files(folder):
    figures = json.loads((folder / "figures.json").read_text("utf-8"))
    residents, stations = table(folder / "residents.csv"), table(folder / "stations.csv")
    requests, areas = table(folder / "requests.csv"), gpd.read_file(folder / "areas.gpkg")
    buildings = gpd.read_file(folder / "buildings.gpkg", ignore_geometry=True).set_index("building_id")
    parent = areas.set_index("area_id")["parent_id"]
    top = residents["building_id"].map(buildings["area_id"])
    while (parent[top] != "").any():
        top = top.where((parent[top] == "").to_numpy(), top.map(parent))
    counts = residents.drop(columns=["building_id", MARK]).astype(int)
    assert figures["residents"] == counts.groupby(top).sum().to_dict("index")
    assert {column: figures["totals"][column] for column in counts} == counts.sum().to_dict()
    assert figures["areas"] == areas["level"].value_counts().to_dict()
    assert figures["buildings"] == buildings["kind"].value_counts().to_dict()
    assert figures["stations"]["tier"] == stations["tier"].value_counts().to_dict()
    assert figures["requests"]["month"] == requests["time"].str[:7].value_counts().to_dict()
    assert figures["totals"]["entrances"] == len(gpd.read_file(folder / "entrances.gpkg"))
    assert figures["totals"]["candidates"] == len(table(folder / "rooms.csv"))


def test_every_point_lies_in_china_where_the_city_is_said_to_be(city, folder):
    lon, lat = city.programme.lonlat
    for name in ("stations.csv", "rooms.csv", "requests.csv"):
        places = table(folder / name)[["lon", "lat"]].to_numpy(dtype=float)
        assert (np.abs(places - [lon, lat]) < 0.5).all()


@given(
    name=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20),
    kind=st.sampled_from(["residential", "steps"]),
)
@settings(max_examples=50)
def test_any_name_of_a_street_comes_back_as_it_was(name, kind, tmp_path_factory):
    tags = pd.DataFrame({"highway": [kind], "name": [name], "bridge": [""]})
    lonlat = np.array([[123.9, 41.8], [123.9000001, 41.8]])
    ways = StreetWays(("w3",), tags, np.array([0, 2]), np.array([0, 1], dtype=np.int32), lonlat, no_node_tags())
    path = tmp_path_factory.mktemp("streets") / "streets.osm.pbf"
    write_streets(path, ways, lonlat, (123.0, 41.0, 124.0, 42.0))
    (way,) = [(w.id, dict(w.tags), [n.ref for n in w.nodes]) for w in osmium.FileProcessor(path, osmium.osm.WAY)]
    assert way == (3, {"highway": kind, "name": name, MARK: YES}, [1, 2])


@pytest.mark.parametrize("date", [None, "1999-12-31T00:00:00.000Z"])
def test_writing_leaves_the_date_as_the_caller_had_set_it(tmp_path, date):
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": date})
    try:
        written(tmp_path / "town", make_grid(4))
        assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == date
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


# Every file says what it is.


def test_every_file_says_in_its_own_content_that_it_is_synthetic(folder):
    for path in folder.iterdir():
        if path.suffix == ".csv":
            assert (table(path)[MARK] == YES).all()
        elif path.suffix == ".gpkg":
            assert [(gpd.read_file(path, layer=n)[MARK] == YES).all() for n, _ in pyogrio.list_layers(path)] == [True]
        elif path.suffix == ".tif":
            with rasterio.open(path) as raster:
                assert is_marked(raster.tags())
        elif path.suffix == ".pbf":
            assert all(is_marked(dict(way.tags)) for way in osmium.FileProcessor(path, osmium.osm.WAY))
        else:
            assert MARK in path.read_text("utf-8")


def test_a_study_is_synthetic_even_when_its_study_file_is_silent(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (folder / "study.toml").read_text("utf-8")
    (tmp_path / "study.toml").write_text(text.replace("synthetic = true", "synthetic = false"), "utf-8")
    assert open_study(tmp_path).synthetic


# Whole or not at all.


def test_a_city_that_cannot_be_written_leaves_nothing_behind(city, tmp_path):
    def write_nowhere():
        with new_folder(tmp_path / "here" / "city") as draft:
            draft.rmdir()
            write_study(draft, city, "lifecircle new")

    with pytest.raises(OutputError, match="cannot write"):
        write_nowhere()
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--example", "grid", "--side", 4]], ids=["template", "example"])
def test_an_empty_folder_is_filled_and_stays_the_folder_that_it_was(options, tmp_path, run, monkeypatch):
    folder = tmp_path / "empty"
    folder.mkdir()
    folder.chmod(0o750)
    before = folder.stat()
    monkeypatch.chdir(folder)
    code, _, complaint = run("new", ".", *options)
    assert code == 0, complaint
    assert (Path.cwd() / "study.toml").is_file()
    assert not any(path.is_dir() for path in folder.iterdir())
    assert (folder.stat().st_ino, folder.stat().st_mode) == (before.st_ino, before.st_mode)


def test_an_empty_folder_that_cannot_be_filled_stays_empty(tmp_path, monkeypatch):
    moved = Path.rename

    def fail_for_the_second(self, target):
        if self.name == "b":
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_second)
    with pytest.raises(OutputError, match="No space left"):
        fill(tmp_path, {"a": "first", "b": "second", "c": "third"})
    assert list(tmp_path.iterdir()) == []


def test_what_appears_in_an_empty_folder_meanwhile_is_left_alone(tmp_path):
    with pytest.raises(OutputError, match="is not empty"):
        fill(tmp_path, {"study.toml": "ours", "../../study.toml": "mine"})
    assert contents(tmp_path) == {"study.toml": b"mine"}


def test_a_folder_that_holds_something_is_left_alone(tmp_path, run):
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    code, _, complaint = run("new", tmp_path, "--example", "grid")
    assert code == 1
    assert "is not empty" in complaint
    assert contents(tmp_path) == {"mine.txt": b"mine"}


# The command.


def test_the_command_in_the_readme_makes_the_same_city(tmp_path, run):
    assert run("new", tmp_path / "one", "--example", "nanming", "--size", 0.02, "--seed", 3)[0] == 0
    readme = (tmp_path / "one" / "README.md").read_text("utf-8")
    (command,) = [line.split("`")[1] for line in readme.splitlines() if "`lifecircle new" in line]
    arguments = [word if word != "DIR" else tmp_path / "two" for word in command.split()[1:]]
    assert run(*arguments)[0] == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--example", "fushn"], "did you mean fushun"),
        (["--example", ""], "fushun, puyang, qiandongnan, nanming, grid"),
        (["--example", "atlantis"], "fushun, puyang, qiandongnan, nanming, grid"),
        (["--example", "fushun", "--size", "0.001"], "0.02"),
        (["--example", "fushun", "--size", "11"], "10"),
        (["--example", "fushun", "--size", "nan"], "size"),
        (["--example", "fushun", "--seed", "-1"], "seed"),
        (["--example", "fushun", "--side", "9"], "grid only"),
        (["--example", "grid", "--size", "1"], "no meaning for the example grid"),
        (["--example", "grid", "--messy"], "no meaning for the example grid"),
        (["--example", "grid", "--side", "3"], "side"),
        (["--size", "1"], "--example"),
        (["--messy"], "--example"),
        (["--seed", "7"], "--example"),
    ],
)
def test_what_cannot_be_meant_is_refused_as_bad_usage(options, complaint, tmp_path, run):
    code, _, said = run("new", tmp_path / "city", *options)
    assert code == 2
    assert complaint in said
    assert list(tmp_path.iterdir()) == []
