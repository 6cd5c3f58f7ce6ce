"""What the finder does by itself: every minute the uses counted in memory go to the table."""

from celery import shared_task

from services.modules.finder.counting import flush_counts


@shared_task(name="services.modules.finder.flush_uses")
def flush_uses() -> int:
    """Write what was counted since the last time."""
    return flush_counts()
