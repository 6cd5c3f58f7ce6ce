"""Celery's side of messages: send what is due, read receipts. Beat calls both every minute, an act wakes the first at once."""

from celery import shared_task

from services.kernel.messages.actions import DELIVER_TASK
from services.kernel.messages.delivering import AT_ONCE, deliver_due
from services.kernel.messages.receipts import read_receipts


@shared_task(name=DELIVER_TASK)
def deliver() -> int:
    """Send the short messages that are due; of many, the rest in a task of its own, so that other work comes between."""
    handed = deliver_due()
    if handed >= AT_ONCE:
        deliver.delay()
    return handed


@shared_task(name="services.kernel.messages.read_receipts")
def read() -> int:
    """Read receipts from the gateway."""
    return read_receipts().taken
