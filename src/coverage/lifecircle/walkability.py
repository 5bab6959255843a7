"""Who may walk where: what OpenStreetMap's tags say to someone on foot, as one table.

Each `Rule` answers one question about the ways, or the nodes, whose tags meet one of its ``where``. Of the rules that
answer the same question the last one that holds counts, so the general stands above the particular, and what a study
says of its own streets stands below everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.model import BoolArray, IntArray, WayRule

STREETS = (
    *("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link", "trunk", "trunk_link"),
    *("unclassified", "residential", "living_street", "service", "road", "busway"),
)
PATHS = ("footway", "path", "pedestrian", "corridor", "platform", "elevator", "bridleway", "track", "cycleway")
WALKED = (*STREETS, *PATHS, "steps")
"""Values of ``highway`` on which people walk. All others (motorway, construction, raceway, ...) are not walked."""

NOT_WALKED = (
    *("motorway", "motorway_link", "bus_guideway", "escape", "raceway", "construction", "proposed", "planned", "razed"),
    *("abandoned", "disused", "demolished", "services", "rest_area", "via_ferrata", "no", "emergency_bay"),
    "toll_gantry",
)
"""Values of ``highway`` on which nobody walks, and which need no remark."""

ALLOWED = ("yes", "designated", "permissive", "official")
OWN = ("private", "destination", "customers", "residents", "delivery", "permit")
"""Values of ``foot`` or ``access`` by which a way serves its frontage and lets nobody through."""
FORBIDDEN = ("no", "use_sidepath", "forestry", "agricultural", "military")
_STRICTEST_FIRST = (*FORBIDDEN, *OWN, *ALLOWED)

GATES = (
    *("gate", "lift_gate", "swing_gate", "sliding_gate", "hampshire_gate", "wicket_gate", "kissing_gate", "door"),
    *("turnstile", "full-height_turnstile", "entrance"),
)
"""Values of ``barrier`` that someone can shut. One steps over all others, or walks round them."""
NARROW = ("stile", "kissing_gate", "turnstile", "full-height_turnstile", "cycle_barrier", "motorcycle_barrier", "log")
"""Values of ``barrier`` that a wheelchair does not pass."""

LIFTS = ({"highway": ("elevator",)},)
"""What a lift bears, be it a node, a line or an area."""


@dataclass(frozen=True)
class Rule:
    """A line of the table.

    ``asks`` is the question and ``says`` the answer (see `WAY_RULES` and `NODE_RULES`). A table of ``where`` is met
    when every key has one of the values: no values stand for any value, an empty one for an absent key, and one that
    ends in ``*`` for all that begin like it. Of several values of ``access`` or ``foot``, as in ``private;permit``, the
    strictest counts. A rule with ``ids`` holds for these too.
    """

    asks: str
    says: str
    where: tuple[Mapping[str, tuple[str, ...]], ...]
    source: str
    """Pages of the OpenStreetMap wiki, or whose choice it is."""
    ids: tuple[str, ...] = ()


WAY_RULES = (
    Rule("walk", "yes", ({"highway": WALKED},), "Key:highway"),
    Rule("walk", "no", ({"highway": WALKED, "access": FORBIDDEN},), "Key:access"),
    Rule("walk", "private", ({"highway": WALKED, "access": OWN},), "Key:access"),
    Rule("walk", "no", ({"highway": WALKED, "foot": FORBIDDEN},), "Key:foot: before access"),
    Rule("walk", "private", ({"highway": WALKED, "foot": OWN},), "Key:foot: before access"),
    Rule(
        "walk",
        "no",
        ({"highway": ("trunk", "trunk_link"), "sidewalk": ("", "no", "none", "separate")},),
        "Tag:highway=trunk, Key:sidewalk",
    ),
    Rule(
        "walk",
        "no",
        (
            {"highway": STREETS, "sidewalk": ("separate",)},
            {"highway": STREETS, "sidewalk:both": ("separate",)},
            {"highway": STREETS, "sidewalk:left": ("separate",), "sidewalk:right": ("separate",)},
        ),
        "Key:sidewalk: the sidewalks are ways of their own; the walk filter of OSMnx 2",
    ),
    Rule("walk", "no", ({"motorroad": ("yes",)},), "Key:motorroad"),
    Rule("walk", "yes", ({"highway": WALKED, "foot": ALLOWED},), "Key:foot: before all else"),
    Rule("walk", "no", ({"route": ("ferry",)},), "Tag:route=ferry: it sails at hours that are not known"),
    Rule(
        "attach",
        "no",
        (
            {"tunnel": ("yes", "covered", "passage", "culvert", "flooded", "avalanche_protector")},
            {"indoor": ("yes", "room", "area", "corridor")},
            {"location": ("underground",)},
            {"highway": ("corridor", "elevator")},
            {"level": ("-*",)},
            {"layer": ("-*",), "covered": ("yes", "arcade")},
        ),
        "Key:tunnel, Key:indoor, Key:level: no front door opens there; but a passage through a building is the street",
    ),
    Rule("direction", "along", ({"conveying": ("forward",)},), "Key:conveying"),
    Rule("direction", "against", ({"conveying": ("backward",)},), "Key:conveying"),
    Rule("direction", "along", ({"oneway:foot": ("yes", "1")},), "Key:oneway:foot; plain oneway is for vehicles"),
    Rule("direction", "against", ({"oneway:foot": ("-1",)},), "Key:oneway:foot"),
    Rule("wheels", "no", ({"wheelchair": ("no",)},), "Key:wheelchair"),
    Rule("wheels", "no", ({"highway": ("steps",)},), "Tag:highway=steps: escalators too"),
)
"""Of a way. ``walk``: yes, no, or private (it serves its frontage and lets nobody through); ``attach``: whether homes
and stations do; ``direction``: both, along or against; ``wheels``: whether a class that takes no steps may use it."""

_SHUTTABLE = ({"barrier": GATES}, *LIFTS)
_PASSED = ({"barrier": ()}, *LIFTS)

NODE_RULES = (
    Rule("passes", "yes", _SHUTTABLE, "Key:barrier: a gate of which nothing is known is open"),
    Rule("passes", "no", ({"barrier": GATES, "locked": ("yes",)},), "Key:locked"),
    Rule("passes", "no", tuple({**t, "access": FORBIDDEN} for t in _SHUTTABLE), "Key:access"),
    Rule("passes", "private", tuple({**t, "access": OWN} for t in _SHUTTABLE), "Key:access"),
    Rule("passes", "no", tuple({**t, "foot": FORBIDDEN} for t in _PASSED), "Key:foot: before access, at any barrier"),
    Rule("passes", "private", tuple({**t, "foot": OWN} for t in _PASSED), "Key:foot: before access, at any barrier"),
    Rule("passes", "yes", tuple({**t, "foot": ALLOWED} for t in _PASSED), "Key:foot: before all else"),
    Rule("wheels", "no", ({"barrier": NARROW}, {"barrier": ("kerb",), "kerb": ("raised",)}), "Key:barrier, Key:kerb"),
    Rule("wheels", "no", ({"barrier": (), "wheelchair": ("no",)},), "Key:wheelchair"),
    Rule("wheels", "yes", ({"barrier": (), "wheelchair": ("yes", "designated", "limited")},), "Key:wheelchair"),
)
"""Of a node on a way. ``passes``: yes, no, or private (for those who live behind it), empty where nothing can be shut;
``wheels``: whether a class that takes no steps passes it."""


@dataclass(frozen=True, eq=False)
class Walkability:
    """What each way is to someone on foot: rows of the street layer."""

    kind: pd.Series
    """``street``, ``foot`` or ``steps``; empty where nobody walks."""
    walked: BoolArray
    private: BoolArray
    snappable: BoolArray
    oneway: IntArray
    """1 along the way only, -1 against it only, 0 both."""
    wheels: BoolArray
    """Whether a class that takes no steps may use it."""


def walkability(tags: pd.DataFrame, *, ids: Iterable[str] = (), rules: Iterable[WayRule] = ()) -> Walkability:
    """Decide from its tags what each way is to someone on foot.

    Parameters
    ----------
    tags
        One row a way, one column a key, values as text, empty where absent. Missing columns count as absent.
    ids
        The ways' ids, for rules that name some.
    rules
        A study's own rules on who walks; they stand below `WAY_RULES`, so they win.

    Returns
    -------
    Walkability
        Nobody walks on a way of a ``highway`` that no rule names.
    """
    table = (*WAY_RULES, *(Rule("walk", r.walk, r.where, "the study", r.ids) for r in rules))
    said = answers(table, tags, ids, {"walk": "no", "attach": "yes", "direction": "both", "wheels": "yes"})
    walked = said["walk"] != "no"
    kind = pd.Series("street", index=tags.index)
    if "highway" in tags:
        kind[tags["highway"].isin(PATHS)] = "foot"
        kind[tags["highway"] == "steps"] = "steps"
    return Walkability(
        kind=kind.where(walked, ""),
        walked=walked,
        private=said["walk"] == "private",
        snappable=walked & (said["attach"] == "yes"),
        oneway=np.select([said["direction"] == "along", said["direction"] == "against"], [1, -1], 0).astype(np.int32),
        wheels=walked & (said["wheels"] == "yes"),
    )


def answers(
    rules: Iterable[Rule], tags: pd.DataFrame, ids: Iterable[str], otherwise: Mapping[str, str]
) -> dict[str, npt.NDArray[np.object_]]:
    """Return for each question of ``otherwise`` (n,) what the last rule that holds says, else what stands there."""
    said = {asks: np.full(len(tags), answer, dtype=object) for asks, answer in otherwise.items()}
    test = _Test(tags, ids)
    for rule in rules:
        said[rule.asks][test.holds(rule.where, rule.ids)] = rule.says
    return said


def unmet(rules: Iterable[WayRule], tags: pd.DataFrame, ids: Iterable[str]) -> tuple[WayRule, ...]:
    """Return a study's rules that hold for no way."""
    test = _Test(tags, ids)
    return tuple(rule for rule in rules if not test.holds(rule.where, rule.ids).any())


def meeting(tags: pd.DataFrame, where: Iterable[Mapping[str, tuple[str, ...]]]) -> BoolArray:
    """Return (n,) which rows meet one of the tables, as in `Rule`."""
    return _Test(tags, ()).holds(tuple(where), ())


class _Test:
    """Tells for which rows a rule holds; each column is looked through once, by its distinct values."""

    def __init__(self, tags: pd.DataFrame, ids: Iterable[str]) -> None:
        self._tags = tags
        self._ids = np.array(list(ids), dtype=object)
        self._columns: dict[str, tuple[npt.NDArray[np.intp], pd.Series, pd.Series]] = {}

    def holds(self, where: tuple[Mapping[str, tuple[str, ...]], ...], ids: tuple[str, ...]) -> BoolArray:
        found = np.isin(self._ids, ids) if ids else np.zeros(len(self._tags), dtype=bool)
        for table in where:
            met = np.ones(len(self._tags), dtype=bool)
            for key, values in table.items():
                met &= self._has(key, values)
            found |= met
        return found

    def _has(self, key: str, values: tuple[str, ...]) -> BoolArray:
        if key not in self._tags:
            return np.full(len(self._tags), "" in values)
        if key not in self._columns:
            codes, found = pd.factorize(self._tags[key])
            distinct = pd.Series(found, dtype="str")
            self._columns[key] = codes, distinct, distinct.map(_strictest) if key in ("access", "foot") else distinct
        codes, distinct, counted = self._columns[key]
        if not values:
            return (distinct != "").to_numpy()[codes]
        begins = tuple(v[:-1] for v in values if v.endswith("*"))
        alike = distinct.str.startswith(begins) if begins else False
        return (distinct.isin(values) | counted.isin(values) | alike).to_numpy()[codes]


def _strictest(text: str) -> str:
    """Return of several values of ``access`` or ``foot`` the one that lets in the fewest; all, if none is known."""
    values = [value.strip() for value in text.split(";")]
    return next((known for known in _STRICTEST_FIRST if known in values), text)
