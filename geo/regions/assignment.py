"""Which rows have a point and a region, and how a new edition gives them their regions without a moment of half and half.

Any model with a point ``geom``, a ``region`` and an H3 ``cell`` takes part: nothing has to be registered, nothing can be
forgotten. Preparing writes what would change into ``PendingAssignment`` chunk by chunk and may be stopped and resumed.
Applying happens in the act of publishing, under a lock that makes writers wait: chunks that changed since they were prepared,
known by a digest, are prepared again first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypedDict

import numpy as np
from django.apps import apps
from django.contrib.gis.db import models
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from psycopg import sql

from geo.regions.index import NOWHERE, RegionIndex
from geo.regions.models import Edition, PendingAssignment, Region

CHUNK: Final = 20_000


class Chunk(TypedDict):
    """A run of rows already prepared: ids from (exclusive) and to (inclusive), and the digest of what they said."""

    table: str
    after: int
    upto: int
    digest: int


@dataclass(frozen=True, slots=True)
class PointTable:
    """A table of rows with a point and a region."""

    name: str
    key: str
    retires: bool
    """Whether its rows can be retired; those that are keep the region they had."""


def point_tables() -> list[PointTable]:
    """Return the tables whose rows carry a point, a region and a cell, in a fixed order."""
    found = []
    for model in apps.get_models():
        try:
            point, region = model._meta.get_field("geom"), model._meta.get_field("region")
            model._meta.get_field("cell")
        except FieldDoesNotExist:
            continue
        plain = not model._meta.proxy and model._meta.managed and not hasattr(model, "pgh_tracked_model")
        if plain and isinstance(point, models.PointField) and region.related_model is Region:
            retires = any(field.name == "retired_at" for field in model._meta.get_fields())
            found.append(PointTable(model._meta.db_table, str(model._meta.pk.column), retires))
    return sorted(found, key=lambda table: table.name)


def prepare_chunk(edition: Edition, table: PointTable, after: int, index: RegionIndex) -> Chunk | None:
    """Prepare the rows that follow an id, and return what was prepared; None when there are no more. Call in a transaction."""
    statement = sql.SQL(
        "SELECT {key}, ST_X(geom), ST_Y(geom), coalesce(region_id, 0), {digest} FROM {table} "
        "WHERE {key} > %s AND {current} ORDER BY {key} LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(_on(table, statement), [after, CHUNK])
        rows = cursor.fetchall()
    if not rows:
        return None
    ids, lon, lat, now, digests = (np.array(column) for column in zip(*rows, strict=True))
    _write_pending(edition, table, ids, now, index.at(lon.astype(float), lat.astype(float)))
    digest = int(np.bitwise_xor.reduce(digests.astype(np.int64)))
    return Chunk(table=table.name, after=after, upto=int(ids[-1]), digest=digest)


def settle(edition: Edition, chunks: list[Chunk], index: RegionIndex) -> int:
    """Bring the preparation up to date and write the regions of all points; returns how many rows changed region.

    Call in the transaction that publishes: writers of these tables wait from here to its end, readers do not.
    """
    changed = 0
    for table in point_tables():
        with connection.cursor() as cursor:
            cursor.execute(_on(table, sql.SQL("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")))
        own = [chunk for chunk in chunks if chunk["table"] == table.name]
        for chunk in own:
            if _digest_now(table, chunk) != chunk["digest"]:
                _prepare_between(edition, table, chunk["after"], chunk["upto"], index)
        for _ in prepare_rest(edition, table, own[-1]["upto"] if own else _BEFORE_ALL, index):
            pass
        changed += _apply(edition, table)
    PendingAssignment.objects.filter(edition=edition).delete()
    return changed


def prepare_rest(edition: Edition, table: PointTable, after: int, index: RegionIndex) -> Iterator[Chunk]:
    """Prepare every row after an id, chunk by chunk."""
    while (chunk := prepare_chunk(edition, table, after, index)) is not None:
        yield chunk
        after = chunk["upto"]


_BEFORE_ALL: Final = -(2**63)


def _prepare_between(edition: Edition, table: PointTable, after: int, upto: int, index: RegionIndex) -> None:
    PendingAssignment.objects.filter(edition=edition, table=table.name, row_id__gt=after, row_id__lte=upto).delete()
    statement = sql.SQL(
        "SELECT {key}, ST_X(geom), ST_Y(geom), coalesce(region_id, 0) FROM {table} WHERE {key} > %s AND {key} <= %s AND {current}"
    )
    with connection.cursor() as cursor:
        cursor.execute(_on(table, statement), [after, upto])
        rows = cursor.fetchall()
    if rows:
        ids, lon, lat, now = (np.array(column) for column in zip(*rows, strict=True))
        _write_pending(edition, table, ids, now, index.at(lon.astype(float), lat.astype(float)))


def _write_pending(edition: Edition, table: PointTable, ids: np.ndarray, now: np.ndarray, then: np.ndarray) -> None:
    moved = now != then
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO {PendingAssignment._meta.db_table} (edition_id, "table", row_id, region_id) '
            "SELECT %s, %s, v.row_id, nullif(v.region_id, %s) FROM unnest(%s::bigint[], %s::bigint[]) v(row_id, region_id) "
            'ON CONFLICT (edition_id, "table", row_id) DO NOTHING',
            [edition.pk, table.name, NOWHERE, ids[moved].tolist(), then[moved].tolist()],
        )


def _digest_now(table: PointTable, chunk: Chunk) -> int | None:
    statement = sql.SQL("SELECT bit_xor({digest}) FROM {table} WHERE {key} > %s AND {key} <= %s AND {current}")
    with connection.cursor() as cursor:
        cursor.execute(_on(table, statement), [chunk["after"], chunk["upto"]])
        row: tuple[int | None] = cursor.fetchone()
    return row[0]


def _apply(edition: Edition, table: PointTable) -> int:
    statement = sql.SQL(
        "UPDATE {table} SET region_id = pending.region_id FROM {pending} pending "
        "WHERE pending.edition_id = %s AND pending.table = %s AND pending.row_id = {key} "
        "AND {table}.region_id IS DISTINCT FROM pending.region_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(_on(table, statement), [edition.pk, table.name])
        return int(cursor.rowcount)


def _on(table: PointTable, statement: sql.SQL) -> sql.Composed:
    key = sql.SQL("{}.{}").format(sql.Identifier(table.name), sql.Identifier(table.key))
    return statement.format(
        table=sql.Identifier(table.name),
        key=key,
        current=sql.SQL("{}.retired_at IS NULL").format(sql.Identifier(table.name))
        if table.retires
        else sql.SQL("true"),
        pending=sql.Identifier(PendingAssignment._meta.db_table),
        digest=sql.SQL(
            "hashtextextended({key}::text || ':' || encode(ST_AsBinary(geom), 'hex') || ':' || coalesce(region_id, 0)::text, 0)"
        ).format(key=key),
    )
