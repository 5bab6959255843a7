"""A made-up city the way offices keep it, and the sheet of answers that says what is wrong with it."""

import json
import re
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest

from lifecircle import __version__
from lifecircle.datum import wgs84_of_gcj02
from lifecircle.mark import MARK, YES
from lifecircle.samples import new_folder
from lifecircle.study import check_study
from lifecircle.synthetic import ledger
from lifecircle.synthetic.households import GROUPS, households_of
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.messy import write_messy
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.words import hours_in_words

SHEETS, POINTS = "居民台账.xlsx", {"服务站.csv": "stations", "可用房间.csv": "candidates", "诉求工单.csv": "requests"}
FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def written(folder, *, programme="fushun", size=0.05, seed=7):
    city = make_city(PROGRAMMES[programme], size=size, seed=seed)
    with new_folder(folder) as draft:
        write_messy(draft, city, "lifecircle new --messy")
    return city, folder


def answers(folder):
    return json.loads((folder / "answers.json").read_text("utf-8"))["breakages"]


def ids(folder, layer, rule):
    return next((b["ids"] for b in answers(folder) if (b["layer"], b["rule"]) == (layer, rule)), [])


def points(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="gb18030")


def sheets(folder):
    """Each sheet as text, without its heading rows, under its headings; read by GDAL."""
    found = {}
    for name, _ in pyogrio.list_layers(folder / SHEETS):
        table = pyogrio.read_dataframe(folder / SHEETS, layer=name, read_geometry=False).astype(object)
        found[name] = table.iloc[3:].set_axis(table.iloc[2].tolist(), axis=1).fillna("")
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return written(tmp_path_factory.mktemp("messy") / "fushun")


@pytest.fixture(scope="module")
def city(made):
    return made[0]


@pytest.fixture(scope="module")
def folder(made):
    return made[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """What writes the smallest city of a programme, once."""

    @cache
    def write(programme):
        return written(tmp_path_factory.mktemp("messy") / programme, programme=programme, size=0.02)

    return write


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_check_finds_what_the_answer_sheet_says_and_nothing_else(programme, small):
    _, folder = small(programme)
    study, findings = check_study(folder)
    assert study is None
    told = {(f.layer, f.rule): (f.ids, f.count) for f in findings}
    sheet = {(b["layer"], b["rule"]): (tuple(b["ids"]), len(b["ids"])) for b in answers(folder) if b["found_by_check"]}
    assert told == sheet
    assert len(findings) == len(told)


WIDESPREAD = ("no-consent", "unstated-consent", "hours-in-words", "looks-like-gcj02", "unstated-datum")
"""Rules that tell of a whole table, or of a third of its homes."""


def test_two_rows_in_a_hundred_are_broken_each_in_one_way(folder):
    for layer, file in (("stations", "服务站.csv"), ("candidates", "可用房间.csv"), ("requests", "诉求工单.csv")):
        rows = points(folder / file)
        slips = [b for b in answers(folder) if b["layer"] == layer and b["rule"] not in WIDESPREAD]
        broken = [i.split(" -> ")[0] for slip in slips for i in slip["ids"]]
        assert len(set(broken)) == len(broken)
        assert len(broken) / rows.iloc[:, 0].nunique() == pytest.approx(0.02, abs=0.002 if len(rows) > 200 else 0.1)


def test_points_lie_where_a_web_map_shows_them(city, folder):
    for file, layer in POINTS.items():
        rows = points(folder / file).drop_duplicates()
        true = city.frames[layer].to_crs(4326).geometry
        misplaced = ("no-geometry", "placed-at-building", "swapped-axes", "zero-coordinates", "far-place")
        wrong = {i.split(" -> ")[0] for rule in misplaced for i in ids(folder, layer, rule)}
        sound = ~rows.iloc[:, 0].isin(wrong).to_numpy()
        shown = rows.loc[sound, ["经度", "纬度"]].to_numpy(dtype=float)
        place = np.column_stack([true.x, true.y])[sound]
        np.testing.assert_allclose(wgs84_of_gcj02(shown), place, rtol=0, atol=1e-6)
        assert (np.abs(shown - place).max(axis=1) > 1e-3).all()


def test_requests_that_lie_as_on_a_web_map_are_assigned_only_once_their_datum_is_stated(folder, tmp_path, run):
    tidy, out = tmp_path / "tidy", tmp_path / "out"
    run("new", tidy, "--example", "fushun", "--size", "0.05")
    code, _, told = run("assign", tidy, folder / "诉求工单.csv", "--out", out)
    assert (code, out.exists()) == (1, False)
    assert "疑似 GCJ-02 坐标" in told
    assert "--datum gcj02" in told
    assert run("check", tidy, "--requests", folder / "诉求工单.csv", "--out", out)[0] == 1
    assert '"rule": "looks-like-gcj02"' in (out / "check" / "check.json").read_text("utf-8")
    assert run("assign", tidy, folder / "诉求工单.csv", "--datum", "gcj02", "--out", out)[0] == 0
    code, _, told = run("assign", tidy, folder / "诉求工单.csv", "--datum", "wgs84", "--out", out)
    assert (code, "疑似 GCJ-02 坐标" in told) == (0, True)  # who states a datum is believed, and warned


def test_boundaries_are_in_gbk_and_do_not_say_so(folder):
    assert not list(folder.glob("*.cpg"))
    path = folder / "社区边界.shp"
    assert "社区代码" not in pyogrio.read_info(path)["fields"]
    assert pyogrio.read_info(path, encoding="gbk")["fields"].tolist() == ["社区代码", "社区名称", "上级区划代", MARK]


def test_the_files_of_all_levels_put_together_are_the_tree_of_areas(small):
    city, folder = small("puyang")
    files = ["县边界.shp", "乡镇边界.shp", "服务区边界.shp", "村边界.shp"]
    assert sorted(path.name for path in folder.glob("*.shp")) == sorted(files)
    read = [pyogrio.read_dataframe(folder / file, encoding="gbk", read_geometry=False).iloc[:, :3] for file in files]
    together = pd.concat([table.set_axis(["area_id", "name", "parent_id"], axis=1) for table in read]).fillna("")
    tree = city.frames["areas"][together.columns]
    assert together.to_numpy().tolist() == tree.to_numpy().tolist()
    assert all(f"`{file}`" in (folder / "README.md").read_text("utf-8") for file in files)


def test_the_rounds_of_the_teams_are_kept_in_words(small):
    city, folder = small("puyang")
    read, true = points(folder / "巡回安排.csv"), city.frames["itinerary"]
    assert len(read) == len(true)
    assert read["站点编号"].tolist() == true["station_id"].tolist()
    sound = ~read.index.isin([int(i.removeprefix("row ")) - 1 for i in ids(folder, "itinerary", "mixed-days")])
    days = true["weekday"].map({"Mo": "周一", "Tu": "周二", "We": "周三", "Th": "周四", "Fr": "周五"})
    assert read.loc[sound, "星期"].tolist() == days[sound].tolist()
    assert (~sound).any()


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_offices_write_chinese(programme, small):
    _, folder = small(programme)
    for path in folder.glob("*.csv"):
        table = points(path)
        codes = [heading for heading in table if heading.endswith(("编号", "代码", "楼栋", MARK))]
        for heading, column in table.drop(columns=codes).items():
            assert not column.str.contains("[A-Za-z]").any(), heading


def test_no_two_hours_are_the_same_in_words():
    days = ["Mo-Su", "Mo-Fr", "Mo-Sa", "We", "Sa,Su", "Tu-Th"]
    times = ["08:00-18:00", "18:00-20:00", "08:00-12:00,14:00-18:00", "off", '"by appointment"']
    once = [f"{day} {time}" for day in days for time in times]
    hours = ["24/7", *once, *(f"{one}; {other}" for one in once for other in once)]
    words = [hours_in_words(text) for text in hours]
    assert len(set(words)) == len(hours)
    assert not any(re.search("[A-Za-z]", text) for text in words)


def test_a_third_of_the_homes_among_the_rooms_are_refused_and_listed(city, folder):
    rooms = points(folder / "可用房间.csv").drop_duplicates()
    homes = rooms["类别"] == "居民家中"
    refused = rooms.loc[homes & (rooms["是否同意"] != "是"), "房间编号"]
    told = ids(folder, "candidates", "no-consent") + ids(folder, "candidates", "unstated-consent")
    assert sorted(refused) == sorted(told)
    assert set(rooms.loc[rooms["房间编号"].isin(refused), "是否同意"]) == {"否", ""}
    assert len(refused) / homes.sum() == pytest.approx(1 / 3, abs=0.01)


def test_the_workbook_is_mended_as_the_answer_sheet_says(small):
    city, folder = small("puyang")
    read = pd.concat(table.iloc[:-1] for table in sheets(folder).values())
    read = read[~read["户主编号"].duplicated()]
    headings = {"人口": "residents"} | {v: k for k, v in GROUPS.items()}
    counts = read[[*headings]].rename(columns=headings).astype(str)
    counts = counts.apply(lambda c: c.str.translate(FULL_WIDTH).str.strip("人").replace("", "0").astype(float))
    buildings = gpd.read_file(folder / "楼栋.gpkg", ignore_geometry=True).drop_duplicates("楼栋编号")
    building = buildings.set_index(["社区代码", "地址"])["楼栋编号"]
    where = pd.MultiIndex.from_frame(read[["社区代码", "楼栋地址"]].apply(lambda column: column.str.strip("？")))
    assert building.index.isin(where).sum() == len(where.unique())  # each leads to one building
    found = counts.groupby(building[building.index.isin(where)].loc[where].to_numpy()).sum()
    true = city.frames["residents"].set_index("building_id").query("residents > 0").sort_index()
    pd.testing.assert_frame_equal(found, true[found.columns], check_dtype=False, check_names=False)


def test_the_sum_at_the_foot_of_a_sheet_is_that_of_the_district(city, folder):
    total = 0
    for table in sheets(folder).values():
        assert table["社区代码"].iloc[-1] == "合计"
        total += int(table["人口"].iloc[-1].replace(",", ""))
    assert total == city.frames["residents"]["residents"].sum()


def test_no_household_bears_a_name(folder):
    for table in sheets(folder).values():
        assert table["户主编号"].iloc[:-1].str.fullmatch(r"H\d+").all()


def test_what_a_sheet_cannot_hold_goes_on_the_next(city, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "MOST_ROWS", 5000)
    ledger.write_ledger(tmp_path / SHEETS, city.frames, np.random.default_rng(1))
    found = sheets(tmp_path)
    assert len(found) > len(set(city.frames["areas"].query("parent_id == ''")["area_id"]))
    assert max(len(table) + 3 for table in found.values()) <= 5000
    assert sum(
        int(t["人口"].iloc[-1].replace(",", "")) for t in found.values() if t["社区代码"].iloc[-1] == "合计"
    ) == (city.frames["residents"]["residents"].sum())


def test_whoever_lives_alone_is_a_household_of_one(city):
    homes = households_of(city.frames["residents"], np.random.default_rng(1))
    alone = homes[homes["residents_living_alone"] > 0]
    assert (alone["residents"] == 1).all()
    assert (homes["residents"] >= 1).all()
    for column in GROUPS:
        assert (homes[column] <= homes["residents"]).all()
    assert (homes["residents_65plus"] <= homes["residents_aged"]).all()


def test_the_same_seed_makes_the_same_mess(folder, tmp_path):
    _, again = written(tmp_path / "again")
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}


def test_the_figures_name_the_versions_by_which_the_bytes_are_the_same(folder):
    versions = json.loads((folder / "figures.json").read_text("utf-8"))["versions"]
    assert versions == {"lifecircle": __version__, "numpy": np.__version__, "gdal": pyogrio.__gdal_version_string__}


def test_every_file_of_the_mess_says_that_it_is_synthetic(folder):
    for file in POINTS:
        assert (points(folder / file)[MARK] == YES).all()
    for table in sheets(folder).values():
        assert (table[MARK].iloc[:-1] == YES).all()
    assert (gpd.read_file(folder / "楼栋.gpkg", ignore_geometry=True)[MARK] == YES).all()
    read = pyogrio.read_dataframe(folder / "社区边界.shp", encoding="gbk", read_geometry=False)
    assert (read[MARK] == YES).all()
    assert json.loads((folder / "answers.json").read_text("utf-8"))[MARK]
