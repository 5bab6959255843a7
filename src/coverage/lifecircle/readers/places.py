"""Stations and candidates: their hours, and the consent of those whose rooms they are."""

from __future__ import annotations

import pandas as pd

from lifecircle.errors import Breach
from lifecircle.hours import problem_of_hours
from lifecircle.mark import YES_WORDS
from lifecircle.schema import LAYERS, breach

PLACES = ("stations", "candidates")

HOMES = ("home", "居民家", "居民家中", "居民住宅", "党员家", "党员家中", "家庭")
"""Kinds of a candidate that is somebody's home: no one need open it, so it counts with consent alone."""

CONSENT = (
    dict.fromkeys((*YES_WORDS, "y", "是", "同意", "已同意"), "yes")
    | dict.fromkeys(("no", "false", "0", "n", "否", "不同意", "未同意"), "no")
    | {"": ""}
)
"""Words of consent; the empty one is that nobody said."""


def check_places(layer: str, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Breach]]:
    """Check hours and consent, and leave out the candidates to which somebody said no.

    Returns
    -------
    tuple
        The layer, ``consent`` being ``yes``, ``no`` or empty; and the breaches.
    """
    ids = table[LAYERS[layer].key]
    problem_of = {hours: problem_of_hours(hours) if hours else "" for hours in table["hours"].unique()}
    unread = table["hours"].map(problem_of).astype("str")
    said = table["consent"].str.lower()
    unclear = ~said.isin(CONSENT)
    table = table.assign(consent=said.where(~unclear, "").map(CONSENT).astype("str"))
    told = f"consent must be yes, no or empty, not {said[unclear].head(1).tolist()}"
    breaches = [
        *breach(layer, "bad-hours", unread[unread != ""].head(1).str.cat(), ids[unread != ""]),
        *breach(layer, "not-a-flag", told, ids[unclear]),
    ]
    if layer != "candidates":
        return table, breaches
    refused = table["consent"] == "no"
    unasked = (table["consent"] == "") & table["kind"].str.lower().isin(HOMES) & ~unclear
    message = "somebody's home, and nobody says whether they consent; ask them, and put yes or no in the column consent"
    return table[~refused].reset_index(drop=True), [
        *breaches,
        *breach(layer, "no-consent", "left out: consent is no", ids[refused], "repair"),
        *breach(layer, "unstated-consent", message, ids[unasked], "warning"),
    ]
