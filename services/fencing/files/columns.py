"""What the columns of files say of fences: known by words, hours of the week written as people write them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from geo.errors import BadInput, CityError
from geo.fences.evaluate.hours import DAYS, Hours
from geo.fences.files.reading import NAMES, said
from geo.fences.files.writing import OPTIONAL
from geo.fences.purposes import PURPOSES, ShapeKind

LABELS: Final = {
    "name": "名称", "owner": "归属", "from_day": "开始日期", "to_day": "结束日期", "hours": "生效时段",
}  # fmt: skip
KIND, DEFINITION = "画法", OPTIONAL
_OWNERS: Final = tuple(purpose.owner for purpose in PURPOSES)
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "name": NAMES,
    "owner": ("归属", *_OWNERS, *(word[:3] for word in _OWNERS), "负责人", "owner"),
    "from_day": ("开始日期", "开始日", "开始", "生效日期", "from_day", "from", "start"),
    "to_day": ("结束日期", "结束日", "结束", "失效日期", "to_day", "to", "end"),
    "hours": ("生效时段", "生效时", "时段", "时间", "hours"),
}
_RADII: Final = ("半径", "半径（米）", "半径(米)", "radius", "radius_m")
_KINDS: Final = (KIND, "kind")
_DEFINITIONS: Final = (DEFINITION, DEFINITION[:3], "definition")
_DAY_SIGNS: Final = {
    sign: day
    for signs, day in zip(("一1", "二2", "三3", "四4", "五5", "六6", "日天7"), DAYS, strict=True)
    for sign in signs
}
_GROUPS: Final = {"每天": DAYS, "每日": DAYS, "工作日": DAYS[:5], "周末": DAYS[5:], "双休日": DAYS[5:]}
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0?0:00(?::00)?)?")
_RANGE: Final = re.compile(r"([一二三四五六日天])(?:(?:至|到|-|—|~)(?:周|星期)?([一二三四五六日天]))?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")
ALWAYS: Final = ("一直", "一直生效", "全天", "全年", "24小时")


def cells_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what a record says by field; a field without a column of its own is not there, an empty cell is ''."""
    there = {str(name).strip().lower() for name in record}
    plain = {name: _text(value) for name, value in record.items()}
    return {field: said(plain, words) for field, words in WORDS.items() if field == "name" or there & set(words)}


def radius_of(record: Mapping[str, Any]) -> str:
    """Return the radius that a record gives for its point, '' for none."""
    return said(record, _RADII)


def made_of(record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return kind and definition that a record tells, positions in the system of the file; an ordinary polygon for none."""
    label, text = said(record, _KINDS), _text(next((record[name] for name in record if name in _DEFINITIONS), ""))
    kind = next((kind.value for kind in ShapeKind if label in (kind.label, kind.value)), ShapeKind.POLYGON.value)
    try:
        definition = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        definition = {}
    if not isinstance(definition, dict) or not definition:
        return ShapeKind.POLYGON.value, {}
    return kind, definition


def day_of(text: str) -> str:
    """Return a day as ISO, '' for nothing. Raises ``BadInput``."""
    if not text:
        return ""
    found = _DATE.fullmatch(text)
    try:
        return dt.date(*map(int, found.groups())).isoformat() if found else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> str:
    raise BadInput("fence_day", "日期请写成 2026-12-01 这样。")


def hours_of(text: str) -> dict[str, Any]:
    """Return hours by day of the week, as they are kept, of 周一至周五 08:00-17:30；周六 09:00-12:00. Raises ``BadInput``."""
    if not text or text in ALWAYS:
        return {}
    if text.startswith("{"):
        return _stored(text)
    hours: dict[str, list[list[str]]] = {}
    for part in re.split(r"[;；。\n]", text):
        if not part.strip():
            continue
        first = re.search(r"\d", part)
        if first is None:
            raise _unread(part)
        spans = _spans(part[first.start() :])
        for day in _days(part[: first.start()]):
            hours.setdefault(day, []).extend(spans)
    Hours.read(hours)
    return hours


def hours_text(hours: Mapping[str, Any]) -> str:
    """Return hours as people write them, which ``hours_of`` reads again; '' for always."""
    words = dict(zip(DAYS, "一二三四五六日", strict=True))
    groups: list[tuple[list[str], str]] = []
    for day in DAYS:
        spans = "，".join("-".join(span) for span in hours.get(day, ()))
        if spans and groups and groups[-1][1] == spans and DAYS.index(groups[-1][0][-1]) + 1 == DAYS.index(day):
            groups[-1][0].append(day)
        elif spans:
            groups.append(([day], spans))
    named = [
        (f"周{words[days[0]]}" + (f"至周{words[days[-1]]}" if len(days) > 1 else ""), spans) for days, spans in groups
    ]
    return "；".join(f"{days} {spans}" for days, spans in named)


def _stored(text: str) -> dict[str, Any]:
    try:
        hours = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _unread(text) from None
    if not isinstance(hours, dict):
        raise _unread(text)
    Hours.read(hours)
    return hours


def _spans(text: str) -> list[list[str]]:
    plain = re.sub(r"\s*(?:至|到|—|–|~|～)+\s*", "-", text.replace("：", ":"))
    spans = []
    for part in re.split(r"[,，、\s]+", plain.strip()):
        clocks = [_CLOCK.fullmatch(clock) for clock in part.split("-")]
        if len(clocks) != 2 or None in clocks:
            raise _unread(text)
        spans.append([f"{int(clock[1]):02}:{clock[2]}" for clock in clocks if clock])
    return spans


def _days(text: str) -> list[str]:
    plain = text.replace("星期", "周").replace("每周", "周").strip(" ：:，,")
    if not plain:
        return list(DAYS)
    if plain in _GROUPS:
        return list(_GROUPS[plain])
    days: list[str] = []
    for first, last in _RANGE.findall(plain):
        begin, end = DAYS.index(_DAY_SIGNS[first]), DAYS.index(_DAY_SIGNS[last or first])
        if end < begin:
            raise _unread(text)
        days += DAYS[begin : end + 1]
    if not days or re.sub(r"[周一二三四五六日天至到\-—~、，,和及\s]", "", plain):
        raise _unread(text)
    return days


def _unread(text: str) -> CityError:
    return BadInput(
        "hours_invalid", f"“{text.strip()[:30]}”没有读懂，请写成“周一至周五 08:00-17:30；周六 09:00-12:00”。"
    )


def _text(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
