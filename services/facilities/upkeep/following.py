"""What follows a place that is merged into another: everything that refers to it, whatever app keeps it, and files kept of it.

What cannot follow, because the other place has the same already (a favourite of one person, the same photo), stays behind and
comes back with the place when the merge is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pghistory.models
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models.fields.reverse_related import ForeignObjectRel

from services.facilities.models import Facility

BY_TEXT: Final = {"kernel_documents.Attachment": ("owner_id", {"owner_kind": "facilities"})}
"""Models that name a place as a text: the column, and what else their rows must say."""
STAYS: Final = frozenset({"facilities_upkeep.MergedFacility.facility", "facilities_upkeep.FacilityDraft"})
"""What is a place's own: where it leads, drafts of it."""
Followed = dict[str, list[Any]]


def follow(*, gone: Facility, stays: Facility) -> Followed:
    """Let all that refers to one place refer to another, and return the keys of what did, by model and column."""
    found: Followed = {}
    for model, column, rows, value in _references(gone, stays):
        moved = _move(model, column, list(rows.values_list("pk", flat=True)), value)
        if moved:
            found[f"{model._meta.label}.{column}"] = [str(pk) for pk in moved]
    return found


def return_followed(followed: Mapping[str, list[Any]], *, to: Facility, stayed: Facility) -> None:
    """Let what followed refer to its old place again, less what was given to a third meanwhile."""
    for name, keys in followed.items():
        label, _, column = name.rpartition(".")
        model = apps.get_model(label)
        by_text = label in BY_TEXT
        here = {column: str(stayed.pk) if by_text else stayed.pk}
        model._base_manager.filter(pk__in=keys, **here).update(**{column: str(to.pk) if by_text else to.pk})


def _references(gone: Facility, stays: Facility) -> list[tuple[type[models.Model], str, Any, Any]]:
    found: list[tuple[type[models.Model], str, Any, Any]] = []
    for relation in Facility._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel):
            continue
        model: Any = relation.related_model
        column = relation.field.attname
        if issubclass(model, pghistory.models.Event):
            continue  # what was, was of the other
        if {model._meta.label, f"{model._meta.label}.{relation.field.name}"} & STAYS or not model._meta.managed:
            continue
        found.append((model, column, model._base_manager.filter(**{column: gone.pk}), stays.pk))
    for label, (column, where) in BY_TEXT.items():
        model = apps.get_model(label)
        found.append((model, column, model._base_manager.filter(**where, **{column: str(gone.pk)}), str(stays.pk)))
    return found


def _move(model: type[models.Model], column: str, keys: list[Any], value: Any) -> list[Any]:
    """Move rows at once, or one by one where some are there already; return the keys of those that moved."""
    rows = model._base_manager
    try:
        with transaction.atomic():
            rows.filter(pk__in=keys).update(**{column: value})
        return keys
    except IntegrityError:
        return [pk for pk in keys if len(keys) > 1 and _move(model, column, [pk], value)]
