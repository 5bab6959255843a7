"""Names, telephone and identity numbers of residents come in with the files of offices, and get nowhere."""

import base64
import gzip
import json
import re
import zlib

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.readers.files import locate
from lifecircle.readers.inputs import Input
from lifecircle.readers.personal import (
    check_headings,
    is_personal,
    left_out,
    personal_headings,
    scrubbed,
    without_numbers,
)
from lifecircle.readers.tables import read_table
from lifecircle.study import check_study
from tiny import STUDY, at, write_city

NAME, OTHER_NAME = "欧阳不存在", "司徒测试户"
IDENTITY = "210402194912310021"
MISTYPED = "210402195007150999"
OLD_IDENTITY = "210402500715003"
PHONES = ("13800138000", "+86 139-1234-5678", "１５９００００１１１１", "138 0013 8001")
PLANTED = (NAME, OTHER_NAME, IDENTITY, MISTYPED, OLD_IDENTITY, *PHONES)

SCENARIO = '\n[[scenario]]\nname = "one"\nquestion = "most"\ncircle = "8"\nn_new = 1\n'
HOUSEHOLD = """
[[inputs.residents]]
path = "people.csv"
by = "building"
columns = { household = "户主身份证号" }
"""
PEOPLE = {
    "户主身份证号": [IDENTITY, MISTYPED, OLD_IDENTITY],
    "户主": [NAME, OTHER_NAME, NAME],
    "联系电话": list(PHONES[:3]),
    "备注": [f"白天打{PHONES[0]}", PHONES[3], ""],
    "building_id": ["b1", "b1", "b2"],
    "residents": ["3", f"4（{PHONES[0]}）", "2"],
}
FORMATS = {".csv": "CSV", ".xlsx": "XLSX", ".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}
FORMATS |= {".fgb": "FlatGeobuf", ".parquet": "Parquet"}
CUT = {"户主身份证号": "身份证号", "building_id": "building"}
"""What is left of headings in a Shapefile."""


def write_people(path, people):
    """Write a table in the format of its name; every row lies at the first home where the format has places."""
    frame = pd.DataFrame(people)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".xlsx":
        pyogrio.write_dataframe(frame, path, driver="XLSX")
    else:
        lon, lat = at(1.2, 0.3)
        places = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy([lon] * len(frame), [lat] * len(frame)), crs=4326)
        if path.suffix == ".parquet":
            places.to_parquet(path)
        else:
            places.rename(columns=CUT if path.suffix == ".shp" else {}).to_file(
                path, driver=FORMATS[path.suffix], encoding="GBK" if path.suffix == ".shp" else "UTF-8"
            )


def texts_of(path):
    """The bytes of a file as text, and what is packed in it: pages of the database, columns, blocks of a page."""
    content = path.read_bytes()
    yield content.decode("utf-8", errors="ignore")
    if path.suffix == ".parquet":
        yield pd.read_parquet(path).to_csv()
    if path.suffix == ".gpkg":
        for name, _ in pyogrio.list_layers(path):
            yield pyogrio.read_dataframe(path, layer=name).to_csv()
    for block in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", content) if path.suffix == ".html" else ():
        packed = base64.b64decode(block + b"=" * (-len(block) % 4))
        for unpack in (gzip.decompress, zlib.decompress, lambda b: zlib.decompress(b, -15)):
            try:
                yield unpack(packed).decode("utf-8", errors="ignore")
            except (OSError, zlib.error, EOFError):
                continue


def digits(text):
    return re.sub(r"[^0-9]", "", text)


def leaks(text):
    """What of the planted values stands in a text, however it is written there."""
    bare = re.sub(r"[\s\-‑–]", "", text)
    numbers = {value: digits(value.translate(str.maketrans("０１２３４５６７８９", "0123456789"))) for value in PLANTED}
    return [v for v, n in numbers.items() if v in text or (n and n.removeprefix("86") in bare)]


def assert_nowhere(out, *shown):
    for path in out.rglob("*"):
        if path.is_file():
            for text in texts_of(path):
                assert not leaks(text), path
    for text in shown:
        assert not leaks(text)


def test_the_search_finds_what_is_planted(tmp_path):
    for suffix in (".csv", ".gpkg", ".geojson", ".parquet"):
        write_people(path := tmp_path / f"people{suffix}", PEOPLE)
        found = {leak for text in texts_of(path) for leak in leaks(text)}
        assert found == set(PLANTED), suffix


@pytest.mark.parametrize("suffix", FORMATS)
def test_persons_of_a_broken_table_are_in_no_result_and_no_message(suffix, tmp_path, run):
    folder = write_city(tmp_path, study=STUDY.replace('residents = "residents.csv"', f'residents = "people{suffix}"'))
    write_people(folder / f"people{suffix}", PEOPLE)
    code, shown, told = run("check", folder, "--out", tmp_path / "out")
    assert code == 1
    assert "personal-data" in (tmp_path / "out" / "check" / "check.json").read_text("utf-8")
    assert_nowhere(tmp_path / "out", shown, told)
    code, shown, told = run("cover", folder, "--out", tmp_path / "out")
    assert code == 1
    assert_nowhere(tmp_path / "out", shown, told)


def test_persons_in_every_table_are_in_no_result_of_any_command(tmp_path, run):
    household = (
        '[[inputs.residents]]\npath = "people.xlsx"\nby = "building"\ncolumns = { household = "户主身份证号" }\n'
    )
    study = STUDY.replace('residents = "residents.csv"\n', "") + household + SCENARIO
    folder = write_city(tmp_path, study=study)
    write_people(folder / "people.xlsx", PEOPLE | {"residents": ["30", "4", "2"]})
    s1, c1 = at(1.2, 0.3), at(2, 1.9)
    stations = {"station_id": ["s1"], "lon": s1[:1], "lat": s1[1:], "name": [f"代办站 {PHONES[0]}"], "联系人": [NAME]}
    rooms = {"site_id": ["c1"], "lon": c1[:1], "lat": c1[1:], "kind": [IDENTITY], "items": [f"问{PHONES[1]}"]}
    write_people(folder / "stations.csv", stations)
    write_people(folder / "candidates.csv", rooms | {"电话": [PHONES[2]]})
    requests = {"request_id": ["r1", PHONES[0]], "lon": [s1[0]] * 2, "lat": [s1[1]] * 2, "item": ["", PHONES[3]]}
    write_people(folder / "requests.csv", requests | {"姓名": [NAME, OTHER_NAME], "phone": list(PHONES[:2])})
    out = tmp_path / "out"
    for command in (["check"], ["cover"], ["site"], ["compare"], ["assign"]):
        arguments = [folder / "requests.csv"] if command == ["assign"] else []
        code, shown, told = run(*command, folder, *arguments, "--out", out)
        assert code == 0, told
        assert_nowhere(out, shown, told)
    findings = json.loads((out / "check" / "check.json").read_text("utf-8"))["findings"]
    told = {(f["layer"], heading) for f in findings if f["rule"] == "personal-data" for heading in f["ids"]}
    assert {("stations", "联系人 (1 row)"), ("stations", "name (1 row)"), ("residents", "户主 (3 rows)")} <= told
    homes = pd.read_parquet(out / "today" / "buildings.parquet").set_index("building_id")["residents"]
    assert homes["b1"] == 34


def test_a_household_that_is_numbered_by_persons_is_told_by_its_row(tmp_path):
    folder = write_city(tmp_path, study=STUDY.replace('residents = "residents.csv"\n', "") + HOUSEHOLD)
    twice = {"户主身份证号": [IDENTITY, MISTYPED, IDENTITY], "building_id": ["b1", "b1", "b1"], "residents": [3, 4, 3]}
    write_people(folder / "people.csv", twice)
    _, findings = check_study(folder)
    [finding] = [f for f in findings if f.rule == "duplicate-id"]
    assert finding.ids == ("row 2",)


def test_a_table_without_headings_is_refused_unseen(tmp_path, run):
    folder = write_city(tmp_path)
    (folder / "residents.csv").write_text(f"{NAME},{IDENTITY},b1,3\n{NAME},{MISTYPED},b2,3\n", encoding="utf-8")
    code, shown, told = run("check", folder, "--out", tmp_path / "out")
    assert code == 1
    assert "put a row of headings above" in told
    assert '"rule": "missing-headings"' in next((tmp_path / "out").rglob("check.json")).read_text("utf-8")
    assert_nowhere(tmp_path / "out", shown, told)


@pytest.mark.parametrize("key", ['columns = { address = "联系电话" }', 'where = { "姓名" = ["x"] }'])
def test_a_column_of_persons_cannot_be_asked_for(key, tmp_path):
    residents = f'[[inputs.residents]]\npath = "people.csv"\n{key}\n'
    folder = write_city(tmp_path, study=STUDY.replace('residents = "residents.csv"\n', "") + residents)
    write_people(folder / "people.csv", {"building_id": ["b1"], "residents": [3], "联系电话": ["1"], "姓名": ["x"]})
    _, findings = check_study(folder)
    assert "error" in [f.severity for f in findings if f.rule == "personal-column"]


def test_a_name_in_the_column_of_counts_is_not_quoted(tmp_path, run):
    folder = write_city(tmp_path)
    write_people(folder / "residents.csv", {"building_id": ["b1", "b2"], "residents": [NAME, "4"]})
    code, shown, told = run("check", folder, "--out", tmp_path / "out")
    assert code == 1
    assert "residents is not a number" in told
    assert_nowhere(tmp_path / "out", shown, told)


# --------------------------------------------------------------------------- what is one, and what is not

HEADINGS = (
    "姓名",
    "户主",
    "户主姓名",
    "联系电话",
    "手机号",
    "身份证号码",
    "公民身份号码",
    "id_card",
    "idCard",
    "ID No.",
    *("业主", "房主", "房东", "产权人", "承租人", "租户", "户主签名", "签名", "证件", "固话", "座机", "家属"),
    *("resident_name", "residentName"),
)


@pytest.mark.parametrize("heading", [*HEADINGS, "ID No.", "Phone", "mobile", "Contact phone", "full name", "手 机"])
def test_a_heading_says_that_its_column_is_about_persons(heading):
    assert is_personal(heading)


@pytest.mark.parametrize(
    "heading",
    [
        "户主编号",
        "户号",
        "住户数",
        "家属楼",
        "业主单位",
        "楼栋编号",
        "人口",
        "name",
        "items",
        "station_id",
        "valid",
        "hotel",
    ],
)
def test_a_heading_of_something_else_is_left_alone(heading):
    assert not is_personal(heading)


@pytest.mark.parametrize("heading", ["owner", "Owner", "住户"])
def test_a_heading_is_about_persons_where_the_rows_are(heading):
    cells = {heading: pd.Series(["x"])}
    assert [f.rule for f in left_out("residents", personal_headings("residents", cells, 1))] == ["personal-data"]
    assert not personal_headings("buildings", cells, 1)


NO_NUMBERS = (
    "B-12",
    "12.15432109876",
    "13-2-101-1-1203",
    "210402001001",
    "2024110509301234",
    "1380013800",
    "H00138001380",
)


def cleaned(layer, column, values):
    table, found = without_numbers(layer, pd.DataFrame({column: values}, dtype="str"), {})
    return table[column].tolist(), found


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("column", ["address", "household", "building_id", "residents"])
def test_other_numbers_stay(value, column):
    assert cleaned("residents", column, [value, "x"]) == ([value, "x"], [])


def test_codes_of_areas_and_cells_that_look_like_numbers_of_persons_stay_ids():
    grid_cells = ["13010200101", "13010200102", "13010200201"]
    assert cleaned("areas", "area_id", grid_cells) == (grid_cells, [])
    buildings = ["210402101001001", "210402101001002"]
    assert cleaned("buildings", "building_id", buildings) == (buildings, [])


@pytest.mark.parametrize("value", [IDENTITY, MISTYPED, OLD_IDENTITY, *PHONES, "21040219900307123X", "8613800138000"])
def test_an_id_that_is_a_persons_number_is_no_id(value):
    values, [finding] = cleaned("stations", "station_id", ["s1", value])
    assert values == ["s1", ""]
    assert (finding.rule, finding.ids) == ("personal-data", ("station_id (1 row)",))


def test_a_number_is_taken_out_of_an_address_and_the_rest_stays():
    values, _ = cleaned("residents", "address", [f"和平路5号 {PHONES[0]}", f"{PHONES[0]},{PHONES[3]}", "和平路7号"])
    assert values == ["和平路5号", ",", "和平路7号"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_rest_of_an_address_is_read_from_a_sheet(suffix, tmp_path):
    path = tmp_path / f"people{suffix}"
    address = [f"幸福小区3号楼 {PHONES[0]}", "幸福小区4号楼"]
    write_people(path, {"地址": address, "人口": ["3", "4"]})
    located = locate(Input("residents", path.name), tmp_path)
    table, _, found = read_table(located)
    assert table["address"].tolist() == ["幸福小区3号楼", "幸福小区4号楼"]
    assert "personal-data" in [f.rule for f in found]


SPELLINGS = (
    *("13800138000.0", "210402198001011234.0", "1380 013 8000", "13800-138000", "138.0013.8000", "138 - 0013 - 8000"),
    *("013800138000", "210402 1980 0101 1234", "2104021980010112 34", "1.3800138E+10", "2.10402198001011E+17"),
)


@pytest.mark.parametrize("value", SPELLINGS)
def test_a_number_is_known_in_tables_of_persons_however_it_is_spelled(value):
    assert cleaned("residents", "address", [f"3号楼 {value}", "x"])[0] == ["3号楼", "x"]
    assert cleaned("requests", "request_id", [value, "x"])[0] == ["", "x"]
    assert cleaned("requests", "item", [value, "x"])[0] == ["", "x"]
    assert cleaned("residents", "household", [value, "x"])[0] == ["row 1", "row 2"]
    assert scrubbed(f"at {value}: no") == "at …: no"


@pytest.mark.parametrize("value", ["210402001001", "013800138000", "1380-0138-0000", "1.3800138E+10", "12345678901.5"])
@pytest.mark.parametrize(("layer", "column"), [("buildings", "building_id"), ("residents", "building_id")])
def test_an_id_of_a_building_is_not_taken_for_a_loosely_spelled_number(layer, column, value):
    assert cleaned(layer, column, [value, "x"]) == ([value, "x"], [])


@pytest.mark.parametrize("value", ["13800138000-1", "13800138000.0", "电话13900139000", IDENTITY + "-2"])
@pytest.mark.parametrize(("layer", "column"), [("requests", "request_id"), ("residents", "building_id")])
def test_an_id_of_a_table_of_persons_that_holds_a_number_goes(layer, column, value):
    assert cleaned(layer, column, ["x", value])[0] == ["x", ""]


def test_buildings_numbered_by_codes_of_areas_are_still_found_by_residents():
    buildings = ["210402101001001-1", "210402101001002-1"]
    assert cleaned("residents", "building_id", buildings) == (buildings, [])


def test_numbers_side_by_side_are_all_taken_out_of_a_message():
    assert not leaks(scrubbed(f"{PHONES[0]} {PHONES[0]},{PHONES[0]} {PHONES[2]}，{IDENTITY}"))
    assert scrubbed("第３行：１５９００００１１１１。") == "第３行：…。"


def test_findings_of_the_study_file_are_cleaned_like_those_of_a_sheet(tmp_path, run):
    findings = (
        f'{{what = "residents", id = "{PHONES[0]}", value = "3", who = "王五 {PHONES[0]}", when = 2026-01-02}}',
        f'{{what = "residents", id = "b1", value = "{IDENTITY}", who = "王五 {PHONES[1]}", when = 2026-01-02}}',
        f'{{what = "residents", id = "b2", value = "3", who = "王五 {PHONES[3]}", when = 2026-01-02}}',
        f'{{what = "residents", id = "b2", value = "3", who = ["{PHONES[0]}"], when = 2026-01-02}}',
    )
    folder = write_city(tmp_path, study=f"{STUDY}\n[overrides]\nfindings = [{', '.join(findings)}]\n")
    code, shown, told = run("check", folder, "--out", tmp_path / "out")
    assert code == 1
    assert_nowhere(tmp_path / "out", shown, told)
    record = json.loads((tmp_path / "out" / "check" / "check.json").read_text("utf-8"))
    assert ("overrides", "personal-data") in [(f["layer"], f["rule"]) for f in record["findings"]]


def test_a_first_row_of_persons_is_not_listed_as_headings(tmp_path, run):
    study = STUDY.replace('"residents.csv"', '{ path = "residents.csv", columns = { area = "社区名" } }')
    for stated in (STUDY, study):
        folder = write_city(tmp_path, study=stated)
        (folder / "residents.csv").write_text(f"{NAME},幸福小区3号楼,人口\n{OTHER_NAME},幸福小区4号楼,4\n", "utf-8")
        code, shown, told = run("check", folder, "--out", tmp_path / "out")
        assert code == 1
        assert "of no known name" in told or stated == STUDY
        assert_nowhere(tmp_path / "out", shown, told)
    (folder / "residents.csv").write_text(f"{NAME},幸福小区3号楼,3\n{OTHER_NAME},幸福小区4号楼,4\n", "utf-8")
    _, shown, told = run("check", folder, "--out", tmp_path / "out")
    assert "put a row of headings above them" in told
    assert "幸福小区" not in told
    assert_nowhere(tmp_path / "out", shown, told)


PROVINCES = [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)]


@given(
    st.sampled_from(PROVINCES),
    st.integers(0, 9999),
    st.dates(pd.Timestamp("1910-01-01").date(), pd.Timestamp("2029-12-31").date()),
    st.integers(0, 999),
    st.sampled_from("0123456789Xx"),
    st.sampled_from(["", " ", "-"]),
    st.sampled_from(["", "身份证", "ID: ", "（"]),
)
def test_every_identity_number_is_known_in_any_text(province, place, born, serial, check, gap, before):
    number = f"{province}{place:04}{gap}{born:%Y%m%d}{gap}{serial:03}{check}"
    assert digits(number) not in digits(scrubbed(f"{before}{number}。"))
    values, _ = cleaned("stations", "name", [before + number])
    assert number not in values[0]


@given(st.integers(3, 9), st.integers(0, 10**9 - 1), st.sampled_from(["", "+86", "86", "0086 ", "+86-"]))
def test_every_mobile_number_is_known_in_any_text(second, rest, country):
    number = f"{country}1{second}{rest:09}"
    assert cleaned("stations", "name", [f"电话{number}"])[0] == ["电话"]
    assert check_headings("residents", ["人口", number])
