"""Collects lines from every source, each row once: the mark of a source moves in the transaction that writes its lines.

A row is read only when every transaction that might still write below it has ended, as the Merkle logs do. A collector that is
killed leaves either both, the lines and the mark, or neither.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from services.access.models import Grant, Organisation, User
from services.crypto.chain import all_ended, under_way
from services.kernel.logs.machine import collect_machine_lines
from services.kernel.logs.models import LogLine, Mark
from services.kernel.logs.reading import Reading, readings
from services.kernel.logs.storage import ensure_partitions

BATCH: Final = 20_000
"""Keys read in one transaction."""
LAG = dt.timedelta(seconds=1)
"""How long after a row was seen the writers below it are noted: each takes its number a moment before it is seen."""
SIGNS: Final = {"what": 400, "object_name": 200, "actor": 150}


def collect_logs(*, lag: dt.timedelta | None = None) -> int:
    """Collect what is new in every source, and return how many lines that made. Of two at once, one reads a source."""
    wait = LAG if lag is None else lag
    ensure_partitions()
    return sum(_collect(each, wait) for each in readings()) + collect_machine_lines()


def collect_now() -> int:
    """Collect everything that has been committed by now, unless somebody is still writing; takes a little more than ``LAG``."""
    done = collect_logs()
    time.sleep(LAG.total_seconds())
    return done + collect_logs() + collect_logs(lag=dt.timedelta(0))


def _collect(reading: Reading, lag: dt.timedelta) -> int:
    entered = 0
    while True:
        lines, more = _collect_batch(reading, lag)
        entered += lines
        if not more:
            return entered


@transaction.atomic
def _collect_batch(reading: Reading, lag: dt.timedelta) -> tuple[int, bool]:
    """Read one batch of a source, and say whether there is more of it that may be read now."""
    Mark.objects.get_or_create(key=reading.key)
    mark = Mark.objects.select_for_update(skip_locked=True).filter(key=reading.key).first()
    if mark is None:
        return 0, False  # somebody else is at it
    if not _may_read(mark, reading, lag):
        if mark.candidate is None or mark.candidate > mark.done:
            mark.save()
        return 0, False  # a source in which nothing is new costs no write
    assert mark.candidate is not None
    upto = min(mark.done + BATCH, mark.candidate)
    lines = _enter(reading, mark.done, upto)
    mark.done, mark.lines = upto, mark.lines + lines
    if lines:
        mark.arrived_at = timezone.now()
    if upto == mark.candidate:
        _look(mark, reading)
    mark.save()
    return lines, upto < (mark.candidate or 0) and bool(mark.waits_for is not None)


def _may_read(mark: Mark, reading: Reading, lag: dt.timedelta) -> bool:
    if mark.candidate is None or mark.candidate <= mark.done:
        _look(mark, reading)
    if mark.candidate is None or mark.candidate <= mark.done or mark.candidate_at is None:
        return False
    if mark.waits_for is None:
        if timezone.now() - mark.candidate_at < lag:
            return False
        mark.waits_for = under_way()
    return all_ended(mark.waits_for)


def _look(mark: Mark, reading: Reading) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max({reading.pk}) FROM {reading.table}")
        highest = cursor.fetchone()[0]
    mark.candidate, mark.candidate_at, mark.waits_for = highest or mark.done, timezone.now(), None


def _enter(reading: Reading, done: int, upto: int) -> int:
    params: dict[str, Any] = {**reading.params, "done": done, "upto": upto, "source": reading.key}
    with connection.cursor() as cursor:
        cursor.execute(reading.moments, params)
        ensure_months(cursor.fetchall())
        cursor.execute(INSERT.replace("{rows}", reading.rows), params)
        return int(cursor.rowcount)


def ensure_months(rows: Sequence[tuple[str, dt.datetime]]) -> None:
    """Make the partitions that lines of some classes and moments go to; a month of another zone may touch two of ours."""
    zone = ZoneInfo(settings.TIME_ZONE)
    moments = {(kept, each) for kept, at in rows for each in (at, at + dt.timedelta(days=31, hours=23))}
    ensure_partitions({(kept, at.astimezone(zone).date().replace(day=1)) for kept, at in moments})


def lines_waiting() -> dict[str, int]:
    """Return by source how many keys lie between what is collected and what is there."""
    marks = dict(Mark.objects.exclude(candidate=None).values_list("key", F("candidate") - F("done")))
    return {key: int(waiting) for key, waiting in marks.items()}


INSERT: Final = f"""
INSERT INTO {LogLine._meta.db_table} (kept, at, source, source_id, act, what, actor, account, object_kind, object_id, object_name,
  region_id, organisation_id, channel, request_id, outcome, ms, address, changes, detail, pieces)
SELECT q.kept, q.at, %(source)s, q.n, left(q.act, 80), m.what, m.actor, coalesce(q.account, u.id), q.object_kind,
  left(coalesce(q.object_id, ''), 80), m.object_name, coalesce(q.region_id, g.region_id), coalesce(q.organisation_id,
  g.organisation_id), q.channel, coalesce(q.request_id, ''), q.outcome, q.ms, q.address, kernel_logs_masked(q.changes),
  kernel_logs_masked(q.detail), kernel_logs_pieces(m.what || ' ' || m.object_name)
FROM ({{rows}}) q
CROSS JOIN LATERAL (SELECT left(kernel_logs_masked(coalesce(q.what, '')), {SIGNS["what"]}) AS what,
  left(kernel_logs_masked(coalesce(q.object_name, '')), {SIGNS["object_name"]}) AS object_name,
  left(kernel_logs_masked(coalesce(q.actor, '')), {SIGNS["actor"]}) AS actor) m
LEFT JOIN {User._meta.db_table} u ON q.account IS NULL AND q.actor <> '' AND u.username = q.actor
LEFT JOIN LATERAL (SELECT coalesce(g.region_id, o.region_id) AS region_id, g.organisation_id
  FROM {Grant._meta.db_table} g LEFT JOIN {Organisation._meta.db_table} o ON o.id = g.organisation_id
  WHERE g.user_id = coalesce(q.account, u.id) AND g.ended_at IS NULL AND coalesce(g.region_id, o.region_id) IS NOT NULL
  ORDER BY g.id LIMIT 1) g ON q.region_id IS NULL
"""
