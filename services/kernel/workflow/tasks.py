"""Celery's side of the workflow: beat looks every minute for cards that are due."""

from celery import shared_task

from services.kernel.workflow.cards import AT_ONCE, light_cards


@shared_task(name="services.kernel.workflow.light_cards")
def light() -> int:
    """Light the cards that are due; of many, the rest in a task of its own, so that other work comes between."""
    done = light_cards()
    if done >= AT_ONCE:
        light.delay()
    return done
