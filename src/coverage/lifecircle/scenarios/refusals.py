"""Why there is no plan, in the study's ids: which conditions, which areas and buildings, and what would do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lifecircle.asked import Case, Scenario
from lifecircle.circles import Coverage
from lifecircle.errors import KEPT_IDS, Breach, InfeasibleError
from lifecircle.ground import with_closed
from lifecircle.model import FloatArray, LongArray
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.scenarios.posed import Posed
from lifecircle.scenarios.sites import Sites
from lifecircle.service import Eligibility
from lifecircle.siting import Conflict, ConflictError

LEAST_SHOWN = 25
"""Of rounded residents no smaller sum is told."""

SHARES = ("share", "floor")
COUNTS = ("n_new", "moves", "stops", "at_least")
"""Kinds of conditions that ask for a share, and for a whole number."""


def in_words(
    error: InfeasibleError, posed: Posed, scenario: Scenario, today: Coverage, sites: Sites
) -> InfeasibleError:
    """Return a refusal of siting in the study's own ids.

    Parameters
    ----------
    error
        What siting raised.
    posed
        What it was asked.
    scenario
        The question in the study's words.
    today, sites
        Today's coverage of the study with the candidates that the scenario asked for, and all its places.
    """
    telling = _Telling(posed, scenario, today, sites)
    message = f"scenario '{scenario.name}': no plan can meet the question"
    if not isinstance(error, ConflictError):
        return InfeasibleError(message, breaches=[telling.nobody()])
    if len(error.conflicts) > 1 and not any(len(conflict.homes) for conflict in error.conflicts):
        message += "; these conditions cannot hold together, and without any one of them the others can"
    return InfeasibleError(message, breaches=[telling.breach(conflict) for conflict in error.conflicts])


@dataclass(frozen=True, eq=False)
class _Telling:
    """What is needed to say a conflict in words."""

    posed: Posed
    scenario: Scenario
    today: Coverage
    sites: Sites

    def nobody(self) -> Breach:
        """Return that no resident reaches any site."""
        homes = np.flatnonzero(self.posed.weights > 0.0)
        if not len(homes):
            return self._breach("nobody-reachable", "nobody lives inside the areas", homes)
        told = self._who(homes, float(self.posed.weights.sum()), self.scenario.circle, None)
        return self._breach("nobody-reachable", f"{told}; there is nobody to take a share of", homes)

    def breach(self, conflict: Conflict) -> Breach:
        """Return one of the conditions that cannot all be met, what would do, and whom no site reaches."""
        label, scenario = conflict.label, self.scenario
        case = scenario.cases[label.case] if scenario.cases and label.case >= 0 else None
        told = self._condition(conflict) + (f" in case {case.name}" if case else "")
        if not math.isnan(conflict.possible):
            would = "is possible" if label.kind in (*SHARES, "at_least") else "would do"
            told += f"; {_figure(label.kind, conflict.possible)} {would}, all else as it is"
        if not len(conflict.homes):
            return self._breach("conflicting-conditions", told, conflict.homes)
        circle = scenario.floors[label.floor].circle if label.floor >= 0 else ""
        who = self._who(conflict.homes, conflict.residents, circle or scenario.circle, case)
        return self._breach("not-reachable", f"{told}: {who}", conflict.homes)

    def _condition(self, conflict: Conflict) -> str:
        """Return which condition it is and what it asks, in the words of the study file."""
        label = conflict.label
        asked = _figure(label.kind, label.asked)
        of_area = label.kind in ("area_budget", "at_least", "floor") and 0 <= label.index < len(self.today.study.areas)
        where = f" in {self._area(label.index)}" if of_area else ""
        if label.kind == "floor":
            floor = self.scenario.floors[label.floor]
            whose = f" of {floor.group}" if floor.group else ""
            within = f" within {floor.circle}" if floor.circle else ""
            return f"floors: a share of {asked}{whose}{within} is asked for{where}"
        return {
            "n_new": f"n_new: {asked} new stations are allowed",
            "moves": f"max_moves: {asked} moves are allowed",
            "budget": f"budget: {asked} may be spent",
            "area_budget": f"area_budget: {asked} may be spent{where or ' outside every such area'}",
            "year_budget": f"years: {asked} may be spent in year {label.index + 1}",
            "stops": f"itinerary: {asked} stops a day are allowed",
            "at_least": f"at_least: {asked} stations are asked for{where}",
            "share": f"share: {asked} is asked for",
        }[label.kind]

    def _who(self, homes: LongArray, residents: float, circle: str, case: Case | None) -> str:
        """Return how many residents in how many buildings of which areas reach no site, and how far the nearest is."""
        study, rounded = self.today.study, self.today.demand.rounded
        buildings = self._buildings(homes)
        areas = study.areas["area_id"].isin(study.buildings["area_id"].iloc[buildings])
        rows = np.flatnonzero(areas)
        where = " and ".join(self._area(int(row)) for row in rows) if len(rows) <= 2 else f"{len(rows)} areas"
        many = f"fewer than {LEAST_SHOWN}" if rounded and residents < LEAST_SHOWN else f"{residents:,.0f}"
        count = "" if rounded else f" in {len(buildings):,} building{'s' if len(buildings) > 1 else ''}"
        minutes = next(c.minutes for c in study.settings.circles if c.name == circle)
        told = f"{many} residents{count} of {where} reach no site within {minutes:g} minutes"
        seconds = self._nearest_s(homes, circle, case)
        near = seconds[np.isfinite(seconds)]
        if not len(near):
            return f"{told}, nor by any walk at all"
        # Rounded up, as on the page: a walk told as 8.0 minutes is one of 8 minutes.
        return f"{told}; the nearest takes {math.ceil(near.min() / 6.0 - 1e-7) / 10:.1f}"

    def _nearest_s(self, homes: LongArray, circle: str, case: Case | None) -> FloatArray:
        """Return the seconds from homes to the nearest site in service, however far; walks known end with circles."""
        study, ground, posed = self.today.study, self.today.ground, self.posed
        able = np.arange(len(posed.rows))
        if case is not None:
            able = np.flatnonzero(~posed.frame["station_id"].isin(case.out_of_service))
            ground = with_closed(ground, study, case.closed)
        rule, n = Eligibility.of(study), len(study.buildings)
        at = next(c.at for c in study.settings.circles if c.name == circle)
        found = np.full(len(homes), np.inf)
        for lot, walker in enumerate(study.settings.walking.classes):
            here = np.flatnonzero(homes // n == lot)
            if len(here) and len(able):
                footing, buildings = ground.walk(walker, at=at), homes[here] % n
                nearest = rule.nearest(
                    footing,
                    footing.sites.take(self.sites.places[posed.rows[able]]),
                    posed.frame["area_id"].iloc[able],
                    footing.homes.take(buildings),
                    study.buildings["area_id"].iloc[buildings],
                )
                found[here] = nearest.seconds[:, 0]
        return found

    def _buildings(self, homes: LongArray) -> LongArray:
        return np.unique(homes % len(self.today.study.buildings))

    def _area(self, row: int) -> str:
        area = self.today.study.areas.iloc[row]
        return f"{area['name']} ({area['area_id']})" if area["name"] else str(area["area_id"])

    def _breach(self, rule: str, message: str, homes: LongArray) -> Breach:
        ids = self.today.study.buildings["building_id"].iloc[self._buildings(homes)]
        return Breach(STUDY_FILE, rule, message, tuple(ids[:KEPT_IDS]), len(ids))


def _figure(kind: str, value: float) -> str:
    """Return an amount as people write it, rounded so that what is said to be possible is."""
    if kind in SHARES:
        return f"{math.floor(value * 1e4 + 1e-6) / 100:g} %"
    return f"{value:,.0f}" if kind in COUNTS else f"{math.ceil(value * 100 - 1e-6) / 100:,.10g}"
