"""Triggers on declared tables that keep no history of their own: each change of a declared column becomes a row beside them."""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.db import connection

from services.kernel.logs.registry import declared
from services.kernel.logs.spec import Tracked

TRIGGER: Final = "kernel_logs_note"


def install_triggers() -> int:
    """Let the triggers of every declared table stand as declared, no others, and return how many were made or taken away.

    Those that stand already are left alone: making one anew waits for everybody who writes to its table.
    """
    tables = [table for table in declared()[1] if not table.history]
    changed = 0
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        cursor.execute(
            "SELECT tgname, tgrelid::regclass::text, encode(tgargs, 'hex') FROM pg_trigger WHERE tgname LIKE %s",
            [f"{TRIGGER}%"],
        )
        standing = {
            name: (relation, bytes.fromhex(arguments).decode().split("\0")[:-1])
            for name, relation, arguments in cursor.fetchall()
        }
        wanted = {name: each for table in tables for name, each in _triggers(table).items()}
        for name in standing.keys() - wanted.keys():
            cursor.execute(f"DROP TRIGGER {name} ON {standing[name][0]}")
            changed += 1
        for name, (relation, arguments, sql) in wanted.items():
            if relation in there and standing.get(name) != (relation, arguments):
                cursor.execute(sql)
                changed += 1
    return changed


def _triggers(table: Tracked) -> dict[str, tuple[str, list[str], str]]:
    """Return the triggers of a table by name, with their table, arguments and statement.

    They fire for the declared acts, for a change only if a declared column changed.
    """
    meta = apps.get_model(table.model)._meta
    kept = [*table.fields, *filter(None, (table.name, table.region, table.organisation, table.actor, table.request))]
    columns = "{" + ",".join(dict.fromkeys(kept)) + "}"
    arguments = [table.kind, columns, meta.pk.column, table.actor, table.request, ",".join(table.fields)]
    quoted = ", ".join(f"'{each}'" for each in arguments)
    events = {"created": "INSERT", "changed": "UPDATE", "deleted": "DELETE"}
    before, after = (", ".join(f"{row}.{column}" for column in table.fields) for row in ("OLD", "NEW"))
    return {
        name: (
            meta.db_table,
            arguments,
            f"CREATE OR REPLACE TRIGGER {name} AFTER {events[act]} ON {meta.db_table} FOR EACH ROW "
            + (f"WHEN (ROW({before}) IS DISTINCT FROM ROW({after})) " if act == "changed" else "")
            + f"EXECUTE FUNCTION {TRIGGER}({quoted})",
        )
        for act in table.acts
        for name in [f"{TRIGGER}_{act}_{table.kind}"]
    }
