"""The kinds of facility: ``declared`` in code, kept and added by staff in the database, read by everybody through ``lookup``."""

from services.facilities.kinds.declared import GROUPS, Attribute, AttributeType, Kind, is_day
from services.facilities.kinds.lookup import (
    UnknownKind,
    all_kinds,
    every_kind,
    filterable_attributes,
    kind_choices,
    kind_of,
    kinds_named,
    kinds_of_group,
    known_kind,
    offered_kind_choices,
    spoken_kinds,
)

__all__ = [
    "GROUPS",
    "Attribute",
    "AttributeType",
    "Kind",
    "UnknownKind",
    "all_kinds",
    "every_kind",
    "filterable_attributes",
    "is_day",
    "kind_choices",
    "kind_of",
    "kinds_named",
    "kinds_of_group",
    "known_kind",
    "offered_kind_choices",
    "spoken_kinds",
]
