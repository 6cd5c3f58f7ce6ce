"""The kinds of facility the code knows, as data: group, name, icon and what each may say of itself. Pure.

``services.facilities.actions.declare_kinds`` writes them to the database, where staff may reword them and add others. Whoever
shows, filters or checks reads ``services.facilities.kinds``; only code that means one declared kind reads it here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

AttributeType = Literal["integer", "number", "boolean", "choice", "text", "day"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something a facility of a kind may say: its key in ``Facility.attributes``, the words people see, type and unit."""

    key: str
    label: str
    type: AttributeType
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    filterable: bool = False

    def choice_label(self, value: Any) -> str:
        """Return the words for a value: the label of a choice, 是 or 否, or the figure with its unit."""
        if self.type == "choice":
            return dict(self.choices).get(str(value), str(value))
        if self.type == "boolean":
            return "是" if value else "否"
        return f"{value} {self.unit}".strip()

    def accepts(self, value: Any) -> bool:
        """Say whether a value is of the declared type and, for a choice, among the declared ones."""
        match self.type:
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool) and value >= 0
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            case "choice":
                return value in dict(self.choices)
            case "text":
                return isinstance(value, str) and len(value) <= 200
            case "day":
                return isinstance(value, str) and is_day(value)


def is_day(text: str) -> bool:
    """Say whether a text is a day as attributes hold it: 2026-09-01."""
    try:
        return len(text) == 10 and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of facility: ``icon`` is a Lucide name, ``attributes`` what its rows may say.

    Facilities that ``names_roads`` bear the name of the road they stand on, and perhaps of the next crossing.
    """

    key: str
    group: str
    name: str
    icon: str
    attributes: tuple[Attribute, ...] = ()
    names_roads: bool = False
    retired: bool = False
    """Not offered any more; its places stay and keep its name."""

    def attribute(self, key: str) -> Attribute | None:
        """Return the declared attribute of that key, or ``None``."""
        return next((attribute for attribute in self.attributes if attribute.key == key), None)

    def attributes_as_data(self) -> list[dict[str, Any]]:
        """Return the attributes as plain data, as the database and the API hold them."""
        return [
            asdict(attribute) | {"choices": [{"value": value, "label": label} for value, label in attribute.choices]}
            for attribute in self.attributes
        ]


GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "childcare": "托育",
        "preschool": "幼儿园",
        "eldercare": "养老",
        "civic": "便民",
        "waste": "垃圾分类",
        "affairs": "民政",
        "transit": "交通",
        "tourism": "旅游",
        "leisure": "休闲",
    }
)

OWNERSHIP: Final = Attribute(
    "ownership",
    "性质",
    "choice",
    choices=(("public", "公办"), ("private", "民办"), ("community", "社区")),
    filterable=True,
)
GRADE: Final = Attribute("grade", "等级", "text", filterable=True)
_CHILD: Final = (
    Attribute("age_from_months", "收托月龄起", "integer", "个月", filterable=True),
    Attribute("age_to_months", "收托月龄止", "integer", "个月", filterable=True),
    Attribute(
        "service_form",
        "服务形式",
        "choice",
        choices=(("full_day", "全日托"), ("half_day", "半日托"), ("hourly", "计时托")),
        filterable=True,
    ),
    Attribute("inclusive", "普惠", "boolean", filterable=True),
    OWNERSHIP,
    GRADE,
    Attribute("meals", "供餐", "boolean", filterable=True),
    Attribute("fee_month_yuan", "每月收费", "number", "元"),
    Attribute("fee_hour_yuan", "每小时收费", "number", "元"),
    Attribute("free_visits_year", "每年免费次数", "integer", "次"),
)
_STEP_FREE: Final = Attribute("step_free", "无障碍出入", "boolean", filterable=True)
_ELDER: Final = (
    Attribute("beds", "床位", "integer", "张"),
    GRADE,
    OWNERSHIP,
    Attribute("fee_from_yuan", "每月收费起", "number", "元"),
    Attribute("fee_to_yuan", "每月收费止", "number", "元"),
    Attribute("medical_insurance", "可用医保", "boolean", filterable=True),
    Attribute("memory_care", "认知症照护", "boolean", filterable=True),
    Attribute("meal_price_yuan", "餐费", "number", "元"),
    Attribute("delivers", "可送餐", "boolean", filterable=True),
    _STEP_FREE,
)
ADVISER_SITE: Final = (
    Attribute(
        "adviser_level",
        "顾问点级别",
        "choice",
        choices=(("city", "市级"), ("district", "区级"), ("street", "街镇"), ("committee", "居村")),
    ),
    Attribute("advises_on", "咨询内容", "text"),
    Attribute("opened_on", "设立日期", "day"),
)
_CIVIC: Final = (OWNERSHIP, GRADE, _STEP_FREE)
_TICKET: Final = Attribute("ticket_yuan", "门票", "number", "元")
_LODGING: Final = (
    GRADE,
    Attribute("rooms", "客房", "integer", "间"),
    Attribute("night_from_yuan", "每晚房价起", "number", "元"),
    Attribute("parking", "可停车", "boolean", filterable=True),
    _STEP_FREE,
)
_CHARGING: Final = Attribute("charging", "有充电桩", "boolean")
_GUESTHOUSE: Final = (
    Attribute(
        "lodging_type",
        "民宿类型",
        "choice",
        choices=(
            ("farm", "田园农家"),
            ("water", "临水江景"),
            ("old_house", "老宅民居"),
            ("family", "亲子"),
            ("boutique", "精品设计"),
        ),
    ),
    *_LODGING,
    Attribute("breakfast", "含早餐", "boolean"),
    Attribute("kitchen", "可做饭", "boolean"),
    Attribute("courtyard", "有院子", "boolean"),
    Attribute("for_children", "有亲子设施", "boolean"),
    Attribute("pets", "可带宠物", "boolean"),
    _CHARGING,
)

DECLARED: Final[tuple[Kind, ...]] = (
    Kind("kindergarten_nursery", "childcare", "托幼一体幼儿园托班", "toy-brick", _CHILD),
    Kind("nursery", "childcare", "托育机构", "baby", _CHILD),
    Kind("creche", "childcare", "托儿所", "bed", _CHILD),
    Kind("early_centre", "childcare", "早教中心", "palette", _CHILD),
    Kind("baby_house", "childcare", "社区托育宝宝屋", "blocks", _CHILD),
    Kind("parenting_station", "childcare", "科学育儿指导站", "book-open", _CHILD),
    Kind("kindergarten", "preschool", "幼儿园", "school", _CHILD),
    Kind("care_home", "eldercare", "养老机构", "bed-double", _ELDER),
    Kind("elder_home", "eldercare", "长者照护之家", "hand-heart", _ELDER),
    Kind("day_care", "eldercare", "日间照护中心", "sun", _ELDER),
    Kind("service_centre", "eldercare", "综合为老服务中心", "heart-handshake", _ELDER),
    Kind("canteen", "eldercare", "长者食堂", "utensils", _ELDER),
    Kind("neighbour_point", "eldercare", "睦邻点", "users-round", _ELDER),
    Kind("activity_room", "eldercare", "老年活动室", "users", _ELDER),
    Kind("home_care", "eldercare", "居家养老服务机构", "house-heart", _ELDER),
    Kind("exercise_home", "eldercare", "长者运动健康之家", "bike", _ELDER),
    Kind("elder_station", "eldercare", "家门口养老服务站", "store", _ELDER),
    Kind("nursing_station", "eldercare", "护理站", "heart-pulse", _ELDER),
    Kind("adviser_site", "eldercare", "养老顾问点", "message-square", (*ADVISER_SITE, _STEP_FREE)),
    Kind("service_station", "civic", "家门口服务站", "house", _CIVIC),
    Kind("health_centre", "civic", "社区卫生服务中心", "stethoscope", _CIVIC),
    Kind("affairs_centre", "civic", "社区事务受理服务中心", "landmark", _CIVIC),
    Kind("hospital", "civic", "医院", "hospital", _CIVIC),
    Kind("clinic", "civic", "诊所/门诊", "shield-check", _CIVIC),
    Kind("pharmacy", "civic", "药店", "pill", _CIVIC),
    Kind("market", "civic", "菜市场", "shopping-basket", _CIVIC),
    Kind("post_office", "civic", "邮局", "mail", _CIVIC),
    Kind("park", "civic", "公园", "tree-pine", _CIVIC),
    Kind("school", "civic", "中小学", "graduation-cap", _CIVIC),
    Kind("library", "civic", "图书馆", "library", _CIVIC),
    Kind("waste_point", "waste", "分拣点", "recycle", ()),
    Kind("waste_transfer", "waste", "中转站", "warehouse", ()),
    Kind("funeral_home", "affairs", "殡仪馆", "flower", (_STEP_FREE,)),
    Kind("cemetery", "affairs", "公墓", "leaf", (_STEP_FREE,)),
    Kind("marriage_registry", "affairs", "婚姻登记处", "heart", (_STEP_FREE,)),
    Kind("metro_station", "transit", "地铁站", "train-front", (_STEP_FREE,)),
    Kind("bus_stop", "transit", "公交站", "bus", (), names_roads=True),
    Kind("ferry_pier", "transit", "客运码头", "sailboat", (_STEP_FREE,)),
    Kind("bus_hub", "transit", "公交枢纽", "bus", (_STEP_FREE,)),
    Kind("car_park", "transit", "停车场", "square-parking", (Attribute("spaces", "车位", "integer", "个"), _CHARGING)),
    Kind("attraction", "tourism", "景点", "mountain", (GRADE, _TICKET, _STEP_FREE)),
    Kind("guesthouse", "tourism", "民宿", "house-heart", _GUESTHOUSE),
    Kind("hotel", "tourism", "酒店", "hotel", _LODGING),
    Kind("amusement_park", "tourism", "游乐场", "ferris-wheel", (_TICKET, _STEP_FREE)),
    Kind("campsite", "leisure", "帐篷营地", "tent", _LODGING[2:]),
    Kind(
        "farm_restaurant",
        "leisure",
        "农家乐",
        "soup",
        (Attribute("meal_from_yuan", "人均消费", "number", "元"), _STEP_FREE),
    ),
    Kind("local_shop", "leisure", "特产商铺", "shopping-bag", (Attribute("sells", "卖什么", "text"),)),
    Kind("culture_site", "leisure", "文化场所", "theater", (GRADE, _TICKET, _STEP_FREE)),
)
DECLARED_BY_KEY: Final[Mapping[str, Kind]] = MappingProxyType({kind.key: kind for kind in DECLARED})
