"""Triggers on declared tables that keep no history of their own: each change of a declared column becomes a row beside them."""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.db import connection

from services.kernel.logs.registry import declared
from services.kernel.logs.spec import Tracked

TRIGGER: Final = "kernel_logs_note"


def install_triggers() -> int:
    """Put the triggers of every declared table there anew, take away those no longer declared, and return how many there are."""
    tables = [table for table in declared()[1] if not table.history]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        cursor.execute("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE %s", [f"{TRIGGER}%"])
        wanted = {name: sql for table in tables for name, sql in _statements(table).items()}
        for name, relation in cursor.fetchall():
            if name not in wanted:
                cursor.execute(f"DROP TRIGGER {name} ON {relation}")
        for table in tables:
            if apps.get_model(table.model)._meta.db_table in there:
                for sql in _statements(table).values():
                    cursor.execute(sql)
    return len(tables)


def _statements(table: Tracked) -> dict[str, str]:
    """Return the triggers of a table by name: they fire for the declared acts, for a change only if a declared column changed."""
    meta = apps.get_model(table.model)._meta
    kept = [*table.fields, *filter(None, (table.name, table.region, table.organisation, table.actor, table.request))]
    columns = "{" + ",".join(dict.fromkeys(kept)) + "}"
    arguments = ", ".join(f"'{each}'" for each in (table.kind, columns, meta.pk.column, table.actor, table.request))
    events = {"created": "INSERT", "changed": "UPDATE", "deleted": "DELETE"}
    before, after = (", ".join(f"{row}.{column}" for column in table.fields) for row in ("OLD", "NEW"))
    return {
        f"{TRIGGER}_{act}_{table.kind}": (
            f"CREATE OR REPLACE TRIGGER {TRIGGER}_{act}_{table.kind} AFTER {events[act]} ON {meta.db_table} FOR EACH ROW "
            + (f"WHEN (ROW({before}) IS DISTINCT FROM ROW({after})) " if act == "changed" else "")
            + f"EXECUTE FUNCTION {TRIGGER}({arguments})"
        )
        for act in table.acts
    }
