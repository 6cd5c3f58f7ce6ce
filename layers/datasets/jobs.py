"""Long work on datasets: large files read and written aside."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from geo.errors import CityError
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope
from layers.datasets.files.actions import READ_JOB, WRITE_JOB, read_import, write_import
from layers.datasets.models import DatasetImport, ImportState
from layers.datasets.queries import EDIT, VIEW


@job(READ_JOB)
def read(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Read a file and report on it."""
    progress.step(0.05, "正在读取文件")
    one = read_import(params["import"])
    return {"ready": one.report.get("ready", 0)}


@job(WRITE_JOB)
def write(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Write a file that somebody was allowed to write when he asked for it; a failure leaves it as it was read."""
    progress.step(0.05, "正在核对和写入")
    one = DatasetImport.objects.select_related("dataset").get(pk=params["import"])
    scope = Scope(paths=(one.dataset.path,), duties=frozenset({VIEW, EDIT}), actor=params["account"])
    try:
        act = write_import(
            one.pk,
            by=params["by"],
            replace=params["replace"],
            seen=params["seen"],
            key=UUID(params["key"]),
            scope=scope,
        )
    except CityError as fault:
        DatasetImport.objects.filter(pk=one.pk).update(state=ImportState.READ, error=fault.message[:400])
        raise
    return {"said": act.said if act else ""}
