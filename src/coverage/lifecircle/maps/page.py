"""The page: folium's map and areas, our own frame, styles and scripts, and the data beside them, in one file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from lifecircle.circles import Coverage
from lifecircle.maps.encode import script_json
from lifecircle.maps.payload import area_rings, payload
from lifecircle.maps.words import LOCALES, WORDS, level_names
from lifecircle.mark import MARK
from lifecircle.scenarios import Plan

LEAFLET = "1.9.4"
SCRIPTS = ("text", "shapes", "tiles", "details", "panel", "map")
"""Files of assets/js in the order in which they run, as one script."""

GROUPS = ("sites", "names")


def coverage_page(coverage: Coverage, *, plan: Plan | None = None, unserved: pd.DataFrame | None = None) -> str:
    """Return a page that shows who reaches a station, as the text of one HTML file that needs nothing else.

    Parameters
    ----------
    coverage
        Coverage of today, or the plan's own.
    plan
        Sites proposed. With today's coverage the page opens with the plan and can go back to today; with
        ``plan.coverage`` it shows the plan alone.
    unserved
        Rows of unserved.csv, worked out on the plan's coverage where there is a plan.

    Returns
    -------
    str
        HTML; the same input gives the same text. It opens without a network: scripts, styles and data are inside, and
        its content security policy allows nothing else. What is unreachable has no number and says so.

    Notes
    -----
    Texts from data stand in one JSON block that the page's script shows as text. None goes through folium, which
    renders the strings it is given as templates and does not escape them. That the data is made up stands in the page
    itself, in its head and on the map: whatever the script does and whatever part of the page becomes a picture.
    """
    areas, language = coverage.study.areas, coverage.study.settings.language
    levels = list(dict.fromkeys(areas["level"]))
    names = {level: level_names(level) for level in levels}
    data = payload(coverage, plan=plan, unserved=unserved) | {"levels": levels, "level_names": names}
    canvas, draw = _folium_parts(areas, levels, data["bounds"])
    scripts = [_leaflet_js(), draw, _own_js()]
    styles = [_leaflet_css(), asset("page.css")]
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(asset("page.html")).render(
        policy=policy(scripts, styles),
        lang=LOCALES[language],
        mark=MARK if coverage.synthetic else "",
        synthetic=WORDS[language]["synthetic"],
        styles=styles,
        scripts=scripts,
        canvas=canvas,
        data=script_json(data),
        leaflet_version=LEAFLET,
        leaflet_licence=asset("leaflet/LICENSE"),
    )


def _folium_parts(areas: gpd.GeoDataFrame, levels: list[str], bounds: list[list[float]]) -> tuple[str, str]:
    """Return folium's element and script for the map, its areas (one layer a level) and its empty groups.

    Its own page is left out: it links to scripts elsewhere and forbids to zoom. Only numbers go in.
    """
    centre = [sum(side) / 2.0 for side in zip(*bounds, strict=True)]
    canvas = folium.Map(centre, tiles=None, zoom_control="topright", attribution_control=False, zoom_snap=0.25)
    canvas.default_js, canvas.default_css = [], []
    parts: dict[str, folium.Element] = {"areas": folium.map.CustomPane("areas", z_index=190, pointer_events=True)}
    for i, level in enumerate(levels):
        rows = np.flatnonzero(areas["level"] == level)
        parts[f"level_{i}"] = folium.GeoJson(area_rings(areas, rows), pane="areas", control=False, show=False)
    parts |= {name: folium.FeatureGroup(control=False) for name in GROUPS}
    canvas._id = "main"  # names of folium's are random: these make the same page of the same input
    for name, part in parts.items():
        part._id = name
        part.add_to(canvas)
    figure = folium.Figure()
    canvas.add_to(figure)
    figure.render()
    return figure.html.render(), figure.script.render()


def policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """Return a content security policy that lets exactly these scripts and styles run and nothing be fetched."""
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashes(texts: Iterable[str]) -> str:
    digests = (hashlib.sha256(text.encode("utf-8")).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)


@cache
def asset(name: str) -> str:
    """Return one of our own files that pages are made of."""
    return files("lifecircle.maps").joinpath("assets", name).read_text(encoding="utf-8")


def _leaflet_js() -> str:
    return re.sub(r"//# sourceMappingURL=\S+", "", asset("leaflet/leaflet.js"))


def _leaflet_css() -> str:
    """Return Leaflet's styles without its pictures, which belong to controls and markers that the page has not."""
    return re.sub(r"url\([^)]*\)", "none", asset("leaflet/leaflet.css"))


def _own_js() -> str:
    parts = "\n".join(asset(f"js/{name}.js") for name in SCRIPTS)
    return f"(() => {{\n'use strict';\n{parts}}})();\n"
