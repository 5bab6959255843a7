"""Qiandongnan: a 15-minute circle in a town on the slopes of a narrow valley."""

from __future__ import annotations

from lifecircle.model import Circle
from lifecircle.synthetic.programme import Land, Offer, Programme, Tier

# Made up: the report names no items, but that grid workers lead them.
_IN_THE_GRID = {
    "代缴费": 6.0,
    "代购药品": 6.0,
    "跑腿代办": 6.0,
    "家电维修": 4.0,
    "矛盾调解": 4.0,
    "路灯报修": 3.0,
    "垃圾清运": 5.0,
    "助老帮扶": 4.0,
}
_IN_THE_CENTRE = {
    "社保医保代办": 5.0,
    "证件证明代办": 3.0,
    "低保申请": 2.0,
    "就业帮扶": 3.0,
    "法律援助": 1.0,
    "文体活动": 2.0,
    "四点半课堂": 3.0,
}

QIANDONGNAN = Programme(
    name="qiandongnan",
    title_zh="黔东南",
    title_en="Qiandongnan",
    lonlat=(107.98, 26.58),
    # Made up: a floor so narrow that most of the town climbs, and lanes that become steps; 35 m2 of floor a head.
    land=Land(
        columns=36,
        rows=16,
        cell_m=(300.0, 270.0),
        floor_m=500.0,
        relief_m=380.0,
        slope=0.13,
        bridges_every=5,
        crossings_every=0,
        kinds={
            "hills": (0.0, 4.5),
            "fields": (0.0, 1.1),
            "village": (0.0, 2.2),
            "works": (0.33, 0.66),
            "public": (1.7, 0.28),
            "old": (3.8, 0.45),
            "slabs": (3.7, 0.5),
            "towers": (0.4, 0.1),
        },
    ),
    levels=("county", "subdistrict", "community"),
    residents=300_000,  # made up: some 1,900 a community
    aged_share=0.154,  # of Guizhou in the census of 2020
    tiers=(
        Tier(
            name="grid",
            n=138,  # theirs
            kinds={"grid room": 3.0, "shop": 1.0, "property office": 1.0},
            items=tuple(_IN_THE_GRID),
            hours="Mo-Su 08:30-20:00",
            capacity=(400, 1500),
            agents=(4, 8),
            # Made up: who does what, and when.
            offers={
                "shop": Offer(("代缴费", "代购药品", "跑腿代办"), ("Mo-Su 07:00-22:00",)),
                "property office": Offer(
                    ("代缴费", "家电维修", "路灯报修", "垃圾清运", "矛盾调解"),
                    ("Mo-Fr 08:30-17:30", "Mo-Sa 08:30-17:30"),
                ),
            },
        ),
        Tier(
            name="community",
            per="community",  # 157, theirs, of a prefecture; here all of them in one town
            kinds={"community centre": 1.0},
            items=(*_IN_THE_GRID, *_IN_THE_CENTRE),
            hours="Mo-Fr 09:00-17:30; Sa 09:00-12:00",
            capacity=(1000, 3500),
            agents=(12, 20),
        ),
    ),
    candidates=1_500,  # made up
    requests=7_664,  # theirs: the items that grid workers led
    item_weights=_IN_THE_GRID | _IN_THE_CENTRE,
    pressing={"代购药品": 0.05, "助老帮扶": 0.05},  # made up
    agents=3_300,  # theirs
    circles=(Circle("8", 8.0), Circle("15", 15.0)),  # the 15 minutes are theirs
    promised="15",
    source="Figures of the programme: 157 community service centres, 138 grid stations, 3,300 agents, 7,664 items, a "
    "15-minute circle; it spans a prefecture, here it is one mountain town. Made up: everything else.",
)
"""157 community centres and 138 grid stations."""
