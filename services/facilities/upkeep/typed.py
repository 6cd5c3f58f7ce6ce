"""The form of a place: its entries by kind, what they hold as text, and what a text means. Pure but for the kinds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from geo.errors import BadInput
from services.facilities.kinds import kinds_of_group
from services.facilities.kinds.declared import Attribute, Kind
from services.facilities.known import FEES
from services.facilities.models import Facility
from services.facilities.upkeep.checking import ATTRIBUTE, LONGEST
from services.facilities.upkeep.findings import Finding
from services.facilities.upkeep.hours_typed import LINES, hours_of, lines_of

HOURS: Final = "hours."
YES_OR_NO: Final = (("1", "是"), ("0", "否"))
BASICS: Final = ("ownership", "grade")
"""Attributes that say what a place is, rather than what it offers."""
WHERE: Final = ("district", "street", "lon", "lat")
Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the form: ``look`` is text, number, choice or day; ``own`` ones may be kept by who runs the place."""

    name: str
    label: str
    look: str = "text"
    group: str = "基本"
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    required: bool = False
    longest: int = 200
    own: bool = False


def entries_of(kind: Kind) -> list[Entry]:
    """Return the entries of a place of a kind, in the order of its form: 基本, 位置, 服务, 收费, 时间."""
    kinds = tuple((each.key, each.name) for each in kinds_of_group(kind.group))
    if kind.key not in dict(kinds):
        kinds = ((kind.key, kind.name), *kinds)
    found = [
        Entry("name", "名称", required=True, longest=LONGEST["name"][1]),
        Entry("kind_id", "类型", "choice", choices=kinds, required=True),
        Entry("phone", "联系电话", longest=LONGEST["phone"][1], own=True),
        *(_entry(each, "基本") for each in kind.attributes if each.key in BASICS),
        Entry("address_text", "地址", group="位置", required=True, longest=LONGEST["address_text"][1]),
    ]
    rest = [each for each in kind.attributes if each.key not in BASICS]
    found += [_entry(each, "服务") for each in rest if each.key not in FEES]
    found += [_entry(each, "收费") for each in rest if each.key in FEES]
    return found + [Entry(f"{HOURS}{day}", name, group="时间", own=True) for day, name in LINES]


def _entry(attribute: Attribute, group: str) -> Entry:
    look = {"integer": "number", "number": "number", "boolean": "choice", "choice": "choice", "day": "day"}
    choices = YES_OR_NO if attribute.type == "boolean" else attribute.choices
    name = f"{ATTRIBUTE}{attribute.key}"
    return Entry(
        name,
        attribute.label,
        look.get(attribute.type, "text"),
        group,
        tuple(choices),
        attribute.unit,
        own=attribute.key in FEES,
    )


def texts_of(facility: Facility, *, district: str, street: str) -> dict[str, str]:
    """Return what the form of a place holds before anybody types."""
    return {
        "name": facility.name,
        "kind_id": facility.kind_id,
        "phone": facility.phone,
        "address_text": facility.address_text,
        "lon": f"{facility.geom.x:.7f}",
        "lat": f"{facility.geom.y:.7f}",
        "district": district,
        "street": street,
        **{f"{ATTRIBUTE}{key}": _text(value) for key, value in facility.attributes.items()},
        **{f"{HOURS}{day}": line for day, line in lines_of(facility.hours).items()},
    }


def changed(typed: Typed, base: Typed) -> dict[str, str]:
    """Return the entries that are other than they were."""
    return {name: text for name, text in typed.items() if text.strip() != base.get(name, "").strip()}


def values_of(typed: Typed, names: Mapping[str, str], kind: Kind) -> tuple[dict[str, Any], list[Finding]]:
    """Return what the entries ``names`` of a form mean, as ``actions.Values``, and what cannot be read.

    Hours are read as a whole where one line is named, a point where one of its numbers is; its regions with it.
    """
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for name in names:
        if name in ("name", "kind_id", "phone", "address_text", "status"):
            values[name] = typed.get(name, "").strip()
        elif name.startswith(ATTRIBUTE) and (attribute := kind.attribute(name.removeprefix(ATTRIBUTE))) is not None:
            values[name] = _value(attribute, typed.get(name, "").strip())
    if any(name.startswith(HOURS) for name in names):
        try:
            values["hours"] = hours_of({day: typed.get(f"{HOURS}{day}", "") for day, _ in LINES})
        except BadInput as fault:
            findings.append(Finding(f"{HOURS}{fault.detail.get('day', 'mon')}", fault.code, fault.message))
    if set(WHERE) & names.keys():
        values |= {name: typed.get(name, "").strip() for name in ("district", "street")}
        findings += _read_point(typed, names, values)
    return values, findings


def _read_point(typed: Typed, names: Mapping[str, str], values: dict[str, Any]) -> Iterator[Finding]:
    written = [typed.get(name, "").strip() for name in ("lon", "lat")]
    if not {"lon", "lat"} & names.keys() or not any(written):
        return
    try:
        lon, lat = (float(text.replace("，", ".")) for text in written)
    except ValueError:
        yield Finding("lon", "not_a_number", "经度和纬度要一起填数字，例如 121.4737 和 31.2304。")
        return
    if not (math.isfinite(lon) and math.isfinite(lat)):
        yield Finding("lon", "not_a_number", "经度和纬度要填数字，例如 121.4737 和 31.2304。")
        return
    values["position"] = (lon, lat)


def _value(attribute: Attribute, text: str) -> Any:
    """Return what a text means for an attribute; what cannot be read stays a text, which no number or choice accepts."""
    if not text:
        return None
    match attribute.type:
        case "boolean":
            return {"1": True, "0": False}.get(text, text)
        case "integer":
            return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
        case "number":
            return _number(text)
    return text


def _number(text: str) -> Any:
    try:
        figure = float(text)
    except ValueError:
        return text
    return text if not math.isfinite(figure) else int(figure) if figure.is_integer() else figure


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else str(value)
