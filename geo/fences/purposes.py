"""What fences are for, and what they may be made from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ShapeKind(StrEnum):
    """What the shape of a fence is made from."""

    POLYGON = "polygon"
    CIRCLE = "circle"
    CORRIDOR = "corridor"
    REGIONS = "regions"
    ISOCHRONE = "isochrone"

    @property
    def label(self) -> str:
        """Return its Chinese name."""
        return _KIND_NAMES[self]


_KIND_NAMES: Final = {
    ShapeKind.POLYGON: "手绘的面",
    ShapeKind.CIRCLE: "圆",
    ShapeKind.CORRIDOR: "沿路走廊",
    ShapeKind.REGIONS: "整个行政区",
    ShapeKind.ISOCHRONE: "等时圈",
}


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a set of fences is for. ``exclusive`` ones may not overlap; ``covering`` ones leave no gaps in their district.

    ``owner`` is what the one who answers for such a fence is called. ``public`` ones may be asked by everyone.
    """

    key: str
    name: str
    said: str
    exclusive: bool
    covering: bool
    owner: str
    public: bool


PURPOSES: Final = (
    Purpose("waste", "垃圾分类片区", "收运、分拣按片区分派，一处只归一个片区。", True, True, "责任单位", True),
    Purpose("service", "服务范围", "一家机构上门服务到哪里，可以互相重叠。", False, False, "服务机构", True),
    Purpose("duty", "责任网格", "一处只有一个网格员负责。", True, True, "网格员", False),
    Purpose("checkin", "签到范围", "到了这里才能打卡，可以互相重叠。", False, False, "管理单位", False),
    Purpose("alert", "告警区域", "进入、离开时提醒值守人员，可以互相重叠。", False, False, "值守单位", False),
)
_BY_KEY: Final = {purpose.key: purpose for purpose in PURPOSES}


def purpose_of(key: str) -> Purpose | None:
    """Return the purpose of a key, ``None`` for none."""
    return _BY_KEY.get(key)
