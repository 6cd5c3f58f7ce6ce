"""The worker's sign of life, left when it is ready and then, sent by beat, every minute; the health page reads it."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from web.health import leave_sign


@shared_task(name="web.worker_beat")
def worker_beat() -> None:
    """Leave the sign that a worker takes tasks."""
    leave_sign()


@worker_ready.connect
def on_ready(**_: Any) -> None:
    """Leave the first sign at once, rather than at the next full minute."""
    leave_sign()
