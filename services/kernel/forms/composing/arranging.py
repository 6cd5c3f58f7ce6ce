"""Acts of staff on a composition: sections and items added, moved, taken out, changed. Each returns a new one. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from geo.errors import BadInput
from services.kernel.expressions import condition_of
from services.kernel.forms.composing.compose import MOST_CHECKS, MOST_ITEMS, MOST_SECTIONS

Data = dict[str, Any]
CHANGED: Final = (
    "label",
    "help",
    "always",
    "checks",
    "codes",
    "least",
    "most",
    "types",
    "most_bytes",
    "shown",
    "required",
    "offers",
    "fixed",
)
GONE: Final = BadInput("item_gone", "这一项已不在表单里，请刷新后再改。")


def add_section(data: Mapping[str, Any], title: str, help_text: str = "") -> Data:
    """Return the composition with a further section at its end. Raises ``BadInput``."""
    if not title.strip():
        raise BadInput("section_title", "请写这一节的标题。")
    made = _copy(data)
    if len(made["sections"]) >= MOST_SECTIONS:
        raise BadInput("sections_many", f"最多分 {MOST_SECTIONS} 节。")
    made["sections"].append({"title": title.strip()[:40], "help": help_text.strip()[:500], "items": []})
    return made


def change_section(data: Mapping[str, Any], section: int, title: str, help_text: str) -> Data:
    """Return the composition with another heading and help of a section."""
    if not title.strip():
        raise BadInput("section_title", "请写这一节的标题。")
    made = _copy(data)
    _section(made, section).update(title=title.strip()[:40], help=help_text.strip()[:500])
    return made


def move_section(data: Mapping[str, Any], section: int, by: int) -> Data:
    """Return the composition with a section moved up (-1) or down (1); at the end nothing changes."""
    made = _copy(data)
    _section(made, section)
    _swap(made["sections"], section, section + by)
    return made


def remove_section(data: Mapping[str, Any], section: int) -> Data:
    """Return the composition without an empty section; one that holds items must be emptied first. Raises ``BadInput``."""
    made = _copy(data)
    if _section(made, section)["items"]:
        raise BadInput("section_full", "这一节里还有内容，请先移走再删除这一节。")
    del made["sections"][section]
    return made


def add_items(data: Mapping[str, Any], section: int, keys: Sequence[str]) -> Data:
    """Return the composition with fields and certificates added to a section; those already in the form are left out."""
    made = _copy(data)
    known = {item["key"] for one in made["sections"] for item in one["items"]}
    fresh = [key for key in dict.fromkeys(keys) if key not in known]
    if len(known) + len(fresh) > MOST_ITEMS:
        raise BadInput("items_many", f"一张表最多 {MOST_ITEMS} 项。")
    _section(made, section)["items"] += [{"key": key} for key in fresh]
    return made


def move_item(data: Mapping[str, Any], key: str, by: int) -> Data:
    """Return the composition with an item moved one up (-1) or down (1), over the end of its section into the next one."""
    made = _copy(data)
    section, at = _place(made, key)
    items = made["sections"][section]["items"]
    if 0 <= at + by < len(items):
        _swap(items, at, at + by)
    elif 0 <= section + by < len(made["sections"]):
        item = items.pop(at)
        target = made["sections"][section + by]["items"]
        target.insert(0 if by > 0 else len(target), item)
    return made


def place_item(data: Mapping[str, Any], key: str, section: int, at: int) -> Data:
    """Return the composition with an item at a place of a section, as it was dropped there."""
    made = _copy(data)
    origin, was = _place(made, key)
    item = made["sections"][origin]["items"].pop(was)
    items = _section(made, section)["items"]
    items.insert(max(0, min(at, len(items))), item)
    return made


def remove_item(data: Mapping[str, Any], key: str) -> Data:
    """Return the composition without an item."""
    made = _copy(data)
    section, at = _place(made, key)
    del made["sections"][section]["items"][at]
    return made


def change_item(data: Mapping[str, Any], key: str, changes: Mapping[str, Any]) -> Data:
    """Return the composition with what is changed of an item; None and empty values take a change back."""
    made = _copy(data)
    section, at = _place(made, key)
    item = made["sections"][section]["items"][at]
    for name, value in changes.items():
        if name not in CHANGED:
            raise BadInput("change_unknown", "这一处不能改。")
        if name in ("shown", "required") and value:
            condition_of(value)
        if value is None or value == "" or value == [] or value == {}:
            item.pop(name, None)
        else:
            item[name] = value
    return made


def set_checks(data: Mapping[str, Any], checks: Sequence[Mapping[str, str]]) -> Data:
    """Return the composition with these checks between answers."""
    made = _copy(data)
    if len(checks) > MOST_CHECKS:
        raise BadInput("checks_many", f"最多 {MOST_CHECKS} 条校验。")
    kept = [
        {name: str(one.get(name, ""))[:2000].strip() for name in ("expression", "sentence", "at")} for one in checks
    ]
    made["checks"] = [one for one in kept if one["expression"]]
    return made


def item_of(data: Mapping[str, Any], key: str) -> Data:
    """Return an item of a composition. Raises ``BadInput``."""
    section, at = _place(data, key)
    item: Data = data["sections"][section]["items"][at]
    return item


def _copy(data: Mapping[str, Any]) -> Data:
    made = copy.deepcopy(dict(data))
    made.setdefault("sections", [])
    for section in made["sections"]:
        section.setdefault("items", [])
    return made


def _section(data: Mapping[str, Any], number: int) -> Data:
    if not 0 <= number < len(data["sections"]):
        raise BadInput("section_gone", "这一节已不在表单里，请刷新后再改。")
    section: Data = data["sections"][number]
    return section


def _place(data: Mapping[str, Any], key: str) -> tuple[int, int]:
    for section, one in enumerate(data["sections"]):
        for at, item in enumerate(one.get("items", ())):
            if item["key"] == key:
                return section, at
    raise GONE


def _swap(entries: list[Any], one: int, other: int) -> None:
    if 0 <= other < len(entries):
        entries[one], entries[other] = entries[other], entries[one]
