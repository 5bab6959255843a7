"""Whether scenarios can be meant: every breach at once, before anybody walks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.asked import Scenario
from lifecircle.demand import groups
from lifecircle.errors import KEPT_IDS, Breach, StudyError
from lifecircle.model import Circle, Study
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.said import Said, sentence
from lifecircle.scenarios.candidates import PROPOSED, rooms_of, source_of
from lifecircle.scenarios.costs import costs
from lifecircle.scenarios.question import Homes, circles_of, closable, counting, question_of
from lifecircle.scenarios.sites import all_places
from lifecircle.scenarios.stated import study_as_stated
from lifecircle.schema import nearest
from lifecircle.siting.questions import SENSELESS

_Named = tuple[str, list[str], list[str], str]
"""A key of a scenario, what it names, what there is to be named, and what that is."""

MOST_LISTED = 10
"""Of more names than these only the first and the last are told."""


def check_scenarios(study: Study, scenarios: Iterable[Scenario] | None = None) -> tuple[Breach, ...]:
    """Return everything that keeps scenarios from being meant: names of nothing, costs of nobody, contradictions.

    Parameters
    ----------
    scenarios
        Those to look at; all of the study by default.
    """
    chosen = study.settings.scenarios if scenarios is None else scenarios
    return tuple(breach for scenario in chosen for breach in _breaches(study, scenario))


def refuse_senseless(study: Study, scenarios: Iterable[Scenario]) -> None:
    """Refuse scenarios that cannot be meant.

    Raises
    ------
    StudyError
        With every breach of all of them.
    """
    if breaches := check_scenarios(study, scenarios):
        message = Said("{}: [[scenario]] cannot be meant", study.path)
        raise StudyError(message, breaches=breaches, language=study.settings.language)


def _breaches(study: Study, scenario: Scenario) -> Iterator[Breach]:
    yield from _unknown_by_hand(study, scenario)
    if scenario.question:
        source = source_of(scenario, study)
        yield from _senseless_question(study_as_stated(study, scenario), scenario, source)


def _senseless_question(study: Study, scenario: Scenario, source: str) -> Iterator[Breach]:
    """Yield what is wrong with a question; ``study`` is what it starts from, ``source`` where candidates come from."""
    frame = _competing(study, scenario, source)
    yield from _unknown(study, scenario, frame, source)
    yield from _tiers_apart(scenario, frame)
    yield from _circles_apart(scenario, circles_of(scenario, study), study)
    has_candidates = len(study.candidates) > 0 or bool(scenario.opened)
    yield from _missing(scenario, frame, source, has_candidates=has_candidates)
    try:
        question_of(scenario, study, frame, Homes.none())
    except StudyError as error:
        for found in error.breaches:
            yield _breach(scenario, "senseless-question", _senseless(found))


def _senseless(found: Breach) -> Said:
    """Return why parts of a question make no sense together; what siting says of the rest of it, in English."""
    for one, other, why in SENSELESS:
        if found.rule == f"{one}-with-{other}":
            return Said("{} and {} make no sense together: {}", one, other, sentence(why))
    return sentence(found.message)


def _competing(study: Study, scenario: Scenario, source: str) -> gpd.GeoDataFrame:
    """Return the stations that stand and the candidates, as far as they are known before anybody walks."""
    if source == "rooms":
        study = rooms_of(study, scenario.kinds)
    frame = all_places(study)
    if source == PROPOSED:
        frame = frame[frame["state"] == "fixed"]
    return frame[counting(scenario, study, frame)].reset_index(drop=True)


def _unknown_by_hand(study: Study, scenario: Scenario) -> Iterator[Breach]:
    """Yield what a scenario states of places, classes and ways that are not there."""
    stations, candidates = study.stations["station_id"].tolist(), study.candidates["site_id"].tolist()
    classes = [c.name for c in study.settings.walking.classes]
    asked: list[_Named] = [
        ("open", list(scenario.open), candidates, "a candidate"),
        ("close", list(scenario.close), stations, "a station of today"),
        ("move", list(scenario.move), stations, "a station of today"),
        ("move", list(scenario.move.values()), candidates, "a candidate"),
        ("speeds", list(scenario.speeds), classes, "a class that walks"),
        ("closed", list(scenario.closed), list(study.streets.way_id), "a way of the streets"),
    ]
    yield from _not_there(scenario, asked)


def _unknown(study: Study, scenario: Scenario, frame: pd.DataFrame, source: str) -> Iterator[Breach]:
    """Yield what a question names and is not there."""
    levels = list(dict.fromkeys(study.areas["level"]))
    classes, attributes = groups(study)
    people = [*(c.name for c in classes), *attributes]
    stations = study.stations["station_id"].tolist()
    places = [*stations, *study.candidates["site_id"]]
    closing = [*(i for i in stations if i not in scenario.opened), *sorted({*study.stations["tier"]} - {""})]
    tiers, kinds = list(scenario.tiers), sorted({*frame["kind"], *scenario.kinds, PROPOSED} - {""})
    buildings = source == "rooms"
    places_by_kind = sorted({*(study.buildings if buildings else study.candidates)["kind"]} - {""})
    area_budget, at_least = scenario.area_budget, scenario.at_least
    asked: list[_Named] = [
        ("area_budget", [area_budget.level] if area_budget else [], levels, "a level of the areas"),
        ("at_least", [at_least.level] if at_least else [], levels, "a level of the areas"),
        ("floors", [floor.level for floor in scenario.floors if floor.level], levels, "a level of the areas"),
        ("floors", [floor.group for floor in scenario.floors if floor.group], people, "a class or attribute"),
        ("priority", list(scenario.priority), people, "a class or attribute"),
        ("may_close", list(scenario.may_close), closing, "a station of today or a tier of theirs"),
        ("keep", list(scenario.keep), closing, "a station of today or a tier of theirs"),
        ("cost", list(scenario.cost), [*tiers, *kinds], "a tier or a kind of site"),
        ("kinds", list(scenario.kinds), places_by_kind, "a kind of building" if buildings else "a kind of candidate"),
    ]
    if area_budget:
        own = study.areas["area_id"][study.areas["level"] == area_budget.level].tolist()
        asked.append(("area_budget", list(area_budget.amounts), own, "an area of that level"))
    for case in scenario.cases:
        asked.append((Said("cases: {}:", case.name), list(case.out_of_service), places, "a station or candidate"))
        asked.append(
            (Said("cases: {}:", case.name), list(case.closed), list(study.streets.way_id), "a way of the streets")
        )
    yield from _not_there(scenario, asked)


def _not_there(scenario: Scenario, asked: Iterable[_Named]) -> Iterator[Breach]:
    """Yield each name that is not among those known."""
    for key, named, known, what in asked:
        there = set(known)
        for name in dict.fromkeys(named):
            if name not in there:
                hint = nearest(name, known)
                advice = Said("did you mean {}?", hint) if hint else _there_are(known)
                message = Said("{} {!r} is not {}; {}", key, name, sentence(what), advice)
                yield _breach(scenario, "unknown-name", message, [name])


def _there_are(known: list[str]) -> Said:
    """Return which names there are: all of few, of many how many and the first and the last."""
    if len(known) > MOST_LISTED:
        ordered = sorted(known)
        return Said("there are {:,}, {} to {}", len(ordered), ordered[0], ordered[-1])
    return Said("there are {}", ", ".join(known) or sentence("none"))


def _tiers_apart(scenario: Scenario, frame: pd.DataFrame) -> Iterator[Breach]:
    """Yield how the tiers of a scenario are not those that stations and candidates have."""
    if not scenario.tiers:
        return
    held = list(dict.fromkeys(tier for tier in frame["tier"] if tier))
    unsaid = [tier for tier in held if tier not in scenario.tiers]
    strange = [tier for tier in scenario.tiers if tier not in held]
    if unsaid:
        they_have, missing = ", ".join(held), ", ".join(unsaid)
        message = Said("stations and candidates have tiers {}; tiers leaves out {}", they_have, missing)
        if strange:
            nobody = "no station or candidate has tier {}; they have {}, and tiers leaves out {}"
            message = Said(nobody, ", ".join(strange), they_have, missing)
        yield _breach(scenario, "unknown-name", message)


def _circles_apart(scenario: Scenario, circles: list[Circle], study: Study) -> Iterator[Breach]:
    """Yield how circles of one question differ in what one set of walks cannot tell."""
    own, usual = circles[0], study.settings.walking.at
    for other in circles[1:]:
        if (other.at or usual) != (own.at or usual):
            message = Said("circles {} and {} are of different times; ask about each by itself", own.name, other.name)
            yield _breach(scenario, "circles-apart", message)
        if set(other.items) != set(own.items):
            message = Said("circles {} and {} are of different items; ask about each by itself", own.name, other.name)
            yield _breach(scenario, "circles-apart", message)
        if set(other.tiers) != set(own.tiers) and not scenario.tiers:
            told = "circles {} and {} are of different tiers; say in tiers what a site can open as"
            message = Said(told, own.name, other.name)
            yield _breach(scenario, "circles-apart", message)
    for circle in circles if scenario.tiers else []:
        named = [tier for tier in scenario.tiers if tier in circle.tiers]
        if circle.tiers and (not named or named != list(scenario.tiers[-len(named) :])):
            order, counted = ", ".join(scenario.tiers), ", ".join(circle.tiers)
            message = Said(
                "circle {} counts tiers {}; of {} each serves as every one before it, so a circle names one and all "
                "after it",
                circle.name,
                counted,
                order,
            )
            yield _breach(scenario, "circles-apart", message)
    lowest = [tier for tier in scenario.tiers if not own.tiers or tier in own.tiers][:1]
    if scenario.question in ("shortest", "fairest") and lowest != list(scenario.tiers[:1]):
        message = Said(
            "{} measures walks to stations of every tier, and circle {} counts tiers {}: take tiers out, and the sites "
            "are those of the circle",
            scenario.question,
            own.name,
            ", ".join(own.tiers),
        )
        yield _breach(scenario, "circles-apart", message)


def _missing(scenario: Scenario, frame: pd.DataFrame, source: str, *, has_candidates: bool) -> Iterator[Breach]:
    """Yield what the question needs and nobody gives: candidates, costs, or any capacity."""
    if scenario.candidates_from == "study" and not has_candidates:
        message = (
            "the study has no candidates: name a file of them under [inputs] as candidates, or write candidates_from = "
            '"rooms" with kinds, or candidates_from = "proposed"'
        )
        yield _breach(scenario, "candidates-missing", message)
    if scenario.has_budget:
        unsaid = np.isnan(np.atleast_2d(costs(scenario, frame))).any(axis=0)
        ids = frame["station_id"][unsaid].tolist()
        if ids:
            message = "a budget needs to know what each candidate costs: fill the column cost, or state cost by kind"
            yield _breach(scenario, "cost-missing", message, ids)
        by_tier = bool(scenario.tiers) and all(tier in scenario.cost for tier in scenario.tiers)
        if source == PROPOSED and PROPOSED not in scenario.cost and not by_tier:
            message = "a budget needs to know what a proposed site costs: write, say, cost = { proposed = 3000 }"
            yield _breach(scenario, "cost-missing", message)
    held = sorted({*frame["tier"][closable(scenario, frame)]})
    if scenario.max_moves is not None and len(held) > 1 and not (scenario.may_close or scenario.tiers):
        told = "today's stations are of several tiers, {}: name in may_close the tiers, or stations, that may close"
        message = Said(told, ", ".join(tier or sentence("none") for tier in held))
        yield _breach(scenario, "may-close-missing", message)
    if scenario.capacity and frame["capacity"].isna().all():
        message = "nobody states a capacity; fill the column capacity of stations or candidates"
        yield _breach(scenario, "capacity-missing", message)


def _breach(scenario: Scenario, rule: str, message: str, ids: Iterable[Any] = ()) -> Breach:
    ids = tuple(ids)
    told = Said("[[scenario]] {}: {}", scenario.name, sentence(message))
    return Breach(STUDY_FILE, rule, told, ids[:KEPT_IDS], max(1, len(ids)))
