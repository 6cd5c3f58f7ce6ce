"""Rows anywhere in the house that name an account as who made or changed them: told as counts, renamed when it is erased.

Found by the names of columns, so that no app has to declare them. Logs that must not change keep the old name until their time is
over; so does what is signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pgtrigger
from django.apps import apps
from django.db import models
from django.db.models import Q

from services.access.models import User
from services.access.personal.registry import parts
from services.crypto.chain import chained_tables
from services.crypto.signed_rows import signed_tables

NAMING: Final = re.compile(r"(^|_)(by|actor)$")
OURS: Final = ("geo.", "services.")
GONE: Final = "gone"
"""What stands in a row for an account that was erased."""


def named_rows(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield how many rows of each kind that no other part tells of name an account, where there are any."""
    told = {label for part in parts().values() for label in part.models}
    for model, columns in naming_models():
        if model._meta.label in told:
            continue
        if count := model._base_manager.filter(_naming(columns, user)).count():
            yield {"记录": str(model._meta.verbose_name), "条数": count}


def rename_rows(user: User) -> int:
    """Let no row name an account any more that may still change, and return how many did."""
    count = 0
    for model, columns in naming_models():
        if model._meta.label in unchanging():
            continue
        for column in columns:
            count += model._base_manager.filter(**{column: user.username}).update(**{column: GONE})
    return count


@cache
def naming_models() -> tuple[tuple[type[models.Model], tuple[str, ...]], ...]:
    """Return the models that name accounts, with the columns that do."""
    found = []
    for model in apps.get_models():
        columns = tuple(
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField) and NAMING.search(field.name) and not field.choices
        )
        if columns and model._meta.managed and model.__module__.startswith(OURS):
            found.append((model, columns))
    return tuple(found)


@cache
def unchanging() -> frozenset[str]:
    """Return the models whose rows must stay as they are: entered in a Merkle log, signed, or held by the database."""
    logs = {table.model for table in chained_tables()}
    signed = {table.model for table in signed_tables()}
    held = {model._meta.label for model, _ in naming_models() if _protected(model)}
    return frozenset(logs | signed | held)


def _protected(model: type[models.Model]) -> bool:
    triggers = getattr(model._meta, "triggers", ())
    return any(isinstance(each, pgtrigger.Protect) for each in triggers) or model._meta.app_label == "kernel_logs"


def _naming(columns: tuple[str, ...], user: User) -> Q:
    found = Q()
    for column in columns:
        found |= Q(**{column: user.username})
    return found
