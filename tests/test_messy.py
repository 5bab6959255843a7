"""A made-up city the way offices keep it, and the sheet of answers that says what is wrong with it."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest

from lifecircle.datum import wgs84_of_gcj02
from lifecircle.mark import MARK, YES
from lifecircle.samples import new_folder
from lifecircle.study import check_study
from lifecircle.synthetic import ledger
from lifecircle.synthetic.households import GROUPS, households_of
from lifecircle.synthetic.make import make_city
from lifecircle.synthetic.messy import write_messy
from lifecircle.synthetic.programmes import PROGRAMMES

SHEETS, POINTS = "居民台账.xlsx", {"服务站.csv": "stations", "可用房间.csv": "candidates", "诉求工单.csv": "requests"}
FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def written(folder, *, programme="fushun", seed=7):
    city = make_city(PROGRAMMES[programme], size=0.05, seed=seed)
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


@pytest.mark.parametrize(("programme", "seed"), [("fushun", 7), ("qiandongnan", 1)])
def test_check_finds_what_the_answer_sheet_says_and_nothing_else(programme, seed, tmp_path):
    _, folder = written(tmp_path / "messy", programme=programme, seed=seed)
    study, findings = check_study(folder)
    assert study is None
    told = {(f.layer, f.rule): (f.ids, f.count) for f in findings}
    sheet = {
        (b["layer"], b["rule"]): (tuple(b["ids"][:5]), len(b["ids"])) for b in answers(folder) if b["found_by_check"]
    }
    assert told == sheet
    assert len(findings) == len(told)


def test_two_rows_in_a_hundred_are_broken_each_in_one_way(folder):
    for layer, file in (("stations", "服务站.csv"), ("candidates", "可用房间.csv"), ("requests", "诉求工单.csv")):
        rows = points(folder / file)
        broken = [i.split(" -> ")[0] for b in answers(folder) if b["layer"] == layer for i in b["ids"]]
        broken.remove("every row")
        assert len(set(broken)) == len(broken)
        assert len(broken) / rows.iloc[:, 0].nunique() == pytest.approx(0.02, abs=0.002 if len(rows) > 200 else 0.1)


def test_points_lie_where_a_web_map_shows_them(city, folder):
    for file, layer in POINTS.items():
        rows = points(folder / file).drop_duplicates()
        true = city.frames[layer].to_crs(4326).geometry
        wrong = {
            i for rule in ("not-finite", "swapped-axes", "wrong-place", "far-place") for i in ids(folder, layer, rule)
        }
        sound = ~rows.iloc[:, 0].isin(wrong).to_numpy()
        shown = rows.loc[sound, ["经度", "纬度"]].to_numpy(dtype=float)
        place = np.column_stack([true.x, true.y])[sound]
        np.testing.assert_allclose(wgs84_of_gcj02(shown), place, rtol=0, atol=1e-6)
        assert (np.abs(shown - place).max(axis=1) > 1e-3).all()


def test_boundaries_are_in_gbk_and_do_not_say_so(city, folder):
    assert not (folder / "社区边界.cpg").exists()
    path = folder / "社区边界.shp"
    silent = pyogrio.read_info(path)["fields"].tolist()
    assert "社区代码" not in silent
    fields = pyogrio.read_info(path, encoding="gbk")["fields"].tolist()
    assert fields == ["社区代码", "社区名称", "所属街道名", MARK]
    read = pyogrio.read_dataframe(path, encoding="gbk", read_geometry=False)
    areas = city.frames["areas"].set_index("area_id")
    assert read["社区名称"].tolist() == areas.loc[read["社区代码"], "name"].tolist()


def test_households_add_up_to_the_residents_of_their_community(city, folder):
    read = pd.concat(table[table["社区"] != "合计"] for table in sheets(folder).values())
    read = read[~read["户主编号"].duplicated()]
    counts = read[["人口", *GROUPS.values()]].apply(
        lambda column: column.astype(str).str.translate(FULL_WIDTH).str.strip("人").replace("", "0").astype(float)
    )
    frames = city.frames
    area = frames["buildings"].set_index("building_id")["area_id"]
    name = frames["areas"].set_index("area_id")["name"]
    residents = frames["residents"].set_index("building_id")
    true = residents.groupby(residents.index.map(area).map(name)).sum()
    found = counts.groupby(read["社区"]).sum().rename(columns=dict(zip(GROUPS.values(), GROUPS, strict=True)))
    found = found.rename(columns={"人口": "residents"})
    pd.testing.assert_frame_equal(
        found.sort_index(), true.loc[true["residents"] > 0, found.columns], check_dtype=False, check_names=False
    )


def test_the_sum_at_the_foot_of_a_sheet_is_that_of_the_district(city, folder):
    total = 0
    for table in sheets(folder).values():
        assert table["社区"].iloc[-1] == "合计"
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
    assert sum(int(t["人口"].iloc[-1].replace(",", "")) for t in found.values() if t["社区"].iloc[-1] == "合计") == (
        city.frames["residents"]["residents"].sum()
    )


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


def test_every_file_of_the_mess_says_that_it_is_synthetic(folder):
    for file in POINTS:
        assert (points(folder / file)[MARK] == YES).all()
    for table in sheets(folder).values():
        assert (table[MARK].iloc[:-1] == YES).all()
    assert (gpd.read_file(folder / "楼栋.gpkg", ignore_geometry=True)[MARK] == YES).all()
    read = pyogrio.read_dataframe(folder / "社区边界.shp", encoding="gbk", read_geometry=False)
    assert (read[MARK] == YES).all()
    assert json.loads((folder / "answers.json").read_text("utf-8"))[MARK]
