"""The words of offices: what they call the columns of tables, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pandas as pd

from lifecircle.synthetic.households import GROUPS
from lifecircle.synthetic.rooms import ROOMS

COUNT, HOUSEHOLD = "人口", "户主编号"

_BUILDING, _AREA, _POINT = {"building_id": "所在楼栋"}, {"area_id": "社区代码"}, {"lon": "经度", "lat": "纬度"}
_ROOM = {
    "kind": "类别",
    "tier": "层级",
    "items": "服务事项",
    "hours": "服务时间",
    "capacity": "可服务人数",
    "cost": "费用（元）",
    "agents": "代办员人数",
    **_BUILDING,
    **_AREA,
    **_POINT,
}

HEADINGS: Mapping[str, Mapping[str, str]] = {
    "areas": {**_AREA, "name": "社区名称"},
    "buildings": {
        "building_id": "楼栋编号",
        "name": "楼栋名称",
        "kind": "用途",
        "levels": "层数",
        "address": "地址",
        **_AREA,
    },
    "residents": {
        "area_id": "社区代码",
        "area": "社区",
        "address": "楼栋地址",
        "household": HOUSEHOLD,
        "residents": COUNT,
        **GROUPS,
    },
    "stations": {"station_id": "站点编号", "name": "站点名称", **_ROOM},
    "candidates": {"site_id": "房间编号", "name": "房间名称", **_ROOM, "consent": "是否同意"},
    "requests": {
        "request_id": "工单编号",
        "item": "诉求事项",
        "urgency": "紧急程度",
        "channel": "来源渠道",
        "time": "受理时间",
        "priority": "重点对象",
        **_BUILDING,
        **_AREA,
        **_POINT,
    },
    "itinerary": {
        "station_id": "站点编号",
        "weekday": "星期",
        "from": "开始时间",
        "to": "结束时间",
        "stop_id": "停靠站点编号",
        **_AREA,
        **_POINT,
    },
}
"""Our columns and the headings of the offices; streets, heights, doors and barriers are no office's and stay plain."""

LEVELS = {
    "district": "区",
    "county": "县",
    "subdistrict": "街道",
    "township": "乡镇",
    "service_area": "服务区",
    "community": "社区",
    "village": "村",
}
"""Levels of areas."""

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
"""Kinds of buildings; the others are 其他."""

_HOURS = {
    "24/7": "全天",
    "Mo-Su": "每天",
    "Mo": "周一",
    "Tu": "周二",
    "We": "周三",
    "Th": "周四",
    "Fr": "周五",
    "Sa": "周六",
    "Su": "周日",
    "PH": "节假日",
    "off": "休息",
    '"by appointment"': "预约",
    "; ": "；",
    ",": "、",
}
_HOURS_WORD = re.compile("|".join(map(re.escape, _HOURS)))


def hours_in_words(hours: str) -> str:
    """Return opening hours as a door says them.

    Examples
    --------
    >>> hours_in_words("Mo-Fr 08:00-18:00; Sa,Su 09:00-12:00")
    '周一至周五 8:00-18:00；周六、周日 9:00-12:00'
    """
    words = _HOURS_WORD.sub(lambda found: _HOURS[found[0]], hours)
    return re.sub(r"\b0(?=\d:)", "", re.sub("(?<=周.)-(?=周)", "至", words))


_WORDS: Mapping[str, Callable[[str], str]] = {
    "kind": {kind: room.zh for kind, room in ROOMS.items()}.__getitem__,
    "tier": (
        {level: f"{word}级" for level, word in LEVELS.items()}
        | {"household": "楼院级", "grid": "网格级", "health": "健康服务"}
    ).__getitem__,
    "hours": hours_in_words,
    "consent": {"yes": "是", "": ""}.__getitem__,
    "urgency": {"urgent": "紧急", "normal": "一般", "can wait": "可延后"}.__getitem__,
    "channel": {
        "phone": "电话",
        "hotline": "热线",
        "form": "网上表单",
        "wechat": "微信",
        "face to face": "当面",
        "qr code": "扫码",
    }.__getitem__,
    "priority": {
        "living_alone": "独居老人",
        "disabled": "残疾人",
        "low_income": "低保户",
        "65plus": "65岁以上老人",
        "": "",
    }.__getitem__,
    "weekday": hours_in_words,
}


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of rooms, requests or rounds whose kinds, hours and so on are in the offices' words."""
    own = [column for column in table if column in _WORDS]
    return table.assign(**{c: table[c].map({word: _WORDS[c](word) for word in table[c].unique()}) for c in own})
