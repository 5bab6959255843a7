"""Requests go to the nearest station that may serve their place and offers their item, or say why not."""

import json
from dataclasses import replace
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from lifecircle import assign, open_study
from lifecircle.dispatch import REASONS
from lifecircle.dispatch.requests import URGENCY, _usual
from lifecircle.errors import MissingInputWarning, StudyError
from lifecircle.ground import attach_points, lay_ground
from lifecircle.hours import open_at_times
from lifecircle.readers.metric import holder
from lifecircle.readers.moments import moments_of
from lifecircle.readers.requests import check_requests, read_requests
from lifecircle.synthetic.requests import URGENCY as MADE_UP
from lifecircle.synthetic.words import in_words
from lifecircle.workdays import CHINA, Calendar
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


# --------------------------------------------------------------------------------------------- hours, turns and tiers

FRIDAY, SUNDAY, HOLIDAY = "2025-05-16 10:00", "2025/5/18 10:00", "2025年10月1日 10时00分"
ROOMY = (
    ["s1", *at(1.2, 0.3), "main", "medicine;legal", "Mo-Fr 08:30-17:30", 9],
    ["s2", *at(3.9, 0), "household", "medicine", "", 1],
    ["s3", *at(3.5, 2), "household", "repair;medicine", "Mo-Su 08:00-20:00; PH off", 2],
)


@pytest.fixture
def open_roomy(tmp_path):
    def opened(more="", stations=ROOMY):
        write_city(tmp_path, study=STUDY + more)
        table(tmp_path / "stations.csv", "station_id lon lat tier items hours capacity", *stations)
        return open_study(tmp_path)

    return opened


def where(found):
    return [*zip(found["station_id"], found["reason"], strict=True)]


def test_a_request_goes_to_the_nearest_that_is_open_when_it_comes(open_roomy):
    times = ["", FRIDAY, SUNDAY, HOLIDAY, "2025-05-16T03:00+02:00", "noon"]
    asked = ask(*((f"r{i}", 0.5, 0, "medicine") for i in range(len(times)))).assign(at=times)
    stations = [[*row[:6], ""] for row in ROOMY]
    shut = "nearest-closed"
    assert where(assign(open_roomy(stations=stations), asked)) == [
        ("s1", ""), ("s1", ""), ("s2", shut), ("s2", shut), ("s1", ""), ("s1", ""),
    ]  # fmt: skip
    repair = ask(("r1", 0.5, 0, "repair"), ("r2", 0.5, 0, "repair")).assign(at=[SUNDAY, HOLIDAY])
    assert where(assign(open_roomy(stations=stations), repair)) == [
        ("s3", "nearest-lacks-item"),
        ("", "no-station-open"),
    ]


def test_the_urgent_go_first_then_who_has_a_priority_then_who_came_first(open_roomy):
    asked = ask(*((f"r{i}", 3.9, 0, "medicine") for i in range(5))).assign(
        urgency=["can wait", "", "normal", "", "紧急"],
        priority=["", "", "", "65plus", ""],
        at=["2025-05-16 09:00", "2025-05-16 09:30", "2025-05-16 09:10", "2025-05-16 09:40", "2025-05-16 09:50"],
    )
    # From s2's door: one place there, then two at s1 or s3, whichever is nearer.
    found = assign(open_roomy(stations=[[*row[:6], n] for row, n in zip(ROOMY, (1, 1, 2), strict=True)]), asked)
    by_turn = found["walk_s"].iloc[[4, 3, 2, 1]]
    assert by_turn.is_monotonic_increasing
    assert where(found)[0] == ("", "no-room-left")
    assert where(found)[4] == ("s2", "")
    assert {reason for _, reason in where(found)[1:4]} == {"nearest-full"}
    named = assign(open_roomy('[dispatch]\nurgency = ["can wait", "normal"]\n'), asked)
    assert where(named)[0] == ("s2", "")


def test_how_urgent_requests_of_a_made_up_city_are_is_known_in_both_its_languages():
    words = pd.DataFrame({"urgency": [*MADE_UP]})
    for column in (words["urgency"], in_words(words)["urgency"]):
        assert [next(turn for turn, usual in enumerate(URGENCY) if word in usual) for word in column] == [0, 1, 2]


def test_a_whole_number_beside_gaps_says_what_it_does_without_decimals(open_roomy):
    asked = ask(*((f"r{i}", 3.9, 0, "medicine") for i in range(3)))
    study = open_roomy(stations=ROOMY[1:2])
    for column, numbers in (("urgency", [3.0, np.nan, 1.0]), ("priority", [0.0, np.nan, 1.0])):
        for values in (numbers, pd.Series(numbers).astype("str").replace("nan", "")):
            assert assign(study, asked.assign(**{column: values}))["station_id"].tolist() == ["", "", "s2"]


TIERS = '[dispatch]\ntiers = ["household", "main"]\n'


def test_what_the_lowest_tier_cannot_do_goes_up_to_the_residents_own(open_roomy):
    study = open_roomy(TIERS)
    home = 0.5, 0.1  # in the south, as s1 and s2 are
    asked = ask(*((f"r{i}", *home, item) for i, item in enumerate(["medicine", "medicine", "legal", "repair"])))
    assert where(assign(study, asked)) == [
        ("s2", "nearest-higher-tier"),
        ("s1", ""),  # s2 is full, and the nearest of all is the next one up
        ("s1", ""),
        ("", "no-station-offers-item"),  # s3 would, but serves the north
    ]
    far = ask(("r1", 3.7, 0.05, "medicine"), ("r2", 3.7, 0.05, "medicine"), ("r3", 3.7, 0.05, "legal"))
    assert where(assign(study, far)) == [("s2", ""), ("s1", "up-full"), ("s1", "up-lacks-item")]


def test_what_is_closed_goes_up_too(open_roomy):
    stations = [ROOMY[0], [*ROOMY[1][:5], "Sa 08:00-20:00", 1], ROOMY[2]]
    asked = ask(("r1", 3.7, 0.05, "medicine")).assign(at=FRIDAY)
    assert where(assign(open_roomy(TIERS, stations), asked)) == [("s1", "up-closed")]


def test_tiers_that_stations_do_not_have_are_refused_by_every_name(open_roomy, run, tmp_path):
    study = open_roomy('[dispatch]\ntiers = ["household", "centre"]\n')
    with pytest.raises(StudyError, match="'centre'") as refused:
        assign(study, ask(("r1", 0.5, 0, "")))
    assert "main" in str(refused.value)
    assert run("check", tmp_path, "--out", tmp_path / "out")[0] == 1


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ('zone = "Asia/Fushun"\n', "unknown-zone"),
        ('calendar = "mars"\n', "unknown-value"),
        ('days_off = ["soon"]\n', "bad-date"),
        ("days_off = [2026-05-06]\ndays_worked = [2026-05-06]\n", "conflicting-conditions"),
        ('tiers = ["main", "main"]\n', "duplicate-name"),
        ('hours = { main = "whenever" }\n', "bad-hours"),
        ('items = ["medicine"]\n', "wrong-type"),
        ("items = { main = [3] }\n", "wrong-type"),
        ("capacity = { main = -1 }\n", "wrong-type"),
    ],
)
def test_what_dispatch_cannot_mean_is_told(open_roomy, more, rule):
    with pytest.raises(StudyError) as refused:
        open_roomy(f"[dispatch]\n{more}")
    assert [b.rule for b in refused.value.breaches] == [rule]


# ------------------------------------------------------------------------------------------------ against an oracle


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A study of twelve stations anywhere on the grid, and the ground under it."""
    folder, random = write_city(tmp_path_factory.mktemp("crowded")), np.random.default_rng(1)
    spots = [[f"s{i:02}", *at(*random.uniform(0, [4, 2]))] for i in range(12)]
    table(folder / "stations.csv", "station_id lon lat", *spots)
    study = open_study(folder)
    return study, lay_ground(study)


def all_walks(study, ground, asked):
    """Return (n_requests, n_stations) seconds, inf where a station does not offer the item."""
    places = asked.to_crs(study.crs)
    home = holder(places, study.buildings, "building_id")
    snaps = attach_points(study, ground, places.assign(building_id=home))
    walks = ground.reference.within(ground.reference.stations, snaps, cutoff_s=np.inf)
    seconds = np.full((len(study.stations), len(asked)), np.inf)
    for station in range(walks.n_facilities):
        some, found = walks.row(station)
        seconds[station, some] = found
    held = study.stations["items"]
    offering = [[not items or not item or item in items.split(";") for items in held] for item in asked["item"]]
    return np.where(offering, seconds.T, np.inf)


WIDTHS = ((1, 2, 4), (4, 16, 64))
"""How many nearest stations are looked at first, and then: so few that lists must grow, and as many as usual."""


def look_at(patch, widths):
    for module in ("preferences", "sending"):
        patch.setattr(f"lifecircle.dispatch.{module}.WIDTHS", widths)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), widths=st.sampled_from(WIDTHS))
def test_in_turn_each_gets_the_nearest_that_is_left_and_all_together_walk_the_least(crowded, seed, widths):
    with pytest.MonkeyPatch.context() as patch:
        look_at(patch, widths)
        check_against_an_oracle(crowded, seed, patch)


def first_come(can, order):
    """Return who gets a place where none goes without for the sake of one whose turn comes later.

    ``can`` (n_requests, n_places) says which places each can have.
    """
    served = []
    for i in order:
        given_to = maximum_bipartite_matching(csr_array(can[[*served, i]]), perm_type="column")
        served += [i] * bool((given_to >= 0).all())
    return served


def check_against_an_oracle(crowded, seed, patch):
    random = np.random.default_rng(seed)
    (study, ground), n = crowded, 30
    items, room = random.choice(["", "a", "a;b"], 12), random.integers(0, 5, 12)
    study = replace(study, stations=study.stations.assign(items=items, capacity=room.astype(float)))
    spots = random.uniform([0, -0.2], [4, 2.2], (n, 2))
    asked = ask(*((f"r{i:02}", *spot, random.choice(["", "a", "b"])) for i, spot in enumerate(spots)))
    asked = asked.assign(urgency=random.choice(["urgent", "", "can wait"], n))
    walk_s, ids = all_walks(study, ground, asked), study.stations["station_id"].to_numpy(dtype=object)
    order = np.argsort(asked["urgency"].map({"urgent": 0, "": 1, "can wait": 2}).to_numpy(), kind="stable")

    expected, left = np.full(n, "", dtype=object), room.copy()
    for i in order:
        free = np.where(left > 0, walk_s[i], np.inf)
        if np.isfinite(free.min()):
            near = int(np.flatnonzero(free <= free.min() + 1e-9)[0])
            expected[i], left[near] = ids[near], left[near] - 1
    assert assign(study, asked, ground=ground)["station_id"].tolist() == expected.tolist()

    found = assign(study, asked, ground=ground, optimal=True)
    sent = (found["station_id"] != "").to_numpy()
    cost = np.minimum(walk_s[:, np.repeat(np.arange(12), room)], 1e7)
    row, column = linear_sum_assignment(cost)
    assert sent.sum() == (cost[row, column] < 1e7).sum(), "as many as can be sent are"
    assert np.flatnonzero(sent).tolist() == sorted(first_come(cost < 1e7, order))
    row, column = linear_sum_assignment(cost[sent])
    assert found["walk_s"].sum() == pytest.approx(cost[sent][row, column].sum(), abs=1e-3)
    assert all(n_sent <= room[ids == station] for station, n_sent in found["station_id"][sent].value_counts().items())
    assert found.attrs["unproven_s"] == 0

    patch.setattr("lifecircle.dispatch.sending.MOST_ENTRIES", 0)  # where lists would grow too long, it says so
    hasty = assign(study, asked, ground=ground, optimal=True)
    assert (hasty["station_id"] != "").tolist() == sent.tolist()
    least_s = found["walk_s"].sum()
    assert hasty["walk_s"].sum() - hasty.attrs["unproven_s"] <= least_s + 1e-3
    assert hasty["walk_s"].sum() >= least_s - 1e-3


def test_the_optimal_way_and_how_much_less_is_walked_are_shown(open_roomy, tmp_path, run):
    open_roomy()
    table(
        tmp_path / "r.csv", "request_id lon lat item at", *([f"r{x}", *at(x, 0), "medicine", FRIDAY] for x in (3, 3.8))
    )
    code, shown, _ = run(
        "assign", tmp_path, tmp_path / "r.csv", "--datum", "wgs84", "--optimal", "--out", tmp_path / "out"
    )
    assert code == 0
    assert "2 requests are sent and walk" in " ".join(shown.split())
    found = pd.read_csv(tmp_path / "out" / "assigned" / "assigned.csv")
    assert found.columns[:6].tolist() == ["request_id", "station_id", "walk_m", "walk_s", "tier", "reason"]


# --------------------------------------------------------------------------------------------- how hotlines write days


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["2026-05-03 14:30", "2026-05-03T14:30:59"], ["2026-05-03T14:30:00", "2026-05-03T14:30:59"]),
        (["2026年5月3日 14时30分", "2026/5/3 下午2:30"], ["2026-05-03T14:30:00"] * 2),
        (["05/13/2026 02:30:00 PM", "05/03/2026 12:00:00 AM"], ["2026-05-13T14:30:00", "2026-05-03T00:00:00"]),
        (["13.05.2026 14:30", "03.05.2026 14:30"], ["2026-05-13T14:30:00", "2026-05-03T14:30:00"]),
        (["05/03/2026 14:30", "05/04/2026 14:30"], ["NaT", "NaT"]),  # the fifth of March, or the third of May?
        (["2026-05-03", "2026-02-30 10:00", "noon", "13:00 PM", ""], ["NaT"] * 5),
        (["2026-05-03 14:30", "2026-02-30 10:00"], ["2026-05-03T14:30:00", "NaT"]),
        (
            ["20260512 1005", "20260512100530", "20260512T1005"],
            ["2026-05-12T10:05:00", "2026-05-12T10:05:30", "2026-05-12T10:05:00"],
        ),
        (
            ["45012.5", "46154.4201388889", "45012.0", "45012"],
            ["2023-03-27T12:00:00", "2026-05-12T10:05:00", "NaT", "NaT"],
        ),
        (["20261312 1005", "20260512 2505", "202605121", "12345.5", "145012.5"], ["NaT"] * 5),
    ],
)
def test_days_and_times_are_read_as_hotlines_write_them_and_never_guessed(texts, read):
    found = moments_of(pd.Series(texts))
    assert np.datetime_as_string(found.clock).tolist() == read
    assert found.unread.tolist() == [when == "NaT" and text != "" for text, when in zip(texts, read, strict=True)]


def test_python_is_warned_of_a_year_whose_holidays_are_not_known(open_roomy):
    study = open_roomy()
    with pytest.warns(MissingInputWarning, match="2099"):
        assign(study, ask(("r1", 1, 0, "")).assign(at=["2099-05-15 10:00"]), ground=lay_ground(study))


def test_times_urgencies_and_years_that_are_not_understood_are_named(open_roomy, run, tmp_path):
    open_roomy()
    rows = (
        ["r1", *at(1, 0), "someday", ""],
        ["r2", *at(1, 0), FRIDAY, "whenever"],
        ["r3", *at(1, 0), "2099-05-15 10:00", ""],
    )
    table(tmp_path / "r.csv", "工单编号 lon lat 受理时间 紧急程度", *rows)
    code, shown, told = run("assign", tmp_path, tmp_path / "r.csv", "--datum", "wgs84", "--out", tmp_path / "out")
    assert code == 0
    assert all(each in told for each in ("[r1]", "[r2]", "[r3]", "2099", "at is no day and time", "urgency is none of"))
    assert "3" in shown


def test_a_place_in_the_only_community_of_a_subdistrict_lies_in_the_community():
    ground = shapely.box(0, 0, 100, 100)
    areas = gpd.GeoDataFrame(
        {"area_id": ["a", "b"], "level": ["subdistrict", "community"], "parent_id": ["", "a"]},
        geometry=[ground, ground],
        crs=32651,
    )
    places = gpd.GeoDataFrame(geometry=[shapely.Point(5, 5), shapely.Point(500, 5)], crs=32651)
    assert holder(places, areas, "area_id").tolist() == ["b", ""]


@pytest.mark.parametrize(
    "text", ["0000-01-01 10:00", "9999-12-31 23:00-08:00", "1900-01-01 00:00", "2026-05-03 晚上1:00"]
)
def test_a_time_that_nobody_can_have_meant_is_not_read(text):
    found = moments_of(pd.Series([text, "2026-05-03 晚上8:30"]))
    assert found.unread.tolist() == [True, False]
    assert found.clock[1] == np.datetime64("2026-05-03T20:30")


@pytest.mark.parametrize("hours", ["PH -1 day off", "PH Mo-Fr 09:00-12:00", 'Su off; Mo-Sa 09:00-12:00 "not PH"'])
def test_rules_for_holidays_that_no_day_can_take_leave_the_hours_of_a_sunday(hours):
    holiday = Calendar(CHINA).opened(datetime(2025, 10, 1, 10))
    assert not holiday(hours)


def test_where_one_word_says_urgent_all_others_wait():
    assert _usual(("urgent",)) == 1


def test_times_centuries_apart_cost_no_more_than_their_days():
    times = np.array(["1970-01-02T10:00", "2199-12-30T10:00"], dtype="datetime64[s]")
    assert open_at_times("Mo-Fr 09:00-17:00", times).tolist() == [True, True]
    assert open_at_times("Mo-Fr 09:00-17:00", times + np.timedelta64(8, "h")).tolist() == [False, False]
