"""Sheets of one workbook that list the same again: put together, two years of a ledger would count everybody twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import scipy.sparse as sp

from lifecircle.errors import Breach
from lifecircle.model import FloatArray
from lifecircle.readers.cells import mend_cells
from lifecircle.said import Said
from lifecircle.schema import LAYERS, PLANE, POSITION, WKT, breach

_MOST = 0.5
"""Share of what a sheet lists from which on another sheet is taken to list the same."""

_OF_RESIDENTS = ("household", "building_id", "area_id", "area", "address")
_PLACED = (*POSITION, *PLANE, WKT)


def check_repeated(layer: str, sheets: Mapping[str, pd.DataFrame], meaning: Callable[[str], str]) -> list[Breach]:
    """Tell of sheets of which most rows stand on another too, by all that names a row of the layer.

    Parameters
    ----------
    sheets
        The rows of each sheet as text, under the file's headings, by the sheet's name.
    meaning
        Gives the column of ours that a heading means, empty for none.
    """
    keys = {name: key for name, table in sheets.items() if len(key := _keys(layer, table, meaning))}
    share = _shared(list(keys.values())) if keys else np.zeros((0, 0))
    if not (share > _MOST).any():
        return []
    names = list(keys)
    few, many = (names[i] for i in np.unravel_index(share.argmax(), share.shape))
    among = [name for name, row, column in zip(names, share, share.T, strict=True) if max(*row, *column) > _MOST]
    again = int(np.isin(keys[few], keys[many]).sum())
    told = Said("{:,} of the {:,} rows of {} stand on {} too", again, len(keys[few]), few, many)
    people = [_people(layer, sheets[name], meaning) for name in (few, many)]
    if sum(people):
        told = Said(
            "{}, with {:,.0f} residents on the one and {:,.0f} on the other, {:,.0f} together",
            *(told, *people, sum(people)),
        )
    message = Said('{}: are they of two years? name the sheet to be read: layer = "{}"', told, max(few, many))
    if layer == "residents":
        message = Said("{}; if all are meant, give each an [[inputs.residents]] with its layer", message)
    return breach(layer, "repeated-sheets", message, among)


def _keys(layer: str, table: pd.DataFrame, meaning: Callable[[str], str]) -> np.ndarray:
    """Return a number for what names each row, of the rows that are named at all."""
    key = LAYERS[layer].key
    named = (key,) if key else _OF_RESIDENTS if layer == "residents" else ()
    used = [h for h in table if meaning(h) in named] or [h for h in table if named and meaning(h) in _PLACED]
    cells = pd.DataFrame({heading: table[heading].str.strip() for heading in sorted(used, key=meaning)})
    stated = (cells != "").any(axis=1)
    return pd.util.hash_pandas_object(cells[stated], index=False).to_numpy() if used else np.zeros(0, dtype=np.uint64)


def _shared(keys: list[np.ndarray]) -> FloatArray:
    """Return (n, n) which share of what one sheet lists stands on each other; 0 of a sheet on itself."""
    sheet = np.repeat(np.arange(len(keys)), [len(key) for key in keys])
    number, known = pd.factorize(np.concatenate(keys))
    lists = sp.csr_array((np.ones(len(sheet)), (sheet, number)), shape=(len(keys), len(known)))
    lists.data[:] = 1.0
    both = (lists @ lists.T).toarray()
    share: FloatArray = both / np.diag(both)[:, None]
    np.fill_diagonal(share, 0.0)
    return share


def _people(layer: str, table: pd.DataFrame, meaning: Callable[[str], str]) -> float:
    """Return how many residents a sheet counts, 0 where no heading or several say so."""
    counted = [heading for heading in table if meaning(heading) == "residents"]
    if len(counted) != 1:
        return 0.0
    mended, _ = mend_cells(layer, table[counted].set_axis(["residents"], axis=1))
    return float(pd.to_numeric(mended["residents"], errors="coerce").sum())
