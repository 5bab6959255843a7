"""The residents of a made-up city household by household, as communities keep them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import LongArray

HOUSEHOLD = 2.9
"""Mean number of people in a household of several; the national mean of all households is 2.62 (census of 2020)."""

GROUPS = {
    "residents_aged": "60岁以上",
    "residents_65plus": "65岁以上",
    "residents_living_alone": "独居",
    "residents_disabled": "残疾",
    "residents_low_income": "低保",
}
"""Attributes that the sheets count, and their headings."""

_HOMES_ON_A_FLOOR, _FLOORS_OF_A_STAIR = 3, 6


def households_of(residents: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Part the residents of each building into households.

    Parameters
    ----------
    residents
        building_id, residents and the columns of `GROUPS` that the city has: whole numbers.

    Returns
    -------
    DataFrame
        building (row of ``residents``), household (its number, from 1), stair, door, residents and the groups: whole
        numbers, the counts of a building's households add up to its own. Whoever lives alone is a household of one; the
        others share one with someone, but where a single person is left over.
    """
    inhabited = residents[residents["residents"] > 0]
    people = inhabited["residents"].to_numpy()
    alone = np.minimum(inhabited.get("residents_living_alone", pd.Series(0, inhabited.index)).to_numpy(), people)
    together = people - alone
    shared = np.where(together > 0, np.clip(np.rint(together / HOUSEHOLD), 1, np.maximum(together // 2, 1)), 0)
    homes = (alone + shared).astype(np.int64)
    building = np.repeat(np.arange(len(people)), people)
    rank = np.arange(len(building)) - np.repeat(np.cumsum(people) - people, people)

    # The first ones live alone; of the others the first ones found a household each and a second joins each in turn.
    of_shared = np.maximum(shared[building].astype(np.int64), 1)
    after = rank - alone[building]
    joined = np.where(after < 2 * of_shared, after % of_shared, random.integers(0, of_shared))
    home = np.where(after < 0, rank, alone[building] + joined) + (np.cumsum(homes) - homes)[building]

    counts = {"residents": np.bincount(home, minlength=int(homes.sum()))}
    ages = random.random(len(building)) - (after < 0)  # whoever lives alone is mostly old
    for column in GROUPS:
        if column in inhabited:
            key = ages if column in ("residents_aged", "residents_65plus") else random.random(len(building))
            key = np.where(after < 0, rank - len(building), key) if column == "residents_living_alone" else key
            member = _rank_in(building, key, rank) < inhabited[column].to_numpy()[building]
            counts[column] = np.bincount(home[member], minlength=int(homes.sum()))
    of_home = np.repeat(np.arange(len(people)), homes)
    drawn = np.lexsort([random.random(len(of_home)), of_home])  # behind which door is chance
    number = np.arange(len(of_home)) - np.repeat(np.cumsum(homes) - homes, homes)
    floor, side = np.divmod(number, _HOMES_ON_A_FLOOR)
    stair, floor = np.divmod(floor, _FLOORS_OF_A_STAIR)
    door = (floor + 1) * 100 + side + 1
    return pd.DataFrame(
        {"building": inhabited.index.to_numpy()[of_home], "household": np.arange(1, len(of_home) + 1)}
        | {"stair": stair + 1, "door": door}
        | {column: count[drawn] for column, count in counts.items()}
    )


def _rank_in(group: LongArray, key: npt.NDArray[np.float64], place: LongArray) -> LongArray:
    """Return the rank of each key in its group, whose members stand together; ``place`` is each one's place there."""
    order = np.lexsort([key, group])
    rank = np.empty_like(place)
    rank[order] = place
    return rank
