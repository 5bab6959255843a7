"""Why a place is among the chosen sites, or why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lifecircle.asked import Scenario
from lifecircle.errors import StudyError
from lifecircle.model import TOLERANCE_S, Study
from lifecircle.said import Said
from lifecircle.scenarios.candidates import PROPOSED, rooms_of, source_of
from lifecircle.scenarios.plan import Plan
from lifecircle.scenarios.question import circles_of
from lifecircle.scenarios.sites import all_places, reached_by_any, unknown_place
from lifecircle.scenarios.stated import OPENED
from lifecircle.service import serves
from lifecircle.siting import value_of, why_not
from lifecircle.siting.plan import BOUND_TOLERANCE

State = Literal["chosen", "fixed", "closed", "not chosen", "does not count"]


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
    only_here
        Of a site that is open with the plan, those of them who reach no other.
    gain
        Of a chosen site, residents won when it opens in its turn; of one not chosen, those whom it would win beside
        the plan. Where walks are measured in sum, person-seconds saved. Of a `fairest` plan, residents within the
        scenario's circle.
    instead_of
        Of one not chosen, the chosen site whose place it would best take; of a chosen one, its best substitute; empty
        where there is none.
    worse_by
        How much worse the plan is with that swap, in the unit of its value. With no site to take the place of: what
        the plan loses by opening it beside all, below 0 if it gains; of one that stands, what it loses without it.
    """

    site_id: str
    state: State
    reached: float | None = None
    only_here: float | None = None
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
    position = np.flatnonzero(plan.posed.frame["station_id"] == place)
    if len(told):
        row = told.iloc[0]
        stated: State = row["state"]
        state: State = "fixed" if row["state"] == OPENED else stated  # it stands before anything is asked
        if state == "fixed" and not len(position):
            return Standing(place, "does not count")
        swapped = _or_none(row["next_best_loss"])
        return Standing(
            site_id=place,
            state=state,
            reached=_or_none(row[f"reached_{plan.scenario.circle}"]),
            only_here=_or_none(row[f"only_here_{plan.scenario.circle}"]),
            gain=_or_none(row["gain"]),
            instead_of=row["next_best"],
            worse_by=_without(plan, int(position[0])) if state == "fixed" else swapped,
        )
    if not len(position):
        known = plan.possible.frame["station_id"]
        if (known == place).any():
            return Standing(place, "does not count")
        raise unknown_place(place, known, language=plan.coverage.study.settings.language)
    found = why_not(plan.solution, plan.posed.walks, plan.posed.weights, int(position[0]))
    own = len(found.reached) - len(plan.scenario.circles)  # a circle of a higher tier comes after one of any
    reached, gain = _or_none(found.reached[own]), _or_none(found.gain)
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


def refuse_unknown(study: Study, scenario: Scenario, places: Iterable[str]) -> None:
    """Refuse places to be asked about of which there is none, before anybody walks; those proposed are known later.

    Parameters
    ----------
    scenario
        The question, which says where candidates come from.
    places
        Ids of stations and candidates.

    Raises
    ------
    UnknownNameError
        It names those that are spelled most like it.
    StudyError
        When the scenario asks no question: then nothing is chosen that could be asked about.
    """
    places = tuple(places)
    if places and not scenario.question:
        raise asks_nothing(study, scenario.name)
    source = source_of(scenario, study)
    if source == PROPOSED:
        return
    known = all_places(rooms_of(study, scenario.kinds) if source == "rooms" else study)["station_id"]
    for place in places:
        if not (known == place).any():
            raise unknown_place(place, known, language=study.settings.language)


def asks_nothing(study: Study, scenario: str) -> StudyError:
    """Return what to tell of a scenario that is asked about, or is to be answered, and asks no question."""
    message = Said("'{}' asks no question: only what it states can be evaluated", scenario)
    return StudyError(message, language=study.settings.language)


def as_good(worse_by: float, plan: Plan) -> bool:
    """Return whether a plan that is worse by so much, in the unit of its value, is as good; NaN never is."""
    return abs(worse_by) <= BOUND_TOLERANCE * max(1.0, abs(plan.solution.value))


def _without(plan: Plan, station: int) -> float | None:
    """Return what the plan loses without one of today's stations, None where that is no figure of its value."""
    solution, posed = plan.solution, plan.posed
    decision, question = solution.decision, solution.question
    if question.unit == "stations" or decision.allocation is not None:
        return None
    closed = replace(decision, closed=np.union1d(decision.closed, [station]))
    lost = abs(value_of(question, posed.walks, posed.weights, closed) - solution.value)
    return lost if np.isfinite(lost) else None


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
