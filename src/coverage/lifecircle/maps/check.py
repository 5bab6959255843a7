"""The page of a check: what was found, what to do about it, and where, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from lifecircle import check_words
from lifecircle.errors import KEPT_PLACES, SEVERITIES, SHOWN_IDS, Breach, printable
from lifecircle.maps.encode import script_json
from lifecircle.maps.frame import asset, policy
from lifecircle.maps.words import LOCALES
from lifecircle.mark import MARK, REMARK
from lifecircle.model import FloatArray
from lifecircle.readers.whereabouts import OF_A_LAYER, Sketch
from lifecircle.rules import done_with, rule_of
from lifecircle.said import in_chinese
from lifecircle.study import Checked

UNITS = 32_768
"""Into how many steps the longer side of the map's frame is cut."""

COARSE = 1 / 1_500
"""Lines are drawn to this part of the frame's longer side."""

MOST_VERTICES = 40_000
"""Of more streets the longest are drawn: they tell where one is."""

EDGE = 0.06
"""What the frame leaves round the city, a part of its size."""


def check_page(checked: Checked, findings: Sequence[Breach], *, synthetic: bool) -> str:
    """Return the page of a check as the text of one HTML file.

    Parameters
    ----------
    checked
        What `lifecircle.study.examine` returned.
    findings
        What the page lists, in this order.

    Returns
    -------
    str
        HTML; the same input gives the same text. Words stand in Chinese and English, and a button changes over. Its
        content security policy allows its own script and style, and nothing to be fetched. Texts from data are escaped
        and without control characters.
    """
    rows = [_row(number, finding) for number, finding in enumerate(findings, start=1)]
    style, script = asset("check.css"), asset("js/check.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals["both"] = _both
    data = {"frame": None} if checked.sketch is None else _drawing(checked.sketch, findings)
    said = [finding.severity for finding in findings]
    return environment.from_string(asset("check.html")).render(
        policy=policy([script], [style]),
        lang=LOCALES[checked.language],
        locales=LOCALES,
        name=printable(checked.name),
        mark=MARK if synthetic else "",
        remark=REMARK,
        counts={severity: said.count(severity) for severity in SEVERITIES},
        words=check_words,
        kept=KEPT_PLACES,
        rows=rows,
        mapped=data["frame"] is not None,
        private=any(finding.layer == "residents" for finding in findings),
        style=style,
        script=script,
        data=script_json(data),
    )


def _row(number: int, finding: Breach) -> dict[str, object]:
    rule = rule_of(finding.rule)
    return {
        "number": number,
        "finding": finding,
        "message": _told(finding.message),
        "ids": [_told(i) for i in finding.ids[:SHOWN_IDS]],
        "title": (rule.zh.title, rule.en.title),
        "advice": (rule.zh.advice, rule.en.advice),
        "done": done_with(finding),
    }


def _told(text: str) -> tuple[str, str]:
    """Return what a finding says in both languages; what it quotes of data is the same in both."""
    return printable(in_chinese(text)), printable(text)


def _both(pair: tuple[str, str], **filled: object) -> Markup:
    """Return words in both languages, of which the page shows one; what is the same in both stands there once."""
    zh, en = (text.format(**filled) if filled else text for text in pair)
    if zh == en:
        return escape(zh)
    return Markup('<span lang="{}">{}</span><span lang="{}">{}</span>').format(LOCALES["zh"], zh, LOCALES["en"], en)


# --------------------------------------------------------------------------- the map


def _drawing(sketch: Sketch, findings: Sequence[Breach]) -> dict[str, object]:
    """Return what the page's script draws: lines in steps from the frame's north-western corner, marks in degrees."""
    marks = [
        {"number": number, "severity": finding.severity, "places": finding.places, "whole": _is_of_all(finding)}
        for number, finding in enumerate(findings, start=1)
        if finding.places
    ]
    frame = _frame(sketch, findings)
    if frame is None:
        return {"frame": None}
    west, south, east, north = frame
    shrink = float(np.cos(np.radians((south + north) / 2)))
    per_degree = UNITS / max((east - west) * shrink, north - south)
    scale = np.array([per_degree * shrink, -per_degree])
    return {
        "frame": {"west": west, "north": north, "x": scale[0], "y": scale[1]},
        "size": [(east - west) * scale[0], (south - north) * scale[1]],
        "streets": _lines(sketch.streets, np.array([west, north]), scale),
        "borders": _lines(sketch.borders, np.array([west, north]), scale),
        "marks": marks,
    }


def _is_of_all(finding: Breach) -> bool:
    """Return whether a finding is of a layer as a whole, of which it shows some places."""
    return finding.rule in OF_A_LAYER and len(finding.places) > finding.count


def _frame(sketch: Sketch, findings: Sequence[Breach]) -> tuple[float, float, float, float] | None:
    """Return the box to show first, degrees: nearly all of the borders, else of the streets, else the places."""
    for lonlat in (
        shapely.get_coordinates(sketch.borders),
        shapely.get_coordinates(sketch.streets),
        np.array([place for finding in findings for place in finding.places]).reshape(-1, 2),
    ):
        on_earth = lonlat[(np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)]
        if len(on_earth):
            # A slip of one row must not shrink the city to a dot.
            (west, south), (east, north) = np.percentile(on_earth, [1, 99], axis=0)
            edge = EDGE * max(east - west, north - south, 1e-3)
            return float(west - edge), float(south - edge), float(east + edge), float(north + edge)
    return None


def _lines(lines: np.ndarray, corner: FloatArray, scale: FloatArray) -> Mapping[str, list[int]]:
    """Return lines as vertices of each and steps from vertex to vertex, x and y in turn."""
    flat = shapely.get_parts(shapely.transform(lines, lambda lonlat: (lonlat - corner) * scale))
    plain = shapely.simplify(flat[shapely.length(flat) > UNITS * COARSE], UNITS * COARSE, preserve_topology=False)
    plain = plain[np.argsort(-shapely.length(plain), kind="stable")]
    sizes = shapely.get_num_coordinates(plain)
    kept = plain[np.cumsum(sizes) <= MOST_VERTICES]
    steps = np.diff(np.rint(shapely.get_coordinates(kept)).astype(np.int64), axis=0, prepend=0)
    return {"sizes": shapely.get_num_coordinates(kept).tolist(), "steps": steps.ravel().tolist()}
