"""What preloading does by itself."""

from celery import shared_task

from services.facilities.preloading.actions import start_stale
from services.facilities.preloading.archives import renew_archives


@shared_task(name="services.facilities.preloading.freshen")
def freshen() -> int:
    """Preload again what changed or grows old."""
    return start_stale() + renew_archives()
