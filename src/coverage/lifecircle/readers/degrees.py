"""Longitudes and latitudes as survey sheets write them, 123°57′12″ or 东经123.95°, as plain degrees."""

from __future__ import annotations

import numpy as np
import pandas as pd

_SIDES = {"lon": ("东经|[EeＥ]", "西经|[WwＷ]"), "lat": ("北纬|[NnＮ]", "南纬|[SsＳ]")}
"""Words and letters of the sides on which degrees count up from 0, and down."""

_MINUTES, _SECONDS = r"([0-5]?[0-9](?:\.[0-9]+)?)\s*[′'’＇分]", r"([0-5]?[0-9](?:\.[0-9]+)?)\s*(?:″|\"|”|＂|秒|''|′′)"
_ANGLE = rf"^([0-9]{{1,3}}(?:\.[0-9]+)?)\s*[°º度]?(?:(?<=[°º度])\s*{_MINUTES}\s*(?:{_SECONDS})?)?$"


def degrees_of(axis: str, texts: pd.Series) -> pd.Series:
    """Return degrees as decimal numbers in text; what does not say them beyond doubt stays as it is.

    Parameters
    ----------
    axis
        ``lon`` or ``lat``: a northern longitude is none.
    texts
        Cells of that column, none of them a plain number.

    Examples
    --------
    >>> degrees_of("lon", pd.Series(["123°57′12″", "东经123.95", "123°57.2′E", "123.57.12", "41°52′N"])).tolist()
    ['123.9533333333', '123.95', '123.9533333333', '123.57.12', '41°52′N']
    """
    up, down = _SIDES[axis]
    bare = texts.str.replace(rf"^(?:{up}|{down})\s*|\s*(?:{up}|{down})$", "", n=1, regex=True)
    parts = bare.str.extract(_ANGLE).astype("float64").set_axis(["degrees", "minutes", "seconds"], axis=1)
    # Only the last of them may have a fraction: 123.5°30′ says two things.
    whole = ((parts["degrees"] % 1 == 0) | parts["minutes"].isna()) & (
        (parts["minutes"] % 1 == 0) | parts["seconds"].isna()
    )
    degrees = parts.fillna(0.0) @ np.array([1.0, 1 / 60, 1 / 3600])
    sign = np.where(texts.str.contains(rf"^(?:{down})|(?:{down})$", regex=True), -1.0, 1.0)
    return texts.mask(parts["degrees"].notna() & whole, (sign * degrees).round(10).astype("str"))
