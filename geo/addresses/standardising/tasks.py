"""Celery's side of uploaded lists: delete those whose days are over."""

from celery import shared_task

from geo.addresses.standardising.actions import purge_lists


@shared_task(name="geo.addresses.standardising.purge")
def purge() -> int:
    """Delete expired lists; beat calls this every hour."""
    return purge_lists()
