"""Residents onto buildings: what comes in equals what stands on demand points plus the unplaced, in every area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from lifecircle.areas import AreaTree
from lifecircle.errors import Breach
from lifecircle.model import FloatArray, Note, Settings, SpeedClass, Study
from lifecircle.schema import RESIDENTIAL_KINDS

MIN_FOOTPRINT_M2 = 30.0
"""A ``building=yes`` smaller than this is taken for a shed and holds nobody."""

ESTIMATE = Note(
    en="Residents per building are an estimate: stated totals are spread over residential buildings by floor area "
    "(footprint x levels above ground; the median where levels are not stated; a building of unstated use counts as "
    f"residential when no other use is mapped and its footprint is at least {MIN_FOOTPRINT_M2:.0f} m2).",
    zh="各楼栋人口为估算值：按公布的总人口，依住宅建筑面积（占地面积×地上层数；未注明层数的取中位数；用途不明、"
    f"未标注其他用途且占地不小于 {MIN_FOOTPRINT_M2:.0f} 平方米的建筑按住宅计）分摊。",
)


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

    @property
    def notes(self) -> tuple[Note, ...]:
        """What every page and table made from this has to say."""
        return (ESTIMATE,) if self.estimated else ()

    @property
    def findings(self) -> tuple[Breach, ...]:
        """Residents whom no building could take, as a warning that names their areas."""
        lost = self.unplaced[self.unplaced["residents"] > 0]
        if not len(lost):
            return ()
        message = (
            f"{lost['residents'].sum():,.0f} residents are unplaced: no residential building in their area; kinds that "
            "count are " + ", ".join(sorted(RESIDENTIAL_KINDS))
        )
        ids = tuple(lost["area_id"].where(lost["area_id"] != "", "total"))
        return (Breach("residents", "unplaced", message, ids[:5], len(ids), "warning"),)

    def of(self, group: str) -> FloatArray:
        """Return (n_buildings,) residents of a class or attribute."""
        return self.residents[f"residents_{group}"].to_numpy(dtype=np.float64)


def place_residents(study: Study) -> Demand:
    """Put the study's residents onto its buildings.

    Counts by building stay where they are. Counts by area, and totals, are spread over the residential floor area
    inside the area (a total: inside any area); where there is none they are unplaced.

    Returns
    -------
    Demand
        Totals are conserved in every area to rounding (1e-9 of the total).
    """
    given = study.residents
    counts = [c for c in given.columns if c == "residents" or c.startswith("residents_")]
    buildings = study.buildings
    residents = pd.DataFrame(0.0, index=buildings.index, columns=counts)
    unplaced = []

    by_building = given[given["by"] == "building"]
    row = pd.Index(buildings["building_id"]).get_indexer(by_building["target_id"])
    for column in counts:
        residents[column] += np.bincount(row, weights=by_building[column], minlength=len(buildings))

    spread = given[given["by"] != "building"]
    if len(spread):
        tree = AreaTree.of(study.areas)
        floor = residential_floor_area_m2(buildings)
        area_row = tree.rows(buildings["area_id"])
        inside = tree.inside(area_row)
        anywhere = np.flatnonzero(area_row >= 0)
        for source in spread.to_dict("records"):  # one step an area, none a building
            area_id = source["target_id"] if source["by"] == "area" else ""
            members = inside[tree.ids.index(area_id)] if source["by"] == "area" else anywhere
            whole = floor[members].sum()
            if whole > 0:
                share = floor[members] / whole
                for column in counts:
                    residents.iloc[members, residents.columns.get_loc(column)] += source[column] * share
            else:
                unplaced.append({"area_id": area_id, **{c: source[c] for c in counts}})
    return Demand(
        residents=with_classes(residents, study.settings),
        unplaced=with_classes(pd.DataFrame(unplaced, columns=["area_id", *counts]), study.settings),
        estimated=len(spread) > 0,
    )


def residential_floor_area_m2(buildings: pd.DataFrame) -> FloatArray:
    """Return (n,) square metres of floor above ground in which people may live; 0 for all other buildings.

    Levels not stated are the median of the residential buildings that state them, 1 where none does.
    """
    footprint = shapely.area(buildings.geometry.to_numpy())
    unstated_use = (buildings["kind"] == "yes") & ~buildings["other_use"] & (footprint >= MIN_FOOTPRINT_M2)
    residential = ((buildings["kind"].isin(RESIDENTIAL_KINDS) | unstated_use) & ~buildings["underground"]).to_numpy()
    levels = buildings["levels"].to_numpy(dtype=np.float64)
    stated = levels[residential & np.isfinite(levels)]
    levels = np.where(np.isfinite(levels), levels, np.median(stated) if len(stated) else 1.0)
    above_ground = np.maximum(levels - np.maximum(buildings["min_level"].to_numpy(dtype=np.float64), 0.0), 0.0)
    return np.where(residential, footprint * above_ground, 0.0)


def with_classes(counts: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the counts with a column for every speed class; the reference class takes whom no other column names."""
    reference = settings.walking.reference.name
    others = [f"residents_{c.name}" for c in settings.walking.classes if c.name != reference]
    full = counts.assign(**{c: 0.0 for c in others if c not in counts})
    rest = full["residents"] - full[others].sum(axis=1)
    return full.assign(**{f"residents_{reference}": rest.clip(lower=0.0)})


def groups(study: Study) -> tuple[tuple[SpeedClass, ...], tuple[str, ...]]:
    """Return the speed classes, which partition the residents, and the attributes, which may overlap."""
    classes = study.settings.walking.classes
    return classes, tuple(g for g in study.groups if g not in {c.name for c in classes})
