"""Names that are the program's own, and so said in the language of a study: of groups, levels of areas and kinds.

A name of the study's own, an id too, is data, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from lifecircle.said import Said, sentence

USUAL: Mapping[str, str] = {
    "adult": "adults",
    "aged": "aged",
    "65plus": "65 and older",
    "living_alone": "living alone",
    "disabled": "disabled",
    "low_income": "low income",
    "city": "city",
    "district": "district",
    "county": "county",
    "subdistrict": "subdistrict",
    "township": "township",
    "town": "town",
    "community": "community",
    "village": "village",
    "grid": "grid cell",
    "shop": "shop",
    "pharmacy": "pharmacy",
    "supermarket": "supermarket",
    "convenience": "convenience store",
    "kiosk": "kiosk",
    "market": "market",
    "retail": "retail",
    "commercial": "commercial",
    "bank": "bank",
    "post_office": "post office",
    "library": "library",
    "school": "school",
    "kindergarten": "kindergarten",
    "clinic": "clinic",
    "hospital": "hospital",
    "office": "office",
    "government": "government",
    "townhall": "town hall",
    "civic": "civic building",
    "public": "public building",
    "community_centre": "community centre",
    "hotel": "hotel",
    "restaurant": "restaurant",
    "apartments": "apartments",
    "residential": "residential building",
    "house": "house",
}
"""By the word of the study file or of OpenStreetMap, what it is called."""


def own_name(name: str) -> Said | str:
    """Return a usual name as what is said, any other as it is.

    Examples
    --------
    >>> from lifecircle.said import in_chinese
    >>> in_chinese(own_name("shop")), own_name("living_alone"), own_name("花店")
    ('商店', 'living alone', '花店')
    """
    return sentence(USUAL[name]) if name in USUAL else name
