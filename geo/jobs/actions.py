"""Writes of jobs: ask for work, run it, cancel it, and pick up what a dead worker left."""

from __future__ import annotations

import datetime
import logging
import uuid
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import CityError, Conflict, NotFound
from geo.jobs.models import Job, JobState
from geo.jobs.progress import JobCancelled, Progress
from geo.jobs.registry import goes_in_turn, work_of
from geo.tracing import request_of

log = logging.getLogger(__name__)
RUN_TASK = "geo.jobs.run"
DEAD_AFTER = datetime.timedelta(minutes=2)
ATTEMPTS = 3
TURN_S = 5
"""After so many seconds a job that waits for its turn is looked at again."""


@transaction.atomic
def start_job(*, kind: str, params: dict[str, Any] | None = None, actor: str = "system") -> Job:
    """Ask for a piece of work; it is handed to a worker after the surrounding transaction commits."""
    work_of(kind)
    job = Job.objects.create(kind=kind, params=params or {}, actor=actor)
    transaction.on_commit(lambda: enqueue_job(job_id=job.pk))
    return job


def enqueue_job(*, job_id: uuid.UUID, in_s: int = 0) -> None:
    """Hand a job to a worker, by name and id, at once or in some seconds."""
    current_app.send_task(RUN_TASK, args=[str(job_id)], countdown=in_s or None)


def run_in_turn(*, job_id: uuid.UUID | str) -> Job:
    """Run a queued job as ``run_job`` does; one that has to wait for another of its actor is handed to a worker again later."""
    job = run_job(job_id=job_id, in_turn=True)
    if job.state == JobState.QUEUED:
        enqueue_job(job_id=job.pk, in_s=TURN_S)
    return job


def run_job(*, job_id: uuid.UUID | str, in_turn: bool = False) -> Job:
    """Run a queued job here and now, and return it with its outcome. A job that is not queued is left alone.

    When jobs of its kind go ``in_turn``, one whose actor has another at work is left queued.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound("job_unknown", "没有找到这个任务。")
        if job.state != JobState.QUEUED or (in_turn and _has_to_wait(job)):
            return job
        now = timezone.now()
        job.state, job.started_at, job.heartbeat_at = JobState.RUNNING, job.started_at or now, now
        job.attempts += 1
        job.save()
    with request_of(job.request_id):
        state, fields = _outcome(job)
    # A cancellation or a second attempt may have taken the row meanwhile: only the running one may close it.
    Job.objects.filter(pk=job.pk, state=JobState.RUNNING, attempts=job.attempts).update(
        state=state, finished_at=timezone.now(), **fields
    )
    job.refresh_from_db()
    return job


def _has_to_wait(job: Job) -> bool:
    """Say whether another job of this kind and actor is at work; of two that ask at once one hears of the other."""
    if not goes_in_turn(job.kind):
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"turn of {job.kind} of {job.actor}"])
    return Job.objects.filter(kind=job.kind, actor=job.actor, state=JobState.RUNNING).exists()


def cancel_job(*, job_id: uuid.UUID | str) -> Job:
    """Ask a job to stop: a queued one stops at once, a running one at its next step."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound("job_unknown", "没有找到这个任务。")
        if job.state == JobState.QUEUED:
            job.state, job.finished_at = JobState.CANCELLED, timezone.now()
        elif job.state == JobState.RUNNING:
            job.cancel_requested = True
        else:
            raise Conflict("job_ended", "这个任务已经结束，不用再停。")
        job.save()
    return job


def revive_jobs(*, dead_after: datetime.timedelta = DEAD_AFTER) -> list[Job]:
    """Queue again the jobs whose worker has been silent too long, and fail those that died ``ATTEMPTS`` times."""
    revived = []
    with transaction.atomic():
        silent = Job.objects.select_for_update(skip_locked=True).filter(
            state=JobState.RUNNING, heartbeat_at__lt=timezone.now() - dead_after
        )
        for job in silent:
            if job.attempts >= ATTEMPTS:
                job.state, job.finished_at = JobState.FAILED, timezone.now()
                job.error = {
                    "code": "worker_lost",
                    "message": f"执行这个任务的进程中断了 {ATTEMPTS} 次，请联系管理员。",
                }
            else:
                job.state = JobState.QUEUED
                revived.append(job)
            job.save()
    for job in revived:
        enqueue_job(job_id=job.pk)
    return revived


def _outcome(job: Job) -> tuple[JobState, dict[str, Any]]:
    try:
        result = work_of(job.kind)(Progress(job), dict(job.params))
    except JobCancelled:
        return JobState.CANCELLED, {}
    except CityError as error:
        return JobState.FAILED, {"error": {"code": error.code, "message": error.message}}
    except Exception:
        log.exception("job failed", extra={"job": str(job.pk), "kind": job.kind})
        message = f"任务没能完成，问题在我们这边；编号 {str(job.pk)[:8]}。"
        return JobState.FAILED, {"error": {"code": "fault", "message": message}}
    return JobState.DONE, {"progress": 1.0, "result": result or {}}
