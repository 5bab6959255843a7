"""Headings that tables bear in offices, Chinese and English, and the columns that they mean."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from lifecircle.errors import Breach
from lifecircle.mark import MARK
from lifecircle.said import Said
from lifecircle.schema import LAYERS, WKT, columns_of, known_column

NAME_BYTES = 10
"""Length of the longest heading of a dBASE table, the part of a Shapefile that holds its columns."""

_POSITION = {
    "lon": ("lng", "longitude", "经度", "x经度", "东经"),
    "lat": ("latitude", "纬度", "y纬度", "北纬"),
    "x": ("easting", "东坐标"),
    "y": ("northing", "北坐标"),
    WKT: ("geometry", "geom", "几何", "空间位置"),
}
_BUILDING = ("building", "楼栋编号", "楼栋代码", "楼栋编码", "楼栋号", "楼栋id", "建筑编号", "所在楼栋", "楼栋")
_AREA = ("社区代码", "社区编号", "社区编码", "社区id", "行政区划代码", "区划代码")
_ADDRESS = ("地址", "详细地址", "住址", "居住地址", "门牌地址", "小区/楼栋", "小区楼栋", "楼栋地址")
_COUNTS = {
    "residents": ("population", "人口", "人口数", "人数", "常住人口", "居民数", "总人口", "家庭人口", "户籍人口"),
    "residents_aged": ("60+", "60岁以上", "60岁及以上", "60周岁以上", "老年人", "老年人口", "老人"),
    "residents_65plus": ("65+", "65岁以上", "65岁及以上", "65周岁以上"),
    "residents_living_alone": ("living_alone", "独居", "独居老人", "独居人数"),
    "residents_disabled": ("disabled", "残疾", "残疾人", "残疾人数"),
    "residents_low_income": ("low_income", "低保", "低保人数", "低收入"),
}
_ROOM = {
    "kind": ("type", "类别", "类型", "性质"),
    "tier": ("level", "层级", "级别", "等级"),
    "items": ("services", "服务事项", "代办事项", "服务项目", "事项"),
    "hours": ("opening_hours", "服务时间", "开放时间", "营业时间"),
    "capacity": ("可服务人数", "服务能力", "容量"),
    "cost": ("费用", "费用（元）", "成本", "成本（元）"),
    "agents": ("代办员人数", "代办员数", "工作人员数"),
    "consent": ("是否同意", "同意"),
    "building_id": _BUILDING,
}

ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "streets": {"name": ("名称", "道路名称", "路名")},
    "areas": {
        "area_id": (*_AREA, "code", "代码", "编号", "编码"),
        "name": ("名称", "社区名称", "社区", "村名", "村", "单位名称"),
        "level": ("级别", "层级"),
        "parent_id": ("上级代码", "上级编号", "上级区划代码", "街道代码", "街道编号", "乡镇代码"),
    },
    "buildings": {
        "building_id": (*_BUILDING, "id", "编号"),
        "name": ("名称", "楼栋名称", "楼名", "建筑名称", "小区名称"),
        "kind": ("use", "用途", "类别", "类型", "建筑用途", "房屋用途", "性质"),
        "levels": ("floors", "层数", "楼层", "楼层数", "地上层数", "总层数"),
        "address": _ADDRESS,
    },
    "entrances": {"building_id": _BUILDING},
    "residents": {
        "household": ("household_id", "户号", "户编号", "户籍号", "户主编号"),
        "building_id": _BUILDING,
        "area_id": _AREA,
        "area": ("社区名称", "社区", "所属社区", "村"),
        "address": _ADDRESS,
        **_COUNTS,
    },
    "stations": {
        "station_id": ("id", "站点编号", "站点代码", "编号", "代码"),
        "name": ("名称", "站点名称", "站点", "站名"),
        **_ROOM,
    },
    "candidates": {
        "site_id": ("id", "房间编号", "点位编号", "编号", "代码"),
        "name": ("名称", "房间名称", "点位名称"),
        **_ROOM,
    },
    "barriers": {"kind": ("type", "类别", "类型")},
    "gates": {
        "gate_id": ("大门编号", "门编号", "出入口编号", "编号"),
        "way_id": ("道路编号", "osm_id"),
        "hours": ("opening_hours", "开放时间", "开门时间"),
        "open": ("是否开放", "开放"),
    },
    "closures": {
        "closure_id": ("封闭编号", "施工编号", "编号"),
        "way_id": ("道路编号", "osm_id"),
        "since": ("from", "start", "开始", "开始日期", "起始日期", "封闭日期"),
        "until": ("to", "end", "结束", "结束日期", "截止日期", "恢复日期"),
    },
    "overrides": {
        "id": ("编号", "对象编号"),
        "what": ("核实内容", "核查内容", "事项", "类别"),
        "value": ("核实结果", "核查结果", "结果", "值"),
        "who": ("核实人", "核查人", "调查人", "填表人"),
        "when": ("date", "核实日期", "核查日期", "调查日期", "日期"),
    },
    "agents": {
        "agent_id": ("id", "代办员编号", "志愿者编号", "队伍编号", "人员编号", "编号"),
        "kind": ("type", "人员类别", "类别", "类型", "身份"),
        "station_id": ("站点编号", "站点代码", "所属站点", "所在站点"),
        "area_id": _AREA,
        "skills": ("items", "擅长事项", "代办事项", "服务事项", "技能", "特长"),
        "hours": ("opening_hours", "值班时间", "值守时间", "服务时间", "在岗时间"),
        "capacity": ("可受理件数", "受理上限", "容量"),
    },
    "service": {
        "station_id": ("站点编号", "站点代码", "所属站点"),
        "how": ("服务方式", "方式", "类型"),
        "name": ("巡回点", "巡回点名称", "地点", "名称"),
        "hours": ("opening_hours", "服务时间", "巡回时间", "时间"),
        "items": ("services", "服务事项", "代办事项", "事项"),
    },
    "requests": {
        "request_id": ("id", "unique key", "sr number", "工单编号", "诉求编号", "编号"),
        "item": ("complaint type", "sr type", "诉求事项", "事项", "服务事项"),
        "at": ("time", "received", "时间", "受理时间", "诉求时间", "来电时间", "登记时间", "创建时间", "created date"),
        "urgency": ("紧急程度", "缓急程度", "紧急", "缓急"),
        "priority": ("重点服务对象", "重点对象", "优先"),
    },
}
"""Per layer, what each column may be called; compared without blanks, case and the width of characters."""


def plain_heading(heading: str) -> str:
    """Return a heading as headings are compared: half-width, no blanks, lower case."""
    return "".join(unicodedata.normalize("NFKC", heading).split()).casefold()


WORKED_OUT = frozenset(map(plain_heading, ("area_id", *_AREA, *ALIASES["residents"]["area"])))
"""Headings of the area that a row lies in, which a study works out of its place unless a layer has a column for it."""


def aliases_of(layer: str) -> dict[str, str]:
    """Return what each heading means, in the form of `plain_heading`, of the layer's own names too."""
    named = {**_POSITION, **ALIASES[layer], MARK: ()}
    return {
        plain_heading(heading): ours
        for ours, headings in named.items()
        if known_column(layer, ours)
        for heading in (ours, *headings)
    }


@cache
def _of_data() -> frozenset[str]:
    return frozenset(
        heading
        for layer in LAYERS
        for heading, ours in aliases_of(layer).items()
        if ours in _POSITION or any(c.name == ours and c.kind in ("id", "number") for c in columns_of(layer, [ours]))
    )


def is_of_data(text: str) -> bool:
    """Return whether a text is a heading of ids, numbers or places, of any layer; a sheet of remarks has none."""
    return plain_heading(text) in _of_data()


def cut_headings(layer: str, existing: Sequence[str], stated: Mapping[str, str]) -> dict[str, str]:
    """Return headings of a dBASE table that may be the beginnings of known ones, and of which of our columns.

    None is longer than `NAME_BYTES`; ``stated`` are the columns of which the study says how they are called.
    """
    meaning = aliases_of(layer)
    settled = {*stated, *(meaning.get(plain_heading(heading), "") for heading in existing)}
    rests: dict[str, set[str]] = {}
    for heading, ours in meaning.items():
        for encoding in ("utf-8", "gb18030"):
            if len(whole := heading.encode(encoding)) > NAME_BYTES and ours not in settled:
                rests.setdefault(whole[:NAME_BYTES].decode(encoding, errors="ignore"), set()).add(ours)
    return {
        heading: " or ".join(sorted(rests[plain]))
        for heading in existing
        if heading not in stated.values() and (plain := plain_heading(heading)) not in meaning and plain in rests
    }


def check_cut(layer: str, cut: Mapping[str, str], stated: Mapping[str, str], *, alone: bool) -> list[Breach]:
    """Tell of headings that may have been cut, as `cut_headings` returns them, and how ``columns`` would name them.

    ``alone`` is whether the study names one file of the layer: that of larger areas may then be another.
    """
    told = tuple(f"{ours} = {heading}" for heading, ours in cut.items())
    named = {**stated, **{ours: heading for heading, ours in cut.items()}}
    columns = ", ".join(f'{ours} = "{heading}"' for ours, heading in named.items())
    message = Said(
        "a Shapefile cuts headings after {} bytes; if this is what is left of one, say so: columns = {{ {} }}",
        *(NAME_BYTES, columns),
    )
    if layer == "areas" and alone and "parent_id" in cut.values():
        message = Said(
            "{}; where the larger areas that it names are in another file, write [[inputs.areas]] for [inputs.areas], "
            'and below it for that file one more [[inputs.areas]] with path = "..." and level = "..."; if nobody needs '
            'them: columns = {{ parent_id = "" }}',
            message,
        )
    return [Breach(layer, "cut-heading", message, told, len(told), "warning")] if told else []


def by_alias(layer: str, existing: Sequence[str], taken: Iterable[str]) -> tuple[dict[str, str], list[Breach]]:
    """Return our columns and the one heading of the file that means each; ``taken`` columns are settled already.

    A heading that is one of our names but for case or blanks is not worth a word; any other is told. Where several
    headings mean the same, none is taken: the study must say which.
    """
    meaning, settled = aliases_of(layer), set(taken)
    meant: dict[str, list[str]] = {}
    for heading in existing:
        ours = meaning.get(plain_heading(heading), "")
        if ours and ours not in settled and heading not in settled:
            meant.setdefault(ours, []).append(heading)
    found = {ours: headings[0] for ours, headings in meant.items() if len(headings) == 1}
    told = [f"{ours} = {theirs}" for ours, theirs in found.items() if plain_heading(theirs) != ours]
    several = [f"{ours} = {' or '.join(headings)}" for ours, headings in meant.items() if len(headings) > 1]
    breaches = []
    if told:
        message = "headings taken for our columns; another meaning is to be stated under columns"
        breaches.append(Breach(layer, "alias", message, tuple(told), len(told), "note"))
    if several:
        message = "several headings could be meant; state one under columns"
        breaches.append(Breach(layer, "ambiguous-heading", message, tuple(several), len(several), "warning"))
    return found, breaches
