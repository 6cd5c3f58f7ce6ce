"""The history of one row: each change with who, when, and what was there before, from the events that pghistory keeps."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model

from services.kernel.ledger.cells import BLANK, cell
from services.kernel.spec import Column, LedgerSpec

MOST: Final = 100
"""Changes told of one row, the newest first."""
BY_NOBODY: Final = "系统"
_LOOKED_INTO: Final = frozenset({"JSONField", "ForeignKey"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One column that a change touched, as it is written before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a row."""

    at: datetime.datetime
    actor: str
    differences: tuple[Difference, ...]


def history_of(spec: LedgerSpec, instance: Model) -> list[Change]:
    """Return what was changed in the columns of a row, newest first; changes that touched none of them are left out.

    An event holds the row as it was before: what it became stands in the next event, or in the row itself.
    """
    if not spec.tracked:
        return []
    events = (
        type(instance)
        .pgh_event_model.objects.filter(pgh_obj_id=instance.pk, pgh_label__startswith="update")  # type: ignore[attr-defined]
        .select_related("pgh_context")
        .order_by("-pgh_id")[:MOST]
    )
    found, later = [], instance
    for event in events:
        differences = tuple(
            difference
            for column in spec.columns
            if "__" not in column.key or column.key.split("__")[0] in _fields(event)
            for difference in _difference(column, event, later)
        )
        if differences:
            context: Mapping[str, Any] = event.pgh_context.metadata if event.pgh_context else {}
            found.append(Change(event.pgh_created_at, context.get("actor") or BY_NOBODY, differences))
        later = event
    return found


def _fields(event: Model) -> set[str]:
    """Return the names of the fields of an event that can be looked into: objects, and relations to rows that still are there."""
    return {field.name for field in event._meta.get_fields() if field.get_internal_type() in _LOOKED_INTO}


def _difference(column: Column, before: Model, after: Model) -> list[Difference]:
    was, became = (_value(column.key, row) for row in (before, after))
    if was == became:
        return []
    texts = [cell(column, value).text or BLANK for value in (was, became)]
    return [Difference(column.label, *texts)] if texts[0] != texts[1] else []


def _value(key: str, row: Model) -> Any:
    name, _, entry = key.partition("__")
    try:
        value = getattr(row, name, None)
    except ObjectDoesNotExist:
        return None
    if not entry:
        return value
    return getattr(value, entry, None) if isinstance(value, Model) else (value or {}).get(entry)
