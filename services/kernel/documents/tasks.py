"""Celery's side of attachments: scan one, and find those that wait."""

from celery import shared_task

from services.kernel.documents import actions


@shared_task(name=actions.SCAN_TASK)
def scan(attachment_id: str) -> None:
    """Let the scanner look at one file."""
    actions.scan_attachment(attachment_id=attachment_id)


@shared_task(name="services.kernel.documents.scan_waiting")
def scan_waiting() -> int:
    """Queue what waits for the scanner; beat calls this every five minutes."""
    return actions.scan_waiting()
