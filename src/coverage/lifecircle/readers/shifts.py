"""Which layers lie as if in the shifted datum of a web map: told by holding them against the buildings.

Streets and the borders of areas run between buildings, stations and doors stand in them or at their walls. A layer is
moved to where it would lie in each other datum; what then fits far better is what it looks like. Moves as far in other
directions show how well any place fits by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from scipy.special import bdtrc

from lifecircle.datum import WEB_MAPS, in_china, regarded
from lifecircle.errors import Breach
from lifecircle.model import FloatArray, LongArray
from lifecircle.readers.inputs import Input
from lifecircle.readers.layers import Layers
from lifecircle.readers.metric import LON_LAT, local_crs, project
from lifecircle.said import Said, sentence

NAMES = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}
"""The datums told apart; CGCS2000 is WGS 84 here."""

LEAST_PLACES, MOST_PLACES = 5, 4000
"""Fewer places than this tell nothing; of more a part tells enough."""

WALL_M = 5.0
"""So near to a building stands what belongs to it."""

BESIDE_M = 50.0
"""So near to a house of a village runs its street."""

BETTER = 0.6
"""Of the misfits of a layer that is moved in vain at most this share is left where it belongs."""

MOST = 0.5
"""A move that takes more than this share of the places out of the town tells little of it."""

SAME = 0.25
"""Moves that differ by less than this share of their length are one."""

CHANCE = 1e-4
"""A layer that is moved in vain fits as well less often than this."""

_TURNS = np.exp(2j * np.pi * np.arange(1, 6) / 6)
_STEP_DEGREES = 0.0005
_IN_BUILDINGS = ("stations", "candidates", "entrances", "requests")
_POLYGON = 2

Shapes = npt.NDArray[np.object_]
Guess = tuple[str, str]
"""A layer, and the datum that it may be in."""


class _Fit(NamedTuple):
    """Places that lie as they should, of so many that count."""

    fit: int
    of: int

    @property
    def misses(self) -> float:
        """The share that does not; 1 where too few count to tell."""
        return 1 - self.fit / self.of if self.of >= LEAST_PLACES else 1.0


@dataclass(frozen=True, eq=False)
class _Places:
    """Places of a layer, degrees, and where they should lie: within ``within_m`` of a shape of ``among``, or not.

    Where ``own`` is 0 or more it is the one shape that the place should be near to. Where they should be clear of the
    shapes, only those in their midst count: outside the town every place is clear.
    """

    lonlat: FloatArray
    own: LongArray
    among: shapely.STRtree
    within_m: float
    wanted: bool
    how: str

    def fit(self, xy_m: FloatArray) -> _Fit:
        """Return how many of the places lie as they should when they are at ``xy_m``, and how many count."""
        points, near = shapely.points(xy_m), np.zeros(len(xy_m), dtype=bool)
        near[self.among.query(points, predicate="dwithin", distance=self.within_m)[0]] = True
        named = self.own >= 0
        shapes = self.among.geometries[self.own[named]]
        near[named] = shapely.distance(points[named], shapes) <= self.within_m
        counted = np.ones(len(xy_m), dtype=bool) if self.wanted else shapely.contains_xy(self.midst, *xy_m.T)
        return _Fit(int(((near == self.wanted) & counted).sum()), int(counted.sum()))

    @cached_property
    def midst(self) -> shapely.Geometry:
        """The ground between and under the shapes."""
        hull = shapely.convex_hull(shapely.geometrycollections(self.among.geometries))
        shapely.prepare(hull)
        return hull


@dataclass(frozen=True, eq=False)
class _Buildings:
    """Footprints in metres, the middle of each in degrees, and the row of each id."""

    crs: CRS
    tree: shapely.STRtree
    middle: FloatArray
    row_of: pd.Series


def check_datums(layers: Layers) -> list[Breach]:
    """Tell which layers in China look shifted, and of which others nobody says whether they are.

    Outside China, and of layers of OpenStreetMap, nothing is told. ``layers`` need not be sound: rows without a place
    are passed over.
    """
    found = _looking_shifted(layers)
    vague = [source for source in layers.vague if source.layer not in found]
    return [*found.values(), *(unstated_datum(source.layer, source.path) for source in vague)]


def check_datum_of(requests: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, *, datum: str) -> list[Breach]:
    """Tell that requests, taken to be in ``datum`` (empty: nobody says) and brought to WGS 84, look shifted.

    Where nobody says, that is an error: half a kilometre off, most would go to another station.

    Parameters
    ----------
    requests, buildings
        Those of one study, in any coordinate system; rows without a place are passed over.
    """
    source = Input("requests", "", datum=datum or "wgs84")
    layers = Layers({"buildings": buildings, "requests": requests}, stated={"requests": source})
    told = _looking_shifted(layers).get("requests")
    return [] if told is None else [replace(told, ids=(), severity="warning" if datum else "error")]


def unstated_datum(layer: str, path: str) -> Breach:
    """Return that nobody states the datum of an input that lies in China."""
    how = "give --datum" if layer == "requests" else "state datum ="
    message = Said(
        "in China points of web maps are shifted by some 500 m, and nothing says whether these are; {} "
        '"wgs84", "cgcs2000", "gcj02" or "bd09"',
        sentence(how),
    )
    return Breach(layer, "unstated-datum", message, (path,), 1, "warning")


def _looking_shifted(layers: Layers) -> dict[str, Breach]:
    """Return the finding of each layer that fits far better in another datum than in its own."""
    taken: dict[str, str] = {}
    for source in layers.stated.values():
        datum = source.datum if source.datum in WEB_MAPS else "wgs84"
        taken[source.layer] = datum if taken.get(source.layer, datum) == datum else ""
    buildings = _footprints(layers)
    if buildings is None:
        return {}
    found = {}
    of_buildings = seen = taken.get("buildings", "wgs84")
    if told := _of_streets(layers, buildings, taken):
        (layer, datum), message = told
        found[layer] = _looks(layers, layer, datum, message)
        seen = datum if layer == "buildings" else seen
    for layer in (*_IN_BUILDINGS, "areas"):
        if not taken.get(layer) or (places := _places(layers, layer, buildings)) is None:
            continue
        guesses = {}
        for datum in (taken[layer], *NAMES):
            moved = regarded(places.lonlat, was=taken[layer], instead=datum)
            guesses[layer, datum] = regarded(moved, was=seen, instead=of_buildings)
        if told := _best(buildings.crs, places, guesses):
            found[layer] = _looks(layers, layer, told[0][1], told[1])
    return found


def _of_streets(layers: Layers, buildings: _Buildings, taken: Mapping[str, str]) -> tuple[Guess, str] | None:
    """Hold streets and buildings against each other, and return which of the two looks shifted.

    In a town a street that is out of place runs through houses; houses of villages are then far from any street.
    """
    lines = street_lines(layers)
    if lines is None:
        return None
    # Streets in a format that is in WGS 84 by definition may have been made from a web map all the same.
    taken = {"streets": "wgs84", **taken}
    of_streets, of_buildings = taken["streets"], taken.get("buildings", "wgs84")
    through = _along(lines, buildings)
    drawn_m = shapely.transform(lines, lambda xy: project(xy, buildings.crs))
    beside = _some(
        buildings.middle, among=shapely.STRtree(drawn_m), within_m=BESIDE_M, wanted=True, how="beside a street"
    )
    for places, moving, other in ((through, "streets", "buildings"), (beside, "buildings", "streets")):
        if places is None:
            continue
        own, others = (of_streets, of_buildings) if moving == "streets" else (of_buildings, of_streets)
        guesses = {(moving, own): places.lonlat}
        for datum in NAMES:
            if taken.get(moving) and datum != own:
                guesses[moving, datum] = regarded(places.lonlat, was=own, instead=datum)
            if taken.get(other) and datum != others:  # that the other layer moves is as if this one moved back
                guesses[other, datum] = regarded(places.lonlat, was=datum, instead=others)
        if told := _best(buildings.crs, places, guesses):
            return told
    return None


def _looks(layers: Layers, layer: str, datum: str, message: str) -> Breach:
    paths = tuple(source.path for source in layers.stated.values() if source.layer == layer)
    state = Said("give --datum {}" if layer == "requests" else 'state datum = "{}"', datum)
    advice = state if paths else "its format knows WGS 84 alone: have it converted"
    return Breach(
        layer,
        f"looks-like-{datum}",
        Said("{}; {}", sentence(message), sentence(advice)),
        paths,
        max(len(paths), 1),
        "warning",
    )


def _best(crs: CRS, places: _Places, guesses: Mapping[Guess, FloatArray]) -> tuple[Guess, str] | None:
    """Return the guess that fits far better than the first, the others, and moves as far in other directions."""
    (here, lonlat), *others = guesses.items()
    here_m = project(lonlat, crs) @ (1, 1j)
    moved_m = {guess: project(to, crs) @ (1, 1j) - here_m for guess, to in others if guess != here}
    fits = {guess: places.fit(_xy(here_m + by)) for guess, by in {here: 0 * here_m, **moved_m}.items()}
    best = min(fits, key=lambda guess: fits[guess].misses)
    moved, now = fits[best], fits[here]
    if best == here or moved.misses > BETTER * now.misses:
        return None
    off_m = np.median(np.abs(moved_m[best]))
    turned = [by * turn for by in moved_m.values() for turn in _TURNS]
    vain = [fits[guess] for guess in fits if guess != best]
    # That streets move one way is as if buildings moved the other: half a turn of one is no vain move of the other.
    vain += [places.fit(_xy(here_m + by)) for by in turned if np.median(np.abs(by - moved_m[best])) > SAME * off_m]
    by_chance = (sum(v.fit for v in vain) + 1) / (sum(v.of for v in vain) + 2)
    told = [v.misses for v in vain if v.of >= MOST * moved.of]
    if moved.of < MOST * now.of or any(moved.misses >= least or moved.misses > BETTER * least for least in told):
        return None
    if bdtrc(moved.fit - 1, moved.of, by_chance) > CHANCE:
        return None
    return best, (
        Said(
            "looks as if in {}, {:.0f} m from where it is taken to be: of {} places "
            "{} would then lie {}, and now {} of {} do",
            NAMES[best[1]],
            off_m,
            moved.of,
            moved.fit,
            sentence(places.how),
            now.fit,
            now.of,
        )
    )


def _xy(z: npt.NDArray[np.complex128]) -> FloatArray:
    return np.column_stack([z.real, z.imag])


def _footprints(layers: Layers) -> _Buildings | None:
    """Return the outlines of the buildings, None for none, or when they lie outside China."""
    table = layers.tables.get("buildings")
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        return None
    degrees = table.to_crs(LON_LAT)
    shapes = degrees.geometry.to_numpy()
    bounds = shapely.bounds(shapes)
    sound = (shapely.get_dimensions(shapes) == _POLYGON) & in_china(bounds[:, :2]) & in_china(bounds[:, 2:])
    if not sound.any():
        return None
    lon, lat = np.median(bounds[sound, :2], axis=0)
    crs = local_crs((lon, lat, lon, lat))
    outlines = degrees[sound].to_crs(crs)
    ids = outlines["building_id"]
    row_of = pd.Series(np.arange(len(ids)), index=ids).loc[~ids.duplicated().to_numpy()]
    middle = shapely.get_coordinates(shapely.centroid(shapes[sound]))
    return _Buildings(crs, shapely.STRtree(outlines.geometry.to_numpy()), middle, row_of)


def street_lines(layers: Layers) -> Shapes | None:
    """Return the lines of the streets in degrees, None without streets."""
    if layers.ways is not None and len(layers.ways.way_id):
        of = np.repeat(np.arange(len(layers.ways.way_id)), np.diff(layers.ways.indptr))
        lines: Shapes = shapely.linestrings(layers.ways.xy_m[layers.ways.node], indices=of)
        return lines
    table = layers.tables.get("streets")
    return drawn(table) if isinstance(table, gpd.GeoDataFrame) and table.crs is not None else None


def _places(layers: Layers, layer: str, buildings: _Buildings) -> _Places | None:
    """Return the places of a layer that is to be held against the buildings, None where they are too few."""
    table = layers.tables.get(layer)
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        return None
    shapes = drawn(table)
    if layer not in _IN_BUILDINGS:
        return _along(shapely.boundary(shapes), buildings)
    here = ~shapely.is_empty(shapes)
    named = table["building_id"] if "building_id" in table else pd.Series("", index=table.index)
    own = buildings.row_of.reindex(named[here]).fillna(-1).to_numpy(np.int64)
    lonlat = shapely.get_coordinates(shapely.centroid(shapes[here]))
    return _some(lonlat, among=buildings.tree, within_m=WALL_M, wanted=True, how="at their buildings", own=own)


def drawn(table: gpd.GeoDataFrame) -> Shapes:
    """Return the shapes of a layer in degrees, an empty one for none."""
    shapes = table.geometry.to_crs(LON_LAT).to_numpy()
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    return np.where(finite, shapes, shapely.Point())


def _along(lines: Shapes, buildings: _Buildings) -> _Places | None:
    """Return places along lines that should run clear of the buildings."""
    lonlat = shapely.get_coordinates(shapely.segmentize(lines, _STEP_DEGREES))
    return _some(lonlat, among=buildings.tree, within_m=0.0, wanted=False, how="clear of the buildings")


def _some(
    lonlat: FloatArray, *, among: shapely.STRtree, within_m: float, wanted: bool, how: str, own: LongArray | None = None
) -> _Places | None:
    """Return the places in China, of many some at even steps."""
    kept = np.flatnonzero(in_china(lonlat))
    kept = kept[:: 1 + len(kept) // MOST_PLACES]
    own = np.full(len(lonlat), -1) if own is None else own
    return _Places(lonlat[kept], own[kept], among, within_m, wanted, how) if len(kept) >= LEAST_PLACES else None
