"""Celery's side of security: device logs are signed every five minutes; every day all is checked, and what is old goes."""

from celery import shared_task

from geo.jobs.actions import start_job
from services.crypto.devices import sign_device_logs
from services.kernel.security.actions import CHECK_JOB
from services.kernel.security.retention import purge_records


@shared_task(name="services.kernel.security.sign_device_logs")
def sign_logs() -> int:
    """Sign what is new in the log files of the machine."""
    return sign_device_logs()


@shared_task(name="services.kernel.security.check")
def check() -> str:
    """Start the check of the day."""
    return str(start_job(kind=CHECK_JOB).pk)


@shared_task(name="services.kernel.security.purge")
def purge() -> int:
    """Clear away the records whose time is over."""
    return sum(purge_records().values())
