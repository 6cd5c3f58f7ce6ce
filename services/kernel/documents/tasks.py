"""Celery's side of attachments: scan one, find those that wait, and tidy up."""

from celery import shared_task

from services.kernel.documents import actions, contents


@shared_task(name=actions.SCAN_TASK)
def scan(attachment_id: str) -> None:
    """Let the scanner look at one file."""
    actions.scan_attachment(attachment_id=attachment_id)


@shared_task(name="services.kernel.documents.scan_waiting")
def scan_waiting() -> int:
    """Queue what waits for the scanner; beat calls this every five minutes."""
    return actions.scan_waiting()


@shared_task(name="services.kernel.documents.tidy")
def tidy() -> int:
    """Delete old drawings, what uploads left behind and files removed long ago; beat calls this every hour."""
    return contents.tidy() + actions.purge_removed()
