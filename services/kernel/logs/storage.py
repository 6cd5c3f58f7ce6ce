"""Where lines are kept: a partition for each class and month, made before it is needed and dropped when its time is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.kernel.logs.models import NotedChange
from services.kernel.logs.schema import TABLE
from services.kernel.logs.spec import RETENTION, Kept

AHEAD: Final = 1
"""For how many months after this one partitions stand ready."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One class in one month: its table, its lines as PostgreSQL estimates them, and its size in bytes with indexes."""

    kept: Kept
    month: dt.date
    table: str
    lines: int
    size: int

    @property
    def drops_on(self) -> dt.date:
        """Return the first day on which the month is kept no longer."""
        return _later(self.month, RETENTION[self.kept].months + 1)


def month_of(moment: dt.datetime) -> dt.date:
    """Return the first day of a moment's month by the clock of the city."""
    return moment.astimezone(_zone()).date().replace(day=1)


def bounds_of(month: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return where a month begins, and where the next one does, by the clock of the city."""
    first, after = ((each.replace(day=1)) for each in (month, _later(month, 1)))
    midnight = dt.time()
    return dt.datetime.combine(first, midnight, _zone()), dt.datetime.combine(after, midnight, _zone())


def month_named(text: str) -> dt.date:
    """Return the first day of a month written as 2026-09. Raises ``BadInput``."""
    try:
        return dt.datetime.strptime(text.strip()[:7], "%Y-%m").date()
    except ValueError:
        raise BadInput("month_invalid", "月份要写成 2026-09 的样子。") from None


def ensure_partitions(months: Iterable[tuple[str, dt.date]] = ()) -> list[str]:
    """Make the partitions of this month and the next, and of others asked for, where they are missing; return those made."""
    this = month_of(timezone.now())
    wanted = {(kept, _later(this, ahead)) for kept in RETENTION for ahead in range(AHEAD + 1)} | set(months)
    there = {(each.kept, each.month) for each in partitions(sized=False)}
    return [_make(kept, month) for kept, month in sorted(wanted - there)]


def partitions(*, sized: bool = True) -> list[Partition]:
    """Return every partition, the newest month first; ``sized=False`` leaves lines and sizes at 0, which costs less."""
    size = "pg_total_relation_size(c.oid)" if sized else "0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT c.relname, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint, {size}
            FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
            WHERE i.inhparent = ANY(%s::regclass[])
            """,
            [[f"{TABLE}_{kept}" for kept in RETENTION]],
        )
        rows = cursor.fetchall()
    found = [_partition(name, lines, bytes_) for name, lines, bytes_ in rows]
    return sorted(found, key=lambda each: (each.month, each.kept), reverse=True)


@transaction.atomic
def purge_logs(*, on: dt.date | None = None, actor: str = "system") -> list[Partition]:
    """Drop the partitions whose time is over on a day (today), with an audit entry, and return them.

    Changes noted for lines that are gone go too.
    """
    day = on or timezone.localdate()
    over = [each for each in partitions() if each.drops_on <= day]
    with connection.cursor() as cursor:
        for each in over:
            cursor.execute(f"DROP TABLE {each.table}")
    oldest = bounds_of(_later(day.replace(day=1), -RETENTION["audit"].months))[0]
    NotedChange.objects.filter(at__lt=oldest).delete()
    if over:
        dropped = [f"{each.kept} {each.month:%Y-%m}" for each in over]
        record_audit(act=AuditAct.LOGS_PURGED, actor=actor, detail={"months": dropped})
    return over


def _make(kept: str, month: dt.date) -> str:
    """Make a partition beside the table and attach it then: readers and writers of other months are not held up."""
    name, (first, after) = f"{TABLE}_{kept}_{month:%Y%m}", bounds_of(month)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [TABLE])
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            cursor.execute(
                f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)"
            )
            cursor.execute(
                f"ALTER TABLE {TABLE}_{kept} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", [first, after]
            )
    return name


def _partition(name: str, lines: int, size: int) -> Partition:
    kept, month = name.removeprefix(f"{TABLE}_").rsplit("_", 1)
    known = next(each for each in RETENTION if each == kept)
    return Partition(known, dt.datetime.strptime(month, "%Y%m").date(), name, lines, size)


def _later(month: dt.date, months: int) -> dt.date:
    count = month.year * 12 + month.month - 1 + months
    return dt.date(count // 12, count % 12 + 1, 1)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
