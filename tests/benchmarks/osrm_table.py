"""What OSRM says of places and stations, one place at a time; `benchmarks.beside_osrm` runs it in OSRM's Python.

python osrm_table.py FOLDER: reads streets.osrm and asked.json there, writes answers.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import osrm


def answered(
    engine: osrm.OSRM, place: list[float], stations: list[tuple[float, ...]], metres: bool
) -> tuple[Any, float]:
    """Return the table from a place to the stations, and how long it took to make, seconds."""
    parameters = osrm.TableParameters(
        coordinates=[tuple(place), *stations],
        sources=[0],
        destinations=list(range(1, len(stations) + 1)),
        annotations=["distance"] if metres else ["duration"],
    )
    started_s = time.perf_counter()
    table = engine.Table(parameters)
    return table, time.perf_counter() - started_s


def main(folder: Path) -> None:
    """Ask for each place twice: for seconds, which is timed, and for metres."""
    asked = json.loads((folder / "asked.json").read_text("utf-8"))
    stations = [tuple(place) for place in asked["stations"]]
    engine = osrm.OSRM(storage_config=str(folder / "streets.osrm"), use_shared_memory=False, algorithm="CH")
    places, taken_s, stands = [], [], []
    for place in asked["places"]:
        taken_s.append(answered(engine, place, stations, metres=False)[1])
        table, _ = answered(engine, place, stations, metres=True)
        [here] = table["sources"]
        places.append({"at": list(here["location"]), "leg_m": here["distance"], "way_m": list(table["distances"][0])})
        stands = stands or [{"at": list(each["location"]), "leg_m": each["distance"]} for each in table["destinations"]]
    told = json.dumps({"places": places, "stations": stands, "taken_s": taken_s})
    (folder / "answers.json").write_text(told, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
