"""A made-up city as a study folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import Transformer

from lifecircle.errors import OutputError
from lifecircle.gdal import stopped_clock
from lifecircle.mark import marked
from lifecircle.readers.inputs import INPUTS
from lifecircle.schema import ELEVATION
from lifecircle.synthetic.city import City
from lifecircle.synthetic.heights import box_of, write_heights
from lifecircle.synthetic.itinerary import as_service
from lifecircle.synthetic.pbf import write_streets
from lifecircle.synthetic.tell import HOLDS, figures, readme, study_file, toml

LAYER_DECIMALS, TABLE_DECIMALS = 8, 7
"""Of a degree: a millimetre, as outlines are drawn; a centimetre, as in OpenStreetMap."""

REMARK = """Coordinates are degrees of WGS 84, longitude first. `lifecircle assign . requests.csv` sends the requests.
坐标为 WGS 84 经纬度；`assign` 为一年的诉求派单。"""

STREETS, HEIGHTS = "streets.osm.pbf", "heights.tif"
LAYERS = {name: f"{name}.gpkg" for name in ("areas", "buildings", "entrances", "barriers")}
TABLES = {
    **{name: f"{name}.csv" for name in ("residents", "stations", "requests", "itinerary", "service")},
    "candidates": "rooms.csv",
}
"""The frames' files; a frame without rows has none."""


DATUM = 'datum = "wgs84"'
"""What a made-up study file says of layers that are where they are."""


def write_study(folder: Path, city: City, command: str) -> None:
    """Write a city into an empty folder; ``command`` is what makes it again.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    files = {"streets": STREETS, "elevation": HEIGHTS}
    write_ground(folder, city)
    frames = in_degrees(city)
    if len(frames["itinerary"]):
        frames["service"] = as_service(frames["itinerary"])
    for name, frame in frames.items():
        if not len(frame):
            continue
        files[name] = LAYERS[name] if name in LAYERS else TABLES[name]
        (write_layer if name in LAYERS else write_table)(folder / files[name], frame)
    inputs = [f"{DATUM:<38}# 坐标基准"]
    inputs += [input_line(name, files[name]) for name in HOLDS if name in files and name in (*INPUTS, ELEVATION)]
    write_words(folder, city, inputs="\n".join(inputs), readme=readme(city, command, files, REMARK))


def input_line(name: str, file: str) -> str:
    """Return a line of the study file that names an input's file, and in Chinese what it holds."""
    return f"{f'{name} = {toml(file)}':<38}# {HOLDS[name]}"


def in_degrees(city: City) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """Return the city's frames with their geometry in degrees of WGS 84, to the millimetre."""
    to_degrees = Transformer.from_crs(city.crs, 4326, always_xy=True)

    def placed(frame: gpd.GeoDataFrame | pd.DataFrame) -> gpd.GeoDataFrame | pd.DataFrame:
        if not isinstance(frame, gpd.GeoDataFrame):
            return frame
        lon, lat = to_degrees.transform(*shapely.get_coordinates(frame.geometry.array).T)
        degrees = np.column_stack([lon, lat]).round(LAYER_DECIMALS)
        drawn = shapely.set_coordinates(frame.geometry.to_numpy().copy(), degrees)
        return frame.set_geometry(drawn, crs=4326)

    return {name: placed(frame) for name, frame in city.frames.items()}


def write_ground(folder: Path, city: City) -> None:
    """Write streets and heights."""
    box = box_of(city.heights, city.crs)
    lonlat = Transformer.from_crs(city.crs, 4326, always_xy=True).transform(*city.streets.xy_m.T)
    write_streets(folder / STREETS, city.streets, np.column_stack(lonlat), box)
    write_heights(folder / HEIGHTS, city.heights, city.crs)


def write_layer(path: Path, frame: gpd.GeoDataFrame, **options: str) -> None:
    """Write a layer: a GeoPackage, or what ``options`` of pyogrio say.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    try:
        with stopped_clock():
            pyogrio.write_dataframe(marked(frame, True), path, layer=path.stem, **{"driver": "GPKG", **options})
    except (pyogrio.errors.DataSourceError, pyogrio.errors.FeatureError) as error:
        raise OutputError(f"cannot write {path}: {error}") from error


def write_table(path: Path, frame: gpd.GeoDataFrame | pd.DataFrame, *, encoding: str = "utf-8-sig") -> None:
    """Write a plain table, points as lon and lat, as spreadsheet programs read it."""
    marked(plain(frame), True).to_csv(path, index=False, encoding=encoding, lineterminator="\n")


def plain(frame: gpd.GeoDataFrame | pd.DataFrame) -> pd.DataFrame:
    """Return a frame of points with lon and lat in the geometry's place; one without geometry as it is."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    lon, lat = frame.geometry.x.round(TABLE_DECIMALS), frame.geometry.y.round(TABLE_DECIMALS)
    return pd.DataFrame(frame.drop(columns=frame.geometry.name)).assign(lon=lon, lat=lat)


def write_words(folder: Path, city: City, *, inputs: str, readme: str) -> None:
    """Write the study file, the README and the figures."""
    (folder / "study.toml").write_text(study_file(city, inputs), encoding="utf-8")
    (folder / "README.md").write_text(readme, encoding="utf-8")
    write_record(folder / "figures.json", figures(city))


def write_record(path: Path, record: Mapping[str, object]) -> None:
    """Write a record as JSON."""
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
