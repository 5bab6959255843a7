"""Stations and candidates: their hours, and the consent of those whose rooms they are."""

from __future__ import annotations

import pandas as pd

from lifecircle.conform import headed
from lifecircle.errors import Breach
from lifecircle.mark import YES_WORDS
from lifecircle.readers.hours_in_words import check_hours
from lifecircle.said import Said
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
        The layer, ``consent`` being ``yes``, ``no`` or empty, ``hours`` as OpenStreetMap writes them; and the breaches.
        Hours that cannot be read are left out and told: no result depends on those of stations.
    """
    ids = table[LAYERS[layer].key]
    hours, breaches = check_hours(layer, table["hours"], ids, unread="warning")
    said = table["consent"].str.lower()
    unclear = ~said.isin(CONSENT)
    table = table.assign(consent=said.where(~unclear, "").map(CONSENT).astype("str"), hours=hours)
    consent = headed(table, "consent")
    told = Said("{} must be yes, no or empty, not {!r}", consent, said[unclear].head(1).str.cat())
    breaches += breach(layer, "not-a-flag", told, ids[unclear], column=consent, values=said[unclear])
    if layer != "candidates":
        return table, breaches
    refused = table["consent"] == "no"
    unasked = (table["consent"] == "") & table["kind"].str.lower().isin(HOMES) & ~unclear
    message = Said(
        "somebody's home, and nobody says whether they consent; ask them, and put yes or no in the column {}", consent
    )
    return table[~refused].reset_index(drop=True), [
        *breaches,
        *breach(layer, "no-consent", Said("left out: {} is no", consent), ids[refused], "repair", column=consent),
        *breach(layer, "unstated-consent", message, ids[unasked], "warning", column=consent),
    ]
