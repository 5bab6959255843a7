"""Nanming in Guiyang: 365 days, a hotline, and a 15-minute health circle."""

from __future__ import annotations

from lifecircle.model import Circle
from lifecircle.synthetic.programme import Land, Offer, Programme, Tier

# Made up: the report speaks of health, of cards for priority families and of volunteers by skill.
_HEALTH = {"健康咨询": 6.0, "血压血糖测量": 6.0, "慢病随访": 4.0, "代购药品": 5.0, "预约挂号": 4.0, "陪同就医": 2.0}
_EVERY_DAY = {
    "代缴费": 6.0,
    "家电维修": 5.0,
    "管道疏通": 4.0,
    "助老帮扶": 4.0,
    "心理疏导": 2.0,
    "课业辅导": 3.0,
    "社保医保代办": 5.0,
    "证件证明代办": 3.0,
    "矛盾调解": 4.0,
    "法律咨询": 2.0,
    "噪声投诉": 4.0,
    "占道投诉": 3.0,
}
_JOINTLY = {"法律援助": 1.0, "就业援助": 1.5, "困难救助": 1.5}

NANMING = Programme(
    name="nanming",
    title_zh="南明",
    title_en="Nanming",
    lonlat=(106.73, 26.56),
    # Theirs: 209.34 km2, which 42 by 34 cells of this size come near to with the narrower row of the river.
    # Made up: its kinds, a third of it wooded hills; 35 m2 of floor a head.
    land=Land(
        columns=42,
        rows=34,
        cell_m=(400.0, 374.0),
        floor_m=7000.0,
        relief_m=220.0,
        bridges_every=5,
        crossings_every=6,
        kinds={
            "hills": (0.0, 5.0),
            "fields": (0.0, 1.8),
            "village": (0.0, 1.4),
            "works": (0.53, 0.63),
            "public": (1.5, 0.11),
            "old": (1.5, 0.04),
            "slabs": (1.7, 0.07),
            "towers": (0.48, 0.06),
        },
        town=0.8,
    ),
    levels=("district", "subdistrict", "community"),
    residents=800_000,  # theirs
    aged_share=0.154,  # of Guizhou in the census of 2020
    # Theirs: 187 stations. Made up: how they part, one in each of the 23 subdistricts and the others by residents,
    # fewer than the 211 communities; 50 of them give the whole of the health service.
    tiers=(
        Tier(
            name="community",
            n=187 - 23 - 50,
            kinds={"community centre": 3.0, "property office": 1.0},
            items=(*_EVERY_DAY, "血压血糖测量", "代购药品"),
            hours="Mo-Su 08:30-20:30",  # theirs: on 365 days
            capacity=(2500, 6000),
            agents=(3, 8),
            offers={
                "property office": Offer(
                    ("代缴费", "家电维修", "管道疏通", "证件证明代办", "噪声投诉", "占道投诉"), ("Mo-Su 08:30-18:00",)
                )
            },
        ),
        Tier(
            name="health",
            n=50,
            kinds={"health station": 3.0, "pharmacy": 1.0},
            items=tuple(_HEALTH),
            hours="Mo-Su 08:30-20:30",
            capacity=(5000, 10000),
            agents=(3, 6),
        ),
        Tier(
            name="subdistrict",
            per="subdistrict",
            kinds={"subdistrict centre": 1.0},
            items=(*_HEALTH, *_EVERY_DAY, *_JOINTLY),
            hours="Mo-Su 08:30-20:30",
            capacity=(5000, 12000),
            agents=(6, 12),
        ),
    ),
    candidates=2_400,  # made up
    requests=24_600,  # made up: as many a head as in Fushun
    item_weights=_HEALTH | _EVERY_DAY | _JOINTLY,
    pressing={"管道疏通": 0.1, "心理疏导": 0.1, "陪同就医": 0.05, "代购药品": 0.03},  # made up
    # Theirs: a health circle of 15 minutes. Made up: which items it takes to be one.
    circles=(Circle("8", 8.0), Circle("15", 15.0), Circle("health", 15.0, items=tuple(_HEALTH))),
    promised="health",
    source="Figures of the programme: 209.34 km2, 800,000 residents, 187 stations, a 15-minute health circle, open on "
    "365 days. Made up: everything else.",
)
"""187 stations for 800,000 residents on 209 km2."""
