"""Slips that leave a file readable and make it say something else: each is told, none is believed."""

import re
import zipfile
from functools import cache
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import CRS

from intake import read, told
from lifecircle.demand import place_residents
from lifecircle.hours import DAYS, is_open, problem_of_hours
from lifecircle.readers.addresses import plain_address
from lifecircle.readers.degrees import degrees_of
from lifecircle.readers.encodings import python_codec, recognise
from lifecircle.readers.hours_in_words import hours_in_osm, hours_of_words, problem_of_words
from lifecircle.study import check_study, open_study
from lifecircle.synthetic.words import hours_in_words
from lifecircle.synthetic.xlsx import Sheet, write_workbook
from tiny import STUDY, areas, at, box, buildings, geojson, table, write_city

LONG = 210402001001000123
"""An id of eighteen digits: as a floating-point number it ends in 128."""


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


def found(folder):
    return {b.rule: b for b in check_study(folder)[1]}


def csv(path, *lines, encoding="utf-8"):
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def book(path, *rows, head=()):
    write_workbook(path, [Sheet("户", head, pd.DataFrame(rows, dtype=object), (), ())])
    return path


def with_numbers(path, *texts):
    """Write these texts of a workbook as numbers, as whoever types them into a cell without a format does."""

    def numbered(sheet):
        for text in texts:
            cell = f'<c t="inlineStr"><is><t>{text}</t></is></c>'.encode()
            assert cell in sheet
            sheet = sheet.replace(cell, f"<c><v>{text}</v></c>".encode())
        return sheet

    return rewritten(path, numbered)


def rewritten(path, change):
    """Change the first sheet of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    entry = "xl/worksheets/sheet1.xml"
    parts[entry] = change(parts[entry])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def with_references(path):
    """Say of every cell of a workbook where it stands, as Excel does."""
    numbers = iter(range(1, 10**6))

    def row(match):
        letters, number = iter("ABCDEFGHIJ"), next(numbers)
        return re.sub(rb"<c\b", lambda _: f'<c r="{next(letters)}{number}"'.encode(), match[0])

    return rewritten(path, lambda sheet: re.sub(rb"<row.*?</row>", row, sheet))


def with_addresses(folder, *addresses):
    rows = [({**p, "address": a}, g) for a, (p, g) in zip(addresses, buildings(), strict=True)]
    geojson(folder / "buildings.geojson", rows)


def homes(folder):
    return place_residents(open_study(folder)).residents["residents"].round(9).tolist()


# -------------------------------------------------------------------------------------------------------- long ids


@pytest.mark.parametrize("kind", ["gpkg", "geojson", "fgb", "parquet", "shp"])
def test_an_id_of_eighteen_digits_keeps_them_beside_an_empty_cell(tmp_path, kind):
    ids = pd.array([LONG, None], dtype="Int64")
    columns = {"station_id": ["s1", "s2"], "building_id": ids}
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    path = tmp_path / f"stations.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.rename(columns={"building_id": "building"}).to_file(path)
    stations, breaches = read(path, columns={} if kind == "parquet" else {"building_id": "building"})
    assert stations.set_index("station_id")["building_id"].to_dict() == {"s1": str(LONG), "s2": ""}
    assert {b.rule for b in breaches} <= {"unstated-datum"}


@pytest.mark.parametrize("number", ["21040200100100012345678", "1e20"])
def test_an_id_too_long_for_a_number_is_refused(tmp_path, number):
    path = tmp_path / "stations.geojson"
    geojson(path, [({"station_id": "s1", "building_id": 12345}, {"type": "Point", "coordinates": [0, 0]})])
    path.write_text(path.read_text().replace("12345", number))
    assert told(read(path)[1])["rounded-id"] == (("s1",), "error")


def test_a_count_may_be_larger_than_any_whole_number(tmp_path):
    frame = gpd.GeoDataFrame({"station_id": ["s1"], "capacity": [1e20]}, geometry=[shapely.Point(0, 0)], crs=4326)
    frame.to_file(tmp_path / "stations.gpkg")
    stations, breaches = read(tmp_path / "stations.gpkg")
    assert (stations["capacity"].tolist(), breaches) == ([1e20], [])


def test_an_id_of_more_digits_than_excel_keeps_is_refused_in_a_cell_of_numbers_and_read_in_one_of_text(tmp_path):
    other = str(LONG + 1000)
    rows = ["楼栋编号", "人口"], [str(LONG), "3"], [other, "4"], ["210402001001", "5"]
    path = with_numbers(book(tmp_path / "residents.xlsx", *rows), str(LONG), "210402001001")
    residents, breaches = read(path, "residents")
    assert told(breaches)["rounded-id"] == (("户 row 2",), "error")
    assert residents["building_id"].tolist()[1:] == [other, "210402001001"]
    assert "rounded-id" not in told(read(book(tmp_path / "residents.xlsx", *rows), "residents")[1])


def test_a_long_number_that_is_no_id_does_no_harm(tmp_path):
    rows = ["楼栋编号", "人口", "卡号"], ["b1", "3", str(LONG)]
    residents, breaches = read(with_numbers(book(tmp_path / "residents.xlsx", *rows), str(LONG)), "residents")
    assert "rounded-id" not in told(breaches)
    assert residents["residents"].tolist() == [3.0]


# ------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("asked", "nearly"),
    [
        ("平安路12 3栋", "平安路123号"),
        ("3 1号楼", "31号楼"),
        ("幸福小区3 1单元501", "幸福小区"),
        ("幸福小区3　1单元501", "幸福小区"),
    ],
)
def test_a_blank_between_two_numbers_parts_them(city, asked, nearly):
    with_addresses(city, nearly, "2号", "")
    table(city / "residents.csv", "address residents", [asked, 5], ["2号", 1])
    assert homes(city) == [0.0, 1.0, 0.0]
    assert found(city)["unknown-address"].ids == (asked,)


@given(st.lists(st.integers(1, 999), min_size=1, max_size=5), st.sampled_from(["", " ", "　 "]))
def test_numbers_of_an_address_are_never_run_together(numbers, blank):
    said = f"{blank}平安路{blank}" + "  ".join(map(str, numbers)) + f"{blank}号{blank}"
    assert plain_address(pd.Series([said]))["rest"].tolist() == ["平安路" + " ".join(map(str, numbers)) + "号"]


def test_a_household_listed_in_one_community_and_written_in_another_is_placed_in_neither(city):
    with_addresses(city, "幸福路3号楼", "北社区幸福路3号楼", "")
    rows = ["南社区", "北社区幸福路3号楼", 50], ["", "北社区幸福路3号楼", 1]
    table(city / "residents.csv", "area address residents", *rows)
    finding = found(city)["address-elsewhere"]
    assert (finding.ids, finding.severity) == (("北社区幸福路3号楼",), "warning")
    assert homes(city) == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("area", ["南社区", "区"])
@pytest.mark.parametrize("address", ["某市某区南社区幸福路3号楼", "阳光社区幸福路3号楼", "幸福路3号楼"])
def test_a_district_above_a_city_before_or_a_compound_called_community_contradicts_nobody(city, area, address):
    with_addresses(city, "幸福路3号楼", "", "")
    table(city / "residents.csv", "area address residents", [area, address, 5])
    assert homes(city) == [5.0, 0.0, 0.0]
    assert "address-elsewhere" not in found(city)


def test_a_house_and_a_plot_of_one_number_are_told_apart_and_taken_for_each_other_with_a_word(city):
    with_addresses(city, "建设街3栋", "建设街3号", "建设街5栋")
    table(city / "residents.csv", "address residents", ["建设街3号", 5], ["建设街3号楼", 2], ["建设街5号", 1])
    assert homes(city) == [2.0, 5.0, 1.0]
    finding = found(city)["loose-address"]
    assert (finding.ids, finding.severity) == (("建设街5号",), "repair")


# ---------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("row", ["3,合计,,9", "3,南社区,合计,9", ",合 计：,,9", "3,合计：9人,,", "总计（人）,,,9"])
def test_a_sum_is_seen_wherever_its_word_stands(tmp_path, row):
    path = csv(tmp_path / "residents.csv", "序号,社区,building_id,人口", "1,南社区,b1,5", "2,南社区,b2,4", row)
    residents, breaches = read(path, "residents")
    assert residents["residents"].tolist() == [5.0, 4.0]
    assert told(breaches)["total-row"] == (("row 4",), "repair")


def test_a_quotation_mark_out_of_place_swallows_no_household(tmp_path):
    lines = "building_id,household,备注,residents", 'b1,h1,"东,50', "b1,h2,,9", 'b2,h3,西",4'
    assert told(read(csv(tmp_path / "residents.csv", *lines), "residents")[1])["stray-quote"] == (("row 2",), "error")


def test_a_quotation_mark_that_nothing_closes_is_named_by_its_line(tmp_path):
    lines = "building_id,residents", "b1,3", 'b2,"4', "b3,5"
    _, [refusal] = read(csv(tmp_path / "residents.csv", *lines), "residents")
    assert refusal.rule == "unreadable"
    assert "quotation mark" in refusal.message
    assert "line" in refusal.message


def test_a_comma_that_parts_a_number_in_two_is_an_error(tmp_path):
    lines = "building_id,residents,", "b1,1,234", "b2,4,"
    assert told(read(csv(tmp_path / "residents.csv", *lines), "residents")[1])["loose-cells"] == (("row 2",), "error")


def test_a_row_longer_than_the_others_is_named(tmp_path):
    lines = "building_id,address,residents", "b1,幸福路3号,5", "b2,幸福路4号,东,4"
    assert told(read(csv(tmp_path / "residents.csv", *lines), "residents")[1])["loose-cells"] == (("row 3",), "error")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_title_above_the_headings_of_a_csv_is_left_out(tmp_path, separator):
    lines = ["抚顺市居民台账", "", *(separator.join(row) for row in (["楼栋编号", "人口"], ["b1", "5"], ["", "4"]))]
    residents, breaches = read(csv(tmp_path / "residents.csv", *lines), "residents")
    assert residents["residents"].tolist() == [5.0, 4.0]
    assert told(breaches)["merged-heading"] == (("residents.csv",), "repair")


def test_the_word_of_a_remark_in_the_first_row_makes_it_no_heading(tmp_path):
    lines = "楼栋编号,户号,人口,备注", "b1,1,2,独居", "b1,2,5,", "b2,3,4,低保"
    residents, _ = read(csv(tmp_path / "residents.csv", *lines), "residents")
    assert residents["residents"].tolist() == [2.0, 5.0, 4.0]
    assert "residents_living_alone" not in residents


def test_headings_below_headings_are_still_headings(tmp_path):
    lines = "楼栋编号,人口,其中,", ",合计,60岁以上,独居", "b1,5,2,1"
    residents, _ = read(csv(tmp_path / "residents.csv", *lines), "residents")
    assert residents[["residents", "residents_aged", "residents_living_alone"]].to_numpy().tolist() == [[5, 2, 1]]


def test_sheets_that_differ_only_in_what_nobody_reads_are_one_table(tmp_path):
    sheets = [
        Sheet("南", (), pd.DataFrame([["building_id", "residents"], ["b1", "5"]], dtype=object), (), ()),
        Sheet("北", (), pd.DataFrame([["building_id", "residents", "备注"], ["b2", "4", "x"]], dtype=object), (), ()),
    ]
    write_workbook(tmp_path / "residents.xlsx", sheets)
    residents, breaches = read(tmp_path / "residents.xlsx", "residents")
    assert residents["residents"].tolist() == [5.0, 4.0]
    assert {b.severity for b in breaches} <= {"note"}


@pytest.mark.parametrize("before", [(), ("",)], ids=["first column", "blank column before"])
def test_the_name_of_a_community_merged_over_its_households_is_that_of_each(tmp_path, before):
    rows = (
        ["社区", "地址", "人口"],
        ["南社区", "1号楼", "5"],
        ["", "2号楼", "7"],
        ["北社区", "2号楼", "1"],
        ["", "", ""],
    )
    column = "AB"[len(before)]
    merged = (f"{column}2:{column}3", f"{column}4:{column}5")
    cells = pd.DataFrame([[*before, *row] for row in rows], dtype=object)
    write_workbook(tmp_path / "residents.xlsx", [Sheet("甲&乙", (), cells, (), merged)])
    residents, breaches = read(with_references(tmp_path / "residents.xlsx"), "residents")
    assert residents["area"].tolist() == ["南社区", "南社区", "北社区"]
    assert told(breaches)["merged-cells"] == (("甲&乙 row 3",), "repair")


def test_a_number_merged_over_rows_is_one_number(tmp_path):
    cells = pd.DataFrame([["社区", "人口"], ["南社区", "5"], ["北社区", ""]], dtype=object)
    write_workbook(tmp_path / "residents.xlsx", [Sheet("户", (), cells, (), ("B2:B3",))])
    assert told(read(tmp_path / "residents.xlsx", "residents")[1])["missing-number"] == (("户 row 3",), "error")


# -------------------------------------------------------------------------------------------------- names of rows


def test_a_row_of_a_csv_goes_by_its_row_in_excel_blank_lines_and_title_included(tmp_path):
    lines = "居民台账,", "", "building_id,residents", "", "b1,5", ",x"
    assert told(read(csv(tmp_path / "residents.csv", *lines), "residents")[1])["not-a-number"] == (("row 6",), "error")


def test_a_row_goes_by_its_place_in_the_file_to_the_last_check(city):
    book(city / "residents.xlsx", ["building_id", "residents"], ["b1", "5"], ["", "3"], head=(["台账", ""],))
    (city / "study.toml").write_text(STUDY.replace("residents.csv", "residents.xlsx"), encoding="utf-8")
    assert found(city)["missing-id"].ids == ("户 row 4",)


def test_rows_that_a_filter_leaves_keep_their_numbers(city):
    shed = ({"building_id": "x", "kind": "shed"}, box(0, 0, 0.1, 0.1))
    nameless = ({"building_id": "", "kind": "house"}, box(0.5, 0.5, 0.6, 0.6))
    geojson(city / "buildings.geojson", [shed, *buildings(), nameless])
    stated = 'buildings = { path = "buildings.geojson", where = { kind = ["house", "apartments"] } }'
    study = STUDY.replace('buildings = "buildings.geojson"', stated)
    (city / "study.toml").write_text(study, encoding="utf-8")
    assert found(city)["missing-id"].ids == ("row 5",)


# ------------------------------------------------------------------------------------------------------ households


def test_doors_of_one_number_in_two_stairwells_are_two_households_and_told(city):
    rows = ["b1", 1, "101", 3], ["b1", 2, "101", 3], ["b2", 1, "101", 2]
    table(city / "residents.csv", "building_id 单元 户号 residents", *rows)
    finding = found(city)["repeated-household"]
    assert (finding.ids, finding.severity) == (("101",), "warning")
    assert homes(city) == [6.0, 2.0, 0.0]


def test_doors_of_one_number_in_two_buildings_are_nothing_to_speak_of(city):
    study = STUDY.replace('residents = "residents.csv"', 'residents = { path = "residents.csv", by = "point" }')
    (city / "study.toml").write_text(study, encoding="utf-8")
    table(city / "residents.csv", "户号 lon lat residents", ["101", *at(1.2, 0.3), 3], ["101", *at(2.2, 1.6), 2])
    assert not {"repeated-household", "duplicate-id"} & set(found(city))
    assert homes(city) == [3.0, 2.0, 0.0]


def test_a_row_that_repeats_another_letter_by_letter_is_an_error(city):
    rows = ["b1", 1, "101", 3], ["b1", 1, "101", 3]
    table(city / "residents.csv", "building_id 单元 户号 residents", *rows)
    assert {(b.rule, b.ids) for b in found(city).values() if b.severity == "error"} == {("duplicate-id", ("101",))}


# ----------------------------------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize("kind", ["自建房", "城镇住宅", "民房"])
def test_usual_words_for_a_home_are_homes(city, kind):
    geojson(city / "buildings.geojson", [({**p, "kind": kind}, g) for p, g in buildings()])
    table(city / "residents.csv", "area_id residents", ["s", 60], ["n", 4])
    assert homes(city) == [60.0, 4.0, 0.0]


def test_a_word_for_a_building_that_nobody_knows_is_told_where_residents_are_spread(city):
    kinds = ["apartments", "某种房", "school"]
    geojson(city / "buildings.geojson", [({**p, "kind": k}, g) for k, (p, g) in zip(kinds, buildings(), strict=True)])
    table(city / "residents.csv", "area_id residents", ["s", 60])
    finding = found(city)["unknown-kind"]
    assert (finding.ids, finding.severity) == (("某种房 (1)",), "warning")
    table(city / "residents.csv", "building_id residents", ["b1", 60])
    assert "unknown-kind" not in found(city)


# ------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("text", ["路", "一", "1,一路\n", "洛龙", "临汾", "id,name\n1,裕华\n"])
def test_a_few_characters_of_gbk_are_not_taken_for_letters_of_elsewhere(text):
    assert recognise(text.encode("gbk")) == "gb18030"
    assert recognise(text.encode("utf-8")) == "utf-8"


@pytest.mark.parametrize("text", ["Düsseldorf", "Улица Мира", "Οδός", "café", "שלום", "東洲"])
def test_letters_of_elsewhere_in_utf_8_stay_what_they_are(text):
    assert recognise(text.encode("utf-8")) == "utf-8"


def test_the_words_for_encodings_that_programs_write_are_known():
    words = dict.fromkeys(("936", "CP936", "ANSI 936", "GBK\r\n", "GB2312"), "gb18030")
    words |= {"UTF-8": "utf-8", "65001": "utf-8", "1252": "cp1252"}
    assert {word: python_codec(word) for word in words} == words
    assert [python_codec(word) for word in ("OEM", "system", "")] == ["", "", ""]


@pytest.mark.parametrize(
    ("written", "says", "rule"),
    [
        *(("gbk", says, "") for says in ("936", "CP936", "ANSI 936", "GB2312", "gb18030", "GBK\r\n")),
        *(("gbk", says, "missing-encoding") for says in ("OEM", "system")),
        *(("gbk", says, "other-encoding") for says in ("UTF-8", "ISO-8859-1")),
        ("utf-8", "GBK", "other-encoding"),
        ("utf-8", "UTF-8", ""),
    ],
)
def test_a_shapefile_is_read_in_the_encoding_of_its_texts_whatever_its_cpg_says(tmp_path, written, says, rule):
    rows = [{"type": "Feature", "properties": p, "geometry": g} for p, g in areas()]
    gpd.GeoDataFrame.from_features(rows, crs=4490).to_file(tmp_path / "areas.shp", encoding=written)
    (tmp_path / "areas.cpg").write_text(says)
    layer, breaches = read(tmp_path / "areas.shp", "areas")
    assert layer["name"].tolist() == ["区", "南社区", "北社区"]
    assert {b.rule for b in breaches} == {rule} - {""}


# ----------------------------------------------------------------------------------------------- places and systems


TOWN_GRID = 'LOCAL_CS["Fushun city grid",LOCAL_DATUM["x",32767],UNIT["metre",1],AXIS["X",EAST],AXIS["Y",NORTH]]'


@pytest.fixture(params=["shp", "gpkg", "parquet"])
def in_town_grid(request, tmp_path):
    """Stations whose file says that they are in a grid of the town's own, though they are in EPSG:4549."""
    frame = gpd.GeoDataFrame({"station_id": ["s1"]}, geometry=[shapely.Point(*at(1.2, 0.3))], crs=4326).to_crs(4549)
    path = tmp_path / f"stations.{request.param}"
    frame = frame.set_crs(CRS(TOWN_GRID), allow_override=True)
    frame.to_parquet(path) if request.param == "parquet" else frame.to_file(path)
    return path


def test_a_grid_of_the_towns_own_is_no_coordinate_system_and_the_study_may_state_one(in_town_grid):
    assert told(read(in_town_grid)[1])["no-crs"][1] == "error"
    stations, breaches = read(in_town_grid, crs="EPSG:4549")
    assert breaches == []
    assert np.allclose(stations.to_crs(4326).get_coordinates(), [at(1.2, 0.3)], atol=1e-7)


def test_a_check_of_a_layer_in_the_towns_own_grid_ends_with_a_word(city, in_town_grid):
    study = STUDY.replace("stations.csv", in_town_grid.name)
    (city / "study.toml").write_text(study, encoding="utf-8")
    assert found(city)["no-crs"].layer == "stations"


@pytest.mark.parametrize("cell", ["123.95N", "41 52", '"123,95"', '"123,951"', "约123"])
def test_a_coordinate_that_is_no_number_is_shown(tmp_path, cell):
    path = csv(tmp_path / "stations.csv", "station_id,lon,lat", f"s1,{cell},41.88", "s2,123.95,41.88")
    _, breaches = read(path)
    [finding] = [b for b in breaches if b.severity == "error"]
    assert (finding.rule, finding.ids) == ("not-finite", ("s1",))
    assert cell.strip('"') in finding.message


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("123°57′12″", "41°52′48″"),
        ("东经１２３°57.2′", "北纬41.88°"),
        ("123°57'12\"E", "41度52分48秒"),
        ("123.95333E", "N41.88"),
    ],
)
def test_coordinates_in_degrees_and_minutes_are_read_as_degrees(tmp_path, lon, lat):
    cells = [cell.replace('"', '""') for cell in (lon, lat)]
    path = csv(tmp_path / "stations.csv", "station_id,lon,lat", f's1,"{cells[0]}","{cells[1]}"', "s2,123.95,41.88")
    stations, breaches = read(path, datum="wgs84")
    assert told(breaches)["written-degrees"] == (("s1",), "repair")
    assert stations.geometry.x.tolist() == pytest.approx([123.95333, 123.95], abs=1e-5)
    assert stations.geometry.y.tolist() == pytest.approx([41.88, 41.88], abs=1e-9)


@pytest.mark.parametrize("cell", ["123.57.12", "123°70′", "123.5°30′", "41°52′N", "12:30"])
def test_degrees_that_may_mean_anything_are_not_read(cell):
    assert degrees_of("lon", pd.Series([cell])).tolist() == [cell]


@pytest.mark.parametrize("cell", ["123.95,41.88", "123.95，41.88", "(123.95 41.88)"])
def test_two_coordinates_in_one_cell_are_to_be_parted(tmp_path, cell):
    path = csv(tmp_path / "stations.csv", "station_id,lon,lat", f's1,"{cell}",')
    [finding] = [b for b in read(path)[1] if b.severity == "error"]
    assert "two numbers in one cell; part them into two columns" in finding.message


def test_a_coordinate_of_a_person_is_not_shown(tmp_path):
    path = csv(tmp_path / "residents.csv", "lon,lat,residents", "王小明,41.88,1")
    [finding] = [b for b in read(path, "residents", by="point")[1] if b.severity == "error"]
    assert finding.rule == "not-finite"
    assert "王小明" not in finding.message


def test_metres_of_an_unstated_system_ask_for_it(tmp_path):
    path = csv(tmp_path / "stations.csv", "station_id,x,y", "s1,41500000,4638000")
    [finding] = read(path)[1]
    assert (finding.rule, finding.severity) == ("no-crs", "error")
    assert "EPSG:4549" in finding.message


def test_what_a_library_says_that_does_no_harm_is_not_passed_on(tmp_path):
    path = tmp_path / "stations.geojson"
    geojson(path, [({"station_id": f"s{i}"}, {"type": "Point", "coordinates": [i, 0]}) for i in (1, 2)])
    path.write_text(path.read_text().replace('"type": "Feature",', '"type": "Feature", "id": 1,'))
    stations, breaches = read(path)
    assert (stations["station_id"].tolist(), breaches) == (["s1", "s2"], [])


# ----------------------------------------------------------------------------------------------------------- hours


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("每天 8:00-20:00", "Mo-Su 08:00-20:00"),
        ("周一至周五 8:30-17:30；周六 9:00—12:00", "Mo-Fr 08:30-17:30; Sa 09:00-12:00"),
        ("工作日9:00-17:00 周末10点-16点", "Mo-Fr 09:00-17:00; Sa,Su 10:00-16:00"),
        ("上午８：３０－１１：３０，下午２：００－５：００", "08:30-11:30,14:00-17:00"),
        ("周一、三、五 上午9点到11点半", "Mo,We,Fr 09:00-11:30"),
        ("8:30-17:30（周一至周五）", "Mo-Fr 08:30-17:30"),
        ("8:30-17:30（双休）", "08:30-17:30; Sa,Su off"),
        ("工作日8:30-17:30，双休日9:00-16:00", "Mo-Fr 08:30-17:30; Sa,Su 09:00-16:00"),
        ("周一闭馆，每天8:00-20:00", "Mo-Su 08:00-20:00; Mo off"),
        ("早8点到晚8点", "08:00-20:00"),
        ("周一至周五 8:30-11:30 13:30-17:30", "Mo-Fr 08:30-11:30,13:30-17:30"),
        ("全天", "24/7"),
        ("24小时服务", "24/7"),
        ("Ｍｏ－Ｆｒ 08：00—18：00", "Mo-Fr 08:00-18:00"),
    ],
)
def test_opening_hours_are_read_as_a_door_says_them(city, words, hours):
    table(city / "stations.csv", "station_id lon lat hours", ["s1", *at(1.2, 0.3), words])
    study, [finding] = check_study(city)
    assert study.stations["hours"].tolist() == [hours]
    assert (finding.rule, finding.ids, finding.severity) == ("hours-in-words", ("s1",), "repair")


@pytest.mark.parametrize(
    "words",
    ["待定", "夏季8:00-18:00", "8-20", "每天", "周末休息", "25:00-26:00", "上午8:00-6:00", "节假日除外", "详见公告"],
)
def test_hours_that_may_mean_anything_are_left_out_with_a_warning_and_stop_nothing(city, words):
    table(city / "stations.csv", "station_id lon lat hours", ["s1", *at(1.2, 0.3), words])
    study, [finding] = check_study(city)
    assert study.stations["hours"].tolist() == [""]
    assert (finding.rule, finding.ids, finding.severity) == ("bad-hours", ("s1",), "warning")
    assert words in finding.message


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("周三休息，周一至周五9:00-17:00", "Mo-Fr 09:00-17:00; We off"),
        ("周五9:00-12:00，周一至周五9:00-17:00", "Mo-Fr 09:00-17:00; Fr 09:00-12:00"),
        ("周六、周日及节假日休息，工作日8:00-17:00", "Mo-Fr 08:00-17:00; Sa,Su,PH off"),
        ("节假日除外，每天8:00-17:00", "Mo-Su 08:00-17:00; PH off"),
    ],
)
def test_what_a_door_says_of_single_days_holds_wherever_it_says_so(words, hours):
    assert hours_of_words(words) == hours


@pytest.mark.parametrize(
    "words",
    [
        "8:30-17:30（中午休息）",
        "8:30-12:00（午休11:30-13:30）",
        "周一至周五8:30-17:30，周六12:00-13:00休息",
        "周三8:00-12:00休息",
        "周六休息12:00-14:00",
        "周六休息（12:00-14:00）",
    ],
)
def test_a_rest_at_noon_shuts_nothing_for_the_week(words):
    assert hours_of_words(words) == ""


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("8:30-17:00（午休11:30-13:30）", "08:30-11:30,13:30-17:00"),
        ("周一至周五8:30-17:30 中午12:00-13:00休息", "Mo-Fr 08:30-12:00,13:00-17:30"),
        ("8:30-16:30，休息时间：11:30-12:30，周末休息", "08:30-11:30,12:30-16:30; Sa,Su off"),
        ("8:30-11:30 13:30-17:00", "08:30-11:30,13:30-17:00"),
        ("上午8:30-11:30，下午1:30-5:00", "08:30-11:30,13:30-17:00"),
        ("8：00—12：00；14：00—17：30", "08:00-12:00,14:00-17:30"),
        ("8:00-12:00; 14:00-17:30", "08:00-12:00,14:00-17:30"),
        ("8:30-17:00（中午不休息）", "08:30-17:00"),
        ("Mo-Fr 08:00-12:00; 14:00-17:30", ""),
    ],
)
def test_a_day_with_a_break_at_noon_is_two_spans(words, hours):
    assert hours_in_osm(words) == hours


@pytest.mark.parametrize("words", ["2:00-6:00", "每天2:00-6:00", "周一至周日 1：30—5：30", "Mo-Su 5:00-8:00"])
def test_an_afternoon_that_may_be_a_night_is_told_with_both_ways_to_write_it(words):
    assert hours_in_osm(words) == ""
    assert re.search(r"two ways: write 0[125]:.0-0[658]:.0 or 1[347]:.0-(18|17|20):.0$", problem_of_words(words))


@pytest.mark.parametrize("words", ["02:00-06:00", "Mo-Fr 02:00-06:00", "早上5:00-8:00", "5:00-22:00", "22:00-6:00"])
def test_a_night_or_an_early_morning_written_as_one_is_read(words):
    assert hours_in_osm(words)


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("9点-12点 14:00-17:00", "09:00-12:00,14:00-17:00"),
        ("9点-12点14:00-17:00", "09:00-12:00,14:00-17:00"),
        ("9点半-12点 14点30分-17点", "09:30-12:00,14:30-17:00"),
        ("9时 30分-12时", "09:30-12:00"),
        ("9点30-12点", "09:30-12:00"),
        ("9:00-12:00:14:00-17:00", ""),
    ],
)
def test_the_digits_of_the_next_time_are_no_minutes_of_the_one_before(words, hours):
    assert hours_of_words(words) == hours


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("周末双休，8:00-17:00", "08:00-17:00; Sa,Su off"),
        ("双休 9:00-17:00", "09:00-17:00; Sa,Su off"),
        ("工作日8:00-17:00，双休", "Mo-Fr 08:00-17:00; Sa,Su off"),
        ("双休日9:00-16:00", "Sa,Su 09:00-16:00"),
        ("周末9:00-16:00", "Sa,Su 09:00-16:00"),
        ("双休照常，8:00-17:00", ""),
    ],
)
def test_a_weekend_of_rest_is_shut_and_a_weekend_with_times_is_open(words, hours):
    assert hours_of_words(words) == hours


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("凌晨12点-5点", "00:00-05:00"),
        ("8:00-凌晨12点", "08:00-24:00"),
        ("凌晨5点-12点", ""),
        ("晚8点-次日6点", "20:00-06:00"),
        ("8:00-次日20:00", ""),
        ("次日8:00-12:00", ""),
    ],
)
def test_midnight_is_no_noon_and_the_next_day_comes_after_this_one(words, hours):
    assert hours_of_words(words) == hours


@pytest.mark.parametrize(
    "words",
    ["8:00-12:00，2:00-6:00", "8:00-12:00,2:00-6:00", "Mo-Fr 8:00-12:00, 2:00-6:00", "周一8:00-12:00，周一2:00-6:00"],
)
def test_an_afternoon_told_by_a_clock_of_twelve_is_not_taken_for_night(words):
    assert hours_in_osm(words) == ""


def test_hours_of_a_night_stay_as_openstreetmap_writes_them():
    assert hours_in_osm("22:00-24:00,00:00-06:00") == "22:00-24:00,00:00-06:00"


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("周一至周五8:00-17:00，周六照常上班", ""),
        ("周一至周五8:00-17:00，周末不休息", ""),
        ("每天8:00-17:00，周末不休息", "Mo-Su 08:00-17:00"),
        ("8:00-17:00，周六照常", "08:00-17:00"),
        ("8:00-17:00，全年无休", "Mo-Su 08:00-17:00"),
        ("每天8:00-17:00，周日休息，周末照常", ""),
    ],
)
def test_days_that_are_as_usual_are_open_by_a_rule_for_every_day_or_nothing_is_read(words, hours):
    assert hours_of_words(words) == hours


@pytest.mark.parametrize(
    "words",
    [
        "周一至周五8:00-17:00，周五至周日9:00-12:00",
        "周一至周六8:00-12:00，周一至周五14:00-18:00",
        "周末休息，周六8:00-12:00",
    ],
)
def test_rules_of_which_nobody_knows_which_one_holds_are_not_read(words):
    assert hours_of_words(words) == ""


HOLDS = {"Mo-Su": range(7), "Mo-Fr": range(5), "Mo-Sa": range(6), "We": [2], "Sa,Su": [5, 6], "Tu-Th": [1, 2, 3]}
TIMES = ["08:00-18:00", "18:00-20:00", "08:00-12:00,14:00-18:00", "00:00-24:00", '"by appointment"', "off"]
RULES = st.dictionaries(st.sampled_from([*HOLDS]), st.sampled_from(TIMES), min_size=1, max_size=3)


@cache
def week(hours):
    """Return at which of its half hours a week is open."""
    clock = [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    return [[is_open(hours, f"{day} {time}") for time in clock] for day in DAYS]


@given(RULES)
def test_a_door_is_open_when_the_rule_for_the_fewest_days_says_so(rules):
    hours = hours_of_words("；".join(hours_in_words(f"{on} {times}") for on, times in rules.items()))
    shared = any({*HOLDS[a]} & {*HOLDS[b]} for a, b in combinations(rules, 2))
    if not hours:
        assert shared or {*rules.values()} == {"off"}
        return
    for day, opened in enumerate(week(hours)):
        said = [on for on in rules if day in HOLDS[on]]
        fewest = min(said, key=lambda on: len(HOLDS[on]), default="")
        assert opened == (week(f"Mo-Su {rules[fewest]}")[day] if fewest else [False] * 48)


@given(st.text("周一二三四五六日天至到0123456789:：点半上下午双休息全每工作凌晨次日-；，、（） ", max_size=30))
@example("8:30-17:30（休息）")
@example("8:30-17:30，周末休息")
def test_whatever_words_there_are_hours_come_of_them_or_nothing_and_rest_is_of_some_days(words):
    hours = hours_of_words(words)
    assert not hours or not problem_of_hours(hours)
    assert all(re.fullmatch("[A-Z][A-Za-z,-]+ off", rule) for rule in hours.split("; ") if "off" in rule)
