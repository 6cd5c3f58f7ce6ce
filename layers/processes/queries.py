"""Reads of runs: whose they are, how far they are, and where their files lie."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from geo.errors import Conflict, NotFound
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from layers.processes.models import ProcessRun
from layers.processes.registry import PUBLIC
from layers.registry import layer

OPEN = (JobState.QUEUED, JobState.RUNNING)


def runs_visible(*, scope: Scope) -> QuerySet[ProcessRun]:
    """Return the runs that a scope asked for, newest first; of whoever is unknown none is listed."""
    runs = ProcessRun.objects.select_related("job")
    return runs.none() if scope.actor == PUBLIC else runs.filter(actor=scope.actor)


def how_many_open(run_ids: Collection[str]) -> int:
    """Return how many of some runs have not ended."""
    return ProcessRun.objects.filter(pk__in=run_ids, job__state__in=OPEN).count()


def run_of(*, run_id: uuid.UUID | str, scope: Scope) -> ProcessRun:
    """Return one run. Raises ``NotFound`` when there is none or somebody else asked for it.

    What nobody known asked for belongs to whoever has its address, which cannot be guessed and holds nothing but public rows.
    """
    found = ProcessRun.objects.select_related("job").filter(pk=run_id, actor__in=(PUBLIC, scope.actor)).first()
    if found is None:
        raise NotFound("run_unknown", "没有找到这个任务，可能已到期删除。")
    return found


def job_of(run: ProcessRun) -> Job:
    """Return the job of a run. Raises ``NotFound`` when it is gone, which leaves the run without a state."""
    if run.job is None:
        raise NotFound("run_unknown", "没有找到这个任务，可能已到期删除。")
    return run.job


def file_of_run(run: ProcessRun, *, scope: Scope) -> Path:
    """Return where the file of a run lies, for whoever may see its layers now.

    Raises ``Conflict`` while there is none, ``NotFound`` for a layer that is gone or closed to the scope.
    """
    for key in run.layers:
        layer(key, scope=scope)
    if not all(scope.covers_path(path) for path in run.paths):
        raise NotFound("run_unknown", "您的辖区变了，不能再取这个文件。请重新导出。")
    if not run.file:
        raise Conflict("result_not_ready", "文件还没有做好，请稍后再取。")
    return folder() / run.file


def folder() -> Path:
    """Return the folder of kept results."""
    return Path(settings.MEDIA_ROOT) / "results"
