"""The words of the page and the table of a check, Chinese and English; what rules are called stands in rules.toml."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "heading": ("数据检查", "Check of the data"),
    "switch": ("English", "中文"),
    "number": ("序号", "No."),
    "kind": ("类别", "Kind"),
    "layer": ("图层", "Layer"),
    "what": ("问题与处理办法", "What, and what to do"),
    "count": ("数量", "Count"),
    "ids": ("首批编号", "First ids"),
    "done": ("已作处理", "What was done"),
    "where": ("位置", "Where"),
    "rule": ("规则", "Rule"),
    "file": ("文件", "File"),
    "sheet": ("工作表", "Sheet"),
    "row": ("行", "Row"),
    "column": ("列", "Column"),
    "id": ("编号", "Id"),
    "value": ("原值", "Value"),
    "message": ("说明", "Message"),
    "advice": ("处理办法", "What to do"),
    "nothing": ("未发现问题。", "Nothing to report."),
    "stopped": (
        "有错误，数据暂不能使用。请按下表逐项改正原文件后再次检查；检查从不改动您的文件。",
        "There are errors, and the data cannot be used yet. Put the files right, line by line of this table, and check "
        "again; a check never changes your files.",
    ),
    "usable": (
        "没有错误，可以计算。提醒与修复请逐项过目；检查从不改动您的文件。",
        "There are no errors: the study can be used. Look through the warnings and the repairs; a check never changes "
        "your files.",
    ),
    "next": (
        "下一步：在终端运行 lifecircle cover，后面写同一个研究文件夹。",
        "Next, in the terminal: lifecircle cover, with the folder of this study.",
    ),
    "private": (
        "居民数据各行的位置即住户住址，不在图上标出；请按编号在原表中查找。",
        "Rows of residents are people's homes: they are not on the map. Find them in your table by their ids.",
    ),
    "map": ("位置图", "Map of the places"),
    "map_help": (
        "拖动移动，滚轮或按钮缩放；点按标记查看对应的问题；重叠的标记放大后分开",
        "Drag to move, wheel or buttons to zoom; a mark leads to its line of the table; zoom in on piles of marks",
    ),
    "all": ("全部", "All"),
    "closer": ("放大", "Zoom in"),
    "farther": ("缩小", "Zoom out"),
    "more": ("共 {count}，全部见 check.csv", "of {count}; all in check.csv"),
    "first_places": ("图上前 {places} 处", "first {places} on the map"),
    "places": ("图上 {places} 处", "{places} on the map"),
}
"""Words by their key: Chinese, English. What stands in braces is filled in."""

COLUMNS = (
    *("number", "kind", "layer", "rule", "file", "sheet", "row", "column", "id", "value"),
    *("message", "done", "advice"),
)
"""Headings of check.csv, keys of `TEXTS`."""

SEVERITIES: Mapping[str, tuple[str, str]] = {
    "error": ("错误", "error"),
    "warning": ("提醒", "warning"),
    "repair": ("修复", "repair"),
    "note": ("说明", "note"),
}

COUNTS: Mapping[str, tuple[str, str]] = {
    "error": ("错误 {n}", "Errors {n}"),
    "warning": ("提醒 {n}", "Warnings {n}"),
    "repair": ("修复 {n}", "Repairs {n}"),
    "note": ("说明 {n}", "Notes {n}"),
}

DONE: Mapping[str, tuple[str, str]] = {
    "stopped": ("未采用，须改正", "not used: must be put right"),
    "mended": ("读入时已修复", "mended in the copy that is used"),
    "left out": ("未计入", "left out"),
    "assumed": ("按假设处理", "taken as the message says"),
    "kept": ("照原样采用", "used as it is"),
}

LAYERS: Mapping[str, tuple[str, str]] = {
    "study.toml": ("研究文件 study.toml", "study.toml"),
    "streets": ("道路", "streets"),
    "areas": ("区域", "areas"),
    "buildings": ("建筑", "buildings"),
    "entrances": ("出入口", "entrances"),
    "residents": ("居民", "residents"),
    "stations": ("服务站", "stations"),
    "candidates": ("备选点", "candidates"),
    "barriers": ("障碍物", "barriers"),
    "gates": ("大门", "gates"),
    "closures": ("封闭路段", "closures"),
    "overrides": ("现场核实", "overrides"),
    "agents": ("代办员", "agents"),
    "service": ("服务方式", "service"),
    "elevation": ("高程", "elevation"),
    "requests": ("诉求", "requests"),
}
