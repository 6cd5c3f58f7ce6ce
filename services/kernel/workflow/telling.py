"""Telling people of cases: handlers of what came, applicants of how it goes; in the transaction of the act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.utils.formats import date_format

from services.access.models import User
from services.kernel.messages.actions import send_message
from services.kernel.workflow import message_events as told
from services.kernel.workflow.choosing import city_zone
from services.kernel.workflow.clock import last_day
from services.kernel.workflow.handlers import people_for
from services.kernel.workflow.models import Case, Task
from services.kernel.workflow.registry import matter_named

MOST_TOLD = 20


def tell_arrived(case: Case, tasks: Iterable[Task], key: str) -> None:
    """Tell whose task each of some is, or who could take it from the pool, that it came."""
    for task in tasks:
        if "arrived" in task.notices:
            _tell(told.TASK_ARRIVED, f"{key}:{task.pk}", case, whom(task), _task_values(task))


def tell_handlers(event: str, case: Case, task: Task, key: str, **more: str) -> None:
    """Tell the handler of one task (or those of its pool) of an urge or a card."""
    _tell(event, f"{key}:{task.pk}", case, whom(task), _task_values(task) | more)


def tell_applicant(event: str, case: Case, key: str, **more: str) -> None:
    """Tell who applied, where that is an account."""
    if case.applicant is not None:
        _tell(event, key, case, [case.applicant], more, link=page_of(case) or f"/my/cases/{case.uid}")


def page_of(case: Case) -> str:
    """Return the page of the thing that a case is about, '' for a case of an application."""
    return matter_named(case.matter).page.format(subject=case.subject) if case.subject else ""


def tell_registrar(event: str, case: Case, key: str, **more: str) -> None:
    """Tell who registered a case at the window for somebody: the paper is told of by them."""
    if case.source != "online":
        found = User.objects.filter(username=case.opened_by, is_active=True)
        _tell(event, key, case, found, more)


def whom(task: Task) -> list[User]:
    """Return whose a task is, or who could take it."""
    return [task.assignee] if task.assignee else people_for(task, most=MOST_TOLD)


def due_words(task: Task) -> str:
    """Return the last day of a task in words."""
    return day_words(task.due_at) or "合适的时候"


def day_words(due_at: dt.datetime | None) -> str:
    """Return in words the last day before something is due, '' for nothing."""
    return date_format(last_day(due_at, city_zone()), "n月j日") if due_at else ""


def _task_values(task: Task) -> dict[str, str]:
    return {"环节": task.name, "期限": due_words(task)}


def _tell(
    event: str, key: str, case: Case, users: Iterable[User], values: Mapping[str, str], *, link: str = ""
) -> None:
    people = list(users)
    if not people:
        return
    send_message(
        event=event,
        key=f"case:{key}",
        region_id=case.region_id,
        values={"事项": matter_named(case.matter).title, "编号": case.number, "名称": case.title, **values},
        users=people,
        link=link or f"/desk/cases/{case.uid}",
    )
