"""Findings from the field: what somebody saw, who and when. They beat the files; a later one beats an earlier one.

They come as a sheet (``[inputs] overrides``) or in the study file (``[overrides] findings``), in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.conform import conform, headed, places_of
from lifecircle.errors import Breach
from lifecircle.readers.cells import numbers_of, without_unit
from lifecircle.readers.coordinates import understood
from lifecircle.readers.days import days_of, not_a_day
from lifecircle.readers.hours_in_words import hours_in_osm
from lifecircle.readers.inputs import Input
from lifecircle.readers.keys import Keys
from lifecircle.readers.metric import LON_LAT
from lifecircle.readers.personal import scrubbed, without_numbers
from lifecircle.said import Said, joined, sentence
from lifecircle.schema import POSITION, breach, nearest
from lifecircle.sheets import FORMULA_STARTS

LAYER = "overrides"

MOST = 1_000_000
"""No house has so many residents or floors, and no station serves so many people."""

_GUARDED = rf"^'(?=[{re.escape(''.join(FORMULA_STARTS))}])"
"""What our tables put before an id that a spreadsheet would take for a formula."""

_COLUMNS = ("id", "what", "value", "who", "when")
_KEYS = ("what", "id", "value", *POSITION, "who", "when", "note")


@dataclass(frozen=True)
class What:
    """What a finding may be of: the layer whose row its ``id`` names, and what its ``value`` may say.

    ``words`` are the values that have a meaning, and other ways to write them; ``free`` says what else a value may be.
    """

    layer: str
    aliases: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    free: str = ""
    placed: frozenset[str] = frozenset()
    """Values that need a place."""
    by_place: bool = False
    """Whether a place may stand for the id."""


class Fault(NamedTuple):
    """A rule, what is wrong by it, and which findings break it: booleans on their index."""

    rule: str
    message: str
    rows: pd.Series


_FREE: Mapping[str, tuple[Callable[[pd.Series], pd.Series], str]] = {
    "": (lambda values: values.isna(), ""),
    "number": (lambda values: numbers_of(values).between(0.0, MOST), Said("a number from 0 to {:,}", MOST)),
    "hours": (
        lambda values: values.map(hours_in_osm).astype("str") != "",
        'hours such as "Mo-Su 06:00-22:00"',
    ),
    "text": (lambda values: values != "", "a text"),
}
"""What values that are none of a finding's words may be: a test of them, and how it is told."""

_SAME = {"closed": "shut"}
"""Of a way and of a gate on it people say it in other words."""

_SHUT = ("关闭", "封闭", "锁闭", "关", "锁")
WHATS = {
    "way": What(
        "streets",
        ("道路", "通道"),
        {"open": ("开放", "通行", "开"), "closed": _SHUT, "private": ("内部", "不开放")},
    ),
    "gate": What(
        "streets",
        ("大门", "门"),
        {"open": ("开放", "常开", "开", "24/7"), "shut": ("closed", "off", "常闭", *_SHUT)},
        free="hours",
        by_place=True,
    ),
    "residents": What(
        "buildings", ("人口", "人数", "居民"), {"0": ("无人", "无人居住", "拆除", "已拆除")}, free="number"
    ),
    "levels": What("buildings", ("层数", "楼层"), free="number"),
    "kind": What("buildings", ("用途", "建筑用途"), free="text"),
    "entrance": What("buildings", ("出入口", "单元门"), {"here": ("", "有")}, placed=frozenset({"here"})),
    "station": What(
        "stations",
        ("站点", "服务站"),
        {"closed": ("撤销", "停用", *_SHUT), "moved": ("搬迁", "迁移", "移位")},
        placed=frozenset({"moved"}),
    ),
    "capacity": What("stations", ("服务能力", "容量"), free="number"),
    "barrier": What(
        "barriers", ("围墙", "障碍"), {"gone": ("拆除", "已拆除", "无")}, placed=frozenset({"gone"}), by_place=True
    ),
}
"""What findings are of."""


def stated_findings(table: object, breaches: list[Breach]) -> tuple[Mapping[str, str], ...]:
    """Read ``[overrides]`` of the study file: its findings as rows of text, in the columns of a sheet."""
    rows = []
    for row in Keys("[overrides]", table, ("findings",), breaches).rows("findings"):
        keys = Keys("[overrides] findings:", row, _KEYS, breaches)
        given = {key: keys.get(key) for key in _KEYS if key in keys}
        odd = [key for key, value in given.items() if isinstance(value, bool | list | dict)]
        for key in odd:
            shown = scrubbed(repr(given[key]))
            keys.breach("wrong-type", Said("{} must be a text, a number or a date, not {}", key, shown))
        rows.append({key: str(value) for key, value in given.items() if key not in odd})
    return tuple(rows)


def findings_of(
    stated: Sequence[Mapping[str, str]], sheet: pd.DataFrame | None, *, datum: str, date: str
) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Bring the findings of the study file and of a sheet together.

    Parameters
    ----------
    stated
        As `stated_findings` returns them.
    sheet
        The layer of overrides, None for none.
    datum
        That of places in the study file, empty for WGS 84.
    date
        The day that the study is for: no finding is of a later one. Empty for none.

    Returns
    -------
    tuple
        ``what`` (a key of `WHATS`), ``id``, ``value`` (in our words), ``number`` (the value of a count, else NaN),
        ``who``, ``when`` and ``told`` (what names the row), with a point or none in WGS 84: sound rows alone. And what
        is wrong with the others.
    """
    frames, breaches = [], []
    if stated:
        own, found = _placed(stated, datum)
        breaches += found
        frames.append(own.assign(told=_told(own, [f"finding {i}" for i in range(1, len(own) + 1)])))
    if sheet is not None:
        sheet = sheet.assign(id=sheet["id"].str.replace(_GUARDED, "", regex=True))
        blank = (sheet[["value", "who", "when"]] == "").all(axis=1) & sheet.geometry.isna()
        told = "left out: who, when and value are empty, nobody has looked yet"
        breaches += breach(LAYER, "not-looked-at", told, _told(sheet, places_of(sheet))[blank], "note")
        sheet = sheet[~blank]
        frames.append(_in_degrees(sheet).assign(told=_told(sheet, places_of(sheet))))
    none = _in_degrees(pd.DataFrame({column: pd.Series(dtype="str") for column in (*_COLUMNS, "told")}))
    found = pd.concat(frames, ignore_index=True) if frames else none
    if not len(found):
        return found.assign(number=pd.Series(dtype="float64")), breaches
    found.attrs = {} if stated or sheet is None else sheet.attrs  # the study file has our words
    found, faults = _understood(found, date)
    for fault in faults:
        broken = fault.rows[fault.rows].index
        breaches += breach(LAYER, fault.rule, fault.message, found["told"][broken])
    unsound = found.index.isin([i for fault in faults for i in fault.rows[fault.rows].index])
    return found[~unsound].reset_index(drop=True), breaches


def latest(findings: gpd.GeoDataFrame, subject: pd.Series) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Keep of the findings on one subject the latest; those of one day must not contradict each other.

    Parameters
    ----------
    subject
        What each finding is about; those with an empty one do not contradict any other.
    """
    said = findings["value"].replace(_SAME) + findings.geometry.to_wkt().fillna("").where(
        findings["value"] == "moved", ""
    )
    alone = subject == ""
    newest = findings["when"].groupby(subject).transform("max")
    last = alone | (findings["when"] == newest)
    of_day = said.where(last).groupby(subject).transform("nunique")
    against = ~alone & last & (of_day > 1)
    beaten = ~last & (said != said.where(last).groupby(subject).transform("first"))
    kept = last & ~against & (alone | ~subject.where(last).duplicated())
    return findings[kept], [
        *breach(
            LAYER,
            "contradiction",
            "findings of one day contradict each other; ask those who noted them, and keep one",
            _words(findings[against]),
        ),
        *breach(
            LAYER,
            "superseded",
            "left out: a later finding says otherwise",
            _words(findings[beaten]),
            "note",
        ),
    ]


def applied(findings: gpd.GeoDataFrame, layers: str) -> list[Breach]:
    """Tell which findings stand in the place of what the files say of some layers, and whose they are."""
    message = Said("what the files say of {} is replaced by what was found in the field", sentence(layers))
    return breach(LAYER, "overridden", message, _words(findings), "note")


def _words(findings: pd.DataFrame) -> pd.Series:
    value = findings["value"].where(findings["value"] == "", " " + findings["value"])
    return findings["what"] + " " + findings["told"] + value + " (" + findings["who"] + ", " + findings["when"] + ")"


def _told(frame: pd.DataFrame, places: Sequence[str] | pd.Series) -> pd.Series:
    return frame["id"].mask(frame["id"] == "", pd.Series(list(places), index=frame.index, dtype="str"))


def _in_degrees(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    if isinstance(frame, gpd.GeoDataFrame):
        return frame.to_crs(LON_LAT)
    return gpd.GeoDataFrame(frame, geometry=np.full(len(frame), None), crs=LON_LAT)


def _placed(stated: Sequence[Mapping[str, str]], datum: str) -> tuple[gpd.GeoDataFrame, list[Breach]]:
    """Return the findings of the study file as a sheet of them is read."""
    table = pd.DataFrame({key: [row.get(key, "") for row in stated] for key in _KEYS}, dtype="str")
    table, numbers = without_numbers(LAYER, table, {})
    lon, lat = (pd.to_numeric(table[axis], errors="coerce") for axis in POSITION)
    unplaced = (table[list(POSITION)] == "").all(axis=1)
    points = np.where(unplaced, None, shapely.points(lon, lat))
    frame = gpd.GeoDataFrame(table[list(_COLUMNS)], geometry=points, crs=LON_LAT)
    frame, found = understood(Input(LAYER, "", datum=datum), frame)
    own, about = conform(LAYER, frame)
    return _in_degrees(own), [*numbers, *found, *about]


def _understood(found: gpd.GeoDataFrame, date: str) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Return the findings in our words, and what cannot be meant in which rows."""
    ours = {alias: name for name, what in WHATS.items() for alias in (name, *what.aliases)}
    what = found["what"].str.lower().map(ours).fillna("").astype("str")
    odd = found["what"][what == ""].head(1).str.cat()
    hint = nearest(odd, ours)
    known = Said("did you mean {}?", hint) if hint else Said("known are {}", ", ".join(WHATS))
    who, when, day = found["who"], found["when"], days_of(found["when"])
    unread = (when != "") & (day == "")
    subject, by, on = (headed(found, column) for column in ("what", "who", "when"))
    late = Said("found after {}, the day that the study is for; mend {}, or date of [study]", date, on)
    by_nobody = Said("{} is empty; a finding counts with the name of whoever saw it", by)
    undated = Said("{} is empty; a finding counts with the day on which it was made", on)
    faults = [
        Fault("unknown-value", Said("{} must be what a finding is of, not {!r}; {}", subject, odd, known), what == ""),
        Fault("missing-who", by_nobody, who == ""),
        Fault("missing-when", undated, when == ""),
        Fault("bad-date", not_a_day(on, when[unread]), unread),
        Fault("future-date", late, (day > date) & (date != "")),
    ]
    value = found["value"].copy()
    for name, kind in WHATS.items():
        rows = found[what == name]
        meant = {alias: word for word, aliases in kind.words.items() for alias in (word, *aliases)}
        word = rows["value"].str.lower().map(meant)
        hours = {said: hours_in_osm(said) or said for said in rows["value"]} if kind.free == "hours" else {}
        said = without_unit(name, rows["value"]) if kind.free == "number" else rows["value"].replace(hours)
        value[rows.index] = said.where(word.isna(), word)
        faults += _faults_of(name, kind, rows.assign(value=value[rows.index]), in_words=word.notna())
    counts = what.isin([name for name, kind in WHATS.items() if kind.free == "number"])
    number = numbers_of(value).where(counts) + 0.0  # no -0
    value = value.mask(number.notna(), number.map("{:.15g}".format))
    return found.assign(what=what, value=value, number=number, when=day), faults


def _faults_of(name: str, kind: What, rows: gpd.GeoDataFrame, *, in_words: pd.Series) -> list[Fault]:
    """Return which findings of one kind say what cannot be meant, or lack a place or an id."""
    value, placeless = rows["value"], rows.geometry.isna()
    test, free = _FREE[kind.free]
    bad = ~in_words & ~test(value)
    words = joined(kind.words)
    form = Said("{} or {}", words, sentence(free)) if words and free else words or sentence(free)
    layer = sentence(kind.layer)
    unnamed = (rows["id"] == "") & (placeless if kind.by_place else True)
    lost = placeless & ~unnamed & value.isin(kind.placed)
    return [
        Fault("bad-finding", Said("{}: value must be {}, not {!r}", name, form, value[bad].head(1).str.cat()), bad),
        Fault("no-geometry", Said("{}: has no coordinates; state lon and lat", name), lost),
        Fault("missing-id", Said("{}: id is empty; name the row of {} that was looked at", name, layer), unnamed),
    ]
