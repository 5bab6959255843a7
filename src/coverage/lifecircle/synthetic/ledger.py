"""The residents of a made-up city as a workbook of households: one sheet a district, headings above headings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lifecircle.mark import BOTH, MARK, YES
from lifecircle.synthetic.breakage import Breakage, Rows, twice
from lifecircle.synthetic.households import GROUPS, households_of
from lifecircle.synthetic.tell import top_area
from lifecircle.synthetic.words import COUNT, HEADINGS, HOUSEHOLD
from lifecircle.synthetic.xlsx import MOST_ROWS, NAME_LENGTH, Sheet, write_workbook

WHERE = (*(HEADINGS["residents"][c] for c in ("area_id", "area", "address")), "单元门牌", HOUSEHOLD)
OF_THESE, TOTAL = "其中", "合计"
PART = 0.004
DOUBT = "？"
"""What a clerk puts behind what nobody could confirm."""

_HEAD_ROWS = 3
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def write_ledger(path: Path, frames: Mapping[str, pd.DataFrame], random: np.random.Generator) -> list[Breakage]:
    """Write the households and return what is wrong with them; no household bears a name."""
    sheet_of, table = _households(frames, random)
    rows = Rows(len(table), random)
    wide, worded, double, moved, gone = (rows.take(PART) for _ in range(5))
    household, people = table[HOUSEHOLD].to_numpy(), table[COUNT].to_numpy(dtype=object)
    total = table[COUNT].groupby(sheet_of).sum()
    people[wide] = [str(n).translate(_FULL_WIDTH) for n in people[wide]]
    people[worded] = [f"{n}人" for n in people[worded]]
    for column, doubted in ((WHERE[0], moved), (WHERE[2], gone)):
        table.loc[doubted, column] += DOUBT
    areas, addresses = (tuple(table[c].iloc[r].unique()) for c, r in ((WHERE[0], moved), (WHERE[2], gone)))
    table, sheet_of = twice(table.assign(**{COUNT: people}), double), twice(sheet_of.to_frame(), double).iloc[:, 0]
    sheets = [s for name, part in table.groupby(sheet_of, sort=False) for s in _sheets(str(name), part, total[name])]
    write_workbook(path, sheets)
    last = tuple(f"{s.name} row {len(s.head) + len(s.table) + 1}" for s in sheets if s.foot)
    file = path.name

    broken = partial(Breakage, file, "residents")
    several = tuple(s.name for s in sheets) if len(sheets) > 1 else ()
    return [
        *([broken("several-sheets", several, "several sheets", "nothing; or name one of them")] if several else []),
        broken("merged-heading", tuple(s.name for s in sheets), "a title and headings above headings", "delete 2 rows"),
        broken("not-read", ("1 column of no known name",), "a column that nothing takes", "nothing; or take it out"),
        broken("full-width-digits", tuple(household[wide]), "digits as wide as characters", "write plain digits"),
        broken("unit-in-number", tuple(household[worded]), "a word behind the number", "take the word away"),
        broken("duplicate-id", tuple(household[double]), "the household entered twice", "take one of the two out"),
        broken("unknown-area", areas, "a question mark behind the code of the community", "take it away"),
        broken("unknown-address", addresses, "a question mark behind the address", "take it away"),
        broken("total-row", last, "the sum below the table, with commas in it", "take the row out"),
    ]


def _households(frames: Mapping[str, pd.DataFrame], random: np.random.Generator) -> tuple[pd.Series, pd.DataFrame]:
    """Return the sheet of each household, and the rows of the sheets in their order."""
    residents, buildings = frames["residents"], frames["buildings"].set_index("building_id")
    homes = households_of(residents, random)
    building = residents["building_id"].to_numpy()[homes["building"]]
    name_of = frames["areas"].set_index("area_id")["name"]
    area = buildings["area_id"].reindex(building)
    top = top_area(frames).reindex(building).map(name_of).reset_index(drop=True)
    columns = {
        WHERE[0]: area.to_numpy(),
        WHERE[1]: area.map(name_of).to_numpy(),
        WHERE[2]: buildings["address"].reindex(building).to_numpy(),
        WHERE[3]: homes["stair"].astype("str") + "单元" + homes["door"].astype("str"),
        WHERE[4]: "H" + homes["household"].astype("str").str.zfill(8),
        COUNT: homes["residents"],
        **{heading: homes[column] for column, heading in GROUPS.items() if column in homes},
        MARK: YES,
    }
    order = np.lexsort([homes["building"], *(pd.factorize(names, sort=True)[0] for names in (area, top))])
    return top.iloc[order].reset_index(drop=True), pd.DataFrame(columns).iloc[order].reset_index(drop=True)


def _sheets(name: str, table: pd.DataFrame, total: int) -> list[Sheet]:
    """Return the sheets of a district: one, or as many as hold its households, the sum at the foot of the last."""
    headings = list(table.columns)
    places = [_LETTERS[i] for i, heading in enumerate(headings) if heading in GROUPS.values()]
    above = [OF_THESE if _LETTERS[i] == places[0] else "" for i in range(len(headings))]
    title = [f"{name}居民户台账（{BOTH}）", *[""] * (len(headings) - 1)]
    foot = [TOTAL if h == WHERE[0] else f"{total:,}" if h == COUNT else "" for h in headings]
    most = MOST_ROWS - _HEAD_ROWS - 1
    return [
        Sheet(
            name=f"{name}{f'（{first // most + 1}）' if first else ''}"[-NAME_LENGTH:],
            head=[title, above, headings],
            table=table.iloc[first : first + most],
            foot=[foot] if first + most >= len(table) else [],
            merged=(f"A1:{_LETTERS[len(headings) - 1]}1", f"{places[0]}2:{places[-1]}2"),
        )
        for first in range(0, len(table), most)
    ]
