"""All kinds as one value: those the code declares, as staff worded and ordered them, and those staff added. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, get_args

from services.facilities.kinds.declared import DECLARED, DECLARED_BY_KEY, GROUPS, Attribute, AttributeType, Kind

_GROUP_ORDER: Final = {group: at for at, group in enumerate(GROUPS)}


@dataclass(frozen=True)
class KindBook:
    """Every kind in the order people see: by group, within one as staff ordered them; retired ones too.

    ``mark`` says of which state of the database this is; ``moved`` when places were last moved from one kind to another.
    """

    every: tuple[Kind, ...]
    mark: object = None
    moved: object = None
    by_key: Mapping[str, Kind] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", MappingProxyType({kind.key: kind for kind in self.every}))

    @cached_property
    def offered(self) -> tuple[Kind, ...]:
        """Return the kinds that are not retired."""
        return tuple(kind for kind in self.every if not kind.retired)

    @cached_property
    def filterable(self) -> Mapping[str, Attribute]:
        """Return by key the attributes a list may be narrowed by; two kinds may declare the same one."""
        return {
            attribute.key: attribute
            for kind in self.every
            for attribute in kind.attributes
            if attribute.filterable and attribute.type in ("boolean", "choice", "text")
        }

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return everything ``kinds=`` takes: groups and kinds."""
        return (*GROUPS, *(kind.key for kind in self.every))


AS_DECLARED: Final = KindBook(DECLARED)


def book_of(rows: Iterable[Mapping[str, Any]], mark: object) -> KindBook:
    """Return the book of the rows of ``FacilityKind``: a declared kind takes words, icon, order and rest of its row, no more."""
    kept = {row["key"]: row for row in rows}
    moved = max((row["moved_at"] for row in kept.values() if row["moved_at"]), default=None)
    placed: list[tuple[tuple[int, int, str], Kind]] = []
    for at, kind in enumerate(DECLARED):
        row = kept.pop(kind.key, None)
        order = at if row is None else row["order"]
        placed.append(((_GROUP_ORDER[kind.group], order, kind.key), kind if row is None else _worded(kind, row)))
    for row in kept.values():
        placed.append(((_GROUP_ORDER.get(row["group"], len(GROUPS)), row["order"], row["key"]), _added(row)))
    return KindBook(tuple(kind for _, kind in sorted(placed, key=lambda one: one[0])), mark, moved)


def _worded(kind: Kind, row: Mapping[str, Any]) -> Kind:
    return replace(kind, name=row["name"], icon=row["icon"], retired=row["retired_at"] is not None)


def _added(row: Mapping[str, Any]) -> Kind:
    return Kind(
        row["key"], row["group"], row["name"], row["icon"], attributes_of(row["attributes"]),
        retired=row["retired_at"] is not None,
    )  # fmt: skip


def attributes_of(data: Any) -> tuple[Attribute, ...]:
    """Return attributes of their plain data (``Kind.attributes_as_data``); what is of another shape is left out."""
    if not isinstance(data, list):
        return ()
    return tuple(
        Attribute(
            one["key"],
            one["label"],
            one["type"],
            one.get("unit", ""),
            tuple((choice["value"], choice["label"]) for choice in one.get("choices", ())),
            one.get("filterable", False),
        )
        for one in data
        if isinstance(one, dict) and one.get("type") in get_args(AttributeType) and {"key", "label"} <= one.keys()
    )


def is_declared(key: str) -> bool:
    """Say whether code declares the kind, so that its key and attributes are not for staff to change."""
    return key in DECLARED_BY_KEY
