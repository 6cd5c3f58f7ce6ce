"""The long work of processes: a run is carried out with what its caller may see now."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from celery import current_task
from django.utils import timezone

from geo.errors import NotFound, TooLarge
from geo.jobs.aside import Aside
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from layers.processes.actions import RUN_JOB, check_inputs, enter_result, keep_result
from layers.processes.models import ProcessRun
from layers.processes.registry import PUBLIC, process_named, scope_now
from layers.processes.spec import Asked

log = logging.getLogger(__name__)
AT_ONCE_S: Final = 10.0
LONGEST_S: Final = 3600.0
LONGEST_PUBLIC_S: Final = 600.0
"""How long a run may take that somebody waits for, one that nobody waits for, and one of a caller who is unknown."""
TOO_COMPLEX: Final = "图形太复杂，算到时限还没有结果，已停下。请先简化图形，或缩小范围再做。"
GRACE_S: Final = 60.0
"""After so many seconds more a worker that has not come back from a library ends with its process."""


@job(RUN_JOB, in_turn=True)
def carry_out(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Carry out a run from its beginning, whatever an earlier attempt did: half-written files went with their process."""
    run = ProcessRun.objects.filter(pk=params["run"], job_id=progress.job.pk).first()
    if run is None:
        raise NotFound("run_unknown", "没有找到这个任务，可能已到期删除。")
    scope = scope_now(run.actor)
    spec = process_named(run.process, scope=scope)
    check_inputs(spec, run.inputs)
    spec.plan(run.inputs, scope)
    seconds = AT_ONCE_S if run.at_once else LONGEST_PUBLIC_S if run.actor == PUBLIC else LONGEST_S
    with (
        tempfile.TemporaryDirectory(prefix="quantu-run-") as folder,
        Aside(progress) as aside,
        _ended_after(seconds + GRACE_S, progress.job),
    ):
        step = _timed(aside.step, seconds)
        made = spec.run(Asked(run.inputs, scope, Path(folder), step))
        told = keep_result(progress=progress, run=run, made=made, scope=scope)
    return enter_result(progress=progress, run=run, told=told)


@contextlib.contextmanager
def _ended_after(seconds: float, work: Job) -> Iterator[None]:
    """End this process when the work within takes longer: nothing else stops a library. Only a worker's process is ended."""
    if not current_task or current_task.request.called_directly:
        yield
        return
    timer = threading.Timer(seconds, _end, [work])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(work: Job) -> None:
    error = {"code": "run_too_long", "message": TOO_COMPLEX}
    mine = Job.objects.filter(pk=work.pk, attempts=work.attempts, state=JobState.RUNNING)
    try:
        mine.update(state=JobState.FAILED, finished_at=timezone.now(), error=error)
    finally:
        log.error("run ended with its process", extra={"job": str(work.pk)})
        os._exit(1)


def _timed(step: Callable[[float, str], None], seconds: float) -> Callable[[float, str], None]:
    until = time.monotonic() + seconds

    def timed(share: float, message: str = "") -> None:
        if time.monotonic() > until:
            raise TooLarge("run_too_long", f"超过 {seconds:.0f} 秒还没有做完，已停下。请缩小范围，或在后台做。")
        step(share, message)

    return timed
