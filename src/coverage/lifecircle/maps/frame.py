"""The frame of a page with a map: one HTML file of folium's map, our scripts and styles, and the data beside them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import folium
import geopandas as gpd
import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined

from lifecircle.maps.basis import area_rings
from lifecircle.maps.encode import script_json
from lifecircle.maps.words import LOCALES, WORDS
from lifecircle.mark import MARK

LEAFLET = "1.9.4"
GROUPS = ("sites", "names")


def framed(
    template: str,
    areas: gpd.GeoDataFrame,
    data: Mapping[str, Any],
    *,
    scripts: Iterable[str],
    styles: Iterable[str],
    asking: str = "",
) -> str:
    """Return a page as the text of one HTML file that needs nothing else.

    Parameters
    ----------
    template
        Name of an asset that fills the blocks of frame.html.
    areas
        Of the study that is shown.
    data
        What the scripts show; in it what `lifecircle.maps.basis.basis_of_study` returns.
    scripts, styles
        Names of assets, scripts without js/ and their ending; the scripts run in their order as one.
    asking
        A script of the server that gives the page out, which may ask that server; none by default.

    Returns
    -------
    str
        The same input gives the same text. It opens without a network: scripts, styles and data are inside, and its
        content security policy allows nothing else.

    Notes
    -----
    Texts from data stand in one JSON block that the page's script shows as text. None goes through folium, which
    renders the strings it is given as templates and does not escape them. That the data is made up stands in the page
    itself, in its head and on the map: whatever the script does and whatever part of the page becomes a picture.
    """
    language = data["language"]
    canvas, draw = _folium_parts(areas, data["levels"], data["bounds"])
    ran = [_leaflet_js(), draw, _own_js(scripts), *([asking] if asking else [])]
    worn = [_leaflet_css(), *map(asset, styles)]
    environment = Environment(loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined)
    return environment.get_template(template).render(
        policy=policy(ran, worn, connect="'self'" if asking else ""),
        lang=LOCALES[language],
        mark=MARK if data["synthetic"] else "",
        synthetic=WORDS[language]["synthetic"],
        styles=worn,
        scripts=ran,
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


def policy(scripts: Iterable[str], styles: Iterable[str], *, connect: str = "") -> str:
    """Return a content security policy that lets exactly these scripts and styles run, and nothing be fetched.

    Where a server gives the page out, ``connect`` names whom its scripts may ask.
    """
    fetched = f"connect-src {connect}; " if connect else ""
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; img-src data:; {fetched}"
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


def _own_js(names: Iterable[str]) -> str:
    parts = "\n".join(asset(f"js/{name}.js") for name in names)
    return f"(() => {{\n'use strict';\n{parts}}})();\n"
