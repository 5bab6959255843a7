"""The walks worked out by hand in cases/walks.json: what the words of the definitions mean, to the micrometre."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely

from lifecircle.network import WalkNetwork, walk_network
from lifecircle.routing import Snaps, nearest_walks, snap, within

CASES = json.loads((Path(__file__).parent / "cases" / "walks.json").read_text("utf-8"))
CUTOFFS_S = {"8": 480.0, "15": 900.0}


@dataclass(frozen=True)
class Town:
    """A hand-drawn network with its homes and stations, ids in ascending order."""

    network: WalkNetwork
    home_ids: list[str]
    homes: Snaps
    station_ids: list[str]
    stations: Snaps
    home_areas: list[str]
    station_areas: list[str]


def place_of(value):
    return value if isinstance(value, dict) else {"at": value}


def draw(case) -> Town:
    names = list(case["nodes"])
    nodes = np.array([case["nodes"][n] for n in names], dtype=float)
    segments = case["segments"]
    ends = [(names.index(s["from"]), names.index(s["to"])) for s in segments]
    shapes = [
        [nodes[a][:2].tolist(), *s.get("via", []), nodes[b][:2].tolist()]
        for s, (a, b) in zip(segments, ends, strict=True)
    ]
    network = walk_network(
        nodes[:, :2],
        ends,
        shapes=shapes,
        height_m=nodes[:, 2] if nodes.shape[1] == 3 else None,
        oneway=[s.get("oneway", False) for s in segments],
        private=[s.get("private", False) and s.get("gate") != "open" for s in segments],
        closed=[s["id"] in case.get("closed", ()) for s in segments],
    )
    barriers = [shapely.LineString(line) for line in case.get("barriers", ())] or None
    buildings: dict[str, int] = {}

    def snapped(places):
        ids = sorted(places)
        spots = [place_of(places[i]) for i in ids]
        points = [p.get("entrances") or [p["at"]] for p in spots]
        snaps = snap(
            network,
            np.concatenate([np.array(p, dtype=float) for p in points]),
            max_access_m=case.get("max_access_m", 250),
            barriers=barriers,
            place=np.repeat(np.arange(len(ids)), [len(p) for p in points]),
        )
        numbers = [buildings.setdefault(p["building"], len(buildings)) if "building" in p else -1 for p in spots]
        return ids, snaps.in_buildings(numbers), [p.get("area_id", "") for p in spots]

    home_ids, homes, home_areas = snapped(case["homes"])
    station_ids, stations, station_areas = snapped(case["stations"])
    return Town(network, home_ids, homes, station_ids, stations, home_areas, station_areas)


def answer(town: Town, home: str, case):
    """Say where ``home`` walks to, in the words of the cases."""
    h = town.home_ids.index(home)
    eligible = np.arange(len(town.station_ids))
    if case.get("eligible") == "community":
        eligible = np.flatnonzero(np.array(town.station_areas) == town.home_areas[h])
    walk = nearest_walks(
        town.network, town.stations.take(eligible), town.homes.take([h]), speed_mps=case.get("speed_mps", 1.2)
    )
    own_leg = town.homes.access_m[town.homes.place == h]
    if walk.facility[0, 0] < 0:
        return {"status": "unreachable", "access_m": own_leg[0]} if len(own_leg) else {"status": "unsnappable"}
    seconds = walk.seconds[0, 0]
    return {
        "status": "ok",
        "station_id": town.station_ids[eligible[walk.facility[0, 0]]],
        "walk_m": walk.walk_m[0, 0],
        "walk_s": seconds,
        "access_m": walk.access_m[0, 0],
        "egress_m": walk.egress_m[0, 0],
        "circle": next((name for name, cutoff in CUTOFFS_S.items() if seconds <= cutoff + 1e-6), None),
        "leg_blocked": bool(walk.blocked[0, 0]),
    }


@pytest.mark.parametrize("case", CASES["walks"], ids=lambda c: c["name"])
def test_a_walk_is_what_was_worked_out_by_hand(case):
    town = draw(case)
    for home, expected in case["expect"].items():
        found = answer(town, home, case)
        for key, value in expected.items():
            if isinstance(value, float | int) and not isinstance(value, bool):
                assert found[key] == pytest.approx(value, abs=1e-6), (home, key)
            else:
                assert found[key] == value, (home, key)


@pytest.mark.parametrize("case", CASES["walks"], ids=lambda c: c["name"])
def test_one_to_many_agrees_with_nearest(case):
    town = draw(case)
    speed = case.get("speed_mps", 1.2)
    nearest = nearest_walks(town.network, town.stations, town.homes, k=len(town.station_ids), speed_mps=speed)
    table = np.full((len(town.home_ids), len(town.station_ids)), np.inf)
    for h, s in np.argwhere(nearest.facility >= 0):
        table[h, nearest.facility[h, s]] = nearest.seconds[h, s]
    walks = within(town.network, town.stations, town.homes, cutoff_s=1e6, speed_mps=speed)
    again = np.full_like(table, np.inf)
    for station in range(walks.n_facilities):
        homes, seconds = walks.row(station)
        again[homes, station] = seconds
    np.testing.assert_allclose(again, table, atol=1e-9)
