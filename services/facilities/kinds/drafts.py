"""What staff say of a kind, checked before it is kept: name, icon and what its places may say of themselves. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from geo.errors import BadInput
from services.facilities.kinds.book import KindBook
from services.facilities.kinds.declared import GROUPS, Attribute, AttributeType
from services.facilities.kinds.icons import ICONS

LONGEST_NAME: Final = 20
LONGEST_LABEL: Final = 20
LONGEST_UNIT: Final = 10
MOST_ATTRIBUTES: Final = 20
MOST_CHOICES: Final = 30
TYPE_NAMES: Final[dict[AttributeType, str]] = {
    "text": "文字",
    "integer": "整数",
    "number": "数字（可带小数）",
    "boolean": "是或否",
    "choice": "选项",
    "day": "日期",
}


@dataclass(frozen=True, slots=True)
class AttributeDraft:
    """An attribute as it is typed: ``key`` names one that is there, '' a new one; ``choices`` are the words of a choice."""

    label: str
    type: str = "text"
    unit: str = ""
    choices: tuple[str, ...] = ()
    filterable: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class KindDraft:
    """A kind as it is typed."""

    name: str
    icon: str
    attributes: tuple[AttributeDraft, ...] = ()


def checked_name(name: str, own_key: str, book: KindBook) -> str:
    """Return the name of a kind, cleaned. Raises ``BadInput`` when it is empty, too long or that of another kind or a group."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput("kind_name_invalid", f"类别名称要填，最多 {LONGEST_NAME} 个字。", field="name")
    if any(kind.name == name for kind in book.every if kind.key != own_key) or name in GROUPS.values():
        raise BadInput("kind_name_taken", f"已有“{name}”这个类别或大类，请换一个名称。", field="name")
    return name


def checked_icon(icon: str) -> str:
    """Return the icon of a kind. Raises ``BadInput`` for one we do not draw."""
    if icon not in ICONS:
        raise BadInput("kind_icon_unknown", "请在列出的图标里选一个。", field="icon")
    return icon


def checked_attributes(
    drafts: Sequence[AttributeDraft], before: Sequence[Attribute], book: KindBook
) -> tuple[Attribute, ...]:
    """Return the attributes of an added kind; new ones get keys that no kind uses, words of a choice keep their values.

    Raises ``BadInput`` that names the first line that is wrong.
    """
    if len(drafts) > MOST_ATTRIBUTES:
        raise BadInput("kind_attributes_many", f"一个类别最多 {MOST_ATTRIBUTES} 项内容。", field="attributes")
    known = {attribute.key: attribute for attribute in before}
    taken = {attribute.key for kind in book.every for attribute in kind.attributes} | RESERVED
    made: list[Attribute] = []
    for at, draft in enumerate(drafts, start=1):
        attribute = _attribute(at, draft, known.get(draft.key), taken)
        if any(attribute.label == other.label or attribute.key == other.key for other in made):
            raise _wrong(at, f"“{attribute.label}”写了两次")
        taken.add(attribute.key)
        made.append(attribute)
    return tuple(made)


RESERVED: Final = frozenset(
    {
        "q", "kinds", "type", "near", "lon", "lat", "crs", "district", "street", "region", "within", "order", "cursor", "limit",
        "has_vacancy", "open_now", "open_holiday", "open_at", "age_months", "age_until", "born", "fee", "fee_min", "fee_max",
        "days", "hours", "from_time", "until_time", "minutes", "mode", "sort", "place", "at", "theme", "view", "arrangement",
        "format", "least_beds", "least_free_visits_year", "most_meal_price_yuan", "most_fee_hour_yuan",
    }
)  # fmt: skip
"""Words that addresses of lists use otherwise: an attribute's key is a parameter beside them."""


def _attribute(at: int, draft: AttributeDraft, before: Attribute | None, taken: Collection[str]) -> Attribute:
    label, unit = " ".join(draft.label.split()), draft.unit.strip()
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise _wrong(at, f"名称要填，最多 {LONGEST_LABEL} 个字")
    kind = next((kind for kind in get_args(AttributeType) if kind == draft.type), None)
    if kind is None:
        raise _wrong(at, f"“{label}”的填法请从列表里选")
    if len(unit) > LONGEST_UNIT or not unit.isprintable():
        raise _wrong(at, f"“{label}”的单位最多 {LONGEST_UNIT} 个字")
    if draft.key and before is None:
        raise _wrong(at, f"“{label}”刚被别人去掉了，请刷新页面再改")
    choices: tuple[tuple[str, str], ...] = ()
    if kind == "choice":
        choices = _choices(at, label, draft.choices, before.choices if before else ())
    return Attribute(
        before.key if before else free_key(label, taken),
        label,
        kind,
        unit if kind in ("integer", "number") else "",
        choices,
        draft.filterable and kind in ("boolean", "choice", "text"),
    )


def _choices(
    at: int, label: str, words: Sequence[str], before: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    said = list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))
    if not 2 <= len(said) <= MOST_CHOICES or any(len(word) > LONGEST_LABEL or not word.isprintable() for word in said):
        raise _wrong(at, f"“{label}”要写 2 到 {MOST_CHOICES} 个选项，每个最多 {LONGEST_LABEL} 个字，用顿号隔开")
    values = {word: value for value, word in before}
    for word in said:
        if word not in values:
            values[word] = free_key(word, values.values())
    return tuple((values[word], word) for word in said)


def free_key(words: str, taken: Collection[str]) -> str:
    """Return a key made of the sound of some words, with a number where it is taken: 露营地 gives luyingdi."""
    # Its dictionaries take a quarter of a second to load, and most processes never need them.
    from pypinyin import Style, lazy_pinyin

    sound = "".join(lazy_pinyin(words, style=Style.NORMAL)).lower()
    key = re.sub(r"[^a-z0-9]+", "_", sound).strip("_")[:30] or "item"
    key = key if key[0].isalpha() else f"n{key}"
    number = 1
    while (key if number == 1 else f"{key}_{number}") in taken:
        number += 1
    return key if number == 1 else f"{key}_{number}"


def _wrong(at: int, said: str) -> BadInput:
    return BadInput("kind_attribute_invalid", f"第 {at} 项：{said}。", field="attributes", line=at)
