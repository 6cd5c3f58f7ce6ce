"""Reads of the log centre: lines found by what was asked, page by page, and everything that belongs to one request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import BadInput, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import regions_under, within
from geo.scope import Scope
from services.access.queries import check_duty, holds_citywide
from services.kernel.logs.models import LogLine
from services.kernel.logs.registry import act_words, app_words
from services.kernel.logs.spec import OUTCOMES, RETENTION

VIEW: Final = "logs.view"
ON_A_PAGE: Final = 50
MOST_EXPORTED: Final = 100_000
DAYS: Final = 30
"""How far back is looked where nothing else is asked."""
PATIENCE_MS: Final = 8_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. Empty fields ask nothing; ``since`` and ``until`` are moments, the second not included."""

    text: str = ""
    actor: str = ""
    act: str = ""
    kept: str = ""
    object_kind: str = ""
    object_id: str = ""
    region: str = ""
    outcome: str = ""
    channel: str = ""
    request: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    app: str = ""
    slow_ms: int = 0

    @property
    def by_key(self) -> bool:
        """Say whether one request or one object is asked for: then all times are looked through."""
        return bool(self.request or self.object_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, the newest first, and where the next and the one before begin, '' where there is none."""

    lines: list[LogLine]
    older: str
    newer: str


def lines_visible(*, scope: Scope) -> QuerySet[LogLine]:
    """Return the lines of the scope's regions, all of them to who holds ``logs.view`` over the whole city."""
    check_duty(scope, VIEW)
    rows = LogLine.objects.all()
    if "" in scope.paths or holds_citywide(scope, VIEW):
        return rows
    return rows.filter(region_id__in=_regions(RegionVersion.objects.filter(within(scope), edition__state="published")))


def lines_found(asked: Asked, *, scope: Scope) -> QuerySet[LogLine]:
    """Return the lines that fit, in no order yet. Raises ``BadInput`` for an outcome, a class or a span there is none of."""
    rows = lines_visible(scope=scope)
    if asked.outcome and asked.outcome not in OUTCOMES or asked.kept and asked.kept not in RETENTION:
        raise BadInput("choice_unknown", "请从列表里选结果和类别。")
    if asked.since and asked.until and asked.since >= asked.until:
        raise BadInput("span_backwards", "开始时间要早于结束时间，请核对。")
    since = asked.since
    if since is None and not asked.by_key:
        since = (asked.until or timezone.now()) - dt.timedelta(days=DAYS)
    plain = {
        "actor": asked.actor, "kept": asked.kept, "object_kind": asked.object_kind, "object_id": asked.object_id,
        "outcome": asked.outcome, "channel": asked.channel, "request_id": asked.request, "at__gte": since,
        "at__lt": asked.until, "ms__gte": asked.slow_ms,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in plain.items() if value})
    if asked.act:
        rows = rows.filter(act=asked.act)
    if asked.app:
        rows = rows.filter(act__startswith=f"{asked.app}.")
    if asked.region:
        rows = rows.filter(region_id__in=_regions(regions_under(asked.region, scope=Scope.public())))
    for word in asked.text.split()[:5]:
        rows = rows.filter(_says(word))
    return rows


def find_lines(asked: Asked, *, scope: Scope, older: str = "", newer: str = "", most: int = ON_A_PAGE) -> Page:
    """Return a page of the lines that fit, the newest first; ``older`` and ``newer`` are keys that a page gave.

    Raises ``BadInput`` for what cannot be asked, and for a question that takes too long.
    """
    rows = lines_found(asked, scope=scope)
    with patience():
        if newer:
            at, pk = _keyset(newer)
            rows = rows.filter(Q(at__gt=at) | Q(at=at, id__gt=pk))
            found = list(rows.filter(at__gte=at).order_by("at", "id")[: most + 1])
            more, lines = len(found) > most, list(reversed(found[:most]))
            return Page(lines, _key(lines[-1]) if lines else "", _key(lines[0]) if more else "")
        if older:
            at, pk = _keyset(older)
            rows = rows.filter(Q(at__lt=at) | Q(at=at, id__lt=pk)).filter(at__lte=at)
        found = list(rows.order_by("-at", "-id")[: most + 1])
    lines = found[:most]
    return Page(lines, _key(lines[-1]) if len(found) > most else "", _key(lines[0]) if older and lines else "")


def line_seen(pk: int, *, scope: Scope, at: dt.datetime | None = None) -> LogLine:
    """Return one line of the scope; ``at`` spares looking into every month. Raises ``NotFound``."""
    rows = lines_visible(scope=scope).filter(pk=pk)
    found = (rows.filter(at=at) if at else rows).first()
    if found is None:
        raise NotFound("line_unknown", "没有找到这条日志，可能已过保存期限，或不在您的管辖范围内。")
    return found


def lines_of_request(number: str, *, scope: Scope) -> list[LogLine]:
    """Return what belongs to one request, over web, worker and outside calls, the earliest first."""
    if not number:
        return []
    return list(lines_found(Asked(request=number), scope=scope).order_by("at", "id")[:200])


def later_changes(line: LogLine, *, scope: Scope) -> list[LogLine]:
    """Return the changes of the same object after a line, the earliest first."""
    rows = lines_visible(scope=scope).filter(
        object_kind=line.object_kind, object_id=line.object_id, at__gte=line.at, changes__isnull=False
    )
    return list(rows.exclude(pk=line.pk).filter(Q(at__gt=line.at) | Q(id__gt=line.pk)).order_by("at", "id")[:50])


def export_lines(asked: Asked, *, scope: Scope) -> Iterator[LogLine]:
    """Yield the lines that fit, the newest first, at most ``MOST_EXPORTED``."""
    page = find_lines(asked, scope=scope, most=2_000)
    left = MOST_EXPORTED
    while page.lines and left > 0:
        yield from page.lines[:left]
        left -= len(page.lines)
        if not page.older:
            return
        page = find_lines(asked, scope=scope, older=page.older, most=2_000)


def acts_shown() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every act with its words, in groups by what it is done to, for a list to choose from."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, word in act_words().items():
        groups.setdefault(key.partition(".")[0], []).append((key, word))
    return [(app_words().get(app, app), acts) for app, acts in groups.items()]


def narrowed(asked: Asked, **changes: Any) -> Asked:
    """Return a question with some fields otherwise."""
    return replace(asked, **changes)


def _regions(versions: QuerySet[RegionVersion]) -> list[int]:
    """Return the regions of versions as numbers: with them, unlike with a join, the newest lines are read in their order."""
    return list(versions.values_list("region_id", flat=True))


def _says(word: str) -> Q:
    """Return the condition that a line says a word: by pieces of two characters, then letter by letter."""
    plain = "".join(word.split()).lower()[:40]
    pieces = [plain[at : at + 2] for at in range(len(plain) - 1)]
    said = Q(what__icontains=word) | Q(object_name__icontains=word) if len(plain) > 2 or len(plain) == 1 else Q()
    return Q(pieces__contains=list(dict.fromkeys(pieces))) & said if pieces else said


def _key(line: LogLine) -> str:
    return f"{line.at.timestamp():.6f}_{line.pk}"


def _keyset(text: str) -> tuple[dt.datetime, int]:
    try:
        at, _, pk = text[:60].partition("_")
        whole, _, part = at.partition(".")
        moment = dt.datetime.fromtimestamp(int(whole), dt.UTC).replace(microsecond=int(part[:6].ljust(6, "0")))
        return moment, int(pk)
    except (ValueError, OverflowError, OSError):
        raise BadInput("page_unknown", "这一页的地址不对，请从第一页看起。") from None


@contextmanager
def patience() -> Iterator[None]:
    """Let questions take so long and no longer, so that one search never holds the database. Raises ``BadInput``."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            yield
            cursor.execute("SET LOCAL statement_timeout = 0")
    except OperationalError as fault:
        if "statement timeout" not in str(fault):
            raise
        raise BadInput("search_long", "要找的范围太大，没有按时找完。请缩短时间，或加上人员、对象等条件。") from fault
