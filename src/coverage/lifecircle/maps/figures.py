"""Static figures for papers and notebooks: drawn by matplotlib, so that it saves them as PDF, SVG or PNG.

Each has a legend, a scale, the sources of its data and, where the data is made up, the mark of that in the picture
itself. Words are those of the page, in the study's language; in English where no font of the machine has Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.circles import Coverage
from lifecircle.errors import StudyError, UnknownNameError, printable
from lifecircle.maps.basis import NEW
from lifecircle.maps.palette import (
    BEYOND,
    CLOSED,
    GROUND,
    INK,
    NOBODY,
    SITE,
    SOFT,
    UNREACHABLE,
    UNSNAPPABLE,
    Colour,
    circle_colours,
    hexed,
)
from lifecircle.maps.scale import round_length
from lifecircle.maps.words import WORDS
from lifecircle.mark import BOTH, REMARK
from lifecircle.model import Circle
from lifecircle.said import Said

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC"),
    *("Microsoft YaHei", "PingFang SC", "SimHei"),
)
"""Fonts with Chinese that a machine may have, the first that it has is taken."""

WIDTH_IN = 7.0
"""Of a figure that is made here, inches: what two columns of a paper have."""

SHOWN = 0.25
"""Part of the width that the scale takes at most."""

WON, LOST, STAYS_IN, STAYS_OUT = (25, 82, 143), BEYOND, (190, 205, 219), NOBODY
"""Of homes by what happens to them: come into the circle, leave it, stay within, stay outside."""

CHANGES = {
    "won": ("进圈", "Won"),
    "lost": ("出圈", "Lost"),
    "in": ("仍在圈内", "Stay within"),
    "out": ("仍在圈外", "Stay outside"),
}
"""What these are called, in Chinese and English."""


def coverage_figure(coverage: Coverage, *, circle: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw who is in which circle: inhabited buildings by the walk of the first speed class.

    Parameters
    ----------
    coverage
        Of today, or of a plan: its new sites are drawn as diamonds.
    circle
        Name of a circle, so that homes are told apart by this one alone; else by the smallest that holds them.
    ax
        What to draw on; a figure of its own where none is given.

    Returns
    -------
    Axes
        In metres of the study's CRS, without a frame.

    Raises
    ------
    UnknownNameError
        When the study has no circle of that name.
    """
    ax, words = _stage(coverage, ax), _words(coverage)
    circles = coverage.study.settings.circles if circle is None else (_circle(coverage, circle),)
    homes = coverage.buildings[coverage.buildings["residents"] != 0]
    status = homes["status"].to_numpy(dtype=object)
    held = homes["circle"] if circle is None else homes[f"within_{circle}"].map({True: circle, False: ""})
    kind = np.where(status == "ok", held.to_numpy(dtype=object), status)
    largest = f"{max(c.minutes for c in circles):g}"
    told: dict[str, tuple[str, Colour]] = {
        c.name: (_within(c, words), circle_colours(coverage.study.settings.circles)[c.name])
        for c in sorted(circles, key=lambda c: c.minutes)
    }
    told[""] = words["beyond_minutes"].format(minutes=largest), BEYOND
    told |= {"unreachable": (words["unreachable"], UNREACHABLE), "unsnappable": (words["unsnappable"], UNSNAPPABLE)}
    return _finished(ax, coverage, homes, kind, told)


def change_figure(before: Coverage, after: Coverage, *, circle: str, ax: Axes | None = None) -> Axes:
    """Draw who comes into a circle and who leaves it between two coverages of one study.

    Parameters
    ----------
    before, after
        Such as today's and a plan's; stations that stand in the first alone are crossed.
    circle
        Name of the circle; inhabited buildings are told apart by the walk of the first speed class.
    ax
        As in `coverage_figure`.

    Raises
    ------
    StudyError
        When the coverages are not of the same inputs.
    UnknownNameError
        When the study has no circle of that name.
    """
    language = before.study.settings.language
    if before.study.fingerprint != after.study.fingerprint:
        raise StudyError("the coverages are of different inputs; work them out anew", language=language)
    column = f"within_{_circle(after, circle).name}"
    ax = _stage(after, ax)
    inhabited = (after.buildings["residents"] != 0).to_numpy()
    then, now = (of.buildings.loc[inhabited, column].to_numpy(dtype=bool) for of in (before, after))
    kind = np.select([now & ~then, then & ~now, now & then], ["won", "lost", "in"], "out")
    is_zh = _language(after) == "zh"
    told = {
        key: (zh if is_zh else en, colour)
        for (key, (zh, en)), colour in zip(CHANGES.items(), (WON, LOST, STAYS_IN, STAYS_OUT), strict=True)
    }
    gone = before.stations[~before.stations["station_id"].isin(after.stations["station_id"])]
    ax.scatter(gone.geometry.x, gone.geometry.y, marker="x", s=34, color=hexed(CLOSED), zorder=6)
    return _finished(ax, after, after.buildings[inhabited], kind, told)


def _circle(coverage: Coverage, name: str) -> Circle:
    settings = coverage.study.settings
    for circle in settings.circles:
        if circle.name == name:
            return circle
    known = ", ".join(c.name for c in settings.circles)
    raise UnknownNameError(Said("the study has no circle '{}'; it has: {}", name, known), language=settings.language)


def _stage(coverage: Coverage, ax: Axes | None) -> Axes:
    """Return what is drawn on, with the streets under all."""
    import matplotlib.pyplot as plt
    from matplotlib.collections import LineCollection

    if ax is None:
        west, south, east, north = coverage.study.areas.total_bounds
        high_in = WIDTH_IN * (north - south) / (east - west)
        _, ax = plt.subplots(figsize=(WIDTH_IN, min(max(high_in, WIDTH_IN / 3), WIDTH_IN * 1.5)), layout="constrained")
    ax.set_facecolor(hexed(GROUND))
    lines = _parted(coverage.streets.geometry.to_numpy())
    ax.add_collection(LineCollection(lines, colors="#cfc8ba", linewidths=0.4, zorder=1))
    return ax


def _finished(
    ax: Axes, coverage: Coverage, homes: gpd.GeoDataFrame, kind: np.ndarray, told: Mapping[str, tuple[str, Colour]]
) -> Axes:
    """Draw homes by their kind and the stations, and tell what is what."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    words = _words(coverage)
    marks: list[Artist] = []
    for key, (label, colour) in told.items():
        of = homes[kind == key]
        if len(of):
            edge = hexed(SOFT) if colour == UNSNAPPABLE else "none"
            _add_homes(ax, of.geometry.to_numpy(), facecolor=hexed(colour), edgecolor=edge)
            marks.append(Patch(facecolor=hexed(colour), edgecolor=edge, label=label))
    signs = {"fixed": ("o", INK, "stations", 22), "chosen": ("D", SITE, "station_chosen", 30)}
    for state, (marker, colour, word, size) in signs.items():
        at = coverage.stations[coverage.stations["state"].replace(NEW) == state].geometry
        if len(at):
            ax.scatter(at.x, at.y, marker=marker, s=size, color=hexed(colour), edgecolors="white", lw=0.6, zorder=5)
            sign: dict[str, Any] = {
                "marker": marker,
                "color": hexed(colour),
                "linestyle": "none",
                "markeredgecolor": "white",
            }
            marks.append(Line2D([], [], label=words[word], **sign))
    west, south, east, north = coverage.study.areas.total_bounds
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    ax.set_aspect("equal")
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    ax.spines[:].set_visible(False)
    beneath: dict[str, Any] = {
        "loc": "upper center",
        "bbox_to_anchor": (0.5, 0.0),
        "ncols": min(len(marks), 4),
        "frameon": False,
    }
    legend = ax.legend(handles=marks, prop={"family": _fonts(), "size": 7}, **beneath)
    for text in legend.get_texts():
        text.set_parse_math(False)
    _add_scale(ax, coverage)
    return ax


def _add_homes(ax: Axes, homes: np.ndarray, **colours: Any) -> None:
    """Draw footprints, and as dots the homes that are points."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    is_point = shapely.get_dimensions(homes) == 0
    outlines = shapely.orient_polygons(homes[~is_point])  # holes turn the other way, and so stay empty
    rings = [_parted(shapely.get_rings(outline)) for outline in outlines]
    paths = [Path.make_compound_path(*(Path(ring, closed=True) for ring in each)) for each in rings]
    ax.add_collection(PathCollection(paths, linewidths=0.2, zorder=2, **colours))
    if is_point.any():
        x, y = shapely.get_coordinates(homes[is_point]).T
        ax.scatter(x, y, s=2, linewidths=0.2, zorder=2, **colours)


def _parted(lines: np.ndarray) -> list[np.ndarray]:
    """Return the vertices of each line or ring."""
    vertices, of = shapely.get_coordinates(lines, return_index=True)
    return np.split(vertices, np.flatnonzero(np.diff(of)) + 1)


def _add_scale(ax: Axes, coverage: Coverage) -> None:
    """Draw the scale, the sources and, of made-up data, its mark, under the map."""
    west, south, east, north = coverage.study.areas.total_bounds
    length_m, told = round_length((east - west) * SHOWN)
    low = south - 0.025 * (north - south)
    ax.set_ylim(south - 0.06 * (north - south), north)
    ax.plot([west, west + length_m], [low, low], color=hexed(SOFT), lw=1.5, solid_capstyle="butt", zorder=6)
    small: dict[str, Any] = {"fontsize": 6.5, "va": "center", "fontfamily": _fonts(), "parse_math": False, "zorder": 6}
    ax.text(west + length_m * 1.05, low, told, color=hexed(SOFT), **small)
    sources = " · ".join(printable(line) for line in coverage.study.attribution)
    if sources:
        ax.text(east, low, sources, ha="right", color=hexed(SOFT), **small)
    if coverage.synthetic:
        mark = BOTH if _has_chinese() else REMARK.en
        box = {"facecolor": "white", "edgecolor": hexed(SITE), "pad": 2.5, "alpha": 0.9}
        ax.text(0.01, 0.99, mark, transform=ax.transAxes, color=hexed(SITE), bbox=box, **(small | {"va": "top"}))


def _within(circle: Circle, words: Mapping[str, str]) -> str:
    minutes = f"{circle.minutes:g}"
    named = words["within_minutes" if circle.name == minutes else "within_named"]
    return named.format(name=printable(circle.name), minutes=minutes)


def _words(coverage: Coverage) -> Mapping[str, str]:
    return WORDS[_language(coverage)]


def _language(coverage: Coverage) -> str:
    return coverage.study.settings.language if _has_chinese() else "en"


def _has_chinese() -> bool:
    return len(_fonts()) > 1


@cache
def _fonts() -> tuple[str, ...]:
    """Return the fonts that figures are set in: where there is one with Chinese, beside that of matplotlib."""
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *[name for name in CHINESE_FONTS if name in there][:1])
