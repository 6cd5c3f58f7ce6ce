"""The words of applying for services for elders: at which kinds of places, for what. Pure."""

from __future__ import annotations

from typing import Final

KINDS_SERVED: Final = ("care_home", "elder_home", "day_care", "service_centre", "canteen", "nursing_station")
"""The kinds of places whose services are applied for with us."""
SERVICES: Final = (
    ("live", "住进去（长住）"),
    ("stay", "短期住养"),
    ("day", "日间照护"),
    ("meal", "助餐"),
    ("nurse", "上门护理"),
    ("other", "其他"),
)
CARE_LEVELS: Final = (
    ("none", "还没有评估"),
    ("1", "一级"),
    ("2", "二级"),
    ("3", "三级"),
    ("4", "四级"),
    ("5", "五级"),
    ("6", "六级"),
)
"""老年照护统一需求评估等级."""
FAMILY: Final = (("self", "本人"), ("child", "子女"), ("spouse", "配偶"), ("kin", "其他亲属"), ("other", "其他"))
