"""Residents onto buildings: what comes in equals what stands on demand points plus the unplaced, in every area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach
from lifecircle.floors import MIN_FOOTPRINT_M2, floor_shares, residential_floor_area_m2
from lifecircle.kinds import RESIDENTIAL_KINDS
from lifecircle.model import FloatArray, Note, Settings, SpeedClass, Study
from lifecircle.readers.placing import FOUND, ON_BUILDING, UNPLACED
from lifecircle.said import Said, in_chinese
from lifecircle.schema import breach

ESTIMATE = Said(
    "Residents per building are an estimate: stated totals are spread over residential buildings by floor area "
    "(footprint x levels above ground; the median where levels are not stated; a building of unstated use counts as "
    "residential when no other use is mapped and its footprint is at least {:.0f} m2).",
    MIN_FOOTPRINT_M2,
)

ROUNDED = Note(
    en="For publication: residents are rounded at random, home by home, to multiples of 5, and all other figures "
    "follow from the rounded ones. Homes of fewer than 5 residents and sums below 25 are not shown: such figures are "
    "empty and named in the column not_shown.",
    zh="公开版：各楼栋人口逐栋随机取整为 5 的倍数，其余数字均由取整后的人口算出。不足 5 人的楼栋和不足 25 人的合计"
    "不予公布：该格留空，并在 not_shown 列注明。",
)

SUM_ERROR = 1e-9
"""Part of a count below which what others leave of it is the error of a sum, and nobody."""


@dataclass(frozen=True, eq=False)
class Demand:
    """Residents by building, and those that no building could take.

    ``residents`` has the rows of ``study.buildings`` and the columns ``residents``,
    ``residents_<class or attribute>``...; ``unplaced`` the same columns and ``area_id`` (empty where the source names
    no area).
    """

    residents: pd.DataFrame
    unplaced: pd.DataFrame
    estimated: bool
    """Whether any count was spread over buildings rather than given for them."""
    rounded: bool = False
    """Whether the counts are rounded so that they may be published."""
    homeless: float = 0.0
    """Residents among the unplaced whose area is known and has no home; of the others nobody knows the place."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What every page and table made from this has to say."""
        spread = Note(en=ESTIMATE, zh=in_chinese(ESTIMATE))
        return (*([spread] if self.estimated else []), *([ROUNDED] if self.rounded else []))

    @property
    def findings(self) -> tuple[Breach, ...]:
        """Residents whom no building could take, as a warning that names their areas; a note of an estimate."""
        note = Breach("residents", "estimated-residents", ESTIMATE, severity="note")
        return (*self._unplaced(), *([note] if self.estimated else []))

    def _unplaced(self) -> list[Breach]:
        lost = self.unplaced[self.unplaced["residents"] > 0]
        message = Said(
            "{:,.0f} residents are unplaced: {:,.0f} are counted at a place that is not known or holds no home, told "
            "by itself, and {:,.0f} in areas without a home; kinds of homes are {}",
            lost["residents"].sum(),
            lost["residents"].sum() - self.homeless,
            self.homeless,
            ", ".join(sorted(RESIDENTIAL_KINDS)),
        )
        where = lost["area_id"].where(lost["area_id"] != "", "total")
        return breach("residents", "unplaced", message, where, "warning")

    def of(self, group: str) -> FloatArray:
        """Return (n_buildings,) residents of a class or attribute."""
        return self.residents[f"residents_{group}"].to_numpy(dtype=np.float64)


def place_residents(study: Study) -> Demand:
    """Put the study's residents onto its buildings.

    Those who are counted for a building stand there. What remains of areas, and of totals, is spread over the
    residential floor area inside the area (a total: inside any area), in homes that hold none of the former as long as
    there are such; where there is no home at all they are unplaced.

    Returns
    -------
    Demand
        Totals are conserved in every area to rounding (1e-9 of the total).
    """
    given, buildings = study.residents, study.buildings
    columns = [c for c in given.columns if c == "residents" or c.startswith("residents_")]
    on_building, unplaced = given["by"].isin(ON_BUILDING), [given[given["by"] == UNPLACED]]
    stated = given[on_building]
    row = pd.Index(buildings["building_id"]).get_indexer(pd.Index(stated["target_id"]))
    people = stated[columns].to_numpy(dtype=np.float64)
    placed = np.column_stack([np.bincount(row, weights=c, minlength=len(buildings)) for c in people.T]).astype(
        np.float64
    )

    spread = given[~on_building & (given["by"] != UNPLACED)]
    if len(spread):
        tree = AreaTree.of(study.areas)
        fixed = np.isin(buildings["building_id"], given["target_id"][given["by"] == FOUND])
        floor = np.where(fixed, 0.0, residential_floor_area_m2(buildings))
        counted = np.isin(np.arange(len(buildings)), row)
        area_row = tree.rows(buildings["area_id"])
        inside, anywhere = tree.inside(area_row), np.flatnonzero(area_row >= 0)
        areas = tree.rows(spread["target_id"])  # -1 for a total
        taken = np.zeros(len(spread), dtype=bool)
        people = spread[columns].to_numpy(dtype=np.float64)
        for i, area in enumerate(areas.tolist()):  # one step an area, none a building
            members = inside[area] if area >= 0 else anywhere
            share = floor_shares(floor[members], counted[members])
            placed[members] += people[i] * share[:, None]
            taken[i] = share.any()
        unplaced.append(spread[~taken])
    homeless = sum(float(part["residents"].sum()) for part in unplaced[1:])
    lost = pd.concat(unplaced, ignore_index=True).rename(columns={"target_id": "area_id"})
    return Demand(
        residents=with_classes(pd.DataFrame(placed, columns=columns, index=buildings.index), study.settings),
        unplaced=with_classes(lost[["area_id", *columns]], study.settings),
        estimated=len(spread) > 0 or bool((given["by"] == "cell").any()),
        homeless=homeless,
    )


def with_classes(counts: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the counts with a column for every speed class; the reference class takes whom no other column names.

    Where the others are everybody it is nobody, whatever is left by rounding.
    """
    reference = settings.walking.reference.name
    others = [f"residents_{c.name}" for c in settings.walking.classes if c.name != reference]
    full = counts.assign(**{c: 0.0 for c in others if c not in counts})
    rest = full["residents"] - full[others].sum(axis=1)
    return full.assign(**{f"residents_{reference}": rest.where(rest > SUM_ERROR * full["residents"], 0.0)})


def groups(study: Study) -> tuple[tuple[SpeedClass, ...], tuple[str, ...]]:
    """Return the speed classes, which partition the residents, and the attributes, which may overlap."""
    classes = study.settings.walking.classes
    return classes, tuple(g for g in study.groups if g not in {c.name for c in classes})
