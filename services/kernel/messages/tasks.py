"""Celery's side of messages: send what is due, read receipts. Beat calls both every minute, an act wakes the first at once."""

from celery import shared_task

from services.kernel.messages.actions import DELIVER_TASK
from services.kernel.messages.delivering import deliver_due
from services.kernel.messages.receipts import read_receipts


@shared_task(name=DELIVER_TASK)
def deliver() -> int:
    """Send the short messages that are due."""
    return deliver_due()


@shared_task(name="services.kernel.messages.read_receipts")
def read() -> int:
    """Read receipts from the gateway."""
    return read_receipts().taken
