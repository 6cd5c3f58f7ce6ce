"""Deleting rows for good: only what nothing else refers to, with what belongs to it, in a few statements a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from geo.imports.models import Provenance

RETIRED_INVENTED = f"""t.retired_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM imports_source s WHERE s.id = t.source_id AND s.provenance = '{Provenance.INVENTED}')"""
"""SQL over ``t`` that holds for retired invented rows of a table with a source."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows were deleted, how many stay because something refers to them, and how many belonged to the deleted ones."""

    deleted: int = 0
    kept: int = 0
    belonging: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(self.deleted + other.deleted, self.kept + other.kept, self.belonging + other.belonging)


def purge_rows(
    model: type[models.Model], where: str, params: Sequence[Any] = (), owns: Sequence[type[models.Model]] = ()
) -> Purged:
    """Delete the rows of a model for which ``where`` (SQL over ``t``) holds and nothing refers to them, and count them.

    Rows of the models in ``owns`` that refer to them are deleted along. Whatever else refers to a row keeps it, however that
    reference would behave when the row went. Call in a transaction.
    """
    table, key = _quoted(model), connection.ops.quote_name(str(model._meta.pk.column))
    owned: list[tuple[str, str]] = []
    holding: list[tuple[str, str]] = []
    for relation in _relations(model):
        (owned if relation.related_model in owns else holding).append(_column(relation))
    free = "".join(f" AND NOT EXISTS (SELECT 1 FROM {other} o WHERE o.{column} = t.{key})" for other, column in holding)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS purge_doomed")
        cursor.execute(
            f"""CREATE TEMP TABLE purge_doomed ON COMMIT DROP AS
                SELECT t.{key} AS id, true{free} AS free FROM {table} t WHERE {where}""",
            list(params),
        )
        cursor.execute("SELECT count(*) FILTER (WHERE NOT free) FROM purge_doomed")
        kept = int(cursor.fetchone()[0])
        cursor.execute("DELETE FROM purge_doomed WHERE NOT free")
        cursor.execute("CREATE INDEX ON purge_doomed (id)")
        cursor.execute("ANALYZE purge_doomed")
        belonging = _delete_owned(cursor, owned)
        cursor.execute(f"DELETE FROM {table} t USING purge_doomed d WHERE d.id = t.{key}")
        deleted = cursor.rowcount
        # the deletion itself is history too, written by a trigger
        _delete_owned(cursor, owned)
    return Purged(deleted, kept, belonging)


def _delete_owned(cursor: Any, owned: Sequence[tuple[str, str]]) -> int:
    deleted = 0
    for other, column in owned:
        cursor.execute(f"DELETE FROM {other} o USING purge_doomed d WHERE d.id = o.{column}")
        deleted += cursor.rowcount
    return deleted


def _relations(model: type[models.Model]) -> list[Any]:
    """Return every reference to a model from a table of ours, also those without a name on this side."""
    fields = model._meta.get_fields(include_hidden=True)
    return [
        each for each in fields if each.auto_created and not each.concrete and (each.one_to_many or each.one_to_one)
    ]


def _column(relation: Any) -> tuple[str, str]:
    return _quoted(relation.related_model), connection.ops.quote_name(relation.field.column)


def _quoted(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
