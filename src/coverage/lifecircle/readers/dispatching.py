"""``[dispatch]`` of the study file: which tier does what, and by which calendar and clock."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd

from lifecircle.errors import Breach
from lifecircle.model import Dispatch
from lifecircle.readers.days import day_of, not_a_day
from lifecircle.readers.hours_in_words import hours_in_osm, problem_of_words, words_read
from lifecircle.readers.keys import Keys
from lifecircle.said import Said, sentence
from lifecircle.workdays import CALENDARS, is_zone

_KEYS = (
    *("tiers", "items", "hours", "capacity", "urgency", "calendar", "days_off", "days_worked", "zone"),
    *("on_duty", "joint", "pool", "volunteers", "time_limit"),
)

MOST_MINUTES = 366 * 24 * 60
"""How long a request may wait at most; no hours begin later than in a year."""


def read_dispatch(table: object, breaches: list[Breach]) -> Dispatch:
    """Read how requests are sent to stations; what is wrong with it is added to ``breaches``."""
    keys = Keys("[dispatch]", table, _KEYS, breaches)
    tiers = keys.texts("tiers")
    if len(set(tiers)) < len(tiers):
        keys.breach("duplicate-name", "tiers names one twice; name each once, the lowest first")
    zone = keys.text("zone")
    if zone and not is_zone(zone):
        keys.breach("unknown-zone", Said('zone must be a name such as "Asia/Shanghai", not {!r}', zone))
    off, worked = _days(keys, "days_off"), _days(keys, "days_worked")
    if both := sorted({*off} & {*worked}):
        keys.breach("conflicting-conditions", Said("{} is in days_off and in days_worked", both[0]))
    return Dispatch(
        tiers=tiers,
        items=_items(keys),
        hours=_hours(keys),
        capacity=keys.numbers("capacity"),
        urgency=keys.texts("urgency"),
        calendar=keys.choice("calendar", "", CALENDARS) if "calendar" in keys else "",
        days_off=off,
        days_worked=worked,
        zone=zone if is_zone(zone) else "",
        on_duty=_on_duty(keys, breaches),
        joint=_joint(keys),
        pool=keys.texts("pool"),
        volunteers=keys.texts("volunteers"),
        time_limit=_time_limit(keys),
    )


def _on_duty(keys: Keys, breaches: list[Breach]) -> dict[str, int]:
    """Return how many must be on duty, by tier; under "" where one number is for all."""
    value = keys.get("on_duty")
    if not isinstance(value, Mapping):
        n = keys.count("on_duty")
        return {} if n is None else {"": n}
    named = Keys("[dispatch.on_duty]", value, [*value], breaches)
    counts = {tier: named.count(tier) for tier in value}
    return {tier: n for tier, n in counts.items() if n is not None}


def _joint(keys: Keys) -> dict[str, tuple[str, str]]:
    """Return what the two must know who handle an item together."""
    table = keys.get("joint")
    if table is not None and not isinstance(table, Mapping):
        keys.breach("wrong-type", Said("{} must be a table of lists of two texts, by item", "joint"))
        return {}
    found = {}
    for item, value in (table or {}).items():
        match value:
            case [str(lead), str(assist)] if lead.strip() and assist.strip():
                found[str(item).strip()] = (lead.strip(), assist.strip())
            case _:
                keys.breach("wrong-type", Said("joint: {} must be a list of two texts, not {!r}", item, value))
    return found


def _time_limit(keys: Keys) -> dict[str, float]:
    """Return how long a request may wait for stations of each tier to open, minutes."""
    limits = keys.numbers("time_limit")
    for tier, minutes in limits.items():
        if minutes > MOST_MINUTES:
            far = Said(
                "time_limit: {} is in minutes, at most {:,} of them (a year), not {:g}", tier, MOST_MINUTES, minutes
            )
            keys.breach("out-of-range", far)
    return {tier: min(minutes, MOST_MINUTES) for tier, minutes in limits.items()}


def _items(keys: Keys) -> dict[str, tuple[str, ...]]:
    """Return what stations of each tier offer that list no items."""
    table = keys.get("items")
    if table is not None and not isinstance(table, Mapping):
        keys.breach("wrong-type", Said("{} must be a table of lists of texts, by tier", "items"))
        return {}
    found = {}
    for tier, value in (table or {}).items():
        items = value if isinstance(value, list) else [value]
        if items and all(isinstance(item, str) and item.strip() and ";" not in item for item in items):
            found[str(tier)] = tuple(item.strip() for item in items)
        else:
            keys.breach("wrong-type", Said("items: {} must be a list of texts, not {!r}", tier, value))
    return found


def _hours(keys: Keys) -> dict[str, str]:
    """Return the hours of each tier's stations that state none."""
    found = {}
    for tier, said in keys.pairs("hours").items():
        hours = hours_in_osm(said)
        if not hours:
            keys.breach("bad-hours", Said("hours: {}: {}", tier, problem_of_words(said)))
        else:
            if hours != said:
                keys.breach("hours-in-words", Said("hours: {}: {}", tier, words_read(said, hours)), severity="repair")
            found[tier] = hours
    return found


def _days(keys: Keys, key: str) -> tuple[str, ...]:
    """Return days as ``2026-05-03``; TOML has dates of its own."""
    said = [str(value) for value in keys.rows(key, of="dates")]
    days = tuple(map(day_of, said))
    for value, day in zip(said, days, strict=True):
        if not day:
            keys.breach("bad-date", Said("{}, not {!r}", sentence(not_a_day(key, [value])), value))
    return tuple(day for day in days if day)


def as_tiers_say(places: gpd.GeoDataFrame, dispatch: Dispatch) -> gpd.GeoDataFrame:
    """Return stations or candidates with the items and hours of their tier where they have none of their own."""
    items = {tier: ";".join(held) for tier, held in dispatch.items.items()}
    said = {"items": items, "hours": dict(dispatch.hours)}
    own = {
        name: places[name].where(places[name] != "", places["tier"].map(lambda tier, of=of: of.get(tier, "")))
        for name, of in said.items()
        if of
    }
    return places.assign(**own)
