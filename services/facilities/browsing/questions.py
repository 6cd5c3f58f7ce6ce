"""What somebody asks of the list of all institutions, as one value: read from an address and written back into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from geo.addresses.gazetteer import NamedRegion, Names
from geo.regions.models import Level
from services.facilities.browsing.ranking import DIMENSIONS, MOST_WEIGHT
from services.facilities.filters import Filters, filter_params, read_filters
from services.facilities.kinds import kind_of

NEAREST_M, FARTHEST_M = 50, 100_000
ORDERS: Final[Mapping[str, str]] = {
    "recommended": "为您推荐",
    "distance": "直线距离近的在前",
    "time": "走过去快的在前",
    "relevance": "最像的在前",
    "vacancy": "余位多的在前",
    "fee": "收费低的在前",
    "grade": "等级高的在前",
    "fresh": "信息新的在前",
    "fit": "按我的偏好",
    "name": "按名称",
}
"""The orders of a list, in the words of its menu."""
Many = Callable[[str], Sequence[str]]
"""Gives every value an address has for a parameter."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which institutions, narrowed by what, in which order.

    ``kinds`` are the keys of the kinds looked for, ``types`` some of them. ``near`` is (lon, lat) in CGCS2000 degrees,
    ``within_m`` the metres from there in a straight line. ``weights`` are by the keys of ``ranking.DIMENSIONS``, 1 to 5; what is
    left out is 0.
    """

    kinds: tuple[str, ...]
    types: tuple[str, ...] = ()
    district: str = ""
    street: str = ""
    near: tuple[float, float] | None = None
    within_m: int | None = None
    q: str = ""
    filters: Filters = field(default_factory=Filters)
    order: str = ""
    weights: tuple[tuple[str, int], ...] = ()

    @property
    def chosen_order(self) -> str:
        """Return the order of the list: the one asked for, else what suits the question."""
        return self.order or ("distance" if self.near else "relevance" if self.q else "name")

    def params(self) -> dict[str, str]:
        """Return the question as parameters, without the kinds and the position, which the page holds."""
        own = {
            "q": self.q,
            "type": ",".join(self.types),
            "district": self.district,
            "street": self.street,
            "within": str(self.within_m or ""),
            "order": self.order,
            **{f"w_{key}": str(weight) for key, weight in self.weights},
        }
        return {key: value for key, value in own.items() if value} | self.filters.params()

    @property
    def parts(self) -> list[str]:
        """Return the keys of the filters that narrow the list now."""
        own = {"within": self.within_m, "district": self.district, "street": self.street, "type": self.types}
        return [key for key, said in own.items() if said] + self.filters.parts

    def may_order(self, order: str) -> bool:
        """Say whether the list can be put into an order: by distance only from somewhere, by likeness only to something."""
        return _orders_by(order, self.near is not None, bool(self.q))

    @property
    def counted_parts(self) -> list[str]:
        """Return the keys of what narrows or weighs the list, as filters are declared and counted."""
        own = {
            "q": self.q,
            "type": self.types,
            "district": self.district,
            "street": self.street,
            "within": self.within_m,
            "weights": self.weights if self.chosen_order == "fit" else (),
        }
        return [key for key, value in own.items() if value] + self.filters.parts

    def without(self, part: str) -> Question:
        """Return the question with one part taken out: a key of a filter, or ``q``."""
        match part:
            case "q":
                return replace(self, q="", order="" if self.order == "relevance" else self.order)
            case "within":
                return replace(self, within_m=None)
            case "district":
                return replace(self, district="", street="")
            case "street":
                return replace(self, street="")
            case "type":
                return replace(self, types=())
            case _:
                return replace(self, filters=self.filters.without(part))


def _orders_by(order: str, from_somewhere: bool, to_something: bool) -> bool:
    return (from_somewhere or order not in {"distance", "time"}) and (to_something or order != "relevance")


def read_question(
    many: Many, *, kinds: Sequence[str], near: tuple[float, float] | None, names: Names, today: dt.date
) -> tuple[Question, list[str]]:
    """Return the question an address asks, and a sentence for each part that cannot be meant and is left out."""
    filters, wrong = read_filters({key: many(key) for key in filter_params()}, today)
    faults = [error.message for error in wrong]

    def one(key: str) -> str:
        return next((word.strip() for word in many(key) if word.strip()), "")

    types = tuple(dict.fromkeys(word for said in many("type") for word in said.split(",") if word))
    strange = [word for word in types if word not in kinds]
    if strange:
        known = "、".join(kind_of(key).name for key in kinds)
        faults.append(f"机构类型里没有“{strange[0][:20]}”，可选：{known}。")
    district, street, said = _regions(one("district"), one("street"), one("region"), names)
    faults += said
    within, said = _within(one("within"), near)
    faults += said
    order, said = _order(one("order"), near, one("q"))
    faults += said
    weights = []
    for key, dimension in DIMENSIONS.items():
        weight = one(f"w_{key}")
        if weight and not (weight.isascii() and weight.isdecimal() and int(weight[:3]) <= MOST_WEIGHT):
            faults.append(f"“{dimension.label}”的轻重要在 0 到 {MOST_WEIGHT} 之间。")
        elif weight and int(weight):
            weights.append((key, int(weight)))
    question = Question(
        kinds=tuple(kinds),
        types=tuple(word for word in types if word in kinds),
        district=district,
        street=street,
        near=near,
        within_m=within,
        q=one("q")[:200],
        filters=filters,
        order=order,
        weights=tuple(weights),
    )
    return question, faults


def _regions(district: str, street: str, either: str, names: Names) -> tuple[str, str, list[str]]:
    """Return the codes of the district and the street; a street of another district is left out with a sentence."""
    faults = []
    for code in filter(None, (either, district, street)):
        if code not in names.by_code:
            faults.append(f"没有代码为“{code[:20]}”的区或街镇，请在菜单里重新选。")
    found = names.by_code.get(either)
    if found is not None and found.level == Level.DISTRICT:
        district = district or found.code
    elif found is not None:
        street = street or found.code
    chosen, part = _of_level(names, district, Level.DISTRICT), names.by_code.get(street)
    if part is not None:
        above = names.above(part, Level.DISTRICT)
        if chosen is not None and above is not chosen:
            faults.append(f"{part.name}不在{chosen.name}，先按{chosen.name}为您查；街镇请重新选。")
            part = None
        elif part.level == Level.DISTRICT:
            chosen, part = part, None
        else:
            chosen = above
    return chosen.code if chosen else "", part.code if part else "", faults


def _of_level(names: Names, code: str, level: str) -> NamedRegion | None:
    found = names.by_code.get(code)
    return found if found is not None and found.level == level else None


def _within(said: str, near: tuple[float, float] | None) -> tuple[int | None, list[str]]:
    if not said:
        return None, []
    if not (said.isascii() and said.isdecimal() and len(said) <= 6 and NEAREST_M <= int(said) <= FARTHEST_M):
        return None, [f"距离要填 {NEAREST_M} 到 {FARTHEST_M} 之间的整数，单位是米。"]
    if near is None:
        return None, ["要按距离筛选，请先说出您的位置。"]
    return int(said), []


def _order(said: str, near: tuple[float, float] | None, q: str) -> tuple[str, list[str]]:
    if said not in ORDERS:
        return "", [] if not said else ["没有这种排序，先按平常的顺序列出。"]
    if not _orders_by(said, near is not None, bool(q)):
        return "", []
    return said, []
