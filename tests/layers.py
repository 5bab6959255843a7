"""Street layers written as lists of lines, for tests of what becomes of them."""

import numpy as np
import pandas as pd

from lifecircle.model import StreetWays
from lifecircle.schema import NODE_TAGS


def ways(*lines, nodes=None, origin=(0.0, 0.0)):
    """Return a street layer: (way id, tags, points), metres from ``origin``; points at one spot are one node.

    ``nodes`` are tags by spot; the id of a node with tags is ``n`` and its place among them. A way is a residential
    street unless its tags say otherwise.
    """
    points = [tuple(map(float, p)) for _, _, line in lines for p in line]
    spots = list(dict.fromkeys(points))
    tagged = [
        {"node": spots.index(tuple(map(float, p))), "id": f"n{i}"} | dict.fromkeys(NODE_TAGS, "") | tags
        for i, (p, tags) in enumerate((nodes or {}).items())
    ]
    return StreetWays(
        way_id=tuple(name for name, _, _ in lines),
        tags=pd.DataFrame([{"highway": "residential"} | tags for _, tags, _ in lines]).fillna(""),
        indptr=np.cumsum([0, *(len(line) for _, _, line in lines)]),
        node=np.array([spots.index(p) for p in points], dtype=np.int32),
        xy_m=np.add(spots, origin),
        node_tags=pd.DataFrame(tagged, columns=["node", "id", *NODE_TAGS]),
    )
