"""Counts of residents: by building, by area, or one total."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lifecircle.errors import Breach
from lifecircle.readers.study_file import Input
from lifecircle.schema import GROUP_PREFIX, breach, check_references

TARGETS = {"building": "building_id", "area": "area_id"}


def counts_of_table(source: Input, table: pd.DataFrame) -> tuple[pd.DataFrame | None, list[Breach]]:
    """Return a checked residents layer with ``by`` and ``target_id``, None when it does not say what it counts by."""
    named = [by for by, column in TARGETS.items() if (table[column] != "").any()]
    by = source.by or (named[0] if len(named) == 1 else "")
    if not by:
        message = (
            'say what the residents are counted by: by = "building" (with a column building_id), "area" (with a column '
            'area_id) or "total"'
        )
        return None, [Breach("residents", "no-target", message, count=1)]
    if by == "total":
        if len(table) != 1:
            message = "a total is one number, but there are several rows; narrow `where`, or count by area"
            return None, [Breach("residents", "several-totals", message, count=len(table))]
        return _counts(table, by, pd.Series("", index=table.index, dtype="str")), []
    target = table[TARGETS[by]]
    if (target == "").all():
        message = f"counts by {by} need a column {TARGETS[by]}; if it bears another name, say so under columns"
        return None, [Breach("residents", "missing-column", message, (TARGETS[by],), 1)]
    rows = pd.Series([f"row {i}" for i in range(1, len(table) + 1)], index=table.index)
    twice = target.duplicated() & (target != "")
    message = f"several rows count the same {by}; add them up"
    return _counts(table, by, target), [
        *breach("residents", "missing-id", f"{TARGETS[by]} is empty", rows[target == ""]),
        *breach("residents", "duplicate-id", message, target[twice].drop_duplicates()),
    ]


def counts_of_buildings(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return the residents that the buildings layer states of its own rows."""
    return _counts(buildings, "building", buildings["building_id"])


def check_targets(counts: pd.DataFrame, by: str, *, among: Sequence[str]) -> list[Breach]:
    """Check that the residents counted ``by`` building or area stand on one that the study holds."""
    named = counts[counts["by"] == by].rename(columns={"target_id": TARGETS[by]})
    return check_references("residents", TARGETS[by], named, among=among, label=TARGETS[by])


def check_levels(counts: pd.DataFrame, areas: pd.DataFrame) -> list[Breach]:
    """Check that no area is counted together with one that holds it, for its residents would stand twice."""
    counted = set(counts.loc[counts["by"] == "area", "target_id"])
    parent_of = dict(zip(areas["area_id"], areas["parent_id"], strict=True))
    twice = []
    for area in sorted(counted):
        above, seen = parent_of.get(area, ""), {area}
        while above and above not in seen and above not in counted:
            seen.add(above)
            above = parent_of.get(above, "")
        if above in counted and above != area:
            twice.append(area)
    message = "counted in this area and again in one that holds it; take one of the two rows out"
    return breach("residents", "counted-twice", message, twice)


def _counts(table: pd.DataFrame, by: str, target: pd.Series) -> pd.DataFrame:
    groups = [c for c in table.columns if c.startswith(GROUP_PREFIX)]
    counts = table[["residents", *groups]].reset_index(drop=True)
    counts.insert(0, "by", by)
    counts.insert(1, "target_id", target.reset_index(drop=True))
    return counts
