"""Addresses of households joined to addresses of buildings: exactly, once both are written alike."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lifecircle.model import BoolArray, IntArray, LongArray

UNKNOWN, AMBIGUOUS = -1, -2
"""Rows of an address that no building bears, and of one that several do."""

_ALIKE = (
    (r"(^|\D)\s+", r"\1"),
    (r"\s+(\D|$)", r"\1"),
    (r"\s?(?:\d+|[甲乙丙丁])单元.*$", ""),
    (r"(\d+)(?:号楼|栋楼|栋|幢楼|幢|座楼|座|#楼|#)", r"\1栋"),
    (r"第(\d)", r"\1"),
)
"""Patterns, and what stands in their place. A blank between two digits parts two numbers."""

_COMMUNITY = r"^(.{1,20}?(?:社区|居委会|村委会))(.+)$"


def plain_address(addresses: pd.Series) -> pd.DataFrame:
    """Return addresses written alike, as columns ``community`` (empty where none is named) and ``rest``.

    Full-width characters become half-width, blanks that part no numbers and the number of a stairwell with all behind
    it are left out, and 号楼, 幢, 座 and # after a number read 栋.
    """
    # Of a city's households many share an address; and pandas would go through the texts one by one, Arrow does not.
    texts, which = _distinct(addresses.to_frame("address"))
    plain = pc.utf8_lower(pc.utf8_normalize(pa.array(texts["address"], type=pa.string()), form="NFKC"))
    for pattern, instead in _ALIKE:
        plain = pc.replace_substring_regex(plain, pattern, instead)
    named = pc.match_substring_regex(plain, _COMMUNITY)
    community = pc.if_else(named, pc.replace_substring_regex(plain, _COMMUNITY, r"\1"), "")
    rest = pc.replace_substring_regex(plain, _COMMUNITY, r"\2")
    columns = {"community": community.to_pandas(), "rest": rest.to_pandas()}
    return pd.DataFrame(columns).astype("str").iloc[which].set_axis(addresses.index)


def join_addresses(
    addresses: pd.DataFrame,
    communities: pd.Series,
    building_addresses: pd.DataFrame,
    building_communities: pd.Series,
    *,
    homes: BoolArray,
) -> LongArray:
    """Find the building that each address names.

    Parameters
    ----------
    addresses, building_addresses
        As `plain_address` writes them, empty for none.
    communities, building_communities
        Names of the communities in which they lie, as far as stated; one in the address itself stands in for an empty
        one.
    homes
        Which buildings are looked at first: a garage may bear the address of the home beside it.

    Returns
    -------
    LongArray
        (n,) the row of the building; `UNKNOWN` where none bears the address, `AMBIGUOUS` where several do. An address
        is looked for in its community, in all of them where it names none; where nothing bears it letter by letter,
        3号 is taken for 3栋 and the other way round.
    """
    theirs = _keyed(building_addresses, building_communities).reset_index(drop=True)
    theirs = theirs[theirs["rest"] != ""]
    # Of a city's households many share an address: each is looked up once.
    asked, which = _distinct(_keyed(addresses, communities))
    row = np.full(len(asked), UNKNOWN, dtype=np.int64)
    forms = ((asked, theirs), (_bare(asked), _bare(theirs)))
    for chosen, (ours, known) in product((homes, ~homes), forms):
        left = np.flatnonzero(row == UNKNOWN)
        row[left] = _looked_up(ours.iloc[left], known[chosen[known.index]])
    found: LongArray = row[which]
    return found


def named_community(communities: pd.Series, names: pd.Series) -> IntArray:
    """Return (n,) the row in ``names`` of the community that each address names; `UNKNOWN` where it names none.

    What stands before it, such as the city, is passed over; a name that several bear says nothing.
    """
    plain = plain_address(names).sum(axis=1).to_numpy()
    once = pd.Series(range(len(plain)), index=plain).drop("", errors="ignore")
    row_of = once[~once.index.duplicated(keep=False)].to_dict()
    which, said = pd.factorize(communities)
    meant = [max((name for name in row_of if one.endswith(name)), key=len, default="") for one in said]
    return np.array([row_of.get(name, UNKNOWN) for name in meant], dtype=np.int32)[which]


def _looked_up(asked: pd.DataFrame, known: pd.DataFrame) -> LongArray:
    inside = _rows(asked["community"] + "\n" + asked["rest"], known["community"] + "\n" + known["rest"])
    # A building whose community nobody knows may be meant by an address that names one.
    unstated = _rows(asked["rest"], known["rest"][known["community"] == ""])
    anywhere = _rows(asked["rest"], known["rest"])
    return np.where(asked["community"] == "", anywhere, np.where(inside == UNKNOWN, unstated, inside))


def _bare(keyed: pd.DataFrame) -> pd.DataFrame:
    """Return addresses with 号 for 栋, for which of the two a number is written with is a habit."""
    rest = pc.replace_substring_regex(pa.array(keyed["rest"], type=pa.string()), r"(\d)栋", r"\1号")
    return keyed.assign(rest=rest.to_pandas().astype("str").set_axis(keyed.index))


def _keyed(plain: pd.DataFrame, communities: pd.Series) -> pd.DataFrame:
    stated = plain_address(communities).set_axis(plain.index)
    whole = stated["community"] + stated["rest"]
    return plain.assign(community=whole.where(whole != "", plain["community"]))


def _distinct(frame: pd.DataFrame) -> tuple[pd.DataFrame, LongArray]:
    """Return the rows that differ, and for each row which of these it is."""
    number = frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    return frame.iloc[first].reset_index(drop=True), number


def _rows(asked: pd.Series, known: pd.Series) -> LongArray:
    """Return the label in ``known`` of each text, `UNKNOWN` for none and `AMBIGUOUS` for several."""
    several = known.duplicated(keep=False).to_numpy()
    once = known[~several]
    row = pd.Index(once).get_indexer(pd.Index(asked))
    labels = np.append(once.index.to_numpy(dtype=np.int64), UNKNOWN)
    return np.where(asked.isin(known[several]).to_numpy(), AMBIGUOUS, labels[row]).astype(np.int64)
