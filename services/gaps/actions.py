"""Writes of gaps: have everything measured that is not, or no longer right."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from geo.addresses.gazetteer import published_now
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from routing.graph import NoGraph
from services.access.queries import check_duty
from services.facilities.ground import current_graph
from services.gaps.duties import VIEW
from services.gaps.ground import stamp_of
from services.gaps.models import GapWalk
from services.gaps.queries import KIND, last_measured, measuring_now, stale_kinds

PAUSE: Final = dt.timedelta(hours=1)
"""After a run that was stopped or failed the clock begins none for so long; people may at any time."""
_LOCK: Final = 8_240_917
"""Of the transaction that looks whether something is being measured and, if not, begins."""


def start_measuring(*, scope: Scope) -> Job:
    """Have measured what is missing or stale; what is being measured already is not begun twice. Needs the duty of seeing it."""
    check_duty(scope, VIEW)
    return _start(scope.actor)


def stop_measuring(*, scope: Scope) -> None:
    """Ask what is being measured to stop; kinds that are done stay. Raises ``Conflict`` for what ended meanwhile."""
    check_duty(scope, VIEW)
    running = measuring_now()
    if running is not None:
        cancel_job(job_id=running.pk)


def start_stale() -> int:
    """Have measured again what changed since, once anything was measured; return how many kinds that is. For the clock."""
    if not GapWalk.objects.exists() or _is_paused():
        return 0
    try:
        stamp = stamp_of(current_graph(), published_now())
    except NoGraph:
        return 0
    stale = stale_kinds(published_now(), stamp)
    if stale:
        _start("system")
    return len(stale)


def _is_paused() -> bool:
    last = last_measured()
    ended = last and last.state in (JobState.CANCELLED, JobState.FAILED) and last.finished_at
    return bool(ended and timezone.now() - ended < PAUSE)


@transaction.atomic
def _start(actor: str) -> Job:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    waiting = Job.objects.filter(kind=KIND, state__in=(JobState.QUEUED, JobState.RUNNING)).first()
    return waiting or start_job(kind=KIND, actor=actor)
