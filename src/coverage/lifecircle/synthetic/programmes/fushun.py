"""Fushun: an 8-minute circle in an old industrial city along a river."""

from __future__ import annotations

from lifecircle.model import Circle
from lifecircle.synthetic.programme import Land, Offer, Programme, Tier

# What a resident would bring to the door next door; theirs: fee payment and repairs, the rest made up after them.
_AT_THE_DOOR = {
    "代缴水电费": 9.0,
    "代购药品": 8.0,
    "代买代送": 8.0,
    "代取快递": 6.0,
    "家电维修": 6.0,
    "管道疏通": 5.0,
    "开锁换锁": 2.0,
    "家政保洁": 3.0,
    "上门理发": 2.0,
    "老年餐配送": 6.0,
    "陪同就医": 3.0,
    "供暖报修": 6.0,
}
# What takes an office, made up.
_IN_THE_OFFICE = {
    "社保医保代办": 6.0,
    "养老待遇资格认证": 4.0,
    "高龄津贴申领": 2.0,
    "残疾人补贴申领": 1.5,
    "低保申请": 1.5,
    "证件证明代办": 3.0,
    "物业诉求": 5.0,
    "政策咨询": 4.0,
}
# What a subdistrict handles jointly with other offices; made up.
_JOINTLY = {"法律援助": 1.0, "就业援助": 1.5, "老旧小区改造诉求": 1.5, "违建投诉": 1.0}
# Theirs: 1,786 disputes settled beside more than 40,000 requests, which are 1,786 among 40,000 here.
_OTHERS = _AT_THE_DOOR | _IN_THE_OFFICE | _JOINTLY
_DISPUTES = {"矛盾调解": sum(_OTHERS.values()) * 1_786 / (40_000 - 1_786)}

# Made up: who does what, and when.
_ROOMS = {
    "home": Offer(
        ("代缴水电费", "代购药品", "代买代送", "代取快递", "老年餐配送", "陪同就医", "上门理发"),
        ("Mo-Su 08:00-20:00", "Mo-Fr 17:30-21:00; Sa-Su 08:00-20:00", "Mo-Fr 17:30-20:30; Sa 09:00-17:00"),
    ),
    "property office": Offer(
        ("代缴水电费", "代取快递", "家电维修", "管道疏通", "开锁换锁", "家政保洁", "供暖报修"),
        ("Mo-Fr 08:30-17:30", "Mo-Sa 08:30-17:30", "Mo-Su 08:30-18:00"),
    ),
    "owners committee": Offer(
        ("代缴水电费", "代取快递", "管道疏通", "供暖报修"), ("Mo-Fr 18:00-20:30", "Tu,Th 18:00-20:30; Sa 09:00-12:00")
    ),
    "shop": Offer(
        ("代缴水电费", "代买代送", "代取快递", "开锁换锁", "老年餐配送"), ("Mo-Su 07:00-22:00", "Mo-Su 06:30-23:00")
    ),
    "pharmacy": Offer(("代购药品", "代买代送", "陪同就医"), ("Mo-Su 08:00-21:00", "Mo-Sa 08:00-20:00")),
    "care home": Offer(
        ("代购药品", "家政保洁", "上门理发", "老年餐配送", "陪同就医"), ("Mo-Su 08:00-18:00", "Mo-Fr 08:30-17:00")
    ),
}

FUSHUN = Programme(
    name="fushun",
    title_zh="抚顺",
    title_en="Fushun",
    lonlat=(123.95, 41.87),
    # Made up: a valley of some 25 km by 7 km, the streets of its town 400 m apart. The kinds are weighed so that some
    # 63,000 buildings come out, with 35 m2 of floor a head; miners' rows count as old town. A bridge each 2 km.
    land=Land(
        columns=62,
        rows=20,
        cell_m=(410.0, 350.0),
        floor_m=5000.0,
        relief_m=160.0,
        bridges_every=5,
        crossings_every=3,
        kinds={
            "hills": (0.0, 1.7),
            "fields": (0.0, 3.9),
            "village": (0.0, 5.0),
            "works": (0.84, 2.7),
            "public": (1.4, 0.46),
            "old": (2.2, 0.25),
            "slabs": (3.8, 0.49),
            "towers": (0.48, 0.12),
        },
    ),
    levels=("district", "subdistrict", "community"),
    residents=1_300_000,  # made up: of the four districts, rounded
    aged_share=0.257,  # of Liaoning in the census of 2020
    # Theirs: 978 stations in three tiers, one main station in each of the 303 communities; a centre in each of the 29
    # subdistricts leaves 646 household stations. Kinds of rooms are theirs, how many of each is made up.
    tiers=(
        Tier(
            name="household",
            n=978 - 303 - 29,
            kinds={
                "home": 5.0,
                "property office": 2.0,
                "owners committee": 0.7,
                "shop": 1.5,
                "pharmacy": 1.0,
                "care home": 0.4,
            },
            items=tuple(_AT_THE_DOOR),
            hours="Mo-Su 08:00-20:00",
            capacity=(400, 1600),
            agents=(1, 2),
            offers=_ROOMS,
        ),
        Tier(
            name="community",
            per="community",
            kinds={"community centre": 1.0},
            items=(*_AT_THE_DOOR, *_IN_THE_OFFICE, *_DISPUTES),
            hours="Mo-Fr 08:30-17:30; Sa 09:00-12:00",
            capacity=(1500, 4000),
            agents=(2, 5),
        ),
        Tier(
            name="subdistrict",
            per="subdistrict",
            kinds={"subdistrict centre": 1.0},
            items=tuple(_OTHERS | _DISPUTES),
            hours="Mo-Fr 08:30-17:00",
            capacity=(3000, 8000),
            agents=(4, 9),
        ),
    ),
    candidates=5_200,  # made up: what the programme looked through, five rooms for each that it took
    requests=40_000,  # theirs: more than 40,000 handled
    item_weights=_OTHERS | _DISPUTES,  # 25 items; theirs: more than 20
    pressing={"开锁换锁": 0.5, "供暖报修": 0.25, "管道疏通": 0.1, "陪同就医": 0.05, "代购药品": 0.03},  # made up
    busiest=1_344,  # theirs
    circles=(Circle("8", 8.0), Circle("15", 15.0)),  # the 8 minutes are theirs
    promised="8",
    source="Figures of the programme: 978 stations in three tiers, 303 communities, an 8-minute circle, more than 20 "
    "items, more than 40,000 requests, 1,786 of them disputes, 1,344 requests of one community. Made up: residents, "
    "streets, buildings, rooms and everything else. Not modelled: which of the agents are the 564 trained ones, grants "
    "and awards.",
)
"""978 stations over 303 communities."""
