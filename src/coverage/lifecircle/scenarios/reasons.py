"""Why a place is among the chosen sites, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lifecircle.errors import UnknownNameError
from lifecircle.model import TOLERANCE_S
from lifecircle.said import Said
from lifecircle.scenarios.plan import Plan
from lifecircle.scenarios.question import circles_of
from lifecircle.scenarios.sites import reached_by_any
from lifecircle.service import serves
from lifecircle.siting import why_not


@dataclass(frozen=True)
class Standing:
    """How a place stands to a plan. Figures that cannot be said are None.

    Attributes
    ----------
    site_id
        The place.
    state
        ``chosen``, ``fixed``, ``closed``, ``not chosen``, or ``does not count``: of another tier or kind than asked
        for.
    reached
        Residents within the scenario's circle of it, whoever else they reach.
    gain
        Of a chosen site, residents won when it opens in its turn; of one not chosen, those whom it would win beside
        the plan. Where walks are measured in sum, person-seconds saved. Of a `fairest` plan, residents within the
        scenario's circle.
    instead_of
        Of one not chosen, the chosen site whose place it would best take; of a chosen one, its best substitute; empty
        where there is none.
    worse_by
        How much worse the plan is with that swap, in the unit of its value. With no site to take the place of: what
        the plan loses by opening it beside all, below 0 if it gains.
    """

    site_id: str
    state: Literal["chosen", "fixed", "closed", "not chosen", "does not count"]
    reached: float | None = None
    gain: float | None = None
    instead_of: str = ""
    worse_by: float | None = None


def why(plan: Plan, place: str) -> Standing:
    """Return why a station or candidate is among the chosen sites of a plan, or why not.

    Parameters
    ----------
    plan
        As `site` returns it.
    place
        The id of a station or candidate.

    Raises
    ------
    UnknownNameError
        When there is no such place among those that could be asked about.
    """
    told = plan.sites[plan.sites["site_id"] == place]
    if len(told):
        row, chosen = told.iloc[0], told.iloc[0]["state"] == "chosen"
        return Standing(
            site_id=place,
            state=row["state"],
            reached=_or_none(row[f"reached_{plan.scenario.circle}"]),
            gain=_or_none(row["gain"]),
            instead_of=row["next_best"],
            worse_by=_or_none(row["next_best_loss"]) if chosen else None,
        )
    position = np.flatnonzero(plan.posed.frame["station_id"] == place)
    if not len(position):
        if (plan.possible.frame["station_id"] == place).any():
            return Standing(place, "does not count")
        message = Said("there is no station or candidate '{}' that anybody can walk to", place)
        raise UnknownNameError(message, language=plan.coverage.study.settings.language)
    found = why_not(plan.solution, plan.posed.walks, plan.posed.weights, int(position[0]))
    reached, gain = _or_none(found.reached[0]), _or_none(found.gain)
    if plan.scenario.question == "fairest":  # it knows no circle but that of its answer
        reached, gain = _in_circle(plan, int(plan.posed.rows[position[0]]))
    replaced = "" if found.instead_of < 0 else str(plan.posed.frame["station_id"].iloc[found.instead_of])
    return Standing(
        site_id=place,
        state="not chosen",
        reached=reached,
        gain=gain,
        instead_of=replaced,
        worse_by=_or_none(found.worse_by),
    )


def _in_circle(plan: Plan, row: int) -> tuple[float | None, float | None]:
    """Return the residents within the scenario's circle of a site, and those of them whom the plan does not reach."""
    sites = plan.possible
    circle = circles_of(plan.scenario, plan.coverage.study)[0]
    told = plan.sites[plan.sites["state"] != "closed"]["site_id"]
    is_open = sites.frame["station_id"].isin(told).to_numpy()
    counts = serves(sites.frame, circle)
    if not counts[row]:
        return None, None
    walks = sites.walks[circle.name]
    home, seconds = walks.row(row)
    home = home[seconds <= circle.cutoff_s + TOLERANCE_S]
    met = reached_by_any(walks, np.flatnonzero(is_open & counts), circle.cutoff_s)
    return float(sites.weights[home].sum()), float(sites.weights[home[~met[home]]].sum())


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
