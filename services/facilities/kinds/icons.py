"""The icons a kind may bear, with words for those who do not see them: Lucide names of ``web/serving/icons.txt``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "map-pin": "地点", "mountain": "山", "tree-pine": "树", "leaf": "叶", "flower": "花", "flower-2": "花丛",
        "wheat": "麦穗", "waves": "水面", "fish": "鱼", "sun": "太阳", "tent": "帐篷", "camera": "相机",
        "binoculars": "望远镜", "sailboat": "帆船", "cable-car": "缆车", "ferris-wheel": "摩天轮", "castle": "城堡",
        "bike": "自行车", "house": "房子", "house-heart": "有心的家", "hotel": "酒店", "bed": "床",
        "bed-double": "双人床", "building": "楼", "building-2": "楼群", "store": "商店", "shopping-bag": "购物袋",
        "shopping-basket": "菜篮", "utensils": "餐具", "soup": "汤", "salad": "沙拉", "coffee": "咖啡",
        "beer": "啤酒", "ticket": "票", "theater": "剧场", "palette": "画板", "church": "教堂", "landmark": "殿堂",
        "library": "书架", "book-open": "书", "school": "学校", "graduation-cap": "学位帽", "baby": "婴儿",
        "toy-brick": "积木", "blocks": "拼块", "heart": "心", "hand-heart": "托着的心", "heart-handshake": "握手",
        "heart-pulse": "心电", "hospital": "医院", "stethoscope": "听诊器", "pill": "药", "shield-check": "盾牌",
        "users": "人群", "users-round": "大家", "message-square": "对话", "mail": "信", "recycle": "回收",
        "warehouse": "仓库", "toilet": "厕所", "square-parking": "停车", "bus": "公交车", "train-front": "列车",
        "car": "汽车", "accessibility": "无障碍",
    }
)  # fmt: skip
