"""The ``[[scenario]]`` tables of study.toml, read key by key; what is wrong is collected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TypeVar

from lifecircle.asked import (
    BASES,
    QUESTIONS,
    SOURCES,
    SPLITS,
    STATED,
    AreaBudget,
    AreaMinimum,
    Award,
    Case,
    Floor,
    Itinerary,
    Scenario,
)
from lifecircle.errors import Breach
from lifecircle.hours import DAYS, problem_of_time
from lifecircle.model import FASTEST_MPS
from lifecircle.readers.hours_in_words import days_of_words
from lifecircle.readers.keys import Keys
from lifecircle.said import Said

Part = TypeVar("Part")

LIMITS = ("n_new", "budget", "area_budget", "years", "max_moves", "itinerary")
"""One of these keeps a question from opening every site."""

NEEDED = {"most": LIMITS, "shortest": LIMITS, "fairest": LIMITS, "fewest": ("share", "floors", "at_least")}
"""Of which keys each question needs one."""

UNUSED = {
    "most": ("share",),
    "fewest": ("n_new",),
    "shortest": ("share", "also"),
    "fairest": ("share", "also"),
}
"""Keys that have no meaning for a question. What conditions make no sense together is for siting to say."""

WITHOUT_QUESTION = ("name", *STATED, "cost")
"""Keys that mean something where nothing is asked."""

_PER_CENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*[%％]")


def read_scenario(row: object, circles: Sequence[str], breaches: list[Breach]) -> Scenario:
    """Read one ``[[scenario]]``; ``circles`` are the names of the study's circles."""
    stated = row.get("name") if isinstance(row, Mapping) else ""
    told = f"[[scenario]] {stated.strip()}:" if isinstance(stated, str) and stated.strip() else "[[scenario]]"
    keys = Keys(told, row, _names(Scenario), breaches)
    name = keys.name("name", required=True)
    asks = "question" in keys or not any(key in keys for key in STATED)
    question = keys.choice("question", "", QUESTIONS) if asks else ""
    circle = keys.text("circle", required=asks)
    scenario = Scenario(
        name=name,
        question=question,
        circle=circle,
        n_new=keys.count("n_new"),
        share=_share(keys),
        also=keys.texts("also"),
        budget=keys.number("budget"),
        area_budget=_one(keys, "area_budget", lambda table: _area_budget(table, told, breaches)),
        years=keys.amounts("years"),
        cost=keys.numbers("cost"),
        max_moves=keys.count("max_moves"),
        may_close=keys.texts("may_close"),
        keep=keys.texts("keep"),
        at_least=_one(keys, "at_least", lambda table: _area_minimum(table, told, breaches)),
        floors=tuple(_floor(table, told, breaches) for table in keys.rows("floors")),
        tiers=keys.texts("tiers"),
        capacity=keys.choice("capacity", "none", SPLITS) if "capacity" in keys else "",
        backup=keys.number("backup", 0.0, at_most=1.0) or 0.0,
        priority=keys.numbers("priority"),
        cases=tuple(_case(table, told, breaches) for table in keys.rows("cases")),
        itinerary=_one(keys, "itinerary", lambda table: _itinerary(table, told, breaches)),
        award=_one(keys, "award", lambda table: _award(table, told, breaches)),
        candidates_from=keys.choice("candidates_from", "study", SOURCES) if "candidates_from" in keys else "",
        kinds=keys.texts("kinds"),
        open=keys.texts("open"),
        close=keys.texts("close"),
        move=_moves(keys),
        speeds=_speeds(keys),
        closed=keys.texts("closed"),
    )
    _check_circles(scenario, circles, keys)
    if asks:
        _check_keys(scenario, keys)
    else:
        _check_unasked(keys)
    _check_stated(scenario, keys)
    _check_names(scenario, keys)
    return scenario


def _check_circles(scenario: Scenario, circles: Sequence[str], keys: Keys) -> None:
    named = dict.fromkeys([*scenario.circles, *(floor.circle for floor in scenario.floors)])
    for circle in named:
        if circle and circle not in circles:
            message = Said("there is no circle {!r}; there are {}", circle, ", ".join(circles))
            keys.breach("unknown-name", message)


def _check_keys(scenario: Scenario, keys: Keys) -> None:
    """Check that a question has the keys it needs, and none that has no meaning for it."""
    question = scenario.question
    if not question:
        return
    needed = NEEDED[question]
    if not any(key in keys for key in needed):
        one = Said("{} or {}", ", ".join(needed[:-1]), needed[-1])
        keys.breach("missing-key", Said('question "{}" needs {}', question, one))
    for key in UNUSED[question]:
        if key in keys:
            message = Said('{} has no meaning for question "{}"; take it out', key, question)
            keys.breach("unused-key", message)
    for key in ("may_close", "keep"):
        if key in keys and "max_moves" not in keys:
            message = Said("{} has no meaning without max_moves; add it or take {} out", key, key)
            keys.breach("unused-key", message)
    if "may_close" in keys and "keep" in keys:
        both = "may_close names the stations that may close, keep those that may not: write one, take the other out"
        keys.breach("unused-key", both)
    if scenario.candidates_from == "rooms" and not scenario.kinds:
        keys.breach("missing-key", 'candidates_from "rooms" needs kinds, the kinds of buildings to take')
    if scenario.candidates_from == "proposed" and scenario.kinds:
        keys.breach("unused-key", "kinds has no meaning for proposed candidates; take it out")


def _check_unasked(keys: Keys) -> None:
    """Check that a scenario that asks nothing has no key that only a question gives a meaning."""
    for key in _names(Scenario):
        if key in keys and key not in WITHOUT_QUESTION:
            keys.breach("unused-key", Said("{} has no meaning without a question; ask one or take {} out", key, key))


def _check_stated(scenario: Scenario, keys: Keys) -> None:
    """Check that what is stated by hand happens once, and that nothing is opened and closed at once."""
    for told, ids in (
        ("{} is opened twice by open and move; name it once", scenario.opened),
        ("{} is closed twice by close and move: what closes cannot move; name it once", scenario.gone),
    ):
        if twice := [one for one, n in Counter(ids).items() if n > 1]:
            keys.breach("duplicate-name", Said(told, ", ".join(twice)))
    if both := [one for one in dict.fromkeys(scenario.opened) if one in scenario.gone]:
        told = "{} is opened and closed at once; say one of both, or make it a scenario of its own"
        keys.breach("opened-and-closed", Said(told, ", ".join(both)))


def _check_names(scenario: Scenario, keys: Keys) -> None:
    """Check that nothing is named twice."""
    for key, named in (
        ("also", scenario.circles),
        ("tiers", scenario.tiers),
        ("cases", [case.name for case in scenario.cases]),
        ("itinerary", scenario.itinerary.days if scenario.itinerary else ()),
    ):
        if twice := [one for one, n in Counter(named).items() if n > 1 and one]:
            keys.breach("duplicate-name", Said("{} names {} twice", key, ", ".join(twice)))


def _area_budget(table: object, told: str, breaches: list[Breach]) -> AreaBudget:
    keys = Keys(f"{told} area_budget:", table, _names(AreaBudget), breaches)
    if "amount" not in keys and "amounts" not in keys:
        keys.breach("missing-key", "amount is missing, for every area, or amounts, by the areas' ids")
    return AreaBudget(keys.text("level", required=True), keys.number("amount", 0.0) or 0.0, keys.numbers("amounts"))


def _area_minimum(table: object, told: str, breaches: list[Breach]) -> AreaMinimum:
    keys = Keys(f"{told} at_least:", table, _names(AreaMinimum), breaches)
    return AreaMinimum(keys.text("level", required=True), keys.count("n") or 1, or_all=keys.flag("or_all"))


def _floor(table: object, told: str, breaches: list[Breach]) -> Floor:
    keys = Keys(f"{told} floors:", table, _names(Floor), breaches)
    if "share" not in keys:
        keys.breach("missing-key", Said("{} is missing", "share"))
    return Floor(
        share=_share(keys) or 1.0,
        group=keys.text("group"),
        level=keys.text("level"),
        circle=keys.text("circle"),
        of=keys.choice("of", BASES[0], BASES),
    )


def _case(table: object, told: str, breaches: list[Breach]) -> Case:
    keys = Keys(f"{told} cases:", table, _names(Case), breaches)
    case = Case(keys.text("name", required=True), keys.texts("closed"), keys.texts("out_of_service"))
    if not case.closed and not case.out_of_service:
        keys.breach("missing-key", Said("{}: closed or out_of_service is missing; say what happens", case.name))
    return case


def _itinerary(table: object, told: str, breaches: list[Breach]) -> Itinerary:
    keys = Keys(f"{told} itinerary:", table, _names(Itinerary), breaches)
    if "stops_per_day" not in keys:
        keys.breach("missing-key", Said("{} is missing", "stops_per_day"))
    usual = Itinerary(1)
    days = tuple(day for text in keys.texts("days") for day in days_of_words(text) or (text,)) or usual.days
    tour = Itinerary(keys.count("stops_per_day") or 1, days, keys.text("at", usual.at))
    for day in tour.days:
        if day not in DAYS:
            keys.breach("unknown-value", Said("days must be of {}, not {!r}", ", ".join(DAYS), day))
    if problem := problem_of_time(f"{DAYS[0]} {tour.at}"):
        keys.breach("bad-time", Said("at: {}", problem))
        return Itinerary(tour.stops_per_day, tour.days)
    return tour


def _moves(keys: Keys) -> dict[str, str]:
    """Return which station moves to which candidate."""
    moves = keys.pairs("move")
    for station in (one for one, to in moves.items() if not to):
        keys.breach("wrong-type", Said("move: where does {} move? Name a candidate", station))
    return {station: to for station, to in moves.items() if to}


def _speeds(keys: Keys) -> dict[str, float]:
    """Return the metres per second of classes."""
    speeds = keys.numbers("speeds")
    for name, speed_mps in speeds.items():
        if speed_mps == 0.0:
            keys.breach("out-of-range", Said("speeds: {} must walk at more than 0 metres per second", name))
        elif speed_mps > FASTEST_MPS:
            told = Said("{}: nobody walks at {:g} metres per second; is it in kilometres per hour?", name, speed_mps)
            keys.breach("fast-walkers", told, severity="warning")
    return {name: speed_mps for name, speed_mps in speeds.items() if speed_mps > 0.0}


def _share(keys: Keys) -> float | None:
    """Return a share, a part of 1; one that is written in per cent is told how to write it."""
    value = keys.get("share")
    written = _PER_CENT.fullmatch(value.strip()) if isinstance(value, str) else None
    per_cent = float(written[1]) if written else value
    if isinstance(per_cent, int | float) and (written or 1.0 < per_cent <= 100.0):
        told = "share must be above 0 and at most 1, not {!r}: {:g} % is written {:g}"
        keys.breach("out-of-range", Said(told, value, per_cent, per_cent / 100))
        return None
    return keys.number("share", at_most=1.0)


def _award(table: object, told: str, breaches: list[Breach]) -> Award:
    keys = Keys(f"{told} award:", table, _names(Award), breaches)
    for key in _names(Award):
        if key not in keys:
            keys.breach("missing-key", Said("{} is missing", key))
    return Award(keys.count("stations") or 1, keys.number("amount", 0.0) or 0.0)


def _one(keys: Keys, key: str, read: Callable[[object], Part]) -> Part | None:
    """Read a table of a table, None when absent."""
    return read(keys.get(key)) if key in keys else None


def _names(kind: type) -> tuple[str, ...]:
    """Return the keys of a table: the names of the fields it is read into."""
    named: Iterable[str] = (each.name for each in fields(kind))
    return tuple(named)
