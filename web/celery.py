"""The Celery application: tasks are found in the ``tasks`` module of each installed app."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any, Final

import pghistory
from celery import Celery
from celery.signals import before_task_publish, task_postrun, task_prerun, worker_init
from django.conf import settings

from geo.kept.scratch import begin
from geo.tracing import current_request, request_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
app = Celery("quantu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

HEADER: Final = "quantu_request"
_under_way: dict[str, ExitStack] = {}


@worker_init.connect  # type: ignore[untyped-decorator]
def begin_scratch(**_: Any) -> None:
    """Give a worker and each process it forks a folder of its own for plain contents."""
    begin(settings.SCRATCH)


@before_task_publish.connect  # type: ignore[untyped-decorator]
def hand_request_on(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Let a task carry the number of the request that asked for it."""
    if headers is not None and (number := current_request()):
        headers[HEADER] = number


@task_prerun.connect  # type: ignore[untyped-decorator]
def begin_request(task_id: str = "", task: Any = None, **_: Any) -> None:
    """Run a task for the request that asked for it, or for a number of its own; the history of changes names it."""
    stack = ExitStack()
    number = stack.enter_context(request_of(str(getattr(task.request, HEADER, "") or "")))
    stack.enter_context(pghistory.context(task=task.name, request=number))
    _under_way[task_id] = stack


@task_postrun.connect  # type: ignore[untyped-decorator]
def end_request(task_id: str = "", **_: Any) -> None:
    """Leave the request of a task that ended."""
    if stack := _under_way.pop(task_id, None):
        stack.close()
