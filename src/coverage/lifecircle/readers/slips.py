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
    return [*found, Said("this is not TOML: {}", str(error))]
