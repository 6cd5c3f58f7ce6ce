"""Celery's side of the workflow: beat looks every minute for cards that are due and for feedback that waits."""

from celery import shared_task

from services.integrations.outbox import AT_ONCE as MOST_FEEDBACK
from services.kernel.workflow.cards import AT_ONCE, light_cards
from services.kernel.workflow.feedback import DELIVER_TASK, deliver_feedback


@shared_task(name="services.kernel.workflow.light_cards")
def light() -> int:
    """Light the cards that are due; of many, the rest in a task of its own, so that other work comes between."""
    done = light_cards()
    if done >= AT_ONCE:
        light.delay()
    return done


@shared_task(name=DELIVER_TASK)
def feed_back() -> int:
    """Tell the sources of cases what is due; of much, the rest in a task of its own."""
    done = deliver_feedback()
    if done >= MOST_FEEDBACK:
        feed_back.delay()
    return done
