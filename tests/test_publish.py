"""What may leave the office: no table, nor any difference of tables, gives a small figure back."""

import json
import re
import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from lifecircle import open_study
from lifecircle.circles import cover_today, with_residents
from lifecircle.demand import Demand
from lifecircle.errors import OutputError
from lifecircle.publish import (
    _SUMS,
    _SUMS_BY_CIRCLE,
    KEY_FILE,
    LEAST,
    STEP,
    draws,
    office_key,
    published,
    published_plan,
    without_small,
)
from lifecircle.scenarios import possible_sites, site, unserved_areas
from lifecircle.siting import incidence
from tiny import STUDY, areas, at, box, geojson, line, table, write_city

KEY = "a key of sixteen"
SCENARIO = '\n[[scenario]]\nname = "one"\nquestion = "most"\ncircle = "8"\nn_new = 1\n'
GROUPS = ("residents", "residents_disabled")
CIRCLES = ("8", "15")


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory):
    """Nine homes along two streets that meet nowhere near the far ones, one station, two rooms."""
    folder = write_city(tmp_path_factory.mktemp("hamlet"), study=STUDY + SCENARIO)
    far = {"way_id": "w4", "highway": "residential"}
    streets = [
        ({"way_id": "w1", "highway": "residential"}, line((0, 0), (2, 0), (4, 0), (16, 0))),
        ({"way_id": "w2", "highway": "footway"}, line((0, 0), (0, 2))),
        (far, line((0, 2), (4, 2))),
    ]
    geojson(folder / "streets.geojson", streets)
    geojson(folder / "areas.geojson", [(p, box(-1, -1, 17, 3) if p["area_id"] == "d" else g) for p, g in areas()])
    spots = [(1, 0.2), (2, 1.5), (3, 0.2), (3, 1.5), (4.5, 0.2), (6, 0.2), (9, 0.2), (12, 0.2), (15, 0.2)]
    homes = [({"building_id": f"b{i}", "kind": "house"}, box(x, y, x + 0.3, y + 0.2)) for i, (x, y) in enumerate(spots)]
    geojson(folder / "buildings.geojson", homes)
    rows = [[f"b{i}", 6, 5] for i in range(len(spots))]
    table(folder / "residents.csv", "building_id residents residents_disabled", *rows)
    rooms = [["c1", *at(9, 0.1), "pharmacy"], ["c2", *at(14, 0.1), "shop"]]
    table(folder / "candidates.csv", "site_id lon lat kind", *rooms)
    geojson(folder / "barriers.geojson", [({"kind": "wall"}, line((20, 1), (21, 1)))])
    return cover_today(open_study(folder))


def inhabited(hamlet, residents, disabled):
    """The hamlet with these people in its homes."""
    people = np.asarray(residents, dtype=float)
    counts = {"residents": people, "residents_disabled": np.asarray(disabled, dtype=float), "residents_adult": people}
    homes = pd.DataFrame(counts)[list(hamlet.demand.residents.columns)]
    return with_residents(hamlet, hamlet.study, replace(hamlet.demand, residents=homes))


def some_people(seed, n=9):
    random = np.random.default_rng(seed)
    residents = random.choice([0, 1, 2, 3, 4, 5, 6, 8, 11, 14, 23], n)
    return residents, random.integers(0, residents + 1)


# --------------------------------------------------------------------------- an attacker, who knows all but the people


def sums_told(exact):
    """Every sum of residents that coverage.csv tells, as (group, the homes that it is over, the figure)."""
    buildings, tree = exact.buildings, exact.study.areas
    inside = {"total": np.ones(len(buildings), dtype=bool)}
    children = {a: [a, *tree["area_id"][tree["parent_id"] == a]] for a in tree["area_id"]}
    inside |= {a: buildings["area_id"].isin(ids).to_numpy() for a, ids in children.items()}
    status = buildings["status"].to_numpy()
    largest = buildings["within_15"].to_numpy()
    columns = {
        "residents": np.ones(len(buildings), dtype=bool),
        **{f"within_{c}": buildings[f"within_{c}"].to_numpy() for c in CIRCLES},
        "beyond": (status == "ok") & ~largest,
        "unreachable": status == "unreachable",
        "unsnappable": status == "unsnappable",
    }
    return [
        (GROUPS[row["group"] == "disabled"], inside[row["area_id"]] & held, row[column])
        for row in exact.table.to_dict("records")
        for column, held in columns.items()
    ]


def sums_of_plan(plan, sites):
    """The sums that sites.csv tells, by the homes within the walk of each site."""
    ids = sites.frame["station_id"].tolist()
    told = []
    for circle in plan.coverage.study.settings.circles:
        reach = incidence.within(sites.walks[circle.name], circle.cutoff_s)
        holds = np.zeros((len(ids), sites.walks[circle.name].n_demand), dtype=bool)
        holds[reach.rows, reach.columns] = True
        opened = [ids.index(i) for i in plan.sites["site_id"]]
        for k, row in zip(opened, plan.sites.to_dict("records"), strict=True):
            others = holds[[i for i in opened if i != k]].any(axis=0)
            told += [("residents", holds[k], row[f"reached_{circle.name}"])]
            told += [("residents", holds[k] & ~others, row[f"only_here_{circle.name}"])]
    return told


def range_of_rounded(told, shown, n):
    """The fewest and the most people that each figure of a home may mean, by all sums of rounded homes together."""
    index = {group: 3 * n * k for k, group in enumerate(GROUPS)}  # fives, up or down, and the rest of each home
    rows, low, high = [], [], []

    def constrain(parts, least, most):
        row = np.zeros(3 * n * len(GROUPS))
        for at_, weight in parts:
            row[at_] += weight
        rows.append(row)
        low.append(least)
        high.append(most)

    bounds = np.tile([9.0, 1.0, STEP - 1.0], n * len(GROUPS))
    for group in GROUPS:
        for i in range(n):
            fives = index[group] + 3 * i
            constrain([(fives + 2, 1), (fives + 1, -1)], 0, np.inf)  # what is a multiple already stays
            if np.isnan(shown[group][i]):
                constrain([(fives, 1)], 0, 0)
            else:
                constrain([(fives, 1)], 1, np.inf)
                constrain([(fives, STEP), (fives + 1, STEP)], shown[group][i], shown[group][i])
    whole, part = (index[g] for g in GROUPS)
    for i in range(0, 3 * n, 3):  # one draw a home: the larger rest goes up if the smaller one does
        constrain([(whole + i, 5), (whole + i + 2, 1), (part + i, -5), (part + i + 2, -1)], 0, np.inf)
        for up, down in ((whole + i, part + i), (part + i, whole + i)):
            constrain([(up + 2, 1), (down + 2, -1), (up + 1, -STEP), (down + 1, STEP)], 1 - STEP, np.inf)
    for group, held, value in told:
        parts = [(index[group] + 3 * i + k, STEP) for i in np.flatnonzero(held) for k in (0, 1)]
        constrain(parts, *((0, LEAST - STEP) if np.isnan(value) else (value, value)))
    return extremes(rows, low, high, bounds, {
        (group, i): [(index[group] + 3 * i, STEP), (index[group] + 3 * i + 2, 1)]
        for group in GROUPS for i in range(n) if np.isnan(shown[group][i])
    })  # fmt: skip


def range_of_plain(told, shown, n):
    """The same of sums that are each rounded on their own to the nearest multiple, those of 1 to 4 left out."""
    rows, low, high = [], [], []
    index = {group: n * k for k, group in enumerate(GROUPS)}
    homes = [(group, np.arange(n) == i, value) for group in GROUPS for i, value in enumerate(shown[group])]
    for group, held, value in (*told, *homes):
        row = np.zeros(n * len(GROUPS))
        row[index[group] + np.flatnonzero(held)] = 1
        rows.append(row)
        least, most = (1, 4) if np.isnan(value) else (0, 0) if value == 0 else (max(value - 2, 5), value + 2)
        low.append(least)
        high.append(most)
    goals = {(g, i): [(index[g] + i, 1)] for g in GROUPS for i in range(n) if np.isnan(shown[g][i])}
    return extremes(rows, low, high, np.full(n * len(GROUPS), 60.0), goals)


def extremes(rows, low, high, bounds, goals):
    found = {}
    constraints = LinearConstraint(np.array(rows), low, high)
    for what, parts in goals.items():
        cost = np.zeros(len(bounds))
        for at_, weight in parts:
            cost[at_] = weight
        ends = [
            milp(s * cost, constraints=constraints, bounds=Bounds(0, bounds), integrality=np.ones(len(bounds)))
            for s in (1, -1)
        ]
        assert all(end.success for end in ends)  # what happened is possible, or the attack is not one on these tables
        found[what] = tuple(round(s * end.fun) for s, end in zip((1, -1), ends, strict=True))
    return found


def is_safe(least, most):
    return most - least >= 3


@pytest.mark.parametrize("seed", range(6))
def test_no_small_figure_can_be_worked_out_from_all_tables_together(hamlet, seed):
    residents, disabled = some_people(seed)
    today = published(inhabited(hamlet, residents, disabled), KEY)
    sites = possible_sites(today)
    plan = published_plan(site(today.study, scenario="one", today=today, sites=sites), today)
    shown = {g: today.buildings[g].to_numpy() for g in GROUPS}
    told = [*sums_told(today), *sums_told(plan.coverage), *sums_of_plan(plan, sites)]
    found = range_of_rounded(told, shown, len(residents))
    for (group, i), (least, most) in found.items():
        true = residents[i] if group == "residents" else disabled[i]
        assert least <= true <= most
        assert is_safe(least, most), (group, i, least, most)


def test_figures_rounded_one_by_one_would_give_small_ones_away(hamlet):
    caught = 0
    for seed in range(6):
        residents, disabled = some_people(seed)
        exact = inhabited(hamlet, residents, disabled)

        def plainly(value):
            return np.nan if 1 <= value <= 4 else STEP * np.floor(value / STEP + 0.5)

        told = [(group, held, plainly(value)) for group, held, value in sums_told(exact)]
        shown = {"residents": [plainly(v) for v in residents], "residents_disabled": [plainly(v) for v in disabled]}
        found = range_of_plain(told, shown, len(residents))
        caught += sum(not is_safe(*ends) for ends in found.values())
    assert caught


def test_no_figure_of_fewer_than_five_people_is_shown(hamlet):
    for seed in range(12):
        residents, disabled = some_people(seed)
        exact = inhabited(hamlet, residents, disabled)
        today = published(exact, f"{seed:016}")
        for name in GROUPS:
            hidden = today.buildings[name].isna()
            assert (hidden == (exact.buildings[name] < STEP)).all()
        for true, told in zip(sums_told(exact), sums_told(today), strict=True):
            assert np.isnan(told[2]) if true[2] < STEP else True
        assert (today.stations["residents"].isna() | (exact.stations["residents"] >= STEP)).all()


def test_a_row_names_the_figures_that_it_does_not_show(hamlet):
    today = published(inhabited(hamlet, *some_people(1)), KEY)
    for row in today.table.to_dict("records"):
        for column in row["not_shown"].split():
            assert np.isnan(row[column]), column
    sums = today.table[["residents", "within_8", "beyond", "unplaced"]]
    assert all(
        column in row["not_shown"].split()
        for row in today.table.to_dict("records")
        for column in sums
        if np.isnan(row[column])
    )


# --------------------------------------------------------------------------- the rounding


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.text("abc", min_size=1, max_size=5), st.integers(0, 9))
def test_a_count_is_rounded_to_a_neighbouring_multiple_of_five_and_a_multiple_stays(counts, name, key):
    draw = draws(f"{key:016}", [f"{name} {i}" for i in range(len(counts))])
    assert ((draw >= 0) & (draw < 1)).all()
    exact = np.array(counts)
    rounded = STEP * np.floor(exact / STEP + draw)
    assert (rounded % STEP == 0).all()
    assert (np.abs(rounded - exact) < STEP).all()
    assert (rounded[exact % STEP == 0] == exact[exact % STEP == 0]).all()


def test_sums_of_many_homes_are_right_on_average():
    draw = draws(KEY, [f"home {i}" for i in range(100_000)])
    for count in (1, 2, 3, 4):
        assert (STEP * np.floor(count / STEP + draw)).mean() == pytest.approx(count, abs=0.05)


def test_a_part_is_never_rounded_to_more_than_the_whole(hamlet):
    for seed in range(20):
        today = published(inhabited(hamlet, *some_people(seed)), KEY)
        residents = today.demand.residents
        assert (residents["residents_disabled"] <= residents["residents"]).all()


def test_nothing_exact_is_left_for_a_page_or_a_table_to_find(hamlet):
    residents, disabled = some_people(3)
    today = published(inhabited(hamlet, residents, disabled), KEY)
    assert (today.study.residents[["residents", "residents_disabled"]] % STEP == 0).all(axis=None)
    assert (today.demand.residents % STEP == 0).all(axis=None)
    assert today.study.fingerprint == ""
    found = without_small(unserved_areas(today, possible_sites(today)))
    assert (found["residents"].isna() | (found["residents"] >= LEAST)).all()


# --------------------------------------------------------------------------- the commands


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "run.json"}


def assert_large(figures, least=LEAST):
    for figure in figures:
        assert figure is None or np.isnan(figure) or figure >= least, figure


MOST, FEWEST = 'question = "most"\nn_new = 1', 'question = "fewest"\nshare = 1.0'


@pytest.mark.parametrize(
    ("question", "people"), [(MOST, (10, 5)), (MOST, (200, 15)), (MOST, (200, 60)), (FEWEST, (30, 10))]
)
def test_no_figure_below_the_least_is_published_or_shown(question, people, office, tmp_path, run):
    folder = write_city(tmp_path, study=f'{STUDY}\n[[scenario]]\nname = "one"\ncircle = "8"\n{question}\n')
    areas_ = [(p, box(-1, -1, 31, 3) if p["area_id"] == "d" else g) for p, g in areas()]
    geojson(folder / "areas.geojson", areas_)
    streets = [({"way_id": "w1", "highway": "residential"}, line((0, 0), (30, 0)))]
    geojson(folder / "streets.geojson", streets)
    homes = [({"building_id": f"b{i}", "kind": "house"}, box(x, 0.1, x + 0.2, 0.2)) for i, x in ((1, 1), (2, 28))]
    geojson(folder / "buildings.geojson", homes)
    table(folder / "residents.csv", "building_id residents", *zip(("b1", "b2"), people, strict=True))
    table(folder / "candidates.csv", "site_id lon lat kind", ["c1", *at(28.1, 0.1), "shop"])
    shown = [run(command, folder, "--publish", "--out", tmp_path / "out") for command in ("cover", "site")]
    assert [code for code, *_ in shown] == [0, 0], shown
    root = tmp_path / "out" / "published"
    for path in sorted(root.rglob("*")):
        if path.name in ("coverage.csv", "sites.csv", "unserved.csv"):
            told = pd.read_csv(path)
            sums = [c for c in told if c in _SUMS or c.startswith(_SUMS_BY_CIRCLE)]
            assert sums or told.empty, path
            assert_large(told[sums].to_numpy(dtype=float).ravel())
            if path.name == "unserved.csv":
                assert told["residents"].notna().all()
        elif path.name == "plan.json":
            plan = json.loads(path.read_text("utf-8"))
            people_ = ["residents_reached", "residents_reachable"]
            people_ += ["value", "bound", "today"] if plan["today"] is not None or "today" in plan["not_shown"] else []
            assert_large(plan[name] for name in people_)
            if plan["today"] is not None:
                assert plan["value"] - plan["today"] >= LEAST
            assert plan["not_shown"] == [n for n in plan["not_shown"] if plan[n] is None]
        elif path.name == "buildings.parquet":
            assert_large(pd.read_parquet(path)["residents"], STEP)
        elif path.name == "service_areas.gpkg":
            with sqlite3.connect(path) as layers:
                assert_large(
                    float("nan" if n is None else n) for (n,) in layers.execute("select residents from stations")
                )
    for _, said, _ in shown:
        counted = re.findall(r"^([\d,]+) residents|value ([\d,.]+), bound ([\d,.]+)", said, re.MULTILINE)
        if "most" in question:
            assert_large(float(n.replace(",", "")) for found in counted for n in found if n)
        rows = [re.split(r"\s{2,}", row.strip()) for row in said.splitlines() if re.match(r"\s*(all|adult|1) ", row)]
        assert_large(float(n.replace(",", "")) for row in rows for n in row[1:] if re.fullmatch(r"[\d,]+", n))


def test_whoever_publishes_is_told_what_is_for_the_office(office, tmp_path, run):
    folder = write_city(tmp_path)
    assert "for the office" in run("cover", folder, "--publish", "--out", tmp_path / "out")[2]
    assert "for the office" not in run("cover", folder, "--out", tmp_path / "out")[2]


@pytest.fixture
def office(tmp_path, monkeypatch):
    """An office whose key rounds home b2 down, whatever few people live there."""
    key = next(k for i in range(1000) if draws(k := f"{i:016}", ["home b2"])[0] < 0.2)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / "settings" / name))
    path = tmp_path / "settings" / "lifecircle" / KEY_FILE
    path.parent.mkdir(parents=True)
    path.write_text(key, encoding="ascii")
    return path


def test_whoever_lives_in_a_small_home_every_published_file_is_the_same(office, tmp_path, run):
    written = {}
    for people in (1, 4):
        folder = tmp_path / str(people)
        folder.mkdir()
        write_city(folder, study=STUDY + SCENARIO)
        table(folder / "residents.csv", "building_id residents", ["b1", 60], ["b2", people])
        out = tmp_path / f"out {people}"
        for command in ("cover", "site"):
            assert run(command, folder, "--publish", "--out", out)[0] == 0
            assert run(command, folder, "--out", out / "exact")[0] == 0
        written[people] = files(out / "published")
        exact = files(out / "exact")
        more = {path.as_posix() for path in set(exact) - set(written[people])}
        assert more == {"today/field_check.csv"}, "where to look is for the office"
        written[-people] = exact
    assert written[1] == written[4]
    assert written[-1] != written[-4]


def test_published_results_say_that_they_are_rounded(office, tmp_path, run):
    folder = write_city(tmp_path)
    code, shown, _ = run("cover", folder, "--publish", "--out", tmp_path / "out")
    assert code == 0
    assert "rounded at random" in shown
    today = tmp_path / "out" / "published" / "today"
    assert json.loads((today / "run.json").read_text("utf-8"))["residents_basis"] == "stated, rounded"
    assert "rounded at random" in (today / "NOTES.txt").read_text("utf-8")
    assert "rounded at random" in (today / "map.html").read_text("utf-8")
    told = pd.read_csv(today / "coverage.csv")
    assert (told["residents_basis"] == "stated, rounded").all()
    assert told["unreachable"].isna().all()
    homes = pd.read_parquet(today / "buildings.parquet")
    small = homes["building_id"] == "b2"
    assert homes.loc[small, "residents"].isna().all()
    assert homes.loc[small, "area_id"].tolist() == ["n"]
    assert homes.loc[small, "circle"].tolist() != [""]
    with sqlite3.connect(today / "service_areas.gpkg") as layers:
        assert layers.execute("select residents from stations").fetchall() == [(60.0,)]


def test_the_key_of_an_office_is_made_once_and_is_its_own(tmp_path):
    key = office_key(tmp_path / "new")
    assert office_key(tmp_path / "new") == key
    assert office_key(tmp_path / "other") != key
    assert (tmp_path / "new" / KEY_FILE).stat().st_mode & 0o077 == 0


def test_what_is_no_key_is_refused(tmp_path):
    (tmp_path / KEY_FILE).write_text("short", encoding="ascii")
    with pytest.raises(OutputError, match="no key"):
        office_key(tmp_path)


def test_two_classes_round_apart_and_add_up(hamlet):
    walking = hamlet.study.settings.walking
    classes = (walking.classes[0], replace(walking.classes[0], name="aged"))
    study = replace(hamlet.study, settings=replace(hamlet.study.settings, walking=replace(walking, classes=classes)))
    residents, aged = some_people(5)
    by_class = {"residents_aged": aged, "residents_adult": residents - aged}
    counts = pd.DataFrame({"residents": residents, "residents_disabled": 0, **by_class})
    homes = counts.astype(float)
    demand = Demand(homes, homes.iloc[:0].assign(area_id=""), estimated=False)
    exact = replace(hamlet, study=study, demand=demand, reach={c.name: hamlet.reach["adult"] for c in classes})
    rounded = published(exact, KEY).demand.residents
    assert (rounded["residents"] == rounded["residents_aged"] + rounded["residents_adult"]).all()


def test_the_first_publishing_says_that_it_makes_a_key_where_it_lies_and_that_it_must_be_kept(
    tmp_path, run, monkeypatch
):
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / "settings" / name))
    city = tmp_path / "city"
    city.mkdir()
    write_city(city, study=STUDY)
    _, _, complaint = run("cover", city, "--publish", "--out", tmp_path / "out")
    assert f"made the key for publishing, {tmp_path / 'settings' / 'lifecircle' / KEY_FILE}: keep it" in complaint
    _, _, complaint = run("cover", city, "--publish", "--out", tmp_path / "out")
    assert "made the key" not in complaint, "it is there already"


def test_whoever_is_stopped_by_a_warning_has_still_been_told_to_keep_the_key(tmp_path, run, monkeypatch):
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / "settings" / name))
    city = tmp_path / "city"
    city.mkdir()
    write_city(city, study=STUDY)
    table(city / "candidates.csv", "site_id lon lat kind", ["c1", *at(2, 5), "pharmacy"])
    code, _, complaint = run("cover", city, "--publish", "--strict", "--out", tmp_path / "out")
    assert code == 1
    assert "warnings count as errors" in complaint
    assert "keep it, back it up" in complaint
