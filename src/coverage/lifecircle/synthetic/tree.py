"""The tree of areas as names and numbers: what a programme's areas are called at any size, and who belongs to whom."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lifecircle.synthetic.names import area_tree
from lifecircle.synthetic.programme import Programme
from lifecircle.synthetic.shares import apportion

VILLAGE = "村"

ENDINGS = ("服务区", "社区", VILLAGE, "街道", "镇", "乡", "区", "县", "市")
"""What an area's name ends in: the ordinal of a name that comes again stands before it."""

TextArray = npt.NDArray[np.object_]


def scaled_tree(programme: Programme, size: float) -> pd.DataFrame:
    """Return a programme's areas at ``size``: fewer of them, or the same ones again under an ordinal.

    Returns
    -------
    DataFrame
        area_id, level, name, parent_id; the largest level first, in each level the children of one area together and in
        their parents' order. Each level has its own number of areas times ``size`` and at least one; of the largest all
        stay that can have a child.
    """
    named = area_tree(programme.name)
    children = {parent: list(rows) for parent, rows in named.groupby("parent_id", sort=False).indices.items()}
    code, name = named["area_id"].tolist(), named["name"].tolist()
    n_children = np.array([len(children.get(area, ())) for area in code])
    top = children[""]
    rows = _picked(top, n_children, max(1, min(len(top), round(int(n_children[top].sum()) * size))))
    ids, tables, parents = [""], [], [0] * len(rows)
    for level in programme.levels:
        seen: Counter[int] = Counter()
        table = []
        for row, parent in zip(rows, parents, strict=True):
            seen[row] += 1
            again = seen[row]
            table.append(
                {
                    "area_id": code[row] if again == 1 else f"{code[row]}-{again}",
                    "level": level,
                    "name": name[row] if again == 1 else _again(name[row], again),
                    "parent_id": ids[parent],
                }
            )
        tables.append(pd.DataFrame(table))
        ids = [area["area_id"] for area in table]
        if level == programme.levels[-1]:
            break
        below = [children[code[row]] for row in rows]
        n_below = int(n_children[named["level"] == level].sum())
        counts = apportion([len(c) for c in below], max(len(rows), round(n_below * size)), least=1)
        parents = np.repeat(np.arange(len(rows)), counts).tolist()
        rows = [row for mine, n in zip(below, counts, strict=True) for row in _picked(mine, n_children, int(n))]
    return pd.concat(tables, ignore_index=True)


def holders(areas: gpd.GeoDataFrame, levels: tuple[str, ...]) -> pd.DataFrame:
    """Return for each area of the smallest level (the index) the row in ``areas`` of its holder at every level."""
    ids = pd.Index(areas["area_id"])
    parent = ids.get_indexer(areas["parent_id"])
    row = np.flatnonzero(areas["level"] == levels[-1])
    table = {}
    for level in levels[::-1]:
        table[level] = row
        row = parent[row]
    return pd.DataFrame(table, index=ids[table[levels[-1]]])


def _picked(rows: list[int], weight: npt.NDArray[np.int64], n: int) -> list[int]:
    """Return ``n`` of the rows in their order: those of most weight, or each several times where there are too few."""
    if n > len(rows):
        return [rows[k * len(rows) // n] for k in range(n)]
    heaviest = np.argsort(-weight[rows], kind="stable")[:n]
    return [rows[k] for k in np.sort(heaviest)]


def _again(name: str, n: int) -> str:
    """Return a name that comes for the ``n``-th time: 新华社区, then 新华第2社区."""
    ending = next((e for e in ENDINGS if name.endswith(e) and name != e), "")
    return f"{name.removesuffix(ending)}第{n}{ending}"
