"""Words for the use of a building: those that mean homes, and those that are known to mean none."""

RESIDENTIAL_KINDS = frozenset(
    (
        *("apartments", "residential", "house", "detached", "semidetached_house", "terrace", "bungalow", "dormitory"),
        *("cabin", "farm", "houseboat", "static_caravan"),
        *("住宅", "住宅楼", "居民楼", "居住", "公寓", "宿舍", "民居", "商住", "商住楼", "商住两用", "住房", "居住建筑"),
        *("城镇住宅", "农村住宅", "商品房", "商品住宅", "高层住宅", "多层住宅", "小高层", "成套住宅", "保障房"),
        *("公租房", "廉租房", "经济适用房", "安置房", "回迁房", "家属楼", "筒子楼", "别墅", "楼房", "平房", "民房"),
        *("农房", "自建房", "农村自建房", "宅基地", "农村宅基地", "集体宿舍", "学生宿舍", "职工宿舍", "公寓楼"),
        *("宿舍楼", "单元楼"),
    )
)
"""Values of a building's ``kind`` that hold residents: those of OpenStreetMap, and those of Chinese tables."""

OTHER_KINDS = frozenset(
    (
        *("yes", "no", "abandoned", "allotment_house", "bakehouse", "bank", "barn", "boathouse", "bridge", "bunker"),
        *("bunker_silo", "carport", "castle", "cathedral", "chapel", "church", "cinema", "civic", "clinic", "college"),
        *("collapsed", "commercial", "conservatory", "construction", "container", "convent", "cowshed", "data_center"),
        *("digester", "elevator", "factory", "farm_auxiliary", "fire_station", "fort", "garage", "garages"),
        *("gatehouse", "government", "grandstand", "greenhouse", "guardhouse", "gymnasium", "hall", "hangar"),
        *("hospital", "hotel", "hut", "industrial", "kindergarten", "kiosk", "library", "livestock", "manufacture"),
        *("market", "marketplace", "military", "monastery", "mosque", "museum", "office", "outbuilding", "parking"),
        *("pavilion", "police", "presbytery", "public", "pumping_station", "railway", "religious", "restaurant"),
        *("retail", "riding_hall", "roof", "ruins", "school", "service", "shed", "ship", "shop", "shrine", "silo"),
        *("slurry_tank", "sports_centre", "sports_hall", "stable", "stadium", "storage_tank", "storage", "sty"),
        *("substation", "supermarket", "synagogue", "tech_cab", "temple", "tent", "terminal", "theatre", "toilets"),
        *("tower", "train_station", "transformer_tower", "transportation", "university", "wall", "warehouse"),
        *("water_tower", "windmill", "works"),
        *("其他", "其它", "商业", "商铺", "商店", "商场", "商业楼", "超市", "市场", "菜市场"),
        *("办公", "办公楼", "写字楼", "政府", "公共建筑", "公共服务", "公建", "车站", "停车场", "在建", "废弃"),
        *("学校", "教学楼", "幼儿园", "医院", "卫生院", "诊所", "工业", "厂房", "工厂", "车间", "仓库", "库房", "车库"),
        *("车棚", "门卫", "岗亭", "配电室", "变电站", "泵站", "锅炉房", "换热站", "公厕", "厕所", "酒店"),
        *("宾馆", "饭店", "体育馆", "图书馆", "寺庙", "教堂", "畜禽舍", "大棚", "养老院", "敬老院"),
    )
)
"""Values of a building's ``kind`` that are known and hold nobody; ``yes`` states no use."""

KNOWN_KINDS = RESIDENTIAL_KINDS | OTHER_KINDS
