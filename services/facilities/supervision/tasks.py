"""What is asked of the platform of supervision every day."""

from celery import shared_task

from services.facilities.supervision.actions import pull_if_connected


@shared_task(name="services.facilities.supervision.pull")
def pull() -> str:
    """Ask for the public facts of every institution."""
    return pull_if_connected()
