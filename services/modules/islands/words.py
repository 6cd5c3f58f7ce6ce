"""The layers of the island map as declared, the combinations that are offered, and what guesthouses are chosen by. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

DISTRICT: Final = "310151"
"""崇明区, the three islands."""
HOME: Final = "310000.310151."
LODGING: Final = "guesthouses"
"""The layer whose places are chosen by type, price, rooms and facilities."""


class IslandLayer(NamedTuple):
    """A layer: its places are those of some kinds; ``icon`` is a Lucide name, in a pin of a ``shape`` and a ``tone``."""

    key: str
    title: str
    counter: str
    kinds: tuple[str, ...]
    icon: str
    shape: str
    tone: int
    summary: str


LAYERS: Final = (
    IslandLayer("guesthouses", "民宿", "家", ("guesthouse",), "house-heart", "drop", 1, "类型、设施、房价和客房数"),
    IslandLayer("hotels", "酒店和营地", "家", ("hotel", "campsite"), "tent", "tile", 4, "酒店、度假村和帐篷营地"),
    IslandLayer("sights", "景点", "处", ("attraction", "amusement_park"), "binoculars", "gem", 3, "湿地、花园和乐园"),
    IslandLayer("food", "农家乐", "家", ("farm_restaurant",), "utensils", "disc", 2, "农家菜和土菜馆"),
    IslandLayer("shops", "特产商铺", "家", ("local_shop",), "shopping-bag", "flag", 5, "崇明糕、老白酒等特产"),
    IslandLayer("culture", "文化场所", "处", ("culture_site",), "theater", "gem", 4, "非遗馆、书院和展馆"),
    IslandLayer(
        "transport",
        "交通",
        "处",
        ("ferry_pier", "bus_hub", "car_park"),
        "sailboat",
        "tile",
        5,
        "码头、公交枢纽和停车场",
    ),
)
BY_KEY: Final = {one.key: one for one in LAYERS}


class Preset(NamedTuple):
    """A combination of layers under a name people look for."""

    key: str
    title: str
    layers: tuple[str, ...]


PRESETS: Final = (
    Preset("stay", "住", ("guesthouses", "hotels")),
    Preset("stay-eat", "住＋吃", ("guesthouses", "food")),
    Preset("family", "亲子游", ("guesthouses", "sights", "food")),
    Preset("culture", "看文化带特产", ("culture", "sights", "shops")),
    Preset("drive", "自驾", ("guesthouses", "sights", "transport")),
)
FACILITIES: Final = {
    "parking": "可停车",
    "breakfast": "含早餐",
    "kitchen": "可做饭",
    "courtyard": "有院子",
    "for_children": "亲子设施",
    "pets": "可带宠物",
    "charging": "充电桩",
    "step_free": "无障碍",
}
"""What a guesthouse may offer, by attribute; the words of switches and rows."""
PRICES: Final = (200, 300, 500, 800)
ROOMS: Final = (3, 5, 10)
STALE_DAYS: Final = 180
"""What nobody looked at for so long is to be confirmed."""
SHARP_M: Final = 50
"""A position is sharp that is true within so many metres."""
