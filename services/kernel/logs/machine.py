"""Collects what matters of the machines' logs: requests that write, are slow or fail, calls of outside systems, errors.

A file is read from where its mark stands, whole lines only, so much in one run; after a rotation the rest of the old file first.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from services.access.models import Grant, Organisation, User
from services.kernel.logs.models import LogLine, Mark
from services.kernel.logs.registry import MACHINE_ACTS
from services.kernel.logs.storage import ensure_partitions, month_of

MOST_BYTES: Final = 8 << 20
"""Read of one file in one run."""
MOST_LINES: Final = 5_000
"""Kept of one file in one run; more are counted in one line that says so."""
SLOW_MS: Final = 1_000
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WRONG: Final = re.compile(r"\b(FATAL|PANIC|ERROR|CRITICAL|emerg|alert|crit|Traceback)\b")
BEGINS: Final = re.compile(r"(\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
FRAME: Final = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
SECRET: Final = re.compile(r"(?i)(password|secret|token|signature|authorization|cookie)(\W{1,4})\S+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a machine's log in the shape of the log centre, as far as it says."""

    at: dt.datetime
    kept: str
    act: str
    object_kind: str
    object_id: str
    outcome: str
    channel: str
    what: str = ""
    request: str = ""
    account: int | None = None
    ms: int | None = None
    detail: dict[str, Any] | None = None


def collect_machine_lines() -> int:
    """Collect what is new in every log file that is kept and can be read, and return how many lines that made."""
    return sum(_collect_file(Path(each)) for each in settings.DEVICE_LOGS)


def line_of(text: str, *, file: str, now: dt.datetime) -> Line | None:
    """Return what a line of a log says in our shape; ``None`` for one that is not worth keeping."""
    brace = text.find("{")
    if brace >= 0:
        try:
            said = json.loads(text[brace:])
        except ValueError:
            said = None
        if isinstance(said, dict) and "event" in said:
            return _said(said, now)
    if WRONG.search(text):
        clean = SECRET.sub(r"\1\2***", text.strip())[:300]
        at = _moment(found[1].replace("/", "-"), now) if (found := BEGINS.match(text)) else now
        return Line(at, "machine", "error.machine", "file", file, "failed", "machine", detail={"line": clean})
    return None


def _said(said: dict[str, Any], now: dt.datetime) -> Line | None:
    at, event, request = _moment(said.get("timestamp"), now), str(said["event"]), str(said.get("request") or "")[:32]
    if event == "request":
        return _request(said, at)
    if event in ("upstream answered", "upstream failed"):
        status = _number(said.get("status"))
        outcome = "done" if event == "upstream answered" and (status or 0) < 400 else "failed"
        told: dict[str, Any] = {str(key): said[key] for key in ("status", "fault", "attempt") if key in said}
        return Line(
            at, "access", "upstream.call", "upstream", str(said.get("upstream", ""))[:80], outcome, "upstream",
            request=request, ms=_number(said.get("ms")), detail=told,
        )  # fmt: skip
    if said.get("level") in ("error", "critical"):
        trace = str(said.get("exception", ""))
        place = FRAME.findall(trace)
        where = f"{Path(place[-1][0]).name}:{place[-1][1]} {place[-1][2]}" if place else ""
        kind = trace.strip().rsplit("\n", 1)[-1].partition(":")[0][:120]
        told = {"event": event.partition(":")[0][:120], "exception": kind, "where": where}
        return Line(at, "machine", "error.web", "place", where[:80], "failed", "machine", request=request, detail=told)
    return None


def _request(said: dict[str, Any], at: dt.datetime) -> Line | None:
    status, ms, method = _number(said.get("status")) or 0, _number(said.get("ms")) or 0, str(said.get("method", ""))
    if status >= 500:
        act, outcome = "request.fault", "failed"
    elif status in (401, 403, 429):
        act, outcome = "request.refused", "refused"
    elif method not in READING:
        act, outcome = "request.write", "done" if status < 400 else "failed"
    elif ms >= SLOW_MS:
        act, outcome = "request.slow", "done"
    else:
        return None
    route = str(said.get("route", ""))
    return Line(
        at, "access", act, "route", route[:80], outcome, "api" if route.startswith(("api", "tiles", "ogc")) else "page",
        what=method[:8], request=str(said.get("id") or "")[:32], account=_number(said.get("account")), ms=ms,
        detail={"method": method[:8], "status": status},
    )  # fmt: skip


def _number(value: Any) -> int | None:
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) and value < 2**31 else None


def _moment(text: Any, now: dt.datetime) -> dt.datetime:
    """Return the moment a line names; the present one where it names none, or one no log of ours can name."""
    try:
        at = parse_datetime(str(text))
    except ValueError:
        at = None
    if at is None:
        return now
    at = at if timezone.is_aware(at) else timezone.make_aware(at, dt.UTC)
    return at if abs(now - at) < dt.timedelta(days=180) else now


@transaction.atomic
def _collect_file(path: Path) -> int:
    try:
        inode = path.stat().st_ino
    except OSError:
        return 0
    key = f"file:{path}"[:300]
    Mark.objects.get_or_create(key=key, defaults={"inode": inode})
    mark = Mark.objects.select_for_update(skip_locked=True).filter(key=key).first()
    if mark is None:
        return 0  # somebody else is at it
    now, entered = timezone.now(), 0
    if mark.inode != inode:
        old = next((each for each in path.parent.glob(f"{path.name}*") if _inode(each) == mark.inode), None)
        if old is not None:
            text, end = _read(old, mark.done)
            entered += _enter(text, path.name, f"{mark.inode}:{mark.done}", now)
            mark.done = end
        if old is None or end >= old.stat().st_size or not text:
            mark.inode, mark.done = inode, 0
    if mark.inode == inode:
        if path.stat().st_size < mark.done:  # emptied in place
            mark.done = 0
        text, end = _read(path, mark.done)
        entered += _enter(text, path.name, f"{inode}:{mark.done}", now)
        mark.done = end
    if entered:
        mark.arrived_at, mark.lines = now, mark.lines + entered
    mark.save()
    return entered


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def _read(path: Path, start: int) -> tuple[list[str], int]:
    """Return the whole lines from a byte on, so many, and where the next one begins."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(MOST_BYTES)
    except OSError:
        return [], start
    whole = data.rfind(b"\n") + 1
    if not whole and len(data) == MOST_BYTES:
        whole = len(data)  # one line longer than anything we would keep
    return data[:whole].decode("utf-8", "replace").splitlines(), start + whole


def _enter(texts: Iterable[str], file: str, place: str, now: dt.datetime) -> int:
    lines = [
        (f"{place}#{number}", line)
        for number, text in enumerate(texts)
        if (line := line_of(text, file=file, now=now)) is not None
    ]
    more = len(lines) - MOST_LINES
    if more > 0:
        told = {"lines": more}
        cut = Line(now, "machine", "lines.cut", "file", file, "failed", "machine", detail=told)
        lines = [*lines[:MOST_LINES], (f"{place}#cut", cut)]
    if lines:
        ensure_partitions({(line.kept, month_of(line.at)) for _, line in lines})
        with connection.cursor() as cursor:
            # One by one: where history has a context, as in every task, it cannot be put before many statements at once.
            for values in _values(lines):
                cursor.execute(INSERT, values)
    return len(lines)


def _values(lines: Iterable[tuple[str, Line]]) -> Iterator[dict[str, Any]]:
    for place, line in lines:
        detail = json.dumps(line.detail, ensure_ascii=False).replace("\\u0000", "") if line.detail else None
        what = f"{MACHINE_ACTS[line.act]} {line.what}".strip()
        yield {
            "kept": line.kept, "at": line.at, "source_id": place[:80], "act": line.act, "what": what,
            "account": line.account, "object_kind": line.object_kind, "object_id": line.object_id.replace("\x00", ""),
            "channel": line.channel, "request": line.request, "outcome": line.outcome, "ms": line.ms, "detail": detail,
        }  # fmt: skip


INSERT: Final = f"""
INSERT INTO {LogLine._meta.db_table} (kept, at, source, source_id, act, what, actor, account, object_kind, object_id, object_name,
  region_id, organisation_id, channel, request_id, outcome, ms, detail, pieces)
SELECT %(kept)s, %(at)s, 'machine', %(source_id)s, %(act)s, %(what)s, coalesce(u.username, ''), u.id, %(object_kind)s,
  %(object_id)s, kernel_logs_masked(%(object_id)s::text), g.region_id, g.organisation_id, %(channel)s, %(request)s, %(outcome)s,
  %(ms)s, kernel_logs_masked(%(detail)s::jsonb), kernel_logs_pieces(%(what)s || ' ' || %(object_id)s)
FROM (SELECT 1) one LEFT JOIN {User._meta.db_table} u ON u.id = %(account)s
LEFT JOIN LATERAL (SELECT coalesce(g.region_id, o.region_id) AS region_id, g.organisation_id
  FROM {Grant._meta.db_table} g LEFT JOIN {Organisation._meta.db_table} o ON o.id = g.organisation_id
  WHERE g.user_id = u.id AND g.ended_at IS NULL AND coalesce(g.region_id, o.region_id) IS NOT NULL
  ORDER BY g.id LIMIT 1) g ON true
"""
