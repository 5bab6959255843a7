"""A made-up city the way offices keep it: their formats, their headings, their slips, and a sheet of what is wrong.

About two rows in a hundred of every table are broken, each in one way. What `lifecircle check` tells of the folder is
what the sheet of answers says it finds, no more and no less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.datum import gcj02_of_wgs84
from lifecircle.mark import MARK
from lifecircle.schema import known_column
from lifecircle.synthetic.boundaries import ENCODING, write_boundaries
from lifecircle.synthetic.breakage import Breakage, Rows, twice
from lifecircle.synthetic.city import City, random_of
from lifecircle.synthetic.households import GROUPS
from lifecircle.synthetic.ledger import COUNT, write_ledger
from lifecircle.synthetic.tell import readme, toml
from lifecircle.synthetic.write import (
    HEIGHTS,
    LAYERS,
    STREETS,
    in_degrees,
    input_line,
    plain,
    write_ground,
    write_layer,
    write_record,
    write_table,
    write_words,
)

ANSWERS = "answers.json"

FILES = {
    "areas": "社区边界.shp",
    "buildings": "楼栋.gpkg",
    "residents": "居民台账.xlsx",
    "stations": "服务站.csv",
    "candidates": "可用房间.csv",
    "requests": "诉求工单.csv",
}

HEADINGS = {
    "areas": {"area_id": "社区代码", "name": "社区名称"},
    "buildings": {
        "building_id": "楼栋编号",
        "name": "楼栋名称",
        "kind": "用途",
        "levels": "层数",
        "address": "地址",
        "area_id": "社区代码",
    },
    "stations": {
        "station_id": "站点编号",
        "name": "站点名称",
        "kind": "类别",
        "tier": "层级",
        "items": "服务事项",
        "hours": "服务时间",
        "capacity": "可服务人数",
        "cost": "费用（元）",
        "agents": "代办员人数",
        "building_id": "所在楼栋",
        "area_id": "社区代码",
        "lon": "经度",
        "lat": "纬度",
    },
    "requests": {
        "request_id": "工单编号",
        "item": "诉求事项",
        "urgency": "紧急程度",
        "channel": "来源渠道",
        "time": "受理时间",
        "priority": "重点对象",
        "building_id": "所在楼栋",
        "area_id": "社区代码",
        "lon": "经度",
        "lat": "纬度",
    },
}
HEADINGS["residents"] = {"residents": COUNT, **GROUPS}
HEADINGS["candidates"] = {
    "site_id": "房间编号",
    **{ours: theirs for ours, theirs in HEADINGS["stations"].items() if ours != "station_id"},
    "name": "房间名称",
    "consent": "是否同意",
}
"""Our columns and the headings of the offices; streets, heights, doors and barriers are no office's and stay plain."""

USES = {
    "apartments": "住宅",
    "residential": "住宅",
    "house": "民居",
    "terrace": "民居",
    "dormitory": "宿舍",
    "industrial": "厂房",
    "office": "办公",
    "retail": "商业",
    "commercial": "商业",
    "kindergarten": "幼儿园",
    "school": "学校",
    "hospital": "医院",
    "garage": "车库",
}
"""Kinds of buildings in the words of the offices; the others are 其他."""

CSV_ENCODING = "gb18030"
DATE_FORMS = ("%Y/%m/%d %H:%M", "%Y年%m月%d日", "%Y.%m.%d", "%Y%m%d")
PART = 0.004
"""Share of a table's rows that one slip spoils."""

REMARK = f"""This is the city as offices keep it. `{ANSWERS}` says what is wrong with it and what mends each; what
`lifecircle check .` finds is marked `found_by_check`.
本文件夹按各部门的保存方式给出；`{ANSWERS}` 列出全部错误及改法，供对照。"""


def write_messy(folder: Path, city: City, command: str) -> None:
    """Write a city into an empty folder as offices keep it, with the sheet of answers beside.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    random, frames = random_of(city.seed, "messy"), in_degrees(city)
    files = {"streets": STREETS, "elevation": HEIGHTS}
    write_ground(folder, city)
    for name in ("entrances", "barriers"):
        if len(frames[name]):
            files[name] = LAYERS[name]
            write_layer(folder / files[name], frames[name])
    buildings, found = _buildings(frames, random)
    write_layer(folder / FILES["buildings"], buildings)
    found += write_boundaries(folder / FILES["areas"], frames["areas"], HEADINGS["areas"], random)
    found += write_ledger(folder / FILES["residents"], frames, random)
    for name, spoil in (("stations", _rooms), ("candidates", _rooms), ("requests", _requests)):
        table, spoilt = spoil(name, _as_text(frames[name], HEADINGS[name]), random)
        write_table(folder / FILES[name], table.rename(columns=HEADINGS[name]), encoding=CSV_ENCODING)
        found += spoilt
    write_words(
        folder,
        city,
        inputs=_inputs(files, city.programme.levels[-1]),
        readme=readme(city, command, files | FILES, REMARK),
    )
    write_record(folder / ANSWERS, {MARK: True, "breakages": [asdict(b) for b in found if b.ids]})


def _inputs(files: Mapping[str, str], level: str) -> str:
    """Return the inputs of the study file, as an official would state them who knows the headings."""
    own = {
        "areas": [f"level = {toml(level)}", f"encoding = {toml(ENCODING)}"],
        "stations": [f"encoding = {toml(CSV_ENCODING)}"],
        "candidates": [f"encoding = {toml(CSV_ENCODING)}"],
    }
    lines = [input_line(name, file) for name, file in files.items()]
    for name in ("areas", "buildings", "residents", "stations", "candidates"):
        columns = [f"{ours} = {toml(theirs)}" for ours, theirs in HEADINGS[name].items() if known_column(name, ours)]
        stated = [f"path = {toml(FILES[name])}", *own.get(name, []), f"columns = {{ {', '.join(columns)} }}"]
        lines += ["", f"[inputs.{name}]", *stated]
    return "\n".join(lines)


def _buildings(
    frames: Mapping[str, pd.DataFrame], random: np.random.Generator
) -> tuple[gpd.GeoDataFrame, list[Breakage]]:
    """Return the buildings under the offices' headings, and what is wrong with them."""
    broken = partial(Breakage, FILES["buildings"], "buildings")
    buildings = frames["buildings"]
    headings = HEADINGS["buildings"]
    named = [frames[name]["building_id"] for name in ("entrances", "residents", "stations", "candidates", "requests")]
    rows = Rows(len(buildings), random)
    nameless = rows.take(PART, among=~buildings["building_id"].isin(pd.concat(named)).to_numpy())
    worded, below, double = (rows.take(PART) for _ in range(3))
    ids = buildings["building_id"].to_numpy(dtype=object)
    levels = buildings["levels"].astype("int64").astype("str").to_numpy(dtype=object)
    levels[worded] += "层"
    levels[below] = "-" + levels[below]
    kept = ids.copy()
    kept[nameless] = ""
    uses = buildings["kind"].map(USES).fillna("其他")
    table = buildings[[*headings, "geometry"]].assign(building_id=kept, levels=levels, kind=uses)
    table = twice(table, double)
    without = [f"row {i + 1}" for i in np.flatnonzero(table["building_id"] == "")]
    return table.rename(columns=headings), [
        broken("missing-id", tuple(without), "the number left out", "give it one"),
        broken("not-a-number", tuple(ids[worded]), "a word behind the number of levels", "take the word away"),
        broken("negative-number", tuple(ids[below]), "levels below 0", "take the sign away"),
        broken("duplicate-id", tuple(ids[double]), "the building entered twice", "take one of the two rows out"),
    ]


def _as_text(frame: gpd.GeoDataFrame, headings: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of texts with the points as web maps show them: in GCJ-02, to six decimals."""
    table = plain(frame)
    lonlat = gcj02_of_wgs84(table[["lon", "lat"]].to_numpy(dtype=np.float64))
    lon, lat = np.char.mod("%.6f", lonlat.T)
    return table.assign(lon=lon, lat=lat)[list(headings)].astype("str").astype(object)


def _rooms(layer: str, table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, list[Breakage]]:
    """Spoil stations or candidates."""
    broken = partial(Breakage, FILES[layer], layer)
    ids = table.iloc[:, 0].to_numpy()
    rows = Rows(len(table), random)
    empty, swapped, lost, worded, double = (rows.take(PART) for _ in range(5))
    table.loc[empty, ["lon", "lat"]] = ""
    table.loc[swapped, ["lon", "lat"]] = table.loc[swapped, ["lat", "lon"]].to_numpy()
    table.loc[lost, "building_id"] = "已拆除"
    table.loc[worded, "capacity"] = "约" + table.loc[worded, "capacity"]
    return twice(table, double), [
        broken("not-finite", tuple(ids[empty]), "no longitude and latitude", "look them up"),
        broken("swapped-axes", tuple(ids[swapped]), "longitude and latitude swapped", "swap them back"),
        broken("unknown-id", tuple(f"{i} -> 已拆除" for i in ids[lost]), "a word for a building", "look its number up"),
        broken("not-a-number", tuple(ids[worded]), "a word before the capacity", "take the word away"),
        broken("duplicate-id", tuple(ids[double]), "the place entered twice", "take one of the two rows out"),
        _shifted(FILES[layer], layer),
    ]


def _requests(layer: str, table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, list[Breakage]]:
    """Spoil requests, which `lifecircle check` does not read."""
    broken = partial(Breakage, FILES[layer], layer, found_by_check=False)
    ids = table.iloc[:, 0].to_numpy()
    time = pd.to_datetime(table["time"])
    table["time"] = time.dt.strftime("%Y-%m-%d %H:%M").astype(object)
    rows = Rows(len(table), random)
    empty, nought, far, dated, double = (rows.take(PART) for _ in range(5))
    table.loc[empty, ["lon", "lat"]] = ""
    table.loc[nought, ["lon", "lat"]] = "0"
    table.loc[far, "lon"] = table.loc[far, "lon"].str[0] + table.loc[far, "lon"].str[2:]
    forms = np.array(DATE_FORMS, dtype=object)[np.arange(len(dated)) % len(DATE_FORMS)]
    table.loc[dated, "time"] = [t.strftime(form) for t, form in zip(time[dated], forms, strict=True)]
    return twice(table, double), [
        broken("not-finite", tuple(ids[empty]), "no longitude and latitude", "look them up"),
        broken("wrong-place", tuple(ids[nought]), "0, 0 for a place that is not known", "look it up"),
        broken("far-place", tuple(ids[far]), "a digit of the longitude left out", "put it back"),
        broken("mixed-dates", tuple(ids[dated]), "dates written in another way than the rest", "write them alike"),
        broken("duplicate-id", tuple(ids[double]), "the request entered twice", "take one of the two rows out"),
        _shifted(FILES[layer], layer),
    ]


def _shifted(file: str, layer: str) -> Breakage:
    return Breakage(
        file,
        layer,
        "unstated-datum",
        ("every row",),
        "points of a web map, in GCJ-02, some 500 m off; nothing says so",
        "shift them back to WGS 84",
        found_by_check=False,
    )
