"""What becomes of a row of a list: the closed set of statuses, the reasons beside them, and the words users read for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo.addresses.parsing import Parts, note_text, reason_text
from geo.addresses.parsing.vocabulary import vocabulary


class Status(StrEnum):
    """How far the result of a row can be trusted, from best to worst."""

    MATCHED = "matched"
    APPROXIMATE = "approximate"
    AMBIGUOUS = "ambiguous"
    PARSED = "parsed"
    UNUSABLE = "unusable"

    @property
    def label(self) -> str:
        """Return what users read."""
        return _LABELS[self]

    @property
    def meaning(self) -> str:
        """Return what it means and what to do next, for users."""
        return _MEANINGS[self]


_LABELS: Final = {
    Status.MATCHED: "已到门牌",
    Status.APPROXIMATE: "大致位置",
    Status.AMBIGUOUS: "要核对",
    Status.PARSED: "没有落点",
    Status.UNUSABLE: "读不懂",
}
_MEANINGS: Final = {
    Status.MATCHED: "找到了这个门牌，可以直接用。",
    Status.APPROXIMATE: "没有精确到这个门牌，给出弄、小区或道路的位置和误差半径；要精确请核对门牌。",
    Status.AMBIGUOUS: "不止一种可能，没有替您选，坐标空着；看“可能是”一栏，补上区名或拆成几行后再做一次。",
    Status.PARSED: "地址读懂了，但名录里没有这个地方；请核对路名和门牌。",
    Status.UNUSABLE: "没有读出地址；请核对这一格的内容。",
}
LEVEL_NAMES: Final = {
    "door": "门牌",
    "lane": "弄",
    "interpolated": "按相邻门牌推算",
    "community": "小区",
    "road": "道路",
    "committee": "居委",
    "street": "街镇",
    "district": "区",
}
_OWN_REASONS: Final = {
    "not_on_record": "名录里没有这个地方，请核对路名和门牌。",
    "several_places": "有几处符合，请补上区名。",
    "hint_unknown": "“区”一栏写的不是上海的区，没有用上。",
    "hint_differs": "“区”一栏和地址里写的区不一样，请核对。",
    "street_differs": "写的街镇和落点所在的街镇不一样，请核对。",
    "village_elsewhere": "写的街镇里没有这个村，同名的村在别的街镇，请核对。",
    "district_added": "没有写区，按落点补上了。",
    "more_addresses": "这一栏的地址太多，只列出前面的。",
    "item_invalid": "这一项要写成文字，或 {id, address, district}。",
}
_TITLES: Final = {
    "suffix_differs": "附号和名录里的不一样",
    "range": "写的是一段号码，取第一个",
    "room_unknown": "室号没有单列，取整个门牌",
    "number_unknown": "没有收录这个门牌",
    "name_differs": "写的名称和名录里的不一样",
    "road_unmapped": "没有这条路的线形",
    "only_region": "只认出区划",
    "district_differs": "写的区和落点的区不一样",
    "several_roads": "同名的道路不止一处",
    "several_regions": "同名的区划不止一处",
    "first_unknown": "第一个地址没有收录，按另一个给出",
    "district_unknown": "没有写的这个区",
}
"""What the geocoder's penalties are called where many rows are counted: their own sentences name the address."""
PRIVATE: Final = frozenset(("phone", "contact", "long_number"))
"""Ignored pieces that are said to be there and never repeated."""
LONG_DIGITS: Final = re.compile(r"\d(?:[-, ]?\d){6,}")


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code and a Chinese sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One row to standardise: the text, the caller's own id, and the district when it stands in a column of its own."""

    text: str
    id: str | None = None
    district: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in CGCS2000 degrees with the level it was found at and its 90 % radius in metres."""

    label: str
    level: str
    lon: float
    lat: float
    uncertainty_m: float


@dataclass(frozen=True, slots=True)
class Other:
    """Another thing a row may mean: a further address of its field, or one more place that fits. ``spot`` may be unknown."""

    text: str
    spot: Spot | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """The regions a point lies in, by name, and the code of the smallest one known; ``""`` for none."""

    district: str = ""
    street: str = ""
    committee: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Standardised:
    """One row of a list: what was written and all that was made of it.

    ``row`` counts from 1. ``standard`` is the canonical text, its own standard text, ``""`` when nothing was read. ``spot`` is
    ``None`` unless the row is matched or approximate. ``others`` are the choices of an ambiguous row, best first, and the
    further addresses of a field that holds several. ``ignored`` holds pieces that are no part of the address, private ones
    without their text.
    """

    row: int
    written: str
    status: Status
    id: str | None = None
    standard: str = ""
    parts: Parts = Parts()
    spot: Spot | None = None
    where: Where = Where()
    confidence: float = 0.0
    reasons: tuple[Reason, ...] = ()
    others: tuple[Other, ...] = ()
    ignored: tuple[Reason, ...] = ()

    @property
    def said(self) -> dict[str, str]:
        """Return the parts that were written, by kind."""
        return {kind: value for kind, value in self.parts._asdict().items() if value and kind != "text"}


def reason_of(code: str) -> Reason:
    """Return a reason of ours, or a note of the grammar, with its sentence."""
    said = _OWN_REASONS.get(code) or _said_of(code)
    return Reason(code, said if said.endswith("。") else f"{said}。")


def _said_of(code: str) -> str:
    """Return what the grammar says of a code: first as a note of an address, then as a reason to ignore a piece."""
    known = vocabulary().grammar
    return note_text(code) if code in known["notes"] else reason_text(code)


def title_of(code: str) -> str:
    """Return what a reason is called in a report over many rows; it names no address."""
    if code in _TITLES:
        return _TITLES[code]
    if code in _OWN_REASONS:
        return _OWN_REASONS[code]
    known = vocabulary().grammar
    return str(known["notes"].get(code) or known["reasons"].get(code) or f"其他原因（{code}）")


def ignored_of(code: str, written: str) -> Reason:
    """Return an ignored piece in words; what is private, or looks like it, is not repeated."""
    said = _OWN_REASONS.get(code) or reason_text(code)
    if code in PRIVATE or LONG_DIGITS.search(written):
        return Reason(code, said)
    return Reason(code, f"{said}：{written}")
