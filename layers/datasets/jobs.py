"""Long work on datasets: large files read and written aside."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from geo.errors import CityError
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope
from layers.datasets.files.actions import READ_JOB, WEIGH_JOB, WRITE_JOB, read_import, weigh_import, write_import
from layers.datasets.models import DatasetImport, ImportState
from layers.datasets.queries import EDIT, VIEW


@job(READ_JOB)
def read(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Read a file and report on it."""
    progress.step(0.05, "正在读取文件")
    one = read_import(params["import"])
    return {"ready": one.report.get("ready", 0)}


@job(WEIGH_JOB)
def weigh(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Work out what writing a file would do."""
    progress.step(0.05, "正在比较")
    one = DatasetImport.objects.select_related("dataset").get(pk=params["import"])
    try:
        weigh_import(one.pk, by=params["by"], replace=params["replace"], scope=_scope(one, params))
    except CityError as fault:
        _left(one, fault)
        raise
    return {}


@job(WRITE_JOB)
def write(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Write a file that somebody was allowed to write when he asked for it; a failure leaves it as it was read."""
    progress.step(0.05, "正在核对和写入")
    one = DatasetImport.objects.select_related("dataset").get(pk=params["import"])
    how = {name: params[name] for name in ("by", "replace", "seen")}
    try:
        act = write_import(one.pk, **how, key=UUID(params["key"]), scope=_scope(one, params))
    except CityError as fault:
        _left(one, fault)
        raise
    return {"said": act.said if act else ""}


def _scope(one: DatasetImport, params: dict[str, Any]) -> Scope:
    return Scope(paths=(one.dataset.path,), duties=frozenset({VIEW, EDIT}), actor=params["account"])


def _left(one: DatasetImport, fault: CityError) -> None:
    DatasetImport.objects.filter(pk=one.pk).update(state=ImportState.READ, error=fault.message[:400])
