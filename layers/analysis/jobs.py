"""The long work of analyses: keeping a large result as a layer."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from geo.jobs.actions import start_job
from geo.jobs.aside import Aside
from geo.jobs.models import Job
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope
from layers.analysis.saving import save_result
from layers.processes.registry import scope_now

SAVE_JOB: Final = "layers.analysis.save"
AT_ONCE: Final = 3_000
"""Features that are kept while somebody waits."""


@transaction.atomic
def begin_saving(*, run_id: UUID, title: str, region: str, audience: str, key: UUID, scope: Scope) -> Job:
    """Let a result be kept as a layer in the background, once however often it is sent; done, the job says the dataset's key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"saving {key}"])
    known = Job.objects.filter(kind=SAVE_JOB, actor=scope.actor, params__key=str(key)).first()
    if known is not None:
        return known
    params = {"run": str(run_id), "title": title, "region": region, "audience": audience, "key": str(key)}
    return start_job(kind=SAVE_JOB, params=params, actor=scope.actor)


@job(SAVE_JOB)
def save(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Keep a result as whoever asked may now; begun again after a crash it is kept once."""
    scope = scope_now(progress.job.actor)
    with Aside(progress) as aside:
        dataset = save_result(
            run_id=UUID(params["run"]), title=params["title"], region=params["region"], audience=params["audience"],
            key=UUID(params["key"]), scope=scope, step=aside.step,
        )  # fmt: skip
    return {"dataset": dataset.key}
