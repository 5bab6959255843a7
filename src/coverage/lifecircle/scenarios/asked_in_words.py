"""What a scenario asks, in sentences for people who do not read the study file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lifecircle.asked import STATED, Scenario
from lifecircle.errors import SHOWN_IDS
from lifecircle.said import Said, first_of, joined, sentence
from lifecircle.scenarios.usual_names import own_name

QUESTIONS = {
    "most": "which sites bring the most residents within circle {}",
    "fewest": "how few new sites are enough for circle {}",
    "shortest": "which sites make the walks shortest in sum; one beyond circle {} counts as its minutes",
    "fairest": "which sites make the longest walk shortest; circle {} is told beside it",
}

CAPACITIES = {
    "split": "stations have room for so many; residents of a building may go to several",
    "whole": "stations have room for so many; residents of a building go to one",
}

SOURCES = {
    "study": "candidates are those that the study lists",
    "rooms": "candidates are buildings of the study",
    "proposed": "candidates are homes amid the unserved",
}


def asked_in_words(scenario: Scenario) -> list[Said]:
    """Return the question of a scenario and each of its conditions, one sentence after the other.

    Each key that the scenario states is told: one that has no sentence here as the study file says it.
    """
    stated = scenario.stated
    told = [Said(QUESTIONS[scenario.question], scenario.circle)] if scenario.question in QUESTIONS else []
    for key, value in stated.items():
        if key not in ("question", "circle"):
            told += _CONDITIONS[key](value) if key in _CONDITIONS else [Said("{}: {}", key, str(value))]
    return told


def by_hand_in_words(scenario: Scenario) -> list[Said]:
    """Return what a scenario states by hand, and does not search for."""
    stated = scenario.stated
    return [said for key in STATED if key in stated for said in _CONDITIONS[key](stated[key])]


def _one(pattern: str) -> Callable[[Any], list[Said]]:
    """Return what tells a condition of one value."""
    return lambda value: [Said(pattern, _amount(value))]


def _names(pattern: str) -> Callable[[Sequence[str]], list[Said]]:
    """Return what tells a condition that lists names."""
    return lambda names: [Said(pattern, first_of(names, SHOWN_IDS))]


def _pairs(pattern: str) -> Callable[[Mapping[str, float]], list[Said]]:
    """Return what tells a condition that gives amounts by name."""
    return lambda amounts: [Said(pattern, first_of([f"{n} {_amount(v)}" for n, v in amounts.items()], SHOWN_IDS))]


def _named_pairs(pattern: str, unit: str = "{}") -> Callable[[Mapping[str, float]], list[Said]]:
    """Return what tells a condition that gives amounts by usual names or the study's own."""
    return lambda amounts: [
        Said(
            pattern,
            first_of([Said("{} {}", own_name(n), unit.format(_amount(v))) for n, v in amounts.items()], SHOWN_IDS),
        )
    ]


def _amount(value: object) -> str:
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)


def _part(share: float) -> str:
    return f"{share * 100:.10g} %"


def _area_budget(budget: Mapping[str, Any]) -> list[Said]:
    told = [
        Said(
            "in each area of the level {} at most {} is spent",
            own_name(budget["level"]),
            _amount(budget.get("amount", 0)),
        )
    ]
    own = budget.get("amounts", {})
    return told + (_pairs("other amounts: {}")(own) if own else [])


def _at_least(least: Mapping[str, Any]) -> list[Said]:
    pattern = "stations in each area of the level {1}: at least {0}"
    if least.get("or_all"):
        pattern = "stations in each area of the level {1}: at least {0}, or all places that it has"
    return [Said(pattern, least["n"], own_name(least["level"]))]


def _floors(floors: Iterable[Mapping[str, Any]]) -> Iterator[Said]:
    for floor in floors:
        whom = "at least {} of the residents ({}) within circle {}"
        if floor.get("of") == "reachable":
            whom = "at least {} of the residents whom any site could reach ({}) within circle {}"
        group = own_name(floor["group"]) if floor.get("group") else sentence("everybody")
        circle = floor.get("circle") or sentence("asked for")
        told = Said(whom, _part(floor["share"]), group, circle)
        yield Said("{}, in each area of the level {}", told, own_name(floor["level"])) if floor.get("level") else told


def _cases(cases: Iterable[Mapping[str, Any]]) -> list[Said]:
    names = [str(case["name"]) for case in cases]
    return _names("the worst of these cases counts: {}")(names)


def _itinerary(tour: Mapping[str, Any]) -> list[Said]:
    days = joined(tour["days"], "{}, {}")
    return [Said("one team tours: at most {} stops a day on {} at {}", tour["stops_per_day"], days, tour["at"])]


_CONDITIONS: Mapping[str, Callable[[Any], Iterable[Said]]] = {
    "also": _names("who is within these circles too counts: {}"),
    "n_new": _one("new stations: at most {}"),
    "share": lambda share: [Said("for {} of the residents whom any site could reach", _part(share))],
    "budget": _one("at most {} is spent"),
    "area_budget": _area_budget,
    "years": lambda years: _names("what is spent year by year: {}")([_amount(each) for each in years]),
    "cost": _named_pairs("what a site costs: {}"),
    "max_moves": _one("stations of today that close so that others open: at most {}"),
    "may_close": _names("of today's stations these may close: {}"),
    "keep": _names("these stay: {}"),
    "at_least": _at_least,
    "floors": _floors,
    "tiers": _names("a site opens as one of: {}"),
    "capacity": lambda how: [sentence(CAPACITIES[how])],
    "backup": _one("a second station in reach is worth {} beside the 1 for the first"),
    "priority": _named_pairs("residents who weigh more: {}"),
    "cases": _cases,
    "itinerary": _itinerary,
    "award": lambda award: [
        Said("after it {} each goes to the {} stations most used", _amount(award["amount"]), award["stations"])
    ],
    "candidates_from": lambda source: [sentence(SOURCES[source])],
    "kinds": lambda kinds: _names("sites are of these kinds: {}")([own_name(kind) for kind in kinds]),
    "open": _names("opened by hand: {}"),
    "close": _names("closed by hand: {}"),
    "move": lambda moves: _names("moved by hand: {}")([Said("{} to {}", *pair) for pair in moves.items()]),
    "speeds": _named_pairs("walking speeds of this scenario: {}", "{} m/s"),
    "closed": _names("ways closed in this scenario: {}"),
}
