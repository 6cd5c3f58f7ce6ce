"""What a place may say of itself: every entry judged by its kind, in words. Pure: nothing is asked of the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from geo.errors import BadInput
from services.facilities.hours import check_hours
from services.facilities.kinds import Kind
from services.facilities.upkeep.findings import Finding

ATTRIBUTE: Final = "attributes."
LONGEST: Final = {"name": ("名称", 120), "address_text": ("地址", 300), "phone": ("电话", 60)}
OLDEST_MONTHS: Final = 216
MOST_YUAN: Final = 1_000_000
PHONE_HELP: Final = "电话写成 021-63212345、手机号、400 电话或 12345 这样的号码，几个之间用顿号分开。"
_PHONE: Final = re.compile(
    r"(?:(?:\+?86-?)?1[3-9]\d{9}|(?:\(?0\d{2,3}\)?-?)?[2-9]\d{6,7}|0\d{2,3}-?\d{7,8}|[48]00-?\d{3}-?\d{4}|1\d{2}|1\d{4}|9[56]\d{3,6})"
    r"(?:(?:-|转|#|分机)\d{1,6})?"
)
_BETWEEN: Final = re.compile(r"[、,，;；/]+")


def faults_of(values: Mapping[str, Any], kind: Kind) -> list[Finding]:
    """Return what is wrong with the entries of a place, in the order of its page; what is not named is not judged.

    ``values`` holds name, address_text, phone (texts), hours (as kept), ``attributes.KEY`` (as kept, ``None`` for nothing).
    """
    return [*_texts(values), *_phone(values), *_attributes(values, kind), *_ranges(values, kind), *_hours(values)]


def _texts(values: Mapping[str, Any]) -> Iterator[Finding]:
    for field, (label, most) in LONGEST.items():
        if field not in values:
            continue
        text = str(values[field] or "").strip()
        if not text and field != "phone":
            yield Finding(field, "empty", f"请填写{label}。")
        elif len(text) > most:
            yield Finding(field, "too_long", f"{label}最多 {most} 个字，现在有 {len(text)} 个。")


def _phone(values: Mapping[str, Any]) -> Iterator[Finding]:
    text = str(values.get("phone") or "").strip()
    if not text:
        return
    numbers = ["".join(each.split()) for each in _BETWEEN.split(text)]
    if not all(_PHONE.fullmatch(each) for each in numbers):
        yield Finding("phone", "phone_invalid", PHONE_HELP)


def _attributes(values: Mapping[str, Any], kind: Kind) -> Iterator[Finding]:
    for field, value in values.items():
        if not field.startswith(ATTRIBUTE):
            continue
        attribute = kind.attribute(field.removeprefix(ATTRIBUTE))
        if attribute is None:
            yield Finding(field, "not_for_kind", f"“{kind.name}”没有这一项，请删去。")
        elif value is not None and not attribute.accepts(value):
            unit = f"（{attribute.unit}）" if attribute.unit else ""
            yield Finding(field, "invalid", f"“{attribute.label}”{unit}填得不对，{_wanted(attribute.type)}。")


def _wanted(kind_of_value: str) -> str:
    return {
        "integer": "请填不小于 0 的整数",
        "number": "请填不小于 0 的数字",
        "boolean": "请选是或否",
        "choice": "请从列出的里选一个",
        "day": "日期要写成 2026-09-01 这样",
    }.get(kind_of_value, "最多 200 个字")


def _ranges(values: Mapping[str, Any], kind: Kind) -> Iterator[Finding]:
    """Yield where a range ends before it begins, and ages and fees that cannot be."""
    figures = {
        field.removeprefix(ATTRIBUTE): value
        for field, value in values.items()
        if field.startswith(ATTRIBUTE) and isinstance(value, int | float) and not isinstance(value, bool)
    }
    for low, high, words in (
        ("age_from_months", "age_to_months", "入托月龄"),
        ("fee_from_yuan", "fee_to_yuan", "收费"),
    ):
        if low in figures and high in figures and figures[low] > figures[high]:
            said = f"{figures[low]:g} 大于 {figures[high]:g}"
            yield Finding(f"{ATTRIBUTE}{high}", "range", f"{words}的起点{said}，请核对两头。")
    for key, value in figures.items():
        attribute = kind.attribute(key)
        if attribute is None:
            continue
        if attribute.unit == "个月" and value > OLDEST_MONTHS:
            yield Finding(
                f"{ATTRIBUTE}{key}", "too_old", f"“{attribute.label}”按月填，{value:g} 个月太大了；3 岁是 36 个月。"
            )
        elif attribute.unit == "元" and value > MOST_YUAN:
            yield Finding(f"{ATTRIBUTE}{key}", "too_much", f"“{attribute.label}”按元填，最多 {MOST_YUAN:,} 元。")


def _hours(values: Mapping[str, Any]) -> Iterator[Finding]:
    if not values.get("hours"):
        return
    try:
        check_hours(values["hours"])
    except BadInput as fault:
        yield Finding(f"hours.{fault.detail.get('day', 'mon')}", "hours_invalid", fault.message)
