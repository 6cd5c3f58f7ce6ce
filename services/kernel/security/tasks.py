"""Celery's side of security: device logs are signed every five minutes, everything is checked every day."""

from celery import shared_task

from geo.jobs.actions import start_job
from services.crypto.devices import sign_device_logs
from services.kernel.security.actions import CHECK_JOB


@shared_task(name="services.kernel.security.sign_device_logs")
def sign_logs() -> int:
    """Sign what is new in the log files of the machine."""
    return sign_device_logs()


@shared_task(name="services.kernel.security.check")
def check() -> str:
    """Start the check of the day."""
    return str(start_job(kind=CHECK_JOB).pk)
