"""Puyang: four levels on a plain of villages, and teams that tour them."""

from __future__ import annotations

from lifecircle.model import Circle
from lifecircle.synthetic.programme import Land, Programme, Tier

# Theirs: 105 items in 10 classes at the township. Made up: which they are.
TOWNSHIP_ITEMS = {
    "民政": (
        *("低保申请", "特困供养申请", "临时救助", "高龄津贴", "残疾人两项补贴", "孤儿保障", "婚姻登记咨询"),
        *("殡葬惠民申请", "留守儿童登记", "地名门牌办理", "养老机构入住", "慈善救助"),
    ),
    "社保医保": (
        *("城乡居保参保", "养老待遇认证", "医保参保缴费", "医保报销", "慢性病鉴定申请", "异地就医备案", "社保卡办理"),
        *("生育登记", "丧葬补助申领", "被征地农民保障", "大病保险咨询", "职工退休咨询"),
    ),
    "农业": (
        *("种粮补贴", "农机购置补贴", "农业保险", "土地流转", "良种推广", "病虫害防治", "畜禽防疫", "农药咨询"),
        *("农产品销售", "合作社登记", "灌溉用水", "秸秆处理"),
    ),
    "土地建房": (
        *("宅基地申请", "危房改造", "建房审批", "承包合同", "不动产登记", "土地纠纷", "林木采伐", "临时用地"),
        *("农房保险", "拆迁咨询"),
    ),
    "户籍证照": (
        *("户口迁移", "身份证办理", "居住证办理", "出生登记", "死亡注销", "无犯罪证明", "姓名变更", "分户立户"),
        *("亲属关系证明", "机动车年检代办"),
    ),
    "缴费代办": (
        *("代缴电费", "代缴话费", "代缴水费", "代缴有线电视费", "燃气报装", "用电报装", "宽带报装", "邮政快递代收"),
        *("银行卡咨询", "小额取款"),
    ),
    "卫生健康": (
        *("家庭医生签约", "疫苗接种", "健康体检", "代购药品", "计生奖扶", "残疾证办理", "精神障碍服务管理"),
        *("孕产妇保健", "改厕补助", "上门护理"),
    ),
    "教育就业": (
        *("入学报名", "助学贷款", "贫困生资助", "学前教育补助", "技能培训", "务工信息", "创业贷款", "公益岗位"),
        *("欠薪求助", "劳动合同咨询"),
    ),
    "法律调解": (
        *("矛盾调解", "法律援助", "公证咨询", "信访代办", "邻里纠纷", "婚姻家庭纠纷", "司法确认", "反诈咨询"),
        *("安置帮教", "普法宣传"),
    ),
    "村务设施": (
        *("道路维修", "路灯报修", "饮水报修", "垃圾清运", "党员组织关系", "退役军人事务", "志愿服务", "村务公开"),
        *("公章使用",),
    ),
}
"""The items of a township centre by class."""

# Theirs: 19 kinds at the service area. Made up: which they are, and what a village takes in hand itself.
_SERVICE_AREA = (
    *(
        "低保申请",
        "高龄津贴",
        "残疾人两项补贴",
        "城乡居保参保",
        "养老待遇认证",
        "医保参保缴费",
        "医保报销",
        "社保卡办理",
    ),
    *("种粮补贴", "农业保险", "宅基地申请", "户口迁移", "代缴电费", "代缴话费", "代购药品", "家庭医生签约", "矛盾调解"),
    *("法律援助", "务工信息"),
)
_VILLAGE = ("养老待遇认证", "医保参保缴费", "代缴电费", "代缴话费", "代购药品", "矛盾调解", "邮政快递代收", "道路维修")
_TOWNSHIP = tuple(item for items in TOWNSHIP_ITEMS.values() for item in items)

PUYANG = Programme(
    name="puyang",
    title_zh="濮阳",
    title_en="Puyang",
    lonlat=(115.15, 35.75),
    # Made up: a plain of 4,100 km2, one village to most of its cells of 1.3 km, and no towns.
    land=Land(
        columns=54,
        rows=45,
        cell_m=(1300.0, 1300.0),
        floor_m=90_000.0,
        relief_m=8.0,
        bridges_every=0,
        crossings_every=0,
        kinds={
            "fields": (0.08, 0.08),
            "village": (0.92, 0.92),
        },
        village_m=(55.0, 105.0),
        town=0.25,
    ),
    levels=("county", "township", "service_area", "village"),
    residents=260_000,  # made up, far fewer than the real ones: some 35 houses a village
    aged_share=0.181,  # of Henan in the census of 2020
    tiers=(
        Tier(
            name="village",
            per="village",  # 2,080 of them; theirs: more than 2,000 village points
            kinds={"village room": 1.0},
            items=_VILLAGE,
            hours="Mo-Fr 08:00-18:00",
            capacity=(100, 400),
            agents=(3, 4),  # theirs: at least 3 on duty on each working day
        ),
        Tier(
            name="service_area",
            per="service_area",  # 580, theirs
            kinds={"service centre": 1.0},
            items=_SERVICE_AREA,
            hours="We 08:30-17:30",  # theirs: sits on Wednesdays, tours the villages on the other days
            capacity=(400, 1200),
            agents=(2, 4),
        ),
        Tier(
            name="township",
            per="township",  # 89, theirs
            kinds={"township centre": 1.0},
            items=_TOWNSHIP,
            hours="Mo-Fr 08:30-17:30",
            capacity=(2000, 6000),
            agents=(5, 10),
        ),
        Tier(
            name="county",
            per="county",
            kinds={"county centre": 1.0},
            items=_TOWNSHIP,
            hours="Mo-Fr 08:30-17:30",
            capacity=(10_000, 40_000),
            agents=(15, 40),
        ),
    ),
    candidates=2_500,  # made up
    requests=8 * 2_421,  # theirs: 2,421 in one county; made up: as many in each of the eight
    item_weights={i: 8.0 if i in _VILLAGE else 4.0 if i in _SERVICE_AREA else 1.0 for i in _TOWNSHIP},
    pressing={"饮水报修": 0.2, "反诈咨询": 0.2, "临时救助": 0.1, "欠薪求助": 0.05, "代购药品": 0.03},  # made up
    # Made up: villages are too far apart for 8 minutes to say much; 30 reach the next village.
    circles=(Circle("15", 15.0), Circle("30", 30.0)),
    promised="15",
    itinerant="service_area",
    source="Figures of the programme: 89 townships, 580 service areas, more than 2,000 villages, 105 items in 10 "
    "classes at the township, 19 kinds at the service area, 2,421 requests in one county. Made up: everything else; "
    "the villages are far smaller than the real ones.",
)
"""Four levels: county, township, service area, village."""
