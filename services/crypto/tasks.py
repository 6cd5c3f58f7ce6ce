"""Celery's side of crypto: logs enter their trees every minute."""

from celery import shared_task

from services.crypto.chain import chain_logs


@shared_task(name="services.crypto.chain_logs")
def chain() -> int:
    """Enter what is new in every log and sign the roots that changed."""
    return chain_logs()
