"""Small random towns for laws that hold everywhere."""

import numpy as np
from hypothesis import strategies as st

from lifecircle.routing import Snaps, snap, walk_network


@st.composite
def towns(draw):
    """A small random town: crossings, streets of every kind (parallel, loops, private, closed, one way), places."""
    n_nodes = draw(st.integers(2, 9))
    n_segments = draw(st.integers(1, 16))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    xy = random.uniform(0, 800, (n_nodes, 2)).round(draw(st.integers(0, 3)))
    edges = random.integers(0, n_nodes, (n_segments, 2))

    def some(share):
        return random.random(n_segments) < draw(st.sampled_from([0.0, share]))

    shapes = [[xy[a], *random.uniform(0, 800, (random.integers(0, 3), 2)), xy[b]] for a, b in edges]
    heights = random.uniform(0, 60, n_nodes) if draw(st.booleans()) else None
    waits = random.uniform(0, 60, n_segments) * some(0.3) if draw(st.booleans()) else None
    rules = {"oneway": some(0.2), "private": some(0.4), "closed": some(0.2)}
    network = walk_network(xy, edges, shapes=shapes, height_m=heights, fixed_s=waits, **rules)

    def places(most):
        n = draw(st.integers(1, most))
        points = random.uniform(-50, 850, (n, 2))
        at_node = random.random(n) < 0.3
        points[at_node] = xy[random.integers(0, n_nodes, at_node.sum())]
        place = np.sort(random.integers(0, n, n))
        building = random.integers(-3, 3, n)
        return snap(network, points, max_access_m=200, place=place, n_places=n).in_buildings(building)

    return network, places(6), places(5), rules


def at_nodes(network):
    """Return every node as a place on a segment that ends there, a private one if there is one; unsnappable without."""
    order = np.argsort(~network.private, kind="stable")
    node, first = np.unique(network.ends[order].ravel(), return_index=True)
    n = len(node)
    return Snaps(
        place=node.astype(np.int32),
        segment=order[first // 2].astype(np.int32),
        fraction=(first % 2).astype(np.float64),
        access_m=np.zeros(n),
        xy_m=network.xy_m[node],
        blocked=np.zeros(n, dtype=bool),
        building=np.full(len(network.xy_m), -1, dtype=np.int32),
    )
