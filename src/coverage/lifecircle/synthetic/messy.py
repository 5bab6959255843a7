"""A made-up city the way offices keep it: their formats, their headings, their slips, and a sheet of what is wrong.

About two rows in a hundred of every table are broken, each in one way, and homes that no station may use are among the
rooms. What `lifecircle check` tells of the folder is
what the sheet of answers says it finds, no more and no less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.datum import gcj02_of_wgs84
from lifecircle.mark import MARK
from lifecircle.readers.shifts import LEAST_PLACES
from lifecircle.schema import known_column
from lifecircle.synthetic.boundaries import boundaries_of, write_boundaries
from lifecircle.synthetic.breakage import Breakage, Rows, twice
from lifecircle.synthetic.city import City, random_of
from lifecircle.synthetic.ledger import write_ledger
from lifecircle.synthetic.rooms import ROOMS
from lifecircle.synthetic.tell import readme, toml
from lifecircle.synthetic.words import HEADINGS, USES, in_words
from lifecircle.synthetic.write import (
    DATUM,
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
    "buildings": "楼栋.gpkg",
    "residents": "居民台账.xlsx",
    "stations": "服务站.csv",
    "candidates": "可用房间.csv",
    "requests": "诉求工单.csv",
    "itinerary": "巡回安排.csv",
}

CSV_ENCODING = "gb18030"
DATE_FORMS = ("%Y/%m/%d %H:%M", "%Y年%m月%d日", "%Y.%m.%d", "%Y%m%d")
PART = 0.004
"""Share of a table's rows that one slip spoils."""

REFUSED = 1 / 3
"""Share of homes among the rooms whose owner said no or was not asked, made up."""

REMARK = f"""This is the city as offices keep it. `{ANSWERS}` says what is wrong with it and what mends each; what
`lifecircle check .` finds is marked `found_by_check`. The larger areas are in files of their own: {{above}}.
本文件夹按各部门的保存方式给出；`{ANSWERS}` 列出全部错误及改法，供对照。上级区划另存为：{{above}}。"""


def write_messy(folder: Path, city: City, command: str) -> None:
    """Write a city into an empty folder as offices keep it, with the sheet of answers beside.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    random, frames = random_of(city.seed, "messy"), in_degrees(city)
    levels = city.programme.levels
    files = {"streets": STREETS, "elevation": HEIGHTS, "areas": boundaries_of(levels[-1])}
    write_ground(folder, city)
    for name in ("entrances", "barriers"):
        if len(frames[name]):
            files[name] = LAYERS[name]
            write_layer(folder / files[name], frames[name])
    files |= {name: file for name, file in FILES.items() if len(frames[name])}
    buildings, found = _buildings(frames, random)
    write_layer(folder / files["buildings"], buildings)
    found += write_boundaries(folder, frames["areas"], random)
    found += write_ledger(folder / files["residents"], frames, random)
    above = [boundaries_of(level) for level in levels[:-1]]
    found.append(_forgotten(above))
    spoilers = {"stations": _rooms, "candidates": _rooms, "requests": _requests, "itinerary": _rounds}
    for name, spoil in spoilers.items():
        if name in files:
            table, spoilt = spoil(name, _as_text(frames[name], HEADINGS[name]), random)
            write_table(folder / files[name], table.rename(columns=HEADINGS[name]), encoding=CSV_ENCODING)
            found += spoilt
    write_words(
        folder,
        city,
        inputs=_inputs(files, levels[-1]),
        readme=readme(city, command, files, REMARK.format(above="、".join(f"`{file}`" for file in above))),
    )
    write_record(folder / ANSWERS, {MARK: True, "breakages": [asdict(b) for b in found if b.ids]})


def _forgotten(files: Sequence[str]) -> Breakage:
    """Return that the study file names none of these files of its folder."""
    what = "files of the larger areas that the study file does not name"
    return Breakage("study.toml", "study.toml", "unnamed-file", tuple(sorted(files)), what, "name them under [inputs]")


def _inputs(files: Mapping[str, str], level: str) -> str:
    """Return the inputs of the study file, as an official would state them who knows the headings."""
    own = {
        "buildings": [DATUM],
        "areas": [f"level = {toml(level)}"],
        "stations": [f"encoding = {toml(CSV_ENCODING)}"],
        "candidates": [f"encoding = {toml(CSV_ENCODING)}"],
    }
    drawn = [name for name in files if name in LAYERS and name not in HEADINGS]
    lines = [input_line(name, file) for name, file in files.items() if name not in HEADINGS and name not in drawn]
    for name in drawn:
        lines += ["", f"[inputs.{name}]", f"path = {toml(files[name])}", DATUM]
    for name in ("areas", "buildings", "residents", "stations", "candidates"):
        columns = [f"{ours} = {toml(theirs)}" for ours, theirs in HEADINGS[name].items() if known_column(name, ours)]
        stated = [f"path = {toml(files[name])}", *own.get(name, []), f"columns = {{ {', '.join(columns)} }}"]
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
        broken("unit-in-number", tuple(ids[worded]), "a word behind the number of levels", "take the word away"),
        broken("negative-number", tuple(ids[below]), "levels below 0", "take the sign away"),
        broken("duplicate-id", tuple(ids[double]), "the building entered twice", "take one of the two rows out"),
    ]


def _as_text(frame: gpd.GeoDataFrame, headings: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of texts in the offices' words, the points as web maps show them: in GCJ-02, to six decimals."""
    table = in_words(plain(frame))
    lonlat = gcj02_of_wgs84(table[["lon", "lat"]].to_numpy(dtype=np.float64))
    lon, lat = np.char.mod("%.6f", lonlat.T)
    return table.assign(lon=lon, lat=lat)[list(headings)].astype("str").astype(object)


def _rooms(layer: str, table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, list[Breakage]]:
    """Spoil stations or candidates."""
    broken = partial(Breakage, FILES[layer], layer)
    ids = table.iloc[:, 0].to_numpy()
    rows = Rows(len(table), random)
    empty, swapped, lost, worded, double = (rows.take(PART) for _ in range(5))
    refused = unasked = np.empty(0, dtype=np.int64)
    if "consent" in table:
        homes = (table["kind"] == ROOMS["home"].zh).to_numpy()
        refused = rows.take(REFUSED * homes.mean(), among=homes)
        refused, unasked = refused[::2], refused[1::2]
        table.loc[refused, "consent"], table.loc[unasked, "consent"] = "否", ""
    table.loc[empty, ["lon", "lat"]] = ""
    table.loc[swapped, ["lon", "lat"]] = table.loc[swapped, ["lat", "lon"]].to_numpy()
    table.loc[lost, "building_id"] = "已拆除"
    table.loc[worded, "capacity"] = "约" + table.loc[worded, "capacity"]
    spoilt = twice(table, double)
    building = table["building_id"].to_numpy()[empty]
    housed = building != ""
    at_home = tuple(f"{i} -> {b}" for i, b in zip(ids[empty[housed]], building[housed], strict=True))
    return spoilt, [
        broken("placed-at-building", at_home, "no longitude and latitude, but a building", "look them up"),
        broken("no-geometry", tuple(ids[empty[~housed]]), "no longitude and latitude, and no building", "look them up"),
        broken("swapped-axes", tuple(ids[swapped]), "longitude and latitude swapped", "swap them back"),
        broken("unknown-id", tuple(f"{i} -> 已拆除" for i in ids[lost]), "a word for a building", "look its number up"),
        broken("unit-in-number", tuple(ids[worded]), "a word before the capacity", "take the word away"),
        broken("duplicate-id", tuple(ids[double]), "the place entered twice", "take one of the two rows out"),
        broken("no-consent", tuple(ids[refused]), "a home whose owner refused: no station can be there", "take it out"),
        broken("unstated-consent", tuple(ids[unasked]), "a home whose owner was not asked", "ask, or take the row out"),
        broken(
            "hours-in-words",
            tuple(spoilt.iloc[:, 0]),
            "opening hours in words, as in 周一至周五 8:00-18:00",
            "nothing: they are read",
        ),
        _shifted(FILES[layer], layer, telling=len(table) - len(empty) - len(swapped) + len(double) >= LEAST_PLACES),
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
        broken("no-geometry", tuple(ids[empty]), "no longitude and latitude", "look them up"),
        broken("zero-coordinates", tuple(ids[nought]), "0, 0 for a place that is not known", "look it up"),
        broken("far-place", tuple(ids[far]), "a digit of the longitude left out", "put it back"),
        broken("mixed-dates", tuple(ids[dated]), "dates written in another way than the rest", "write them alike"),
        broken("duplicate-id", tuple(ids[double]), "the request entered twice", "take one of the two rows out"),
        replace(_shifted(FILES[layer], layer, telling=False), found_by_check=False),
    ]


def _rounds(layer: str, table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, list[Breakage]]:
    """Spoil the rounds of the teams, which `lifecircle check` does not read; a row goes by its number."""
    broken = partial(Breakage, FILES[layer], layer, found_by_check=False)
    number = np.array([f"row {i + 1}" for i in range(len(table))], dtype=object)
    rows = Rows(len(table), random)
    empty, lost, wide, other = (rows.take(PART) for _ in range(4))
    table.loc[empty, ["lon", "lat"]] = ""
    table.loc[lost, "stop_id"] = "已撤销"
    table.loc[wide, ["from", "to"]] = table.loc[wide, ["from", "to"]].replace(":", "：", regex=True)
    table.loc[other, "weekday"] = table.loc[other, "weekday"].str.replace("周", "星期")
    return table, [
        broken("no-geometry", tuple(number[empty]), "no longitude and latitude", "those of the stop"),
        broken("unknown-id", tuple(number[lost]), "a word for a stop", "look its number up"),
        broken("full-width-digits", tuple(number[wide]), "colons as wide as characters", "write plain colons"),
        broken("mixed-days", tuple(number[other]), "days written in another way than the rest", "write them alike"),
        replace(_shifted(FILES[layer], layer, telling=False), found_by_check=False),
    ]


def _shifted(file: str, layer: str, *, telling: bool) -> Breakage:
    """Return that a table is in GCJ-02; ``telling`` is whether enough of it has a place for check to see that."""
    rule = "looks-like-gcj02" if telling else "unstated-datum"
    what = "points of a web map, in GCJ-02, some 500 m off; nothing says so"
    return Breakage(file, layer, rule, (file,), what, 'datum = "gcj02"')
