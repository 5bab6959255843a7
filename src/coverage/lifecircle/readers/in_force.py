"""What holds on the streets of a study: its file's words, then its gates and closures, then findings from the field."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from lifecircle.errors import Breach
from lifecircle.model import Closures, Settings
from lifecircle.readers.assembly import Metric
from lifecircle.readers.closures import closures_of, whole_ways
from lifecircle.readers.gates import gates_of
from lifecircle.readers.layers import Layers
from lifecircle.readers.overrides import check_entrances, check_moved, over_streets, without_gone
from lifecircle.schema import breach


@dataclass(frozen=True, eq=False)
class InForce:
    """The settings with every gate, closure and finding taken in, closures by place, and the barriers that stand."""

    settings: Settings
    closures: Closures
    barriers: gpd.GeoDataFrame


def in_force(
    settings: Settings, layers: Layers, findings: gpd.GeoDataFrame, metric: Metric
) -> tuple[InForce, list[Breach]]:
    """Bring together what is said of single streets, gates and barriers.

    Parameters
    ----------
    settings
        As the study file has them.
    findings
        As `lifecircle.readers.findings.findings_of` returns them.
    """
    walking, closures, streets, breaches = settings.walking, Closures(), metric.streets, []
    if layers.sound("gates"):
        opened, shut, found = gates_of(_in(metric.crs, layers.tables["gates"]), streets, walking.rules)
        stated = {*walking.closed, *(gate.id for gate in walking.gates)}
        twice = [i for i in (*(gate.id for gate in opened), *shut) if i in stated]
        message = "under [walking] in the study file too; take it out of one of the two"
        breaches += [*found, *breach("gates", "gate-stated-twice", message, twice)]
        walking = replace(walking, gates=(*walking.gates, *opened), closed=(*walking.closed, *shut))
    if layers.sound("closures"):
        table = _in(metric.crs, layers.tables["closures"])
        ways, closures, found = closures_of(table, streets, date=settings.date)
        breaches += found
        walking = replace(walking, closed=(*walking.closed, *ways))
    near = findings.to_crs(metric.crs)
    walking, closures, found = over_streets(walking, closures, near, streets)
    breaches += whole_ways(walking.closed, streets)
    barriers, about_barriers = without_gone(metric.frames["barriers"], near)
    breaches += [*found, *about_barriers, *check_entrances(near, metric.frames["buildings"])]
    breaches += check_moved(near, metric.frames["stations"], streets, walking.max_access_m)
    return InForce(replace(settings, walking=walking), closures, barriers), breaches


def _in(crs: CRS, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return a layer in a CRS, without a geometry where it has no places."""
    if isinstance(table, gpd.GeoDataFrame):
        return table.to_crs(crs)
    return gpd.GeoDataFrame(table, geometry=np.full(len(table), None), crs=crs)
