"""Walks between places on a network: nearest, k nearest, everything within a cutoff, the way itself.

A walk is the access leg, the way along the network and the egress leg; all at one speed. Directions are those of a
resident: from the demand point to the facility. Cutoffs are inclusive. Unreachable is inf seconds and facility -1.
"""

from lifecircle.network import WalkNetwork, walk_network
from lifecircle.routing.changes import LiveWalks
from lifecircle.routing.directions import nearest, nearest_walks, within
from lifecircle.routing.flows import WayTree
from lifecircle.routing.labels import Labels, NearestWalks, node_labels, seconds_at_ends, walks_of_labels
from lifecircle.routing.paths import path
from lifecircle.routing.ways import Ways, ways
from lifecircle.snapping import Snaps, snap

__all__ = [
    "Labels",
    "LiveWalks",
    "NearestWalks",
    "Snaps",
    "WalkNetwork",
    "WayTree",
    "Ways",
    "nearest",
    "nearest_walks",
    "node_labels",
    "path",
    "seconds_at_ends",
    "snap",
    "walk_network",
    "walks_of_labels",
    "ways",
    "within",
]
