"""What opinions do by themselves: the platform of supervision is told how institutions are rated."""

from celery import shared_task

from services.modules.opinions.rating import TELL_TASK
from services.modules.opinions.rating import tell_ratings as tell


@shared_task(name=TELL_TASK)
def tell_ratings() -> int:
    """Report the ratings that changed and send what is due."""
    return tell()
