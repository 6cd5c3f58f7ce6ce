"""What appointments do by themselves: 一张图 is told, and names and phones that are not needed any more are forgotten."""

from celery import shared_task

from services.modules.waste import actions, telling


@shared_task(name=telling.TELL_TASK)
def tell_one_map() -> int:
    """Tell 一张图 what is due."""
    return telling.tell_one_map()


@shared_task(name="services.modules.waste.forget_contacts")
def forget_contacts() -> int:
    """Forget the contacts of appointments that are long over."""
    return actions.forget_contacts()
