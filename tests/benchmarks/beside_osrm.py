"""The nearest station beside OSRM's table of all stations: how long each takes, and whether they say the same.

PYTHONPATH=tests .venv/bin/python -m benchmarks.beside_osrm PYTHON, a Python 3.12 with osrm-bindings: OSRM gets the
streets of the made-up Fushun as they are, with its own profile for walking, and the legs to the street that it leaves
out are added. Heights, barriers and doors, of which it knows nothing, are left out of the study for the comparison.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from benchmarks.lookup import near_streets, percentiles
from lifecircle import open_study
from lifecircle.dispatch import StationIndex
from lifecircle.model import Study
from lifecircle.readers.metric import LON_LAT
from lifecircle.synthetic.examples import write_example

N_PLACES = 1_000
TIMES = 1_000
SAME_M = 1.0
"""How far apart two walks may be that are the same: OSRM rounds places to 0.1 m, and the metres of each stretch."""

UNKNOWN_TO_OSRM = ("elevation", "barriers", "entrances")


def compare(python: str) -> list[str]:
    """Return what is found, a line each."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place) / "fushun"
        write_example(folder, "fushun", size=1.0, side=100, seed=7, step=lambda *_, **__: nullcontext())
        as_stated = StationIndex.of_study(open_study(folder))
        lines = (folder / "study.toml").read_text("utf-8").splitlines()
        plain = [line for line in lines if line.partition(" =")[0] not in UNKNOWN_TO_OSRM]
        (folder / "study.toml").write_text("\n".join(plain), "utf-8")
        study = open_study(folder)
        index = StationIndex.of_study(study)
        points = near_streets(index.network, study.crs)
        told = _by_osrm(python, folder / "streets.osm.pbf", points[:N_PLACES], study)
        p50_s, _ = percentiles(as_stated.nearest, points)
    osrm_s = float(np.median(told["taken_s"]))
    ratio = osrm_s / p50_s
    return [
        f"one place to {len(study.stations)} stations, p50: {p50_s * 1e6:.1f} us; OSRM's table {osrm_s * 1e3:.1f} ms",
        f">= {TIMES:,} times as fast: {ratio:,.0f} times, {'met' if ratio >= TIMES else 'missed'}",
        *_differences(index, points[:N_PLACES], told),
    ]


def _by_osrm(python: str, streets: Path, points: npt.NDArray[np.float64], study: Study) -> dict[str, list[object]]:
    """Prepare the streets by OSRM's tools, and return what its table says of each place."""
    of_package = "import osrm, pathlib; print(pathlib.Path(osrm.__file__).parent)"
    package = Path(
        subprocess.run([python, "-c", of_package], check=True, capture_output=True, text=True).stdout.strip()
    )
    folder = streets.parent / "osrm"
    folder.mkdir()
    copy = folder / "streets.osm.pbf"
    shutil.copyfile(streets, copy)
    tools, profile = package / "bin", package / "share" / "profiles" / "foot.lua"
    for command in ([tools / "osrm-extract", "-p", profile, copy], [tools / "osrm-contract", folder / "streets.osrm"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    stations = study.stations.to_crs(LON_LAT).geometry
    asked = {"places": points.tolist(), "stations": np.column_stack([stations.x, stations.y]).tolist()}
    (folder / "asked.json").write_text(json.dumps(asked), "utf-8")
    subprocess.run([python, Path(__file__).with_name("osrm_table.py"), folder], check=True)
    told: dict[str, list[object]] = json.loads((folder / "answers.json").read_text("utf-8"))
    return told


def _differences(index: StationIndex, points: npt.NDArray[np.float64], told: dict[str, list[object]]) -> list[str]:
    """Say where both name the same station, and why not elsewhere."""
    to_metres = Transformer.from_crs(LON_LAT, index.crs, always_xy=True).transform
    places, stations = told["places"], told["stations"]
    legs_m = np.array([each["leg_m"] for each in stations])
    stand_xy = np.stack(to_metres(*np.array([each["at"] for each in stations]).T), axis=1)
    moved = np.hypot(*(stand_xy - index.stations.xy_m).T) > SAME_M  # every station of it has one leg
    found = dict.fromkeys(
        (
            "same station",
            "another, no farther by either",
            "another: the place attaches to another street",
            "another: a station attaches to another street",
            "another: the ways differ (private ways, gates, what may be walked)",
            "another, though the networks agree",
        ),
        0,
    )
    same_walk = 0
    for (lon, lat), place in zip(points, places, strict=True):
        [ours] = index.find(lon, lat) or [None]
        total_m = np.array([np.inf if each is None else each for each in place["way_m"]]) + place["leg_m"] + legs_m
        theirs = int(np.argmin(total_m))
        if ours is None:
            found["another: the ways differ (private ways, gates, what may be walked)"] += bool(
                np.isfinite(total_m[theirs])
            )
            continue
        only = np.zeros(len(stations), dtype=bool)
        only[theirs] = True
        [there] = index.among(lon, lat, only) or [None]
        there_m = np.inf if there is None else there.walk_m
        same_walk += abs(total_m[ours.station] - ours.walk_m) <= SAME_M
        here_xy = index.places.snap(np.array([to_metres(lon, lat)]), max_access_m=index.max_access_m, n_places=1).xy_m
        if ours.station == theirs:
            found["same station"] += 1
        elif abs(there_m - ours.walk_m) <= SAME_M or abs(total_m[theirs] - total_m[ours.station]) <= SAME_M:
            found["another, no farther by either"] += 1
        elif np.hypot(*(np.array(to_metres(*place["at"])) - here_xy[0])) > SAME_M:
            found["another: the place attaches to another street"] += 1
        elif moved[theirs] or moved[ours.station]:
            found["another: a station attaches to another street"] += 1
        elif abs(there_m - total_m[theirs]) > SAME_M or abs(ours.walk_m - total_m[ours.station]) > SAME_M:
            found["another: the ways differ (private ways, gates, what may be walked)"] += 1
        else:
            found["another, though the networks agree"] += 1
    return [
        f"walks of the same length to the station: {same_walk} of {len(places)}",
        *(f"{k}: {v}" for k, v in found.items()),
    ]


if __name__ == "__main__":
    print("\n".join(compare(sys.argv[1])))
