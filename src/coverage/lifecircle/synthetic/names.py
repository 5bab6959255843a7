"""The names and codes of the areas of made-up cities: real ones, at places that are not theirs.

Codes and names of communities and villages, and the codes of what they belong to, are those of the division of China
for statistics as the package china-division keeps them (licence WTFPL 2); endings are shortened to 社区 and 村. That
list does not name the level above, and so these names are made up: a subdistrict or township bears the name of one of
its communities, of such a word that no street, market or direction is in it, with the ending that its code calls for;
no two of a level bear the same. So do the service areas of Puyang, which group neighbours in the order of their codes;
of a longer list of villages every so many of each township are kept.
"""

from __future__ import annotations

from importlib.resources import files

import pandas as pd


def area_tree(programme: str) -> pd.DataFrame:
    """Return the areas of a programme, the largest level first.

    Areas that follow each other lie beside each other: from the west along the valley's southern side, then back along
    the northern one. So the districts of Fushun come as they lie; everything else comes by code.

    Returns
    -------
    DataFrame
        area_id, level, name, parent_id (empty at the top); text. Empty for a programme that names no areas.
    """
    with (files(__package__) / "names.csv").open(encoding="utf-8") as text:
        areas = pd.read_csv(text, dtype=str, keep_default_na=False)
    mine = areas[areas["programme"] == programme].reset_index(drop=True)
    return mine.rename(columns={"code": "area_id", "parent": "parent_id"})[["area_id", "level", "name", "parent_id"]]
