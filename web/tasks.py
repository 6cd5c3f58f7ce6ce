"""The worker's sign of life, sent by beat every minute and read by the health page."""

import redis
from celery import shared_task
from django.conf import settings

from web.health import WORKER_BEAT, WORKER_SILENT_S


@shared_task(name="web.worker_beat")
def worker_beat() -> None:
    """Leave a sign that expires when no worker renews it."""
    redis.Redis.from_url(settings.REDIS_URL).set(WORKER_BEAT, "1", ex=WORKER_SILENT_S)
