"""Celery's side of rules: write down what went wrong, outside the transaction of the one it happened to."""

from celery import shared_task

from services.kernel.rules.decisions import NOTE_TASK, note_fault


@shared_task(name=NOTE_TASK)
def note(key: str, version_id: str, region_id: int, code: str, message: str, subject: str) -> None:
    """Write one fault down and tell the keepers."""
    note_fault(key=key, version_id=version_id, region_id=region_id, code=code, message=message, subject=subject)
