"""Requests go to the nearest station that may serve their place and offers their item, or say why not."""

import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from lifecircle import assign, open_study
from lifecircle.dispatch import REASONS
from lifecircle.readers.requests import check_requests, read_requests
from tiny import STUDY, at, table, write_city

STATIONS = (
    ["s1", *at(1.2, 0.3), "main", "medicine;legal"],
    ["s2", *at(3.9, 0), "household", "repair"],
    ["s3", *at(3.5, 2), "household", "repair; medicine"],
)


@pytest.fixture
def open_city(tmp_path):
    def opened(more="", stations=STATIONS):
        write_city(tmp_path, study=STUDY + more)
        table(tmp_path / "stations.csv", "station_id lon lat tier items", *stations)
        return open_study(tmp_path)

    return opened


def ask(*rows):
    """Return requests (id, x, y of the grid, item)."""
    ids, xs, ys, items = zip(*rows, strict=True)
    points = [shapely.Point(at(x, y)) for x, y in zip(xs, ys, strict=True)]
    return gpd.GeoDataFrame({"request_id": ids, "item": items}, geometry=points, crs="EPSG:4326")


def test_a_request_goes_to_the_nearest_station(open_city):
    found = assign(open_city(), ask(("r1", 0.5, 0, ""), ("r2", 3.8, 0, ""), ("r3", 3, 2, "")))
    assert found["station_id"].tolist() == ["s1", "s2", "s3"]
    assert found["tier"].tolist() == ["main", "household", "household"]
    assert found["reason"].tolist() == ["", "", ""]
    assert (found["walk_s"] * 1.2).tolist() == pytest.approx(found["walk_m"].tolist())


def test_a_request_for_an_item_goes_to_the_nearest_that_offers_it(open_city):
    found = assign(open_city(), ask(("r1", 0.5, 0, "repair"), ("r2", 0.5, 0, "legal"), ("r3", 0.5, 0, "wedding")))
    assert found["station_id"].tolist() == ["s2", "s1", ""]
    assert found["reason"].tolist() == ["nearest-lacks-item", "", "no-station-offers-item"]
    assert found["walk_m"].isna().tolist() == [False, False, True]


def test_a_station_that_lists_no_items_offers_every_one(open_city):
    study = open_city(stations=(["s1", *at(1.2, 0.3), "main", ""],))
    assert assign(study, ask(("r1", 0.5, 0, "wedding")))["station_id"].tolist() == ["s1"]


def test_only_the_own_community_serves_where_the_study_says_so(open_city):
    study = open_city('[service]\neligible = "community"\n', STATIONS[:2])
    found = assign(study, ask(("south", 0.5, 0.1, ""), ("north", 0.5, 1.9, ""), ("abroad", 0.5, 3.5, "")))
    assert found["station_id"].tolist() == ["s1", "", ""]
    assert found["reason"].tolist() == ["", "no-eligible-station", "no-eligible-station"]


def test_a_request_from_where_the_station_is_takes_no_walk(open_city):
    [row] = assign(open_city(), ask(("r1", 1.1, 0.25, ""))).to_dict("records")
    assert (row["station_id"], row["walk_m"], row["walk_s"]) == ("s1", 0.0, 0.0)


def test_a_request_far_from_every_street_says_so(open_city):
    [row] = assign(open_city(), ask(("r1", 40, 40, ""))).to_dict("records")
    assert (row["station_id"], row["reason"]) == ("", "unsnappable")


def test_every_reason_is_explained(open_city):
    found = assign(open_city(), ask(("r1", 0.5, 0, "repair"), ("r2", 40, 40, ""), ("r3", 0.5, 0, "wedding")))
    assert set(found["reason"]) <= set(REASONS)


def test_a_file_of_requests_keeps_its_order(tmp_path, open_city):
    open_city()
    table(tmp_path / "requests.csv", "request_id lon lat item", ["b", *at(1, 0), "repair"], ["a", *at(3, 2), ""])
    read = read_requests(tmp_path / "requests.csv")
    assert read["request_id"].tolist() == ["b", "a"]
    assert read["item"].tolist() == ["repair", ""]


EXPORT = (
    ["r1", *at(0.5, 0), "repair"],
    ["r2", "", "", ""],
    ["r3", 0, 0, ""],
    ["r4", *at(3, 2)[::-1], ""],
    ["r5", *at(3, 2), ""],
    ["r5", *at(3, 2), ""],
    ["", *at(3, 2), ""],
    ["r8", "nan", 41.8, ""],
    ["r9", 13.95, 41.88, ""],
    ["r10", "北门", 41.88, ""],
    ["r11", *at(40, 40), ""],
    ["r12", 41582345, 4638000, ""],
)
"""Requests as a hotline gives them out: places that are empty, nought, swapped, cut, in words and in metres."""


def test_no_request_is_lost_and_those_that_cannot_be_used_say_why(tmp_path, open_city, run):
    open_city()
    table(tmp_path / "r.csv", "request_id lon lat item", *EXPORT)
    code, shown, told = run("assign", tmp_path, tmp_path / "r.csv", "--datum", "wgs84", "--out", tmp_path / "out")
    assert code == 0
    found = pd.read_csv(tmp_path / "out" / "assigned" / "assigned.csv", dtype=str, keep_default_na=False)
    assert found["request_id"].tolist() == [row[0] for row in EXPORT]
    assert dict(zip(found["request_id"] + found.index.astype(str), found["reason"], strict=True)) == {
        "r10": "nearest-lacks-item",
        "r21": "no-geometry",
        "r32": "zero-coordinates",
        "r43": "swapped-axes",
        "r54": "",
        "r55": "duplicate-id",
        "6": "missing-id",
        "r87": "not-finite",
        "r98": "wrong-place",
        "r109": "not-finite",
        "r1110": "unsnappable",
        "r1211": "not-degrees",
    }
    assert (found["station_id"] != "").tolist() == [reason in ("", "nearest-lacks-item") for reason in found["reason"]]
    assert set(found["reason"]) <= set(REASONS)
    assert "[r3]" in told
    assert "[r9]" in told
    assert " ".join(REASONS["wrong-place"].split()[:3]) in shown


def test_check_tells_of_a_file_of_requests_what_assign_would(tmp_path, open_city, run):
    open_city()
    table(tmp_path / "r.csv", "request_id lon lat item", *EXPORT)
    code, _, _ = run("check", tmp_path, "--requests", tmp_path / "r.csv", "--datum", "wgs84", "--out", tmp_path / "out")
    assert code == 0
    record = json.loads((tmp_path / "out" / "check" / "check.json").read_text("utf-8"))
    told = {f["rule"]: f["ids"] for f in record["findings"] if f["layer"] == "requests"}
    assert told == {
        "missing-id": ["row 8"],
        "duplicate-id": ["r5"],
        "no-geometry": ["r2"],
        "not-finite": ["r8", "r10"],
        "swapped-axes": ["r4"],
        "not-degrees": ["r12"],
        "zero-coordinates": ["r3"],
        "wrong-place": ["r9"],
    }
    assert run("check", tmp_path, "--requests", tmp_path / "none.csv", "--out", tmp_path / "out")[0] == 1


def test_sound_requests_go_where_they_go_whatever_stands_beside_them(tmp_path, open_city):
    study = open_city()
    sound = [["r1", *at(0.5, 0), "repair"], ["r2", *at(3, 2), ""]]
    table(tmp_path / "sound.csv", "request_id lon lat item", *sound)
    table(tmp_path / "all.csv", "request_id lon lat item", EXPORT[2], sound[0], EXPORT[1], sound[1])
    alone, among = (assign(study, read_requests(tmp_path / name)) for name in ("sound.csv", "all.csv"))
    pd.testing.assert_frame_equal(among.iloc[[1, 3]].reset_index(drop=True), alone)


def test_requests_that_are_all_far_away_are_all_given_back(open_city):
    found = assign(open_city(), ask(("r1", -20_000, 0, ""), ("r2", 0, -70_000, "")))
    assert found["reason"].tolist() == ["wrong-place", "wrong-place"]
    assert found["station_id"].tolist() == ["", ""]


def test_a_file_without_a_single_sound_request_is_refused(tmp_path, open_city, run):
    open_city()
    table(tmp_path / "r.csv", "request_id lon lat", ["r1", "", ""], ["", *at(3, 2)])
    code, _, told = run("assign", tmp_path, tmp_path / "r.csv", "--out", tmp_path / "out")
    assert code == 1
    assert "request_id is empty" in told
    assert "has no coordinates [r1]" in told
    assert not (tmp_path / "out" / "assigned").exists()


def test_requests_from_china_are_asked_for_their_datum(tmp_path):
    table(tmp_path / "r.csv", "request_id lon lat", ["r1", *at(3, 2)])
    assert [b.rule for b in check_requests(tmp_path / "r.csv")[1]] == ["unstated-datum"]
    assert check_requests(tmp_path / "r.csv", datum="wgs84")[1] == []
