"""What check-ins do by the clock: faces that wait for their check."""

from celery import shared_task

from services.fencing.checkins.faces import verify_waiting


@shared_task(name="services.fencing.checkins.verify_waiting")
def verify_faces() -> int:
    """Have the faces checked that could not be checked at once."""
    return verify_waiting()
