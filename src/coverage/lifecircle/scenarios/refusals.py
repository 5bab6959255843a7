"""Why there is no plan, in the study's ids: which conditions, which areas and buildings, and what would do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lifecircle.asked import Case, Scenario
from lifecircle.circles import Coverage
from lifecircle.errors import KEPT_IDS, Breach, InfeasibleError
from lifecircle.ground import with_closed
from lifecircle.model import FloatArray, LongArray, tenths_of_minutes
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.said import Said, sentence
from lifecircle.scenarios.posed import Posed
from lifecircle.scenarios.sites import Sites
from lifecircle.scenarios.usual_names import own_name
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
    message, language = (
        Said("scenario '{}': no plan can meet the question", scenario.name),
        today.study.settings.language,
    )
    if not isinstance(error, ConflictError):
        return InfeasibleError(message, breaches=[telling.nobody()], language=language)
    if len(error.conflicts) > 1 and not any(len(conflict.homes) for conflict in error.conflicts):
        together = "{}; these conditions cannot hold together, and without any one of them the others can"
        cut_short = "{}; these conditions cannot hold together; the search ended before it was known if fewer can"
        message = Said(together if error.minimal else cut_short, message)
    breaches = [telling.breach(conflict) for conflict in error.conflicts]
    return InfeasibleError(message, breaches=breaches, language=language)


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
        return self._breach("nobody-reachable", Said("{}; there is nobody to take a share of", told), homes)

    def breach(self, conflict: Conflict) -> Breach:
        """Return one of the conditions that cannot all be met, what would do, and whom no site reaches."""
        label, scenario = conflict.label, self.scenario
        case = scenario.cases[label.case] if scenario.cases and label.case >= 0 else None
        told = self._condition(conflict)
        if case:
            told = Said("{} in case {}", told, case.name)
        if not math.isnan(conflict.possible):
            is_most = label.kind in (*SHARES, "at_least")
            would = "{}; {} is possible, all else as it is" if is_most else "{}; {} would do, all else as it is"
            told = Said(would, told, _figure(label.kind, conflict.possible))
        if not len(conflict.homes):
            return self._breach("conflicting-conditions", told, conflict.homes)
        circle = scenario.floors[label.floor].circle if label.floor >= 0 else ""
        who = self._who(conflict.homes, conflict.residents, circle or scenario.circle, case)
        return self._breach("not-reachable", Said("{}: {}", told, who), conflict.homes)

    def _condition(self, conflict: Conflict) -> Said:
        """Return which condition it is and what it asks, in the words of the study file."""
        label = conflict.label
        asked = _figure(label.kind, label.asked)
        of_area = label.kind in ("area_budget", "at_least", "floor") and 0 <= label.index < len(self.today.study.areas)
        where = Said(" in {}", self._area(label.index)) if of_area else Said("")
        if label.kind == "floor":
            floor = self.scenario.floors[label.floor]
            whose = Said(" of {}", own_name(floor.group)) if floor.group else ""
            within = Said(" within {}", floor.circle) if floor.circle else ""
            return Said("floors: a share of {}{}{} is asked for{}", asked, whose, within, where)
        one = label.asked == 1.0
        return {
            "n_new": Said("n_new: {} new station is allowed" if one else "n_new: {} new stations are allowed", asked),
            "moves": Said("max_moves: {} move is allowed" if one else "max_moves: {} moves are allowed", asked),
            "budget": Said("budget: {} may be spent", asked),
            "area_budget": Said("area_budget: {} may be spent{}", asked, where or sentence(" outside every such area")),
            "year_budget": Said("years: {} may be spent in year {}", asked, label.index + 1),
            "stops": Said(
                "itinerary: {} stop a day is allowed" if one else "itinerary: {} stops a day are allowed", asked
            ),
            "at_least": Said(
                "at_least: {} station is asked for{}" if one else "at_least: {} stations are asked for{}", asked, where
            ),
            "share": Said("share: {} is asked for", asked),
        }[label.kind]

    def _who(self, homes: LongArray, residents: float, circle: str, case: Case | None) -> Said:
        """Return how many residents in how many buildings of which areas reach no site, and how far the nearest is."""
        study, rounded = self.today.study, self.today.demand.rounded
        buildings = self._buildings(homes)
        areas = study.areas["area_id"].isin(study.buildings["area_id"].iloc[buildings])
        rows = np.flatnonzero(areas)
        named = [self._area(int(row)) for row in rows[:2]]
        where = named[0] if len(rows) == 1 else Said("{} and {}", *named) if named else ""
        if len(rows) > 2:
            where = Said("{} areas", len(rows))
        many = Said("fewer than {}", LEAST_SHOWN) if rounded and residents < LEAST_SHOWN else f"{residents:,.0f}"
        houses = " in {:,} buildings" if len(buildings) > 1 else " in {:,} building"
        count = "" if rounded else Said(houses, len(buildings))
        minutes = next(c.minutes for c in study.settings.circles if c.name == circle)
        told = Said("{} residents{} of {} reach no site within {:g} minutes", many, count, where, minutes)
        seconds = self._nearest_s(homes, circle, case)
        near = seconds[np.isfinite(seconds)]
        if not len(near):
            return Said("{}, nor by any walk at all", told)
        # Rounded up, as on the page: a walk told as 8.0 minutes is one of 8 minutes.
        return Said("{}; the nearest takes {:.1f}", told, float(tenths_of_minutes(near.min())) / 10)

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
        return Breach(STUDY_FILE, rule, sentence(message), tuple(ids[:KEPT_IDS]), len(ids))


def _figure(kind: str, value: float) -> str:
    """Return an amount as people write it, rounded so that what is said to be possible is."""
    if kind in SHARES:
        return f"{math.floor(value * 1e4 + 1e-6) / 100:g} %"
    return f"{value:,.0f}" if kind in COUNTS else f"{math.ceil(value * 100 - 1e-6) / 100:,.10g}"
