"""Celery's side of processes: delete the runs whose days are over."""

from celery import shared_task

from layers.processes.actions import purge_runs


@shared_task(name="layers.processes.purge")
def purge() -> int:
    """Delete expired runs and their files; beat calls this every hour."""
    return purge_runs()
