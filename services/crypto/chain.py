"""Logs as Merkle trees: rows enter in the background, the roots are signed, and whoever changes the past is found out.

Who keeps a log declares it in a ``chained.py`` as ``CHAINED``, a tuple of ``ChainedTable``. Nothing is locked and nothing
is paid for where a line is written: a task gives positions to rows that nobody can come before any more.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from geo.declared import declarations
from services.crypto.house import house_keys
from services.crypto.merkle import DIGEST_BYTES, Peaks, leaf_digest
from services.crypto.models import ChainedLog, LogEntry, LogHead
from services.crypto.primitives import sm3

BATCH: Final = 2_000
NOTHING: Final = bytes(DIGEST_BYTES)
LAG = dt.timedelta(seconds=1)
"""How old the sight of a log must be to be trusted: a writer takes its number a moment before it is seen to be at work."""


@dataclass(frozen=True, slots=True)
class ChainedTable:
    """A log: its key, its title, its model with a rising whole number as key, the columns that count, and its moment's column."""

    key: str
    title: str
    model: str
    columns: tuple[str, ...]
    moment: str = "at"

    def rows(self) -> QuerySet[Any]:
        """Return the rows of the log."""
        rows: QuerySet[Any] = apps.get_model(self.model)._default_manager.all()
        return rows

    def leaves(self, rows: QuerySet[Any]) -> Iterator[tuple[int, bytes]]:
        """Yield the key and the leaf of rows, in the order of their keys."""
        for pk, *values in rows.order_by("pk").values_list("pk", *self.columns).iterator(chunk_size=BATCH):
            yield pk, self.leaf(pk, values)

    def leaf(self, pk: int, values: Sequence[Any]) -> bytes:
        """Return the leaf of a row: its log, its key and the values of its columns, written in one way only."""
        return leaf_digest(canonical([self.key, pk, dict(zip(self.columns, values, strict=True))]))


def chained_tables() -> tuple[ChainedTable, ...]:
    """Return every declared log, in the order of the applications."""
    return tuple(declarations("chained", "CHAINED"))


def canonical(value: Any) -> bytes:
    """Return a value as JSON with sorted names and moments in UTC: equal values have equal bytes, and others have others."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_written)
    return text.encode()


def chain_logs(*, lag: dt.timedelta | None = None) -> int:
    """Enter what is new in every log, sign the roots that changed, and return how many rows were entered.

    Called by beat and on demand; of two at once one does the work. ``lag`` is ``LAG`` where it is not said.
    """
    return sum(_chain(table, LAG if lag is None else lag) for table in chained_tables())


def head_bytes(*, log: str, number: int, size: int, root: bytes, before: bytes, at: dt.datetime) -> bytes:
    """Return what is signed of a head."""
    return canonical(["head", log, number, size, root.hex(), before.hex(), at])


def head_digest(head: LogHead) -> bytes:
    """Return the digest by which the next head names this one."""
    signed = head_bytes(
        log=head.log_id,
        number=head.number,
        size=head.size,
        root=bytes(head.root),
        before=bytes(head.before),
        at=head.at,
    )
    return sm3(signed + bytes(head.signature))


def heads_file() -> Path:
    """Return the file outside the database that remembers the last head of every log: a shortened log is found out by it."""
    return Path(settings.LOG_HEADS)


@transaction.atomic
def _chain(table: ChainedTable, lag: dt.timedelta) -> int:
    ChainedLog.objects.get_or_create(key=table.key)
    log = ChainedLog.objects.select_for_update(skip_locked=True).filter(key=table.key).first()
    if log is None:
        return 0  # somebody else is at it
    entered = 0
    if log.candidate is None or log.candidate == log.done:
        _look(log, table)
    if log.candidate_at is not None and timezone.now() - log.candidate_at >= lag and all_ended(log.waits_for):
        entered = _enter(log, table)
        _look(log, table)
    log.save()
    if entered:
        _sign_head(log)
    return entered


def _look(log: ChainedLog, table: ChainedTable) -> None:
    """Remember the highest row now, and who might still write below it."""
    highest = table.rows().aggregate(highest=Max("pk"))["highest"]
    log.candidate, log.candidate_at, log.waits_for = highest or log.done, timezone.now(), under_way()


def under_way() -> list[str]:
    """Return the transactions of this database that write now, ours not among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT x::text FROM pg_snapshot_xip(pg_current_snapshot()) AS x WHERE mod(x::text::bigint, 4294967296)::text IN
              (SELECT backend_xid::text FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL)
            """
        )
        return [xid for (xid,) in cursor.fetchall()]


def all_ended(xids: Sequence[str]) -> bool:
    """Say whether all of some transactions have ended, one way or the other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM unnest(%s::text[]) AS x WHERE pg_xact_status(x::xid8) = 'in progress')",
            [list(xids)],
        )
        return bool(cursor.fetchone()[0])


def _enter(log: ChainedLog, table: ChainedTable) -> int:
    peaks, size, begun = Peaks(log.size, tuple(bytes(peak) for peak in log.peaks)), log.size, log.size
    entries: list[LogEntry] = []
    for row, leaf in table.leaves(table.rows().filter(pk__gt=log.done, pk__lte=log.candidate)):
        peaks = peaks.with_leaf(leaf)
        entries.append(LogEntry(log=log, position=size, row=row, leaf=leaf))
        size += 1
        if len(entries) == BATCH:
            LogEntry.objects.bulk_create(entries)
            entries = []
    LogEntry.objects.bulk_create(entries)
    log.size, log.peaks, log.done = size, list(peaks.roots), log.candidate or log.done
    return size - begun


def _sign_head(log: ChainedLog) -> None:
    last = LogHead.objects.filter(log=log).order_by("-number").first()
    root = Peaks(log.size, tuple(bytes(peak) for peak in log.peaks)).root
    number, before, at = (last.number + 1 if last else 1), (head_digest(last) if last else NOTHING), timezone.now()
    key_id, signature = house_keys().sign(
        head_bytes(log=log.key, number=number, size=log.size, root=root, before=before, at=at)
    )
    head = LogHead.objects.create(
        log=log, number=number, size=log.size, root=root, before=before, at=at, key_id=key_id, signature=signature
    )
    transaction.on_commit(lambda: _remember(log.key, head))


def _remember(key: str, head: LogHead) -> None:
    """Write the head down outside the database, one line each; the last line of a log counts."""
    path = heads_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{key} {head.number} {head.size} {head_digest(head).hex()}\n")


def _written(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date | UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"no one way to write a {type(value).__name__}")
