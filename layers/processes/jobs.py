"""The long work of processes: a run is carried out with what its caller may see now."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from geo.errors import NotFound, TooLarge
from geo.jobs.aside import Aside
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from layers.processes.actions import RUN_JOB, check_inputs, enter_result, keep_result
from layers.processes.models import ProcessRun
from layers.processes.registry import process_named, scope_now
from layers.processes.spec import Asked

AT_ONCE_S: Final = 10.0
LONGEST_S: Final = 3600.0
"""How long a run may take that somebody waits for, and one that nobody waits for."""


@job(RUN_JOB)
def carry_out(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Carry out a run from its beginning, whatever an earlier attempt did: half-written files went with their process."""
    run = ProcessRun.objects.filter(pk=params["run"], job_id=progress.job.pk).first()
    if run is None:
        raise NotFound("run_unknown", "没有找到这个任务，可能已到期删除。")
    scope = scope_now(run.actor)
    spec = process_named(run.process, scope=scope)
    check_inputs(spec, run.inputs)
    spec.plan(run.inputs, scope)
    with tempfile.TemporaryDirectory(prefix="quantu-run-") as folder, Aside(progress) as aside:
        step = _timed(aside.step, AT_ONCE_S if run.at_once else LONGEST_S)
        made = spec.run(Asked(run.inputs, scope, Path(folder), step))
        told = keep_result(progress=progress, run=run, made=made, scope=scope)
    return enter_result(progress=progress, run=run, told=told)


def _timed(step: Callable[[float, str], None], seconds: float) -> Callable[[float, str], None]:
    until = time.monotonic() + seconds

    def timed(share: float, message: str = "") -> None:
        if time.monotonic() > until:
            raise TooLarge("run_too_long", f"超过 {seconds:.0f} 秒还没有做完，已停下。请缩小范围，或在后台做。")
        step(share, message)

    return timed
