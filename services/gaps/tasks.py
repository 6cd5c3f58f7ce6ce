"""What gaps do by themselves."""

from celery import shared_task

from services.gaps.actions import start_stale


@shared_task(name="services.gaps.freshen")
def freshen() -> int:
    """Measure again what changed: a place that opened, closed or moved, new roads, new addresses."""
    return start_stale()
