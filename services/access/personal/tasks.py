"""Erasing, on the clock."""

from celery import shared_task

from services.access.personal.actions import erase_due


@shared_task(name="services.access.personal.erase_due")
def erase_due_accounts() -> int:
    """Erase the accounts whose time to think it over is up."""
    return erase_due()
