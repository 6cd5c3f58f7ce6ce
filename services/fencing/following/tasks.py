"""Celery's side of subjects that move: tell receivers, settle subjects that fell silent, forget positions."""

from celery import shared_task

from services.fencing.following.delivering import deliver_due
from services.fencing.following.intake import put_to_rest, settle_silent
from services.fencing.following.outbox import DELIVER_TASK, heard


@shared_task(name=DELIVER_TASK)
def deliver() -> int:
    """Tell receivers what is due."""
    heard()
    return deliver_due()


@shared_task(name="services.fencing.following.settle")
def settle() -> int:
    """Settle subjects that fell silent."""
    return settle_silent()


@shared_task(name="services.fencing.following.rest")
def rest() -> int:
    """Forget the positions of subjects that nobody reports any more."""
    return put_to_rest()
