"""Every format, encoding and habit of writing in which tables come, read as the same table."""

import sqlite3
import zipfile
from contextlib import closing

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from intake import read, told
from lifecircle.conform import conform
from lifecircle.readers import archives
from lifecircle.readers.aliases import ALIASES, aliases_of, plain_heading
from lifecircle.readers.cells import mend_cells
from lifecircle.readers.encodings import recognise
from lifecircle.readers.files import FORMATS, digest, locate
from lifecircle.readers.inputs import Input
from lifecircle.readers.limits import Limits
from lifecircle.readers.tables import read_table
from lifecircle.schema import LAYERS, known_column
from lifecircle.synthetic.xlsx import Sheet, write_workbook

NAMES = ["东洲社区", "顺城社区"]
STATIONS = [["s1", "代办站", "123.95", "41.88"], ["s2", "便利店", "123.96", "41.89"]]


def csv(path, *rows, separator=",", encoding="utf-8"):
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    return path


def sheet(name, *rows, head=(), foot=(), merged=()):
    return Sheet(name, head, pd.DataFrame(rows, dtype=object), foot, merged)


def book(path, *sheets):
    write_workbook(path, sheets)
    return path


def replaced(path, entry, old, new):
    """Write a part of a workbook anew."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[entry]
    parts[entry] = parts[entry].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


# --------------------------------------------------------------------------------------------------------- formats


@pytest.fixture
def communities():
    columns = {"area_id": ["a1", "a2"], "name": NAMES, "kept": ["not", "read"]}
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=4490)


@pytest.mark.parametrize("kind", ["gpkg", "shp", "geojson", "fgb", "parquet", "geoparquet"])
def test_outlines_are_the_same_in_every_format(communities, tmp_path, kind):
    path = tmp_path / f"areas.{kind}"
    communities.to_parquet(path) if "parquet" in kind else communities.to_file(path, encoding="utf-8")
    table, breaches = read(path, "areas")
    assert told(breaches) == {"not-read": (("kept",), "note")}
    order = table.sort_values("area_id")
    assert (order["area_id"].tolist(), order["name"].tolist()) == (["a1", "a2"], NAMES)
    assert shapely.equals(
        shapely.normalize(order.geometry.values), shapely.normalize(communities.geometry.values)
    ).all()
    assert "kept" not in table
    assert table.crs.to_epsg() == 4490


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("place", ["lon lat", "wkt", "geometry"])
def test_a_plain_table_is_placed_by_degrees_or_by_well_known_text(tmp_path, kind, place):
    header = ["station_id", *place.split()]
    places = [row[2:] for row in STATIONS] if place == "lon lat" else [[f"POINT ({r[2]} {r[3]})"] for r in STATIONS]
    rows = [[row[0], *at] for row, at in zip(STATIONS, places, strict=True)]
    path = tmp_path / f"stations.{kind}"
    if kind == "csv":
        csv(path, header, *([r[0], *(f'"{c}"' for c in r[1:])] for r in rows))
    elif kind == "xlsx":
        book(path, sheet("站点", header, *rows))
    else:
        pd.DataFrame(rows, columns=header).to_parquet(path)
    table, breaches = read(path)
    assert {b.rule for b in breaches} <= {"alias"}
    assert table.geometry.to_wkt().tolist() == ["POINT (123.95 41.88)", "POINT (123.96 41.89)"]
    assert table.crs.to_epsg() == 4326


def test_outlines_of_a_csv_make_areas_and_a_broken_one_is_named(tmp_path):
    outline = '"POLYGON ((0 0, 1 0, 1 1, 0 0))"'
    path = csv(tmp_path / "areas.csv", ["area_id", "wkt"], ["a1", outline], ["a2", "POLYGON here"], ["a3", ""])
    table, breaches = read(path, "areas")
    assert table.geometry.geom_type.tolist()[0] == "Polygon"
    assert told(breaches) == {"bad-wkt": (("a2",), "error"), "no-geometry": (("a2", "a3"), "error")}


def test_a_plain_parquet_counts_residents(tmp_path):
    pd.DataFrame({"building_id": ["b1"], "residents": [3]}).to_parquet(tmp_path / "residents.parquet")
    table, breaches = read(tmp_path / "residents.parquet", "residents")
    assert (table["residents"].tolist(), breaches) == ([3.0], [])


@pytest.mark.parametrize("file", FORMATS, ids=lambda f: f.name)
def test_a_file_is_what_it_holds_not_what_it_is_called(tmp_path, file):
    layer = "elevation" if file.is_raster else "stations"
    path = tmp_path / f"named{file.suffixes[0]}"
    path.write_bytes(b"<OGRVRTDataSource/>")
    assert told([locate(Input(layer, path.name), tmp_path)]) == {"wrong-content": ((path.name,), "error")}


# ------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("encoding", "silent"), [("utf-8", True), ("utf-8-sig", True), ("gbk", False), ("gb18030", False)]
)
def test_a_csv_is_read_in_the_encoding_that_its_texts_are_in(tmp_path, encoding, silent):
    path = csv(tmp_path / "stations.csv", ["station_id", "name", "lon", "lat"], *STATIONS, encoding=encoding)
    table, breaches = read(path)
    assert table["name"].tolist() == ["代办站", "便利店"]
    assert told(breaches) == ({} if silent else {"missing-encoding": (("stations.csv",), "repair")})
    assert told(read(path, encoding=encoding)[1]) == {}


@pytest.mark.parametrize(("encoding", "taken"), [("utf-8", "utf-8"), ("gbk", "gb18030"), ("gb18030", "gb18030")])
@pytest.mark.parametrize("says", [True, False])
def test_a_shapefile_is_read_in_the_encoding_that_it_states_or_that_its_texts_are_in(tmp_path, encoding, taken, says):
    frame = gpd.GeoDataFrame({"编号": ["a1"], "名称": ["东洲"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(tmp_path / "areas.shp", encoding=encoding)
    if not says:
        (tmp_path / "areas.cpg").unlink()
    table, breaches = read(tmp_path / "areas.shp", "areas")
    assert (table["area_id"].tolist(), table["name"].tolist()) == (["a1"], ["东洲"])
    silence = {"missing-encoding": (("areas.cpg",), "repair")}
    assert told([b for b in breaches if b.rule != "alias"]) == ({} if says else silence)
    assert says or f'"{taken}"' in breaches[0].message


def in_capitals(path, *suffixes):
    """Rename parts of a Shapefile so that their suffixes are in capitals."""
    for suffix in suffixes:
        path.with_suffix(suffix).rename(path.with_suffix(suffix.upper()))


@pytest.mark.parametrize("suffixes", [(".shp", ".shx", ".dbf", ".prj", ".cpg"), (".dbf",), (".shx", ".cpg")])
@pytest.mark.parametrize("says", [True, False])
def test_the_parts_of_a_shapefile_are_found_when_their_suffixes_are_in_capitals(tmp_path, suffixes, says):
    frame = gpd.GeoDataFrame({"area_id": ["a1"], "name": ["东洲"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(tmp_path / "areas.shp", encoding="gbk")
    in_capitals(tmp_path / "areas.shp", *suffixes)
    path = next(part for part in tmp_path.iterdir() if part.suffix.lower() == ".shp")
    if not says:
        next(part for part in tmp_path.iterdir() if part.suffix.lower() == ".cpg").unlink()
    table, breaches = read(path, "areas")
    assert (table["name"].tolist(), table.crs) == (["东洲"], 4326)
    assert set(told(breaches)) == (set() if says else {"missing-encoding"})
    located = locate(Input("areas", path.name), tmp_path)
    assert {located.path, *located.companions()} == set(tmp_path.iterdir())
    before = digest(b"", {"areas": located})
    located.beside(".dbf").write_bytes(b"other")
    assert digest(b"", {"areas": located}) != before


@pytest.mark.parametrize("part", [".dbf", ".shx"])
def test_a_part_that_a_shapefile_lacks_is_named(tmp_path, part):
    frame = gpd.GeoDataFrame({"area_id": ["a1"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(tmp_path / "areas.shp")
    (tmp_path / f"areas{part}").unlink()
    _, (breach,) = read(tmp_path / "areas.shp", "areas")
    assert (breach.rule, breach.ids) == ("missing-file", ("areas.shp",))
    assert breach.message.startswith(f"areas{part} must be beside it")


@pytest.fixture(params=["utf-8", "gbk"])
def cut(request, tmp_path):
    """Boundaries, without a .cpg, whose name fills a dBASE field of 254 bytes and ends within a character."""
    whole = "东" * (252 // len("东".encode(request.param)))
    room = 254 - len(whole.encode(request.param))
    columns = {"编号": ["a1"], "名称": [whole + "x" * room]}
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(tmp_path / "areas.shp", encoding=request.param)
    (tmp_path / "areas.cpg").unlink()
    table = (tmp_path / "areas.dbf").read_bytes()
    ends = b"y" * (room - 1) + "东".encode(request.param)[:1]
    (tmp_path / "areas.dbf").write_bytes(table.replace(b"x" * room, ends))
    return request.param, whole, tmp_path / "areas.shp"


def test_a_text_cut_in_the_middle_of_a_character_tells_its_encoding_still(cut):
    encoding, whole, path = cut
    table, breaches = read(path, "areas")
    if encoding == "gbk":
        assert table["name"][0].startswith(whole)
        assert '"gb18030"' in told_message(breaches, "missing-encoding")
    else:  # nothing reads half a character of UTF-8
        assert told(breaches) == {"encoding": (("areas.shp",), "error")}


def test_a_shapefile_whose_encoding_nobody_can_tell_is_read_with_a_warning(tmp_path):
    frame = gpd.GeoDataFrame({"area_id": ["a1"], "name": ["Düsseldorf"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(tmp_path / "areas.shp", encoding="iso-8859-1")
    (tmp_path / "areas.cpg").unlink()
    table, breaches = read(tmp_path / "areas.shp", "areas")
    assert table["name"].tolist() == ["Düsseldorf"]
    silent = (tmp_path / "areas.dbf").read_bytes()[29] in (0, 0x57)
    assert told(breaches) == ({"missing-encoding": (("areas.cpg",), "warning")} if silent else {})


def told_message(breaches, rule):
    [message] = [b.message for b in breaches if b.rule == rule]
    return message


@pytest.mark.parametrize("text", ["Königsstraße, Düsseldorf, Ärzte", "Москва улица Ленина", "東京都千代田区丸の内"])
def test_texts_of_elsewhere_are_not_taken_for_chinese(text):
    encoding = {"K": "latin-1", "М": "cp1251", "東": "shift_jis"}[text[0]]
    assert recognise(text.encode(encoding)) == ""


@given(st.text("东洲顺城望花新抚社区居民委员会第一二三号楼栋代办站0123456789 ,\n", min_size=1))
def test_chinese_is_told_whatever_its_length_and_a_cut_does_no_harm(text):
    for encoding, name in (("utf-8", "utf-8"), ("gbk", "gb18030")):
        encoded = (text + "代办站").encode(encoding)
        assert recognise(encoded) in (name, "utf-8")
        assert encoded.decode(recognise(encoded)) == text + "代办站"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_tabs_part_columns_too(tmp_path, separator):
    rows = [["station_id", "name", "lon", "lat"], ["s1", '"one, two"', "123.95", "41.88"]]
    table, breaches = read(csv(tmp_path / "stations.csv", *rows, separator=separator))
    assert (table["name"].tolist(), breaches) == (["one, two"], [])


# -------------------------------------------------------------------------------------------------------- headings


def test_headings_of_offices_are_known_and_what_was_taken_is_told(tmp_path):
    path = csv(tmp_path / "stations.csv", ["站点编号", " 名 称 ", "经度", "纬度"], *STATIONS)
    table, breaches = read(path)
    assert table[["station_id", "name"]].to_numpy().tolist() == [row[:2] for row in STATIONS]
    taken = ("station_id = 站点编号", "name = 名 称", "lon = 经度", "lat = 纬度")
    assert told(breaches) == {"alias": (taken, "note")}


def test_what_the_study_says_goes_before_what_a_heading_usually_means(tmp_path):
    path = csv(tmp_path / "stations.csv", ["编号", "站点编号", "lon", "lat"], ["x", "s1", "1", "2"])
    table, breaches = read(path, columns={"station_id": "编号"})
    assert table["station_id"].tolist() == ["x"]
    assert told(breaches) == {"not-read": (("站点编号",), "note")}


def test_of_two_columns_of_one_heading_none_is_taken_until_the_study_says_which(tmp_path):
    path = csv(tmp_path / "residents.csv", ["楼栋编号", "人口", "人口", "备注", "备注"], ["b1", "3", "4", "新", "旧"])
    _, breaches = read(path, "residents")
    assert told(breaches)["repeated-heading"] == (("人口 (1) or 人口 (2)",), "warning")
    assert told(breaches)["missing-column"] == (("residents",), "error")
    table, breaches = read(path, "residents", columns={"residents": "人口 (2)"})
    assert (table["residents"].tolist(), {b.rule for b in breaches}) == ([4.0], {"alias", "not-read"})
    asked = read(path, "residents", columns={"residents": "人口"})[1]
    assert "there is no column 人口" in told_message(asked, "missing-column")
    assert told(asked)["repeated-heading"] == (("人口 (1) or 人口 (2)",), "warning")


@pytest.mark.parametrize(
    ("heading", "encoding", "left"), [("社区代码", "utf-8", "社区代"), ("上级区划代码", "gbk", "上级区划代")]
)
def test_a_heading_that_a_shapefile_has_cut_is_told(tmp_path, heading, encoding, left):
    frame = gpd.GeoDataFrame(
        {"编号" if left[0] == "上" else "名称": ["a1"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326
    )
    frame.assign(**{left: "x"}).to_file(tmp_path / "areas.shp", encoding=encoding)
    ours = "parent_id" if left[0] == "上" else "area_id"
    assert told(read(tmp_path / "areas.shp", "areas")[1])["cut-heading"] == ((f"{ours} = {left}",), "warning")
    table, breaches = read(tmp_path / "areas.shp", "areas", columns={ours: left})
    assert (table[ours].tolist(), "cut-heading" in told(breaches)) == (["x"], False)
    if ours == "parent_id":
        message = told_message(read(tmp_path / "areas.shp", "areas", columns={"area_id": "编号"})[1], "cut-heading")
        assert 'columns = { area_id = "编号", parent_id = "上级区划代" }' in message
        assert "one more [[inputs.areas]] with path" in message
        assert "cut-heading" not in told(read(tmp_path / "areas.shp", "areas", without=frozenset({ours}))[1])
    frame.assign(**{left: "x"}).to_file(tmp_path / "areas.gpkg")
    assert "cut-heading" not in told(read(tmp_path / "areas.gpkg", "areas")[1])


def test_of_two_headings_of_one_meaning_none_is_taken(tmp_path):
    path = csv(tmp_path / "residents.csv", ["楼栋编号", "人口", "常住人口"], ["b1", "3", "4"])
    _, breaches = read(path, "residents")
    assert told(breaches)["ambiguous-heading"] == (("residents = 人口 or 常住人口",), "warning")
    assert told(breaches)["missing-column"] == (("residents",), "error")


def test_our_own_name_goes_before_an_alias(tmp_path):
    path = csv(tmp_path / "residents.csv", ["building_id", "residents", "人口"], ["b1", "3", "4"])
    table, breaches = read(path, "residents")
    assert table["residents"].tolist() == [3.0]
    assert told(breaches) == {"not-read": (("人口",), "note")}


@pytest.mark.parametrize("layer", ALIASES)
def test_no_heading_means_two_things_in_one_layer(layer):
    assert all(known_column(layer, ours) for ours in ALIASES[layer])
    headings = [plain_heading(h) for ours, named in ALIASES[layer].items() for h in (ours, *named)]
    assert len(headings) == len(set(headings))
    assert set(LAYERS[layer].names) & set(aliases_of(layer).values())


# ----------------------------------------------------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("cell", "value", "rule"),
    [
        ("1,234", 1234.0, "thousands-separators"),
        ("1，234", 1234.0, "thousands-separators"),
        ("１２", 12.0, "full-width-digits"),
        ("１，２３４．５", 1234.5, "full-width-digits"),
        (" 7 ", 7.0, None),
        ("\ufeff7", 7.0, None),
        ("-", np.nan, "dash-for-none"),
        ("无", np.nan, "dash-for-none"),
        ("1层", np.nan, "not-a-number"),
        ("约2250", 2250.0, "unit-in-number"),
        ("750人", 750.0, "unit-in-number"),
        ("1,200 人次", 1200.0, "unit-in-number"),
        ("1,200㎡", np.nan, "not-a-number"),
        ("1,23", np.nan, "not-a-number"),
        ("-1", -1.0, "negative-number"),
        ("#REF!", np.nan, "formula-cell"),
        ("#N/A", np.nan, "formula-cell"),
        ("=SUM(A1:A2)", np.nan, "formula-cell"),
    ],
)
def test_a_number_as_people_type_it(tmp_path, cell, value, rule):
    path = csv(tmp_path / "stations.csv", ["station_id", "lon", "lat", "capacity"], ["s1", "1", "2", f'"{cell}"'])
    table, breaches = read(path)
    np.testing.assert_equal(table["capacity"].tolist(), [value])
    assert {b.rule for b in breaches if b.rule != "thousands-separators" or rule == b.rule} == (
        {rule} if rule else set()
    )
    assert all(b.ids == ("s1",) for b in breaches)


def test_an_id_in_wide_characters_is_the_same_id(tmp_path):
    path = csv(tmp_path / "residents.csv", ["building_id", "residents"], ["Ｂ１２", "3"])
    table, breaches = read(path, "residents")
    assert table["building_id"].tolist() == ["B12"]
    assert told(breaches) == {"full-width-digits": (("Ｂ１２",), "repair")}


@pytest.mark.parametrize("cell", ["3.5万", "60%", "三百", "300-400", "2-3人", "12 户", "6+1"])
def test_a_number_that_words_make_doubtful_is_named_and_never_guessed(tmp_path, cell):
    path = csv(tmp_path / "residents.csv", ["building_id", "residents"], ["b1", f'"{cell}"'], ["b2", "4"])
    table, breaches = read(path, "residents")
    assert told(breaches) == {"not-a-number": (("b1",), "error")}
    np.testing.assert_equal(table["residents"].tolist(), [np.nan, 4.0])


def test_an_id_that_excel_has_cut_is_refused(tmp_path):
    path = csv(tmp_path / "areas.csv", ["area_id", "residents"], ["2.10402E+11", "3"], ["210402001002", "4"])
    assert told(read(path, "residents")[1]) == {"rounded-id": (("2.10402E+11",), "error")}


def test_an_id_of_twelve_digits_is_the_same_as_text_and_as_a_number(tmp_path):
    for i, code in enumerate([210402001001, "210402001001", 210402001001.0]):
        path = book(tmp_path / f"{i}.xlsx", sheet("一", ["社区代码", "人口"], [code, 3]))
        assert read(path, "residents")[0]["area_id"].tolist() == ["210402001001"]


def test_a_table_of_nothing_but_headings_is_empty(tmp_path):
    heading = ["building_id", "residents"]
    for path in (csv(tmp_path / "a.csv", heading), book(tmp_path / "a.xlsx", sheet("一", heading))):
        assert told(read(path, "residents")[1]) == {"empty-layer": ((), "error")}


def test_two_layers_of_one_file_are_read_each_by_its_name(tmp_path):
    path = tmp_path / "city.gpkg"
    for name, shape in (("社区", shapely.box(0, 0, 1, 1)), ("网格", shapely.box(0, 0, 1, 0.5))):
        frame = gpd.GeoDataFrame({"area_id": [name]}, geometry=[shape], crs=4490)
        frame.to_file(path, layer=name)
    assert read(path, "areas", table="网格")[0]["area_id"].tolist() == ["网格"]
    assert read(path, "areas", table="社区")[0]["area_id"].tolist() == ["社区"]
    assert told(read(path, "areas")[1]) == {"unknown-layer": (("city.gpkg",), "error")}


def test_an_empty_count_of_a_group_is_none_in_a_sheet_of_households_and_an_error_in_any_other(tmp_path):
    households = csv(tmp_path / "a.csv", ["户号", "地址", "人口", "独居"], ["h1", "1号楼", "3", ""])
    table, breaches = read(households, "residents")
    assert (table["residents_living_alone"].tolist(), {b.rule for b in breaches}) == ([0.0], {"alias"})
    buildings = csv(tmp_path / "b.csv", ["楼栋编号", "人口", "独居"], ["b1", "3", ""])
    assert told(read(buildings, "residents")[1])["missing-number"] == (("b1",), "error")
    nobody = csv(tmp_path / "c.csv", ["户号", "人口"], ["h1", ""])
    assert told(read(nobody, "residents")[1])["missing-number"] == (("h1",), "error")


@given(st.integers(0, 10**9))
def test_a_number_is_the_same_however_it_is_written(n):
    ways = [
        str(n),
        f"{n:,}",
        f"{n:,}".replace(",", "，"),
        str(n).translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    ]
    table = pd.DataFrame({"building_id": list("abcd"), "levels": pd.Series(ways, dtype="str")})
    mended, breaches = mend_cells("buildings", table)
    assert conform("buildings", mended)[0]["levels"].tolist() == [n] * 4
    assert {b.severity for b in breaches} == {"repair"}


def test_sums_and_blank_rows_are_no_rows(tmp_path):
    rows = [["b1", "3"], ["", ""], ["小计", "3"], ["b2", "4"], ["合 计：", "7"], ["Total", "7"]]
    table, breaches = read(csv(tmp_path / "residents.csv", ["building_id", "residents"], *rows), "residents")
    assert table["building_id"].tolist() == ["b1", "b2"]
    assert told(breaches) == {"total-row": (("row 4", "row 6", "row 7"), "repair")}


# ------------------------------------------------------------------------------------------------------- workbooks


def test_a_workbook_of_an_office_is_read_with_its_title_its_merged_headings_and_its_sum(tmp_path):
    path = book(
        tmp_path / "台账.xlsx",
        sheet(
            "东洲区",
            *[["金南社区", "1号楼", 3, 1], ["金南社区", "2号楼", 1234, ""]],
            head=[["居民台账", "", "", ""], ["社区", "地址", "人口", "其中"], ["", "", "", "60岁以上"]],
            foot=[["合计", "", "1,237", ""]],
            merged=("A1:D1", "A2:A3", "B2:B3", "C2:C3"),
        ),
    )
    table, breaches = read(path, "residents", columns={"household": "地址"})
    assert table[["area", "residents", "residents_aged"]].to_numpy().tolist() == [
        ["金南社区", 3.0, 1.0],
        ["金南社区", 1234.0, 0.0],
    ]
    found = told(breaches)
    assert found.pop("alias")[0] == ("area = 社区", "residents = 人口", "residents_aged = 60岁以上")
    assert found == {"merged-heading": (("东洲区",), "repair"), "total-row": (("东洲区 row 6",), "repair")}


def test_sheets_of_one_shape_are_one_table_and_others_are_left_out(tmp_path):
    heading = ["楼栋编号", "人口"]
    path = book(
        tmp_path / "residents.xlsx",
        sheet("说明", ["填表人", "日期"], ["某人", "五月"]),
        sheet("一", heading, ["b1", 3]),
        sheet("二", list(reversed(heading)), [4, "b2"], ["many", ""]),
        sheet("空"),
    )
    table, breaches = read(path, "residents")
    assert table[["building_id", "residents"]].iloc[:2].to_numpy().tolist() == [["b1", 3.0], ["b2", 4.0]]
    assert told(breaches)["idle-sheet"] == (("说明",), "note")
    assert told(breaches)["not-a-number"] == (("二 row 3",), "error")
    alone, _ = read(path, "residents", table="一")
    assert alone["building_id"].tolist() == ["b1"]
    assert told(read(path, "residents", table="三")[1])["unknown-layer"][1] == "error"


def test_a_sheet_with_the_headings_of_another_layer_is_a_warning(tmp_path):
    sheets = sheet("户", ["楼栋编号", "人口"], ["b1", 3]), sheet("站", ["站点编号", "容量"], ["s1", 3])
    assert told(read(book(tmp_path / "r.xlsx", *sheets), "residents")[1])["idle-sheet"] == (("站",), "warning")


def test_sheets_that_differ_want_one_named(tmp_path):
    path = book(
        tmp_path / "r.xlsx", sheet("一", ["楼栋编号", "人口"], ["b1", 3]), sheet("二", ["社区", "人口"], ["x", 4])
    )
    assert told(read(path, "residents")[1]) == {"unlike-sheets": (("一", "二"), "error")}


def test_a_hidden_sheet_is_left_out_and_told(tmp_path):
    path = book(
        tmp_path / "r.xlsx", sheet("一", ["楼栋编号", "人口"], ["b1", 3]), sheet("旧", ["楼栋编号", "人口"], ["b1", 2])
    )
    replaced(path, "xl/workbook.xml", 'name="旧"'.encode(), 'name="旧" state="hidden"'.encode())
    table, breaches = read(path, "residents")
    assert table["residents"].tolist() == [3.0]
    assert told(breaches)["hidden-sheet"] == (("旧",), "warning")
    assert read(path, "residents", table="旧")[0]["residents"].tolist() == [2.0]


SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def counts(tmp_path):
    return book(tmp_path / "counts.xlsx", sheet("一", ["building_id", "residents"], ["b1", 3], ["b2", 4]))


def test_a_formula_gives_the_value_that_it_came_to(counts):
    replaced(counts, SHEET, b"<c><v>3</v></c>", b"<c><f>1+2</f><v>3</v></c>")
    table, breaches = read(counts, "residents")
    assert (table["residents"].tolist(), breaches) == ([3.0, 4.0], [])


@pytest.mark.parametrize(
    ("cell", "ids"),
    [
        (b'<c r="B2" t="e"><f>A9</f><v>#REF!</v></c>', ("b1",)),
        (b'<c r="B2"><f>1+2</f><v></v></c>', ("B2",)),
        (b'<c r="B2"><f>1+2</f></c>', ("B2",)),
        (b'<c r="B2"><f t="shared" si="0"/></c>', ("B2",)),
    ],
)
def test_a_formula_without_a_value_is_named(counts, cell, ids):
    replaced(counts, SHEET, b"<c><v>3</v></c>", cell)
    _, breaches = read(counts, "residents")
    assert told(breaches)["formula-cell"] == (ids, "error")


# ------------------------------------------------------------------------------------------------ hostile workbooks


def zipped(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def refusal(path):
    table, [breach] = read(path, "residents")
    assert (table, breach.rule) == (None, "unreadable")
    return breach.message


USUAL = (("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<workbook/>"))


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ((("a.txt", "text"),), "no workbook"),
        ((*USUAL, ("../../x.xml", "")), "outside"),
        ((*USUAL, ("/etc/x.xml", "")), "outside"),
        ((*USUAL, ("xl\\x.xml", "")), "outside"),
        ((*USUAL, (SHEET, b"\0" * 30_000_000)), "times its size"),
        ((*USUAL, *((f"xl/{i}", "") for i in range(archives.MOST_ENTRIES))), "entries"),
        (USUAL, "cannot be read"),
    ],
)
def test_an_archive_that_is_no_honest_workbook_is_refused(tmp_path, entries, says):
    assert says in refusal(zipped(tmp_path / "r.xlsx", *entries))


def test_an_archive_that_unpacks_to_more_than_it_states_is_refused(counts):
    with zipfile.ZipFile(counts) as archive:
        size = archive.getinfo(SHEET).file_size.to_bytes(4, "little")
    content = counts.read_bytes()
    assert content.count(size) >= 1
    counts.write_bytes(content.replace(size, (50).to_bytes(4, "little")))
    assert "cannot be read" in refusal(counts)


def test_a_workbook_that_breaks_off_is_refused(counts):
    counts.write_bytes(counts.read_bytes()[:-40])
    assert "damaged" in refusal(counts)


@pytest.mark.parametrize("cell", [b'<c r="XFD1048576"><v>3</v></c>', b"<c/>" * 16_000 + b"<c><v>3</v></c>"])
def test_a_cell_far_away_does_not_fill_the_memory(counts, cell):
    replaced(counts, SHEET, b"<c><v>3</v></c>", cell)
    located = locate(Input("residents", counts.name), counts.parent, limits=Limits(cells=40_000))
    table, _, [finding] = read_table(located)
    assert (table, finding.rule) == (None, "over-limit")
    assert "cells" in finding.message


def test_a_table_of_many_columns_is_no_danger(tmp_path):
    more = [f"c{i}" for i in range(60)]
    path = book(tmp_path / "r.xlsx", sheet("一", ["building_id", "residents", *more], ["b1", 3, *more]))
    assert read(path, "residents")[0]["residents"].tolist() == [3.0]


# ------------------------------------------------------------------------------------------- what nothing is read of


def test_columns_that_nothing_takes_are_told_in_one_note_with_what_may_be_meant(tmp_path):
    path = csv(tmp_path / "closures.csv", ["编号", "way_id", "原因", "封闭日", "备注"], ["c1", "w1", "修路", "5月", ""])
    _, breaches = read(path, "closures")
    assert told(breaches) == {
        "alias": (("closure_id = 编号",), "note"),
        "not-read": (("封闭日", "原因", "备注"), "note"),
    }
    assert 'did you mean since? then say so: columns = { since = "封闭日" }' in told_message(breaches, "not-read")


@pytest.mark.parametrize(
    ("layer", "heading"),
    [
        *(("residents", heading) for heading in ("60岁以下", "80岁以上", "人口密度", "非低保", "6岁以上", "5岁以上")),
        *(("residents", heading) for heading in ("残疾等级", "楼栋人数", "60岁以下人数", "低保户数")),
        ("residents", "residents_60plus"),
        *(("buildings", heading) for heading in ("地下层数", "总户数")),
        *(("stations", heading) for heading in ("关门时间", "closing_hours", "服务")),
    ],
)
def test_no_column_is_proposed_that_may_mean_the_opposite(tmp_path, layer, heading):
    path = csv(tmp_path / f"{layer}.csv", ["id", "lon", "lat", heading], ["1", "123.9", "41.8", "5"])
    assert "did you mean" not in told_message(read(path, layer)[1], "not-read")


@pytest.mark.parametrize(
    ("layer", "heading", "ours"),
    [
        ("residents", "60岁以上人数", "residents_aged"),
        ("residents", "独居老人数", "residents_living_alone"),
        ("residents", "人口总数", "residents"),
        ("buildings", "adress", "address"),
        ("closures", "结束日", "until"),
        ("closures", "开始时间", "since"),
        ("stations", "opening_hour", "hours"),
    ],
)
def test_a_column_is_proposed_for_a_slip_of_typing_or_a_word_that_changes_nothing(tmp_path, layer, heading, ours):
    path = csv(tmp_path / f"{layer}.csv", ["id", "lon", "lat", heading], ["1", "123.9", "41.8", "5"])
    assert f"did you mean {ours}?" in told_message(read(path, layer)[1], "not-read")


def test_names_and_telephones_that_are_left_out_are_told_as_that_alone(tmp_path):
    path = csv(tmp_path / "residents.csv", ["楼栋编号", "人口", "姓名", "备注"], ["b1", "3", "张三", "13912345678"])
    _, breaches = read(path, "residents")
    assert told(breaches)["personal-data"] == (("姓名 (1 row)", "备注 (1 row)"), "repair")
    assert "not-read" not in told(breaches)


def test_of_a_table_of_persons_without_headings_no_cell_is_shown(tmp_path):
    path = csv(tmp_path / "residents.csv", ["b1", "3", "张三"], ["b2", "4", "李四"])
    _, breaches = read(path, "residents", columns={"building_id": "b1", "residents": "3"})
    [note] = [b for b in breaches if b.rule == "not-read"]
    assert (note.ids, note.count) == (("1 column of no known name",), 1)
    assert "张三" not in str(note)


def test_the_area_of_a_station_is_worked_out_of_its_place_and_no_loss(tmp_path):
    path = csv(
        tmp_path / "stations.csv", ["station_id", "lon", "lat", "社区代码", "社区"], ["s1", "1", "2", "c1", "东"]
    )
    assert told(read(path)[1]) == {}


@pytest.mark.parametrize("heading", ["开放时间", "hours"])
def test_a_column_that_the_study_states_as_empty_is_not_read(tmp_path, heading):
    path = csv(tmp_path / "stations.csv", ["station_id", "lon", "lat", heading], ["s1", "1", "2", "待定"])
    assert read(path)[0]["hours"].tolist() == ["待定"]
    table, breaches = read(path, without=frozenset({"hours"}))
    assert table["hours"].eq("").all()
    assert breaches == []


# --------------------------------------------------------------------------------------------------- rows of sums

HOMES = ["楼栋编号", "人口", "60岁以上"]


def test_a_sum_that_the_rows_do_not_add_up_to_is_told_with_both_figures(tmp_path):
    path = csv(tmp_path / "residents.csv", HOMES, ["b1", "30人", "4"], ["b2", "12", "5"], ["合计", '"1,042"', "9"])
    _, breaches = read(path, "residents")
    assert told(breaches)["sum-differs"] == (("row 4: 人口",), "warning")
    assert "says 1,042 under 人口, and the rows above it add up to 42" in told_message(breaches, "sum-differs")


@pytest.mark.parametrize(
    "foot",
    [
        [["合计", "42", "9"]],
        [["小计", "42", ""], ["b3", "8", "0"], ["小计", "8", "0"], ["总计", "50", "9"]],
        [["合计", "", ""]],
        [["合计", "约42", "九"]],
    ],
)
def test_a_sum_of_all_rows_or_of_those_since_the_sum_before_is_right(tmp_path, foot):
    path = csv(tmp_path / "residents.csv", HOMES, ["b1", "30", "4"], ["b2", "12", "5"], *foot)
    _, breaches = read(path, "residents")
    assert "sum-differs" not in told(breaches)


TABLES_OF_SUMS = {
    "the sum of all stands first": ["合计 42", "b1 30", "b2 12"],
    "the sum of each group stands above it": ["甲小计 7", "b1 3", "b2 4", "乙小计 5", "b3 5", "丙小计 1", "b4 1"],
    "sums of houses and of communities stand above both": [
        *("甲合计 7", "一小计 3", "b1 3", "二小计 4", "b2 4", "乙合计 9", "三小计 9", "b3 9")
    ],
    "sums of houses stand among those of communities": [
        *("b1 3", "小计 3", "b2 4", "小计 4", "甲社区合计 7", "b3 5", "小计 5", "b4 6", "小计 6", "乙社区合计 11"),
        "总计 18",
    ],
}
"""Tables whose sums are all right, a building or a sum and its residents a row."""


@pytest.mark.parametrize("rows", TABLES_OF_SUMS.values(), ids=TABLES_OF_SUMS)
def test_sums_are_right_above_their_rows_and_on_two_levels(tmp_path, rows):
    path = csv(tmp_path / "residents.csv", ["楼栋编号", "人口"], *(row.split() for row in rows))
    assert "sum-differs" not in told(read(path, "residents")[1])


@pytest.mark.parametrize("rows", list(TABLES_OF_SUMS.values())[1:], ids=list(TABLES_OF_SUMS)[1:])
def test_a_sum_on_two_levels_or_above_its_rows_that_is_wrong_is_told(tmp_path, rows):
    wrong = max(i for i, row in enumerate(rows) if "计" in row)
    spoilt = [row if i != wrong else f"{row.split()[0]} 900" for i, row in enumerate(rows)]
    path = csv(tmp_path / "residents.csv", ["楼栋编号", "人口"], *(row.split() for row in spoilt))
    assert told(read(path, "residents")[1])["sum-differs"] == ((f"row {wrong + 2}: 人口",), "warning")


def test_a_sheet_of_the_sums_of_other_sheets_is_right(tmp_path):
    head = ["楼栋编号", "人口"]
    path = book(
        tmp_path / "residents.xlsx",
        sheet("甲", head, ["b1", "3"], ["b2", "4"]),
        sheet("乙", head, ["b3", "5"]),
        sheet("汇总", head, ["甲合计", "7"], ["乙合计", "5"]),
    )
    assert "sum-differs" not in told(read(path, "residents")[1])


@pytest.mark.parametrize("first", [0, 1])
def test_a_sum_is_held_against_the_column_that_is_read(tmp_path, first):
    columns = [["人数", "30", "12", "1"], ["常住", "3", "4", "7"]]
    rows = zip(["楼栋编号", "b1", "b2", "合计"], columns[first], columns[1 - first], strict=True)
    path = csv(tmp_path / "residents.csv", *rows)
    assert "sum-differs" not in told(read(path, "residents", columns={"residents": "常住"})[1])


def test_a_sum_below_a_household_that_is_there_twice_counts_it_once(tmp_path):
    path = csv(
        tmp_path / "residents.csv", ["户号", *HOMES], ["h1", "b1", "3", "1"], ["h1", "b1", "3", "1"], ["合计", "", "3"]
    )
    _, breaches = read(path, "residents")
    assert "sum-differs" not in told(breaches)


def test_where_rows_are_chosen_sums_say_nothing(tmp_path):
    path = csv(
        tmp_path / "residents.csv", [*HOMES, "类"], ["b1", "30", "4", "甲"], ["b2", "12", "5", "乙"], ["合计", "42"]
    )
    _, breaches = read(path, "residents", where=({"类": ("甲",)},))
    assert "sum-differs" not in told(breaches)


def test_what_the_library_that_reads_a_file_has_to_say_is_told(tmp_path):
    path = tmp_path / "stations.gpkg"
    gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(123.9, 41.8)], crs=4326).to_file(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma user_version = 99999")  # of a version that nobody has made yet
    stations, breaches = read(path)
    assert told(breaches) == {"reading": (("stations.gpkg",), "warning")}
    assert stations["station_id"].tolist() == ["s1"]
