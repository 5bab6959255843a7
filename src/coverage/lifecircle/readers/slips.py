"""What a keyboard or a file manager puts into study.toml by accident, line by line, and what to type instead."""

from __future__ import annotations

import re

from lifecircle.said import Said, sentence

_INSTEAD = {
    **dict.fromkeys("“”„＂", '"'),
    **dict.fromkeys("‘’＇", "'"),
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("［【", "["),
    **dict.fromkeys("］】", "]"),
    "＝": "=",
    "｛": "{",
    "｝": "}",
    "＃": "#",
    "．": ".",
}
"""Signs of a Chinese keyboard, and those of TOML."""

_SOUND = re.compile(r'''"""(?:[^\\]|\\[\s\S])*?"""|\'{3}[\s\S]*?\'{3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#.*''')
"""What may hold any sign: texts in quotation marks, those of several lines first, and remarks."""

_LINE = re.compile(r"at line (\d+)")
_ESCAPES = ("Unescaped", "Invalid hex value", "Escaped character")
"""So begins what the parser says of a backslash that means nothing."""

_KEY = re.compile(r"(?:^|[{,])\s*([^\s=,{}\[\]\"'.]*[\u4e00-\u9fff][^\s=,{}\[\]\"'.]*)\s*=")
"""A bare key with Chinese characters in it, at the start of a line or in a table on one."""

_MEANT = {
    **dict.fromkeys(("名称", "名字", "名"), "name"),
    **dict.fromkeys(("问题", "目标"), "question"),
    **dict.fromkeys(("生活圈", "圈"), "circle"),
    **dict.fromkeys(("预算", "资金", "经费"), "budget"),
    **dict.fromkeys(("比例", "覆盖率"), "share"),
    **dict.fromkeys(("新增", "数量", "新增数量", "站点数"), "n_new"),
    **dict.fromkeys(("费用", "成本"), "cost"),
    **dict.fromkeys(("层级", "级别"), "tiers"),
    **dict.fromkeys(("分钟", "时间"), "minutes"),
    **dict.fromkeys(("语言",), "language"),
    **dict.fromkeys(("街道", "道路"), "streets"),
    **dict.fromkeys(("建筑", "楼栋"), "buildings"),
    **dict.fromkeys(("居民", "人口"), "residents"),
    **dict.fromkeys(("服务站", "站点"), "stations"),
    **dict.fromkeys(("备选点", "候选点"), "candidates"),
}
"""Keys of the study file by what they are called in Chinese."""

BACKSLASH = "a backslash has a meaning of its own in a text; write / in paths, or put them in single quotation marks"


def slips_of(text: str, error: ValueError) -> list[str]:
    """Return what is wrong with a text that is not TOML, and what to type instead; ``error`` is the parser's."""
    signs: dict[tuple[int, str], str] = {}
    bare = _SOUND.sub(lambda sound: "\n" * sound[0].count("\n"), text.replace("\r\n", "\n"))
    for number, line in enumerate(bare.split("\n"), start=1):
        for sign in line:
            if sign in _INSTEAD:
                seen = signs.get((number, _INSTEAD[sign]), "")
                signs[number, _INSTEAD[sign]] = seen if sign in seen else seen + sign
    found: list[str] = [
        Said("line {}: type {} in the place of {}", number, instead, wrong)
        for (number, instead), wrong in signs.items()
    ]
    place = _LINE.search(str(error))
    if signs and (place is None or int(place[1]) in {number for number, _ in signs}):
        return found
    if place and str(error).startswith(_ESCAPES):
        return [*found, Said("line {}: {}", int(place[1]), sentence(BACKSLASH))]
    if place and (foreign := _KEY.search(bare.split("\n")[int(place[1]) - 1])):
        return [*found, _foreign_key(int(place[1]), foreign)]
    return [*found, Said("this is not TOML: {}", str(error))]


def _foreign_key(line: int, foreign: re.Match[str]) -> Said:
    """Return how to write a key that is in Chinese: in English, or where it is a name of the data, in marks."""
    key = foreign[1]
    if key in _MEANT:
        return Said("line {}: keys are written in English: {} in the place of {}", line, _MEANT[key], key)
    if foreign[0].lstrip()[:1] in ("{", ","):
        return Said('line {}: put {} in quotation marks: "{}" =', line, key, key)
    return Said("line {}: keys are written in English (name, question, circle ...), not {}", line, key)
