"""The form of a self-report: the items of a kind, what was typed into them, and what a place says in the same words.

Answers are texts by the key of an item, as they were typed: a draft keeps what cannot be read yet. Keys are those of
``services.facilities.upkeep``: name, address_text, phone, ``attributes.KEY``, ``hours.DAY``; besides places and vacancies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from geo.addresses.lookups import metres_between
from geo.addresses.positions import position
from geo.crs import System
from geo.errors import BadInput
from geo.regions.queries import current_city
from services.facilities.actions import MOST_PLACES
from services.facilities.kinds import Attribute, Kind, kind_of
from services.facilities.known import CAPACITY, FEES
from services.facilities.models import Facility
from services.facilities.upkeep.checking import ATTRIBUTE, LONGEST, faults_of
from services.facilities.upkeep.hours_typed import LINES, hours_of, lines_of

Control = Literal["text", "tel", "integer", "number", "choice", "boolean", "day", "hours", "point"]
HOURS: Final = "hours."
FIGURES: Final = ("places", "vacancies")
POSITION: Final = "position"
MOST_TYPED: Final = 300
YES_NO: Final = (("1", "是"), ("0", "否"))


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the form: its key, what it is called, how it is typed, and where it stands."""

    key: str
    label: str
    section: str
    control: Control = "text"
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    required: bool = False
    most: int = MOST_TYPED

    def words(self, text: str) -> str:
        """Return what was typed as people read it; '' for nothing."""
        if self.control == "point":
            lon, _, lat = text.partition(",")
            return f"东经 {lon}，北纬 {lat}" if lat else text
        said = dict(self.choices).get(text, text)
        return f"{said} {self.unit}" if said and self.unit else said


def items_of(kind_key: str) -> tuple[Item, ...]:
    """Return the items for a kind, section by section."""
    kind = kind_of(kind_key)
    attributes = [_item(each) for each in kind.attributes]
    return (
        Item("name", "机构名称", "基本信息", required=True, most=LONGEST["name"][1]),
        Item(
            "phone", "联系电话", "基本信息", "tel", required=True, most=LONGEST["phone"][1],
            help="家长能打通的，几个之间用顿号分开。",
        ),
        Item(
            "address_text", "机构地址", "基本信息", required=True, most=LONGEST["address_text"][1],
            help="写到门牌，例如 黄浦区淮海中路45号。",
        ),
        Item(
            POSITION, "地图上的位置", "基本信息", "point", most=40,
            help="标记要在大门口：点一下地图，或拖动标记。只改了地址、没有动标记的，按新地址放。",
        ),
        *(each for each in attributes if each.section == "服务"),
        *_room(kind),
        *(each for each in attributes if each.section == "收费"),
        *(Item(f"{HOURS}{day}", name, "开放时间", "hours", most=60) for day, name in LINES),
    )  # fmt: skip


def _item(attribute: Attribute) -> Item:
    choices = YES_NO if attribute.type == "boolean" else attribute.choices
    section = "收费" if attribute.key in FEES else "服务"
    return Item(
        f"{ATTRIBUTE}{attribute.key}", attribute.label, section, attribute.type, attribute.unit, choices, most=200
    )


def _room(kind: Kind) -> tuple[Item, ...]:
    if kind.group not in CAPACITY:
        return ()
    return (
        Item("places", CAPACITY[kind.group], "余位", "integer", "个", most=6),
        Item("vacancies", "余位", "余位", "integer", "个", required=True, most=6, help="现在还能收几个；没有填 0。"),
    )


def said_by(facility: Facility) -> dict[str, str]:
    """Return what a place says now, as it would be typed."""
    said = {"name": facility.name, "phone": facility.phone, "address_text": facility.address_text}
    said[POSITION] = f"{facility.geom.x:.6f},{facility.geom.y:.6f}"
    said |= {key: "" if (figure := getattr(facility, key)) is None else str(figure) for key in FIGURES}
    said |= {f"{ATTRIBUTE}{key}": _typed(value) for key, value in facility.attributes.items()}
    said |= {f"{HOURS}{day}": line for day, line in lines_of(facility.hours).items()}
    return {item.key: said.get(item.key, "") for item in items_of(facility.kind_id)}


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def read_answers(kind_key: str, answers: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of all items and, by key, what is wrong with them in words.

    Values are as ``services.facilities.upkeep.actions`` takes them (hours whole, attributes ``None`` where nothing is said, the
    position as longitude and latitude), and places and vacancies as numbers or ``None``.
    """
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for item in items_of(kind_key):
        text = answers.get(item.key, "").strip()
        if item.control == "hours":
            continue
        if item.required and not text:
            faults[item.key] = f"请填写{item.label}。"
        try:
            values[item.key] = _value(item, text)
        except BadInput as wrong:
            faults[item.key] = wrong.message
    try:
        values["hours"] = hours_of({day: answers.get(f"{HOURS}{day}", "") for day, _ in LINES})
    except BadInput as wrong:
        faults[f"{HOURS}{wrong.detail.get('day', LINES[0][0])}"] = wrong.message
    kind = kind_of(kind_key)
    judged = {key: value for key, value in values.items() if key not in FIGURES and key not in faults}
    for finding in faults_of(judged, kind):
        faults.setdefault(_beside(finding.field), finding.message)
    places, vacancies = values.get("places"), values.get("vacancies")
    if places is not None and vacancies is not None and vacancies > places:
        faults.setdefault("vacancies", f"余位 {vacancies} 多于{CAPACITY[kind.group]} {places}，请核对。")
    return values, faults


def _beside(field: str) -> str:
    """Return the item beside which a finding about hours as a whole is said."""
    return f"{HOURS}{LINES[0][0]}" if field == "hours" else field


def _value(item: Item, text: str) -> Any:
    if len(text) > item.most:
        raise BadInput("too_long", f"{item.label}最多 {item.most} 个字。")
    if not text:
        return "" if item.control == "tel" or item.key in LONGEST else None
    match item.control:
        case "integer":
            if not (text.isascii() and text.isdecimal() and int(text) <= MOST_PLACES):
                raise BadInput("not_a_number", f"{item.label}要填 0 到 {MOST_PLACES} 的整数。")
            return int(text)
        case "number":
            return _number(item, text)
        case "boolean":
            return text == "1"
        case "point":
            return _point(text)
        case _:
            return text


def _point(text: str) -> tuple[float, float]:
    """Return longitude and latitude of a point in the city, in CGCS2000 degrees."""
    lon, _, lat = text.partition(",")
    try:
        found = position(float(lon), float(lat), System.CGCS2000, current_city())
    except (ValueError, BadInput):
        raise BadInput("no_position", f"标记不在{current_city().name}，请在地图上把它放到大门口。") from None
    return found.x, found.y


def moved_metres(before: str, after: str) -> float | None:
    """Return how far apart two typed positions are; ``None`` where one is none."""
    try:
        return metres_between(*_point(before), *_point(after))
    except BadInput:
        return None


def _number(item: Item, text: str) -> int | float:
    try:
        found = float(text) if text.isascii() and not text.lower().strip("0123456789.") else -1.0
    except ValueError:
        found = -1.0
    if found < 0:
        raise BadInput("not_a_number", f"{item.label}要填数字，例如 3500。")
    return int(found) if found.is_integer() else found
