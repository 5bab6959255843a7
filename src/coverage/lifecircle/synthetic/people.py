"""Who lives where: whole residents in residential buildings, and who of them is old, alone, disabled or poor.

Shares vary as they do in a city: from one kind of quarter to the next, smoothly over the map, and from compound to
compound. What follows from a census is said to; the rest is made up about it.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import gaussian_filter
from scipy.special import expit, logit

from lifecircle.kinds import RESIDENTIAL_KINDS
from lifecircle.model import FloatArray, IntArray, LongArray
from lifecircle.synthetic.city import Cells
from lifecircle.synthetic.programme import CELL_KINDS, Programme
from lifecircle.synthetic.shares import apportion

FARM = (180.0, 2.6, 0.2, 0.35, 0.7)
QUARTERS = {
    "river": FARM,
    "hills": FARM,
    "fields": FARM,
    "village": FARM,
    "works": (45.0, 1.9, 0.15, -0.6, 0.2),
    "public": (80.0, 2.4, 0.12, 0.0, 0.0),
    "old": (62.0, 2.3, 0.15, 0.4, 0.6),
    "slabs": (85.0, 2.3, 0.12, 0.25, 0.1),
    "towers": (95.0, 2.5, 0.22, -0.45, -0.7),
}
"""By kind of cell: square metres of floor to a dwelling (stairs and walls included), residents to a household, share of
dwellings that stand empty, and how much likelier than elsewhere residents are old and poor (log odds).

Made up about these: 2.62 residents to a household (census of 2020, bulletin 2), homes of some 90 m2 in compounds of
towers and less in older blocks, one household to a farmhouse, villages whose young have left."""

OF_AGED_65 = 0.69
"""Share of residents of 65 and more among those of 60 and more: 13.5 of 18.7 % in China, 17.4 of 25.7 % in Liaoning
(census of 2020, bulletin 5, and that of the province)."""

ALONE = (0.14, 0.02)
"""Share who live alone and are looked after for it, among residents of 60 and more and among the others; made up about
the one household in four of a single person (census of 2020, bulletin 2), most of which are young."""

DISABLED = (0.15, 0.03)
"""Share of disabled residents among those of 60 and more and among the others: about 6.3 % of all, of whom half are 60
or more (second national sample survey on disability, 2006), rounded to an older city."""

LOW_INCOME = 0.035
"""Share of residents on minimum living allowance or near it; made up about the 3 % who had it at the end of 2020
(statistics of the Ministry of Civil Affairs)."""

SMOOTH_CELLS = 2.5
"""How far a trait of a quarter reaches over the map, cells (standard deviation of a Gaussian)."""


def settle(
    buildings: gpd.GeoDataFrame, cells: Cells, programme: Programme, size: float, random: np.random.Generator
) -> pd.DataFrame:
    """Put residents into the residential buildings.

    Returns
    -------
    DataFrame
        building_id, residents, residents_aged (60 and more), residents_65plus (of these), residents_living_alone,
        residents_disabled and residents_low_income; whole numbers, one row for every residential building, also for
        one that stands empty. The residents add up to the programme's times ``size``.
    """
    homes = buildings[buildings["kind"].isin(RESIDENTIAL_KINDS)]
    cell = homes["cell"].to_numpy()
    dwelling_m2, household, empty, older, poorer = np.array([QUARTERS[k] for k in CELL_KINDS])[cells.kind[cell]].T
    estate = _estates(homes)

    floor_m2 = shapely.area(homes.geometry.to_numpy()) * np.maximum(homes["levels"].to_numpy(dtype=np.float64), 1.0)
    dwellings = np.maximum(np.round(floor_m2 / dwelling_m2), 1.0)
    lived_in = np.exp(0.1 * _over_the_map(cells, random)[cell] + 0.12 * _by_estate(estate, random))
    chance = random.gamma(4.0 * dwellings) / (4.0 * dwellings)
    residents = apportion(dwellings * household * (1.0 - empty) * lived_in * chance, round(programme.residents * size))

    age = older + 0.25 * _over_the_map(cells, random)[cell] + 0.25 * _by_estate(estate, random)
    aged = random.binomial(residents, _with_share(age, residents, programme.aged_share))
    need = poorer + 0.5 * age + 0.4 * _over_the_map(cells, random)[cell] + 0.3 * _by_estate(estate, random)
    frailty = np.exp(0.2 * _by_estate(estate, random))
    others = residents - aged
    return pd.DataFrame(
        {
            "building_id": homes["building_id"].to_numpy(),
            "residents": residents,
            "residents_aged": aged,
            "residents_65plus": random.binomial(aged, OF_AGED_65),
            "residents_living_alone": random.binomial(aged, ALONE[0]) + random.binomial(others, ALONE[1]),
            "residents_disabled": random.binomial(aged, np.minimum(DISABLED[0] * frailty, 1.0))
            + random.binomial(others, np.minimum(DISABLED[1] * frailty, 1.0)),
            "residents_low_income": random.binomial(residents, _with_share(need, residents, LOW_INCOME)),
        }
    )


def _estates(homes: gpd.GeoDataFrame) -> IntArray:
    """Return (n,) the number of each home's compound, or of its cell where it stands in none."""
    compound, cell = homes["compound"].to_numpy(), homes["cell"].to_numpy()
    return np.unique(np.where(compound >= 0, compound, -1 - cell), return_inverse=True)[1].astype(np.int32)


def _by_estate(estate: IntArray, random: np.random.Generator) -> FloatArray:
    """Return (n,) standard normal numbers, one to an estate."""
    return random.standard_normal(int(estate.max()) + 1)[estate]


def _over_the_map(cells: Cells, random: np.random.Generator) -> FloatArray:
    """Return (n_cells,) smooth numbers of mean 0 and deviation 1."""
    noise = gaussian_filter(random.standard_normal((cells.n_columns, cells.n_rows)), SMOOTH_CELLS, mode="nearest")
    return np.asarray((noise - noise.mean()) / noise.std(), dtype=np.float64).ravel()


def _with_share(log_odds: FloatArray, residents: LongArray, share: float) -> FloatArray:
    """Return the probabilities of ``log_odds``, all moved by one number so that ``share`` of the residents is met."""
    low, high = logit(share) - log_odds.max(), logit(share) - log_odds.min()
    for _ in range(50):
        middle = (low + high) / 2.0
        if (expit(log_odds + middle) * residents).sum() < share * residents.sum():
            low = middle
        else:
            high = middle
    return np.asarray(expit(log_odds + high), dtype=np.float64)
