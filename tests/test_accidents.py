"""Accidents of study.toml and of the command line: each is named, with what to type instead."""

import pandas as pd
import pytest

from intake import read, told
from lifecircle.errors import StudyError
from lifecircle.fetch.place import outline_of
from lifecircle.readers.study_file import read_study_file
from lifecircle.study import check_study, open_study
from lifecircle.synthetic.xlsx import Sheet, write_workbook
from tiny import STUDY, at, table, write_city


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def refused(folder, text):
    """Return what is told of a study file that is no TOML."""
    (folder / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_study_file(folder)
    assert {b.rule for b in caught.value.breaches} == {"not-toml"}
    return [str(b.message) for b in caught.value.breaches]


def errors(folder):
    return {b.rule: str(b.message) for b in check_study(folder)[1] if b.severity in ("error", "warning")}


# ---------------------------------------------------------------------------------------------------------- study.toml


def test_signs_of_a_chinese_keyboard_are_named_line_by_line_with_what_to_type(tmp_path):
    text = "[study]\nname ＝ “抚顺”  # “全角”\nlanguage = ‘zh’\n【inputs】\nareas = 'a“b”.shp'，\n"
    assert refused(tmp_path, text) == [
        "line 2: type = in the place of ＝",
        'line 2: type " in the place of “”',
        "line 3: type ' in the place of ‘’",
        "line 4: type [ in the place of 【",
        "line 4: type ] in the place of 】",
        "line 5: type , in the place of ，",
    ]
    assert refused(tmp_path, 'name = "抚顺”') == ['line 1: type " in the place of ”']


def test_chinese_signs_inside_of_texts_are_let_be(tmp_path):
    [message] = refused(tmp_path, 'name = "“抚顺”，＝" # ，\nx = = 1\n')
    assert message.startswith("this is not TOML: ")
    assert "line 2" in message


@pytest.mark.parametrize("marks", ['"""', "'''"])
def test_chinese_signs_inside_of_a_text_of_several_lines_are_let_be_and_lines_keep_their_numbers(tmp_path, marks):
    note = f"note = {marks}抚顺，\n  “东洲”、＝ # 【\n{marks}\n"
    [message] = refused(tmp_path, f"{note}x = = 1\n")
    assert message.startswith("this is not TOML: ")
    assert refused(tmp_path, f"{note}x ＝ 1\n") == ["line 4: type = in the place of ＝"]
    assert refused(tmp_path, f"# it's {marks}\nx ＝ 1\n# {marks}\n") == ["line 2: type = in the place of ＝"]


@pytest.mark.parametrize("path", [r"data\stations.xlsx", r"C:\Users\me\stations.csv", r"data\x.csv"])
def test_a_backslash_in_a_path_is_named_with_its_line(tmp_path, path):
    [message] = refused(tmp_path, f'[inputs]\nstations = "{path}"\n')
    assert message.startswith("line 2: a backslash ")
    assert "write / in paths" in message


def test_a_backslash_that_toml_takes_for_another_sign_is_named_too(city):
    (city / "study.toml").write_text(STUDY.replace('"stations.csv"', r'"data\new\buildings.csv"'), encoding="utf-8")
    assert "write / in paths" in errors(city)["missing-file"]


def test_a_number_in_quotation_marks_and_a_text_without_are_told_how_to_be_written(tmp_path):
    (tmp_path / "study.toml").write_text(
        '[study]\nname = 8\n[walking]\nmax_access_m = "250"\n[[scenario]]\nname = "a"\nn_new = "3"\n', encoding="utf-8"
    )
    messages = [str(b.message) for b in read_study_file(tmp_path).breaches if b.rule == "wrong-type"]
    assert set(messages) == {
        '[study] name must be a text: put it in quotation marks, name = "8"',
        "[walking] max_access_m must be a number: take the quotation marks away, max_access_m = 250",
        "[[scenario]] a: n_new must be a number: take the quotation marks away, n_new = 3",
    }


# --------------------------------------------------------------------------------------------------- sheets, encodings


@pytest.fixture
def workbook(tmp_path):
    heading = ["楼栋编号", "人口"]
    sheets = [
        Sheet(name, [heading], pd.DataFrame([[f"b{i}", 3]], columns=heading))
        for i, name in enumerate(("东洲区", "望花区"))
    ]
    write_workbook(tmp_path / "residents.xlsx", sheets)
    return tmp_path / "residents.xlsx"


def test_a_wrong_name_of_a_sheet_is_answered_with_those_that_there_are(workbook):
    [finding] = read(workbook, "residents", table="Sheet1")[1]
    assert (finding.rule, finding.message) == (
        "unknown-layer",
        "there is no sheet 'Sheet1' in it; there are 东洲区, 望花区",
    )


def test_of_several_sheets_it_is_told_that_all_are_read_and_how_to_read_one(workbook):
    rows, breaches = read(workbook, "residents")
    assert (len(rows), told(breaches)["several-sheets"]) == (2, (("东洲区", "望花区"), "note"))
    rows, breaches = read(workbook, "residents", table="望花区")
    assert (len(rows), "several-sheets" in told(breaches)) == (1, False)


LEDGERS = {
    "residents": (["社区", "楼栋地址", "户号", "人口"], [["南", f"{i}号", i, 3] for i in range(9)], 3, "1,2"),
    "residents by building": (["楼栋编号", "人口"], [[f"b{i}", "１２人"] for i in range(9)], 1, "9"),
    "residents by area": (["社区代码", "人口"], [[f"s{i}", "1,200"] for i in range(9)], 1, "9"),
    "buildings": (["楼栋编号", "层数", "经度", "纬度"], [[f"b{i}", 3, 1, 2] for i in range(9)], 1, ""),
}


def of_two_years(path, headings, rows, counted):
    """Write two sheets of which the first seven rows are of the same homes, and a third of another place."""
    later = [[*row[:counted], *(str(cell) for cell in row[counted:])] for row in rows[:7]]
    away = [[f"{cell}x" if i < counted else cell for i, cell in enumerate(row)] for row in rows]
    parts = {"2024年": rows, "2025年": [row[::-1] for row in later], "另一处": away}
    orders = (headings, headings[::-1], headings)
    pages = zip(parts.items(), orders, strict=True)
    write_workbook(path, [Sheet(n, [order], pd.DataFrame(part, dtype=object)) for (n, part), order in pages])


@pytest.mark.parametrize("kind", LEDGERS)
def test_sheets_of_two_years_are_not_added_up(tmp_path, kind):
    headings, rows, counted, _ = LEDGERS[kind]
    layer, path = kind.split()[0], tmp_path / "ledger.xlsx"
    of_two_years(path, headings, rows, counted)
    table, [*_, finding] = read(path, layer)
    assert (table, finding.rule, finding.severity) == (None, "repeated-sheets", "error")
    assert finding.ids == ("2024年", "2025年")
    assert "7 of the 7 rows of 2025年 stand on 2024年 too" in finding.message
    assert 'layer = "2025年"' in finding.message
    people = {"residents": "21", "residents by building": "84", "residents by area": "8,400"}.get(kind, "are they")
    assert people in finding.message
    assert len(read(path, layer, table="2025年")[0]) == 7


def test_a_sheet_a_community_is_added_up_though_households_are_numbered_from_one_in_each(tmp_path):
    headings = ["社区", "楼栋地址", "户号", "人口"]
    sheets = [[[name, f"{i}号", i, 3] for i in range(5)] for name in ("南社区", "北社区")]
    pages = [Sheet(rows[0][0], [headings], pd.DataFrame(rows, dtype=object)) for rows in sheets]
    write_workbook(tmp_path / "ledger.xlsx", pages)
    rows, breaches = read(tmp_path / "ledger.xlsx", "residents")
    assert (len(rows), told(breaches)["several-sheets"][1]) == (10, "note")


def test_sheets_of_the_same_homes_are_added_up_where_the_study_names_each(city):
    of_two_years(city / "residents.xlsx", ["楼栋编号", "人口"], [["b1", 60], ["b2", 4]], 1)
    sources = [f'[[inputs.residents]]\npath = "residents.xlsx"\nlayer = "{name}"\n' for name in ("2024年", "2025年")]
    study = "\n".join([STUDY.replace('residents = "residents.csv"\n', ""), *sources])
    (city / "study.toml").write_text(study, encoding="utf-8")
    assert open_study(city).residents["residents"].sum() == 128
    assert [b.rule for b in check_study(city)[1] if b.severity == "warning"] == ["counted-by-several"]


def test_a_filter_may_choose_between_the_years_of_two_sheets(tmp_path):
    pages = [Sheet(y, [["年度", "楼栋编号", "人口"]], pd.DataFrame([[y, "b1", 3]], dtype=object)) for y in ("24", "25")]
    write_workbook(tmp_path / "ledger.xlsx", pages)
    rows, _ = read(tmp_path / "ledger.xlsx", "residents", where=({"年度": ("25",)},))
    assert rows["residents"].tolist() == [3.0]


@pytest.mark.parametrize(("stated", "real"), [("utf-8", "gb18030"), ("gbk", "utf-8")])
def test_an_encoding_stated_wrong_is_answered_with_the_right_one(city, stated, real):
    rows = ([f"s{i}", *at(1.2, 0.3), "东洲区政务服务代办站"] for i in range(3))
    table(city / "stations.csv", "站点编号 lon lat 名称", *rows, encoding=real)
    source = f'{{ path = "stations.csv", encoding = "{stated}" }}'
    (city / "study.toml").write_text(STUDY.replace('"stations.csv"', source), encoding="utf-8")
    message = f'study.toml says {stated}, but the file reads as {real}: state encoding = "{real}"'
    assert message in errors(city).values()
    (city / "study.toml").write_text(STUDY.replace('"stations.csv"', source.replace(stated, real)), encoding="utf-8")
    assert not {"encoding", "other-encoding"} & errors(city).keys()


# -------------------------------------------------------------------------------------------------- degrees and metres


def test_degrees_in_a_layer_that_is_said_to_be_in_metres_are_named(tmp_path):
    table(tmp_path / "stations.csv", "station_id x y", ["s1", *at(1, 0)])
    told_of = {b.rule: str(b.message) for b in read(tmp_path / "stations.csv", crs="EPSG:4547")[1]}
    assert told_of["not-metres"].startswith("123.951, 41.88 look like degrees, and CGCS2000")
    table(tmp_path / "stations.csv", "station_id 经度 纬度", ["s1", *at(1, 0)])
    told_of = {b.rule: str(b.message) for b in read(tmp_path / "stations.csv", crs="EPSG:4547")[1]}
    assert told_of["not-metres"].startswith("has 经度 (lon) and 纬度 (lat), and EPSG:4547 is in metres")


def test_metres_in_a_layer_of_degrees_are_named(tmp_path):
    table(tmp_path / "stations.csv", "station_id lon lat", ["s1", 41578000.5, 4638000.5])
    message = {b.rule: str(b.message) for b in read(tmp_path / "stations.csv")[1]}["not-degrees"]
    assert "they look like metres: state crs = " in message


# -------------------------------------------------------------------------------------------------------------- --bbox


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        ("26.53,106.68,26.60,106.76", "latitudes come first"),
        ("106.68,26.60,106.76,26.53", "the north comes before the south"),
        ("106.76,26.53,106.68,26.60", "the east comes before the west"),
        ("106.68,106.76,26.53,26.60", "the longitudes come first, and then the latitudes"),
    ],
)
def test_sides_of_a_box_in_another_order_are_named_and_put_right(typed, order):
    with pytest.raises(ValueError, match=f"in {typed} {order}: write 106.68,26.53,106.76,26.6$"):
        outline_of(typed)
