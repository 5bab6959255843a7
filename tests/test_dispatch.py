"""Requests go to the nearest station that may serve their place and offers their item, or say why not."""

import geopandas as gpd
import pytest
import shapely

from lifecircle import assign, open_study
from lifecircle.dispatch import REASONS
from lifecircle.errors import InputError
from lifecircle.readers.requests import read_requests
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


def test_every_bad_row_of_a_file_of_requests_is_named(tmp_path):
    rows = (["r1", "", 41.8, ""], ["r1", 123.9, 41.8, ""], ["r2", 123.9, "nan", ""], ["", 123.9, 41.8, ""])
    table(tmp_path / "requests.csv", "request_id lon lat item", *rows)
    with pytest.raises(InputError) as caught:
        read_requests(tmp_path / "requests.csv")
    assert len({b.rule for b in caught.value.breaches}) >= 3
