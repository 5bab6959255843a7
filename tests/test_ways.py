"""The ways that maps draw: of each home the one that `path` finds, whatever streets, doors and rules there are."""

import numpy as np
import pytest
import shapely
from hypothesis import given

from lifecircle.routing import nearest_walks, path, ways
from lifecircle.routing.paths import _line
from towns import towns

SPEED_MPS = 1.2


def way_of(network, stations, homes, kept, home):
    """Follow the stretches of a home's way; return its line, metres in all and the station."""
    at, start = kept.first[home], homes.fraction[kept.own_row[home]]
    metres, lines = homes.access_m[kept.own_row[home]], []
    while True:
        onto = kept.parent[at]
        last = kept.parent[onto] == onto
        stop = stations.fraction[kept.row[onto]] if last else float(kept.forward[at])
        segment = kept.segment[at]
        lines.append(_line(network, segment, start, stop))
        metres += abs(stop - start) * network.length_m[segment]
        if last:
            row = kept.row[onto]
            return np.concatenate(lines), metres + stations.access_m[row], stations.place[row]
        at = onto
        start = 1.0 - float(kept.forward[at])


def same_line(a, b):
    """Whether two lines run over the same places in the same order."""
    if shapely.LineString([*a, a[-1]]).length == 0:
        return np.allclose(a, b[0], atol=1e-6)
    share = np.linspace(0, 1, 50)
    a, b = shapely.linestrings(a), shapely.linestrings(b)
    spots = [shapely.line_interpolate_point(line, share, normalized=True) for line in (a, b)]
    return shapely.distance(*spots).max() < 1e-6


RULES = {
    "the nearest station": lambda *places: nearest_walks(*places),
    "the worse way counts": lambda *places: nearest_walks(*places, direction="worse_way"),
    "another than the nearest": lambda *places: (walks := nearest_walks(*places, k=2)).picked(
        np.ones((len(walks.seconds), 1), dtype=np.int64), walks.seconds[:, 1:]
    ),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(towns())
def test_every_home_has_the_way_that_path_finds_to_its_station(rule, town):
    network, homes, stations, _ = town
    walks = rule(network, stations, homes)
    kept = ways(network, stations, homes, walks, speed_mps=SPEED_MPS)
    assert (np.diff(kept.segment) >= 0).all()
    for home, station in enumerate(walks.facility[:, 0]):
        inside = station >= 0 and homes.building[home] == stations.building[station] >= 0
        assert (kept.first[home] < 0) == (station < 0 or inside)
        if kept.first[home] < 0:
            continue
        line, metres, found = way_of(network, stations, homes, kept, home)
        expected, expected_m = path(network, homes.take([home]), stations.take([station]), speed_mps=SPEED_MPS)
        assert found == station
        assert metres == pytest.approx(walks.walk_m[home, 0], abs=1e-6)
        assert metres == pytest.approx(expected_m, abs=1e-6)
        assert same_line(line, expected)
