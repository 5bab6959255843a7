"""Lookups of the nearest station that can: whatever is left out, the answer is that of a search from scratch."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from lifecircle import open_study
from lifecircle.dispatch import Roster, StationIndex
from lifecircle.errors import OutputError, SourceError, StudyError, UnknownNameError
from lifecircle.readers.metric import local_crs
from lifecircle.routing import nearest_walks, snap
from lifecircle.service import offers
from lifecircle.snapping import SnapIndex
from lifecircle.workdays import CHINA, Calendar
from test_snapping import drawn_town
from tiny import STUDY, at, table, write_city

ITEMS, TIERS, HOURS = ("", "repair", "repair;medicine", "legal"), ("household", "main"), ("", "Mo-Fr 09:00-17:00")
FRIDAY, SUNDAY = datetime(2025, 5, 16, 10), datetime(2025, 5, 18, 10)


@pytest.fixture(scope="module")
def crs():
    return local_crs((123.8, 41.8, 124.0, 41.9))


def drawn_roster(random, n, n_areas=3):
    """Return what ``n`` stations do, at random; the last row of who may serve whom is for places outside."""
    return Roster(
        station_id=tuple(f"s{i}" for i in range(n)),
        tier=tuple(random.choice(TIERS, n).tolist()),
        items=tuple(random.choice(ITEMS, n).tolist()),
        hours=tuple(random.choice(HOURS, n).tolist()),
        capacity=np.full(n, np.inf),
        rank=np.zeros(n, dtype=np.int32),
        areas=tuple(f"a{i}" for i in range(n_areas)),
        may=random.random((n_areas + 1, n)) < 0.6,
        calendar=Calendar(CHINA),
    )


@given(seed=st.integers(0, 2**32))
def test_whatever_is_left_out_a_lookup_says_what_a_search_from_scratch_does(crs, seed):
    random = np.random.default_rng(seed)
    network, barriers, points, _, max_access_m = drawn_town(seed)
    places = SnapIndex.of(network, barriers=barriers)
    n = 14  # more than a list holds, some of them at one spot
    spots = points[random.integers(0, len(points), n)]
    stations, roster = snap(network, spots, n_places=n), drawn_roster(random, n)
    index = StationIndex.of(
        network, stations, crs=crs, places=places, max_access_m=max_access_m, speed_mps=1.1, roster=roster
    )
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    for lon, lat in np.column_stack(to_metres.transform(*points[:6].T, direction="INVERSE")).tolist():
        item, tier = str(random.choice(["", "repair", "medicine"])), str(random.choice(["", *TIERS]))
        when, area = random.choice([None, FRIDAY, SUNDAY]), random.choice([None, "a0", "a2", ""])
        left, number = random.random(n) < random.choice([0.3, 1.0]), int(random.integers(1, 5))
        able = left & offers(pd.DataFrame({"tier": roster.tier, "items": roster.items}), items=(item,) if item else ())
        able &= np.array([when != SUNDAY or not hours for hours in roster.hours])
        able &= np.array([tier in ("", held) for held in roster.tier])
        able &= roster.may[["a0", "a1", "a2", ""].index(area)] if area is not None else True
        tier = tier if tier in roster.tier else ""
        rows = np.flatnonzero(able)
        found = index.find(lon, lat, number=number, item=item, tier=tier, at=when, area_id=area, left=left)
        if not len(rows):
            assert found == []
            continue
        home = places.snap([to_metres.transform(lon, lat)], max_access_m=max_access_m, n_places=1)
        walks = nearest_walks(network, stations.take(rows), home, k=min(number, len(rows)), speed_mps=1.1)
        hit = walks.facility[0] >= 0
        assert [each.station for each in found] == rows[walks.facility[0][hit]].tolist()
        assert [each.seconds for each in found] == pytest.approx(walks.seconds[0][hit].tolist(), abs=1e-9)
        assert [each.walk_m for each in found] == pytest.approx(walks.walk_m[0][hit].tolist(), abs=1e-6)


STATIONS = (
    ["s1", *at(1.2, 0.3), "main", "medicine;legal", "Mo-Fr 08:30-17:30"],
    ["s2", *at(3.9, 0), "household", "repair", ""],
    ["s3", *at(3.5, 2), "household", "repair;medicine", "Mo-Su 08:00-20:00"],
)


@pytest.fixture
def city(tmp_path):
    def opened(more=""):
        write_city(tmp_path, study=STUDY + more)
        table(tmp_path / "stations.csv", "station_id lon lat tier items hours", *STATIONS)
        return open_study(tmp_path)

    return opened


def ids(index, found):
    return [index.roster.station_id[each.station] for each in found]


def test_a_lookup_heeds_item_tier_and_hours(city):
    index = StationIndex.of_study(city())
    home = at(0.5, 0)
    assert ids(index, index.find(*home, number=5)) == ["s1", "s2", "s3"]
    assert ids(index, index.find(*home, item="repair")) == ["s2"]
    assert ids(index, index.find(*home, tier="household", number=2)) == ["s2", "s3"]
    assert ids(index, index.find(*home, item="medicine", at=FRIDAY)) == ["s1"]
    assert ids(index, index.find(*home, item="medicine", at=SUNDAY)) == ["s3"]
    assert index.find(*home, item="wedding") == []
    assert index.find(*at(40, 40)) == []
    assert index.nearest(*home) == tuple(index.find(*home)[0])


def test_a_time_with_an_offset_is_brought_to_the_clock_of_the_study(city):
    index = StationIndex.of_study(city())
    in_the_evening_of_utc = datetime(2025, 5, 16, 1, 0, tzinfo=UTC)  # 09:00 in China
    assert ids(index, index.find(*at(0.5, 0), item="medicine", at=in_the_evening_of_utc)) == ["s1"]
    other = StationIndex.of_study(city('[dispatch]\ncalendar = "none"\n'))
    with pytest.raises(UnknownNameError, match="zone"):
        other.find(*at(0.5, 0), at=in_the_evening_of_utc)
    with pytest.raises(UnknownNameError, match="no station has the tier 'centre'"):
        index.find(*at(0.5, 0), tier="centre")


def test_other_stations_make_another_index_and_the_old_one_stays(city):
    study = city()
    index = StationIndex.of_study(study)
    closed = study.stations[study.stations["station_id"] != "s1"].reset_index(drop=True)
    other = index.with_stations(index.stations.take([1, 2]), Roster.of(study, stations=closed))
    assert ids(other, other.find(*at(0.5, 0))) == ["s2"]
    assert ids(index, index.find(*at(0.5, 0))) == ["s1"]
    moved = snap(index.network, shapely.get_coordinates(study.stations.geometry)[[2, 1, 0]])
    assert ids(index, index.with_stations(moved, index.roster).find(*at(0.5, 0)))[0] == "s3"


def test_a_saved_index_is_mapped_and_says_the_same(city, tmp_path):
    index = StationIndex.of_study(city())
    index.save(tmp_path / "stations.index")
    mapped = StationIndex.load(tmp_path / "stations.index")
    for asked in ({}, {"item": "medicine", "at": SUNDAY}, {"tier": "household", "number": 2}, {"area_id": "s"}):
        assert mapped.find(*at(0.5, 0), **asked) == index.find(*at(0.5, 0), **asked)
    assert mapped.network.is_flat == index.network.is_flat
    assert (
        isinstance(mapped.places.segments.numbers.base, np.memmap) or not mapped.places.segments.numbers.flags.owndata
    )
    index.save(tmp_path / "stations.index")  # a reader of the old file keeps it
    assert mapped.nearest(*at(0.5, 0)) == index.nearest(*at(0.5, 0))
    with pytest.raises(OutputError):
        index.save(tmp_path / "nowhere" / "stations.index")


@pytest.mark.parametrize("content", [b"", b"no index", None])
def test_what_is_no_index_is_refused(tmp_path, content, city):
    path = tmp_path / "stations.index"
    if content is None:  # one that was cut off
        StationIndex.of_study(city()).save(path)
        content = path.read_bytes()[:2000]
    path.write_bytes(content)
    with pytest.raises(SourceError, match="stations"):
        StationIndex.load(path)


def test_a_study_that_counts_the_way_back_is_not_looked_up(city):
    with pytest.raises(StudyError, match="round_trip"):
        StationIndex.of_study(city('[walking]\ndirection = "round_trip"\n'))


# ------------------------------------------------------------------------------------------------------ days and hours

CHINESE = Calendar(CHINA, off=frozenset({"2025-03-05"}), worked=frozenset({"2025-03-08", "2025-10-07"}))
OFFICE, DAILY, NAMED = "Mo-Fr 09:00-17:00", "Mo-Su 09:00-17:00", "Mo-Su 09:00-17:00; PH 10:00-12:00"


@pytest.mark.parametrize(
    ("day", "office", "daily", "named"),
    [
        ("2025-10-09", True, True, True),  # a Thursday
        ("2025-10-12", False, True, True),  # a Sunday
        ("2025-10-01", False, True, False),  # National Day, a Wednesday
        ("2025-10-11", True, True, True),  # a Saturday worked for it
        ("2025-03-05", False, True, False),  # the city's own day off
        ("2025-03-08", True, True, True),  # a Saturday worked for it
        ("2025-10-07", True, True, True),  # the country's day off, worked here
    ],
)
def test_offices_rest_on_public_holidays_and_work_on_the_days_made_up_for_them(day, office, daily, named):
    noon = datetime.fromisoformat(day) + timedelta(hours=14)
    expected = [office, daily, named]
    assert [CHINESE.opened(noon)(hours) for hours in (OFFICE, DAILY, NAMED)] == expected
    together = [CHINESE.opened_at(np.array([noon], "datetime64[s]"))(hours)[0] for hours in (OFFICE, DAILY, NAMED)]
    assert together == expected


def test_many_times_are_told_as_each_of_them_is():
    random = np.random.default_rng(5)
    times = np.datetime64("2025-01-01", "s") + random.integers(0, 366 * 86_400, 400)
    for hours in (OFFICE, DAILY, NAMED, "Mo-Fr 22:00-02:00", "PH,Su 09:00-12:00", ""):
        each = [CHINESE.opened(when)(hours) for when in times.tolist()]
        assert CHINESE.opened_at(times)(hours).tolist() == each


def test_a_year_whose_holidays_are_not_known_is_told():
    assert CHINESE.unknown_years([2025, 2003, 2099]) == [2003, 2099]
    assert Calendar().unknown_years([2099]) == []


def test_items_and_hours_of_a_tier_hold_where_a_station_states_none(city):
    words = (
        'items = { household = ["wedding"] }',
        'hours = { household = "周一至周五 9:00-17:00" }',
        "capacity = { main = 7 }",
    )
    roster = Roster.of(city("\n".join(["[dispatch]", *words])))
    assert roster.items == ("medicine;legal", "repair", "repair;medicine")
    assert roster.hours[1] == "Mo-Fr 09:00-17:00"
    assert roster.capacity.tolist() == [7, np.inf, np.inf]
