"""Scenarios side by side: every figure adds up, is that of `cover`, and is worked out again for other speeds."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle import compare, cover, open_study
from lifecircle.circles import with_residents
from lifecircle.compare_summary import NOTHING_HANGS, show_comparison
from lifecircle.errors import Breach, InfeasibleError, StudyError, UnfinishedError, UnknownNameError
from lifecircle.mark import MARK, YES
from lifecircle.publish import LEAST, NOT_SHOWN, draws, published, published_comparison, published_plan
from lifecircle.reports import write_comparison
from lifecircle.scenarios import possible_sites, side_by_side, site
from lifecircle.scenarios.comparison import AS_STATED, SPEEDS, TODAY, hanging
from lifecircle.scenarios.measures import gini, straight_lines_m
from tiny import STUDY, at, box, geojson, line, table, write_city

ADDS = '\n[[scenario]]\nname = "adds"\nquestion = "most"\ncircle = "8"\nn_new = 1\ncost = { pharmacy = 900 }\n'
MOVES = '\n[[scenario]]\nname = "moves"\nquestion = "fairest"\ncircle = "15"\nmax_moves = 1\n'
CLASSES = '[walking]\nclasses = [{ name = "adult", speed_mps = 1.2 }, { name = "aged", speed_mps = 0.92 }]\n'
CIRCLES = ("8", "15")


def write_street(folder, homes, rooms, *, more=ADDS, language="en"):
    """Homes along one street, s1 at its west end, rooms that could be stations, and an island that no street reaches.

    From a home at x to a station at x0 are 44 m and 83 m for each step between them; 8 minutes are 576 m for adults.
    """
    study = STUDY.replace('"en"', f'"{language}"') + CLASSES + more
    write_city(folder, study=study)
    ways = {"w1": line(*((x, 0) for x in range(-1, 18))), "w4": line((0, 3), (4, 3))}
    geojson(folder / "streets.geojson", [({"way_id": i, "highway": "residential"}, way) for i, way in ways.items()])
    bounds = {"d": (-1, 17, ""), "east": (6.5, 17, "d"), "west": (-1, 6.5, "d")}
    shapes = {i: box(west, -1, east, 4) for i, (west, east, _) in bounds.items()}
    levels = {"d": "district", "east": "community", "west": "community"}
    areas = [
        ({"area_id": i, "level": levels[i], "name": i, "parent_id": bounds[i][2]}, shape) for i, shape in shapes.items()
    ]
    geojson(folder / "areas.geojson", areas)
    spots = {f"b{x}": (x, 0.2) for x in homes} | {"island": (1, 3.2)}
    geojson(
        folder / "buildings.geojson",
        [({"building_id": i, "kind": "house"}, box(x, y, x + 0.3, y + 0.2)) for i, (x, y) in spots.items()],
    )
    people = [[f"b{x}", n, n // 2] for x, n in homes.items()] + [["island", 8, 2]]
    table(folder / "residents.csv", "building_id residents residents_aged", *people)
    table(folder / "stations.csv", "station_id lon lat name", ["s1", *at(0.15, 0.1), "西站"])
    places = [[i, *at(x + 0.15, 0.1), "pharmacy"] for i, x in rooms.items()]
    table(folder / "candidates.csv", "site_id lon lat kind", *places)
    geojson(folder / "barriers.geojson", [({"kind": "wall"}, line((20, 1), (21, 1)))])
    return folder


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    homes = {0: 60, 3: 50, 6: 40, 7: 30, 12: 20, 15: 10}
    return write_street(tmp_path_factory.mktemp("street"), homes, {"c1": 12, "c2": 16}, more=ADDS + MOVES)


@pytest.fixture(scope="module")
def compared(street):
    return compare(open_study(street))


@pytest.fixture(scope="module")
def balance(tmp_path_factory):
    """A home that only an adult who walks just as stated reaches c1 from, and s1 when faster."""
    return write_street(tmp_path_factory.mktemp("balance"), {0: 60, 7: 30}, {"c1": 13})


def rows(comparison, scenario, *, speed=AS_STATED):
    table = comparison.table
    return table[(table["scenario"] == scenario) & (table["speed"] == speed)].reset_index(drop=True)


def total(comparison, scenario, *, speed=AS_STATED, group="all"):
    found = rows(comparison, scenario, speed=speed)
    return found[(found["area_id"] == "total") & (found["group"] == group)].iloc[0]


# ------------------------------------------------------------------------------------------------------------- figures


def test_the_baseline_and_every_scenario_have_the_figures_of_cover(compared):
    for name, coverage in [(TODAY, compared.today), *((p.scenario.name, p.coverage) for p in compared.plans)]:
        pd.testing.assert_frame_equal(rows(compared, name)[list(coverage.table)], coverage.table, check_dtype=False)


@pytest.mark.parametrize("speed", SPEEDS)
def test_figures_at_another_speed_are_those_of_a_study_that_states_it(street, compared, tmp_path, speed):
    slower = CLASSES.replace("1.2", repr(1.2 * speed)).replace("0.92", repr(0.92 * speed))
    text = (street / "study.toml").read_text("utf-8").replace(CLASSES, slower)
    for path in street.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "study.toml").write_text(text, "utf-8")
    stated = cover(open_study(tmp_path)).table
    found = rows(compared, TODAY, speed=speed)[list(stated)]
    pd.testing.assert_frame_equal(found, stated, check_dtype=False)


def test_residents_are_the_same_in_every_scenario_and_each_is_somewhere(compared):
    table = compared.table
    somewhere = table[["within_15", "beyond", "unreachable", "unsnappable", "unplaced"]].sum(axis=1)
    assert np.allclose(somewhere, table["residents"], rtol=0, atol=1e-6)
    everyone = table[(table["area_id"] == "total") & (table["group"] == "all")]
    assert everyone["residents"].tolist() == [218.0] * 9


def test_those_who_come_in_less_those_who_leave_are_the_change(compared):
    table = compared.table
    for circle in CIRCLES:
        change = table[f"won_{circle}"] - table[f"lost_{circle}"]
        assert np.allclose(change, table[f"change_within_{circle}"], rtol=0, atol=1e-6)
    assert table["won_8"].max() > 0
    assert table["lost_8"].max() > 0, "a station that moves leaves somebody behind"


def test_who_walks_faster_is_in_no_fewer_circles_and_sooner_there(compared):
    at_speed = [compared.table[compared.table["speed"] == speed].reset_index(drop=True) for speed in SPEEDS]
    for slower, faster in pairwise(at_speed):
        assert (slower["scenario"] == faster["scenario"]).all()
        for column in ("within_8", "within_15", "radius_8", "radius_15"):
            assert (slower[column] <= faster[column]).all()
        for column in ("walk_mean_s", "walk_p50_s"):
            told = slower[column].notna()
            assert (slower[column][told] > faster[column][told]).all()


def test_homes_that_change_add_up_to_those_who_come_in_and_leave(compared):
    for plan in compared.plans:
        name = plan.scenario.name
        changes = compared.changes[compared.changes["scenario"] == name]
        assert len(changes)
        before, after = changes["circle_before"] == "8", changes["circle_after"] == "8"
        assert changes["residents"][after & ~before].sum() == total(compared, name)["won_8"]
        assert changes["residents"][before & ~after].sum() == total(compared, name)["lost_8"]
        nearer = ~(changes["walk_s_after"] >= changes["walk_s_before"]) & changes["walk_s_after"].notna()
        assert changes["residents"][nearer].sum() == total(compared, name)["nearer"]


def test_those_who_reach_no_station_stay_last_and_are_no_number(compared):
    west = compared.table[(compared.table["area_id"] == "west") & (compared.table["scenario"] == TODAY)]
    aged = west[(west["group"] == "aged") & (west["speed"] == AS_STATED)].iloc[0]
    # 30 at 44 m, 25 at 293 m, 20 at 541 m, and 2 who reach none
    assert aged["walk_n"] == 75
    metres = np.array([44.2, 293.0, 541.8])
    assert aged["walk_p50_s"] == pytest.approx(metres[1] / 0.92, rel=0.01)
    assert aged["walk_p90_s"] == pytest.approx(metres[2] / 0.92, rel=0.01)
    assert aged["walk_mean_s"] == pytest.approx(metres @ [30, 25, 20] / 75 / 0.92, rel=0.01)
    lonely = replace(compared.today.demand, residents=compared.today.demand.residents.assign(residents_aged=0.0))
    lonely.residents.loc[len(lonely.residents) - 1, "residents_aged"] = 9.0
    alone = side_by_side(replace(compared.today, demand=lonely), ())
    found = total(alone, TODAY, group="aged")
    assert np.isnan(found[["walk_mean_s", "walk_p50_s", "walk_p90_s", "walk_gini"]].to_numpy(dtype=float)).all()
    assert (found["walk_n"], found["unreachable"]) == (0, 9)


def test_a_radius_claims_those_whom_no_street_leads_to_the_station(compared):
    today = total(compared, TODAY)
    # Straight from s1 are the island (330 m) and, as along the street, homes 0, 3, 6 of adults and 0, 3 of the aged.
    assert today["within_8"] == 60 + 50 + 20
    assert today["radius_8"] == 60 + 50 + 40 - 20 + 8


def test_money_for_each_resident_more_is_the_money_over_those_who_come_in(compared):
    adds = total(compared, "adds")
    assert adds["cost"] == 900
    assert adds["cost_per_resident_8"] == pytest.approx(900 / adds["change_within_8"])
    assert total(compared, TODAY)["cost"] == 0
    assert np.isnan(total(compared, TODAY)["cost_per_resident_8"])
    spent = rows(compared, "adds").query("group == 'all'").set_index("area_id")["cost"]
    assert spent.to_dict() == {"d": 900, "east": 900, "west": 0, "total": 900}


def test_the_worst_area_is_the_community_with_the_smallest_share(compared):
    today, adds = total(compared, TODAY), total(compared, "adds")
    assert (today["worst_area_8"], today["worst_share_8"]) == ("east", 0)
    assert adds["worst_area_8"] == "east", "the aged of home 7 are too slow for c1"
    assert adds["worst_share_8"] == pytest.approx(45 / 60)
    assert today["load_max"] == 60 + 50 + 40 + 30 + 10, "all adults within 15 minutes, and the aged as far as home 7"


def test_every_station_has_its_residents_in_every_scenario(compared):
    stations = compared.stations.set_index(["scenario", "station_id"])
    assert stations.loc[(TODAY, "s1"), ["residents", "within_8", "within_15"]].tolist() == [210, 130, 190]
    for plan in [None, *compared.plans]:
        name, coverage = (TODAY, compared.today) if plan is None else (plan.scenario.name, plan.coverage)
        own = stations.loc[name]
        assert own["within_15"].sum() == total(compared, name)["within_15"], "nobody lives outside the areas"
        served = coverage.stations.set_index("station_id")["residents"]
        assert own["within_15"].dropna().to_dict() == served.to_dict()
    [moved] = [p for p in compared.plans if p.scenario.name == "moves"]
    closed = moved.sites[moved.sites["state"] == "closed"]["site_id"]
    assert stations.loc["moves"]["state"].reindex(closed).tolist() == ["closed"] * len(closed)
    assert stations.loc["moves"].loc[closed, ["residents", "within_8"]].isna().all().all(), "who is gone has no load"


def test_figures_against_a_scenario_are_the_differences_to_its_own(street):
    study = open_study(street)
    found = compare(study, baseline="adds")
    figure = {name: total(found, name)["within_8"] for name in (TODAY, "adds", "moves")}
    for name, within in figure.items():
        assert total(found, name)["change_within_8"] == within - figure["adds"]
    assert set(found.changes["scenario"]) == {TODAY, "moves"}
    assert total(found, TODAY)["change_cost"] == -900


def one_by_one(now, before, area_id, group, demand):
    """Count the residents of an area and group again, one by one: seconds, circles, and the same before."""
    parents = dict(zip(now.study.areas["area_id"], now.study.areas["parent_id"], strict=True))
    chain = {area: {area, parents[area], "total"} for area in parents} | {"": set()}
    people = []
    for walker in ("adult", "aged"):
        suffix = "" if walker == "adult" else "_aged"
        for row, then, n in zip(
            now.buildings.to_dict("records"),
            before.buildings.to_dict("records"),
            demand.residents[f"residents_{walker}"],
            strict=True,
        ):
            if group in ("all", walker) and area_id in chain[row["area_id"]]:
                seconds = [np.nan_to_num(home[f"walk_s{suffix}"], nan=np.inf) for home in (row, then)]
                within = [home[f"within_{circle}{suffix}"] for circle in CIRCLES for home in (row, then)]
                people += [(*seconds, *within)] * int(n)
    types = {"s": float, "then_s": float, "8": bool, "then_8": bool, "15": bool, "then_15": bool}
    return pd.DataFrame(people, columns=[*types]).astype(types)


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_is_that_of_residents_counted_one_by_one(compared, seed):
    random = np.random.default_rng(seed)
    adults, aged = random.integers(0, 5, (2, 7)) * random.integers(0, 2, (2, 7)).astype(float)
    counts = pd.DataFrame({"residents": adults + aged, "residents_aged": aged, "residents_adult": adults})
    demand = replace(compared.today.demand, residents=counts)
    study = compared.today.study
    today = with_residents(compared.today, study, demand)
    plans = [replace(p, coverage=with_residents(p.coverage, p.coverage.study, demand)) for p in compared.plans]
    states = {TODAY: today} | {p.scenario.name: p.coverage for p in plans}
    table = side_by_side(today, plans, baseline="moves").table
    for row in table[table["speed"] == AS_STATED].to_dict("records"):
        who = one_by_one(states[row["scenario"]], states["moves"], row["area_id"], row["group"], demand)
        walks = np.sort(who["s"][np.isfinite(who["s"])])
        expected = {"residents": len(who), "walk_n": len(walks), "unreachable": len(who) - len(walks)}
        expected |= {"nearer": (who["s"] < who["then_s"]).sum(), "farther": (who["s"] > who["then_s"]).sum()}
        for c in CIRCLES:
            expected |= {f"within_{c}": who[c].sum(), f"change_within_{c}": who[c].sum() - who[f"then_{c}"].sum()}
            expected |= {
                f"won_{c}": (who[c] & ~who[f"then_{c}"]).sum(),
                f"lost_{c}": (~who[c] & who[f"then_{c}"]).sum(),
            }
        if len(walks):
            apart = np.abs(walks[:, None] - walks).mean()
            expected |= {"walk_mean_s": walks.mean(), "walk_gini": apart / (2 * walks.mean())}
        for share in (0.5, 0.9):
            last = int(np.ceil(round(share * len(who), 9))) - 1
            reached = 0 <= last < len(walks)
            expected[f"walk_p{share * 100:.0f}_s"] = walks[last] if reached else np.nan
        assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True, abs=1e-6)


# ---------------------------------------------------------------------------------------------------------- inequality


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        ([5, 5, 5], [1, 2, 3], 0.0),
        ([0, 0, 0, 8], [1, 1, 1, 1], 0.75),
        ([1, 3], [1, 1], 0.25),
        ([3, 1], [1, 3], 0.25),  # three walk 1 and one walks 3: the Lorenz curve goes through (3/4, 1/2)
        ([0, 0], [1, 1], 0.0),
        ([7], [2], 0.0),
    ],
)
def test_inequality_is_as_worked_out_by_hand(values, weights, expected):
    assert gini(np.array(values, dtype=float), np.array(weights, dtype=float)) == pytest.approx(expected)


def test_nobody_has_no_inequality():
    assert np.isnan(gini(np.array([1.0]), np.array([0.0])))
    assert np.isnan(gini(np.empty(0), np.empty(0)))


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 9)), min_size=1, max_size=12), st.integers(1, 50))
def test_inequality_counts_residents_one_by_one_and_knows_no_unit(homes, unit):
    seconds, people = (np.array(part, dtype=float) for part in zip(*homes, strict=True))
    each = np.repeat(seconds, people.astype(int))
    between = np.abs(each[:, None] - each[None, :]).mean()
    expected = between / (2 * each.mean()) if each.any() else 0.0
    assert gini(seconds, people) == pytest.approx(expected, abs=1e-9)
    assert gini(unit * seconds, people) == pytest.approx(gini(seconds, people), abs=1e-9)


# ----------------------------------------------------------------------------------------- findings that hang on speed


def test_a_finding_whose_sign_hangs_on_the_speed_is_told(run, balance, tmp_path):
    code, shown, _ = run("compare", balance, "--out", tmp_path / "out")
    assert code == 0
    lines = [text for text in shown.splitlines() if text.startswith("hangs")]
    assert lines == [
        "hangs on the walking speed: adds, circle 8, all: +0 residents where all walk 10 % slower, "
        "+15 as stated, +0 where 10 % faster",
        "hangs on the walking speed: adds, circle 8, adult: +0 residents where all walk 10 % slower, "
        "+15 as stated, +0 where 10 % faster",
        "hangs on the walking speed: adds, circle 8, all residents or a group of them in 2 of the areas: d, east",
    ]
    assert NOTHING_HANGS not in shown


def test_findings_that_stay_are_told_to_stay(compared, capsys):
    show_comparison(side_by_side(compared.today, ()))
    assert NOTHING_HANGS in capsys.readouterr().out


def test_less_than_half_a_resident_is_no_finding():
    index = [("s", speed, "total", "all") for speed in SPEEDS]
    table = pd.DataFrame(index, columns=["scenario", "speed", "area_id", "group"])
    circle = type("Circle", (), {"name": "8"})
    assert hanging(table.assign(change_within_8=[0.4, 0.0, -0.4]), [circle]).empty
    assert len(hanging(table.assign(change_within_8=[0.6, 0.0, 0.0]), [circle])) == 1
    assert hanging(table.assign(change_within_8=[np.nan, 0.0, 9.0]), [circle]).empty, "what is hidden stays hidden"


# --------------------------------------------------------------------------------------------------------- the command


def test_compare_writes_tables_a_record_and_notes_alike_in_every_run(run, street, compared, tmp_path):
    assert run("compare", street, "--out", tmp_path / "out")[0] == 0
    page = write_comparison(tmp_path / "again", compared)
    assert page.name == "compare.html"
    folders = tmp_path / "out" / "compare", tmp_path / "again"
    written = [{p.name: p.read_bytes() for p in folder.iterdir() if p.name != "run.json"} for folder in folders]
    tables = {"compare.csv", "changes.csv", "stations.csv"}
    assert written[0].keys() == {"compare.html", "report.pdf", *tables, "compare.json", "NOTES.txt"}
    assert written[0] == written[1]
    record = json.loads(written[0]["compare.json"])
    assert record["fingerprint"] == open_study(street).fingerprint
    assert [s["scenario"] for s in record["scenarios"]] == ["adds", "moves"]
    assert (record["baseline"], record["speeds"]) == (TODAY, [0.9, 1.0, 1.1])
    found = pd.read_csv(folders[0] / "compare.csv", encoding="utf-8-sig")
    assert found.columns[:6].tolist() == ["scenario", "speed", "area_id", "level", "name", "group"]
    assert len(found) == 3 * 3 * 4 * 3, "scenarios, speeds, areas with the total, groups"
    changes = pd.read_csv(folders[0] / "changes.csv", encoding="utf-8-sig")
    assert changes.columns.tolist() == [
        *("scenario", "building_id", "area_id", "group", "residents", "station_id_before", "station_id_after"),
        *("walk_s_before", "walk_s_after", "circle_before", "circle_after", "residents_basis"),
    ]


def test_a_comparison_speaks_the_language_of_the_study(run, tmp_path):
    folder = tmp_path / "city"
    folder.mkdir()
    write_street(folder, {0: 60, 7: 30}, {"c1": 13}, language="zh")
    code, shown, complaint = run("compare", folder, "--out", tmp_path / "out")
    assert code == 0
    assert all(word in shown for word in ("与“现状”对比", "方案", "最差区域", "取决于步速", "已写入"))
    assert "按较慢与较快步速重算" in complaint
    assert not any(word in shown for word in ("hangs", "today", "scenario"))


def test_a_baseline_that_no_scenario_is_named_like_is_bad_usage(run, street, tmp_path):
    code, _, complaint = run("compare", street, "--baseline", "none", "--out", tmp_path / "out")
    assert code == 2
    assert "adds, moves" in complaint
    assert not (tmp_path / "out").exists()


def test_without_a_scenario_there_is_nothing_to_compare(tmp_path):
    with pytest.raises(UnknownNameError, match="no \\[\\[scenario\\]\\] to answer"):
        compare(open_study(write_city(tmp_path)))


def test_no_scenario_may_have_the_name_of_today(run, tmp_path):
    write_street(tmp_path, {0: 60}, {"c1": 13}, more=ADDS.replace('"adds"', '"today"'))
    code, _, complaint = run("compare", tmp_path, "--out", tmp_path / "out")
    assert code == 1
    assert "name it otherwise" in complaint


def test_plans_of_other_inputs_are_never_laid_beside(compared, balance):
    other = open_study(balance)
    plan = site(other, scenario="adds")
    with pytest.raises(StudyError, match="'adds' was worked out from other inputs"):
        side_by_side(compared.today, [plan])
    with pytest.raises(UnknownNameError, match="no scenario 'adds' to compare with"):
        side_by_side(compared.today, [], baseline="adds")


def test_what_is_made_up_says_so_side_by_side_too(compared):
    made_up = replace(compared.today, ground=replace(compared.today.ground, synthetic=True))
    found = side_by_side(made_up, compared.plans)
    for told in (found.table, found.changes):
        assert told.columns[-1] == MARK
        assert (told[MARK] == YES).all()
    assert MARK not in compared.table


def test_where_no_station_counts_no_radius_claims_anybody(compared):
    none = compared.today.stations.iloc[:0]
    for metres in straight_lines_m(compared.today.study, none).values():
        assert np.isinf(metres).all()


# ---------------------------------------------------------------------------------------------------------- publishing


def for_others(today, key):
    """Return what may be published of a comparison."""
    rounded = published(today, key)
    sites = possible_sites(rounded)
    names = [scenario.name for scenario in rounded.study.settings.scenarios]
    plans = [published_plan(site(rounded.study, scenario=n, today=rounded, sites=sites), rounded) for n in names]
    return published_comparison(side_by_side(rounded, plans))


def test_a_published_comparison_shows_no_small_figure_and_no_small_change(compared):
    found = for_others(compared.today, "a key of sixteen")
    sums = ("within_", "radius_", "won_", "lost_", "change_within_", "change_radius_")
    columns = [c for c in found.table if c.startswith(sums)]
    columns += ["residents", "beyond", "unreachable", "nearer", "farther", "load_max", "walk_n", "change_beyond"]
    shown = found.table[columns].abs()
    assert shown.notna().any().any()
    assert (shown.isna() | (shown >= LEAST)).all().all()
    assert found.table["buildings"].isna().all()
    hidden = found.table["within_8"].isna()
    assert hidden.any()
    assert found.table.loc[hidden, ["share_8", "change_within_8", "change_share_8"]].isna().all().all()
    assert found.table.loc[hidden, NOT_SHOWN].str.contains(r"\bwithin_8\b").all()
    worst = found.table["worst_area_8"] != ""
    assert found.table.loc[worst, "worst_share_8"].isin(found.table["share_8"].dropna()).all()
    assert found.today.study.fingerprint == ""
    assert (found.changes["residents"].isna() | (found.changes["residents"] >= 5)).all()
    loads = found.stations[["residents", "within_8", "within_15"]]
    assert (loads.isna() | (loads >= LEAST)).all().all()


def test_whoever_lives_in_a_small_home_the_published_comparison_is_the_same(compared):
    last = ["home b15", "residents_aged home b15"]
    keys = (f"key number {i:05}" for i in range(1000))
    key = next(key for key in keys if draws(key, last).max() < 0.2)  # by which 4 and fewer are rounded to nobody
    row = compared.today.buildings.index[compared.today.buildings["building_id"] == "b15"]
    found = []
    for adults, aged in ((0, 0), (2, 2)):
        homes = compared.today.demand.residents.copy()
        homes.loc[row, ["residents", "residents_adult", "residents_aged"]] = [adults + aged, adults, aged]
        found.append(for_others(replace(compared.today, demand=replace(compared.today.demand, residents=homes)), key))
    pd.testing.assert_frame_equal(found[0].table, found[1].table)
    pd.testing.assert_frame_equal(found[0].changes, found[1].changes)
    listed = found[0].changes[found[0].changes["building_id"] == "b15"]
    assert len(listed)
    assert listed["residents"].isna().all(), "homes of few and of nobody are listed alike"


def test_publish_writes_into_the_folder_for_others(run, street, tmp_path, monkeypatch):
    monkeypatch.setattr("typer.get_app_dir", lambda _: str(tmp_path / "settings"))
    code, shown, _ = run("compare", street, "--publish", "--out", tmp_path / "out")
    assert (code, NOTHING_HANGS in shown) == (0, False), "of what is not shown nothing is claimed"
    folder = tmp_path / "out" / "published" / "compare"
    found = pd.read_csv(folder / "compare.csv", encoding="utf-8-sig")
    assert NOT_SHOWN in found
    assert found["residents_basis"].unique().tolist() == ["stated, rounded"]
    assert json.loads((folder / "compare.json").read_text("utf-8"))["fingerprint"] == ""
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["published"]


# --------------------------------------------------------------------------------------------- scenarios without a plan

HOPELESS = '\n[[scenario]]\nname = "{}"\nquestion = "fewest"\ncircle = "8"\nfloors = [{{ share = 1.0 }}]\n'


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory):
    """A scenario that no plan can meet, since nobody leaves the island, before one that has a plan."""
    more = HOPELESS.format("all in") + ADDS
    return write_street(tmp_path_factory.mktemp("hopeless"), {0: 60, 7: 30}, {"c1": 12}, more=more)


def test_a_scenario_without_a_plan_is_told_and_the_others_are_compared(run, hopeless, tmp_path):
    code, shown, complaint = run("compare", hopeless, "--out", tmp_path / "out")
    assert code == 0
    assert "adds" in shown
    assert "scenario 'all in': no plan can meet the question" in complaint
    folder = tmp_path / "out" / "compare"
    [told] = json.loads((folder / "compare.json").read_text("utf-8"))["refused"]
    assert told["scenario"] == "all in"
    assert "island" in told["reasons"][0]["ids"]
    found = pd.read_csv(folder / "compare.csv", encoding="utf-8-sig")
    assert found["scenario"].unique().tolist() == [TODAY, "adds"], "nothing is made up of what has no plan"


def test_where_no_scenario_has_a_plan_there_is_no_comparison(run, tmp_path):
    write_street(tmp_path, {0: 60}, {"c1": 12}, more=HOPELESS.format("one") + HOPELESS.format("other"))
    code, _, complaint = run("compare", tmp_path, "--out", tmp_path / "out")
    assert code == 1
    assert "no scenario has a plan" in complaint
    assert "[[scenario]] one: floors" in complaint
    assert "[[scenario]] other: floors" in complaint
    assert not (tmp_path / "out" / "compare").exists()


def test_a_scenario_whose_time_is_over_before_a_plan_is_told_too(hopeless, monkeypatch):
    def over(*_, **__):
        raise UnfinishedError("the search was over before a first plan was found")

    study = open_study(hopeless)
    both = {"all in": InfeasibleError("none", breaches=[Breach("study.toml", "not-reachable", "nobody gets there")])}
    monkeypatch.setattr("lifecircle.scenarios.answer.solve", over)
    with pytest.raises(UnfinishedError, match="scenario 'adds': the search was over"):
        site(study, scenario="adds")
    with pytest.raises(UnfinishedError) as none:
        side_by_side(cover(study), [], refused=both | {"adds": UnfinishedError("the search was over")})
    assert "[[scenario]] all in: nobody gets there" in str(none.value)
    assert "[[scenario]] adds: the search was over" in str(none.value)


def test_against_a_scenario_without_a_plan_nothing_can_be_measured(hopeless):
    with pytest.raises(InfeasibleError, match="scenario 'all in'"):
        compare(open_study(hopeless), baseline="all in")
    assert set(compare(open_study(hopeless)).refused) == {"all in"}
