"""The importer of every family whose rows are one ``Sourced`` table: one SQL merge from drafts into the table."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from shapely import from_wkb
from shapely.geometry.base import BaseGeometry

from geo.imports.importer import Act, Counts, FamilyImporter
from geo.imports.models import Provenance, Source, Sourced
from geo.imports.purging import RETIRED_INVENTED, Purged, purge_rows

_PLACED = {"region_id": "p.region", "cell": "d.cell"}
"""Columns that follow from the position: written with the row, never a reason to call it changed."""
FEW_ROWS = 500
"""Changes below this leave the planner's picture of a table as it is."""
BULK_ROWS = 20_000
"""From so many rows into an empty table on, building the indexes afterwards is several times faster."""


class SourcedImporter(FamilyImporter):
    """Publishes drafts into ``model``; every name in ``fields`` is a column filled from the payload's value of that name.

    ``expressions`` overrides the SQL of single columns over the draft ``d``. ``geom`` is the draft's own geometry.
    """

    model: ClassVar[type[Sourced]]
    expressions: ClassVar[Mapping[str, str]] = {}
    derived: ClassVar[tuple[str, ...]] = ()
    """Columns that are written but not compared, because they follow from others."""
    kept: ClassVar[Mapping[str, str]] = {}
    """For columns that others write too: the SQL over ``t`` (the row) and ``excluded`` (the draft) that says who wins."""

    owns: ClassVar[tuple[type[models.Model], ...]] = ()
    """Models whose rows are part of the row they refer to, and go with it when it is purged."""

    @property
    def table(self) -> str:
        """Return the quoted table name."""
        return connection.ops.quote_name(self.model._meta.db_table)

    def column_expressions(self) -> dict[str, str]:
        """Return column → SQL over ``imports_draftrow d`` for every column a draft fills."""
        filled = {"geom": "d.geom"}
        for name in self.fields:
            column: Any = self.model._meta.get_field(name)
            filled[str(column.column)] = _expression(column, name)
        filled.update(self.expressions)
        if self.cells:
            filled.update(_PLACED)
        return filled

    def publish(self, act: Act) -> Counts:
        """See ``FamilyImporter.publish``."""
        filled = self.column_expressions()
        compared = [name for name in filled if name not in _PLACED and name not in self.derived]
        rows = self._count(_DRAFTS, [act.run.pk])
        gone = self._retire_missing(act)
        quote = connection.ops.quote_name
        names = ", ".join(map(quote, filled))
        mine = ", ".join(f"t.{quote(name)}" for name in compared)
        new = {name: self.kept.get(name, f"excluded.{quote(name)}") for name in filled}
        theirs = ", ".join(new[name] for name in compared)
        put = ", ".join(f"{quote(name)} = {value}" for name, value in new.items())
        sql = f"""
            WITH merged AS (
                INSERT INTO {self.table} AS t (source_id, ext_id, {names}{self._stamp("names")})
                SELECT %s, d.ext_id, {", ".join(filled.values())}{self._stamp("values")}
                FROM imports_draftrow d {_PLACES if self.cells else ""} WHERE d.run_id = %s ORDER BY d.id
                ON CONFLICT (source_id, ext_id) DO UPDATE SET {put}, retired_at = NULL{self._stamp("put")}
                WHERE t.retired_at IS NOT NULL OR ({mine}) IS DISTINCT FROM ({theirs})
                RETURNING xmax::text = '0' AS added
            )
            SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM merged"""
        with connection.cursor() as cursor, self._bulk(act, rows):
            if self.cells:
                cursor.execute(PLACES)
            cursor.execute(sql, [act.source.pk, act.run.pk])
            added, changed = cursor.fetchone()
            if added + changed >= FEW_ROWS:
                # whoever comes next in this act asks this table, and must not be planned by what it was before
                cursor.execute(f"ANALYZE {self.table}")
        return Counts(added, changed, rows - added - changed, gone)

    @contextmanager
    def _bulk(self, act: Act, rows: int) -> Iterator[None]:
        """Fill an empty table without its secondary indexes and build them at the end, inside the same transaction.

        References are checked at the end too, all at once, but only before anything was ever published: putting them back
        locks the tables they point to, and then nobody waits.
        """
        if rows < BULK_ROWS or self._count(f"SELECT count(*) FROM (SELECT 1 FROM {self.table} LIMIT 1) t", []):
            yield
            return
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(_INDEXES, [table])
            indexes = cursor.fetchall()
            references = []
            if not Source.objects.filter(published_at__lt=act.at).exists():
                cursor.execute(_REFERENCES, [table])
                references = cursor.fetchall()
            # neither references nor indexes can be changed while checks wait for the end of the transaction
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for name, _ in references:
                cursor.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT {name}")
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
            yield
            for _, definition in indexes:
                cursor.execute(definition)
            for name, definition in references:
                cursor.execute(f"ALTER TABLE {self.table} ADD CONSTRAINT {name} {definition}")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def _stamp(self, part: str) -> str:
        """Return the SQL that keeps ``updated_at``, where the model has one."""
        if not any(column.name == "updated_at" for column in self.model._meta.get_fields()):
            return ""
        return {"names": ", updated_at", "values": ", now()", "put": ", updated_at = now()"}[part]

    def _retire_missing(self, act: Act) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} t SET retired_at = %s WHERE {_MISSING}", [act.at, act.source.pk, act.run.pk]
            )
            return int(cursor.rowcount)

    def missing_rows(self, act: Act) -> int:
        """See ``FamilyImporter.missing_rows``."""
        return self._count(f"SELECT count(*) FROM {self.table} t WHERE {_MISSING}", [act.source.pk, act.run.pk])

    def current_rows(self, source: Source) -> int:
        """See ``FamilyImporter.current_rows``."""
        return self._count(
            f"SELECT count(*) FROM {self.table} t WHERE t.source_id = %s AND t.retired_at IS NULL", [source.pk]
        )

    @abstractmethod
    def area_condition(self, area_code: str) -> tuple[str, list[Any]]:
        """Return SQL over ``t`` that holds for rows in the area of a region code, with its parameters."""

    def retire_invented(self, *, area_code: str, at: datetime.datetime) -> int:
        """See ``FamilyImporter.retire_invented``."""
        where, params = self.area_condition(area_code) if area_code else ("true", [])
        with connection.cursor() as cursor:
            cursor.execute(
                f"""UPDATE {self.table} t SET retired_at = %s FROM imports_source s
                    WHERE s.id = t.source_id AND s.provenance = %s AND t.retired_at IS NULL AND {where}""",
                [at, Provenance.INVENTED, *params],
            )
            return int(cursor.rowcount)

    def purge_invented(self) -> Purged:
        """See ``FamilyImporter.purge_invented``."""
        return purge_rows(self.model, RETIRED_INVENTED, owns=self.owns)

    def namesakes(self, names: Sequence[str], *, besides: Source) -> Mapping[str, Sequence[BaseGeometry]]:
        """See ``FamilyImporter.namesakes``; families without a name have none."""
        if "name" not in self.fields:
            return {}
        found: dict[str, list[BaseGeometry]] = {}
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT t.name, ST_AsBinary(t.geom) FROM {self.table} t
                    WHERE t.name = ANY(%s) AND t.source_id <> %s AND t.retired_at IS NULL""",
                [list(names), besides.pk],
            )
            for name, wkb in cursor.fetchall():
                found.setdefault(name, []).append(from_wkb(bytes(wkb)))
        return found

    def _count(self, sql: str, params: list[Any]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.fetchone()[0])


PLACES = "CREATE TEMP TABLE IF NOT EXISTS import_places (draft bigint PRIMARY KEY, region bigint) ON COMMIT DROP"
"""Which region each draft lies in, written by the placing of located families; empty for a run that was not placed."""
_PLACES = "LEFT JOIN import_places p ON p.draft = d.id"

_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = %s::regclass AND NOT i.indisunique"""
_REFERENCES = """
    SELECT quote_ident(c.conname), pg_get_constraintdef(c.oid) FROM pg_constraint c
    WHERE c.conrelid = %s::regclass AND c.contype = 'f'"""
_DRAFTS = "SELECT count(*) FROM imports_draftrow WHERE run_id = %s"
_MISSING = """t.source_id = %s AND t.retired_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM imports_draftrow d WHERE d.run_id = %s AND d.ext_id = t.ext_id)"""

_CASTS: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
    (models.BooleanField, "boolean"),
    (models.BigIntegerField, "bigint"),
    (models.IntegerField, "integer"),
    (models.FloatField, "double precision"),
    (models.DateTimeField, "timestamptz"),
    (models.DateField, "date"),
)


def _expression(column: Any, name: str) -> str:
    """Return the SQL that reads one payload value as its column's type; absent text is '', absent lists and objects empty."""
    if isinstance(column, ArrayField):
        return f"ARRAY(SELECT jsonb_array_elements_text(coalesce(d.payload->'{name}', '[]')))"
    if isinstance(column, models.JSONField):
        return f"coalesce(d.payload->'{name}', '{{}}')"
    text = f"d.payload->>'{name}'"
    if isinstance(column, models.ForeignKey):
        column = column.target_field
    for kind, sql_type in _CASTS:
        if isinstance(column, kind):
            return f"({text})::{sql_type}"
    return text if column.null else f"coalesce({text}, '')"
