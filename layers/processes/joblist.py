"""The list of a caller's jobs: narrowed by process, state, moments and how long they took, page by page."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import QueryDict

from geo.errors import BadInput
from geo.scope import Scope
from layers.processes.documents import STATUSES
from layers.processes.models import ProcessRun
from layers.processes.queries import runs_visible

MOST_LISTED: Final = 100
_BY_STATUS: Final = {status: state for state, status in STATUSES.items()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs: those that meet a condition, ``limit`` of them after one."""

    condition: Q
    least_s: int | None
    most_s: int | None
    limit: int
    after: ProcessRun | None


def read_wanted(query: QueryDict, limit: int) -> Wanted:
    """Read which jobs are wanted. Raises ``BadInput`` for what is not of the standard."""
    condition = Q()
    kinds, keys, statuses = (_words(query, name) for name in ("type", "processID", "status"))
    if kinds and "process" not in kinds:
        condition &= Q(pk__in=[])
    if keys:
        condition &= Q(process__in=keys)
    if statuses:
        unknown = sorted(set(statuses) - set(_BY_STATUS))
        if unknown:
            raise BadInput("status_unknown", f"status 可用 {'、'.join(_BY_STATUS)}。", parameter="status")
        condition &= Q(job__state__in=[_BY_STATUS[status] for status in statuses])
    if said := query.get("datetime"):
        condition &= _within(said)
    least, most = (_seconds(query, name) for name in ("minDuration", "maxDuration"))
    return Wanted(condition, least, most, limit, _after(query.get("after")))


def listed_jobs(wanted: Wanted, *, scope: Scope) -> tuple[list[ProcessRun], str]:
    """Return a page of the caller's jobs, newest first, and after which the next one begins; '' when there is none."""
    runs: QuerySet[Any] = runs_visible(scope=scope).filter(wanted.condition, job__isnull=False)
    if wanted.least_s is not None or wanted.most_s is not None:
        took = ExpressionWrapper(
            Coalesce(F("job__finished_at"), Now()) - F("job__started_at"), output_field=DurationField()
        )
        runs = runs.annotate(took=took).filter(job__started_at__isnull=False)
    if wanted.least_s is not None:
        runs = runs.filter(took__gte=dt.timedelta(seconds=wanted.least_s))
    if wanted.most_s is not None:
        runs = runs.filter(took__lte=dt.timedelta(seconds=wanted.most_s))
    if wanted.after is not None:
        last = wanted.after
        runs = runs.filter(Q(made_at__lt=last.made_at) | Q(made_at=last.made_at, pk__gt=last.pk))
    found = list(runs.order_by("-made_at", "pk")[: wanted.limit + 1])
    page = found[: wanted.limit]
    return page, str(page[-1].pk) if len(found) > wanted.limit else ""


def _words(query: QueryDict, name: str) -> list[str]:
    return [word for text in query.getlist(name) for word in text.split(",") if word]


def _seconds(query: QueryDict, name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise BadInput("duration_invalid", f"{name} 要是秒数（整数）。", parameter=name)
    return int(text)


def _within(text: str) -> Q:
    """Return the condition that a job was created at a moment or in an interval, open ends as ``..`` or nothing."""
    begin, slash, end = text.partition("/")
    if not slash:
        at = _moment(begin)
        return Q(made_at__gte=at, made_at__lt=at + dt.timedelta(seconds=1))
    found = Q()
    if begin not in ("", ".."):
        found &= Q(made_at__gte=_moment(begin))
    if end not in ("", ".."):
        found &= Q(made_at__lte=_moment(end))
    return found


def _moment(text: str) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise BadInput(
            "datetime_invalid", "datetime 请写成 2026-01-01T00:00:00Z，或用斜线隔开的一段时间。", parameter="datetime"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _after(text: str | None) -> ProcessRun | None:
    if text is None:
        return None
    try:
        return ProcessRun.objects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        raise BadInput("after_invalid", "after 请照抄“下一页”里的。", parameter="after") from None
