"""What is said of a made-up city: its study file, its README, and its figures, against which readers can be held."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from string import Template

import numpy as np
import pandas as pd
import pyogrio

from lifecircle.mark import MARK, REMARK
from lifecircle.model import Circle, Note
from lifecircle.synthetic.city import USUAL_SEED, USUAL_SIZE, City
from lifecircle.synthetic.names import area_tree

NEW_STATIONS = 10
"""Stations that the first scenario asks for, at size 1."""

HOLDS = {
    "streets": "道路",
    "elevation": "高程",
    "areas": "各级区划",
    "buildings": "楼栋",
    "entrances": "出入口",
    "barriers": "围墙、铁路、水体等障碍",
    "residents": "各楼栋居民人数",
    "stations": "现有服务站",
    "candidates": "可用房间",
    "service": "巡回点及时间",
    "requests": "一年的诉求",
    "itinerary": "巡回服务时间表",
}
"""What a file may hold, in the order of the study file, whose inputs the last two are not."""

NAMES = """

Names and codes of communities and villages are real ones, of the division of China for statistics as the package
china-division keeps them (licence WTFPL 2); where the areas lie, how large they are and who lives there is made up.
社区与村的名称和代码取自统计用区划（china-division，WTFPL 2），其位置、范围与人口均为虚构。"""

NOTE = Note(en="all of it is made up.", zh="其中一切均为虚构。")
NOTE_NAMED = Note(
    en="names and codes of communities and villages are real; where they lie, and all else, is made up.",
    zh="社区与村的名称、代码取自真实名录，其位置及其余一切内容均为虚构。",
)


def totals(city: City) -> dict[str, float]:
    """Return how much there is of everything."""
    residents = city.frames["residents"].drop(columns="building_id")
    return {
        "ways": len(city.streets.way_id),
        "street_km": round(_length_m(city) / 1000, 3),
        **{name: len(frame) for name, frame in city.frames.items() if name != "residents"},
        **{column: int(n) for column, n in residents.sum().items()},
    }


def figures(city: City) -> dict[str, object]:
    """Return what the city's files hold: totals, and sums by area, level, tier, kind and month."""
    frames = city.frames
    residents, requests = frames["residents"].set_index("building_id"), frames["requests"]
    by_top = residents.groupby(top_area(frames).reindex(residents.index), sort=True).sum()
    return {
        MARK: True,
        "programme": city.programme.name,
        "size": city.size,
        "seed": city.seed,
        "versions": {
            "lifecircle": version("lifecircle"),
            "numpy": np.__version__,
            "gdal": pyogrio.__gdal_version_string__,
        },
        "totals": totals(city),
        "areas": _counted(frames["areas"]["level"]),
        "buildings": _counted(frames["buildings"]["kind"]),
        "stations": {c: _counted(frames["stations"][c]) for c in ("tier", "kind")},
        "candidates": {c: _counted(frames["candidates"][c]) for c in ("kind", "consent")},
        "residents": {str(area): {c: int(n) for c, n in row.items()} for area, row in by_top.iterrows()},
        "requests": {
            "month": _counted(requests["time"].str.slice(0, 7)),
            **{c: _counted(requests[c]) for c in ("item", "urgency", "channel")},
        },
    }


def study_file(city: City, inputs: str) -> str:
    """Return study.toml; ``inputs`` is what stands under ``[inputs]``."""
    programme = city.programme
    named = len(area_tree(programme.name)) > 0
    return _template("study.toml").substitute(
        name=toml(title(city)),
        note_en=toml(f"{REMARK.en}: {NOTE_NAMED.en if named else NOTE.en}"),
        note_zh=toml(f"{REMARK.zh}：{NOTE_NAMED.zh if named else NOTE.zh}"),
        inputs=inputs,
        levels=", ".join(programme.levels),
        circles="\n".join(map(_circle, programme.circles)).strip(),
        circle=programme.promised,
        n_new=max(1, round(NEW_STATIONS * city.size)),
    )


def readme(city: City, command: str, files_of: Mapping[str, str], remark: str) -> str:
    """Return README.md; ``files_of`` says which file holds each input or table, ``remark`` ends it."""
    return _template("README.md").substitute(
        title_zh=city.programme.title_zh,
        title_en=city.programme.title_en,
        command=command,
        totals="\n".join(f"| {name} | {n:,} |" for name, n in totals(city).items()),
        files="\n".join(f"| `{files_of[name]}` | {name} {HOLDS[name]} |" for name in HOLDS if name in files_of),
        source=city.programme.source + (NAMES if len(area_tree(city.programme.name)) else ""),
        remark=remark,
    )


def title(city: City) -> str:
    """Return the study's name in both languages: results lie in a folder of that name, so no two cities share one."""
    size = [f"size {city.size:g}"] if city.size != USUAL_SIZE else []
    seed = [f"seed {city.seed}"] if city.seed != USUAL_SEED else []
    return ", ".join([f"{city.programme.title_zh}（合成） {city.programme.title_en} (synthetic)", *size, *seed])


def toml(text: str) -> str:
    """Return a text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def _circle(circle: Circle) -> str:
    """Return a circle as the study file states it."""
    lines = ["[[circle]]", f"name = {toml(circle.name)}", f"minutes = {circle.minutes:g}"]
    for key, words in (("tiers", circle.tiers), ("items", circle.items)):
        if words:
            lines.append(f"{key} = [{', '.join(map(toml, words))}]")
    if circle.at:
        lines.append(f"at = {toml(circle.at)}")
    return "\n".join([*lines, ""])


def _template(name: str) -> Template:
    return Template((files("lifecircle") / "templates" / "made" / name).read_text("utf-8"))


def _counted(words: pd.Series) -> dict[str, int]:
    """Return how often each word stands there, in the order of the alphabet."""
    return {str(word): int(n) for word, n in words.value_counts().sort_index().items()}


def top_area(frames: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Return the largest area that holds each building, by its id."""
    buildings, areas = frames["buildings"], frames["areas"]
    parent = areas.set_index("area_id")["parent_id"]
    area = buildings.set_index("building_id")["area_id"]
    while (above := area.map(parent).fillna("")).ne("").any():
        area = area.where(above == "", above)
    return area


def _length_m(city: City) -> float:
    """Return the length of all ways, metres."""
    streets = city.streets
    step_m = np.hypot(*np.diff(streets.xy_m[streets.node], axis=0).T)
    step_m[streets.indptr[1:-1] - 1] = 0.0
    return float(step_m.sum())
