"""What the advisers do by themselves every day."""

from celery import shared_task

from services.modules.advisers.elders import pull_if_connected
from services.modules.advisers.staffing import judge_all


@shared_task(name="services.modules.advisers.judge_all")
def judge_every_site() -> int:
    """Judge the staffing of every point anew."""
    return judge_all()


@shared_task(name="services.modules.advisers.pull_elders")
def pull_elders() -> str:
    """Ask the city's library of elders for its newest figures."""
    return pull_if_connected()
