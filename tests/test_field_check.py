"""The sheet for the field: it names the places on which most residents hang, and comes back as findings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from lifecircle import open_study
from lifecircle.circles import cover_today
from lifecircle.errors import SchemaError
from lifecircle.field_check import COLUMNS, field_check
from lifecircle.field_check.sheet import BLANK
from lifecircle.routing import WayTree, nearest_walks
from lifecircle.sheets import write_csv
from tiny import STUDY, at, box, geojson, line, osm_xml, table, write_city
from towns import towns


@pytest.fixture
def compound(tmp_path):
    """A compound's lane with a gate, between two streets that else meet far in the west.

    2   n6 ─────────w3───────── n5 ───────── n7
        │                  w2 ┆        s1 stands here
    1   w4                    n4  the gate
        │                     ┆        b1 stands here
    0   n1 ─────────w1───────── n2 ───────── n3
        0                    2             4
    """
    write_city(tmp_path, study=STUDY.replace("streets.geojson", "streets.osm"))
    spots = {1: (0, 0), 2: (2, 0), 3: (4, 0), 4: (2, 1), 5: (2, 2), 6: (0, 2), 7: (4, 2)}
    ways = {
        1: ((1, 2, 3), {"highway": "residential"}),
        2: ((2, 4, 5), {"highway": "service", "access": "private"}),
        3: ((6, 5, 7), {"highway": "residential"}),
        4: ((1, 6), {"highway": "residential"}),
    }
    osm_xml(tmp_path / "streets.osm", spots, ways, node_tags={4: {"barrier": "gate"}})
    geojson(tmp_path / "buildings.geojson", [({"building_id": "b1", "kind": "house"}, box(3, 0.1, 3.2, 0.2))])
    table(tmp_path / "residents.csv", "building_id residents", ["b1", 10])
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", *at(3.1, 1.9)])
    table(tmp_path / "candidates.csv", "site_id lon lat", ["c1", *at(1, 1.9)])
    geojson(tmp_path / "barriers.geojson", [({"kind": "wall"}, line((20, 1), (21, 1)))])
    return tmp_path


def sheet_of(folder):
    return field_check(cover_today(open_study(folder))).set_index("id")


def filled(folder, rows):
    """Write the sheet back with some cells filled in, by what and id, and read the study with it."""
    sheet = sheet_of(folder).reset_index()[[*COLUMNS]].astype(object)
    for (what, i), cells in rows.items():
        for column, cell in ({"who": "王", "when": "2026-05-01"} | cells).items():
            sheet.loc[(sheet["what"] == what) & (sheet["id"] == i), column] = cell
    write_csv(folder / "field_check.csv", sheet)
    return open_study(with_inputs(folder, 'overrides = { path = "field_check.csv", datum = "wgs84" }'))


def with_inputs(folder, more):
    text = (folder / "study.toml").read_text("utf-8")
    (folder / "study.toml").write_text(text.replace("[inputs]\n", f"[inputs]\n{more}\n"), "utf-8")
    return folder


def within(study, circle="8"):
    return cover_today(study).table[f"within_{circle}"].iloc[-1]


# ----------------------------------------------------------------------------------------------- gates and private ways


def test_a_private_lane_says_who_would_win_a_circle_if_it_were_open_and_that_is_so(compound):
    row = sheet_of(compound).loc["w2"]
    assert (row["what"], row["residents"], row["circle"]) == ("way", 10, "8")
    assert [row["at_lon"], row["at_lat"]] == pytest.approx(at(2, 0.5), abs=6e-4)
    before, study = within(open_study(compound)), filled(compound, {("way", "w2"): {"value": "open"}})
    assert (before, within(study)) == (0, 10)


def test_a_gate_says_who_would_lose_a_circle_if_it_were_shut_and_that_is_so(compound):
    text = (compound / "study.toml").read_text("utf-8")
    (compound / "study.toml").write_text(text + '[walking]\ngates = [{ id = "w2" }]\n', "utf-8")
    row = sheet_of(compound).loc["w2"]
    assert (row["what"], row["residents"], row["circle"]) == ("gate", 10, "8")
    assert within(open_study(compound)) == 10
    study = filled(compound, {("gate", "w2"): {"value": "shut"}})
    assert (within(study), within(study, "15")) == (0, 10)


def test_a_gate_that_nobody_passes_is_nowhere_on_the_sheet(compound):
    table(compound / "stations.csv", "station_id lon lat", ["s1", *at(3.5, 0.1)])
    assert "w2" not in sheet_of(compound).index


@given(towns())
def test_whose_walk_a_closed_segment_makes_longer_walked_over_it(town):
    network, stations, homes, _ = town
    people = np.arange(1.0, homes.n_places + 1)
    tree = WayTree.of(network, stations, homes)
    over = tree.carried(people, np.arange(network.n_segments))
    usual = nearest_walks(network, stations, homes).seconds[:, 0]
    for segment in range(network.n_segments):
        here = np.arange(network.n_segments) == segment
        barred = network.barred(here)
        shut = nearest_walks(network.with_ways(closed=barred.closed), stations, homes).seconds[:, 0]
        assert np.array_equal(nearest_walks(barred, stations, homes).seconds[:, 0], shut)
        passing = tree.passing(here)
        assert not (shut > usual)[~passing].any()
        assert over[segment] >= people[passing].sum() - 1e-9


# --------------------------------------------------------------------------------------------------- homes and stations


@pytest.fixture
def edge(tmp_path):
    """Homes beside one long street, s1 at its west end: b7 lies 581 m from it, just beyond 8 minutes of 576 m.

    Of the 30 residents of the community nobody knows the homes but of the 12 in b2.
    """
    each = "".join(f'[[inputs.residents]]\npath = "{name}.csv"\n' for name in ("residents", "totals"))
    write_city(tmp_path, study=STUDY.replace('residents = "residents.csv"\n', "") + each)
    geojson(tmp_path / "streets.geojson", [({"way_id": "w1", "highway": "residential"}, line((-1, 0), (17, 0)))])
    geojson(tmp_path / "areas.geojson", [({"area_id": "c", "level": "community", "name": "c"}, box(-1, -1, 17, 4))])
    homes = {"b2": 2, "b7": 6.7}
    shapes = [({"building_id": i, "kind": "house"}, box(x, 0.1, x + 0.3, 0.3)) for i, x in homes.items()]
    geojson(tmp_path / "buildings.geojson", shapes)
    table(tmp_path / "residents.csv", "building_id residents", ["b2", 12])
    table(tmp_path / "totals.csv", "area_id residents", ["c", 30])
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", *at(0, 0.01)])
    table(tmp_path / "candidates.csv", "site_id lon lat kind", ["c1", *at(12, 0.1), "pharmacy"])
    geojson(tmp_path / "barriers.geojson", [({"kind": "wall"}, line((20, 1), (21, 1)))])
    return tmp_path


def test_a_home_at_the_edge_of_a_circle_asks_for_its_door_and_for_how_many_live_there(edge):
    sheet = sheet_of(edge).reset_index()
    assert sheet[["what", "id", "residents", "circle"]].to_numpy().tolist() == [
        ["entrance", "b7", 18, "8"],
        ["residents", "b7", 18, "8"],
    ]
    assert (sheet[[*BLANK]] == "").all().all()
    door = dict(zip(("lon", "lat"), at(6.72, 0.1), strict=True))
    before, study = within(open_study(edge)), filled(edge, {("entrance", "b7"): door})
    assert (before, within(study)) == (12, 30)


def test_where_the_door_is_known_nobody_asks_for_it(edge):
    geojson(edge / "entrances.geojson", [({"building_id": "b7"}, {"type": "Point", "coordinates": at(6.85, 0.1)})])
    with_inputs(edge, 'entrances = "entrances.geojson"')
    assert sheet_of(edge)["what"].tolist() == ["residents"]
    study = filled(edge, {("residents", "b7"): {"value": 15}})
    assert cover_today(study).buildings.set_index("building_id")["residents"].to_dict() == {"b2": 15, "b7": 15}


def ring(*corners):
    """Return a wall around a place."""
    return {"kind": "wall"}, line(*corners, corners[0])


def test_a_home_whose_leg_crosses_a_wall_asks_how_people_get_out(edge):
    geojson(edge / "barriers.geojson", [ring((1.9, 0.05), (2.5, 0.05), (2.5, 0.4), (1.9, 0.4))])
    row = sheet_of(edge).loc["b2"]
    assert (row["what"], row["residents"]) == ("entrance", 12)
    assert row["look_at"].startswith("the way out crosses")


def test_a_station_behind_a_wall_is_one_place_on_which_all_its_residents_hang(edge):
    table(edge / "stations.csv", "station_id lon lat", ["s1", *at(0, 0.1)])
    geojson(edge / "barriers.geojson", [ring((-0.2, 0.05), (0.2, 0.05), (0.2, 0.2), (-0.2, 0.2))])
    sheet = sheet_of(edge)
    assert sheet.index[0] == "s1", "most residents first"
    assert sheet.loc["s1", ["what", "residents", "circle"]].tolist() == ["station", 30, "15"]
    assert "b2" not in sheet.index, "its own leg crosses nothing"
    place = dict(zip(("lon", "lat"), at(4, 0.01), strict=True))
    assert within(filled(edge, {("station", "s1"): {"value": "moved", **place}})) == 30


# ------------------------------------------------------------------------------------------------------------ the sheet


def test_what_nobody_has_looked_at_yet_changes_nothing_and_is_told(edge):
    before = cover_today(open_study(edge)).table
    study = filled(edge, {("residents", "b7"): {"value": 18}})
    [note] = [f for f in study.findings if f.rule == "not-looked-at"]
    assert (note.ids, note.severity) == (("b7",), "note")
    pd.testing.assert_frame_equal(cover_today(study).table, before)


def test_a_row_half_filled_in_is_refused_with_what_is_missing(edge):
    with pytest.raises(SchemaError, match="who is empty"):
        filled(edge, {("residents", "b7"): {"value": 20, "who": ""}})


def test_the_places_with_most_residents_come_first_and_there_are_not_too_many(edge, monkeypatch):
    monkeypatch.setattr("lifecircle.field_check.sheet.PLACES", 1)
    geojson(edge / "barriers.geojson", [ring((1.9, 0.05), (2.5, 0.05), (2.5, 0.4), (1.9, 0.4))])
    assert set(sheet_of(edge).index) == {"b7"}, "18 hang on it, and 12 on b2"


def test_where_nobody_lives_there_is_nothing_to_look_at(edge):
    table(edge / "residents.csv", "building_id residents", ["b2", 0])
    table(edge / "totals.csv", "area_id residents", ["c", 0])
    sheet = sheet_of(edge)
    assert sheet.empty
    assert ["id", *sheet.columns] == ["id", *(c for c in COLUMNS if c != "id")]


def test_cover_writes_the_sheet_in_the_language_of_the_study(run, edge, tmp_path):
    text = (edge / "study.toml").read_text("utf-8")
    (edge / "study.toml").write_text(text.replace('language = "en"', 'language = "zh"'), "utf-8")
    assert run("cover", edge, "--out", tmp_path / "out")[0] == 0
    found = pd.read_csv(tmp_path / "out" / "today" / "field_check.csv", encoding="utf-8-sig")
    assert found.columns.tolist() == [*COLUMNS, "residents_basis"]
    assert found["look_at"].str.startswith("临近生活圈边界").all()


def test_the_sheet_is_not_for_others(run, edge, tmp_path, monkeypatch):
    monkeypatch.setattr("typer.get_app_dir", lambda _: str(tmp_path / "settings"))
    assert run("cover", edge, "--publish", "--out", tmp_path / "out")[0] == 0
    assert not list((tmp_path / "out").rglob("field_check.csv"))
