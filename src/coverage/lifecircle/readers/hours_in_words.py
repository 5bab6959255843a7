"""Opening hours as a Chinese door says them, 周一至周五 8:30-17:30；周六上午 9点-12点, in the form of OpenStreetMap."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import pandas as pd

from lifecircle.errors import Breach, Severity
from lifecircle.hours import DAYS, problem_of_hours
from lifecircle.said import Said
from lifecircle.schema import OF_PERSONS, breach

_DAYS = tuple(day[:2] for day in DAYS)
_DAY = f"(?:{'|'.join(_DAYS)})"
_DAYS_IN_OSM, _LONG_DAY = re.compile(f"{_DAY}(?:[-,]{_DAY})*"), re.compile("|".join(DAYS))
_NUMBER = {sign: i for signs in ("一二三四五六日", "1234567") for i, sign in enumerate(signs)} | {"天": 6}
_SEVERAL = (
    (r"每天|每日|天天|全年无休|全年|全周", "Mo-Su"),
    (r"工作日|平日", "Mo-Fr"),
    (r"双休日|周末(?!双休)", "Sa,Su"),
    (r"(?:法定)?(?:节假日|假日|节日)", "PH"),
)
_WEEK, _ONE = "(?:周|星期|礼拜)", "[一二三四五六日天]"
_WEEKDAYS = (
    rf"{_WEEK}[一二三四五六日天1-7](?:-(?:{_WEEK}[1-7]|{_WEEK}?{_ONE})|[,和及与]?(?:{_WEEK}[1-7]|{_WEEK}?{_ONE}))*"
)
_STEP = re.compile(rf"([-,和及与]?){_WEEK}?([一二三四五六日天1-7])")

_STOPS = (";", ",", "。")
_NIGHT = "凌晨"
_MORNING, _NOON, _EVENING = f"{_NIGHT}|清晨|早上|早晨|上午|早", "中午", "午后|下午|傍晚|晚上|夜间|晚"
_CLOCK = (
    rf"(次日|第二天)?({_MORNING}|{_NOON}|{_EVENING})?([0-9]{{1,2}})"
    r"(?:[:.]([0-9]{2})(?![0-9])|[点时](半|[0-9]{1,2}分|[0-9]{2}(?![0-9:.点时]))?)?"
)
"""What stands behind 点 is minutes, unless it begins the next time: 9点-12点14:00-17:00."""

_TOKENS = re.compile(
    "|".join(
        (
            *(f"(?P<several{i}>{words})" for i, (words, _) in enumerate(_SEVERAL)),
            f"(?P<days>{_WEEKDAYS})",
            f"(?P<span>{_CLOCK}-{_CLOCK})",
            "(?P<weekend_off>(?:周末)?双休)",
            "(?P<always>全天候?|24小时|二十四小时)",
            "(?P<usual>不休息?|无休|照常(?:上班|开放|服务)?)",
            "(?P<off>休息|闭馆|关闭|不开放|不上班|不营业|除外|休)",
            "(?P<call>需?(?:提前)?预约)",
            r"(?P<filler>[;,。/()和及与为]|(?<![0-9]):|:(?![0-9])|服务时间|开放时间|营业时间|办公时间|开放|营业|服务|办公)",
        )
    )
)
_PARTING, _BLANKS = re.compile(r"(?<=[0-9点时半分息休])\s+(?=[0-9])(?![0-9]+分)"), re.compile(r"\s+")
"""Before a time a blank parts it from the time or the rest before it, anywhere else it says nothing."""

_TO = re.compile(r"[-~—–─至到]+")
_NOON_HOUR, _DAY_MIN = 12, 24 * 60
_TWELVE = re.compile(r"-([0-9]{1,2}):[0-9]{2},([1-9]):[0-9]{2}-")
"""Where a span ends and the next begins at an hour of one digit: 8:00-12:00,2:00-6:00."""

_ANY_HALF = re.compile(r"(?<![0-9:早晨午后上晚间])([1-5]):([0-9]{2})-([1-9]|1[01]):([0-9]{2})(?![0-9])")
"""A span that begins at an hour of one digit, before any office opens, and may be of an afternoon: 2:00-6:00."""

_OVERRULED = re.compile(r";[0-9]{1,2}:[0-9]{2}-")
"""A rule for every day behind another: OpenStreetMap lets it stand in the other's place, people mean both."""

_MIDDAY, _REST, _FROM_TO = "(?:中午|午间)?", "(?:午休|休息)", "([0-9]{1,2}:[0-9]{2})-([0-9]{1,2}:[0-9]{2})"
_AT_NOON = re.compile(rf"{_FROM_TO}[(,;]?{_MIDDAY}(?:{_REST}(?:时间)?:?{_FROM_TO}|{_FROM_TO}{_REST})\)?")
"""A day with a rest in it: 8:30-17:00（午休11:30-13:30）."""

_THROUGH_NOON = re.compile(r"[(,;]?(?:中午|午间)(?:不休息?|无休|不间断|连班)\)?")

NOT_READ = 'opening hours are written as in "Mo-Fr 06:00-22:00; Sa 08:00-12:00" or "24/7"; others count as none stated'
"""What is told of hours in a table of persons, where a name may stand in any cell."""


class _Rule(NamedTuple):
    """Times, and the days on which they hold: which they are, and as OpenStreetMap says it, empty for all."""

    held: frozenset[str]
    on: str
    times: tuple[str, ...]


def check_hours(
    layer: str, texts: pd.Series, told: pd.Series, *, unread: Severity = "error"
) -> tuple[pd.Series, list[Breach]]:
    """Return a column of opening hours as OpenStreetMap writes them, empty where nobody can read them.

    Parameters
    ----------
    told
        What names each row.
    unread
        What hours are that cannot be read.
    """
    form = {words: hours_in_osm(words) for words in texts.unique()}
    read = texts.map(form).astype("str")
    lost = (read == "") & (texts != "")
    mended = (read != texts) & ~lost
    first = texts[mended].head(1).str.cat()
    message = words_read(first, form.get(first, ""))
    problem = NOT_READ if layer in OF_PERSONS else problem_of_words(texts[lost].head(1).str.cat())
    return read, [
        *breach(layer, "hours-in-words", message, told[mended], "repair"),
        *breach(layer, "bad-hours", problem, told[lost], unread),
    ]


def words_read(words: str, hours: str) -> Said:
    """Return what is told of words, and of the hours that they were read as."""
    return Said("opening hours in words, read as in: {} is {}", words, hours)


def hours_in_osm(words: str) -> str:
    """Return opening hours as OpenStreetMap writes them, be they so or in words; empty where nobody can read them."""
    narrow = _TO.sub("-", unicodedata.normalize("NFKC", words))
    if problem_of_clock(words):
        return ""
    forms = () if _OVERRULED.search(_BLANKS.sub("", narrow)) else (words, narrow)
    return next((form for form in forms if form and not problem_of_hours(form)), "") or hours_of_words(words)


def problem_of_clock(words: str) -> str:
    """Return what is wrong with hours that may be told by a clock of twelve, 2:00-6:00, empty when nothing is."""
    bare = _BLANKS.sub("", _TO.sub("-", unicodedata.normalize("NFKC", words)))
    if half := _ANY_HALF.search(bare):
        hour, minute, until, end = half.groups()
        early = f"{hour.zfill(2)}:{minute}-{until.zfill(2)}:{end}"
        late = f"{int(hour) + _NOON_HOUR}:{minute}-{int(until) + _NOON_HOUR}:{end}"
        return Said("{!r} can be read in two ways: write {} or {}", words, early, late)
    if any(int(begins) < int(ends) for ends, begins in _TWELVE.findall(bare)):
        return Said("{!r} can be read in two ways: write the afternoon as 14:00-17:30", words)
    return ""


def problem_of_words(words: str) -> str:
    """Return why nobody can read opening hours, and how to write them."""
    together = Said("{!r} can be read in two ways: part times of the same days with a comma", words)
    return problem_of_clock(words) or problem_of_hours(words) or together


def hours_of_words(words: str) -> str:
    """Return opening hours in the form of OpenStreetMap, empty where it is not certain what the words say.

    Examples
    --------
    >>> hours_of_words("周一至周五 8:30—17:30；周六上午9点到11点半")
    'Mo-Fr 08:30-17:30; Sa 09:00-11:30'
    >>> hours_of_words("上午8:30-11:30 下午2:00-5:00，周末休息")
    '08:30-11:30,14:00-17:00; Sa,Su off'
    """
    parted = _PARTING.sub(",", unicodedata.normalize("NFKC", words)).replace("、", ",")
    plain = _THROUGH_NOON.sub("", _AT_NOON.sub(_parted_at_noon, _TO.sub("-", _BLANKS.sub("", parted))))
    rules: list[_Rule] = []
    as_usual: list[_Rule] = []
    days: list[str] = []
    before = ""
    for kind, said, found in _parts(plain):
        if kind == "days":
            days.append(said)
        elif kind == "weekend_off":
            rules.append(_rule(["Sa,Su"], "off"))
        elif kind == "usual":
            as_usual.append(_rule(days))
            days = []
        elif kind != "filler":
            # Rest told behind a time, or with a time right behind it, may be that of noon: 周六休息12:00-14:00.
            if not said or (kind == "off" and not days) or (kind == "span" and before == "off"):
                return ""
            if days or not rules or rules[-1].times == ("off",):
                rules.append(_rule(days, said))
                days = []
            else:
                rules[-1] = rules[-1]._replace(times=(*rules[-1].times, said))
        if kind != "filler" or found in _STOPS:
            before = kind
    if days and len(rules) == 1 and (not rules[0].on or rules[0].held == _rule(days).held):  # 8:30-17:30（周一至周五）
        rules, days = [_rule(days, *rules[0].times)], []
    rules = _together(rules)
    if days or not _agree(rules, as_usual):
        return ""
    if rules == [_rule([], "00:00-24:00")]:
        return "24/7"
    # A later rule beats an earlier one: the more days it holds on, the earlier it goes.
    rules.sort(key=lambda rule: (rule.on == "PH", rule.times == ("off",), -len(rule.held)))
    hours = "; ".join(f"{rule.on} {','.join(rule.times)}".strip() for rule in rules)
    return "" if problem_of_hours(hours) else hours


def days_of_words(words: str) -> tuple[str, ...]:
    """Return the days of the week that words name, of `lifecircle.hours.DAYS`; none where that is not certain.

    Examples
    --------
    >>> days_of_words("周一至周三"), days_of_words("工作日") == days_of_words("Mo-Fr")
    (('Mon', 'Tue', 'Wed'), True)
    >>> days_of_words("Fri"), days_of_words("Sat,Sun"), days_of_words("节假日")
    (('Fri',), ('Sat', 'Sun'), ())
    """
    plain = _TO.sub("-", _BLANKS.sub("", unicodedata.normalize("NFKC", words))).replace("、", ",")
    osm = _LONG_DAY.sub(lambda day: day[0][:2], plain)
    parts = [("days", osm, osm)] if _DAYS_IN_OSM.fullmatch(osm) else [*_parts(plain)]
    named = [said for kind, said, _ in parts if kind == "days"]
    held = _rule(named).held
    if not named or held - {*_DAYS} or any(kind not in ("days", "filler") for kind, _, _ in parts):
        return ()
    return tuple(day for day in DAYS if day[:2] in held)


def _parted_at_noon(day: re.Match[str]) -> str:
    """Return the two spans of a day with a rest in it; the words as they are where the rest is not within the day."""
    begin, end, *rest = (found for found in day.groups() if found)
    clocks = [int(hour) * 60 + int(minute) for hour, minute in (c.split(":") for c in (begin, *rest, end))]
    return f"{begin}-{rest[0]},{rest[1]}-{end}" if clocks == sorted({*clocks}) else day[0]


def _rule(days: Sequence[str], *times: str) -> _Rule:
    """Return a rule of some days, of all where none are told."""
    on = ",".join(dict.fromkeys(days))
    held = set[str]()
    for part in (on or "Mo-Su").split(","):
        first, last = part[:2], part[-2:]
        n = (_DAYS.index(last) - _DAYS.index(first)) % len(_DAYS) + 1 if first in _DAYS else 0
        held.update((_DAYS * 2)[_DAYS.index(first) :][:n] if n else (part,))
    return _Rule(frozenset(held), on, times)


def _together(rules: Iterable[_Rule]) -> list[_Rule]:
    """Return the rules, those of the same days as one: 周一至周五8:00-12:00，周一至周五14:00-18:00."""
    one: dict[frozenset[str], _Rule] = {}
    for rule in rules:
        before = one.get(rule.held, rule._replace(times=()))
        one[rule.held] = before._replace(times=(*before.times, *rule.times))
    return list(one.values())


def _agree(rules: Sequence[_Rule], as_usual: Iterable[_Rule]) -> bool:
    """Return whether it is certain what the rules say together.

    In each the hours must be in order: 8:00-12:00, 2:00-6:00 is told by a clock of twelve. Two must share no days, or
    one of them stand for the other on a few of its days. What is as usual must be so by a rule for every day.
    """
    if all(rule.times == ("off",) for rule in rules):
        return False
    spans = {rule.held: [_minutes_of(time) for time in rule.times] for rule in rules}
    if any(end > begin for times in spans.values() for (_, end), (begin, _) in pairwise(times)):
        return False
    for many, few in combinations(sorted(rules, key=lambda rule: -len(rule.held)), 2):
        met = any(a < d and c < b for a, b in spans[many.held] for c, d in spans[few.held])
        instead = few.held < many.held and many.times != ("off",) and met
        if many.held & few.held and not instead:
            return False
    daily = any(rule.held >= {*_DAYS} and rule.times != ("off",) for rule in rules)
    resting = {day for rule in rules if rule.times == ("off",) for day in rule.held}
    return all(daily and not rule.held & resting for rule in as_usual)


def _minutes_of(time: str) -> tuple[int, int]:
    """Return the minutes since midnight at which a span begins and ends; rest and appointments take the whole day."""
    if not time[0].isdecimal():
        return 0, _DAY_MIN
    first, last = (60 * int(clock[:2]) + int(clock[3:]) for clock in time.split("-"))
    return first, last if last > first else last + _DAY_MIN


def _parts(plain: str) -> Iterator[tuple[str, str, str]]:
    """Yield what the words consist of: its kind, how OpenStreetMap says it (empty: not at all), and the words."""
    place = 0
    while place < len(plain):
        token = _TOKENS.match(plain, place)
        if token is None:
            yield "unknown", "", plain[place:]
            return
        place, kind = token.end(), str(token.lastgroup)
        if kind.startswith("several"):
            yield "days", _SEVERAL[int(kind.removeprefix("several"))][1], token[0]
        elif kind == "days":
            yield kind, _weekdays(token[0]), token[0]
        elif kind == "span":
            yield kind, _span(token[0]), token[0]
        else:
            said = {"always": "00:00-24:00", "off": "off", "call": '"by appointment"'}.get(kind, "")
            yield kind, said, token[0]


def _weekdays(words: str) -> str:
    """Return 周一至周五, 周一、三、五 or 周六日 as ``Mo-Fr``, ``Mo,We,Fr`` or ``Sa,Su``."""
    said = ""
    for join, sign in _STEP.findall(words):
        said += ("-" if join == "-" else "," if said else "") + _DAYS[_NUMBER[sign]]
    return said


def _span(words: str) -> str:
    """Return 上午8:30-11点 as ``08:30-11:00``, empty where it ends before it begins and says nothing of the next day.

    What stands before the first hour holds for the second too: 下午2:00-5:00.
    """
    found = re.fullmatch(f"{_CLOCK}-{_CLOCK}", words)
    if not found or words.replace("-", "").isdecimal():  # 8-20 may be a date
        return ""
    day_after, early, *opens, next_day, late, hour, minute, after = (part or "" for part in found.groups())
    usual = "" if next_day else early
    first, last = _minutes(early, *opens), _minutes(late or usual, hour, minute, after, ends=True)
    unclear = day_after or (not late and usual == _NIGHT and int(hour) == _NOON_HOUR)
    if unclear or not 0 <= first < _DAY_MIN or last < 0 or last == first or (last < first) != bool(next_day):
        return ""
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (first, last))


def _minutes(part_of_day: str, hour: str, minute: str, after: str, *, ends: bool = False) -> int:
    """Return the minutes since midnight, -1 for no time of the day."""
    hours, minutes = int(hour), int(minute or ("30" if after == "半" else after.removesuffix("分") or "0"))
    late = re.fullmatch(_EVENING, part_of_day) or (part_of_day == _NOON and hours < _NOON_HOUR - 2)
    if late and (hours < _NOON_HOUR or (hours == _NOON_HOUR and part_of_day.startswith(("晚", "夜")))):
        hours += _NOON_HOUR
    elif part_of_day == _NIGHT and hours == _NOON_HOUR:
        hours = 2 * _NOON_HOUR if ends else 0
    total = 60 * hours + minutes
    return total if minutes < 60 and total <= _DAY_MIN else -1
