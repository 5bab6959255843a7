"""What lots are used for, in figures: how long and how far apart the buildings of each use stand.

Slab blocks of five to seven storeys in rows that face south are the form of the 1980s and 1990s, as high as one built
without a lift; towers of 18 to 33 storeys that of the 2000s. The sun sets the distance between rows, a little more than
the height of a slab (GB 50180-2018, 4.0.9, asks for an hour or two of it in midwinter). The figures are round ones,
made up about these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Use:
    """How a lot is built on. Pairs are least and most, metres; each lot draws its own between them."""

    name: str
    kind: str
    """Of its buildings, as in OpenStreetMap."""
    noun: str
    """What follows the number in a building's name; empty where they have none."""
    levels: tuple[int, ...]
    """Each as likely as the next; the buildings of a lot are alike."""
    length_m: tuple[float, float]
    depth_m: tuple[float, float]
    gap_m: tuple[float, float]
    """From one building of a row to the next."""
    clear_m: tuple[float, float]
    """From one row to the next."""
    lane_m: float
    """From a building's north side to the lane along it."""
    unit_m: float
    """Length of a building for each of its doors, of which it has four at most."""
    exits: int
    """How many ways lead out of a lot at most; out of one that is never walled always."""
    walled: float = 0.0
    """Share of lots behind a wall with gates."""
    shops: float = 0.0
    """Share of sides along a main street with a row of shops before the wall."""
    most_rows: int = 99
    empty: float = 0.0
    """Share of places in the rows where nothing stands."""
    green: bool = False
    """Whether the middle of the lot is a green that the buildings stand round."""
    court: tuple[float, float] = (0.0, 0.0)
    """Share of a building's length and depth that is open to the south, like the court of a U."""
    sheds: float = 0.0
    """Share of buildings with a row of sheds before them."""
    extra: tuple[tuple[str, str, int], ...] = ()
    """Kind, name and levels of what may stand in the middle in place of one building."""


_OF_RESIDENTS = (("kindergarten", "幼儿园", 3), ("civic", "党群服务中心", 2), ("retail", "便民市场", 1))

USES = (
    Use("slabs", "apartments", "号楼", levels=(5, 5, 6, 6, 6, 6, 7, 7, 11),
        length_m=(45, 64), depth_m=(11, 12.5), gap_m=(9, 15), clear_m=(18, 26), lane_m=4.5, unit_m=17,
        exits=3, walled=0.67, shops=0.7, empty=0.07, sheds=0.22, extra=_OF_RESIDENTS),
    Use("towers", "apartments", "号楼", levels=(18, 18, 18, 24, 26, 28, 33),
        length_m=(23, 29), depth_m=(19, 24), gap_m=(26, 36), clear_m=(38, 50), lane_m=6, unit_m=15,
        exits=3, walled=0.9, shops=0.8, green=True, court=(0.24, 0.25), extra=_OF_RESIDENTS[:2]),
    Use("works", "industrial", "号厂房", levels=(1, 1, 2),
        length_m=(50, 110), depth_m=(28, 48), gap_m=(14, 22), clear_m=(18, 26), lane_m=7, unit_m=60,
        exits=2, walled=1.0, shops=0.4, empty=0.12, extra=(("office", "办公楼", 4), ("dormitory", "职工宿舍", 5))),
    Use("school", "school", "号教学楼", levels=(4, 4, 5),
        length_m=(48, 66), depth_m=(26, 34), gap_m=(12, 18), clear_m=(30, 40), lane_m=5, unit_m=30,
        exits=2, walled=1.0, most_rows=1, court=(0.6, 0.6)),
    Use("hospital", "hospital", "号病房楼", levels=(5, 8, 12),
        length_m=(50, 75), depth_m=(20, 26), gap_m=(14, 20), clear_m=(28, 36), lane_m=6, unit_m=30,
        exits=3, shops=0.3, most_rows=3, empty=0.1, court=(0.4, 0.3), extra=(("hospital", "门诊楼", 4),)),
    Use("mall", "retail", "", levels=(3, 4, 5),
        length_m=(70, 110), depth_m=(45, 60), gap_m=(20, 26), clear_m=(24, 30), lane_m=7, unit_m=27,
        exits=4, most_rows=2, extra=(("office", "写字楼", 14),)),
    Use("park", "pavilion", "", levels=(1,),
        length_m=(8, 12), depth_m=(6, 9), gap_m=(45, 60), clear_m=(50, 65), lane_m=6, unit_m=20,
        exits=4, empty=0.8),
)  # fmt: skip
"""The order is that of the numbers in `lifecircle.synthetic.blocks.lots.Lots.use`."""

NUMBER = {use.name: i for i, use in enumerate(USES)}


def figures(name: str) -> np.ndarray:
    """Return one figure of all uses: (n_uses,), or (n_uses, 2) of a pair."""
    return np.array([getattr(use, name) for use in USES])
