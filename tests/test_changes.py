"""A planner drags sites and closes streets: the walks that follow are those from scratch."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.routing import LiveWalks, nearest_walks, snap, walk_network
from towns import towns


def from_scratch(live):
    """Return the walks to the open sites on the network as it is now, with the numbers of all sites."""
    network = live.network.with_ways(closed=live.network.closed)
    able = np.flatnonzero(live.is_open)
    walks = nearest_walks(network, live.sites.take(able), live.demand)
    return replace(walks, facility=np.append(able, -1)[walks.facility].astype(np.int32))


def assert_same(live):
    expected = from_scratch(live)
    for field in fields(expected):
        if field.name not in ("access_m", "egress_m", "walk_m", "blocked"):  # several ways may take equally long
            np.testing.assert_array_equal(getattr(live.walks, field.name), getattr(expected, field.name))
    np.testing.assert_allclose(live.walks.walk_m, expected.walk_m)


@given(towns(), st.data())
def test_after_any_changes_every_walk_is_the_one_from_scratch(town, data):
    network, homes, sites, _ = town
    live = LiveWalks.of(network, sites, homes)
    assert_same(live)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for change in data.draw(st.lists(st.sampled_from(["open", "move", "close", "all"]), min_size=1, max_size=4)):
        news = {}
        if change in ("open", "all"):
            news["is_open"] = random.random(sites.n_places) < 0.6
        if change in ("move", "all"):
            stays = random.random(len(live.sites.place)) < 0.5
            segment = np.where(stays, live.sites.segment, random.integers(0, network.n_segments, len(stays)))
            news["sites"] = replace(live.sites, segment=segment.astype(np.int32))
        if change in ("close", "all"):
            news["closed"] = random.random(network.n_segments) < 0.3
        live = live.after(**news)
        assert_same(live)


@pytest.fixture
def long_street():
    """A street of 50 blocks of 100 m, a home in the middle of each, a site at each corner."""
    corners = np.column_stack([np.arange(51) * 100.0, np.zeros(51)])
    network = walk_network(corners, np.column_stack([np.arange(50), np.arange(1, 51)]))
    return network, snap(network, corners), snap(network, corners[:-1] + np.array([50, 0]))


def test_opening_a_site_walks_only_the_homes_that_it_wins(long_street):
    network, sites, homes = long_street
    is_open = np.arange(51) % 10 == 0
    live = LiveWalks.of(network, sites, homes, is_open=is_open)
    is_open = is_open.copy()
    is_open[25] = True
    after = live.after(is_open=is_open)
    assert after.walked.tolist() == [22, 23, 24, 25, 26, 27]
    assert (after.walks.facility[[22, 23, 24, 25, 26, 27], 0] == [20, 25, 25, 25, 25, 25]).all()
    back = after.after(is_open=live.is_open)
    np.testing.assert_array_equal(back.walks.seconds, live.walks.seconds)
    assert len(back.walked) < 10


def test_closing_a_street_walks_only_the_homes_that_used_it(long_street):
    network, sites, homes = long_street
    live = LiveWalks.of(network, sites, homes, is_open=np.arange(51) % 10 == 0)
    closed = np.zeros(50, dtype=bool)
    closed[2] = True
    after = live.after(closed=closed)
    assert after.walked.tolist() == [2, 3, 4, 5]
    assert (after.walks.facility[[3, 4], 0] == 10).all()
    assert (live.after(closed=closed).after(closed=~closed & False).walks.facility == live.walks.facility).all()


def test_a_site_that_cannot_be_numbered_is_refused(long_street):
    network, sites, homes = long_street
    live = LiveWalks.of(network, sites, homes)
    with pytest.raises(ValueError, match="keep their number"):
        live.after(sites=sites.take([0, 1]))
    with pytest.raises(ValueError, match="there are 50"):
        live.after(closed=[True])
