"""Yellow and red cards: a sweep lights what came due by the indexed moment of each task, and tells who should know."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from services.kernel.workflow import message_events as told
from services.kernel.workflow.choosing import calendar, city_zone
from services.kernel.workflow.clock import deadline
from services.kernel.workflow.models import Case, CaseEvent, Task, TaskState
from services.kernel.workflow.telling import tell_handlers
from services.kernel.workflow.transitions import Act
from services.kernel.workflow.turning import settle_light

AT_ONCE = 200
CARDS = {"yellow": "黄牌", "red": "红牌"}


def light_cards(*, now: dt.datetime | None = None, most: int = AT_ONCE) -> int:
    """Light the cards that are due, each case in a transaction of its own, and return how many tasks were looked at.

    Safe to run twice at once, and to be killed: a case that somebody else holds is left for the next time.
    """
    moment = now or timezone.now()
    due = Task.objects.filter(state=TaskState.OPEN, next_at__lte=moment).order_by("next_at")
    ids = list(due.values_list("pk", "case_id")[:most])
    return sum(_light(task_id, case_id, moment) for task_id, case_id in ids)


@transaction.atomic
def _light(task_id: int, case_id: int, now: dt.datetime) -> int:
    case = Case.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=case_id).first()
    task = Task.objects.select_related("assignee").filter(
        pk=task_id, state=TaskState.OPEN, next_at__lte=now
    ).first()  # fmt: skip
    if case is None or task is None:
        return 0
    limit = deadline(task.due_at, task.remind, now, calendar(), city_zone())
    changed = limit.lit != task.lit
    task.lit, task.next_at = limit.lit, limit.next_at
    task.save(update_fields=["lit", "next_at"])
    if changed and limit.lit:
        key = f"card:{task.pk}:{limit.lit}:{task.due_at:%Y%m%d}" if task.due_at else f"card:{task.pk}"
        if not CaseEvent.objects.filter(key=key).exists():
            CaseEvent.objects.create(
                case=case, act=Act.CARD, step=task.step, what=f"{task.name}：亮{CARDS[limit.lit]}", key=key
            )
            if "due" in task.notices:
                tell_handlers(told.TASK_CARD, case, task, key, 牌=CARDS[limit.lit])
    settle_light(case)
    case.save(update_fields=["lit"])
    return 1
