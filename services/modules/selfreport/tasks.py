"""What is done for institutions by the clock."""

from celery import shared_task

from services.modules.selfreport.sending import forget_old_numbers
from services.modules.selfreport.urging import tell_unconfirmed


@shared_task(name="services.modules.selfreport.tell_unconfirmed")
def tell_every_institution() -> int:
    """Send every institution its list of what nobody has confirmed, once a week."""
    return tell_unconfirmed()


@shared_task(name="services.modules.selfreport.forget_numbers")
def forget_numbers() -> int:
    """Forget the telephone numbers of links that ran out long ago."""
    return forget_old_numbers()
